"""Set two code cells beside one another, and mark the lines in which they differ.

A cell with `:column: Keras 2` and the next one with `:column: Keras 3` stand under
these titles, side by side where both fit, else one under the other. A notebook has the
titles above the cells.
"""

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from conf.pages.read import COLUMN


def differing(left: str, right: str) -> tuple[list[int], list[int]]:
    """The lines of each text, counted from 1, that the other one does not have.

    Indentation counts, and blank lines do not.
    """
    texts = left.split("\n"), right.split("\n")
    lines: tuple[list[int], list[int]] = [], []
    for kind, *ends in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind != "equal":
            for found, text, start, end in zip(
                lines, texts, ends[::2], ends[1::2], strict=True
            ):
                found += [n for n in range(start + 1, end + 1) if text[n - 1].strip()]
    return lines


def _pairs(document: nodes.document) -> Iterator[list[nodes.container]]:
    """The cells of two columns each; `read` has seen to it that they are pairs."""
    cells = [
        node
        for node in document.findall(nodes.container)
        if COLUMN in node.get("cell_metadata", {})
    ]
    for start in range(0, len(cells), 2):
        yield cells[start : start + 2]


def _set_side_by_side(app: Sphinx, document: nodes.document) -> None:
    for cells in _pairs(document):
        codes = [next(cell.findall(nodes.literal_block)) for cell in cells]
        for code, lines in zip(
            codes, differing(*(code.astext() for code in codes)), strict=True
        ):
            code["highlight_args"] = {"hl_lines": lines}
        columns = nodes.container(classes=["columns"])
        # Not `replace_self`, which would make a cell of the columns.
        cells[0].parent.replace(cells[0], columns)
        cells[1].parent.remove(cells[1])
        for cell in cells:
            title = nodes.paragraph(classes=["column-title"])
            title += nodes.strong(text=cell["cell_metadata"][COLUMN])
            columns += nodes.container("", title, cell, classes=["column"])


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("doctree-read", _set_side_by_side)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Write every page that runs as a notebook that runs alone.

Same cells as the page, plain Markdown, no outputs; identifiers count the cells, so that
equal pages give equal files. The buttons on the page lead here.
"""

import importlib.metadata
import json
import os
import platform
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from conf import state
from conf.addresses import Addresses
from conf.pages import plain_markdown
from conf.pages.read import RAISES, SKIPPED, Page, Problem

logger = logging.getLogger(__name__)


def write_out(
    page: Page,
    docname: str,
    addresses: Addresses,
    extensions: list[str],
    needs: list[str],
) -> tuple[str, list[Problem]]:
    """The notebook's text, and what could not be translated.

    Args:
        page: as read, without problems.
        docname: the page's name, for links and for the line that says where it is from.
        addresses: links lead to the site if its address is known.
        extensions: the MyST extensions in use.
        needs: distributions a reader has to install; installed versions are named.
    """
    by_index = {cell.index: cell for cell in page.cells}
    problems: list[Problem] = []

    def link(target: str) -> str:
        path, _, anchor = target.partition("#")
        if not path.endswith(".md"):
            return ""
        folder = PurePosixPath("/", docname).parent
        name = os.path.normpath(folder / path).removesuffix(".md").lstrip("/")
        return addresses.page(name, f"#{anchor}" if anchor else "")

    cells = []
    for index, cell in enumerate(page.notebook.cells):
        if cell.cell_type == "code":
            if title := by_index[index].column:
                cells.append(nbformat.v4.new_markdown_cell(f"**{title}**"))
            new = nbformat.v4.new_code_cell(by_index[index].code)
            if by_index[index].raises:
                new.metadata["tags"] = [RAISES]
            if by_index[index].is_measured:  # by a reader only, who has the time
                new.metadata["tags"] = [SKIPPED]
        else:
            line = page.lines[index]
            result = plain_markdown.translate(cell.source, line, extensions, link)
            problems += [Problem(page.path, *problem) for problem in result.problems]
            new = nbformat.v4.new_markdown_cell(result.text)
        if new.source:
            cells.append(new)
    cells.insert(1, nbformat.v4.new_markdown_cell(_origin(docname, addresses, needs)))
    for count, cell in enumerate(cells):
        cell["id"] = f"cell-{count}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=_METADATA)
    nbformat.validate(notebook)
    return json.dumps(
        notebook, indent=1, sort_keys=True, ensure_ascii=False
    ) + "\n", problems


_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def _origin(docname: str, addresses: Addresses, needs: list[str]) -> str:
    page = addresses.page(docname)
    source = f"[this page]({page})" if page else "a page of the site of the same name"
    return (
        f"This notebook is {source}, and runs alone. It ran on Python "
        f"{platform.python_version()} with `pip install {' '.join(_pins(needs))}`."
    )


def _pins(needs: list[str]) -> list[str]:
    return [f"{name}=={importlib.metadata.version(name)}" for name in needs]


def _write(app: Sphinx, exception: Exception | None) -> None:
    """Bring the folder of notebooks in line with the pages of this build."""
    if exception or app.builder.format != "html":
        return
    texts = state.of(app.env).notebooks
    folder = Path(app.outdir, "notebooks")
    wanted = {folder / f"{docname}.ipynb": text for docname, text in texts.items()}
    for path in set(folder.rglob("*.ipynb")) - set(wanted):
        path.unlink()
    for path, text in wanted.items():
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")


def _buttons(
    app: Sphinx,
    pagename: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document,
) -> None:
    """Put the notebook's buttons before those of the theme."""
    if pagename not in state.of(app.env).notebooks:
        return
    addresses: Addresses = app.config.site_addresses
    buttons = [
        {
            "type": "link",
            "url": context["pathto"](f"notebooks/{pagename}.ipynb", 1),
            "icon": "fa-solid fa-download",
            "tooltip": "Download this page as a notebook",
            "label": "download-notebook",
        }
    ]
    if colab := addresses.colab(pagename):
        buttons.append(
            {
                "type": "link",
                "url": colab,
                "icon": "fa-solid fa-play",
                "tooltip": "Open this page in Colab",
                "label": "open-in-colab",
            }
        )
    context.setdefault("header_buttons", [])[:0] = buttons


def _versions(
    app: Sphinx,
    pagename: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document,
) -> None:
    """Tell the template `ran-on.html` on which versions the page ran."""
    if pagename in state.of(app.env).notebooks:
        pins = [pin.replace("==", " ") for pin in _pins(app.config.notebook_needs)]
        context["ran_on"] = ", ".join([f"Python {platform.python_version()}", *pins])


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("site_addresses", Addresses("", "", ""), "html", Addresses)
    app.add_config_value("notebook_needs", [], "", list)
    app.connect("build-finished", _write)
    # The theme drops templates that are empty at 500 and makes its buttons at 501.
    app.connect("html-page-context", _versions, priority=499)
    app.connect("html-page-context", _buttons, priority=502)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

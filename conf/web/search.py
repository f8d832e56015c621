"""The index of the search, one entry for each section.

Each page that Sphinx writes leaves its sections beside its doctree: headings, texts,
open code and outputs. When the site is written, Pagefind makes an index of them.
Listings, tables that are looked up elsewhere, folded code, marks and menus never get
there, and a result leads to a section, since a section is all that an entry holds.
`docs/_static/search.js` asks the index.
"""

import asyncio
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from pagefind.index import IndexConfig
from pagefind.service import PagefindService
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

from conf.proofs.show import ProofMark

_TAG = re.compile(r"<(script|style|svg|template)\b.*?</\1>|<[^>]+>", re.DOTALL)
_SPACE = re.compile(r"\s+")
_WEIGHTS = {"title": 8, "text": 2, "code": 1}
ERRORS = re.compile(r"errors?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Section:
    """What the index knows of a section.

    Attributes:
        address: of the section, from the root of the site.
        title: its heading, or the title of its page.
        page: the title of its page.
        kind: `error`, `guide`, `recipe`, `reference`, or `about`.
        parts: its own content, in order: what it is, and its words.
    """

    address: str
    title: str
    page: str
    kind: str
    parts: list[tuple[str, str]]

    @property
    def html(self) -> str:
        """The document that Pagefind reads."""
        words = "".join(
            f'<p data-pagefind-weight="{_WEIGHTS[what]}">{escape(text)}</p>'
            for what, text in self.parts
        )
        facts = {"title": self.title, "page": self.page, "kind": self.kind}
        meta = "".join(
            f'<i data-pagefind-meta="{name}">{escape(value)}</i>'
            for name, value in facts.items()
        )
        # Its names are found, and not shown: excerpts begin with the text.
        named = f'<p data-pagefind-weight="8">{escape(self.title)}.</p>'
        return (
            f'<html lang="en"><body><div data-pagefind-ignore>{meta}</div>'
            f"<main>{named}{words}</main></body></html>"
        )


def sections(document: nodes.document, docname: str) -> list[Section]:
    """The sections of a page, without those that say nothing."""
    found: list[Section] = []
    for top in document.findall(nodes.section):
        if not isinstance(top.parent, nodes.section):
            _collect(top, docname, _words(top.next_node(nodes.title)), [], found)
    return found


def _collect(
    section: nodes.section,
    docname: str,
    page: str,
    above: list[str],
    found: list[Section],
) -> None:
    title = _words(section.next_node(nodes.title))
    inner = [node for node in section if isinstance(node, nodes.section)]
    parts = [
        part
        for node in section
        if not isinstance(node, nodes.section | nodes.title)
        for part in _parts(node)
    ]
    anchor = f"#{section['ids'][0]}" if above else ""
    if parts or (anchor and not inner):
        kind = _kind(docname, above)
        found.append(Section(f"{docname}.html{anchor}", title, page, kind, parts))
    for node in inner:
        _collect(node, docname, page, [*above, title], found)


def _kind(docname: str, above: list[str]) -> str:
    """What a section is; `above` holds the headings that it stands under."""
    if docname.startswith("reference/errors") or any(map(ERRORS.match, above)):
        return "error"
    if docname.startswith("reference/recipes"):
        return "recipe"
    folder = docname.partition("/")[0]
    return {"guides": "guide", "reference": "reference"}.get(folder, "about")


def _parts(node: nodes.Node) -> Iterator[tuple[str, str]]:
    """The readable parts of a node, in order."""
    if isinstance(node, _SILENT) or not isinstance(node, nodes.Element):
        return
    if {"recipe-links", "no-search"} & set(node.get("classes", ())):
        return
    if isinstance(node, nodes.raw):
        text, what = _text_of(node.astext()), "code"
    elif isinstance(node, nodes.literal_block):
        text, what = _plain(node.astext()), "code"
    elif isinstance(node, nodes.TextElement | nodes.table):
        text, what = _words(node), "text"
    else:
        for child in node.children:
            yield from _parts(child)
        return
    if text:
        yield what, text


_SILENT = (
    *(nodes.comment, nodes.target, nodes.system_message, nodes.substitution_definition),
    *(addnodes.toctree, addnodes.index, HideCodeCellNode, ProofMark),
)


def _words(node: nodes.Element | None) -> str:
    """The text of a node, without marks; cells of a table are told apart."""
    if node is None:
        return ""
    texts = []
    for leaf in node.findall(nodes.Text):
        texts.append(leaf.astext())
        if isinstance(leaf.parent, nodes.paragraph) and leaf is leaf.parent[-1]:
            texts.append(" ")
    return _plain("".join(texts))


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text.replace("\N{WORD JOINER}", "")).strip()


def _text_of(html: str) -> str:
    return _plain(unescape(_TAG.sub(" ", html)))


def _keep(
    app: Sphinx,
    docname: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Leave the sections of a page for the index."""
    if doctree is None or docname in app.config.search_leaves_out:
        return
    file = _place(app, docname)
    file.parent.mkdir(parents=True, exist_ok=True)
    found = [asdict(section) for section in sections(doctree, docname)]
    file.write_text(json.dumps(found, ensure_ascii=False), "utf-8")


def _place(app: Sphinx, docname: str) -> Path:
    return Path(app.doctreedir, "sections", f"{docname}.json")


def _index(app: Sphinx, error: Exception | None) -> None:
    """Make the index, if any section has changed."""
    if error is not None or app.builder.name != "html":
        return
    pages = [
        file.read_text("utf-8")
        for docname in sorted(app.env.found_docs)
        if (file := _place(app, docname)).exists()
    ]
    made_of = hashlib.sha256("\n".join([*pages, _own_code()]).encode()).hexdigest()
    folder = Path(app.outdir, "pagefind")
    stamp = Path(app.doctreedir, "sections", "made-of")
    is_made = stamp.exists() and stamp.read_text("utf-8") == made_of
    if is_made and (folder / "pagefind.js").exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    found = [Section(**section) for page in pages for section in json.loads(page)]
    asyncio.run(_write(found, folder))
    for path in folder.iterdir():  # interfaces of its own, which this site lacks
        if any(word in path.name for word in _UNUSED):
            path.unlink()
    stamp.write_text(made_of, "utf-8")


_UNUSED = ("-ui", "-component", "-highlight")


def _own_code() -> str:
    return Path(__file__).read_text("utf-8")


async def _write(found: list[Section], folder: Path) -> None:
    config = IndexConfig(output_path=str(folder))
    # Leaving an index, too, ends Pagefind as soon as it answers; this waits between.
    async with PagefindService() as service:
        index = await service.create_index(config)
        for section in found:
            await index.add_html_file(content=section.html, url=section.address)
        await index.write_files()
        await written(folder)


async def written(folder: Path, looks: int = 600) -> None:
    """Wait until every file of an index is on the disk.

    Pagefind answers that it has written once it has opened its files, and fills them
    after that: stopped too early, it leaves an empty one, and a site without a search.

    Args:
        folder: the folder of the index.
        looks: how often to look, ten times a second, before giving up.

    Raises:
        ExtensionError: if a file is still empty at the end.
    """
    for _ in range(looks):
        files = [path for path in folder.rglob("*") if path.is_file()]
        empty = sorted(path.name for path in files if path.stat().st_size == 0)
        if files and not empty:
            return
        await asyncio.sleep(0.1)
    raise ExtensionError(
        f"Pagefind did not fill {', '.join(empty) or 'any file'} in {folder}. "
        "Is the disk full? Delete that folder, and build again."
    )


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    _place(app, docname).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("search_leaves_out", [], "", list)
    app.connect("html-page-context", _keep)
    app.connect("env-purge-doc", _purge)
    app.connect("build-finished", _index)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

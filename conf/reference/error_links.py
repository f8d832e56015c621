"""Links a message that a page names to its entry in the error reference.

A heading or a piece of code in a sentence that is the message of one entry becomes a
link. Where several entries have it, the one that names this page counts; else none.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from conf.pages.recipes import Package
from conf.proofs.verdict import lanes
from conf.reference import errors
from conf.reference.errors import Entry

FEWEST_WORDS = 3
PLACE = "error-entry"  # the page and the anchor
# It stands around many messages, and is none.
_AROUND = "exception encountered when calling"
_FROM = ("guides/", "reference/")
_BUT = ("reference/errors/", "reference/recipes/")

Known = dict[str, list[tuple[str, Entry]]]


@cache
def _known(folder: Path) -> Known:
    """The texts of every message by the name of its entry, the heading first."""
    package = Package(folder)
    seen = errors.everything_seen(package, lanes(folder.parent))
    return {
        name: [(_plain(text), entry) for text in [entry.heading, *_said(entry, seen)]]
        for group, entries in errors.read(package).items()
        if group != errors.SILENT
        for name, entry in entries.items()
    }


def _said(entry: Entry, seen: Mapping[str, errors.Seen]) -> list[str]:
    rows = [row for lane in seen.values() if (row := lane.row(entry))]
    return list(dict.fromkeys(row.said for row in rows if row.said))


def _plain(text: str) -> str:
    """A text without what the writer of a guide may leave out or change."""
    text = re.sub(r"[`…]|\.{3}", "", text)
    return " ".join(re.sub(r"-?\d+", "#", text).split()).lower()


def _has_letters(word: str) -> bool:
    return re.search(r"[a-z]{2}", word) is not None


def entry_of(text: str, docname: str, known: Known) -> Entry | None:
    """The entry whose message a text is, or a part of it; None if that is not sure."""
    words = _plain(text)
    if sum(map(_has_letters, words.split())) < FEWEST_WORDS or words == _AROUND:
        return None
    found = {}
    for name, texts in known.items():
        heading, entry = texts[0]
        if heading in words or any(words in other for other, _ in texts):
            found[name] = entry
    own = {n: e for n, e in found.items() if e.guide.startswith(f"{docname}.md")}
    exact = {n: e for n, e in found.items() if known[n][0][0] == words}
    for some in (exact, own, found):
        if len(some) == 1:
            return next(iter(some.values()))
    return None


def _mark(app: Sphinx, document: nodes.document) -> None:
    env = app.env
    docname = env.current_document.docname
    if not docname.startswith(_FROM) or docname.startswith(_BUT):
        return
    folder = Path(app.config.recipes_package)
    if not (folder / errors.STEM).exists():
        return
    known = _known(folder)
    for code in list(document.findall(nodes.literal)):
        if isinstance(code.parent, nodes.reference | addnodes.pending_xref):
            continue
        if entry := entry_of(code.astext(), docname, known):
            code[PLACE] = (f"reference/errors/{entry.group}", entry.name)
            env.note_dependency(entry.place[0])


def _is_linked(node: nodes.Node) -> bool:
    """Whether a link is around it: one in another is no HTML."""
    above = node.parent
    while above is not None and not isinstance(above, nodes.reference):
        above = above.parent
    return above is not None


def _link(app: Sphinx, document: nodes.document, docname: str) -> None:
    # Sphinx would make plain text of the code in a reference of its own.
    for code in list(document.findall(nodes.literal)):
        if (place := code.get(PLACE)) and not _is_linked(code):
            page, name = place
            uri = app.builder.get_relative_uri(docname, page)
            link = nodes.reference(refuri=f"{uri}#{name}", internal=True)
            link["classes"].append("error-entry")
            code.replace_self(link)
            link += code


def _forget(app: Sphinx) -> None:
    _known.cache_clear()


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", _forget)
    app.connect("doctree-read", _mark)
    app.connect("doctree-resolved", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

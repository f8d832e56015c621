"""Whether a page is HTML: that it parses, and that its parts stand where they may.

html5lib reads a page as browsers do and says where they had to guess. What may stand
in what it does not ask; the rules below are those that generated pages break.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib

_BLOCKS = (
    "address article aside blockquote center details dialog div dl fieldset figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr main nav ol p pre section table ul"
)
_OF_WORDS = (  # what holds words, and no blocks
    "a abbr b bdi bdo button cite code dfn em h1 h2 h3 h4 h5 h6 i kbd label mark p pre "
    "q s samp small span strong sub summary sup time u var"
)
_FLOW, _WORDS = frozenset(_BLOCKS.split()), frozenset(_OF_WORDS.split())
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TAKES_ITS_PARENTS = frozenset({"a"})  # a link may hold what its parent may hold
_HIDDEN = frozenset({"script", "template"})
_CHILDREN = {
    "ul": _HIDDEN | {"li"},
    "ol": _HIDDEN | {"li"},
    "dl": _HIDDEN | {"dt", "dd", "div"},
    "tr": _HIDDEN | {"td", "th"},
}
_ACTS = frozenset({"a", "button", "input", "select", "summary", "textarea"})
_OBSOLETE = frozenset({"big", "center", "font", "strike", "tt"})
_OBSOLETE_ATTRIBUTES = {
    "align": None,
    "bgcolor": None,
    "border": {"table"},
    "valign": None,
    "width": {"col", "table", "td", "th", "tr"},
}
_REFERS = ("aria-controls", "aria-describedby", "aria-labelledby", "for", "headers")


def faults(text: str) -> list[str]:
    """What is wrong with a page, one line a fault."""
    builder = html5lib.getTreeBuilder("etree")
    parser = html5lib.HTMLParser(tree=builder, namespaceHTMLElements=False)
    root = parser.parse(text)
    found = [f"line {line}: {code}" for (line, _), code, _ in parser.errors]
    found += _misplaced(root, _Inside())
    identifiers = Counter(node.get("id") for node in root.iter() if node.get("id"))
    found += [f"id twice: {name}" for name, count in identifiers.items() if count > 1]
    for node in root.iter():
        for name in _REFERS:
            for target in (node.get(name) or "").split():
                if target not in identifiers:
                    found.append(f"{name} of {_named(node)}: there is no {target}")
    if root.get("lang") != "en":
        found.append(f"the language is {root.get('lang')}")
    return found


class _Inside:
    """Where an element stands.

    Args:
        words: the element around it that holds words alone, if there is one.
        acting: the link or button around it, if there is one.
    """

    def __init__(self, words: str = "", acting: str = "") -> None:
        self.words, self.acting = words, acting


def _misplaced(node: Any, inside: _Inside) -> Iterator[str]:
    tag = node.tag
    if not isinstance(tag, str) or tag in {"svg", "template", "math"}:
        return
    if tag in _FLOW and inside.words:
        is_title = tag in _HEADINGS and inside.words == "summary"
        if not is_title:
            yield f"{_named(node)} in {inside.words}"
    acts = tag in _ACTS and (tag != "a" or node.get("href") is not None)
    if acts and inside.acting and node.get("type") != "hidden":
        yield f"{_named(node)} in {inside.acting}"
    if tag == "img" and node.get("alt") is None:
        yield f"no alt: {_named(node)}"
    if tag in _HEADINGS and not "".join(node.itertext()).strip():
        yield f"an empty {tag}"
    if tag in _OBSOLETE:
        yield f"{tag} is obsolete"
    for name, tags in _OBSOLETE_ATTRIBUTES.items():
        if node.get(name) is not None and (tags is None or tag in tags):
            yield f"{name} of {_named(node)} is obsolete"
    yield from _children(node)
    words = inside.words if tag in _TAKES_ITS_PARENTS else ""
    if tag in _WORDS - _TAKES_ITS_PARENTS:
        words = tag
    within = _Inside(words, tag if acts else inside.acting)
    for child in node:
        yield from _misplaced(child, within)


def _children(node: Element) -> Iterator[str]:
    """What lists and rows may hold, and in which order."""
    allowed = _CHILDREN.get(node.tag)
    if allowed is None:
        return
    tags = [child.tag for child in node if isinstance(child.tag, str)]
    yield from (f"{tag} in {node.tag}" for tag in tags if tag not in allowed)
    if node.tag == "dl" and "div" not in tags:
        terms = [tag for tag in tags if tag in {"dt", "dd"}]
        if terms and (terms[0] != "dt" or terms[-1] != "dd"):
            yield f"a dl of {' '.join(terms[:6])}: {_named(node)}"


def _named(node: Element) -> str:
    shown = " ".join(f'{name}="{value[:40]}"' for name, value in node.attrib.items())
    return f"<{node.tag} {shown}>".replace(" >", ">")

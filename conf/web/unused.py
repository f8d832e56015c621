"""Take out of a style sheet the rules of classes that no page has.

The theme brings all of Bootstrap along, of which this site uses a quarter. A rule stays
if each class that its selector asks for stands in a page, or in a script that could add
it; what a selector excludes, `:not(.this)`, or offers as one of several is no demand.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_RULE = re.compile(r"([^{}]+)(\{[^{}]*\})")
_COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)
_BEFORE = re.compile(r"(?:.*(?:;|\*/))?", re.DOTALL)  # an @import, a licence
_OUTER_COMMA = re.compile(r",(?![^(]*\))")
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\]]*\]")
_CLASS = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
_EMPTY = re.compile(r"@(?:media|supports)[^{}]*\{\s*\}")
_ATTRIBUTE = re.compile(r'\bclass="([^"]*)"')
_WORD = re.compile(r"-?[A-Za-z_][\w-]*")
_BUILT_BY_SCRIPTS = ("bs-",)  # from parts, such as the side on which a tooltip stands


def classes(pages: Iterable[Path], scripts: Iterable[Path]) -> set[str]:
    """What may be a class on some page: those written there, and words of scripts."""
    found: set[str] = set()
    for page in pages:
        for names in set(_ATTRIBUTE.findall(page.read_text("utf-8"))):
            found.update(names.split())
    for script in scripts:
        found.update(_WORD.findall(script.read_text("utf-8")))
    return found


def without_unused(sheet: str, known: set[str]) -> str:
    """The sheet without the selectors that match nothing, and rules that have none."""

    def may_match(selector: str) -> bool:
        before = None
        while before != selector:  # brackets in brackets, from the inside
            before, selector = selector, _IN_BRACKETS.sub("", selector)
        return all(
            name in known or name.startswith(_BUILT_BY_SCRIPTS)
            for name in _CLASS.findall(selector)
        )

    def kept(rule: re.Match[str]) -> str:
        head, body = rule.groups()
        before = _BEFORE.match(head)
        start = before[0] if before else ""
        selectors = head.removeprefix(start)
        if "@" in selectors or "\\" in selectors:
            return rule[0]
        found = [part for part in _OUTER_COMMA.split(selectors) if may_match(part)]
        return start + (",".join(found) + body if found else "")

    return _EMPTY.sub("", _RULE.sub(kept, _COMMENT.sub("", sheet)))

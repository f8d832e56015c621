"""Turn the MyST that guides may use into Markdown that every notebook front end shows.

What guides may use is listed in CONTRIBUTING.md. Anything else is a problem with a
line, never a guess: a notebook must not show markup.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ADMONITIONS = {
    "note": "Note",
    "tip": "Tip",
    "important": "Important",
    "warning": "Warning",
    "seealso": "See also",
}
SITE_ONLY = {
    "ask",
    "figures",
    "file-matrix",
    "toctree",
}  # what a notebook has no use for
# A role's plain form, from its text. Marks mean something only on the site.
ROLES: dict[str, Callable[[str], str]] = {
    "proof": lambda text: "",
    "measured": lambda text: "",
    "recipe": lambda text: f"`{text.rpartition('.')[2]}`",
}

_SPAN = re.compile(
    r"(?P<space>[ ]*)(?P<role>\{[\w:+-]+\})?"
    r"(?P<tick>`+)(?P<text>.+?)(?<!`)(?P=tick)(?!`)"
)
_LINK = re.compile(
    r"(?<!!)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])+)\]\((?P<target>[^)\s]+)\)"
)
_OPTION = re.compile(r":[\w-]+:")
_TARGET = re.compile(r"^\([\w-]+\)=$")

Link = Callable[[str], str]


@dataclass
class Translation:
    """Markdown, and what could not be translated as (line, message)."""

    text: str
    problems: list[tuple[int, str]]


def translate(
    text: str, line: int, extensions: Iterable[str], link: Link
) -> Translation:
    """Translate one Markdown cell.

    Args:
        text: MyST Markdown without code cells.
        line: the 1-based line of the page where it starts.
        extensions: the MyST extensions in use.
        link: the public address of a link's target, or an empty string if it has none
            outside the site; the link then becomes its text.
    """
    config = MdParserConfig(enable_extensions=set(extensions))
    translator = _Translator(config, link)
    return Translation(translator.block(text, line), translator.problems)


class _Translator:
    def __init__(self, config: MdParserConfig, link: Link) -> None:
        self.parser = create_md_parser(config, RendererHTML)
        self.link = link
        self.problems: list[tuple[int, str]] = []

    def block(self, text: str, line: int) -> str:
        lines = text.splitlines()
        result: list[str] = []
        done = 0
        for token, depth in _with_depth(self.parser.parse(text)):
            if token.map is None:
                continue
            start, end = token.map
            children = token.children or []
            if any(child.type == "html_inline" for child in children):
                self._problem(line + start, "raw HTML")
            for child in children:
                if child.type == "image" and "://" not in str(child.attrs["src"]):
                    what = f"the picture `{child.attrs['src']}`"
                    self._problem(line + start, what)
            directive = _directive(token)
            if depth and directive:
                self._problem(line + start, "a directive inside a list or quotation")
            if depth or start < done:
                continue
            if directive:
                replacement = self._directive(directive, token, line + start)
            elif token.type in {"fence", "code_block", "math_block"}:
                replacement = lines[start:end]
            elif token.type in {"myst_target", "myst_line_comment"}:
                replacement = []
            elif token.type == "html_block":
                self._problem(line + start, "raw HTML")
                continue
            elif token.nesting >= 0:
                replacement = [
                    self._inline(found, line + start + offset)
                    for offset, found in enumerate(lines[start:end])
                ]
            else:
                continue
            result.extend([*lines[done:start], *replacement])
            done = end
        return re.sub(r"\n{3,}", "\n\n", "\n".join([*result, *lines[done:]])).strip(
            "\n"
        )

    def _directive(self, name: str, token: Token, line: int) -> list[str]:
        argument = token.info.strip().partition("}")[2].strip()
        lines = token.content.split("\n")
        options = len(list(takewhile(_OPTION.match, lines)))
        inner = self.block("\n".join(lines[options:]), line + 1 + options)
        if name in ADMONITIONS:
            title = ADMONITIONS[name] + (f": {argument}" if argument else "")
            return [
                f"> {part}".rstrip() for part in f"**{title}**\n\n{inner}".splitlines()
            ]
        if name in SITE_ONLY:
            return []
        if name in {"tab-set", "container"}:
            return inner.splitlines()
        if name == "tab-item":
            return ["", f"**{argument}**", "", *inner.splitlines()]
        self._problem(line, f"the directive `{name}`")
        return []

    def _inline(self, text: str, line: int) -> str:
        """Roles and links; code spans stay as they are."""
        spans: list[str] = []

        def keep(match: re.Match[str]) -> str:
            role = (match["role"] or "").strip("{}")
            if not role:
                plain = match[0]
            elif role in ROLES:
                found = ROLES[role](match["text"])
                plain = match["space"] + found if found else ""
            else:
                self._problem(line, f"the role `{role}`")
                plain = match["text"]
            spans.append(plain)
            return f"\0{len(spans) - 1}\0"

        def relink(match: re.Match[str]) -> str:
            target = match["target"]
            if target.startswith("https://"):
                return match[0]
            address = self.link(target)
            return f"[{match['text']}]({address})" if address else match["text"]

        linked = _LINK.sub(relink, _SPAN.sub(keep, text))
        return re.sub("\0(\\d+)\0", lambda match: spans[int(match[1])], linked)

    def _problem(self, line: int, what: str) -> None:
        message = (
            f"{what} has no plain form in a notebook; CONTRIBUTING.md lists what has"
        )
        self.problems.append((line, message))


def _with_depth(tokens: Iterable[Token]) -> Iterator[tuple[Token, int]]:
    """Tokens with the number of blocks around them."""
    depth = 0
    for token in tokens:
        if token.nesting < 0:
            depth -= 1
        yield token, depth
        if token.nesting > 0:
            depth += 1


def _directive(token: Token) -> str:
    """The name of a directive, or an empty string."""
    if token.type in {"fence", "colon_fence"} and token.info.strip().startswith("{"):
        return token.info.strip()[1:].partition("}")[0]
    return ""

"""Find the marks of proofs in a page, the sentence before each, and what has none.

A mark, `` {proof}`name` `` or `` {measured}`name` ``, stands behind its sentence: in a
paragraph, a heading, a list item, an admonition or a caption. In a table it stands in
the last cell, behind the row, whose cells are joined by ` | `.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from conf.pages.read import Cell

_MARK = re.compile(r"(?<!\\)\{(proof|measured)\}`([^`]+)`(?!`)")
_HIDDEN = re.compile(r"(?<!\})(`{2,})(?!`).+?(?<!`)\1(?!`)|<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_LITERAL = {"code", "code-block", "eval-rst", "literalinclude", "math", "recipes"}
_SENTENCE = re.compile(r"(?:(?<=[.?!])|(?<=[.?!]\*)|(?<=[.?!]\*\*))\s+(?=[A-Z`\"*(\[])")
# A quoted sentence begins behind one of these.
_BREAK = re.compile(r"[.?!][*\")\]]*\s+(?=[A-Z0-9`\"*(\[])|[:|][*\")\]]*\s+|^\s*")
_LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\]]*\])+)\]\([^)\s]*\)")
_TO_A_SECTION = re.compile(r"\]\([^)\s]*(?:#[^)\s]+|\.md)\)")
_ROLE = re.compile(r"\{[\w-]+\}(?=`)")
_OPTION = re.compile(r":[\w-]+:")


@dataclass(frozen=True)
class Mark:
    """One mark: where it stands, the proofs it names, and the text before it.

    `kind` is its role, `proof` or `measured`.
    """

    line: int
    names: tuple[str, ...]
    before: str
    kind: str = "proof"

    @property
    def sentence(self) -> str:
        """The last sentence before the mark, for messages."""
        return (_SENTENCE.split(self.before.strip()) or [""])[-1]

    def start_of(self, quote: str) -> int | None:
        """Where the quoted sentence begins in the text before the mark.

        None if the text does not end in that sentence, whole.
        """
        words = plain(quote)
        for match in _BREAK.finditer(self.before):
            if words and plain(self.before[match.end() :]) == words:
                return match.end()
        return None


@dataclass(frozen=True)
class Sentence:
    """One sentence without a mark."""

    line: int
    text: str
    is_title: bool
    is_row: bool = False

    @property
    def needs_proof(self) -> bool:
        """Whether it may state behavior: it names code or a number and is no title.

        Nor is it a row that repeats a section and links to it.
        """
        if self.is_row and _TO_A_SECTION.search(self.text):
            return False
        names = "`" in self.text or any(c.isdigit() for c in self.text)
        is_question = self.text.rstrip("*_").endswith("?")
        return names and not self.is_title and not is_question


@dataclass(frozen=True)
class Marked:
    """What a page proves, and what it leaves unproved."""

    marks: list[Mark]
    unproved: list[Sentence]


def plain(text: str) -> str:
    """The words of a sentence: no markup but in code, white space folded."""
    codes: list[str] = []

    def keep(code: re.Match[str]) -> str:
        codes.append(code[2].strip())
        return f"\0{len(codes) - 1}\0"

    words = _CODE.sub(keep, _ROLE.sub("", text))
    words = _LINK.sub(r"\1", words).replace("*", "")
    words = re.sub("\0(\\d+)\0", lambda place: codes[int(place[1])], words)
    return " ".join(words.replace("\\|", "|").split())


def find(
    text: str,
    cells: Iterable[Cell],
    extensions: Iterable[str],
    quotes: Mapping[str, str],
) -> Marked:
    """Find the marks of one page.

    Args:
        text: the page.
        cells: its code cells, whose captions may hold marks.
        extensions: the MyST extensions in use.
        quotes: the quoted sentences by the names that the page's marks use.
    """
    config = MdParserConfig(enable_extensions=set(extensions))
    parser = create_md_parser(config, RendererHTML)
    marked = Marked([], [])
    for block in _blocks(parser, text, 1):
        _read_block(marked, block, quotes)
    for cell in cells:
        if cell.caption:
            _read_block(marked, _Block(cell.fence, cell.caption, False), quotes)
    return marked


@dataclass(frozen=True)
class _Block:
    line: int
    text: str
    is_title: bool
    is_row: bool = False


def _read_block(marked: Marked, block: _Block, quotes: Mapping[str, str]) -> None:
    def leave(start: int, text: str) -> None:
        line = block.line + block.text.count("\n", 0, start)
        for part in _SENTENCE.split(text.strip()):
            if part.strip(" .|"):
                words = " ".join(part.split())
                sentence = Sentence(line, words, block.is_title, block.is_row)
                marked.unproved.append(sentence)

    done = 0
    visible = _HIDDEN.sub(lambda hidden: " " * len(hidden[0]), block.text)
    for match in _MARK.finditer(visible):
        line = block.line + block.text.count("\n", 0, match.start())
        before = block.text[done : match.start()]
        mark = Mark(line, tuple(match[2].split()), before, match[1])
        marked.marks.append(mark)
        starts = [mark.start_of(quotes[name]) for name in mark.names if name in quotes]
        proved_from = max((start for start in starts if start is not None), default=0)
        leave(done, mark.before[:proved_from])
        done = match.end()
    leave(done, block.text[done:])


def _blocks(parser: MarkdownIt, text: str, line: int) -> Iterator[_Block]:
    """Every run of inline text with its line; the rows of tables as one."""
    row: list[str] | None = None
    row_line, is_title = line, False
    for token in parser.parse(text):
        at = line + token.map[0] if token.map else line
        if token.type in {"heading_open", "thead_open"}:
            is_title = True
        elif token.type in {"heading_close", "thead_close"}:
            is_title = False
        elif token.type == "tr_open":
            row, row_line = [], at
        elif token.type == "tr_close":
            yield _Block(row_line, " | ".join(row or []), is_title, is_row=True)
            row = None
        elif token.type == "inline":
            if row is None:
                yield _Block(at, token.content, is_title)
            else:
                row.append(token.content)
        elif token.type == "colon_fence" or (
            token.type == "fence" and re.match(r"\{(?!code-cell)", token.info)
        ):
            if token.info.strip("{ ").partition("}")[0] in _LITERAL:
                continue
            lines = token.content.split("\n")
            options = len(list(takewhile(_OPTION.match, lines)))
            body = "\n".join(lines[options:])
            yield from _blocks(parser, body, at + 1 + options)

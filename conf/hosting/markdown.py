"""A finished page as Markdown, for programs that read.

It holds what a reader sees: text, code, outputs. A picture is its alternative text, a
fold is its name, since the notebook of the page has what is in it.
"""

import re
from collections.abc import Callable, Iterable
from html import unescape

from docutils import nodes
from sphinx import addnodes

from conf.proofs.show import ProofMark

Link = Callable[[str], str]
_JOINER = "\N{WORD JOINER}"
_SKIPPED = (
    *(nodes.comment, nodes.substitution_definition, nodes.target, addnodes.index),
    *(nodes.system_message, nodes.colspec, nodes.meta, addnodes.toctree),
)
_TAG = re.compile(r"<[^>]+>")
_LABEL = re.compile(r'<svg[^>]*\baria-label="([^"]*)"')


def of_page(doctree: nodes.document, link: Link) -> str:
    """The Markdown of a resolved page.

    Args:
        doctree: the page as it is written to HTML.
        link: the address to write for one that stands on the page.
    """
    return "\n\n".join(_Writer(link).blocks(doctree.children, 0)).strip("\n") + "\n"


class _Writer:
    def __init__(self, link: Link) -> None:
        self.link = link

    def blocks(self, children: Iterable[nodes.Node], depth: int) -> list[str]:
        found = [self.block(child, depth) for child in children]
        return [text for text in found if text.strip()]

    def inside(self, node: nodes.Element, depth: int) -> str:
        return "\n\n".join(self.blocks(node.children, depth))

    def block(self, node: nodes.Node, depth: int) -> str:
        """One block; what has no form of its own is what is in it."""
        match node:
            case nodes.section() if "error" in node["classes"]:
                # What links to an entry of the error reference finds it.
                anchor = f'<a id="{node["ids"][0]}"></a>'
                return f"{anchor}\n\n{self.inside(node, depth + 1)}"
            case nodes.section():
                return self.inside(node, depth + 1)
            case nodes.title() | nodes.subtitle():
                return f"{'#' * min(depth, 6)} {self.inline(node)}"
            case nodes.rubric():
                return f"**{self.inline(node)}**"
            case nodes.paragraph():
                links_only = "recipe-links" in node["classes"]
                return "" if links_only else self.inline(node)
            case nodes.literal_block() | nodes.doctest_block():
                return _fenced(node.astext(), _language(node))
            case nodes.bullet_list():
                return self._list(node, ["-"] * len(node.children), depth)
            case nodes.enumerated_list():
                marks = [f"{n}." for n, _ in enumerate(node.children, start=1)]
                return self._list(node, marks, depth)
            case nodes.block_quote():
                return _indented("> ", self.inside(node, depth))
            case addnodes.desc():
                return self.inside(node, depth)
            case nodes.Element() if isinstance(node, nodes.Admonition):
                # The writer of HTML gives one without a title that of its kind.
                named, rest = _titled(node)
                inside = "\n\n".join(self.blocks(rest, depth))
                return _indented("> ", f"**{named}**\n\n{inside}")
            case nodes.table():
                return self._table(node)
            case nodes.raw():
                return _raw(node)
            case nodes.image():
                return self.inline(node)
            case addnodes.desc_signature():
                return f"**`{_signature(node)}`**"
            case nodes.field():
                name, body = node.children
                # docutils types the children of a field as nodes; both are elements.
                return f"**{name.astext()}**\n\n{self.inside(body, depth)}"  # type: ignore[arg-type]
            case nodes.definition_list_item():
                term, *rest = node.children
                return "\n\n".join(
                    [f"**{self.inline(term)}**", *self.blocks(rest, depth)]
                )
            case nodes.container() if node.get("hide_mode") in {"input", "all"}:
                _, *outputs = node.children
                fold = str(node.get("prompt_show", "")).removeprefix("Show ")
                note = f"*Folded here, and whole in the notebook: {fold}.*"
                return "\n\n".join([note, *self.blocks(outputs, depth)])
            case nodes.Element() if not isinstance(node, _SKIPPED):
                is_text = isinstance(node, nodes.TextElement)
                return self.inline(node) if is_text else self.inside(node, depth)
        return ""

    def inline(self, node: nodes.Node) -> str:
        """What stands in a line of text."""
        match node:
            case nodes.Text():
                return re.sub(r"\s*\n\s*", " ", node.astext().replace(_JOINER, ""))
            case nodes.literal():
                return _code(node.astext())
            case ProofMark():
                return f" {node['sign']}"
            case nodes.image():
                return f"![{node.get('alt', '')}]({self.link(node['uri'])})"
            case nodes.raw() | nodes.target() | nodes.comment():
                return ""
        text = "".join(map(self.inline, node.children))
        match node:
            case nodes.emphasis():
                return f"*{text}*"
            case nodes.strong() | addnodes.literal_strong():
                return f"**{text}**"
            case nodes.reference() if "refuri" in node or "refid" in node:
                target = node.get("refuri") or f"#{node['refid']}"
                return f"[{text}]({self.link(target)})"
        return text

    def _list(self, node: nodes.Element, marks: list[str], depth: int) -> str:
        items = []
        for mark, item in zip(marks, node.children, strict=True):
            assert isinstance(item, nodes.Element)
            lines = self.inside(item, depth).split("\n")
            rest = [f"{' ' * len(mark)} {line}".rstrip() for line in lines[1:]]
            items.append("\n".join([f"{mark} {lines[0]}", *rest]))
        return "\n".join(items)

    def _table(self, node: nodes.table) -> str:
        rows = [
            [self._cell(entry) for entry in row.children]
            for row in node.findall(nodes.row)
        ]
        head, *body = rows
        lines = [head, ["---"] * len(head), *body]
        title = next(node.findall(nodes.title), None)
        said = [f"**{self.inline(title)}**", ""] if title else []
        return "\n".join([*said, *(f"| {' | '.join(cells)} |" for cells in lines)])

    def _cell(self, entry: nodes.Node) -> str:
        parts = self.blocks(entry.children, 0)
        return " ".join(parts).replace("\n", " ").replace("|", "\\|")


def _titled(node: nodes.Element) -> tuple[str, list[nodes.Node]]:
    """The title of a note or warning, and what is below it."""
    first, *rest = node.children
    if isinstance(first, nodes.title):
        return first.astext(), rest
    return node.tagname.capitalize(), [first, *rest]


def _fenced(text: str, language: str) -> str:
    longest = max(map(len, re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _language(node: nodes.Element) -> str:
    if isinstance(node, nodes.doctest_block):
        return "python"
    found = {"python3": "python", "ipython3": "python", "myst-ansi": "text"}
    language = str(node.get("language", "text"))
    return found.get(language, "text" if language == "default" else language)


def _code(text: str) -> str:
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    ticks = "`" * (longest + 1)
    space = " " * bool(longest)
    return f"{ticks}{space}{text}{space}{ticks}"


def _signature(node: nodes.Element) -> str:
    parts = [
        child.astext()
        for child in node.children
        if not isinstance(child, addnodes.desc_parameterlist | addnodes.desc_returns)
    ]
    for parameters in node.findall(addnodes.desc_parameterlist):
        words = [child.astext() for child in parameters.children]
        parts.append(f"({', '.join(words)})")
    for returned in node.findall(addnodes.desc_returns):
        parts.append(f" -> {returned.astext().removeprefix(' -> ')}")
    return "".join(parts)


def _raw(node: nodes.raw) -> str:
    """An output in HTML: the words of a picture, or its text."""
    if "output" not in node["classes"]:  # dialogs, and what copy buttons take
        return ""
    text = node.astext()
    if label := _LABEL.search(text):
        return f"*Picture: {unescape(label[1])}*"
    plain = unescape(_TAG.sub("", text)).strip("\n")
    return _fenced(plain, "text") if plain.strip() else ""


def _indented(mark: str, text: str) -> str:
    return "\n".join(f"{mark}{line}".rstrip() for line in text.split("\n"))

"""The pages of the error reference.

`{errors} inputs` shows the entries of `snippets/errors/inputs.py`: the message with
its changing parts marked, what it means, code that raises it, code that works, and what
each version says. `{error-index}` lists all of them, and `{keras-tried}` names the
versions. Nothing on these pages is typed.
"""

import hashlib
import itertools
import re
import textwrap
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from conf import state
from conf.pages.columns import differing
from conf.pages.recipes import Package
from conf.proofs.verdict import lanes
from conf.reference import errors
from conf.reference.errors import Entry, Seen

logger = logging.getLogger(__name__)
FOLDER = "reference/errors"
TF_KERAS = "tf_keras"
GUARD = "# Guard: "
# What the index shows of a message in other words.
_LONGEST = 100
_THREADS = 2  # the best come first
# Names, numbers, shapes and objects: what differs from reader to reader.
_CHANGES = re.compile(
    r"<(?!entry)[^<>\n]*>"
    r"|[(\[](?:None|[\d\s,.?*+e-])*\d(?:None|[\d\s,.?*+e-])*[)\]]"
    r"|(?<![\w'])'[^'\n]*'(?!\w)"
    r"|(?<!\w)\"[^\"\n]*\"(?!\w)"
    r"|(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)"
)

# The end of an automatic name, and the name of Keras as the package `tf_keras`.
_MADE_UP = re.compile(r"_\d+\b|\bTF-(?=Keras\b)")


class _Site:
    """The entries and what was seen of them, as one build knows them."""

    def __init__(self, env: BuildEnvironment) -> None:
        package = Package(Path(env.config.recipes_package))
        self.groups = errors.read(package)
        seen = errors.everything_seen(package, lanes(package.folder.parent))
        self.seen = dict(
            sorted(seen.items(), key=lambda item: errors.keras_of(item[1]))
        )
        self.entries = {
            n: e for group in self.groups.values() for n, e in group.items()
        }
        parts = [repr(self.groups), repr(self.seen)]
        self.digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def said(self, entry: Entry) -> dict[str, list[Seen]]:
        """The texts of an entry, the one of the heading first, with their lanes.

        A text that differs in changing parts alone is the same.
        """
        found: dict[str, tuple[str, list[Seen]]] = {}
        for lane in reversed(self.seen.values()):
            if row := lane.row(entry):
                key = " ".join(_MADE_UP.sub("", _CHANGES.sub("", row.said)).split())
                found.setdefault(key, (row.said, []))[1].append(lane)
        own = "AssertionError: " if entry.group == errors.SILENT else entry.heading
        texts = sorted(found.values(), key=lambda pair: own not in pair[0])
        return dict(texts)

    def versions(self, lanes: Iterable[Seen]) -> str:
        """`Keras 3` for all that were tried of it, else each: `Keras 3.4, 3.6`."""
        left = {version_of(lane) for lane in lanes}
        parts = []
        for number, every in self.generations().items():
            some = [version for version in every if version in left]
            if some:
                parts.append(f"{number}" if some == every else ", ".join(some))
        return f"Keras {' and '.join(parts)}" if parts else ""

    def generations(self) -> dict[str, list[str]]:
        """The versions that were tried of Keras 2 and of Keras 3."""
        found: dict[str, list[str]] = {}
        for lane in self.seen.values():
            number = str(errors.keras_of(lane).major)
            found.setdefault(number, []).append(version_of(lane))
        return found


def version_of(lane: Seen) -> str:
    """`3.15`, or `tf_keras 2.21` where Keras 2 is that package."""
    version = ".".join(lane.environment["tf.keras"].split(".")[:2])
    is_package = "tf-keras" in lane.environment and "keras" not in lane.environment
    return f"`{TF_KERAS}` {version}" if is_package else version


class Errors(SphinxDirective):
    """The entries of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        site = _site(self.env)
        group: str = self.arguments[0]
        if group not in site.groups:
            raise self.error(f"there is no group `{group}` of errors")
        for words in errors.faults(site.groups[group], site.seen):
            logger.warning(words, location=self.get_location())
        return [self._entry(site, entry) for entry in site.groups[group].values()]

    def _entry(self, site: _Site, entry: Entry) -> nodes.section:
        is_silent = entry.group == errors.SILENT
        title = nodes.title("", "", *self._title(entry, is_silent=is_silent))
        section = nodes.section("", title, ids=[entry.name], names=[entry.name])
        section["classes"] = ["error"]
        self.state.document.note_explicit_target(section, section)
        texts = site.said(entry)
        first, *others = [text for text in texts if text] or [entry.heading]
        if not is_silent:
            section += message(first, entry.heading)
        old, new = entry.repro.text, entry.fix.text
        replaced, changed = differing(*map(_unguarded, (old, new)))
        section += self._words(entry.repro.about)
        section += _listing("raises", old, replaced if is_silent else [])
        section += self._words(f"**Fix.** {entry.fix.about}")
        section += _listing("works", _lines(new, changed) if is_silent else new, [])
        section += self._words(_versions(site, entry, texts, first))
        for text in [] if is_silent else others:
            section += self._words(f"On {site.versions(texts[text])}:")
            section += message(text, entry.heading)
        if links := _links(entry, self.env.docname):
            section += self._words(links)
        return section

    def _title(self, entry: Entry, *, is_silent: bool) -> list[nodes.Node]:
        if not is_silent:
            return [nodes.literal("", entry.heading)]
        return list(self._words(entry.heading)[0].children)

    def _words(self, text: str) -> list[nodes.Node]:
        return self.parse_text_to_nodes(text)


class ErrorIndex(SphinxDirective):
    """One line for each entry, by group, in the order of the table of contents."""

    def run(self) -> list[nodes.Node]:
        site = _site(self.env)
        lines = []
        for group in sorted(site.groups, key=self._place):
            if group == errors.SILENT:
                continue
            entries = site.groups[group]
            page = Path(self.env.doc2path(f"{FOLDER}/{group}"))
            title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ")
            lines += ["", f"## [{title}]({group}.md)", ""]
            for entry in entries.values():
                place = f"{group}.md#{entry.name}"
                said = {text: lanes for text, lanes in site.said(entry).items() if text}
                own = next((t for t in said if entry.heading in t), entry.heading)
                is_old = errors.newest(site.seen) not in said.get(
                    own, site.seen.values()
                )
                old = f"{site.versions(said[own])}: " if is_old else ""
                lines.append(f"- {old}[{_code(_short(own, entry.heading))}]({place})")
                others = [
                    f"  - {site.versions(lanes)}: {_code(_short(text))}"
                    for text, lanes in said.items()
                    if entry.heading not in text
                ]
                lines += dict.fromkeys(others)
        made = self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)
        for node in made:
            for inner in node.findall(nodes.bullet_list):
                if isinstance(inner.parent, nodes.list_item):
                    inner["classes"].append("no-search")  # it finds the entries
        return made

    def _place(self, group: str) -> int:
        trees = self.state.document.findall(addnodes.toctree)
        names = [name for tree in trees for _, name in tree["entries"]]
        docname = f"{FOLDER}/{group}"
        return names.index(docname) if docname in names else len(names)


class KerasTried(SphinxDirective):
    """The versions that "Keras 2" and "Keras 3" stand for, in one sentence."""

    def run(self) -> list[nodes.Node]:
        tried = [
            f"Keras {number} means {_listed(versions)}"
            for number, versions in _site(self.env).generations().items()
        ]
        return self.parse_text_to_nodes(f"{', and '.join(tried)}: these were tried.")


def _site(env: BuildEnvironment) -> _Site:
    site = _Site(env)
    state.of(env).errors[env.docname] = site.digest
    return site


def message(text: str, heading: str) -> nodes.literal_block:
    """A message with its changing parts marked; those of the heading stay plain."""
    # Sphinx highlights a block as code if its source is its text.
    block = nodes.literal_block("message", "", classes=["message"])
    start = text.find(heading)
    at = 0
    for found in _CHANGES.finditer(text):
        is_fixed = start >= 0 and start <= found.start() < start + len(heading)
        if is_fixed and found[0].startswith(("'", '"')):
            continue
        block += nodes.Text(text[at : found.start()])
        block += nodes.inline("", found[0], classes=["changes"])
        at = found.end()
    block += nodes.Text(text[at:])
    return block


def _listing(kind: str, code: str, marked: list[int]) -> nodes.literal_block:
    block = nodes.literal_block(code, code, language="python", classes=[kind])
    if marked:
        block["highlight_args"] = {"hl_lines": marked}
    return block


def _unguarded(text: str) -> str:
    """The code without the comment that explains the guard."""
    lines = text.split("\n")
    return "\n".join("" if line.startswith(GUARD) else line for line in lines)


def _lines(text: str, numbers: list[int]) -> str:
    """Some lines of a text, with three dots between those that are apart."""
    lines = text.split("\n")
    parts: list[str] = []
    for before, number in itertools.pairwise([0, *numbers]):
        if parts and any(lines[before : number - 1]):
            parts.append("...")
        parts.append(lines[number - 1])
    return textwrap.dedent("\n".join(parts)) if parts else text


def _short(text: str, heading: str = "") -> str:
    """The line of a message that holds the heading, cut behind a word."""
    first, *others = text.split("\n")
    behind_class = first.partition(": ")[2]
    lines = [behind_class if heading in behind_class else first, *others]
    line = next(line for line in lines if heading in line)
    line = re.sub(r"^\{\{function_node .*?\}\} ", "", line)
    least = line.index(heading) + len(heading)
    if len(line) <= max(_LONGEST, least):
        return line
    if least >= _LONGEST:
        return f"{line[:least]} …"
    return line[:_LONGEST].rpartition(" ")[0] + " …"


def _versions(
    site: _Site, entry: Entry, texts: Mapping[str, list[Seen]], first: str
) -> str:
    """Which Keras says what, in one line of sentences."""
    is_silent = entry.group == errors.SILENT
    others = [
        lane
        for text, found in texts.items()
        if text and text != first
        for lane in found
    ]
    not_meant = [
        lane for lane in site.seen.values() if not entry.is_meant_for(lane.environment)
    ]
    rows = {lane.lane: lane.row(entry) for lane in site.seen.values()}
    works = [
        lane for lane in site.seen.values() if (row := rows[lane.lane]) and not row.fix
    ]
    fails = [
        lane for lane in site.seen.values() if (row := rows[lane.lane]) and row.fix
    ]
    told = [
        ("Happens on" if is_silent else "This message", texts.get(first, [])),
        ("An error instead" if is_silent else "Other words (below)", others),
        ("Does not happen on" if is_silent else "No message", texts.get("", [])),
        ("Not tried", not_meant),
        ("The fix works on", works if fails else []),
    ]
    words = [f"**{what}:** {site.versions(where)}" for what, where in told if where]
    is_plain = is_silent and len(texts.get(first, [])) == len(site.seen) and not fails
    return "" if is_plain else ". ".join(words) + "."


def _listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _links(entry: Entry, docname: str) -> str:
    up = "../" * docname.count("/")
    parts = []
    if entry.guide:
        place = "guide" if entry.guide.startswith("guides/") else "reference"
        topic = Path(entry.guide.partition("#")[0]).stem.replace("_", " ")
        parts.append(f"[In the {place}: {topic}]({up}{entry.guide})")
    for thread in entry.threads[:_THREADS]:
        repository, _, number = thread.partition("#")
        address = f"https://github.com/{repository}/issues/{number}"
        parts.append(f"[{thread}]({address})")
    return "More: " + " · ".join(parts) if parts else ""


def _code(text: str) -> str:
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Pages made from other entries, or from other messages."""
    known = state.of(env).errors
    now = _Site(env).digest if known else ""
    return [docname for docname, then in known.items() if then != now]


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    there = state.of(other).errors.items()
    state.of(env).errors.update({n: value for n, value in there if n in docnames})


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state.of(env).errors.pop(docname, None)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("errors", Errors)
    app.add_directive("error-index", ErrorIndex)
    app.add_directive("keras-tried", KerasTried)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-merge-info", _merge)
    app.connect("env-purge-doc", _purge)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

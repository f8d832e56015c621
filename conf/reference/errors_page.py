"""The pages of the error reference.

`{errors} inputs` shows the entries of `snippets/errors/inputs.py`: the message with
its changing parts marked, what it means, code that raises it, code that works, and what
each version says. `{error-index}` lists all of them. Nothing on these pages is typed.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from packaging.version import Version
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from conf import state
from conf.pages.recipes import Package
from conf.proofs.verdict import lanes
from conf.reference import errors
from conf.reference.errors import Code, Entry, Seen

logger = logging.getLogger(__name__)
FOLDER = "reference/errors"
_SAID = ("this message", "other words, below")
# Names, numbers, shapes and objects: what differs from reader to reader.
_CHANGES = re.compile(
    r"<(?!entry)[^<>\n]*>"
    r"|[(\[](?:None|[\d\s,.?*+e-])*\d(?:None|[\d\s,.?*+e-])*[)\]]"
    r"|(?<![\w'])'[^'\n]*'(?!\w)"
    r"|(?<!\w)\"[^\"\n]*\"(?!\w)"
    r"|(?<![\w.])-?\d+(?:\.\d+)?(?![\w.]*\w)"
)


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

    def said(self, entry: Entry) -> dict[str, list[str]]:
        """The texts of an entry, the one of the heading first, with their versions.

        A text that differs in changing parts alone is the same.
        """
        found: dict[str, tuple[str, list[str]]] = {}
        for lane in reversed(self.seen.values()):
            if row := lane.row(entry):
                key = _CHANGES.sub("", row.said)
                found.setdefault(key, (row.said, []))[1].append(version_of(lane))
        own = "AssertionError: " if entry.group == errors.SILENT else entry.heading
        texts = sorted(found.values(), key=lambda pair: own not in pair[0])
        return dict(texts)


def version_of(lane: Seen) -> str:
    """`3.15`, or `2.21` for Keras 2 on TensorFlow 2.21."""
    return ".".join(lane.environment["tf.keras"].split(".")[:2])


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
        section += self._words(entry.repro.about)
        section += _listing("raises", entry.repro)
        section += self._words(f"**Fix.** {entry.fix.about}")
        section += _listing("works", entry.fix)
        section += self._words(_versions(site, entry, texts, first))
        for text in [] if is_silent else others:
            section += self._words(f"On Keras {_all(texts[text])}:")
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
    """One line for each entry, by group."""

    def run(self) -> list[nodes.Node]:
        site = _site(self.env)
        lines = []
        for group, entries in site.groups.items():
            if group == errors.SILENT:
                continue
            lines += ["", f"## {{doc}}`/{FOLDER}/{group}`", ""]
            lines += [
                f"- [{_code(entry.heading)}]({group}.md#{entry.name})"
                for entry in entries.values()
            ]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


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


def _listing(kind: str, code: Code) -> nodes.literal_block:
    return nodes.literal_block(code.text, code.text, language="python", classes=[kind])


def _versions(
    site: _Site, entry: Entry, texts: Mapping[str, list[str]], first: str
) -> str:
    """Which Keras says what, in one line."""
    is_silent = entry.group == errors.SILENT
    words = ("the guard fails", "an error") if is_silent else _SAID
    parts = [f"**Keras** {_all(texts.get(first, []))}: {words[0]}"]
    others = [
        v for text, found in texts.items() if text and text != first for v in found
    ]
    parts += [f"{_all(others)}: {words[1]}"] * bool(others)
    nothing = "all is right" if is_silent else "no message"
    parts += [f"{_all(texts.get('', []))}: {nothing}"] * bool(texts.get(""))
    not_meant = [
        version_of(lane)
        for lane in site.seen.values()
        if not entry.is_meant_for(lane.environment)
    ]
    parts += [f"{_all(not_meant)}: not run"] * bool(not_meant)
    no_fix = [
        version_of(lane)
        for lane in site.seen.values()
        if (row := lane.row(entry)) and row.fix
    ]
    parts += [f"the fix needs another Keras than {_all(no_fix)}"] * bool(no_fix)
    return " · ".join(parts)


def _all(versions: list[str]) -> str:
    return ", ".join(sorted(versions, key=Version))


def _links(entry: Entry, docname: str) -> str:
    up = "../" * docname.count("/")
    parts = []
    if entry.guide:
        place = "guide" if entry.guide.startswith("guides/") else "reference"
        parts.append(f"[In the {place}]({up}{entry.guide})")
    for thread in entry.threads:
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
    app.connect("env-get-outdated", _outdated)
    app.connect("env-merge-info", _merge)
    app.connect("env-purge-doc", _purge)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What a reader sees of a proof or a measurement.

After a proved sentence stands a small ✓, after a measured one ≈: it opens the source,
what was seen of it and where, and is a link to the page of proofs where there is no
JavaScript. A mark that is not earned is a warning with its place, and is not shown.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.transforms import Transform
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from conf import state
from conf.pages.recipes import Package
from conf.proofs import opened
from conf.proofs.proving import Proving, digest, full_name
from conf.proofs.source import ProofSource
from conf.proofs.verdict import HOLDS, IS_FALSE
from conf.reference import errors, listings
from conf.store import Store

logger = logging.getLogger(__name__)


class ProofMark(nodes.Inline, nodes.Element):
    """The mark after a sentence.

    `proofs` holds the identifiers, `sign` what shows, `target` what it opens.
    """


class Versions(SphinxDirective):
    """Every proved sentence and the environments on which it was seen true or false."""

    def run(self) -> list[nodes.Node]:
        proving = of_site(self.env)
        state.of(self.env).tables[self.env.docname] = _tables_digest(self.env)
        lines = []
        for docname, page in sorted(state.of(self.env).pages.items(), key=_in_order):
            if page.cites:
                title = _title_of(self.env, docname)
                cited = [name for name, _ in page.cites]
                lines += ["", f"## {title}", "", *_table(proving, docname, cited)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def _in_order(page: tuple[str, object]) -> tuple[int, str]:
    """Guides first, then what one looks up."""
    docname, _ = page
    folders = ("guides", "reference")
    folder = docname.partition("/")[0]
    return folders.index(folder) if folder in folders else len(folders), docname


def _title_of(env: BuildEnvironment, docname: str) -> str:
    """A page's first heading without marks; the page may not have been read yet."""
    text = env.doc2path(docname).read_text("utf-8")
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return re.sub(r" *\{(proof|measured)\}`[^`]*`", "", found[1]) if found else docname


class Figures(SphinxDirective):
    """The figures of the home page: counted, never typed."""

    def run(self) -> list[nodes.Node]:
        proving = of_site(self.env)
        state.of(self.env).tables[self.env.docname] = _tables_digest(self.env)
        package = proving.package
        modules = package.recipe_modules
        recipes = sum(not name.startswith("_") for m in modules for name in m.objects)
        found = [listings.tests_of(package, module) for module in modules]
        tests = sum(len(file.tests) for file in {f.path: f for f in found}.values())
        cited = {
            (page, line, name in proving.measurements)
            for page, then in state.of(self.env).pages.items()
            for name, line in then.cites
        }
        proved = sum(not is_measured for *_, is_measured in cited)
        groups = errors.read(package)
        silent = len(groups.pop(errors.SILENT, {}))
        counted = [
            f"**{proved}** sentences proved, by {len(proving.proofs)} tests",
            f"**{len(proving.results)}** versions of TensorFlow and Keras that they "
            "were run on",
            f"**{len(cited) - proved}** sentences that rest on "
            f"{len(proving.measurements)} recorded measurements",
            f"**{recipes}** recipes to import, with {tests} unit tests",
        ]
        if count := sum(map(len, groups.values())):
            counted.append(
                f"**{count}** error messages and {silent} mistakes without one, each "
                "with code that works"
            )
        lines = "".join(f"- {line}\n" for line in counted)
        box = nodes.container(classes=["figures"])
        box += self.parse_text_to_nodes(lines)
        return [box]


def _tables_digest(env: BuildEnvironment) -> str:
    """All that the tables and figures are made of."""
    package = Package(Path(env.config.recipes_package))
    cites = {}
    for name, page in sorted(state.of(env).pages.items()):
        # Which marks stand together counts; on which line does not.
        lines = sorted({line for _, line in page.cites})
        cites[name] = [(proof, lines.index(line)) for proof, line in page.cites]
    parts = [listings.digest(package), digest(package.folder.parent), repr(cites)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Pages with tables or figures that were made from something else."""
    tables = state.of(env).tables
    now = _tables_digest(env) if tables else ""
    return [docname for docname, then in tables.items() if then != now]


def _clean_titles(app: Sphinx, doctree: nodes.document) -> None:
    """Menus and the browser's tab show a page's title, in which no button can stand."""
    docname = app.env.docname
    for title in (app.env.titles[docname], app.env.longtitles[docname]):
        for mark in list(title.findall(ProofMark)):
            mark.parent.remove(mark)
        for text in list(title.findall(nodes.Text)):
            words = text.astext().replace(_JOINER, "")
            text.parent.replace(text, nodes.Text(words))


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    there = state.of(other).unchecked & docnames
    state.of(env).unchecked = (state.of(env).unchecked - docnames) | there
    read_there = state.of(other).tables.items()
    state.of(env).tables.update({n: v for n, v in read_there if n in docnames})
    opened_there = state.of(other).opened.items()
    state.of(env).opened.update({n: v for n, v in opened_there if n in docnames})


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state.of(env).tables.pop(docname, None)
    state.of(env).opened.pop(docname, None)
    state.of(env).unchecked.discard(docname)


def _table(proving: Proving, docname: str, identifiers: list[str]) -> list[str]:
    """What differs between versions; what one Keras alone has is counted."""
    sentences: dict[str, list[ProofSource]] = {}
    for identifier in dict.fromkeys(identifiers):
        # Others are measurements, or marks that have a warning of their own.
        if proof := proving.proofs.get(identifier):
            sentences.setdefault(proof.quote, []).append(proof)
    changed: list[str] = []
    others: list[str] = []
    alone: Counter[str] = Counter()
    always = 0
    for quote, proofs in sentences.items():
        seen = [opened.seen_on(proof, proving) for proof in proofs]
        verdicts = {verdict for one in seen for verdict in one.values()}
        spans = [list(_spans(one, proving)) for one in seen]
        first = spans[0]
        is_of_one = all(one == first for one in spans) and len(first) == 1
        if verdicts == {HOLDS}:
            always += 1
        elif is_of_one and "with" not in first[0] and HOLDS in verdicts:
            alone[first[0].partition(" ")[2]] += 1
        else:
            shown = quote.replace(" | ", " · ").replace("|", "\\|")
            row = f"| {shown} | {_cell(proofs, spans)} |"
            (changed if IS_FALSE in verdicts else others).append(row)
    count = always + alone.total() + len(changed) + len(others)
    spoken = "".join(f", {n} about {name} alone" for name, n in sorted(alone.items()))
    rows = [f"| **{len(changed)} changed between versions** | |", *changed]
    if others:
        rows += [f"| **{len(others)} have a meaning on some versions alone** | |"]
    return [
        f"[The page](/{docname}.md) has {count} proved sentences: {always} true on "
        f"every version{spoken}.",
        "",
        "| Sentence | Seen |",
        "| --- | --- |",
        *(rows if changed else rows[1:]),
        *others,
    ][: None if changed or others else 2]


def _cell(proofs: list[ProofSource], spans: list[list[str]]) -> str:
    """What was seen of a sentence; if it has several proofs, of each by its name."""
    lines = []
    for proof, seen in zip(proofs, spans, strict=True):
        name = proof.name.replace("_", " ")
        lines += [f"*{name}*", *seen] if len(proofs) > 1 else seen
    return " <br>".join(lines)


def _spans(seen: Mapping[str, str], proving: Proving) -> Iterator[str]:
    """`✗ Keras 2` and `✓ Keras 3 from 2.18`; where it has no meaning, nothing."""
    of_keras: dict[str, list[str]] = {}
    for lane in seen:
        of_keras.setdefault(opened.keras_of(lane, proving), []).append(lane)
    for verdict in dict.fromkeys(seen.values()):
        if verdict == opened.NO_MEANING:
            continue
        for keras, lanes in of_keras.items():
            for same, group in groupby(lanes, key=lambda lane: seen[lane] == verdict):
                run = [opened.number_of(lane) for lane in group]
                ends = "\xa0to\xa0".join(dict.fromkeys((run[0], run[-1])))
                if same:
                    where = keras + (
                        f" with\xa0{ends}" if len(run) < len(lanes) else ""
                    )
                    yield f"{opened.sign(verdict)} {where}".replace(
                        "Keras ", "Keras\xa0"
                    )


class MarkRole(SphinxRole):
    """`` {proof}`name` ``: the sentence before is proved by this test.

    Args:
        sign: what readers see.
        label: what the button is called.
    """

    def __init__(self, sign: str, label: str) -> None:
        super().__init__()
        self.sign, self.label = sign, label

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        names = [full_name(self.env.docname, name) for name in self.text.split()]
        mark = ProofMark("", proofs=names, sign=self.sign, label=self.label)
        self.set_source_info(mark)
        return ([mark] if names else []), []


class Entries(Transform):
    """Lead the marks to what they open, on a page of its own."""

    default_priority = 810

    def apply(self, **_: Any) -> None:
        env: BuildEnvironment = self.document.settings.env
        found = self._earned(env, list(self.document.findall(ProofMark)))
        if not found:
            return
        for mark in found:
            _join(mark)
        proving = of_site(env)
        entries: dict[str, str] = {}
        for mark in found:
            names = mark["proofs"]
            if set(names) <= set(proving.quotes):
                mark["target"] = opened.address(env.docname, names)
                entry = opened.entry(env, names, mark["label"], proving)
                entries[mark["target"]] = entry
        state.of(env).opened[env.docname] = "".join(entries.values())

    @staticmethod
    def _earned(env: BuildEnvironment, found: list[ProofMark]) -> list[ProofMark]:
        """Take out the marks that are not earned, and warn of those nobody checked.

        A mark can stand where the text is not read, in a title or behind another
        spelling of the role: the page then shows other marks than the judged ones.
        """
        known = state.of(env)
        page = known.pages.get(env.docname)
        cited = Counter(name for name, _ in page.cites) if page else Counter()
        shown = Counter(name for mark in found for name in mark["proofs"])
        known.unchecked.discard(env.docname)
        for name in sorted(set(cited | shown)):
            if shown[name] != cited[name]:
                is_missing = shown[name] < cited[name]
                word = "is not shown" if is_missing else "stands where none is checked"
                place = [mark for mark in found if name in mark["proofs"]]
                message = f"a mark of `{name}` {word}"
                logger.warning(message, location=place[0] if place else env.docname)
                known.unchecked.add(env.docname)
        earned = []
        for mark in found:
            names = set(mark["proofs"])
            if names & known.unearned or any(shown[n] > cited[n] for n in names):
                mark.parent.remove(mark)
            else:
                earned.append(mark)
        return earned


_JOINER = "\N{WORD JOINER}"


def _join(mark: ProofMark) -> None:
    """Keep a mark on the line of its sentence."""
    parent = mark.parent
    # By identity: texts that are equal, such as line breaks, are equal for `index`.
    at = next(place for place, node in enumerate(parent.children) if node is mark)
    while at and isinstance(parent[at - 1], nodes.Text):
        words = parent[at - 1].astext().rstrip()
        if words:
            parent[at - 1] = nodes.Text(words)
            break
        at -= 1
        del parent[at]
    parent.insert(at, nodes.Text(_JOINER))


def of_site(env: BuildEnvironment) -> Proving:
    """The proofs of the site that is being built, read once for all its pages."""
    known = state.of(env)
    if known.proving is None:
        package = Package(Path(env.config.recipes_package))
        store = Store(Path(env.config.page_store))
        known.proving = Proving(package.folder.parent, package, store)
    return known.proving


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The pages of proofs, those that are not written yet."""
    menu = listings.menu(app)
    for docname, entries in sorted(state.of(app.env).opened.items()):
        title = app.env.titles[docname].astext()
        body = opened.body(docname, title, entries)
        context = {"title": f"Proofs: {title}", "toc": "", "display_toc": False}
        name = opened.place(docname)
        page = listings.unwritten(app, name, context, body, menu)
        if page:
            yield page


def _visit(translator: Any, node: ProofMark) -> None:
    """The sign, except in menus, where no link can stand."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, nodes.reference):
            raise nodes.SkipNode
        parent = parent.parent
    kind = "proof-mark" if node["label"] == "Proof" else "proof-mark measured"
    translator.body.append(
        f'<a class="{kind}" href="{escape(node.get("target", ""))}" '
        f'data-opens="{opened.anchor(node["proofs"])}" aria-haspopup="dialog" '
        f'aria-label="{node["label"]}">{node["sign"]}</a>'
    )


def _depart(translator: Any, node: ProofMark) -> None:
    """Nothing to close."""


def _skip(translator: Any, node: ProofMark) -> None:
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    skip = (_skip, None)
    app.add_node(ProofMark, html=(_visit, _depart), text=skip, latex=skip, man=skip)
    app.add_role("proof", MarkRole("✓", "Proof"))
    app.add_role("measured", MarkRole("≈", "Measurement"))
    app.add_directive("proved-sentences", Versions)
    app.add_directive("figures", Figures)
    app.connect("doctree-read", _clean_titles, priority=900)
    app.connect("env-get-outdated", _outdated)
    app.connect("html-collect-pages", _pages)
    app.connect("env-merge-info", _merge)
    app.connect("env-purge-doc", _purge)
    app.add_transform(Entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

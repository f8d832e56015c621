"""What a reader sees of a proof, and the check that every mark is earned.

After a proved sentence stands a small ✓, a button that opens the proof: its source, the
versions on which it holds, what it was run on. It is HTML alone, without JavaScript. A
mark that is not earned is a warning with its place, and shows no ✓.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.transforms import Transform
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from conf import fingerprints, listings, marks, state
from conf.addresses import Addresses
from conf.pages import Cell, Problem
from conf.proofs import FOLDER, ProofSource, read
from conf.recipes import Package, RecipeError
from conf.store import Store
from conf.verdicts import Row, Running, Verdicts, here, judge
from tests.proofs.results import Results, expected, lanes, load, made

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fault:
    """Why a proof does not earn its mark; a nameless mark names no proof."""

    proof: str
    problem: Problem


class Proving:
    """The proofs of one build and what is known of them."""

    def __init__(self, root: Path, package: Package, store: Store) -> None:
        self.root, self.package = root, package
        self.problems: list[Problem] = []
        self.digest = _digest(root)
        self.verdicts = Verdicts(root, store)

    # Read when first asked for: a build of nothing needs the digest alone.

    @cached_property
    def proofs(self) -> dict[str, ProofSource]:
        """The proofs by identifier; none if a file cannot be read."""
        try:
            return read(self.root, self.package)
        except RecipeError as error:
            place = error.path or FOLDER
            self.problems.append(Problem(place, error.line or 1, error.message))
            return {}

    @cached_property
    def results(self) -> dict[str, Results]:
        """What was seen on the gating lanes, as far as it can be trusted."""
        found = {}
        try:
            gating = _gating(self.root)
        except ValueError as error:
            table = f"{FOLDER}/environments.toml"
            self.problems.append(Problem(table, 1, str(error)))
            return {}
        for lane, now in gating.items():
            place = f"{FOLDER}/results/{lane}.json"
            try:
                seen = load(self.root / place)
                if seen.made == now:
                    found[lane] = seen
                else:
                    message = "it was made in another environment"
                    self.problems.append(
                        Problem(place, 1, f"{message}: run `nox -s versions`")
                    )
            except FileNotFoundError:
                message = f"there are no results of {lane}: run `nox -s versions`"
                self.problems.append(Problem(place, 1, message))
            except ValueError as error:
                self.problems.append(Problem(place, 1, str(error)))
        return found

    def marked(
        self, text: str, docname: str, cells: Iterable[Cell], extensions: list[str]
    ) -> marks.Marked:
        """The marks of one page."""
        stem = _stem(docname)
        quotes = {identifier: proof.quote for identifier, proof in self.proofs.items()}
        quotes |= {
            identifier.removeprefix(f"{stem}."): quote
            for identifier, quote in list(quotes.items())
            if identifier.startswith(f"{stem}.")
        }
        return marks.find(text, cells, extensions, quotes)

    def check(self, path: str, docname: str, found: marks.Marked) -> Iterator[Fault]:
        """Whether each mark names a proof that quotes its sentence."""
        for mark in found.marks:
            if not mark.names:
                yield Fault("", Problem(path, mark.line, "a mark names no proof"))
            for name in mark.names:
                identifier = full_name(docname, name)
                proof = self.proofs.get(identifier)
                if proof is None:
                    message = f"there is no proof `{identifier}`"
                    yield Fault(identifier, Problem(path, mark.line, message))
                elif mark.start_of(proof.quote) is None:
                    message = (
                        f"the page says {marks.plain(mark.sentence)!r}, but the proof "
                        f"`{name}` quotes {marks.plain(proof.quote)!r}"
                    )
                    yield Fault(identifier, Problem(path, mark.line, message))

    def start(self) -> Running | None:
        """Run the proofs that have no verdict here, beside the pages."""
        return self.verdicts.start(self.proofs.values())

    def judged(self, cited: dict[str, list[tuple[str, int]]]) -> Iterator[Fault]:
        """Whether each proof earns its marks, cited by `(page, line)`.

        After this, `problems` is complete.
        """
        judged_on = set(self.results)
        for identifier, proof in self.proofs.items():
            places = cited.get(identifier, [])
            if not places:
                message = f"the proof `{identifier}` is cited on no page"
                yield Fault(identifier, Problem(proof.path, proof.line, message))
                continue
            for page, line in places[1:]:
                first = f"{places[0][0]}:{places[0][1]}"
                message = f"the proof `{identifier}` is already cited at {first}"
                yield Fault(identifier, Problem(page, line, message))
            for message in self._faults(proof, judged_on):
                yield Fault(identifier, Problem(*places[0], message))

    def _faults(self, proof: ProofSource, judged_on: set[str]) -> Iterator[str]:
        verdict = self.verdicts.get(proof)
        if verdict is None:
            yield f"the proof `{proof.id}` has not been run"
            return
        stale = sorted(judged_on - set(self.rows(proof)))
        if stale:
            where = ", ".join(stale)
            yield f"no fresh row of `{proof.id}` on {where}: run `nox -s versions`"
        yield from judge(proof, verdict, expected(proof, here()), self.rows(proof))

    def rows(self, proof: ProofSource) -> dict[str, Row]:
        """What the gating environments say about one proof, as far as it is fresh."""
        return {
            lane: Row(lane, expected(proof, seen.environment), row.holds, row.falsified)
            for lane, seen in self.results.items()
            if (row := seen.verdicts.get(proof.id)) and row.proof == proof.hash
        }

    def shown(self, identifiers: Iterable[str]) -> str:
        """A hash of what readers are shown of these proofs."""
        parts = [self.verdicts.base] + [
            repr((self.proofs[name], self.rows(self.proofs[name])))
            for name in identifiers
            if name in self.proofs
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def full_name(docname: str, name: str) -> str:
    """`shape_is_one_example` on the page `guides/input_layers` names a proof there."""
    return name if "." in name else f"{_stem(docname)}.{name}"


def _stem(docname: str) -> str:
    return docname.rpartition("/")[2]


def _gating(root: Path) -> dict[str, str]:
    """The lanes whose results can fail a build, and how they are made now."""
    table = root / FOLDER / "environments.toml"
    if not table.exists():
        return {}
    return {name: made(lane) for name, lane in lanes(table).items() if lane.gates}


def _digest(root: Path) -> str:
    digest = hashlib.sha256(fingerprints.environment().encode())
    for path in sorted((root / FOLDER).rglob("*")):
        if path.suffix in {".py", ".json", ".toml"}:
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


class ProofMark(nodes.Inline, nodes.Element):
    """The mark after a proved sentence; `proofs` holds the identifiers."""


class Versions(SphinxDirective):
    """Every proved sentence and the environments on which it was seen true or false."""

    def run(self) -> list[nodes.Node]:
        proving = of_site(self.env)
        state.of(self.env).tables[self.env.docname] = _tables_digest(self.env)
        lines = []
        for docname, page in sorted(state.of(self.env).pages.items()):
            if not page.cites:
                continue
            title = f"{{doc}}`/{docname}`"
            lines += [
                "",
                f"## {title}",
                "",
                *_table(proving, [p for p, _ in page.cites]),
            ]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


class Figures(SphinxDirective):
    """The figures of the home page: counted, never typed."""

    def run(self) -> list[nodes.Node]:
        proving = of_site(self.env)
        state.of(self.env).tables[self.env.docname] = _tables_digest(self.env)
        package = Package(Path(self.config.recipes_package))
        modules = package.recipe_modules
        recipes = sum(not name.startswith("_") for m in modules for name in m.objects)
        tests = sum(len(listings.tests_of(package, m.name).tests) for m in modules)
        pages = state.of(self.env).pages.values()
        marks_shown = len(
            {(id(page), line) for page in pages for _, line in page.cites}
        )
        text = (
            f"**{marks_shown} sentences** of this site are proved, by "
            f"{len(proving.proofs)} tests that were run on "
            f"**{len(proving.results)} versions** of TensorFlow and Keras. "
            f"Its **{recipes} recipes** have {tests} unit tests."
        )
        return self.parse_text_to_nodes(text)


def _tables_digest(env: BuildEnvironment) -> str:
    """All that the tables and figures are made of."""
    package = Package(Path(env.config.recipes_package))
    cites = {name: page.cites for name, page in sorted(state.of(env).pages.items())}
    parts = [listings.digest(package), _digest(package.folder.parent), repr(cites)]
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


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state.of(env).tables.pop(docname, None)
    state.of(env).unchecked.discard(docname)


def _table(proving: Proving, identifiers: list[str]) -> list[str]:
    lanes = list(proving.results)
    heads = [lane.removeprefix("tensorflow-") for lane in lanes]
    lines = [
        "| Sentence | " + " | ".join(heads) + " |",
        "| --- |" + " :-: |" * len(lanes),
    ]
    for identifier in dict.fromkeys(identifiers):
        proof = proving.proofs.get(identifier)
        if proof is None:  # its mark has a warning of its own
            continue
        rows = proving.rows(proof)
        seen = [
            {True: "✓", False: "✗"}[rows[lane].seen] if lane in rows else "?"
            for lane in lanes
        ]
        quote = proof.quote.replace("|", "\\|")
        lines.append(f"| {quote} | " + " | ".join(seen) + " |")
    return lines


class ProofRole(SphinxRole):
    """`` {proof}`name` ``: the sentence before is proved by this test."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        names = [full_name(self.env.docname, name) for name in self.text.split()]
        mark = ProofMark("", proofs=names)
        self.set_source_info(mark)
        return ([mark] if names else []), []


class Entries(Transform):
    """Put what the marks open at the end of the page."""

    default_priority = 810

    def apply(self, **_: Any) -> None:
        env: BuildEnvironment = self.document.settings.env
        found = self._earned(env, list(self.document.findall(ProofMark)))
        if not found:
            return
        for mark in found:
            _join(mark)
        proving = of_site(env)
        entries = "".join(
            _entry(env, mark["proofs"], proving)
            for mark in found
            if set(mark["proofs"]) <= set(proving.proofs)
        )
        self.document.append(nodes.raw("", entries, format="html"))

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
    package = Package(Path(env.config.recipes_package))
    version = package.digest + _digest(package.folder.parent)
    return _read_once(str(package.folder), str(env.config.page_store), version)


@lru_cache(maxsize=1)
def _read_once(package: str, store: str, version: str) -> Proving:
    return Proving(Path(package).parent, Package(Path(package)), Store(Path(store)))


def _entry(env: BuildEnvironment, names: list[str], proving: Proving) -> str:
    """What one mark opens."""
    parts = "".join(_part(env, proving.proofs[name], proving) for name in names)
    return (
        f'<div class="proof" id="{_anchor(names)}" popover role="dialog" '
        f'aria-label="Proof"><p>{escape(marks.plain(proving.proofs[names[0]].quote))}'
        f"</p>{parts}</div>"
    )


def _part(env: BuildEnvironment, proof: ProofSource, proving: Proving) -> str:
    code = highlight(proof.source, PythonLexer(), HtmlFormatter(nowrap=True))
    rows = proving.rows(proof)
    holds = [name for name, row in rows.items() if row.seen]
    fails = [name for name, row in rows.items() if not row.seen]
    lines = [("Holds on", holds), ("Does not hold on", fails)]
    versions = "".join(
        f"<dt>{title}</dt><dd>{escape(', '.join(names))}</dd>"
        for title, names in lines
        if names
    )
    ran_on = ", ".join(f"{name} {version}" for name, version in here().items())
    name = f"test_{proof.id.partition('.')[2]}"
    target = listings.address(env.docname, proof.path, name)
    addresses: Addresses = env.config.site_addresses
    at_commit = addresses.file(f"{proof.path}#L{proof.line}")
    link = f'<a href="{escape(at_commit or target)}">{escape(proof.path)}</a>'
    return (
        f'<div class="highlight"><pre tabindex="0">{code}</pre></div>'
        f"<dl>{versions}<dt>Run here on</dt><dd>{escape(ran_on)}</dd>"
        f"<dt>Test</dt><dd>{link}</dd></dl>"
    )


def _anchor(names: list[str]) -> str:
    return "proof-" + "-".join(name.replace(".", "-") for name in names)


def _visit(translator: Any, node: ProofMark) -> None:
    """The ✓, except in menus, where a button cannot stand."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, nodes.reference):
            raise nodes.SkipNode
        parent = parent.parent
    translator.body.append(
        f'<button type="button" class="proof-mark" aria-label="Proof" '
        f'popovertarget="{_anchor(node["proofs"])}">✓</button>'
    )


def _depart(translator: Any, node: ProofMark) -> None:
    """Nothing to close."""


def _skip(translator: Any, node: ProofMark) -> None:
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    skip = (_skip, None)
    app.add_node(ProofMark, html=(_visit, _depart), text=skip, latex=skip, man=skip)
    app.add_role("proof", ProofRole())
    app.add_directive("proved-sentences", Versions)
    app.add_directive("figures", Figures)
    app.connect("doctree-read", _clean_titles, priority=900)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-merge-info", _merge)
    app.connect("env-purge-doc", _purge)
    app.add_transform(Entries)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

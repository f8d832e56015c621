"""The proofs and measurements of one build, and whether every mark is earned."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from conf.pages import fingerprint
from conf.pages.read import Cell, Problem
from conf.pages.recipes import Package, RecipeError
from conf.proofs import marks
from conf.proofs.run import Running, Verdicts
from conf.proofs.source import DATA, FOLDER, ProofSource, read
from conf.proofs.verdict import (
    AGAIN,
    Results,
    Row,
    is_meant_for,
    judge,
    lanes,
    load,
    made,
    results_of,
)
from conf.reference import measured
from conf.store import Store

OWED = f"{FOLDER}/owed.txt"


@dataclass(frozen=True)
class Fault:
    """Why a proof does not earn its mark; a nameless mark names no proof."""

    proof: str
    problem: Problem


@dataclass(frozen=True)
class Sources:
    """The proofs and measurements of a site by identifier, as their files say."""

    proofs: Mapping[str, ProofSource]
    measurements: Mapping[str, measured.Measurement]


class Proving:
    """The proofs of one build and what is known of them.

    Args:
        root: the folder that holds `tests`.
        package: the recipes.
        store: where verdicts are kept.
        known: what was read before, if nothing has changed since.
    """

    def __init__(
        self,
        root: Path,
        package: Package,
        store: Store,
        known: Sources | None = None,
    ) -> None:
        self.root, self.package, self.known = root, package, known
        self.problems: list[Problem] = []
        self.digest = digest(root)
        self.verdicts = Verdicts(root, store, lambda: self.results)

    # Read when first asked for: a build of nothing needs the digest alone.

    @cached_property
    def sources(self) -> Sources:
        """All that was read, to be remembered."""
        return self.known or Sources(self.proofs, self.measurements)

    @cached_property
    def proofs(self) -> Mapping[str, ProofSource]:
        """The proofs by identifier; none if a file cannot be read."""
        if self.known:
            return self.known.proofs
        try:
            return read(self.root, self.package)
        except RecipeError as error:
            place = error.path or FOLDER
            self.problems.append(Problem(place, error.line or 1, error.message))
            return {}

    @cached_property
    def measurements(self) -> Mapping[str, measured.Measurement]:
        """The measurements by identifier; none if a file cannot be read."""
        if self.known:
            return self.known.measurements
        try:
            return measured.read(self.root, self.package)
        except RecipeError as error:
            place = error.path or measured.FOLDER
            self.problems.append(Problem(place, error.line or 1, error.message))
            return {}

    @cached_property
    def records(self) -> measured.Records:
        """What was measured, as far as it can be trusted."""
        records = measured.Records(self.root)
        self.problems += records.problems
        return records

    @cached_property
    def results(self) -> dict[str, Results]:
        """What was seen on the gating lanes, as far as it can be trusted."""
        found = {}
        try:
            table = lanes(self.root)
        except ValueError as error:
            place = f"{FOLDER}/environments.toml"
            self.problems.append(Problem(place, 1, str(error)))
            return {}
        for name, lane in table.items():
            if not lane.gates:
                continue
            path = results_of(self.root, name)
            place = path.relative_to(self.root).as_posix()
            try:
                seen = load(path)
            except FileNotFoundError:
                message = f"there are no results of {name}: {AGAIN}"
                self.problems.append(Problem(place, 1, message))
            except ValueError as error:
                self.problems.append(Problem(place, 1, str(error)))
            else:
                if seen.made == made(self.root, lane):
                    found[name] = seen
                else:
                    message = f"it was made in another environment: {AGAIN}"
                    self.problems.append(Problem(place, 1, message))
        return found

    @cached_property
    def quotes(self) -> dict[str, str]:
        """The sentences that proofs and measurements quote, by identifier."""
        proofs = {name: proof.quote for name, proof in self.proofs.items()}
        return proofs | {name: m.quote for name, m in self.measurements.items()}

    def marked(
        self, text: str, docname: str, cells: Iterable[Cell], extensions: list[str]
    ) -> marks.Marked:
        """The marks of one page."""
        prefix = f"{_stem(docname)}."
        own = {
            name.removeprefix(prefix): quote
            for name, quote in self.quotes.items()
            if name.startswith(prefix)
        }
        return marks.find(text, cells, extensions, {**self.quotes, **own})

    def check(self, path: str, docname: str, found: marks.Marked) -> Iterator[Fault]:
        """Whether each mark names a proof that quotes its sentence."""
        for mark in found.marks:
            what, known = self._kind(mark)
            if not mark.names:
                yield Fault("", Problem(path, mark.line, f"a mark names no {what}"))
            for name in mark.names:
                identifier = full_name(docname, name)
                if identifier not in known:
                    message = f"there is no {what} `{identifier}`"
                    yield Fault(identifier, Problem(path, mark.line, message))
                elif mark.start_of(self.quotes[identifier]) is None:
                    quote = marks.plain(self.quotes[identifier])
                    message = (
                        f"the page says {marks.plain(mark.sentence)!r}, but the {what} "
                        f"`{name}` quotes {quote!r}"
                    )
                    yield Fault(identifier, Problem(path, mark.line, message))

    def _kind(self, mark: marks.Mark) -> tuple[str, Mapping[str, object]]:
        if mark.kind == "measured":
            return "measurement", self.measurements
        return "proof", self.proofs

    def start(self) -> Running | None:
        """Run the proofs that have no verdict here, beside the pages."""
        return self.verdicts.start(self.proofs.values())

    def judged(self, cited: dict[str, list[tuple[str, int]]]) -> Iterator[Fault]:
        """Whether each proof earns its marks, cited by `(page, line)`.

        After this, `problems` is complete.
        """
        yield from self._weak()
        everything: dict[str, ProofSource | measured.Measurement] = {
            **self.proofs,
            **self.measurements,
        }
        for identifier, thing in everything.items():
            what = "proof" if identifier in self.proofs else "measurement"
            places = cited.get(identifier, [])
            if not places:
                message = f"the {what} `{identifier}` is cited on no page"
                yield Fault(identifier, Problem(thing.path, thing.line, message))
                continue
            for page, line in places[1:]:
                first = f"{places[0][0]}:{places[0][1]}"
                message = f"the {what} `{identifier}` is already cited at {first}"
                yield Fault(identifier, Problem(page, line, message))
            for message in self._faults(identifier):
                yield Fault(identifier, Problem(*places[0], message))

    def _weak(self) -> Iterator[Fault]:
        """Proofs that are too easy to refute, and names that owe nothing any more.

        What was found when this check was made is owed, and listed a name a line; the
        list only shrinks.
        """
        path = self.root / OWED
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        owed = {name: at for at, name in enumerate(lines, start=1) if name}
        weak = {name: proof for name, proof in self.proofs.items() if proof.weakness}
        for name, proof in weak.items():
            if name not in owed:
                message = f"`{proof.name}` {proof.weakness}"
                yield Fault(name, Problem(proof.path, proof.line, message))
        for name, at in owed.items():
            if name not in weak:
                message = f"`{name}` owes nothing any more: take it out"
                yield Fault(name, Problem(OWED, at, message))

    def _faults(self, identifier: str) -> Iterator[str]:
        if identifier in self.measurements:
            yield from self.records.faults(self.measurements[identifier])
            return
        proof = self.proofs[identifier]
        seen = {
            f"on {lane}": (row, self.results[lane].environment)
            for lane, row in self.rows(proof).items()
        }
        if is_meant_for(proof, self.verdicts.here):
            verdict = self.verdicts.get(proof)
            if verdict is None:
                yield f"the proof `{proof.id}` has not been run"
                return
            seen = {"": (verdict, self.verdicts.here), **seen}
        stale = [
            lane
            for lane, results in self.results.items()
            if is_meant_for(proof, results.environment) and not results.row(proof)
        ]
        if stale:
            where = ", ".join(sorted(stale))
            yield f"no fresh row of `{proof.id}` on {where}: {AGAIN}"
        yield from judge(proof, seen)

    def rows(self, proof: ProofSource) -> dict[str, Row]:
        """What was seen on the gating lanes on which the sentence has a meaning."""
        return {
            lane: row
            for lane, seen in self.results.items()
            if is_meant_for(proof, seen.environment) and (row := seen.row(proof))
        }

    def shown(self, identifiers: Iterable[str]) -> str:
        """A hash of what readers are shown of these proofs and measurements."""
        parts = [self.verdicts.base]
        for name in identifiers:
            if proof := self.proofs.get(name):
                parts.append(repr((proof, self.rows(proof))))
            if measurement := self.measurements.get(name):
                found = self.records.of(name, measurement.hash)
                parts.append(repr((measurement, found)))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def full_name(docname: str, name: str) -> str:
    """`shape_is_one_example` on the page `guides/input_layers` names a proof there."""
    return name if "." in name else f"{_stem(docname)}.{name}"


def _stem(docname: str) -> str:
    return docname.rpartition("/")[2]


def digest(root: Path) -> str:
    """Equal where all that is known of proofs and measurements must be the same."""
    found = hashlib.sha256(fingerprint.environment().encode())
    for folder in (FOLDER, measured.FOLDER, *DATA):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".json", ".toml", ".txt"}:
                found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()

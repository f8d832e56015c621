"""What was seen of each proof, on each lane, and whether it is what the proof declares.

`environments.toml` names the lanes; `results/<lane>.json` holds what was seen on one, a
line for each proof. A proof holds, is false (by its own assertion), or does not run.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

from conf.pages.reach import of_files
from conf.proofs.source import FOLDER, ProofSource, needed

HOLDS, IS_FALSE, DOES_NOT_RUN = "holds", "is false", "does not run"
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tf-nightly")
RUNNERS = ("run.py", "proves.py")
AGAIN = "run `nox -s versions`"


@dataclass(frozen=True)
class Row:
    """What was seen of one proof in one environment.

    Attributes:
        proof: the hash of the proof that was run.
        seen: one of the three verdicts.
        error: why it did not hold, in one line.
        falsified: True if it failed by an assertion under its falsifier, False if it
            held; None if neither was seen.
        falsifier_error: what the falsifier led to, in one line.
        seconds: of the processor, to deal out the work of the next run.
    """

    proof: str
    seen: str
    error: str = ""
    falsified: bool | None = None
    falsifier_error: str = ""
    seconds: float = 0.0

    @property
    def was_seen_failing(self) -> bool:
        """Whether its own assertion has failed, here or under its falsifier."""
        return self.seen == IS_FALSE or self.falsified is True


@dataclass(frozen=True)
class Lane:
    """One environment, as `environments.toml` describes it.

    Attributes:
        name: for example `tensorflow-2.16`; its results are in `<name>.json`.
        python: the version of Python, `3.11`.
        requirements: what is installed, those of every lane included.
        gates: whether what is seen here can fail the run.
        uninstall: packages that are taken away afterwards.
        variables: environment variables that are set for its proofs.
    """

    name: str
    python: str
    requirements: tuple[str, ...]
    gates: bool
    uninstall: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Equal for lanes that are made the same way."""
        made = asdict(self)
        del made["name"], made["gates"]
        return _digest(made)


@dataclass(frozen=True)
class Results:
    """What was seen on one lane.

    Attributes:
        lane: its name.
        made: the digest of the lane, and of how proofs are run, as they were then.
        environment: versions by distribution; that of `tf.keras` under this name.
        frames: by file, the frame that was imported there.
        rows: by proof.
    """

    lane: str
    made: str
    environment: Mapping[str, str]
    frames: Mapping[str, str]
    rows: Mapping[str, Row]

    def row(self, proof: ProofSource) -> Row | None:
        """What was seen of this very proof, or None."""
        row = self.rows.get(proof.id)
        return row if row and row.proof == proof.hash else None

    def stale(self, proofs: Mapping[str, ProofSource]) -> list[str]:
        """The proofs that have to run there, because of what they are now."""
        return [
            name
            for name, proof in proofs.items()
            if is_meant_for(proof, self.environment) and self.row(proof) is None
        ]


def lanes(root: Path) -> dict[str, Lane]:
    """Read the table of environments, by name, in its order; none without a table.

    Raises:
        ValueError: a lane lacks a field or has one that is not known, or this is not
            TOML; the message is one line that says where.
    """
    path = root / FOLDER / "environments.toml"
    if not path.exists():
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error
    common = table.get("requirements", [])
    found: dict[str, Lane] = {}
    for entry in table.get("lane", []):
        name = entry.get("name", "?")
        try:
            own = {
                "requirements": (*entry["requirements"], *common),
                "uninstall": tuple(entry.get("uninstall", ())),
            }
            lane = Lane(**{**entry, **own})
        except KeyError as error:
            raise ValueError(f"{path.name}: lane {name!r} has no {error}") from error
        except TypeError as error:
            raise ValueError(f"{path.name}: lane {name!r}: {error}") from error
        if name in found:
            raise ValueError(f"{path.name}: lane {name!r} stands there twice")
        found[name] = lane
    return found


def results_of(root: Path, lane: str) -> Path:
    """The file that holds what was seen on a lane."""
    return root / FOLDER / "results" / f"{lane}.json"


def load(path: Path) -> Results:
    """Read the results of one lane.

    Raises:
        ValueError: the file was cut short, edited by hand, has the wrong shape or is
            another lane's; the message is one line that says which.
    """

    def fault(words: str) -> ValueError:
        return ValueError(f"{path.name} {words}: {AGAIN}")

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise fault(f"was cut short, or is not JSON ({error})") from error
    if not isinstance(data, dict):
        raise fault("has the wrong shape")
    try:
        checksum = data.pop("checksum")
        rows = {name: Row(**row) for name, row in data["rows"].items()}
        results = Results(**{**data, "rows": rows})
    except KeyError as error:
        raise fault(f"has no {error}") from error
    except (AttributeError, TypeError) as error:
        raise fault(f"has the wrong shape ({error})") from error
    if checksum != _digest(data):
        raise fault("was edited by hand (its checksum differs)")
    if results.lane != path.stem:
        raise fault(f"holds results of {results.lane!r}")
    return results


def save(results: Results, path: Path) -> None:
    """Write the results of one lane, whole or not at all; equal ones as equal bytes."""
    data = asdict(results)
    data["rows"] = {name: _compact(row) for name, row in results.rows.items()}
    rows = sorted(data.pop("rows").items())
    data["rows"] = dict(rows)
    checksum = _digest(data)
    head = [f'"checksum": "{checksum}"']
    head += [
        f'"{name}": {_line(data[name])}' for name in ("environment", "frames", "lane")
    ]
    head.append(f'"made": {_line(data["made"])}')
    lines = ",\n".join(f'"{name}": {_line(row)}' for name, row in rows)
    text = "{\n" + ",\n".join(head) + ',\n"rows": {\n' + lines + "\n}}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def _compact(row: Row) -> dict[str, Any]:
    """A row without what is as always."""
    defaults = {word.name: word.default for word in fields(Row)}
    return {n: v for n, v in asdict(row).items() if v != defaults[n]}


def _line(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def made(root: Path, lane: Lane) -> str:
    """Equal for lanes that are made the same way and run proofs the same way."""
    return _digest([lane.digest, runner(root)])


def runner(root: Path) -> str:
    """One hash of what the code does that runs proofs."""
    return of_files(path for name in RUNNERS if (path := root / FOLDER / name).exists())


def is_meant_for(proof: ProofSource, environment: Mapping[str, str]) -> bool:
    """Whether the proof's sentence has a meaning on these versions."""
    return _is_within(proof.needs, environment["tf.keras"], tensorflow(environment))


@cache
def _is_within(needs: str, keras: str, flow: str) -> bool:
    known = {"keras": keras, "tensorflow": flow}
    ranges = needed(needs).items()
    return all(span.contains(known[name], prereleases=True) for name, span in ranges)


def expected(proof: ProofSource, environment: Mapping[str, str]) -> str:
    """The verdict that a proof declares for these versions.

    Returns:
        `HOLDS`, `IS_FALSE`, or an empty string where its sentence has no meaning.
    """
    if not is_meant_for(proof, environment):
        return ""
    keras, flow = environment["tf.keras"], tensorflow(environment)
    is_inside = _contains(proof.keras, keras) and _contains(proof.tensorflow, flow)
    return HOLDS if is_inside else IS_FALSE


@cache
def _contains(span: str, version: str) -> bool:
    return SpecifierSet(span, prereleases=True).contains(version)


def tensorflow(environment: Mapping[str, str]) -> str:
    """The version of TensorFlow, whatever its distribution is called."""
    return next(environment[name] for name in TENSORFLOWS if name in environment)


def fault(proof: ProofSource, row: Row, environment: Mapping[str, str]) -> str:
    """What is wrong with a verdict: one line, or nothing."""
    should = expected(proof, environment)
    if not should:
        return ""
    if row.seen == DOES_NOT_RUN:
        return f"does not run: {row.error}"
    if should == HOLDS and row.seen == IS_FALSE:
        return f"failed: {row.error}"
    if should == IS_FALSE and row.seen == HOLDS:
        return f"holds outside its range, {declared(proof)}"
    if row.seen == HOLDS and row.falsified is False:
        return "holds under its falsifier"
    if row.seen == HOLDS and proof.has_falsifier and row.falsified is None:
        return f"does not fail under its falsifier: {row.falsifier_error}"
    return ""


def judge(
    proof: ProofSource, seen: Mapping[str, tuple[Row, Mapping[str, str]]]
) -> Iterator[str]:
    """Say what keeps a proof from earning its mark, one message each.

    Args:
        proof: the proof.
        seen: rows with their environments, by the name of the place.
    """
    name = proof.name
    if not proof.has_assertion:
        yield f"the proof `{name}` asserts nothing"
    if not (proof.has_falsifier or proof.keras or proof.tensorflow):
        yield f"nobody can see the proof `{name}` fail: give it a falsifier or a range"
    is_faulty = False
    for place, (row, environment) in seen.items():
        if wrong := fault(proof, row, environment):
            is_faulty = True
            where = f" ({place})" if place else ""
            yield f"the proof `{name}` {wrong}{where}"
    if not is_faulty and not any(row.was_seen_failing for row, _ in seen.values()):
        yield f"nobody has seen the proof `{name}` fail"


def declared(proof: ProofSource) -> str:
    """A proof's range in words: `keras >=3`."""
    ranges = {"keras": proof.keras, "tensorflow": proof.tensorflow}
    given = [f"{name} {versions}" for name, versions in ranges.items() if versions]
    return ", ".join(given) or "every version"


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:20]

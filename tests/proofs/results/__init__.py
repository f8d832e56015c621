"""What was seen where: the lanes, their files of results, and what a proof declares.

`environments.toml` names the lanes; `<lane>.json` beside this file holds what was seen
on one. `versions` and the site read them through this module, which needs neither
TensorFlow nor Sphinx.
"""

import hashlib
import json
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from packaging.specifiers import SpecifierSet

if TYPE_CHECKING:
    from conf.proofs import ProofSource

RESULTS = Path(__file__).parent
ENVIRONMENTS = RESULTS.parent / "environments.toml"
RUNNERS = (RESULTS.parent / "run.py", RESULTS.parent / "proves.py")
TENSORFLOWS = ("tensorflow", "tensorflow-cpu", "tf-nightly")
AGAIN = "run `nox -s versions`"


class Declared(Protocol):
    """What a proof says of versions, in its source and in its mark alike."""

    @property
    def keras(self) -> str:
        """The range of Keras on which it holds; empty means all."""

    @property
    def tensorflow(self) -> str:
        """Likewise for TensorFlow."""


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
class Row:
    """What was seen of one proof on one lane.

    Attributes:
        proof: the hash of the proof that was run.
        holds: whether it passed.
        error: why not, in one line.
        falsified: True if it failed by an assertion under its falsifier, False if it
            held; None if neither was seen.
        falsifier_error: what the falsifier led to, in one line.
    """

    proof: str
    holds: bool
    error: str
    falsified: bool | None
    falsifier_error: str


@dataclass(frozen=True)
class Results:
    """What was seen on one lane.

    Attributes:
        lane: its name.
        made: the digest of the lane, and of how proofs are run, as they were then.
        environment: versions by distribution; that of `tf.keras` under this name.
        verdicts: a row for each proof, by identifier.
    """

    lane: str
    made: str
    environment: Mapping[str, str]
    verdicts: Mapping[str, Row]


def lanes(path: Path = ENVIRONMENTS) -> dict[str, Lane]:
    """Read the table of environments, by name, in its order.

    Raises:
        ValueError: a lane lacks a field or has one that is not known, or this is not
            TOML; the message is one line that says where.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error
    common = table.get("requirements", [])
    found: dict[str, Lane] = {}
    for entry in table.get("lane", []):
        name = entry.get("name", "?")
        try:
            lane = Lane(
                **{
                    **entry,
                    "requirements": (*entry["requirements"], *common),
                    "uninstall": tuple(entry.get("uninstall", ())),
                }
            )
        except KeyError as error:
            raise ValueError(f"{path.name}: lane {name!r} has no {error}") from error
        except TypeError as error:
            raise ValueError(f"{path.name}: lane {name!r}: {error}") from error
        if name in found:
            raise ValueError(f"{path.name}: lane {name!r} stands there twice")
        found[name] = lane
    return found


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
        rows = {name: Row(**row) for name, row in data["verdicts"].items()}
        results = Results(**{**data, "verdicts": rows})
    except KeyError as error:
        raise fault(f"has no {error}") from error
    except (AttributeError, TypeError) as error:
        raise fault(f"has the wrong shape ({error})") from error
    if checksum != _digest(data):
        raise fault("was edited by hand (its checksum differs)")
    if results.lane != path.stem:
        raise fault(f"holds results of {results.lane!r}")
    return results


def save(results: Results, folder: Path = RESULTS) -> Path:
    """Write the results of one lane, whole or not at all; equal ones as equal bytes."""
    data = asdict(results)
    data["checksum"] = _digest(data)
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{results.lane}.json"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)
    return path


def made(lane: Lane) -> str:
    """Equal for lanes that are made the same way and run proofs the same way."""
    return _digest([lane.digest, *(path.read_text("utf-8") for path in RUNNERS)])


def stale(
    lane: Lane, results: Results | None, proofs: Mapping[str, "ProofSource"]
) -> list[str]:
    """Proofs without a row on this lane, or whose row was made otherwise."""
    if results is None or results.made != made(lane):
        return sorted(proofs)
    return sorted(
        name
        for name, proof in proofs.items()
        if name not in results.verdicts or results.verdicts[name].proof != proof.hash
    )


def expected(proof: Declared, environment: Mapping[str, str]) -> bool:
    """Whether a proof declares to hold on these versions.

    Raises:
        ValueError: what it declares is no range of versions.
    """
    keras = SpecifierSet(proof.keras, prereleases=True)
    flow = SpecifierSet(proof.tensorflow, prereleases=True)
    return keras.contains(environment["tf.keras"]) and flow.contains(
        tensorflow(environment)
    )


def tensorflow(environment: Mapping[str, str]) -> str:
    """The version of TensorFlow, whatever its distribution is called."""
    return next(environment[name] for name in TENSORFLOWS if name in environment)


def contradictions(
    results: Results, proofs: Mapping[str, "ProofSource"]
) -> dict[str, str]:
    """What was seen on a lane and is not what the proofs declare, a line for each."""
    found = {}
    environment = results.environment
    place = f"Keras {environment['tf.keras']}, TensorFlow {tensorflow(environment)}"
    for name, proof in sorted(proofs.items()):
        row = results.verdicts.get(name)
        if row is None or row.proof != proof.hash:
            continue
        try:
            should = expected(proof, environment)
        except ValueError as error:
            raise ValueError(f"{proof.path}:{proof.line}: `{name}`: {error}") from error
        if row.holds and not should:
            seen = "and holds outside it"
        elif should and not row.holds:
            seen = f"and does not hold inside it: {row.error}"
        elif row.falsified is False:
            seen = "and holds under its falsifier"
        else:
            continue
        found[name] = f"{name} ({declared(proof)}) was run on {place} {seen}"
    return found


def never_failing(
    everywhere: Collection[Results], proofs: Mapping[str, "ProofSource"]
) -> dict[str, str]:
    """Proofs that hold on every lane and were refuted on none, a line for each."""
    found = {}
    for name, proof in sorted(proofs.items()):
        rows = [seen.verdicts[name] for seen in everywhere if name in seen.verdicts]
        if rows and all(row.holds and not row.falsified for row in rows):
            why = rows[-1].falsifier_error or "it has no falsifier"
            found[name] = f"{name} ({declared(proof)}) was never seen to fail: {why}"
    return found


def declared(proof: Declared) -> str:
    """A proof's range in words: `keras >=3`."""
    ranges = {"keras": proof.keras, "tensorflow": proof.tensorflow}
    given = [f"{name} {versions}" for name, versions in ranges.items() if versions]
    return ", ".join(given) or "every version"


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

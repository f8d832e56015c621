"""Run every proof on every version that readers still meet, and keep what was seen.

`python -m tests.proofs.versions [LANE ...] [--all]` takes the lanes of
`environments.toml`, two at a time: it makes an environment for each with uv, below
`build/environments`, runs the proofs whose row is stale with that environment's Python,
and writes `results/<lane>.json`. The exit status is 1 if a lane that gates broke, or if
a proof was seen to hold where it declares not to, or the other way round.
"""

import argparse
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf.proofs import ProofSource, read
from conf.recipes import RecipeError
from tests.proofs.results import (
    RESULTS,
    Lane,
    Results,
    Row,
    contradictions,
    lanes,
    load,
    made,
    never_failing,
    save,
    stale,
)

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/environments"
AT_ONCE = 2
INSTALL_MINUTES = 15
RUN_MINUTES = 20
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)
DRAWN = " \N{MULTIPLICATION SIGN}│├╰─▶"  # uv draws its explanations
# What the caller has set for its own Python, Keras or TensorFlow is not the lane's.
FOREIGN = ("KERAS_", "PYTHON", "TF_", "XLA_")


class BrokenError(Exception):
    """A lane that cannot be installed or run: one line with the cause."""


@dataclass(frozen=True)
class Outcome:
    """What became of one lane.

    Attributes:
        lane: the lane.
        results: what is known of it now; None if there is nothing.
        broken: why it could not be run, in one line, or nothing.
    """

    lane: Lane
    results: Results | None
    broken: str = ""


def main() -> int:
    """Run the lanes that the command line names, and report."""
    table, proofs = lanes(), read(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lanes", nargs="*", metavar="LANE", help=", ".join(table))
    parser.add_argument("--all", action="store_true", help="fresh rows too")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.lanes) - set(table)):
        parser.error(f"no lane {', '.join(unknown)}; there are {', '.join(table)}")
    chosen = [
        lane for lane in table.values() if lane.name in (arguments.lanes or table)
    ]
    print(f"{len(proofs)} proofs, {count(chosen)}", flush=True)
    start = time.perf_counter()
    outcomes = run_lanes(chosen, proofs, arguments.all)
    print(f"{count(chosen)} in {time.perf_counter() - start:.0f} s", flush=True)
    drop_former_lanes(table)
    return report(outcomes, proofs, whole=not arguments.lanes)


def run_lanes(
    chosen: list[Lane], proofs: Mapping[str, ProofSource], everything: bool
) -> list[Outcome]:
    """Run lanes, two at a time; one that breaks does not stop the others."""
    outcomes = []
    queue = sorted(chosen, key=lambda lane: lane.gates)  # they take longest
    executor = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [executor.submit(timed, lane, proofs, everything) for lane in queue]
        for future in as_completed(futures):
            outcome, seconds = future.result()
            outcomes.append(outcome)
            became = "broken" if outcome.broken else "done"
            left = count(chosen[len(outcomes) :])
            say(outcome.lane, f"{became} after {seconds:.0f} s, {left} left")
    finally:  # an interruption takes what is queued with it
        executor.shutdown(cancel_futures=True)
    return sorted(outcomes, key=lambda outcome: chosen.index(outcome.lane))


def timed(
    lane: Lane, proofs: Mapping[str, ProofSource], everything: bool
) -> tuple[Outcome, float]:
    """Run one lane; say what became of it and how many seconds it took."""
    start = time.perf_counter()
    known = None
    try:
        known = known_results(lane)
        outcome = Outcome(lane, update(lane, known, proofs, everything))
    except (BrokenError, RecipeError) as error:
        outcome = Outcome(lane, known, str(error))
    return outcome, time.perf_counter() - start


def known_results(lane: Lane) -> Results | None:
    """What was seen on this lane earlier; a damaged file counts as nothing."""
    path = RESULTS / f"{lane.name}.json"
    if not (lane.gates and path.exists()):
        return None
    try:
        return load(path)
    except ValueError as error:
        say(lane, f"{error}; every proof is run again")
        return None


def update(
    lane: Lane,
    known: Results | None,
    proofs: Mapping[str, ProofSource],
    everything: bool,
) -> Results | None:
    """Run what is stale, drop what is gone, and write down the rest.

    Raises:
        BrokenError: the lane cannot be installed or run, or what was run is no longer
            what stands there.
    """
    due = sorted(proofs) if everything else stale(lane, known, proofs)
    verdicts = {
        name: row
        for name, row in (known.verdicts if known else {}).items()
        if name in proofs and name not in due
    }
    environment = known.environment if known else {}
    edited: list[str] = []
    if due:
        python = install(lane)
        say(lane, f"runs {len(due)} of {len(proofs)} proofs")
        environment, seen = run_proofs(lane, python, due)
        now = read(ROOT)
        for name in due:
            if now.get(name) != proofs[name]:
                edited.append(name)
                continue
            words = {word: seen[name][word] for word in WORDS}
            verdicts[name] = Row(proof=proofs[name].hash, **words)
    if not environment:  # no proof, nothing to know
        return None
    results = Results(lane.name, made(lane), environment, verdicts)
    if lane.gates and results != known:
        save(results)
    if edited:
        raise BrokenError(f"edited while it was run, run it again: {', '.join(edited)}")
    return results


WORDS = ("holds", "error", "falsified", "falsifier_error")


def install(lane: Lane) -> Path:
    """Make the lane's environment, unless it is there; return its Python.

    Raises:
        BrokenError: uv is not there, or a package is not to be had.
    """
    folder = BUILD / lane.name
    stamp = folder / "made"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if lane.gates and _text(stamp) == lane.digest and python.exists():
        return python
    say(lane, "installs " + " ".join(lane.requirements))
    uv = find_uv()
    shutil.rmtree(folder, ignore_errors=True)
    call(lane, uv, "venv", "--quiet", "--python", lane.python, str(folder))
    options = () if lane.gates else ("--prerelease=allow", "--refresh")
    into = ("--quiet", "--python", str(python))
    call(lane, uv, "pip", "install", *into, *options, *lane.requirements)
    if lane.uninstall:
        call(lane, uv, "pip", "uninstall", *into, *lane.uninstall)
    stamp.write_text(lane.digest)
    return python


def find_uv() -> str:
    """The uv that is installed beside this Python, or else the one on the PATH.

    Raises:
        BrokenError: there is none.
    """
    if importlib.util.find_spec("uv"):
        return str(importlib.import_module("uv").find_uv_bin())
    if found := shutil.which("uv"):
        return found
    raise BrokenError("uv is not installed: python -m pip install uv")


def run_proofs(
    lane: Lane, python: Path, due: list[str]
) -> tuple[dict[str, str], dict[str, Any]]:
    """Run proofs with the lane's Python, again without any that takes it down.

    Returns:
        The environment and, by proof, what `tests.proofs.run` saw.

    Raises:
        BrokenError: TensorFlow cannot be imported, or the run was stopped.
    """
    out = BUILD / lane.name / "seen.json"
    verdicts: dict[str, Any] = {}
    while True:
        left = [name for name in due if name not in verdicts]
        unfinished = out.with_suffix(".unfinished")
        out.unlink(missing_ok=True)
        unfinished.unlink(missing_ok=True)
        run = ("-m", "tests.proofs.run", "--out", str(out), *left)
        done = process(lane, RUN_MINUTES, str(python), *run)
        written = next((path for path in (out, unfinished) if path.exists()), None)
        if written is None:
            raise BrokenError(f"the proofs cannot be run: {cause(done)}")
        seen = json.loads(written.read_text(encoding="utf-8"))
        verdicts |= seen["verdicts"]
        left = [name for name in left if name not in verdicts]
        if not left:
            return seen["environment"] | {"python": lane.python}, verdicts
        if -done.returncode not in CRASHES:
            raise BrokenError(f"the run stopped at {left[0]}: {cause(done)}")
        error = f"Python died of it: {signal.Signals(-done.returncode).name}"
        verdicts[left[0]] = dict(zip(WORDS, (False, error, None, ""), strict=True))


def call(lane: Lane, *command: str) -> None:
    """Run a command of the installation.

    Raises:
        BrokenError: it failed.
    """
    done = process(lane, INSTALL_MINUTES, *command)
    if done.returncode:
        raise BrokenError(f"cannot be installed: {cause(done)}")


def process(
    lane: Lane, minutes: int, *command: str
) -> subprocess.CompletedProcess[str]:
    """Run a command for a lane, from the root, with the lane's variables alone.

    Raises:
        BrokenError: it was still running after so many minutes.
    """
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and name != "VIRTUAL_ENV"
    }
    own |= {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_HOME": str(BUILD / lane.name / "keras"),  # not the user's `keras.json`
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **lane.variables,
    }
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60 * minutes,
        )
    except subprocess.TimeoutExpired:
        name = Path(command[0]).name
        raise BrokenError(f"{name} still ran after {minutes} minutes") from None


def cause(done: subprocess.CompletedProcess[str]) -> str:
    """Why a command failed, in one line; uv explains in several, Python at the end."""
    lines = [line.lstrip(DRAWN) for line in done.stderr.splitlines() if line.strip()]
    is_python = "Traceback (most recent call last):" in lines
    said = (lines[-1] if is_python else " ".join(lines)) if lines else "no message"
    ended = (
        signal.Signals(-done.returncode).name
        if done.returncode < 0
        else f"exit status {done.returncode}"
    )
    return f"{said[:500]} ({ended})"


def drop_former_lanes(table: Mapping[str, Lane]) -> None:
    """Results of a lane that is not in the table any more say nothing."""
    for path in RESULTS.glob("*.json"):
        if path.stem not in table or not table[path.stem].gates:
            path.unlink()
            print(f"{path.name}: removed, there is no such lane any more", flush=True)


def report(
    outcomes: list[Outcome], proofs: Mapping[str, ProofSource], *, whole: bool
) -> int:
    """Print a line for everything that is wrong; 1 if any of it gates."""
    wrong = 0
    for outcome in outcomes:
        gates = outcome.lane.gates
        lines = []
        if outcome.broken:
            lines.append(f"{'broken' if gates else 'not available'}: {outcome.broken}")
        if outcome.results:
            lines += contradictions(outcome.results, proofs).values()
        for line in lines:
            print(f"{outcome.lane.name}: {line}")
        wrong += len(lines) * gates
    seen = [o.results for o in outcomes if o.lane.gates and o.results and not o.broken]
    if whole and not any(o.broken for o in outcomes if o.lane.gates):
        for line in never_failing(seen, proofs).values():
            print(line)
            wrong += 1
    print(
        f"{wrong} to be put right"
        if wrong
        else "every verdict is what its proof declares"
    )
    return 1 if wrong else 0


def count(some: list[Lane]) -> str:
    """`1 lane`, `2 lanes`."""
    return f"{len(some)} lane{'' if len(some) == 1 else 's'}"


def say(lane: Lane, words: str) -> None:
    """Print a line of progress, whole: two lanes speak at a time."""
    line = f"{time.strftime('%H:%M:%S')} {lane.name}: {words}\n"
    print(line, end="", flush=True)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (RecipeError, ValueError) as error:  # the table or a proof cannot be read
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; what was seen on the lanes that were done is kept")

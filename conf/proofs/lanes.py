"""Run every proof on every version that readers still meet, and keep what was seen.

`python -m conf.proofs.lanes [LANE ...] [--all] [--guide STEM]` takes the lanes of
`environments.toml` that gate, or those that are named, two at a time: it makes an
environment for each with uv, below `build/environments`, runs the proofs whose row is
stale with that environment's Python, and keeps each row in `results/<lane>.json` as it
is seen. The entries of the error reference are run too, alone with `--guide errors`;
their messages are kept in `snippets/errors/seen`. The exit status is 1 if a lane that
gates broke, or if a verdict is not what its proof declares.
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
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from conf import sealed
from conf.pages.recipes import Package, RecipeError
from conf.proofs.process import Process, ProofsNotRunError
from conf.proofs.source import ProofSource, read
from conf.proofs.verdict import (
    Lane,
    Results,
    Row,
    fault,
    is_meant_for,
    judge,
    lanes,
    load,
    made,
    results_of,
    save,
)
from conf.reference import errors, errors_seen

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build/environments"
AT_ONCE = 2
INSTALL_MINUTES = 15
SECONDS_BETWEEN_SAVES = 20
DRAWN = " \N{MULTIPLICATION SIGN}│├╰─▶"  # uv draws its explanations
# uv asks `sysconfig`, whose first answer is unsafe under threads before Python 3.12:
# it shows a table that it is still filling.
_ASKING = threading.Lock()


class BrokenError(Exception):
    """A lane that cannot be installed or run: one line with the cause."""


@dataclass(frozen=True)
class Wanted:
    """Which proofs are to be run.

    Attributes:
        everything: those with a fresh row too.
        guides: of these guides; empty means all.
    """

    everything: bool = False
    guides: tuple[str, ...] = ()

    def includes(self, proof: ProofSource) -> bool:
        """Whether the proof belongs to a wanted guide."""
        return not self.guides or proof.stem in self.guides

    @property
    def includes_errors(self) -> bool:
        """Whether the entries of the error reference are wanted."""
        return not self.guides or errors.STEM in self.guides


@dataclass(frozen=True)
class Outcome:
    """What became of one lane.

    Attributes:
        lane: the lane.
        results: what is known of it now; None if there is nothing.
        broken: why it could not be run, in one line, or nothing.
        seen: the messages of the error reference, if they were wanted.
    """

    lane: Lane
    results: Results | None
    broken: str = ""
    seen: errors.Seen | None = None


def main() -> int:
    """Run the lanes that the command line names, and report."""
    table, proofs = lanes(ROOT), read(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lanes", nargs="*", metavar="LANE", help=", ".join(table))
    parser.add_argument("--all", action="store_true", help="fresh rows too")
    parser.add_argument("--guide", action="append", metavar="STEM", help="these only")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.lanes) - set(table)):
        parser.error(f"no lane {', '.join(unknown)}; there are {', '.join(table)}")
    gating = [lane.name for lane in table.values() if lane.gates]
    chosen = [table[name] for name in table if name in (arguments.lanes or gating)]
    print(f"{len(proofs)} proofs, {count(chosen)}", flush=True)
    start = time.perf_counter()
    wanted = Wanted(arguments.all, tuple(arguments.guide or ()))
    outcomes = run_lanes(chosen, proofs, wanted)
    print(f"{count(chosen)} in {time.perf_counter() - start:.0f} s", flush=True)
    drop_former_lanes(table)
    return report(outcomes, proofs, whole=not (arguments.lanes or arguments.guide))


def run_lanes(
    chosen: list[Lane], proofs: Mapping[str, ProofSource], wanted: "Wanted"
) -> list[Outcome]:
    """Run lanes, two at a time; one that breaks does not stop the others.

    No lane begins beside the last one, so its proofs run in two processes.
    """
    outcomes = []
    executor = ThreadPoolExecutor(AT_ONCE)
    try:
        futures = [
            executor.submit(timed, lane, proofs, wanted, 1 + (lane is chosen[-1]))
            for lane in chosen
        ]
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
    lane: Lane, proofs: Mapping[str, ProofSource], wanted: "Wanted", parts: int
) -> tuple[Outcome, float]:
    """Run one lane; say what became of it and how many seconds it took."""
    start = time.perf_counter()
    state = _Seen(lane, known_results(lane), proofs)
    broken, seen = "", None
    try:
        update(state, wanted, parts)
        if wanted.includes_errors:
            package, again = Package(ROOT / "snippets"), wanted.everything
            seen = errors_seen.update(package, lane, install, everything=again)
    except (
        *(BrokenError, ProofsNotRunError, RecipeError),
        errors_seen.EntriesNotRunError,
    ) as error:
        broken = str(error)
    finally:  # an interruption loses nothing that was seen
        state.save()
    return Outcome(lane, state.results, broken, seen), time.perf_counter() - start


def known_results(lane: Lane) -> Results | None:
    """What was seen on this lane earlier; a damaged file counts as nothing."""
    path = results_of(ROOT, lane.name)
    if not (lane.gates and path.exists()):
        return None
    try:
        results = load(path)
    except ValueError as error:
        say(lane, f"{error}; every proof is run again")
        return None
    return results if results.made == made(ROOT, lane) else None


class _Seen:
    """What is known of a lane while it runs."""

    def __init__(
        self, lane: Lane, known: Results | None, proofs: Mapping[str, ProofSource]
    ) -> None:
        self.lane, self.proofs = lane, proofs
        rows = known.rows if known else {}
        self.rows = {name: row for name, row in rows.items() if name in proofs}
        self.environment = dict(known.environment) if known else {}
        self.frames = dict(known.frames) if known else {}
        self.saved = time.monotonic()
        self.lock = threading.Lock()

    @property
    def results(self) -> Results | None:
        if not self.environment:  # nothing was run, and nothing is known
            return None
        stems = {proof.stem for proof in self.proofs.values()}
        frames = {stem: f for stem, f in self.frames.items() if stem in stems}
        own = (self.lane.name, made(ROOT, self.lane))
        return Results(*own, self.environment, frames, dict(self.rows))

    def put(self, proof: ProofSource, row: Row) -> None:
        with self.lock:
            self.rows[proof.id] = row
            self.frames[proof.stem] = proof.frame
        if time.monotonic() - self.saved > SECONDS_BETWEEN_SAVES:
            self.save()

    def save(self) -> None:
        with self.lock:
            self.saved = time.monotonic()
            if self.lane.gates and (results := self.results):
                save(results, results_of(ROOT, self.lane.name))


def update(state: _Seen, wanted: "Wanted", parts: int) -> None:
    """Run what is stale in some processes at once, and write down what was seen.

    Raises:
        BrokenError: the lane cannot be installed, or what was run is no longer what
            stands there.
        ProofsNotRunError: the proofs cannot be run.
    """
    lane, proofs = state.lane, state.proofs
    if not state.environment:
        state.environment = environment_of(lane, install(lane))
    meant = {n: p for n, p in proofs.items() if is_meant_for(p, state.environment)}
    state.rows = {name: row for name, row in state.rows.items() if name in meant}
    due = [
        proof
        for name, proof in meant.items()
        if wanted.includes(proof)
        and (
            wanted.everything
            or name not in state.rows
            or state.rows[name].proof != proof.hash
            # A verdict that is not the declared one is no verdict to rely on.
            or fault(proof, state.rows[name], state.environment)
        )
    ]
    # A file that is imported otherwise than before has to be seen to be imported.
    framed = {proof.stem for proof in due}
    for proof in filter(wanted.includes, meant.values()):
        if state.frames.get(proof.stem) != proof.frame and proof.stem not in framed:
            framed.add(proof.stem)
            due.append(proof)
    if not due:
        return
    python = install(lane)
    say(lane, f"runs {len(due)} of {len(proofs)} proofs")
    variables = dict(lane.variables)
    processes = [
        Process(str(python), ROOT, part, variables, state.put).start()
        for part in in_parts(due, parts)
    ]
    try:
        for process in processes:
            process.finish()
    finally:
        for process in processes:
            process.stop()
    state.environment = {**processes[0].environment, "python": lane.python}
    now = read(ROOT)
    edited = [p.id for p in due if p.id not in now or now[p.id].hash != p.hash]
    for name in edited:
        state.rows.pop(name, None)
    if edited:
        raise BrokenError(f"edited while it was run, run it again: {', '.join(edited)}")


def in_parts(due: Sequence[ProofSource], parts: int) -> list[list[ProofSource]]:
    """Share proofs out; those of one file stay together, for what they have cached."""
    stems = [stem for stem, _ in Counter(proof.stem for proof in due).most_common()]
    shares = [stems[place::parts] for place in range(parts)]
    found = [[proof for proof in due if proof.stem in share] for share in shares]
    return [part for part in found if part]


def environment_of(lane: Lane, python: Path) -> dict[str, str]:
    """The versions that a lane's Python imports, before any proof is run.

    Raises:
        BrokenError: TensorFlow cannot be imported there.
    """
    with tempfile.TemporaryDirectory() as home:
        own = {"PYTHONPATH": str(ROOT), **lane.variables}
        variables = sealed.environment(Path(home), own)
        done = process(variables, str(python), "-m", "tests.proofs.run")
    if done.returncode:
        raise BrokenError(f"the proofs cannot be run: {cause(done)}")
    found: dict[str, str] = json.loads(done.stdout)["environment"]
    return {**found, "python": lane.python}


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
    call(uv, "venv", "--quiet", "--python", lane.python, str(folder))
    options = () if lane.gates else ("--prerelease=allow", "--refresh")
    into = ("--quiet", "--python", str(python))
    call(uv, "pip", "install", *into, *options, *lane.requirements)
    if lane.uninstall:
        call(uv, "pip", "uninstall", *into, *lane.uninstall)
    stamp.write_text(lane.digest)
    return python


def find_uv() -> str:
    """The uv that is installed beside this Python, or else the one on the PATH.

    Raises:
        BrokenError: there is none.
    """
    if importlib.util.find_spec("uv"):
        with _ASKING:
            return str(importlib.import_module("uv").find_uv_bin())
    if found := shutil.which("uv"):
        return found
    raise BrokenError("uv is not installed: python -m pip install uv")


def call(*command: str) -> None:
    """Run a command of the installation.

    Raises:
        BrokenError: it failed.
    """
    # The home of the person who builds, where uv has its cache. Python compiles what is
    # imported; to compile all of TensorFlow takes uv a minute.
    done = process({**os.environ, "UV_COMPILE_BYTECODE": "false"}, *command)
    if done.returncode:
        raise BrokenError(f"cannot be installed: {cause(done)}")


def process(
    variables: Mapping[str, str], *command: str
) -> subprocess.CompletedProcess[str]:
    """Run a command from the root.

    Raises:
        BrokenError: it was still running after a generous limit.
    """
    try:
        return subprocess.run(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60 * INSTALL_MINUTES,
        )
    except subprocess.TimeoutExpired:
        name = Path(command[0]).name
        raise BrokenError(f"{name} still ran after {INSTALL_MINUTES} minutes") from None


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
    for path in results_of(ROOT, "any").parent.glob("*.json"):
        if path.stem not in table or not table[path.stem].gates:
            path.unlink()
            print(f"{path.name}: removed, there is no such lane any more", flush=True)


def report(
    outcomes: list[Outcome], proofs: Mapping[str, ProofSource], *, whole: bool
) -> int:
    """Print a line for everything that is wrong; 1 if any of it gates."""
    lines = []
    for outcome in outcomes:
        gates = outcome.lane.gates
        if outcome.broken:
            what = "broken" if gates else "not available"
            lines.append((gates, f"{outcome.lane.name}: {what}: {outcome.broken}"))
        elif not gates and outcome.results:
            environment = outcome.results.environment
            for name, row in outcome.results.rows.items():
                if words := fault(proofs[name], row, environment):
                    lines.append((False, f"{outcome.lane.name}: {name} {words}"))
    known = [o.results for o in outcomes if o.lane.gates and o.results and not o.broken]
    for proof in proofs.values():
        rows = {
            f"on {seen.lane}": (found, seen.environment)
            for seen in known
            if (found := seen.row(proof))
        }
        # Whether a proof was ever seen failing is known of all lanes together only.
        lines += [
            (True, f"{proof.id}: {words}")
            for words in judge(proof, rows)
            if rows and (whole or "nobody has seen" not in words)
        ]
    lines += faulty_entries(outcomes)
    for _, line in lines:
        print(line)
    wrong = sum(gates for gates, _ in lines)
    every = "every verdict is what its proof declares"
    print(f"{wrong} to be put right" if wrong else every)
    return 1 if wrong else 0


def faulty_entries(outcomes: list[Outcome]) -> list[tuple[bool, str]]:
    """Messages that are not what they were; those of a lane to come gate nothing."""
    if not any(outcome.seen for outcome in outcomes):  # they were not wanted
        return []
    package = Package(ROOT / "snippets")
    entries = {
        n: e for group in errors.read(package).values() for n, e in group.items()
    }
    known = errors.everything_seen(package, lanes(ROOT))
    lines = [(True, words) for words in errors.faults(entries, known)]
    for outcome in outcomes:
        if outcome.lane.gates or not outcome.seen:
            continue
        newest = errors.newest(known).rows if known else {}
        for name, row in outcome.seen.rows.items():
            said = entries[name].heading
            if name in newest and said in newest[name].said and said not in row.said:
                words = f"{outcome.lane.name}: `{name}` says now: {row.said[:200]}"
                lines.append((False, words))
    return lines


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
        sys.exit("stopped; what was seen is kept")

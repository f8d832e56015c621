"""Let every version write files and read those of all others, and keep what was seen.

`python -m conf.reference.crossing [LANE ...]` lets the lanes that are named, or all
that gate, read what they have not read yet or have read with other code. One process
writes the files of a lane and one reads those of all; if it dies, that costs one row.
The exit status is 1 if a lane cannot be run.
"""

import argparse
import datetime
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from conf import sealed
from conf.proofs.lanes import AT_ONCE, BrokenError, install, say
from conf.proofs.verdict import Lane
from conf.reference.crossed import (
    ENDS,
    FAILED,
    FORMATS,
    NOT_WRITTEN,
    Crossed,
    Seen,
    State,
    gating,
    load,
    results_of,
    save,
)

ROOT = Path(__file__).parents[2]
FILES = ROOT / "build/crossing"
SECONDS_FOR_ONE = 300


def main() -> int:
    """Write what is not there, read what is stale, and report."""
    table = gating(ROOT)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("lanes", nargs="*", metavar="LANE", help=", ".join(table))
    chosen = parser.parse_args().lanes or list(table)
    if unknown := sorted(set(chosen) - set(table)):
        parser.error(f"no lane {', '.join(unknown)}; there are {', '.join(table)}")
    start, state = time.perf_counter(), State.of(ROOT)
    readers = {name: _Reader(table[name], state) for name in chosen}
    wanted = {
        writer: {model for reader in readers.values() for model in reader.lacks(writer)}
        for writer in table
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        writing = pool.map(
            lambda lane: write(lane, state, wanted[lane.name]), table.values()
        )
        errors = dict(zip(table, writing, strict=True))
        broken = list(pool.map(lambda reader: reader.read(errors), readers.values()))
    due = sum(reader.due for reader in readers.values())
    print(f"{due} files read in {time.perf_counter() - start:.0f} s")
    for line in filter(None, broken):
        print(line)
    return 1 if any(broken) else 0


class _Reader:
    """What a lane has read, and what it lacks.

    Args:
        lane: the lane that reads.
        state: what its results depend on.
    """

    def __init__(self, lane: Lane, state: State) -> None:
        self.lane, self.state = lane, state
        self.path = results_of(ROOT, lane.name)
        self.then = Crossed(lane.name)
        with suppress(ValueError, OSError):
            self.then = load(self.path)
        self.seen = state.kept(self.then)
        self.missing = [name for name in state.wanted() if name not in self.seen]
        self.due = len(self.missing)

    def lacks(self, writer: str) -> set[str]:
        """The models of a writer that are to be read."""
        return {model for model, _, lane in self.missing if lane == writer}

    def read(self, errors: dict[str, dict[str, dict[str, str]] | str]) -> str:
        """Read what is missing and keep it; say in one line what stands against it.

        Args:
            errors: by writer and model, the formats that could not be written, with
                why; or why nothing could be.
        """
        if not self.missing:
            return ""
        whole = {
            name: found for name, found in errors.items() if isinstance(found, dict)
        }
        things = {}
        for model, form, writer in self.missing:
            if writer not in whole:
                continue
            if why := whole[writer][model].get(form):
                self.seen[model, form, writer] = Seen(NOT_WRITTEN, why)
            else:
                place = f"{writer}@{form}/{model}"
                things[f"{place}/{form}"] = (model, form, writer)
        say(self.lane, f"reads {len(things)} files")

        def put(thing: str, said: dict[str, str]) -> None:
            self.seen[things[thing]] = Seen(**said)

        try:
            with tempfile.TemporaryDirectory(prefix="files-") as folder:
                for model, form, writer in things.values():
                    alone(Path(folder), model, form, writer)
                environment = run(
                    self.lane, "read", Path(folder), things, put, {"what": FAILED}
                )
        except BrokenError as error:
            return f"{self.lane.name}: {error}"
        made = {name: self.state.made[name] for name in (*whole, self.lane.name)}
        results = Crossed(
            lane=self.lane.name,
            date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            environment={**environment, "python": self.lane.python},
            code=self.state.code,
            made=made,
            models=self.state.models,
            seen=self.seen,
        )
        save(results, self.path)
        return ""


def alone(folder: Path, model: str, form: str, writer: str) -> None:
    """Put one file where no other lies, with what its model answers.

    Keras 3.4 unpacks `model.keras` beside it, and then deletes the `model.weights.h5`
    that was there.
    """
    source, place = FILES / writer / model, folder / f"{writer}@{form}" / model
    place.mkdir(parents=True)
    names = [path.name for path in source.glob(f"model{ENDS[form]}*")]
    for name in [*names, "answers.npz"]:
        (place / name).symlink_to(source / name)


def write(lane: Lane, state: State, models: Iterable[str]) -> Any:
    """Write what is not there of a lane's files.

    Returns:
        By model, the formats that could not be written, with why; or a string, why the
        lane could not be run.
    """
    folder = FILES / lane.name
    stamp = folder / "written.json"
    made = [state.code, state.made[lane.name]]
    known: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        known = json.loads(stamp.read_text())
    errors = known.get("errors", {}) if known.get("made") == made else {}
    there = known.get("models", {})
    errors = {n: e for n, e in errors.items() if there.get(n) == state.models.get(n)}
    due = [name for name in state.models if name in models and name not in errors]
    if not due:
        return errors
    say(lane, f"writes {len(due)} models")
    for name in due:
        shutil.rmtree(folder / name, ignore_errors=True)

    def put(thing: str, said: dict[str, Any]) -> None:
        none = dict.fromkeys(FORMATS, said.get("error"))  # Python died of this model
        errors[thing.partition("/")[2]] = said.get("errors", none)

    try:
        things = [f"{lane.name}/{name}" for name in due]
        run(lane, "write", FILES, things, put, {})
    except BrokenError as error:
        return str(error)
    now = {"made": made, "models": dict(state.models), "errors": errors}
    stamp.write_text(json.dumps(now))
    return errors


def run(
    lane: Lane,
    what: str,
    folder: Path,
    things: Iterable[str],
    put: Callable[[str, dict[str, Any]], None],
    died: dict[str, Any],
) -> dict[str, str]:
    """Let a lane write or read things, in a process that is replaced if it dies.

    Args:
        lane: the lane.
        what: `write` or `read`.
        folder: where the files are.
        things: what the command line names.
        put: called with each thing and what was seen of it.
        died: what is seen of a thing of which the process dies.

    Returns:
        The versions of the lane.

    Raises:
        BrokenError: the lane cannot be installed, or nothing can be run there.
    """
    python, left = install(lane), dict.fromkeys(things)
    environment: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="files-") as home:
        own = {"PYTHONPATH": str(ROOT), **lane.variables}
        variables = sealed.environment(Path(home), own)
        while left:
            command = [str(python), "-m", "tests.files.run", what, str(folder), *left]
            running, ended = "", ""
            for said in _lines(command, variables):
                if "environment" in said:
                    environment = said["environment"]
                elif "begins" in said:
                    running = said["begins"]
                elif "seen" in said:
                    running = ""
                    thing = said.pop("seen")
                    del left[thing]
                    put(thing, said)
                else:
                    ended = said["ended"]
            if running:
                del left[running]
                put(running, {**died, "error": f"Python died of it: {ended}"})
            elif left:
                raise BrokenError(f"cannot {what}: {ended}")
    return environment


def _lines(command: list[str], variables: dict[str, str]) -> Iterable[dict[str, Any]]:
    """What a process says, line by line, and at last how it ended."""
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        lines: queue.Queue[str | None] = queue.Queue()

        def hear() -> None:
            assert process.stdout is not None  # it is a pipe
            with process.stdout as stdout:
                for line in stdout:
                    lines.put(line)
            lines.put(None)

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        try:
            while (line := lines.get(timeout=SECONDS_FOR_ONE)) is not None:
                yield json.loads(line)
            status = process.wait()
        except queue.Empty:
            yield {"ended": f"it took longer than {SECONDS_FOR_ONE} s"}
            return
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            thread.join()
        errors.seek(0)
        last = (errors.read().strip().splitlines() or ["no message"])[-1]
        is_killed = status < 0
        yield {
            "ended": signal.Signals(-status).name
            if is_killed
            else f"{last[:300]} (exit status {status})"
        }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped; what was read whole is kept")

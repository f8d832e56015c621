"""Run the entries of the error reference on one lane, and keep what was seen."""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from conf import sealed
from conf.pages.recipes import Package
from conf.proofs.verdict import Lane
from conf.reference.errors import Entry, Row, Seen, load, made, place_of, read, save

SECONDS_FOR_AN_ENTRY = 300


class EntriesNotRunError(Exception):
    """The entries could not be run: one line with the cause."""


def update(
    package: Package,
    lane: Lane,
    install: Callable[[Lane], Path],
    *,
    everything: bool = False,
) -> Seen | None:
    """Run the entries that are stale on a lane; keep them if the lane gates.

    Args:
        package: the package of the recipes.
        lane: where to run them.
        install: makes the environment of a lane and returns its Python.
        everything: run those that are fresh too.

    Raises:
        EntriesNotRunError: they cannot be run.
    """
    entries = {
        n: entry for group in read(package).values() for n, entry in group.items()
    }
    if not entries:
        return None
    known = _known(package, lane)
    rows = {n: row for n, row in (known.rows if known else {}).items() if n in entries}
    due = [
        n for n, entry in entries.items() if everything or not _is_fresh(entry, rows)
    ]
    if known:
        due = [n for n in due if entries[n].is_meant_for(known.environment)]
    if not due:
        return known
    environment = _run(package, lane, install(lane), due, entries, rows)
    environment = {**environment, "python": lane.python}
    meant = {n for n, entry in entries.items() if entry.is_meant_for(environment)}
    rows = {name: row for name, row in rows.items() if name in meant}
    seen = Seen(lane.name, made(package, lane), environment, rows)
    if lane.gates:
        save(seen, place_of(package, lane.name))
    return seen


def _known(package: Package, lane: Lane) -> Seen | None:
    path = place_of(package, lane.name)
    if not (lane.gates and path.exists()):
        return None
    try:
        seen = load(path)
    except ValueError:  # a damaged file counts as nothing
        return None
    return seen if seen.made == made(package, lane) else None


def _is_fresh(entry: Entry, rows: Mapping[str, Row]) -> bool:
    return entry.name in rows and rows[entry.name].code == entry.hash


def _run(
    package: Package,
    lane: Lane,
    python: Path,
    due: list[str],
    entries: Mapping[str, Entry],
    rows: dict[str, Row],
) -> dict[str, str]:
    """Fill the rows of what is due; return the versions of the environment."""
    root = package.folder.parent
    environment: dict[str, str] = {}
    left = list(due)
    with tempfile.TemporaryDirectory() as home:
        errors = Path(home, "stderr.txt")
        own = {"PYTHONPATH": str(root), **lane.variables}
        with (
            errors.open("w") as stderr,
            subprocess.Popen(
                [str(python), "-m", "tests.errors.run", *due],
                cwd=root,
                env=sealed.environment(Path(home), own),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,  # what an entry starts ends with it
            ) as process,
        ):
            lines: queue.Queue[str | None] = queue.Queue()
            reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
            reader.start()
            try:
                while (line := lines.get(timeout=SECONDS_FOR_AN_ENTRY)) is not None:
                    said = json.loads(line)
                    environment |= said.get("environment", {})
                    if name := said.get("entry"):
                        rows[name] = Row(entries[name].hash, said["said"], said["fix"])
                        left.remove(name)
            except queue.Empty:
                message = f"{left[0]} took longer than {SECONDS_FOR_AN_ENTRY} s"
                raise EntriesNotRunError(message) from None
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                reader.join()
        last = (errors.read_text(errors="replace").strip() or "no message").split("\n")
    if left:
        raise EntriesNotRunError(f"stopped at `{left[0]}`: {last[-1][:500]}")
    return environment


def _read(process: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert process.stdout is not None  # it is a pipe
    for line in process.stdout:
        lines.put(line)
    lines.put(None)

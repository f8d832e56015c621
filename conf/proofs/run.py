"""Run proofs in processes of their own, and hand over each verdict as it is seen.

In the environment of the build a verdict is recalled where it can be: from the
committed results of a lane of the same versions, or from the store. What is run is kept
one by one, unless it contradicts what the proof declares: then it is run again.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from conf import sealed
from conf.pages import fingerprint
from conf.pages.read import Problem
from conf.proofs.source import FOLDER, ProofSource
from conf.proofs.verdict import (
    DOES_NOT_RUN,
    Results,
    Row,
    fault,
    is_meant_for,
    runner,
    tensorflow,
)
from conf.store import Run, Store

SECONDS_FOR_A_PROOF = 300
# A signal by which Python dies of its own code; by others somebody ended it.
CRASHES = (signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV)


class ProofsNotRunError(Exception):
    """The proofs could not be run at all: one line with the cause."""


class Process:
    """Proofs that run one after the other, in a process that is replaced if it dies.

    Args:
        python: the interpreter.
        root: the folder that holds `tests` and the package.
        proofs: what to run, in this order.
        variables: environment variables.
        seen: called with each proof and its row, from a thread.
        seconds: how long one proof may take.
    """

    def __init__(
        self,
        python: str,
        root: Path,
        proofs: Iterable[ProofSource],
        variables: Mapping[str, str],
        seen: Callable[[ProofSource, Row], None],
        seconds: float = SECONDS_FOR_A_PROOF,
    ) -> None:
        self.python, self.root, self.seen, self.seconds = python, root, seen, seconds
        self.left = {proof.id: proof for proof in proofs}
        self.variables = dict(variables)
        self.environment: dict[str, str] = {}
        self.error = ""
        self.process: subprocess.Popen[str] | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> "Process":
        self.thread.start()
        return self

    def finish(self) -> None:
        """Wait until every proof was seen.

        Raises:
            ProofsNotRunError: they could not be run.
        """
        self.thread.join()
        if self.error:
            raise ProofsNotRunError(self.error)

    def stop(self) -> None:
        """End the process; what was seen has been handed over."""
        self.left.clear()
        if self.process:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def _run(self) -> None:
        with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
            home = Path(folder, "home")
            home.mkdir()
            own = {"PYTHONPATH": str(self.root), **self.variables}
            environment = sealed.environment(home, own)
            while self.left and not self.error:
                self._attempt(environment, Path(folder, "stderr.txt"))

    def _attempt(self, environment: dict[str, str], errors: Path) -> None:
        """Run what is left, until it is done or the process has died."""
        with errors.open("w") as stderr:
            self.process = subprocess.Popen(
                [self.python, "-m", "tests.proofs.run", *self.left],
                cwd=self.root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                start_new_session=True,
            )
        lines: queue.Queue[str | None] = queue.Queue()
        reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        reader.start()
        running = ""
        while True:
            try:
                line = lines.get(timeout=self.seconds)
            except queue.Empty:
                limit = f"took longer than {self.seconds:.0f} s"
                with suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
                self._died(running, limit)
                break
            if line is None:
                status = self.process.wait()
                if running or (status and self.left):
                    self._ended(running, status, errors)
                break
            said = json.loads(line)
            if "environment" in said:
                self.environment = said["environment"]
            elif "begins" in said:
                running = said["begins"]
            else:
                running = ""
                name = said.pop("verdict")
                if proof := self.left.pop(name, None):
                    self.seen(proof, Row(proof.hash, **said))
        reader.join()
        self.process.wait()
        with suppress(ProcessLookupError):  # what a proof started and left behind
            os.killpg(self.process.pid, signal.SIGKILL)

    def _read(self, lines: "queue.Queue[str | None]") -> None:
        assert self.process is not None
        assert self.process.stdout is not None  # it is a pipe
        for line in self.process.stdout:
            lines.put(line)
        lines.put(None)

    def _ended(self, running: str, status: int, errors: Path) -> None:
        if -status in CRASHES and running:
            self._died(running, f"Python died of it: {signal.Signals(-status).name}")
        elif self.left:  # not if it was stopped
            last = (errors.read_text(errors="replace").strip() or "no message").split(
                "\n"
            )[-1]
            at = f" at {running}" if running else ""
            self.error = f"{last[:500]} (exit status {status}{at})"

    def _died(self, running: str, why: str) -> None:
        proof = self.left.pop(running, None)
        if proof:
            self.seen(proof, Row(proof.hash, DOES_NOT_RUN, why))
        elif self.left:
            self.error = why


class Verdicts:
    """The verdicts of the environment of the build.

    Args:
        root: the folder that holds `tests`.
        store: where verdicts are kept.
        results: what was seen on the gating lanes.
    """

    def __init__(
        self, root: Path, store: Store, results: Callable[[], Mapping[str, Results]]
    ) -> None:
        self.root, self.store, self._results = root, store, results
        self.base = fingerprint.environment() + runner(root)
        self.unkept: dict[str, Row] = {}  # seen now, and not what the proof declares

    @cached_property
    def here(self) -> dict[str, str]:
        """The versions of this environment."""
        return here()

    @cached_property
    def committed(self) -> list[Results]:
        """Lanes of the versions of this build, whatever their Python or machine."""
        return [r for r in self._results().values() if same(r.environment, self.here)]

    def get(self, proof: ProofSource) -> Row | None:
        """What was seen of the proof, or None if it has to be run."""
        if proof.id in self.unkept:
            return self.unkept[proof.id]
        for lane in self.committed:
            if (row := lane.row(proof)) and lane.frames.get(proof.stem) == proof.frame:
                return row
        run = self.store.get(self._key(proof))
        return Row(**run.outputs[0][0]) if run else None

    def put(self, proof: ProofSource, row: Row) -> None:
        """Keep a verdict that is what the proof declares; note another one."""
        if fault(proof, row, self.here):
            self.unkept[proof.id] = row
        else:
            self.store.put(self._key(proof), Run([[asdict(row)]], [row.seconds]))

    def start(self, proofs: Iterable[ProofSource]) -> "Running | None":
        """Run what has no verdict, beside whatever else is going on."""
        stale = [
            proof
            for proof in proofs
            if is_meant_for(proof, self.here) and self.get(proof) is None
        ]
        return Running(self, stale) if stale else None

    def _key(self, proof: ProofSource) -> str:
        parts = [self.base, proof.id, proof.hash, proof.frame]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Running:
    """Proofs that are being run in other processes, one for each core."""

    def __init__(self, verdicts: Verdicts, proofs: list[ProofSource]) -> None:
        self.proofs = proofs
        seconds = {
            name: row.seconds
            for r in verdicts.committed
            for name, row in r.rows.items()
        }
        self.processes = [
            Process(sys.executable, verdicts.root, share, {}, verdicts.put).start()
            for share in shares(proofs, seconds, os.cpu_count() or 1)
        ]

    def finish(self) -> list[Problem]:
        """Wait, and say what kept proofs from being run."""
        problems = []
        for process in self.processes:
            try:
                process.finish()
            except ProofsNotRunError as error:
                message = f"the proofs could not be run: {error}"
                problems.append(Problem(FOLDER, 1, message))
        return problems

    def stop(self) -> None:
        """End them; what was seen is kept."""
        for process in self.processes:
            process.stop()


def shares(
    proofs: Iterable[ProofSource], seconds: Mapping[str, float], count: int
) -> list[list[ProofSource]]:
    """Deal proofs out by file, since those of a file share what they train.

    A file is halved where it alone would keep everybody waiting.

    Args:
        proofs: what to deal out.
        seconds: what each took last time.
        count: how many shares there are at most.
    """
    files: dict[str, list[ProofSource]] = {}
    for proof in proofs:
        files.setdefault(proof.stem, []).append(proof)

    def cost(some: list[ProofSource]) -> float:
        return sum(seconds.get(proof.id, 0.5) for proof in some)

    dealt: list[list[ProofSource]] = [[] for _ in range(count)]
    for some in sorted(files.values(), key=cost, reverse=True):
        min(dealt, key=cost).extend(some)
    return [share for share in dealt if share]


def here() -> dict[str, str]:
    """The versions of this environment, as lanes name them."""
    found = {"python": platform.python_version()}
    for name in ("tensorflow", "tensorflow-cpu", "keras", "numpy"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    # What `from tensorflow import keras` gives to a proof.
    is_legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in {"1", "true"}
    behind = "tf-keras" if is_legacy else "keras"
    return found | {"tf.keras": importlib.metadata.version(behind)}


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether a verdict seen in one environment is one for the other."""
    words = ("tf.keras", "numpy")
    return tensorflow(one) == tensorflow(other) and all(
        one.get(word) == other.get(word) for word in words
    )

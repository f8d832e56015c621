"""Run proofs in a process of their own, and hand over each verdict as it is seen."""

import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from conf import sealed
from conf.proofs.source import ProofSource
from conf.proofs.verdict import DOES_NOT_RUN, Row

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
                try:
                    self._attempt(environment, Path(folder, "stderr.txt"))
                except OSError as error:  # no Python, or a verdict cannot be kept
                    self.error = f"{error.strerror}: {error.filename}"
                    self.stop()

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
        with self.process.stdout as stdout:
            for line in stdout:
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

"""The verdicts of the environment of a build: recalled, or run and kept one by one.

In the environment of the build a verdict is recalled where it can be: from the
committed results of a lane of the same versions, or from the store. What is run is kept
one by one, unless it contradicts what the proof declares: then it is run again.
"""

import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from conf.pages import fingerprint
from conf.pages.read import Problem
from conf.proofs.process import Process, ProofsNotRunError
from conf.proofs.source import FOLDER, ProofSource
from conf.proofs.verdict import (
    Results,
    Row,
    fault,
    is_meant_for,
    runner,
    tensorflow,
)
from conf.store import Run, Store


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
        self.problems: set[Problem] = set()

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
            return
        try:
            self.store.put(self._key(proof), Run([[asdict(row)]], [row.seconds]))
        except OSError as error:
            self.unkept[proof.id] = row
            place = os.path.relpath(self.store.folder, self.root)
            message = f"verdicts cannot be kept: {error.strerror}"
            self.problems.add(Problem(place, 1, message))

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
        self.verdicts, self.proofs = verdicts, proofs
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
        return [*problems, *self.verdicts.problems]

    def stop(self) -> None:
        """End them; what was seen is kept."""
        for process in self.processes:
            process.stop()


def shares(
    proofs: Iterable[ProofSource], seconds: Mapping[str, float], count: int
) -> list[list[ProofSource]]:
    """Deal proofs out by file, since those of a file share what they train.

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

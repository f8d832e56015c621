"""Run proofs where they have not been run, and say which sentence is proved.

Here, in the environment of the build, verdicts are kept by fingerprint, as the outputs
of pages are. On other versions they are read from the committed results.
"""

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conf import fingerprints
from conf.pages import Problem
from conf.proofs import FOLDER, ProofSource
from conf.store import Run, Store

RUNNERS = ("proves.py", "run.py")
VARIABLES = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@dataclass(frozen=True)
class Verdict:
    """What was seen when one proof was run, and again under its falsifier."""

    holds: bool
    error: str
    falsified: bool | None
    falsifier_error: str


class Verdicts:
    """The verdicts of this environment."""

    def __init__(self, root: Path, store: Store) -> None:
        self.root, self.store = root, store
        runners = [path for name in RUNNERS if (path := root / FOLDER / name).exists()]
        texts = "".join(path.read_text("utf-8") for path in runners)
        self.base = fingerprints.environment() + texts

    def fingerprint(self, proof: ProofSource) -> str:
        """Equal fingerprints mean equal verdicts."""
        parts = [self.base, proof.id, proof.hash, proof.frame]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def get(self, proof: ProofSource) -> Verdict | None:
        """The verdict, or None if the proof has not been run on this fingerprint."""
        run = self.store.get(self.fingerprint(proof))
        return Verdict(**run.outputs[0][0]) if run else None

    def start(self, proofs: Iterable[ProofSource]) -> "Running | None":
        """Run what has no verdict, beside whatever else is going on."""
        stale = [proof for proof in proofs if self.get(proof) is None]
        return Running(self, stale) if stale else None


class Running:
    """Proofs that are being run in other processes, one for each core."""

    def __init__(self, verdicts: Verdicts, proofs: list[ProofSource]) -> None:
        self.verdicts, self.proofs = verdicts, proofs
        self.folder = tempfile.TemporaryDirectory(prefix="proofs-")
        cores = os.cpu_count() or 1
        self.shares = [proofs[start::cores] for start in range(cores)][: len(proofs)]
        self.processes = [
            self._process(Path(self.folder.name, f"{count}.json"), share)
            for count, share in enumerate(self.shares)
        ]

    def _process(
        self, out: Path, proofs: list[ProofSource]
    ) -> tuple[Path, "subprocess.Popen[str]"]:
        root = self.verdicts.root
        environment = os.environ | VARIABLES | {"PYTHONPATH": str(root)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "tests.proofs.run", "--out", str(out)]
        process = subprocess.Popen(
            [*command, *(proof.id for proof in proofs)],
            cwd=root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        return out, process

    def finish(self) -> list[Problem]:
        """Wait, keep the verdicts, and say what kept them from being made."""
        seen: dict[str, dict[str, Any]] = {}
        problems = []
        for share, (out, process) in zip(self.shares, self.processes, strict=True):
            _, errors = process.communicate()
            unfinished = out.with_suffix(".unfinished")
            try:
                written = out if out.exists() else unfinished
                seen |= json.loads(written.read_text("utf-8"))["verdicts"]
            except (OSError, ValueError, KeyError):
                last = (errors.strip().splitlines() or ["no output"])[-1]
                message = f"the proofs could not be run: {last}"
                problems.append(Problem(FOLDER, 1, message))
                continue
            left = [proof for proof in share if proof.id not in seen]
            if left:
                message = f"the proof `{left[0].id}` took Python down"
                problems.append(Problem(left[0].path, left[0].line, message))
        self.folder.cleanup()
        for proof in self.proofs:
            if verdict := dict(seen.get(proof.id, {})):
                seconds = float(verdict.pop("seconds"))
                key = self.verdicts.fingerprint(proof)
                self.verdicts.store.put(key, Run([[verdict]], seconds))
        return problems


def here() -> dict[str, str]:
    """The versions of this environment, as ranges speak of them."""
    found = {"python": platform.python_version()}
    for name in ("tensorflow", "keras"):
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    # What `from tensorflow import keras` gives to a proof.
    is_legacy = os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in {"1", "true"}
    behind = "tf-keras" if is_legacy else "keras"
    return found | {"tf.keras": importlib.metadata.version(behind)}


@dataclass(frozen=True)
class Row:
    """What one environment says about one proof.

    `seen` is whether it holds there, `expected` whether it is declared to.
    """

    lane: str
    expected: bool
    seen: bool
    falsified: bool | None


def judge(
    proof: ProofSource, here: Verdict, expected: bool, rows: Mapping[str, Row]
) -> Iterator[str]:
    """Say what keeps a proof from earning its mark, one message each.

    Args:
        proof: the proof.
        here: its verdict in the environment of the build.
        expected: whether it is declared to hold there.
        rows: what the gating environments say, by their names.
    """
    name = proof.id.partition(".")[2]
    if not proof.has_assertion:
        yield f"the proof `{name}` asserts nothing"
    if not (proof.has_falsifier or proof.keras or proof.tensorflow):
        yield f"nobody can see the proof `{name}` fail: give it a falsifier or a range"
    if expected and not here.holds:
        yield f"the proof `{name}` failed: {here.error}"
    if here.holds and not expected:
        declared = proof.keras or proof.tensorflow
        yield f"the proof `{name}` holds here, outside its range {declared}"
    if proof.has_falsifier and here.holds and here.falsified is not True:
        why = here.falsifier_error
        yield f"the proof `{name}` does not fail under its falsifier: {why}"
    was_falsified = any(row.falsified for row in rows.values()) or here.falsified
    if here.holds and not was_falsified and all(row.seen for row in rows.values()):
        yield f"nobody has seen the proof `{name}` fail"
    for row in rows.values():
        if row.falsified is False:
            yield f"the proof `{name}` holds under its falsifier on {row.lane}"
        if row.seen != row.expected:
            word = "does not hold" if row.expected else "holds"
            yield f"the proof `{name}` {word} on {row.lane}, against its range"

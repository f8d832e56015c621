"""Outputs of executed pages, one file per fingerprint.

Files are written whole or not at all, so a killed build leaves nothing half-made, and
each carries a hash of its content: a file that was cut short or edited counts as
absent.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """What one execution of a page left behind.

    Attributes:
        outputs: per code cell, its outputs in notebook format.
        seconds: of one core, what each of its cells took.
    """

    outputs: list[list[dict[str, Any]]]
    seconds: list[float]


class Store:
    """A folder of runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, fingerprint: str) -> Run | None:
        """The run stored under the fingerprint, or None."""
        try:
            checksum, _, body = (
                self._path(fingerprint).read_text("utf-8").partition("\n")
            )
        except (OSError, UnicodeDecodeError):
            return None
        if checksum != _checksum(fingerprint, body):
            return None
        return Run(**json.loads(body))

    def put(self, fingerprint: str, run: Run) -> None:
        """Store a run; readers see the old file or the new one, never a part."""
        self.folder.mkdir(parents=True, exist_ok=True)
        body = json.dumps(asdict(run), indent=1, sort_keys=True)
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{_checksum(fingerprint, body)}\n{body}")
        os.replace(temporary, self._path(fingerprint))

    def _path(self, fingerprint: str) -> Path:
        return self.folder / f"{fingerprint}.json"


def _checksum(fingerprint: str, body: str) -> str:
    return hashlib.sha256(f"{fingerprint}\n{body}".encode()).hexdigest()

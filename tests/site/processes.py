"""Find processes by a mark in the environment that their build was started with."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 120  # no test ends by this, unless something is broken


def marked(mark: str) -> dict[int, str]:
    """Command lines of the living processes that carry the mark, by process."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended, or belongs to somebody else
            continue
        if f"MARK={mark}".encode() in variables:
            found[int(folder.name)] = line
    return found


def left_after(mark: str, seconds: float = 30) -> list[str]:
    """The marked processes that outlive their time; they are then ended."""
    end = time.monotonic() + seconds
    while (found := marked(mark)) and time.monotonic() < end:
        time.sleep(0.05)
    for process in found:
        os.kill(process, signal.SIGKILL)
    return list(found.values())


def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < end, f"waited {SECONDS} s for {what}"
        time.sleep(0.05)

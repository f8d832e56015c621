"""Say in one issue what newer versions changed, from the logs of the weekly runs.

`python -m conf.hosting.weekly SEEN` prints Markdown, or nothing if there is nothing to
say. Nothing but Python is needed.
"""

import re
import sys
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

MOST = 200  # lines of a run; an issue takes 65,536 characters
LONGEST = 240  # characters of a line


@dataclass(frozen=True)
class Run:
    """A weekly run.

    Attributes:
        title: what it looked at.
        found: matches a line of its log that names something changed.
        finished: matches a line that only a run that came to its end has.
    """

    title: str
    found: re.Pattern[str]
    finished: re.Pattern[str]


RUNS = {
    "newest": Run(
        "Proofs and messages on the newest releases",
        re.compile(r"^\S+\.\w+:\d+: .+"),
        re.compile(r"^\d+ proofs, \d+ run now", re.MULTILINE),
    ),
    "nightly": Run(
        "Proofs and messages on tonight's builds",
        re.compile(r"^nightly: .+"),
        re.compile(r"^1 lane in \d+ s", re.MULTILINE),
    ),
    "links": Run(
        "Links to elsewhere",
        re.compile(r"^.*\bbroken\b.*https?://.+"),
        re.compile(r"^build (succeeded|finished)", re.MULTILINE),
    ),
}
_COLORS = re.compile(r"\x1b\[[0-9;]*m")


def report(seen: Path) -> str:
    """The text of the issue."""
    parts = []
    for name, run in RUNS.items():
        path = seen / f"{name}.log"
        text = _COLORS.sub("", path.read_text("utf-8")) if path.exists() else ""
        lines = [line for line in text.splitlines() if run.found.match(line)]
        # A line is said once, though a log may say it twice.
        lines = list(dict.fromkeys(lines))
        if not run.finished.search(text):
            last = text.splitlines()[-20:] or ["there is no log"]
            parts.append(_part(f"{run.title}: the run did not finish", last))
        if lines:
            parts.append(_part(f"{run.title}: {len(lines)}", lines))
    if parts and (versions := _versions(seen)):
        parts.append(_part("The newest releases", versions))
    return "\n\n".join(parts) + "\n" if parts else ""


def _part(title: str, lines: list[str]) -> str:
    shown = [line[:LONGEST].replace("```", "'''") for line in lines[:MOST]]
    more = len(lines) - MOST
    rest = [f"... and {more} more"] if more > 0 else []
    return "\n".join([f"## {title}", "", "```text", *shown, *rest, "```"])


def _versions(seen: Path) -> list[str]:
    """The locked versions that changed, as lines of a diff."""
    before, after = (_pins(seen / name) for name in ("before.txt", "after.txt"))
    changed = unified_diff(before, after, n=0, lineterm="")
    return [line for line in changed if re.match(r"[+-]\w", line)]


def _pins(path: Path) -> list[str]:
    text = path.read_text("utf-8") if path.exists() else ""
    return re.findall(r"^[\w.-]+==[\w.]+", text, re.MULTILINE)


if __name__ == "__main__":
    print(report(Path(sys.argv[1])), end="")

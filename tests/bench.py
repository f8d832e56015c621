"""Measure the two commands and the builds of this site against their bars.

`python -m tests.bench NOX` gets the Python that has nox, and works on a copy of the
files that git knows, with a home folder of its own. The tables are shown by
`docs/about/speed.md`; wall seconds are those of a machine, so processor seconds and the
ratio to what cannot be avoided stand beside them.
"""

import csv
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs/about/speed.csv"
PAGES = ROOT / "docs/about/speed_pages.csv"
ROUNDS = 3


@dataclass(frozen=True)
class Cost:
    """What something took.

    Attributes:
        wall: seconds on the clock.
        processor: seconds of all cores that the machine was busy meanwhile: what a
            build starts is not all its child, and a bench has the machine to itself.
    """

    wall: float
    processor: float


def cost(action: Callable[[], object]) -> Cost:
    """Do something in other processes and say what it took."""

    def used() -> float:
        times = psutil.cpu_times()
        return float(times.user + times.system)

    wall, processor = time.perf_counter(), used()
    action()
    return Cost(time.perf_counter() - wall, used() - processor)


class Copy:
    """A copy of this site in a folder of its own, as a fresh clone has it."""

    def __init__(self, folder: Path, nox: str) -> None:
        self.folder, self.nox = folder / "site", nox
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).exists():
                target = self.folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, target)
        home = folder / "home"
        home.mkdir()
        wanted = {n: v for n, v in os.environ.items() if not n.startswith("PYTHON")}
        self.environment = {**wanted, "HOME": str(home)}

    def session(self, name: str) -> str:
        """Run one of nox's sessions, with all that it installs; return what it says."""
        return self._run([self.nox, "-m", "nox", "-s", name])

    def build(self, *arguments: str) -> None:
        """Build as the session `docs` does, without looking at what is installed."""
        options = ("-q", "-c", "conf", "-n", "-W", "--keep-going", "-j", "auto")
        self._sphinx(*options, "-d", "build/doctrees", "docs", "build/html", *arguments)

    def bare(self) -> None:
        """Build the same pages by Sphinx and MyST-NB alone, in folders of their own."""
        plain = ("-D", "extensions=myst_nb,sphinx_copybutton,sphinx_design")
        options = ("-Q", "-c", "conf", "-D", "nb_execution_mode=off", *plain)
        self._sphinx(*options, "-d", "bare/doctrees", "docs", "bare/html")

    def import_tensorflow(self) -> None:
        self._run([self.python, "-c", "import tensorflow, tf_keras, matplotlib.pyplot"])

    @property
    def python(self) -> str:
        return str(self.folder / ".nox/docs/bin/python")

    def _sphinx(self, *arguments: str) -> None:
        self._run([self.python, "-m", "sphinx", *arguments])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, "PYTHONPATH": str(self.folder)}
            if command[0] == self.python
            else self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            sys.exit(
                f"{' '.join(command)} ended with {done.returncode}:\n"
                f"{done.stdout[-2000:]}\n{done.stderr}"
            )
        return done.stdout

    def forget(self, *names: str) -> None:
        """Remove results: `html`, `doctrees`, `store`."""
        for name in names:
            shutil.rmtree(self.folder / "build" / name, ignore_errors=True)

    def cell_seconds(self) -> list[float]:
        """What the cells of each page took of one core."""
        runs = (self.folder / "build/store").glob("*.json")
        texts = (run.read_text("utf-8").partition("\n")[2] for run in runs)
        pages = [sum(json.loads(text)["seconds"]) for text in texts]
        return [seconds for seconds in pages if seconds]

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """Hold an edit for as long as it is measured."""
        file = self.folder / path
        before = file.read_text("utf-8")
        assert old in before, f"{old!r} is not in {path}"
        file.write_text(before.replace(old, new, 1), "utf-8")
        yield
        file.write_text(before, "utf-8")


Row = tuple[str, Cost, str, str]


def main() -> None:
    """Measure, and keep each row as it is seen."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    machine += f", Python {platform.python_version()}"
    heads = ["What", "Wall, s", "Processor, s", "Seen", "Bar", "Measured on"]
    with tempfile.TemporaryDirectory() as folder:
        site = Copy(Path(folder), sys.argv[1])  # with the table of last time
        rows = [heads]
        for what, seen, ratio, bar in measure(site):
            times = [f"{seconds:.0f}" for seconds in (seen.wall, seen.processor)]
            rows.append([what, *times, ratio, bar, f"{machine}, {time.strftime('%F')}"])
            with TABLE.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
            print(*rows[-1], sep=" | ", flush=True)


def measure(site: Copy) -> Iterator[Row]:
    """Yield what was measured, its cost, its ratio and its bar."""
    said: list[str] = []
    first = cost(lambda: said.append(site.session("docs")))
    keep_pages(said[0])
    yield "`nox -s docs`, fresh clone, empty home", first, "", "300 s"
    unchanged = [cost(site.build) for _ in range(ROUNDS)]
    site.bare()
    own = [cost(site.bare).wall for _ in range(ROUNDS)]
    ratios = [one.wall / other for one, other in zip(unchanged, own, strict=True)]
    yield "Nothing changed", unchanged[-1], spread(ratios, "Sphinx's own"), "1.2"
    edits = []
    for count in range(ROUNDS):
        with site.edited(
            "docs/guides/input_layers.md", "\n## ", f"\nEdit {count}.\n\n## "
        ):
            edits.append(cost(site.build))
        site.build()
    ratios = [e.wall / u.wall for e, u in zip(edits, unchanged, strict=True)]
    yield "One sentence edited", edits[-1], spread(ratios, "nothing changed"), "2"
    cores = os.cpu_count() or 1
    ratios = []
    cold = Cost(0, 0)
    for _ in range(ROUNDS):
        site.forget("html", "doctrees", "store")
        cold = cost(site.build)
        cells = sum(site.cell_seconds())
        site.forget("html", "doctrees")
        recalled = cost(site.build).wall
        imported = cost(site.import_tensorflow).wall
        ratios.append(cold.wall / (imported + cells / cores + recalled))
    yield "Everything installed, nothing kept", cold, spread(ratios, "the floor"), "1.3"
    tests = cost(lambda: site.session("tests"))
    yield "`nox -s tests`, with every proof of this environment", tests, "", "600 s"


def keep_pages(said: str) -> None:
    """Keep how long the cells of each page took: the longest is run first next time."""
    found = re.findall(r"ran docs/(\S+)\.md in .* its cells in ([\d.]+) s of", said)
    with PAGES.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Page", "Its cells, s of one core"])
        writer.writerows(sorted(found, key=lambda row: -float(row[1])))


def spread(ratios: list[float], base: str) -> str:
    """The median of some ratios, and how far they go."""
    middle = statistics.median(ratios)
    return f"{middle:.2f} times {base} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()

"""Measure builds of this site against the least they could take.

The table is shown by `docs/about/speed.md`.

Every figure is a ratio within one run, so that it holds on other machines too.
"""

import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "docs/about/speed.csv"
COPIED = ("conf", "docs", "snippets", "tests", "CONTRIBUTING.md", "CHANGELOG.md")
ROUNDS = 3


class Site:
    """A copy of this site that may be edited, and how long its builds take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, folder / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(source, folder / name)

    def build(self, strict: bool = True) -> float:
        """Build and return the seconds it took.

        Args:
            strict: as published, with warnings as errors. A recipe that was edited a
                moment ago has proofs that no other version has seen, which is one.
        """
        command = [sys.executable, "-m", "sphinx", "-q", "-c", "conf", "-n"]
        command += ["-W", "--keep-going"] if strict else []
        start = time.perf_counter()
        subprocess.run(
            [*command, "-d", "build/doctrees", "docs", "build/html"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder)},
            stderr=None if strict else subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start

    def forget(self, *names: str) -> None:
        """Remove results: `html`, `doctrees`, `store`."""
        for name in names:
            shutil.rmtree(self.folder / "build" / name, ignore_errors=True)

    def cell_seconds(self) -> float:
        """How long the cells of all pages took."""
        runs = (self.folder / "build/store").glob("*.json")
        return sum(
            json.loads(run.read_text().partition("\n")[2])["seconds"] for run in runs
        )

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[None]:
        """Hold an edit for as long as it is measured."""
        file = self.folder / path
        before = file.read_text()
        assert old in before, f"{old!r} is not in {path}"
        file.write_text(before.replace(old, new, 1))
        yield
        file.write_text(before)


def main() -> None:
    """Measure, print the table and keep it."""
    with tempfile.TemporaryDirectory() as folder:
        rows = list(measure(Site(Path(folder))))
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    machine += f", Python {platform.python_version()}"
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["Build", "Floor", "Ratio", "Lowest to highest", "Bar", "Measured on"]
        )
        for build, floor, ratios, bar in rows:
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            ratio = f"{statistics.median(ratios):.2f}"
            writer.writerow([build, floor, ratio, spread, bar, machine])
    sys.stdout.write(TABLE.read_text())


def measure(site: Site) -> Iterator[tuple[str, str, list[float], str]]:
    """Yield build, floor, ratios and bar."""
    cold, recalled, cells, imports = [], [], [], []
    for _ in range(ROUNDS):
        site.forget("html", "doctrees", "store")
        cold.append(site.build())
        cells.append(site.cell_seconds())
        site.forget("html", "doctrees")
        recalled.append(site.build())  # the pages' outputs are there: Sphinx's own time
        imports.append(seconds(lambda: run("import tensorflow")))
    cores = os.cpu_count() or 1
    floors = [
        i + c / cores + r for i, c, r in zip(imports, cells, recalled, strict=True)
    ]
    yield (
        "Cold",
        "one import of TensorFlow + the cells' time ÷ cores + Sphinx's own time",
        ratios(cold, floors),
        "≤ 1.3",
    )
    unchanged = [site.build() for _ in range(ROUNDS)]
    own = [seconds(lambda: no_op(site)) for _ in range(ROUNDS + 1)][
        1:
    ]  # the first one builds
    yield (
        "Nothing changed",
        "Sphinx's own build of nothing",
        ratios(unchanged, own),
        "≤ 1.2",
    )

    times, floors = [], []
    for count in range(ROUNDS):
        old, new = '"""Recipes around', f'"""Recipes around, edit {count}'
        with site.edited("snippets/input_layers.py", old, new):
            before = site.cell_seconds()
            times.append(site.build(strict=False))
            ran = site.cell_seconds() - before
        floors.append(imports[count] + ran + unchanged[count])
        site.build()
    yield (
        "One recipe edited",
        "one import of TensorFlow + the cells of its pages + nothing changed",
        ratios(times, floors),
        "its pages run, no others",
    )
    times = []
    for count in range(ROUNDS):
        old, new = "# Input layers", f"# Input layers {count}"
        with site.edited("docs/guides/input_layers.md", old, new):
            times.append(site.build())
        site.build()
    yield (
        "One sentence edited",
        "nothing changed",
        ratios(times, unchanged),
        "nothing runs",
    )


def no_op(site: Site) -> None:
    """A build of the same pages by Sphinx and MyST-NB alone, in a folder of its own."""
    bare = "extensions=myst_nb,sphinx_copybutton,sphinx_design"
    command = [sys.executable, "-m", "sphinx", "-Q", "-c", "conf", "-D", bare]
    subprocess.run(
        [
            *command,
            "-D",
            "nb_execution_mode=off",
            "-d",
            "bare/doctrees",
            "docs",
            "bare/html",
        ],
        cwd=site.folder,
        env=os.environ | {"PYTHONPATH": str(site.folder)},
        check=True,
    )


def run(code: str) -> None:
    """Run code in a new interpreter."""
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


def seconds(action: Callable[[], None]) -> float:
    """How long an action takes."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def ratios(times: list[float], floors: list[float]) -> list[float]:
    """Each time over the floor of its round."""
    return [time / floor for time, floor in zip(times, floors, strict=True)]


if __name__ == "__main__":
    main()

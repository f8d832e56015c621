"""Measure what has no record on this machine as it is now, and keep it.

`python -m conf.reference.measure [STEM ...] [--all]` is the session `measure`. One
thing runs at a time, on a machine that should have nothing else to do; what was
measured is kept at once.
"""

import argparse
import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from conf import sealed
from conf.conf import (
    myst_enable_extensions,
    page_preload,
    page_store,
    recipes_package,
)
from conf.pages import fingerprint, read, run
from conf.pages.reach import Reach
from conf.pages.read import Page, Problem
from conf.pages.recipes import Package
from conf.proofs.run import here
from conf.reference import measured
from conf.reference.measured import Measurement, Record
from conf.store import Run

ROOT = Path(__file__).parents[2]
IDLE = 0.5  # processes that want to run; more disturb a timing
SECONDS_FOR_A_CELL = 900


def main() -> int:
    """Measure what the command line names, or everything that is stale."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "stems", nargs="*", metavar="STEM", help="guides, for example gans"
    )
    parser.add_argument("--all", action="store_true", help="fresh records too")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    busy = load > IDLE
    words = "busy: timings may be disturbed" if busy else "idle"
    print(f"{machine()}, load {load:.1f}: {words}", flush=True)
    book = Book(arguments.stems, arguments.all)
    failed = book.measure_functions() + book.measure_pages()
    for line in failed:
        print(line, file=sys.stderr)
    return 1 if failed else 0


def machine() -> str:
    """The machine in words: processor, accelerator, cores, system."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    cores = cores or os.cpu_count() or 1
    parts = [(names or [platform.machine()])[0].strip()]
    parts += [f"{cores} core{'s' * (cores != 1)}", platform.system()]
    return ", ".join(parts)


class Book:
    """The records of this machine, while they are being written.

    Args:
        stems: the guides to measure; empty means all.
        everything: whether fresh records are made again too.
    """

    def __init__(self, stems: list[str], everything: bool) -> None:
        self.stems, self.everything = stems, everything
        self.package = Package(Path(recipes_package))
        self.reach = Reach(self.package)
        self.machine = machine()
        slug = re.sub(r"[^a-z0-9]+", "-", self.machine.lower()).strip("-")
        self.path = ROOT / measured.FOLDER / "records" / f"{slug}.json"
        known = measured.load(self.path)[1] if self.path.exists() else {}
        self.records: dict[str, Record] = dict(known)

    def keep(self, name: str, record: Record) -> None:
        self.records[name] = record
        measured.save(self.path, self.machine, self.records)

    def wants(self, stem: str) -> bool:
        return not self.stems or stem in self.stems

    def is_stale(self, name: str, digest: str) -> bool:
        record = self.records.get(name)
        return self.everything or record is None or record.hash != digest

    def measure_functions(self) -> list[str]:
        """Run the functions, those of a guide in one process."""
        by_stem: dict[str, list[Measurement]] = {}
        known = measured.read(ROOT, self.package)
        for name in [n for n in self.records if "#" not in n and n not in known]:
            del self.records[name]
        for name, measurement in known.items():
            stem = name.partition(".")[0]
            if self.wants(stem) and self.is_stale(name, measurement.hash):
                by_stem.setdefault(stem, []).append(measurement)
        failed = []
        for stem, due in by_stem.items():
            print(f"{stem}: {len(due)} to measure", flush=True)
            failed += self._run_functions(due)
        return failed

    def _run_functions(self, due: list[Measurement]) -> list[str]:
        wanted = {m.id: m for m in due}
        versions: dict[str, str] = {}
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryFile("w+") as err:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.measurements.run"]
                + [f"{m.id}={m.rounds}" for m in due],
                cwd=ROOT,
                env=sealed.environment(Path(home), {"PYTHONPATH": str(ROOT)}),
                stdout=subprocess.PIPE,
                stderr=err,
                text=True,
            )
            assert process.stdout is not None  # it is a pipe
            seen: dict[str, list[dict[str, float]]] = {}
            for line in process.stdout:
                said = json.loads(line)
                if "versions" in said:
                    versions = said["versions"]
                    continue
                name = said["measured"]
                seen.setdefault(name, []).append(said["figures"])
                print(f"  {name} [{said['round']}] {said['figures']}", flush=True)
                if len(seen[name]) == wanted[name].rounds:
                    record = Record(
                        hash=wanted[name].hash,
                        date=today(),
                        versions=versions,
                        figures=tuple(seen[name]),
                    )
                    self.keep(name, record)
            status = process.wait()
            err.seek(0)
            last = (err.read().strip().splitlines() or ["no message"])[-1]
        left = [
            name for name in wanted if len(seen.get(name, [])) < wanted[name].rounds
        ]
        if not left:
            return []
        return [f"{left[0]} could not be measured: {last} (exit status {status})"]

    def measure_pages(self) -> list[str]:
        """Run the pages whose measured cells have no record, one after the other."""
        due: list[tuple[str, Page]] = []
        for path in sorted((ROOT / "docs").rglob("*.md")):
            docname = path.relative_to(ROOT / "docs").with_suffix("").as_posix()
            place = path.relative_to(ROOT).as_posix()
            text = path.read_text("utf-8")
            page = read.read(text, place, self.package, myst_enable_extensions)
            hashes = [
                fingerprint.of_measured(page, cell, self.reach)
                for cell in page.cells
                if cell.is_measured
            ]
            names = {measured.cell_name(docname, digest): digest for digest in hashes}
            self._forget(docname, set(names))
            is_due = any(self.is_stale(name, digest) for name, digest in names.items())
            if page.problems:
                return [str(problem) for problem in page.problems]
            if is_due and self.wants(path.stem):
                due.append((docname, page))
        failed: list[str] = []
        settings = run.Settings(
            jobs=1,
            timeout=SECONDS_FOR_A_CELL,
            preload=tuple(page_preload),
            home=Path(page_store).parent / "home",
            measure=True,
        )
        docnames = {page.path: docname for docname, page in due}

        def finished(page: Page, result: Run | list[Problem], seconds: float) -> None:
            if isinstance(result, Run):
                self._keep_cells(docnames[page.path], page, result)
                print(f"  {page.path} in {seconds:.0f} s", flush=True)
            else:
                failed.extend(str(problem) for problem in result)

        pages = [page for _, page in due]
        if pages:
            run.run_all(
                pages, settings, lambda page: print(page.path, flush=True), finished
            )
        return failed

    def _forget(self, docname: str, names: set[str]) -> None:
        """Drop the records of cells that are gone."""
        prefix = measured.cell_name(docname, "")
        for name in [n for n in self.records if n.startswith(prefix)]:
            if name not in names and self.wants(docname.rpartition("/")[2]):
                del self.records[name]

    def _keep_cells(self, docname: str, page: Page, result: Run) -> None:
        for cell, outputs in zip(page.cells, result.outputs, strict=True):
            if cell.is_measured:
                digest = fingerprint.of_measured(page, cell, self.reach)
                record = Record(
                    hash=digest, date=today(), versions=here(), outputs=tuple(outputs)
                )
                self.keep(measured.cell_name(docname, digest), record)


def today() -> str:
    """The day, as records name it."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


if __name__ == "__main__":
    sys.exit(main())

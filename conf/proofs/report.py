"""Run all proofs and print what each page proves and leaves open.

`python -m conf.proofs.report` is the session `proofs`. It ends with 1 if a proof is not
in order; what is merely open is listed, page by page, to be driven to zero.
"""

import sys
import time
from pathlib import Path

from conf.pages import read
from conf.pages.read import Problem
from conf.pages.recipes import Package
from conf.proofs.proving import Proving, full_name
from conf.store import Store

ROOT = Path(__file__).parents[2]
EXTENSIONS = ["colon_fence", "deflist"]


def main() -> int:
    """Run what is stale, print the table, and say what is not in order."""
    package = Package(ROOT / "snippets")
    proving = Proving(ROOT, package, Store(ROOT / "build/store"))
    start = time.perf_counter()
    running = proving.start()
    stale = len(running.proofs) if running else 0
    problems = running.finish() if running else []
    seconds = time.perf_counter() - start
    cited: dict[str, list[tuple[str, int]]] = {}
    for path in sorted((ROOT / "docs").rglob("*.md")):
        problems += _page(path, package, proving, cited)
    problems += [fault.problem for fault in proving.judged(cited)]
    problems += proving.problems
    print(f"\n{len(proving.proofs)} proofs, {stale} run now in {seconds:.1f} s")
    for problem in sorted(set(problems)):
        print(problem)
    return 1 if problems else 0


def _page(
    path: Path,
    package: Package,
    proving: Proving,
    cited: dict[str, list[tuple[str, int]]],
) -> list[Problem]:
    """Print one page's figures and return what is wrong with its marks."""
    place = path.relative_to(ROOT).as_posix()
    docname = path.relative_to(ROOT / "docs").with_suffix("").as_posix()
    text = path.read_text("utf-8")
    page = read.read(text, place, package, EXTENSIONS)
    found = proving.marked(text, docname, page.cells, EXTENSIONS)
    still_open = [sentence for sentence in found.unproved if sentence.needs_proof]
    if found.marks or (docname.startswith("guides/") and page.cells):
        total = len(found.marks) + len(found.unproved)
        print(
            f"{place}: {total} sentences, {len(found.marks)} proved, "
            f"{len(still_open)} open"
        )
        for sentence in still_open:
            print(f"  {place}:{sentence.line}: {sentence.text}")
    for mark in found.marks:
        for name in mark.names:
            places = cited.setdefault(full_name(docname, name), [])
            places.append((place, mark.line))
    return [fault.problem for fault in proving.check(place, docname, found)]


if __name__ == "__main__":
    sys.exit(main())

"""The fingerprint of a page: equal fingerprints mean equal outputs.

It covers the cells that run, the code of every recipe that they reach, the installed
distributions, Python, the machine, and the variables that are passed on. Prose is not
part of it, nor are docstrings and comments that the page does not show.
"""

import ast
import builtins
import hashlib
import json
import platform
import sys
from functools import cache
from pathlib import Path

from conf import sealed
from conf.pages.reach import Reach, canonical, of_files
from conf.pages.read import Cell, Page

_BUILTINS = frozenset(dir(builtins))  # two cells that print have nothing in common
# How pages are run is part of what they print.
RUNNERS = ("pages/run.py", "pages/kernel.py", "pages/outputs.py", "sealed.py")


@cache
def environment() -> str:
    """A hash of everything outside the project that can change an output."""
    installed = {
        path.name
        for folder in sys.path
        for pattern in ("*.dist-info", "*.egg-info")
        for path in Path(folder or ".").glob(pattern)
    }
    here = Path(__file__).parents[1]
    facts = [sorted(installed), sys.version, platform.machine(), platform.system()]
    variables = sorted(sealed.passed().items())
    return _hash([*facts, variables, of_files(here / name for name in RUNNERS)])


def of_page(page: Page, reach: Reach) -> str:
    """The page's fingerprint, or an empty string for a page that runs nothing."""
    cells = [
        [cell.code, cell.tags, cell.timeout, cell.alt, cell.caption]
        for cell in page.running
    ]
    if not cells:
        return ""
    return _hash([cells, _reached(page.running, reach), environment()])


def of_measured(page: Page, cell: Cell, reach: Reach) -> str:
    """What the figures of one measured cell come from: the code that leads to it.

    That is the cell, and of the cells before it those that bind what it uses, and so
    on; other cells of the page may change.
    """
    before = [other for other in page.cells if other.index < cell.index]
    shared = _BUILTINS.difference(*(other.binds for other in before))
    needed = cell.uses - shared
    kept = [cell]
    for other in reversed(before):
        if needed & (other.binds | other.uses if other.only_acts else other.binds):
            kept.append(other)
            needed |= other.uses - shared
    typed = [canonical(ast.parse(other.code)) for other in kept if not other.recipes]
    return _hash([typed, _reached(kept, reach)])[:20]


def _reached(cells: list[Cell], reach: Reach) -> list[str]:
    shown = {recipe.name for cell in cells for recipe in cell.recipes}
    found = []
    for name in sorted(shown):
        module, own = reach.package.place(name)
        found.append(reach.digest(module, [module.objects[own]]))
    return found


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

"""The fingerprint of a page: equal fingerprints mean equal outputs.

It covers the code that runs, every file of the package that this code reaches, the
installed distributions, Python, the machine, and the variables that steer Keras and
TensorFlow. Prose is not part of it.
"""

import hashlib
import json
import os
import platform
import sys
from functools import cache
from pathlib import Path

from conf.pages import Page
from conf.recipes import Package

VARIABLES = ("KERAS_", "TF_", "XLA_")
# How pages are run is part of what they print.
RUNNERS = ("execution.py", "kernel.py", "outputs.py")


@cache
def environment() -> str:
    """A hash of everything outside the project that can change an output."""
    installed = {
        path.name
        for folder in sys.path
        for pattern in ("*.dist-info", "*.egg-info")
        for path in Path(folder or ".").glob(pattern)
    }
    runners = [(Path(__file__).parent / name).read_bytes().hex() for name in RUNNERS]
    variables = {
        name: value for name, value in os.environ.items() if name.startswith(VARIABLES)
    }
    facts = [sorted(installed), sys.version, platform.machine(), platform.system()]
    return _hash([*facts, sorted(variables.items()), runners])


def fingerprint(page: Page, package: Package) -> str:
    """The page's fingerprint, or an empty string for a page that runs nothing."""
    if not page.cells:
        return ""
    cells = [
        [cell.code, cell.tags, cell.timeout, cell.alt, cell.caption]
        for cell in page.cells
    ]
    shown = [recipe.name for recipe in page.recipes]
    return _hash([cells, package.reachable(shown), environment()])


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

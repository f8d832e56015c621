"""Run `python -m sphinx` many times with one import of Sphinx and MyST-NB.

This script imports what is installed, nothing of this project, and then forks a process
for each line of its standard input, a JSON object: the folder, the variables and the
arguments of a build, and the files for its outputs. Each process becomes what
`python -P -m sphinx` is from there on. Its exit status is answered with a line.

Importing takes three times as long as building a small site.
"""

import gc
import importlib
import json
import os
import runpy
import sys
from typing import Any

INSTALLED = (
    *("sphinx.cmd.build", "sphinx.application", "sphinx.builders.html"),
    *("sphinx.ext.napoleon", "pygments.lexers.python", "pygments.formatters.html"),
    *("myst_nb.sphinx_ext", "nbclient", "jupyter_client.manager"),
)


def wanted() -> dict[str, Any] | None:
    """Wait for builds; in the process of one, what it is to do."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            request: dict[str, Any] = json.loads(line)
            return request
        status = os.waitpid(child, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)
    return None


def become(request: dict[str, Any]) -> None:
    """Take over folder, variables and files, as a new process would have them."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["variables"])
    files = (os.devnull, request["output"], request["errors"])
    for number, path in enumerate(files):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    sys.path[:0] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.dont_write_bytecode = "PYTHONDONTWRITEBYTECODE" in os.environ
    importlib.invalidate_caches()
    sys.argv = ["sphinx", *request["arguments"]]


if __name__ == "__main__":
    for name in INSTALLED:
        importlib.import_module(name)
    from sphinx.application import builtin_extensions

    for name in builtin_extensions:
        importlib.import_module(name)
    gc.freeze()
    if request := wanted():
        become(request)
        runpy.run_module("sphinx", run_name="__main__", alter_sys=True)

"""The kernel that runs a page: ipykernel, with two additions.

It ends when the build that started it ends, however that ended, and it reports a figure
that shows nothing. `python -m conf.pages.kernel -f FILE` starts one from scratch; `run`
is what a process forked from the warm server calls.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

from ipykernel.kernelapp import IPKernelApp
from IPython.display import display

EMPTY_FIGURE = "application/vnd.empty-figure"


def run(
    arguments: list[str], folder: str, environment: Mapping[str, str], errors: str = ""
) -> None:
    """Turn this process into the kernel of one page.

    Args:
        arguments: ipykernel's command line, without the program's name.
        folder: the working directory.
        environment: the whole environment.
        errors: a file for its own stderr, which says why it died.
    """
    if errors:
        os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    if multiprocessing.parent_process() is not None:
        os.setsid()  # a forked kernel leads a group of its own, as a started one does
    threading.Thread(target=_end_with_the_build, daemon=True).start()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    # A page sees what is installed, never this checkout or its modules.
    checkout = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
    sys.path[:] = [path for path in sys.path if path not in (checkout, "")]
    for name in [name for name in sys.modules if name.partition(".")[0] == "conf"]:
        del sys.modules[name]
    sys.dont_write_bytecode = False  # the warm process has the build's own setting
    # No watching of the parent by ipykernel: it would leave behind what a page started.
    app = IPKernelApp.instance(parent_handle=0, log_level=logging.CRITICAL)
    app.initialize(arguments)
    assert app.shell is not None  # initialize made it
    app.shell.events.register("post_execute", _report_empty_figures)
    app.start()


def _end_with_the_build() -> None:
    """End the kernel, and all that the page started, once the build is gone."""
    build = multiprocessing.parent_process()
    if build is not None:
        build.join()
    else:
        parent = os.getppid()
        while os.getppid() == parent:
            time.sleep(0.2)
    os.killpg(0, signal.SIGKILL)


def _report_empty_figures() -> None:
    """Runs before the figures of a cell are sent and closed."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        figure = pyplot.figure(number)
        if not figure.texts and not any(_shows_something(axes) for axes in figure.axes):
            display({EMPTY_FIGURE: f"figure {number} has no data"}, raw=True)


def _shows_something(axes: Any) -> bool:
    import numpy as np

    images = [image.get_array() for image in axes.images]
    if images:
        return any(np.ma.count(np.ma.masked_invalid(image)) for image in images)
    return bool(axes.texts) or bool(np.isfinite(axes.dataLim.get_points()).all())


if __name__ == "__main__":
    run(sys.argv[1:], os.getcwd(), dict(os.environ))

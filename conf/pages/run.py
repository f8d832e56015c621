"""Run pages: several at a time, each in a kernel of its own.

Kernels are forked from one process that has imported the heavy libraries and run
nothing (imports only: a TensorFlow operation before a fork would hang the child).
Where forking is not safe, or a page asks for variables of its own, a kernel starts
from scratch.
"""

import asyncio
import atexit
import multiprocessing
import multiprocessing.forkserver
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

import nbformat
import psutil
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from conf import sealed
from conf.pages import kernel
from conf.pages.outputs import clean, faults, plain
from conf.pages.read import SKIPPED, Cell, Page, Problem
from conf.store import Run

# Digits that are printed must not depend on the order in which oneDNN adds.
VARIABLES = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "TF_ENABLE_ONEDNN_OPTS": "0",
}


@dataclass(frozen=True)
class Settings:
    """How to run pages.

    Attributes:
        jobs: how many pages run at once.
        timeout: seconds a cell may take unless it says otherwise.
        preload: modules that the warm process imports before any page.
        home: the home folder of the warm process, which keeps a cache of fonts.
        measure: whether measured cells are run too.
    """

    jobs: int
    timeout: int
    preload: tuple[str, ...]
    home: Path
    measure: bool = False

    @property
    def forks(self) -> bool:
        return bool(self.preload) and sys.platform == "linux"


def warm_up(settings: Settings) -> ForkServerContext | None:
    """Start the process that kernels are forked from; it imports in the background."""
    if not settings.forks:
        return None
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*settings.preload, "conf.pages.kernel"])
    settings.home.mkdir(parents=True, exist_ok=True)
    environment = sealed.environment(settings.home, VARIABLES)
    with _environment(environment), _silence():
        multiprocessing.forkserver.ensure_running()
    return context


Started = Callable[[Page], None]
Finished = Callable[[Page, Run | list[Problem], float], None]


def run_all(
    pages: list[Page], settings: Settings, started: Started, finished: Finished
) -> None:
    """Run pages and hand over each as soon as it is done.

    Args:
        pages: what to run; each has at least one cell.
        settings: how.
        started: called with each page as its turn comes.
        finished: called with the page, its run or its problems, and the seconds that
            passed from the kernel's start to its end.
    """
    context = warm_up(settings)
    job = _Job(_run_all(pages, settings, context, started, finished))
    # In a thread, because nbclient takes over SIGINT and SIGTERM where it can: there it
    # cannot, so that an interrupted build ends at once and takes its kernels along.
    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(asyncio.run, job.main())
        try:
            future.result()
        except BaseException:
            job.cancel()
            raise


class _Job:
    """A coroutine that another thread can cancel."""

    def __init__(self, work: Coroutine[Any, Any, None]) -> None:
        self.work = work
        self.cancel: Callable[[], object] = work.close

    async def main(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self.cancel = lambda: (
            None if task.done() else loop.call_soon_threadsafe(task.cancel)
        )
        await self.work


async def _run_all(
    pages: list[Page],
    settings: Settings,
    context: ForkServerContext | None,
    started: Started,
    finished: Finished,
) -> None:
    places = asyncio.Semaphore(settings.jobs)

    async def one(page: Page) -> None:
        async with places:
            started(page)
            start = time.perf_counter()
            result = await _run(page, settings, context)
            finished(page, result, time.perf_counter() - start)

    await asyncio.gather(*(one(page) for page in pages))


async def _run(
    page: Page, settings: Settings, context: ForkServerContext | None
) -> Run | list[Problem]:
    """Run one page in a folder of its own, which is gone afterwards."""
    notebook = nbformat.from_dict(page.notebook)
    if not settings.measure:
        for cell in page.cells:
            if cell.is_measured:
                notebook.cells[cell.index].metadata["tags"] = [SKIPPED]
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        work, home = Path(folder, "work"), Path(folder, "home")
        work.mkdir()
        home.mkdir()
        errors = Path(folder, "stderr.txt")
        fonts = {"MPLCONFIGDIR": str(settings.home / "matplotlib"), **VARIABLES}
        # A socket file per channel, by absolute path: kernels started side by side
        # collide on TCP ports, and a relative path hangs.
        manager = _Manager(transport="ipc", ip=f"{folder}/s")
        manager.connection_file = f"{folder}/connection.json"
        manager.provisioner = provisioner = _Provisioner(context, manager, errors)
        clock = _Clock(page, lambda: provisioner.pid)
        client = NotebookClient(
            notebook,
            km=manager,
            timeout_func=lambda cell: cell.metadata.get("timeout") or settings.timeout,
            on_cell_execute=clock.start,
            on_cell_executed=clock.stop,
            shutdown_kernel="immediate",
            record_timing=False,
            store_widget_state=False,
        )
        try:
            await client.async_execute(
                cleanup_kc=True, cwd=str(work), env=sealed.environment(home, fonts)
            )
        except CellTimeoutError:
            limit = clock.cell.timeout or settings.timeout
            message = (
                f"the cell ran longer than its limit of {limit} s; give it `:timeout:`"
            )
            return [Problem(page.path, clock.cell.fence, message)]
        except DeadKernelError:
            message = "the kernel died while it ran this cell (out of memory?)"
            return [Problem(page.path, clock.cell.fence, message)]
        except CellExecutionError as error:
            return [_raised(page, clock.cell, error)]
        except RuntimeError as error:  # so jupyter_client says that it did not start
            words = errors.read_text(errors="replace") if errors.exists() else ""
            last = (words.strip().splitlines() or [str(error)])[-1]
            message = f"the kernel died at its start: {plain(last)}"
            return [Problem(page.path, clock.cell.fence, message)]
        finally:
            provisioner.end_group()
            # What did not start, nbclient would clean up again as the build ends.
            atexit.unregister(client._cleanup_kernel)
    return _collect(page, notebook, clock.seconds, settings.measure)


def _raised(page: Page, cell: Cell, error: CellExecutionError) -> Problem:
    """Name the line of the cell that raised, in the page's own numbering."""
    found = re.findall(r"Cell In\[\d+\], line (\d+)", plain(error.traceback))
    offset = int(found[0]) - 1 if found else 0
    lines = cell.code.splitlines()
    shown = f" in `{lines[offset].strip()}`" if offset < len(lines) else ""
    first = (plain(error.evalue).strip().splitlines() or [""])[0]
    line = cell.fence if cell.recipes else cell.body + offset
    return Problem(page.path, line, f"the cell raised {error.ename}{shown}: {first}")


def _collect(
    page: Page, notebook: Any, seconds: dict[int, float], measure: bool
) -> Run | list[Problem]:
    cells = page.cells if measure else page.running
    outputs = [
        [clean(output) for output in notebook.cells[cell.index].outputs]
        for cell in cells
    ]
    problems = [
        Problem(page.path, cell.fence, fault)
        for cell, shown in zip(cells, outputs, strict=True)
        for fault in faults(cell, shown)
    ]
    return problems or Run(
        outputs, [round(seconds.get(cell.index, 0.0), 3) for cell in cells]
    )


class _Clock:
    """Knows which cell runs, and how long the processor was at work for each.

    Args:
        page: the page.
        kernel: gives the identifier of the kernel's process once it runs.
    """

    def __init__(self, page: Page, kernel: Callable[[], int | None]) -> None:
        self.cells = {cell.index: cell for cell in page.cells}
        self.cell = page.cells[0]
        self.kernel = kernel
        self.began = 0.0
        self.seconds: dict[int, float] = {}

    def start(self, cell_index: int, **_: object) -> None:
        self.cell, self.began = self.cells[cell_index], self._processor()

    def stop(self, cell_index: int, **_: object) -> None:
        self.seconds[cell_index] = self._processor() - self.began

    def _processor(self) -> float:
        """Seconds of all cores, of the kernel and of processes that it waited for."""
        with suppress(psutil.Error):  # it may have died in this cell
            times = psutil.Process(self.kernel()).cpu_times()
            return float(sum(times[:4]))  # user, system, and both of its children
        return self.began


class _Manager(AsyncKernelManager):
    """Starts our kernel, whatever kernels are registered on this machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        # -P: the script's folder must not be importable in a page.
        command = [sys.executable, "-P", kernel.__file__, "-f", "{connection_file}"]
        return KernelSpec(argv=command, language="python", display_name="Python 3")


class _Provisioner(LocalProvisioner):
    """Forks the kernel from the warm process where there is one."""

    def __init__(
        self, context: ForkServerContext | None, manager: _Manager, errors: Path
    ) -> None:
        super().__init__(
            kernel_id=manager.kernel_id, kernel_spec=manager.kernel_spec, parent=manager
        )
        self.context, self.errors = context, errors

    async def launch_kernel(
        self, cmd: list[str], **kwargs: Any
    ) -> KernelConnectionInfo:
        if self.context is None:
            with self.errors.open("w") as stderr:
                return await super().launch_kernel(cmd, stderr=stderr, **kwargs)
        arguments = cmd[3:]  # what follows the script's name
        process = self.context.Process(
            target=kernel.run,
            args=(arguments, kwargs["cwd"], kwargs["env"], str(self.errors)),
        )
        process.start()
        self.process = cast(Any, _Forked(process))
        self.pid = self.pgid = process.pid
        return self.connection_info

    def end_group(self) -> None:
        """End what the page started and left running, even if its kernel has died."""
        if self.pgid:
            with suppress(ProcessLookupError):
                os.killpg(self.pgid, signal.SIGKILL)


class _Forked:
    """A forked process with the face of `subprocess.Popen` that Jupyter expects."""

    stdin = stdout = stderr = None

    def __init__(self, process: BaseProcess) -> None:
        self.process = process
        self.pid = process.pid
        self.kill, self.terminate = process.kill, process.terminate

    def poll(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> int | None:
        self.process.join()
        return self.process.exitcode

    def send_signal(self, number: int) -> None:
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, number)


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Hold other variables for as long as a process is being started."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def _silence() -> Iterator[None]:
    """Let a process start without our stderr.

    TensorFlow's import reports missing GPUs there before it reads its log level; what a
    page itself prints is captured by its kernel and not affected.
    """
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)

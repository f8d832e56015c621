"""Programs in a Python process of their own: a fresh start, and nothing left behind."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


def run_python(
    program: str, variables: Mapping[str, str] | None = None, timeout: float = 120
) -> str:
    """Run a program in a fresh Python process and return what it printed.

    The process finds the modules that this one finds. What it sets, `tf_keras` in
    place of `keras` or eager mode switched off, ends with it.

    Args:
        program: String of Python.
        variables: Dict of environment variables to set for it, `None` for none.
        timeout: Number of seconds greater than 0 after which it is ended.

    Returns:
        A string, what it printed to the standard output, without white space around.

    Raises:
        RuntimeError: If it raised something or was ended by a signal; the message is
            the last line that it wrote to the standard error.
        TimeoutError: If it ran longer than `timeout`.

    Example:
        >>> run_python("import os; print(os.environ['NAME'])", {"NAME": "Ada"})
        'Ada'
    """
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **(variables or {}),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"The program ran longer than {timeout:g} s.") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it wrote no message"])[-1]
        raise RuntimeError(f"The program ended with status {done.returncode}: {last}")
    return done.stdout.strip()


def free_ports(count: int) -> list[int]:
    """Find ports of this machine on which nothing listens.

    They lie below those that systems hand out by themselves, so that nobody takes one
    by chance before it is used.

    Args:
        count: Integer of at least 0.

    Returns:
        A list of different integers.

    Raises:
        RuntimeError: If there are not as many.

    Example:
        >>> len(set(free_ports(3)))
        3
    """
    found: list[int] = []
    for port in random.SystemRandom().sample(range(10_000, 32_000), 22_000):
        if len(found) == count:
            return found
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    raise RuntimeError(f"Expected {count} free ports. Received: {len(found)}")


def end_group(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started, at once, and wait until it is gone.

    Args:
        process: A process that was started with `start_new_session=True`.

    Example:
        >>> sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
        >>> process = subprocess.Popen(sleeper, start_new_session=True, text=True)
        >>> end_group(process)
        >>> process.returncode == -signal.SIGKILL
        True
    """
    with contextlib.suppress(ProcessLookupError):  # the whole group may be gone
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_all(
    processes: Sequence[subprocess.Popen[str]],
    error_files: Sequence[IO[str]],
    timeout: float,
) -> None:
    """Wait until all processes have ended well, or the first one has not.

    Args:
        processes: Sequence of processes.
        error_files: Sequence with the file of each one's standard error, open for
            reading.
        timeout: Number of seconds.

    Raises:
        RuntimeError: If one ended with another status than 0.
        TimeoutError: If some are still running after `timeout`.

    Example:
        >>> wait_for_all([], [], timeout=1)
    """
    deadline = time.monotonic() + timeout
    while any(status := [process.poll() for process in processes]) or None in status:
        if any(status):
            # By its number: a signal, which is negative, comes before its consequences.
            worst, number = min((code, n) for n, code in enumerate(status) if code)
            which = f"Program {number + 1} of {len(processes)}"
            if worst < 0:
                name = signal.Signals(-worst).name
                raise RuntimeError(f"{which} was ended by the signal {name}.")
            error_files[number].seek(0)
            lines = error_files[number].read().strip().splitlines()
            last = (lines or ["it wrote no message"])[-1]
            raise RuntimeError(f"{which} ended with status {worst}: {last}")
        if time.monotonic() > deadline:
            slow = [str(n) for n, code in enumerate(status, start=1) if code is None]
            raise TimeoutError(
                f"Of {len(processes)} programs, number {' and '.join(slow)} ran longer "
                f"than {timeout:g} s."
            )
        time.sleep(0.05)


def run_together(
    programs: Sequence[str],
    variables: Sequence[Mapping[str, str]],
    timeout: float = 120,
) -> list[str]:
    """Run programs that need each other, each in a fresh Python process.

    None of them outlives the call: if one fails, if time is up, or if this process is
    interrupted, all are ended, with the processes that they started.

    Args:
        programs: Sequence of strings of Python, at least one.
        variables: Sequence with a dict of environment variables for each program.
        timeout: Number of seconds greater than 0 after which all are ended.

    Returns:
        A list of strings, what each printed to the standard output, without white
        space around.

    Raises:
        RuntimeError: If one raised something or was ended by a signal; the message
            says which one, with the signal or the last line of its standard error.
        TimeoutError: If they ran longer than `timeout`; the message says which ones.
        ValueError: If there is no program, or not as many `variables`.

    Example:
        >>> program = "import os; print(os.environ['NAME'])"
        >>> run_together([program, program], [{"NAME": "Ada"}, {"NAME": "Alan"}])
        ['Ada', 'Alan']
    """
    if not programs or len(programs) != len(variables):
        raise ValueError(
            "Expected at least one of `programs` and as many `variables`. "
            f"Received: {len(programs)} programs and {len(variables)} variables"
        )
    with contextlib.ExitStack() as stack:
        found = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        started, files = [], []
        for program, extra in zip(programs, variables, strict=True):
            out, err = (
                stack.enter_context(tempfile.TemporaryFile("w+", errors="replace"))
                for _ in range(2)
            )
            process = subprocess.Popen(
                [sys.executable, "-c", program],
                env={**os.environ, **found, **extra},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                text=True,
                start_new_session=True,  # a group of its own, to be ended whole
            )
            stack.callback(end_group, process)
            started.append(process)
            files.append((out, err))
        wait_for_all(started, [err for _, err in files], timeout)
        texts = []
        for out, _ in files:
            out.seek(0)
            texts.append(out.read().strip())
        return texts


def outputs_in_fresh_process(
    path: str | Path,
    inputs: npt.NDArray[Any] | Mapping[str, npt.NDArray[Any]],
    modules: Sequence[str] = (),
    timeout: float = 120,
) -> list[npt.NDArray[Any]]:
    """Load a saved model in a fresh process and return what it computes there.

    Args:
        path: Path of a `.keras` file.
        inputs: Array of shape `(batch, ...)`, or a dict of them by input name.
        modules: Names of modules to import first, those that register the custom
            classes of the model.
        timeout: Number of seconds greater than 0 after which the process is ended.

    Returns:
        A list of arrays, one for each output, in the order of `keras.tree.flatten`.

    Raises:
        RuntimeError: If the model could not be loaded or called; the message is the
            last line of the error.
        TimeoutError: If that took longer than `timeout`.

    Example:
        >>> import keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     (outputs,) = outputs_in_fresh_process(
        ...         f"{folder}/model.keras", np.ones((4, 2)))
        >>> np.allclose(outputs, model(np.ones((4, 2))), atol=1e-6)
        True
    """
    named = dict(inputs) if isinstance(inputs, Mapping) else {"only": inputs}
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/inputs.npz", *named.values())
        run_python(
            f"""
import importlib
import keras
import numpy as np
for name in {list(modules)!r}:
    importlib.import_module(name)
arrays = np.load({folder!r} + "/inputs.npz").values()
inputs = dict(zip({list(named)!r}, arrays, strict=True))
model = keras.saving.load_model({str(path)!r})
outputs = model(inputs if {isinstance(inputs, Mapping)} else inputs["only"])
np.savez({folder!r} + "/outputs.npz", *map(np.array, keras.tree.flatten(outputs)))
""",
            timeout=timeout,
        )
        with np.load(f"{folder}/outputs.npz") as outputs:
            return [outputs[name] for name in outputs.files]

"""Programs in a Python process of their own: a fresh start, and nothing left behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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

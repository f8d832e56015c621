"""Which Keras a line of code gets, in which installation."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from snippets.processes import run_python
from snippets.showing.tables import Table


def which_keras(
    installed: Sequence[str] = ("keras", "tf_keras"), legacy: str = ""
) -> dict[str, str]:
    """Ask a fresh process which Keras each way to import one gives.

    Args:
        installed: Sequence of `"keras"` and `"tf_keras"`, or a part of it. What it
            leaves out is hidden: Python's finder does not find it, as if it had never
            been installed.
        legacy: String, the value of `TF_USE_LEGACY_KERAS`; empty is as good as unset.

    Returns:
        A dict from each import line to the package and its version, or to the error.

    Raises:
        RuntimeError: If the process failed.
        ValueError: If `installed` names another package.

    Example:
        >>> which_keras(legacy="1")["from tensorflow import keras"].split(" (")[0]
        'Keras 2'
    """
    packages = {"keras", "tf_keras"}
    if isinstance(installed, str) or not packages >= set(installed):
        raise ValueError(
            f"Expected `installed` to be a list of some of {sorted(packages)}. "
            f"Received: {installed}"
        )
    printed = run_python(
        f"""
import importlib, json
from importlib.machinery import PathFinder
find_spec, hidden = PathFinder.find_spec, {sorted(packages - set(installed))!r}
def find_the_rest(name, *place):
    return None if name.partition(".")[0] in hidden else find_spec(name, *place)
PathFinder.find_spec = find_the_rest
answers = {{}}
for line in (
    "import keras", "from tensorflow import keras", "import tf_keras as keras"
):
    scope = {{}}
    try:
        exec(line, scope)
        name = scope["keras"].layers.Layer.__module__.partition(".")[0]
        version = importlib.import_module(name).__version__
        answers[line] = f"Keras {{version[0]}} ({{name}} {{version}})"
    except ImportError as error:
        answers[line] = f"{{type(error).__name__}}: {{error}}"
print(json.dumps(answers))
""",
        {"TF_USE_LEGACY_KERAS": legacy, "KERAS_BACKEND": "tensorflow"},
    )
    return dict(json.loads(printed.splitlines()[-1]))


def which_keras_table(setups: Sequence[tuple[Sequence[str], str]]) -> Table:
    """Ask for several setups at once, as a table.

    Args:
        setups: Sequence of tuples `(installed, legacy)`, as `which_keras` takes them.

    Returns:
        A `Table` with one row for each setup and one column for each import line.

    Raises:
        RuntimeError: If a process failed.
        ValueError: If there is no setup, or if `which_keras` refuses one.

    Example:
        >>> which_keras_table([])
        Traceback (most recent call last):
            ...
        ValueError: Expected at least one setup. Received: none
    """
    if not setups:
        raise ValueError("Expected at least one setup. Received: none")
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = list(pool.map(which_keras, *zip(*setups, strict=True)))
    rows = [
        [
            " ".join(f"`{name}`" for name in installed),
            f"`{legacy}`" if legacy else "unset",
            *(f"`{found}`" for found in answer.values()),
        ]
        for (installed, legacy), answer in zip(setups, answers, strict=True)
    ]
    lines = [f"`{line}`" for line in answers[0]]
    return Table(["Installed with TensorFlow", "`TF_USE_LEGACY_KERAS`", *lines], rows)

"""Run proofs in this environment and say what was seen, one by one.

`python -m tests.proofs.run ID ...`, where an ID is `stem.name`: the test `test_name` of
`test_stem.py`. Each proof is run as it stands, and again under its falsifier, with
TensorFlow imported once. A proof never stops another, and finds Keras as if it were the
first: alone or among others, its verdict is the same.

Every line of the standard output is a JSON object: `environment` first, then `begins`
and `verdict` of each proof, at the moment it is known.
"""

import gc
import importlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

LIBRARIES = (
    *("tensorflow", "tensorflow-cpu", "tf-nightly"),
    *("keras", "keras-nightly", "tf-keras", "numpy"),
)


# The three verdicts on a proof.
HOLDS, IS_FALSE, DOES_NOT_RUN = "holds", "is false", "does not run"


def main() -> None:
    """Run what the command line names."""
    warnings.simplefilter("ignore")  # a warning is no verdict
    # What proofs print themselves goes to stderr: these lines are for the caller.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**words: Any) -> None:
        print(json.dumps(words), file=channel, flush=True)

    say(environment=versions())
    for identifier in sys.argv[1:]:
        say(begins=identifier)
        say(verdict=identifier, **judge(identifier))


def judge(identifier: str) -> dict[str, Any]:
    """Run one proof, and its falsifier if it holds.

    Returns:
        `seen`, one of the three verdicts; `error`, the first line of what was raised;
        `falsified`: True if it failed by an assertion under its falsifier, False if it
        held, None if neither was seen; `falsifier_error`; `seconds` of the processor.
    """
    start = _seconds()
    stem, _, name = identifier.partition(".")
    falsified, falsifier_error = None, ""
    try:
        proof = vars(load(stem))[f"test_{name}"].proof
        start_over()
        proof.test()
        seen, error = HOLDS, ""
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        seen = IS_FALSE if is_assertion(problem) else DOES_NOT_RUN
        error = first_line(problem)
    if seen == HOLDS and proof.false_with:
        falsified, falsifier_error = refute(proof.test, proof.false_with)
    return {
        "seen": seen,
        "error": error,
        "falsified": falsified,
        "falsifier_error": falsifier_error,
        "seconds": round(_seconds() - start, 1),
    }


def _seconds() -> float:
    """Seconds of the processor, of this process and of those that it waited for."""
    return sum(os.times()[:4])


def refute(
    test: Callable[..., object], false_with: Mapping[str, Any]
) -> tuple[bool | None, str]:
    """Run a proof under its falsifier; see `judge` for what comes back."""
    try:
        start_over()
        test(**false_with)
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        # A crash shows neither that the proof can fail nor that it cannot.
        return (True if is_assertion(problem) else None), first_line(problem)
    return False, "it holds under its falsifier"


def load(stem: str) -> Any:
    """The module of one guide's proofs, or what its first import raised."""
    module = _import(f"tests.proofs.test_{stem}")
    if isinstance(module, BaseException):
        raise module
    return module


@cache
def _import(name: str) -> Any:
    try:
        module = importlib.import_module(name)
    except Exception as problem:
        return problem
    gc.freeze()  # `clear_session` collects garbage: not again through all of TensorFlow
    return module


def start_over() -> None:
    """Forget the names and settings of earlier proofs, and seed what is random."""
    if "tensorflow" in sys.modules:
        from tensorflow import keras

        keras.backend.clear_session()
        keras.utils.set_random_seed(0)


def is_assertion(problem: BaseException) -> bool:
    """Whether a proof failed by what it asserts: `assert`, or pytest's `raises`."""
    return isinstance(problem, AssertionError) or type(problem).__name__ == "Failed"


def first_line(problem: BaseException) -> str:
    """The type and the first line of the message, or of an `assert` that has none.

    Folders and addresses in memory are taken out: they differ from run to run.
    """
    lines = str(problem).strip().splitlines()
    if not lines and isinstance(problem, AssertionError):
        frames = traceback.extract_tb(problem.__traceback__)
        lines = [frame.line or "" for frame in frames[-1:]]
    line = f"{type(problem).__name__}: {(lines or [''])[0]}"
    line = re.sub(r"(?<![\w.])(?:/[^\s/'\":()]+)+/(?=[^\s/'\":()])", "", line)
    return re.sub(r"0x[0-9a-f]{6,}", "0x…", line)[:200].rstrip(": ")


def versions() -> dict[str, str]:
    """What this environment is made of; `tf.keras` is what proofs import."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    from tensorflow import keras

    # `tf.keras` has no `__version__` while it is Keras 2: ask the package behind it.
    package = keras.layers.Layer.__module__.partition(".")[0]
    found["tf.keras"] = importlib.import_module(package).__version__
    return found


if __name__ == "__main__":
    main()

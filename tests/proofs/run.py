"""Run proofs in this environment and write down what was seen.

`python -m tests.proofs.run --out FILE [ID ...]`, where an ID is `stem.name`: the test
`test_name` of `test_stem.py`. Each proof is run as it stands, and again under its
falsifier, with TensorFlow imported once. A proof never stops another, and finds Keras
as if it were the first: alone or among others, its verdict is the same.
"""

import argparse
import gc
import importlib
import importlib.metadata
import json
import os
import platform
import re
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LIBRARIES = (
    *("tensorflow", "tensorflow-cpu", "tf-nightly"),
    *("keras", "keras-nightly", "tf-keras", "numpy"),
)


def main() -> None:
    """Run what the command line names, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("ids", nargs="*")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    wanted = arguments.ids or all_ids()
    verdicts: dict[str, Any] = {}
    seen_on = {"environment": versions(), "verdicts": verdicts}
    unfinished = arguments.out.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(seen_on))
    for count, identifier in enumerate(wanted, start=1):
        verdict = judge(identifier)
        verdicts[identifier] = verdict
        seen = "holds" if verdict["holds"] else "does not hold"
        print(
            f"  [{count}/{len(wanted)}] {identifier} {seen} "
            f"({verdict['seconds']:.2f} s)",
            flush=True,
        )
        # One by one: what takes Python down leaves the verdicts that came before it.
        unfinished.write_text(json.dumps(seen_on, indent=1, sort_keys=True))
    unfinished.replace(arguments.out)


def all_ids() -> list[str]:
    """Every proof of every file, in the files' order."""
    found = []
    for path in sorted(FOLDER.glob("test_*.py")):
        stem = path.stem.removeprefix("test_")
        try:
            module = load(stem)
        except Exception:  # each proof of the file reports it by itself when asked for
            print(f"  {path.name} cannot be imported:\n{traceback.format_exc()}")
            continue
        found += [
            f"{stem}.{name.removeprefix('test_')}"
            for name, value in vars(module).items()
            if hasattr(value, "proof")
        ]
    return found


def judge(identifier: str) -> dict[str, Any]:
    """Run one proof, and its falsifier if it holds.

    Returns:
        `holds`; `error`, the first line of what was raised; `falsified`: True if
        it failed by an assertion under its falsifier, False if it held, None if neither
        was seen; `falsifier_error`; `seconds`.
    """
    start = time.perf_counter()
    stem, _, name = identifier.partition(".")
    falsified, falsifier_error = None, ""
    try:
        proof = vars(load(stem))[f"test_{name}"].proof
        start_over()
        proof.test()
        holds, error = True, ""
    except BaseException as problem:
        if isinstance(problem, KeyboardInterrupt):
            raise
        holds, error = False, first_line(problem)
    if holds and proof.false_with:
        falsified, falsifier_error = refute(proof.test, proof.false_with)
    return {
        "holds": holds,
        "error": error,
        "falsified": falsified,
        "falsifier_error": falsifier_error,
        "seconds": round(time.perf_counter() - start, 3),
    }


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
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.path.insert(0, str(FOLDER.parent.parent))
    main()

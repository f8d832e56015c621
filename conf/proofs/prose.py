"""Names and numbers in prose: what a page mentions has to exist, and to be measured.

A backticked name such as `keras.Input` or `model.layers` must exist in the installed
libraries, or stand in the page's front matter under `gone`, with the version that took
it away. A number that a page also prints must come from a proof, not from a keyboard.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from conf import sealed
from conf.pages.read import Problem
from conf.proofs.marks import Sentence
from conf.store import Run, Store

_FENCED = re.compile(r"^(`{3,}|:{3,}).*?^\1$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(
    r"(?<!`)`((?:keras|tf|tf_keras|np|snippets|model)(?:\.[A-Za-z_]\w*)+)(?=[`(\[])"
)
_CODE = re.compile(r"`[^`]*`")
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+|(?<![\w.])\d{3,}(?![\w.]*\w)")

# Run in a process of its own, since this one must not import TensorFlow.
_RESOLVE = """
import importlib, json, sys
import keras, numpy, tensorflow, tf_keras
roots = {"keras": keras, "np": numpy, "tf": tensorflow, "tf_keras": tf_keras}
inputs = keras.Input((1,))
roots["model"] = keras.Model(inputs, keras.layers.Dense(1)(inputs))
def exists(name):
    root, *rest = name.split(".")
    try:
        value = roots[root] if root in roots else importlib.import_module(root)
        for part in rest:
            value = getattr(value, part)
    except (AttributeError, ImportError):
        return False
    return True
json.dump({name: exists(name) for name in sys.argv[1:]}, sys.stdout)
"""


def mentioned(text: str) -> dict[str, int]:
    """The library names in a page's prose, each with its first line."""
    prose = _FENCED.sub(lambda fence: re.sub(r"[^\n]", " ", fence[0]), text)
    found: dict[str, int] = {}
    for match in _NAME.finditer(prose):
        found.setdefault(match[1], prose.count("\n", 0, match.start()) + 1)
    return found


def existing(
    names: Iterable[str], root: Path, store: Store, key: str
) -> dict[str, bool]:
    """Whether each name exists in the installed libraries.

    Args:
        names: dotted names.
        root: where the package is.
        store: answers are kept here.
        key: a hash of everything the answer depends on but the names.
    """
    wanted = sorted(names)
    if not wanted:
        return {}
    if run := store.get(key):
        return dict(run.outputs[0][0])
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", _RESOLVE, *wanted],
            cwd=root,
            env=sealed.environment(Path(home), {"PYTHONPATH": str(root)}),
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        answer: dict[str, bool] = json.loads(done.stdout)
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise RuntimeError(f"names could not be looked up: {last}") from None
    with suppress(OSError):  # then it is asked again
        store.put(key, Run([[answer]], []))
    return answer


def check(
    path: str, names: Mapping[str, int], gone: Mapping[str, Any], known: dict[str, bool]
) -> Iterator[Problem]:
    """Whether a page's names exist, or are gone as it says."""
    for name, line in names.items():
        if name in gone and known[name]:
            message = f"`{name}` is declared as gone since {gone[name]}, but it exists"
            yield Problem(path, line, message)
        elif name not in gone and not known[name]:
            message = (
                f"`{name}` does not exist in the installed libraries: mend it, or "
                f"declare it in the front matter, `gone: {{{name}: <version>}}`"
            )
            yield Problem(path, line, message)


def literals(sentences: Iterable[Sentence]) -> tuple[tuple[str, int], ...]:
    """Numbers of three digits or with a point, outside code, that lack a proof."""
    return tuple(
        (number, sentence.line)
        for sentence in sentences
        for number in _NUMBER.findall(_CODE.sub(" ", sentence.text))
    )


def typed(path: str, numbers: Iterable[tuple[str, int]], run: Run) -> Iterator[Problem]:
    """Numbers that the page also prints, and that no proof vouches for."""
    printed = set(_NUMBER.findall(json.dumps(run.outputs)))
    for number, line in numbers:
        if number in printed:
            message = f"{number} is an output of this page: let a proof state it"
            yield Problem(path, line, message)

"""What was seen of files that one version wrote and another one read.

`tests/files/results/<lane>.json` holds what one lane read, a line for each model and
format: what was seen, with the lanes that had written it.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conf.pages.reach import Reach, of_files
from conf.pages.recipes import Module, Package
from conf.proofs.verdict import Lane, lanes

FOLDER = "tests/files"
RUNNER = f"{FOLDER}/run.py"
MODELS = (
    *("dense", "convolution", "lstm", "custom_layer", "lambda_layer", "functional"),
    *("operator", "nested", "stacked", "compiled", "trained"),
)
FORMATS = ("keras", "h5", "weights", "arrays", "export", "saved_model", "checkpoint")
# The recipes with which files are written and read.
USED = ("keras_2_objects", "load_arrays", "save_arrays")
# How the names of the files end.
ENDS = {
    "keras": ".keras",
    "h5": ".h5",
    "weights": ".weights.h5",
    "arrays": ".npz",
    "export": "_exported",
    "saved_model": "_saved",
    "checkpoint": ".ckpt",
}
SAME, NO_OPTIMIZER, OTHER = "same", "no optimizer", "other outputs"
FAILED, NOT_WRITTEN = "failed", "not written"
TOLERANCE = 1e-5
AGAIN = "run `nox -s versions`"


@dataclass(frozen=True)
class Seen:
    """What became of one file.

    Attributes:
        what: `same`, `no optimizer`, `other outputs`, `failed` or `not written`.
        error: why it failed or was not written.
        across: the first other way to read it that gave the same outputs.
    """

    what: str
    error: str = ""
    across: str = ""


@dataclass(frozen=True)
class Pair:
    """A model in a format, the lane that wrote it and the one that read it."""

    model: str
    form: str
    writer: str
    reader: str


@dataclass
class Crossed:
    """What one lane has read.

    Attributes:
        lane: its name.
        date: the day on which it last read something.
        environment: versions by distribution; that of `tf.keras` under this name.
        code: a hash of the code that writes and reads.
        made: by lane, the digest of how it is made; that of the reader too.
        models: by model, a hash of its code.
        seen: by model, format and writer.
    """

    lane: str
    date: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    made: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    seen: dict[tuple[str, str, str], Seen] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """What the results depend on, as it is now.

    Attributes:
        code: a hash of the code that writes and reads.
        made: by gating lane, the digest of how it is made.
        models: by model, a hash of its code.
    """

    code: str
    made: Mapping[str, str]
    models: Mapping[str, str]

    @classmethod
    def of(cls, root: Path) -> "State":
        """Read it from the files below a root."""
        package = Package(root / "snippets")
        module: Module = package.modules["snippets.files.models"]
        reach = Reach(package)
        models = {name: reach.digest(module, [module.objects[name]]) for name in MODELS}
        across = package.modules["snippets.files.across"]
        used = [across.objects[name] for name in USED]
        code = _digest([of_files([root / RUNNER]), reach.digest(across, used)])
        made = {name: lane.digest for name, lane in gating(root).items()}
        return cls(code, made, models)

    def kept(self, then: Crossed) -> dict[tuple[str, str, str], Seen]:
        """What was seen with this very code, on these very lanes, of these models."""
        if (then.code, then.made.get(then.lane)) != (self.code, self.made[then.lane]):
            return {}
        return {
            (model, form, writer): seen
            for (model, form, writer), seen in then.seen.items()
            if form in FORMATS
            and model in self.models
            and then.models.get(model) == self.models[model]
            and writer in self.made
            and then.made.get(writer) == self.made[writer]
        }

    def wanted(self) -> Iterator[tuple[str, str, str]]:
        """Every model, format and writer."""
        for writer in self.made:
            for model in self.models:
                for form in FORMATS:
                    yield model, form, writer


def gating(root: Path) -> dict[str, Lane]:
    """The lanes whose results are kept."""
    return {name: lane for name, lane in lanes(root).items() if lane.gates}


def results_of(root: Path, lane: str) -> Path:
    """The file that holds what a lane has read."""
    return root / FOLDER / "results" / f"{lane}.json"


def load(path: Path) -> Crossed:
    """Read the results of one lane.

    Raises:
        ValueError: the file was cut short, edited by hand or has another shape; the
            message is one line that says which.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        checksum = data.pop("checksum")
        edited = checksum != _digest(data)
        rows = data.pop("seen")
        seen = {
            (*name.split(" "), writer): Seen(*group[0])
            for name, groups in rows.items()
            for group in groups
            for writer in group[1]
        }
        found = Crossed(**data, seen=seen)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"{path.name} cannot be read ({error}): {AGAIN}"
        raise ValueError(message) from error
    if found.lane != path.stem:
        raise ValueError(f"{path.name} holds results of {found.lane}: {AGAIN}")
    if edited:
        raise ValueError(f"{path.name} was edited by hand: {AGAIN}")
    return found


def save(results: Crossed, path: Path) -> None:
    """Write the results of one lane, whole or not at all; equal ones as equal bytes."""
    rows: dict[str, list[tuple[list[str], list[str]]]] = {}
    for (model, form, writer), seen in sorted(results.seen.items()):
        values = [seen.what, seen.error, seen.across]
        while not values[-1]:
            values.pop()
        groups = rows.setdefault(f"{model} {form}", [])
        for known, writers in groups:
            if known == values:
                writers.append(writer)
                break
        else:
            groups.append((values, [writer]))
    head = {name: vars(results)[name] for name in sorted(vars(results))}
    head["seen"] = rows
    checksum = _digest(head)
    del head["seen"]
    lines = [f'"checksum": "{checksum}"']
    lines += [f'"{name}": {_line(value)}' for name, value in head.items()]
    body = ",\n".join(f'"{name}": {_line(row)}' for name, row in rows.items())
    text = "{\n" + ",\n".join(lines) + ',\n"seen": {\n' + body + "\n}}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def matrix(root: Path) -> dict[Pair, Seen]:
    """All that was seen, of the lanes in the order of their table.

    Raises:
        ValueError: a lane has no results, or such that cannot be relied on.
    """
    found = {}
    for reader in gating(root):
        path = results_of(root, reader)
        if not path.exists():
            raise ValueError(f"{path.name} is not there: {AGAIN}")
        for (model, form, writer), seen in load(path).seen.items():
            found[Pair(model, form, writer, reader)] = seen
    return found


def stale(root: Path) -> list[str]:
    """The lanes whose results are not those of this code, one line each."""
    state, found = State.of(root), []
    for reader in state.made:
        path = results_of(root, reader)
        known = state.kept(load(path)) if path.exists() else {}
        if missing := sum(name not in known for name in state.wanted()):
            found.append(f"{path.name} lacks {missing} files: {AGAIN}")
    return found


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _line(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)

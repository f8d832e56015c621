"""The entries of the error reference, and what was seen of them on each lane.

An entry is a pair of functions in `snippets/errors/<group>.py`: the first is decorated
with `@error(...)` and raises or warns, the second with `@<first>.fix`. Nothing is
imported here. `snippets/errors/seen/<lane>.json` holds the messages.
"""

import ast
import hashlib
import json
import os
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packaging.version import Version

from conf.pages.reach import canonical, of_files
from conf.pages.recipes import Module, Package, global_names
from conf.proofs.source import needed
from conf.proofs.verdict import AGAIN, Lane, tensorflow

STEM = "errors"
SILENT = "silent"  # mistakes without a message: what they raise is a guard
# What decides how a message is read: a change makes all rows stale.
READERS = ("entry.py", "observing.py")


@dataclass(frozen=True)
class Code:
    """The repro or the fix of an entry, as readers see it.

    Attributes:
        about: its docstring in one line.
        text: the body of the function, with the imports that it needs.
    """

    about: str
    text: str


@dataclass(frozen=True)
class Entry:
    """One message.

    Attributes:
        name: the anchor, `input-of-a-number`.
        group: the module, which is the page.
        heading: the part of the message that is always the same.
        threads: `keras-team/keras#20124`.
        guide: `guides/input_layers.md#errors`, or nothing.
        needs: `keras>=3`, or nothing.
        repro: the code that raises.
        fix: the code that works.
        place: file and line, for messages.
        hash: equal while the code of both is the same.
    """

    name: str
    group: str
    heading: str
    threads: tuple[str, ...]
    guide: str
    needs: str
    repro: Code
    fix: Code
    place: tuple[str, int]
    hash: str

    def is_meant_for(self, environment: Mapping[str, str]) -> bool:
        """Whether its repro has a meaning on these versions."""
        found = {
            "keras": environment["tf.keras"],
            "tensorflow": tensorflow(environment),
        }
        ranges = needed(self.needs).items()
        return all(
            span.contains(found[name], prereleases=True) for name, span in ranges
        )


@dataclass(frozen=True)
class Row:
    """What was seen of one entry on one lane.

    Attributes:
        code: the hash of the entry that was run.
        said: the message of its repro, `ValueError: ...`; empty if there was none.
        fix: what its fix said; empty if it worked.
    """

    code: str
    said: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Seen:
    """What was seen on one lane."""

    lane: str
    made: str
    environment: Mapping[str, str]
    rows: Mapping[str, Row]

    def row(self, entry: Entry) -> Row | None:
        """What was seen of this very code, or None."""
        row = self.rows.get(entry.name)
        return row if row and row.code == entry.hash else None

    def stale(self, entries: Mapping[str, Entry]) -> list[str]:
        """The entries that have to be run there."""
        return [
            name
            for name, entry in entries.items()
            if entry.is_meant_for(self.environment) and self.row(entry) is None
        ]


def groups(package: Package) -> dict[str, Module]:
    """The modules that hold entries, by the name of their page."""
    inside = f"{package.name}.{STEM}."
    return {
        name.removeprefix(inside): module
        for name, module in package.modules.items()
        if name.startswith(inside)
        and ("error", f"{inside}entry.error") in module.own_imports
    }


def read(package: Package) -> dict[str, dict[str, Entry]]:
    """Every entry by its name, by group.

    Raises:
        RecipeError: an entry has no fix, or its decorator cannot be read.
    """
    return {
        group: {entry.name: entry for entry in _entries(module)}
        for group, module in groups(package).items()
    }


def _entries(module: Module) -> Iterator[Entry]:
    functions = [node for node in module.tree.body if isinstance(node, ast.FunctionDef)]
    fixes = {
        decorator.value.id: node
        for node in functions
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Attribute)
        and decorator.attr == "fix"
        and isinstance(decorator.value, ast.Name)
    }
    for node in functions:
        for decorator in node.decorator_list:
            if (
                isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Name)
                and decorator.func.id == "error"
            ):
                if node.name not in fixes:
                    raise module.error(node.lineno, f"`{node.name}` has no fix")
                yield _entry(module, node, fixes[node.name], decorator)


def _entry(
    module: Module, node: ast.FunctionDef, fix: ast.FunctionDef, call: ast.Call
) -> Entry:
    names = {
        name: ast.literal_eval(constant.value)
        for name, constant in module.objects.items()
        if isinstance(constant, ast.Assign)
    }
    try:
        positional = [_value(argument, names) for argument in call.args]
        words = {str(word.arg): _value(word.value, names) for word in call.keywords}
    except (KeyError, TypeError) as error:
        message = f"the decorator of `{node.name}` cannot be read: {error}"
        raise module.error(node.lineno, message) from error
    heading, *threads = _flat(positional)
    code = [canonical(ast.Module(function.body, [])) for function in (node, fix)]
    return Entry(
        name=node.name.strip("_").replace("_", "-"),
        group=module.name.rpartition(".")[2],
        heading=heading,
        threads=tuple(threads),
        guide=words.get("guide", ""),
        needs=words.get("needs", ""),
        repro=_code(module, node),
        fix=_code(module, fix),
        place=(module.place, node.lineno),
        hash=_digest([heading, words.get("is_alone", False), *code]),
    )


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression of strings, tuples, `+` and `*`."""
    if isinstance(node, ast.BinOp):
        return _value(node.left, names) + _value(node.right, names)
    if isinstance(node, ast.Starred):
        return _value(node.value, names)
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, names) for item in node.elts)
    if isinstance(node, ast.Name):
        return names[node.id]
    if isinstance(node, ast.Constant):
        return node.value
    raise TypeError(ast.unparse(node))


def _flat(values: list[Any]) -> list[str]:
    return [
        word
        for value in values
        for word in (value if isinstance(value, tuple) else (value,))
    ]


def _code(module: Module, node: ast.FunctionDef) -> Code:
    docstring = ast.get_docstring(node)
    if not docstring:
        raise module.error(node.lineno, f"`{node.name}` has no docstring")
    lines = module.text.split("\n")
    start = node.body[0].end_lineno or node.lineno
    body = textwrap.dedent("\n".join(lines[start : node.end_lineno])).strip("\n")
    body = "\n".join(line.partition("  # noqa")[0] for line in body.split("\n"))
    used = global_names(body)
    own = {name for inner in ast.walk(ast.parse(body)) for name in _imported(inner)}
    imports = [
        line
        for name, found in module.imports.items()
        if name in used - own
        for line in found
    ]
    head = "\n".join(imports) + "\n\n" if imports else ""
    return Code(" ".join(docstring.split()), head + body)


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(a.asname or a.name).partition(".")[0] for a in node.names]
    return []


# What was seen


def made(package: Package, lane: Lane) -> str:
    """Equal for lanes that are made the same way and read messages the same way."""
    folder = package.folder / STEM
    code = of_files(folder / name for name in READERS if (folder / name).exists())
    return _digest([lane.digest, code])


def place_of(package: Package, lane: str) -> Path:
    """The file that holds what was seen on a lane."""
    return package.folder / STEM / "seen" / f"{lane}.json"


def load(path: Path) -> Seen:
    """Read what was seen on one lane.

    Raises:
        ValueError: the file was cut short, edited by hand or has the wrong shape.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        checksum = data.pop("checksum")
        rows = {name: Row(**row) for name, row in data["rows"].items()}
        seen = Seen(**{**data, "rows": rows})
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        message = f"{path.name} was cut short or has the wrong shape ({error})"
        raise ValueError(f"{message}: {AGAIN}") from error
    if checksum != _digest(data) or seen.lane != path.stem:
        raise ValueError(f"{path.name} was edited by hand: {AGAIN}")
    return seen


def save(seen: Seen, path: Path) -> None:
    """Write what was seen on one lane, whole or not at all, a line for each entry."""
    data = asdict(seen)
    data["rows"] = {
        name: {word: value for word, value in asdict(row).items() if value}
        for name, row in sorted(seen.rows.items())
    }
    parts = [f'"checksum": "{_digest(data)}"']
    rows = data.pop("rows")
    parts += [f'"{name}": {_line(value)}' for name, value in sorted(data.items())]
    lines = ",\n".join(f'"{name}": {_line(row)}' for name, row in rows.items())
    text = "{\n" + ",\n".join(parts) + ',\n"rows": {\n' + lines + "\n}}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


def everything_seen(package: Package, lanes: Mapping[str, Lane]) -> dict[str, Seen]:
    """What was seen on every gating lane that has a file, in the order of the lanes."""
    paths = {n: place_of(package, n) for n, lane in lanes.items() if lane.gates}
    return {name: load(path) for name, path in paths.items() if path.exists()}


def newest(seen: Mapping[str, Seen]) -> Seen:
    """What was seen with the newest Keras."""
    return max(seen.values(), key=keras_of)


def keras_of(lane: Seen) -> Version:
    """The version of Keras on a lane."""
    return Version(lane.environment["tf.keras"])


def faults(entries: Mapping[str, Entry], seen: Mapping[str, Seen]) -> Iterator[str]:
    """Say what is wrong with what was seen, one message each."""
    for lane in seen.values():
        for name in lane.stale(entries):
            yield f"`{name}` was not seen on {lane.lane}: {AGAIN}"
    for entry in entries.values():
        rows = [row for lane in seen.values() if (row := lane.row(entry))]
        expected = entry.heading if entry.group != SILENT else "AssertionError: "
        if rows and not any(expected in row.said for row in rows):
            yield f"nobody has seen the message of `{entry.name}`"
        if rows and not any(not row.fix for row in rows):
            yield f"the fix of `{entry.name}` works nowhere"


def _line(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:20]

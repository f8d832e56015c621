"""Records: figures that are true on a machine, on a day, and the code they belong to.

A measurement is a function in `tests/measurements/<stem>.py` marked with `measures`, or
a cell of a page with the tag `measured`. `nox -s measure` runs them; builds only show
what `tests/measurements/records/<machine>.json` holds, and hold it to its bounds.
"""

import ast
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

from conf.pages import fingerprint
from conf.pages.reach import Reach
from conf.pages.read import Cell, Page, Problem
from conf.pages.recipes import Module, Package, RecipeError

FOLDER = "tests/measurements"
NOT_REACHED = {"measures.py", "run.py"}
AGAIN = "run `nox -s measure -- {}`"


@dataclass(frozen=True)
class Measurement:
    """One function that measures, as its file has it.

    Attributes:
        id: `stem.name`.
        quote: the sentence that it stands behind.
        bound: the lowest and the highest value of each figure.
        rounds: how often it is measured.
        path: its file, from the root.
        line: the 1-based line where it starts.
        source: its text, decorator included.
        hash: of its code and all that it reaches; not of its quote and its bound.
    """

    id: str
    quote: str
    bound: Mapping[str, tuple[float, float]]
    rounds: int
    path: str
    line: int
    source: str
    hash: str

    @property
    def name(self) -> str:
        """Its name in its file."""
        return self.id.partition(".")[2]


@dataclass(frozen=True)
class Record:
    """What was measured, once.

    Attributes:
        hash: of the code that was run.
        date: the day, `2026-11-29`.
        versions: what it ran on, by distribution.
        figures: of a measurement: for each round, its figures by name.
        outputs: of a cell: its outputs, in notebook format.
    """

    hash: str
    date: str
    versions: Mapping[str, str]
    figures: tuple[Mapping[str, float], ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()


def read(root: Path, package: Package) -> dict[str, Measurement]:
    """Read every measurement below a root, by identifier.

    Raises:
        RecipeError: a file does not parse, or a mark is not written out in full.
    """
    modules = {
        f"tests.measurements.{path.stem}": Module(
            package, f"tests.measurements.{path.stem}", path
        )
        for path in sorted((root / FOLDER).glob("*.py"))
        if path.name not in NOT_REACHED
    }
    reach = Reach(package, modules)
    found = {}
    for module in modules.values():
        for name, node in module.objects.items():
            mark = _mark(node)
            if isinstance(node, ast.FunctionDef) and mark:
                measurement = _measurement(module, node, mark, reach)
                found[f"{module.path.stem}.{name}"] = measurement
    return found


def _mark(node: ast.AST) -> ast.Call | None:
    for decorator in getattr(node, "decorator_list", []):
        if isinstance(decorator, ast.Call):
            called = decorator.func
            if isinstance(called, ast.Name) and called.id == "measures":
                return decorator
    return None


def _measurement(
    module: Module, node: ast.FunctionDef, mark: ast.Call, reach: Reach
) -> Measurement:
    line, source = module.source_of(node.name)
    try:
        words = {
            word.arg: ast.literal_eval(word.value) for word in mark.keywords if word.arg
        }
        quote = ast.literal_eval(mark.args[0])
        bound = {
            name: (float(low), float(high))
            for name, (low, high) in words["bound"].items()
        }
        rounds = int(words.get("rounds", 3))
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        message = f"the mark of `{node.name}` must be written out in full: {error}"
        raise RecipeError(message, module.place, line) from error
    bare = ast.FunctionDef(**{n: getattr(node, n) for n in node._fields})
    bare.decorator_list = []
    return Measurement(
        id=f"{module.path.stem}.{node.name}",
        quote=quote,
        bound=bound,
        rounds=rounds,
        path=module.place,
        line=line,
        source=source,
        hash=reach.digest(module, [bare]),
    )


class Records:
    """All records that are committed, by machine."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER / "records"
        self.problems: list[Problem] = []
        self.machines: dict[str, dict[str, Record]] = {}
        for path in sorted(self.folder.glob("*.json")):
            try:
                machine, records = load(path)
            except ValueError as error:
                place = path.relative_to(root).as_posix()
                self.problems.append(Problem(place, 1, str(error)))
            else:
                self.machines[machine] = records

    def of(self, name: str, digest: str) -> dict[str, Record]:
        """The records of this very code, by machine."""
        return {
            machine: record
            for machine, records in self.machines.items()
            if (record := records.get(name)) and record.hash == digest
        }

    def of_cell(self, docname: str, digest: str) -> dict[str, Record]:
        """The records of a cell of a page, by machine."""
        return self.of(cell_name(docname, digest), digest)

    def faults(self, measurement: Measurement) -> Iterator[str]:
        """What keeps a sentence from standing on its record, one message each."""
        again = AGAIN.format(measurement.id.partition(".")[0])
        found = self.of(measurement.id, measurement.hash)
        if not found:
            yield f"no record of `{measurement.id}` as it is now: {again}"
        for machine, record in found.items():
            for name, (low, high) in measurement.bound.items():
                values = [figures.get(name) for figures in record.figures]
                outside = [v for v in values if v is None or not low <= v <= high]
                if outside or not values:
                    yield (
                        f"`{measurement.id}` on {machine}: `{name}` is "
                        f"{', '.join(map(str, outside)) or 'missing'}, outside of "
                        f"{low:g} to {high:g}"
                    )


def cell_name(docname: str, digest: str) -> str:
    """The name under which the record of a cell is kept."""
    return f"{docname}#{digest}"


def outputs(
    page: Page, docname: str, cell: Cell, reach: Reach, records: Records
) -> Any:
    """What a measured cell shows: what each machine gave, and which that was."""
    digest = fingerprint.of_measured(page, cell, reach)
    shown: list[dict[str, Any]] = []
    for machine, record in records.of_cell(docname, digest).items():
        shown += [dict(output) for output in record.outputs]
        words = escape(f"≈ Measured on {machine}, {spelled(record)}.")
        data = {"text/html": f'<p class="measured-note">{words}</p>'}
        shown.append({"output_type": "display_data", "data": data, "metadata": {}})
    return shown


def unrecorded(
    page: Page, docname: str, reach: Reach, records: Records
) -> Iterator[Problem]:
    """The measured cells of a page that nothing is known of."""
    again = AGAIN.format(docname.rpartition("/")[2])
    for cell in page.cells:
        if cell.is_measured:
            digest = fingerprint.of_measured(page, cell, reach)
            if not records.of_cell(docname, digest):
                message = f"no record of this cell as it is now: {again}"
                yield Problem(page.path, cell.fence, message)


def spelled(record: Record) -> str:
    """Day and versions in words."""
    names = {"tensorflow": "TensorFlow", "keras": "Keras", "python": "Python"}
    versions = [f"{names[n]} {v}" for n, v in record.versions.items() if n in names]
    return ", ".join([record.date, *versions])


def load(path: Path) -> tuple[str, dict[str, Record]]:
    """Read the records of one machine.

    Raises:
        ValueError: the file was cut short or edited by hand.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        checksum = data.pop("checksum")
        records = {
            name: Record(
                **{
                    **row,
                    "figures": tuple(row.get("figures", ())),
                    "outputs": tuple(row.get("outputs", ())),
                }
            )
            for name, row in data["records"].items()
        }
        machine = str(data["machine"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{path.name} was cut short or has the wrong shape ({error})"
        raise ValueError(f"{message}: {AGAIN.format('').strip(' -`')}`") from error
    if checksum != _digest(data):
        raise ValueError(f"{path.name} was edited by hand (its checksum differs)")
    return machine, records


def save(path: Path, machine: str, records: Mapping[str, Record]) -> None:
    """Write the records of one machine, a line each, whole or not at all."""
    rows = {
        name: {k: v for k, v in asdict(record).items() if v}
        for name, record in sorted(records.items())
    }
    data = json.loads(json.dumps({"machine": machine, "records": rows}))
    lines = ",\n".join(f"{_line(name)}: {_line(row)}" for name, row in rows.items())
    head = f'"checksum": "{_digest(data)}",\n"machine": {_line(machine)}'
    text = f'{{\n{head},\n"records": {{\n{lines}\n}}}}\n'
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, "utf-8")
    os.replace(unfinished, path)


def _line(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _digest(data: Any) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:20]

"""On which backends of Keras the recipes work, as seen by their own tests.

`nox -s backends` runs the unit tests under `KERAS_BACKEND=jax` and `torch`, all but
those that reach TensorFlow, and keeps a line for each recipe. The reference shows it
while the recipe and its tests are those that ran.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from conf.pages.reach import Reach
from conf.pages.recipes import Module, Package
from conf.reference import listings

FOLDER = f"{listings.UNIT}/backends"
NAMES = {"jax": "JAX", "torch": "PyTorch"}
_TENSORFLOW = re.compile(r"\b(?:tensorflow|tf_keras)\b")


@dataclass(frozen=True)
class Row:
    """What was seen of one recipe on one backend.

    Attributes:
        hash: of the recipe, of its tests, and of all that these reach.
        passed: how many of its tests passed.
        failed: how many did not.
        left_out: how many need TensorFlow, or are known to fail.
    """

    hash: str
    passed: int
    failed: int
    left_out: int


@dataclass(frozen=True)
class Seen:
    """One run: its backend, the versions of it and of Keras, a row for each recipe."""

    backend: str
    versions: Mapping[str, str]
    rows: Mapping[str, Row]


def read(root: Path) -> list[Seen]:
    """Read the runs that are kept below a root."""
    found = []
    for backend in NAMES:
        path = root / FOLDER / f"{backend}.json"
        if path.exists():
            kept = json.loads(path.read_text("utf-8"))
            rows = {name: Row(**row) for name, row in kept["recipes"].items()}
            found.append(Seen(backend, kept["versions"], rows))
    return found


def write(root: Path, seen: Seen) -> None:
    """Keep a run, one line for each recipe."""
    rows = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(asdict(row))}"
        for name, row in sorted(seen.rows.items())
    )
    path = root / FOLDER / f"{seen.backend}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'{{"versions": {json.dumps(seen.versions)}, "recipes": {{\n{rows}\n}}}}\n',
        "utf-8",
    )


class Tests:
    """The unit tests of a package, and which of them need TensorFlow."""

    __test__ = False  # a name, not a test

    def __init__(self, package: Package) -> None:
        self.package, self.root = package, package.folder.parent
        self.modules = {
            path: Module(package, ".".join(path.with_suffix("").parts[-depth:]), path)
            for path in sorted((self.root / listings.UNIT).rglob("*.py"))
            for depth in [len(path.relative_to(self.root).parts)]
        }
        others = {module.name: module for module in self.modules.values()}
        self.reach = Reach(package, others)
        self._files: dict[str, listings.TestFile] = {}

    def file(self, module: Module) -> listings.TestFile:
        """The tests of a module; many modules share one file, which is parsed once."""
        stem = self.package.stem(module)
        if stem not in self._files:
            self._files[stem] = listings.tests_of(self.package, module)
        return self._files[stem]

    @cached_property
    def of_recipes(self) -> dict[str, tuple[Module, str, list[tuple[Path, str]]]]:
        """Each recipe by its public name: its module and name, and its tests."""
        found = {}
        for module in self.package.recipe_modules:
            file = self.file(module)
            for name in module.objects:
                tests = [(file.path, test.name) for test in file.of(name)]
                found[self.package.public(module, name)] = (module, name, tests)
        return found

    def hash(self, recipe: str) -> str:
        """Equal while a recipe and its tests do the same."""
        module, name = self.package.place(recipe)
        parts = [self.reach.digest(module, [module.objects[name]])]
        file = self.file(module)
        for test in file.of(name):
            code = self._code(file.path, test.name)
            parts.append(self.reach.digest(self.modules[file.path], code))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]

    def recipe_needs_tensorflow(self, recipe: str) -> bool:
        module, name, _ = self.of_recipes[recipe]
        return self._reaches(module, [module.objects[name]])

    def needs_tensorflow(self, path: Path, names: Iterable[str]) -> bool:
        """Whether a test does, named with its fixtures by their file."""
        nodes = [node for name in names for node in self._code(path, name)]
        return self._reaches(self.modules[path], nodes)

    def _code(self, path: Path, name: str) -> list[ast.AST]:
        objects = self.modules[path].objects
        return [objects[name]] if name in objects else []

    def _reaches(self, module: Module, nodes: Iterable[ast.AST]) -> bool:
        _, uses = self.reach.closure(module, nodes)
        return any(_TENSORFLOW.search(text) for use in uses for text in use.outside)

    def said(self, recipe: str, runs: Iterable[Seen]) -> str:
        """The backends of a recipe in words, or nothing where none was tried."""
        words = [self._said(recipe, run) for run in runs]
        return ", ".join(["TensorFlow", *filter(None, words)]) if words else ""

    def _said(self, recipe: str, run: Seen) -> str:
        row = run.rows.get(recipe)
        if row is None or not row.passed + row.failed:
            return ""
        version, _, _ = run.versions[run.backend].partition("+")  # of 2.13.0+cpu
        name = f"{NAMES[run.backend]} {version}"
        if row.hash != self.hash(recipe):
            return f"not tried since it changed: {name}"
        if row.failed:
            return f"not {name}, where {row.failed} of its tests failed"
        return f"{name} (without {row.left_out} of its tests)" if row.left_out else name

"""Read the proofs of the site's sentences, without importing them.

A proof is a test in `tests/proofs/test_<stem>.py` marked with `proves`; its identifier
is `stem.name`. Its hash changes with anything that can change its verdict: the test and
all that it reaches, recipe by recipe; not with the words of its mark.
"""

import ast
import copy
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conf.pages.reach import Reach, acts_on_import, canonical
from conf.pages.recipes import Module, Package, RecipeError
from conf.proofs import falsifiers

FOLDER = "tests/proofs"
# Folders of data that a proof may name, and then depends on.
DATA = ("tests/files/results",)
# What a proof declares: none of it changes what is seen when it runs.
RANGES = ("keras", "tensorflow")
NEEDS = ("keras", "tensorflow")


class ProofError(RecipeError):
    """A proof that cannot be read, and where it stands."""


@dataclass(frozen=True)
class ProofSource:
    """One proof as its file has it.

    Attributes:
        id: `stem.name`; the test is `test_name` in `test_stem.py`.
        quote: the sentence it proves.
        keras: the range of Keras versions on which it is declared to hold.
        tensorflow: likewise for TensorFlow.
        needs: where its sentence has a meaning, such as `keras>=3`; empty means
            everywhere. Several are joined by ` and `.
        has_falsifier: whether it names values under which it must fail.
        has_assertion: whether it asserts anything.
        weakness: what makes it too easy to refute, in a few words, or nothing.
        path: its file, from the root.
        line: the 1-based line where it starts.
        source: its text, decorator included.
        hash: see this module's first lines.
        frame: a hash of what its file does when it is imported: if that fails, no
            proof of the file runs.
    """

    id: str
    quote: str
    keras: str
    tensorflow: str
    needs: str
    has_falsifier: bool
    has_assertion: bool
    weakness: str
    path: str
    line: int
    source: str
    hash: str
    frame: str

    @property
    def stem(self) -> str:
        """The guide to which it belongs."""
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        """Its name in its file, without `test_`."""
        return self.id.partition(".")[2]


def read(root: Path, package: Package | None = None) -> dict[str, ProofSource]:
    """Read every proof below a root, by identifier.

    Raises:
        ProofError: a file does not parse, a name is bound twice, or a mark's words are
            not plain strings.
    """
    package = package or Package(root / "snippets")
    modules = {
        f"tests.proofs.{path.stem}": Module(package, f"tests.proofs.{path.stem}", path)
        for path in sorted((root / FOLDER).glob("*.py"))
        if path.name not in NOT_REACHED
    }
    reach = Reach(package, modules, {name: root / name for name in DATA})
    found = {}
    for module in modules.values():
        if not module.path.name.startswith("test_"):
            continue
        stem = module.path.stem.removeprefix("test_")
        frame = _frame(module)
        for name, node in module.objects.items():
            if isinstance(node, ast.FunctionDef) and (mark := _mark(node)):
                identifier = f"{stem}.{name.removeprefix('test_')}"
                found[identifier] = _proof(identifier, reach, module, node, mark, frame)
    return found


# How proofs are run and marked is part of every lane, not of each proof.
NOT_REACHED = {"proves.py", "run.py", "conftest.py", "__init__.py"}


def _mark(node: ast.FunctionDef) -> ast.Call | None:
    for decorator in node.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Name)
            and decorator.func.id == "proves"
        ):
            return decorator
    return None


def _proof(
    identifier: str,
    reach: Reach,
    module: Module,
    node: ast.FunctionDef,
    mark: ast.Call,
    frame: str,
) -> ProofSource:
    line, source = module.source_of(node.name)
    keywords = {word.arg: word.value for word in mark.keywords}
    words = {"quote": mark.args[0] if mark.args else None}
    words |= {name: keywords.get(name, ast.Constant("")) for name in (*RANGES, "needs")}
    texts = {}
    for name, value in words.items():
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            message = f"the {name} of `{node.name}` must be a plain string"
            raise ProofError(message, module.place, line)
        texts[name] = value.value
    for name in RANGES:
        try:
            SpecifierSet(texts[name])
        except InvalidSpecifier:
            message = f"{name}={texts[name]!r} is no range; write it like `>=3,<3.13`"
            raise ProofError(message, module.place, line) from None
    try:
        if set(needed(texts["needs"])) - set(NEEDS):
            raise InvalidRequirement
    except InvalidRequirement:
        message = f"needs={texts['needs']!r} is no range; write it like `keras>=3`"
        raise ProofError(message, module.place, line) from None
    return ProofSource(
        id=identifier,
        has_falsifier="false_with" in keywords,
        has_assertion=any(map(_asserts, ast.walk(node))),
        weakness=falsifiers.weakness(node),
        path=module.place,
        line=line,
        source=source,
        hash=reach.digest(module, [_unmarked(node, mark)]),
        frame=frame,
        **texts,
    )


@cache
def needed(words: str) -> dict[str, SpecifierSet]:
    """The ranges of `keras>=3 and tensorflow>=2.16`, by name.

    Raises:
        InvalidRequirement: the words are no such ranges.
    """
    parts = [Requirement(part) for part in words.split(" and ") if words]
    return {part.name: part.specifier for part in parts}


def _asserts(node: ast.AST) -> bool:
    """`assert`, or `pytest.raises` and `pytest.warns`."""
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"raises", "warns"}
    )


def _frame(module: Module) -> str:
    """What the file does when it is imported, its marks' words left out."""
    parts = []
    for statement in module.tree.body:
        if isinstance(statement, ast.FunctionDef):
            mark = _mark(statement)
            head = _unmarked(statement, mark) if mark else copy.copy(statement)
            head.body = [ast.Pass()]
            # A body of its own is part of each proof's hash.
            parts.append(canonical(head))
        elif acts_on_import(statement) or not isinstance(statement, ast.Expr):
            parts.append(canonical(statement))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]


def _unmarked(node: ast.FunctionDef, mark: ast.Call) -> ast.FunctionDef:
    """The function with a mark that only names its falsifier."""
    bare, unmarked = copy.copy(mark), copy.copy(node)
    bare.args = []
    bare.keywords = [word for word in mark.keywords if word.arg == "false_with"]
    unmarked.decorator_list = [
        bare if decorator is mark else decorator for decorator in node.decorator_list
    ]
    return unmarked

"""Read the proofs of the site's sentences, without importing them.

A proof is a test in `tests/proofs/test_<stem>.py` marked with `proves`; its identifier
is `stem.name`. Its hash changes with anything that can change its verdict: the test,
what it uses in its file, and the recipe modules it reaches; not with the quoted words.
"""

import ast
import copy
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from conf.recipes import Module, Package, RecipeError, global_names

FOLDER = "tests/proofs"


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
        has_falsifier: whether it names values under which it must fail.
        has_assertion: whether it asserts anything.
        path: its file, from the root.
        line: the 1-based line where it starts.
        source: its text, decorator included.
        hash: see this module's first lines.
        frame: a hash of what its file does when it is imported, other proofs' marks
            included: if that fails, no proof of the file runs.
    """

    id: str
    quote: str
    keras: str
    tensorflow: str
    has_falsifier: bool
    has_assertion: bool
    path: str
    line: int
    source: str
    hash: str
    frame: str


def read(root: Path, package: Package | None = None) -> dict[str, ProofSource]:
    """Read every proof below a root, by identifier.

    Raises:
        ProofError: a file does not parse, a name is bound twice, or a mark's words are
            not plain strings.
    """
    package = package or Package(root / "snippets")
    found = {}
    for path in sorted((root / FOLDER).glob("test_*.py")):
        stem = path.stem.removeprefix("test_")
        module = Module(package, f"tests.proofs.{path.stem}", path)
        frame = _frame(module)
        for name, node in module.objects.items():
            if isinstance(node, ast.FunctionDef) and (mark := _mark(node)):
                identifier = f"{stem}.{name.removeprefix('test_')}"
                found[identifier] = _proof(identifier, module, node, mark, frame)
    return found


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
    module: Module,
    node: ast.FunctionDef,
    mark: ast.Call,
    frame: str,
) -> ProofSource:
    line, source = module.source_of(node.name)
    keywords = {word.arg: word.value for word in mark.keywords}
    words = {"quote": mark.args[0] if mark.args else None}
    words |= {name: keywords.get(name, ast.Constant("")) for name in _RANGES}
    texts = {}
    for name, value in words.items():
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            message = f"the {name} of `{node.name}` must be a plain string"
            raise ProofError(message, module.place, line)
        texts[name] = value.value
    for name in _RANGES:
        try:
            SpecifierSet(texts[name])
        except InvalidSpecifier:
            message = f"{name}={texts[name]!r} is no range; write it like `>=3,<3.13`"
            raise ProofError(message, module.place, line) from None
    return ProofSource(
        id=identifier,
        has_falsifier="false_with" in keywords,
        has_assertion=any(map(_asserts, ast.walk(node))),
        path=module.place,
        line=line,
        source=source,
        hash=_hash(module, node, mark),
        frame=frame,
        **texts,
    )


_RANGES = ("keras", "tensorflow")


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
    statements = []
    for statement in module.tree.body:
        if isinstance(statement, ast.FunctionDef):
            mark = _mark(statement)
            statement = _unquoted(statement, mark) if mark else copy.copy(statement)
            statement.body = [ast.Pass()]
        statements.append(ast.unparse(statement))
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()


def _unquoted(node: ast.FunctionDef, mark: ast.Call) -> ast.FunctionDef:
    """The function with an empty quote in its mark; both trees share the rest."""
    empty, unquoted = copy.copy(mark), copy.copy(node)
    empty.args = [ast.Constant(""), *mark.args[1:]]
    unquoted.decorator_list = [
        empty if decorator is mark else decorator for decorator in node.decorator_list
    ]
    return unquoted


def _hash(module: Module, node: ast.FunctionDef, mark: ast.Call) -> str:
    # What the file does when it is imported is part of every proof in it.
    always = [
        ast.unparse(statement) for statement in module.tree.body if _acts(statement)
    ]
    parts = [ast.unparse(_unquoted(node, mark)), *always]
    ahead, done = [ast.unparse(node), *always], {node.name}
    reached: set[str] = set()
    while ahead:
        source = ahead.pop()
        reached |= _origins(source)
        for name in sorted(global_names(source) - done):
            done.add(name)
            if name in module.objects:
                text = module.source_of(name)[1]
                parts.append(text)
                ahead.append(text)
            for statement in module.imports.get(name, ()):
                parts.append(statement)
                reached |= _origins(statement)
    for dotted, digest in sorted(_files(module, reached).items()):
        parts.append(f"{dotted} {digest}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _acts(statement: ast.stmt) -> bool:
    """Whether a top-level statement does more than to bind a name of its own."""
    plain = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
    if isinstance(statement, plain):
        return False
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    return not (is_assignment and all(isinstance(t, ast.Name) for t in targets))


@cache  # the proofs of a file share most of what they use
def _origins(source: str) -> frozenset[str]:
    """The dotted names of everything that a source imports."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return frozenset(found)


def _files(module: Module, origins: set[str]) -> dict[str, str]:
    """Digests of the files of this project that imports lead to."""
    package, root = module.package, module.package.folder.parent
    files: dict[str, str] = {}
    for origin in origins:
        if package.owns(origin):
            parent = origin.rpartition(".")[0]
            known = [name for name in (origin, parent) if name in package.modules]
            found = known or list(package.modules)
            whole = list(package.modules) if origin == package.name else found
            files |= package.files_of(whole)
        elif origin.startswith("tests.") and not origin.startswith(_MARK_MODULE):
            for dotted in (origin, origin.rpartition(".")[0]):
                path = root / f"{dotted.replace('.', '/')}.py"
                if path.exists():
                    files[dotted] = hashlib.sha256(path.read_bytes()).hexdigest()
    return files


_MARK_MODULE = "tests.proofs.proves"

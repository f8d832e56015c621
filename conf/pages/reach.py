"""What code reaches in this project, and one hash of it.

The hash is that of what runs: docstrings, comments and the place of a definition do not
count, and it is the same on every version of Python. It follows names to definitions,
recipe by recipe, through imports, re-exports and programs in strings; a recipe that
reads sources or docstrings gets those too.
"""

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from conf.pages.recipes import Definition, Module, Package, guards_imports

# Code that uses one of these sees the text of other code, not only what it does.
READS_TEXT = {"getsource", "getsourcelines", "getdoc", "__doc__", "linecache"}
# No behavior, or another one on each version of Python.
_SKIPPED = {"ctx", "kind", "type_comment"}


@dataclass(frozen=True)
class Uses:
    """What one piece of code uses: definitions, modules, outside imports, data."""

    objects: frozenset[tuple[str, str]]
    modules: frozenset[str]
    outside: frozenset[str]
    data: frozenset[str]
    reads_text: bool


@dataclass
class _Found:
    objects: set[tuple[str, str]] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    outside: set[str] = field(default_factory=set)
    data: set[str] = field(default_factory=set)


class Reach:
    """The modules of a project, and what their code reaches among them.

    Args:
        package: the package of the recipes.
        others: modules outside of it that its tests import, by dotted name.
        folders: folders of data outside of it, by the name that code has for them.
    """

    def __init__(
        self,
        package: Package,
        others: Mapping[str, Module] | None = None,
        folders: Mapping[str, Path] | None = None,
    ) -> None:
        self.package = package
        self.folders = folders or {}
        self.modules = {**package.modules, **(others or {})}
        self._uses: dict[tuple[str, str], Uses] = {}
        self._acts: dict[str, list[str]] = {}
        self._codes: dict[tuple[str, str], str] = {}
        names = [package.name, *{name.partition(".")[0] for name in others or {}}]
        roots = "|".join(map(re.escape, names))
        self._dotted = re.compile(rf"\b(?:{roots})(?:\.[A-Za-z_]\w*)+")
        self._program = re.compile(
            rf"\bfrom\s+((?:{roots})[\w.]*)\s+import\s+(\([^)]*\)|[\w, ]+)"
        )

    def closure(
        self, module: Module, nodes: Iterable[ast.AST]
    ) -> tuple[set[tuple[str, str]], list[Uses]]:
        """The definitions that some code reaches, and what all of it uses."""
        found = [self._used(module, node) for node in nodes]
        ahead, done = [place for uses in found for place in uses.objects], set()
        while ahead:
            place = ahead.pop()
            if place not in done:
                done.add(place)
                found.append(self.uses(*place))
                ahead += found[-1].objects
        return done, found

    def digest(self, module: Module, nodes: Iterable[ast.AST]) -> str:
        """One hash of some code of a module and of all that it reaches."""
        nodes = list(nodes)
        done, found = self.closure(module, nodes)
        modules = {module.name, *(name for name, _ in done)}
        modules = modules.union(*(uses.modules for uses in found))
        reads_text = any(uses.reads_text for uses in found)
        parts = [canonical(node) for node in nodes]
        for name, thing in sorted(done):
            owner = self.modules[name]
            text = owner.source_of(thing)[1]
            parts.append(text if reads_text else self._code(owner, thing))
        rest = {act for name in modules for act in self._acting(name)}
        rest = rest.union(*(uses.outside for uses in found))
        for name in set().union(*(uses.data for uses in found)):
            rest.add(f"{name} {hashlib.sha256(self._content(name)).hexdigest()}")
        own, others = parts[: len(nodes)], parts[len(nodes) :]
        return _hash([*own, *sorted(others), *sorted(rest)])

    def _content(self, name: str) -> bytes:
        """A data file, or all files of a folder of data."""
        if name in self.folders:
            files = sorted(self.folders[name].glob("*.json"))
            return b"".join(path.name.encode() + path.read_bytes() for path in files)
        return self.package.data_files[name].read_bytes()

    def _code(self, module: Module, name: str) -> str:
        key = (module.name, name)
        if key not in self._codes:
            self._codes[key] = canonical(module.objects[name])
        return self._codes[key]

    def uses(self, module: str, name: str) -> Uses:
        """What one top-level definition uses."""
        key = (module, name)
        if key not in self._uses:
            owner = self.modules[module]
            self._uses[key] = self._used(owner, owner.objects[name])
        return self._uses[key]

    def _used(self, module: Module, code: ast.AST) -> Uses:
        found = _Found()
        reads_text = False
        names: dict[str, set[str]] = {}  # with the attributes that are asked of them
        bare: set[str] = set()
        attributes = set()
        bound: dict[str, dict[str, str]] = {}  # by imports inside the code
        for node in ast.walk(code):
            if isinstance(node, ast.Attribute):
                reads_text |= node.attr in READS_TEXT
                if isinstance(node.value, ast.Name):
                    names.setdefault(node.value.id, set()).add(node.attr)
                    attributes.add(node.value)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                for name, origin in imported(module, node):
                    # `import a.b` binds `a`, and one statement stands for both.
                    origins = bound.setdefault(name, {})
                    origins |= {o: "" for o in origins if origin.startswith(f"{o}.")}
                    origins[origin] = f"{name} is {origin}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                self._in_string(node.value, found)
            elif isinstance(node, ast.JoinedStr):
                pieces = (getattr(v, "value", None) for v in node.values)
                words = "_".join(p for p in pieces if isinstance(p, str))
                self._in_string(words, found)
        for node in ast.walk(code):
            if isinstance(node, ast.Name) and node not in attributes:
                bare.add(node.id)
        for name in bare.union(names, bound):
            reads_text |= name in READS_TEXT
            asked = set() if name in bare else names.get(name, set())
            for origin, statement in bound.get(name, {}).items():
                self._origin(origin, asked, found, statement)
            if name in module.objects and name not in bound:
                found.objects.add((module.name, name))
            for statement in module.imports.get(name, ()):
                for _, origin in imported(module, ast.parse(statement).body[0]):
                    self._origin(origin, asked, found, statement)
        return Uses(
            frozenset(found.objects),
            frozenset(found.modules),
            frozenset(found.outside),
            frozenset(found.data),
            reads_text,
        )

    def _in_string(self, text: str, found: _Found) -> None:
        """A data file's name, or a program that imports from this project."""
        if text in self.package.data_files or text in self.folders:
            found.data.add(text)
        if "." not in text and "import" not in text:
            return
        for match in self._program.finditer(text):
            for word in re.findall(r"\w+", match[2]):
                self._origin(f"{match[1]}.{word}", set(), found)
        rest = self._program.sub(" ", text)
        for match in self._dotted.finditer(rest):
            self._origin(match[0], set(), found)

    def _origin(
        self, dotted: str, asked: Iterable[str], found: _Found, statement: str = ""
    ) -> None:
        """Follow a dotted name to what it stands for."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            name = ".".join(parts[:length])
            if name in self.modules:
                break
        else:
            if statement:
                found.outside.add(statement)
            return
        found.modules.add(name)
        rest = parts[length : length + 1] or sorted(asked)
        if rest:
            for word in rest:
                self._member(self.modules[name], word, found)
        else:
            self._whole(self.modules[name], found)

    def _member(self, module: Module, name: str, found: _Found) -> None:
        if name in module.objects:
            found.objects.add((module.name, name))
        elif f"{module.name}.{name}" in self.modules:
            inner = self.modules[f"{module.name}.{name}"]
            found.modules.add(inner.name)
            self._whole(inner, found)
        else:
            for statement in module.imports.get(name, ()):
                for _, origin in imported(module, ast.parse(statement).body[0]):
                    self._origin(origin, (), found, statement)

    def _whole(self, module: Module, found: _Found) -> None:
        found.objects.update((module.name, name) for name in module.objects)
        for statements in module.imports.values():
            for statement in statements:
                for _, origin in imported(module, ast.parse(statement).body[0]):
                    if origin.rpartition(".")[0] in self.modules:
                        self._origin(origin, (), found, statement)

    def _acting(self, name: str) -> list[str]:
        """What importing a module does, and what it imports, beyond binding names."""
        if name not in self._acts:
            ahead, done, acts = [name], set(), []
            while ahead:
                current = ahead.pop()
                if current in done or current not in self.modules:
                    continue
                done.add(current)
                module = self.modules[current]
                acts += [canonical(s) for s in module.tree.body if acts_on_import(s)]
                parents = current.split(".")
                ahead += [".".join(parents[:n]) for n in range(1, len(parents))]
                for statements in module.imports.values():
                    for statement in statements:
                        for _, origin in imported(module, ast.parse(statement).body[0]):
                            ahead += [origin, origin.rpartition(".")[0]]
            self._acts[name] = sorted(acts)
        return self._acts[name]


def imported(module: Module, node: ast.AST) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with what it stands for."""
    if isinstance(node, ast.ImportFrom):
        origin = module.origin_of(node)
        for alias in node.names:
            yield alias.asname or alias.name, f"{origin}.{alias.name}"
    elif isinstance(node, ast.Import):
        for alias in node.names:
            name = alias.asname or alias.name.partition(".")[0]
            yield name, alias.name if alias.asname else alias.name.partition(".")[0]
            if not alias.asname and "." in alias.name:
                yield name, alias.name


def acts_on_import(statement: ast.stmt) -> bool:
    """Whether a top-level statement does more than to bind a name of its own."""
    plain = ast.Import | ast.ImportFrom | Definition
    if isinstance(statement, plain) or guards_imports(statement):
        return False
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return False
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    is_assignment = isinstance(statement, ast.Assign | ast.AnnAssign)
    return not (is_assignment and all(isinstance(t, ast.Name) for t in targets))


def canonical(node: ast.AST) -> str:
    """The node as text: equal for equal behavior, whatever the version of Python."""
    return json.dumps(_plain(node))


def of_files(paths: Iterable[Path]) -> str:
    """One hash of what the code of some files does."""
    return _hash([canonical(ast.parse(path.read_text("utf-8"))) for path in paths])


def _plain(node: object) -> object:
    if isinstance(node, ast.Constant):
        return ["Constant", type(node.value).__name__, repr(node.value)]
    if isinstance(node, ast.JoinedStr):
        return ["JoinedStr", *_merged(node.values)]
    if isinstance(node, ast.ImportFrom):  # where from: followed, not compared as text
        return ["ImportFrom", *(alias.asname or alias.name for alias in node.names)]
    if isinstance(node, ast.AST):
        fields: list[object] = [type(node).__name__]
        for name, value in ast.iter_fields(node):
            if name in _SKIPPED or value is None or value == []:
                continue
            if name == "body" and isinstance(value, list):
                value = [s for s in value if not _is_text(s)]
            fields.append([name, _plain(value)])
        return fields
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return str(node)


def _merged(values: list[ast.expr]) -> list[object]:
    """The parts of an f-string; Python 3.12 cuts its constants elsewhere than 3.11."""
    found: list[object] = []
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
            continue
        found += [text] * bool(text) + [_plain(value)]
        text = ""
    return found + [text] * bool(text)


def _is_text(statement: ast.stmt) -> bool:
    """A docstring, or a string that stands for a comment."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:20]

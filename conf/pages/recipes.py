"""Read recipes from the package's source, without importing it.

A *recipe* is a function, class or constant at the top level of a module of the
package. This module finds it, cuts its source out, and says which imports and
which other recipes that source needs.
"""

import ast
import builtins
import difflib
import hashlib
import re
import symtable
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeGuard

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Constant = ast.Assign | ast.AnnAssign


class RecipeError(Exception):
    """A recipe cannot be shown; one line for the author, with a place if it has one."""

    def __init__(self, message: str, path: str = "", line: int = 0) -> None:
        super().__init__(f"{path}:{line}: {message}" if path else message)
        self.message, self.path, self.line = message, path, line


@dataclass(frozen=True)
class Recipe:
    """One recipe as a page shows it.

    Attributes:
        name: the dotted name, for example `snippets.data.digit_images`.
        kind: `function`, `class` or `data`.
        line: the 1-based line in the module where the source starts.
        source: the object's own source, its docstring cut to the first line.
        imports: the import statements that the source needs, in module order.
        needs: dotted names of the package's own recipes that the source uses.
    """

    name: str
    kind: str
    line: int
    source: str
    imports: tuple[str, ...]
    needs: tuple[str, ...]


def code_of(recipes: Sequence[Recipe]) -> str:
    """The text of a cell that shows recipes: imports on top, then each source.

    The standard library comes first, as in the modules; otherwise the order is theirs.
    """
    imports = dict.fromkeys(line for recipe in recipes for line in recipe.imports)
    groups = [
        [line for line in imports if _is_standard(line) is standard]
        for standard in (True, False)
    ]
    head = "\n\n".join("\n".join(group) for group in groups if group)
    gap = "\n\n" if all(recipe.kind == "data" for recipe in recipes) else "\n\n\n"
    sources = [recipe.source for recipe in recipes]
    return gap.join([head, *sources] if head else sources)


def _is_standard(statement: str) -> bool:
    return re.split(r"[ .]", statement)[1] in sys.stdlib_module_names


class Module:
    """One module of the package, parsed."""

    def __init__(self, package: "Package", name: str, path: Path) -> None:
        self.package, self.name, self.path = package, name, path
        self.text = path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise self.error(error.lineno or 1, f"syntax error: {error.msg}") from error

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def place(self) -> str:
        """The file as messages name it, for example `snippets/data.py`."""
        return self.path.relative_to(self.package.folder.parent).as_posix()

    def error(self, line: int, message: str) -> RecipeError:
        """Something in this file that has to change."""
        return RecipeError(message, self.place, line)

    @cached_property
    def objects(self) -> dict[str, Definition | Constant]:
        """The top-level functions, classes and constants, by name."""
        found: dict[str, Definition | Constant] = {}
        seen: set[str] = set()
        for node in self.tree.body:
            # A walrus inside a function binds nothing out here.
            own = {node.name} if isinstance(node, Definition) else None
            names = own or bound_names(node)
            if again := sorted(names & seen - self._imported_again(node)):
                raise self.error(
                    node.lineno,
                    f"`{again[0]}` is bound twice at the top level; "
                    f"a page could not say which one it shows",
                )
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                raise self.error(
                    node.lineno, "`import *` hides which names a recipe needs"
                )
            seen |= names
            if isinstance(node, Definition | Constant):
                found.update(dict.fromkeys(names, node))
        return found

    @staticmethod
    def _imported_again(node: ast.stmt) -> set[str]:
        """`import a.b` after `import a` binds the same `a`."""
        return bound_names(node) if isinstance(node, ast.Import) else set()

    @cached_property
    def imports(self) -> dict[str, tuple[str, ...]]:
        """Import statements by the name they bind, one alias a statement."""
        found: dict[str, tuple[str, ...]] = {}
        for node in self.import_statements:
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                single = ast.copy_location(
                    ast.Import([alias])
                    if isinstance(node, ast.Import)
                    else ast.ImportFrom(node.module, [alias], node.level),
                    node,
                )
                found[name] = (*found.get(name, ()), ast.unparse(single))
        return found

    @property
    def import_statements(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """The imports at the top level, also those that a `with` guards."""
        for node in self.tree.body:
            for inner in node.body if guards_imports(node) else [node]:
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield inner

    @cached_property
    def own_imports(self) -> list[tuple[str, str]]:
        """Imports from the package itself, nested ones too: (bound name, origin)."""
        found = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and self.package.owns(
                self.origin_of(node)
            ):
                origin = self.origin_of(node)
                found += [
                    (a.asname or a.name, f"{origin}.{a.name}") for a in node.names
                ]
            elif isinstance(node, ast.Import):
                found += [
                    (a.asname or a.name.partition(".")[0], a.name)
                    for a in node.names
                    if self.package.owns(a.name)
                ]
        return found

    def origin_of(self, node: ast.ImportFrom) -> str:
        """The module that `from ... import` names, dots resolved."""
        if not node.level:
            return node.module or ""
        is_package = self.path.name == "__init__.py"
        parts = self.name.split(".")
        parts = parts[: len(parts) - node.level + is_package]
        return ".".join([*parts, node.module] if node.module else parts)

    def source_of(self, name: str) -> tuple[int, str]:
        """First line and full source of a top-level object, decorators included."""
        node = self.objects[name]
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        lines = self.text.split("\n")  # what Python counts as a line
        return first, "\n".join(lines[first - 1 : node.end_lineno])


class Package:
    """The importable package whose recipes the pages show."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name

    @cached_property
    def modules(self) -> dict[str, Module]:
        found = {}
        for path in sorted(self.folder.rglob("*.py")):
            parts = path.relative_to(self.folder.parent).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = Module(self, name, path)
        return found

    @property
    def recipe_modules(self) -> list[Module]:
        """The modules that hold recipes: all but the `__init__.py` files."""
        return [m for m in self.modules.values() if m.path.name != "__init__.py"]

    @cached_property
    def data_files(self) -> dict[str, Path]:
        """Files of the package that are not code, by their path inside it."""
        return {
            path.relative_to(self.folder).as_posix(): path
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.suffix not in {".py", ".pyc", ".typed"}
        }

    @cached_property
    def digest(self) -> str:
        """One hash over every file of the package: equal means nothing changed."""
        digest = hashlib.sha256()
        for module in self.modules.values():
            digest.update(f"{module.name} {module.digest}\n".encode())
        for name, path in self.data_files.items():
            digest.update(name.encode() + b"\n" + path.read_bytes() + b"\n")
        return digest.hexdigest()

    def owns(self, dotted: str) -> bool:
        return dotted == self.name or dotted.startswith(self.name + ".")

    def place(self, dotted: str) -> tuple[Module, str]:
        """The module that defines a recipe, and its name there.

        The dotted name leads through what a guide's `__init__.py` exports.
        """
        seen: set[str] = set()  # exports can lead in a circle
        while dotted not in seen:
            seen.add(dotted)
            module, _, name = dotted.rpartition(".")
            if module in self.modules:
                found = self.modules[module]
                if name in found.objects:
                    return found, name
                origins = [
                    origin for bound, origin in found.own_imports if bound == name
                ]
                dotted = (origins or [dotted])[0]
        raise RecipeError(f"there is no recipe `{dotted}`{self._suggestion(dotted)}")

    def public(self, module: Module, name: str) -> str:
        """The name by which a recipe is known: as its guide exports it, if it does."""
        own = f"{module.name}.{name}"
        parent = self.modules.get(module.name.rpartition(".")[0])
        if parent and (name, own) in parent.own_imports:
            return f"{parent.name}.{name}"
        return own

    def stem(self, module: Module) -> str:
        """The name that a module shares with its guide, its tests and its proofs."""
        parent = self.modules.get(module.name.rpartition(".")[0])
        has_face = parent is not None and parent.name != self.name
        if has_face and parent is not None and parent.own_imports:
            return parent.name.rpartition(".")[2]
        return module.name.rpartition(".")[2]

    def _suggestion(self, dotted: str) -> str:
        known = []
        for module in self.recipe_modules:
            with suppress(RecipeError):  # another module's fault is not this page's
                known += [self.public(module, name) for name in module.objects]
        close = difflib.get_close_matches(dotted, known, n=1, cutoff=0.5)
        return f"; renamed? the nearest is `{close[0]}`" if close else ""

    def recipe(self, dotted: str) -> Recipe:
        """Read one recipe.

        Args:
            dotted: its full name, for example `snippets.data.digit_images`.

        Raises:
            RecipeError: it does not exist, its module does not parse, or it uses a
                name in a way that a single cell cannot reproduce.
        """
        module, name = self.place(dotted)
        node = module.objects[name]
        line, full = module.source_of(name)
        own = dict(module.own_imports)
        imports: list[str] = []
        needs: list[str] = []
        for used in sorted(global_names(full)):
            if used == name:
                continue
            if used in own:
                needs.append(self._own(module, line, used, own[used]))
            elif used in module.objects:
                needs.append(self.public(module, used))
            elif used in module.imports:
                imports.extend(module.imports[used])
            elif not hasattr(builtins, used):
                raise module.error(
                    line,
                    f"`{name}` uses `{used}`, which is neither imported nor defined "
                    f"at the top level of its module",
                )
        order = [text for texts in module.imports.values() for text in texts]
        return Recipe(
            name=self.public(module, name),
            kind=_kind(node),
            line=line,
            source=_cut_docstring(full),
            imports=tuple(sorted(imports, key=order.index)),
            needs=tuple(needs),
        )

    def with_needs(self, names: Iterable[str]) -> tuple[Recipe, ...]:
        """Recipes and all that they need, each after what it needs.

        Args:
            names: full names, as `recipe` takes them.

        Raises:
            RecipeError: as `recipe` does.
        """
        found: dict[str, Recipe] = {}
        begun: set[str] = set()  # two recipes may call each other

        def add(name: str) -> None:
            recipe = self.recipe(name)
            if recipe.name not in begun:
                begun.add(recipe.name)
                for needed in recipe.needs:
                    add(needed)
                found[recipe.name] = recipe

        for name in names:
            add(name)
        return tuple(found.values())

    def method(self, dotted: str) -> tuple[str, str] | None:
        """The class of a method and the method's source; None if it is no method.

        Args:
            dotted: its full name, for example `snippets.gans.GAN.train_step`.
        """
        owner, _, name = dotted.rpartition(".")
        if owner in self.modules:
            return None
        try:
            module, own = self.place(owner)
        except RecipeError:
            return None
        for node in getattr(module.objects[own], "body", ()):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                lines = module.text.split("\n")[first - 1 : node.end_lineno]
                source = _cut_docstring(textwrap.dedent("\n".join(lines)))
                return self.public(module, own), source
        return None

    def _own(self, module: Module, line: int, used: str, dotted: str) -> str:
        if dotted in self.modules or dotted.rpartition(".")[2] != used:
            raise module.error(
                line,
                f"a page shows recipes under their own names: write "
                f"`from <module> import <name>` for `{dotted}`, not `{used}`",
            )
        return self.public(*self.place(dotted))


def guards_imports(statement: ast.AST) -> TypeGuard[ast.With]:
    """Whether it is a `with` that holds imports alone: it binds what they bind."""
    return isinstance(statement, ast.With) and all(
        isinstance(inner, ast.Import | ast.ImportFrom) for inner in statement.body
    )


def docstring_of(node: Definition) -> ast.Constant | None:
    """The docstring's node, or None."""
    first = node.body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return first.value
    return None


def bound_names(tree: ast.AST) -> set[str]:
    """Every name that a cell binds at its top level, in loops and `with` too."""
    found: set[str] = set()
    ahead: list[tuple[ast.AST, bool]] = [(tree, False)]  # and whether in a scope within
    while ahead:
        node, within = ahead.pop()
        if isinstance(node, ast.NamedExpr):
            found.add(node.target.id)  # binds outside the comprehension it stands in
        if not within:
            found |= _bound_by(node)
        if isinstance(node, Definition | ast.Lambda):
            continue
        inner = within or isinstance(node, _COMPREHENSIONS)
        ahead += [(child, inner) for child in ast.iter_child_nodes(node)]
    return found


_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def _bound_by(node: ast.AST) -> set[str]:
    """The names that one node binds by itself."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Import() | ast.ImportFrom():
            return {a.asname or a.name.partition(".")[0] for a in node.names} - {"*"}
        case ast.Name(ctx=ast.Store() | ast.Del()):
            return {node.id}
        case (
            ast.ExceptHandler(name=str(name))
            | ast.MatchAs(name=str(name))
            | ast.MatchStar(name=str(name))
            | ast.MatchMapping(rest=str(name))
        ):
            return {name}
    return set()


def _kind(node: Definition | Constant) -> str:
    if isinstance(node, ast.ClassDef):
        return "class"
    return "data" if isinstance(node, Constant) else "function"


@cache  # the proofs of a file share most of what they use
def global_names(source: str) -> frozenset[str]:
    """Names that the source looks up outside itself: globals and builtins."""
    found = set()
    bound = bound_names(ast.parse(source))
    ahead = [(symtable.symtable(source, "<recipe>", "exec"), True)]
    while ahead:
        table, is_top = ahead.pop()
        for symbol in table.get_symbols():
            name = symbol.get_name()
            # From Python 3.12 on, what a comprehension binds is listed around it.
            is_inner = is_top and symbol.is_assigned() and name not in bound
            if (
                symbol.is_referenced()
                and not is_inner
                and (is_top or symbol.is_global())
            ):
                found.add(name)
        ahead.extend((child, False) for child in table.get_children())
    return frozenset(found)


def _cut_docstring(source: str) -> str:
    """Cut each docstring in the source to its first line."""
    lines = source.split("\n")
    nodes = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, Definition)
    ]
    for node in sorted(nodes, key=lambda node: node.lineno, reverse=True):
        doc = docstring_of(node)
        if (
            doc is not None
            and doc.end_lineno is not None
            and doc.end_lineno > doc.lineno
        ):
            first = (
                str(doc.value).strip().partition("\n")[0].rstrip().replace("\\", "\\\\")
            )
            first = re.sub(r'"(?="")|"$', r"\"", first)
            indent = lines[doc.lineno - 1][: doc.col_offset]
            lines[doc.lineno - 1 : doc.end_lineno] = [f'{indent}"""{first}"""']
    return "\n".join(lines)

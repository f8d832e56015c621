"""The recipe reference, and the way to it from every cell.

`{recipes} snippets.data` documents a module's public recipes from their source: nothing
is imported. Below each cell that shows a recipe stand links to its entry here, its
source and its tests.
"""

import ast
import hashlib
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.transforms import Transform
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.docutils import SphinxDirective, SphinxRole

from conf import state
from conf.pages.recipes import (
    Definition,
    Module,
    Package,
    RecipeError,
    code_of,
    docstring_of,
)
from conf.reference import backends, listings

_CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)
_MANY = 6  # tests named in full below a recipe


class Recipes(SphinxDirective):
    """Document the public recipes of one module."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        package = Package(Path(self.config.recipes_package))
        name = self.arguments[0]
        if name not in package.modules:
            raise self.error(f"there is no module `{name}` in `{package.name}`")
        state.of(self.env).references[self.env.docname] = _digest(self.env)
        try:
            text = _Entry(self.env, package, package.modules[name]).text()
        except RecipeError as error:
            raise self.error(str(error)) from error
        fence = "`" * 6
        return self.parse_text_to_nodes(f"{fence}{{eval-rst}}\n{text}\n{fence}")


class _Entry:
    """Writes the entries of one module, or of a guide, as reStructuredText.

    The recipes of a guide are known by the names that its `__init__.py` exports; what
    it does not export, such as its mistakes, by those of their own modules.
    """

    def __init__(self, env: BuildEnvironment, package: Package, module: Module) -> None:
        self.env, self.package, self.about = env, package, module
        self.pages = _pages(env, package)
        self.runs = backends.read(package.folder.parent)
        self.backends = backends.Tests(package)

    def text(self) -> str:
        """The whole module."""
        inside = f"{self.about.name}."
        modules = [
            module
            for module in self.package.recipe_modules
            if module is self.about or module.name.startswith(inside)
        ]
        known: dict[str, list[tuple[Module, str]]] = {self.about.name: []}
        for module in modules:
            for name in module.objects:
                if not name.startswith("_"):
                    owner = self.package.public(module, name).rpartition(".")[0]
                    known.setdefault(owner, []).append((module, name))
        parts = []
        for owner, recipes in known.items():
            about = ast.get_docstring(self.package.modules[owner].tree) or ""
            parts += [f".. py:module:: {owner}", _rst(about)]
            for self.module, name in recipes:
                self.tests = self.backends.file(self.module)
                parts.append(self._object(name, self.module.objects[name]))
        return "\n\n".join(parts)

    def _object(self, name: str, node: Any) -> str:
        body = [self._doc(node, name), self._links(name)]
        if isinstance(node, ast.ClassDef):
            head = f".. py:class:: {name}{_signature(_init_of(node))}"
            body += [
                _block(
                    f".. py:method:: {method.name}{_signature(method)}",
                    self._doc(method, ""),
                )
                for method in node.body
                if isinstance(method, ast.FunctionDef)
                and not method.name.startswith("_")
            ]
        elif isinstance(node, Definition):
            head = f".. py:function:: {name}{_signature(node)}"
        else:
            value = ast.unparse(node.value).replace("\n", " ") if node.value else ""
            head = (
                f".. py:data:: {name}\n   :value: {value[:60]}{'…' * (len(value) > 60)}"
            )
        return _block(head, *body)

    def _doc(self, node: Any, name: str) -> str:
        if isinstance(node, Definition):
            constant = docstring_of(node)
            text = str(ast.get_docstring(node)) if constant else ""
        else:
            text = self._constant_doc(node)
        return str(GoogleDocstring(_rst(text), what="function", name=name))

    def _constant_doc(self, node: ast.stmt) -> str:
        """The string that follows a constant."""
        body = self.module.tree.body
        after = body[body.index(node) + 1 : body.index(node) + 2]
        for following in after:
            if isinstance(following, ast.Expr) and isinstance(
                following.value, ast.Constant
            ):
                return str(following.value.value)
        return ""

    def _links(self, name: str) -> str:
        """Fields that lead to the guides, the source and the tests."""
        tests_path = f"{listings.UNIT}/{self.tests.path.name}"
        tests = [
            _rst_link(
                test.name.removeprefix("test_").replace("_", " "),
                self._address(tests_path, test.name),
            )
            for test in self.tests.of(name)
        ]
        if len(tests) > _MANY:
            more = f"{len(tests) - _MANY} more"
            tests = [*tests[:_MANY], _rst_link(more, self._address(tests_path, name))]
        public = self.package.public(self.module, name)
        pages = self.pages.get(public, [])
        source = _rst_link(self.module.place, self._address(self.module.place, name))
        fields = [f":Source: {source}"]
        if pages:
            fields.append(
                ":Shown in: " + ", ".join(f":doc:`/{page}`" for page in pages)
            )
        fields.append(":Tested: " + "; ".join(tests))
        if said := self.backends.said(public, self.runs):
            fields.append(f":Backends: {said}")
        return "\n".join(fields)

    def _address(self, path: str, anchor: str) -> str:
        return listings.address(self.env.docname, path, anchor)


class CellLinks(Transform):
    """Put links to entry, source and tests below each cell that shows recipes.

    What its recipes need besides stands there too, in a text that nobody sees: the copy
    button takes it (`docs/_static/copy.js`), so that what is pasted runs alone.
    """

    default_priority = 800

    def apply(self, **_: Any) -> None:
        env: BuildEnvironment = self.document.settings.env
        package = Package(Path(env.config.recipes_package))
        cells = list(self.document.findall(nodes.container))
        for count, cell in enumerate(cells):
            metadata: dict[str, Any] = cell.get("cell_metadata", {})
            names = metadata.get("snippet", "").split()
            if not names:
                continue
            if not cell.children:  # neither code nor output is shown
                cell.parent.remove(cell)
                continue
            source = cell.children[0]  # links are hidden and shown with the code
            assert isinstance(source, nodes.Element)
            links = [_cell_links(env, package, dotted) for dotted in names]
            source.extend(links)
            shown = {package.recipe(dotted).name for dotted in names}
            whole = package.with_needs(names)
            needed = [recipe.name for recipe in whole if recipe.name not in shown]
            if needed:
                links[-1] += _copied_with(env, needed)
                source.append(_whole(f"whole-{count}", code_of(whole)))


class RecipeRole(SphinxRole):
    """A recipe's name in running text, linked to its entry."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        return [_entry_link(self.env.docname, self.text)], []


def _entry_link(docname: str, dotted: str) -> pending_xref:
    return pending_xref(
        "",
        nodes.literal("", dotted.rpartition(".")[2]),
        refdomain="py",
        reftype="obj",
        reftarget=dotted,
        refdoc=docname,
        refwarn=True,
    )


def _cell_links(
    env: BuildEnvironment, package: Package, dotted: str
) -> nodes.paragraph:
    """Entry · source · tests of one recipe."""
    module, name = package.place(dotted)
    tests = listings.tests_of(package, module).path.name
    entry = _entry_link(env.docname, package.public(module, name))
    links = nodes.paragraph(
        "", "", nodes.Text("Recipe "), entry, classes=["recipe-links"]
    )
    places = {"source": module.place, "tests": f"{listings.UNIT}/{tests}"}
    for text, path in places.items():
        target = listings.address(env.docname, path, name)
        links += [
            nodes.Text(" · "),
            nodes.reference("", text, refuri=target, internal=True),
        ]
    return links


def _copied_with(env: BuildEnvironment, needed: list[str]) -> list[nodes.Node]:
    """What the copy button takes along, each linked to its entry."""
    found: list[nodes.Node] = []
    for name in needed:
        found += [nodes.Text(", "), _entry_link(env.docname, name)]
    return [nodes.Text(" · copied with "), *found[1:]]


def _whole(identifier: str, code: str) -> nodes.raw:
    """The text that is copied: not shown, not read aloud, not searched."""
    if "</script" in code:
        raise ExtensionError(f"a recipe holds `</script`, which ends the page: {code}")
    tag = f'<script class="whole" id="{identifier}" type="text/plain">'
    return nodes.raw("", f"{tag}{code}\n</script>", format="html")


def _block(head: str, *body: str) -> str:
    """A directive with its content."""
    indented = "\n\n".join(part for part in body if part).replace("\n", "\n   ")
    return f"{head}\n\n   {indented}"


def _rst(docstring: str) -> str:
    """Docstrings are written with the Markdown that Keras uses: code and links."""
    code = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", docstring)
    return re.sub(r"\[([^\]]+)\]\(\s*(https://[^)\s]+)\)", r"`\1 <\2>`__", code)


def _rst_link(text: str, target: str) -> str:
    return f"`{text} <{target}>`__"


def _init_of(node: ast.ClassDef) -> ast.FunctionDef | None:
    for method in node.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            return method
    return None


def _signature(node: Definition | None) -> str:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    arguments = ast.unparse(node.args)
    arguments = re.sub(r"^self(, |$)", "", arguments)
    result = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({arguments}){result}"


def _pages(env: BuildEnvironment, package: Package) -> dict[str, list[str]]:
    """Which pages show which recipe: a cell names one only to show it."""
    dotted_name = re.compile(rf"\b{package.name}(?:\.\w+)+")
    found: dict[str, list[str]] = {}
    for docname in sorted(env.found_docs):
        text = Path(env.doc2path(docname)).read_text("utf-8", errors="replace")
        names = [
            name for cell in _CELL.findall(text) for name in dotted_name.findall(cell)
        ]
        for name in dict.fromkeys(names):
            found.setdefault(name, []).append(docname)
    return found


def _digest(env: BuildEnvironment) -> str:
    """Everything that a reference page is made of."""
    package = Package(Path(env.config.recipes_package))
    runs = backends.read(package.folder.parent)
    parts = [listings.digest(package), repr(_pages(env, package)), repr(runs)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    """Reference pages made from another state of package, tests or guides."""
    now = _digest(env)
    return [
        docname for docname, then in state.of(env).references.items() if then != now
    ]


def _merge(
    app: Sphinx, env: BuildEnvironment, docnames: set[str], other: BuildEnvironment
) -> None:
    read = state.of(other).references.items()
    state.of(env).references.update(
        {name: value for name, value in read if name in docnames}
    )


def _purge(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    state.of(env).references.pop(docname, None)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("recipes", Recipes)
    app.add_role("recipe", RecipeRole())
    app.add_transform(CellLinks)
    app.connect("env-get-outdated", _outdated)
    app.connect("env-merge-info", _merge)
    app.connect("env-purge-doc", _purge)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

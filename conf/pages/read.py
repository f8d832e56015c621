"""Read a page: fill its cells with recipes, and check what the cells may do.

A page is MyST Markdown. A code cell either shows recipes (`:snippet: dotted.name`, or
several names; no body) or holds short calls typed on the page. One that names methods
of a recipe quotes them, and runs nothing. `read` turns the text into cells; everything
that is wrong with it is collected in `Page.problems`, so that an author sees all of it
at once.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import takewhile
from typing import Any

import yaml
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from conf.pages.recipes import (
    Package,
    Recipe,
    RecipeError,
    bound_names,
    code_of,
    global_names,
)

COLUMN = "column"  # the title of a cell that stands beside another
OPTIONS = {"snippet", "tags", "timeout", "fold", "mystnb", COLUMN}
TAGS = {
    *("raises-exception", "hide-input", "remove-input"),
    *("hide-output", "remove-output"),
    "measured",  # its output is a record: `nox -s measure`
}
RAISES = "raises-exception"
MEASURED = "measured"
SKIPPED = "skip-execution"  # how nbclient knows a cell that it does not run


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, where it is, and what to do about it."""

    page: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Cell:
    """One code cell.

    Attributes:
        index: its position among all cells of the notebook.
        fence: the 1-based line of the page where the cell opens.
        body: the 1-based line of its first line of code; the fence's for recipes.
        code: what runs.
        recipes: the recipes shown; none for code typed on the page.
        tags: the cell's tags, sorted.
        timeout: seconds the cell may run, or None for the site's default.
        alt, caption: the words of its figure.
        column: its title, if it is one of two columns.
    """

    index: int
    fence: int
    body: int
    code: str
    recipes: tuple[Recipe, ...]
    tags: tuple[str, ...]
    timeout: int | None
    alt: str
    caption: str
    column: str

    @property
    def raises(self) -> bool:
        return RAISES in self.tags

    @property
    def is_measured(self) -> bool:
        """Whether builds show what was recorded, instead of running it."""
        return MEASURED in self.tags

    @cached_property
    def binds(self) -> frozenset[str]:
        """The names that its code binds; none if it does not parse."""
        return frozenset(bound_names(self._tree))

    @cached_property
    def uses(self) -> frozenset[str]:
        """The names that typed code looks up; recipes are followed otherwise."""
        return frozenset() if self.recipes else global_names(ast.unparse(self._tree))

    @property
    def only_acts(self) -> bool:
        """Whether it binds nothing, and so is there for what it does or shows."""
        return not self.binds

    @cached_property
    def _tree(self) -> ast.Module:
        try:
            return ast.parse(self.code)
        except SyntaxError:  # a problem of its own
            return ast.Module([], [])


@dataclass
class Page:
    """A page as read: its notebook with the recipes filled in, cells, problems.

    `lines` holds the 1-based line at which each cell of the notebook starts.
    """

    path: str
    notebook: NotebookNode
    cells: list[Cell] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    @property
    def running(self) -> list[Cell]:
        """The cells that a build runs."""
        return [cell for cell in self.cells if not cell.is_measured]

    @property
    def recipes(self) -> list[Recipe]:
        return [recipe for cell in self.cells for recipe in cell.recipes]


def read(text: str, path: str, package: Package, extensions: Iterable[str]) -> Page:
    """Read a page's text.

    Args:
        text: MyST Markdown.
        path: how messages name the page, for example `docs/guides/gans.md`.
        package: where recipes come from.
        extensions: the MyST extensions in use (`colon_fence` and so on).
    """
    try:
        notebook = read_myst_markdown_notebook(
            text, MdParserConfig(enable_extensions=set(extensions)), add_source_map=True
        )
    except Exception as error:  # of several types, some of them private to MyST-NB
        line = re.search(r"at line (\d+)", str(error))
        message = getattr(error, "message", str(error)).partition("\n")[0]
        problem = Problem(path, int(line[1]) if line else 1, message)
        return Page(path, new_notebook(metadata={"source_map": []}), [], [problem])
    return _Reader(text, path, package).read(notebook)


def front_matter(text: str) -> dict[str, Any]:
    """What stands between the two lines `---` at the head of a page."""
    if not text.startswith("---\n"):
        return {}
    return yaml.safe_load(text[4:].partition("\n---")[0]) or {}


class _Reader:
    """The state of one reading: what has been shown, and who bound which name."""

    def __init__(self, text: str, path: str, package: Package) -> None:
        self.lines = text.split("\n")
        self.path, self.package = path, package
        self.problems: list[Problem] = []
        self.shown: set[str] = set()
        self.quoted: list[tuple[str, str, int]] = []  # a method, its class, the line
        self.bindings: dict[str, str] = {}
        self.assigned: set[str] = set()

    def read(self, notebook: NotebookNode) -> Page:
        page = Page(self.path, notebook, problems=self.problems)
        notebook.metadata["language_info"] = {
            "name": "python",
            "pygments_lexer": "python3",
        }
        source_map = notebook.metadata["source_map"]
        for index, (cell, line) in enumerate(
            zip(notebook.cells, source_map, strict=True)
        ):
            if cell.cell_type == "code" and (quote := self._quote(cell, line)):
                notebook.cells[index] = new_markdown_cell(quote)
                page.lines.append(line)
            elif cell.cell_type == "code":
                page.cells.append(self._cell(index, cell, line))
                page.lines.append(line)
            else:  # MyST-NB counts from 0, and counts the blank lines it drops
                blank = takewhile(lambda text: not text.strip(), self.lines[line:])
                page.lines.append(line + len(list(blank)) + 1)
        self._check_measured(page.cells)
        self._check_columns(page.cells)
        for method, owner, line in self.quoted:
            if owner not in self.shown:
                message = f"`{method}` is quoted from `{owner}`, which no cell shows"
                self._problem(line, message)
        return page

    def _quote(self, cell: NotebookNode, line: int) -> str:
        """The Markdown of a cell that names methods; nothing for any other."""
        names = str(cell.metadata.get("snippet", "")).split()
        found = {name: self.package.method(name) for name in names}
        methods = {name: method for name, method in found.items() if method}
        if not methods:
            return ""
        if len(methods) < len(names):
            self._problem(line, "a cell shows recipes or quotes methods, not both")
        if COLUMN in cell.metadata:
            self._problem(line, "methods are quoted across the page, not in a column")
        self.quoted += [(name, owner, line) for name, (owner, _) in methods.items()]
        owners = dict.fromkeys(owner for owner, _ in methods.values())
        code = "\n\n".join(source for _, source in methods.values())
        roles = ", ".join(f"{{recipe}}`{owner}`" for owner in owners)
        return f"```python\n{code}\n```\n\nFrom {roles}."

    def _check_measured(self, cells: list[Cell]) -> None:
        """What builds do not run cannot be used by what they run."""
        recorded: dict[str, int] = {}
        for cell in cells:
            if cell.is_measured:
                recorded |= dict.fromkeys(cell.binds, cell.fence)
                continue
            for name in sorted(cell.uses & set(recorded)):
                if name not in cell.binds:
                    message = (
                        f"`{name}` is bound by the measured cell at line "
                        f"{recorded[name]}, which builds do not run"
                    )
                    self._problem(cell.fence, message)
            recorded = {n: at for n, at in recorded.items() if n not in cell.binds}

    def _check_columns(self, cells: list[Cell]) -> None:
        """A column without another one beside it compares nothing."""
        columns = [cell for cell in cells if cell.column]
        while columns:
            left, *columns = columns
            if columns and columns[0].index == left.index + 1:
                del columns[0]
            else:
                message = (
                    f"the column `{left.column}` has no other beside it: the next cell "
                    "needs a `column` too, with nothing between"
                )
                self._problem(left.fence, message)

    def _problem(self, line: int, message: str) -> None:
        self.problems.append(Problem(self.path, line, message))

    def _cell(self, index: int, cell: NotebookNode, fence: int) -> Cell:
        options = dict(cell.metadata)
        tags = options.get("tags", [])
        tags = sorted(tags.split(",") if isinstance(tags, str) else tags)
        for unknown in sorted(set(options) - OPTIONS):
            self._problem(
                fence, f"unknown cell option `{unknown}`; known: {_list(OPTIONS)}"
            )
        for unknown in sorted(set(tags) - TAGS):
            self._problem(fence, f"unknown cell tag `{unknown}`; known: {_list(TAGS)}")
        recipes: list[Recipe] = []
        body = fence
        if "snippet" in options:
            if cell.source.strip():
                self._problem(fence, "a cell that shows a recipe must be empty")
            for dotted in str(options["snippet"]).split():
                recipes.extend(self._recipe(dotted, fence))
            cell.source = code_of(recipes)
        else:
            body = self._body_line(cell.source, fence)
            self._check_page_code(cell.source, body)
        timeout = options.get("timeout")
        if timeout is not None and not (isinstance(timeout, int) and timeout > 0):
            self._problem(fence, f"`timeout` must be whole seconds, not `{timeout}`")
            timeout = None
        mystnb = options.get("mystnb") or {}
        parts = mystnb.values() if isinstance(mystnb, dict) else [mystnb]
        if not all(isinstance(part, dict) for part in parts):
            self._problem(fence, "`mystnb` must be like `{image: {alt: ...}}`")
            mystnb = {}
        return Cell(
            index=index,
            fence=fence,
            body=body,
            code=cell.source,
            recipes=tuple(recipes),
            tags=tuple(tags),
            timeout=timeout,
            alt=_text(mystnb, "image", "alt"),
            caption=_text(mystnb, "figure", "caption"),
            column=str(options.get(COLUMN) or ""),
        )

    def _recipe(self, dotted: str, fence: int) -> list[Recipe]:
        try:
            recipe = self.package.recipe(dotted)
        except RecipeError as error:
            self._problem(fence, str(error))
            return []
        for needed in recipe.needs:
            if needed not in self.shown:
                self._problem(
                    fence,
                    f"`{dotted}` needs `{needed}`, which the page has not shown yet",
                )
        self.shown.add(recipe.name)
        self._bind(dotted.rpartition(".")[2], recipe.name, fence)
        for statement in recipe.imports:
            for name in bound_names(ast.parse(statement)):
                self._bind(name, statement, fence)
        return [recipe]

    def _bind(self, name: str, origin: str, line: int) -> None:
        """A name means one thing on a page, or an earlier recipe would change."""
        if name in self.assigned:
            self._problem(
                line,
                f"`{name}` is `{origin}` here but was assigned earlier on the page",
            )
        earlier = self.bindings.setdefault(name, origin)
        if earlier != origin and not _same_root(earlier, origin):
            self._problem(
                line, f"`{name}` is `{origin}` here but `{earlier}` earlier on the page"
            )

    def _check_page_code(self, code: str, body: int) -> None:
        try:
            tree = ast.parse(code)
        except SyntaxError as error:
            line = body + (error.lineno or 1) - 1
            self._problem(line, f"syntax error in the cell: {error.msg}")
            return
        for node in ast.walk(tree):
            line = body + getattr(node, "lineno", 1) - 1
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                self._problem(
                    line,
                    f"`{node.name}` is defined on the page: make it a recipe, show it",
                )
            for module in _imported(node):
                if self.package.owns(module):
                    self._problem(
                        line,
                        f"a page never imports `{self.package.name}`: "
                        f"show the recipe with `:snippet:` and call it",
                    )
                if module.endswith("*"):
                    self._problem(line, "`import *` hides which names the page uses")
        for statement in tree.body:
            line = body + statement.lineno - 1
            for name in sorted(bound_names(statement)):
                is_import = isinstance(statement, ast.Import | ast.ImportFrom)
                if is_import:
                    self._bind(name, ast.unparse(statement), line)
                    continue
                self.assigned.add(name)
                if name in self.bindings:
                    self._problem(
                        line,
                        f"`{name}` is assigned here, but earlier on the page it is "
                        f"`{self.bindings[name]}`; choose another name",
                    )

    def _body_line(self, source: str, fence: int) -> int:
        """Where the code starts: below the fence and the cell's options."""
        wanted = source.split("\n")
        for start in range(fence, len(self.lines)):
            if self.lines[start : start + len(wanted)] == wanted:
                return start + 1
        return fence


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        star = ".*" if node.names[0].name == "*" else ""
        return [f"{node.module or ''}{star}"]
    return []


def _same_root(first: str, second: str) -> bool:
    """`import keras` and `import keras.ops` bind the same `keras`."""
    roots = [
        text.removeprefix("import ").partition(".")[0]
        for text in (first, second)
        if text.startswith("import ") and " as " not in text
    ]
    return len(roots) == 2 and roots[0] == roots[1]


def _text(options: Any, part: str, key: str) -> str:
    return str((options.get(part) or {}).get(key) or "")


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))

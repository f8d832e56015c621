"""Pages with the source of the recipes, of their tests and of the proofs.

A line of a listing is reached by what it holds: the name of a recipe leads to its
source in a module's listing, and to the first test that names it in a listing of tests.
So a link stays right when lines move.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from pathlib import Path
from typing import Any

from pygments import highlight
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx

from conf.addresses import Addresses
from conf.pages.read import Problem
from conf.pages.recipes import Module, Package, RecipeError
from conf.web.code import LeanFormatter

FOLDER = "listings"
UNIT = "tests/unit"


@dataclass(frozen=True)
class Test:
    """One test function and every name it mentions."""

    name: str
    line: int
    mentions: frozenset[str]


class TestFile:
    """The unit tests of one recipe module."""

    __test__ = False  # a name, not a test

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = path.read_text("utf-8") if path.exists() else ""

    @cached_property
    def tests(self) -> list[Test]:
        found = []
        try:
            tree = ast.parse(self.text)
        except SyntaxError as error:
            message, line = f"syntax error: {error.msg}", error.lineno or 1
            raise RecipeError(message, f"{UNIT}/{self.path.name}", line) from error
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                names = {
                    getattr(inner, "id", None) or getattr(inner, "attr", None)
                    for inner in ast.walk(node)
                }
                found.append(
                    Test(node.name, node.lineno, frozenset(filter(None, names)))
                )
        return sorted(found, key=lambda test: test.line)

    def of(self, recipe: str) -> list[Test]:
        """The tests that name a recipe, in order."""
        return [test for test in self.tests if recipe in test.mentions]


def tests_of(package: Package, module: Module) -> TestFile:
    """The tests of a module, by its stem."""
    name = f"test_{package.stem(module)}.py"
    return TestFile(package.folder.parent / UNIT / name)


def address(docname: str, path: str, anchor: str) -> str:
    """The relative address of a line of a listing, seen from a page."""
    return "../" * docname.count("/") + f"{_name(path)}.html#{anchor}"


def digest(package: Package) -> str:
    """One hash over the package and its tests."""
    found = hashlib.sha256(package.digest.encode())
    for module in package.recipe_modules:
        found.update(tests_of(package, module).text.encode())
    return found.hexdigest()


def _collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield one page a file, as Sphinx's `html-collect-pages` wants it.

    A listing is written again when its file, its tests or the site's menu has changed;
    the page itself says what it was made of.
    """
    package = Package(Path(app.config.recipes_package))
    own_menu = menu(app)
    tested: dict[str, list[Module]] = {}  # the recipes, by their file of tests
    for module in package.recipe_modules:
        path = tests_of(package, module).path
        tested.setdefault(path.name, []).append(module)
        made_of = hashlib.sha256((module.text + own_menu).encode()).hexdigest()
        if not _is_written(app, module.place, made_of):
            anchors = {module.source_of(name)[0]: [name] for name in module.objects}
            yield _page(
                app, module.place, package.stem(module), module.text, anchors, made_of
            )
    for name, modules in tested.items():
        file = TestFile(package.folder.parent / UNIT / name)
        words = file.text + own_menu + "".join(module.text for module in modules)
        made_of = hashlib.sha256(words.encode()).hexdigest()
        if not file.path.exists() or _is_written(app, f"{UNIT}/{name}", made_of):
            continue
        lines: dict[int, list[str]] = {test.line: [test.name] for test in file.tests}
        for recipe in (name for module in modules for name in module.objects):
            for test in file.of(recipe)[:1]:
                lines[test.line].append(recipe)
        place, stem = f"{UNIT}/{name}", _stem(file.path)
        yield _page(app, place, stem, file.text, lines, made_of)
    yield from _proofs(app, package.folder.parent, own_menu)


def names(app: Sphinx) -> set[str]:
    """Every listing of this package, as a page is named."""
    package = Package(Path(app.config.recipes_package))
    found = {module.place for module in package.recipe_modules}
    for module in package.recipe_modules:
        path = tests_of(package, module).path
        if path.exists():
            found.add(f"{UNIT}/{path.name}")
    root = package.folder.parent
    found |= {path.relative_to(root).as_posix() for path in _of_evidence(root)}
    return {_name(path) for path in found}


def _of_evidence(root: Path) -> list[Path]:
    """The files of proofs and of measurements."""
    return [
        *sorted(root.glob("tests/measurements/*.py")),
        *sorted(root.glob("tests/proofs/test_*.py")),
    ]


def menu(app: Sphinx) -> str:
    """All that stands around the body of a page."""
    titles = {name: title.astext() for name, title in app.env.titles.items()}
    return repr((sorted(titles.items()), app.config.site_addresses, _own_code()))


@cache
def _own_code() -> str:
    """What pages are made with: another layout is another page."""
    root = Path(__file__).parents[2]
    files = [*root.glob("conf/web/*.py"), *root.glob("docs/_templates/*")]
    files.append(Path(__file__))
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(files))).hexdigest()


def unwritten(
    app: Sphinx, name: str, context: dict[str, Any], body: str, menu: str
) -> tuple[str, dict[str, Any], str] | None:
    """A page for `html-collect-pages`, or None if it is written already."""
    made_of = hashlib.sha256((body + menu).encode()).hexdigest()
    page = Path(app.outdir, f"{name}.html")
    if page.exists() and f'data-made-of="{made_of}"' in page.read_text("utf-8"):
        return None
    whole = f'<div class="made" data-made-of="{made_of}">{body}</div>'
    return name, {**context, "body": whole}, "page.html"


def _proofs(
    app: Sphinx, root: Path, own_menu: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The listings of proofs and of measurements."""
    for path in _of_evidence(root):
        text = path.read_text("utf-8")
        place = path.relative_to(root).as_posix()
        made_of = hashlib.sha256((text + own_menu).encode()).hexdigest()
        if not _is_written(app, place, made_of):
            try:
                nodes = ast.parse(text).body
            except SyntaxError:  # reported where proofs are read
                nodes = []
            functions = [node for node in nodes if isinstance(node, ast.FunctionDef)]
            anchors = {node.lineno: [node.name] for node in functions}
            yield _page(app, place, _stem(path), text, anchors, made_of)


def _is_written(app: Sphinx, path: str, made_of: str) -> bool:
    page = Path(app.outdir, f"{_name(path)}.html")
    return page.exists() and f'data-made-of="{made_of}"' in page.read_text("utf-8")


def _name(path: str) -> str:
    return f"{FOLDER}/{path.removesuffix('.py')}"


def _page(
    app: Sphinx,
    path: str,
    stem: str,
    text: str,
    anchors: dict[int, list[str]],
    made_of: str,
) -> tuple[str, dict[str, Any], str]:
    formatter = LeanFormatter(nowrap=True)
    lines = highlight(text, PythonLexer(stripnl=False), formatter).split("\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        names = dict.fromkeys(anchors.get(number, []))  # two recipes may share one
        marks = "".join(f'<span id="{escape(name)}"></span>' for name in names)
        rows.append(f"{marks}{line}")
    numbers = "\n".join(map(str, range(1, len(rows))))
    code = "\n".join(rows[:-1])  # what follows the last line break is not a line
    body = (
        f"<h1>{_breakable(path)}</h1>{_way(app, path, stem)}"
        f'<div class="highlight-python listing" data-made-of="{made_of}">'
        '<div class="highlight">'
        f'<pre class="linenos" aria-hidden="true">{numbers}\n</pre>'
        f'<pre tabindex="0">{code}\n</pre></div></div>'
    )
    context = {"title": path, "body": body, "toc": "", "display_toc": False}
    return _name(path), context, "page.html"


def _stem(path: Path) -> str:
    """The guide of a file of tests, `gans` of `test_gans.py`."""
    return path.stem.removeprefix("test_")


def _way(app: Sphinx, path: str, stem: str) -> str:
    """The pages that a listing belongs to, and its file where it is kept."""
    root = "../" * _name(path).count("/")
    pages = {
        f"guides/{stem}": "Guide: ",
        f"reference/{stem}": "Page: ",
        f"reference/recipes/{stem}": "",
    }
    links = []
    for name, kind in pages.items():
        if name in app.env.titles:
            title = app.env.titles[name].astext()
            links.append(f'<a href="{root}{name}.html">{kind}{escape(title)}</a>')
    addresses: Addresses = app.config.site_addresses
    if at_commit := addresses.file(path):
        links.append(f'<a href="{escape(at_commit)}">In the repository</a>')
    return f'<p class="listing-way">{" · ".join(links)}</p>' if links else ""


def _breakable(path: str) -> str:
    """A path that may break after each of its parts, where a screen is narrow."""
    return re.sub("([/_])", r"\1<wbr>", escape(path))


def untested(package: Package) -> Iterator[Problem]:
    """Recipes that no test of their module names, and files that do not parse."""
    for module in package.recipe_modules:
        try:
            yield from _untested(package, module)
        except RecipeError as error:
            yield Problem(error.path, error.line, error.message)


def _untested(package: Package, module: Module) -> Iterator[Problem]:
    tests = tests_of(package, module)
    wanted = f"{UNIT}/{tests.path.name}"
    for name, node in module.objects.items():
        if not (tests.of(name) or name.startswith("_")):  # no recipe, but a part of one
            message = f"no test in `{wanted}` names `{name}`"
            yield Problem(module.place, node.lineno, message)


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("html-collect-pages", _collect)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

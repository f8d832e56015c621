"""What the copy button of a recipe takes along: all that the recipe needs."""

import ast
import builtins
import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.conf import myst_enable_extensions
from conf.pages.read import read
from conf.pages.recipes import Package, bound_names, code_of, global_names
from tests.site.small_site import Site

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("docs/guides/*.md"), *ROOT.glob("docs/reference/*.md")]
AREA = """FACTOR = 3


def area(side: int) -> int:
    \"\"\"Return the area.\"\"\"
    return FACTOR * side
"""
RUN = """
import json, pathlib
for place, code in json.loads(pathlib.Path("copies.json").read_text()).items():
    exec(compile(code, place, "exec"), {"__name__": "copied"})
"""
COPIED = re.compile(
    r'<script class="whole" id="(.+?)" type="text/plain">(.+?)</script>', re.DOTALL
)


def copies(page: Path, package: Package) -> Iterator[tuple[int, str]]:
    """The line of each cell that shows recipes, and what its button copies."""
    found = read(page.read_text(), page.name, package, myst_enable_extensions)
    for cell in found.cells:
        if cell.recipes:
            names = [recipe.name for recipe in cell.recipes]
            yield cell.fence, code_of(package.with_needs(names))


def missing(code: str) -> set[str]:
    """The names that a text looks up and does not bind."""
    return global_names(code) - bound_names(ast.parse(code)) - set(dir(builtins))


def roots_of_imports(code: str) -> set[str]:
    """The packages that a text imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize(
    "page", PAGES, ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_what_is_copied_from_a_page_defines_all_that_it_uses(page: Path) -> None:
    package = Package(ROOT / "snippets")
    for line, code in copies(page, package):
        assert not missing(code), f"line {line}"
        assert package.name not in roots_of_imports(code), f"line {line}"


def test_what_is_copied_from_any_page_runs_alone(tmp_path: Path) -> None:
    """In a process of its own: a copied class is registered in place of its recipe."""
    package = Package(ROOT / "snippets")
    found = {
        f"{page.name}:{line}": code
        for page in PAGES
        for line, code in copies(page, package)
    }
    assert len(found) > 100
    (tmp_path / "copies.json").write_text(json.dumps(found))
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN], cwd=tmp_path, check=True
    )


def test_a_copy_without_its_helper_is_noticed() -> None:
    package = Package(ROOT / "snippets")
    recipe = package.recipe("snippets.data.as_dataset")
    assert missing(code_of([recipe])) == {"check_integer", "check_ndarray"}


def test_each_recipe_stands_after_what_it_needs(package: Package) -> None:
    names = [recipe.name for recipe in package.with_needs(["mini.alpha.area"])]
    assert names == ["mini.data.FACTOR", "mini.alpha.area"]


def test_two_recipes_that_call_each_other_are_copied_once(site: Site) -> None:
    site.write("mini/data.py", "def a():\n    b()\n\n\ndef b():\n    a()\n")
    found = Package(site.folder / "mini").with_needs(["mini.data.a", "mini.data.b"])
    assert sorted(recipe.name for recipe in found) == ["mini.data.a", "mini.data.b"]


def test_a_page_holds_what_its_button_copies_and_says_so(built: Site) -> None:
    text = built.html("guides/alpha")
    [(identifier, code)] = COPIED.findall(text)
    assert code == AREA
    assert text.count(f'id="{identifier}"') == 1
    words = re.sub(r"<[^>]+>", "", html.unescape(text))
    assert "tests · copied with FACTOR" in words
    assert "def area" not in built.read("build/html/searchindex.js")


def test_a_recipe_that_needs_nothing_is_copied_as_it_stands(built: Site) -> None:
    assert not COPIED.findall(built.html("guides/gamma"))

"""Two cells beside one another: titles, marked lines, and what is refused."""

import json
import re

import pytest

from conf.pages.columns import differing
from conf.pages.recipes import Package
from tests.site.small_site import Site, page
from tests.site.test_pages import problems

OLD = ":column: Keras 2\n\nx = 1\nprint(x)"
NEW = ":column: Keras 3\n\nx = 1\nprint(x + 1)"


def test_lines_that_the_other_text_lacks_are_marked() -> None:
    assert differing("a\nb\nc", "a\nB\nc\nd") == ([2], [2, 4])


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        ("a\nb", "a\nb", ([], [])),
        ("a\n\nb", "a\nb", ([], [])),
        ("if a:\n    b", "if a:\n        b", ([2], [2])),
        ("a\nb", "b\na", ([2], [1])),
    ],
)
def test_order_and_indentation_count_and_blank_lines_do_not(
    left: str, right: str, lines: tuple[list[int], list[int]]
) -> None:
    assert differing(left, right) == lines


def test_two_cells_stand_in_titled_columns_and_their_difference_is_marked(
    built: Site,
) -> None:
    built.write("docs/pages/both.md", page(OLD, NEW, "print(2)"))
    try:
        build = built.build()
        assert (build.code, build.errors) == (0, "")
        html = built.html("pages/both")
        path = built.folder / "build/html/notebooks/pages/both.ipynb"
        notebook = json.loads(path.read_text())
    finally:
        (built.folder / "docs/pages/both.md").unlink()
    (classes,) = re.findall(r'<div class="([\w -]*\bcolumns\b[\w -]*)', html)
    assert sorted(classes.split()) == ["columns", "container", "docutils"]
    left, _, right = html.partition("Keras 3")
    assert "Keras 2" in left
    assert left.count('class="hll"') == 1
    assert right.count('class="hll"') == 1
    cells = ["".join(cell["source"]) for cell in notebook["cells"]]
    assert cells[-5:-1] == [
        *("**Keras 2**", "x = 1\nprint(x)"),
        *("**Keras 3**", "x = 1\nprint(x + 1)"),
    ]


@pytest.mark.parametrize(
    ("cells", "title"),
    [
        ([OLD, "print(2)"], "Keras 2"),
        ([OLD, NEW, OLD], "Keras 2"),
        (["print(2)", NEW], "Keras 3"),
    ],
)
def test_a_column_without_another_is_a_problem(
    package: Package, cells: list[str], title: str
) -> None:
    assert (
        f"the column `{title}` has no other beside it"
        in problems(package, page(*cells))[0]
    )


def test_text_between_two_columns_is_a_problem(package: Package) -> None:
    text = page(OLD).rstrip("\n") + "\n\nBetween.\n" + page(NEW).partition("\n")[2]
    assert len(problems(package, text)) == 2

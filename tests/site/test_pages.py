"""What the cells of a page may do, and where a message points."""

import re

import pytest

from conf.pages.read import Page, read
from conf.pages.recipes import Package
from tests.site.small_site import Site, page

SHADOW = "FACTOR = 2"


def problems(package: Package, text: str) -> list[str]:
    return [
        str(problem)
        for problem in read(text, "page.md", package, ["colon_fence"]).problems
    ]


def lines(text: str, package: Package) -> tuple[Page, list[int]]:
    """A page, and the line where each of its cells has its first line of code."""
    found = read(text, "page.md", package, [])
    return found, [cell.body for cell in found.cells]


def test_a_cell_shows_the_recipe_that_it_names(package: Package) -> None:
    found = read(page("mini.gamma.greeting"), "page.md", package, [])
    source = package.recipe("mini.gamma.greeting").source
    assert found.cells[0].code == found.notebook.cells[1].source == source
    assert found.problems == []


def test_a_cell_may_show_several_recipes(package: Package) -> None:
    found = read(page("mini.data.FACTOR mini.alpha.area"), "page.md", package, [])
    assert [recipe.name for recipe in found.recipes] == [
        "mini.data.FACTOR",
        "mini.alpha.area",
    ]
    assert found.cells[0].code.startswith("FACTOR = 3\n\n\ndef area(")
    assert found.problems == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            page(":colour: red\nprint(1)"),
            "3: unknown cell option `colour`; known: `column`, `fold`, `mystnb`, ",
        ),
        (page(":tags: [hide-cell]\nprint(1)"), "3: unknown cell tag `hide-cell`"),
        (page(":tags: [raises-exception, loud]\n1 / 0"), "3: unknown cell tag `loud`"),
        (
            page("mini.gamma.greeting\nprint(1)"),
            "3: a cell that shows a recipe must be empty",
        ),
        (page(":snippet:"), "3: "),
        (page("mini.alpha.aera"), "3: there is no recipe `mini.alpha.aera`; renamed? "),
        (
            page("mini.alpha.area"),
            "3: `mini.alpha.area` needs `mini.data.FACTOR`, which",
        ),
        (
            page("mini.alpha.area mini.data.FACTOR"),
            "3: `mini.alpha.area` needs `mini.data.FACTOR`, which",
        ),
        (
            page(":snippet: other.alpha.area"),
            "3: there is no recipe `other.alpha.area`",
        ),
        (page("x = 1\ny = (1"), "5: syntax error in the cell: '(' was never closed"),
        (page("x = 1\n\n%matplotlib inline"), "6: syntax error in the cell"),
        (page("x = 1\ndef f(): ..."), "5: `f` is defined on the page"),
        (page("if x:\n    class C: ..."), "5: `C` is defined on the page"),
        (page("async def f(): ..."), "4: `f` is defined on the page"),
        (page("x = 1\nimport mini"), "5: a page never imports `mini`"),
        (
            page("for x in y:\n    from mini.alpha import area"),
            "5: a page never imports `mini`",
        ),
        (page("import mini.alpha as a"), "4: a page never imports `mini`"),
        (page(":timeout: soon\nprint(1)"), "3: "),
        (page(":timeout: -1\nprint(1)"), "3: "),
        (page(":mystnb: figure\nprint(1)"), "3: "),
        (page("---\nmystnb: {image: big}\n---\nprint(1)"), "3: "),
        (page("---\ntags: [1, 2]\n---\nprint(1)"), ""),
        (page(":tags: hide-input\nprint(1)"), ""),
        (page("---\n{\n---\nprint(1)"), "3: "),
        (page("from math import *"), "4: "),
        (page(":load: other.py"), ""),
    ],
)
def test_a_wrong_cell_is_one_problem_at_its_line(
    package: Package, text: str, problem: str
) -> None:
    found = problems(package, text)
    assert len(found) == 1
    assert found[0].startswith(f"page.md:{problem}")
    assert "\n" not in found[0]


@pytest.mark.parametrize(
    "tag",
    [
        *("raises-exception", "hide-input", "remove-input"),
        *("hide-output", "remove-output", "measured"),
    ],
)
def test_a_cell_may_hide_or_remove_its_parts(package: Package, tag: str) -> None:
    found = read(page(f":tags: [{tag}]\nprint(1)"), "page.md", package, [])
    assert found.problems == []
    assert [cell.tags for cell in found.cells] == [(tag,)]


@pytest.mark.parametrize(
    "cell",
    [
        SHADOW,
        "for FACTOR in (1, 2): pass",
        "with x as FACTOR: pass",
        "import math as FACTOR",
        "from math import pi as FACTOR",
        "print(FACTOR := 2)",
        "[FACTOR := 2 for _ in (1,)]",
        "(a, *FACTOR) = 1, 2",
        "FACTOR += 1",
        "del FACTOR",
    ],
)
def test_a_page_never_changes_what_a_recipe_means(package: Package, cell: str) -> None:
    after = problems(package, page("mini.data.FACTOR", cell))
    before = problems(package, page(cell, "mini.data.FACTOR"))
    assert [line.startswith("page.md:8: `FACTOR` is ") for line in after] == [True]
    assert [line.startswith("page.md:7: `FACTOR` is ") for line in before] == [True]


def test_a_shadowed_need_is_refused_though_it_runs(package: Package) -> None:
    found = problems(package, page(SHADOW, "mini.data.FACTOR", "mini.alpha.area"))
    assert found == [
        "page.md:7: `FACTOR` is `mini.data.FACTOR` here "
        "but was assigned earlier on the page"
    ]


@pytest.mark.parametrize(
    ("first", "second", "allowed"),
    [
        ("import keras", "import tf_keras as keras", False),
        ("from keras import ops", "from numpy import ops", False),
        ("import numpy as np", "import numpy as np", True),
        ("import keras", "import keras.ops", True),
        ("import os", "import json", True),
        ("x = 1", "x = 2", True),
    ],
)
def test_an_imported_name_means_one_thing_on_a_page(
    package: Package, first: str, second: str, allowed: bool
) -> None:
    found = problems(package, page(first, second))
    expected = [] if allowed else [8]
    assert [int(line.split(":")[1]) for line in found] == expected


def test_the_import_of_a_recipe_meets_that_of_a_page(package: Package) -> None:
    (package.folder / "gamma.py").write_text(
        "import keras\n\ndef layer():\n    keras\n"
    )
    found = problems(package, page("mini.gamma.layer", "import tf_keras as keras"))
    assert found == [
        "page.md:8: `keras` is `import tf_keras as keras` here "
        "but `import keras` earlier on the page"
    ]


def test_a_page_may_call_what_it_has_shown(package: Package) -> None:
    text = page(
        "mini.data.FACTOR",
        "mini.alpha.area",
        "x = area(2)\nx",
        "for y in (1, 2): area(y)",
    )
    assert problems(package, text) == []


def test_all_problems_of_a_page_are_reported_together(package: Package) -> None:
    found = problems(
        package, page("mini.no.no", "def f(): ...", "mini.alpha.area", "1 +")
    )
    assert [int(line.split(":")[1]) for line in found] == [3, 8, 11, 16]


@pytest.mark.parametrize(
    ("head", "first"),
    [
        ("", 4),
        (":timeout: 9\n", 5),
        (":timeout: 9\n:tags: [hide-input]\n", 6),
        ("---\ntimeout: 9\n---\n", 7),
        ("---\ntags: [hide-input]\ntimeout: 9\n---\n", 8),
        (":timeout: 9\n\n", 6),
        ("\n", 5),
    ],
)
def test_the_line_of_code_is_exact_below_any_options(
    package: Package, head: str, first: int
) -> None:
    text = page(f"{head}x = 1\n\ny = 1 / 0", "x")
    found, first_lines = lines(text, package)
    assert [cell.fence for cell in found.cells] == [3, first + 5]
    assert first_lines[0] == first
    assert text.splitlines()[first - 1] == "x = 1"


def test_lines_are_counted_below_front_matter_and_prose(package: Package) -> None:
    text = "---\ntitle: x\n---\n\n" + page("x = 1").replace(
        "# Title", "# Title\n\nx = 1\n"
    )
    _, first_lines = lines(text, package)
    assert [text.splitlines()[line - 1] for line in first_lines] == ["x = 1"]
    assert first_lines == [11]


def test_a_cell_that_repeats_its_options_as_code_is_found(package: Package) -> None:
    _, first_lines = lines(page("a\nb", "a\nb"), package)
    assert first_lines == [4, 9]


def test_cells_know_their_tags_limits_and_words(package: Package) -> None:
    words = "mystnb: {image: {alt: A}, figure: {caption: C}}"
    options = f"tags: [raises-exception]\ntimeout: 7\n{words}"
    cell = read(page(f"---\n{options}\n---\n1 / 0"), "page.md", package, []).cells[0]
    assert (cell.raises, cell.timeout, cell.alt, cell.caption) == (True, 7, "A", "C")


def test_a_page_without_cells_has_nothing_to_run(package: Package) -> None:
    text = "# Title\n\n```python\nimport mini\n```\n"
    assert read(text, "page.md", package, []).cells == []


GREETER = """
class Greeter:
    \"\"\"Greet.\"\"\"

    @staticmethod
    def greet(name: str) -> str:
        \"\"\"Return a greeting.

        More about it.
        \"\"\"
        return f"hello {name}"

    def leave(self) -> None: ...
"""
GREET = """\
@staticmethod
def greet(name: str) -> str:
    \"\"\"Return a greeting.\"\"\"
    return f"hello {name}"
"""


@pytest.fixture
def polite(site: Site) -> Package:
    site.write("mini/gamma.py", GREETER)
    return Package(site.folder / "mini")


def test_a_cell_that_names_a_method_quotes_it_and_runs_nothing(polite: Package) -> None:
    text = page("mini.gamma.Greeter.greet", "mini.gamma.Greeter")
    found = read(text, "page.md", polite, [])
    quote = found.notebook.cells[1]
    assert quote.cell_type == "markdown"
    assert quote.source.startswith(f"```python\n{GREET}```\n")
    assert [cell.recipes[0].name for cell in found.running] == ["mini.gamma.Greeter"]
    assert found.problems == []


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["mini.gamma.Greeter.greet"], "which no cell shows"),
        (["mini.gamma.Greeter", "mini.gamma.Greeter.great"], "no recipe"),
        (
            ["mini.gamma.Greeter", "mini.gamma.Greeter.leave mini.data.FACTOR"],
            "a cell shows recipes or quotes methods, not both",
        ),
    ],
)
def test_a_quote_that_cannot_be_shown_is_named(
    polite: Package, cells: list[str], problem: str
) -> None:
    assert problem in "".join(problems(polite, page(*cells)))


def test_a_fold_says_what_is_in_it(built: Site) -> None:
    folded = "\ntags: [hide-input]\n---\n"
    cells = page(
        f"---\nsnippet: mini.data.FACTOR mini.alpha.area{folded}",
        f"---\nfold: the sum{folded}print(1 + 1)",
        f"---{folded}print(2)",
    )
    built.write("docs/pages/folded.md", cells)
    try:
        assert built.build().code == 0
        html = built.html("pages/folded")
    finally:
        (built.folder / "docs/pages/folded.md").unlink()
    prompts = re.findall(r'<p class="collapsed admonition-title">(.+?)</p>', html)
    assert prompts == ["Show FACTOR, area", "Show the sum", "Show code cell source"]

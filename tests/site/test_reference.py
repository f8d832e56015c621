"""The reference is made from source; cells lead to it, to source and to tests."""

import re
from html import unescape

import pytest

from tests.site.small_site import RECIPES, Build, Site, page

ALPHA = '''
from mini.data import FACTOR


def area(side: int, *, wide: bool = False) -> int:
    """Return the area.

    Args:
        side: how long it is.

    Returns:
        As large as `side` says.
    """
    return FACTOR * side


class Shape:
    """A shape.

    Args:
        sides: how many.
    """

    def __init__(self, sides: int = 4) -> None:
        self.sides = sides

    def turn(self, angle: float) -> None:
        """Turn it."""

    def _hidden(self) -> None:
        """Hide it."""


def _private() -> None:
    """Keep it."""
'''

TESTS = """\
from mini.alpha import Shape, _private, area


def test_area_grows_with_its_side():
    area(2)


def test_shapes_turn():
    Shape, _private, area
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Alpha has a class, a private function and two tests; a page shows two at once."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.write("mini/data.py", 'FACTOR = 3\n"""How much more."""\n')
    site.write("mini/alpha.py", ALPHA)
    site.write("tests/unit/test_alpha.py", TESTS)
    site.write(
        "docs/pages/both.md", page("mini.data.FACTOR mini.alpha.area", "area(1)")
    )
    site.write("docs/pages/block.md", page("---\nsnippet: mini.gamma.greeting\n---"))
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    return site


def entry(site: Site, name: str) -> str:
    """The reference's entry of a recipe, as HTML."""
    html = site.html("reference/recipes")
    return html[html.index(f'id="{name}"') :].partition("</dl>\n\n</section>")[0]


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_an_entry_has_signature_and_sections(built: Site) -> None:
    words = text(entry(built, "mini.alpha.area"))
    assert "area(side: int, *, wide: bool = False) &#8594; int" in words.replace(
        "→", "&#8594;"
    )
    assert "how long it is" in words
    assert "As large as" in words


def test_a_class_shows_its_arguments_and_public_methods(built: Site) -> None:
    words = text(entry(built, "mini.alpha.Shape"))
    assert "Shape(sides: int = 4)" in words
    assert "turn(angle: float)" in words
    assert "hidden" not in words


def test_what_is_private_has_no_entry(built: Site) -> None:
    assert "_private" not in built.html("reference/recipes")


def test_a_constant_shows_its_value_and_words(built: Site) -> None:
    words = text(entry(built, "mini.data.FACTOR"))
    assert "= 3" in words
    assert "How much more." in words


def test_an_entry_names_every_test_of_its_recipe(built: Site) -> None:
    html = entry(built, "mini.alpha.area").partition('id="mini.alpha.Shape"')[0]
    assert "area grows with its side" in text(html)
    assert "shapes turn" in text(html)


@pytest.mark.parametrize(
    ("recipe", "shown"),
    [
        ("mini.alpha.area", {"guides/alpha", "pages/both"}),
        ("mini.data.FACTOR", {"guides/alpha", "guides/beta", "pages/both"}),
        ("mini.gamma.greeting", {"guides/gamma", "pages/block"}),
    ],
)
def test_an_entry_names_every_page_that_shows_it(
    built: Site, recipe: str, shown: set[str]
) -> None:
    html = entry(built, recipe).partition("Tested")[0]
    found = set(re.findall(r'href="\.\./((?:guides|pages)/\w+)\.html"', html))
    assert found == shown


@pytest.mark.parametrize("docname", ["guides/alpha", "pages/both", "reference/recipes"])
def test_links_of_cells_and_entries_lead_to_anchors_that_exist(
    built: Site, docname: str
) -> None:
    links = re.findall(r'href="([^":]+\.html)#([^"]+)"', built.html(docname))
    assert any("listings/mini" in path for path, _ in links)
    assert any("listings/tests" in path for path, _ in links)
    for path, anchor in links:
        target = (built.folder / "build/html" / docname).parent / path
        assert f'id="{anchor}"' in target.read_text("utf-8"), f"{path}#{anchor}"


def test_a_cell_that_shows_two_recipes_leads_to_both(built: Site) -> None:
    html = built.html("pages/both")
    assert 'href="../reference/recipes.html#mini.data.FACTOR"' in html
    assert 'href="../reference/recipes.html#mini.alpha.area"' in html


def test_a_cell_typed_on_the_page_has_no_links(built: Site) -> None:
    assert built.html("pages/block").count('class="recipe-links"') == 1
    assert built.html("guides/alpha").count('class="recipe-links"') == 2


def test_a_cell_of_which_nothing_is_shown_leaves_only_what_it_prints(
    built: Site,
) -> None:
    hidden = "\ntags: [remove-input]\n---\n"
    cells = page(
        f"---\nsnippet: mini.data.FACTOR mini.alpha.area{hidden}",
        f"---{hidden}print('area', area(5))",
    )
    built.write("docs/pages/silent.md", cells)
    try:
        build = built.build()
        html = built.html("pages/silent")
    finally:
        (built.folder / "docs/pages/silent.md").unlink()
    assert (build.code, build.errors) == (0, "")
    assert "area 15" in text(html)
    for code in ("recipe-links", "cell_input", "FACTOR", "area("):
        assert code not in text(html) + "".join(re.findall(r'class="[^"]*"', html))
    assert html.count('class="cell ') == 1


def test_a_listing_holds_its_file_as_it_is(built: Site) -> None:
    html = built.html("listings/mini/alpha")
    body = html.partition('<pre tabindex="0"')[2]
    code = re.sub(r"<[^>]+>", "", body.partition("</pre>")[0].partition(">")[2])
    assert unescape(code).strip() == ALPHA.strip()


def test_changes_of_recipes_tests_and_pages_reach_the_reference(built: Site) -> None:
    built.write("docs/pages/late.md", page("mini.gamma.greeting"))
    tests = ("tests/unit/test_gamma.py", "test_hi", "test_other_words")
    try:
        with (
            built.changed("mini/gamma.py", "Return a greeting", "Return fresh words"),
            built.changed(*tests),
        ):
            assert built.build().code == 0
    finally:
        (built.folder / "docs/pages/late.md").unlink()
    found = entry(built, "mini.gamma.greeting")
    assert "Return fresh words" in text(found)
    assert "other words" in text(found)
    assert "../pages/late.html" in found


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A site whose reference lacks gamma and names what does not exist."""
    site = Site(tmp_path_factory.mktemp("site"))
    broken = RECIPES.replace("mini.gamma", "mini.missing") + "\n{py:obj}`mini.gone`\n"
    site.write("docs/reference/recipes.md", broken)
    return site.build()


def test_an_unknown_module_fails(wrong: Build) -> None:
    assert wrong.code != 0
    assert "there is no module `mini.missing`" in wrong.errors


def test_a_reference_that_leads_nowhere_fails(wrong: Build) -> None:
    assert "mini.gone" in wrong.errors


def test_a_shown_recipe_without_an_entry_fails(wrong: Build) -> None:
    assert "mini.gamma.greeting" in wrong.errors


def test_a_reference_read_in_parallel_is_not_forgotten(built: Site) -> None:
    names = [f"docs/pages/{name}.md" for name in "abcdef"]  # fewer are not shared out
    try:
        for name in names:
            built.write(name, "# Words\n")
        with built.changed("mini/gamma.py", "a greeting", "other words"):
            assert built.build("-j", "2").code == 0
        assert "other words" in text(entry(built, "mini.gamma.greeting"))
        assert built.build().code == 0
        assert "Return a greeting" in text(entry(built, "mini.gamma.greeting"))
    finally:
        for name in names:
            (built.folder / name).unlink()

"""One stem runs through the house, and every recipe has a test that names it."""

from pathlib import Path

import pytest

from conf import house
from conf.pages.recipes import Package
from conf.reference import listings
from tests.site.small_site import Site


def problems(site: Site) -> list[str]:
    package = Package(site.folder / "mini")
    return [str(problem) for problem in house.problems(package, ["data"])]


def test_a_house_in_order_has_no_problems(site: Site) -> None:
    assert problems(site) == []


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (
            "docs/guides/gamma.md",
            "mini/gamma.py:1: its page, `docs/guides/gamma.md`, does not exist",
        ),
        (
            "mini/gamma.py",
            "docs/guides/gamma.md:1: its module, `mini/gamma/__init__.py`, does "
            "not exist",
        ),
        (
            "tests/unit/test_gamma.py",
            "docs/guides/gamma.md:1: its tests, `tests/unit/test_gamma.py`, does "
            "not exist",
        ),
        (
            "tests/unit/test_data.py",
            "mini/data.py:1: its tests, `tests/unit/test_data.py`, does not exist",
        ),
    ],
)
def test_a_missing_partner_is_named(site: Site, missing: str, found: str) -> None:
    (site.folder / missing).unlink()
    assert problems(site) == [found]


def test_a_guide_alone_lacks_two_partners(site: Site) -> None:
    site.write("docs/guides/delta.md", "# Delta\n")
    assert [line.split(":")[2].split(",")[0] for line in problems(site)] == [
        " its module",
        " its tests",
    ]


def test_a_shared_module_needs_no_guide_but_tests(site: Site) -> None:
    (site.folder / "mini/gamma.py").rename(site.folder / "mini/data.py")
    (site.folder / "docs/guides/gamma.md").unlink()
    (site.folder / "tests/unit/test_gamma.py").unlink()
    assert problems(site) == []


@pytest.mark.parametrize(
    "path", ["docs/guides/index.md", "tests/unit/test_mini.py", "docs/about/x.md"]
)
def test_what_serves_the_whole_house_needs_no_partner(site: Site, path: str) -> None:
    site.write(path, "# Words\n")
    assert problems(site) == []


def as_a_package(site: Site) -> None:
    """The recipes of gamma in two modules behind one face."""
    text = site.read("mini/gamma.py")
    (site.folder / "mini/gamma.py").unlink()
    site.write("mini/gamma/words.py", text)
    site.write("mini/gamma/mistakes.py", "def shouting(name): ...\n")
    site.write("mini/gamma/__init__.py", "from mini.gamma.words import greeting\n")


def test_the_modules_of_a_guide_share_its_page_and_its_tests(site: Site) -> None:
    as_a_package(site)
    assert problems(site) == []
    package = Package(site.folder / "mini")
    assert list(map(str, listings.untested(package))) == [
        "mini/gamma/mistakes.py:1: no test in `tests/unit/test_gamma.py` names "
        "`shouting`"
    ]


def test_a_package_without_a_page_is_named_at_its_face(site: Site) -> None:
    as_a_package(site)
    (site.folder / "docs/guides/gamma.md").unlink()
    (found,) = problems(site)
    assert found.startswith("mini/gamma/")
    assert found.endswith(":1: its page, `docs/guides/gamma.md`, does not exist")


def test_every_recipe_of_the_small_site_is_tested(package: Package) -> None:
    assert list(listings.untested(package)) == []


def test_a_recipe_that_no_test_names_is_found_at_its_line(site: Site) -> None:
    site.write("mini/gamma.py", "def greeting(): ...\n\n\ndef parting(): ...\n")
    package = Package(site.folder / "mini")
    assert list(map(str, listings.untested(package))) == [
        "mini/gamma.py:4: no test in `tests/unit/test_gamma.py` names `parting`"
    ]


@pytest.mark.parametrize(
    ("tests", "tested"),
    [
        ("def test_it():\n    greeting()\n", True),
        ("def test_it():\n    gamma.greeting()\n", True),
        ("class TestIt:\n    def test_it(self):\n        greeting()\n", True),
        ("@mark('it', [greeting])\ndef test_it(it): ...\n", True),
        ("from mini.gamma import greeting\n", False),
        ("# greeting\ndef test_it():\n    'greeting'\n", False),
        ("def help_it():\n    greeting()\n", False),
        ("", False),
    ],
)
def test_only_a_test_function_that_names_a_recipe_tests_it(
    site: Site, tests: str, tested: bool
) -> None:
    site.write("tests/unit/test_gamma.py", tests)
    found = list(listings.untested(Package(site.folder / "mini")))
    assert [problem.page for problem in found] == ([] if tested else ["mini/gamma.py"])


def test_listings_anchor_a_recipe_at_the_first_test_that_names_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "test_it.py"
    path.write_text("def test_b(): other()\n\ndef test_a(): it()\n\ndef test_c(): it\n")
    assert [test.name for test in listings.TestFile(path).of("it")] == [
        "test_a",
        "test_c",
    ]

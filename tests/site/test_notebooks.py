"""A page is a notebook: plain Markdown, no outputs, equal bytes; and it runs alone."""

import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from conf.addresses import Addresses
from conf.pages import notebook as notebooks
from conf.pages import plain_markdown
from conf.pages import read as pages
from conf.pages.recipes import Package
from tests.site.small_site import Site, page

NOWHERE = Addresses("", "", "")
SOMEWHERE = Addresses("", "https://site.test", "")


def translate(text: str) -> str:
    """The plain form of Markdown that has one."""
    result = plain_markdown.translate(
        text, 1, ["colon_fence", "deflist"], lambda target: ""
    )
    assert result.problems == []
    return result.text


def cells_of(text: str, package: Package, addresses: Addresses = NOWHERE) -> list[Any]:
    """The cells of a page's notebook; the second says where it is from."""
    found = pages.read(text, "docs/guides/x.md", package, ["colon_fence"])
    assert found.problems == []
    written, problems = notebooks.write_out(
        found, "guides/x", addresses, ["colon_fence"], []
    )
    assert problems == []
    cells: list[Any] = nbformat.reads(written, as_version=4).cells
    return cells


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Words, **bold** and `code`.", "Words, **bold** and `code`."),
        ("```{note}\nText.\n```", "> **Note**\n>\n> Text."),
        ("```{tip} A title\nText.\n```", "> **Tip: A title**\n>\n> Text."),
        (":::{warning}\nText.\n\nMore.\n:::", "> **Warning**\n>\n> Text.\n>\n> More."),
        (":::{important}\n:class: wide\nText.\n:::", "> **Important**\n>\n> Text."),
        (
            "::::{seealso}\n:::{note}\nDeep.\n:::\n::::",
            "> **See also**\n>\n> > **Note**\n> >\n> > Deep.",
        ),
        (
            "````{note}\n```python\nx\n```\n````",
            "> **Note**\n>\n> ```python\n> x\n> ```",
        ),
        (
            "::::{tab-set}\n"
            ":::{tab-item} One\nA.\n:::\n:::{tab-item} Two\nB.\n:::\n::::",
            "**One**\n\nA.\n\n**Two**\n\nB.",
        ),
        ("A fact. {proof}`some_test`", "A fact."),
        ("A {proof}`a` b {proof}`c` d.", "A b d."),
        ("See {recipe}`mini.alpha.area`.", "See `area`."),
        ("- item {proof}`x`\n- next", "- item\n- next"),
        ("> quoted {proof}`x`", "> quoted"),
        ("(target)=\n# Title", "# Title"),
        ("% comment\n\nText.", "Text."),
        ("[text](other.md#part)", "text"),
        ("[`code` text](other.md)", "`code` text"),
        ("[text](https://example.org/a_b)", "[text](https://example.org/a_b)"),
        ("`` {proof}`x` ``", "`` {proof}`x` ``"),
        ("`[text](other.md)`", "`[text](other.md)`"),
        (
            "```python\n{proof}`x` [a](b.md)\n```",
            "```python\n{proof}`x` [a](b.md)\n```",
        ),
        ("```\n(target)=\n% text\n```", "```\n(target)=\n% text\n```"),
        ("    [a](b.md)", "    [a](b.md)"),
        (
            "| a | b |\n|---|---|\n| `x` {proof}`y` | [l](m.md) |",
            "| a | b |\n|---|---|\n| `x` | l |",
        ),
        ("# A {proof}`x`\n\ntwo\nlines {proof}`y`\n", "# A\n\ntwo\nlines"),
    ],
)
def test_markup_has_a_plain_form(text: str, plain: str) -> None:
    assert translate(text) == plain


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("Text.\n\n```{figure} a.png\n```", 3, "the directive `figure`"),
        ("Text.\n\n:::{dropdown} A\nText.\n:::", 3, "the directive `dropdown`"),
        (
            ":::{note}\n\nText.\n\n```{figure} a.png\n```\n:::",
            5,
            "the directive `figure`",
        ),
        (":::{note}\n:class: x\n\nA {ref}`b`.\n:::", 4, "the role `ref`"),
        ("One\ntwo {ref}`x`.", 2, "the role `ref`"),
        ("- a\n- b {term}`x`", 2, "the role `term`"),
        ("| a |\n|---|\n| {ref}`x` |", 3, "the role `ref`"),
        ("Text.\n\n<div>x</div>", 3, "raw HTML"),
        ("Text<br>more.", 1, "raw HTML"),
        ("- item\n\n  ```{note}\n  Text.\n  ```", 3, "a directive inside a list"),
        ("> ```{note}\n> Text.\n> ```", 1, "a directive inside a list or quotation"),
        ("Text.\n\n![alt](picture.png)", 3, ""),
    ],
)
def test_markup_without_a_plain_form_is_a_problem_at_its_line(
    text: str, line: int, what: str
) -> None:
    result = plain_markdown.translate(text, 1, ["colon_fence"], lambda target: "")
    assert [found for found, _ in result.problems] == [line]
    assert result.problems[0][1].startswith(what)


def test_a_problem_is_named_at_the_line_of_the_page(package: Package) -> None:
    text = page("1") + "\nText.\n\nA {ref}`x`.\n"
    found = pages.read(text, "docs/guides/x.md", package, [])
    _, problems = notebooks.write_out(found, "guides/x", NOWHERE, [], [])
    assert text.splitlines()[8] == "A {ref}`x`."
    assert [(problem.page, problem.line) for problem in problems] == [
        ("docs/guides/x.md", 9)
    ]


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("other.md", "https://site.test/guides/other.html"),
        ("other.md#part", "https://site.test/guides/other.html#part"),
        ("../about/it.md", "https://site.test/about/it.html"),
        ("/about/it.md", "https://site.test/about/it.html"),
    ],
)
def test_links_between_pages_lead_to_the_site_if_it_has_an_address(
    package: Package, target: str, address: str
) -> None:
    text = page("1").replace("# Title", f"[a]({target})")
    assert cells_of(text, package, SOMEWHERE)[0].source == f"[a]({address})"
    assert cells_of(text, package)[0].source == "a"


def test_the_notebook_has_the_code_of_the_page_and_no_outputs(built: Site) -> None:
    notebook = built.notebook("guides/gamma")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[], []]
    assert [cell["execution_count"] for cell in code] == [None, None]
    assert "def greeting(name: str)" in code[0]["source"]
    assert code[1]["source"] == "print(greeting('gamma'))"


def test_options_of_the_site_stay_out_and_an_expected_error_is_marked(
    package: Package,
) -> None:
    text = page(":timeout: 9\n:tags: [raises-exception, hide-input]\n1 / 0", "1")
    metadata = [cell.metadata for cell in cells_of(text, package)[2:]]
    assert metadata == [{"tags": ["raises-exception"]}, {}]


def test_cells_are_counted_and_the_second_says_where_it_is_from(
    package: Package,
) -> None:
    cells = cells_of(page("1", "2"), package, SOMEWHERE)
    assert [cell.id for cell in cells] == [
        f"cell-{count}" for count in range(len(cells))
    ]
    assert "[this page](https://site.test/guides/x.html)" in cells[1].source


def test_versions_to_install_are_named(package: Package) -> None:
    found = pages.read(page("1"), "x.md", package, [])
    written, _ = notebooks.write_out(found, "x", NOWHERE, [], ["nbformat"])
    assert f"pip install nbformat=={nbformat.__version__}" in written


def test_two_cold_builds_are_equal_byte_by_byte(tmp_path: Path) -> None:
    sites = [Site(tmp_path / name) for name in ("one", "other")]
    assert [process.wait() for process in [site.start() for site in sites]] == [0, 0]
    one, other = (site.snapshot("build/html") for site in sites)
    assert len([name for name in one if name.endswith(".ipynb")]) == 3
    assert one == other


def test_a_notebook_runs_alone(built: Site, tmp_path: Path) -> None:
    notebook = nbformat.from_dict(built.notebook("guides/alpha"))
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[-1].outputs[0]["text"] == "area 6\n"


def test_notebooks_follow_their_pages(built: Site) -> None:
    """A new one comes, a lost one comes back, an edit arrives, and a page's end too."""
    new, lost = (
        built.folder / f"build/html/notebooks/{name}.ipynb"
        for name in ("pages/short", "guides/gamma")
    )
    lost.unlink()
    built.write("docs/pages/short.md", page("1"))
    with built.changed("docs/guides/beta.md", "# Title", "# Fresh"):
        assert built.build().code == 0
    assert new.exists()
    assert lost.exists()
    assert built.notebook("guides/beta")["cells"][0]["source"] == "# Fresh"
    (built.folder / "docs/pages/short.md").unlink()
    assert built.build().code == 0
    assert not new.exists()
    assert built.notebook("guides/beta")["cells"][0]["source"] == "# Title"


def test_a_page_without_code_has_no_notebook(built: Site) -> None:
    assert not (built.folder / "build/html/notebooks/index.ipynb").exists()


def test_markup_without_a_plain_form_fails_the_build(built: Site) -> None:
    with built.changed(
        "docs/guides/gamma.md", "# Title", "# Title\n\n:::{versionadded} 1\n:::"
    ):
        build = built.build()
    assert build.code != 0
    assert [line.split(" has no")[0] for line in build.problems] == [
        "docs/guides/gamma.md:3: the directive `versionadded`"
    ]


@pytest.fixture(scope="module")
def themed(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site in the theme of the real one, whose header has buttons."""
    return Site(tmp_path_factory.mktemp("site"), html_theme="sphinx_book_theme")


def links(site: Site, docname: str) -> list[str]:
    return re.findall(r'href="([^"]+)"', site.html(docname))


def test_a_page_offers_its_notebook_and_colab_only_if_it_can(themed: Site) -> None:
    assert themed.build().code == 0
    assert not any("colab" in link for link in links(themed, "guides/gamma"))
    download = next(
        link for link in links(themed, "guides/gamma") if link.endswith(".ipynb")
    )
    assert os.path.normpath(themed.folder / "build/html/guides" / download) == str(
        themed.folder / "build/html/notebooks/guides/gamma.ipynb"
    )
    assert not any(link.endswith(".ipynb") for link in links(themed, "index"))
    build = themed.build(SITE_REPOSITORY="https://github.com/owner/name")
    assert (build.code, build.ran) == (0, set())
    place = (
        "https://colab.research.google.com/github/owner/name/blob/gh-pages/notebooks"
    )
    assert f"{place}/guides/gamma.ipynb" in links(themed, "guides/gamma")


def test_the_address_of_the_site_reaches_every_notebook_and_runs_nothing(
    built: Site,
) -> None:
    build = built.build(SITE_URL="https://site.test")
    assert (build.code, build.ran) == (0, set())
    assert (
        "https://site.test/guides/beta.html"
        in built.notebook("guides/beta")["cells"][1]["source"]
    )

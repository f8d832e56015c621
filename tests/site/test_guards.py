"""Parts of MyST-NB that conf uses and its documentation does not name."""

from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from tests.site.small_site import Site, page


def test_the_source_map_gives_the_line_of_each_cell() -> None:
    text = (
        page("1").replace("# Title", "# Title\n\nText.") + "\nMore.\n\n" + page("2")[9:]
    )
    notebook = read_myst_markdown_notebook(text, MdParserConfig(), add_source_map=True)
    kinds = [cell.cell_type for cell in notebook.cells]
    assert kinds == ["markdown", "code", "markdown", "code"]
    assert [notebook.metadata["source_map"][index] for index in (1, 3)] == [5, 11]


def test_options_of_a_cell_become_its_metadata() -> None:
    notebook = read_myst_markdown_notebook(
        page(":snippet: a.b", "---\ntags: [x]\n---\n1")
    )
    assert [dict(cell.metadata) for cell in notebook.cells[1:]] == [
        {"snippet": "a.b"},
        {"tags": ["x"]},
    ]


def test_code_is_highlighted_as_python_without_a_warning(built: Site) -> None:
    assert "highlight-ipython3" in built.html("guides/gamma") or (
        '<span class="k">def</span>' in built.html("guides/gamma")
    )
    assert '<span class="nf">greeting</span>' in built.html("guides/gamma")


def test_the_container_of_a_cell_carries_its_metadata(built: Site) -> None:
    # the links below a cell are put there by its `snippet` option
    assert built.html("guides/alpha").count('class="recipe-links"') == 2

"""Tables as pages show them, and the source of a recipe wherever it stands."""

import inspect
import linecache
from typing import Any

import pytest

from snippets.checks import check_sizes, is_size
from snippets.showing.tables import Table, measured_table, source_of


def test_a_table_is_markdown_for_notebooks_and_text_elsewhere() -> None:
    table = Table(("a", "b"), [("1", "2"), ("3", "4")])

    assert table._repr_markdown_() == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
    assert repr(table) == "a | b\n1 | 2\n3 | 4"
    assert table.rows == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("recipe", [is_size, Table, check_sizes])
def test_the_source_is_what_python_finds(recipe: Any) -> None:
    assert source_of(recipe) == inspect.getsource(recipe)


def test_the_source_of_a_notebook_cell_is_found_with_its_decorator() -> None:
    source = "x = 1\n\n\n@list\nclass Cell:\n    a = 1\n\n    def call(self): ...\n"
    scope: dict[str, Any] = {"__name__": "__main__", "list": lambda cell: cell}
    exec(compile(source, "<cell 1>", "exec"), scope)
    linecache.cache["<cell 1>"] = (len(source), None, source.splitlines(True), "cell")

    assert source_of(scope["Cell"]) == source.partition("\n\n\n")[2]


def test_a_function_inside_another_is_no_recipe() -> None:
    def inner() -> None: ...

    with pytest.raises(ValueError, match="at the top of a file"):
        source_of(inner)


def test_all_ratios_stand_in_one_table() -> None:
    one = (1.0, 1.0, 1.0)
    table = measured_table(
        {
            "step": {"a": one, "b": (0.25, 0.5, 0.75), "c": (2.0, 3.0, 4.0)},
            "memory": {"all": one, "parts": (0.5, 0.5, 0.5)},
        }
    )

    assert table.headings == ["Measured", "Change", "Compared with", "Ratio"]
    assert table.rows == [
        ["step", "b", "a", "0.5 (0.25 to 0.75)"],
        ["step", "c", "a", "3 (2 to 4)"],
        ["memory", "parts", "all", "0.5 (0.5 to 0.5)"],
    ]

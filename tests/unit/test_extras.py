"""A missing extra is named in one line; everything else passes unchanged."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import snippets
from snippets.extras import extra

ROOT = Path(snippets.__path__[0]).parent
# What an extra installs, by the name under which it is imported.
IMPORTED = {
    "matplotlib": "figures",
    "sklearn": "data",
    "tf_keras": "keras2",
}


def guarded(tree: ast.Module) -> dict[str, str]:
    """The libraries that a module imports under `with extra(...)`, with the extra."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.With):
            guard = ast.unparse(node.items[0].context_expr)
            [name] = re.findall(r"^extra\('(\w+)'\)$", guard)
            found |= dict.fromkeys(imported(node), name)
    return found


def imported(tree: ast.AST) -> set[str]:
    """The first part of every module that is imported anywhere in some code."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    return names


def test_a_missing_library_is_named_with_what_installs_it() -> None:
    with pytest.raises(ImportError) as caught, extra("figures"):
        import a_library_that_is_missing  # noqa: F401 - importing it raises

    assert str(caught.value) == (
        "No module named 'a_library_that_is_missing'. "
        'It comes with: pip install "keras-snippets[figures]"'
    )
    assert caught.value.name == "a_library_that_is_missing"
    assert caught.value.__suppress_context__


def test_other_errors_of_an_import_are_left_as_they_are() -> None:
    with (
        pytest.raises(ImportError, match="cannot import name") as caught,
        extra("data"),
    ):
        from math import nothing  # noqa: F401 - importing it raises

    assert type(caught.value) is ImportError


def test_what_is_installed_is_imported() -> None:
    with extra("data"):
        import math

    assert math.sqrt(4.0) == 2.0


def test_every_import_of_an_extra_is_guarded_and_names_its_own() -> None:
    for path in (ROOT / "snippets").rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        needed = imported(tree) & set(IMPORTED)
        assert guarded(tree) == {name: IMPORTED[name] for name in needed}, path


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    own = sorted(set(extras) - {"all"})
    assert own == sorted(IMPORTED.values())
    assert extras["all"] == [f"keras-snippets[{','.join(own)}]"]

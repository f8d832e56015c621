"""The package as a whole: light to import, and clear about what it holds."""

import subprocess
import sys
from pathlib import Path

import pytest

import snippets

MODULES = sorted(
    path.stem
    for path in Path(snippets.__path__[0]).glob("*.py")
    if path.stem != "__init__"
)


def test_importing_the_package_imports_no_heavy_library() -> None:
    heavy = ["keras", "numpy", "sklearn", "tensorflow", "tf_keras"]
    program = (
        "import sys, snippets; dir(snippets); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(snippets.__path__[0]).parent,
    )

    assert result.stdout.strip() == "[]"


def test_the_data_module_does_not_import_tensorflow() -> None:
    program = "import sys, snippets.data; print('tensorflow' in sys.modules)"

    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(snippets.__path__[0]).parent,
    )

    assert result.stdout.strip() == "False"


def test_every_module_file_is_listed() -> None:
    assert MODULES
    assert set(MODULES) <= set(dir(snippets))


def test_the_version_is_listed_too() -> None:
    assert "__version__" in dir(snippets)


def test_a_module_loads_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "snippets.data", raising=False)
    monkeypatch.delattr(snippets, "data", raising=False)

    assert snippets.data.__name__ == "snippets.data"


def test_an_unknown_name_is_refused_with_the_list_of_modules() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'") as caught:
        snippets.nothing  # noqa: B018

    assert all(module in str(caught.value) for module in MODULES)


def test_the_package_is_marked_as_typed() -> None:
    assert (Path(snippets.__path__[0]) / "py.typed").exists()

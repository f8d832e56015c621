"""The package as a whole: light to import, and clear about what it holds."""

import email
import operator
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import snippets

ROOT = Path(snippets.__path__[0]).parent
MODULES = sorted(
    path.stem for path in (ROOT / "snippets").glob("*.py") if path.stem != "__init__"
)


def printed_by(program: str) -> str:
    """What a new interpreter prints, in which nothing has been imported."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def test_importing_the_package_imports_no_heavy_library() -> None:
    heavy = ["keras", "matplotlib", "numpy", "sklearn", "tensorflow", "tf_keras"]
    listing = f"print([name for name in {heavy} if name in sys.modules])"
    assert printed_by(f"import sys, snippets; dir(snippets); {listing}") == "[]"


def test_the_data_module_does_not_import_tensorflow() -> None:
    program = "import sys, snippets.data; print('tensorflow' in sys.modules)"
    assert printed_by(program) == "False"


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
        operator.attrgetter("nothing")(snippets)

    assert all(module in str(caught.value) for module in MODULES)


def test_the_package_is_marked_as_typed() -> None:
    assert (ROOT / "snippets/py.typed").exists()


def test_the_wheel_holds_the_package_and_asks_for_what_recipes_import(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True)
    (wheel,) = tmp_path.glob("keras_snippets-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(info))
    modules = {f"snippets/{path.name}" for path in (ROOT / "snippets").glob("*.py")}
    assert modules | {"snippets/py.typed"} <= names
    assert not any(name.startswith(("conf/", "docs/", "tests/")) for name in names)
    needed = {re.split(r"[>=;]", text)[0] for text in metadata.get_all("Requires-Dist")}
    assert needed == {
        *("keras", "numpy", "scikit-learn", "tensorflow"),
        *("matplotlib", "tf-keras"),  # extras
    }

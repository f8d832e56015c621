"""The package as a whole: light to import, and clear about what it holds."""

import ast
import email
import json
import operator
import os
import re
import runpy
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest

import snippets

ROOT = Path(snippets.__path__[0]).parent
MODULES = sorted(
    path.stem for path in (ROOT / "snippets").glob("*.py") if path.stem != "__init__"
)
FACES = [
    path
    for path in sorted((ROOT / "snippets").glob("*/__init__.py"))
    if path.parent.name != "showing"
]
SCRIPT = ROOT / "tests/unit/ten_recipes.py"
HEAVY = ["keras", "matplotlib", "numpy", "sklearn", "tensorflow", "tf_keras"]
EXTRAS = ("matplotlib", "mpl_toolkits", "scikit_learn", "sklearn", "tf_keras")


def printed_by(program: str) -> str:
    """What a new interpreter prints, in which nothing has been imported."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


def test_importing_the_package_imports_no_heavy_library() -> None:
    listing = f"print([name for name in {HEAVY} if name in sys.modules])"
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


# What a guide exports


def exported(face: Path) -> tuple[dict[str, str], list[str]]:
    """What a guide's `__init__` imports, by name with its module, and its `__all__`."""
    imports: dict[str, str] = {}
    names: list[str] = []
    for node in ast.parse(face.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            imports |= {alias.name: node.module or "" for alias in node.names}
        elif isinstance(node, ast.Assign):
            assert ast.unparse(node.targets[0]) == "__all__"
            names = ast.literal_eval(node.value)
    return imports, names


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.parent.name)
def test_a_guide_exports_all_that_it_imports_and_nothing_else(face: Path) -> None:
    imports, names = exported(face)

    assert sorted(imports) == sorted(names)
    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.parent.name)
def test_what_a_guide_exports_is_its_own_and_no_mistake(face: Path) -> None:
    guide = f"snippets.{face.parent.name}"

    for name, module in exported(face)[0].items():
        assert module.startswith(f"{guide}."), name
        assert module != f"{guide}.mistakes", name


@pytest.mark.parametrize("face", FACES, ids=lambda face: face.parent.name)
def test_what_puts_two_kerases_side_by_side_or_makes_a_table_is_not_exported(
    face: Path,
) -> None:
    imports, _ = exported(face)
    for module in face.parent.glob("*.py"):
        for node in ast.parse(module.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name in imports:
                arguments = {argument.arg for argument in node.args.args}
                assert "keras_module" not in arguments, node.name
                assert ast.unparse(node.returns or node) not in {"Table", "Drawing"}


# What is built and installed


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a fresh environment: the wheel, and what is here but the extras."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "environment", with_pip=False)
    python = folder / "environment/bin/python"
    (wheel,) = built.glob("*.whl")
    command = [sys.executable, "-m", "pip", "--python", str(python), "install"]
    command += ["--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
    libraries = folder / "libraries"
    libraries.mkdir()
    for path in Path(np.__file__).parents[1].iterdir():
        if not path.name.startswith(EXTRAS):
            (libraries / path.name).symlink_to(path)
    (site,) = (folder / "environment/lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(str(libraries))
    return python


def there(python: Path, *arguments: str) -> str:
    """What the Python of the fresh environment prints, away from this checkout."""
    hidden = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    variables = {k: v for k, v in os.environ.items() if k not in hidden}
    done = subprocess.run(
        [python, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=python.parent,
        env={**variables, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
    )
    return done.stdout


def test_the_wheel_holds_the_package_and_asks_for_what_recipes_import(
    built: Path,
) -> None:
    (wheel,) = built.glob("keras_snippets-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = next(name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(info))
    package = (ROOT / "snippets").rglob("*.py")
    modules = {path.relative_to(ROOT).as_posix() for path in package}
    assert modules | {"snippets/py.typed"} <= names
    assert all(name.startswith(("snippets/", "keras_snippets-")) for name in names)
    needed = metadata.get_all("Requires-Dist", [])
    assert {re.split(r"[>=;]", text)[0] for text in needed if "extra" not in text} == {
        *("keras", "numpy", "tensorflow")
    }
    assert set(metadata.get_all("Provides-Extra", [])) == {
        *("all", "data", "figures", "keras2")
    }


def test_the_installed_package_is_light(installed: Path) -> None:
    program = f"""
import importlib.metadata, sys, snippets
dir(snippets)
print(importlib.metadata.version("keras-snippets"), snippets.__file__)
print([name for name in {HEAVY} if name in sys.modules])
"""
    about, loaded = there(installed, "-c", program).splitlines()
    version, file = about.split(maxsplit=1)
    assert version == snippets.__version__
    assert Path(file).is_relative_to(installed.parents[1])
    assert loaded == "[]"


def test_only_what_needs_an_extra_fails_without_it_and_says_which(
    installed: Path,
) -> None:
    program = """
import importlib, json, pkgutil, snippets
errors = {}
for module in pkgutil.walk_packages(snippets.__path__, "snippets."):
    try:
        importlib.import_module(module.name)
    except ImportError as error:
        errors[module.name] = str(error)
print(json.dumps(errors))
"""
    errors = json.loads(there(installed, "-c", program).splitlines()[-1])
    said = "No module named '{}'. It comes with: pip install \"keras-snippets[{}]\""
    assert errors == {
        "snippets.custom_layers.versions": said.format("tf_keras", "keras2"),
        "snippets.data": said.format("sklearn", "data"),
        "snippets.showing.both_kerases": said.format("tf_keras", "keras2"),
        "snippets.showing.figures": said.format("matplotlib", "figures"),
        "snippets.subclassing.versions": said.format("tf_keras", "keras2"),
        "snippets.training_loops.versions": said.format("tf_keras", "keras2"),
    }


def test_the_source_distribution_holds_what_its_tests_need(
    built: Path, tmp_path: Path
) -> None:
    (source,) = built.glob("keras_snippets-*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()
    files = {*ROOT.glob("*.py"), *ROOT.glob("*.md"), ROOT / "pyproject.toml"}
    for folder in (".github", "conf", "docs", "requirements", "snippets", "tests"):
        files |= {path for path in (ROOT / folder).rglob("*") if path.is_file()}
    names = {
        path.relative_to(ROOT) for path in files if "__pycache__" not in path.parts
    }
    assert [str(name) for name in sorted(names) if not (unpacked / name).exists()] == []

    tests = ["tests/unit/test_extras.py", "tests/site/test_house.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += tests
    done = subprocess.run(command, cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_a_script_with_ten_recipes_of_ten_guides_is_typed(
    installed: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}"]
    command += [f"--python-executable={installed}", str(SCRIPT)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.startswith("Success"), done.stdout + done.stderr


@pytest.mark.tensorflow  # it exports to TensorFlow Lite
def test_the_script_runs() -> None:
    runpy.run_path(str(SCRIPT), run_name="__main__")

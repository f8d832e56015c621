"""What needs no TensorFlow runs on other backends, and the reference says so."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conf.pages.recipes import Package
from conf.reference.backends import FOLDER, Row, Seen, Tests, write
from tests.site.small_site import Site
from tests.site.test_reference import entry, text

SHAPES = """
def doubled(x):
    return 2 * x


def doubled_there(x):
    import tensorflow as tf  # never called: who asks for it is read from the code

    return tf.add(x, x)


def quadrupled_there(x):
    return 2 * doubled_there(x)


def tripled(x):
    return 4 * x
"""
TESTS = """
import pytest
from snippets.shapes import doubled, doubled_there, quadrupled_there, tripled


@pytest.fixture
def two():
    return doubled_there(1)


def test_two():
    assert doubled(1) == 2


def test_four():
    assert doubled(2) == 4


def test_both_agree(two):
    assert doubled(1) == two


@pytest.mark.tensorflow
def test_a_program_of_tensorflow():
    assert doubled(1) == 0


def test_there():
    assert quadrupled_there(1) == 4


@pytest.mark.parametrize("name", ["shapes.doubled", "shapes.tripled"])
def test_each_is_even(name):
    assert name == "shapes.doubled"


@pytest.mark.xfail(strict=True, reason="it is tripled wrongly, on purpose")
def test_three():
    assert tripled(1) == 3
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run of three recipes: one is sound, one is wrong, one needs TensorFlow."""
    folder = tmp_path_factory.mktemp("project")
    for path, content in {
        "snippets/__init__.py": "",
        "snippets/shapes.py": SHAPES,
        "tests/unit/test_shapes.py": TESTS,
        "pytest.ini": "[pytest]\nmarkers = tensorflow\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    program = "from conf.reference.on_backend import main; print(main('numpy', []))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": f"{Path(__file__).parents[2]}:{folder}", "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith("\n1\n"), done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / FOLDER / "numpy.json").read_text())
    return found


def counts(seen: dict[str, Any], recipe: str) -> tuple[int, int, int]:
    row = Row(**seen["recipes"][f"snippets.shapes.{recipe}"])
    return row.passed, row.failed, row.left_out


def test_tests_that_reach_tensorflow_or_say_so_are_left_out(
    seen: dict[str, Any],
) -> None:
    assert counts(seen, "doubled") == (2, 0, 2)


def test_a_test_of_many_recipes_fails_for_one_and_a_known_fault_is_left_out(
    seen: dict[str, Any],
) -> None:
    assert counts(seen, "tripled") == (0, 1, 1)


def test_a_recipe_that_reaches_tensorflow_has_no_row(seen: dict[str, Any]) -> None:
    assert set(seen["recipes"]) == {
        "snippets.shapes.doubled",
        "snippets.shapes.tripled",
    }


def test_a_run_of_some_tests_keeps_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    (site.folder / "mini").rename(site.folder / "snippets")
    program = "from conf.reference.on_backend import main; main('numpy', ['-k', 'hi'])"
    subprocess.run(
        [sys.executable, "-c", program],
        cwd=site.folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        check=True,
        capture_output=True,
    )
    assert not (site.folder / FOLDER).exists()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that keeps a run of alpha and gamma on JAX, and of alpha on PyTorch."""
    site = Site(tmp_path_factory.mktemp("site"))
    tests = Tests(Package(site.folder / "mini"))
    alpha, gamma = (
        tests.hash(f"mini.{name}") for name in ("alpha.area", "gamma.greeting")
    )
    on_jax = {
        "mini.alpha.area": Row(alpha, 3, 0, 1),
        "mini.gamma.greeting": Row(gamma, 1, 2, 0),
    }
    write(site.folder, Seen("jax", {"jax": "0.9", "keras": "3.15"}, on_jax))
    on_torch = {"mini.alpha.area": Row(alpha, 4, 0, 0)}
    write(site.folder, Seen("torch", {"torch": "2.9.1+cpu", "keras": "3.15"}, on_torch))
    assert site.build().code == 0
    return site


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (
            "mini.alpha.area",
            "TensorFlow, JAX 0.9 (without 1 of its tests), PyTorch 2.9.1",
        ),
        ("mini.gamma.greeting", "TensorFlow, not JAX 0.9, where 2 of its tests failed"),
        ("mini.beta.total", "TensorFlow"),
    ],
)
def test_an_entry_names_the_backends_on_which_its_tests_passed(
    told: Site, recipe: str, words: str
) -> None:
    assert text(entry(told, recipe)).partition("Backends: ")[2].strip() == words


def test_a_changed_recipe_is_said_to_be_untried(told: Site) -> None:
    with told.changed("mini/alpha.py", "FACTOR * side", "side * FACTOR"):
        assert told.build().code == 0
    words = text(entry(told, "mini.alpha.area"))
    assert "not tried since it changed: JAX 0.9, " in words
    assert "not tried since it changed: PyTorch 2.9.1" in words
    assert told.build().code == 0
    assert "not tried" not in text(entry(told, "mini.alpha.area"))

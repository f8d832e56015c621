"""Names in prose exist or are declared as gone, and printed numbers are not typed."""

from pathlib import Path

import pytest

from conf.pages.read import Problem, front_matter
from conf.proofs.marks import Sentence
from conf.proofs.prose import check, existing, literals, mentioned, typed
from conf.store import Run, Store

ROOT = Path(__file__).parents[2]


def test_names_are_found_in_prose_with_their_lines() -> None:
    text = (
        "Use `keras.Input(shape=(3,))`.\n\nSee `model.layers[0]` and `tf.function`.\n"
    )
    assert mentioned(text) == {"keras.Input": 1, "model.layers": 3, "tf.function": 3}


@pytest.mark.parametrize(
    "text",
    [
        "```{code-cell} python\nkeras.Input\n```\n",
        "Plain keras.Input without code.\n",
        "The package `keras` alone, or `other.Input`.\n",
    ],
)
def test_code_and_other_words_are_not_names(text: str) -> None:
    assert mentioned(text) == {}


LIBRARY = """
class Model:
    layers = ()

    def __init__(self, inputs, outputs): ...

class layers:
    Dense = staticmethod(lambda units: lambda inputs: inputs)

def Input(shape): ...
"""


def test_names_of_the_libraries_and_of_the_package_are_looked_up(
    tmp_path: Path,
) -> None:
    """In a process of its own, once for each key."""
    for name in ("keras", "tf_keras"):
        (tmp_path / f"{name}.py").write_text(LIBRARY)
    for name in ("numpy", "tensorflow"):
        (tmp_path / f"{name}.py").write_text("function = 1\n")
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets/__init__.py").write_text("from snippets import data\n")
    (tmp_path / "snippets/data.py").write_text("def digit_images(): ...\n")
    names = {
        "keras.Input": True,
        "keras.layers.Dense": True,
        "keras.Nothing": False,
        "keras.Input.no": False,
        "model.layers": True,
        "model.no": False,
        "tf.function": True,
        "tf.placeholder": False,
        "np.function": True,
        "snippets.data": True,
        "snippets.data.digit_images": True,
        "snippets.nothing": False,
        "snippets.data.nothing": False,
    }
    store = Store(tmp_path / "store")
    assert existing(names, tmp_path, store, "key") == names
    (tmp_path / "keras.py").write_text("")
    assert existing(names, tmp_path, store, "key") == names
    with pytest.raises(RuntimeError, match=r"names could not be looked up: .*Input"):
        existing(names, tmp_path, store, "other key")
    assert existing([], tmp_path, store, "other key") == {}


def test_a_name_that_does_not_exist_is_a_problem_at_its_line() -> None:
    (problem,) = check("a.md", {"keras.Nothing": 7}, {}, {"keras.Nothing": False})
    assert str(problem).startswith("a.md:7: `keras.Nothing` does not exist")


def test_a_name_declared_as_gone_is_no_problem() -> None:
    gone = front_matter('---\ngone: {tf.placeholder: "2.0"}\n---\n# Title\n')["gone"]
    names = {"tf.placeholder": 3}
    assert list(check("a.md", names, gone, {"tf.placeholder": False})) == []


def test_a_name_declared_as_gone_that_exists_is_a_problem() -> None:
    found = list(
        check("a.md", {"keras.Input": 3}, {"keras.Input": "4"}, {"keras.Input": True})
    )
    assert found == [
        Problem("a.md", 3, "`keras.Input` is declared as gone since 4, but it exists")
    ]


def test_a_number_that_the_page_prints_is_not_typed() -> None:
    run = Run([[{"text": "accuracy 0.953, 1797 images"}]], [])
    numbers = literals([Sentence(4, "It reaches 0.953 on 1797 images.", False)])
    found = [problem.message.split()[0] for problem in typed("a.md", numbers, run)]
    assert found == ["0.953", "1797"]


def test_small_numbers_and_numbers_in_code_may_be_typed() -> None:
    sentences = [Sentence(4, "Two of 10 in `shape=(1797,)`, not 42.", False)]
    assert literals(sentences) == ()


def test_a_number_that_is_not_printed_may_be_typed() -> None:
    run = Run([[{"text": "1797"}]], [])
    assert list(typed("a.md", [("2017", 4)], run)) == []

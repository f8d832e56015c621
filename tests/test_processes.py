"""Programs in a process of their own: what they print, and how they fail."""

from pathlib import Path

import keras
import numpy as np
import pytest

from snippets.processes import outputs_in_fresh_process, run_python


def test_a_program_prints_its_answer() -> None:
    assert run_python("print(); print('one\\ntwo')") == "one\ntwo"


def test_a_program_sees_the_variables_and_the_modules_of_this_process() -> None:
    program = "import os, snippets; print(os.environ['A'], snippets.__name__)"
    assert run_python(program, {"A": "b"}) == "b snippets"


def test_a_program_starts_afresh() -> None:
    assert run_python("import sys; print('keras' in sys.modules)") == "False"


def test_a_program_that_raises_is_reported_by_its_last_line() -> None:
    with pytest.raises(RuntimeError, match="status 1: ValueError: no such thing"):
        run_python("raise ValueError('no such thing')")


def test_a_program_that_ends_without_a_word_is_reported_too() -> None:
    with pytest.raises(RuntimeError, match="status 3: it wrote no message"):
        run_python("raise SystemExit(3)")


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(TimeoutError, match=r"longer than 0\.5 s"):
        run_python("import time; time.sleep(60)", timeout=0.5)


def test_a_saved_model_computes_the_same_in_a_fresh_process(tmp_path: Path) -> None:
    inputs = {name: keras.Input((2,), name=name) for name in ("left", "right")}
    total = keras.layers.Add()(list(inputs.values()))
    outputs = [keras.layers.Dense(3)(total), total]
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    data = {"left": np.ones((4, 2), "float32"), "right": np.eye(4, 2, dtype="float32")}

    fresh = outputs_in_fresh_process(tmp_path / "model.keras", data, ["snippets.data"])

    for expected, actual in zip(model(data), fresh, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_a_model_that_cannot_be_loaded_is_reported_by_its_last_line(
    tmp_path: Path,
) -> None:
    with pytest.raises(RuntimeError, match="File not found"):
        outputs_in_fresh_process(tmp_path / "none.keras", np.ones((1, 2)))

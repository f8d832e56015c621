"""Proofs of the page of disconnected graphs."""

import re

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import disconnected, inputs_named, nested, rises

layers = keras.layers


@proves(
    (
        "An output depends on an Input that `keras.Model(inputs, outputs)` was "
        "not given."
    ),
    keras=">=3.14",
    false_with={"given": ("a", "b")},
)
def test_an_input_is_missing(given=("a",)):
    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    total = layers.Add()(list(tensors.values()))
    error = rises(keras.Model, [tensors[name] for name in given], total)
    assert "Output with path `` is not connected to `inputs`" in error


@proves(
    (
        "Keras 2 | `Graph disconnected: cannot obtain value for tensor`, with "
        "the tensor and the layer"
    ),
    keras="<3",
)
def test_disconnected_on_keras_2():
    error = rises(disconnected)
    assert "Graph disconnected: cannot obtain value for tensor" in error
    assert "name='b'" in error
    assert 'at layer "total"' in error


@proves(
    "Keras 3.4 to 3.13 | nothing, until the model is called: `KeyError` and a long "
    "number",
    false_with={"name": "a"},
    needs="keras>=3.4,<3.14",
)
def test_disconnected_on_keras_3_4_to_3_13(name="b"):
    assert rises(disconnected, name=name) == ""
    model = disconnected(name=name)
    assert model.count_params() == 8
    assert re.search(r"KeyError: .*\d{9,}", rises(model, np.ones((1, 3))), re.DOTALL)


@proves(
    "Keras 3.14 and later | ``Output with path `...` is not connected to `inputs` ``",
    keras=">=3.14",
    false_with={"name": "a"},
)
def test_disconnected_since_keras_3_14(name="b"):
    assert "is not connected to `inputs`" in rises(disconnected, name=name)


@proves(
    (
        "Since Keras 3.14 the message names neither the Input nor the layer "
        "that reads it."
    ),
    false_with={"by_recipe": True},
    needs="keras>=3",
    keras=">=3.14",
)
def test_message_names_neither_input_nor_layer(by_recipe=False):
    from snippets.functional import connected_model

    a, b = inputs_named("a", "b")
    scores = layers.Dense(2)(layers.Add(name="total")([a, b]))
    error = rises(connected_model if by_recipe else keras.Model, a, scores)
    assert error.startswith("ValueError")
    assert not any(name in error for name in ("`b`", "'b'", "total"))


@proves(
    "The path is the place of the output: empty for a single one, `0` for the first of "
    "a list, its key in a dict.",
    keras=">=3.14",
    false_with={"key": "1"},
)
def test_path_is_the_place_of_the_output(key="0"):
    for wrap, path in (
        (lambda y: y, ""),
        (lambda y: [y], key),
        (lambda y: {"out": y}, "out"),
    ):
        assert f"Output with path `{path}` is not" in rises(disconnected, wrap, wrap)


@proves(
    (
        "`Graph disconnected: cannot find parent for tensor` exists on Keras 3 "
        "as well, for a tensor that no `keras.Input` made."
    ),
    false_with={"make": keras.Input},
    needs="keras>=3",
)
def test_cannot_find_parent_for_a_stray_tensor(make=None):
    make = make or keras.KerasTensor
    (x,) = inputs_named("x")
    stray = make(shape=(None, 3)) if make is not keras.Input else x
    error = rises(keras.Model, x, layers.Dense(2)(stray))
    assert "Graph disconnected: cannot find parent for tensor" in error


@proves(
    (
        "`missing_inputs` lists what is missing, and `connected_model` builds "
        "the model or says it:"
    ),
    false_with={"given": ("a", "b")},
    needs="keras>=3",
)
def test_recipes_name_what_is_missing(given=("a",)):
    from snippets.functional import connected_model, missing_inputs

    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    total = layers.Add(name="total")(list(tensors.values()))
    scores = layers.Dense(2, name="scores")(total)
    inputs = [tensors[name] for name in given]
    paths = [start.path for start in missing_inputs(inputs, scores)]
    assert paths == [("b", "total", "scores")]
    assert "'b' of shape (None, 3)" in rises(connected_model, inputs, scores)


@proves(
    "A model that is called on a new tensor makes a new output, but the tensors of its "
    "layers still begin at its own Input.",
    false_with={"inside": False},
    needs="keras>=3",
)
def test_inner_tensors_begin_at_the_inner_input(inside=True):
    from snippets.functional import input_paths

    model = nested()
    base = model.get_layer("base")
    assert model.layers[-1].input is not base.output
    inner = base.get_layer("features").output
    found = input_paths([], inner if inside else model.layers[-1].input)
    assert [start.path for start in found] == [("inner", "features")]


@proves(
    "Cut the nested model at its own Input, and call the piece like a layer:",
    false_with={"name": "inner"},
)
def test_cut_at_the_inner_input(name="features"):
    model = nested()
    base = model.get_layer("base")
    piece = keras.Model(base.input, base.get_layer(name).output)
    (x,) = inputs_named("x")
    assert tuple(keras.Model(x, piece(x)).output.shape) == (None, 2)

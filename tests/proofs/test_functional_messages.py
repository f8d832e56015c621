"""Proofs of the page of messages of Functional models."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import (
    BOTH,
    drawn,
    inputs_named,
    profit,
    rises,
    two_outputs,
)

layers = keras.layers


def keras_where(x):
    return keras.ops.where(keras.ops.mean(x) > 0, x * 2.0, x)


def keras_cond(x):
    return keras.ops.cond(keras.ops.mean(x) > 0, lambda: x * 2.0, lambda: x)


@proves(
    (
        "A model whose graph calls `keras.ops.cond` directly returns a `KerasTensor` "
        "instead of numbers."
    ),
    false_with={"choose": keras_where},
    needs="keras>=3",
)
def test_cond_returns_no_number(choose=keras_cond):
    (x,) = inputs_named("x")
    result = keras.Model(x, choose(x))(np.ones((2, 3)))
    assert isinstance(result, keras.KerasTensor)
    assert result.shape == (None, 3)  # that of the graph: the call had 2 rows


@proves(
    "Use `keras.ops.where`, or call `keras.ops.cond` in the `call` of a layer.",
    false_with={"in_a_layer": False},
    needs="keras>=3",
)
def test_where_and_a_layer_return_numbers(in_a_layer=True):
    from snippets.functional import DoubledIfPositive

    (x,) = inputs_named("x")
    choose = DoubledIfPositive() if in_a_layer else keras_cond
    for choice in (keras_where(x), choose(x)):
        model = keras.Model(x, choice)
        for call in (model, tf.function(model)):
            for sign, factor in ((1.0, 2.0), (-1.0, -1.0)):
                seen = call(sign * np.ones((2, 3), "float32"))
                assert not isinstance(seen, keras.KerasTensor)
                assert np.array_equal(seen, factor * np.ones((2, 3)))


@proves(
    (
        "If `keras.ops` lacks a function, as it lacks `image.sobel_edges` before "
        "Keras 3.15, call the function of TensorFlow in the `call` of a layer:"
    ),
    false_with={"inside": False},
    needs="keras>=3",
)
def test_tensorflow_function_inside_a_layer(inside=True):
    from snippets.functional import SobelEdges

    version = tuple(int(part) for part in keras.__version__.split(".")[:2])
    assert hasattr(keras.ops.image, "sobel_edges") == (version >= (3, 15))
    find_edges = SobelEdges() if inside else tf.image.sobel_edges
    x = keras.Input((8, 8, 1))
    assert rises(find_edges, x) == ""
    model = keras.Model(x, find_edges(x))
    assert model(np.ones((2, 8, 8, 1))).shape == (2, 8, 8, 2)


@proves(
    (
        "A key of `loss` is the name of no output, or the labels lack a key: "
        "use the keys of `outputs` for `loss`, `metrics` and the labels."
    ),
    keras=">=3.9",
    false_with={"name": "top"},
)
def test_a_path_that_cannot_be_found(name="max"):
    _, train = two_outputs(loss={"mean": "mse", name: "mae"})
    assert "The path: ('max',) in the `loss` argument, can't be found" in rises(train)
    model, _ = two_outputs(loss="mse")
    error = rises(model.fit, np.ones((2, 3)), {"mean": np.ones((2, 1))}, verbose=0)
    assert "in the `loss` argument, can't be found" in error


@proves(
    (
        "If `outputs` is a list, the names are those of the layers that made them: "
        '`layers.Dense(1, name="priority")`.'
    ),
    keras="!=3.5.*,!=3.6.*",
    false_with={"loss": {"p": "mae", "q": "mse"}},
)
def test_names_of_outputs_in_a_list(loss=None):
    (x,) = inputs_named("x")
    for names in (("p", "q"), ("q", "p")):
        model = keras.Model(x, [layers.Dense(1, name=name)(x) for name in names])
        model.compile("sgd", loss or {"p": "mse", "q": "mae"}, run_eagerly=True)
        ones, targets = np.ones((2, 3)), dict.fromkeys("pq", 5 * np.ones((2, 1)))
        found = {name: np.array(y) for name, y in zip(names, model(ones), strict=True)}
        seen = model.evaluate(ones, targets, verbose=0, return_dict=True)
        total = np.mean((5 - found["p"]) ** 2) + np.mean(np.abs(5 - found["q"]))
        assert np.isclose(seen["loss"], total)


@proves(
    "Each output has a loss, and the labels have more or fewer keys than there are "
    "outputs.",
    keras=">=3.9",
    false_with={"names": ("mean", "top")},
)
def test_labels_with_other_keys(names=("mean",)):
    for given in (names, (*names, "top", "more") if names == ("mean",) else names):
        model, _ = two_outputs(loss=BOTH)
        labels = {name: np.ones((2, 1)) for name in given}
        error = rises(model.fit, np.ones((2, 3)), labels, verbose=0)
        assert "y_true and y_pred have different structures" in error


@proves(
    (
        "The model has several outputs, and one list of metrics was passed "
        'for all: write `metrics={"priority": ["accuracy"], "department": '
        '["accuracy"]}`.'
    ),
    needs="keras>=3",
    false_with={"metrics": ["mae", "mae"]},
)
def test_metrics_in_one_list_on_keras_3(metrics=("mae",)):
    _, train = two_outputs(loss="mse", metrics=list(metrics))
    error = rises(train)
    new = "Invalid `metrics`. `metrics` should contain metrics objects"
    version = tuple(int(part) for part in keras.__version__.split(".")[:2])
    old = "For a model with multiple outputs"
    assert (new in error) == (version >= (3, 15))
    assert (old in error) == (version < (3, 15))


@proves(
    ("Give a weight for each loss."),
    keras=">=3.6",
    false_with={"weights": {"mean": 1.0, "top": 0.1}},
)
def test_weights_for_a_part_on_keras_3(weights=None):
    _, train = two_outputs(loss=BOTH, loss_weights=weights or {"top": 0.1})
    assert "`loss_weights`" in rises(train)


@proves(
    (
        "No layer reads an Input: leave it out of `inputs`, or call a layer "
        "on it if it was meant to count. Only Keras 3.11 to 3.13 refuse it."
    ),
    keras=">=3.11,<3.14",
    false_with={"count": 1},
)
def test_an_input_that_no_layer_reads(count=2):
    a, b = inputs_named("a", "b")
    scores = layers.Dense(2)(a)
    error = rises(keras.Model, [a, b][:count], scores)
    assert "`inputs` not connected to `outputs`" in error
    assert rises(keras.Model, a, scores) == ""
    read = layers.Dense(2)(layers.Concatenate()([a, b]))
    assert rises(keras.Model, [a, b], read) == ""


@proves(
    ("Name the axis that differs, `Concatenate(axis=1)`, or make the shapes equal."),
    false_with={"axis": 1},
)
def test_shapes_to_concatenate(axis=-1):
    tensors = [keras.Input(shape=(3, 4)), keras.Input(shape=(5, 4))]
    error = rises(layers.Concatenate(axis=axis), tensors)
    assert "requires inputs with matching shapes" in error
    assert tuple(layers.Concatenate(axis=1)(tensors).shape) == (None, 8, 4)


@proves(
    ("Put a `Dense(5)` before `Add`."),
    false_with={"size": 5},
)
def test_shapes_to_add(size=3):
    x, y = keras.Input(shape=(size,)), keras.Input(shape=(5,))
    assert "Inputs have incompatible shapes" in rises(layers.Add(), [x, y])
    assert tuple(layers.Add()([layers.Dense(5)(x), y]).shape) == (None, 5)


@proves(
    ("`Dense` reads one tensor, so call `Concatenate()([x, y])` first."),
    false_with={"join": layers.Concatenate},
)
def test_a_list_for_one_tensor(join=lambda: list):
    tensors = inputs_named("x", "y")
    assert rises(layers.Dense(2), layers.Concatenate()(tensors)) == ""
    error = rises(layers.Dense(2), join()(tensors))
    assert "expects 1 input(s), but it received 2" in error


@proves(
    ("A layer stands in place of its output: write `layer(x)`, not `layer`."),
    keras=">=3",
    false_with={"call": True},
)
def test_a_layer_is_no_tensor(call=False):
    (x,) = inputs_named("x")
    layer = layers.Dense(2)
    output = layer(x)
    error = rises(keras.Model, x, output if call else layer)
    assert "values must be KerasTensors" in error
    assert "values must be KerasTensors" in rises(keras.Model, np.ones((2, 3)), output)


@proves(
    ("The arguments are `inputs` and `outputs`."),
    keras=">=3",
    false_with={"names": ("inputs", "outputs")},
)
def test_inputs_and_outputs_are_plural(names=("input", "output")):
    (x,) = inputs_named("x")
    y = layers.Dense(2)(x)
    error = rises(keras.Model, **dict(zip(names, (x, y), strict=True)))
    assert "Unrecognized keyword arguments" in error
    assert "'input'" in error
    assert rises(keras.Model, inputs=x, outputs=y) == ""


@proves(
    (
        "Give each layer and Input a name of its own. In a notebook, after "
        "you have run the cell of an Input again, run the cells below it too."
    ),
    keras=">=3",
    false_with={"names": ("x", "y")},
)
def test_each_layer_has_its_name(names=("x", "x")):
    tensors = inputs_named(*names)
    error = rises(keras.Model, tensors, layers.Add()(tensors))
    assert "is used 2 times in the model" in error
    before, now = tensors
    assert "is used 2 times" in rises(keras.Model, now, layers.Dense(2)(before))
    assert rises(keras.Model, now, layers.Dense(2)(now)) == ""


@proves(
    (
        "A key of the labels is misspelled, perhaps another than the message "
        "names: use the keys of `outputs`."
    ),
    keras=">=3.9",
    false_with={"name": "top"},
)
def test_a_misspelled_label(name="tpo"):
    model, _ = two_outputs(loss=BOTH)
    model.compile("sgd", BOTH)
    labels = {"mean": np.ones((2, 1)), name: np.ones((2, 1))}
    error = rises(model.fit, np.ones((2, 3)), labels, verbose=0)
    assert "Expected float32, but got mean of type 'str'" in error


@proves(
    (
        "`model(...)` was given NumPy arrays beside tensors: convert all to "
        "one kind, or call `predict`."
    ),
    keras=">=3",
    false_with={"convert": np.array},
)
def test_arrays_beside_tensors(convert=tf.constant):
    data = {"price": convert([5.0]), "cost": np.array([3.0])}
    assert "you cannot mix tensors and non-tensors" in rises(profit(), data)
    for kind in (tf.constant, np.array):
        alike = {"price": kind([5.0]), "cost": kind([3.0])}
        assert np.array(profit()(alike)).item() == 2.0
    assert profit().predict(data, verbose=0).tolist() == [2.0]


@proves(
    ("`plot_model` also needs Graphviz; `summary()` needs neither."),
    false_with={"name": "draw_layers"},
    needs="keras!=2.21.*",  # the recipes cannot be imported where there is no `keras`
)
def test_plot_model_needs_pydot(name="plot_model"):
    assert "You must install pydot" in rises(drawn, name)


@proves(
    (
        "An array or tensor stands where the output of a layer should: begin "
        "the graph with `keras.Input`."
    ),
    false_with={"make": keras.Input},
)
def test_arrays_have_no_history(make=tf.zeros):
    error = rises(lambda: make((3,))._keras_history)
    assert "object has no attribute '_keras_history'" in error


@proves(
    (
        "An axis of size 1 and a missing axis are stretched to the other size, "
        "so `Add` accepts an image of `(8, 8, 3)` and a vector of `(3,)`."
    ),
    false_with={"size": 2},
)
def test_add_stretches_axes(size=3):
    image, vector = keras.Input(shape=(8, 8, 3)), keras.Input(shape=(size,))
    assert rises(layers.Add(), [image, vector]) == ""
    assert tuple(layers.Add()([image, vector]).shape) == (None, 8, 8, 3)
    thin = keras.Input(shape=(8, 1, 3))
    assert tuple(layers.Add()([image, thin]).shape) == (None, 8, 8, 3)

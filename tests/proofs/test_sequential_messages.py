"""Proofs of the page of messages of Sequential models."""

import re

import numpy as np
import pytest
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_sequential import built, message_of, rows, summary_of, unbuilt


@proves(
    ("On Keras 3 put `keras.Input(batch_shape=(2, 4))` first."),
    keras=">=3",
    false_with={"argument": "input_shape"},
)
def test_batch_input_shape_on_the_first_layer_raises(argument="batch_input_shape"):
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        keras.layers.Dense(3, **{argument: (2, 4)})


@proves(
    "On Keras 2 `weights` and `get_weights()` raise ``Weights for model 'sequential' "
    "have not yet been created. Weights are created when the model is first called "
    "on inputs or `build()` is called with an `input_shape`.``",
    keras="<3",
    false_with={"make": built},
)
def test_no_weights_raise_on_keras_2(make=unbuilt):
    for ask in (lambda model: model.weights, lambda model: model.get_weights()):
        with pytest.raises(ValueError, match="have not yet been created"):
            ask(make())


@proves(
    ("`Conv2D` wants a channel axis, so declare `(28, 28, 1)`."),
    false_with={"without": (28, 28, 1)},
)
def test_convolution_wants_channels(without=(28, 28)):
    def make(shape):
        return keras.Sequential([keras.Input(shape=shape), keras.layers.Conv2D(2, 3)])

    assert make((28, 28, 1)).output_shape == (None, 26, 26, 2)
    expected = "expected min_ndim=4, found ndim=3. Full shape received: (None, 28, 28)"
    assert expected in message_of(lambda: make(without))


@proves(
    (
        "A recurrent layer wants time and features, so leave out the "
        "`Flatten` before it."
    ),
    false_with={"before": ()},
)
def test_recurrent_layer_wants_time(before=("Flatten",)):
    for name in ("GRU", "LSTM", "SimpleRNN"):
        layers = [getattr(keras.layers, word)() for word in before]
        layers.append(getattr(keras.layers, name)(3))
        start = keras.Input(shape=(28, 28))
        expected = "expected ndim=3, found ndim=2. Full shape received: (None, 784)"
        assert expected in message_of(
            lambda layers=layers, start=start: keras.Sequential([start, *layers])
        )
        keras.Sequential([start, getattr(keras.layers, name)(3)])


@proves(
    ("A stack has nothing to add: use a Functional model."),
    false_with={"name": "Flatten"},
)
def test_merge_layers_want_a_list(name="Add"):
    x = keras.Input(shape=(4,))
    assert tuple(keras.layers.Add()([x, x]).shape) == (None, 4)
    layers = [keras.layers.Dense(4), getattr(keras.layers, name)()]
    expected = "A merge layer should be called on a list of inputs"
    assert expected in message_of(
        lambda: keras.Sequential([keras.Input(shape=(4,)), *layers])
    )


def two_tensors(last, reader="GRU"):
    """A stack with a layer in the middle that returns its output and its state."""
    reader = getattr(keras.layers, reader)(3, return_state=True)
    return keras.Sequential([keras.Input(shape=(8, 4)), reader, last])


@proves(
    "A layer that returns several tensors, such as `GRU(return_state=True)`, passes "
    "them on as one list on Keras 3: `Concatenate()`, `Add()` and other layers that "
    "merge a list accept it, and `Dense` raises.",
    false_with={"refused": "Flatten"},
    needs="keras>=3",
)
def test_several_tensors_are_one_list(refused="Dense"):
    x = np.linspace(-1, 1, 32).reshape(1, 8, 4).astype("float32")
    for reader, count in (("GRU", 2), ("LSTM", 3)):
        joined = two_tensors(keras.layers.Concatenate(), reader)
        expected = keras.ops.concatenate(joined.layers[0](x))
        assert joined(x).shape == (1, 3 * count)
        assert joined.predict(x, verbose=0).shape == (1, 3 * count)
        assert np.allclose(np.ravel(joined(x)), np.ravel(expected), atol=1e-6)
        for name in ("Add", "Average", "Maximum", "Minimum", "Multiply"):
            model = two_tensors(getattr(keras.layers, name)(), reader)
            model.compile("sgd", "mse", run_eagerly=True)  # ten graphs would take long
            model.fit(x, np.ones((1, 3)), verbose=0)
            assert model(x).shape == (1, 3)
        layer = keras.layers.Dense(2) if refused == "Dense" else keras.layers.Add()
        with pytest.raises(ValueError, match=r"expects 1 input\(s\)"):
            two_tensors(layer, reader)


@proves("Keras 2 refuses every such stack.", keras="<3")
def test_several_tensors_are_refused_on_keras_2():
    for last in (keras.layers.Concatenate(), keras.layers.Add(), keras.layers.Dense(2)):
        for reader in ("GRU", "LSTM"):
            with pytest.raises(ValueError, match="a single output tensor"):
                two_tensors(last, reader)


@proves(
    ("Two different layers have one name: give each its own."),
    false_with={"names": ("a", "b")},
)
def test_names_are_unique(names=("a", "a")):
    def make(names):
        return keras.Sequential([keras.layers.Dense(3, name=name) for name in names])

    assert len(make(("c", "d")).layers) == 2
    expected = "All layers added to a Sequential model should have unique names"
    assert expected in message_of(lambda: make(names))


@proves(
    ("Call `compile` before `fit` and `evaluate`."),
    false_with={"compiled": True},
    needs="keras>=3",
)
def test_compile_comes_before_fit(compiled=False):
    model, y = built(), np.ones((5, 3))
    if compiled:
        model.compile("sgd", "mse")
    for use in (model.fit, model.evaluate):
        found = message_of(lambda use=use: use(rows(), y, verbose=0))
        assert "You must call `compile()` before using the model" in found


@proves(
    ("The model is built for one shape: make a new model for another."),
    keras=">=3",
    false_with={"shape": (None, 4)},
)
def test_another_shape_raises_on_keras_3(shape=(None, 5)):
    model = unbuilt()
    model.build((None, 4))
    with pytest.raises(ValueError, match="has already been configured"):
        model.build(shape)


@proves(
    ("An Input stands after another layer: put it first."),
    keras=">=3",
)
def test_input_not_first_on_keras_3():
    model = keras.Sequential([keras.layers.Dense(3), keras.Input(shape=(9,))])
    assert not model.built
    said = r"Layer InputLayer has (no|multiple) positional arguments(\.|: \[\])"
    with pytest.raises(ValueError, match=said):
        model(rows())
    model = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(3)])
    assert model(rows()).shape == (5, 3)


@proves(
    "On Keras 2 `summary()` raises ``This model has not yet been built. Build the "
    "model first by calling `build()` or by calling the model on a batch of data.``",
    keras="<3",
    false_with={"make": built},
)
def test_summary_of_unbuilt_raises_on_keras_2(make=unbuilt):
    expected = (
        "This model has not yet been built. Build the model first by calling `build()` "
        "or by calling the model on a batch of data."
    )
    with pytest.raises(ValueError, match=re.escape(expected)):
        summary_of(make())

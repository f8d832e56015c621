"""What the proofs of the guide functional and of its reference pages share."""

import sys
import tempfile
import warnings

import numpy as np
import pytest
from tensorflow import keras

layers = keras.layers


def inputs_named(*names, shape=(3,)):
    return [keras.Input(shape=shape, name=name) for name in names]


def two_outputs(**options):
    """A model with the outputs `mean` and `top`, and what `fit` returns for it."""
    (x,) = inputs_named("x")
    outputs = {name: layers.Dense(1, name=name)(x) for name in ("mean", "top")}
    model = keras.Model(x, outputs)
    model.compile("sgd", run_eagerly=True, **options)
    targets = {name: np.ones((2, 1)) for name in outputs}
    return model, lambda: model.fit(np.ones((2, 3)), targets, verbose=0).history


def drawn(name):
    """Draw a model by a function where nothing that draws graphs is installed."""
    from snippets.showing.drawings import draw_layers

    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1)(x))
    absent = ("pydot", "pydotplus", "pydot_ng", "graphviz", "matplotlib")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for package in absent:
            patch.setitem(sys.modules, package, None)
        if name == "draw_layers":
            return draw_layers(model).svg
        return keras.utils.plot_model(model, f"{folder}/model.png")


def rises(call, *args, **kwargs):
    """The error of a call, as text; nothing if there is none."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def warnings_of(call, *args):
    """The result of a call, and its warnings as one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args)
    return result, " ".join(str(warning.message) for warning in caught)


def nested():
    """A model inside a model."""
    (inner,) = inputs_named("inner")
    base = keras.Model(inner, layers.Dense(2, name="features")(inner), name="base")
    (outer,) = inputs_named("outer")
    return keras.Model(outer, layers.Dense(1)(base(outer)))


def swapped(size=4, share=True):
    """A model, its rest called on a new first layer, and the weights of the rest."""
    (x,) = inputs_named("x", shape=(5,))
    hidden = layers.Dense(4, name="first")(x)
    model = keras.Model(x, layers.Dense(2, name="last")(hidden))
    body = keras.Model(hidden, model.output)
    other = keras.Input(shape=(7,))
    body = body if share else keras.models.clone_model(body)
    rest = model.get_layer("last").get_weights()
    return keras.Model(other, body(layers.Dense(size)(other))), rest


def profit(names=("price", "cost")):
    """A model on a dict: the first input minus the second."""
    inputs = {name: keras.Input(shape=(), name=name) for name in names}
    return keras.Model(inputs, layers.Subtract()(list(inputs.values())))


def amounts(**values):
    return {name: np.array([value]) for name, value in values.items()}


ONES = np.ones((4, 1), "float32")


def perfect_model():
    """Outputs of 2 and 3 times the input, by names that do not come in this order."""
    (x,) = inputs_named("x", shape=(1,))
    outputs = {
        "width": layers.Rescaling(2.0, name="width")(x),
        "height": layers.Rescaling(3.0, name="height")(x),
    }
    model = keras.Model(x, outputs)
    model.compile(loss={"width": "mse", "height": "mse"}, run_eagerly=True)
    return model


def adapted():
    (x,) = inputs_named("x", shape=(1,))
    normalization = layers.Normalization(name="normalization")
    normalization.adapt(np.array([[1.0], [3.0]]))
    return keras.Model(x, normalization(x))


def disconnected(wrap_input=lambda x: x, wrap_output=lambda y: y, name="b"):
    """A model whose output depends on the Input `b`, which is left out."""
    a, other = inputs_named("a", name)
    b = a if name == "a" else other
    scores = layers.Dense(2, name="scores")(layers.Add(name="total")([a, b]))
    return keras.Model(wrap_input(a), wrap_output(scores))


BOTH = {"mean": "mse", "top": "mae"}

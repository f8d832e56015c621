"""Proofs of the Subclassing guide."""

import functools
import tempfile
import warnings
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_subclassing import (
    Plain,
    X,
    Y,
    register,
    reloaded,
    steps_after_loading,
    trained_weights,
)

# The first screen


@proves(
    "Write a class when several methods share the layers, such as `encode` and "
    "`decode`, or when the model computes its own loss.",
    false_with={"is_class": False},
    needs="keras>=3",
)
def test_more_than_layers_wired(is_class=True):
    from snippets.subclassing import VariationalAutoencoder

    images = np.full((3, 2, 2, 1), 0.5, "float32")
    model = VariationalAutoencoder((2, 2, 1))
    if not is_class:
        x = keras.Input(shape=(2, 2, 1))
        model = keras.Model(x, model.call(x))
    model.compile(run_eagerly=True)
    assert {"encode", "decode"} <= set(dir(model))
    assert model.decode(model.encode(images)[0]).shape == images.shape
    assert model.evaluate(images, verbose=0, return_dict=True)["kl"] > 0


@proves(
    "A class gives up the graph, the record of which layer feeds which, since Keras "
    "learns what `call` does only by running it. A subclassed model has no picture of "
    "its layers, no `.input` until you call it on a `keras.Input`, and its `Dense` "
    "layers have no weights before the first call.",
    false_with={"functional": True},
)
def test_you_give_up_the_graph(functional=False):
    x = keras.Input(shape=(2,))
    model = keras.Model(x, keras.layers.Dense(3)(x)) if functional else Plain()
    assert model.weights == []
    model(X)
    with pytest.raises((AttributeError, ValueError)):
        _ = model.input
    model(keras.Input(shape=(2,)))
    assert tuple(model.input.shape) == (None, 2)
    assert "layers" not in model.get_config()


@proves(
    "Make the weights in `build`, which gets the shape of the input, and compute "
    "in `call`. With the same weights, this layer gives what `Dense` gives, and "
    "it is trained and saved in the same way:",
    false_with={"options": {"activation": "relu"}},
    needs="keras>=3",
)
def test_linear_is_dense(options=()):
    """Also in half precision, on the steps of a sequence, and after a step of Adam."""
    from snippets.subclassing.layers import Linear

    for dtype, shape in (("float32", (4, 3)), ("mixed_float16", (4, 2, 3))):
        x = np.random.default_rng(0).normal(size=shape).astype("float32")
        models = []
        for layer in (
            Linear(5, dtype=dtype),
            keras.layers.Dense(5, dtype=dtype, **dict(options)),
        ):
            models.append(keras.Sequential([keras.Input(shape[1:]), layer]))
        mine, theirs = models
        assert np.array_equal(mine.get_weights()[1], theirs.get_weights()[1])
        theirs.set_weights(mine.get_weights())
        assert np.allclose(mine(x), theirs(x), atol=1e-6)
        for model in models:
            model.compile("adam", "mse")
            model.fit(x, np.ones((*shape[:-1], 5)), verbose=0)
        assert np.allclose(mine.get_weights()[0], theirs.get_weights()[0], atol=1e-5)
        assert mine(x).dtype == theirs(x).dtype
        assert np.array_equal(reloaded(mine)(x), mine(x))


def summary_of(model):
    """The text of `model.summary()`."""
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)


@proves(
    "The Functional model has its weights and shapes at once; on Keras 3 the "
    "subclassed one shows `0 (unbuilt)` weights until you call it, on data or on a "
    "`keras.Input`:",
    false_with={"functional": True},
    needs="keras>=3",
)
def test_summary_of_a_class_before_data(functional=False):
    x = keras.Input(shape=(2,))
    graph = keras.Model(x, keras.layers.Dense(3)(x))
    assert len(graph.weights) == 2
    assert "(None, 3)" in summary_of(graph)
    model = graph if functional else Plain()
    text = summary_of(model)
    assert "?" in text
    assert "0 (unbuilt)" in text
    for start in (X, keras.Input(shape=(2,))):
        model = Plain()
        model(start)
        assert "unbuilt" not in summary_of(model)


@proves(
    "With several inputs, call the model on what `call` takes, a list or a dict of "
    "Inputs.",
    false_with={"sizes": (4, 8)},
)
def test_several_inputs_are_a_list_or_a_dict(sizes=(8, 4)):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(1), keras.layers.Dense(1)

        def call(self, inputs):
            return self.first(inputs[0]) + self.second(inputs[1])

    class TwoNamed(Two):
        def call(self, inputs):
            return self.first(inputs["a"]) + self.second(inputs["b"])

    listed, named = Two(), TwoNamed()
    listed([keras.Input(shape=(size,)) for size in sizes])
    a, b = sizes
    named({"a": keras.Input(shape=(a,)), "b": keras.Input(shape=(b,))})
    for model in (listed, named):
        shapes = [tuple(weight.shape) for weight in model.weights]
        assert shapes == [(8, 1), (1,), (4, 1), (1,)]


# Which to write


@proves("a chain of layers | `keras.Sequential`", false_with={"units": 3})
def test_write_a_chain(units=1):
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(units)])
    assert model(X).shape == (3, 1)


@proves(
    "branches, shared layers, several inputs or outputs | a Functional model",
    false_with={"shared": False},
)
def test_write_branches(shared=True):
    a, b = keras.Input(shape=(2,)), keras.Input(shape=(2,))
    layer = keras.layers.Dense(3)
    other = layer if shared else keras.layers.Dense(3)
    first, second = layer(a), other(b)
    model = keras.Model([a, b], [keras.layers.Add()([first, second]), first])
    outputs = model([X, X])
    assert len(outputs) == 2
    assert len(model.weights) == 2


@proves(
    "as many blocks as an argument says | a Functional model in a Python loop, or a "
    "class",
    false_with={"depth": 5},
)
def test_write_a_loop(depth=4):
    class Deep(keras.Model):
        def __init__(self, depth):
            super().__init__()
            self.steps = [keras.layers.Dense(2) for _ in range(depth)]

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return x

    x = begin = keras.Input(shape=(2,))
    for _ in range(4):
        x = keras.layers.Dense(2)(x)
    model = Deep(depth)
    model(X)
    assert len(model.weights) == len(keras.Model(begin, x).weights) == 8


@proves(
    "weights or formulas that no layer offers | a subclass of `keras.Layer`, used "
    "in any model",
    false_with={"adds_weight": False},
    needs="keras>=3",
)
def test_write_a_layer(adds_weight=True):
    class Scale(keras.layers.Layer):
        def build(self, input_shape):
            shape = input_shape[-1:]
            of_weight = {"shape": shape, "initializer": "ones", "name": "by"}
            self.by = self.add_weight(**of_weight) if adds_weight else tf.ones(shape)

        def call(self, x):
            return x * self.by

    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.scale = Scale()

        def call(self, x):
            return self.scale(x)

    x = keras.Input(shape=(2,))
    models = keras.Sequential([x, Scale()]), keras.Model(x, Scale()(x)), Subclassed()
    for model in models:
        assert np.allclose(model(X), X)
        assert len(model.trainable_weights) == 1


@proves(
    "methods such as `encode` and `decode`, your own loss | a subclass of "
    "`keras.Model`",
    false_with={"is_autoencoder": False},
    needs="keras>=3",
)
def test_write_a_model(is_autoencoder=True):
    from snippets.subclassing import DeepClassifier, VariationalAutoencoder

    model = VariationalAutoencoder if is_autoencoder else DeepClassifier
    assert issubclass(model, keras.Model)
    assert {"encode", "decode", "compute_loss"} <= set(vars(model))


def functional_subclass(mark=lambda cls: cls):
    """A subclass without `call`, given inputs and outputs."""

    @mark
    class Doubling(keras.Model):
        def double(self, x):
            return 2 * self(x)

    x = keras.Input(shape=(2,))
    return Doubling(x, keras.layers.Dense(3)(x))


@proves(
    "To have the graph too, write a subclass without `call`: made with `inputs` and"
    " `outputs`, it is a Functional model.",
    false_with={"make": Plain},
)
def test_a_subclass_can_be_functional(make=functional_subclass):
    model = make()
    assert "Functional" in [base.__name__ for base in type(model).__mro__]
    assert tuple(model.input.shape) == (None, 2)
    assert np.allclose(model.double(X), 2 * model(X))


@proves(
    "To save this model, register its class; it needs no `get_config`.",
    false_with={"mark": lambda cls: cls},
)
def test_a_functional_subclass_needs_no_get_config(mark=register):
    model = functional_subclass(mark)
    assert "get_config" not in vars(type(model))
    try:
        copy = reloaded(model)
    except (TypeError, ValueError):
        copy = None
    assert copy is not None
    assert np.allclose(copy.double(X), model.double(X), atol=1e-6)


# What it costs


class WithDropout(keras.Model):
    """A layer without weights between two with weights."""

    def __init__(self):
        super().__init__()
        self.first, self.last = keras.layers.Dense(4), keras.layers.Dense(1)
        self.drop = keras.layers.Dropout(0.5, name="dropped")

    def call(self, x, training=None):
        return self.last(self.drop(self.first(x)))


@proves(
    "weights before data | none | `model(keras.Input((64,)))`, or write `build`",
    false_with={"has_build": False},
)
def test_weights_before_data(has_build=True):
    class Built(Plain):
        def build(self, input_shape):
            if has_build:
                self.score.build(input_shape)
            self.built = True

    model, built = Plain(), Built()
    assert model.weights == []
    model(keras.Input(shape=(2,)))
    built.build((None, 2))
    assert len(model.weights) == len(built.weights) == 2


@proves(
    "`.input`, `.output` | raise an error | `model(keras.Input((64,)))`",
    false_with={"start": X},
)
def test_input_and_output_raise(start=None):
    model = Plain()
    model(X)
    for name in ("input", "output"):
        with pytest.raises((AttributeError, ValueError)):
            getattr(model, name)
    model(keras.Input(shape=(2,)) if start is None else start)

    def shape_of(name):
        try:
            return tuple(getattr(model, name).shape)
        except (AttributeError, ValueError):
            return None

    assert [shape_of("input"), shape_of("output")] == [(None, 2), (None, 3)]


def graph_of(model, run="call"):
    """A Functional model of what `call` does with an Input, or of a call as a whole."""
    x = keras.Input(shape=(2,), name="inputs")
    return keras.Model(x, getattr(model, run)(x))


@proves(
    "shapes in `summary()` | `?` for layers such as `Dropout`, even after a call; "
    "Keras 2 writes `multiple` | `summary()` of the Functional model from"
    " `call`",
    needs="keras>=3",
    keras=">=3.6",
)
def test_summary_says_question_mark():
    for start in (X, keras.Input(shape=(2,))):
        model = WithDropout()
        model(start)
        (line,) = [line for line in summary_of(model).split("\n") if "dropped" in line]
        assert "?" in line
    graph = summary_of(graph_of(WithDropout()))
    assert "(None, 4)" in graph
    assert "?" not in graph


@proves(
    "shapes in `summary()` | `?` for layers such as `Dropout`, even after a call; "
    "Keras 2 writes `multiple` | `summary()` of the Functional model from"
    " `call`",
    keras="<3",
)
def test_summary_says_multiple():
    model = WithDropout()
    model(X)
    assert summary_of(model).count("multiple") == 3


@proves(
    "a picture of the layers, as by `plot_model` | one layer | draw the Functional "
    "model from `call`",
    false_with={"run": "__call__"},
)
def test_a_picture_of_the_layers(run="call"):
    whole = graph_of(Plain(name="m"), "__call__")
    assert [layer.name for layer in whole.layers] == ["inputs", "m"]
    graph = graph_of(Plain(), run)
    assert [layer.name for layer in graph.layers] == ["inputs", "score"]


@proves(
    "features, the output of an inner layer | raises an error | take it from the "
    "Functional model from `call`",
    false_with={"run": "__call__"},
)
def test_features_of_the_graph(run="call"):
    model = WithDropout()
    model(X)
    with pytest.raises((AttributeError, ValueError)):
        _ = model.first.output
    graph = graph_of(model, run)
    features = keras.Model(graph.inputs, graph.layers[1].output)
    assert np.array(features(X)).shape == (3, 4)
    assert np.allclose(features(X), model.first(X), atol=1e-6)


# Saving is told of in the table, and proved with what comes later


@register
class Forgets(keras.Model):
    """Leaves its argument to Keras to remember."""

    def __init__(self, factor=1.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.score = keras.layers.Dense(1, kernel_initializer="ones")

    def call(self, x):
        return self.factor * self.score(x)


@register
class Kept(Forgets):
    """Remembers its argument itself."""

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


@proves(
    "saving as `.keras` | needs the class, and often `get_config` | write both",
    false_with={"mark": register},
    needs="keras>=3",
)
def test_keras_file_needs_the_class(mark=lambda cls: cls):
    @mark
    class Unknown(Kept):
        pass

    model = Unknown(factor=3.0)
    model(X)
    with pytest.raises((TypeError, ValueError)):
        reloaded(model)
    factors = []
    for kind in (Forgets, Kept):
        model = kind(factor=3.0)
        model(X)
        factors.append(reloaded(model).factor)
    assert factors == [1.0, 3.0]


@proves(
    "To get the graph, first build the model, by `model(x)`. Then run its method "
    "`call` on an Input: `keras.Model(inputs, model.call(inputs))` is a Functional "
    "model of the inner layers, while `keras.Model(inputs, model(inputs))` has the "
    "whole model as its only layer.",
    false_with={"run": "__call__"},
)
def test_call_on_an_input_gives_the_graph(run="call"):
    model = WithDropout()
    model(X)
    graph = graph_of(model, run)
    assert graph.layers[1:] == [model.first, model.drop, model.last]
    assert np.allclose(graph(X), model(X), atol=1e-6)
    assert graph_of(model, "__call__").layers[1:] == [model]


@proves(
    "The Functional model shares the layers of the class, with their trained weights.",
    false_with={"cloned": True},
    needs="keras>=3",
)
def test_the_layers_are_the_same(cloned=False):
    from snippets.subclassing import as_graph_of_layers

    model = Plain()
    graph = as_graph_of_layers(model, (2,))
    graph = keras.models.clone_model(graph) if cloned else graph
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, np.ones((3, 3)), verbose=0)
    assert graph.layers[1] is model.score
    assert np.allclose(graph(X), model(X), atol=1e-6)


@proves(
    "If the model's own `call` asks `if training:`, the Functional model always takes "
    "the branch of inference, without a warning.",
    false_with={"is_functional": False},
)
def test_an_if_is_inference_in_the_graph(is_functional=True):
    class Switches(Plain):
        def call(self, x, training=None):
            if training:
                return 0.0 * self.score(x) + 100.0
            return self.score(x)

    model = Switches()
    expected = np.array(model(X, training=False))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graph = graph_of(model) if is_functional else model
    assert caught == []
    assert np.allclose(model(X, training=True), 100.0)
    assert np.allclose(graph(X, training=True), expected, atol=1e-6)


@proves(
    "A weight that the class made by its own `add_weight`, outside of its layers, "
    "is missing in the Functional model, without an error; the recipe "
    "{recipe}`snippets.subclassing.as_graph_of_layers`, which makes this model, "
    "refuses such a class.",
    false_with={"is_outside": False},
    needs="keras>=3",
)
def test_a_weight_outside_is_left_out(is_outside=True):
    from snippets.subclassing import TiedAutoencoder, as_graph_of_layers

    model, x = TiedAutoencoder() if is_outside else Plain(), keras.Input(shape=(2,))
    model(x)
    assert model.weights != []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert keras.Model(x, model.call(x)).weights == []
    assert caught == []
    with pytest.raises(ValueError, match="use `as_one_layer`"):
        as_graph_of_layers(model, (2,))


@proves(
    "Make the Functional model only once: after a second `model.call(inputs)`, the "
    "`.output` of each inner layer still belongs to the first one, while "
    "`model(inputs)` leaves it as it is.",
    false_with={"anew": True},
    needs="keras>=3",
)
def test_the_first_graph_stays(anew=False):
    model = Plain()
    first = graph_of(model)
    tensor = model.score.output
    assert tensor is first.output
    model(first.inputs[0])
    assert model.score.output is tensor
    second = graph_of(Plain() if anew else model)
    assert second.layers[1].output is tensor
    assert second.output is not tensor
    assert message_of(lambda: keras.Model(second.inputs, tensor)(X))


# A layer, step by step


def recorder(made=1):
    """Layers that note which of their methods run, and the notes."""
    log = []

    class Recorder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            log.append("init")

        def build(self, input_shape):
            log.append(f"build {input_shape[-1]}")
            self.kernel = self.add_weight(shape=(input_shape[-1], 1), name="kernel")
            self.built = True

        def call(self, x):
            log.append("call")
            return tf.matmul(x, self.kernel)

    return [Recorder() for _ in range(made)], log


@proves(
    "Inside a `call` write `layer(x)`: `layer.call(x)` skips `build`.",
    false_with={"run": "__call__"},
)
def test_call_alone_skips_build(run="call"):
    (layer,), log = recorder()
    try:
        getattr(layer, run)(X)
    except AttributeError as error:
        log.append(str(error))
    assert "build 2" not in log
    assert "kernel" in log[-1]


# Layers inside layers


@proves(
    "Write blocks as `keras.Layer`, and what you train as `keras.Model`, which "
    "is a layer that also has `fit`, `evaluate`, `predict`, `summary` and `save`.",
    false_with={"other": keras.Model},
)
def test_a_model_is_a_layer_with_more(other=keras.layers.Layer):
    assert issubclass(keras.Model, keras.layers.Layer)
    for name in ("fit", "evaluate", "predict", "summary", "save"):
        assert hasattr(keras.Model, name)
        assert not hasattr(other, name)


class Bag:
    """A plain object that may hold a layer."""

    def __init__(self, layer):
        self.layer = layer


def holder(kind):
    """A layer that keeps another one in a container of some kind."""

    class Holder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            layer = keras.layers.Dense(1)
            self.held = {
                "attribute": layer,
                "list": [layer],
                "tuple": (layer,),
                "dict": {"a": layer},
                "nested": [{"a": (layer,)}],
                "object": Bag(layer),
                "lambda": lambda: layer,
            }[kind]

        def call(self, x):
            held = self.held
            if kind == "lambda":
                return held()(x)
            if kind == "object":
                return held.layer(x)
            return tf.nest.flatten(held)[0](x)

    layer = Holder()
    layer(X)
    return layer


@proves(
    "Keras finds and trains the layers that you put into attributes, and into "
    "lists, tuples and dicts, nested ones too.",
    false_with={"kinds": ("object",)},
)
def test_layers_are_found_in_containers(
    kinds=("attribute", "list", "tuple", "dict", "nested"),
):
    for kind in kinds:
        assert len(holder(kind).trainable_weights) == 2


@proves(
    "But before Keras 3.15, a file loses the weights of a layer in a list within a "
    "list, without an error: take one level.",
    keras="<3.15",
    false_with={"is_nested": False},
)
def test_nested_weights_were_lost(is_nested=True):
    @register
    class Nested(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            layer = keras.layers.Dense(1)
            self.held = [[layer]] if is_nested else [layer]

        def call(self, x):
            return tf.nest.flatten(self.held)[0](x)

    model, other = (
        keras.Sequential([keras.Input(shape=(2,)), Nested()]) for _ in range(2)
    )
    assert len(model.trainable_weights) == 2
    expected = np.array(model(X))
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/m.weights.h5")
        other.load_weights(f"{folder}/m.weights.h5")
    for loaded in (other, reloaded(model)):
        assert not np.allclose(loaded(X), expected)


@proves(
    "A layer in an object of a plain Python class, or in a variable outside of the "
    "model, is not found, and so neither trained nor saved.",
    false_with={"kinds": ("list",)},
)
def test_layers_are_not_found_elsewhere(kinds=("object", "lambda")):
    for kind in kinds:
        model, other = (
            keras.Sequential([keras.Input((2,)), holder(kind)]) for _ in range(2)
        )
        assert model.trainable_weights == []
        with tempfile.TemporaryDirectory() as folder:
            model.save_weights(f"{folder}/m.weights.h5")
            other.load_weights(f"{folder}/m.weights.h5")
        assert not np.allclose(other(X), model(X))


@proves(
    "Make layers in `__init__`, or in `build` if a size depends on the input. If "
    "the `build` of a model makes a `Dense`, it must also call the `build` of this "
    "`Dense`: otherwise Keras 3 does not load its weights from a file, without an "
    "error.",
    false_with={"builds": True},
    needs="keras>=3",
)
def test_made_in_build_and_not_built(builds=False):
    @register
    class Late(keras.Model):
        def build(self, input_shape):
            self.inner = keras.layers.Dense(3)
            if builds:
                self.inner.build(input_shape)

        def call(self, x):
            return self.inner(x)

    model, copy = Late(), Late()
    outputs = np.array(model(X))
    copy.build((None, 2))
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/m.weights.h5")
        copy.load_weights(f"{folder}/m.weights.h5")
    for loaded in (copy, reloaded(model)):
        assert not np.allclose(loaded(X), outputs)


# `training` and `mask`


def training_seen(has_argument, pass_on=False, first="fit"):
    """What a layer inside a model is told in `fit`, or another, and in `predict`."""
    seen = []

    class Inner(keras.layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    class Deep(keras.layers.Layer):
        def __init__(self, depth=2):
            super().__init__()
            self.parts = [Inner(), Deep(depth - 1) if depth else Inner()]

        def call(self, x):
            for part in self.parts:
                x = part(x)
            return x

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.score = Inner(), keras.layers.Dense(1)
            self.deep = Deep()

    class With(Outer):
        def call(self, x, training=None):
            x = self.inner(x, training=training) if pass_on else self.inner(x)
            return self.score(x)

    class Without(Outer):
        def call(self, x):
            return self.score(self.inner(x))

    model = With() if has_argument else Without()
    model(X)
    model.compile("sgd", "mse", run_eagerly=True)
    seen.clear()
    getattr(model, first)(X, Y, verbose=0)
    in_fit = set(seen)
    seen.clear()
    model.predict(X, verbose=0)
    return in_fit, set(seen)


def moving_mean(has_argument):
    """The moving mean and the outputs' spread after training on data that is 5."""

    class Base(keras.Model):
        def __init__(self):
            super().__init__()
            self.normalize = keras.layers.BatchNormalization(momentum=0.0)
            self.drop = keras.layers.Dropout(0.5)
            self.score = keras.layers.Dense(1)
            self.dropped = self.add_weight(
                shape=(), initializer="zeros", trainable=False, name="dropped"
            )

        def answer(self, x):
            x = self.normalize(x)
            kept = self.drop(tf.ones((1000,)))
            self.dropped.assign(tf.reduce_mean(tf.cast(kept == 0.0, "float32")))
            return self.score(x)

    class With(Base):
        def call(self, x, training=None):
            return self.answer(x)

    class Without(Base):
        def call(self, x):
            return self.answer(x)

    model = With() if has_argument else Without()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)
    return float(model.normalize.moving_mean[0]), float(np.array(model.dropped))


@proves(
    "Write `def call(self, x, training=None)` in every model that contains one of "
    "them.",
    keras=">=3",
)
def test_with_training_the_mean_is_learned():
    assert moving_mean(has_argument=False) == (0.0, 0.0)
    mean, dropped = moving_mean(has_argument=True)
    assert mean == 5.0
    assert 0.4 < dropped < 0.6


@proves(
    "`fit` then passes `True`, `evaluate` and `predict` pass `False`, and the value"
    " reaches every layer below, even if you do not pass it on.",
    false_with={"first": "evaluate"},
)
def test_training_reaches_every_layer(first="fit"):
    for pass_on in (True, False):
        seen = training_seen(has_argument=True, pass_on=pass_on, first=first)
        assert seen == ({True}, {False})
        judged, _ = training_seen(True, pass_on=pass_on, first="evaluate")
        assert judged == {False}


@proves(
    "In a layer that behaves differently in training, write `if training:`. A plain "
    "call, `model(x)`, counts as inference; for training mode write "
    "`model(x, training=True)`.",
    false_with={"options": {"training": True}},
    needs="keras>=3",
)
def test_a_plain_call_is_inference(options=None):
    told = []

    class Told(keras.layers.Layer):
        def call(self, x, training=None):
            told.append(training)
            return 2 * x if training else x

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Told()

        def call(self, x, training=None):
            return self.inner(x)

    model = Outer()
    plain = np.array(model(X, **(options or {})))
    assert told[-1] is None
    assert np.array_equal(plain, X)
    assert np.array_equal(model(X, training=True), 2 * X)


@proves(
    "Without the argument Keras 3 trains Dropout and BatchNormalization in inference "
    "mode: Dropout drops nothing, and BatchNormalization never learns the mean of the "
    "data.",
    keras=">=3",
    false_with={"has_argument": True},
)
def test_without_training_dropout_is_off(has_argument=False):
    assert moving_mean(has_argument) == (0.0, 0.0)


@proves(
    "Without the argument Keras 3 trains Dropout and BatchNormalization in inference "
    "mode: Dropout drops nothing, and BatchNormalization never learns the mean of the "
    "data.",
    keras="<3",
)
def test_without_training_dropout_was_on():
    mean, dropped = moving_mean(has_argument=False)
    assert mean == 5.0
    assert 0.4 < dropped < 0.6


@proves(
    "With `momentum=0.0` the moving mean is 5 after one step; in the first model it "
    "stays 0, without an error:",
    false_with={"second": "WithoutTraining"},
    needs="keras>=3",
)
def test_only_with_the_argument_the_mean_moves(second="WithTraining"):
    from snippets.subclassing import mistakes, models

    kinds = {**vars(models), **vars(mistakes)}
    means = []
    for kind in ("WithoutTraining", second):
        model = kinds[kind]()
        model.compile("sgd", "mse")
        x = np.full((8, 1), 5.0)
        model.fit(x, np.zeros((8, 1)), batch_size=8, epochs=1, verbose=0)
        means.append(float(np.array(model.normalize.moving_mean)[0]))
    assert means == [0.0, 5.0]


@proves(
    "Functional and Sequential models have the argument by themselves.",
    false_with={"trainable": False},
)
def test_functional_models_have_training(trainable=True):
    x = keras.Input(shape=(1,))
    for functional in (True, False):
        options = {"momentum": 0.0, "trainable": trainable}
        normalize = keras.layers.BatchNormalization(**options)
        score = keras.layers.Dense(1)
        chain = keras.Sequential([x, normalize, score])
        model = keras.Model(x, score(normalize(x))) if functional else chain
        model.compile("sgd", "mse", run_eagerly=True)
        model.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)
        assert float(normalize.moving_mean[0]) == 5.0


@proves(
    "A mask needs no argument in a model: what an `Embedding(mask_zero=True)` in "
    "`call` returns carries its mask to the next layer. For code of your own, ask for "
    "it: `mask = self.embedding.compute_mask(tokens)`.",
    false_with={"mask_zero": False},
)
def test_a_mask_goes_along_in_call(mask_zero=True):
    class Reader(keras.Model):
        def __init__(self):
            super().__init__()
            self.embedding = keras.layers.Embedding(9, 4, mask_zero=mask_zero)
            self.memory = keras.layers.LSTM(3)

        def call(self, tokens):
            mask = self.embedding.compute_mask(tokens)
            assert mask is not None
            masks.append(mask)
            return self.memory(self.embedding(tokens))

    masks = []
    model, tokens = Reader(), np.array([[1, 2, 0, 0], [3, 4, 5, 0]])
    outputs = np.array(model(tokens))
    assert np.array(masks[-1]).tolist() == (tokens != 0).tolist()
    short = np.array(model(tokens[:1, :2]))
    assert np.allclose(outputs[:1], short, atol=1e-6)
    model.compile("sgd", "mse")
    assert np.allclose(model.predict(tokens, verbose=0), outputs, atol=1e-5)


# State and losses


def counting(trainable=False):
    """A layer that counts its training steps, in a weight and in an attribute."""

    class Counting(keras.layers.Layer):
        def build(self, input_shape):
            self.steps = 0
            self.count = self.add_weight(
                shape=(), initializer="zeros", trainable=trainable, name="count"
            )

        def call(self, x, training=None):
            if training:
                self.steps += 1
                self.count.assign_add(1.0)
            return x

    return Counting()


def fit_ten_steps(layer, **options):
    """Train a model around the layer for ten steps."""
    model = keras.Sequential([keras.Input(shape=(2,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse", **options)
    model.fit(np.ones((10, 2)), np.ones((10, 1)), batch_size=1, verbose=0)
    return model


@proves(
    "`add_weight(trainable=False)` makes state that no optimizer changes and "
    "that is saved with the model.",
    false_with={"trainable": True},
)
def test_state_is_saved_and_not_trained(trainable=False):
    model = fit_ten_steps(counting(trainable), run_eagerly=True)
    assert len(model.trainable_weights) == 2
    assert len(model.non_trainable_weights) == 1
    assert np.array(model.non_trainable_weights[0]) == 10.0
    with tempfile.TemporaryDirectory() as folder:
        model.save_weights(f"{folder}/m.weights.h5")
        model.layers[0].count.assign(0.0)
        model.load_weights(f"{folder}/m.weights.h5")
    assert np.array(model.layers[0].count) == 10.0


@proves(
    "Change it with `assign` or `assign_add`. A plain attribute is no counter: "
    "`self.steps += 1` runs when the step is compiled, and not at each batch.",
    false_with={"name": "count"},
)
def test_a_plain_number_stands_still(name="steps"):
    layer = counting()
    fit_ten_steps(layer)
    assert np.array(layer.count) == 10.0
    assert np.array(getattr(layer, name)) < 5.0


@proves(
    'Count in integers, with `add_weight(..., dtype="int")`: a count in floats '
    "stops under `mixed_float16` or `float16`, where 2,048 + 1 is 2,048 again.",
    false_with={"dtype": None},
    needs="keras>=3",
)
def test_an_integer_counts_on(dtype="int"):
    class Counts(keras.layers.Layer):
        def build(self, input_shape):
            options = {"initializer": "zeros", "trainable": False}
            self.floats = self.add_weight(name="floats", shape=(), **options)
            self.calls = self.add_weight(name="calls", shape=(), dtype=dtype, **options)

        def call(self, x):
            for count in (self.floats, self.calls):
                count.assign_add(1)
            return x

    for policy in ("mixed_float16", "float16"):
        layer = Counts(dtype=policy)
        layer(X)
        for count in (layer.floats, layer.calls):
            count.assign(2048)
        layer(X)
        assert np.array(layer.floats) == 2048
        assert np.array(layer.calls) == 2049
    assert np.float16(2048) + np.float16(1) == np.float16(2048)


@proves(
    "A model can count in the same way.",
    false_with={"kind": "attribute"},
    needs="keras>=3",
)
def test_a_model_counts_too(kind="weight"):
    class Counts(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.layers.Dense(1)
            self.steps = 0
            if kind == "weight":
                options = {"initializer": "zeros", "trainable": False}
                self.steps = self.add_weight(shape=(), dtype="int", **options)

        def call(self, x, training=None):
            if training and kind == "weight":
                self.steps.assign_add(1)
            elif training:
                self.steps += 1
            return self.score(x)

    model, x, y = Counts(), np.ones((10, 2)), np.ones((10, 1))
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=2, verbose=0)
    before = int(np.array(model.steps))
    model.predict(x, verbose=0)
    model.fit(x, y, batch_size=2, epochs=2, verbose=0)
    assert int(np.array(model.steps)) - before == 10


class Penalty(keras.layers.Layer):
    """Adds the mean of its input to the loss."""

    def call(self, x):
        self.add_loss(tf.reduce_mean(x))
        return x


@proves(
    "`add_loss` adds a term to the loss that `compile` sets.",
    false_with={"layers": ()},
)
def test_add_loss_adds_a_term(layers=(Penalty,)):
    hand_through = keras.layers.Flatten()
    model = keras.Sequential([hand_through, *(layer() for layer in layers)])
    model.compile("sgd", "mse")
    target = X + 2.0  # a squared error of 4
    assert np.allclose(model.evaluate(X, target, verbose=0), 4.0 + X.mean())


@proves(
    "The penalty ignores `sample_weight`.",
    false_with={"weight": 1.0},
    needs="keras>=3",
)
def test_a_penalty_ignores_sample_weight(weight=0.0):
    from snippets.subclassing import ActivityPenalty

    model = keras.Sequential([keras.Input((2,)), ActivityPenalty(weight=2.0)])
    model.compile(loss="mse", run_eagerly=True)
    options = {"sample_weight": np.full(3, weight), "verbose": 0}
    loss = model.evaluate(X, X + 1.0, **options)
    assert np.isclose(loss, 2.0 * np.abs(X).mean())


@proves(
    "To add a term that follows `sample_weight` to the loss of `compile`, weight "
    "it in `compute_loss`, and add it to `super().compute_loss(x, y, y_pred, "
    "sample_weight)`.",
    false_with={"own": False},
    needs="keras>=3",
)
def test_sample_weight_reaches_compute_loss(own=True):
    class Added(keras.Model):
        def call(self, x):
            self.add_loss(keras.ops.mean(x))
            return x

    class Own(keras.Model):
        def call(self, x):
            return x

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **_):
            term = keras.ops.mean(x, axis=-1)
            term = term if sample_weight is None else term * sample_weight
            return super().compute_loss(x, y, y_pred, sample_weight) + keras.ops.mean(
                term
            )

    losses = []
    for weight in (1.0, 0.0):
        model = Own() if own else Added()
        model.compile(loss="mse")
        weights = np.full((len(X),), weight, "float32")
        losses.append(model.evaluate(X, X, sample_weight=weights, verbose=0))
    assert np.isclose(losses[0], X.mean())
    assert losses[1] == 0.0


@proves(
    'To penalize the weights of a layer, write `Dense(10, kernel_regularizer="l2")`.',
    false_with={"regularizer": None},
)
def test_a_regularizer_is_in_losses(regularizer="l2"):
    layer = keras.layers.Dense(10, kernel_regularizer=regularizer)
    model = keras.Sequential([keras.Input((2,)), layer, Penalty()])
    outputs = np.array(model(X))
    losses = sorted(float(np.array(loss)) for loss in model.losses)
    of_weights = 0.01 * np.sum(np.square(layer.get_weights()[0]))
    assert len(losses) == 2
    assert np.allclose(losses, sorted([of_weights, outputs.mean()]), atol=1e-6)


@proves(
    "For a metric of the model's own, make `self.size = "
    'keras.metrics.Mean(name="size")` in `__init__` and write '
    "`self.size.update_state(values)` in `call`: `fit` reports the mean over each "
    "epoch.",
    false_with={"updates": False},
    needs="keras>=3",
)
def test_a_model_reports_a_metric(updates=True):
    class Measured(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.layers.Dense(1)
            self.size = keras.metrics.Mean(name="size")

        def call(self, x):
            if updates:
                self.size.update_state(tf.abs(x))
            return self.score(x)

    data = np.array([[-1.0], [-5.0]] * 2, "float32") * np.ones((1, 2))
    options = {"batch_size": 1, "epochs": 2, "verbose": 0}
    for eagerly in (False, True):
        model = Measured()
        model(X)
        model.compile("sgd", "mse", run_eagerly=eagerly)
        history = model.fit(data, np.ones((4, 1)), **options).history
        assert history.get("size") == [3.0, 3.0]


# A loss of its own


def small_vae(base=None):
    """The compiled autoencoder of the page, or a subclass of it; and pixels."""
    from snippets.subclassing.models import SmallVAE

    keras.utils.set_random_seed(0)
    model = (base or SmallVAE)()
    model.compile(keras.optimizers.Adam(0.01))
    return model, np.linspace(0.0, 1.0, 6 * 64).reshape(6, 64).astype("float32")


@proves(
    "The loss of a variational autoencoder (VAE) needs several outputs: `call` returns "
    "all of them, and Keras passes them to `compute_loss` as `y_pred`.",
    false_with={"run": "predict"},
    needs="keras>=3",
)
def test_outputs_reach_compute_loss(run="evaluate"):
    from snippets.subclassing.models import SmallVAE

    passed = []

    class Noted(SmallVAE):
        def compute_loss(self, x=None, y=None, y_pred=None, *rest, **more):
            passed.append(y_pred)
            return super().compute_loss(x, y, y_pred, *rest, **more)

    model, x = small_vae(Noted)
    model.compile("adam", run_eagerly=True)
    getattr(model, run)(x, verbose=0)
    assert passed != []
    assert len(passed[-1]) == 3
    for value, output in zip(passed[-1], model(x), strict=True):
        assert np.allclose(value, output, atol=1e-6)


@proves(
    "Compile the model without a `loss`, and call `fit` with `x` alone:",
    false_with={"own": False},
    needs="keras>=3",
)
def test_compute_loss_is_the_whole_loss(own=True):
    from snippets.subclassing.models import SmallVAE

    class Default(SmallVAE):
        compute_loss = keras.Model.compute_loss

    model, x = small_vae(SmallVAE if own else Default)
    losses = [1.0, 1.0]
    try:
        losses[0] = model.evaluate(x, verbose=0)
        model.fit(x, epochs=20, verbose=0)
        losses[1] = model.evaluate(x, verbose=0)
    except ValueError:  # there is no loss
        losses = [1.0, 1.0]
    assert losses[1] < 0.9 * losses[0]


@proves(
    "`SmallVAE` ignores `sample_weight`; the recipe for images follows it, and reports "
    "both terms as metrics.",
    false_with={"weight": 1.0},
    needs="keras>=3",
)
def test_the_recipe_follows_sample_weight(weight=0.0):
    from snippets.subclassing import VariationalAutoencoder

    model, x = small_vae()
    weights = np.full(len(x), weight, "float32")
    options = {"sample_weight": weights, "verbose": 0, "return_dict": True}
    plain = model.evaluate(x, x, verbose=0)
    assert np.isclose(model.evaluate(x, x, **options)["loss"], plain)
    images = x.reshape(-1, 8, 8, 1)
    recipe = VariationalAutoencoder()
    recipe.compile("adam")
    found = recipe.evaluate(images, images, **options)
    assert {"reconstruction", "kl"} <= set(found)
    assert found["loss"] == 0.0


# Arguments


@proves(
    "Copy this class to write a model that can be saved and loaded:",
    false_with={"num_units": None},
    needs="keras>=3",
)
def test_the_pattern_comes_back(num_units=7):
    from snippets.subclassing.models import SaveableModel

    @register
    class Fixed(SaveableModel):
        def get_config(self):
            return keras.Model.get_config(self)

    model = Fixed(7) if num_units is None else SaveableModel(num_units, dropout=0.5)
    expected = np.array(model(X))
    try:
        copy = reloaded(model)
    except ValueError:
        copy = None
    assert copy is not None
    assert (copy.num_units, copy.dropout) == (7, 0.5)
    assert np.allclose(copy(X), expected, atol=1e-6)


@proves(
    "Of your class the file holds the name and the dict from `get_config()`, but "
    "no code: loading finds the class by its name, and passes the dict to "
    "`from_config`.",
    false_with={"weights_alone": True},
)
def test_a_file_holds_a_name_and_arguments(weights_alone=False):
    made = []

    @register
    class Noted(Kept):
        @classmethod
        def from_config(cls, config):
            made.append(config["factor"])
            return super().from_config(config)

    model = Noted(factor=3.0)
    model(X)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        with zipfile.ZipFile(f"{folder}/m.keras") as file:
            text = file.read("config.json").decode()
            names = file.namelist()
        if weights_alone:
            model.save_weights(f"{folder}/m.weights.h5")
            model.load_weights(f"{folder}/m.weights.h5")
        else:
            keras.models.load_model(f"{folder}/m.keras")
    assert not any(name.endswith((".py", ".pyc", ".pkl")) for name in names)
    assert '"class_name": "Noted"' in text
    assert '"factor": 3.0' in text
    assert made == [3.0]


@proves(
    "Register the class by `@keras.saving.register_keras_serializable`, so that Keras "
    "finds it by its name.",
    false_with={"mark": register},
)
def test_register_the_class(mark=lambda cls: cls):
    @mark
    class Unknown(keras.layers.Layer):
        def call(self, x):
            return x

    model = keras.Sequential([keras.Input(shape=(2,)), Unknown()])
    with pytest.raises((TypeError, ValueError)):
        reloaded(model)
    register(Unknown)
    assert isinstance(reloaded(model).layers[0], Unknown)


@proves(
    "The name in the file begins with `package`: write that of your project, and keep "
    "it, or old files no longer load.",
    false_with={"later": "mine"},
    needs="keras>=3.6",
)
def test_the_package_is_kept(later="other"):
    class Named(keras.layers.Layer):
        def call(self, x):
            return x

    def register_under(package):
        return keras.utils.register_keras_serializable(package=package)(Named)

    register_under("mine")
    model = keras.Sequential([keras.Input((2,)), Named()])
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        with zipfile.ZipFile(f"{folder}/m.keras") as file:
            assert '"mine>Named"' in file.read("config.json").decode()
        del keras.utils.get_custom_objects()["mine>Named"]  # as in a new process
        register_under(later)
        problem = message_of(lambda: keras.models.load_model(f"{folder}/m.keras"))
    assert "Could not locate class 'Named'" in problem


@proves(
    "A custom loss or metric of `compile` needs registering too; otherwise pass it "
    "in `custom_objects`, or load with `compile=False`.",
    false_with={"mark": register},
    needs="keras>=3",
)
def test_a_custom_loss_is_registered_too(mark=lambda function: function):
    @mark
    def distance(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred), axis=-1)

    for options in ({"loss": distance}, {"loss": "mse", "metrics": [distance]}):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", **options)
        model.fit(X, Y, verbose=0)
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/m.keras")
            load = functools.partial(keras.models.load_model, f"{folder}/m.keras")
            assert "Could not locate function 'distance'" in message_of(load)
            loaded = load(compile=False)
            whole = load(custom_objects={"distance": distance})
        assert np.allclose(loaded(X), model(X), atol=1e-6)
        expected = model.evaluate(X, Y, verbose=0)
        assert np.allclose(whole.evaluate(X, Y, verbose=0), expected, atol=1e-6)


def layer_class(takes_kwargs):
    """A registered layer that takes `name` and the rest, or does not."""

    class Base(keras.layers.Layer):
        def call(self, x):
            return x

        def get_config(self):
            return super().get_config()

    class Open(Base):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

    class Closed(Base):
        def __init__(self):
            super().__init__()

    return register(Open if takes_kwargs else Closed)


@proves(
    "Take `**kwargs` and pass them to `super().__init__`, because the dict also "
    "holds `name`, `trainable` and `dtype`.",
    false_with={"takes": True},
)
def test_take_kwargs(takes=False):
    cls = layer_class(takes_kwargs=takes)
    config = cls().get_config()
    assert {"name", "trainable", "dtype"} <= set(config)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        cls(**config)
    assert layer_class(takes_kwargs=True)(**config).name == config["name"]


@proves(
    "Return each argument in `get_config`, under its name in `__init__`.",
    false_with={"make": Forgets},
    needs="keras>=3",
)
def test_with_get_config_arguments_stay(make=Kept):
    model = make(factor=3.0)
    outputs, copy = model(X), reloaded(model)
    assert copy.factor == 3.0
    assert np.allclose(copy(X), outputs)


@proves(
    "If an argument is a layer, return `keras.saving.serialize_keras_object(layer)`, "
    "and turn it back in `from_config`, as `Residual` does.",
    false_with={"turns_back": False},
    needs="keras>=3",
)
def test_serialize_layers_that_are_arguments(turns_back=True):
    from snippets.subclassing import Residual

    @register
    class Careless(Residual):
        @classmethod
        def from_config(cls, config):
            return cls(**config)

    block = Residual if turns_back else Careless
    layer = block(keras.layers.Dense(2, activation="tanh"))
    model = keras.Sequential([keras.Input((2,)), layer])
    assert isinstance(layer.get_config()["inner"], dict)
    try:
        copy = reloaded(model)
    except (TypeError, ValueError):
        copy = None
    assert copy is not None
    assert copy.layers[0].inner.activation is keras.activations.tanh
    assert np.allclose(copy(X), model(X), atol=1e-6)


class Unwritten(keras.layers.Layer):
    """A layer that leaves its config to Keras."""

    def __init__(self, units=1, rate=0.0, mode="a", **kwargs):
        super().__init__(**kwargs)


class Written(Unwritten):
    """A layer that writes a config, and forgets its arguments in it."""

    def get_config(self):
        return {"name": self.name}


@proves(
    "Without `get_config`, a layer saves its arguments by itself if they are numbers "
    "or strings.",
    false_with={"make": Written},
)
def test_layers_remember_plain_arguments(make=Unwritten):
    config = make(5, rate=0.5, mode="b").get_config()
    found = [config.get(name) for name in ("units", "rate", "mode")]
    assert found == [5, 0.5, "b"]


@functools.cache
def forgotten_argument():
    """The factor that the copy of a model made with 3.0 has, and both outputs."""
    model = Forgets(factor=3.0)
    outputs = np.array(model(X))
    copy = reloaded(model)
    return (
        type(model).from_config(model.get_config()).factor,
        outputs,
        np.array(copy(X)),
    )


@proves(
    "A model does not, on Keras 3: without `get_config`, an argument with a "
    "default has that default again after loading.",
    keras=">=3",
)
def test_arguments_come_back_as_defaults():
    assert forgotten_argument()[0] == 1.0


@proves(
    "A model does not, on Keras 3: without `get_config`, an argument with a "
    "default has that default again after loading.",
    keras="<3",
)
def test_arguments_were_remembered():
    factor, outputs, copied = forgotten_argument()
    assert factor == 3.0
    assert np.allclose(outputs, copied)


@register
class ForgetsSize(keras.Model):
    """Leaves a size to Keras to remember."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.score = keras.layers.Dense(units)

    def call(self, x):
        return self.score(x)


@proves(
    "If the lost argument is a number to multiply by, the outputs differ without "
    "an error; if it is a size, loading raises one.",
    keras=">=3",
)
def test_the_file_gives_other_outputs():
    _, outputs, copied = forgotten_argument()
    assert np.allclose(outputs, 3.0 * copied)
    for units in (1, 3, 7):
        model = ForgetsSize(units)
        model(X)
        with pytest.raises(ValueError):
            reloaded(model)


@register
class Needs(Forgets):
    """Leaves an argument without a default to Keras to remember."""

    def __init__(self, factor, **kwargs):
        super().__init__(factor, **kwargs)


def raises_when(kind):
    """When a model raises an error whose argument is left to Keras to remember."""
    model = kind(3.0)
    model(X)
    with tempfile.TemporaryDirectory() as folder:
        if message_of(lambda: model.save(f"{folder}/m.keras")):
            return "saving"
        if message_of(lambda: keras.models.load_model(f"{folder}/m.keras")):
            return "loading"
    return "never"


@proves(
    "If such a model has an argument without a default, saving raises an error "
    "since Keras 3.12, and on older versions of Keras 3 loading does.",
    keras=">=3.12",
)
def test_no_default_raises_at_saving():
    assert raises_when(Forgets) == "never"
    assert raises_when(Needs) == "saving"


@proves(
    "If such a model has an argument without a default, saving raises an error "
    "since Keras 3.12, and on older versions of Keras 3 loading does.",
    keras=">=3,<3.12",
)
def test_no_default_raised_at_loading():
    assert raises_when(Forgets) == "never"
    assert raises_when(Needs) == "loading"


# Saving, four ways


@proves(
    "`.keras` | class name, arguments, weights, optimizer | the class, imported before",
    false_with={"compiled": False},
    needs="keras>=3",
)
def test_keras_file_holds_the_optimizer(compiled=True):
    model = Kept(factor=3.0)
    model.compile("adam", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        copy = keras.models.load_model(f"{folder}/m.keras", compile=compiled)
    assert copy.factor == 3.0
    assert np.allclose(copy(X), model(X), atol=1e-6)
    optimizer = getattr(copy, "optimizer", None)
    assert np.array(getattr(optimizer, "iterations", 0)) == 1


@proves(
    "`.weights.h5` | weights, optimizer | a built model of the same class and "
    "arguments",
    keras=">=3.7",
)
def test_weights_need_a_built_model():
    with tempfile.TemporaryDirectory() as folder:
        model, path = trained_weights(folder)
        copy = Plain()
        with pytest.raises(ValueError, match="has not yet been built"):
            copy.load_weights(path)
        copy(X)
        copy.load_weights(path)
        assert np.allclose(copy(X), model(X))
    assert steps_after_loading(build_optimizer=True) == (3, False)


@functools.cache
def in_a_fresh_process():
    """What three forms of one model give in a process that has just started.

    `alone` is what the SavedModel gives there as long as nothing but TensorFlow is
    imported, and `unread` is what a model of the same class gives that has read none.
    """
    from snippets.processes import run_python
    from snippets.subclassing import DeepClassifier

    model = DeepClassifier(num_classes=3, num_blocks=2, num_units=4)
    expected = np.array(model(X))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        model.save_weights(f"{folder}/m.weights.h5")
        model.export(f"{folder}/m", verbose=False)
        run_python(
            f"""
import sys
import numpy as np
import tensorflow as tf
x = np.array({X.tolist()}, "float32")
saved_model = tf.saved_model.load({folder!r} + "/m")  # no class is known yet
alone = np.array(saved_model.serve(x))
was_known = "snippets.subclassing" in sys.modules
import keras
try:
    keras.saving.load_model({folder!r} + "/m.keras")
    problem = ""
except TypeError as error:
    problem = str(error)
from snippets.subclassing import DeepClassifier
from_weights, unread = (
    DeepClassifier(num_classes=3, num_blocks=2, num_units=4) for _ in range(2)
)
from_weights(x)
from_weights.load_weights({folder!r} + "/m.weights.h5")
whole = keras.saving.load_model({folder!r} + "/m.keras")
np.savez(
    {folder!r} + "/outputs.npz", alone=alone, problem=problem, was_known=was_known,
    unread=unread(x), keras=whole(x), weights=from_weights(x),
)
"""
        )
        with np.load(f"{folder}/outputs.npz") as saved:
            return expected, {name: saved[name] for name in saved}


@proves(
    "`export`, a SavedModel | weights and the compiled `call` | TensorFlow "
    "alone, no class",
    false_with={"form": "unread"},
    needs="keras>=3.6",
)
def test_saved_model_needs_no_class(form="alone"):
    expected, outputs = in_a_fresh_process()
    assert not outputs["was_known"]
    assert np.allclose(outputs[form], expected, atol=1e-6)


@proves(
    "`get_config` | class arguments | the class; its weights are new",
    false_with={"trained": False},
    needs="keras>=3",
)
def test_a_config_holds_no_weights(trained=True):
    model = Kept(factor=3.0)
    before = np.array(model(X))
    if trained:
        model.score.kernel.assign([[5.0], [6.0]])
    copy = Kept.from_config(model.get_config())
    assert copy.factor == 3.0
    assert np.allclose(copy(X), before)
    assert not np.allclose(copy(X), model(X))


@proves(
    "In a new process the first three give the same outputs as before.",
    false_with={"forms": ("unread",)},
    needs="keras>=3.6",
)
def test_three_ways_in_a_fresh_process(
    forms=("keras", "weights", "alone"),
):
    expected, outputs = in_a_fresh_process()
    for form in forms:
        assert np.allclose(outputs[form], expected, atol=1e-6)


# From Keras 2 to Keras 3


@proves(
    "On Keras 3 `add_weight` takes its name as a keyword.",
    keras=">=3",
)
def test_name_is_a_keyword():
    layer = keras.layers.Layer()
    with pytest.raises((TypeError, ValueError)):
        layer.add_weight("kernel", shape=(2, 1))
    assert tuple(layer.add_weight(name="kernel", shape=(2, 1)).shape) == (2, 1)


@proves(
    "On Keras 3 `add_weight` takes its name as a keyword.",
    keras="<3",
)
def test_name_could_come_first():
    layer = keras.layers.Layer()
    assert tuple(layer.add_weight(name="kernel", shape=(2, 1)).shape) == (2, 1)
    try:
        shape = tuple(layer.add_weight("kernel", shape=(2, 1)).shape)
    except (TypeError, ValueError):
        shape = None
    assert shape == (2, 1)


class PythonIf(keras.layers.Layer):
    """Asks a tensor a question in Python."""

    def call(self, x):
        if tf.reduce_sum(x) > 0:
            return x
        return -x


def on_an_input(layer):
    """The shape that a layer makes of an Input, or what it says against it."""
    try:
        return tuple(layer(keras.Input(shape=(2,))).shape)
    except Exception as error:  # its type differs by version
        return str(error)


@proves(
    "A Python `if` on a tensor raises, because Keras 3 no longer rewrites `call` "
    "by AutoGraph.",
    keras="<3",
)
def test_autograph_on_keras_2():
    assert on_an_input(PythonIf()) == (None, 2)
    x = keras.Input(shape=(2,))
    model = keras.Model(x, PythonIf()(x))
    assert np.allclose(model.predict(-X, verbose=0), X)


@proves(
    "A Python `if` on a tensor raises, because Keras 3 no longer rewrites `call` "
    "by AutoGraph.",
    keras=">=3",
)
def test_no_autograph_on_keras_3():
    with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
        PythonIf()(keras.Input(shape=(2,)))


class HoldsVariable(keras.layers.Layer):
    """Keeps its weights in a variable of TensorFlow, of Keras, or of its own making."""

    def __init__(self, kind="tf"):
        super().__init__()
        if kind == "tf":
            self.kernel = tf.Variable(tf.ones((2, 1)))
        elif kind == "keras":
            self.kernel = keras.Variable(np.ones((2, 1), "float32"))
        else:
            self.kernel = self.add_weight(shape=(2, 1), initializer="ones")

    def call(self, x):
        return tf.matmul(x, tf.convert_to_tensor(self.kernel))


@proves(
    "On Keras 3 a `tf.Variable` in a layer is **no weight**, and nothing is said: "
    "it is neither trained nor counted nor put into a `.keras` or `.weights.h5` "
    "file.",
    keras=">=3",
)
def test_a_tf_variable_is_lost():
    model = keras.Sequential([HoldsVariable(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    kernel = model.layers[0].kernel
    assert np.array_equal(kernel, [[1.0], [1.0]])
    assert model.count_params() == 2
    with tempfile.TemporaryDirectory() as folder:
        for save, file in (
            (model.save_weights, "m.weights.h5"),
            (model.save, "m.keras"),
        ):
            save(f"{folder}/{file}")
            kernel.assign([[5.0], [5.0]])
            model.load_weights(f"{folder}/{file}")
            assert np.array_equal(kernel, [[5.0], [5.0]])
            kernel.assign([[1.0], [1.0]])


@proves(
    "On Keras 3 a `tf.Variable` in a layer is **no weight**, and nothing is said: "
    "it is neither trained nor counted nor put into a `.keras` or `.weights.h5` "
    "file.",
    keras="<3",
)
def test_a_tf_variable_was_found():
    model = keras.Sequential([HoldsVariable(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.layers[0].kernel, [[1.0], [1.0]])
    assert model.count_params() == 4


@proves(
    "Use `self.add_weight` or `keras.Variable`.",
    false_with={"kinds": ("tf",)},
    needs="keras>=3",
)
def test_add_weight_and_variable_are_found(kinds=("add_weight", "keras")):
    for kind in kinds:
        layer = HoldsVariable(kind)
        layer(X)
        assert len(layer.trainable_weights) == 1


# Errors


def message_of(run):
    """What a call raises, in one line, without the backticks."""
    try:
        run()
    except Exception as error:
        return " ".join(str(error).replace("`", "").split())
    return ""


@proves(
    "Call it in `__init__` before you set any attribute.",
    false_with={"first": True},
    keras=">=3",
)
def test_super_comes_first(first=False):
    class MyLayer(keras.layers.Layer):
        def __init__(self):
            if first:
                super().__init__()
            self.score = keras.layers.Dense(1)

        def call(self, x):
            return self.score(x)

    class MyModel(keras.Model):
        def __init__(self):
            if first:
                super().__init__()
            self.score = keras.layers.Dense(1)

        def call(self, x):
            return self.score(x)

    for kind in (MyLayer, MyModel):
        assert message_of(lambda kind=kind: kind()(X)) == (
            f"In layer '{kind.__name__}', you forgot to call super().__init__() as the "
            "first statement in the __init__() method. Go add it!"
        )


@proves(
    "`load_weights` raises this error: layers such as `Dense` make their weights at "
    "the first call, so before it there is nothing to fill. Call the model on an "
    "Input, `model(keras.Input((64,)))`, then load.",
    keras=">=3.7",
    false_with={"calls": True},
)
def test_loading_into_an_unbuilt_model(calls=False):
    with tempfile.TemporaryDirectory() as folder:
        model, path = trained_weights(folder)
        copy, other = Plain(), Plain()
        if calls:
            copy(X[:1])
        assert message_of(lambda: copy.load_weights(path)) == (
            "You are loading weights into a model that has not yet been built. Try "
            "building the model first by calling it on some data or by using build()."
        )
        other(keras.Input((2,)))
        other.load_weights(path)
        assert np.allclose(other(X), model(X), atol=1e-6)


@proves(
    "`model.save` only warns, and writes a file without weights.",
    false_with={"calls": 1},
)
def test_an_unbuilt_model_is_saved_without_weights(calls=0):
    model = Kept()
    for _ in range(calls):
        model(X)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        copy = reloaded(model)
    texts = [str(warning.message) for warning in caught]
    assert any("saving a model that has not yet been built" in text for text in texts)
    assert copy.weights == []


@proves(
    "`model.build((None, 64))` is no cure on Keras 3 if your class has no "
    "`build`: it warns, makes no weights, and marks the model as built, so "
    "`load_weights` loads nothing, without an error.",
    keras=">=3",
)
def test_build_makes_no_weights():
    class Written(Plain):
        def build(self, input_shape):
            self.score.build(input_shape)

    model, written = Plain(), Written()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.build((None, 64))
    assert any("does not have a `build()` method" in str(w.message) for w in caught)
    assert model.built
    with tempfile.TemporaryDirectory() as folder:
        trained, path = trained_weights(folder)
        model.load_weights(path)
    assert model.weights == []
    assert not np.allclose(model(X), trained(X))
    written.build((None, 64))
    assert len(written.weights) == 2


@proves(
    "In a `build(self, input_shape)` of your own, build each layer with the shape of "
    "its input: `self.hidden.build(input_shape)`, `self.scores.build((None, 32))`.",
    false_with={"size": 63},
    needs="keras>=3",
)
def test_a_build_of_its_own(size=64):
    class Built(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(32, "relu")
            self.scores = keras.layers.Dense(10, "softmax")

        def build(self, input_shape):
            self.hidden.build(input_shape)
            self.scores.build((None, 32))

        def call(self, x):
            return self.scores(self.hidden(x))

    model = Built()
    model.build((None, size))
    shapes = [tuple(weight.shape) for weight in model.weights]
    assert shapes == [(64, 32), (32,), (32, 10), (10,)]
    assert model(np.ones((2, 64))).shape == (2, 10)


@proves(
    "It was called on data, never on a `keras.Input`: call "
    "`model(keras.Input((64,)))`.",
    false_with={"start": X},
)
def test_called_on_an_input_it_has_one(start=None):
    model = Plain()
    model(X)
    with pytest.raises((AttributeError, ValueError)):
        _ = model.input
    model(keras.Input(shape=(2,)) if start is None else start)
    assert tuple(getattr(model, "_inbound_nodes", ())) != ()
    assert tuple(model.input.shape) == (None, 2)


@proves(
    "Import the module of the registered class, in a notebook run its cell. If the "
    "class was not registered when the file was saved, pass "
    '`custom_objects={"MyModel": MyModel}`.',
    needs="keras>=3.6",
    keras=">=3.13",
    false_with={"passed": False},
)
def test_a_class_is_located_by_its_registration(passed=True):
    class MyModel(Kept):
        pass

    model = MyModel()
    model(X)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")

        def load(**options):
            return keras.models.load_model(f"{folder}/m.keras", **options)

        assert (
            "Could not locate class 'MyModel'. Make sure custom classes and functions "
            "are decorated with @keras.saving.register_keras_serializable(). If they "
            "are already decorated, make sure they are all imported so that the "
            "decorator is run before trying to load them."
        ) in message_of(load)
        known = {"MyModel": MyModel} if passed else {}
        assert message_of(lambda: load(custom_objects=known)) == ""
        register(MyModel)
        model.save(f"{folder}/m.keras")
        name = keras.utils.get_registered_name(MyModel)
        del keras.utils.get_custom_objects()[name]  # as in a new process
        assert "Could not locate class 'MyModel'" in message_of(load)
        register(MyModel)  # as its module or its cell does
        assert message_of(load) == ""
    _, outputs = in_a_fresh_process()
    assert "Could not locate class 'DeepClassifier'" in str(outputs["problem"])


@proves(
    "If its package has changed since, pass the name that the file has as the "
    'key, such as `"old>MyModel"`.',
    false_with={"key": "MyModel"},
    needs="keras>=3.6",
)
def test_the_key_is_the_name_in_the_file(key="old>MyModel"):
    class MyModel(Kept):
        pass

    def register_under(package):
        keras.utils.register_keras_serializable(package=package)(MyModel)

    register_under("old")
    model = MyModel(factor=3.0)
    expected = np.array(model(X))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        del keras.utils.get_custom_objects()["old>MyModel"]  # as in a new process
        register_under("new")
        load = functools.partial(keras.models.load_model, f"{folder}/m.keras")
        assert "'registered_name': 'old>MyModel'" in message_of(load)
        known = {key: MyModel}
        assert message_of(lambda: load(custom_objects=known)) == ""
        assert np.allclose(load(custom_objects=known)(X), expected, atol=1e-6)


@proves(
    "From an `.h5` file the words are `Unknown layer: 'MyLayer'`; the cures are "
    "the same.",
    false_with={"passed": False},
)
def test_an_unknown_layer_in_h5(passed=True):
    class MyLayer(keras.layers.Layer):
        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((2,)), MyLayer()])
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.h5")

        def load(**options):
            return keras.models.load_model(f"{folder}/m.h5", **options)

        assert "Unknown layer: 'MyLayer'" in message_of(load)
        known = {"MyLayer": MyLayer} if passed else {}
        assert message_of(lambda: load(custom_objects=known)) == ""


@proves(
    "When a file cannot be loaded, the message repeats the whole configuration: "
    "read only what follows the last *Exception encountered*.",
    false_with={"mark": register},
    needs="keras>=3",
)
def test_read_the_last_exception(mark=lambda cls: cls):
    @mark
    class Nowhere(keras.layers.Layer):
        def call(self, x):
            return x

    model = keras.Sequential([keras.Input((2,)), Nowhere()])
    with pytest.raises(TypeError) as raised:
        reloaded(model)
    message = str(raised.value)
    assert len(message) > 1000
    assert "config=" in message
    last = message.rpartition("Exception encountered: ")[2]
    assert last.startswith("Could not locate class 'Nowhere'")


@proves(
    "A layer raises it for an argument such as an array or another layer.",
    false_with={"argument": 2.0},
    needs="keras!=3.11.*",
)
def test_arrays_need_a_config(argument=X):
    class Weighted(keras.layers.Layer):
        def __init__(self, factors, **kwargs):
            super().__init__(**kwargs)
            self.factors = np.array(factors)

    class Written(Weighted):
        def get_config(self):
            return {**super().get_config(), "factors": self.factors.tolist()}

    with pytest.raises(NotImplementedError, match="non-serializable argument values"):
        Weighted(argument).get_config()
    copy = Written.from_config(Written(X).get_config())
    assert np.array_equal(copy.factors, X)


@proves(
    "Since Keras 3.12 a model raises it for any argument without a default, a "
    "number too.",
    keras=">=3.12",
)
def test_a_number_is_called_non_serializable():
    model = Needs(3.0)
    model(X)
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.raises(NotImplementedError) as raised,
    ):
        model.save(f"{folder}/m.keras")
    assert "non-serializable argument values" in " ".join(str(raised.value).split())


@proves(
    "Or `'name'` or `'dtype'`: `__init__` takes no `**kwargs`; add them and pass "
    "them to `super().__init__(**kwargs)`.",
    false_with={"mistake": True},
)
def test_kwargs_are_handed_on(mistake=False):
    closed = layer_class(takes_kwargs=mistake)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        closed.from_config(closed().get_config())
    opened = layer_class(takes_kwargs=True)
    assert opened.from_config(opened(name="a").get_config()).name == "a"


class TakesTwo(keras.Model):
    """Adds two inputs, which it takes as two arguments or as one."""

    def __init__(self):
        super().__init__()
        self.score = keras.layers.Dense(1)

    def call(self, a, b):
        return self.score(a + b)


class Unpacks(TakesTwo):
    """Takes both inputs as one list or dict."""

    def call(self, inputs):
        a, b = inputs.values() if isinstance(inputs, dict) else inputs
        return self.score(a + b)


def fitted(model, inputs):
    """Train for one epoch."""
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(inputs, Y, verbose=0)


@proves(
    "`TypeError: missing a required argument: 'b'` comes from `def call(self, a, "
    "b)`: `fit` passes all inputs as one argument.",
    false_with={"kind": Unpacks},
    keras=">=3",
)
def test_fit_passes_one_argument(kind=TakesTwo):
    for inputs in ([X, X], {"a": X, "b": X}):
        message = message_of(lambda inputs=inputs: fitted(kind(), inputs))
        assert message == "missing a required argument: 'b'"
    assert np.array(TakesTwo()(X, X)).shape == (3, 1)


@proves(
    "Write `def call(self, inputs)` and `a, b = inputs`, or take them from a dict.",
    false_with={"kind": TakesTwo},
)
def test_unpack_the_inputs(kind=Unpacks):
    for inputs in ([X, X], {"a": X, "b": X}):
        assert message_of(lambda inputs=inputs: fitted(kind(), inputs)) == ""


class MakesLayers(keras.Model):
    """Makes a layer at every call, and keeps it or not."""

    def __init__(self, keep=False):
        super().__init__()
        self.keep = keep

    def call(self, x):
        layer = keras.layers.Dense(1)
        if self.keep:
            self.layer = layer
        return layer(x)


@proves(
    "Your `call` makes a new layer or variable at each call. If it stores it "
    "in `self`, Keras 3 says `You cannot add new elements of state (variables or "
    "sub-layers) to a layer that is already built.`",
    false_with={"make": Kept},
)
def test_layers_in_call_raise_in_fit(make=MakesLayers):
    model = make()
    model.compile("sgd", "mse")
    said = "tf.function only supports singleton tf.Variables created on the first call"
    assert said in message_of(lambda: model.fit(X, Y, verbose=0))
    assert not np.allclose(model(X), model(X))


@proves(
    "Your `call` makes a new layer or variable at each call. If it stores it "
    "in `self`, Keras 3 says `You cannot add new elements of state (variables or "
    "sub-layers) to a layer that is already built.`",
    keras=">=3",
    false_with={"keep": False},
)
def test_state_in_call_is_refused(keep=True):
    with pytest.raises(ValueError) as raised:
        MakesLayers(keep)(X)
    assert "add new elements of state (variables or sub-layers) to a layer" in str(
        raised.value
    )


@proves(
    "A Functional model takes such a layer without an error, and never trains it.",
    false_with={"make": Kept},
    needs="keras>=3",
)
def test_layers_in_call_are_not_counted(make=MakesLayers):
    x = keras.Input(shape=(2,))
    model = keras.Model(x, make()(x))
    assert model.trainable_weights == []


@proves(
    "`call` asks `if` of a tensor: write `keras.ops.where` or `keras.ops.cond`.",
    false_with={"ways": ("if",)},
    needs="keras>=3",
)
def test_where_instead_of_if(ways=("where", "cond")):
    def negated_by(way):
        def call(self, x):
            is_positive = keras.ops.sum(x) > 0
            if way == "where":
                return keras.ops.where(is_positive, x, -x)
            if way == "cond":
                return keras.ops.cond(is_positive, lambda: x, lambda: -x)
            return x if is_positive else -x

        return type("Negated", (keras.layers.Layer,), {"call": call})()

    assert "as a Python `bool` is not allowed" in on_an_input(negated_by("if"))
    for way in ways:
        assert on_an_input(negated_by(way)) == (None, 2)
        assert np.allclose(negated_by(way)(-X), X)


@proves(
    "Called on an array the same layer works, so test a layer on a `keras.Input` too.",
    false_with={"start": keras.Input},
)
def test_both_mistakes_work_on_arrays(start=tf.ones):
    class StaticSize(keras.layers.Layer):
        def call(self, x):
            return x + tf.ones((x.shape[0], 2))

    x = start((2, 2)) if start is tf.ones else start(shape=(2,))
    try:
        shapes = [tuple(layer(x).shape) for layer in (PythonIf(), StaticSize())]
    except Exception as error:
        shapes = [type(error).__name__]
    assert shapes == [(2, 2), (2, 2)]


@proves(
    "`call` uses `x.shape[0]` before the batch size is known: write "
    "`keras.ops.shape(x)[0]`.",
    false_with={"is_dynamic": False},
    needs="keras>=3",
)
def test_ops_shape_instead_of_shape(is_dynamic=True):
    class Ones(keras.layers.Layer):
        def __init__(self, is_dynamic):
            super().__init__()
            self.is_dynamic = is_dynamic

        def call(self, x):
            size = keras.ops.shape(x)[0] if self.is_dynamic else x.shape[0]
            return x + keras.ops.ones((size, 2))

    assert "Expected int32, but got None" in on_an_input(Ones(is_dynamic=False))
    assert on_an_input(Ones(is_dynamic)) == (None, 2)

"""Proofs of the Subclassing guide."""

import functools
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
Y = np.array([[1.0], [0.0], [2.0]], "float32")


class Plain(keras.Model):
    """Two numbers in, three out, by one layer."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.score = keras.layers.Dense(3, name="score")

    def call(self, x):
        return self.score(x)


# When to write a class


@proves(
    "Write a class when a model is more than layers wired from inputs to outputs: when "
    "it uses one weight in two ways, has methods besides `call`, or computes its own "
    "loss.",
    false_with={"is_class": False},
    needs="keras>=3",
)
def test_more_than_layers_wired(is_class=True):
    from snippets.subclassing import TiedAutoencoder, VariationalAutoencoder

    wired = [keras.layers.Dense(size, use_bias=False) for size in (8, 2)]
    tied = TiedAutoencoder() if is_class else keras.Sequential(wired)
    outputs, kernel = tied(X), tied.get_weights()[0]
    assert np.allclose(outputs, X @ kernel @ kernel.T, atol=1e-5)
    model = VariationalAutoencoder((2, 2, 1))
    model.compile(run_eagerly=True)
    images = np.full((3, 2, 2, 1), 0.5, "float32")
    assert model.decode(model.encode(images)[0]).shape == images.shape
    assert model.evaluate(images, verbose=0, return_dict=True)["kl"] > 0


@proves(
    "You give up the graph: a subclassed model has no `.input`, no picture, and no "
    "weights before it is built.",
    false_with={"functional": True},
)
def test_you_give_up_the_graph(functional=False):
    x = keras.Input(shape=(2,))
    model = keras.Model(x, keras.layers.Dense(3)(x)) if functional else Plain()
    assert model.weights == []
    model(X)
    with pytest.raises((AttributeError, ValueError)):
        _ = model.input
    assert "layers" not in model.get_config()


@proves(
    "It has been called, one cell above; what the message means is that it has never "
    "been called on a `keras.Input`.",
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
    "weights or formulas that no layer offers | a class on `keras.Layer`, used in any "
    "model",
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
    "methods such as `encode` and `decode`, your own loss | a class on `keras.Model`",
    false_with={"is_autoencoder": False},
    needs="keras>=3",
)
def test_write_a_model(is_autoencoder=True):
    from snippets.subclassing import DeepClassifier, VariationalAutoencoder

    model = VariationalAutoencoder if is_autoencoder else DeepClassifier
    assert issubclass(model, keras.Model)
    assert {"encode", "decode", "compute_loss"} <= set(vars(model))


def functional_subclass():
    """A subclass without `call`, given inputs and outputs."""

    class Doubling(keras.Model):
        def double(self, x):
            return 2 * self(x)

    x = keras.Input(shape=(2,))
    return Doubling(x, keras.layers.Dense(3)(x))


@proves(
    "your own methods, and the graph | a class on `keras.Model`, called with `inputs` "
    "and `outputs`",
    false_with={"make": Plain},
)
def test_write_both(make=functional_subclass):
    model = make()
    assert getattr(model, "inputs", None)
    assert np.allclose(model.double(X), 2 * model(X))


@proves(
    "The last row is little known: a subclass without a `call` of its own, given "
    "`inputs` and `outputs`, is a Functional model with your methods.",
    false_with={"make": Plain},
)
def test_a_subclass_can_be_functional(make=functional_subclass):
    model = make()
    assert "Functional" in [base.__name__ for base in type(model).__mro__]
    assert tuple(model.input.shape) == (None, 2)
    assert np.allclose(model.double(X), 2 * model(X))


@proves(
    "A `keras.Model` is a `keras.Layer` that also has `fit`, `evaluate`, `predict`, "
    "`summary` and `save`.",
    false_with={"other": keras.Model},
)
def test_a_model_is_a_layer_with_more(other=keras.layers.Layer):
    assert issubclass(keras.Model, keras.layers.Layer)
    for name in ("fit", "evaluate", "predict", "summary", "save"):
        assert hasattr(keras.Model, name)
        assert not hasattr(other, name)


# `__init__`, `build`, `call`


def recorder():
    """A layer that notes which of its methods run, and the notes."""
    log = []

    class Recorder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            log.append("init")

        def build(self, input_shape):
            log.append(f"build {input_shape[-1]}")
            self.kernel = self.add_weight(shape=(input_shape[-1], 1), name="kernel")

        def call(self, x):
            log.append("call")
            return tf.matmul(x, self.kernel)

    return Recorder(), log


@proves(
    "`__init__` | once, when you make the object | settings, and the layers it "
    "consists of",
    false_with={"made": 2},
)
def test_init_runs_once(made=1):
    layer, log = recorder()
    assert log == ["init"]
    for _ in range(3):
        layer(X)
    assert log.count("init") == made
    model = Plain()
    assert model.layers == [model.score]


@proves(
    "`build` | once, at the first call, with the shape of the input | weights whose "
    "size depends on the input",
    false_with={"size": 3},
)
def test_build_runs_at_the_first_call(size=2):
    layer, log = recorder()
    assert layer.weights == []
    layer(X)
    layer(X[:1])
    assert log == ["init", f"build {size}", "call", "call"]
    assert tuple(layer.weights[0].shape) == (size, 1)


@proves(
    "`call` | at every call; in `fit`, once for many steps | the computation, and no "
    "new weights",
    false_with={"most": 0},
)
def test_call_runs_at_every_call(most=6):
    layer, log = recorder()
    for _ in range(3):
        layer(X)
    assert log.count("call") == 3
    model = keras.Sequential([layer])
    model.compile("sgd", "mse")
    model(X)
    before = log.count("call")
    model.fit(np.ones((30, 2)), np.ones((30, 1)), batch_size=1, verbose=0)
    assert log.count("call") - before <= most


@proves(
    "The class above has no `__init__`, since it has no settings.",
    false_with={"has_settings": True},
    needs="keras>=3",
)
def test_no_init_is_needed(has_settings=False):
    from snippets.subclassing import TiedAutoencoder, VariationalAutoencoder

    model = VariationalAutoencoder if has_settings else TiedAutoencoder
    assert "__init__" not in vars(model)
    assert model()(X).shape == X.shape


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
    "Keras finds the layers that you put into attributes, and into lists, tuples and "
    "dicts, nested ones too.",
    false_with={"kinds": ("object",)},
)
def test_layers_are_found_in_containers(
    kinds=("attribute", "list", "tuple", "dict", "nested"),
):
    for kind in kinds:
        assert len(holder(kind).trainable_weights) == 2


@proves(
    "It does not find a layer inside an object of another kind, or one that `call` "
    "takes from outside the class: their weights are not trained.",
    false_with={"kinds": ("list",)},
)
def test_layers_are_not_found_elsewhere(kinds=("object", "lambda")):
    for kind in kinds:
        assert holder(kind).trainable_weights == []


# `training` and `mask`


def training_seen(has_argument, pass_on=False, first="fit"):
    """What a layer inside a model is told in `fit`, or another, and in `predict`."""
    seen = []

    class Inner(keras.layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner, self.score = Inner(), keras.layers.Dense(1)

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


@proves(
    "`fit` sets `training=True` and `predict` sets `training=False`, if the `call` of "
    "the **model** has an argument of that name.",
    false_with={"first": "evaluate"},
)
def test_fit_sets_training(first="fit"):
    seen = training_seen(has_argument=True, pass_on=True, first=first)
    assert seen == ({True}, {False})


@proves(
    "From there it reaches every layer below, whether you pass it on or not.",
    false_with={"first": "evaluate"},
)
def test_training_reaches_every_layer(first="fit"):
    for pass_on in (True, False):
        seen = training_seen(has_argument=True, pass_on=pass_on, first=first)
        assert seen == ({True}, {False})


@proves(
    "Without that argument, Keras 3 trains Dropout and BatchNormalization in the wrong "
    "mode.",
    keras=">=3",
)
def test_without_training_the_mode_is_wrong():
    assert training_seen(has_argument=False) == ({None}, {None})


@proves(
    "`mask` comes in the same way: a layer whose `call` has that argument receives the "
    "mask of its input.",
    false_with={"mask_zero": False},
)
def test_mask_comes_in(mask_zero=True):
    seen = []

    class Sees(keras.layers.Layer):
        def call(self, x, mask=None):
            seen.append(None if mask is None else np.array(mask).tolist())
            return x

    embed = keras.layers.Embedding(5, 2, mask_zero=mask_zero)
    Sees()(embed(np.array([[3, 0]])))
    assert seen == [[[True, False]]]


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
    "`add_weight(trainable=False)` makes state that no optimizer touches and that is "
    "saved with the model.",
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
    "Change it with `assign` or `assign_add`, since a number kept in a plain attribute "
    "changes when the step is traced, and not when it runs.",
    false_with={"name": "count"},
)
def test_a_plain_number_stands_still(name="steps"):
    layer = counting()
    fit_ten_steps(layer)
    assert np.array(layer.count) == 10.0
    assert np.array(getattr(layer, name)) < 5.0


@proves(
    "After one epoch the layer holds the mean of the training set.",
    false_with={"epochs": 0},
    needs="keras>=3",
)
def test_the_layer_holds_the_mean(epochs=1):
    from snippets.subclassing import RunningMean

    center = RunningMean()
    model = keras.Sequential([keras.Input((2,)), center, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, batch_size=2, epochs=epochs, verbose=0)
    assert np.allclose(center.mean, X.mean(axis=0), atol=1e-5)


class Penalty(keras.layers.Layer):
    """Adds the mean of its input to the loss."""

    def call(self, x):
        self.add_loss(tf.reduce_mean(x))
        return x


@proves(
    "`add_loss` adds a term to whatever `compile` says.",
    false_with={"layers": ()},
)
def test_add_loss_adds_a_term(layers=(Penalty,)):
    hand_through = keras.layers.Flatten()
    model = keras.Sequential([hand_through, *(layer() for layer in layers)])
    model.compile("sgd", "mse")
    target = X + 2.0  # a squared error of 4
    assert np.allclose(model.evaluate(X, target, verbose=0), 4.0 + X.mean())


@proves(
    "It is that of the last call: the list starts anew each time.",
    false_with={"last": X},
)
def test_losses_are_of_the_last_call(last=2 * X):
    model = keras.Sequential([keras.Input(shape=(2,)), Penalty()])
    for x in (X, last):
        model(x)
    assert np.allclose(model.losses, [7.0])


@proves(
    "The model above reproduces its input, so all of its loss is the penalty.",
    false_with={"more": 1},
    needs="keras>=3",
)
def test_all_of_the_loss_is_the_penalty(more=0):
    from snippets.subclassing import ActivityPenalty

    layers = [ActivityPenalty(weight=2.0), *[keras.layers.Dense(2)] * more]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.compile(loss="mse", run_eagerly=True)
    assert np.allclose(model(X), X)
    assert np.isclose(model.evaluate(X, X, verbose=0), 2.0 * np.abs(X).mean())


# Arguments


def register(cls):
    """Register a class, as every version spells it."""
    return keras.utils.register_keras_serializable(package="proofs")(cls)


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


def reloaded(model):
    """Save a model to a `.keras` file, and load it."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        return keras.models.load_model(f"{folder}/m.keras")


@proves(
    "A saved model holds no Python code: it holds the name of the class and a dict of "
    "arguments, `get_config()`, and loading calls `from_config`.",
    false_with={"calls": 0},
)
def test_a_file_holds_a_name_and_arguments(calls=1):
    made = []

    @register
    class Noted(Kept):
        @classmethod
        def from_config(cls, config):
            made.append(config["factor"])
            return super().from_config(config)

    model = Noted(factor=3.0)
    model(X)
    assert '"class_name": "Noted"' in model.to_json()
    reloaded(model)
    assert made == [3.0] * calls


@proves(
    "Register the class, so that the name leads to it.",
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


@proves(
    "Take `**kwargs` and hand them to `super().__init__`, because the dict also holds "
    "`name`, `trainable` and `dtype`.",
    false_with={"names": {"name", "units"}},
)
def test_take_kwargs(names=frozenset({"name", "trainable", "dtype"})):
    class Rigid(keras.layers.Layer):
        def __init__(self):
            super().__init__()

        def get_config(self):
            return super().get_config()

    config = Rigid().get_config()
    assert names <= set(config)
    with pytest.raises(TypeError, match="unexpected keyword argument 'name'"):
        Rigid(**config)


@proves(
    "Return every argument in `get_config`, those that are layers through "
    "`serialize_keras_object`, and turn those back in `from_config`, as `Residual` "
    "does.",
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

    def __init__(self, units=1, mode="a", **kwargs):
        super().__init__(**kwargs)
        self.units, self.mode = units, mode


@proves(
    "For a layer whose arguments are numbers and strings, Keras writes `get_config` "
    "itself.",
    false_with={"units": 1},
)
def test_layers_remember_plain_arguments(units=5):
    config = Unwritten(5, mode="b").get_config()
    assert (config["units"], config["mode"]) == (units, "b")


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


@proves("For a model, Keras 3 does not.", keras=">=3")
def test_a_model_does_not_remember():
    assert forgotten_argument()[0] == 1.0


# What you give up


def summary_of(model):
    """The text of `model.summary()`."""
    lines = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    return "\n".join(lines)


class WithDropout(keras.Model):
    """A layer without weights between two with weights."""

    def __init__(self):
        super().__init__()
        self.first, self.last = keras.layers.Dense(4), keras.layers.Dense(1)
        self.drop = keras.layers.Dropout(0.5, name="dropped")

    def call(self, x, training=None):
        return self.last(self.drop(self.first(x)))


@proves(
    "weights before data | none | call the model on a `keras.Input`, or write `build`",
    false_with={"made": 0},
)
def test_weights_before_data(made=2):
    class Built(Plain):
        def build(self, input_shape):
            self.score.build(input_shape)
            self.built = True

    model, built = Plain(), Built()
    assert model.weights == []
    model(keras.Input(shape=(2,)))
    built.build((None, 2))
    assert len(model.weights) == len(built.weights) == made


@proves(
    "`.input`, `.output` | raise an error | the same call",
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


@proves(
    "shapes in `summary()` | `?` for some layers on Keras 3, `multiple` on Keras 2 | "
    "`as_graph_of_layers`",
    needs="keras>=3",
    keras=">=3.6",
)
def test_summary_says_question_mark():
    from snippets.subclassing import as_graph_of_layers

    model = WithDropout()
    model(keras.Input(shape=(2,)))
    (line,) = [line for line in summary_of(model).split("\n") if "dropped" in line]
    assert "?" in line
    graph = summary_of(as_graph_of_layers(WithDropout(), (2,)))
    assert "(None, 4)" in graph
    assert "?" not in graph


@proves(
    "shapes in `summary()` | `?` for some layers on Keras 3, `multiple` on Keras 2 | "
    "`as_graph_of_layers`",
    keras="<3",
)
def test_summary_says_multiple():
    model = WithDropout()
    model(X)
    assert summary_of(model).count("multiple") == 3


@proves(
    "`.inputs`, `.input_shape` | raise an error on Keras 3 | `as_one_layer`",
    false_with={"make": functional_subclass},
    needs="keras>=3",
)
def test_inputs_come_back(make=Plain):
    from snippets.subclassing import as_one_layer

    model = make()
    model(X)
    model(keras.Input(shape=(2,)))
    for name in ("inputs", "input_shape"):
        with pytest.raises(AttributeError):
            getattr(model, name)
    wrapped = as_one_layer(model, (2,))
    assert (len(wrapped.inputs), wrapped.input_shape) == (1, (None, 2))


@proves(
    "a picture of the layers | one box | `as_graph_of_layers`",
    false_with={"opens": False},
    needs="keras>=3",
)
def test_a_picture_of_the_layers(opens=True):
    from snippets.subclassing import as_graph_of_layers, as_one_layer

    whole = as_one_layer(Plain(name="m"), (2,))
    assert [layer.name for layer in whole.layers] == ["inputs", "m"]
    opened = (as_graph_of_layers if opens else as_one_layer)(Plain(), (2,))
    assert [layer.name for layer in opened.layers] == ["inputs", "score"]


@proves(
    "`compute_output_shape` | raises an error on Keras 3 | write the method",
    keras=">=3",
)
def test_compute_output_shape_is_yours():
    class Written(Plain):
        def compute_output_shape(self, input_shape):
            return (*input_shape[:-1], 3)

    with pytest.raises(NotImplementedError, match="compute_output_shape"):
        Plain().compute_output_shape((None, 2))
    assert Written().compute_output_shape((None, 2)) == (None, 3)


class Sums(keras.Model):
    """Sums the last axis, however long it is."""

    def call(self, x):
        return tf.reduce_sum(x, axis=-1)


@proves(
    "a check of the input shape | none of its own | `as_one_layer`",
    false_with={"wraps": False},
    needs="keras>=3",
)
def test_a_check_of_the_shape(wraps=True):
    from snippets.subclassing import as_one_layer

    model = Sums()
    assert model(np.ones((1, 2))).shape == model(np.ones((1, 5))).shape == (1,)
    checked = as_one_layer(model, (2,)) if wraps else model
    with pytest.raises(ValueError, match="incompatible"):
        checked(np.ones((1, 5)))


@proves(
    "So the first thing to try is one line, `model(keras.Input(shape))`:",
    false_with={"lines": ()},
)
def test_one_line_builds(lines=((2,),)):
    model = Plain()
    for shape in lines:
        model(keras.Input(shape=shape))
    assert len(model.weights) == 2
    assert tuple(model.output.shape) == (None, 3)


@proves(
    "`model.build((None, 64))` does the same on Keras 2.",
    keras="<3",
    false_with={"made": 0},
)
def test_build_makes_the_weights(made=2):
    model = Plain()
    model.build((None, 64))
    assert len(model.weights) == made


@proves(
    "On Keras 3 it warns, makes no weights, and calls the model built, unless you have "
    "written `build`.",
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
    assert model.weights == []
    written.build((None, 64))
    assert len(written.weights) == 2


@proves(
    "The first keeps it whole, as one layer; the second runs `call` on an Input and "
    "records the layers that it meets.",
    false_with={"order": -1},
    needs="keras>=3",
)
def test_two_recipes_wrap(order=1):
    from snippets.subclassing import as_graph_of_layers, as_one_layer

    model = WithDropout()
    recipes = (as_one_layer, as_graph_of_layers)[::order]
    whole, opened = (wrap(model, (2,)) for wrap in recipes)
    assert whole.layers[1:] == [model]
    assert opened.layers[1:] == [model.first, model.drop, model.last]
    for wrapped in (whole, opened):
        assert np.allclose(wrapped(X), model(X), atol=1e-6)


@proves(
    "The layers are the same objects, so the graph has learned what the class has "
    "learned.",
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
    "A weight that the model holds itself, outside of any layer, is not part of such a "
    "graph: Keras leaves it out without a word, so the recipe refuses:",
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
    "`compute_output_shape` says what comes out without computing it.",
    false_with={"shape": (None, 2)},
)
def test_an_output_shape_without_computing(shape=(None, 4)):
    assert tuple(keras.layers.Dense(4).compute_output_shape((None, 2))) == shape


def small_autoencoder(compute_loss=None):
    """An autoencoder that is compiled, and three images; the loss may be another."""
    from snippets.subclassing import VariationalAutoencoder

    class Other(VariationalAutoencoder):
        pass

    if compute_loss is not None:
        Other.compute_loss = compute_loss
    kind = VariationalAutoencoder if compute_loss is None else Other
    model, images = kind((2, 2, 1)), np.full((3, 2, 2, 1), 0.25, "float32")
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model(images)
    model.mean.bias.assign([1.0, -1.0])
    return model, images


def reconstruction_alone(self, x=None, y=None, y_pred=None, *rest, **more):
    """A loss that leaves the divergence out, and tells the trackers nothing."""
    losses = keras.ops.binary_crossentropy(x, y_pred["images"])
    return keras.ops.mean(keras.ops.sum(losses, axis=(1, 2, 3)))


# The variational autoencoder


@proves(
    "The loss has two parts: how well the image is reconstructed, and how far its code "
    "is from a standard normal distribution.",
    false_with={"compute_loss": reconstruction_alone},
    needs="keras>=3",
)
def test_the_loss_has_two_parts(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    parts = {name: np.array(value) for name, value in model(images).items()}
    guess, v = parts["images"], parts["log_variance"]
    entropy = images * np.log(guess) + (1 - images) * np.log(1 - guess)
    kl = -0.5 * np.sum(1 + v - parts["mean"] ** 2 - np.exp(v), axis=-1)
    loss = model.evaluate(images, verbose=0, return_dict=True)["loss"]
    assert kl.mean() > 0.01
    assert np.isclose(loss, np.mean(kl - entropy.sum(axis=(1, 2, 3))), rtol=1e-4)


@proves(
    "It is a case for a class: two methods besides `call`, noise in training alone, "
    "and a loss that needs more than one output.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_a_case_for_a_class(training=True):
    model, images = small_autoencoder()
    for method in (model.encode, model.decode):
        assert callable(method)
    draw = [np.array(model(images, training=training)["images"]) for _ in range(2)]
    still = [np.array(model(images)["images"]) for _ in range(2)]
    assert not np.allclose(*draw)
    assert np.array_equal(*still)
    assert set(model(images)) == {"images", "mean", "log_variance"}


@proves(
    "`compute_loss` is all that `fit` and `evaluate` need to know.",
    false_with={"compute_loss": lambda *rest, **more: keras.ops.zeros(())},
    needs="keras>=3",
)
def test_compute_loss_is_enough(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    assert not {"train_step", "test_step", "fit"} & set(vars(type(model)))
    try:
        before = model.evaluate(images, verbose=0, return_dict=True)["loss"]
        model.fit(images, epochs=3, verbose=0)
        after = model.evaluate(images, verbose=0, return_dict=True)["loss"]
    except ValueError:  # there is no gradient
        before = after = 0.0
    assert after < before


@proves(
    "The two trackers report the parts by their names.",
    false_with={"compute_loss": reconstruction_alone},
    needs="keras>=3",
)
def test_trackers_report_the_parts(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    history = model.fit(images, verbose=0).history
    assert set(history) == {"loss", "reconstruction", "kl"}
    parts = history["reconstruction"][0] + history["kl"][0]
    assert np.isclose(history["loss"][0], parts, rtol=1e-4)


# tf.Module


class Product(tf.Module):
    """One matrix of TensorFlow's own."""

    def __init__(self):
        super().__init__()
        self.kernel = tf.Variable(tf.ones((2, 1)), name="kernel")

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])
    def multiply(self, x):
        return tf.matmul(x, self.kernel)

    def __call__(self, x):
        return tf.matmul(x, self.kernel)


class Products(tf.Module):
    """A list of modules."""

    def __init__(self):
        super().__init__()
        self.parts = [Product(), Product()]


@proves(
    "`tf.Module`, the base class of TensorFlow itself, collects variables and modules "
    "from attributes and from lists, and does nothing else.",
    false_with={"methods": ("variables",)},
)
def test_a_module_collects(methods=("fit", "build", "summary", "get_config", "losses")):
    module = Products()
    assert len(module.variables) == len(module.submodules) == 2
    for name in methods:
        assert not hasattr(module, name)


@proves(
    "variables and parts | `.variables`, `.submodules` | `.weights`, and `.layers` of "
    "a model",
    false_with={"parts": 0},
)
def test_both_collect(parts=2):
    module, model = Products(), WithDropout()
    model(X)
    assert (len(module.variables), len(module.submodules)) == (2, parts)
    assert (len(model.weights), len(model.layers)) == (4, 3)


@proves(
    "sizes | you give them all | `build` reads them off the input",
    false_with={"size": 2},
)
def test_build_reads_sizes(size=5):
    layer = keras.layers.Dense(1)
    layer(np.ones((1, size)))
    assert tuple(layer.kernel.shape) == (5, 1)
    with pytest.raises(tf.errors.InvalidArgumentError):
        Product()(tf.ones((1, size)))


@proves(
    "`training`, masks, `add_loss` | none | handed down and collected",
    false_with={"base": keras.layers.Layer},
)
def test_keras_hands_down(base=tf.Module):
    assert not hasattr(base, "add_loss")
    assert not hasattr(base, "losses")
    assert not hasattr(base, "compute_mask")
    assert training_seen(has_argument=True) == ({True}, {False})


@proves("on a `keras.Input` | works on Keras 2 alone | works", keras="<3")
def test_modules_on_inputs_on_keras_2():
    x = keras.Input(shape=(2,))
    try:
        shape = tuple(Product()(x).shape)
    except ValueError:
        shape = None
    assert shape == tuple(keras.layers.Dense(1)(x).shape) == (None, 1)


@proves(
    "on a `keras.Input` | works on Keras 2 alone | works",
    keras=">=3",
    false_with={"make": lambda: keras.layers.Dense(1)},
)
def test_modules_on_inputs_on_keras_3(make=Product):
    x = keras.Input(shape=(2,))
    assert tuple(keras.layers.Dense(1)(x).shape) == (None, 1)
    with pytest.raises(ValueError, match="cannot be used as input to a TensorFlow"):
        make()(x)


@proves(
    "training | you write the loop | `compile` and `fit`", false_with={"base": Plain}
)
def test_keras_has_fit(base=Product):
    assert hasattr(keras.Model, "compile")
    assert hasattr(keras.Model, "fit")
    assert not hasattr(base(), "fit")


@proves(
    "saving | a checkpoint, or a SavedModel of its `tf.function`s | these, `.keras` "
    "and `.weights.h5`",
    false_with={"name": "__call__"},
)
def test_a_module_is_saved(name="multiply"):
    module = Product()
    module.kernel.assign([[2.0], [3.0]])
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(module).write(f"{folder}/checkpoint")
        other = Product()
        tf.train.Checkpoint(other).read(path).assert_consumed()
        tf.saved_model.save(module, f"{folder}/saved")
        saved = tf.saved_model.load(f"{folder}/saved")
        assert np.allclose(other(X), module(X))
        assert hasattr(saved, name)
        assert np.allclose(saved.multiply(X), module(X))
    assert not hasattr(module, "save_weights")
    assert hasattr(keras.Model, "save_weights")


@proves(
    "On Keras 2 every layer was a `tf.Module`; on Keras 3 none is.",
    keras="<3",
)
def test_layers_were_modules():
    assert issubclass(keras.layers.Layer, tf.Module)


@proves(
    "On Keras 2 every layer was a `tf.Module`; on Keras 3 none is.",
    keras=">=3",
)
def test_layers_are_no_modules():
    assert not issubclass(keras.layers.Layer, tf.Module)


class HoldsModule(keras.layers.Layer):
    """A layer that computes with a module."""

    def __init__(self):
        super().__init__()
        self.product = Product()

    def call(self, x):
        return self.product(x)


@proves(
    "So a `tf.Module` inside a Keras 3 layer is not found, and its variables are not "
    "trained.",
    keras="<3",
    false_with={"found": 0},
)
def test_a_module_in_a_layer_is_found(found=1):
    layer = HoldsModule()
    layer(X)
    assert len(layer.trainable_weights) == found


@proves(
    "So a `tf.Module` inside a Keras 3 layer is not found, and its variables are not "
    "trained.",
    keras=">=3",
)
def test_a_module_in_a_layer_is_lost():
    model = keras.Sequential([HoldsModule(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    assert len(model.trainable_weights) == 2
    assert np.array_equal(model.layers[0].product.kernel, [[1.0], [1.0]])


# Saving


@functools.cache
def in_a_fresh_process():
    """What the four forms of one model give in a process that has just started.

    `alone` is what they give there as long as nothing but TensorFlow is imported, and
    `unread` is what a model of the same class gives that has read none of them.
    """
    from snippets.processes import run_python
    from snippets.subclassing import DeepClassifier
    from snippets.subclassing.saving import save_four_ways

    model = DeepClassifier(num_classes=3, num_blocks=2, num_units=4)
    expected = np.array(model(X))
    with tempfile.TemporaryDirectory() as folder:
        paths = save_four_ways(model, folder)
        run_python(
            f"""
import sys
import numpy as np
import tensorflow as tf
x = np.array({X.tolist()}, "float32")
saved_model = tf.saved_model.load({paths["saved_model"]!r})  # no class is known yet
alone = np.array(saved_model.serve(x))
was_known = "snippets.subclassing" in sys.modules
import keras
try:
    keras.saving.load_model({paths["keras"]!r})
    problem = ""
except TypeError as error:
    problem = str(error)
from snippets.subclassing import DeepClassifier
from snippets.subclassing.saving import outputs_of_four_ways
make = lambda: DeepClassifier(num_classes=3, num_blocks=2, num_units=4)
outputs = outputs_of_four_ways({paths!r}, make, x)
seen = dict(alone=alone, problem=problem, was_known=was_known, unread=make()(x))
np.savez({folder!r} + "/outputs.npz", **seen, **outputs)
"""
        )
        with np.load(f"{folder}/outputs.npz") as saved:
            return expected, {name: saved[name] for name in saved}


@proves(
    '`model.save("m.keras")` | class name, arguments, weights, optimizer | the class, '
    "registered",
    needs="keras>=3.6",
    keras=">=3.9",
)
def test_keras_file_needs_the_class():
    expected, outputs = in_a_fresh_process()
    assert "Could not locate class 'DeepClassifier'" in str(outputs["problem"])
    assert np.allclose(outputs["keras"], expected, atol=1e-6)
    model = Kept(factor=3.0)
    model.compile("adam", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    copy = reloaded(model)
    assert int(copy.optimizer.iterations) == int(model.optimizer.iterations) == 1


@proves(
    '`model.save_weights("m.weights.h5")` | numbers | a built model of the same class',
    keras=">=3.7",
)
def test_weights_need_a_built_model():
    with tempfile.TemporaryDirectory() as folder:
        model, copy = Plain(), Plain()
        model(X)
        model.save_weights(f"{folder}/m.weights.h5")
        with pytest.raises(ValueError, match="has not yet been built"):
            copy.load_weights(f"{folder}/m.weights.h5")
        copy(X)
        copy.load_weights(f"{folder}/m.weights.h5")
        assert np.allclose(copy(X), model(X))


@proves(
    '`model.export("folder")` | numbers and the compiled `call` | TensorFlow alone, no '
    "class",
    false_with={"form": "unread"},
    needs="keras>=3.6",
)
def test_saved_model_needs_no_class(form="alone"):
    expected, outputs = in_a_fresh_process()
    assert not outputs["was_known"]
    assert np.allclose(outputs[form], expected, atol=1e-6)


def restored(build_first):
    """Whether a checkpoint reaches a new model that is built first, or afterwards."""
    model, copy = Plain(), Plain()
    model(X)
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=model).write(f"{folder}/checkpoint")
        if build_first:
            copy(X)
        tf.train.Checkpoint(model=copy).read(path)
        return np.allclose(copy(X), model(X))


@proves(
    "`tf.train.Checkpoint(model=model)` | numbers | a built model of the same class",
    keras=">=3",
)
def test_checkpoint_needs_a_built_model():
    assert restored(build_first=True)
    assert not restored(build_first=False)


@proves(
    "In a process that has just started the outputs are equal too, all four ways.",
    false_with={"forms": ("unread",)},
    needs="keras>=3.6",
)
def test_four_ways_in_a_fresh_process(
    forms=("keras", "weights", "saved_model", "checkpoint"),
):
    expected, outputs = in_a_fresh_process()
    for form in forms:
        assert np.allclose(outputs[form], expected, atol=1e-6)


@proves(
    "Keep `reloaded` in a variable: `tf.saved_model.load(path).serve(x)` in one line "
    "raises *Called a function referencing variables which have been deleted.*",
    false_with={"kept": True},
)
def test_a_saved_model_must_be_kept(kept=False):
    model = Plain()
    model(X)
    with tempfile.TemporaryDirectory() as folder:
        model.export(f"{folder}/saved")
        reloaded = tf.saved_model.load(f"{folder}/saved")
        assert np.allclose(reloaded.serve(X), model(X), atol=1e-6)
        with pytest.raises(AssertionError, match="variables which have been deleted"):
            (reloaded if kept else tf.saved_model.load(f"{folder}/saved")).serve(X)


@proves(
    "A model that has never been called is saved with a warning, and without weights.",
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
    "Its `save_weights` and `export` raise errors on Keras 3.",
    keras=">=3.7",
)
def test_an_unbuilt_model_is_not_exported():
    with tempfile.TemporaryDirectory() as folder:
        for save in (
            lambda: Plain().save_weights(f"{folder}/m.weights.h5"),
            lambda: Plain().export(f"{folder}/saved"),
        ):
            with pytest.raises(ValueError, match="built"):
                save()


# When it says what is wrong


@proves(
    "`super().__init__()` forgotten | make it the first line of `__init__`",
    false_with={"first": True},
)
def test_super_comes_first(first=False):
    class Forgetful(keras.layers.Layer):
        def __init__(self):
            if first:
                super().__init__()
            self.score = keras.layers.Dense(1)

        def call(self, x):
            return self.score(x)

    with pytest.raises(RuntimeError, match="super"):
        Forgetful()(X)


@proves(
    '`add_weight("kernel", ...)` | `add_weight(name="kernel", ...)`',
    keras=">=3",
)
def test_name_is_a_keyword():
    layer = keras.layers.Layer()
    with pytest.raises((TypeError, ValueError)):
        layer.add_weight("kernel", shape=(2, 1))
    assert tuple(layer.add_weight(name="kernel", shape=(2, 1)).shape) == (2, 1)


@proves('`add_weight("kernel", ...)` | `add_weight(name="kernel", ...)`', keras="<3")
def test_name_could_come_first():
    layer = keras.layers.Layer()
    assert tuple(layer.add_weight(name="kernel", shape=(2, 1)).shape) == (2, 1)
    try:
        shape = tuple(layer.add_weight("kernel", shape=(2, 1)).shape)
    except (TypeError, ValueError):
        shape = None
    assert shape == (2, 1)


def on_an_input(layer):
    """The shape that a layer makes of an Input, or what it says against it."""
    try:
        return tuple(layer(keras.Input(shape=(2,))).shape)
    except Exception as error:  # its type differs by version
        return str(error)


@proves(
    "`if` on a tensor in `call` | `keras.ops.where` or `keras.ops.cond`",
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
    "`x.shape[0]` in `call` | `keras.ops.shape(x)[0]`",
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
    "`__init__` without `name` and `trainable` | `**kwargs`, handed to "
    "`super().__init__`",
    false_with={"mistake": True},
)
def test_kwargs_are_handed_on(mistake=False):
    closed = layer_class(takes_kwargs=mistake)
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        closed.from_config(closed().get_config())
    opened = layer_class(takes_kwargs=True)
    assert opened.from_config(opened(name="a").get_config()).name == "a"


@proves(
    "`Could not locate class` | register the class, and import its module before "
    "loading",
    needs="keras>=3.6",
    keras=">=3.9",
)
def test_a_class_is_located_by_its_registration():
    expected, outputs = in_a_fresh_process()
    assert "Could not locate class" in str(outputs["problem"])
    assert "registered" in str(outputs["problem"]) or "decorated" in str(
        outputs["problem"]
    )
    assert np.allclose(outputs["keras"], expected, atol=1e-6)


@proves(
    "*created by passing non-serializable argument values* | write `get_config`",
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
    "The message of a file that cannot be read is long, for it repeats the whole "
    "configuration: read what follows the last *Exception encountered*.",
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


class PythonIf(keras.layers.Layer):
    """Asks a tensor a question in Python."""

    def call(self, x):
        if tf.reduce_sum(x) > 0:
            return x
        return -x


@proves(
    "The Python `if` worked on Keras 2, which rewrote `call` by AutoGraph; Keras 3 "
    "does not.",
    keras="<3",
)
def test_autograph_on_keras_2():
    assert on_an_input(PythonIf()) == (None, 2)
    x = keras.Input(shape=(2,))
    model = keras.Model(x, PythonIf()(x))
    assert np.allclose(model.predict(-X, verbose=0), X)


@proves(
    "The Python `if` worked on Keras 2, which rewrote `call` by AutoGraph; Keras 3 "
    "does not.",
    keras=">=3",
)
def test_no_autograph_on_keras_3():
    with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
        PythonIf()(keras.Input(shape=(2,)))


@proves(
    "This layer asks the same question without `if`:",
    false_with={"has_if": True},
    needs="keras>=3",
)
def test_unit_scale_asks_without_if(has_if=False):
    from snippets.subclassing import UnitScale
    from snippets.subclassing.mistakes import layer_with_python_if

    asks_in_python = layer_with_python_if(keras)
    layer = asks_in_python if has_if else UnitScale()
    assert on_an_input(layer) == (None, 2)
    for values in (X, 0 * X):
        assert np.allclose(layer(values), asks_in_python(values))


@proves(
    "Called on an array, both mistakes in `call` work, for an array has values and a "
    "batch size; a test that only does that passes.",
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


# No error, wrong result


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
    "Keras 3 does not find a `tf.Variable` that a layer keeps, so it is neither "
    "trained nor counted nor put into a `.keras` file; Keras 2 found it.",
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
        model.save_weights(f"{folder}/m.weights.h5")
        kernel.assign([[5.0], [5.0]])
        model.load_weights(f"{folder}/m.weights.h5")
    assert np.array_equal(kernel, [[5.0], [5.0]])


@proves(
    "Keras 3 does not find a `tf.Variable` that a layer keeps, so it is neither "
    "trained nor counted nor put into a `.keras` file; Keras 2 found it.",
    keras="<3",
)
def test_a_tf_variable_was_found():
    model = keras.Sequential([HoldsVariable(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    assert not np.array_equal(model.layers[0].kernel, [[1.0], [1.0]])
    assert model.count_params() == 4


@proves(
    "If nothing else can be trained, `fit` warns that *the model does not have any "
    "trainable weights*; if something else can, it says nothing.",
    keras=">=3",
)
def test_only_a_model_without_weights_warns():
    said = []
    for more in ([], [keras.layers.Dense(1)]):
        model = keras.Sequential([HoldsVariable(), *more])
        model.compile("sgd", "mse", run_eagerly=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(X, Y, verbose=0)
        texts = [str(warning.message) for warning in caught]
        said.append(any("does not have any trainable weights" in t for t in texts))
    assert said == [True, False]


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
    "Without it Dropout drops nothing in training, and BatchNormalization neither uses "
    "nor learns the statistics of the data.",
    keras=">=3",
    false_with={"has_argument": True},
)
def test_without_training_dropout_is_off(has_argument=False):
    assert moving_mean(has_argument) == (0.0, 0.0)


@proves(
    "Without it Dropout drops nothing in training, and BatchNormalization neither uses "
    "nor learns the statistics of the data.",
    keras="<3",
)
def test_without_training_dropout_was_on():
    mean, dropped = moving_mean(has_argument=False)
    assert mean == 5.0
    assert 0.4 < dropped < 0.6


@proves(
    "On Keras 3, `fit` sets `training` only if the `call` of the model has the "
    "argument.",
    keras=">=3",
)
def test_fit_asks_for_the_argument():
    assert training_seen(has_argument=True)[0] == {True}
    assert training_seen(has_argument=False)[0] == {None}


@proves(
    "Write `def call(self, x, training=None)`, always.",
    keras=">=3",
)
def test_with_training_the_mean_is_learned():
    assert moving_mean(has_argument=False) == (0.0, 0.0)
    mean, dropped = moving_mean(has_argument=True)
    assert mean == 5.0
    assert 0.4 < dropped < 0.6


@proves(
    "A Functional or Sequential model has it by itself.",
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
    "The arguments of a `keras.Model` subclass are not remembered on Keras 3; an "
    "argument that has a default comes back as the default.",
    keras=">=3",
)
def test_arguments_come_back_as_defaults():
    assert forgotten_argument()[0] == 1.0


@proves(
    "The arguments of a `keras.Model` subclass are not remembered on Keras 3; an "
    "argument that has a default comes back as the default.",
    keras="<3",
)
def test_arguments_were_remembered():
    factor, outputs, copied = forgotten_argument()
    assert factor == 3.0
    assert np.allclose(outputs, copied)


@proves(
    "This model multiplies by 3, and its copy by 1:",
    false_with={"has_config": True},
    needs="keras>=3",
)
def test_the_copy_multiplies_by_1(has_config=False):
    from snippets.subclassing.mistakes import model_without_config

    class Written(type(model_without_config(keras, 3.0))):
        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    model = Written(3.0) if has_config else model_without_config(keras, 3.0)
    copy = type(model).from_config(model.get_config())
    assert np.allclose(model(X), 3.0 * model.score(X))
    assert np.allclose(copy(X), copy.score(X))


@proves(
    "A file saved from it loads without an error, and gives other outputs.",
    keras=">=3",
)
def test_the_file_gives_other_outputs():
    _, outputs, copied = forgotten_argument()
    assert np.allclose(outputs, 3.0 * copied)


@proves(
    "Since Keras 3.13 an argument without a default raises *created by passing "
    "non-serializable argument values* when the model is saved, whatever it is.",
    keras=">=3.12",
)
def test_a_number_is_called_non_serializable():
    @register
    class Needs(keras.Model):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.score = keras.layers.Dense(1)

        def call(self, x):
            return self.score(x)

    model = Needs(3.0)
    model(X)
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.raises(NotImplementedError) as raised,
    ):
        model.save(f"{folder}/m.keras")
    assert "non-serializable argument values" in " ".join(str(raised.value).split())


@proves("Write `get_config`.", false_with={"factor": 1.0})
def test_with_get_config_arguments_stay(factor=3.0):
    model = Kept(factor=3.0)
    outputs, copy = model(X), reloaded(model)
    assert copy.factor == factor
    assert np.allclose(copy(X), outputs)


def variables_in_checkpoint(kind):
    """How many variables of a layer in a container a checkpoint holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=holder(kind)).write(f"{folder}/checkpoint")
        names = [name for name, _ in tf.train.list_variables(path)]
    return sum(name.startswith("model/") for name in names)


@proves(
    "`tf.train.Checkpoint` on Keras 3 holds the layers of a model that stand in "
    "attributes and tuples, and leaves out those in a list or a dict.",
    keras=">=3",
)
def test_a_list_is_left_out():
    kinds = ("attribute", "tuple", "list", "dict")
    assert [variables_in_checkpoint(kind) for kind in kinds] == [2, 2, 0, 0]


@proves(
    "`tf.train.Checkpoint` on Keras 3 holds the layers of a model that stand in "
    "attributes and tuples, and leaves out those in a list or a dict.",
    keras="<3",
)
def test_a_list_was_held():
    kinds = ("attribute", "tuple", "list", "dict")
    assert [variables_in_checkpoint(kind) for kind in kinds] == [2, 2, 2, 2]


@proves(
    "Restoring says nothing of it, not even `assert_consumed()`.",
    keras=">=3",
    false_with={"kind": "tuple"},
)
def test_assert_consumed_says_nothing(kind="list"):
    layer, copy = holder(kind), holder(kind)
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=layer).write(f"{folder}/checkpoint")
        tf.train.Checkpoint(model=copy).read(path).assert_consumed()
    assert not np.allclose(copy(X), layer(X))


@proves(
    "Use a tuple, as `DeepClassifier` does, or save in one of the other three ways.",
    false_with={"container": "list"},
    needs="keras>=3",
)
def test_a_tuple_is_held(container="tuple"):
    from snippets.subclassing import DeepClassifier, weights_outside_checkpoint

    @register
    class Listed(keras.Model):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.steps = [keras.layers.Dense(2), keras.layers.Dense(2)]

        def call(self, x):
            for step in self.steps:
                x = step(x)
            return x

    listed, other = Listed(), Listed()
    model = DeepClassifier(num_classes=3) if container == "tuple" else listed
    model(X)
    assert weights_outside_checkpoint(model) == []
    expected = np.array(listed(X))
    assert not np.allclose(other(X), expected)
    with tempfile.TemporaryDirectory() as folder:
        listed.save_weights(f"{folder}/m.weights.h5")
        other.load_weights(f"{folder}/m.weights.h5")
        listed.save(f"{folder}/m.keras")
        loaded = keras.models.load_model(f"{folder}/m.keras")
        listed.export(f"{folder}/saved")
        saved_model = tf.saved_model.load(f"{folder}/saved")
        ways = [other(X), loaded(X), saved_model.serve(X)]
    for outputs in ways:
        assert np.allclose(outputs, expected, atol=1e-6)


@proves(
    "And build the model before you restore: Keras 2 waited with the numbers until the "
    "variables were made; Keras 3 drops them.",
    keras=">=3",
    false_with={"build_first": True},
)
def test_restored_before_built_is_dropped(build_first=False):
    assert not restored(build_first)


@proves(
    "And build the model before you restore: Keras 2 waited with the numbers until the "
    "variables were made; Keras 3 drops them.",
    keras="<3",
)
def test_restored_before_built_was_kept():
    assert restored(build_first=False)


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
    "Called twice, such a model answers from two sets of random weights, and has none "
    "to train.",
    false_with={"make": Plain},
)
def test_layers_in_call_are_new(make=MakesLayers):
    model = make()
    assert not np.allclose(model(X), model(X))
    assert model.weights == []


@proves(
    "In `fit`, it raises an error about `tf.Variable`s created on a call that is not "
    "the first.",
    false_with={"make": Kept},
)
def test_layers_in_call_raise_in_fit(make=MakesLayers):
    model = make()
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="Variables created on the first call"):
        model.fit(X, Y, verbose=0)


@proves(
    "Assigned to `self`, Keras 3 refuses them at once, in words: *You cannot add new "
    "elements of state (variables or sub-layers) to a layer that is already built.*",
    keras=">=3",
    false_with={"keep": False},
)
def test_state_in_call_is_refused(keep=True):
    with pytest.raises(ValueError) as raised:
        MakesLayers(keep)(X)
    assert "add new elements of state (variables or sub-layers) to a layer" in str(
        raised.value
    )

"""Proofs of the page on tf.Module."""

import tempfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
Y = np.array([[1.0], [0.0], [2.0]], "float32")


class Plain(keras.Model):
    """Two numbers in, three out, by one layer."""

    def __init__(self):
        super().__init__()
        self.score, self.drop = keras.layers.Dense(3), keras.layers.Dropout(0.5)

    def call(self, x, training=None):
        return self.drop(self.score(x))


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
    "variables and parts | `.variables`, `.submodules` | `.weights`, and "
    "`.layers` of a model",
    false_with={"in_a_list": False},
)
def test_both_collect(in_a_list=True):
    module, model = Products(), Plain()
    if not in_a_list:
        module.parts = lambda: [Product()]
    model(X)
    assert (len(module.variables), len(module.submodules)) == (2, 2)
    assert (len(model.weights), len(model.layers)) == (2, 2)


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
    "`training`, masks, `add_loss` | none | passed down and collected",
    false_with={"base": keras.layers.Layer},
)
def test_keras_hands_down(base=tf.Module):
    for name in ("add_loss", "losses", "compute_mask"):
        assert hasattr(keras.layers.Layer, name)
        assert not hasattr(base, name)


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
    "So a `tf.Module` inside a Keras 3 layer is not found, and its variables are "
    "not trained.",
    keras="<3",
)
def test_a_module_in_a_layer_is_found():
    layer = HoldsModule()
    layer(X)
    assert len(layer.trainable_weights) == 1


@proves(
    "So a `tf.Module` inside a Keras 3 layer is not found, and its variables are "
    "not trained.",
    keras=">=3",
)
def test_a_module_in_a_layer_is_lost():
    model = keras.Sequential([HoldsModule(), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(X, Y, verbose=0)
    assert len(model.trainable_weights) == 2
    assert np.array_equal(model.layers[0].product.kernel, [[1.0], [1.0]])


@proves(
    "Keras 3 does not find a `tf.Variable` in an attribute either.",
    keras=">=3",
    false_with={"found": True},
)
def test_a_variable_in_a_layer_is_lost(found=False):
    class Holds(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            zeros = np.zeros((2, 1), "float32")
            self.kernel = keras.Variable(zeros) if found else tf.Variable(zeros)

        def call(self, x):
            return tf.matmul(x, tf.convert_to_tensor(self.kernel))

    layer = Holds()
    layer(X)
    assert layer.trainable_weights == []


# Checkpoints and saved models


def holder(kind):
    """A layer that keeps another one in an attribute or a container."""

    class Holder(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            layer = keras.layers.Dense(1)
            self.held = {
                "attribute": layer,
                "list": [layer],
                "tuple": (layer,),
                "dict": {"a": layer},
            }[kind]

        def call(self, x):
            return tf.nest.flatten(self.held)[0](x)

    layer = Holder()
    layer(X)
    return layer


def variables_in_checkpoint(kind):
    """How many variables of a layer in a container a checkpoint holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=holder(kind)).write(f"{folder}/checkpoint")
        names = [name for name, _ in tf.train.list_variables(path)]
    return sum(name.startswith("model/") for name in names)


@proves(
    "**Layers in a list or a dict** are left out by `tf.train.Checkpoint` on Keras 3, "
    "and `assert_consumed()` does not notice.",
    keras=">=3",
)
def test_a_list_is_left_out():
    kinds = ("attribute", "tuple", "list", "dict")
    assert [variables_in_checkpoint(kind) for kind in kinds] == [2, 2, 0, 0]
    layer, copy = holder("list"), holder("list")
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=layer).write(f"{folder}/checkpoint")
        tf.train.Checkpoint(model=copy).read(path).assert_consumed()
    assert not np.allclose(copy(X), layer(X))


@proves(
    "**Layers in a list or a dict** are left out by `tf.train.Checkpoint` on Keras 3, "
    "and `assert_consumed()` does not notice.",
    keras="<3",
)
def test_a_list_was_held():
    kinds = ("attribute", "tuple", "list", "dict")
    assert [variables_in_checkpoint(kind) for kind in kinds] == [2, 2, 2, 2]


@proves(
    "Keep them in a tuple, as {recipe}`snippets.subclassing.DeepClassifier` does, or "
    "save in another way; {recipe}`snippets.subclassing.weights_outside_checkpoint` "
    "lists what would be lost.",
    false_with={"container": "list"},
    needs="keras>=3",
)
def test_a_tuple_is_held(container="tuple"):
    from snippets.subclassing import DeepClassifier, weights_outside_checkpoint

    @keras.utils.register_keras_serializable(package="proofs")
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
    "`Called a function referencing variables which have been deleted` comes from "
    "`tf.saved_model.load(path).serve(x)` in one line, which loses the model that "
    "holds the variables: keep it in a name.",
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

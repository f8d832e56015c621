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

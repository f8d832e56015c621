"""Proofs of the page on tf.Module."""

import tempfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_subclassing import X, Y


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


@proves(
    'A published version of this network pads with `padding="SAME"`, which leaves '
    "14 × 14 × 32 = 6272 numbers of 28 × 28 pixels, and reshapes to 5408 = 13 × "
    '13 × 32, the size that `"VALID"` leaves.',
    false_with={"size": 26},
)
def test_valid_leaves_5408_and_same_6272(size=28):
    shapes, sizes = [], []
    for padding in ("VALID", "SAME"):
        x = tf.nn.conv2d(
            tf.zeros([1, size, size, 1]), tf.zeros([3, 3, 1, 32]), 1, padding
        )
        x = tf.nn.max_pool2d(x, 2, 2, padding)
        shapes.append(x.shape[1:].as_list())
        sizes.append(int(np.prod(x.shape)))
    assert shapes == [[13, 13, 32], [14, 14, 32]]
    assert sizes == [5408, 6272]


def pooled(count, size=28):
    """What `padding="SAME"` leaves of images, each filled with its own number."""
    half = -(-size // 2)
    numbers = tf.reshape(tf.range(count, dtype=tf.float32), [count, 1, 1, 1])
    return numbers * tf.ones([count, half, half, 32])


@proves(
    "`Input to reshape is a tensor with 6272 values, but the requested shape requires "
    "a multiple of 5408` | a size typed by hand: `tf.reshape(x, [tf.shape(x)[0], -1])`",
    false_with={"count": 169},
)
def test_one_image_stops_the_hand_typed_size(count=1):
    x = pooled(count)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        tf.reshape(x, [-1, 5408])
    assert (
        "Input to reshape is a tensor with 6272 values, but the requested shape "
        "requires a multiple of 5408" in str(raised.value)
    )
    assert tf.reshape(x, [tf.shape(x)[0], -1]).shape == (1, 6272)


@proves(
    "`Dimension size must be evenly divisible by 5408 but is 6272` | the same, inside "
    "`tf.function`",
    false_with={"count": 169},
)
def test_in_a_function_the_text_is_another(count=1):
    flatten = tf.function(lambda x: tf.reshape(x, [-1, 5408]))
    text = "Dimension size must be evenly divisible by 5408 but is 6272"
    with pytest.raises(ValueError, match=text):
        flatten(pooled(count))


@proves(
    "One image stops it; 169 images become 196 rows without an error, 168 of them made "
    "of two images:",
    false_with={"size": 6272},
)
def test_rows_are_made_of_two_images(size=5408):
    rows = tf.reshape(pooled(169), [-1, size]).numpy()
    assert len(rows) == 196
    images = [sorted(set(row)) for row in rows]
    mixed = [numbers for numbers in images if len(numbers) > 1]
    assert len(mixed) == 168
    assert all(end + 1 == beginning for end, beginning in mixed)
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.reshape(pooled(1), [-1, size])

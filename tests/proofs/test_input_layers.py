"""Proofs of the Input layers guide."""

import importlib
import operator
import os
import signal
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves


def error_of(call, *args):
    """The error of a call, as text; nothing if there is none."""
    try:
        call(*args)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


# What an Input is


@proves(
    "`keras.Input` declares what one example looks like: its shape and its dtype.",
    false_with={"dtype": "float32"},
)
def test_input_declares_shape_and_dtype(dtype="int32"):
    x = keras.Input(shape=(64,), dtype=dtype)
    assert tuple(x.shape)[1:] == (64,)
    assert x.dtype == "int32"


@proves(
    "Put the shape of **one example** in `shape`, without the batch, and `None` for a "
    "size that varies.",
    false_with={"shape": (32, None, 8)},
)
def test_shape_is_of_one_example(shape=(None, 8)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, None, 8)
    model = keras.Model(x, keras.layers.GRU(4)(x))
    for length in (3, 5):
        assert model(np.zeros((32, length, 8))).shape == (32, 4)


@proves(
    "A Functional model needs an Input, a Sequential model has its weights from the "
    "start if it has one, and a subclassed model has none.",
    false_with={"start": keras.Input},
)
def test_functional_needs_an_input(start=np.zeros):
    begin = start((1, 3))
    end = keras.layers.Dense(2)(begin)
    with pytest.raises(Exception):  # noqa: B017 - its type differs by version
        keras.Model(begin, end)


@proves(
    "A Functional model needs an Input, a Sequential model has its weights from the "
    "start if it has one, and a subclassed model has none.",
    false_with={"start": ()},
)
def test_sequential_has_weights(start=((3,),)):
    inputs = [keras.Input(shape=shape) for shape in start]
    model = keras.Sequential([*inputs, keras.layers.Dense(2)])
    assert model.built
    assert len(model.weights) == 2


@proves(
    "A Functional model needs an Input, a Sequential model has its weights from the "
    "start if it has one, and a subclassed model has none.",
    false_with={"listed": ["InputLayer", "Dense"]},
)
def test_subclassed_has_no_input(listed=("Dense",)):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.layers.Dense(2)

        def call(self, x):
            return self.score(x)

    model = Mine()
    model(np.zeros((5, 3)))
    assert [type(layer).__name__ for layer in model.layers] == list(listed)


@proves(
    "A vector of 64 numbers is `shape=(64,)`; Keras put the `None` in front, and it "
    "stands for a batch of any size:",
    false_with={"shape": (None, 64)},
)
def test_a_vector_of_64_numbers(shape=(64,)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, 64)
    model = keras.Model(x, keras.layers.Dense(10)(x))
    for batch_size in (1, 5):
        assert model(np.zeros((batch_size, 64))).shape == (batch_size, 10)


# What `shape` is for your data


@proves("a number | `()` | `(None,)`", false_with={"shape": (1,)})
def test_shape_of_a_number(shape=()):
    numbers = np.zeros(5)
    assert numbers.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None,)


@proves("a row of 13 columns | `(13,)` | `(None, 13)`", false_with={"shape": (13, 1)})
def test_shape_of_a_row(shape=(13,)):
    rows = np.zeros((5, 13))
    assert rows.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None, 13)


@proves(
    "a flattened 28 × 28 image | `(784,)` | `(None, 784)`",
    false_with={"shape": (28, 28)},
)
def test_shape_of_a_flattened_image(shape=(784,)):
    images = np.zeros((5, 28, 28)).reshape(5, -1)
    assert images.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None, 784)


@proves(
    "a color image of 32 × 32 pixels | `(32, 32, 3)` | `(None, 32, 32, 3)`",
    false_with={"shape": (3, 32, 32)},
)
def test_shape_of_a_color_image(shape=(32, 32, 3)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, 32, 32, 3)
    assert keras.layers.Conv2D(2, 1, use_bias=False)(x).shape[1:3] == (32, 32)


@proves(
    "a gray image of 28 × 28 pixels | `(28, 28, 1)` | `(None, 28, 28, 1)`",
    false_with={"shape": (28, 28)},
)
def test_shape_of_a_gray_image(shape=(28, 28, 1)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, 28, 28, 1)
    assert keras.layers.Conv2D(2, 1)(x).shape[1:3] == (28, 28)


@proves(
    "an image of any size | `(None, None, 3)` | `(None, None, None, 3)`",
    false_with={"shape": (8, 8, 3)},
)
def test_shape_of_an_image_of_any_size(shape=(None, None, 3)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, None, None, 3)
    model = keras.Model(x, keras.layers.Conv2D(2, 1)(x))
    for size in (8, 9):
        assert model(np.zeros((1, size, size, 3))).shape == (1, size, size, 2)


@proves(
    "50 steps of 128 numbers | `(50, 128)` | `(None, 50, 128)`",
    false_with={"shape": (None, 128)},
)
def test_shape_of_50_steps(shape=(50, 128)):
    steps = np.zeros((5, 50, 128))
    assert steps.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None, 50, 128)


@proves(
    "any number of steps of 128 numbers | `(None, 128)` | `(None, None, 128)`",
    false_with={"shape": (128,)},
)
def test_shape_of_any_number_of_steps(shape=(None, 128)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, None, 128)
    model = keras.Model(x, keras.layers.SimpleRNN(2)(x))
    for length in (1, 4):
        assert model(np.zeros((5, length, 128))).shape == (5, 2)


@proves(
    'a sentence, as one string | `()` with `dtype="string"` | `(None,)`',
    false_with={"dtype": "float32"},
)
def test_shape_of_a_sentence(dtype="string"):
    sentences = tf.constant(["one sentence", "another"])
    x = keras.Input(shape=(), dtype=dtype)
    assert tuple(x.shape) == (None,)
    assert x.dtype == sentences.dtype.name


@proves(
    'any number of token numbers | `(None,)` with `dtype="int32"` | `(None, None)`',
    false_with={"shape": ()},
)
def test_shape_of_token_numbers(shape=(None,)):
    x = keras.Input(shape=shape, dtype="int32")
    assert tuple(x.shape) == (None, None)
    model = keras.Model(x, keras.layers.Embedding(10, 2)(x))
    for length in (1, 4):
        assert model(np.ones((5, length), "int32")).shape == (5, length, 2)


@proves(
    "If you have the data, read the shape off it: `x_train.shape[1:]`.",
    false_with={"first_axis": 0},
)
def test_shape_is_read_off_the_data(first_axis=1):
    x_train = np.zeros((5, 8, 8, 1))
    x = keras.Input(shape=x_train.shape[first_axis:])
    assert tuple(x.shape) == (None, 8, 8, 1)


@proves(
    "The digits of this site are gray images of 8 × 8 pixels:",
    false_with={"shape": (28, 28, 1)},
)
def test_digits_are_gray_images_of_8_by_8(shape=(8, 8, 1)):
    from snippets.data import digit_images

    images, _ = digit_images()
    assert images.shape[1:] == shape


# The batch axis is never part of `shape`


@proves(
    "*in `input_shape=(None, 100)`, `None` is the batch size*, and it is wrong: "
    "`shape` describes one example, and the batch axis is added in front of whatever "
    "stands there:",
    false_with={"seen": (None, 100)},
)
def test_none_in_shape_is_not_the_batch(seen=(None, None, 100)):
    assert tuple(keras.Input(shape=(None, 100)).shape) == seen
    layer = keras.layers.SimpleRNN(2, input_shape=(None, 100))
    assert keras.Sequential([layer]).input_shape == seen


@proves(
    "So `(None, 100)` declares sequences of any length with 100 features.",
    false_with={"shape": (100,)},
)
def test_none_100_is_a_sequence_of_any_length(shape=(None, 100)):
    x = keras.Input(shape=shape)
    assert len(x.shape) == 3
    model = keras.Model(x, keras.layers.SimpleRNN(2)(x))
    for length in (3, 7):
        assert model(np.zeros((5, length, 100))).shape == (5, 2)


@proves("A vector of 100 features is `(100,)`:", false_with={"shape": (None, 100)})
def test_a_vector_of_100_features(shape=(100,)):
    vectors = np.zeros((5, 100))
    assert vectors.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None, *vectors.shape[1:])


@proves(
    "The spelling in the sentence, `input_shape=` on a first layer, means the same: "
    "`input_shape=(None, 100)` gives sequences of any length, in batches of any size.",
    false_with={"seen": (None, 100)},
)
def test_input_shape_none_100(seen=(None, None, 100)):
    layer = keras.layers.SimpleRNN(2, input_shape=(None, 100))
    model = keras.Sequential([layer])
    assert model.input_shape == seen
    for batch_size, length in ((1, 3), (5, 7)):
        assert model(np.zeros((batch_size, length, 100))).shape == (batch_size, 2)


@proves(
    "Putting the batch size itself into `shape` is the same mistake with a number: the "
    "batch axis is added in front of that too.",
    false_with={"seen": (32, 8, 8, 1)},
)
def test_batch_size_in_shape_is_one_axis_too_many(seen=(None, 32, 8, 8, 1)):
    assert tuple(keras.Input(shape=(32, 8, 8, 1)).shape) == seen


@proves(
    "Keras 3 stops at the first convolution, which receives one axis too many; Keras 2 "
    "builds the model, and complains only when it meets the data.",
    keras=">=3",
    false_with={"shape": (8, 8, 1)},
)
def test_batch_size_in_shape_stops_keras_3(shape=(32, 8, 8, 1)):
    x = keras.Input(shape=shape)
    with pytest.raises(ValueError):
        keras.layers.Conv2D(3, 3)(x)


@proves(
    "Keras 3 stops at the first convolution, which receives one axis too many; Keras 2 "
    "builds the model, and complains only when it meets the data.",
    false_with={"shape": (8, 8, 1)},
    needs="keras<3",
)
def test_batch_size_in_shape_builds_on_keras_2(shape=(32, 8, 8, 1)):
    def build():
        return keras.Sequential([keras.Input(shape=shape), keras.layers.Conv2D(3, 3)])

    assert error_of(build) == ""
    with pytest.raises(ValueError, match="incompatible with the layer"):
        build().predict(np.zeros((64, 8, 8, 1)), verbose=0)


@proves(
    "Keras 3 is what `import keras` gives since TensorFlow 2.16; Keras 2 lives on as "
    "the package `tf_keras`.",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_import_keras_gives_keras_3():
    import keras as installed

    assert int(installed.__version__.split(".")[0]) == 3


@proves(
    "Keras 3 is what `import keras` gives since TensorFlow 2.16; Keras 2 lives on as "
    "the package `tf_keras`.",
    keras="<3",
    tensorflow=">=2.16",
)
def test_keras_2_lives_on_as_tf_keras():
    package = keras.Model.__module__.partition(".")[0]
    assert package == "tf_keras"
    assert importlib.import_module(package).__version__.startswith("2.")


# What `keras.Input()` returns


@proves(
    "A `KerasTensor`: a declared type, not data.",
    false_with={"make": tf.zeros},
)
def test_input_is_a_keras_tensor(make=keras.Input):
    x = make((8, 8, 1))
    assert type(x).__name__ == "KerasTensor"
    assert not isinstance(x, (np.ndarray, tf.Tensor))


@proves(
    "It has a `shape`, a `dtype`, flags for `sparse` and `ragged`, and a name.",
    false_with={"make": tf.TensorSpec},
    needs="keras>=3.9",
)
def test_attributes_of_a_keras_tensor(make=keras.Input):
    x = make(shape=(3,), name="pixels")
    assert (x.shape[-1], x.dtype, x.name) == (3, "float32", "pixels")
    for flag in ("sparse", "ragged"):
        assert getattr(x, flag, None) is False
        declared = keras.Input(shape=(3,), **{flag: True})
        assert getattr(declared, flag, None) is True


@proves(
    "It also remembers which layer made it; that record is how `keras.Model(inputs, "
    "outputs)` finds everything between the two.",
    false_with={"found": ["begin", "end"]},
)
def test_model_finds_the_layers_between(found=("begin", "middle", "end")):
    begin = keras.Input(shape=(3,), name="begin")
    middle = keras.layers.Dense(2, name="middle")(begin)
    end = keras.layers.Dense(1, name="end")(middle)
    assert end._keras_history[0].name == "end"
    model = keras.Model(begin, end)
    assert [layer.name for layer in model.layers] == list(found)


@proves(
    "Layers and `keras.ops` compute with it, and so do Python's operators: the result "
    "is a new declared type.",
    false_with={"make": tf.zeros},
    needs="keras>=3",
)
def test_layers_operations_and_operators_compute_with_it(make=keras.Input):
    x = make(shape=(8, 8, 1))
    for result in (keras.layers.Flatten()(x), keras.ops.mean(x, axis=1), x + 1.0):
        assert isinstance(result, keras.KerasTensor)
        assert result is not x


@proves(
    "It holds no numbers, so whatever needs them fails, each way with a message of its "
    "own:",
    false_with={"make": np.zeros},
)
def test_what_needs_numbers_fails(make=keras.Input):
    x, messages = make(()), set()
    for needs in (bool, float, np.sin, lambda tensor: tensor.numpy()):
        with pytest.raises(Exception) as raised:
            needs(x)
        messages.add(str(raised.value))
    assert len(messages) == 4


@proves(
    "The line with `tf.sin` is the one that breaks old code: on Keras 2 a TensorFlow "
    "function wrapped itself into a layer, on Keras 3 it refuses.",
    keras="<3",
)
def test_tensorflow_function_on_keras_2():
    x = keras.Input(shape=(3,))
    assert error_of(tf.sin, x) == ""
    model = keras.Model(x, tf.sin(x))
    assert type(model.layers[-1]).__name__ == "TFOpLambda"


@proves(
    "The line with `tf.sin` is the one that breaks old code: on Keras 2 a TensorFlow "
    "function wrapped itself into a layer, on Keras 3 it refuses.",
    keras=">=3",
    false_with={"make": tf.zeros},
)
def test_tensorflow_function_on_keras_3(make=keras.Input):
    x = make((3,))
    with pytest.raises(ValueError, match="cannot be used as input to a TensorFlow"):
        tf.sin(x)


@proves(
    "Use the function of the same name in `keras.ops`, or call the TensorFlow function "
    "inside the `call` of a layer.",
    false_with={"package": tf},
    needs="keras>=3",
)
def test_sine_in_a_model(package=None):
    class Sine(keras.layers.Layer):
        def call(self, x):
            return tf.sin(x)

    sine = (package or keras.ops).sin
    x = keras.Input(shape=(3,))
    assert error_of(sine, x) == ""
    model = keras.Model(x, [sine(x), Sine()(x)])
    for result in model(np.ones((1, 3))):
        assert np.allclose(result, np.sin(1.0))


# `Input`, `InputLayer`, `InputSpec`


@proves(
    "`keras.Input(...)` | a function | call it; you get a `KerasTensor` to pass to "
    "layers",
    false_with={"name": "InputLayer"},
)
def test_input_is_a_function(name="Input"):
    make = getattr(keras.layers, name)
    assert not isinstance(make, type)
    result = keras.layers.Dense(2)(keras.Input(shape=(3,)))
    assert type(result).__name__ == "KerasTensor"


@proves(
    "`keras.layers.InputLayer` | the layer behind that tensor | meet it in "
    "`model.layers` and in saved files",
    false_with={"name": "Input"},
)
def test_input_layer_is_the_layer_behind(name="InputLayer"):
    x = keras.Input(shape=(3,))
    layer = x._keras_history[0]
    assert type(layer).__name__ == name
    model = keras.Model(x, keras.layers.Dense(2)(x))
    assert model.layers[0] is layer
    assert '"class_name": "InputLayer"' in model.to_json()


@proves(
    "`keras.InputSpec` | what a layer demands of its inputs | read it in error "
    "messages; set it in your own layer",
    false_with={"demanded": 3},
    needs="keras>=3",
)
def test_input_spec_is_what_a_layer_demands(demanded=2):
    class Mine(keras.layers.Layer):
        input_spec = keras.InputSpec(ndim=demanded)

        def call(self, x):
            return x

    with pytest.raises(ValueError, match="expected ndim=2, found ndim=3"):
        Mine()(np.zeros((5, 4, 3)))


@proves(
    "An `InputLayer` is not a tensor, so it cannot be passed to a layer:",
    false_with={"name": "Input"},
)
def test_input_layer_is_not_a_tensor(name="InputLayer"):
    first = getattr(keras.layers, name)((3,))
    with pytest.raises((TypeError, ValueError)):
        keras.layers.Dense(2)(first)


@proves(
    "The last line raises the well-known *expected min_ndim=4, found ndim=3*.",
    false_with={"shape": (28, 28, 1)},
)
def test_expected_four_axes_found_three(shape=(28, 28)):
    x = keras.Input(shape=shape)
    with pytest.raises(ValueError, match="expected min_ndim=4, found ndim=3"):
        keras.layers.Conv2D(2, 3)(x)


@proves(
    "The `InputSpec` of `Conv2D` demands four axes, `(batch, height, width, "
    "channels)`, and a gray image without its channel axis has three.",
    false_with={"axes": 3},
)
def test_input_spec_of_conv2d_demands_four_axes(axes=4):
    layer = keras.layers.Conv2D(2, 3)
    assert layer.input_spec.min_ndim == axes
    assert len(keras.Input(shape=(28, 28)).shape) == 3
    result = layer(np.zeros((5, 28, 20, 7)))  # (batch, height, width, channels)
    assert result.shape == (5, 26, 18, 2)


@proves(
    "Write `shape=(28, 28, 1)` and feed `images[..., None]`.",
    false_with={"shape": (28, 28)},
)
def test_gray_images_with_a_channel_axis(shape=(28, 28, 1)):
    images = np.zeros((5, 28, 28))
    assert images[..., None].shape[1:] == shape
    x = keras.Input(shape=shape)
    model = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    assert model(images[..., None]).shape == (5, 26, 26, 2)


@proves(
    "A Functional model lists its InputLayer in `model.layers`.",
    false_with={"listed": ["Dense"]},
)
def test_functional_model_lists_its_input_layer(listed=("InputLayer", "Dense")):
    x = keras.Input(shape=(64,))
    model = keras.Model(x, keras.layers.Dense(10)(x))
    assert [type(layer).__name__ for layer in model.layers] == list(listed)


@proves(
    "A Sequential model has one too, and leaves it out of the list:",
    false_with={"listed": ["InputLayer", "Dense"]},
)
def test_sequential_model_leaves_its_input_layer_out(listed=("Dense",)):
    model = keras.Sequential([keras.Input(shape=(64,)), keras.layers.Dense(10)])
    assert type(model.inputs[0]._keras_history[0]).__name__ == "InputLayer"
    assert [type(layer).__name__ for layer in model.layers] == list(listed)


@proves(
    "So `model.layers[0]` is the `Dense` layer here and the `InputLayer` there.",
    false_with={"first": ["Dense", "Dense"]},
)
def test_first_layer_differs(first=("Dense", "InputLayer")):
    here = keras.Sequential([keras.Input(shape=(64,)), keras.layers.Dense(10)])
    x = keras.Input(shape=(64,))
    there = keras.Model(x, keras.layers.Dense(10)(x))
    assert [type(model.layers[0]).__name__ for model in (here, there)] == list(first)


@proves(
    'Ask by name instead: `model.get_layer("scores")`.',
    false_with={"name": "features"},
)
def test_get_layer_by_name(name="scores"):
    x = keras.Input(shape=(64,), name="features")
    layer = keras.layers.Dense(10, name="scores")
    assert keras.Model(x, layer(x)).get_layer(name) is layer
    assert keras.Sequential([x, layer]).get_layer(name) is layer


# Every spelling of a shape


@proves(
    "On Keras 3 a first layer still takes `input_shape` and `input_dim`, with a "
    "warning; the spelling with the batch, `batch_input_shape`, works for an "
    "InputLayer alone:",
    keras=">=3",
    false_with={"arguments": {}},
)
def test_input_shape_warns_on_keras_3(arguments=None):
    for given in ({"input_shape": (4,)}, {"input_dim": 4}):
        with pytest.warns(UserWarning, match="input_shape"):
            layer = keras.layers.Dense(3, **(given if arguments is None else arguments))
        assert keras.Sequential([layer]).input_shape == (None, 4)


@proves(
    "On Keras 3 a first layer still takes `input_shape` and `input_dim`, with a "
    "warning; the spelling with the batch, `batch_input_shape`, works for an "
    "InputLayer alone:",
    false_with={"argument": "input_shape"},
    needs="keras>=3",
)
def test_batch_input_shape_is_refused_on_keras_3(argument="batch_input_shape"):
    layers = keras.layers
    assert layers.InputLayer(batch_input_shape=(2, 3, 4)).batch_shape == (2, 3, 4)
    for layer, *sizes in (
        (layers.Flatten,),
        (layers.Dense, 3),
        (layers.LSTM, 3),
        (layers.Conv1D, 3, 3),
        (layers.Embedding, 9, 3),
    ):
        with pytest.raises((TypeError, ValueError), match=argument):
            layer(*sizes, **{argument: (2, 3, 4)})


@proves(
    "`keras.Input(shape=...)` works in both columns without a warning, first in the "
    "list of a Sequential model or at the start of a Functional one.",
    false_with={"seen": (32,)},
)
def test_input_first_works_without_a_warning(seen=(None, 32)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = keras.Input(shape=(32,))
        functional = keras.Model(x, keras.layers.Dense(3)(x))
        sequential = keras.Sequential([keras.Input(shape=(32,)), keras.layers.Dense(3)])
    assert functional.input_shape == sequential.input_shape == seen
    assert not [w for w in caught if "shape" in str(w.message)]


# `None`: sizes that vary


@proves(
    "`None` says: any size, known only when data comes.",
    false_with={"size": 3},
)
def test_none_is_any_size(size=None):
    x = keras.Input(shape=(size, 8))
    assert x.shape[1] is None
    model = keras.Model(x, keras.layers.Dense(2)(x))
    assert [model(np.zeros((1, n, 8))).shape[1] for n in (3, 5)] == [3, 5]


@proves(
    "A layer accepts it on an axis unless it makes weights for that axis.",
    false_with={"shape": (None, 8)},
)
def test_none_is_refused_where_weights_are_made(shape=(8, None)):
    accepted = keras.layers.Dense(2)
    accepted(keras.Input(shape=(None, 8)))
    assert accepted.kernel.shape == (8, 2)
    x = keras.Input(shape=shape)
    with pytest.raises(ValueError):
        keras.layers.Dense(2)(x)


@proves(
    "Recurrent layers make none for time, convolutions none for height and width:",
    false_with={"declared": ((5, 9), (8, 8, 2))},
)
def test_weights_without_time_height_and_width(declared=((None, 8), (None, None, 1))):
    sequence, image = (keras.Input(shape=shape) for shape in declared)
    for make, some, other in (
        (lambda: keras.layers.GRU(4), keras.Input(shape=(5, 8)), sequence),
        (lambda: keras.layers.Conv2D(4, 3), keras.Input(shape=(8, 8, 1)), image),
    ):
        first, second = make(), make()
        first(some), second(other)
        assert first.count_params() == second.count_params()


@proves(
    "`Flatten` followed by `Dense` is where it ends: the number of weights would "
    "depend on the size.",
    false_with={"name": "GlobalMaxPooling2D"},
)
def test_flatten_and_dense_need_a_size(name="Flatten"):
    def build(size):
        x = keras.Input(shape=(size, size, 1))
        flat = getattr(keras.layers, name)()(x)
        return keras.Model(x, keras.layers.Dense(10)(flat)).count_params()

    with pytest.raises(ValueError):
        build(None)
    assert build(8) != build(16)


@proves("Pool over the axis instead.", false_with={"name": "Flatten"})
def test_pooling_and_dense_need_no_size(name="GlobalMaxPooling2D"):
    def build(size):
        x = keras.Input(shape=(size, size, 1))
        flat = getattr(keras.layers, name)()(x)
        return keras.Model(x, keras.layers.Dense(10)(flat)).count_params()

    assert build(8) == build(16)
    assert build(None) == build(8)


@proves(
    "These two models accept any size:",
    false_with={"name": "digit_classifier", "arguments": ((8, 8, 1), 10)},
    needs="keras>=3",
)
def test_recipes_that_accept_any_size(name="fully_convolutional", arguments=(1, 10)):
    from snippets import input_layers

    sequences = input_layers.sequence_classifier(8, 10)
    images = getattr(input_layers, name)(*arguments)
    for size in (1, 4, 9):
        assert sequences(np.zeros((5, size, 8))).shape == (5, 10)
        batch = np.zeros((5, size, size + 1, 1))
        assert error_of(images, batch) == ""
        assert images(batch).shape == (5, 10)


@proves(
    "Sequences of different lengths in **one** array still need padding: an array has "
    "one length per axis.",
    false_with={"lengths": (5, 5)},
)
def test_different_lengths_need_padding(lengths=(3, 5)):
    sequences = [np.ones((length, 8)) for length in lengths]
    with pytest.raises(ValueError):
        np.stack(sequences)
    assert keras.utils.pad_sequences(sequences).shape == (2, 5, 8)


# Dtypes, names, and the rest of the arguments


@proves(
    "The dtype of an Input is `float32` unless you say otherwise.",
    false_with={"dtype": "float64"},
)
def test_dtype_is_float32(dtype="float32"):
    assert keras.Input(shape=(3,)).dtype == dtype
    assert keras.Input(shape=(3,), dtype="int64").dtype == "int64"


@proves(
    "What arrives in another dtype is converted: floats lose their fractions on the "
    "way into an integer Input, without a word:",
    false_with={"dtype": "float64"},
)
def test_fractions_are_lost(dtype="int32"):
    x = keras.Input(shape=(), dtype=dtype)
    model = keras.Model(x, keras.layers.Identity()(x))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = model(np.array([0.2, 1.7, -2.9])).numpy()
    assert not caught
    assert result.tolist() == [0, 1, -2]


@proves(
    '`dtype="string"` | text | feed `tf.constant(...)` or a `tf.data.Dataset`',
    false_with={"vocabulary": ["b"]},
)
def test_string_inputs(vocabulary=("a",)):
    x = keras.Input(shape=(), dtype="string")
    lookup = keras.layers.StringLookup(vocabulary=list(vocabulary))
    model, words = keras.Model(x, lookup(x)), tf.constant(["a", "?"])
    for data in (words, tf.data.Dataset.from_tensors(words)):
        assert model.predict(data, verbose=0).tolist() == [1, 0]


@proves(
    "`sparse=True` | `tf.SparseTensor` | `Dense` takes it",
    false_with={"kind": tf.Tensor},
)
def test_sparse_inputs(kind=tf.SparseTensor):
    x = keras.Input(shape=(3,), sparse=True)
    same = keras.Model(x, keras.layers.Identity()(x))
    assert isinstance(same(tf.sparse.eye(3)), kind)
    dense = keras.layers.Dense(2)
    assert np.allclose(keras.Model(x, dense(x))(tf.sparse.eye(3)), dense.kernel)


@proves(
    "`ragged=True` | `tf.RaggedTensor` | `Embedding` takes it; `LSTM` does on Keras 2 "
    "alone",
    keras="<3",
)
def test_ragged_inputs_on_keras_2():
    def outputs():
        x = keras.Input(shape=(None,), dtype="int32", ragged=True)
        embedded = keras.layers.Embedding(9, 2)(x)
        model = keras.Model(x, [embedded, keras.layers.LSTM(4)(embedded)])
        return model(tf.ragged.constant([[1, 2], [3]]))

    assert error_of(outputs) == ""
    vectors, last = outputs()
    assert isinstance(vectors, tf.RaggedTensor)
    assert last.shape == (2, 4)


@proves(
    "`ragged=True` | `tf.RaggedTensor` | `Embedding` takes it; `LSTM` does on Keras 2 "
    "alone",
    false_with={"name": "Embedding"},
    needs="tensorflow>=2.18",
    keras=">=3.9",
)
def test_ragged_inputs_on_keras_3(name="LSTM"):
    x = keras.Input(shape=(None,), dtype="int32", ragged=True)
    embedded = keras.layers.Embedding(9, 2)(x)
    model = keras.Model(x, embedded)
    vectors = model(tf.ragged.constant([[1, 2], [3]]))
    assert isinstance(vectors, tf.RaggedTensor)
    layer = keras.layers.LSTM(4) if name == "LSTM" else keras.layers.Identity()
    with pytest.raises(ValueError):
        layer(vectors)


@proves(
    "`optional=True` | an array or `None` | the layers after it must accept `None`",
    false_with={"name": "Same"},
    needs="keras>=2.16,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*",
)
def test_optional_inputs(name="Dense"):
    class Same(keras.layers.Layer):
        def call(self, x):
            return x

    x = keras.Input(shape=(3,), optional=True)
    model = keras.Model(x, Same()(x))
    assert model(None) is None
    assert model(np.zeros((1, 3))).shape == (1, 3)
    refuses = keras.layers.Dense(2) if name == "Dense" else Same()
    model = keras.Model(x, refuses(x))
    with pytest.raises((TypeError, ValueError)):
        model(None)


@proves(
    "`tensor=...` | another `KerasTensor` | shape and dtype come from there",
    false_with={"dtype": "float32"},
    needs="keras!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*,!=3.4.*,!=3.5.*,!=3.6.*",
)
def test_input_from_another_tensor(dtype="int32"):
    x = keras.Input(tensor=keras.Input(shape=(3,), dtype=dtype))
    assert tuple(x.shape) == (None, 3)
    assert x.dtype == "int32"


@proves(
    "`name=...` | what the data dict calls it | Keras 3 refuses `/` in a name",
    keras=">=3",
    false_with={"name": "my features"},
)
def test_name_of_an_input(name="my/features"):
    x = keras.Input(shape=(1,), name="age")
    model = keras.Model(x, keras.layers.Identity()(x))
    assert model({"age": np.ones((2, 1))}).shape == (2, 1)
    with pytest.raises(ValueError, match="/"):
        keras.Input(shape=(3,), name=name)


@proves(
    "Give each Input a name, and pass the inputs and the data as dicts with these "
    "names: the order cannot be wrong.",
    false_with={"names": ("income", "age")},
)
def test_a_dict_has_no_order(names=("age", "income")):
    inputs = {n: keras.Input(shape=(1,), name=n) for n in ("income", "age")}
    model = keras.Model(inputs, keras.layers.Concatenate()(list(inputs.values())))
    data = dict(zip(names, (np.array([[30.0]]), np.array([[5000.0]])), strict=True))
    assert model(data).numpy().tolist() == [[5000.0, 30.0]]


@proves(
    "In a list the order decides, and swapped inputs can pass unnoticed.",
    false_with={"swapped": False},
)
def test_a_list_has_an_order(swapped=True):
    inputs = [keras.Input(shape=(1,), name=name) for name in ("age", "income")]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    data = [np.array([[30.0]]), np.array([[5000.0]])]
    result = model(data[::-1] if swapped else data)
    assert result.numpy().tolist() == [[5000.0, 30.0]]


# Why have an Input layer at all?


@proves(
    "A subclassed model does without, and a Sequential model can.",
    false_with={"layer": "InputLayer"},
)
def test_models_without_an_input(layer="Dense"):
    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.layers.Dense(2)

        def call(self, x):
            return self.score(x)

    for model in (Mine(), keras.Sequential([keras.layers.Dense(2)])):
        assert model(np.zeros((5, 3))).shape == (5, 2)
        assert [type(part).__name__ for part in model.layers] == [layer]


@proves(
    "This was for TensorFlow placeholders, and on Keras 2 it still works.",
    keras="<3",
)
def test_input_layer_takes_a_placeholder_on_keras_2():
    def shape():
        with tf.Graph().as_default():
            placeholder = tf.compat.v1.placeholder(tf.float32, (None, 784))
            layer = keras.layers.InputLayer(input_tensor=placeholder)
            return tuple(layer.output.shape)

    assert error_of(shape) == ""
    assert shape() == (None, 784)


@proves(
    "On Keras 3 `input_tensor` must be a `KerasTensor`:",
    keras=">=3.7",
    false_with={"make": lambda shape: keras.Input(batch_shape=shape)},
)
def test_input_tensor_must_be_a_keras_tensor(
    make=lambda shape: tf.compat.v1.placeholder(tf.float32, shape),
):
    with tf.Graph().as_default():
        begin = make((None, 784))
        with pytest.raises(ValueError, match="KerasTensor"):
            keras.layers.InputLayer(input_tensor=begin)


@proves(
    "The tensor is a value; pass it on as often as you like:",
    false_with={"times": 2},
)
def test_one_input_feeds_several_branches(times=3):
    x = keras.Input(shape=(8,))
    branches = [keras.layers.Dense(2)(x) for _ in range(times)]
    model = keras.Model(x, keras.layers.Concatenate()(branches))
    assert len(model.inputs) == 1
    assert model.output_shape == (None, 6)


@proves(
    "With `input_shape` on the first layer, replacing that layer means moving the "
    "argument.",
    false_with={"arguments": {"input_shape": (3,)}},
)
def test_replaced_first_layer_lacks_its_shape(arguments=None):
    first = keras.layers.Dense(4, input_shape=(3,))
    rest = keras.layers.Dense(2)
    assert keras.Sequential([first, rest]).built
    replacement = keras.layers.Dense(5, **(arguments or {}))
    assert not keras.Sequential([replacement, keras.layers.Dense(2)]).built


@proves(
    "With an Input in front, any layer can be first:",
    false_with={"in_front": False},
    needs="keras>=3",
)
def test_any_layer_can_be_first(in_front=True):
    from snippets.input_layers import classifier_from

    layers = keras.layers
    for first in (
        *(layers.Dense(16), layers.Conv1D(16, 3), layers.LSTM(16), layers.Flatten()),
        *(layers.Dropout(0.5), layers.Rescaling(2.0), layers.LayerNormalization()),
    ):
        model = classifier_from(first, (8, 8), 10)
        if not in_front:
            model = keras.Sequential([*model.layers[:1], layers.Dense(10)])
        assert model.layers[0] is first
        assert model.built
        assert model.output_shape == (None, 10)


@proves(
    "It has weights, a summary, inputs and outputs, and can be saved:",
    false_with={"start": ()},
)
def test_model_is_whole_before_data(start=((64,),)):
    inputs = [keras.Input(shape=shape) for shape in start]
    model = keras.Sequential([*inputs, keras.layers.Dense(10)])
    assert model.built
    assert len(model.inputs) == len(model.outputs) == 1
    assert model.count_params() == 650
    model.summary(print_fn=lambda line, **kwargs: None)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/untrained.keras")
        loaded = keras.models.load_model(f"{folder}/untrained.keras")
    assert loaded.input_shape == (None, 64)


@proves(
    "Without an Input there is nothing yet: asked for its weights, Keras 2 says so, "
    "and Keras 3 returns an empty list:",
    keras="<3",
)
def test_no_weights_without_an_input_on_keras_2():
    model = keras.Sequential([keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="have not yet been created"):
        model.weights  # noqa: B018 - reading it raises


@proves(
    "Without an Input there is nothing yet: asked for its weights, Keras 2 says so, "
    "and Keras 3 returns an empty list:",
    false_with={"start": ((4,),)},
    needs="keras>=3",
)
def test_no_weights_without_an_input_on_keras_3(start=()):
    inputs = [keras.Input(shape=shape) for shape in start]
    assert keras.Sequential([*inputs, keras.layers.Dense(2)]).weights == []


# Start from the middle, or start again


@proves(
    "The output of any layer is a tensor like the one an Input gives, so a model may "
    "end there.",
    false_with={"width": 1},
)
def test_a_model_may_end_anywhere(width=4):
    x = keras.Input(shape=(3,))
    middle = keras.layers.Dense(4)(x)
    keras.layers.Dense(1)(middle)
    assert type(middle) is type(x)
    assert keras.Model(x, middle).output_shape == (None, width)


@proves(
    "This is how features are extracted from a trained network:",
    false_with={"position": 2},
    needs="keras>=3",
)
def test_features_are_extracted(position=1):
    from snippets.input_layers import digit_classifier, feature_extractor

    model = digit_classifier((8, 8, 1), 10)
    layer, images = model.layers[1], np.ones((2, 8, 8, 1), "float32")
    features = feature_extractor(model, model.layers[position].name)(images)
    assert features.shape == (2, 6, 6, 16)
    assert np.allclose(features, layer(images))


@proves(
    "And a model can be called on a new Input, like a layer.",
    false_with={"width": 3},
)
def test_a_model_can_be_called_on_a_new_input(width=2):
    begin = keras.Input(shape=(None, 3))
    inner = keras.Model(begin, keras.layers.Dense(2)(begin))
    x = keras.Input(shape=(5, 3))
    outer = keras.Model(x, inner(x))
    assert outer.output_shape == (None, 5, width)
    assert outer.layers[-1] is inner


@proves("The two models share their weights:", false_with={"copied": True})
def test_the_two_models_share_their_weights(copied=False):
    inner = keras.Sequential([keras.Input(shape=(3,)), keras.layers.Dense(2)])
    x = keras.Input(shape=(3,))
    used = keras.models.clone_model(inner) if copied else inner
    outer = keras.Model(x, used(x))
    assert outer.weights[0] is inner.weights[0]


# Let the data declare the Inputs


@proves(
    "A `tf.data` pipeline already knows names, shapes and dtypes:",
    false_with={"dtype": "float32"},
)
def test_a_pipeline_knows_names_shapes_and_dtypes(dtype="float64"):
    arrays = {"pixels": np.zeros((5, 8, 8, 1))}, np.zeros(5)
    dataset = tf.data.Dataset.from_tensor_slices(arrays).batch(2)
    features, _ = dataset.element_spec
    assert list(features) == ["pixels"]
    assert features["pixels"].shape.as_list() == [None, 8, 8, 1]
    assert features["pixels"].dtype == dtype


@proves(
    "So does a dict of arrays, such as the columns of a table.",
    false_with={"cities": (1, 2)},
    needs="keras>=3",
)
def test_a_dict_of_arrays_declares_inputs(cities=("Rome", "Oslo")):
    from snippets.input_layers import inputs_from_arrays

    table = {"age": np.array([30.0, 41.0]), "city": np.array(cities)}
    inputs = inputs_from_arrays(table)
    assert {n: x.dtype for n, x in inputs.items()} == {
        "age": "float32",
        "city": "string",
    }
    assert {x.shape for x in inputs.values()} == {(None,)}


@proves(
    "Each column then gets the preprocessing that suits its dtype: floats are "
    "normalized, strings and integers one-hot encoded.",
    false_with={"children": (0.0, 2.0)},
    needs="keras>=3",
)
def test_preprocessing_suits_the_dtype(children=(0, 2)):
    from snippets.input_layers import inputs_from_arrays, preprocess

    arrays = {
        "age": np.array([30.0, 50.0]),
        "city": np.array(["Rome", "Oslo"]),
        "children": np.array(children),
    }
    inputs = inputs_from_arrays(arrays)
    model = keras.Model(inputs, preprocess(inputs, arrays))
    rows = model({name: tf.constant(array) for name, array in arrays.items()}).numpy()
    assert np.allclose(rows[:, 0], [-1.0, 1.0])
    assert sorted(set(rows[:, 1:].ravel().tolist())) == [0.0, 1.0]
    assert rows[:, 1:].sum(axis=1).tolist() == [2.0, 2.0]


# No error, wrong result


@proves("`batch_shape=(4, 3)` declares batches of 4.", false_with={"size": None})
def test_batch_shape_declares_the_batch(size=4):
    assert tuple(keras.Input(batch_shape=(4, 3)).shape) == (size, 3)


@proves(
    "A batch of 2 is accepted all the same, by `fit` and by `predict`:",
    false_with={"rows": 4},
)
def test_a_fixed_batch_size_is_not_enforced(rows=2):
    model = keras.Sequential([keras.Input(batch_shape=(4, 3)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(np.ones((rows, 3)), np.ones((rows, 1)), verbose=0)
    assert model.input_shape == (4, 3)
    assert model.predict(np.ones((rows, 3)), verbose=0).shape == (2, 1)


@proves(
    "Keras adds a missing last axis of size 1 by itself.",
    false_with={"axes": 3},
)
def test_a_missing_last_axis_is_added(axes=4):
    x, seen = keras.Input(shape=(8, 8, 1)), []

    class See(keras.layers.Layer):
        def call(self, x):
            seen.append(tuple(x.shape))
            return x

    keras.Model(x, See()(x))(np.zeros((5, 8, 8)))
    assert len(seen[-1]) == axes
    assert seen[-1] == (5, 8, 8, 1)


@proves(
    "An image of shape `(8, 8, 1)` without its batch axis so becomes 8 images of 8 × 1 "
    "pixels, and a network that accepts any size answers for each:",
    false_with={"answers": 1},
)
def test_an_unbatched_image_is_read_as_8_images(answers=8):
    x = keras.Input(shape=(None, None, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(x, keras.layers.Dense(10)(pooled))
    image = np.arange(64.0).reshape(8, 8, 1)
    assert model.predict(image, verbose=0).shape == (answers, 10)
    as_rows = image[:, :, None, :]  # 8 images of 8 x 1 pixels
    assert np.allclose(model(image), model(as_rows))


@proves(
    "One digit went in, eight answers came out.",
    false_with={"shape": (1, 8, 8, 1)},
    needs="keras>=3",
)
def test_one_digit_eight_answers(shape=(8, 8, 1)):
    from snippets.input_layers import fully_convolutional

    network = fully_convolutional(num_channels=1, num_classes=10)
    assert network.predict(np.ones(shape), verbose=0).shape == (8, 10)


@proves(
    "A `Flatten` or an unpadded convolution on the way raises an error, though one "
    "that names neither the batch nor the image.",
    false_with={"padding": "same"},
)
def test_other_layers_refuse_an_unbatched_image(padding="valid"):
    layers = keras.layers
    for stack in (
        [layers.Flatten(), layers.Dense(10)],
        [layers.Conv2D(4, 3, padding=padding), layers.GlobalMaxPooling2D()],
    ):
        model = keras.Sequential([keras.Input(shape=(8, 8, 1)), *stack])
        with pytest.raises(ValueError) as raised:
            model.predict(np.ones((8, 8, 1)), verbose=0)
        message = str(raised.value).lower()
        assert "batch" not in message
        assert "image" not in message


@proves(
    "Given one image after a batch, the `predict` of a convolutional network raises an "
    "error on Keras 3; on Keras 2 it ends the whole process if TensorFlow uses oneDNN.",
    needs="keras<3",
    false_with={"onednn": "0"},
)
def test_image_after_a_batch_on_keras_2(onednn="1"):
    code = """
import numpy as np
from tensorflow import keras
layers = [keras.layers.Conv2D(4, 3, padding="same"), keras.layers.Flatten()]
model = keras.Sequential([keras.Input(shape=(8, 8, 1)), *layers])
batch = np.ones((3, 8, 8, 1), "float32")
model.predict(batch, verbose=0)
model.predict(batch[0], verbose=0)
"""
    variables = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn}
    run = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True
    )
    assert run.returncode == -signal.SIGABRT


@proves(
    "Given one image after a batch, the `predict` of a convolutional network raises an "
    "error on Keras 3; on Keras 2 it ends the whole process if TensorFlow uses oneDNN.",
    needs="keras>=3",
    false_with={"which": slice(0, 1)},
)
def test_image_after_a_batch_on_keras_3(which=0):
    for padding in ("same", "valid"):
        layer = keras.layers.Conv2D(4, 3, padding=padding)
        model = keras.Sequential(
            [keras.Input(shape=(8, 8, 1)), layer, keras.layers.Flatten()]
        )
        batch = np.ones((3, 8, 8, 1), "float32")
        model.predict(batch, verbose=0)
        assert "ValueError" in error_of(model.predict, batch[which], None, 0)


@proves(
    "This model wants two numbers and three numbers; handed over in the wrong order, "
    "they are refused:",
    false_with={"order": (0, 1)},
)
def test_swapped_inputs_are_refused_at_first(order=(1, 0)):
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(3,))]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    data = [np.zeros((1, 2)), np.ones((1, 3))]
    with pytest.raises(ValueError, match="incompatible with the layer"):
        model.predict([data[i] for i in order], verbose=0)


@proves(
    "`predict` traces again with looser shapes, and the check is gone:",
    false_with={"seen": [[0, 0, 1, 1, 1]]},
)
def test_swapped_inputs_pass_on_a_used_model(seen=((1, 1, 1, 0, 0),)):
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(3,))]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    zeros, ones = np.zeros((1, 2)), np.ones((1, 3))
    model.predict([zeros, ones], verbose=0)
    wrong = model.predict([ones, zeros], verbose=0)
    assert wrong.tolist() == [list(row) for row in seen]


@proves(
    "A dict with names cannot be swapped, except on Keras 3.4 to 3.6: they sort it by "
    "name before they hand it to a list of Inputs.",
    keras="!=3.4.*,!=3.5.*,!=3.6.*",
    false_with={"names": ("two", "three")},
)
def test_a_dict_cannot_be_swapped(names=("three", "two")):
    sizes = {"two": 2, "three": 3}
    inputs = [keras.Input(shape=(size,), name=name) for name, size in sizes.items()]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    zeros, ones = np.zeros((1, 2)), np.ones((1, 3))
    model.predict({"two": zeros, "three": ones}, verbose=0)
    data = dict(zip(names, (ones, zeros), strict=True))
    result = model.predict(data, verbose=0)
    assert result.tolist() == [[0.0, 0.0, 1.0, 1.0, 1.0]]


@proves(
    "A dict with names cannot be swapped, except on Keras 3.4 to 3.6: they sort it by "
    "name before they hand it to a list of Inputs.",
    keras=">=3.4,<3.7",
    false_with={"names": ("a", "b")},
)
def test_a_dict_was_sorted_by_name(names=("b", "a")):
    inputs = [keras.Input(shape=(1,), name=name) for name in names]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    data = {names[0]: np.zeros((1, 1)), names[1]: np.ones((1, 1))}
    assert model(data).numpy().tolist() == [[1.0, 0.0]]


@proves(
    "`Flatten` makes the same 64 numbers of an image of 8 × 8 and of one of 4 × 16, "
    "and on Keras 3 a Sequential model lets both in.",
    false_with={"wide": (1, 4, 15, 1)},
    needs="keras>=3",
)
def test_sequential_model_lets_another_size_in(wide=(1, 4, 16, 1)):
    model = keras.Sequential([keras.Input(shape=(8, 8, 1)), keras.layers.Flatten()])
    for shape in ((1, 8, 8, 1), wide):
        assert model(np.zeros(shape)).shape == (1, 64)


@proves(
    "A Functional model of the same layers does not:",
    false_with={"shape": (1, 8, 8, 1)},
)
def test_functional_model_keeps_another_size_out(shape=(1, 4, 16, 1)):
    x = keras.Input(shape=(8, 8, 1))
    model = keras.Model(x, keras.layers.Flatten()(x))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        model(np.zeros(shape))


@proves(
    "Comparisons of an Input give a tensor of booleans, on Keras 3 all but one:",
    keras=">=3",
)
def test_comparisons_give_booleans_on_keras_3():
    x = keras.Input(shape=(3,))
    for result in (x > 0, x >= 0, x < 0, x <= 0, x != 0):
        assert result.dtype == "bool"
        assert result.shape == (None, 3)
    assert (x == 0) is False


@proves(
    "Comparisons of an Input give a tensor of booleans, on Keras 3 all but one:",
    keras="<3",
)
def test_comparisons_give_booleans_on_keras_2():
    x = keras.Input(shape=(3,))
    for result in (x > 0, x >= 0, x < 0, x <= 0, x != 0, x == 0):
        assert getattr(result, "dtype", None) == "bool"


def equal_in_the_graph(x, y):
    return keras.ops.equal(x, y)


@proves(
    "On Keras 3 `==` asks whether two declared types are the same object, so "
    "`keras.ops.where(x == 0, ...)` never takes the first branch.",
    false_with={"equal": equal_in_the_graph},
    needs="keras>=3",
)
def test_equals_zero_is_false_on_keras_3(equal=operator.eq):
    x, other = keras.Input(shape=(3,)), keras.Input(shape=(3,))
    assert (equal(x, x), equal(x, other), equal(x, 0)) == (True, False, False)
    model = keras.Model(x, x + keras.ops.where(equal(x, 0), 1.0, 2.0))
    assert model(np.zeros((1, 3))).numpy().tolist() == [[2.0, 2.0, 2.0]]


@proves(
    "Write `keras.ops.equal(x, 0)`.",
    false_with={"equal": operator.eq},
    needs="keras>=3",
)
def test_equal_compares_values(equal=equal_in_the_graph):
    x = keras.Input(shape=(3,))
    chosen = keras.ops.where(equal(x, 0), 1.0, 2.0)
    model = keras.Model(x, chosen + 0.0 * x)
    assert model(np.array([[0.0, 5.0, 0.0]])).numpy().tolist() == [[1.0, 2.0, 1.0]]


@proves(
    "This recipe returns an array that a model can be fed with.",
    false_with={"shape": (5, 8, 8)},
    needs="keras>=3",
)
def test_check_returns_a_good_array(shape=(5, 8, 8, 1)):
    from snippets.input_layers import check_array, digit_classifier

    model, images = digit_classifier(), np.zeros(shape)
    assert error_of(check_array, model, images) == ""
    assert check_array(model, images) is images
    assert model.predict(images, verbose=0).shape == (5, 10)


@proves(
    "Of any other it says in one sentence what is wrong and how to fix it:",
    false_with={"given": lambda array: np.zeros((5, 8, 8, 1))},
    needs="keras>=3",
)
def test_check_says_what_is_wrong(given=np.asarray):
    from snippets.input_layers import check_array, digit_classifier

    images = np.zeros((5, 8, 8, 1))
    for wrong, problem in (
        (images[0], "one unbatched example: add a batch axis"),
        (images[..., 0], "lacks the last axis of size 1: add it"),
        (images.transpose(0, 3, 1, 2), "has its channels first: use"),
    ):
        assert problem in error_of(check_array, digit_classifier(), given(wrong))

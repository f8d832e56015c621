"""Proofs of the Input layers guide."""

import operator
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_input_layers import error_of

# What an Input is


@proves(
    "A Sequential or Functional model begins at its Input layer, and `keras.Input` "
    "says what one example looks like: its shape and its dtype.",
    false_with={"dtype": "float32"},
)
def test_input_declares_shape_and_dtype(dtype="int32"):
    x = keras.Input(shape=(64,), dtype=dtype)
    assert tuple(x.shape)[1:] == (64,)
    assert x.dtype == "int32"


def operations(call):
    """What TensorFlow computes when it calls something on rows of 3 numbers."""
    traced = tf.function(lambda x: call(x))
    graph = traced.get_concrete_function(tf.TensorSpec((None, 3))).graph
    return sorted(operation.type for operation in graph.get_operations())


@proves(
    "The Input layer has no weights and costs nothing at run time: data of the "
    "declared dtype passes through it without any operation.",
    false_with={"make": lambda: keras.layers.Rescaling(2.0)},
)
def test_an_input_costs_nothing(make=lambda: keras.layers.InputLayer((3,))):
    first, dense = make(), keras.layers.Dense(2)
    model = keras.Sequential([first, dense])
    model(np.ones((1, 3), "float32"))
    assert first.count_params() == 0
    assert model.count_params() == 3 * 2 + 2
    assert operations(model) == operations(dense)


@proves(
    "Put the shape of **one example** in `shape`, without the batch, and "
    "`None` for a size that varies.",
    false_with={"shape": (32, None, 8)},
)
def test_shape_is_of_one_example(shape=(None, 8)):
    x = keras.Input(shape=shape)
    assert tuple(x.shape) == (None, None, 8)
    model = keras.Model(x, keras.layers.GRU(4)(x))
    for length in (3, 5):
        assert model(np.zeros((32, length, 8))).shape == (32, 4)


@proves(
    "The summary shows one axis more than `shape` has: Keras put `None` in "
    "front, and it stands for a batch of any size.",
    false_with={"options": {"batch_size": 4}},
)
def test_none_in_front_is_a_batch_of_any_size(options=()):
    for shape in ((784,), (5, 8), (4, 4, 1)):
        x = keras.Input(shape=shape, **dict(options))
        assert tuple(x.shape) == (None, *shape)
        model, lines = keras.Model(x, keras.layers.Dense(10)(x)), []
        model.summary(print_fn=lambda line, **kwargs: lines.append(line))  # noqa: B023 - at once
        assert str((None, *shape)) in "".join(lines)
        for batch_size in (1, 7):
            data = np.zeros((batch_size, *shape))
            assert model(data).shape == (batch_size, *shape[:-1], 10)


@proves(
    "Functional | always | `keras.Model` raises: there is nothing to start from",
    false_with={"start": keras.Input},
)
def test_functional_needs_an_input(start=np.zeros):
    begin = start((1, 3))
    end = keras.layers.Dense(2)(begin)
    with pytest.raises(Exception):  # noqa: B017 - its type differs by version
        keras.Model(begin, end)


@proves(
    "Sequential | recommended, first in the list | no weights until the model has "
    "been called or built",
    false_with={"start": ((3,),)},
)
def test_sequential_has_weights(start=()):
    def fresh():
        inputs = [keras.Input(shape=shape) for shape in start]
        return keras.Sequential([*inputs, keras.layers.Dense(2)])

    for prepare in (
        lambda model: model(np.zeros((5, 3))),
        lambda model: model.build((None, 3)),
    ):
        model = fresh()
        assert model.layers[0].weights == []
        prepare(model)
        assert len(model.weights) == 2


@proves(
    "subclassed | no | unless the class has a `build`, its layers have no weights "
    "until you call the model, and `call` gets the data itself",
    false_with={"begin": keras.Input},
)
def test_subclassed_has_no_input(begin=np.ones):
    seen = []

    class Mine(keras.Model):
        def __init__(self):
            super().__init__()
            self.score = keras.layers.Dense(2)

        def call(self, x):
            seen.append(x)
            return self.score(x)

    model = Mine()
    before = list(model.score.weights)
    model(begin((3, 3)))
    assert (before, len(model.score.weights)) == ([], 2)
    assert [type(layer).__name__ for layer in model.layers] == ["Dense"]
    assert hasattr(seen[-1], "numpy")
    assert np.array_equal(seen[-1].numpy(), np.ones((3, 3)))


# What `shape` is for your data


@proves(
    "a number | `()`, or `(1,)` before `Dense` | `(None,)`, or `(None, 1)`",
    false_with={"shape": (1,)},
)
def test_shape_of_a_number(shape=()):
    numbers = np.zeros(5)
    assert numbers.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None,)
    dense = keras.layers.Dense(2)
    assert error_of(dense, keras.Input(shape=())) != ""
    assert error_of(dense, keras.Input(shape=(1,))) == ""
    assert tuple(keras.Input(shape=(1,)).shape) == (None, 1)


@proves(
    "a row of 13 columns | `(13,)` | `(None, 13)`",
    false_with={"shape": (13, 1)},
)
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
    "a time series of any length, 128 numbers a step | `(None, 128)` | "
    "`(None, None, 128)`",
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
    "Gray images often come without a channel, as whole numbers from 0 to "
    "255. Add the channel axis and divide by 255 first; then take the "
    "shape:",
    false_with={"scale": 1},
)
def test_gray_images_get_a_channel(scale=255):
    x_train = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype("uint8")
    x_train = x_train[..., None].astype("float32") / scale
    x = keras.Input(shape=x_train.shape[1:])
    model = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    assert model(x_train).shape == (5, 26, 26, 2)
    assert 0 <= x_train.min() < x_train.max() <= 1


def reader_of_strings():
    words = keras.layers.StringLookup(vocabulary=["Oslo", "Rome"])
    x = keras.Input(shape=(), dtype="string")
    model = keras.Model(x, keras.layers.Embedding(3, 2)(words(x)))
    model.compile("sgd", "mse")
    return model


@proves(
    "On TensorFlow, the backend of this site, pass strings to `fit` and `predict` "
    'as a tensor, such as `tf.constant(["Rome", "Oslo"])`.',
    false_with={"convert": list},
)
def test_strings_as_a_tensor(convert=tf.constant):
    cities, model = convert(["Rome", "Oslo"]), reader_of_strings()
    assert error_of(model.fit, cities, np.zeros((2, 2)), verbose=0) == ""
    assert model.predict(cities, verbose=0).shape == (2, 2)


@proves(
    'On Keras 3 the list `["Rome", "Oslo"]` raises `Unrecognized data '
    "type`, and a NumPy array of strings raises `Invalid dtype: str128` "
    "(the number varies).",
    keras=">=3",
    false_with={"convert": tf.constant},
)
def test_strings_as_a_list_or_an_array(convert=np.array):
    cities, model = ["Rome", "Oslo"], reader_of_strings()
    for use in (model.predict, lambda x, **options: model.fit(x, x, **options)):
        assert "Unrecognized data type" in error_of(use, cities, verbose=0)
        assert "Invalid dtype: str128" in error_of(use, convert(cities), verbose=0)
        longer = convert(["Rome", "London"])
        assert "Invalid dtype: str192" in error_of(use, longer, verbose=0)


@proves(
    "An array of dtype `object`, as pandas gives for a column of strings, works "
    "if it has one axis and no empty cell; otherwise Keras 3.9 and later raise "
    "`Invalid dtype: object`.",
    false_with={"cell": None},
)
def test_object_arrays_of_one_axis(cell="Oslo"):
    cities, model = np.array(["Rome", cell], object), reader_of_strings()
    assert error_of(model.fit, cities, np.zeros((2, 2)), verbose=0) == ""
    assert model.predict(cities, verbose=0).shape == (2, 2)


@proves(
    "An array of dtype `object`, as pandas gives for a column of strings, works "
    "if it has one axis and no empty cell; otherwise Keras 3.9 and later raise "
    "`Invalid dtype: object`.",
    keras=">=3.9",
    false_with={"dtype": str},
)
def test_other_object_arrays(dtype=object):
    model = reader_of_strings()
    for rows in (["Rome", np.nan], ["Rome", None], [["Rome"], ["Oslo"]]):
        cities = np.array(rows, dtype)
        for use in (model.predict, lambda x, **options: model.fit(x, x, **options)):
            assert "Invalid dtype: object" in error_of(use, cities, verbose=0)


# The batch axis is never part of `shape`


@proves(
    "Many pages say that in `input_shape=(None, 100)`, `None` is the batch size. "
    "It is not: Keras adds the batch axis in front of what `input_shape` or "
    "`shape` says.",
    false_with={"argument": "batch_shape"},
)
def test_none_in_shape_is_not_the_batch(argument="shape"):
    for shape in ((None, 100), (7, 100), (None, None)):
        layer = keras.layers.Activation("relu", input_shape=shape)
        assert keras.Sequential([layer]).input_shape == (None, *shape)
        assert tuple(keras.Input(**{argument: shape}).shape) == (None, *shape)


@proves(
    "So `(None, 100)` declares sequences of any length with 100 features:",
    false_with={"shape": (100,)},
)
def test_none_100_is_a_sequence_of_any_length(shape=(None, 100)):
    x = keras.Input(shape=shape)
    assert len(x.shape) == 3
    model = keras.Model(x, keras.layers.SimpleRNN(2)(x))
    for length in (3, 7):
        assert model(np.zeros((5, length, 100))).shape == (5, 2)


@proves(
    "A vector of 100 features is `(100,)`:",
    false_with={"shape": (None, 100)},
)
def test_a_vector_of_100_features(shape=(100,)):
    vectors = np.zeros((5, 100))
    assert vectors.shape[1:] == shape
    assert tuple(keras.Input(shape=shape).shape) == (None, *vectors.shape[1:])


@proves(
    "The batch size itself does not belong in `shape` either: `shape=(32, 8, "
    "8, 1)` declares five axes.",
    false_with={"shape": (8, 8, 1)},
)
def test_batch_size_in_shape_is_one_axis_too_many(shape=(32, 8, 8, 1)):
    assert len(keras.Input(shape=shape).shape) == 5


@proves(
    "A layer with `stateful=True`, such as an `LSTM`, has to know the batch size: "
    "write `keras.Input(shape=(8, 3), batch_size=32)`, or pass the whole shape, "
    "batch included, as `batch_shape`.",
    false_with={"size": ("dtype", "float32")},
)
def test_batch_size_has_its_own_argument(size=("batch_size", 32)):
    first = keras.Input(shape=(8, 3), **dict([size]))
    for x in (first, keras.Input(batch_shape=(32, 8, 3))):
        assert tuple(x.shape) == (32, 8, 3)
        stateful = keras.layers.LSTM(2, stateful=True)
        model = keras.Model(x, stateful(x))
        model(np.ones((32, 8, 3)))
        assert tuple(stateful.states[0].shape) == (32, 2)
    unknown = keras.Input(shape=(8, 3))
    assert error_of(keras.layers.LSTM(2, stateful=True), unknown) != ""


@proves(
    "One example alone needs a batch axis of size 1 in front: write "
    "`images[0][None, ...]`.",
    false_with={"place": ...},
)
def test_one_example_is_a_batch_of_1(place=(None, ...)):
    images = np.zeros((5, 8, 8, 3))
    x = keras.Input(shape=(8, 8, 3))
    model = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    assert error_of(model, images[0]) != ""
    assert error_of(model, images[0][place]) == ""
    assert model(images[0][place]).shape == (1, 6, 6, 2)


# What `keras.Input()` returns


@proves(
    "It returns a `KerasTensor`, which describes data to come: a shape and a "
    "dtype, and no numbers.",
    false_with={"make": tf.zeros},
)
def test_input_is_a_keras_tensor(make=keras.Input):
    x = make((8, 8, 1))
    assert type(x).__name__ == "KerasTensor"
    assert tuple(x.shape) == (None, 8, 8, 1)
    assert x.dtype == "float32"
    assert "AttributeError" in error_of(lambda: x.numpy())


@proves(
    "Layers, `keras.ops` and Python's arithmetic accept it, and give a new "
    "`KerasTensor`:",
    false_with={"make": tf.zeros},
    needs="keras>=3",
)
def test_layers_operations_and_operators_compute_with_it(make=keras.Input):
    x = make(shape=(8, 8, 1))
    for result in (keras.layers.Flatten()(x), keras.ops.mean(x, axis=1), x + 1.0):
        assert isinstance(result, keras.KerasTensor)
        assert result is not x


@proves(
    "What needs numbers fails: `if x > 0`, `float(x)` and functions of NumPy.",
    false_with={"make": np.zeros},
)
def test_what_needs_numbers_fails(make=keras.Input):
    x = make(())
    for needs in (lambda x: 1 if x > 0 else 2, float, np.sin, np.mean, np.array):
        assert error_of(needs, x) != ""


@proves(
    "On Keras 3 functions of TensorFlow fail too, but `x == 0` is `False`, without an "
    "error.",
    keras=">=3",
    false_with={"make": tf.zeros},
)
def test_tensorflow_function_on_keras_3(make=keras.Input):
    x = make((3,))
    for function in (
        *(tf.sin, tf.shape, tf.reduce_mean, tf.zeros_like, tf.nn.softmax),
        lambda x: tf.reshape(x, (-1,)),
        lambda x: tf.concat([x, x], 0),
        lambda x: tf.cast(x, "int32"),
    ):
        message = error_of(function, x)
        assert "cannot be used as input to a TensorFlow function" in message
    assert (x == 0) is False


@proves(
    "A `KerasTensor` remembers which layer made it, and `keras.Model(inputs, "
    "outputs)` follows these records from the outputs back to the inputs.",
    false_with={"start": "middle"},
)
def test_model_finds_the_layers_between(start="begin"):
    tensors = {"begin": keras.Input(shape=(3,), name="begin")}
    tensors["middle"] = keras.layers.Dense(2, name="middle")(tensors["begin"])
    tensors["end"] = keras.layers.Dense(1, name="end")(tensors["middle"])
    keras.layers.Dense(1, name="aside")(tensors["middle"])
    for name, tensor in tensors.items():
        assert tensor._keras_history[0].name == name
    model = keras.Model(tensors[start], tensors["end"])
    assert [layer.name for layer in model.layers] == ["begin", "middle", "end"]


@proves(
    "The two ends stay in `model.inputs` and `model.outputs`, as lists.",
    false_with={"depth": 1},
)
def test_model_keeps_its_ends(depth=2):
    begin = keras.Input(shape=(3,))
    first = keras.layers.Dense(2)(begin)
    tensors = [begin, first, keras.layers.Dense(1)(first)]
    model = keras.Model(begin, tensors[depth])
    assert isinstance(model.inputs, list)
    assert isinstance(model.outputs, list)
    (start,), (end,) = model.inputs, model.outputs
    assert start is begin
    assert end is tensors[-1]


@proves(
    "`[(x.name, x.shape, x.dtype) for x in model.inputs]` gives the name, shape and "
    "dtype of each input; Keras makes the name up unless you gave one.",
    false_with={"name": None},
)
def test_loaded_model_says_what_it_expects(name="tokens"):
    tokens = keras.Input(shape=(None,), dtype="int32", name=name)
    stars = keras.Input(shape=(3,), name="stars")
    counts = keras.layers.GlobalMaxPooling1D()(keras.layers.Embedding(9, 2)(tokens))
    model = keras.Model([tokens, stars], keras.layers.Concatenate()([counts, stars]))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    first, second = [(x.name, tuple(x.shape), x.dtype) for x in loaded.inputs]
    assert first == ("tokens", (None, None), "int32")
    assert second == ("stars", (None, 3), "float32")


@proves(
    "The record is the private attribute `_keras_history` that old code "
    "reads: a layer, the number of the call, and the number of the output.",
    false_with={"calls": 1},
)
def test_keras_history_is_layer_call_and_output(calls=2):
    layer, x = keras.layers.GRU(2, return_state=True), keras.Input(shape=(4, 3))
    for _ in range(calls):
        _, state = layer(x)
    made_by, call, output = state._keras_history
    assert made_by is layer
    assert (call, output) == (1, 1)


# `Input`, `InputLayer`, `InputSpec`


@proves(
    "`keras.Input(...)` | a function | call it; you get a `KerasTensor` to "
    "pass to layers",
    false_with={"name": "InputLayer"},
)
def test_input_is_a_function(name="Input"):
    make = getattr(keras.layers, name)
    assert not isinstance(make, type)
    result = keras.layers.Dense(2)(keras.Input(shape=(3,)))
    assert type(result).__name__ == "KerasTensor"


@proves(
    "`keras.layers.InputLayer` | the layer that made this tensor | meet it in "
    "`model.layers` and in saved files",
    false_with={"depth": 1},
)
def test_input_layer_is_the_layer_behind(depth=0):
    x = keras.Input(shape=(3,))
    for _ in range(depth):
        x = keras.layers.Dense(3)(x)
    layer = x._keras_history[0]
    assert isinstance(layer, keras.layers.InputLayer)
    model = keras.Model(x, keras.layers.Dense(2)(x))
    assert model.layers[0] is layer
    assert '"class_name": "InputLayer"' in model.to_json()


@proves(
    "`keras.InputSpec` | what a layer demands of its inputs | in your own layer "
    "set `self.input_spec = keras.InputSpec(ndim=2)`",
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
    "You never have to write `keras.layers.InputLayer((784,))` yourself: "
    "`keras.Input((784,))` makes the same layer, in a Sequential model too.",
    false_with={"name": "Reshape"},
)
def test_input_layer_in_a_sequential_model(name="InputLayer"):
    x, dense = keras.Input((784,)), keras.layers.Dense
    written = keras.Sequential([keras.layers.InputLayer((784,)), dense(10)])
    for model in (
        keras.Model(x, dense(10)(x)),
        keras.Sequential([keras.Input((784,)), dense(10)]),
    ):
        first = model.inputs[0]._keras_history[0]
        assert isinstance(first, getattr(keras.layers, name))
        same = written.inputs[0]._keras_history[0].get_config()
        assert {**first.get_config(), "name": ""} == {**same, "name": ""}
        assert model.input_shape == written.input_shape == (None, 784)


@proves(
    "A Functional model shows its InputLayer in `model.layers`, and a "
    "Sequential model hides it.",
    false_with={"kinds": ("Functional", "Functional")},
)
def test_input_layer_is_listed_or_hidden(kinds=("Functional", "Sequential")):
    listed = []
    for kind in kinds:
        x, layer = keras.Input(shape=(64,)), keras.layers.Dense(10)
        if kind == "Sequential":
            model = keras.Sequential([x, layer])
        else:
            model = keras.Model(x, layer(x))
        assert isinstance(model.inputs[0]._keras_history[0], keras.layers.InputLayer)
        listed.append([type(part).__name__ for part in model.layers])
    assert listed == [["InputLayer", "Dense"], ["Dense"]]


@proves(
    'So ask for a layer by its name, `model.get_layer("scores")`, rather than '
    "by its place.",
    false_with={"name": "features"},
)
def test_get_layer_by_name(name="scores"):
    x = keras.Input(shape=(64,), name="features")
    layer = keras.layers.Dense(10, name="scores")
    assert keras.Model(x, layer(x)).get_layer(name) is layer
    assert keras.Sequential([x, layer]).get_layer(name) is layer


# `None`: sizes that vary


@proves(
    "Convolutions accept any height and width that their kernel fits in, recurrent "
    "layers and attention any number of steps, and global pooling gives a fixed size "
    "after them.",
    false_with={"declared": 8},
)
def test_layers_that_accept_any_size(declared=None):
    layers = keras.layers

    def attend(x):
        return layers.MultiHeadAttention(2, 4)(x, x)

    def shapes(start, *calls, sizes):
        x = begin = keras.Input(shape=start)
        for call in calls:
            x = call(x)
        model = keras.Model(begin, x)
        data = [np.zeros((2, *size, start[-1])) for size in sizes]
        assert [error_of(model, array) for array in data] == [""] * len(data)
        return {tuple(model(array).shape) for array in data}

    pool, sizes = layers.GlobalAveragePooling1D(), ((1,), (9,))
    for call in (layers.GRU(4), layers.LSTM(4), layers.SimpleRNN(4)):
        assert shapes((declared, 8), call, sizes=sizes) == {(2, 4)}
    for call in (attend, layers.Conv1D(8, 3, padding="same")):
        assert shapes((declared, 8), call, pool, sizes=sizes) == {(2, 8)}
    pool, sizes = layers.GlobalMaxPooling2D(), ((1, 9), (8, 8))
    for call in (
        *(layers.Conv2D(4, 3, padding="same"), layers.SeparableConv2D(4, 1)),
        *(layers.DepthwiseConv2D(1, depth_multiplier=4), layers.Conv2DTranspose(4, 2)),
    ):
        start = (declared, declared, 1)
        assert shapes(start, call, pool, sizes=sizes) == {(2, 4)}


@proves(
    "Here are two classifiers for inputs of any size:",
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
    "An axis that decides how many weights a layer has cannot be `None`.",
    false_with={"size": 8},
)
def test_none_is_refused_where_weights_are_made(size=None):
    layers = keras.layers
    for layer, shape in (
        (layers.Dense(2), (8, size)),
        (layers.GRU(2), (8, size)),
        (layers.LSTM(2), (8, size)),
        (layers.Conv1D(2, 3), (8, size)),
        (layers.Conv2D(2, 3), (8, 8, size)),
        (layers.BatchNormalization(), (8, size)),
        (layers.LayerNormalization(), (8, size)),
        (layers.PReLU(), (8, size)),
    ):
        assert error_of(layer, keras.Input(shape=shape)) != ""


@proves(
    "`Flatten` before `Dense` is the usual case: the number of weights would "
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


@proves(
    "Use global pooling in place of `Flatten`.",
    false_with={"name": "Flatten"},
)
def test_pooling_and_dense_need_no_size(name="GlobalMaxPooling2D"):
    def build(size):
        x = keras.Input(shape=(size, size, 1))
        flat = getattr(keras.layers, name)()(x)
        return keras.Model(x, keras.layers.Dense(10)(flat)).count_params()

    assert build(8) == build(16)
    assert build(None) == build(8)


@proves(
    "Pad sequences of different lengths with "
    '`keras.utils.pad_sequences(sequences, padding="post", '
    'dtype="float32")`; without the dtype it drops the fractions, which is '
    "right for tokens only.",
    false_with={"lengths": (5, 5)},
)
def test_different_lengths_need_padding(lengths=(3, 5)):
    sequences = [np.full((length, 8), 0.5) for length in lengths]
    with pytest.raises(ValueError):
        np.stack(sequences)
    pad = keras.utils.pad_sequences
    padded = pad(sequences, padding="post", dtype="float32")
    assert padded.shape == (2, 5, 8)
    assert padded[0, :3].min() == 0.5
    assert padded[0, 3:].max() == 0
    assert pad(sequences).max() == 0


@proves(
    "A recurrent layer reads the padding as more steps, without an error, "
    "unless a mask hides it, such as that of `keras.layers.Masking`: "
    "Padding and masks.",
    false_with={"hidden": (True, True)},
)
def test_a_recurrent_layer_reads_the_padding(hidden=(False, True)):
    short = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")
    padded = np.pad(short, [(0, 0), (0, 4), (0, 0)], constant_values=-9.0)
    for kind in ("GRU", "LSTM", "SimpleRNN"):
        steps = keras.Input(shape=(None, 8))
        masked = keras.layers.Masking(-9.0)(steps)
        layer, same = getattr(keras.layers, kind)(4), []
        for is_hidden in hidden:
            model = keras.Model(steps, layer(masked if is_hidden else steps))
            same.append(np.allclose(model(short), model(padded), atol=1e-5))
        assert same == [False, True]


# Dtypes and names


@proves(
    "The dtype is `keras.config.floatx()`, unless you pass another: `float32` "
    "by default.",
    false_with={"options": {"dtype": "float32"}},
    needs="keras>=3",
)
def test_dtype_is_floatx(options=()):
    assert keras.config.floatx() == "float32"
    try:
        for floatx in ("float32", "float64", "float16"):
            keras.config.set_floatx(floatx)
            assert keras.Input(shape=(3,), **dict(options)).dtype == floatx
            assert keras.Input(shape=(3,), dtype="int64").dtype == "int64"
    finally:
        keras.config.set_floatx("float32")


def first_layer(model, data):
    return model.layers[-2](data)


@proves(
    "When you call a Functional model, it checks the shape of the data; on Keras 3 "
    "a Sequential model checks how many axes there are. Both models convert a copy "
    "of `float64` or integers to this dtype. `fit` and `predict` convert every "
    "batch, but check shapes only when TensorFlow makes a graph of the model, as "
    "for the first batch.",
    false_with={"use": first_layer},
    needs="keras>=3",
)
def test_the_model_checks_and_converts(use=lambda model, data: model(data)):
    seen = []

    class See(keras.layers.Layer):
        def call(self, x):
            seen.append(tf.as_dtype(x.dtype).name)
            return x

    def fit(model, x, **options):
        return model.fit(x, np.ones((2, 1)), **options)

    x, dense = keras.Input(shape=(3,)), keras.layers.Dense
    for model in (
        keras.Model(x, dense(1)(See()(x))),
        keras.Sequential([keras.Input(shape=(3,)), See(), dense(1)]),
    ):
        for dtype in ("float64", "int64", "uint8"):
            data = np.ones((2, 3), dtype)
            seen.clear()
            use(model, data)
            assert set(seen) == {"float32"}
            assert data.dtype == dtype
            seen.clear()
            assert error_of(use, model, np.ones((2, 3, 2), dtype)) != ""
            assert seen == []
        model.compile("sgd", "mse", run_eagerly=False)
        for run in (type(model).predict, fit):
            seen.clear()
            run(model, data, verbose=0)
            assert set(seen) == {"float32"}
            seen.clear()
            run(model, data, verbose=0)
            assert seen == []
    whole = keras.Model(x, See()(x))
    assert error_of(use, whole, np.ones((2, 3))) == ""
    assert error_of(use, whole, np.ones((2, 4))) != ""


@proves(
    "There is no warning and no scaling: `uint8` pixels arrive as 0.0 to 255.0.",
    false_with={"layer": lambda: keras.layers.Rescaling(1 / 255)},
)
def test_pixels_are_not_scaled(layer=keras.layers.Identity):
    x = keras.Input(shape=(2,))
    model = keras.Model(x, layer()(x))
    pixels = np.array([[0, 255]], "uint8")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model(pixels)
    assert not caught
    assert found.dtype == "float32"
    assert found.numpy().tolist() == [[0.0, 255.0]]


@proves(
    "Scale them yourself: pass `x / 255`, or put `keras.layers.Rescaling(1 / 255)` "
    "behind the Input.",
    false_with={"largest": 16},
)
def test_scaling_is_yours(largest=255):
    x = keras.Input(shape=(2,))
    as_it_is = keras.Model(x, keras.layers.Identity()(x))
    scaled = keras.Model(x, keras.layers.Rescaling(1 / largest)(x))
    pixels = np.array([[0, 255]], "uint8")
    for result in (as_it_is(pixels / largest), scaled(pixels)):
        assert np.allclose(result, [[0.0, 1.0]])


@proves(
    "The recipe `snippets.input_layers.on_raw_pixels` puts this layer in front of a "
    "trained model.",
    false_with={"largest": 16},
    needs="keras>=3",
)
def test_a_trained_model_on_raw_pixels(largest=255):
    from snippets.input_layers import digit_classifier, on_raw_pixels

    model = digit_classifier((8, 8, 1), 10)
    pixels = np.random.default_rng(0).integers(256, size=(5, 8, 8, 1)).astype("uint8")
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(pixels / 255, np.arange(5), verbose=0)
    raw = on_raw_pixels(model, largest)
    assert np.allclose(raw(pixels), model(pixels / 255), atol=1e-5)
    assert "Rescaling" in [type(layer).__name__ for layer in raw.layers]


@proves(
    "An integer Input drops the fractions of floats: -2.9 becomes -2.",
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
    "The order of a dict does not matter.",
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
    "Any number of layers can be called on one Input.",
    false_with={"names": tuple("abcdefghi")},
)
def test_one_input_feeds_several_branches(names=("x",) * 9):
    inputs = {name: keras.Input(shape=(8,), name=name) for name in names}
    branches = [keras.layers.Dense(2)(inputs[name]) for name in names]
    joined = keras.layers.Concatenate()(branches)
    model = keras.Model(list(inputs.values()), joined)
    assert len(model.inputs) == 1
    assert model.output_shape == (None, 18)


@proves(
    "If the first layer holds the shape, as `input_shape`, the shape is lost with "
    "that layer.",
    false_with={"arguments": {"input_shape": (3,)}},
)
def test_replaced_first_layer_lacks_its_shape(arguments=None):
    first = keras.layers.Dense(4, input_shape=(3,))
    rest = keras.layers.Dense(2)
    assert keras.Sequential([first, rest]).built
    replacement = keras.layers.Dense(5, **(arguments or {}))
    assert not keras.Sequential([replacement, keras.layers.Dense(2)]).built


@proves(
    "After an Input, any layer that fits its shape can be the first.",
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
    "A model that begins with an Input can be shown and saved at once:",
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


# Start from the middle, or start again


@proves(
    "To take the features that a layer computes, make a model that ends at its output, "
    "here at that of the convolution:",
    false_with={"copied": True},
    needs="keras>=3",
)
def test_features_are_extracted(copied=False):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    inner = keras.Sequential([keras.Input(shape=(4, 4, 2)), layers.Conv2D(2, 1)])
    x = begin = keras.Input(shape=(8, 8, 1))
    for layer in (
        *(layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Dropout(0.5)),
        *(layers.Conv2D(2, 3), inner, layers.Flatten(), layers.Dense(3)),
    ):
        x = layer(x)
    model = keras.Model(begin, x)
    source = keras.models.clone_model(model) if copied else model
    values = images = np.random.default_rng(0).normal(size=(2, 8, 8, 1))
    for layer, taken in zip(model.layers[1:], source.layers[1:], strict=True):
        values = layer(values)
        features = keras.Model(source.inputs[0], taken.output)(images)
        assert np.allclose(features, values, atol=1e-5)


@proves(
    "The two models share their weights.",
    false_with={"copied": True},
)
def test_the_two_models_share_their_weights(copied=False):
    inner = keras.Sequential([keras.Input(shape=(3,)), keras.layers.Dense(2)])
    x = keras.Input(shape=(3,))
    used = keras.models.clone_model(inner) if copied else inner
    outer = keras.Model(x, used(x))
    assert outer.weights[0] is inner.weights[0]


@proves(
    "A Functional model with several inputs begins at `model.input`, which "
    "keeps their dict or list.",
    false_with={"begin": lambda model: model.inputs[0]},
)
def test_input_keeps_the_structure(begin=lambda model: model.input):
    named = {name: keras.Input(shape=(1,), name=name) for name in ("age", "income")}
    row = keras.layers.Concatenate(name="row")(list(named.values()))
    scores = keras.layers.Dense(2)(row)
    data = {"age": np.array([[30.0]]), "income": np.array([[5000.0]])}
    for inputs, arrays in ((named, data), (list(named.values()), list(data.values()))):
        model = keras.Model(inputs, scores)
        start = begin(model)
        assert isinstance(start, type(inputs))
        features = keras.Model(start, model.get_layer("row").output)
        assert features.predict(arrays, verbose=0).tolist() == [[30.0, 5000.0]]


# Let the data declare the Inputs


@proves(
    "A `tf.data` pipeline knows the names, shapes and dtypes of its tensors, "
    "batch axis included.",
    false_with={"batched": False},
)
def test_a_pipeline_knows_names_shapes_and_dtypes(batched=True):
    arrays = {"pixels": np.zeros((5, 8, 8, 1))}, np.zeros(5)
    dataset = tf.data.Dataset.from_tensor_slices(arrays)
    dataset = dataset.batch(2) if batched else dataset
    features, _ = dataset.element_spec
    assert list(features) == ["pixels"]
    assert features["pixels"].dtype == "float64"
    assert features["pixels"].shape.as_list() == [None, 8, 8, 1]


def columns_model():
    declared = {
        "city": keras.Input(shape=(), dtype="string", name="city"),
        "age": keras.Input(shape=(), dtype="float32", name="age"),
    }
    cities = keras.layers.StringLookup(
        output_mode="one_hot", vocabulary=["Oslo", "Rome"]
    )
    years = keras.layers.Reshape((1,))(declared["age"])
    row = keras.layers.Concatenate()([years, cities(declared["city"])])
    model = keras.Model(declared, keras.layers.Dense(1)(row))
    model.compile(optimizer="sgd", loss="mse")
    return model, keras.Model(declared, row)


@proves(
    "`fit` matches the columns to the Inputs by name, and a lookup layer "
    "turns strings into numbers.",
    false_with={"names": ("city", "age")},
)
def test_strings_and_numbers_from_a_pipeline(names=("age", "city")):
    values = [np.array([30.0, 41.0]), np.array(["Rome", "Oslo"])]
    people = dict(zip(names, values, strict=True))
    dataset = tf.data.Dataset.from_tensor_slices((people, [0, 1])).batch(2)
    model, rows = columns_model()
    assert error_of(model.fit, dataset, verbose=0) == ""
    assert rows.predict(dataset, verbose=0).tolist() == [[30, 0, 0, 1], [41, 0, 1, 0]]


@proves(
    "Put a layer behind each Input and call its `adapt` on the column: "
    "`Normalization` for floats, a lookup with one-hot output for integers and "
    "strings that are categories:",
    false_with={"seen": (0.0, 1.0)},
)
def test_layers_in_front_are_adapted(seen=(30.0, 50.0)):
    ages = keras.layers.Normalization(axis=None)
    ages.adapt(tf.constant(seen))
    floors = keras.layers.IntegerLookup(output_mode="one_hot")
    floors.adapt(tf.constant([2, 0]))
    cities = keras.layers.StringLookup(output_mode="one_hot")
    cities.adapt(tf.constant(["Rome", "Oslo"]))
    assert np.allclose(ages(tf.constant([30.0, 50.0])), [-1.0, 1.0])
    for lookup, values in ((floors, [2, 0]), (cities, ["Rome", "Oslo"])):
        rows = np.array(lookup(tf.constant(values)))
        assert rows.shape == (2, 3)  # one column is for values that it has not seen
        assert sorted(rows.tolist()) == [[0, 0, 1], [0, 1, 0]]


@proves(
    "For integers with many values, put `keras.layers.Embedding` behind a lookup "
    "without `output_mode`.",
    false_with={"options": {"output_mode": "one_hot"}},
)
def test_an_embedding_behind_a_lookup(options=()):
    lookup = keras.layers.IntegerLookup(**dict(options))
    lookup.adapt(np.array([700, 5, -3]))
    inputs = keras.Input((), dtype="int64")
    vectors = keras.layers.Embedding(lookup.vocabulary_size(), 8)(lookup(inputs))
    found = np.array(keras.Model(inputs, vectors)(np.array([5, 700, 5])))
    assert found.shape == (3, 8)
    assert np.array_equal(found[0], found[2])
    assert not np.allclose(found[0], found[1])


@proves(
    "The strings go in as a tensor:",
    false_with={"convert": list},
)
def test_a_dict_with_strings_as_a_tensor(convert=tf.constant):
    model, rows = columns_model()
    people = {"age": np.array([30.0, 41.0]), "city": convert(["Rome", "Oslo"])}
    assert error_of(model.fit, people, np.zeros(2), verbose=0) == ""
    assert rows.predict(people, verbose=0).tolist() == [[30, 0, 0, 1], [41, 0, 1, 0]]


class Column:
    """As much of a column of a DataFrame as the sentences need."""

    def __init__(self, values):
        is_text = isinstance(values[0], str)
        self.values = np.array(values, dtype=object if is_text else None)

    def to_numpy(self):
        return self.values


class Frame(dict):
    """As much of a DataFrame as the sentences need: its columns by name."""

    def to_numpy(self):
        return np.column_stack([column.to_numpy() for column in self.values()])


@proves(
    "Then make a tensor of each column, named like its Input: `data = {name: "
    "tf.constant(frame[name].to_numpy()) for name in frame}`.",
    false_with={"label": "age"},
)
def test_a_dict_from_a_data_frame(label="price"):
    ages, cities = Column([30.0, 41.0]), Column(["Rome", "Oslo"])
    frame = Frame(age=ages, city=cities, price=Column([5.0, 7.0]))
    labels = frame.pop(label).to_numpy()
    data = {name: tf.constant(frame[name].to_numpy()) for name in frame}
    model, rows = columns_model()
    assert error_of(model.fit, data, labels, verbose=0) == ""
    new = Frame(city=cities, age=ages)
    data = {name: tf.constant(new[name].to_numpy()) for name in new}
    assert rows.predict(data, verbose=0).tolist() == [[30, 0, 0, 1], [41, 0, 1, 0]]


@proves(
    "Fill empty cells: among strings `tf.constant` refuses them, and among numbers "
    "the results become NaN.",
    false_with={"cells": ("",)},
)
def test_an_empty_cell_among_strings(cells=(np.nan, None)):
    for cell in cells:
        column = Column(["Rome", cell]).to_numpy()
        assert error_of(tf.constant, column) != ""
    filled = tf.constant(Column(["Rome", ""]).to_numpy())
    assert filled.dtype == "string"
    normalize = keras.layers.Normalization(axis=None)
    normalize.adapt(np.array([1.0, np.nan, 3.0]))
    assert np.isnan(normalize(np.array([1.0]))).all()


@proves(
    "Take the labels out of the DataFrame `frame` first, here the column `price`: "
    '`labels = frame.pop("price").to_numpy()`. If the other columns are all '
    "numbers, `frame.to_numpy()` is the data of one Input, `keras.Input((13,))` "
    "for 13 columns.",
    false_with={"num_columns": 12},
)
def test_a_table_of_numbers(num_columns=13):
    frame = Frame({f"x{n}": Column([n, 0.5]) for n in range(num_columns)})
    frame["price"] = Column([5.0, 7.0])
    labels = frame.pop("price").to_numpy()
    x = keras.Input((13,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    assert error_of(model.fit, frame.to_numpy(), labels, verbose=0) == ""
    assert model.predict(frame.to_numpy(), verbose=0).shape == (2, 1)


@proves(
    "From a dict of arrays, the recipe `snippets.input_layers.inputs_from_arrays` "
    "makes the Inputs, and `snippets.input_layers.preprocess` makes the layers "
    "behind them. They normalize floats and one-hot encode integers and strings, "
    "so pass an age as a float.",
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


# Old code: `input_shape` on the first layer


@proves(
    "Keras 3 still takes `input_shape` and `input_dim`, with a warning.",
    keras=">=3",
    false_with={"arguments": {}},
)
def test_input_shape_warns_on_keras_3(arguments=None):
    for given in ({"input_shape": (4,)}, {"input_dim": 4}):
        with pytest.warns(UserWarning, match="input_shape"):
            layer = keras.layers.Dense(3, **(given if arguments is None else arguments))
        assert keras.Sequential([layer]).input_shape == (None, 4)


@proves(
    "Write the Input as a line of its own, which works on Keras 2 as well:",
    false_with={"shape": (None, 784)},
)
def test_input_first_works_without_a_warning(shape=(784,)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layers = [keras.layers.Dense(64), keras.layers.Dense(10)]
        model = keras.Sequential([keras.Input(shape=shape), *layers])
    assert model.input_shape == (None, 784)
    assert not [w for w in caught if "shape" in str(w.message)]


# No error, wrong result


@proves(
    "`batch_shape=(4, 3)` declares batches of 4, and a batch of 2 is accepted "
    "all the same, by `fit` and by `predict`.",
    false_with={"declared": ("shape", (3,))},
)
def test_a_fixed_batch_size_is_not_enforced(declared=("batch_shape", (4, 3))):
    start = keras.Input(**dict([declared]))
    model = keras.Sequential([start, keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.fit(np.ones((2, 3)), np.ones((2, 1)), verbose=0)
    assert model.input_shape == (4, 3)
    assert model.predict(np.ones((2, 3)), verbose=0).shape == (2, 1)


def shapes_seen(declared, data):
    """What reaches the first layer, of models of both kinds, in every way to call."""
    seen = set()

    class See(keras.layers.Layer):
        def call(self, x):
            seen.add(tuple(x.shape))
            return x

    x = keras.Input(shape=declared)
    models = keras.Model(x, See()(x)), keras.Sequential([keras.Input(declared), See()])
    seen.clear()
    for model in models:
        model(data)
        model.predict_on_batch(data)
    return seen


@proves(
    "An `LSTM` with `stateful=True` does raise for another size: pass `batch_size=4` "
    "to `fit` and `predict`, and a whole number of batches.",
    false_with={"stateful": False},
)
def test_a_stateful_layer_needs_its_batch_size(stateful=True):
    x = keras.Input(batch_shape=(4, 5, 3))
    model = keras.Model(x, keras.layers.LSTM(2, stateful=stateful)(x))
    model.compile("sgd", "mse")
    steps, targets = np.ones((8, 5, 3)), np.ones((8, 2))
    options = {"batch_size": 4, "verbose": 0}
    assert model.predict(steps, **options).shape == (8, 2)
    assert error_of(model.fit, steps, targets, **options) == ""
    for given, size in ((steps, 8), (steps[:6], 4)):
        assert error_of(model.predict, given, batch_size=size, verbose=0) != ""


@proves(
    "With `dataset.batch(4, drop_remainder=True)`, a dataset leaves out a last batch "
    "of fewer than 4.",
    false_with={"options": {}},
)
def test_the_remainder_is_dropped(options=None):
    options = {"drop_remainder": True} if options is None else options
    dataset = tf.data.Dataset.from_tensor_slices(np.ones((10, 3), "float32"))
    x = keras.Input(batch_shape=(4, 3))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    assert model.predict(dataset.batch(4, **options), verbose=0).shape == (8, 1)


@proves(
    "To match the number of axes of the Input, Keras adds or drops an axis of size 1 "
    "at the end, not in front.",
    false_with={"data": (5, 8, 8, 1)},
)
def test_a_missing_last_axis_is_added(data=(5, 8, 8)):
    seen = shapes_seen((8, 8, 1), np.zeros(data))
    assert seen == {(*data, 1)}


@proves(
    "To match the number of axes of the Input, Keras adds or drops an axis of size 1 "
    "at the end, not in front.",
    false_with={"data": (5, 3)},
)
def test_an_extra_last_axis_is_dropped(data=(5, 3, 1)):
    seen = shapes_seen((3,), np.zeros(data))
    assert seen == {data[:-1]}


@proves(
    "So `predict` reads the 8 rows of one gray image as 8 images of 8 × 1, and a "
    "network with global pooling gives 8 answers:",
    false_with={"shape": (1, 8, 8, 1)},
    needs="keras>=3",
)
def test_one_digit_eight_answers(shape=(8, 8, 1)):
    from snippets.input_layers import fully_convolutional

    network = fully_convolutional(num_channels=1, num_classes=10)
    assert network.predict(np.ones(shape), verbose=0).shape == (8, 10)


@proves(
    "Put the batch axis in front, as `images[0][None, ...]`; if the channel is missing "
    "as well, write `images[0][None, ..., None]`:",
    false_with={"place": ...},
)
def test_the_batch_axis_makes_one_answer(place=(None, ...)):
    x = keras.Input(shape=(None, None, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(x, keras.layers.Dense(10)(pooled))
    image = np.zeros((8, 8, 1))
    assert model.predict(image[place], verbose=0).shape == (1, 10)
    assert model.predict(image[..., 0][None, ..., None], verbose=0).shape == (1, 10)


@proves(
    "If the sizes of the inputs differ, a list in the wrong order is refused at first.",
    false_with={"order": (0, 1)},
)
def test_swapped_inputs_are_refused_at_first(order=(1, 0)):
    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(3,))]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    data = [np.zeros((1, 2)), np.ones((1, 3))]
    with pytest.raises(ValueError, match="incompatible with the layer"):
        model.predict([data[i] for i in order], verbose=0)


@proves(
    "After one call of `predict` in the right order, the wrong order can pass too: "
    "for the new sizes, TensorFlow makes one more graph of the model, in which all "
    "sizes are `None`.",
    false_with={"order": (0, 1)},
)
def test_swapped_inputs_pass_on_a_used_model(order=(1, 0)):
    sizes = []

    class Join(keras.layers.Concatenate):
        def call(self, tensors):
            sizes.append([tensor.shape[1] for tensor in tensors])
            return super().call(tensors)

    inputs = [keras.Input(shape=(2,)), keras.Input(shape=(3,))]
    model = keras.Model(inputs, Join()(inputs))
    data = [np.zeros((1, 2)), np.ones((1, 3))]
    model.predict(data, verbose=0)
    assert sizes[-1] == [2, 3]
    result = model.predict([data[place] for place in order], verbose=0)
    assert sizes[-1] == [None, None]
    assert result.tolist() == [[1, 1, 1, 0, 0]]


@proves(
    "Images of 4 × 16 and of 8 × 8 pixels both flatten to 64 numbers, so on "
    "Keras 3 a Sequential model for 8 × 8 also takes 4 × 16, and a "
    "Functional model of the same layers refuses it.",
    false_with={"wide": (1, 4, 15, 1)},
    needs="keras>=3",
)
def test_sequential_model_lets_another_size_in(wide=(1, 4, 16, 1)):
    model = keras.Sequential([keras.Input(shape=(8, 8, 1)), keras.layers.Flatten()])
    for shape in ((1, 8, 8, 1), wide):
        assert model(np.zeros(shape)).shape == (1, 64)


@proves(
    "Images of 4 × 16 and of 8 × 8 pixels both flatten to 64 numbers, so on "
    "Keras 3 a Sequential model for 8 × 8 also takes 4 × 16, and a "
    "Functional model of the same layers refuses it.",
    false_with={"shape": (1, 8, 8, 1)},
)
def test_functional_model_keeps_another_size_out(shape=(1, 4, 16, 1)):
    x = keras.Input(shape=(8, 8, 1))
    model = keras.Model(x, keras.layers.Flatten()(x))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        model(np.zeros(shape))


def equal_in_the_graph(x, y):
    return keras.ops.equal(x, y)


@proves(
    "For a `KerasTensor`, `x == 0` is `False` on Keras 3, where `==` asks whether "
    "both are one object, so `if x == 0:` and `keras.ops.where(x == 0, ...)` "
    "never take the first branch.",
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
    "The recipe `snippets.input_layers.check_array` returns an array that the model "
    "can read, and says of any other what is wrong and how to fix it.",
    false_with={"given": lambda array: np.zeros((5, 8, 8, 1))},
    needs="keras>=3",
)
def test_check_says_what_is_wrong(given=np.asarray):
    from snippets.input_layers import check_array, digit_classifier

    model, images = digit_classifier(), np.zeros((5, 8, 8, 1))
    assert check_array(model, images) is images
    assert error_of(model.predict, images, verbose=0) == ""
    for wrong, problem in (
        (images[0], "one unbatched example: add a batch axis"),
        (images[..., 0], "lacks the last axis of size 1: add it"),
        (images.transpose(0, 3, 1, 2), "has its channels first: use"),
        (images + np.inf, "NaN or infinite values: replace them"),
        (images + 1e39, "becomes inf as float32: give the Input"),
    ):
        assert problem in error_of(check_array, model, given(wrong))


# Errors


@proves(
    "The value, here 784, is the length that the named layer was built for, and a "
    "built layer keeps it. In the message below, `(5, 64)` is the shape of the "
    "data that reached the layer; `(None, 64)` would be a batch of any size.",
    false_with={"built_for": 64},
    needs="keras>=3",
)
def test_value_of_the_layer_and_shape_of_the_data(built_for=784):
    layer = keras.layers.Dense(3, name="reader")
    layer(np.ones((1, built_for)))
    for data, shape in ((np.ones((5, 64)), (5, 64)), (keras.Input((64,)), (None, 64))):
        message = error_of(layer, data)
        assert "reader" in message
        assert "expected axis -1 of input shape to have value 784" in message
        assert f"but received input with shape {shape}" in message
    assert error_of(layer, keras.Input((784,))) == ""


@proves(
    "A Functional model says `expected shape=(None, 784), found shape=(5, 64)`.",
    false_with={"size": 784},
)
def test_functional_model_expects_a_shape(size=64):
    x = keras.Input(shape=(784,))
    model = keras.Model(x, keras.layers.Dense(10)(x))
    message = error_of(model, np.zeros((5, size)))
    assert "expected shape=(None, 784), found shape=(5, 64)" in message


def vectors_model():
    x = keras.Input((100,))
    model = keras.Model(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model


@proves(
    "The second shape is that of your data: the batch, as `None` or with its size, and "
    "one axis too many behind it.",
    false_with={"shape": (64, 100)},
)
def test_one_axis_too_many(shape=(64, 32, 100)):
    x, y = np.zeros(shape), np.zeros(64)
    message = error_of(vectors_model(), x)
    assert "expected shape=(None, 100), found shape=(64, 32, 100)" in message
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    message = error_of(vectors_model().fit, dataset, verbose=0)
    assert "expected shape=(None, 100), found shape=(None, 32, 100)" in message


@proves(
    "a dataset that is batched twice | batched twice as well: `(None, 32)` or `(None, "
    "None)` in `dataset.element_spec` | `batch` once, or `dataset.unbatch()`",
    false_with={"again": lambda dataset: dataset},
)
def test_a_dataset_batched_twice(again=lambda dataset: dataset.batch(2)):
    examples = np.zeros((64, 100), "float32"), np.zeros(64)
    dataset = tf.data.Dataset.from_tensor_slices(examples)
    for options, shape in (({}, [None, None]), ({"drop_remainder": True}, [None, 32])):
        once = dataset.batch(32, **options)
        twice = again(once)
        assert twice.element_spec[1].shape.as_list() == shape
        for mended in (once, twice.unbatch()):
            assert error_of(vectors_model().fit, mended, verbose=0) == ""
    message = error_of(vectors_model().fit, twice, verbose=0)
    assert "expected shape=(None, 100), found shape=(None, 32, 100)" in message


@proves(
    "batches stacked by `np.stack(batches)` | stacked as well: `(3, 32)` for "
    "three batches | `np.concatenate(batches)`, for the labels too",
    false_with={"join": np.stack},
)
def test_batches_that_were_stacked(join=np.concatenate):
    batches, labels = [np.ones((32, 100))] * 3, [np.ones(32)] * 3
    message = error_of(vectors_model(), np.stack(batches))
    assert "expected shape=(None, 100), found shape=(3, 32, 100)" in message
    assert np.stack(labels).shape == (3, 32)
    x, y = join(batches), join(labels)
    assert error_of(vectors_model().fit, x, y, verbose=0) == ""
    assert len(x) == len(y) == 96


@proves(
    "examples that are sequences of 32 steps | one for each sequence | a new model "
    "that begins with `keras.Input((32, 100))` and a `GRU`",
    false_with={"layer": keras.layers.Dense},
)
def test_examples_that_are_sequences(layer=keras.layers.GRU):
    x, y = np.zeros((5, 32, 100)), np.zeros(5)
    message = error_of(vectors_model(), x)
    assert "expected shape=(None, 100), found shape=(5, 32, 100)" in message
    steps = keras.Input((32, 100))
    model = keras.Model(steps, keras.layers.Dense(1)(layer(2)(steps)))
    model.compile("sgd", "mse")
    assert model.predict(x, verbose=0).shape == (*y.shape, 1)
    assert error_of(model.fit, x, y, verbose=0) == ""


@proves(
    "A Sequential model says `Invalid input shape for input` instead. A Functional "
    "model says so too if the second axis of a dataset has no known size, as in "
    "`(None, None, 100)`.",
    false_with={"options": {"drop_remainder": True}},
    needs="keras>=3",
)
def test_one_axis_too_many_in_other_words(options=()):
    said = "Invalid input shape for input"
    model = keras.Sequential([keras.Input((100,)), keras.layers.Dense(1)])
    assert said in error_of(model.predict, np.zeros((5, 32, 100)), verbose=0)
    examples = np.zeros((64, 100), "float32"), np.zeros(64)
    dataset = tf.data.Dataset.from_tensor_slices(examples)
    twice = dataset.batch(32, **dict(options)).batch(2)
    message = error_of(vectors_model().fit, twice, verbose=0)
    assert said in message
    assert "incompatible shape (None, None, 100)" in message


@proves(
    "images that were not flattened, as in `found shape=(32, 28, 28)` | one for each "
    "image | `x.reshape(len(x), 784)`, or a new model that begins with "
    "`keras.Input((28, 28))` and `keras.layers.Flatten()`",
    false_with={"rows": (32, 28, 28)},
)
def test_images_that_were_not_flattened(rows=(32, 784)):
    x = np.zeros((32, 28, 28), "float32")
    inputs = keras.Input((784,))
    model = keras.Model(inputs, keras.layers.Dense(10)(inputs))
    assert "found shape=(32, 28, 28)" in error_of(model, x)
    assert x.reshape(len(x), 784).shape == (32, 784)
    assert error_of(model, x.reshape(rows)) == ""
    flat = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)]
    assert keras.Sequential(flat).predict(x, verbose=0).shape == (32, 10)


@proves(
    "By default, a convolution over images reads `(batch, height, width, "
    "channels)`, and this Input has no channels.",
    false_with={"shape": (8, 8, 1)},
)
def test_expected_four_axes_found_three(shape=(8, 8)):
    for convolution in (
        *(keras.layers.Conv2D(16, 3), keras.layers.SeparableConv2D(16, 3)),
        *(keras.layers.DepthwiseConv2D(3), keras.layers.Conv2DTranspose(16, 3)),
    ):
        message = error_of(convolution, keras.Input(shape=shape))
        assert "ndim=4, found ndim=3" in message
    result = keras.layers.Conv2D(2, 3)(np.zeros((5, 28, 20, 7)))
    assert result.shape == (5, 26, 18, 2)  # batch, height, width, channels


@proves(
    "Declare the channel, `keras.Input((8, 8, 1))`, and add its axis to the data with "
    "`[..., None]`, rather than leave that to Keras.",
    false_with={"shape": (8, 8)},
)
def test_gray_images_with_a_channel_axis(shape=(8, 8, 1)):
    images = np.zeros((5, 8, 8))
    assert images[..., None].shape[1:] == shape
    x = keras.Input(shape=shape)
    model = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    assert model(images[..., None]).shape == (5, 6, 6, 2)


@proves(
    "`predict` reads the 224 rows of one 224 × 224 image as examples, and names the "
    "shape of its first batch of 32: `found shape=(32, 224, 3)`.",
    false_with={"size": 8},
    needs="keras>=3",
    keras=">=3",
)
def test_predict_names_the_first_rows(size=224):
    x = keras.Input(shape=(size, size, 3))
    model = keras.Model(x, keras.layers.Conv2D(2, 3)(x))
    message = error_of(model.predict, np.zeros((size, size, 3)), verbose=0)
    assert "found shape=(32, 224, 3)" in message


@proves(
    "A Sequential model says `Invalid input shape for input` and then "
    "`Expected shape (None, 8, 8, 3), but input has incompatible shape (8, "
    "8, 3)`.",
    false_with={"shape": (1, 8, 8, 3)},
    needs="keras>=3",
)
def test_sequential_model_expects_a_shape(shape=(8, 8, 3)):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    message = error_of(model.predict, np.zeros(shape), verbose=0)
    said = "Expected shape (None, 8, 8, 3), but input has incompatible shape (8, 8, 3)"
    assert "Invalid input shape for input" in message
    assert said in message


@proves(
    "A gray image, for an Input with one channel, is read as a batch of rows, and "
    "an unpadded convolution says `Negative dimension size`.",
    false_with={"padding": "same"},
)
def test_negative_dimension_size(padding="valid"):
    x = keras.Input(shape=(8, 8, 1))
    model = keras.Model(x, keras.layers.Conv2D(16, 3, padding=padding)(x))
    message = error_of(model.predict, np.zeros((8, 8, 1)), verbose=0)
    assert "Negative dimension size" in message


@proves(
    "`A symbolic KerasTensor cannot be used as a boolean.` | `if x > 0:` | "
    "`keras.ops.where(x > 0, a, b)`",
    false_with={"make": np.zeros},
    needs="keras>=3",
)
def test_keras_tensor_is_no_boolean(make=keras.Input):
    x = make(())
    message = error_of(bool, x > 0)
    assert message == "TypeError: A symbolic KerasTensor cannot be used as a boolean."
    model = keras.Model(x, keras.ops.where(x > 0, 1.0, 2.0))
    assert model(np.array([5.0, -5.0])).numpy().tolist() == [1.0, 2.0]


@proves(
    "`A KerasTensor is symbolic: it's a placeholder for a shape an a dtype.` "
    "| `np.sin(x)`, `float(x)` | `keras.ops.sin(x)`",
    false_with={"make": np.zeros},
    keras=">=3.6",
    needs="keras>=3",
)
def test_keras_tensor_is_symbolic(make=keras.Input):
    x = make(())
    for needs in (np.sin, float):
        message = error_of(needs, x)
        assert "symbolic: it's a placeholder for a shape an a dtype." in message
    model = keras.Model(x, keras.ops.sin(x))
    assert np.allclose(model(np.array([0.5])), np.sin(0.5))


@proves(
    "`A KerasTensor cannot be used as input to a TensorFlow function.` | "
    "`tf.reduce_mean(x, axis=-1)` | `keras.ops.mean(x, axis=-1)`, or `tf.reduce_mean` "
    "in the `call` of a layer",
    false_with={"mean": tf.reduce_mean},
    needs="keras>=3",
)
def test_a_mean_in_a_model(mean=None):
    class Mean(keras.layers.Layer):
        def call(self, x):
            return tf.reduce_mean(x, axis=-1)

    mean = mean or keras.ops.mean
    x = keras.Input(shape=(3,))
    assert error_of(mean, x, axis=-1) == ""
    model = keras.Model(x, [mean(x, axis=-1), Mean()(x)])
    for result in model(np.array([[1.0, 2.0, 6.0]])):
        assert np.allclose(result, 3.0)

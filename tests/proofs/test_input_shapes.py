"""Proofs of the page of every spelling of an input shape."""

import importlib
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_input_layers import error_of


@proves(
    "Write `keras.Input(shape=...)` first in a Sequential model or at the "
    "start of a Functional one: it works on Keras 2 and on Keras 3.",
    false_with={"shape": (None, 32)},
)
def test_input_works_on_both(shape=(32,)):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        x = keras.Input(shape=shape)
        functional = keras.Model(x, keras.layers.Dense(3)(x))
        sequential = keras.Sequential([keras.Input(shape=shape), keras.layers.Dense(3)])
    assert functional.input_shape == sequential.input_shape == (None, 32)
    assert not [w for w in caught if "shape" in str(w.message)]


@proves(
    "Each line was run on Keras 3, which `import keras` gives since "
    "TensorFlow 2.16, and on Keras 2, the package `tf_keras`.",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_import_keras_gives_keras_3():
    import keras as installed

    assert int(installed.__version__.split(".")[0]) == 3


@proves(
    "Each line was run on Keras 3, which `import keras` gives since "
    "TensorFlow 2.16, and on Keras 2, the package `tf_keras`.",
    keras="<3",
    tensorflow=">=2.16",
)
def test_keras_2_lives_on_as_tf_keras():
    package = keras.Model.__module__.partition(".")[0]
    assert package == "tf_keras"
    assert importlib.import_module(package).__version__.startswith("2.")


@proves(
    "Write `shape`, with `batch_size` beside it if the batch size has to be fixed.",
    false_with={"size": ("dtype", "float32")},
)
def test_shape_and_batch_size_work_on_both(size=("batch_size", 4)):
    x = keras.Input(shape=(32,), **dict([size]))
    assert tuple(x.shape) == (4, 32)


@proves(
    "`input_shape=(None, 100)` on a first layer means what it means in "
    "`shape`: sequences of any length, in batches of any size.",
    false_with={"shape": (5, 100)},
)
def test_input_shape_none_100(shape=(None, 100)):
    model = keras.Sequential([keras.layers.SimpleRNN(2, input_shape=shape)])
    assert model.input_shape == (None, None, 100)
    for batch_size, length in ((1, 3), (5, 7)):
        assert model(np.zeros((batch_size, length, 100))).shape == (batch_size, 2)


@proves(
    "On Keras 3 `batch_input_shape` is for an InputLayer alone: for any other "
    "layer write `keras.Input(batch_shape=...)` before it.",
    false_with={"argument": "input_shape"},
    needs="keras>=3",
)
def test_batch_input_shape_is_for_an_input_layer(argument="batch_input_shape"):
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
        start = keras.Input(batch_shape=(2, 3, 4))
        assert keras.Sequential([start, layers.LSTM(3)]).input_shape == (2, 3, 4)


@proves(
    "Keras 2 builds the model, and complains only when it meets the data.",
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
    "`ragged=True` | `tf.RaggedTensor` | `Embedding` takes it; `LSTM` does on "
    "Keras 2 alone",
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
    "`ragged=True` | `tf.RaggedTensor` | `Embedding` takes it; `LSTM` does on "
    "Keras 2 alone",
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
    "The line with `tf.sin` is the one that breaks old code: Keras 2 wrapped "
    "a TensorFlow function into a layer, and Keras 3 refuses it.",
    keras="<3",
)
def test_tensorflow_function_on_keras_2():
    x = keras.Input(shape=(3,))
    assert error_of(tf.sin, x) == ""
    model = keras.Model(x, tf.sin(x))
    assert type(model.layers[-1]).__name__ == "TFOpLambda"


@proves(
    "The line with `tf.sin` is the one that breaks old code: Keras 2 wrapped "
    "a TensorFlow function into a layer, and Keras 3 refuses it.",
    keras=">=3",
    false_with={"make": tf.zeros},
)
def test_tensorflow_function_on_keras_3(make=keras.Input):
    x = make((3,))
    with pytest.raises(ValueError, match="cannot be used as input to a TensorFlow"):
        tf.sin(x)


@proves(
    "A dict of data with the names of the Inputs reaches the right ones in "
    "any order, except on Keras 3.4 to 3.6: they sort it by name before they "
    "hand it to a list of Inputs.",
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
    "A dict of data with the names of the Inputs reaches the right ones in "
    "any order, except on Keras 3.4 to 3.6: they sort it by name before they "
    "hand it to a list of Inputs.",
    keras=">=3.4,<3.7",
    false_with={"names": ("a", "b")},
)
def test_a_dict_was_sorted_by_name(names=("b", "a")):
    inputs = [keras.Input(shape=(1,), name=name) for name in names]
    model = keras.Model(inputs, keras.layers.Concatenate()(inputs))
    data = {names[0]: np.zeros((1, 1)), names[1]: np.ones((1, 1))}
    assert model(data).numpy().tolist() == [[1.0, 0.0]]


@proves(
    "`Cannot convert '32' to a shape.` | `keras.Input(32)` | "
    "`keras.Input(shape=(32,))`",
    keras=">=3",
    false_with={"shape": (32,)},
)
def test_cannot_convert_to_a_shape(shape=32):
    message = "ValueError: Cannot convert '32' to a shape."
    assert error_of(keras.Input, shape) == message
    assert error_of(keras.Input, shape=(32,)) == ""


@proves(
    "``You must pass a `shape` argument.`` | `keras.Input()` | "
    "`keras.Input(shape=())` for one number",
    keras=">=3",
    false_with={"options": {"shape": ()}},
)
def test_you_must_pass_a_shape(options=()):
    message = error_of(keras.Input, **dict(options))
    assert message == "ValueError: You must pass a `shape` argument."
    assert tuple(keras.Input(shape=()).shape) == (None,)


@proves(
    "`Input() got an unexpected keyword argument 'input_shape'` | "
    "`keras.Input(input_shape=(32,))` | `keras.Input(shape=(32,))`",
    keras=">=3",
    false_with={"argument": "shape"},
)
def test_input_has_no_input_shape(argument="input_shape"):
    message = error_of(keras.Input, **{argument: (32,)})
    assert "Input() got an unexpected keyword argument 'input_shape'" in message
    assert error_of(keras.Input, shape=(32,)) == ""


@proves(
    "`Unrecognized keyword arguments passed to LSTM: {'batch_input_shape': "
    "(2, 3, 4)}` | `LSTM(3, batch_input_shape=(2, 3, 4))` | "
    "`keras.Input(batch_shape=(2, 3, 4))` before it",
    keras=">=3",
    false_with={"argument": "name"},
)
def test_batch_input_shape_is_refused_on_keras_3(argument="batch_input_shape"):
    message = error_of(keras.layers.LSTM, 3, **{argument: (2, 3, 4)})
    assert message == (
        "ValueError: Unrecognized keyword arguments passed to LSTM: "
        "{'batch_input_shape': (2, 3, 4)}"
    )
    start = keras.Input(batch_shape=(2, 3, 4))
    model = keras.Sequential([start, keras.layers.LSTM(3)])
    assert model.input_shape == (2, 3, 4)


@proves(
    "`Kernel shape must have the same length as input` | the batch size in "
    "`shape` | `shape` without it",
    keras=">=3",
    false_with={"shape": (8, 8, 1)},
)
def test_batch_size_in_shape_stops_keras_3(shape=(32, 8, 8, 1)):
    message = error_of(keras.layers.Conv2D(3, 3), keras.Input(shape=shape))
    assert "Kernel shape must have the same length as input" in message
    assert error_of(keras.layers.Conv2D(3, 3), keras.Input(shape=(8, 8, 1))) == ""


@proves(
    "`Only input tensors may be passed as positional arguments` | a layer "
    "called on an InputLayer | `keras.Input(...)` in its place",
    keras=">=3",
    false_with={"name": "Input"},
)
def test_input_layer_is_not_a_tensor(name="InputLayer"):
    message = error_of(keras.layers.Dense(2), getattr(keras.layers, name)((3,)))
    assert "Only input tensors may be passed as positional arguments" in message
    assert error_of(keras.layers.Dense(2), keras.Input((3,))) == ""


@proves(
    "``Shapes used to initialize variables must be fully-defined (no `None` "
    "dimensions)`` | `Flatten` and `Dense` after `None` | global pooling for "
    "`Flatten`",
    keras=">=3",
    false_with={"name": "GlobalAveragePooling1D"},
)
def test_shapes_must_be_fully_defined(name="Flatten"):
    x = keras.Input(shape=(None, 8))
    flat = getattr(keras.layers, name)()(x)
    assert (
        "Shapes used to initialize variables must be fully-defined "
        "(no `None` dimensions)"
    ) in error_of(keras.layers.Dense(2), flat)
    pooled = keras.layers.GlobalAveragePooling1D()(x)
    assert error_of(keras.layers.Dense(2), pooled) == ""

"""Computing with what `keras.Input` returns, a `KerasTensor` without numbers."""

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_GUIDE = "guides/input_layers.md#messages-about-a-kerastensor"


@error(
    "A KerasTensor cannot be used as input to a TensorFlow function",
    *("keras-team/keras#20124", "DataCanvasIO/DeepTables#93", "mlfpm/deepof#41"),
    *("taipingeric/yolo-v4-tf.keras#27", "PINTO0309/onnx2tf#541"),
    guide="guides/functional.md#a-kerastensor-cannot-be-used-as-input-to-a-tensorflow-function",
)
def _tensorflow_function_on_an_input() -> None:
    """TensorFlow cannot compute with a tensor that has no numbers; Keras 2 made a layer
    of the function.
    """
    x = keras.Input(shape=(3,))
    tf.reduce_mean(x, axis=-1)


@_tensorflow_function_on_an_input.fix
def _operation_on_an_input() -> None:
    """Use `keras.ops`; what it lacks, call in the `call` of a layer."""
    x = keras.Input(shape=(3,))
    keras.ops.mean(x, axis=-1)


@error("You cannot convert it to a NumPy array", guide=_GUIDE, needs="keras>=3")
def _numpy_function_on_an_input() -> None:
    """NumPy cannot compute with a tensor that has no numbers."""
    x = keras.Input(shape=(3,))
    np.sin(x)


@_numpy_function_on_an_input.fix
def _sine_of_keras() -> None:
    """Use the function of the same name in `keras.ops`."""
    x = keras.Input(shape=(3,))
    keras.ops.sin(x)


@error("You cannot convert it to a float", guide=_GUIDE, needs="keras>=3")
def _number_of_a_keras_tensor() -> None:
    """The tensor stands for data to come, and has no number yet."""
    total = keras.ops.sum(keras.Input(shape=(3,)))
    float(total)


@_number_of_a_keras_tensor.fix
def _number_of_an_output() -> None:
    """Make a model, call it on data, and convert the result."""
    x = keras.Input(shape=(3,))
    model = keras.Model(x, keras.ops.sum(x))
    float(model(np.ones((1, 3))))


@error(
    "A symbolic KerasTensor cannot be used as a boolean",
    guide="guides/functional.md#a-symbolic-kerastensor-cannot-be-used-as-a-boolean",
)
def _if_on_a_keras_tensor() -> None:
    """An `if` or a `while` asks for a value that is not there yet."""
    x = keras.Input(shape=(3,))
    x = -x if x > 0 else x


@_if_on_a_keras_tensor.fix
def _where_on_a_keras_tensor() -> None:
    """Choose with `keras.ops.where`."""
    x = keras.Input(shape=(3,))
    x = keras.ops.where(x > 0, -x, x)


@error("Iterating over a symbolic KerasTensor is not supported")
def _loop_over_a_keras_tensor() -> None:
    """A loop over the batch, whose size is not known yet."""
    x = keras.Input(shape=(3,))
    [2 * row for row in x]


@_loop_over_a_keras_tensor.fix
def _operation_on_the_whole_batch() -> None:
    """Compute with the whole batch, or map over it with `keras.ops.map`."""
    x = keras.Input(shape=(3,))
    keras.ops.map(lambda row: 2 * row, x)


@error("'KerasTensor' object has no attribute 'numpy'")
def _numpy_of_a_keras_tensor() -> None:
    """A `KerasTensor` is a shape and a dtype, and has no numbers."""
    x = keras.Input(shape=(3,))
    keras.layers.Dense(2)(x).numpy()


@_numpy_of_a_keras_tensor.fix
def _numpy_of_an_output() -> None:
    """Make a model, call it on data, and call `.numpy()` on the result."""
    x = keras.Input(shape=(3,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    model(np.ones((1, 3))).numpy()


@error("'KerasTensor' object does not support item assignment")
def _assignment_to_a_keras_tensor() -> None:
    """Tensors cannot be changed in place."""
    x = keras.Input(shape=(3,))
    x[:, 0] = 0.0


@_assignment_to_a_keras_tensor.fix
def _a_new_tensor() -> None:
    """Compute a new tensor, here with a mask."""
    x = keras.Input(shape=(3,))
    x = x * np.array([0.0, 1.0, 1.0], "float32")


@error("'KerasTensor' object has no attribute '_keras_shape'")
def _keras_shape_of_a_tensor() -> None:
    """`_keras_shape` was an internal attribute of Keras before TensorFlow 2."""
    x = keras.Input(shape=(3,))
    x._keras_shape


@_keras_shape_of_a_tensor.fix
def _shape_of_a_tensor() -> None:
    """Use `shape`."""
    x = keras.Input(shape=(3,))
    print(x.shape)


@error("'KerasTensor' object has no attribute 'get_shape'")
def _get_shape_of_a_tensor() -> None:
    """`get_shape()` is a method of TensorFlow's tensors."""
    x = keras.Input(shape=(3,))
    x.get_shape().as_list()


@_get_shape_of_a_tensor.fix
def _list_of_the_shape() -> None:
    """Use `shape`, a tuple."""
    x = keras.Input(shape=(3,))
    list(x.shape)


@error("object of type 'KerasTensor' has no len()")
def _length_of_a_tensor() -> None:
    """The number of examples is not known yet."""
    x = keras.Input(shape=(3,))
    len(x)


@_length_of_a_tensor.fix
def _number_of_examples() -> None:
    """Use `keras.ops.shape(x)[0]` in the `call` of a layer; `x.shape[1]` is known."""

    class Count(keras.layers.Layer):
        def call(self, x):
            return keras.ops.ones((keras.ops.shape(x)[0],))

    Count()(keras.Input(shape=(3,)))

"""Declaring an Input, and the shapes that layers are built for."""

import keras

from snippets.errors.entry import error

_GUIDE = "reference/input_shapes.md#messages-about-the-input-itself"


@error("Cannot convert '32' to a shape", guide=_GUIDE)
def _input_of_a_number() -> None:
    """A shape is a tuple with one size for each axis, and a number is no tuple."""
    keras.Input(32)


@_input_of_a_number.fix
def _input_of_a_tuple() -> None:
    """Write a tuple of one number; the comma makes it one."""
    keras.Input(shape=(32,))


@error("You must pass a `shape` argument", guide=_GUIDE)
def _input_without_a_shape() -> None:
    """Keras cannot tell what one example looks like."""
    keras.Input()


@_input_without_a_shape.fix
def _input_with_a_shape() -> None:
    """Pass the shape of one example, without the batch axis."""
    keras.Input(shape=(28, 28, 1))


@error("Input() got an unexpected keyword argument 'input_shape'", guide=_GUIDE)
def _input_shape_of_an_input() -> None:
    """`input_shape` is an old argument of layers; an Input has `shape`."""
    keras.Input(input_shape=(32,))


@_input_shape_of_an_input.fix
def _shape_of_an_input() -> None:
    """Write `shape`."""
    keras.Input(shape=(32,))


@error("You cannot pass both `shape` and `batch_shape` at the same time", guide=_GUIDE)
def _shape_and_batch_shape() -> None:
    """`batch_shape` is `shape` with the batch size in front, so one says it all."""
    keras.Input(shape=(32,), batch_shape=(8, 32))


@_shape_and_batch_shape.fix
def _batch_shape_alone() -> None:
    """Pass one of the two."""
    keras.Input(batch_shape=(8, 32))


@error("You cannot pass both `batch_size` and `batch_shape` at the same time")
def _batch_size_and_batch_shape() -> None:
    """The batch size is the first number of `batch_shape` already."""
    keras.Input(batch_size=8, batch_shape=(8, 32))


@_batch_size_and_batch_shape.fix
def _batch_size_with_shape() -> None:
    """Pass `batch_size` with `shape`, or `batch_shape` alone."""
    keras.Input(shape=(32,), batch_size=8)


@error(
    "Do not pass an `input_shape`/`input_dim` argument to a layer",
    guide="guides/sequential.md#a-model-without-a-shape",
)
def _input_shape_of_a_layer() -> None:
    """A warning about an old spelling, which still works."""
    keras.Sequential([keras.layers.Dense(10, input_shape=(784,))])


@_input_shape_of_a_layer.fix
def _input_before_the_layer() -> None:
    """Put an Input first."""
    keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(10)])


@error(
    "Unrecognized keyword arguments passed to LSTM: {'batch_input_shape':", guide=_GUIDE
)
def _batch_input_shape_of_a_layer() -> None:
    """Layers of Keras 3 have no `batch_input_shape`."""
    keras.Sequential([keras.layers.LSTM(3, batch_input_shape=(2, 5, 4))])


@_batch_input_shape_of_a_layer.fix
def _batch_shape_of_an_input() -> None:
    """Put an Input with `batch_shape` first."""
    keras.Sequential([keras.Input(batch_shape=(2, 5, 4)), keras.layers.LSTM(3)])


@error("Only input tensors may be passed as positional arguments", guide=_GUIDE)
def _input_layer_for_an_input() -> None:
    """A layer was called on something that is no tensor: an InputLayer, a list of
    numbers, or an argument such as `training` that has to be named.
    """
    keras.layers.Dense(3)(keras.layers.InputLayer((4,)))


@_input_layer_for_an_input.fix
def _input_for_an_input_layer() -> None:
    """Call it on what `keras.Input` returns, and name the other arguments."""
    keras.layers.Dense(3)(keras.Input(shape=(4,)), training=False)


@error("Kernel shape must have the same length as input", guide=_GUIDE)
def _batch_size_in_the_shape() -> None:
    """The batch size stands in `shape`, so there is one axis too many."""
    images = keras.Input(shape=(32, 28, 28, 1))
    keras.layers.Conv2D(3, 3)(images)


@_batch_size_in_the_shape.fix
def _no_batch_size_in_the_shape() -> None:
    """Leave the batch size out of `shape`; `fit` takes it as `batch_size`."""
    images = keras.Input(shape=(28, 28, 1))
    keras.layers.Conv2D(3, 3)(images)


@error("Shapes used to initialize variables must be fully-defined", guide=_GUIDE)
def _unknown_size_before_dense() -> None:
    """A layer has to know the sizes of its weights, and the last axis before it is
    `None`.
    """
    images = keras.Input(shape=(None, None, 1))
    flat = keras.layers.Flatten()(keras.layers.Conv2D(3, 3)(images))
    keras.layers.Dense(10)(flat)


@_unknown_size_before_dense.fix
def _pooled_before_dense() -> None:
    """Pool over the axes of unknown size in place of `Flatten`."""
    images = keras.Input(shape=(None, None, 1))
    maps = keras.layers.Conv2D(3, 3)(images)
    keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(maps))


@error(
    "expected min_ndim=4, found ndim=3",
    guide="guides/input_layers.md#expected-min_ndim4-found-ndim3",
)
def _missing_channel_axis() -> None:
    """A convolution over images wants `(height, width, channels)`, and the channels
    are missing.
    """
    keras.layers.Conv2D(16, 3)(keras.Input(shape=(28, 28)))


@_missing_channel_axis.fix
def _channel_axis() -> None:
    """Declare the channel, and add its axis to the data: `images[..., None]`."""
    keras.layers.Conv2D(16, 3)(keras.Input(shape=(28, 28, 1)))


@error("expected ndim=3, found ndim=2", guide="guides/sequential.md#other-messages")
def _missing_time_axis() -> None:
    """A recurrent layer wants `(time, features)`, and one of them is missing."""
    keras.layers.LSTM(8)(keras.Input(shape=(784,)))


@_missing_time_axis.fix
def _time_axis() -> None:
    """Declare both: here 784 steps of one number."""
    keras.layers.LSTM(8)(keras.Input(shape=(784, 1)))


@error(
    "Computed output size would be zero or negative",
)
def _image_smaller_than_its_kernel() -> None:
    """The image has become smaller than the window of a convolution or a pooling."""
    image = keras.Input(shape=(1, 8, 8))
    keras.layers.Conv2D(16, 3)(image)


@_image_smaller_than_its_kernel.fix
def _image_with_channels_last() -> None:
    """Put the channels last, use a larger image, or pad it: `padding="same"`."""
    image = keras.Input(shape=(8, 8, 1))
    keras.layers.Conv2D(16, 3)(image)


@error(
    "A merge layer should be called on a list of",
    guide="guides/sequential.md#other-messages",
)
def _merge_of_one_tensor() -> None:
    """`Add`, `Concatenate` and their like take a list of tensors."""
    keras.layers.Add()(keras.Input(shape=(3,)))


@_merge_of_one_tensor.fix
def _merge_of_two_tensors() -> None:
    """Call it on a list, in a Functional model."""
    x = keras.Input(shape=(3,))
    keras.layers.Add()([x, keras.layers.Dense(3)(x)])


@error(
    "A `Concatenate` layer requires inputs with matching shapes except for the"
    " concatenation axis",
    guide="guides/functional.md#other-messages",
)
def _concatenated_shapes() -> None:
    """Two tensors differ in an axis along which they are not joined."""
    keras.layers.Concatenate()([keras.Input((4, 8)), keras.Input((6, 8))])


@_concatenated_shapes.fix
def _concatenated_along_the_axis_that_differs() -> None:
    """Name the axis that differs, or make the shapes equal."""
    keras.layers.Concatenate(axis=1)([keras.Input((4, 8)), keras.Input((6, 8))])


@error("Inputs have incompatible shapes")
def _added_shapes() -> None:
    """`Add`, `Multiply` and their like want tensors of one shape."""
    keras.layers.Add()([keras.Input((3,)), keras.Input((5,))])


@_added_shapes.fix
def _added_after_a_projection() -> None:
    """Project one of them to the size of the other."""
    five = keras.Input((5,))
    keras.layers.Add()([keras.layers.Dense(5)(keras.Input((3,))), five])

"""Recipes around `keras.Input`: where models begin, and what they are fed."""

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def linear_classifier(num_features: int = 64, num_classes: int = 10) -> keras.Model:
    """Build the smallest classifier: an Input, one layer, a Model.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from vectors of shape `(batch, num_features)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Example:
        >>> linear_classifier(num_features=64).input_shape
        (None, 64)
    """
    features = keras.Input(shape=(num_features,), name="features")
    scores = keras.layers.Dense(num_classes, activation="softmax")(features)
    return keras.Model(features, scores)


def digit_classifier(
    image_shape: tuple[int | None, ...] = (8, 8, 1), num_classes: int = 10
) -> keras.Model:
    """Build a small convolutional classifier that starts at a named Input.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes.

    Example:
        >>> model = digit_classifier()
        >>> model.input_shape, model.output_shape
        ((None, 8, 8, 1), (None, 10))
    """
    if len(image_shape) != 3:
        raise ValueError(f"Expected `image_shape` of 3 axes. Received: {image_shape}")
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu")(pixels)
    x = keras.layers.Flatten()(x)  # (batch, features)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(pixels, scores)


def two_branch_features(image_shape: tuple[int | None, ...] = (8, 8, 1)) -> keras.Model:
    """Build two convolution branches that read the same Input.

    One branch looks at 3 x 3 pixels at a time, the other at 5 x 5.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        features of shape `(batch, 16)`, float32: first those of the 3 x 3 branch.

    Example:
        >>> two_branch_features((8, 8, 1)).output_shape
        (None, 16)
    """
    pixels = keras.Input(shape=image_shape, name="pixels")
    small = keras.layers.Conv2D(8, 3, padding="same", name="small")(pixels)
    large = keras.layers.Conv2D(8, 5, padding="same", name="large")(pixels)
    pooled = [keras.layers.GlobalMaxPooling2D()(branch) for branch in (small, large)]
    return keras.Model(pixels, keras.layers.Concatenate()(pooled))


def classifier_from(
    first_layer: keras.Layer, input_shape: tuple[int | None, ...], num_classes: int
) -> keras.Model:
    """Build a classifier around any first layer, since the Input stands on its own.

    The first layer needs no `input_shape` argument, so it can be swapped like any
    other layer.

    Args:
        first_layer: A `keras.Layer` that accepts tensors of shape
            `(batch, *input_shape)`.
        input_shape: Tuple of integers or `None`, without the batch axis.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> for first in (keras.layers.Dense(4), keras.layers.LSTM(4)):
        ...     print(classifier_from(first, (8, 8), 10).output_shape)
        (None, 10)
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(shape=input_shape),
            first_layer,
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def sequence_classifier(num_features: int, num_classes: int) -> keras.Model:
    """Build a classifier for sequences of any length.

    Args:
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from sequences of shape
        `(batch, time, num_features)` to probabilities of shape
        `(batch, num_classes)`, float32. All sequences of one batch are equally long.

    Example:
        >>> model = sequence_classifier(num_features=8, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, None, 8), (None, 10))
    """
    steps = keras.Input(shape=(None, num_features), name="steps")
    summary = keras.layers.GRU(16)(steps)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax")(summary)
    return keras.Model(steps, scores)


def fully_convolutional(num_channels: int, num_classes: int) -> keras.Model:
    """Build a classifier for images of any height and width.

    Global pooling takes the place of `Flatten`, which would need fixed sizes.

    Args:
        num_channels: Integer of at least 1, the values of one pixel.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape
        `(batch, height, width, num_channels)` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> model = fully_convolutional(num_channels=1, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, None, None, 1), (None, 10))
    """
    pixels = keras.Input(shape=(None, None, num_channels), name="pixels")
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(pixels)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(pixels, scores)


def input_layer_on_placeholder(keras_module: ModuleType) -> Any:
    """Let an InputLayer take over a TensorFlow placeholder, as code of 2017 did.

    It works on Keras 2 and is refused by Keras 3. The placeholder lives in a graph of
    its own, so that nothing outside is touched.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        The shape of the layer's output, `(None, 784)` as a `tf.TensorShape`.

    Raises:
        ValueError: On Keras 3, where `input_tensor` must be a `KerasTensor`.

    Example:
        >>> import tf_keras
        >>> input_layer_on_placeholder(tf_keras)
        TensorShape([None, 784])
    """
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, (None, 784))
        layer = keras_module.layers.InputLayer(input_tensor=placeholder)
        return layer.output.shape


def feature_extractor(model: keras.Model, layer_name: str) -> keras.Model:
    """Build a model that stops at an intermediate layer of another model.

    Args:
        model: A `keras.Model` that knows its inputs: Functional or built Sequential.
        layer_name: String, the name of one of its layers.

    Returns:
        A `keras.Model` from the same inputs to the output of that layer. It shares
        its weights with `model`.

    Raises:
        ValueError: If `model` has no inputs or no layer of that name.

    Example:
        >>> feature_extractor(digit_classifier(), "pixels").output_shape
        (None, 8, 8, 1)
    """
    if not getattr(model, "inputs", None):
        raise ValueError(f"Expected a model that begins at an Input. Received: {model}")
    names = [layer.name for layer in model.layers]
    if layer_name not in names:
        raise ValueError(
            f"Expected `layer_name` to be one of {names}. Received: {layer_name!r}"
        )
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.input
    return keras.Model(inputs, model.get_layer(layer_name).output)


def on_raw_pixels(model: keras.Model, maximum: float = 16.0) -> keras.Model:
    """Reuse a model on a new Input, with the scaling of the pixels built in.

    Args:
        model: A `keras.Model` with one input, whose values range over `[0, 1]`.
        maximum: Float greater than 0, the largest raw value.

    Returns:
        A `keras.Model` on values from 0 to `maximum`, float32, of the same shape. It
        shares its weights with `model`.

    Raises:
        ValueError: If `maximum` is not a finite number greater than 0, or if `model`
            does not have exactly one input.

    Example:
        >>> on_raw_pixels(digit_classifier()).input_shape
        (None, 8, 8, 1)
    """
    if not 0 < maximum < math.inf:
        raise ValueError(f"Expected `maximum` greater than 0. Received: {maximum}")
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1:
        raise ValueError(f"Expected a model with one input. Received: {len(inputs)}")
    raw_pixels = keras.Input(batch_shape=inputs[0].shape, name="raw_pixels")
    scaled = keras.layers.Rescaling(1.0 / maximum)(raw_pixels)
    return keras.Model(raw_pixels, model(scaled))


def input_from_spec(spec: tf.TypeSpec, name: str | None = None) -> keras.KerasTensor:
    """Declare the Input that accepts what one `tf.TypeSpec` describes.

    Args:
        spec: A `tf.TensorSpec`, `tf.SparseTensorSpec` or `tf.RaggedTensorSpec`,
            whose first axis is the batch. Any dtype.
        name: String or `None`, the name of the Input.

    Returns:
        A `keras.KerasTensor` of shape `(None, *spec.shape[1:])` and the dtype of
        `spec`, sparse or ragged as `spec` is.

    Raises:
        ValueError: If `spec` is of another type, or has no batch axis or no known
            number of axes.

    Example:
        >>> input_from_spec(tf.TensorSpec((None, 3), "int64"), name="ids").dtype
        'int64'
    """
    kinds = (tf.TensorSpec, tf.SparseTensorSpec, tf.RaggedTensorSpec)
    if not isinstance(spec, kinds) or not spec.shape.rank:
        raise ValueError(
            "Expected a `tf.TensorSpec`, `tf.SparseTensorSpec` or "
            "`tf.RaggedTensorSpec` with a batch axis: batch the dataset with "
            f"`dataset.batch(...)`. Received: {spec}"
        )
    return keras.Input(
        shape=tuple(spec.shape[1:]),
        dtype=spec.dtype.name,
        sparse=isinstance(spec, tf.SparseTensorSpec),
        ragged=isinstance(spec, tf.RaggedTensorSpec),
        name=name,
    )


def inputs_from_element_spec(
    element_spec: Any,
) -> keras.KerasTensor | dict[str, keras.KerasTensor]:
    """Declare the Inputs that a `tf.data.Dataset` can feed.

    Args:
        element_spec: The `element_spec` of a batched dataset of `features`,
            `(features,)`, `(features, labels)` or `(features, labels, weights)`,
            where `features` is one tensor or a dict of tensors by name.

    Returns:
        A `keras.KerasTensor`, or a dict of them by name, to pass as `inputs` to
        `keras.Model`.

    Raises:
        ValueError: If the features are neither a tensor nor a dict of tensors, or
            have no batch axis.

    Example:
        >>> dataset = tf.data.Dataset.from_tensors(({"age": [30.0]}, [1]))
        >>> inputs_from_element_spec(dataset.element_spec)["age"].name
        'age'
    """
    is_tuple = isinstance(element_spec, tuple) and element_spec
    features = element_spec[0] if is_tuple else element_spec
    if isinstance(features, dict):
        return {name: input_from_spec(spec, name) for name, spec in features.items()}
    return input_from_spec(features)


def input_from_column(name: str, column: npt.NDArray[Any]) -> keras.KerasTensor:
    """Declare the Input that accepts one named array of a table.

    Args:
        name: String without `/`, the name of the Input.
        column: Array of shape `(num_rows, ...)` of floats, integers, booleans or
            strings, with at least one row.

    Returns:
        A `keras.KerasTensor` of shape `(None, *column.shape[1:])`. Floats of any
        width get Keras's default float, float32; strings get `string`; integers and
        booleans keep their dtype.

    Raises:
        ValueError: If the name or the dtype is none that Keras knows, if there is no
            row, or if a value is missing, infinite or no string among strings.

    Example:
        >>> input_from_column("age", np.array([30.0, 41.0])).dtype
        'float32'
    """
    if not name or "/" in str(name):
        raise ValueError(f"Expected a name without `/`. Received: {name!r}")
    kind = "string" if column.dtype.kind in "OSU" else column.dtype.name
    if column.dtype.kind not in "bfiuOSU":
        raise ValueError(
            f'Expected `arrays["{name}"]` to hold numbers or strings. '
            f"Received: dtype {kind}"
        )
    if column.ndim == 0 or len(column) == 0:
        raise ValueError(
            f'Expected `arrays["{name}"]` to hold at least one row. '
            f"Received: shape {column.shape}"
        )
    if kind == "string":
        usable = np.array(
            [isinstance(v, (str, bytes)) for v in column.ravel().tolist()]
        )
    else:
        usable = np.isfinite(column)
    if not usable.all():
        raise ValueError(
            f'Expected `arrays["{name}"]` without missing, infinite or mixed values. '
            f"Received: {usable.size - usable.sum()} of these"
        )
    dtype = keras.config.floatx() if column.dtype.kind == "f" else kind
    return keras.Input(shape=column.shape[1:], dtype=dtype, name=name)


def inputs_from_arrays(
    arrays: Mapping[str, npt.NDArray[Any]],
) -> dict[str, keras.KerasTensor]:
    """Declare the Inputs that a dict of arrays can feed.

    Args:
        arrays: Dict from input name to array of shape `(num_rows, ...)`, all with as
            many rows, of floats, integers, booleans or strings.

    Returns:
        A dict from name to `keras.KerasTensor`, to pass as `inputs` to `keras.Model`.

    Raises:
        ValueError: If there is no array, if the arrays differ in length, or if
            `input_from_column` refuses one of them.

    Example:
        >>> table = {"age": np.array([30.0, 41.0]), "city": np.array(["Rome", "Oslo"])}
        >>> [tensor.dtype for tensor in inputs_from_arrays(table).values()]
        ['float32', 'string']
    """
    if not arrays:
        raise ValueError("Expected at least one array. Received: an empty dict")
    inputs = {name: input_from_column(name, array) for name, array in arrays.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected arrays of one length. Received: {lengths}")
    return inputs


def preprocess(
    inputs: Mapping[str, keras.KerasTensor], arrays: Mapping[str, npt.NDArray[Any]]
) -> keras.KerasTensor:
    """Give each Input the preprocessing layer that suits its dtype, and join them.

    Floats are normalized to mean 0 and variance 1. Strings, integers and booleans
    are one-hot encoded, with one more place for values that `arrays` does not hold.

    Args:
        inputs: Dict from name to `keras.KerasTensor`, of `inputs_from_arrays`.
        arrays: Dict from the same names to the arrays that the layers learn from.
            Pass the training set only.

    Returns:
        A `keras.KerasTensor` of shape `(None, num_features)`, float32.

    Raises:
        ValueError: If `inputs` and `arrays` differ in their names, or are empty.

    Example:
        >>> table = {"age": np.array([30.0, 41.0]), "city": np.array(["Rome", "Oslo"])}
        >>> preprocess(inputs_from_arrays(table), table).shape
        (None, 4)
    """
    if not inputs or inputs.keys() != arrays.keys():
        raise ValueError(
            "Expected `inputs` and `arrays` with the same names, at least one. "
            f"Received: {list(inputs)} and {list(arrays)}"
        )
    features = []
    for name, tensor in inputs.items():
        if tensor.dtype == "string":
            layer = keras.layers.StringLookup(output_mode="one_hot")
        elif keras.backend.is_float_dtype(tensor.dtype):
            layer = keras.layers.Normalization()
        else:
            layer = keras.layers.IntegerLookup(output_mode="one_hot")
        layer.adapt(arrays[name].reshape(len(arrays[name]), -1))
        tensor = keras.layers.Flatten()(tensor)  # (batch, values)
        features.append(keras.layers.Flatten()(layer(tensor)))
    return keras.layers.Concatenate()(features)


def shape_problem(
    expected: tuple[int | None, ...], shape: tuple[int, ...]
) -> str | None:
    """Say what is wrong with the shape of an array for an Input, and how to mend it.

    Args:
        expected: Tuple, the shape of the Input with its batch axis first.
        shape: Tuple of integers, the shape of the array.

    Returns:
        `None` if the shapes agree, else a string, a clause that begins with "which".

    Example:
        >>> shape_problem((None, 8, 8, 1), (8, 8, 1))
        'which is one unbatched example: add a batch axis with `array[None, ...]`'
    """

    def fits(pattern: tuple[int | None, ...], sizes: tuple[int, ...]) -> bool:
        return len(pattern) == len(sizes) and all(
            want in (None, size) for want, size in zip(pattern, sizes, strict=True)
        )

    example, rank = expected[1:], len(expected)
    batch, any_batch = expected[0] or 1, (None, *expected[1:])
    if fits(any_batch, shape):
        if shape[0] == 0:
            return "which is an empty batch: pass at least one example"
        if shape[0] % batch:
            return f"which is no whole number of batches of {batch}, the fixed size"
        return None
    if fits(example, shape):
        return (
            "which is one unbatched example: add a batch axis with `array[None, ...]`"
        )
    if example[-1:] == (1,) and fits(any_batch[:-1], shape):
        return "which lacks the last axis of size 1: add it with `array[..., None]`"
    if example[-1:] == (1,) and fits(example[:-1], shape):
        return (
            "which is one unbatched example without its last axis: add both axes with "
            "`array[None, ..., None]`"
        )
    for axis, size in enumerate(shape):
        if size == 1 and fits(any_batch, shape[:axis] + shape[axis + 1 :]):
            return f"which has one axis too many: drop it with `array.squeeze({axis})`"
    if rank > 2 and fits((None, *example[1:]), shape):
        return (
            f"which has no axis of size {example[0]}: if that is the number of "
            f"examples, leave it out of the Input, `keras.Input(shape={example[1:]})`"
        )
    if rank == len(shape) > 2 and fits(any_batch, (shape[0], *shape[2:], shape[1])):
        return "which has its channels first: use `np.moveaxis(array, 1, -1)`"
    sizes = [size for size in example if size is not None]
    if (
        rank != len(shape)
        and min(rank, len(shape)) == 2
        and len(sizes) == len(example)
        and math.prod(shape[1:]) == math.prod(sizes)
    ):
        return f"which needs another shape: use `array.reshape({(-1, *sizes)})`"
    if rank != len(shape):
        return f"which has rank {len(shape)} instead of {rank}"
    axis = next(k for k in range(1, rank) if expected[k] not in (None, shape[k]))
    return f"which has size {shape[axis]} on axis {axis} instead of {expected[axis]}"


def value_problem(dtype: str, array: npt.NDArray[Any]) -> str | None:
    """Say what is wrong with the values of an array for an Input, and how to mend it.

    Args:
        dtype: String, the dtype of the Input.
        array: Array of any shape and dtype.

    Returns:
        `None` if the Input can read the values, else a string, a clause that begins
        with "which".

    Example:
        >>> value_problem("float32", np.array([1.0, np.nan]))
        'which holds 1 NaN or infinite values: replace them or drop their rows'
    """
    is_float = array.dtype.kind == "f" or array.dtype.name == "bfloat16"
    if dtype == "string":
        values = array.ravel().tolist()
        if not all(isinstance(value, (str, bytes)) for value in values):
            return "which does not hold strings: use `tf.constant(array.astype(str))`"
        if array.dtype.kind != "O" or array.ndim > 1 or bytes in map(type, values):
            return "which `fit` and `predict` cannot read: use `tf.constant(array)`"
        return None
    if dtype == "bool" and array.dtype.kind != "b":
        return "which is not boolean: use `array.astype(bool)`"
    if not is_float and array.dtype.kind not in "biu":
        return f"which does not hold real numbers: use `array.astype('{dtype}')`"
    if is_float and not keras.backend.is_float_dtype(dtype):
        return f"which would lose its fractions: use `array.astype('{dtype}')`"
    bad = int(np.sum(~np.isfinite(array))) if is_float else 0
    if bad:
        return (
            f"which holds {bad} NaN or infinite values: replace them or drop their rows"
        )
    return None


def check_array(
    model: keras.Model, array: npt.NDArray[Any] | dict[str, npt.NDArray[Any]]
) -> npt.NDArray[Any] | dict[str, npt.NDArray[Any]]:
    """Return the array if the model can be fed with it, else say in words why not.

    It is stricter than Keras, which adds or drops a last axis of size 1 by itself and
    so reads one unbatched image of shape `(28, 28, 1)` as a batch of 28 rows.

    Args:
        model: A `keras.Model` that knows its inputs: Functional or built Sequential.
        array: NumPy array of shape `(num_examples, ...)`, or a dict of them by name
            for a model with several inputs.

    Returns:
        `array`, unchanged.

    Raises:
        ValueError: If Keras would refuse the array, or misread it without an error.

    Example:
        >>> check_array(digit_classifier(), np.zeros((2, 8, 8, 1))).shape
        (2, 8, 8, 1)
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            "Expected a model that knows its inputs: start it with `keras.Input`. "
            f"Received: {type(model).__name__} '{model.name}', unbuilt or subclassed"
        )
    declared = getattr(model, "input", None)  # A fresh Sequential has only `inputs`.
    if not isinstance(declared, dict):
        declared = {tensor.name: tensor for tensor in model.inputs}
    label, given = 'array["{}"]', array
    if not isinstance(given, dict) and len(declared) == 1:
        label, given = "array", dict.fromkeys(declared, given)
    if not isinstance(given, dict) or given.keys() != declared.keys():
        found = list(given) if isinstance(given, dict) else type(given).__name__
        raise ValueError(
            f"Expected `array` to be a dict with the keys {list(declared)}. "
            f"Received: {found}"
        )
    for name, tensor in declared.items():
        part = given[name]
        if not isinstance(part, np.ndarray):
            raise ValueError(
                f"Expected `{label.format(name)}` to be a NumPy array. "
                f"Received: {type(part).__name__}"
            )
        problem = shape_problem(tensor.shape, part.shape)
        problem = problem or value_problem(tensor.dtype, part)
        if problem:
            raise ValueError(
                f"Expected `{label.format(name)}` of shape {tensor.shape} and dtype "
                f"{tensor.dtype}. Received: shape {part.shape} and dtype {part.dtype}, "
                f"{problem}."
            )
    lengths = {name: len(part) for name, part in given.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected arrays of one length. Received: {lengths}")
    return array

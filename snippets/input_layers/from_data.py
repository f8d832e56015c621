"""Input layers from the data that a model will get."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.checks import check_mapping, check_ndarray


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
        ValueError: If the features are neither a tensor nor a dict of tensors, at
            least one, or have no batch axis.

    Example:
        >>> dataset = tf.data.Dataset.from_tensors(({"age": [30.0]}, [1]))
        >>> inputs_from_element_spec(dataset.element_spec)["age"].name
        'age'
    """
    is_tuple = isinstance(element_spec, tuple) and element_spec
    features = element_spec[0] if is_tuple else element_spec
    if isinstance(features, dict) and features:
        return {name: input_from_spec(spec, name) for name, spec in features.items()}
    return input_from_spec(features)


def text_of(value: Any) -> str | None:
    r"""Return a string as TensorFlow reads it, or nothing if it cannot.

    Args:
        value: Any object; a string or UTF-8 bytes, without the null character, is text.

    Returns:
        A string, or `None`.

    Example:
        >>> text_of("Rome"), text_of(b"Oslo"), text_of(3), text_of("a\0")
        ('Rome', 'Oslo', None, None)
    """
    try:
        text = value.decode() if isinstance(value, bytes) else value.encode().decode()
    except (AttributeError, UnicodeError):
        return None
    return None if "\0" in text else str(text)


def dtype_for_column(name: str, column: npt.NDArray[Any]) -> str:
    """Say which dtype an Input needs to accept one named array of a table.

    Args:
        name: String, what the error calls the array.
        column: Array of shape `(num_rows, ...)` of floats, integers, booleans or
            strings, with at least one value.

    Returns:
        A string. Floats of any width get Keras's default float, float32; strings get
        `string`; integers and booleans keep their dtype.

    Raises:
        ValueError: If `column` is no such array, or if a value is missing, infinite,
            beyond the dtype, or no string among strings.

    Example:
        >>> dtype_for_column("age", np.array([30.0, 41.0]))
        'float32'
    """
    label = f'arrays["{name}"]'
    check_ndarray(label, column)
    floats = ("float16", "float32", "float64")
    is_known = column.dtype.kind in "biuOSU" or column.dtype.name in floats
    if not is_known or column.ndim == 0 or column.size == 0:
        raise ValueError(
            f"Expected `{label}` to hold numbers or strings, at least one row of them. "
            f"Received: dtype {column.dtype} and shape {column.shape}"
        )
    if column.dtype.kind in "OSU":
        dtype, usable = (
            "string",
            np.array([text_of(v) is not None for v in column.flat]),
        )
    else:
        is_float = column.dtype.kind == "f"
        dtype = keras.config.floatx() if is_float else column.dtype.name
        with np.errstate(over="ignore"):
            usable = np.isfinite(column.astype(dtype)).ravel()
    if not usable.all():
        first = column.flat[usable.argmin()]
        raise ValueError(
            f"Expected `{label}` to hold {dtype}, no value missing or out of range. "
            f"Received: {(~usable).sum()} others, such as {first!r}"
        )
    return dtype


def input_from_column(name: str, column: npt.NDArray[Any]) -> keras.KerasTensor:
    """Declare the Input that accepts one named array of a table.

    Args:
        name: String without `/`, the name of the Input.
        column: Array of shape `(num_rows, ...)`, as `dtype_for_column` takes it.

    Returns:
        A `keras.KerasTensor` of shape `(None, *column.shape[1:])` and of the dtype of
        `dtype_for_column`.

    Raises:
        ValueError: If the name is none that Keras takes, or if `dtype_for_column`
            refuses the array.

    Example:
        >>> input_from_column("age", np.array([30.0, 41.0])).dtype
        'float32'
    """
    if not name or "/" in str(name):
        raise ValueError(f"Expected a name without `/`. Received: {name!r}")
    dtype = dtype_for_column(name, column)
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
        ValueError: If `arrays` is no dict or empty, if the arrays differ in length, or
            if `input_from_column` refuses one of them.

    Example:
        >>> table = {"age": np.array([30.0, 41.0]), "city": np.array(["Rome", "Oslo"])}
        >>> [tensor.dtype for tensor in inputs_from_arrays(table).values()]
        ['float32', 'string']
    """
    check_mapping("arrays", arrays)
    inputs = {name: input_from_column(name, array) for name, array in arrays.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected arrays of one length. Received: {lengths}")
    return inputs


def normalization_of(name: str, column: npt.NDArray[Any]) -> keras.layers.Normalization:
    """Make the layer that brings the floats of a column to mean 0 and variance 1.

    A constant column becomes 0. It is not divided by its deviation: `adapt` divides it
    by 1e-7, and the first other value would come out in the millions.

    Args:
        name: String, what the error calls the array.
        column: Array of shape `(num_rows, ...)`, finite floats.

    Returns:
        A `keras.layers.Normalization` for tensors of shape `(batch, num_values)`.

    Raises:
        ValueError: If float32 cannot compute it: the standard deviation is less than
            1e-7, more than 1e18, or less than 1e-5 of the mean.

    Example:
        >>> normalization_of("age", np.array([20.0, 40.0]))(np.array([[50.0]])).numpy()
        array([[2.]], dtype=float32)
    """
    values = column.reshape(len(column), -1).astype("float64")
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    varies = np.ptp(values, axis=0) > 0
    least = np.maximum(1e-7, 1e-5 * np.abs(mean))
    bad = varies & ~((deviation >= least) & (deviation <= 1e18))
    if bad.any():
        raise ValueError(
            f'Expected `arrays["{name}"]` with a standard deviation from 1e-7 to 1e18, '
            "at least 1e-5 of the mean: center or scale it. "
            f"Received: {deviation[bad][0]:.3g} around {mean[bad][0]:.3g}"
        )
    variance = np.where(varies, np.square(deviation), 1.0)
    return keras.layers.Normalization(
        mean=mean.tolist(), variance=variance.tolist(), dtype=keras.config.floatx()
    )


def one_hot_of(
    name: str, column: npt.NDArray[Any], max_categories: int
) -> keras.layers.StringLookup | keras.layers.IntegerLookup:
    """Make the layer that one-hot encodes the values of a column.

    Args:
        name: String, what the error calls the array.
        column: Array of any shape of strings, booleans, or integers below 2**63.
        max_categories: Integer of at least 1, how many different values there may be.

    Returns:
        A lookup layer to one more place than there are values: the first is for those
        that `column` does not hold.

    Raises:
        ValueError: If there are too many different values, or one of 2**63 and above.

    Example:
        >>> one_hot_of("rooms", np.array([2, 3, 2]), 5)(np.array([[3], [9]])).numpy()
        array([[0, 0, 1],
               [1, 0, 0]])
    """
    is_text = column.dtype.kind in "OSU"
    found: list[Any] = sorted({text_of(v) if is_text else int(v) for v in column.flat})
    if len(found) > max_categories:
        raise ValueError(
            f'Expected `arrays["{name}"]` with at most {max_categories} different '
            "values, since each becomes a feature: leave it out, use floats, or raise "
            f"`max_categories`. Received: {len(found)}"
        )
    if not is_text and found[-1] >= 2**63:
        raise ValueError(
            f'Expected `arrays["{name}"]` of integers below 2**63. '
            f"Received: {found[-1]}"
        )
    lookup = keras.layers.StringLookup if is_text else keras.layers.IntegerLookup
    # An `oov_token`, "[UNK]" or -1, would count as unknown where the data holds it.
    return lookup(vocabulary=found, oov_token=None, output_mode="one_hot")


def preprocessing_layer(
    name: str,
    tensor: keras.KerasTensor,
    column: npt.NDArray[Any],
    max_categories: int,
) -> keras.Layer:
    """Make the preprocessing layer that suits the dtype of one Input.

    Args:
        name: String, what the errors call the array.
        tensor: A `keras.KerasTensor`, the Input.
        column: Array that the layer learns from, of the shape and the kind of dtype of
            the Input.
        max_categories: Integer of at least 1, as `one_hot_of` takes it.

    Returns:
        A layer for tensors of shape `(batch, num_values)`.

    Raises:
        ValueError: If `tensor` is no `keras.KerasTensor`, if `column` differs from it
            in its shape or the kind of its dtype, or if `dtype_for_column`,
            `normalization_of` or `one_hot_of` refuses it.

    Example:
        >>> age = keras.Input((), name="age")
        >>> type(preprocessing_layer("age", age, np.array([30.0]), 9)).__name__
        'Normalization'
    """
    if not isinstance(tensor, keras.KerasTensor):
        raise ValueError(
            f'Expected `inputs["{name}"]` to be a `keras.KerasTensor`. '
            f"Received: {type(tensor).__name__}"
        )
    wanted, found = (
        "float" if keras.backend.is_float_dtype(dtype) else dtype == "string"
        for dtype in (tensor.dtype, dtype_for_column(name, column))
    )
    if wanted != found or column.shape[1:] != tensor.shape[1:]:
        raise ValueError(
            f'Expected `arrays["{name}"]` as its Input, {tensor.dtype} of shape '
            f"{tensor.shape}. Received: {column.dtype} of shape {column.shape}"
        )
    if wanted == "float":
        return normalization_of(name, column)
    return one_hot_of(name, column, max_categories)


def preprocess(
    inputs: Mapping[str, keras.KerasTensor],
    arrays: Mapping[str, npt.NDArray[Any]],
    max_categories: int = 1000,
) -> keras.KerasTensor:
    """Give each Input the preprocessing layer that suits its dtype, and join them.

    Floats are normalized to mean 0 and variance 1. Strings, integers and booleans
    are one-hot encoded, with one more place for values that `arrays` does not hold.

    Args:
        inputs: Dict from name to `keras.KerasTensor`, of `inputs_from_arrays`.
        arrays: Dict from the same names to the arrays that the layers learn from.
            Pass the training set only.
        max_categories: Integer of at least 1, how many different strings or integers a
            column may hold: each becomes a feature.

    Returns:
        A `keras.KerasTensor` of shape `(None, num_features)`, float32.

    Raises:
        ValueError: If `inputs` and `arrays` are no dicts, differ in their names or are
            empty, or if `preprocessing_layer` refuses an array.

    Example:
        >>> table = {"age": np.array([30.0, 41.0]), "city": np.array(["Rome", "Oslo"])}
        >>> preprocess(inputs_from_arrays(table), table).shape
        (None, 4)
    """
    check_mapping("inputs", inputs)
    check_mapping("arrays", arrays)
    if inputs.keys() != arrays.keys():
        raise ValueError(
            "Expected `inputs` and `arrays` with the same names. "
            f"Received: {list(inputs)} and {list(arrays)}"
        )
    # Not in the float16 of a mixed policy, in which 1e5 is infinite.
    floatx, features = keras.config.floatx(), []
    for name, tensor in inputs.items():
        layer = preprocessing_layer(name, tensor, arrays[name], max_categories)
        flat = keras.layers.Flatten(dtype=floatx)(tensor)  # (batch, values)
        features.append(keras.layers.Flatten(dtype=floatx)(layer(flat)))
    joined = keras.layers.Concatenate(dtype=floatx)(features)
    # Lookup layers declare floats, and give integers.
    return keras.ops.cast(joined, floatx)

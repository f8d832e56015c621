"""Input layers from the data that a model will get."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


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

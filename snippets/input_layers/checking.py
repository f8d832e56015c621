"""Say whether an array fits a model, before Keras does."""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.checks import check_mapping, check_ndarray


def shape_problem(
    expected: tuple[int | None, ...], shape: tuple[int, ...]
) -> str | None:
    """Say what is wrong with the shape of an array for an Input, and how to mend it.

    Args:
        expected: Tuple of at least one axis, the shape of the Input with its batch axis
            first, `None` for a size that varies.
        shape: Tuple of integers of at least 0, the shape of the array.

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
        if 0 in shape:
            return f"which has no values: axis {shape.index(0)} has size 0"
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


def range_problem(dtype: str, array: npt.NDArray[Any]) -> str | None:
    """Say which number of an array the dtype of an Input cannot hold.

    Keras converts without an error: 1e39 becomes infinite as float32, 300 becomes 44 as
    uint8, and 16777217 becomes 16777216 as float32.

    Args:
        dtype: String, the dtype of the Input: float, integer or bool.
        array: Array of finite real numbers, any shape and dtype.

    Returns:
        `None` if each number arrives, floats rounded or without their fractions, else a
        string, a clause that begins with "which".

    Example:
        >>> range_problem("uint8", np.array([7, 300]))
        'which holds 300, and that becomes 44 as uint8: give the Input a wider ...'
    """
    with np.errstate(all="ignore"):
        read = array.astype(dtype)
        back = read.astype(array.dtype)
    is_float = keras.backend.is_float_dtype(dtype)
    if array.dtype.kind not in "biu":
        lost = ~np.isfinite(read) | ((read == 0) & (array != 0))
        lost = lost if is_float else back != np.trunc(array)
    elif is_float:
        # From 2**63 on, the way back to an integer is undefined.
        lost = (back != array) | ~(np.abs(read.astype("float64")) < 2.0**63)
    else:
        lost = (back != array) | ((read < 0) != (array < 0))
    if not lost.any():
        return None
    return (
        f"which holds {array[lost][0]!s}, and that becomes {read[lost][0]!s} as "
        f"{dtype}: give the Input a wider dtype or change the values"
    )


def value_problem(dtype: str, array: npt.NDArray[Any]) -> str | None:
    """Say what is wrong with the values of an array for an Input, and how to mend it.

    Floats go through `keras.config.floatx()`, float32 by default, to every Input.

    Args:
        dtype: String, the dtype of the Input: float, integer, bool or string.
        array: Array of any shape and dtype.

    Returns:
        `None` if the Input can read the values, else a string, a clause that begins
        with "which".

    Example:
        >>> value_problem("float32", np.array([1.0, np.nan]))
        'which holds 1 NaN or infinite values: replace them or drop their rows'
    """
    is_float = array.dtype.name in ("bfloat16", "float16", "float32", "float64")
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
        return f"which holds no numbers for Keras: use `array.astype('{dtype}')`"
    bad = int(np.sum(~np.isfinite(array))) if is_float else 0
    if bad:
        return (
            f"which holds {bad} NaN or infinite values: replace them or drop their rows"
        )
    if is_float and not keras.backend.is_float_dtype(dtype):
        fractions = f"which would lose its fractions: use `array.astype('{dtype}')`"
        return range_problem(dtype, array) or fractions
    floatx = keras.config.floatx()
    return (is_float and range_problem(floatx, array)) or range_problem(dtype, array)


def inputs_by_name(model: keras.Model) -> dict[str, keras.KerasTensor]:
    """Return the Inputs of a model by the names that its data goes by.

    Args:
        model: A `keras.Model` that knows its inputs: Functional or built Sequential.

    Returns:
        A dict from name to `keras.KerasTensor`.

    Raises:
        ValueError: If `model` does not know its inputs.

    Example:
        >>> from snippets.input_layers import digit_classifier
        >>> list(inputs_by_name(digit_classifier()))
        ['pixels']
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            "Expected a model that knows its inputs: start it with `keras.Input`. "
            f"Received: {type(model).__name__}, unbuilt or subclassed"
        )
    declared = getattr(model, "input", None)  # A fresh Sequential has only `inputs`.
    if isinstance(declared, dict):
        return declared
    return {tensor.name: tensor for tensor in model.inputs}


def check_fit(label: str, tensor: keras.KerasTensor, array: npt.NDArray[Any]) -> None:
    """Refuse an array that does not fit one Input, and say how to mend it.

    Args:
        label: String, what the error calls the array.
        tensor: A `keras.KerasTensor`, the Input.
        array: NumPy array of shape `(num_examples, ...)`.

    Raises:
        ValueError: If Keras would refuse the array, or misread it without an error.

    Example:
        >>> check_fit("pixels", keras.Input((2,)), np.array([[1.0, 1e39]]))
        Traceback (most recent call last):
            ...
        ValueError: Expected `pixels` of shape (None, 2) ... becomes inf as float32: ...
    """
    check_ndarray(label, array)
    problem = shape_problem(tensor.shape, array.shape)
    problem = problem or value_problem(tensor.dtype, array)
    if problem:
        raise ValueError(
            f"Expected `{label}` of shape {tensor.shape} and dtype {tensor.dtype}. "
            f"Received: shape {array.shape} and dtype {array.dtype}, {problem}."
        )


def check_array(model: keras.Model, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array if the model can be fed with it, else say in words why not.

    It is stricter than Keras, which adds or drops a last axis of size 1 by itself and
    so reads one unbatched image of shape `(28, 28, 1)` as a batch of 28 rows.

    Args:
        model: A `keras.Model` of one input that knows it: Functional or built
            Sequential. For several inputs there is `check_arrays`.
        array: NumPy array of shape `(num_examples, ...)`.

    Returns:
        `array`, unchanged.

    Raises:
        ValueError: If Keras would refuse the array, or misread it without an error.

    Example:
        >>> from snippets.input_layers import digit_classifier
        >>> check_array(digit_classifier(), np.zeros((2, 8, 8, 1))).shape
        (2, 8, 8, 1)
    """
    inputs = inputs_by_name(model)
    if len(inputs) > 1:
        raise ValueError(
            "Expected a model with one input: pass a dict of arrays to `check_arrays`. "
            f"Received: {list(inputs)}"
        )
    for tensor in inputs.values():
        check_fit("array", tensor, array)
    return array


def check_arrays(
    model: keras.Model, arrays: dict[str, npt.NDArray[Any]]
) -> dict[str, npt.NDArray[Any]]:
    """Return a dict of arrays if the model can be fed with it, else say why not.

    It is as strict as `check_array`, and refuses keys that no Input has, which Keras
    ignores.

    Args:
        model: A `keras.Model` that knows its inputs: Functional or built Sequential.
        arrays: Dict from the name of each Input to a NumPy array of shape
            `(num_examples, ...)`, all of one length.

    Returns:
        `arrays`, unchanged.

    Raises:
        ValueError: If Keras would refuse the arrays, or misread them without an error.

    Example:
        >>> from snippets.input_layers import digit_classifier
        >>> list(check_arrays(digit_classifier(), {"pixels": np.zeros((2, 8, 8, 1))}))
        ['pixels']
    """
    inputs = inputs_by_name(model)
    check_mapping("arrays", arrays)
    if arrays.keys() != inputs.keys():
        raise ValueError(
            f"Expected `arrays` to be a dict with the keys {list(inputs)}. "
            f"Received: {list(arrays)}"
        )
    for name, tensor in inputs.items():
        check_fit(f'arrays["{name}"]', tensor, arrays[name])
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"Expected arrays of one length. Received: {lengths}")
    return arrays

"""Say whether an array fits a model, before Keras does."""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


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
        >>> from snippets.input_layers import digit_classifier
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

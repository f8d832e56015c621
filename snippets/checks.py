"""Checks of arguments: one set for all guides.

Each refuses what Keras and NumPy take without an error, and says which argument it is,
what was expected and what was received.
"""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

import numpy as np
import numpy.typing as npt


def is_size(value: Any, least: int) -> bool:
    """Say whether a value is an integer of a least size; `True` is none.

    Args:
        value: Any object.
        least: Integer.

    Returns:
        Whether it is.

    Example:
        >>> is_size(8, 4), is_size(8.0, 4), is_size(True, 1)
        (True, False, False)
    """
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and bool(value >= least)


def check_integer(name: str, value: Any, least: int = 1) -> int:
    """Return an integer that is large enough, and refuse anything else.

    Args:
        name: String, the argument to name in the error.
        value: Integer of Python or NumPy, of at least `least`.
        least: Integer.

    Returns:
        `value` as an integer of Python.

    Raises:
        ValueError: If `value` is no integer, a boolean, or too small.

    Example:
        >>> check_integer("units", 8)
        8
    """
    if not is_size(value, least):
        raise ValueError(
            f"Expected `{name}` to be an integer of at least {least}. "
            f"Received: {name}={shorten(repr(value), 60)}"
        )
    return int(value)


def check_fraction(name: str, value: Any) -> float:
    """Return a fraction, such as a dropout rate or a momentum, if it is one.

    Args:
        name: String, the argument to name in the error.
        value: Number of Python or NumPy, from 0 up to, and without, 1.

    Returns:
        `value` as a float of Python.

    Raises:
        ValueError: If `value` is no such number.

    Example:
        >>> check_fraction("rate", 0.5)
        0.5
    """
    is_number = isinstance(value, (int, float, np.integer, np.floating))
    if not is_number or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(
            f"Expected `{name}` to be at least 0 and less than 1. "
            f"Received: {name}={shorten(repr(value), 60)}"
        )
    return float(value)


def check_sizes(image_shape: Sequence[int], num_classes: int) -> tuple[int, int, int]:
    """Refuse sizes from which the network cannot be built.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis: height
            and width of at least 4, so that something is left to pool, channels of at
            least 1.
        num_classes: Integer of at least 2.

    Returns:
        `image_shape` as a tuple of three integers.

    Raises:
        ValueError: If a size is missing, too small or no integer.

    Example:
        >>> check_sizes((8, 8, 1), num_classes=10)
        (8, 8, 1)
    """
    sizes = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    if len(sizes) != 3 or not all(map(is_size, sizes, (4, 4, 1))):
        raise ValueError(
            "Expected `image_shape` to be three integers, (height, width, channels) of "
            f"at least (4, 4, 1), without the batch axis. Received: {image_shape}"
        )
    if not is_size(num_classes, 2):
        raise ValueError(
            "Expected `num_classes` to be an integer of at least 2. "
            f"Received: {num_classes}"
        )
    height, width, channels = map(int, sizes)
    return height, width, channels


def check_ndarray(name: str, value: Any) -> None:
    """Refuse what is no NumPy array: a list, a tensor, a table, a masked array.

    Keras reads the values behind a mask like any others.

    Args:
        name: String, the argument to name in the error.
        value: NumPy array of any shape and dtype.

    Raises:
        ValueError: If `value` is anything else.

    Example:
        >>> check_ndarray("images", [0.5])
        Traceback (most recent call last):
            ...
        ValueError: Expected `images` to be a NumPy array. Received: list
    """
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise ValueError(
            f"Expected `{name}` to be a NumPy array. Received: {type(value).__name__}"
        )


def check_mapping(name: str, value: Any) -> None:
    """Refuse what is no dict, and one that is empty.

    Args:
        name: String, the argument to name in the error.
        value: Dict or other mapping with at least one key.

    Raises:
        ValueError: If `value` is anything else.

    Example:
        >>> check_mapping("arrays", [np.zeros(3)])
        Traceback (most recent call last):
            ...
        ValueError: Expected `arrays` to be a dict with at least one key. Received: list
    """
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"Expected `{name}` to be a dict with at least one key. "
            f"Received: {type(value).__name__}"
        )


def check_numbers(name: str, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of finite numbers, and refuse anything else.

    One NaN in the examples, or one number beyond float32, and after a step of training
    all weights are NaN.

    Args:
        name: String, the argument to name in the error.
        array: NumPy array of floats, integers or booleans of any shape, none of them
            NaN, infinite or beyond the range of float32.

    Returns:
        `array`, unchanged.

    Raises:
        ValueError: If `array` is no such array.

    Example:
        >>> check_numbers("images", np.array([0.5, np.nan]))
        Traceback (most recent call last):
            ...
        ValueError: Expected `images` to hold finite numbers ... Received: nan ...
    """
    check_ndarray(name, array)
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"Expected `{name}` to hold numbers. Received: dtype {array.dtype}"
        )
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(array.astype("float32"))
    if bad.any():
        raise ValueError(
            f"Expected `{name}` to hold finite numbers within float32. "
            f"Received: {array[bad][0]} and {bad.sum() - 1} more"
        )
    return array


def check_probabilities(outputs: npt.NDArray[Any]) -> None:
    """Refuse scores that are no probabilities, for lack of a softmax.

    A loss of probabilities takes any scores: training goes on, and means nothing.

    Args:
        outputs: Array of shape `(1, num_classes)`, what a model gives for one example.

    Raises:
        ValueError: If a score is negative, or if they do not add up to 1.

    Example:
        >>> check_probabilities(np.array([[2.0, -1.0]]))
        Traceback (most recent call last):
            ...
        ValueError: Expected `model` to give probabilities: ... Received: outputs ...
    """
    if not (outputs.min() >= 0 and abs(outputs.sum() - 1) < 0.01):
        raise ValueError(
            "Expected `model` to give probabilities: end it with a softmax. Received: "
            f"outputs from {outputs.min():.3g}, with the sum {outputs.sum():.3g}"
        )


def check_labels(labels: Any, num_classes: int) -> None:
    """Refuse labels that are no class numbers.

    Args:
        labels: Array, tensor or list of class numbers, shape `(num_examples,)`.
        num_classes: Integer of at least 1.

    Raises:
        ValueError: If `labels` is empty, has another shape, or holds something else
            than integers from 0 to `num_classes - 1`.

    Example:
        >>> check_labels([3, 10], num_classes=10)
        Traceback (most recent call last):
            ...
        ValueError: Expected `labels` of shape (num_examples,), ... Received: 3 to 10
    """
    try:
        numbers = np.asarray(labels)
    except (TypeError, ValueError):  # A ragged list, or a `KerasTensor`.
        numbers = np.array(None)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not numbers.size:
        received = f"shape {numbers.shape} and dtype {numbers.dtype}"
    elif not 0 <= numbers.min() <= numbers.max() < num_classes:
        received = f"{numbers.min()} to {numbers.max()}"
    else:
        return
    raise ValueError(
        "Expected `labels` of shape (num_examples,), integers from 0 to "
        f"{num_classes - 1}, at least one. Received: {received}"
    )

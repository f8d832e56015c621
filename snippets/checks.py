"""Checks of arguments that several guides share."""

from collections.abc import Sequence
from typing import Any

import numpy as np


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


def positive_integer(name: str, value: Any) -> int:
    """Return a size if it is one.

    Args:
        name: String, the argument to name in the error.
        value: The size that was passed.

    Returns:
        The value as an integer of at least 1.

    Raises:
        ValueError: If the value is no integer of at least 1.

    Example:
        >>> positive_integer("units", 8)
        8
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"Expected `{name}` to be an integer of at least 1. "
            f"Received: {name}={value!r}"
        )
    return int(value)


def fraction(name: str, value: Any) -> float:
    """Return a rate if it is one.

    Args:
        name: String, the argument to name in the error.
        value: The rate that was passed.

    Returns:
        The value as a float from 0 up to, and without, 1.

    Raises:
        ValueError: If the value is no such number.

    Example:
        >>> fraction("rate", 0.5)
        0.5
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(
            f"Expected `{name}` to be at least 0 and less than 1. "
            f"Received: {name}={value!r}"
        )
    return float(value)


def check_positive(name: str, value: Any) -> int:
    """Return a size if it is one, an integer of at least 1.

    Args:
        name: String, what the argument is called.
        value: Integer of at least 1, of Python or NumPy.

    Returns:
        An integer, `value`.

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> check_positive("num_units", 16)
        16
    """
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < 1:
        raise ValueError(f"Expected `{name}` of at least 1. Received: {value!r}")
    return int(value)

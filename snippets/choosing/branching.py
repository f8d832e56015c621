"""Decisions that depend on the data, where TensorFlow can see them."""

from typing import Any

import keras


def inverted_where_bright(images: Any) -> Any:
    """Turn a batch of bright images into dark ones, with `keras.ops.where`.

    Args:
        images: Tensor of shape `(batch, ...)` with values from 0 to 1, float32.

    Returns:
        A tensor of the same shape and dtype, whose mean is at most 0.5.

    Example:
        >>> import numpy as np
        >>> np.array(inverted_where_bright(np.float32([0.75, 1.0])))
        array([0.25, 0.  ], dtype=float32)
    """
    is_bright = keras.ops.mean(images) > 0.5
    return keras.ops.where(is_bright, 1.0 - images, images)

"""Means and softmax that leave masked steps out."""

from typing import Any

import keras
from keras import ops


def check_mask(mask: Any, expected: tuple[int | None, ...]) -> None:
    """Refuse a mask that does not have one value for each step.

    Args:
        mask: `None`, or a tensor.
        expected: Tuple of integers or `None`, the shape that the mask should have.
            `None` stands for any size.

    Raises:
        ValueError: If the mask has another shape.

    Example:
        >>> import numpy as np
        >>> check_mask(np.ones((2, 5), "bool"), (None, 5))
    """
    shape = expected if mask is None else tuple(mask.shape)
    if len(shape) != len(expected) or any(
        None not in pair and pair[0] != pair[1]
        for pair in zip(shape, expected, strict=True)
    ):
        raise ValueError(
            f"Expected `mask` of shape {tuple(expected)}, one value for each step. "
            f"Received: a mask of shape {shape}"
        )


def masked_mean(inputs: Any, mask: Any = None) -> Any:
    """Average over the batch and the steps, without those that are padding.

    Args:
        inputs: Tensor of shape `(batch, ..., features)`, any float dtype.
        mask: `None`, or a tensor of shape `(batch, ...)`, false where there is padding.

    Returns:
        A tensor of shape `(features,)`, float32; zeros if everything is padding.

    Raises:
        ValueError: If the mask does not have the shape of `inputs` without its last
            axis.

    Example:
        >>> import numpy as np
        >>> steps = np.array([[[1.0], [3.0], [99.0]]])
        >>> masked_mean(steps, np.array([[True, True, False]])).numpy().tolist()
        [2.0]
    """
    check_mask(mask, tuple(inputs.shape[:-1]))
    values = ops.reshape(ops.cast(inputs, "float32"), (-1, inputs.shape[-1]))
    if mask is None:
        return ops.mean(values, axis=0)
    valid = ops.reshape(ops.cast(mask, "float32"), (-1, 1))  # (batch * steps, 1)
    return ops.sum(values * valid, axis=0) / ops.maximum(ops.sum(valid), 1.0)


def masked_softmax(scores: Any, mask: Any = None) -> Any:
    """Turn scores into weights that sum to 1 over the last axis, and to 0 on padding.

    Args:
        scores: Tensor of shape `(..., time)`, any float dtype.
        mask: `None`, or a tensor that broadcasts to `scores`, false where there is
            padding.

    Returns:
        A tensor of the shape and dtype of `scores`. Padding weighs exactly 0. Where
        everything is padding all weights are 0, and nothing is NaN.

    Example:
        >>> import numpy as np
        >>> masked_softmax(np.zeros((1, 4)), np.array([[1, 1, 0, 0]])).numpy().tolist()
        [[0.5, 0.5, 0.0, 0.0]]
    """
    if mask is None:
        return ops.softmax(scores, axis=-1)
    scores, mask = ops.convert_to_tensor(scores), ops.cast(mask, "bool")
    dtype = keras.backend.standardize_dtype(scores.dtype)
    lowest = ops.cast(-3e4 if dtype == "float16" else -1e9, dtype)  # both are finite
    weights = ops.softmax(ops.where(mask, scores, lowest), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))

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


def count_steps(inputs: Any, mask: Any = None) -> Any:
    """Count the steps of a batch that are no padding.

    Args:
        inputs: Tensor of shape `(batch, ..., features)`.
        mask: `None`, or a tensor of shape `(batch, ...)`, false where there is padding.

    Returns:
        A scalar tensor, float32; 0 for an empty batch.

    Example:
        >>> import numpy as np
        >>> float(count_steps(np.ones((2, 3, 4))))
        6.0
    """
    if mask is None:
        return ops.cast(ops.size(inputs[..., 0]), "float32")
    return ops.sum(ops.cast(ops.cast(mask, "bool"), "float32"))


def masked_mean(inputs: Any, mask: Any = None) -> Any:
    """Average over the batch and the steps, without those that are padding.

    Args:
        inputs: Tensor of shape `(batch, ..., features)`, any dtype.
        mask: `None`, or a tensor of shape `(batch, ...)`, false where there is padding.
            What stands there does not matter, NaN included.

    Returns:
        A tensor of shape `(features,)`, float32, or float64 for inputs of float64;
        zeros if the batch is empty or everything is padding.

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
    dtype = keras.backend.result_type(inputs.dtype, "float32")
    values = ops.cast(inputs, dtype)
    if mask is not None:
        values = ops.where(ops.cast(mask, "bool")[..., None], values, 0.0)
    total = ops.sum(values, axis=tuple(range(len(inputs.shape) - 1)))
    return total / ops.cast(ops.maximum(count_steps(inputs, mask), 1.0), dtype)


def masked_softmax(scores: Any, mask: Any = None) -> Any:
    """Turn scores into weights over the last axis, with 0 for padding.

    Args:
        scores: Tensor of shape `(..., time)`, any dtype.
        mask: `None`, or a tensor that broadcasts to `scores`, false where there is
            padding.

    Returns:
        A tensor of the shape and dtype of `scores`, float32 if they are integers. It
        sums to 1 over the last axis.
        Padding weighs exactly 0. Where everything is padding all weights are 0, and
        nothing is NaN.

    Example:
        >>> import numpy as np
        >>> masked_softmax(np.zeros((1, 4)), np.array([[1, 1, 0, 0]])).numpy().tolist()
        [[0.5, 0.5, 0.0, 0.0]]
    """
    dtype = keras.backend.result_type(scores.dtype, float)
    scores = ops.cast(scores, dtype)
    if mask is None:
        return ops.softmax(scores, axis=-1)
    mask = ops.cast(mask, "bool")
    # The lowest score that is finite in this dtype.
    lowest = ops.cast(-65504.0 if dtype == "float16" else -3e38, dtype)
    weights = ops.softmax(ops.where(mask, scores, lowest), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))

"""Deliberate mistakes: scrambled labels."""

from typing import Any

from keras import ops


def scrambled_label_maps(
    labels: Any,
    num_classes: int,
    height: int,
    width: int,
) -> Any:
    """Show the mistake: repeat each entry of the one-hot label, then reshape.

    A pixel gets neighbors of one entry in place of the whole one-hot label.

    Args:
        labels: Integer tensor of shape `(batch,)`, from 0 to `num_classes - 1`.
        num_classes: Integer of at least 1.
        height: Integer of at least 1, in pixels.
        width: Integer of at least 1, in pixels.

    Returns:
        A float32 tensor of shape `(batch, height, width, num_classes)`: the right shape
        with the wrong values.

    Example:
        >>> import numpy as np
        >>> maps = scrambled_label_maps(np.array([1, 0]), 2, height=8, width=8)
        >>> np.array(maps[0, 0, 0])
        array([0., 0.], dtype=float32)
    """
    repeated = ops.repeat(ops.one_hot(labels, num_classes), height * width)
    return ops.reshape(repeated, (-1, height, width, num_classes))

"""Deliberate mistakes: an `if` on a tensor, a size typed by hand."""

from typing import Any

import keras
import tensorflow as tf

from snippets.checks import check_sizes


def inverted_if_bright(images: tf.Tensor | keras.KerasTensor) -> Any:
    """Turn a batch of bright images into dark ones, with a Python `if` on the pixels.

    Args:
        images: Tensor of shape `(batch, ...)` with values from 0 to 1, float32.

    Returns:
        A tensor of the same shape and dtype, whose mean is at most 0.5.

    Example:
        >>> import numpy as np
        >>> np.array(inverted_if_bright(tf.constant([0.75, 1.0])))
        array([0.25, 0.  ], dtype=float32)
    """
    if keras.ops.mean(images) > 0.5:
        images = 1.0 - images
    return images


class HandTypedCNN(tf.Module):
    """A network whose flattened size was typed by hand: wrong on purpose.

    With `padding="SAME"` an image of 28 x 28 pixels is pooled to 14 x 14, which is 6272
    numbers for 32 filters. 5408 is 13 x 13 x 32, the size that `"VALID"` leaves.

    Args:
        num_classes: Integer of at least 2.

    Raises:
        ValueError: If `num_classes` is refused.

    Example:
        >>> HandTypedCNN(num_classes=10)(tf.zeros([169, 28, 28, 1])).shape
        TensorShape([196, 10])
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        check_sizes((28, 28, 1), num_classes)
        self.kernel = tf.Variable(tf.random.truncated_normal([3, 3, 1, 32], stddev=0.1))
        self.bias = tf.Variable(tf.zeros([32]))
        self.scores_kernel = tf.Variable(
            tf.random.truncated_normal([5408, num_classes], stddev=0.1)
        )
        self.scores_bias = tf.Variable(tf.zeros([num_classes]))

    def __call__(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="SAME")
        x = tf.nn.relu(x + self.bias)
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")
        x = tf.reshape(x, [-1, 5408])
        return x @ self.scores_kernel + self.scores_bias

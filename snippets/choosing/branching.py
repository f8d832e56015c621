"""Decisions that depend on the data, where TensorFlow can see them."""

from typing import Any

import keras
import tensorflow as tf


def inverted_where_bright(images: Any) -> Any:
    """Turn a batch of bright images into dark ones, with `keras.ops.where`.

    Args:
        images: Tensor of shape `(batch, ...)` with values from 0 to 1, float32.

    Returns:
        A tensor of the same shape and dtype, whose mean is at most 0.5.

    Example:
        >>> import numpy as np
        >>> np.array(inverted_where_bright(tf.constant([0.75, 1.0])))
        array([0.25, 0.  ], dtype=float32)
    """
    is_bright = keras.ops.mean(images) > 0.5
    return keras.ops.where(is_bright, 1.0 - images, images)


def branching_model(keras_module: Any) -> Any:
    """Build a model whose `call` asks the data, in an `if` of Python.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A compiled model of that Keras from arrays of shape `(batch, features)` to
        scores of shape `(batch, 2)`, float32.

    Example:
        >>> import numpy as np
        >>> tuple(branching_model(keras)(np.ones((4, 3))).shape)
        (4, 2)
    """

    class Branching(keras_module.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scores = keras_module.layers.Dense(2)

        def call(self, x: Any) -> Any:
            if tf.reduce_mean(x) > 0.5:
                x = 1.0 - x
            return self.scores(x)

    model = Branching()
    model.compile("sgd", "mse")
    return model

"""Attention as it was written for Keras 2, and as Keras 3 wants it."""

from typing import Any

import keras

from snippets.extras import extra

with extra("keras2"):
    import tf_keras


class OldAttention(tf_keras.layers.Layer):
    """Average the steps of a sequence, weighted by a softmax of their scores.

    Call arguments:
        x: Tensor of shape `(batch, time, features)`.

    Returns:
        A tensor of shape `(batch, features)`.

    Example:
        >>> import numpy as np
        >>> OldAttention()(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(
            "kernel",
            (shape[-1], 1),
        )

    def call(self, x: Any) -> Any:
        k = tf_keras.backend
        score = k.tanh(k.dot(x, self.kernel))
        weight = k.softmax(score, axis=1)
        return k.sum(weight * x, axis=1)


class NewAttention(keras.Layer):
    """Average the steps of a sequence, weighted by a softmax of their scores.

    Call arguments:
        x: Tensor of shape `(batch, time, features)`.

    Returns:
        A tensor of shape `(batch, features)`.

    Example:
        >>> import numpy as np
        >>> NewAttention()(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(
            (shape[-1], 1),
            name="kernel",
        )

    def call(self, x: Any) -> Any:
        ops = keras.ops
        score = ops.tanh(ops.dot(x, self.kernel))
        weight = ops.softmax(score, axis=1)
        return ops.sum(weight * x, axis=1)

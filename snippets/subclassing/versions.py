"""One layer as Keras 2 took it, and as Keras 3 wants it."""

from typing import Any

import keras
import tensorflow as tf

from snippets.extras import extra

with extra("keras2"):
    import tf_keras


class OldScale(tf_keras.layers.Layer):
    """Scale pixels, and count calls.

    Call arguments:
        x: Tensor of shape `(batch, num_pixels)`, in `[0, 255]` or in `[0, 1]`.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import numpy as np
        >>> layer = OldScale()
        >>> layer(np.full((1, 2), 255.0)).shape, len(layer.weights)
        (TensorShape([1, 2]), 2)
    """

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(
            "scale",
            shape=shape[-1:],
        )
        self.calls = tf.Variable(
            0.0,
            trainable=False,
        )

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1.0)
        if tf.reduce_max(x) > 1.0:
            x = x / 255.0
        return self.scale * x


class NewScale(keras.Layer):
    """Scale pixels, and count calls.

    Call arguments:
        x: Tensor of shape `(batch, num_pixels)`, in `[0, 255]` or in `[0, 1]`.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import numpy as np
        >>> layer = NewScale()
        >>> layer(np.full((1, 2), 255.0)).shape, len(layer.weights)
        (TensorShape([1, 2]), 2)
    """

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(
            name="scale",
            shape=shape[-1:],
        )
        self.calls = self.add_weight(
            name="calls",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="int",
        )

    def call(self, x: Any) -> Any:
        self.calls.assign_add(1)
        x = keras.ops.where(
            keras.ops.max(x) > 1.0,
            x / 255.0,
            x,
        )
        return self.scale * x

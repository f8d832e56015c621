"""A deliberate mistake: a model that asks its data, in an `if` of Python."""

from typing import Any

import keras
import tensorflow as tf


class Branching(keras.Model):
    """A model whose `call` Keras 3 cannot compile: wrong code.

    From arrays of shape `(batch, features)` to scores of shape `(batch, 2)`, float32.

    Example:
        >>> import numpy as np
        >>> tuple(Branching()(np.ones((4, 3))).shape)
        (4, 2)
    """

    def __init__(self) -> None:
        super().__init__()
        self.scores = keras.layers.Dense(2)

    def call(self, x: Any) -> Any:
        if tf.reduce_mean(x) > 0.5:
            x = 1.0 - x
        return self.scores(x)

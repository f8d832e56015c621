"""Layers with state, losses and shapes of their own."""

import math
from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="snippets")
class RunningMean(keras.Layer):
    """Subtract the mean of every example seen in training, and remember it.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`, float32.
        training: Whether to learn from `x` first.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> import numpy as np
        >>> layer = RunningMean()
        >>> layer(np.array([[1.0], [3.0]]), training=True).numpy().tolist()
        [[-1.0], [1.0]]
        >>> layer(np.array([[5.0]])).numpy().tolist()
        [[3.0]]
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.count = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="count"
        )
        self.mean = self.add_weight(
            shape=input_shape[-1:], initializer="zeros", trainable=False, name="mean"
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        if training:
            seen = keras.ops.cast(keras.ops.shape(x)[0], self.count.dtype)
            self.count.assign_add(seen)
            surprise = keras.ops.sum(x - self.mean, axis=0)
            self.mean.assign_add(surprise / keras.ops.maximum(self.count, 1.0))
        return x - self.mean


@keras.saving.register_keras_serializable(package="snippets")
class ActivityPenalty(keras.Layer):
    """Hand activations through, and ask for small ones in the loss.

    It adds `weight` times the mean of the absolute activations.

    Args:
        weight: Float of at least 0.

    Call arguments:
        x: Tensor of any shape and float dtype.

    Returns:
        The tensor `x`.

    Raises:
        ValueError: If `weight` is negative or not finite.

    Example:
        >>> import numpy as np
        >>> layer = ActivityPenalty(weight=0.5)
        >>> outputs = layer(np.array([[1.0, -3.0]]))
        >>> [float(loss) for loss in layer.losses]
        [1.0]
    """

    def __init__(self, weight: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 <= weight < math.inf:
            raise ValueError(f"Expected `weight` of at least 0. Received: {weight}")
        self.weight = weight

    def call(self, x: Any) -> Any:
        self.add_loss(self.weight * keras.ops.mean(keras.ops.abs(x)))
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="snippets")
class PrependToken(keras.Layer):
    """Put one learned step in front of every sequence of a batch of any size.

    Call arguments:
        steps: Tensor of shape `(batch, time, num_features)`, float32.

    Returns:
        A tensor of shape `(batch, time + 1, num_features)`, float32.

    Raises:
        ValueError: If `steps` has another number of axes.

    Example:
        >>> PrependToken()(keras.Input((None, 8))).shape
        (None, None, 8)

    References:
        - [BERT](https://arxiv.org/abs/1810.04805), J. Devlin et al., 2018: its `[CLS]`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        if len(input_shape) != 3:
            raise ValueError(
                "Expected `steps` of shape (batch, time, num_features). "
                f"Received: {tuple(input_shape)}"
            )
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), name="token")

    def call(self, steps: Any) -> Any:
        batch_size = keras.ops.shape(steps)[0]
        tokens = keras.ops.tile(self.token, (batch_size, 1, 1))
        return keras.ops.concatenate([tokens, steps], axis=1)

    def compute_output_shape(
        self, input_shape: Sequence[int | None]
    ) -> tuple[int | None, ...]:
        batch, time, num_features = input_shape
        return batch, None if time is None else time + 1, num_features


@keras.saving.register_keras_serializable(package="snippets")
class UnitScale(keras.Layer):
    """Divide a batch by its largest absolute value, unless all of it is zero.

    Call arguments:
        x: Tensor of any shape and float dtype.

    Returns:
        A tensor of the shape of `x`, within `[-1, 1]`.

    Example:
        >>> import numpy as np
        >>> UnitScale()(np.array([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    def call(self, x: Any) -> Any:
        largest = keras.ops.max(keras.ops.abs(x))
        return x / keras.ops.where(largest > 0, largest, 1.0)

"""Layers with state, losses and shapes of their own."""

import math
from collections.abc import Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="snippets")
class Linear(keras.Layer):
    """Multiply by a matrix and add a bias, as `keras.layers.Dense` does.

    Args:
        units: Integer of at least 1, the size of the last axis of the output.

    Call arguments:
        inputs: Float tensor of shape `(batch, ..., num_features)`.

    Returns:
        A tensor of shape `(batch, ..., units)`, in the compute dtype of the layer.

    Example:
        >>> import numpy as np
        >>> layer = Linear(3)
        >>> layer(np.ones((2, 5))).shape, [tuple(w.shape) for w in layer.weights]
        (TensorShape([2, 3]), [(5, 3), (3,)])
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer="zeros",
        )

    def call(self, inputs: Any) -> Any:
        return keras.ops.matmul(inputs, self.kernel) + self.bias

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


class StepCounter(keras.Layer):
    """Count the training steps.

    Call arguments:
        x: Tensor of any shape and dtype.
        training: Whether this is a step of training.

    Returns:
        The tensor `x`.

    Example:
        >>> import numpy as np
        >>> layer = StepCounter()
        >>> for training in (True, False, True):
        ...     outputs = layer(np.ones((1, 2)), training=training)
        >>> int(layer.steps)
        2
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.steps = self.add_weight(
            name="steps",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="int",
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        if training:
            self.steps.assign_add(1)
        return x


@keras.saving.register_keras_serializable(package="snippets")
class RunningMean(keras.Layer):
    """Subtract the mean of every example seen in training, and remember it.

    The mean is kept in float32 at least, also in mixed precision. Under
    `tf.distribute` it is the mean of what all devices have seen.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`, any dtype.
        training: Whether to learn from `x` first. An empty batch changes nothing.

    Returns:
        A tensor of the shape of `x`, in the compute dtype of the layer.

    Raises:
        ValueError: If `x` has another number of axes.

    Example:
        >>> import numpy as np
        >>> layer = RunningMean()
        >>> layer(np.array([[1.0], [3.0]]), training=True).numpy().tolist()
        [[-1.0], [1.0]]
        >>> layer(np.array([[5.0]])).numpy().tolist()
        [[3.0]]
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        if len(input_shape) != 2:
            raise ValueError(
                "Expected `x` of shape (batch, num_features). "
                f"Received: {tuple(input_shape)}"
            )
        self.count = self.add_state((), "count")
        self.mean = self.add_state(input_shape[-1:], "mean")

    def add_state(self, shape: Sequence[int | None], name: str) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer="zeros",
            dtype=keras.backend.result_type(self.variable_dtype, "float32"),
            trainable=False,
            autocast=False,  # float16 would round the mean and overflow the count
            aggregation="sum",  # each device adds what it has seen
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        x = keras.ops.cast(x, self.compute_dtype)  # integers too
        if training:
            seen = keras.ops.cast(keras.ops.shape(x)[0], self.count.dtype)
            self.count.assign_add(seen)
            surprise = keras.ops.sum(
                keras.ops.cast(x, self.mean.dtype) - self.mean, axis=0
            )
            self.mean.assign_add(surprise / keras.ops.maximum(self.count, 1.0))
        return x - keras.ops.cast(self.mean, x.dtype)


@keras.saving.register_keras_serializable(package="snippets")
class ActivityPenalty(keras.Layer):
    """Return activations unchanged, and add a penalty on their size to the loss.

    It adds `weight` times the mean of the absolute activations, and nothing for an
    empty batch.

    Args:
        weight: Float of at least 0.

    Call arguments:
        x: Tensor of any shape and dtype.

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
        activity = keras.ops.abs(keras.ops.cast(x, keras.config.floatx()))
        size = keras.ops.maximum(keras.ops.size(x), 1)
        mean = keras.ops.sum(activity) / keras.ops.cast(size, activity.dtype)
        self.add_loss(self.weight * mean)
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="snippets")
class PrependToken(keras.Layer):
    """Put one learned step in front of every sequence of a batch of any size.

    Call arguments:
        steps: Tensor of shape `(batch, time, num_features)`, any dtype.

    Returns:
        A tensor of shape `(batch, time + 1, num_features)`, in the compute dtype of the
        layer.

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

    Under `tf.distribute` each device divides its part of the batch by the largest value
    of that part.

    Call arguments:
        x: Tensor of any shape and dtype.

    Returns:
        A tensor of the shape of `x`, within `[-1, 1]`, in the compute dtype of the
        layer.

    Example:
        >>> import numpy as np
        >>> UnitScale()(np.array([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    def call(self, x: Any) -> Any:
        x = keras.ops.cast(x, self.compute_dtype)  # integers too
        largest = keras.ops.max(keras.ops.abs(x), initial=0.0)
        return x / keras.ops.where(largest > 0, largest, 1.0)

"""Layers with weights, state, losses and modes of their own."""

import math
from typing import Any

import keras
from keras import ops

from snippets.checks import check_fraction, check_integer
from snippets.custom_layers.masks import count_steps, masked_mean


@keras.saving.register_keras_serializable(package="snippets")
class Gain(keras.Layer):
    """Multiply each feature by a gain that is learned: the smallest whole layer.

    Args:
        initial: Float, the gain to start with.
        **kwargs: What every layer takes: `name`, `dtype`, `trainable`.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any float dtype. A mask is
      passed on.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Example:
        >>> import numpy as np
        >>> layer = Gain(initial=2.0)
        >>> layer(np.ones((1, 3))).numpy().tolist()
        [[2.0, 2.0, 2.0]]
    """

    def __init__(self, initial: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.initial = initial
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.gain = self.add_weight(
            name="gain",
            shape=(input_shape[-1],),
            initializer=keras.initializers.Constant(self.initial),
        )

    def call(self, inputs: Any) -> Any:
        return inputs * self.gain

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial": self.initial}


@keras.saving.register_keras_serializable(package="snippets")
class Adapter(keras.Layer):
    """Add to each step what two small layers make of it, the first one narrow.

    Args:
        units: Integer of at least 1, the units of the narrow layer.
        **kwargs: What every layer takes. The layers inside get the same `dtype`.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any dtype. A mask is passed
      on.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `units` is no integer of at least 1.

    Example:
        >>> import numpy as np
        >>> layer = Adapter(units=2)
        >>> layer(np.ones((1, 5, 8))).shape, layer.count_params()
        (TensorShape([1, 5, 8]), 42)

    References:
        - [Parameter-Efficient Transfer Learning for NLP](
          https://arxiv.org/abs/1902.00751), N. Houlsby and others, 2019.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.narrow = keras.layers.Dense(
            units, activation="relu", dtype=self.dtype_policy
        )
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.wide = keras.layers.Dense(input_shape[-1], dtype=self.dtype_policy)
        self.narrow.build(input_shape)
        self.wide.build((*input_shape[:-1], self.units))

    def call(self, inputs: Any) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        return inputs + self.wide(self.narrow(inputs))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable(package="snippets")
class Center(keras.Layer):
    """Subtract a mean of each feature, which moves a little in training.

    `RunningCenter` does the same for sequences with a mask.

    Args:
        momentum: Float from 0 up to, and without, 1: how much of the old mean each
            training batch keeps.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, features)`, any dtype.
    - `training`: whether to move the mean. An empty batch moves nothing.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer. The mean
        is kept in float32.

    Example:
        >>> import numpy as np
        >>> layer = Center(momentum=0.5)
        >>> layer(np.full((4, 1), 8.0), training=True).numpy().tolist()[0]
        [4.0]
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = momentum

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=input_shape[-1:],
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,  # float16 would round small steps away
            aggregation="mean",  # of several devices
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            values = ops.cast(inputs, "float32")  # sums in float16 overflow
            step = (1.0 - self.momentum) * (ops.mean(values, axis=0) - self.mean)
            # The mean of an empty batch is NaN.
            self.mean.assign_add(ops.where(ops.shape(inputs)[0] > 0, step, 0.0))
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        return inputs - ops.cast(self.mean, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package="snippets")
class RunningCenter(keras.Layer):
    """Subtract the mean of each feature, which is averaged over training batches.

    The mean is state: `fit` moves it, no gradient does. Padding does not count, and a
    batch without a step changes nothing. Under `tf.distribute` the means of the devices
    are averaged.

    Args:
        momentum: Float from 0 up to, and without, 1: how much of the old mean each
            training batch keeps.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any dtype.
    - `mask`: `None`, or a tensor of shape `(batch, ...)`, false where there is
      padding. It is passed on.
    - `training`: whether to move the mean.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `momentum` is out of range, or the mask has a wrong shape.

    Example:
        >>> import numpy as np
        >>> layer = RunningCenter(momentum=0.5)
        >>> layer(np.full((4, 1), 8.0), training=True).shape
        TensorShape([4, 1])
        >>> layer.mean.numpy().tolist()
        [4.0]
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = check_fraction("momentum", momentum)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=(input_shape[-1],),
            initializer="zeros",
            dtype=keras.backend.result_type(self.variable_dtype, "float32"),
            trainable=False,
            autocast=False,  # float16 would round small steps away
            aggregation="mean",
        )

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        if training:
            step = (1.0 - self.momentum) * (masked_mean(inputs, mask) - self.mean)
            has_steps = count_steps(inputs, mask) > 0
            self.mean.assign(self.mean + ops.where(has_steps, step, 0.0))
        return inputs - ops.cast(self.mean, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package="snippets")
class StepDropout(keras.Layer):
    """Drop whole steps of a sequence in training, and scale up those that stay.

    Args:
        rate: Float from 0 up to, and without, 1: the fraction of steps to drop.
        seed: Integer, or `None` for another stream of random numbers in each run.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype. A mask is
      passed on.
    - `training`: whether to drop anything.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `rate` is out of range, or `inputs` has another rank.

    Example:
        >>> import numpy as np
        >>> layer = StepDropout(rate=0.5, seed=0)
        >>> layer(np.ones((1, 2, 1))).numpy().tolist()
        [[[1.0], [1.0]]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"Expected 0 <= rate < 1. Received: rate={rate}")
        self.rate, self.seed = rate, seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        if not training:
            return inputs
        batch, time, _ = ops.shape(inputs)
        draws = keras.random.uniform((batch, time, 1), seed=self.seed_generator)
        kept = ops.cast(draws >= self.rate, inputs.dtype)
        return inputs * kept / (1.0 - self.rate)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


@keras.saving.register_keras_serializable(package="snippets")
class SkipSteps(keras.Layer):
    """Leave out the first steps of a sequence, and of its mask.

    Args:
        num_steps: Integer of at least 1.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.

    Returns:
        A tensor of shape `(batch, max(time - num_steps, 0), features)`.

    Raises:
        ValueError: If `num_steps` is less than 1, or if `inputs` has another rank.

    Example:
        >>> import numpy as np
        >>> SkipSteps(2)(np.ones((1, 5, 3))).shape
        TensorShape([1, 3, 3])
    """

    def __init__(self, num_steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if num_steps < 1:
            raise ValueError(
                f"Expected `num_steps` of at least 1. Received: num_steps={num_steps}"
            )
        self.num_steps = num_steps
        self.input_spec = keras.InputSpec(ndim=3)

    def call(self, inputs: Any) -> Any:
        return inputs[:, self.num_steps :]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None if previous_mask is None else previous_mask[:, self.num_steps :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_steps": self.num_steps}


@keras.saving.register_keras_serializable(package="snippets")
class MeanOfSteps(keras.Layer):
    """Average the steps of a sequence, and leave out the padding.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any dtype. It is averaged in
      float32.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. What stands there does not matter, NaN included.

    Returns:
        A tensor of shape `(batch, features)`, in the compute dtype of the layer; zeros
        where everything is padding. It has no mask.

    Example:
        >>> import numpy as np
        >>> steps = np.array([[[1.0], [3.0], [99.0]]])
        >>> MeanOfSteps()(steps, mask=np.array([[1, 1, 0]])).numpy().tolist()
        [[2.0]]
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        values = ops.cast(inputs, "float32")  # a sum in float16 may overflow
        if mask is None:
            mask = ops.ones_like(values[..., 0])
        kept = ops.cast(mask, "bool")[..., None]  # (batch, time, 1)
        total = ops.sum(ops.where(kept, values, 0.0), axis=1)  # (batch, features)
        count = ops.sum(ops.cast(kept, "float32"), axis=1)
        return ops.cast(total / ops.maximum(count, 1.0), self.compute_dtype)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None


@keras.saving.register_keras_serializable(package="snippets")
class AddBoth(keras.Layer):
    """Add two sequences, and let a step count only if it counts in both.

    Call arguments:

    - `inputs`: list of two tensors of shape `(batch, time, features)`, with or without
      a mask.

    Returns:
        A tensor of their shape.

    Example:
        >>> import numpy as np
        >>> AddBoth()([np.ones((1, 3, 2)), np.ones((1, 3, 2))]).shape
        TensorShape([1, 3, 2])
    """

    def call(self, inputs: Any) -> Any:
        left, right = inputs
        return left + right

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        left, right = mask  # `None` for an input without a mask
        if left is None or right is None:
            return right if left is None else left
        return ops.logical_and(left, right)


@keras.saving.register_keras_serializable(package="snippets")
def rms(x: Any) -> Any:
    """Return the root of the mean square over the last axis, for a `Lambda` layer.

    Args:
        x: Tensor of shape `(..., features)`, any float dtype.

    Returns:
        A tensor of shape `(..., 1)`.

    Example:
        >>> import numpy as np
        >>> rms(np.array([[3.0, 3.0]])).numpy().tolist()
        [[3.0]]
    """
    return ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True))


@keras.saving.register_keras_serializable(package="snippets")
class SparsityPenalty(keras.Layer):
    """Add the mean absolute activity to the loss, and report it as a metric.

    The metric is the mean over the steps of all batches. A batch without a step adds
    nothing to the loss. On JAX there is no metric: Keras cannot move one inside of
    `call` there.

    Args:
        weight: Float of at least 0, what the activity counts in the loss.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any dtype.
    - `mask`: `None`, or a tensor of shape `(batch, ...)`: padding does not count. It
      is passed on.

    Returns:
        The inputs.

    Raises:
        ValueError: If `weight` is negative or not finite, or the mask has a wrong
            shape.

    Example:
        >>> import numpy as np
        >>> layer = SparsityPenalty(weight=0.5)
        >>> layer(np.array([[-2.0, 4.0]])).numpy().tolist()
        [[-2.0, 4.0]]
        >>> float(layer.losses[0]), float(layer.activity.result())
        (1.5, 3.0)
    """

    def __init__(self, weight: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 <= weight < math.inf:
            raise ValueError(
                f"Expected `weight` of at least 0. Received: weight={weight!r}"
            )
        self.weight = weight
        on_jax = keras.backend.backend() == "jax"
        self.activity = None if on_jax else keras.metrics.Mean(name="activity")
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        values = ops.abs(ops.cast(inputs, keras.config.floatx()))
        activity = ops.mean(masked_mean(values, mask))
        self.add_loss(self.weight * activity)
        if self.activity is not None:
            count = count_steps(values, mask)
            self.activity.update_state(activity, sample_weight=count)
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="snippets")
class PositionEmbedding(keras.Layer):
    """Add a learned vector to each step, so that the layers after it know the order.

    Args:
        max_length: Integer of at least 1, the longest sequence.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype, with
      `time` of at most `max_length`. A mask is passed on.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `max_length` is no integer of at least 1, or if `inputs` has
            another rank or is known to be longer.

    Example:
        >>> import numpy as np
        >>> PositionEmbedding(max_length=8)(np.ones((1, 5, 3))).shape
        TensorShape([1, 5, 3])
    """

    def __init__(self, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = check_integer("max_length", max_length)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.positions = self.add_weight(
            name="positions", shape=(self.max_length, input_shape[-1])
        )

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        return inputs + ops.convert_to_tensor(self.positions)[: ops.shape(inputs)[1]]

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        if (input_shape[1] or 0) > self.max_length:
            raise ValueError(
                f"Expected at most `max_length`, {self.max_length}, steps. "
                f"Received: inputs of shape {tuple(input_shape)}"
            )
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_length": self.max_length}


@keras.saving.register_keras_serializable(package="snippets")
class LocalResponseNormalization(keras.Layer):
    """Divide each pixel by the energy of its neighboring channels, by TensorFlow's op.

    `keras.ops` has no such operation, so this layer runs on TensorFlow alone. The
    operation computes in float32, whatever the dtype of the layer.

    Args:
        depth_radius: Integer of at least 1, the neighbors on each side.
        bias: Float greater than 0, added to the energy.
        alpha: Float, the weight of the energy.
        beta: Float, the exponent.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, height, width, channels)`, any dtype.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `depth_radius` is no integer of at least 1, if `bias` is not
            greater than 0, or if `inputs` has another rank.

    Example:
        >>> import numpy as np
        >>> LocalResponseNormalization(bias=3.0)(np.ones((1, 1, 1, 1))).numpy().tolist()
        [[[[0.5]]]]

    References:
        - [ImageNet Classification with Deep Convolutional Neural Networks](
          https://papers.nips.cc/paper/4824), A. Krizhevsky and others, 2012.
    """

    def __init__(
        self,
        depth_radius: int = 5,
        bias: float = 1.0,
        alpha: float = 1.0,
        beta: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.depth_radius = check_integer("depth_radius", depth_radius)
        if not bias > 0:
            raise ValueError(f"Expected `bias` greater than 0. Received: bias={bias!r}")
        self.bias, self.alpha, self.beta = bias, alpha, beta
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf  # here, so that the module runs on every backend

        x = ops.cast(inputs, "float32")  # no kernel for float64, nor bfloat16 on CPUs
        x = tf.nn.local_response_normalization(
            x, self.depth_radius, self.bias, self.alpha, self.beta
        )
        return ops.cast(x, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        names = ("depth_radius", "bias", "alpha", "beta")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

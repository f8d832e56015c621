"""Layers of your own, that save, mask and run in mixed precision.

Everything here is written in `keras.ops` and runs on every backend of Keras, except
`LocalResponseNormalization`, which calls a TensorFlow op.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

# The smallest layer


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

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "initial": self.initial}


# Checks that several layers share


def positive_integer(name: str, value: Any) -> int:
    """Return a size if it is one.

    Args:
        name: String, the argument to name in the error.
        value: The size that was passed.

    Returns:
        The value as an integer of at least 1.

    Raises:
        ValueError: If the value is no integer of at least 1.

    Example:
        >>> positive_integer("units", 8)
        8
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(
            f"Expected `{name}` to be an integer of at least 1. "
            f"Received: {name}={value!r}"
        )
    return int(value)


def fraction(name: str, value: Any) -> float:
    """Return a rate if it is one.

    Args:
        name: String, the argument to name in the error.
        value: The rate that was passed.

    Returns:
        The value as a float from 0 up to, and without, 1.

    Raises:
        ValueError: If the value is no such number.

    Example:
        >>> fraction("rate", 0.5)
        0.5
    """
    if not isinstance(value, (int, float, np.number)) or not 0 <= value < 1:
        raise ValueError(
            f"Expected `{name}` to be at least 0 and less than 1. "
            f"Received: {name}={value!r}"
        )
    return float(value)


def check_mask(mask: Any, expected: tuple[int | None, ...]) -> None:
    """Refuse a mask that does not have one value for each step.

    Args:
        mask: `None`, or a tensor.
        expected: Tuple of integers or `None`, the shape that the mask should have.
            `None` stands for any size.

    Raises:
        ValueError: If the mask has another shape.

    Example:
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


# State, training, masks


def masked_mean(inputs: Any, mask: Any = None) -> Any:
    """Average over the batch and the steps, without those that are padding.

    Args:
        inputs: Tensor of shape `(batch, ..., features)`, any float dtype.
        mask: `None`, or a tensor of shape `(batch, ...)`, false where there is padding.

    Returns:
        A tensor of shape `(features,)`, float32; zeros if everything is padding.

    Raises:
        ValueError: If the mask does not have the shape of `inputs` without its last
            axis.

    Example:
        >>> steps = np.array([[[1.0], [3.0], [99.0]]])
        >>> masked_mean(steps, np.array([[True, True, False]])).numpy().tolist()
        [2.0]
    """
    check_mask(mask, tuple(inputs.shape[:-1]))
    values = ops.reshape(ops.cast(inputs, "float32"), (-1, inputs.shape[-1]))
    if mask is None:
        return ops.mean(values, axis=0)
    valid = ops.reshape(ops.cast(mask, "float32"), (-1, 1))  # (batch * steps, 1)
    return ops.sum(values * valid, axis=0) / ops.maximum(ops.sum(valid), 1.0)


@keras.saving.register_keras_serializable(package="snippets")
class RunningCenter(keras.Layer):
    """Subtract the mean of each feature, which is averaged over training batches.

    The mean is state: `fit` moves it, no gradient does. Padding does not count.

    Args:
        momentum: Float from 0 up to, and without, 1: how much of the old mean each
            training batch keeps.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any float dtype.
    - `mask`: `None`, or a tensor of shape `(batch, ...)`, false where there is
      padding. It is passed on.
    - `training`: whether to move the mean.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If `momentum` is out of range, or the mask has a wrong shape.

    Example:
        >>> layer = RunningCenter(momentum=0.5)
        >>> layer(np.full((4, 1), 8.0), training=True).shape
        TensorShape([4, 1])
        >>> layer.mean.numpy().tolist()
        [4.0]
    """

    def __init__(self, momentum: float = 0.99, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.momentum = fraction("momentum", momentum)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=(input_shape[-1],),
            initializer="zeros",
            trainable=False,
            autocast=False,  # float16 would round small steps away
        )

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        if training:
            step = (1.0 - self.momentum) * (masked_mean(inputs, mask) - self.mean)
            is_padding = False if mask is None else ops.logical_not(ops.any(mask))
            self.mean.assign(self.mean + ops.where(is_padding, 0.0, step))
        return inputs - ops.cast(self.mean, inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


@keras.saving.register_keras_serializable(package="snippets")
class RoundedCenter(RunningCenter):
    """Keep the running mean wrongly: under mixed precision it may stand still.

    A weight that `call` reads under mixed precision arrives in float16, unless it was
    added with `autocast=False`. A small step is then rounded away.

    Args:
        momentum: As in `RunningCenter`.
        **kwargs: What every layer takes.

    Example:
        >>> layer = RoundedCenter(dtype="mixed_float16")
        >>> layer.build((None, 3))
        >>> layer.mean.dtype
        'float32'
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=(input_shape[-1],),
            initializer="zeros",
            trainable=False,
        )


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
        >>> layer = StepDropout(rate=0.5, seed=0)
        >>> layer(np.ones((1, 2, 1))).numpy().tolist()
        [[[1.0], [1.0]]]
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate, self.seed = fraction("rate", rate), seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool = False) -> Any:
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
        ValueError: If `num_steps` is no integer of at least 1, if `inputs` has another
            rank, or if the mask has a wrong shape.

    Example:
        >>> SkipSteps(2)(np.ones((1, 5, 3))).shape
        TensorShape([1, 3, 3])
    """

    def __init__(self, num_steps: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_steps = positive_integer("num_steps", num_steps)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        check_mask(mask, tuple(inputs.shape[:2]))
        return inputs[:, self.num_steps :]

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return None if previous_mask is None else previous_mask[:, self.num_steps :]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_steps": self.num_steps}


@keras.saving.register_keras_serializable(package="snippets")
class SparsityPenalty(keras.Layer):
    """Add the mean absolute activity to the loss, and report it as a metric.

    Args:
        weight: Float of at least 0, what the activity counts in the loss.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, ..., features)`, any float dtype.
    - `mask`: `None`, or a tensor of shape `(batch, ...)`: padding does not count. It
      is passed on.

    Returns:
        The inputs.

    Raises:
        ValueError: If `weight` is less than 0, or the mask has a wrong shape.

    Example:
        >>> layer = SparsityPenalty(weight=0.5)
        >>> layer(np.array([[-2.0, 4.0]])).numpy().tolist()
        [[-2.0, 4.0]]
        >>> float(layer.losses[0]), float(layer.activity.result())
        (1.5, 3.0)
    """

    def __init__(self, weight: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not weight >= 0:
            raise ValueError(
                f"Expected `weight` of at least 0. Received: weight={weight!r}"
            )
        self.weight = weight
        self.activity = keras.metrics.Mean(name="activity")
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        activity = ops.mean(masked_mean(ops.abs(inputs), mask))
        self.add_loss(self.weight * activity)
        self.activity.update_state(activity)
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
        >>> PositionEmbedding(max_length=8)(np.ones((1, 5, 3))).shape
        TensorShape([1, 5, 3])
    """

    def __init__(self, max_length: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_length = positive_integer("max_length", max_length)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.positions = self.add_weight(
            name="positions", shape=(self.max_length, input_shape[-1])
        )

    def call(self, inputs: Any) -> Any:
        self.compute_output_shape(inputs.shape)
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

    `keras.ops` has no such operation, so this layer runs on TensorFlow alone.

    Args:
        depth_radius: Integer of at least 1, the neighbors on each side.
        bias: Float greater than 0, added to the energy.
        alpha: Float, the weight of the energy.
        beta: Float, the exponent.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, height, width, channels)`, float16, bfloat16
      or float32.

    Returns:
        A tensor of the shape of `inputs`.

    Raises:
        ValueError: If `depth_radius` is no integer of at least 1, if `bias` is not
            greater than 0, or if `inputs` has another rank.

    Example:
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
        self.depth_radius = positive_integer("depth_radius", depth_radius)
        if not bias > 0:
            raise ValueError(f"Expected `bias` greater than 0. Received: bias={bias!r}")
        self.bias, self.alpha, self.beta = bias, alpha, beta
        self.input_spec = keras.InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        import tensorflow as tf  # here, so that the module runs on every backend

        return tf.nn.local_response_normalization(
            inputs, self.depth_radius, self.bias, self.alpha, self.beta
        )

    def get_config(self) -> dict[str, Any]:
        names = ("depth_radius", "bias", "alpha", "beta")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


# Attention


@keras.saving.register_keras_serializable(package="snippets")
class UnmaskedAttentionPooling(keras.Layer):
    """Pool a sequence by additive attention, as it is often published: no mask.

    Padding gets a weight like any other step. `AttentionPooling` mends it.

    Args:
        units: Integer of at least 1, the size of the hidden layer that scores a step.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `return_attention_scores`: whether to return the weights of the steps too.

    Returns:
        A tensor of shape `(batch, features)`, in the compute dtype of the layer; with
        `return_attention_scores` a tuple of that and of the weights, of shape
        `(batch, time)`, which sum to 1 over time.

    Raises:
        ValueError: If `units` is no integer of at least 1, or `inputs` has another
            rank.

    Example:
        >>> UnmaskedAttentionPooling(units=4)(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])

    References:
        - [Neural Machine Translation by Jointly Learning to Align and Translate](
          https://arxiv.org/abs/1409.0473), D. Bahdanau and others, 2014.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = positive_integer("units", units)
        self.input_spec = keras.InputSpec(ndim=3)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )
        self.query = self.add_weight(name="query", shape=(self.units, 1))

    def score(self, inputs: Any) -> Any:
        hidden = ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)
        # hidden: (batch, time, units)
        return ops.squeeze(ops.matmul(hidden, self.query), axis=-1)  # (batch, time)

    def call(self, inputs: Any, return_attention_scores: bool = False) -> Any:
        weights = ops.softmax(self.score(inputs), axis=-1)  # (batch, time)
        pooled = ops.sum(weights[..., None] * inputs, axis=1)  # (batch, features)
        return (pooled, weights) if return_attention_scores else pooled

    def compute_output_spec(
        self, inputs: Any, return_attention_scores: bool = False, mask: Any = None
    ) -> Any:
        batch, time, features = inputs.shape
        pooled = keras.KerasTensor((batch, features), dtype=self.compute_dtype)
        weights = keras.KerasTensor((batch, time), dtype=self.compute_dtype)
        return (pooled, weights) if return_attention_scores else pooled

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def masked_softmax(scores: Any, mask: Any = None) -> Any:
    """Turn scores into weights that sum to 1 over the last axis, and to 0 on padding.

    Args:
        scores: Tensor of shape `(..., time)`, any float dtype.
        mask: `None`, or a tensor that broadcasts to `scores`, false where there is
            padding.

    Returns:
        A tensor of the shape and dtype of `scores`. Padding weighs exactly 0. Where
        everything is padding all weights are 0, and nothing is NaN.

    Example:
        >>> masked_softmax(np.zeros((1, 4)), np.array([[1, 1, 0, 0]])).numpy().tolist()
        [[0.5, 0.5, 0.0, 0.0]]
    """
    if mask is None:
        return ops.softmax(scores, axis=-1)
    scores, mask = ops.convert_to_tensor(scores), ops.cast(mask, "bool")
    dtype = keras.backend.standardize_dtype(scores.dtype)
    lowest = ops.cast(-3e4 if dtype == "float16" else -1e9, dtype)  # both are finite
    weights = ops.softmax(ops.where(mask, scores, lowest), axis=-1)
    return ops.where(mask, weights, ops.zeros_like(weights))


@keras.saving.register_keras_serializable(package="snippets")
class AttentionPooling(UnmaskedAttentionPooling):
    """Pool a sequence by additive attention over the steps that are no padding.

    Args:
        units: Integer of at least 1, the size of the hidden layer that scores a step.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `return_attention_scores`: whether to return the weights of the steps too.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. It ends here: the output has no time.

    Returns:
        A tensor of shape `(batch, features)`, in the compute dtype of the layer; with
        `return_attention_scores` a tuple of that and of the weights, of shape
        `(batch, time)`. A row that is all padding gives zeros.

    Raises:
        ValueError: If `units` is no integer of at least 1, if `inputs` has another
            rank, or if the mask has a wrong shape.

    Example:
        >>> layer, steps = AttentionPooling(units=4), np.ones((1, 3, 2))
        >>> layer(steps, mask=np.array([[True, False, False]])).numpy().tolist()
        [[1.0, 1.0]]
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.supports_masking = True

    def call(
        self, inputs: Any, return_attention_scores: bool = False, mask: Any = None
    ) -> Any:
        check_mask(mask, tuple(inputs.shape[:2]))
        weights = masked_softmax(self.score(inputs), mask)  # (batch, time)
        pooled = ops.sum(weights[..., None] * inputs, axis=1)  # (batch, features)
        return (pooled, weights) if return_attention_scores else pooled

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        return None


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, mask: Any = None
) -> tuple[Any, Any]:
    """Average the values of a sequence, weighted by how well their keys fit the query.

    Args:
        query: Tensor of shape `(batch, targets, features)`, any float dtype.
        key: Tensor of shape `(batch, sources, features)`.
        value: Tensor of shape `(batch, sources, value_features)`.
        mask: `None`, or a tensor of shape `(batch, sources)`, false where there is
            padding.

    Returns:
        A tuple of the outputs, of shape `(batch, targets, value_features)`, and the
        weights, of shape `(batch, targets, sources)`.

    Raises:
        ValueError: If a tensor has another rank, if `query` and `key` differ in
            features or `key` and `value` in sources, or if the mask has a wrong shape.

    Example:
        >>> outputs, weights = scaled_dot_product_attention(
        ...     np.ones((1, 2, 4)), np.ones((1, 5, 4)), np.ones((1, 5, 3)))
        >>> outputs.shape, weights.shape
        (TensorShape([1, 2, 3]), TensorShape([1, 2, 5]))

    References:
        - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), A. Vaswani and
          others, 2017.
    """
    shapes = [tuple(tensor.shape) for tensor in (query, key, value)]
    if (
        [len(shape) for shape in shapes] != [3, 3, 3]
        or shapes[0][2] != shapes[1][2]
        or shapes[1][1] != shapes[2][1]
    ):
        raise ValueError(
            "Expected `query` of shape (batch, targets, features), `key` of (batch, "
            "sources, features) and `value` of (batch, sources, value_features). "
            f"Received: shapes {shapes}"
        )
    check_mask(mask, shapes[1][:2])
    scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
    scores = scores / shapes[0][2] ** 0.5  # (batch, targets, sources)
    weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
    return ops.matmul(weights, value), weights


@keras.saving.register_keras_serializable(package="snippets")
class BlockWithoutConfig(keras.Layer):
    """Build a Transformer block in the shape that is often published: it cannot reload.

    Its `__init__` takes neither `name` nor `dtype` nor `trainable`, and every saved
    layer is made again with them. `EncoderBlock` mends it.

    Args:
        features: Integer, the features of a step.
        num_heads: Integer, the heads of the attention.
        hidden_units: Integer, the units between the two last layers.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`.

    Returns:
        A tensor of the shape of `inputs`.

    Example:
        >>> BlockWithoutConfig(4, 2, 8)(np.ones((1, 5, 4))).shape
        TensorShape([1, 5, 4])
    """

    def __init__(self, features: int, num_heads: int, hidden_units: int) -> None:
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(num_heads, features)
        self.expand = keras.layers.Dense(hidden_units, activation="relu")
        self.contract = keras.layers.Dense(features)

    def call(self, inputs: Any) -> Any:
        x = inputs + self.attention(inputs, inputs)
        return x + self.contract(self.expand(x))


@keras.saving.register_keras_serializable(package="snippets")
class EncoderBlock(keras.Layer):
    """Let the steps of a sequence look at each other, then transform each by itself.

    Args:
        num_heads: Integer of at least 1, the heads of the attention. It divides the
            number of features.
        hidden_units: Integer of at least 1, the units between the two last layers.
        rate: Float from 0 up to, and without, 1: the dropout.
        **kwargs: What every layer takes. The layers inside get the same `dtype`.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. It is passed on.
    - `training`: whether to drop anything.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If an argument is out of range, if `num_heads` does not divide the
            features, if `inputs` has another rank, or if the mask has a wrong shape.

    Example:
        >>> EncoderBlock(num_heads=2, hidden_units=8)(np.ones((1, 5, 4))).shape
        TensorShape([1, 5, 4])

    References:
        - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), A. Vaswani and
          others, 2017.
    """

    def __init__(
        self, num_heads: int, hidden_units: int, rate: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_heads = positive_integer("num_heads", num_heads)
        self.hidden_units = positive_integer("hidden_units", hidden_units)
        self.rate = fraction("rate", rate)
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        features = positive_integer("features", input_shape[-1])
        if features % self.num_heads:
            raise ValueError(
                "Expected `num_heads` to divide the number of features. "
                f"Received: num_heads={self.num_heads}, {features} features"
            )
        layers, policy = keras.layers, self.dtype_policy
        self.attention = layers.MultiHeadAttention(
            self.num_heads, features // self.num_heads, dtype=policy
        )
        self.attention.build(input_shape, input_shape)
        self.expand = layers.Dense(self.hidden_units, activation="relu", dtype=policy)
        self.expand.build(input_shape)
        self.contract = layers.Dense(features, dtype=policy)
        self.contract.build((*input_shape[:-1], self.hidden_units))
        self.dropout = layers.Dropout(self.rate, dtype=policy)
        self.norms = [layers.LayerNormalization(dtype=policy) for _ in range(2)]
        for norm in self.norms:
            norm.build(input_shape)

    def call(self, inputs: Any, mask: Any = None, training: bool = False) -> Any:
        check_mask(mask, tuple(inputs.shape[:2]))
        over_time = None if mask is None else ops.cast(mask, "bool")[:, None, :]
        mixed = self.attention(inputs, inputs, attention_mask=over_time)
        x = self.norms[0](inputs + self.dropout(mixed, training=training))
        mixed = self.contract(self.expand(x))
        return self.norms[1](x + self.dropout(mixed, training=training))

    def get_config(self) -> dict[str, Any]:
        names = ("num_heads", "hidden_units", "rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


# Models that read digits by attention


def attention_classifier(
    pooling: keras.Layer,
    encoder: keras.Layer | None = None,
    max_length: int = 12,
    num_features: int = 8,
    num_classes: int = 10,
) -> keras.Model:
    """Build a classifier that pools the steps of a sequence by attention.

    Steps that hold -1 everywhere are padding.

    Args:
        pooling: An `AttentionPooling` or an `UnmaskedAttentionPooling`.
        encoder: A layer that comes before it, which returns sequences; or `None` for
            one that transforms each step by itself and adds where it stands.
        max_length: Integer of at least 1, the longest sequence.
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.

    Returns:
        A compiled `keras.Model` from sequences of shape `(batch, time, num_features)`
        to probabilities of shape `(batch, num_classes)`, float32.

    Example:
        >>> attention_classifier(AttentionPooling(units=4)).output_shape
        (None, 10)
    """
    steps = keras.Input(shape=(None, num_features), name="steps")
    x = keras.layers.Masking(mask_value=-1.0)(steps)
    if encoder is None:
        x = keras.layers.Dense(32)(x)
        x = PositionEmbedding(max_length)(x)
        x = keras.layers.Activation("relu")(x)
    else:
        x = encoder(x)
    pooled, _ = pooling(x, return_attention_scores=True)
    scores = keras.layers.Dense(num_classes, activation="softmax")(pooled)
    model = keras.Model(steps, scores)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def attention_by_step(
    model: keras.Model, sequences: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return the weight that the attention of a model gives to each step.

    Args:
        model: A Functional `keras.Model` with an `UnmaskedAttentionPooling` or an
            `AttentionPooling` that was called with `return_attention_scores=True`.
        sequences: Array of shape `(batch, time, features)`, what the model takes.

    Returns:
        An array of shape `(batch, time)`, float32. Each row sums to 1, unless it is
        all padding.

    Raises:
        ValueError: If the model has no such layer.

    Example:
        >>> model = attention_classifier(AttentionPooling(units=4))
        >>> attention_by_step(model, np.zeros((2, 5, 8))).shape
        (2, 5)
    """
    for layer in model.layers:
        if isinstance(layer, UnmaskedAttentionPooling):
            outputs = keras.tree.flatten(layer.output)
            if len(outputs) == 2:
                weights = keras.Model(model.inputs, outputs[1])
                return np.asarray(weights.predict(sequences, verbose=0), "float32")
    raise ValueError(
        "Expected `model` to have a layer of attention pooling that was called with "
        "`return_attention_scores=True`. Received: layers "
        f"{[type(layer).__name__ for layer in model.layers]}"
    )


def without_steps(
    sequences: npt.NDArray[Any], steps: npt.NDArray[np.int64]
) -> npt.NDArray[Any]:
    """Blank one step of each sequence, to see what a model makes of the rest.

    Args:
        sequences: Array of shape `(batch, time, features)`, any real dtype.
        steps: Array of integers of shape `(batch,)`, which step of each, from 0.

    Returns:
        A copy of `sequences`, with zeros in these steps.

    Raises:
        ValueError: If `steps` has another shape, or names a step that is not there.

    Example:
        >>> without_steps(np.ones((1, 3, 1)), np.array([1]))[0, :, 0].tolist()
        [1.0, 0.0, 1.0]
    """
    batch, time = sequences.shape[:2]
    if steps.shape != (batch,) or not ((steps >= 0) & (steps < time)).all():
        raise ValueError(
            f"Expected `steps` of shape ({batch},), from 0 to {time - 1}. "
            f"Received: {steps.tolist()}"
        )
    blanked = sequences.copy()
    blanked[np.arange(batch), steps] = 0
    return blanked


# What goes wrong, and how to see it


@keras.saving.register_keras_serializable(package="snippets")
class ForgetfulGain(Gain):
    """Leave an argument out of `get_config`: the copy starts from the default.

    Args:
        initial: Float, the gain to start with, which is forgotten.
        **kwargs: What every layer takes.

    Example:
        >>> ForgetfulGain.from_config(ForgetfulGain(initial=3.0).get_config()).initial
        1.0
    """

    def get_config(self) -> dict[str, Any]:
        return {**keras.Layer.get_config(self)}


class UnregisteredGain(Gain):
    """Leave the decorator out: a saved model cannot find the class again.

    Args:
        initial: Float, the gain to start with.
        **kwargs: What every layer takes.

    Example:
        >>> keras.saving.get_registered_name(UnregisteredGain)
        'UnregisteredGain'
    """


@keras.saving.register_keras_serializable(package="snippets")
class UnbuiltBranches(keras.Layer):
    """Choose between two layers by the data, and leave out `build`: a double mistake.

    Args:
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, features)`.

    Returns:
        A tensor of shape `(batch, 2)`.

    Example:
        >>> UnbuiltBranches()(np.ones((1, 3))).shape
        TensorShape([1, 2])
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bright, self.dark = keras.layers.Dense(2), keras.layers.Dense(2)

    def call(self, inputs: Any) -> Any:
        return self.bright(inputs) if ops.mean(inputs) > 0.5 else self.dark(inputs)


def layer_of(
    keras_module: ModuleType, dtype: str = "float32", **methods: Callable[..., Any]
) -> Any:
    """Make a layer of one Keras out of functions, to put both Kerases side by side.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        dtype: String, the dtype policy of the layer.
        **methods: Functions by the name of the method: `call`, `build` and others.
            Without `call` the layer returns its inputs.

    Returns:
        A layer of class `Mine`.

    Example:
        >>> layer_of(keras, call=lambda self, x: x + 1)(np.zeros((1, 2))).numpy()
        array([[1., 1.]], dtype=float32)
    """
    body = {"call": lambda self, inputs: inputs, **methods}
    return type("Mine", (keras_module.layers.Layer,), body)(dtype=dtype)


def last_cause(error: BaseException) -> str:
    r"""Return the line of a long error of Keras that says what is wrong.

    An error about saving puts one "Exception encountered:" inside another, with the
    whole config of the model between them: the cause is the last. An error in `call`
    has its cause in the second paragraph.

    Args:
        error: The exception.

    Returns:
        A string of one line.

    Example:
        >>> text = "Could not be read. config={...}.\n\nException encountered: no x"
        >>> last_cause(TypeError(text))
        'no x'
    """
    text = re.sub(r"\x1b\[\d+m", "", str(error))
    if text.startswith("Exception encountered when calling"):
        text = re.split(r"\n\s*\n", text)[1]
    cause = text.rpartition("Exception encountered: ")[2].strip()
    return cause.partition(" Full object config:")[0].splitlines()[0].strip()


def reload_problem(layer: keras.Layer, inputs: npt.NDArray[Any]) -> str | None:
    """Save a layer, load it again, and say what was lost on the way.

    Args:
        layer: A `keras.Layer` that takes one tensor. It is called on `inputs`, to have
            its weights.
        inputs: Array of shape `(batch, ...)`.

    Returns:
        `None` if the copy has the same config, weights and outputs, else a sentence.

    Example:
        >>> reload_problem(Gain(initial=3.0), np.ones((1, 2)))
    """
    expected = layer(inputs)
    saved = keras.saving.serialize_keras_object(layer)
    try:
        copy = keras.saving.deserialize_keras_object(saved)
    except TypeError as error:
        return f"TypeError: {last_cause(error)}"
    copy(inputs)
    for name, value in vars(layer).items():
        if isinstance(value, (bool, int, float, str)) and not name.startswith("_"):
            found = getattr(copy, name)
            if found != value:
                return f"`{name}` was {value!r} and came back as {found!r}"
    copy.set_weights(layer.get_weights())
    same = np.allclose(copy(inputs), expected, atol=1e-6)
    return None if same else "the outputs differ"


def layer_problem(
    layer_class: type[keras.Layer],
    init_kwargs: Mapping[str, Any],
    input_shape: tuple[int, ...],
    **expectations: Any,
) -> str | None:
    """Run on your layer what Keras runs on its own layers, and three checks more.

    The suite of Keras makes the layer from its config, builds it, calls it on symbols
    and on numbers, trains it for a step and calls it in mixed precision. Added here: no
    argument is lost in `get_config`, the declared shape is the one that comes out, and
    mixed precision returns float16.

    Args:
        layer_class: Class of the layer.
        init_kwargs: Dict of arguments to make it with. Choose values that are not the
            defaults: a lost default is not seen.
        input_shape: Tuple of integers, with the batch axis.
        **expectations: Further arguments of Keras's `run_layer_test`, such as
            `expected_output_shape` or `supports_masking`.

    Returns:
        `None` if there is no problem, else a string of one line.

    Example:
        >>> layer_problem(Gain, {"initial": 3.0}, (2, 3))
        >>> layer_problem(ForgetfulGain, {"initial": 3.0}, (2, 3))
        '`initial` was 3.0 and came back as 1.0'
    """
    # Not public: it is where Keras itself keeps it, and it may move.
    from keras.src.testing import TestCase

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the generator that the suite uses
            TestCase().run_layer_test(
                layer_class, dict(init_kwargs), input_shape=input_shape, **expectations
            )
    except Exception as error:
        return f"{type(error).__name__}: {last_cause(error)}"
    inputs = np.ones(input_shape, "float32")
    if problem := reload_problem(layer_class(**init_kwargs), inputs):
        return problem
    declared = layer_class(**init_kwargs)(keras.Input(batch_shape=input_shape))
    found = layer_class(**{**init_kwargs, "dtype": "mixed_float16"})(inputs)
    if tuple(declared.shape) != tuple(found.shape):
        return (
            f"the shape {tuple(declared.shape)} is declared, not {tuple(found.shape)}"
        )
    dtype = keras.backend.standardize_dtype(found.dtype)
    return None if dtype == "float16" else f"mixed precision returns {dtype}"

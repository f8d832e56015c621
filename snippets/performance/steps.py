"""Compiled steps, traces, and gradients of your own."""

import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def epoch_of_fit(
    model: keras.Model, dataset: tf.data.Dataset, **options: Any
) -> Callable[[], float]:
    """Compile a model in one way, and make an action of an epoch of `fit`.

    Args:
        model: A `keras.Model` that returns scores of shape `(batch, num_classes)`.
        dataset: A `tf.data.Dataset` of batches `(features, labels)`.
        **options: Of `compile`, such as `run_eagerly`, `jit_compile` or
            `steps_per_execution`.

    Returns:
        A function without arguments that trains for one epoch by plain gradient steps
        and returns the loss of that epoch.

    Example:
        >>> dataset = tf.data.Dataset.from_tensors((np.ones((5, 4)), np.zeros(5)))
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> action = epoch_of_fit(model, dataset)
        >>> action() > action()
        True
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, **options)

    def train() -> float:
        history = model.fit(dataset, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    return train


def scaled_gradient(slope: float, scale: float, dtype: str = "float16") -> float:
    """Send the gradient of a scaled loss through a small dtype, and unscale it.

    Args:
        slope: Float, the gradient that is right.
        scale: Float greater than 0 by which the loss is multiplied, and its gradient
            divided.
        dtype: String, the dtype in which the gradient passes.

    Returns:
        A float: `slope`, if `dtype` can hold `scale * slope`.

    Raises:
        ValueError: If `scale` is not greater than 0.

    Example:
        >>> scaled_gradient(1e-8, scale=1.0), scaled_gradient(1e-8, scale=2.0**15)
        (0.0, 1.000e-08)
    """
    if not scale > 0:
        raise ValueError(f"Expected `scale` greater than 0. Received: scale={scale}")
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = slope * tf.cast(tf.cast(x, dtype), "float32")
        scaled_loss = scale * loss
    return float(tape.gradient(scaled_loss, x)) / scale


@tf.custom_gradient
def log1p_exp(x: tf.Tensor) -> Any:
    """Compute `log(1 + exp(x))` with a gradient that does not overflow.

    Args:
        x: Float tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> x = tf.constant([0.0, 100.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = log1p_exp(x)
        >>> tape.gradient(y, x).numpy().tolist()
        [0.5, 1.0]
    """
    powers = tf.exp(x)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * (1.0 - 1.0 / (1.0 + powers))

    return tf.math.log1p(powers), gradient


def gradient_of_sum(
    function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor
) -> Callable[[], npt.NDArray[Any]]:
    """Make an action of the gradient of the sum of a function, compiled.

    Args:
        function: Function from a tensor to a tensor.
        x: Float tensor of any shape.

    Returns:
        A function without arguments that returns an array of the shape of `x`.

    Example:
        >>> gradient_of_sum(tf.square, tf.constant([1.0, 2.0]))()
        array([2., 4.], dtype=float32)
    """

    @tf.function(autograph=False)
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(function(x))
        return tape.gradient(total, x)

    return lambda: np.array(gradient(x))


def calls_of_a_function(x: tf.Tensor) -> dict[str, Callable[[], float]]:
    """Call a compiled function with a number: as a tensor, and as a new Python number.

    Args:
        x: Float tensor of any shape.

    Returns:
        A dict of two actions, which return the same number. The first is traced once,
        the second at every call.

    Example:
        >>> [action() for action in calls_of_a_function(tf.zeros([3])).values()]
        [0.0, 0.0]
    """

    @tf.function(autograph=False)
    def scaled(x: tf.Tensor, scale: Any) -> tf.Tensor:
        for _ in range(10):
            x = tf.tanh(x)
        return scale * tf.reduce_sum(x)

    numbers = itertools.count(start=1)

    def with_number() -> float:
        number = next(numbers)
        return float(scaled(x, number)) / number

    return {
        "a tensor": lambda: float(scaled(x, tf.constant(1.0))),
        "a new number": with_number,
    }

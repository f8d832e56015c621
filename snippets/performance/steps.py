"""Compiled steps, what they wait for, traces, and a gradient of your own."""

import itertools
import time
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


def seconds_per_step(
    model: keras.Model, batches: tf.data.Dataset, steps: int = 50
) -> dict[str, float]:
    """Time the steps of `fit` on a pipeline, and on one batch that stays in memory.

    Each is run twice, and the second run is timed. All runs train the model. If the
    pipeline has a `cache`, let `fit` read it once before.

    Args:
        model: A compiled `keras.Model`.
        batches: A finite `tf.data.Dataset` of what `fit` takes.
        steps: Integer of at least 1, the steps of each run.

    Returns:
        A dict of two numbers, the seconds of a step: `"pipeline"` and `"one batch"`.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> batches = tf.data.Dataset.from_tensors((tf.ones([5, 4]), tf.ones([5, 1])))
        >>> list(seconds_per_step(model, batches, steps=2))
        ['pipeline', 'one batch']
    """
    one_batch, found = batches.take(1).cache(), {}
    options: dict[str, Any] = {"steps_per_epoch": steps, "shuffle": False, "verbose": 0}
    for name, data in [("pipeline", batches), ("one batch", one_batch)]:
        # The same run before: XLA compiles a step for each size of batch that it meets.
        model.fit(data.repeat(), **options)
        start = time.perf_counter()
        model.fit(data.repeat(), **options)
        found[name] = (time.perf_counter() - start) / steps
    return found


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
        >>> import numpy as np
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


@tf.custom_gradient
def reverse_gradient(x: tf.Tensor) -> Any:
    """Pass a tensor on, and turn its gradient around.

    A network behind it learns to get better at a task, and the layers before it learn
    to make that task impossible.

    Args:
        x: Float tensor of any shape.

    Returns:
        The same tensor.

    Example:
        >>> x = tf.constant([1.0, 2.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = 3.0 * reverse_gradient(x)
        >>> tape.gradient(y, x).numpy().tolist()
        [-3.0, -3.0]

    References:
        - [Unsupervised Domain Adaptation by Backpropagation](
          https://arxiv.org/abs/1409.7495), Y. Ganin and V. Lempitsky, 2015.
    """
    return tf.identity(x), lambda upstream: -upstream


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

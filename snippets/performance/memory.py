"""Train a deep network in less memory."""

import functools
import itertools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from snippets.checks import is_size
from snippets.showing.tables import source_of


@keras.saving.register_keras_serializable(package="snippets")
class Recomputed(keras.layers.Wrapper):
    """A layer that keeps no activations: it computes them again for the gradient.

    The second computation is the first one again: Dropout drops the same values, and
    BatchNormalization updates its statistics once, so training is what it is without
    the wrapper.

    Args:
        layer: A `keras.Layer`, best one of several layers: its input and output are
            kept, and what is between them is not. Its weights may have regularizers.
        **options: `name`, `dtype` and the like of `keras.Layer`.

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Raises:
        ValueError: If the input has a mask, or if `layer` adds a loss in its `call`, as
            an activity regularizer does: neither reaches the second computation.

    Example:
        >>> Recomputed(keras.layers.Dense(3))(np.ones((5, 2))).shape
        TensorShape([5, 3])

    References:
        - [Training Deep Nets with Sublinear Memory Cost](
          https://arxiv.org/abs/1604.06174), T. Chen et al., 2016.
    """

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None:
            raise ValueError(
                f"Expected no mask, since '{self.name}' cannot pass it on. Received: a "
                "mask. Put the layer that makes or reads it outside"
            )
        # What calls change: statistics, and the state of random numbers.
        state = self.layer.non_trainable_variables
        before = [keras.ops.copy(variable) for variable in state]
        calls = itertools.count()

        def compute(x: Any) -> Any:
            if next(calls) == 0:
                return self.layer(x, training=training)
            after = [keras.ops.copy(variable) for variable in state]
            for variable, value in zip(state, before, strict=True):
                variable.assign(value)
            y = self.layer(x, training=training)
            for variable, value in zip(state, after, strict=True):
                variable.assign(value)
            return y

        outputs = tf.recompute_grad(compute)(inputs)
        weights = self.layer.trainable_variables
        regularized = [weight for weight in weights if weight.regularizer]
        if len(self.layer.losses) > len(regularized):
            raise ValueError(
                f"Expected a layer that adds no loss in its `call`. Received: "
                f"'{self.layer.name}', whose loss would have no gradient"
            )
        return outputs


def deep_cnn(
    num_blocks: int = 4,
    wrapper: Callable[[keras.Layer], keras.Layer] | None = None,
    policy: str = "float32",
) -> keras.Model:
    """Build a network whose activations take more memory than its weights.

    Args:
        num_blocks: Integer of at least 1: blocks of four convolutions, 8 filters each.
        wrapper: `None`, or a function that wraps each block, such as `Recomputed`.
        policy: String, the dtype policy of the convolutions.

    Returns:
        An uncompiled model from images of shape `(batch, 32, 32, 3)` to scores of shape
        `(batch, 10)`, float32.

    Raises:
        ValueError: If `num_blocks` is less than 1.

    Example:
        >>> deep_cnn(num_blocks=1, wrapper=Recomputed).output_shape
        (None, 10)
    """
    if not is_size(num_blocks, 1):
        raise ValueError(
            f"Expected `num_blocks` of at least 1. Received: num_blocks={num_blocks}"
        )
    convolution = functools.partial(
        keras.layers.Conv2D, 8, 3, padding="same", activation="relu", dtype=policy
    )
    x = pixels = keras.Input((32, 32, 3), name="pixels")
    for _ in range(num_blocks):
        layers = [convolution(kernel_initializer="he_normal") for _ in range(4)]
        block = keras.Sequential(layers)
        x = wrapper(block)(x) if wrapper else block(x)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    return keras.Model(pixels, keras.layers.Dense(10, dtype="float32")(x))


def deep_cnn_step(
    batch_size: int = 128, parts: int = 1, jit_compile: bool = False, **options: Any
) -> Callable[[], float]:
    """Make an action of one update of a `deep_cnn` by one batch of random images.

    The policy mixed_float16 has its loss scaled.

    Args:
        batch_size: Integer of at least 1, a multiple of `parts`.
        parts: Integer of at least 1: the batch is computed in so many parts, whose
            gradients are accumulated.
        jit_compile: Whether XLA compiles the step.
        **options: Of `deep_cnn`.

    Returns:
        A function without arguments that makes the update and returns the loss before.

    Raises:
        ValueError: If the batch cannot be cut into so many parts.

    Example:
        >>> action = deep_cnn_step(batch_size=4, parts=2, num_blocks=1)
        >>> bool(abs(action() - np.log(10)) < 1)
        True
    """
    if not is_size(parts, 1) or not is_size(batch_size, 1) or batch_size % parts:
        raise ValueError(
            "Expected `batch_size` and `parts` of at least 1, the first a multiple of "
            f"the second. Received: batch_size={batch_size} and parts={parts}"
        )
    keras.utils.set_random_seed(0)
    model = deep_cnn(**options)
    generator = np.random.default_rng(0)
    images = generator.random((batch_size, 32, 32, 3), "float32")
    labels = generator.integers(0, 10, batch_size)
    accumulated = parts if parts > 1 else None
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=accumulated)
    if options.get("policy") == "mixed_float16":
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=jit_compile)

    def update() -> float:
        size = batch_size // parts
        history = model.fit(images, labels, size, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    return update


def memory_preparation() -> str:
    """Write what a fresh process needs to call `deep_cnn_step`.

    Returns:
        A string of Python, for `snippets.measuring.peak_memories`.

    Example:
        >>> "def deep_cnn_step(" in memory_preparation()
        True
    """
    imports = """
from __future__ import annotations
import functools
import itertools
import keras
import numpy as np
import tensorflow as tf
"""
    recipes = [is_size, Recomputed, deep_cnn, deep_cnn_step]
    return "\n".join([imports, *map(source_of, recipes)])

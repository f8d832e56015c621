"""Deliberate mistakes: scrambled labels, a discriminator that stays trainable."""

from types import ModuleType
from typing import Any

import numpy as np
from keras import ops

from snippets.gans.networks import Images


def scrambled_label_maps(labels: Any, num_classes: int, height: int, width: int) -> Any:
    """Show the mistake: repeat each entry of the one-hot label, then reshape.

    A pixel gets neighbors of one entry in place of the whole one-hot label.

    Args:
        labels: Integer tensor of shape `(batch,)`, from 0 to `num_classes - 1`.
        num_classes: Integer of at least 1.
        height: Integer of at least 1, in pixels.
        width: Integer of at least 1, in pixels.

    Returns:
        A float32 tensor of shape `(batch, height, width, num_classes)`: the right shape
        with the wrong values.

    Example:
        >>> maps = scrambled_label_maps(np.array([1, 0]), 2, height=8, width=8)
        >>> np.array(maps[0, 0, 0])
        array([0., 0.], dtype=float32)
    """
    repeated = ops.repeat(ops.one_hot(labels, num_classes), height * width)
    return ops.reshape(repeated, (-1, height, width, num_classes))


def discriminator_moves_in_classic_gan(
    keras_module: ModuleType, images: Images, rounds: int = 50
) -> float:
    """Train a GAN the old way, and measure how far its discriminator moved.

    The old way compiles the discriminator, sets `trainable = False` on it, puts it into
    a second model with the generator and compiles that, then trains the two in turns.
    It relies on a flag that is read when a model is compiled.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        images: Array of shape `(num_images, height, width, channels)` in `[0, 1]`, at
            least 32 images.
        rounds: Integer of at least 1, the turns of both networks.

    Returns:
        A float, the largest change of any weight of the discriminator: 0.0 if it never
        trained.

    Example:
        >>> import tf_keras
        >>> images = np.zeros((32, 8, 8, 1), "float32")
        >>> discriminator_moves_in_classic_gan(tf_keras, images, rounds=2) > 0
        True
    """
    layers, pixels = keras_module.layers, int(np.prod(images.shape[1:]))
    start = [keras_module.Input(images.shape[1:]), layers.Flatten()]
    d = keras_module.Sequential([*start, layers.Dense(1, activation="sigmoid")])
    d.compile(loss="binary_crossentropy", optimizer="sgd")
    d.trainable = False
    end = [layers.Dense(pixels), layers.Reshape(images.shape[1:])]
    g = keras_module.Sequential([keras_module.Input((4,)), *end])
    gan = keras_module.Sequential([g, d])
    gan.compile(loss="binary_crossentropy", optimizer="sgd")
    before = [np.array(weight) for weight in d.get_weights()]
    noise = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    for _ in range(rounds):
        d.train_on_batch(images[:32], np.ones((32, 1)))
        d.train_on_batch(np.array(g(noise)), np.zeros((32, 1)))
        gan.train_on_batch(noise, np.ones((32, 1)))
    after = d.get_weights()
    return max(float(np.max(np.abs(b - a))) for a, b in zip(before, after, strict=True))

"""The two-model recipe of 2017: how it takes turns, and how Keras 3 needs it."""

from types import ModuleType
from typing import Any

import numpy as np


def models_of_2017(library: ModuleType) -> tuple[Any, Any, Any]:
    """Compile a discriminator, then a generator with the frozen discriminator.

    Args:
        library: The module `keras` or the module `tf_keras`.

    Returns:
        The discriminator, the generator of 8 x 8 images from 4 numbers, and the model
        of both.

    Example:
        >>> import keras
        >>> discriminator, generator, both = models_of_2017(keras)
        >>> both.output_shape
        (None, 1)
    """
    layers, loss = library.layers, "binary_crossentropy"
    d = library.Sequential([library.Input((8, 8, 1)), layers.Flatten()])
    d.add(layers.Dense(1, activation="sigmoid"))
    d.compile("sgd", loss)

    d.trainable = False  # meant for `gan` alone
    g = library.Sequential([library.Input((4,)), layers.Dense(64, "sigmoid")])
    g.add(layers.Reshape((8, 8, 1)))
    gan = library.Sequential([g, d])
    gan.compile("sgd", loss)
    return d, g, gan


def old_round(
    models: tuple[Any, Any, Any],
    real: Any,
    noise: Any,
) -> None:
    """Train both networks once, as the examples of 2017 do.

    Args:
        models: Discriminator, generator, and the model of both.
        real: Array of images.
        noise: Array of as many inputs of the generator.

    Example:
        >>> import tf_keras
        >>> images, noise = np.zeros((2, 8, 8, 1)), np.zeros((2, 4))
        >>> old_round(models_of_2017(tf_keras), images, noise)
    """
    d, g, gan = models
    ones = np.ones((len(real), 1))
    fake = g.predict_on_batch(noise)

    d.train_on_batch(real, ones)
    d.train_on_batch(fake, 0 * ones)

    gan.train_on_batch(noise, ones)


def new_round(
    models: tuple[Any, Any, Any],
    real: Any,
    noise: Any,
) -> None:
    """Train both networks once, with the flag set before each of them is traced.

    Args:
        models: Discriminator, generator, and the model of both.
        real: Array of images.
        noise: Array of as many inputs of the generator.

    Example:
        >>> import keras
        >>> images, noise = np.zeros((2, 8, 8, 1)), np.zeros((2, 4))
        >>> new_round(models_of_2017(keras), images, noise)
    """
    d, g, gan = models
    ones = np.ones((len(real), 1))
    fake = g.predict_on_batch(noise)
    d.trainable = True
    d.train_on_batch(real, ones)
    d.train_on_batch(fake, 0 * ones)
    d.trainable = False
    gan.train_on_batch(noise, ones)

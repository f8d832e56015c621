"""One model on all devices of a machine, by `fit`: on TensorFlow, and on JAX."""

from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf


def fit_on_mirrors(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> keras.Model:
    """Train a small classifier on all devices of this machine, on TensorFlow.

    Args:
        x: Array of shape `(num_examples, num_features)`, float32.
        y: Array of shape `(num_examples,)`, classes from 0 to 9.

    Returns:
        The trained `keras.Model`.

    Example:
        >>> import numpy as np
        >>> fit_on_mirrors(np.ones((8, 4)), np.zeros(8)).output_shape
        (None, 10)
    """
    strategy = tf.distribute.MirroredStrategy()
    with strategy.scope():
        softmax = keras.layers.Dense(10, "softmax")
        model = keras.Sequential([keras.Input(x.shape[1:]), softmax])
        model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=64, shuffle=False, verbose=0)
    return model


def fit_in_parallel(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> keras.Model:
    """Train a small classifier on all devices of this machine, on JAX.

    Outside of the scope `fit` would not share the batches. On TensorFlow it takes no
    notice of the distribution and trains on one device.

    Args:
        x: Array of shape `(num_examples, num_features)`, float32.
        y: Array of shape `(num_examples,)`, classes from 0 to 9.

    Returns:
        The trained `keras.Model`.

    Example:
        >>> import numpy as np
        >>> fit_in_parallel(np.ones((8, 4)), np.zeros(8)).output_shape
        (None, 10)
    """
    distribution = keras.distribution.DataParallel()
    with distribution.scope():
        softmax = keras.layers.Dense(10, "softmax")
        model = keras.Sequential([keras.Input(x.shape[1:]), softmax])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=64, shuffle=False, verbose=0)  # in the scope too
    return model

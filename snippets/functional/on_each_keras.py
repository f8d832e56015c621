"""The same lines on Keras 2 and on Keras 3."""

from types import ModuleType
from typing import Any

import numpy as np


def results_of_two_outputs(keras_module: ModuleType, **options: Any) -> list[str]:
    """Evaluate a model with the outputs `mean` and `top`, compiled as you say.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        **options: Arguments of `compile`: `loss`, `loss_weights`, `metrics`.

    Returns:
        A list of strings, the names of what `evaluate` reports, sorted.

    Raises:
        KeyError, TypeError, ValueError: As Keras does for what it does not accept.

    Example:
        >>> import keras
        >>> results_of_two_outputs(keras, loss={"mean": "mse", "top": "mae"})
        ['loss', 'mean_loss', 'top_loss']
    """
    x = keras_module.Input(shape=(3,), name="x")
    outputs = {
        name: keras_module.layers.Dense(1, name=name)(x) for name in ("mean", "top")
    }
    model = keras_module.Model(x, outputs)
    model.compile("sgd", run_eagerly=True, **options)  # one step: tracing costs more
    rows = np.array([[1.0, 2.0, 3.0], [3.0, 5.0, 7.0]], "float32")
    targets = {"mean": rows.mean(axis=1), "top": rows.max(axis=1)}
    return sorted(model.evaluate(rows, targets, verbose=0, return_dict=True))


def profit_model(keras_module: ModuleType) -> Any:
    """Build a model on a dict: the input `price` minus the input `cost`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A `Model` of that Keras from `{"price": ..., "cost": ...}`, each of shape
        `(batch,)`, to the difference, of shape `(batch,)`, float32.

    Example:
        >>> import keras
        >>> model = profit_model(keras)
        >>> model({"price": np.array([5.0]), "cost": np.array([3.0])}).numpy().item()
        2.0
    """
    inputs = {name: keras_module.Input((), name=name) for name in ("price", "cost")}
    profit = keras_module.layers.Subtract(name="profit")
    return keras_module.Model(inputs, profit([inputs["price"], inputs["cost"]]))

"""Save a model in four ways, and compare what comes back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy.typing as npt
import tensorflow as tf


def weights_outside_checkpoint(model: keras.Model) -> list[str]:
    """List the weights of a model that `tf.train.Checkpoint` would leave out.

    On Keras 3 these are the weights of layers that are kept in a list or a dict.

    Args:
        model: A `keras.Model` that has been called or built.

    Returns:
        A list of the paths of the weights, empty if a checkpoint holds all.

    Example:
        >>> import numpy as np
        >>> from snippets.subclassing.mistakes import model_with_list_of_layers
        >>> model = model_with_list_of_layers(keras)
        >>> outputs = model(np.ones((1, 2)))
        >>> weights_outside_checkpoint(model)
        ['stack/dense/kernel', 'stack/dense/bias']
    """
    reached = {id(node) for node in tf.train.TrackableView(model).descendants()}
    return [weight.path for weight in model.weights if id(weight) not in reached]


def save_four_ways(model: keras.Model, folder: str | Path) -> dict[str, str]:
    """Write a model that has its weights in each of the four forms.

    Args:
        model: A `keras.Model` that has been called or built.
        folder: Path of a folder that exists.

    Returns:
        A dict from `keras`, `weights`, `saved_model` and `checkpoint` to the path that
        reads it.

    Raises:
        ValueError: If `model` has not been built, or if a checkpoint would not hold all
            of its weights.

    Example:
        >>> import numpy as np
        >>> from snippets.subclassing import TiedAutoencoder
        >>> import tempfile
        >>> model = TiedAutoencoder()
        >>> outputs = model(np.ones((1, 64)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(save_four_ways(model, folder))
        ['keras', 'weights', 'saved_model', 'checkpoint']
    """
    if not model.built:
        raise ValueError(
            "Expected `model` to have its weights: call it on data first. "
            f"Received: {type(model).__name__} '{model.name}', not built"
        )
    if left_out := weights_outside_checkpoint(model):
        raise ValueError(
            "Expected `model` to keep its layers in attributes or tuples, where "
            f"`tf.train.Checkpoint` finds them. Received: {left_out} elsewhere"
        )
    start = f"{folder}/{model.name}"
    model.save(f"{start}.keras")
    model.save_weights(f"{start}.weights.h5")
    model.export(start, verbose=False)
    checkpoint = tf.train.Checkpoint(model=model).write(f"{start}.checkpoint")
    return {
        "keras": f"{start}.keras",
        "weights": f"{start}.weights.h5",
        "saved_model": start,
        "checkpoint": checkpoint,
    }


def outputs_of_four_ways(
    paths: Mapping[str, str],
    make_model: Callable[[], keras.Model],
    inputs: npt.NDArray[Any],
) -> dict[str, Any]:
    """Read each of the four forms, and compute the outputs of what comes back.

    Args:
        paths: Dict of paths, of `save_four_ways`.
        make_model: Function without arguments that makes the model anew. The weights
            and the checkpoint need it: they hold numbers, and no class.
        inputs: Array of shape `(batch, ...)`, any batch size.

    Returns:
        A dict from the keys of `paths` to outputs.

    Example:
        >>> import numpy as np
        >>> from snippets.subclassing import TiedAutoencoder
        >>> import tempfile
        >>> model, inputs = TiedAutoencoder(), np.ones((1, 64), "float32")
        >>> expected = model(inputs)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = save_four_ways(model, folder)
        ...     outputs = outputs_of_four_ways(paths, TiedAutoencoder, inputs)
        >>> all(np.allclose(output, expected, atol=1e-6) for output in outputs.values())
        True
    """
    from_weights, from_checkpoint = make_model(), make_model()
    for model in (from_weights, from_checkpoint):
        model(inputs)  # makes the variables that are to be filled
    from_weights.load_weights(paths["weights"])
    status = tf.train.Checkpoint(model=from_checkpoint).read(paths["checkpoint"])
    status.assert_existing_objects_matched()
    saved_model = tf.saved_model.load(paths["saved_model"])  # holds the variables
    return {
        "keras": keras.saving.load_model(paths["keras"])(inputs),
        "weights": from_weights(inputs),
        "saved_model": saved_model.serve(inputs),
        "checkpoint": from_checkpoint(inputs),
    }

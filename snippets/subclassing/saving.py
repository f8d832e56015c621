"""Find what would not be saved, or not restored."""

import keras
import tensorflow as tf


def unbuilt_layers(model: keras.Model) -> list[str]:
    """List the layers of a model that have not been built, however deep they are.

    Loading weights restores nothing into these, in silence.

    Args:
        model: A `keras.Model`.

    Returns:
        A list of the names of the layers, empty if a call has reached all.

    Example:
        >>> from snippets.subclassing import DeepClassifier
        >>> model = DeepClassifier(num_classes=3)
        >>> "dense" in " ".join(unbuilt_layers(model))
        True
        >>> scores = model(keras.Input((64,)))
        >>> unbuilt_layers(model)
        []
    """
    return [layer.name for layer in model._flatten_layers() if not layer.built]


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

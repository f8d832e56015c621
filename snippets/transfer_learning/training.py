"""Train a new head, then more."""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.transfer_learning.freezing import set_trainable, unfreeze_from
from snippets.transfer_learning.networks import classifier_on


def train(
    model: keras.Model,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    learning_rate: float,
    epochs: int,
    test_set: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
) -> dict[str, list[float]]:
    """Compile a classifier anew and train it: the flags that stand now are the ones.

    The optimizer is a new Adam. An old one would not know unfrozen weights.

    Args:
        model: A `keras.Model` with one input, to probabilities of shape
            `(batch, num_classes)`.
        images: Array of shape `(num_examples, ...)`, as the model takes it.
        labels: Array of whole numbers from 0 to `num_classes - 1`, shape
            `(num_examples,)`.
        learning_rate: Float greater than 0.
        epochs: Integer of at least 1.
        test_set: `None`, or a tuple `(images, labels)` to measure after each epoch.

    Returns:
        The history: a dict from `"loss"`, `"accuracy"`, and with a test set
        `"val_loss"` and `"val_accuracy"`, to a list with a number for each epoch.

    Raises:
        ValueError: If an argument is none of these. The model is then as it was, its
            compilation included.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> model = classifier_on(feature_network(), num_classes=2)
        >>> history = train(model, np.ones((2, 8, 8, 1)), np.array([0, 1]), 1e-3, 3)
        >>> len(history["loss"])
        3
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            f"Expected `learning_rate` greater than 0. Received: {learning_rate}"
        )
    if epochs < 1:
        raise ValueError(f"Expected `epochs` of at least 1. Received: {epochs}")
    for some_images, some_labels in [
        (images, labels),
        *([test_set] if test_set else []),
    ]:
        check_examples(model, some_images, some_labels)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        images,
        labels,
        epochs=epochs,
        validation_data=test_set,
        validation_batch_size=1024,
        verbose=0,
    )
    return dict(history.history)


def check_examples(
    model: keras.Model, images: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> None:
    """Refuse examples that a classifier cannot learn from.

    Args:
        model: A `keras.Model` with one input, to scores of shape
            `(batch, num_classes)`.
        images: Array of shape `(num_examples, ...)`.
        labels: Array of shape `(num_examples,)`.

    Raises:
        ValueError: If there are no examples, if the shape of `images` is not what the
            model takes, or if `labels` is not one whole number from 0 to
            `num_classes - 1` for each.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> model = classifier_on(feature_network(), num_classes=5)
        >>> check_examples(model, np.ones((2, 8, 8, 1)), np.array([0, 4]))
    """
    expected, num_classes = model.input_shape, model.output_shape[-1]
    shape = np.shape(images)
    fits = len(shape) == len(expected) and all(
        want in (None, size) for want, size in zip(expected, shape, strict=True)
    )
    if not fits or not shape[0]:
        raise ValueError(
            f"Expected `images` of shape {expected}, at least one. "
            f"Received: shape {shape}"
        )
    if np.shape(labels) != shape[:1] or np.asarray(labels).dtype.kind not in "iu":
        raise ValueError(
            f"Expected `labels` of shape {shape[:1]}, whole numbers. Received: shape "
            f"{np.shape(labels)} and dtype {np.asarray(labels).dtype}"
        )
    if np.min(labels) < 0 or np.max(labels) >= num_classes:
        raise ValueError(
            f"Expected `labels` from 0 to {num_classes - 1}, as the model has "
            f"{num_classes} outputs. Received: {np.min(labels)} to {np.max(labels)}"
        )


def transfer(
    base: keras.Model,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    num_classes: int,
    test_set: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    epochs: tuple[int, int] = (5, 15),
    learning_rates: tuple[float, float] = (0.03, 0.003),
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Reuse a network: train a new head on it while it is frozen, then fine-tune all.

    BatchNormalization stays frozen throughout.

    Args:
        base: A trained `keras.Model` that returns features, as `classifier_on` takes
            it. A copy of it is trained; `base` is left as it is.
        images: Array of shape `(num_examples, ...)`, as `base` takes it.
        labels: Array of whole numbers from 0 to `num_classes - 1`.
        num_classes: Integer of at least 2.
        test_set: `None`, or a tuple `(images, labels)` to measure after each epoch.
        epochs: Tuple of two integers of at least 1: with the frozen base, and after.
        learning_rates: Tuple of two floats greater than 0, likewise.

    Returns:
        A tuple of the `keras.Model` and its history, as `train` returns it, of all
        epochs.

    Raises:
        ValueError: If `classifier_on` or `train` refuses an argument.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> images, labels = np.ones((2, 8, 8, 1)), np.array([0, 1])
        >>> base = feature_network()
        >>> model, history = transfer(base, images, labels, 2, epochs=(1, 2))
        >>> len(history["loss"])
        3
    """
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    model = classifier_on(copy, num_classes)
    set_trainable(copy, False)
    head = train(model, images, labels, learning_rates[0], epochs[0], test_set)
    unfreeze_from(copy, copy.layers[0].name)
    tuned = train(model, images, labels, learning_rates[1], epochs[1], test_set)
    return model, {name: values + tuned[name] for name, values in head.items()}

"""Train a new head, then more."""

import math
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.checks import check_probabilities
from snippets.transfer_learning.freezing import set_trainable, unfreeze_from
from snippets.transfer_learning.networks import classifier_on


def train_classifier(
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
        TypeError: If `images`, `labels` or `test_set` is of another type.
        ValueError: If an argument is none of these, or a pixel is NaN or infinite. The
            model is then as it was, its compilation included.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> model = classifier_on(feature_network(), num_classes=2)
        >>> images, labels = np.ones((2, 8, 8, 1)), np.array([0, 1])
        >>> history = train_classifier(model, images, labels, 1e-3, epochs=3)
        >>> len(history["loss"])
        3
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            f"Expected `learning_rate` greater than 0. Received: {learning_rate}"
        )
    if epochs < 1:
        raise ValueError(f"Expected `epochs` of at least 1. Received: {epochs}")
    pair: Any = test_set
    if pair is not None and not (isinstance(pair, tuple) and len(pair) == 2):
        raise TypeError(
            "Expected `test_set` to be a tuple (images, labels). "
            f"Received: {type(pair).__name__}"
        )
    for examples in [(images, labels), *([pair] if pair else [])]:
        check_examples(model, *examples)
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
        model: A `keras.Model` with one input, to probabilities of shape
            `(batch, num_classes)`.
        images: Array of shape `(num_examples, ...)`, of finite numbers.
        labels: Array of shape `(num_examples,)`.

    Raises:
        TypeError: If `images` or `labels` is no NumPy array of numbers.
        ValueError: If there are no examples, if the shape of `images` is not what the
            model takes, if a pixel is NaN or infinite, if `labels` is not one whole
            number from 0 to `num_classes - 1` for each, or if the model ends in scores
            that are no probabilities: training would go on, and mean nothing.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> model = classifier_on(feature_network(), num_classes=5)
        >>> check_examples(model, np.ones((2, 8, 8, 1)), np.array([0, 4]))
    """
    arrays: dict[str, Any] = {"images": images, "labels": labels}
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            kind = getattr(array, "dtype", type(array).__name__)
            raise TypeError(
                f"Expected `{name}` to be a NumPy array of numbers. Received: {kind}"
            )
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
    if not np.isfinite(images).all():
        raise ValueError(
            "Expected `images` of finite numbers. Received: NaN or infinite values"
        )
    if np.shape(labels) != shape[:1] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"Expected `labels` of shape {shape[:1]}, whole numbers. Received: shape "
            f"{np.shape(labels)} and dtype {labels.dtype}"
        )
    if np.min(labels) < 0 or np.max(labels) >= num_classes:
        raise ValueError(
            f"Expected `labels` from 0 to {num_classes - 1}, as the model has "
            f"{num_classes} outputs. Received: {np.min(labels)} to {np.max(labels)}"
        )
    first = model(images[:1], training=False)
    check_probabilities(keras.ops.convert_to_numpy(first))


def train_head_then_fine_tune(
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
        A tuple of the `keras.Model` and its history, as `train_classifier` returns it,
        of all epochs.

    Raises:
        ValueError: If `classifier_on` or `train_classifier` refuses an argument.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> examples = np.ones((2, 8, 8, 1)), np.array([0, 1])
        >>> base = feature_network()
        >>> _, history = train_head_then_fine_tune(base, *examples, 2, epochs=(1, 2))
        >>> len(history["loss"])
        3
    """
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    model = classifier_on(copy, num_classes)
    set_trainable(copy, False)
    head = train_classifier(
        model, images, labels, learning_rates[0], epochs[0], test_set
    )
    unfreeze_from(copy, copy.layers[0].name)
    tuned = train_classifier(
        model, images, labels, learning_rates[1], epochs[1], test_set
    )
    return model, {name: values + tuned[name] for name, values in head.items()}

"""Examples by class, few of each, and shifted copies."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def select_classes(
    features: npt.NDArray[Any], labels: npt.NDArray[Any], classes: Sequence[int]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Keep the examples of some classes, and number these classes from 0.

    Args:
        features: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of whole numbers, shape `(num_examples,)`.
        classes: Sequence of labels without repetition. Label `classes[k]` becomes `k`.

    Returns:
        A tuple `(features, labels)` of the examples kept, in their order. The labels
        are int64 from 0 to `len(classes) - 1`.

    Raises:
        ValueError: If `features` and `labels` differ in length, if `labels` is not a
            vector, or if `classes` is empty, repeats a label or names one that no
            example has.

    Example:
        >>> features, labels = np.array([[1.0], [2.0], [3.0]]), np.array([7, 5, 7])
        >>> select_classes(features, labels, classes=[7])[1]
        array([0, 0])
    """
    if np.ndim(labels) != 1 or len(features) != len(labels):
        raise ValueError(
            "Expected one label for each example. Received: shapes "
            f"{np.shape(features)} and {np.shape(labels)}"
        )
    wanted, known = list(classes), np.unique(labels).tolist()
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(known):
        raise ValueError(
            f"Expected `classes` to name some of {known}, each once. Received: {wanted}"
        )
    kept = np.isin(labels, wanted)
    position = {label: number for number, label in enumerate(wanted)}
    numbers = [position[label] for label in labels[kept].tolist()]
    return features[kept], np.array(numbers, "int64")


def few_per_class(
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    per_class: int = 5,
    seed: int = 0,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Draw a few examples of each class to learn from, and leave the others to test.

    Args:
        features: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of classes, shape `(num_examples,)`.
        per_class: Integer of at least 1, less than the examples of any class.
        seed: Integer of at least 0 that decides the draw.

    Returns:
        A tuple `(x_few, y_few, x_rest, y_rest)`, dtypes as in the arguments. The few
        are sorted by class.

    Raises:
        ValueError: If there are no examples, if `features` and `labels` differ in
            length, or if `per_class` is less than 1 or leaves a class none to test.

    Example:
        >>> labels = np.array([0, 1, 0, 1, 1])
        >>> few_per_class(np.arange(5.0), labels, per_class=1)[1]
        array([0, 1])
    """
    if np.ndim(labels) != 1 or not 0 < len(features) == len(labels):
        raise ValueError(
            "Expected at least one example, and one label for each. Received: shapes "
            f"{np.shape(features)} and {np.shape(labels)}"
        )
    classes, counts = np.unique(labels, return_counts=True)
    if not 1 <= per_class < counts.min():
        raise ValueError(
            f"Expected `per_class` from 1 to {counts.min() - 1}, since the rarest "
            f"class has {counts.min()} examples. Received: {per_class}"
        )
    draw = np.random.default_rng(seed)
    few = np.concatenate(
        [draw.permutation(np.flatnonzero(labels == c))[:per_class] for c in classes]
    )
    rest = np.setdiff1d(np.arange(len(labels)), few)
    return features[few], labels[few], features[rest], labels[rest]


def random_shifts(pixels: int, size: int) -> keras.Sequential:
    """Build layers that augment: they move each image by a random part of its size.

    They act in `fit`, and hand images through in `predict` and `evaluate`. Called
    without `training=False` they act too, as all random layers of Keras do. They are
    layers of Keras and need no operation of TensorFlow.

    Args:
        pixels: Integer from 0 to `size`, the farthest move up, down, left or right.
        size: Integer of at least 1, the height and the width of the images.

    Returns:
        A `keras.Sequential` from images of shape `(batch, size, size, channels)` to
        images of the same shape, float32. What moves in from outside is 0.

    Raises:
        ValueError: If `size` is less than 1, or `pixels` not from 0 to `size`.

    Example:
        >>> random_shifts(1, size=8)(np.ones((2, 8, 8, 1)), training=False).shape
        TensorShape([2, 8, 8, 1])
    """
    if size < 1 or not 0 <= pixels <= size:
        raise ValueError(
            "Expected `size` of at least 1 and `pixels` from 0 to `size`. "
            f"Received: pixels={pixels} and size={size}"
        )
    part = pixels / size
    move = keras.layers.RandomTranslation(part, part, fill_mode="constant")
    return keras.Sequential([move], name="random_shifts")

"""The data of the guides: small real sets that scikit-learn installs with itself.

Nothing is downloaded. TensorFlow is imported only by the recipe that makes a
`tf.data.Dataset`.
"""

import re
from collections.abc import Mapping
from textwrap import shorten
from typing import Any

import numpy as np
import numpy.typing as npt

from snippets.extras import extra

with extra("data"):
    from sklearn.datasets import load_digits, load_wine
    from sklearn.model_selection import train_test_split

from snippets.checks import check_integer, check_ndarray


def digit_images() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Load 1,797 images of handwritten digits, 8 x 8 pixels, with their labels.

    scikit-learn stores each pixel as a whole number from 0 to 16. Here they are
    divided by 16.

    Returns:
        A tuple `(images, labels)` with `images` of shape `(1797, 8, 8, 1)`, float32 in
        `[0, 1]`, and `labels` of shape `(1797,)`, int64 from 0 to 9.

    Example:
        >>> images, labels = digit_images()
        >>> images.shape, labels[:3].tolist()
        ((1797, 8, 8, 1), [0, 1, 2])

    References:
        - [Optical Recognition of Handwritten Digits](
          https://archive.ics.uci.edu/dataset/80), E. Alpaydin and C. Kaynak, 1998.
    """
    digits = load_digits()
    images = digits.images[..., np.newaxis] / 16.0  # (image, height, width, channels)
    return images.astype("float32"), digits.target.astype("int64")


def digit_vectors() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Load the digits as vectors of 64 pixels, with their labels.

    Returns:
        A tuple `(vectors, labels)` with `vectors` of shape `(1797, 64)`, float32 in
        `[0, 1]`, and `labels` of shape `(1797,)`, int64 from 0 to 9.

    Example:
        >>> vectors, labels = digit_vectors()
        >>> vectors.shape, float(vectors.max())
        ((1797, 64), 1.0)
    """
    digits = load_digits()
    return (digits.data / 16.0).astype("float32"), digits.target.astype("int64")


def digit_sequences() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Load the digits as sequences of 8 steps of 8 pixels, with their labels.

    A step is one row of the image, from top to bottom.

    Returns:
        A tuple `(sequences, labels)` with `sequences` of shape `(1797, 8, 8)`, float32
        in `[0, 1]`, and `labels` of shape `(1797,)`, int64 from 0 to 9.

    Example:
        >>> sequences, labels = digit_sequences()
        >>> sequences.shape, sequences.dtype.name
        ((1797, 8, 8), 'float32')
    """
    digits = load_digits()
    return (digits.images / 16.0).astype("float32"), digits.target.astype("int64")


def wine_table() -> tuple[dict[str, npt.NDArray[np.float32]], npt.NDArray[np.int64]]:
    """Load a table of 178 wines: 13 measured columns by name, and the grower.

    The column names are made valid Python identifiers, since the name of a Keras
    input cannot hold a slash as `od280/od315_of_diluted_wines` does.

    Returns:
        A tuple `(columns, labels)` with `columns` maps each name to an array of shape
        `(178,)`, float32, in the units of the source; `labels` has shape `(178,)`,
        int64 from 0 to 2.

    Example:
        >>> columns, labels = wine_table()
        >>> len(columns), round(float(columns["alcohol"][0]), 2)
        (13, 14.23)

    References:
        - [Wine](https://archive.ics.uci.edu/dataset/109), S. Aeberhard and
          M. Forina, 1992.
    """
    wine = load_wine()
    columns = {
        re.sub(r"\W", "_", name): wine.data[:, position].astype("float32")
        for position, name in enumerate(wine.feature_names)
    }
    return columns, wine.target.astype("int64")


def split_train_test(
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    test_fraction: float = 0.2,
    seed: int = 0,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Split examples into a training and a test set with the same mix of classes.

    The examples are shuffled. The same arguments give the same split every time.

    Args:
        features: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of classes, shape `(num_examples,)`, at least two examples of
            each class, none missing.
        test_fraction: Float between 0 and 1, both excluded: the part to hold out. Both
            parts need at least as many examples as there are classes.
        seed: Integer from 0 to `2**32 - 1` that decides the shuffle.

    Returns:
        A tuple `(x_train, y_train, x_test, y_test)`, dtypes as in the arguments.

    Raises:
        ValueError: If `features` and `labels` are no arrays of one length, at least 1,
            if `test_fraction` is not between 0 and 1, or if the classes cannot be
            split so.

    Example:
        >>> images, labels = digit_images()
        >>> x_train, y_train, x_test, y_test = split_train_test(images, labels)
        >>> len(x_train), len(x_test)
        (1437, 360)
    """
    given: dict[str, Any] = {"features": features, "labels": labels}
    for name, array in given.items():
        is_masked = isinstance(array, np.ma.MaskedArray)
        if is_masked or not isinstance(array, np.ndarray) or array.ndim == 0:
            raise ValueError(
                f"Expected `{name}` to be a NumPy array of examples. "
                f"Received: {type(array).__name__}"
            )
    if not 0 < len(features) == len(labels):
        raise ValueError(
            "Expected `features` and `labels` to hold as many examples, and at least "
            f"one. Received: {len(features)} features and {len(labels)} labels."
        )
    if not 0.0 < test_fraction < 1.0:
        raise ValueError(
            "Expected `test_fraction` between 0 and 1, both excluded. "
            f"Received: test_fraction={test_fraction!r}"
        )
    missing = labels != labels  # NaN, which is a class to scikit-learn
    if missing.any():
        raise ValueError(
            f"Expected `labels` without NaN. Received: {missing.sum()} of them"
        )
    try:
        x_train, x_test, y_train, y_test = train_test_split(
            features,
            labels,
            test_size=test_fraction,
            random_state=seed,
            stratify=labels,
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Expected `labels` to hold at least two examples of each class, and "
            "`test_fraction` to leave one of each class for both parts. "
            f"Received: {shorten(str(error), 200)}"
        ) from error
    return x_train, y_train, x_test, y_test


def as_dataset(
    features: npt.NDArray[Any] | Mapping[str, npt.NDArray[Any]],
    labels: npt.NDArray[Any],
    batch_size: int = 32,
    shuffle_seed: int | None = None,
) -> Any:
    """Turn arrays into a `tf.data.Dataset` of batches `(features, labels)`.

    The last batch may be smaller, so the batch axis of `element_spec` is `None`. Pass
    `shuffle=False` to `fit` with a dataset: otherwise Keras 3.15.1 warns that it does
    not shuffle.

    Args:
        features: Array of shape `(num_examples, ...)`, or a dict of such arrays by
            input name, any dtype that TensorFlow knows.
        labels: Array of shape `(num_examples, ...)`.
        batch_size: Integer of at least 1.
        shuffle_seed: `None` keeps the order. An integer of at least 0 shuffles the
            examples, in another order in each epoch, and in the same orders in each
            run.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ValueError: If `batch_size` or `shuffle_seed` is no such integer, if something
            is no array of examples, or if the lengths differ.

    Example:
        >>> images, labels = digit_images()
        >>> as_dataset(images, labels).element_spec[0].shape
        TensorShape([None, 8, 8, 1])
    """
    import tensorflow as tf

    check_integer("batch_size", batch_size)
    is_table = isinstance(features, Mapping)
    columns: dict[str, Any] = dict(features) if is_table else {"features": features}
    given: dict[str, Any] = {**columns, "labels": labels}
    for name, array in given.items():
        check_ndarray(name, array)
    num_examples = {column.shape[:1] for column in columns.values()}  # () of none
    if labels.ndim == 0 or num_examples != {labels.shape[:1]}:
        shapes = {name: array.shape for name, array in given.items()}
        raise ValueError(
            "Expected every array to hold as many examples as `labels`, along its "
            f"first axis. Received: shapes {shapes}"
        )
    parts = (columns if is_table else features, labels)
    try:
        dataset = tf.data.Dataset.from_tensor_slices(parts)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "Expected arrays of dtypes that TensorFlow knows. "
            f"Received: {shorten(str(error), 200)}"
        ) from error
    if shuffle_seed is not None:
        check_integer("shuffle_seed", shuffle_seed, least=0)
        dataset = dataset.shuffle(max(1, len(labels)), seed=shuffle_seed)
    return dataset.batch(batch_size).prefetch(tf.data.AUTOTUNE)

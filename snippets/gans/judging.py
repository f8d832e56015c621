"""Judge made-up images by a classifier that has seen real ones only."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops


def train_judge(
    images: npt.NDArray[Any], labels: npt.NDArray[np.int64], epochs: int = 15
) -> keras.Model:
    """Train a classifier that knows nothing of any GAN, to judge what one makes.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, float32, in the
            range of the images to judge, at least 2 x 2 pixels.
        labels: Integer array of shape `(num_images,)`, from 0.
        epochs: Integer of at least 1. 15 take it past 98 % on digits it has not seen.

    Returns:
        A compiled `keras.Model` to logits of shape `(batch, num_classes)`. Its layer
        `features` gives vectors of shape `(batch, 64)`.

    Raises:
        ValueError: If the loss is not finite, as after NaN in the images.

    Example:
        >>> images = np.zeros((9, 8, 8, 1), "float32")
        >>> judge = train_judge(images, np.arange(9), epochs=1)
        >>> judge.output_shape, judge.get_layer("features").output.shape
        ((None, 9), (None, 64))
    """
    num_classes, layers = int(np.max(labels)) + 1, keras.layers
    judge = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dense(num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    judge.compile("adam", loss, metrics=["accuracy"])
    losses = judge.fit(images, labels, epochs=epochs, verbose=0).history["loss"]
    if not np.isfinite(losses).all():
        raise ValueError("Expected finite images. Received: a loss that is not")
    return judge


def frechet_distance(features: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    """Measure how far two clouds of points are apart, each taken as a Gaussian.

    It is `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))` of means and covariances. With
    features of the Inception network it is known as FID.

    Args:
        features: Array of shape `(num_points, num_features)`, at least two points.
        others: Array of the same number of features, at least two points.

    Returns:
        A float of at least 0, but for rounding, in squared units of the features.

    Raises:
        ValueError: If the shapes are others.

    Example:
        >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
        >>> round(frechet_distance(points, points + [3.0, 4.0]), 6)  # a shift by 5
        25.0

    References:
        - [GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
          Equilibrium](https://arxiv.org/abs/1706.08500), M. Heusel et al., 2017.
    """
    shapes = np.shape(features), np.shape(others)
    if [len(shape) for shape in shapes] != [2, 2] or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "Expected two arrays of shape (num_points, num_features) with as many "
            f"features. Received: shapes {shapes[0]} and {shapes[1]}"
        )
    if min(shapes[0][0], shapes[1][0]) < 2:
        raise ValueError(
            "Expected at least two points each. "
            f"Received: {shapes[0][0]} and {shapes[1][0]}"
        )
    first, second = (np.atleast_2d(np.cov(f, rowvar=False)) for f in (features, others))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # root @ second @ root is symmetric and has the eigenvalues of first @ second.
    crossed = np.linalg.eigvalsh(root @ second @ root)
    shift = np.sum((np.mean(features, axis=0) - np.mean(others, axis=0)) ** 2)
    spread = np.trace(first) + np.trace(second)
    return float(shift + spread - 2.0 * np.sum(np.sqrt(np.maximum(crossed, 0.0))))


def judge_samples(
    judge: keras.Model,
    samples: npt.NDArray[Any],
    real: npt.NDArray[Any],
    asked: Any = None,
) -> dict[str, float]:
    """Measure samples with a judge: how near to real, how many kinds, how clear.

    Args:
        judge: A classifier with a layer `features`, as `train_judge` makes it.
        samples: Array of shape `(num_samples, height, width, channels)`, at least two.
        real: Array of shape `(num_images, height, width, channels)`, at least two.
        asked: Integer array of shape `(num_samples,)`, the label that each sample was
            made for, or `None`.

    Returns:
        A dict with `distance`, the Fréchet distance of the features; `classes`, how
        many classes have at least a tenth of an equal share of the samples; `clear`
        from 0 to 1, the part whose class the judge gives more than 90 %; and, if
        `asked` is given, `agreement` from 0 to 1, the part that the judge takes for
        what was asked for.

    Example:
        >>> images = np.random.default_rng(0).random((20, 8, 8, 1), dtype="float32")
        >>> judge = train_judge(images, np.arange(20) % 2, epochs=1)
        >>> seen = judge_samples(judge, images[:1].repeat(9, axis=0), images)
        >>> seen["classes"], sorted(seen)
        (1, ['classes', 'clear', 'distance'])
    """
    see = keras.Model(
        judge.inputs, [judge.get_layer("features").output, *judge.outputs]
    )
    features, logits = see.predict(samples, verbose=0)
    found = np.argmax(logits, axis=-1)
    shares = np.bincount(found, minlength=logits.shape[-1]) / len(found)
    probabilities = ops.convert_to_numpy(ops.softmax(logits))
    seen = {
        "distance": frechet_distance(features, see.predict(real, verbose=0)[0]),
        "classes": int(np.sum(shares >= 0.1 / len(shares))),
        "clear": float(np.mean(np.max(probabilities, axis=-1) > 0.9)),
    }
    if asked is not None:
        seen["agreement"] = float(np.mean(found == asked))
    return seen

"""Evaluate on every example, each time with a model that has not seen it."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def label_folds(
    labels: npt.NDArray[Any], num_folds: int = 5, seed: int = 0
) -> list[npt.NDArray[np.int64]]:
    """Deal examples out to folds that all have the same mix of labels.

    The numbers of examples of a label in two folds differ by one at most. Examples that
    belong together, such as several images of one person, may come into several folds.

    Args:
        labels: Array of shape `(num_examples,)`, classes or numbers.
        num_folds: Integer from 2 to the number of examples.
        seed: Integer of at least 0. The same seed gives the same folds.

    Returns:
        A list of `num_folds` int64 arrays: the positions of the examples of each fold,
        in rising order.

    Raises:
        ValueError: If `labels` has another shape, or if `num_folds` is out of its
            range.

    Example:
        >>> folds = label_folds(np.array([0, 0, 0, 0, 1, 1]), num_folds=2)
        >>> [len(fold) for fold in folds]
        [3, 3]

    References:
        - [A Study of Cross-Validation and Bootstrap for Accuracy Estimation and Model
          Selection](https://www.ijcai.org/Proceedings/95-2/Papers/016.pdf), R. Kohavi,
          1995.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or not 2 <= num_folds <= len(labels):
        raise ValueError(
            "Expected `labels` of shape (num_examples,), and `num_folds` from 2 to the "
            f"number of examples. Received: shape {labels.shape}, num_folds={num_folds}"
        )
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]
    return [np.sort(order[start::num_folds]) for start in range(num_folds)]


def evaluate_folds(
    make_model: Callable[[Any], keras.Model],
    x: Any,
    y: Any,
    folds: Sequence[npt.NDArray[np.int64]],
    **fit_options: Any,
) -> dict[str, npt.NDArray[np.float64]]:
    """Train a new model for each fold, on all other folds, and evaluate it on this one.

    The mean of the scores estimates the score on new examples. Their standard deviation
    says how much a score depends on the examples and on the weights at the start.

    Args:
        make_model: Function of the training examples, as in `x`, that returns a new,
            compiled `keras.Model`. What is fitted to examples before the training, such
            as `Normalization`, is fitted in it, to these alone.
        x: Array of shape `(num_examples, ...)`, or a dict of such arrays.
        y: Array of shape `(num_examples, ...)`, or a dict of such arrays.
        folds: Sequence of at least two arrays of positions. Each example is in one of
            them.
        **fit_options: As for `fit`, such as `epochs`.

    Returns:
        A dict from `loss` and the names of the metrics to arrays of shape
        `(num_folds,)`, float64.

    Raises:
        ValueError: If an example is in no fold or in several, or if `make_model`
            returns weights that have been trained before.

    Example:
        >>> x, y = np.arange(8.0)[:, np.newaxis] / 8, np.arange(8) // 4
        >>> folds = label_folds(y, num_folds=4)
        >>> scores = evaluate_folds(normalized_classifier, x, y, folds, epochs=2)
        >>> sorted(scores), scores["accuracy"].shape
        (['accuracy', 'loss'], (4,))
    """
    every = np.arange(len(keras.tree.flatten(y)[0]))
    joined = np.sort(np.concatenate(folds))
    if len(folds) < 2 or not all(map(len, folds)) or not np.array_equal(joined, every):
        raise ValueError(
            f"Expected each of the {len(every)} examples in one of at least two folds. "
            f"Received: {len(folds)} folds with {len(np.unique(joined))} positions, "
            f"{len(joined)} in all"
        )

    def rows(data: Any, positions: npt.NDArray[np.int64]) -> Any:
        return keras.tree.map_structure(lambda array: array[positions], data)

    scores: list[dict[str, float]] = []
    trained: list[Any] = []
    for fold in folds:
        others = np.setdiff1d(every, fold)
        model = make_model(rows(x, others))
        if any(new is old for new in model.trainable_variables for old in trained):
            raise ValueError(
                "Expected `make_model` to make a new model each time. "
                f"Received: '{model.name}' with weights of the fold before"
            )
        options = {"verbose": 0, **fit_options}
        model.fit(rows(x, others), rows(y, others), **options)
        trained = model.trainable_variables
        examples = rows(x, fold), rows(y, fold)
        scores.append(model.evaluate(*examples, verbose=0, return_dict=True))
    return {name: np.array([score[name] for score in scores]) for name in scores[0]}


def normalized_classifier(features: npt.NDArray[Any]) -> keras.Sequential:
    """Build and compile a classifier of ten classes that scales what it is given.

    Args:
        features: Array of shape `(num_examples, num_features)`, the examples whose mean
            and variance it uses.

    Returns:
        A compiled `keras.Sequential` to probabilities of shape `(batch, 10)`.

    Example:
        >>> normalized_classifier(np.eye(4)).output_shape
        (None, 10)
    """
    # One mean for all features: a feature that is constant here has no variance.
    normalization = keras.layers.Normalization(axis=None)
    normalization.adapt(features)
    model = keras.Sequential(
        [
            keras.Input(shape=features.shape[1:]),
            normalization,
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

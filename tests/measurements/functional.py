"""Measurements of the Functional guide."""

from functools import cache
from typing import Any

import keras
import numpy as np

from snippets.data import digit_images, split_train_test
from snippets.functional import ensemble, two_branch_classifier
from tests.measurements.measures import Figures, measures


@cache
def digits() -> tuple[Any, ...]:
    """The digits for training and for the test, as the page splits them."""
    return split_train_test(*digit_images())


def trained(seed: int, **options: int) -> keras.Model:
    """The two branches, trained as on the page."""
    x, y, _, _ = digits()
    keras.utils.set_random_seed(seed)
    model = two_branch_classifier((8, 8, 1), 10)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0, **options)
    return model


def accuracy(model: keras.Model) -> float:
    """The share of the test set that a model reads as it should."""
    _, _, x, y = digits()
    return float(np.mean(model.predict(x, verbose=0).argmax(axis=-1) == y))


@measures(
    "After ten epochs it reads more than 93 of 100 digits that it has not seen.",
    bound={"accuracy": (0.931, 1.0)},
)
def reads_93_of_100_digits(seed: int) -> Figures:
    """Train the first model of the page."""
    return {"accuracy": accuracy(trained(seed, epochs=10))}


@measures(
    "The last number is the accuracy of the average, and it is higher than the mean of "
    "the others.",
    bound={"ahead_of_the_mean": (0.001, 0.2)},
)
def the_average_is_better_than_its_members(seed: int) -> Figures:
    """Train three members, and compare their average with the mean of the members."""
    seeds = range(3 * seed, 3 * seed + 3)
    members = [trained(number, epochs=4, batch_size=64) for number in seeds]
    mean = np.mean([accuracy(member) for member in members])
    return {"ahead_of_the_mean": accuracy(ensemble(members)) - float(mean)}

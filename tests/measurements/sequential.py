"""Measurements of the Sequential guide: how many digits its models read."""

from functools import cache
from typing import Any

import keras

from snippets.data import digit_images, split_train_test
from snippets.sequential import (
    image_classifier,
    recurrent_classifier,
    train_classifier,
    vector_classifier,
    with_new_head,
)
from tests.measurements.measures import Figures, measures


@cache
def digits() -> tuple[Any, ...]:
    """The digits for training and for the test, as the page splits them."""
    return split_train_test(*digit_images())


def share_read(model: keras.Sequential, shape: tuple[int, ...]) -> float:
    """Train a model on the digits in one shape: the share of test digits it reads."""
    x_train, y_train, x_test, y_test = digits()
    train_classifier(model, x_train.reshape(-1, *shape), y_train)
    return float(model.evaluate(x_test.reshape(-1, *shape), y_test, verbose=0)[1])


@measures(
    "At least 95 of 100 digits that it was not trained on are read right.",
    bound={"share": (0.95, 1.0)},
)
def images_reach_95_percent(seed: int) -> Figures:
    """The share of test digits that the image classifier reads."""
    keras.utils.set_random_seed(seed)
    return {"share": share_read(image_classifier((8, 8, 1), 10), (8, 8, 1))}


@measures(
    "Two other models, trained in the same way, reach 95 of 100 too: "
    "{recipe}`snippets.sequential.vector_classifier`, which gets the digits as 64 "
    "numbers, and `recurrent_classifier`, which gets them as 8 rows.",
    bound={"vectors": (0.95, 1.0), "sequences": (0.95, 1.0)},
)
def same_digits_in_other_forms(seed: int) -> Figures:
    """The shares that the vector and the recurrent classifier read."""
    keras.utils.set_random_seed(seed)
    return {
        "vectors": share_read(vector_classifier(64, 10), (64,)),
        "sequences": share_read(recurrent_classifier(8, 10), (8, 8)),
    }


@measures(
    "Where to cut matters: with only the last layer replaced, fewer than 90 % of the "
    "new digits are read right; with the last two, as here, more than 90 %.",
    bound={"last_replaced": (0.0, 0.899), "last_two_replaced": (0.901, 1.0)},
)
def where_to_cut_matters(seed: int) -> Figures:
    """The shares of the digits 5 to 9 that two new heads read."""
    x_train, y_train, x_test, y_test = digits()
    low, low_test = y_train < 5, y_test < 5
    keras.utils.set_random_seed(seed)
    first = image_classifier((8, 8, 1), 5)
    train_classifier(first, x_train[low], y_train[low])
    shares = []
    for num_dropped in (1, 2):
        model = with_new_head(first, 5, num_dropped)
        train_classifier(model, x_train[~low], y_train[~low] - 5)
        test = x_test[~low_test], y_test[~low_test] - 5
        shares.append(float(model.evaluate(*test, verbose=0)[1]))
    return {"last_replaced": shares[0], "last_two_replaced": shares[1]}

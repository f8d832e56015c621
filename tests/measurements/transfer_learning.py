"""Measurements of the Transfer learning guide: what its trainings come to."""

from functools import cache

import keras
import numpy as np

from snippets.data import digit_images
from snippets.transfer_learning import (
    classifier_on,
    feature_network,
    few_per_class,
    select_classes,
    train_classifier,
    train_head_then_fine_tune,
)
from tests.measurements.measures import Figures, measures


@cache
def trained_base() -> keras.Model:
    """The base of the page, which knows the digits 0 to 4."""
    keras.utils.set_random_seed(0)
    base = feature_network()
    known = select_classes(*digit_images(), range(5))
    train_classifier(classifier_on(base, 5), *known, 0.003, epochs=5)
    return base


def accuracy(seed: int, reused: bool, epochs: int = 20) -> float:
    """The accuracy on 871 images after learning from 25."""
    new = select_classes(*digit_images(), range(5, 10))
    x, y, *test_set = few_per_class(*new, per_class=5, seed=seed)
    base = trained_base()  # before the seed is set
    keras.utils.set_random_seed(seed)
    if reused:
        model, _ = train_head_then_fine_tune(base, x, y, num_classes=5)
    else:
        model = classifier_on(feature_network(), num_classes=5)
        train_classifier(model, x, y, 0.01, epochs)
    answers = model.predict(test_set[0], batch_size=1024, verbose=0).argmax(axis=-1)
    return float(np.mean(answers == test_set[1]))


@measures(
    "After 20 epochs the reused network reads more of the images, in the mean of three "
    "draws at least 10 % more of all.",
    bound={"lead": (0.1, 1.0)},
    rounds=2,
)
def reused_is_ahead_after_20_epochs(seed: int) -> Figures:
    """By how much more of the images the reused network reads, in the mean."""
    draws = range(3 * seed, 3 * seed + 3)
    reused, scratch = (
        float(np.mean([accuracy(draw, reused) for draw in draws]))
        for reused in (True, False)
    )
    return {"reused": reused, "scratch": scratch, "lead": reused - scratch}


@measures(
    "With 80 epochs in place of 20, the network from scratch passes 80 % on the same "
    "25 images too: the digits are an easy task.",
    bound={"accuracy": (0.8, 1.0)},
)
def scratch_catches_up_in_80_epochs(seed: int) -> Figures:
    """The accuracy of the network from scratch."""
    return {"accuracy": accuracy(seed, reused=False, epochs=80)}

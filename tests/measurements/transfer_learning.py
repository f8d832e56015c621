"""Measurements of the Transfer learning guide: what its trainings come to."""

from functools import cache

import keras
import numpy as np

from snippets.data import digit_images
from snippets.transfer_learning import (
    classifier_on,
    feature_network,
    few_per_class,
    freeze_batch_normalization,
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
    "A small network that knows five digits learns five other ones from 25 images. "
    "After 20 epochs it reads at least 10 percentage points more of the test images "
    "than the same network trained from scratch, in the mean over three choices of "
    "the 25.",
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
    "The network from scratch needs more time: trained for 80 epochs, it reads more "
    "than 80 % of the test images.",
    bound={"accuracy": (0.8, 1.0)},
)
def scratch_catches_up_in_80_epochs(seed: int) -> Figures:
    """The accuracy of the network from scratch."""
    return {"accuracy": accuracy(seed, reused=False, epochs=80)}


def moved_and_turned() -> keras.Sequential:
    """The augmentation of the page."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.RandomTranslation(0.125, 0.125, fill_mode="constant"),
            keras.layers.RandomRotation(0.05, fill_mode="constant"),
        ]
    )


def accuracies(seed: int, augmented: bool) -> tuple[float, float]:
    """The accuracy on test images as they are, and on them moved and turned."""
    new = select_classes(*digit_images(), range(5, 10))
    x, y, x_test, y_test = few_per_class(*new, per_class=5, seed=seed)
    base = keras.models.clone_model(trained_base())
    base.set_weights(trained_base().get_weights())
    keras.utils.set_random_seed(seed)
    x_moved = keras.ops.convert_to_numpy(moved_and_turned()(x_test, training=True))
    before = moved_and_turned() if augmented else None
    model = classifier_on(base, num_classes=5, before=before)
    base.trainable = False
    train_classifier(model, x, y, 0.03, epochs=5)
    base.trainable = True
    freeze_batch_normalization(base)
    train_classifier(model, x, y, 0.003, epochs=55)
    shares = []
    for images in (x_test, x_moved):
        answers = model.predict(images, batch_size=1024, verbose=0).argmax(axis=-1)
        shares.append(float(np.mean(answers == y_test)))
    return shares[0], shares[1]


@measures(
    "If test images are moved and turned too, the augmented network reads at least 5 "
    "percentage points more of them after 60 epochs, in the mean of three draws; of "
    "the original ones it reads fewer.",
    bound={"lead_moved": (0.05, 1.0), "lead_plain": (-1.0, 0.0)},
    rounds=2,
)
def augmentation_helps_on_moved_images(seed: int) -> Figures:
    """By how much more of two kinds of images the augmented network reads."""
    draws = range(3 * seed, 3 * seed + 3)
    with_it, without = (
        np.mean([accuracies(draw, augmented) for draw in draws], axis=0)
        for augmented in (True, False)
    )
    lead = with_it - without
    return {"lead_plain": float(lead[0]), "lead_moved": float(lead[1])}

"""Measurements of the GANs guide: long trainings, and what a judge says of them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np

from snippets.data import digit_images, split_train_test
from snippets.gans import (
    GAN,
    ConditionalGAN,
    WassersteinGAN,
    build_discriminator,
    build_generator,
    judge_samples,
    train_judge,
    two_adams,
)
from tests.measurements.measures import Figures, measures

ASKED = np.repeat(np.arange(10), 100)
MANY = 100_000.0  # more than any distance or loss that a training ends with


@dataclass(frozen=True)
class Training:
    """What was seen of one training.

    Attributes:
        before: what the judge says of the untrained generator.
        early: what it says after five epochs, if they were asked for.
        after: what it says at the end.
        losses: both losses of each epoch.
        median_score: the discriminator's score of made-up images at the end.
    """

    before: Figures
    early: Figures
    after: Figures
    losses: dict[str, list[float]]
    median_score: float


class Untold(ConditionalGAN):
    """A conditional GAN that is shown no real image under a wrong label."""

    score_unreal = GAN.score_unreal


@cache
def digits() -> tuple[Any, ...]:
    """Real digits to train on, and others, as the page splits them."""
    return split_train_test(*digit_images())


@cache
def judge(seed: int) -> keras.Model:
    """The judge of the page."""
    x_train, y_train, _, _ = digits()
    keras.utils.set_random_seed(seed)
    return train_judge(x_train, y_train)


def look(gan: GAN, seed: int) -> Figures:
    """What the judge says of a thousand samples."""
    told = isinstance(gan, ConditionalGAN)
    samples = gan.sample(ASKED if told else len(ASKED))
    return judge_samples(judge(seed), samples, digits()[2], ASKED if told else None)


def train(gan: GAN, seed: int, epochs: int, early: int = 0) -> Training:
    """Train a compiled GAN as the page does."""
    x_train, y_train, _, _ = digits()
    seen: list[Figures] = []
    watcher = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: (
            seen.append(look(gan, seed)) if epoch + 1 == early else None
        )
    )
    before = look(gan, seed)
    labels = y_train if isinstance(gan, ConditionalGAN) else None
    options = {"batch_size": 64, "epochs": epochs, "callbacks": [watcher]}
    losses = gan.fit(x_train, labels, **options, verbose=0).history
    after = look(gan, seed)
    if gan.num_classes:
        score = gan.score(gan.sample(ASKED), ASKED, training=False)
    else:
        score = gan.score(gan.sample(len(ASKED)), None, training=False)
    median = float(np.median(score))
    return Training(before, seen[0] if seen else {}, after, losses, median)


@cache
def conditional(seed: int, kind: type[ConditionalGAN] = ConditionalGAN) -> Training:
    """The conditional GAN of the page."""
    judge(seed)
    keras.utils.set_random_seed(seed)
    gan = kind(build_generator(16 + 10), build_discriminator((8, 8, 1 + 10)))
    gan.compile(*two_adams(num_steps=20 * 23))
    return train(gan, seed, epochs=20, early=5)


@cache
def unlabeled(seed: int, kind: type[GAN], beta_2: float = 0.9) -> Training:
    """The DCGAN and the WGAN-GP of the page."""
    judge(seed)
    keras.utils.set_random_seed(seed)
    dropout = 0.0 if kind is WassersteinGAN else 0.3
    gan = kind(build_generator(16), build_discriminator((8, 8, 1), dropout=dropout))
    adams = two_adams(num_steps=30 * 23)
    for adam in adams:
        adam.beta_2 = beta_2
    gan.compile(*adams)
    return train(gan, seed, epochs=30)


@cache
def at_rates(seed: int, rates: tuple[float, float]) -> Training:
    """Six epochs with a rate for each network, as the page shows how training fails."""
    judge(seed)
    keras.utils.set_random_seed(seed)
    gan = GAN(build_generator(16), build_discriminator((8, 8, 1)), seed=seed)
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates))
    return train(gan, seed, epochs=6)


BALANCED, SLOW, FAST = (1e-3, 1e-3), (1e-2, 1e-5), (1e-4, 1e-2)

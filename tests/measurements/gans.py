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


@dataclass(frozen=True)
class Training:
    """What was seen of one training.

    Attributes:
        before: what the judge says of the untrained generator.
        early: what it says after five epochs, if they were asked for.
        after: what it says at the end.
        losses: both losses of each epoch.
        high_score: the score that 99 of 100 made-up images are below, at the end.
    """

    before: Figures
    early: Figures
    after: Figures
    losses: dict[str, list[float]]
    high_score: float


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
    if gan.num_classes:
        return judge_samples(judge(seed), gan.sample(ASKED), digits()[2], ASKED)
    return judge_samples(judge(seed), gan.sample(len(ASKED)), digits()[2])


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
    labels = y_train if gan.num_classes else None
    options = {"batch_size": 64, "epochs": epochs, "callbacks": [watcher]}
    losses = gan.fit(x_train, labels, **options, verbose=0).history
    after = look(gan, seed)
    wanted = ASKED if gan.num_classes else len(ASKED)
    scores = gan.score(gan.sample(wanted), ASKED, training=False)
    high = float(np.quantile(np.array(scores), 0.99))
    return Training(before, seen[0] if seen else {}, after, losses, high)


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


# The conditional GAN


@measures(
    "A classifier that was trained on real digits alone reads the requested digit in "
    "more than 98 of 100 samples.",
    bound={"agreement": (0.98, 1.0)},
)
def the_requested_digit_is_read(seed: int) -> Figures:
    """Train the conditional GAN, and ask the judge what its samples show."""
    return {"agreement": conditional(seed).after["agreement"]}


@measures(
    "The losses say how the game stands between the two networks, not how good the "
    "images are: from epoch 5 to epoch 20 the generator's loss changes by less than "
    "25 %, while the distance of its images from real digits falls by more than 75 %.",
    bound={"change_of_the_loss": (0.0, 0.25), "distance_left": (0.0, 0.25)},
)
def the_losses_stay_while_the_images_improve(seed: int) -> Figures:
    """Compare the conditional GAN after 5 epochs with itself after 20."""
    seen = conditional(seed)
    early, late = (seen.losses["generator_loss"][epoch - 1] for epoch in (5, 20))
    return {
        "change_of_the_loss": abs(late / early - 1.0),
        "distance_left": seen.after["distance"] / seen.early["distance"],
    }


@measures(
    "It is right on more than 97 % of the 360 digits that were held out.",
    bound={"accuracy": (0.97, 1.0)},
)
def the_judge_is_right_on_held_out_digits(seed: int) -> Figures:
    """Train the judge."""
    _, _, x_test, y_test = digits()
    found = judge(seed).predict(x_test, verbose=0).argmax(axis=-1)
    return {"accuracy": float(np.mean(found == y_test))}


@measures(
    "Real digits are the floor: they are at a distance of less than 3 from other real "
    "digits.",
    bound={"distance": (0.0, 3.0)},
)
def real_digits_are_the_floor(seed: int) -> Figures:
    """Judge the digits for training against those that were held out."""
    x_train, _, x_test, _ = digits()
    return {"distance": judge_samples(judge(seed), x_train, x_test)["distance"]}


@measures(
    "Over three seeds, training takes the distance of the conditional GAN from more "
    "than 250 to less than 10, and its samples show all ten digits.",
    bound={"before": (250.0, 1000.0), "after": (0.0, 10.0), "classes": (10, 10)},
)
def the_conditional_gan_comes_close(seed: int) -> Figures:
    """Train the conditional GAN."""
    seen = conditional(seed)
    return {
        "before": seen.before["distance"],
        "after": seen.after["distance"],
        "classes": seen.after["classes"],
    }


@measures(
    "If the step leaves out the real images under wrong labels, the classifier finds "
    "the requested digit less often.",
    bound={"agreement_lost": (0.01, 0.5)},
)
def wrong_labels_raise_the_agreement(seed: int) -> Figures:
    """Train the conditional GAN with and without real images under wrong labels."""
    with_them, without = conditional(seed), conditional(seed, Untold)
    lost = with_them.after["agreement"] - without.after["agreement"]
    return {"agreement_lost": lost}


# The DCGAN and the WGAN-GP


@measures(
    "Over three seeds of 30 epochs, training takes the distance of `GAN` and of "
    "`WassersteinGAN` from more than 250 to less than 20, and both make all ten "
    "digits.",
    bound={
        "before": (250.0, 1000.0),
        "after_dcgan": (0.0, 20.0),
        "after_wgan_gp": (0.0, 20.0),
        "classes": (10, 10),
    },
)
def both_come_close(seed: int) -> Figures:
    """Train both."""
    dcgan, wgan = unlabeled(seed, GAN), unlabeled(seed, WassersteinGAN)
    return {
        "before": min(dcgan.before["distance"], wgan.before["distance"]),
        "after_dcgan": dcgan.after["distance"],
        "after_wgan_gp": wgan.after["distance"],
        "classes": min(dcgan.after["classes"], wgan.after["classes"]),
    }


@measures(
    "The judge is sure of less than 8 in 10 of these images; of those of the "
    "conditional GAN, which has to choose a digit, it is sure of more than 9 in 10.",
    bound={
        "dcgan": (0.0, 0.8),
        "wgan_gp": (0.0, 0.8),
        "conditional": (0.9, 1.0),
    },
)
def a_label_makes_images_clear(seed: int) -> Figures:
    """Train all three, and count the images whose digit the judge is sure of."""
    return {
        "dcgan": unlabeled(seed, GAN).after["clear"],
        "wgan_gp": unlabeled(seed, WassersteinGAN).after["clear"],
        "conditional": conditional(seed).after["clear"],
    }


@measures(
    "Both optimizers forget old gradients soon, since the rival changes all the time: "
    "with the `beta_2=0.999` of Keras in place of 0.9, the same WGAN-GP ends farther "
    "from the digits.",
    bound={"ratio_of_distances": (1.1, 20.0)},
)
def optimizers_forget_soon(seed: int) -> Figures:
    """Train the WGAN-GP with either decay of the second moment."""
    soon, late = (unlabeled(seed, WassersteinGAN, beta_2) for beta_2 in (0.9, 0.999))
    return {"ratio_of_distances": late.after["distance"] / soon.after["distance"]}


# How training fails


@measures(
    "With a slow discriminator the generator finds one or a few images that pass, and "
    "makes nothing else: **mode collapse**, at most 4 of the 10 classes over three "
    "seeds.",
    bound={"classes": (1, 4)},
)
def a_slow_discriminator_collapses(seed: int) -> Figures:
    """Train with a discriminator that learns too slowly."""
    return {"classes": at_rates(seed, SLOW).after["classes"]}


@measures(
    "The losses do not give it away: after six epochs, each is less than 0.5 from that "
    "of a training with 1e-3 for both networks, which ends well.",
    bound={
        "difference_of_the_generator": (0.0, 0.5),
        "difference_of_the_discriminator": (0.0, 0.5),
    },
)
def losses_of_a_collapse_look_calm(seed: int) -> Figures:
    """Compare the losses of a collapse with those of a training as it should be."""
    slow, balanced = at_rates(seed, SLOW).losses, at_rates(seed, BALANCED).losses
    return {
        f"difference_of_the_{network}": abs(
            slow[f"{network}_loss"][-1] - balanced[f"{network}_loss"][-1]
        )
        for network in ("generator", "discriminator")
    }


@measures(
    "With 1e-3 for each network, the same six epochs end with at least eight classes.",
    bound={"classes": (8, 10)},
)
def equal_rates_do_not_collapse(seed: int) -> Figures:
    """Train with a discriminator that learns as fast as the generator."""
    return {"classes": at_rates(seed, BALANCED).after["classes"]}


@measures(
    "With a discriminator that learns too fast, at 1e-2 beside 1e-4 for the generator, "
    "the game is **one-sided** and the images stay noise: the discriminator's loss is "
    "below 0.4, the generator's is above 2, and the distance of the images stays above "
    "200.",
    bound={
        "high_score": (-1000.0, -4.0),
        "discriminator_loss": (0.0, 0.4),
        "generator_loss": (2.0, 1000.0),
        "distance": (200.0, 10_000.0),
    },
)
def a_fast_discriminator_is_one_sided(seed: int) -> Figures:
    """Train with a discriminator that learns too fast."""
    fast = at_rates(seed, FAST)
    return {
        "high_score": fast.high_score,
        "discriminator_loss": fast.losses["discriminator_loss"][-1],
        "generator_loss": fast.losses["generator_loss"][-1],
        "distance": fast.after["distance"],
    }

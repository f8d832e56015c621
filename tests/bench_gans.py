"""Measure training steps of the GANs against the plainest correct ones, written here.

The table is shown by `docs/about/speed.md`.

Every figure is a ratio within one round of one process, so that it holds on other
machines too: what is compared takes turns.
"""

import csv
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from snippets.data import digit_images
from snippets.gans import (
    GAN,
    ConditionalGAN,
    WassersteinGAN,
    build_discriminator,
    build_generator,
    two_adams,
)

TABLE = Path(__file__).parent.parent / "docs/about/speed_gans.csv"
ROUNDS, EPOCHS, BATCH, NOISE = 7, 5, 64, 16
WAYS = {
    "`fit`": {},
    "`fit`, `steps_per_execution=11`": {"steps_per_execution": 11},
    "`fit`, `jit_compile=True`": {"jit_compile": True},
}
KINDS = {"DCGAN": GAN, "Conditional GAN": ConditionalGAN, "WGAN-GP": WassersteinGAN}
Epochs = Callable[[], None]


def networks(kind: type[GAN]) -> tuple[keras.Model, keras.Model]:
    """The networks of the guide."""
    told = 10 if kind is ConditionalGAN else 0
    dropout = 0.0 if kind is WassersteinGAN else 0.3
    discriminator = build_discriminator((8, 8, 1 + told), dropout=dropout)
    return build_generator(NOISE + told), discriminator


def fitted(kind: type[GAN], batches: tf.data.Dataset, options: Any) -> Epochs:
    """Some epochs of the recipe."""
    gan = kind(*networks(kind))
    gan.compile(*two_adams(10_000), **options)
    return lambda: gan.fit(batches, epochs=EPOCHS, shuffle=False, verbose=0)


def in_a_loop(step: Callable[..., Any], batches: tf.data.Dataset) -> Epochs:
    """As many epochs of a compiled step."""

    def run() -> None:
        for _ in range(EPOCHS):
            for batch in batches:
                step(*batch)

    return run


def own_step(kind: type[GAN], batches: tf.data.Dataset) -> Epochs:
    """The step of the recipe, in the loop of its rival."""
    gan = kind(*networks(kind))
    gan.compile(*two_adams(10_000))
    return in_a_loop(tf.function(lambda x, y: gan.train_step((x, y))), batches)


def inline(kind: type[GAN], batches: tf.data.Dataset) -> Epochs:
    """The same epochs in a loop: a step for each network, with noise of its own."""
    generator, discriminator = networks(kind)
    generator_adam, discriminator_adam = two_adams(10_000)
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    conditional, wasserstein = kind is ConditionalGAN, kind is WassersteinGAN

    def make(labels: Any) -> Any:
        noise = tf.random.normal((tf.shape(labels)[0], NOISE))
        if conditional:
            noise = tf.concat([noise, tf.one_hot(labels, 10)], axis=-1)
        return generator(noise, training=True)

    def score(images: Any, labels: Any, training: bool) -> Any:
        if conditional:
            maps = tf.one_hot(labels, 10)[:, None, None, :]
            images = tf.concat([images, tf.tile(maps, (1, 8, 8, 1))], axis=-1)
        return discriminator(images, training=training)

    def loss_of_discriminator(images: Any, labels: Any) -> Any:
        fakes = make(labels)
        real = score(images, labels, True)
        if conditional:  # a real image under a wrong label is not real
            shift = tf.random.uniform(tf.shape(labels), 1, 10, dtype=labels.dtype)
            wrong = tf.concat([labels, (labels + shift) % 10], axis=0)
            fake = score(tf.concat([fakes, images], axis=0), wrong, True)
        else:
            fake = score(fakes, labels, True)
        if not wasserstein:
            return entropy(0.9 * tf.ones_like(real), real) + entropy(0 * fake, fake)
        mix = tf.random.uniform((tf.shape(images)[0], 1, 1, 1))
        between = mix * images + (1 - mix) * fakes
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = score(between, labels, True)
        squares = tf.square(tape.gradient(scores, between))
        norms = tf.sqrt(tf.reduce_sum(squares, axis=(1, 2, 3)) + 1e-12)
        penalty = tf.reduce_mean(tf.square(norms - 1))
        return tf.reduce_mean(fake) - tf.reduce_mean(real) + 10 * penalty

    def loss_of_generator(images: Any, labels: Any) -> Any:
        fake = score(make(labels), labels, False)
        return (
            -tf.reduce_mean(fake) if wasserstein else entropy(tf.ones_like(fake), fake)
        )

    @tf.function
    def step(images: Any, labels: Any) -> None:
        for network, adam, loss_of in (
            (discriminator, discriminator_adam, loss_of_discriminator),
            (generator, generator_adam, loss_of_generator),
        ):
            with tf.GradientTape() as tape:
                loss = loss_of(images, labels)
            variables = network.trainable_variables
            adam.apply(tape.gradient(loss, variables), variables)

    for network, adam in (
        (generator, generator_adam),
        (discriminator, discriminator_adam),
    ):
        adam.build(network.trainable_variables)
    return in_a_loop(step, batches)


def measure() -> Iterator[tuple[str, str, list[float]]]:
    """Yield a GAN, a way to train it, and its ratios."""
    images, labels = digit_images()
    images, labels = images[: 22 * BATCH], labels[: 22 * BATCH]  # no smaller batch
    data = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = data.shuffle(len(images)).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    for name, kind in KINDS.items():
        keras.utils.set_random_seed(0)
        runs = {"inline": inline(kind, batches), "a loop": own_step(kind, batches)}
        for way, options in WAYS.items():
            runs[way] = fitted(kind, batches, options)
        for run in runs.values():
            run()  # traces and compiles
        speeds: dict[str, list[float]] = {way: [] for way in runs}
        for _ in range(ROUNDS):
            for way, run in runs.items():
                start = time.perf_counter()
                run()
                speeds[way].append(EPOCHS * len(images) / (time.perf_counter() - start))
        floor = speeds.pop("inline")
        for way, found in speeds.items():
            ratios = [speed / least for speed, least in zip(found, floor, strict=True)]
            yield name, way, ratios


def main() -> None:
    """Measure, print the table and keep it."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    machine += f", TensorFlow {tf.__version__}, Keras {keras.__version__}"
    rows = list(measure())
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file)
        columns = ["GAN", "Trained by", "Images per second ÷ those of the inline loop"]
        writer.writerow([*columns, "Lowest to highest", "Measured on"])
        for name, way, ratios in rows:
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            writer.writerow(
                [name, way, f"{statistics.median(ratios):.2f}", spread, machine]
            )
    sys.stdout.write(TABLE.read_text())


if __name__ == "__main__":
    main()

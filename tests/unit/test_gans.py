"""The GAN recipes, against NumPy, finite differences, and a second training step."""

import importlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras import ops
from keras.ops import convert_to_numpy

from snippets.gans import (
    GAN,
    ConditionalGAN,
    WassersteinGAN,
    bare,
    build_discriminator,
    build_generator,
    build_photo_discriminator,
    build_photo_generator,
    frechet_distance,
    gradient_penalty,
    judge_samples,
    label_maps,
    latent_walk,
    train_judge,
    two_adams,
)
from snippets.gans.mistakes import scrambled_label_maps
from snippets.gans.step import checked
from snippets.gans.versions import models_of_2017, new_round, old_round
from tests.unit.comparing import assert_allclose, assert_array_equal

IMAGES = np.linspace(0.0, 1.0, 8 * 16, dtype="float32").reshape(8, 4, 4, 1)
LABELS = np.arange(8) % 2


def small(kind: type[GAN] = GAN, seed: int = 0, **options: Any) -> GAN:
    """A GAN of 4 x 4 images, two classes and three numbers of noise, compiled."""
    keras.utils.set_random_seed(seed)
    channels = 1
    inputs = 3
    if issubclass(kind, ConditionalGAN):
        channels, inputs = 3, 5
        options |= {"num_classes": 2}
    dropout = 0.0 if issubclass(kind, WassersteinGAN) else 0.3
    generator = build_generator(inputs, (4, 4, 1), width=4)
    discriminator = build_discriminator((4, 4, channels), width=4, dropout=dropout)
    gan = kind(generator, discriminator, **options)
    gan.compile(run_eagerly=True)  # tracing takes longer than a few small steps
    return gan


@cache
def untrained(kind: type[GAN]) -> GAN:
    """A GAN that several tests share: none of them trains it."""
    return small(kind)


class ConditionalWassersteinGAN(ConditionalGAN, WassersteinGAN):
    """Both at once: the parts are methods, so they can be put together."""


def fit(gan: GAN, **options: Any) -> Any:
    """One epoch of one batch, silently."""
    return gan.fit(IMAGES, LABELS, batch_size=8, shuffle=False, verbose=0, **options)


def weights_of(model: keras.Model) -> list[Any]:
    """Copies of all weights."""
    return [np.array(weight) for weight in model.get_weights()]


def same(first: list[Any], second: list[Any]) -> bool:
    """Whether two lists of weights are equal to the last bit."""
    return all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


# The networks


@pytest.mark.parametrize("width", [3, 4])
@pytest.mark.parametrize("shape", [(8, 8, 1), (2, 6, 3), (32, 32, 3)])
@pytest.mark.parametrize("batch", [1, 3])
def test_generated_images_have_the_shape_asked_for_and_lie_in_0_to_1(
    shape: tuple[int, int, int], batch: int, width: int
) -> None:
    images = convert_to_numpy(
        build_generator(5, shape, width)(100 * np.ones((batch, 5)))
    )

    assert images.shape == (batch, *shape)
    assert images.dtype == "float32"
    assert images.min() >= 0.0
    assert images.max() <= 1.0


def test_the_discriminator_gives_one_score_of_any_size_for_each_image() -> None:
    keras.utils.set_random_seed(0)
    discriminator = build_discriminator((5, 6, 2), width=3)
    scores = convert_to_numpy(discriminator(1000.0 * np.ones((3, 5, 6, 2))))

    assert scores.shape == (3, 1)
    assert np.abs(scores).max() > 1.0


def test_the_generator_is_32_wide_and_makes_images_of_8_by_8_by_default() -> None:
    generator = build_generator(5)
    kernels = [w.shape for w in generator.trainable_weights if w.name == "kernel"]

    assert kernels == [(5, 4 * 4 * 32), (4, 4, 16, 32), (3, 3, 16, 1)]
    assert generator.output_shape == (None, 8, 8, 1)


def test_the_discriminator_is_32_wide_and_drops_three_tenths_by_default() -> None:
    discriminator = build_discriminator((8, 8, 1))
    kernels = [w.shape for w in discriminator.weights if w.name == "kernel"]
    slopes = [getattr(layer, "negative_slope", None) for layer in discriminator.layers]

    assert kernels == [(3, 3, 1, 16), (4, 4, 16, 32), (4 * 4 * 32, 1)]
    assert slopes == [None, 0.2, None, 0.2, None, None, None]
    assert discriminator.layers[-2].rate == 0.3


@pytest.mark.parametrize("shape", [(16, 16, 1), (32, 48, 3)])
def test_the_networks_for_photos_fit_together(shape: tuple[int, int, int]) -> None:
    images = build_photo_generator(5, shape, 16)(100 * np.ones((2, 5)))
    scores = build_photo_discriminator(shape, 8)(images)

    assert tuple(images.shape) == (2, *shape)
    pixels = keras.ops.convert_to_numpy(images)
    assert 0.0 <= pixels.min() <= pixels.max() <= 1.0
    assert tuple(scores.shape) == (2, 1)


def test_the_networks_for_photos_begin_with_a_map_of_4_by_4_and_end_with_one() -> None:
    generator = build_photo_generator(5, activation="tanh")
    discriminator = build_photo_discriminator((64, 64, 3))
    maps = [
        layer.output.shape[1:] for layer in generator.layers if "re_lu" in layer.name
    ]
    kernels = [w.shape[2:] for w in discriminator.weights if w.name == "kernel"]

    assert maps[1:] == [(8, 8, 128), (16, 16, 64), (32, 32, 32), (64, 64, 16)]
    assert generator.layers[3].output.shape == (None, 4, 4, 256)
    assert generator.layers[-1].activation is keras.activations.tanh
    assert {
        layer.momentum
        for layer in generator.layers
        if isinstance(layer, keras.layers.BatchNormalization)
    } == {0.9}
    assert kernels == [(3, 32), (32, 64), (64, 128), (128, 256), ()]
    assert discriminator.layers[-3].input.shape == (None, 4, 4, 256)
    assert discriminator.layers[-2].rate == 0.3


def test_the_discriminator_scores_each_image_alone() -> None:
    discriminator = build_discriminator((4, 4, 1), width=4, dropout=0.0)
    together = convert_to_numpy(discriminator(IMAGES, training=True))
    alone = [
        convert_to_numpy(discriminator(image[None], training=True)) for image in IMAGES
    ]

    assert_allclose(together, np.concatenate(alone), atol=1e-6)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: build_generator(0), "`input_dim` of at least 1. Received: 0"),
        (lambda: build_photo_generator(0), "Expected `input_dim` of at least 1. "),
        (lambda: build_photo_generator(4, (64, 60, 3)), r"of 16. .*: \(64, 60, 3\)"),
        (lambda: build_photo_generator(4, (60, 64, 3)), r"of 16. .*: \(60, 64, 3\)"),
        (lambda: build_generator(4, (8, 7, 1)), r"even .* Received: \(8, 7, 1\)"),
        (lambda: build_generator(4, (7, 8, 1)), r"even .* Received: \(7, 8, 1\)"),
        # The rest is what Keras says.
        (lambda: build_generator(4, (0, 8, 1)), "positive integer. Received: units=0"),
        (lambda: build_generator(4, (8, 8, 0)), "positive value. Received filters=0"),
        (lambda: build_generator(4, width=1), "`filters`. .* Received filters=0"),
        (lambda: build_discriminator((8, 8)), "expected min_ndim=4, found ndim=3"),
        (lambda: build_discriminator((8, 8, 1), width=1), "Received filters=0"),
        (lambda: build_discriminator((8, 8, 1), dropout=-0.1), "Received: rate=-0.1"),
    ],
)
def test_networks_that_cannot_be_are_refused(
    build: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        build()


# The data


ALL_BAD = tf.errors.InvalidArgumentError


@pytest.mark.parametrize("graph", [True, False])
def test_values_that_are_not_valid_stop_a_compiled_and_an_eager_step(
    graph: bool,
) -> None:
    def step(values: Any) -> Any:
        return 2 * checked(values, values <= 1, "Expected small numbers.")

    run = tf.function(step) if graph else step

    assert_array_equal(run(tf.constant([0.0, 1.0])), [0, 2])
    with pytest.raises(ALL_BAD, match="Expected small numbers") as caught:
        run(tf.constant([0.0, 7.0]))
    assert "Received: from" in str(caught.value)
    assert "7" in str(caught.value)


def data(images: Any, labels: Any = None) -> Any:
    """A dataset of batches of 4."""
    parts = images if labels is None else (images, labels)
    return tf.data.Dataset.from_tensor_slices(parts).batch(4)


class Batches(keras.utils.PyDataset):
    """One batch, as Keras's own kind of dataset."""

    def __init__(self, images: Any) -> None:
        super().__init__()
        self.images = images

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return self.images, LABELS


NAN = np.where(np.arange(16).reshape(4, 4, 1) == 5, np.nan, IMAGES).astype("float32")


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (GAN, (IMAGES * 255,), r"in \[0, 1\]"),
        (GAN, (2 * IMAGES - 1,), r"in \[0, 1\]"),
        (GAN, (NAN,), "without NaN"),
        (GAN, (np.full_like(IMAGES, np.inf),), r"in \[0, 1\]"),
        (GAN, ((255 * IMAGES).astype("uint8"),), "of floats, .* uint8"),
        (GAN, (IMAGES[:, :3],), r"shape \(8, 3, 4, 1\)"),
        (GAN, (IMAGES.repeat(3, axis=-1),), r"shape \(8, 4, 4, 3\)"),
        (GAN, (IMAGES[..., 0],), r"shape \(8, 4, 4\)"),
        (GAN, (data(IMAGES * 255),), r"in \[0, 1\]"),
        (GAN, (Batches(IMAGES * 2),), r"in \[0, 1\]"),
        (ConditionalGAN, (IMAGES,), r"`fit\(images, labels\)`"),
        (ConditionalGAN, (data(IMAGES),), r"`fit\(images, labels\)`"),
        (ConditionalGAN, (IMAGES, LABELS + 1), "labels from 0 to 1"),
        (ConditionalGAN, (IMAGES, LABELS - 1), "labels from 0 to 1"),
        (ConditionalGAN, (IMAGES, np.eye(2)[LABELS]), r"shape \(8, 2\)"),
        (ConditionalGAN, (IMAGES, LABELS.astype("float32")), "integers. .* float32"),
        (ConditionalGAN, (IMAGES, LABELS, {"sample_weight": np.ones(8)}), "no `sample"),
        (
            ConditionalGAN,
            (IMAGES, LABELS, {"class_weight": {0: 1.0, 1: 2.0}}),
            "no `sample",
        ),
    ],
)
def test_bad_data_stop_fit_before_anything_is_trained(
    kind: Any, arguments: tuple[Any, ...], message: str
) -> None:
    gan = untrained(kind)
    options = arguments[-1] if isinstance(arguments[-1], dict) else {}
    before = weights_of(gan.generator), weights_of(gan.discriminator)
    with pytest.raises((ValueError, ALL_BAD), match=message):
        gan.fit(*arguments[:2], batch_size=8, shuffle=False, verbose=0, **options)

    assert same(before[0], weights_of(gan.generator))
    assert same(before[1], weights_of(gan.discriminator))


@pytest.mark.parametrize("drop_remainder", [True, False])
def test_bad_data_stop_a_compiled_step_before_it_changes_anything(
    drop_remainder: bool,
) -> None:
    gan = small(ConditionalGAN)
    gan.compile()
    before = weights_of(gan)
    for labels, images in ((LABELS, IMAGES * 255), (LABELS + 1, IMAGES)):
        batches = tf.data.Dataset.from_tensor_slices((images, labels))
        with pytest.raises(ALL_BAD, match="Expected"):
            gan.fit(batches.batch(4, drop_remainder), shuffle=False, verbose=0)

    assert same(before, weights_of(gan))


def test_a_dataset_is_read_once() -> None:
    read = []

    def images() -> Any:
        read.append("again")
        yield from [IMAGES, IMAGES]

    signature = tf.TensorSpec((None, 4, 4, 1), "float32")
    batches = tf.data.Dataset.from_generator(images, output_signature=signature)
    known = batches.apply(tf.data.experimental.assert_cardinality(2))
    small().fit(known, shuffle=False, verbose=0)

    assert read == ["again"]


def test_fit_takes_what_the_fit_of_keras_takes() -> None:
    gan = small()
    assert "fit" not in vars(GAN)
    assert len(gan.fit(IMAGES, None, 4, 2, 0).epoch) == 2
    assert len(gan.fit(Batches(IMAGES), shuffle=False, verbose=0).epoch) == 1
    assert len(gan.fit(IMAGES.astype("float64"), verbose=0).epoch) == 1


def test_images_from_minus_1_to_1_are_a_matter_of_the_range() -> None:
    networks = (
        build_generator(3, (4, 4, 1), 4, activation="tanh"),
        build_discriminator((4, 4, 1), 4),
    )
    gan = GAN(*networks, image_range=(-1, 1))
    gan.compile(run_eagerly=True)
    gan.fit(2 * IMAGES - 1, verbose=0)
    again = GAN.from_config(gan.get_config())

    assert tuple(again.image_range) == (-1, 1)
    assert gan.sample(8).min() < 0
    with pytest.raises(ALL_BAD, match=r"in \[-1, 1\]"):
        gan.fit(IMAGES * 2, verbose=0)


def test_fit_before_compile_says_so() -> None:
    gan = GAN(build_generator(3, (4, 4, 1)), build_discriminator((4, 4, 1)))
    with pytest.raises(ValueError, match=r"must call `compile\(\)` before"):
        fit(gan)


@pytest.mark.parametrize(
    ("kind", "inputs", "scored", "options", "message"),
    [
        (
            GAN,
            3,
            (4, 4, 3),
            {},
            r"\(4, 4, 1\). Received: 3 and \(4, 4, 3\)",
        ),
        (GAN, 3, (6, 4, 1), {}, r"Received: 3 and \(6, 4, 1\)"),
        (GAN, 3, (4, 4, 1), {"label_smoothing": 0.5}, r"in \[0, 0.5\). .* and 0.5"),
        (GAN, 3, (4, 4, 1), {"image_range": (1, 0)}, r"Received: \(1, 0\) and"),
        (GAN, 3, (4, 4, 1), {"label_smoothing": -0.1}, "and -0.1"),
        (
            ConditionalGAN,
            10,
            (4, 4, 11),
            {},
            "more than 10 inputs, .* Received: 10 and",
        ),
        (ConditionalGAN, 12, (4, 4, 1), {}, r"images \(4, 4, 11\)"),
        (ConditionalGAN, 3, (4, 4, 1), {"num_classes": 1}, "at least 2. Received: 1"),
        (WassersteinGAN, 3, (4, 4, 1), {"penalty_weight": -1.0}, "0. Received: -1.0"),
        (WassersteinGAN, 3, (4, 4, 1), {"penalty_weight": np.nan}, "0. Received: nan"),
    ],
)
def test_networks_that_do_not_fit_together_are_refused(
    kind: type[GAN],
    inputs: int,
    scored: tuple[int, int, int],
    options: dict[str, Any],
    message: str,
) -> None:
    networks = build_generator(inputs, (4, 4, 1), 4), build_discriminator(scored, 4)
    with pytest.raises(ValueError, match=message):
        kind(*networks, **options)


# Training


def test_labels_are_smoothed_by_a_tenth_by_default_or_not_at_all() -> None:
    networks = small().generator, small().discriminator

    assert GAN(*networks).label_smoothing == 0.1
    assert GAN(*networks, label_smoothing=0.0).label_smoothing == 0.0
    assert WassersteinGAN(*networks).penalty_weight == 10.0


def test_one_optimizer_for_both_networks_is_refused() -> None:
    optimizer = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="two optimizers"):
        small().compile(optimizer, optimizer)


def test_the_default_optimizers_are_two_adams_with_a_momentum_of_a_half() -> None:
    gan = small()
    optimizers = gan.optimizer, gan.discriminator_optimizer

    assert optimizers[0] is not optimizers[1]
    assert [float(o.learning_rate) for o in optimizers] == pytest.approx([1e-3, 1e-3])
    assert [o.beta_1 for o in optimizers] == [0.5, 0.5]


def test_a_step_moves_both_networks_and_each_epoch_writes_both_losses() -> None:
    gan = small(ConditionalWassersteinGAN)
    before = weights_of(gan.generator), weights_of(gan.discriminator)
    history = fit(gan, epochs=2, validation_data=(IMAGES, LABELS)).history
    names = ["discriminator_loss", "generator_loss"]

    assert sorted(history) == sorted(names + [f"val_{name}" for name in names])
    assert all(
        np.isfinite(values).all() and len(values) == 2 for values in history.values()
    )
    assert not same(before[0], weights_of(gan.generator))
    assert not same(before[1], weights_of(gan.discriminator))


def test_the_step_is_that_of_the_paper_written_out_again() -> None:
    """Plain gradient descent, against the two losses as NumPy has them."""
    gan, again = (small(label_smoothing=0.1) for _ in range(2))
    again.discriminator.layers[-2].rate = gan.discriminator.layers[-2].rate = 0.0
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2), run_eagerly=True)
    noise = again.noise(8, keras.random.SeedGenerator(0))
    log_history = fit(gan).history

    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + ops.exp(-x))

    def descend(network: keras.Model, loss_of: Callable[[], Any], rate: float) -> float:
        with tf.GradientTape() as tape:
            loss = loss_of()
        variables = network.trainable_variables
        for variable, slope in zip(
            variables, tape.gradient(loss, variables), strict=True
        ):
            variable.assign(variable - rate * slope)
        return float(loss)

    fakes = again.generator(noise, training=True)
    for variable in again.generator.non_trainable_variables:  # it counts once
        variable.assign(
            ops.ones_like(variable) if "variance" in variable.name else 0 * variable
        )

    def discriminator_loss() -> Any:
        real, fake = (
            sigmoid(again.discriminator(IMAGES)),
            sigmoid(again.discriminator(fakes)),
        )
        real_part = -0.9 * ops.log(real) - 0.1 * ops.log(1 - real)
        return ops.mean(real_part) - ops.mean(ops.log(1 - fake))

    def generator_loss() -> Any:
        images = again.generator(noise, training=True)
        return -ops.mean(ops.log(sigmoid(again.discriminator(images))))

    losses = [
        descend(again.discriminator, discriminator_loss, 0.2),
        descend(again.generator, generator_loss, 0.1),
    ]
    names = ["discriminator_loss", "generator_loss"]
    assert [log_history[name][0] for name in names] == pytest.approx(losses, abs=1e-5)
    for ours, expected in zip(gan.get_weights(), again.get_weights(), strict=True):
        assert_allclose(ours, expected, atol=1e-5)


def test_the_losses_of_wasserstein_are_means_of_scores() -> None:
    gan = small(WassersteinGAN)
    real, fake = (
        ops.convert_to_tensor([[3.0], [5.0]]),
        ops.convert_to_tensor([[1.0], [2.0]]),
    )

    assert float(gan.discriminator_loss(real, fake)) == pytest.approx(1.5 - 4.0)
    assert float(gan.generator_loss(fake)) == pytest.approx(-1.5)


def test_a_single_image_may_be_asked_for() -> None:
    assert untrained(GAN).sample(1).shape == (1, 4, 4, 1)


def test_the_penalty_is_part_of_the_loss_of_the_critic() -> None:
    losses, judged = [], []
    for weight in (0.0, 10.0):
        gan = small(WassersteinGAN, penalty_weight=weight)
        still = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
        gan.compile(*still, run_eagerly=True)
        judged.append(gan.evaluate(IMAGES, verbose=0, return_dict=True))
        losses.append(fit(gan).history["discriminator_loss"][0])
    gan = small(WassersteinGAN)
    source = keras.random.SeedGenerator(0)
    fakes = gan.generator(gan.noise(8, source), training=True)
    mix = keras.random.uniform((8, 1, 1, 1), seed=source)
    penalty = float(gradient_penalty(gan.discriminator, IMAGES, fakes, mix))

    assert losses[1] - losses[0] == pytest.approx(10 * penalty, rel=1e-3)
    assert judged[1]["discriminator_loss"] > judged[0]["discriminator_loss"] + 0.1
    assert judged[1]["generator_loss"] == judged[0]["generator_loss"]


@pytest.mark.parametrize("kind", [GAN, WassersteinGAN])
def test_measuring_says_the_same_twice_and_changes_no_training(kind: type[GAN]) -> None:
    measured, quiet = small(kind), small(kind)

    seen = [measured.evaluate(IMAGES, LABELS, verbose=0) for _ in range(2)]

    assert seen[0] == seen[1]
    assert fit(measured).history == fit(quiet).history
    assert same(weights_of(measured), weights_of(quiet))


def test_training_is_the_same_for_the_same_seeds_and_other_for_another() -> None:
    losses = []
    for seed in (0, 0, 1):
        gan = small(ConditionalGAN)
        gan.noise_source = keras.random.SeedGenerator(seed)
        losses.append(fit(gan).history["generator_loss"][0])

    assert losses[0] == losses[1] != losses[2]


def test_a_smaller_last_batch_of_one_image_is_taken() -> None:
    assert len(small().fit(IMAGES[:3], batch_size=2, verbose=0).epoch) == 1


def test_compiled_and_eager_steps_are_the_same_steps() -> None:
    losses = []
    for eager in (True, False):
        gan = small(ConditionalWassersteinGAN)
        gan.compile(run_eagerly=eager)
        history = fit(gan).history
        losses += [[history["generator_loss"], history["discriminator_loss"]]]

    assert_allclose(losses[0], losses[1], atol=1e-3)


@pytest.mark.parametrize("kind", [GAN, ConditionalWassersteinGAN])
def test_in_mixed_precision_both_losses_are_scaled_and_the_weights_move_as_far(
    kind: type[GAN],
) -> None:
    moves = []
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            gan = small(kind)
            plain = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)
            gan.compile(*plain, run_eagerly=True)
            before = weights_of(gan.generator), weights_of(gan.discriminator)
            fit(gan)
            after = weights_of(gan.generator), weights_of(gan.discriminator)
        finally:
            keras.mixed_precision.set_dtype_policy("float32")
        scaled = keras.mixed_precision.LossScaleOptimizer
        for optimizer in (gan.optimizer, gan.discriminator_optimizer):
            assert isinstance(optimizer, scaled) == (policy == "mixed_float16")
        moves.append(
            [np.abs(a[-2] - b[-2]).max() for a, b in zip(before, after, strict=True)]
        )

    assert_allclose(moves[0], moves[1], rtol=0.2)


@pytest.mark.parametrize("name", ["generator", "discriminator"])
def test_regularizers_of_a_network_count_in_its_step(name: str) -> None:
    kernels = []
    for weight in (0.0, 0.1):
        gan, sgd = small(), keras.optimizers.SGD
        gan.discriminator.layers[-2].rate = 0.0
        gan.compile(sgd(0.1), sgd(0.1), run_eagerly=True)
        kernel = getattr(gan, name).layers[-1].kernel
        kernel.regularizer = keras.regularizers.L2(weight)
        start = np.array(kernel)
        fit(gan)
        kernels.append(np.array(kernel))

    # By a rate of 0.1, L2(0.1) takes 0.1 * 2 * 0.1 of each weight away.
    assert_allclose(kernels[0] - kernels[1], 0.02 * start, atol=1e-5)


def test_validation_and_samples_train_nothing() -> None:
    gan = small(ConditionalGAN)
    before = weights_of(gan)
    twice = [
        gan.evaluate(IMAGES, LABELS, return_dict=True, verbose=0) for _ in range(2)
    ]

    gan.sample(LABELS)
    assert twice[0] == twice[1]
    assert sorted(twice[0]) == ["discriminator_loss", "generator_loss"]
    assert same(before, weights_of(gan))


def test_both_rates_fall_to_zero_along_a_cosine() -> None:
    optimizers = two_adams(100, learning_rate=0.01)
    for optimizer in optimizers:
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.9)
        rates = [float(optimizer._learning_rate(step)) for step in (0, 50, 100)]
        assert rates == pytest.approx([0.01, 0.005, 0.0], abs=1e-8)
    assert optimizers[0] is not optimizers[1]


def test_the_rates_start_at_three_thousandths_unless_told_otherwise() -> None:
    for optimizer in two_adams(100):
        assert float(optimizer.learning_rate) == pytest.approx(0.003)


@pytest.mark.parametrize("rate", [0.0, -1.0, np.nan])
def test_a_rate_that_is_not_above_0_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=f"greater than 0. Received: {rate}"):
        two_adams(1, rate)


def test_no_step_at_all_is_refused_by_the_schedule() -> None:
    with pytest.raises(ValueError, match="`decay_steps` must be > 0"):
        two_adams(0)


def test_real_images_under_a_wrong_label_count_as_made_up() -> None:
    gan, calls = small(ConditionalGAN), []
    score = gan.score

    def watched(images: Any, labels: Any, training: bool) -> Any:
        calls.append((np.array(images), np.array(labels)))
        return score(images, labels, training=training)

    object.__setattr__(gan, "score", watched)
    for labels in (LABELS, LABELS.astype("uint8")):
        fakes = gan.sample(labels)
        scores = gan.score_unreal(IMAGES, fakes, labels)
        images, told = calls.pop()
        assert scores.shape == (16, 1)
        assert np.array_equal(images, np.concatenate([fakes, IMAGES]))
        assert np.array_equal(told, np.concatenate([labels, 1 - labels]))


def test_every_wrong_label_comes_up() -> None:
    gan = ConditionalGAN(
        build_generator(5, (4, 4, 1), 4), build_discriminator((4, 4, 4), 4), 3
    )
    told: list[Any] = []
    object.__setattr__(
        gan, "score", lambda images, labels, training: told.append(labels)
    )
    gan.score_unreal(
        np.zeros((300, 4, 4, 1)), np.zeros((300, 4, 4, 1)), np.full(300, 2)
    )

    assert np.bincount(np.array(told[0])[300:], minlength=3)[2] == 0
    assert np.bincount(np.array(told[0])[300:]).min() > 100


# Samples


@pytest.mark.parametrize("kind", [GAN, ConditionalGAN])
def test_samples_are_the_same_for_the_same_seed(kind: Any) -> None:
    gan = untrained(kind)
    wanted = [1, 0, 1] if issubclass(kind, ConditionalGAN) else 3
    images: list[Any] = [gan.sample(wanted, seed=seed) for seed in (5, 5, 6)]
    first, again, other = images

    assert first.shape == (3, 4, 4, 1)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_predict_makes_the_images_of_sample() -> None:
    gan = untrained(GAN)
    images = gan.predict(np.array(gan.noise(3, seed=5)), verbose=0)

    assert_allclose(images, gan.sample(3, seed=5), atol=1e-6)
    assert gan.sample(1).shape == (1, 4, 4, 1)


def test_pixels_of_one_value_are_no_range() -> None:
    with pytest.raises(ValueError, match=r"Received: \(1, 1\) and"):
        small(image_range=(1, 1))


def test_no_image_and_no_class_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match=r"at least one image. Received: 0"):
        untrained(GAN).sample(0)
    with pytest.raises(ValueError, match=r"from 0 to 1. Received: \[2\]"):
        untrained(ConditionalGAN).sample([2])


def test_a_saved_gan_goes_on_training_with_both_optimizers(tmp_path: Path) -> None:
    kind = ConditionalWassersteinGAN
    gan = small(kind)
    first, second = two_adams(10, 0.01)
    gan.compile(first, second, run_eagerly=True)
    fit(gan)
    gan.save(tmp_path / "gan.keras")
    custom = {kind.__name__: kind}
    again = keras.saving.load_model(tmp_path / "gan.keras", custom_objects=custom)
    again.run_eagerly = True
    for one in (gan, again):
        one.noise_source = keras.random.SeedGenerator(7)
        one.discriminator.layers[-2].rate = 0.0
    expected, history = fit(gan).history, fit(again).history

    assert type(again) is kind
    assert history == expected
    assert same(weights_of(gan), weights_of(again))
    assert again.get_config().keys() == gan.get_config().keys()


def test_a_gan_that_was_never_called_is_saved_without_a_warning(tmp_path: Path) -> None:
    gan = small(GAN)
    gan.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert same(weights_of(gan), weights_of(again))


def test_every_argument_survives_a_round_through_the_config() -> None:
    gan = small(WassersteinGAN, penalty_weight=3.0, label_smoothing=0.2)
    again = WassersteinGAN.from_config(gan.get_config())
    assert (again.penalty_weight, again.label_smoothing, again.seed) == (3.0, 0.2, 0)
    conditional = ConditionalGAN.from_config(small(ConditionalGAN, 0).get_config())
    assert (conditional.num_classes, conditional.latent_dim) == (2, 3)


# Labels


@pytest.mark.parametrize("labels", [[3], [9, 0, 0, 4]])
def test_label_maps_are_the_one_hot_label_at_every_pixel(labels: list[int]) -> None:
    maps = np.array(label_maps(np.array(labels), 10, height=3, width=5))

    assert maps.shape == (len(labels), 3, 5, 10)
    assert maps.dtype == "float32"
    for position, label in enumerate(labels):
        assert (maps[position] == np.eye(10)[label]).all()


def test_the_scrambled_maps_have_the_right_shape_and_no_correct_pixel() -> None:
    labels = np.arange(10)
    maps = scrambled_label_maps(labels, 10, height=8, width=8)

    assert tuple(maps.shape) == (10, 8, 8, 10)
    assert not (np.array(maps) == np.eye(10)[:, None, None]).all(axis=-1).any()


def test_a_walk_goes_in_equal_steps_from_one_input_to_the_other() -> None:
    start, end = np.array([0.3, 1.0, 0.0]), np.array([0.3, 0.0, 4.0])
    inputs = latent_walk(start, end, steps=5)

    assert_allclose(inputs[:, 0], 0.3)
    assert_allclose(inputs[:, 1], [1, 0.75, 0.5, 0.25, 0])
    assert_allclose(inputs[:, 2], [0, 1, 2, 3, 4])
    assert_array_equal(latent_walk(start, end, steps=2), [start, end])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((1, 2)), np.ones((1, 2)), 3), r"shapes \(1, 2\) and"),
        ((np.ones(2), np.ones(3), 3), r"\(2,\) and \(3,\), 3"),
        ((np.ones(2), np.ones(2), 1), r"\(2,\), 1"),
    ],
)
def test_ways_that_lead_nowhere_are_refused(
    arguments: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        latent_walk(*arguments)


# The gradient penalty


def test_the_penalty_is_that_of_finite_differences_in_numpy() -> None:
    rng = np.random.default_rng(0)
    critic = build_discriminator((4, 4, 1), width=4, dropout=0.0)
    kernels = [np.array(weight, "float64") for weight in critic.get_weights()]
    fakes, mix = rng.random((8, 4, 4, 1)), rng.random((8, 1, 1, 1))
    between = mix * IMAGES + (1 - mix) * fakes

    def convolve(x: Any, kernel: Any, bias: Any, stride: int) -> Any:
        size = kernel.shape[0]
        before = (size - 1) // 2 if stride == 1 else (size - stride) // 2
        after = size - stride - before
        padded = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), (1, 2))
        out = (
            np.einsum("bhwcij,ijco->bhwo", windows[:, ::stride, ::stride], kernel)
            + bias
        )
        return np.maximum(out, 0.2 * out)

    def score(x: Any) -> Any:
        x = convolve(x, kernels[0], kernels[1], 1)
        x = convolve(x, kernels[2], kernels[3], 2)
        return x.reshape(len(x), -1) @ kernels[4] + kernels[5]

    assert_allclose(score(between), critic(between), atol=1e-5)
    slopes = []
    for pixel in np.eye(16).reshape(16, 4, 4, 1):
        rise = score(between + 1e-6 * pixel) - score(between - 1e-6 * pixel)
        slopes.append(rise[:, 0] / 2e-6)
    expected = np.mean((np.linalg.norm(slopes, axis=0) - 1) ** 2)

    arguments = [array.astype("float32") for array in (IMAGES, fakes, mix)]
    assert float(gradient_penalty(critic, *arguments)) == pytest.approx(
        expected, rel=1e-4
    )


def test_a_flat_critic_has_a_penalty_of_one_and_a_gradient_to_follow() -> None:
    weight = keras.Variable(0.0)
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(
            lambda x: weight * ops.sum(x, axis=(1, 2)), IMAGES, 0 * IMAGES, 0 * IMAGES
        )
    assert float(penalty) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(float(tape.gradient(penalty, weight.value)))


# The judge


def test_a_judge_tells_white_images_from_black(
    capsys: pytest.CaptureFixture[str],
) -> None:
    keras.utils.set_random_seed(0)
    labels = np.arange(32) % 2
    images = np.ones_like(IMAGES[:1]) * labels.astype("float32")[:, None, None, None]
    judge = train_judge(images, labels, epochs=10)
    capsys.readouterr()
    seen = judge_samples(judge, images, images, asked=labels)

    assert (seen["agreement"], seen["classes"]) == (1.0, 2)
    assert capsys.readouterr().out == ""


def test_a_judge_is_a_convolutional_network_with_64_features() -> None:
    judge = train_judge(IMAGES, LABELS, epochs=1)
    kernels = [w.shape for w in judge.weights if w.name == "kernel"]

    assert kernels == [(3, 3, 1, 32), (3, 3, 32, 64), (2 * 2 * 64, 64), (64, 2)]
    assert judge.layers[4].rate == 0.4


@cache
def reader_of_logits(num_classes: int) -> keras.Model:
    """A judge of images whose pixels are the logits and the features."""
    layers = keras.layers.Flatten(name="features"), keras.layers.Activation("linear")
    return keras.Sequential([keras.Input((1, num_classes, 1)), *layers])


def see_logits(logits: list[list[float]]) -> dict[str, float]:
    """What is said of images whose pixels are the logits and the features."""
    judge = reader_of_logits(len(logits[0]))
    images = np.array(logits, "float32")[:, None, :, None]
    return judge_samples(judge, images, images)


def test_a_class_of_a_few_samples_does_not_count() -> None:
    zero, one = (list(row) for row in np.eye(10)[:2])

    assert see_logits(999 * [zero] + 9 * [one])["classes"] == 1
    assert see_logits(99 * [zero] + [one])["classes"] == 2  # a tenth of an equal share
    assert see_logits(50 * [zero] + 50 * [one])["classes"] == 2
    assert see_logits([list(row) for row in np.eye(10)])["classes"] == 10


def test_a_sample_is_clear_if_the_judge_gives_its_class_more_than_90_percent() -> None:
    logits = [[0.0, 0.0], [2.0, 0.0], [0.0, 3.0], [-3.0, 0.0]]
    shares = np.exp(logits).max(axis=-1) / np.exp(logits).sum(axis=-1)
    assert [share > 0.9 for share in shares] == [False, False, True, True]

    seen = see_logits(logits)

    assert sorted(seen) == ["classes", "clear", "distance"]
    assert seen["clear"] == 0.5
    assert seen["distance"] == pytest.approx(0, abs=1e-6)


def test_a_judge_of_bad_data_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected finite images"):
        train_judge(IMAGES * np.nan, LABELS, epochs=1)


def test_the_frechet_distance_of_gaussians_along_the_axes_is_known() -> None:
    """With the covariances diagonal it is the distance of means and of deviations."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(500, 3))
    points = (points - points.mean(axis=0)) @ np.linalg.inv(
        np.linalg.cholesky(np.cov(points, rowvar=False))
    ).T  # covariance: the identity
    other = points * [1.0, 2.0, 3.0] + [5.0, 0.0, 0.0]

    assert frechet_distance(points, other) == pytest.approx(25 + 0 + 1 + 4)
    assert frechet_distance(other, points) == pytest.approx(30)
    assert frechet_distance(points, points[::-1]) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_is_that_of_the_root_of_the_product() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.random((20, 4)), rng.random((30, 4)) ** 2
    c1, c2 = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    roots = np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()
    means = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)

    expected = means + np.trace(c1) + np.trace(c2) - 2 * roots
    assert frechet_distance(first, second) == pytest.approx(expected)


def test_the_frechet_distance_of_one_feature_is_taken() -> None:
    assert frechet_distance(np.array([[0.0], [2.0]]), np.array([[3.0], [5.0]])) == 9.0


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((4, 3), (4, 2)), r"\(4, 3\) and \(4, 2\)"),
        (((4,), (4,)), r"\(4,\) and \(4,\)"),
        (((1, 3), (4, 3)), "at least two points each. Received: 1 and 4"),
        (((4, 3), (1, 3)), "at least two points each. Received: 4 and 1"),
    ],
)
def test_clouds_that_cannot_be_compared_are_refused(shapes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frechet_distance(*map(np.zeros, shapes))


# The recipe of 2017


def moved(models: Any, turn: Callable[..., None]) -> list[bool]:
    """Whether three rounds move the discriminator, and the generator."""
    images = np.random.default_rng(0).random((32, 8, 8, 1), dtype="float32")
    noise = np.random.default_rng(1).normal(size=(32, 4)).astype("float32")
    before = [weights_of(network) for network in models[:2]]
    for _ in range(3):
        turn(models, images, noise)
    return [
        not same(weights, weights_of(network))
        for weights, network in zip(before, models, strict=False)
    ]


@pytest.mark.parametrize("turn", [old_round, new_round])
def test_a_round_calls_made_up_images_real_for_the_generator_alone(
    turn: Callable[..., None],
) -> None:
    models = models_of_2017(tf_keras)
    said = []
    for network in models[::2]:
        network.train_on_batch = lambda x, labels: said.append(
            (len(x), labels.tolist())
        )

    turn(models, np.ones((3, 8, 8, 1)), np.ones((3, 4)))

    assert said == [(3, [[1.0]] * 3), (3, [[0.0]] * 3), (3, [[1.0]] * 3)]


# That is what the recipe of 2017 comes to on Keras 3, and what is shown.
@pytest.mark.filterwarnings("ignore:.*does not have any trainable weights")
def test_the_rounds_of_2017_train_no_discriminator_on_keras_3() -> None:
    assert moved(models_of_2017(tf_keras), old_round) == [True, True]
    assert moved(models_of_2017(keras), old_round) == [False, True]


def test_the_mended_rounds_train_both_on_either_keras() -> None:
    assert moved(models_of_2017(tf_keras), new_round) == [True, True]
    assert moved(models_of_2017(keras), new_round) == [True, True]


@pytest.mark.parametrize("kind", ["GAN", "ConditionalGAN"])
@pytest.mark.parametrize("regularizer", [None, "l2"])
def test_the_bare_pattern_takes_the_step_of_the_class_with_checks(
    kind: str, regularizer: str | None
) -> None:
    seen = []
    for module in bare, importlib.import_module("snippets.gans"):
        keras.utils.set_random_seed(0)
        told = 2 if kind == "ConditionalGAN" else 0
        generator = build_generator(3 + told, (4, 4, 1), width=4)
        discriminator = build_discriminator((4, 4, 1 + told), width=4)
        for network in generator, discriminator:
            network.layers[0].kernel_regularizer = keras.regularizers.get(regularizer)
        options = {"num_classes": told} if told else {}
        gan = getattr(module, kind)(generator, discriminator, **options)
        adams = (keras.optimizers.Adam(1e-3, beta_1=0.5) for _ in range(2))
        gan.compile(*adams, run_eagerly=True)
        history = fit(gan).history
        wanted = LABELS if told else 8
        seen.append((history, weights_of(gan), gan.sample(wanted, seed=3)))

    (first, weights, images), (second, others, again) = seen
    assert first == second
    assert same(weights, others)
    assert_array_equal(images, again)


def test_the_bare_pattern_predicts_what_its_generator_makes() -> None:
    gan = bare.GAN(
        build_generator(3, (4, 4, 1), width=4), build_discriminator((4, 4, 1), width=4)
    )
    noise = np.ones((2, 3), "float32")

    assert_allclose(gan.predict(noise, verbose=0), gan.generator(noise), atol=1e-6)


def test_the_module_is_imported_by_its_name() -> None:
    assert importlib.import_module("snippets.gans").GAN is GAN

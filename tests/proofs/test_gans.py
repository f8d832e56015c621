"""Proofs of the GANs guide."""

import functools
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_gans import (
    NETWORKS,
    QUIET,
    X,
    Y,
    bare,
    bits,
    photo_folder,
    refusal_of_pixels,
    small,
    steps_of,
)


def own_of(kind):
    """What a class defines beside its constructor and config."""
    from snippets import gans

    return set(vars(getattr(gans, kind))) & {
        *("train_step", "train_discriminator", "discriminator_loss", "generator_loss"),
        *("penalty", "generate", "score", "score_unreal"),
    }


# The answer


@proves(
    "Put both networks into one `keras.Model`. Its `train_step` updates each of them "
    "once, with its own tape, loss and optimizer, and `fit` does the rest.",
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_two_steps_under_fit(rate=0.1):
    gan = small(compiled={"discriminator_optimizer": keras.optimizers.SGD(rate)})
    before = {name: bits(getattr(gan, name)) for name in ("generator", "discriminator")}
    history = gan.fit(X, batch_size=4, epochs=2, verbose=0).history
    assert steps_of(gan.optimizer) == 4
    assert steps_of(gan.discriminator_optimizer) == 4
    assert set(history) == {"generator_loss", "discriminator_loss"}
    for name, bits_before in before.items():
        assert bits(getattr(gan, name)) != bits_before


@proves(
    "The whole class, compiled and trained, stands further down; this is its step, "
    "for Keras 3 on TensorFlow:",
    keras=">=3",
)
def test_the_step_is_for_keras_3():
    assert hasattr(keras.optimizers.Adam(), "apply")  # which the step calls


@proves(
    "The generator made each image from noise and the label above it.",
    false_with={"label": 0},
    needs="keras>=3",
)
def test_conditional_samples_are_what_was_asked_for(label=1):
    gan = small("ConditionalGAN")
    inputs = np.hstack([gan.noise(1, seed=0), [[0.0, 1.0]]])
    assert np.allclose(gan.sample([label]), gan.generator(inputs), atol=1e-6)


@proves(
    "The rest is the same step:",
    false_with={"kind": "WassersteinGAN"},
    needs="keras>=3",
)
def test_conditional_gan_tells_the_label(kind="ConditionalGAN"):
    assert own_of(kind) == {"generate", "score", "score_unreal"}
    gan = small(kind)
    noise, zeros, ones = gan.noise(2, seed=0), np.array([0, 0]), np.array([1, 1])
    for network, first in ((gan.generate, noise), (gan.score, X[:2])):
        told = [np.array(network(first, labels, False)) for labels in (zeros, ones)]
        assert not np.array_equal(*told)


@proves(
    "`gan.sample([3] * 5)` makes five threes.",
    false_with={"label": 2},
    needs="keras>=3",
)
def test_five_images_of_one_class(label=3):
    from snippets.gans import build_discriminator, build_generator
    from snippets.gans.bare import ConditionalGAN

    networks = build_generator(3 + 4, (4, 4, 1), 4), build_discriminator((4, 4, 5), 4)
    gan = ConditionalGAN(*networks, num_classes=4)
    images = gan.sample([label] * 5)
    told = np.hstack([gan.noise(5, seed=0), np.eye(4)[[3] * 5]])
    assert np.allclose(images, gan.generator(told), atol=1e-6)


# `fit`


class Seen(keras.callbacks.Callback):
    """The batches that it was told of."""

    def __init__(self):
        super().__init__()
        self.batches = []

    def on_train_batch_end(self, batch, logs=None):
        self.batches.append(batch)


@proves(
    "`fit` is Keras's own: it takes arrays, datasets and callbacks.",
    false_with={"base": "object"},
    needs="keras>=3",
)
def test_fit_is_that_of_keras(base="Model"):
    from snippets.gans import GAN

    assert GAN.fit is {"Model": keras.Model.fit, "object": object}[base]
    read = []

    def batches():
        read.append("once")
        yield from (X[:4], X[4:])

    dataset = tf.data.Dataset.from_generator(
        batches, output_signature=tf.TensorSpec((None, 4, 4, 1), "float32")
    )
    seen = Seen()
    gan = small()
    gan.fit(dataset, callbacks=[seen], verbose=0)
    gan.fit(X, None, 4, 1, 0, [seen])
    assert read == ["once"]
    assert seen.batches == [0, 1, 0, 1]


@proves(
    "Callbacks such as `LearningRateScheduler` change the rate of the generator alone.",
    false_with={"factor": 1.0},
    needs="keras>=3",
)
def test_a_callback_changes_one_rate(factor=0.5):
    adams = {f"{name}_optimizer": keras.optimizers.Adam(0.1) for name in NETWORKS}
    gan = bare(compiled=adams)
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * factor)
    gan.fit(X, epochs=2, callbacks=[scheduler], **QUIET)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    rates = [float(np.array(optimizer.learning_rate)) for optimizer in optimizers]
    assert np.allclose(rates, [0.025, 0.1])


# The pattern and the class with checks


@proves(
    "The class `GAN` with checks trains alike, to the last bit.",
    false_with={"smoothing": 0.2},
    needs="keras>=3",
)
def test_the_same_step_with_checks(smoothing=0.1):
    for kind in ("GAN", "ConditionalGAN"):
        seen = []
        for make in (bare, functools.partial(small, label_smoothing=smoothing)):
            keras.utils.set_random_seed(0)
            adams = {f"{name}_optimizer": keras.optimizers.Adam() for name in NETWORKS}
            gan = make(kind, dropout=0.3, compiled=adams)
            history = gan.fit(X, Y, epochs=2, shuffle=False, batch_size=4, verbose=0)
            seen.append((bits(gan.generator), bits(gan.discriminator), history.history))
        assert seen[0] == seen[1]


# Images in files


def trained_on_photos(folder, color, shape, white):
    """The lines of the page: the GAN, the batch, each row, and each ratio."""
    from snippets.gans import build_photo_discriminator, build_photo_generator
    from snippets.gans.bare import GAN

    files = keras.utils.image_dataset_from_directory(
        photo_folder(folder, {"b": 255, "a": 0}),
        labels=None,
        color_mode=color,
        image_size=shape[:2],
        batch_size=64,
    )
    images = files.map(lambda pixels: pixels / white)
    x_train = next(iter(images)).numpy()

    networks = build_photo_generator(64, shape, 16), build_photo_discriminator(shape, 8)
    gan = GAN(*networks)
    adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    gan.compile(*adams)
    rows, ratios = [], []

    def on_epoch_end(epoch, logs):
        samples = gan.sample(64)
        row = np.uint8(255 * np.hstack(samples[:10]))
        tf.io.write_file(f"{folder}/{epoch}.png", tf.io.encode_png(row))
        rows.append(row)
        ratios.append(samples.std(axis=0).mean() / x_train.std(axis=0).mean())
        if epoch % 10 == 9:
            gan.generator.save(f"{folder}/generator-{epoch}.keras")

    watch = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
    gan.fit(images, epochs=10, shuffle=False, callbacks=[watch], verbose=0)
    return gan, x_train, rows, ratios


@proves(
    "After the class above and these networks, the following lines train on a "
    "folder of photos, and save the generator of every tenth epoch:",
    false_with={"white": 1},
    needs="keras>=3",
)
def test_a_folder_of_photos_trains(white=255):
    for color, shape in (("rgb", (16, 16, 3)), ("grayscale", (16, 16, 1))):
        with tempfile.TemporaryDirectory() as folder:
            gan, x_train, rows, ratios = trained_on_photos(folder, color, shape, white)
            generator = keras.models.load_model(f"{folder}/generator-9.keras")
            for epoch, row in enumerate(rows):
                written = tf.io.decode_png(tf.io.read_file(f"{folder}/{epoch}.png"))
                assert np.array_equal(written, row)
        assert x_train.shape == (6, *shape)
        assert np.unique(x_train).tolist() == [0, 1]
        assert [row.shape for row in rows] == [(16, 160, shape[-1])] * 10
        assert min(ratios) > 0
        assert steps_of(gan.discriminator_optimizer) == 10
        assert np.allclose(generator(gan.noise(5, seed=0)), gan.sample(5), atol=1e-6)


@proves(
    "Take networks for photos: the generator begins with a map of 4 × 4 and doubles "
    "it four times, and the discriminator halves the image as often.",
    false_with={"suffix": ""},
    needs="keras>=3",
)
def test_networks_for_photos_double_four_times(suffix="photo_"):
    from snippets import gans

    shape, sizes = (64, 64, 3), [4, 8, 16, 32, 64]
    generator = getattr(gans, f"build_{suffix}generator")(8, shape, width=16)
    discriminator = getattr(gans, f"build_{suffix}discriminator")(shape, width=8)
    maps = (
        sorted({layer.output.shape[1] for layer in network.layers if rank(layer) == 4})
        for network in (generator, discriminator)
    )
    grown, shrunk = maps
    assert grown == sizes
    assert shrunk == sizes[:-1]


def rank(layer):
    return len(layer.output.shape)


@proves(
    "`BatchNormalization` makes samples with averaged statistics: after 20 steps "
    "with its default momentum of 0.99, they still consist of their initial values "
    "by 82 %; with 0.9, as in these networks, by 12 %.",
    false_with={"steps": 40},
)
def test_statistics_settle_in_few_steps(steps=20):
    left = []
    for options in ({"momentum": 0.9}, {}):
        layer = keras.layers.BatchNormalization(**options)
        for _ in range(steps):
            layer(np.ones((4, 1), "float32"), training=True)
        left.append(1 - float(np.array(layer.moving_mean)[0]))
    assert np.round(left, 2).tolist() == [0.12, 0.82]


@proves(
    "A GAN trains on pixels from 0 to 255 without an error, although a sigmoid makes "
    "none above 1.",
    false_with={"checked": True},
    needs="keras>=3",
)
def test_wrong_pixels_train_in_silence(checked=False):
    gan = small() if checked else bare()
    assert not refusal_of_pixels(gan)
    assert gan.sample(8).max() <= 1


def stops(images, lowest=0, highest=1):
    """Whether the check of the page refuses images beside a generator of 4 x 4."""
    generator = bare().generator
    middle = (lowest + highest) / 2
    try:
        assert images.shape[1:] == generator.output_shape[1:]
        assert lowest <= images.min() < middle < images.max() <= highest
    except AssertionError:
        return True
    return False


@proves(
    "Before `fit`, this check refuses such images, and NaN:",
    false_with={"factor": 1},
    needs="keras>=3",
)
def test_wrong_images_stop_before_the_first_step(factor=255):
    nan = np.where(np.arange(16).reshape(4, 4, 1) == 5, np.nan, X)
    assert stops(X * factor)
    assert all(map(stops, (nan, X[:, :2], X[..., 0], 2 * X - 1, X / 255)))
    assert stops(X, lowest=-1)  # a tanh
    assert not stops(X)
    assert not stops(2 * X - 1, lowest=-1)


@proves(
    "With a folder, `x_train` is one batch, and the check sees no other; the class "
    "with checks looks at each.",
    false_with={"number": 1},
    needs="keras>=3",
)
def test_the_check_sees_one_batch(number=0):
    images = tf.data.Dataset.from_tensor_slices(np.concatenate([X, 255 * X])).batch(8)
    batches = [batch.numpy() for batch in images]
    assert len(batches) == 2
    assert not stops(batches[number])
    bare().fit(images, shuffle=False, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="without NaN"):
        small().fit(images, shuffle=False, verbose=0)


@proves(
    "For the tanh, take "
    '`build_generator(16, activation="tanh")` and train on `2 * x_train - 1`.',
    false_with={"activation": "sigmoid"},
    needs="keras>=3",
)
def test_images_from_minus_1_to_1(activation="tanh"):
    gan = bare(activation=activation)
    gan.fit(2 * X - 1, **QUIET)
    images = gan.predict(100 * np.ones((8, 3)) * [[-1, 0, 1]], verbose=0)
    assert images.min() < 0
    assert abs(images).max() <= 1


@proves(
    "Pixels from 0 to 255 become `pixels / 255` or `pixels / 127.5 - 1`, and "
    "`(images + 1) / 2` brings the images of a tanh back to [0, 1].",
    false_with={"half": 255},
)
def test_both_ranges_from_255(half=127.5):
    pixels = np.arange(256.0)
    in_sigmoid, in_tanh = pixels / 255, pixels / half - 1
    assert (in_sigmoid.min(), in_sigmoid.max()) == (0, 1)
    assert (in_tanh.min(), in_tanh.max()) == (-1, 1)
    assert np.allclose((in_tanh + 1) / 2, in_sigmoid)


# The step


@proves(
    "The **generator** turns noise into images, the **discriminator** scores "
    "images: high for real, low for made up.",
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_the_two_networks(rate=0.05):
    gan = small(compiled={"discriminator_optimizer": keras.optimizers.Adam(rate)})
    fakes = gan.sample(8)
    assert fakes.shape == X.shape
    for _ in range(20):
        gan.train_discriminator(tf.constant(X), tf.constant(fakes), None)
    real, fake = (np.mean(gan.discriminator(images)) for images in (X, fakes))
    assert real - fake > 0.5


def watch_a_step(**options):
    """One eager step; the `training` of each call."""
    seen = {"generate": [], "score": []}
    gan = small(**options)
    for name in seen:
        inner = getattr(gan, name)

        def outer(inputs, labels, training, name=name, inner=inner):
            seen[name].append(training)
            return inner(inputs, labels, training=training)

        object.__setattr__(gan, name, outer)
    gan.fit(X, **QUIET)
    return gan, seen


@proves(
    "Each tape takes the gradients of one network's variables alone, so each update "
    "leaves the other network as it is, to the last bit, without `stop_gradient` "
    "(`detach` in PyTorch).",
    false_with={"moving": "both"},
    needs="keras>=3",
)
def test_each_half_leaves_the_other_network(moving="one"):
    for kind in ("GAN", "ConditionalGAN", "WassersteinGAN"):
        gan = small(kind)
        before = bits(gan.generator), bits(gan.discriminator)
        fakes = gan.generate(gan.noise(8, seed=0), Y, training=False)
        gan.train_discriminator(tf.constant(X), fakes, tf.constant(Y))
        assert bits(gan.discriminator) != before[1]
        if moving == "both":
            gan.fit(X, Y, **QUIET)
        assert bits(gan.generator) == before[0]

        still = keras.optimizers.SGD(0.0)
        gan.compile(keras.optimizers.SGD(0.5), still, run_eagerly=True)
        before = bits(gan.generator), bits(gan.discriminator)
        gan.fit(X, Y, **QUIET)
        assert bits(gan.generator) != before[0]
        assert bits(gan.discriminator) == before[1]


@proves(
    "the generator makes the batch | True | `BatchNormalization` learns its "
    "statistics, once a step",
    false_with={"steps": 2},
    needs="keras>=3",
)
def test_statistics_move_once_a_step(steps=1):
    _, seen = watch_a_step()
    assert seen["generate"] == [True]
    gan = small(compiled={"generator_optimizer": keras.optimizers.SGD(0.0)})
    gan.fit(X, epochs=steps, **QUIET)
    dense, normalization = gan.generator.layers[:2]
    features = np.array(dense(gan.noise(8, keras.random.SeedGenerator(0))))
    expected = (1 - normalization.momentum) * features.mean(axis=0)
    assert np.allclose(normalization.moving_mean, expected, atol=1e-6)


@proves(
    "the discriminator learns | True | its dropout drops",
    false_with={"dropout": 0.0},
    needs="keras>=3",
)
def test_dropout_drops_where_the_discriminator_learns(dropout=0.5):
    gan, seen = watch_a_step(dropout=dropout)
    assert seen["score"][:2] == [True, True]
    assert not np.array_equal(gan.score(X, None, True), gan.score(X, None, True))


@proves(
    "the discriminator scores for the generator | False | dropout does not disturb "
    "the generator's gradient",
    false_with={"training": True},
    needs="keras>=3",
)
def test_no_dropout_in_what_the_generator_follows(training=False):
    gan, seen = watch_a_step(dropout=0.5)
    assert seen["score"][-1] is False
    first, again = (np.array(gan.score(X, None, training)) for _ in range(2))
    assert np.array_equal(first, again)


@proves(
    "samples are made | False | an image does not depend on the others of its batch",
    false_with={"training": True},
    needs="keras>=3",
)
def test_a_sample_depends_on_nothing_else(training=False):
    gan = small()
    noise = gan.noise(4, seed=0)
    alone = gan.generate(noise[:1], None, training=training)
    together = gan.generate(noise, None, training=training)
    assert np.allclose(alone[0], together[0], atol=1e-6)
    assert np.allclose(gan.sample(4), together, atol=1e-6)


def normalized(kind, dropout=0.0):
    """A small GAN whose discriminator normalizes."""
    from snippets.gans import build_generator
    from snippets.gans.bare import GAN

    layers, options = keras.layers, {"groups": 2} if kind[0] == "G" else {}
    inner = layers.Conv2D(4, 3), getattr(layers, kind)(**options), layers.Flatten()
    rows = keras.Input((4, 4, 1)), *inner, layers.Dropout(dropout), layers.Dense(1)
    return GAN(build_generator(3, (4, 4, 1), width=4), keras.Sequential(rows))


@proves(
    "If your discriminator has `BatchNormalization`, write `training=True` also where "
    "`train_step` scores for the generator. The generator then follows the same scores "
    "that the discriminator learned with.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_normalized_scores_are_those_of_learning(training=True):
    gan = normalized("BatchNormalization")
    learned, followed = (gan.score(X, None, mode) for mode in (True, training))
    assert np.allclose(learned, followed, atol=1e-6)


@proves(
    "Its price: the generator's half of the step then moves the statistics of the "
    "discriminator's `BatchNormalization` too, and `Dropout` is active.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_what_true_costs(training=True):
    gan = normalized("BatchNormalization", dropout=0.5)
    before = bits(gan.discriminator)
    first, again = (np.array(gan.score(X, None, training)) for _ in range(2))
    assert bits(gan.discriminator) != before
    assert not np.allclose(first, again, atol=1e-3)


@proves(
    "`LayerNormalization` and `GroupNormalization` need no change.",
    false_with={"kinds": ("BatchNormalization",)},
    needs="keras>=3",
)
def test_other_normalization_has_one_mode(
    kinds=("LayerNormalization", "GroupNormalization"),
):
    for kind in kinds:
        gan = normalized(kind)
        scores = [np.array(gan.score(X, None, mode)) for mode in (True, False)]
        assert np.array_equal(*scores)


@proves(
    "an optimizer for each network | *Unknown variable* in the first step: an "
    "optimizer knows the variables that it was built with",
    false_with={"other": False},
    needs="keras>=3",
)
def test_one_optimizer_is_an_unknown_variable(other=True):
    gan = small()
    network = gan.discriminator if other else gan.generator
    variables = network.trainable_variables
    with pytest.raises((ValueError, KeyError), match="Unknown variable"):
        gan.optimizer.apply([0 * variable for variable in variables], variables)


class Bare(keras.Model):
    """A step, and no `call()`."""

    def __init__(self, tracked):
        super().__init__()
        self.inner, self.tracked = keras.layers.Dense(1), tracked
        self.inner.build((None, 1))
        self.mean_of_x = keras.metrics.Mean(name="mean_of_x")

    def train_step(self, data):
        x = tf.reduce_mean(data[0] if isinstance(data, tuple) else data)
        self.mean_of_x.update_state(x)
        return {"mean": self.mean_of_x.result() if self.tracked else x}


class Called(Bare):
    """The same step beside a `call()`."""

    def call(self, inputs):
        return self.inner(inputs)


def history_of(tracked, kind=Bare):
    """The mean of 1, 2, 3, 4 in batches of one, as `fit` reports it."""
    model = kind(tracked)
    model.compile("sgd")
    numbers = np.array([[1.0], [2.0], [3.0], [4.0]])
    options = {"batch_size": 1, "shuffle": False, "epochs": 2, "verbose": 0}
    return model, model.fit(numbers, **options).history["mean"]


@proves(
    "a `keras.metrics.Mean` for each loss | the history holds the last batch of "
    "each epoch, not the mean",
    false_with={"tracked": True},
)
def test_a_raw_loss_is_that_of_the_last_batch(tracked=False):
    assert history_of(tracked)[1] == [4.0, 4.0]
    assert history_of(True)[1] == [2.5, 2.5]


@proves(
    "`keras.random.SeedGenerator` | with a number as seed, every step draws the same "
    "noise",
    false_with={"number": False},
    needs="keras>=3",
)
def test_a_number_as_seed_is_the_same_noise(number=True):
    source = 5 if number else keras.random.SeedGenerator(5)
    gan = small()
    assert np.array_equal(gan.noise(4, source), gan.noise(4, source))
    source = gan.noise_source
    assert not np.array_equal(gan.noise(4, source), gan.noise(4, source))


@proves(
    "The generator's loss, `softplus(-score)`, is `-log(sigmoid(score))`, as the first "
    "GAN paper recommends in its section 3.",
    false_with={"kind": "WassersteinGAN"},
    needs="keras>=3",
)
def test_the_loss_of_the_generator(kind="GAN"):
    gan = small(kind)
    for score in (-3.0, 0.3, 4.0):
        expected = -np.log(1 / (1 + np.exp(-score)))
        loss = gan.generator_loss(tf.constant([[score]]))
        assert np.isclose(float(loss), expected, atol=1e-6)


@proves(
    "You see it in the discriminator's loss: it falls to the least that it can "
    "be, which is 0, or 0.33 with the label smoothing of this page.",
    false_with={"smoothing": 0.2},
    needs="keras>=3",
)
def test_the_least_loss_of_the_discriminator(smoothing=0.1):
    made_up = tf.constant([[-50.0]])

    def losses_at(scores, smoothing):
        gan = small(label_smoothing=smoothing)
        reals = [tf.constant([[score]], tf.float32) for score in scores]
        return [float(gan.discriminator_loss(real, made_up)) for real in reals]

    assert losses_at([50.0], 0.0)[0] < 1e-6
    assert round(min(losses_at(np.linspace(1.0, 4.0, 31), smoothing)), 2) == 0.33


# Samples by epoch


@proves(
    "The training below has `beta_2=0.9`: both optimizers forget old gradients "
    "sooner than with the 0.999 of Keras.",
    false_with={"beta_2": 0.999},
    needs="keras>=3",
)
def test_a_low_beta_2_forgets_soon(beta_2=0.9):
    assert keras.optimizers.Adam().beta_2 == 0.999

    def step_after(**options):
        """How far the 60th step goes, if the first gradient was a large one."""
        weight, places = keras.Variable(0.0), [0.0]
        adam = keras.optimizers.Adam(1e-3, beta_1=0.5, **options)
        adam.build([weight])
        for gradient in (100.0, *(59 * [1.0])):
            adam.apply([tf.constant(gradient)], [weight])
            places.append(float(np.array(weight)))
        return abs(places[-1] - places[-2])

    assert step_after(beta_2=beta_2) > 5 * step_after()


@proves(
    "In this training both learning rates fall from 3e-3 to 0 by the last step, and a "
    "callback keeps samples after each epoch, always of the same noise:",
    false_with={"steps": 30},
    needs="keras>=3",
)
def test_both_rates_fall(steps=3):
    falling = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    adams = {f"{name}_optimizer": keras.optimizers.Adam(falling) for name in NETWORKS}
    gan = bare(compiled=adams)
    gan.fit(X, epochs=3, **QUIET)
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        assert float(optimizer.learning_rate) < 1e-8


@proves(
    "In this training both learning rates fall from 3e-3 to 0 by the last step, and a "
    "callback keeps samples after each epoch, always of the same noise:",
    false_with={"rate": 0.1},
    needs="keras>=3",
)
def test_samples_of_the_same_noise(rate=0.0):
    still = {f"{name}_optimizer": keras.optimizers.SGD(rate) for name in NETWORKS}
    gan = bare("ConditionalGAN", compiled=still)
    by_epoch = {0: gan.sample(Y)}
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: by_epoch.update({epoch + 1: gan.sample(Y)})
    )
    for layer in gan.generator.layers:  # its statistics move without any training
        layer.trainable = rate > 0
    gan.fit(X, Y, epochs=2, callbacks=[keep], **QUIET)
    assert list(by_epoch) == [0, 1, 2]
    assert np.array_equal(by_epoch[0], by_epoch[2])


# Judge by numbers


@proves(
    "Four numbers come from it: **agreement** with the label asked for; **clear**, "
    "the share of samples for which the judge gives one class more than 90 %; "
    "**classes**, the number of classes that get at least a tenth of an equal "
    "share of the samples, which is 1 % if there are ten; and **distance**, the "
    "Fréchet distance between the features of samples and of real images.",
    false_with={"shift": 2.0},
    needs="keras>=3",
)
def test_four_numbers_from_the_judge(shift=3.0):
    from snippets.gans import judge_samples

    layers = keras.layers.Flatten(name="features"), keras.layers.Activation("linear")
    judge = keras.Sequential([keras.Input((1, 10, 1)), *layers])  # it reads one row
    found = np.repeat([0, 1, 2, 3], [100, 97, 2, 1])
    asked = np.where(np.arange(200) < 40, 9, found)
    logits = np.where(np.arange(200) < 150, 9.0, 1.0)[:, None] * np.eye(10)[found]
    samples = logits.astype("float32")[:, None, :, None]
    real = samples + np.eye(10, dtype="float32")[5][:, None] * np.float32(shift)
    seen = judge_samples(judge, samples, real, asked)
    assert seen.pop("agreement") == 0.8
    assert seen.pop("clear") == 0.75
    assert seen.pop("classes") == 3  # one of 200 is less than 1 %
    assert np.isclose(seen.pop("distance"), 3.0**2, atol=1e-3)
    assert not seen


@proves(
    "Compare distances of equally many samples: with fewer, the distance tends to "
    "be larger.",
    false_with={"fewer": 1000},
    needs="keras>=3",
)
def test_fewer_samples_are_farther(fewer=20):
    from snippets.gans import frechet_distance

    draw = np.random.default_rng(0)
    real, many = draw.normal(size=(2, 1000, 16))  # of one distribution
    of_fewer = frechet_distance(many[:fewer], real)
    assert of_fewer > 5 * frechet_distance(many, real)


@proves(
    "To follow distance and classes, and to keep the generator of each epoch, pass "
    "this as `LambdaCallback(on_epoch_end=on_epoch_end)`, with `gan.sample(1000)` for "
    "a plain GAN:",
    false_with={"epochs": 1},
    needs="keras>=3",
)
def test_a_callback_keeps_each_generator(epochs=2):
    from snippets.gans import judge_samples

    layers = keras.layers.Flatten(name="features"), keras.layers.Dense(2)
    judge = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    gan, numbers = bare(), []
    with tempfile.TemporaryDirectory() as folder:

        def on_epoch_end(epoch, logs):
            seen = judge_samples(judge, gan.sample(1000), X)
            numbers.append((seen["distance"], seen["classes"]))
            gan.generator.save(f"{folder}/generator-{epoch}.keras")

        keep = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
        gan.fit(X, epochs=epochs, callbacks=[keep], **QUIET)
        kept = sorted(path.name for path in Path(folder).iterdir())
        assert kept == ["generator-0.keras", "generator-1.keras"]
        last = keras.models.load_model(f"{folder}/generator-1.keras")
    noise = np.array(gan.noise(3, seed=0))
    assert np.allclose(last(noise), gan.sample(3), atol=1e-6)
    assert np.isfinite(numbers).all()


# The spread


def variety(images, real):
    """How much a pixel varies in images, divided by how much it does in real ones."""
    return float(images.std(axis=0).mean() / real.std(axis=0).mean())


@proves(
    "A ratio near 0 means near copies of one image.",
    false_with={"noise": 0.5},
)
def test_copies_have_no_spread(noise=0.01):
    from sklearn.datasets import load_digits

    digits, draw = load_digits().images / 16, np.random.default_rng(0)
    copies = digits[:1] + noise * draw.normal(size=(100, 8, 8))
    assert variety(copies, digits) < 0.1
    for _ in range(100):
        two = digits[draw.choice(len(digits), 2, replace=False)]
        assert variety(two, digits) > 0.1


@proves(
    "A higher ratio does not rule out a collapse: two images again and again can "
    "have 0.7, ten images 0.9, and evenly distributed noise more than 1.",
    false_with={"kinds": (1, 1)},
)
def test_what_the_spread_misses(kinds=(2, 10)):
    from sklearn.datasets import load_digits

    digits = load_digits().images / 16
    few, more = (digits[:count].repeat(20, axis=0) for count in kinds)
    assert variety(few, digits) > 0.7
    assert variety(more, digits) > 0.9
    assert 0.9 < variety(digits[:100], digits) < 1.1
    noise = np.random.default_rng(0).random((100, 8, 8))
    assert variety(noise, digits) > 1


# The label, painted


def painted(painter, labels):
    """Label maps, by the name of what paints them."""
    from snippets import gans
    from snippets.gans import mistakes

    return {**vars(gans), **vars(mistakes)}[painter](labels, 10, 8, 8)


@proves(
    "The generator gets it after the noise; the discriminator sees it as ten further "
    "channels of the image, and the channel of the class is 1 at every pixel.",
    false_with={"painter": "scrambled_label_maps"},
    needs="keras>=3",
)
def test_label_maps_are_right_at_every_pixel(painter="label_maps"):
    labels = np.arange(64) % 10
    maps = np.array(painted(painter, labels))
    assert maps.shape == (64, 8, 8, 10)
    for label, map_ in zip(labels, maps, strict=True):
        assert (map_[..., label] == 1).all()
        assert map_.sum() == 64


@proves(
    "The discriminator is also shown real images under a wrong label, as made up, so "
    "it has to compare the image with the label.",
    false_with={"kind": "GAN"},
    needs="keras>=3",
)
def test_wrong_labels_count_as_made_up(kind="ConditionalGAN"):
    gan, seen = small(kind), []
    score = gan.score

    def watched(images, labels, training):
        seen.append((np.array(images), labels))
        return score(images, labels, training=training)

    object.__setattr__(gan, "score", watched)
    fakes = gan.sample(Y if kind == "ConditionalGAN" else 8)
    gan.score_unreal(X, fakes, Y)
    ((images, labels),) = seen
    assert np.array_equal(images, np.concatenate([fakes, X]))
    assert np.array_equal(labels, np.concatenate([Y, 1 - Y]))


@proves(
    "Labels are whole numbers, here 0 to 9: a larger one sets all channels to 0, and "
    "no error is raised.",
    false_with={"label": 9},
    needs="keras>=3",
)
def test_a_larger_label_is_no_class(label=10):
    maps = np.array(painted("label_maps", np.array([0, 8, label])))
    assert maps.sum(axis=(1, 2, 3)).tolist() == [64, 64, 0]
    gan = bare("ConditionalGAN")
    gan.fit(X, Y + 2, **QUIET)  # of two classes
    assert steps_of(gan.optimizer) == 1


# Save and reload


@functools.cache
def images_of_a_fresh_process():
    """A trained GAN, and what its saved generator makes elsewhere of the same noise."""
    gan = small()
    gan.fit(X, **QUIET)
    with tempfile.TemporaryDirectory() as folder:
        gan.generator.save(f"{folder}/generator.keras")
        np.save(f"{folder}/noise.npy", np.array(gan.noise(4, seed=0)))
        program = f"""
import numpy as np
from tensorflow import keras
generator = keras.models.load_model({folder!r} + "/generator.keras")
np.save({folder!r} + "/images.npy", generator(np.load({folder!r} + "/noise.npy")))
"""
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        return gan, np.load(Path(folder) / "images.npy")


@proves(
    "To make images elsewhere you need the generator alone, a plain Keras model, and "
    "no class of this page:",
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_the_generator_alone_gives_the_same_images(seed=0):
    gan, images = images_of_a_fresh_process()
    assert np.array_equal(images, gan.generator(np.array(gan.noise(4, seed=seed))))


@proves(
    "A plain GAN makes five images by `gan.sample(5)`, and its loaded generator gets "
    "the noise alone, `generator.predict(noise)`.",
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_a_plain_generator_gets_the_noise_alone(seed=0):
    gan = bare()
    with tempfile.TemporaryDirectory() as folder:
        gan.generator.save(f"{folder}/generator.keras")
        generator = keras.models.load_model(f"{folder}/generator.keras")
    noise = np.array(gan.noise(5, seed))
    assert np.allclose(generator.predict(noise, verbose=0), gan.sample(5), atol=1e-6)


# DCGAN and WGAN-GP


@proves(
    "Unlike that of the DCGAN paper, this discriminator has dropout and no "
    "`BatchNormalization`.",
    false_with={"network": "build_generator"},
    needs="keras>=3",
)
def test_where_it_departs_from_the_dcgan(network="build_discriminator"):
    from snippets import gans

    of = {"build_generator": 16, "build_discriminator": (8, 8, 1)}
    layers = getattr(gans, network)(of[network]).layers
    kinds = {type(layer).__name__ for layer in layers}
    assert "Dropout" in kinds
    assert "BatchNormalization" not in kinds


@proves(
    "Keras's `Adam()` has a rate of 1e-3 and `beta_1=0.9`. Begin with "
    "`beta_1=0.5`, and a rate of 2e-4 for photos, as in the DCGAN paper, or of "
    "1e-3 for small images, as in the first training below.",
    false_with={"options": {"beta_1": 0.5}},
    needs="keras>=3",
)
def test_adam_of_the_dcgan(options=None):
    gan = small()  # compiled without an optimizer
    adams = [keras.optimizers.Adam(**(options or {}))]
    adams += [gan.optimizer, gan.discriminator_optimizer]
    assert np.allclose([np.array(adam.learning_rate) for adam in adams], 1e-3)
    assert [adam.beta_1 for adam in adams] == [0.9, 0.5, 0.5]


# The recipe that trains one network


@functools.cache
def classic(frozen="after compile"):
    """The older recipe: the largest change of the discriminator, warnings, an error."""
    layers = keras.layers
    d = keras.Sequential([keras.Input(shape=(4,)), layers.Dense(1, "sigmoid")])
    d.trainable = frozen != "before compile"
    d.compile(loss="binary_crossentropy", optimizer="sgd")
    d.trainable = frozen == "never"
    g = keras.Sequential([keras.Input(shape=(3,)), layers.Dense(4)])
    gan = keras.Sequential([g, d])
    gan.compile(loss="binary_crossentropy", optimizer="sgd")
    rng = np.random.default_rng(0)
    real, noise = rng.normal(size=(16, 4)) + 1, rng.normal(size=(16, 3))
    before, error = d.get_weights(), ""
    ones, zeros = np.ones((16, 1)), np.zeros((16, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            for _ in range(20):
                d.train_on_batch(real, ones)
                d.train_on_batch(np.array(g(noise)), zeros)
                gan.train_on_batch(noise, ones)
        except AttributeError as problem:
            error = str(problem)
    moved = max(
        np.abs(a - b).max() for a, b in zip(before, d.get_weights(), strict=True)
    )
    said = " ".join(str(warning.message) for warning in caught)
    return float(moved), said, error


@proves(
    "Keras 3 reads it when the first `train_on_batch` traces the step: the flag "
    "is `False` by then, and the discriminator never trains.",
    keras=">=3,!=3.6.*",
    false_with={"frozen": "never"},
)
def test_the_classic_recipe_on_keras_3(frozen="after compile"):
    moved, _, error = classic(frozen)
    assert not error
    assert moved == 0.0


@proves(
    "This works on Keras 2, which reads the flag in `compile()`.",
    keras="<3",
    false_with={"frozen": "before compile"},
)
def test_the_classic_recipe_on_keras_2(frozen="after compile"):
    assert classic(frozen)[0] > 0.01


@proves(
    "Other versions of Keras 3 only warn that *The model does not have any trainable "
    "weights*.",
    keras=">=3,!=3.6.*",
    false_with={"frozen": "never"},
)
def test_the_classic_recipe_warns(frozen="after compile"):
    _, said, error = classic(frozen)
    assert not error
    assert "The model does not have any trainable weights" in said


@proves(
    "On Keras 3.6 the recipe raises an error.",
    keras="==3.6.*",
)
def test_the_classic_recipe_fails_on_keras_3_6():
    _, _, error = classic()
    assert error


@proves(
    "This is what the recipe of 2017 raises on Keras 3.6.",
    keras="==3.6.*",
)
def test_the_classic_recipe_on_keras_3_6():
    assert classic()[2] == "'NoneType' object has no attribute 'update_state'"


# Errors


@proves(
    "`predict` needs a `call`, as the class above has it, and `fit` does not.",
    false_with={"called": False},
)
def test_predict_needs_a_call(called=True):
    kind = Called if called else Bare
    model, history = history_of(tracked=True, kind=kind)
    assert len(history) == 2
    assert "call" in vars(kind)
    assert model.predict(np.ones((2, 1)), verbose=0).shape == (2, 1)


@proves(
    "Give each network an optimizer of its own, `gan.compile(Adam(...), "
    "Adam(...))`: one that is passed twice knows the variables of the generator "
    "alone.",
    false_with={"copies": 2},
    needs="keras>=3",
)
def test_the_same_optimizer_twice(copies=1):
    adams = [keras.optimizers.Adam() for _ in range(copies)]
    gan = bare()
    gan.compile(adams[0], adams[-1], run_eagerly=True)
    with pytest.raises((ValueError, KeyError), match="Unknown variable"):
        gan.fit(X, **QUIET)

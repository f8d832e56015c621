"""Proofs of the GANs guide."""

import contextlib
import functools
import io
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

X = np.linspace(0.0, 1.0, 8 * 16, dtype="float32").reshape(8, 4, 4, 1)
Y = np.arange(8) % 2
QUIET = {"batch_size": 8, "verbose": 0}


def small(kind="GAN", dropout=0.0, compiled=None, **options):
    """A GAN of 4 x 4 images, three numbers of noise and two classes."""
    from snippets import gans

    told = 2 if kind == "ConditionalGAN" else 0
    if told:
        options["num_classes"] = told
    gan = getattr(gans, kind)(
        gans.build_generator(3 + told, (4, 4, 1), width=4),
        gans.build_discriminator((4, 4, 1 + told), width=4, dropout=dropout),
        **options,
    )
    gan.compile(**{"run_eagerly": True, **(compiled or {})})  # tracing takes longer
    return gan


def bits(model):
    """Every weight of a model, to the last bit."""
    return [np.array(weight).tobytes() for weight in model.weights]


def own_of(kind):
    """What a class defines beside its constructor and config."""
    from snippets import gans

    return set(vars(getattr(gans, kind))) & {
        *("train_step", "train_discriminator", "discriminator_loss", "generator_loss"),
        *("penalty", "generate", "score", "score_unreal"),
    }


def steps_of(optimizer):
    """How many steps an optimizer has taken; `int` knows no variable of Keras 3.4."""
    return int(np.array(optimizer.iterations))


# The answer


@proves(
    "Put both into one `keras.Model` and let its `train_step` take two steps, "
    "each with a tape, a loss and an optimizer of its own; `fit` does the rest.",
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
    "The generator made each image from noise and the label above it.",
    false_with={"label": 0},
    needs="keras>=3",
)
def test_conditional_samples_are_what_was_asked_for(label=1):
    gan = small("ConditionalGAN")
    inputs = np.hstack([gan.noise(1, seed=0), [[0.0, 1.0]]])
    assert np.allclose(gan.sample([label]), gan.generator(inputs), atol=1e-6)


@proves(
    "images like these | `GAN`, with these networks a DCGAN | the training step, "
    "two losses",
    false_with={"kind": "ConditionalGAN"},
    needs="keras>=3",
)
def test_gan_is_the_step_and_two_losses(kind="GAN"):
    assert {"train_step", "discriminator_loss", "generator_loss"} <= own_of(kind)


@proves(
    "images of a class | `ConditionalGAN` | the label, told to both networks",
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
    "scores that measure a distance | `WassersteinGAN`, a WGAN-GP | two other "
    "losses, and a penalty",
    false_with={"kind": "ConditionalGAN"},
    needs="keras>=3",
)
def test_wasserstein_gan_has_its_own_losses(kind="WassersteinGAN"):
    assert own_of(kind) == {"discriminator_loss", "generator_loss", "penalty"}


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


def watch_a_step(fresh=False, **options):
    """One eager step; what went into the discriminator, and each `training`.

    If it is `fresh`, the discriminator learns on made-up images of its own.
    """
    seen = {"generate": [], "score": []}
    gan = small(**options)
    learn = gan.train_discriminator

    def learn_on_others(images, fakes, labels):
        learn(images, gan.generate(gan.noise(8, seed=1), labels, True), labels)

    if fresh:
        object.__setattr__(gan, "train_discriminator", learn_on_others)
    for name in seen:
        inner = getattr(gan, name)

        def outer(inputs, labels, training, name=name, inner=inner):
            outputs = inner(inputs, labels, training=training)
            images = outputs if name == "generate" else inputs
            seen[name].append((np.array(images), training))
            return outputs

        object.__setattr__(gan, name, outer)
    gan.fit(X, **QUIET)
    return gan, seen


@proves(
    "One step makes one batch of images and uses it twice, for the discriminator "
    "and then for the generator.",
    false_with={"fresh": True},
    needs="keras>=3",
)
def test_one_batch_of_images_is_used_twice(fresh=False):
    _, seen = watch_a_step(fresh)
    assert len(seen["generate"]) == 1
    ((made, _),) = seen["generate"]
    _, (first, _), (second, _) = seen["score"]
    assert np.array_equal(first, made)
    assert np.array_equal(second, made)


@proves(
    "The gradient is taken for the variables of one network alone, so each half "
    "leaves the other network as it is, to the last bit:",
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
    "the generator makes the batch | `True` | `BatchNormalization` learns its "
    "statistics, once a step",
    false_with={"steps": 2},
    needs="keras>=3",
)
def test_statistics_move_once_a_step(steps=1):
    _, seen = watch_a_step()
    assert [training for _, training in seen["generate"]] == [True]
    gan = small(compiled={"generator_optimizer": keras.optimizers.SGD(0.0)})
    gan.fit(X, epochs=steps, **QUIET)
    dense, normalization = gan.generator.layers[:2]
    features = np.array(dense(gan.noise(8, keras.random.SeedGenerator(0))))
    expected = (1 - normalization.momentum) * features.mean(axis=0)
    assert np.allclose(normalization.moving_mean, expected, atol=1e-6)


@proves(
    "the discriminator learns | `True` | its dropout drops",
    false_with={"dropout": 0.0},
    needs="keras>=3",
)
def test_dropout_drops_where_the_discriminator_learns(dropout=0.5):
    gan, seen = watch_a_step(dropout=dropout)
    assert [training for _, training in seen["score"]][:2] == [True, True]
    assert not np.array_equal(gan.score(X, None, True), gan.score(X, None, True))


@proves(
    "the discriminator scores for the generator | `False` | no dropout in what "
    "the generator follows",
    false_with={"training": True},
    needs="keras>=3",
)
def test_no_dropout_in_what_the_generator_follows(training=False):
    gan, seen = watch_a_step(dropout=0.5)
    assert seen["score"][-1][1] is False
    first, again = (np.array(gan.score(X, None, training)) for _ in range(2))
    assert np.array_equal(first, again)


@proves(
    "samples are made | `False` | an image does not depend on the others of its batch",
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
    "`call()` | `fit` runs, and `predict` stops with a `NotImplementedError`",
    false_with={"called": True},
)
def test_without_call_fit_runs_and_predict_stops(called=False):
    model, history = history_of(tracked=True, kind=Called if called else Bare)
    assert len(history) == 2
    with pytest.raises(NotImplementedError):
        model.predict(np.ones((2, 1)), verbose=0)


@proves(
    "`keras.random.SeedGenerator` | the same noise in every step, if the seed is "
    "a number",
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
    "The generator's loss is `-log(sigmoid(score))`, as the first GAN paper "
    "recommends in its section 3.",
    false_with={"kind": "WassersteinGAN"},
    needs="keras>=3",
)
def test_the_loss_of_the_generator(kind="GAN"):
    gan = small(kind)
    for score in (-3.0, 0.3, 4.0):
        expected = -np.log(1 / (1 + np.exp(-score)))
        loss = gan.generator_loss(tf.constant([[score]]))
        assert np.isclose(float(loss), expected, atol=1e-6)


def slope_at(score, loss_of):
    """The derivative of a loss by the score."""
    x = tf.constant(score)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = loss_of(x)
    return abs(float(tape.gradient(loss, x)))


@proves(
    "The loss of the game itself, `log(1 - sigmoid(score))`, is flat where the "
    "discriminator is sure.",
    false_with={"score": 0.0},
)
def test_the_gradient_vanishes_where_the_discriminator_is_sure(score=-8.0):
    game = slope_at(score, lambda x: tf.math.log(1 - tf.sigmoid(x)))
    recommended = slope_at(score, lambda x: -tf.math.log(tf.sigmoid(x)))
    assert game < 0.0004
    assert recommended > 0.999


@proves(
    "Label smoothing asks the discriminator for 0.9 in place of 1 on real images.",
    false_with={"options": {"label_smoothing": 0.0}},
    needs="keras>=3",
)
def test_smoothing_asks_for_0_9(options=None):
    score, certainly_made_up = 1.5, tf.constant([[-200.0]])
    gan = small(**(options or {}))
    loss = gan.discriminator_loss(tf.constant([[score]]), certainly_made_up)
    p = 1 / (1 + np.exp(-score))
    expected = -0.9 * np.log(p) - 0.1 * np.log(1 - p)
    assert np.isclose(float(loss), expected, atol=1e-5)


@proves(
    "Its loss is then least at a score of 2.2, not at infinity.",
    false_with={"smoothing": 0.2},
    needs="keras>=3",
)
def test_smoothing_puts_the_best_score_at_2_2(smoothing=0.1):
    smoothed, plain = small(label_smoothing=smoothing), small(label_smoothing=0.0)

    def loss_at(score, gan=smoothed):
        score, fake = tf.constant([[score]]), tf.constant([[0.0]])
        return float(gan.discriminator_loss(score, fake))

    assert loss_at(2.2) < min(loss_at(2.1), loss_at(2.3), loss_at(9.0))
    assert loss_at(9.0, plain) < loss_at(2.2, plain)


# Watch it learn


@proves(
    "Before training, and after 1, 3, 8 and 20 epochs.",
    false_with={"kept": (0, 1)},
    needs="keras>=3",
)
def test_the_callback_keeps_the_epochs_asked_for(kept=(0, 2)):
    from snippets.gans import SamplesByEpoch

    gan, samples = small(), SamplesByEpoch(kept, wanted=3)
    before = gan.sample(3)
    gan.fit(X, epochs=2, callbacks=[samples], **QUIET)
    assert np.array_equal(samples.images, np.concatenate([before, gan.sample(3)]))


@proves(
    "`fit` draws its bar with both losses, and `validation_data` adds "
    "`val_generator_loss` and `val_discriminator_loss`.",
    false_with={"held_out": None},
    needs="keras>=3",
)
def test_fit_shows_both_losses(held_out=X):
    gan = small()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        history = gan.fit(X, validation_data=held_out, batch_size=4, verbose=1).history
    for name in ("generator_loss", "discriminator_loss"):
        assert name in printed.getvalue()
        assert f"val_{name}" in history


# Judge by numbers


@proves(
    "Four numbers come from it: **agreement** with the label asked for; **clear**, "
    "the part whose class it gives more than 90 %; **classes**, how many kinds of "
    "digit have a share worth counting; and **distance**, the Fréchet distance "
    "between the features of samples and of real images.",
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
    assert seen.pop("classes") == 3  # one of 200 is less than a tenth of its share
    assert np.isclose(seen.pop("distance"), 3.0**2, atol=1e-3)
    assert not seen


# The label, painted


def painted(painter, labels):
    """Label maps, by the name of what paints them."""
    from snippets import gans
    from snippets.gans import mistakes

    return {**vars(gans), **vars(mistakes)}[painter](labels, 10, 8, 8)


@proves(
    "The discriminator sees the label as ten further channels of the image; the "
    "channel of the class is 1 at every pixel.",
    false_with={"painter": "scrambled_label_maps"},
    needs="keras>=3",
)
def test_label_maps_are_right_at_every_pixel(painter="label_maps"):
    from snippets.gans.conditional import correct_pixels

    labels = np.arange(64) % 10
    maps = np.array(painted(painter, labels))
    assert maps.shape == (64, 8, 8, 10)
    for label, map_ in zip(labels, maps, strict=True):
        assert (map_[..., label] == 1).all()
        assert map_.sum() == 64
    assert correct_pixels(maps, labels) == 1.0


@proves(
    "It is also shown real images under a wrong label, as made up, so it cannot "
    "go by the image alone.",
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
    "The shape is right, no pixel is, and nothing complains.",
    false_with={"painter": "label_maps"},
    needs="keras>=3",
)
def test_scrambled_maps_are_right_at_no_pixel(painter="scrambled_label_maps"):
    from snippets.gans.conditional import correct_pixels

    labels = np.arange(64) % 10
    maps = painted(painter, labels)
    assert tuple(maps.shape) == (64, 8, 8, 10)
    assert correct_pixels(maps, labels) == 0.0


@proves(
    "A construction that is copied from page to page repeats the numbers of the "
    "one-hot labels, then reshapes them.",
    false_with={"size": 1},
)
def test_repeating_then_reshaping_scrambles(size=2):
    one_hot = np.eye(3)[[2, 0]]
    maps = np.repeat(one_hot, size * size).reshape(-1, size, size, 3)
    assert not np.array_equal(maps, np.tile(one_hot[:, None, None], (1, size, size, 1)))


# From one digit to another


@proves(
    "Keep the noise, and move the label:", false_with={"other": 1e-6}, needs="keras>=3"
)
def test_the_noise_stays_the_label_moves(other=0.0):
    from snippets.gans import between_labels

    noise = np.random.default_rng(0).normal(size=16).astype("float32")
    inputs = between_labels(noise + np.float32(other), 3, 8, steps=9)
    assert {row.tobytes() for row in inputs[:, :16]} == {noise.tobytes()}
    labels = inputs[:, 16:]
    assert np.array_equal(labels[[0, -1]], np.eye(10, dtype="float32")[[3, 8]])
    assert np.allclose(np.diff(labels[:, 8]), 1 / 8)


# Save and reload


@proves(
    "`save` keeps both networks, both optimizers and the state of the noise, so "
    "that a loaded model without dropout goes on training as if it had not stopped.",
    false_with={"loaded": False},
    needs="keras>=3",
)
def test_a_loaded_gan_goes_on_training(loaded=True):
    gan = small(
        "ConditionalGAN", compiled={"generator_optimizer": keras.optimizers.Adam()}
    )
    gan.fit(X, Y, epochs=2, **QUIET)
    again = small("ConditionalGAN")
    if loaded:
        with tempfile.TemporaryDirectory() as folder:
            gan.save(f"{folder}/gan.keras")
            again = keras.models.load_model(f"{folder}/gan.keras")
            again.run_eagerly = True
    expected = gan.fit(X, Y, epochs=2, shuffle=False, **QUIET).history
    assert again.fit(X, Y, epochs=2, shuffle=False, **QUIET).history == expected
    assert bits(again) == bits(gan)


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
    "Loaded in a fresh process, it gives the same images:",
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_the_generator_alone_gives_the_same_images(seed=0):
    gan, images = images_of_a_fresh_process()
    assert np.array_equal(images, gan.generator(np.array(gan.noise(4, seed=seed))))


# DCGAN and WGAN-GP


@proves(
    "With these networks it is a small DCGAN: strided and transposed "
    "convolutions, `BatchNormalization` in the generator, LeakyReLU in the "
    "discriminator, Adam with a momentum of 0.5.",
    false_with={"adam": "Adam"},
    needs="keras>=3",
)
def test_what_makes_it_a_dcgan(adam="two_adams"):
    from snippets.gans import build_discriminator, build_generator, two_adams

    kinds = [type(layer).__name__ for layer in build_generator(16).layers]
    assert {"Conv2DTranspose", "BatchNormalization"} <= set(kinds)
    layers = build_discriminator((8, 8, 1)).layers
    kinds = [type(layer).__name__ for layer in layers]
    assert "LeakyReLU" in kinds
    assert "BatchNormalization" not in kinds
    assert max(layer.strides for layer in layers if hasattr(layer, "strides")) == (2, 2)
    adams = {"two_adams": two_adams(10), "Adam": [keras.optimizers.Adam()] * 2}[adam]
    assert {type(one).__name__ for one in adams} == {"Adam"}
    assert [one.beta_1 for one in adams] == [0.5, 0.5]


@proves(
    "It scores real images higher than made-up ones, and a penalty keeps its "
    "slope near 1 between the two.",
    false_with={"weight": 0.0},
    needs="keras>=3",
)
def test_the_critic_and_its_penalty(weight=10.0):
    from snippets.gans import gradient_penalty

    compiled = {"discriminator_optimizer": keras.optimizers.Adam(0.05)}
    gan = small("WassersteinGAN", compiled=compiled, penalty_weight=weight)
    fakes = tf.constant(gan.sample(8))
    for _ in range(25):
        gan.train_discriminator(tf.constant(X), fakes, None)
    real, fake = (np.mean(gan.discriminator(images)) for images in (X, fakes))
    assert real > fake
    half = np.full((8, 1, 1, 1), 0.5, "float32")
    assert gradient_penalty(gan.discriminator, X, fakes, half) < 0.1


@proves(
    "The penalty is the gradient of a gradient; here it equals finite differences "
    "in NumPy.",
    false_with={"step": 1.0},
    needs="keras>=3",
)
def test_the_penalty_is_that_of_finite_differences(step=1e-6):
    from snippets.gans import gradient_penalty

    layers = [
        keras.layers.Flatten(),
        keras.layers.Dense(5, "tanh"),
        keras.layers.Dense(1),
    ]
    critic = keras.Sequential([keras.Input((4, 4, 1)), *layers])
    w1, b1, w2, b2 = (np.array(w, "float64") * 3 for w in critic.get_weights())
    critic.set_weights([w1, b1, w2, b2])
    rng = np.random.default_rng(0)
    fakes, mix = rng.random((8, 4, 4, 1)), rng.random((8, 1, 1, 1))
    points = (mix * X + (1 - mix) * fakes).reshape(8, 16)

    def score(x):
        return (np.tanh(x @ w1 + b1) @ w2 + b2)[:, 0]

    rises = [(score(points + e) - score(points - e)) for e in step * np.eye(16)]
    norms = np.linalg.norm(np.array(rises) / (2 * step), axis=0)
    arrays = [tf.constant(array, "float32") for array in (X, fakes, mix)]
    penalty = float(gradient_penalty(critic, *arrays))
    assert np.isclose(penalty, np.mean((norms - 1) ** 2), rtol=1e-3)


@proves(
    "The critic has no dropout and no `BatchNormalization`, since the penalty is "
    "meant for each image alone.",
    false_with={"mixed": True},
    needs="keras>=3",
)
def test_the_critic_scores_each_image_alone(mixed=False):
    gan = small("WassersteinGAN")
    critic = gan.discriminator
    if mixed:
        critic = keras.Sequential([critic, keras.layers.BatchNormalization()])
    alone = np.concatenate([critic(X[k : k + 1], training=True) for k in range(8)])
    assert np.allclose(critic(X, training=True), alone, atol=1e-5)


@proves(
    "The paper trains the critic five times for each step of the generator; this "
    "model once.",
    false_with={"times": 5},
    needs="keras>=3",
)
def test_the_critic_learns_once_a_step(times=1):
    gan = small("WassersteinGAN")
    learn = gan.train_discriminator

    def learn_again(*batch):
        for _ in range(times):
            learn(*batch)

    object.__setattr__(gan, "train_discriminator", learn_again)
    gan.fit(X, epochs=2, **QUIET)
    assert steps_of(gan.discriminator_optimizer) == steps_of(gan.optimizer) == 2


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
    "Keras 3 reads it when the training step is traced, in the first `train_on_batch`: "
    "the flag is `False` by then, and the discriminator never trains.",
    keras=">=3,!=3.6.*",
    false_with={"frozen": "never"},
)
def test_the_classic_recipe_on_keras_3(frozen="after compile"):
    moved, _, error = classic(frozen)
    assert not error
    assert moved == 0.0


@proves(
    "This counts on a flag that is read in `compile()`, as it is on Keras 2.",
    keras="<3",
    false_with={"frozen": "before compile"},
)
def test_the_classic_recipe_on_keras_2(frozen="after compile"):
    assert classic(frozen)[0] > 0.01


@proves(
    "Keras 3.6 stops with `'NoneType' object has no attribute 'update_state'`.",
    keras="==3.6.*",
)
def test_the_classic_recipe_on_keras_3_6():
    assert classic()[2] == "'NoneType' object has no attribute 'update_state'"


@proves(
    "All that Keras 3 says is a warning, *The model does not have any trainable "
    "weights*.",
    keras=">=3,!=3.6.*",
    false_with={"frozen": "never"},
)
def test_the_classic_recipe_warns(frozen="after compile"):
    _, said, error = classic(frozen)
    assert not error
    assert "The model does not have any trainable weights" in said


# Data that it refuses


@proves(
    "All of this stops before the first step, and the networks are as they were:",
    false_with={"factor": 1},
    needs="keras>=3",
)
def test_bad_data_change_nothing(factor=255):
    from snippets.gans import build_generator

    gan = small("ConditionalGAN")
    before = bits(gan)
    for images, labels in ((X * factor, Y), (X[:, :3], Y), (X, Y + 1), (X, Y[:3])):
        with pytest.raises(ValueError):
            gan.fit(images, labels, **QUIET)
    with pytest.raises(ValueError):
        build_generator(0)
    assert bits(gan) == before
    assert steps_of(gan.optimizer) == 0
    never = type(gan)(gan.generator, gan.discriminator, num_classes=2)
    with pytest.raises(ValueError):
        never.fit(X, Y, **QUIET)


# Summary


@proves(
    "another loss | `discriminator_loss` and `generator_loss` in a subclass",
    false_with={"own": False},
    needs="keras>=3",
)
def test_how_to_take_another_loss(own=True):
    from snippets.gans import GAN, build_discriminator, build_generator

    class Other(GAN):
        def discriminator_loss(self, real, fake):
            return tf.reduce_mean(0 * real) + 2.0

        def generator_loss(self, fake):
            return tf.reduce_mean(0 * fake) + 3.0

    networks = build_generator(3, (4, 4, 1), 4), build_discriminator((4, 4, 1), 4)
    gan = (Other if own else GAN)(*networks)
    gan.compile(run_eagerly=True)
    history = gan.fit(X, **QUIET).history
    assert history["discriminator_loss"] == [2.0]
    assert history["generator_loss"] == [3.0]


@proves(
    "steady training to the end | `compile(*two_adams(num_steps))`: both rates fall to "
    "0 at the last step",
    false_with={"steps": 30},
    needs="keras>=3",
)
def test_how_to_end_steadily(steps=3):
    from snippets.gans import two_adams

    gan = small()
    gan.compile(*two_adams(steps), run_eagerly=True)
    gan.fit(X, epochs=3, **QUIET)
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        assert float(optimizer.learning_rate) < 1e-8

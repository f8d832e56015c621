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
SEEDS = (0, 1, 2)
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


@functools.cache
def digits():
    """Real digits: images and labels to train on, and others."""
    from snippets.data import digit_images, split_train_test

    return split_train_test(*digit_images())


@functools.cache
def judged(kind, seed=0, optimizers="two_adams"):
    """Train a GAN as the page does; what a judge sees before, early, late."""
    from snippets import gans

    class Untold(gans.ConditionalGAN):
        """It is shown no real image under a wrong label."""

        score_unreal = gans.GAN.score_unreal

    def slow_to_forget(num_steps):
        adams = gans.two_adams(num_steps)
        for adam in adams:
            adam.beta_2 = 0.999
        return adams

    class Judge(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch + 1 == 5:
                seen.append(look())

    x_train, y_train, x_test, _ = digits()
    judge = judge_of_the_page()
    keras.utils.set_random_seed(seed)
    told = 10 if kind in {"ConditionalGAN", "Untold"} else 0
    epochs = 20 if told else 30
    dropout = 0.0 if kind == "WassersteinGAN" else 0.3
    generator = gans.build_generator(16 + told)
    discriminator = gans.build_discriminator((8, 8, 1 + told), dropout=dropout)
    gan = (vars(gans) | {"Untold": Untold})[kind](generator, discriminator)
    ways = {"two_adams": gans.two_adams, "slow_to_forget": slow_to_forget}
    gan.compile(*ways[optimizers](num_steps=epochs * 23))
    asked = np.repeat(np.arange(10), 100)

    def look():
        samples = gan.sample(asked if told else 1000)
        return gans.judge_samples(judge, samples, x_test, asked if told else None)

    seen = [look()]
    options = {"batch_size": 64, "epochs": epochs, "verbose": 0}
    labels = y_train if told else None
    fitted = gan.fit(x_train, labels, callbacks=[Judge()], **options)
    assert steps_of(gan.optimizer) == epochs * 23
    return [*seen, look()], fitted.history


def judge_of_the_page():
    """The judge, made anew of weights that are trained once."""
    from snippets.gans import train_judge

    x_train = digits()[0]
    judge = train_judge(x_train[:10], np.arange(10), epochs=1)
    judge.set_weights(weights_of_the_judge())
    return judge


@functools.cache
def weights_of_the_judge():
    """What the page's judge has learned."""
    from snippets.gans import train_judge

    x_train, y_train, _, _ = digits()
    keras.utils.set_random_seed(0)
    return train_judge(x_train, y_train).get_weights()


# The answer


@proves(
    "Put both into one `keras.Model` and let its `train_step` take two steps, "
    "each with a tape, a loss and an optimizer of its own; `fit` does the rest.",
    keras=">=3",
    false_with={"steps": 5},
)
def test_two_steps_under_fit(steps=4):
    gan = small()
    before = bits(gan.generator), bits(gan.discriminator)
    history = gan.fit(X, batch_size=4, epochs=2, verbose=0).history
    assert steps_of(gan.optimizer) == steps
    assert steps_of(gan.discriminator_optimizer) == steps
    assert set(history) == {"generator_loss", "discriminator_loss"}
    assert bits(gan.generator) != before[0]
    assert bits(gan.discriminator) != before[1]


@proves(
    "Made by the network, of noise and a label.",
    keras=">=3",
    false_with={"label": 0},
)
def test_conditional_samples_are_what_was_asked_for(label=1):
    gan = small("ConditionalGAN")
    inputs = np.hstack([gan.noise(1, seed=0), [[0.0, 1.0]]])
    assert np.allclose(gan.sample([label]), gan.generator(inputs), atol=1e-6)


@proves(
    "A picture proves little: a classifier that has never seen a made-up image agrees "
    "with the label asked for in more than 98 of 100 samples.",
    keras=">=3",
    false_with={"bound": 1.0},
)
def test_agreement_of_the_page(bound=0.98):
    assert judged("ConditionalGAN")[0][-1]["agreement"] > bound


@proves(
    "images like these | `GAN`, with these networks a DCGAN | the training step, "
    "two losses",
    keras=">=3",
    false_with={"kind": "ConditionalGAN"},
)
def test_gan_is_the_step_and_two_losses(kind="GAN"):
    assert {"train_step", "discriminator_loss", "generator_loss"} <= own_of(kind)


@proves(
    "images of a class | `ConditionalGAN` | the label, told to both networks",
    keras=">=3",
    false_with={"kind": "WassersteinGAN"},
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
    keras=">=3",
    false_with={"kind": "ConditionalGAN"},
)
def test_wasserstein_gan_has_its_own_losses(kind="WassersteinGAN"):
    assert own_of(kind) == {"discriminator_loss", "generator_loss", "penalty"}


# The step


@proves(
    "The **generator** turns noise into images, the **discriminator** scores "
    "images: high for real, low for made up.",
    keras=">=3",
    false_with={"sign": -1},
)
def test_the_two_networks(sign=1):
    gan = small(compiled={"discriminator_optimizer": keras.optimizers.Adam(0.05)})
    fakes = gan.sample(8)
    assert fakes.shape == X.shape
    for _ in range(20):
        gan.train_discriminator(tf.constant(X), tf.constant(fakes), None)
    real, fake = (np.mean(gan.discriminator(images)) for images in (X, fakes))
    assert sign * (real - fake) > 0.5


def watch_a_step(**options):
    """One eager step; what went into the discriminator, and each `training`."""
    seen = {"generate": [], "score": []}
    gan = small(**options)
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
    keras=">=3",
    false_with={"batches": 2},
)
def test_one_batch_of_images_is_used_twice(batches=1):
    _, seen = watch_a_step()
    assert len(seen["generate"]) == batches
    ((made, _),) = seen["generate"]
    _, (first, _), (second, _) = seen["score"]
    assert np.array_equal(first, made)
    assert np.array_equal(second, made)


@proves(
    "The gradient is taken for the variables of one network alone, so each half "
    "leaves the other network as it is, to the last bit:",
    keras=">=3",
    false_with={"moving": "both"},
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
    keras=">=3",
    false_with={"steps": 2},
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
    keras=">=3",
    false_with={"dropout": 0.0},
)
def test_dropout_drops_where_the_discriminator_learns(dropout=0.5):
    gan, seen = watch_a_step(dropout=dropout)
    assert [training for _, training in seen["score"]][:2] == [True, True]
    assert not np.array_equal(gan.score(X, None, True), gan.score(X, None, True))


@proves(
    "the discriminator scores for the generator | `False` | no dropout in what "
    "the generator follows",
    keras=">=3",
    false_with={"training": True},
)
def test_no_dropout_in_what_the_generator_follows(training=False):
    gan, seen = watch_a_step(dropout=0.5)
    assert seen["score"][-1][1] is training
    assert np.array_equal(gan.score(X, None, False), gan.score(X, None, False))


@proves(
    "samples are made | `False` | an image does not depend on the others of its batch",
    keras=">=3",
    false_with={"training": True},
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
    keras=">=3",
    false_with={"other": False},
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


def history_of(tracked):
    """The mean of 1, 2, 3, 4 in batches of one, as `fit` reports it."""
    model = Bare(tracked)
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
    false_with={"kind": "no error"},
)
def test_without_call_fit_runs_and_predict_stops(kind="NotImplementedError"):
    model, history = history_of(tracked=True)
    assert len(history) == 2
    found = "no error"
    try:
        model.predict(np.ones((2, 1)), verbose=0)
    except NotImplementedError as error:
        found = type(error).__name__
    assert found == kind


@proves(
    "`keras.random.SeedGenerator` | the same noise in every step, if the seed is "
    "a number",
    keras=">=3",
    false_with={"number": False},
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
    keras=">=3",
    false_with={"score": 0.4},
)
def test_the_loss_of_the_generator(score=0.3):
    expected = -np.log(1 / (1 + np.exp(-score)))
    loss = small().generator_loss(tf.constant([[0.3]]))
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
    keras=">=3",
    false_with={"target": 1.0},
)
def test_smoothing_asks_for_0_9(target=0.9):
    score, zero = 1.5, tf.constant([[-200.0]])
    loss = small().discriminator_loss(tf.constant([[score]]), zero)
    p = 1 / (1 + np.exp(-score))
    expected = -target * np.log(p) - (1 - target) * np.log(1 - p)
    assert np.isclose(float(loss), expected, atol=1e-5)


@proves(
    "Its loss is then least at a score of 2.2, not at infinity.",
    keras=">=3",
    false_with={"best": 3.0},
)
def test_smoothing_puts_the_best_score_at_2_2(best=2.2):
    def loss_at(score, smoothing=0.1):
        gan = small(label_smoothing=smoothing)
        return float(
            gan.discriminator_loss(tf.constant([[score]]), tf.constant([[0.0]]))
        )

    assert loss_at(best) < min(loss_at(best - 0.1), loss_at(best + 0.1))
    assert loss_at(9.0, smoothing=0.0) < loss_at(2.2, smoothing=0.0)


# Watch it learn


@proves(
    "Before training, and after 1, 3, 8 and 20 epochs.",
    keras=">=3",
    false_with={"kept": (0, 1)},
)
def test_the_callback_keeps_the_epochs_asked_for(kept=(0, 2)):
    from snippets.gans import SamplesByEpoch

    gan, samples = small(), SamplesByEpoch(kept, wanted=3)
    before = gan.sample(3)
    gan.fit(X, epochs=2, callbacks=[samples], **QUIET)
    assert np.array_equal(samples.images, np.concatenate([before, gan.sample(3)]))


def losses_and_distances():
    """The generator's loss and the judge's distance, after 5 and 20 epochs."""
    (_, early, late), history = judged("ConditionalGAN")
    losses = [history["generator_loss"][epoch - 1] for epoch in (5, 20)]
    return losses, (early["distance"], late["distance"])


@proves(
    "The losses of both networks: they say how the game stands, and not how good "
    "the images are.",
    keras=">=3",
    false_with={"part": 0.001},
)
def test_losses_do_not_tell_how_good_the_images_are(part=0.25):
    losses, distances = losses_and_distances()
    assert abs(losses[1] - losses[0]) < 0.25 * losses[0]
    assert distances[1] < part * distances[0]


@proves(
    "`fit` draws its bar with both losses, and `validation_data` adds "
    "`val_generator_loss` and `val_discriminator_loss`.",
    keras=">=3",
    false_with={"network": "judge"},
)
def test_fit_shows_both_losses(network="generator"):
    gan = small()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        history = gan.fit(X, validation_data=X, batch_size=4, verbose=1).history
    for name in (f"{network}_loss", "discriminator_loss"):
        assert name in printed.getvalue()
        assert f"val_{name}" in history


# Judge by numbers


@proves(
    "On the 360 held-out digits it is right for more than 97 %:",
    keras=">=3",
    false_with={"bound": 0.999},
)
def test_the_judge_is_right_on_held_out_digits(bound=0.97):
    _, _, x_test, y_test = digits()
    assert len(x_test) == 360
    found = judge_of_the_page().predict(x_test, verbose=0).argmax(axis=-1)
    assert np.mean(found == y_test) > bound


@proves(
    "Four numbers come from it: **agreement** with the label asked for; **clear**, "
    "the part whose class it gives more than 90 %; **classes**, how many kinds of "
    "digit have a share worth counting; and **distance**, the Fréchet distance "
    "between the features of samples and of real images.",
    keras=">=3",
    false_with={"shift": 2.0},
)
def test_four_numbers_from_the_judge(shift=3.0):
    from snippets.gans import frechet_distance, judge_samples

    x_train, y_train, x_test, _ = digits()
    chosen = y_train < 4
    seen = judge_samples(
        judge_of_the_page(), x_train[chosen], x_test, asked=y_train[chosen]
    )
    assert set(seen) == {"agreement", "clear", "classes", "distance"}
    assert seen["agreement"] > 0.95
    assert seen["clear"] > 0.9
    assert seen["classes"] == 4
    points = np.random.default_rng(0).normal(size=(50, 2))
    assert np.isclose(frechet_distance(points, points + np.array([shift, 0.0])), 9.0)


@proves(
    "The last line is the floor: real digits against other real digits.",
    keras=">=3",
    false_with={"bound": 0.1},
)
def test_real_digits_are_the_floor(bound=3.0):
    from snippets.gans import judge_samples

    x_train, y_train, x_test, _ = digits()
    seen = judge_samples(judge_of_the_page(), x_train, x_test, y_train)
    assert 0 < seen["distance"] < bound
    assert seen["classes"] == 10


@proves(
    "Over three seeds the conditional GAN falls from more than 250 to less than 10, "
    "with all ten classes, and agrees with more than 98 of 100 labels.",
    keras=">=3",
    false_with={"bound": 0.5},
)
def test_the_conditional_gan_over_three_seeds(bound=10.0):
    for seed in SEEDS:
        (before, _, after), _ = judged("ConditionalGAN", seed)
        assert before["distance"] > 250
        assert after["distance"] < bound
        assert after["classes"] == 10
        assert after["agreement"] > 0.98


# The label, painted


@proves(
    "The discriminator sees the label as ten further channels of the image; the "
    "channel of the class is 1 at every pixel.",
    keras=">=3",
    false_with={"painter": "scrambled_label_maps"},
)
def test_label_maps_are_right_at_every_pixel(painter="label_maps"):
    from snippets import gans

    labels = digits()[1][:64]
    maps = np.array(getattr(gans, painter)(labels, 10, 8, 8))
    assert maps.shape == (64, 8, 8, 10)
    for label, map_ in zip(labels, maps, strict=True):
        assert (map_[..., label] == 1).all()
        assert map_.sum() == 64
    assert gans.correct_pixels(maps, labels) == 1.0


@proves(
    "It is also shown real images under a wrong label, as made up, so it cannot "
    "go by the image alone.",
    keras=">=3",
    false_with={"kind": "GAN"},
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
    "Without them, the same training agrees with the judge less.",
    keras=">=3",
    false_with={"kind": "ConditionalGAN"},
)
def test_wrong_labels_raise_the_agreement(kind="Untold"):
    with_them, without = (
        judged(kind)[0][-1]["agreement"] for kind in ("ConditionalGAN", kind)
    )
    assert without < with_them - 0.02


@proves(
    "The shape is right, no pixel is, and nothing complains.",
    keras=">=3",
    false_with={"painter": "label_maps"},
)
def test_scrambled_maps_are_right_at_no_pixel(painter="scrambled_label_maps"):
    from snippets import gans

    labels = digits()[1][:64]
    maps = getattr(gans, painter)(labels, 10, 8, 8)
    assert tuple(maps.shape) == (64, 8, 8, 10)
    assert gans.correct_pixels(maps, labels) == 0.0


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
    "Keep the noise, and move the label:",
    keras=">=3",
    false_with={"other": 1e-6},
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
    keras=">=3",
    false_with={"loaded": False},
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


@proves(
    "Loaded in a fresh process, it gives the same images:",
    keras=">=3",
    false_with={"seed": 1},
)
def test_the_generator_alone_gives_the_same_images(seed=0):
    gan = small()
    gan.fit(X, **QUIET)
    noise = np.array(gan.noise(4, seed=0))
    with tempfile.TemporaryDirectory() as folder:
        gan.generator.save(f"{folder}/generator.keras")
        np.save(f"{folder}/noise.npy", noise)
        program = f"""
import numpy as np
from tensorflow import keras
generator = keras.models.load_model({folder!r} + "/generator.keras")
np.save({folder!r} + "/images.npy", generator(np.load({folder!r} + "/noise.npy")))
"""
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        images = np.load(Path(folder) / "images.npy")
    assert np.array_equal(images, gan.generator(np.array(gan.noise(4, seed=seed))))


# DCGAN and WGAN-GP


@proves(
    "With these networks it is a small DCGAN: strided and transposed "
    "convolutions, `BatchNormalization` in the generator, LeakyReLU in the "
    "discriminator, Adam with a momentum of 0.5.",
    keras=">=3",
    false_with={"momentum": 0.9},
)
def test_what_makes_it_a_dcgan(momentum=0.5):
    from snippets.gans import build_discriminator, build_generator, two_adams

    kinds = [type(layer).__name__ for layer in build_generator(16).layers]
    assert {"Conv2DTranspose", "BatchNormalization"} <= set(kinds)
    layers = build_discriminator((8, 8, 1)).layers
    kinds = [type(layer).__name__ for layer in layers]
    assert "LeakyReLU" in kinds
    assert "BatchNormalization" not in kinds
    assert max(layer.strides for layer in layers if hasattr(layer, "strides")) == (2, 2)
    assert [adam.beta_1 for adam in two_adams(10)] == [momentum, momentum]


@proves(
    "It scores real images higher than made-up ones, and a penalty keeps its "
    "slope near 1 between the two.",
    keras=">=3",
    false_with={"weight": 0.0},
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
    keras=">=3",
    false_with={"step": 1.0},
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
    keras=">=3",
    false_with={"mixed": True},
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
    keras=">=3",
    false_with={"times": 5},
)
def test_the_critic_learns_once_a_step(times=1):
    gan = small("WassersteinGAN")
    gan.fit(X, epochs=3, **QUIET)
    generator_steps = steps_of(gan.optimizer)
    assert steps_of(gan.discriminator_optimizer) == times * generator_steps


@proves(
    "Over three seeds, both fall from more than 250 to less than 20, and make all "
    "ten digits.",
    keras=">=3",
    false_with={"bound": 1.0},
)
def test_distances_of_both_over_three_seeds(bound=20.0):
    for kind in ("GAN", "WassersteinGAN"):
        for seed in SEEDS:
            (before, _, after), _ = judged(kind, seed)
            assert before["distance"] > 250
            assert after["distance"] < bound
            assert after["classes"] == 10


@proves(
    "The judge is sure of less than 8 in 10 of these images; of those of the "
    "conditional GAN, which has to choose a digit, of more than 9 in 10.",
    keras=">=3",
    false_with={"kind": "GAN"},
)
def test_clear_images_of_each(kind="ConditionalGAN"):
    for seed in SEEDS:
        for unlabeled in ("GAN", "WassersteinGAN"):
            assert 0.4 < judged(unlabeled, seed)[0][-1]["clear"] < 0.8
        assert judged(kind, seed)[0][-1]["clear"] > 0.9


@proves(
    "Both optimizers forget old gradients soon, since the rival changes all the time: "
    "with the `beta_2=0.999` of Keras in place of 0.9, the same WGAN-GP ends more than "
    "twice as far from the digits.",
    keras=">=3",
    false_with={"optimizers": "two_adams"},
)
def test_optimizers_that_forget_soon(optimizers="slow_to_forget"):
    soon, late = (
        judged("WassersteinGAN", optimizers=kind)[0][-1]["distance"]
        for kind in ("two_adams", optimizers)
    )
    assert late > 2 * soon


# How training fails


@functools.cache
def failing(seed, generator_rate, discriminator_rate):
    """Six epochs at two rates: what the judge sees, the losses, a score."""
    from snippets.gans import GAN, build_discriminator, build_generator, judge_samples

    x_train, _, x_test, _ = digits()
    judge = judge_of_the_page()
    keras.utils.set_random_seed(seed)
    gan = GAN(build_generator(16), build_discriminator((8, 8, 1)), seed=seed)
    rates = generator_rate, discriminator_rate
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates))
    logs = gan.fit(x_train, batch_size=64, epochs=6, verbose=0).history
    losses = logs["generator_loss"][-1], logs["discriminator_loss"][-1]
    samples = gan.sample(1000)
    score = float(np.median(gan.score(samples, None, False)))
    return judge_samples(judge, samples, x_test), losses, score


@proves(
    "With a slow discriminator the generator finds one or a few images that pass, "
    "and makes nothing else: **mode collapse**, at most 4 of the 10 classes over "
    "three seeds.",
    keras=">=3",
    false_with={"rates": (1e-3, 1e-3)},
)
def test_a_slow_discriminator_collapses(rates=(1e-2, 1e-5)):
    for seed in SEEDS:
        assert failing(seed, *rates)[0]["classes"] <= 4


@proves(
    "The losses show nothing of it: both stay within 0.3 of those of the first row.",
    keras=">=3",
    false_with={"rates": (1e-4, 1e-2)},
)
def test_losses_of_a_collapse_look_calm(rates=(1e-2, 1e-5)):
    well = failing(0, 1e-3, 1e-3)[1]
    assert np.allclose(failing(0, *rates)[1], well, atol=0.3)


@proves(
    "With a fast one the game is **one-sided**: it scores every made-up image far "
    "below 0, its own loss is low, the generator's is high, and the images stay "
    "bad.",
    keras=">=3",
    false_with={"rates": (1e-3, 1e-3)},
)
def test_a_fast_discriminator_is_one_sided(rates=(1e-4, 1e-2)):
    for seed in SEEDS:
        seen, (generator_loss, discriminator_loss), score = failing(seed, *rates)
        assert score < -4
        assert discriminator_loss < 1 < 2 < generator_loss
        assert seen["distance"] > 200


# The recipe that trains one network


@functools.cache
def classic(rounds=50):
    """The older recipe: the largest change of the discriminator; warnings."""
    layers = keras.layers
    d = keras.Sequential([keras.Input(shape=(4,)), layers.Dense(1, "sigmoid")])
    d.compile(loss="binary_crossentropy", optimizer="sgd")
    d.trainable = False
    g = keras.Sequential([keras.Input(shape=(3,)), layers.Dense(4)])
    gan = keras.Sequential([g, d])
    gan.compile(loss="binary_crossentropy", optimizer="sgd")
    rng = np.random.default_rng(0)
    real, noise = rng.normal(size=(16, 4)) + 1, rng.normal(size=(16, 3))
    before, generator = d.get_weights(), g.get_weights()
    ones, zeros = np.ones((16, 1)), np.zeros((16, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(rounds):
            d.train_on_batch(real, ones)
            d.train_on_batch(np.array(g(noise)), zeros)
            gan.train_on_batch(noise, ones)
    moved = max(
        np.abs(a - b).max() for a, b in zip(before, d.get_weights(), strict=True)
    )
    assert not np.array_equal(generator[0], g.get_weights()[0])
    return float(moved), " ".join(str(warning.message) for warning in caught)


@proves(
    "Keras 3 reads it when the training step is traced, in the first `train_on_batch`: "
    "the flag is `False` by then, and the discriminator never trains.",
    keras=">=3,!=3.6.*",
    false_with={"moved": 0.001},
)
def test_the_classic_recipe_on_keras_3(moved=0.0):
    assert classic()[0] == moved


@proves(
    "This counts on a flag that is read in `compile()`, as it is on Keras 2.",
    keras="<3",
    false_with={"least": 10.0},
)
def test_the_classic_recipe_on_keras_2(least=0.01):
    assert classic()[0] > least


@proves(
    "Keras 3.6 stops with `'NoneType' object has no attribute 'update_state'`.",
    keras="==3.6.*",
)
def test_the_classic_recipe_on_keras_3_6():
    text = "^'NoneType' object has no attribute 'update_state'$"
    with pytest.raises(AttributeError, match=text):
        classic()


@proves(
    "All that Keras 3 says is a warning, *The model does not have any trainable "
    "weights*.",
    keras=">=3,!=3.6.*",
    false_with={"weights": "images"},
)
def test_the_classic_recipe_warns(weights="weights"):
    assert f"does not have any trainable {weights}" in classic()[1]


# Data that it refuses


@proves(
    "All of this stops before the first step, and the networks are as they were:",
    keras=">=3",
    false_with={"factor": 1},
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


# No error, wrong result


@proves(
    "compiled the discriminator, then froze it for a second model | on Keras 3 it "
    "never trains | one `train_step` for both",
    keras=">=3,!=3.6.*",
    false_with={"moved": 0.001},
)
def test_row_classic_recipe(moved=0.0):
    assert classic()[0] == moved
    test_two_steps_under_fit()


@proves(
    "repeated and reshaped one-hot labels | maps with no correct pixel | `label_maps`",
    keras=">=3",
    false_with={"labels": (0, 0)},
)
def test_row_scrambled_maps(labels=(3, 8)):
    from snippets.gans import correct_pixels, label_maps
    from snippets.gans.mistakes import scrambled_label_maps

    wrong = scrambled_label_maps(np.array([3, 8]), 10, 8, 8)
    assert correct_pixels(wrong, np.array([3, 8])) == 0.0
    assert correct_pixels(label_maps(np.array(labels), 10, 8, 8), np.array([3, 8])) == 1


@proves(
    "made samples with `training=True` | an image depends on the others of its "
    "batch | `sample`, or `predict`",
    keras=">=3",
    false_with={"training": False},
)
def test_row_samples_in_training_mode(training=True):
    gan = small()
    noise = np.array(gan.noise(4, seed=0))
    alone = gan.generate(noise[:1], None, training=training)
    together = gan.generate(noise, None, training=training)
    assert not np.allclose(alone[0], together[0], atol=1e-4)
    predicted = gan.predict(noise, verbose=0)
    assert np.allclose(gan.sample(4), predicted, atol=1e-6)


@proves(
    "returned a loss from `train_step` as it is | the history holds one batch of "
    "each epoch | a `keras.metrics.Mean`",
    false_with={"tracked": True},
)
def test_row_raw_loss(tracked=False):
    assert history_of(tracked)[1] == [4.0, 4.0]
    assert history_of(True)[1] == [2.5, 2.5]


@proves(
    "gave the seed of the noise as a number | every step trains on the same noise "
    "| a `SeedGenerator`",
    keras=">=3",
    false_with={"number": False},
)
def test_row_number_as_seed(number=True):
    gan = small()
    source = 5 if number else keras.random.SeedGenerator(5)
    assert np.array_equal(gan.noise(4, source), gan.noise(4, source))
    assert not np.array_equal(*(gan.noise(4, gan.noise_source) for _ in range(2)))


@proves(
    "went by the losses | they stay while the images change | `judge_samples`",
    keras=">=3",
    false_with={"part": 0.001},
)
def test_row_losses(part=0.25):
    (early_loss, late_loss), (early, late) = losses_and_distances()
    assert abs(late_loss - early_loss) < 0.25 * early_loss
    assert late < part * early


# Summary


@proves(
    "two networks under `fit` | a `train_step` with two tapes and two optimizers, "
    "from `GAN`",
    keras=">=3",
    false_with={"steps": 5},
)
def test_how_to_train_two_networks(steps=4):
    gan = small()
    gan.fit(X, batch_size=4, epochs=2, verbose=0)
    optimizers = gan.optimizer, gan.discriminator_optimizer
    assert [steps_of(optimizer) for optimizer in optimizers] == [steps, steps]


@proves(
    "another loss | `discriminator_loss` and `generator_loss` in a subclass",
    keras=">=3",
    false_with={"constant": 4.0},
)
def test_how_to_take_another_loss(constant=3.0):
    from snippets.gans import GAN, build_discriminator, build_generator

    class Other(GAN):
        def discriminator_loss(self, real, fake):
            return tf.reduce_mean(0 * real) + 2.0

        def generator_loss(self, fake):
            return tf.reduce_mean(0 * fake) + 3.0

    gan = Other(build_generator(3, (4, 4, 1), 4), build_discriminator((4, 4, 1), 4))
    gan.compile()
    history = gan.fit(X, **QUIET).history
    assert history["discriminator_loss"] == [2.0]
    assert history["generator_loss"] == [constant]


@proves(
    "images of a class | `ConditionalGAN`, then `sample(labels)`",
    keras=">=3",
    false_with={"label": 0},
)
def test_how_to_ask_for_a_class(label=1):
    gan = small("ConditionalGAN")
    expected = gan.generate(gan.noise(1, seed=0), np.array([1]), training=False)
    assert np.array_equal(gan.sample([label]), expected)


@proves(
    "steady training to the end | `compile(*two_adams(num_steps))`",
    keras=">=3",
    false_with={"steps": 30},
)
def test_how_to_end_steadily(steps=6):
    from snippets.gans import two_adams

    gan = small()
    gan.compile(*two_adams(steps), run_eagerly=True)
    gan.fit(X, epochs=6, **QUIET)
    for optimizer in (gan.optimizer, gan.discriminator_optimizer):
        assert float(optimizer.learning_rate) < 1e-8


@proves(
    "to see progress | `SamplesByEpoch` in `callbacks`",
    keras=">=3",
    false_with={"kept": (0, 1)},
)
def test_how_to_see_progress(kept=(0, 2)):
    from snippets.gans import SamplesByEpoch

    gan, samples = small(), SamplesByEpoch(kept, wanted=1)
    gan.fit(X, epochs=2, callbacks=[samples], **QUIET)
    assert np.array_equal(samples.images[1], gan.sample(1)[0])


@proves(
    "to know how good it is | `judge_samples(train_judge(...), samples, real)`",
    keras=">=3",
    false_with={"bound": 0.1},
)
def test_how_to_know_how_good_it_is(bound=3.0):
    from snippets.gans import judge_samples

    x_train, _, x_test, _ = digits()
    judge = judge_of_the_page()
    assert judge_samples(judge, x_train, x_test)["distance"] < bound
    assert judge_samples(judge, 1 - x_train, x_test)["distance"] > 50


@proves(
    "to keep what makes images | `gan.generator.save(path)`",
    keras=">=3",
    false_with={"seed": 1},
)
def test_how_to_keep_the_generator(seed=0):
    gan = small()
    with tempfile.TemporaryDirectory() as folder:
        gan.generator.save(f"{folder}/generator.keras")
        again = keras.models.load_model(f"{folder}/generator.keras")
    images = np.array(again(gan.noise(4, seed=seed)))
    assert np.allclose(images, gan.sample(4), atol=1e-6)

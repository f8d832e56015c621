"""Proofs of the reference of the WGAN-GP."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_gans import QUIET, X, small, steps_of


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
    "A single score measures no distance; the difference of the mean scores estimates "
    "one.",
    false_with={"slope": 2.0},
    needs="keras>=3",
)
def test_only_differences_of_scores_count(slope=1.0):
    gan = small("WassersteinGAN")
    critic = keras.Sequential(
        [keras.Input((4, 4, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    gan.discriminator = critic
    fakes = X - np.float32(0.25)  # all at a distance of 16 ** 0.5 * 0.25 = 1
    for shift in (0.0, 7.0):
        critic.set_weights([np.full((16, 1), slope / 4), np.full(1, shift)])
        real, fake = (gan.score(images, None, True) for images in (X, fakes))
        assert np.isclose(-float(gan.discriminator_loss(real, fake)), 1.0, atol=1e-5)
        assert (float(real[0, 0]) > 5) == (shift > 5)


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


@proves(
    "`two_adams` lets both rates fall to 0 at the last step:",
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

"""Proofs of the page on a variational autoencoder."""

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves


def small_autoencoder(compute_loss=None):
    """An autoencoder that is compiled, and three images; the loss may be another."""
    from snippets.subclassing import VariationalAutoencoder

    class Other(VariationalAutoencoder):
        pass

    if compute_loss is not None:
        Other.compute_loss = compute_loss
    kind = VariationalAutoencoder if compute_loss is None else Other
    model, images = kind((2, 2, 1)), np.full((3, 2, 2, 1), 0.25, "float32")
    model.compile(keras.optimizers.Adam(0.01), run_eagerly=True)
    model(images)
    model.mean.bias.assign([1.0, -1.0])
    return model, images


def reconstruction_alone(self, x=None, y=None, y_pred=None, *rest, **more):
    """A loss that leaves the divergence out, and tells the trackers nothing."""
    losses = keras.ops.binary_crossentropy(x, y_pred["images"])
    return keras.ops.mean(keras.ops.sum(losses, axis=(1, 2, 3)))


@proves(
    "It needs a class: two methods besides `call`, noise in training alone, and "
    "a loss that needs more than one output.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_a_case_for_a_class(training=True):
    model, images = small_autoencoder()
    for method in (model.encode, model.decode):
        assert callable(method)
    draw = [np.array(model(images, training=training)["images"]) for _ in range(2)]
    still = [np.array(model(images)["images"]) for _ in range(2)]
    assert not np.allclose(*draw)
    assert np.array_equal(*still)
    assert set(model(images)) == {"images", "mean", "log_variance"}


@proves(
    "The loss has two parts: how well the image is reconstructed, and how far its code "
    "is from a standard normal distribution.",
    false_with={"compute_loss": reconstruction_alone},
    needs="keras>=3",
)
def test_the_loss_has_two_parts(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    parts = {name: np.array(value) for name, value in model(images).items()}
    guess, v = parts["images"], parts["log_variance"]
    entropy = images * np.log(guess) + (1 - images) * np.log(1 - guess)
    kl = -0.5 * np.sum(1 + v - parts["mean"] ** 2 - np.exp(v), axis=-1)
    loss = model.evaluate(images, verbose=0, return_dict=True)["loss"]
    assert kl.mean() > 0.01
    assert np.isclose(loss, np.mean(kl - entropy.sum(axis=(1, 2, 3))), rtol=1e-4)


@proves(
    "`fit` and `evaluate` call `compute_loss`, so no `train_step` is needed.",
    false_with={"compute_loss": lambda *rest, **more: keras.ops.zeros(())},
    needs="keras>=3",
)
def test_compute_loss_is_enough(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    assert not {"train_step", "test_step", "fit"} & set(vars(type(model)))
    try:
        before = model.evaluate(images, verbose=0, return_dict=True)["loss"]
        model.fit(images, epochs=3, verbose=0)
        after = model.evaluate(images, verbose=0, return_dict=True)["loss"]
    except ValueError:  # there is no gradient
        before = after = 0.0
    assert after < before


@proves(
    "`sample_weight` multiplies the loss of each image, and the sum is divided "
    "by the number of images, as with the losses of Keras.",
    false_with={"compute_loss": reconstruction_alone},
    needs="keras>=3",
)
def test_sample_weight_is_that_of_keras(compute_loss=None):
    model, images = small_autoencoder(compute_loss)
    images[0], images[1] = 0.9, 0.1

    def loss(x, weights):
        options = {} if weights is None else {"sample_weight": weights}
        return model.evaluate(x, x, verbose=0, return_dict=True, **options)["loss"]

    alone = np.array([loss(images[k : k + 1], None) for k in range(3)], "float32")
    keras_own = keras.losses.MeanAbsoluteError()
    zeros, columns = np.zeros((3, 1), "float32"), alone[:, np.newaxis]
    for weights in ([0.0, 0.0, 0.0], [3.0, 0.0, 1.0], [0.5, 2.0, 7.0]):
        weights = np.array(weights, "float32")
        expected = np.sum(weights * alone) / 3
        of_keras = float(keras_own(zeros, columns, sample_weight=weights))
        assert np.isclose(of_keras, expected, rtol=1e-4)
        assert np.isclose(loss(images, weights), expected, rtol=1e-4)


@proves(
    "The metrics `reconstruction` and `kl` are divided by the sum of the weights, so "
    "they do not add up to the loss.",
    false_with={"weights": (1.0, 1.0, 1.0)},
    needs="keras>=3",
)
def test_weighted_metrics_do_not_add_up(weights=(3.0, 0.0, 1.0)):
    model, images = small_autoencoder()
    images[0], images[1] = 0.9, 0.1
    weights = np.array(weights, "float32")
    parts = {name: np.array(value) for name, value in model(images).items()}
    v = parts["log_variance"]
    kl = -0.5 * np.sum(1 + v - parts["mean"] ** 2 - np.exp(v), axis=-1)
    options = {"sample_weight": weights, "verbose": 0, "return_dict": True}
    found = model.evaluate(images, images, **options)
    expected = np.sum(weights * kl) / np.sum(weights)
    assert np.isclose(found["kl"], expected, rtol=1e-4)
    assert not np.isclose(found["loss"], found["kl"] + found["reconstruction"])


@proves(
    "Pass the images as targets too, `fit(images, images, "
    "sample_weight=weights)`: without targets Keras drops the weights without an "
    "error.",
    false_with={"targets": True},
    needs="keras>=3",
)
def test_weights_without_targets_are_dropped(targets=False):
    model, images = small_autoencoder()
    data = (images, images) if targets else (images,)
    weights = np.zeros(3, "float32")
    loss = model.evaluate(*data, sample_weight=weights, verbose=0, return_dict=True)
    assert loss["loss"] > 0.1
    both = model.evaluate(
        images, images, sample_weight=weights, verbose=0, return_dict=True
    )
    assert both["loss"] == 0.0

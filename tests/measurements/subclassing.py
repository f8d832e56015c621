"""Measurements of the Subclassing guide: what its trainings come to."""

from functools import cache
from typing import Any

import keras
import numpy as np

from snippets.data import digit_images, digit_vectors, split_train_test
from snippets.subclassing import DeepClassifier, VariationalAutoencoder
from snippets.subclassing.autoencoder import nearest_neighbor_accuracy
from tests.measurements.measures import Figures, measures


@cache
def digits() -> tuple[Any, ...]:
    """The digits for training and for the test, as the page splits them."""
    return split_train_test(*digit_images())


@cache
def trained(seed: int, latent_dim: int) -> tuple[VariationalAutoencoder, Any]:
    """The autoencoder of the page with codes of one length, and its history."""
    x_train, _, x_test, _ = digits()
    keras.utils.set_random_seed(seed)
    model = VariationalAutoencoder(image_shape=(8, 8, 1), latent_dim=latent_dim)
    model.compile(optimizer=keras.optimizers.Adam(0.004))
    options = {"epochs": 20, "batch_size": 64, "verbose": 0}
    history = model.fit(x_train, validation_data=(x_test,), **options).history
    return model, history


def squared_error(model: VariationalAutoencoder) -> float:
    """How far the test images are from what the model makes of them."""
    _, _, images, _ = digits()
    decoded = model.predict(images, verbose=0)["images"]
    return float(np.mean((images - decoded) ** 2))


@cache
def right_by_code(seed: int, latent_dim: int) -> float:
    """The share of test codes whose nearest training code is of their digit."""
    x_train, y_train, x_test, y_test = digits()
    model, _ = trained(seed, latent_dim)
    codes = [np.array(model.encode(images)[0]) for images in (x_train, x_test)]
    return nearest_neighbor_accuracy(codes[0], y_train, codes[1], y_test)


@measures(
    "It learns to read more than 90 % of the digits that it has not seen.",
    bound={"accuracy": (0.901, 1.0)},
)
def the_classifier_reads_digits(seed: int) -> Figures:
    """Train the deep classifier as on the page."""
    x_train, y_train, x_test, y_test = split_train_test(*digit_vectors())
    keras.utils.set_random_seed(seed)
    model = DeepClassifier(num_classes=10)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train, y_train, epochs=10, verbose=0)
    return {"accuracy": float(model.evaluate(x_test, y_test, verbose=0)[1])}


@measures(
    "A variational autoencoder squeezes an image into a few numbers, its code, in such "
    "a way that a code drawn at random decodes to something like an image too.",
    bound={"distance_to_digits_over_that_of_noise": (0.0, 0.6)},
)
def random_codes_decode_to_images(seed: int) -> Figures:
    """Decode random codes: how far is the nearest digit, and how far from noise?"""
    generator = np.random.default_rng(seed)
    codes = generator.normal(size=(50, 2)).astype("float32")
    decoded = np.array(trained(seed, 2)[0].decode(codes)).reshape(50, 1, 64)
    noise = generator.permuted(decoded, axis=-1)  # the same pixels, elsewhere
    known = digits()[0].reshape(-1, 64)
    far, far_from_noise = (
        np.mean((images - known) ** 2, axis=-1).min(axis=1).mean()
        for images in (decoded, noise)
    )
    return {"distance_to_digits_over_that_of_noise": float(far / far_from_noise)}


@measures(
    "The loss falls for images that it has not seen as for those it has.",
    bound={
        "last_over_first": (0.0, 0.9),
        "last_over_first_of_the_test": (0.0, 0.9),
        "test_over_training": (0.95, 1.05),
    },
)
def the_loss_falls(seed: int) -> Figures:
    """Compare the last epoch with the first, and the test set with the training set."""
    _, history = trained(seed, 2)
    losses, of_the_test = history["loss"], history["val_loss"]
    return {
        "last_over_first": losses[-1] / losses[0],
        "last_over_first_of_the_test": of_the_test[-1] / of_the_test[0],
        "test_over_training": of_the_test[-1] / losses[-1],
    }


@measures(
    "With two numbers, the error of the autoencoder is below that of two principal "
    "components, which is below that of the mean image.",
    bound={"over_principal_components": (0.0, 0.99), "over_mean_image": (0.0, 0.99)},
)
def the_autoencoder_beats_principal_components(seed: int) -> Figures:
    """Compare squared errors on the test set, each with the next."""
    train, test = (images.reshape(-1, 64) for images in digits()[::2])
    center = train.mean(axis=0)
    axes = np.linalg.svd(train - center, full_matrices=False)[2][:2]
    linear = (test - center) @ axes.T @ axes + center
    of_linear, of_center = (np.mean((test - guess) ** 2) for guess in (linear, center))
    return {
        "over_principal_components": float(
            squared_error(trained(seed, 2)[0]) / of_linear
        ),
        "over_mean_image": float(of_linear / of_center),
    }


@measures(
    "Most digits of a kind stand together.",
    bound={"nearest_of_the_same_kind": (0.501, 1.0)},
)
def digits_gather_in_the_plane(seed: int) -> Figures:
    """How many test codes have a neighbor of their kind?"""
    return {"nearest_of_the_same_kind": right_by_code(seed, 2)}


@measures(
    "More than half are right with two numbers, and more than 85 % with eight, where "
    "chance is 10 %.",
    bound={"by_two_numbers": (0.501, 1.0), "by_eight_numbers": (0.851, 1.0)},
)
def codes_tell_the_digit(seed: int) -> Figures:
    """Give each test code the label of the nearest training code."""
    return {
        "by_two_numbers": right_by_code(seed, 2),
        "by_eight_numbers": right_by_code(seed, 8),
    }

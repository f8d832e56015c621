"""Measurements of the Subclassing guide: what its trainings come to."""

from functools import cache
from typing import Any

import keras
import numpy as np

from snippets.data import digit_images, digit_vectors, split_train_test
from snippets.subclassing import DeepClassifier, VariationalAutoencoder
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
    "A variational autoencoder maps an image to a few numbers, its code, such that "
    "random codes decode to something like an image.",
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

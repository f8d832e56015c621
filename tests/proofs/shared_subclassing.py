"""What the proofs of the guide subclassing and of its reference pages share."""

import tempfile
import warnings

import numpy as np
from tensorflow import keras

X = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")

Y = np.array([[1.0], [0.0], [2.0]], "float32")


class Plain(keras.Model):
    """Two numbers in, three out, by one layer."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.score = keras.layers.Dense(3, name="score")

    def call(self, x):
        return self.score(x)


def register(cls):
    """Register a class, as every version spells it."""
    return keras.utils.register_keras_serializable(package="proofs")(cls)


def reloaded(model):
    """Save a model to a `.keras` file, and load it."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/m.keras")
        return keras.models.load_model(f"{folder}/m.keras")


def trained_weights(folder):
    """A compiled model after three steps, and the file of its weights."""
    model = Plain()
    model.compile("adam", "mse", run_eagerly=True)
    model.fit(X, np.ones((3, 3)), batch_size=1, verbose=0)
    model.save_weights(f"{folder}/m.weights.h5")
    return model, f"{folder}/m.weights.h5"


def steps_after_loading(build_optimizer):
    """The count of a new optimizer after `load_weights`, and what was warned of."""
    with tempfile.TemporaryDirectory() as folder:
        model, path = trained_weights(folder)
        copy = Plain()
        copy(X)
        copy.compile("adam", "mse")
        if build_optimizer:
            copy.optimizer.build(copy.trainable_variables)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            copy.load_weights(path)
        assert np.allclose(copy(X), model(X), atol=1e-6)
        texts = [str(warning.message) for warning in caught]
        skips = any("Skipping variable loading for optimizer" in text for text in texts)
        return int(np.array(copy.optimizer.iterations)), skips

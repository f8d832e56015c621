"""What the proofs of the guide custom_layers and of its reference pages share."""

import tempfile

import numpy as np
from tensorflow import keras


def mine(dtype="float32", **methods):
    """A layer of the Keras of this environment, from functions."""
    body = {"call": lambda self, x: x * 1, **methods}
    return type("Mine", (keras.layers.Layer,), body)(dtype=dtype)


def registered(layer_class):
    """Register a class under its own name, in place of an earlier one."""
    keras.utils.get_custom_objects().pop(f"proofs>{layer_class.__name__}", None)
    return keras.utils.register_keras_serializable(package="proofs")(layer_class)


def reloaded(model, **options):
    """What comes back from a `.keras` file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras", **options)


def steps(batch=2, time=5, features=4):
    generator = np.random.default_rng(0)
    return generator.normal(size=(batch, time, features)).astype("float32")


def formula(units=3, time=5, features=4, last=True):
    """A layer of additive attention, its inputs and each line of its formula.

    With `last=False` a mask leaves the last step out.
    """
    from snippets.custom_layers import AttentionPooling

    layer = AttentionPooling(units)
    x = steps(2, time, features)
    mask = {} if last else {"mask": np.ones((2, 1)) * (np.arange(time) < time - 1)}
    pooled, weights = layer(x, return_attention_scores=True, **mask)
    w, b, v = layer.get_weights()
    hidden = np.tanh(x @ w + b)
    scores = (hidden @ v)[..., 0]
    return x, hidden, scores, np.array(weights), np.array(pooled)

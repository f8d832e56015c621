"""What the proofs of the guide training_loops and of its reference pages share."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

X = np.sin(np.arange(48, dtype="float32")).reshape(12, 4)

Y = np.arange(12) % 3

EAGER = {"loss": "sparse_categorical_crossentropy", "run_eagerly": True}
QUIET = {"batch_size": 4, "shuffle": False, "verbose": 0}


def classifier(model_class=keras.Model, dropout=0.0, seed=0):
    """A model from 4 numbers to 3 classes, with the same weights each time."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(shape=(4,))
    x = keras.layers.Dropout(dropout)(inputs) if dropout else inputs
    scores = keras.layers.Dense(3, activation="softmax")(x)
    return model_class(inputs, scores)


def crossentropy():
    return keras.losses.SparseCategoricalCrossentropy()


def largest_difference(some, others):
    pairs = zip(some, others, strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b)))) for a, b in pairs)


def plain_gradients(model, x, y):
    with tf.GradientTape() as tape:
        loss = crossentropy()(y, model(x, training=True))
    return tape.gradient(loss, model.trainable_variables)

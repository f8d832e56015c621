"""What the proofs of the guide training_loops and of its reference pages share."""

import functools
import json
import os
import subprocess
import sys

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


@functools.cache
def in_fresh_process(program):
    """Run a program in a fresh process; return what it prints last, read as JSON."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return json.loads(run.stdout.splitlines()[-1])


# A process has to divide its CPU at its start. What a page needs comes after this.
TWO_DEVICES = """
import functools, json
import numpy as np
import tensorflow as tf
[processor] = tf.config.list_physical_devices("CPU")
parts = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, parts)
from tensorflow import keras
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
one = tf.distribute.get_strategy()
from tests.proofs.shared_training_loops import X, Y, largest_difference
is_keras_3 = hasattr(keras, "ops")

def network(kind=keras.Model):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    scores = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.L2(0.1))
    return kind(inputs, keras.layers.Softmax(dtype="float32")(scores(inputs)))

def overflow(place):
    x = X.copy()
    if place is not None:
        x[2 * place] = 1e6  # the first batch is 0 and 1 here, 2 and 3 there
    return x

@functools.cache
def fit(kind=keras.Model, policy="float32", place=None, strategy=two):
    keras.mixed_precision.set_global_policy(policy)
    with strategy.scope():
        model = network(kind)
        loss = "sparse_categorical_crossentropy"
        model.compile(keras.optimizers.SGD(0.5), loss, metrics=["accuracy"])
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    history = model.fit(overflow(place), Y, **options).history
    keras.mixed_precision.set_global_policy("float32")
    return [*history["loss"], *history["accuracy"], *model.get_weights()]
"""

"""Proofs of the page on batches larger than the memory."""

import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_training_loops import (
    X,
    Y,
    classifier,
    crossentropy,
    largest_difference,
    plain_gradients,
)


@proves(
    "For one batch that does not fit into the memory, sum the gradients of the parts, "
    "each counted by its size and with the losses of regularizers and `add_loss`; the "
    "sum is the gradient of the large batch:",
    false_with={"examples": 11},
    needs="keras>=3",
)
def test_accumulated_gradients_are_those_of_the_batch(examples=12):
    from snippets.training_loops import accumulated_gradients

    model = classifier()
    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts=5)
    whole = plain_gradients(model, X[:examples], Y[:examples])
    assert largest_difference(parts, whole) < 1e-6


@proves(
    "For one batch that does not fit into the memory, sum the gradients of the parts, "
    "each counted by its size and with the losses of regularizers and `add_loss`; the "
    "sum is the gradient of the large batch:",
    false_with={"rate": 0.2},
    needs="keras>=3",
)
def test_accumulated_gradients_keep_all_losses(rate=0.1):
    """A regularizer, and a layer that calls `add_loss`."""
    from snippets.training_loops import accumulated_gradients

    class Penalty(keras.layers.Layer):
        def call(self, x):
            self.add_loss(tf.reduce_mean(x**2))
            return x

    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(4,))
    options = {"kernel_regularizer": keras.regularizers.L2(0.1)}
    dense, penalty = keras.layers.Dense(4, **options), Penalty()
    last = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(inputs, last(penalty(dense(inputs))))
    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts=5)
    with tf.GradientTape() as tape:
        hidden = dense(X)
        loss = crossentropy()(Y, last(hidden)) + tf.reduce_mean(hidden**2)
        loss += rate * tf.reduce_sum(tf.convert_to_tensor(dense.kernel) ** 2)
    whole = tape.gradient(loss, model.trainable_variables)
    assert largest_difference(parts, whole) < 1e-5

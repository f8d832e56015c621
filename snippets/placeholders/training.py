"""The same training in a session, in a function and in Keras."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def start_weights(
    num_features: int = 64, num_hidden: int = 32, num_classes: int = 10, seed: int = 0
) -> dict[str, npt.NDArray[np.float32]]:
    """Draw the weights from which three programs start alike.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_hidden: Integer of at least 1, the units of the hidden layer.
        num_classes: Integer of at least 1.
        seed: Integer of at least 0; the same seed gives the same weights.

    Returns:
        A dict of float32 arrays: `hidden/kernel`, `hidden/bias`, `scores/kernel`,
        `scores/bias`, the names a `keras.Model` with these two layers uses too.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> {name: array.shape for name, array in start_weights().items()}
        {'hidden/kernel': (64, 32), 'hidden/bias': (32,), 'scores/kernel': (32, 10),
         'scores/bias': (10,)}
    """
    sizes = (num_features, num_hidden, num_classes)
    if min(sizes) < 1:
        raise ValueError(f"Expected sizes of at least 1. Received: {sizes}")
    generator = np.random.default_rng(seed)
    weights = {}
    for name, (rows, columns) in {"hidden": sizes[:2], "scores": sizes[1:]}.items():
        limit = np.sqrt(6.0 / (rows + columns))  # Glorot and Bengio, 2010
        kernel = generator.uniform(-limit, limit, (rows, columns))
        weights[f"{name}/kernel"] = kernel.astype("float32")
        weights[f"{name}/bias"] = np.zeros(columns, "float32")
    return weights


def train_in_session(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
    checkpoint: str | Path | None = None,
) -> list[float]:
    """Train a classifier by placeholders and a session: a whole program of 2017.

    This is old code, to be compared with `train_in_function` and `train_in_keras`.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.
        checkpoint: Path at which a `Saver` writes the trained variables, or `None`.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_session(start_weights(), batches)
        >>> first > second
        True
    """
    tf1 = tf.compat.v1  # in 2017, these names stood in `tf`
    with tf.Graph().as_default():
        num_features = weights["hidden/kernel"].shape[0]
        x = tf1.placeholder(tf.float32, [None, num_features], name="x")
        y = tf1.placeholder(tf.int64, [None], name="y")
        variable = {
            name: tf1.get_variable(name, initializer=value)
            for name, value in weights.items()
        }
        hidden = tf.matmul(x, variable["hidden/kernel"]) + variable["hidden/bias"]
        scores = tf.matmul(tf.nn.relu(hidden), variable["scores/kernel"])
        scores = scores + variable["scores/bias"]
        loss = tf1.losses.sparse_softmax_cross_entropy(y, scores)
        train = tf1.train.GradientDescentOptimizer(learning_rate).minimize(loss)
        saver = tf1.train.Saver()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            losses = []
            for vectors, labels in batches:
                feed_dict = {x: vectors, y: labels}
                value, _ = session.run([loss, train], feed_dict=feed_dict)
                losses.append(float(value))
            if checkpoint is not None:
                saver.save(session, str(checkpoint), write_meta_graph=False)
    return losses


def train_in_function(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
) -> list[float]:
    """Train the same classifier by one `tf.function`, without Keras.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_function(start_weights(), batches)
        >>> first > second
        True
    """
    variable = {name: tf.Variable(value) for name, value in weights.items()}
    num_features = weights["hidden/kernel"].shape[0]

    @tf.function(
        autograph=False,  # there is no Python `if` or loop to translate
        input_signature=[
            tf.TensorSpec([None, num_features], tf.float32),
            tf.TensorSpec([None], tf.int64),
        ],
    )
    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            hidden = tf.matmul(x, variable["hidden/kernel"]) + variable["hidden/bias"]
            scores = tf.matmul(tf.nn.relu(hidden), variable["scores/kernel"])
            scores = scores + variable["scores/bias"]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
            loss = tf.reduce_mean(losses)
        for name, gradient in tape.gradient(loss, variable).items():
            variable[name].assign_sub(learning_rate * gradient)
        return loss

    return [float(step(vectors, labels)) for vectors, labels in batches]


def classifier_with(weights: Mapping[str, npt.NDArray[np.float32]]) -> keras.Model:
    """Build the same classifier in Keras and give it weights by name.

    Args:
        weights: Dict of arrays as `start_weights` gives it.

    Returns:
        An uncompiled `keras.Model` from vectors of shape `(batch, num_features)` to
        scores before softmax of shape `(batch, num_classes)`, float32.

    Example:
        >>> [weight.path for weight in classifier_with(start_weights()).weights]
        ['hidden/kernel', 'hidden/bias', 'scores/kernel', 'scores/bias']
    """
    num_features, num_hidden = weights["hidden/kernel"].shape
    num_classes = len(weights["scores/bias"])
    x = keras.Input(shape=(num_features,), name="x")
    hidden = keras.layers.Dense(num_hidden, activation="relu", name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(num_classes, name="scores")(hidden))
    for weight in model.weights:
        weight.assign(weights[weight.path])
    return model


def train_in_keras(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
) -> list[float]:
    """Train the same classifier as a `keras.Model`, batch by batch.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_keras(start_weights(), batches)
        >>> first > second
        True
    """
    model = classifier_with(weights)
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = []
    for vectors, labels in batches:
        model.reset_metrics()  # else some versions return the mean of all batches
        losses.append(float(model.train_on_batch(vectors, labels)))
    return losses

"""Placeholders, and what stands in their place."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import keras
import numpy as np
import tensorflow as tf


def row_sums_of_2017(batch: Any) -> Any:
    """Sum rows by placeholder, session and feed_dict: old code, to be compared.

    Args:
        batch: Array of real numbers, shape `(batch, 3)`.

    Returns:
        An array of shape `(batch,)`, float32.

    Raises:
        ValueError: If TensorFlow cannot feed `batch` to a placeholder of shape
            `(None, 3)`.

    Example:
        >>> row_sums_of_2017([[1.0, 2.0, 3.0]]).tolist()
        [6.0]
    """
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        return session.run(tf.reduce_sum(x, axis=1), feed_dict={x: batch})


def call_on_placeholder(model: Any) -> tf.Tensor:
    """Call a model on a placeholder in a graph of its own: old code, to be compared.

    Args:
        model: A model of Keras 3 or Keras 2 for vectors of 784 values, or a function
            that makes one, which is then called inside the graph.

    Returns:
        A symbolic tensor, what the model returns.

    Raises:
        RuntimeError: If the weights of the model were made outside.
        ValueError: Likewise, for a Sequential model of Keras 2.

    Example:
        >>> dense = lambda: keras.Sequential([keras.layers.Dense(10)])
        >>> call_on_placeholder(dense).shape
        TensorShape([None, 10])
    """
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, [None, 784])
        if not hasattr(model, "weights"):
            model = model()
        return model(placeholder)


def begin_at_placeholder(keras_module: ModuleType) -> tf.Tensor:
    """Begin a model at an InputLayer on a placeholder: old code, to be compared.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A symbolic tensor, the output of the model.

    Raises:
        ValueError: On Keras 3, where `input_tensor` must be a `KerasTensor`.

    Example:
        >>> import tf_keras
        >>> begin_at_placeholder(tf_keras).shape
        TensorShape([None, 10])
    """
    layers = keras_module.layers
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, [None, 784])
        start = layers.InputLayer(input_tensor=placeholder)
        return keras_module.Sequential([start, layers.Dense(10)]).output


@keras.saving.register_keras_serializable(package="snippets")
def network_of_2017(x: tf.Tensor) -> tf.Tensor:
    """Compute scores with variables from `get_variable`: old code, to be wrapped.

    Args:
        x: Tensor of shape `(batch, num_features)`, float32.

    Returns:
        A tensor of shape `(batch, 10)`, float32.

    Example:
        >>> spec = tf.TensorSpec([None, 64], tf.float32)
        >>> function = tf.compat.v1.wrap_function(network_of_2017, [spec])
        >>> len(function.variables)
        3
    """
    tf1 = tf.compat.v1
    kernel = tf1.get_variable("scores/kernel", [x.shape[1], 10])
    bias = tf1.get_variable("scores/bias", [10], initializer=tf1.zeros_initializer())
    scale = tf1.get_variable(
        "scale", [], initializer=tf1.ones_initializer(), trainable=False
    )
    return scale * tf.matmul(x, kernel) + bias


def unfed_placeholders(graph: Any) -> list[str]:
    """List the placeholders that the outputs of a traced function still wait for.

    Args:
        graph: The `graph` of a function of `tf.compat.v1.wrap_function`.

    Returns:
        A sorted list of the names of placeholders that are no arguments.

    Example:
        >>> spec = tf.TensorSpec([], tf.float32)
        >>> unfed_placeholders(tf.compat.v1.wrap_function(tf.square, [spec]).graph)
        []
    """
    fed = {tensor.op for tensor in graph.inputs}
    behind, ahead = set(), [tensor.op for tensor in graph.outputs]
    while ahead:
        operation = ahead.pop()
        if operation not in behind:
            behind.add(operation)
            ahead += [tensor.op for tensor in operation.inputs]
    return sorted(op.name for op in behind - fed if op.type == "Placeholder")


@contextmanager
def graph_of_2017() -> Iterator[dict[str, Any]]:
    """Lend a graph and a session with some tensors, to show how old code fails.

    Yields:
        A dict of names: `tf`, `np`, `tf1` for `tf.compat.v1`, `session`, a placeholder
        `x` of shape `(None, 3)`, float32, its sum `total`, an uninitialized variable
        `w`, and `elsewhere`, a tensor of another graph.

    Example:
        >>> with graph_of_2017() as names:
        ...     names["session"].run(names["total"], {names["x"]: [[1.0, 2.0, 3.0]]})
        np.float32(6.0)
    """
    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        elsewhere = tf.constant(1.0)
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        names = {"x": x, "total": tf.reduce_sum(x), "w": tf1.get_variable("w", [3])}
        # Not `with tf1.Session()`: that would make it the default session.
        session = tf1.Session(graph=graph)
        try:
            shared = {"tf": tf, "np": np, "tf1": tf1, "session": session}
            yield {**shared, **names, "elsewhere": elsewhere}
        finally:
            session.close()

"""What placeholders were fed with, and a function that waits for them."""

from typing import Any

import keras
import tensorflow as tf


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


class Scaled(keras.Model):
    """Multiply by 0.5, or by what a call gives as `factor`.

    Call arguments:
        x: Float tensor of any shape.
        factor: Float, in place of `tf.placeholder_with_default(0.5, [])`.

    Example:
        >>> float(Scaled()(keras.ops.ones(1), factor=3.0)[0])
        3.0
    """

    def call(self, x: Any, factor: float = 0.5) -> Any:
        return factor * x


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

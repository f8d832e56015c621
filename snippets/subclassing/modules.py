"""The same in `tf.Module`, without Keras."""

import math

import tensorflow as tf

from snippets.checks import check_integer


class LinearModule(tf.Module):
    """Multiply by a matrix and add a vector, with nothing but TensorFlow.

    Args:
        num_inputs: Integer of at least 1.
        num_outputs: Integer of at least 1.
        name: String or `None`, the name of the module.

    Call arguments:
        x: Tensor of shape `(batch, num_inputs)`, float32.

    Returns:
        A tensor of shape `(batch, num_outputs)`, float32.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> len(LinearModule(64, 10).trainable_variables)
        2
    """

    def __init__(
        self, num_inputs: int, num_outputs: int, name: str | None = None
    ) -> None:
        super().__init__(name)
        check_integer("num_inputs", num_inputs)
        check_integer("num_outputs", num_outputs)
        limit = math.sqrt(6.0 / (num_inputs + num_outputs))
        start = tf.random.uniform((num_inputs, num_outputs), -limit, limit)
        self.kernel = tf.Variable(start, name="kernel")
        self.bias = tf.Variable(tf.zeros(num_outputs), name="bias")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return x @ self.kernel + self.bias


class ModuleClassifier(tf.Module):
    """Classify vectors by two linear modules, with nothing but TensorFlow.

    Args:
        num_features: Integer of at least 1.
        num_classes: Integer of at least 1.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, float32.

    Returns:
        A tensor of probabilities, shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> len(ModuleClassifier(64, 10).submodules)
        2
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.layers = [LinearModule(num_features, 32), LinearModule(32, num_classes)]
        vectors = tf.TensorSpec((None, num_features), tf.float32)
        self.serve = tf.function(self.__call__, input_signature=[vectors])

    def __call__(self, vectors: tf.Tensor) -> tf.Tensor:
        first, second = self.layers
        return tf.nn.softmax(second(tf.nn.relu(first(vectors))))

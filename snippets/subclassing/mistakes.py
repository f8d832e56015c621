"""Deliberate mistakes: classes that train, save or reload wrongly.

Most are made for one Keras, to show what Keras 2 and Keras 3 do with them.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable(package="snippets")
class TwoHeads(keras.Model):
    """Score vectors by one layer, or by two if `use_extra` is set.

    The switch is a plain attribute: no file holds it, nor builds the layer behind it.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`.

    Returns:
        A tensor of shape `(batch, 10)`.

    Example:
        >>> model = TwoHeads()
        >>> model.use_extra = True
        >>> TwoHeads.from_config(model.get_config()).use_extra
        False
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.use_extra = False
        self.scores = keras.layers.Dense(10, name="scores")
        self.extra = keras.layers.Dense(10, name="extra")

    def call(self, x: Any) -> Any:
        scores = self.scores(x)
        if self.use_extra:
            scores = scores + self.extra(x)
        return scores


def layer_with_tf_variable(keras_module: Any) -> Any:
    """Make a layer that keeps its weights in a `tf.Variable`.

    Keras 2 finds it there; Keras 3 does not, and so never trains it.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from shape `(batch, 2)` to `(batch, 1)`.

    Example:
        >>> len(layer_with_tf_variable(keras).trainable_variables)
        0
    """

    class Product(keras_module.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.zeros((2, 1)))

        def call(self, x: Any) -> Any:
            return tf.matmul(x, self.kernel)

    return Product()


def model_with_list_of_layers(keras_module: Any) -> Any:
    """Make a model with one layer in a list, which a checkpoint of Keras 3 leaves out.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, from shape `(batch, features)` to `(batch, 2)`.

    Example:
        >>> model = model_with_list_of_layers(keras)
        >>> model(tf.ones((1, 2))).shape, len(model.weights)
        (TensorShape([1, 2]), 2)
    """

    class Stack(keras_module.Model):
        def __init__(self) -> None:
            super().__init__(name="stack")
            self.steps = [keras_module.layers.Dense(2, name="dense")]

        def call(self, x: Any) -> Any:
            for step in self.steps:
                x = step(x)
            return x

    return Stack()


def layer_with_python_if(keras_module: Any) -> Any:
    """Make a layer whose `call` asks a tensor a question in Python.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from any shape to the same.

    Example:
        >>> layer_with_python_if(keras)(tf.constant([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    class Scale(keras_module.layers.Layer):
        def call(self, x: Any) -> Any:
            largest = tf.reduce_max(tf.abs(x))
            if largest > 0:
                x = x / largest
            return x

    return Scale()


class WithoutTraining(keras.Model):
    """Normalize vectors, by a `call` without `training`.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`.

    Returns:
        A tensor of the same shape.

    Example:
        >>> model = WithoutTraining()
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(tf.fill((8, 1), 5.0), tf.zeros((8, 1)), verbose=0)
        >>> model.normalize.moving_mean.numpy().tolist()
        [0.0]
    """

    def __init__(self) -> None:
        super().__init__()
        self.normalize = layers.BatchNormalization(momentum=0.0)

    def call(self, x: Any) -> Any:
        return self.normalize(x)

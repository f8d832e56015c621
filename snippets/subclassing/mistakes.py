"""Deliberate mistakes: classes that train, save or reload wrongly.

Each is made for one Keras, to show what Keras 2 and Keras 3 do with it.
"""

from typing import Any

import numpy as np
import tensorflow as tf


def layer_with_tf_variable(keras_module: Any) -> Any:
    """Make a layer that keeps its weights in a `tf.Variable`.

    Keras 2 finds it there; Keras 3 does not, and so never trains it.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from shape `(batch, 2)` to `(batch, 1)`.

    Example:
        >>> import keras
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


def layer_without_super(keras_module: Any) -> Any:
    """Make a layer whose `__init__` forgets `super().__init__()`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, which raises a RuntimeError when it is called.

    Example:
        >>> import keras
        >>> layer_without_super(keras)(np.ones((3, 2)))
        Traceback (most recent call last):
            ...
        RuntimeError: In layer 'Forgetful', you forgot to call `super().__init__()` ...
    """

    class Forgetful(keras_module.layers.Layer):
        def __init__(self) -> None:
            self.score = keras_module.layers.Dense(1)

    return Forgetful()


def model_without_super(keras_module: Any) -> Any:
    """Make a model whose `__init__` forgets `super().__init__()`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of Keras 3, which raises a RuntimeError when it is called.

    Raises:
        RuntimeError: On Keras 2, at the first layer.

    Example:
        >>> import keras
        >>> model_without_super(keras)(np.ones((3, 2)))
        Traceback (most recent call last):
            ...
        RuntimeError: In layer 'Forgetful', you forgot to call `super().__init__()` ...
    """

    class Forgetful(keras_module.Model):
        def __init__(self) -> None:
            self.score = keras_module.layers.Dense(1)

    return Forgetful()


def model_with_layers_in_call(keras_module: Any) -> Any:
    """Make a model that makes a new layer, with new weights, whenever it is called.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, from shape `(batch, features)` to `(batch, 1)`.

    Example:
        >>> import keras
        >>> model, x = model_with_layers_in_call(keras), np.ones((1, 2))
        >>> bool(model(x) == model(x)), len(model.weights)
        (False, 0)
    """

    class Amnesiac(keras_module.Model):
        def call(self, x: Any) -> Any:
            return keras_module.layers.Dense(1)(x)

    return Amnesiac()


def model_with_list_of_layers(keras_module: Any) -> Any:
    """Make a model with one layer in a list, which a checkpoint of Keras 3 leaves out.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, from shape `(batch, features)` to `(batch, 2)`.

    Example:
        >>> import keras
        >>> model = model_with_list_of_layers(keras)
        >>> model(np.ones((1, 2))).shape, len(model.weights)
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
        >>> import keras
        >>> layer_with_python_if(keras)(np.array([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    class Scale(keras_module.layers.Layer):
        def call(self, x: Any) -> Any:
            largest = tf.reduce_max(tf.abs(x))
            if largest > 0:
                x = x / largest
            return x

    return Scale()


def layer_with_static_batch_size(keras_module: Any) -> Any:
    """Make a layer that reads the batch size off `x.shape`, where it may be `None`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from shape `(batch, 2)` to `(batch, 3)`.

    Example:
        >>> import keras
        >>> layer_with_static_batch_size(keras)(np.ones((5, 2))).shape
        TensorShape([5, 3])
    """

    class AddOnes(keras_module.layers.Layer):
        def call(self, x: Any) -> Any:
            ones = tf.ones((x.shape[0], 1))
            return tf.concat([x, ones], axis=-1)

    return AddOnes()


def layer_without_kwargs(keras_module: Any) -> Any:
    """Make a layer whose `__init__` takes neither `name` nor `**kwargs`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, registered, whose config it cannot read itself.

    Example:
        >>> import keras
        >>> layer = layer_without_kwargs(keras)
        >>> type(layer)(**layer.get_config())
        Traceback (most recent call last):
            ...
        TypeError: ...__init__() got an unexpected keyword argument 'name'
    """

    @keras_module.utils.register_keras_serializable(package="snippets")
    class Rigid(keras_module.layers.Layer):
        def __init__(self, factor: float = 2.0) -> None:
            super().__init__()
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    return Rigid()


def layer_without_config(keras_module: Any) -> Any:
    """Make a layer that is given an array, and leaves its config to Keras.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, whose `get_config` raises a NotImplementedError.

    Example:
        >>> import keras
        >>> layer_without_config(keras).get_config()
        Traceback (most recent call last):
            ...
        NotImplementedError: ...
    """

    class Weighted(keras_module.layers.Layer):
        def __init__(self, factors: Any) -> None:
            super().__init__()
            self.factors = factors

    return Weighted(np.array([1.0, 2.0]))


def model_without_config(keras_module: Any, factor: float) -> Any:
    """Make a model that trusts Keras to remember the arguments of `__init__`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        factor: Float to multiply with; 1.0 by default of the class.

    Returns:
        A model of that Keras, registered, from shape `(batch, features)` to
        `(batch, 1)`.

    Example:
        >>> import keras
        >>> model_without_config(keras, factor=3.0).get_config()["factor"]
        1.0
    """

    @keras_module.utils.register_keras_serializable(package="snippets")
    class Scaled(keras_module.Model):
        def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor
            self.score = keras_module.layers.Dense(1, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.factor * self.score(x)

    return Scaled(factor=factor)


def model_without_training(keras_module: Any) -> Any:
    """Make a model with batch normalization whose `call` takes no `training`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, compiled, from shape `(batch, features)` to
        `(batch, 1)`.

    Example:
        >>> import keras
        >>> model = model_without_training(keras)
        >>> history = model.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)
        >>> model.normalize.moving_mean.numpy().tolist()
        [0.0]
    """

    class Normalized(keras_module.Model):
        def __init__(self) -> None:
            super().__init__()
            self.normalize = keras_module.layers.BatchNormalization(momentum=0.0)
            self.score = keras_module.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.score(self.normalize(x))

    model = Normalized()
    model.compile(optimizer="sgd", loss="mse")
    return model

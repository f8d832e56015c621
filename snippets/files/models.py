"""The models that are written to files by one version and read by another.

They run on Keras 2 and on Keras 3, so they take Keras from TensorFlow. Each has random
weights: a model whose weights were not loaded gives other outputs.
"""

from typing import Any

from tensorflow import keras


def dense() -> keras.Model:
    """Build two Dense layers in a Sequential model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> dense().output_shape
        (None, 3)
    """
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((4,)), *layers])


def convolution() -> keras.Model:
    """Build Conv2D, DepthwiseConv2D and BatchNormalization in a Sequential model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 8, 8, 2)` to `(batch, 3)`.

    Example:
        >>> convolution().output_shape
        (None, 3)
    """
    return keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.DepthwiseConv2D(3),
            keras.layers.BatchNormalization(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def lstm() -> keras.Model:
    """Build an LSTM and a Dense layer in a Sequential model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 5, 4)` to `(batch, 3)`.

    Example:
        >>> lstm().output_shape
        (None, 3)
    """
    layers = [keras.layers.LSTM(6), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((5, 4)), *layers])


@keras.utils.register_keras_serializable(package="files")
class Gain(keras.layers.Layer):
    """Multiply each feature by a learned weight and by a constant.

    Args:
        factor: Float, the constant.
        **kwargs: Keyword arguments of `keras.layers.Layer`, such as `name`.

    Input shape:
        `(batch, features)`.

    Output shape:
        That of the input.

    Example:
        >>> Gain(2.0).get_config()["factor"]
        2.0
    """

    def __init__(self, factor: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add one weight for each feature."""
        shape = (input_shape[-1],)
        self.gain = self.add_weight(
            name="gain", shape=shape, initializer="random_normal"
        )

    def call(self, inputs: Any) -> Any:
        """Multiply `(batch, features)`."""
        return inputs * self.gain * self.factor

    def get_config(self) -> dict[str, Any]:
        """Add the constant to what Keras keeps."""
        return {**super().get_config(), "factor": self.factor}


def custom_layer() -> keras.Model:
    """Build a registered layer of one's own in a Sequential model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> custom_layer().output_shape
        (None, 3)
    """
    return keras.Sequential([keras.Input((4,)), Gain(2.0), keras.layers.Dense(3)])


def lambda_layer() -> keras.Model:
    """Build a Lambda of a Python `lambda` in a Sequential model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> lambda_layer().output_shape
        (None, 3)
    """
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8),
            keras.layers.Lambda(lambda x: 2 * x),
            keras.layers.Dense(3),
        ]
    )


def functional() -> keras.Model:
    """Build two branches that `Add()` joins in a Functional model.

    Returns:
        An uncompiled model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> functional().output_shape
        (None, 3)
    """
    inputs = keras.Input((4,))
    branches = [keras.layers.Dense(8)(inputs) for _ in range(2)]
    joined = keras.layers.Add()(branches)
    return keras.Model(inputs, keras.layers.Dense(3)(joined))


def operator() -> keras.Model:
    """Build two branches that `+` joins in a Functional model.

    Returns:
        An uncompiled model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> operator().output_shape
        (None, 3)
    """
    inputs = keras.Input((4,))
    one, other = (keras.layers.Dense(8)(inputs) for _ in range(2))
    return keras.Model(inputs, keras.layers.Dense(3)(one + other))


def inner() -> keras.Model:
    """Build the small Functional model that stands inside of others.

    Returns:
        An uncompiled model from shape `(batch, 4)` to `(batch, 8)`.

    Example:
        >>> inner().output_shape
        (None, 8)
    """
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(8, activation="relu")(inputs))


def nested() -> keras.Model:
    """Build a Functional model that calls a Functional model.

    Returns:
        An uncompiled model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> nested().output_shape
        (None, 3)
    """
    inputs = keras.Input((4,))
    return keras.Model(inputs, keras.layers.Dense(3)(inner()(inputs)))


def stacked() -> keras.Model:
    """Build a Sequential model whose first layer is a Functional model.

    Returns:
        An uncompiled Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> stacked().output_shape
        (None, 3)
    """
    model = keras.Sequential([inner(), keras.layers.Dense(3)])
    model.build((None, 4))  # Keras 3.4 does not do it by itself
    return model


def compiled() -> keras.Model:
    """Build `dense()`, compiled with strings.

    Returns:
        A compiled, untrained Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> compiled().output_shape
        (None, 3)
    """
    model = dense()
    model.compile("sgd", loss="mse", metrics=["mae"])
    return model


def trained() -> keras.Model:
    """Build `dense()`, compiled with Adam; its writer trains it before it is saved.

    Returns:
        A compiled Sequential model from shape `(batch, 4)` to `(batch, 3)`.

    Example:
        >>> trained().output_shape
        (None, 3)
    """
    model = dense()
    model.compile(keras.optimizers.Adam(0.01), loss="mean_squared_error")
    return model

"""Small models that differ in how they begin."""

import keras


def linear_classifier(num_features: int = 64, num_classes: int = 10) -> keras.Model:
    """Build the smallest classifier: an Input, one layer, a Model.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from vectors of shape `(batch, num_features)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Example:
        >>> linear_classifier(num_features=64).input_shape
        (None, 64)
    """
    features = keras.Input(shape=(num_features,), name="features")
    scores = keras.layers.Dense(num_classes, activation="softmax")(features)
    return keras.Model(features, scores)


def digit_classifier(
    image_shape: tuple[int | None, ...] = (8, 8, 1), num_classes: int = 10
) -> keras.Model:
    """Build a small convolutional classifier that starts at a named Input.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes.

    Example:
        >>> model = digit_classifier()
        >>> model.input_shape, model.output_shape
        ((None, 8, 8, 1), (None, 10))
    """
    if len(image_shape) != 3:
        raise ValueError(f"Expected `image_shape` of 3 axes. Received: {image_shape}")
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu")(pixels)
    x = keras.layers.Flatten()(x)  # (batch, features)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(pixels, scores)


def two_branch_features(
    image_shape: tuple[int | None, ...] = (8, 8, 1),
) -> keras.Model:
    """Build two convolution branches that read the same Input.

    One branch looks at 3 x 3 pixels at a time, the other at 5 x 5.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        features of shape `(batch, 16)`, float32: first those of the 3 x 3 branch.

    Example:
        >>> two_branch_features((8, 8, 1)).output_shape
        (None, 16)
    """
    pixels = keras.Input(shape=image_shape, name="pixels")
    small = keras.layers.Conv2D(8, 3, padding="same", name="small")(pixels)
    large = keras.layers.Conv2D(8, 5, padding="same", name="large")(pixels)
    pooled = [keras.layers.GlobalMaxPooling2D()(branch) for branch in (small, large)]
    return keras.Model(pixels, keras.layers.Concatenate()(pooled))


def classifier_from(
    first_layer: keras.Layer, input_shape: tuple[int | None, ...], num_classes: int
) -> keras.Model:
    """Build a classifier around any first layer, since the Input stands on its own.

    The first layer needs no `input_shape` argument, so it can be swapped like any
    other layer.

    Args:
        first_layer: A `keras.Layer` that accepts tensors of shape
            `(batch, *input_shape)`.
        input_shape: Tuple of integers or `None`, without the batch axis.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> for first in (keras.layers.Dense(4), keras.layers.LSTM(4)):
        ...     print(classifier_from(first, (8, 8), 10).output_shape)
        (None, 10)
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(shape=input_shape),
            first_layer,
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def sequence_classifier(num_features: int, num_classes: int) -> keras.Model:
    """Build a classifier for sequences of any length.

    Args:
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from sequences of shape
        `(batch, time, num_features)` to probabilities of shape
        `(batch, num_classes)`, float32. All sequences of one batch are equally long.

    Example:
        >>> model = sequence_classifier(num_features=8, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, None, 8), (None, 10))
    """
    steps = keras.Input(shape=(None, num_features), name="steps")
    summary = keras.layers.GRU(16)(steps)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax")(summary)
    return keras.Model(steps, scores)


def fully_convolutional(num_channels: int, num_classes: int) -> keras.Model:
    """Build a classifier for images of any height and width.

    Global pooling takes the place of `Flatten`, which would need fixed sizes.

    Args:
        num_channels: Integer of at least 1, the values of one pixel.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape
        `(batch, height, width, num_channels)` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> model = fully_convolutional(num_channels=1, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, None, None, 1), (None, 10))
    """
    pixels = keras.Input(shape=(None, None, num_channels), name="pixels")
    x = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(pixels)
    x = keras.layers.GlobalAveragePooling2D()(x)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(pixels, scores)


def feature_extractor(model: keras.Model, layer_name: str) -> keras.Model:
    """Build a model that stops at an intermediate layer of another model.

    Args:
        model: A `keras.Model` that knows its inputs: Functional or built Sequential.
        layer_name: String, the name of one of its layers.

    Returns:
        A `keras.Model` from the same inputs to the output of that layer. It shares
        its weights with `model`.

    Raises:
        ValueError: If `model` has no inputs or no layer of that name.

    Example:
        >>> feature_extractor(digit_classifier(), "pixels").output_shape
        (None, 8, 8, 1)
    """
    if not getattr(model, "inputs", None):
        raise ValueError(
            "Expected a model that begins at an Input. "
            f"Received: {type(model).__name__}"
        )
    names = [layer.name for layer in model.layers]
    if layer_name not in names:
        raise ValueError(
            f"Expected `layer_name` to be one of {names}. Received: {layer_name!r}"
        )
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.input
    return keras.Model(inputs, model.get_layer(layer_name).output)


def on_raw_pixels(model: keras.Model, maximum: float = 16.0) -> keras.Model:
    """Reuse a model on a new Input, with the scaling of the pixels built in.

    Args:
        model: A `keras.Model` with one input, of floats that range over `[0, 1]`.
        maximum: Float from 1e-30 to 1e30, the largest raw value.

    Returns:
        A `keras.Model` on values from 0 to `maximum`, float32, of the same shape. It
        shares its weights with `model`.

    Raises:
        ValueError: If `maximum` is no such number, or if `model` does not have exactly
            one input, of floats.

    Example:
        >>> on_raw_pixels(digit_classifier()).input_shape
        (None, 8, 8, 1)
    """
    # For others `1 / maximum` can be zero or infinite as float32.
    if not 1e-30 <= maximum <= 1e30:
        raise ValueError(f"Expected `maximum` from 1e-30 to 1e30. Received: {maximum}")
    inputs = getattr(model, "inputs", None) or []
    if len(inputs) != 1:
        raise ValueError(f"Expected a model with one input. Received: {len(inputs)}")
    if not keras.backend.is_float_dtype(inputs[0].dtype):
        raise ValueError(f"Expected a model on floats. Received: {inputs[0].dtype}")
    raw_pixels = keras.Input(batch_shape=inputs[0].shape, name="raw_pixels")
    # Not in the float16 of a mixed policy, in which 1e5 is infinite.
    floatx = keras.config.floatx()
    scaled = keras.layers.Rescaling(1.0 / maximum, dtype=floatx)(raw_pixels)
    return keras.Model(raw_pixels, model(scaled))

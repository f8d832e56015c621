"""Classifiers that are a list of layers."""

import keras

from snippets.checks import check_integer, check_sizes, is_size


def vector_classifier(num_features: int, num_classes: int) -> keras.Sequential:
    """Build a classifier of vectors: two layers, one after the other.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` from vectors of shape `(batch, num_features)`
        to probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If a number is no integer of at least 1.

    Example:
        >>> model = vector_classifier(num_features=784, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, 784), (None, 10))
    """
    return keras.Sequential(
        [
            keras.Input(shape=(check_integer("num_features", num_features),)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def image_classifier(
    image_shape: tuple[int, int, int], num_classes: int
) -> keras.Sequential:
    """Build a convolutional classifier of images of one size.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        An uncompiled `keras.Sequential` from images of shape `(batch, *image_shape)`
        to probabilities of shape `(batch, num_classes)`, float32. The layer named
        `features` gives 32 numbers for each image.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> image_classifier((28, 28, 1), num_classes=10).output_shape
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(shape=check_sizes(image_shape, num_classes), name="pixels"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu", name="features"),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def recurrent_classifier(num_features: int, num_classes: int) -> keras.Sequential:
    """Build a classifier of sequences of any length.

    Args:
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` from sequences of shape
        `(batch, time, num_features)` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> model = recurrent_classifier(num_features=8, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, None, 8), (None, 10))
    """
    return keras.Sequential(
        [
            keras.Input(shape=(None, num_features)),
            keras.layers.GRU(64),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def text_classifier(vocabulary_size: int, num_classes: int) -> keras.Sequential:
    """Build a classifier of texts that are rows of token ids, padded with zeros.

    Args:
        vocabulary_size: Integer of at least 2: the largest token id, plus one. The id
            0 is the padding.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` from token ids of shape `(batch, time)`, int32,
        to probabilities of shape `(batch, num_classes)`, float32. Zeros at the end of a
        row change nothing.

    Example:
        >>> model = text_classifier(vocabulary_size=1000, num_classes=2)
        >>> model.input_shape, model.output_shape
        ((None, None), (None, 2))
    """
    return keras.Sequential(
        [
            keras.Input(shape=(None,), dtype="int32"),
            keras.layers.Embedding(vocabulary_size, 16, mask_zero=True),
            keras.layers.GRU(32),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def with_new_head(
    model: keras.Sequential, num_classes: int, num_dropped: int = 1
) -> keras.Sequential:
    """Put a new last layer on the frozen first layers of a trained model.

    The new model holds the same layers and not copies, so their `trainable` changes
    in `model` too. The dropped layers stay in `model` alone.

    Args:
        model: A built `keras.Sequential` of at least two layers.
        num_classes: Integer of at least 1.
        num_dropped: Integer of at least 1, less than the number of layers: how many
            of the last layers the new one replaces.

    Returns:
        An uncompiled `keras.Sequential` on the same inputs, to probabilities of shape
        `(batch, num_classes)`. Only its last layer, named `head`, is trainable.

    Raises:
        ValueError: If `model` is not a built Sequential of at least two layers, or if
            `num_dropped` leaves no layer or all of them.

    Example:
        >>> model = with_new_head(image_classifier((8, 8, 1), 5), num_classes=3)
        >>> model.output_shape, len(model.trainable_weights)
        ((None, 3), 2)
    """
    is_sequential = isinstance(model, keras.Sequential)
    if not (is_sequential and model.built and len(model.layers) > 1):
        raise ValueError(
            "Expected `model` to be a built Sequential model of at least two layers. "
            f"Received: {type(model).__name__}"
        )
    if not is_size(num_dropped, 1) or num_dropped >= len(model.layers):
        raise ValueError(
            f"Expected `num_dropped` from 1 to {len(model.layers) - 1}, to keep and to "
            f"replace some of {len(model.layers)} layers. Received: {num_dropped!r}"
        )
    head = keras.layers.Dense(num_classes, activation="softmax", name="head")
    kept = model.layers[:-num_dropped]
    for layer in kept:
        layer.trainable = False
    return keras.Sequential(
        [
            keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype),
            *kept,
            head,
        ]
    )

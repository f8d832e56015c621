"""Networks to reuse, and new heads on them."""

from typing import Any

import keras


def feature_network(image_shape: tuple[int, ...] = (8, 8, 1)) -> keras.Model:
    """Build a small convolutional network without a head: images in, features out.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis. Height
            and width are at least 4.

    Returns:
        An uncompiled `keras.Model` named `base`, from images of shape
        `(batch, *image_shape)` to features of shape `(batch, 32)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes, or is too small.

    Example:
        >>> feature_network().output_shape
        (None, 32)
    """
    if len(image_shape) != 3 or min(image_shape[:2]) < 4:
        raise ValueError(
            "Expected `image_shape` (height, width, channels), at least 4 x 4 pixels. "
            f"Received: {image_shape}"
        )
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = pixels
    for block, filters in enumerate((16, 32), start=1):
        convolve = keras.layers.Conv2D(filters, 3, padding="same", name=f"conv_{block}")
        # 0.9 in place of 0.99: the runs are of tens of steps, not of thousands.
        normalize = keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{block}")
        x = keras.layers.ReLU(name=f"relu_{block}")(normalize(convolve(x)))
        x = keras.layers.MaxPooling2D(name=f"pool_{block}")(x)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(pixels, features, name="base")


def classifier_on(
    base: keras.Model, num_classes: int, before: keras.Layer | None = None
) -> keras.Model:
    """Put a new head on a network: the layers that turn its features into scores.

    Args:
        base: A `keras.Model` with one input and one output, of shape
            `(batch, features)` or `(batch, height, width, channels)`. Maps of
            channels are averaged first.
        num_classes: Integer of at least 2.
        before: `None`, or a `keras.Layer` that the images pass first, such as
            augmentation. It keeps their shape.

    Returns:
        An uncompiled `keras.Model` to probabilities of shape `(batch, num_classes)`,
        float32. It shares its weights with `base`, which is one of its layers.

    Raises:
        ValueError: If `num_classes` is less than 2, or if `base` does not begin at
            one Input or has an output of another rank.

    Example:
        >>> classifier_on(feature_network(), num_classes=5).output_shape
        (None, 5)
    """
    if num_classes < 2:
        raise ValueError(
            f"Expected `num_classes` of at least 2. Received: {num_classes}"
        )
    inputs, outputs = (getattr(base, n, None) or [] for n in ("inputs", "outputs"))
    ranks = [len(tensor.shape) for tensor in outputs]
    if len(inputs) != 1 or ranks not in ([2], [4]):
        raise ValueError(
            "Expected `base` with one Input, and one output of rank 2 or 4. "
            f"Received: {len(inputs)} inputs and outputs of ranks {ranks}"
        )
    examples = keras.Input(batch_shape=inputs[0].shape, name="examples")
    x = base(before(examples) if before else examples)
    if len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    scores = keras.layers.Dense(num_classes, activation="softmax", name="head")(x)
    return keras.Model(examples, scores)


@keras.saving.register_keras_serializable(package="snippets")
class InferenceMode(keras.layers.Wrapper):
    """Run a layer or a model in inference mode, also while the model around it trains.

    Inside, Dropout drops nothing, and BatchNormalization uses its stored statistics
    and leaves them as they are. Weights still learn, unless they are frozen. On Keras
    3 this does what `base(x, training=False)` in a Functional model did on Keras 2.

    Args:
        layer: A `keras.Layer` or `keras.Model` with a `training` argument.

    Input shape:
        As `layer` takes it, with the batch axis first.

    Output shape:
        As `layer` gives it.

    Example:
        >>> import numpy as np
        >>> quiet = InferenceMode(keras.layers.Dropout(0.5))
        >>> float(quiet(np.ones((1, 4)), training=True)[0, 0])
        1.0
    """

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Call the wrapped layer with `training=False`, whatever was asked for."""
        return self.layer(inputs, training=False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape that the wrapped layer gives."""
        return self.layer.compute_output_shape(input_shape)


def resnet50_classifier(
    num_classes: int,
    image_shape: tuple[int, int, int] = (224, 224, 3),
    weights: str | None = "imagenet",
) -> keras.Model:
    """Build the published ResNet50 recipe: a frozen base and a new head of two layers.

    The preprocessing of ResNet50 is part of the model.

    Args:
        num_classes: Integer of at least 2.
        image_shape: Tuple `(height, width, 3)`, without the batch axis, at least
            32 x 32 pixels.
        weights: `"imagenet"` to start from weights that Keras downloads once,
            `None` to start untrained, or the path of a file of weights.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)`, RGB
        with values from 0 to 255, to probabilities of shape `(batch, num_classes)`,
        float32. All but its last two layers is frozen.

    Raises:
        ConnectionError: If the weights are neither on this machine nor to be had. The
            message says what to do.
        ValueError: If `num_classes` is less than 2, or if Keras refuses `image_shape`
            or `weights`.

    Example:
        >>> model = resnet50_classifier(5, image_shape=(32, 32, 3), weights=None)
        >>> model.output_shape, len(model.trainable_weights)
        ((None, 5), 4)

    References:
        - [Deep Residual Learning for Image Recognition](
          https://arxiv.org/abs/1512.03385), K. He et al., 2015.
    """
    if num_classes < 2:
        raise ValueError(
            f"Expected `num_classes` of at least 2. Received: {num_classes}"
        )
    try:
        base = keras.applications.ResNet50(
            include_top=False, weights=weights, pooling="avg", input_shape=image_shape
        )
    except Exception as error:
        # Keras raises a bare `Exception` when a download fails.
        if not isinstance(error, OSError) and "URL fetch failure" not in str(error):
            raise
        raise ConnectionError(
            "Expected the ImageNet weights of ResNet50 on this machine, or a network "
            "to download them. Connect once, and Keras keeps the file; or pass its "
            "path, `weights='...notop.h5'`; or start untrained with `weights=None`. "
            f"Received: {error}"
        ) from error
    base.trainable = False
    images = keras.Input(image_shape)
    x = base(keras.applications.resnet50.preprocess_input(images))  # (batch, 2048)
    x = keras.layers.Dense(1024, activation="relu")(x)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(images, scores)

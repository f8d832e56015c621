"""The two networks of a GAN for small images, and their optimizers."""

import keras


def build_generator(
    input_dim: int,
    image_shape: tuple[int, int, int] = (8, 8, 1),
    width: int = 32,
    activation: str = "sigmoid",
) -> keras.Sequential:
    """Build a network that turns noise into images.

    It starts from half the size and doubles it once, as the DCGAN does several times.

    Args:
        input_dim: Integer of at least 1, the numbers it starts from: the noise, and the
            one-hot label if the GAN is conditional.
        image_shape: Tuple `(height, width, channels)`, height and width even.
        width: Integer of at least 2, the channels of its widest layer.
        activation: String, `"sigmoid"` for images in `[0, 1]` or `"tanh"` for images in
            `[-1, 1]`.

    Returns:
        A `keras.Sequential` from vectors of shape `(batch, input_dim)` to images of
        shape `(batch, *image_shape)`.

    Raises:
        ValueError: If `input_dim` is less than 1, or if height or width is odd: half of
            it, doubled, would be another size.

    Example:
        >>> build_generator(16, image_shape=(8, 8, 1)).output_shape
        (None, 8, 8, 1)

    References:
        - [Unsupervised Representation Learning with Deep Convolutional Generative
          Adversarial Networks](https://arxiv.org/abs/1511.06434), A. Radford et al.,
          2015.
    """
    if input_dim < 1:
        raise ValueError(f"Expected `input_dim` of at least 1. Received: {input_dim}")
    if any(size % 2 for size in image_shape[:2]):
        raise ValueError(f"Expected even height and width. Received: {image_shape}")
    height, breadth, layers = image_shape[0] // 2, image_shape[1] // 2, keras.layers
    return keras.Sequential(
        [
            keras.Input((input_dim,), name="noise"),
            layers.Dense(height * breadth * width, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((height, breadth, width)),
            layers.Conv2DTranspose(
                width // 2, 4, strides=2, padding="same", use_bias=False
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(image_shape[2], 3, padding="same", activation=activation),
        ],
        name="generator",
    )


def build_discriminator(
    image_shape: tuple[int, int, int], width: int = 32, dropout: float = 0.3
) -> keras.Sequential:
    """Build a network that scores images: high for real, low for made up.

    It has no BatchNormalization: the statistics would mix the real with the made-up
    images, and a gradient penalty is defined for one image at a time.

    Args:
        image_shape: Tuple `(height, width, channels)`; to the channels of the image
            come those of the label, if the GAN is conditional.
        width: Integer of at least 2, the channels of its widest layer.
        dropout: Float in `[0, 1)`, the part of the features that is dropped.

    Returns:
        A `keras.Sequential` from images of shape `(batch, *image_shape)` to scores of
        shape `(batch, 1)`, float32 of any size: logits, no probabilities.

    Example:
        >>> build_discriminator((8, 8, 1)).output_shape
        (None, 1)
    """
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            layers.Conv2D(width // 2, 3, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(width, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(1),
        ],
        name="discriminator",
    )


def build_photo_generator(
    input_dim: int,
    image_shape: tuple[int, int, int] = (64, 64, 3),
    width: int = 256,
    activation: str = "sigmoid",
) -> keras.Sequential:
    """Build a network that turns noise into images of 64 by 64 pixels.

    It starts from a sixteenth of the height and width and doubles them four times, as
    the DCGAN does. `BatchNormalization` has a momentum of 0.9: with the 0.99 of Keras
    its statistics, which samples are made with, would follow the first hundreds of
    steps too slowly.

    Args:
        input_dim: Integer of at least 1, the numbers it starts from: the noise, and the
            one-hot label if the GAN is conditional.
        image_shape: Tuple `(height, width, channels)`, height and width multiples of
            16.
        width: Integer of at least 16, the channels of the first map; each doubling
            halves them.
        activation: String, `"sigmoid"` for images in `[0, 1]` or `"tanh"` for images in
            `[-1, 1]`.

    Returns:
        A `keras.Sequential` from vectors of shape `(batch, input_dim)` to images of
        shape `(batch, *image_shape)`.

    Raises:
        ValueError: If `input_dim` is less than 1, or if height or width is no multiple
            of 16.

    Example:
        >>> build_photo_generator(64).output_shape
        (None, 64, 64, 3)

    References:
        - [Unsupervised Representation Learning with Deep Convolutional Generative
          Adversarial Networks](https://arxiv.org/abs/1511.06434), A. Radford et al.,
          2015.
    """
    if input_dim < 1:
        raise ValueError(f"Expected `input_dim` of at least 1. Received: {input_dim}")
    if any(size % 16 for size in image_shape[:2]):
        raise ValueError(
            f"Expected height and width to be multiples of 16. Received: {image_shape}"
        )
    height, breadth, layers = image_shape[0] // 16, image_shape[1] // 16, keras.layers
    generator = keras.Sequential(
        [
            keras.Input((input_dim,), name="noise"),
            layers.Dense(height * breadth * width, use_bias=False),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
            layers.Reshape((height, breadth, width)),
        ],
        name="generator",
    )
    for channels in (width // 2, width // 4, width // 8, width // 16):
        options = {"strides": 2, "padding": "same", "use_bias": False}
        generator.add(layers.Conv2DTranspose(channels, 4, **options))
        generator.add(layers.BatchNormalization(momentum=0.9))
        generator.add(layers.ReLU())
    last = layers.Conv2D(image_shape[2], 3, padding="same", activation=activation)
    generator.add(last)
    return generator


def build_photo_discriminator(
    image_shape: tuple[int, int, int], width: int = 256, dropout: float = 0.3
) -> keras.Sequential:
    """Build a network that scores images of 64 by 64 pixels: high for real ones.

    It halves height and width four times. Like `build_discriminator`, it has no
    BatchNormalization.

    Args:
        image_shape: Tuple `(height, width, channels)`; to the channels of the image
            come those of the label, if the GAN is conditional.
        width: Integer of at least 8, the channels of the last map; the ones before have
            an eighth, a quarter and half of them.
        dropout: Float in `[0, 1)`, the part of the features that is dropped.

    Returns:
        A `keras.Sequential` from images of shape `(batch, *image_shape)` to scores of
        shape `(batch, 1)`, float32 of any size: logits, no probabilities.

    Example:
        >>> build_photo_discriminator((64, 64, 3)).output_shape
        (None, 1)
    """
    layers = keras.layers
    discriminator = keras.Sequential(
        [keras.Input(image_shape, name="image")], name="discriminator"
    )
    for channels in (width // 8, width // 4, width // 2, width):
        discriminator.add(layers.Conv2D(channels, 4, strides=2, padding="same"))
        discriminator.add(layers.LeakyReLU(negative_slope=0.2))
    for layer in (layers.Flatten(), layers.Dropout(dropout), layers.Dense(1)):
        discriminator.add(layer)
    return discriminator


def two_adams(
    num_steps: int, learning_rate: float = 3e-3
) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Make an optimizer for each network, whose rate falls to 0 along a cosine.

    With a rate that stays, the quality of the images swings from epoch to epoch. The
    rival of each network changes all the time, so both forget old gradients soon: the
    decay of the second moment is 0.9, where Keras has 0.999.

    Args:
        num_steps: Integer of at least 1, the steps of the whole training.
        learning_rate: Float greater than 0, the rate of the first step.

    Returns:
        A tuple of two `keras.optimizers.Adam`, for `compile` of a `GAN`.

    Raises:
        ValueError: If `learning_rate` is not greater than 0.

    Example:
        >>> generator_optimizer, discriminator_optimizer = two_adams(num_steps=100)
        >>> float(generator_optimizer.learning_rate)
        0.003

    References:
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028),
          I. Gulrajani et al., 2017: `beta_2`, in algorithm 1.
    """
    if not learning_rate > 0:
        raise ValueError(
            f"Expected `learning_rate` greater than 0. Received: {learning_rate}"
        )
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, num_steps)
    first, second = (
        keras.optimizers.Adam(falling, beta_1=0.5, beta_2=0.9) for _ in range(2)
    )
    return first, second

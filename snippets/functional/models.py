"""Models with branches, several inputs, shared layers and skips."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def image_encoder(image_shape: tuple[int, ...], size: int = 16) -> keras.Model:
    """Build a network that turns an image into a short vector.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
        size: Integer of at least 1, the length of the vector.

    Returns:
        An uncompiled `keras.Model` named `encoder`, from images of shape
        `(batch, *image_shape)` to vectors of shape `(batch, size)`, float32.

    Example:
        >>> image_encoder((8, 8, 1), size=5).output_shape
        (None, 5)
    """
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu", name="features")(pixels)
    x = keras.layers.Flatten(name="flat")(x)
    vector = keras.layers.Dense(size, name="vector")(x)
    return keras.Model(pixels, vector, name="encoder")


def siamese_network(encoder: keras.Model) -> keras.Model:
    """Build a network that tells whether two inputs are of the same kind.

    The encoder is called twice. Both calls use the same weights.

    Args:
        encoder: A `keras.Model` with one input and one output of shape
            `(batch, size)`.

    Returns:
        An uncompiled `keras.Model` from `{"left": ..., "right": ...}`, each like the
        input of `encoder`, to probabilities of shape `(batch, 1)`, float32.

    Raises:
        ValueError: If `encoder` has not one input and one output of two axes.

    Example:
        >>> siamese_network(image_encoder((8, 8, 1))).output_shape
        (None, 1)
    """
    inputs, outputs = (getattr(encoder, k, None) or [] for k in ("inputs", "outputs"))
    if len(inputs) != 1 or [len(tensor.shape) for tensor in outputs] != [2]:
        raise ValueError(
            "Expected `encoder` with one input and one output of shape (batch, size). "
            f"Received: {len(inputs)} inputs and {[t.shape for t in outputs]}"
        )
    left = keras.Input(batch_shape=inputs[0].shape, name="left")
    right = keras.Input(batch_shape=inputs[0].shape, name="right")
    difference = keras.ops.abs(encoder(left) - encoder(right))  # (batch, size)
    same = keras.layers.Dense(1, activation="sigmoid", name="same")(difference)
    return keras.Model({"left": left, "right": right}, same)


def sample_pairs(
    examples: npt.NDArray[Any], labels: npt.NDArray[Any], num_pairs: int, seed: int = 0
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float32]]:
    """Draw pairs of examples, every second one of the same class.

    Args:
        examples: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of shape `(num_examples,)`, of at least two classes.
        num_pairs: Integer of at least 1.
        seed: Integer of at least 0. The same seed draws the same pairs.

    Returns:
        A tuple `(pairs, same)`: a dict with `left` and `right`, each of shape
        `(num_pairs, ...)`, and an array of shape `(num_pairs, 1)`, float32, 1.0 for
        two examples of one class, else 0.0.

    Raises:
        ValueError: If the arrays differ in length, if there are fewer than two
            classes, or if `num_pairs` is less than 1.

    Example:
        >>> pairs, same = sample_pairs(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), 4)
        >>> pairs["left"].shape, same.ravel().tolist()
        ((4,), [1.0, 0.0, 1.0, 0.0])
    """
    if len(examples) != len(labels) or len(np.unique(labels)) < 2 or num_pairs < 1:
        raise ValueError(
            "Expected as many `examples` as `labels`, of at least two classes, and "
            f"`num_pairs` of at least 1. Received: {len(examples)} examples, "
            f"{len(labels)} labels of {len(np.unique(labels))} classes, "
            f"num_pairs={num_pairs}"
        )
    generator = np.random.default_rng(seed)
    left = generator.integers(len(labels), size=num_pairs)
    same = np.arange(num_pairs) % 2 == 0
    right = np.array(
        [
            generator.choice(np.flatnonzero((labels == labels[k]) == alike))
            for k, alike in zip(left, same, strict=True)
        ]
    )
    pairs = {"left": examples[left], "right": examples[right]}
    return pairs, same[:, None].astype("float32")


def residual_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Add two convolutions of `x` to `x` itself.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: String, what the names of the layers begin with.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> residual_block(keras.Input((8, 8, 16)), name="first").shape
        (None, 8, 8, 16)

    References:
        - [Deep Residual Learning for Image Recognition](
          https://arxiv.org/abs/1512.03385), K. He et al., 2015.
    """
    channels, options = x.shape[-1], {"padding": "same", "activation": "relu"}
    y = keras.layers.Conv2D(channels, 3, name=f"{name}_conv1", **options)(x)
    y = keras.layers.Conv2D(channels, 3, padding="same", name=f"{name}_conv2")(y)
    return keras.layers.Add(name=f"{name}_sum")([x, y])


def residual_classifier(
    image_shape: tuple[int | None, ...], num_classes: int, num_blocks: int = 2
) -> keras.Model:
    """Build a classifier of residual blocks.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.
        num_classes: Integer of at least 1.
        num_blocks: Integer of at least 0.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `num_blocks` is less than 0.

    Example:
        >>> residual_classifier((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    if num_blocks < 0:
        raise ValueError(f"Expected `num_blocks` of at least 0. Received: {num_blocks}")
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu", name="stem")(pixels)
    for number in range(num_blocks):
        x = residual_block(x, name=f"block{number}")
    x = keras.layers.GlobalMaxPooling2D(name="pooled")(x)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax", name="scores")(x)
    return keras.Model(pixels, scores)


def autoencoder(
    num_features: int, code_size: int
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Build an encoder, a decoder and the chain of both, which share all layers.

    Args:
        num_features: Integer of at least 1, the values of one example.
        code_size: Integer of at least 1.

    Returns:
        A tuple of uncompiled models `(encoder, decoder, whole)`: from vectors of
        shape `(batch, num_features)` to codes of shape `(batch, code_size)`, from
        codes to vectors with values in `[0, 1]`, and from vectors to vectors.

    Example:
        >>> encoder, decoder, whole = autoencoder(num_features=64, code_size=6)
        >>> encoder.output_shape, decoder.input_shape, whole.output_shape
        ((None, 6), (None, 6), (None, 64))
    """
    features = keras.Input(shape=(num_features,), name="features")
    hidden = keras.layers.Dense(64, activation="relu", name="squeeze")(features)
    code = keras.layers.Dense(code_size, name="code")(hidden)
    encoder = keras.Model(features, code, name="encoder")

    any_code = keras.Input(shape=(code_size,), name="any_code")
    hidden = keras.layers.Dense(64, activation="relu", name="widen")(any_code)
    restored = keras.layers.Dense(num_features, activation="sigmoid", name="restored")
    decoder = keras.Model(any_code, restored(hidden), name="decoder")

    whole = keras.Model(features, decoder(code), name="autoencoder")
    return encoder, decoder, whole

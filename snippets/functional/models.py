"""Models with branches, several inputs, shared layers and skips."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def two_branch_classifier(
    image_shape: tuple[int | None, ...], num_classes: int
) -> keras.Model:
    """Build a classifier in which two convolutions read the same image.

    One branch looks at 3 x 3 pixels at a time, the other at 5 x 5.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Example:
        >>> two_branch_classifier((28, 28, 1), num_classes=5).output_shape
        (None, 5)
    """
    pixels = keras.Input(shape=image_shape, name="pixels")
    small = keras.layers.Conv2D(16, 3, activation="relu", name="small")(pixels)
    large = keras.layers.Conv2D(16, 5, activation="relu", name="large")(pixels)
    small = keras.layers.GlobalMaxPooling2D(name="small_pooled")(small)
    large = keras.layers.GlobalMaxPooling2D(name="large_pooled")(large)
    joined = keras.layers.Concatenate(name="joined")([small, large])
    digit = keras.layers.Dense(num_classes, activation="softmax", name="digit")(joined)
    return keras.Model(inputs=pixels, outputs=digit)


def table_model(
    groups: Mapping[str, npt.NDArray[Any]],
    class_counts: Mapping[str, int],
    numbers: Sequence[str] = (),
) -> keras.Model:
    """Build a model with an input for each group of columns and several outputs.

    Each group is normalized and gets a layer of its own; the outputs read all of them.

    Args:
        groups: Dict from the name of an input to its training array, of shape
            `(num_rows, num_columns)`, real and finite. Mean and variance are learned
            from it.
        class_counts: Dict from the name of an output to its number of classes, of at
            least 2.
        numbers: Sequence with the names of outputs that are one number.

    Returns:
        An uncompiled `keras.Model` from a dict of arrays by input name to a dict of
        arrays by output name: probabilities of shape `(batch, num_classes)`, and
        numbers of shape `(batch, 1)`, float32.

    Raises:
        ValueError: If there is no group or no output, if a name is used twice, or if
            an array or a number of classes is none of the above.

    Example:
        >>> size = {"size": np.array([[1.0, 2.0], [3.0, 5.0]])}
        >>> model = table_model(size, {"kind": 3}, numbers=["price"])
        >>> model.output["kind"].shape, model.output["price"].shape
        ((None, 3), (None, 1))
    """
    names = [*groups, *class_counts, *numbers]
    if not groups or len(names) == len(groups) or len(set(names)) < len(names):
        raise ValueError(
            "Expected at least one group and one output, all of different names. "
            f"Received: {names}"
        )
    for name, array in groups.items():
        usable = array.dtype.kind in "fiu" and array.ndim == 2 and array.size
        if not usable or not np.isfinite(array).all():
            raise ValueError(
                f'Expected `groups["{name}"]` of shape (num_rows, num_columns) with '
                f"finite numbers. Received: {array.dtype} of shape {array.shape}"
            )
    if any(count < 2 for count in class_counts.values()):
        raise ValueError(f"Expected 2 or more classes. Received: {dict(class_counts)}")
    inputs, branches = {}, []
    for name, array in groups.items():
        inputs[name] = keras.Input(shape=array.shape[1:], name=name)
        normalization = keras.layers.Normalization(name=f"{name}_normalized")
        normalization.adapt(array)
        hidden = keras.layers.Dense(16, activation="relu", name=f"{name}_features")
        branches.append(hidden(normalization(inputs[name])))
    joined = keras.layers.Concatenate(name="joined")(branches)
    outputs = {
        name: keras.layers.Dense(count, activation="softmax", name=name)(joined)
        for name, count in class_counts.items()
    }
    outputs |= {name: keras.layers.Dense(1, name=name)(joined) for name in numbers}
    return keras.Model(inputs, outputs)


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


def ensemble(models: Sequence[keras.Model]) -> keras.Model:
    """Build one model that averages the outputs of several.

    Args:
        models: Sequence of at least two models, each with one input and one output,
            all of the same shapes. They keep their weights.

    Returns:
        A `keras.Model` with the input and output shapes of the members. It shares its
        weights with them.

    Raises:
        ValueError: If there are fewer than two models, or if their shapes differ.

    Example:
        >>> members = [image_encoder((8, 8, 1)) for _ in range(3)]
        >>> ensemble(members).output_shape
        (None, 16)
    """
    ends = [
        (getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or [])
        for model in models
    ]
    shapes = [[t.shape for t in (*inputs, *outputs)] for inputs, outputs in ends]
    single = all(len(inputs) == len(outputs) == 1 for inputs, outputs in ends)
    if len(models) < 2 or not single or any(pair != shapes[0] for pair in shapes):
        raise ValueError(
            "Expected two or more models with one input and one output each, of the "
            f"same shapes. Received: {shapes}"
        )
    shared = keras.Input(batch_shape=shapes[0][0], name="inputs")
    members = [
        keras.Model(*inputs, *outputs, name=f"member{number}")(shared)
        for number, (inputs, outputs) in enumerate(ends)
    ]
    return keras.Model(shared, keras.layers.Average(name="average")(members))

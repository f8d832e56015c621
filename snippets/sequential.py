"""Recipes around `keras.Sequential`: models in which each layer feeds the next."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy.typing as npt


def vector_classifier(num_features: int, num_classes: int) -> keras.Sequential:
    """Build a classifier of vectors: two layers, one after the other.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` from vectors of shape `(batch, num_features)`
        to probabilities of shape `(batch, num_classes)`, float32.

    Example:
        >>> model = vector_classifier(num_features=784, num_classes=10)
        >>> model.input_shape, model.output_shape
        ((None, 784), (None, 10))
    """
    return keras.Sequential(
        [
            keras.Input(shape=(num_features,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(num_classes, activation="softmax"),
        ]
    )


def image_classifier(
    image_shape: tuple[int | None, ...], num_classes: int
) -> keras.Sequential:
    """Build a convolutional classifier of images of one size.

    Args:
        image_shape: Tuple `(height, width, channels)` of integers, without the batch
            axis; height and width of at least 4.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Sequential` from images of shape `(batch, *image_shape)`
        to probabilities of shape `(batch, num_classes)`, float32. The layer named
        `features` gives 32 numbers for each image.

    Raises:
        ValueError: If `image_shape` does not hold three integers, or if an image is
            smaller than 4 x 4.

    Example:
        >>> image_classifier((28, 28, 1), num_classes=10).output_shape
        (None, 10)
    """
    if len(image_shape) != 3 or None in image_shape:
        raise ValueError(
            "Expected `image_shape` of three integers, (height, width, channels). "
            f"Received: {image_shape}"
        )
    if min(size or 0 for size in image_shape[:2]) < 4:
        raise ValueError(
            f"Expected images of at least 4 x 4 pixels. Received: {image_shape}"
        )
    return keras.Sequential(
        [
            keras.Input(shape=image_shape, name="pixels"),
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


def output_of_copy(layer: keras.Layer, tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Try a copy of a layer on a declared tensor, and leave the layer as it is.

    Args:
        layer: A `keras.Layer` that can be made again from its config, built or not.
        tensor: A `keras.KerasTensor`, what the copy is called on.

    Returns:
        A `keras.KerasTensor`, the one output of the copy.

    Raises:
        NotImplementedError: If `layer` has no config that it can be made from.
        ValueError: If the copy does not accept `tensor`, or gives several tensors.

    Example:
        >>> output_of_copy(keras.layers.Flatten(), keras.Input((8, 8))).shape
        (None, 64)
    """
    label = f"{type(layer).__name__} '{layer.name}'"
    copy = type(layer).from_config(layer.get_config())
    try:
        result = copy(tensor)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {label} to accept the shape {tensor.shape}. Received: {error}"
        ) from error
    if not isinstance(result, keras.KerasTensor):
        count = len(keras.tree.flatten(result))
        raise ValueError(f"Expected {label} to give one tensor. Received: {count}")
    return result


def shapes_by_layer(
    layers: Sequence[keras.Layer] | keras.Sequential,
    input_shape: Sequence[int | None],
) -> dict[str, tuple[int | None, ...]]:
    """Say which shape comes out of each layer, before anything is built or trained.

    The layers themselves are left as they are: copies of them are tried.

    Args:
        layers: Sequence of `keras.Layer` with different names, at least one, or a
            `keras.Sequential`, built or not. A list holds no Input: that is
            `input_shape`.
        input_shape: Tuple or list of integers of at least 1 or `None`, the shape of
            one example, without the batch axis.

    Returns:
        A dict from the name of each layer to the shape of its output, with `None` for
        the batch, in the order of the layers.

    Raises:
        NotImplementedError: If a layer has no config that it can be copied from.
        ValueError: If there is no layer, if something is not a layer of this Keras, if
            two have one name, if `input_shape` is none, or if a layer does not accept
            the shape that the one before it gives. The message names that layer and
            that shape.

    Example:
        >>> convolution = keras.layers.Conv2D(4, 3, name="convolution")
        >>> shapes_by_layer([convolution, keras.layers.Flatten(name="flat")], (8, 8, 1))
        {'convolution': (None, 6, 6, 4), 'flat': (None, 144)}
    """
    given = layers.layers if isinstance(layers, keras.Sequential) else list(layers)
    if not given or not all(isinstance(layer, keras.Layer) for layer in given):
        raise ValueError(
            "Expected `layers` to hold instances of `keras.Layer`, at least one. "
            f"Received: {given}"
        )
    names = [layer.name for layer in given]
    if len(set(names)) < len(names):
        raise ValueError(f"Expected layers of different names. Received: {names}")
    if not isinstance(input_shape, (tuple, list)) or not all(
        size is None or (type(size) is int and size > 0) for size in input_shape
    ):
        raise ValueError(
            "Expected `input_shape` to hold `None` or integers of at least 1, without "
            f"the batch axis. Received: {input_shape!r}"
        )
    tensor = keras.Input(shape=input_shape)
    shapes = {}
    for layer in given:
        tensor = output_of_copy(layer, tensor)
        shapes[layer.name] = tuple(tensor.shape)
    return shapes


def build_for(model: keras.Sequential, examples: npt.NDArray[Any]) -> keras.Sequential:
    """Build a Sequential model for the examples that it will be fed.

    It is built for batches of any size. The first call would note the size of its
    batch as part of the input shape.

    Args:
        model: A `keras.Sequential`, not built, or built for such examples.
        examples: Array of shape `(num_examples, ...)`, any dtype. Its values are not
            used, and it may hold no example.

    Returns:
        `model`, built.

    Raises:
        ValueError: If `model` is no Sequential model or has no layers, if `examples`
            has no axis but the batch or an empty one, or if `model` was built for
            another shape.

    Example:
        >>> import numpy as np
        >>> model = keras.Sequential([keras.layers.Dense(2)])
        >>> build_for(model, np.ones((5, 3))).input_shape
        (None, 3)
    """
    if not isinstance(model, keras.Sequential) or not model.layers:
        raise ValueError(
            f"Expected `model` to be a Sequential model with layers. Received: {model}"
        )
    if examples.ndim < 2 or 0 in examples.shape[1:]:
        raise ValueError(
            "Expected `examples` of shape (num_examples, ...), with at least one axis "
            f"besides the batch and none of size 0. Received: shape {examples.shape}"
        )
    wanted = (None, *examples.shape[1:])
    if not model.built:
        model.build(wanted)
    built_for = tuple(model.input_shape)
    fits = len(built_for) == len(wanted) and all(
        size in (None, own) for size, own in zip(built_for[1:], wanted[1:], strict=True)
    )
    if not fits:
        raise ValueError(
            f"Expected examples of the shape {built_for} that '{model.name}' was built "
            f"for: make a new model for another one. Received: shape {examples.shape}"
        )
    return model


def check_labels(
    model: keras.Sequential, features: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> None:
    """Refuse labels that are no classes of a classifier.

    Args:
        model: A built `keras.Sequential` to probabilities of shape
            `(batch, num_classes)`.
        features: Array of shape `(num_examples, ...)`.
        labels: Array of shape `(num_examples,)`, integers from 0 to one less than the
            number of classes.

    Raises:
        ValueError: If `model` is not built for one vector of probabilities, if there
            are not as many `labels` as `features`, at least one, or if a label is no
            class of the model.

    Example:
        >>> import numpy as np
        >>> check_labels(vector_classifier(4, 2), np.eye(4), np.array([0, 1, 0, 1]))
    """
    if not model.built or len(model.output_shape) != 2:
        raise ValueError(
            "Expected `model` to be built, with one vector of probabilities for each "
            f"example. Received: {model}"
        )
    if len(features) != len(labels) or not len(labels):
        raise ValueError(
            "Expected as many `labels` as `features`, at least one. "
            f"Received: {len(labels)} and {len(features)}"
        )
    num_classes = model.output_shape[-1]
    are_integers = labels.ndim == 1 and labels.dtype.kind in "iu"
    if not (are_integers and 0 <= labels.min() <= labels.max() < num_classes):
        raise ValueError(
            f"Expected `labels` of whole numbers from 0 to {num_classes - 1}, shape "
            f"(num_examples,). Received: {labels.dtype} of shape {labels.shape}, "
            f"from {labels.min()} to {labels.max()}"
        )


def train_classifier(
    model: keras.Sequential,
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    epochs: int = 15,
    validation_data: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
) -> dict[str, list[float]]:
    """Compile a classifier of whole-number labels, and train it.

    Args:
        model: A built `keras.Sequential` to probabilities of shape
            `(batch, num_classes)`.
        features: Array of shape `(num_examples, ...)`, as the model takes it.
        labels: Array of shape `(num_examples,)`, integers from 0 to one less than the
            number of classes.
        epochs: Integer of at least 1.
        validation_data: `None`, or a tuple `(features, labels)` to measure on after
            each epoch. The model does not learn from it.

    Returns:
        A dict from `loss` and `accuracy`, and `val_loss` and `val_accuracy` if there is
        validation data, to one number for each epoch.

    Raises:
        ValueError: If `check_labels` refuses the labels, or those of the validation.

    Example:
        >>> import numpy as np
        >>> model = vector_classifier(num_features=4, num_classes=2)
        >>> history = train_classifier(model, np.eye(4), np.array([0, 1, 0, 1]), 3)
        >>> sorted(history), len(history["loss"])
        (['accuracy', 'loss'], 3)
    """
    check_labels(model, features, labels)
    if validation_data is not None:
        check_labels(model, *validation_data)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.005),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        features, labels, epochs=epochs, validation_data=validation_data, verbose=0
    )
    return dict(history.history)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Copy all weights of one model into another, and refuse to copy nothing.

    On Keras 3 `target.set_weights(source.get_weights())` between two models that are
    not built copies no weight and raises nothing.

    Args:
        source: A built `keras.Model`.
        target: A built `keras.Model` with weights of the same shapes, in the same
            order.

    Raises:
        ValueError: If one of them is not built, or if their weights differ in number
            or shape.

    Example:
        >>> first, second = vector_classifier(4, 2), vector_classifier(4, 2)
        >>> copy_weights(first, second)
        >>> bool((first.get_weights()[0] == second.get_weights()[0]).all())
        True
    """
    for name, model in (("source", source), ("target", target)):
        if not model.built:
            raise ValueError(
                f"Expected `{name}` to be built: it has no weights yet. Start it with "
                f"`keras.Input`, or call `build`. Received: {model}"
            )
    shapes = [[tuple(w.shape) for w in model.weights] for model in (source, target)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            "Expected `source` and `target` with weights of the same shapes. "
            f"Received: {shapes[0]} and {shapes[1]}"
        )
    target.set_weights(source.get_weights())


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
            f"Received: {model}"
        )
    if not 1 <= num_dropped < len(model.layers):
        raise ValueError(
            f"Expected `num_dropped` from 1 to {len(model.layers) - 1}, to keep and to "
            f"replace some of {len(model.layers)} layers. Received: {num_dropped}"
        )
    kept = model.layers[:-num_dropped]
    for layer in kept:
        layer.trainable = False
    return keras.Sequential(
        [
            keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype),
            *kept,
            keras.layers.Dense(num_classes, activation="softmax", name="head"),
        ]
    )


def with_skip(block: keras.Sequential) -> keras.Model:
    """Lead the input of a Sequential block around it, and add both.

    This is what a Sequential model alone cannot do: a tensor is used twice.

    Args:
        block: A built `keras.Sequential` that gives the shape that it takes.

    Returns:
        A `keras.Model` from `x` to `x + block(x)`. It shares its weights with `block`.

    Raises:
        ValueError: If `block` is not built, or changes the shape.

    Example:
        >>> block = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
        >>> with_skip(block).output_shape
        (None, 4)
    """
    if not (isinstance(block, keras.Sequential) and block.built):
        raise ValueError(
            f"Expected `block` to be a built Sequential model. Received: {block}"
        )
    if block.input_shape != block.output_shape:
        raise ValueError(
            "Expected `block` to give the shape that it takes. "
            f"Received: {block.input_shape} and {block.output_shape}"
        )
    x = keras.Input(batch_shape=block.input_shape, name="x")
    return keras.Model(x, keras.layers.Add(name="sum")([x, block(x)]))

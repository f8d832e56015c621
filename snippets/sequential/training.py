"""Build, train and copy a list of layers."""

from typing import Any

import keras
import numpy.typing as npt


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
        >>> from snippets.sequential import vector_classifier
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
        >>> from snippets.sequential import vector_classifier
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
        >>> from snippets.sequential import vector_classifier
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

"""Build, train and copy a list of layers."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.checks import (
    check_integer,
    check_labels,
    check_ndarray,
    check_numbers,
    check_probabilities,
)


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
            is no NumPy array, has no axis but the batch or an empty one, or if `model`
            was built for another shape.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(2)])
        >>> build_for(model, np.ones((5, 3))).input_shape
        (None, 3)
    """
    if not isinstance(model, keras.Sequential) or not model.layers:
        raise ValueError(
            "Expected `model` to be a Sequential model with layers. "
            f"Received: {type(model).__name__}"
        )
    check_ndarray("examples", examples)
    wanted = (None, *examples.shape[1:])
    if examples.ndim < 2 or 0 in wanted:
        raise ValueError(
            "Expected `examples` of shape (num_examples, ...), with at least one axis "
            f"besides the batch and none of size 0. Received: shape {examples.shape}"
        )
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


def check_examples(
    model: keras.Sequential, features: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> None:
    """Refuse examples that a classifier cannot learn from.

    Args:
        model: A built `keras.Sequential` to probabilities of shape
            `(batch, num_classes)`.
        features: Array of shape `(num_examples, ...)`, as the model takes it, finite
            numbers.
        labels: Integer array of shape `(num_examples,)`, from 0 to one less than the
            number of classes.

    Raises:
        ValueError: If an argument is none of these, if `features` and `labels` differ
            in length, or if the model gives no probabilities, for lack of a softmax.

    Example:
        >>> from snippets.sequential import vector_classifier
        >>> check_examples(vector_classifier(4, 2), np.eye(4), np.array([0, 1, 0, 1]))
    """
    is_built = isinstance(model, keras.Sequential) and model.built
    if not is_built or len(model.output_shape) != 2:
        raise ValueError(
            "Expected `model` to be built, with one vector of probabilities for each "
            f"example. Received: {type(model).__name__}"
        )
    check_numbers("features", features)
    check_ndarray("labels", labels)
    check_labels(labels, model.output_shape[-1])
    if features.shape[:1] != labels.shape:
        raise ValueError(
            "Expected as many `labels` as `features`. "
            f"Received: {len(labels)}, and features of shape {features.shape}"
        )
    build_for(model, features)
    check_probabilities(keras.ops.convert_to_numpy(model(features[:1])))


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
        features: Array of shape `(num_examples, ...)`, as the model takes it, finite
            numbers.
        labels: Integer array of shape `(num_examples,)`, from 0 to one less than the
            number of classes.
        epochs: Integer of at least 1.
        validation_data: `None`, or a tuple `(features, labels)` to measure on after
            each epoch. The model does not learn from it.

    Returns:
        A dict from `loss` and `accuracy`, and `val_loss` and `val_accuracy` if there is
        validation data, to one number for each epoch.

    Raises:
        ValueError: If `epochs` is no such integer, if `check_examples` refuses the
            examples, or those of the validation, or if a weight becomes NaN. The model
            keeps its weights.

    Example:
        >>> from snippets.sequential import vector_classifier
        >>> model = vector_classifier(num_features=4, num_classes=2)
        >>> history = train_classifier(model, np.eye(4), np.array([0, 1, 0, 1]), 3)
        >>> sorted(history), len(history["loss"])
        (['accuracy', 'loss'], 3)
    """
    check_integer("epochs", epochs)
    check_examples(model, features, labels)
    if validation_data is not None:
        check_examples(model, *validation_data)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=0.005),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    before = model.get_weights()
    history = model.fit(
        features, labels, epochs=epochs, validation_data=validation_data, verbose=0
    )
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        model.set_weights(before)
        raise ValueError(
            "Expected `features` on which the training stays finite: scale them. "
            f"Received: values from {features.min()} to {features.max()}"
        )
    return dict(history.history)


def copy_weights(source: Any, *targets: Any) -> None:
    """Copy all weights of one network into others, and refuse to copy nothing.

    On Keras 3 `target.set_weights(source.get_weights())` between two models that are
    not built copies no weight and raises nothing.

    Args:
        source: A built `keras.Model`, or anything else with `weights`, such as a
            `tf.Module`.
        *targets: Networks with weights of the same shapes and dtypes, in the same
            order.

    Raises:
        ValueError: If a network is not built, or if the weights differ in number, shape
            or dtype. Nothing has been copied then.

    Example:
        >>> from snippets.sequential import vector_classifier
        >>> first, second = vector_classifier(4, 2), vector_classifier(4, 2)
        >>> copy_weights(first, second)
        >>> bool((first.get_weights()[0] == second.get_weights()[0]).all())
        True
    """
    kinds = []
    for network in (source, *targets):
        if not getattr(network, "built", hasattr(network, "weights")):
            raise ValueError(
                "Expected every network to be built: one has no weights yet. Start it "
                "with `keras.Input`, or call `build`. "
                f"Received: {type(network).__name__}"
            )
        dtypes = [keras.backend.standardize_dtype(w.dtype) for w in network.weights]
        shapes = [tuple(weight.shape) for weight in network.weights]
        kinds.append(list(zip(shapes, dtypes, strict=True)))
    for kind in kinds:
        if kind != kinds[0]:
            raise ValueError(
                "Expected networks with weights of the same shapes and dtypes. "
                f"Received: {kinds[0]} and {kind}"
            )
    for target in targets:
        for weight, value in zip(target.weights, source.weights, strict=True):
            weight.assign(value)

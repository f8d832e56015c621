"""A training loop by hand, with what `fit` does between its steps."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np

from snippets.training_loops.steps import evaluation_step, training_step


def run_epoch(
    step: Any, dataset: Iterable[Any], metrics: Sequence[keras.metrics.Metric]
) -> dict[str, Any]:
    """Take a step for each batch, and read the metrics at the end.

    Args:
        step: A function of a batch, as `training_step` and `evaluation_step` return it.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)`: a `tf.data.Dataset` or a
            list.
        metrics: Sequence of `keras.metrics.Metric` that the step updates; reset first.

    Returns:
        A dict from the name of each metric to its value, a float or a list of floats.

    Raises:
        ValueError: If there is no batch, as in the second epoch of a generator.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> mean_loss = keras.metrics.Mean(name="loss")
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> step = evaluation_step(small_classifier(), loss, mean_loss)
        >>> list(run_epoch(step, [(np.ones((4, 64)), np.zeros(4))], [mean_loss]))
        ['loss']
    """
    for metric in metrics:
        metric.reset_state()
    num_batches = 0
    for batch in dataset:
        step(*batch)
        num_batches += 1
    if not num_batches:
        raise ValueError("Expected at least one batch. Received: none")
    return {metric.name: np.array(metric.result()).tolist() for metric in metrics}


def train_by_hand(
    model: keras.Model,
    dataset: Iterable[Any],
    epochs: int,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    metrics: Sequence[keras.metrics.Metric] = (),
    validation_dataset: Iterable[Any] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    initial_epoch: int = 0,
) -> dict[str, list[Any]]:
    """Train in a loop of your own with what `fit` does around its steps.

    Args:
        model: A built `keras.Model`. Its attribute `optimizer` is set, for callbacks
            that change it.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)` that can be read anew in
            each epoch: a `tf.data.Dataset` or a list.
        epochs: Integer of at least 1. The number of the last epoch, as in `fit`.
        loss_function: A `keras.losses.Loss`.
        optimizer: A `keras.optimizers.Optimizer`.
        metrics: Sequence of `keras.metrics.Metric`, not weighted, as in `compile()`.
        validation_dataset: `None`, or batches as in `dataset`.
        callbacks: Sequence of `keras.callbacks.Callback`. They are called for epochs
            and not for batches.
        initial_epoch: Integer of at least 0. The number of epochs that earlier calls
            have trained, as in `fit`.

    Returns:
        A dict of lists, one value an epoch: `history.history` of `fit`.

    Raises:
        ValueError: If there is no epoch or nothing to train, or an epoch has no batch.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> batches = [(np.ones((4, 64), "float32"), np.zeros(4))]
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> optimizer = keras.optimizers.SGD(0.1)
        >>> history = train_by_hand(small_classifier(), batches, 2, loss, optimizer)
        >>> len(history["loss"])
        2
    """
    if not 0 <= initial_epoch < epochs or not model.trainable_variables:
        raise ValueError(
            "Expected 0 <= `initial_epoch` < `epochs` and a model with trainable "
            f"weights. Received: initial_epoch={initial_epoch}, epochs={epochs} and "
            f"{len(model.trainable_variables)} weights"
        )
    mean_loss = keras.metrics.Mean(name="loss")
    step = training_step(model, loss_function, optimizer, mean_loss, metrics)
    validate = evaluation_step(model, loss_function, mean_loss, metrics)
    model.optimizer, model.stop_training = optimizer, False
    events = keras.callbacks.CallbackList(callbacks, add_history=True, model=model)
    events.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        events.on_epoch_begin(epoch)
        logs = run_epoch(step, dataset, [mean_loss, *metrics])
        if validation_dataset is not None:
            seen = run_epoch(validate, validation_dataset, [mean_loss, *metrics])
            logs |= {f"val_{name}": value for name, value in seen.items()}
        events.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    optimizer.finalize_variable_values(model.trainable_variables)  # `use_ema=True`
    events.on_train_end(logs)
    return dict(model.history.history)

"""A training loop by hand, with evaluation and checks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from snippets.checks import check_integer, is_size
from snippets.training_loops.steps import training_step


def check_targets(labels: Any, num_classes: int) -> None:
    """Refuse labels that are no classes, before a loss reads them.

    Args:
        labels: Integers, or floats without fractions, of any shape.
        num_classes: Integer of at least 1.

    Raises:
        ValueError: If there is a label below 0, of `num_classes` or above, or with a
            fraction, or if the labels are no numbers.

    Example:
        >>> check_targets(np.array([0, 9, 10]), num_classes=10)
        Traceback (most recent call last):
            ...
        ValueError: Expected labels from 0 to 9. Received: 10
    """
    values = keras.ops.convert_to_numpy(labels)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"Expected labels to be numbers. Received: {values.dtype}")
    wrong = values[~((values >= 0) & (values < num_classes) & (values % 1 == 0))]
    if wrong.size:
        raise ValueError(
            f"Expected labels from 0 to {num_classes - 1}. Received: {wrong.flat[0]}"
        )


def check_batch(model: keras.Model, x: Any, y: Any) -> None:
    """Refuse a batch that a classifier cannot learn from.

    Args:
        model: A built `keras.Model` with one input and one output.
        x: Array or tensor of shape `(batch, ...)`, with the rank of the input.
        y: Classes of shape `(batch,)` or `(batch, 1)`, or targets of the output's
            shape.

    Raises:
        ValueError: If a rank is wrong, if `x` and `y` differ in length, or if a class
            is none that the model knows.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> check_batch(small_classifier(), np.ones((4, 8, 8)), np.zeros(4))
        Traceback (most recent call last):
            ...
        ValueError: Expected `x` of rank 2, as (None, 64) has. Received: (4, 8, 8)
    """
    shape, target_shape = tuple(x.shape), tuple(y.shape)
    if len(shape) != len(model.input_shape):
        raise ValueError(
            f"Expected `x` of rank {len(model.input_shape)}, as {model.input_shape} "
            f"has. Received: {shape}"
        )
    if target_shape[:1] != shape[:1]:
        raise ValueError(
            f"Expected as many labels as examples, {shape[0]}. "
            f"Received: labels of shape {target_shape}"
        )
    output_shape = model.output_shape
    holds_classes = target_shape[1:] in ((), (1,)) and output_shape[-1] > 1
    if holds_classes and len(output_shape) == 2:
        check_targets(y, output_shape[-1])
    elif len(target_shape) not in (len(output_shape), len(output_shape) - 1):
        raise ValueError(
            f"Expected `y` of rank {len(output_shape)}, as {output_shape} has, or one "
            f"less. Received: {target_shape}"
        )


def metric_values(metrics: Iterable[keras.metrics.Metric]) -> dict[str, Any]:
    """Read metrics as `fit` writes them to its history.

    Args:
        metrics: Of `keras.metrics.Metric`, with names of their own.

    Returns:
        A dict from the name of each to a float, or to an array where the metric has a
        number for each class.

    Example:
        >>> mean = keras.metrics.Mean(name="loss")
        >>> mean.update_state([1.0, 2.0])
        >>> metric_values([mean])
        {'loss': 1.5}
    """
    values = {m.name: keras.ops.convert_to_numpy(m.result()) for m in metrics}
    return {name: v if v.ndim else float(v) for name, v in values.items()}


def evaluate_by_hand(
    model: keras.Model,
    dataset: Iterable[Any],
    loss_function: keras.losses.Loss,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> dict[str, Any]:
    """Measure a model on a dataset as `evaluate` does, in a loop.

    Args:
        model: A built `keras.Model` with one input and one output.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)`.
        loss_function: A `keras.losses.Loss`.
        metrics: Sequence of `keras.metrics.Metric`, reset first, and not weighted.

    Returns:
        A dict with `"loss"`, the mean over the examples, and each metric by its name,
        as `metric_values` reads them.

    Raises:
        ValueError: If the dataset is empty, or `check_batch` refuses a batch.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> batches = [(np.ones((4, 64), "float32"), np.zeros(4))]
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> list(evaluate_by_hand(small_classifier(), batches, loss))
        ['loss']
    """
    loss_mean, num_examples = keras.metrics.Mean(name="loss"), 0
    for metric in metrics:
        metric.reset_state()
    for batch in dataset:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(tuple(batch))
        check_batch(model, x, y)
        y_pred = model(x, training=False)
        loss = loss_function(y, y_pred, sample_weight) + sum(model.losses)
        loss_mean.update_state(loss, sample_weight=len(x))
        num_examples += len(x)
        for metric in metrics:
            metric.update_state(y, y_pred)
    if not num_examples:
        raise ValueError("Expected `dataset` to hold at least one batch. Received: 0")
    return metric_values([loss_mean, *metrics])


def count_batches(dataset: Iterable[Any]) -> int:
    """Count the batches of a dataset that can be read once an epoch.

    Args:
        dataset: A `tf.data.Dataset`, a list, or anything else to iterate over anew.

    Returns:
        An integer of at least 1.

    Raises:
        ValueError: If there is no batch, or if `dataset` can be read only once.

    Example:
        >>> count_batches([(np.ones((4, 64)), np.zeros(4))] * 3)
        3
    """
    if iter(dataset) is dataset:
        raise ValueError(
            "Expected `dataset` to be readable in each epoch: a `tf.data.Dataset` or a "
            f"list. Received: {type(dataset).__name__}, which can be read once"
        )
    num_batches = sum(1 for _ in dataset)
    if not num_batches:
        raise ValueError("Expected `dataset` to hold at least one batch. Received: 0")
    return num_batches


def train_epoch(
    model: keras.Model,
    dataset: Iterable[Any],
    step: Callable[..., tuple[Any, Any]],
    metrics: Sequence[keras.metrics.Metric],
    events: keras.callbacks.CallbackList,
    bar: keras.utils.Progbar,
) -> dict[str, Any]:
    """Take one step for each batch, and keep metrics, callbacks and the bar informed.

    Args:
        model: A built `keras.Model` with one input and one output.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)`, at least one.
        step: A function as `training_step` returns it.
        metrics: Sequence of `keras.metrics.Metric`; the first is the mean of the loss.
        events: The callbacks.
        bar: The progress bar.

    Returns:
        A dict from the name of each metric to its value over the epoch.

    Raises:
        ValueError: If `check_batch` refuses a batch.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> model, batches = small_classifier(), [(np.ones((4, 64)), np.zeros(4))]
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> step = training_step(model, loss, keras.optimizers.SGD(0.1))
        >>> metrics = [keras.metrics.Mean(name="loss")]
        >>> bar = keras.utils.Progbar(1, verbose=0)
        >>> events = keras.callbacks.CallbackList()
        >>> list(train_epoch(model, batches, step, metrics, events, bar))
        ['loss']
    """
    for metric in metrics:
        metric.reset_state()
    for index, batch in enumerate(dataset):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(tuple(batch))
        check_batch(model, x, y)
        events.on_train_batch_begin(index)
        loss, y_pred = step(x, y, sample_weight)
        metrics[0].update_state(loss, sample_weight=len(x))
        for metric in metrics[1:]:
            metric.update_state(y, y_pred)
        logs = metric_values(metrics)
        events.on_train_batch_end(index, logs)
        bar.update(index + 1, list(logs.items()), finalize=False)
    return logs


def train_by_hand(
    model: keras.Model,
    dataset: Iterable[Any],
    epochs: int,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    metrics: Sequence[keras.metrics.Metric] = (),
    validation_dataset: Iterable[Any] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> dict[str, list[Any]]:
    """Train in a loop of your own with all that `fit` adds to its steps.

    These are: sample weights, metrics that start anew in each epoch, validation,
    callbacks, early stopping, a progress bar, and averaged weights at the end.

    Args:
        model: A built `keras.Model` with one input and one output. Its attribute
            `optimizer` is set, for callbacks that change it.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)` that can be read anew in
            each epoch: a `tf.data.Dataset` or a list.
        epochs: Integer of at least 1.
        loss_function: A `keras.losses.Loss`.
        optimizer: A `keras.optimizers.Optimizer`.
        metrics: Sequence of `keras.metrics.Metric`, not weighted, as in `compile()`.
        validation_dataset: `None`, or batches as in `dataset`.
        callbacks: Sequence of `keras.callbacks.Callback`.
        verbose: 0 for silence, 1 for a progress bar, 2 for a line an epoch.

    Returns:
        A dict of lists, one value an epoch: `history.history` of `fit`.

    Raises:
        ValueError: If `epochs` is no integer of at least 1, or if `count_batches` or
            `check_batch` refuses a dataset.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> batches = [(np.ones((4, 64), "float32"), np.zeros(4))]
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> optimizer = keras.optimizers.SGD(0.1)
        >>> history = train_by_hand(small_classifier(), batches, 2, loss, optimizer)
        >>> len(history["loss"])
        2
    """
    check_integer("epochs", epochs)
    num_batches = count_batches(dataset)
    step = training_step(model, loss_function, optimizer)
    all_metrics = [keras.metrics.Mean(name="loss"), *metrics]
    model.optimizer, model.stop_training = optimizer, False
    events = keras.callbacks.CallbackList(
        list(callbacks), add_history=True, model=model, epochs=epochs, steps=num_batches
    )
    events.on_train_begin()
    for epoch in range(epochs):
        events.on_epoch_begin(epoch)
        bar = keras.utils.Progbar(num_batches, verbose=verbose)
        logs = train_epoch(model, dataset, step, all_metrics, events, bar)
        if validation_dataset is not None:
            seen = evaluate_by_hand(model, validation_dataset, loss_function, metrics)
            logs |= {f"val_{name}": value for name, value in seen.items()}
        bar.update(num_batches, list(logs.items()), finalize=True)
        events.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    optimizer.finalize_variable_values(model.trainable_variables)
    events.on_train_end(logs)
    return dict(model.history.history)


def weights_by_class(labels: Any, class_weight: Mapping[int, float]) -> Any:
    """Turn `class_weight` of `fit` into the `sample_weight` that a loop needs.

    Args:
        labels: Array of classes, shape `(num_examples,)`, integers from 0 to
            `2**31 - 1`.
        class_weight: Dict from class to its weight, a float of at least 0 within
            float32. Other classes have the weight 1, as in `fit`.

    Returns:
        A float32 tensor of shape `(num_examples,)`, of any backend of Keras.

    Raises:
        ValueError: If `class_weight` is empty or holds anything else, or if a label is
            none of these.

    Example:
        >>> weights_by_class(np.array([0, 2, 1, 2]), {2: 3.0}).numpy().tolist()
        [1.0, 3.0, 1.0, 3.0]
    """
    limit = float(np.finfo(np.float32).max)
    weights_are_good = all(0 <= weight <= limit for weight in class_weight.values())
    classes_are_good = all(is_size(c, 0) and c < 2**31 for c in class_weight)
    if not (class_weight and classes_are_good and weights_are_good):
        raise ValueError(
            "Expected `class_weight` to map at least one class to a finite weight of "
            f"at least 0. Received: {dict(class_weight)}"
        )
    check_targets(labels, num_classes=2**31)
    classes = keras.ops.cast(labels, "int32")
    weights = keras.ops.ones(keras.ops.shape(classes), "float32")
    for label, weight in class_weight.items():
        weights = keras.ops.where(keras.ops.equal(classes, label), weight, weights)
    return keras.ops.cast(weights, "float32")

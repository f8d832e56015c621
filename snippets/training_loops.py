"""Recipes around the training step: inside `fit`, beside it, and without it."""

import math
import os
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def small_classifier(
    model_class: type[keras.Model] = keras.Model,
    num_features: int = 64,
    num_classes: int = 10,
) -> keras.Model:
    """Build the same small classifier as a model of any class.

    Args:
        model_class: `keras.Model` or a subclass that is made from inputs and outputs.
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled model from vectors of shape `(batch, num_features)` to
        probabilities of shape `(batch, num_classes)`, float32. It drops a tenth of its
        hidden values in training.

    Example:
        >>> small_classifier(OwnStep).output_shape
        (None, 10)
    """
    features = keras.Input(shape=(num_features,), name="features")
    x = keras.layers.Dense(32, activation="relu")(features)
    x = keras.layers.Dropout(0.1)(x)
    scores = keras.layers.Dense(num_classes, activation="softmax", dtype="float32")(x)
    return model_class(features, scores)


@keras.saving.register_keras_serializable(package="snippets")
class OwnStep(keras.Model):
    """A model whose training step is its own, and whose `fit` is that of Keras.

    The step does what the step of Keras does, with `sample_weight` and the loss scaling
    of mixed precision. Copy it, and change what should be different.

    Args:
        *args: As for `keras.Model`: inputs and outputs, or nothing in a subclass.
        **kwargs: As for `keras.Model`.

    Example:
        >>> model = small_classifier(OwnStep)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> history = model.fit(np.ones((8, 64)), np.zeros(8), epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
    """

    def train_step(self, data: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        num_examples = keras.ops.shape(keras.tree.flatten(x)[0])[0]
        self.metrics[0].update_state(loss, sample_weight=num_examples)
        return self.compute_metrics(x, y, y_pred, sample_weight)


def training_step(
    model: keras.Model, loss_function: keras.losses.Loss, optimizer: Any
) -> Any:
    """Compile the training step of a loop that is written by hand.

    Args:
        model: A built `keras.Model`, compiled or not.
        loss_function: A `keras.losses.Loss`, called with labels, predictions and
            sample weights. Losses that layers add, such as regularizers, are added.
        optimizer: A `keras.optimizers.Optimizer`, for this model alone.

    Returns:
        A function of `(x, y, sample_weight=None)` that takes one step and returns
        `(loss, predictions)`: the loss before the step, and the predictions that it is
        the loss of.

    Raises:
        ValueError: If the model has no weights to train.

    Example:
        >>> model = small_classifier()
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> step = training_step(model, loss, keras.optimizers.SGD(0.1))
        >>> step(np.ones((4, 64)), np.zeros(4))[0].shape
        TensorShape([])
    """
    if not model.trainable_variables:
        raise ValueError(
            "Expected a built model with trainable weights. "
            f"Received: {type(model).__name__} '{model.name}' without any"
        )
    optimizer.build(model.trainable_variables)

    def step(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_function(y, y_pred, sample_weight) + sum(model.losses)
            scaled_loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss, y_pred

    return tf.function(step, reduce_retracing=True, autograph=False)


def check_labels(labels: Any, num_classes: int) -> None:
    """Refuse labels that are no classes, before a loss reads them.

    Args:
        labels: Integers, or floats without fractions, of any shape.
        num_classes: Integer of at least 1.

    Raises:
        ValueError: If there is a label below 0, of `num_classes` or above, or with a
            fraction.

    Example:
        >>> check_labels(np.array([0, 9, 10]), num_classes=10)
        Traceback (most recent call last):
            ...
        ValueError: Expected labels from 0 to 9. Received: 10
    """
    values = keras.ops.convert_to_numpy(labels)
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
        check_labels(y, output_shape[-1])
    elif len(target_shape) not in (len(output_shape), len(output_shape) - 1):
        raise ValueError(
            f"Expected `y` of rank {len(output_shape)}, as {output_shape} has, or one "
            f"less. Received: {target_shape}"
        )


def evaluate_by_hand(
    model: keras.Model,
    dataset: Iterable[Any],
    loss_function: keras.losses.Loss,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> dict[str, float]:
    """Measure a model on a dataset as `evaluate` does, in a loop.

    Args:
        model: A built `keras.Model` with one input and one output.
        dataset: Batches `(x, y)` or `(x, y, sample_weight)`.
        loss_function: A `keras.losses.Loss`.
        metrics: Sequence of `keras.metrics.Metric`, reset first, and not weighted.

    Returns:
        A dict with `"loss"`, the mean over the examples, and each metric by its name.

    Raises:
        ValueError: If the dataset is empty, or `check_batch` refuses a batch.

    Example:
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
    return {metric.name: float(metric.result()) for metric in (loss_mean, *metrics)}


def count_batches(dataset: Iterable[Any]) -> int:
    """Count the batches of a dataset that can be read once an epoch.

    Args:
        dataset: A `tf.data.Dataset`, a list, or anything else to iterate over anew.

    Returns:
        An integer of at least 1.

    Raises:
        ValueError: If there is no batch, or if `dataset` can be read only once.

    Example:
        >>> count_batches(tf.data.Dataset.range(10).batch(4))
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
) -> dict[str, float]:
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
        logs = {metric.name: float(metric.result()) for metric in metrics}
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
) -> dict[str, list[float]]:
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
        A dict of lists, one number an epoch: `history.history` of `fit`.

    Raises:
        ValueError: If `epochs` is less than 1, or if `count_batches` or `check_batch`
            refuses a dataset.

    Example:
        >>> batches = [(np.ones((4, 64), "float32"), np.zeros(4))]
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> optimizer = keras.optimizers.SGD(0.1)
        >>> history = train_by_hand(small_classifier(), batches, 2, loss, optimizer)
        >>> len(history["loss"])
        2
    """
    if epochs < 1:
        raise ValueError(f"Expected `epochs` of at least 1. Received: {epochs}")
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
        labels: Array of classes, shape `(num_examples,)`, integers of at least 0.
        class_weight: Dict from class to its weight, a float of at least 0. Other
            classes have the weight 1, as in `fit`.

    Returns:
        A float32 tensor of shape `(num_examples,)`, of any backend of Keras.

    Raises:
        ValueError: If `class_weight` is empty, or holds a weight below 0 or a class
            below 0, or if a label is below 0.

    Example:
        >>> weights_by_class(np.array([0, 2, 1, 2]), {2: 3.0}).numpy().tolist()
        [1.0, 3.0, 1.0, 3.0]
    """
    classes = list(class_weight)
    if not classes or min(classes) < 0 or min(class_weight.values()) < 0:
        raise ValueError(
            "Expected `class_weight` to map at least one class to a weight of at least "
            f"0. Received: {dict(class_weight)}"
        )
    largest = int(keras.ops.max(labels)) if len(labels) else 0
    check_labels(labels, largest + 1)
    table = np.ones(max(largest, *classes) + 1, "float32")
    table[classes] = list(class_weight.values())
    return keras.ops.take(table, keras.ops.cast(labels, "int32"))


def accumulated_gradients(
    model: keras.Model,
    loss_function: keras.losses.Loss,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    num_parts: int,
) -> list[Any]:
    """Compute the gradients of a large batch a part at a time, to use less memory.

    Each part counts by its size, so parts need not be equal.

    Args:
        model: A built `keras.Model`.
        loss_function: A `keras.losses.Loss` that takes the mean over the examples.
        x: Array of shape `(batch, ...)`.
        y: Array of shape `(batch, ...)`.
        num_parts: Integer from 1 to the size of the batch.

    Returns:
        A list of tensors, one for each of `model.trainable_variables`, in their shapes.

    Raises:
        ValueError: If `num_parts` is less than 1 or more than there are examples, or if
            `x` and `y` differ in length.

    Example:
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> x, y = np.ones((8, 64), "float32"), np.zeros(8)
        >>> len(accumulated_gradients(small_classifier(), loss, x, y, num_parts=3))
        4
    """
    if len(x) != len(y) or not 1 <= num_parts <= len(x):
        raise ValueError(
            "Expected `num_parts` from 1 to the size of the batch, and as many labels. "
            f"Received: num_parts={num_parts}, {len(x)} examples and {len(y)} labels"
        )
    total = [keras.ops.zeros_like(v) for v in model.trainable_variables]
    parts = zip(np.array_split(x, num_parts), np.array_split(y, num_parts), strict=True)
    for x_part, y_part in parts:
        with tf.GradientTape() as tape:
            loss = loss_function(y_part, model(x_part, training=True))
            loss = loss * (len(x_part) / len(x))
        gradients = tape.gradient(loss, model.trainable_variables)
        total = [a + b for a, b in zip(total, gradients, strict=True)]
    return total


def warmup_then_cosine(
    peak_rate: float, warmup_steps: int, total_steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Raise the learning rate from 0 to its peak, then lower it to 0 along a cosine.

    Args:
        peak_rate: Float greater than 0.
        warmup_steps: Integer of at least 1.
        total_steps: Integer greater than `warmup_steps`. After it the rate stays 0.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`, to pass as `learning_rate`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> schedule = warmup_then_cosine(0.1, warmup_steps=10, total_steps=110)
        >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.05, 0.1, 0.05, 0.0]
    """
    if not 0 < peak_rate < math.inf:
        raise ValueError(f"Expected `peak_rate` greater than 0. Received: {peak_rate}")
    if not 1 <= warmup_steps < total_steps:
        raise ValueError(
            "Expected `warmup_steps` of at least 1 and `total_steps` greater than it. "
            f"Received: warmup_steps={warmup_steps}, total_steps={total_steps}"
        )
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=total_steps - warmup_steps,
        warmup_target=peak_rate,
        warmup_steps=warmup_steps,
    )


def epoch_batches(
    num_examples: int, batch_size: int, epoch: int, seed: int = 0
) -> list[npt.NDArray[np.int64]]:
    """Shuffle an epoch so that its order depends on the seed and the epoch alone.

    A process that starts in the middle of a training knows the order without having
    seen the epochs before.

    Args:
        num_examples: Integer of at least 1.
        batch_size: Integer of at least 1. The last batch may be smaller.
        epoch: Integer of at least 0.
        seed: Integer of at least 0.

    Returns:
        A list of int64 arrays: the positions of the examples of each batch.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> [batch.tolist() for batch in epoch_batches(5, 2, epoch=0)]
        [[2, 4], [3, 0], [1]]
    """
    if min(num_examples, batch_size) < 1 or min(epoch, seed) < 0:
        raise ValueError(
            "Expected `num_examples` and `batch_size` of at least 1, `epoch` and "
            f"`seed` of at least 0. Received: {num_examples, batch_size, epoch, seed}"
        )
    order = np.random.default_rng([seed, epoch]).permutation(num_examples)
    starts = range(0, num_examples, batch_size)
    return [order[start : start + batch_size] for start in starts]


def checkpoints(folder: str | Path) -> list[Path]:
    """List the checkpoints of a folder, oldest first, if it is a folder for them.

    Args:
        folder: Path of a folder that holds nothing else, or does not exist yet.

    Returns:
        A list of paths of `step-00000123.npz` files.

    Raises:
        ValueError: If there is a file in place of the folder, or another file in it.

    Example:
        >>> checkpoints("no such folder")
        []
    """
    folder = Path(folder)
    if not folder.exists():
        return []
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["."]
    foreign = set(names) - {path.name for path in folder.glob("step-????????.npz")}
    if foreign - {"unfinished"}:
        found = "a file" if names == ["."] else repr(min(foreign - {"unfinished"}))
        raise ValueError(
            f"Expected {folder.name!r} to be a folder of checkpoints alone. "
            f"Received: {found}"
        )
    return [folder / name for name in names if name != "unfinished"]


def save_checkpoint(
    folder: str | Path, model: keras.Model, optimizer: Any, step: int
) -> Path:
    """Save all that the next step depends on, so that a kill cannot spoil it.

    That is the weights, the state of random layers, and the state of the optimizer. The
    file has its name only when it is whole and on the disk. The last two are kept.

    Args:
        folder: Path of a folder for checkpoints alone; made if it does not exist.
        model: A built `keras.Model`.
        optimizer: Its built `keras.optimizers.Optimizer`.
        step: Integer of at least 0, the steps that have been taken.

    Returns:
        The path of the new file.

    Raises:
        ValueError: If `step` is negative, or if the folder holds something else.

    Example:
        >>> import tempfile
        >>> model, optimizer = small_classifier(), keras.optimizers.SGD()
        >>> optimizer.build(model.trainable_variables)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(folder, model, optimizer, step=12).name
        'step-00000012.npz'
    """
    if step < 0:
        raise ValueError(f"Expected `step` of at least 0. Received: {step}")
    checkpoints(folder)  # refuses a folder of something else before writing to it
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    variables = [*model.variables, *optimizer.variables]
    arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
    path = folder / f"step-{step:08d}.npz"
    with (folder / "unfinished").open("wb") as file:
        np.savez(file, *arrays)
        file.flush()
        os.fsync(file.fileno())
    (folder / "unfinished").replace(path)
    for old in checkpoints(folder)[:-2]:
        old.unlink()
    return path


def restore_checkpoint(folder: str | Path, model: keras.Model, optimizer: Any) -> int:
    """Put the newest checkpoint of a folder into a model and its optimizer.

    Args:
        folder: Path of a folder for checkpoints alone. Nothing is written to it.
        model: A built `keras.Model` of the layers that were saved.
        optimizer: A `keras.optimizers.Optimizer` of the same kind.

    Returns:
        The number of steps that had been taken; 0 if there is no checkpoint yet.

    Raises:
        ValueError: If the folder holds something else, or if the checkpoint is cut
            short or is one of another model. Model and optimizer are then untouched.

    Example:
        >>> model, optimizer = small_classifier(), keras.optimizers.SGD()
        >>> restore_checkpoint("no such folder", model, optimizer)
        0
    """
    optimizer.build(model.trainable_variables)
    found = checkpoints(folder)
    if not found:
        return 0
    newest = found[-1]
    try:
        with newest.open("rb") as file, np.load(file) as archive:
            arrays = [archive[name] for name in archive.files]
    except (EOFError, OSError, ValueError, zipfile.BadZipFile):
        raise ValueError(
            f"Expected {newest.name!r} to be a whole checkpoint. Received: a file that "
            "is cut short or damaged. Delete it to go on from the one before it."
        ) from None
    variables = [*model.variables, *optimizer.variables]
    expected = [tuple(variable.shape) for variable in variables]
    shapes = [array.shape for array in arrays]
    if shapes != expected:
        raise ValueError(
            f"Expected {newest.name!r} to hold variables of shapes {expected}. "
            f"Received: {shapes}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return int(newest.stem.removeprefix("step-"))


def train_resumably(
    model: keras.Model,
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    folder: str | Path,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    epochs: int,
    batch_size: int = 32,
    save_every: int = 50,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> list[float]:
    """Train so that a killed process can be started again and ends the same.

    Args:
        model: A built `keras.Model` with one input and one output.
        features: Array of shape `(num_examples, ...)`.
        labels: Array of shape `(num_examples, ...)`.
        folder: Path of a folder for checkpoints alone. If it holds one, training goes
            on from there.
        loss_function: A `keras.losses.Loss`.
        optimizer: A `keras.optimizers.Optimizer`.
        epochs: Integer of at least 1, all epochs, also those before a kill.
        batch_size: Integer of at least 1.
        save_every: Integer of at least 1: save after that many steps.
        seed: Integer of at least 0, for the order of the examples.
        on_step: `None`, or a function that is called with the number of steps taken.

    Returns:
        A list of floats, the losses of the steps that this call took.

    Raises:
        ValueError: If an argument is out of its range, if `check_batch` refuses the
            data, or if `restore_checkpoint` refuses the folder.

    Example:
        >>> import tempfile
        >>> x, y = np.ones((8, 64), "float32"), np.zeros(8)
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for epochs in (2, 3):  # The second call goes on where the first ended.
        ...         rest = (loss, keras.optimizers.SGD(), epochs, 4)
        ...         len(train_resumably(small_classifier(), x, y, folder, *rest))
        4
        2
    """
    if min(epochs, save_every) < 1:
        raise ValueError(
            "Expected `epochs` and `save_every` of at least 1. "
            f"Received: epochs={epochs}, save_every={save_every}"
        )
    check_batch(model, features, labels)
    done = restore_checkpoint(folder, model, optimizer)
    step = training_step(model, loss_function, optimizer)
    batches = [
        batch
        for epoch in range(epochs)
        for batch in epoch_batches(len(features), batch_size, epoch, seed)
    ]
    losses = []
    for number, batch in enumerate(batches[done:], start=done + 1):
        losses.append(float(step(features[batch], labels[batch])[0]))
        if number % save_every == 0 or number == len(batches):
            save_checkpoint(folder, model, optimizer, number)
        if on_step is not None:
            on_step(number)
    return losses


def trace_counts(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], **options: Any
) -> list[int]:
    """Count how often `tf.function` has traced a function after each of some calls.

    Args:
        function: A function that `tf.function` can trace.
        calls: Sequence of tuples, the arguments of each call.
        **options: As for `tf.function`, such as `input_signature`.

    Returns:
        A list of integers, the number of traces so far after each call.

    Raises:
        ValueError: If there is no call.

    Example:
        >>> trace_counts(lambda x: x + x, [(1,), (2,), (tf.constant(1),)])
        [1, 2, 3]
    """
    if not calls:
        raise ValueError("Expected at least one call. Received: none")
    compiled = tf.function(function, **options)
    counts = []
    for arguments in calls:
        compiled(*arguments)
        counts.append(int(compiled.experimental_get_tracing_count()))
    return counts


@keras.ops.custom_gradient
def round_straight_through(x: Any) -> Any:
    """Round, and let gradients pass as if nothing had been rounded.

    The gradient of rounding is 0 wherever there is one, so nothing before it would
    learn. Call it on values, inside the `call` of a layer, not on a `keras.Input`.

    Args:
        x: Float tensor of any shape.

    Returns:
        A tensor of the same shape and dtype, of whole numbers.

    Example:
        >>> x = tf.Variable([0.4, 1.7])
        >>> with tf.GradientTape() as tape:
        ...     y = round_straight_through(x) * 3.0
        >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
        ([0.0, 6.0], [3.0, 3.0])

    References:
        - [Estimating or Propagating Gradients Through Stochastic Neurons for
          Conditional Computation](https://arxiv.org/abs/1308.3432), Y. Bengio,
          N. Leonard and A. Courville, 2013.
    """

    def gradient(*args: Any, upstream: Any = None) -> Any:
        return args[0] if upstream is None else upstream

    return keras.ops.round(x), gradient


def loss_without_tracker(keras_module: ModuleType) -> Any:
    """Build a model whose step returns its loss and leaves the tracker of it alone.

    It is wrong on Keras 3, where `fit` then reports a loss of 0.0.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A compiled model from vectors of shape `(batch, 64)` to probabilities of 10
        classes.

    Example:
        >>> model = loss_without_tracker(keras)
        >>> model.fit(np.ones((4, 64)), np.zeros(4), verbose=0).history["loss"]
        [0.0]
    """

    class Untracked(keras_module.Model):  # type: ignore[name-defined]  # a variable
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            variables = self.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return {"loss": loss}

    features = keras_module.Input((64,))
    scores = keras_module.layers.Dense(10, activation="softmax")(features)
    model = Untracked(features, scores)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


class SecondTracker(keras.Model):
    """A model that counts its loss in a metric of its own, named as that of Keras.

    It is wrong: the step of the validation updates the tracker of Keras, and Keras
    reports the one here.

    Args:
        *args: As for `keras.Model`.
        **kwargs: As for `keras.Model`.

    Example:
        >>> model = small_classifier(SecondTracker)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> model.evaluate(np.ones((4, 64)), np.zeros(4), verbose=0, return_dict=True)
        {'loss': 0.0}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


class UnscaledStep(keras.Model):
    """A model whose step forgets the loss scaling of mixed precision.

    It is wrong under `mixed_float16`: the optimizer divides the gradients by a scale
    that they were never multiplied by.

    Args:
        *args: As for `keras.Model`.
        **kwargs: As for `keras.Model`.

    Example:
        >>> small_classifier(UnscaledStep).output_shape
        (None, 10)
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.metrics[0].update_state(loss)
        return {"loss": self.metrics[0].result()}

"""Train on several devices and in several processes."""

import itertools
import json
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.checks import check_integer, check_sizes, is_size
from snippets.choosing.levels import functional_cnn
from snippets.processes import free_ports, run_together
from snippets.showing.tables import source_of


def replica_step(
    strategy: tf.distribute.Strategy, model: keras.Model, optimizer: Any
) -> Callable[..., tf.Tensor]:
    """Compile the training step of all replicas of a strategy.

    The loss is the mean of all examples of the batch, whatever replica has them, so
    that the parts need not be equal.

    Args:
        strategy: A `tf.distribute.Strategy`.
        model: A built model, from its scope, that returns scores.
        optimizer: A built optimizer of Keras 3 or Keras 2, from its scope.

    Returns:
        A function from a batch of a distributed dataset to the loss before the step.

    Example:
        >>> model, optimizer = functional_cnn((8, 8, 1), 10), keras.optimizers.SGD()
        >>> optimizer.build(model.trainable_variables)
        >>> step = replica_step(tf.distribute.get_strategy(), model, optimizer)
        >>> step(tf.zeros([5, 8, 8, 1]), tf.range(5)).shape
        TensorShape([])
    """

    def step(images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = model(images, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            replica = tf.distribute.get_replica_context()
            count = replica.all_reduce("SUM", tf.size(losses))
            loss = tf.reduce_sum(losses) / tf.cast(count, losses.dtype)
        variables = model.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    @tf.function(autograph=False)
    def step_of_all(images: Any, labels: Any) -> tf.Tensor:
        losses = strategy.run(step, args=(images, labels))
        return strategy.reduce("SUM", losses, axis=None)

    compiled: Callable[..., tf.Tensor] = step_of_all
    return compiled


def train_on_replicas(
    strategy: tf.distribute.Strategy,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    epochs: int,
    batch_size: int = 64,
    backup: str | None = None,
    on_step: Callable[[int], object] | None = None,
) -> list[npt.NDArray[Any]]:
    """Train a small network by a loop: on one device, on several, on several machines.

    After each epoch all that the next one depends on is saved. A process that is
    started again goes on after the last epoch that was saved.

    Args:
        strategy: A `tf.distribute.Strategy`; `tf.distribute.get_strategy()` is one
            device.
        images: Array of shape `(num_images, height, width, channels)`, float32.
        labels: Array of shape `(num_images,)`, int64 from 0 to 9.
        epochs: Integer of at least 1, with those before a restart.
        batch_size: Integer of at least 1, the examples of a step on all replicas.
        backup: `None`, or the path of a folder that all machines see.
        on_step: `None`, or a function that is called after each step with the number
            of steps of this process.

    Returns:
        A list of arrays, the weights.

    Raises:
        ValueError: If `epochs` or `batch_size` is less than 1.

    Example:
        >>> data = np.ones((5, 8, 8, 1), "float32"), np.arange(5)
        >>> weights = train_on_replicas(tf.distribute.get_strategy(), *data, epochs=1)
        >>> weights[0].shape
        (3, 3, 1, 32)
    """
    if min(epochs, batch_size) < 1:
        raise ValueError(
            "Expected `epochs` and `batch_size` of at least 1. "
            f"Received: epochs={epochs} and batch_size={batch_size}"
        )
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = functional_cnn(images.shape[1:], num_classes=10)
        optimizer = keras.optimizers.Adam(0.01)
        optimizer.build(model.trainable_variables)
    step, steps = replica_step(strategy, model, optimizer), itertools.count(start=1)
    done = tf.Variable(0, dtype="int64")  # epochs
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, done=done)
    if backup and (newest := tf.train.latest_checkpoint(backup)):
        checkpoint.restore(newest).assert_existing_objects_matched()
    # Every worker must save, since reading a variable may need all of them.
    rank = strategy.cluster_resolver.task_id if strategy.cluster_resolver else 0
    folder = f"{backup}-of-worker-{rank}" if rank else backup
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)
    batches = strategy.experimental_distribute_dataset(dataset)
    while int(done) < epochs:
        for batch in batches:
            step(*batch)
            if on_step is not None:
                on_step(next(steps))
        done.assign_add(1)
        if backup:
            tf.train.CheckpointManager(checkpoint, folder, max_to_keep=1).save()
    return [np.array(weight) for weight in model.get_weights()]


def fit_on_replicas(
    strategy: tf.distribute.Strategy,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    epochs: int,
    batch_size: int = 64,
    backup: str | None = None,
    on_step: Callable[[int], object] | None = None,
    **options: Any,
) -> list[npt.NDArray[Any]]:
    """Train the network of `train_on_replicas` by `fit`.

    Args:
        strategy: As for `train_on_replicas`.
        images: As for `train_on_replicas`.
        labels: As for `train_on_replicas`.
        epochs: As for `train_on_replicas`.
        batch_size: As for `train_on_replicas`.
        backup: `None`, or the path of a folder for `BackupAndRestore`.
        on_step: As for `train_on_replicas`.
        **options: Of `compile`.

    Returns:
        A list of arrays, the weights.

    Example:
        >>> data = np.ones((5, 8, 8, 1), "float32"), np.arange(5)
        >>> weights = fit_on_replicas(tf.distribute.get_strategy(), *data, epochs=1)
        >>> weights[0].shape
        (3, 3, 1, 32)
    """
    with strategy.scope():
        keras.utils.set_random_seed(0)
        model = functional_cnn(images.shape[1:], num_classes=10)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.Adam(0.01), loss, **options)
    callbacks, steps = [], itertools.count(start=1)
    if backup:
        callbacks.append(keras.callbacks.BackupAndRestore(backup))
    if on_step:
        callbacks.append(
            keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: on_step(next(steps))
            )
        )
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch_size)
    model.fit(dataset, epochs=epochs, callbacks=callbacks, shuffle=False, verbose=0)
    return [np.array(weight) for weight in model.get_weights()]


def error_of(action: Callable[[], object]) -> str:
    """Do something that may fail, and word the error as one line.

    Args:
        action: A function without arguments.

    Returns:
        A string, the type of the error with the first and the last line of its message;
        `"no error"` if there was none.

    Example:
        >>> error_of(lambda: 1 / 0), error_of(lambda: 1 / 1)
        ('ZeroDivisionError: division by zero', 'no error')
    """
    try:
        action()
    except Exception as error:  # whatever it is, it is the answer
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        ends = lines if len(lines) < 2 else [lines[0], "...", lines[-1]]
        return f"{type(error).__name__}: {' '.join(ends)}"
    return "no error"


def largest_difference(
    first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]
) -> float:
    """Compare two lists of weights.

    Args:
        first: Sequence of arrays, at least one.
        second: Sequence of as many arrays of the same shapes.

    Returns:
        A float, the largest difference of two numbers in the same place.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> largest_difference([[1.0, 2.0], [3.0]], [[1.0, 2.5], [3.0]])
        0.5
    """
    shapes = [[np.shape(array) for array in arrays] for arrays in (first, second)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"Expected arrays of shapes {shapes[0]}. Received: {shapes[1]}"
        )
    pairs = zip(first, second, strict=True)
    return max(float(np.max(np.abs(np.subtract(*pair)))) for pair in pairs)


def cluster_variables(num_workers: int) -> list[dict[str, str]]:
    """Describe a cluster of processes on this machine, to each of them.

    Args:
        num_workers: Integer of at least 1.

    Returns:
        A list with a dict of environment variables for each process: `TF_CONFIG`, with
        the addresses of all and its own place among them.

    Raises:
        ValueError: If `num_workers` is no integer of at least 1.

    Example:
        >>> first, second = cluster_variables(2)
        >>> json.loads(second["TF_CONFIG"])["task"]
        {'type': 'worker', 'index': 1}
    """
    check_integer("num_workers", num_workers)
    addresses = [f"127.0.0.1:{port}" for port in free_ports(num_workers)]
    tasks = [{"type": "worker", "index": index} for index in range(num_workers)]
    return [
        {"TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task})}
        for task in tasks
    ]


STRATEGIES = {
    "one device": "tf.distribute.get_strategy()",
    "two devices": "tf.distribute.MirroredStrategy(['CPU:0', 'CPU:1'])",
    "two workers": "tf.distribute.MultiWorkerMirroredStrategy()",
}


def run_script(
    call: str,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    place: str,
    keras_name: str = "keras",
    timeout: float = 120,
) -> list[Any]:
    """Run one script in fresh processes: on one device, on two, or as two workers.

    It is the same script everywhere. The strategy is made before anything else, since
    TensorFlow settles its devices with the first computation.

    Args:
        call: String of Python, an expression of what JSON can hold, or of arrays. It
            may use `strategy`, `rank`, `images`, `labels`, `keras`, `np`, `tf`, `os`,
            `signal`, `train_on_replicas`, `fit_on_replicas` and `error_of`.
        images: Array of shape `(num_images, height, width, channels)`, float32.
        labels: Array of shape `(num_images,)`, int64 from 0 to 9.
        place: String, one of `STRATEGIES`.
        keras_name: String, `"keras"` or `"tf_keras"`.
        timeout: Number of seconds greater than 0 after which all are ended.

    Returns:
        A list with the value of `call` in each process, arrays as lists.

    Raises:
        RuntimeError: If a process failed or was ended; the others are ended then.
        TimeoutError: If they ran longer than `timeout`.
        ValueError: If `place` is none of `STRATEGIES`.

    Example:
        >>> images, labels = np.zeros((5, 8, 8, 1), "float32"), np.arange(5)
        >>> replicas = "strategy.num_replicas_in_sync"
        >>> run_script(replicas, images, labels, "two devices")
        [2]
    """
    if place not in STRATEGIES:
        raise ValueError(
            f"Expected `place` to be one of {list(STRATEGIES)}. Received: {place!r}"
        )
    recipes: list[Any] = [is_size, check_sizes, functional_cnn, replica_step]
    recipes += [train_on_replicas, fit_on_replicas, error_of]
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/data.npz", images=images, labels=labels)
        start = f"""
from __future__ import annotations
import itertools, json, os, signal, sys
for name in ("IPython", "matplotlib", "pandas", "scipy", "sklearn"):
    sys.modules[name] = None  # Keras imports them where it finds them, for seconds
import numpy as np
import tensorflow as tf
if {place == "two devices"}:
    [processor] = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, two)
strategy = {STRATEGIES[place]}
import {keras_name} as keras
rank = strategy.cluster_resolver.task_id if strategy.cluster_resolver else 0
arrays = np.load({folder!r} + "/data.npz")
images, labels = arrays["images"], arrays["labels"]
"""
        end = f"print(json.dumps({call}, default=lambda array: array.tolist()))"
        program = "\n".join([start, *map(source_of, recipes), end])
        legacy = {"TF_USE_LEGACY_KERAS": str(int(keras_name == "tf_keras"))}
        cluster = cluster_variables(2) if place == "two workers" else [{}]
        variables = [{**worker, **legacy} for worker in cluster]
        printed = run_together([program] * len(variables), variables, timeout)
    return [json.loads(text.splitlines()[-1]) for text in printed]

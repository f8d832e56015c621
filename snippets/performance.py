"""What speed, memory and many devices cost, and what each change brings.

Most recipes make actions for `snippets.measuring.seconds_in_turns`: functions without
arguments that do the same work in another way, and return what they computed.
"""

import functools
import itertools
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.choosing import (
    Table,
    check_sizes,
    functional_cnn,
    is_size,
    source_of,
)
from snippets.measuring import ratio_with_spread
from snippets.processes import free_ports, run_together


def epoch_of_fit(
    model: keras.Model, dataset: tf.data.Dataset, **options: Any
) -> Callable[[], float]:
    """Compile a model in one way, and make an action of an epoch of `fit`.

    Args:
        model: A `keras.Model` that returns scores of shape `(batch, num_classes)`.
        dataset: A `tf.data.Dataset` of batches `(features, labels)`.
        **options: Of `compile`, such as `run_eagerly`, `jit_compile` or
            `steps_per_execution`.

    Returns:
        A function without arguments that trains for one epoch by plain gradient steps
        and returns the loss of that epoch.

    Example:
        >>> dataset = tf.data.Dataset.from_tensors((np.ones((5, 8, 8, 1)), np.zeros(5)))
        >>> action = epoch_of_fit(functional_cnn((8, 8, 1), 10), dataset)
        >>> action() > action()
        True
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, **options)

    def train() -> float:
        history = model.fit(dataset, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    return train


def prepare_image(image: tf.Tensor, size: int = 32) -> tf.Tensor:
    """Enlarge an image, or a batch of them, and give it mean 0 and deviation 1.

    Args:
        image: Tensor of shape `(..., height, width, channels)`, float32.
        size: Integer of at least 1.

    Returns:
        A tensor of shape `(..., size, size, channels)`, float32.

    Example:
        >>> prepare_image(tf.zeros([8, 8, 1])).shape
        TensorShape([32, 32, 1])
    """
    return tf.image.per_image_standardization(tf.image.resize(image, (size, size)))


@tf.autograph.experimental.do_not_convert
def prepare_pair(image: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Prepare an image, or a batch of them, and leave its label.

    Args:
        image: As for `prepare_image`.
        label: Tensor of any shape.

    Returns:
        A tuple of the prepared image and the label.

    Example:
        >>> image, label = prepare_pair(tf.zeros([8, 8, 1]), 3)
        >>> image.shape, label
        (TensorShape([32, 32, 1]), 3)
    """
    return prepare_image(image), label


def prepared_one_by_one(
    images: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> Iterator[tuple[tf.Tensor, Any]]:
    """Prepare images in a loop of Python.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, float32.
        labels: Array of shape `(num_images,)`.

    Returns:
        An iterator over tuples of a prepared image and its label.

    Example:
        >>> pairs = prepared_one_by_one(np.ones((2, 8, 8, 1)), np.array([3, 4]))
        >>> [int(label) for _, label in pairs]
        [3, 4]
    """
    return map(prepare_pair, images, labels)


def pipelines(
    images: npt.NDArray[Any], labels: npt.NDArray[Any], batch_size: int = 32
) -> dict[str, tf.data.Dataset]:
    """Build the same batches by six pipelines, each one change better than the last.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, float32.
        labels: Array of shape `(num_images,)`, int64.
        batch_size: Integer of at least 1.

    Returns:
        A dict from the name of a change to a `tf.data.Dataset` of batches `(images,
        labels)`, the images prepared by `prepare_image`.

    Raises:
        ValueError: If `batch_size` is less than 1, or if the lengths differ.

    Example:
        >>> found = pipelines(np.ones((5, 8, 8, 1), "float32"), np.arange(5))
        >>> found["prefetch"].element_spec[0].shape
        TensorShape([None, 32, 32, 1])
    """
    if not is_size(batch_size, 1) or len(images) != len(labels):
        raise ValueError(
            "Expected `batch_size` of at least 1 and as many `images` as `labels`. "
            f"Received: batch_size={batch_size}, {len(images)} images and "
            f"{len(labels)} labels"
        )

    auto = tf.data.AUTOTUNE
    spec = (
        tf.TensorSpec((32, 32, images.shape[-1]), tf.float32),
        tf.TensorSpec((), tf.int64),
    )
    source = tf.data.Dataset.from_tensor_slices((images, labels))
    generate = functools.partial(prepared_one_by_one, images, labels)
    found = {
        "a Python generator": tf.data.Dataset.from_generator(
            generate, output_signature=spec
        ).batch(batch_size),
        "map": source.map(prepare_pair).batch(batch_size),
        "parallel map": source.map(prepare_pair, num_parallel_calls=auto).batch(
            batch_size
        ),
        "batch, then map": source.batch(batch_size).map(
            prepare_pair, num_parallel_calls=auto
        ),
    }
    found["cache"] = found["batch, then map"].cache()
    found["prefetch"] = found["cache"].prefetch(auto)
    return found


def read_through(
    dataset: tf.data.Dataset, step: Callable[..., tf.Tensor]
) -> Callable[[], float]:
    """Make an action of reading a dataset once, with a step for each element.

    Args:
        dataset: A `tf.data.Dataset`.
        step: Function from the parts of an element to a number.

    Returns:
        A function without arguments that returns the sum of the steps.

    Example:
        >>> read_through(tf.data.Dataset.from_tensor_slices(([1, 2], [3, 4])), tf.add)()
        10.0
    """

    def read() -> float:
        return sum(float(step(*tf.nest.flatten(element))) for element in dataset)

    return read


@keras.saving.register_keras_serializable(package="snippets")
class Recomputed(keras.layers.Wrapper):
    """A layer that keeps no activations: it computes them again for the gradient.

    Args:
        layer: A `keras.Layer`, best one of several layers: its input and output are
            kept, and what is between them is not.
        **options: `name`, `dtype` and the like of `keras.Layer`.

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Example:
        >>> Recomputed(keras.layers.Dense(3))(np.ones((5, 2))).shape
        TensorShape([5, 3])

    References:
        - [Training Deep Nets with Sublinear Memory Cost](
          https://arxiv.org/abs/1604.06174), T. Chen et al., 2016.
    """

    def call(self, inputs: Any) -> Any:
        return tf.recompute_grad(self.layer)(inputs)


def deep_cnn(
    num_blocks: int = 4,
    wrapper: Callable[[keras.Layer], keras.Layer] | None = None,
    policy: str = "float32",
) -> keras.Model:
    """Build a network whose activations take more memory than its weights.

    Args:
        num_blocks: Integer of at least 1: blocks of four convolutions, 8 filters each.
        wrapper: `None`, or a function that wraps each block, such as `Recomputed`.
        policy: String, the dtype policy of the convolutions.

    Returns:
        An uncompiled model from images of shape `(batch, 32, 32, 3)` to scores of shape
        `(batch, 10)`, float32.

    Raises:
        ValueError: If `num_blocks` is less than 1.

    Example:
        >>> deep_cnn(num_blocks=1, wrapper=Recomputed).output_shape
        (None, 10)
    """
    if not is_size(num_blocks, 1):
        raise ValueError(
            f"Expected `num_blocks` of at least 1. Received: num_blocks={num_blocks}"
        )
    convolution = functools.partial(
        keras.layers.Conv2D, 8, 3, padding="same", activation="relu", dtype=policy
    )
    x = pixels = keras.Input((32, 32, 3), name="pixels")
    for _ in range(num_blocks):
        layers = [convolution(kernel_initializer="he_normal") for _ in range(4)]
        block = keras.Sequential(layers)
        x = wrapper(block)(x) if wrapper else block(x)
    x = keras.layers.GlobalAveragePooling2D(dtype="float32")(x)
    return keras.Model(pixels, keras.layers.Dense(10, dtype="float32")(x))


def deep_cnn_step(
    batch_size: int = 128, parts: int = 1, jit_compile: bool = False, **options: Any
) -> Callable[[], float]:
    """Make an action of one update of a `deep_cnn` by one batch of random images.

    The policy mixed_float16 has its loss scaled.

    Args:
        batch_size: Integer of at least 1, a multiple of `parts`.
        parts: Integer of at least 1: the batch is computed in so many parts, whose
            gradients are accumulated.
        jit_compile: Whether XLA compiles the step.
        **options: Of `deep_cnn`.

    Returns:
        A function without arguments that makes the update and returns the loss before.

    Raises:
        ValueError: If the batch cannot be cut into so many parts.

    Example:
        >>> action = deep_cnn_step(batch_size=4, parts=2, num_blocks=1)
        >>> bool(abs(action() - np.log(10)) < 1)
        True
    """
    if not is_size(parts, 1) or not is_size(batch_size, 1) or batch_size % parts:
        raise ValueError(
            "Expected `batch_size` and `parts` of at least 1, the first a multiple of "
            f"the second. Received: batch_size={batch_size} and parts={parts}"
        )
    keras.utils.set_random_seed(0)
    model = deep_cnn(**options)
    generator = np.random.default_rng(0)
    images = generator.random((batch_size, 32, 32, 3), "float32")
    labels = generator.integers(0, 10, batch_size)
    accumulated = parts if parts > 1 else None
    optimizer = keras.optimizers.SGD(0.01, gradient_accumulation_steps=accumulated)
    if options.get("policy") == "mixed_float16":
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=jit_compile)

    def update() -> float:
        size = batch_size // parts
        history = model.fit(images, labels, size, shuffle=False, verbose=0)
        return float(history.history["loss"][0])

    return update


def memory_preparation() -> str:
    """Write what a fresh process needs to call `deep_cnn_step`.

    Returns:
        A string of Python, for `snippets.measuring.peak_memories`.

    Example:
        >>> "def deep_cnn_step(" in memory_preparation()
        True
    """
    imports = """
from __future__ import annotations
import functools
import keras
import numpy as np
import tensorflow as tf
"""
    recipes = [is_size, Recomputed, deep_cnn, deep_cnn_step]
    return "\n".join([imports, *map(source_of, recipes)])


def scaled_gradient(slope: float, scale: float, dtype: str = "float16") -> float:
    """Send the gradient of a scaled loss through a small dtype, and unscale it.

    Args:
        slope: Float, the gradient that is right.
        scale: Float greater than 0 by which the loss is multiplied, and its gradient
            divided.
        dtype: String, the dtype in which the gradient passes.

    Returns:
        A float: `slope`, if `dtype` can hold `scale * slope`.

    Raises:
        ValueError: If `scale` is not greater than 0.

    Example:
        >>> scaled_gradient(1e-8, scale=1.0), scaled_gradient(1e-8, scale=2.0**15)
        (0.0, 1.000e-08)
    """
    if not scale > 0:
        raise ValueError(f"Expected `scale` greater than 0. Received: scale={scale}")
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = slope * tf.cast(tf.cast(x, dtype), "float32")
        scaled_loss = scale * loss
    return float(tape.gradient(scaled_loss, x)) / scale


@tf.custom_gradient
def log1p_exp(x: tf.Tensor) -> Any:
    """Compute `log(1 + exp(x))` with a gradient that does not overflow.

    Args:
        x: Float tensor of any shape.

    Returns:
        A tensor of the same shape and dtype.

    Example:
        >>> x = tf.constant([0.0, 100.0])
        >>> with tf.GradientTape() as tape:
        ...     tape.watch(x)
        ...     y = log1p_exp(x)
        >>> tape.gradient(y, x).numpy().tolist()
        [0.5, 1.0]
    """
    powers = tf.exp(x)

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        return upstream * (1.0 - 1.0 / (1.0 + powers))

    return tf.math.log1p(powers), gradient


def gradient_of_sum(
    function: Callable[[tf.Tensor], tf.Tensor], x: tf.Tensor
) -> Callable[[], npt.NDArray[Any]]:
    """Make an action of the gradient of the sum of a function, compiled.

    Args:
        function: Function from a tensor to a tensor.
        x: Float tensor of any shape.

    Returns:
        A function without arguments that returns an array of the shape of `x`.

    Example:
        >>> gradient_of_sum(tf.square, tf.constant([1.0, 2.0]))()
        array([2., 4.], dtype=float32)
    """

    @tf.function(autograph=False)
    def gradient(x: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(function(x))
        return tape.gradient(total, x)

    return lambda: np.array(gradient(x))


def python_in_a_map(count: int) -> dict[str, tf.data.Dataset]:
    """Double numbers in the `map` of a dataset: in TensorFlow, and in Python.

    Args:
        count: Integer of at least 1, the numbers from 0.

    Returns:
        A dict from the function that was used to a `tf.data.Dataset` of float32.

    Example:
        >>> doubled = python_in_a_map(3)["tf.py_function"]
        >>> [float(number) for number in doubled]
        [0.0, 2.0, 4.0]
    """
    numbers = tf.data.Dataset.range(count, output_type=tf.float32)

    as_written = tf.autograph.experimental.do_not_convert
    in_tensorflow = as_written(lambda x: 2.0 * x)
    in_numpy = as_written(lambda x: tf.numpy_function(np.add, [x, x], tf.float32))
    in_python = as_written(lambda x: tf.py_function(tf.add, [x, x], tf.float32))
    return {
        "TensorFlow": numbers.map(in_tensorflow),
        "tf.numpy_function": numbers.map(in_numpy),
        "tf.py_function": numbers.map(in_python),
    }


def calls_of_a_function(x: tf.Tensor) -> dict[str, Callable[[], float]]:
    """Call a compiled function with a number: as a tensor, and as a new Python number.

    Args:
        x: Float tensor of any shape.

    Returns:
        A dict of two actions, which return the same number. The first is traced once,
        the second at every call.

    Example:
        >>> [action() for action in calls_of_a_function(tf.zeros([3])).values()]
        [0.0, 0.0]
    """

    @tf.function(autograph=False)
    def scaled(x: tf.Tensor, scale: Any) -> tf.Tensor:
        for _ in range(10):
            x = tf.tanh(x)
        return scale * tf.reduce_sum(x)

    numbers = itertools.count(start=1)

    def with_number() -> float:
        number = next(numbers)
        return float(scaled(x, number)) / number

    return {
        "a tensor": lambda: float(scaled(x, tf.constant(1.0))),
        "a new number": with_number,
    }


LITE_KINDS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float16 weights": {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "target_spec": tf.lite.TargetSpec(supported_types=[tf.float16]),
    },
    "int8 weights": {"optimizations": [tf.lite.Optimize.DEFAULT]},
    "int8": {"optimizations": [tf.lite.Optimize.DEFAULT]},  # and examples of inputs
}


def lite_file(model: keras.Model, kind: str, examples: npt.NDArray[Any]) -> bytes:
    """Convert a model to a file of TensorFlow Lite.

    Args:
        model: A built `keras.Model` of one input and one output.
        kind: String, one of `LITE_KINDS`.
        examples: Array of shape `(num_examples, ...)`, inputs of the model. The kind
            int8 takes from them how large numbers become, and later cuts larger ones
            off.

    Returns:
        The bytes of the file. Input and output are float32 in every kind.

    Raises:
        ValueError: If `kind` is none of `LITE_KINDS`.

    Example:
        >>> model, image = functional_cnn((8, 8, 1), 10), np.ones((1, 8, 8, 1))
        >>> lite_file(model, "float32", image)[4:8]
        b'TFL3'
    """
    if kind not in LITE_KINDS:
        raise ValueError(
            f"Expected `kind` to be one of {list(LITE_KINDS)}. Received: {kind!r}"
        )
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        for name, value in LITE_KINDS[kind].items():
            setattr(converter, name, value)
        if kind == "int8":
            batches = examples[:, np.newaxis].astype("float32")
            converter.representative_dataset = lambda: ([batch] for batch in batches)
        return bytes(converter.convert())


def lite_function(file: bytes) -> Callable[[npt.NDArray[Any]], npt.NDArray[Any]]:
    """Make a function of a file of TensorFlow Lite.

    Args:
        file: Bytes, as `lite_file` returns them.

    Returns:
        A function from a batch of inputs, float32, to a batch of outputs. Another size
        of the batch than at the last call costs some time. It raises a `ValueError` if
        the other axes or the dtype do not fit.

    Example:
        >>> images = np.ones((5, 8, 8, 1), "float32")
        >>> file = lite_file(functional_cnn((8, 8, 1), 10), "float32", images)
        >>> lite_function(file)(images).shape
        (5, 10)
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it names a successor
        interpreter = tf.lite.Interpreter(model_content=file)
        interpreter.allocate_tensors()
    [inputs] = interpreter.get_input_details()
    [outputs] = interpreter.get_output_details()
    shape = tuple(map(int, inputs["shape"]))

    def predict(batch: npt.NDArray[Any]) -> npt.NDArray[Any]:
        nonlocal shape
        if batch.shape[1:] != shape[1:]:
            raise ValueError(
                f"Expected a batch of shape (batch, {str(shape[1:])[1:]}. "
                f"Received: shape {batch.shape}"
            )
        if batch.shape != shape:
            interpreter.resize_tensor_input(inputs["index"], batch.shape)
            interpreter.allocate_tensors()
            shape = batch.shape
        interpreter.set_tensor(inputs["index"], batch)
        interpreter.invoke()
        found: npt.NDArray[Any] = interpreter.get_tensor(outputs["index"])
        return found

    return predict


def share_right(
    predict: Callable[[npt.NDArray[Any]], npt.ArrayLike],
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
) -> Callable[[], float]:
    """Make an action of classifying images, one after the other.

    Args:
        predict: Function from a batch of images to scores `(batch, num_classes)`.
        images: Array of shape `(num_images, height, width, channels)`, float32.
        labels: Array of shape `(num_images,)`, the right classes.

    Returns:
        A function without arguments that returns the share of images whose largest
        score is that of their class.

    Example:
        >>> share_right(lambda batch: [[0.1, 0.9]], np.ones((2, 8, 8, 1)), [1, 0])()
        0.5
    """

    def classify() -> float:
        classes = [np.argmax(predict(image)) for image in images[:, np.newaxis]]
        return float(np.mean(np.equal(classes, labels)))

    return classify


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
        ValueError: If `num_workers` is less than 1.

    Example:
        >>> first, second = cluster_variables(2)
        >>> json.loads(second["TF_CONFIG"])["task"]
        {'type': 'worker', 'index': 1}
    """
    if not is_size(num_workers, 1):
        raise ValueError(
            f"Expected `num_workers` of at least 1. Received: num_workers={num_workers}"
        )
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
import itertools, json, os, signal
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


def measured_table(
    ratios: Mapping[str, Mapping[str, tuple[float, float, float]]],
) -> Table:
    """Put all ratios that were measured into one table.

    Args:
        ratios: Dict from what was measured to a dict as `ratios_to_first` returns it.

    Returns:
        A `Table` with a row for each ratio but those of the baselines themselves.

    Example:
        >>> measured_table({"step": {"a": (1.0, 1.0, 1.0), "b": (0.4, 0.5, 0.6)}})
        Measured | Change | Compared with | Ratio
        step | b | a | 0.5 (0.4 to 0.6)
    """
    rows = []
    for measured, found in ratios.items():
        baseline, *changes = found
        rows += [
            [measured, change, baseline, ratio_with_spread(found[change])]
            for change in changes
        ]
    return Table(["Measured", "Change", "Compared with", "Ratio"], rows)

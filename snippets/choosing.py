"""One small network written at five levels, and what each level costs and allows.

The network is the same everywhere: a convolution of 32 filters of 3 x 3, ReLU, max
pooling, one dense layer. It returns scores (logits) and learns by plain gradient steps.
"""

import ast
import functools
import inspect
import json
import linecache
import math
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.drawings import layer_calls
from snippets.measuring import (
    peak_memories,
    ratio_with_spread,
    ratios_to_first,
    seconds_in_turns,
)
from snippets.processes import run_python

LEVELS = ("Sequential", "Functional", "Subclassed", "Own train_step", "tf.Module")


def is_size(value: Any, least: int) -> bool:
    """Say whether a value is an integer of a least size; `True` is none.

    Args:
        value: Any object.
        least: Integer.

    Returns:
        Whether it is.

    Example:
        >>> is_size(8, 4), is_size(8.0, 4), is_size(True, 1)
        (True, False, False)
    """
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return is_integer and bool(value >= least)


def check_sizes(image_shape: Sequence[int], num_classes: int) -> tuple[int, int, int]:
    """Refuse sizes from which the network cannot be built.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis: height
            and width of at least 4, so that something is left to pool, channels of at
            least 1.
        num_classes: Integer of at least 2.

    Returns:
        `image_shape` as a tuple of three integers.

    Raises:
        ValueError: If a size is missing, too small or no integer.

    Example:
        >>> check_sizes((8, 8, 1), num_classes=10)
        (8, 8, 1)
    """
    sizes = tuple(image_shape) if isinstance(image_shape, (tuple, list)) else ()
    if len(sizes) != 3 or not all(map(is_size, sizes, (4, 4, 1))):
        raise ValueError(
            "Expected `image_shape` to be three integers, (height, width, channels) of "
            f"at least (4, 4, 1), without the batch axis. Received: {image_shape}"
        )
    if not is_size(num_classes, 2):
        raise ValueError(
            "Expected `num_classes` to be an integer of at least 2. "
            f"Received: {num_classes}"
        )
    height, width, channels = map(int, sizes)
    return height, width, channels


def sequential_cnn(image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Build the network as a list of layers.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        An uncompiled `keras.Sequential` from images of shape `(batch, *image_shape)` to
        scores of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> sequential_cnn((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(shape=check_sizes(image_shape, num_classes), name="pixels"),
            keras.layers.Conv2D(32, 3, activation="relu", name="convolution"),
            keras.layers.MaxPooling2D(name="pooling"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(num_classes, name="scores"),
        ]
    )


def functional_cnn(image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Build the network as a graph of layers.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        scores of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> functional_cnn((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    pixels = keras.Input(shape=check_sizes(image_shape, num_classes), name="pixels")
    x = keras.layers.Conv2D(32, 3, activation="relu", name="convolution")(pixels)
    x = keras.layers.MaxPooling2D(name="pooling")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    scores = keras.layers.Dense(num_classes, name="scores")(x)
    return keras.Model(pixels, scores)


@keras.saving.register_keras_serializable(package="snippets")
class SubclassedCNN(keras.Model):
    """The network as a class whose `call` is ordinary Python.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        **options: `name`, `dtype` and the like of `keras.Model`.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> network = SubclassedCNN((8, 8, 1), num_classes=10)
        >>> tuple(network(np.zeros((5, 8, 8, 1))).shape)
        (5, 10)
    """

    def __init__(
        self, image_shape: tuple[int, int, int], num_classes: int, **options: Any
    ) -> None:
        super().__init__(**options)
        self.image_shape = check_sizes(image_shape, num_classes)
        self.num_classes = num_classes
        self.convolution = keras.layers.Conv2D(32, 3, activation="relu")
        self.pooling = keras.layers.MaxPooling2D()
        self.flatten = keras.layers.Flatten()
        self.scores = keras.layers.Dense(num_classes)

    def call(self, images: Any) -> Any:
        x = self.pooling(self.convolution(images))
        return self.scores(self.flatten(x))

    def get_config(self) -> dict[str, Any]:
        sizes = {"image_shape": self.image_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="snippets")
class OwnStepCNN(SubclassedCNN):
    """The network with a training step of its own, which `fit` calls.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        **options: `name`, `dtype` and the like of `keras.Model`.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> network = OwnStepCNN((8, 8, 1), num_classes=10)
        >>> network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        >>> history = network.fit(np.zeros((5, 8, 8, 1)), np.zeros(5), verbose=0)
        >>> list(history.history)
        ['loss']
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            scores = self(x, training=True)
            loss = self.compute_loss(x, y, scores, sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=tf.shape(x)[0])
            else:
                metric.update_state(y, scores, sample_weight)
        return dict(self.get_metrics_result())


class ModuleCNN(tf.Module):
    """The network in TensorFlow alone: variables, operations, a compiled step.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        learning_rate: Float greater than 0.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> network = ModuleCNN((8, 8, 1), num_classes=10)
        >>> network(tf.zeros([5, 8, 8, 1])).shape
        TensorShape([5, 10])
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        learning_rate: float = 0.1,
    ) -> None:
        super().__init__()
        height, width, channels = check_sizes(image_shape, num_classes)
        size = (height - 2) // 2 * ((width - 2) // 2) * 32  # what the pooling leaves
        self.learning_rate = learning_rate
        self.kernel = tf.Variable(
            tf.random.truncated_normal([3, 3, channels, 32], stddev=0.1)
        )
        self.bias = tf.Variable(tf.zeros([32]))
        self.scores_kernel = tf.Variable(
            tf.random.truncated_normal([size, num_classes], stddev=0.1)
        )
        self.scores_bias = tf.Variable(tf.zeros([num_classes]))

    @property
    def weights(self) -> list[tf.Variable]:
        return [self.kernel, self.bias, self.scores_kernel, self.scores_bias]

    def __call__(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="VALID")
        x = tf.nn.relu(x + self.bias)
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        x = tf.reshape(x, [tf.shape(x)[0], -1])  # (batch, size)
        return x @ self.scores_kernel + self.scores_bias

    @tf.function
    def train_step(self, images: Any, labels: Any) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = self(images)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.weights)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.assign_sub(self.learning_rate * gradient)
        return loss

    def train_on_batch(self, images: Any, labels: Any) -> float:
        return float(self.train_step(images, labels))


def build_network(
    level: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    learning_rate: float = 0.1,
) -> Any:
    """Build the network at one level, ready to train.

    The four of Keras are compiled with the rule that the fifth has built in: the mean
    cross-entropy, plain gradient steps, a compiled step without XLA.

    Args:
        level: String, one of `LEVELS`.
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        learning_rate: Float greater than 0.

    Returns:
        A `keras.Model` or a `ModuleCNN`: both have `weights` in the same order, can be
        called on images and have `train_on_batch(images, labels)`.

    Raises:
        ValueError: If `level` is none of `LEVELS`, or if `check_sizes` refuses a size.

    Example:
        >>> network = build_network("tf.Module", (8, 8, 1), num_classes=10)
        >>> [tuple(weight.shape) for weight in network.weights]
        [(3, 3, 1, 32), (32,), (288, 10), (10,)]
    """
    if level not in LEVELS:
        raise ValueError(f"Expected `level` to be one of {LEVELS}. Received: {level!r}")
    if level == "tf.Module":
        return ModuleCNN(image_shape, num_classes, learning_rate)
    builders = (sequential_cnn, functional_cnn, SubclassedCNN, OwnStepCNN)
    network = builders[LEVELS.index(level)](image_shape, num_classes)
    network(keras.Input(shape=image_shape))  # makes the weights of a subclassed one
    network.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return network


def copy_weights(source: Any, *targets: Any) -> None:
    """Copy the weights of one network into others of the same shapes.

    Args:
        source: A `keras.Model` that has been built, or anything else with `weights`.
        *targets: Networks with as many weights, in the same order.

    Raises:
        ValueError: If the shapes of the weights differ; nothing has been copied then.

    Example:
        >>> first, second = (sequential_cnn((8, 8, 1), 10) for _ in range(2))
        >>> copy_weights(first, second)
        >>> all(map(np.array_equal, first.get_weights(), second.get_weights()))
        True
    """
    wanted = [tuple(weight.shape) for weight in source.weights]
    for target in targets:
        shapes = [tuple(weight.shape) for weight in target.weights]
        if shapes != wanted:
            raise ValueError(
                f"Expected every target to have weights of the shapes {wanted}. "
                f"Received: {shapes}"
            )
    for target in targets:
        for weight, value in zip(target.weights, source.weights, strict=True):
            weight.assign(value)


def scores_and_gradients(
    network: Any, images: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> list[npt.NDArray[Any]]:
    """Compute what a network answers, and in which direction it would learn.

    Args:
        network: A network of `build_network`.
        images: Array of shape `(batch, height, width, channels)`, float32.
        labels: Array of shape `(batch,)`, integers from 0.

    Returns:
        A list of arrays, float32: the scores, of shape `(batch, num_classes)`, then
        the gradient of the mean cross-entropy by each weight, in the weight's shape.

    Example:
        >>> network = build_network("Sequential", (8, 8, 1), num_classes=10)
        >>> images, labels = np.ones((5, 8, 8, 1), "float32"), np.arange(5)
        >>> [array.shape for array in scores_and_gradients(network, images, labels)]
        [(5, 10), (3, 3, 1, 32), (32,), (288, 10), (10,)]
    """
    with tf.GradientTape() as tape:
        scores = network(tf.constant(images))
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, network.weights)
    return [np.array(scores), *(np.array(gradient) for gradient in gradients)]


def agreement(
    networks: Mapping[str, Any],
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    tolerance: float = 1e-5,
) -> dict[str, bool]:
    """Say which networks have the scores and the gradients of the first.

    Args:
        networks: Dict from a name to a network of `build_network`, at least one.
        images: Array of shape `(batch, height, width, channels)`, float32.
        labels: Array of shape `(batch,)`, integers from 0.
        tolerance: Float greater than 0, the relative and absolute difference that is
            put down to rounding.

    Returns:
        A dict from each name to whether every score and every gradient is equal.

    Example:
        >>> pair = {level: build_network(level, (8, 8, 1), 10) for level in LEVELS[:2]}
        >>> copy_weights(*pair.values())
        >>> agreement(pair, np.ones((5, 8, 8, 1), "float32"), np.arange(5))
        {'Sequential': True, 'Functional': True}
    """
    found = {
        name: scores_and_gradients(network, images, labels)
        for name, network in networks.items()
    }
    wanted = next(iter(found.values()))
    close = functools.partial(np.allclose, rtol=tolerance, atol=tolerance)
    return {name: all(map(close, arrays, wanted)) for name, arrays in found.items()}


class Table:
    """A table that notebooks show, and that is its rows as data.

    Args:
        headings: Sequence of strings.
        rows: Sequence of sequences of as many strings, in Markdown.

    Example:
        >>> Table(["level", "lines"], [["Sequential", "9"]])
        level | lines
        Sequential | 9
    """

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Keep the cells as they are."""
        self.headings, self.rows = list(headings), [list(row) for row in rows]

    def _repr_markdown_(self) -> str:
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def __repr__(self) -> str:
        """Write each row as a line of plain text."""
        return "\n".join(" | ".join(cells) for cells in [self.headings, *self.rows])


def source_of(recipe: Any) -> str:
    """Read the source of a function or class, in a module or in a notebook.

    Args:
        recipe: A function, or a class with at least one method of its own.

    Returns:
        A string, its source with its decorators.

    Example:
        >>> source_of(is_size).splitlines()[0]
        'def is_size(value: Any, least: int) -> bool:'
    """
    methods = filter(inspect.isfunction, map(inspect.unwrap, vars(recipe).values()))
    function = recipe if inspect.isfunction(recipe) else next(methods)
    # `inspect.getsource` finds no classes of a notebook before Python 3.13.
    lines = linecache.getlines(function.__code__.co_filename)
    for node in ast.parse("".join(lines)).body:
        if getattr(node, "name", None) == recipe.__name__:
            decorators = getattr(node, "decorator_list", [])
            first = min(part.lineno for part in [node, *decorators])
            return "".join(lines[first - 1 : node.end_lineno])
    raise ValueError(f"Expected a recipe at the top of a file. Received: {recipe}")


def count_lines(*recipes: Any) -> int:
    """Count lines of code, without docstrings, comments and blank lines.

    Args:
        *recipes: Functions or classes that `source_of` can read.

    Returns:
        The number of lines that hold code, as they are laid out in the source.

    Example:
        >>> count_lines(functional_cnn, sequential_cnn) > count_lines(functional_cnn)
        True
    """
    total = 0
    for recipe in recipes:
        text = source_of(recipe)
        tree = ast.parse(text)
        documented = [
            node.body[0]
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.ClassDef))
            and ast.get_docstring(node) is not None
        ]
        hidden = {
            number
            for node in documented
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1)
        }
        for number, line in enumerate(text.splitlines(), start=1):
            is_code = line.strip() and not line.strip().startswith("#")
            total += bool(is_code and number not in hidden)
    return total


def step_seconds(
    networks: Mapping[str, Any],
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    rounds: int,
) -> dict[str, list[float]]:
    """Time one training step of each network, turn by turn.

    Every network first makes three steps that do not count, in which it is traced. Then
    each makes one step in every round, on the same batch; each round begins with
    another network, so that a slow moment of the machine hits all of them alike.

    Args:
        networks: Dict from a name to a network of `build_network`, at least one.
        images: Array of shape `(batch, height, width, channels)`, float32.
        labels: Array of shape `(batch,)`, integers from 0.
        rounds: Integer of at least 1.

    Returns:
        A dict from each name to the seconds of its steps, one for each round.

    Raises:
        ValueError: If there is no network, or if `rounds` is less than 1.

    Example:
        >>> pair = {level: build_network(level, (8, 8, 1), 10) for level in LEVELS[:2]}
        >>> images, labels = np.ones((5, 8, 8, 1), "float32"), np.arange(5)
        >>> len(step_seconds(pair, images, labels, rounds=4)["Functional"])
        4
    """
    if not networks or rounds < 1:
        raise ValueError(
            "Expected at least one of `networks` and `rounds` of at least 1. "
            f"Received: {len(networks)} networks and rounds={rounds}"
        )
    batch = tf.constant(images), tf.constant(labels)

    def step(network: Any) -> None:  # whether they agree is asked by `agreement`
        network.train_on_batch(*batch)

    steps = {
        name: functools.partial(step, network) for name, network in networks.items()
    }
    return seconds_in_turns(steps, rounds)


def peak_memory(
    image_shape: tuple[int, int, int], batch_size: int, num_classes: int, repeats: int
) -> dict[str, list[float]]:
    """Measure how much memory building and training takes at each level.

    One process imports the libraries and computes nothing. For each measurement a copy
    of it is forked, builds one network, trains it for three steps on one batch, and
    reports by how much its peak exceeds what it had before. Works on Linux and macOS.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        batch_size: Integer of at least 1.
        num_classes: Integer of at least 2.
        repeats: Integer of at least 1, the measurements of each level.

    Returns:
        A dict from each of `LEVELS` to as many numbers, in MiB.

    Raises:
        RuntimeError: If the process failed, for example without memory.
        ValueError: If a size is too small.

    Example:
        >>> peaks = peak_memory((8, 8, 1), batch_size=4, num_classes=10, repeats=1)
        >>> all(megabytes > 0 for [megabytes] in peaks.values())
        True
    """
    check_sizes(image_shape, num_classes)
    if not (is_size(batch_size, 1) and is_size(repeats, 1)):
        raise ValueError(
            "Expected `batch_size` and `repeats` to be integers of at least 1. "
            f"Received: batch_size={batch_size} and repeats={repeats}"
        )
    recipes: list[Any] = [is_size, check_sizes, sequential_cnn, functional_cnn]
    recipes += [SubclassedCNN, OwnStepCNN, ModuleCNN, build_network]
    preparation = f"""
from __future__ import annotations
import keras
import numpy as np
import tensorflow as tf
LEVELS = {LEVELS!r}
IMAGES = np.zeros({(batch_size, *image_shape)!r}, "float32")
"""
    program = f"""
network = build_network({{level!r}}, *{(image_shape, num_classes)!r})
for _ in range(3):
    network.train_on_batch(IMAGES, np.zeros(len(IMAGES), "int64"))
"""
    programs = {level: program.format(level=level) for level in LEVELS}
    sources = map(source_of, recipes)
    return peak_memories("\n".join([preparation, *sources]), programs, repeats)


def attempt(action: Callable[[], object]) -> str:
    """Do something and say whether it could be done.

    Args:
        action: A function without arguments.

    Returns:
        `"yes"`, or `"no: "` and the type of the exception.

    Example:
        >>> attempt(lambda: 1 / 1), attempt(lambda: 1 / 0)
        ('yes', 'no: ZeroDivisionError')
    """
    try:
        action()
    except Exception as error:  # whatever it is, it is the answer
        return f"no: {type(error).__name__}"
    return "yes"


def save_and_reload(network: Any, images: npt.NDArray[Any]) -> Any:
    """Save a network as `.keras`, load it, and compare what both answer.

    Args:
        network: A network of `build_network`.
        images: Array of shape `(batch, height, width, channels)`, float32.

    Returns:
        The network that was loaded.

    Raises:
        AttributeError: If the network has no `save`.
        ValueError: If the network that was loaded answers differently.

    Example:
        >>> network = build_network("Functional", (8, 8, 1), num_classes=10)
        >>> save_and_reload(network, np.ones((5, 8, 8, 1))).output_shape
        (None, 10)
    """
    with tempfile.TemporaryDirectory() as folder:
        network.save(f"{folder}/network.keras")
        loaded = keras.saving.load_model(f"{folder}/network.keras")
    if not np.allclose(loaded(images), network(images), atol=1e-6):
        raise ValueError("Expected the loaded network to answer as the saved one does.")
    return loaded


def inverted_if_bright(images: tf.Tensor | keras.KerasTensor) -> Any:
    """Turn a batch of bright images into dark ones, with a Python `if` on the pixels.

    Args:
        images: Tensor of shape `(batch, ...)` with values from 0 to 1, float32.

    Returns:
        A tensor of the same shape and dtype, whose mean is at most 0.5.

    Example:
        >>> np.array(inverted_if_bright(tf.constant([0.75, 1.0])))
        array([0.25, 0.  ], dtype=float32)
    """
    if keras.ops.mean(images) > 0.5:
        images = 1.0 - images
    return images


def inverted_where_bright(images: tf.Tensor | keras.KerasTensor) -> Any:
    """Turn a batch of bright images into dark ones, with `keras.ops.where`.

    Args:
        images: Tensor of shape `(batch, ...)` with values from 0 to 1, float32.

    Returns:
        A tensor of the same shape and dtype, whose mean is at most 0.5.

    Example:
        >>> np.array(inverted_where_bright(tf.constant([0.75, 1.0])))
        array([0.25, 0.  ], dtype=float32)
    """
    is_bright = keras.ops.mean(images) > 0.5
    return keras.ops.where(is_bright, 1.0 - images, images)


def network_behind(
    function: Callable[[Any], Any],
    level: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
) -> Any:
    """Build the network at one level, with a function that its images pass first.

    In a Sequential model the function is a `Lambda` layer, in a Functional model it is
    called on the Input, and at the other levels in `call` or `__call__`.

    Args:
        function: A function from images to images of the same shape.
        level: String, one of `LEVELS`.
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        A network as `build_network` returns it. A subclassed one has no weights yet.

    Raises:
        TypeError: If `level` is `"Functional"` and the function needs numbers.
        ValueError: If `level` is none of `LEVELS`, or if `check_sizes` refuses a size.

    Example:
        >>> network = network_behind(tf.abs, "tf.Module", (8, 8, 1), num_classes=10)
        >>> network(tf.zeros([5, 8, 8, 1])).shape
        TensorShape([5, 10])
    """
    plain = build_network(level, image_shape, num_classes)
    if level == "Sequential":
        first = [keras.Input(shape=image_shape), keras.layers.Lambda(function)]
        network = keras.Sequential([*first, *plain.layers])
    elif level == "Functional":
        pixels = keras.Input(shape=image_shape)
        network = keras.Model(pixels, plain(function(pixels)))
    else:
        network_class = type(plain)
        method = "__call__" if level == "tf.Module" else "call"

        def forward(self: Any, images: Any) -> Any:
            return getattr(network_class, method)(self, function(images))

        name = f"{network_class.__name__}Behind"
        network = type(name, (network_class,), {method: forward})(
            image_shape, num_classes
        )
    if level != "tf.Module":
        network.compile(plain.optimizer, plain.loss, jit_compile=False)
    return network


def abilities(
    image_shape: tuple[int, int, int],
    num_classes: int,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
) -> dict[str, dict[str, str]]:
    """Try at each level what a network may be asked for.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        images: Array of shape `(batch, *image_shape)` with values from 0 to 1, float32.
        labels: Array of shape `(batch,)`, integers from 0 and below `num_classes`.

    Returns:
        A dict from what was tried to a dict from each of `LEVELS` to the outcome, as
        `attempt` words it.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> images, labels = np.ones((2, 8, 8, 1), "float32"), np.arange(2)
        >>> abilities((8, 8, 1), 10, images, labels)["drawn as a graph"]["Subclassed"]
        'no: ValueError'
    """

    def behind(function: Callable[[Any], Any], level: str) -> Any:
        return network_behind(function, level, image_shape, num_classes)

    check_sizes(image_shape, num_classes)
    trials: dict[str, Callable[[str], object]] = {
        "saved as `.keras`": lambda level: save_and_reload(
            build_network(level, image_shape, num_classes), images
        ),
        "drawn as a graph": lambda level: layer_calls(
            build_network(level, image_shape, num_classes)
        ),
        "`if` on pixels, called": lambda level: behind(inverted_if_bright, level)(
            tf.constant(images)
        ),
        "`if` on pixels, trained": lambda level: behind(
            inverted_if_bright, level
        ).train_on_batch(images, labels),
        "`ops.where`, trained": lambda level: behind(
            inverted_where_bright, level
        ).train_on_batch(images, labels),
    }
    return {
        title: {level: attempt(functools.partial(trial, level)) for level in LEVELS}
        for title, trial in trials.items()
    }


def level_table(
    networks: Mapping[str, Any],
    small_steps: Mapping[str, Sequence[float]],
    large_steps: Mapping[str, Sequence[float]],
    memory: Mapping[str, Sequence[float]],
    outcomes: Mapping[str, Mapping[str, str]],
) -> Table:
    """Put what was measured and what was tried at each level into one table.

    Args:
        networks: Dict from each of `LEVELS` to its network.
        small_steps: Dict as `step_seconds` returns it for these networks.
        large_steps: The same for a step that computes more.
        memory: Dict as `peak_memory` returns it.
        outcomes: Dict as `abilities` returns it.

    Returns:
        A `Table` with one column for each level. A cell of timings is the median of the
        ratios to the first level, with their quartiles; a cell of memory the median and
        the quartiles in MiB.

    Example:
        >>> networks = {level: build_network(level, (8, 8, 1), 10) for level in LEVELS}
        >>> ones = dict.fromkeys(LEVELS, [1.0, 1.0])
        >>> level_table(networks, ones, ones, ones, {}).rows[1][:2]
        ['parameters', '3,210']
    """

    def ratios(seconds: Mapping[str, Sequence[float]]) -> list[str]:
        return [*map(ratio_with_spread, ratios_to_first(seconds).values())]

    def milliseconds(seconds: Mapping[str, Sequence[float]]) -> str:
        return f"{1000 * np.median(seconds[LEVELS[0]]):.1f} ms in {LEVELS[0]}"

    recipes: list[list[Any]] = [[sequential_cnn], [functional_cnn], [SubclassedCNN]]
    recipes += [[SubclassedCNN, OwnStepCNN], [ModuleCNN]]
    parameters = [
        sum(math.prod(weight.shape) for weight in networks[level].weights)
        for level in LEVELS
    ]
    rows = {
        "lines of code": [str(count_lines(*parts)) for parts in recipes],
        "parameters": [f"{number:,}" for number in parameters],
        f"small step ({milliseconds(small_steps)})": ratios(small_steps),
        f"large step ({milliseconds(large_steps)})": ratios(large_steps),
        "peak memory, MiB": [
            ratio_with_spread(tuple(np.quantile(memory[level], (0.25, 0.5, 0.75))))
            for level in LEVELS
        ],
    }
    for title, tried in outcomes.items():
        rows[title] = [
            re.sub(r"(?<=no: )(\w+)", r"`\1`", tried[level]) for level in LEVELS
        ]
    return Table(["", *LEVELS], [[title, *cells] for title, cells in rows.items()])


def branching_model(keras_module: Any) -> Any:
    """Build a model whose `call` asks the data, in an `if` of Python.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A compiled model of that Keras from arrays of shape `(batch, features)` to
        scores of shape `(batch, 2)`, float32.

    Example:
        >>> tuple(branching_model(keras)(np.ones((4, 3))).shape)
        (4, 2)
    """

    class Branching(keras_module.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scores = keras_module.layers.Dense(2)

        def call(self, x: Any) -> Any:
            if tf.reduce_mean(x) > 0.5:
                x = 1.0 - x
            return self.scores(x)

    model = Branching()
    model.compile("sgd", "mse")
    return model


class HandTypedCNN(tf.Module):
    """A network whose flattened size was typed by hand: wrong on purpose.

    With `padding="SAME"` an image of 28 x 28 pixels is pooled to 14 x 14, which is 6272
    numbers for 32 filters. 5408 is 13 x 13 x 32, the size that `"VALID"` leaves.

    Args:
        num_classes: Integer of at least 2.

    Raises:
        ValueError: If `num_classes` is refused.

    Example:
        >>> HandTypedCNN(num_classes=10)(tf.zeros([169, 28, 28, 1])).shape
        TensorShape([196, 10])
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        check_sizes((28, 28, 1), num_classes)
        self.kernel = tf.Variable(tf.random.truncated_normal([3, 3, 1, 32], stddev=0.1))
        self.bias = tf.Variable(tf.zeros([32]))
        self.scores_kernel = tf.Variable(
            tf.random.truncated_normal([5408, num_classes], stddev=0.1)
        )
        self.scores_bias = tf.Variable(tf.zeros([num_classes]))

    def __call__(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="SAME")
        x = tf.nn.relu(x + self.bias)
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")
        x = tf.reshape(x, [-1, 5408])
        return x @ self.scores_kernel + self.scores_bias


class DerivedSizeCNN(tf.Module):
    """The same network, whose flattened size comes from the shapes.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> network = DerivedSizeCNN((28, 28, 1), num_classes=10)
        >>> network(tf.zeros([169, 28, 28, 1])).shape
        TensorShape([169, 10])
    """

    def __init__(self, image_shape: tuple[int, int, int], num_classes: int) -> None:
        super().__init__()
        *_, channels = check_sizes(image_shape, num_classes)
        self.kernel = tf.Variable(
            tf.random.truncated_normal([3, 3, channels, 32], stddev=0.1)
        )
        self.bias = tf.Variable(tf.zeros([32]))
        size = math.prod(self.features(tf.zeros([1, *image_shape])).shape)
        self.scores_kernel = tf.Variable(
            tf.random.truncated_normal([size, num_classes], stddev=0.1)
        )
        self.scores_bias = tf.Variable(tf.zeros([num_classes]))

    def features(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="SAME")
        x = tf.nn.relu(x + self.bias)
        return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")

    def __call__(self, images: Any) -> tf.Tensor:
        x = self.features(images)
        x = tf.reshape(x, [tf.shape(x)[0], -1])  # (batch, size)
        return x @ self.scores_kernel + self.scores_bias


def which_keras(
    installed: Sequence[str] = ("keras", "tf_keras"), legacy: str = ""
) -> dict[str, str]:
    """Ask a fresh process which Keras each way to import one gives.

    Args:
        installed: Sequence of `"keras"` and `"tf_keras"`, or a part of it. What it
            leaves out is hidden: Python's finder does not find it, as if it had never
            been installed.
        legacy: String, the value of `TF_USE_LEGACY_KERAS`; empty is as good as unset.

    Returns:
        A dict from each import line to the package and its version, or to the error.

    Raises:
        RuntimeError: If the process failed.
        ValueError: If `installed` names another package.

    Example:
        >>> which_keras(legacy="1")["from tensorflow import keras"].split(" (")[0]
        'Keras 2'
    """
    packages = {"keras", "tf_keras"}
    if isinstance(installed, str) or not packages >= set(installed):
        raise ValueError(
            f"Expected `installed` to be a list of some of {sorted(packages)}. "
            f"Received: {installed}"
        )
    printed = run_python(
        f"""
import importlib, json
from importlib.machinery import PathFinder
find_spec, hidden = PathFinder.find_spec, {sorted(packages - set(installed))!r}
def find_the_rest(name, *place):
    return None if name.partition(".")[0] in hidden else find_spec(name, *place)
PathFinder.find_spec = find_the_rest
answers = {{}}
for line in (
    "import keras", "from tensorflow import keras", "import tf_keras as keras"
):
    scope = {{}}
    try:
        exec(line, scope)
        name = scope["keras"].layers.Layer.__module__.partition(".")[0]
        version = importlib.import_module(name).__version__
        answers[line] = f"Keras {{version[0]}} ({{name}} {{version}})"
    except ImportError as error:
        answers[line] = f"{{type(error).__name__}}: {{error}}"
print(json.dumps(answers))
""",
        {"TF_USE_LEGACY_KERAS": legacy, "KERAS_BACKEND": "tensorflow"},
    )
    return dict(json.loads(printed.splitlines()[-1]))


def which_keras_table(setups: Sequence[tuple[Sequence[str], str]]) -> Table:
    """Ask for several setups at once, as a table.

    Args:
        setups: Sequence of tuples `(installed, legacy)`, as `which_keras` takes them.

    Returns:
        A `Table` with one row for each setup and one column for each import line.

    Raises:
        RuntimeError: If a process failed.
        ValueError: If there is no setup, or if `which_keras` refuses one.

    Example:
        >>> which_keras_table([(["keras"], "")]).rows[0][:2]
        ['`keras`', 'unset']
    """
    if not setups:
        raise ValueError("Expected at least one setup. Received: none")
    with ThreadPoolExecutor(max_workers=2) as pool:
        answers = list(pool.map(which_keras, *zip(*setups, strict=True)))
    rows = [
        [
            " ".join(f"`{name}`" for name in installed),
            f"`{legacy}`" if legacy else "unset",
            *(f"`{found}`" for found in answer.values()),
        ]
        for (installed, legacy), answer in zip(setups, answers, strict=True)
    ]
    lines = [f"`{line}`" for line in answers[0]]
    return Table(["Beside TensorFlow", "`TF_USE_LEGACY_KERAS`", *lines], rows)

"""What each level costs and allows, measured on the same network."""

import functools
import re
import tempfile
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.checks import check_sizes, is_size
from snippets.choosing.levels import (
    LEVELS,
    ModuleCNN,
    OwnStepCNN,
    SubclassedCNN,
    build_network,
    functional_cnn,
    sequential_cnn,
)
from snippets.measuring import peak_memories, seconds_in_turns
from snippets.showing.tables import Table, source_of


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
        >>> from snippets.sequential import copy_weights
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
        >>> peak_memory((8, 8, 1), batch_size=0, num_classes=10, repeats=1)
        Traceback (most recent call last):
            ...
        ValueError: Expected `batch_size` ... Received: batch_size=0 and repeats=1
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
    found, expected = map(keras.ops.convert_to_numpy, (loaded(images), network(images)))
    if not np.allclose(found, expected, atol=1e-6):
        raise ValueError("Expected the loaded network to answer as the saved one does.")
    return loaded


def abilities(
    image_shape: tuple[int, int, int],
    num_classes: int,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
) -> dict[str, dict[str, str]]:
    """Try at each level what Keras does with a model around the training.

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
        >>> outcomes = abilities((8, 8, 1), 10, images, labels)
        >>> outcomes["features of a layer"]["Subclassed"]
        'no: AttributeError'
    """
    check_sizes(image_shape, num_classes)
    trials: dict[str, Callable[[Any], object]] = {
        "`fit` trains it": lambda network: network.fit(images, labels, verbose=0),
        "one `.keras` file": lambda network: save_and_reload(network, images),
        "features of a layer": lambda network: keras.Model(
            network.inputs, network.layers[-2].output
        ),
    }
    return {
        title: {
            level: attempt(
                functools.partial(trial, build_network(level, image_shape, num_classes))
            )
            for level in LEVELS
        }
        for title, trial in trials.items()
    }


def level_table(outcomes: Mapping[str, Mapping[str, str]]) -> Table:
    """Put what was tried at each level into one table.

    Args:
        outcomes: Dict as `abilities` returns it.

    Returns:
        A `Table` with one row for each level.

    Example:
        >>> fitted = {**dict.fromkeys(LEVELS, "yes"), "tf.Module": "no: TypeError"}
        >>> level_table({"`fit` trains it": fitted}).rows[-1]
        ['tf.Module', 'no: `TypeError`']
    """
    rows = [
        [
            level,
            *(
                re.sub(r"(?<=no: )(\w+)", r"`\1`", tried[level])
                for tried in outcomes.values()
            ),
        ]
        for level in LEVELS
    ]
    return Table(["Level", *outcomes], rows)

"""Input pipelines, and Python inside them."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.checks import is_size


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
    """Build the same batches by six pipelines, each with one change to the last.

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


def slow_batches(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tf.data.Dataset:
    """Enlarge images in a generator: Python runs for every image, in every epoch.

    Args:
        x: Array of shape `(num_images, height, width, 1)`, float32.
        y: Array of shape `(num_images,)`, integers.

    Returns:
        A `tf.data.Dataset` of batches of up to 32 images, 32 pixels high and wide, and
        their labels.

    Example:
        >>> slow_batches(np.ones((5, 8, 8, 1)), np.arange(5)).element_spec[0].shape
        TensorShape([None, 32, 32, 1])
    """
    types = tf.TensorSpec((32, 32, 1)), tf.TensorSpec((), tf.int64)
    return tf.data.Dataset.from_generator(
        lambda: (
            (tf.image.resize(image, (32, 32)), label)
            for image, label in zip(x, y, strict=True)
        ),
        output_signature=types,
    ).batch(32)


def fast_batches(x: npt.NDArray[Any], y: npt.NDArray[Any]) -> tf.data.Dataset:
    """Enlarge images in a `map`, once, and read ahead; each epoch has its own order.

    Args:
        x: Array of shape `(num_images, height, width, 1)`, float32, at least one image.
        y: Array of shape `(num_images,)`, integers.

    Returns:
        A `tf.data.Dataset` as of `slow_batches`, shuffled.

    Example:
        >>> fast_batches(np.ones((5, 8, 8, 1)), np.arange(5)).element_spec[0].shape
        TensorShape([None, 32, 32, 1])
    """
    return (
        tf.data.Dataset.from_tensor_slices((x, y))
        .map(
            lambda image, label: (tf.image.resize(image, (32, 32)), label),
            num_parallel_calls=tf.data.AUTOTUNE,
        )
        .cache()
        .shuffle(len(x))
        .batch(32)
        .prefetch(tf.data.AUTOTUNE)
    )


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

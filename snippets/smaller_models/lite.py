"""Smaller files of a model, and how they answer."""

import tempfile
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

LITE_KINDS: dict[str, dict[str, Any]] = {
    "float32": {},
    "float16 weights": {
        "optimizations": [tf.lite.Optimize.DEFAULT],
        "target_spec": tf.lite.TargetSpec(supported_types=[tf.float16]),
    },
    "int8 weights": {"optimizations": [tf.lite.Optimize.DEFAULT]},
    # The same, and `lite_file` gives the converter examples of inputs.
    "int8": {"optimizations": [tf.lite.Optimize.DEFAULT]},
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
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> lite_file(model, "float32", np.ones((1, 4)))[4:8]
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
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> features = np.ones((5, 4), "float32")
        >>> lite_function(lite_file(model, "float32", features))(features).shape
        (5, 3)
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

"""How large the files of a model are, and how long one answer takes."""

import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.measuring import seconds_in_turns
from snippets.showing.tables import Table
from snippets.smaller_models.lite import lite_file


def integer_file(model: keras.Model, examples: npt.NDArray[Any]) -> bytes:
    """Convert a model to a file of TensorFlow Lite of integers alone.

    Args:
        model: A built `keras.Model` of one input and one output.
        examples: Array of shape `(num_examples, ...)`, inputs of the model.

    Returns:
        The bytes of the file. Input and output are int8.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> integer_file(model, np.ones((1, 4)))[4:8]
        b'TFL3'
    """
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        batches = examples[:, np.newaxis].astype("float32")
        converter.representative_dataset = lambda: ([batch] for batch in batches)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        return bytes(converter.convert())


def files_to_compare(
    model: keras.Model, examples: npt.NDArray[Any]
) -> dict[str, bytes]:
    """Convert a model four times, to fewer and fewer floats.

    Args:
        model: A built `keras.Model` of one input and one output.
        examples: Array of shape `(num_examples, ...)`, inputs of the model.

    Returns:
        A dict from what a file holds to its bytes.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> list(files_to_compare(model, np.ones((1, 4))))
        ['float32', 'float16 weights', 'int8 weights', 'integers alone']
    """
    kinds = ("float32", "float16 weights", "int8 weights")
    files = {kind: lite_file(model, kind, examples) for kind in kinds}
    return {**files, "integers alone": integer_file(model, examples)}


def one_answer(
    file: bytes, batch: npt.NDArray[Any], num_threads: int = 1
) -> Callable[[], npt.NDArray[Any]]:
    """Make an action of one answer of a file of TensorFlow Lite.

    Args:
        file: Bytes of a file of one input and one output.
        batch: Array of the shape that the file has, float32. If the file takes
            integers, it is rounded to them now, once.
        num_threads: Integer of at least 1, the threads that compute.

    Returns:
        A function without arguments that returns the output as floats.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> batch = np.ones((1, 4), "float32")
        >>> one_answer(integer_file(model, batch), batch)().dtype
        dtype('float32')
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it names a successor
        interpreter = tf.lite.Interpreter(model_content=file, num_threads=num_threads)
        interpreter.allocate_tensors()
    [source] = interpreter.get_input_details()
    [target] = interpreter.get_output_details()
    scale, zero = source["quantization"]
    if scale:
        whole = np.round(batch / scale) + zero
        batch = np.clip(whole, -128, 127).astype("int8")

    def answer() -> npt.NDArray[Any]:
        interpreter.set_tensor(source["index"], batch)
        interpreter.invoke()
        scores: npt.NDArray[Any] = interpreter.get_tensor(target["index"])
        scale, zero = target["quantization"]
        floats = scores.astype("float32")
        return (floats - np.float32(zero)) * np.float32(scale) if scale else floats

    return answer


def seconds_of_answers(
    model: keras.Model,
    files: Mapping[str, bytes],
    batch: npt.NDArray[Any],
    rounds: int = 50,
    tolerance: float = 0.05,
) -> dict[str, list[float]]:
    """Time one answer of a model and of each of its files, turn by turn.

    Args:
        model: A built `keras.Model` of one input and one output.
        files: Dict as `files_to_compare` returns it.
        batch: Array of shape `(1, ...)`, float32, an input of the model.
        rounds: Integer of at least 1, how often each answers.
        tolerance: Float, by how much the answers may differ.

    Returns:
        A dict from what answers to its seconds. The first is a `tf.function` of the
        model, the last is the file of float32 with two threads.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> files = {"float32": lite_file(model, "float32", np.ones((1, 4)))}
        >>> list(seconds_of_answers(model, files, np.ones((1, 4), "float32"), 2))
        ['tf.function', 'float32', 'float32, two threads']
    """
    function = tf.function(model, autograph=False)
    ways = {
        "tf.function": lambda: np.array(function(batch)),
        **{name: one_answer(file, batch) for name, file in files.items()},
        "float32, two threads": one_answer(files["float32"], batch, num_threads=2),
    }
    return seconds_in_turns(ways, rounds, tolerance=tolerance)


def table_of_answers(
    seconds: Mapping[str, Sequence[float]], files: Mapping[str, bytes]
) -> Table:
    """Put the time of an answer beside the size of the file.

    Args:
        seconds: Dict as `seconds_in_turns` returns it.
        files: Dict from some of its names to the bytes of a file.

    Returns:
        A `Table` with a row for each name: its median, its shortest and longest time.

    Example:
        >>> table_of_answers({"a": [0.001, 0.002, 0.004]}, {"a": b"12345"})
        What answers | Bytes of the file | Median, ms | Shortest to longest, ms
        a | 5 | 2.0 | 1.0 to 4.0
    """
    heads = ["What answers", "Bytes of the file", "Median, ms"]
    rows = []
    for name, times in seconds.items():
        low, middle, high = 1000 * np.quantile(times, (0, 0.5, 1))
        size = f"{len(files[name]):,}" if name in files else ""
        rows.append([name, size, f"{middle:.1f}", f"{low:.1f} to {high:.1f}"])
    return Table([*heads, "Shortest to longest, ms"], rows)

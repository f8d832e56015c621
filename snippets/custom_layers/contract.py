"""What a layer promises, and the checks that hold it to that."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def last_cause(error: BaseException) -> str:
    r"""Return the line of a long error of Keras that says what is wrong.

    An error about saving puts one "Exception encountered:" inside another, with the
    whole config of the model between them: the cause is the last. An error in `call`
    has its cause in the second paragraph.

    Args:
        error: The exception.

    Returns:
        A string of one line.

    Example:
        >>> text = "Could not be read. config={...}.\n\nException encountered: no x"
        >>> last_cause(TypeError(text))
        'no x'
    """
    text = re.sub(r"\x1b\[\d+m", "", str(error))
    if text.startswith("Exception encountered when calling"):
        text = re.split(r"\n\s*\n", text)[1]
    cause = text.rpartition("Exception encountered: ")[2].strip()
    return cause.partition(" Full object config:")[0].splitlines()[0].strip()


def reload_problem(layer: keras.Layer, inputs: npt.NDArray[Any]) -> str | None:
    """Save a layer, load it again, and say what was lost on the way.

    Args:
        layer: A `keras.Layer` that takes one tensor. It is called on `inputs`, to have
            its weights.
        inputs: Array of shape `(batch, ...)`.

    Returns:
        `None` if the copy has the same config, weights and outputs, else a sentence.

    Example:
        >>> from snippets.custom_layers import Gain
        >>> reload_problem(Gain(initial=3.0), np.ones((1, 2)))
    """
    expected = keras.ops.convert_to_numpy(layer(inputs))
    try:
        saved = keras.saving.serialize_keras_object(layer)
        copy = keras.saving.deserialize_keras_object(saved)
    except Exception as error:  # what any `get_config` or `__init__` may raise
        return f"{type(error).__name__}: {last_cause(error)}"
    copy(inputs)
    for name, value in vars(layer).items():
        if isinstance(value, (bool, int, float, str)) and not name.startswith("_"):
            found = getattr(copy, name)
            if found != value:
                return f"`{name}` was {value!r} and came back as {found!r}"
    copy.set_weights(layer.get_weights())
    outputs = keras.ops.convert_to_numpy(copy(inputs))
    same = np.allclose(outputs, expected, atol=1e-6)
    return None if same else "the outputs differ"


def layer_problem(
    layer_class: type[keras.Layer],
    init_kwargs: Mapping[str, Any],
    input_shape: tuple[int, ...],
    **expectations: Any,
) -> str | None:
    """Run on your layer what Keras runs on its own layers, and three checks more.

    The suite of Keras makes the layer from its config, builds it, calls it on symbols
    and on numbers, trains it for a step and calls it in mixed precision. Added here: no
    argument is lost in `get_config`, the declared shape is the one that comes out, and
    mixed precision returns float16.

    Args:
        layer_class: Class of the layer.
        init_kwargs: Dict of arguments to make it with. Choose values that are not the
            defaults: a lost default is not seen.
        input_shape: Tuple of integers, with the batch axis.
        **expectations: Further arguments of Keras's `run_layer_test`, such as
            `expected_output_shape` or `supports_masking`.

    Returns:
        `None` if there is no problem, else a string of one line.

    Example:
        >>> from snippets.custom_layers import Gain
        >>> from snippets.custom_layers.mistakes import ForgetfulGain
        >>> layer_problem(Gain, {"initial": 3.0}, (2, 3))
        >>> layer_problem(ForgetfulGain, {"initial": 3.0}, (2, 3))
        '`initial` was 3.0 and came back as 1.0'
    """
    # Not public: it is where Keras itself keeps it, and it may move.
    from keras.src.testing import TestCase

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the generator that the suite uses
            TestCase().run_layer_test(
                layer_class, dict(init_kwargs), input_shape=input_shape, **expectations
            )
    except Exception as error:
        return f"{type(error).__name__}: {last_cause(error)}"
    inputs = np.ones(input_shape, "float32")
    if problem := reload_problem(layer_class(**init_kwargs), inputs):
        return problem
    declared = layer_class(**init_kwargs)(keras.Input(batch_shape=input_shape))
    found = layer_class(**{**init_kwargs, "dtype": "mixed_float16"})(inputs)
    if tuple(declared.shape) != tuple(found.shape):
        return (
            f"the shape {tuple(declared.shape)} is declared, not {tuple(found.shape)}"
        )
    dtype = keras.backend.standardize_dtype(found.dtype)
    return None if dtype == "float16" else f"mixed precision returns {dtype}"

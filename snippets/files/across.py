"""What a file that load_model refuses still gives away."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from tensorflow import keras


def without_arguments(layer_class: type, *names: str) -> type:
    """Make a layer class that ignores arguments which only another Keras knows.

    Args:
        layer_class: A class of layers.
        *names: Strings, the arguments that are dropped.

    Returns:
        A subclass with the same name.

    Example:
        >>> lenient = without_arguments(keras.layers.LSTM, "time_major")
        >>> lenient(6, time_major=False).units
        6
    """

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        kept = {name: kwargs[name] for name in kwargs if name not in names}
        layer_class.__init__(self, *args, **kept)  # type: ignore[misc]  # of a class

    return type(layer_class.__name__, (layer_class,), {"__init__": init})


def keras_2_objects() -> dict[str, type]:
    """Name the classes with which Keras 3 reads more of the files of Keras 2.

    Returns:
        A dict for the argument `custom_objects` of `keras.models.load_model`.

    Example:
        >>> sorted(keras_2_objects())
        ['DepthwiseConv2D', 'Functional', 'GRU', 'LSTM']
    """
    layers = keras.layers
    return {
        "Functional": keras.Model,
        "DepthwiseConv2D": without_arguments(layers.DepthwiseConv2D, "groups"),
        "GRU": without_arguments(layers.GRU, "time_major"),
        "LSTM": without_arguments(layers.LSTM, "time_major"),
    }


def save_arrays(model: keras.Model, path: str | Path) -> None:
    """Save the weights of a model as arrays that NumPy reads without Keras.

    Args:
        model: A built model.
        path: String or path that ends in `.npz`.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_arrays(model, f"{folder}/weights.npz")
        ...     len(np.load(f"{folder}/weights.npz").files)
        2
    """
    np.savez(path, *model.get_weights())


def load_arrays(model: keras.Model, path: str | Path) -> None:
    """Load weights that `save_arrays` wrote into a model of the same code.

    Args:
        model: A built model, whose weights are replaced.
        path: String or path of the file.

    Raises:
        ValueError: If the number of the arrays or a shape is not that of the model.

    Example:
        >>> import tempfile
        >>> make = lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> one, other = make(), make()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_arrays(one, f"{folder}/weights.npz")
        ...     load_arrays(other, f"{folder}/weights.npz")
        >>> bool(np.all(one.get_weights()[0] == other.get_weights()[0]))
        True
    """
    with np.load(path) as arrays:
        model.set_weights([arrays[name] for name in arrays.files])


def keras_version_of(path: str | Path) -> str:
    """Read from a file of a whole model which version of Keras wrote it.

    Args:
        path: String or path of a `.keras` or `.h5` file of a whole model.

    Returns:
        A string such as `"2.15.0"`. A file of weights alone does not say, and gives
        `""`.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.keras")
        ...     keras_version_of(f"{folder}/model.keras") == keras.__version__
        True
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    with h5py.File(path, "r") as file:
        return str(file.attrs.get("keras_version", ""))

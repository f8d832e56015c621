"""Importing Keras: moved modules, backends, and Keras 2 beside Keras 3."""

import os

import keras
import numpy as np

from snippets.errors.entry import error

_GUIDE = "guides/choosing.md#errors"


@error("No module named 'keras.engine'")
def _keras_engine() -> None:
    """`keras.engine` was an internal module of Keras 2."""
    from keras.engine.topology import Layer

    Layer()


@_keras_engine.fix
def _layer_of_the_public_names() -> None:
    """Use the public name."""
    keras.layers.Layer()


@error("No module named 'keras.wrappers", needs="keras>=3")
def _keras_wrappers() -> None:
    """The wrappers for scikit-learn left Keras in 2022, and came back in Keras 3.8 as
    `keras.wrappers.SKLearnClassifier`.
    """
    from keras.wrappers.scikit_learn import KerasClassifier

    KerasClassifier()


@_keras_wrappers.fix
def _wrapper_of_keras_3() -> None:
    """Call the new class, `SKLearnClassifier(model)`, or use the package `scikeras`.
    The line below shows where the class is.
    """
    print(keras.wrappers.SKLearnClassifier)


@error("No module named 'keras.utils.np_utils'")
def _keras_np_utils() -> None:
    """The module is gone, and its functions are in `keras.utils`."""
    from keras.utils.np_utils import to_categorical

    to_categorical([0, 1, 2])


@_keras_np_utils.fix
def _to_categorical_of_keras_utils() -> None:
    """Import it from `keras.utils`."""
    keras.utils.to_categorical([0, 1, 2])


@error(
    "No module named 'keras.preprocessing.text'",
    guide="reference/texts.md",
    needs="keras>=3",
)
def _keras_preprocessing_text() -> None:
    """Keras 3 has no module `keras.preprocessing.text`."""
    from keras.preprocessing.text import Tokenizer

    Tokenizer(num_words=100)


@_keras_preprocessing_text.fix
def _text_vectorization() -> None:
    """Use the layer `TextVectorization`, which returns padded rows of numbers. The old
    `Tokenizer` is in `tensorflow.keras.preprocessing.text` (tried on Keras 3.15 alone).
    """
    texts = np.array(["a cat", "a black dog"])
    layer = keras.layers.TextVectorization(max_tokens=100)
    layer.adapt(texts)
    layer(texts)


@error("No module named 'keras.layers.merge'", needs="keras>=3")
def _keras_layers_merge() -> None:
    """The modules inside `keras.layers` are no public names."""
    from keras.layers.merge import concatenate

    concatenate([np.ones((1, 2)), np.ones((1, 2))])


@_keras_layers_merge.fix
def _concatenate_of_keras_layers() -> None:
    """Import it from `keras.layers`."""
    keras.layers.concatenate([np.ones((1, 2)), np.ones((1, 2))])


@error("has no attribute 'experimental'", needs="keras>=3")
def _experimental_layers() -> None:
    """The preprocessing layers left `experimental` in 2021."""
    keras.layers.experimental.preprocessing.Rescaling(1 / 255)


@_experimental_layers.fix
def _layers_that_are_not_experimental() -> None:
    """Leave `experimental.preprocessing` out."""
    keras.layers.Rescaling(1 / 255)


@error("has no attribute 'CuDNNLSTM'")
def _layers_for_a_gpu() -> None:
    """`LSTM` and `GRU` choose the fast code on a GPU themselves."""
    keras.layers.CuDNNLSTM(8)


@_layers_for_a_gpu.fix
def _layers_for_every_device() -> None:
    """Use `LSTM` with its default arguments."""
    keras.layers.LSTM(8)


@error("No module named 'jax'", guide=_GUIDE, needs="keras>=3", is_alone=True)
def _backend_that_is_not_installed() -> None:
    """`KERAS_BACKEND` names a library that is not installed."""
    os.environ["KERAS_BACKEND"] = "jax"

    import keras

    keras.layers.Dense(2)


@_backend_that_is_not_installed.fix
def _backend_that_is_installed() -> None:
    """Install it, or name one that is installed."""
    os.environ["KERAS_BACKEND"] = "tensorflow"

    import keras

    keras.layers.Dense(2)


@error(
    "Unable to import backend : theano", guide=_GUIDE, needs="keras>=3", is_alone=True
)
def _backend_that_is_unknown() -> None:
    """`KERAS_BACKEND` names a library that Keras 3 does not know."""
    os.environ["KERAS_BACKEND"] = "theano"

    import keras

    keras.layers.Dense(2)


@_backend_that_is_unknown.fix
def _backend_that_is_known() -> None:
    """Write `tensorflow`, `jax` or `torch`."""
    os.environ["KERAS_BACKEND"] = "tensorflow"

    import keras

    keras.layers.Dense(2)

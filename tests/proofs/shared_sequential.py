"""What the proofs of the guide sequential and of its reference pages share."""

import contextlib
import io
import re
import warnings

import numpy as np
import pytest
from tensorflow import keras


def unbuilt():
    """A model without a shape."""
    return keras.Sequential([keras.layers.Dense(3)])


def built():
    """A model that begins at an Input."""
    return keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(3)])


def rows(count=5):
    return np.ones((count, 4), "float32")


def summary_of(model):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        model.summary()
    return printed.getvalue()


def user_warnings(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [str(w.message) for w in caught if w.category is UserWarning]


def message_of(function):
    """The text of the error that a call raises, in one line, without colors."""
    with pytest.raises(Exception) as caught:
        function()
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(caught.value))
    return " ".join(plain.split())

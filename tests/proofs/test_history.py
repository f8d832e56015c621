"""Proofs of the page of how Keras and TensorFlow came together."""

import importlib
import importlib.metadata
import importlib.util

import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_choosing import refusal


@proves(
    "2015 | In March François Chollet publishes Keras, a package that computes with "
    "Theano | `keras.backend.backend()` says what computes",
    false_with={"ask": keras.backend.floatx},
)
def test_history_2015(ask=keras.backend.backend):
    """The last column; the year is that of the linked page."""
    assert ask() == "tensorflow"


@proves(
    "2015 | In November Google publishes TensorFlow, soon the second backend | its "
    "graphs and sessions, as `tf.compat.v1.Session`",
    false_with={"names": tf},
)
def test_history_2015_tensorflow(names=tf.compat.v1):
    """The last column; the year is that of the linked page."""
    assert hasattr(names, "Session")
    graph = tf.Graph()
    with graph.as_default():
        two = tf.constant(1) + 1
    with names.Session(graph=graph) as session:
        assert session.run(two) == 2


@proves(
    "2017 | Microsoft's CNTK becomes the third backend | Keras 3 refuses "
    "`KERAS_BACKEND=cntk`",
    false_with={"backend": "tensorflow"},
    needs="keras>=3",
)
def test_history_2017_cntk(backend="cntk"):
    """The last column; the year is that of the linked page."""
    assert refusal(backend).endswith("ValueError: Unable to import backend : cntk")


@proves(
    "2017 | TensorFlow 1.4 takes Keras in as `tf.keras` | the names of TensorFlow 1 "
    "include `tf.compat.v1.keras`",
    false_with={"name": "keras_core"},
)
def test_history_2017(name="keras"):
    """The last column; the year is that of the linked page."""
    assert hasattr(tf.compat.v1, name)


@proves(
    "2019 | Keras 2.3 is the last with Theano and CNTK, and TensorFlow 2.0 makes "
    "`tf.keras` its high-level API | `tf.losses`, `tf.metrics` and `tf.optimizers` are "
    "those of Keras",
    false_with={"names": tf.compat.v1},
)
def test_history_2019(names=tf):
    """The last column; the year is that of the linked page."""
    pairs = [("losses", "Huber"), ("metrics", "Mean"), ("optimizers", "SGD")]
    for group, name in pairs:
        found = getattr(getattr(names, group, None), name, None)
        assert found is getattr(getattr(keras, group), name)


@proves(
    "2023 | Keras 3 computes with TensorFlow, JAX or PyTorch | the package holds an "
    "engine for each",
    false_with={"engines": ["tensorflow", "theano"]},
    needs="keras>=3",
)
def test_history_2023(engines=("tensorflow", "jax", "torch")):
    """The last column; the year is that of the linked page."""
    for name in engines:
        assert importlib.util.find_spec(f"keras.src.backend.{name}")


@proves(
    "2024 | TensorFlow 2.16 makes Keras 3 its `tf.keras` | `tf.keras` is the "
    "package `keras`, of a later version than Keras 3.0",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_history_2024():
    """The last column: each TensorFlow knows the day until which it is compatible."""
    assert tf.keras.Model is importlib.import_module("keras").Model
    assert tf.compat.forward_compatible(2024, 1, 1)

"""Proofs of the page on GradientTape."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves


@proves(
    "`tf.GradientTape` records what is computed with trainable variables inside its "
    "block.",
    false_with={"trainable": False},
)
def test_a_tape_records_trainable_variables(trainable=True):
    w = tf.Variable(3.0, trainable=trainable)
    with tf.GradientTape() as tape:
        y = w * w
    gradient = tape.gradient(y, w)
    assert gradient is not None
    assert float(gradient) == 6.0


def ask_twice(persistent):
    w = tf.Variable(3.0)
    with tf.GradientTape(persistent=persistent) as tape:
        y = w * w
    return [float(tape.gradient(y, w)) for _ in range(2)]


@proves(
    "A tape can be asked once; with `persistent=True` as often as you like.",
    false_with={"persistent": True},
)
def test_a_tape_is_asked_once(persistent=False):
    with pytest.raises(RuntimeError, match="A non-persistent GradientTape can only"):
        ask_twice(persistent)


@proves(
    "A tape can be asked once; with `persistent=True` as often as you like.",
    false_with={"persistent": False},
)
def test_a_persistent_tape_is_asked_often(persistent=True):
    try:
        gradients = ask_twice(persistent)
    except RuntimeError:
        gradients = None
    assert gradients == [6.0, 6.0]


@proves(
    "A tape inside a tape gives second derivatives:",
    false_with={"nested": False},
)
def test_a_tape_in_a_tape(nested=True):
    w = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = w**3
        if nested:
            slope = inner.gradient(y, w)
    if not nested:
        slope = inner.gradient(y, w)
    second = outer.gradient(slope, w)
    assert float(slope) == 27.0
    assert second is not None
    assert np.isclose(float(second), 18.0)


def gradient_through(function, value=3.0):
    w = tf.Variable(value)
    with tf.GradientTape() as tape:
        y = function(w)
    return tape.gradient(y, w)


@proves(
    "it was computed before the tape began | compute it in the block",
    false_with={"inside": True},
)
def test_computed_outside_the_tape(inside=False):
    w = tf.Variable(3.0)
    before = w * w
    with tf.GradientTape() as tape:
        y = (w * w if inside else before) * 2
    assert tape.gradient(y, w) is None
    assert float(gradient_through(lambda w: w * w * 2)) == 12.0


@proves(
    "`.numpy()` took it to NumPy | use `keras.ops`",
    false_with={"convert": tf.identity},
    needs="keras>=3",
)
def test_numpy_breaks_the_tape(convert=lambda w: tf.constant(w.numpy())):
    assert gradient_through(lambda w: convert(w) ** 2) is None
    assert float(gradient_through(keras.ops.square)) == 6.0


@proves(
    "it went through an integer or a comparison | a smooth function, or a custom "
    "gradient",
    false_with={"dtype": "float32"},
)
def test_integers_have_no_gradient(dtype="int32"):
    assert gradient_through(lambda w: tf.cast(tf.cast(w, dtype), "float32")) is None
    assert gradient_through(lambda w: tf.cast(w > 1, "float32")) is None
    assert float(gradient_through(tf.sigmoid)) > 0


@proves(
    "`tf.round`, `tf.floor` or `tf.argmax` has no gradient | a custom gradient",
    false_with={"functions": (tf.abs,)},
)
def test_rounding_has_no_gradient(functions=(tf.round, tf.floor)):
    for function in functions:
        assert gradient_through(function) is None
    assert gradient_through(lambda w: tf.cast(tf.argmax([w, -w]), "float32")) is None

    @tf.custom_gradient
    def rounded(x):
        return tf.round(x), lambda upstream: upstream

    assert float(gradient_through(rounded)) == 1.0


@proves(
    "it was kept in a variable with `assign` | keep the tensor",
    false_with={"keep": True},
)
def test_assign_breaks_the_tape(keep=False):
    def through_memory(w):
        memory, tensor = tf.Variable(0.0), w * w
        memory.assign(tensor)
        return (tensor if keep else memory) * 2

    assert gradient_through(through_memory) is None


@proves(
    "the source is a constant, or not trainable | `tape.watch(...)`",
    false_with={"trainable": True},
)
def test_a_constant_must_be_watched(trainable=False):
    for source in (tf.constant(3.0), tf.Variable(3.0, trainable=trainable)):
        with tf.GradientTape() as unwatched:
            y = source * source
        assert unwatched.gradient(y, source) is None
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = source * source
        assert float(tape.gradient(y, source)) == 6.0


@proves(
    'the result does not depend on the source | `unconnected_gradients="zero"` gives 0',
    false_with={"unconnected": "none"},
)
def test_unconnected_gradients_can_be_zero(unconnected="zero"):
    w, other = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = w * w
    assert tape.gradient(y, other) is None
    gradient = tape.gradient(y, other, unconnected_gradients=unconnected)
    assert gradient is not None
    assert float(gradient) == 0.0


@proves(
    "A custom gradient says what to pass back.",
    false_with={"factor": 2.0},
)
def test_a_custom_gradient_says_what_to_pass_back(factor=7.0):
    @tf.custom_gradient
    def mine(x):
        return x * 1.0, lambda upstream: factor * upstream

    assert float(gradient_through(mine)) == 7.0


@proves(
    "This one rounds, and passes gradients on as if nothing had happened; it is "
    "written with `keras.ops.custom_gradient` and needs no TensorFlow operation:",
    false_with={"name": "round"},
    needs="keras>=3",
)
def test_rounding_passes_gradients(name="round_straight_through"):
    from snippets import training_loops

    module = keras.ops if name == "round" else training_loops
    function = getattr(module, name)
    w = tf.Variable([0.4, 1.7])
    with tf.GradientTape() as tape:
        y = function(w) * 3.0
    assert y.numpy().tolist() == [0.0, 6.0]
    gradient = tape.gradient(y, w)
    assert gradient is not None
    assert gradient.numpy().tolist() == [3.0, 3.0]

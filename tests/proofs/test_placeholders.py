"""Proofs of the guide from tf.placeholder to keras.Input."""

import contextlib
import functools
import importlib
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import tempfile
from unittest import mock

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_placeholders import (
    digits,
    layers_of_v1,
    message_of,
    run_in_session,
    tf1,
)

ROWS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")


def row_sum_model(size=3, **options):
    x = keras.Input((size,), **options)
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    return keras.Model(x, dense(x))


def old_row_sums(x):
    ones = tf1.ones_initializer()
    return tf.matmul(x, tf1.get_variable("w", [3, 1], initializer=ones))


# The answer


@proves(
    "If the old code only has to run, write `import tensorflow.compat.v1 as tf`, and "
    "put its lines inside `with tf.Graph().as_default():`.",
    false_with={"name": "tensorflow"},
)
def test_two_lines_keep_it_alive(name="tensorflow.compat.v1"):
    old = importlib.import_module(name)
    found = None
    with contextlib.suppress(AttributeError), old.Graph().as_default():
        x = old.placeholder(old.float32, [None, 3])
        y = old.reduce_sum(x * old.get_variable("w", [3]), axis=1)
        with old.Session() as session:
            session.run(old.global_variables_initializer())
            found = session.run(y, {x: ROWS}).shape
    assert found == (2,)


@proves(
    "Outside of `tf.compat.v1`, TensorFlow 2 has no placeholders, no sessions and no "
    "`feed_dict`: you pass the numbers to a function or a model when you call it.",
    false_with={"module": tf1},
)
def test_numbers_are_passed_in_a_call(module=tf):
    assert not hasattr(module, "placeholder")
    assert not hasattr(module, "Session")
    fed = run_in_session(old_row_sums, feed=ROWS)
    for function in (lambda x: tf.reduce_sum(x, axis=1)[:, None], row_sum_model()):
        assert np.array_equal(function(ROWS), fed)


@proves(
    "A tensor has its value at once, except in a graph or a `tf.function`, and "
    "`tensor.numpy()` reads it.",
    false_with={"where": lambda: tf.Graph().as_default()},
)
def test_a_tensor_has_its_value_at_once(where=contextlib.nullcontext):
    def read(x):
        return found.append(tf.reduce_sum(x).numpy())

    found = []
    with where():
        said = message_of(lambda: read(tf.constant(ROWS)))
    assert said == "no error"
    assert found == [21.0]
    with tf.Graph().as_default():
        in_a_graph = message_of(lambda: read(tf.constant(ROWS)))
    in_a_function = message_of(lambda: tf.function(read)(ROWS))
    for said in (in_a_graph, in_a_function):
        assert "has no attribute 'numpy'" in said


@proves(
    "A network that began at a placeholder now begins at `keras.Input`, which declares "
    "the shape and the dtype, and the finished model is called like a function.",
    false_with={"size": 4},
)
def test_a_network_begins_at_an_input(size=3):
    x = keras.Input(shape=(size,), dtype="float32")
    with tf.Graph().as_default():
        old = tf1.placeholder(tf.float32, [None, 3])
    assert tuple(x.shape) == tuple(old.shape)
    assert x.dtype == old.dtype.name
    model = keras.Model(x, keras.layers.Dense(2)(x))
    assert tuple(model(ROWS).shape) == (2, 2)


@proves(
    "Here is a whole program of TensorFlow 1, run through `tf.compat.v1` (your "
    "program says `tf` where this says `tf1`), and the same network in Keras:",
    false_with={"initializer": "zeros"},
)
def test_same_network_same_numbers(initializer="ones"):
    x = keras.Input(shape=(3,))
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer=initializer)
    new = keras.Model(x, dense(x)).predict(ROWS, verbose=0)
    assert np.array_equal(new, run_in_session(old_row_sums, feed=ROWS))
    assert new.tolist() == [[6.0], [15.0]]


# Which way


@proves(
    "**Rewrite it in Keras** if you will work on the code: the new code needs "
    "only `import keras`.",
    false_with={"names": {"tf": tf}},
)
def test_import_keras_is_enough(names=None):
    names = {"keras": keras} if names is None else names
    program = """
x = keras.Input(shape=(3,))
model = keras.Model(x, keras.layers.Dense(1)(x))
model.compile(keras.optimizers.SGD(0.1), "mse")
model.fit(rows, rows[:, :1], verbose=0)
shape = model.predict(rows, verbose=0).shape
"""
    scope = {**names, "rows": ROWS}
    assert message_of(lambda: exec(program, scope)) == "no error"
    assert scope["shape"] == (2, 1)


@proves(
    "**Keep it alive** with `tensorflow.compat.v1` and a graph around the old lines; "
    "the rest of the program is not affected.",
    false_with={"graph": tf1.get_default_graph},
)
def test_a_graph_of_its_own_leaves_no_trace(graph=tf.Graph):
    before = tf1.get_default_graph()
    count = len(before.get_operations())
    with graph().as_default():
        x = tf1.placeholder(tf.float32, [None, 3])
        with tf1.Session() as session:
            assert session.run(tf.reduce_sum(x), {x: ROWS}) == 21.0
    assert tf.executing_eagerly()
    assert tf1.get_default_graph() is before
    assert len(before.get_operations()) == count
    model = row_sum_model()
    model.compile("sgd", "mse")
    assert len(model.fit(ROWS, np.ones((2, 1)), verbose=0).history["loss"]) == 1
    assert model.predict(ROWS, verbose=0).shape == (2, 1)


@proves(
    "If the old lines are functions, it is enough to call them in the graph.",
    false_with={"inside": contextlib.nullcontext},
)
def test_functions_are_called_in_the_graph(inside=lambda: tf.Graph().as_default()):
    def old():
        x = tf1.placeholder(tf.float32, [None, 3])
        with tf1.Session() as session:
            return session.run(tf.reduce_sum(x), {x: ROWS})

    def call():
        with inside():
            assert old() == 21.0

    assert message_of(call) == "no error"


@proves(
    "`tf.contrib`, and since TensorFlow 2.16 `tf.estimator` | neither is in "
    "`tensorflow.compat.v1`: rewrite these lines",
    tensorflow=">=2.16",
)
def test_what_compat_lacks():
    assert not hasattr(tf1, "contrib")
    assert not hasattr(tf1, "estimator")


@proves(
    "`tf.layers`, `tf.nn.rnn_cell` | since TensorFlow 2.16 they need the package "
    "`tf_keras` and an environment variable",
    needs="tensorflow>=2.16",
    false_with={"name": "NoSuchCell"},
)
def test_layers_and_cells_need_keras_2(name="GRUCell"):
    """The lane with tf_keras sets the variable."""
    cell = message_of(lambda: getattr(tf1.nn.rnn_cell, name)(3))
    if not hasattr(keras, "ops"):
        assert callable(layers_of_v1())
        assert cell == "no error"
    else:
        assert layers_of_v1() == "`dense` is not available with Keras 3."
        assert cell == "AttributeError: `GRUCell` is not available with Keras 3."


@proves(
    "`x.get_shape()[1].value` | without `.value`: `x.get_shape()[1]`",
    false_with={"shapes": "disable_v2_tensorshape"},
)
def test_a_dimension_is_a_number(shapes="enable_v2_tensorshape"):
    try:
        getattr(tf1, shapes)()
        with tf.Graph().as_default():
            size = tf1.placeholder(tf.float32, [None, 3]).get_shape()[1]
    finally:
        tf1.enable_v2_tensorshape()
    assert not hasattr(size, "value")
    assert size == 3


@proves(
    "`from tensorflow.examples.tutorials.mnist import input_data` | "
    "`keras.datasets.mnist.load_data()` gives pixels from 0 to 255 and labels as "
    "numbers: the old form is `x.reshape(-1, 784) / 255` and, for `one_hot=True`, "
    "`keras.utils.to_categorical(y, 10)`",
    false_with={"module": "tensorflow.python"},
)
def test_the_examples_are_gone(module="tensorflow.examples.tutorials.mnist"):
    said = message_of(lambda: importlib.import_module(module))
    assert said.startswith("ModuleNotFoundError: No module named 'tensorflow.examples")
    x = np.arange(2 * 784).reshape(2, 28, 28).astype("uint8")
    y = np.array([3, 9], "uint8")
    with tempfile.TemporaryDirectory() as folder:  # nothing is downloaded
        np.savez(f"{folder}/mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        path = f"{folder}/mnist.npz"
        names = keras.datasets.mnist.load_data.__globals__
        with mock.patch.dict(names, get_file=lambda *_, **__: path):
            (x, y), _ = keras.datasets.mnist.load_data()
    assert (x.dtype, x.min(), x.max(), y.tolist()) == ("uint8", 0, 255, [3, 9])
    rows = x.reshape(-1, 784) / 255
    assert (rows.shape, rows.min(), rows.max()) == ((2, 784), 0.0, 1.0)
    one_hot = keras.utils.to_categorical(y, 10)
    assert one_hot.tolist() == np.eye(10)[[3, 9]].tolist()


@proves(
    "Train and use a new model outside `with tf.Graph().as_default():`, since on "
    "Keras 3 `fit` and `predict` raise inside it.",
    keras=">=3",
    false_with={"inside": contextlib.nullcontext},
)
def test_keras_3_cannot_fit_inside_a_graph(inside=lambda: tf.Graph().as_default()):
    def compiled():
        model = row_sum_model()
        model.compile("sgd", "mse")
        return model

    before, targets = compiled(), np.ones((2, 1))
    with inside():
        for make in (compiled, lambda: before):
            said = message_of(lambda make=make: make().fit(ROWS, targets, verbose=0))
            assert said.startswith("RuntimeError")
            said = message_of(lambda make=make: make().predict(ROWS, verbose=0))
            assert said.startswith("RuntimeError")
    assert message_of(lambda: before.predict(ROWS, verbose=0)) == "no error"


@proves(
    "A SavedModel that TensorFlow 1 exported can be called as it is, after `import "
    "tensorflow as tf`: "
    '`tf.saved_model.load(folder).signatures["serving_default"]` is a function '
    "that takes tensors by their names and returns a dict.",
    false_with={"rows": 2 * ROWS},
)
def test_a_saved_model_is_called_as_it_is(rows=ROWS):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/exported"
        with tf.Graph().as_default(), tf1.Session() as session:
            x = tf1.placeholder(tf.float32, [None, 3])
            y = old_row_sums(x)
            session.run(tf1.global_variables_initializer())
            tf1.saved_model.simple_save(session, path, {"x": x}, {"y": y})
        loaded = tf.saved_model.load(path)
        called = loaded.signatures["serving_default"](x=tf.constant(rows))
    assert np.array_equal(called["y"], [[6.0], [15.0]])


# What a placeholder was


@proves(
    "A placeholder is a tensor of one graph without a value; `session.run` takes its "
    "value from `feed_dict`, for that run only.",
    false_with={"make": lambda: tf1.placeholder_with_default(ROWS, [None, 3])},
)
def test_a_session_gives_the_value_for_one_run(
    make=lambda: tf1.placeholder(tf.float32, [None, 3]),
):
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        x = make()
        assert x.graph is graph
        assert not hasattr(x, "numpy")
        total = tf.reduce_sum(x)
        assert session.run(total, {x: ROWS}) == 21.0
        assert session.run(total, {x: 2 * ROWS}) == 42.0
        assert "must feed a value" in message_of(lambda: session.run(total))


@proves(
    "`keras.Input` describes the argument of a model, and the value comes with the "
    "call.",
    false_with={"make": lambda shape: tf.zeros((1, *shape))},
)
def test_an_input_describes_an_argument(make=keras.Input):
    x = make((3,))
    assert not hasattr(x, "numpy")
    model = keras.Model(x, keras.layers.Flatten()(x))
    assert np.array_equal(model(ROWS), ROWS)
    assert np.array_equal(model(2 * ROWS), 2 * ROWS)


@proves(
    "`keras.Input` returns a `KerasTensor`. Layers, `keras.ops` and Python's "
    "arithmetic accept it on Keras 3; `np.sin(x)` and `tf.square(x)` raise, since it "
    "has no numbers.",
    keras=">=3",
)
def test_what_accepts_a_keras_tensor():
    x = keras.Input((3,))
    assert type(x).__name__ == "KerasTensor"
    assert "A KerasTensor " in message_of(lambda: tf.square(x))
    assert "A KerasTensor " in message_of(lambda: np.sin(x))
    for y in (keras.layers.Dense(1)(x), keras.ops.square(x), 2 * x + 1):
        assert type(y) is type(x)
    assert np.array_equal(keras.Model(x, 2 * keras.ops.square(x))(ROWS), 2 * ROWS**2)


@proves(
    "Gets its value | by `session.run(y, {x: rows})` | by `model(rows)`, `predict` or "
    "`fit`",
    false_with={"rows": 2 * ROWS},
)
def test_where_the_value_comes_from(rows=ROWS):
    fed, model = run_in_session(old_row_sums, feed=ROWS), row_sum_model()
    assert np.array_equal(model(rows), fed)
    assert np.array_equal(model.predict(rows, verbose=0), fed)
    model.compile("sgd", "mse")
    history = model.fit(rows, np.zeros((2, 1)), batch_size=2, verbose=0).history
    assert np.isclose(history["loss"][0], np.mean(fed**2))


@proves(
    "Shape | with the batch: `[None, 3]` | without it: `(3,)`",
    false_with={"shape": (None, 3)},
)
def test_with_and_without_the_batch(shape=(3,)):
    with tf.Graph().as_default():
        old = tf1.placeholder(tf.float32, [None, 3])
    assert tuple(keras.Input(shape).shape) == tuple(old.shape)


@proves("Any size | `None` in the shape | `None` in the shape", false_with={"size": 3})
def test_none_is_any_size(size=None):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [size, 2])
        counted = tf.reduce_sum(tf.ones_like(x))
        fed = [
            message_of(lambda n=n: session.run(counted, {x: np.ones((n, 2))}))
            for n in (1, 3, 5)
        ]
    x = keras.Input((size, 2))
    model = keras.Model(x, keras.layers.GlobalMaxPooling1D()(x))
    called = [message_of(lambda n=n: model(np.ones((4, n, 2)))) for n in (1, 3, 5)]
    assert fed == called == ["no error"] * 3


@proves(
    "No shape at all | allowed | refused: the number of axes must be known",
    false_with={"shape": (None, None)},
)
def test_an_input_knows_its_axes(shape=None):
    with tf.Graph().as_default():
        assert tf1.placeholder(tf.float32).shape.rank is None
    assert message_of(lambda: keras.Input(shape)).startswith("ValueError")


@proves(
    "dtype | must be given | float32, unless you set another",
    false_with={"options": {"dtype": "int32"}},
)
def test_dtype_of_both(options=None):
    with tf.Graph().as_default():
        assert "TypeError" in message_of(lambda: tf1.placeholder(shape=[None, 3]))
    assert keras.Input((3,), **(options or {})).dtype == "float32"
    assert keras.Input((3,), dtype="int32").dtype == "int32"


@proves("Values of another dtype | are cast | are cast", false_with={"to": "float64"})
def test_both_cast_values(to="float32"):
    given = ROWS.astype("float64") + 1e-9
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(to, [None, 3])
        fed = session.run(x * 1, {x: given})
    x = keras.Input((3,), dtype=to)
    called = np.array(keras.Model(x, keras.layers.Flatten(dtype=to)(x))(given))
    assert fed.dtype == called.dtype == "float32"


@proves(
    "Another size of an axis | raises in `session.run` | raises in the call; Keras "
    "forgives only a missing or extra last axis of size 1",
    false_with={"size": 3},
)
def test_both_refuse_another_shape(size=4):
    wrong, model = np.ones((2, size), "float32"), row_sum_model()
    fed = message_of(lambda: run_in_session(old_row_sums, feed=wrong))
    assert fed.startswith("ValueError: Cannot feed value of shape (2, 4)")
    for call in (model, lambda x: model.predict(x, verbose=0)):
        assert message_of(lambda call=call: call(wrong)).startswith("ValueError")
    for shape, given in (((3, 4), (2, 5, 4)), ((3, 4), (2, 3, 5)), ((3,), (2, 2))):
        x = keras.Input(shape)
        flat = keras.Model(x, keras.layers.Flatten()(x))
        said = message_of(lambda f=flat, g=given: f(np.ones(g, "float32")))
        assert said.startswith("ValueError")
    longer = ROWS[:, :, None]
    assert np.array_equal(model(longer), model(ROWS))
    x = keras.Input((3, 1))
    assert keras.Model(x, keras.layers.Flatten()(x))(ROWS).shape == (2, 3)
    fed = message_of(lambda: run_in_session(old_row_sums, feed=longer))
    assert fed.startswith("ValueError: Cannot feed value of shape (2, 3, 1)")


@proves(
    "`feed_dict` had an entry for each placeholder, and a model with a dict of "
    "Inputs takes such a dict:",
    false_with={"names": ("extra", "image")},
)
def test_a_model_takes_a_dict(names=("image", "extra")):
    image, extra = (keras.Input((3,), name=name) for name in names)
    difference = keras.layers.Subtract()([image, extra])
    model = keras.Model(dict(zip(names, (image, extra), strict=True)), difference)
    given = {"image": 10 * ROWS, "extra": ROWS}
    assert np.array_equal(model(given), 9 * ROWS)
    assert np.array_equal(model(dict(reversed(given.items()))), 9 * ROWS)


@proves(
    "A session could also set the value of a tensor in the middle of the graph.",
    false_with={"feeds_middle": False},
)
def test_a_session_feeds_the_middle(feeds_middle=True):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [])
        middle = x * 2.0
        end = middle + 1.0
        fed = {middle: 5.0} if feeds_middle else {x: 5.0}
        assert session.run([middle, end], fed) == [5.0, 6.0]


@proves(
    "In Keras, build a second model, or a `keras.Function`, that begins at this "
    "tensor:",
    false_with={"starts_at_hidden": False},
    needs="keras>=3",
)
def test_a_model_begins_in_the_middle(starts_at_hidden=True):
    x = keras.Input((3,))
    hidden = keras.layers.Dense(4, activation="relu")(x)
    layer = keras.layers.Dense(2)
    end = layer(hidden)
    begin, values = (hidden if starts_at_hidden else x), np.ones((1, 4), "float32")
    second = message_of(lambda: keras.Model(begin, end)(values))
    assert second == "no error"
    expected = np.array(layer(values))
    assert np.allclose(keras.Model(begin, end)(values), expected)
    assert np.allclose(keras.Function([begin], [end])([values])[0], expected)


@proves(
    "To see the numbers in the middle, end a model there: `keras.Model(inputs, "
    "hidden).predict(x)`.",
    false_with={"factor": 2.0},
)
def test_a_model_ends_in_the_middle(factor=1.0):
    inputs = keras.Input((3,))
    layer = keras.layers.Dense(4, activation="relu")
    hidden = layer(inputs)
    keras.Model(inputs, keras.layers.Dense(2)(hidden))
    layer.set_weights([np.ones((3, 4), "float32"), np.ones(4, "float32")])
    seen = keras.Model(inputs, hidden).predict(factor * ROWS, verbose=0)
    assert np.allclose(seen, ROWS.sum(axis=1, keepdims=True) + np.ones(4))


# What replaces each placeholder


@proves(
    "`x = tf.placeholder(tf.float32, [None, 784])` | `x = "
    "keras.Input(shape=(784,))`; for `[None, 28, 28, 1]`, `shape=(28, 28, 1)`",
    false_with={"shape": (28, 28)},
)
def test_a_placeholder_for_data(shape=(28, 28, 1)):
    for new_shape, old_shape in (
        ((784,), [None, 784]),
        (shape, [None, 28, 28, 1]),
    ):
        with tf.Graph().as_default():
            old = tf1.placeholder(tf.float32, old_shape)
        x = keras.Input(shape=new_shape)
        assert tuple(x.shape) == tuple(old.shape)
        assert x.dtype == old.dtype.name


@proves(
    "`y = tf.placeholder(tf.int64, [None])` | the labels in `model.fit(rows, labels)`",
    false_with={"shift": 1},
)
def test_a_placeholder_for_labels(shift=0):
    x, y = (array[:64] for array in digits())
    w = np.random.default_rng(0).normal(0.0, 0.1, (64, 10)).astype("float32")
    with tf.Graph().as_default(), tf1.Session() as session:
        labels = tf1.placeholder(tf.int64, [None])
        loss = tf1.losses.sparse_softmax_cross_entropy(labels, x @ w)
        old = session.run(loss, {labels: y})
    start = keras.Input((64,))
    model = keras.Model(start, keras.layers.Dense(10, use_bias=False)(start))
    model.set_weights([w])
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), cross)
    new = model.fit(x, (y + shift) % 10, verbose=0).history["loss"][0]
    assert abs(new - old) < 1e-4


def share_kept(layer):
    ones = np.ones((200, 500), "float32")
    return float(np.mean(np.array(layer(ones, training=True)) != 0.0))


def share_kept_in_2017(keep_prob):
    with tf.Graph().as_default(), tf1.Session() as session:
        fed = tf1.placeholder(tf.float32)
        y = tf1.nn.dropout(tf.ones((200, 500)), keep_prob=fed)
        return float(np.mean(session.run(y, {fed: keep_prob}) != 0.0))


@proves(
    "`keep_prob = tf.placeholder(tf.float32)`, fed with 0.8 | "
    "`x = keras.layers.Dropout(0.2)(x)`",
    false_with={"rate_for": lambda keep_prob: keep_prob},
)
def test_a_placeholder_for_dropout(rate_for=lambda keep_prob: 1 - keep_prob):
    for keep_prob in (0.8, 0.3):
        old = share_kept_in_2017(keep_prob)
        new = share_kept(keras.layers.Dropout(rate_for(keep_prob), seed=0))
        assert abs(old - new) < 0.02


class Noting(keras.layers.Layer):
    """A layer that adds 1 in training, and 0 otherwise."""

    def call(self, x, training=False):
        return x + (1.0 if training else 0.0)


@proves(
    "`is_training = tf.placeholder(tf.bool)` | `model(rows, training=True)`; `fit` "
    "does it for you",
    false_with={"on": False},
)
def test_a_placeholder_for_training(on=True):
    with tf.Graph().as_default(), tf1.Session() as session:
        training = tf1.placeholder(tf.bool)
        added = tf.cond(training, lambda: tf.ones([]), lambda: tf.zeros([]))
        old = (
            session.run(added, {training: True}),
            session.run(added, {training: False}),
        )
    x = keras.Input((1,))
    model = keras.Model(x, Noting()(x))
    zero = np.zeros((1, 1), "float32")
    assert (float(model(zero, training=on)[0, 0]), float(model(zero)[0, 0])) == old
    model.compile("sgd", "mae")
    losses = model.fit(zero, zero, verbose=0).history["loss"]
    assert losses == [1.0]


@proves(
    "`learning_rate = tf.placeholder(tf.float32)` | "
    "`model.optimizer.learning_rate = 0.01`",
    false_with={"name": "rate"},
)
def test_a_placeholder_for_the_learning_rate(name="learning_rate"):
    def old_steps(rates):
        with tf.Graph().as_default(), tf1.Session() as session:
            rate = tf1.placeholder(tf.float32)
            w = tf1.get_variable("w", initializer=1.0)
            train = tf1.train.GradientDescentOptimizer(rate).minimize(w)
            session.run(tf1.global_variables_initializer())
            for value in rates:
                session.run(train, {rate: value})
            return session.run(w)

    x = keras.Input((1,))
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(x, layer(x))
    model.compile(keras.optimizers.SGD(0.1), lambda y_true, y_pred: y_pred)
    one = np.ones((1, 1), "float32")
    model.fit(one, one, verbose=0)
    setattr(model.optimizer, name, 0.01)
    model.fit(one, one, verbose=0)
    assert np.allclose(model.get_weights()[0], old_steps([0.1, 0.01]), atol=1e-6)


@proves(
    "`tf.placeholder_with_default(0.5, [])` | `def call(self, x, factor=0.5)` in "
    "a subclassed model, as in `Scaled` below; for a `keep_prob`, `Dropout`",
    false_with={"default": 0.6},
)
def test_a_placeholder_with_a_default(default=0.5):
    with tf.Graph().as_default(), tf1.Session() as session:
        factor = tf1.placeholder_with_default(0.5, [])
        old = [session.run(factor * 2.0), session.run(factor * 2.0, {factor: 3.0})]

    class Scaled(keras.Model):
        def call(self, x, factor=default):
            return factor * x

    model, two = Scaled(), tf.constant([2.0])
    assert [float(model(two)[0]), float(model(two, factor=3.0)[0])] == old
    drop, ones = keras.layers.Dropout(0.5, seed=0), np.ones((1, 100), "float32")
    assert np.any(np.array(drop(ones, training=True)) == 0)
    assert np.array_equal(drop(ones), ones)


@proves(
    "`tf.reduce_sum(x, axis=1)` | `keras.ops.sum(x, axis=1)`",
    false_with={"axis": 0},
    needs="keras>=3",
)
def test_an_operation_on_an_input(axis=1):
    fed = run_in_session(lambda x: tf.reduce_sum(x, axis=1), feed=ROWS)
    x = keras.Input((3,))
    model = keras.Model(x, keras.ops.sum(x, axis=axis))
    assert np.array_equal(np.ravel(model(ROWS)), fed)


@proves(
    "`x = tf.layers.dense(x, 10)` | `x = keras.layers.Dense(10)(x)`",
    false_with={"units": 9},
)
def test_a_dense_layer_is_called(units=10):
    x = inputs = keras.Input((64,))
    x = keras.layers.Dense(units)(x)
    model = keras.Model(inputs, x)
    kernel, bias = model.get_weights()
    rows = np.ones((2, 64), "float32")
    assert np.array(model(rows)).shape == (2, 10)
    assert np.allclose(model(rows), rows @ kernel + bias, atol=1e-4)


@proves(
    "`p = tf.nn.softmax(tf.matmul(x, w) + b)` | "
    '`p = keras.layers.Dense(10, activation="softmax")(x)`, and a loss without '
    "`from_logits=True`; or no softmax and `from_logits=True`",
    false_with={"activation": "sigmoid"},
)
def test_a_softmax_is_an_activation(activation="softmax"):
    x = keras.Input((64,))
    model = keras.Model(x, keras.layers.Dense(10, activation=activation)(x))
    kernel, bias = model.get_weights()
    rows, labels = np.eye(2, 64, dtype="float32"), np.array([3, 4])
    scores = tf.matmul(rows, kernel) + bias
    assert np.allclose(model(rows), tf.nn.softmax(scores), atol=1e-6)
    plain = keras.losses.SparseCategoricalCrossentropy()
    of_scores = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert np.isclose(plain(labels, model(rows)), of_scores(labels, scores), atol=1e-5)


@proves(
    "An argument of `call` is given with each call, as in `model(x, factor=3.0)`; "
    "`fit` and `predict` take its default.",
    false_with={"default": 3.0},
)
def test_fit_and_predict_take_the_default(default=0.5):
    class Scaled(keras.Model):
        def call(self, x, factor=default):
            return factor * x

    model, x = Scaled(), np.ones((2, 1), "float32")
    assert np.array_equal(model(x, factor=3.0), 3.0 * x)
    assert np.array_equal(model.predict(x, verbose=0), 0.5 * x)
    model.compile(loss="mse")
    assert np.isclose(model.fit(x, 0.5 * x, verbose=0).history["loss"], 0.0)


@proves(
    "`session.run(scores, {x: rows})` | `model.predict(rows)`, or `model(rows)`",
    false_with={"rows": 2 * ROWS},
)
def test_a_run_is_a_call(rows=ROWS):
    fed, model = run_in_session(old_row_sums, feed=ROWS), row_sum_model()
    assert np.allclose(model.predict(rows, verbose=0), fed)
    assert np.allclose(model(rows), fed)


def classifier():
    x = keras.Input((64,))
    layer = keras.layers.Dense(10, kernel_initializer="zeros", name="scores")
    model = keras.Model(x, layer(x))
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.5), cross)
    return model


@proves(
    "a run of `tf.global_variables_initializer()` | nothing: a layer sets its "
    "weights when it is built",
    false_with={"shape": None},
)
def test_weights_are_set_when_built(shape=(None, 3)):
    initializer = keras.initializers.Constant(0.5)
    dense = keras.layers.Dense(2, kernel_initializer=initializer)
    if shape:
        dense.build(shape)
    assert [weight.tolist() for weight in dense.get_weights()] == [
        [[0.5, 0.5]] * 3,
        [0.0, 0.0],
    ]


def train_in_session(epochs=3, count=1792, path=None):
    """The old program of the page: the mean loss of each epoch, and the scores."""
    vectors, labels = (array[:count] for array in digits())
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 64])
        y = tf1.placeholder(tf.int64, [None])
        zero = tf1.zeros_initializer()
        w = tf1.get_variable("w", [64, 10], None, zero)
        b = tf1.get_variable("b", [10], None, zero)
        scores = tf.matmul(x, w) + b
        loss = tf1.losses.sparse_softmax_cross_entropy(y, scores)
        train = tf1.train.GradientDescentOptimizer(0.5).minimize(loss)
        session.run(tf1.global_variables_initializer())
        means = []
        for _ in range(epochs):
            losses = []
            for k in range(0, count, 32):
                fed = {x: vectors[k : k + 32], y: labels[k : k + 32]}
                losses.append(session.run([loss, train], fed)[0])
            means.append(np.mean(losses))
        if path:
            tf1.train.Saver().save(session, path)
        return means, session.run(scores, {x: vectors})


def adam_walks(gradient, **options):
    """Where `w` is after ten steps along a constant gradient, in 2017 and in Keras."""
    with tf.Graph().as_default(), tf1.Session() as session:
        w = tf1.get_variable("w", initializer=np.zeros(1, "float32"))
        adam = tf1.train.AdamOptimizer(0.001)
        train = adam.minimize(tf.reduce_sum(gradient * w))
        session.run(tf1.global_variables_initializer())
        for _ in range(10):
            session.run(train)
        old = float(session.run(w)[0])
    x = keras.Input((1,))
    zero = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Model(x, zero(x))
    adam = keras.optimizers.Adam(0.001, **options)
    model.compile(adam, lambda y_true, y_pred: y_pred)
    rows = np.full((10, 1), gradient, "float32")
    model.fit(rows, rows, batch_size=1, verbose=0)
    return old, float(model.get_weights()[0][0, 0])


@proves(
    "`AdamOptimizer(0.001).minimize(loss)` | "
    '`model.compile(keras.optimizers.Adam(0.001, epsilon=1e-8), loss="mse")`, or '
    "another loss of the next rows",
    false_with={"options": {}},
)
def test_an_optimizer_is_compiled(options=None):
    options = {"epsilon": 1e-8} if options is None else options
    for gradient in (1.0, 1e-6):
        old, new = adam_walks(gradient, **options)
        assert abs(old) > 0.005
        assert np.isclose(new, old, rtol=1e-3)


def evaluated(loss, labels, end="linear", **options):
    """What `evaluate` says of the scores `ROWS`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation(end)])
    model.compile("sgd", loss, **options)
    return model.evaluate(ROWS, labels, verbose=0)


@proves(
    "`tf.reduce_mean(tf.square(y - p))`, with `y` in the shape of `p` | "
    '`loss="mse"` in `compile`',
    false_with={"loss": "mae"},
)
def test_a_squared_error_is_mse(loss="mse"):
    y = np.array([[1.0, 5.0, 2.0], [0.0, 2.0, 9.0]], "float32")
    old = run_in_session(lambda p: tf.reduce_mean(tf.square(y - p)), feed=ROWS)
    assert np.isclose(evaluated(loss, y), old)


@proves(
    "`tf.reduce_mean(-tf.reduce_sum(y * tf.log(p), 1))`, with one-hot labels | "
    '`loss="categorical_crossentropy"` in `compile`, with a softmax at the end',
    false_with={"end": "linear"},
)
def test_a_cross_entropy_by_hand(end="softmax"):
    y = np.eye(3, dtype="float32")[[2, 0]]

    def build(s):
        p = tf.nn.softmax(s)
        return tf.reduce_mean(-tf.reduce_sum(y * tf1.log(p), 1))

    old = run_in_session(build, feed=ROWS)
    assert np.isclose(evaluated("categorical_crossentropy", y, end=end), old)


@proves(
    "another formula for the loss | `loss=cubes` in `compile`, with `def cubes(y, p): "
    "return keras.ops.mean(abs(y - p) ** 3, axis=-1)`: one number for each example",
    false_with={"axis": None},
    needs="keras>=3",
)
def test_a_loss_of_your_own_is_a_function(axis=-1):
    y = np.array([[1.0, 5.0, 2.0], [0.0, 2.0, 9.0]], "float32")
    old = run_in_session(lambda p: tf.reduce_mean(tf.abs(y - p) ** 3), feed=ROWS)
    shapes = []

    def cubes(y, p):
        losses = keras.ops.mean(abs(y - p) ** 3, axis=axis)
        shapes.append(tuple(losses.shape))
        return losses

    assert np.isclose(evaluated(cubes, y), old)
    assert {len(shape) for shape in shapes} == {1}


@proves(
    "`softmax_cross_entropy_with_logits(labels=y, logits=s)` of `tf.nn`, averaged, "
    "with one-hot labels | "
    "`loss=keras.losses.CategoricalCrossentropy(from_logits=True)`",
    false_with={"kind": "BinaryCrossentropy"},
)
def test_one_hot_labels_have_a_loss(kind="CategoricalCrossentropy"):
    y = np.eye(3, dtype="float32")[[2, 0]]

    def build(s):
        return tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=s)

    old = run_in_session(build, feed=ROWS).mean()
    loss = getattr(keras.losses, kind)(from_logits=True)
    assert np.isclose(evaluated(loss, y), old)


@proves(
    "`tf.equal(tf.argmax(s, 1), y)`, averaged; with one-hot labels, `tf.argmax(y, "
    '1)` in place of `y` | `metrics=["accuracy"]` in `compile`',
    false_with={"metric": "sparse_top_k_categorical_accuracy"},
)
def test_argmax_is_the_accuracy(metric="accuracy"):
    y = np.array([2, 0])
    old = run_in_session(lambda s: tf.equal(tf.argmax(s, 1), y), feed=ROWS).mean()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert np.isclose(evaluated(loss, y, metrics=[metric])[1], old)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    one_hot = np.eye(3, dtype="float32")[y]
    assert np.isclose(evaluated(loss, one_hot, metrics=[metric])[1], old)


@proves(
    "`session.run([loss, accuracy], {x: rows, y: labels})` on test data | "
    "`model.evaluate(rows, labels)` returns the loss, then the metrics",
    false_with={"metric": "sparse_top_k_categorical_accuracy"},
)
def test_a_run_on_test_data_is_evaluate(metric="accuracy"):
    y = np.array([2, 0])

    def build(s):
        cross = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=s)
        right = tf.cast(tf.equal(tf.argmax(s, 1), y), tf.float32)
        return [tf.reduce_mean(cross), tf.reduce_mean(right)]

    old = run_in_session(build, feed=ROWS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    assert np.allclose(evaluated(loss, y, metrics=[metric]), old)


@proves(
    "The default `epsilon` was 1e-8 in `AdamOptimizer` and is 1e-7 in "
    "`keras.optimizers.Adam`, so pass `epsilon=1e-8` to get the same steps; "
    "more lines are in Lines of 2017, and today's.",
    false_with={"gradient": 1.0},
)
def test_the_epsilon_of_adam(gradient=1e-6):
    assert tf1.train.AdamOptimizer()._epsilon == 1e-8
    assert keras.optimizers.Adam().epsilon == 1e-7
    old, new = adam_walks(gradient)
    assert not np.isclose(new, old, rtol=0.5)
    _, new = adam_walks(gradient, epsilon=1e-8)
    assert np.isclose(new, old, rtol=1e-3)


@proves(
    "a loop of them over the batches | `model.fit(rows, labels)`",
    false_with={"size": 16},
)
def test_a_loop_is_a_fit(size=32):
    (old, *_), _ = train_in_session(epochs=1, count=320)
    x, y = (array[:320] for array in digits())
    new = classifier().fit(x, y, batch_size=size, shuffle=False, verbose=0)
    assert abs(new.history["loss"][0] - old) < 1e-4


@proves(
    "one `session.run(train, {x: rows, y: labels})` | "
    "`model.train_on_batch(rows, labels)`",
    false_with={"size": 16},
)
def test_a_training_run_is_one_step(size=32):
    (old,), scores = train_in_session(epochs=1, count=32)
    x, y = (array[:32] for array in digits())
    model = classifier()
    assert abs(model.train_on_batch(x[:size], y[:size]) - old) < 1e-4
    assert np.allclose(model.predict(x, verbose=0), scores, atol=1e-4)


@proves(
    '`w = tf.get_variable("w", [64, 10])` | a layer such as `Dense`, or '
    "`self.w = self.add_weight(shape=(64, 10))` in your own layer",
    false_with={"trainable": False},
)
def test_a_variable_is_a_weight_of_a_layer(trainable=True):
    class Product(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(64, 10), trainable=trainable)

        def call(self, x):
            return x @ self.w

    with tf.Graph().as_default():
        old = tf1.get_variable("w", [64, 10])
        assert old in tf1.trainable_variables()
    dense = keras.layers.Dense(10, use_bias=False, trainable=trainable)
    for layer in (dense, Product()):
        layer.build((None, 64))
        assert [tuple(w.shape) for w in layer.trainable_weights] == [tuple(old.shape)]
        assert tuple(layer(np.ones((2, 64), "float32")).shape) == (2, 10)


# Dropout


@proves(
    "`keep_prob` was the share that is kept, `rate` is the share that is dropped: "
    "for a `keep_prob` of 0.8, write `Dropout(0.2)`.",
    false_with={"rate": 0.8},
)
def test_rate_is_the_share_that_is_dropped(rate=0.2):
    assert abs(share_kept_in_2017(0.8) - 0.8) < 0.02
    assert abs(share_kept(keras.layers.Dropout(rate, seed=0)) - 0.8) < 0.02


@proves(
    "No number is fed any more: `fit` and `train_on_batch` drop, `predict` and a plain "
    "call do not, and a call with `training=True` does.",
    false_with={"rate": 0.0},
)
def test_who_drops(rate=0.5):
    x = keras.Input((1000,))
    model = keras.Model(x, keras.layers.Dropout(rate, seed=0)(x))
    model.compile("sgd", "mae")
    ones = np.ones((2, 1000), "float32")
    assert model.fit(ones, ones, verbose=0).history["loss"][0] > 0.5
    model.reset_metrics()
    assert model.train_on_batch(ones, ones) > 0.5
    assert np.array_equal(model.predict(ones, verbose=0), ones)
    assert np.array_equal(model(ones), ones)
    assert not np.array_equal(model(ones, training=True), ones)


@proves(
    "What is kept is divided by 0.8, as in 2017.",
    false_with={"rate": 0.5},
)
def test_what_is_kept_is_scaled(rate=0.2):
    ones = np.ones((200, 50), "float32")
    with tf.Graph().as_default(), tf1.Session() as session:
        old = np.unique(session.run(tf1.nn.dropout(tf.ones((200, 50)), keep_prob=0.8)))
    new = np.unique(np.array(keras.layers.Dropout(rate)(ones, training=True)))
    assert np.allclose(old, [0.0, 1 / 0.8])
    assert np.allclose(new, old)


# tf.function


def traces(function, arguments, **options):
    compiled = tf.function(function, **options)
    for argument in arguments:
        compiled(argument)
    return compiled.experimental_get_tracing_count()


@proves(
    "`tf.function` turns a function into a graph, and `input_signature` declares its "
    "arguments as placeholders did, with `None` for any size: one graph serves all "
    "batch sizes, and other shapes are refused.",
    false_with={"size": None},
)
def test_a_signature_is_one_graph(size=3):
    options = {"input_signature": [tf.TensorSpec([None, size], tf.float32)]}
    batches = [np.zeros((number, 3), "float32") for number in (0, 1, 2, 3, 100)]
    assert traces(lambda x: tf.reduce_sum(x, axis=1), batches, **options) == 1
    for wrong in (np.zeros((2, 4), "float32"), np.zeros(3, "float32")):
        said = message_of(lambda wrong=wrong: traces(tf.square, [wrong], **options))
        assert said != "no error"


@proves(
    "For a number that used to be fed, put `tf.TensorSpec([], tf.float32)` into the "
    "signature and pass `0.1`; without a signature pass `tf.constant(0.1)`, since each "
    "new Python number makes another graph.",
    false_with={"convert": float},
)
def test_a_tensor_costs_one_graph(convert=tf.constant):
    numbers = (0.1, 0.2, 0.3)
    signature = [tf.TensorSpec([], tf.float32)]
    assert traces(tf.square, numbers, input_signature=signature) == 1
    doubled = tf.function(lambda x: 2.0 * x, input_signature=signature)
    assert np.isclose(doubled(0.1), 0.2)
    assert traces(lambda x: x * x, numbers) == 3
    assert traces(lambda x: x * x, map(convert, numbers)) == 1


# The training loop


@proves(
    "Both programs train a linear classifier from zero, see the same batches, and "
    "print the same losses:",
    false_with={"size": 64},
)
def test_both_loops_print_the_same_losses(size=32):
    old, _ = train_in_session()
    vectors, labels = (array[:1792] for array in digits())
    new = classifier().fit(
        vectors, labels, batch_size=size, epochs=3, shuffle=False, verbose=0
    )
    assert [f"{loss:.3f}" for loss in new.history["loss"]] == [f"{v:.3f}" for v in old]


@proves(
    "An epoch is one pass over the data, here 56 steps: an old loop of 560 steps is "
    "`epochs=10`.",
    false_with={"size": 64},
)
def test_ten_epochs_are_560_steps(size=32):
    vectors, labels = (array[:1792] for array in digits())
    model = classifier()
    model.fit(vectors, labels, batch_size=size, epochs=10, verbose=0)
    assert int(np.array(model.optimizer.iterations)) == 560


@proves(
    "`fit` shuffles by default, and the old loop did not: in new code, let it shuffle.",
    false_with={"options": {"shuffle": False}},
)
def test_fit_shuffles_by_default(options=None):
    keras.utils.set_random_seed(0)
    seen = []

    class Seen(keras.layers.Layer):
        def call(self, x):
            tf.py_function(lambda t: seen.extend(t.numpy().ravel()), [x], [])
            return x

    x = keras.Input((1,))
    model = keras.Model(x, Seen()(x))
    model.compile("sgd", "mse", run_eagerly=True)
    rows = np.arange(64.0)[:, None]
    model.fit(rows, rows, batch_size=8, verbose=0, **(options or {}))
    assert seen[-64:] != list(range(64))
    assert sorted(seen[-64:]) == list(range(64))


@proves(
    "To see the loss of each batch, call `model.train_on_batch(x, y)` in a loop of "
    "your own.",
    false_with={"size": 16},
)
def test_train_on_batch_is_one_step(size=32):
    x, y = (array[:320] for array in digits())
    looped, fitted = classifier(), classifier()
    for k in range(0, 320, size):
        looped.train_on_batch(x[k : k + size], y[k : k + size])
    fitted.fit(x, y, batch_size=32, shuffle=False, verbose=0)
    assert np.allclose(looped.get_weights()[0], fitted.get_weights()[0], atol=1e-5)


@proves(
    "For a loop without Keras, with `tf.GradientTape`, see One training, three "
    "times: it prints the same losses as the two programs above.",
    false_with={"rate": 0.4},
)
def test_a_tape_gives_these_losses_too(rate=0.5):
    old, _ = train_in_session(epochs=2, count=640)
    vectors, labels = (array[:640] for array in digits())
    w, b, means = tf.Variable(tf.zeros([64, 10])), tf.Variable(tf.zeros([10])), []

    @tf.function(autograph=False)
    def step(x, y):
        with tf.GradientTape() as tape:
            scores = tf.matmul(x, w) + b
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
            loss = tf.reduce_mean(losses)
        dw, db = tape.gradient(loss, [w, b])
        w.assign_sub(rate * dw)
        b.assign_sub(rate * db)
        return loss

    for _ in range(2):
        parts = [slice(k, k + 32) for k in range(0, 640, 32)]
        means.append(np.mean([step(vectors[p], labels[p]) for p in parts]))
    assert np.allclose(means, old, rtol=1e-4)


@proves(
    "`with tf.control_dependencies(update_ops):` made BatchNormalization update its "
    "averages, and `fit` updates them by itself.",
    false_with={"trainable": False},
)
def test_fit_updates_the_averages(trainable=True):
    x = keras.Input((3,))
    layer = keras.layers.BatchNormalization(trainable=trainable)
    model = keras.Model(x, layer(x))
    model.compile("sgd", "mse")
    before = [np.array(weight) for weight in layer.non_trainable_weights[-2:]]
    model.fit(ROWS, ROWS, verbose=0)
    after = [np.array(weight) for weight in layer.non_trainable_weights[-2:]]
    for old, new in zip(before, after, strict=True):
        assert not np.array_equal(old, new)


@proves(
    "The scope is now the name of the layer: on Keras 3 the kernel of `Dense(10, "
    'name="a")` has the `path` `a/kernel`, and in a Sequential model named `net` '
    "it has `net/a/kernel`.",
    false_with={"name": "b"},
)
def test_a_scope_is_the_name_of_a_layer(name="a"):
    layer = keras.layers.Dense(10, name=name)
    layer(np.ones((2, 64), "float32"))
    kernel = layer.kernel  # Keras 2 has no paths, and adds the number of the output
    path = getattr(kernel, "path", "") or kernel.name.partition(":")[0]
    assert path == "a/kernel"
    inner = keras.layers.Dense(10, name=name)
    keras.Sequential([keras.Input((64,)), inner], name="net")
    if hasattr(inner.kernel, "path"):
        assert inner.kernel.path == "net/a/kernel"


@proves(
    '`tf.variable_scope("a", reuse=True)` shared weights; call the same layer twice.',
    false_with={"shared": False},
)
def test_a_layer_called_twice_shares_its_weights(shared=True):
    with tf.Graph().as_default():
        with tf1.variable_scope("a"):
            first = tf1.get_variable("w", [3])
        with tf1.variable_scope("a", reuse=True):
            assert tf1.get_variable("w", [3]) is first
    layer = keras.layers.Dense(2)
    other = layer if shared else keras.layers.Dense(2)
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Add()([layer(x), other(x)]))
    assert len(model.weights) == 2


# A model on a placeholder


def begin_at_placeholder():
    with tf.Graph().as_default():
        x = tf1.placeholder(tf.float32, [None, 784])
        first = keras.layers.InputLayer(input_tensor=x)
        model = keras.Sequential([first, keras.layers.Dense(10)])
        return tuple(model.output.shape)


@proves(
    "On Keras 2 that still works inside a graph; on Keras 3 `input_tensor` must be a "
    "`KerasTensor`.",
    keras="<3",
)
def test_input_layer_on_a_placeholder_keras_2():
    assert message_of(begin_at_placeholder) == "no error"
    assert begin_at_placeholder() == (None, 10)


@proves(
    "On Keras 2 that still works inside a graph; on Keras 3 `input_tensor` must be a "
    "`KerasTensor`.",
    keras=">=3",
)
def test_input_layer_on_a_placeholder_keras_3():
    assert message_of(begin_at_placeholder) != "no error"


def functional():
    start = keras.Input((784,))
    return keras.Model(start, keras.layers.Dense(10)(start))


def sequential():
    return keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])


def call_on_placeholder(make):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 784])
        output = make()(x)
        session.run(tf1.global_variables_initializer())
        return session.run(output, {x: np.ones((2, 784))}).shape


@proves(
    "Calling the model on the placeholder works on both, if the model is made inside "
    "the same graph; a model made outside it raises.",
    false_with={"inside": False},
)
def test_a_model_made_inside_can_be_called(inside=True):
    for make in (functional, sequential):
        made = None if inside else make()
        called = message_of(lambda: call_on_placeholder(lambda: made or make()))  # noqa: B023 - at once
        assert called == "no error"


@proves(
    "Calling the model on the placeholder works on both, if the model is made inside "
    "the same graph; a model made outside it raises.",
    false_with={"inside": True},
)
def test_a_model_made_outside_cannot_be_called(inside=False):
    for make in (functional, sequential):
        made = None if inside else make()
        called = message_of(lambda: call_on_placeholder(lambda: made or make()))  # noqa: B023 - at once
        assert called != "no error"


@proves(
    "On Keras 3 `set_weights` raises no error in the graph, and changes nothing: run "
    "`session.run(weight.value.assign(array))` for each weight.",
    keras=">=3",
)
def test_set_weights_changes_nothing_in_a_graph():
    arrays, ones = [np.ones((3, 1)), np.ones(1)], np.ones((1, 3))
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        zero = keras.layers.Dense(1, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((3,)), zero])
        output = model(x)
        session.run(tf1.global_variables_initializer())
        model.set_weights(arrays)
        assert session.run(output, {x: ones}) == 0.0
        for weight, array in zip(model.weights, arrays, strict=True):
            session.run(weight.value.assign(array))
        assert session.run(output, {x: ones}) == 4.0


# Checkpoints


@proves(
    "A `Saver` wrote `model.ckpt-1000.index`, "
    "`model.ckpt-1000.data-00000-of-00001` and `model.ckpt-1000.meta`: three "
    "files that are one checkpoint. Wherever a path is asked for, give the common "
    'start of their names, `"model.ckpt-1000"`.',
    false_with={"suffix": ".meta"},
)
def test_the_prefix_is_what_the_files_share(suffix=""):
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            tf1.get_variable("w", initializer=ROWS)
            session.run(tf1.global_variables_initializer())
            saver = tf1.train.Saver()
            path = saver.save(session, f"{folder}/model.ckpt", global_step=1000)
        assert path == f"{folder}/model.ckpt-1000"
        names = {file.name for file in pathlib.Path(folder).iterdir()}
        ends = {".index", ".data-00000-of-00001", ".meta"}
        assert {f"model.ckpt-1000{end}" for end in ends} <= names
        said = message_of(lambda: tf.train.list_variables(f"{path}{suffix}"))
        assert said == "no error"


@proves(
    "`.meta` holds the graph; the weights are in the other two, and load without it.",
    false_with={"removed": "index"},
)
def test_meta_is_not_read(removed="meta"):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/old"
        train_in_session(epochs=1, count=320, path=path)
        graph = tf.Graph()
        with graph.as_default():
            tf1.train.import_meta_graph(f"{path}.meta")
        assert "w" in {operation.name for operation in graph.get_operations()}
        before = tf.train.load_checkpoint(path).get_tensor("w")
        pathlib.Path(f"{path}.{removed}").unlink()

        def load():
            after = tf.train.load_checkpoint(path).get_tensor("w")
            assert np.array_equal(after, before)

        assert message_of(load) == "no error"


@proves(
    "At its end, the TensorFlow 1 program of the training loop saved its "
    "variables, `w` and `b`, as `digits-2017`:",
    false_with={"listed": lambda path: tf.train.list_variables(path)[:1]},
)
def test_a_checkpoint_holds_arrays_by_name(listed=tf.train.list_variables):
    with tempfile.TemporaryDirectory() as folder:
        train_in_session(epochs=1, count=320, path=f"{folder}/old")
        assert listed(f"{folder}/old") == [("b", [10]), ("w", [64, 10])]


NAME_MAP = {"scores/kernel": "w", "scores/bias": "b"}


def carry(use, name_map=None, seed=0, epochs=1):
    """A model that `use` has filled, and the scores of the old one."""
    keras.utils.set_random_seed(seed)
    model = classifier()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/old"
        _, old = train_in_session(epochs, count=320, path=path)
        said = message_of(lambda: use(model, path, name_map or NAME_MAP))
    return np.array(model(digits()[0][:320])), old, said


def assign(model, path, name_map):
    from snippets.placeholders.weights import assign_from_checkpoint

    assign_from_checkpoint(model, path, name_map)


@proves(
    "Both networks now give the same scores.",
    false_with={"use": lambda model, path, name_map: None},
    needs="keras>=3",
)
def test_a_checkpoint_fills_a_model(use=assign):
    new, old, said = carry(use)
    assert said == "no error"
    assert np.allclose(new, old, atol=1e-4)


def assign_without_bias(model, path, name_map):
    x = keras.Input((64,))
    smaller = keras.Model(x, keras.layers.Dense(10, use_bias=False, name="scores")(x))
    assign(smaller, path, {"scores/kernel": "w"})


def load(model, path, name_map):
    from snippets.placeholders import load_checkpoint

    x = keras.Input((64,))
    smaller = keras.Model(x, keras.layers.Dense(10, use_bias=False, name="scores")(x))
    load_checkpoint(smaller, path, {"scores/kernel": "w"})


@proves(
    "The keys of `name_map` are the `path` of each weight, which Keras 3 alone has:",
    false_with={"field": "name"},
    needs="keras>=3",
)
def test_paths_begin_with_the_layer(field="path"):
    inputs = keras.Input(shape=(64,))
    model = keras.Model(inputs, keras.layers.Dense(10, name="scores")(inputs))
    found = [getattr(weight, field) for weight in model.weights]
    assert found == ["scores/kernel", "scores/bias"]


@proves(
    "Compare them, as `np.allclose` does above: if `name_map` forgets a variable "
    "of the checkpoint, no error says so.",
    false_with={"use": load},
    needs="keras>=3",
)
def test_a_forgotten_variable_is_left_behind(use=assign_without_bias):
    _, _, said = carry(use)
    assert said == "no error"


@proves(
    "The recipe `snippets.placeholders.load_checkpoint` does the same and says what is "
    "missing, left over or of another shape before it changes a weight.",
    false_with={"name_map": NAME_MAP},
    needs="keras>=3",
)
def test_load_checkpoint_says_what_is_wrong(name_map=None):
    from snippets.placeholders import load_checkpoint

    wrong = name_map or {"scores/kernel": "v", "scores/bias": "w"}
    new, _, said = carry(load_checkpoint, wrong)
    for part in (
        "missing: 'v', for the weight 'scores/kernel'",
        "wrong shape: 'w' is (64, 10), 'scores/bias' is (10,)",
        "extra: 'b'",
    ):
        assert part in said
    assert not new.any()  # still the zeros from which it started


@proves(
    "`snippets.placeholders.proposed_name_map` proposes the map of a large network.",
    false_with={"num_layers": 0},
    needs="keras>=3",
)
def test_a_map_is_proposed(num_layers=40):
    from snippets.placeholders import proposed_name_map

    x = start = keras.Input((3,))
    expected, arrays = {}, {}
    for k in range(40):
        x = keras.layers.Dense(3, name=f"layer{k}")(x)
        for part, size in (("kernel", (3, 3)), ("bias", (3,))):
            name = f"net/layer{k}/{part}"
            expected[f"layer{k}/{part}"] = name
            if k < num_layers:
                arrays[name] = np.zeros(size, "float32")
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            for name, value in {**arrays, "step": np.int64(0)}.items():
                tf1.get_variable(name, initializer=value)
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, f"{folder}/old")
        proposal = proposed_name_map(keras.Model(start, x), f"{folder}/old")
    assert proposal.name_map == expected


# No error, wrong result


@proves(
    "**A `keep_prob` passed as `rate`** drops what it should keep: `Dropout(0.8)` sets "
    "80 % to zero.",
    false_with={"rate": 0.2},
)
def test_keep_prob_as_rate(rate=0.8):
    assert abs(share_kept(keras.layers.Dropout(rate, seed=0)) - 0.2) < 0.02


@proves(
    "**A loss without `from_logits=True`** treats scores as if they were "
    "probabilities: `sparse_softmax_cross_entropy` expected scores, and the losses of "
    "Keras expect probabilities by default.",
    false_with={"options": {"from_logits": True}},
)
def test_a_loss_takes_probabilities(options=None):
    scores = np.array([[4.0, 1.0, 2.0], [0.5, 3.0, 2.0]], "float32")
    labels = np.array([0, 2])
    with tf.Graph().as_default(), tf1.Session() as session:
        old = session.run(tf1.losses.sparse_softmax_cross_entropy(labels, scores))
    cross = keras.losses.SparseCategoricalCrossentropy
    right = float(cross(from_logits=True)(labels, scores))
    assert np.isclose(right, old, rtol=1e-5)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert np.isclose(float(cross()(labels, shares)), old, rtol=1e-5)
    wrong = float(cross(**(options or {}))(labels, scores))
    assert not np.isclose(wrong, old, rtol=0.1)


@proves(
    "**Fractions are cut off** on the way into an integer placeholder, and on the way "
    'into an Input of `dtype="int32"`.',
    false_with={"dtype": tf.float32},
)
def test_fractions_are_cut_off(dtype=tf.int32):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(dtype, [None])
        fed = session.run(x * 1, {x: np.array([1.9, -2.7])})
    assert fed.tolist() == [1, -2]


@proves(
    "**Fractions are cut off** on the way into an integer placeholder, and on the way "
    'into an Input of `dtype="int32"`.',
    false_with={"dtype": "float64"},
)
def test_an_input_cuts_fractions_off(dtype="int32"):
    x = keras.Input((), dtype=dtype)
    model = keras.Model(x, keras.layers.Reshape((1,))(x))
    assert np.ravel(model(np.array([1.9, -2.7]))).tolist() == [1, -2]


@proves(
    "**Python runs once per graph** in a `tf.function`: a number that NumPy draws "
    "there is drawn while the graph is built, and stays.",
    false_with={"trace": lambda function: function},
)
def test_numpy_is_drawn_once(trace=tf.function):
    f = trace(lambda: np.random.default_rng().random())
    assert len({float(f()) for _ in range(5)}) == 1


@proves(
    "Draw with `tf.random.uniform`.",
    false_with={"draw": lambda shape: np.random.default_rng().random()},
)
def test_tensorflow_draws_each_time(draw=tf.random.uniform):
    drawn = tf.function(lambda: draw([]))
    assert len({float(drawn()) for _ in range(5)}) == 5


def batch_losses(reset):
    start = keras.Input((2,))
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(start, layer(start))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = []
    for size in (1.0, 2.0, 3.0):
        reset(model)
        x, y = np.full((1, 2), size), np.zeros((1, 1))
        losses.append(float(model.train_on_batch(x, y)))
    return np.round(losses, 3).tolist()


@proves(
    "**`train_on_batch` returns the mean of all batches** since the last reset, on "
    "Keras 3.4 to 3.13; a curve of it looks too smooth.",
    keras=">=3,<3.15",
)
def test_train_on_batch_gave_the_mean():
    means = [4.0, (4.0 + 16.0) / 2, (4.0 + 16.0 + 36.0) / 3]
    assert batch_losses(lambda model: None) == np.round(means, 3).tolist()


@proves(
    "`model.reset_metrics()` before each call gives the loss of the batch on every "
    "version.",
    false_with={"reset": lambda model: model.set_weights([np.zeros((2, 1))])},
)
def test_reset_metrics_before_each_batch(reset=lambda model: model.reset_metrics()):
    assert batch_losses(reset) == [4.0, 16.0, 36.0]


# Errors


@proves(
    "The same comes for `Session`, `get_variable`, `layers` and `contrib`.",
    false_with={"names": ("Variable",)},
)
def test_names_of_tensorflow_1_are_gone(
    names=("placeholder", "Session", "get_variable", "layers", "contrib"),
):
    for name in names:
        said = message_of(lambda name=name: getattr(tf, name))
        assert said == f"AttributeError: module 'tensorflow' has no attribute '{name}'"


@proves(
    "Current Keras never calls `tf.placeholder`.",
    false_with={"pattern": r"tf\.compat\.v1\.|tf\.Variable\("},
)
def test_keras_calls_no_placeholder(pattern=r"(?<!v1\.)tf\.placeholder\("):
    module = sys.modules[keras.Model.__module__.partition(".")[0]]
    files = list(pathlib.Path(module.__file__).parent.rglob("*.py"))
    assert len(files) > 100
    found = [f for f in files if re.search(pattern, f.read_text(encoding="utf-8"))]
    assert found == []


@proves(
    "If the traceback ends in the folder `keras`, your Keras is older than your "
    "TensorFlow: `pip install --upgrade tensorflow` installs one that fits.",
    false_with={"package": "tf_keras|legacy"},
)
def test_tensorflow_requires_a_keras(package="keras|keras-nightly"):
    found = []
    for name in ("tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found += importlib.metadata.requires(name)
    line = re.compile(rf"({package}) ?\(?[^;]*>=")
    assert any(line.match(requirement) for requirement in found)


@proves(
    "TensorFlow 2 computes at once, and a placeholder needs a graph: put the old "
    "lines inside `with tf1.Graph().as_default():`, as in Which way to take.",
    false_with={"graph": contextlib.nullcontext},
)
def test_a_placeholder_needs_a_graph(graph=lambda: tf.Graph().as_default()):
    def twice():
        with graph():
            x = tf1.placeholder(tf.float32, [None, 3])
            with tf1.Session() as session:
                assert np.array_equal(session.run(2 * x, {x: ROWS}), 2 * ROWS)

    assert message_of(twice) == "no error"
    assert message_of(lambda: tf1.placeholder(tf.float32, [None, 3])) == (
        "RuntimeError: tf.placeholder() is not compatible with eager execution."
    )


@functools.lru_cache
def without_eager_mode():
    """What came of using a model in new processes; in two of them eager mode is off.

    They are forked from one that has imported TensorFlow and not used it.
    """
    program = """
import json, os
import numpy as np, tensorflow as tf
from tensorflow import keras
for switch in ("", "disable_eager_execution", "disable_v2_behavior"):
    if os.fork():
        os.wait()
        continue
    if switch:
        getattr(tf.compat.v1, switch)()
        assert not tf.executing_eagerly()
        assert tf.compat.v1.placeholder(tf.float32, [None]).shape.rank == 1
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3)), np.ones((4, 1))
    said = []
    for use in (
        lambda: model.fit(x, y, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: model.save("model.keras"),
        lambda: model(x).numpy(),
    ):
        try:
            use()
            said.append("works")
        except Exception as error:
            said.append(f"{type(error).__name__} {str(error).splitlines()[0]}")
    print(f"SAID {json.dumps([switch, said])}", flush=True)
    os._exit(0)
"""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder
        )
    lines = done.stdout.splitlines()
    return dict(json.loads(line[5:]) for line in lines if line.startswith("SAID "))


SWITCHES = ("disable_eager_execution", "disable_v2_behavior")


@proves(
    "Many answers advise `tf.compat.v1.disable_v2_behavior()` or "
    "`tf.compat.v1.disable_eager_execution()`: they switch eager mode off in the "
    "whole process, the placeholder passes, and Keras 3 can no longer `fit`, "
    "`predict` or save there; `model(x)` returns a tensor without numbers.",
    keras=">=3",
    false_with={"switches": ("",)},
)
def test_without_eager_mode_keras_3_cannot_fit(switches=SWITCHES):
    for switch in switches:
        said = without_eager_mode()[switch]
        assert len(said) == 4
        assert "works" not in said


@proves(
    "What you ran depends on a placeholder that `feed_dict` lacks; the message names "
    "it.",
    false_with={"feed": ROWS},
)
def test_error_not_fed(feed=None):
    said = message_of(lambda: run_in_session(tf.reduce_sum, feed=feed))
    text = (
        "You must feed a value for placeholder tensor 'x' with dtype float and shape "
        "[?,3]"
    )
    assert text in said
    assert said.startswith("InvalidArgumentError")
    assert run_in_session(lambda x: tf.constant(1.0), feed=feed) == 1.0


@proves("Add it: `session.run(y, {x: rows})`.", false_with={"feed": None})
def test_fed_it_runs(feed=ROWS):
    assert message_of(lambda: run_in_session(old_row_sums, feed=feed)) == "no error"


@proves(
    "Give the array the shape that the message names last, with `row[None, :]` for "
    "one row and `rows.reshape(-1, 3)` for a flat array.",
    false_with={"wrong": (ROWS, ROWS)},
)
def test_error_wrong_shape(wrong=None):
    for array in wrong or (ROWS[0], ROWS.reshape(-1)):
        said = message_of(lambda a=array: run_in_session(old_row_sums, feed=a))
        start = f"ValueError: Cannot feed value of shape {array.shape} for Tensor "
        assert said.startswith(start)
        assert said.endswith(", which has shape (None, 3)") or "(?, 3)" in said
    for array in (ROWS[0][None, :], ROWS.ravel().reshape(-1, 3)):
        assert run_in_session(old_row_sums, feed=array)[0] == 6.0


@proves(
    "A session takes NumPy arrays: feed `array`, after `array = tensor.numpy()` "
    "outside of the graph.",
    false_with={"make": np.ones},
)
def test_error_tensor_fed(make=tf.ones):
    array = tf.ones((2, 3)).numpy()
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        total = tf.reduce_sum(x)
        assert session.run(total, {x: array}) == 6.0
        said = message_of(lambda: session.run(total, {x: make((2, 3))}))
    assert "The value of a feed cannot be a tf.Tensor object." in said


def get_w(x):
    return tf1.get_variable("w", [3])


@proves(
    "`Could not find variable w. This could mean that the variable has been deleted. "
    "In TF1, it can also mean the variable is uninitialized.`: the session has not "
    "run the initializer.",
    false_with={"initialize": True},
)
def test_error_uninitialized(initialize=False):
    said = message_of(lambda: run_in_session(get_w, initialize=initialize))
    assert "FailedPreconditionError" in said
    assert (
        "Could not find variable w. This could mean that the variable has been deleted."
        " In TF1, it can also mean the variable is uninitialized."
    ) in said


@proves(
    "Run `session.run(tf1.global_variables_initializer())` first, or "
    "`saver.restore(session, path)`.",
    false_with={"prepare": lambda session, saver, path: None},
)
def test_initialized_or_restored_it_runs(
    prepare=lambda session, saver, path: saver.restore(session, path),
):
    assert message_of(lambda: run_in_session(get_w)) == "no error"
    with tempfile.TemporaryDirectory() as folder, tf.Graph().as_default():
        w = tf1.get_variable("w", [3])
        saver = tf1.train.Saver()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            path = saver.save(session, f"{folder}/old")
        with tf1.Session() as session:
            prepare(session, saver, path)
            said = message_of(lambda: session.run(w))
    assert said == "no error"


@proves(
    "Without resource variables, as after `disable_v2_behavior()`, the message is "
    "`Attempting to use uninitialized value w`.",
    false_with={"resource": True},
)
def test_error_uninitialized_without_resources(resource=False):
    def old_w(x):
        return tf1.get_variable("w", [3], use_resource=resource)

    said = message_of(lambda: run_in_session(old_w, initialize=False))
    assert "FailedPreconditionError" in said
    assert "Attempting to use uninitialized value w" in said


@proves(
    "A tensor was made in one graph, and run or added in another: make all of them "
    "under one `with graph.as_default():`, and open the session with "
    "`tf1.Session(graph=graph)`.",
    false_with={"mixed": False},
)
def test_error_other_graph(mixed=True):
    with tf.Graph().as_default() as graph:
        elsewhere = tf.constant(1.0)
    with (tf.Graph() if mixed else graph).as_default():
        here = tf.constant(2.0)
        with tf1.Session() as session:
            fetched = message_of(lambda: session.run(elsewhere))
        added = message_of(lambda: elsewhere + here)
    assert "is not an element of this graph." in fetched
    assert "must be from the same graph" in added


@proves(
    "A tensor left its `tf.function` by another way than `return`, such as a list "
    "outside of it.",
    false_with={"position": 0},
)
def test_error_out_of_scope(position=1):
    leaks = []

    @tf.function(autograph=False)
    def double(x):
        leaks.append(x * 2.0)
        return leaks[-1]

    returned = double(tf.constant(2.0))
    assert float(returned + 1.0) == 5.0
    said = message_of(lambda: [returned, leaks[0]][position] + 1.0)
    assert said.startswith("TypeError: ")
    assert "is out of scope and cannot be used here." in said


@proves("A tensor of a graph has no numbers yet.", false_with={"graph": None})
def test_error_no_numpy(graph=tf.Graph):
    with graph().as_default() if graph else contextlib.nullcontext():
        said = message_of(lambda: tf.constant(1.0).numpy())
    assert said.endswith("has no attribute 'numpy'")


@proves(
    "In a session, fetch it with `session.run(y)`; inside `fit` or a `tf.function`, "
    "return the value, or print it with `tf.print`.",
    false_with={"trace": lambda function: function},
)
def test_fetched_it_is_an_array(trace=tf.function):
    inside = message_of(lambda: trace(lambda x: x.numpy())(tf.constant(1.0)))
    assert "has no attribute 'numpy'" in inside
    assert trace(lambda x: 2.0 * x)(tf.constant(1.0)).numpy() == 2.0
    printed = trace(lambda x: (tf.print(x, output_stream=sys.stderr), x)[1])
    assert printed(tf.constant(1.0)).numpy() == 1.0


@proves(
    "With eager mode off, or inside `with tf.Graph().as_default():`, each call of a "
    "Keras model returns such a tensor.",
    false_with={"inside": contextlib.nullcontext},
)
def test_a_call_in_a_graph_has_no_numbers(inside=lambda: tf.Graph().as_default()):
    with inside():
        said = [message_of(lambda: row_sum_model()(ROWS).numpy())]
    said += [without_eager_mode()[switch][-1] for switch in SWITCHES]
    for text in said:
        assert text.endswith("has no attribute 'numpy'")


@proves(
    "``AttributeError: `dense` is not available with Keras 3.`` comes from "
    "`tf.compat.v1.layers.dense`, and from `conv2d`, `dropout`, `flatten` and "
    "`batch_normalization` there.",
    keras=">=3",
)
def test_error_layers_of_v1():
    for name in ("dense", "conv2d", "dropout", "flatten", "batch_normalization"):
        said = message_of(lambda name=name: getattr(tf1.layers, name))
        assert said == f"AttributeError: `{name}` is not available with Keras 3."


@proves(
    "Write `keras.layers.Dense(10)(x)`; to keep the old line, install the `tf_keras` "
    'of your version, such as `pip install "tf_keras~=2.17.0"` for TensorFlow 2.17, '
    "and set `TF_USE_LEGACY_KERAS=1` before TensorFlow is imported.",
    keras="<3",
)
def test_legacy_keras_has_the_old_layers():
    assert callable(layers_of_v1())
    assert run_in_session(lambda x: layers_of_v1()(x, 4), feed=ROWS).shape == (2, 4)


@proves(
    "That turns `tf.keras` into Keras 2 as well, in the whole process: Which Keras do "
    "I get?",
    keras="<3",
)
def test_legacy_keras_is_keras_2():
    assert tf.keras is keras or tf.keras.Model is keras.Model
    assert not hasattr(tf.keras, "ops")


@proves(
    "`No default session is registered`: `eval()` looks for a session that was entered "
    "by `with`; write `y.eval(session=session)`.",
    false_with={"options": {"session": True}},
)
def test_error_no_session(options=None):
    with tf.Graph().as_default() as graph:
        two = tf.constant(2.0)
        session = tf1.Session(graph=graph)
        given = {"session": session}
        said = message_of(lambda: two.eval(**(given if options else {})))
        assert two.eval(**given) == 2.0
        with session:
            assert two.eval() == 2.0
    assert said == (
        "ValueError: Cannot evaluate tensor using `eval()`: No default session is "
        "registered. Use `with sess.as_default()` or pass an explicit session to "
        "`eval(session=sess)`"
    )


@proves(
    "`The Session graph is empty. Add operations to the graph before calling "
    "run().`: the lines were computed at once, outside of any graph; put them and "
    "the session under one `with tf.Graph().as_default():`.",
    false_with={"context": lambda graph: graph.as_default()},
)
def test_error_session_graph_is_empty(
    context=lambda graph: contextlib.nullcontext(),
):
    graph = tf.Graph()
    with context(graph):
        total = tf.reduce_sum(ROWS)
    with tf1.Session(graph=graph) as session:
        said = message_of(lambda: session.run(total))
    assert said == (
        "RuntimeError: The Session graph is empty. Add operations to the graph before "
        "calling run()."
    )
    assert total.numpy() == 21.0
    with tf.Graph().as_default(), tf1.Session() as session:
        assert session.run(tf.reduce_sum(ROWS)) == 21.0


@proves(
    "`` `loss` passed to Optimizer.compute_gradients should be a function when eager "
    "execution is enabled. ``: use an optimizer of `keras.optimizers`.",
    false_with={"as_function": True},
)
def test_error_v1_optimizer(as_function=False):
    w = tf.Variable(1.0)
    optimizer = tf1.train.GradientDescentOptimizer(0.1)
    loss = (lambda: w * w) if as_function else w * w
    assert message_of(lambda: optimizer.minimize(loss)) == (
        "RuntimeError: `loss` passed to Optimizer.compute_gradients should be a "
        "function when eager execution is enabled."
    )
    w.assign(1.0)
    keras.optimizers.SGD(0.1).apply_gradients([(tf.constant(2.0), w)])
    assert np.allclose(w, 0.8, rtol=1e-6, atol=0.0)


@proves(
    "`` `tf.data.Dataset` only supports Python-style iteration in eager mode or within "
    "tf.function. ``: eager mode is off; take `disable_eager_execution()` or "
    "`disable_v2_behavior()` out, or leave the block `with tf.Graph().as_default():`.",
    keras=">=3",
    false_with={"switches": ("",)},
)
def test_error_eager_mode_is_off(switches=SWITCHES):
    with tf.Graph().as_default():
        inside = message_of(lambda: row_sum_model().predict(ROWS, verbose=0))
    assert inside == (
        "RuntimeError: `tf.data.Dataset` only supports Python-style iteration in eager "
        "mode or within tf.function."
    )
    for switch in switches:
        for text in without_eager_mode()[switch][:2]:
            assert text == (
                "RuntimeError `tf.data.Dataset` only supports Python-style iteration "
                "in eager mode or within tf.function."
            )


@proves(
    "`A KerasTensor cannot be used as input to a TensorFlow function`: a function "
    "of TensorFlow was called on a `keras.Input`: take the one of `keras.ops`, or "
    "call it in a layer of your own.",
    keras=">=3",
)
def test_error_keras_tensor_in_tensorflow():
    x = keras.Input((3,))
    said = message_of(lambda: tf.reduce_sum(x, axis=1))
    assert "A KerasTensor cannot be used as input to a TensorFlow function" in said

    class RowSum(keras.layers.Layer):
        def call(self, x):
            return tf.reduce_sum(x, axis=1)

    for sums in (keras.ops.sum(x, axis=1), RowSum()(x)):
        assert np.array_equal(keras.Model(x, sums)(ROWS), ROWS.sum(axis=1))


@proves(
    "`` Argument `input_tensor` must be a KerasTensor ``: call the model on the "
    "placeholder, as above.",
    keras=">=3.9",
)
def test_error_input_tensor():
    said = message_of(begin_at_placeholder)
    assert "Argument `input_tensor` must be a KerasTensor" in said
    assert call_on_placeholder(sequential) == (2, 10)


@proves(
    "`module 'keras.backend' has no attribute 'placeholder'`: write `keras.Input`, and "
    "`keras.Model(inputs, outputs)` for `keras.backend.function`.",
    keras=">=3",
)
def test_error_backend_placeholder():
    assert not hasattr(keras.backend, "placeholder")
    assert not hasattr(keras.backend, "function")
    import keras as installed

    said = message_of(lambda: installed.backend.placeholder)
    text = "AttributeError: module 'keras.*backend' has no attribute 'placeholder'"
    assert re.fullmatch(text, said)
    assert np.array_equal(row_sum_model()(ROWS), [[6.0], [15.0]])

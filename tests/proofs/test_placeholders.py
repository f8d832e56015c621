"""Proofs of the guide from tf.placeholder to keras.Input."""

import functools
import json
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

tf1 = tf.compat.v1
BATCH = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")


def run_in_session(build, feed=None, initialize=True):
    """Build a graph of its own, run what `build(x)` returns, with `x` fed."""
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        fetches = build(x)
        if initialize:
            session.run(tf1.global_variables_initializer())
        return session.run(fetches, {} if feed is None else {x: feed})


def linear_model(**options):
    start = keras.Input(shape=(3,), name="x", **options)
    return keras.Model(start, keras.layers.Dense(2, name="scores")(start))


# The answer


@proves(
    "A function argument replaces it: pass the value that you used to put into "
    "`feed_dict`.",
    false_with={"passed": BATCH + 1.0},
)
def test_an_argument_replaces_it(passed=BATCH):
    def row_sums(x):
        return tf.reduce_sum(x, axis=1)

    fed = run_in_session(row_sums, feed=BATCH)
    assert np.array_equal(row_sums(passed), fed)


@proves(
    "`keras.Input` looks alike, but declares where a model begins, holds no values and "
    "is never fed: you call the model.",
    false_with={"make": lambda shape: tf.zeros((1, *shape))},
)
def test_an_input_is_never_fed(make=keras.Input):
    x = make((3,))
    assert not hasattr(x, "numpy")
    model = keras.Model(x, keras.layers.Dense(2)(x))
    assert tuple(model(BATCH).shape) == (2, 2)
    with tf.Graph().as_default():
        one, session = tf.constant(1.0), tf1.Session()
        with session, pytest.raises(TypeError):
            session.run(one, {x: BATCH})


@proves(
    "Three ways to the same sums: as in 2017, as a function call, as a model.",
    false_with={"axis": 0},
    needs="keras>=3",
)
def test_three_ways_to_the_same_sums(axis=1):
    from snippets.placeholders.feeding import row_sums_of_2017

    x = keras.Input(shape=(3,))
    model = keras.Model(x, keras.ops.sum(x, axis=axis))
    for sums in (row_sums_of_2017(BATCH), tf.reduce_sum(BATCH, axis=1), model(BATCH)):
        assert np.array_equal(sums, [6.0, 15.0])


# What each line became


def old_scores(weights, vectors):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 64])
        w = tf1.get_variable("w", initializer=weights)
        session.run(tf1.global_variables_initializer())
        return session.run(tf.matmul(x, w), {x: vectors})


@functools.lru_cache
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.data / 16.0).astype("float32"), data.target.astype("int64")


@functools.lru_cache
def kernel():
    generator = np.random.default_rng(0)
    return generator.normal(0.0, 0.1, (64, 10)).astype("float32")


def dense_model(weights=None):
    x = keras.Input((64,))
    layer = keras.layers.Dense(10, use_bias=False, name="scores")
    model = keras.Model(x, layer(x))
    model.set_weights([kernel() if weights is None else weights])
    return model


@proves(
    "`x = tf.placeholder(tf.float32, [None, 64])` | an argument, `def step(x)` | "
    "`x = keras.Input((64,))`",
    false_with={"shape": (63,)},
)
def test_line_placeholder(shape=(64,)):
    with tf.Graph().as_default():
        old = tf1.placeholder(tf.float32, [None, 64])
    x = keras.Input(shape)
    assert tuple(x.shape) == tuple(old.shape)
    assert x.dtype == old.dtype.name
    step = tf.function(lambda x: tf.matmul(x, kernel()))
    assert np.allclose(step(digits()[0]), old_scores(kernel(), digits()[0]), atol=1e-5)


@proves(
    "`y = tf.placeholder(tf.int64, [None])` | one more argument | the labels of "
    "`fit(x, y)`",
    false_with={"shift": 1},
)
def test_line_labels(shift=0):
    (x, y), w = (array[:64] for array in digits()), kernel()
    with tf.Graph().as_default(), tf1.Session() as session:
        labels = tf1.placeholder(tf.int64, [None])
        old = session.run(
            tf1.losses.sparse_softmax_cross_entropy(labels, x @ w), {labels: y}
        )
    model = dense_model()
    model.compile(
        keras.optimizers.SGD(0.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    new = model.fit(x, (y + shift) % 10, verbose=0).history["loss"][0]
    assert abs(new - old) < 1e-4

    def loss(x, y):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, tf.matmul(x, w))
        return tf.reduce_mean(losses)

    assert abs(float(loss(x, y)) - old) < 1e-4


@proves(
    "`tf.placeholder_with_default(0.5, [])` | `def step(x, rate=0.5)` | "
    "`def call(self, x, rate=0.5)`",
    false_with={"default": 0.6},
)
def test_line_default(default=0.5):
    with tf.Graph().as_default(), tf1.Session() as session:
        rate = tf1.placeholder_with_default(0.5, [])
        old = [session.run(rate * 2.0), session.run(rate * 2.0, {rate: 3.0})]

    class Scaled(keras.layers.Layer):
        def call(self, x, rate=default):
            return rate * x

    def step(x, rate=default):
        return rate * x

    two = tf.constant([2.0])
    for f in (step, Scaled()):
        assert [float(f(two)[0]), float(f(two, rate=3.0)[0])] == old


@proves(
    "`training = tf.placeholder(tf.bool)` | one more argument | "
    "`model(x, training=True)`",
    false_with={"on": False},
)
def test_line_training(on=True):
    with tf.Graph().as_default(), tf1.Session() as session:
        training = tf1.placeholder(tf.bool)
        dropped = tf.cond(training, lambda: tf.zeros([]), lambda: tf.ones([]))
        assert session.run(dropped, {training: True}) == 0.0
    x = keras.Input((100,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x))
    ones = np.ones((1, 100), "float32")
    assert np.array_equal(model(ones), ones)
    assert not np.array_equal(model(ones, training=on), ones)


@proves(
    '`w = tf.get_variable("w", [64, 10])` | `w = tf.Variable(...)` | '
    "a weight of a layer",
    false_with={"trainable": False},
)
def test_line_variable(trainable=True):
    with tf.Graph().as_default():
        old = tf1.get_variable("w", [64, 10])
        assert old in tf1.trainable_variables()
    new = tf.Variable(kernel(), trainable=trainable)
    layer = dense_model().get_layer("scores")
    layer.trainable = trainable
    (weight,) = layer.weights
    assert tuple(weight.shape) == tuple(new.shape) == tuple(old.shape)
    assert (new.trainable, len(layer.trainable_weights)) == (True, 1)


@proves(
    "`tf.layers.dense(x, 10)` | `tf.matmul(x, w) + b` | `keras.layers.Dense(10)(x)`",
    false_with={"added": 1.0},
)
def test_line_dense(added=0.0):
    x, layer = digits()[0][:50], keras.layers.Dense(10)
    scores = np.array(layer(x))
    w, b = layer.get_weights()
    assert (w.shape, b.shape) == ((64, 10), (10,))
    assert np.allclose(scores, tf.matmul(x, w) + b + added, atol=1e-5)


@proves(
    '`tf.variable_scope("a", reuse=True)` | use the variable again | call the layer '
    "again",
    false_with={"reuse": False},
)
def test_line_reuse(reuse=True):
    with tf.Graph().as_default():
        with tf1.variable_scope("a"):
            first = tf1.get_variable("w", [3])
        try:
            with tf1.variable_scope("a", reuse=reuse):
                again = tf1.get_variable("w", [3])
        except ValueError:
            again = None
        assert again is first
    layer = keras.layers.Dense(2)
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Add()([layer(x), layer(x)]))
    assert len(model.weights) == 2


@proves(
    "`sparse_softmax_cross_entropy(y, s)` | in `tf.nn`, with `_with_logits` after its "
    "name; take the mean | a loss of `keras.losses`, with `from_logits=True`",
    false_with={"from_logits": False},
)
def test_line_loss(from_logits=True):
    y, s = digits()[1][:50], (digits()[0] @ kernel())[:50]
    with tf.Graph().as_default(), tf1.Session() as session:
        old = session.run(tf1.losses.sparse_softmax_cross_entropy(y, s))
    mean = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, s))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    assert np.allclose([mean, loss(y, s)], [old, old], rtol=1e-5, atol=0.0)


@proves(
    "`GradientDescentOptimizer(0.1)` | `tf.GradientTape`, then "
    "`w.assign_sub(0.1 * gradient)` | `keras.optimizers.SGD(0.1)`, given to `compile`",
    false_with={"rate": 0.2},
)
def test_line_optimizer(rate=0.1):
    x, start = BATCH, np.ones((3, 1), "float32")
    with tf.Graph().as_default(), tf1.Session() as session:
        old = tf1.get_variable("w", initializer=start)
        loss = tf.reduce_mean(tf.matmul(x, old) ** 2)
        train = tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
        session.run(tf1.global_variables_initializer())
        session.run(train)
        expected = session.run(old)
    w = tf.Variable(start)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.matmul(x, w) ** 2)
    w.assign_sub(rate * tape.gradient(loss, w))
    begin = keras.Input((3,))
    model = keras.Model(begin, keras.layers.Dense(1, use_bias=False)(begin))
    model.set_weights([start])
    model.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    model.fit(x, np.zeros((2, 1)), verbose=0)
    for new in (w, model.get_weights()[0]):
        assert np.allclose(new, expected, rtol=1e-5, atol=0.0)


@proves(
    "`global_variables_initializer()` | nothing: a variable has its value from the "
    "start | nothing: a built layer has its weights",
    false_with={"initialize": True},
)
def test_line_initializer(initialize=False):
    with pytest.raises(tf.errors.FailedPreconditionError):
        run_in_session(lambda x: tf1.get_variable("w", [3]), initialize=initialize)
    assert tf.Variable(2.0).numpy() == 2.0
    assert dense_model().get_weights()[0].shape == (64, 10)


@proves(
    "`with tf.Session() as session:` | nothing, or `@tf.function` | nothing",
    false_with={"value": 3.0},
)
def test_line_session(value=2.0):
    def double(x):
        return x * 2.0

    old = run_in_session(double, feed=BATCH)
    for f in (double, tf.function(double), keras.layers.Lambda(double)):
        assert np.array_equal(f(tf.constant(BATCH)), old)
    assert np.array_equal(old, BATCH * value)


def one_step(rate=0.1):
    """The loss before a step and the weights after it, in three programs."""
    (x, y), w0 = (digits()[0][:32], digits()[1][:32]), kernel()
    seen = {}
    with tf.Graph().as_default(), tf1.Session() as session:
        a = tf1.placeholder(tf.float32, [None, 64])
        b = tf1.placeholder(tf.int64, [None])
        w = tf1.get_variable("w", initializer=w0)
        loss = tf1.losses.sparse_softmax_cross_entropy(b, tf.matmul(a, w))
        train = tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
        session.run(tf1.global_variables_initializer())
        value, _ = session.run([loss, train], {a: x, b: y})
        seen["session"] = value, session.run(w)
    w = tf.Variable(w0)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            scores = tf.matmul(x, w)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
            loss = tf.reduce_mean(losses)
        w.assign_sub(rate * tape.gradient(loss, w))
        return loss

    seen["function"] = step(x, y).numpy(), w.numpy()
    model = dense_model()
    model.compile(
        keras.optimizers.SGD(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        run_eagerly=True,
    )
    seen["keras"] = model.train_on_batch(x, y), model.get_weights()[0]
    return seen


@proves(
    "`session.run(train, {x: a, y: b})` | `step(a, b)` | `model.train_on_batch(a, b)`",
    false_with={"rate": 0.2},
)
def test_line_train(rate=0.1):
    seen = one_step(rate)
    loss, w = seen["session"]
    for name in ("function", "keras"):
        assert np.allclose(seen[name][0], loss, rtol=1e-5, atol=0.0)
        assert np.allclose(seen[name][1], w, atol=1e-6)


@proves(
    "`session.run(scores, {x: a})` | `scores(a)` | `model(a)`, or `model.predict(a)`",
    false_with={"factor": 2.0},
)
def test_line_scores(factor=1.0):
    a = digits()[0][:50]
    old = old_scores(kernel(), a) * factor
    model = dense_model()
    for new in (tf.matmul(a, kernel()), model(a), model.predict(a, verbose=0)):
        assert np.allclose(new, old, atol=1e-5)


@proves(
    "`session.run([p, q], {x: a})` | `return p, q` | `keras.Model(x, [p, q])`",
    false_with={"count": 1},
)
def test_line_fetches(count=2):
    old = run_in_session(lambda x: [x * 2.0, x + 1.0], feed=BATCH)
    x = keras.Input((3,))
    model = keras.Model(x, [x * 2.0, x + 1.0][:count])
    new = model(BATCH)
    assert len(new) == len(old)
    for mine, theirs in zip(new, old, strict=True):
        assert np.array_equal(mine, theirs)


@proves(
    "a loop over batches | the same loop | `model.fit(dataset)`",
    false_with={"size": 16},
)
def test_line_loop(size=32):
    (x, y) = (array[:128] for array in digits())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    looped, fitted = dense_model(), dense_model()
    for model in (looped, fitted):
        model.compile(keras.optimizers.SGD(0.1), loss, run_eagerly=True)
    for start in range(0, 128, 32):
        looped.train_on_batch(x[start : start + 32], y[start : start + 32])
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(size)
    fitted.fit(dataset, verbose=0)
    assert np.allclose(looped.get_weights()[0], fitted.get_weights()[0], atol=1e-5)


@proves(
    "`tf.trainable_variables()` | `module.trainable_variables` of a `tf.Module` | "
    "`model.trainable_variables`",
    false_with={"trainable": False},
)
def test_line_collection(trainable=True):
    with tf.Graph().as_default():
        tf1.get_variable("w", [3], trainable=trainable)
        tf1.get_variable("step", [], trainable=False)
        found = tf1.get_collection(tf1.GraphKeys.TRAINABLE_VARIABLES)
        assert [v.name for v in tf1.trainable_variables()] == ["w:0"]
        assert len(found) == 1
    module = tf.Module()
    module.w = tf.Variable(1.0)
    module.step = tf.Variable(0, trainable=False)
    assert list(module.trainable_variables) == [module.w]
    model = dense_model()
    assert len(model.trainable_variables) == 1


@proves(
    '`get_tensor_by_name("h/Relu:0")` | a Python variable | '
    '`model.get_layer("h").output`',
    false_with={"name": "h_1/Relu:0"},
)
def test_line_names(name="h/Relu:0"):
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        with tf1.name_scope("h"):
            relu = tf.nn.relu(x)
        try:
            found = graph.get_tensor_by_name(name)
        except KeyError:
            found = None
        assert found is relu
        # A second one of the same name gets a number.
        assert tf1.placeholder(tf.float32, [], name="x").name == "x_1:0"
    start = keras.Input((3,))
    h = keras.layers.ReLU(name="h")(start)
    model = keras.Model(start, keras.layers.Dense(2)(h))
    assert model.get_layer("h").output is h


def save_and_read(path, value):
    w = tf.Variable(value)
    tf.train.Checkpoint(w=w).write(path)
    again = tf.Variable(tf.zeros_like(w))
    tf.train.Checkpoint(w=again).read(path)
    return again.numpy()


@proves(
    "`tf.train.Saver().save(session, path)` | `write(path)` of "
    '`tf.train.Checkpoint(w=w)` | `model.save("model.keras")`',
    false_with={"added": 1.0},
)
def test_line_save(added=0.0):
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            tf1.get_variable("w", initializer=kernel())
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, f"{folder}/old")
        old = tf.train.load_variable(f"{folder}/old", "w") + added
        assert np.array_equal(save_and_read(f"{folder}/new", kernel()), old)
        dense_model().save(f"{folder}/model.keras")
        model = keras.models.load_model(f"{folder}/model.keras")
        assert np.array_equal(model.get_weights()[0], old)


@proves(
    "`saver.restore(session, path)` | `read(path)` of `tf.train.Checkpoint(w=w)` | "
    "`load_model(path)` of `keras.models`",
    false_with={"added": 1.0},
)
def test_line_restore(added=0.0):
    with tempfile.TemporaryDirectory() as folder:
        for is_new in (True, False):
            with tf.Graph().as_default(), tf1.Session() as session:
                w = tf1.get_variable("w", initializer=kernel() * is_new)
                session.run(tf1.global_variables_initializer())
                saver = tf1.train.Saver()
                if is_new:
                    saver.save(session, f"{folder}/old")
                saver.restore(session, f"{folder}/old")
                old = session.run(w) + added
        assert np.array_equal(old, kernel())
        assert np.array_equal(save_and_read(f"{folder}/new", kernel()), old)
        dense_model().save(f"{folder}/model.keras")
        model = keras.models.load_model(f"{folder}/model.keras")
        assert np.array_equal(model.get_weights()[0], old)


@proves(
    "`tf.set_random_seed(0)` | `tf.random.set_seed(0)` | "
    "`set_random_seed(0)` of `keras.utils`",
    false_with={"other": 1},
)
def test_line_seed(other=0):
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(0)
        session.run(tf.random.uniform([3]))
    for set_seed in (tf.random.set_seed, keras.utils.set_random_seed):
        set_seed(0)
        first = tf.random.uniform([3]).numpy()
        set_seed(other)
        assert np.array_equal(tf.random.uniform([3]), first)


@proves(
    "The left column still runs today inside `tf.Graph()`, with `tf.compat.v1` before "
    "each name that is gone, except for the layers:",
    false_with={"module": tf},
)
def test_the_left_column_still_runs(module=tf1):
    for name in (
        *("placeholder", "placeholder_with_default", "get_variable", "variable_scope"),
        *("global_variables_initializer", "Session", "trainable_variables"),
        *("set_random_seed",),
    ):
        assert hasattr(module, name)
        assert not hasattr(tf, name)
    for name in ("Saver", "GradientDescentOptimizer"):
        assert hasattr(module.train, name)
        assert not hasattr(tf.train, name)
    assert hasattr(module.losses, "sparse_softmax_cross_entropy")
    assert not hasattr(tf.losses, "sparse_softmax_cross_entropy")
    seen = one_step()["session"]
    assert np.isfinite(seen[0])


def layers_of_v1():
    try:
        return tf1.layers.dense
    except AttributeError as error:
        return str(error)


@proves("those need Keras 2.", keras=">=3")
def test_layers_of_v1_on_keras_3():
    assert layers_of_v1() == "`dense` is not available with Keras 3."


@proves("those need Keras 2.", keras="<3")
def test_layers_of_v1_on_keras_2():
    assert callable(layers_of_v1())
    output = run_in_session(lambda x: layers_of_v1()(x, 4), feed=BATCH)
    assert output.shape == (2, 4)


# One program, three times


@proves(
    "The program reads digits as vectors of 64 pixels, through one hidden layer.",
    false_with={"name": "linear_classifier"},
    needs="keras>=3",
)
def test_digits_are_vectors_of_64(name="classifier_with"):
    from snippets.data import digit_vectors
    from snippets.input_layers import linear_classifier
    from snippets.placeholders.training import classifier_with, start_weights

    make = {
        "classifier_with": lambda: classifier_with(start_weights()),
        "linear_classifier": linear_classifier,
    }
    assert digit_vectors()[0].shape[1:] == (64,)
    model = make[name]()
    assert model.input_shape == (None, 64)
    dense = [layer for layer in model.layers if layer.weights]
    assert [layer.units for layer in dense] == [32, 10]


def walks(rate=0.1):
    from snippets.placeholders.training import (
        start_weights,
        train_in_function,
        train_in_keras,
        train_in_session,
    )

    vectors, labels = digits()
    parts = [slice(start, start + 32) for start in range(0, 1600, 32)]
    batches = [(vectors[part], labels[part]) for part in parts] * 2
    weights = start_weights()
    return np.array(
        [
            train_in_session(weights, batches, 0.1),
            train_in_function(weights, batches, rate),
            train_in_keras(weights, batches, rate),
        ]
    )


@proves(
    "Three programs, one walk: over 100 batches no two losses differ by more than one "
    "part in 10,000.",
    false_with={"rate": 0.1001},
    needs="keras>=3",
)
def test_three_programs_one_walk(rate=0.1):
    losses = walks(rate)
    assert losses.shape == (3, 100)
    assert losses[0, -1] < losses[0, 0] / 2
    assert np.all(np.ptp(losses, axis=0) < 1e-4 * losses.min(axis=0))


# The decision table


@proves(
    "`tf.placeholder` | no | at each `session.run` | by `session.run` | must be given; "
    "values are cast | yes, or no shape at all | as a node of the graph",
    false_with={"size": 3},
)
def test_a_placeholder_in_the_table(size=4):
    with tf.Graph().as_default() as graph, tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        assert not hasattr(x, "numpy")
        runs = [session.run(x * 1.0, {x: np.full((k, 3), k)}) for k in (1, 2)]
        assert [run[0, 0] for run in runs] == [1.0, 2.0]
        assert runs[0].dtype == "float32"
        with pytest.raises(ValueError, match="Cannot feed value of shape"):
            session.run(x * 1.0, {x: np.ones((2, size))})
        with pytest.raises(TypeError):
            tf1.placeholder(shape=[None, 3])
        assert tf1.placeholder(tf.float32).shape.rank is None
        assert "Placeholder" in {node.op for node in graph.as_graph_def().node}


@proves(
    "`keras.Input` | no | when the model is called | by the call | float32 unless "
    "given; values are cast | yes, with a known rank | yes",
    false_with={"size": 3},
)
def test_an_input_in_the_table(size=4):
    x = keras.Input((None, 3))
    assert not hasattr(x, "numpy")
    assert (tuple(x.shape), x.dtype) == ((None, None, 3), "float32")
    with pytest.raises(ValueError):
        keras.Input(None)
    model = linear_model()
    assert model(BATCH.astype("float64")).dtype == "float32"
    with pytest.raises(ValueError, match="expected shape"):
        model(np.ones((2, size)))
    assert "InputLayer" in model.to_json()


@proves(
    "argument of a function | yes | at the call | by nothing | that of the value | has "
    "none | no",
    false_with={"dtype": "float32"},
)
def test_an_argument_in_the_table(dtype="float64"):
    seen = []

    def step(x):
        seen.append((x.shape, x.dtype.name, x.numpy().sum()))

    step(tf.ones((2, 3), "float64"))
    step(tf.ones((4,), "int32"))
    assert seen == [((2, 3), dtype, 6.0), ((4,), "int32", 4)]
    module = tf.Module()
    spec = tf.TensorSpec([2], tf.float32)
    module.f = tf.function(lambda x: x * 2.0, input_signature=[spec])
    with tempfile.TemporaryDirectory() as folder:
        module.f(tf.constant([3.0, 4.0]))
        tf.saved_model.save(module, folder)
        loaded = tf.saved_model.load(folder)
        with pytest.raises((TypeError, ValueError)):
            loaded.f()


@proves(
    "`tf.TensorSpec` | no | never | by the `tf.function` it describes | float32 unless "
    "given; other tensors are refused | yes, or no rank at all | as the signature of a "
    "function",
    false_with={"dtype": "float32"},
)
def test_a_spec_in_the_table(dtype="float64"):
    spec = tf.TensorSpec([None, 3])
    assert not hasattr(spec, "numpy")
    assert spec.dtype == tf.float32
    assert tf.TensorSpec(None).shape.rank is None
    f = tf.function(lambda x: x * 2.0, input_signature=[spec])
    with pytest.raises((TypeError, ValueError)):
        f(tf.ones((2, 4)))
    with pytest.raises((TypeError, ValueError)):
        f(tf.ones((2, 3), dtype))
    module = tf.Module()
    module.f = f
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        concrete = tf.saved_model.load(folder).f.concrete_functions[0]
    ((saved,), _) = concrete.structured_input_signature
    assert saved.shape.as_list() == [None, 3]


@proves(
    "`tf.Variable` | yes | when it is made, and by `assign` | by `assign` | that of "
    "the first value; other tensors are refused | yes, with `shape=` | its values",
    false_with={"dtype": "float32"},
)
def test_a_variable_in_the_table(dtype="float64"):
    w = tf.Variable(BATCH)
    assert np.array_equal(w, BATCH)
    assert w.dtype == tf.float32
    w.assign(BATCH + 1.0)
    assert np.array_equal(w, BATCH + 1.0)
    with pytest.raises(ValueError):
        w.assign(np.ones((2, 4), "float32"))
    with pytest.raises(ValueError):
        w.assign(tf.ones((2, 3), dtype))
    partial = tf.Variable(BATCH, shape=[None, 3])
    partial.assign(np.ones((5, 3), "float32"))
    assert partial.shape.as_list() == [None, 3]
    with tempfile.TemporaryDirectory() as folder:
        assert np.array_equal(save_and_read(f"{folder}/w", BATCH), BATCH)


@proves(
    "`tf.data.Dataset` | yes, batch by batch | when you iterate | by `batch` | that of "
    "the source | yes, in `element_spec` | no",
    false_with={"second": 4},
)
def test_a_dataset_in_the_table(second=3):
    dataset = tf.data.Dataset.from_tensor_slices(BATCH.astype("float64")).batch(1)
    assert [batch.numpy().sum() for batch in dataset] == [6.0, 15.0]
    assert dataset.element_spec.dtype == tf.float64
    assert dataset.element_spec.shape.as_list() == [None, 3]
    spec = tf.TensorSpec([None], tf.float32)
    uneven = tf.data.Dataset.from_generator(
        lambda: iter([np.ones(4), np.ones(second)]), output_signature=spec
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="different shapes"):
        list(uneven.batch(2))
    model = linear_model()
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensors((BATCH, np.ones((2, 2)))), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        with zipfile.ZipFile(f"{folder}/model.keras") as saved:
            parts = {"config.json", "metadata.json", "model.weights.h5"}
            assert set(saved.namelist()) == parts
            assert b"Dataset" not in saved.read("config.json")


# An Input on a placeholder, a model on a placeholder


def begin_at_placeholder():
    with tf.Graph().as_default():
        placeholder = tf1.placeholder(tf.float32, [None, 784])
        start = keras.layers.InputLayer(input_tensor=placeholder)
        return keras.Sequential([start, keras.layers.Dense(10)]).output


def call_on_placeholder(make):
    with tf.Graph().as_default(), tf1.Session() as session:
        placeholder = tf1.placeholder(tf.float32, [None, 784])
        output = make()(placeholder)
        session.run(tf1.global_variables_initializer())
        assert session.run(output, {placeholder: np.ones((2, 784))}).shape == (2, 10)
        return output


@proves(
    "On Keras 2 both still work and give an output of shape `(None, 10)`.",
    keras="<3",
)
def test_both_ways_work_on_keras_2():
    assert message_of(begin_at_placeholder) == "no error"
    ways = (
        begin_at_placeholder(),
        call_on_placeholder(lambda: keras.Sequential([keras.layers.Dense(10)])),
    )
    assert [tuple(output.shape) for output in ways] == [(None, 10), (None, 10)]


@proves(
    "On Keras 3 an InputLayer refuses the placeholder, while a model made inside the "
    "graph can be called on it.",
    keras=">=3",
    false_with={"units": 11},
)
def test_one_way_works_on_keras_3(units=10):
    with pytest.raises(ValueError):
        begin_at_placeholder()
    with tf.Graph().as_default():
        placeholder = tf1.placeholder(tf.float32, [None, 784])
        output = keras.Sequential([keras.layers.Dense(units)])(placeholder)
    assert tuple(output.shape) == (None, 10)


@proves(
    "A model made outside the graph cannot, on either.",
    false_with={"inside": True},
)
def test_a_model_made_outside_cannot_be_called(inside=False):
    def make():
        start = keras.Input((784,))
        return keras.Model(start, keras.layers.Dense(10)(start))

    outside = make()
    with pytest.raises((RuntimeError, ValueError)):
        call_on_placeholder(make if inside else lambda: outside)


# What is gone


@proves(
    "`tf.placeholder`, `tf.Session` | TensorFlow 2 | a function and its arguments",
    false_with={"module": tf1},
)
def test_gone_placeholder(module=tf):
    assert not hasattr(module, "placeholder")
    assert not hasattr(module, "Session")
    test_an_argument_replaces_it()


@proves(
    "`tf.contrib` | TensorFlow 2 | layers of Keras, such as "
    "`keras.layers.LayerNormalization`",
    false_with={"name": "compat"},
)
def test_gone_contrib(name="contrib"):
    assert not hasattr(tf, name)
    assert not hasattr(tf1, "contrib")
    assert np.allclose(
        np.mean(keras.layers.LayerNormalization()(BATCH)), 0.0, atol=1e-6
    )


@proves(
    "`tf.compat.v1.layers.dense` and its like | Keras 3 | `keras.layers.Dense` and its "
    "like",
    keras=">=3",
)
def test_gone_layers():
    for name in ("dense", "conv2d", "dropout", "flatten", "batch_normalization"):
        with pytest.raises(AttributeError, match="is not available with Keras 3"):
            getattr(tf1.layers, name)
    test_line_dense()


@proves(
    "`tf.compat.v1.layers.dense` and its like | Keras 3 | `keras.layers.Dense` and its "
    "like",
    keras="<3",
)
def test_there_layers():
    assert callable(layers_of_v1())
    output = run_in_session(lambda x: layers_of_v1()(x, 4), feed=BATCH)
    assert output.shape == keras.layers.Dense(4)(BATCH).shape == (2, 4)


@proves(
    "`tf.estimator`, `tf.compat.v1.estimator` | TensorFlow 2.16 | `model.fit`, "
    "`model.evaluate`, `model.predict`",
    tensorflow=">=2.16",
)
def test_gone_estimator():
    assert not hasattr(tf, "estimator")
    assert not hasattr(tf1, "estimator")
    (x, y), model = (array[:64] for array in digits()), dense_model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    model.fit(x, y, verbose=0)
    assert np.isfinite(model.evaluate(x, y, verbose=0))
    assert model.predict(x, verbose=0).shape == (64, 10)


@proves(
    "`tf.estimator`, `tf.compat.v1.estimator` | TensorFlow 2.16 | `model.fit`, "
    "`model.evaluate`, `model.predict`",
    tensorflow="<2.16",
)
def test_there_estimator():
    assert hasattr(tf, "estimator")
    assert hasattr(tf1, "estimator")
    assert hasattr(tf.estimator, "Estimator")
    assert hasattr(tf1.estimator, "Estimator")


@proves("`keras.backend.placeholder` | Keras 3 | `keras.Input`", keras=">=3")
def test_gone_backend_placeholder():
    assert not hasattr(keras.backend, "placeholder")
    assert keras.Input((3,)).shape == (None, 3)


@proves("`keras.backend.placeholder` | Keras 3 | `keras.Input`", keras="<3")
def test_there_backend_placeholder():
    assert hasattr(keras.backend, "placeholder")
    assert tuple(keras.backend.placeholder((None, 3)).shape) == (None, 3)
    assert tuple(keras.Input((3,)).shape) == (None, 3)


@proves(
    "`keras.backend.function` | Keras 3 | `keras.Model(inputs, outputs)`", keras=">=3"
)
def test_gone_backend_function():
    assert not hasattr(keras.backend, "function")
    x = keras.Input((3,))
    assert np.array_equal(keras.Model(x, x * 2.0)(BATCH), BATCH * 2.0)


@proves(
    "`keras.backend.function` | Keras 3 | `keras.Model(inputs, outputs)`",
    keras="<3",
)
def test_there_backend_function():
    assert hasattr(keras.backend, "function")
    x = keras.Input((3,))
    old = keras.backend.function([x], [x * 2.0])([BATCH])
    assert np.array_equal(old[0], keras.Model(x, x * 2.0)(BATCH))


@proves(
    "`keras.backend.get_session` | TensorFlow 2 | nothing",
    false_with={"name": "clear_session"},
)
def test_gone_get_session(name="get_session"):
    assert not hasattr(keras.backend, name)


@proves(
    "`keras.backend.set_learning_phase` | Keras 3 | `training=True` at the call",
    keras=">=3",
)
def test_gone_learning_phase():
    assert not hasattr(keras.backend, "set_learning_phase")
    test_line_training()


@proves(
    "`keras.backend.set_learning_phase` | Keras 3 | `training=True` at the call",
    keras="<3",
)
def test_there_learning_phase():
    assert hasattr(keras.backend, "set_learning_phase")
    test_line_training()


@functools.lru_cache
def without_eager_mode():
    """What came of using a model in two new processes; in one, eager mode is off.

    They are forked from one that has imported TensorFlow and not used it.
    """
    program = """
import json, os
import numpy as np, tensorflow as tf
from tensorflow import keras
for disabled in (False, True):
    if os.fork():
        os.wait()
        continue
    if disabled:
        tf.compat.v1.disable_eager_execution()
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
    ):
        try:
            use()
            said.append("works")
        except Exception as error:
            said.append(f"{type(error).__name__} {str(error).splitlines()[0]}")
    print(f"SAID {json.dumps([disabled, said])}", flush=True)
    os._exit(0)
"""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, cwd=folder
        )
    lines = done.stdout.splitlines()
    return dict(json.loads(line[5:]) for line in lines if line.startswith("SAID "))


@proves(
    "`tf.compat.v1.disable_eager_execution()` lets the placeholder pass, but works on "
    "the whole process, and there Keras 3 cannot `fit`, `predict` or save.",
    keras=">=3",
    false_with={"disabled": False},
)
def test_without_eager_mode_keras_3_cannot_fit(disabled=True):
    said = without_eager_mode()[disabled]
    assert len(said) == 3
    for text in said[:2]:
        assert text == (
            "RuntimeError `tf.data.Dataset` only supports Python-style iteration in "
            "eager mode or within tf.function."
        )
    assert said[2] != "works"


@proves(
    "Keras 2 can `fit` and `predict`, and not save.",
    keras="<3",
    false_with={"disabled": False},
)
def test_without_eager_mode_keras_2_can_fit(disabled=True):
    said = without_eager_mode()[disabled]
    assert said[:2] == ["works", "works"]
    assert "numpy() is only available when eager execution is enabled" in said[2]


@proves(
    "Old code beside new code belongs in `with tf.Graph().as_default():`, which leaves "
    "eager mode and the default graph untouched.",
    false_with={"inside": False},
)
def test_a_graph_of_its_own_leaves_no_trace(inside=True):
    before = tf1.get_default_graph()
    count = len(before.get_operations())
    with (tf.Graph() if inside else before).as_default():
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        with tf1.Session() as session:
            assert session.run(tf.reduce_sum(x), {x: BATCH}) == 21.0
    assert tf.executing_eagerly()
    assert tf1.get_default_graph() is before
    assert len(before.get_operations()) == count
    assert float(tf.constant(1.0) + 1.0) == 2.0


# Errors


def message_of(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


@proves(
    "*You must feed a value for placeholder tensor*: the fetch depends on a "
    "placeholder that is not in `feed_dict`.",
    false_with={"feed": BATCH},
)
def test_error_not_fed(feed=None):
    message = message_of(lambda: run_in_session(tf.reduce_sum, feed=feed))
    text = (
        "You must feed a value for placeholder tensor 'x' with dtype float and shape "
        "[?,3]"
    )
    assert text in message
    assert message.startswith("InvalidArgumentError")


@proves(
    "*Cannot feed value of shape*: the shape of the value does not fit the "
    "placeholder's.",
    false_with={"feed": BATCH},
)
def test_error_wrong_shape(feed=((1.0,) * 4,)):
    message = message_of(lambda: run_in_session(tf.reduce_sum, feed=feed))
    start = "ValueError: Cannot feed value of shape (1, 4) for Tensor "
    assert message.startswith(start)
    assert message.endswith("x:0, which has shape (None, 3)") or "'x:0'" in message


@proves(
    "*The value of a feed cannot be a tf.Tensor object*: feed NumPy arrays.",
    false_with={"make": np.ones},
)
def test_error_tensor_fed(make=tf.ones):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3])
        total = tf.reduce_sum(x)
        assert session.run(total, {x: np.ones((2, 3))}) == 6.0
        message = message_of(lambda: session.run(total, {x: make((2, 3))}))
    assert "The value of a feed cannot be a tf.Tensor object." in message


@proves(
    "*Could not find variable*: the session has not run the initializer, or has "
    "restored nothing.",
    false_with={"initialize": True},
)
def test_error_uninitialized(initialize=False):
    message = message_of(
        lambda: run_in_session(
            lambda x: tf1.get_variable("w", [3]), initialize=initialize
        )
    )
    assert "FailedPreconditionError" in message
    assert (
        "Could not find variable w. This could mean that the variable has been deleted."
        " In TF1, it can also mean the variable is uninitialized."
    ) in message


@proves(
    "*No default session is registered*: `eval()` looks for a session that was entered "
    "by `with`.",
    false_with={"entered": True},
)
def test_error_no_session(entered=False):
    with tf.Graph().as_default() as graph:
        two = tf.constant(2.0)
        session = tf1.Session(graph=graph)
        with session:
            assert two.eval() == 2.0
        session = tf1.Session(graph=graph)
        if entered:
            with session:
                message = message_of(two.eval)
        else:
            message = message_of(two.eval)
        session.close()
    assert message == (
        "ValueError: Cannot evaluate tensor using `eval()`: No default session is "
        "registered. Use `with sess.as_default()` or pass an explicit session to "
        "`eval(session=sess)`"
    )


@proves(
    "*is not an element of this graph*, *must be from the same graph*: two graphs were "
    "mixed.",
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
    "*tf.placeholder() is not compatible with eager execution*: pass an argument.",
    false_with={"in_graph": True},
)
def test_error_placeholder_in_eager_mode(in_graph=False):
    def make():
        return tf1.placeholder(tf.float32, [None, 3])

    with tf.Graph().as_default():
        inside = message_of(make)
    outside = inside if in_graph else message_of(make)
    assert outside == (
        "RuntimeError: tf.placeholder() is not compatible with eager execution."
    )
    assert float(tf.reduce_sum(BATCH)) == 21.0


@proves(
    "*The Session graph is empty*: what is computed in eager mode is in no graph, and "
    "needs no session.",
    false_with={"graph": tf.Graph},
)
def test_error_session_graph_is_empty(graph=None):
    total = tf.reduce_sum(BATCH)
    with tf.Graph().as_default() as filled:
        tf.constant(1.0)
    session = tf1.Session(graph=filled if graph else tf.Graph())
    message = message_of(lambda: session.run(total))
    session.close()
    assert message == (
        "RuntimeError: The Session graph is empty. Add operations to the graph before "
        "calling run()."
    )
    assert total.numpy() == 21.0


@proves(
    "*`loss` passed to Optimizer.compute_gradients should be a function*: an optimizer "
    "of `tf.compat.v1` was used in eager mode.",
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
    "*is out of scope and cannot be used here*: a tensor of a graph got out of its "
    "`tf.function` by another way than `return`.",
    false_with={"position": 0},
)
def test_error_out_of_scope(position=1):
    leaks = []

    @tf.function
    def double(x):
        leaks.append(x * 2.0)
        return leaks[-1]

    returned = double(tf.constant(2.0))
    assert float(returned + 1.0) == 5.0
    message = message_of(lambda: [returned, leaks[0]][position] + 1.0)
    assert message.startswith("TypeError: <tf.Tensor 'mul:0' shape=() dtype=float32> ")
    assert "is out of scope and cannot be used here." in message


# A graph for each shape


def traces(function, arguments, **options):
    compiled = tf.function(function, **options)
    for argument in arguments:
        compiled(argument)
    return compiled.experimental_get_tracing_count()


SIZES = [tf.zeros((size, 64)) for size in (1, 2, 3, 4, 5)]


@proves(
    "`tf.function` builds graphs too, one for each kind of argument it meets.",
    false_with={"expected": 1},
)
def test_a_graph_for_each_kind_of_argument(expected=5):
    assert traces(tf.reduce_sum, SIZES) == expected
    assert traces(tf.reduce_sum, [SIZES[0], SIZES[0], SIZES[1]]) == 2
    assert traces(tf.reduce_sum, [tf.zeros(3), tf.zeros(3, "float64")]) == 2


@proves(
    "A signature with `None` is the typed placeholder of today: one graph for all "
    "batch sizes, and other shapes and dtypes are refused.",
    false_with={"size": None},
)
def test_a_signature_is_one_graph(size=64):
    spec = tf.TensorSpec([None, size], tf.float32)
    assert traces(tf.reduce_sum, SIZES, input_signature=[spec]) == 1
    for wrong in (tf.zeros((2, 63)), tf.zeros((64,)), tf.zeros((2, 64), "float64")):
        with pytest.raises((TypeError, ValueError)):
            traces(tf.reduce_sum, [wrong], input_signature=[spec])


@proves(
    "Every new Python number costs a graph, so what was a fed scalar has to be passed "
    "as a tensor.",
    false_with={"convert": tf.constant},
)
def test_every_python_number_is_a_graph(convert=float):
    numbers = [0.1, 0.2, 0.3, 0.4, 0.5]
    assert traces(tf.square, map(convert, numbers)) == 5
    assert traces(tf.square, map(tf.constant, numbers)) == 1


@proves(
    "*5 out of the last 5 calls triggered tf.function retracing* is the warning for "
    "this.",
    false_with={"convert": tf.constant},
)
def test_the_warning_for_this(convert=float):
    import logging

    said = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())
    logger = tf.get_logger()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel("WARNING")
    try:
        # The count is kept by the function's name and line, so each run has its own.
        compiled = tf.function(eval("lambda x: tf.square(x)", {"tf": tf}))
        for number in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
            compiled(convert(number))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    text = " out of the last 5 calls to "
    assert any(
        text in line and "triggered tf.function retracing" in line for line in said
    )


# Three ways out


@proves(
    "The file that `Saver` wrote above holds arrays by name:",
    false_with={"name": "scores"},
)
def test_a_checkpoint_holds_arrays_by_name(name="hidden/kernel"):
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            tf1.get_variable("hidden/kernel", initializer=BATCH)
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, f"{folder}/old")
        assert tf.train.list_variables(f"{folder}/old") == [(name, [2, 3])]
        assert np.array_equal(tf.train.load_variable(f"{folder}/old", name), BATCH)


def carry(missing=(), extra=None, ignored=(), load=True):
    """A model with the variables of a checkpoint, and the scores of the old network."""
    from snippets.placeholders import load_checkpoint
    from snippets.placeholders.training import classifier_with, start_weights

    weights = start_weights(seed=1)
    model = classifier_with(start_weights(seed=2))
    arrays = {name: w for name, w in weights.items() if name not in missing}
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            v = {
                name: tf1.get_variable(name, initializer=value)
                for name, value in {**arrays, **(extra or {})}.items()
            }
            x = tf1.placeholder(tf.float32, [None, 64])
            scores = x
            if not missing:
                hidden = tf.matmul(x, v["hidden/kernel"]) + v["hidden/bias"]
                scores = tf.matmul(tf.nn.relu(hidden), v["scores/kernel"])
            session.run(tf1.global_variables_initializer())
            old = session.run(scores, {x: digits()[0]})
            tf1.train.Saver().save(session, f"{folder}/old")
        before = model.get_weights()
        name_map = {weight.path: weight.path for weight in model.weights}
        try:
            if load:
                load_checkpoint(model, f"{folder}/old", name_map, ignored)
            error = ""
        except ValueError as problem:
            error = str(problem)
    after = model.get_weights()
    same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    return model, old, error, same


@proves(
    "A map from the weights of the model to these names is all it takes; afterwards "
    "both networks give the same scores.",
    false_with={"load": False},
    needs="keras>=3",
)
def test_a_checkpoint_fills_a_model(load=True):
    model, old, error, _ = carry(load=load)
    assert not error
    assert np.allclose(model(digits()[0]), old, atol=1e-5)


@proves(
    "If a variable is missing, left over or of another shape, one message lists it "
    "all, and no weight is changed:",
    false_with={"missing": ("scores/bias",)},
    needs="keras>=3",
)
def test_problems_of_a_checkpoint_are_listed(missing=("hidden/bias", "scores/bias")):
    extra = {"step": np.zeros((), "int64"), "scores/bias": np.zeros(9, "float32")}
    _, _, error, same = carry(missing, extra)
    for problem in (
        "missing: 'hidden/bias'",
        "extra: 'step'",
        "wrong shape: 'scores/bias' is (9,)",
    ):
        assert problem in error
    assert same


@proves(
    "Slots of an optimizer, such as `hidden/kernel/Momentum`, are left behind by "
    "naming them in `ignored`, one by one or by a pattern such as `*/Momentum`; `*` "
    "leaves behind all that the map does not name.",
    false_with={"name": "hidden/kernel/Adam"},
    needs="keras>=3",
)
def test_slots_are_left_behind(name="hidden/kernel/Momentum"):
    slot = {name: np.zeros((64, 32), "float32")}
    assert f"extra: {name!r}" in carry(extra=slot)[2]
    for pattern in ("hidden/kernel/Momentum", "*/Momentum", "*"):
        assert carry(extra=slot, ignored=[pattern])[2:] == ("", False)


def saved_in_2017(folder, prefix):
    """A checkpoint with slots; the file `checkpoint` names another folder."""
    from snippets.placeholders.training import start_weights

    with tf.Graph().as_default(), tf1.Session() as session:
        v = [
            tf1.get_variable(f"net/{n}", initializer=w)
            for n, w in start_weights(seed=1).items()
        ]
        tf1.train.AdamOptimizer().minimize(tf.add_n([tf.reduce_sum(w) for w in v]))
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, f"{folder}/{prefix}")
    with open(f"{folder}/checkpoint", "w") as file:
        file.write('model_checkpoint_path: "/another/machine/model"')
    return f"{folder}/{prefix}"


@proves(
    "For more than a few layers, `snippets.placeholders.proposed_name_map` proposes "
    "the map, by kinds, shapes, names and order; it says what it guessed, what it left "
    "out, and which variables are the optimizer's.",
    false_with={"width": 16},
    needs="keras>=3",
)
def test_a_map_is_proposed(width=32):
    from snippets.placeholders import load_checkpoint, proposed_name_map
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights(num_hidden=width))
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, "old")
        proposal = proposed_name_map(model, path)
        expected = {name: f"net/{name}" for name in start_weights()}
        assert (proposal.name_map, proposal.guessed) == (expected, ())
        assert (proposal.unmapped, proposal.unused) == ({}, ())
        assert len(proposal.optimizer) == 2 * 4 + 2
        load_checkpoint(model, path, proposal.name_map, proposal.optimizer)
        smaller = proposed_name_map(classifier_with(start_weights(num_hidden=16)), path)
        assert smaller.unmapped["hidden/kernel"] == ()
        assert "net/hidden/kernel" in smaller.unused
    assert all(np.array_equal(w, start_weights(seed=1)[w.path]) for w in model.weights)


@proves(
    "A prefix that ends in `/` is read too; `tf.train.list_variables` takes it for a "
    "folder, and looks where the file `checkpoint` in it points.",
    false_with={"prefix": "old"},
    needs="keras>=3",
)
def test_a_prefix_may_end_in_a_slash(prefix=""):
    from snippets.placeholders import checkpoint_problems
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights())
    name_map = {name: f"net/{name}" for name in start_weights()}
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, prefix)
        assert checkpoint_problems(model, path, name_map, ["*"]) == []
        assert message_of(lambda: tf.train.list_variables(path)) != "no error"


def old_function(x):
    w = tf1.get_variable("w", initializer=lambda: tf.ones([3, 2]))
    return tf.matmul(x, w)


@proves(
    "`tf.compat.v1.wrap_function` runs old code as a function.",
    false_with={"factor": 2.0},
)
def test_wrap_function_runs_old_code(factor=1.0):
    spec = tf.TensorSpec([None, 3], tf.float32)
    wrapped = tf1.wrap_function(old_function, [spec])
    expected = run_in_session(old_function, feed=BATCH)
    assert np.array_equal(wrapped(tf.constant(BATCH)) * factor, expected)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(wrapped(tf.constant(BATCH)))
    (gradient,) = tape.gradient(total, wrapped.trainable_variables)
    assert gradient.shape == (3, 2)


class Holding(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        spec = tf.TensorSpec([None, 3], tf.float32)
        self.wrapped = tf1.wrap_function(old_function, [spec])

    def call(self, x):
        return self.wrapped(x)


@proves(
    "Held by a layer as an attribute, its variables are not trained: the layer does "
    "not see them.",
    false_with={"seen": 1},
)
def test_a_layer_does_not_see_the_variables(seen=0):
    x = keras.Input((3,))
    layer = Holding()
    model = keras.Model(x, layer(x))
    assert len(layer.wrapped.trainable_variables) == 1
    assert len(model.trainable_weights) == seen


@proves(
    "This layer makes each of them a weight of its own:",
    false_with={"make": lambda function: Holding()},
    needs="keras>=3",
)
def test_a_graph_layer_makes_weights(make=None):
    from snippets.placeholders import GraphLayer

    x = keras.Input((3,))
    model = keras.Model(x, (make or GraphLayer)(old_function)(x))
    assert len(model.trainable_weights) == 1
    (weight,) = model.trainable_weights
    assert np.array_equal(model(BATCH), run_in_session(old_function, feed=BATCH))
    weight.assign(2.0 * np.ones((3, 2)))
    assert np.array_equal(model(BATCH), [[12.0, 12.0], [30.0, 30.0]])


@proves(
    "What the function made trainable is trained, the rest is kept, and the model can "
    "be saved.",
    false_with={"trainable": False},
    needs="keras>=3",
)
def test_a_graph_layer_trains_and_saves(trainable=True):
    from snippets.placeholders import GraphLayer
    from snippets.placeholders.feeding import network_of_2017

    x, (vectors, labels) = keras.Input((64,)), digits()
    model = keras.Model(x, GraphLayer(network_of_2017, trainable=trainable)(x))
    before = model.get_weights()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss)
    losses = model.fit(vectors[:320], labels[:320], epochs=3, verbose=0).history["loss"]
    after = model.get_weights()
    changed = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert changed == [True, True, False]
    assert losses[-1] < 0.7 * losses[0]
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        again = keras.models.load_model(f"{folder}/model.keras")
    assert np.allclose(again(digits()[0]), model(digits()[0]), atol=1e-5)


@proves(
    "The numbers of a frozen graph are constants: the layer has no weights and cannot "
    "be trained, though gradients flow through it.",
    false_with={"is_frozen": False},
    needs="keras>=3",
)
def test_constants_cannot_be_trained(is_frozen=True):
    from snippets.placeholders import GraphLayer

    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        tf.square(x, name="y")
    frozen = graph.as_graph_def()

    def thawed(x):
        return tf.square(
            x * tf1.get_variable("one", [], initializer=tf1.ones_initializer)
        )

    def constant(x):
        return tf.import_graph_def(frozen, {"x:0": x}, ["y:0"])[0]

    layer = GraphLayer(constant if is_frozen else thawed)
    point = tf.constant(BATCH)
    with tf.GradientTape() as tape:
        tape.watch(point)
        total = tf.reduce_sum(layer(point))
    assert layer.weights == []
    assert np.array_equal(tape.gradient(total, point), 2.0 * BATCH)


@proves(
    "A placeholder inside the function cannot be fed; the layer refuses it by name.",
    false_with={"make": tf1.placeholder_with_default, "arguments": (2.0, [])},
    needs="keras>=3",
)
def test_a_placeholder_inside_is_refused(
    make=tf1.placeholder, arguments=(tf.float32, [])
):
    from snippets.placeholders import GraphLayer

    def scaled(x):
        return x * make(*arguments, name="rate")

    message = message_of(lambda: GraphLayer(scaled)(BATCH))
    assert message.startswith("ValueError")
    assert "rate" in message
    wrapped = tf1.wrap_function(scaled, [tf.TensorSpec([None, 3], tf.float32)])
    assert "You must feed a value" in message_of(lambda: wrapped(tf.constant(BATCH)))


@proves(
    "`tf.Variable(tf.zeros([10]))` inside the function raises *could not be lifted "
    "out*; write `tf.Variable(lambda: tf.zeros([10]))`.",
    false_with={"wrong": "tf.Variable(lambda: tf.zeros([10]))"},
)
def test_a_variable_needs_a_function(wrong="tf.Variable(tf.zeros([10]))"):
    def wrap(expression):
        def function(x):
            return x + eval(expression, {"tf": tf})

        return tf1.wrap_function(function, [tf.TensorSpec([10], tf.float32)])

    assert "could not be lifted out" in message_of(lambda: wrap(wrong))
    right = wrap("tf.Variable(lambda: tf.zeros([10]))")
    assert np.array_equal(right(tf.ones([10])), np.ones(10))


@proves(
    "A session could feed and fetch any tensor, also in the middle of the graph.",
    false_with={"fed": 3.0},
)
def test_a_session_feeds_any_tensor(fed=5.0):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [])
        middle = x * 2.0
        end = middle + 1.0
        assert session.run([middle, end], {middle: fed}) == [5.0, 6.0]


@proves(
    "`keras.Function` can do the same between any tensors of a model, and this runner "
    "finds them by name:",
    false_with={"name": "x"},
    needs="keras>=3",
)
def test_a_runner_feeds_any_tensor(name="hidden"):
    from snippets.placeholders import FeedRunner
    from snippets.placeholders.training import classifier_with, start_weights

    model, x = classifier_with(start_weights()), digits()[0][:50]
    hidden, scores = FeedRunner(model).run(["hidden", "scores"], {"x": x})
    assert np.allclose(scores, model(x), atol=1e-5)
    middle, end = model.get_layer("hidden").output, model.output
    (by_function,) = keras.Function([middle], [end])([hidden])
    runner = FeedRunner(model)
    assert message_of(lambda: runner.run("scores", {name: hidden})) == "no error"
    by_runner = runner.run("scores", {name: hidden})
    assert np.allclose(by_function, scores, atol=1e-5)
    assert np.allclose(by_runner, scores, atol=1e-5)


# No error, wrong result


@proves(
    "Fractions fed to an integer placeholder are cut off.",
    false_with={"dtype": tf.float32},
)
def test_fractions_are_cut_off(dtype=tf.int32):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(dtype, [None])
        fed = session.run(x * 1, {x: np.array([1.9, -2.7])})
    assert fed.tolist() == [1, -2]


@proves(
    "`keras.Input` does the same, a `tf.TensorSpec` refuses a tensor of floats.",
    false_with={"dtype": "float64"},
)
def test_an_input_cuts_off_too(dtype="int32"):
    x = keras.Input((), dtype=dtype)
    model = keras.Model(x, keras.layers.Reshape((1,))(x))
    assert np.ravel(model(np.array([1.9, -2.7]))).tolist() == [1, -2]


@proves(
    "`keras.Input` does the same, a `tf.TensorSpec` refuses a tensor of floats.",
    false_with={"dtype": "float32"},
)
def test_a_spec_refuses_floats(dtype="int32"):
    spec = tf.TensorSpec([None], dtype)
    f = tf.function(lambda x: x + x, input_signature=[spec])
    with pytest.raises((TypeError, ValueError)):
        f(tf.constant([1.9, -2.7]))


def batch_losses(reset):
    start = keras.Input((2,))
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Model(start, layer(start))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    losses = []
    for size in (1.0, 2.0, 3.0):
        if reset:
            model.reset_metrics()
        x, y = np.full((1, 2), size), np.zeros((1, 1))
        losses.append(float(model.train_on_batch(x, y)))
    return np.round(losses, 3).tolist()


@proves(
    "In place of `session.run([loss, train], ...)`, `train_on_batch` gives the loss of "
    "its batch on Keras 2 and on Keras 3.15.",
    keras="!=3.4.*,!=3.6.*,!=3.9.*,!=3.11.*,!=3.13.*",
)
def test_train_on_batch_gives_its_own_loss():
    assert batch_losses(reset=False) == [4.0, 16.0, 36.0]


@proves(
    "On Keras 3.4 to 3.13 it gave the mean since the last reset: a curve too smooth, "
    "and too late.",
    keras=">=3,<3.15",
)
def test_train_on_batch_gave_the_mean():
    means = [4.0, (4.0 + 16.0) / 2, (4.0 + 16.0 + 36.0) / 3]
    assert batch_losses(reset=False) == np.round(means, 3).tolist()


@proves(
    "`model.reset_metrics()` before each call gives the same numbers on all of them.",
    false_with={"expected": [4.0, 10.0, 18.667]},
)
def test_reset_metrics_before_each_batch(expected=(4.0, 16.0, 36.0)):
    assert batch_losses(reset=True) == list(expected)


@proves(
    "A number drawn by NumPy is drawn while the graph is built, and stays:",
    false_with={"trace": lambda function: function},
)
def test_numpy_is_drawn_once(trace=tf.function):
    f = trace(lambda: np.random.default_rng().random())
    assert len({float(f()) for _ in range(5)}) == 1
    drawn = tf.function(lambda: tf.random.uniform([]))
    assert len({float(drawn()) for _ in range(5)}) == 5

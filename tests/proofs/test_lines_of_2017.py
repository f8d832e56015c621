"""Proofs of the page of lines of 2017, and today's."""

import functools
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_placeholders import (
    BATCH,
    digits,
    layers_of_v1,
    run_in_session,
    tf1,
)


def old_scores(weights, vectors):
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 64])
        w = tf1.get_variable("w", initializer=weights)
        session.run(tf1.global_variables_initializer())
        return session.run(tf.matmul(x, w), {x: vectors})


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


# Lines


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
    "`AdamOptimizer().minimize(loss)` | an optimizer of Keras | "
    "`keras.optimizers.Adam(epsilon=1e-8)`, given to `compile`",
    false_with={"epsilon": 1e-7},
)
def test_line_adam(epsilon=1e-8):
    gradient = 1e-6  # so small that the epsilon counts
    with tf.Graph().as_default(), tf1.Session() as session:
        w = tf1.get_variable("w", initializer=np.zeros(1, "float32"))
        train = tf1.train.AdamOptimizer().minimize(tf.reduce_sum(gradient * w))
        session.run(tf1.global_variables_initializer())
        session.run(train)
        expected = session.run(w)
    new = tf.Variable(tf.zeros(1))
    adam = keras.optimizers.Adam(epsilon=epsilon)
    adam.apply_gradients([(tf.constant([gradient]), new)])
    x = keras.Input((1,))
    zero = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Model(x, zero(x))
    adam = keras.optimizers.Adam(epsilon=epsilon)
    model.compile(adam, lambda y_true, y_pred: y_pred)
    rows = np.full((1, 1), gradient, "float32")
    model.fit(rows, rows, verbose=0)
    for found in (new.numpy(), model.get_weights()[0][0]):
        assert np.allclose(found, expected, rtol=1e-3, atol=0.0)


@proves(
    "`tf.global_variables_initializer()` | nothing | nothing",
    false_with={"initialize": True},
)
def test_line_initializer(initialize=False):
    with pytest.raises(tf.errors.FailedPreconditionError):
        run_in_session(lambda x: tf1.get_variable("w", [3]), initialize=initialize)
    assert tf.Variable(2.0).numpy() == 2.0
    assert dense_model().get_weights()[0].shape == (64, 10)


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
    "`tf.trainable_variables()` | those of a `tf.Module` | `model.trainable_variables`",
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


@proves(
    "`tf.set_random_seed(0)` | `tf.random.set_seed(0)` | `set_random_seed(0)` of "
    "`keras.utils`",
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
    "`tf.layers.dense(x, 10)` | `tf.matmul(x, w) + b` | `keras.layers.Dense(10)(x)`",
    false_with={"activation": "relu"},
)
def test_line_dense(activation=None):
    x, layer = digits()[0][:50], keras.layers.Dense(10, activation=activation)
    scores = np.array(layer(x))
    w, b = layer.get_weights()
    assert (w.shape, b.shape) == ((64, 10), (10,))
    assert np.allclose(scores, tf.matmul(x, w) + b, atol=1e-5)


@proves(
    "`with tf.Session() as session:` | nothing, or `tf.function` | nothing",
    false_with={"fed": 2 * BATCH},
)
def test_line_session(fed=BATCH):
    def double(x):
        return x * 2.0

    old = run_in_session(double, feed=fed)
    for f in (double, tf.function(double), keras.layers.Lambda(double)):
        assert np.array_equal(f(tf.constant(BATCH)), old)


@proves(
    "`session.run(scores, {x: a})` | `scores(a)` | `model(a)`, or `model.predict(a)`",
    false_with={"weights": np.ones((64, 10), "float32")},
)
def test_line_scores(weights=None):
    a = digits()[0][:50]
    old, model = old_scores(kernel(), a), dense_model(weights)
    assert np.allclose(tf.matmul(a, kernel()), old, atol=1e-5)
    for new in (model(a), model.predict(a, verbose=0)):
        assert np.allclose(new, old, atol=1e-5)


@proves(
    "`tf.assign(w, value)` | `w.assign(value)` | `w.assign(value)`",
    false_with={"value": 3.0},
)
def test_line_assign(value=2.0):
    with tf.Graph().as_default(), tf1.Session() as session:
        old = tf1.get_variable("w", initializer=1.0)
        session.run(tf1.global_variables_initializer())
        session.run(tf1.assign(old, 2.0))
        expected = session.run(old)
    w = tf.Variable(1.0)
    w.assign(value)
    (weight,) = dense_model().weights
    weight.assign(np.full((64, 10), value))
    assert np.array_equal(w, expected)
    assert np.array_equal(np.unique(np.array(weight)), [expected])


@proves(
    '`tf.get_collection("losses")` | a list of your own | `model.losses`',
    false_with={"regularizer": None},
)
def test_line_losses(regularizer="l2"):
    with tf.Graph().as_default():
        loss = tf1.losses.mean_squared_error([1.0], [2.0])
        (found,) = tf1.get_collection("losses")
        assert found is loss
    layer = keras.layers.Dense(2, kernel_regularizer=regularizer)
    x = keras.Input((3,))
    model = keras.Model(x, layer(x))
    model(BATCH)
    assert len(model.losses) == 1


def save_and_read(path, value):
    w = tf.Variable(value)
    tf.train.Checkpoint(w=w).write(path)
    again = tf.Variable(tf.zeros_like(w))
    tf.train.Checkpoint(w=again).read(path)
    return again.numpy()


def old_file(folder):
    """Save `kernel()` by a `Saver`, restore it, and return what is read both ways."""
    with tf.Graph().as_default():
        w = tf1.get_variable("w", initializer=kernel())
        saver = tf1.train.Saver()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            saver.save(session, f"{folder}/old")
        with tf1.Session() as session:
            saver.restore(session, f"{folder}/old")
            return tf.train.load_variable(f"{folder}/old", "w"), session.run(w)


def saved_in_keras(folder, weights):
    dense_model(weights).save(f"{folder}/model.keras")
    model = keras.models.load_model(f"{folder}/model.keras")
    return model.get_weights()[0]


@proves(
    "`tf.train.Saver().save(session, path)` | `write(path)` of a "
    "`tf.train.Checkpoint` | `model.save(path)`",
    false_with={"weights": np.ones((64, 10), "float32")},
)
def test_line_save(weights=None):
    with tempfile.TemporaryDirectory() as folder:
        old, _ = old_file(folder)
        start = kernel() if weights is None else weights
        assert np.array_equal(save_and_read(f"{folder}/new", start), old)
        assert np.array_equal(saved_in_keras(folder, weights), old)


@proves(
    "`saver.restore(session, path)` | `read(path)` of a `tf.train.Checkpoint` | "
    "`load_model(path)` of `keras.models`",
    false_with={"weights": np.ones((64, 10), "float32")},
)
def test_line_restore(weights=None):
    with tempfile.TemporaryDirectory() as folder:
        _, old = old_file(folder)
        start = kernel() if weights is None else weights
        assert np.array_equal(save_and_read(f"{folder}/new", start), old)
        assert np.array_equal(saved_in_keras(folder, weights), old)


@proves(
    "A program of the lines on the left still runs, inside "
    "`with tf.Graph().as_default():` and with `tf.compat.v1` in place of `tf`, except "
    "for `tf.layers`, which needs Keras 2.",
    false_with={"module": tf},
)
def test_the_left_column_still_runs(module=tf1):
    for name in (
        *("placeholder", "placeholder_with_default", "get_variable", "variable_scope"),
        *("global_variables_initializer", "Session", "trainable_variables"),
        *("set_random_seed", "get_collection", "assign"),
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


@proves(
    "A program of the lines on the left still runs, inside "
    "`with tf.Graph().as_default():` and with `tf.compat.v1` in place of `tf`, except "
    "for `tf.layers`, which needs Keras 2.",
    keras=">=3",
)
def test_layers_of_v1_on_keras_3():
    assert layers_of_v1() == "`dense` is not available with Keras 3."


@proves(
    "A program of the lines on the left still runs, inside "
    "`with tf.Graph().as_default():` and with `tf.compat.v1` in place of `tf`, except "
    "for `tf.layers`, which needs Keras 2.",
    keras="<3",
)
def test_layers_of_v1_on_keras_2():
    assert callable(layers_of_v1())
    output = run_in_session(lambda x: layers_of_v1()(x, 4), feed=BATCH)
    assert output.shape == (2, 4)


# What is gone


@proves(
    "`tf.placeholder`, `tf.Session` | TensorFlow 2 | a function and its arguments",
    false_with={"module": tf1},
)
def test_gone_placeholder(module=tf):
    assert not hasattr(module, "placeholder")
    assert not hasattr(module, "Session")
    fed = run_in_session(lambda x: tf.reduce_sum(x, axis=1), feed=BATCH)
    assert np.array_equal(tf.reduce_sum(BATCH, axis=1), fed)


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
    x = keras.Input((100,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x))
    ones = np.ones((1, 100), "float32")
    assert np.array_equal(model(ones), ones)
    assert not np.array_equal(model(ones, training=True), ones)


@proves(
    "`keras.backend.set_learning_phase` | Keras 3 | `training=True` at the call",
    keras="<3",
)
def test_there_learning_phase():
    assert hasattr(keras.backend, "set_learning_phase")
    x = keras.Input((100,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x))
    ones = np.ones((1, 100), "float32")
    assert np.array_equal(model(ones), ones)
    assert not np.array_equal(model(ones, training=True), ones)


# One training


@proves(
    "The three programs read digits as vectors of 64 pixels, through one hidden layer, "
    "and start from the same weights.",
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


def two_epochs():
    vectors, labels = digits()
    parts = [slice(start, start + 32) for start in range(0, 1600, 32)]
    return [(vectors[part], labels[part]) for part in parts] * 2


@functools.cache
def walk_in_session():
    from snippets.placeholders.training import start_weights, train_in_session

    return train_in_session(start_weights(), two_epochs(), 0.1)


def walks(rate=0.1):
    from snippets.placeholders.training import (
        start_weights,
        train_in_function,
        train_in_keras,
    )

    batches, weights = two_epochs(), start_weights()
    return np.array(
        [
            walk_in_session(),
            train_in_function(weights, batches, rate),
            train_in_keras(weights, batches, rate),
        ]
    )


@proves(
    "The loss of each batch in the three programs: over 100 batches no two losses "
    "differ by more than one part in 10,000.",
    false_with={"rate": 0.1001},
    needs="keras>=3",
)
def test_three_programs_one_walk(rate=0.1):
    losses = walks(rate)
    assert losses.shape == (3, 100)
    assert losses[0, -1] < losses[0, 0] / 2
    assert np.all(np.ptp(losses, axis=0) < 1e-4 * losses.min(axis=0))

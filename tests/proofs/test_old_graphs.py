"""Proofs of the page of old graph code inside Keras."""

import tempfile

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_placeholders import (
    BATCH,
    digits,
    message_of,
    run_in_session,
    tf1,
)


def old_function(x):
    w = tf1.get_variable("w", initializer=lambda: tf.ones([3, 2]))
    return tf.matmul(x, w)


@proves(
    "`tf.compat.v1.wrap_function` makes a function of old graph code, and you can call "
    "it on numbers.",
    false_with={"given": 2.0 * BATCH},
)
def test_wrap_function_runs_old_code(given=BATCH):
    spec = tf.TensorSpec([None, 3], tf.float32)
    wrapped = tf1.wrap_function(old_function, [spec])
    expected = run_in_session(old_function, feed=BATCH)
    assert np.array_equal(wrapped(tf.constant(given)), expected)


class Holding(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        spec = tf.TensorSpec([None, 3], tf.float32)
        self.wrapped = tf1.wrap_function(old_function, [spec])

    def call(self, x):
        return self.wrapped(x)


class Owning(keras.layers.Layer):
    def build(self, input_shape):
        self.w = self.add_weight(name="w", shape=(3, 2), initializer="ones")

    def call(self, x):
        return tf.matmul(x, tf.convert_to_tensor(self.w))


@proves(
    "A layer that only holds the wrapped function does not train it: the layer does "
    "not see the variables.",
    false_with={"make": Owning},
)
def test_a_layer_does_not_see_the_variables(make=Holding):
    x = keras.Input((3,))
    model = keras.Model(x, make()(x))
    assert np.array_equal(model(BATCH), run_in_session(old_function, feed=BATCH))
    assert model.trainable_weights == []
    assert len(Holding().wrapped.trainable_variables) == 1


@proves(
    "To train its variables inside a Keras model, they have to become weights of a "
    "layer: `GraphLayer` below does that.",
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
    "be saved if the function is registered, as `network_of_2017` is.",
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
    "`keras.Function` runs the part of a model between any of its tensors, and this "
    "runner finds them by name:",
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


def with_layers_of_v1(x):
    return tf1.layers.dense(x, 4)


@proves(
    "On Keras 3 a function that calls `tf.compat.v1.layers` stops with "
    "``AttributeError: `dense` is not available with Keras 3.``, so write "
    "`tf.compat.v1.get_variable` and `tf.matmul` there.",
    needs="keras>=3",
    false_with={"function": old_function},
)
def test_layers_of_v1_stop_a_graph_layer(function=with_layers_of_v1):
    from snippets.placeholders import GraphLayer

    said = message_of(lambda: GraphLayer(function)(BATCH))
    assert "`dense` is not available with Keras 3." in said


@proves(
    "Under `mixed_float16` a matrix product of inputs with float32 variables stops.",
    needs="keras>=3",
    false_with={"dtype": "float32"},
)
def test_mixed_precision_stops_it(dtype="mixed_float16"):
    from snippets.placeholders import GraphLayer

    assert message_of(lambda: GraphLayer(old_function)(BATCH)) == "no error"
    said = message_of(lambda: GraphLayer(old_function, dtype=dtype)(BATCH))
    assert said.startswith(("TypeError", "ValueError", "InvalidArgumentError"))

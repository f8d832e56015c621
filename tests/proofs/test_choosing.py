"""Proofs of the guide to choosing a level."""

import contextlib
import functools
import importlib
import os
import tempfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

LEVELS = ("Sequential", "Functional", "Subclassed", "Own train_step", "tf.Module")


def five_networks(rate=0.1):
    """All five of the guide, with the same weights."""
    from snippets.choosing import build_network
    from snippets.sequential import copy_weights

    networks = {level: build_network(level, (8, 8, 1), 10, rate) for level in LEVELS}
    copy_weights(*networks.values())
    return networks


def some_digits(count=64):
    from snippets.data import digit_images

    images, labels = digit_images()
    return images[:count], labels[:count]


def layer_model(*layers):
    """A Functional model of these layers on images of 8 x 8 pixels."""
    x = pixels = keras.Input((8, 8, 1))
    for layer in layers:
        x = layer(x)
    return keras.Model(pixels, x)


def subclass_of_one_layer(**methods):
    """A subclass of `keras.Model` with one `Dense` layer and further methods."""

    def start(self):
        keras.Model.__init__(self)
        self.score = keras.layers.Dense(2, kernel_initializer="ones")

    plain = {"__init__": start, "call": lambda self, x: self.score(x)}
    return type("Mine", (keras.Model,), {**plain, **methods})()


# The answer


@proves(
    "Both: you write models in Keras, and TensorFlow computes them.",
    false_with={"symbolic": True},
)
def test_keras_writes_tensorflow_computes(symbolic=False):
    model = keras.Sequential([keras.layers.Dense(2)])
    x = keras.Input((3,)) if symbolic else np.zeros((5, 3))
    assert isinstance(model(x), tf.Tensor)
    assert keras.backend.backend() == "tensorflow"


@proves(
    "Since TensorFlow 2.16 `tf.keras` is the package `keras`, version 3:",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_tf_keras_is_keras_3():
    package = importlib.import_module("keras")
    assert package.__version__.startswith("3.")
    assert tf.keras.Model is package.Model


@proves(
    "1. `keras.Sequential` | the layers stand in one line | the Sequential guide",
    false_with={"last": lambda: keras.layers.Concatenate()},
)
def test_level_1_layers_in_one_line(last=lambda: keras.layers.Dense(2)):
    layers = [keras.Input((3,)), keras.layers.Dense(4), last()]
    try:
        result = keras.Sequential(layers)(np.zeros((5, 3)))
    except (TypeError, ValueError):
        result = None
    assert result is not None


@proves(
    "2. Functional: `keras.Model(inputs, outputs)` | there are branches, several "
    "inputs or several outputs | the Functional guide",
    false_with={"count": 1},
)
def test_level_2_branches(count=2):
    inputs = [keras.Input((3,)) for _ in range(count)]
    joined = keras.layers.Concatenate()([*inputs, *inputs])
    outputs = [keras.layers.Dense(4)(joined) for _ in range(count)]
    model = keras.Model(inputs, outputs)
    assert len(model.inputs) == len(model.outputs) == 2
    results = model([np.zeros((5, 3))] * 2)
    assert [tuple(result.shape) for result in results] == [(5, 4), (5, 4)]


@proves(
    "3. a subclass of `keras.Model` | the forward pass has arguments or loops of its "
    "own | the Subclassing guide",
    false_with={"rounds": 1},
)
def test_level_3_arguments_and_loops(rounds=3):
    def call(self, x, rounds=1):
        for _ in range(rounds):
            x = self.score(x)
        return x

    model = subclass_of_one_layer(call=call)
    x = np.ones((1, 2), "float32")
    assert np.array(model(x, rounds=rounds)).tolist() == [[8.0, 8.0]]


@proves(
    "4. a subclass with its own `train_step` | the training step is a new one, and "
    "`fit` should stay | the Training loops guide",
    false_with={"name": "training_step"},
)
def test_level_4_a_new_step(name="train_step"):
    def step(self, data):
        self(data[0])
        self.score.kernel.assign(7.0 * tf.ones([3, 2]))
        return {"loss": 0.0}

    model = subclass_of_one_layer(**{name: step})
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    assert np.all(np.array(model.score.kernel) == 7.0)


@proves(
    "5. `tf.Module` and `tf.nn` | the program around it is TensorFlow without Keras | "
    "the Subclassing guide",
    false_with={"factor": 2.0},
)
def test_level_5_without_keras(factor=1.0):
    class Mine(tf.Module):
        def __init__(self):
            super().__init__()
            self.kernel = tf.Variable(tf.ones([3, 2]))

        @tf.function(input_signature=[tf.TensorSpec([None, 3])])
        def __call__(self, x):
            return tf.nn.relu(x @ self.kernel)

    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(Mine(), folder)
        loaded = tf.saved_model.load(folder)
    result = loaded(factor * tf.ones([1, 3]))
    assert result.numpy().tolist() == [[3.0, 3.0]]


@proves(
    "All five can express the same network, down to equal gradients.",
    false_with={"shift": 0.01},
    needs="keras>=3",
)
def test_equal_gradients(shift=0.0):
    from snippets.choosing.comparing import scores_and_gradients

    networks = five_networks()
    first = networks["tf.Module"].weights[0]
    first.assign(first + shift)
    found = {
        level: scores_and_gradients(network, *some_digits())
        for level, network in networks.items()
    }
    for arrays in found.values():
        for array, other in zip(arrays, found["Sequential"], strict=True):
            assert np.allclose(array, other, atol=1e-6)


# One network, five ways


@proves(
    "A convolution with 32 filters of 3 × 3, ReLU, max pooling, and a dense layer that "
    "gives a score for each class:",
    false_with={"filters": 64},
    needs="keras>=3",
)
def test_the_network(filters=32):
    images, _ = some_digits(4)
    convolution = keras.layers.Conv2D(filters, 3)
    model = layer_model(
        convolution,
        keras.layers.ReLU(),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(10),
    )
    networks = five_networks()
    wanted = [np.array(weight) for weight in networks["Sequential"].weights]
    assert [weight.shape for weight in wanted] == [w.shape for w in model.get_weights()]
    model.set_weights(wanted)
    for network in networks.values():
        assert np.allclose(network(images), model(images), atol=1e-5)


@proves(
    "Each recipe takes your own image shape and number of classes, and says what is "
    "wrong with sizes from which nothing can be built.",
    false_with={"nonsense": ((9, 7, 3), 4)},
    needs="keras>=3",
)
def test_nonsense_is_refused_at_every_level(nonsense=((None, 7, 3), 4)):
    from snippets.choosing import build_network

    for level in LEVELS:
        network = build_network(level, (9, 7, 3), 4)
        assert network(np.zeros((5, 9, 7, 3), "float32")).shape == (5, 4)
        with pytest.raises(ValueError, match=r"Expected .*Received: \(None, 7, 3\)"):
            build_network(level, *nonsense)


@proves(
    "The model is whole before it has seen data.",
    false_with={"start": ()},
)
def test_sequential_is_whole_before_data(start=((8, 8, 1),)):
    inputs = [keras.Input(shape) for shape in start]
    model = keras.Sequential([*inputs, keras.layers.Flatten(), keras.layers.Dense(10)])
    assert model.built
    assert model.output_shape == (None, 10)
    assert len(model.weights) == 2


@proves(
    "A tensor may be passed on more than once, so the model can branch, and the graph "
    "can be read back from it.",
    false_with={"shared": False},
)
def test_the_graph_can_be_read_back(shared=True):
    pixels, other = keras.Input((3,), name="pixels"), keras.Input((3,), name="other")
    left = keras.layers.Dense(2, name="left")(pixels)
    right = keras.layers.Dense(2, name="right")(pixels if shared else other)
    inputs = [pixels] if shared else [pixels, other]
    model = keras.Model(inputs, keras.layers.Add(name="both")([left, right]))
    names = [layer["name"] for layer in model.get_config()["layers"]]
    assert names == ["pixels", "left", "right", "both"]


@proves(
    "Layers are made in `__init__` and called in `call`, which is Python: Keras sees "
    "the layers, and no longer what happens between them.",
    false_with={"level": "Functional"},
    needs="keras>=3",
)
def test_a_subclass_has_layers_and_no_graph(level="Subclassed"):
    from snippets.choosing import build_network

    network = build_network(level, (8, 8, 1), 10)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds[-4:] == ["Conv2D", "MaxPooling2D", "Flatten", "Dense"]
    assert not getattr(network, "inputs", None)
    assert "layers" not in network.get_config()


@proves(
    "`fit` calls `train_step` for each batch and goes on doing the rest: epochs, "
    "callbacks, metrics, validation.",
    false_with={"batch_size": 4},
)
def test_fit_calls_train_step_for_each_batch(batch_size=2):
    def step(self, data):
        self.steps.assign_add(1)
        return keras.Model.train_step(self, data)

    model = subclass_of_one_layer(train_step=step)
    model.steps = tf.Variable(0)
    model.compile("sgd", "mse", metrics=["mae"])
    ends = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(epoch)
    )
    x, y = np.ones((8, 3)), np.ones((8, 2))
    options = {"epochs": 3, "validation_data": (x, y), "callbacks": [callback]}
    history = model.fit(x, y, batch_size=batch_size, verbose=0, **options)
    assert int(model.steps) == 3 * 4
    assert ends == [0, 1, 2]
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"}


@proves(
    "`tf.Module` finds the variables in its attributes, and nothing else is done for "
    "you.",
    false_with={"kind": keras.Model},
)
def test_a_module_finds_its_variables(kind=tf.Module):
    module = kind()
    module.kernel, module.parts = tf.Variable(1.0), {"bias": tf.Variable(2.0)}
    names = ("compile", "fit", "save", "train_step")
    assert not any(hasattr(module, name) for name in names)
    assert len(module.variables) == 2


# They are the same network


@proves(
    "On real digits their scores, and the gradients by every weight, agree to one part "
    "in 100,000:",
    false_with={"shift": 1e-3},
    needs="keras>=3",
)
def test_scores_and_gradients_agree(shift=0.0):
    from snippets.choosing.comparing import agreement

    networks = five_networks()
    networks["tf.Module"].weights[3].assign_add(tf.fill([10], shift))
    same = agreement(networks, *some_digits(), tolerance=1e-5)
    assert same == dict.fromkeys(LEVELS, True)


@functools.cache
def loss_after_50_steps(level, shift=0.0):
    """Train a network from the same start, but for its last weights."""
    from snippets.choosing import build_network

    images, labels = some_digits(1600)
    network, generator = build_network(level, (8, 8, 1), 10), np.random.default_rng(0)
    for weight in network.weights:
        weight.assign(generator.normal(0, 0.1, weight.shape))
    network.weights[3].assign_add(np.linspace(0, shift, 10))
    for start in range(0, 1600, 32):
        batch = images[start : start + 32], labels[start : start + 32]
        loss = float(network.train_on_batch(*batch))
    return loss


@proves(
    "After 50 steps on the same batches the losses are equal to three decimals:",
    false_with={"shift": 0.05},
    needs="keras>=3",
    keras=">=3.15",
)
def test_losses_are_equal_after_50_steps(shift=0.0):
    others = [loss_after_50_steps(level) for level in LEVELS if level != "Functional"]
    assert np.ptp([*others, loss_after_50_steps("Functional", shift)]) < 0.0005


@proves(
    "Keras 3.4 to 3.13 return the mean since the last `reset_metrics()` instead.",
    keras=">=3,<3.14",
)
def test_train_on_batch_returned_a_running_mean():
    model = subclass_of_one_layer()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x = np.zeros((4, 3))
    first, second = (
        float(np.ravel(model.train_on_batch(x, np.full((4, 2), value)))[0])
        for value in (1.0, 3.0)
    )
    assert np.allclose([first, second], [1.0, (1.0 + 9.0) / 2])
    model.reset_metrics()
    third = model.train_on_batch(x, np.full((4, 2), 3.0))
    assert np.allclose(np.ravel(third)[0], 9.0)


@proves(
    "A Keras model lists its weights in the order of its layers, a `tf.Module` by the "
    "names of its attributes, from A to Z.",
    false_with={"names": ("a", "b")},
)
def test_a_module_lists_its_variables_by_name(names=("b", "a")):
    module = tf.Module()
    for size, name in enumerate(names):
        setattr(module, name, tf.Variable(tf.zeros([size])))
    assert [variable.shape[0] for variable in module.variables] == [1, 0]
    sizes = {"b": 3, "a": 5}
    layers = [keras.layers.Dense(sizes[name], name=name) for name in ("b", "a")]
    model = keras.Sequential([keras.Input((2,)), *layers])
    assert [weight.shape[-1] for weight in model.weights] == [3, 3, 5, 5]


@proves(
    "Where two shapes are equal, the wrong order raises no error.",
    false_with={"shapes": ([2], [3])},
)
def test_equal_shapes_are_swapped_without_an_error(shapes=([2], [2])):
    module = tf.Module()
    module.second, module.first = (tf.Variable(tf.zeros(shape)) for shape in shapes)
    values = [tf.fill(shape, 1.0 + n) for n, shape in enumerate(shapes)]
    try:
        for variable, value in zip(module.variables, values, strict=True):
            variable.assign(value)
        swapped = float(module.second[0]), float(module.first[0])
    except ValueError:
        swapped = None
    assert swapped == (2.0, 1.0)


@proves(
    "That is why `ModuleCNN` has a property `weights`.",
    false_with={"name": "variables"},
    needs="keras>=3",
)
def test_the_property_has_the_order_of_keras(name="weights"):
    networks = five_networks()
    wanted = [tuple(weight.shape) for weight in networks["Sequential"].weights]
    found = [tuple(weight.shape) for weight in getattr(networks["tf.Module"], name)]
    assert found == wanted


# What each level costs and allows


@proves(
    "A step is one call of `train_on_batch` on a batch that all share: the same loss, "
    "the same plain gradient step, compiled by `tf.function`, without XLA.",
    false_with={"rate": 0.2},
    needs="keras>=3",
)
def test_every_step_does_the_same_work(rate=0.1):
    from snippets.choosing.comparing import scores_and_gradients

    images, labels = some_digits(32)
    networks = five_networks(rate)
    losses = []
    for level, network in networks.items():
        before = [np.array(weight) for weight in network.weights]
        _, *gradients = scores_and_gradients(network, images, labels)
        losses.append(float(network.train_on_batch(images, labels)))
        changes = zip(network.weights, before, gradients, strict=True)
        for weight, value, gradient in changes:
            assert np.allclose(np.array(weight), value - 0.1 * gradient, atol=1e-6)
        if level != "tf.Module":
            assert not network.run_eagerly
            assert not network.jit_compile
    assert np.ptp(losses) < 1e-5
    step = networks["tf.Module"].train_step
    assert type(step) is type(tf.function(lambda: None))
    assert step._jit_compile is None


class Recorder:
    """Not a network: it notes when it is trained."""

    def __init__(self, name, calls):
        self.name, self.calls = name, calls

    def train_on_batch(self, images, labels):
        self.calls.append(self.name)


@proves(
    "After three steps that do not count the networks take turns, so that a slow "
    "moment of the machine hits all of them.",
    false_with={"rounds": 2},
    needs="keras>=3",
)
def test_the_networks_take_turns(rounds=3):
    from snippets.choosing.comparing import step_seconds

    calls = []
    networks = {name: Recorder(name, calls) for name in "ab"}
    seconds = step_seconds(networks, np.zeros((1, 1)), np.zeros(1), rounds=rounds)
    assert "".join(calls) == "ababab" + "ab" + "ba" + "ab"
    assert [len(times) for times in seconds.values()] == [3, 3]


@proves(
    "Keras 3.4 to 3.6 trace the step anew at every `train_on_batch`: time those with "
    "`fit`.",
    keras=">=3,<3.9",
)
def test_train_on_batch_was_traced_anew():
    model = subclass_of_one_layer()
    model.compile("sgd", "mse", jit_compile=False)
    counts = []
    for _ in range(6):
        model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
        step = model.train_function
        assert hasattr(step, "experimental_get_tracing_count")
        counts.append(step.experimental_get_tracing_count())
    assert counts[5] > counts[4] > counts[3]


@proves(
    "A cell of timings is the median ratio to Sequential, with the quartiles in "
    "brackets.",
    false_with={"seconds": [2.0, 2.0, 2.0, 2.0, 2.0]},
    needs="keras>=3",
)
def test_cells_are_medians_with_quartiles(seconds=(1.0, 2.0, 3.0, 4.0, 90.0)):
    from snippets.choosing.comparing import level_table

    times = {**dict.fromkeys(LEVELS, [1.0] * 5), "tf.Module": list(seconds)}
    table = level_table(five_networks(), times, times, times, {})
    assert table.rows[2][-1] == "3 (2 to 4)"


@functools.cache
def tried():
    from snippets.choosing.comparing import abilities

    return abilities((8, 8, 1), 10, *some_digits(8))


@proves(
    "Every yes below was done, and every no is the error that came of it.",
    false_with={"error": ValueError},
    needs="keras>=3",
)
def test_every_yes_was_done(error=KeyError):
    from snippets.choosing.comparing import attempt

    def fail():
        raise error

    done = []
    assert attempt(lambda: done.append("it")) == "yes"
    assert done == ["it"]
    assert attempt(fail) == "no: KeyError"
    assert [list(outcomes) for outcomes in tried().values()] == 5 * [list(LEVELS)]
    saved, drawn = tried()["saved as `.keras`"], tried()["drawn as a graph"]
    assert list(saved.values()) == [*4 * ["yes"], "no: AttributeError"]
    assert [level for level in LEVELS if drawn[level] == "yes"] == list(LEVELS[:2])


@proves(
    "The `if` is a Python `if` that inverts a batch whose pixels are bright on "
    "average.",
    false_with={"brightness": 0.4},
    needs="keras>=3",
)
def test_the_if_inverts_bright_batches(brightness=0.6):
    from snippets.choosing.mistakes import inverted_if_bright

    dark = inverted_if_bright(tf.fill([2, 3], 0.4))
    assert np.allclose(dark, 0.4)
    bright = tf.fill([2, 3], brightness)
    assert np.allclose(inverted_if_bright(bright), 1.0 - bright)


@proves(
    "The lines of `tf.Module` include its training step; the others get theirs from "
    "Keras.",
    false_with={"name": "OwnStepCNN"},
    needs="keras>=3",
)
def test_only_the_module_brings_its_step(name="ModuleCNN"):
    from snippets import choosing
    from snippets.showing.tables import source_of

    names = ("sequential_cnn", "functional_cnn", "SubclassedCNN")
    sources = [source_of(getattr(choosing, other)) for other in names]
    assert not any("def train_" in source for source in sources)
    source = source_of(getattr(choosing, name))
    assert "def train_step" in source
    assert "def train_on_batch" in source


# An `if` on the data


def branch(self, x):
    if tf.reduce_mean(x) > 0.5:
        x = 1.0 - x
    return self.score(x)


def survives(action):
    """Whether something can be done without an error."""
    try:
        action()
    except Exception:
        return False
    return True


@proves(
    "On Keras 3 an `if` in `call` works while you call the model, and fails once `fit` "
    "or `predict` compile it.",
    keras=">=3",
    false_with={"eagerly": True},
)
def test_an_if_in_call_fails_when_compiled(eagerly=False):
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    model = subclass_of_one_layer(call=branch)
    assert np.allclose(model(x), 0.75)
    model.compile("sgd", "mse", run_eagerly=eagerly)
    for action in (lambda: model.fit(x, y, verbose=0), lambda: model.predict(x)):
        with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
            action()


@proves(
    "Keras 2 translated `call` by AutoGraph, so there it worked:",
    keras="<3",
)
def test_an_if_in_call_was_translated_on_keras_2():
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    model = subclass_of_one_layer(call=branch)
    model.compile("sgd", "mse")
    assert survives(lambda: model.predict(x, verbose=0))
    assert np.allclose(model.predict(x, verbose=0), 0.75)
    assert survives(lambda: model.fit(x, y, verbose=0))


@proves(
    "Write the branch as `keras.ops.where`, and it works at all five levels, in "
    "training too:",
    false_with={"title": "`if` on pixels, trained"},
    needs="keras>=3",
)
def test_where_works_at_all_five_levels(title="`ops.where`, trained"):
    assert list(tried()[title].values()) == ["yes"] * 5


@proves(
    "If it must be Python, put `@tf.function` on `call`, so that AutoGraph translates "
    "the `if`, and call the model once before `fit`.",
    keras=">=3",
    false_with={"decorate": lambda call: call},
)
def test_tf_function_on_call_translates_the_if(decorate=tf.function):
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    calls = (branch, decorate(branch))
    plain, model = (subclass_of_one_layer(call=call) for call in calls)
    for each in (plain, model):
        each(x)
        each.compile("sgd", "mse")
    assert not survives(lambda: plain.fit(x, y, verbose=0))
    assert survives(lambda: model.fit(x, y, verbose=0))
    bright, dark = model.predict(x, verbose=0), model.predict(1.0 - x, verbose=0)
    assert np.allclose(bright, dark)


@proves(
    "Without that first call Keras 3 stops at `No gradients provided for any "
    "variable`.",
    keras=">=3",
    false_with={"first": lambda model, x: model(x)},
)
def test_without_a_first_call_there_are_no_gradients(first=lambda model, x: None):
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    model = subclass_of_one_layer(call=tf.function(branch))
    first(model, x)
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        model.fit(x, y, verbose=0)


# The size that was typed


@proves(
    'This network pools with `padding="SAME"` and then reshapes to `[-1, 5408]`, as a '
    "published example does.",
    false_with={"name": "DerivedSizeCNN"},
    needs="keras>=3",
)
def test_the_size_was_typed(name="HandTypedCNN"):
    from snippets.choosing import DerivedSizeCNN
    from snippets.choosing.mistakes import HandTypedCNN
    from snippets.showing.tables import source_of

    networks = {"HandTypedCNN": HandTypedCNN, "DerivedSizeCNN": DerivedSizeCNN}
    source = source_of(networks[name])
    assert 'tf.nn.max_pool2d(x, ksize=2, strides=2, padding="SAME")' in source
    assert "tf.reshape(x, [-1, 5408])" in source


@proves(
    'But 5408 is 13 × 13 × 32, what `"VALID"` leaves of 28 × 28 pixels, and `"SAME"` '
    "leaves 14 × 14 × 32 = 6272:",
    false_with={"size": 26},
)
def test_valid_leaves_5408_and_same_6272(size=28):
    shapes, sizes = [], []
    for padding in ("VALID", "SAME"):
        x = tf.nn.conv2d(
            tf.zeros([1, size, size, 1]), tf.zeros([3, 3, 1, 32]), 1, padding
        )
        x = tf.nn.max_pool2d(x, 2, 2, padding)
        shapes.append(x.shape[1:].as_list())
        sizes.append(int(np.prod(x.shape)))
    assert shapes == [[13, 13, 32], [14, 14, 32]]
    assert sizes == [5408, 6272]


def pooled(count, size=28):
    """What `padding="SAME"` leaves of images, each filled with its own number."""
    half = -(-size // 2)
    numbers = tf.reshape(tf.range(count, dtype=tf.float32), [count, 1, 1, 1])
    return numbers * tf.ones([count, half, half, 32])


@proves("One image stops it:", false_with={"count": 169}, needs="keras>=3")
def test_one_image_stops_the_hand_typed_size(count=1):
    from snippets.choosing.mistakes import HandTypedCNN

    network = HandTypedCNN(10)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        network(tf.zeros([count, 28, 28, 1]))
    assert (
        "Input to reshape is a tensor with 6272 values, but the requested shape "
        "requires a multiple of 5408" in str(raised.value)
    )


@proves(
    "Inside `tf.function` the text is another, `Dimension size must be evenly "
    "divisible by 5408 but is 6272`.",
    false_with={"count": 169},
)
def test_in_a_function_the_text_is_another(count=1):
    flatten = tf.function(lambda x: tf.reshape(x, [-1, 5408]))
    text = "Dimension size must be evenly divisible by 5408 but is 6272"
    with pytest.raises(ValueError, match=text):
        flatten(pooled(count))


@proves(
    "And 169 images raise nothing, since they hold exactly the numbers of 196 rows:",
    false_with={"count": 168},
)
def test_169_images_become_196_rows(count=169):
    assert count * 6272 == 196 * 5408
    assert tf.reshape(pooled(count), [-1, 5408]).shape[0] == 196


@proves(
    "Of these rows, 168 are made of the end of one image and the beginning of the "
    "next.",
    false_with={"size": 6272},
)
def test_rows_are_made_of_two_images(size=5408):
    rows = tf.reshape(pooled(169), [-1, size]).numpy()
    images = [sorted(set(row)) for row in rows]
    mixed = [numbers for numbers in images if len(numbers) > 1]
    assert len(mixed) == 168
    assert all(end + 1 == beginning for end, beginning in mixed)


@proves(
    "In the reshape keep the batch and let `-1` be the features; for the weights "
    "compute the features of one empty image, and read off how many there are.",
    false_with={"image_shape": (26, 26, 1)},
    needs="keras>=3",
)
def test_the_size_is_read_off(image_shape=(28, 28, 1)):
    from snippets.choosing import DerivedSizeCNN

    network = DerivedSizeCNN(image_shape, 10)
    assert network.scores_kernel.shape == (6272, 10)
    for count in (1, 169):
        assert network(tf.zeros([count, 28, 28, 1])).shape == (count, 10)


@proves(
    "Images of another size are now refused whatever their number, and the message "
    "names both sizes.",
    false_with={"size": 28},
    needs="keras>=3",
)
def test_another_size_is_refused_with_both_sizes(size=26):
    from snippets.choosing import DerivedSizeCNN

    network = DerivedSizeCNN((28, 28, 1), 10)
    for count in (1, 169):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"5408.*6272"):
            network(tf.zeros([count, size, size, 1]))


@proves(
    "With `keras.layers.Flatten` and `Dense` there is no size to mistype.",
    false_with={"size": 26},
)
def test_flatten_and_dense_derive_the_size(size=28):
    model = keras.Sequential(
        [
            keras.Input((size, size, 1)),
            keras.layers.Conv2D(32, 3, padding="same"),
            keras.layers.MaxPooling2D(padding="same"),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    assert tuple(model.weights[2].shape) == (6272, 10)


# Which Keras


@functools.cache
def without_tf_keras():
    from snippets.choosing import which_keras

    return which_keras(["keras"], "1")


@proves(
    "A package that a row leaves out is hidden from Python's finder, as if it had "
    "never been installed:",
    false_with={"line": "import keras"},
    needs="keras>=3",
)
def test_a_hidden_package_is_not_found(line="import tf_keras as keras"):
    found = without_tf_keras()[line]
    assert found == "ModuleNotFoundError: No module named 'tf_keras'"


@proves(
    "Up to TensorFlow 2.15 `tf.keras` was Keras 2.",
    needs="keras!=2.21.*",
    keras="<3",
    tensorflow="<2.16",
)
def test_tf_keras_was_keras_2():
    package = importlib.import_module("keras")
    assert package.__version__.startswith("2.")
    assert tf.keras.Model is package.Model


@proves(
    "`TF_USE_LEGACY_KERAS=1` sends `tf.keras` to the package `tf_keras`, which is "
    "Keras 2.",
    keras="<3",
    tensorflow=">=2.16",
)
def test_the_variable_sends_tf_keras_to_keras_2():
    assert os.environ.get("TF_USE_LEGACY_KERAS") == "1"
    name = tf.keras.Model.__module__.partition(".")[0]
    assert name == "tf_keras"
    assert importlib.import_module(name).__version__.startswith("2.")


@proves(
    "With the variable and without the package, `tf.keras` cannot be imported, and "
    "`import keras` still gives Keras 3.",
    false_with={"lines": ["import keras", "from tensorflow import keras"]},
    needs="keras>=3",
)
def test_the_variable_without_the_package(
    lines=("from tensorflow import keras", "import keras"),
):
    refused, given = (without_tf_keras()[line] for line in lines)
    assert refused.startswith("ImportError: Keras cannot be imported.")
    assert given.startswith("Keras 3 (keras 3.")


@proves(
    "To see what a program has got, print `keras.Model.__module__`: it begins with "
    "`keras` for Keras 3, with `tf_keras` for Keras 2.",
    tensorflow=">=2.16",
)
def test_the_module_name_tells_them_apart():
    name = keras.Model.__module__.partition(".")[0]
    version = importlib.import_module(name).__version__
    assert {"3": "keras", "2": "tf_keras"}[version[0]] == name


@proves(
    "Write `import keras` in new code: it is the one line that no variable redirects.",
    false_with={"line": "from tensorflow import keras"},
    needs="keras>=3",
)
def test_import_keras_is_not_redirected(line="import keras"):
    assert without_tf_keras()[line].startswith("Keras 3 (keras 3.")


# When to drop to TensorFlow


class Normalization(keras.layers.Layer):
    """A TensorFlow operation in a layer."""

    def call(self, x):
        return tf.nn.local_response_normalization(x)


class Recomputed(keras.layers.Layer):
    """A convolution whose activations are computed again for the gradients."""

    def __init__(self, recompute=tf.recompute_grad, **options):
        super().__init__(**options)
        self.convolution = keras.layers.Conv2D(4, 3, activation="relu")
        self.recompute = recompute

    def build(self, input_shape):
        self.convolution.build(input_shape)
        self.built = True

    def call(self, x):
        return self.recompute(self.convolution.call)(x)


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    return model


def equal_weights(model, other):
    pairs = zip(model.get_weights(), other.get_weights(), strict=True)
    return all(np.allclose(first, second, atol=1e-5) for first, second in pairs)


def classifier(*layers):
    end = [keras.layers.Flatten(), keras.layers.Dense(10)]
    return compiled(layer_model(*layers, *end))


@proves(
    "an operation that `keras.ops` lacks | the TensorFlow function, in the `call` of a "
    "layer | `fit`, saving, drawing",
    false_with={"make": keras.layers.ReLU},
)
def test_a_tensorflow_op_in_a_layer(make=Normalization):
    images, labels = some_pixels(8)
    wanted = tf.nn.local_response_normalization(images)
    assert np.allclose(layer_model(make())(images), wanted)
    model = classifier(make(name="normalization"))
    before = model.get_weights()
    model.fit(images, labels, verbose=0)
    assert not np.allclose(before[0], model.get_weights()[0])
    assert [layer["name"] for layer in model.get_config()["layers"]][1] == (
        "normalization"
    )
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        known = {"Normalization": Normalization}
        loaded = keras.models.load_model(f"{folder}/model.keras", known)
    assert np.allclose(loaded(images), model(images), atol=1e-6)


def some_pixels(count):
    generator = np.random.default_rng(0)
    images = generator.random((count, 8, 8, 1), "float32")
    return images, np.arange(count) % 10


@proves(
    "less memory for activations | `tf.recompute_grad` around a part of the model | "
    "`fit`, with equal gradients",
    false_with={"recompute": lambda f: lambda x: tf.stop_gradient(f(x))},
)
def test_recompute_grad_in_a_layer(recompute=tf.recompute_grad):
    images, labels = some_pixels(32)
    models = [classifier(Recomputed(r)) for r in (lambda f: f, recompute)]
    models[1].set_weights(models[0].get_weights())
    before = models[0].get_weights()
    for model in models:
        model.fit(images, labels, epochs=2, shuffle=False, verbose=0)
    assert not np.allclose(before[0], models[1].get_weights()[0])
    assert equal_weights(*models)


@functools.cache
def weights_after_fit(rate=0.1, mirrored=False):
    """Fit a classifier with or without a strategy; weights of before and after."""
    images, labels = some_pixels(32)
    scope = contextlib.nullcontext()
    if mirrored:
        scope = tf.distribute.MirroredStrategy(["CPU:0"]).scope()
    keras.utils.set_random_seed(0)
    with scope:
        model = classifier()
        model.optimizer.learning_rate = rate
    before = model.get_weights()
    model.fit(images, labels, epochs=2, shuffle=False, verbose=0)
    return before, model.get_weights()


@proves(
    "several devices in one machine | `compile` in the `scope()` of a "
    "`tf.distribute.MirroredStrategy` | `fit`, with equal weights",
    false_with={"rate": 0.05},
)
def test_fit_in_a_mirrored_strategy(rate=0.1):
    before, plain = weights_after_fit()
    _, mirrored = weights_after_fit(rate, mirrored=True)
    assert not np.allclose(before[0], plain[0])
    pairs = zip(plain, mirrored, strict=True)
    assert all(np.allclose(first, second, atol=1e-5) for first, second in pairs)


@proves(
    "Local response normalization, known from AlexNet, is such an operation: "
    "TensorFlow has it and Keras has not.",
    false_with={"name": "average_pool"},
    needs="keras>=3",
)
def test_local_response_normalization_is_missing_in_keras(
    name="local_response_normalization",
):
    assert callable(tf.nn.local_response_normalization)
    assert not hasattr(keras.ops, name)
    assert not hasattr(keras.layers, "LocalResponseNormalization")


# How it came to this


@proves(
    "2015 | Keras appears, a package of its own that lets another one compute | "
    "`keras.backend.backend()` says which one",
    false_with={"ask": keras.backend.floatx},
)
def test_history_2015(ask=keras.backend.backend):
    """The last column; the year is that of the linked page."""
    assert ask() == "tensorflow"


@proves(
    "2017 | TensorFlow 1.4 takes it in as `tf.keras` | the names of TensorFlow 1 "
    "include `tf.compat.v1.keras`",
    false_with={"name": "keras_core"},
)
def test_history_2017(name="keras"):
    """The last column; the year is that of the linked page."""
    assert hasattr(tf.compat.v1, name)


@proves(
    "2019 | TensorFlow 2.0 makes it the high-level API | `tf.losses`, `tf.metrics` and "
    "`tf.optimizers` are those of Keras",
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
    "2024 | TensorFlow 2.16 makes Keras 3 its `tf.keras` | `tf.keras` is `keras`, and "
    "dates itself after 2023",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_history_2024():
    """The last column: each TensorFlow knows the day until which it is compatible."""
    assert tf.keras.Model is importlib.import_module("keras").Model
    assert tf.compat.forward_compatible(2024, 1, 1)


# Summary


@proves(
    "the model in one `.keras` file | any level of Keras; a class of your own needs "
    "`register_keras_serializable`",
    false_with={"registered": True},
    needs="keras>=3",
)
def test_choose_one_file(registered=False):
    saved = list(tried()["saved as `.keras`"].values())
    assert saved == [*4 * ["yes"], "no: AttributeError"]

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    if registered:
        keras.utils.register_keras_serializable("proofs")(Mine)
    with tempfile.TemporaryDirectory() as folder:
        layer_model(Mine()).save(f"{folder}/model.keras")
        with pytest.raises(TypeError, match="Could not locate class"):
            keras.models.load_model(f"{folder}/model.keras")

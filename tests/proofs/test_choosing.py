"""Proofs of the guide to choosing a level."""

import ast
import contextlib
import functools
import importlib
import importlib.metadata
import importlib.util
import os
import re
import tempfile
import warnings
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_choosing import printed, refusal, step_of

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


def digit_classifier(last=None):
    """The model of the first screen."""
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation=last),
        ]
    )


def accuracies(epochs, from_logits=True):
    """The accuracy on the last 297 digits, trained with three seeds."""
    images, labels = some_digits(None)
    found = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = digit_classifier()
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        model.compile("adam", loss, metrics=["accuracy"])
        model.fit(images[:1500], labels[:1500], epochs=epochs, verbose=0)
        found.append(model.evaluate(images[1500:], labels[1500:], verbose=0)[1])
    return found


@proves(
    "After 20 epochs this model reads about 9 of 10 digits that it has not seen.",
    false_with={"epochs": 1},
)
def test_reads_nine_of_ten_digits(epochs=20):
    for accuracy in accuracies(epochs):
        assert 0.87 < accuracy < 0.95


@proves(
    "Keras 3 is a package of its own, `keras`, with its own version number. Since "
    "TensorFlow 2.16 `import keras`, `from tensorflow import keras` and `tf.keras` are "
    "the same Keras 3, unless `TF_USE_LEGACY_KERAS=1` is set.",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
)
def test_tf_keras_is_keras_3():
    package = importlib.import_module("keras")
    assert package.__version__.startswith("3.")
    assert tf.keras.Model is keras.Model is package.Model


@proves(
    "`tf.keras` still has some old names that `keras` lacks, such as "
    "`tf.keras.preprocessing.text.Tokenizer`.",
    needs="keras!=2.21.*",
    keras=">=3",
    tensorflow=">=2.16",
    false_with={"module": "image"},
)
def test_tf_keras_has_old_names(module="text"):
    package = importlib.import_module("keras")
    assert tf.keras.preprocessing.text.Tokenizer()
    assert hasattr(tf.keras.preprocessing, module)
    assert not hasattr(package.preprocessing, module)


@proves(
    "1. `keras.Sequential` | the layers follow one another | Sequential models",
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
    "inputs such as an image and numbers, or several outputs | Functional models",
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
    "3. a subclass of `keras.Model` | the forward pass takes arguments of its "
    "own, such as the length of a loop; `fit` takes their defaults | Subclassing",
    false_with={"rounds": 1},
)
def test_level_3_arguments_and_loops(rounds=3):
    seen = []

    def call(self, x, rounds=1):
        seen.append(rounds)
        for _ in range(rounds):
            x = self.score(x)
        return x

    model = subclass_of_one_layer(call=call)
    x = np.ones((1, 2), "float32")
    assert np.array(model(x, rounds=rounds)).tolist() == [[8.0, 8.0]]
    seen.clear()
    model.compile("sgd", "mse")
    model.fit(x, x, verbose=0)
    assert set(seen) == {1}


@proves(
    "4. your own `train_step` | the step itself is new, such as a penalty on "
    "gradients, and `fit` still does the rest: epochs, callbacks, validation; if `fit` "
    "is in your way, write a loop around a Keras model | Training loops",
    false_with={"name": "training_step"},
)
def test_level_4_a_new_step(name="train_step"):
    def step(self, data):
        self(data[0])
        self.score.kernel.assign(7.0 * tf.ones([3, 2]))
        return {"loss": 0.0}

    model = subclass_of_one_layer(**{name: step})
    model.compile("sgd", "mse")
    x, y, ends = np.ones((4, 3)), np.ones((4, 2)), []
    listener = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append("val_loss" in logs)
    )
    options = {"validation_data": (x, y), "callbacks": [listener], "verbose": 0}
    model.fit(x, y, epochs=2, **options)
    assert ends == [True, True]
    assert np.all(np.array(model.score.kernel) == 7.0)


@proves(
    "5. `tf.Module` and `tf.nn` | the program around it has no Keras | A `tf.Module`",
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
    "For a Functional model take the step alone into a class, and construct it with "
    "`inputs` and `outputs`:",
    false_with={"name": "DigitModel"},
    needs="keras>=3",
)
def test_the_step_alone_on_a_graph(name="ModelWithStep"):
    from snippets.choosing import plain

    x = keras.Input((8, 8, 1))
    scores = keras.layers.Dense(10)(keras.layers.Flatten()(x))
    own = getattr(plain, name)
    assert "train_step" in vars(own)
    models = [kind(inputs=x, outputs=scores) for kind in (own, keras.Model)]
    start = models[0].get_weights()
    images = np.linspace(0, 1, 6 * 64, dtype="float32").reshape(6, 8, 8, 1)
    losses = []
    for model in models:  # both train the same layers
        model.set_weights(start)
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        losses.append(model.fit(images, np.arange(6), verbose=0).history["loss"])
    assert np.allclose(*losses, rtol=1e-5)


class Around(keras.Model):
    """A subclass that calls a model which it holds."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x):
        return self.inner(x)


@proves(
    "`stepping` shares the layers and the weights of `functional`: what these "
    "have learned stays, training one model trains the other, and the `output` of "
    "each layer can still be read. A subclass that holds a trained Functional "
    "model and calls it in `call` shares its weights in the same way.",
    false_with={"take": keras.models.clone_model},
)
def test_a_functional_model_is_trained_on(take=lambda model: model):
    def functional():
        return layer_model(keras.layers.Flatten(), keras.layers.Dense(10))

    def trained(model):
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        model.fit(images, labels, verbose=0)
        return model.get_weights()

    def step(self, data):
        return keras.Model.train_step(self, data)

    images, labels = some_digits(32)
    model = functional()
    learned = trained(model)
    own = type("Mine", (keras.Model,), {"train_step": step})
    taken = take(model)
    stepping = own(inputs=taken.inputs, outputs=taken.outputs)
    around = Around(taken)
    around(images)
    features = keras.Model(stepping.inputs, stepping.layers[-2].output)(images)
    assert features.shape == (32, 64)
    for other in (stepping, around):
        assert np.array_equal(other.get_weights()[0], learned[0])
        before, learned = learned, trained(other)
        assert np.array_equal(model.get_weights()[0], learned[0])
        assert not np.array_equal(before[0], learned[0])


@proves(
    "A trained Sequential model can be called like a layer in a Functional model, "
    "which then shares its weights.",
    false_with={"copy": keras.models.clone_model},
)
def test_a_sequential_model_inside_a_functional_one(copy=lambda model: model):
    images = some_digits()[0]
    stack = digit_classifier()
    pixels, hint = keras.Input((8, 8, 1)), keras.Input((2,))
    joined = keras.layers.Concatenate()([copy(stack)(pixels), hint])
    model = keras.Model([pixels, hint], joined)
    found = model([images, np.ones((len(images), 2))])
    assert np.allclose(found[:, :10], stack(images), atol=1e-6)
    assert np.allclose(found[:, 10:], 1)


@proves(
    "A loss or a metric of your own needs no `train_step`: pass the function to "
    "`compile`.",
    false_with={"power": 4},
)
def test_a_loss_of_your_own_needs_no_step(power=2):
    def my_loss(y_true, y_pred):
        return tf.reduce_mean(abs(y_true - y_pred) ** power, axis=-1)

    def my_metric(y_true, y_pred):
        return tf.reduce_max(abs(y_true - y_pred), axis=-1)

    x, y = np.array([[1.0], [2.0]]), np.array([[0.0], [5.0]])
    found = []
    for loss in ("mse", my_loss):
        inputs = keras.Input((1,))
        scores = keras.layers.Dense(1, kernel_initializer="ones")(inputs)
        model = keras.Model(inputs, scores)
        model.compile("sgd", loss, metrics=[my_metric])
        history = model.fit(x, y, verbose=0).history
        assert np.allclose(history["my_metric"], 2.0)
        found.append([*history["loss"], *model.get_weights()[0].ravel()])
    assert np.allclose(*found)


def sequential_block():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])


@proves(
    "A subclassed model can be called in a Functional model too: it becomes one "
    "layer of the graph, and the outputs of the layers inside it cannot be taken.",
    false_with={"make": sequential_block},
)
def test_a_subclass_is_one_layer_of_the_graph(make=subclass_of_one_layer):
    inputs, block = keras.Input((3,)), make()
    model = keras.Model(inputs, keras.layers.Dense(1)(block(inputs)))
    assert model.layers[1] is block
    assert len(model.layers) == 3
    x = np.ones((4, 3), "float32")
    assert np.allclose(model(x), model.layers[2](block(x)))
    try:
        taken = block.layers[-1].output
    except (AttributeError, ValueError):  # Keras 3.4 raises the second
        taken = None
    assert taken is None


# What is a backend


@proves(
    "Keras reads `KERAS_BACKEND` once, when it is imported: set the variable before "
    "that, and restart Python, or the kernel of a notebook, to change it.",
    false_with={"late": "theano; import keras"},
    needs="keras>=3",
)
def test_the_backend_is_read_at_import(late="import keras; theano"):
    change = "os.environ['KERAS_BACKEND'] = 'theano'"
    program = f"import os; {late.replace('theano', change)}"
    found = printed(f"{program}; print(keras.backend.backend())", "tensorflow")
    assert found == "tensorflow"


@proves(
    "In a notebook, or on Windows, write this in front of the first `import keras`: "
    '`import os; os.environ["KERAS_BACKEND"] = "jax"`.',
    false_with={"name": "BACKEND"},
    needs="keras>=3",
)
def test_the_backend_from_python(name="KERAS_BACKEND"):
    chosen = f'import os; os.environ["{name}"] = "jax"'
    found = printed(f"{chosen}\nimport keras; print(keras.backend.backend())", "")
    assert found == "jax" or found.endswith("No module named 'jax'")


@proves(
    "Since TensorFlow 2.16 `pip install tensorflow` installs Keras 3 too.",
    false_with={"package": "numpy"},
    tensorflow=">=2.16",
)
def test_tensorflow_brings_keras(package="tensorflow"):
    names = importlib.metadata.packages_distributions()[package]  # or tensorflow-cpu
    required = [line for n in names for line in importlib.metadata.requires(n) or []]
    kerases = [line for line in required if re.match(r"keras(-nightly)?\s*>=3", line)]
    assert kerases != []


@proves(
    "The package `keras` brings none of the three. With the variable set, `pip "
    "install keras jax` or `pip install keras torch` is enough: Keras imports no "
    "TensorFlow then.",
    false_with={"backends": ("tensorflow",)},
    needs="keras>=3",
)
def test_other_backends_need_no_tensorflow(backends=("jax", "torch")):
    required = " ".join(importlib.metadata.requires("keras")).lower()
    assert not re.search(r"\b(tensorflow|jax|torch)\b", required)
    hidden = "import sys; sys.modules['tensorflow'] = None; import keras"
    for backend in backends:
        found = printed(f"{hidden}; print(keras.backend.backend())", backend)
        assert found == backend or found.endswith(f"No module named '{backend}'")


@proves(
    "A few layers, such as `TextVectorization`, ask for TensorFlow on every backend.",
    false_with={"name": "Dense"},
    needs="keras>=3",
)
def test_text_vectorization_asks_for_tensorflow(name="TextVectorization"):
    library = importlib.import_module("keras.src.utils.module_utils").tensorflow
    available, library._available = library.available, False
    try:
        with pytest.raises(ImportError, match="requires TensorFlow"):
            getattr(keras.layers, name)(3)
    finally:
        library._available = available


@proves(
    "1, 2 and 3 | the same code, if it uses `keras` alone (no `tf.` in a layer, "
    "loss, metric or callback) and no layer that asks for TensorFlow",
    false_with={"third": "DigitModelWithStep"},
    needs="keras>=3",
)
def test_three_levels_without_tensorflow(third="DigitModel"):
    from snippets.choosing import functional_cnn, plain, sequential_cnn
    from snippets.showing.tables import source_of

    for recipe in (sequential_cnn, functional_cnn, getattr(plain, third)):
        source = source_of(recipe)
        names = {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)}
        assert "keras" in names
        assert not names & {"tf", "tensorflow"}


@proves(
    "4 | another step: on JAX it is `train_step(self, state, data)` and returns "
    "the logs and the new state; on PyTorch it calls `loss.backward()`: the code "
    "of both",
    false_with={"one": "tensorflow"},
    needs="keras>=3",
)
def test_a_step_belongs_to_its_backend(one="jax", other="torch"):
    step = step_of(one)
    assert [argument.arg for argument in step.args.args] == ["self", "state", "data"]
    assert ast.unparse(step).splitlines()[-1].strip() == "return (logs, state)"
    assert "loss.backward()" in ast.unparse(step_of(other))


@proves(
    "The `.keras` file of a model of the first three levels names no backend.",
    false_with={"name": "tensorflow"},
    needs="keras>=3",
)
def test_a_file_names_no_backend(name="scores"):
    from snippets.choosing.plain import DigitModel

    x, y = np.zeros((2, 8, 8, 1)), np.zeros((2, 10))
    pixels = keras.Input((8, 8, 1))
    flat, scores = keras.layers.Flatten(), keras.layers.Dense(10, name=name)
    models = (
        keras.Sequential([pixels, flat, scores]),
        keras.Model(pixels, keras.layers.Add()([scores(flat(pixels))] * 2)),
        DigitModel(),
    )
    for model in models:
        model.compile("adam", "mse", metrics=["mae"])
        model.fit(x, y, verbose=0)
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.keras")
            with zipfile.ZipFile(f"{folder}/model.keras") as file:
                parts = [file.read(part).lower() for part in file.namelist()]
        assert len(parts) == 3
        for backend in (b"tensorflow", b"jax", b"torch"):
            assert not any(backend in part for part in parts)


# One network, five ways


def digit_networks():
    """All five of the guide, with the same weights."""
    from snippets.choosing.plain import DigitModel, DigitModelWithStep, DigitModule

    networks = {
        "Sequential": digit_classifier(),
        "Functional": layer_model(
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ),
        "Subclassed": DigitModel(),
        "Own train_step": DigitModelWithStep(),
        "tf.Module": DigitModule(),
    }
    for network in networks.values():
        network(some_digits(1)[0])
        pairs = zip(network.weights, networks["Sequential"].weights, strict=True)
        for weight, first in pairs:
            weight.assign(first)
    return networks


@proves(
    "The network above is a convolution with 32 filters of 3 × 3, ReLU, max pooling "
    "and a dense layer that gives a score for each class.",
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
    networks = digit_networks()
    wanted = [np.array(weight) for weight in networks["Sequential"].weights]
    assert [weight.shape for weight in wanted] == [w.shape for w in model.get_weights()]
    model.set_weights(wanted)
    for network in networks.values():
        assert np.allclose(network(images), model(images), atol=1e-5)


@proves(
    "With an `Input` in front it knows its shapes and its weights before it has seen "
    "data:",
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
    "can be read back from the model.",
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
    "Make the layers in `__init__` and call them in `call`. Keras sees the layers, but "
    "not what happens between them.",
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
    "`fit` calls `train_step` for each batch and still does the rest: epochs, "
    "callbacks, validation.",
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
    "`tf.Module` finds the variables in its attributes; it has no `compile`, `fit` or "
    "`save`.",
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
    "Build all five, copy the weights of the first into the others, and compare "
    "on real digits: the scores, and the gradients with respect to every weight, "
    "agree up to rounding.",
    false_with={"shift": 1e-3},
    needs="keras>=3",
)
def test_scores_and_gradients_agree(shift=0.0):
    from snippets.choosing.comparing import agreement

    networks = digit_networks()
    networks["tf.Module"].weights[3].assign_add(tf.fill([10], shift))
    same = agreement(networks, *some_digits(), tolerance=1e-5)
    assert same == dict.fromkeys(LEVELS, True)


@proves(
    "A `tf.Module` lists its `variables` by the names of its attributes, from A "
    "to Z. A Keras model lists them in the order of its layers.",
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
    "That is why `DigitModule` has a property `weights`: where two shapes are equal, "
    "weights in the wrong order raise no error.",
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


# Softmax or scores


def softmax_by_hand(x):
    powers = tf.exp(x - tf.reduce_max(x, axis=-1, keepdims=True))
    return powers / tf.reduce_sum(powers, axis=-1, keepdims=True)


@proves(
    "On TensorFlow both learn the same in `fit`, since Keras finds the scores in front "
    "of the softmax.",
    false_with={"softmax": softmax_by_hand},
)
def test_softmax_and_scores_learn_the_same(softmax="softmax"):
    images, labels = some_digits(320)
    for seed in range(3):
        losses = []
        for last in (None, softmax):
            keras.utils.set_random_seed(seed)
            model = digit_classifier(last)
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=last is None)
            model.compile("sgd", loss)
            history = model.fit(images, labels, epochs=2, shuffle=False, verbose=0)
            losses += history.history["loss"]
        assert np.allclose(losses[:2], losses[2:], rtol=1e-4)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Activation(softmax)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy())
    found = model.evaluate(np.array([[0.0, 200.0, 0.0]]), np.array([0]), verbose=0)
    assert np.allclose(found, 200.0)


@proves(
    "But if you compute the softmax yourself in eager code, as by "
    "`tf.nn.softmax`, Keras finds no scores, and a probability can round to 0 or "
    "1. For a score of 200 in favor of the wrong class, the loss from scores is "
    "200. From probabilities it is 16.1 with a gradient of 0, so nothing is "
    "learned from this example.",
    false_with={"score": 2.0},
)
def test_a_probability_loses_the_loss(score=200.0):
    scores = tf.Variable([[0.0, score, 0.0]])
    labels = tf.constant([0])
    compute = keras.losses.sparse_categorical_crossentropy
    with tf.GradientTape(persistent=True) as tape:
        from_scores = compute(labels, scores, from_logits=True)
        probabilities = tf.nn.softmax(scores)
        from_probabilities = compute(labels, probabilities)
    assert probabilities.numpy().tolist() == [[0.0, 1.0, 0.0]]
    assert np.allclose(from_scores, 200.0)
    assert np.allclose(tape.gradient(from_scores, scores), [[-1.0, 1.0, 0.0]])
    assert np.allclose(from_probabilities, 16.1, atol=0.05)
    assert not np.any(tape.gradient(from_probabilities, scores))


@proves(
    "To get probabilities, call `keras.ops.softmax(model(images))`.",
    false_with={"name": "sigmoid"},
    needs="keras>=3",
)
def test_probabilities_from_scores(name="softmax"):
    images = some_digits()[0]
    model, ends = digit_classifier(), digit_classifier("softmax")
    ends.set_weights(model.get_weights())
    found = getattr(keras.ops, name)(model(images))
    assert np.allclose(found, ends(images), atol=1e-6)


def loss_of(kind, labels, scores):
    """The loss of these scores, or NaN if it takes no such labels."""
    try:
        return float(getattr(keras.losses, kind)(from_logits=True)(labels, scores))
    except (ValueError, tf.errors.InvalidArgumentError):
        return float("nan")


CLASSES = np.array([3, 0, 9, 3])
TAGS = np.array([[0, 1], [1, 1], [0, 0], [1, 0]]).repeat(5, axis=1).astype("float32")
SCORES = np.random.default_rng(0).normal(size=(4, 10)).astype("float32")


def loss_of_classes():
    """The mean of -log(softmax), written out."""
    shares = np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True)
    return -np.log(shares[np.arange(4), CLASSES]).mean()


def loss_of_tags(tags, scores):
    """The mean of -log of the sigmoid, or of 1 less the sigmoid, written out."""
    shares = 1 / (1 + np.exp(-scores))
    return -np.log(np.where(tags == 1, shares, 1 - shares)).mean()


@proves(
    "one class of ten | a number from 0 to 9 | `Dense(10)`, "
    "`SparseCategoricalCrossentropy(from_logits=True)`",
    false_with={"kind": "BinaryCrossentropy"},
)
def test_a_loss_for_numbers(kind="SparseCategoricalCrossentropy"):
    assert np.isclose(loss_of(kind, CLASSES, SCORES), loss_of_classes(), atol=1e-5)


@proves(
    "one class of ten | one-hot: a 1 among zeros | `Dense(10)`, "
    "`CategoricalCrossentropy(from_logits=True)`",
    false_with={"kind": "BinaryCrossentropy"},
)
def test_a_loss_for_one_hot(kind="CategoricalCrossentropy"):
    one_hot = np.eye(10, dtype="float32")[CLASSES]
    assert np.isclose(loss_of(kind, one_hot, SCORES), loss_of_classes(), atol=1e-5)


@proves(
    "yes or no | 0 or 1 | `Dense(1)`, `BinaryCrossentropy(from_logits=True)`, and "
    "as metric `BinaryAccuracy(threshold=0)`, which needs Keras 3.6; the "
    "probability is `keras.ops.sigmoid(score)`",
    false_with={"kind": "BinaryFocalCrossentropy"},
    needs="keras>=3.6",
)
def test_a_loss_for_yes_or_no(kind="BinaryCrossentropy"):
    scores, labels = SCORES[:, :1], np.array([0, 1, 1, 0])
    wanted = loss_of_tags(labels[:, None], scores)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.set_weights([np.ones((1, 1)), np.zeros(1)])
    right, plain = keras.metrics.BinaryAccuracy(threshold=0), "accuracy"
    loss = getattr(keras.losses, kind)(from_logits=True)
    model.compile("sgd", loss, metrics=[right, plain])
    loss, share, misread = model.evaluate(scores, labels, verbose=0)
    assert np.isclose(loss, wanted, atol=1e-5)
    assert np.isclose(share, ((scores > 0) == labels[:, None]).mean())
    assert np.isclose(misread, ((scores > 0.5) == labels[:, None]).mean())
    assert share != misread
    probabilities = keras.ops.sigmoid(model(scores))
    assert np.allclose(probabilities, 1 / (1 + np.exp(-scores)), atol=1e-6)


@proves(
    "any of ten tags | ten times 0 or 1 | `Dense(10)`, and loss, metric and "
    "probability as for yes or no",
    false_with={"kind": "CategoricalCrossentropy"},
    needs="keras!=3.4.*",
)
def test_a_loss_for_tags(kind="BinaryCrossentropy"):
    wanted = loss_of_tags(TAGS, SCORES)
    assert np.isclose(loss_of(kind, TAGS, SCORES), wanted, atol=1e-5)
    metric = keras.metrics.BinaryAccuracy(threshold=0)
    assert np.isclose(metric(TAGS, SCORES), ((SCORES > 0) == TAGS).mean())


@proves(
    "Scores with a loss that expects probabilities raise no error, and the model "
    "hardly learns: after 5 epochs it reads fewer than 6 of 10 digits. Pass "
    "`SparseCategoricalCrossentropy(from_logits=True)`, not the string "
    '`"sparse_categorical_crossentropy"`.',
    false_with={"from_logits": True},
)
def test_scores_without_from_logits_hardly_learn(from_logits=False):
    for accuracy in accuracies(5, from_logits):
        assert accuracy < 0.6


@proves(
    "Softmax together with `from_logits=True` trains as it should on TensorFlow only "
    "because Keras finds the scores in front of the softmax, and it warns that the "
    "output was produced by a Softmax activation and thus does not represent logits.",
    false_with={"last": softmax_by_hand},
)
def test_softmax_and_from_logits_warn(last="softmax"):
    images, labels = some_digits(320)
    losses, messages = [], []
    for end in (None, last):
        keras.utils.set_random_seed(0)
        model = digit_classifier(end)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("sgd", loss)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            history = model.fit(images, labels, epochs=2, shuffle=False, verbose=0)
        losses.append(history.history["loss"])
        messages.append(" ".join(str(warning.message) for warning in caught))
    assert np.allclose(*losses, rtol=1e-4)
    assert "from_logits" not in messages[0]
    expected = "was produced by a Softmax activation and thus does not represent logits"
    assert expected in messages[1]


# What each level costs and allows


@proves(
    "We measured the same training step, without the rest of `fit`, at all five levels "
    "on a CPU: the same loss, plain gradient steps, compiled by `tf.function`, without "
    "XLA.",
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


@proves(
    "What `fit` adds is Python code for each step, such as the callbacks. With "
    "`steps_per_execution=32` in `compile`, `fit` runs that code once for 32 "
    "steps; the steps stay the same.",
    false_with={"steps": 16},
)
def test_fit_runs_the_callbacks_once_for_32_steps(steps=32):
    x = np.linspace(0, 1, 64 * 3, dtype="float32").reshape(64, 3)
    heard, found = [], []
    for count in (1, steps):
        keras.utils.set_random_seed(0)
        model, calls = sequential_block(), []
        listener = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, calls=calls: calls.append(batch)
        )
        model.compile("sgd", "mse", steps_per_execution=count)
        options = {"batch_size": 1, "shuffle": False, "callbacks": [listener]}
        model.fit(x, x[:, :2], verbose=0, **options)
        assert int(np.array(model.optimizer.iterations)) == 64
        heard.append(len(calls))
        found.append(model.get_weights()[0])
    assert heard == [64, 2]
    assert np.allclose(*found, atol=1e-6)


@functools.cache
def tried():
    from snippets.choosing.comparing import abilities

    return abilities((8, 8, 1), 10, *some_digits(8))


@proves(
    "At each level we tried three things: train the network with `fit`, save and "
    "load it, and read the `output` of the layer before the last to get its "
    'features. Each "no" names the error.',
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
    assert [list(outcomes) for outcomes in tried().values()] == 3 * [list(LEVELS)]
    trained, saved, features = tried().values()
    assert list(trained.values()) == [*4 * ["yes"], "no: AttributeError"]
    assert list(saved.values()) == [*4 * ["yes"], "no: AttributeError"]
    assert [level for level in LEVELS if features[level] == "yes"] == list(LEVELS[:2])


@proves(
    "A subclass gives up the graph. Until you take its graph by `keras.Model(x, "
    "model.call(x))`, its layers cannot be drawn as connected, and have no "
    "`output`; a wrong shape is found only when the model is called.",
    false_with={"make": lambda: layer_model(keras.layers.Flatten())},
)
def test_a_subclass_finds_a_wrong_shape_late(make=None):
    def start(self):
        keras.Model.__init__(self)
        self.flat = keras.layers.Flatten()
        self.convolution = keras.layers.Conv2D(2, 3)

    def call(self, x):
        return self.convolution(self.flat(x))

    wrong = type("Wrong", (keras.Model,), {"__init__": start, "call": call})
    model = (make or wrong)()
    assert not survives(lambda: model(np.zeros((1, 8, 8, 1))))
    assert not survives(lambda: model.layers[-2].output)
    right, x = subclass_of_one_layer(), keras.Input((3,))
    right(np.zeros((1, 3)))
    assert not survives(lambda: right.score.output)
    graph = keras.Model(x, right.call(x))
    assert graph.layers[-1] is right.score
    assert survives(lambda: right.score.output)
    assert not survives(lambda: layer_model(wrong().flat, wrong().convolution))


@proves(
    "**A loop of your own around a Keras model gives up `fit`.** You write the "
    "epochs, the validation, the metrics and what callbacks do; the model can "
    "still be saved, and gives features as before.",
    false_with={"level": "Subclassed"},
    needs="keras>=3",
)
def test_a_loop_gives_up_fit_alone(level="Functional"):
    from snippets.choosing import build_network
    from snippets.choosing.comparing import save_and_reload

    network = build_network(level, (8, 8, 1), 10)
    images, labels = some_digits(32)
    before = np.array(network(images))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.SGD(0.1)
    with tf.GradientTape() as tape:
        value = loss(labels, network(images, training=True))
    gradients = tape.gradient(value, network.trainable_variables)
    optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
    assert not np.allclose(network(images), before)
    loaded = save_and_reload(network, images)  # it compares what both answer
    for model in (network, loaded):
        assert survives(
            lambda model=model: keras.Model(model.inputs, model.layers[-2].output)
        )


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


def behind(change, level):
    """A model at this level that changes its data before anything else."""

    class Changed(keras.layers.Layer):
        def call(self, x):
            return change(x)

        def compute_output_shape(self, input_shape):
            return input_shape

    def start(self):
        keras.Model.__init__(self)
        self.changed, self.score = Changed(), keras.layers.Dense(2)

    def call(self, x):
        return self.score(self.changed(x))

    def step(self, data):
        return keras.Model.train_step(self, data)

    if level == "Sequential":
        layers = [keras.Input((3,)), Changed(), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
    elif level == "Functional":
        inputs = keras.Input((3,))
        model = keras.Model(inputs, keras.layers.Dense(2)(Changed()(inputs)))
    else:
        own = {"train_step": step} if level == "Own train_step" else {}
        model = type("Mine", (keras.Model,), {"__init__": start, "call": call, **own})()
    return model


def inverted_if_bright(x):
    if tf.reduce_mean(x) > 0.5:
        x = 1.0 - x
    return x


def train(model, x, y):
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    model.predict(x, verbose=0)


@proves(
    "A Python `if` on tensors, such as in the `call` of a layer, can work in "
    "`model(x)`. On Keras 3 with TensorFlow it fails in `fit` and `predict` at "
    "each of the four levels, since they compile the model, without translating "
    "its `if`, unless you pass `run_eagerly=True` to `compile`.",
    keras=">=3",
    false_with={"eagerly": True},
)
def test_an_if_fails_at_the_four_levels(eagerly=False):
    x, y = np.full((4, 3), 0.75, "float32"), np.ones((4, 2), "float32")
    for level in LEVELS[:4]:
        model = behind(inverted_if_bright, level)
        assert np.allclose(model(x), model(1.0 - x), atol=1e-6)
        model.compile("sgd", "mse", run_eagerly=eagerly)
        for action in (lambda m: m.fit(x, y, verbose=0), lambda m: m.predict(x)):
            with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
                action(model)


@proves(
    "A layer with such an `if` and without `compute_output_shape` fails even "
    "earlier, when you call it on an Input.",
    keras=">=3",
    false_with={
        "methods": {"compute_output_shape": lambda self, input_shape: (None, 3)}
    },
)
def test_an_if_fails_on_an_input(methods=()):
    def call(self, x):
        return inverted_if_bright(x)

    layer = type("Changed", (keras.layers.Layer,), {"call": call, **dict(methods)})()
    with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
        layer(keras.Input((3,)))


@proves(
    "A plain Python `if` on the data fails in `fit`, in a subclass as in a layer.",
    keras=">=3",
    false_with={"eagerly": True},
)
def test_an_if_in_call_fails_in_fit(eagerly=False):
    model = subclass_of_one_layer(call=branch)
    model.compile("sgd", "mse", run_eagerly=eagerly)
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
        model.fit(x, y, verbose=0)


@proves(
    "Keras 2 made such an `if` part of the graph.",
    keras="<3",
)
def test_an_if_in_call_was_translated_on_keras_2():
    x, y = np.full((4, 3), 0.75), np.ones((4, 2))
    model = subclass_of_one_layer(call=branch)
    model.compile("sgd", "mse")
    assert survives(lambda: model.predict(x, verbose=0))
    assert np.allclose(model.predict(x, verbose=0), 0.75)
    assert np.allclose(model.predict(1.0 - x, verbose=0), 0.75)  # the other branch
    assert survives(lambda: model.fit(x, y, verbose=0))


@proves(
    "Write the branch as `keras.ops.where`; it works at the four levels of Keras and "
    "in a `tf.function`, in training too.",
    false_with={"level": "if"},
    needs="keras>=3",
)
def test_where_works_at_all_five_levels(level="where"):
    from snippets.choosing import inverted_where_bright

    change = {"where": inverted_where_bright, "if": inverted_if_bright}[level]
    x, y = np.full((4, 3), 0.75, "float32"), np.ones((4, 2), "float32")
    for each in LEVELS[:4]:
        model = behind(change, each)
        assert np.allclose(model(x), model(1.0 - x), atol=1e-6)
        assert survives(lambda model=model: train(model, x, y))
    weight = tf.Variable(tf.ones([3, 2]))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(change(x) @ weight)
        return tape.gradient(loss, weight)

    assert np.allclose(step(tf.constant(x)), step(tf.constant(1.0 - x)))


@proves(
    "`keras.ops.where` computes both sides; `keras.ops.cond`, in the `call` of a "
    "custom layer, computes only the one that is taken.",
    false_with={"last": "where"},
    needs="keras>=3",
)
def test_cond_computes_one_side(last="cond"):
    class Inverted(keras.layers.Layer):
        def __init__(self, kind):
            super().__init__()
            self.kind, self.times = kind, tf.Variable(0)

        def inverted(self, x):
            self.times.assign_add(1)
            return 1.0 - x

        def call(self, x):
            is_bright = keras.ops.mean(x) > 0.5
            if self.kind == "where":
                return keras.ops.where(is_bright, self.inverted(x), x)
            return keras.ops.cond(is_bright, lambda: self.inverted(x), lambda: x)

    times = []
    for kind in ("where", last):
        layer, inputs = Inverted(kind), keras.Input((3,))
        model = keras.Model(inputs, layer(inputs))
        for brightness in (0.75, 0.25):
            before = int(layer.times)
            x = np.full((4, 3), brightness, "float32")
            assert np.allclose(model.predict(x, verbose=0), 0.25)
            times.append(int(layer.times) - before)
    assert times == [1, 1, 1, 0]


@proves(
    "If the side that is not taken has an infinite gradient, as `1 / x` has at 0, "
    "the whole gradient becomes NaN: put a safe number into that side first.",
    false_with={"number": 1.0},
    needs="keras>=3",
)
def test_where_makes_nan_of_the_other_side(number=0.0):
    def gradient(safe):
        x = tf.Variable([number, 4.0])
        with tf.GradientTape() as tape:
            is_positive = x > 0.5
            inside = keras.ops.where(is_positive, x, 1.0) if safe else x
            y = keras.ops.where(is_positive, 1 / inside, 2.0 * x)
        return np.array(tape.gradient(y, x)).tolist()

    assert np.isnan(gradient(safe=False)[0])
    assert gradient(safe=True) == [2.0, -0.0625]


@proves(
    "If it has to be Python, put `@tf.function` on `call`, so that the `if` "
    "becomes part of the graph, and call the model once before `fit` (why: "
    "Errors).",
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
    "`No gradients provided for any variable`, with `@tf.function` on `call` | its "
    "weights were first made in `fit`: call the model on a batch before",
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


# Which Keras


@functools.cache
def without_tf_keras():
    from snippets.choosing import which_keras

    return which_keras(["keras"], "1")


@proves(
    "Up to TensorFlow 2.15 all three imports gave Keras 2.",
    needs="keras!=2.21.*",
    keras="<3",
    tensorflow="<2.16",
)
def test_tf_keras_was_keras_2():
    package = importlib.import_module("keras")
    assert package.__version__.startswith("2.")
    assert tf.keras.Model is keras.Model is package.Model


@proves(
    "`TF_USE_LEGACY_KERAS=1` sends `tf.keras` to the package `tf_keras`, which is "
    "Keras 2.",
    needs="keras<3",
    tensorflow=">=2.16",
)
def test_the_variable_sends_tf_keras_to_keras_2():
    assert os.environ.get("TF_USE_LEGACY_KERAS") == "1"
    name = tf.keras.Model.__module__.partition(".")[0]
    assert name == "tf_keras"
    assert importlib.import_module(name).__version__.startswith("2.")


@proves(
    "To stay with Keras 2 on a new TensorFlow, install the `tf_keras` of the same "
    'version, such as `pip install "tf_keras~=2.17.0"` for TensorFlow 2.17, and write '
    "`import tf_keras as keras`.",
    needs="keras<3",
    tensorflow=">=2.16",
)
def test_tf_keras_is_keras_2():
    assert importlib.util.find_spec("tf_keras")
    legacy = importlib.import_module("tf_keras")
    of_tensorflow = ".".join(tf.__version__.split(".")[:2])
    assert legacy.__version__.startswith(f"{of_tensorflow}.")
    required = " ".join(importlib.metadata.requires("tf_keras"))
    assert f">={of_tensorflow}" in required
    model = legacy.Sequential([legacy.layers.Dense(2, input_shape=(3,))])
    assert model.predict(np.ones((4, 3)), verbose=0).shape == (4, 2)


@proves(
    "Code that says `tf.keras` needs the package and the variable, set before "
    'TensorFlow is imported: `import os; os.environ["TF_USE_LEGACY_KERAS"] = '
    '"1"`.',
    false_with={"late": True},
    needs="keras<3",
    tensorflow=">=2.16",
)
def test_the_variable_is_read_at_import(late=False):
    from snippets.processes import run_python

    change = "os.environ['TF_USE_LEGACY_KERAS'] = '1'"
    use = "import tensorflow as tf; getattr(tf.keras, 'Model', None)"
    order = [use, change] if late else [change, use]
    last = "print(tf.keras.Model.__module__.partition('.')[0])"
    found = ""
    with contextlib.suppress(RuntimeError):  # without Keras 3 the late one finds none
        program = "; ".join(["import os", *order, last])
        found = run_python(program, {"TF_USE_LEGACY_KERAS": "0"}).splitlines()[-1]
    assert found == "tf_keras"


@proves(
    "`ImportError: Keras cannot be imported. Check that it is installed.` | `tf.keras` "
    "with `TF_USE_LEGACY_KERAS=1` and without the package: install it, in your version",
    false_with={"lines": ["import keras", "from tensorflow import keras"]},
    needs="keras>=3",
)
def test_the_variable_without_the_package(
    lines=("from tensorflow import keras", "import keras"),
):
    refused, given = (without_tf_keras()[line] for line in lines)
    message = "ImportError: Keras cannot be imported. Check that it is installed."
    assert refused.startswith(message)
    assert given.startswith("Keras 3 (keras 3.")


@proves(
    "Since TensorFlow 2.16 you can see which one a program has by "
    "`keras.Model.__module__`: it begins with `keras` for Keras 3, with `tf_keras` for "
    "Keras 2.",
    tensorflow=">=2.16",
)
def test_the_module_name_tells_them_apart():
    name = keras.Model.__module__.partition(".")[0]
    version = importlib.import_module(name).__version__
    assert {"3": "keras", "2": "tf_keras"}[version[0]] == name


@proves(
    "Write `import keras`, which no variable redirects.",
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


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    return model


def classifier(*layers):
    end = [keras.layers.Flatten(), keras.layers.Dense(10)]
    return compiled(layer_model(*layers, *end))


@proves(
    "If `keras.ops` lacks an operation, call the TensorFlow function in a custom "
    "layer: the model still has `fit`, saving and drawing.",
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


# Errors


@proves(
    "`ModuleNotFoundError: No module named 'jax'` | `KERAS_BACKEND=jax` without JAX: "
    "install it, or unset the variable",
    false_with={"backend": "tensorflow"},
    needs="keras>=3",
)
def test_a_backend_that_is_not_installed(backend="jax"):
    message = "ModuleNotFoundError: No module named 'jax'"
    assert refusal(backend).endswith(message)


# How it came to this


@proves(
    "To load a class of your own from a `.keras` file, register it with "
    "`register_keras_serializable`, or pass it to `load_model` in `custom_objects`.",
    false_with={"registered": True},
    needs="keras>=3",
)
def test_a_file_needs_the_class(registered=False):
    class Mine(keras.layers.Layer):
        def call(self, x):
            return x

    if registered:
        keras.utils.register_keras_serializable("proofs")(Mine)
    with tempfile.TemporaryDirectory() as folder:
        layer_model(Mine()).save(f"{folder}/model.keras")
        with pytest.raises(TypeError, match="Could not locate class"):
            keras.models.load_model(f"{folder}/model.keras")
        known = {"Mine": Mine}
        keras.models.load_model(f"{folder}/model.keras", custom_objects=known)
        keras.utils.register_keras_serializable("proofs")(Mine)
        layer_model(Mine()).save(f"{folder}/registered.keras")
        keras.models.load_model(f"{folder}/registered.keras")

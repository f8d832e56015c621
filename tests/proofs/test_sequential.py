"""Proofs of the Sequential guide."""

import contextlib
import functools
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_sequential import (
    built,
    message_of,
    rows,
    summary_of,
    unbuilt,
    user_warnings,
)


def spread_rows():
    """Rows that tell two models apart."""
    return np.linspace(0, 1, 20, dtype="float32").reshape(5, 4)


def reloaded(model):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # NumPy asks Keras for `copy=`
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras")


# The answer


@proves(
    "Put `keras.Input(shape=...)` first in the list, with the shape of **one "
    "example**; the later layers work out theirs.",
    false_with={"shape": (5, 8, 8, 1)},
)
def test_input_first_gives_every_shape(shape=(8, 8, 1)):
    images = np.ones((5, 8, 8, 1))
    assert images.shape[1:] == shape
    layers = keras.layers
    rest = [layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=shape), *rest])
    found = [tuple(layer.output.shape) for layer in model.layers]
    assert found == [(None, 6, 6, 2), (None, 72), (None, 3)]


@proves(
    "Sequential is enough as long as each layer takes one tensor, the output of the"
    " layer before it, and returns one.",
    false_with={"order": (1, 0)},
)
def test_one_tensor_in_one_tensor_out(order=(0, 1)):
    layers = [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(4)]
    x = rows() * np.arange(4, dtype="float32")
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    by_hand = layers[order[1]](layers[order[0]](x))
    assert np.allclose(model(x), by_hand, atol=1e-6)


@proves(
    "The `None` in each shape is the batch, which may have any size.",
    false_with={"shape": (5, 784)},
)
def test_none_is_the_batch(shape=(None, 784)):
    inputs = keras.Input(batch_shape=shape)
    model = keras.Sequential([inputs, keras.layers.Dense(3)])
    assert model.output_shape == (None, 3)
    for count in (0, 1, 7, 40):
        assert model(np.ones((count, 784))).shape == (count, 3)


@proves(
    "The last layer was never told that it takes 64 numbers: it found out when the "
    "model was put together, and made a kernel of 64 × 10.",
    false_with={"units": 32},
)
def test_last_layer_found_out(units=64):
    last = keras.layers.Dense(10)
    assert not last.weights
    keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(units), last])
    assert tuple(last.kernel.shape) == (64, 10)


# When to use Sequential, and when not


@proves(
    "Calling it is `layer3(layer2(layer1(x)))`:",
    false_with={"order": (0, 2, 1)},
)
def test_a_call_is_one_layer_after_the_other(order=(0, 1, 2)):
    stacks = [
        [keras.layers.Dense(4, activation=name) for name in ("relu", "tanh", None)],
        [keras.layers.Dense(4), keras.layers.BatchNormalization(), keras.layers.ReLU()],
        [keras.layers.Rescaling(2.0), keras.layers.Dropout(0.5), keras.layers.Dense(4)],
    ]
    for layers in stacks:
        for start in ([keras.Input(shape=(4,))], []):
            model, result = keras.Sequential([*start, *layers]), spread_rows()
            expected = model(result)
            for position in order:
                result = layers[position](result)
            assert np.allclose(expected, result, atol=1e-6)


# Every way to give the shape


@proves(
    "First in the list, as `keras.Input`: the model then has its weights and all "
    "its shapes before it sees data, without a warning, on Keras 2 and on Keras 3.",
    false_with={"start": ()},
)
def test_input_first_is_complete_without_a_warning(start=((4,),)):
    def make():
        inputs = [keras.Input(shape=shape) for shape in start]
        models.append(keras.Sequential([*inputs, keras.layers.Dense(3)]))

    models = []
    assert not user_warnings(make)
    assert models[0].built
    assert models[0].count_params() == 15


@proves(
    "**As `input_shape` in the first layer**, in older tutorials. On Keras 3 it "
    "still works, with the warning ``Do not pass an `input_shape`/`input_dim` "
    "argument to a layer``.",
    keras=">=3",
    false_with={"given": ({},)},
)
def test_shape_on_the_first_layer_warns(
    given=({"input_shape": (4,)}, {"input_dim": 4}),
):
    for arguments in given:
        made = []
        layer = functools.partial(keras.layers.Dense, 3, **arguments)
        caught = user_warnings(lambda made=made, layer=layer: made.append(layer()))
        said = "Do not pass an `input_shape`/`input_dim` argument to a layer"
        assert said in " ".join(caught)
        model = keras.Sequential(made)
        assert model.built
        assert model.input_shape == (None, 4)


@proves(
    "`build` wants the batch in its shape, `Input` does not.",
    false_with={"batch": ()},
)
def test_build_wants_the_batch(batch=(None,)):
    late, fixed = unbuilt(), keras.Input(batch_shape=(2, 4))
    assert tuple(keras.Input(shape=(4,)).shape) == (None, 4)
    assert tuple(fixed.shape) == (2, 4)
    shape = (*batch, 4)
    assert len(shape) == 2
    late.build(shape)
    assert late.input_shape == (None, 4)
    with pytest.raises(ValueError):
        unbuilt().build((4,))


@proves(
    "Nowhere, as in `keras.Sequential([keras.layers.Dense(3)])`: the model waits "
    "for data, and the first data decides the shape.",
    false_with={"columns": 4},
)
def test_first_data_decides(columns=7):
    model = unbuilt()
    assert not model.built
    model(np.ones((5, columns)))
    assert model.built
    assert model.layers[0].kernel.shape[0] == 7
    with pytest.raises(ValueError):
        model(np.ones((5, 8)))


@proves(
    "You can `compile`, `fit` and `predict` such a model.",
    false_with={"method": "compile"},
)
def test_fit_and_predict_build_the_model(method="fit"):
    model, other = unbuilt(), unbuilt()
    model.compile("sgd", "mse")
    if method == "fit":
        model.fit(rows(), np.zeros((5, 3)), verbose=0)
    assert model.built
    assert len(model.weights) == 2
    assert other.predict(rows(), verbose=0).shape == (5, 3)
    assert len(other.weights) == 2


@proves(
    "Before the first data, and without `build`, `summary()` shows no shapes, and "
    "you cannot copy, load or save weights, or take the output of a layer.",
    false_with={"make": built},
)
def test_what_needs_an_input(make=unbuilt):
    def build():
        model = unbuilt()
        model.build((None, 4))
        return model

    def works(model):
        other, seen = built(), []
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # NumPy asks Keras for `copy=`
            other.save_weights(f"{folder}/a.weights.h5")
            for use in (
                lambda: "(None, 3)" in summary_of(model),
                lambda: len(model.get_weights()) == 2,
                lambda: keras.Model(model.inputs[0], model.layers[-1].output).built,
                lambda: len(reloaded(model).get_weights()) == 2,
                lambda: model.load_weights(f"{folder}/a.weights.h5") or True,
            ):
                try:
                    seen.append(use())
                except Exception:
                    seen.append(False)
        return seen

    assert works(built()) == works(build()) == [True] * 5
    assert works(make()) == [False] * 5


@proves(
    "Calling the model on data builds it too. After a call on `rows` its "
    "`input_shape` is `(5, 4)`, but it takes batches of any size.",
    false_with={"count": 6},
)
def test_first_call_notes_the_batch(count=5):
    model = unbuilt()
    model(rows(count))
    assert model.built
    assert model.input_shape == (5, 4)
    for other in (1, 7):
        assert model(rows(other)).shape == (other, 3)
        assert model.predict(rows(other), verbose=0).shape == (other, 3)


# A model without a shape


@proves(
    "Until it is built, `summary()` raises on Keras 2, and shows `?` and 0 "
    "parameters on Keras 3:",
    false_with={"make": built},
    needs="keras>=3",
)
def test_summary_of_unbuilt_on_keras_3(make=unbuilt):
    printed = summary_of(make())
    assert "?" in printed
    assert "Total params: 0" in printed


@proves(
    "Until it is built, `summary()` raises on Keras 2, and shows `?` and 0 "
    "parameters on Keras 3:",
    keras="<3",
    false_with={"make": built},
)
def test_summary_of_unbuilt_on_keras_2(make=unbuilt):
    with pytest.raises(ValueError, match="has not yet been built"):
        summary_of(make())


@proves(
    "On Keras 3 a Sequential model has `.input` and `.output` only after you have "
    "called it on a `keras.Input`; it is not enough that its list begins with "
    "one, that it has predicted, or that it was loaded.",
    keras=">=3",
    false_with={"names": ("inputs", "outputs")},
)
def test_no_input_on_keras_3(names=("input", "output")):
    late = unbuilt()
    late.build((None, 4))
    used = built()
    used.predict(rows(), verbose=0)
    for model in (built(), late, used, reloaded(built())):
        for name in names:
            with pytest.raises((AttributeError, ValueError), match="never been called"):
                getattr(model, name)
    used(keras.Input(shape=(4,)))
    for name, size in zip(names, (4, 3), strict=True):
        assert tuple(getattr(used, name).shape) == (None, size)


@proves(
    "Write `model.inputs[0]` and `model.outputs[0]`, which a built model has on "
    "Keras 2 and on Keras 3.",
    false_with={"sequential": False},
)
def test_inputs_and_outputs_on_both(sequential=True):
    pair = [keras.Input(shape=(4,)), keras.Input(shape=(4,))]
    both = keras.Model(pair, [keras.layers.Dense(3)(x) for x in pair])
    for model in [built(), reloaded(built())] if sequential else [both]:
        assert [tuple(x.shape) for x in model.inputs] == [(None, 4)]
        assert [tuple(x.shape) for x in model.outputs] == [(None, 3)]


@proves(
    "If you cannot start with an Input, build the model from the data, with the "
    "batch left open:",
    false_with={"batch": 5},
)
def test_build_from_the_data(batch=None):
    model, x = unbuilt(), rows()
    model.build((batch, *x.shape[1:]))
    assert model.input_shape == (None, 4)
    assert model(rows(7)).shape == (7, 3)


# Every later layer works its shape out


@proves(
    "The 3 × 3 convolution took 2 off height and width, and the pooling halved them.",
    false_with={"padding": "same"},
)
def test_shapes_of_images(padding="valid"):
    x = keras.Input(shape=(28, 28, 1))
    convolved = keras.layers.Conv2D(32, 3, padding=padding)(x)
    assert tuple(convolved.shape) == (None, 26, 26, 32)
    pooled = keras.layers.MaxPooling2D()(convolved)
    assert tuple(pooled.shape) == (None, 13, 13, 32)
    assert tuple(keras.layers.Flatten()(pooled).shape) == (None, 13 * 13 * 32)


@proves(
    "The GRU returns its last state, so the axis of the steps is gone after it; "
    "with `return_sequences=True` it stays.",
    false_with={"return_sequences": False},
)
def test_time_is_gone_after_a_gru(return_sequences=True):
    x = keras.Input(shape=(None, 8))
    last = keras.layers.GRU(4)
    assert tuple(last(x).shape) == (None, 4)
    every = keras.layers.GRU(4, return_sequences=return_sequences)
    assert tuple(every(x).shape) == (None, None, 4)
    every.set_weights(last.get_weights())
    steps = np.linspace(-1, 1, 80).reshape(2, 5, 8).astype("float32")
    assert np.allclose(every(steps)[:, -1], last(steps), atol=1e-5)


# Text: tokens, embeddings and padding


@proves(
    "With `None` for the number of steps, one model reads sequences of every length.",
    false_with={"time": 5},
)
def test_sequences_of_every_length(time=None):
    layers = [keras.layers.GRU(4), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(time, 8)), *layers])
    assert model.input_shape == (None, None, 8)
    for length in (1, 5, 13):
        x = np.ones((2, length, 8))
        assert np.allclose(model(x), layers[1](layers[0](x)), atol=1e-5)


# `add()`, look, `add()` again


@proves(
    "A model that starts with an Input is complete after each `add`, so you can "
    "look at it as it grows:",
    false_with={"start": False},
)
def test_look_after_each_add(start=True):
    model, seen = keras.Sequential(), []
    if start:
        model.add(keras.Input(shape=(28, 28, 1)))
    for layer in (keras.layers.Conv2D(32, 3), keras.layers.MaxPooling2D()):
        model.add(layer)
        assert model.built
        seen.append(model.output_shape)
    assert seen == [(None, 26, 26, 32), (None, 13, 13, 32)]


@proves(
    "`Flatten` would now give 5,408 numbers (13 × 13 × 32), and a `Dense` "
    "layer of 64 units after it would have 346,176 parameters.",
    false_with={"size": 32},
)
def test_look_before_you_flatten(size=28):
    layers = [keras.layers.Conv2D(32, 3), keras.layers.MaxPooling2D()]
    model = keras.Sequential([keras.Input(shape=(size, size, 1)), *layers])
    assert model.output_shape == (None, 13, 13, 32)
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Dense(64))
    assert [layer.output.shape[-1] for layer in model.layers[-2:]] == [5408, 64]
    assert model.layers[-1].count_params() == 346176


@proves(
    "Here `GlobalAveragePooling2D` leaves 32 numbers:",
    false_with={"name": "Flatten"},
)
def test_global_pooling_leaves_the_channels(name="GlobalAveragePooling2D"):
    layers = [keras.layers.Conv2D(32, 3), keras.layers.MaxPooling2D()]
    model = keras.Sequential([keras.Input(shape=(28, 28, 1)), *layers])
    model.add(getattr(keras.layers, name)())
    model.add(keras.layers.Dense(64))
    assert model.layers[-1].count_params() == 32 * 64 + 64
    assert "2112" in summary_of(model).replace(",", "")
    assert model.layers[-2].output.shape[1:] == (32,)


@proves("`pop()` takes the last layer off again.", false_with={"left": 2})
def test_pop_takes_the_last_layer_off(left=1):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    model.pop()
    assert model.layers == layers[:left]
    assert model.output_shape == (None, 7)


@proves(
    "To replace the first layer by one that gives the same shape, make a new "
    "model, `keras.Sequential([keras.Input((4,)), first, *model.layers[1:]])`, and "
    "compile it.",
    false_with={"units": 5},
)
def test_first_layer_is_swapped(units=7):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    weights = model.layers[1].get_weights()
    fits, first = True, keras.layers.Dense(units, activation="relu")
    try:
        swapped = keras.Sequential([keras.Input((4,)), first, *model.layers[1:]])
    except ValueError:
        fits = False
    assert fits
    assert np.allclose(swapped(rows()), layers[1](first(rows())), atol=1e-6)
    assert all(map(np.array_equal, weights, swapped.layers[1].get_weights()))


# Train, evaluate, predict


@proves(
    "`compile` sets the optimizer, the loss and the metrics; `fit` trains; "
    "`evaluate` measures; `predict` answers.",
    false_with={"rate": 0.0},
)
def test_four_verbs(rate=0.01):
    model, x, y = built(), rows(), np.zeros((5, 3), "float32")
    model.compile(keras.optimizers.SGD(rate), loss="mse", metrics=["mae"])
    before = model.evaluate(x, y, verbose=0)
    assert len(before) == 2
    model.fit(x, y, epochs=2, verbose=0)
    after, answers = model.evaluate(x, y, verbose=0), model.predict(x, verbose=0)
    assert after[0] < before[0]
    assert np.isclose(after[0], np.mean(answers**2), atol=1e-6)
    assert np.isclose(after[1], np.mean(np.abs(answers)), atol=1e-6)


@functools.cache
def scores_of_digits():
    """What `predict` gives for images of digits after four epochs, and the digits."""
    from snippets.data import digit_vectors, split_train_test
    from snippets.sequential import train_classifier, vector_classifier

    x_train, y_train, x_test, y_test = split_train_test(*digit_vectors())
    model = vector_classifier(64, 10)
    train_classifier(model, x_train, y_train, epochs=4)
    return model.predict(x_test, verbose=0), y_test


@proves(
    "`predict` gives ten probabilities for each image, and the digit is the index of "
    "the largest:",
    false_with={"find": "argmin"},
    needs="keras>=3",
)
def test_predict_gives_probabilities(find="argmax"):
    scores, expected = scores_of_digits()
    assert scores.shape == (360, 10)
    assert (scores >= 0).all()
    assert np.allclose(scores.sum(axis=-1), 1.0, atol=1e-5)
    assert (getattr(scores, find)(axis=-1) == expected).mean() > 0.8


@proves(
    "With `keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)` in "
    "the list `callbacks`, `fit` stops once `val_loss` has not fallen for 3 epochs, "
    "and takes the weights of the best one.",
    false_with={"options": {"patience": 3}},
)
def test_early_stopping_chooses_the_epoch(options=None):
    options = options or {"patience": 3, "restore_best_weights": True}
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.05), "mse")
    one = np.ones((4, 1), "float32")
    weight = 0.0
    expected = [weight := weight + 0.1 * (1 - weight) for _ in range(20)]
    best = int(np.argmin(np.abs(np.array(expected) - 0.5)))
    stop = keras.callbacks.EarlyStopping(**options)
    history = model.fit(
        one, one, epochs=20, validation_data=(one, one / 2), callbacks=[stop], verbose=0
    )
    assert len(history.history["val_loss"]) == best + 1 + 3
    assert np.allclose(model.get_weights()[0], expected[best], atol=1e-5)


@proves(
    "`predict` needs no `compile`; `fit` and `evaluate` do.",
    false_with={"compiled": True},
)
def test_fit_wants_compile(compiled=False):
    model, y = built(), np.ones((5, 3))
    if compiled:
        model.compile("sgd", "mse")
    assert model.predict(rows(), verbose=0).shape == (5, 3)
    for use in (model.fit, model.evaluate):
        with pytest.raises((RuntimeError, ValueError), match="compile"):
            use(rows(), y, verbose=0)


@proves(
    "`clone_model` copies the layers without their weights, so no fold begins with "
    "what another one has learned:",
    false_with={"copy": lambda model: model},
)
def test_each_fold_begins_untrained(copy=keras.models.clone_model):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.ones((8, 2)), verbose=0)
    fold = copy(model)
    assert [type(layer) for layer in fold.layers] == [keras.layers.Dense]
    kernel, bias = fold.get_weights()
    assert kernel.shape == (3, 2)
    assert not np.allclose(kernel, model.get_weights()[0])
    assert not np.any(bias)


@proves(
    "{recipe}`snippets.sequential.label_folds` makes folds with the same mix of "
    "labels, and {recipe}`snippets.sequential.evaluate_folds` returns every metric of "
    "each fold: see K-fold evaluation.",
    false_with={"by_label": False},
    needs="keras>=3",
)
def test_folds_have_the_same_mix(by_label=True):
    from snippets.sequential import evaluate_folds, label_folds

    def make_model(examples):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mae"])
        return model

    labels = np.repeat([0.0, 1.0], [8, 4])
    folds = label_folds(labels, 4) if by_label else np.split(np.arange(12), 4)
    assert [labels[fold].sum() for fold in folds] == [1.0] * 4
    assert [len(fold) for fold in folds] == [3] * 4
    scores = evaluate_folds(make_model, np.ones((12, 3)), labels, folds)
    assert {name: each.shape for name, each in scores.items()} == {
        "loss": (4,),
        "mae": (4,),
    }


# Save it, load it


@functools.cache
def answers_elsewhere():
    """What a saved model answers in a new process, and the model."""
    code = """
import sys
import numpy as np
from tensorflow import keras
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], model(np.linspace(0, 1, 20, dtype="float32").reshape(5, 4)))
"""
    model = built()
    with tempfile.TemporaryDirectory() as folder:
        paths = f"{folder}/model.keras", f"{folder}/answers.npy"
        model.save(paths[0])
        subprocess.run(
            [sys.executable, "-c", code, *paths],
            check=True,
            capture_output=True,
            env=dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path))),
        )
        return np.load(paths[1]), model


@proves(
    "A new Python process that loads the file gets the same answers.",
    false_with={"same": False},
)
def test_same_answers_elsewhere(same=True):
    elsewhere, model = answers_elsewhere()
    if not same:
        other = keras.layers.Dense(3, kernel_initializer="ones")
        model = keras.Sequential([keras.Input(shape=(4,)), other])
    here = np.asarray(model(spread_rows()))
    assert here.shape == (5, 3)
    assert np.allclose(elsewhere, here, atol=1e-6, rtol=0)


@proves(
    "The file does not hold what you did to the data before `fit`, here the division "
    "by 16: do it again, or make it a layer, `keras.layers.Rescaling(1 / 16)`.",
    false_with={"start": "a layer"},
)
def test_preparation_is_not_in_the_file(start="before fit"):
    dense = keras.layers.Dense(3, kernel_initializer="ones")
    plain = keras.Sequential([keras.Input((4,)), dense])
    scale = keras.layers.Rescaling(1 / 16)
    scaled = keras.Sequential([keras.Input((4,)), scale, dense])
    x = 16 * spread_rows()
    expected = plain(x / 16)
    assert np.allclose(reloaded(plain)(x / 16), expected, atol=1e-5)
    assert np.allclose(reloaded(scaled)(x), expected, atol=1e-5)
    model = scaled if start == "a layer" else plain
    assert not np.allclose(reloaded(model)(x), expected, atol=1e-2)


@proves(
    "Build the model before you save it: Keras warns if it is not built, and what "
    "is loaded is not built either.",
    false_with={"make": built},
)
def test_unbuilt_is_saved_unbuilt(make=unbuilt):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model.keras"
        caught = user_warnings(lambda: make().save(path))
        loaded = keras.models.load_model(path)
    assert "has not yet been built" in " ".join(caught)
    assert not loaded.built


# Features, and a new head


@proves(
    "To get the features of a layer, make a model from `model.inputs[0]` to the "
    "output of that layer:",
    false_with={"shift": 1},
)
def test_features_of_a_layer(shift=0):
    shape, x = (8, 8, 1), np.linspace(0, 1, 128).reshape(2, 8, 8, 1)
    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=shape), *layers])
    for position, layer in enumerate(layers):
        features = keras.Model(model.inputs[0], model.layers[position - shift].output)
        x = layer(x)
        found = features.predict(np.linspace(0, 1, 128).reshape(2, 8, 8, 1), verbose=0)
        assert found.shape == x.shape
        assert np.allclose(found, x, atol=1e-5)


@proves(
    "Call the layers one after the other on an Input of your own. The new model is "
    "Functional, and shares the trained layers:",
    false_with={"shares": False},
)
def test_called_anew_it_is_functional(shares=True):
    """Also layers that another model has called before, and in training mode."""
    x_train = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    layers = [keras.layers.Dense(3), keras.layers.BatchNormalization()]
    keras.Sequential([keras.Input(shape=(4,)), *layers])
    layers += [keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    x = inputs = keras.Input(shape=(4,))
    for layer in model.layers:
        layer = layer if shares else type(layer).from_config(layer.get_config())
        x = layer(x)
    functional = keras.Model(inputs, x)
    functional.compile("sgd", "mse")
    functional.fit(x_train, np.ones((8, 2)), verbose=0)
    assert np.allclose(functional(x_train), model(x_train), atol=1e-6)


@proves(
    "If another model called the layers earlier than this one, `.output` is a "
    "tensor of that model: call them anew, as under Convert to Functional, and end "
    "at the tensor that you want.",
    false_with={"before": False},
)
def test_an_output_of_another_model(before=True):
    layers = [keras.layers.Dense(3), keras.layers.Dense(2)]
    if before:
        keras.Sequential([keras.Input(shape=(4,)), *layers])
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])

    try:
        is_cut = keras.Model(model.inputs[0], layers[0].output)(rows()) is None
    except Exception:  # its type differs by version
        is_cut = True
    assert is_cut
    inputs = keras.Input(shape=(4,))
    anew = keras.Model(inputs, model.layers[0](inputs))
    assert np.allclose(anew(rows()), layers[0](rows()), atol=1e-6)


@proves(
    "A new model without the last layer, with the trained weights of the others, ends "
    "one layer earlier:",
    false_with={"position": -1},
)
def test_a_model_without_its_last_layer(position=-2):
    layers = [keras.layers.Dense(3), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    model.compile("sgd", "mse")
    model.fit(rows(), np.ones((5, 2)), verbose=0)
    shorter = keras.Model(model.inputs[0], model.layers[position].output)
    assert shorter.predict(rows(), verbose=0).shape == (5, 3)
    assert np.allclose(shorter(rows()), layers[0](rows()), atol=1e-6)
    assert model.layers == layers


@proves(
    "They belong to both models, so they are frozen in `first_five` too.",
    false_with={"copy": keras.models.clone_model},
)
def test_frozen_in_both_models(copy=lambda model: model):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    first = keras.Sequential([keras.Input((4,)), *layers])
    kept = copy(first).layers[:-1]
    for layer in kept:
        layer.trainable = False
    other = keras.Sequential([keras.Input((4,)), *kept, keras.layers.Dense(5)])
    for model in (first, other):
        assert len(model.trainable_weights) == 2


@proves(
    "The frozen layers did not change.", false_with={"frozen": False}, needs="keras>=3"
)
def test_frozen_layers_did_not_change(frozen=True):
    from snippets.sequential import image_classifier, train_classifier, with_new_head

    first = image_classifier((8, 8, 1), 5)
    model = with_new_head(first, 5, num_dropped=2)
    for layer in model.layers[:-1]:
        assert not layer.trainable
        layer.trainable = not frozen
    images = np.random.default_rng(0).random((10, 8, 8, 1))
    before = model.get_weights()
    train_classifier(model, images, np.arange(10) % 5, epochs=2)
    same = list(map(np.array_equal, before, model.get_weights()))
    assert same == [True, True, False, False]  # a convolution, and the new head


@proves(
    "The recipe {recipe}`snippets.sequential.with_new_head` does this for any number "
    "of dropped layers.",
    false_with={"counts": (0,)},
    needs="keras>=3",
)
def test_any_number_of_layers_is_dropped(counts=(1, 2, 3, 4)):
    from snippets.sequential import image_classifier, with_new_head

    for count in counts:
        made, first = None, image_classifier((8, 8, 1), 5)
        with contextlib.suppress(ValueError):
            made = with_new_head(first, 7, num_dropped=count)
        assert made is not None
        assert made.layers[:-1] == first.layers[:-count]
        assert made.output_shape[-1] == 7
        assert made.trainable_weights == made.layers[-1].weights


# When Sequential is not enough


@proves(
    "several inputs | if the list begins with an Input, Keras 3 uses the first of "
    "the arrays alone, and Keras 2 raises",
    keras="<3",
)
def test_two_inputs_on_keras_2():
    with pytest.raises(ValueError, match=r"expects 1 input\(s\), but it received 2"):
        built()([rows(), rows()])


@proves(
    "several inputs | if the list begins with an Input, Keras 3 uses the first of "
    "the arrays alone, and Keras 2 raises",
    false_with={"first": 1},
    needs="keras>=3",
)
def test_two_inputs_on_keras_3(first=0):
    model, pair = built(), [rows(), 2 * rows()]
    assert np.allclose(model(pair), model(pair[first]), atol=1e-6)
    found = model.predict(pair, verbose=0)
    assert np.allclose(found, model(pair[first]), atol=1e-6)
    model.compile("sgd", "mse")
    losses = [
        model.evaluate(x, np.ones((5, 3)), verbose=0) for x in (pair, pair[first])
    ]
    assert np.allclose(*losses, atol=1e-6)


@proves(
    "outputs of several layers | it returns the output of the last layer alone",
    false_with={"functional": True},
)
def test_only_the_last_output(functional=False):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    if functional:
        model = keras.Model(model.inputs, [layer.output for layer in layers])
    assert len(model.outputs) == 1
    assert np.allclose(model(rows()), layers[1](layers[0](rows())), atol=1e-6)


@proves(
    "a branch or a skip connection | each layer sees only the output of the one "
    "before it, so `Add` after a layer has nothing to add and raises",
    false_with={"name": "Dropout"},
)
def test_branch_cannot_be_said(name="Add"):
    layer = keras.layers.Add() if name == "Add" else keras.layers.Dropout(0.5)
    with pytest.raises(ValueError, match="merge layer should be called on a list"):
        keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(4), layer])


@proves(
    "self-attention | `MultiHeadAttention` takes the sequence twice, so it raises",
    false_with={"name": "GRU"},
)
def test_attention_raises(name="MultiHeadAttention"):
    is_attention = name == "MultiHeadAttention"
    layer = (
        keras.layers.MultiHeadAttention(2, 4) if is_attention else keras.layers.GRU(4)
    )
    x = keras.Input(shape=(8, 4))
    if is_attention:
        assert tuple(layer(x, x).shape) == (None, 8, 4)
    with pytest.raises((TypeError, ValueError)):
        keras.Sequential([keras.Input(shape=(8, 4)), layer])


@proves(
    "If one part of your model is a plain stack, write it as a Sequential model, and "
    "call it inside a Functional model like a layer.",
    false_with={"merge": "Multiply"},
)
def test_sequential_is_a_layer(merge="Add"):
    block = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(4)])
    assert isinstance(block, keras.layers.Layer)
    x = keras.Input(shape=(4,))
    around = keras.Model(x, getattr(keras.layers, merge)()([x, block(x)]))
    assert block in around.layers
    assert np.allclose(around(rows()), rows() + block(rows()), atol=1e-6)


@proves(
    "The list may hold a model too, Sequential or Functional, as one layer: if it "
    "is named `base`, its layer `conv` is "
    '`model.get_layer("base").get_layer("conv")`.',
    false_with={"unpacked": True},
)
def test_a_model_in_the_list_is_one_layer(unpacked=False):
    start, conv = keras.Input(shape=(4, 2)), keras.layers.Conv1D(3, 2, name="conv")
    x = np.linspace(0, 1, 40, dtype="float32").reshape(5, 4, 2)
    for base in (
        keras.Sequential([keras.Input(shape=(4, 2)), conv], name="base"),
        keras.Model(start, conv(start), name="base"),
    ):
        head = keras.layers.Flatten()
        model = keras.Sequential([*base.layers, head] if unpacked else [base, head])
        assert model.layers == [base, head]
        assert model.get_layer("base").get_layer("conv") is conv
        assert np.allclose(model(x), head(conv(x)), atol=1e-6)


# What the shape means


@proves(
    "`shape` describes one example, and Keras puts the batch axis in front of it.",
    false_with={"batch": 5},
)
def test_batch_is_in_front_of_the_shape(batch=None):
    for shape in ((), (4,), (28, 28, 1), (None, 100)):
        declared = keras.Input(shape=shape, batch_size=batch)
        assert tuple(declared.shape) == (None, *shape)


@proves(
    "For gray images of 28 × 28 pixels, `shape=(28, 28, 1)` gives this tensor:",
    false_with={"shape": (28, 28)},
)
def test_gray_images(shape=(28, 28, 1)):
    assert tuple(keras.Input(shape=shape).shape) == (None, 28, 28, 1)


@proves(
    "The shape for your data is `x.shape[1:]`, with `None` in place of an axis that "
    "varies.",
    false_with={"skipped": 0},
)
def test_shape_is_that_of_the_data_without_the_batch(skipped=1):
    for size in ((5, 4), (5, 8, 8, 1), (5, 6, 4)):
        x = np.ones(size)
        model = keras.Sequential([keras.Input(shape=x.shape[skipped:])])
        model.add(keras.layers.Dense(3))
        assert model.input_shape == (None, *size[1:])
        assert model(x).shape == (*size[:-1], 3)
    varying = keras.Sequential([keras.Input(shape=(None, 4)), keras.layers.GRU(3)])
    for length in (1, 6, 9):
        assert varying(np.ones((5, length, 4))).shape == (5, 3)


# Errors from putting it together


@functools.cache
def layer_of_the_other_keras():
    """A layer of `tf_keras`; where there is none, what Keras sees in its place."""
    try:
        import tf_keras
    except ImportError:
        return object()
    return tf_keras.layers.Dense(3)


@proves(
    "The list holds something that is no layer: a name, a class without its "
    "parentheses, or a layer of the other Keras, such as "
    "`tf_keras.layers.Dense(3)`.",
    false_with={"good": True},
    needs="keras>=3",
)
def test_only_layers_can_be_added(good=False):
    wrong = ["relu", keras.layers.Dense, layer_of_the_other_keras()]
    for item in [keras.layers.Dense(3)] if good else wrong:
        with pytest.raises(
            ValueError, match=r"Only instances of `keras\.Layer` can be"
        ):
            keras.Sequential([keras.layers.Flatten(), item])


@proves(
    'Write `keras.layers.Activation("relu")`, add the parentheses, or import '
    "everything from one of `keras` and `tf_keras`.",
    false_with={"class_itself": True},
)
def test_the_three_cures_are_layers(class_itself=False):
    flatten = keras.layers.Flatten
    layers = [
        flatten if class_itself else flatten(),
        keras.layers.Activation("relu"),
        keras.layers.Dense(3),
    ]
    model, refused = keras.Sequential([keras.Input(shape=(4,))]), None
    try:
        for layer in layers:
            model.add(layer)
    except (TypeError, ValueError) as error:
        refused = error
    assert refused is None
    assert model(rows()).shape == (5, 3)


# No error, wrong result


def two_layers():
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input(shape=(4,)), *layers])


@proves(
    "On TensorFlow, with Keras 2 and with Keras 3, the first `fit` or `predict` "
    "makes a function of the layers and keeps it, so later runs on batches of "
    "that size do not see that layers changed.",
    false_with={"compiled_again": True},
)
def test_predict_goes_on_with_the_old_model(compiled_again=False):
    model = two_layers()
    old = model.predict(rows(), verbose=0)
    model.layers[-1].kernel.assign(0 * model.layers[-1].kernel)
    changed = model.predict(rows(), verbose=0)
    assert not np.allclose(old, changed)  # values are read again, layers are not
    model.pop()
    model.add(keras.layers.Dense(3, kernel_initializer="ones"))
    if compiled_again:
        model.compile("sgd", "mse")
    assert np.allclose(model.predict(rows(), verbose=0), changed)


@proves(
    "After `pop()` the call `cut(rows)` runs the shorter model, but `predict` on a "
    "batch of the same size still runs the longer one:",
    false_with={"used": False},
)
def test_model_and_predict_disagree(used=True):
    model = two_layers()
    if used:
        model.predict(rows(), verbose=0)
    model.pop()
    assert model.output_shape == (None, 7)
    assert model(rows()).shape == (5, 7)
    assert model.predict(rows(), verbose=0).shape == (5, 3)


def change_after_training(compile_again=False):
    """Whether the layer taken off and the new one move when `fit` is called again."""
    model, y = two_layers(), np.zeros((5, 3), "float32")
    model.compile("sgd", "mse")
    model.fit(rows(), y, verbose=0)
    removed, new = model.layers[-1], keras.layers.Dense(3)
    model.pop()
    model.add(new)
    if compile_again:
        model.compile("sgd", "mse")
    before = [layer.get_weights()[0].copy() for layer in (removed, new)]
    model.fit(rows(), y, verbose=0)
    after = [layer.get_weights()[0] for layer in (removed, new)]
    return [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


@proves(
    "If the model was fitted before the change, the next `fit` still trains the "
    "layer that `pop()` took off, and does not train one that `add()` put on.",
    false_with={"compile_again": True},
)
def test_fit_trains_the_layer_that_was_taken_off(compile_again=False):
    removed_moves, new_moves = change_after_training(compile_again)
    assert removed_moves
    assert not new_moves


@proves(
    "Call `compile` again after the last change, as below, or make a new model from an "
    "Input and `cut.layers`.",
    false_with={"again": False},
)
def test_compile_again(again=True):
    assert change_after_training(compile_again=again) == [False, True]
    model = two_layers()
    model.predict(rows(), verbose=0)
    shorter = keras.Sequential([keras.Input(shape=(4,)), *model.layers[:-1]])
    assert shorter.predict(rows(), verbose=0).shape == (5, 7)


@proves(
    "The layers that stay keep their weights, and the optimizer of the new `compile` "
    "begins anew:",
    false_with={"again": False},
)
def test_what_stays_after_compile(again=True):
    model = two_layers()
    model.compile("adam", "mse")
    model.fit(rows(), np.zeros((5, 3)), epochs=2, verbose=0)
    kept = model.layers[0].get_weights()
    model.pop()
    model.add(keras.layers.Dense(2))
    if again:
        model.compile("adam", "mse")
    assert np.array_equal(model.layers[0].get_weights()[0], kept[0])
    assert int(np.array(model.optimizer.iterations)) == 0


@proves(
    "Dropout and BatchNormalization stand in the list like other layers: `fit` runs "
    "them in training mode, `evaluate` and `predict` do not.",
    false_with={"rate": 0.0},
)
def test_fit_alone_is_training(rate=0.5):
    x = np.ones((64, 4), "float32")
    normalize = keras.layers.BatchNormalization()
    normalized = keras.Sequential([keras.Input(shape=(4,)), normalize])
    same = keras.layers.Dense(4, kernel_initializer="identity")
    drop = keras.layers.Dropout(rate, seed=0)
    dropped = keras.Sequential([keras.Input(shape=(4,)), drop, same])
    for model in (normalized, dropped):
        model.compile("sgd", "mae")
        model.predict(x, verbose=0)
    normalized.evaluate(x, x, verbose=0)
    assert not np.array(normalize.moving_mean).any()
    assert np.array_equal(dropped.predict(x, verbose=0), x)
    assert dropped.evaluate(x, x, verbose=0) == 0
    normalized.fit(x, x, verbose=0)
    assert np.array(normalize.moving_mean).all()
    assert dropped.fit(x, x, verbose=0).history["loss"][0] > 0


def trained_at_another_rate(optimizer):
    """A model after three steps, two of them with the learning rate 0.01."""
    model, zeros = built(), np.zeros((5, 3))
    model.compile(optimizer, "mse", metrics=["mae"])
    model.fit(rows(), zeros, verbose=0)
    model.optimizer.learning_rate = 0.01
    model.fit(rows(), zeros, epochs=2, verbose=0)
    return model


@proves(
    "The file holds the layers, their weights and, of a compiled model, the loss, the "
    "metrics and the optimizer with its learning rate, step count and running "
    "averages. So `fit` on the loaded model goes on as on the saved one; after a new "
    "`compile` the weights stay, and the optimizer begins anew.",
    false_with={"then": lambda model: model.compile("adam", "mse", metrics=["mae"])},
)
def test_a_file_holds_the_optimizer(then=lambda model: None):
    zeros = np.zeros((5, 3))
    model = trained_at_another_rate(keras.optimizers.Adam(0.02))
    copy, anew = reloaded(model), reloaded(model)
    then(copy)
    anew.compile("adam", "mse")
    for one in (copy, anew):
        assert np.array_equal(one.get_weights()[0], model.get_weights()[0])
    assert int(np.array(anew.optimizer.iterations)) == 0
    assert int(np.array(copy.optimizer.iterations)) == 3
    assert np.isclose(np.array(copy.optimizer.learning_rate), 0.01)
    measured = [one.evaluate(rows(), zeros, verbose=0) for one in (model, copy)]
    assert np.allclose(*measured)
    for one in (model, copy):
        one.fit(rows(), zeros, epochs=2, verbose=0)
    assert np.allclose(copy.get_weights()[0], model.get_weights()[0], atol=1e-6)


@proves(
    'On Keras 2, if you compile with the string `"adam"` and then set another '
    "learning rate, the file has the old one.",
    keras="<3",
)
def test_keras_2_forgets_a_changed_rate():
    loaded = reloaded(trained_at_another_rate("adam"))
    assert int(np.array(loaded.optimizer.iterations)) == 3
    assert np.isclose(np.array(loaded.optimizer.learning_rate), 0.001)


@proves(
    "Two models without a shape have no weights, so on Keras 3 `set_weights` "
    "copies nothing.",
    false_with={"make": built},
    needs="keras>=3",
)
def test_copying_no_weights_on_keras_3(make=unbuilt):
    online = make()
    target = keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    x = rows() * np.arange(4, dtype="float32")
    assert not np.allclose(online(x), target(x))


@proves(
    "Start both with an Input, or copy with "
    "{recipe}`snippets.sequential.copy_weights`, which refuses models that are not "
    "built.",
    false_with={"make": built},
    needs="keras>=3",
)
def test_copy_with_a_recipe_that_looks(make=unbuilt):
    from snippets.sequential import copy_weights

    x = spread_rows()
    online = built()
    target = keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    assert np.allclose(online(x), target(x))
    other = built()
    copy_weights(online, other)
    assert np.allclose(online(x), other(x))
    with pytest.raises(ValueError, match="to be built"):
        copy_weights(make(), make())


def flat_and_dense():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])


@proves(
    "`build((8, 8, 1))` declares a batch of 8 examples of 8 × 1, not an image.",
    false_with={"shape": (None, 8, 8, 1)},
)
def test_build_without_the_batch(shape=(8, 8, 1)):
    model = flat_and_dense()
    model.build(shape)
    assert model.input_shape == (8, 8, 1)
    assert model(np.ones((8, 8, 1))).shape == (8, 10)


@proves(
    "A model of `Flatten` and `Dense` accepts this, and raises only at the "
    "first images; right is `build((None, 8, 8, 1))`.",
    false_with={"shape": (None, 8, 8, 1)},
)
def test_error_comes_with_the_data(shape=(8, 8, 1)):
    model = flat_and_dense()
    model.build(shape)
    assert tuple(model.layers[1].kernel.shape) == (8, 10)
    with pytest.raises(ValueError):
        model(np.ones((5, 8, 8, 1)))


@proves(
    "On Keras 3 a Sequential model accepts images of another size if its layers can"
    " compute with them.",
    keras=">=3",
    false_with={"shape": (1, 4, 15, 1)},
)
def test_only_axes_are_counted(shape=(1, 4, 16, 1)):
    layers = [keras.layers.Flatten(), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(8, 8, 1)), *layers])
    fits = True
    try:
        model(np.ones(shape))
    except ValueError:
        fits = False
    assert fits


@proves(
    "The recipe {recipe}`snippets.sequential.build_for`, called on the model and the "
    "data, raises if the data have another size.",
    false_with={"size": (8, 8)},
    needs="keras>=3",
)
def test_build_for_checks_sizes(size=(4, 16)):
    from snippets.sequential import build_for

    model = keras.Sequential([keras.Input(shape=(8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"the shape \(None, 8, 8, 1\)"):
        build_for(model, np.ones((1, *size, 1)))


# Errors


def reader_of_vectors():
    """A model of vectors of 784 numbers; its first layer is named `dense`."""
    first = keras.layers.Dense(64, name="dense")
    layers = [keras.Input(shape=(784,)), first, keras.layers.Dense(10, name="scores")]
    return keras.Sequential(layers, name="sequential")


@proves(
    "The last axis of the data has another length than the layer was built for; the "
    "shape in the message begins with the batch.",
    false_with={"declared": True},
    needs="keras>=3",
)
def test_axis_1_has_another_length(declared=False):
    number = 784 if declared else 700
    model, x = reader_of_vectors(), np.ones((5, number))
    model.compile("sgd", "mse")
    expected = (
        "expected axis -1 of input shape to have value 784, but received input with "
        "shape"
    )
    for use in (
        lambda: model(x),
        lambda: model.predict(x, verbose=0),
        lambda: model.fit(x, np.ones((5, 10)), verbose=0),
    ):
        assert expected in message_of(use)


@proves(
    "The data has more or fewer axes than the Input declares. One difference is "
    "allowed: Keras adds or drops a last axis of size 1.",
    false_with={"shape": (5, 700)},
    needs="keras>=3",
)
def test_invalid_shape_of_images(shape=(5, 28, 28)):
    model = reader_of_vectors()
    for x in (np.ones(shape), np.ones(784)):
        message = message_of(lambda x=x: model.predict(x, verbose=0))
        assert "Invalid input shape for input" in message
        assert "Expected shape (None, 784)" in message
    assert model(np.ones((5, 784, 1))).shape == model(np.ones((5, 784))).shape
    images = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()])
    assert images(np.ones((5, 28, 28))).shape == (5, 784)


@proves(
    "Either begin a new model with `keras.Input((28, 28))` and `Flatten()`, or "
    "flatten the data, `x.reshape(len(x), -1)`, in training and in prediction:",
    false_with={"size": 30},
)
def test_flattened_images_fit(size=28):
    x = np.ones((5, size, size))
    model = reader_of_vectors()
    assert x.reshape(len(x), -1).shape[1:] == model.input_shape[1:]
    with pytest.raises(ValueError, match="784"):
        model.predict(x, verbose=0)
    assert model.predict(x.reshape(len(x), -1), verbose=0).shape == (5, 10)
    begun = keras.Sequential(
        [keras.Input((28, 28)), keras.layers.Flatten(), *model.layers]
    )
    assert np.allclose(
        begun.predict(x, verbose=0), model.predict(x.reshape(len(x), -1), verbose=0)
    )


@proves(
    "Keras 2 names the model if it starts with an Input: `Input 0 of layer "
    '"sequential" is incompatible with the layer: expected shape=(None, 784), found '
    "shape=(5, 700)`.",
    keras="<3",
)
def test_axis_1_on_keras_2():
    model = reader_of_vectors()
    assert (
        'Input 0 of layer "sequential" is incompatible with the layer: expected '
        "shape=(None, 784), found shape=(5, 700)"
    ) in message_of(lambda: model(np.ones((5, 700))))


@proves(
    "A single vector without its batch axis raises the same: `predict` reads it as "
    "784 examples of one number. The `(32,)` in the message is its first batch, of "
    "32 numbers.",
    false_with={"batch_size": 16},
    needs="keras>=3",
)
def test_a_vector_is_read_as_a_batch_of_numbers(batch_size=None):
    model = reader_of_vectors()
    message = message_of(
        lambda: model.predict(np.ones(784), batch_size=batch_size, verbose=0)
    )
    assert "Invalid input shape for input" in message
    assert "Expected shape (None, 784), but input has incompatible shape (32,)" in (
        message
    )


@proves(
    "For one image, keep the batch axis with `x[:1]` in place of `x[0]`, or add it "
    "with `x[0][None, ...]`:",
    false_with={"number": 783},
)
def test_one_example_keeps_its_batch_axis(number=784):
    model, x = reader_of_vectors(), np.ones((5, number))
    for one in (x[:1], x[0][None, ...]):
        assert one.shape[1:] == model.input_shape[1:]
        assert model.predict(one, verbose=0).shape == (1, 10)

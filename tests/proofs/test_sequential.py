"""Proofs of the Sequential guide."""

import contextlib
import functools
import io
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
from tensorflow import keras

from tests.proofs.proves import proves


def unbuilt():
    """A model without a shape."""
    return keras.Sequential([keras.layers.Dense(3)])


def built():
    """A model that begins at an Input."""
    return keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(3)])


def model_for(shape):
    """A model that begins at an Input, or one without a shape if there is none."""
    inputs = [keras.Input(shape=shape)] if shape else []
    return keras.Sequential([*inputs, keras.layers.Dense(3)])


def rows(count=5):
    return np.ones((count, 4), "float32")


def spread_rows():
    """Rows that tell two models apart."""
    return np.linspace(0, 1, 20, dtype="float32").reshape(5, 4)


def raises_value_error(function):
    try:
        function()
    except ValueError:
        return True
    return False


def summary_of(model):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        model.summary()
    return printed.getvalue()


def reloaded(model):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras")


def user_warnings(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function()
    return [str(w.message) for w in caught if w.category is UserWarning]


# The answer


@proves(
    "Put `keras.Input(shape=...)` first, with the shape of **one example**; every "
    "later layer works out its own.",
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
    "Sequential is enough as long as each layer takes one tensor, from the layer "
    "before it, and hands one on.",
    false_with={"order": (1, 0)},
)
def test_one_tensor_in_one_tensor_out(order=(0, 1)):
    layers = [keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(4)]
    x = rows() * np.arange(4, dtype="float32")
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    by_hand = layers[order[1]](layers[order[0]](x))
    assert np.allclose(model(x), by_hand, atol=1e-6)


@proves(
    "These are 28 × 28 images as vectors of 784 pixels.",
    false_with={"size": 32},
)
def test_vectors_of_784(size=28):
    vectors = np.ones((5, size, size)).reshape(5, -1)
    model = keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(3)])
    assert vectors.shape == (5, 784)
    assert model(vectors).shape == (5, 3)


@proves(
    "Nobody wrote that the last layer takes 64 numbers: it found out when the model "
    "was "
    "put together, and made a kernel of 64 × 10.",
    false_with={"units": 32},
)
def test_last_layer_found_out(units=64):
    last = keras.layers.Dense(10)
    assert not last.weights
    keras.Sequential([keras.Input(shape=(784,)), keras.layers.Dense(units), last])
    assert tuple(last.kernel.shape) == (64, 10)


# Every way to give the shape


@proves(
    "The first line is the one to write: it is complete before any data and gives no "
    "warning, on Keras 2 and on Keras 3.",
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
    "On Keras 3 `input_shape` and `input_dim` on the first layer do the same and warn; "
    "`batch_input_shape` is an error there.",
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
        assert "Do not pass an `input_shape`/`input_dim`" in " ".join(caught)
        model = keras.Sequential(made)
        assert model.built
        assert model.input_shape == (None, 4)


@proves(
    "On Keras 3 `input_shape` and `input_dim` on the first layer do the same and warn; "
    "`batch_input_shape` is an error there.",
    keras=">=3",
    false_with={"argument": "input_shape"},
)
def test_batch_input_shape_on_the_first_layer_raises(argument="batch_input_shape"):
    with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
        keras.layers.Dense(3, **{argument: (2, 4)})


@proves(
    "`shape` leaves the batch out; `build` and `batch_shape` want it.",
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
    "Without any of them the model waits, and its first data decides.",
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
    "That data also leaves its traces: a call on five rows notes `(5, 4)` as the input "
    "shape, batch and all.",
    false_with={"count": 6},
)
def test_first_call_notes_the_batch(count=5):
    model = unbuilt()
    model(rows(count))
    assert model.input_shape == (5, 4)


@proves(
    "So does `predict` on Keras 3, but not on Keras 2, while `fit` notes `(None, 4)` "
    "on "
    "both.",
    keras=">=3",
)
def test_predict_notes_the_batch_on_keras_3():
    model = unbuilt()
    model.predict(rows(), verbose=0)
    assert model.input_shape == (5, 4)


@proves(
    "So does `predict` on Keras 3, but not on Keras 2, while `fit` notes `(None, 4)` "
    "on "
    "both.",
    keras="<3",
)
def test_predict_notes_none_on_keras_2():
    model = unbuilt()
    model.predict(rows(), verbose=0)
    assert model.input_shape == (None, 4)


@proves(
    "So does `predict` on Keras 3, but not on Keras 2, while `fit` notes `(None, 4)` "
    "on both.",
    false_with={"use": "call"},
)
def test_fit_notes_none(use="fit"):
    model = unbuilt()
    if use == "fit":
        model.compile("sgd", "mse")
        model.fit(rows(), np.ones((5, 3)), verbose=0)
    else:
        model(rows())
    assert model.input_shape == (None, 4)


@proves(
    "A model that is saved after such a call still reports `(5, 4)`, but accepts "
    "batches of any size.",
    false_with={"called": False},
)
def test_noted_batch_is_saved(called=True):
    model = unbuilt()
    if called:
        model(rows(5))
    else:
        model.build((None, 4))
    loaded = reloaded(model)
    assert loaded.input_shape == (5, 4)
    for accepting in (model, loaded):
        for count in (1, 7):
            assert accepting(rows(count)).shape == (count, 3)
            assert accepting.predict(rows(count), verbose=0).shape == (count, 3)


# A model without a shape


@proves(
    "Keras 3 prints `?` for the shape and 0 for the parameters, and raises nothing; "
    "Keras 2 raises.",
    false_with={"make": built},
    needs="keras>=3",
)
def test_summary_of_unbuilt_on_keras_3(make=unbuilt):
    printed = summary_of(make())
    assert "?" in printed
    assert "Total params: 0" in printed


@proves(
    "Keras 3 prints `?` for the shape and 0 for the parameters, and raises nothing; "
    "Keras 2 raises.",
    keras="<3",
    false_with={"make": built},
)
def test_summary_of_unbuilt_on_keras_2(make=unbuilt):
    with pytest.raises(ValueError, match="has not yet been built"):
        summary_of(make())


@proves(
    "The first two lines are the dangerous ones: an empty list where Keras 2 raised.",
    false_with={"shape": (4,)},
    needs="keras>=3",
)
def test_no_weights_on_keras_3(shape=None):
    model = model_for(shape)
    assert model.weights == []
    assert model.get_weights() == []


@proves(
    "The first two lines are the dangerous ones: an empty list where Keras 2 raised.",
    keras="<3",
    false_with={"make": built},
)
def test_no_weights_raise_on_keras_2(make=unbuilt):
    for ask in (lambda model: model.weights, lambda model: model.get_weights()):
        with pytest.raises(ValueError, match="have not yet been created"):
            ask(make())


@proves(
    "It makes copying weights do nothing.", false_with={"make": built}, needs="keras>=3"
)
def test_copying_does_nothing(make=unbuilt):
    source, target = make(), make()
    target.set_weights(source.get_weights())
    x = rows() * np.arange(4, dtype="float32")
    assert not np.allclose(source(x), target(x))


@proves(
    "Once the model is built, almost all is there:",
    false_with={"shape": None},
)
def test_once_built_almost_all_is_there(shape=(4,)):
    model = model_for(shape)
    assert model.built
    assert len(model.weights) == 2
    assert (model.input_shape, model.count_params()) == ((None, 4), 15)
    assert len(model.inputs) == len(model.outputs) == 1


@proves(
    "On Keras 3 a Sequential model has no `.input` and no `.output`, not even with an "
    "Input first, after a prediction or after loading.",
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


@proves("On Keras 2 it has both.", keras="<3")
def test_input_on_keras_2():
    late = unbuilt()
    late.build((None, 4))
    for model in (built(), late, reloaded(built())):
        ends = [getattr_or_none(model, name) for name in ("input", "output")]
        assert all(end is not None for end in ends)
        assert [tuple(end.shape) for end in ends] == [(None, 4), (None, 3)]


@proves(
    "`.inputs` and `.outputs` are lists of one tensor, on both.",
    false_with={"sequential": False},
)
def test_inputs_and_outputs_on_both(sequential=True):
    pair = [keras.Input(shape=(4,)), keras.Input(shape=(4,))]
    both = keras.Model(pair, [keras.layers.Dense(3)(x) for x in pair])
    for model in [built(), reloaded(built())] if sequential else [both]:
        assert [tuple(x.shape) for x in model.inputs] == [(None, 4)]
        assert [tuple(x.shape) for x in model.outputs] == [(None, 3)]


@proves(
    "So the classic `keras.Model(model.input, ...)` becomes `keras.Model(model.inputs, "
    "...)`.",
    false_with={"last": 1},
)
def test_model_from_inputs(last=0):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    shorter = keras.Model(model.inputs, model.layers[last].output)
    assert np.allclose(shorter(rows())[0].shape, (7,))
    assert np.allclose(shorter(rows()), layers[0](rows()), atol=1e-6)


@proves(
    "The message, *has never been called and thus has no defined input*, means a call "
    "on a declared tensor: after `model(keras.Input((4,)))` the model has an `.input`, "
    "the new one.",
    keras=">=3",
    false_with={"make": rows},
)
def test_input_after_a_symbolic_call(make=lambda: keras.Input((4,))):
    model, x = built(), make()
    model(x)
    assert getattr_or_none(model, "input") is x


def getattr_or_none(model, name):
    """Keras 3.4 raises a ValueError here, which `getattr` lets through."""
    try:
        return getattr(model, name)
    except (AttributeError, ValueError):
        return None


@proves(
    "`model.build((None, *x.shape[1:]))` takes the shape from the data and leaves the "
    "batch open.",
    false_with={"batch": 5},
)
def test_build_from_the_data(batch=None):
    model, x = unbuilt(), rows()
    model.build((batch, *x.shape[1:]))
    assert model.input_shape == (None, 4)
    assert model(rows(7)).shape == (7, 3)


@proves(
    "This recipe does so, and says when data does not fit the model:",
    false_with={"columns": 4},
    needs="keras>=3",
)
def test_build_for_checks(columns=3):
    from snippets.sequential import build_for

    model = build_for(unbuilt(), rows())
    assert model.input_shape == (None, 4)
    with pytest.raises(ValueError, match="was built for"):
        build_for(model, np.ones((5, columns)))


@proves("A model is built once.", keras=">=3")
def test_built_once_on_keras_3():
    model = unbuilt()
    model.build((None, 4))
    kernel = model.layers[0].kernel
    model.build((None, 4))
    assert model.layers[0].kernel is kernel
    with pytest.raises(ValueError):
        model.build((None, 5))


@proves("A model is built once.", keras="<3")
def test_built_once_on_keras_2():
    model = unbuilt()
    model.build((None, 4))
    kernel = model.layers[0].kernel
    assert not raises_value_error(lambda: model.build((None, 5)))
    assert model.layers[0].kernel is kernel


@proves(
    "Asked to build it for another shape, Keras 3 raises and Keras 2 does nothing.",
    keras=">=3",
    false_with={"shape": (None, 4)},
)
def test_another_shape_raises_on_keras_3(shape=(None, 5)):
    model = unbuilt()
    model.build((None, 4))
    with pytest.raises(ValueError, match="has already been configured"):
        model.build(shape)


@proves(
    "Asked to build it for another shape, Keras 3 raises and Keras 2 does nothing.",
    keras="<3",
)
def test_another_shape_is_ignored_on_keras_2():
    model = unbuilt()
    model.build((None, 4))
    assert not raises_value_error(lambda: model.build((None, 5)))
    assert model.input_shape == (None, 4)


# Every later layer works its shape out


@proves(
    "This recipe says what comes out of each layer, before anything is built or "
    "trained.",
    false_with={"size": 9},
    needs="keras>=3",
)
def test_shapes_by_layer_says_what_comes_out(size=8):
    from snippets.sequential import shapes_by_layer

    layers = [keras.layers.Flatten(name="flat"), keras.layers.Dense(3, name="scores")]
    shapes = shapes_by_layer(layers, (8, size))
    assert shapes == {"flat": (None, 64), "scores": (None, 3)}


@proves(
    "It tries copies, so your layers stay as they are.",
    false_with={"recipe": False},
    needs="keras>=3",
)
def test_shapes_by_layer_tries_copies(recipe=True):
    from snippets.sequential import shapes_by_layer

    layers = [keras.layers.Conv2D(2, 3), keras.layers.Flatten(), keras.layers.Dense(3)]
    if recipe:
        shapes_by_layer(layers, (8, 8, 1))
    else:
        keras.Sequential([keras.Input(shape=(8, 8, 1)), *layers])
    assert not any(layer.weights for layer in layers)
    assert not layers[-1].built


@proves("`Dense` replaces the last axis.", false_with={"shape": (8, 5)})
def test_dense_replaces_the_last_axis(shape=(5, 8)):
    x = keras.Input(shape=shape)
    assert tuple(keras.layers.Dense(3)(x).shape) == (None, 5, 3)


@proves(
    "A 3 × 3 convolution without padding takes 2 off height and width, `MaxPooling2D` "
    "halves them, and `Flatten` multiplies what is left.",
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
    "`None` stands for the time and is gone after the GRU, which gives its last state; "
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


@proves(
    "A layer that does not fit is named, with the shape that it was given:",
    false_with={"flatten": False},
    needs="keras>=3",
)
def test_layer_that_does_not_fit_is_named(flatten=True):
    from snippets.sequential import shapes_by_layer

    layers = [keras.layers.Flatten()] if flatten else []
    layers.append(keras.layers.GRU(64, name="reader"))
    with pytest.raises(ValueError, match=r"GRU 'reader' to accept .*\(None, 784\)"):
        shapes_by_layer(layers, (28, 28))


# `add()`, look, `add()` again


@proves("A model may also grow layer by layer.", false_with={"units": 5})
def test_list_and_add_make_the_same(units=3):
    model = keras.Sequential()
    model.add(keras.Input(shape=(4,)))
    model.add(keras.layers.Dense(7))
    model.add(keras.layers.Dense(units))
    same = [keras.Input(shape=(4,)), keras.layers.Dense(7), keras.layers.Dense(3)]
    shapes = [
        [tuple(w.shape) for w in m.weights] for m in (model, keras.Sequential(same))
    ]
    assert shapes[0] == shapes[1]


@proves(
    "If it starts with an Input, it is built anew after each `add`, so you can look "
    "where you are:",
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
    "Two steps gave 13 × 13 × 32, which is 5,408 numbers for a `Dense` to read; look "
    "before you flatten.",
    false_with={"size": 32},
)
def test_look_before_you_flatten(size=28):
    layers = [keras.layers.Conv2D(32, 3), keras.layers.MaxPooling2D()]
    model = keras.Sequential([keras.Input(shape=(size, size, 1)), *layers])
    assert model.output_shape == (None, 13, 13, 32)
    model.add(keras.layers.Flatten())
    last = keras.layers.Dense(2)
    model.add(last)
    assert last.kernel.shape[0] == 5408


@proves("`summary()` shows the same with the parameters.", false_with={"units": 5})
def test_summary_shows_shapes_and_parameters(units=3):
    model = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(units)])
    printed = summary_of(model)
    assert "(None, 3)" in printed
    assert "Total params: 15" in printed


@proves("`pop()` takes the last layer off again.", false_with={"left": 2})
def test_pop_takes_the_last_layer_off(left=1):
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    model.pop()
    assert model.layers == layers[:left]
    assert model.output_shape == (None, 7)


@proves("Keras 3 returns it, Keras 2 returns `None`.", keras=">=3")
def test_pop_returns_the_layer_on_keras_3():
    model = built()
    last = model.layers[-1]
    assert model.pop() is last


@proves("Keras 3 returns it, Keras 2 returns `None`.", keras="<3")
def test_pop_returns_none_on_keras_2():
    assert built().pop() is None


@proves(
    "On a model that has been used it has a silent trap.",
    false_with={"used": False},
)
def test_pop_on_a_used_model(used=True):
    model = keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.Dense(7), keras.layers.Dense(3)]
    )
    if used:
        model.predict(rows(), verbose=0)
    model.pop()
    assert model.predict(rows(), verbose=0).shape == (5, 3)


# Train, evaluate, predict


@proves(
    "`compile` names the optimizer, the loss and the metrics; `fit` trains; `evaluate` "
    "measures; `predict` answers.",
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
    "`predict` gives ten probabilities for each image; the digit is where the largest "
    "stands:",
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
    "`fit` and `evaluate` want `compile` first, `predict` does not.",
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
    "The file was loaded in a new Python process, and gave the same answers there.",
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
    "A model that is not built has nothing to save: Keras warns, and what is loaded is "
    "not built either.",
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
    "A model from `.inputs` to the output of any layer gives its features.",
    false_with={"layer": 1},
)
def test_features_of_a_layer(layer=0):
    layers = [keras.layers.Dense(7, activation="relu"), keras.layers.Dense(7)]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    features = keras.Model(model.inputs, model.layers[layer].output)
    assert np.allclose(features(rows()), layers[0](rows()), atol=1e-6)


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


# When Sequential is not enough


@proves(
    "one tensor through a row of layers | is made for it",
    false_with={"units": (7, 7)},
)
def test_row_of_layers(units=(7, 3)):
    layers = [keras.layers.Dense(size) for size in units]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    assert np.allclose(model(rows()), layers[1](layers[0](rows())), atol=1e-6)
    assert model.output_shape == (None, 3)


@proves(
    "the same layer twice in a row | runs it twice, with one set of weights",
    false_with={"times": 1},
)
def test_same_layer_twice(times=2):
    layer = keras.layers.Dense(4, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input(shape=(4,)), *[layer] * times])
    assert np.allclose(model(rows()), 16.0)
    assert len(model.weights) == 1


@proves(
    "two inputs | with an Input refuses them on Keras 2, ignores the second on Keras 3",
    keras="<3",
)
def test_two_inputs_on_keras_2():
    with pytest.raises(ValueError, match=r"expects 1 input\(s\), but it received 2"):
        built()([rows(), rows()])


@proves(
    "two inputs | with an Input refuses them on Keras 2, ignores the second on Keras 3",
    false_with={"first": 1},
    needs="keras>=3",
)
def test_two_inputs_on_keras_3(first=0):
    model, pair = built(), [rows(), 2 * rows()]
    assert np.allclose(model(pair), model(pair[first]), atol=1e-6)


@proves(
    "a branch, or a way around a layer | cannot say it: `Add` in the row raises",
    false_with={"name": "Dropout"},
)
def test_branch_cannot_be_said(name="Add"):
    layer = keras.layers.Add() if name == "Add" else keras.layers.Dropout(0.5)
    with pytest.raises(ValueError, match="merge layer should be called on a list"):
        keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(4), layer])


@proves(
    "a layer that gives two tensors | cannot pass them to the next one",
    false_with={"return_state": False},
)
def test_two_tensors_cannot_be_passed(return_state=True):
    reader = keras.layers.GRU(3, return_state=return_state)
    with pytest.raises(ValueError):
        keras.Sequential([keras.Input(shape=(8, 4)), reader, keras.layers.Dense(2)])


@proves(
    "attention of a sequence to itself | cannot pass it twice: `MultiHeadAttention` "
    "raises",
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
    "You need not give the row up: a Sequential model is a layer too, and stands in a "
    "larger graph as one.",
    false_with={"merge": "Multiply"},
)
def test_sequential_is_a_layer(merge="Add"):
    block = keras.Sequential([keras.Input(shape=(4,)), keras.layers.Dense(4)])
    assert isinstance(block, keras.layers.Layer)
    x = keras.Input(shape=(4,))
    around = keras.Model(x, getattr(keras.layers, merge)()([x, block(x)]))
    assert block in around.layers
    assert np.allclose(around(rows()), rows() + block(rows()), atol=1e-6)


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
    "*Only instances of `keras.Layer` can be added*: the list holds something else, "
    "such as a name, a class without its parentheses, or a layer of the other Keras.",
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
    "For the last, import everything from one of the two, `keras` or `tf_keras`.",
    false_with={"mixed": True},
)
def test_import_from_one(mixed=False):
    layer = object() if mixed else keras.layers.Dense(3)
    model, added = keras.Sequential([keras.Input(shape=(4,))]), True
    try:
        model.add(layer)
    except (TypeError, ValueError):
        added = False
    assert added
    assert model(rows()).shape == (5, 3)


@proves(
    "An Input that is not first passes at first: Keras 3 stops at the first data, and "
    "Keras 2 goes on without it.",
    keras=">=3",
)
def test_input_not_first_on_keras_3():
    model = keras.Sequential([keras.layers.Dense(3), keras.Input(shape=(9,))])
    assert not model.built
    with pytest.raises(ValueError, match="positional argument"):
        model(rows())


@proves(
    "An Input that is not first passes at first: Keras 3 stops at the first data, and "
    "Keras 2 goes on without it.",
    keras="<3",
)
def test_input_not_first_on_keras_2():
    model = keras.Sequential([keras.layers.Dense(3), keras.Input(shape=(9,))])
    assert not model.built
    assert not raises_value_error(lambda: model(rows()))
    assert model(rows()).shape == (5, 3)


@proves(
    "A shape given to a later layer, as `Dense(3, input_shape=(4,))`, is ignored.",
    false_with={"place": 0},
)
def test_shape_on_a_later_layer_is_ignored(place=1):
    layers = [keras.layers.Dense(2)]
    layers.insert(place, keras.layers.Dense(3, input_shape=(4,)))
    model = keras.Sequential(layers)
    assert not model.built
    assert model(np.ones((5, 9))).shape == (5, 3)


# No error, wrong result


def two_layers():
    layers = [keras.layers.Dense(7), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input(shape=(4,)), *layers])


@proves(
    "`fit` and `predict` compile the model once, and go on with what they compiled.",
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
    "Take a layer off, and the model and its `predict` disagree:",
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
    "`fit` does worse, on Keras 2 and on Keras 3: after `pop()` and `add()` it goes on "
    "training the layer that was taken off, and the new one keeps the weights that it "
    "was born with.",
    false_with={"compile_again": True},
)
def test_fit_trains_the_layer_that_was_taken_off(compile_again=False):
    removed_moves, new_moves = change_after_training(compile_again)
    assert removed_moves
    assert not new_moves


@proves(
    "The cure is to `compile` again, or to make a new model as `with_new_head` does:",
    false_with={"again": False},
)
def test_compile_again(again=True):
    assert change_after_training(compile_again=again) == [False, True]
    model = two_layers()
    model.predict(rows(), verbose=0)
    shorter = keras.Sequential([keras.Input(shape=(4,)), *model.layers[:-1]])
    assert shorter.predict(rows(), verbose=0).shape == (5, 7)


@proves(
    "Two models without a shape have no weights, so on Keras 3 copying all of them "
    "copies nothing:",
    false_with={"make": built},
    needs="keras>=3",
)
def test_copying_no_weights_on_keras_3(make=unbuilt):
    online = make()
    target = keras.models.clone_model(online)
    target.set_weights(online.get_weights())
    x = rows() * np.arange(4, dtype="float32")
    assert not np.allclose(online(x), target(x))


@proves("Keras 2 raised.", keras="<3")
def test_copying_no_weights_on_keras_2():
    online = unbuilt()
    target = keras.models.clone_model(online)
    with pytest.raises(ValueError, match="have not yet been created"):
        target.set_weights(online.get_weights())


@proves(
    "Start both with an Input, or copy with a recipe that looks:",
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


@proves(
    "On Keras 3 a Sequential model with an Input takes two arrays, and answers for the "
    "first; `fit` does the same.",
    false_with={"second": 1.0},
    needs="keras>=3",
)
def test_second_array_is_ignored(second=None):
    weights = []
    for value in (0.0, 5.0):
        keras.utils.set_random_seed(0)
        model = built()
        model.compile("sgd", "mse")
        pair = [rows() if second is None else value * rows(), value * rows()]
        assert np.allclose(model(pair), model(pair[0]), atol=1e-6)
        model.fit(pair, np.zeros((5, 3)), verbose=0)
        weights.append(model.get_weights()[0])
    assert np.array_equal(*weights)


@proves(
    "Keras 3.6 and newer warn, Keras 3.4 does not:", needs="keras>=3", keras=">=3.6"
)
def test_two_arrays_warn_since_3_6():
    caught = user_warnings(lambda: built()([rows(), rows()]))
    assert "The structure of `inputs` doesn't match" in " ".join(caught)


@proves(
    "Keras 3.6 and newer warn, Keras 3.4 does not:", needs="keras>=3", keras=">=3,<3.5"
)
def test_two_arrays_do_not_warn_on_3_4():
    assert not user_warnings(lambda: built()([rows(), rows()]))


def flat_and_dense():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10)])


@proves(
    "`build((8, 8, 1))` is not an image but a batch of 8 things of 8 × 1.",
    false_with={"shape": (None, 8, 8, 1)},
)
def test_build_without_the_batch(shape=(8, 8, 1)):
    model = flat_and_dense()
    model.build(shape)
    assert model.input_shape == (8, 8, 1)
    assert model(np.ones((8, 8, 1))).shape == (8, 10)


@proves(
    "No layer here objects; the `Dense` has a kernel of 8 rows in place of 64, and the "
    "error comes with the data.",
    false_with={"shape": (None, 8, 8, 1)},
)
def test_error_comes_with_the_data(shape=(8, 8, 1)):
    model = flat_and_dense()
    model.build(shape)
    assert tuple(model.layers[1].kernel.shape) == (8, 10)
    with pytest.raises(ValueError):
        model(np.ones((5, 8, 8, 1)))


@proves(
    "`model.layers.append(...)` adds to a list that nobody reads.",
    false_with={"append": keras.Sequential.add},
)
def test_layers_is_a_copy(append=lambda model, layer: model.layers.append(layer)):
    model = built()
    append(model, keras.layers.Dense(7))
    assert len(model.layers) == 1
    assert model(rows()).shape == (5, 3)


@proves("Use `add`.", false_with={"method": "append"})
def test_use_add(method="add"):
    model = built()
    owner = model if method == "add" else model.layers
    getattr(owner, method)(keras.layers.Dense(7))
    assert len(model.layers) == 2
    assert model(rows()).shape == (5, 7)


@proves(
    "On Keras 3 a Sequential model lets images of another size in if its layers can "
    "compute with them.",
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
    "`build_for(model, x)` does not.", false_with={"size": (8, 8)}, needs="keras>=3"
)
def test_build_for_checks_sizes(size=(4, 16)):
    from snippets.sequential import build_for

    model = keras.Sequential([keras.Input(shape=(8, 8, 1)), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"the shape \(None, 8, 8, 1\)"):
        build_for(model, np.ones((1, *size, 1)))

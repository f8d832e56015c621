"""Proofs of the Functional guide."""

import functools
import re
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import (
    ONES,
    amounts,
    disconnected,
    inputs_named,
    nested,
    perfect_model,
    profit,
    rises,
    two_outputs,
    warnings_of,
)

layers = keras.layers


@proves(
    (
        "Declare each input with `keras.Input`, call layers on the tensors that"
        " they should read, and pass the inputs and the outputs to "
        "`keras.Model`, as dicts by name."
    ),
    false_with={"order": ("a", "b")},
)
def test_several_inputs_and_outputs_by_name(order=("b", "a")):
    inputs = {n: keras.Input(shape=(1,), name=n) for n in ("a", "b")}
    outputs = {f"half_{n}": layers.Dense(1, name=f"half_{n}")(inputs[n]) for n in "ab"}
    model = keras.Model(inputs, outputs)
    data = {n: np.full((1, 1), place) for place, n in enumerate(order)}
    assert data["b"] == 0
    assert set(model(data)) == {"half_a", "half_b"}


@proves(
    "Each box is one call, each arrow a tensor.",
    false_with={"num_calls": 1},
    needs="keras>=3",
)
def test_a_box_is_a_call(num_calls=2):
    from snippets.showing.drawings import draw_layers, layer_calls

    (x,) = inputs_named("x")
    y, layer = x, layers.Dense(3)
    for _ in range(num_calls):
        y = layer(y)
    model = keras.Model(x, y)
    assert draw_layers(model).svg.count("<rect") == 3
    assert [call.sources for call in layer_calls(model)] == [(), (0,), (1,)]
    computed = keras.Model(x, keras.ops.abs(x - 1.0))
    assert draw_layers(computed).svg.count("<rect") == 3


@proves("`None` is the batch, which may have any size.", false_with={"fixed": True})
def test_none_is_the_batch(fixed=False):
    x = keras.Input(batch_shape=(5, 3)) if fixed else keras.Input(shape=(3,))
    model = keras.Model(x, layers.Dense(2)(x))
    assert model.input_shape == (None, 3)
    for size in (1, 2, 7):
        assert model(np.ones((size, 3))).shape == (size, 2)


@proves(
    (
        'A ticket is urgent if its text says "today" or if one of its tags is '
        '"outage"; the topic decides the department.'
    ),
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_tickets_follow_a_rule(seed=0):
    from snippets.functional.tickets import made_up_tickets

    (tickets, _), (_, answers) = made_up_tickets(200), made_up_tickets(200, seed)
    expected = [
        float("today" in text.split() or "outage" in tags.split())
        for text, tags in zip(tickets["text"], tickets["tags"], strict=True)
    ]
    assert answers["priority"].ravel().tolist() == expected
    departments = {}
    for name in ("title", "text"):
        for words, number in zip(tickets[name], answers["department"], strict=True):
            departments.setdefault(words.split()[-1], set()).add(int(number))
    assert len(departments) == 12
    assert {len(numbers) for numbers in departments.values()} == {1}


@proves(
    (
        "`TextVectorization` turns each text into a vector of 100 numbers, with a 1 "
        "for each word that occurs."
    ),
    false_with={"mode": "count"},
)
def test_a_1_for_each_word_that_occurs(mode="multi_hot"):
    words = layers.TextVectorization(
        max_tokens=100, output_mode=mode, pad_to_max_tokens=True
    )
    words.adapt(tf.constant(["no yes", "no maybe"]))
    vectors = np.array(words(tf.constant(["no no yes", "maybe"])))
    assert vectors.shape == (2, 100)
    known = {str(word): place for place, word in enumerate(words.get_vocabulary())}
    for vector, said in zip(vectors, ({"no", "yes"}, {"maybe"}), strict=True):
        assert dict.fromkeys(map(known.get, said), 1) == {
            place: vector[place] for place in np.flatnonzero(vector)
        }


def fit(model, x, y, epochs, rate=0.01, loss="sparse_categorical_crossentropy"):
    model.compile(keras.optimizers.Adam(rate), loss)
    return model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)


@proves(
    (
        "`compile` takes losses, loss weights and metrics as dicts by output "
        "name, and `fit` takes data and labels as dicts with the names of the "
        "inputs and outputs:"
    ),
    keras="!=3.4.*,!=3.5.*",
    false_with={"asked": "mean"},
)
def test_losses_weights_and_metrics_by_output(asked="top"):
    _, train = two_outputs(
        loss={"mean": "mse", "top": "mae"},
        loss_weights={"mean": 1.0, "top": 0.5},
        metrics={asked: ["mae"]},
    )
    assert sorted(train()) == ["loss", "mean_loss", "top_loss", "top_mae"]


@proves(
    (
        "`fit` records these losses and metrics after every epoch, here for the "
        "training data alone. The `loss` is the weighted sum that training minimizes: "
        "`priority_loss` and half of `department_loss`."
    ),
    false_with={"weight": 1.0},
    needs="keras!=3.4.*",
    keras="!=3.4.*,!=3.5.*,!=3.6.*",
)
def test_loss_is_the_weighted_sum(weight=0.5):
    _, train = two_outputs(
        loss={"mean": "mse", "top": "mae"}, loss_weights={"mean": 1.0, "top": weight}
    )
    seen = {name: values[0] for name, values in train().items()}
    assert abs(seen["loss"] - seen["mean_loss"] - 0.5 * seen["top_loss"]) < 1e-6


@proves(
    "`predict` returns a dict with the names of the outputs:", false_with={"wrap": list}
)
def test_predict_returns_a_dict(
    wrap=lambda tensors: dict(zip("pq", tensors, strict=True)),
):
    (x,) = inputs_named("x")
    model = keras.Model(x, wrap([layers.Dense(1, name=name)(x) for name in "pq"]))
    found = model.predict(np.ones((2, 3)), verbose=0)
    assert isinstance(found, dict)
    assert {name: array.shape for name, array in found.items()} == {
        "p": (2, 1),
        "q": (2, 1),
    }


@proves(
    "An output without a loss needs no labels,",
    false_with={"losses": ("mean", "top")},
    needs="keras>=3.6",  # older ones leave out those of a loss as well
)
def test_leave_its_labels_out(losses=("mean",)):
    for names in (("mean",), ("mean", "top")):
        (x,) = inputs_named("x")
        model = keras.Model(x, {n: layers.Dense(1, name=n)(x) for n in ("mean", "top")})
        model.compile("sgd", dict.fromkeys(losses, "mse"))
        labels = {name: np.ones((2, 1)) for name in names}
        assert rises(model.fit, np.ones((2, 3)), labels, verbose=0) == ""


@proves(
    (
        "To train on one output only, write a loss for it alone, such as "
        '`loss={"priority": "binary_crossentropy"}`; layers that lead only to the other'
        " one are not trained."
    ),
    false_with={"loss": "mse"},
)
def test_an_output_without_a_loss(loss=None):
    (x,) = inputs_named("x")
    shared = layers.Dense(4, name="shared")(x)
    outputs = {name: layers.Dense(1, name=name)(shared) for name in ("mean", "top")}
    model = keras.Model(x, outputs)
    model.compile("sgd", loss or {"mean": "mse"}, run_eagerly=True)
    names = ("shared", "mean", "top")
    before = {name: model.get_layer(name).get_weights()[0] for name in names}
    targets = {name: np.ones((2, 1)) for name in outputs}
    model.fit(np.ones((2, 3)), targets, verbose=0)
    moved = {
        name: bool(np.any(model.get_layer(name).get_weights()[0] != before[name]))
        for name in names
    }
    assert moved == {"shared": True, "mean": True, "top": False}


@functools.cache
def reloaded():
    """Outputs of every architecture, here and in a fresh process, and what it refused.

    Models without a class of their own are loaded before `snippets` is imported. What
    is saved as `copy` has the graph of the first and weights of its own.
    """
    from snippets import functional as f
    from snippets.processes import run_python

    images, pixels = np.ones((3, 8, 8, 1), "float32"), keras.Input((8, 8, 1))
    x = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    branching = f.residual_classifier((8, 8, 1), 10)
    encoder, decoder, whole = f.autoencoder(64, 8)
    every = {layer.name: layer.output for layer in branching.layers[1:]}
    models = {
        "branches": (branching, x),
        "siamese": (
            f.siamese_network(f.image_encoder((8, 8, 1))),
            {"left": x, "right": images},
        ),
        "encoder": (encoder, x.reshape(3, 64)),
        "decoder": (decoder, x.reshape(3, 64)[:, :8]),
        "whole": (whole, x.reshape(3, 64)),
        "features": (keras.Model(branching.input, every), x),
        "edges": (keras.Model(pixels, f.SobelEdges()(pixels)), x),
    }
    models["copy"] = (branching, x)
    here, there, refused = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (model, inputs) in models.items():
            arrays = inputs if isinstance(inputs, dict) else {"": inputs}
            np.savez(f"{folder}/{name}.npz", **arrays)
            saved = keras.models.clone_model(model) if name == "copy" else model
            saved.save(f"{folder}/{name}.keras")
            here[name] = [np.array(y) for y in keras.tree.flatten(model(inputs))]
        run_python(f"""
import pathlib, sys, numpy as np
from tensorflow import keras
paths = pathlib.Path({folder!r}).glob("*.keras")
for path in sorted(paths, key=lambda path: path.stem == "edges"):
    if path.stem == "edges":
        assert not any(name.startswith("snippets") for name in sys.modules)
        sys.modules["snippets"] = None  # not found
        try:
            keras.models.load_model(path)
        except Exception as error:
            path.with_suffix(".txt").write_text(str(error))
        del sys.modules["snippets"]
        import snippets.functional
    inputs = dict(np.load(path.with_suffix(".npz")))
    outputs = keras.models.load_model(path)(inputs.get("", inputs))
    arrays = [np.array(y) for y in keras.tree.flatten(outputs)]
    np.savez(path.with_suffix(".out.npz"), *arrays)
""")
        for name in models:
            with np.load(f"{folder}/{name}.out.npz") as outputs:
                there[name] = [outputs[key] for key in outputs.files]
            text = Path(folder, f"{name}.txt")
            refused[name] = text.read_text() if text.exists() else ""
    return here, there, refused


@proves(
    (
        "A saved Functional model holds its graph, so a new process loads it without "
        "the code that built it; a custom layer needs its class."
    ),
    false_with={"name": "copy"},
    needs="keras>=3",
)
def test_loads_without_its_code(name="branches"):
    here, there, _ = reloaded()
    for seen, expected in zip(there[name], here[name], strict=True):
        assert np.allclose(seen, expected, atol=1e-6)


@proves(
    (
        "A saved Functional model holds its graph, so a new process loads it without "
        "the code that built it; a custom layer needs its class."
    ),
    false_with={"name": "branches"},
    needs="keras>=3",
)
def test_custom_layers_need_their_class(name="edges"):
    assert "SobelEdges" in reloaded()[2][name]


@proves(
    (
        "To let a new process read tickets as text, put both `TextVectorization` "
        "layers in front of the model, and save all as one:"
    ),
    false_with={"adapted": ["blue green"]},
    needs="keras>=3",
)
def test_words_are_saved_with_the_model(adapted=("red blue", "blue green")):
    from snippets.processes import run_python

    words = layers.TextVectorization(max_tokens=9, output_mode="multi_hot")
    words.adapt(tf.constant(list(adapted)))
    names = layers.TextVectorization(vocabulary=["web", "app"], output_mode="multi_hot")
    seen, tags = (
        keras.Input(shape=(size,), name=name)
        for size, name in ((words.vocabulary_size(), "seen"), (3, "tags"))
    )
    joined = layers.Concatenate()([seen, tags])
    model = keras.Model({"seen": seen, "tags": tags}, {"sum": layers.Dense(2)(joined)})
    said = keras.Input(shape=(), dtype="string", name="said")
    tagged = keras.Input(shape=(), dtype="string", name="tagged")
    encoded = {"seen": words(said), "tags": names(tagged)}
    reader = keras.Model({"said": said, "tagged": tagged}, model(encoded))
    ticket = {"said": ["red", "green blue"], "tagged": ["app new", ""]}
    expected = model(
        {
            "seen": words(tf.constant(ticket["said"])),
            "tags": names(tf.constant(ticket["tagged"])),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        reader.save(f"{folder}/reader.keras")
        run_python(f"""
import numpy as np, tensorflow as tf
from tensorflow import keras
loaded = keras.models.load_model({folder!r} + "/reader.keras")
ticket = {{name: tf.constant(words) for name, words in {ticket!r}.items()}}
np.save({folder!r} + "/seen.npy", loaded.predict(ticket, verbose=0)["sum"])
""")
        found = np.load(f"{folder}/seen.npy")
    assert np.allclose(found, np.array(expected["sum"]), atol=1e-6)
    assert "red" in words.get_vocabulary()


@proves(
    (
        "Pass strings as `tf.constant` to `predict` too: on Keras 3 it refuses NumPy "
        "arrays of strings."
    ),
    keras=">=3",
    false_with={"convert": tf.constant},
)
def test_predict_refuses_arrays_of_strings(convert=np.array):
    words = layers.TextVectorization(output_mode="multi_hot", vocabulary=["red"])
    raw = keras.Input(shape=(), dtype="string")
    model = keras.Model(raw, words(raw))
    assert rises(model.predict, tf.constant(["red", "blue"]), verbose=0) == ""
    assert "dtype" in rises(model.predict, convert(["red", "blue"]), verbose=0)


@proves(
    (
        "The three tags are known, so pass them as `vocabulary`, in lower case and "
        "without punctuation. That gives 4 columns: one for any other word, then "
        "outage, web and app."
    ),
    keras="!=3.4.*",  # which counts no word as no number at all
    false_with={"mode": "int"},
)
def test_tags_in_words_become_a_vector(mode="multi_hot"):
    names = layers.TextVectorization(
        vocabulary=["outage", "web", "app"], output_mode=mode
    )
    seen = np.array(names(tf.constant(["", "app", "outage new", "new old", "web app"])))
    assert seen.tolist() == [
        [0, 0, 0, 0],
        [0, 0, 0, 1],
        [1, 1, 0, 0],
        [1, 0, 0, 0],
        [0, 0, 1, 1],
    ]
    typed = layers.TextVectorization(vocabulary=["Web", "e-mail"], output_mode=mode)
    for word in ("Web", "web", "e-mail", "email"):
        assert np.array(typed(tf.constant([word]))).tolist() == [[1, 0, 0]]
    assert np.array(names(tf.constant(["Web!"]))).tolist() == [[0, 0, 1, 0]]


@proves(
    (
        "While you connect layers, their tensors have no values, so a Python `if` or "
        "`range` on a value raises an error."
    ),
    false_with={"make": lambda shape: np.ones((1, *(size or 2 for size in shape)))},
)
def test_if_and_for_cannot_depend_on_values(make=keras.Input):
    def choose():
        return 1 if make((1,)) > 0 else 0

    def count():
        return list(range(make((None, 3)).shape[1]))

    assert "TypeError" in rises(choose)
    assert "TypeError" in rises(count)


@proves(
    "One case is silent: on Keras 3 `if x == 0:` is never true.",
    false_with={"compare": lambda x: x > 0},
    needs="keras>=3",
)
def test_equal_to_zero_does_not_raise(compare=lambda x: x == 0):
    (x,) = inputs_named("x")
    taken = ["else"]

    def choose():
        if compare(x):
            taken.append("then")

    assert rises(choose) == ""
    assert taken == ["else"]


@proves(
    (
        "one of two results for each value | `keras.ops.where(x > 0, 2 * x, x)`"
        " in the graph"
    ),
    false_with={"python": True},
    needs="keras>=3",
)
def test_where_chooses_for_each_value(python=False):
    def choose(x):
        return (x * 2.0 if x > 0 else x) if python else keras.ops.where(x > 0, x * 2, x)

    (x,) = inputs_named("x")
    assert rises(choose, x) == ""
    model = keras.Model(x, choose(x))
    assert model(np.array([[-1.0, 0.0, 3.0]])).numpy().tolist() == [[-1.0, 0.0, 6.0]]


@proves(
    "a loop over the steps of a sequence | a recurrent layer",
    false_with={"name": "Dense"},
)
def test_a_loop_over_steps_is_a_recurrent_layer(name="SimpleRNN"):
    x = keras.Input(shape=(None, 3))
    model = keras.Model(x, getattr(layers, name)(4)(x))
    for steps in (2, 7):
        assert model(np.ones((5, steps, 3))).shape == (5, 4)


@proves(
    (
        "an `if` or a loop that depends on values | a custom layer in the "
        "graph, with `keras.ops.cond` or `keras.ops.while_loop` in its `call`"
    ),
    false_with={"limit": 100.0},
    needs="keras>=3",
)
def test_a_loop_in_a_layer(limit=10.0):
    class Repeat(layers.Layer):
        def call(self, x):
            (grown,) = keras.ops.while_loop(
                lambda y: keras.ops.sum(y) < limit, lambda y: (2 * y,), (x,)
            )
            return grown

        def compute_output_shape(self, input_shape):
            return input_shape

    class Choose(Repeat):
        def call(self, x):
            return keras.ops.cond(keras.ops.sum(x) < 10, lambda: 2 * x, lambda: x)

    (x,) = inputs_named("x")
    loop, choice = keras.Model(x, Repeat()(x)), keras.Model(x, Choose()(x))
    for size, grown, chosen in ((1.0, 4.0, 2.0), (5.0, 5.0, 5.0)):
        data = np.full((1, 3), size, "float32")
        for wrap in (lambda model: model, tf.function):
            assert np.array_equal(wrap(loop)(data), np.full((1, 3), grown))
            assert np.array_equal(wrap(choice)(data), np.full((1, 3), chosen))


@proves(
    (
        "A mistake in known sizes shows on the line that makes it, since Keras "
        "computes the shape of each tensor while you connect; one in a size of `None` "
        "shows when the model gets data."
    ),
    false_with={"shape": (8, 8, 1)},
)
def test_mistakes_show_while_connecting(shape=(64,)):
    error = rises(layers.Conv2D(8, 3), keras.Input(shape=shape))
    assert "expected min_ndim=4, found ndim=2" in error
    assert tuple(layers.Conv2D(8, 3)(keras.Input((8, 8, 1))).shape) == (None, 6, 6, 8)
    steps = inputs_named("a", "b", shape=(None, 3))
    model = keras.Model(steps, layers.Add()(steps))
    assert rises(model, [np.ones((1, 4, 3)), np.ones((1, 4, 3))]) == ""
    assert rises(model, [np.ones((1, 4, 3)), np.ones((1, 5, 3))]) != ""


@proves(
    (
        "A subclassed model with such a mistake can be made without an error, and "
        "fails at its first call."
    ),
    false_with={"flatten": False},
)
def test_a_subclassed_model_fails_later(flatten=True):
    class Mistaken(keras.Model):
        def __init__(self):
            super().__init__()
            self.flat, self.convolution = layers.Flatten(), layers.Conv2D(8, 3)

        def call(self, x):
            return self.convolution(self.flat(x) if flatten else x)

    model, said = warnings_of(Mistaken)
    assert said == ""
    assert "min_ndim=4" in rises(model, np.ones((1, 8, 8, 1)))


@proves(
    ("`keras.Input` returns a `KerasTensor`: a shape and a dtype, without numbers."),
    false_with={"make": lambda shape: np.ones((1, *shape), "float32")},
)
def test_input_returns_a_keras_tensor(make=lambda shape: keras.Input(shape=shape)):
    x = make((8, 8, 1))
    assert type(x).__name__ == "KerasTensor"
    assert tuple(x.shape) == (None, 8, 8, 1)
    assert tf.as_dtype(x.dtype) == tf.float32
    assert rises(np.array, x) != ""


@proves(
    ("A layer called on it returns another one, with the shape already computed:"),
    false_with={"make": lambda shape: np.ones((1, *shape), "float32")},
)
def test_a_call_returns_a_keras_tensor(make=lambda shape: keras.Input(shape=shape)):
    small = layers.Conv2D(16, 3)(make((8, 8, 1)))
    assert type(small).__name__ == "KerasTensor"
    assert tuple(small.shape) == (None, 6, 6, 16)


@proves(
    (
        "Two layers called on one tensor are two branches, and `Concatenate` called "
        "on a list joins them, here with a second input:"
    ),
    false_with={"join": layers.Add},
)
def test_two_calls_are_two_branches(join=layers.Concatenate):
    (x,) = inputs_named("x", shape=(1,))
    double, triple = (
        layers.Dense(1, kernel_initializer=keras.initializers.Constant(factor))
        for factor in (2.0, 3.0)
    )
    model = keras.Model(x, join()([double(x), triple(x)]))
    assert model(np.ones((1, 1))).numpy().tolist() == [[2.0, 3.0]]


@proves(
    (
        "If a model has branches, the last column of `summary()` says which "
        "tensors each layer reads."
    ),
    false_with={"branches": 1},
)
def test_summary_says_what_each_layer_reads(branches=2):
    (x,) = inputs_named("pixels")
    parts = [layers.Dense(2, name=f"part{k}")(x) for k in range(branches)]
    end = layers.Add(name="end")(parts) if branches > 1 else layers.ReLU()(parts[0])
    lines = []
    keras.Model(x, end).summary(print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert "Connected to" in text
    for name in ("pixels", *(f"part{k}" for k in range(branches))):
        assert f"{name}[0][0]" in text


@proves(
    (
        "`keras.utils.plot_model(branching, show_shapes=True)` draws such a "
        "picture into a file; `expand_nested=True` shows the inside of nested "
        "models."
    ),
    false_with={"nested": False},
    needs="keras>=3",
)
def test_plot_model_draws_nested_models(nested=True):
    from unittest.mock import MagicMock

    from keras.src.utils import model_visualization

    (inner,), (x,) = inputs_named("inner"), inputs_named("x")
    hidden = layers.Dense(2, name="hidden")(inner)
    model = keras.Model(x, keras.Model(inner, hidden, name="base")(x))
    package = MagicMock()
    package.Dot, package.Cluster = (
        type(name, (MagicMock,), {}) for name in ("Dot", "Cluster")
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_visualization, "pydot", package)
        keras.utils.model_to_dot(
            model, show_layer_names=True, show_shapes=True, expand_nested=nested
        )
    labels = " ".join(str(call) for call in package.Node.call_args_list)
    assert "hidden" in labels
    assert "(None, 2)" in labels or "None" in labels


@proves(
    "It needs pydot and Graphviz; the recipe that draws the pictures on this page "
    "needs neither.",
    false_with={"draws": True},
    needs="keras>=3",
)
def test_plot_model_needs_graphviz(draws=False):
    from keras.src.utils import model_visualization

    from snippets.showing.drawings import draw_layers

    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1)(x))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for package in ("pydot", "pydotplus", "pydot_ng", "graphviz"):
            patch.setitem(sys.modules, package, None)
        patch.setattr(model_visualization, "check_graphviz", lambda: False)
        drawn = draw_layers if draws else keras.utils.plot_model
        to = () if draws else (f"{folder}/model.png",)
        assert "You must install pydot" in rises(drawn, model, *to)
        patch.setattr(model_visualization, "check_pydot", lambda: True)
        assert "You must install graphviz" in rises(drawn, model, *to)
        assert draw_layers(model).svg.startswith("<svg")


@proves("A skip connection uses a tensor again later.", false_with={"again": False})
def test_a_tensor_can_be_used_again(again=True):
    (x,) = inputs_named("x", shape=(1,))
    double = layers.Dense(1, kernel_initializer=keras.initializers.Constant(2.0))(x)
    model = keras.Model(x, layers.Add()([x if again else double, double]))
    assert model(np.ones((1, 1))).numpy().tolist() == [[3.0]]


@proves(
    "A residual block runs its input through its layers, and adds the input to the "
    "result, `layers.Add()([x, y])`:",
    false_with={"last": "block_conv2"},
    needs="keras>=3",
)
def test_a_residual_block_adds_its_input(last="block_sum"):
    from snippets.functional import residual_block

    x = keras.Input((5, 5, 2))
    block = keras.Model(x, residual_block(x, name="block"))
    made = keras.Model(x, block.get_layer("block_conv2").output)
    model = keras.Model(x, block.get_layer(last).output)
    images = np.random.default_rng(0).random((2, 5, 5, 2)).astype("float32")
    assert np.allclose(model(images), made(images) + images, atol=1e-5)


@proves(
    '`width` is a number, not a class, so its loss is `"mse"`:',
    false_with={"loss": "hinge"},
)
def test_a_number_is_learned_by_mse(loss="mse"):
    pixels, numbers = keras.Input((8, 8, 1)), keras.Input((3,))
    joined = layers.Concatenate()([layers.Flatten()(pixels), numbers])
    digit = layers.Dense(10, activation="softmax", name="digit")(joined)
    width = layers.Dense(1, name="width")(joined)
    model = keras.Model([pixels, numbers], {"digit": digit, "width": width})
    losses = {"digit": "sparse_categorical_crossentropy", "width": loss}
    model.compile(keras.optimizers.Adam(0.1), losses)
    generator = np.random.default_rng(0)
    rows = np.tile(generator.normal(size=(64, 3)), (100, 1))  # 100 times the same
    arrays = [np.zeros((6400, 8, 8, 1), "float32"), rows]
    wanted = {
        "digit": np.arange(6400) % 10,
        "width": rows @ np.array([[3.0], [-2.0], [1.0]]) + 4,
    }
    model.fit(arrays, wanted, batch_size=64, shuffle=False, verbose=0)
    found = model.predict(arrays, verbose=0)["width"]
    assert np.abs(found - wanted["width"]).mean() < 0.5


@proves(
    (
        "For a single output, use `outputs=digit`, one loss and a plain array of "
        'labels: `fit(arrays, wanted["digit"])`.'
    ),
    false_with={"single": False},
)
def test_one_output_takes_an_array(single=True):
    names = ("pixels", "numbers")
    inputs = dict(zip(names, inputs_named(*names), strict=True))
    joined = layers.Concatenate()(list(inputs.values()))
    outputs = {name: layers.Dense(1, name=name)(joined) for name in ("digit", "width")}
    model = keras.Model(inputs, outputs["digit"] if single else outputs)
    model.compile("sgd", "mse")
    arrays = {name: np.full((4, 3), 0.1) for name in inputs}
    wanted, seen = np.arange(4.0)[:, np.newaxis], {}

    def fit_on_an_array():
        seen.update(model.fit(arrays, wanted, verbose=0).history)

    assert rises(fit_on_an_array) == ""
    assert list(seen) == ["loss"]
    loss = model.evaluate(arrays, wanted, verbose=0)
    found = model.predict(arrays, verbose=0)
    assert isinstance(found, np.ndarray)
    assert abs(loss - np.mean((found - wanted) ** 2)) < 1e-4


@proves(
    (
        "`Add` raises an error if your block turns 16 channels into 32, or reduces the "
        "height and width by `strides`. A tensor of a single channel raises none: its "
        "channel is repeated to match the other tensor. To make the shapes fit, give "
        'the convolutions of the block `padding="same"`, and send its input through a '
        "1 × 1 convolution with its channels and strides, or a vector through a "
        "`Dense`:"
    ),
    false_with={"size": 3},
)
def test_a_1_by_1_convolution_on_the_way(size=1):
    x, row = keras.Input(shape=(8, 8, 16)), keras.Input(shape=(16,))
    for strides in (1, 2):
        options = {"strides": strides}
        block = layers.Conv2D(32, 3, padding="same", **options)(x)
        assert "incompatible shapes" in rises(layers.Add(), [x, block])
        way = layers.Conv2D(32, size, **options)(x)
        assert rises(layers.Add(), [way, block]) == ""
        assert tuple(layers.Add()([way, block]).shape) == tuple(block.shape)
    gray = keras.Input(shape=(8, 8, 1))
    total = keras.Model([x, gray], layers.Add()([x, gray]))
    image = np.arange(64.0).reshape(1, 8, 8, 1)
    repeated = np.repeat(image, 16, axis=-1)
    assert np.array_equal(total([np.zeros((1, 8, 8, 16)), image]), repeated)
    other = layers.Dense(5)(row)
    assert "incompatible shapes" in rises(layers.Add(), [row, other])
    assert tuple(layers.Add()([layers.Dense(5)(row), other]).shape) == (None, 5)


@proves(
    (
        "The output of each layer is a tensor of the graph, so it can be the "
        "output of another model:"
    ),
    false_with={"start": 2},
)
def test_a_model_can_return_every_output(start=1):
    (x,) = inputs_named("x")
    model = keras.Model(
        x, layers.Dense(1, name="last")(layers.Dense(2, name="first")(x))
    )
    outputs = {layer.name: layer.output for layer in model.layers[start:]}
    seen = keras.Model(model.input, outputs)(np.ones((5, 3)))
    assert set(seen) == {"first", "last"}
    assert np.array_equal(seen["last"], model(np.ones((5, 3))))


@proves(
    (
        "A subclassed model has to become Functional first: "
        "`opened = keras.Model(x, model.call(x))`, where `x` is a `keras.Input` "
        "(example)."
    ),
    false_with={"run": "__call__"},
)
def test_a_subclassed_model_made_functional(run="call"):
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = layers.Dense(2, name="hidden")
            self.last = layers.Dense(1, name="last")

        def call(self, x):
            return self.last(self.hidden(x))

    model, x = Subclassed(), keras.Input(shape=(64,))
    data, seen = np.ones((5, 64), "float32"), []

    def look_inside():
        opened = keras.Model(x, getattr(model, run)(x))
        seen.append(keras.Model(x, opened.get_layer("hidden").output)(data))

    assert rises(look_inside) == ""
    assert np.allclose(seen[0], model.hidden(data), atol=1e-6)


def stacked_network(name):
    return keras.Sequential(
        [keras.Input(shape=(32, 32, 3)), layers.Flatten()], name=name
    )


def functional_network(name):
    make = getattr(keras.applications, name)
    return make(weights=None, include_top=False, input_shape=(32, 32, 3))


@proves(
    (
        "The networks of `keras.applications`, such as VGG16 and MobileNetV2, "
        "are Functional models too."
    ),
    false_with={"make": stacked_network},
)
def test_applications_are_functional(make=functional_network):
    for name in ("VGG16", "MobileNetV2"):
        assert type(make(name)).__name__ == "Functional"


@proves(
    "A layer that is called twice uses the same weights both times, and the model "
    "counts them once.",
    false_with={"make": lambda: [layers.Dense(3), layers.Dense(3)]},
)
def test_two_calls_share_weights(make=lambda: [layers.Dense(3)] * 2):
    a, b = inputs_named("a", "b")
    first, second = make()
    model = keras.Model([a, b], [first(a), second(b)])
    assert model.count_params() == 12
    first, second = model([np.ones((1, 3)), np.ones((1, 3))])
    assert np.array_equal(first, second)


def two_calls_of_one_layer(first="a"):
    """A layer called on both Inputs, and what reads its two outputs."""
    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    shared = layers.Dense(2, name="shared")
    outputs = {}
    for name in sorted(tensors, key=lambda name: name != first):
        outputs[name] = shared(tensors[name])
    ends = [layers.ReLU(name=f"reads_{name}")(outputs[name]) for name in "ab"]
    model = keras.Model(list(tensors.values()), layers.Concatenate()(ends))
    return tensors, outputs, shared, model


@proves(
    (
        "`shared.output` is the output of the first call: after `shared(a)` and "
        "`shared(b)` it depends on `a`, so `keras.Model(b, shared.output)` fails; on "
        "Keras 3.4 to 3.13, only when that model is called."
    ),
    false_with={"first": "b"},
)
def test_output_is_that_of_the_first_call(first="a"):
    tensors, outputs, shared, _ = two_calls_of_one_layer(first)
    assert outputs["a"] is not outputs["b"]
    assert shared.output is outputs["a"]

    def cut_and_call():
        return keras.Model(tensors["b"], shared.output)(np.ones((1, 3)))

    assert rises(cut_and_call) != ""
    assert rises(keras.Model(tensors["a"], shared.output), np.ones((1, 3))) == ""


@proves(
    (
        "Keep the tensor that you want, `y = shared(b)`, and write `keras.Model(b, "
        "y)`. In a loaded model there is no `y`: take the input of the layer that "
        'reads it, such as `loaded.get_layer("head").input`.'
    ),
    false_with={"reader": "reads_a"},
)
def test_the_output_of_another_call(reader="reads_b"):
    tensors, outputs, shared, model = two_calls_of_one_layer()
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    data = np.random.default_rng(0).random((4, 3)).astype("float32")
    for start, output in (
        (tensors["b"], outputs["b"]),
        (loaded.inputs[1], loaded.get_layer(reader).input),
    ):
        assert rises(lambda: keras.Model(start, output)(data)) == ""  # noqa: B023 - at once
        found = keras.Model(start, output)(data)
        assert np.allclose(found, shared(data), atol=1e-6)


@proves(
    (
        "A model is a layer too, and its `.output` belongs to its own Input: after "
        "`y = inner(x)`, build on `y`, not on `inner.output`."
    ),
    false_with={"start": lambda inner, y: inner.output},
)
def test_a_model_is_a_layer(start=lambda inner, y: y):
    own, x = inputs_named("own", "x")
    inner = keras.Model(own, layers.Dense(2)(own))
    y = inner(x)

    def build_and_call():
        return keras.Model(x, layers.ReLU()(start(inner, y)))(np.ones((1, 3)))

    assert rises(build_and_call) == ""
    assert keras.Model(x, y).layers[1] is inner


@proves(
    "To keep a trained one as it is, set `trainable = False` on it before `compile`.",
    false_with={"flag": True},
)
def test_a_model_inside_is_frozen(flag=False):
    (x,), (y,) = inputs_named("x"), inputs_named("y")
    inner = keras.Model(x, layers.Dense(2)(x))
    inner.trainable = flag
    outer = keras.Model(y, layers.Dense(1)(inner(y)))
    outer.compile("sgd", "mse")
    before = inner.get_weights()
    outer.fit(np.ones((4, 3)), np.full((4, 1), 9.0), verbose=0)
    assert np.array_equal(inner.get_weights()[0], before[0])


@proves(
    ("The piece shares its layers with the old model, so they are frozen in both:"),
    false_with={"flag": True},
)
def test_a_piece_is_frozen_in_both(flag=False):
    (x,) = inputs_named("x")
    pooled = layers.Dense(2, name="pooled")(x)
    old = keras.Model(x, layers.Dense(3)(pooled))
    base = keras.Model(old.input, old.get_layer("pooled").output)
    base.trainable = flag
    new = keras.Model(base.input, layers.Dense(1)(base.output))
    for model in (new, old):
        model.compile("sgd", "mse", run_eagerly=True)
        before = base.get_weights()[0]
        model.fit(np.ones((4, 3)), np.full((4, 1), 9.0), verbose=0)
        assert np.array_equal(base.get_weights()[0], before)
        assert len(model.trainable_weights) == 2


@functools.cache
def digits():
    from snippets.data import digit_images, split_train_test

    return split_train_test(*digit_images())


@proves(
    (
        "To train it, let `sample_pairs` draw pairs: every second one shows the same "
        "digit, and has the label 1. With convolutions in its encoder, as "
        "`snippets.functional.image_encoder` has, such a network judges more than 75 "
        "of 100 new pairs rightly."
    ),
    false_with={"epochs": 0},
    needs="keras>=3",
)
def test_siamese_network_judges_new_pairs(epochs=4):
    from snippets.functional import image_encoder, sample_pairs, siamese_network

    x, y, x_test, y_test = digits()
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        model = siamese_network(image_encoder((8, 8, 1)))
        pairs = sample_pairs(x, y, 1500, seed=seed)
        fit(model, *pairs, epochs, loss="binary_crossentropy")
        pairs, same = sample_pairs(x_test, y_test, 500, seed=seed + 10)
        assert np.array_equal(same[:, 0], np.arange(500) % 2 == 0)
        assert np.mean((model.predict(pairs, verbose=0) > 0.5) == same) > 0.75


@proves(
    (
        "The third model calls the decoder on the output of the encoder, here and in "
        "the recipe `snippets.functional.autoencoder`. The three share their layers, "
        "so training the whole, with the data as its own labels, trains both halves:"
    ),
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_training_the_whole_trains_the_halves(rate=0.01):
    from snippets.functional import autoencoder

    encoder, decoder, whole = autoencoder(4, 2)
    rows = np.eye(4)
    assert np.allclose(whole(rows), decoder(encoder(rows)), atol=1e-6)
    halves = [
        keras.Sequential([keras.Input((size,)), layers.Dense(other)])
        for size, other in ((4, 2), (2, 4))
    ]
    x = keras.Input((4,))
    own = keras.Model(x, halves[1](halves[0](x)))
    for models, joined in (([encoder, decoder], whole), (halves, own)):
        before = [model.get_weights()[0] for model in models]
        joined.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
        joined.fit(rows, rows, verbose=0)
        for model, old in zip(models, before, strict=True):
            assert np.abs(model.get_weights()[0] - old).max() > 0


@proves(
    "Models called on one Input become one model, with one file and one `predict`:",
    false_with={"join": layers.Maximum},
)
def test_several_models_become_one(join=layers.Average):
    x, a, b = inputs_named("x", "a", "b")
    members = [keras.Model(t, layers.Dense(2)(t), name=t.name) for t in (a, b)]
    together = keras.Model(x, join()([member(x) for member in members]))
    assert [layer.name for layer in together.layers[:-1]] == ["x", "a", "b"]
    data = np.eye(3)
    expected = np.mean([member(data) for member in members], axis=0)
    assert np.allclose(together.predict(data, verbose=0), expected, atol=1e-6)


@proves(
    "Make the keys equal to the names of the Inputs; Keras 3 warns otherwise.",
    keras=">=3",
    false_with={"name": "price"},
)
def test_keys_are_names_of_inputs(name="money"):
    x = keras.Input(shape=(), name=name)
    _, said = warnings_of(keras.Model, {"price": x}, layers.Identity()(x))
    assert "must match the names" in said


@proves(
    (
        "The order of the data then does not matter, and a missing name is an "
        "error that says which."
    ),
    false_with={"cost": 4.0},
)
def test_order_of_a_dict_does_not_matter(cost=3.0):
    model = profit()
    for data in (amounts(price=5.0, cost=cost), amounts(cost=cost, price=5.0)):
        assert np.array(model(data)).item() == 2.0


@proves(
    (
        "The order of the data then does not matter, and a missing name is an "
        "error that says which."
    ),
    false_with={"data": {"price": 5.0, "cost": 3.0}},
)
def test_a_missing_name_is_an_error(data=None):
    error = rises(profit(), amounts(**(data or {"price": 5.0})))
    assert 'Missing data for input "cost"' in error


THREE = np.array([3.0])


FIVE = np.array([5.0])


def difference_of_two(names=("a", "b"), as_dict=False):
    """The first input minus the second, as a list or as a dict."""
    tensors = inputs_named(*names, shape=())
    inputs = dict(zip(names, tensors, strict=True)) if as_dict else tensors
    return keras.Model(inputs, layers.Subtract()(tensors))


@proves(
    ("A model with lists of inputs and outputs is fed with lists in the same order."),
    false_with={"data": (THREE, FIVE)},
)
def test_lists_are_fed_in_order(data=(FIVE, THREE)):
    for names in (("a", "b"), ("b", "a")):
        result, said = warnings_of(difference_of_two(names), list(data))
        assert (np.array(result).item(), said) == (2.0, "")


@proves(
    (
        "Dicts are safer: two arrays of the same shape that change places in a "
        "list give no error."
    ),
    false_with={"as_dict": True},
)
def test_swapped_arrays_give_no_error(as_dict=False):
    model = difference_of_two(as_dict=as_dict)
    swapped = {"b": THREE, "a": FIVE} if as_dict else [THREE, FIVE]
    result, said = warnings_of(model, swapped)
    assert (np.array(result).item(), said) == (-2.0, "")
    safe = difference_of_two(as_dict=True)({"b": THREE, "a": FIVE})
    assert np.array(safe).item() == 2.0


@proves(
    (
        "On Keras 3 a list is matched with the names in alphabetical order, and not "
        "in the order in which you wrote them."
    ),
    false_with={"labels": (3 * ONES, 2 * ONES)},
    needs="keras>=3",
)
def test_labels_in_alphabetical_order(labels=(2 * ONES, 3 * ONES)):
    model = perfect_model()
    seen = model.evaluate(ONES, list(labels), verbose=0, return_dict=True)
    assert seen["loss"] == 2.0  # (2 - 3) ** 2 + (3 - 2) ** 2


@proves(
    "Judged by a list in the wrong order, even a perfect model looks bad, so pass "
    "a dict:",
    false_with={"labels": {"width": 2 * ONES, "height": 3 * ONES}},
    needs="keras>=3",
)
def test_a_perfect_model_looks_wrong(labels=(2 * ONES, 3 * ONES)):
    model = perfect_model()
    outputs = model(ONES)
    assert np.array_equal(outputs["width"], 2 * ONES)
    assert np.array_equal(outputs["height"], 3 * ONES)
    given = labels if isinstance(labels, dict) else list(labels)
    assert model.evaluate(ONES, given, verbose=0, return_dict=True)["loss"] > 0.0


@proves(
    (
        "`[layers.Dense(8)] * 3` holds one layer three times, and its calls "
        "share their weights."
    ),
    false_with={"make": lambda: [layers.Dense(8) for _ in range(3)]},
)
def test_a_list_times_3_is_one_layer(make=lambda: [layers.Dense(8)] * 3):
    x = y = keras.Input(shape=(8,))
    for layer in make():
        y = layer(y)
    assert keras.Model(x, y).count_params() == 8 * 8 + 8


@proves(
    "Write `[layers.Dense(8) for _ in range(3)]`.",
    false_with={"make": lambda: [layers.Dense(8)] * 3},
)
def test_three_layers_have_three_weights(
    make=lambda: [layers.Dense(8) for _ in range(3)],
):
    x = y = keras.Input(shape=(8,))
    for layer in make():
        y = layer(y)
    assert keras.Model(x, y).count_params() == 3 * (8 * 8 + 8)


@proves(
    "The output depends on an Input that is missing in `inputs`.",
    keras=">=3.14",
    false_with={"given": ("a", "b")},
)
def test_an_input_is_missing(given=("a",)):
    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    total = layers.Add()(list(tensors.values()))
    error = rises(keras.Model, [tensors[name] for name in given], total)
    assert "Output with path `` is not connected to `inputs`" in error


@proves(
    (
        "Keras 3.14 and later write this message; the path is the place of the output, "
        "empty if there is only one."
    ),
    keras=">=3.14",
    false_with={"key": "1"},
)
def test_path_is_the_place_of_the_output(key="0"):
    for wrap, path in (
        (lambda y: y, ""),
        (lambda y: [y], key),
        (lambda y: {"out": y}, "out"),
    ):
        assert f"Output with path `{path}` is not" in rises(disconnected, wrap, wrap)


@proves(
    (
        "Keras 3.4 to 3.13 raise a `KeyError` with a long number, but only when the "
        "model is called."
    ),
    false_with={"name": "a"},
    needs="keras>=3.4,<3.14",
)
def test_disconnected_on_keras_3_4_to_3_13(name="b"):
    assert rises(disconnected, name=name) == ""
    model = disconnected(name=name)
    assert model.count_params() == 8
    assert re.search(r"KeyError: .*\d{9,}", rises(model, np.ones((1, 3))), re.DOTALL)


@proves(
    "Keras 2 writes `Graph disconnected: cannot obtain value for tensor`.",
    keras="<3",
)
def test_disconnected_on_keras_2():
    assert "Graph disconnected: cannot obtain value for tensor" in rises(disconnected)


@proves(
    ("An Input was forgotten. Add it: `keras.Model(inputs=[a, b], outputs=total)`."),
    keras=">=3.14",
    false_with={"count": 1},
)
def test_add_the_forgotten_input(count=2):
    a, b = inputs_named("a", "b")
    scores = layers.Dense(2)(layers.Add()([a, b]))
    assert "not connected" in rises(keras.Model, a, scores)
    assert rises(keras.Model, [a, b][:count], scores) == ""


@proves(
    (
        "You joined the outputs of two models, and each model has an Input of its "
        "own. Pass both Inputs, or call both models on one, as the ensemble does."
    ),
    false_with={"on_one": True},
    needs="keras>=3",
)
def test_each_base_has_an_input_of_its_own(on_one=False):
    from snippets.functional import missing_inputs

    a, b = inputs_named("a", "b")
    starts = (a, a if on_one else b)
    bases = [keras.Model(x, layers.Dense(2)(x)) for x in starts]
    joined = layers.Concatenate()([base.output for base in bases])
    assert len(missing_inputs([], joined)) == 2
    assert missing_inputs([a, b], joined) == []


@proves(
    (
        "You joined the outputs of two models, and each model has an Input of its "
        "own. Pass both Inputs, or call both models on one, as the ensemble does."
    ),
    false_with={"join": layers.Add},
)
def test_call_both_models_on_one_input(join=layers.Concatenate):
    a, b, x = inputs_named("a", "b", "x")
    bases = [keras.Model(t, layers.Dense(2)(t), name=f"on_{t.name}") for t in (a, b)]
    joined = join()([base(x) for base in bases])
    assert tuple(keras.Model(x, joined).output.shape) == (None, 4)


@proves(
    (
        "The tensor is from inside a nested model, so it depends on the nested model's "
        "Input, not on yours. Make a model from that Input to the tensor, "
        "`part = keras.Model(nested.inputs[0], tensor)`, and call it on your Input, "
        "`part(x)` (example)."
    ),
    false_with={"inside": False},
    needs="keras>=3",
)
def test_inner_tensors_begin_at_the_inner_input(inside=True):
    from snippets.functional import input_paths

    model = nested()
    base = model.get_layer("base")
    assert model.layers[-1].input is not base.output
    inner = base.get_layer("features").output
    found = input_paths([], inner if inside else model.layers[-1].input)
    assert [start.path for start in found] == [("inner", "features")]


@proves(
    (
        "The tensor is from inside a nested model, so it depends on the nested model's "
        "Input, not on yours. Make a model from that Input to the tensor, "
        "`part = keras.Model(nested.inputs[0], tensor)`, and call it on your Input, "
        "`part(x)` (example)."
    ),
    false_with={"name": "inner"},
)
def test_cut_at_the_inner_input(name="features"):
    model = nested()
    base = model.get_layer("base")
    piece = keras.Model(base.input, base.get_layer(name).output)
    (x,) = inputs_named("x")
    assert tuple(keras.Model(x, piece(x)).output.shape) == (None, 2)


@proves(
    (
        "If you do not see which Input is missing, on Keras 3 the recipe "
        "`snippets.functional.missing_inputs` names it, with the layers on the way "
        "(example)."
    ),
    false_with={"given": ("a", "b")},
    needs="keras>=3",
)
def test_recipes_name_what_is_missing(given=("a",)):
    from snippets.functional import connected_model, missing_inputs

    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    total = layers.Add(name="total")(list(tensors.values()))
    scores = layers.Dense(2, name="scores")(total)
    inputs = [tensors[name] for name in given]
    paths = [start.path for start in missing_inputs(inputs, scores)]
    assert paths == [("b", "total", "scores")]
    assert "'b' of shape (None, 3)" in rises(connected_model, inputs, scores)


@proves(
    "Only Keras 3.11 to 3.13 have this message, and other versions accept the Input.",
    keras=">=3.11,<3.14",
    false_with={"count": 1},
)
def test_only_three_versions_refuse_an_unused_input(count=2):
    a, b = inputs_named("a", "b")
    error = rises(keras.Model, [a, b][:count], layers.Dense(2)(a))
    assert "`inputs` not connected to `outputs`" in error


@proves(
    "A `KerasTensor` has no numbers to compute with.",
    keras=">=3",
    false_with={"make": tf.zeros},
)
def test_tensorflow_function_is_refused(make=keras.Input):
    assert "cannot be used as input to a TensorFlow" in rises(tf.abs, make((3,)))


@proves(
    (
        "Keras 2 wrapped TensorFlow functions into layers; on Keras 3 use `keras.ops`, "
        "such as `keras.ops.concatenate` for `tf.concat`, `keras.ops.reshape` for "
        "`tf.reshape`, `keras.ops.sum` for `tf.reduce_sum`, `keras.ops.cast` for "
        "`tf.cast` and `keras.ops.relu` for `tf.nn.relu`:"
    ),
    keras="<3",
)
def test_tensorflow_function_is_wrapped_on_keras_2():
    (x,) = inputs_named("x")
    assert rises(tf.abs, x) == ""
    model = keras.Model(x, tf.abs(x))
    assert "OpLambda" in type(model.layers[-1]).__name__
    assert np.array_equal(model(-np.ones((1, 3))), np.ones((1, 3)))


@proves(
    (
        "Keras 2 wrapped TensorFlow functions into layers; on Keras 3 use `keras.ops`, "
        "such as `keras.ops.concatenate` for `tf.concat`, `keras.ops.reshape` for "
        "`tf.reshape`, `keras.ops.sum` for `tf.reduce_sum`, `keras.ops.cast` for "
        "`tf.cast` and `keras.ops.relu` for `tf.nn.relu`:"
    ),
    false_with={"package": tf},
    needs="keras>=3",
)
def test_operation_instead_of_function(package=None):
    from snippets.functional import image_encoder, siamese_network

    absolute = (package or keras.ops).abs
    (x,) = inputs_named("x")
    assert rises(absolute, x) == ""
    total = keras.ops.sum(absolute(x))
    assert keras.Model(x, total)(-np.ones((1, 3))) == tf.reduce_sum(tf.ones(3))
    signs = np.array([[-1.0, 0.0, 2.0]])
    kept = keras.Model(x, keras.ops.relu(x))(signs)
    assert np.array_equal(kept, tf.nn.relu(signs))
    twice = keras.Model(x, keras.ops.concatenate([x, x], axis=-1))(signs)
    assert np.array_equal(twice, tf.concat([signs, signs], axis=-1))
    column = keras.Model(x, keras.ops.reshape(x, (-1, 3, 1)))(signs)
    assert np.array_equal(column, tf.reshape(signs, (-1, 3, 1)))
    whole = keras.Model(x, keras.ops.cast(x, "int32"))(signs)
    assert np.array_equal(whole, tf.cast(signs, "int32"))
    siamese = siamese_network(image_encoder((8, 8, 1)))
    assert "Absolute" in [type(step).__name__ for step in siamese.operations]


@proves(
    (
        "For `tf.shape(x)` take the known sizes from `x.shape`. The batch size is "
        "`None` there: use `keras.ops.shape(x)[0]` in the `call` of a layer."
    ),
    false_with={"in_a_layer": False},
    needs="keras>=3",
)
def test_batch_size_in_a_layer(in_a_layer=True):
    class Ones(layers.Layer):
        def call(self, x):
            return keras.ops.ones((keras.ops.shape(x)[0], 1))

    (x,) = inputs_named("x")
    assert tuple(x.shape) == tuple(keras.ops.shape(x)) == (None, 3)

    def connect():
        return Ones()(x) if in_a_layer else Ones().call(x)

    assert rises(connect) == ""
    model = keras.Model(x, connect())
    assert np.array_equal(model(np.zeros((4, 3))), np.ones((4, 1)))


@proves(
    (
        "An `if` asks for a value that a graph does not have: write "
        "`keras.ops.where`, or see Functional or subclassing?."
    ),
    keras=">=3",
    false_with={"make": np.ones},
)
def test_if_needs_a_value(make=lambda shape: keras.Input(shape=shape)):
    def choose():
        return 1 if make((1,)) > 0 else 0

    assert "A symbolic KerasTensor cannot be used as a boolean" in rises(choose)


def two_without_names(name=None):
    x, y = keras.Input(shape=(3,)), keras.Input(shape=(3,), name=name)
    model = keras.Model([x, y], layers.Add()([x, y]))
    return model, *[layer.name for layer in model.layers[:2]]


@proves(
    (
        "The dict lacks the key of an Input or misspells it; `fit`, `predict` and a "
        "call raise alike."
    ),
    false_with={"given": 2},
)
def test_a_missing_name_is_an_error_with_its_name(given=1):
    model, *names = two_without_names()
    model.compile("sgd", "mse")
    for other in ([], ["misspelled"]):
        data = {name: np.ones((1, 3)) for name in names[:given] + other}
        for error in (
            rises(model, data),
            rises(model.predict, data, verbose=0),
            rises(model.fit, data, np.ones((1, 3)), verbose=0),
        ):
            assert f'Missing data for input "{names[1]}"' in error


@proves(
    (
        "A name such as `input_layer_1` or `input_layer_3` is automatic: that "
        "Input was made without `name=`, and the number counts such Inputs. "
        "Give each Input a name, and use it as the key."
    ),
    false_with={"name": "b"},
    needs="keras>=3",
)
def test_automatic_names_are_counted(name=None):
    _, *names = two_without_names(name)
    found = [re.fullmatch(r"input_layer_?(\d*)", each) for each in names]
    assert all(found)
    numbers = [int(match[1] or 0) for match in found]
    assert numbers[1] == numbers[0] + 1


@proves(
    "One array was passed for several inputs: pass a dict with these keys.",
    keras=">=3.14",
    false_with={"data": {"price": np.array([5.0]), "cost": np.array([3.0])}},
)
def test_one_array_for_several_inputs(data=None):
    error = rises(profit(), np.array([5.0]) if data is None else data)
    assert "expects 2 named input(s) with keys ['cost', 'price']" in error
    assert rises(profit(), amounts(price=5.0, cost=3.0)) == ""


@proves(
    (
        'Keras 3.13 and older write `Layer "functional" expects 3 input(s), but'
        " it received 1 input tensors`."
    ),
    keras="<3.14",
    false_with={"data": [np.ones((1, 3))] * 2},
)
def test_one_array_in_older_words(data=None):
    model = keras.Model((t := inputs_named("a", "b")), layers.Add()(t))
    error = rises(model, np.ones((1, 3)) if data is None else data)
    assert "expects 2 input(s), but it received 1 input tensors" in error


@proves(
    (
        "The data has another form than the `inputs` of the model, such as a list "
        "where the model has a dict or a single tensor, or a dict with extra keys."
    ),
    keras=">=3.6",
    false_with={"listed": False},
)
def test_structures_that_do_not_match(listed=True):
    (x,) = inputs_named("x", shape=())
    one = keras.Model(x, layers.Identity()(x))
    named = amounts(price=5.0, cost=3.0)
    for model, data in (
        (profit(), list(named.values()) if listed else named),
        (one, [FIVE] if listed else FIVE),
        (profit(), {**named, "year": FIVE}),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            error = rises(model, data)
        said = error + " ".join(str(warning.message) for warning in caught)
        assert "The structure of `inputs` doesn't match the expected structure" in said


@proves(
    (
        "`model.inputs` is always a list, so `keras.Model(model.inputs, ...)` expects a"
        " list and warns of a single array: write `model.inputs[0]`."
    ),
    keras=">=3.6",
    false_with={"start": lambda model: model.inputs[0]},
)
def test_made_from_the_list_of_inputs(start=lambda model: model.inputs):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1, name="end")(x))
    listed = keras.Model(start(model), model.output)
    single = keras.Model(model.inputs[0], model.output)
    _, said = warnings_of(listed, np.ones((2, 3)))
    assert "The structure of `inputs` doesn't match" in said
    assert warnings_of(single, np.ones((2, 3)))[1] == ""

"""Proofs of the Functional guide."""

import functools
import re
import sys
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

layers = keras.layers


def inputs_named(*names, shape=(3,)):
    return [keras.Input(shape=shape, name=name) for name in names]


def rises(call, *args, **kwargs):
    """The error of a call, as text; nothing if there is none."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def warnings_of(call, *args):
    """The result of a call, and its warnings as one text."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call(*args)
    return result, " ".join(str(warning.message) for warning in caught)


@functools.cache
def digits():
    from snippets.data import digit_images, split_train_test

    return split_train_test(*digit_images())


def fit(model, x, y, epochs, rate=0.01, loss="sparse_categorical_crossentropy"):
    model.compile(keras.optimizers.Adam(rate), loss)
    return model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)


# The answer


@proves(
    "Call each layer on the tensor that it should read, and hand `keras.Model` the "
    "inputs and the outputs.",
    false_with={"called": ("last",)},
)
def test_model_from_inputs_to_outputs(called=("first", "last")):
    (x,) = inputs_named("x")
    y = x
    for name in called:
        y = layers.Dense(2, name=name)(y)
    model = keras.Model(inputs=x, outputs=y)
    assert [layer.name for layer in model.layers] == ["x", "first", "last"]
    assert model(np.ones((5, 3))).shape == (5, 2)


@proves(
    "Two layers called on one tensor are two branches, and a layer called on a list "
    "joins them.",
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
    "A box is one call of a layer, an arrow is a tensor.",
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


@proves(
    "Every shape in the picture was known before there was any data.",
    false_with={"image_shape": (None, None, 1)},
    needs="keras>=3",
)
def test_shapes_are_known_before_data(image_shape=(8, 8, 1)):
    from snippets.functional import two_branch_classifier
    from snippets.showing.drawings import layer_calls

    model = two_branch_classifier(image_shape, 10)
    shapes = {call.name: call.shape for call in layer_calls(model)}
    assert shapes == {
        "pixels": "(None, 8, 8, 1)",
        "small": "(None, 6, 6, 16)",
        "large": "(None, 4, 4, 16)",
        "small_pooled": "(None, 16)",
        "large_pooled": "(None, 16)",
        "joined": "(None, 32)",
        "digit": "(None, 10)",
    }


# Train it, save it, load it


@proves("A Functional model trains like any other.", false_with={"rate": 0.0})
def test_trains_like_any_other(rate=0.1):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Add()([layers.Dense(1)(x), layers.Dense(1)(x)]))
    data = np.eye(3, dtype="float32")
    keras.utils.set_random_seed(0)
    losses = fit(model, data, data[:, :1], 5, rate, "mse").history["loss"]
    assert losses[-1] < 0.9 * losses[0]


@proves(
    "The data are 1,797 images of handwritten digits:",
    false_with={"name": "digit_vectors"},
)
def test_digits_are_1797_images(name="digit_images"):
    from snippets import data

    images, labels = getattr(data, name)()
    assert images.shape == (1797, 8, 8, 1)
    assert set(labels) == set(range(10))


@functools.cache
def reloaded():
    """Outputs of every architecture, here and in a fresh process.

    Models without a class of their own are loaded before `snippets` is imported. What
    is saved as `copy` has the graph of the first and weights of its own.
    """
    from snippets import functional as f
    from snippets.processes import run_python

    images, pixels = np.ones((3, 8, 8, 1), "float32"), keras.Input((8, 8, 1))
    x = np.random.default_rng(0).random((3, 8, 8, 1)).astype("float32")
    branching = f.two_branch_classifier((8, 8, 1), 10)
    encoder, decoder, whole = f.autoencoder(64, 8)
    groups = {"a": np.random.default_rng(0).random((3, 2)), "b": np.eye(3)}
    every = {layer.name: layer.output for layer in branching.layers[1:]}
    models = {
        "branches": (branching, x),
        "table": (f.table_model(groups, {"kind": 3}, ["size"]), groups),
        "siamese": (
            f.siamese_network(f.image_encoder((8, 8, 1))),
            {"left": x, "right": images},
        ),
        "residual": (f.residual_classifier((8, 8, 1), 10), x),
        "encoder": (encoder, x.reshape(3, 64)),
        "decoder": (decoder, x.reshape(3, 64)[:, :8]),
        "whole": (whole, x.reshape(3, 64)),
        "ensemble": (
            f.ensemble([branching, f.two_branch_classifier((8, 8, 1), 10)]),
            x,
        ),
        "features": (keras.Model(branching.input, every), x),
        "masked": (f.masked_classifier(8, 10), x[..., 0]),
        "edges": (keras.Model(pixels, f.SobelEdges()(pixels)), x),
    }
    models["copy"] = (branching, x)
    here, there = {}, {}
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
        import snippets.functional
    inputs = dict(np.load(path.with_suffix(".npz")))
    outputs = keras.models.load_model(path)(inputs.get("", inputs))
    arrays = [np.array(y) for y in keras.tree.flatten(outputs)]
    np.savez(path.with_suffix(".out.npz"), *arrays)
""")
        for name in models:
            with np.load(f"{folder}/{name}.out.npz") as outputs:
                there[name] = [outputs[key] for key in outputs.files]
    return here, there


@proves(
    "A saved Functional model holds its graph, so a fresh process loads it without the "
    "code that built it:",
    false_with={"name": "copy"},
    needs="keras>=3",
)
def test_loads_without_its_code(name="branches"):
    here, there = reloaded()
    for seen, expected in zip(there[name], here[name], strict=True):
        assert np.allclose(seen, expected, atol=1e-6)


@proves(
    "Every architecture on this page passes that test.",
    false_with={"left_out": ()},
    needs="keras>=3",
)
def test_every_architecture_reloads(left_out=("copy",)):
    here, there = reloaded()
    names = here.keys() - set(left_out)
    assert len(names) >= 11
    for name in names:
        for seen, expected in zip(there[name], here[name], strict=True):
            assert np.allclose(seen, expected, atol=1e-6)


# Several inputs, several outputs


@proves(
    "Here are 178 wines: two groups of columns go in, the grower and the alcohol come "
    "out.",
    false_with={"numbers": ()},
    needs="keras>=3",
)
def test_wines_go_in(numbers=("alcohol",)):
    from snippets.data import wine_table
    from snippets.functional import table_model

    wine, growers = wine_table()
    assert len(growers) == len(wine["alcohol"]) == 178
    groups = {name: wine[name][:, None] for name in ("hue", "ash")}
    model = table_model(groups, {"grower": 3}, numbers)
    assert set(model(groups)) == {"grower", "alcohol"}


@proves(
    "Name each input and each output, and pass inputs, outputs and data as dicts with "
    "these names.",
    false_with={"order": ("a", "b")},
)
def test_several_inputs_and_outputs_by_name(order=("b", "a")):
    inputs = {n: keras.Input(shape=(1,), name=n) for n in ("a", "b")}
    outputs = {f"half_{n}": layers.Dense(1, name=f"half_{n}")(inputs[n]) for n in "ab"}
    model = keras.Model(inputs, outputs)
    data = {n: np.full((1, 1), place) for place, n in enumerate(order)}
    assert data["b"] == 0
    assert set(model(data)) == {"half_a", "half_b"}


def two_outputs(**options):
    """A model with the outputs `mean` and `top`, and what `fit` returns for it."""
    (x,) = inputs_named("x")
    outputs = {name: layers.Dense(1, name=name)(x) for name in ("mean", "top")}
    model = keras.Model(x, outputs)
    model.compile("sgd", run_eagerly=True, **options)
    targets = {name: np.ones((2, 1)) for name in outputs}
    return model, lambda: model.fit(np.ones((2, 3)), targets, verbose=0).history


@proves(
    "Losses, their weights and metrics are dicts by output too:",
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
    "`loss` is what training minimizes, the weighted sum: here `grower_loss` and half "
    "of `alcohol_loss`.",
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


BOTH = {"mean": "mse", "top": "mae"}


@proves(
    "Two of them are fine on Keras 2 and errors on Keras 3.6 and later: one list of "
    "metrics for all outputs, and weights for a part of the losses.",
    false_with={"metrics": {"mean": ["mae"]}},
    needs="keras<3",
)
def test_metrics_in_one_list_on_keras_2(metrics=("mae",)):
    metrics = metrics if isinstance(metrics, dict) else list(metrics)
    _, train = two_outputs(loss="mse", metrics=metrics)
    assert rises(train) == ""
    assert {"mean_mae", "top_mae"} < set(train())


@proves(
    "Two of them are fine on Keras 2 and errors on Keras 3.6 and later: one list of "
    "metrics for all outputs, and weights for a part of the losses.",
    keras=">=3",
    false_with={"metrics": ["mae", "mae"]},
)
def test_metrics_in_one_list_on_keras_3(metrics=("mae",)):
    _, train = two_outputs(loss="mse", metrics=list(metrics))
    assert "metrics" in rises(train)


@proves(
    "Two of them are fine on Keras 2 and errors on Keras 3.6 and later: one list of "
    "metrics for all outputs, and weights for a part of the losses.",
    keras="<3.5",
)
def test_weights_for_a_part_on_keras_2():
    _, train = two_outputs(loss=BOTH, loss_weights={"top": 0.1})
    assert rises(train) == ""


@proves(
    "Two of them are fine on Keras 2 and errors on Keras 3.6 and later: one list of "
    "metrics for all outputs, and weights for a part of the losses.",
    keras=">=3.6",
    false_with={"weights": {"mean": 1.0, "top": 0.1}},
)
def test_weights_for_a_part_on_keras_3(weights=None):
    _, train = two_outputs(loss=BOTH, loss_weights=weights or {"top": 0.1})
    assert "`loss_weights`" in rises(train)


@proves(
    "A loss for an output that does not exist is an error on Keras 3.",
    keras=">=3",
    false_with={"name": "top"},
)
def test_loss_of_no_output_on_keras_3(name="max"):
    _, train = two_outputs(loss={"mean": "mse", name: "mae"})
    assert "max" in rises(train)


@proves(
    "Keras 2 takes it without a word: with `max` written for `top`, it uses the loss "
    "of `max` for `mean` and the loss of `mean` for `top`.",
    false_with={"name": "top"},
    needs="keras<3",
)
def test_loss_of_no_output_on_keras_2(name="max"):
    model, train = two_outputs(loss={"mean": "mse", name: "mae"})
    assert rises(train) == ""
    rows, targets = np.eye(3), {name: 5 * np.ones((3, 1)) for name in ("mean", "top")}
    seen = model.evaluate(rows, targets, verbose=0, return_dict=True)
    outputs = model.predict(rows, verbose=0)
    assert np.isclose(seen["mean_loss"], np.abs(5 - outputs["mean"]).mean())
    assert np.isclose(seen["top_loss"], ((5 - outputs["top"]) ** 2).mean())


@proves(
    "Each line compiles a model with the outputs `mean` and `top`, and says what "
    "`evaluate` reports.",
    false_with={"metrics": {"mean": ["mae"]}},
    needs="keras>=3",
    keras=">=3.6",
)
def test_what_evaluate_reports(metrics=None):
    from snippets.functional.on_each_keras import results_of_two_outputs

    options = {"loss": "mse", "metrics": metrics or {"top": ["mae"]}}
    seen = results_of_two_outputs(keras, **options)
    assert seen == ["loss", "mean_loss", "top_loss", "top_mae"]


@proves("An output without a loss is not trained.", false_with={"loss": "mse"})
def test_an_output_without_a_loss_is_not_trained(loss=None):
    model, train = two_outputs(loss=loss or {"mean": "mse"})
    before = {name: model.get_layer(name).get_weights() for name in ("mean", "top")}
    train()
    after = {name: model.get_layer(name).get_weights() for name in ("mean", "top")}
    assert np.abs(after["mean"][0] - before["mean"][0]).max() > 0
    assert np.abs(after["top"][0] - before["top"][0]).max() == 0


# Share layers


@proves(
    "Call a layer twice and both calls use the same weights.",
    false_with={"make": lambda: [layers.Dense(3), layers.Dense(3)]},
)
def test_two_calls_share_weights(make=lambda: [layers.Dense(3)] * 2):
    a, b = inputs_named("a", "b")
    first, second = make()
    model = keras.Model([a, b], [first(a), second(b)])
    assert model.count_params() == 12
    first, second = model([np.ones((1, 3)), np.ones((1, 3))])
    assert np.array_equal(first, second)


@proves("A model is a layer too.", false_with={"kind": keras.Input})
def test_a_model_is_a_layer(kind=keras.Model):
    (x,) = inputs_named("x")
    inner = keras.Model(x, layers.Dense(2)(x))
    assert isinstance(kind, type)
    assert issubclass(kind, layers.Layer)
    (y,) = inputs_named("y")
    assert keras.Model(y, inner(y)).layers[1] is inner


def siamese_accuracy(epochs):
    from snippets.functional import image_encoder, sample_pairs, siamese_network

    x, y, x_test, y_test = digits()
    keras.utils.set_random_seed(0)
    model = siamese_network(image_encoder((8, 8, 1)))
    fit(model, *sample_pairs(x, y, 1500), epochs, loss="binary_crossentropy")
    pairs, same = sample_pairs(x_test, y_test, 500, seed=1)
    return np.mean((model.predict(pairs, verbose=0) > 0.5) == same)


@proves(
    "A siamese network calls one encoder on two images and tells from the difference "
    "whether they show the same digit.",
    false_with={"epochs": 0},
    needs="keras>=3",
)
def test_siamese_network_calls_one_encoder(epochs=4):
    assert siamese_accuracy(epochs) > 0.75


@proves(
    "A network with two encoders would have almost twice the weights to learn, and "
    "could score `(a, b)` differently from `(b, a)`; this one is symmetric.",
    false_with={"tie": False},
    needs="keras>=3",
)
def test_siamese_network_is_symmetric(tie=True):
    from snippets.functional import image_encoder, siamese_network

    left, right = inputs_named("left", "right", shape=(8, 8, 1))
    first, second = image_encoder((8, 8, 1)), image_encoder((8, 8, 1))
    codes = [
        first(left),
        keras.Model(second.input, second.output, name="second")(right),
    ]
    distance = keras.ops.abs(codes[0] - codes[1])
    apart = keras.Model({"left": left, "right": right}, layers.Dense(1)(distance))
    one = siamese_network(image_encoder((8, 8, 1)))
    assert 1.9 < apart.count_params() / one.count_params() < 2.0
    a, b = np.random.default_rng(0).random((2, 4, 8, 8, 1))
    ways = {"left": a, "right": b}, {"left": b, "right": a}
    assert not np.allclose(*[apart(way) for way in ways])
    if not tie:
        one = apart
    assert np.array_equal(*[one(way) for way in ways])


# Skip connections


@proves("A tensor can be used again later.", false_with={"again": False})
def test_a_tensor_can_be_used_again(again=True):
    (x,) = inputs_named("x", shape=(1,))
    double = layers.Dense(1, kernel_initializer=keras.initializers.Constant(2.0))(x)
    model = keras.Model(x, layers.Add()([x if again else double, double]))
    assert model(np.ones((1, 1))).numpy().tolist() == [[3.0]]


@proves(
    "A residual block adds its input to what its layers made of it:",
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


# Two models from one graph, one from several


@proves(
    "Any two tensors of a graph can be the ends of a model, and models cut from one "
    "graph share its layers.",
    false_with={"begin": "first"},
)
def test_models_of_one_graph_share_layers(begin="second"):
    (x,) = inputs_named("x")
    tensors = {"first": layers.Dense(3)(x)}
    last = layers.Dense(3)
    tensors["second"] = layers.Dense(3)(tensors["first"])
    end = last(tensors["second"])
    whole, part = keras.Model(x, end), keras.Model(tensors[begin], end)
    assert part.layers[-1] is whole.layers[-1] is last
    assert part.count_params() == 12


@proves(
    "So training an autoencoder trains its encoder and its decoder:",
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_training_the_whole_trains_the_halves(rate=0.01):
    from snippets.functional import autoencoder

    encoder, decoder, whole = autoencoder(4, 2)
    before = [model.get_weights()[0] for model in (encoder, decoder)]
    whole.compile(keras.optimizers.SGD(rate), "mse", run_eagerly=True)
    whole.fit(np.eye(4), np.eye(4), verbose=0)
    for model, old in zip((encoder, decoder), before, strict=True):
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
    "The output of each layer is a tensor of the graph, so a model can return them "
    "all:",
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
    "Start from the middle has a recipe for one layer.",
    false_with={"name": "last"},
    needs="keras>=3",
)
def test_a_recipe_for_one_layer(name="first"):
    from snippets.input_layers import feature_extractor

    (x,) = inputs_named("x")
    model = keras.Model(
        x, layers.Dense(1, name="last")(layers.Dense(2, name="first")(x))
    )
    assert feature_extractor(model, name).output_shape == (None, 2)


# The graph is data


@proves(
    "`model.layers` lists the layers. Functions of `keras.ops` and Python's operators "
    "are in `model.operations`:",
    false_with={"name": "layers"},
    needs="keras>=3",
)
def test_operations_hold_layers_and_functions(name="operations"):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1)(keras.ops.abs(x) + 1.0))
    kinds = [type(step).__name__ for step in getattr(model, name)]
    assert kinds == ["InputLayer", "Absolute", "Add", "Dense"]
    assert len(model.layers) == 2


def drawn(name):
    """Draw a model by a function where nothing that draws graphs is installed."""
    from snippets.showing.drawings import draw_layers

    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1)(x))
    absent = ("pydot", "pydotplus", "pydot_ng", "graphviz", "matplotlib")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for package in absent:
            patch.setitem(sys.modules, package, None)
        if name == "draw_layers":
            return draw_layers(model).svg
        return keras.utils.plot_model(model, f"{folder}/model.png")


@proves(
    "`draw_layers` needs nothing else.",
    false_with={"name": "plot_model"},
    needs="keras>=3",
)
def test_draw_layers_needs_nothing(name="draw_layers"):
    assert rises(drawn, name) == ""
    assert drawn(name).startswith("<svg")


@proves(
    "`keras.utils.plot_model` needs the package pydot.",
    false_with={"name": "draw_layers"},
    needs="keras!=2.21.*",  # the recipes cannot be imported where there is no `keras`
)
def test_plot_model_needs_pydot(name="plot_model"):
    assert "You must install pydot" in rises(drawn, name)


@proves(
    "`draw_layers` shows a nested model as one box; draw "
    '`siamese.get_layer("encoder")` to look into it.',
    false_with={"nested": False},
    needs="keras>=3",
)
def test_a_nested_model_is_one_box(nested=True):
    from snippets.functional import image_encoder, siamese_network
    from snippets.showing.drawings import draw_layers, layer_calls

    encoder = image_encoder((8, 8, 1))
    x = keras.Input((8, 8, 1), name="x")
    y = encoder(x) if nested else x
    for layer in () if nested else encoder.layers[1:]:
        y = layer(y)
    drawing = draw_layers(keras.Model(x, y)).svg
    assert drawing.count("<rect") == 2
    assert "encoder" in drawing
    siamese = siamese_network(encoder)
    kinds = [call.kind for call in layer_calls(siamese)]
    assert kinds.count("Functional") == 2  # called twice
    inside = layer_calls(siamese.get_layer("encoder"))
    assert [call.name for call in inside] == ["pixels", "features", "flat", "vector"]


@proves(
    "The config of a model is its graph without its weights.",
    false_with={"with_weights": True},
)
def test_config_is_the_graph_without_weights(with_weights=False):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(2, name="scores")(x))
    config = model.get_config()
    assert "weights" not in config
    assert [entry["name"] for entry in config["layers"]] == ["x", "scores"]
    copy = keras.Model.from_config(config)
    if with_weights:
        copy.set_weights(model.get_weights())
    assert not np.allclose(copy.get_weights()[0], model.get_weights()[0])


@proves(
    "`keras.models.clone_model` copies the graph, with weights of its own, and can "
    "change each layer on the way:",
    false_with={"cloned": False},
)
def test_clone_has_weights_of_its_own(cloned=True):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(2)(x))
    clone = keras.models.clone_model(model)
    if not cloned:
        clone = model
    assert clone.count_params() == model.count_params()
    assert not np.allclose(clone.get_weights()[0], model.get_weights()[0])


@proves(
    "`keras.models.clone_model` copies the graph, with weights of its own, and can "
    "change each layer on the way:",
    false_with={"units": 2},
)
def test_clone_can_change_layers(units=5):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(2)(x))

    def change(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "units": units})

    def change_dense(layer):
        return change(layer) if isinstance(layer, layers.Dense) else layer

    clone = keras.models.clone_model(model, clone_function=change_dense)
    assert clone.output.shape[-1] == 5


# Custom layers and functions


class Halve(layers.Layer):
    """A TensorFlow function inside a layer."""

    def call(self, x):
        return tf.math.divide(x, 2.0)


@proves(
    "A layer of your own takes its place in the graph like any other.",
    false_with={"make": layers.ReLU},
)
def test_custom_layer_in_the_graph(make=Halve):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(1)(make()(x)))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["InputLayer", "Halve", "Dense"]


@proves(
    "A TensorFlow function does not: on Keras 3 it refuses a `KerasTensor`, which has "
    "no numbers to compute with.",
    keras=">=3",
    false_with={"make": tf.zeros},
)
def test_tensorflow_function_is_refused(make=keras.Input):
    assert "cannot be used as input to a TensorFlow" in rises(tf.abs, make((3,)))


@proves(
    "Use the function of that name in `keras.ops`, as the siamese network does with "
    "`keras.ops.abs`.",
    false_with={"package": tf},
    needs="keras>=3",
)
def test_operation_instead_of_function(package=None):
    from snippets.functional import image_encoder, siamese_network

    absolute = (package or keras.ops).abs
    (x,) = inputs_named("x")
    assert rises(absolute, x) == ""
    model = keras.Model(x, absolute(x))
    assert np.array_equal(model(-np.ones((1, 3))), tf.abs(-np.ones((1, 3))))
    siamese = siamese_network(image_encoder((8, 8, 1)))
    assert "Absolute" in [type(step).__name__ for step in siamese.operations]


@proves(
    "Where your version has none, as of `sobel_edges` before Keras 3.15, call the "
    "TensorFlow function inside a layer:",
    false_with={"inside": False},
    needs="keras>=3",
)
def test_tensorflow_function_inside_a_layer(inside=True):
    from snippets.functional import SobelEdges

    version = tuple(int(part) for part in keras.__version__.split(".")[:2])
    assert hasattr(keras.ops.image, "sobel_edges") == (version >= (3, 15))
    find_edges = SobelEdges() if inside else tf.image.sobel_edges
    x = keras.Input((8, 8, 1))
    assert rises(find_edges, x) == ""
    model = keras.Model(x, find_edges(x))
    assert model(np.ones((2, 8, 8, 1))).shape == (2, 8, 8, 2)


# Dicts of inputs


def profit(names=("price", "cost")):
    """A model on a dict: the first input minus the second."""
    inputs = {name: keras.Input(shape=(), name=name) for name in names}
    return keras.Model(inputs, layers.Subtract()(list(inputs.values())))


def amounts(**values):
    return {name: np.array([value]) for name, value in values.items()}


@proves(
    "The names in the dict are the names of the Inputs.",
    keras=">=3",
    false_with={"name": "price"},
)
def test_keys_are_names_of_inputs(name="money"):
    x = keras.Input(shape=(), name=name)
    _, said = warnings_of(keras.Model, {"price": x}, layers.Identity()(x))
    assert "must match the names" in said


@proves(
    "Then the order of the data does not matter, and a missing name is an error that "
    "says which:",
    false_with={"cost": 4.0},
)
def test_order_of_a_dict_does_not_matter(cost=3.0):
    model = profit()
    for data in (amounts(price=5.0, cost=cost), amounts(cost=cost, price=5.0)):
        assert np.array(model(data)).item() == 2.0


@proves(
    "Then the order of the data does not matter, and a missing name is an error that "
    "says which:",
    false_with={"data": {"price": 5.0, "cost": 3.0}},
)
def test_a_missing_name_is_an_error(data=None):
    error = rises(profit(), amounts(**(data or {"price": 5.0})))
    assert 'Missing data for input "cost"' in error


@proves(
    "A list in place of the dict is matched with the names in alphabetical order. "
    "Keras 2 and 3.4 say nothing, Keras 3.9 and later stop unless you declared the "
    "Inputs in that order.",
    needs="keras<3.9",
    keras="<3.5",
)
def test_a_list_for_a_dict_on_keras_2():
    values = [np.array([5.0]), np.array([3.0])]
    assert rises(profit(), values) == ""
    result, said = warnings_of(profit(), values)
    assert (np.array(result).item(), said) == (3.0 - 5.0, "")


@proves(
    "A list in place of the dict is matched with the names in alphabetical order. "
    "Keras 2 and 3.4 say nothing, Keras 3.9 and later stop unless you declared the "
    "Inputs in that order.",
    keras=">=3.9",
    false_with={"names": ("cost", "price")},
)
def test_a_list_for_a_dict_is_an_error(names=("price", "cost")):
    error = rises(profit(names), [np.array([5.0]), np.array([3.0])])
    assert "The structure of `inputs` doesn't match the expected structure" in error


# Padding and masks


@proves(
    "A mask says which steps count, and travels along the graph beside its tensor:",
    false_with={"layer": layers.Conv1D},
)
def test_a_mask_travels_beside_its_tensor(layer=layers.Dense):
    x = keras.Input(shape=(None, 4))
    masked = layers.Masking()(x)
    sizes = (4, 1) if layer is layers.Conv1D else (4,)
    for tensor in (masked, layer(*sizes)(masked)):
        assert getattr(tensor, "_keras_mask", None) is not None
    padded = np.array([[[1.0], [0.0]]])  # the second step is padding
    assert np.array(layers.Masking().compute_mask(padded)).tolist() == [[True, False]]


@proves("Padding changes nothing there.", false_with={"padding": 0.5}, needs="keras>=3")
def test_padding_changes_nothing(padding=-1.0):
    from snippets.functional import masked_classifier, padding_effect

    keras.utils.set_random_seed(0)
    steps = np.random.default_rng(0).random((2, 3, 8)).astype("float32")
    assert padding_effect(masked_classifier(8, 10), steps, padding, 2) < 1e-6


def has_mask(call):
    """Whether a mask is left after a call, and what was warned about."""
    x = keras.Input(shape=(8, 4))
    result, said = warnings_of(call, layers.Masking()(x), x)
    return getattr(result, "_keras_mask", None) is not None, said


@proves(
    "Layers that cannot handle a mask drop it, and Keras 3 warns.",
    keras=">=3",
    false_with={"layer": layers.Activation},
)
def test_a_dropped_mask_warns_on_keras_3(layer=layers.Flatten):
    arguments = ["relu"] if layer is layers.Activation else []
    kept, said = has_mask(lambda masked, _: layer(*arguments)(masked))
    assert not kept
    assert "does not support masking" in said


@proves(
    "Operators and `keras.ops` drop it without a word, and so does, on Keras 3, an "
    "`Add` of which one input has no mask.",
    false_with={"call": lambda masked: masked},
    needs="keras>=3",
)
def test_operators_drop_the_mask(call=lambda masked: masked * 0.5):
    assert has_mask(lambda masked, _: call(masked)) == (False, "")
    assert has_mask(lambda masked, _: keras.ops.relu(masked)) == (False, "")


@proves(
    "Operators and `keras.ops` drop it without a word, and so does, on Keras 3, an "
    "`Add` of which one input has no mask.",
    keras="<3",
)
def test_add_keeps_the_mask_on_keras_2():
    assert has_mask(lambda masked, x: layers.Add()([masked, x])) == (True, "")


@proves(
    "Operators and `keras.ops` drop it without a word, and so does, on Keras 3, an "
    "`Add` of which one input has no mask.",
    keras=">=3",
    false_with={"other": 0},
)
def test_add_drops_the_mask_on_keras_3(other=1):
    assert has_mask(lambda *pair: layers.Add()([pair[0], pair[other]])) == (False, "")


@proves(
    "`keras.layers.Rescaling(0.5)` multiplies too and, on Keras 3, keeps the mask.",
    keras=">=3",
    false_with={"make": lambda factor: lambda x: x * factor},
)
def test_rescaling_keeps_the_mask_on_keras_3(make=layers.Rescaling):
    halve = make(0.5)
    assert has_mask(lambda masked, _: halve(masked)) == (True, "")
    (x,) = inputs_named("x")
    models = [keras.Model(x, y) for y in (halve(x), x * 0.5)]
    assert np.array_equal(*[model(np.eye(3)) for model in models])


# What the graph gives and takes


@proves(
    "Keras computes the shape of each tensor while you connect.",
    false_with={"shape": (8, 8, 1)},
)
def test_mistakes_show_while_connecting(shape=(64,)):
    error = rises(layers.Conv2D(8, 3), keras.Input(shape=shape))
    assert "expected min_ndim=4, found ndim=2" in error
    assert tuple(layers.Conv2D(8, 3)(keras.Input((8, 8, 1))).shape) == (None, 6, 6, 8)


@proves(
    "A subclassed model with the same mistake is built without a word, and fails when "
    "it is called.",
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
    "It is drawn once, without values, so Python's `if` and `for` cannot depend on "
    "them:",
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
    "A choice for each value is `keras.ops.where`; a loop over steps is a recurrent "
    "layer.",
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
    "A choice for each value is `keras.ops.where`; a loop over steps is a recurrent "
    "layer.",
    false_with={"name": "Dense"},
)
def test_a_loop_over_steps_is_a_recurrent_layer(name="SimpleRNN"):
    x = keras.Input(shape=(None, 3))
    model = keras.Model(x, getattr(layers, name)(4)(x))
    for steps in (2, 7):
        assert model(np.ones((5, steps, 3))).shape == (5, 4)


@proves(
    "A loop over a number that you know is unrolled, as the blocks of "
    "`residual_classifier` are.",
    false_with={"count": 2},
    needs="keras>=3",
)
def test_a_known_loop_is_unrolled(count=3):
    from snippets.functional import residual_classifier

    model = residual_classifier((8, 8, 1), 10, num_blocks=count)
    assert sum(isinstance(layer, layers.Add) for layer in model.layers) == 3


@proves(
    "For anything else write the part that varies in the `call` of a layer, or "
    "subclass `keras.Model`.",
    false_with={"limit": 100.0},
)
def test_how_to_depend_on_values(limit=10.0):
    class Repeat(layers.Layer):
        def call(self, x):
            return tf.while_loop(
                lambda y: tf.reduce_sum(y) < limit, lambda y: [2 * y], [x]
            )

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.repeat = Repeat()

        def call(self, x):
            return self.repeat(x)

    for data, factor in ((np.ones((1, 3)), 4), (np.full((1, 3), 5.0), 1)):
        result = np.array(Model()(data.astype("float32"))).reshape(1, 3)
        assert np.array_equal(result, factor * data)


# Errors


def disconnected(wrap_input=lambda x: x, wrap_output=lambda y: y, name="b"):
    """A model whose output depends on the Input `b`, which is left out."""
    a, other = inputs_named("a", name)
    b = a if name == "a" else other
    scores = layers.Dense(2, name="scores")(layers.Add(name="total")([a, b]))
    return keras.Model(wrap_input(a), wrap_output(scores))


@proves(
    "An output depends on an Input that is missing in `inputs`:",
    keras=">=3.14",
    false_with={"given": ("a", "b")},
)
def test_an_input_is_missing(given=("a",)):
    tensors = dict(zip("ab", inputs_named("a", "b"), strict=True))
    total = layers.Add()(list(tensors.values()))
    error = rises(keras.Model, [tensors[name] for name in given], total)
    assert "Output with path `` is not connected to `inputs`" in error


@proves(
    "The message names neither the Input nor the layer that reads it.",
    false_with={"by_recipe": True},
    needs="keras>=3",
    keras=">=3.14",
)
def test_message_names_neither_input_nor_layer(by_recipe=False):
    from snippets.functional import connected_model

    a, b = inputs_named("a", "b")
    scores = layers.Dense(2)(layers.Add(name="total")([a, b]))
    error = rises(connected_model if by_recipe else keras.Model, a, scores)
    assert error.startswith("ValueError")
    assert not any(name in error for name in ("`b`", "'b'", "total"))


@proves(
    "The path is the place of the output: empty for a single one, `0` for the first of "
    "a list, its key in a dict.",
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
    "Keras 2 | `Graph disconnected: cannot obtain value for tensor ...`, with tensor "
    "and layer",
    keras="<3",
)
def test_disconnected_on_keras_2():
    error = rises(disconnected)
    assert "Graph disconnected: cannot obtain value for tensor" in error
    assert "name='b'" in error
    assert 'at layer "total"' in error


@proves(
    "Keras 3.4 to 3.13 | nothing, until the model is called: `KeyError` and a long "
    "number",
    false_with={"name": "a"},
    needs="keras>=3.4,<3.14",
)
def test_disconnected_on_keras_3_4_to_3_13(name="b"):
    assert rises(disconnected, name=name) == ""
    model = disconnected(name=name)
    assert model.count_params() == 8
    assert re.search(r"KeyError: .*\d{9,}", rises(model, np.ones((1, 3))), re.DOTALL)


@proves(
    "Keras 3.14 and later | ``Output with path `...` is not connected to `inputs` ``",
    keras=">=3.14",
    false_with={"name": "a"},
)
def test_disconnected_since_keras_3_14(name="b"):
    assert "is not connected to `inputs`" in rises(disconnected, name=name)


@proves(
    "`Graph disconnected: cannot find parent for tensor ...` exists on Keras 3 as "
    "well, for a tensor that no `keras.Input` made.",
    false_with={"make": keras.Input},
    needs="keras>=3",
)
def test_cannot_find_parent_for_a_stray_tensor(make=None):
    make = make or keras.KerasTensor
    (x,) = inputs_named("x")
    stray = make(shape=(None, 3)) if make is not keras.Input else x
    error = rises(keras.Model, x, layers.Dense(2)(stray))
    assert "Graph disconnected: cannot find parent for tensor" in error


@proves(
    "These recipes walk the graph back from the outputs and name what is missing:",
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
    "Add it: `keras.Model([a, b], scores)`.",
    keras=">=3.14",
    false_with={"count": 1},
)
def test_add_the_forgotten_input(count=2):
    a, b = inputs_named("a", "b")
    scores = layers.Dense(2)(layers.Add()([a, b]))
    assert "not connected" in rises(keras.Model, a, scores)
    assert rises(keras.Model, [a, b][:count], scores) == ""


def nested():
    """A model inside a model."""
    (inner,) = inputs_named("inner")
    base = keras.Model(inner, layers.Dense(2, name="features")(inner), name="base")
    (outer,) = inputs_named("outer")
    return keras.Model(outer, layers.Dense(1)(base(outer)))


@proves(
    "A model that is called on a new tensor makes a new output, but the tensors of its "
    "layers still begin at its own Input.",
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
    "Cut the nested model at its own Input, and call the piece like a layer:",
    false_with={"name": "inner"},
)
def test_cut_at_the_inner_input(name="features"):
    model = nested()
    base = model.get_layer("base")
    piece = keras.Model(base.input, base.get_layer(name).output)
    (x,) = inputs_named("x")
    assert tuple(keras.Model(x, piece(x)).output.shape) == (None, 2)


@proves(
    "Each of them has an Input of its own. Pass both Inputs, or call both models on "
    "one, as `ensemble` does:",
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
    "Each of them has an Input of its own. Pass both Inputs, or call both models on "
    "one, as `ensemble` does:",
    false_with={"join": layers.Add},
)
def test_call_both_models_on_one_input(join=layers.Concatenate):
    a, b, x = inputs_named("a", "b", "x")
    bases = [keras.Model(t, layers.Dense(2)(t), name=f"on_{t.name}") for t in (a, b)]
    joined = join()([base(x) for base in bases])
    assert tuple(keras.Model(x, joined).output.shape) == (None, 4)


@proves(
    "expects 1 input(s), but it received 2 | a list for a layer that reads one tensor "
    "| `Concatenate()([x, y])` first",
    false_with={"join": layers.Concatenate},
)
def test_a_list_for_one_tensor(join=lambda: list):
    tensors = inputs_named("x", "y")
    assert rises(layers.Dense(2), layers.Concatenate()(tensors)) == ""
    error = rises(layers.Dense(2), join()(tensors))
    assert "expects 1 input(s), but it received 2" in error


@proves(
    "expects 2 named input(s) with keys | one array for several inputs | a dict with "
    "these keys",
    keras=">=3.14",
    false_with={"data": {"price": np.array([5.0]), "cost": np.array([3.0])}},
)
def test_one_array_for_several_inputs(data=None):
    error = rises(profit(), np.array([5.0]) if data is None else data)
    assert "expects 2 named input(s) with keys ['cost', 'price']" in error
    assert rises(profit(), amounts(price=5.0, cost=3.0)) == ""


@proves(
    "requires inputs with matching shapes | the tensors differ on another axis | "
    "`Concatenate(axis=1)`, or make the shapes equal",
    false_with={"axis": 1},
)
def test_shapes_to_concatenate(axis=-1):
    tensors = [keras.Input(shape=(3, 4)), keras.Input(shape=(5, 4))]
    error = rises(layers.Concatenate(axis=axis), tensors)
    assert "requires inputs with matching shapes" in error
    assert tuple(layers.Concatenate(axis=1)(tensors).shape) == (None, 8, 4)


@proves(
    "Inputs have incompatible shapes | a sum of different sizes | a `Dense` of the "
    "other's size before it",
    false_with={"size": 5},
)
def test_shapes_to_add(size=3):
    x, y = keras.Input(shape=(size,)), keras.Input(shape=(5,))
    assert "Inputs have incompatible shapes" in rises(layers.Add(), [x, y])
    assert tuple(layers.Add()([layers.Dense(5)(x), y]).shape) == (None, 5)


@proves(
    "values must be KerasTensors | a layer or an array in place of a tensor | "
    "`layer(x)`, not `layer`",
    keras=">=3",
    false_with={"call": True},
)
def test_a_layer_is_no_tensor(call=False):
    (x,) = inputs_named("x")
    layer = layers.Dense(2)
    output = layer(x)
    error = rises(keras.Model, x, output if call else layer)
    assert "values must be KerasTensors" in error
    assert "values must be KerasTensors" in rises(keras.Model, np.ones((2, 3)), output)


@proves(
    "Unrecognized keyword arguments ... 'input' | the spelling of Keras 1 | `inputs=` "
    "and `outputs=`",
    keras=">=3",
    false_with={"names": ("inputs", "outputs")},
)
def test_inputs_and_outputs_are_plural(names=("input", "output")):
    (x,) = inputs_named("x")
    y = layers.Dense(2)(x)
    error = rises(keras.Model, **dict(zip(names, (x, y), strict=True)))
    assert "Unrecognized keyword arguments" in error
    assert "'input'" in error
    assert rises(keras.Model, inputs=x, outputs=y) == ""


@proves(
    "is used 2 times in the model | two layers of one name | another `name` for each",
    false_with={"names": ("x", "y")},
)
def test_each_layer_has_its_name(names=("x", "x")):
    tensors = inputs_named(*names)
    error = rises(keras.Model, tensors, layers.Add()(tensors))
    assert "is used 2 times in the model" in error


# No error, wrong result


@proves(
    "On Keras 3 its values are sorted by key and handed to the Inputs in this order, "
    "so that a key which sorts before the others shifts them all:",
    keras=">=3",
    false_with={"extra": "year"},
)
def test_an_extra_key_shifts_the_others(extra="article"):
    data = amounts(price=5.0, cost=3.0, **{extra: 9.0})
    assert sorted(data)[0] == extra
    assert np.array(profit()(data)).item() == 3.0 - 9.0


@proves(
    "A profit of 2 became a loss of 6.",
    keras=">=3",
    false_with={"extra": "year"},
)
def test_a_profit_of_2_became_a_loss_of_6(extra="article"):
    data = amounts(price=5.0, cost=3.0)
    assert np.array(profit()(data)).item() == 2.0
    assert np.array(profit()({**data, **amounts(**{extra: 9.0})})).item() == -6.0


@proves(
    "Keras 3.6 and later warn; Keras 2 ignores extra keys.",
    keras=">=3.6",
)
def test_the_extra_key_is_warned_about():
    _, said = warnings_of(profit(), amounts(price=5.0, cost=3.0, article=9.0))
    assert "The structure of `inputs` doesn't match the expected structure" in said


@proves(
    "Keras 3.6 and later warn; Keras 2 ignores extra keys.",
    keras="<3",
)
def test_keras_2_ignores_extra_keys():
    result, said = warnings_of(profit(), amounts(price=5.0, cost=3.0, article=9.0))
    assert result.numpy().item() == 2.0
    assert "They will be ignored" in said


@proves(
    "Pass the keys that the model has: `{name: data[name] for name in model.input}`.",
    false_with={"extra": {"article": 9.0, "more": 1.0}},
)
def test_pass_the_keys_of_the_model(extra=None):
    model, data = profit(), amounts(price=5.0, cost=3.0, article=9.0)
    passed = {name: data[name] for name in model.input} | amounts(**(extra or {}))
    result, said = warnings_of(model, passed)
    assert (np.array(result).item(), said) == (2.0, "")


@proves(
    "The recipe `check_arrays` of Input layers refuses extra keys.",
    false_with={"extra": {}},
    needs="keras>=3",
)
def test_check_arrays_refuses_extra_keys(extra=None):
    from snippets.input_layers import check_arrays

    more = {"article": 9.0} if extra is None else extra
    error = rises(check_arrays, profit(), amounts(price=5.0, cost=3.0, **more))
    assert "Expected" in error
    assert "article" in error


def perfect_model():
    """Outputs of 2 and 3 times the input, by names that do not come in this order."""
    (x,) = inputs_named("x", shape=(1,))
    outputs = {
        "width": layers.Rescaling(2.0, name="width")(x),
        "height": layers.Rescaling(3.0, name="height")(x),
    }
    model = keras.Model(x, outputs)
    model.compile(loss={"width": "mse", "height": "mse"}, run_eagerly=True)
    return model


ONES = np.ones((4, 1), "float32")


@proves(
    "It is matched with the names in alphabetical order, not in yours:",
    false_with={"labels": (3 * ONES, 2 * ONES)},
    needs="keras>=3",
)
def test_labels_in_alphabetical_order(labels=(2 * ONES, 3 * ONES)):
    model = perfect_model()
    seen = model.evaluate(ONES, list(labels), verbose=0, return_dict=True)
    assert seen["loss"] == 2.0  # (2 - 3) ** 2 + (3 - 2) ** 2


@proves(
    "The model is perfect, and the list says it is not.",
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
    "Keras 2 refuses the list, until it has seen a dict.",
    keras="<3",
)
def test_keras_2_refuses_a_list_of_labels():
    listed, named = [2 * ONES, 3 * ONES], {"width": 2 * ONES, "height": 3 * ONES}
    model = perfect_model()
    assert rises(model.evaluate, ONES, listed, verbose=0).startswith("TypeError")
    model = perfect_model()
    assert model.evaluate(ONES, named, verbose=0)[0] == 0.0
    assert model.evaluate(ONES, listed, verbose=0)[0] == 2.0


@proves(
    "`[layer] * 3` holds one layer three times, and its calls share their weights:",
    false_with={"make": lambda: [layers.Dense(8) for _ in range(3)]},
)
def test_a_list_times_3_is_one_layer(make=lambda: [layers.Dense(8)] * 3):
    x = y = keras.Input(shape=(8,))
    for layer in make():
        y = layer(y)
    assert keras.Model(x, y).count_params() == 8 * 8 + 8


@proves(
    "An axis of size 1 and a missing axis are stretched to the other size, so a sum of "
    "an image and a vector passes:",
    false_with={"size": 2},
)
def test_add_stretches_axes(size=3):
    image, vector = keras.Input(shape=(8, 8, 3)), keras.Input(shape=(size,))
    assert rises(layers.Add(), [image, vector]) == ""
    assert tuple(layers.Add()([image, vector]).shape) == (None, 8, 8, 3)
    thin = keras.Input(shape=(8, 1, 3))
    assert tuple(layers.Add()([image, thin]).shape) == (None, 8, 8, 3)


@proves(
    "An Input on which no output depends is accepted, and has to be fed; Keras 3.11 to "
    "3.13 refuse it if nothing else reads it either.",
    false_with={"given": ("a", "b")},
)
def test_an_unused_input_is_accepted(given=("a",)):
    a, b = inputs_named("a", "b")
    layers.Dense(2)(b)
    model = keras.Model([a, b], layers.Dense(2)(a))
    assert len(model.inputs) == 2
    error = rises(model, {name: np.ones((1, 3)) for name in given})
    assert 'Missing data for input "b"' in error


@proves(
    "An Input on which no output depends is accepted, and has to be fed; Keras 3.11 to "
    "3.13 refuse it if nothing else reads it either.",
    keras=">=3.11,<3.14",
)
def test_an_input_that_nothing_reads_was_refused():
    a, b = inputs_named("a", "b")
    error = rises(keras.Model, [a, b], layers.Dense(2)(a))
    assert "`inputs` not connected to `outputs`" in error


@proves(
    "The recipe `connected_model` refuses it:",
    false_with={"count": 1},
    needs="keras>=3",
)
def test_connected_model_refuses_unused_inputs(count=2):
    from snippets.functional import connected_model

    tensors = inputs_named("a", "b")
    error = rises(connected_model, tensors[:count], layers.Dense(2)(tensors[0]))
    assert "Unused: ['b']" in error


def adapted():
    (x,) = inputs_named("x", shape=(1,))
    normalization = layers.Normalization(name="normalization")
    normalization.adapt(np.array([[1.0], [3.0]]))
    return keras.Model(x, normalization(x))


@proves(
    "On Keras 3 an adapted `Normalization` in it goes on with a mean of 0 and a "
    "variance of 1.",
    keras=">=3",
    false_with={"as_adapted": True},
)
def test_a_clone_forgets_its_normalization(as_adapted=False):
    model = adapted()
    assert np.allclose(model(ONES), -1.0)  # (1 - 2) / 1
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    if as_adapted:
        clone = model
    assert np.allclose(clone(5 * ONES), 5.0)


@proves(
    "`with_activation` copies weights through a file, which restores them.",
    false_with={"by_file": False},
    needs="keras>=3",
)
def test_a_file_restores_the_normalization(by_file=True):
    from snippets.functional import with_activation

    model = adapted()
    relu = keras.Model(model.input, layers.Activation("relu")(model.output))
    copy = keras.models.clone_model(relu)
    copy.set_weights(relu.get_weights())
    if by_file:
        copy = with_activation(relu, "relu", "linear")
    assert np.allclose(copy(5 * ONES), 3.0)


def keras_where(x):
    return keras.ops.where(keras.ops.mean(x) > 0, x * 2.0, x)


def keras_cond(x):
    return keras.ops.cond(keras.ops.mean(x) > 0, lambda: x * 2.0, lambda: x)


@proves(
    "The branches of `keras.ops.cond` hold tensors of the graph, not of the call. A "
    "model of it, called on numbers, returns a `KerasTensor`:",
    false_with={"choose": keras_where},
    needs="keras>=3",
)
def test_cond_returns_no_number(choose=keras_cond):
    (x,) = inputs_named("x")
    result = keras.Model(x, choose(x))(np.ones((2, 3)))
    assert isinstance(result, keras.KerasTensor)
    assert result.shape == (None, 3)  # that of the graph: the call had 2 rows


@proves(
    "Use `keras.ops.where`, or call `keras.ops.cond` in the `call` of a layer.",
    false_with={"in_a_layer": False},
    needs="keras>=3",
)
def test_where_and_a_layer_return_numbers(in_a_layer=True):
    class Choice(layers.Layer):
        def call(self, x):
            return keras_cond(x)

    (x,) = inputs_named("x")
    for choice in (keras_where(x), Choice()(x) if in_a_layer else keras_cond(x)):
        model = keras.Model(x, choice)
        for call in (model, tf.function(model)):
            for sign, factor in ((1.0, 2.0), (-1.0, -1.0)):
                seen = call(sign * np.ones((2, 3), "float32"))
                assert not isinstance(seen, keras.KerasTensor)
                assert np.array_equal(seen, factor * np.ones((2, 3)))

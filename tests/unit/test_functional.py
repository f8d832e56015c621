"""The recipes for branching models, against NumPy, a second way, and Keras itself."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras.ops import convert_to_numpy

from snippets.data import (
    digit_images,
    digit_vectors,
    split_train_test,
)
from snippets.functional import (
    DoubledIfPositive,
    InputPath,
    SobelEdges,
    autoencoder,
    connected_model,
    grad_cam,
    image_encoder,
    input_paths,
    missing_inputs,
    residual_block,
    residual_classifier,
    sample_pairs,
    siamese_network,
    unused_inputs,
    with_activation,
)
from snippets.functional.on_each_keras import profit_model, results_of_two_outputs
from snippets.functional.tickets import made_up_tickets
from tests.unit.comparing import assert_allclose, assert_array_equal

IMAGES, DIGITS = digit_images()


def branching() -> keras.Model:
    """The two branches, on digits."""
    pixels = keras.Input((8, 8, 1), name="pixels")
    small, large = (
        keras.layers.Conv2D(16, size, activation="relu", name=name)(pixels)
        for size, name in ((3, "small"), (5, "large"))
    )
    pooled = [keras.layers.GlobalMaxPooling2D()(tensor) for tensor in (small, large)]
    digit = keras.layers.Dense(10, activation="softmax", name="digit")
    return keras.Model(pixels, digit(keras.layers.Concatenate()(pooled)))


def edge_classifier() -> keras.Model:
    """A custom layer and `keras.ops` among the layers of Keras."""
    pixels = keras.Input((8, 8, 1), name="pixels")
    edges = keras.ops.relu(SobelEdges(name="edges")(pixels))
    flat = [keras.layers.Flatten()(tensor) for tensor in (pixels, edges)]
    joined = keras.layers.Concatenate()(flat)
    return keras.Model(pixels, keras.layers.Dense(10, activation="softmax")(joined))


def learn(model: keras.Model, x: Any, y: Any, loss: Any) -> keras.Model:
    """Take 12 steps on 50 examples, and see the loss fall to less than 0.8 of it."""
    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.Adam(0.02), loss, run_eagerly=True)
    x, y = (keras.tree.map_structure(lambda array: array[:50], z) for z in (x, y))
    losses = []
    for _ in range(12):
        model.reset_metrics()
        losses.append(model.train_on_batch(x, y, return_dict=True)["loss"])
    assert losses[-1] < 0.8 * losses[0]
    return model


@functools.cache
def trained() -> dict[str, tuple[keras.Model, Any]]:
    """Every architecture, trained on real data, with the inputs it was trained on."""
    keras.utils.set_random_seed(0)
    x, y, _, _ = split_train_test(IMAGES, DIGITS)
    pairs, same = sample_pairs(x, y, 150)
    vectors, _ = digit_vectors()
    encoder, decoder, whole = autoencoder(64, 8)
    sparse, binary = "sparse_categorical_crossentropy", "binary_crossentropy"
    siamese = siamese_network(image_encoder((8, 8, 1)))
    twin = learn(branching(), x, y, sparse)
    outputs = {layer.name: layer.output for layer in twin.layers}
    return {
        "branches": (twin, x),
        "residual": (learn(residual_classifier((8, 8, 1), 10), x, y, sparse), x),
        "edges": (learn(edge_classifier(), x, y, sparse), x),
        "siamese": (learn(siamese, pairs, same, binary), pairs),
        "autoencoder": (learn(whole, vectors, vectors, "mse"), vectors),
        "encoder": (encoder, vectors),
        "decoder": (decoder, encoder.predict(vectors, verbose=0)),
        "features": (keras.Model(twin.input, outputs), x),
    }


def few(inputs: Any) -> Any:
    return keras.tree.map_structure(lambda array: array[:20], inputs)


# Every architecture


def test_every_architecture_learns_real_data_and_is_functional() -> None:
    for model, inputs in trained().values():
        assert type(model).__name__ == "Functional"
        for output in keras.tree.flatten(model(few(inputs))):
            assert np.isfinite(output).all()


def convolved(images: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """A convolution without padding, as NumPy computes it."""
    windows = np.lib.stride_tricks.sliding_window_view(
        images, kernel.shape[:2], axis=(1, 2)
    )  # (batch, height, width, channels, kernel height, kernel width)
    return np.einsum("bhwcij,ijco->bhwo", windows, kernel) + bias


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((8, 8), "expected min_ndim=4, found ndim=3"),
        ((8, 8, 1, 1), "Kernel shape must have the same length as input"),
        ((), "expected min_ndim=4, found ndim=1"),
    ],
)
@pytest.mark.parametrize(
    "build",
    [
        image_encoder,
        functools.partial(residual_classifier, num_classes=10),
    ],
    ids=["encoder", "residual"],
)
def test_an_image_has_three_axes_as_the_convolution_says(
    build: Callable[[tuple[int, ...]], keras.Model], shape: tuple[int, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as e:
        build(shape)
    assert str((None, *shape)) in str(e.value)


# Tickets


@pytest.mark.parametrize("num_tickets", [0, 1, 300])
def test_tickets_have_the_shapes_and_dtypes_that_the_model_takes(
    num_tickets: int,
) -> None:
    tickets, answers = made_up_tickets(num_tickets)

    for name in ("title", "text", "tags"):
        assert tickets[name].shape == (num_tickets,)
        assert tickets[name].dtype.kind == "U"
    assert {tag for tags in tickets["tags"] for tag in tags.split()} <= {
        "outage",
        "web",
        "app",
    }
    assert answers["priority"].shape == (num_tickets, 1)
    assert answers["department"].shape == (num_tickets,)
    assert answers["priority"].dtype == np.float32
    assert set(np.unique(answers["department"])) <= {0, 1, 2}


def test_a_ticket_is_urgent_today_or_in_an_outage_and_its_topic_decides() -> None:
    departments = {"invoice": 0, "crash": 1, "price": 2}
    tickets, answers = made_up_tickets(500)

    for title, text, tags, urgent, department in zip(
        *tickets.values(), *answers.values(), strict=True
    ):
        assert urgent == ("today" in text or "outage" in tags.split())
        for topic in (title.split()[-1], text.split()[-1]):
            assert departments.get(topic, department) == department
    assert 0.6 < answers["priority"].mean() < 0.9  # three of four


def test_the_same_seed_makes_the_same_tickets_and_another_others() -> None:
    first, again, other = (made_up_tickets(50, seed)[0] for seed in (0, 0, 1))

    for name, array in first.items():
        assert_array_equal(array, again[name])
    assert any(first["title"] != other["title"])


# What `compile` and a dict of inputs take


@pytest.mark.parametrize("module", [keras, tf_keras])
def test_the_results_have_the_losses_and_metrics_that_were_asked_for(
    module: ModuleType,
) -> None:
    seen = results_of_two_outputs(module, loss="mse", metrics={"top": ["mae"]})

    assert seen == ["loss", "mean_loss", "top_loss", "top_mae"]


def test_one_list_of_metrics_serves_both_outputs_on_keras_2_alone() -> None:
    options = {"loss": "mse", "metrics": ["mae"]}

    assert "top_mae" in results_of_two_outputs(tf_keras, **options)
    with pytest.raises(ValueError, match="Invalid `metrics`"):
        results_of_two_outputs(keras, **options)


@pytest.mark.parametrize("module", [keras, tf_keras])
def test_a_profit_is_the_price_minus_the_cost(module: ModuleType) -> None:
    prices, costs = np.array([5.0, 1.0, -2.0]), np.array([3.0, 4.0, 0.0])

    profit = profit_model(module)({"cost": costs, "price": prices})

    assert_array_equal(profit, prices - costs)


def test_keras_lets_an_extra_key_shift_the_others_with_a_warning() -> None:
    data = {name: np.array([value]) for name, value in (("price", 5.0), ("cost", 3.0))}

    with pytest.warns(UserWarning, match="The structure of `inputs` doesn't match"):
        wrong = profit_model(keras)({**data, "article": np.array([9.0])})

    assert np.array(wrong) == -6.0
    assert np.array(profit_model(keras)(data)) == 2.0


# Shared layers


def test_both_sides_of_a_siamese_network_share_the_encoder() -> None:
    encoder = image_encoder((8, 8, 1), size=5)
    model = siamese_network(encoder)

    assert model.count_params() == encoder.count_params() + 5 + 1
    assert model.get_layer("encoder") is encoder


def test_a_siamese_network_reads_the_distance_of_the_codes() -> None:
    encoder = image_encoder((8, 8, 1), size=5)
    model = siamese_network(encoder)
    pairs = {"left": IMAGES[:4], "right": IMAGES[4:8]}
    kernel, bias = model.get_layer("same").get_weights()
    left, right = (convert_to_numpy(encoder(images)) for images in pairs.values())
    distance = np.abs(left - right)

    expected = 1 / (1 + np.exp(-(distance @ kernel + bias)))

    assert_allclose(model(pairs), expected, atol=1e-6)
    swapped = {"left": pairs["right"], "right": pairs["left"]}
    assert_array_equal(model(swapped), model(pairs))


@pytest.mark.parametrize(
    "encoder",
    [
        keras.Sequential([keras.layers.Dense(2)]),
        keras.Sequential([keras.Input((8, 8)), keras.layers.Dense(2)]),
        siamese_network(image_encoder((8, 8, 1))),
        autoencoder(4, 2)[0].layers[1],
    ],
)
def test_an_encoder_has_one_input_and_one_vector(encoder: Any) -> None:
    with pytest.raises(ValueError, match="`encoder` with one input and one output"):
        siamese_network(encoder)


def test_every_second_pair_is_of_one_class_and_examples_keep_their_labels() -> None:
    examples = np.arange(100)
    labels = examples % 7

    pairs, same = sample_pairs(examples, labels, 501)

    assert same.shape == (501, 1)
    assert same.dtype == np.float32
    assert_array_equal(same.ravel(), np.arange(501) % 2 == 0)
    assert_array_equal(
        labels[pairs["left"]] == labels[pairs["right"]], same.ravel() == 1.0
    )


def test_a_single_pair_may_be_asked_for() -> None:
    pairs, same = sample_pairs(np.arange(2), np.array([0, 1]), 1)

    assert (pairs["left"] == pairs["right"]).all()
    assert same.tolist() == [[1.0]]


def test_pairs_are_drawn_from_everywhere_and_the_same_for_a_seed() -> None:
    labels = np.repeat([0, 1], 10)

    pairs, _ = sample_pairs(np.arange(20), labels, 1000)
    again, _ = sample_pairs(np.arange(20), labels, 1000)
    other, _ = sample_pairs(np.arange(20), labels, 1000, seed=1)

    for side in ("left", "right"):
        assert set(pairs[side]) == set(range(20))
        assert_array_equal(pairs[side], again[side])
        assert (pairs[side] != other[side]).any()


@pytest.mark.parametrize(
    ("num_examples", "labels", "num_pairs"),
    [(3, [0, 1], 1), (2, [0, 0], 1), (2, [0, 1], 0), (0, [], 1)],
)
def test_pairs_need_two_classes(
    num_examples: int, labels: list[int], num_pairs: int
) -> None:
    with pytest.raises(ValueError, match="at least two classes, and `num_pairs`"):
        sample_pairs(np.zeros(num_examples), np.array(labels), num_pairs)


# Skips


def test_a_residual_block_without_weights_hands_its_input_through() -> None:
    x = keras.Input((5, 4, 3))
    model = keras.Model(x, residual_block(x, name="block"))
    images = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    with_weights = convert_to_numpy(model(images))

    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])

    assert_array_equal(model(images), images)
    assert np.abs(with_weights - images).max() > 0.1


def test_a_residual_block_adds_the_second_convolution_of_the_first() -> None:
    x = keras.Input((5, 4, 3))
    model = keras.Model(x, residual_block(x, name="block"))
    images = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    around = ((0, 0), (1, 1), (1, 1), (0, 0))
    first, second = (
        model.get_layer(f"block_conv{number}").get_weights() for number in (1, 2)
    )
    hidden = np.maximum(convolved(np.pad(images, around), *first), 0)

    expected = images + convolved(np.pad(hidden, around), *second)

    assert_allclose(model(images), expected, atol=1e-5)


def test_a_residual_block_takes_images_alone() -> None:
    with pytest.raises(ValueError, match=r"min_ndim=4, found ndim=3.*\(None, 8, 3\)"):
        residual_block(keras.Input((8, 3)), name="block")


@pytest.mark.parametrize("num_blocks", [0, 1, 3])
def test_a_residual_classifier_has_that_many_blocks(num_blocks: int) -> None:
    model = residual_classifier((None, None, 2), 4, num_blocks)

    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Add") == num_blocks
    scores = convert_to_numpy(model(np.ones((1, 6, 5, 2))))
    assert scores.shape == (1, 4)
    assert_allclose(scores.sum(), 1.0, rtol=1e-6)


def test_a_negative_number_of_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least 0. Received: -1"):
        residual_classifier((8, 8, 1), 10, -1)


# Two models from one graph, and one from several


def test_the_chain_is_the_decoder_after_the_encoder_with_their_weights() -> None:
    encoder, decoder, whole = autoencoder(num_features=64, code_size=5)
    vectors, _ = digit_vectors()

    assert_array_equal(whole(vectors[:7]), decoder(encoder(vectors[:7])))
    assert whole.count_params() == encoder.count_params() + decoder.count_params()
    assert encoder(vectors[:7]).shape == (7, 5)


def test_training_the_chain_trains_both_halves() -> None:
    encoder, decoder, whole = autoencoder(6, 2)
    before = [model.get_weights()[0] for model in (encoder, decoder)]

    whole.compile("sgd", "mse", run_eagerly=True)
    whole.train_on_batch(np.eye(6), np.eye(6))

    for model, old in zip((encoder, decoder), before, strict=True):
        assert np.abs(model.get_weights()[0] - old).max() > 0


def test_restored_values_lie_between_0_and_1() -> None:
    _, decoder, _ = autoencoder(6, 2)

    codes = 1e3 * np.random.default_rng(0).normal(size=(9, 2))
    restored = convert_to_numpy(decoder(codes))

    assert 0 <= np.min(restored) < 0.1 < 0.9 < np.max(restored) <= 1


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((0, 2), "`units`, expected a positive integer. Received: units=0"),
        ((2, 0), "`units`, expected a positive integer. Received: units=0"),
        ((-1, 3), r"Cannot convert '\(-1,\)' to a shape"),
    ],
)
def test_sizes_of_an_autoencoder_are_at_least_1_as_keras_says(
    sizes: tuple[int, int], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        autoencoder(*sizes)


# Graphs as data


def test_a_copy_with_the_same_activation_computes_the_same() -> None:
    for name in ("branches", "siamese", "residual"):
        model, inputs = trained()[name]
        copy = with_activation(model, old="relu", new="relu")

        outputs, expected = copy(few(inputs)), model(few(inputs))

        keras.tree.map_structure(np.testing.assert_array_equal, outputs, expected)


def test_a_copy_has_the_new_activation_and_weights_of_its_own() -> None:
    model = branching()
    before = [layer.activation.__name__ for layer in (*model.layers[1:3],)]
    copy = with_activation(model, old="relu", new="linear")

    small, large = (copy.get_layer(name) for name in ("small", "large"))
    assert [small.activation.__name__, large.activation.__name__] == ["linear"] * 2
    assert copy.get_layer("digit").activation.__name__ == "softmax"
    assert before == ["relu", "relu"]
    assert_allclose(
        small(IMAGES[:2]),
        convolved(IMAGES[:2], *model.get_layer("small").get_weights()),
        atol=1e-5,
    )
    copy.set_weights([weight + 1 for weight in copy.get_weights()])
    assert model.get_layer("small").bias.numpy().max() == 0


def test_a_copy_changes_nested_models_and_sequential_ones_too() -> None:
    siamese = siamese_network(image_encoder((8, 8, 1)))
    flat = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "tanh")])

    encoder = with_activation(siamese, "relu", "gelu").get_layer("encoder")

    assert encoder.get_layer("features").activation.__name__ == "gelu"
    assert with_activation(flat, "tanh", "relu").layers[0].activation.__name__ == "relu"


def test_an_activation_that_no_layer_has_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'tanh'.*are \['relu', 'softmax'\]"):
        with_activation(branching(), old="tanh", new="relu")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("batch", [1, 2])
def test_edges_are_those_of_a_sobel_filter(channels: int, batch: int) -> None:
    images = np.random.default_rng(0).normal(size=(batch, 6, 5, channels))
    images = images.astype("float32")
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float32")
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")

    edges = SobelEdges()(images)

    assert edges.shape == (batch, 6, 5, 2 * channels)
    for channel in range(channels):
        one = padded[..., channel : channel + 1]
        for place, kernel in enumerate((down, down.T)):
            expected = convolved(one, kernel[..., None, None], np.zeros(1))[..., 0]
            assert_allclose(edges[..., 2 * channel + place], expected, atol=1e-5)


def test_edges_take_images_of_any_size_and_unknown_batch() -> None:
    x = keras.Input((None, None, 3))
    model = keras.Model(x, SobelEdges()(x))

    assert model.output_shape == (None, None, None, 6)
    assert model(np.ones((2, 7, 4, 3))).shape == (2, 7, 4, 6)
    assert SobelEdges().compute_output_shape((None, 8, 8, None)) == (None, 8, 8, None)


@pytest.mark.parametrize(("sign", "factor"), [(1.0, 2.0), (-1.0, 1.0), (0.0, 1.0)])
def test_a_batch_is_doubled_if_its_sum_is_positive(sign: float, factor: float) -> None:
    x = keras.Input((2,))
    model = keras.Model(x, DoubledIfPositive()(x))
    batch = sign * np.array([[3.0, -1.0], [2.0, -2.0]], "float32")  # one row sums to 0

    for call in (DoubledIfPositive(), model):
        assert_allclose(call(batch), factor * batch)
    assert_allclose(model.predict(batch, verbose=0), factor * batch)


@pytest.mark.parametrize(("total", "factor"), [(0.5, 2.0), (0.0, 1.0), (-0.5, 1.0)])
def test_a_small_sum_is_positive_and_a_sum_of_zero_is_not(
    total: float, factor: float
) -> None:
    batch = np.array([[1.0, total - 1.0]], "float32")

    assert_allclose(DoubledIfPositive()(batch), factor * batch)


def test_edges_of_half_precision_are_of_half_precision() -> None:
    layer = SobelEdges(dtype="float16", name="edges")

    assert layer(IMAGES[:2]).dtype == "float16"
    copy = SobelEdges.from_config(layer.get_config())
    assert (copy.name, copy.dtype) == ("edges", "float16")


# Missing inputs


def inputs_named(*names: str) -> list[keras.KerasTensor]:
    return [keras.Input((3,), name=name) for name in names]


def test_nothing_is_missing_where_keras_builds_a_model() -> None:
    for model, _ in trained().values():
        assert missing_inputs(model.input, model.output) == []
        assert unused_inputs(model.input, model.output) == []
        rebuilt = connected_model(model.input, model.output, name="rebuilt")
        assert rebuilt.name == "rebuilt"


def test_a_missing_input_comes_with_the_layers_that_lead_from_it() -> None:
    a, b = inputs_named("a", "b")
    total = keras.layers.Add(name="total")([a, b])
    scores = keras.layers.Dense(2, name="scores")(total)

    (missing,) = missing_inputs(a, scores)

    assert missing == InputPath(b, ("b", "total", "scores"))
    assert missing.tensor is b
    with pytest.raises(ValueError, match=r"^Output with path `` is not connected to"):
        keras.Model(a, scores)
    with pytest.raises(ValueError, match="Missing: 'b'") as caught:
        connected_model(a, scores)
    assert str(caught.value) == (
        "Expected `inputs` to hold every Input that `outputs` depend on. Missing: "
        "'b' of shape (None, 3), on the way b → total → scores"
    )
    assert connected_model([a, b], scores)([np.ones((1, 3))] * 2).shape == (1, 2)


def test_several_inputs_missing_from_nested_structures_are_all_found() -> None:
    a, b, c, d = inputs_named("a", "b", "c", "d")
    outputs = {"first": [a + b, c + d], "second": {"deep": (c * 2.0,)}}

    missing = missing_inputs({"only": [a]}, outputs)

    assert [start.tensor.name for start in missing] == ["b", "c", "d"]
    with pytest.raises(ValueError, match=r"'b' of .*; 'c' of .*; 'd' of "):
        connected_model({"only": [a]}, outputs)


def test_a_path_is_a_shortest_one_and_an_input_is_listed_once() -> None:
    (a,) = inputs_named("a")
    hidden = keras.layers.Dense(3, name="hidden")(a)
    total = keras.layers.Add(name="total")([hidden, a])

    assert input_paths([], total) == [InputPath(a, ("a", "total"))]


def test_an_input_may_itself_be_an_output() -> None:
    a, b = inputs_named("a", "b")

    assert missing_inputs(a, b) == [InputPath(b, ("b",))]
    assert missing_inputs([a, b], [a, b]) == []


def test_a_graph_deeper_than_pythons_recursion_is_walked() -> None:
    a, b = inputs_named("a", "b")
    x = keras.layers.Add(name="total")([a, b])
    for number in range(1100):
        x = keras.layers.Identity(name=f"layer{number}")(x)

    (missing,) = missing_inputs(a, x)

    assert missing.path[:3] == ("b", "total", "layer0")
    assert len(missing.path) == 1102


def test_the_inner_input_of_a_nested_model_is_what_is_missing() -> None:
    base = image_encoder((8, 8, 1))
    pixels = keras.Input((8, 8, 1), name="outside")
    outer = keras.Model(pixels, keras.layers.Dense(2)(base(pixels)))
    inner = outer.get_layer("encoder").get_layer("features").output

    (missing,) = missing_inputs(outer.input, inner)

    assert missing.tensor is base.input
    assert missing.path == ("pixels", "features")
    assert missing_inputs(base.input, inner) == []


def test_the_inputs_of_two_bases_are_told_apart() -> None:
    first, second = image_encoder((8, 8, 1)), image_encoder((8, 8, 1))
    both = keras.layers.Concatenate(name="both")([first.output, second.output])

    (missing,) = missing_inputs(first.input, both)

    assert missing.tensor is second.input
    assert missing.path == ("pixels", "features", "flat", "vector", "both")


def test_a_nested_model_is_one_step_of_the_path() -> None:
    left, right = (keras.Input((8, 8, 1), name=name) for name in ("left", "right"))
    encoder = image_encoder((8, 8, 1))
    total = keras.layers.Add(name="total")([encoder(left), encoder(right)])

    assert missing_inputs(left, total)[0].path == ("right", "encoder", "total")


def test_the_walk_stops_at_inputs_in_the_middle_of_a_graph() -> None:
    a, b = inputs_named("a", "b")
    middle = keras.layers.Dense(3, name="middle")(a)
    end = keras.layers.Dense(2, name="end")(middle)

    assert input_paths(middle, end) == [InputPath(middle, ("middle", "end"))]
    assert unused_inputs([middle, b], end) == [b]
    assert connected_model(middle, end)(np.ones((1, 3))).shape == (1, 2)


def test_a_tensor_that_no_input_made_is_missing() -> None:
    stray = keras.KerasTensor((None, 3), name="stray")
    (a,) = inputs_named("a")

    assert missing_inputs(a, stray) == [InputPath(stray, ("stray",))]
    total = keras.layers.Add(name="total")([a, stray])
    assert missing_inputs(a, total) == [InputPath(stray, ("stray", "total"))]


def test_keras_accepts_an_unused_input_and_the_check_does_not() -> None:
    a, b = inputs_named("a", "b")

    assert len(keras.Model([a, b], keras.layers.Dense(2)(a)).inputs) == 2
    with pytest.raises(ValueError, match=r"depend on all inputs. Unused: \['b'\]"):
        connected_model([a, b], keras.layers.Dense(2)(a))


@pytest.mark.parametrize("place", ["inputs", "outputs"])
@pytest.mark.parametrize(
    "wrong", [np.ones((1, 3)), tf.ones((1, 3)), keras.layers.Dense(2), None]
)
def test_what_is_no_keras_tensor_is_refused_by_its_type(place: str, wrong: Any) -> None:
    (a,) = inputs_named("a")
    structures = {"inputs": [a], "outputs": [a]}
    structures[place] = [a, wrong]

    with pytest.raises(ValueError, match="an object of type ") as caught:
        connected_model(**structures)

    assert str(caught.value).endswith(type(wrong).__name__)


# Heat maps


def convolutional(*tail: keras.Layer, classes: int = 3) -> keras.Model:
    """A convolution, some layers, and a score for each class."""
    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(5, 3, activation="relu", name="seen")(pixels)
    for layer in tail:
        x = layer(x)
    return keras.Model(pixels, keras.layers.Dense(classes, name="scores")(x))


def seen_by(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What the convolution gives, of shape (batch, 6, 6, 5)."""
    return np.array(keras.Model(model.input, model.get_layer("seen").output)(images))


def scaled(maps: np.ndarray) -> np.ndarray:
    """Positive parts, the largest of each map 1, in the size of the digits."""
    maps = np.maximum(maps, 0)[..., None]
    maps = maps / maps.max(axis=(1, 2), keepdims=True)
    return np.array(tf.image.resize(maps, (8, 8)))[..., 0]


def test_behind_an_average_grad_cam_is_the_class_activation_map() -> None:
    model = convolutional(keras.layers.GlobalAveragePooling2D())
    classes = np.array([0, 2, 1, 1])
    kernel = np.abs(model.get_layer("scores").kernel.numpy())
    model.get_layer("scores").kernel.assign(kernel)

    maps = grad_cam(model, IMAGES[:4], "seen", classes)

    by_hand = np.einsum("bhwk,kb->bhw", seen_by(model, IMAGES[:4]), kernel[:, classes])
    assert maps.dtype == np.float32
    assert_allclose(maps, scaled(by_hand), atol=1e-5)


def test_channels_count_by_their_mean_gradient() -> None:
    model = convolutional(keras.layers.Flatten())
    kernel = model.get_layer("scores").kernel.numpy().reshape(6, 6, 5, 3)
    seen, weights = seen_by(model, IMAGES[:2]), kernel.mean(axis=(0, 1))[:, 1]

    maps = grad_cam(model, IMAGES[:2], "seen", np.array([1, 1]))

    assert_allclose(maps, scaled(seen @ weights), atol=1e-5)


def test_without_classes_the_likeliest_is_shown() -> None:
    model = convolutional(keras.layers.Flatten())
    classes = np.argmax(model(IMAGES[:6]), axis=-1)

    maps = grad_cam(model, IMAGES[:6], "seen")

    assert_array_equal(maps, grad_cam(model, IMAGES[:6], "seen", classes))


def test_a_softmax_that_is_sure_changes_nothing() -> None:
    model = convolutional(keras.layers.Flatten())
    expected = grad_cam(model, IMAGES[:4], "seen")
    head = model.get_layer("scores")
    head.kernel.assign(head.kernel * 1000)
    head.activation = keras.activations.softmax
    assert np.max(model(IMAGES[:4]), axis=-1) == pytest.approx(np.ones(4))

    assert_allclose(grad_cam(model, IMAGES[:4], "seen"), expected, atol=1e-4)


def test_a_map_has_the_size_of_its_image() -> None:
    model = residual_classifier((None, None, 1), num_classes=10, num_blocks=1)
    model.trainable = False
    one = np.linspace(0, 1, 12 * 9).reshape(1, 12, 9, 1)

    maps = grad_cam(model, one, "block0_sum")

    assert maps.shape == (1, 12, 9)
    assert np.isfinite(maps).all()


def test_no_images_have_no_maps() -> None:
    model = convolutional(keras.layers.Flatten())
    assert grad_cam(model, IMAGES[:0], "seen").shape == (0, 8, 8)


def test_normalization_and_dropout_do_not_train() -> None:
    layers = keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)
    model = convolutional(*layers, keras.layers.Flatten())
    before = model.get_weights()

    maps = [grad_cam(model, IMAGES[:3], "seen") for _ in range(2)]

    assert_array_equal(*maps)
    for old, new in zip(before, model.get_weights(), strict=True):
        assert_array_equal(old, new)


def test_a_map_of_nothing_is_zero() -> None:
    model = convolutional(keras.layers.GlobalAveragePooling2D())
    head = model.get_layer("scores")
    head.kernel.assign(-np.abs(head.kernel.numpy()))

    assert not grad_cam(model, IMAGES[:2], "seen").any()


def test_half_precision_shows_the_same() -> None:
    model = convolutional(keras.layers.Flatten())
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = convolutional(keras.layers.Flatten())
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    classes = np.array([0, 1, 2])

    maps = [grad_cam(m, IMAGES[:3], "seen", classes) for m in (model, half)]

    assert_allclose(*maps, atol=0.02)


@pytest.mark.parametrize("classes", [[0], [0, 3], [0, -1], [0.5, 0.5]])
def test_classes_that_are_none_are_refused(classes: list[int]) -> None:
    model = convolutional(keras.layers.Flatten())
    with pytest.raises(ValueError, match="Expected a class from 0 to 2 for each image"):
        grad_cam(model, IMAGES[:2], "seen", np.array(classes))


def test_models_and_layers_without_a_map_are_refused() -> None:
    model = convolutional(keras.layers.Flatten(name="flat"))
    with_softmax = keras.Model(model.inputs, keras.layers.Softmax()(model.output))
    two = keras.Model(model.inputs, [model.output, model.get_layer("flat").output])
    for wrong in (with_softmax, two, keras.Sequential([keras.layers.Dense(2)])):
        with pytest.raises(ValueError, match="that ends in a Dense layer"):
            grad_cam(wrong, IMAGES[:2], "seen")
    with pytest.raises(ValueError, match=r"Received: 'flat' with \(None, 180\)"):
        grad_cam(model, IMAGES[:2], "flat")
    with pytest.raises(ValueError, match="No such layer: missing"):
        grad_cam(model, IMAGES[:2], "missing")


def test_no_weight_has_to_come_before_the_layer() -> None:
    pixels = keras.Input((8, 8, 1))
    seen = keras.layers.MaxPooling2D(name="seen")(pixels)
    scores = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Model(pixels, scores(keras.layers.Flatten()(seen)))

    maps = grad_cam(model, IMAGES[:2], "seen")

    assert_allclose(maps, scaled(seen_by(model, IMAGES[:2])[..., 0]))

"""The recipes around `keras.Model`, against NumPy, a second way, and both Kerases."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from keras.ops import convert_to_numpy

from snippets.checks import check_integer
from snippets.data import digit_vectors
from snippets.showing.both_kerases import outcome
from snippets.subclassing import (
    ActivityPenalty,
    DeepClassifier,
    LinearModule,
    MeanOverExamples,
    ModuleClassifier,
    PrependToken,
    Residual,
    RunningMean,
    TiedAutoencoder,
    UnitScale,
    VariationalAutoencoder,
    as_graph_of_layers,
    as_one_layer,
    kl_divergence,
    unbuilt_layers,
    weights_outside_checkpoint,
)
from snippets.subclassing.autoencoder import plane_of_codes
from snippets.subclassing.layers import Linear, StepCounter
from snippets.subclassing.mistakes import (
    TwoHeads,
    WithoutTraining,
    layer_with_python_if,
    layer_with_tf_variable,
    model_with_list_of_layers,
)
from snippets.subclassing.models import (
    CustomModel,
    FunctionalClassifier,
    SaveableModel,
    SmallVAE,
    WithTraining,
)
from snippets.subclassing.versions import NewScale, OldScale
from tests.unit.comparing import assert_allclose, assert_array_equal

VECTORS = np.linspace(-1.0, 1.0, 5 * 6).reshape(5, 6).astype("float32")
FLOAT64 = pytest.param("float64", marks=pytest.mark.tensorflow)  # no default of JAX
PRECISIONS = pytest.mark.parametrize(
    "dtype", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16", FLOAT64]
)
KERASES = pytest.mark.parametrize("keras_module", [keras, tf_keras])


# Sizes


@pytest.mark.parametrize("value", [1, 7, np.int64(7)])
def test_a_size_is_returned_as_an_integer(value: Any) -> None:
    assert check_integer("num_units", value) == value
    assert type(check_integer("num_units", value)) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "8", None, math.nan])
def test_what_is_no_size_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match=r"`num_units` .* at least 1\. Received: .*"):
        check_integer("num_units", value)


# A model of two layers


def test_the_custom_model_equals_numpy() -> None:
    model = CustomModel()
    outputs = model(VECTORS)
    a, b, c, d = model.get_weights()
    powers = np.exp(np.maximum(VECTORS @ a + b, 0.0) @ c + d)

    assert (a.shape, c.shape) == ((6, 32), (32, 10))
    assert_allclose(outputs, powers / powers.sum(axis=-1, keepdims=True), atol=1e-5)


def test_a_saveable_model_comes_back_with_arguments_and_weights(tmp_path: Path) -> None:
    model = SaveableModel(num_units=4, dropout=0.5, name="two_layers")
    outputs = model(VECTORS)
    a, b, c, d = model.get_weights()
    powers = np.exp(np.maximum(VECTORS @ a + b, 0.0) @ c + d)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert_allclose(outputs, powers / powers.sum(axis=-1, keepdims=True), atol=1e-5)
    assert (loaded.num_units, loaded.dropout, loaded.name) == (4, 0.5, "two_layers")
    assert_allclose(loaded(VECTORS), outputs, atol=1e-6)


@pytest.mark.parametrize("shape", [(5, 6), (1, 6), (0, 6), (2, 3, 6)])
def test_linear_multiplies_and_adds_and_comes_back(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    model = keras.Sequential([keras.Input(shape[1:]), Linear(units=4, name="linear")])
    model.layers[0].bias.assign([0.0, 1.0, 2.0, 3.0])
    kernel, bias = model.get_weights()
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    assert_allclose(model(x), x @ kernel + bias, atol=1e-5)
    assert (loaded.layers[0].units, loaded.layers[0].name) == (4, "linear")
    assert_allclose(loaded(x), model(x), atol=1e-6)


def test_a_saveable_model_drops_units_in_training_alone() -> None:
    model = SaveableModel(dropout=0.9)
    model(VECTORS)

    quiet = [convert_to_numpy(model(VECTORS)) for _ in range(2)]
    noisy = convert_to_numpy(model(VECTORS, training=True))
    assert_allclose(*quiet)
    assert not np.allclose(quiet[0], noisy)


def test_a_functional_subclass_has_its_method_and_its_graph() -> None:
    inputs = keras.Input((6,))
    model = FunctionalClassifier(inputs, keras.layers.Softmax()(inputs))

    assert model.input_shape == (None, 6)
    assert_allclose(model.classify(VECTORS), VECTORS.argmax(axis=-1))


# A small variational autoencoder


def test_the_loss_of_the_small_vae_equals_numpy() -> None:
    model, x = SmallVAE(), np.linspace(0.0, 1.0, 3 * 64).reshape(3, 64)
    x = x.astype("float32")
    pixels, m, v = map(convert_to_numpy, model(x))
    errors = -np.sum(x * np.log(pixels) + (1 - x) * np.log(1 - pixels), axis=-1)
    kl = -0.5 * np.sum(1 + v - np.square(m) - np.exp(v), axis=-1)
    model.compile("adam")

    assert np.all(kl > 0.0)
    assert_allclose(model.evaluate(x, verbose=0), np.mean(errors + kl), rtol=1e-4)


def test_the_loss_of_the_small_vae_has_the_losses_of_its_layers() -> None:
    model, x = SmallVAE(), np.full((3, 64), 0.5, "float32")
    model.compile("adam")
    before = model.evaluate(x, verbose=0)

    model.encoder.layers[0].kernel.regularizer = keras.regularizers.L2(1.0)

    squares = np.sum(np.square(convert_to_numpy(model.encoder.layers[0].kernel)))
    model.compile("adam")
    assert_allclose(model.evaluate(x, verbose=0) - before, squares, rtol=1e-3)


def test_the_codes_of_the_small_vae_have_the_mean_and_the_variance_of_the_encoder() -> (
    None
):
    model, x = SmallVAE(), np.full((5000, 64), 0.5, "float32")
    model(x[:1])
    kernel, bias = model.encoder.layers[-1].weights
    kernel.assign(np.zeros(kernel.shape))
    bias.assign([3.0, -1.0, 2.0, -2.0])
    # The decoder becomes the sigmoid of a tenth of the codes: max(x, 0) - max(-x, 0).
    inner, outer = (np.zeros(layer.kernel.shape) for layer in model.decoder.layers)
    inner[[0, 0, 1, 1], [0, 1, 2, 3]] = outer[[0, 1, 2, 3], [0, 0, 1, 1]] = 1, -1, 1, -1
    for layer, value in zip(model.decoder.layers, (inner, 0.1 * outer), strict=True):
        layer.kernel.assign(value)

    pixels = convert_to_numpy(model(x, training=True)[0])[:, :2].astype("float64")

    codes = 10 * np.log(pixels / (1 - pixels))
    assert_allclose(codes.mean(axis=0), [3.0, -1.0], atol=0.2)
    assert_allclose(codes.std(axis=0), np.exp([1.0, -1.0]), rtol=0.05)


def test_the_small_vae_draws_codes_in_training_alone() -> None:
    model, x = SmallVAE(), np.full((3, 64), 0.5, "float32")

    quiet = [convert_to_numpy(model(x)[0]) for _ in range(2)]
    noisy = [convert_to_numpy(model(x, training=True)[0]) for _ in range(2)]
    assert_allclose(*quiet)
    assert not np.allclose(quiet[0], noisy[0])
    assert not np.allclose(*noisy)


def test_the_small_vae_learns_the_digits() -> None:
    keras.utils.set_random_seed(0)
    model = SmallVAE()
    vectors, _ = digit_vectors()
    model.compile("adam")
    before = model.evaluate(vectors, verbose=0)
    model.fit(vectors, epochs=3, verbose=0)

    assert model.evaluate(vectors, verbose=0) < 0.9 * before


# The tied autoencoder


@pytest.mark.parametrize("batch_size", [1, 5])
def test_the_tied_autoencoder_multiplies_by_one_matrix_and_its_transpose(
    batch_size: int,
) -> None:
    model, x = TiedAutoencoder(), VECTORS[:batch_size]
    outputs = model(x)
    (kernel,) = model.get_weights()

    assert kernel.shape == (6, 8)
    assert_allclose(outputs, x @ kernel @ kernel.T, atol=1e-5)


def test_the_tied_autoencoder_comes_near_the_best_8_dimensions_and_not_below() -> None:
    keras.utils.set_random_seed(0)
    vectors, _ = digit_vectors()
    singular = np.linalg.svd(vectors, compute_uv=False)
    best = np.sum(singular[8:] ** 2) / vectors.size
    model = TiedAutoencoder()
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse")
    model.fit(vectors, vectors, batch_size=256, epochs=25, verbose=0)

    error = model.evaluate(vectors, vectors, verbose=0)

    assert best < error < 1.1 * best


# Composed layers


def test_a_residual_adds_the_inner_layer_to_its_input() -> None:
    inner = keras.layers.Dense(6, activation="tanh")
    outputs = Residual(inner)(VECTORS)
    kernel, bias = inner.get_weights()

    assert_allclose(outputs, VECTORS + np.tanh(VECTORS @ kernel + bias), atol=1e-5)


def test_a_residual_owns_the_weights_of_its_inner_layer() -> None:
    inner = keras.layers.Dense(6)
    layer = Residual(inner)
    layer(VECTORS)

    assert [id(w) for w in layer.trainable_weights] == [id(w) for w in inner.weights]


def test_a_residual_passes_training_on() -> None:
    layer = Residual(keras.layers.Dropout(0.5))
    ones = np.ones((20, 20))

    assert_array_equal(layer(ones), 2 * ones)
    assert {1.0, 3.0} == set(np.unique(layer(ones, training=True)).tolist())


def test_a_residual_knows_its_output_shape_before_data() -> None:
    x = keras.Input((None, 4))

    assert Residual(keras.layers.Dense(4))(x).shape == (None, None, 4)


@PRECISIONS
def test_a_residual_adds_in_its_own_dtype_whatever_that_of_the_inner_layer(
    dtype: str,
) -> None:
    inner = keras.layers.Dense(6)
    expected = Residual(inner)(VECTORS)
    layer = Residual(inner, dtype=dtype)
    found = layer(VECTORS)

    assert found.dtype == layer.compute_dtype
    assert layer(keras.Input((6,))).dtype == layer.compute_dtype
    assert_allclose(tf.cast(found, "float32"), expected, atol=0.03)


def test_a_residual_builds_its_inner_layer_and_takes_one_that_is_built() -> None:
    inner = keras.layers.Dense(6)
    Residual(inner).build((None, 6))
    kernel = inner.kernel
    Residual(inner).build((None, 6))

    assert kernel.shape == (6, 6)
    assert inner.kernel is kernel


def test_a_residual_refuses_an_inner_layer_that_changes_the_shape() -> None:
    with pytest.raises(ValueError, match=r"to keep the shape \(5, 6\).*\(5, 1\)"):
        Residual(keras.layers.Dense(1))(VECTORS)


def test_a_residual_refuses_what_is_no_layer() -> None:
    with pytest.raises(ValueError, match=r"`inner` to be a layer\. Received: <ufunc"):
        Residual(np.sin)


def test_a_residual_rebuilds_the_inner_layer_from_its_config() -> None:
    layer = Residual(keras.layers.Dense(6, activation="tanh"), name="block")

    copy = Residual.from_config(layer.get_config())

    assert (copy.name, copy.inner.units) == ("block", 6)
    assert copy.inner is not layer.inner
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize("num_blocks", [1, 4])
def test_the_deep_classifier_has_as_many_blocks_as_asked_for(num_blocks: int) -> None:
    model = DeepClassifier(num_classes=3, num_blocks=num_blocks, num_units=5)
    scores = convert_to_numpy(model(VECTORS))

    assert scores.shape == (5, 3)
    assert_allclose(np.sum(scores, axis=-1), 1.0, rtol=1e-6)
    assert model.count_params() == 6 * 5 + 5 + num_blocks * (5 * 5 + 5) + 5 * 3 + 3


def test_the_deep_classifier_equals_numpy() -> None:
    model = DeepClassifier(num_classes=3, num_blocks=2, num_units=5)
    outputs = model(VECTORS)
    kernels, biases = model.get_weights()[::2], model.get_weights()[1::2]
    x = VECTORS @ kernels[0] + biases[0]
    for kernel, bias in zip(kernels[1:3], biases[1:3], strict=True):
        x = x + np.maximum(x @ kernel + bias, 0.0)
    powers = np.exp(x @ kernels[3] + biases[3])

    expected = powers / powers.sum(axis=-1, keepdims=True)

    assert_allclose(outputs, expected, atol=1e-5)


@PRECISIONS
def test_the_deep_classifier_computes_in_its_dtype_and_returns_float32_at_least(
    dtype: str,
) -> None:
    model = DeepClassifier(num_classes=3, dtype=dtype)
    scores = convert_to_numpy(model(VECTORS))
    inner = [layer.compute_dtype for layer in model._flatten_layers()]

    assert scores.dtype == ("float64" if dtype == "float64" else "float32")
    assert_allclose(np.sum(scores, axis=-1), 1.0, rtol=1e-6)
    assert set(inner[:-1]) == {model.compute_dtype}
    assert inner[-1] == scores.dtype


def test_the_deep_classifier_drops_units_in_training_alone() -> None:
    model = DeepClassifier(num_classes=3, dropout=0.5)
    quiet = [convert_to_numpy(model(VECTORS)) for _ in range(2)]
    noisy = convert_to_numpy(model(VECTORS, training=True))

    assert_array_equal(*quiet)
    assert not np.allclose(noisy, quiet[0])


def test_the_deep_classifier_keeps_its_arguments() -> None:
    model = DeepClassifier(7, num_blocks=2, num_units=9, dropout=0.25, name="deep")

    config = DeepClassifier.from_config(model.get_config()).get_config()

    assert config == model.get_config()
    assert {k: config[k] for k in ("num_classes", "num_blocks", "num_units")} == {
        "num_classes": 7,
        "num_blocks": 2,
        "num_units": 9,
    }
    assert (config["dropout"], config["name"]) == (0.25, "deep")


# State and losses


def test_a_running_mean_is_the_mean_of_every_example_seen_in_training() -> None:
    layer, batches = RunningMean(), (VECTORS[:1], VECTORS[1:3], VECTORS[3:])

    outputs = [layer(batch, training=True) for batch in batches]

    assert_allclose(layer.mean, VECTORS.mean(axis=0), atol=1e-6)
    assert_allclose(outputs[-1], VECTORS[3:] - VECTORS.mean(axis=0), atol=1e-6)
    assert float(layer.count) == 5.0
    assert layer.trainable_weights == []


def test_a_running_mean_does_not_learn_outside_training() -> None:
    layer = RunningMean()

    assert_array_equal(layer(VECTORS), VECTORS)
    assert_array_equal(layer(VECTORS, training=False), VECTORS)
    assert float(layer.count) == 0.0


def test_a_running_mean_outlives_an_empty_batch() -> None:
    layer = RunningMean()

    assert layer(np.zeros((0, 6)), training=True).shape == (0, 6)
    assert_array_equal(layer.mean, np.zeros(6))


@PRECISIONS
def test_a_running_mean_is_as_exact_in_any_precision(dtype: str) -> None:
    layer, x = RunningMean(dtype=dtype), np.tile([[1.0], [5.0], [7.0]], (11_000, 1))
    for _ in range(3):
        outputs = layer(x, training=True)

    assert float(layer.count) == 99_000.0
    assert float(layer.mean[0]) == pytest.approx(13 / 3, abs=1e-4)
    assert keras.backend.standardize_dtype(outputs.dtype) == layer.compute_dtype


def test_a_running_mean_refuses_sequences() -> None:
    with pytest.raises(ValueError, match=r"\(batch, num_features\).*\(5, 2, 3\)"):
        RunningMean()(VECTORS.reshape(5, 2, 3))


@pytest.mark.parametrize(
    "make",
    [
        *(RunningMean, UnitScale, ActivityPenalty, TiedAutoencoder),
        pytest.param(lambda: Residual(keras.layers.Dense(4)), id="Residual"),
        pytest.param(lambda: DeepClassifier(3), id="DeepClassifier"),
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_integers_are_computed_as_the_floats_that_they_are(
    make: Callable[[], Any], training: bool
) -> None:
    x = np.arange(12, dtype="int32").reshape(3, 4)
    outputs = []
    for data in (x, x.astype("float32")):
        keras.utils.set_random_seed(0)
        outputs.append(make()(data, training=training))

    assert_allclose(*outputs, rtol=1e-5)
    dtype = keras.backend.standardize_dtype(outputs[0].dtype)
    assert dtype == (x.dtype if make is ActivityPenalty else "float32")


def test_a_running_mean_learns_in_fit_and_not_in_predict() -> None:
    model = keras.Sequential([keras.Input((6,)), RunningMean(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(VECTORS, np.zeros((5, 1)), batch_size=2, verbose=0)
    model.predict(VECTORS + 9.0, verbose=0)

    assert_allclose(model.layers[0].mean, VECTORS.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "bfloat16"])
def test_training_steps_are_counted_in_any_precision(dtype: str) -> None:
    layer = StepCounter(dtype=dtype)
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    layer.steps.assign(2048)  # where half precision cannot add 1

    model.fit(VECTORS, np.zeros((5, 1)), batch_size=2, verbose=0)
    model.predict(VECTORS, verbose=0)

    assert int(np.array(layer.steps)) == 2051
    assert layer.trainable_weights == []


def test_an_activity_penalty_is_the_weighted_mean_of_absolute_values() -> None:
    layer = ActivityPenalty(weight=0.3)

    assert_array_equal(layer(VECTORS), VECTORS)
    assert_allclose(layer.losses, [0.3 * np.abs(VECTORS).mean()], rtol=1e-6)


def test_an_activity_penalty_is_that_of_the_last_call_and_part_of_the_loss() -> None:
    model = keras.Sequential([keras.Input((6,)), ActivityPenalty(weight=2.0)])
    model.compile("sgd", "mse")
    model(VECTORS * 5)

    loss = model.evaluate(VECTORS, VECTORS, verbose=0)

    assert_allclose(loss, 2.0 * np.abs(VECTORS).mean(), rtol=1e-6)


def test_an_activity_penalty_of_an_empty_batch_is_zero() -> None:
    layer = ActivityPenalty(weight=2.0)

    assert layer(VECTORS[:0]).shape == (0, 6)
    assert float(layer.losses[0]) == 0.0


@PRECISIONS
def test_an_activity_penalty_can_be_added_to_the_loss_in_any_precision(
    dtype: str,
) -> None:
    penalty = ActivityPenalty(weight=2.0, dtype=dtype)
    model = keras.Sequential([keras.Input((6,)), penalty])
    model.compile("sgd", "mse", run_eagerly=True)

    loss = model.test_on_batch(VECTORS, VECTORS)

    assert loss == pytest.approx(2.0 * np.abs(VECTORS).mean(), rel=1e-2)


def test_an_activity_penalty_keeps_its_weight() -> None:
    layer = ActivityPenalty(weight=0.3)

    assert ActivityPenalty.from_config(layer.get_config()).weight == 0.3


def test_an_activity_penalty_weighs_a_hundredth_by_default_and_may_weigh_nothing() -> (
    None
):
    assert ActivityPenalty().weight == 0.01
    assert ActivityPenalty(weight=0.0).weight == 0.0


@pytest.mark.parametrize("weight", [-0.1, math.inf, math.nan])
def test_an_activity_penalty_refuses_a_weight_that_is_none(weight: float) -> None:
    with pytest.raises(ValueError, match=r"`weight` of at least 0. Received: "):
        ActivityPenalty(weight)


# Shapes that vary


@pytest.mark.parametrize(("batch_size", "time"), [(1, 1), (2, 5), (3, 0)])
def test_a_token_is_put_in_front_of_each_sequence(batch_size: int, time: int) -> None:
    layer = PrependToken()
    steps = np.arange(batch_size * time * 4.0).reshape(batch_size, time, 4)
    outputs = convert_to_numpy(layer(steps))

    assert_array_equal(outputs[:, 1:], steps)
    for row in outputs:
        assert_array_equal(row[:1], np.array(layer.token)[0])


@pytest.mark.parametrize("shape", [(7, 5, 4), (None, 5, 4), (None, None, 4)])
def test_the_declared_shape_of_a_prepended_token_is_what_comes_out(
    shape: tuple[int | None, ...],
) -> None:
    layer = PrependToken()
    x = keras.Input(batch_shape=shape)
    model = keras.Model(x, layer(x))

    declared = layer.compute_output_shape(shape)

    assert declared == (shape[0], None if shape[1] is None else 6, 4)
    assert model.output_shape == declared
    assert model(np.zeros((7, 5, 4))).shape == (7, 6, 4)


def test_a_token_is_not_put_in_front_of_a_vector() -> None:
    with pytest.raises(ValueError, match=r"\(batch, time, num_features\).*\(5, 6\)"):
        PrependToken()(VECTORS)


@pytest.mark.parametrize("x", [VECTORS, VECTORS - 3.0, 0.0 * VECTORS, VECTORS[:1]])
def test_unit_scale_divides_by_the_largest_value_unless_it_is_zero(x: Any) -> None:
    largest = np.abs(x).max() or 1.0
    symbolic = keras.Sequential([keras.Input((6,)), UnitScale()])

    for layer in (UnitScale(), symbolic):
        assert_allclose(layer(x), x / largest, atol=1e-6)


def test_unit_scale_takes_an_empty_batch() -> None:
    assert UnitScale()(VECTORS[:0]).shape == (0, 6)


def test_unit_scale_has_a_gradient_at_zero() -> None:
    x = tf.Variable(tf.zeros((2, 2)))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(UnitScale()(x))

    assert np.isfinite(tape.gradient(total, x)).all()


# Subclassed models as Functional ones


def test_a_model_as_one_layer_shares_its_weights_and_knows_its_shapes() -> None:
    model = TiedAutoencoder()
    functional = as_one_layer(model, (6,))

    assert [layer.name for layer in functional.layers] == ["inputs", model.name]
    assert (functional.input_shape, functional.output_shape) == ((None, 6), (None, 6))
    assert functional.weights[0] is model.kernel
    assert_allclose(functional(VECTORS), model(VECTORS), atol=1e-6)


def test_an_input_has_the_dtype_asked_for() -> None:
    model = keras.Sequential([keras.layers.Embedding(3, 2)])

    for wrap in (as_one_layer, as_graph_of_layers):
        assert wrap(model, (None,), dtype="int32").inputs[0].dtype == "int32"


def test_an_opened_model_lists_its_layers_and_shares_their_weights() -> None:
    model = DeepClassifier(num_classes=3, num_blocks=2, num_units=5)
    graph = as_graph_of_layers(model, (6,))

    kinds = [type(layer).__name__ for layer in graph.layers]
    assert kinds == [
        *("InputLayer", "Dense", "Residual", "Dropout", "Residual", "Dense")
    ]
    assert {id(w) for w in graph.weights} == {id(w) for w in model.weights}
    assert_allclose(graph(VECTORS), model(VECTORS), atol=1e-6)


def test_a_model_with_weights_of_its_own_is_not_opened() -> None:
    with pytest.raises(ValueError, match=r"use `as_one_layer`.*tied.*/kernel"):
        as_graph_of_layers(TiedAutoencoder(), (6,))


# tf.Module


def test_a_linear_module_multiplies_and_adds() -> None:
    module = LinearModule(6, 3)
    module.bias.assign([1.0, 2.0, 3.0])

    expected = VECTORS @ module.kernel.numpy() + np.array([1.0, 2.0, 3.0])

    assert_allclose(module(VECTORS), expected, atol=1e-5)


def test_a_linear_module_starts_within_the_limit_of_glorot() -> None:
    kernel = LinearModule(100, 50).kernel.numpy()
    limit = math.sqrt(6 / 150)

    assert 0.99 * limit < np.abs(kernel).max() <= limit
    assert abs(kernel.mean()) < 0.1 * limit


@pytest.mark.parametrize("make", [LinearModule, ModuleClassifier])
def test_modules_refuse_sizes_that_are_none(make: Callable[[int, int], Any]) -> None:
    for sizes in ((0, 3), (3, 0)):
        with pytest.raises(ValueError, match=r"at least 1\. Received: .*0"):
            make(*sizes)


def test_a_linear_module_has_the_name_it_is_given() -> None:
    assert LinearModule(2, 3, name="first").name == "first"


def test_a_module_classifier_equals_numpy() -> None:
    module = ModuleClassifier(6, 3)
    (a, b), (c, d) = (
        (layer.kernel.numpy(), layer.bias.numpy()) for layer in module.layers
    )
    powers = np.exp(np.maximum(VECTORS @ a + b, 0.0) @ c + d)

    expected = powers / powers.sum(axis=-1, keepdims=True)

    for function in (module, module.serve):
        assert_allclose(function(VECTORS), expected, atol=1e-5)


# The variational autoencoder


def test_the_divergence_is_that_of_the_formula() -> None:
    generator = np.random.default_rng(0)
    mean, log_variance = generator.normal(size=(2, 4, 3))
    variance = np.exp(log_variance)
    expected = -0.5 * np.sum(1 + log_variance - mean**2 - variance, axis=-1)

    assert_allclose(kl_divergence(mean, log_variance), expected, rtol=1e-5)
    assert (expected > 0).all()


def test_the_divergence_is_what_samples_estimate() -> None:
    mean, log_variance = np.array([0.7, -0.2]), np.array([0.5, -1.0])
    deviation = np.exp(0.5 * log_variance)
    z = np.random.default_rng(0).normal(mean, deviation, size=(200_000, 2))
    log_ratio = 0.5 * (z**2 - ((z - mean) / deviation) ** 2 - log_variance)

    estimate = log_ratio.sum(axis=-1).mean()

    assert float(kl_divergence(mean, log_variance)) == pytest.approx(estimate, rel=0.02)


def test_the_divergence_of_the_standard_normal_from_itself_is_zero() -> None:
    zeros = np.zeros((3, 2))

    assert_array_equal(kl_divergence(zeros, zeros), np.zeros(3))


def test_the_divergence_refuses_two_shapes() -> None:
    with pytest.raises(ValueError, match=r"one shape. Received: \(3, 2\) and \(2,\)"):
        kl_divergence(np.zeros((3, 2)), np.zeros(2))


def untrained_autoencoder() -> tuple[VariationalAutoencoder, Any, Any, Any]:
    """An autoencoder, images, and by NumPy both losses of each image."""
    keras.utils.set_random_seed(0)
    model = VariationalAutoencoder((2, 3, 1), latent_dim=4)
    images = np.ones((5, 2, 3, 1), "float32")
    images[0] = 0.25
    model.compile("sgd")
    outputs = {name: convert_to_numpy(value) for name, value in model(images).items()}
    guess, v = outputs["images"], outputs["log_variance"]
    entropy = -np.sum(
        images * np.log(guess) + (1 - images) * np.log(1 - guess), axis=(1, 2, 3)
    )
    kl = -0.5 * np.sum(1 + v - outputs["mean"] ** 2 - np.exp(v), axis=-1)
    return model, images, entropy, kl


def test_the_loss_of_the_autoencoder_is_cross_entropy_plus_divergence() -> None:
    model, images, entropy, kl = untrained_autoencoder()

    measured = model.evaluate(images, verbose=0, return_dict=True)

    assert measured["reconstruction"] == pytest.approx(entropy.mean(), rel=1e-4)
    assert measured["kl"] == pytest.approx(kl.mean(), rel=1e-4)
    assert measured["loss"] == pytest.approx((entropy + kl).mean(), rel=1e-4)


@pytest.mark.parametrize("shape", [(5,), (5, 1)])
def test_an_image_counts_by_its_weight_in_the_loss_of_the_autoencoder(
    shape: tuple[int, ...],
) -> None:
    model, images, entropy, kl = untrained_autoencoder()
    weights = np.array([3.0, 0.0, 1.0, 0.5, 0.0])

    measured = model.test_on_batch(
        images, images, sample_weight=weights.reshape(shape), return_dict=True
    )

    expected = {
        "reconstruction": np.average(entropy, weights=weights),
        "kl": np.average(kl, weights=weights),
        "loss": np.mean(weights * (entropy + kl)),
    }
    assert measured == pytest.approx(expected, rel=1e-4)


def test_keras_drops_the_weights_of_images_without_targets() -> None:
    model, images, *_ = untrained_autoencoder()
    plain, zero = (
        model.evaluate(images, sample_weight=weights, verbose=0)
        for weights in (None, np.zeros(5))
    )

    assert plain == pytest.approx(zero)


def test_the_loss_of_the_autoencoder_includes_regularization() -> None:
    model, images, entropy, kl = untrained_autoencoder()
    model.read.kernel_regularizer = keras.regularizers.L2(0.5)
    model.read.kernel.regularizer = model.read.kernel_regularizer

    loss = model.test_on_batch(images, images, return_dict=True)["loss"]

    penalty = 0.5 * np.sum(np.square(model.read.kernel))
    assert loss == pytest.approx((entropy + kl).mean() + penalty, rel=1e-4)


@PRECISIONS
def test_the_autoencoder_learns_in_any_precision(dtype: str) -> None:
    _, images, entropy, kl = untrained_autoencoder()
    keras.utils.set_random_seed(0)
    model = VariationalAutoencoder((2, 3, 1), latent_dim=4, dtype=dtype)
    outputs = model(images)
    model.compile("sgd", run_eagerly=True)
    loss = model.test_on_batch(images, images, return_dict=True)["loss"]
    model.train_on_batch(images)

    exact = "float64" if dtype == "float64" else "float32"
    found = [keras.backend.standardize_dtype(x.dtype) for x in outputs.values()]
    assert set(found) == {exact}
    assert model.read.compute_dtype == model.compute_dtype
    assert loss == pytest.approx((entropy + kl).mean(), rel=0.1)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_the_mean_over_examples_is_weighted_as_keras_weights_its_losses() -> None:
    losses, weights = np.array([1.0, 2.0, 6.0], "float32"), np.array([0.0, 3.0, 1.0])
    own, keras_own = MeanOverExamples(), keras.losses.MeanAbsoluteError()
    columns = losses[:, np.newaxis]

    assert float(own(losses, losses)) == 3.0
    assert float(own(losses, losses, weights)) == 4.0
    assert float(keras_own(0 * columns, columns, weights)) == 4.0


def test_the_autoencoder_decodes_the_mean_outside_training_and_draws_within() -> None:
    model, images = VariationalAutoencoder(seed=3), np.zeros((1, 8, 8, 1))
    mean, _ = model.encode(images)

    assert_allclose(model(images)["images"], model.decode(mean), atol=1e-6)
    drawn = [convert_to_numpy(model(images, training=True)["images"]) for _ in range(2)]
    assert not np.allclose(*drawn)


def test_the_codes_drawn_have_the_mean_and_the_variance_of_the_encoder() -> None:
    images = np.zeros((4000, 2, 2, 1))
    model = VariationalAutoencoder((2, 2, 1), latent_dim=2)
    model(images[:1])
    mean, log_variance = np.array([1.0, -2.0]), np.log([4.0, 0.25])
    model.mean.set_weights([np.zeros((128, 2)), mean])
    model.log_variance.set_weights([np.zeros((128, 2)), log_variance])
    seen: list[Any] = []
    model.decode = lambda codes: seen.append(convert_to_numpy(codes))

    model(images, training=True)

    assert_allclose(seen[0].mean(axis=0), mean, atol=0.1)
    assert_allclose(seen[0].std(axis=0), [2.0, 0.5], rtol=0.05)


def test_the_same_seed_draws_the_same_codes() -> None:
    images = np.zeros((3, 8, 8, 1))
    drawn = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(0)
        model = VariationalAutoencoder(seed=seed)
        drawn.append(convert_to_numpy(model(images, training=True)["images"]))

    assert_array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])


def test_the_autoencoder_keeps_its_arguments() -> None:
    model = VariationalAutoencoder((4, 3, 2), latent_dim=5, num_units=6, seed=7)

    copy = VariationalAutoencoder.from_config(model.get_config())

    assert copy.get_config() == model.get_config()
    outputs = copy(np.zeros((1, 4, 3, 2)))
    assert outputs["images"].shape == (1, 4, 3, 2)
    assert outputs["mean"].shape == (1, 5)
    assert (copy.read.units, copy.write.units, copy.seed) == (6, 6, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image_shape": (8, 8)}, r"`image_shape` of 3 axes. Received: \(8, 8\)"),
        ({"image_shape": (8, 0, 1)}, "`image_shape` .* at least 1. Received: .*0"),
        (
            {"image_shape": (8, None, 1)},
            "`image_shape` .* at least 1. Received: .*None",
        ),
        ({"latent_dim": 0}, "`latent_dim` .* at least 1. Received: .*0"),
        ({"num_units": 1.5}, "`num_units` .* at least 1. Received: .*1.5"),
    ],
)
def test_the_autoencoder_refuses_sizes_that_are_none(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        VariationalAutoencoder(**arguments)


def test_a_plane_of_codes_reads_like_a_page() -> None:
    codes = plane_of_codes(3, reach=2.0)

    assert codes.dtype == np.float32
    assert codes.tolist() == [[x, y] for y in (2.0, 0.0, -2.0) for x in (-2.0, 0, 2.0)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1.0), "`num_columns` .* at least 1. Received: .*0"),
        ((3, 0.0), "`reach` greater than 0. Received: 0.0"),
        ((3, math.inf), "`reach` greater than 0. Received: inf"),
        ((3, math.nan), "`reach` greater than 0. Received: nan"),
    ],
)
def test_a_plane_of_codes_refuses_no_plane(
    arguments: tuple[int, float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plane_of_codes(*arguments)


# Saving


def test_layers_that_no_call_has_reached_are_unbuilt_however_deep() -> None:
    hidden = Residual(keras.layers.Dense(6, name="inner"), name="block")
    model = keras.Sequential([hidden, keras.layers.Dense(2, name="scores")])

    assert sorted(unbuilt_layers(model)) == ["block", "inner", "scores", model.name]
    model(VECTORS)
    assert unbuilt_layers(model) == []


def test_a_head_behind_a_plain_attribute_is_not_restored(tmp_path: Path) -> None:
    model = TwoHeads()
    model.use_extra = True
    outputs = model(VECTORS)
    assert_allclose(outputs, model.scores(VECTORS) + model.extra(VECTORS), atol=1e-6)
    model.save(tmp_path / "two.keras")
    loaded = keras.models.load_model(tmp_path / "two.keras")

    assert not loaded.use_extra
    assert unbuilt_layers(loaded) == ["extra"]
    assert_allclose(loaded(VECTORS), model.scores(VECTORS), atol=1e-6)


@pytest.mark.parametrize("x", [VECTORS, 1.5 * VECTORS, 255.0 * np.abs(VECTORS)])
def test_a_layer_of_keras_2_and_its_successor_compute_the_same(x: Any) -> None:
    old, new = OldScale(), NewScale()
    for layer, module in ((old, tf_keras), (new, keras)):
        assert layer(module.Input((6,))).shape == (None, 6)
        layer.scale.assign(np.arange(6.0))
        assert layer(module.Input((2, 6))).shape == (None, 2, 6)
        layer.calls.assign(0)

    expected = (x if x.max() <= 1.0 else x / 255.0) * np.arange(6.0)

    for layer in (old, new):
        assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
        assert np.array(layer.calls) == 1
        assert (len(layer.trainable_weights), len(layer.weights)) == (1, 2)


def test_a_checkpoint_holds_what_is_said_to_be_inside(tmp_path: Path) -> None:
    for model, left_out in (
        (DeepClassifier(3), 0),
        (model_with_list_of_layers(keras), 2),
    ):
        model(VECTORS)
        path = tf.train.Checkpoint(model=model).write(str(tmp_path / model.name))
        names = [name for name, _ in tf.train.list_variables(path) if "model/" in name]

        assert len(names) == len(model.weights) - left_out
        assert len(weights_outside_checkpoint(model)) == left_out


def test_a_list_of_layers_is_in_a_checkpoint_of_keras_2(tmp_path: Path) -> None:
    model = model_with_list_of_layers(tf_keras)
    model(VECTORS)
    path = tf.train.Checkpoint(model=model).write(str(tmp_path / "stack"))

    assert len([n for n, _ in tf.train.list_variables(path) if "model/" in n]) == 2


# Mistakes, on both Kerases


def on_input(keras_module: ModuleType, mistake: Callable[[ModuleType], Any]) -> str:
    """What a mistake makes of an Input, in one line."""
    return outcome("mistake(keras)(keras.Input((2,)))", keras_module, mistake=mistake)


def test_a_tf_variable_is_a_weight_on_keras_2_alone() -> None:
    found = {}
    for keras_module in (keras, tf_keras):
        layer = layer_with_tf_variable(keras_module)
        assert layer(np.ones((3, 2), "float32")).shape == (3, 1)
        found[keras_module.__name__] = len(layer.weights)

    assert found == {"keras": 0, "tf_keras": 1}


def test_a_python_if_runs_eagerly_and_is_refused_in_a_graph_of_keras_3() -> None:
    for keras_module in (keras, tf_keras):
        layer = layer_with_python_if(keras_module)
        for x in (VECTORS, 0.0 * VECTORS):
            assert_allclose(layer(x), UnitScale()(x), atol=1e-6)

    assert on_input(keras, layer_with_python_if).startswith(
        "OperatorNotAllowedInGraphError: "
    )
    assert on_input(tf_keras, layer_with_python_if) == "(None, 2) float32"


@pytest.mark.parametrize(
    ("model", "learned"), [(WithoutTraining, [0.0]), (WithTraining, [5.0])]
)
def test_only_a_model_with_training_learns_the_mean(
    model: Any, learned: list[float]
) -> None:
    made = model()
    made.compile("sgd", "mse")

    made.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)

    assert keras.ops.convert_to_numpy(made.normalize.moving_mean).tolist() == learned

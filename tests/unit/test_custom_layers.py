"""The custom layers against Keras's own suite, NumPy, and themselves when reloaded."""

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy

from snippets import custom_layers
from snippets.checks import check_fraction, check_integer
from snippets.custom_layers import (
    Adapter,
    AttentionPooling,
    EncoderBlock,
    Gain,
    LocalResponseNormalization,
    PositionEmbedding,
    RunningCenter,
    SkipSteps,
    SparsityPenalty,
    StepDropout,
    attention_classifier,
    layer_problem,
    masked_mean,
    masked_softmax,
    mistakes,
    reload_problem,
    scaled_dot_product_attention,
)
from snippets.custom_layers.attention import attention_by_step
from snippets.custom_layers.contract import last_cause
from snippets.custom_layers.layers import AddBoth, Center, MeanOfSteps, rms
from snippets.custom_layers.masks import check_mask, count_steps
from snippets.custom_layers.mistakes import (
    ForgetfulGain,
    RoundedCenter,
    UnmaskedAttentionPooling,
)
from snippets.custom_layers.versions import NewPool, OldPool
from tests.unit.comparing import assert_allclose, assert_array_equal

# Each layer with arguments that are not its defaults, and the steps it returns of 5.
SEQUENCE_LAYERS: list[tuple[type[keras.Layer], dict[str, Any], int | None]] = [
    (Gain, {"initial": 3.0}, 5),
    (Adapter, {"units": 3}, 5),
    (RunningCenter, {"momentum": 0.5}, 5),
    (StepDropout, {"rate": 0.3, "seed": 1}, 5),
    (SkipSteps, {"num_steps": 2}, 3),
    (SparsityPenalty, {"weight": 0.5}, 5),
    (PositionEmbedding, {"max_length": 7}, 5),
    (AttentionPooling, {"units": 3}, None),
    (EncoderBlock, {"num_heads": 2, "hidden_units": 3, "rate": 0.2}, 5),
]
NORMALIZATION = {"depth_radius": 2, "bias": 2.0, "alpha": 0.1, "beta": 0.7}


def named(cases: list[Any]) -> list[str]:
    return [case[0].__name__ for case in cases]


def steps(batch: int = 3, time: int = 5, features: int = 4) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(size=(batch, time, features)).astype("float32")


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def with_random_weights(layer: keras.Layer, shape: tuple[int, ...]) -> keras.Layer:
    """Build a layer and give it weights in which no two numbers are alike."""
    layer.build(shape)
    generator = np.random.default_rng(1)
    layer.set_weights([generator.normal(size=w.shape) for w in layer.get_weights()])
    return layer


# What holds for every layer


def test_a_layer_passes_the_suite_with_what_is_expected_of_it() -> None:
    assert (
        layer_problem(
            LocalResponseNormalization,
            NORMALIZATION,
            (2, 3, 3, 4),
            expected_output_shape=(2, 3, 3, 4),
            expected_num_trainable_weights=0,
        )
        is None
    )


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SEQUENCE_LAYERS, ids=named(SEQUENCE_LAYERS)
)
def test_a_batch_of_one_and_any_length_give_what_the_whole_batch_gives(
    layer_class: type[keras.Layer], arguments: dict[str, Any], time: int | None
) -> None:
    tensor = keras.Input((None, 4))
    model = keras.Model(tensor, layer_class(**arguments)(tensor))
    x = steps()
    whole = convert_to_numpy(model(x))

    assert model.output_shape == ((None, 4) if time is None else (None, None, 4))
    assert_allclose(model(x[:1]), whole[:1], atol=1e-5)
    for length in (3, 7):
        found = model(steps(time=length))
        assert found.shape == (3, *(() if time is None else (time + length - 5,)), 4)


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SEQUENCE_LAYERS, ids=named(SEQUENCE_LAYERS)
)
def test_what_stands_in_the_padding_changes_nothing_elsewhere(
    layer_class: type[keras.Layer], arguments: dict[str, Any], time: int | None
) -> None:
    layer = layer_class(**arguments)
    takes_mask = "mask" in layer._call_signature.parameters
    mask = np.arange(5) < np.array([[5], [4], [3]])
    x = steps()
    other = np.where(mask[..., None], x, 99.0).astype("float32")
    options = {"mask": mask} if takes_mask else {}
    first, second = (
        convert_to_numpy(layer(values, **options)) for values in (x, other)
    )

    kept = slice(None) if time is None else mask[:, 5 - time :]
    assert_allclose(first[kept], second[kept], atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "float16"])
@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SEQUENCE_LAYERS, ids=named(SEQUENCE_LAYERS)
)
def test_a_row_that_is_all_padding_gives_no_nan_in_any_precision(
    layer_class: type[keras.Layer],
    arguments: dict[str, Any],
    time: int | None,
    dtype: str,
) -> None:
    x = 10 * steps()
    x[1] = -1.0
    masked = keras.layers.Masking(mask_value=-1.0, dtype=dtype)(x)
    layer = layer_class(**arguments, dtype=dtype)
    for training in (False, True):
        options = {"training": training} if layer._call_has_training_arg else {}
        outputs = convert_to_numpy(layer(masked, **options))

        assert np.isfinite(outputs).all()
        assert outputs.dtype == ("float32" if dtype == "float32" else "float16")


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SEQUENCE_LAYERS, ids=named(SEQUENCE_LAYERS)
)
def test_mixed_precision_gives_the_same_numbers_to_three_digits(
    layer_class: type[keras.Layer], arguments: dict[str, Any], time: int | None
) -> None:
    exact = layer_class(**arguments)
    mixed = layer_class(**arguments, dtype="mixed_float16")
    expected = convert_to_numpy(exact(steps()))
    mixed.build((None, 5, 4))
    mixed.set_weights(exact.get_weights())

    assert_allclose(mixed(steps()), expected, atol=1e-2)
    assert {weight.dtype for weight in mixed.weights} <= {"float32"}


SHAPE_CHECKERS = [
    case for case in SEQUENCE_LAYERS if getattr(case[0](**case[1]), "input_spec", None)
]


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SHAPE_CHECKERS, ids=named(SHAPE_CHECKERS)
)
@pytest.mark.parametrize("shape", [(3, 4), (3, 5, 4, 1)])
def test_a_wrong_rank_is_refused(
    layer_class: type[keras.Layer],
    arguments: dict[str, Any],
    time: int | None,
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(ValueError, match=f"expected ndim=3, found ndim={len(shape)}"):
        layer_class(**arguments)(np.ones(shape, "float32"))


MASK_TAKERS = [
    case
    for case in SEQUENCE_LAYERS
    if "mask" in case[0](**case[1])._call_signature.parameters
]


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), MASK_TAKERS, ids=named(MASK_TAKERS)
)
@pytest.mark.parametrize("shape", [(3, 4), (3, 6), (3,), (3, 5, 4)])
def test_a_mask_of_the_wrong_shape_is_refused(
    layer_class: type[keras.Layer],
    arguments: dict[str, Any],
    time: int | None,
    shape: tuple[int, ...],
) -> None:
    options = {"training": True} if layer_class is RunningCenter else {}
    checked = layer_class in (RunningCenter, SparsityPenalty)  # the others: Keras
    message = re.escape("Expected `mask` of shape (3, 5)") if checked else r"\w"
    with pytest.raises(Exception, match=message):
        layer_class(**arguments)(steps(), mask=np.ones(shape, "bool"), **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AttentionPooling(0), "units > 0. Received: units=0"),
        (lambda: AttentionPooling(units=-1), "Received: units=-1"),
        (lambda: Adapter(units=0), "positive integer. Received: units=0"),
        (lambda: SkipSteps(0), "Received: num_steps=0"),
        (lambda: PositionEmbedding("8"), "Received: max_length='8'"),
        (lambda: EncoderBlock(0, 8), "num_heads=0"),
        (lambda: EncoderBlock(2, 0), "Received: units=0"),
        (lambda: EncoderBlock(2, 8, rate=1.5), "rate=1.5"),
        (lambda: EncoderBlock(5, 8).build((None, 5, 4)), "key_dim=0"),
        (lambda: StepDropout(-0.1), "0 <= rate < 1. Received: rate=-0.1"),
        (lambda: StepDropout(1.0), "Received: rate=1.0"),
        (lambda: StepDropout(float("nan")), "Received: rate=nan"),
        (lambda: RunningCenter(1.5), "Received: momentum=1.5"),
        (lambda: SparsityPenalty(-1.0), "Received: weight=-1.0"),
        (lambda: SparsityPenalty(float("nan")), "Received: weight=nan"),
        (lambda: SparsityPenalty(float("inf")), "Received: weight=inf"),
        (lambda: LocalResponseNormalization(0), "Received: depth_radius=0"),
        (lambda: LocalResponseNormalization(bias=0.0), "Received: bias=0.0"),
        (lambda: PositionEmbedding(4)(steps()), "at most `max_length`, 4, steps"),
        (lambda: PositionEmbedding(4)(keras.Input((5, 4))), "shape \\(None, 5, 4\\)"),
    ],
)
def test_a_bad_argument_is_named_with_what_was_received(
    make: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("value", [1, np.int64(1)])
def test_sizes_and_fractions_may_come_from_numpy(value: Any) -> None:
    assert type(check_integer("units", value)) is int
    assert check_fraction("rate", np.float32(0.5)) == 0.5
    assert check_fraction("rate", 0) == 0.0


@pytest.mark.parametrize(
    ("layer_class", "arguments", "time"), SEQUENCE_LAYERS, ids=named(SEQUENCE_LAYERS)
)
@pytest.mark.parametrize("training", [False, True])
def test_integers_are_computed_as_the_floats_that_they_are(
    layer_class: type[keras.Layer],
    arguments: dict[str, Any],
    time: int | None,
    training: bool,
) -> None:
    x = np.arange(60, dtype="int32").reshape(3, 5, 4)
    keras.utils.set_random_seed(0)
    expected = layer_class(**arguments)(x.astype("float32"), training=training)
    keras.utils.set_random_seed(0)
    found = layer_class(**arguments)(x, training=training)

    assert_allclose(found, expected, rtol=1e-5)
    returns_its_input = layer_class in (SkipSteps, SparsityPenalty)
    dtype = keras.backend.standardize_dtype(found.dtype)
    assert dtype == (x.dtype if returns_its_input else "float32")


# The numbers of each layer


def test_a_gain_multiplies_each_feature_and_passes_a_mask_on() -> None:
    layer = with_random_weights(Gain(), (None, 5, 4))
    masked = keras.layers.Masking()(steps())

    assert_allclose(layer(steps()), steps() * layer.get_weights()[0], atol=1e-6)
    assert np.array(layer(masked)._keras_mask).all()


def test_a_gain_starts_where_it_is_told() -> None:
    assert_array_equal(Gain(initial=3.0)(np.ones((1, 2))), [[3.0, 3.0]])


@pytest.mark.parametrize("mask_type", [bool, int, float])
def test_a_masked_mean_leaves_padding_out(mask_type: type) -> None:
    mask = np.arange(5) < np.array([[5], [1], [0]])

    assert_allclose(
        masked_mean(steps(), mask.astype(mask_type)), steps()[mask].mean(axis=0), 1e-5
    )
    assert_allclose(
        masked_mean(steps()), steps().reshape(-1, 4).mean(axis=0), atol=1e-6
    )
    assert_array_equal(masked_mean(steps(), np.zeros((3, 5))), np.zeros(4))


def test_a_masked_mean_of_float16_does_not_overflow() -> None:
    values = tf.fill((100, 100, 1), tf.constant(1000.0, "float16"))

    assert_allclose(masked_mean(values, np.ones((100, 100))), [1000.0])


def test_the_center_moves_in_training_alone_towards_the_mean_without_padding() -> None:
    layer, expected = RunningCenter(momentum=0.9), np.zeros(4)
    mask = np.arange(5) < np.array([[5], [2], [0]])
    for scale in (1.0, 2.0, 3.0):
        outputs = layer(scale * steps(), mask=mask, training=True)
        expected = 0.9 * expected + 0.1 * scale * steps()[mask].mean(axis=0)
        assert_allclose(outputs, scale * steps() - expected, atol=1e-5)
    layer(steps() + 50.0)

    assert_allclose(layer.mean, expected, atol=1e-6)
    assert [weight.name for weight in layer.non_trainable_weights] == ["mean"]
    assert layer.trainable_weights == []


def test_a_batch_that_is_all_padding_leaves_the_center_where_it_is() -> None:
    layer = RunningCenter(momentum=0.0)
    layer(steps(), training=True)
    before = layer.mean.numpy()

    layer(steps() + 9.0, mask=np.zeros((3, 5), "bool"), training=True)

    assert_array_equal(layer.mean, before)


# Keras warns of it in `fit`; the layer has state, and no weights that learn.
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
def test_fit_moves_the_center_and_evaluate_does_not() -> None:
    model = keras.Sequential([keras.Input((4,)), RunningCenter(momentum=0.0)])
    model.compile("sgd", "mse", run_eagerly=True)
    x = steps()[:, 0]
    model.evaluate(x, x, verbose=0)
    assert not model.layers[0].mean.numpy().any()

    model.fit(x, x, verbose=0)

    assert_allclose(model.layers[0].mean, x.mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("mask", [None, np.ones((0, 5), "bool")])
def test_an_empty_batch_moves_no_mean(mask: np.ndarray | None) -> None:
    layer = RunningCenter(momentum=0.5)
    layer(np.full((2, 5, 1), 8.0), training=True)

    assert layer(np.zeros((0, 5, 1)), mask=mask, training=True).shape == (0, 5, 1)
    assert np.array(layer.mean).tolist() == [4.0]


@pytest.mark.parametrize(
    ("dtype", "kept_in"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("mixed_float16", "float32"),
        # JAX has no float64 by default.
        pytest.param("float64", "float64", marks=pytest.mark.tensorflow),
    ],
)
def test_a_running_center_keeps_its_mean_in_float32_at_least(
    dtype: str, kept_in: str
) -> None:
    layer = RunningCenter(momentum=0.999, dtype=dtype)
    layer.build((None, 1))
    layer.mean.assign([1.0])
    for _ in range(200):
        layer(np.full((4, 1), 2.0), training=True)

    assert layer.mean.dtype == kept_in
    assert float(layer.mean[0]) == pytest.approx(2.0 - 0.999**200, rel=1e-4)


def test_a_quarter_of_the_steps_is_dropped_whole_and_the_rest_scaled_up() -> None:
    layer = StepDropout(rate=0.25, seed=0)
    outputs = np.array(layer(np.ones((200, 50, 3), "float32"), training=True))
    first = outputs[..., 0]

    assert set(np.unique(outputs)) == {np.float32(0.0), np.float32(1 / 0.75)}
    assert_array_equal(outputs, np.repeat(first[..., None], 3, axis=-1))
    assert np.mean(first == 0) == pytest.approx(0.25, abs=0.02)


def test_dropout_draws_anew_at_each_call_and_the_same_from_the_same_seed() -> None:
    one, two = (StepDropout(rate=0.5, seed=7) for _ in range(2))
    ones = np.ones((4, 50, 1), "float32")
    calls = [np.array(layer(ones, training=True)) for layer in (one, one, two, two)]

    assert not np.array_equal(calls[0], calls[1])
    assert_array_equal(calls[:2], calls[2:])


def test_dropout_of_nothing_and_dropout_in_inference_return_the_inputs() -> None:
    assert_array_equal(StepDropout(0.9)(steps()), steps())
    assert_array_equal(StepDropout(0.0)(steps(), training=True), steps())


@pytest.mark.parametrize("num_steps", [1, 4, 5, 9])
def test_steps_are_skipped_in_the_sequence_and_in_its_mask(num_steps: int) -> None:
    x = steps()
    x[:, 3:] = -1.0
    masked = keras.layers.Masking(mask_value=-1.0)(x)
    outputs = SkipSteps(num_steps)(masked)

    assert_array_equal(outputs, np.array(masked)[:, num_steps:])
    assert_array_equal(
        outputs._keras_mask, [[True, True, True, False, False][num_steps:]] * 3
    )
    assert SkipSteps(num_steps).compute_mask(x) is None


@pytest.mark.tensorflow  # the layer has no metric on JAX
def test_a_penalty_is_a_loss_and_a_metric_and_padding_has_no_part_in_it() -> None:
    layer = SparsityPenalty(weight=0.5)
    mask = np.arange(5) < np.array([[5], [2], [0]])
    expected = np.abs(steps()[mask]).mean()

    assert_array_equal(layer(steps(), mask=mask), steps())
    assert float(layer.losses[0]) == pytest.approx(0.5 * expected, rel=1e-5)
    assert float(layer.activity.result()) == pytest.approx(expected, rel=1e-5)


# Keras warns of it in `fit`; the layer has state, and no weights that learn.
@pytest.mark.filterwarnings("ignore:The model does not have any trainable")
@pytest.mark.tensorflow  # the layer has no metric on JAX
def test_fit_adds_the_penalty_to_the_loss_and_reports_the_metric() -> None:
    model = keras.Sequential([keras.Input((5, 4)), SparsityPenalty(weight=0.5)])
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(steps(), steps(), verbose=0).history

    assert history["activity"][0] == pytest.approx(np.abs(steps()).mean(), rel=1e-5)
    assert history["loss"][0] == pytest.approx(0.5 * history["activity"][0], rel=1e-5)


def test_a_penalty_may_weigh_nothing_and_weighs_a_hundredth_by_default() -> None:
    losses = []
    for layer in (SparsityPenalty(weight=0.0), SparsityPenalty()):
        layer(np.full((1, 2), -4.0))
        losses.append(float(layer.losses[0]))

    assert losses == [0.0, pytest.approx(0.04)]


@pytest.mark.tensorflow  # the layer has no metric on JAX
def test_the_metric_is_the_mean_over_the_steps_of_all_batches() -> None:
    layer = SparsityPenalty(weight=0.5)
    for batch in (steps(3), steps(1) + 9.0, steps(0)):
        layer(batch)
    expected = np.abs(np.concatenate([steps(3), steps(1) + 9.0])).mean()

    assert float(layer.activity.result()) == pytest.approx(expected, rel=1e-5)
    assert float(layer.losses[0]) == 0.0


@pytest.mark.tensorflow  # the layer has no metric on JAX
def test_a_batch_of_padding_alone_moves_no_metric_and_adds_no_loss() -> None:
    layer = SparsityPenalty(weight=0.5)
    layer(steps())
    before = float(layer.activity.result())
    layer(steps() + 9.0, mask=np.zeros((3, 5), "bool"))

    assert float(layer.activity.result()) == before
    assert float(layer.losses[0]) == 0.0


@pytest.mark.tensorflow  # JAX keeps no losses after a step
@pytest.mark.parametrize("dtype", ["mixed_float16", "bfloat16", "float64"])
def test_a_penalty_can_be_added_to_the_loss_in_any_precision(dtype: str) -> None:
    layer = SparsityPenalty(weight=0.5, dtype=dtype)
    head = [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((5, 4)), layer, *head])
    model.compile("sgd", "mse", run_eagerly=True)
    y = np.array(model(steps()))
    history = model.test_on_batch(steps(), y, return_dict=True)

    penalty = 0.5 * np.abs(steps()).mean()
    assert layer.losses[0].dtype == "float32"
    assert history["loss"] == pytest.approx(penalty, rel=1e-2)


def test_on_jax_a_penalty_has_a_loss_and_no_metric(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    layer = SparsityPenalty(weight=0.5)
    layer(steps())

    assert layer.activity is None
    assert float(layer.losses[0]) == pytest.approx(0.5 * np.abs(steps()).mean())


@pytest.mark.parametrize("time", [1, 5, 7])
def test_a_step_gets_the_vector_of_its_place(time: int) -> None:
    layer = with_random_weights(PositionEmbedding(max_length=7), (None, None, 4))

    assert_allclose(
        layer(steps(time=time)),
        steps(time=time) + layer.get_weights()[0][:time],
        atol=1e-6,
    )


@pytest.mark.parametrize("radius", [1, 2, 9])
def test_local_response_normalization_is_alexnets(radius: int) -> None:
    arguments = {**NORMALIZATION, "depth_radius": radius}
    x = steps(2, 9, 6).reshape(2, 3, 3, 6)
    expected = np.empty_like(x)
    for channel in range(6):
        near = x[..., max(0, channel - radius) : channel + radius + 1]
        energy = 2.0 + 0.1 * np.square(near).sum(axis=-1)
        expected[..., channel] = x[..., channel] / energy**0.7

    found = LocalResponseNormalization(**arguments)(x)

    assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_local_response_normalization_knows_every_dtype(dtype: str) -> None:
    x = np.arange(72).reshape(2, 3, 3, 4)
    expected = LocalResponseNormalization(**NORMALIZATION)(x.astype("float32"))

    found = LocalResponseNormalization(**NORMALIZATION, dtype=dtype)(x)

    assert found.dtype == dtype
    assert_allclose(tf.cast(found, "float32"), expected, rtol=1e-2)


def test_local_response_normalization_has_the_defaults_of_tensorflow() -> None:
    x = steps(1, 1, 13).reshape(1, 1, 1, 13)

    assert_array_equal(
        LocalResponseNormalization()(x), tf.nn.local_response_normalization(x)
    )


def test_local_response_normalization_wants_images() -> None:
    with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
        LocalResponseNormalization()(steps())


# Attention


def pooled_by_numpy(
    layer: keras.Layer, x: np.ndarray, mask: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Additive attention pooling, one row at a time, on the steps that are valid."""
    kernel, bias, query = layer.get_weights()
    weights = np.zeros(x.shape[:2])
    for row, sequence in enumerate(x):
        valid = np.ones(x.shape[1], "bool") if mask is None else mask[row]
        if valid.any():
            scores = np.tanh(sequence[valid] @ kernel + bias) @ query
            weights[row, valid] = softmax(scores[:, 0])
    return np.einsum("bt,btf->bf", weights, x), weights


MASK = np.arange(5) < np.array([[5], [2], [0]])


def test_additive_attention_is_the_formula() -> None:
    for layer_class in (UnmaskedAttentionPooling, AttentionPooling):
        layer = with_random_weights(layer_class(units=3), (None, 5, 4))
        expected, expected_weights = pooled_by_numpy(layer, steps())
        pooled, weights = layer(steps(), return_attention_scores=True)

        assert_allclose(weights, expected_weights, atol=1e-5)
        assert_allclose(pooled, expected, atol=1e-5)
        assert_array_equal(layer(steps()), pooled)


def test_masked_attention_is_the_formula_on_the_valid_steps_and_zero_elsewhere() -> (
    None
):
    layer = with_random_weights(AttentionPooling(units=3), (None, 5, 4))
    expected, expected_weights = pooled_by_numpy(layer, steps(), MASK)
    pooled, weights = layer(steps(), mask=MASK, return_attention_scores=True)

    assert_allclose(weights, expected_weights, atol=1e-5)
    assert_allclose(pooled, expected, atol=1e-5)
    assert not convert_to_numpy(weights)[~MASK].any()
    assert not convert_to_numpy(pooled)[2].any()


def test_attention_pooling_ends_the_mask_and_the_unmasked_one_warns() -> None:
    x = steps()
    x[:, 3:] = -1.0
    masked = keras.layers.Masking(mask_value=-1.0)(x)

    assert not hasattr(AttentionPooling(3)(masked), "_keras_mask")
    with pytest.warns(UserWarning, match="does not support masking and will therefore"):
        _, weights = UnmaskedAttentionPooling(3)(masked, return_attention_scores=True)
    assert convert_to_numpy(weights)[:, 3:].min() > 0


def test_the_declared_shapes_of_attention_are_those_that_come_out() -> None:
    tensor = keras.Input((None, 4))
    declared = AttentionPooling(3)(tensor, return_attention_scores=True)

    assert [x.shape for x in declared] == [(None, 4), (None, None)]
    mixed = AttentionPooling(3, dtype="mixed_float16")
    assert {x.dtype for x in mixed(tensor, return_attention_scores=True)} == {"float16"}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_masked_softmax_is_the_softmax_of_the_valid_scores(dtype: str) -> None:
    scores = tf.constant(20 * steps()[..., 0], dtype)
    found = masked_softmax(scores, MASK)
    exact = np.array(tf.cast(scores, "float64"))

    assert found.dtype == dtype
    weights = np.array(tf.cast(found, "float64"))
    tolerance = {"float16": 2e-3, "bfloat16": 2e-2}.get(dtype, 1e-6)
    assert_allclose(weights[0], softmax(exact[0]), atol=tolerance)
    assert_allclose(weights[1, :2], softmax(exact[1, :2]), atol=tolerance)
    assert not weights[~MASK].any()
    # Not of one row: how a batch is rounded depends on its size.
    assert_allclose(masked_softmax(scores), tf.nn.softmax(scores))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_masked_softmax_has_finite_gradients_even_where_all_is_padding(
    dtype: str,
) -> None:
    scores = tf.Variable(steps()[..., 0], dtype=dtype)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(masked_softmax(scores, MASK) * tf.range(5.0, dtype=dtype))
    gradient = tape.gradient(total, scores).numpy()

    assert np.isfinite(gradient).all()
    assert gradient[0].any()
    assert not gradient[~MASK].any()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_padding_weighs_nothing_beside_scores_that_are_very_low(dtype: str) -> None:
    scores = tf.constant([[-1000.0, -1001.0, 0.0]], dtype)
    weights = masked_softmax(scores, np.array([[1, 1, 0]]))

    assert_allclose(weights, [[0.7311, 0.2689, 0.0]], atol=1e-3)


@pytest.mark.parametrize("mask", [None, np.array([[1, 1, 0]])])
def test_masked_softmax_of_integers_is_that_of_floats(mask: np.ndarray | None) -> None:
    scores = np.array([[1, 2, 3]])
    found = masked_softmax(scores, mask)

    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    assert_allclose(found, masked_softmax(scores * 1.0, mask), rtol=1e-6)


def test_padding_weighs_nothing_beside_scores_below_minus_a_billion() -> None:
    scores = np.array([[-3e9, -4e9, 0.0]], "float32")

    assert_array_equal(masked_softmax(scores, np.array([[1, 1, 0]])), [[1.0, 0.0, 0.0]])


def test_nan_in_the_padding_stays_there() -> None:
    x = np.where(MASK[..., None], steps(), np.nan).astype("float32")
    layer = with_random_weights(AttentionPooling(3), (None, 5, 4))
    expected, _ = pooled_by_numpy(layer, steps(), MASK)
    with tf.GradientTape() as tape:
        pooled = layer(x, mask=MASK)
        total = tf.reduce_sum(pooled)

    assert_allclose(pooled, expected, atol=1e-5)
    for gradient in tape.gradient(total, layer.trainable_variables):
        assert np.isfinite(gradient).all()
    assert_allclose(masked_mean(x, MASK), steps()[MASK].mean(axis=0), 1e-5)


@pytest.mark.parametrize("mask", [None, MASK])
def test_steps_are_counted_without_those_that_are_padding(
    mask: np.ndarray | None,
) -> None:
    assert float(count_steps(steps(), mask)) == (15 if mask is None else MASK.sum())
    assert float(count_steps(steps(0))) == 0.0
    assert float(count_steps(steps(), 2 * MASK)) == MASK.sum()


@pytest.mark.tensorflow  # JAX has no float64 by default
def test_a_masked_mean_of_nothing_is_zero_and_one_of_float64_is_exact() -> None:
    large = np.array([[1e9 + 1.0], [1e9 + 2.0]])

    assert np.array(masked_mean(steps(0))).tolist() == [0.0] * 4
    assert np.array(masked_mean(large)).tolist() == [1e9 + 1.5]
    assert masked_mean(steps().astype("float16")).dtype == "float32"


def test_dot_product_attention_takes_integers() -> None:
    query, key, value = (np.arange(12).reshape(1, 3, 4) % n for n in (3, 4, 5))
    found, _ = scaled_dot_product_attention(query, key, value)
    expected, _ = scaled_dot_product_attention(query / 1.0, key / 1.0, value / 1.0)

    assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("mask", [None, MASK])
def test_scaled_dot_product_attention_is_the_formula(mask: np.ndarray | None) -> None:
    query, key, value = steps(3, 2, 9), steps(3, 5, 9), steps(3, 5, 6)
    scores = query @ key.transpose(0, 2, 1) / 3.0
    if mask is not None:
        scores = np.where(mask[:, None, :], scores, -np.inf)
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(softmax(scores))

    outputs, weights = scaled_dot_product_attention(query, key, value, mask)

    assert_allclose(weights, expected, atol=1e-5)
    assert_allclose(outputs, expected @ value, atol=1e-5)


def test_keras_computes_the_same_dot_product_attention() -> None:
    query, key, value = steps(3, 2, 4), steps(3, 5, 4), steps(3, 5, 6)
    outputs, _ = scaled_dot_product_attention(query, key, value, MASK[:1].repeat(3, 0))
    by_layer = keras.layers.Attention()([query / 2.0, value, key])
    by_op = keras.ops.dot_product_attention(
        *(tensor[:, :, None] for tensor in (query, key, steps(3, 5, 4)))
    )

    assert_allclose(outputs, by_layer, atol=1e-5)
    assert_allclose(
        scaled_dot_product_attention(query, key, steps(3, 5, 4))[0],
        by_op[:, :, 0],
        atol=1e-5,
    )


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 4), (2, 5, 4), (2, 5, 4)],
        [(2, 3, 4), (2, 5, 3), (2, 5, 4)],
        [(2, 3, 4), (2, 5, 4), (2, 6, 4)],
    ],
)
def test_tensors_that_do_not_fit_dot_product_attention_are_refused(
    shapes: list[tuple[int, ...]],
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"Received: shapes {shapes}")):
        scaled_dot_product_attention(*map(np.zeros, shapes))


def test_dot_product_attention_refuses_a_mask_of_the_targets() -> None:
    tensors = [steps(3, 2), steps(), steps()]
    with pytest.raises(ValueError, match=re.escape("Expected `mask` of shape (3, 5)")):
        scaled_dot_product_attention(*tensors, mask=np.ones((3, 2)))


def test_a_mask_may_have_sizes_that_are_not_known() -> None:
    check_mask(None, (None, 5))
    check_mask(keras.Input((None,)), (3, 5))
    with pytest.raises(ValueError, match=re.escape("shape (None, 5), one value for")):
        check_mask(np.ones((3, 4)), (None, 5))


@pytest.mark.parametrize("mask", [None, MASK[:2]])
def test_an_encoder_block_is_attention_and_two_layers_with_residuals(
    mask: np.ndarray | None,
) -> None:
    block = with_random_weights(EncoderBlock(2, 3), (None, 5, 4))
    x = steps(2)
    q, qb, k, kb, v, vb, o, ob = block.attention.get_weights()

    def normalize(values: np.ndarray, norm: Any) -> np.ndarray:
        scale, offset = norm.get_weights()
        deviation = np.sqrt(values.var(axis=-1, keepdims=True) + 1e-3)
        return (values - values.mean(axis=-1, keepdims=True)) / deviation * scale + (
            offset
        )

    mixed = np.zeros_like(x)
    for head in range(2):
        query, key, value = (
            x @ w[:, head] + b[head] for w, b in ((q, qb), (k, kb), (v, vb))
        )
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(2)
        if mask is not None:
            scores = np.where(mask[:, None, :], scores, -1e9)
        mixed += softmax(scores) @ value @ o[head]
    hidden = normalize(x + mixed + ob, block.norms[0])
    (w1, b1), (w2, b2) = block.expand.get_weights(), block.contract.get_weights()
    expected = normalize(
        hidden + np.maximum(hidden @ w1 + b1, 0) @ w2 + b2, block.norms[1]
    )

    assert_allclose(block(x, mask=mask), expected, atol=1e-4)


def test_a_block_has_the_weights_of_its_five_layers_alone() -> None:
    block = EncoderBlock(2, 3)
    block.build((None, 5, 4))

    assert len(block.weights) == 8 + 2 + 2 + 2 * 2


def test_the_layers_inside_a_block_have_its_precision() -> None:
    block = EncoderBlock(2, 3, dtype="mixed_float16")
    block.build((None, 5, 4))

    assert {layer.compute_dtype for layer in block._layers} == {"float16"}


def test_a_block_drops_in_training_alone() -> None:
    block = EncoderBlock(2, 3, rate=0.5)
    first, second, training = (
        convert_to_numpy(block(steps(), training=is_training))
        for is_training in (False, False, True)
    )

    assert_array_equal(first, second)
    assert not np.allclose(training, first)


def test_a_block_drops_what_both_halves_add() -> None:
    block = EncoderBlock(2, 3, rate=0.5)
    block.build((None, 5, 4))
    seen: list[bool] = []

    def spy(x: Any, training: bool | None = None) -> Any:
        seen.append(bool(training))
        return x

    block.dropout.call = spy
    block(steps(), training=True)
    block(steps())

    assert seen == [True, True, False, False]


# Models


def test_attention_by_step_sums_to_one_on_the_steps_that_are_no_padding() -> None:
    model = attention_classifier(AttentionPooling(units=3), num_features=4)
    x = steps()
    x[0, 3:] = -1.0
    x[2] = -1.0
    weights = attention_by_step(model, x)

    assert_allclose(weights.sum(axis=1), [1.0, 1.0, 0.0], atol=1e-6)
    assert not weights[0, 3:].any()
    assert (weights[0, :3] > 0).all()
    assert weights.dtype == "float32"


def test_the_attention_classifier_is_sized_as_its_arguments_say() -> None:
    model = attention_classifier(AttentionPooling(units=4))
    shapes = [tuple(weight.shape) for weight in model.weights]

    assert shapes[:3] == [(8, 32), (32,), (12, 32)]
    assert shapes[-2:] == [(32, 10), (10,)]
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_padding_changes_no_prediction_of_the_mended_layer() -> None:
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).random((6, 8, 8)).astype("float32")
    padded = np.pad(x, ((0, 0), (0, 4), (0, 0)), constant_values=-1.0)
    mended = attention_classifier(AttentionPooling(units=3))
    expected = convert_to_numpy(mended(x))
    with pytest.warns(UserWarning, match="does not support masking"):
        classic = attention_classifier(UnmaskedAttentionPooling(units=3))
    classic.set_weights(mended.get_weights())
    with pytest.warns(UserWarning, match="does not support masking"):
        same, moved = (convert_to_numpy(classic(each)) for each in (x, padded))

    assert_allclose(mended(padded), expected, atol=1e-6)
    assert_allclose(same, expected, atol=1e-6)
    assert np.abs(moved - expected).max() > 1e-3


def test_a_model_with_another_encoder_reads_sequences_too() -> None:
    encoder = keras.layers.GRU(5, return_sequences=True)
    model = attention_classifier(AttentionPooling(3), encoder, num_classes=7)

    assert encoder in model.layers
    assert model(np.zeros((2, 5, 8))).shape == (2, 7)
    assert attention_by_step(model, np.zeros((2, 5, 8))).shape == (2, 5)


def test_a_model_without_attention_weights_is_refused() -> None:
    without = keras.Sequential([keras.Input((5, 4)), AttentionPooling(3)])
    with pytest.raises(ValueError, match=r"layers \['AttentionPooling'\]"):
        attention_by_step(without, steps())


def test_an_adapter_adds_two_small_layers_to_its_input() -> None:
    layer = with_random_weights(Adapter(units=3), (None, 5, 4))
    kernel, bias, wide, offset = layer.get_weights()
    hidden = np.maximum(steps() @ kernel + bias, 0.0)

    assert_allclose(layer(steps()), steps() + hidden @ wide + offset, atol=1e-5)
    assert {part.compute_dtype for part in layer._layers} == {"float32"}
    mixed = Adapter(units=3, dtype="mixed_float16")
    mixed.build((None, 5, 4))
    assert {part.compute_dtype for part in mixed._layers} == {"float16"}


@pytest.mark.parametrize(
    "dtype",
    [
        *("float32", "mixed_float16", "float16"),
        # JAX has no float64 by default.
        pytest.param("float64", marks=pytest.mark.tensorflow),
    ],
)
def test_a_center_moves_in_training_alone_and_in_small_steps(dtype: str) -> None:
    layer = Center(momentum=0.999, dtype=dtype)
    layer.build((None, 1))
    layer.mean.assign([1.0])
    for _ in range(100):
        layer(np.full((4, 1), 2.0), training=True)
        layer(np.full((4, 1), 9.0))

    assert float(layer.mean[0]) == pytest.approx(2.0 - 0.999**100, rel=1e-4)
    assert layer.mean.dtype == "float32"


def test_an_empty_batch_moves_no_center_and_integers_are_taken_as_floats() -> None:
    layer = Center(momentum=0.5)
    layer(np.full((2, 1), 7), training=True)
    layer(np.zeros((0, 1)), training=True)

    assert np.array(layer.mean).tolist() == [3.5]
    assert np.array(layer(np.array([[4]]))).tolist() == [[0.5]]
    layer(np.array([[5.5]]), training=True)
    assert np.array(layer.mean).tolist() == [4.5]
    assert layer.trainable_weights == []
    assert Center.from_config(layer.get_config()).momentum == 0.5


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 1, 0], [1, 0, 0], [True, False, False]),
        ([1, 1, 0], None, [True, True, False]),
        (None, [1, 0, 0], [True, False, False]),
        (None, None, None),
    ],
)
def test_a_step_of_a_sum_counts_if_it_counts_in_both(
    left: Any, right: Any, expected: list[bool] | None
) -> None:
    rows = [
        np.array(row or [1, 1, 1], "float32")[None, :, None] for row in (left, right)
    ]
    inputs = [
        x if row is None else keras.layers.Masking()(x)
        for row, x in zip((left, right), rows, strict=True)
    ]
    outputs = AddBoth()(inputs)
    mask = getattr(outputs, "_keras_mask", None)

    assert_array_equal(outputs, rows[0] + rows[1])
    assert (None if mask is None else np.array(mask)[0].tolist()) == expected


@pytest.mark.parametrize("padding", [0.0, np.nan])
def test_a_mean_of_steps_leaves_the_padding_out(padding: float) -> None:
    x = np.where(MASK[..., None], steps(), padding).astype("float32")
    rows = zip(steps(), MASK, strict=True)
    expected = [
        row[mask].mean(axis=0) if mask.any() else row[0] * 0 for row, mask in rows
    ]

    assert_allclose(MeanOfSteps()(x, mask=MASK), expected, atol=1e-6)
    for whole in (steps(), steps()[..., :1]):
        assert_allclose(MeanOfSteps()(whole), whole.mean(axis=1), atol=1e-6)


def test_a_mean_of_float16_does_not_overflow_and_ends_the_mask() -> None:
    x = np.full((1, 100, 2), 1000.0, "float16")
    layer = MeanOfSteps(dtype="mixed_float16")
    pooled = layer(keras.layers.Masking(dtype="mixed_float16")(x))

    assert keras.backend.standardize_dtype(pooled.dtype) == "float16"
    assert np.array(pooled).tolist() == [[1000.0, 1000.0]]
    assert getattr(pooled, "_keras_mask", None) is None
    assert tuple(layer(np.zeros((0, 5, 2))).shape) == (0, 2)


def test_a_function_for_a_lambda_is_saved_by_its_name() -> None:
    model = keras.Sequential([keras.Input((None, 4)), keras.layers.Lambda(rms)])
    copy = keras.models.model_from_json(model.to_json())

    expected = np.sqrt(np.square(steps()).mean(axis=-1, keepdims=True))
    assert_allclose(copy(steps()), expected, atol=1e-6)


# What goes wrong, as the page shows it


@pytest.mark.tensorflow  # other backends may read the weight in another dtype
def test_a_rounded_center_does_not_move_in_mixed_precision() -> None:
    means = {}
    for policy in ("float32", "mixed_float16"):
        layer = RoundedCenter(momentum=0.999, dtype=policy)
        layer.build((None, 1))
        layer.mean.assign([1.0])
        for _ in range(100):
            layer(np.full((4, 1), 1.2), training=True)
        means[policy] = float(layer.mean[0])

    assert means["float32"] > 1.01
    assert abs(means["mixed_float16"] - 1.0) < 0.0005


@pytest.mark.tensorflow  # one of the two is a layer of Keras 2
def test_attention_for_keras_2_and_its_successor_compute_the_same() -> None:
    old, new = OldPool(), NewPool()
    expected = np.array(old(steps()))
    new.build((None, 5, 4))
    new.set_weights(old.get_weights())

    assert_allclose(new(steps()), expected, atol=1e-6)


@pytest.mark.tensorflow  # its module has a layer of Keras 2 too
@pytest.mark.parametrize("policy", ["float32", "float64", "mixed_float16"])
def test_the_attention_for_keras_3_leaves_out_padding(policy: str) -> None:
    layer = NewPool(dtype=policy)
    expected = np.array(layer(steps()))
    padded = np.pad(steps(), [(0, 0), (0, 2), (0, 0)], constant_values=9.0)
    mask = np.array([[True] * 5 + [False] * 2] * 3)
    pooled = layer(padded, mask=mask)

    assert pooled.dtype == layer.compute_dtype
    assert_allclose(pooled, expected, atol=1e-2 if "16" in policy else 1e-6)
    assert not np.allclose(layer(padded), expected, atol=0.1)


@pytest.mark.tensorflow  # its module has a layer of Keras 2 too
def test_the_attention_for_keras_3_takes_a_mask_and_ends_it() -> None:
    padded = np.pad(steps(), [(0, 0), (0, 2), (0, 0)])
    layer = NewPool()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # about a mask that is destroyed
        pooled = layer(keras.layers.Masking()(padded))

    assert_allclose(pooled, layer(steps()), atol=1e-6)
    assert getattr(pooled, "_keras_mask", None) is None


@pytest.mark.tensorflow  # its module has a layer of Keras 2 too
@pytest.mark.parametrize("policy", ["float32", "float64", "mixed_float16"])
def test_the_attention_for_keras_3_returns_the_weights_of_the_steps(
    policy: str,
) -> None:
    padded = np.pad(steps(), [(0, 0), (0, 2), (0, 0)])
    mask = np.array([[True] * 5 + [False] * 2] * 3)
    layer = NewPool(dtype=policy)
    pooled, weights = layer(padded, mask=mask, return_attention_scores=True)

    assert weights.shape == (3, 7)
    assert (np.array(weights)[:, 5:] == 0.0).all()
    assert_allclose(np.sum(weights, axis=1), 1.0, atol=1e-2)
    assert_allclose(pooled, layer(padded, mask=mask))


@pytest.mark.tensorflow  # its module has a layer of Keras 2 too
def test_a_model_of_the_attention_for_keras_3_comes_back(tmp_path: Path) -> None:
    inputs = keras.Input((None, 4))
    masked = keras.layers.Masking()(inputs)
    model = keras.Model(inputs, NewPool()(masked, return_attention_scores=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")

    padded = np.pad(steps(), [(0, 0), (0, 2), (0, 0)])
    for found, expected in zip(loaded(padded), model(padded), strict=True):
        assert_allclose(found, expected)


def registered(**methods: Any) -> type[keras.Layer]:
    """A layer of the house under one name, with faulty methods."""
    body = {"call": lambda self, x: x, **methods}
    layer_class = type("Faulty", (keras.Layer,), body)
    return keras.saving.register_keras_serializable(package="tests")(layer_class)


FAULTS = {
    "a constant of float32 meets float16": (
        {"call": lambda self, x: x + tf.ones(3)},
        "InvalidArgumentError: cannot compute AddV2 as input #1",
    ),
    "NumPy is called on a symbol": (
        {"call": lambda self, x: np.tanh(x)},
        "NotImplementedError: Could not automatically infer the output shape",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_other_faults_are_named_too(fault: str) -> None:
    methods, problem = FAULTS[fault]

    found = layer_problem(registered(**methods), {}, (2, 3))

    assert found is not None
    assert found.startswith(problem)


@pytest.mark.parametrize("declared", [2, 4])
def test_a_shape_that_does_not_come_out_is_named(declared: int) -> None:
    false = registered(compute_output_shape=lambda self, shape: (shape[0], declared))

    found = layer_problem(false, {}, (2, 3))

    assert found == f"the shape (2, {declared}) is declared, not (2, 3)"


def test_what_the_suite_does_not_see_is_named() -> None:
    added = np.ones(3, "float32")
    widening = registered(call=lambda self, x: keras.ops.add(x, added))

    assert layer_problem(widening, {}, (2, 3)) == "mixed precision returns float32"
    assert layer_problem(ForgetfulGain, {"initial": 3.0}, (2, 3)) == (
        "`initial` was 3.0 and came back as 1.0"
    )


def test_state_outside_the_config_is_seen_in_the_outputs() -> None:
    class Growing(keras.Layer):
        made = 0

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            Growing.made += 1
            self._number = Growing.made

        def call(self, inputs: Any) -> Any:
            return inputs + self._number

    keras.saving.register_keras_serializable(package="tests")(Growing)

    assert reload_problem(Growing(), np.ones((1, 2))) == "the outputs differ"
    assert reload_problem(Gain(initial=2.0), np.ones((1, 2))) is None


def test_a_layer_that_cannot_be_made_again_is_named_with_the_cause() -> None:
    class Closed(keras.Layer):
        def __init__(self) -> None:
            super().__init__()

        def call(self, inputs: Any) -> Any:
            return inputs

    keras.saving.register_keras_serializable(package="tests")(Closed)
    cause = "__init__() got an unexpected keyword argument 'trainable'"
    found = reload_problem(Closed(), steps())

    assert found is not None
    assert found.startswith("TypeError: ")
    assert found.endswith(cause)
    assert layer_problem(Closed, {}, (2, 4)) is not None


def test_a_layer_that_cannot_be_saved_is_named_with_the_cause() -> None:
    class Unsaved(keras.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs

        def get_config(self) -> dict[str, Any]:
            raise NotImplementedError("An array has no config.")

    assert reload_problem(Unsaved(), steps()) == (
        "NotImplementedError: An array has no config."
    )


def test_the_last_cause_is_the_line_that_says_what_is_wrong() -> None:
    nested = "A.\n\nconfig={'a': 1}.\n\nException encountered: B.\n\n"
    nested += "Exception encountered: no 'x'. Full object config: {...}"

    assert last_cause(TypeError(nested)) == "no 'x'."
    assert last_cause(ValueError("plain\nsecond line")) == "plain"
    with pytest.raises(ValueError, match="Expected `mask`") as caught:
        SparsityPenalty()(steps(), mask=np.ones((3, 4)))
    assert last_cause(caught.value).startswith("Expected `mask` of shape (3, 5)")


def test_every_layer_of_the_module_is_tested() -> None:
    tested = {
        *(case[0] for case in SEQUENCE_LAYERS),
        *(LocalResponseNormalization, ForgetfulGain, Center),
        *(RoundedCenter, UnmaskedAttentionPooling),
    }
    layers = {
        value
        for value in (*vars(custom_layers).values(), *vars(mistakes).values())
        if isinstance(value, type) and issubclass(value, keras.Layer)
    }

    assert layers == tested

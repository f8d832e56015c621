"""The recipes around reused networks, against NumPy, Keras, and a blocked network."""

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras
from keras.ops import convert_to_numpy

from snippets.data import digit_images
from snippets.transfer_learning import (
    InferenceMode,
    LayerwiseAdam,
    changed_weights,
    classifier_on,
    every_layer,
    feature_network,
    few_per_class,
    freeze_batch_normalization,
    random_shifts,
    resnet50_classifier,
    select_classes,
    set_trainable,
    train_classifier,
    train_head_then_fine_tune,
    training,
    unfreeze_from,
    weight_values,
)
from snippets.transfer_learning.freezing import changed_in_base
from snippets.transfer_learning.training import check_examples
from tests.unit.comparing import assert_allclose, assert_array_equal

IMAGES = np.linspace(0.0, 1.0, 8 * 64, dtype="float32").reshape(8, 8, 8, 1)
LABELS = np.arange(8) % 2
NORMALIZATION = [
    f"norm_{block}/{name}"
    for block in (1, 2)
    for name in ("gamma", "beta", "moving_mean", "moving_variance")
]


def flags(model: keras.Model) -> list[bool]:
    """The `trainable` of a model and of everything in it."""
    return [part.trainable for part in every_layer(model)]


def what_training_changes(model: keras.Model) -> list[str]:
    """The weights that one epoch changes."""
    before = weight_values(model)
    images = IMAGES if len(model.input_shape) == 4 else IMAGES[:, 0, :, 0]
    train_classifier(model, images, LABELS, learning_rate=0.01, epochs=1)
    return changed_weights(before, weight_values(model))


def dense_base() -> keras.Model:
    """A base that is traced faster than one of convolutions."""
    pixels = keras.Input((8,))
    x = keras.layers.Dense(4, name="dense_1")(pixels)
    x = keras.layers.BatchNormalization(name="norm_1")(x)
    x = keras.layers.Dense(4, name="dense_2")(x)
    return keras.Model(pixels, keras.layers.BatchNormalization(name="norm_2")(x))


@cache
def image_classifier() -> keras.Model:
    """A classifier of two classes, for tests that leave it as it is."""
    return classifier_on(feature_network(), 2)


class Opaque(keras.Model):
    """A model that never knows its inputs."""

    def call(self, x: Any) -> Any:
        return x


# Data


@pytest.mark.parametrize("flag", [True, False])
def test_the_flag_of_a_weight_that_was_set_alone_is_set_too(flag: bool) -> None:
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    set_trainable(model, flag)
    model.layers[0].kernel.trainable = not flag

    set_trainable(model, flag)

    assert model.layers[0].kernel.trainable == flag


def test_selected_classes_are_numbered_in_the_order_they_are_named() -> None:
    features, labels = np.arange(6), np.array([5, 9, 5, 0, 7, 9])

    kept, numbers = select_classes(features, labels, classes=[9, 5])

    assert kept.tolist() == [0, 1, 2, 5]
    assert numbers.tolist() == [1, 0, 1, 0]
    assert numbers.dtype == "int64"


def test_selected_digits_keep_their_images() -> None:
    images, labels = digit_images()

    assert (
        select_classes(images, labels, classes=range(10))[1].tolist() == labels.tolist()
    )
    kept, numbers = select_classes(images, labels, classes=range(5, 10))

    assert_array_equal(kept, images[labels >= 5])
    assert_array_equal(numbers, labels[labels >= 5] - 5)


@pytest.mark.parametrize("classes", [[], [0, 0], [0, 3], [-1]])
def test_classes_must_be_there_each_once(classes: list[int]) -> None:
    with pytest.raises(ValueError, match=r"`classes` to name some of \[0, 1, 2\]"):
        select_classes(np.arange(3), np.array([0, 1, 2]), classes)


@pytest.mark.parametrize("labels", [np.zeros(2, int), np.zeros((3, 1), int)])
def test_selection_needs_one_label_for_each_example(labels: Any) -> None:
    with pytest.raises(ValueError, match="Expected one label for each example"):
        select_classes(np.arange(3), labels, [0])


def test_no_class_can_be_selected_of_no_data() -> None:
    with pytest.raises(ValueError, match=r"some of \[\]"):
        select_classes(np.zeros((0, 3)), np.zeros(0, int), [0])


def test_the_few_and_the_rest_are_all_examples_each_once() -> None:
    labels = np.array([1, 0, 1, 0, 1, 0, 0])
    features = np.arange(7) * 10

    x_few, y_few, x_rest, y_rest = few_per_class(features, labels, per_class=2)

    assert y_few.tolist() == [0, 0, 1, 1]
    assert sorted([*x_few, *x_rest]) == features.tolist()
    assert_array_equal(labels[x_few // 10], y_few)
    assert_array_equal(labels[x_rest // 10], y_rest)


def test_the_seed_decides_the_draw() -> None:
    images, labels = digit_images()
    one, same, other = (few_per_class(images, labels, 3, s)[0] for s in (1, 1, 2))

    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_five_of_each_class_are_drawn_with_the_seed_0_unless_told_otherwise() -> None:
    x, labels = np.arange(40), np.arange(40) % 2

    drawn, said = few_per_class(x, labels), few_per_class(x, labels, 5, seed=0)

    assert len(drawn[0]) == 10
    assert_array_equal(drawn[0], said[0])


@pytest.mark.parametrize("per_class", [0, -1, 2])
def test_each_class_keeps_an_example_to_test(per_class: int) -> None:
    with pytest.raises(ValueError, match="`per_class` from 1 to 1, since the rarest"):
        few_per_class(np.arange(5), np.array([0, 0, 1, 1, 1]), per_class)


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.zeros((0, 2)), np.zeros(0)),
        (np.zeros(3), np.zeros(2)),
        (np.zeros(3), np.zeros((3, 1))),
    ],
)
def test_a_draw_needs_examples_with_labels(features: Any, labels: Any) -> None:
    with pytest.raises(ValueError, match="Expected at least one example"):
        few_per_class(features, labels, 1)


def test_shifts_move_pixels_by_whole_image_parts_and_only_in_training() -> None:
    image = np.zeros((64, 8, 8, 1), "float32")
    image[:, 4, 4] = 1.0
    layers = random_shifts(2, size=8)

    moved = convert_to_numpy(layers(image, training=True))[..., 0]

    assert_array_equal(layers(image, training=False), image)
    rows, columns = np.indices((8, 8))
    for axis in (rows, columns):
        places = (moved * axis).sum(axis=(1, 2)) / moved.sum(axis=(1, 2))
        assert places.min() >= 2 - 1e-3
        assert places.max() <= 6 + 1e-3
        assert np.ptp(places) > 2  # of 64 moves from -2 to 2
    assert moved[:, :2].max() == 0.0


def test_no_pixel_of_shift_is_no_shift() -> None:
    assert_allclose(random_shifts(0, size=8)(IMAGES, training=True), IMAGES, atol=1e-6)


@pytest.mark.parametrize(("pixels", "size"), [(-1, 8), (9, 8), (0, 0)])
def test_a_shift_stays_within_the_image(pixels: int, size: int) -> None:
    with pytest.raises(ValueError, match="`pixels` from 0 to `size`"):
        random_shifts(pixels, size)


def test_an_image_of_one_pixel_may_be_shifted_out_of_itself() -> None:
    dot = np.ones((64, 1, 1, 1), "float32")
    shifted = keras.ops.convert_to_numpy(random_shifts(1, size=1)(dot, training=True))

    assert 0 < np.mean(shifted) < 1


# Networks


def test_the_features_come_of_two_convolutions_of_three_by_three_pixels() -> None:
    weights = feature_network((8, 8, 2)).weights

    kernels = [tuple(weight.shape) for weight in weights if weight.name == "kernel"]
    assert kernels == [(3, 3, 2, 16), (3, 3, 16, 32)]


@pytest.mark.parametrize("batch", [1, 5])
def test_the_features_are_the_means_of_the_last_maps(batch: int) -> None:
    base = feature_network((9, 7, 2))
    maps = keras.Model(base.input, base.get_layer("pool_2").output)
    images = np.random.default_rng(0).random((batch, 9, 7, 2), "float32")

    expected = np.mean(convert_to_numpy(maps(images)), axis=(1, 2))

    assert_allclose(base(images), expected, atol=1e-6)
    assert expected.shape == (batch, 32)
    assert base.name == "base"


@pytest.mark.parametrize("shape", [(8, 8), (3, 8, 1), (8, 3, 1), (2, 8, 8, 1)])
def test_features_need_images_of_4_by_4(shape: Any) -> None:
    with pytest.raises(ValueError, match="at least 4 x 4 pixels"):
        feature_network(shape)


def test_a_head_is_a_softmax_on_the_features() -> None:
    base = feature_network()
    model = classifier_on(base, num_classes=3)
    kernel, bias = model.get_layer("head").get_weights()

    powers = np.exp(convert_to_numpy(base(IMAGES)) @ kernel + bias)

    expected = powers / powers.sum(axis=-1, keepdims=True)
    assert_allclose(model(IMAGES), expected, atol=1e-6)
    assert model.get_layer("base") is base


def test_maps_of_channels_are_averaged_before_the_head() -> None:
    base = feature_network()
    maps = keras.Model(base.input, base.get_layer("pool_2").output)
    model, other = classifier_on(base, 3), classifier_on(maps, 3)
    other.get_layer("head").set_weights(model.get_layer("head").get_weights())

    assert_allclose(other(IMAGES), model(IMAGES), atol=1e-6)


def test_augmentation_stands_before_the_base_and_acts_in_training_alone() -> None:
    shifts = random_shifts(2, size=8)
    model = classifier_on(feature_network(), 3, before=shifts)
    plain = classifier_on(model.get_layer("base"), 3)
    plain.get_layer("head").set_weights(model.get_layer("head").get_weights())
    freeze_batch_normalization(model)

    assert [layer.name for layer in model.layers][1:3] == ["random_shifts", "base"]
    calm = convert_to_numpy(model(IMAGES, training=False))
    assert_allclose(model.predict(IMAGES, verbose=0), calm, atol=1e-6)
    assert_allclose(plain(IMAGES, training=False), calm, atol=1e-6)
    for restless in (model(IMAGES, training=True), model(IMAGES)):
        assert not np.allclose(convert_to_numpy(restless), calm, atol=1e-3)


def test_a_classifier_keeps_a_fixed_batch_size() -> None:
    tensor = keras.Input(batch_shape=(4, 3))
    base = keras.Model(tensor, keras.layers.Dense(2)(tensor))

    assert classifier_on(base, 2).input_shape == (4, 3)


@pytest.mark.parametrize("num_classes", [1, 0, -5])
@pytest.mark.parametrize(
    "build", [lambda n: classifier_on(feature_network(), n), resnet50_classifier]
)
def test_a_classifier_needs_two_classes(
    build: Callable[[int], keras.Model], num_classes: int
) -> None:
    with pytest.raises(ValueError, match="`num_classes` of at least 2"):
        build(num_classes)


def two_inputs() -> keras.Model:
    tensors = [keras.Input((2,)), keras.Input((2,))]
    return keras.Model(tensors, keras.layers.Add()(tensors))


def steps() -> keras.Model:
    tensor = keras.Input((4, 2))
    return keras.Model(tensor, keras.layers.Dense(3)(tensor))


@pytest.mark.parametrize(
    ("make", "ranks"),
    [
        (two_inputs, r"2 inputs and outputs of ranks \[2\]"),
        (steps, r"1 inputs and outputs of ranks \[3\]"),
        (Opaque, r"0 inputs and outputs of ranks \[\]"),
    ],
)
def test_a_head_needs_one_input_and_features(
    make: Callable[[], keras.Model], ranks: str
) -> None:
    with pytest.raises(ValueError, match=ranks):
        classifier_on(make(), 3)


# Inference mode


def quiet_classifier(base: keras.Model) -> keras.Model:
    """A classifier whose base runs in inference mode."""
    pixels = keras.Input(base.input_shape[1:])
    features = InferenceMode(base, name="quiet")(pixels)
    scores = keras.layers.Dense(2, activation="softmax", name="head")(features)
    return keras.Model(pixels, scores)


def test_in_inference_mode_weights_learn_and_statistics_stay() -> None:
    model = quiet_classifier(dense_base())

    changed = what_training_changes(model)

    assert set(changed) == {n for n in weight_values(model) if "moving" not in n}


@pytest.mark.parametrize("training", [None, False, True])
def test_inference_mode_is_the_layer_with_training_false(training: bool | None) -> None:
    layer = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
        ]
    )
    x = np.arange(12.0).reshape(3, 4)

    result = InferenceMode(layer)(x, training=training)

    assert_array_equal(result, layer(x, training=False))


def test_inference_mode_knows_its_output_shape() -> None:
    layer = InferenceMode(keras.layers.BatchNormalization())

    assert layer.compute_output_shape((None, 3)) == (None, 3)
    assert InferenceMode(feature_network())(keras.Input((8, 8, 1))).shape == (None, 32)


# ResNet50


def test_the_recipe_asks_keras_for_the_base_and_freezes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {}

    def small_base(**options: Any) -> keras.Model:
        asked.update(options)
        pixels = keras.Input((8, 8, 3))
        x = keras.layers.BatchNormalization()(keras.layers.Conv2D(6, 3)(pixels))
        x = keras.layers.GlobalAveragePooling2D()(x)
        return keras.Model(pixels, x, name="base")

    monkeypatch.setattr(keras.applications, "ResNet50", small_base)

    model = resnet50_classifier(2, (8, 8, 3), "file.h5")

    assert asked == {
        "include_top": False,
        "weights": "file.h5",
        "pooling": "avg",
        "input_shape": (8, 8, 3),
    }
    shapes = [tuple(weight.shape) for weight in model.trainable_weights]
    assert shapes == [(6, 1024), (1024,), (1024, 2), (2,)]
    scores = convert_to_numpy(model(np.ones((5, 8, 8, 3), "float32")))
    assert_allclose(scores.sum(axis=-1), np.ones(5), rtol=1e-5)


def test_the_recipe_takes_pixels_from_0_to_255(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def colors(**_: Any) -> keras.Model:
        pixels = keras.Input((8, 8, 3))
        return keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(pixels))

    monkeypatch.setattr(keras.applications, "ResNet50", colors)
    model = resnet50_classifier(2, (8, 8, 3), None)
    features = keras.Model(model.inputs[0], model.layers[-2].input)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("float32")

    expected = pixels.mean(axis=(1, 2))[:, ::-1] - [103.939, 116.779, 123.68]

    assert_allclose(features(pixels), expected, atol=1e-2)


def test_what_keras_refuses_stays_its_own_error() -> None:
    with pytest.raises(ValueError, match="Input size must be at least 32x32"):
        resnet50_classifier(5, image_shape=(8, 8, 3), weights=None)


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (Exception("URL fetch failure on https://a.b: None -- c"), ConnectionError),
        (TimeoutError("timed out"), ConnectionError),
        (ConnectionResetError("reset"), ConnectionError),
        (RuntimeError("out of memory"), RuntimeError),
    ],
)
def test_only_a_failed_download_becomes_an_error_that_says_what_to_do(
    error: Exception, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(keras.applications, "ResNet50", fail)
    with pytest.raises(raised, match=re.escape(str(error))) as caught:
        resnet50_classifier(5)

    assert (caught.value is error) is (raised is RuntimeError)
    if raised is ConnectionError:
        assert "start untrained with `weights=None`" in str(caught.value)


# Freezing


def nested() -> keras.Model:
    """A classifier on a base that holds a Sequential, a wrapper and plain layers."""
    part = keras.Sequential(
        [keras.Input((4, 3)), keras.layers.Dense(3), keras.layers.BatchNormalization()]
    )
    tensor = keras.Input((4, 3))
    spread = keras.layers.TimeDistributed(part)
    x = keras.layers.Reshape((1, 4, 3))(tensor)
    x = keras.layers.Flatten()(
        InferenceMode(part)(keras.layers.Reshape((4, 3))(spread(x)))
    )
    base = keras.Model(tensor, keras.layers.BatchNormalization()(x))
    return classifier_on(base, 2)


def test_every_layer_lists_what_models_and_wrappers_hold() -> None:
    inner = keras.Sequential([keras.layers.Dense(2, name="dense")], name="inner")
    outer = keras.Sequential([InferenceMode(inner, name="quiet")], name="outer")

    assert [part.name for part in every_layer(outer)] == [
        *("outer", "quiet", "inner", "dense")
    ]


@pytest.mark.parametrize("start", [True, False])
@pytest.mark.parametrize("flag", [True, False])
def test_one_call_sets_every_flag_whatever_stood_there(start: bool, flag: bool) -> None:
    model = nested()
    for position, part in enumerate(every_layer(model)):
        part.trainable = start if position % 2 else not start

    set_trainable(model, flag)

    assert set(flags(model)) == {flag}


def test_all_normalization_is_frozen_and_nothing_else() -> None:
    model = nested()
    set_trainable(model, True)

    freeze_batch_normalization(model)

    for part in every_layer(model):
        normalizes = isinstance(part, keras.layers.BatchNormalization)
        assert part.trainable is not normalizes


@pytest.mark.parametrize("frozen_before", [True, False])
def test_a_network_is_unfrozen_from_a_layer_on(frozen_before: bool) -> None:
    base = dense_base()
    set_trainable(base, not frozen_before)

    learning = unfreeze_from(base, "norm_1")

    assert learning == ["dense_2"]
    assert [weight.path for weight in base.trainable_weights] == [
        *("dense_2/kernel", "dense_2/bias")
    ]


@keras.saving.register_keras_serializable(package="tests")
class Holder(keras.layers.Layer):
    """A custom layer that holds layers in every way that Keras follows."""

    def __init__(self) -> None:
        super().__init__()
        self.one = keras.layers.BatchNormalization()
        self.some = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
        self.named = {
            "norm": keras.layers.TimeDistributed(keras.layers.BatchNormalization())
        }
        self.again = self.one

    def call(self, x: Any, training: bool | None = None) -> Any:
        x = self.some[1](self.some[0](self.one(x, training=training)))
        return self.named["norm"](x[:, None])[:, 0]


def held_normalizations() -> tuple[keras.Model, list[keras.layers.Layer]]:
    """A model with BatchNormalization in a layer of a nested model."""
    inner = keras.Sequential([keras.Input((4,)), Holder()])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.Dense(2)])
    holder = inner.layers[0]
    held = [holder.one, holder.some[0], holder.named["norm"].layer]
    return model, held


def test_every_layer_finds_what_custom_layers_hold_once() -> None:
    model, held = held_normalizations()

    found = every_layer(model)

    assert found[0] is model
    assert {id(layer) for layer in held} < {id(layer) for layer in found}
    kinds = sorted(type(layer).__name__ for layer in found)
    assert kinds == [
        *["BatchNormalization"] * 3,
        *("Dense", "Dropout", "Holder", "InputLayer", "InputLayer"),
        *("Sequential", "Sequential", "TimeDistributed"),
    ]


def test_batch_normalization_in_a_custom_layer_is_frozen() -> None:
    model, held = held_normalizations()
    freeze_batch_normalization(model)
    before = [layer.get_weights() for layer in held]

    model.compile("sgd", "mse")
    model.fit(
        np.random.default_rng(0).normal(3, 9, (16, 4)), np.ones((16, 2)), verbose=0
    )

    after = [layer.get_weights() for layer in held]
    for old, new in zip(before, after, strict=True):
        assert_array_equal(old, new)
    set_trainable(model, True)
    assert all(layer.trainable for layer in held)


@pytest.mark.parametrize("change", [freeze_batch_normalization, every_layer])
def test_a_list_of_layers_is_no_layer(change: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError, match=r"to be a layer or a model. Received: \["):
        change(feature_network().layers)


@pytest.mark.parametrize("trainable", ["no", 0, None])
def test_a_flag_is_true_or_false(trainable: Any) -> None:
    base = feature_network()

    with pytest.raises(TypeError, match=r"True or False. Received: ('no'|0|None)"):
        set_trainable(base, trainable)

    assert set(flags(base)) == {True}


def test_an_unknown_layer_unfreezes_nothing() -> None:
    base = feature_network()
    set_trainable(base, False)

    with pytest.raises(ValueError, match=r"one of \['pixels', 'conv_1'.*'conv_9'"):
        unfreeze_from(base, "conv_9")

    assert set(flags(base)) == {False}


# Training, and what it changed


@cache
def trained() -> tuple[keras.Model, dict[str, list[float]]]:
    """A classifier after three epochs, and its history."""
    model, x = classifier_on(dense_base(), 2), IMAGES[:, 0, :, 0]
    return model, train_classifier(model, x, LABELS, 0.01, 3, (x[:1], LABELS[:1]))


def test_training_returns_a_number_for_each_epoch() -> None:
    model, history = trained()

    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in history.values()} == {3}
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)


def test_each_training_starts_a_new_optimizer_that_knows_what_is_unfrozen() -> None:
    base = dense_base()
    model = classifier_on(base, 2)
    set_trainable(base, False)
    train_classifier(model, IMAGES[:, 0, :, 0], LABELS, 0.01, 1)
    first = model.optimizer
    unfreeze_from(base, "dense_2")

    assert len(what_training_changes(model)) == 4
    assert model.optimizer is not first


@pytest.mark.parametrize("rate", [0.0, -1e-3, float("nan"), float("inf")])
def test_a_rate_is_a_positive_number(rate: float) -> None:
    with pytest.raises(ValueError, match="`learning_rate` greater than 0"):
        train_classifier(image_classifier(), IMAGES, LABELS, rate, 1)


def test_there_is_at_least_one_epoch() -> None:
    with pytest.raises(ValueError, match="`epochs` of at least 1"):
        train_classifier(image_classifier(), IMAGES, LABELS, 0.1, 0)


BAD_EXAMPLES = [
    (IMAGES[:0], LABELS[:0], r"`images` of shape \(None, 8, 8, 1\), at least one"),
    (IMAGES[0], LABELS[:1], r"Received: shape \(8, 8, 1\)"),
    (IMAGES[..., 0], LABELS, r"Received: shape \(8, 8, 8\)"),
    (IMAGES[:, :4], LABELS, r"Received: shape \(8, 4, 8, 1\)"),
    (IMAGES, LABELS[:7], r"`labels` of shape \(8,\), whole numbers"),
    (IMAGES, LABELS[:, None], r"Received: shape \(8, 1\)"),
    (IMAGES, LABELS.astype("float32"), "dtype float32"),
    (IMAGES, LABELS + 1, "`labels` from 0 to 1, .* Received: 1 to 2"),
    (IMAGES, LABELS - 1, "Received: -1 to 0"),
    (np.where(IMAGES == 1.0, np.nan, IMAGES), LABELS, "`images` of finite numbers"),
    (np.where(IMAGES == 1.0, np.inf, IMAGES), LABELS, "`images` of finite numbers"),
]


@pytest.mark.parametrize(("images", "labels", "problem"), BAD_EXAMPLES)
def test_bad_examples_are_refused(images: Any, labels: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_examples(image_classifier(), images, labels)


def test_good_examples_pass_whatever_their_integer_type() -> None:
    model = image_classifier()

    check_examples(model, IMAGES, LABELS.astype("uint8"))
    check_examples(model, IMAGES[:1], LABELS[:1])


@pytest.mark.parametrize(
    ("images", "labels", "received"),
    [
        (IMAGES.tolist(), LABELS, "`images` .* Received: list"),
        (IMAGES.astype("U4"), LABELS, "`images` .* Received: <U4"),
        (IMAGES.astype("O"), LABELS, "`images` .* Received: object"),
        (IMAGES, LABELS.tolist(), "`labels` .* Received: list"),
    ],
)
def test_examples_are_arrays_of_numbers(
    images: Any, labels: Any, received: str
) -> None:
    with pytest.raises(TypeError, match=received):
        check_examples(image_classifier(), images, labels)


def test_a_model_without_a_softmax_is_refused() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2, bias_initializer="ones"))

    with pytest.raises(ValueError, match="`model` to give probabilities"):
        check_examples(model, IMAGES, LABELS)


@pytest.mark.parametrize("outputs", [[0.55, 0.5], [0.45, 0.5]])
def test_outputs_that_nearly_add_up_to_one_are_no_probabilities(
    outputs: list[float],
) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])

    check_examples(model, np.array([[0.505, 0.5]]), np.array([1]))
    with pytest.raises(ValueError, match="`model` to give probabilities"):
        check_examples(model, np.array([outputs]), np.array([1]))


def test_a_test_set_is_a_pair() -> None:
    (model, _), x = trained(), IMAGES[:, 0, :, 0]

    for test_set in (x, (x,), [x, LABELS]):
        with pytest.raises(TypeError, match=r"`test_set` to be a tuple"):
            train_classifier(model, x, LABELS, 0.01, 1, test_set)  # type: ignore[arg-type]  # wrong on purpose


def test_a_refused_training_leaves_weights_and_compilation_alone() -> None:
    (model, _), x = trained(), IMAGES[:, 0, :, 0]
    before, optimizer = weight_values(model), model.optimizer

    for arguments in (
        (x, LABELS + 5, 0.01, 1),
        (x, LABELS, -0.01, 1),
        (x, LABELS, 0.01, 1, (x, LABELS + 5)),
    ):
        with pytest.raises(ValueError, match="Expected"):
            train_classifier(model, *arguments)

    assert changed_weights(before, weight_values(model)) == []
    assert model.optimizer is optimizer


def test_weight_values_are_copies_under_the_paths_of_the_weights() -> None:
    base = feature_network()

    values = weight_values(base)
    values["conv_1/kernel"][:] = 7.0

    assert list(values) == [weight.path for weight in base.weights]
    assert np.max(base.get_layer("conv_1").kernel) < 7.0


def test_weights_of_one_path_are_told_apart() -> None:
    copies = [feature_network() for _ in range(3)]
    for number, copy in enumerate(copies):
        copy.name = f"copy_{number}"
    pixels = keras.Input((8, 8, 1))
    model = keras.Model(pixels, keras.layers.Add()([copy(pixels) for copy in copies]))

    before = weight_values(model)
    copies[1].get_layer("conv_1").bias.assign(np.ones(16))

    assert len(before) == len(model.weights) == 36
    changed = changed_weights(before, weight_values(model))
    assert changed == ["conv_1/bias (2)"]
    assert "conv_1/bias (3)" in before


def test_a_model_without_weights_has_no_values() -> None:
    with pytest.raises(ValueError, match="'shapeless', which has none"):
        weight_values(keras.Sequential([keras.layers.Dense(2)], name="shapeless"))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_change_of_one_bit_is_a_change(dtype: str) -> None:
    ones = np.ones(5, dtype)
    nudged = ones.copy()
    nudged[3] = np.nextafter(ones[3], ones[3] * 2)

    assert changed_weights({"a": ones}, {"a": nudged}) == ["a"]
    assert changed_weights({"a": ones}, {"a": ones.copy()}) == []


def test_nan_that_stays_is_no_change_and_a_new_sign_of_zero_is() -> None:
    assert changed_weights({"a": np.array([np.nan])}, {"a": np.array([np.nan])}) == []
    assert changed_weights({"a": np.array([0.0])}, {"a": np.array([-0.0])}) == ["a"]


@pytest.mark.parametrize(
    "after",
    [
        {"b": np.zeros(2)},
        {"a": np.zeros(3)},
        {"a": np.zeros(2, "float32")},
        {"a": np.zeros(2), "b": np.zeros(2)},
        {},
    ],
)
def test_two_moments_of_one_model_have_the_same_weights(after: Any) -> None:
    with pytest.raises(ValueError, match="Expected the weights of one model"):
        changed_weights({"a": np.zeros(2)}, after)


@pytest.mark.parametrize(
    ("order", "keras_3", "keras_2"),
    [
        ("compile freeze fit", False, True),
        ("freeze compile unfreeze fit", True, False),
        ("compile fit freeze fit:5", False, True),
    ],
)
def test_the_truth_table_of_flags_and_compile(
    order: str, keras_3: bool, keras_2: bool
) -> None:
    assert bool(changed_in_base(keras, order)) is keras_3
    assert bool(changed_in_base(tf_keras, order)) is keras_2


ALL_PARTS = ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]


@pytest.mark.parametrize(
    ("steps", "training", "keras_3", "keras_2"),
    [
        ("compile fit", False, ALL_PARTS, ALL_PARTS[:4]),
        ("freeze unfreeze:dense compile fit", None, ALL_PARTS[:2], []),
    ],
)
def test_which_parts_of_a_base_learn(
    steps: str, training: bool | None, keras_3: list[str], keras_2: list[str]
) -> None:
    assert changed_in_base(keras, steps, training) == keras_3
    assert changed_in_base(tf_keras, steps, training) == keras_2


@pytest.mark.parametrize(
    "steps", ["", "compile", "compile fit freeze", "thaw fit", "compile, fit", "fit:6"]
)
def test_steps_are_known_words_and_end_in_a_fit(steps: str) -> None:
    with pytest.raises(ValueError, match="the last a fit"):
        changed_in_base(keras, steps)


# Transfer


def test_a_transfer_leaves_the_trained_network_as_it_is() -> None:
    base, x = dense_base(), IMAGES[:, 0, :, 0]
    before, flags_before = weight_values(base), flags(base)

    model, history = train_head_then_fine_tune(base, x, LABELS, 2, (x, LABELS), (1, 2))

    assert changed_weights(before, weight_values(base)) == []
    assert flags(base) == flags_before
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in history.values()} == {3}
    tuned = weight_values(model.layers[1])
    changed = changed_weights(before, {n: tuned[n] for n in before})
    assert changed == [f"dense_{k}/{n}" for k in (1, 2) for n in ("kernel", "bias")]


def test_a_transfer_trains_the_head_fast_and_briefly_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def train(model: Any, x: Any, y: Any, rate: float, epochs: int, test: Any) -> Any:
        asked.append((rate, epochs))
        return {}

    monkeypatch.setattr(training, "train_classifier", train)
    train_head_then_fine_tune(dense_base(), IMAGES[:, 0, :, 0], LABELS, 2)

    assert asked == [(0.03, 5), (0.003, 15)]


@pytest.mark.parametrize("rates", [(-0.1, 0.1), (0.1, -0.1)])
def test_a_transfer_refuses_a_negative_rate(rates: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="`learning_rate` greater than 0"):
        train_head_then_fine_tune(
            dense_base(), IMAGES[:, 0, :, 0], LABELS, 2, None, (1, 1), rates
        )


# A learning rate for each layer


def two_layers() -> keras.Sequential:
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(3, activation="tanh", name="base"),
        keras.layers.Dense(2, activation="softmax", name="head"),
    ]
    return keras.Sequential([keras.Input((8,)), *layers])


def trained_by(optimizer: keras.optimizers.Optimizer, steps: int = 3) -> keras.Model:
    model = two_layers()
    model.compile(optimizer, "sparse_categorical_crossentropy")
    model.fit(ROWS, LABELS, epochs=steps, batch_size=8, shuffle=False, verbose=0)
    return model


ROWS = IMAGES[:, 0, :, 0] - IMAGES.mean()


def test_each_layer_learns_at_its_own_rate() -> None:
    model = trained_by(LayerwiseAdam(0.01, {"base": 0.1}))
    slow, fast = keras.optimizers.Adam(0.001), keras.optimizers.Adam(0.01)
    two = keras.optimizers.OptimizerMap(fast, {".*base/.*": slow})

    expected = trained_by(keras.optimizers.MultiOptimizer(two))

    for weight, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert_allclose(weight, wanted, rtol=1e-5, atol=1e-7)


def test_a_step_is_that_of_adam_times_the_factor() -> None:
    variables = [keras.Variable([1.0, 2.0], name=name) for name in ("slow", "fast")]
    gradients = [np.array([0.5, -3.0], "float32"), np.array([0.1, 0.2], "float32")]
    optimizer = LayerwiseAdam(0.1, {"slow": 0.25})
    for _ in range(4):
        optimizer.apply([keras.ops.array(g) for g in gradients], variables)

    for variable, gradient, rate in zip(
        variables, gradients, (0.025, 0.1), strict=True
    ):
        value, first, second = np.array([1.0, 2.0]), np.zeros(2), np.zeros(2)
        for step in range(1, 5):
            first = 0.9 * first + 0.1 * gradient
            second = 0.999 * second + 0.001 * gradient**2
            mean, size = first / (1 - 0.9**step), second / (1 - 0.999**step)
            value -= rate * mean / (np.sqrt(size) + 1e-7)
        assert_allclose(variable.numpy(), value, rtol=1e-4)


def test_a_factor_of_zero_freezes_a_layer() -> None:
    before = two_layers().get_weights()
    after = trained_by(LayerwiseAdam(0.01, {"base": 0.0})).get_weights()
    changed = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert changed == [False, False, True, True]


def test_the_first_name_that_matches_counts() -> None:
    factors = {"head/bias": 0.0, "head": 0.5, "bias": 2.0}
    optimizer = LayerwiseAdam(0.01, factors)
    trained_by(optimizer, steps=1)
    assert list(optimizer.factor_of) == [1.0, 2.0, 0.5, 0.0]


def test_a_file_keeps_the_factors_and_the_training_goes_on(tmp_path: Path) -> None:
    model = trained_by(LayerwiseAdam(0.01, {"base": 0.1}))
    model.save(tmp_path / "model.keras")
    reloaded = keras.saving.load_model(tmp_path / "model.keras")
    assert reloaded.optimizer.get_config() == model.optimizer.get_config()
    assert type(model.optimizer.get_config()["factors"]) is dict

    for part in (model, reloaded):
        part.fit(ROWS, LABELS, batch_size=8, shuffle=False, verbose=0)

    for old, new in zip(model.get_weights(), reloaded.get_weights(), strict=True):
        assert_array_equal(old, new)


def test_schedules_and_callbacks_move_all_rates_together() -> None:
    halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay(
        [0, 1], [0.04, 0.02, 0.01]
    )
    found = []
    for rate, callbacks in ((0.08, [halved]), (schedule, [])):
        model = two_layers()
        optimizer = LayerwiseAdam(rate, {"head": 0.5})
        model.compile(optimizer, "sparse_categorical_crossentropy")
        options = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
        model.fit(ROWS, LABELS, callbacks=callbacks, **options)
        found.append(model.get_weights())
    for first, second in zip(*found, strict=True):
        assert_allclose(first, second, rtol=1e-5)


def test_mixed_precision_wraps_it_like_any_optimizer() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = trained_by(LayerwiseAdam(0.01, {"base": 0.0}))
    finally:
        keras.config.set_dtype_policy("float32")
    before, after = two_layers().get_weights(), model.get_weights()
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    changed = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert changed == [False, False, True, True]


def test_a_name_that_matches_no_weight_is_refused() -> None:
    with pytest.raises(ValueError, match=r"base/kernel.* Received: \['bas'\]"):
        trained_by(LayerwiseAdam(0.01, {"base": 0.1, "bas": 0.1}))


@pytest.mark.parametrize("factor", [-0.1, np.inf, np.nan])
def test_factors_that_are_none_are_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="Expected finite factors of at least 0"):
        LayerwiseAdam(0.01, {"base": factor})


def test_weight_decay_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected no `weight_decay`"):
        LayerwiseAdam(0.01, {"base": 0.1}, weight_decay=0.01)


def test_the_script_of_the_guide_trains_saves_and_names_the_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Path(__file__).parents[2] / "docs/guides/transfer_learning.md"
    script = page.read_text("utf-8").split("```py\n")[1].split("```")[0]
    asked: list[dict[str, Any]] = []

    def small(**options: Any) -> keras.Model:
        asked.append(options)
        return feature_network(options["input_shape"])

    for name in ("a", "b", "c"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            image = np.full((8, 8, 3), 50 * number)
            path = tmp_path / "photos" / name / f"{number}.png"
            keras.utils.save_img(path, image, scale=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(keras.applications, "ResNet50", small)
    script = script.replace("224", "8").replace('"epochs": 30', '"epochs": 2')
    bound: dict[str, Any] = {}
    exec(script.replace('"conv5"', '"conv_2"'), bound)
    learning = [part.name for part in bound["resnet"].layers if part.trainable_weights]
    assert learning == ["conv_2"]
    assert [options["weights"] for options in asked] == ["imagenet"]
    assert json.loads((tmp_path / "classes.json").read_text()) == ["a", "b", "c"]
    loaded = keras.saving.load_model(tmp_path / "photos.keras")
    assert loaded.predict(np.zeros((1, 8, 8, 3)), verbose=0).shape == (1, 3)
    loss, _ = loaded.evaluate(bound["validation"], verbose=0)
    assert loss == pytest.approx(bound["best"].best, rel=1e-4)

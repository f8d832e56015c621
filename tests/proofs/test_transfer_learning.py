"""Proofs of the Transfer learning guide."""

import contextlib
import functools
import os
import re
import sys
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

X = np.arange(24.0).reshape(8, 3) / 24  # 8 examples of 3 numbers
Y = np.ones((8, 1))

# Keras 3; Keras 3.9 to 3.12, which stumbles over the name of the variable; Keras 2.
UNKNOWN_VARIABLE = "Unknown variable|numpy.. is only available|cannot recognize"


def base_and_model(**call):
    """A base of Dense and BatchNormalization, and a model with a head on it."""
    inner = keras.Input(shape=(3,))
    features = keras.layers.BatchNormalization()(keras.layers.Dense(4)(inner))
    base = keras.Model(inner, features, name="base")
    x = keras.Input(shape=(3,))
    return base, keras.Model(x, keras.layers.Dense(1)(base(x, **call)))


def fit(model, examples=8):
    """One step on one batch."""
    model.fit(X[:examples], Y[:examples], batch_size=examples, verbose=0)


def changes(layer, act):
    """Which weights of a layer `act()` changes, by position."""
    before = layer.get_weights()
    act()
    pairs = zip(before, layer.get_weights(), strict=True)
    return [k for k, (old, new) in enumerate(pairs) if old.tobytes() != new.tobytes()]


@functools.cache
def learned(frozen="", training=None):
    """Which weights of the model one step changes; 0 to 5 are in the base."""
    call = {} if training is None else {"training": training}
    base, model = base_and_model(**call)
    if frozen:
        (base if frozen == "base" else base.layers[-1]).trainable = False
    model.compile(optimizer="sgd", loss="mse")
    return changes(model, lambda: fit(model))


@functools.cache
def learns(steps):
    """Whether the last of some steps changes the first layer of a model of two."""
    first = keras.layers.Dense(4)
    model = keras.Sequential([keras.Input(shape=(3,)), first, keras.layers.Dense(1)])
    changed = []
    for step in steps.split():
        if step.endswith("freeze"):
            first.trainable = step == "unfreeze"
        elif step == "compile":
            model.compile(optimizer="sgd", loss="mse")
        else:
            changed = changes(
                first, lambda n=step: fit(model, 5 if n == "fit-5" else 8)
            )
    return bool(changed)


def image_folder(folder, channels=3, per_class=5):
    """Write gray or color PNG files of two classes, `cat` and `dog`."""
    draw = np.random.default_rng(0)
    for name in ("dog", "cat"):
        Path(folder, name).mkdir()
        for number in range(per_class):
            pixels = draw.integers(0, 256, (8, 8, channels)).astype("uint8")
            path = str(Path(folder, name, f"{number}.png"))
            tf.io.write_file(path, tf.io.encode_png(pixels))
    return str(folder)


def application(name, **options):
    """An untrained network of Keras for images of 32 pixels, without its top."""
    options = {"include_top": False, "input_shape": (32, 32, 3), **options}
    return getattr(keras.applications, name)(weights=None, **options)


# The answer


@proves(
    "Load the network without its last layer, set `trainable = False`, put its "
    "preprocessing before it and new last layers after it, compile, and train.",
    false_with={"frozen": ""},
)
def test_the_recipe_trains_the_head_alone(frozen="base"):
    assert learned(frozen) == [6, 7]  # kernel and bias of the head


@proves(
    "What is frozen stays as it is to the last bit, the statistics of "
    "`BatchNormalization` included.",
    false_with={"frozen": ""},
)
def test_frozen_to_the_last_bit(frozen="base"):
    assert len(base_and_model()[0].get_weights()) == 6  # two of them are statistics
    assert min(learned(frozen)) == 6


@proves(
    "This script does both for a folder of photographs, and saves the model. In "
    "its test a small untrained network took the place of ResNet50, so how "
    "accurate it will be on your photographs is not known:",
    false_with={"frozen": False},
    needs="keras>=3",
)
def test_the_script_trains_twice_and_saves(frozen=True):
    layers, inner, photos = keras.layers, keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    maps = inner
    for name in ("conv4", "conv5"):
        maps = layers.Conv2D(4, 3, name=name)(maps)
        maps = layers.BatchNormalization(name=f"{name}_bn")(maps)
    base = keras.Model(inner, layers.GlobalAveragePooling2D()(maps))
    x = layers.RandomFlip("horizontal")(photos)
    x = layers.Dropout(0.3)(base(keras.applications.resnet50.preprocess_input(x)))
    model = keras.Model(photos, layers.Dense(2, activation="softmax")(x))
    loss = "sparse_categorical_crossentropy"
    stop = {"patience": 3, "restore_best_weights": True}
    losses = []
    with tempfile.TemporaryDirectory() as folder:
        train, validation = keras.utils.image_dataset_from_directory(
            image_folder(folder),
            image_size=(8, 8),
            validation_split=0.2,
            subset="both",
            seed=0,
        )
        path = f"{folder}/model.keras"
        best = keras.callbacks.ModelCheckpoint(path, save_best_only=True)
        options = {"validation_data": validation, "epochs": 2}
        options |= {"shuffle": False, "verbose": 0}

        def train_on():
            callbacks = [keras.callbacks.EarlyStopping(**stop), best]
            history = model.fit(train, callbacks=callbacks, **options).history
            losses.extend(history["val_loss"])

        base.trainable = not frozen
        model.compile("adam", loss, metrics=["accuracy"])
        assert changes(base, train_on) == []

        base.trainable = True
        for layer in base.layers:
            normalizes = isinstance(layer, layers.BatchNormalization)
            layer.trainable = layer.name.startswith("conv5") and not normalizes
        model.compile(keras.optimizers.Adam(1e-5), loss, metrics=["accuracy"])
        assert changes(base, train_on) == [6, 7]  # kernel and bias of conv5

        loaded = keras.models.load_model(path)
        assert np.isclose(
            loaded.evaluate(validation, verbose=0)[0], min(losses), rtol=1e-3
        )


@proves(
    "On Keras 2.15 or later, `photos.keras` holds the epoch with the lowest validation "
    "loss of both trainings: if fine-tuning does not lower it, that is the model "
    "before unfreezing.",
    false_with={"shared": False},
    needs="keras>=2.15",  # before, ModelCheckpoint raises for a file `.keras`
)
def test_one_checkpoint_judges_both_trainings(shared=True):
    keras.utils.set_random_seed(0)
    for rate, lowest in ((0.01, 1), (100.0, 0)):
        inner, x = keras.Input(shape=(3,)), keras.Input(shape=(3,))
        base = keras.Model(inner, keras.layers.Dense(4)(inner))
        model = keras.Model(x, keras.layers.Dense(1)(base(x)))
        with tempfile.TemporaryDirectory() as folder:
            options = {"filepath": f"{folder}/a.keras", "save_best_only": True}
            best, losses = keras.callbacks.ModelCheckpoint(**options), []
            for trainable in (False, True):
                base.trainable = trainable
                optimizer = keras.optimizers.SGD(rate if trainable else 0.01)
                model.compile(optimizer=optimizer, loss="mse")
                data = {"x": X, "y": Y, "validation_data": (X, Y), "verbose": 0}
                losses += model.fit(callbacks=[best], **data).history["val_loss"]
                if not shared:
                    best = keras.callbacks.ModelCheckpoint(**options)
            saved = keras.models.load_model(options["filepath"])
        assert np.argmin(losses) == lowest
        assert np.isclose(saved.evaluate(X, Y, verbose=0), min(losses))


@proves(
    'The script is for two classes too. `Dense(1, activation="sigmoid")` in place '
    'of its head, with `label_mode="binary"` and `binary_crossentropy`, is the '
    "same classifier, but returns only the probability of the second class: "
    "compare it with 0.5 instead of calling `argmax`.",
    false_with={"activation": "tanh"},
)
def test_a_sigmoid_is_a_softmax_of_two(activation="sigmoid"):
    x = np.random.default_rng(0).normal(size=(10, 3))
    with tempfile.TemporaryDirectory() as folder:
        images = keras.utils.image_dataset_from_directory(
            image_folder(folder), label_mode="binary", shuffle=False
        )
        labels = np.concatenate([np.array(batch) for _, batch in images])
    two, one = (
        keras.Sequential(
            [keras.Input(shape=(3,)), keras.layers.Dense(units, activation=how)]
        )
        for units, how in ((2, "softmax"), (1, activation))
    )
    kernel, bias = two.get_weights()
    one.set_weights([kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]])
    both, second = two.predict(x, verbose=0), one.predict(x, verbose=0)[:, 0]
    assert np.allclose(second, both[:, 1], atol=1e-5)
    assert np.array_equal(second > 0.5, both.argmax(axis=-1) == 1)
    two.compile(loss="sparse_categorical_crossentropy")
    one.compile(loss="binary_crossentropy")
    losses = [
        two.evaluate(x, labels[:, 0], verbose=0),
        one.evaluate(x, labels, verbose=0),
    ]
    assert np.isclose(*losses, atol=1e-4)


SIZES = {
    **dict.fromkeys(("InceptionV3", "InceptionResNetV2", "Xception"), 299),
    "NASNetLarge": 331,
    "EfficientNetB1": 240,
    "EfficientNetB7": 600,
    "EfficientNetV2B0": 224,
    "EfficientNetV2B1": 240,
    "EfficientNetV2L": 480,
}


def usual_size(name):
    """The size of images that a network of Keras takes if it is told none."""
    network = getattr(keras.applications, name)
    utils = sys.modules[network.__module__].imagenet_utils
    with (
        mock.patch.object(utils, "obtain_input_shape", side_effect=KeyError) as asked,
        contextlib.suppress(KeyError),
    ):
        network(weights=None)
    return asked.call_args.kwargs["default_size"]


@proves(
    "For another network, such as MobileNet or EfficientNet, change its name, "
    "[its preprocessing](#which-preprocessing-and-where), the [layers that are "
    "unfrozen](#fine-tune-with-a-low-learning-rate), and every 224, if its usual "
    "size is another: 299 for InceptionV3, InceptionResNetV2 and Xception, 331 "
    "for NASNetLarge, 240 to 600 for EfficientNetB1 to B7, 240 to 480 for the "
    "versions of EfficientNetV2 after B0.",
    false_with={"sizes": {"ResNet50": 299}},
)
def test_usual_sizes_of_networks(sizes=SIZES):
    for name, size in sizes.items():
        assert usual_size(name) == size
    assert usual_size("ResNet50") == 224
    for versions in (
        [f"EfficientNetB{number}" for number in range(1, 8)],
        [f"EfficientNetV2{name}" for name in ("B1", "B2", "B3", "S", "M", "L")],
    ):
        between = [usual_size(name) for name in versions]
        assert between == sorted(between)


# When to reuse a network


@proves(
    "If you will neither augment the images nor fine-tune, compute the features "
    "once, `features = resnet.predict(preprocess_input(images.copy()))`, and train "
    "only the head on them. ResNet50 has no `Dropout`, so this trains the same "
    "head as the frozen base inside a model does; EfficientNet has `Dropout`, "
    "which `predict` leaves out.",
    false_with={"frozen": False},
)
def test_features_first_is_the_same(frozen=True):
    base, _ = base_and_model()
    base.trainable = not frozen
    features = base.predict(X, verbose=0)
    learned_heads = []
    for data in (X, features):
        x, head = keras.Input(data.shape[1:]), keras.layers.Dense(1)
        model = keras.Model(x, head(base(x) if data is X else x))
        head.set_weights([np.linspace(-1.0, 1.0, 4).reshape(4, 1), np.zeros(1)])
        model.compile(optimizer="sgd", loss="mse")
        model.fit(data, Y, epochs=3, batch_size=8, verbose=0)
        learned_heads.append(head.get_weights())
    for one, other in zip(*learned_heads, strict=True):
        assert np.allclose(one, other, atol=1e-5)
    for name, drops in (("ResNet50", False), ("EfficientNetB0", True)):
        layers = application(name).layers
        found = [isinstance(layer, keras.layers.Dropout) for layer in layers]
        assert any(found) is drops


# Preprocessing


@proves(
    "Its `preprocess_input` does that, and takes pixels from 0 to 255, as "
    "`image_dataset_from_directory` gives them:",
    false_with={"white": 200},
)
def test_pixels_from_0_to_255(white=255):
    with tempfile.TemporaryDirectory() as folder:
        for name, color in (("black", 0), ("white", white)):
            Path(folder, name).mkdir()
            file = tf.io.encode_png(np.full((8, 8, 3), color, "uint8"))
            tf.io.write_file(f"{folder}/{name}/0.png", file)
        images = keras.utils.image_dataset_from_directory(folder, image_size=(8, 8))
        pixels = np.array(next(iter(images))[0])
    assert np.unique(pixels).tolist() == [0, 255]


WHITE = np.full((1, 1, 1, 3), 255.0)


def prepared(module, image=WHITE):
    """What a network's `preprocess_input` makes of one pixel."""
    preprocess = getattr(keras.applications, module).preprocess_input
    return np.array(preprocess(image.copy())).ravel()


@proves(
    "Without `copy()`, `preprocess_input` writes over an array of floats, and a second "
    "run of that line preprocesses it twice.",
    false_with={"copied": True},
)
def test_preprocessing_writes_over_its_array(copied=False):
    for module in ("resnet50", "mobilenet_v2", "densenet"):
        images = WHITE.copy()
        expected, seen = prepared(module, images), []
        preprocess = getattr(keras.applications, module).preprocess_input
        for _ in range(2):
            made = preprocess(images.copy() if copied else images)
            seen.append(np.array(made).ravel())
        assert np.allclose(seen[0], expected)
        assert not np.allclose(images, WHITE)
        assert not np.allclose(seen[1], expected)


@proves(
    "ResNet, VGG | puts blue first, and subtracts the mean of each color",
    false_with={"modules": ("mobilenet_v2",)},
)
def test_preprocessing_of_resnet(modules=("resnet50", "resnet", "vgg16", "vgg19")):
    red = np.array([[[[255.0, 0.0, 0.0]]]])
    blue_green_red = np.array([0.0, 0.0, 255.0]) - [103.939, 116.779, 123.68]
    for module in modules:
        assert np.allclose(prepared(module, red), blue_green_red, atol=1e-3)


TO_MINUS_ONE = (
    *("resnet_v2", "mobilenet", "mobilenet_v2"),
    *("inception_v3", "inception_resnet_v2", "xception", "nasnet"),
)


@proves(
    "ResNetV2, MobileNet, MobileNetV2, InceptionV3, InceptionResNetV2, Xception, "
    "NASNet | scales to -1 to 1",
    false_with={"modules": ("resnet50",)},
)
def test_preprocessing_to_minus_one(modules=TO_MINUS_ONE):
    for module in modules:
        assert np.allclose(prepared(module), 1.0)
        assert np.allclose(prepared(module, 0 * WHITE), -1.0)


@proves(
    "DenseNet | scales to 0 to 1, then standardizes each color",
    false_with={"module": "mobilenet_v2"},
)
def test_preprocessing_of_densenet(module="densenet"):
    mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    assert np.allclose(prepared(module), (1.0 - mean) / deviation, atol=1e-4)
    assert np.allclose(prepared(module, 0 * WHITE), -mean / deviation, atol=1e-4)


MODULES = {
    "inception_resnet_v2": "InceptionResNetV2",
    "resnet": "ResNet101",
    "resnet_v2": "ResNet101V2",
}


@proves(
    "The function is in the module of the network, such as "
    "`keras.applications.inception_resnet_v2.preprocess_input`. For ResNet101 the "
    "module is `resnet`, for ResNet101V2 `resnet_v2`.",
    false_with={"modules": {"resnet": "ResNet101V2"}},
)
def test_preprocessing_is_in_the_module(modules=MODULES):
    for name, network in modules.items():
        module = getattr(keras.applications, name)
        assert hasattr(module, network)
        assert hasattr(module, "preprocess_input")


INSIDE = (
    ("EfficientNetB0", "efficientnet"),
    ("EfficientNetV2B0", "efficientnet_v2"),
    ("MobileNetV3Small", "mobilenet_v3"),
    ("ConvNeXtTiny", "convnext"),
)


@proves(
    "EfficientNet, EfficientNetV2, MobileNetV3, ConvNeXt | does nothing: the "
    "network begins with its own rescaling",
    false_with={"networks": (("MobileNetV2", "mobilenet_v2"),)},
)
def test_preprocessing_inside_the_network(networks=INSIDE):
    for name, module in networks:
        assert np.allclose(prepared(module), 255.0)
        first = application(name).layers[1]
        assert type(first).__name__ in ("Rescaling", "Normalization")


@proves(
    "Call `preprocess_input` inside the model, after the Input, so that it is "
    "saved with the model (in `dataset.map` it is not), and you pass raw pixels "
    "wherever you load it.",
    false_with={"inside": False},
    needs="keras>=3",
)
def test_preprocessing_is_saved(inside=True):
    preprocess = keras.applications.resnet50.preprocess_input
    photos = keras.Input((2, 2, 3))
    x = preprocess(photos) if inside else photos
    head = keras.layers.Dense(2)
    model = keras.Model(photos, head(keras.layers.Flatten()(x)))
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    pixels = np.random.default_rng(0).integers(0, 256, (4, 2, 2, 3)).astype("float32")
    expected = preprocess(pixels.copy()).reshape(4, 12) @ head.get_weights()[0]
    assert np.allclose(loaded.predict(pixels, verbose=0), expected, atol=0.01)


@proves(
    "If you also divide by 255 in the pipeline, no error is raised, and the "
    "network sees nearly black images.",
    false_with={"divisor": 1},
)
def test_scaled_images_raise_no_error(divisor=255):
    for module in ("resnet50", "mobilenet_v2"):
        black = prepared(module, 0 * WHITE)
        assert np.allclose(prepared(module, WHITE / divisor), black, atol=1.0)


@proves(
    "`RandomBrightness` expects pixels from 0 to 255 unless you set "
    "`value_range`; on pixels from 0 to 1 it makes an image black or white.",
    false_with={"options": {"value_range": (0, 1)}},
)
def test_brightness_expects_255(options=None):
    keras.utils.set_random_seed(0)
    layer = keras.layers.RandomBrightness(0.5, **(options or {}))
    images = np.full((50, 2, 2, 3), 0.5, "float32")
    made = np.array(layer(images, training=True))
    assert np.mean((made <= 0) | (made >= 1)) > 0.9


# Pooling


@proves(
    "`include_top=False` leaves out the pooling as well, so ResNet50 returns maps "
    "of `(7, 7, 2048)`.",
    false_with={"options": {"pooling": "avg"}},
)
def test_no_top_no_pooling(options=None):
    options = {"input_shape": (224, 224, 3), **(options or {})}
    network = application("ResNet50", **options)
    assert network.output_shape == (None, 7, 7, 2048)


@proves(
    'With `pooling="avg"`, or with `GlobalAveragePooling2D()` after it, each '
    "image becomes 2,048 features.",
    false_with={"pooling": "max"},
)
def test_pooling_is_global_average(pooling="avg"):
    maps = application("ResNet50", input_shape=(64, 64, 3))
    pooled = application("ResNet50", input_shape=(64, 64, 3), pooling=pooling)
    pooled.set_weights(maps.get_weights())
    images = np.random.default_rng(0).random((1, 64, 64, 3)).astype("float32")
    expected = np.array(keras.layers.GlobalAveragePooling2D()(maps(images)))
    assert expected.shape == (1, 2048)
    assert np.allclose(np.array(pooled(images)), expected, atol=1e-4)


# A folder of images


def few_new_digits(per_class):
    """Some images of each digit from 5 to 9 to learn from, and the rest to test."""
    from snippets.data import digit_images
    from snippets.transfer_learning import few_per_class, select_classes

    return few_per_class(*select_classes(*digit_images(), range(5, 10)), per_class)


@proves(
    "It has learned the digits 0 to 4 from 901 images.",
    false_with={"classes": range(5, 10)},
    needs="keras>=3",
)
def test_the_trained_network_knows_901_images(classes=range(5)):
    from snippets.data import digit_images
    from snippets.transfer_learning import select_classes

    images, labels = digit_images()
    known, numbers = select_classes(images, labels, classes)
    assert len(known) == len(numbers) == 901
    assert np.array_equal(known, images[labels < 5])


@proves(
    "The new images are the digits 5 to 9: 25 to learn from, 5 of each, and 871 to "
    "test.",
    false_with={"per_class": 4},
    needs="keras>=3",
)
def test_the_sizes_of_the_task(per_class=5):
    few, labels, rest, _ = few_new_digits(per_class)
    assert (len(few), len(rest)) == (25, 871)
    assert np.bincount(labels).tolist() == [5, 5, 5, 5, 5]


@proves(
    "Give each class a folder of its own, such as `digits/train/5`; its name becomes "
    "the name of the class:",
    false_with={"options": {"class_names": ["dog", "cat"]}},
)
def test_folders_are_classes(options=None):
    with tempfile.TemporaryDirectory() as folder:
        images = keras.utils.image_dataset_from_directory(
            image_folder(folder), shuffle=False, **(options or {})
        )
        labels = np.concatenate([np.array(batch) for _, batch in images])
    assert images.class_names == ["cat", "dog"]
    assert labels.tolist() == [0] * 5 + [1] * 5


@proves(
    "The base is the same to the last bit: only the head learned.",
    false_with={"frozen": False},
    needs="keras>=3",
)
def test_the_head_is_2_of_14_weights(frozen=True):
    from snippets.transfer_learning import (
        changed_weights,
        classifier_on,
        feature_network,
        set_trainable,
        weight_values,
    )

    base = feature_network()
    model = classifier_on(base, 5)
    set_trainable(base, not frozen)
    before = weight_values(model)
    model.compile("adam", "sparse_categorical_crossentropy", run_eagerly=True)
    images = np.random.default_rng(0).random((5, 8, 8, 1))
    model.fit(images, np.arange(5), epochs=2, verbose=0)
    assert len(before) == 14
    assert changed_weights(before, weight_values(model)) == ["head/kernel", "head/bias"]


@proves(
    "To unfreeze the last layers alone, replace the first two lines of this cell "
    "by {recipe}`snippets.transfer_learning.unfreeze_from` (copy it, or "
    "[install](../index.md#three-ways-to-use-it) the recipes, and write `from "
    "snippets.transfer_learning import unfreeze_from`). Its second argument is the "
    "first layer to unfreeze, by its name in `base.summary()`: it freezes every "
    "layer before that one, and keeps `BatchNormalization` frozen.",
    false_with={"layer": "conv_1"},
    needs="keras>=3",
)
def test_unfreezing_from_a_layer(layer="conv_2"):
    from snippets.transfer_learning import feature_network, unfreeze_from

    base = feature_network()
    assert unfreeze_from(base, layer) == ["conv_2"]
    learning = [part.name for part in base.layers if part.trainable_weights]
    assert learning == ["conv_2"]


@proves(
    "With only 100 validation photos, ignore a difference of a point or two: the "
    "standard error of an accuracy of 90 % is 3 points.",
    false_with={"photos": 1000},
)
def test_a_point_or_two_is_chance(photos=100):
    right = np.random.default_rng(0).binomial(photos, 0.9, size=(2, 100_000))
    one, other = 100 * right / photos  # two networks that are equally good
    assert abs(one.std() - 3) < 0.05
    assert np.mean(np.abs(one - other) > 1.5) > 0.5


@proves(
    'To unfreeze every convolution of ResNet50, write `startswith("conv")` in the '
    "script. A beginning that no name has, such as that of another network, "
    "unfreezes nothing, without an error.",
    false_with={"beginning": "conv4"},
)
def test_names_of_resnet_tell_its_blocks(beginning="conv"):
    layers = application("ResNet50").layers
    convolutions = [
        layer.name for layer in layers if isinstance(layer, keras.layers.Conv2D)
    ]

    def unfrozen(start):
        for layer in layers:
            normalizes = isinstance(layer, keras.layers.BatchNormalization)
            layer.trainable = layer.name.startswith(start) and not normalizes
        return [layer.name for layer in layers if layer.trainable_weights]

    assert unfrozen(beginning) == convolutions
    assert unfrozen("block_16") == []
    first = convolutions.index("conv5_block1_1_conv")
    assert unfrozen("conv5") == convolutions[first:]
    blocks = {name.split("_")[1] for name in convolutions[first:]}
    assert blocks == {"block1", "block2", "block3"}


@proves(
    'The last block of MobileNetV2 begins with `"block_16_expand"`, that of '
    'EfficientNetB0 with `"block7a_expand_conv"`.',
    false_with={"block": "block_15"},
)
def test_last_blocks_of_two_more_networks(block="block_16"):
    networks = {
        "MobileNetV2": (block, "block_16_expand", "block_17"),
        "EfficientNetB0": ("block7a", "block7a_expand_conv", "block7b"),
    }
    for network, (last, first, none_after) in networks.items():
        names = [layer.name for layer in application(network).layers]
        of_the_last = [name for name in names if name.startswith(f"{last}_")]
        assert of_the_last[0] == first
        assert not [name for name in names if name.startswith(f"{none_after}_")]


@proves(
    "`keras.ops.image.resize` resizes it as `image_dataset_from_directory` did in "
    "training:",
    false_with={"interpolation": "nearest"},
    needs="keras>=3",
)
def test_images_are_resized_as_in_training(interpolation="bilinear", size=(3, 5)):
    with tempfile.TemporaryDirectory() as folder:
        images = keras.utils.image_dataset_from_directory(
            image_folder(folder), labels=None, shuffle=False, image_size=size
        )
        expected = np.array(next(iter(images)))[0]
        file = tf.io.read_file(f"{folder}/cat/0.png")
        whole = tf.cast(tf.io.decode_png(file), "float32")
    resized = keras.ops.image.resize(whole[None], size, interpolation=interpolation)
    assert np.allclose(resized[0], expected, atol=1e-3)


@proves(
    "From Keras 3.15 on, `MultiOptimizer` gives the head another rate than the base.",
    false_with={"pattern": "other/.*"},
    needs="keras>=3.15",
)
def test_multi_optimizer_has_two_rates(pattern="head/.*"):
    pixels = keras.Input((3,))
    base = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)], name="base")
    model = keras.Model(pixels, keras.layers.Dense(1, name="head")(base(pixels)))
    rates = keras.optimizers.OptimizerMap(
        keras.optimizers.Adam(0.003), {pattern: keras.optimizers.Adam(0.03)}
    )
    model.compile(keras.optimizers.MultiOptimizer(rates), "mse")
    before = model.get_weights()
    fit(model)
    pairs = zip(before, model.get_weights(), strict=True)
    moves = [np.abs(new - old).max() for old, new in pairs]
    assert np.allclose(moves, [0.003, 0.003, 0.03, 0.03], rtol=0.01)


@proves(
    "On Keras 3.4 to 3.14, compile with this optimizer instead: "
    '`LayerwiseAdam(1e-5, {"head": 100})` learns at 1e-5 in the base and at 1e-3 '
    "in the head.",
    false_with={"factors": {"head": 10}},
    needs="keras>=3",
)
def test_layerwise_adam_has_a_factor_for_the_head(factors=None):
    from snippets.transfer_learning import LayerwiseAdam

    pixels, inner = keras.Input((3,)), keras.Input((3,))
    base = keras.Model(inner, keras.layers.Dense(4)(inner))
    model = keras.Model(pixels, keras.layers.Dense(1, name="head")(base(pixels)))
    model.compile(LayerwiseAdam(1e-5, factors or {"head": 100}), "mse")
    before = model.get_weights()
    fit(model)
    pairs = zip(before, model.get_weights(), strict=True)
    moves = [np.abs(new - old).max() for old, new in pairs]
    assert np.allclose(moves, [1e-5, 1e-5, 1e-3, 1e-3], rtol=0.02)


# Augmentation


def shifts():
    """A model that shifts images by up to half their size, and does nothing else."""
    move = keras.layers.RandomTranslation(0.5, 0.5, fill_mode="constant")
    return keras.Sequential([keras.Input(shape=(8, 8, 1)), move])


CORNER = np.zeros((9, 8, 8, 1), "float32")
CORNER[:, 3, 3] = 1.0


@proves(
    "Random layers act in `fit`, not in `predict` or `evaluate`:",
    false_with={"training": False},
)
def test_random_layers_act_in_fit(training=True):
    model = shifts()
    model.compile(loss="mse")
    assert np.allclose(model.predict(CORNER, verbose=0), CORNER)
    assert model.evaluate(CORNER, CORNER, verbose=0) < 1e-6
    # What `fit` calls a model with.
    assert not np.allclose(model(CORNER, training=training), CORNER)


# BatchNormalization


@proves(
    "A `BatchNormalization` layer has four weights by default: two that gradients "
    "train, and two statistics, which move in every training step.",
    false_with={"training": False},
)
def test_normalization_has_two_kinds_of_weights(training=True):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    assert (len(layer.trainable_weights), len(layer.weights)) == (2, 4)
    for _ in range(2):
        assert changes(layer, lambda: layer(X + 9, training=training)) == [2, 3]


@proves(
    "Frozen, it normalizes by its stored statistics and does not change them, even "
    "while the rest of the model trains.",
    false_with={"frozen": False},
)
def test_frozen_normalization_is_in_inference_mode(frozen=True):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    layer.trainable = not frozen
    calm = np.array(layer(X, training=False))
    moved = changes(layer, lambda: layer(X, training=True))
    assert moved == []
    assert np.allclose(layer(X, training=True), calm)


@proves(
    "**`BatchNormalization` moves,** if `base.get_weights()` is not the same before "
    "and after `fit`: set the flag, then compile. Frozen, it computes in `fit` what it "
    "computes in `evaluate`, and is not the cause.",
    false_with={"frozen": False},
)
def test_frozen_normalization_is_not_the_cause(frozen=True):
    inner, x = keras.Input((3,)), keras.Input((3,))
    normalize = keras.layers.BatchNormalization()
    base = keras.Model(inner, normalize(keras.layers.Dense(4)(inner)))
    model = keras.Model(x, keras.layers.Dense(1)(base(x)))
    base.trainable = not frozen
    model.compile("sgd", "mse")
    assert changes(base, lambda: fit(model)) == []
    assert np.allclose(base(X, training=True), base(X, training=False))


@proves(
    "`model.layers` lists the outermost layers only, so a loop over it misses "
    "each `BatchNormalization` of a nested base.",
    false_with={"nested": False},
)
def test_model_layers_are_the_outermost(nested=True):
    base, _ = base_and_model()
    layers = [base] if nested else base.layers[1:]
    head = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input(shape=(3,)), *layers, head])
    kind = keras.layers.BatchNormalization
    assert not any(isinstance(layer, kind) for layer in model.layers)


class Holder(keras.layers.Layer):
    """A custom layer that holds layers as an attribute, in a list and in a dict."""

    def __init__(self):
        super().__init__()
        self.one = keras.layers.BatchNormalization()
        self.some = [keras.layers.BatchNormalization()]
        self.named = {"norm": keras.layers.BatchNormalization()}

    def call(self, x):
        return self.named["norm"](self.some[0](self.one(x)))


@proves(
    "`freeze_batch_normalization` finds one inside a nested model, a wrapper or a "
    "custom layer too.",
    false_with={"everywhere": False},
    needs="keras>=3",
)
def test_normalization_is_found_wherever_it_hides(everywhere=True):
    from snippets.transfer_learning import freeze_batch_normalization

    normalize, holder = keras.layers.BatchNormalization, Holder()
    inner = keras.Sequential([keras.Input((3,)), normalize(), holder])
    wrapped = keras.layers.TimeDistributed(normalize())
    x = keras.Input((3,))
    y = wrapped(keras.layers.Reshape((1, 3))(inner(x)))
    model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Flatten()(y)))
    if everywhere:
        freeze_batch_normalization(model)
    else:
        for layer in model.layers:
            layer.trainable = not isinstance(layer, normalize)
    model.compile(optimizer="sgd", loss="mse")
    hidden = [inner.layers[0], wrapped.layer]
    hidden += [holder.one, holder.some[0], holder.named["norm"]]
    before = [layer.get_weights() for layer in hidden]
    fit(model)
    after = [layer.get_weights() for layer in hidden]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


@proves(
    "While the base is frozen, `training=False` is not needed, on Keras 2 or 3: "
    "`trainable = False` suffices.",
    false_with={"frozen": ""},
)
def test_a_frozen_base_needs_no_training_false(frozen="base"):
    assert learned(frozen) == [6, 7]  # kernel and bias of the head
    assert learned(frozen, training=False) == [6, 7]


@proves("Keras 2 obeys it.", keras="<3")
def test_training_false_is_obeyed_on_keras_2():
    assert learned(training=False) == [0, 1, 2, 3, 6, 7]


@proves(
    "On Keras 3 the `training=True` of `fit` overrides it inside a Functional "
    "model ([issue 20285](https://github.com/keras-team/keras/issues/20285)), so "
    "the statistics move as soon as the base is unfrozen: freeze its normalization "
    "layers instead.",
    keras=">=3",
)
def test_training_false_is_replaced_on_keras_3():
    assert learned(training=False) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert learned("base", training=False) == [6, 7]


@proves(
    "So freeze the layers; that works on both.",
    false_with={"frozen": ""},
)
def test_freezing_normalization_works_on_both(frozen="norm"):
    assert learned(frozen) == [0, 1, 6, 7]


@proves(
    "Or call the base inside a layer of your own, as the recipe "
    "{recipe}`snippets.transfer_learning.InferenceMode` does: there, "
    "`training=False` is obeyed.",
    false_with={"training": True},
)
def test_inside_a_layer_training_false_is_obeyed(training=False):
    base, _ = base_and_model()

    class Quiet(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.base = base

        def call(self, x):
            return self.base(x, training=training)

    x = keras.Input(shape=(3,))
    model = keras.Model(x, keras.layers.Dense(1)(Quiet()(x)))
    model.compile(optimizer="sgd", loss="mse")
    assert changes(base, lambda: fit(model)) == [0, 1, 2, 3]


@proves(
    "`Dropout` is another matter: in a frozen base that is called as `base(x)` it "
    "still drops while the model trains; in `InferenceMode` it does not.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_frozen_dropout_still_drops(training=True):
    from snippets.transfer_learning import InferenceMode

    base = keras.Sequential([keras.Input(shape=(100,)), keras.layers.Dropout(0.5)])
    base.trainable = False
    ones = np.ones((1, 100))
    assert np.any(np.array(base(ones, training=training)) == 0)
    assert np.all(np.array(InferenceMode(base)(ones, training=training)) == 1)


# When the flag is read


@proves(
    "Yes: **set the flag, then compile, then train.**",
    false_with={"steps": "compile fit freeze fit"},
)
def test_set_compile_train(steps="freeze compile fit"):
    assert not learns(steps)
    assert learns("freeze compile unfreeze compile fit")


@proves(
    "On Keras 2 `compile()` records which weights are trainable.",
    keras="<3",
)
def test_keras_2_reads_the_flag_in_compile():
    assert learns("compile freeze fit")
    assert not learns("freeze compile unfreeze fit")
    assert not learns("compile freeze compile fit")


@proves(
    "Keras 3 reads the flag later, when the first `fit` traces the training step, "
    "so a flag set after `compile` and before that `fit` counts as well.",
    keras=">=3",
)
def test_keras_3_reads_the_flag_when_traced():
    assert not learns("compile freeze fit")
    assert learns("freeze compile unfreeze fit")
    assert learns("compile fit freeze fit")


@proves(
    "In these orders, Keras 2 and Keras 3 do the same if you compile after the "
    "last change of the flag.",
    false_with={"steps": "compile fit freeze fit"},
)
def test_both_agree_after_compile(steps="compile fit freeze compile fit"):
    assert not learns(steps)
    assert not learns("freeze compile fit")
    assert learns("freeze compile fit unfreeze compile fit")


@proves(
    "On Keras 3, a layer that you freeze after the first `fit` goes on learning, until "
    "a batch of another size makes `fit` trace again, as in the fourth row.",
    keras=">=3",
    false_with={"steps": "compile fit freeze fit"},
)
def test_another_shape_flips_the_answer(steps="compile fit freeze fit-5"):
    assert not learns(steps)
    assert learns("compile fit freeze fit")


@functools.cache
def unfreeze_with(same):
    """Train a head, unfreeze, compile with the same or a new optimizer, and train on.

    What it changes in the base, and the step counter of the first optimizer.
    """
    base, model = base_and_model()
    base.trainable = False
    first = keras.optimizers.Adam()
    model.compile(optimizer=first, loss="mse")
    fit(model)
    base.trainable = True
    model.compile(optimizer=first if same else keras.optimizers.Adam(), loss="mse")
    try:
        changed = changes(base, lambda: fit(model))
    except (ValueError, KeyError, NotImplementedError) as error:
        known = re.search(UNKNOWN_VARIABLE, str(error))
        changed = "unknown variable" if known else str(error)
    return changed, int(np.array(first.iterations))


@proves("Give each `compile()` a new optimizer.", false_with={"same": True})
def test_a_new_optimizer_object_works(same=False):
    assert unfreeze_with(same)[0] == [0, 1, 2, 3, 4, 5]


# Weights for another head


def stack(classes, names=("body", "head")):
    """A model of two layers."""
    layers = [keras.layers.Dense(4, name=names[0])]
    layers += [keras.layers.Dense(classes, name=names[1])]
    return keras.Sequential([keras.Input((3,)), *layers])


def bodies_after(model, file, **options):
    """Save five classes to a file, load it: the body saved, and that of the model."""
    saved = stack(5)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/{file}"
        (saved.save_weights if ".weights." in file else saved.save)(path)
        model.load_weights(path, **options)
    return saved.layers[0].get_weights()[0], model.layers[0].get_weights()[0]


@proves(
    '`load_weights("a.weights.h5", skip_mismatch=True)` loads every layer that '
    "fits, and leaves the new head as it is, with a warning.",
    false_with={"skip": False},
    needs="keras>=3",
)
def test_skip_mismatch_leaves_the_head(skip=True):
    model, error = stack(3), None
    head = model.layers[1].get_weights()[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            pair = bodies_after(model, "a.weights.h5", skip_mismatch=skip)
        except ValueError as raised:
            error = raised
    assert error is None
    assert np.array_equal(*pair)
    assert np.array_equal(model.layers[1].get_weights()[0], head)
    assert any("could not be loaded" in str(w.message) for w in caught)


@proves(
    "Loading such a file ignores the names of layers, and matches them by their class "
    "and order.",
    false_with={"order": ("relu", "dense")},
)
def test_weights_files_are_loaded_by_order(order=("dense", "relu")):
    renamed = stack(5, ("other", "name"))
    if order[0] == "relu":  # another layer of that class comes first
        first = keras.layers.Dense(3, name="body_2")
        renamed = keras.Sequential([keras.Input((3,)), first, *renamed.layers])
    try:
        saved, loaded = bodies_after(renamed, "a.weights.h5")
    except ValueError:
        saved, loaded = 0, 1
    assert np.array_equal(saved, loaded)


@proves(
    "From Keras 3.9 on, `by_name=True` works with whole models in the old `.h5` "
    "format, and needs `skip_mismatch=True` if a layer of the same name has "
    "another shape.",
    false_with={"skip": False},
    needs="keras>=3.9",
)
def test_by_name_needs_an_old_file(skip=True):
    with pytest.raises(ValueError, match="by_name"):
        bodies_after(stack(5), "a.weights.h5", by_name=True)
    assert np.array_equal(*bodies_after(stack(5), "a.h5", by_name=True))
    try:
        pair = bodies_after(stack(3), "a.h5", by_name=True, skip_mismatch=skip)
    except ValueError as error:
        pair = (str(error), "")
    assert np.array_equal(*pair)


@proves(
    "From a model in memory, copy a layer by its name: "
    '`new.get_layer("body").set_weights(old.get_layer("body").get_weights())`.',
    false_with={"name": "head"},
)
def test_a_layer_is_copied_by_its_name(name="body"):
    old, new = stack(5), stack(3)
    if name == "head":  # another layer than the one that is compared
        new = stack(5)
    new.get_layer(name).set_weights(old.get_layer(name).get_weights())
    kernels = [model.get_layer("body").get_weights()[0] for model in (old, new)]
    assert np.array_equal(*kernels)


# No error, wrong result


def reused(*units):
    """A base of Dense layers, and a classifier of two classes on it."""
    inner, x = keras.Input(shape=(8,)), keras.Input(shape=(8,))
    features = inner
    for size in units:
        features = keras.layers.Dense(size, activation="relu")(features)
    base = keras.Model(inner, features)
    return base, keras.Model(x, keras.layers.Dense(2, activation="softmax")(base(x)))


def history_of(model, rate, epochs, x, y, **options):
    """The history of a training with Adam; each epoch is one step."""
    adam, loss = keras.optimizers.Adam(rate), "sparse_categorical_crossentropy"
    model.compile(optimizer=adam, loss=loss)
    options |= {"epochs": epochs, "batch_size": len(x), "verbose": 0}
    return model.fit(x, y, **options).history


@proves(
    "**The preprocessing is done twice,** if the model preprocesses and a batch of "
    "`train` already has negative numbers, or no number above 1.",
    false_with={"again": False},
)
def test_preprocessing_done_twice_shows_in_a_batch(again=True):
    ways = [lambda pixels: pixels / 255]
    for module in ("resnet50", "mobilenet_v2", "densenet"):
        ways.append(getattr(keras.applications, module).preprocess_input)
    with tempfile.TemporaryDirectory() as folder:
        train = keras.utils.image_dataset_from_directory(image_folder(folder))
        for way in ways:
            done = train.map(lambda x, y, way=way: (way(x), y)) if again else train
            batch = np.array(next(iter(done))[0])
            assert batch.min() < 0 or batch.max() <= 1


def summary_of(model):
    """The lines of a model's summary that hold words."""
    said = []
    model.summary(line_length=200, print_fn=lambda line, **_: said.append(line))
    return [line for line in "\n".join(said).splitlines() if re.search(r"\w", line)]


@proves(
    "**The preprocessing is missing,** if `model.summary()` leads from the Input, or "
    "from random layers, straight to a base [that needs "
    "it](#which-preprocessing-and-where), and the dataset does no preprocessing "
    "either.",
    false_with={"modules": ("efficientnet",)},
)
def test_missing_preprocessing_shows_in_the_summary(
    modules=("resnet50", "mobilenet_v2", "densenet"),
):
    for module in modules:
        for preprocesses in (True, False):
            inner, photos = keras.Input(shape=(8, 8, 3)), keras.Input(shape=(8, 8, 3))
            pooled = keras.layers.GlobalAveragePooling2D()(inner)
            base = keras.Model(inner, pooled, name="the_base")
            x = keras.layers.RandomFlip("horizontal", name="the_flip")(photos)
            if preprocesses:
                x = getattr(keras.applications, module).preprocess_input(x)
            lines = summary_of(keras.Model(photos, base(x)))
            flip, there = (
                next(k for k, line in enumerate(lines) if name in line)
                for name in ("the_flip", "the_base")
            )
            assert (there - flip > 1) is preprocesses


@proves(
    "On Keras 3, that of ResNet shows as `get_item`, `stack` and `add`.",
    false_with={"module": "mobilenet_v2"},
    needs="keras>=3",
)
def test_preprocessing_of_resnet_in_the_summary(module="resnet50"):
    photos = keras.Input(shape=(8, 8, 3))
    x = getattr(keras.applications, module).preprocess_input(photos)
    said = " ".join(summary_of(keras.Model(photos, keras.layers.Flatten()(x))))
    assert all(f"{name} (" in said for name in ("get_item", "stack", "add"))


@proves(
    '**The network is random,** if `resnet.get_layer("conv1_bn").moving_mean` is all '
    "zeros: `weights=None` raises no error.",
    false_with={"trained": True},
)
def test_without_weights_a_network_is_random(trained=False):
    kernels = []
    for seed in (0, 1):
        keras.utils.set_random_seed(seed)
        resnet = application("ResNet50")
        kernels.append(resnet.get_weights()[0])
        if trained:
            resnet(np.random.default_rng(0).random((1, 32, 32, 3)), training=True)
        assert not np.any(np.array(resnet.get_layer("conv1_bn").moving_mean))
    assert not np.array_equal(*kernels)


@proves(
    "**The softmax has one unit,** if `model.predict(train)` is 1 for every image: "
    "give it two, or take a sigmoid.",
    false_with={"activation": "sigmoid"},
)
def test_a_softmax_of_one_unit_is_1(activation="softmax"):
    x = np.random.default_rng(0).normal(size=(10, 3))
    train = tf.data.Dataset.from_tensor_slices((x, np.arange(10.0) % 2)).batch(4)
    head = keras.layers.Dense(1, activation=activation)
    model = keras.Sequential([keras.Input(shape=(3,)), head])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras may say so
        model.compile(optimizer="sgd", loss="binary_crossentropy")
        model.fit(train, verbose=0)  # raises no error
        assert np.all(model.predict(train, verbose=0) == 1)


@proves(
    "**The rate is too high,** if the training loss rises or jumps, and **too low,** "
    "if it still falls in the last epoch.",
    false_with={"rates": (0.03, 0.3)},
)
def test_the_training_loss_shows_the_rate(rates=(30.0, 0.0001)):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(40, 8))
    y = (x[:, 0] > 0).astype(int)
    base, model = reused(16)
    base.trainable = False
    start = model.get_weights()
    losses = []
    for rate in rates:
        model.set_weights(start)
        losses.append(np.array(history_of(model, rate, 20, x, y)["loss"]))
    high, low = losses
    assert np.any(np.diff(high) > 0.1 * high[0])
    assert np.all(np.diff(low) < 0)
    assert low[-1] > 0.9 * low[0]


@proves(
    "**The validation images are prepared differently.** Read the training images "
    "with the code for the validation images: then `model.evaluate` gives a low "
    "accuracy for them too.",
    false_with={"different": False},
)
def test_another_pipeline_shows_on_the_training_images(different=True):
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).integers(0, 256, (100, 8)).astype("float32")
    y = (images[:, 0] > 127).astype(int)
    _, model = reused(16)
    x = images / 127.5 - 1
    history_of(model, 0.03, 60, x, y)
    read = images / 255 if different else x

    def accuracy(pixels):
        return np.mean(model.predict(pixels, verbose=0).argmax(axis=-1) == y)

    assert accuracy(x) > 0.95
    assert accuracy(read) < 0.9


@proves(
    "**The network overfits,** if the training accuracy is high with either pipeline, "
    "while the validation loss rises from epoch to epoch.",
    false_with={"few": 2000},
)
def test_a_head_with_few_images_overfits(few=20):
    keras.utils.set_random_seed(0)
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(few + 200, 64)), draw.integers(0, 2, few + 200)
    head = keras.layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input(shape=(64,)), head])
    held_back = {"validation_data": (x[few:], y[few:])}
    validation = history_of(model, 0.03, 60, x[:few], y[:few], **held_back)["val_loss"]
    answers = model.predict(x[:few], verbose=0).argmax(axis=-1)
    assert np.mean(answers == y[:few]) > 0.95
    assert np.all(np.diff(validation[-5:]) > 0)


@proves(
    "To undo the fine-tuning, load `photos.keras`, the best epoch of the script; "
    'its base is `model.get_layer("resnet50")`.',
    false_with={"frozen": False},
)
def test_the_file_leads_back_to_the_base(frozen=True):
    inner, x = keras.Input(shape=(3,)), keras.Input(shape=(3,))
    name = application("ResNet50").name
    base = keras.Model(inner, keras.layers.Dense(4)(inner), name=name)
    model = keras.Model(x, keras.layers.Dense(1)(base(x)))
    base.trainable = not frozen
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/a.keras")
        loaded = keras.models.load_model(f"{folder}/a.keras")
    assert len(loaded.trainable_weights) == 2  # those of the head
    loaded.get_layer("resnet50").trainable = True
    assert len(loaded.trainable_weights) == 4


@proves(
    "To find the cause, set `restore_best_weights` to `False` in the script and train "
    "again: then `model` is that of the last epoch, where the fault shows.",
    false_with={"restore": True},
)
def test_without_restoring_the_last_epoch_stays(restore=False):
    keras.utils.set_random_seed(0)
    head = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input(shape=(3,)), head])
    model.compile(optimizer=keras.optimizers.SGD(2.0), loss="mse")  # it diverges
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=restore)
    options = {"epochs": 6, "batch_size": 8, "verbose": 0, "callbacks": [stop]}
    losses = model.fit(X, Y, validation_data=(X, Y), **options).history["val_loss"]
    assert losses[-1] > 2 * min(losses)
    assert np.isclose(model.evaluate(X, Y, verbose=0), losses[-1], rtol=1e-3)


@proves(
    "**The rate is too high,** if the training loss rises: the weights that "
    "you wanted to reuse are overwritten. Take a hundredth of the rate that trained "
    "the head.",
    false_with={"rate": 0.0003},
)
def test_a_high_rate_overwrites_the_base(rate=0.3):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(40, 8))
    y = (x[:, 0] > 0).astype(int)
    base, model = reused(16)
    base.trainable = False
    head = history_of(model, 0.03, 20, x, y)["loss"]
    base.trainable = True
    old = base.get_weights()[0]
    tuned = history_of(model, rate, 4, x, y)["loss"]
    assert max(tuned) > 1.1 * head[-1]
    assert np.abs(base.get_weights()[0] - old).mean() > np.abs(old).mean()


@proves(
    "**`BatchNormalization` is not frozen,** if `fit` ends with a low loss, and "
    "`model.evaluate(train)` on the same images gives a high one: `fit` normalizes by "
    "the statistics of the batch, `evaluate` by the stored ones.",
    false_with={"frozen": True},
)
def test_unfrozen_normalization_disagrees(frozen=False):
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(3.0, 2.0, size=(32, 8))
    y = (x[:, 0] > 3).astype(int)
    base, _ = reused(16)
    normalization = keras.layers.BatchNormalization()
    normalized = keras.Model(base.input, normalization(base.output))
    normalization.trainable = not frozen
    inputs = keras.Input(shape=(8,))
    head = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(inputs, head(normalized(inputs)))
    in_fit = history_of(model, 0.1, 8, x, y)["loss"][-1]
    assert model.evaluate(x, y, verbose=0) > 3 * in_fit


def base_after_outer_flag(steps=(True,)):
    """The flag of a frozen base after flags of the model around it."""
    base = keras.Sequential([keras.Input(shape=(3,)), keras.layers.Dense(2)])
    base.trainable = False
    model = keras.Sequential([base, keras.layers.Dense(1)])
    assert model.trainable
    for flag in steps:
        model.trainable = flag
    return base.trainable


@proves(
    "The flag of the outer model is already `True`, so Keras 3 on TensorFlow skips "
    "the assignment, and the base inside stays frozen:",
    keras=">=3",
    false_with={"steps": (False, True)},
)
def test_a_flag_that_is_there_is_skipped(steps=(True,)):
    assert base_after_outer_flag(steps) is False


@proves(
    "The flag of the outer model is already `True`, so Keras 3 on TensorFlow skips "
    "the assignment, and the base inside stays frozen:",
    keras="<3",
)
def test_a_flag_that_is_there_is_passed_on_by_keras_2():
    assert base_after_outer_flag() is True


@proves(
    "The same happens to a base whose layers a loop froze one by one: "
    "`base.trainable` stayed `True`, so Keras 3 skips `base.trainable = True`, "
    "and the layers stay frozen.",
    keras=">=3",
    false_with={"loop": False},
)
def test_a_loop_leaves_the_flag_of_the_base(loop=True):
    base, model = base_and_model()
    for layer in base.layers if loop else [base]:
        layer.trainable = False
    assert len(model.trainable_weights) == 2  # those of the head
    base.trainable = True
    assert len(model.trainable_weights) == 2


@proves(
    "Or call the recipe {recipe}`snippets.transfer_learning.set_trainable`, which sets "
    "every flag.",
    false_with={"recipe": False},
    needs="keras>=3",
)
def test_set_trainable_sets_every_flag(recipe=True):
    from snippets.transfer_learning import every_layer, set_trainable

    base, model = base_and_model()
    for flag in (True, False):
        for other in (base, base.layers[1], base.layers[2]):
            other.trainable = not flag
            if recipe:
                set_trainable(model, flag)
            else:
                model.trainable = flag
            assert all(layer.trainable is flag for layer in every_layer(model))


def learned_in_a_frozen_base():
    """What a step changes in a frozen base whose Dense was unfrozen."""
    base, model = base_and_model()
    base.trainable = False
    base.layers[1].trainable = True
    model.compile(optimizer="sgd", loss="mse")
    return changes(base, lambda: fit(model))


@proves(
    "If you unfreeze one layer of a frozen base, Keras 3 trains it, and Keras 2 "
    "does not.",
    keras=">=3",
)
def test_a_layer_in_a_frozen_base_on_keras_3():
    assert learned_in_a_frozen_base() == [0, 1]


@proves(
    "If you unfreeze one layer of a frozen base, Keras 3 trains it, and Keras 2 "
    "does not.",
    keras="<3",
)
def test_a_layer_in_a_frozen_base_on_keras_2():
    assert learned_in_a_frozen_base() == []


@proves(
    "Called like a function, the model augments: the default of random layers is "
    "`training=True`.",
    false_with={"options": {"training": False}},
)
def test_random_layers_act_when_called(options=None):
    assert not np.allclose(shifts()(CORNER, **(options or {})), CORNER)


@proves(
    "Write `model(x, training=False)`, or call `predict`.",
    false_with={"training": True},
)
def test_training_false_keeps_images(training=False):
    model = shifts()
    assert np.allclose(model(CORNER, training=training), CORNER)
    assert np.allclose(model.predict(CORNER, verbose=0), CORNER)


# Errors


@proves(
    "Weights were unfrozen, and the optimizer does not know them: call `compile` "
    "again, with a new optimizer.",
    false_with={"same": False},
)
def test_an_old_optimizer_object_fails(same=True):
    changed, iterations = unfreeze_with(same)
    assert changed == "unknown variable"
    assert iterations == 1


@proves("Keras 2 says `The optimizer cannot recognize variable`.", keras="<3")
def test_an_old_optimizer_object_fails_on_keras_2():
    base, model = base_and_model()
    optimizer, said = keras.optimizers.Adam(), ""
    for trainable in (False, True):
        base.trainable = trainable
        model.compile(optimizer=optimizer, loss="mse")
        try:
            fit(model)
        except (ValueError, KeyError, NotImplementedError) as error:
            said = str(error)
    assert "The optimizer cannot recognize variable" in said


@proves(
    "From Keras 3.9 to 3.12 the message is `numpy() is only available when eager "
    "execution is enabled.` instead.",
    keras=">=3.9,<3.13",
)
def test_the_message_of_an_unknown_variable_fails():
    try:
        said = learns("freeze compile fit unfreeze fit-5")
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    text = "numpy() is only available when eager execution is enabled."
    assert said == f"NotImplementedError: {text}"


@functools.cache
def offline(who, weights="default"):
    """What a call gives without a network and without a file: a model or its error.

    Args:
        who: `recipe`, or `keras` for `ResNet50` itself.
        weights: left out if it is `default`.
    """
    options = {} if weights == "default" else {"weights": weights}

    def refuse(*arguments, **options):
        raise OSError(101, "Network is unreachable")

    def exists(path, known=os.path.exists):
        return "resnet50" not in str(path) and known(path)

    with contextlib.ExitStack() as stack:
        for name in ("getaddrinfo", "create_connection", "socket.connect"):
            stack.enter_context(mock.patch(f"socket.{name}", refuse))
        stack.enter_context(mock.patch("os.path.exists", exists))
        try:
            if who == "keras":
                return keras.applications.ResNet50(include_top=False, **options)
            from snippets.transfer_learning import resnet50_classifier

            return resnet50_classifier(5, image_shape=(32, 32, 3), **options)
        except Exception as error:
            return error


@proves(
    "Keras cannot download the weights.",
    false_with={"who": "recipe"},
)
def test_keras_raises_a_bare_exception(who="keras"):
    error = offline(who)
    assert type(error) is Exception
    assert str(error).startswith("URL fetch failure on https://")


@proves(
    "Download that file elsewhere, and pass its path: "
    '`weights="resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"`.',
    false_with={"loaded": False},
)
def test_weights_may_be_a_path(loaded=True):
    options = {"include_top": False, "input_shape": (32, 32, 3), "alpha": 0.25}
    first = keras.applications.MobileNet(weights=None, **options)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/a.weights.h5"
        first.save_weights(path)
        weights = path if loaded else None
        second = keras.applications.MobileNet(weights=weights, **options)
    assert np.array_equal(first.get_weights()[0], second.get_weights()[0])


def error_of(call, *arguments, **options):
    """The first line of the error of a call, with its kind, or no words."""
    try:
        call(*arguments, **options)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"
    return ""


@proves(
    "Update Keras: 3.11.2 builds an EfficientNet for one channel ([issue "
    "21529](https://github.com/keras-team/keras/issues/21529)), while its weights "
    "are for three; 3.9 and 3.13 build it for three.",
    false_with={"weights": None, "channels": 1},
    needs="keras>=3",
    keras="!=3.11.*",
)
def test_three_channels_again(weights="imagenet", channels=3):
    from keras.src.utils import file_utils

    options = {"include_top": False, "input_shape": (32, 32, channels)}
    # Nothing is downloaded: only with these weights did the channels get lost.
    with (
        mock.patch.object(file_utils, "get_file", return_value=""),
        mock.patch.object(keras.Model, "load_weights"),
    ):
        network = keras.applications.EfficientNetB0(weights=weights, **options)
    assert network.get_layer("stem_conv").kernel.shape[2] == 3


@proves(
    "The images are gray, and ImageNet's weights are for color.",
    false_with={"weights": None},
)
def test_gray_images_are_refused(weights="imagenet"):
    shape = {"input_shape": (32, 32, 1), "weights": weights}
    said = error_of(keras.applications.ResNet50, include_top=False, **shape)
    assert said.startswith("ValueError: The input must have 3 channels")


@proves(
    "Leave out `color_mode`, and `image_dataset_from_directory` reads a gray file "
    "as three equal channels.",
    false_with={"options": {"color_mode": "grayscale"}},
)
def test_gray_files_become_color(options=None):
    with tempfile.TemporaryDirectory() as folder:
        images = keras.utils.image_dataset_from_directory(
            image_folder(folder, channels=1), image_size=(8, 8), **(options or {})
        )
        pixels = np.array(next(iter(images))[0])
    assert pixels.shape[-1] == 3
    assert np.ptp(pixels, axis=-1).max() == 0


@proves(
    "For an array of shape `(n, height, width, 1)`, `np.repeat(images, 3, axis=-1)` "
    "does the same; without the last axis, begin with `images[..., None]`.",
    false_with={"axis": 1},
)
def test_gray_arrays_become_color(axis=-1):
    with tempfile.TemporaryDirectory() as folder:
        options = {"directory": image_folder(folder, channels=1), "shuffle": False}
        color, gray = (
            np.concatenate(
                [
                    np.array(batch)
                    for batch, _ in keras.utils.image_dataset_from_directory(
                        image_size=(8, 8), color_mode=mode, **options
                    )
                ]
            )
            for mode in ("rgb", "grayscale")
        )
    assert gray.shape[-1] == 1
    assert np.array_equal(np.repeat(gray, 3, axis=axis), color)
    flat = gray[..., 0]
    assert np.array_equal(np.repeat(flat[..., None], 3, axis=axis), color)


@proves(
    "The images are too small for the network; set a larger `image_size`, the same in "
    "`input_shape` and in the Input.",
    false_with={"size": 32},
)
def test_images_of_32_at_least(size=31):
    said = error_of(application, "ResNet50", input_shape=(size, size, 3))
    assert said.startswith("ValueError: Input size must be at least 32x32")


@proves(
    "`input_shape should be (224, 224, 3)`, or `classes should be 1000`: with "
    "`include_top=True`, the weights of ImageNet allow no other size and no other "
    "`classes`.",
    false_with={"top": False},
)
def test_top_has_1000_classes(top=True):
    network = functools.partial(keras.applications.ResNet50, include_top=top)
    with mock.patch("socket.getaddrinfo", side_effect=OSError(101, "no network")):
        sized = error_of(network, input_shape=(128, 128, 3))
        classed = error_of(network, classes=5)
    assert "`input_shape` should be (224, 224, 3)" in sized
    assert "`classes` should be 1000" in classed


def error_of_fit(output, labels, loss="sparse_categorical_crossentropy"):
    """What `fit` says to labels, of a model that ends in a softmax of some shape."""
    x = keras.Input((2, 2, 3))
    y = x if output == "maps" else keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(x, keras.layers.Dense(5, activation="softmax")(y))
    model.compile(optimizer="sgd", loss=loss)
    return error_of(model.fit, np.ones((6, 2, 2, 3)), labels, verbose=0)


RANKS = "Argument `output` must have rank (ndim) `target.ndim - 1`"


@proves(
    'The maps were not pooled: pass `pooling="avg"`.',
    false_with={"output": "pooled"},
    needs="keras>=3",
)
def test_maps_need_pooling(output="maps"):
    assert RANKS in error_of_fit(output, np.zeros(6))


@proves(
    'Or the labels are one-hot vectors, from `label_mode="categorical"`: then the '
    "loss is `categorical_crossentropy`.",
    false_with={"loss": "categorical_crossentropy"},
    needs="keras>=3",
)
def test_one_hot_labels_need_another_loss(loss="sparse_categorical_crossentropy"):
    labels = np.eye(5)[[0, 1, 2, 3, 4, 0]]
    assert RANKS in error_of_fit("pooled", labels, loss)
    assert error_of_fit("pooled", labels, "categorical_crossentropy") == ""


@proves(
    "``Arguments `target` and `output` must have the same rank (ndim)``: "
    "`image_dataset_from_directory` gives the labels as whole numbers, so the "
    "loss is `sparse_categorical_crossentropy`.",
    false_with={"loss": "sparse_categorical_crossentropy"},
    needs="keras>=3",
)
def test_whole_numbers_need_the_sparse_loss(loss="categorical_crossentropy"):
    said = error_of_fit("pooled", np.zeros(6), loss)
    assert "Arguments `target` and `output` must have the same rank (ndim)" in said
    assert error_of_fit("pooled", np.zeros(6)) == ""


@proves(
    "`No images found in directory`: each class needs a folder of its own inside, "
    "with BMP, GIF, JPEG or PNG files.",
    false_with={"per_class": 1},
)
def test_a_folder_without_images(per_class=0):
    with tempfile.TemporaryDirectory() as folder:
        read = keras.utils.image_dataset_from_directory
        said = error_of(read, image_folder(folder, per_class=per_class))
        formats = re.findall(r"\w+(?=')", said)
    assert "No images found in directory" in said
    assert {"bmp", "gif", "jpeg", "png"} <= set(formats)


@proves(
    "A file of weights does not fit the model; the message names the layers.",
    false_with={"classes": 5},
    needs="keras>=3",
)
def test_objects_could_not_be_loaded(classes=3):
    said = error_of(bodies_after, stack(classes), "a.weights.h5")
    assert said.startswith("ValueError: A total of 1 objects could not be loaded")
    assert "name=head" in said


def warned_with_nothing_to_train():
    """What a model warns of when it has no weight to train."""
    model = keras.Sequential([keras.Input(shape=(3,)), keras.layers.Dense(1)])
    model.trainable = False
    model.compile(optimizer="sgd", loss="mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(model)
    return any("any trainable weights" in str(w.message) for w in caught)


@proves(
    "Everything is frozen, the head too, and `fit` trains nothing.",
    keras=">=3",
)
def test_nothing_to_train_on_keras_3():
    assert warned_with_nothing_to_train()


@proves(
    "Keras 2 does so without a warning.",
    keras="<3",
)
def test_nothing_to_train_on_keras_2():
    assert not warned_with_nothing_to_train()

"""Proofs of the Transfer learning guide."""

import contextlib
import functools
import os
import re
import tempfile
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
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


# The answer


@proves(
    "Take the trained network without its last layer, set `base.trainable = False`, "
    "put a new last layer on it, compile, and train.",
    false_with={"frozen": ""},
)
def test_the_recipe_trains_the_head_alone(frozen="base"):
    assert learned(frozen) == [6, 7]  # kernel and bias of the head


@proves(
    "What is frozen then stays as it is to the last bit, the statistics of "
    "`BatchNormalization` included:",
    false_with={"frozen": ""},
)
def test_frozen_to_the_last_bit(frozen="base"):
    assert len(base_and_model()[0].get_weights()) == 6  # two of them are statistics
    assert min(learned(frozen)) == 6


@proves(
    "Keep the order: **set the flag, then compile, then train.**",
    false_with={"steps": "compile fit freeze fit"},
)
def test_set_compile_train(steps="freeze compile fit"):
    assert not learns(steps)
    assert learns("freeze compile unfreeze compile fit")


@proves(
    "Three habits break freezing without an error, and each is on this page: changing "
    "the flag after `compile()`, relying on `base(x, training=False)`, and unfreezing "
    "through the outer model.",
    keras=">=3",
)
def test_three_habits_break_freezing():
    assert learns("compile fit freeze fit")
    assert {4, 5} <= set(learned(training=False))
    assert base_after_outer_flag() is False


# Step by step


def few_new_digits(per_class):
    """Some images of each digit from 5 to 9 to learn from, and the rest to test."""
    from snippets.data import digit_images
    from snippets.transfer_learning import few_per_class, select_classes

    return few_per_class(*select_classes(*digit_images(), range(5, 10)), per_class)


@proves(
    "Our trained network knows the digits 0 to 4, from 901 images.",
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
    "The new task is 5 to 9, with 25 labeled images, 5 of each; the other 871 are the "
    "test.",
    false_with={"per_class": 4},
    needs="keras>=3",
)
def test_the_sizes_of_the_task(per_class=5):
    few, labels, rest, _ = few_new_digits(per_class)
    assert (len(few), len(rest)) == (25, 871)
    assert np.bincount(labels).tolist() == [5, 5, 5, 5, 5]


@proves(
    "A network has a **base**, which turns an image into features, and a **head**, "
    "which turns features into scores.",
    false_with={"same": False},
    needs="keras>=3",
)
def test_base_and_head(same=True):
    from snippets.transfer_learning import classifier_on, feature_network

    base, other = feature_network(), feature_network()
    model = classifier_on(base, 5)
    images = np.ones((2, 8, 8, 1), "float32")
    features = (base if same else other)(images)
    assert features.shape == (2, 32)
    assert np.allclose(model.get_layer("head")(features), model(images), atol=1e-6)


def two_classes():
    """A classifier of vectors of 3, and two examples for it."""
    x = keras.Input(shape=(3,))
    model = keras.Model(x, keras.layers.Dense(2, activation="softmax")(x))
    return model, X[:2], np.array([0, 1])


@proves(
    "`train_classifier` compiles and fits.",
    false_with={"fits": False},
    needs="keras>=3",
)
def test_train_compiles_and_fits(fits=True):
    from snippets.transfer_learning import train_classifier

    model, x, y = two_classes()
    if fits:
        train_classifier(model, x, y, 0.01, 1)
    else:
        model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    assert model.compiled
    assert int(np.array(model.optimizer.iterations)) == 1


@proves(
    "It refuses a negative learning rate, an empty array or a label out of range "
    "before it changes anything.",
    false_with={"rate": 0.01},
    needs="keras>=3",
)
def test_train_refuses_before_it_changes(rate=-0.01):
    from snippets.transfer_learning import train_classifier

    model, x, y = two_classes()
    before = model.get_weights()
    for images, labels, learning_rate in (
        (x[:0], y[:0], 0.01),
        (x, y + 1, 0.01),
        (x, y - 1, 0.01),
        (x, y, rate),
    ):
        with pytest.raises(ValueError, match="Expected"):
            train_classifier(model, images, labels, learning_rate, 1)
    assert not model.compiled
    assert all(map(np.array_equal, before, model.get_weights()))


@proves(
    "Two recipes say which weights changed between two moments, by comparing bytes.",
    false_with={"toward": 0.0},
    needs="keras>=3",
)
def test_one_bit_is_a_change(toward=1.0):
    from snippets.transfer_learning import (
        changed_weights,
        feature_network,
        weight_values,
    )

    base = feature_network()
    before = weight_values(base)
    assert changed_weights(before, weight_values(base)) == []
    bias = base.get_layer("conv_2").bias  # zeros
    bias.assign(np.nextafter(np.array(bias), np.float32(toward)))
    assert changed_weights(before, weight_values(base)) == ["conv_2/bias"]


@proves(
    "The head changed, and nothing else of the 14 weights.",
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
    "Its `BatchNormalization` stays frozen, so that the statistics of 25 images do not "
    "replace those of 901.",
    false_with={"recipe": False},
    needs="keras>=3",
)
def test_unfreezing_keeps_normalization_frozen(recipe=True):
    from snippets.transfer_learning import (
        feature_network,
        set_trainable,
        unfreeze_from,
    )

    base = feature_network()
    if recipe:
        assert unfreeze_from(base, "conv_2") == ["conv_2"]
    else:
        set_trainable(base, True)
    images = np.random.default_rng(0).random((25, 8, 8, 1))
    for layer in (base.get_layer("norm_1"), base.get_layer("norm_2")):
        assert not layer.trainable
        assert changes(layer, lambda: base(images, training=True)) == []


@proves(
    '`unfreeze_from(base, "conv_1")` would unfreeze both convolutions.',
    false_with={"layer": "conv_2"},
    needs="keras>=3",
)
def test_unfreezing_from_the_first_layer(layer="conv_1"):
    from snippets.transfer_learning import feature_network, unfreeze_from

    base = feature_network()
    unfreeze_from(base, layer)
    names = [part.name for part in base.layers if part.trainable_weights]
    assert names == ["conv_1", "conv_2"]


@proves(
    "Both steps are one recipe, which trains a copy and leaves the base as it is.",
    false_with={"copied": False},
    needs="keras>=3",
)
def test_transfer_leaves_the_base_alone(copied=True):
    from snippets.transfer_learning import (
        classifier_on,
        train_classifier,
        train_head_then_fine_tune,
    )

    base, _ = base_and_model()
    y = np.array([0, 1])
    before = base.get_weights()
    if copied:
        model, history = train_head_then_fine_tune(base, X[:2], y, 2, None, (1, 1))
        assert len(history["loss"]) == 2
        assert not np.array_equal(model.layers[1].get_weights()[0], before[0])
    else:
        train_classifier(classifier_on(base, 2), X[:2], y, 0.03, 1)
    assert all(map(np.array_equal, before, base.get_weights()))
    assert all(layer.trainable for layer in base.layers)


def shifts():
    """A model that shifts images by up to half their size, and does nothing else."""
    move = keras.layers.RandomTranslation(0.5, 0.5, fill_mode="constant")
    return keras.Sequential([keras.Input(shape=(8, 8, 1)), move])


CORNER = np.zeros((9, 8, 8, 1), "float32")
CORNER[:, 3, 3] = 1.0


@proves(
    "Random layers stand between the Input and the base, and act in `fit`, not in "
    "`predict`.",
    false_with={"training": False},
)
def test_random_layers_act_in_fit(training=True):
    model = shifts()
    assert np.allclose(model.predict(CORNER, verbose=0), CORNER)
    # What `fit` calls a model with.
    assert not np.allclose(model(CORNER, training=training), CORNER)


@proves(
    "Called like a function, the model shifts too: random layers take `training=True` "
    "for granted.",
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


# When the flag is read


@proves(
    "On Keras 2, `compile()` records which weights are trainable; a flag set after it "
    "takes effect at the next `compile()`.",
    keras="<3",
)
def test_keras_2_reads_the_flag_in_compile():
    assert learns("compile freeze fit")
    assert not learns("freeze compile unfreeze fit")
    assert not learns("compile freeze compile fit")


@proves(
    "On Keras 3, `compile()` records nothing: the flag is read when the training "
    "step is traced, in the first `fit`.",
    keras=">=3",
)
def test_keras_3_reads_the_flag_when_traced():
    assert not learns("compile freeze fit")
    assert learns("freeze compile unfreeze fit")
    assert learns("compile fit freeze fit")


@proves(
    "The [official guide](https://keras.io/guides/transfer_learning/) says that "
    "calling `compile()` freezes that behavior of the model, which is so on Keras 2 "
    "alone.",
    keras="<3",
)
def test_compile_freezes_on_keras_2():
    assert learns("compile freeze fit")


@proves(
    "The [official guide](https://keras.io/guides/transfer_learning/) says that "
    "calling `compile()` freezes that behavior of the model, which is so on Keras 2 "
    "alone.",
    keras=">=3",
)
def test_compile_freezes_nothing_on_keras_3():
    assert not learns("compile freeze fit")


@functools.cache
def changed_on_a_line(steps):
    from snippets.transfer_learning.freezing import changed_in_base

    return changed_in_base(keras, steps)


@proves(
    "Each line runs its steps on a small base inside a model, and says whether the "
    "last step changed the base; `fit:5` is a `fit` with a batch of 5 in place of 8 "
    "examples.",
    false_with={"last": "fit"},
    needs="keras>=3",
)
def test_lines_of_the_truth_table(last="fit:5"):
    assert changed_on_a_line("compile fit freeze fit") != []
    assert changed_on_a_line(f"compile fit freeze {last}") == []


@proves(
    "The two agree where a `compile` stands between the last flag and the `fit`.",
    false_with={"steps": "compile fit freeze fit"},
)
def test_both_agree_after_compile(steps="compile fit freeze compile fit"):
    assert not learns(steps)
    assert not learns("freeze compile fit")
    assert learns("freeze compile fit unfreeze compile fit")


@proves(
    "On Keras 3 a flag that came too late is obeyed as soon as a batch of another "
    "shape makes `fit` trace again.",
    keras=">=3",
    false_with={"steps": "compile fit freeze fit"},
)
def test_another_shape_flips_the_answer(steps="compile fit freeze fit-5"):
    assert not learns(steps)


@proves(
    "An unfreezing that is found that way is an error instead: the optimizer was built "
    "without those weights.",
    keras=">=3",
    false_with={"steps": "freeze compile fit unfreeze compile fit-5"},
)
def test_unknown_variable_after_a_new_trace(
    steps="freeze compile fit unfreeze fit-5",
):
    with pytest.raises((ValueError, NotImplementedError), match=UNKNOWN_VARIABLE):
        learns(steps)


@proves(
    "On Keras 3.9 and 3.11 the message itself fails, and you read "
    "`NotImplementedError: numpy() is only available when eager execution is enabled.`",
    keras=">=3.9,<3.13",
)
def test_the_message_of_an_unknown_variable_fails():
    try:
        said = learns("freeze compile fit unfreeze fit-5")
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    text = "numpy() is only available when eager execution is enabled."
    assert said == f"NotImplementedError: {text}"


def eager_steps():
    """Which weights a step without a trace changes after a late freeze."""
    base, model = base_and_model()
    model.compile(optimizer="sgd", loss="mse", run_eagerly=True)
    fit(model)
    base.trainable = False
    return changes(base, lambda: fit(model))


@proves(
    "With `run_eagerly=True` nothing is traced, and Keras 3 reads the flag in each "
    "step; Keras 2 still goes by `compile()`.",
    keras=">=3",
)
def test_eager_steps_read_the_flag_on_keras_3():
    assert eager_steps() == []


@proves(
    "With `run_eagerly=True` nothing is traced, and Keras 3 reads the flag in each "
    "step; Keras 2 still goes by `compile()`.",
    keras="<3",
)
def test_eager_steps_go_by_compile_on_keras_2():
    assert eager_steps() == [0, 1, 2, 3, 4, 5]


@proves(
    "`compile()` drops the traced step, so the flags are read anew.",
    false_with={"again": ""},
)
def test_compile_drops_the_trace(again="compile"):
    assert not learns(f"compile fit freeze {again} fit")


@proves(
    'An optimizer given by name, `"adam"`, starts from nothing: its step counter is 0 '
    "again.",
    false_with={"named": False},
)
def test_a_named_optimizer_starts_anew(named=True):
    optimizer = "adam" if named else keras.optimizers.Adam()
    model, _, _ = two_classes()
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(X, np.ones((8, 2)), verbose=0)
    assert int(np.array(model.optimizer.iterations)) == 1
    model.compile(optimizer=optimizer, loss="mse")
    assert int(np.array(model.optimizer.iterations)) == 0


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


@proves(
    "An optimizer object keeps its state, and knows only the weights it was built for.",
    false_with={"same": False},
)
def test_an_old_optimizer_object_fails(same=True):
    changed, iterations = unfreeze_with(same)
    assert changed == "unknown variable"
    assert iterations == 1


@proves("Give each `compile()` a new one.", false_with={"same": True})
def test_a_new_optimizer_object_works(same=False):
    assert unfreeze_with(same)[0] == [0, 1, 2, 3, 4, 5]


# BatchNormalization, and `training=False`


@proves(
    "`BatchNormalization` has four weights: two that gradients train, and two "
    "statistics, which move in every training step.",
    false_with={"training": False},
)
def test_normalization_has_two_kinds_of_weights(training=True):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    assert (len(layer.trainable_weights), len(layer.weights)) == (2, 4)
    for _ in range(2):
        assert changes(layer, lambda: layer(X + 9, training=training)) == [2, 3]


@proves(
    "Frozen, it uses its statistics and leaves them alone, also while the model around "
    "it trains.",
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
    "The other way to that is `base(x, training=False)`, and here is the second trap.",
    false_with={"training": True},
)
def test_training_false_is_the_other_way(training=False):
    base, _ = base_and_model()
    assert changes(base, lambda: base(X, training=training)) == []


@proves("Keras 2 obeys what you wrote.", keras="<3")
def test_training_false_is_obeyed_on_keras_2():
    assert learned(training=False) == [0, 1, 2, 3, 6, 7]


@proves(
    "On Keras 3 the `training=True` of `fit` replaces it in a Functional model, and "
    "the statistics move once the base is unfrozen.",
    keras=">=3",
)
def test_training_false_is_replaced_on_keras_3():
    assert learned(training=False) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert learned("base", training=False) == [6, 7]


def dropped_by_predict():
    """Whether `predict` drops, with a Dropout that was called with `training=True`."""
    x = keras.Input(shape=(100,))
    model = keras.Model(x, keras.layers.Dropout(0.5)(x, training=True))
    return bool(np.any(model.predict(np.ones((1, 100)), verbose=0) == 0))


@proves(
    "The same happens to `Dropout` called with `training=True`, to sample predictions: "
    "on Keras 3 `predict` drops nothing.",
    keras="<3",
)
def test_dropout_in_predict_on_keras_2():
    assert dropped_by_predict()


@proves(
    "The same happens to `Dropout` called with `training=True`, to sample predictions: "
    "on Keras 3 `predict` drops nothing.",
    keras=">=3",
)
def test_dropout_in_predict_on_keras_3():
    assert not dropped_by_predict()


@proves(
    "Freeze the `BatchNormalization` layers, as `unfreeze_from` does; that works on "
    "both.",
    false_with={"frozen": ""},
)
def test_freezing_normalization_works_on_both(frozen="norm"):
    assert learned(frozen) == [0, 1, 6, 7]


@proves(
    "Or call the base inside a layer of your own: there, what you wrote is obeyed.",
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
    "Freezing does not stop `Dropout`: in a frozen base it still drops while the model "
    "trains.",
    false_with={"training": False},
)
def test_frozen_dropout_still_drops(training=True):
    base = keras.Sequential([keras.Input(shape=(100,)), keras.layers.Dropout(0.5)])
    base.trainable = False
    assert np.any(np.array(base(np.ones((1, 100)), training=training)) == 0)


# Flags in nested models


@proves(
    "Setting the flag of a model sets it in every layer inside.",
    false_with={"flag": True},
)
def test_a_flag_goes_down(flag=False):
    base, model = base_and_model()
    model.trainable = flag
    assert not any(layer.trainable for layer in [*model.layers, *base.layers])


def learned_in_a_frozen_base():
    """What a step changes in a frozen base whose Dense was unfrozen."""
    base, model = base_and_model()
    base.trainable = False
    base.layers[1].trainable = True
    model.compile(optimizer="sgd", loss="mse")
    return changes(base, lambda: fit(model))


@proves(
    "A layer unfrozen inside a frozen base is the last line of the table above: Keras "
    "3 trains it, Keras 2 does not.",
    keras=">=3",
)
def test_a_layer_in_a_frozen_base_on_keras_3():
    assert learned_in_a_frozen_base() == [0, 1]


@proves(
    "A layer unfrozen inside a frozen base is the last line of the table above: Keras "
    "3 trains it, Keras 2 does not.",
    keras="<3",
)
def test_a_layer_in_a_frozen_base_on_keras_2():
    assert learned_in_a_frozen_base() == []


@proves(
    "In a frozen model that is itself trained, nothing learns on either.",
    false_with={"frozen": False},
)
def test_a_frozen_model_trains_nothing(frozen=True):
    base, model = base_and_model()
    model.trainable = not frozen
    base.layers[1].trainable = True
    assert model.trainable_weights == []


@proves(
    "The flags of the layers are saved with the model.",
    false_with={"frozen": False},
)
def test_flags_are_saved(frozen=True):
    layers = [keras.layers.Dense(4), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input(shape=(3,)), *layers])
    layers[0].trainable = not frozen
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        loaded = keras.models.load_model(f"{folder}/model.keras")
    assert [layer.trainable for layer in loaded.layers] == [False, True]


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
    "If no weight is left to train, Keras 3 warns, and Keras 2 is silent:",
    keras=">=3",
)
def test_nothing_to_train_on_keras_3():
    assert warned_with_nothing_to_train()


@proves(
    "If no weight is left to train, Keras 3 warns, and Keras 2 is silent:",
    keras="<3",
)
def test_nothing_to_train_on_keras_2():
    assert not warned_with_nothing_to_train()


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
    "On Keras 3 with TensorFlow, `model.trainable = True` then does nothing: an "
    "attribute set to the value it has is skipped, and the layers inside are not told.",
    keras=">=3",
    false_with={"steps": (False, True)},
)
def test_a_flag_that_is_there_is_skipped(steps=(True,)):
    assert base_after_outer_flag(steps) is False


@proves("Keras 2 tells them.", keras="<3")
def test_a_flag_that_is_there_is_passed_on_by_keras_2():
    assert base_after_outer_flag() is True


@proves(
    "Set the flag of the base itself, or use `set_trainable`, which sets every flag "
    "whatever stood there.",
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


# The ResNet50 recipe


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


def resnet():
    return offline("recipe", None)


def five_classes(on):
    """A network with five classes, on ResNet50 or on another base."""
    from snippets.transfer_learning import classifier_on, feature_network

    return resnet() if on == "ResNet50" else classifier_on(feature_network(), 5)


@proves(
    "The published recipe: `ResNet50` without its top, global pooling, a `Dense` of "
    "1,024, a `Dense` for your classes.",
    false_with={"base": "another"},
    needs="keras>=3",
)
def test_the_published_recipe(base="ResNet50"):
    layers = five_classes(base).layers
    kinds = [type(layer).__name__ for layer in layers[-3:]]
    assert kinds == ["GlobalAveragePooling2D", "Dense", "Dense"]
    assert [layer.units for layer in layers[-2:]] == [1024, 5]
    assert layers[-4].name == "conv5_block3_out"  # the last of ResNet50's own


@proves(
    "For 5 classes it has 25,691,013 parameters, and 4 of its weights learn.",
    false_with={"base": "another"},
    needs="keras>=3",
)
def test_the_size_of_the_resnet_recipe(base="ResNet50"):
    model = five_classes(base)
    assert model.count_params() == 25_691_013
    assert len(model.trainable_weights) == 4


@proves(
    "With `weights=None` it runs anywhere, untrained.",
    keras=">=3",
    false_with={"weights": "imagenet"},
)
def test_the_resnet_recipe_runs_untrained(weights=None):
    model = offline("recipe", weights)
    assert isinstance(model, keras.Model)
    scores = np.array(model(np.ones((1, 32, 32, 3))))
    assert scores.shape == (1, 5)
    assert np.isclose(scores.sum(), 1.0, atol=1e-5)


@proves(
    'The default is `weights="imagenet"`.',
    keras=">=3",
    false_with={"weights": None},
)
def test_the_default_is_imagenet(weights="default"):
    error = offline("recipe", weights)
    assert isinstance(error, ConnectionError)
    assert "the ImageNet weights" in str(error)


@proves(
    "Keras downloads that file once, and without a network raises a bare `Exception` "
    "that names an address.",
    false_with={"who": "recipe"},
)
def test_keras_raises_a_bare_exception(who="keras"):
    error = offline(who)
    assert type(error) is Exception
    assert str(error).startswith("URL fetch failure on https://")


@proves(
    "The recipe says what to do instead:",
    keras=">=3",
    false_with={"who": "keras"},
)
def test_the_recipe_says_what_to_do(who="recipe"):
    error = offline(who)
    assert isinstance(error, ConnectionError)
    assert str(error).startswith("Expected the ImageNet weights of ResNet50")
    assert "`weights=None`" in str(error)


@proves(
    "A file that was downloaded before is used without a network.",
    false_with={"downloaded": False},
)
def test_a_downloaded_file_is_used(downloaded=True):
    nowhere = "http://127.0.0.1:9/weights.h5"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "models").mkdir()
        if downloaded:
            Path(folder, "models/weights.h5").touch()
        place = {"cache_dir": folder, "cache_subdir": "models"}
        try:
            path = keras.utils.get_file("weights.h5", nowhere, **place)
        except Exception:
            path = ""
        assert path == f"{folder}/models/weights.h5"


@proves(
    "These weights expect their images as "
    "`keras.applications.resnet50.preprocess_input` makes them: blue first, each color "
    "minus its mean.",
    false_with={"color": (0.0, 0.0, 255.0)},
)
def test_resnet_expects_preprocessed_images(color=(255.0, 0.0, 0.0)):
    red = np.full((1, 1, 1, 3), color)
    made = keras.applications.resnet50.preprocess_input(red)
    blue_green_red = np.array([0.0, 0.0, 255.0]) - [103.939, 116.779, 123.68]
    assert np.allclose(made, blue_green_red)


@proves(
    "Images divided by 255 raise no error.",
    false_with={"channels": 1},
    needs="keras>=3",
)
def test_scaled_images_raise_no_error(channels=3):
    images = np.full((1, 32, 32, channels), 128.0)
    try:
        scaled = np.array(resnet()(images / 255))
    except ValueError:
        scaled = None
    assert scaled is not None
    meant = keras.applications.resnet50.preprocess_input(images.copy())
    assert not np.allclose(scaled, resnet()(meant))


# No error, wrong result


@proves(
    "fine-tuned with a high learning rate | the weights you wanted to reuse are "
    "overwritten | a rate 10 times lower than the head's",
    false_with={"rate": 0.003},
    needs="keras>=3",
)
def test_row_high_rate(rate=0.3):
    images, y, _, _ = few_new_digits(5)
    pixels = keras.Input(shape=(64,))
    base = keras.Model(pixels, keras.layers.Dense(16, activation="relu")(pixels))
    scores = keras.layers.Dense(5, activation="softmax")(base(pixels))
    model = keras.Model(pixels, scores)
    old = base.get_weights()[0]
    adam, loss = keras.optimizers.Adam(rate), "sparse_categorical_crossentropy"
    model.compile(adam, loss, run_eagerly=True)
    model.fit(images.reshape(-1, 64), y, epochs=5, verbose=0)
    assert np.abs(base.get_weights()[0] - old).mean() > np.abs(old).mean()

"""Proofs of the Transfer learning guide."""

import functools
import inspect
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

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


@functools.cache
def digits():
    """The base that knows 0 to 4, and the images and labels of 5 to 9."""
    from snippets.data import digit_images
    from snippets.transfer_learning import (
        classifier_on,
        feature_network,
        select_classes,
        train,
    )

    keras.utils.set_random_seed(0)
    base = feature_network()
    known = select_classes(*digit_images(), range(5))
    train(classifier_on(base, 5), *known, 0.003, 5)
    return base, known, select_classes(*digit_images(), range(5, 10))


@proves(
    "Our trained network knows the digits 0 to 4, from 901 images.",
    keras=">=3",
    false_with={"known": 896},
)
def test_the_trained_network_knows_901_images(known=901):
    _, (images, labels), _ = digits()
    assert len(images) == known
    assert sorted(set(labels.tolist())) == [0, 1, 2, 3, 4]


@proves(
    "The new task is 5 to 9, with 25 labeled images, 5 of each; the other 871 are the "
    "test.",
    keras=">=3",
    false_with={"per_class": 4},
)
def test_the_sizes_of_the_task(per_class=5):
    from snippets.transfer_learning import few_per_class

    few, labels, rest, _ = few_per_class(*digits()[2], per_class=per_class)
    assert (len(few), len(rest)) == (25, 871)
    assert np.bincount(labels).tolist() == [5, 5, 5, 5, 5]


@proves(
    "A network has a **base**, which turns an image into features, and a **head**, "
    "which turns features into scores.",
    keras=">=3",
    false_with={"features": 10},
)
def test_base_and_head(features=32):
    from snippets.transfer_learning import classifier_on, feature_network

    base = feature_network()
    model = classifier_on(base, 5)
    images = np.ones((2, 8, 8, 1), "float32")
    assert base(images).shape == (2, features)
    head = model.get_layer("head")
    assert np.allclose(head(base(images)), model(images), atol=1e-6)


@proves("`train` compiles and fits.", keras=">=3")
def test_train_compiles_and_fits():
    from snippets.transfer_learning import classifier_on, feature_network, train

    model = classifier_on(feature_network(), 2)
    assert not model.compiled
    train(model, np.ones((2, 8, 8, 1)), np.array([0, 1]), 0.01, 1)
    assert model.compiled
    assert int(np.array(model.optimizer.iterations)) == 1


@proves(
    "It refuses a negative learning rate, an empty array or a label out of range "
    "before it changes anything.",
    keras=">=3",
)
def test_train_refuses_before_it_changes():
    from snippets.transfer_learning import classifier_on, feature_network, train

    model, images = classifier_on(feature_network(), 2), np.ones((2, 8, 8, 1))
    for x, y, rate in (
        (images, [0, 1], -0.01),
        (images[:0], [], 0.01),
        (images, [0, 2], 0.01),
    ):
        with pytest.raises(ValueError, match="Expected"):
            train(model, x, np.array(y, "int64"), rate, 1)
    assert not model.compiled


@proves(
    "Two recipes say which weights changed between two moments, by comparing bytes.",
    keras=">=3",
)
def test_one_bit_is_a_change():
    from snippets.transfer_learning import (
        changed_weights,
        feature_network,
        weight_values,
    )

    base = feature_network()
    before = weight_values(base)
    assert changed_weights(before, weight_values(base)) == []
    bias = base.get_layer("conv_2").bias
    bias.assign(np.nextafter(np.array(bias), np.float32(1)))
    assert changed_weights(before, weight_values(base)) == ["conv_2/bias"]


@proves(
    "The head changed, and nothing else of the 14 weights.",
    keras=">=3",
)
def test_the_head_is_2_of_14_weights():
    from snippets.transfer_learning import (
        changed_weights,
        classifier_on,
        feature_network,
        set_trainable,
        train,
        weight_values,
    )

    base = feature_network()
    model = classifier_on(base, 5)
    set_trainable(base, False)
    before = weight_values(model)
    train(model, np.ones((5, 8, 8, 1)), np.arange(5), 0.03, 1)
    assert len(before) == 14
    assert changed_weights(before, weight_values(model)) == ["head/kernel", "head/bias"]


@proves(
    "Its `BatchNormalization` stays frozen, so that the statistics of 25 images do not "
    "replace those of 901.",
    keras=">=3",
)
def test_unfreezing_keeps_normalization_frozen():
    from snippets.transfer_learning import feature_network, unfreeze_from

    base = feature_network()
    assert unfreeze_from(base, "conv_2") == ["conv_2"]
    layer = base.get_layer("norm_2")
    images = np.random.default_rng(0).random((25, 8, 8, 1))
    assert changes(layer, lambda: base(images, training=True)) == []
    layer.trainable = True
    assert changes(layer, lambda: base(images, training=True)) == [2, 3]


@proves(
    '`unfreeze_from(base, "conv_1")` would unfreeze both convolutions.',
    keras=">=3",
)
def test_unfreezing_from_the_first_layer():
    from snippets.transfer_learning import feature_network, unfreeze_from

    assert unfreeze_from(feature_network(), "conv_1") == ["conv_1", "conv_2"]


@proves(
    "Both steps are one recipe, which trains a copy and leaves the base as it is.",
    keras=">=3",
)
def test_transfer_leaves_the_base_alone():
    from snippets.transfer_learning import feature_network, transfer

    base, images = feature_network(), np.ones((2, 8, 8, 1))
    act = functools.partial(transfer, base, images, np.array([0, 1]), 2, None, (1, 1))
    assert changes(base, act) == []


@functools.cache
def accuracy(start, epochs, seed):
    """The accuracy on the 871 images after learning from 25."""
    from snippets.transfer_learning import (
        classifier_on,
        feature_network,
        few_per_class,
        train,
        transfer,
    )

    base, _, new = digits()
    x, y, x_rest, y_rest = few_per_class(*new, per_class=5, seed=seed)
    keras.utils.set_random_seed(seed)
    if start == "reused":
        model, _ = transfer(base, x, y, num_classes=5)
    else:
        model = classifier_on(feature_network(), 5)
        train(model, x, y, 0.01, epochs)
    scores = model(x_rest, training=False)
    return float(np.mean(np.argmax(scores, axis=-1) == y_rest))


@proves(
    "The reused network is ahead in every draw; the curves are means of three.",
    keras=">=3",
    false_with={"start": "from scratch"},
)
def test_reused_is_ahead_after_20_epochs(start="reused"):
    for seed in (0, 1, 2):
        ahead = accuracy(start, 20, seed) - accuracy("from scratch", 20, seed)
        assert ahead > 0.05


@proves("It is fine-tuned from epoch 6 on.", keras=">=3")
def test_fine_tuned_from_epoch_6():
    from snippets.transfer_learning import transfer

    assert inspect.signature(transfer).parameters["epochs"].default == (5, 15)


@proves(
    "With 80 epochs in place of 20, the network from scratch passes 80 % on the same "
    "25 images too: the digits are an easy task.",
    keras=">=3",
    false_with={"epochs": 20},
)
def test_scratch_catches_up_in_80_epochs(epochs=80):
    assert accuracy("from scratch", epochs, 0) > 0.8


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
    "On Keras 2, `compile()` takes down which weights learn; a flag set after it waits "
    "for the next `compile()`.",
    keras="<3",
)
def test_keras_2_reads_the_flag_in_compile():
    assert learns("compile freeze fit")
    assert not learns("freeze compile unfreeze fit")
    assert not learns("compile freeze compile fit")


@proves(
    "On Keras 3, `compile()` takes down nothing: the flag is read when the training "
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


@proves(
    "Each line runs its steps on a small base inside a model, and says whether the "
    "last step changed the base; `fit:5` is a `fit` with a batch of 5 in place of 8 "
    "examples.",
    keras=">=3",
)
def test_lines_of_the_truth_table():
    from snippets.transfer_learning import changed_in_base

    assert changed_in_base(keras, "compile fit freeze fit") != []
    assert changed_in_base(keras, "compile fit freeze fit:5") == []


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
    text = "^numpy\\(\\) is only available when eager execution is enabled.$"
    with pytest.raises(NotImplementedError, match=text):
        learns("freeze compile fit unfreeze fit-5")


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
    false_with={"steps": 1},
)
def test_a_named_optimizer_starts_anew(steps=0):
    _, model = base_and_model()
    model.compile(optimizer="adam", loss="mse")
    fit(model)
    assert int(np.array(model.optimizer.iterations)) == 1
    model.compile(optimizer="adam", loss="mse")
    assert int(np.array(model.optimizer.iterations)) == steps


def unfreeze_with(optimizers):
    """Train a head, unfreeze, compile with the second optimizer, and train on."""
    base, model = base_and_model()
    base.trainable = False
    model.compile(optimizer=optimizers[0], loss="mse")
    fit(model)
    base.trainable = True
    model.compile(optimizer=optimizers[1], loss="mse")
    return changes(base, lambda: fit(model))


@proves(
    "An optimizer object keeps its state, and knows only the weights it was built for.",
    false_with={"same": False},
)
def test_an_old_optimizer_object_fails(same=True):
    old = keras.optimizers.Adam()
    refused = (ValueError, KeyError, NotImplementedError)
    with pytest.raises(refused, match=UNKNOWN_VARIABLE):
        unfreeze_with([old, old if same else keras.optimizers.Adam()])
    assert int(np.array(old.iterations)) == 1


@proves("Give each `compile()` a new one.", false_with={"learned": []})
def test_a_new_optimizer_object_works(learned=(0, 1, 2, 3, 4, 5)):
    new = [keras.optimizers.Adam() for _ in range(2)]
    assert unfreeze_with(new) == list(learned)


# BatchNormalization, and `training=False`


@proves(
    "`BatchNormalization` has four weights: two that gradients train, and two "
    "statistics, which move in every training step.",
    false_with={"moved": [0, 1]},
)
def test_normalization_has_two_kinds_of_weights(moved=(2, 3)):
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    assert (len(layer.trainable_weights), len(layer.weights)) == (2, 4)
    assert changes(layer, lambda: layer(X + 9, training=True)) == list(moved)


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
    keras=">=3",
)
def test_set_trainable_sets_every_flag():
    from snippets.transfer_learning import every_layer, set_trainable

    base, model = base_and_model()
    for frozen in (base, base.layers[1], base.layers[2]):
        frozen.trainable = False
        set_trainable(model, True)
        assert all(layer.trainable for layer in every_layer(model))


# The ResNet50 recipe


@functools.cache
def resnet():
    from snippets.transfer_learning import resnet50_classifier

    return resnet50_classifier(5, image_shape=(32, 32, 3), weights=None)


@proves(
    "The published recipe: `ResNet50` without its top, global pooling, a `Dense` of "
    "1,024, a `Dense` for your classes.",
    keras=">=3",
)
def test_the_published_recipe():
    kinds = [type(layer).__name__ for layer in resnet().layers[-3:]]
    assert kinds == ["GlobalAveragePooling2D", "Dense", "Dense"]
    assert [layer.units for layer in resnet().layers[-2:]] == [1024, 5]


@proves(
    "For 5 classes it has 25,691,013 parameters, and 4 of its weights learn.",
    keras=">=3",
    false_with={"parameters": 23_587_712},
)
def test_the_size_of_the_resnet_recipe(parameters=25_691_013):
    assert resnet().count_params() == parameters
    assert len(resnet().trainable_weights) == 4


@proves("With `weights=None` it runs anywhere, untrained.", keras=">=3")
def test_the_resnet_recipe_runs_untrained():
    scores = resnet()(np.ones((1, 32, 32, 3)))
    assert scores.shape == (1, 5)


@proves('The default is `weights="imagenet"`.', keras=">=3")
def test_the_default_is_imagenet():
    from snippets.transfer_learning import resnet50_classifier

    for build in (resnet50_classifier, keras.applications.ResNet50):
        assert inspect.signature(build).parameters["weights"].default == "imagenet"


@functools.cache
def without_network():
    """What Keras and the recipe raise in a process with no way out and no file."""
    code = """
import socket
def refuse(*arguments, **options):
    raise OSError(101, "Network is unreachable")
socket.getaddrinfo = socket.create_connection = socket.socket.connect = refuse
from tensorflow import keras
def recipe():
    from snippets.transfer_learning import resnet50_classifier
    resnet50_classifier(5, image_shape=(32, 32, 3))
for call in (lambda: keras.applications.ResNet50(include_top=False), recipe):
    try:
        call()
    except Exception as error:
        print("raised", type(error).__name__, error)
"""
    with tempfile.TemporaryDirectory() as folder:
        found = os.pathsep.join(path for path in sys.path if path)
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "KERAS_HOME": folder, "PYTHONPATH": found},
            capture_output=True,
            text=True,
        )
    return [line for line in run.stdout.splitlines() if line.startswith("raised ")]


@proves(
    "Keras downloads that file once, and without a network raises a bare `Exception` "
    "that names an address.",
    false_with={"kind": "ConnectionError"},
)
def test_keras_raises_a_bare_exception(kind="Exception"):
    said, *_ = without_network()
    assert said.startswith(f"raised {kind} URL fetch failure on https://")


@proves("The recipe says what to do instead:", keras=">=3")
def test_the_recipe_says_what_to_do():
    _, said = without_network()
    assert said.startswith("raised ConnectionError Expected the ImageNet weights of")
    assert "`weights=None`" in said


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


@proves("Images divided by 255 raise no error.", keras=">=3")
def test_scaled_images_raise_no_error():
    images = np.full((1, 32, 32, 3), 128.0)
    made = keras.applications.resnet50.preprocess_input(images.copy())
    scores = [np.array(resnet()(x)) for x in (images / 255, made)]
    assert not np.allclose(scores[0], scores[1])


# No error, wrong result


@proves(
    "changed `trainable` after `compile()` | Keras 2 ignores it, Keras 3 obeys until "
    "the step is traced | compile again",
    keras=">=3",
)
def test_row_flag_after_compile():
    assert not learns("compile freeze fit")
    assert learns("compile fit freeze fit")
    assert not learns("compile fit freeze compile fit")


@proves(
    "changed `trainable` after `compile()` | Keras 2 ignores it, Keras 3 obeys until "
    "the step is traced | compile again",
    keras="<3",
)
def test_row_flag_after_compile_on_keras_2():
    assert learns("compile freeze fit")
    assert not learns("compile freeze compile fit")


@proves(
    "`base(x, training=False)`, then unfroze | on Keras 3 the statistics move | freeze "
    "`BatchNormalization`, or `InferenceMode`",
    keras=">=3",
    false_with={"quiet": False},
)
def test_row_training_false(quiet=True):
    from snippets.transfer_learning import InferenceMode

    assert {4, 5} <= set(learned(training=False))
    base, _ = base_and_model()
    x = keras.Input(shape=(3,))
    features = InferenceMode(base)(x) if quiet else base(x)
    model = keras.Model(x, keras.layers.Dense(1)(features))
    model.compile(optimizer="sgd", loss="mse")
    assert changes(base, lambda: fit(model)) == [0, 1, 2, 3]


@proves(
    "`model.trainable = True` with a frozen base inside | on Keras 3 the base stays "
    "frozen | `set_trainable(model, True)`",
    keras=">=3",
)
def test_row_outer_flag():
    from snippets.transfer_learning import set_trainable

    assert base_after_outer_flag() is False
    base, model = base_and_model()
    base.trainable = False
    set_trainable(model, True)
    assert base.trainable is True


@proves(
    "fine-tuned with a high learning rate | the weights you wanted to reuse are "
    "overwritten | a rate 10 times lower than the head's",
    keras=">=3",
    false_with={"rate": 0.003},
)
def test_row_high_rate(rate=0.3):
    from snippets.transfer_learning import few_per_class, transfer

    base, _, new = digits()
    x, y, _, _ = few_per_class(*new)
    model, _ = transfer(base, x, y, 5, None, (1, 5), (0.03, rate))
    old, new = base.get_weights()[0], model.layers[1].get_weights()[0]
    assert np.abs(new - old).mean() > np.abs(old).mean()


@proves(
    "`model(x)` with random layers | the images are augmented | `model(x, "
    "training=False)`",
    false_with={"training": True},
)
def test_row_random_layers(training=False):
    assert not np.allclose(shifts()(CORNER), CORNER)
    assert np.allclose(shifts()(CORNER, training=training), CORNER)


# Summary


@proves(
    "a frozen base | `base.trainable = False`, then `compile`",
    false_with={"frozen": "norm"},
)
def test_how_to_freeze(frozen="base"):
    assert learned(frozen) == [6, 7]


@proves("a new head | `classifier_on(base, num_classes)`", keras=">=3")
def test_how_to_put_on_a_head():
    from snippets.transfer_learning import classifier_on

    base, _ = base_and_model()
    model = classifier_on(base, 3)
    assert model.output_shape == (None, 3)
    assert model.layers[1] is base


@proves(
    "to fine-tune | `unfreeze_from(base, layer_name)`, then `compile` with a new "
    "optimizer",
    keras=">=3",
)
def test_how_to_fine_tune():
    from snippets.transfer_learning import set_trainable, unfreeze_from

    base, model = base_and_model()
    set_trainable(base, False)
    unfreeze_from(base, base.layers[1].name)
    model.compile(optimizer="adam", loss="mse")
    assert changes(base, lambda: fit(model)) == [0, 1]


@proves("statistics that stay | `freeze_batch_normalization(model)`", keras=">=3")
def test_how_to_keep_statistics():
    from snippets.transfer_learning import freeze_batch_normalization

    base, model = base_and_model()
    freeze_batch_normalization(model)
    assert [layer.trainable for layer in base.layers] == [True, True, False]
    assert learned("norm") == [0, 1, 6, 7]


@proves("every flag set | `set_trainable(model, True)`", keras=">=3")
def test_how_to_set_every_flag():
    from snippets.transfer_learning import every_layer, set_trainable

    base, model = base_and_model()
    base.trainable = False
    set_trainable(model, True)
    assert all(layer.trainable for layer in every_layer(model))


@proves(
    "to know what changed | `changed_weights(before, weight_values(model))`",
    keras=">=3",
)
def test_how_to_know_what_changed():
    from snippets.transfer_learning import changed_weights, weight_values

    base, model = base_and_model()
    base.trainable = False
    model.compile(optimizer="sgd", loss="mse")
    before = weight_values(model)
    fit(model)
    head = [weight.path for weight in model.layers[-1].weights]
    assert changed_weights(before, weight_values(model)) == head


@proves(
    "Every recipe here is written without a TensorFlow operation, so it needs no more "
    "than Keras and NumPy.",
    keras=">=3",
)
def test_recipes_without_tensorflow():
    import snippets.transfer_learning as recipes

    source = inspect.getsource(recipes)
    assert "import tensorflow" not in source
    assert "tf." not in source

"""Proofs of the page on files of other versions.

What holds for pairs of versions is asked of what was seen when every version read the
files of every other one, so it has a meaning for the versions together only.
"""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from snippets.files import load_arrays, save_arrays
from tests.proofs.proves import proves

RESULTS = "tests/files/results"


@functools.cache
def seen():
    """What was seen, by model, format, writer and reader."""
    found = {}
    for path in sorted((Path(__file__).parents[2] / RESULTS).glob("*.json")):
        results = json.loads(path.read_text("utf-8"))
        for name, groups in results["seen"].items():
            for values, writers in groups:
                for writer in writers:
                    row = (*values, "", "")[:3]
                    found[(*name.split(" "), writer, results["lane"])] = row
    assert len({reader for *_, reader in found}) == 9
    return found


@functools.cache
def generation(lane):
    """The Keras of a lane, 2 or 3."""
    old = {"tensorflow-2.13", "tensorflow-2.15", "tensorflow-2.21-keras-2"}
    return 2 if lane in old else 3


def states(form, writer=(2, 3), reader=(2, 3)):
    """What was seen of a format across some borders: a set of words."""
    return {
        what
        for (_, found, by, to), (what, *_) in seen().items()
        if found == form and generation(by) in writer and generation(to) in reader
    }


LOADS = {"same", "no optimizer"}


def ways(model, form, writer=2, reader=3, first="2.13"):
    """How a model was read after all: a set of ways, empty where nothing helped."""
    return {
        across
        for (name, found, by, to), (_, _, across) in seen().items()
        if (name, found) == (model, form)
        and (generation(by), generation(to)) == (writer, reader)
        and by >= f"tensorflow-{first}"
    }


@proves(
    "You can move weights between all versions in two ways: in a `.npz` file, or from "
    "an `.h5` file of the whole model, with `load_weights` or one of the options "
    "above.",
    false_with={"forms": ("arrays", "checkpoint")},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_weights_cross_every_border(forms=("arrays", "h5")):
    for form in forms:
        rows = [row for (_, found, *_), row in seen().items() if found == form]
        assert all(what in LOADS or across for what, _, across in rows)


@proves(
    "`load_model` of Keras 3 reads some models that Keras 2 saved, and `load_model` of "
    "Keras 2 reads none that Keras 3 saved.",
    false_with={"back": ((2,), (2,))},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_load_model_crosses_one_way_and_in_part(there=((2,), (3,)), back=((3,), (2,))):
    for form in ("keras", "h5"):
        assert {"same", "failed"} <= states(form, *there)
        assert states(form, *back) == {"failed"}


@proves(
    "An exported SavedModel predicts the same everywhere, and trains nowhere.",
    false_with={"form": "checkpoint"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_an_export_predicts_everywhere(form="export"):
    assert states(form) <= LOADS
    trained = {
        what
        for (name, f, *_), (what, *_) in seen().items()
        if name == "trained" and f == form
    }
    assert trained == {"no optimizer"}


@proves(
    "Restoring a `tf.train.Checkpoint` between Keras 2 and Keras 3 raises no error and "
    "gives other outputs.",
    false_with={"form": "weights"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_checkpoint_crosses_in_silence(form="checkpoint"):
    assert states(form, (2,), (3,)) == states(form, (3,), (2,)) == {"other outputs"}


@proves(
    "`load_weights`, or an option of `load_model` that is named below, read every "
    "`.h5` file that `load_model` refused.",
    false_with={"form": "keras"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_refused_file_still_gives_its_weights(form="h5"):
    for (_, found, *_), (what, _, across) in seen().items():
        if found == form and what not in LOADS:
            named = ("load_weights", "compile=False", "custom_objects")
            assert across in (*named, "safe_mode=False")


@proves(
    "No format took the state of the optimizer from Keras 2 to Keras 3 or back.",
    false_with={"border": (3, 3)},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_the_optimizer_stays_behind(border=None):
    for (model, _, by, to), (what, *_) in seen().items():
        generations = (generation(by), generation(to))
        if model == "trained" and (
            generations == border or (not border and generations in {(2, 3), (3, 2)})
        ):
            assert what != "same"


@functools.cache
def environments():
    """What each lane is made of."""
    paths = sorted((Path(__file__).parents[2] / RESULTS).glob("*.json"))
    found = [json.loads(path.read_text("utf-8")) for path in paths]
    return {results["lane"]: results["environment"] for results in found}


@proves(
    "Each of the nine versions saved eleven small models, and each read the files of "
    "all nine.",
    false_with={"lanes": ("tensorflow-2.13", "tensorflow-2.12")},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_every_version_read_the_files_of_all(lanes=None):
    lanes = lanes or tuple(environments())
    assert {"tensorflow-2.13", "tensorflow-2.21", "tensorflow-2.21-keras-2"} <= set(
        environments()
    )
    models = {model for model, *_ in seen()}
    assert len(models) == 11
    pairs = {(model, by, to) for model, _, by, to in seen()}
    assert {
        (model, by, to) for model in models for by in lanes for to in lanes
    } <= pairs


@proves(
    "Nothing older than TensorFlow 2.13 was tried:",
    false_with={"lanes": lambda: [*environments(), "tensorflow-2.12"]},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_nothing_older_was_tried(lanes=environments):
    assert min(lanes()) == "tensorflow-2.13"


def outcomes(form, by, to):
    """What came of all models in a format, from one version to another."""
    return {row[0] for name, row in seen().items() if name[1:] == (form, by, to)}


def pairs_that_lose(*forms):
    """Writers and readers between which a file of a format did not give its weights."""
    return {
        (by, to)
        for (_, form, by, to), (what, _, across) in seen().items()
        if form in forms and what not in LOADS and not across
    }


@proves(
    "The same holds for every `.keras` and `.weights.h5` file, except some that Keras "
    "2.13 wrote or reads.",
    false_with={"more": ("checkpoint",)},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_files_of_2_13_may_give_nothing(more=()):
    pairs = pairs_that_lose("keras", "weights", *more)
    assert pairs
    assert all("tensorflow-2.13" in pair for pair in pairs)


@proves(
    "Where a model of `Dense` layers loaded, the one with a registered custom layer "
    "did too.",
    false_with={"model": "lambda_layer"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_registered_layer_crosses(model="custom_layer"):
    for (name, *pair), (what, *_) in seen().items():
        if name == "dense" and what in LOADS:
            assert seen()[(model, *pair)][0] in LOADS


@proves(
    "In an `.h5` file, Keras 2 and Keras 3.4 to 3.11 run it without asking.",
    false_with={"to_3": ("3.13",)},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_old_versions_run_the_lambda_of_an_h5_file(to_3=("3.4", "3.6", "3.9", "3.11")):
    versions = {
        lane: found["tf.keras"].rpartition(".")[0]
        for lane, found in environments().items()
    }
    for lane, version in versions.items():
        if generation(lane) == 2 or version in to_3:
            assert seen()["lambda_layer", "h5", lane, lane][0] == "same"


@proves(
    "It reads no `.keras` file of Keras 2.13:",
    false_with={"form": "h5"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_tf_keras_reads_no_keras_file_of_2_13(form="keras"):
    found = outcomes(form, "tensorflow-2.13", "tensorflow-2.21-keras-2")
    assert found == {"failed"}


def trained_files(among):
    """What came of the `.h5` file of a trained model within one Keras."""
    return {
        what
        for (model, form, by, to), (what, *_) in seen().items()
        if (model, form) == ("trained", "h5")
        and generation(by) == generation(to) == among
    }


@proves(
    "Within Keras 2, an `.h5` file keeps it, if the file loads.",
    false_with={"among": 3},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_an_h5_file_keeps_the_optimizer_of_keras_2(among=2):
    assert trained_files(among) == {"same", "failed"}


@proves(
    "On Keras 3, `load_model` reads an `.h5` file of a model that Adam trained, and it "
    "predicts; the next `fit` stops with an error, such as `Unknown variable`.",
    false_with={"end": "keras"},
    needs="keras>=3",
)
def test_an_h5_file_fails_at_the_next_fit(end="h5"):
    model, x = small_model(), np.ones((2, 4), "float32")
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.{end}")
        loaded = keras.models.load_model(f"{folder}/model.{end}")
    assert np.allclose(loaded.predict(x, verbose=0), model(x), atol=1e-5)
    # Keras 3.9 and 3.11 stop while they write the message.
    with pytest.raises((ValueError, NotImplementedError), match=r"variable|numpy\(\)"):
        loaded.fit(x, np.ones((2, 3)), verbose=0)


@proves(
    "Python was 3.11 everywhere.",
    false_with={"library": "numpy"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_python_was_the_same(library="python"):
    assert {versions[library] for versions in environments().values()} == {"3.11"}


def small_model(compiled=True, seed=1):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    if compiled:
        model.compile("adam", "mean_squared_error")
        model.train_on_batch(np.ones((2, 4)), np.ones((2, 3)))
    return model


@proves(
    "`load_model(path, compile=False)` returns the model with its weights and without "
    "its optimizer.",
    false_with={"options": {}},
)
def test_compile_false_leaves_the_optimizer_out(options={"compile": False}):  # noqa: B006 - only read
    model = small_model()
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        again = keras.models.load_model(f"{folder}/model.keras", **options)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert getattr(again, "optimizer", None) is None


@proves(
    "Keras 2 wrote arguments that Keras 3 does not know, such as `time_major` of an "
    "LSTM and `groups` of a `DepthwiseConv2D`.",
    false_with={"arguments": ("go_backwards", "depth_multiplier")},
    needs="keras>=3",
)
def test_keras_3_does_not_know_some_arguments(arguments=("time_major", "groups")):
    layers = keras.layers
    for layer, argument in zip(
        (layers.LSTM, layers.DepthwiseConv2D), arguments, strict=True
    ):
        with pytest.raises((TypeError, ValueError)):
            layer.from_config({**layer(3).get_config(), argument: 1})


@proves(
    "This helps with such layers in an `.h5` file, and with a Functional model in a "
    "`.keras` file of Keras 2.15 or newer.",
    false_with={"cases": (("lstm", "keras"),)},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_custom_objects_help_in_two_formats(
    cases=(("lstm", "h5"), ("convolution", "h5"), ("functional", "keras")),
):
    for model, form in cases:
        found = ways(model, form, first="2.15" if form == "keras" else "2.13")
        assert found == {"custom_objects"}


@proves(
    "In a `.keras` file, Keras 3 ignores your class for a layer of its own.",
    false_with={"form": "h5"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_custom_objects_do_not_replace_layers_of_keras(form="keras"):
    # `custom_objects` was tried before what helped.
    for model in ("lstm", "convolution"):
        assert ways(model, form) == {"load_weights"}


@proves(
    "Keras 3 runs it from a `.keras` file of Keras 3 with `load_model(path, "
    "safe_mode=False)`.",
    false_with={"model": "dense"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_safe_mode_lets_a_lambda_run(model="lambda_layer"):
    for (name, form, by, to), (_, _, across) in seen().items():
        if (name, form) == (model, "keras") and by == to and generation(to) == 3:
            assert across == "safe_mode=False"


@proves(
    "A folder with `saved_model.pb` that Keras 2 saved is read as a layer that "
    "predicts:",
    false_with={"reader": 2},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_saved_model_is_a_layer(reader=3):
    models = {model for model, *_ in seen()}
    for model in models:
        assert ways(model, "saved_model", reader=reader) == {"TFSMLayer"}


@proves(
    "Call `assert_existing_objects_matched()` on what `read` returns: it raises an "
    "error if a weight of the model is not in the checkpoint.",
    false_with={"of": "a model"},
)
def test_restoring_can_be_checked(of="an array"):
    model, other = small_model(compiled=False), small_model(compiled=False, seed=2)
    saved = {"an array": tf.Variable([1.0]), "a model": model}[of]
    with tempfile.TemporaryDirectory() as folder:
        path = tf.train.Checkpoint(model=saved).write(f"{folder}/model.ckpt")
        status = tf.train.Checkpoint(model=other).read(path)
        with pytest.raises(AssertionError):
            status.assert_existing_objects_matched()


@proves(
    "Keras 2 alone writes it.",
    false_with={"form": "export"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_keras_2_alone_saves_folders(form="saved_model"):
    assert states(form, (3,)) == {"not written"}
    assert "not written" not in states(form, (2,))


@proves(
    "`tf_keras` reads every `.h5` file and every folder that Keras 2.13 and 2.15 "
    "saved, and writes files that Keras 3 reads:",
    false_with={"between": "tensorflow-2.21"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_tf_keras_stands_between(between="tensorflow-2.21-keras-2"):
    for (_, form, by, to), (what, *_) in seen().items():
        if form in ("h5", "saved_model") and generation(by) == 2 and to == between:
            assert what in LOADS
        if form in ("weights", "export") and by == between and generation(to) == 3:
            assert what in LOADS


@proves(
    "On Keras 3, a `Normalization` does not use what `load_arrays` gives it until you "
    "call its `finalize_state()`.",
    false_with={"layer": keras.layers.BatchNormalization},
    needs="keras>=3",
)
def test_normalization_is_finalized(layer=keras.layers.Normalization):
    x = np.array([[0.0], [10.0]], "float32")
    models = [keras.Sequential([keras.Input((1,)), layer()]) for _ in range(2)]
    model, other = models
    if layer is keras.layers.Normalization:
        model.layers[-1].adapt(x)
    else:
        model.set_weights([weight + 1 for weight in model.get_weights()])
    with tempfile.TemporaryDirectory() as folder:
        save_arrays(model, f"{folder}/weights.npz")
        load_arrays(other, f"{folder}/weights.npz")
    assert not np.allclose(model(x), other(x), atol=1e-3)
    other.layers[-1].finalize_state()
    assert np.allclose(model(x), other(x), atol=1e-5)


OLDER = ("3.4", "3.6", "3.9", "3.11")


def keras_files(writer, reader, but="lambda_layer"):
    """What one version saw of the `.keras` files of another: a set of words."""
    versions = {
        lane: found["tf.keras"].rpartition(".")[0]
        for lane, found in environments().items()
    }
    return {
        what
        for (model, form, by, to), (what, *_) in seen().items()
        if (form, versions[by], versions[to]) == ("keras", writer, reader)
        and model != but
    }


@proves(
    "Keras 2.13 and Keras 2.15 read no `.keras` file of another version.",
    false_with={"lanes": ("tensorflow-2.15", "tensorflow-2.18")},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_old_versions_stand_alone(lanes=("tensorflow-2.13", "tensorflow-2.15")):
    for lane in lanes:
        assert {
            what
            for (_, form, by, to), (what, *_) in seen().items()
            if form == "keras" and to == lane != by
        } == {"failed"}


@proves(
    'With Keras 3.4, `load_model("model.keras")` deletes a file `model.weights.h5` in '
    "the same folder.",
    keras="<3.5",
    needs="keras>=3",
)
def test_keras_3_4_deletes_a_neighbor():
    with tempfile.TemporaryDirectory() as folder:
        small_model().save(f"{folder}/model.keras")
        neighbor = Path(folder, "model.weights.h5")
        neighbor.write_text("mine")
        keras.models.load_model(f"{folder}/model.keras")
        assert not neighbor.exists()


@proves(
    "From Keras 2.15 on, `.weights.h5` files cross too.",
    false_with={"first": "tensorflow-2.13"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_weights_files_from_2_15_on(first="tensorflow-2.15"):
    for (_, form, by, to), (what, *_) in seen().items():
        if form == "weights" and min(by, to) >= first:
            assert what in LOADS


@proves(
    "From 3.13 on, an older Keras cannot read a newer file: 3.4 to 3.11 read none of "
    "3.13, and 3.13 reads none of 3.15.",
    false_with={"pairs": ((("3.13",), "3.11"),)},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_older_does_not_read_newer(pairs=((OLDER, "3.13"), (("3.13",), "3.15"))):
    for older, newer in pairs:
        rows = {what for version in older for what in keras_files(newer, version)}
        assert rows == {"failed"}


@proves(
    "Keras 3.4 to 3.11 read each other's files, all but the `Lambda`.",
    false_with={"but": "dense"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_versions_to_3_11_read_each_other(but="lambda_layer"):
    for writer in OLDER:
        for reader in OLDER:
            assert keras_files(writer, reader, but) == {"same"}


@proves(
    "Where Keras 3 reads the `.keras` file of another Keras 3, the optimizer goes on "
    "as it was; with a `tf.train.Checkpoint` too.",
    false_with={"forms": ("keras", "weights")},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_two_formats_keep_the_optimizer(forms=("keras", "checkpoint")):
    for form in forms:
        found = {
            what
            for (model, f, by, to), (what, *_) in seen().items()
            if (model, f) == ("trained", form) and generation(by) == generation(to) == 3
        }
        assert "same" in found
        assert found <= {"same", "failed"}


def trained_on(model):
    """What a model answers after two steps of training."""
    x = np.sin(np.arange(16)).reshape(4, 4).astype("float32")
    y = np.cos(np.arange(12)).reshape(4, 3).astype("float32")
    for _ in range(2):
        model.train_on_batch(x, y)
    return np.array(model(x))


@proves(
    "A `.weights.h5` file holds the state of the optimizer too, but `load_weights` "
    "leaves it out until the optimizer of the model is built:",
    false_with={"built": (False, False)},
)
def test_a_built_optimizer_is_loaded(built=(False, True)):
    model, *others = (small_model(compiled=False, seed=seed) for seed in (1, 2, 3))
    for each in (model, *others):
        each.compile(keras.optimizers.Adam(0.1), "mean_squared_error")
    with tempfile.TemporaryDirectory() as folder:
        trained_on(model)
        model.save_weights(f"{folder}/model.weights.h5")
        later = trained_on(model)
        for other, is_built in zip(others, built, strict=True):
            if is_built:
                other.optimizer.build(other.trainable_variables)
            other.load_weights(f"{folder}/model.weights.h5")
    same = [np.allclose(trained_on(other), later, atol=1e-5) for other in others]
    assert same == [False, True]


@proves(
    'For a folder that `export` wrote, `TFSMLayer(folder, call_endpoint="serve")` '
    "returns the outputs themselves.",
    false_with={"endpoint": "serving_default"},
    needs="keras>=3",
)
def test_an_exported_folder_has_another_endpoint(endpoint="serve"):
    model = small_model(compiled=False)
    x = np.ones((2, 4), "float32")
    with tempfile.TemporaryDirectory() as folder:
        model.export(f"{folder}/exported")
        layer = keras.layers.TFSMLayer(f"{folder}/exported", call_endpoint=endpoint)
        answers = layer(x)
    assert not isinstance(answers, dict)
    assert np.allclose(answers, model(x), atol=1e-5)

"""Tests of what takes files across versions, and of the models that are tried."""

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from snippets.files import (
    keras_2_objects,
    keras_version_of,
    load_arrays,
    models,
    save_arrays,
    without_arguments,
)


def small_model(units: int = 3) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])


@pytest.mark.parametrize(
    "build",
    [
        models.dense,
        models.convolution,
        models.lstm,
        models.custom_layer,
        models.lambda_layer,
        models.functional,
        models.operator,
        models.nested,
        models.stacked,
        models.compiled,
        models.trained,
    ],
)
def test_a_model_answers_otherwise_with_other_weights(build):
    answers = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model = build()
        x = np.sin(np.arange(4 * np.prod(model.input_shape[1:])))
        answers.append(np.asarray(model(x.reshape(4, *model.input_shape[1:]))))
    assert answers[0].shape == (4, 3)
    assert np.abs(answers[0] - answers[1]).max() > 1e-3


def test_the_inner_model_stands_inside_of_others():
    expected = [layer.units for layer in models.inner().layers[1:]]
    for outer in (models.nested(), models.stacked()):
        found = [layer for layer in outer.layers if isinstance(layer, keras.Model)]
        assert [layer.units for layer in found[0].layers[1:]] == expected


def test_gain_multiplies_by_its_weight_and_its_factor():
    layer = models.Gain(3.0)
    x = np.arange(8, dtype="float32").reshape(2, 4)
    layer.build(x.shape)
    layer.gain.assign([1, 2, 0, -1])
    assert np.allclose(layer(x), x * [3, 6, 0, -3])


def test_gain_comes_back_from_its_config():
    again = models.Gain.from_config(models.Gain(3.0, name="gain").get_config())
    assert (again.factor, again.name) == (3.0, "gain")


def test_only_the_compiled_models_have_an_optimizer():
    assert not models.dense().compiled
    optimizers = [build().optimizer for build in (models.compiled, models.trained)]
    assert [type(optimizer).__name__ for optimizer in optimizers] == ["SGD", "Adam"]


def test_without_arguments_drops_what_is_named_alone():
    lenient = without_arguments(keras.layers.Dense, "old", "older")
    layer = lenient(3, old=1, older=2, name="scores")
    assert (type(layer).__name__, layer.units, layer.name) == ("Dense", 3, "scores")
    with pytest.raises(ValueError, match="oldest"):
        lenient(3, oldest=1)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("LSTM", {"units": 3, "time_major": False}),
        ("GRU", {"units": 3, "time_major": False}),
        ("DepthwiseConv2D", {"kernel_size": 3, "groups": 1}),
    ],
)
def test_keras_2_objects_take_the_arguments_of_keras_2(name, config):
    own = getattr(keras.layers, name)
    with pytest.raises((TypeError, ValueError), match=r"time_major|groups"):
        own.from_config(config)
    lenient = keras_2_objects()[name].from_config(config)
    assert isinstance(lenient, own)


def test_keras_2_objects_know_functional_models():
    model = models.functional()
    config = model.get_config()
    again = keras_2_objects()["Functional"].from_config(config)
    assert [layer.name for layer in again.layers] == [
        layer.name for layer in model.layers
    ]


def test_arrays_carry_every_weight(tmp_path):
    one, other = (models.convolution() for _ in range(2))
    save_arrays(one, tmp_path / "weights.npz")
    load_arrays(other, tmp_path / "weights.npz")
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_arrays_of_another_shape_are_refused(tmp_path):
    save_arrays(small_model(3), tmp_path / "weights.npz")
    with pytest.raises(ValueError, match="shape"):
        load_arrays(small_model(5), tmp_path / "weights.npz")


def test_more_than_ten_arrays_keep_their_order(tmp_path):
    layers = [keras.layers.Dense(units) for units in range(1, 9)]
    one = keras.Sequential([keras.Input((4,)), *layers])
    save_arrays(one, tmp_path / "weights.npz")
    other = keras.models.clone_model(one)
    load_arrays(other, tmp_path / "weights.npz")
    x = np.ones((1, 4), "float32")
    assert np.array_equal(one(x), other(x))


@pytest.mark.parametrize("end", [".keras", ".h5"])
# Keras advises against `.h5` files; old ones are what is read.
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_a_file_of_a_whole_model_names_its_keras(tmp_path, end):
    path = tmp_path / f"model{end}"
    small_model().save(path)
    assert keras_version_of(path) == keras.__version__


def test_the_version_is_read_and_not_assumed(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
    assert keras_version_of(str(path)) == "2.15.0"
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.4.0"
    assert keras_version_of(path) == "2.4.0"


def test_a_file_of_weights_names_no_keras(tmp_path):
    path = tmp_path / "model.weights.h5"
    small_model().save_weights(path)
    assert keras_version_of(path) == ""

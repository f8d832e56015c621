"""Proofs of the page on files of other versions.

What holds for pairs of versions is asked of what was seen when every version read the
files of every other one, so it has a meaning for the versions together only.
"""

import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

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


def ways(model, form, writer=2, reader=3):
    """How a model was read after all: a set of ways, empty where nothing helped."""
    return {
        across
        for (name, found, by, to), (_, _, across) in seen().items()
        if (name, found) == (model, form)
        and (generation(by), generation(to)) == (writer, reader)
    }


@proves(
    "With the code that builds the model, `load_weights` crosses every border: all "
    "versions read each other's `.weights.h5` files.",
    false_with={"form": "checkpoint"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_weights_cross_every_border(form="weights"):
    assert states(form) <= LOADS


@proves(
    "With the file alone, `load_model` of Keras 3 reads some models that Keras 2 "
    "saved, and `load_model` of Keras 2 reads none that Keras 3 saved.",
    false_with={"back": ((2,), (2,))},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_load_model_crosses_one_way_and_in_part(there=((2,), (3,)), back=((3,), (2,))):
    for form in ("keras", "h5"):
        assert {"same", "failed"} <= states(form, *there)
        assert states(form, *back) == {"failed"}


@proves(
    "An exported SavedModel predicts the same everywhere,",
    false_with={"form": "checkpoint"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_an_export_predicts_everywhere(form="export"):
    assert states(form) <= LOADS


@proves(
    "A `tf.train.Checkpoint` of one Keras is restored in the other without an error "
    "and without its weights.",
    false_with={"form": "weights"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_checkpoint_crosses_in_silence(form="checkpoint"):
    assert states(form, (2,), (3,)) == states(form, (3,), (2,)) == {"other outputs"}


@proves(
    "Where `load_model` refused a `.keras` or an `.h5` file, another call took a model "
    "with the same outputs out of it.",
    false_with={"forms": ("keras", "checkpoint")},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_a_refused_file_still_gives_its_weights(forms=("keras", "h5")):
    for (_, form, *_), (what, _, across) in seen().items():
        assert form not in forms or what in {*LOADS, "not written"} or across


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


@proves(
    "Every version read the arrays of every other.",
    false_with={"form": "checkpoint"},
    needs="keras>=3 and tensorflow>=2.21",
)
def test_arrays_cross_every_border(form="arrays"):
    assert states(form) <= LOADS

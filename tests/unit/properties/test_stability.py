"""What people wrote and saved keeps its meaning: defaults, weights and outputs.

A changed default changes programs that never named it, a changed network makes files of
weights unreadable, or lets them give other outputs, and other data make a comparison
with yesterday's run useless. They stand in `stability.json`, with the pictures that are
drawn number by number. After a change that is meant, write that file anew, and say so
in the changelog: `python -m tests.unit.properties.test_stability`.
"""

import hashlib
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest

import snippets
from snippets.choosing.decision import draw_decision
from snippets.choosing.plain import DigitModel, DigitModule
from snippets.custom_layers import AttentionPooling
from snippets.data import (
    as_dataset,
    digit_images,
    digit_sequences,
    digit_vectors,
    split_train_test,
    wine_table,
)
from snippets.files import models as files
from snippets.functional.models import sample_pairs
from snippets.functional.tickets import made_up_tickets
from snippets.gans import (
    GAN,
    build_discriminator,
    build_generator,
    build_photo_generator,
)
from snippets.input_layers.pictures import draw_examples
from snippets.performance.memory import deep_cnn
from snippets.performance.reading import pipelines, slow_batches
from snippets.placeholders.pictures import draw_feeding
from snippets.placeholders.training import start_weights
from snippets.sequential import label_folds
from snippets.subclassing.models import CustomModel, SaveableModel, SmallVAE
from snippets.training_loops.resuming import epoch_batches
from snippets.transfer_learning import feature_network, few_per_class, select_classes
from tests.unit.properties.test_contract import CASES, VECTORS, values

pytestmark = pytest.mark.tensorflow  # it imports every module
FILE = Path(__file__).with_name("stability.json")
# Networks that the pages show, and the contract does not hold.
SHOWN: dict[str, tuple[Callable[[], Any], Any]] = {
    "choosing.plain.DigitModel": (DigitModel, values(8, 8, 1)),
    "choosing.plain.DigitModule": (DigitModule, values(8, 8, 1)),
    "custom_layers.AttentionPooling, of one unit": (
        lambda: AttentionPooling(1),
        values(3, 4),
    ),
    "gans.GAN, of one number": (
        lambda: GAN(build_generator(1, width=4), build_discriminator((8, 8, 1), 4)),
        values(1),
    ),
    "gans.build_discriminator, as it is": (
        lambda: build_discriminator((8, 8, 1)),
        values(8, 8, 1),
    ),
    "gans.build_generator, as it is": (lambda: build_generator(5), values(5)),
    "gans.build_photo_generator, of one number": (
        lambda: build_photo_generator(1, (16, 16, 1), 16),
        values(1),
    ),
    "gans.build_photo_generator, of 240 columns": (
        lambda: build_photo_generator(1, (16, 240, 1), 16),
        values(1),
    ),
    "gans.build_photo_generator, of 240 rows": (
        lambda: build_photo_generator(1, (240, 16, 1), 16),
        values(1),
    ),
    "gans.build_photo_generator, wide": (
        lambda: build_photo_generator(3, (16, 48, 3), 16),
        values(3),
    ),
    "performance.memory.deep_cnn": (deep_cnn, values(32, 32, 3)),
    "subclassing.models.CustomModel": (CustomModel, values(64)),
    "subclassing.models.SaveableModel": (SaveableModel, values(64)),
    "subclassing.models.SmallVAE": (SmallVAE, values(64)),
    "transfer_learning.feature_network, smallest": (
        lambda: feature_network((4, 4, 1)),
        values(4, 4, 1),
    ),
    **{
        f"files.models.{name}": (getattr(files, name), VECTORS[:, :4])
        for name in (
            *("dense", "custom_layer", "lambda_layer", "functional", "operator"),
            *("inner", "nested", "stacked", "compiled", "trained"),
        )
    },
    "files.models.convolution": (files.convolution, values(8, 8, 2)),
    "files.models.lstm": (files.lstm, values(5, 4)),
}
NETWORKS = {
    **{name: (case.make, case.inputs) for name, case in CASES.items()},
    **SHOWN,
}

NUMBERS, CLASSES = np.arange(20.0), np.arange(20) % 3
PIXELS = values(8, 8, 1), np.arange(len(values(8, 8, 1)))
DATA: dict[str, Callable[[], Any]] = {
    "data.as_dataset": lambda: batches_of(as_dataset(NUMBERS, CLASSES, 8)),
    "data.digit_images": digit_images,
    "data.digit_sequences": digit_sequences,
    "data.digit_vectors": digit_vectors,
    "data.split_train_test": lambda: split_train_test(NUMBERS, CLASSES),
    "data.wine_table": wine_table,
    "files.models.trained": lambda: files.trained().get_weights(),
    "functional.models.sample_pairs": lambda: sample_pairs(NUMBERS, CLASSES, 8),
    "functional.tickets.made_up_tickets": lambda: made_up_tickets(8),
    "performance.reading.pipelines": lambda: [
        batches_of(found) for found in pipelines(*PIXELS).values()
    ],
    "performance.reading.slow_batches": lambda: batches_of(slow_batches(*PIXELS)),
    "placeholders.training.start_weights": start_weights,
    "sequential.folds.label_folds": lambda: label_folds(CLASSES, 3),
    "training_loops.resuming.epoch_batches": lambda: epoch_batches(9, 2, epoch=1),
    "transfer_learning.examples.few_per_class": lambda: few_per_class(
        NUMBERS, CLASSES, 2
    ),
    "transfer_learning.examples.select_classes": lambda: select_classes(
        NUMBERS, CLASSES, [0, 2]
    ),
}

PICTURES = {
    "draw_decision": draw_decision,
    "draw_examples": lambda: draw_examples([("a row", (13,)), ("steps", (50, 128))]),
    "draw_feeding": draw_feeding,
}


def registered(module: ModuleType) -> dict[str, str]:
    """The names under which files find the classes and functions of a module."""
    return {
        name: keras.saving.get_registered_name(value)
        for name, value in vars(module).items()
        if getattr(value, "__module__", "") == module.__name__
        and keras.saving.get_registered_name(value) != name
    }


def module_names() -> list[str]:
    """All modules that people import, which leaves out what only shows things."""
    found = pkgutil.walk_packages(snippets.__path__, "snippets.")
    return [module.name for module in found if ".showing" not in module.name]


def defaults(module: ModuleType) -> dict[str, dict[str, str]]:
    """The defaults of all functions and methods that a module defines, as text."""
    functions = {}
    for name, value in vars(module).items():
        if getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isfunction(value):
            functions[name] = value
        elif inspect.isclass(value):
            for method, function in vars(value).items():
                if inspect.isfunction(function):
                    functions[f"{name}.{method}"] = function
    found = {}
    for name, function in functions.items():
        parameters = inspect.signature(function).parameters.values()
        named = {
            p.name: text(p.default) for p in parameters if p.default is not p.empty
        }
        if named:
            found[name] = named
    return found


def text(value: Any) -> str:
    """A value as a program would write it, wherever Keras keeps its classes."""
    return value.__qualname__ if inspect.isclass(value) else repr(value)


def behavior(name: str) -> dict[str, Any]:
    """The shapes of a network, and what it gives and keeps for weights by rule."""
    make, inputs = NETWORKS[name]
    keras.utils.set_random_seed(0)
    network = make()
    network(inputs)
    weights = [w for w in network.weights if "float" in str(w.dtype)]
    for weight in weights:
        fan_in = np.prod(tuple(weight.shape)[:-1])
        wave = np.cos(np.arange(np.prod(weight.shape))) / np.sqrt(fan_in)
        positive = "variance" in weight.name
        weight.assign((np.abs(wave) if positive else wave).reshape(weight.shape))
    first, second = (beginnings(network(inputs)) for _ in range(2))
    return {
        "inputs": [list(x.shape) for x in getattr(network, "inputs", None) or ()],
        "weights": [list(weight.shape) for weight in weights],
        "draws": first != second,
        "outputs": first,
        "in training": in_training(network, inputs),
    }


def in_training(network: Any, inputs: Any) -> list[list[Any]]:
    """What a step of training would compute, and the state that it leaves behind."""
    if not isinstance(network, keras.Layer):
        return []
    keras.utils.set_random_seed(0)
    outputs = network(inputs, training=True)
    state = [w for w in network.non_trainable_weights if "float" in str(w.dtype)]
    return beginnings([outputs, *state])


def beginnings(outputs: Any) -> list[list[Any]]:
    """The first values of each array, as many digits as all machines agree on."""
    arrays = [np.ravel(np.asarray(array))[:6] for array in keras.tree.flatten(outputs)]
    return [
        [float(f"{v:.5g}") for v in array]
        if array.dtype.kind == "f"
        else array.tolist()
        for array in arrays
    ]


def batches_of(dataset: Any) -> list[Any]:
    return list(dataset.as_numpy_iterator())


def digest(name: str) -> str:
    return hashlib.sha256(PICTURES[name]()._repr_html_().encode()).hexdigest()[:16]


def known() -> dict[str, Any]:
    return json.loads(FILE.read_text("utf-8"))


@pytest.mark.parametrize("module", module_names())
def test_a_default_stays(module: str) -> None:
    found = defaults(importlib.import_module(module))

    assert found == known()["defaults"].get(module, {})


@pytest.mark.parametrize("module", module_names())
def test_a_file_finds_a_class_by_the_same_name(module: str) -> None:
    found = registered(importlib.import_module(module))

    assert found == known()["registered"].get(module, {})


@pytest.mark.parametrize("name", NETWORKS)
def test_the_same_weights_give_the_same_outputs(name: str) -> None:
    found, expected = behavior(name), known()["networks"][name]

    for shapes in ("inputs", "weights"):
        assert found[shapes] == expected[shapes]
    assert found["draws"] is expected["draws"]
    for numbers in ("outputs", "in training"):
        agree(found[numbers], expected[numbers])


@pytest.mark.parametrize("name", DATA)
def test_the_same_data_are_made(name: str) -> None:
    agree(beginnings(DATA[name]()), known()["data"][name])


def agree(found: list[list[Any]], expected: list[list[Any]]) -> None:
    for some, others in zip(found, expected, strict=True):
        if isinstance((others or [0])[0], float):
            np.testing.assert_allclose(some, others, rtol=1e-3, atol=1e-5)
        else:
            assert some == others


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_drawn_as_before(name: str) -> None:
    assert digest(name) == known()["pictures"][name]


def test_nothing_is_known_of_what_is_gone() -> None:
    assert known()["networks"].keys() == NETWORKS.keys()
    assert known()["data"].keys() == DATA.keys()
    assert known()["pictures"].keys() == PICTURES.keys()
    assert known()["defaults"].keys() <= set(module_names())
    assert known()["registered"].keys() <= set(module_names())


if __name__ == "__main__":
    modules = {name: importlib.import_module(name) for name in module_names()}
    data = {
        part: {name: found for name, m in modules.items() if (found := read(m))}
        for part, read in (("defaults", defaults), ("registered", registered))
    }
    data |= {
        "networks": {name: behavior(name) for name in NETWORKS},
        "data": {name: beginnings(make()) for name, make in DATA.items()},
        "pictures": {name: digest(name) for name in PICTURES},
    }
    parts = []
    for part, entries in data.items():  # a line for each entry
        lines = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in entries.items()]
        parts.append(f"{json.dumps(part)}: {{\n" + ",\n".join(lines) + "\n}")
    FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")

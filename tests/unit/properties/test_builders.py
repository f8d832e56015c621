"""No public layer or model is built of a size that is none, whichever guide it is of.

They are found in the `__all__` of the guides, with every argument that is annotated as
an integer. Often Keras refuses the value itself, and the recipe has no check.
"""

import inspect
import typing
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets import custom_layers, gans, sequential, training_loops, transfer_learning
from snippets.training_loops.steps import small_classifier
from tests.unit.properties.test_contract import FOUND

WRONG = (0, -1, 1.5, None)
# What they are built of, by the name of the argument.
ARGUMENTS: dict[str, Callable[[], Any]] = {
    "base": transfer_learning.feature_network,
    "code_size": lambda: 2,
    "depth_radius": lambda: 2,
    "discriminator": lambda: gans.build_discriminator((8, 8, 1 + 3), width=4),
    "first_layer": lambda: keras.layers.Dense(4),
    "generator": lambda: gans.build_generator(2 + 3, width=4),
    "hidden_units": lambda: 3,
    "image_shape": lambda: (8, 8, 1),
    "input_dim": lambda: 3,
    "input_shape": lambda: (6,),
    "level": lambda: "Sequential",
    "max_length": lambda: 7,
    "model": lambda: sequential.vector_classifier(6, 3),
    "num_channels": lambda: 1,
    "num_classes": lambda: 3,
    "num_features": lambda: 6,
    "num_heads": lambda: 2,
    "num_steps": lambda: 2,
    "pixels": lambda: 1,
    "pooling": lambda: custom_layers.AttentionPooling(3),
    "size": lambda: 8,
    "units": lambda: 3,
    "vocabulary_size": lambda: 9,
}
OWN_ARGUMENTS = {
    "gans.build_photo_generator": {"image_shape": (16, 16, 1), "width": 16},
    "gans.build_photo_discriminator": {"image_shape": (16, 16, 1), "width": 8},
    "transfer_learning.resnet50_classifier": {
        "image_shape": (32, 32, 3),
        "weights": None,
    },
}
LEFT_OUT = {
    "gans.train_judge",
    "transfer_learning.train_head_then_fine_tune",
}
# `keras.Input` takes 0 features. These listings stand open on their pages, without a
# helper, and what they build refuses the data that one has.
REFUSE_DATA = {
    "custom_layers.AttentionPooling": (2, 5, 4),
    "custom_layers.EncoderBlock": (2, 5, 4),
    "custom_layers.SkipSteps": (2, 5, 4),
    "input_layers.fully_convolutional": (2, 8, 8, 1),
    "input_layers.linear_classifier": (2, 6),
    "input_layers.sequence_classifier": (2, 5, 6),
    "sequential.recurrent_classifier": (2, 5, 6),
}
# The last two are those of TensorFlow and PyTorch for a matrix that does not fit.
ERRORS = (TypeError, ValueError, tf.errors.InvalidArgumentError, RuntimeError)
MEANT = {
    ("functional.residual_classifier", "num_blocks", 0): "a network without a block",
    ("subclassing.DeepClassifier", "num_blocks", 0): "a network without a block",
    ("transfer_learning.random_shifts", "pixels", 0): "no move",
    ("transfer_learning.random_shifts", "pixels", 1.5): "a part of a pixel",
    ("transfer_learning.random_shifts", "size", 1.5): "a part of a pixel",
}


def sizes() -> list[tuple[str, str]]:
    """Find each builder with each of its integers; a seed is no size."""
    found = []
    for name, builder in FOUND.items():
        made = builder.__init__ if isinstance(builder, type) else builder
        for argument, kind in typing.get_type_hints(made).items():
            if kind is int and argument != "seed" and name not in LEFT_OUT:
                found.append((name, argument))
    return found


def build(name: str, **wrong: Any) -> Any:
    """Build one with good arguments but for the wrong ones."""
    arguments: dict[str, Any] = {}
    for argument, given in inspect.signature(FOUND[name]).parameters.items():
        if given.default is given.empty and given.kind is not given.VAR_KEYWORD:
            assert argument in ARGUMENTS, f"`ARGUMENTS` has no `{argument}` for {name}"
            arguments[argument] = ARGUMENTS[argument]()
    return FOUND[name](**{**arguments, **OWN_ARGUMENTS.get(name, {}), **wrong})


def use(name: str, built: Any) -> None:
    """Call a model of 0 features on 6 of them."""
    if name in REFUSE_DATA:
        built(np.ones(REFUSE_DATA[name], "float32"))


def shapes(built: Any) -> list[Any]:
    parts = built if isinstance(built, tuple) else (built,)
    return [weight.shape for part in parts for weight in part.weights]


@pytest.mark.parametrize(("name", "argument"), sizes())
def test_a_size_that_is_none_is_refused(name: str, argument: str) -> None:
    for value in WRONG:
        if (name, argument, value) in MEANT:
            build(name, **{argument: value})
        else:
            with pytest.raises(ERRORS, match=r"\w"):
                use(name, build(name, **{argument: value}))


@pytest.mark.parametrize(("name", "argument"), sizes())
def test_true_is_refused_or_counts_as_one_as_keras_has_it(
    name: str, argument: str
) -> None:
    try:
        built = build(name, **{argument: True})
    except ValueError:
        return
    assert shapes(built) == shapes(build(name, **{argument: 1}))


def test_every_size_is_found() -> None:
    found = set(sizes())

    assert {("sequential.vector_classifier", "num_features")} <= found
    assert {("custom_layers.AttentionPooling", "units")} <= found
    assert len(found) > 40


def test_the_steps_of_a_loop_are_compiled() -> None:
    model = small_classifier(num_features=6, num_classes=3)
    loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    optimizer, mean = keras.optimizers.SGD(), keras.metrics.Mean()
    one = tf.distribute.get_strategy()
    for step in (
        training_loops.training_step(model, loss, optimizer, mean),
        training_loops.evaluation_step(model, loss, mean),
        training_loops.replicated_step(one, model, loss, optimizer, mean),
    ):
        step(tf.ones([4, 6]), tf.constant([0, 1, 2, 1]))
        assert step.experimental_get_tracing_count() == 1

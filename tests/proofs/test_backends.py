"""Proofs of the page on training steps of other backends."""

import ast

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_choosing import step_of


@proves(
    "A step on JAX changes nothing in place: `fit` passes it the state, and takes the "
    "new state from what it returns.",
    false_with={"backend": "torch"},
    needs="keras>=3",
)
def test_a_step_on_jax_returns_the_state(backend="jax"):
    step = step_of(backend)
    assert [argument.arg for argument in step.args.args] == ["self", "state", "data"]
    assert ast.unparse(step).splitlines()[-1].strip() == "return (logs, state)"


@proves(
    "`loss.backward()` computes the gradients, and the optimizer applies them without "
    "being recorded itself:",
    false_with={"backend": "jax"},
    needs="keras>=3",
)
def test_a_step_on_pytorch_calls_backward(backend="torch"):
    lines = [line.strip() for line in ast.unparse(step_of(backend)).splitlines()]
    wanted = ["loss.backward()", "with torch.no_grad():", "self.optimizer.apply("]
    places = [
        next((n for n, line in enumerate(lines) if line.startswith(start)), -1)
        for start in wanted
    ]
    assert -1 not in places
    assert places == sorted(places)


@proves(
    "Pass the loss to `compile` as an object, since the step on JAX calls it:",
    false_with={"loss": "sparse_categorical_crossentropy"},
)
def test_a_loss_as_an_object_can_be_called(loss=None):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(
        "sgd", loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    assert callable(model.loss)
    found = model.loss(np.array([0, 1]), np.zeros((2, 2), "float32"))
    assert np.allclose(found, np.log(2))

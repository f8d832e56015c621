"""Proofs of the page on several devices."""

from tests.proofs.proves import proves
from tests.proofs.test_training_loops import on_two_devices


@proves(
    "A batch has to be divided by the number of all its examples, and regularizers by "
    "the number of replicas, or they count twice on two devices.",
    false_with={"name": "divided"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_regularizers_count_twice(name="undivided"):
    assert on_two_devices()["divided"] < 1e-5
    assert on_two_devices()[name] > 1e-3
    assert on_two_devices()["uneven, careless"] > 1e-4


@proves(
    "Without the second `all_reduce`, `LossScaleOptimizer` looks for infinite "
    "gradients on the first replica alone. One on the second replica makes the "
    "weights NaN; from Keras 3.6 on, in `fit` too.",
    false_with={"replica": 0},
    needs="keras>=3",
    keras=">=3.6",
)
def test_an_overflow_on_the_second_replica(replica=1):
    assert on_two_devices()["reduced"] == [True, True]
    assert not on_two_devices()["careless"][replica]


@proves(
    "Without the second `all_reduce`, `LossScaleOptimizer` looks for infinite "
    "gradients on the first replica alone. One on the second replica makes the "
    "weights NaN; from Keras 3.6 on, in `fit` too.",
    false_with={"replica": 0},
    keras=">=3.6",
)
def test_an_overflow_in_fit(replica=1):
    assert not on_two_devices()["fit"][replica]


@proves(
    "It ends with the weights of one device, though the last batch of 29 is shared "
    "unevenly.",
    false_with={"name": "uneven, careless"},
    needs="keras>=3",
    keras=">=3.6",
)
def test_two_devices_end_as_one(name="uneven"):
    assert on_two_devices()[name] < 1e-5
    assert on_two_devices()["uneven, float16"] < 1e-2

"""Checks of arguments: what is refused, and what comes back."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.checks import (
    check_fraction,
    check_integer,
    check_labels,
    check_mapping,
    check_ndarray,
    check_numbers,
    check_probabilities,
    check_sizes,
    is_size,
)

NO_SIZES = [0, -1, 1.0, True, "8", None, math.nan]


@pytest.mark.parametrize("value", [4, np.int64(4), 5])
def test_an_integer_that_is_large_enough_is_a_size(value: Any) -> None:
    assert is_size(value, 4) is True


@pytest.mark.parametrize("value", [3, 4.0, True, None, "4", np.float32(4)])
def test_anything_else_is_no_size(value: Any) -> None:
    assert is_size(value, 1 if value is True else 4) is False


@pytest.mark.parametrize("image_shape", [(4, 4, 1), [9, 7, 3], (np.int64(5), 5, 2)])
def test_good_sizes_come_back_as_a_tuple_of_integers(image_shape: Any) -> None:
    checked = check_sizes(image_shape, 2)

    assert checked == tuple(image_shape)
    assert {type(size) for size in checked} == {int}


@pytest.mark.parametrize(
    "image_shape",
    [(8, 8), (8, 8, 1, 1), (3, 8, 1), (8, 3, 1), (8, 8, 0), "881", None],
)
def test_an_image_shape_is_three_sizes(image_shape: Any) -> None:
    with pytest.raises(ValueError, match="Expected `image_shape` to be three integers"):
        check_sizes(image_shape, 2)


def test_there_are_at_least_two_classes() -> None:
    with pytest.raises(ValueError, match=r"`num_classes`.*at least 2\. Received: 1"):
        check_sizes((8, 8, 1), 1)


@pytest.mark.parametrize("value", [1, 7, np.int64(7)])
def test_a_size_comes_back_as_an_integer(value: Any) -> None:
    assert check_integer("units", value) == value
    assert type(check_integer("units", value)) is int


@pytest.mark.parametrize("value", NO_SIZES)
def test_what_is_no_size_is_refused_by_name(value: Any) -> None:
    with pytest.raises(
        ValueError, match=r"Expected `units` .* at least 1\. Received: "
    ):
        check_integer("units", value)


def test_an_integer_may_have_another_least_value() -> None:
    assert check_integer("seed", 0, least=0) == 0
    with pytest.raises(ValueError, match=r"at least 0\. Received: seed=-1"):
        check_integer("seed", -1, least=0)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5)])
def test_a_fraction_comes_back_as_a_float(value: Any) -> None:
    assert check_fraction("rate", value) == value
    assert type(check_fraction("rate", value)) is float


@pytest.mark.parametrize("value", [1, -0.1, math.nan, "0.5", None, False])
def test_what_is_no_fraction_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match="Expected `rate` to be at least 0 and less"):
        check_fraction("rate", value)


@pytest.mark.parametrize(
    "value",
    [[1.0], (1.0,), "1", None, np.float32(1.0), tf.constant([1.0]), np.ma.array([1.0])],
)
def test_only_a_numpy_array_is_one(value: Any) -> None:
    name = type(value).__name__
    with pytest.raises(
        ValueError, match=rf"`x` to be a NumPy array\. Received: {name}$"
    ):
        check_ndarray("x", value)


@pytest.mark.parametrize("value", [np.zeros(0), np.zeros((2, 3), "U1"), np.array(1)])
def test_every_numpy_array_is_one(value: Any) -> None:
    check_ndarray("x", value)


@pytest.mark.parametrize("value", [{}, [("a", 1)], "a", None, np.zeros((2, 2))])
def test_what_is_no_dict_and_what_is_empty_is_no_mapping(value: Any) -> None:
    name = type(value).__name__
    with pytest.raises(ValueError, match=f"at least one key. Received: {name}$"):
        check_mapping("x", value)


def test_a_dict_is_a_mapping() -> None:
    check_mapping("x", {"a": 1})


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float64"])
def test_numbers_come_back_as_they_are(dtype: str) -> None:
    array = np.ones((2, 3), dtype)

    assert check_numbers("x", array) is array


@pytest.mark.parametrize(
    ("array", "received"),
    [
        ([1.0, math.nan, math.inf], "nan and 1 more"),
        ([1.0, 1e39], r"1e\+39 and 0 more"),
        (np.array([-math.inf], "float16"), "-inf and 0 more"),
    ],
)
def test_a_number_that_is_not_finite_is_named(array: Any, received: str) -> None:
    expected = f"`x` to hold finite numbers within float32. Received: {received}"
    with pytest.raises(ValueError, match=expected):
        check_numbers("x", np.array(array))


@pytest.mark.parametrize(
    ("array", "received"),
    [
        (np.array(["a"]), "<U1"),
        (np.array([None]), "object"),
        (np.array([1j]), "complex128"),
    ],
)
def test_what_holds_no_numbers_is_refused(array: Any, received: str) -> None:
    with pytest.raises(
        ValueError, match=f"to hold numbers. Received: dtype {received}$"
    ):
        check_numbers("x", array)


@pytest.mark.parametrize("outputs", [[1.0, 0.0], [0.3, 0.695], [1.0]])
def test_scores_that_add_up_to_one_are_probabilities(outputs: list[float]) -> None:
    check_probabilities(np.array([outputs]))


@pytest.mark.parametrize(
    ("outputs", "received"),
    [
        ([0.5, 0.6], "outputs from 0.5, with the sum 1.1"),
        ([1.5, -0.5], "outputs from -0.5, with the sum 1$"),
        ([0.45, 0.5], "outputs from 0.45, with the sum 0.95"),
        ([np.nan, 0.5], "outputs from nan, with the sum nan"),
    ],
)
def test_other_scores_are_no_probabilities(outputs: list[float], received: str) -> None:
    with pytest.raises(
        ValueError, match=f"end it with a softmax. Received: {received}"
    ):
        check_probabilities(np.array([outputs]))


@pytest.mark.parametrize("labels", [[0, 1], np.array([1], "uint8"), tf.constant([0])])
def test_integers_of_every_kind_are_labels(labels: Any) -> None:
    check_labels(labels, num_classes=2)


@pytest.mark.parametrize(
    ("labels", "received"),
    [
        ([0, 2], "0 to 2"),
        ([-1, 1], "-1 to 1"),
        ([0.0, 1.0], r"shape \(2,\) and dtype float64"),
        ([[0, 1]], r"shape \(1, 2\) and dtype int64"),
        ([], r"shape \(0,\) and dtype float64"),
        (np.zeros(0, int), r"shape \(0,\) and dtype int64"),
        (1, r"shape \(\) and dtype int64"),
        ([[0], [0, 1]], r"shape \(\) and dtype object"),
        (keras.KerasTensor((None,), "int64"), r"shape \(\) and dtype object"),
    ],
)
def test_what_is_no_class_is_no_label(labels: Any, received: str) -> None:
    with pytest.raises(ValueError, match=f"from 0 to 1, .* Received: {received}"):
        check_labels(labels, num_classes=2)

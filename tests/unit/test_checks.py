"""Checks of arguments: what is refused, and what comes back."""

import math
from typing import Any

import numpy as np
import pytest

from snippets.checks import (
    check_positive,
    check_sizes,
    fraction,
    is_size,
    positive_integer,
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


@pytest.mark.parametrize("image_shape", [(8, 8), (3, 8, 1), (8, 8, 0), "881", None])
def test_an_image_shape_is_three_sizes(image_shape: Any) -> None:
    with pytest.raises(ValueError, match="Expected `image_shape` to be three integers"):
        check_sizes(image_shape, 2)


def test_there_are_at_least_two_classes() -> None:
    with pytest.raises(ValueError, match=r"`num_classes`.*at least 2\. Received: 1"):
        check_sizes((8, 8, 1), 1)


@pytest.mark.parametrize("check", [positive_integer, check_positive])
@pytest.mark.parametrize("value", [1, 7, np.int64(7)])
def test_a_positive_size_comes_back_as_an_integer(check: Any, value: Any) -> None:
    assert check("units", value) == value
    assert type(check("units", value)) is int


@pytest.mark.parametrize("check", [positive_integer, check_positive])
@pytest.mark.parametrize("value", NO_SIZES)
def test_what_is_no_size_is_refused_by_name(check: Any, value: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected `units`.*at least 1\. Received: "):
        check("units", value)


@pytest.mark.parametrize("value", [0, 0.5, np.float32(0.5)])
def test_a_fraction_comes_back_as_a_float(value: Any) -> None:
    assert fraction("rate", value) == value
    assert type(fraction("rate", value)) is float


@pytest.mark.parametrize("value", [1, -0.1, math.nan, "0.5", None])
def test_what_is_no_fraction_is_refused_by_name(value: Any) -> None:
    with pytest.raises(ValueError, match="Expected `rate` to be at least 0 and less"):
        fraction("rate", value)

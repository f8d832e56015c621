"""Checks of arguments on whatever is thrown at them, against a second definition."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from snippets import checks
from tests.unit.properties.odd import (
    FEW,
    INTEGERS,
    OTHER,
    REAL,
    THINGS,
    arrays,
    result_of,
)

NUMBERS = st.one_of(
    *(st.integers(), st.floats(), st.booleans()),
    *(arrays(1, REAL).map(lambda array: array[0]), THINGS),
)


@FEW
@given(NUMBERS, st.integers(-3, 3))
def test_an_integer_is_large_enough_or_refused(value: Any, least: int) -> None:
    is_one = type(value) is int or type(value).__name__ in INTEGERS
    expected = value if is_one and value >= least else None

    assert checks.is_size(value, least) is (expected is not None)
    assert result_of(checks.check_integer, "units", value, least) == expected


@FEW
@given(NUMBERS)
def test_a_fraction_is_a_number_below_one_or_refused(value: Any) -> None:
    result = result_of(checks.check_fraction, "rate", value)

    if result is not None:
        assert type(result) is float
        assert 0 <= result <= 1
        assert result == pytest.approx(float(value))
    if type(value) in (int, float) and 0 <= value < 1:
        assert result == value


@FEW
@given(st.one_of(THINGS, st.tuples(NUMBERS, NUMBERS, NUMBERS)), NUMBERS)
def test_sizes_are_three_and_a_number_of_classes(shape: Any, num_classes: Any) -> None:
    result = result_of(checks.check_sizes, shape, num_classes)

    if result is not None:
        assert list(map(type, result)) == [int] * 3
        assert result == tuple(shape)
        assert num_classes >= 2


@FEW
@given(
    st.one_of(THINGS, arrays(hnp.array_shapes(min_dims=0, min_side=0), REAL | OTHER))
)
def test_numbers_are_finite_in_float32(array: Any) -> None:
    result = result_of(checks.check_numbers, "x", array)

    if result is not None:
        assert result is array
        assert np.isfinite(array.astype("float32")).all()
    else:
        assert getattr(array, "dtype", "none") not in ("bool", *INTEGERS)


@FEW
@given(
    st.one_of(
        THINGS,
        st.lists(st.integers(-1, 4)),
        st.lists(st.floats()),
        arrays(hnp.array_shapes(min_side=0), REAL | OTHER),
    )
)
def test_labels_are_class_numbers(labels: Any) -> None:
    def passes() -> bool:
        return checks.check_labels(labels, 4) is None

    if result_of(passes):
        assert set(np.ravel(labels).tolist()) <= {0, 1, 2, 3}
        assert np.ndim(labels) == 1
        assert len(labels) > 0


def test_nan_is_no_fraction() -> None:
    assert result_of(checks.check_fraction, "rate", math.nan) is None


@pytest.mark.parametrize("check", [checks.check_integer, checks.check_fraction])
def test_a_value_of_more_than_60_characters_is_cut_in_the_message(check: Any) -> None:
    for words, is_whole in ((28 * "x " + "xx", True), (28 * "x " + "xxx", False)):
        with pytest.raises(ValueError, match="Received: size=") as caught:
            check("size", words)
        assert (repr(words) in str(caught.value)) is is_whole

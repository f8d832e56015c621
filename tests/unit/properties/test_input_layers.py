"""The recipes around `keras.Input` on whatever array, dtype, shape and value."""

import functools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from snippets import input_layers
from snippets.input_layers import checking
from tests.unit.properties.odd import (
    FEW,
    FLOATS,
    INTEGERS,
    MASKED,
    OTHER,
    REAL,
    THINGS,
    arrays,
    result_of,
)

DTYPES = st.sampled_from(
    ["bool", "float16", "float32", "float64", "bfloat16", *INTEGERS, "string"]
)
SIZES = st.one_of(st.none(), st.integers(0, 4))
TEXT = st.one_of(st.text(max_size=3), st.binary(max_size=3), st.none(), st.floats())
COLUMNS = st.one_of(
    *(THINGS, arrays(3, REAL), arrays((3, 2), REAL), arrays(3, OTHER)),
    hnp.arrays("float64", 3, elements=st.floats(-1e3, 1e3)),
    hnp.arrays("int64", 4, elements=st.integers(-2, 2)),
    hnp.arrays(object, 3, elements=TEXT),
    hnp.arrays(
        object, (3, 2), elements=st.sampled_from(["", "a", "[UNK]", b"\xc3\xa9"])
    ),
)


@functools.cache
def identity(dtype: str, *shape: int | None) -> keras.Model:
    """A model that hands its one input through, op by op."""
    tensor = keras.Input(shape, dtype=dtype)
    model = keras.Model(tensor, keras.layers.Identity(autocast=False)(tensor))
    model.compile(run_eagerly=True)
    return model


def rounding(dtype: Any) -> float:
    """The largest relative error of a float in a dtype that Keras reads."""
    bits = {"bfloat16": 8, "float16": 11}.get(str(dtype), 24)
    return 2.0 ** (1 - bits)


@FEW
@given(
    DTYPES, st.one_of(arrays((2, 3)), arrays((2, 3), OTHER), THINGS, st.just(MASKED))
)
def test_an_array_that_passes_arrives_as_it_is(dtype: str, array: Any) -> None:
    model = identity(dtype, 3)
    checked = result_of(input_layers.check_array, model, array)

    if checked is not None:
        assert checked is array
        seen = model.predict(array, verbose=0)
        assert seen.dtype == dtype
        if array.dtype.kind in "biu":
            assert seen.tolist() == array.tolist()
        else:
            np.testing.assert_allclose(
                *(seen.astype("float64"), array.astype("float64")),
                rtol=rounding(dtype),
                atol=1e-7 if dtype == "float16" else 1e-37,
            )


@FEW
@given(st.sampled_from(INTEGERS), st.sampled_from(["float32", *INTEGERS]), st.data())
def test_an_array_of_small_numbers_always_passes(
    given_dtype: str, dtype: str, data: st.DataObject
) -> None:
    small = st.integers(0, 127)
    array = data.draw(hnp.arrays(given_dtype, (2, 3), elements=small))

    assert input_layers.check_array(identity(dtype, 3), array) is array


@FEW
@given(
    st.lists(SIZES, min_size=1, max_size=4), hnp.array_shapes(min_dims=0, min_side=0)
)
def test_a_shape_fits_or_its_fault_is_named(
    expected: list[int | None], shape: tuple[int, ...]
) -> None:
    problem = checking.shape_problem(tuple(expected), shape)
    fits = len(expected) == len(shape) and all(
        want in (None, size) for want, size in zip(expected[1:], shape[1:], strict=True)
    )

    whole = fits and shape[0] % (expected[0] or 1) == 0
    assert (problem is None) == (whole and 0 not in shape)
    assert problem is None or problem.startswith("which ")


@FEW
@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), arrays((2, 1), REAL)))
def test_a_dict_passes_if_its_arrays_do(given_arrays: dict[str, Any]) -> None:
    inputs = {name: keras.Input((1,), name=name) for name in ("a", "b")}
    model = keras.Model(inputs, keras.layers.Add()(list(inputs.values())))
    checked = result_of(input_layers.check_arrays, model, given_arrays)
    single = [
        result_of(input_layers.check_array, identity("float32", 1), array) is not None
        for array in given_arrays.values()
    ]

    assert (checked is given_arrays) == (
        given_arrays.keys() == inputs.keys() and all(single)
    )


@FEW
@given(THINGS, THINGS)
def test_what_is_no_model_or_no_dict_is_refused(model: Any, given_arrays: Any) -> None:
    assert result_of(input_layers.check_array, model, given_arrays) is None
    assert result_of(input_layers.check_arrays, model, given_arrays) is None
    real = identity("float32", 3)
    assert result_of(input_layers.check_arrays, real, given_arrays) is None
    assert result_of(input_layers.feature_extractor, model, "x") is None
    assert result_of(input_layers.on_raw_pixels, model) is None
    assert result_of(input_layers.inputs_from_arrays, given_arrays) is None
    assert result_of(input_layers.preprocess, model, given_arrays) is None


@FEW
@given(st.floats(min_value=0) | st.integers())
def test_raw_pixels_come_out_scaled(maximum: Any) -> None:
    model = result_of(input_layers.on_raw_pixels, identity("float32", 3), maximum)

    if model is not None:
        pixels = np.array([[0.0, 0.5, 1.0]])
        np.testing.assert_allclose(model(pixels * float(maximum)), pixels, rtol=1e-6)


def features_of(column: Any) -> Any:
    """The features that the preprocessing recipes make of a column, as a table does."""
    inputs = input_layers.inputs_from_arrays({"x": column})
    model = keras.Model(inputs, input_layers.preprocess(inputs, {"x": column}))
    return np.asarray(model({"x": tf.constant(column)}))


@FEW
@given(COLUMNS)
def test_a_column_becomes_normal_or_one_hot(column: Any) -> None:
    features = result_of(features_of, column)

    if features is None:
        return
    assert features.dtype == "float32"
    if column.dtype in FLOATS:
        values = column.astype("float64").reshape(len(column), -1)
        spread = np.where(np.ptp(values, axis=0) > 0, values.std(axis=0), 1.0)
        expected = (values - values.mean(axis=0)) / spread
        error = 1e-5 + 2**-22 * np.abs(values).max(axis=0) / spread
        assert (np.abs(features - expected) <= error).all()
    else:
        rows = [
            [v.decode() if isinstance(v, bytes) else v for v in row]
            for row in column.reshape(len(column), -1).tolist()
        ]
        same = [
            [sum(a == b for a, b in zip(r, s, strict=True)) for s in rows] for r in rows
        ]
        np.testing.assert_array_equal(features @ features.T, same)
        assert (features.sum(axis=1) == len(rows[0])).all()


@FEW
@given(st.one_of(THINGS, st.builds(tf.TensorSpec, st.lists(SIZES, max_size=3), DTYPES)))
def test_an_input_is_as_its_spec(spec: Any) -> None:
    tensor = result_of(input_layers.input_from_spec, spec)
    table = result_of(input_layers.inputs_from_element_spec, {"x": spec})

    assert (table is None) == (tensor is None)
    if tensor is not None:
        assert tensor.shape == table["x"].shape == (None, *spec.shape[1:])
        assert tensor.dtype == table["x"].dtype == spec.dtype.name

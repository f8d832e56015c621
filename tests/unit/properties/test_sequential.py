"""The recipes around `keras.Sequential` on whatever layers, shapes and arrays."""

from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from snippets import sequential
from snippets.sequential import shapes
from tests.unit.properties.odd import FEW, OTHER, REAL, THINGS, arrays, result_of

SIZES = st.one_of(st.none(), st.integers(0, 6))
ROWS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                lambda: keras.layers.Dense(2),
                lambda: keras.layers.Conv1D(2, 3),
                lambda: keras.layers.GRU(2, return_sequences=True),
                lambda: keras.layers.GRU(2, return_state=True),
                lambda: keras.layers.Flatten(),
                lambda: keras.layers.MaxPooling1D(),
                lambda: keras.layers.GlobalAveragePooling2D(),
            ]
        ),
        THINGS,
    ),
    max_size=3,
)


@FEW
@given(st.one_of(THINGS, ROWS), st.one_of(THINGS, st.lists(SIZES, max_size=3)))
def test_the_shapes_are_those_of_real_data(makers: Any, shape: Any) -> None:
    layers = makers
    if isinstance(makers, list):
        layers = [make() if callable(make) else make for make in makers]
    shapes = result_of(sequential.shapes_by_layer, layers, shape)

    if shapes is not None:
        x = np.zeros((2, *(size or 5 for size in shape)), "float32")
        for layer in layers:
            x = layer(x)
            pairs = zip(shapes[layer.name], x.shape, strict=True)
            assert all(want in (None, size) for want, size in pairs)


@FEW
@given(
    st.one_of(THINGS, arrays(hnp.array_shapes(min_dims=0, min_side=0), REAL | OTHER))
)
def test_a_model_is_built_for_examples_or_says_why_not(examples: Any) -> None:
    model = keras.Sequential([keras.layers.Dense(2)])
    built = result_of(sequential.build_for, model, examples)

    if built is not None:
        assert built.input_shape == (None, *examples.shape[1:])
        assert built.built


FEATURES = st.one_of(
    *(THINGS, arrays((4, 3)), arrays((4, 3), OTHER), arrays((4, 3, 1))),
    hnp.arrays("float32", (4, 3), elements=st.floats(-10, 10, width=32)),
)
LABELS = st.one_of(
    *(THINGS, arrays((4,)), arrays((4, 1)), st.lists(st.integers(0, 1))),
    hnp.arrays("uint8", st.integers(3, 5), elements=st.integers(0, 1)),
)


@FEW
@given(FEATURES, LABELS, st.one_of(THINGS, st.integers(-1, 2)))
def test_a_classifier_is_trained_to_finite_weights_or_not_at_all(
    features: Any, labels: Any, epochs: Any
) -> None:
    model = sequential.vector_classifier(3, 2)
    before = model.get_weights()
    history = result_of(sequential.train_classifier, model, features, labels, epochs)

    if history is None:
        np.testing.assert_equal(model.get_weights(), before)
    else:
        assert len(history["loss"]) == epochs
        assert all(np.isfinite(weight).all() for weight in model.get_weights())


@FEW
@given(THINGS, THINGS)
def test_what_is_no_model_is_refused(model: Any, argument: Any) -> None:
    real = sequential.vector_classifier(3, 2)
    for call in (
        lambda: sequential.build_for(model, argument),
        lambda: sequential.train_classifier(model, argument, argument),
        lambda: sequential.copy_weights(model, real),
        lambda: sequential.copy_weights(real, model),
        lambda: sequential.with_new_head(model, 2),
        lambda: shapes.output_of_copy(model, argument),
        lambda: sequential.shapes_by_layer(model, argument),
    ):
        assert result_of(call) is None


@FEW
@given(st.one_of(THINGS, st.integers(-1, 3)))
def test_a_head_replaces_some_layers_or_the_model_stays_as_it_was(dropped: Any) -> None:
    model = sequential.vector_classifier(3, 2)
    new = result_of(sequential.with_new_head, model, 4, dropped)

    assert model.layers[0].trainable == (new is None)
    assert new is None or new.output_shape == (None, 4)


def test_a_head_that_cannot_be_made_freezes_nothing() -> None:
    model = sequential.vector_classifier(3, 2)

    with pytest.raises(ValueError, match="units"):
        sequential.with_new_head(model, 0)

    assert model.layers[0].trainable

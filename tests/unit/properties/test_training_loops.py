"""Class weights on whatever labels and weights they get."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras.ops import convert_to_numpy

from snippets.training_loops import weights_by_class
from tests.unit.properties.odd import FEW, OTHER, REAL, arrays, result_of

LABELS = st.one_of(
    *(arrays(st.integers(0, 4), REAL), arrays((4,), OTHER)),
    hnp.arrays("uint8", 4, elements=st.integers(0, 3)),
)
CLASSES = st.integers(-1, 3) | st.integers() | st.floats()
WEIGHTS = st.floats() | st.floats(0, 10) | st.integers(0, 3)


@FEW
@given(LABELS, st.dictionaries(CLASSES, WEIGHTS, max_size=3))
def test_each_label_has_the_weight_of_its_class(labels: Any, weights: Any) -> None:
    found = result_of(weights_by_class, labels, weights)

    if found is not None:
        expected = [weights.get(label, 1.0) for label in labels.tolist()]
        found = convert_to_numpy(found)
        np.testing.assert_array_equal(found, np.array(expected, "float32"))
        assert np.isfinite(found).all()

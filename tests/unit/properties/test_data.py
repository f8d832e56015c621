"""The split and the dataset on whatever arrays they get."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from snippets.data import as_dataset, split_train_test
from tests.unit.properties.odd import FEW, OTHER, REAL, THINGS, arrays, result_of

LABELS = st.one_of(
    *(THINGS, arrays(st.integers(0, 9), REAL), arrays((8,), OTHER), arrays((8, 2))),
    hnp.arrays("int64", st.integers(4, 30), elements=st.integers(0, 2)),
    hnp.arrays("float64", 8, elements=st.sampled_from([0.0, 1.0, np.nan])),
    hnp.arrays(object, 8, elements=st.sampled_from(["a", "b", None, 1])),
)


@FEW
@given(LABELS, st.floats(-0.1, 1.1), st.integers(-1, 2**33))
def test_a_split_holds_each_example_once(labels: Any, part: Any, seed: int) -> None:
    features = (
        np.arange(len(labels))
        if isinstance(labels, np.ndarray) and labels.ndim
        else labels
    )
    split = result_of(split_train_test, features, labels, part, seed)

    if split is not None:
        x_train, y_train, x_test, y_test = split
        assert sorted([*x_train, *x_test]) == features.tolist()
        assert labels[[*x_train, *x_test]].tolist() == [
            *y_train.tolist(),
            *y_test.tolist(),
        ]
        assert set(map(str, y_train)) == set(map(str, y_test)) == set(map(str, labels))
        assert len(x_test) == np.ceil(part * len(labels))


@FEW
@given(
    st.one_of(
        THINGS, arrays((5, 2)), arrays((5,)), st.fixed_dictionaries({"a": arrays((5,))})
    ),
    st.one_of(THINGS, arrays((5,)), arrays((4,))),
    st.one_of(THINGS, st.integers(0, 6)),
    st.one_of(THINGS, st.integers(-1, 2**31)),
)
def test_a_dataset_holds_each_example_once(
    features: Any, labels: Any, batch_size: Any, seed: Any
) -> None:
    dataset = result_of(as_dataset, features, labels, batch_size, seed)

    if dataset is not None:
        batches = list(dataset.as_numpy_iterator())
        assert sum(len(y) for _, y in batches) == len(labels)
        assert {len(y) for _, y in batches[:-1]} <= {batch_size}
        found = np.sort(np.concatenate([np.asarray(y) for _, y in batches]))
        np.testing.assert_array_equal(found, np.sort(labels.astype(found.dtype)))

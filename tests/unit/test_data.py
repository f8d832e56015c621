"""The data sets: shapes, dtypes, ranges, and the split."""

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from snippets.data import (
    as_dataset,
    digit_images,
    digit_sequences,
    digit_vectors,
    split_train_test,
    wine_table,
)


def test_digit_images_are_scaled_to_one_with_a_channel_axis() -> None:
    images, labels = digit_images()

    assert (images.shape, images.dtype) == ((1797, 8, 8, 1), np.float32)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert (labels.shape, labels.dtype) == ((1797,), np.int64)


def test_digit_images_hold_the_pixels_of_scikit_learn() -> None:
    images, labels = digit_images()
    source = load_digits()

    np.testing.assert_array_equal(images[..., 0] * 16, source.images)
    np.testing.assert_array_equal(labels, source.target)


def test_digit_vectors_are_the_images_row_after_row() -> None:
    vectors, labels = digit_vectors()
    images, image_labels = digit_images()

    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, images.reshape(1797, 64))
    np.testing.assert_array_equal(labels, image_labels)


def test_digit_sequences_are_the_images_without_channels() -> None:
    sequences, labels = digit_sequences()
    images, image_labels = digit_images()

    assert sequences.dtype == np.float32
    np.testing.assert_array_equal(sequences, images[..., 0])
    np.testing.assert_array_equal(labels, image_labels)


def test_wine_table_has_thirteen_columns_of_178_rows() -> None:
    columns, labels = wine_table()

    assert len(columns) == 13
    assert {(c.shape, c.dtype.name) for c in columns.values()} == {((178,), "float32")}
    assert (labels.shape, sorted(set(labels.tolist()))) == ((178,), [0, 1, 2])


def test_wine_table_columns_stand_under_their_own_names() -> None:
    columns, _ = wine_table()

    np.testing.assert_array_equal(
        np.stack(list(columns.values()), axis=1), load_wine().data.astype("float32")
    )


def test_wine_table_names_are_identifiers() -> None:
    columns, _ = wine_table()

    assert all(name.isidentifier() for name in columns)
    assert "od280_od315_of_diluted_wines" in columns


def test_the_split_holds_every_example_once() -> None:
    features, labels = np.arange(50), np.arange(50) % 5

    x_train, y_train, x_test, y_test = split_train_test(features, labels)

    assert (len(x_train), len(x_test)) == (40, 10)
    assert sorted([*x_train, *x_test]) == features.tolist()
    np.testing.assert_array_equal(
        np.concatenate([x_train, x_test]) % 5, [*y_train, *y_test]
    )


def test_the_split_keeps_the_mix_of_classes() -> None:
    labels = np.repeat([0, 1], [75, 25])

    _, y_train, _, y_test = split_train_test(labels, labels, test_fraction=0.2)

    assert np.bincount(y_train).tolist() == [60, 20]
    assert np.bincount(y_test).tolist() == [15, 5]


def test_the_split_is_shuffled_and_decided_by_the_seed() -> None:
    features, labels = np.arange(40), np.zeros(40)

    first = split_train_test(features, labels, seed=1)[0].tolist()

    assert first != sorted(first)
    assert first == split_train_test(features, labels, seed=1)[0].tolist()
    assert first != split_train_test(features, labels, seed=2)[0].tolist()


def test_the_split_holds_out_a_fifth_with_the_seed_0() -> None:
    features, labels = np.arange(40), np.zeros(40)

    for part, same in zip(
        split_train_test(features, labels),
        split_train_test(features, labels, test_fraction=0.2, seed=0),
        strict=True,
    ):
        np.testing.assert_array_equal(part, same)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_the_split_refuses_a_fraction_outside_zero_to_one(fraction: float) -> None:
    with pytest.raises(ValueError, match="Expected `test_fraction` between 0 and 1"):
        split_train_test(np.arange(4), np.zeros(4), test_fraction=fraction)


@pytest.mark.parametrize(
    ("num_features", "num_labels"), [(3, 4), (4, 3), (0, 0), (0, 2)]
)
def test_the_split_refuses_lengths_that_differ_or_are_zero(
    num_features: int, num_labels: int
) -> None:
    message = f"Received: {num_features} features and {num_labels} labels"
    with pytest.raises(ValueError, match=message):
        split_train_test(np.zeros(num_features), np.zeros(num_labels))


@pytest.mark.parametrize("array", [[0, 0, 1, 1], "0011", None])
def test_the_split_and_the_dataset_refuse_what_is_no_array(array: Any) -> None:
    name, good = type(array).__name__, np.zeros(4)
    for call in (split_train_test, as_dataset):
        expected = rf"Expected `%s` to be a NumPy array.*\. Received: {name}"
        with pytest.raises(ValueError, match=expected % "labels"):
            call(good, array)
        with pytest.raises(ValueError, match=expected % "features"):
            call(array, good)
    with pytest.raises(ValueError, match=expected % "age"):
        as_dataset({"age": array}, good)


def test_the_split_and_the_dataset_refuse_a_number_in_place_of_examples() -> None:
    number, good = np.array(3), np.zeros(4)
    for arguments in ((good, number), (number, good), (number, number)):
        with pytest.raises(ValueError, match="to be a NumPy array of examples"):
            split_train_test(*arguments)
        with pytest.raises(ValueError, match=r"Received: shapes .*'labels': \("):
            as_dataset(*arguments)


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        ([0, 0, 0, 1], {}),
        ([0, 0, 1, 1], {"test_fraction": 0.2}),
        ([0, 0, 1, 1], {"test_fraction": 0.8}),
        ([0, 0, 1, 1], {"test_fraction": 0.5, "seed": -1}),
        ([0, 0, 1, 1], {"test_fraction": 0.5, "seed": 1.5}),
    ],
)
def test_the_split_says_which_classes_it_cannot_split(
    labels: list[int], options: dict[str, Any]
) -> None:
    expected = "at least two examples of each class, .* Received: (The|With) "
    with pytest.raises(ValueError, match=expected):
        split_train_test(np.arange(4), np.array(labels), **options)


def test_the_split_refuses_labels_that_are_nan() -> None:
    with pytest.raises(ValueError, match=r"`labels` without NaN. Received: 2 of them"):
        split_train_test(np.arange(4), np.array([0.0, 0.0, np.nan, np.nan]), 0.5)


def test_a_dataset_leaves_its_batch_axis_open() -> None:
    features, labels = as_dataset(
        np.zeros((5, 8, 8, 1), "float32"), np.zeros(5)
    ).element_spec

    assert features.shape.as_list() == [None, 8, 8, 1]
    assert labels.shape.as_list() == [None]


def test_a_dataset_keeps_the_order_and_the_small_last_batch() -> None:
    dataset = as_dataset(np.arange(5), np.arange(5) * 10, batch_size=2)

    batches = [(x.tolist(), y.tolist()) for x, y in dataset.as_numpy_iterator()]

    assert batches == [([0, 1], [0, 10]), ([2, 3], [20, 30]), ([4], [40])]


def test_a_batch_holds_32_examples_unless_told_otherwise() -> None:
    batches = list(as_dataset(np.arange(33), np.arange(33)).as_numpy_iterator())

    assert [len(labels) for _, labels in batches] == [32, 1]


def test_a_dataset_of_a_dict_keeps_the_names() -> None:
    table = {"age": np.array([30.0, 41.0]), "city": np.array(["Rome", "Oslo"])}

    features, _ = as_dataset(table, np.array([0, 1])).element_spec

    assert {name: spec.dtype.name for name, spec in features.items()} == {
        "age": "float64",
        "city": "string",
    }


def test_a_shuffled_dataset_is_the_same_in_each_run_and_differs_by_epoch() -> None:
    def epoch(dataset: Any) -> list[int]:
        return [int(x) for batch, _ in dataset for x in batch]

    first = as_dataset(np.arange(20), np.zeros(20), shuffle_seed=3)
    again = as_dataset(np.arange(20), np.zeros(20), shuffle_seed=3)
    first_epochs, again_epochs = (
        [epoch(first), epoch(first)],
        [epoch(again), epoch(again)],
    )

    assert first_epochs == again_epochs
    assert first_epochs[0] != first_epochs[1]
    assert sorted(first_epochs[0]) == list(range(20))


def test_an_empty_dataset_has_no_batch() -> None:
    dataset = as_dataset(np.zeros((0, 3)), np.zeros(0), shuffle_seed=0)

    assert list(dataset) == []


def test_a_dataset_refuses_lengths_that_differ() -> None:
    table = {"a": np.zeros(3), "b": np.zeros(2)}
    with pytest.raises(
        ValueError, match=r"Received: .*'a': \(3,\), 'b': \(2,\), 'labels"
    ):
        as_dataset(table, np.zeros(3))


def test_a_dataset_refuses_a_batch_size_below_one() -> None:
    with pytest.raises(
        ValueError,
        match=r"`batch_size` to be an integer of at least 1. Received: batch_size=0",
    ):
        as_dataset(np.zeros(3), np.zeros(3), batch_size=0)


@pytest.mark.parametrize("batch_size", [2.5, True, "8", None])
def test_a_dataset_refuses_a_batch_size_that_is_no_integer(batch_size: Any) -> None:
    with pytest.raises(ValueError, match="`batch_size` to be an integer of at least"):
        as_dataset(np.zeros(3), np.zeros(3), batch_size=batch_size)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True])
def test_a_dataset_refuses_a_seed_that_is_no_integer(seed: Any) -> None:
    with pytest.raises(
        ValueError, match="`shuffle_seed` to be an integer of at least 0"
    ):
        as_dataset(np.zeros(3), np.zeros(3), shuffle_seed=seed)


@pytest.mark.parametrize("table", [{}, {"a": np.zeros((0, 1))}])
def test_a_dataset_refuses_a_table_without_rows(table: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="to hold as many examples as `labels`"):
        as_dataset(table, np.zeros(3))


@pytest.mark.parametrize("array", [np.array([None] * 3), np.zeros(3, "datetime64[s]")])
def test_a_dataset_refuses_what_tensorflow_cannot_hold(array: Any) -> None:
    with pytest.raises(ValueError, match=r"dtypes that TensorFlow knows\. Received: "):
        as_dataset(array, np.zeros(3))

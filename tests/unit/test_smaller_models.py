"""Smaller models: what a file holds, what it answers, and what is refused."""

import functools
from typing import Any

import keras
import numpy as np
import pytest

from snippets.choosing import functional_cnn
from snippets.data import digit_images
from snippets.smaller_models import LITE_KINDS, lite_file, lite_function
from snippets.smaller_models.lite import share_right
from snippets.smaller_models.speed import (
    files_to_compare,
    integer_file,
    one_answer,
    seconds_of_answers,
    table_of_answers,
)


def some_digits(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    images, labels = digit_images()
    return images[:count], labels[:count]


@functools.cache
def lite_classifier() -> keras.Model:
    keras.utils.set_random_seed(0)
    model = functional_cnn((8, 8, 1), 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss, jit_compile=False)
    model.fit(*some_digits(400), batch_size=20, epochs=5, shuffle=False, verbose=0)
    return model


@functools.cache
def lite_digits(kind: str) -> bytes:
    return lite_file(lite_classifier(), kind, some_digits(200)[0])


@pytest.mark.parametrize("kind", LITE_KINDS)
@pytest.mark.parametrize("count", [1, 7, 200])
def test_a_lite_file_answers_as_keras_does(kind: str, count: int) -> None:
    images, _ = some_digits(count)
    expected = np.array(lite_classifier()(images))
    found = lite_function(lite_digits(kind))(images)
    tolerance = {"float32": 1e-5, "float16 weights": 1e-2}.get(kind, 0.5)

    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, atol=tolerance)
    assert np.mean(found.argmax(1) == expected.argmax(1)) >= 0.97


def test_fewer_bits_make_a_smaller_file() -> None:
    sizes = {kind: len(lite_digits(kind)) for kind in LITE_KINDS}
    weights = lite_classifier().count_params()
    assert sizes["float32"] > 4 * weights
    assert 2 * weights < sizes["float16 weights"] < 0.7 * sizes["float32"]
    for kind in ("int8 weights", "int8"):
        assert weights < sizes[kind] < 0.8 * sizes["float16 weights"]


def test_a_lite_function_takes_batches_of_any_size_in_turn() -> None:
    images, _ = some_digits(5)
    predict = lite_function(lite_digits("float32"))
    whole = predict(images)
    for part in (images[:2], images[:1], images[:2], images):
        np.testing.assert_allclose(predict(part), whole[: len(part)], atol=1e-5)


def test_int8_cuts_off_what_is_larger_than_in_its_examples() -> None:
    model, images = lite_classifier(), some_digits(200)[0]
    by_size = images[np.argsort(np.max(model(images), axis=1))]
    few = lite_function(lite_file(model, "int8", by_size[:20]))(by_size)
    largest = np.max(model(by_size[:20]))

    assert np.max(model(by_size)) > 1.5 * largest
    assert np.max(few) == pytest.approx(largest, rel=0.05)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (np.ones((2, 8, 9, 1), "float32"), r"\(batch, 8, 8, 1\).*\(2, 8, 9, 1\)"),
        (np.ones((8, 8, 1), "float32"), r"\(batch, 8, 8, 1\).*\(8, 8, 1\)"),
        (np.ones((1, 8, 8, 1), "float64"), "FLOAT64 but expected type FLOAT32"),
    ],
)
def test_a_lite_function_refuses_what_does_not_fit(
    batch: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        lite_function(lite_digits("float32"))(batch)


@pytest.mark.parametrize("kind", ["int4", None])
def test_another_kind_of_file_is_refused(kind: Any) -> None:
    with pytest.raises(ValueError, match=f"'int8'.*Received: {kind!r}"):
        lite_file(functional_cnn((8, 8, 1), 10), kind, some_digits(2)[0])


def test_the_share_of_right_answers_is_counted_one_by_one() -> None:
    shapes: list[tuple[int, ...]] = []

    def predict(batch: np.ndarray) -> list[np.ndarray]:
        shapes.append(batch.shape)
        return [np.eye(3)[int(image.sum())] for image in batch]

    images = np.array([0.0, 1.0, 2.0, 1.0]).reshape(4, 1, 1, 1)
    classify = share_right(predict, images, np.array([0, 1, 2, 2]))
    assert shapes == []
    assert classify() == 0.75
    assert shapes == [(1, 1, 1, 1)] * 4


def test_a_file_of_integers_takes_and_gives_no_float() -> None:
    images, _ = some_digits(200)
    predict = lite_function(integer_file(lite_classifier(), images))
    assert predict(np.zeros((2, 8, 8, 1), "int8")).dtype == "int8"
    with pytest.raises(ValueError, match="FLOAT32 but expected type INT8"):
        predict(images[:2])


def test_each_file_to_compare_answers_one_image_in_floats() -> None:
    images, _ = some_digits(200)
    files = files_to_compare(lite_classifier(), images)
    assert len({len(file) for file in files.values()}) == 4
    for image in images[:20, np.newaxis]:
        expected = np.array(lite_classifier()(image))
        for file in files.values():
            found = one_answer(file, image)()
            assert found.dtype == "float32"
            np.testing.assert_allclose(found, expected, atol=0.5)


def test_an_image_beyond_the_examples_is_cut_off_and_does_not_wrap() -> None:
    images, _ = some_digits(200)
    file = integer_file(lite_classifier(), images)
    found = [one_answer(file, factor * images[:1])() for factor in (1000, 2000)]
    np.testing.assert_array_equal(*found)


def test_what_is_cut_off_is_the_largest_integer() -> None:
    same = keras.layers.Dense(1, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), same])
    examples = np.linspace(-1, 1, 100, dtype="float32")[:, np.newaxis]
    file = integer_file(model, examples)

    found = [one_answer(file, np.float32([[x]]))().item() for x in (-9.0, 1.0, 9.0)]

    np.testing.assert_allclose(found, [-1.0, 1.0, 1.0], atol=0.008)  # of 256 steps
    assert found[2] > 1.0  # 127 stands for a little more than 1


def test_the_model_its_files_and_two_threads_answer_as_often() -> None:
    images, _ = some_digits(200)
    files = files_to_compare(lite_classifier(), images)
    seconds = seconds_of_answers(lite_classifier(), files, images[:1], 4, 0.5)
    assert list(seconds) == ["tf.function", *files, "float32, two threads"]
    assert {len(times) for times in seconds.values()} == {4}
    with pytest.raises(ValueError, match=r"every way to do the work of 'tf\.f"):
        seconds_of_answers(lite_classifier(), files, images[:1], 4, 0.0)


def test_the_table_has_the_median_and_the_range_in_milliseconds() -> None:
    seconds = {"Keras": [0.01, 30.0, 0.0123], "a file": [0.002, 0.002, 0.002]}
    table = table_of_answers(seconds, {"a file": b"0" * 12345})
    assert table.headings[1:3] == ["Bytes of the file", "Median, ms"]
    assert table.rows == [
        ["Keras", "", "12.3", "10.0 to 30000.0"],
        ["a file", "12,345", "2.0", "2.0 to 2.0"],
    ]

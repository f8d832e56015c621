"""The recipes around `keras.Input`, against NumPy, a second way, and Keras itself."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.ops import convert_to_numpy

from snippets.data import as_dataset, digit_images, wine_table
from snippets.input_layers import (
    check_array,
    check_arrays,
    classifier_from,
    digit_classifier,
    feature_extractor,
    fully_convolutional,
    input_from_column,
    input_from_spec,
    inputs_from_arrays,
    inputs_from_element_spec,
    linear_classifier,
    on_raw_pixels,
    preprocess,
    sequence_classifier,
    two_branch_features,
)
from snippets.input_layers.checking import (
    check_fit,
    inputs_by_name,
    range_problem,
    shape_problem,
    value_problem,
)
from snippets.input_layers.from_data import (
    dtype_for_column,
    normalization_of,
    one_hot_of,
    preprocessing_layer,
    text_of,
)
from snippets.input_layers.pictures import draw_examples, grid
from tests.unit.comparing import assert_allclose, assert_array_equal


def model_on(*shape: int | None, dtype: str = "float32", **options: Any) -> keras.Model:
    """A model that hands its one input through."""
    tensor = keras.Input(shape, dtype=dtype, **options)
    return keras.Model(tensor, keras.layers.Identity()(tensor))


def model_on_two_inputs() -> keras.Model:
    """A model on `{"age": ..., "height": ...}`."""
    inputs = {name: keras.Input((1,), name=name) for name in ("age", "height")}
    return keras.Model(inputs, keras.layers.Add()(list(inputs.values())))


class Subclassed(keras.Model):
    """A model that never knows its inputs."""

    def call(self, x: Any) -> Any:
        return x


TABLE = {
    "age": np.array([20.0, 30.0, 70.0, 40.0], "float16"),
    "city": np.array(["Rome", "Oslo", "Rome", "Lima"]),
    "rooms": np.array([2, 3, 2, 9]),
    "owner": np.array([True, False, False, True]),
    "sizes": np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0], [6.0, 5.0]]),
}


# Pictures


@pytest.mark.parametrize(
    ("shape", "tables"),
    [((13,), 1), ((50, 128), 1), ((8, 8, 1), 1), ((8, 8, 3), 3), ((8, 8, None), 1)],
)
def test_an_example_is_drawn_with_a_table_for_each_channel(
    shape: tuple[int | None, ...], tables: int
) -> None:
    assert grid(0, 0, shape).count("<rect") == tables


def test_the_drawing_says_what_each_shape_becomes() -> None:
    drawing = draw_examples([("a row", (13,)), ("any steps", (None, 8))])

    assert drawing.alt == (
        "a row: shape=(13,) becomes (None, 13); "
        "any steps: shape=(None, 8) becomes (None, None, 8)"
    )
    assert drawing.svg.count("stroke-dasharray") == 2  # the frame of one example


def rectangles(svg: str) -> list[list[int]]:
    """The edges and the sizes of all rectangles: left, top, width, height."""
    found = re.findall(r'x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', svg)
    return [[int(number) for number in four] for four in found]


def test_three_examples_stand_in_each_row_and_the_first_has_a_frame() -> None:
    svg = draw_examples([("a row", (13,)), ("any steps", (None, 8))]).svg
    rows = [
        [[8, top + 28, 98, 74], *([x, top + 44, 64, height] for x in (16, 114, 212))]
        for top, height in ((0, 11), (116, 44))
    ]

    assert rectangles(svg) == rows[0] + rows[1]
    places = re.findall(r'<text x="(\d+)" y="(\d+)"', svg)
    beside = [("8", 18), ("306", 70), ("322", 58), ("322", 82)]
    assert places == [(x, str(y + top)) for top in (0, 116) for x, y in beside]
    assert 'viewBox="0 0 500 232"' in svg


def test_a_grid_is_a_row_a_table_or_a_stack_of_three_tables_at_most() -> None:
    stack = [[10, 0, 64, 44], [5, 5, 64, 44], [0, 10, 64, 44]]

    assert rectangles(grid(0, 0, (8, 8, 5))) == stack
    assert rectangles(grid(0, 0, (8, 8, 2))) == stack[1:]
    assert rectangles(grid(0, 0, (8, 8, None))) == stack[2:]
    upright = [f"M{x} 10v11" for x in range(8, 64, 8)]
    assert f'd="{"".join(upright)}"' in grid(0, 0, (13,))
    upright = [f"M{x} 10v44" for x in range(8, 64, 8)]
    assert f'd="{"".join([*upright, "M0 21h64M0 32h64M0 43h64"])}"' in grid(
        0, 0, (2, 3)
    )


# Models


@pytest.mark.parametrize(
    ("build", "arguments", "kernels"),
    [
        (digit_classifier, ((8, 8, 2), 3), [(3, 3, 2, 16), (6 * 6 * 16, 3)]),
        (two_branch_features, ((8, 8, 2),), [(3, 3, 2, 8), (5, 5, 2, 8)]),
        (sequence_classifier, (4, 3), [(4, 3 * 16), (16, 3)]),
        (fully_convolutional, (2, 3), [(3, 3, 2, 16), (16, 3)]),
    ],
)
def test_the_models_are_as_large_as_they_are_meant(
    build: Callable[..., keras.Model],
    arguments: tuple[Any, ...],
    kernels: list[tuple[int, ...]],
) -> None:
    weights = build(*arguments).weights

    assert [tuple(w.shape) for w in weights if w.name == "kernel"] == kernels


@pytest.mark.parametrize("batch", [1, 5])
def test_the_linear_classifier_is_a_softmax_of_one_product(batch: int) -> None:
    model = linear_classifier(num_features=7, num_classes=3)
    x = np.linspace(-1, 1, batch * 7, dtype="float32").reshape(batch, 7)
    kernel, bias = model.get_weights()
    powers = np.exp(x @ kernel + bias)

    expected = powers / powers.sum(axis=-1, keepdims=True)

    assert_allclose(model(x), expected, atol=1e-6)
    assert [tensor.name for tensor in model.inputs] == ["features"]


def test_the_digit_classifier_learns_the_digits_to_80_percent_in_five_epochs() -> None:
    keras.utils.set_random_seed(0)
    images, labels = digit_images()
    model = digit_classifier()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

    history = model.fit(images, labels, epochs=5, verbose=0)

    assert history.history["accuracy"][-1] > 0.8


@pytest.mark.parametrize("batch", [1, 5])
def test_the_digit_classifier_gives_probabilities(batch: int) -> None:
    model = digit_classifier((9, 7, 2), num_classes=4)
    scores = convert_to_numpy(model(np.ones((batch, 9, 7, 2))))

    assert scores.shape == (batch, 4)
    assert_allclose(np.sum(scores, axis=-1), 1.0, rtol=1e-6)


def test_the_digit_classifier_names_its_input() -> None:
    assert [tensor.name for tensor in digit_classifier().inputs] == ["pixels"]


def test_the_digit_classifier_refuses_an_image_shape_without_channels() -> None:
    with pytest.raises(ValueError, match=r"`image_shape` of 3 axes.*\(8, 8\)"):
        digit_classifier((8, 8))


def test_both_branches_read_the_one_input() -> None:
    model = two_branch_features((8, 8, 1))
    image = digit_images()[0][:2]
    maps = [
        convert_to_numpy(model.get_layer(name)(image)) for name in ("small", "large")
    ]
    expected = [np.max(each, axis=(1, 2)) for each in maps]

    assert_allclose(model(image), np.concatenate(expected, axis=-1), atol=1e-6)
    assert len(model.inputs) == 1


@pytest.mark.parametrize("size", [1, 5, 11])
def test_branches_without_fixed_sizes_accept_any_image(size: int) -> None:
    assert two_branch_features((None, None, 3))(
        np.zeros((1, size, size + 1, 3))
    ).shape == (1, 16)


@pytest.mark.parametrize(
    "make",
    [
        lambda: keras.layers.Dense(4),
        lambda: keras.layers.Conv1D(4, 3),
        lambda: keras.layers.LSTM(4),
        lambda: keras.layers.Flatten(),
    ],
    ids=["Dense", "Conv1D", "LSTM", "Flatten"],
)
def test_any_first_layer_will_do_since_the_input_stands_alone(
    make: Callable[[], keras.Layer],
) -> None:
    first_layer = make()  # here, so that its name is not given twice
    model = classifier_from(first_layer, (8, 8), num_classes=3)

    assert model.layers[0] is first_layer
    assert model(np.zeros((2, 8, 8))).shape == (2, 3)


@pytest.mark.parametrize("num_steps", [1, 5, 13])
def test_one_sequence_classifier_reads_sequences_of_any_length(num_steps: int) -> None:
    model = sequence_classifier(num_features=8, num_classes=3)

    assert model.input_shape == (None, None, 8)
    assert model(np.zeros((2, num_steps, 8))).shape == (2, 3)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (1, 17), (31, 5)])
def test_one_fully_convolutional_model_reads_images_of_any_size(
    height: int, width: int
) -> None:
    model = fully_convolutional(num_channels=2, num_classes=3)

    assert model(np.zeros((2, height, width, 2))).shape == (2, 3)


def test_features_are_those_inside_the_model() -> None:
    model = digit_classifier()
    image = digit_images()[0][:3]

    features = (
        feature_extractor(model, "pixels"),
        feature_extractor(model, model.layers[2].name),
    )

    assert_array_equal(features[0](image), image)
    dense = model.layers[3]
    assert_allclose(dense(features[1](image)), model(image), atol=1e-6)


def test_features_can_be_taken_from_a_sequential() -> None:
    model = classifier_from(keras.layers.Dense(4, name="first"), (8,), 2)

    assert feature_extractor(model, "first").output_shape == (None, 4)


def test_features_can_be_taken_from_a_model_on_a_dict() -> None:
    model = model_on_two_inputs()

    extract = feature_extractor(model, model.layers[-1].name)

    table = {"age": np.array([[1.0]]), "height": np.array([[2.0]])}
    assert_array_equal(extract(table), [[3.0]])


def test_features_of_a_sequential_inside_another_model_keep_its_own_input() -> None:
    model = classifier_from(keras.layers.Dense(4, name="first"), (8,), 2)
    on_raw_pixels(model)

    extract = feature_extractor(model, "first")

    x = np.ones((1, 8), "float32")
    assert_allclose(extract(x), model.get_layer("first")(x), atol=1e-6)


def test_a_feature_extractor_shares_its_weights() -> None:
    model = digit_classifier()

    assert feature_extractor(model, model.layers[1].name).weights[0] is model.weights[0]


def test_an_unknown_layer_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"one of \['pixels', 'conv2d.*'nothing'"):
        feature_extractor(digit_classifier(), "nothing")


@pytest.mark.parametrize(
    "model", [keras.Sequential([keras.layers.Dense(2, name="first")]), Subclassed()]
)
def test_features_need_a_model_that_begins_at_an_input(model: keras.Model) -> None:
    with pytest.raises(ValueError, match="Expected a model that begins at an Input"):
        feature_extractor(model, "first")


def test_a_model_on_raw_pixels_equals_the_model_on_scaled_pixels() -> None:
    model = digit_classifier()
    images = digit_images()[0][:3]

    raw = on_raw_pixels(model)

    assert_allclose(raw(images * 16), model(images), atol=1e-6)
    assert raw.weights[0] is model.weights[0]


def test_a_model_on_raw_pixels_keeps_a_fixed_batch_size() -> None:
    pixels = keras.Input(batch_shape=(4, 3))

    model = on_raw_pixels(keras.Model(pixels, keras.layers.Dense(2)(pixels)), 255)

    assert model.input_shape == (4, 3)


@pytest.mark.parametrize("maximum", [0.0, -1.0, 1e-31, 1e31, np.nan, np.inf])
def test_the_raw_maximum_must_be_a_number_to_divide_by(maximum: float) -> None:
    with pytest.raises(ValueError, match="Expected `maximum` from 1e-30 to 1e30"):
        on_raw_pixels(digit_classifier(), maximum)


@pytest.mark.parametrize("maximum", [1e-30, 1e30])
def test_the_smallest_and_the_largest_raw_maximum_become_one(maximum: float) -> None:
    pixels = keras.Input((1,))
    same = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = on_raw_pixels(keras.Model(pixels, same(pixels)), maximum)

    assert_allclose(model(np.full((1, 1), maximum, "float32")), [[1.0]], rtol=1e-6)


def test_raw_pixels_need_a_model_on_floats() -> None:
    with pytest.raises(ValueError, match=r"a model on floats\. Received: int32"):
        on_raw_pixels(model_on(3, dtype="int32"))


@pytest.mark.parametrize(
    ("make", "count"),
    [(model_on_two_inputs, 2), (Subclassed, 0), (keras.Sequential, 0)],
)
def test_raw_pixels_need_exactly_one_input(
    make: Callable[[], keras.Model], count: int
) -> None:
    with pytest.raises(ValueError, match=f"model with one input. Received: {count}"):
        on_raw_pixels(make())


# Inputs from a dataset


def test_an_input_takes_shape_and_dtype_of_a_spec_without_its_batch_axis() -> None:
    tensor = input_from_spec(tf.TensorSpec((32, None, 3), "float16"), name="steps")

    assert (tensor.name, tensor.shape, tensor.dtype) == (
        "steps",
        (None, None, 3),
        "float16",
    )


@pytest.mark.parametrize("dtype", ["string", "bool", "int64", "uint8", "float64"])
def test_an_input_keeps_the_dtype_of_a_spec(dtype: str) -> None:
    assert input_from_spec(tf.TensorSpec((None,), dtype)).dtype == dtype


def test_an_input_is_sparse_or_ragged_as_its_spec_is() -> None:
    sparse = input_from_spec(tf.SparseTensorSpec((None, 9), tf.float32))
    ragged = input_from_spec(tf.RaggedTensorSpec((None, None), tf.int32))

    assert (sparse.sparse, sparse.ragged, sparse.shape) == (True, False, (None, 9))
    assert (ragged.sparse, ragged.ragged, ragged.dtype) == (False, True, "int32")


@pytest.mark.parametrize(
    "spec",
    [tf.TensorSpec(()), tf.TensorSpec(None), tf.OptionalSpec(tf.TensorSpec(())), "x"],
)
def test_a_spec_without_a_batch_axis_is_refused(spec: Any) -> None:
    with pytest.raises(ValueError, match="with a batch axis: batch the dataset"):
        input_from_spec(spec)


def test_a_dict_of_specs_gives_a_dict_of_named_inputs() -> None:
    spec = as_dataset(TABLE, np.zeros(4)).element_spec

    inputs = inputs_from_element_spec(spec)

    assert {name: (t.name, t.shape, t.dtype) for name, t in inputs.items()} == {
        "age": ("age", (None,), "float16"),
        "city": ("city", (None,), "string"),
        "rooms": ("rooms", (None,), "int64"),
        "owner": ("owner", (None,), "bool"),
        "sizes": ("sizes", (None, 2), "float64"),
    }


@pytest.mark.parametrize("num_parts", [0, 1, 2, 3])
def test_labels_and_weights_are_left_aside(num_parts: int) -> None:
    parts = (tf.TensorSpec((None, 8)), tf.TensorSpec((None,)), tf.TensorSpec((None,)))

    tensor = inputs_from_element_spec(parts[:num_parts] if num_parts else parts[0])

    assert tensor.shape == (None, 8)


@pytest.mark.parametrize("element_spec", [(), ((),), {}, [tf.TensorSpec((None,))]])
def test_features_that_are_no_tensor_and_no_dict_are_refused(element_spec: Any) -> None:
    with pytest.raises(ValueError, match=r"Expected a `tf\.TensorSpec`"):
        inputs_from_element_spec(element_spec)


def test_a_dataset_feeds_the_inputs_made_from_it() -> None:
    images, labels = digit_images()
    dataset = as_dataset(images[:5], labels[:5], batch_size=2)
    tensor = inputs_from_element_spec(dataset.element_spec)
    model = keras.Model(tensor, keras.layers.Flatten()(tensor))

    assert_array_equal(model.predict(dataset, verbose=0), images[:5].reshape(5, 64))


# Inputs from arrays


def test_inputs_take_name_shape_and_dtype_of_their_arrays() -> None:
    inputs = inputs_from_arrays(TABLE)

    assert {name: (t.name, t.shape, t.dtype) for name, t in inputs.items()} == {
        "age": ("age", (None,), "float32"),
        "city": ("city", (None,), "string"),
        "rooms": ("rooms", (None,), "int64"),
        "owner": ("owner", (None,), "bool"),
        "sizes": ("sizes", (None, 2), "float32"),
    }


@pytest.mark.parametrize(
    "column", [np.array(["a"], object), np.array([b"a"]), np.array([["a", "b"]])]
)
def test_text_of_any_kind_gets_a_string_input(column: np.ndarray) -> None:
    assert input_from_column("city", column).dtype == "string"


@pytest.mark.parametrize("name", ["", "a/b", 3])
def test_a_name_that_keras_refuses_is_refused(name: Any) -> None:
    with pytest.raises(ValueError, match="name"):
        input_from_column(name, np.zeros(2))


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]"])
def test_a_column_of_no_numbers_and_no_strings_is_refused(dtype: str) -> None:
    with pytest.raises(
        ValueError, match=r'`arrays\["x"\]` to hold numbers or strings.*dtype'
    ):
        input_from_column("x", np.zeros(2, dtype))


@pytest.mark.parametrize(
    "column", [np.array(3), np.zeros((0, 2)), np.zeros((2, 0)), np.zeros(0, "U1")]
)
def test_a_scalar_or_an_empty_column_is_refused(column: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"at least one row of them. Received: dtype"):
        input_from_column("x", column)


@pytest.mark.parametrize(
    "column", [[1.0], np.float32(3.0), "Rome", tf.constant([1.0]), np.ma.array([1.0])]
)
def test_a_column_is_an_array(column: Any) -> None:
    name = type(column).__name__
    with pytest.raises(ValueError, match=f"to be a NumPy array. Received: {name}"):
        input_from_column("x", column)


@pytest.mark.parametrize(
    "column",
    [
        np.array([1.0, np.nan]),
        np.array([np.inf, 1.0], "float16"),
        np.array(["a", None], object),
        np.array(["a", 3], object),
        np.array(["a", float("nan")], object),
        np.array([1.0, 1e39]),
        np.array([b"a", b"\xff"]),
        np.array(["a", "\ud800"], object),
        np.array(["a", "b\0c"], object),
    ],
)
def test_a_value_that_its_input_cannot_hold_is_refused_and_counted(
    column: np.ndarray,
) -> None:
    with pytest.raises(ValueError, match=r"no value missing.*Received: 1 others, such"):
        input_from_column("x", column)


def test_a_table_without_columns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"with at least one key. Received: dict"):
        inputs_from_arrays({})


@pytest.mark.parametrize("table", [[np.zeros(2)], np.zeros((2, 2)), "ab", None])
def test_a_table_is_a_dict(table: Any) -> None:
    name = type(table).__name__
    with pytest.raises(ValueError, match=f"`arrays` to be a dict .* Received: {name}"):
        inputs_from_arrays(table)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"one length. Received: {'a': 3, 'b': 2}"):
        inputs_from_arrays({"a": np.zeros(3), "b": np.zeros(2)})


# Preprocessing


def features_of(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The features that `preprocess` makes of one column."""
    column = {name: table[name]}
    inputs = inputs_from_arrays(column)
    model = keras.Model(inputs, preprocess(inputs, column))
    return np.concatenate(list(map(model, as_batches(column))))


def as_batches(table: dict[str, np.ndarray]) -> Any:
    return (batch for batch, _ in as_dataset(table, np.zeros(4), batch_size=3))


@pytest.mark.parametrize("name", ["age", "sizes"])
def test_floats_are_normalized_column_by_column(name: str) -> None:
    values = TABLE[name].astype("float64").reshape(4, -1)
    deviation = np.where(values.std(axis=0) > 0, values.std(axis=0), 1.0)

    assert_allclose(
        features_of(TABLE, name), (values - values.mean(axis=0)) / deviation, atol=1e-5
    )


@pytest.mark.parametrize("name", ["city", "rooms", "owner"])
def test_other_values_are_one_hot_so_that_equal_values_have_equal_rows(
    name: str,
) -> None:
    features = features_of(TABLE, name)
    distinct = np.unique(TABLE[name])

    assert_array_equal(features.sum(axis=1), 1.0)
    assert features.shape == (4, 1 + len(distinct))
    assert_array_equal(
        features @ features.T, TABLE[name][:, None] == TABLE[name][None, :]
    )


def test_several_strings_per_row_stand_side_by_side() -> None:
    table = {"tags": np.array([["a", "b"], ["a", "a"], ["b", "a"], ["b", "b"]])}

    features = features_of(table, "tags")

    assert features.shape == (4, 2 * 3)
    assert_array_equal(features.sum(axis=1), 2.0)


def test_a_value_never_seen_has_a_place_of_its_own() -> None:
    column = {"city": TABLE["city"]}
    inputs = inputs_from_arrays(column)
    model = keras.Model(inputs, preprocess(inputs, column))

    features = model({"city": tf.constant(["Paris"])})

    assert_array_equal(features, [[1.0, 0.0, 0.0, 0.0]])


def test_a_constant_column_is_not_blown_up() -> None:
    column = {"x": np.array([1.0, 1.0, 1.0])}
    inputs = inputs_from_arrays(column)
    model = keras.Model(inputs, preprocess(inputs, column))

    assert np.array(model({"x": np.array([1.0, 5.0])})).tolist() == [[0.0], [4.0]]


@pytest.mark.parametrize("value", [-1, 2**63 - 1, "[UNK]", "", "a\nb", b"a", True])
def test_a_value_that_keras_reserves_is_a_value_like_others(
    value: Any, tmp_path: Path
) -> None:
    column = {"x": np.array([value, value])}
    inputs = inputs_from_arrays(column)
    model = keras.Model(inputs, preprocess(inputs, column))
    model.save(tmp_path / "lookup.keras")
    other = tf.constant([b"other" if isinstance(value, (str, bytes)) else 0])
    other = tf.cast(other, bool) if value is True else other

    for used in (model, keras.models.load_model(tmp_path / "lookup.keras")):
        assert (
            used({"x": tf.constant(column["x"])}).numpy().tolist() == [[0.0, 1.0]] * 2
        )
        assert used({"x": other}).numpy().tolist() == [[1.0, 0.0]]


@pytest.fixture
def mixed_policy() -> Iterator[None]:
    """The layers made in a test compute in float16."""
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.usefixtures("mixed_policy")
def test_preprocessing_in_a_mixed_policy_does_not_overflow() -> None:
    assert_allclose(
        features_of({"x": np.array([1e6, 3e6, 5e6, 7e6])}, "x")[:, 0],
        (np.array([1, 3, 5, 7]) - 4) / np.sqrt(5),
        rtol=1e-6,
    )


@pytest.mark.usefixtures("mixed_policy")
def test_raw_pixels_in_a_mixed_policy_do_not_overflow() -> None:
    assert on_raw_pixels(model_on(2), 1e6)(np.array([[1e6, 5e5]]))[0, 1] == 0.5


def test_a_column_of_ids_is_refused_before_it_becomes_a_hundred_thousand_features() -> (
    None
):
    column = {"id": np.arange(100_000)}

    with pytest.raises(ValueError, match=r'\["id"\]` with at most 1000 .* 100000'):
        preprocess(inputs_from_arrays(column), column)


def test_as_many_values_as_there_may_be_are_encoded() -> None:
    assert one_hot_of("x", np.arange(3), 3)(np.array([[1]])).shape == (1, 4)
    with pytest.raises(ValueError, match="at most 2 different values"):
        one_hot_of("x", np.arange(3), 2)


def test_an_integer_that_the_lookup_cannot_hold_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"below 2\*\*63. Received: 9223372036854775808"
    ):
        one_hot_of("x", np.array([1, 2**63], "uint64"), 9)


@pytest.mark.parametrize(
    ("values", "received"),
    [
        ([1e-9, 3e-9], "1e-09 around 2e-09"),
        ([-1e30, 1e30], r"1e\+30 around 0"),
        ([1e7, 1e7 + 2], r"1 around 1e\+07"),
    ],
)
def test_what_normalization_would_get_wrong_is_refused(
    values: list[float], received: str
) -> None:
    expected = f'`arrays."x".` with a standard deviation .* Received: {received}'
    with pytest.raises(ValueError, match=expected):
        normalization_of("x", np.array(values))


def test_only_a_declared_tensor_is_prepared() -> None:
    with pytest.raises(ValueError, match=r"`inputs.\"x\".` to be .* Received: int"):
        preprocessing_layer("x", 3, np.array([1.0]), 9)


@pytest.mark.parametrize(
    ("tensor", "column"),
    [
        (keras.Input(()), np.array([1, 2])),
        (keras.Input(()), np.array(["a"])),
        (keras.Input((), dtype="int32"), np.array([1.0])),
        (keras.Input((), dtype="string"), np.array([1])),
        (keras.Input((), dtype="int32"), np.array(["a"])),
        (keras.Input((3,)), np.array([1.0])),
    ],
)
def test_the_array_is_like_the_input_that_it_prepares(
    tensor: keras.KerasTensor, column: np.ndarray
) -> None:
    with pytest.raises(ValueError, match=r'Expected `arrays\["x"\]` as its Input'):
        preprocessing_layer("x", tensor, column, 9)


def test_text_is_text_that_tensorflow_reads() -> None:
    assert [text_of(v) for v in ("é", "é".encode(), np.str_("a"), np.bytes_(b"a"))] == [
        *("é", "é"),
        *("a", "a"),
    ]


@pytest.mark.parametrize(
    ("column", "dtype"),
    [([1.5], "float32"), ([1], "int64"), (["a"], "string"), ([True], "bool")],
)
def test_a_column_names_the_dtype_of_its_input(column: list[Any], dtype: str) -> None:
    assert dtype_for_column("x", np.array(column)) == dtype


@pytest.mark.parametrize("names", [["age"], ["age", "rooms"]])
def test_preprocessing_needs_the_arrays_of_its_inputs(names: list[str]) -> None:
    inputs = inputs_from_arrays({"age": TABLE["age"], "city": TABLE["city"]})
    with pytest.raises(ValueError, match="`inputs` and `arrays` with the same names"):
        preprocess(inputs, {name: TABLE[name] for name in names})


def test_preprocessing_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="`inputs` to be a dict with at least one key"):
        preprocess({}, {})


def test_a_table_model_fits_saves_and_reloads_with_equal_predictions(
    tmp_path: Path,
) -> None:
    inputs = inputs_from_arrays(TABLE)
    model = keras.Model(inputs, keras.layers.Dense(1)(preprocess(inputs, TABLE)))
    dataset = as_dataset(TABLE, np.array([0.0, 1.0, 0.0, 1.0]), batch_size=3)
    model.compile("sgd", "mse")
    model.fit(dataset, shuffle=False, verbose=0)

    model.save(tmp_path / "table.keras")
    reloaded = keras.models.load_model(tmp_path / "table.keras")

    assert_array_equal(
        reloaded.predict(dataset, verbose=0), model.predict(dataset, verbose=0)
    )


def test_the_wine_table_is_learned_to_90_percent() -> None:
    keras.utils.set_random_seed(0)
    columns, labels = wine_table()
    names = ("alcohol", "flavanoids", "color_intensity", "proline")
    table = {name: columns[name] for name in names}
    inputs = inputs_from_arrays(table)
    scores = keras.layers.Dense(3, activation="softmax")(preprocess(inputs, table))
    model = keras.Model(inputs, scores)
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")

    model.fit(table, labels, epochs=10, verbose=0)

    predicted = np.argmax(convert_to_numpy(model(table)), axis=-1)
    assert np.mean(predicted == labels) > 0.9


# The checker: what fits


@pytest.mark.parametrize("dtype", ["float16", "float64", "int64", "uint8", "bool"])
def test_any_real_numbers_fit_a_float_input(dtype: str) -> None:
    array = np.ones((2, 8, 8, 1), dtype)

    assert check_array(digit_classifier(), array) is array


@pytest.mark.parametrize("num_examples", [1, 7])
def test_any_number_of_examples_fits(num_examples: int) -> None:
    array = np.zeros((num_examples, 5, 4))

    assert check_array(sequence_classifier(4, 2), array) is array


@pytest.mark.tensorflow  # JAX has no strings
def test_what_fits_is_what_predict_accepts() -> None:
    words = np.array(["a", "b"], object)
    lookup = keras.layers.StringLookup(vocabulary=["a", "b"])
    name = keras.Input((), dtype="string")
    model = keras.Model(name, lookup(name))

    assert model.predict(check_array(model, words), verbose=0).tolist() == [1, 2]


def test_a_dict_fits_several_inputs_by_name() -> None:
    arrays = {"height": np.zeros((2, 1)), "age": np.zeros((2, 1))}

    assert check_arrays(model_on_two_inputs(), arrays) is arrays


def test_a_dict_fits_a_list_of_inputs_and_a_single_one_by_name() -> None:
    tensors = [keras.Input((1,), name=name) for name in ("age", "height")]
    listed = keras.Model(tensors, keras.layers.Add()(tensors))
    single = {"pixels": np.zeros((2, 8, 8, 1))}

    assert check_arrays(digit_classifier(), single) is single
    assert check_arrays(listed, {"age": np.ones((1, 1)), "height": np.ones((1, 1))})


def test_a_fresh_sequential_and_a_called_one_are_checked_alike() -> None:
    model = classifier_from(keras.layers.Dense(2), (3,), 2)
    array = np.zeros((1, 3))

    assert check_array(model, array) is array
    model(array)
    assert check_array(model, array) is array


def test_whole_batches_fit_a_fixed_batch_size() -> None:
    array = np.zeros((8, 3))

    assert check_array(model_on(3, batch_size=4), array) is array


def test_a_bool_input_takes_booleans_and_an_integer_input_integers() -> None:
    assert value_problem("bool", np.array([True])) is None
    assert value_problem("int32", np.array([1, 2], "uint8")) is None
    assert value_problem("float32", np.array([2**62, -(2**62)])) is None


def test_bfloat16_counts_as_a_float() -> None:
    array = tf.constant([1.0, float("nan")], "bfloat16").numpy()

    assert value_problem("float32", array[:1]) is None
    assert value_problem("float32", array) == (
        "which holds 1 NaN or infinite values: replace them or drop their rows"
    )


# The checker: what Keras reads without an error, and wrongly


def test_keras_silently_reads_one_unbatched_image_as_28_rows() -> None:
    model = fully_convolutional(num_channels=1, num_classes=10)
    image = np.zeros((28, 28, 1), "float32")

    assert model.predict(image, verbose=0).shape == (28, 10)
    with pytest.raises(ValueError, match="one unbatched example"):
        check_array(model, image)


def test_keras_silently_drops_a_last_axis_of_size_one_in_a_sequential() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    array = np.zeros((5, 1, 8, 8, 1), "float32")

    assert model.predict(array, verbose=0).shape == (5, 64)
    with pytest.raises(ValueError, match=r"one axis too many.*array.squeeze\(1\)"):
        check_array(model, array)


def test_keras_silently_accepts_images_of_another_size_in_a_sequential() -> None:
    layers = [keras.Input((8, 8, 1)), keras.layers.GlobalAveragePooling2D()]
    model = keras.Sequential(layers)
    array = np.zeros((2, 9, 9, 1), "float32")

    assert model.predict(array, verbose=0).shape == (2, 1)
    with pytest.raises(ValueError, match="size 9 on axis 1 instead of 8"):
        check_array(model, array)


def test_keras_silently_accepts_three_channels_for_one() -> None:
    tensor = keras.Input((8, 8, 1))
    model = keras.Model(tensor, keras.layers.GlobalAveragePooling2D()(tensor))
    array = np.zeros((2, 8, 8, 3), "float32")

    assert model.predict(array, verbose=0).shape == (2, 3)
    with pytest.raises(ValueError, match="size 3 on axis 3 instead of 1"):
        check_array(model, array)


def test_keras_silently_accepts_half_a_fixed_batch() -> None:
    model = model_on(3, batch_size=4)
    array = np.zeros((2, 3), "float32")

    assert model.predict(array, verbose=0).shape == (2, 3)
    with pytest.raises(ValueError, match="no whole number of batches of 4"):
        check_array(model, array)


def test_keras_silently_cuts_the_fractions_off_for_an_integer_input() -> None:
    model = model_on(2, dtype="int32")
    array = np.array([[0.5, 1.7]])

    assert model.predict(array, verbose=0).tolist() == [[0, 1]]
    with pytest.raises(ValueError, match=r"lose its fractions.*astype\('int32'\)"):
        check_array(model, array)


# The checker: what the dtype of the Input cannot hold


WRONG = [
    ("float32", np.array([[0.0, 1e39]]), "1e+39", "inf"),
    ("float32", np.array([[0.0, -1e39]]), "-1e+39", "-inf"),
    ("float16", np.array([[0.0, 1e6]], "float32"), "1e+06", "inf"),
    ("float16", np.array([[0, 10**6]]), "1000000", "inf"),
    ("float16", np.array([[0.0, 1e-9]], "float32"), "1e-09", "0.0"),
    ("float64", np.array([[0.0, 1e300]]), "1e+300", "inf"),
    ("float32", np.array([[0, 2**24 + 1]]), "16777217", "1.6777216e+07"),
    ("int32", np.array([[0, 2**40]]), "1099511627776", "0"),
    ("uint8", np.array([[0, -1]]), "-1", "255"),
    ("uint8", np.array([[0, 300]]), "300", "44"),
    ("int64", np.array([[0, 2**63]], "uint64"), "9223372036854775808", f"-{2**63}"),
    ("uint64", np.array([[0, -1]], "int8"), "-1", "18446744073709551615"),
]


@pytest.mark.tensorflow  # JAX has no 64 bits by default
# NumPy warns of what Keras does in silence, which is what is shown.
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize(("dtype", "array", "value", "read"), WRONG)
def test_keras_silently_changes_a_number_that_the_dtype_cannot_hold(
    dtype: str, array: np.ndarray, value: str, read: str
) -> None:
    model = model_on(2, dtype=dtype)

    assert float(model.predict(array, verbose=0)[0, 1]) == float(read)
    with pytest.raises(ValueError, match="give the Input a wider dtype") as caught:
        check_array(model, array)
    assert f"which holds {value}, and that becomes {read} as " in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "array"),
    [
        ("float32", np.array([2**24, -(2**24), 2**25])),
        ("float16", np.array([65504.0, 65519.0])),
        ("float32", np.array([3.4028235e38, 0.1, 0.0])),
        ("uint8", np.array([0, 255])),
        ("int8", np.array([-128.0, 127.0]).astype("int64")),
        ("int64", np.array([2**63 - 1], "uint64")),
        ("bool", np.array([True, False])),
        ("bfloat16", np.array([1.0, 1e38])),
    ],
)
def test_what_the_dtype_holds_is_no_problem(dtype: str, array: np.ndarray) -> None:
    assert range_problem(dtype, array) is None


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("value", [2**63 - 1, -(2**63), 2**64 - 1])
def test_the_largest_integers_do_not_pass_as_floats(dtype: str, value: int) -> None:
    array = np.array([value], "uint64" if value > 2**63 else "int64")

    assert range_problem(dtype, array) is not None


# The checker: the sentence for each mistake


@pytest.mark.parametrize(
    ("expected", "shape", "sentence"),
    [
        ((None, 8, 8, 1), (8, 8, 1), "is one unbatched example: .*array\\[None, ...]"),
        ((None,), (), "is one unbatched example"),
        ((None, None, 100), (5, 100), "is one unbatched example"),
        ((None, 8, 8, 1), (5, 8, 8), "lacks the last axis .*`array\\[..., None]`"),
        ((None, 1), (5,), "lacks the last axis of size 1"),
        ((None, 8, 9, 1), (8, 9), "without its last axis: .*array\\[None, ..., None]"),
        ((None, 8, 8, 1), (5, 8, 8, 1, 1), "one axis too many: .*squeeze\\(3\\)"),
        ((None, 64), (1, 5, 64), "one axis too many: .*squeeze\\(0\\)"),
        (
            (None, 32, 8, 8, 1),
            (5, 8, 8, 1),
            "no axis of size 32: .*shape=\\(8, 8, 1\\)",
        ),
        ((None, 8, 8, 3), (5, 3, 8, 8), "channels first: .*moveaxis\\(array, 1, -1\\)"),
        ((None, 8, 3), (5, 3, 8), "channels first"),
        (
            (None, 8, 8, 1),
            (5, 64),
            "another shape: .*array.reshape\\(\\(-1, 8, 8, 1\\)",
        ),
        ((None, 64), (5, 8, 8), "another shape: .*array.reshape\\(\\(-1, 64\\)"),
        ((None, 8, 8, 1), (0, 8, 8, 1), "is an empty batch"),
        ((None, None, 4), (5, 0, 4), "has no values: axis 1 has size 0"),
        ((4, 3), (0, 3), "is an empty batch"),
        ((4, 3), (6, 3), "is no whole number of batches of 4"),
        ((4, 3), (3,), "is one unbatched example"),
        ((None, 8, 8, 1), (5, 8, 9, 1), "has size 9 on axis 2 instead of 8"),
        ((None, None, 4), (5, 9, 3), "has size 3 on axis 2 instead of 4"),
        ((None, 64), (64, 1), "has size 1 on axis 1 instead of 64"),
        ((None, 64), (100,), "has rank 1 instead of 2"),
        ((None, None, 3), (5, 9), "has rank 2 instead of 3"),
        ((None, 8, 8, 3), (5, 3, 8, 8, 2), "has rank 5 instead of 4"),
        ((None, 8, 8, 3), (5, 3, 64), "has rank 3 instead of 4"),
        ((None, 8, 8, 1), (), "has rank 0 instead of 4"),
    ],
)
def test_a_wrong_shape_is_named_with_its_remedy(
    expected: tuple[int | None, ...], shape: tuple[int, ...], sentence: str
) -> None:
    problem = shape_problem(expected, shape)

    assert problem is not None
    assert re.match(f"which .*{sentence}", problem)


@pytest.mark.parametrize(
    ("expected", "array", "remedy"),
    [
        ((None, 8, 8, 1), np.zeros((8, 8, 1)), lambda a: a[None, ...]),
        ((None, 8, 8, 1), np.zeros((5, 8, 8)), lambda a: a[..., None]),
        ((None, 8, 9, 1), np.zeros((8, 9)), lambda a: a[None, ..., None]),
        ((None, 8, 8, 1), np.zeros((5, 8, 8, 1, 1)), lambda a: a.squeeze(3)),
        ((None, 8, 8, 3), np.zeros((5, 3, 8, 8)), lambda a: np.moveaxis(a, 1, -1)),
        ((None, 8, 8, 1), np.zeros((5, 64)), lambda a: a.reshape((-1, 8, 8, 1))),
    ],
)
def test_the_remedy_works(
    expected: tuple[int | None, ...],
    array: np.ndarray,
    remedy: Callable[[np.ndarray], np.ndarray],
) -> None:
    assert shape_problem(expected, array.shape) is not None
    assert shape_problem(expected, remedy(array).shape) is None


@pytest.mark.parametrize(
    ("dtype", "array", "sentence"),
    [
        ("float32", np.array(["1"]), "holds no numbers for Keras"),
        ("float32", np.array([1.0], object), "holds no numbers for Keras"),
        ("float32", np.array([1j]), "holds no numbers for Keras"),
        ("int64", np.array(["1"]), "holds no numbers for Keras"),
        ("int64", np.array([1.0]), "lose its fractions"),
        ("uint8", np.array([255.9, -0.9], "float16"), "lose its fractions"),
        ("uint8", np.array([0.5, 300.5]), "holds 300.5, and that becomes 44 as uint8"),
        ("uint8", np.array([300.5, 510.5]), "holds 300.5, and that becomes 44 as"),
        ("int64", np.array([2**64 - 1], "uint64"), "and that becomes -1 as int64"),
        ("int32", np.array([np.nan]), "holds 1 NaN or infinite"),
        ("bool", np.array([1]), "is not boolean"),
        ("float32", np.array([np.nan, np.inf, 0.0]), "holds 2 NaN or infinite"),
        ("float16", np.array([-np.inf], "float16"), "holds 1 NaN or infinite"),
        ("string", np.array([1.0]), "does not hold strings"),
        ("string", np.array(["a", None], object), "does not hold strings"),
        ("string", np.array(["a"]), "`fit` and `predict` cannot read"),
        ("string", np.array([b"a"]), "`fit` and `predict` cannot read"),
        ("string", np.array([b"a"], object), "`fit` and `predict` cannot read"),
        ("string", np.array([["a"]], object), "`fit` and `predict` cannot read"),
    ],
)
def test_wrong_values_are_named(dtype: str, array: np.ndarray, sentence: str) -> None:
    problem = value_problem(dtype, array)

    assert problem is not None
    assert problem.startswith("which ")
    assert sentence in problem


@pytest.mark.parametrize(
    "words",
    [np.array(["a"]), np.array([b"a"]), np.array([b"a"], object)],
)
def test_predict_really_cannot_read_these_strings_but_reads_their_tensor(
    words: np.ndarray,
) -> None:
    tensor = keras.Input((), dtype="string")
    model = keras.Model(tensor, keras.layers.StringLookup(vocabulary=["a"])(tensor))

    with pytest.raises(ValueError, match="Invalid dtype: "):
        model.predict(words, verbose=0)
    assert model.predict(tf.constant(words), verbose=0).tolist() == [1]


def test_one_unbatched_image_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="Expected `array` of shape") as caught:
        check_array(digit_classifier(), np.zeros((8, 8, 1)))

    assert str(caught.value) == (
        "Expected `array` of shape (None, 8, 8, 1) and dtype float32. Received: shape "
        "(8, 8, 1) and dtype float64, which is one unbatched example: add a batch axis "
        "with `array[None, ...]`."
    )


def test_a_wrong_array_in_a_dict_is_named_by_its_key() -> None:
    arrays = {"age": np.zeros((2, 1)), "height": np.full((2, 1), np.nan)}
    with pytest.raises(ValueError, match=r'`arrays\["height"\]` of shape .*2 NaN'):
        check_arrays(model_on_two_inputs(), arrays)


@pytest.mark.parametrize("names", [["age"], ["age", "height", "extra"], ["a", "h"]])
def test_missing_and_extra_names_are_listed(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"keys \['age', 'height'\]. Received: \['a"):
        check_arrays(model_on_two_inputs(), {name: np.zeros((2, 1)) for name in names})


def test_one_array_for_several_inputs_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"one input: .*`check_arrays`. Received: \['age"
    ):
        check_array(model_on_two_inputs(), np.zeros((2, 1)))
    with pytest.raises(ValueError, match=r"`arrays` to be a dict .*Received: ndarray"):
        check_arrays(model_on_two_inputs(), np.zeros((2, 1)))


def test_arrays_of_different_lengths_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"one length. Received: {'age': 2, 'height': 3"
    ):
        check_arrays(
            model_on_two_inputs(), {"age": np.zeros((2, 1)), "height": np.zeros((3, 1))}
        )


def test_a_list_is_refused_since_keras_takes_it_for_several_arrays() -> None:
    with pytest.raises(
        ValueError, match=r"`array` to be a NumPy array\. Received: list"
    ):
        check_array(digit_classifier(), [[0.0]])


@pytest.mark.parametrize(
    "model", [keras.Sequential([keras.layers.Dense(2)]), Subclassed()]
)
def test_a_model_that_does_not_know_its_inputs_is_refused(model: keras.Model) -> None:
    with pytest.raises(ValueError, match=r"start it with `keras\.Input`.*unbuilt or"):
        check_array(model, np.zeros((2, 3)))


@pytest.mark.parametrize("array", [[[0.0]], tf.zeros((2, 3)), "abc", None, (1.0,)])
def test_only_arrays_are_arrays(array: Any) -> None:
    name = type(array).__name__
    with pytest.raises(ValueError, match=rf"to be a NumPy array\. Received: {name}"):
        check_array(model_on(3), array)


@pytest.mark.tensorflow  # JAX refuses the mask itself
def test_values_behind_a_mask_are_refused_since_keras_reads_them() -> None:
    array = np.ma.array([[1.0, -999.0]], mask=[[False, True]])

    assert model_on(2).predict(array, verbose=0).tolist() == [[1.0, -999.0]]
    with pytest.raises(ValueError, match=r"NumPy array. Received: MaskedArray"):
        check_array(model_on(2), array)


def test_the_array_is_named_as_its_caller_calls_it() -> None:
    with pytest.raises(ValueError, match="Expected `pixels` of shape"):
        check_fit("pixels", keras.Input((3,)), np.zeros((2, 4)))


@pytest.mark.parametrize("model", ["model", None, keras.layers.Dense(2)])
def test_only_a_model_has_inputs(model: Any) -> None:
    with pytest.raises(ValueError, match=f"Received: {type(model).__name__}, unbuilt"):
        inputs_by_name(model)

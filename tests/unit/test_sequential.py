"""The recipes around `keras.Sequential`, against NumPy, a second way, and Keras."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
import tensorflow as tf
import tf_keras
from keras.ops import convert_to_numpy

from snippets.data import digit_images, digit_sequences, digit_vectors, split_train_test
from snippets.sequential import (
    build_for,
    copy_weights,
    evaluate_folds,
    image_classifier,
    label_folds,
    recurrent_classifier,
    shapes_by_layer,
    text_classifier,
    train_classifier,
    vector_classifier,
    with_new_head,
)
from snippets.sequential.folds import normalized_classifier
from snippets.sequential.shapes import output_of_copy
from snippets.sequential.training import check_examples
from tests.unit.comparing import assert_allclose, assert_array_equal


def softmax(scores: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Probabilities as NumPy computes them."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def unbuilt() -> keras.Sequential:
    """A model without a shape."""
    return keras.Sequential([keras.layers.Dense(2, name="scores")])


# Models


@pytest.mark.parametrize(
    ("build", "arguments", "kernels"),
    [
        (vector_classifier, (6, 3), [(6, 64), (64, 3)]),
        (image_classifier, ((9, 7, 2), 5), [(3, 3, 2, 32), (3 * 2 * 32, 32), (32, 5)]),
        (recurrent_classifier, (4, 3), [(4, 3 * 64), (64, 3)]),
        (text_classifier, (9, 3), [(16, 3 * 32), (32, 3)]),
    ],
)
def test_the_classifiers_are_as_large_as_they_are_meant(
    build: Callable[..., keras.Model],
    arguments: tuple[Any, ...],
    kernels: list[tuple[int, ...]],
) -> None:
    weights = build(*arguments).weights

    assert [tuple(w.shape) for w in weights if w.name == "kernel"] == kernels


@pytest.mark.parametrize("batch", [1, 5])
def test_the_vector_classifier_is_two_products_in_a_row(batch: int) -> None:
    model = vector_classifier(num_features=7, num_classes=3)
    x = np.linspace(-1, 1, batch * 7, dtype="float32").reshape(batch, 7)
    first, first_bias, second, second_bias = model.get_weights()
    assert first.shape == (7, 64)

    hidden = np.maximum(x @ first + first_bias, 0)

    expected = softmax(hidden @ second + second_bias)
    assert_allclose(model(x), expected, atol=1e-6)


def test_the_image_classifier_is_its_layers_one_after_the_other() -> None:
    model = image_classifier((8, 8, 1), 10)
    images = digit_images()[0][:3]
    kernel, bias, first, first_bias, second, second_bias = model.get_weights()

    windows = np.lib.stride_tricks.sliding_window_view(images, (3, 3), axis=(1, 2))
    maps = np.maximum(np.einsum("bhwcij,ijck->bhwk", windows, kernel) + bias, 0)
    pooled = maps.reshape(3, 3, 2, 3, 2, -1).max(axis=(2, 4))
    hidden = np.maximum(pooled.reshape(3, -1) @ first + first_bias, 0)

    expected = softmax(hidden @ second + second_bias)
    assert_allclose(model(images), expected, atol=1e-5)
    assert model.get_layer("features").output.shape == (None, 32)


def test_the_smallest_image_is_4_by_4() -> None:
    assert image_classifier((4, 4, 3), 2)(np.ones((1, 4, 4, 3))).shape == (1, 2)


@pytest.mark.parametrize("shape", [(8, 8), (None, 8, 1), (3, 8, 1), (8, 3, 1), 8, "88"])
def test_an_image_shape_that_cannot_work_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"three integers.*at least") as caught:
        image_classifier(shape, 10)
    assert str(caught.value).endswith(f"Received: {shape}")


@pytest.mark.parametrize("num_steps", [1, 5, 13])
def test_the_recurrent_classifier_reads_any_number_of_steps(num_steps: int) -> None:
    model = recurrent_classifier(num_features=8, num_classes=3)

    scores = convert_to_numpy(model(np.ones((2, num_steps, 8))))

    assert_allclose(np.sum(scores, axis=-1), [1.0, 1.0], rtol=1e-5)
    assert scores.shape == (2, 3)
    assert [type(layer).__name__ for layer in model.layers] == ["GRU", "Dense"]


def test_the_text_classifier_is_its_layers_on_the_words_alone() -> None:
    model = text_classifier(vocabulary_size=9, num_classes=3)
    embedding, reader, scores = model.layers
    words = np.array([[3, 8, 2, 5]], "int32")

    vectors = embedding.get_weights()[0][words]
    expected = scores(reader(vectors))

    assert_allclose(model(words), expected, atol=1e-6)
    assert_allclose(model(np.pad(words, [(0, 0), (0, 3)])), expected, atol=1e-6)


@pytest.mark.parametrize("num_words", [1, 5])
def test_the_text_classifier_gives_probabilities_for_texts_of_any_length(
    num_words: int,
) -> None:
    tokens = np.full((2, num_words), 8, "int32")
    scores = convert_to_numpy(text_classifier(9, 3)(tokens))

    assert scores.shape == (2, 3)
    assert_allclose(np.sum(scores, axis=-1), [1.0, 1.0], rtol=1e-5)


@pytest.mark.parametrize(
    ("model", "examples"),
    [
        (vector_classifier(64, 10), digit_vectors()[0]),
        (image_classifier((8, 8, 1), 10), digit_images()[0]),
        (recurrent_classifier(8, 10), digit_sequences()[0]),
    ],
)
def test_each_classifier_takes_its_form_of_the_digits(
    model: keras.Sequential, examples: npt.NDArray[Any]
) -> None:
    scores = convert_to_numpy(model(examples[:4]))

    assert scores.shape == (4, 10)
    assert_allclose(scores.sum(axis=-1), np.ones(4), rtol=1e-5)


# Shapes


LAYERS = [
    keras.layers.Conv2D(4, 3, name="convolution"),
    keras.layers.MaxPooling2D(name="pool"),
    keras.layers.Flatten(name="flat"),
    keras.layers.Dense(10, name="scores"),
]


def test_the_shapes_are_those_that_real_data_takes() -> None:
    expected, x = {}, np.ones((5, 8, 6, 2))
    for layer in keras.models.clone_model(keras.Sequential(LAYERS)).layers:
        x = layer(x)
        expected[layer.name] = (None, *x.shape[1:])

    assert shapes_by_layer(LAYERS, (8, 6, 2)) == expected


@pytest.mark.parametrize("start", [[], [keras.Input((8, 8, 1))]])
def test_a_model_is_asked_like_its_layers(start: list[Any]) -> None:
    layers = [keras.layers.Conv2D(4, 3, name="c"), keras.layers.Flatten(name="f")]
    model = keras.Sequential([*start, *layers])

    assert shapes_by_layer(model, (8, 8, 1)) == {"c": (None, 6, 6, 4), "f": (None, 144)}


def test_a_built_model_can_be_asked_about_another_shape() -> None:
    model = keras.Sequential([keras.Input((4, 8)), keras.layers.GRU(3, name="gru")])

    assert shapes_by_layer(model, (None, 5)) == {"gru": (None, 3)}
    assert model.input_shape == (None, 4, 8)


def test_a_copy_gives_what_the_layer_would_give() -> None:
    layer, tensor = keras.layers.Conv1D(4, 3), keras.Input((None, 2))

    output = output_of_copy(layer, tensor)

    assert not layer.built
    assert output.shape == layer(tensor).shape == (None, None, 4)


def test_a_layer_that_has_weights_is_tried_without_them() -> None:
    layer = keras.layers.Dense(2)
    layer(np.ones((1, 3)))

    assert output_of_copy(layer, keras.Input((5,))).shape == (None, 2)
    assert layer.kernel.shape == (3, 2)


@pytest.mark.parametrize(
    ("layer", "tensor"),
    [("relu", keras.Input((3,))), (keras.layers.Dense(2), np.ones((1, 3)))],
)
def test_only_a_layer_is_tried_and_only_on_a_declared_tensor(
    layer: Any, tensor: Any
) -> None:
    received = f"{type(layer).__name__} and {type(tensor).__name__}"
    with pytest.raises(
        ValueError, match=f"a `keras.KerasTensor`. Received: {received}"
    ):
        output_of_copy(layer, tensor)


def test_a_layer_without_a_config_cannot_be_copied() -> None:
    class Bare(keras.Layer):
        def __init__(self, function: Any) -> None:
            super().__init__()
            self.function = function

    with pytest.raises(NotImplementedError, match="get_config"):
        output_of_copy(Bare(np.sin), keras.Input((3,)))


def test_two_layers_of_one_name_are_refused() -> None:
    layer = keras.layers.Dense(3, name="twice")

    with pytest.raises(ValueError, match=r"different names.*\['twice', 'twice'\]"):
        shapes_by_layer([layer, layer], (3,))


def test_unknown_sizes_stay_unknown() -> None:
    pool = keras.layers.MaxPooling1D(name="pool")

    assert shapes_by_layer([pool], (None, 8)) == {"pool": (None, None, 8)}


def test_a_shape_may_be_a_list() -> None:
    assert shapes_by_layer([LAYERS[2]], [8, 8]) == {"flat": (None, 64)}


def test_one_number_is_an_example_too() -> None:
    layer = keras.layers.Rescaling(2.0, name="double")

    assert shapes_by_layer([layer], ()) == {"double": (None,)}


def test_the_layer_that_does_not_fit_is_named_with_the_shape_it_met() -> None:
    layers = [keras.layers.Flatten(), keras.layers.GRU(4, name="reader")]
    expected = r"GRU 'reader' to accept .*\(None, 64\)\. Received:.*found ndim=2"

    with pytest.raises(ValueError, match=expected):
        shapes_by_layer(layers, (8, 8))


def test_a_layer_that_wants_several_tensors_is_named() -> None:
    layers = [keras.layers.MultiHeadAttention(1, 2, name="attention")]

    with pytest.raises(ValueError, match="MultiHeadAttention 'attention' to accept"):
        shapes_by_layer(layers, (8, 8))


def test_a_layer_that_gives_several_tensors_is_named() -> None:
    layers = [keras.layers.GRU(4, return_state=True, name="reader")]

    with pytest.raises(
        ValueError, match=r"GRU 'reader' to give one tensor\. Received: 2"
    ):
        shapes_by_layer(layers, (8, 8))


@pytest.mark.parametrize(
    "layers",
    [
        *([], 3, "relu", keras.Sequential(), ["relu"], [keras.Input((3,))]),
        [tf_keras.layers.Dense(2)],
    ],
)
def test_what_is_not_a_list_of_layers_is_refused(layers: Any) -> None:
    with pytest.raises(ValueError, match=r"instances of `keras\.Layer`, at least one"):
        shapes_by_layer(layers, (3,))


@pytest.mark.parametrize("shape", [3, "8", (0,), (-1,), ("3",), (3.0,), (True,), None])
def test_what_is_not_a_shape_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match="`input_shape` to hold `None` or integers"):
        shapes_by_layer([keras.layers.Dense(2)], shape)


# Building


@pytest.mark.parametrize("num_examples", [0, 1, 5])
def test_a_model_is_built_for_examples_in_batches_of_any_size(
    num_examples: int,
) -> None:
    model = unbuilt()

    assert build_for(model, np.ones((num_examples, 3))) is model
    assert model.input_shape == (None, 3)
    assert [tuple(weight.shape) for weight in model.weights] == [(3, 2), (2,)]
    assert model(np.ones((7, 3))).shape == (7, 2)


def test_a_model_that_begins_at_an_input_is_left_as_it_is() -> None:
    model = recurrent_classifier(8, 3)
    weights = model.get_weights()

    build_for(model, np.ones((2, 5, 8)))

    assert model.input_shape == (None, None, 8)
    for before, after in zip(weights, model.get_weights(), strict=True):
        assert_array_equal(before, after)


@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 3)])
def test_a_model_built_for_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    model = build_for(unbuilt(), np.ones((5, 3)))

    with pytest.raises(ValueError, match=r"the shape \(None, 3\) that 'sequential"):
        build_for(model, np.ones(shape))


@pytest.mark.parametrize("shape", [(), (5,), (5, 0), (5, 0, 3)])
def test_examples_without_a_shape_of_their_own_are_refused(
    shape: tuple[int, ...],
) -> None:
    with pytest.raises(ValueError, match=r"`examples` of shape \(num_examples, ...\)"):
        build_for(unbuilt(), np.ones(shape))


@pytest.mark.parametrize("model", [keras.Sequential(), keras.layers.Dense(2)])
def test_only_a_sequential_model_with_layers_is_built(model: Any) -> None:
    with pytest.raises(ValueError, match="a Sequential model with layers"):
        build_for(model, np.ones((5, 3)))


# Training


def test_training_is_measured_on_what_is_held_back() -> None:
    keras.utils.set_random_seed(0)
    x_train, y_train, x_test, y_test = split_train_test(*digit_vectors())
    model = vector_classifier(64, 10)

    history = train_classifier(model, x_train, y_train, 3, (x_test, y_test))

    right = convert_to_numpy(model(x_test)).argmax(axis=-1) == y_test
    assert history["val_accuracy"][-1] == pytest.approx(right.mean(), abs=1e-6)
    assert history["loss"][-1] < history["loss"][0]
    assert {name: len(values) for name, values in history.items()} == dict.fromkeys(
        ("accuracy", "loss", "val_accuracy", "val_loss"), 3
    )


def test_the_first_loss_is_the_mean_logarithm_of_the_right_probabilities() -> None:
    model, labels = vector_classifier(4, 3), np.array([0, 2, 1, 1, 0])
    x = np.linspace(-1, 1, 20).reshape(5, 4)
    right = convert_to_numpy(model(x))[np.arange(5), labels]

    history = train_classifier(model, x, labels, epochs=1)

    assert history["loss"][0] == pytest.approx(-np.log(right).mean(), rel=1e-4)


@pytest.mark.parametrize(
    "model",
    [unbuilt(), keras.Sequential([keras.Input((5, 3)), keras.layers.Dense(2)])],
)
def test_a_classifier_gives_one_vector_for_each_example(
    model: keras.Sequential,
) -> None:
    with pytest.raises(ValueError, match="one vector of probabilities for each"):
        check_examples(model, np.ones((2, 5, 3)), np.array([0, 1]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros(3, int), r"as many `labels` .* Received: 3, .* shape \(2, 4\)"),
        ([0, 1], "`labels` to be a NumPy array"),
    ],
)
def test_each_example_has_its_label(labels: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_examples(vector_classifier(4, 3), np.ones((2, 4)), labels)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([0, 3]),
        np.array([-1, 0]),
        np.array([0.0, 1.0]),
        np.array([[0], [1]]),
        np.eye(3, dtype="int64")[:2],
        np.zeros(0, "int64"),
    ],
)
def test_labels_that_are_no_classes_of_the_model_are_refused(
    labels: npt.NDArray[Any],
) -> None:
    with pytest.raises(ValueError, match=r"`labels` of shape .*integers from 0 to 2"):
        check_examples(vector_classifier(4, 3), np.ones((2, 4)), labels)


@pytest.mark.parametrize("label", [0, 2])
def test_the_lowest_and_the_highest_class_are_labels(label: int) -> None:
    labels = np.array([label, label], "uint8")

    check_examples(vector_classifier(4, 3), np.ones((2, 4)), labels)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.full((2, 4), np.nan), "finite numbers within float32. Received: nan and 7"),
        (np.full((2, 4), 1e39), r"finite numbers within float32. Received: 1e\+39"),
        (np.array([["a"] * 4] * 2), "`features` to hold numbers.*<U1"),
        ([[0.0] * 4] * 2, "`features` to be a NumPy array. Received: list"),
        (np.ones((2, 5)), r"examples of the shape \(None, 4\) .* shape \(2, 5\)"),
    ],
)
def test_examples_that_would_spoil_the_weights_are_refused(
    features: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_examples(vector_classifier(4, 3), features, np.array([0, 2]))


@pytest.mark.parametrize("shift", [-1.0, 1.0])
def test_a_classifier_without_a_softmax_is_refused(shift: float) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(1.0, shift)])

    with pytest.raises(ValueError, match=r"end it with a softmax. Received: outputs"):
        check_examples(model, np.array([[0.5, 0.5]]), np.array([0]))


@pytest.mark.parametrize("outputs", [[0.51, 0.51], [0.49, 0.49], [1.5, -0.5]])
def test_outputs_that_only_resemble_probabilities_are_refused(
    outputs: list[float],
) -> None:
    model = keras.Sequential([keras.Input((2,)), keras.layers.Activation("linear")])

    check_examples(model, np.array([[1.0, 0.0]]), np.array([0]))
    with pytest.raises(ValueError, match="Expected `model` to give probabilities"):
        check_examples(model, np.array([outputs]), np.array([0]))


def test_a_classifier_is_trained_for_15_epochs_by_adam_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {}

    def fit(model: keras.Model, *arrays: Any, **options: Any) -> Any:
        asked.update(options, rate=float(model.optimizer.learning_rate))
        return keras.callbacks.History()

    monkeypatch.setattr(keras.Sequential, "fit", fit)
    train_classifier(vector_classifier(4, 3), np.eye(4), np.array([0, 1, 2, 0]))

    assert (asked["epochs"], asked["rate"]) == (15, pytest.approx(0.005))


@pytest.mark.tensorflow  # JAX and PyTorch train on them to finite numbers
def test_features_too_large_to_train_on_leave_the_weights_as_they_were() -> None:
    model = vector_classifier(4, 3)
    before = model.get_weights()

    with pytest.raises(ValueError, match=r"scale them. Received: values from -1e\+37"):
        train_classifier(model, np.eye(4) * 2e37 - 1e37, np.array([0, 1, 2, 0]))

    np.testing.assert_equal(model.get_weights(), before)


@pytest.mark.parametrize("epochs", [0, -1, 2.5, True, "3"])
def test_training_takes_at_least_one_epoch(epochs: Any) -> None:
    with pytest.raises(ValueError, match="Expected `epochs` to be an integer"):
        train_classifier(vector_classifier(4, 3), np.eye(4), np.arange(4) % 3, epochs)


def test_wrong_labels_are_refused_before_anything_is_compiled() -> None:
    model, x, good = vector_classifier(4, 3), np.ones((2, 4)), np.array([0, 1])

    with pytest.raises(ValueError, match="Received: 0 to 3"):
        train_classifier(model, x, np.array([0, 3]))
    with pytest.raises(ValueError, match="Received: 0 to 3"):
        train_classifier(model, x, good, validation_data=(x, np.array([0, 3])))

    assert not model.compiled


# Weights


def test_copied_weights_give_the_same_outputs_and_stay_apart() -> None:
    source, target = vector_classifier(4, 3), vector_classifier(4, 3)
    x = np.linspace(-1, 1, 8).reshape(2, 4)
    expected, before = (convert_to_numpy(model(x)) for model in (source, target))
    assert not np.allclose(expected, before)

    copy_weights(source, target)

    assert_array_equal(source(x), expected)
    assert_array_equal(target(x), expected)
    source.set_weights([weight + 1 for weight in source.get_weights()])
    assert not np.allclose(source.get_weights()[0], target.get_weights()[0])


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (unbuilt(), unbuilt()),
        (unbuilt(), vector_classifier(4, 3)),
        (vector_classifier(4, 3), unbuilt()),
        (vector_classifier(4, 3), "a model"),
    ],
)
def test_weights_that_do_not_exist_yet_are_not_copied(source: Any, target: Any) -> None:
    with pytest.raises(ValueError, match="Expected every network to be built"):
        copy_weights(source, target)


def test_weights_are_copied_between_models_and_modules() -> None:
    class Module(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            shapes = [weight.shape for weight in vector_classifier(4, 3).weights]
            self.weights = [tf.Variable(tf.random.normal(shape)) for shape in shapes]

    source, model, module = Module(), vector_classifier(4, 3), Module()

    copy_weights(source, model, module)

    for target in (model, module):
        for weight, value in zip(target.weights, source.weights, strict=True):
            assert_array_equal(np.array(weight), value)


def test_weights_of_other_shapes_are_refused_before_anything_is_copied() -> None:
    source, good, bad = (vector_classifier(size, 3) for size in (4, 4, 5))
    before = good.get_weights()

    with pytest.raises(ValueError, match=r"\(4, 64\).* and .*\(5, 64\)"):
        copy_weights(source, good, bad)

    assert all(map(np.array_equal, before, good.get_weights()))


def test_weights_of_another_dtype_are_not_copied_since_they_could_overflow() -> None:
    source, target = (
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, dtype=dtype)])
        for dtype in ("float32", "float16")
    )

    with pytest.raises(ValueError, match=r"same shapes and dtypes.*float32.*float16"):
        copy_weights(source, target)


# New models from old layers


def test_only_the_new_head_is_trained() -> None:
    old = image_classifier((8, 8, 1), 5)
    new = with_new_head(old, 3)
    before = new.get_weights()

    new.compile("adam", "sparse_categorical_crossentropy")
    new.fit(digit_images()[0][:32], np.arange(32) % 3, verbose=0)

    moved = [
        bool((a != b).any()) for a, b in zip(before, new.get_weights(), strict=True)
    ]
    assert moved == [False, False, False, False, True, True]
    assert [weight.shape for weight in new.trainable_weights] == [(32, 3), (3,)]


def test_the_new_model_holds_the_old_layers_but_the_last() -> None:
    old = vector_classifier(4, 5)
    new = with_new_head(old, 3)

    assert new.layers[0] is old.layers[0]
    assert not old.layers[0].trainable
    assert [new.layers[-1].name, new.input_shape] == ["head", (None, 4)]
    assert old.layers[-1].trainable
    x = np.ones((2, 4), "float32")
    head = new.layers[-1]
    assert_allclose(new(x), head(old.layers[0](x)), atol=1e-6)


def test_the_new_model_keeps_the_dtype_of_its_input() -> None:
    words = keras.Input((None,), dtype="int32")
    pool = keras.layers.GlobalAveragePooling1D()
    layers = [keras.layers.Embedding(9, 4), pool, keras.layers.Dense(2)]

    assert with_new_head(keras.Sequential([words, *layers]), 3).inputs[0].dtype == (
        "int32"
    )


@pytest.mark.parametrize(
    "model",
    [
        unbuilt(),
        keras.Sequential([keras.layers.Dense(2), keras.layers.Dense(2)]),
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
        keras.layers.Dense(2),
    ],
)
def test_a_head_needs_layers_to_stand_on(model: Any) -> None:
    with pytest.raises(ValueError, match="a built Sequential model of at least two"):
        with_new_head(model, 3)


@pytest.mark.parametrize(("num_dropped", "kept"), [(1, 4), (2, 3), (4, 1)])
def test_a_head_stands_on_as_many_layers_as_are_kept(
    num_dropped: int, kept: int
) -> None:
    old = image_classifier((8, 8, 1), 5)
    new = with_new_head(old, 3, num_dropped)

    assert new.layers[:-1] == old.layers[:kept]
    assert [layer.trainable for layer in new.layers] == [False] * kept + [True]


@pytest.mark.parametrize("num_dropped", [-1, 0, 5, 6])
def test_a_head_that_replaces_nothing_or_everything_is_refused(
    num_dropped: int,
) -> None:
    with pytest.raises(ValueError, match=f"from 1 to 4.*Received: {num_dropped}"):
        with_new_head(image_classifier((8, 8, 1), 5), 3, num_dropped)


# Folds


def line() -> keras.Sequential:
    """One weight, 0 at the start."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def test_each_fold_has_its_share_of_each_label() -> None:
    labels = digit_vectors()[1][:200]

    folds = label_folds(labels, num_folds=7)

    assert_array_equal(np.sort(np.concatenate(folds)), np.arange(200))
    counts = [np.bincount(labels[fold], minlength=10) for fold in folds]
    assert (np.ptp(counts, axis=0) <= 1).all()
    assert all((np.diff(fold) > 0).all() for fold in folds)


def test_the_seed_decides_the_folds() -> None:
    labels = np.repeat([0, 1], 20)
    first, again, other = (label_folds(labels, 4, seed) for seed in (0, 0, 1))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_there_may_be_a_fold_for_each_example() -> None:
    folds = label_folds(np.array([0, 1, 0, 1]), num_folds=4)
    assert sorted(np.concatenate(folds).tolist()) == [0, 1, 2, 3]
    assert [len(fold) for fold in folds] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "num_folds"), [(np.zeros((4, 2)), 2), (np.zeros(4), 1), (np.zeros(4), 5)]
)
def test_folds_that_cannot_be_made_are_refused(
    labels: npt.NDArray[Any], num_folds: int
) -> None:
    with pytest.raises(ValueError, match=f"Received: shape .* num_folds={num_folds}"):
        label_folds(labels, num_folds)


def test_each_fold_is_judged_by_what_the_others_teach(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x = np.linspace(1, 2, 7, dtype="float32")[:, None]
    y = x**2
    folds = [np.array(fold) for fold in ([0, 3], [1, 5, 6], [2, 4])]

    scores = evaluate_folds(
        lambda _: line(), x, y, folds, epochs=3, batch_size=7, shuffle=False
    )

    for number, fold in enumerate(folds):
        rest, weight = np.delete(np.arange(7), fold), 0.0
        for _ in range(3):
            slope = np.mean(2 * (weight * x[rest] - y[rest]) * x[rest])
            weight -= 0.1 * float(slope)
        errors = weight * x[fold] - y[fold]
        assert scores["loss"][number] == pytest.approx(np.mean(errors**2), rel=1e-4)
        assert scores["mae"][number] == pytest.approx(np.mean(abs(errors)), rel=1e-4)
    assert capsys.readouterr().out == ""


def test_the_model_is_made_for_the_training_examples_alone() -> None:
    ramp = np.arange(6.0)[:, None]
    x = {"a": ramp, "b": ramp * 10}
    seen = []

    def make(examples: Any) -> keras.Model:
        seen.append(examples)
        inputs = {name: keras.Input((1,), name=name) for name in x}
        total = keras.layers.Add()(list(inputs.values()))
        ones = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
        model = keras.Model(inputs, ones(total))
        model.compile(keras.optimizers.SGD(0.0), "mse")
        return model

    scores = evaluate_folds(make, x, x["a"], [np.arange(2), np.arange(2, 6)])

    assert_array_equal(seen[0]["b"].ravel(), [20, 30, 40, 50])
    assert_array_equal(seen[1]["a"].ravel(), [0, 1])
    assert scores["loss"] == pytest.approx([50.0, 1350.0])


def test_a_model_that_has_been_trained_is_refused() -> None:
    x, folds = np.ones((4, 1)), [np.array([0, 1]), np.array([2, 3])]
    model, shared = line(), keras.layers.Dense(1)

    def around_shared(_: Any) -> keras.Model:
        new = keras.Sequential([shared, keras.layers.Dense(1)])
        new.compile("sgd", "mse")
        return new

    makers: list[Any] = [lambda _: model, around_shared]
    for make in makers:
        with pytest.raises(ValueError, match="with weights of the fold before"):
            evaluate_folds(make, x, x, folds)


def test_a_frozen_base_may_be_shared() -> None:
    x, folds = np.ones((4, 1)), [np.array([0, 1]), np.array([2, 3])]
    base = keras.layers.Dense(1, trainable=False)

    def make(_: Any) -> keras.Model:
        model = keras.Sequential([base, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    assert evaluate_folds(make, x, x, folds)["loss"].shape == (2,)


@pytest.mark.parametrize(
    "folds",
    [
        [[0, 1], [1, 2, 3]],
        [[0, 1], [3]],
        [[0, 1], [2, 3, 4]],
        [[0, 1], [2, -1]],
        [[0, 1, 2, 3]],
        [[], [0, 1, 2, 3]],
    ],
)
def test_folds_that_overlap_or_leave_out_are_refused(folds: list[list[int]]) -> None:
    x = np.ones((4, 1))
    with pytest.raises(ValueError, match="Expected each of the 4 examples in one of"):
        evaluate_folds(lambda _: line(), x, x, [np.array(f) for f in folds])


def test_the_classifier_scales_by_the_examples_it_is_made_for() -> None:
    features = np.arange(12.0).reshape(4, 3)
    model = normalized_classifier(features)
    scaled = model.layers[0](features)
    assert_allclose(scaled, (features - features.mean()) / features.std(), rtol=1e-5)
    scores = convert_to_numpy(model(features))
    assert np.sum(scores, axis=-1) == pytest.approx(np.ones(4))

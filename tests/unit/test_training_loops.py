"""The recipes around the training step, against `fit`, NumPy and a second way."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from snippets.data import digit_vectors
from snippets.processes import run_python
from snippets.training_loops import (
    OwnStep,
    accumulated_gradients,
    checkpoints,
    evaluation_step,
    learning_rate_range,
    replicated_step,
    restore_checkpoint,
    round_straight_through,
    run_epoch,
    save_checkpoint,
    train_by_hand,
    train_resumably,
    training_step,
)
from snippets.training_loops.devices import train_on_two_devices
from snippets.training_loops.mistakes import UnscaledStep
from snippets.training_loops.resuming import epoch_batches
from snippets.training_loops.steps import small_classifier
from snippets.training_loops.versions import NewStep, OldStep
from tests.unit.comparing import assert_allclose, assert_array_equal

X, Y = (array[:40] for array in digit_vectors())
CROSSENTROPY = "sparse_categorical_crossentropy"


def crossentropy() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy()


def batches(*arrays: np.ndarray, size: int = 16) -> tf.data.Dataset:
    """Batches of 16, 16 and 8 digits."""
    return tf.data.Dataset.from_tensor_slices(arrays or (X, Y)).batch(size)


def seeded(model_class: type[keras.Model] = keras.Model) -> keras.Model:
    keras.utils.set_random_seed(0)
    return small_classifier(model_class)


def same_arrays(some: Any, others: Any) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(some, others, strict=True))


# The model and its step


@pytest.mark.parametrize("batch", [1, 5])
def test_the_small_classifier_is_two_products_when_it_does_not_train(
    batch: int,
) -> None:
    model = small_classifier(num_features=7, num_classes=3)
    x = np.linspace(-1, 1, batch * 7, dtype="float32").reshape(batch, 7)
    kernel, bias, second_kernel, second_bias = model.get_weights()
    powers = np.exp(np.maximum(x @ kernel + bias, 0) @ second_kernel + second_bias)

    expected = powers / powers.sum(axis=-1, keepdims=True)

    assert_allclose(model(x, training=False), expected, atol=1e-6)
    assert kernel.shape == (7, 32)


def test_the_small_classifier_drops_a_tenth_of_its_hidden_values() -> None:
    (layer,) = (
        part for part in small_classifier().layers if type(part) is keras.layers.Dropout
    )

    assert layer.rate == 0.1
    assert small_classifier().layers[-1].compute_dtype == "float32"


def test_own_step_trains_and_reports_as_keras_does() -> None:
    results, sample_weight = [], np.arange(40.0)
    for kind in (keras.Model, OwnStep):
        model = seeded(kind)
        metrics = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
        model.compile("adam", CROSSENTROPY, **metrics)
        options = {"sample_weight": sample_weight, "batch_size": 16, "verbose": 0}
        history = model.fit(X, Y, epochs=2, **options).history
        results.append((history, model.get_weights()))

    (by_keras, weights), (own, own_weights) = results
    assert by_keras == own
    assert same_arrays(weights, own_weights)


def test_own_step_takes_class_weights_regularizers_and_a_dict_of_inputs() -> None:
    weights = []
    for kind in (keras.Model, OwnStep):
        keras.utils.set_random_seed(0)
        inputs = {"pixels": keras.Input((64,), name="pixels")}
        dense = keras.layers.Dense(10, "softmax", kernel_regularizer="l2")
        model = kind(inputs, dense(inputs["pixels"]))
        model.compile("sgd", CROSSENTROPY)
        model.fit({"pixels": X}, Y, class_weight={3: 9.0}, shuffle=False, verbose=0)
        weights.append(model.get_weights())

    assert same_arrays(*weights)


def test_own_step_scales_the_loss_of_mixed_precision() -> None:
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    try:
        models = [seeded(kind) for kind in (keras.Model, OwnStep, UnscaledStep)]
        for model in models:
            model.compile(keras.optimizers.SGD(0.5), CROSSENTROPY, run_eagerly=True)
            model.layers[2].rate = 0.0
            model.fit(X, Y, batch_size=40, verbose=0)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    start, (by_keras, own, unscaled) = seeded().get_weights(), models

    assert same_arrays(by_keras.get_weights(), own.get_weights())
    moved = [
        np.abs(model.get_weights()[-1] - start[-1]).max() for model in (own, unscaled)
    ]
    assert_allclose(moved[0] / moved[1], 2**15, rtol=0.01)


def test_own_step_reports_the_whole_loss_on_two_replicas() -> None:
    program = """
import keras, numpy as np, tensorflow as tf
from snippets.training_loops import OwnStep
from snippets.training_loops.steps import small_classifier
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
x, y = np.linspace(0, 1, 40 * 64).reshape(40, 64), np.arange(40) % 10
for kind in (keras.Model, OwnStep):
    keras.utils.set_random_seed(0)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        model = small_classifier(kind)
        model.layers[2].rate = 0.0
        model.compile("sgd", "sparse_categorical_crossentropy")
    history = model.fit(x, y, batch_size=8, shuffle=False, verbose=0).history
    print(history["loss"][0], *[float(np.sum(w)) for w in model.get_weights()])
"""
    lines = run_python(program).splitlines()
    by_keras, own = (np.array(line.split(), "float64") for line in lines[-2:])

    assert by_keras[0] > 2.0  # half of it would be 1.2
    assert_allclose(own, by_keras, rtol=1e-6)


def test_own_step_is_registered_and_reloads(tmp_path: Path) -> None:
    model = seeded(OwnStep)
    model.compile("sgd", CROSSENTROPY)
    model.save(tmp_path / "own.keras")

    reloaded = keras.saving.load_model(tmp_path / "own.keras")

    assert keras.saving.get_registered_name(OwnStep) == "snippets>OwnStep"
    assert type(reloaded) is OwnStep
    assert_allclose(reloaded(X), model(X), atol=1e-6)


# The step of a loop


def mean_loss() -> keras.metrics.Mean:
    return keras.metrics.Mean(name="loss")


def line_with_a_penalty() -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2,))
    regularizer = keras.regularizers.L2(0.1)
    dense = keras.layers.Dense(1, kernel_regularizer=regularizer)
    return keras.Model(inputs, dense(inputs))


def test_a_compiled_step_is_a_step_of_gradient_descent() -> None:
    model, mean = line_with_a_penalty(), mean_loss()
    (kernel, bias), x, y = (
        model.get_weights(),
        np.array([[1.0, 2.0]]),
        np.array([[3.0]]),
    )
    error_metric = keras.metrics.MeanAbsoluteError()
    rest = keras.losses.MeanSquaredError(), keras.optimizers.SGD(0.5), mean
    step = training_step(model, *rest, [error_metric])

    loss = step(x.astype("float32"), y.astype("float32"), np.array([2.0]))

    error = x @ kernel + bias - y
    expected_loss = 2 * error.item() ** 2 + 0.1 * np.sum(kernel**2)
    assert_allclose(loss, expected_loss, rtol=1e-5)
    slope = 4 * error * x.T + 0.2 * kernel
    assert_allclose(model.get_weights()[0], kernel - 0.5 * slope, rtol=1e-5)
    assert_allclose(mean.result(), expected_loss, rtol=1e-5)
    assert_allclose(error_metric.result(), abs(error.item()), rtol=1e-5)


def test_a_step_of_validation_counts_and_changes_nothing() -> None:
    model, mean = line_with_a_penalty(), mean_loss()
    kernel, bias = model.get_weights()
    x, y = np.array([[1.0, 2.0], [0.0, 1.0]], "float32"), np.ones((2, 1), "float32")
    error_metric = keras.metrics.MeanAbsoluteError()
    loss_function = keras.losses.MeanSquaredError()
    step = evaluation_step(model, loss_function, mean, [error_metric])

    loss = step(x, y, np.array([2.0, 0.0], "float32"))

    errors = x @ kernel + bias - y
    expected = errors[0, 0] ** 2 + 0.1 * np.sum(kernel**2)
    assert_allclose(loss, expected, rtol=1e-5)
    assert_allclose(mean.result(), expected, rtol=1e-5)
    assert int(mean.count) == 2
    assert_allclose(error_metric.result(), np.abs(errors).mean(), rtol=1e-5)
    assert same_arrays(model.get_weights(), [kernel, bias])


def test_a_step_of_validation_drops_nothing() -> None:
    model = seeded()
    model.compile("sgd", CROSSENTROPY)

    loss = evaluation_step(model, crossentropy(), mean_loss())(X, Y)

    assert_allclose(loss, model.evaluate(X, Y, batch_size=40, verbose=0), rtol=1e-6)


def test_a_compiled_step_is_traced_at_most_twice_for_batches_of_two_sizes() -> None:
    rest = crossentropy(), keras.optimizers.SGD(), mean_loss()
    step: Any = training_step(small_classifier(), *rest)

    for x, y in batches(size=9):
        step(x, y)

    assert step.experimental_get_tracing_count() <= 2


def test_a_compiled_step_scales_the_loss() -> None:
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(0.5))
    plain, scaled = seeded(), seeded()

    training_step(plain, crossentropy(), keras.optimizers.SGD(0.5), mean_loss())(X, Y)
    training_step(scaled, crossentropy(), optimizer, mean_loss())(X, Y)

    for a, b in zip(plain.get_weights(), scaled.get_weights(), strict=True):
        assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("sample_weight", [(), (np.arange(40.0),)])
def test_a_compiled_step_trains_any_kind_of_model_as_fit_does(
    sample_weight: tuple[np.ndarray, ...],
) -> None:
    results = []
    for by_hand in (True, False):
        keras.utils.set_random_seed(0)
        layers = [
            keras.layers.Dense(8, kernel_regularizer="l2"),
            keras.layers.BatchNormalization(),
            keras.layers.ActivityRegularization(l2=0.1),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10, activation="softmax"),
        ]
        inner = keras.Sequential([keras.Input((64,)), *layers[:-1]])
        model = keras.Sequential([keras.Input((64,)), inner, layers[-1]])
        data = batches(X, Y, *sample_weight)
        optimizer = keras.optimizers.Adam(0.01)
        if by_hand:
            step = training_step(model, crossentropy(), optimizer, mean := mean_loss())
            loss = run_epoch(step, data, [mean])["loss"]
        else:
            model.compile(optimizer, crossentropy())
            loss = model.fit(data, shuffle=False, verbose=0).history["loss"][0]
        results.append((loss, model.get_weights()))

    (loss, weights), (expected, expected_weights) = results
    assert loss == pytest.approx(expected, rel=1e-6)
    for a, b in zip(weights, expected_weights, strict=True):
        assert_allclose(a, b, atol=1e-6)


def test_a_replicated_step_on_one_device_is_a_step() -> None:
    one, trained_weights = tf.distribute.get_strategy(), []
    for replicated in (True, False):
        model, optimizer, mean = seeded(), keras.optimizers.SGD(0.5), mean_loss()
        model.layers[2].rate = 0.0
        optimizer.build(model.trainable_variables)
        summed = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
        if replicated:
            step = replicated_step(one, model, summed, optimizer, mean)
        else:
            step = training_step(model, crossentropy(), optimizer, mean)
        step(tf.constant(X), tf.constant(Y))
        trained_weights.append([float(mean.result()), *model.get_weights()])

    for a, b in zip(*trained_weights, strict=True):
        assert_allclose(a, b, atol=1e-6)


def test_a_replicated_step_drops_as_training_does() -> None:
    model, optimizer, mean = seeded(), keras.optimizers.SGD(0.5), mean_loss()
    model.layers[2].rate = 0.999  # nearly nothing reaches the last layer
    optimizer.build(model.trainable_variables)
    summed = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    before = model.layers[-1].get_weights()[0]

    one = tf.distribute.get_strategy()
    step = replicated_step(one, model, summed, optimizer, mean)
    step(tf.constant(X), tf.constant(Y))

    unmoved = np.isclose(model.layers[-1].get_weights()[0], before).all(axis=1)
    assert unmoved.mean() > 0.5


def test_the_script_for_two_devices_trains_in_float16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On one device here; the page and its proofs run it on two."""
    np.savez(tmp_path / "digits.npz", x=X, y=Y)
    asked: list[Any] = []
    split = "set_logical_device_configuration"
    monkeypatch.setattr(tf.config, split, lambda *parts: asked.append(parts))
    one = tf.distribute.get_strategy()
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: one)
    try:
        train_on_two_devices(str(tmp_path / "digits.npz"), epochs=6)
    finally:
        keras.mixed_precision.set_dtype_policy("float32")

    lines = capsys.readouterr().out.splitlines()
    epochs, losses = zip(*(line.split() for line in lines), strict=True)
    assert len(asked[0][1]) == 2
    assert epochs == tuple("012345")
    assert float(losses[0]) > 2
    assert float(losses[-1]) < float(losses[0])


# The whole loop


def everything(by_hand: bool) -> tuple[dict[str, Any], keras.Model]:
    """Train with weights, metrics, validation and callbacks, by `fit` or by hand."""
    model = seeded()
    optimizer = keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.8)
    metrics = [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
    stop = keras.callbacks.EarlyStopping(
        "val_loss", patience=1, restore_best_weights=True
    )
    callbacks = [stop, keras.callbacks.ReduceLROnPlateau("loss", patience=0)]
    data, test = batches(X, Y, np.where(Y == 2, 4.0, 1.0)), batches(X[5:], 9 - Y[5:])
    if by_hand:
        parts = (crossentropy(), optimizer, metrics, test, callbacks)
        return train_by_hand(model, data, 12, *parts), model
    model.compile(optimizer, crossentropy(), metrics=metrics)
    options = {"epochs": 12, "validation_data": test, "callbacks": callbacks}
    history = model.fit(data, shuffle=False, verbose=0, **options)
    return history.history, model


def test_the_loop_by_hand_is_fit() -> None:
    (by_fit, fitted), (by_hand, trained) = everything(False), everything(True)

    assert by_fit.keys() == by_hand.keys()
    for name, values in by_fit.items():
        assert_array_equal(by_hand[name], values, err_msg=name)
    assert same_arrays(fitted.get_weights(), trained.get_weights())
    assert 1 < len(by_hand["loss"]) < 12  # the labels of the validation are wrong


def test_a_metric_with_a_number_for_each_class_is_kept_as_fit_keeps_it() -> None:
    one_hot = np.eye(10, dtype="float32")[Y]
    data = [(X[:20], one_hot[:20]), (X[20:], one_hot[20:])]
    loss, metric = keras.losses.CategoricalCrossentropy(), keras.metrics.F1Score()
    by_hand = train_by_hand(
        seeded(), data, 2, loss, keras.optimizers.SGD(0.5), [metric], data
    )
    model = seeded()
    model.compile(keras.optimizers.SGD(0.5), loss, metrics=[keras.metrics.F1Score()])
    whole = tf.data.Dataset.from_tensor_slices((X, one_hot)).batch(20)
    options = {"epochs": 2, "validation_data": whole, "shuffle": False}
    by_fit = model.fit(whole, verbose=0, **options).history

    assert by_hand.keys() == by_fit.keys()
    for name, values in by_fit.items():
        assert_allclose(by_hand[name], values, rtol=1e-6, err_msg=name)
    assert np.shape(by_hand["val_f1_score"]) == (2, 10)


def test_the_loop_puts_averaged_weights_in_place_at_the_end() -> None:
    seen: list[Any] = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights())
    )
    model, optimizer = seeded(), keras.optimizers.SGD(0.5, use_ema=True)

    train_by_hand(model, batches(), 1, crossentropy(), optimizer, callbacks=[watch])

    assert not same_arrays(seen[-1], model.get_weights())
    averages = optimizer._model_variables_moving_average
    assert same_arrays(averages, model.trainable_variables)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, -1), (2, 2), (-1, 1)])
def test_the_loop_needs_an_epoch_and_something_to_train(first: int, last: int) -> None:
    frozen = small_classifier()
    frozen.trainable = False
    rest = crossentropy(), keras.optimizers.SGD()
    received = rf"Received: initial_epoch={first}, epochs={last} and 4 weights"
    with pytest.raises(ValueError, match=received):
        train_by_hand(small_classifier(), batches(), last, *rest, initial_epoch=first)
    with pytest.raises(ValueError, match=r"epochs=1 and 0 weights"):
        train_by_hand(frozen, batches(), 1, *rest)


def test_the_loop_goes_on_with_the_numbers_of_its_epochs() -> None:
    begun: list[int] = []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: begun.append(epoch)
    )
    parts = small_classifier(), batches(), 4, crossentropy(), keras.optimizers.SGD()

    history = train_by_hand(*parts, callbacks=[watch], initial_epoch=2)

    assert begun == [2, 3]
    assert len(history["loss"]) == 2


@pytest.mark.parametrize("dataset", [[], batches().take(0), iter([(X, Y)])])
def test_an_epoch_without_batches_is_refused(dataset: Any) -> None:
    rest = crossentropy(), keras.optimizers.SGD()
    with pytest.raises(ValueError, match=r"at least one batch. Received: none"):
        train_by_hand(small_classifier(), dataset, 2, *rest)


def test_an_epoch_starts_its_metrics_anew() -> None:
    mean = mean_loss()
    mean.update_state(9.0)
    step = evaluation_step(seeded(), crossentropy(), mean)

    logs = run_epoch(step, batches(), [mean])

    assert float(mean.count) == 40
    assert logs == {"loss": float(mean.result())}
    assert type(logs["loss"]) is float


# Accumulation


@pytest.mark.parametrize("num_parts", [1, 3, 4, 40])
def test_gradients_of_parts_are_those_of_the_batch(num_parts: int) -> None:
    model = seeded()
    model.layers[2].rate = 0.0
    with tf.GradientTape() as tape:
        loss = crossentropy()(Y, model(X, training=True))
    whole = tape.gradient(loss, model.trainable_variables)

    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts)

    for part, gradient in zip(parts, whole, strict=True):
        assert_allclose(part, gradient, atol=1e-6)


def test_losses_of_layers_count_once_whatever_the_parts() -> None:
    inputs = keras.Input((64,))
    dense = keras.layers.Dense(10, "softmax", kernel_regularizer="l2")
    levels = keras.ops.cast(inputs[:, 20] * 4, "int32")
    embedded = keras.layers.Embedding(5, 10, embeddings_regularizer="l1")(levels)
    scores = keras.ops.softmax(dense(inputs) + embedded)
    model = keras.Model(inputs, scores)
    with tf.GradientTape() as tape:
        loss = crossentropy()(Y, model(X, training=True)) + sum(model.losses)
    whole = tape.gradient(loss, model.trainable_variables)

    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts=7)

    assert len(parts) == 3
    for part, gradient in zip(parts, whole, strict=True):
        assert_allclose(part, tf.convert_to_tensor(gradient), atol=1e-6)


def test_a_weight_without_influence_has_a_gradient_of_zero() -> None:
    class WithSpare(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.used = self.add_weight(shape=(10,))
            self.spare = self.add_weight(shape=(3,))

        def call(self, x: Any) -> Any:
            return keras.ops.softmax(x[:, :10] * self.used)

    model = keras.Sequential([keras.Input((64,)), WithSpare()])

    _, spare = accumulated_gradients(model, crossentropy(), X, Y, num_parts=2)

    assert_array_equal(spare, np.zeros(3))


@pytest.mark.parametrize("num_parts", [0, -1, 41])
def test_parts_must_hold_examples(num_parts: int) -> None:
    with pytest.raises(ValueError, match=rf"num_parts={num_parts}, 40 examples and 40"):
        accumulated_gradients(small_classifier(), crossentropy(), X, Y, num_parts)


def test_parts_need_as_many_labels() -> None:
    with pytest.raises(ValueError, match=r"40 examples and 3 labels"):
        accumulated_gradients(small_classifier(), crossentropy(), X, Y[:3], 2)


# Checkpoints


@pytest.mark.parametrize(("examples", "size"), [(1, 1), (10, 4), (8, 4), (3, 9)])
def test_an_epoch_holds_each_example_once(examples: int, size: int) -> None:
    order = epoch_batches(examples, size, epoch=2, seed=5)

    assert sorted(np.concatenate(order).tolist()) == list(range(examples))
    assert {len(batch) for batch in order[:-1]} <= {size}
    assert 1 <= len(order[-1]) <= size


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [
        np.concatenate(epoch_batches(50, 8, epoch, seed)).tolist()
        for epoch, seed in ((0, 0), (1, 0), (0, 1), (1, 1))
    ]

    assert len({tuple(order) for order in orders}) == 4
    assert np.concatenate(epoch_batches(50, 8, 1, 0)).tolist() == orders[1]


@pytest.mark.parametrize(
    ("arguments", "received"),
    [
        ((0, 1, 0), "at least 1. Received: num_examples=0"),
        ((1, 0, 0), "at least 1. Received: batch_size=0"),
        ((1, 1, -1), "at least 0. Received: epoch=-1"),
        ((1, 1, 0, -1), "at least 0. Received: seed=-1"),
    ],
)
def test_an_order_needs_examples(arguments: tuple[int, ...], received: str) -> None:
    with pytest.raises(ValueError, match=received):
        epoch_batches(*arguments)


def trained() -> tuple[keras.Model, Any]:
    """A model and its optimizer after two steps."""
    model, optimizer = seeded(), keras.optimizers.Adam(0.1)
    step = training_step(model, crossentropy(), optimizer, mean_loss())
    step = step.python_function
    for _ in range(2):
        step(X, Y)
    return model, optimizer


def fresh() -> tuple[keras.Model, Any]:
    keras.utils.set_random_seed(1)
    return small_classifier(), keras.optimizers.Adam(0.1)


def test_a_checkpoint_restores_every_variable(tmp_path: Path) -> None:
    model, optimizer = trained()
    other, other_optimizer = fresh()

    path = save_checkpoint(tmp_path / "new" / "folder", model, optimizer, step=7)
    step = restore_checkpoint(tmp_path / "new" / "folder", other, other_optimizer)

    assert (path.name, step) == ("step-00000007.npz", 7)
    assert same_arrays(model.variables, other.variables)
    assert same_arrays(optimizer.variables, other_optimizer.variables)
    assert int(other_optimizer.iterations) == 2
    assert len(other.variables) == len(other.weights) + 1  # that of dropout


@pytest.mark.parametrize("make", [lambda path: None, Path.mkdir])
def test_without_a_checkpoint_training_begins_at_step_0(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "run")

    assert checkpoints(tmp_path / "run") == []
    assert restore_checkpoint(tmp_path / "run", *fresh()) == 0


def test_the_newest_checkpoint_is_restored_and_the_last_two_are_kept(
    tmp_path: Path,
) -> None:
    (tmp_path / "unfinished").write_bytes(b"what a kill left behind")
    for step in (9, 10, 100):
        save_checkpoint(tmp_path, *trained(), step)

    kept = [path.name for path in checkpoints(tmp_path)]
    assert kept == ["step-00000010.npz", "step-00000100.npz"]
    assert {path.name for path in tmp_path.iterdir()} == set(kept)
    assert restore_checkpoint(tmp_path, *fresh()) == 100


def test_weights_can_be_saved_before_the_first_step(tmp_path: Path) -> None:
    assert save_checkpoint(tmp_path, *trained(), 0).name == "step-00000000.npz"


def test_a_negative_step_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"an integer of at least 0. Received: step=-1"
    ):
        save_checkpoint(tmp_path, *trained(), -1)


@pytest.mark.parametrize("name", ["holiday.jpg", "step-1.npz", "step-00000001.npz.bak"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("precious")
    model, optimizer = trained()

    for refuse in (save_checkpoint, restore_checkpoint):
        rest = (3,) if refuse is save_checkpoint else ()
        with pytest.raises(ValueError, match=rf"folder of checkpoints alone.*'{name}'"):
            refuse(tmp_path, model, optimizer, *rest)  # type: ignore[operator]  # two signatures

    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


def test_a_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("precious")

    with pytest.raises(ValueError, match=r"'run' to be a folder .* Received: a file"):
        save_checkpoint(tmp_path / "run", *trained(), 1)

    assert (tmp_path / "run").read_text() == "precious"


@pytest.mark.parametrize("size", [0, 1, 30, 500, 5000, -1])
def test_a_checkpoint_that_is_cut_short_changes_nothing(
    tmp_path: Path, size: int
) -> None:
    path = save_checkpoint(tmp_path, *trained(), 3)
    cut = path.read_bytes()[:size]
    path.write_bytes(cut)
    model, optimizer = fresh()
    before = model.get_weights()

    with pytest.raises(
        ValueError, match=r"'step-00000003.npz' to be a whole checkpoint"
    ):
        restore_checkpoint(tmp_path, model, optimizer)

    assert path.read_bytes() == cut
    assert same_arrays(before, model.get_weights())


def test_a_damaged_byte_is_noticed(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, *trained(), 3)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)

    with pytest.raises(ValueError, match=r"cut short or damaged"):
        restore_checkpoint(tmp_path, *fresh())


@pytest.mark.parametrize(
    "other", [{"batch_size": 32, "epochs": 4}, {"batch_size": 8, "seed": 1}]
)
def test_another_order_of_the_data_is_refused(
    tmp_path: Path, other: dict[str, int]
) -> None:
    def train(model: keras.Model, **options: int) -> list[float]:
        optimizer = keras.optimizers.SGD(0.1)
        options = {"epochs": 1, **options}
        return train_resumably(
            model, X, Y, tmp_path, crossentropy(), optimizer, **options
        )

    train(small_classifier(), batch_size=8)
    model = small_classifier()
    before = model.get_weights()

    with pytest.raises(ValueError, match=r"'batch_size': 8, 'seed': 0.* Received: .*"):
        train(model, **other)

    assert same_arrays(before, model.get_weights())


def test_the_checkpoint_of_another_model_changes_nothing(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, *trained(), 3)
    model, optimizer = small_classifier(num_classes=3), keras.optimizers.Adam()
    before = model.get_weights()

    with pytest.raises(ValueError, match=r"variables of shapes \[\(64, 32\)"):
        restore_checkpoint(tmp_path, model, optimizer)

    assert same_arrays(before, model.get_weights())


# Resuming


def resumable(
    folder: Path, epochs: int = 3, on_step: Any = None
) -> tuple[list[float], Any]:
    """Three steps an epoch, saved after every second."""
    model, optimizer = seeded(), keras.optimizers.Adam(0.05)
    rest = {"epochs": epochs, "batch_size": 16, "save_every": 2, "on_step": on_step}
    losses = train_resumably(model, X, Y, folder, crossentropy(), optimizer, **rest)
    return losses, [*model.variables, *optimizer.variables]


@cache
def whole_run() -> tuple[list[float], Any]:
    with tempfile.TemporaryDirectory() as folder:
        return resumable(Path(folder))


@pytest.mark.parametrize(("stop", "saved"), [(3, 2), (8, 8)])
def test_training_goes_on_after_its_last_checkpoint(
    tmp_path: Path, stop: int, saved: int
) -> None:
    def interrupt(step: int) -> None:
        if step == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resumable(tmp_path / "run", on_step=interrupt)
    losses, variables = resumable(tmp_path / "run")
    whole, expected = whole_run()

    assert losses == whole[saved:]
    assert same_arrays(variables, expected)


def test_a_finished_training_is_not_repeated_and_can_be_prolonged(
    tmp_path: Path,
) -> None:
    first, _ = resumable(tmp_path / "run", epochs=1)

    assert len(first) == 3
    assert [path.name for path in checkpoints(tmp_path / "run")] == [
        "step-00000002.npz",
        "step-00000003.npz",
    ]
    assert resumable(tmp_path / "run", epochs=1)[0] == []
    assert first + resumable(tmp_path / "run")[0] == whole_run()[0]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 1, "save_every": 0}])
def test_training_resumably_needs_steps(tmp_path: Path, wrong: dict[str, int]) -> None:
    rest = (tmp_path / "run", crossentropy(), keras.optimizers.SGD())
    name = list(wrong)[-1]
    with pytest.raises(ValueError, match=rf"of at least 1. Received: {name}=0"):
        train_resumably(small_classifier(), X, Y, *rest, **wrong)


# Traces and gradients


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rounding_passes_gradients_straight_through(dtype: str) -> None:
    values = np.array([[-1.6, -0.5, 0.4], [0.5, 1.5, 2.7]], dtype)
    x = tf.Variable(values)
    factors = np.arange(6, dtype=dtype).reshape(2, 3)
    with tf.GradientTape() as tape:
        y = round_straight_through(x) * factors

    assert_array_equal(y, np.round(values) * factors)
    assert_array_equal(tape.gradient(y, x), factors)


def test_rounding_as_a_layer_lets_the_layers_before_it_learn() -> None:
    inputs = keras.Input((1,))
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    rounded = keras.layers.Lambda(round_straight_through)(dense(inputs))
    model = keras.Model(inputs, rounded)
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)

    model.fit(np.ones((4, 1)), np.full((4, 1), 5.0), epochs=10, verbose=0)

    assert model.predict(np.ones((1, 1)), verbose=0).tolist() == [[5.0]]


# Steps of Keras 2 and 3


@pytest.mark.parametrize(("library", "kind"), [(tf_keras, OldStep), (keras, NewStep)])
def test_the_old_step_and_the_new_one_train_in_mixed_precision(
    library: Any, kind: Any
) -> None:
    library.mixed_precision.set_global_policy("mixed_float16")
    try:
        library.utils.set_random_seed(0)
        inputs = library.Input((64,))
        options = {"activation": "softmax", "dtype": "float32"}
        penalty = library.regularizers.L2(0.1)
        layer = library.layers.Dense(10, kernel_regularizer=penalty, **options)
        model = kind(inputs, layer(inputs))
        optimizer = library.mixed_precision.LossScaleOptimizer(
            library.optimizers.SGD(0.5)
        )
        model.compile(optimizer, CROSSENTROPY, metrics=["accuracy"])
    finally:
        library.mixed_precision.set_global_policy("float32")
    kernel = model.get_weights()[0]

    history = model.fit(X, Y, batch_size=40, epochs=3, verbose=0).history

    powers = np.exp(X @ kernel)
    picked = (powers / powers.sum(axis=-1, keepdims=True))[np.arange(40), Y]
    assert set(history) == {"loss", "accuracy"}
    expected = -np.log(picked).mean() + 0.1 * np.square(kernel).sum()
    assert_allclose(history["loss"][0], expected, rtol=1e-3)
    assert history["loss"][2] < history["loss"][0]


# Wrong steps, which pages show


def test_the_step_that_forgets_to_scale_reports_the_loss_beside_a_metric() -> None:
    model = seeded(UnscaledStep)
    model.compile("sgd", CROSSENTROPY, metrics=["accuracy"], run_eagerly=True)
    expected = model.evaluate(X, Y, verbose=0)[0]
    model.layers[2].rate = 0.0

    assert model.fit(X, Y, batch_size=40, verbose=0).history["loss"] == [
        pytest.approx(expected, rel=1e-5)
    ]


# The range test of the learning rate

PARTS = [(X[start : start + 16], Y[start : start + 16]) for start in (0, 16, 32)]


def line() -> keras.Sequential:
    """One weight, 1 at the start."""
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    model = keras.Sequential([keras.Input((1,)), dense])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    return model


def state(model: keras.Model) -> list[np.ndarray]:
    """Every number that a training of this model depends on."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables]


def noisy() -> keras.Model:
    """A model with statistics, random layers and a regularizer."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(8, kernel_regularizer="l2"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5, seed=0),  # PyTorch has no state of one without a seed
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((64,)), *layers])
    optimizer = keras.optimizers.Adam(0.01)
    model.compile(optimizer, CROSSENTROPY, metrics=["accuracy"])
    return model


def test_the_range_test_takes_a_step_at_each_rate() -> None:
    x = np.array([[1.0], [2.0], [4.0]], "float32")
    batches = [(x[:2], 3 * x[:2]), (x[2:], 2 * x[2:], np.array([0.5]))]

    rates, losses = learning_rate_range(line(), batches, 0.001, 0.1, num_steps=5)

    weight, expected = 1.0, []
    for rate, (part, target, *given) in zip(
        rates, 2 * batches + batches[:1], strict=True
    ):
        factor = float(given[0][0]) if given else 1.0
        errors = weight * part - target
        expected.append(factor * np.mean(errors**2))
        weight -= rate * factor * float(np.mean(2 * errors * part))
    assert_allclose(rates, [0.001, 0.00316228, 0.01, 0.0316228, 0.1], 1e-5)
    assert_allclose(losses, expected, rtol=1e-5)


def test_the_range_test_leaves_no_trace_in_the_training_after_it() -> None:
    histories = []
    for is_tested in (False, True):
        model = noisy()
        options = {"epochs": 2, "shuffle": False, "verbose": 0}
        model.fit(X, Y, **options)
        before = state(model)
        if is_tested:
            rates, losses = learning_rate_range(model, PARTS, num_steps=7)
            assert rates.shape == losses.shape == (7,)
        for old, new in zip(before, state(model), strict=True):
            assert_array_equal(old, new)
        histories.append(model.fit(X, Y, **options).history)
    assert histories[0] == histories[1]


def test_the_range_test_ends_where_the_loss_does() -> None:
    x, model = np.full((2, 1), 1e9, "float32"), line()

    rates, losses = learning_rate_range(model, [(x, x * 2)], 0.1, 10.0, num_steps=50)

    assert len(rates) == len(losses) < 50
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1])
    assert model.get_weights()[0] == 1


def test_the_range_test_undoes_what_an_error_interrupts() -> None:
    model = line()

    def breaks() -> Any:
        yield X[:1, :1] + 1, X[:1, :1]
        raise RuntimeError("no more data")

    with pytest.raises(RuntimeError, match="no more data"):
        learning_rate_range(model, breaks())

    assert model.get_weights()[0] == 1
    assert float(model.optimizer.learning_rate) == 0.5


def test_the_range_test_repeats_what_can_be_read_once() -> None:
    x = np.ones((2, 1), "float32")
    once = ((x, x * y) for y in (2, 3))
    losses = learning_rate_range(line(), once, 1e-9, 1e-8, num_steps=4)[1]
    assert_allclose(losses, [1, 4, 1, 4], rtol=1e-5)


def test_the_range_test_reads_a_dataset() -> None:
    found = []
    for parts in (PARTS, batches(X, Y)):
        model = noisy()
        found.append(learning_rate_range(model, parts, num_steps=5)[1])
    assert_allclose(*found, rtol=1e-5)


def test_the_range_test_puts_back_mixed_precision_too() -> None:
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = small_classifier()
        model.compile("adam", CROSSENTROPY)
    finally:
        keras.config.set_dtype_policy("float32")
    model.fit(X, Y, verbose=0)
    before = state(model)
    losses = learning_rate_range(model, PARTS, 1e-3, 1e-1, num_steps=4)[1]
    assert np.isfinite(losses).all()
    for old, new in zip(before, state(model), strict=True):
        assert_array_equal(old, new)


def test_what_the_range_test_cannot_put_back_is_refused() -> None:
    unbuilt, uncompiled = keras.Sequential([keras.layers.Dense(1)]), small_classifier()
    unbuilt.compile("sgd", "mse")
    for model in (unbuilt, uncompiled):
        with pytest.raises(ValueError, match="Expected `model` to be built and"):
            learning_rate_range(model, PARTS)
    for rates in ((0.0, 1.0), (0.1, 0.1), (1.0, 0.1), (0.1, np.inf), (np.nan, 1.0)):
        with pytest.raises(ValueError, match="Expected `lowest` greater than 0"):
            learning_rate_range(line(), PARTS, *rates)
    with pytest.raises(ValueError, match="Expected `batches` to hold at least one"):
        learning_rate_range(line(), [])


def test_a_schedule_is_refused_by_keras() -> None:
    model = small_classifier()
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model.compile(keras.optimizers.SGD(schedule), CROSSENTROPY)
    with pytest.raises(TypeError, match="its learning rate is not settable"):
        learning_rate_range(model, PARTS)

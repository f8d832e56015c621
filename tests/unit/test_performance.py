"""Speed, memory and many devices: the same work in every way, and what is refused."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.choosing import functional_cnn
from snippets.data import digit_images
from snippets.measuring import peak_memories
from snippets.performance import (
    Recomputed,
    fast_batches,
    fit_in_parallel,
    fit_on_mirrors,
    reading,
    replica_step,
    replicas,
    reverse_gradient,
    seconds_per_step,
    steps,
)
from snippets.performance.memory import deep_cnn, deep_cnn_step, memory_preparation
from snippets.performance.reading import (
    pipelines,
    prepare_image,
    prepare_pair,
    prepared_one_by_one,
    python_in_a_map,
    read_through,
    slow_batches,
)
from snippets.performance.replicas import (
    STRATEGIES,
    cluster_variables,
    error_of,
    fit_on_replicas,
    largest_difference,
    run_script,
    train_on_replicas,
)
from snippets.performance.steps import (
    calls_of_a_function,
    epoch_of_fit,
)
from snippets.processes import run_python

ONE_DEVICE = tf.distribute.get_strategy()


def some_digits(count: int = 100) -> tuple[np.ndarray, np.ndarray]:
    images, labels = digit_images()
    return images[:count], labels[:count]


# Ways to run


@functools.cache
def two_epochs(**options: Any) -> tuple[keras.Model, list[float]]:
    images, labels = some_digits(30)
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(10)
    keras.utils.set_random_seed(0)
    model = functional_cnn((8, 8, 1), 10)
    train = epoch_of_fit(model, dataset, **options)
    return model, [train() for _ in range(2)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("run_eagerly", True), ("jit_compile", True), ("steps_per_execution", 2)],
)
def test_an_epoch_is_the_same_however_it_is_compiled(name: str, value: Any) -> None:
    plain, expected = two_epochs(jit_compile=False)
    model, losses = two_epochs(**{name: value})

    assert losses == pytest.approx(expected, rel=1e-4)
    assert losses[1] < losses[0]
    assert largest_difference(model.get_weights(), plain.get_weights()) < 1e-5
    assert getattr(model, name) == value


def test_an_epoch_learns_by_plain_gradient_steps() -> None:
    images, labels = some_digits(20)
    model = functional_cnn((8, 8, 1), 10)
    before = model.get_weights()
    with tf.GradientTape() as tape:
        scores = model(images)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
        loss = tf.reduce_mean(losses)
    gradients = tape.gradient(loss, model.trainable_variables)
    dataset = tf.data.Dataset.from_tensors((images, labels))

    assert epoch_of_fit(model, dataset)() == pytest.approx(float(loss), rel=1e-5)

    pairs = zip(before, gradients, strict=True)
    expected = [weight - 0.1 * np.array(gradient) for weight, gradient in pairs]
    assert largest_difference(model.get_weights(), expected) < 1e-6


# Pipelines


@pytest.mark.parametrize("shape", [(8, 8, 1), (5, 7, 3), (4, 8, 8, 1)])
def test_a_prepared_image_has_mean_0_and_deviation_1(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random(shape, "float32")

    prepared = np.array(prepare_image(image))

    assert prepared.shape == (*shape[:-3], 32, 32, shape[-1])
    np.testing.assert_allclose(prepared.mean(axis=(-3, -2, -1)), 0, atol=1e-4)
    np.testing.assert_allclose(prepared.std(axis=(-3, -2, -1)), 1, atol=1e-3)


def test_an_image_is_enlarged_before_it_is_standardized() -> None:
    image = np.array([[0.0, 1.0], [0.0, 1.0]], "float32")[..., np.newaxis]
    row = np.array(prepare_image(image, size=4))[0, :, 0]
    between = np.array([0.0, 0.25, 0.75, 1.0])
    np.testing.assert_allclose(row, (between - 0.5) / between.std(), atol=1e-5)


def test_images_are_prepared_in_pairs_with_their_labels() -> None:
    images, labels = some_digits(3)
    expected = prepare_image(images)
    prepared, same = prepare_pair(images, labels)
    pairs = list(prepared_one_by_one(images, labels))

    np.testing.assert_array_equal(prepared, expected)
    np.testing.assert_array_equal(same, labels)
    np.testing.assert_allclose([x for x, _ in pairs], expected, atol=1e-5)
    assert [y for _, y in pairs] == labels.tolist()


@pytest.mark.parametrize("batch_size", [1, 100])
def test_every_pipeline_gives_the_same_batches(batch_size: int) -> None:
    images, labels = some_digits(10)
    found = pipelines(images, labels, batch_size)

    for dataset in found.values():
        for _ in range(2):  # a cache is read the second time
            batches = list(dataset.as_numpy_iterator())
            assert {len(y) for _, y in batches[:-1]} <= {batch_size}
            np.testing.assert_array_equal(
                np.concatenate([y for _, y in batches]), labels
            )
            x = np.concatenate([x for x, _ in batches])
            np.testing.assert_allclose(x, prepare_image(images), atol=1e-4)
    assert list(found) == [
        *("a Python generator", "map", "parallel map", "batch, then map"),
        *("cache", "prefetch"),
    ]


def test_images_are_prepared_once_with_a_cache_and_in_batches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepared = tf.Variable(0)

    def counted(image: tf.Tensor) -> tf.Tensor:
        prepared.assign_add(1)
        return image

    monkeypatch.setattr(reading, "prepare_image", counted)
    images, labels = np.ones((6, 32, 32, 1), "float32"), np.arange(6)
    calls = {}
    for name, dataset in pipelines(images, labels, batch_size=2).items():
        prepared.assign(0)
        for _ in range(2):
            assert sum(len(y) for _, y in dataset) == 6
        calls[name] = int(prepared)

    assert list(calls.values()) == [12, 12, 12, 6, 3, 0]  # the last two share a cache


@pytest.mark.parametrize(("batch_size", "count"), [(0, 3), (2.5, 3), (4, 2)])
def test_a_pipeline_of_nonsense_is_refused(batch_size: Any, count: int) -> None:
    message = f"batch_size={batch_size}, 3 images and {count} labels"
    with pytest.raises(ValueError, match=message):
        pipelines(np.zeros((3, 8, 8, 1)), np.zeros(count), batch_size)


def test_a_dataset_is_read_once_and_summed() -> None:
    seen: list[int] = []

    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        seen.append(int(x))
        return 10 * x + y

    dataset = tf.data.Dataset.from_tensor_slices(([1, 2], [3, 4]))
    read = read_through(dataset, step)

    assert seen == []
    assert read() == 37.0
    assert seen == [1, 2]
    assert read_through(dataset.take(0), step)() == 0
    assert read_through(tf.data.Dataset.range(4), lambda x: x)() == 6.0


@pytest.mark.parametrize("batches", [slow_batches, fast_batches])
def test_images_are_enlarged_and_keep_their_labels(batches: Any) -> None:
    images, labels = some_digits(40)
    for _ in range(2):
        found = list(batches(images, labels).as_numpy_iterator())
        assert [len(y) for _, y in found] == [32, 8]
        y = np.concatenate([y for _, y in found])
        x = np.concatenate([x for x, _ in found])
        order = [
            int(
                np.argmin(
                    np.abs(tf.image.resize(images, (32, 32)) - each).sum((1, 2, 3))
                )
            )
            for each in x
        ]
        assert sorted(order) == list(range(40))
        np.testing.assert_array_equal(y, labels[order])


def test_fast_batches_prepare_once_and_in_another_order_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    count, resize = tf.Variable(0), tf.image.resize

    def counted(image: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
        with tf.control_dependencies([count.assign_add(1)]):
            return tf.identity(resize(image, size))

    monkeypatch.setattr(tf.image, "resize", counted)
    images, labels = np.ones((40, 8, 8, 1), "float32"), np.arange(40)
    dataset = fast_batches(images, labels)
    epochs = [np.concatenate([y for _, y in dataset]) for _ in range(3)]
    assert int(count) == 40
    assert not np.array_equal(epochs[1], epochs[2])
    assert np.array_equal(np.sort(epochs[2]), labels)


# Memory


def test_a_recomputed_block_computes_and_learns_as_the_block_does() -> None:
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(4, activation="tanh") for _ in range(3)]
    block = keras.Sequential(layers)
    wrapped = Recomputed(block)
    x = tf.constant(np.random.default_rng(0).random((5, 3), "float32"))
    wrapped(x)  # variables are made outside of the tape
    found = []
    for call in (block, wrapped):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = call(x)
            loss = tf.reduce_sum(y**2)
        sources = [x, *block.trainable_variables]
        found.append([y, *tape.gradient(loss, sources)])

    assert largest_difference(*found) < 1e-6
    assert wrapped.trainable_variables == block.trainable_variables


def test_a_recomputed_block_learns_statistics_without_a_gradient_too() -> None:
    normalize = keras.layers.BatchNormalization(momentum=0.0)
    x = tf.constant([[1.0], [3.0]])

    Recomputed(normalize)(x, training=True)

    assert np.array_equal(normalize.moving_mean, [2.0])


class Attention(keras.layers.Layer):
    """A custom layer that holds layers, one of them twice random."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.MultiHeadAttention(2, 4, dropout=0.5)
        self.noise = keras.layers.GaussianNoise(0.5)

    def call(self, x: Any, training: bool | None = None) -> Any:
        noisy = self.noise(x, training=training)
        return x + self.inner(noisy, noisy, training=training)


BLOCKS = {
    "normalization": [keras.layers.Dense, keras.layers.BatchNormalization],
    "dropout": [keras.layers.Dense, keras.layers.Dropout],
    "custom": [keras.layers.Dense, Attention],
}


def trained_block(
    wrap: Callable[[keras.Layer], keras.Layer], kind: str, **compiled: Any
) -> tuple[list[float], list[Any], Any]:
    """Fit a model around a block; return losses, weights and what it predicts."""
    keras.utils.set_random_seed(0)
    options = {
        keras.layers.Dense: {"units": 6, "kernel_regularizer": "l2"},
        keras.layers.BatchNormalization: {"momentum": 0.5},
        keras.layers.Dropout: {"rate": 0.5},
    }
    block = keras.Sequential(
        [layer(**options.get(layer, {})) for layer in BLOCKS[kind]]
    )
    inputs = keras.Input((5, 6))
    x = keras.layers.GlobalAveragePooling1D()(wrap(keras.Sequential([block]))(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    x = np.random.default_rng(0).normal(3.0, 2.0, (32, 5, 6))
    model.compile("adam", "mse", **compiled)
    options = {"sample_weight": np.arange(32.0), "epochs": 2, "batch_size": 8}
    history = model.fit(x, x[:, 0, 0], verbose=0, **options)
    return history.history["loss"], model.get_weights(), model.predict(x, verbose=0)


@pytest.mark.parametrize(
    ("kind", "compiled"),
    [*((kind, {}) for kind in BLOCKS), ("dropout", {"run_eagerly": True})],
)
def test_a_recomputed_block_trains_as_the_block_does(
    kind: str, compiled: dict[str, bool]
) -> None:
    plain = trained_block(lambda layer: layer, kind, **compiled)
    recomputed = trained_block(Recomputed, kind, **compiled)

    for expected, found in zip(plain, recomputed, strict=True):
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)


def test_a_recomputed_block_refuses_a_mask() -> None:
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Masking()])
    with pytest.raises(ValueError, match="Expected no mask"):
        model.add(Recomputed(keras.layers.LSTM(2)))


def test_a_recomputed_block_refuses_a_loss_of_its_call() -> None:
    layer = Recomputed(keras.layers.Dense(2, activity_regularizer="l2"))
    with pytest.raises(ValueError, match="adds no loss in its `call`"):
        layer(np.ones((4, 3)))


def test_a_recomputed_block_runs_forward_again_for_its_gradient() -> None:
    calls: list[str] = []

    class Noting(keras.layers.Layer):
        def call(self, x: Any) -> Any:
            calls.append("call")
            return 2.0 * x

    layer = Recomputed(Noting())
    x = tf.Variable([1.0])
    with tf.GradientTape() as tape:
        y = layer(x)
    calls.clear()
    tape.gradient(y, x)
    assert calls == ["call"]


def test_a_program_of_its_own_loads_recomputed_blocks(tmp_path: Path) -> None:
    model = deep_cnn(num_blocks=1, wrapper=Recomputed)
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).random((3, 32, 32, 3), "float32")
    np.save(tmp_path / "images.npy", images)
    program = f"""
deep_cnn_step(4, num_blocks=1, wrapper=Recomputed)()
model = keras.saving.load_model({str(tmp_path / "model.keras")!r})
scores = model(np.load({str(tmp_path / "images.npy")!r}))
np.save({str(tmp_path / "scores.npy")!r}, scores)
"""

    peaks = peak_memories(memory_preparation(), {"a step": program}, repeats=1)

    assert peaks["a step"][0] > 0
    np.testing.assert_allclose(
        np.load(tmp_path / "scores.npy"), model(images), atol=1e-5
    )


@pytest.mark.parametrize("num_blocks", [1, 3])
def test_a_deep_network_has_as_many_blocks(num_blocks: int) -> None:
    model = deep_cnn(num_blocks)
    sizes = [3 * 3 * 3 * 8 + 8, *(4 * num_blocks - 1) * [3 * 3 * 8 * 8 + 8], 90]
    assert model.count_params() == sum(sizes)


def test_a_policy_is_that_of_the_convolutions_alone() -> None:
    model = deep_cnn(1, policy="mixed_bfloat16")
    names = [layer.compute_dtype for layer in model.layers[1].layers]
    assert names == ["bfloat16"] * 4
    assert model.output.dtype == "float32"


@pytest.mark.parametrize("num_blocks", [0, 1.5, None])
def test_no_block_is_refused(num_blocks: Any) -> None:
    with pytest.raises(ValueError, match=f"num_blocks={num_blocks}"):
        deep_cnn(num_blocks)


def test_a_step_is_nearly_the_same_in_float16() -> None:
    plain = deep_cnn_step(batch_size=8, num_blocks=1)
    small = deep_cnn_step(batch_size=8, num_blocks=1, policy="mixed_float16")

    losses = [plain() for _ in range(3)]
    assert [small() for _ in range(3)] == pytest.approx(losses, rel=2e-3)
    assert losses[2] < losses[0]


def test_a_batch_in_parts_makes_the_updates_of_the_whole_batch() -> None:
    losses = []
    for parts in (1, 2, 4):
        step = deep_cnn_step(batch_size=8, parts=parts, num_blocks=1)
        losses.append([step() for _ in range(3)])

    assert losses[0][2] < losses[0][0]
    np.testing.assert_allclose(losses[1:], losses[:1] * 2, rtol=1e-5)


def test_only_float16_has_its_loss_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[tuple[str, bool]] = []

    def compile_model(model: Any, optimizer: Any, *_: Any, jit_compile: bool) -> None:
        compiled.append((type(optimizer).__name__, jit_compile))

    monkeypatch.setattr(keras.Model, "compile", compile_model)
    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        deep_cnn_step(8, num_blocks=1, policy=policy)
    deep_cnn_step(8, num_blocks=1, jit_compile=True)
    assert compiled == [
        *(("SGD", False), ("SGD", False), ("LossScaleOptimizer", False)),
        ("SGD", True),
    ]


@pytest.mark.parametrize(("batch_size", "parts"), [(8, 3), (8, 0), (0, 1), (8, 1.5)])
def test_a_batch_that_cannot_be_cut_is_refused(batch_size: Any, parts: Any) -> None:
    with pytest.raises(ValueError, match=f"batch_size={batch_size} and parts={parts}"):
        deep_cnn_step(batch_size, parts)


# Functions


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_gradient_is_turned_around(dtype: str, jit_compile: bool) -> None:
    x = tf.constant([[1.0, -2.0], [0.5, 3.0]], dtype)

    @tf.function(jit_compile=jit_compile, autograph=False)
    def gradients(x: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = reverse_gradient(x * x)
            loss = tf.reduce_sum(3.0 * y)
        return y, tape.gradient(loss, x)

    y, gradient = gradients(x)
    np.testing.assert_array_equal(y, x * x)
    np.testing.assert_array_equal(gradient, -6.0 * x)


def test_a_step_is_timed_on_the_pipeline_and_on_one_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock is the number of batches that were prepared."""
    prepared: list[int] = []

    def prepare(number: np.ndarray) -> np.ndarray:
        prepared.append(int(number))
        return np.float32(number)

    def batch(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        x = tf.numpy_function(prepare, [number], tf.float32)
        x = tf.ensure_shape(x, ())
        return tf.fill([5, 4], x), tf.fill([5, 1], x)

    dataset = tf.data.Dataset.range(3).map(batch)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    monkeypatch.setattr(steps.time, "perf_counter", lambda: float(len(prepared)))

    found = seconds_per_step(model, dataset, steps=10)

    assert list(found) == ["pipeline", "one batch"]
    assert 1.0 <= found["pipeline"] < 2.0  # it may be read ahead
    assert found["one batch"] < 0.2
    assert int(model.optimizer.iterations) == 40


def test_every_size_of_batch_is_met_before_it_is_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """XLA compiles a program of its own for a smaller last batch."""
    x = np.ones((10, 4), "float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :1])).batch(4)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    read_at = []

    def clock() -> float:
        read_at.append(int(model.optimizer.iterations))
        return 0.0

    monkeypatch.setattr(steps.time, "perf_counter", clock)
    seconds_per_step(model, dataset, steps=3)

    assert read_at == [3, 6, 9, 12]


def test_numbers_are_doubled_in_every_language() -> None:
    for dataset in python_in_a_map(4).values():
        assert [*dataset.as_numpy_iterator()] == [0.0, 2.0, 4.0, 6.0]


def test_a_new_python_number_is_traced_at_every_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    traced: list[str] = []
    monkeypatch.setattr(tf, "tanh", lambda x: traced.append("tanh") or x)
    actions = calls_of_a_function(tf.constant([1.0, 2.0]))

    counts = {}
    for name, action in actions.items():
        traced.clear()
        assert [action() for _ in range(4)] == [3.0] * 4
        counts[name] = len(traced)
    assert counts == {"a tensor": 10, "a new number": 40}


# Devices


def vectors() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
    return x, np.arange(128) % 10


def by_plain_fit() -> list[Any]:
    keras.utils.set_random_seed(0)
    softmax = keras.layers.Dense(10, "softmax")
    model = keras.Sequential([keras.Input((8,)), softmax])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*vectors(), batch_size=64, shuffle=False, verbose=0)
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


@pytest.mark.tensorflow
@pytest.mark.parametrize("train", [fit_on_mirrors, fit_in_parallel])
def test_one_device_trains_as_without_a_distribution(train: Any) -> None:
    keras.utils.set_random_seed(0)
    model = train(*vectors())
    found = [keras.ops.convert_to_numpy(weight) for weight in model.weights]
    assert largest_difference(found, by_plain_fit()) < 1e-6


TWO_DEVICES = """
import json, sys
import numpy as np
if {split}:
    import tensorflow as tf
    [processor] = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, two)
import keras
from snippets.performance import {name}
x = np.random.default_rng(0).normal(size=(128, 8)).astype("float32")
y = np.arange(128) % 10
keras.utils.set_random_seed(0)
model = {name}(x, y)
weights = [keras.ops.convert_to_numpy(weight).tolist() for weight in model.weights]
try:
    {name}(x[:81], y[:81])
    error = "no error"
except Exception as raised:
    error = f"{{type(raised).__name__}}: {{raised}}"
print(json.dumps([len(keras.distribution.list_devices()), weights, error]))
"""


def on_two_devices(recipe: Any) -> Any:
    split = keras.backend.backend() == "tensorflow"
    program = TWO_DEVICES.format(name=recipe.__name__, split=split)
    variables = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    return json.loads(run_python(program, variables, timeout=600).splitlines()[-1])


@pytest.mark.tensorflow
def test_mirrors_reach_the_weights_of_one_device() -> None:
    devices, weights, _ = on_two_devices(fit_on_mirrors)
    assert devices == 2
    assert largest_difference(weights, by_plain_fit()) < 1e-6


def test_a_parallel_fit_reaches_the_weights_of_one_device() -> None:
    """On JAX by two devices, which refuse to share 17 examples."""
    devices, weights, error = on_two_devices(fit_in_parallel)
    assert devices == 2
    assert largest_difference(weights, by_plain_fit()) < 1e-6
    if keras.backend.backend() == "jax":
        assert error.startswith("IndivisibleError: ")
        assert "array axis 0 is partitioned 2 times, but the dimension size is 17" in (
            error
        )
    else:
        assert error == "no error"


# Replicas


def test_the_step_of_one_replica_is_that_of_keras() -> None:
    images, labels = some_digits(30)
    plain, model = (functional_cnn((8, 8, 1), 10) for _ in range(2))
    model.set_weights(plain.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    plain.compile(keras.optimizers.Adam(0.01), loss, jit_compile=False)
    optimizer = keras.optimizers.Adam(0.01)
    optimizer.build(model.trainable_variables)
    step = replica_step(ONE_DEVICE, model, optimizer)

    for size in (30, 17):
        expected = float(plain.train_on_batch(images[:size], labels[:size]))
        assert float(step(images[:size], labels[:size])) == pytest.approx(
            expected, rel=1e-4
        )
    assert largest_difference(model.get_weights(), plain.get_weights()) < 1e-5


@functools.cache
def by_fit() -> list[Any]:
    return fit_on_replicas(ONE_DEVICE, *some_digits(48), 2, 20, jit_compile=False)


def test_the_loop_ends_where_fit_ends() -> None:
    by_loop = train_on_replicas(ONE_DEVICE, *some_digits(48), epochs=2, batch_size=20)
    keras.utils.set_random_seed(0)
    before = functional_cnn((8, 8, 1), 10).get_weights()
    assert largest_difference(by_loop, by_fit()) < 1e-5
    assert largest_difference(by_loop, before) > 1e-2


def test_the_loop_goes_on_from_its_backup(tmp_path: Path) -> None:
    data, steps = some_digits(48), []
    backup = str(tmp_path / "backup")
    train_on_replicas(ONE_DEVICE, *data, 1, 20, backup, steps.append)
    resumed = train_on_replicas(ONE_DEVICE, *data, 2, 20, backup, steps.append)

    assert steps == [1, 2, 3] * 2  # not six steps after the restart
    assert largest_difference(resumed, by_fit()) < 1e-5


def test_fit_goes_on_from_its_backup(tmp_path: Path) -> None:
    data, steps = (*some_digits(48), 2, 20), []

    def stop(step: int) -> None:
        steps.append(step)
        if step == 4:  # the first of the second epoch
            raise KeyboardInterrupt

    backup, options = str(tmp_path / "backup"), {"jit_compile": False}
    with pytest.raises(KeyboardInterrupt):
        fit_on_replicas(ONE_DEVICE, *data, backup, stop, **options)
    assert steps == [1, 2, 3, 4]
    steps.clear()
    resumed = fit_on_replicas(ONE_DEVICE, *data, backup, steps.append, **options)

    assert steps == [1, 2, 3]
    assert largest_difference(resumed, by_fit()) == 0.0


@pytest.mark.parametrize(("epochs", "batch_size"), [(0, 32), (1, 0)])
def test_no_training_is_refused(epochs: int, batch_size: int) -> None:
    with pytest.raises(
        ValueError, match=f"epochs={epochs} and batch_size={batch_size}"
    ):
        train_on_replicas(ONE_DEVICE, *some_digits(), epochs, batch_size)


def raising(text: str) -> Any:
    def action() -> None:
        raise KeyError(text) if text == "key" else ValueError(text)

    return action


def test_an_error_is_one_line() -> None:
    assert error_of(lambda: None) == "no error"
    assert error_of(raising("key")) == "KeyError: 'key'"
    assert error_of(raising("\nfirst\n\n  middle\nlast  \n")) == (
        "ValueError: first ... last"
    )
    assert error_of(raising("first\nlast")) == "ValueError: first ... last"


def test_the_largest_difference_is_found_in_any_array() -> None:
    first = [np.zeros((2, 2)), [1.0, 2.0]]
    assert largest_difference(first, first) == 0.0
    assert largest_difference(first, [np.full((2, 2), -0.25), [1.0, 2.0]]) == 0.25
    assert largest_difference(first, [np.zeros((2, 2)), [1.0, 5.0]]) == 3.0
    assert np.isnan(largest_difference(first, [np.full((2, 2), np.nan), [1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"shapes \[\(2, 2\), \(2,\)\]\. Received"):
        largest_difference(first, [np.zeros((2, 2)), [1.0]])


@pytest.mark.parametrize("num_workers", [0, 1.5])
def test_no_worker_is_refused(num_workers: Any) -> None:
    with pytest.raises(ValueError, match=f"num_workers={num_workers}"):
        cluster_variables(num_workers)


def test_keras_2_runs_the_script_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run(
        programs: list[str], variables: list[dict[str, str]], timeout: float
    ) -> Any:
        seen.extend([programs, variables, timeout])
        return ["a notice of TensorFlow\n[1, 2]"]

    monkeypatch.setattr(replicas, "run_together", run)

    found = run_script("[1, 2]", *some_digits(3), "one device", "tf_keras", timeout=7)
    assert found == [[1, 2]]
    [[program], variables, timeout] = seen
    assert "import tf_keras as keras" in program
    assert (variables, timeout) == ([{"TF_USE_LEGACY_KERAS": "1"}], 7)


def test_two_workers_run_the_same_script_in_their_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def run(programs: list[str], variables: list[dict[str, str]], _: float) -> Any:
        assert programs[0] == programs[1]
        assert "strategy = tf.distribute.MultiWorkerMirroredStrategy()" in programs[0]
        return [json.dumps(json.loads(each["TF_CONFIG"])["task"]) for each in variables]

    monkeypatch.setattr(replicas, "run_together", run)

    places = run_script("1", *some_digits(3), "two workers")
    assert places == [{"type": "worker", "index": index} for index in (0, 1)]


def test_another_place_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'two devices', 'two workers'.*'the moon'"):
        run_script("1", *some_digits(3), "the moon")
    assert list(STRATEGIES) == ["one device", "two devices", "two workers"]

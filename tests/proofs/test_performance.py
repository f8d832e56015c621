"""Proofs of the guide to performance, memory and several devices.

No clock decides: mechanisms are counted, and times are measured elsewhere. The program
for two devices is started once, for all proofs about them.
"""

import cProfile
import functools
import glob
import importlib.metadata
import json
import pstats
import re
import tempfile
import threading
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

LIMIT = 900


def small_model(**options):
    """A compiled model whose step hardly computes anything."""
    layers = [keras.layers.Dense(8, activation="relu"), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    model.compile("sgd", "mse", **options)
    return model


def small_batches(count=32):
    features, labels = np.ones((4 * count, 4), "float32"), np.ones((4 * count, 2))
    return tf.data.Dataset.from_tensor_slices((features, labels)).batch(4)


@proves(
    "Rarely for speed: `fit` already compiles the step, can run 32 steps in one call "
    "and takes a `tf.data` pipeline that reads ahead.",
    false_with={"steps": 1},
)
def test_fit_takes_all_of_it(steps=32):
    model, heard = small_model(steps_per_execution=steps, jit_compile=False), []
    listener = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    batches = small_batches(64).cache().prefetch(2)
    model.fit(batches, epochs=2, callbacks=[listener], verbose=0)
    assert not model.run_eagerly
    assert int(np.array(model.optimizer.iterations)) == 128
    assert len(heard) == 4


# What a GPU changes


@proves(
    '`[]` from `tf.config.list_physical_devices("GPU")` means that TensorFlow sees no '
    "GPU.",
    false_with={"kind": "CPU"},
)
def test_no_gpu_is_an_empty_list(kind="GPU"):
    assert tf.config.list_physical_devices(kind) == []


def compiles_by_xla(kinds, *layers, **options):
    """Whether a model compiles its step by XLA, where there are these devices."""
    devices = [
        tf.config.PhysicalDevice(f"/physical_device:{kind}:0", kind) for kind in kinds
    ]

    def listed(device_type=None):
        return [d for d in devices if device_type in (None, d.device_type)]

    with mock.patch.object(tf.config, "list_physical_devices", listed):
        model = keras.Sequential([*layers, keras.layers.Dense(2)])
        model.compile("sgd", "mse", **options)
        model.build((None, 4))
        return bool(model.jit_compile)


class NoXLA(keras.layers.Layer):
    """A layer that says that XLA cannot compile it."""

    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, x):
        return x


@proves(
    'On TensorFlow, `jit_compile="auto"`, the default of Keras 3, compiles a step '
    "by XLA if there is an accelerator and all layers allow it; on a CPU alone, "
    "on an Apple GPU, or under a `tf.distribute` strategy, it does not.",
    false_with={"kinds": ("CPU",)},
    needs="keras>=3",
)
def test_auto_asks_for_an_accelerator(kinds=("CPU", "GPU")):
    assert compiles_by_xla(kinds)
    assert not compiles_by_xla(["CPU"])
    assert not compiles_by_xla(kinds, NoXLA())
    with (
        mock.patch("platform.system", return_value="Darwin"),
        mock.patch("platform.processor", return_value="arm"),
    ):
        assert not compiles_by_xla(kinds)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert not compiles_by_xla(kinds)


@proves(
    'On JAX, `"auto"` compiles on a CPU too; on PyTorch, it never does.',
    false_with={"backends": ("tensorflow", "torch")},
    needs="keras>=3",
)
def test_auto_differs_by_backend(backends=("jax", "torch")):
    """Keras only asks itself for its backend, so another one may be named."""
    model, found = small_model(), []
    for name in backends:
        with mock.patch("keras.src.backend.backend", lambda name=name: name):
            found.append(model._resolve_auto_jit_compile())
    assert found == [True, False]


# What the training waits for


@proves(
    "`seconds_per_step` calls `fit`, so it trains the model: build the model anew "
    "afterwards.",
    false_with={"learning_rate": 0.0},
    needs="keras>=3",
)
def test_timing_trains_the_model(learning_rate=0.1):
    from snippets.performance import seconds_per_step

    model = small_model()
    model.optimizer.learning_rate = learning_rate
    before = model.get_weights()
    seconds_per_step(model, small_batches(4), steps=2)
    assert distance(model.get_weights(), before) > 0.0


@proves(
    "If the pipeline has a `cache`, run one epoch first; else you time how the "
    "cache is filled.",
    false_with={"epochs": 1},
    needs="keras>=3",
)
def test_a_cache_is_filled_first(epochs=0):
    from snippets.performance import seconds_per_step

    model, counted = small_model(), Counted()
    batches = small_batches(64).map(lambda x, y: (counted(x), y)).cache()
    for _ in range(epochs):
        model.fit(batches, shuffle=False, verbose=0)
    counted.in_tensorflow.assign(0)
    seconds_per_step(model, batches, steps=4)
    assert int(counted.in_tensorflow) > 4


@proves(
    "A `shuffle` without a `cache` before it fills its buffer within the timed "
    "steps: leave it out while you time.",
    false_with={"buffer": 1},
    needs="keras>=3",
)
def test_a_shuffle_fills_its_buffer(buffer=60):
    from snippets.performance import seconds_per_step

    counted = Counted()
    batches = small_batches(32).unbatch().map(lambda x, y: (counted(x), y))
    model = small_model()
    seconds_per_step(model, batches.shuffle(buffer).batch(4), steps=1)
    assert int(counted.in_tensorflow) >= 2 * buffer  # in two of four calls of `fit`
    assert int(counted.in_tensorflow) > 100


@proves(
    "If you give `fit` arrays, pass "
    "`tf.data.Dataset.from_tensor_slices((x, y)).batch(32)`.",
    false_with={"size": 16},
    needs="keras>=3",
)
def test_arrays_become_a_dataset(size=32):
    """It trains as the arrays do, and it is timed."""
    from snippets.performance import seconds_per_step

    x = np.random.default_rng(0).normal(size=(100, 4)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, x[:, :2])).batch(size)
    weights = []
    for data in ((dataset,), (x, x[:, :2], 32)):
        keras.utils.set_random_seed(0)
        model = small_model()
        model.fit(*data, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert distance(*weights) < 1e-5
    assert len(seconds_per_step(model, dataset, steps=1)) == 2


@proves(
    "For the second row, call `seconds_per_step` again with a quarter of the batch "
    "size, such as `batches.unbatch().batch(8)` for batches of 32, and compare the "
    '`"one batch"` of both calls.',
    false_with={"size": 16},
    needs="keras>=3",
)
def test_a_quarter_of_the_batch(size=8):
    from snippets.performance import seconds_per_step

    x = np.arange(256.0, dtype="float32").reshape(64, 4)
    batches = tf.data.Dataset.from_tensor_slices((x, x[:, :2])).batch(32)
    quarter = batches.unbatch().batch(size)
    pixels, _ = next(iter(quarter))
    assert np.array_equal(pixels, x[:8])
    assert list(seconds_per_step(small_model(), quarter, steps=1)) == [
        "pipeline",
        "one batch",
    ]


# A pipeline


class CountedCalls(keras.layers.Layer):
    """A layer that counts how often Python passes through it."""

    python_calls = 0

    def call(self, x):
        CountedCalls.python_calls += 1
        return x


def python_calls_of_the_second_epoch(**options):
    model = keras.Sequential([keras.Input((4,)), CountedCalls(), keras.layers.Dense(2)])
    model.compile("sgd", "mse", **options)
    model.fit(small_batches(8), verbose=0)
    CountedCalls.python_calls = 0
    model.fit(small_batches(8), verbose=0)
    return CountedCalls.python_calls


@proves(
    "The second call replaces the first: for both, pass both arguments to one call.",
    false_with={"kinds": ("CPU",)},
    needs="keras>=3",
)
def test_xla_and_many_steps_work_together(kinds=("CPU", "GPU")):
    """And on a CPU they end with the weights that one step at a time ends with."""
    assert compiles_by_xla(kinds, steps_per_execution=32)
    model = small_model(jit_compile=True)
    model.compile("sgd", "mse", steps_per_execution=32)
    assert not model.jit_compile  # on a CPU
    weights, heard = [], []
    listener = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    for options in ({"jit_compile": True, "steps_per_execution": 32}, {}):
        keras.utils.set_random_seed(0)
        model = small_model(**options)
        model.fit(small_batches(64), callbacks=[listener], shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert len(heard) == 2 + 64
    assert distance(*weights) < 1e-5
    model = keras.Sequential([keras.Input((4,)), AsStrings(), keras.layers.Dense(2)])
    model.compile("sgd", "mse", jit_compile=True, steps_per_execution=32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="unsupported operations"):
        model.fit(small_batches(32), verbose=0)


@proves(
    "`run_eagerly=True` | Python runs in every step | for debugging",
    false_with={"eagerly": False},
)
def test_eager_runs_python_in_every_step(eagerly=True):
    assert python_calls_of_the_second_epoch(run_eagerly=eagerly) == 8


@proves(
    "`steps_per_execution=32` | one call makes 32 steps, the last call of an epoch "
    "the rest; callbacks for batches run once for each call | for small steps, on "
    "TensorFlow; on JAX it saves only calls of callbacks",
    false_with={"steps": 1},
    keras="!=3.4.*,!=3.6.*",
)
def test_callbacks_hear_of_32_steps_once(steps=32):
    for count, calls in ((64, 2), (70, 3)):
        model, heard = small_model(steps_per_execution=steps), []
        listener = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs, heard=heard: heard.append(batch)
        )
        model.fit(small_batches(count), callbacks=[listener], verbose=0)
        assert len(heard) == calls
        assert int(np.array(model.optimizer.iterations)) == count


@proves(
    "`jit_compile=True` | XLA compiles the step; what it cannot compile, such as "
    "`tf.py_function`, is an error or a warning | on a CPU, for large steps; on a "
    "GPU it is the default, so compare with `False`",
    false_with={"jit_compile": False},
    needs="keras>=3",
)
def test_xla_refuses_a_py_function(jit_compile=True):
    def in_python(x):
        y = tf.py_function(tf.identity, [x], tf.float32)
        return tf.ensure_shape(y, [None, 4])

    class InPython(keras.layers.Layer):
        def call(self, x):
            return in_python(x)

        def compute_output_shape(self, shape):
            return shape

    layers = [keras.Input((4,)), InPython(), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse", jit_compile=jit_compile)
    with pytest.raises(tf.errors.InvalidArgumentError, match="EagerPyFunc"):
        model.fit(small_batches(2), verbose=0)
    model = keras.Sequential([keras.Input((4,)), NoXLA(), keras.layers.Dense(2)])
    with pytest.warns(UserWarning, match="Model doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=jit_compile)
    model.fit(small_batches(2), verbose=0)
    assert compiles_by_xla(("CPU", "GPU"))
    assert not compiles_by_xla(("CPU", "GPU"), jit_compile=False)


@proves(
    "None of the six pipelines shuffles, so all give the same batches.",
    false_with={"shuffled": True},
    needs="keras>=3",
)
def test_six_pipelines_give_the_same_batches(shuffled=False):
    from snippets.performance.reading import pipelines, prepare_image

    images = np.random.default_rng(0).random((10, 8, 8, 1), "float32")
    found = pipelines(images, np.arange(10), batch_size=4)
    assert len(found) == 6
    for dataset in found.values():
        if shuffled:
            dataset = dataset.shuffle(3, seed=0)
        batches = list(dataset.as_numpy_iterator())
        assert [len(labels) for _, labels in batches] == [4, 4, 2]
        pixels = np.concatenate([pixels for pixels, _ in batches])
        assert np.allclose(pixels, prepare_image(images), atol=1e-4)


class Counted:
    """Identity, which counts how often TensorFlow and how often Python runs it."""

    def __init__(self):
        self.in_python, self.in_tensorflow = 0, tf.Variable(0)

    def __call__(self, x):
        self.in_python += 1
        with tf.control_dependencies([self.in_tensorflow.assign_add(1)]):
            return tf.identity(x)


def read(dataset, times=1):
    for _ in range(times):
        list(dataset.as_numpy_iterator())


@proves(
    "`map` makes TensorFlow operations of the function; the generator runs Python for "
    "every image.",
    false_with={"way": "generator"},
)
def test_a_map_is_traced_once(way="map"):
    mapped, generated = Counted(), Counted()
    spec = tf.TensorSpec((), tf.int64)
    datasets = {
        "map": tf.data.Dataset.range(6).map(mapped),
        "generator": tf.data.Dataset.from_generator(
            lambda: (generated(tf.constant(n, "int64")) for n in range(6)),
            output_signature=spec,
        ),
    }
    for dataset in datasets.values():
        read(dataset)
    counted = {"map": mapped, "generator": generated}[way]
    assert counted.in_python == 1
    assert int(counted.in_tensorflow) == 6
    assert generated.in_python == 6


@proves(
    "If your function takes a whole batch, call `map` after `batch`: `map` calls it "
    "once for a batch, in place of once for an image.",
    false_with={"batch_size": 1},
)
def test_map_after_batch_is_called_once_for_a_batch(batch_size=3):
    before, after = Counted(), Counted()
    read(tf.data.Dataset.range(6).map(before).batch(batch_size))
    read(tf.data.Dataset.range(6).batch(batch_size).map(after))
    assert (int(before.in_tensorflow), int(after.in_tensorflow)) == (6, 2)


@proves(
    "`cache` keeps what came before it: later epochs prepare nothing.",
    false_with={"cached": False},
)
def test_a_cache_prepares_once(cached=True):
    counted = Counted()
    dataset = tf.data.Dataset.range(6).map(counted)
    read(dataset.cache() if cached else dataset, times=3)
    assert int(counted.in_tensorflow) == 6


@proves(
    "If the prepared examples do not fit into memory, leave `cache()` out, and "
    "shuffle the names of the files before `map` reads them, so that the buffer of "
    "`shuffle` holds names alone.",
    false_with={"order": ("map", "shuffle")},
)
def test_names_are_shuffled(order=("shuffle", "map")):
    """The first of 60 files comes before half of them are read."""
    counted = Counted()
    steps = {
        "shuffle": lambda dataset: dataset.shuffle(60, seed=0),
        "map": lambda dataset: dataset.map(
            lambda name, label: (counted(tf.io.read_file(name)), label)
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        names = [str(Path(folder, str(number))) for number in range(60)]
        for number, name in enumerate(names):
            Path(name).write_text(str(number))
        dataset = tf.data.Dataset.from_tensor_slices((names, list(range(60))))
        for name in order:
            dataset = steps[name](dataset)
        next(iter(dataset))
        assert int(counted.in_tensorflow) < 30
        first, second = (
            [(int(a), int(b)) for a, b in dataset.as_numpy_iterator()] for _ in range(2)
        )
    assert first != second
    assert sorted(first) == sorted(second) == [(number, number) for number in range(60)]


@proves(
    "If one file holds many examples, write `shuffle(1000)` after the `map` that "
    'reads it, or after a `cache("file")` that keeps them on the disk: it holds '
    "1000 examples in memory, and `shuffle(len(x))` would hold all.",
    false_with={"cached": False},
)
def test_a_cache_in_a_file(cached=True):
    """A buffer is filled from the file, which prepares nothing again."""
    prepared, read_again = Counted(), Counted()
    with tempfile.TemporaryDirectory() as folder:
        dataset = tf.data.Dataset.range(2500).map(prepared)
        dataset = dataset.cache(f"{folder}/file") if cached else dataset
        read(dataset)
        assert list(Path(folder).iterdir())
        for buffer in (1000, 2500):
            read_again.in_tensorflow.assign(0)
            next(iter(dataset.map(read_again).shuffle(buffer)))
            assert buffer <= int(read_again.in_tensorflow) <= buffer + 100
    assert int(prepared.in_tensorflow) == 2500


@proves(
    "So small a buffer leaves data that is sorted by class nearly sorted: mix the file "
    "once beforehand.",
    false_with={"buffer": 10_000},
)
def test_a_small_buffer_leaves_the_order(buffer=1000):
    places = tf.data.Dataset.range(10_000).shuffle(buffer, seed=0).batch(10_000)
    classes = next(iter(places)).numpy() // 5000
    assert not classes[:4000].any()
    assert classes[7000:].mean() > 0.9


@proves(
    "`shuffle` comes after `cache`, so that each epoch has another order, and "
    "before `batch`: after it, the same examples would stay together.",
    false_with={"order": "shuffle, cache, batch"},
)
def test_each_epoch_has_its_order(order="cache, shuffle, batch"):
    steps = {
        "cache": lambda dataset: dataset.cache(),
        "shuffle": lambda dataset: dataset.shuffle(60, seed=0),
        "batch": lambda dataset: dataset.batch(6),
    }

    def epochs(order):
        dataset = tf.data.Dataset.range(60)
        for name in order.split(", "):
            dataset = steps[name](dataset)
        return [np.array(list(dataset.as_numpy_iterator())) for _ in range(2)]

    first, second = epochs(order)
    assert not np.array_equal(first, second)
    assert np.array_equal(np.sort(first.ravel()), np.arange(60))
    # After `batch` the same examples stay together.
    for epoch in epochs("cache, batch, shuffle"):
        assert sorted(epoch[:, 0]) == list(range(0, 60, 6))
    assert sorted(first[:, 0]) != list(range(0, 60, 6))


@proves(
    "Then write `cache`, `shuffle`, `batch`, `map`, `prefetch`. The function is "
    "then not cached, and runs in every epoch. Do not put a `cache` behind "
    "`shuffle`: it repeats the order of the first epoch.",
    false_with={"order": "shuffle, batch, map, cache, prefetch"},
)
def test_a_cache_keeps_the_order(order="cache, shuffle, batch, map, prefetch"):
    def epochs(order):
        counted = Counted()
        dataset = tf.data.Dataset.range(60)
        steps = {
            "cache": lambda dataset: dataset.cache(),
            "shuffle": lambda dataset: dataset.shuffle(60, seed=0),
            "batch": lambda dataset: dataset.batch(6),
            "map": lambda dataset: dataset.map(counted),
            "prefetch": lambda dataset: dataset.prefetch(2),
        }
        for name in order.split(", "):
            dataset = steps[name](dataset)
        found = [np.array(list(dataset.as_numpy_iterator())) for _ in range(2)]
        return found, int(counted.in_tensorflow)

    (first, second), calls = epochs(order)
    assert not np.array_equal(first, second)
    assert calls == 20
    (third, fourth), _ = epochs("shuffle, cache, batch, map, prefetch")
    assert np.array_equal(third, fourth)


@proves(
    "`prefetch` prepares the next elements while the step works on this one.",
    false_with={"ahead": None, "limit": 1},
)
def test_prefetch_reads_ahead(ahead=2, limit=60):
    """The step on the first element lasts until the third one was prepared."""
    third = threading.Event()

    def prepare(number):
        if number == 2:
            third.set()
        return number

    dataset = tf.data.Dataset.range(6)
    dataset = dataset.map(lambda x: tf.numpy_function(prepare, [x], tf.int64))
    iterator = iter(dataset.prefetch(ahead) if ahead else dataset)
    assert int(next(iterator)) == 0
    assert third.wait(limit), f"waited {limit} s for the third element"


@proves(
    "Whatever is random before `cache` is drawn once, and then the same in every "
    "epoch: augment in a second `map`, behind `shuffle`, before `batch` if it "
    "takes single images, after it if it takes batches.",
    false_with={"cache_first": True},
)
def test_a_cache_freezes_what_is_random(cache_first=False):
    generator = tf.random.Generator.from_seed(0)

    def noisy(x):
        return tf.cast(x, tf.float32) + generator.uniform([])

    def epochs(cache_first):
        dataset = tf.data.Dataset.range(6)
        dataset = (
            dataset.cache().map(noisy) if cache_first else dataset.map(noisy).cache()
        )
        return [list(dataset.as_numpy_iterator()) for _ in range(2)]

    first, second = epochs(cache_first)
    assert first == second
    third, fourth = epochs(cache_first=True)
    assert third != fourth


@functools.cache
def losses_of_a_deep_network(batch_size=8, parts=1, recomputed=False):
    from snippets.performance import Recomputed
    from snippets.performance.memory import deep_cnn_step

    options = {"wrapper": Recomputed} if recomputed else {}
    step = deep_cnn_step(batch_size, parts, num_blocks=1, **options)
    return [step() for _ in range(3)]


@proves(
    "Neither changes the losses of this network.",
    false_with={"batch_size": 16},
    needs="keras>=3",
)
def test_losses_stay_the_same(batch_size=8):
    whole = losses_of_a_deep_network(batch_size)
    for options in ({"parts": 4}, {"recomputed": True}):
        assert np.allclose(losses_of_a_deep_network(**options), whole, rtol=1e-4)


@proves(
    "It is for TensorFlow, and refuses a mask and an activity regularizer.",
    false_with={"regularizer": None},
    needs="keras>=3",
)
def test_recomputed_refuses(regularizer="l2"):
    from snippets.performance import Recomputed

    masked = keras.layers.Masking()(keras.Input((3, 2)))
    with pytest.raises(ValueError, match="Expected no mask"):
        Recomputed(keras.layers.LSTM(2))(masked)
    layer = keras.layers.Dense(2, activity_regularizer=regularizer)
    with pytest.raises(ValueError, match="adds no loss in its `call`"):
        Recomputed(layer)(np.ones((4, 3), "float32"))


@proves(
    'Keep the last layer in float32, with `dtype="float32"`, so that softmax and loss '
    "are computed in float32.",
    false_with={"dtype": None},
    needs="keras>=3",
)
def test_the_last_layer_in_float32(dtype="float32"):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        last = keras.layers.Dense(3, activation="softmax", dtype=dtype)
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), last])
        model.compile("sgd", "mse")
    finally:
        keras.config.set_dtype_policy("float32")
    assert model(np.ones((2, 4))).dtype == "float32"
    assert model.layers[0].compute_dtype == "float16"


@proves(
    "compute again | `Recomputed(block)` around a block of layers | one more forward "
    "pass",
    false_with={"recomputed": False},
    needs="keras>=3",
)
def test_recomputed_computes_again(recomputed=True):
    from snippets.performance import Recomputed

    calls = []

    class Noting(keras.layers.Layer):
        def call(self, x):
            calls.append("call")
            return x * x

    layer, x = Recomputed(Noting()) if recomputed else Noting(), tf.Variable([2.0])
    layer(x)
    calls.clear()
    with tf.GradientTape() as tape:
        y = layer(x)
    assert tape.gradient(y, x).numpy().tolist() == [4.0]
    assert len(calls) == 2


@proves(
    "Keras has `keras.remat` for this, from 3.9 on.",
    keras=">=3.9",
    false_with={"recomputed": False},
)
def test_remat_is_in_keras(recomputed=True):
    assert hasattr(keras, "remat")
    calls, x = [], tf.Variable(2.0)

    def block(x):
        calls.append("call")
        return x * x

    function = keras.remat(block) if recomputed else block
    with tf.GradientTape() as tape:
        y = function(x)
    assert len(calls) == 1
    assert float(tape.gradient(y, x)) == 4.0
    assert len(calls) == 2


def trained_with(wrap, *middle):
    """Weights after two epochs of a model with a block, wrapped or not.

    `middle` gives the layers in the block: a name and its arguments for each.
    """
    # In float64, since threads that sum in another order round float32 by 1e-5.
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_dtype_policy("float64")
    try:
        return train_in_this_policy(wrap, middle)
    finally:
        keras.mixed_precision.set_dtype_policy(policy)


def train_in_this_policy(wrap, middle):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,), dtype="float64")
    layers = [getattr(keras.layers, name)(*arguments) for name, *arguments in middle]
    block = keras.Sequential([keras.layers.Dense(8), *layers, keras.layers.Dense(8)])
    outputs = keras.layers.Dense(1)(wrap(block)(inputs))
    model = keras.Model(inputs, outputs)
    # At the rate of "sgd" the loss grows to 39,000, and a rounding with it to 0.03.
    model.compile(keras.optimizers.SGD(0.001), "mse")
    x = np.random.default_rng(0).normal(3.0, 2.0, (16, 4))
    model.fit(x, x[:, :1], batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()


def not_wrapped(block):
    return block


def remat(block):
    class Remat(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.block = block

        def call(self, x, training=None):
            return keras.remat(lambda x: self.block(x, training=training))(x)

    return Remat()


def distance(some, others):
    return max(np.abs(a - b).max() for a, b in zip(some, others, strict=True))


@proves(
    "`Recomputed` makes the second computation equal to the first, so that Dropout and "
    "BatchNormalization train as they do without it.",
    false_with={"rate": 0.4},
    needs="keras>=3",
)
def test_recomputed_trains_the_same(rate=0.5):
    from snippets.performance import Recomputed

    expected = trained_with(not_wrapped, ("Dropout", 0.5), ("BatchNormalization",))
    found = trained_with(Recomputed, ("Dropout", rate), ("BatchNormalization",))
    assert distance(found, expected) < 1e-5


@proves(
    "On TensorFlow, `keras.remat` draws another Dropout mask for the second "
    "computation, and updates the statistics of BatchNormalization twice.",
    false_with={"rate": 0.0},
    needs="keras>=3.9",
)
def test_remat_drops_other_values(rate=0.5):
    plain, again = (
        trained_with(wrap, ("Dropout", rate)) for wrap in (not_wrapped, remat)
    )
    assert distance(plain, again) > 1e-3


@proves(
    "On TensorFlow, `keras.remat` draws another Dropout mask for the second "
    "computation, and updates the statistics of BatchNormalization twice.",
    false_with={"wrap": not_wrapped},
    needs="keras>=3.9",
)
def test_remat_counts_statistics_twice(wrap=remat):
    layer, x = keras.layers.BatchNormalization(momentum=0.5), tf.fill((4, 1), 8.0)
    wrapped = wrap(layer)
    wrapped(x)
    with tf.GradientTape() as tape:
        y = wrapped(x, training=True)
    tape.gradient(y, layer.trainable_variables[0].value)
    # From 0, half of the way to 8, and half of the rest.
    assert float(layer.moving_mean[0]) == 6.0


@proves(
    "smaller numbers | on hardware for bfloat16, "
    '`keras.mixed_precision.set_dtype_policy("mixed_bfloat16")`, elsewhere '
    '`"mixed_float16"`; on Keras 2, `set_global_policy` | precision, and time on a '
    "CPU like ours; the weights stay float32",
    false_with={"policy": "float32"},
)
def test_mixed_precision_halves_activations(policy="mixed_bfloat16"):
    mixed = getattr(keras.mixed_precision, "set_dtype_policy", None)
    mixed = mixed or keras.mixed_precision.set_global_policy  # of Keras 2
    for name, half in ((policy, tf.bfloat16), ("mixed_float16", tf.float16)):
        mixed(name)
        try:
            layer = keras.layers.Dense(3)
        finally:
            mixed("float32")
        activations = layer(tf.ones([5, 2]))
        assert activations.dtype == half
        assert 2 * activations.dtype.size == tf.float32.size
        assert "float32" in str(layer.kernel.dtype)


@proves(
    "bfloat16 has the range of float32, so nothing has to be scaled: take it where the "
    "hardware computes it.",
    false_with={"dtype": "float16"},
)
def test_bfloat16_has_the_range_of_float32(dtype="bfloat16"):
    for number in (1e-37, 1e-8, 1e8, 1e38):
        assert np.isclose(float(tf.cast(number, dtype)), number, rtol=0.01, atol=0.0)


@proves(
    "In float16 a gradient of 0.00000001 becomes 0, unless the loss is multiplied by a "
    "scale.",
    false_with={"dtype": "bfloat16"},
)
def test_a_scale_saves_small_gradients(dtype="float16"):
    found, x = [], tf.constant(1.0)
    for scale in (1.0, 32768.0):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = scale * 1e-8 * tf.cast(tf.cast(x, dtype), "float32")
        found.append(float(tape.gradient(loss, x)) / scale)
    assert found[0] == 0.0
    assert np.isclose(found[1], 1e-8, rtol=0.01, atol=0.0)


@proves(
    "`compile()` scales the loss of a model that was built under `mixed_float16`: "
    "it wraps the optimizer in `keras.mixed_precision.LossScaleOptimizer`. It does "
    "not do so if only the layers have the policy, or if you set the policy after "
    "the model was built.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_the_policy_of_the_model_counts(policy="mixed_float16"):
    """Built under one policy, of layers of another one, and compiled under a third."""
    usual, found = str(keras.config.dtype_policy().name), []
    half = "mixed_float16"
    for built, of_layers, compiled in [
        (policy, None, policy),
        (policy, None, usual),
        (usual, half, usual),
        (usual, None, half),
    ]:
        keras.config.set_dtype_policy(built)
        try:
            layer = keras.layers.Dense(2, dtype=of_layers)
            model = keras.Sequential([keras.Input((4,)), layer])
            keras.config.set_dtype_policy(compiled)
            model.compile("sgd", "mse")
        finally:
            keras.config.set_dtype_policy(usual)
        found.append(type(model.optimizer).__name__)
    assert found == ["LossScaleOptimizer", "LossScaleOptimizer", "SGD", "SGD"]


def built_under(policy, *layers):
    """A model of the layers that these functions make, and then the usual policy."""
    keras.config.set_dtype_policy(policy)
    try:
        return keras.Sequential([keras.Input((4,)), *(make() for make in layers)])
    finally:
        keras.config.set_dtype_policy("float32")


@proves(
    "In a loop of your own, a model in float16 loses such gradients unless you "
    "wrap the optimizer and scale the loss. In bfloat16 the scale does no harm, so "
    "the same code serves both:",
    false_with={"half": "mixed_bfloat16"},
    needs="keras>=3",
)
def test_a_loop_scales_the_loss(half="mixed_float16"):
    assert np.isclose(moved_by_a_loop(half, scaled=True), 1.0, rtol=0.01)
    assert moved_by_a_loop(half, scaled=False) == 0.0
    for scaled in (True, False):
        assert np.isclose(moved_by_a_loop("mixed_bfloat16", scaled), 1.0, rtol=0.01)


def moved_by_a_loop(policy, scaled):
    """How far a step moves the weights, by a gradient of 1e-8 and a rate of 1e8."""
    model = built_under(policy, lambda: keras.layers.Dense(1))
    optimizer = keras.optimizers.SGD(1e8)
    if scaled:
        optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = 1e-8 * tf.reduce_sum(tf.cast(model(x, training=True), "float32"))
            if scaled:
                loss = optimizer.scale_loss(loss)
        weights = model.trainable_weights
        optimizer.apply(tape.gradient(loss, weights), weights)

    before = model.get_weights()[0]
    step(tf.ones([1, 4]))
    return float(np.mean(before - model.get_weights()[0]))


@proves(
    "A number above 65,504 is infinite in float16: `LossScaleOptimizer` skips the "
    "step, and halves its `dynamic_scale`. Give the layer where it happens "
    '`dtype="float32"`, or take bfloat16.',
    false_with={"largest": 6e4},
    needs="keras>=3",
)
def test_an_overflow_skips_every_step(largest=7e4):
    """The numbers are made large and small again between two layers."""
    assert float(tf.cast(65504.0, "float16")) == 65504.0
    assert np.isinf(float(tf.cast(largest, "float16")))
    found = {}
    for policy, of_layers in [
        ("mixed_float16", None),
        ("mixed_float16", "float32"),
        ("mixed_bfloat16", None),
    ]:
        model = built_under(
            policy,
            lambda of=of_layers: keras.layers.Rescaling(largest, dtype=of),
            lambda of=of_layers: keras.layers.Rescaling(1 / largest, dtype=of),
            lambda: keras.layers.Dense(2, dtype="float32"),
        )
        model.compile("sgd", "mse")
        before = model.get_weights()
        x = np.ones((8, 4), "float32")
        [loss] = model.fit(x, x[:, :2], batch_size=4, verbose=0).history["loss"]
        moved = distance(model.get_weights(), before)
        found[policy, of_layers] = (bool(np.isfinite(loss)), moved > 0.0)
        if not np.isfinite(loss):
            assert float(np.array(model.optimizer.dynamic_scale)) == 2.0**15 / 4
    assert list(found.values()) == [(False, False), (True, True), (True, True)]


@proves(
    "In bfloat16, numbers keep two to three digits: 256 + 1 stays 256.",
    false_with={"dtype": "float16"},
)
def test_bfloat16_keeps_few_digits(dtype="bfloat16"):
    assert float(tf.cast(256.0, dtype) + tf.cast(1.0, dtype)) == 256.0
    assert float(tf.cast(9.87, dtype)) != float(tf.cast(9.8, dtype))


@proves(
    "`tf.py_function` and `tf.numpy_function` call Python for every element; "
    "TensorFlow operations do not.",
    false_with={"wrapped": False},
)
def test_python_is_called_for_every_element(wrapped=True):
    counts = {"TensorFlow": 0, "numpy_function": 0, "py_function": 0}

    def doubled(name, x):
        counts[name] += 1
        return x + x

    def through(name, x):
        function = functools.partial(doubled, name)
        if name == "TensorFlow" or not wrapped:
            return function(x)
        return getattr(tf, name)(function, [x], tf.float32)

    numbers = tf.data.Dataset.range(6, output_type=tf.float32)
    for name in counts:
        read(numbers.map(functools.partial(through, name)))
    assert counts == {"TensorFlow": 1, "numpy_function": 6, "py_function": 6}


@proves(
    "A `tf.function` traces anew, which means that it runs your Python code again, "
    "for each new Python number among its arguments.",
    false_with={"number": tf.constant},
)
def test_each_new_number_is_traced(number=int):
    traces = []

    @tf.function(autograph=False)
    def double(x):
        traces.append(x)
        return 2 * x

    assert [int(double(number(n))) for n in (1, 2, 3, 1)] == [2, 4, 6, 2]
    assert len(traces) == 3


@proves(
    "Each call of `predict` makes a new pipeline and runs callbacks, whatever the size "
    "of its batch.",
    false_with={"way": "call"},
    needs="keras>=3",
)
def test_predict_makes_a_pipeline_each_time(way="predict"):
    model, made, begun = small_model(), [], []
    listener = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: begun.append("fit")
    )
    listener.on_predict_begin = lambda logs=None: begun.append("predict")
    ways = {
        "predict": lambda x: model.predict(x, callbacks=[listener], verbose=0),
        "call": model,
    }
    numbers = tf.data.Dataset.range

    def noted(*arguments, **options):
        made.append(arguments)
        return numbers(*arguments, **options)

    with mock.patch.object(tf.data.Dataset, "range", noted):
        for size in (1, 1, 100):
            ways[way](np.ones((size, 4), "float32"))
    assert (len(made), begun) == (3, ["predict"] * 3)


# Operations


@proves(
    "Domain-adversarial training needs an operation that passes its input on and "
    "flips the sign of the gradient. Keras has none, so here it is:",
    false_with={"operation": tf.identity},
    needs="keras>=3",
)
def test_the_gradient_is_turned_around(operation=None):
    """The loss of a head falls if only the head learns, and else it rises."""
    from snippets.performance import reverse_gradient

    operation = operation or reverse_gradient
    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    features = keras.layers.Dense(4)(inputs)
    head = keras.layers.Dense(1, trainable=False)
    y = head(keras.layers.Lambda(operation)(features))
    model = keras.Model(inputs, y)
    model.compile(keras.optimizers.SGD(0.01), "mse")
    assert np.array_equal(keras.Model(inputs, head(features))(x), model(x))
    history = model.fit(x, x[:, :1], epochs=3, batch_size=32, verbose=0)
    losses = history.history["loss"]
    assert losses[0] < losses[1] < losses[2]


NETWORK = """
import json, os, signal, sys
for name in ("IPython", "matplotlib", "pandas", "scipy", "sklearn"):
    sys.modules[name] = None  # Keras imports them where it finds them, for seconds
import numpy as np
import tensorflow as tf
def error_of(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
generator = np.random.default_rng(0)
x = generator.normal(size=(96, 8)).astype("float32")
y = generator.integers(0, 3, 96)
def batches(count=96, size=32, cut=False):
    dataset = tf.data.Dataset.from_tensor_slices((x[:count], y[:count]))
    return dataset.batch(size, drop_remainder=cut)
def build(strategy, **options):
    from tensorflow import keras
    with strategy.scope():
        keras.utils.set_random_seed(0)
        scores = keras.layers.Dense(3, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((8,)), scores])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, **options)
    return model
def fit(strategy, data, epochs=1, callbacks=(), **options):
    model = build(strategy, **options)
    model.fit(data, epochs=epochs, callbacks=list(callbacks), shuffle=False, verbose=0)
    return np.concatenate([np.ravel(weight) for weight in model.get_weights()])
one = tf.distribute.get_strategy()
"""


def in_fresh_process(program):
    """What a program of `NETWORK` prints last, as JSON."""
    from snippets.processes import run_python

    printed = run_python(NETWORK + program, timeout=LIMIT)
    return json.loads(printed.splitlines()[-1])


@functools.cache
def on_two_devices():
    return in_fresh_process(
        """
[processor] = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
def split():
    tf.config.set_logical_device_configuration(processor, two)
settled = {"before": error_of(split)}
tf.ones(())  # a first computation
two = two[:1]
settled["after"] = error_of(split)
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
def gap(**data):
    wanted = fit(one, batches(**data), run_eagerly=True)
    return float(np.abs(wanted - fit(two, batches(**data))).max())
def shares(size):
    [part] = two.experimental_distribute_dataset(batches(64, size).take(1))
    return [len(share) for share in two.experimental_local_results(part[0])]
def judged(strategy, count, name):
    model = build(strategy)
    model.set_weights([x[:8, :3], x[8, :3]])
    inputs = batches(count) if name == "evaluate" else x[:count]
    return np.ravel(getattr(model, name)(inputs, verbose=0))
def largest_gap(name):
    pairs = [(judged(one, n, name), judged(two, n, name)) for n in (96, 81)]
    return max(float(np.abs(left - right).max()) for left, right in pairs)
def devices_of(strategy):
    value = build(strategy).weights[0].value
    copies = getattr(value, "values", [value])
    return len({copy.device for copy in copies})
found = {
    "settled": settled,
    "even": gap(),
    "uneven": gap(count=81),
    "cut": gap(count=81, cut=True),
    "first": error_of(lambda: fit(two, batches(54, 27))),
    "at once": error_of(lambda: fit(two, batches(), steps_per_execution=3)),
    "xla": error_of(lambda: fit(two, batches(), jit_compile=True)),
    "shares": shares(64),
    "shares of 32": shares(32),
    "evaluate": largest_gap("evaluate"),
    "predict": largest_gap("predict"),
}
from tensorflow import keras
version = getattr(keras, "__version__", "2")  # Keras 2 has none here
if [int(part) for part in version.split(".")[:2]] >= [3, 15]:
    parallel = keras.distribution.DataParallel(devices=["cpu:0", "cpu:1"])
    with parallel.scope():
        found["DataParallel"] = devices_of(one)
    found["MirroredStrategy"] = devices_of(two)
print(json.dumps(found))
"""
    )


@proves(
    "A CPU can be divided into logical devices, so you can try this without a GPU. It "
    "must be done before the first computation:",
    false_with={"moment": "before"},
)
def test_devices_are_settled_by_the_first_computation(moment="after"):
    found = on_two_devices()
    assert found["settled"]["before"] == "no error"
    assert found["settled"][moment] == (
        "RuntimeError: Virtual devices cannot be modified after being initialized"
    )
    assert len(found["shares"]) == 2


@proves(
    "Two devices reach the weights of one device, to 0.00001, if each batch can be "
    "shared evenly.",
    false_with={"batches": "uneven"},
    keras="!=3.4.*,!=3.6.*",
)
def test_two_devices_reach_the_weights_of_one(batches="even"):
    assert on_two_devices()[batches] < 1e-5


@proves(
    "Of the versions that we tried, Keras 3.4 and 3.6 ended with other weights, "
    "without an error: update Keras.",
    keras=">=3,<3.9",
)
def test_two_devices_went_wrong():
    assert on_two_devices()["even"] > 1e-5


@proves(
    "No error, wrong result: if the last batch cannot be shared evenly, one device "
    "gets fewer rows, but its mean counts as much as that of the others, and `fit` "
    "ends with other weights.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"name": "cut"},
)
def test_uneven_parts_count_alike(name="uneven"):
    assert on_two_devices()["even"] < 1e-5
    assert on_two_devices()[name] > 1e-4


@proves(
    "Cut the last batch off with `dataset.batch(64, drop_remainder=True)`.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"name": "uneven"},
)
def test_drop_remainder_leaves_even_parts(name="cut"):
    assert on_two_devices()[name] < 1e-5


@proves(
    "`evaluate` and `predict` give on two devices what they give on one, for an uneven "
    "batch too.",
    keras="!=3.4.*,!=3.6.*,!=3.9.*",
    false_with={"name": "uneven"},
)
def test_two_devices_evaluate_as_one(name="evaluate"):
    found = on_two_devices()
    assert found["predict"] < 1e-5
    assert found[name] < 1e-5


@proves(
    "Of the versions that we tried, Keras 3.4, 3.6 and 3.9 gave another loss in "
    "`evaluate`, without an error.",
    false_with={"name": "predict"},
    keras=">=3,<3.11",
)
def test_two_devices_evaluated_wrongly(name="evaluate"):
    assert on_two_devices()[name] > 0.01


@proves(
    "The first batch could not be shared evenly by two devices, on Keras 3.",
    keras=">=3.6",
)
def test_an_uneven_first_batch_raises():
    error = on_two_devices()["first"]
    assert error.startswith("InvalidArgumentError")
    assert "Inputs to operation AddN of type AddN must have the same size" in error


@proves(
    "On two logical devices, `steps_per_execution` stops `fit` with an error, and so "
    "does `jit_compile=True`.",
    keras=">=3.9",
)
def test_many_steps_at_once_fail_on_two_devices():
    assert on_two_devices()["at once"].startswith("InvalidArgumentError")


@proves(
    "On two logical devices, `steps_per_execution` stops `fit` with an error, and so "
    "does `jit_compile=True`.",
    false_with={"name": "even"},
)
def test_xla_fails_on_two_devices(name="xla"):
    assert str(on_two_devices()[name]).startswith("InvalidArgumentError")


@proves(
    "`batch_size` counts the examples of all devices: with 64 and two devices, each "
    "computes 32.",
    false_with={"name": "shares of 32"},
)
def test_the_batch_is_shared(name="shares"):
    assert on_two_devices()[name] == [32, 32]


@proves(
    "On TensorFlow, `fit_in_parallel` runs too, without a warning, and trains on one "
    "device.",
    false_with={"name": "MirroredStrategy"},
    needs="keras>=3.15",
)
def test_a_distribution_without_effect(name="DataParallel"):
    assert on_two_devices()[name] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        distribution = keras.distribution.DataParallel(devices=["cpu:0"])
        with distribution.scope():
            small_model().fit(small_batches(2), shuffle=False, verbose=0)


# Profiling


@proves(
    "Since TensorFlow 2.21, TensorBoard is not installed with it, and without it `fit` "
    "raises a `TBNotInstalledError`:",
    tensorflow=">=2.21",
)
def test_tensorboard_is_not_a_requirement():
    names = {"tensorflow", "tensorflow-cpu", "tf-nightly", "tf-nightly-cpu"}
    installed = [
        package
        for package in importlib.metadata.distributions()
        if re.sub("[_.]", "-", package.metadata["Name"].lower()) in names
    ]
    assert installed
    required = [line for each in installed for line in each.requires or ()]
    assert not [line for line in required if line.startswith(("tensorboard", "tb-"))]


@proves(
    'Give `fit` the callback `keras.callbacks.TensorBoard("logs", profile_batch=(10, '
    "20))`: it records steps 10 to 20.",
    false_with={"steps": 9},
    needs="tensorflow<2.21",
)
def test_the_callback_records_some_steps(steps=24):
    model = small_model(jit_compile=False)
    with tempfile.TemporaryDirectory() as folder:
        callback = keras.callbacks.TensorBoard(folder, profile_batch=(10, 20))
        model.fit(small_batches(steps), callbacks=[callback], verbose=0)
        files = glob.glob(f"{folder}/**/*.xplane.pb", recursive=True)
    assert len(files) == 1


@proves(
    "It sees one call for a whole compiled step.",
    false_with={"eagerly": True},
    needs="keras>=3",
)
def test_cprofile_sees_one_call(eagerly=False):
    """Of 8 steps, it sees 8 calls of compiled functions and no matrix product."""
    model = small_model(run_eagerly=eagerly, jit_compile=False)
    model.fit(small_batches(8), shuffle=False, verbose=0)
    profile = cProfile.Profile()
    with profile:
        model.fit(small_batches(8), shuffle=False, verbose=0)
    counts = {}
    for (_, _, name), (_, count, *_) in pstats.Stats(profile).stats.items():
        counts[name] = counts.get(name, 0) + count
    functions = [name for name in counts if name.endswith("TFE_Py_Execute>")]
    assert [counts[name] for name in functions] == [8]
    assert "matmul" not in counts


# Errors


@proves(
    "The device that the message names had too little free memory for a tensor of "
    "that shape.",
    false_with={"size": 2},
)
def test_too_large_a_tensor(size=10**7):
    with pytest.raises(tf.errors.ResourceExhaustedError) as raised:
        tf.zeros([size, size])
    message = str(raised.value)
    assert f"OOM when allocating tensor with shape[{size},{size}]" in message
    assert "/device:CPU:0" in message


@proves(
    "Where XLA compiled the step, the message is *Out of memory while trying to "
    "allocate* some bytes, and names no shape.",
    false_with={"jit_compile": False},
    needs="keras>=3",
)
def test_xla_names_no_shape(jit_compile=True, size=10**7):
    compiled = tf.function(lambda x: tf.fill([size, size], x), jit_compile=jit_compile)
    with pytest.raises(tf.errors.ResourceExhaustedError) as raised:
        compiled(tf.constant(1.0))
    message = str(raised.value)
    assert "Out of memory while trying to allocate" in message
    assert "shape" not in message


class AsStrings(keras.layers.Layer):
    """Numbers to strings and back."""

    def call(self, x):
        return tf.strings.to_number(tf.strings.as_string(x))


@proves(
    "XLA cannot compile the operation that it names: compile with "
    "`jit_compile=False`, or move strings and lookups into the pipeline, in front of "
    "the model.",
    false_with={"jit_compile": False},
)
def test_xla_names_the_operation(jit_compile=True):
    model = keras.Sequential([keras.Input((4,)), AsStrings(), keras.layers.Dense(2)])
    model.compile("sgd", "mse", jit_compile=jit_compile)
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        model.fit(small_batches(2), verbose=0)
    message = str(raised.value)
    assert "Detected unsupported operations when trying to compile graph" in message
    assert "XLA_CPU_JIT: AsString (No registered 'AsString' OpKernel" in message


@proves(
    "If Keras itself knows that a layer cannot be compiled, it warns *Model doesn't "
    "support `jit_compile=True`*, and goes on without XLA.",
    false_with={"layer": AsStrings},
    needs="keras>=3",
)
def test_a_layer_that_xla_does_not_support(layer=NoXLA):
    model = keras.Sequential([keras.Input((4,)), layer(), keras.layers.Dense(2)])
    with pytest.warns(UserWarning, match="Model doesn't support `jit_compile=True`"):
        model.compile("sgd", "mse", jit_compile=True)
    assert not model.jit_compile


@proves(
    "Since TensorFlow 2.21, TensorBoard is not installed with it, and without it `fit` "
    "raises a `TBNotInstalledError`:",
    tensorflow=">=2.21",
)
def test_tensorboard_is_missed_in_fit():
    missed = ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            callback = keras.callbacks.TensorBoard(folder)
            small_model().fit(small_batches(2), callbacks=[callback], verbose=0)
        except Exception as error:
            missed = f"{type(error).__name__}: {error}"
    assert missed == (
        "TBNotInstalledError: TensorBoard is not installed, missing implementation for "
        "tf.summary.scalar"
    )

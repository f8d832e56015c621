"""Proofs of the guide to performance, memory and many devices.

No clock decides: mechanisms are counted, and times are measured elsewhere. The programs
of a cluster are started once, for all proofs about them.
"""

import atexit
import contextlib
import functools
import glob
import io
import json
import os
import shutil
import signal
import subprocess
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

# Seconds after which a program of another process has hung; none decides a verdict.
LIMIT = 900


def is_keras_3():
    return hasattr(keras, "ops")


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


# How it is measured


def measuring():
    """The recipes, which the guide runs on Keras 3."""
    assert is_keras_3()
    import snippets.measuring

    return snippets.measuring


@proves(
    "Each variant runs once or more as a warm-up, and the first results are compared: "
    "variants that compute something else are refused.",
    keras=">=3",
    false_with={"other": 1.0},
)
def test_different_work_is_refused(other=2.0):
    seconds_in_turns = measuring().seconds_in_turns
    calls = []
    ways = {name: functools.partial(calls.append, name) for name in "ab"}
    seconds = seconds_in_turns(ways, rounds=2, warm_up=1)
    assert len(calls) == 6
    assert [len(times) for times in seconds.values()] == [2, 2]
    with pytest.raises(ValueError, match="to do the work of 'a', which came to 1"):
        seconds_in_turns({"a": lambda: 1.0, "b": lambda: other}, rounds=2)


@proves(
    "Then the variants take turns, and each round gives a ratio to the first variant.",
    keras=">=3",
    false_with={"rounds": 1},
)
def test_ways_take_turns(rounds=2):
    calls = []
    ways = {name: functools.partial(calls.append, name) for name in "ab"}
    measuring().seconds_in_turns(ways, rounds=rounds, warm_up=1)
    assert "".join(calls)[2:] == "abba"
    ratios = measuring().ratios_to_first({"a": [1.0, 10.0], "b": [3.0, 30.0]})
    assert ratios["b"] == (3.0, 3.0, 3.0)


@proves(
    "A figure is the median of the ratios, with its quartiles.",
    keras=">=3",
    false_with={"seconds": [2.0, 2.0, 2.0, 2.0, 2.0]},
)
def test_figures_are_medians_with_quartiles(seconds=(1.0, 2.0, 3.0, 4.0, 90.0)):
    ratios = measuring().ratios_to_first({"a": [1.0] * 5, "b": list(seconds)})
    assert measuring().ratio_with_spread(ratios["b"]) == "3 (2 to 4)"


# Ways to run a step


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
    "nothing | the step is a `tf.function`: Python runs for the trace, and then no "
    "more",
    false_with={"options": {"run_eagerly": True}},
)
def test_a_step_is_traced_and_then_python_rests(options=None):
    assert python_calls_of_the_second_epoch(**(options or {})) == 0


@proves(
    "`run_eagerly=True` | Python runs in every step: for debugging",
    false_with={"eagerly": False},
)
def test_eager_runs_python_in_every_step(eagerly=True):
    assert python_calls_of_the_second_epoch(run_eagerly=eagerly) == 8


@proves(
    "`steps_per_execution=32` | one call makes 32 steps, and callbacks hear of it once",
    false_with={"steps": 1},
)
def test_callbacks_hear_of_32_steps_once(steps=32):
    model, heard = small_model(steps_per_execution=steps), []
    listener = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    model.fit(small_batches(64), callbacks=[listener], verbose=0)
    assert len(heard) == 2
    assert int(np.array(model.optimizer.iterations)) == 64


@proves(
    "`jit_compile=True` | XLA compiles the step, and refuses what it cannot compile, "
    "such as `tf.py_function`",
    false_with={"jit_compile": False},
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


# A pipeline


@proves(
    "The work of this pipeline: enlarge each digit to 32 × 32 pixels and standardize "
    "it.",
    false_with={"options": {"size": 8}},
    needs="keras>=3",
)
def test_the_work_of_the_pipeline(options=None):
    from snippets.performance.reading import prepare_image

    images = np.random.default_rng(0).random((3, 8, 8, 1), "float32")
    prepared = np.array(prepare_image(images, **(options or {})))
    assert prepared.shape == (3, 32, 32, 1)
    assert np.allclose(prepared.mean(axis=(1, 2, 3)), 0.0, atol=1e-4)
    assert np.allclose(prepared.std(axis=(1, 2, 3)), 1.0, atol=1e-3)


@proves(
    "Six pipelines, each with one change to the one before it, give the same batches:",
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
    "After `batch`, `map` calls the function once for a batch, in place of once for an "
    "image.",
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
    "No error, wrong result: whatever is random before `cache()` is drawn once, and "
    "then the same in every epoch. Augment after it.",
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


# Less memory


@functools.cache
def losses_of_a_deep_network(batch_size=8, parts=1, recomputed=False):
    from snippets.performance import Recomputed
    from snippets.performance.memory import deep_cnn_step

    options = {"wrapper": Recomputed} if recomputed else {}
    step = deep_cnn_step(batch_size, parts, num_blocks=1, **options)
    return [step() for _ in range(3)]


@proves("Neither changes the losses.", false_with={"batch_size": 16}, needs="keras>=3")
def test_losses_stay_the_same(batch_size=8):
    whole = losses_of_a_deep_network(batch_size)
    for options in ({"parts": 4}, {"recomputed": True}):
        assert np.allclose(losses_of_a_deep_network(**options), whole, rtol=1e-4)


@proves(
    "`tf.recompute_grad` computes a block again when its gradient is asked for.",
    false_with={"recompute": lambda function: function},
)
def test_recompute_grad_computes_again(recompute=tf.recompute_grad):
    block, x = Counted(), tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = recompute(block)(x)
    assert int(block.in_tensorflow) == 1
    assert float(tape.gradient(y, x)) == 1.0
    assert int(block.in_tensorflow) == 2


@proves(
    "Its counterpart in Keras is `keras.remat`, from Keras 3.9 on.",
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
    "On TensorFlow it draws another Dropout mask for the second computation, and "
    "updates the statistics of BatchNormalization twice.",
    false_with={"rate": 0.0},
    needs="keras>=3.9",
)
def test_remat_drops_other_values(rate=0.5):
    plain, again = (
        trained_with(wrap, ("Dropout", rate)) for wrap in (not_wrapped, remat)
    )
    assert distance(plain, again) > 1e-3


@proves(
    "On TensorFlow it draws another Dropout mask for the second computation, and "
    "updates the statistics of BatchNormalization twice.",
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
    "`mixed_bfloat16` computes in bfloat16, of half the bytes, and keeps its variables "
    "in float32.",
    false_with={"policy": "float32"},
)
def test_mixed_precision_halves_activations(policy="mixed_bfloat16"):
    layer = keras.layers.Dense(3, dtype=policy)
    activations = layer(tf.ones([5, 2]))
    assert activations.dtype == tf.bfloat16
    assert 2 * activations.dtype.size == tf.float32.size
    assert "float32" in str(layer.kernel.dtype)


@proves(
    "float16 needs the scaling of the loss besides; bfloat16 has the range of float32.",
    false_with={"dtype": "float16"},
)
def test_bfloat16_has_the_range_of_float32(dtype="bfloat16"):
    for number in (1e-30, 1e30):
        assert np.isclose(float(tf.cast(number, dtype)), number, rtol=0.01)
    assert float(tf.cast(1e-8, "float16")) == 0.0
    scaled = tf.cast(1e-8 * 2.0**15, "float16")
    assert np.isclose(float(tf.cast(scaled, "float32")) / 2.0**15, 1e-8, rtol=0.01)


@proves(
    "To take no more of a GPU than is needed there is "
    "`tf.config.experimental.set_memory_growth`; for a CPU it raises `Cannot set "
    "memory growth on non-GPU and non-Pluggable devices`.",
    false_with={"kind": "GPU"},
)
def test_memory_growth_is_for_gpus(kind="CPU"):
    message = None
    for device in tf.config.list_physical_devices(kind):
        with pytest.raises(ValueError) as raised:
            tf.config.experimental.set_memory_growth(device, True)
        message = str(raised.value)
    assert message == "Cannot set memory growth on non-GPU and non-Pluggable devices"


@proves(
    "A gradient of 0.00000001 is 0 in float16. Multiply the loss by 32768, and divide "
    "the gradient by it afterwards: it survives. A scale that is too large makes it "
    "infinite.",
    false_with={"dtype": "bfloat16"},
)
def test_a_scale_saves_small_gradients(dtype="float16"):
    found, x = [], tf.constant(1.0)
    for scale in (1.0, 32768.0, 2.0**50):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = scale * 1e-8 * tf.cast(tf.cast(x, dtype), "float32")
        found.append(float(tape.gradient(loss, x)) / scale)
    assert found[0] == 0.0
    assert np.isclose(found[1], 1e-8, rtol=0.01, atol=0.0)
    assert np.isinf(found[2])


def scaled_optimizer():
    """An optimizer that scales the loss, and its variable."""
    variable = keras.Variable(1.0)
    inner = keras.optimizers.SGD(1.0)
    optimizer = keras.mixed_precision.LossScaleOptimizer(inner)
    optimizer.build([variable])
    return optimizer, variable


@proves(
    "`LossScaleOptimizer` of `keras.mixed_precision` finds the scale: it begins with "
    "32768, halves it when a gradient is not finite, and doubles it after 2000 finite "
    "steps in a row.",
    false_with={"steps": 1999},
    needs="keras>=3",
)
def test_the_scale_is_halved_and_doubled(steps=2000):
    optimizer, variable = scaled_optimizer()

    @tf.function(autograph=False)
    def apply(gradient, times):
        def step(done):
            optimizer.apply([gradient], [variable])
            return done + 1

        tf.while_loop(lambda done: done < times, step, [0])

    def scale_after(gradient, times):
        apply(tf.constant(gradient), tf.constant(times))
        return float(np.array(optimizer.dynamic_scale))

    assert scale_after(0.0, 1) == 32768.0
    assert scale_after(np.nan, 1) == 16384.0
    assert scale_after(0.0, 1999) == 16384.0  # the step before does not count
    assert scale_after(np.inf, 1) == 8192.0
    assert scale_after(0.0, steps) == 16384.0


@proves(
    "`compile()` wraps the optimizer in it if the policy of the model is "
    "`mixed_float16`, but not if only its layers have this policy.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_the_policy_of_the_model_counts(policy="mixed_float16"):
    usual, found = keras.config.dtype_policy(), []
    for of_all, of_layers in [(policy, None), (usual, "mixed_float16")]:
        keras.config.set_dtype_policy(of_all)
        try:
            layer = keras.layers.Dense(2, dtype=of_layers)
            model = keras.Sequential([keras.Input((4,)), layer])
            model.compile("sgd", "mse")
        finally:
            keras.config.set_dtype_policy(usual)
        assert layer.compute_dtype == "float16"
        found.append(type(model.optimizer).__name__)
    assert found == ["LossScaleOptimizer", "SGD"]


@proves(
    "A fixed scale is `loss_scale_factor` of any optimizer of Keras 3.",
    false_with={"scale": None},
    needs="keras>=3",
)
def test_a_fixed_scale_belongs_to_the_optimizer(scale=8.0):
    for name in ("SGD", "Adam", "RMSprop"):
        variable = keras.Variable(1.0)
        optimizer = getattr(keras.optimizers, name)(0.5, loss_scale_factor=scale)
        optimizer.build([variable])
        assert float(optimizer.scale_loss(tf.constant(1.0))) == 8.0
    variable = keras.Variable(1.0)
    optimizer = keras.optimizers.SGD(0.5, loss_scale_factor=scale)
    optimizer.build([variable])
    optimizer.apply([tf.constant(8.0)], [variable])
    assert float(np.array(variable)) == 0.5


@proves(
    "`dynamic=False`, `loss_scale` and `get_unscaled_gradients` were Keras 2.",
    false_with={"dynamic": True},
)
def test_scaling_of_keras_2(dynamic=False):
    """They work on Keras 2, and on Keras 3 none of them does."""
    scaled, is_keras_2 = keras.mixed_precision.LossScaleOptimizer, not is_keras_3()
    options, accepted = {"initial_scale": 8.0}, True
    try:
        optimizer = scaled(keras.optimizers.SGD(), dynamic=dynamic, **options)
    except ValueError:
        optimizer, accepted = scaled(keras.optimizers.SGD(), **options), False
    assert accepted == is_keras_2
    assert hasattr(optimizer, "loss_scale") == is_keras_2
    assert hasattr(optimizer, "get_unscaled_gradients") == is_keras_2
    if is_keras_2:
        assert not optimizer.dynamic
        assert float(optimizer.loss_scale) == 8.0
        [gradient] = optimizer.get_unscaled_gradients([tf.constant(8.0)])
        assert float(gradient) == 1.0


# Where Python costs


@proves(
    "`tf.py_function` and `tf.numpy_function` come back to Python for every element; "
    "an operation of TensorFlow does not.",
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
    "A Python number is part of the trace, so each new one is traced anew.",
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
    "Below Keras for correctness: the gradient of `tf.math.log1p(tf.exp(x))` at 100 is "
    "`nan`, and with `tf.custom_gradient` it is 1.",
    false_with={"x": 80.0},
    needs="keras>=3",
)
def test_a_custom_gradient_does_not_overflow(x=100.0):
    from snippets.performance import log1p_exp
    from snippets.performance.steps import gradient_of_sum

    automatic = gradient_of_sum(lambda x: tf.math.log1p(tf.exp(x)), tf.constant([x]))()
    assert np.isnan(automatic[0])
    assert gradient_of_sum(log1p_exp, tf.constant([x]))().tolist() == [1.0]


@proves(
    "`tf.py_function` passes the gradient on, by Python again; `tf.numpy_function` "
    "gives `None`.",
    false_with={"name": "numpy_function"},
)
def test_a_gradient_passes_through_a_py_function(name="py_function"):
    calls, x = [], tf.constant(2.0)

    @tf.custom_gradient
    def square(x):
        def gradient(upstream):
            calls.append("gradient")
            return 2.0 * x * upstream

        return x * x, gradient

    @tf.function(autograph=False)
    def gradient_through(name):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = getattr(tf, name)(square, [x], tf.float32)
        return tape.gradient(y, x)

    found = [gradient_through(name) for _ in range(3)]
    assert None not in found
    assert [float(gradient) for gradient in found] == [4.0, 4.0, 4.0]
    assert len(calls) == 3
    assert gradient_through("numpy_function") is None


@proves(
    "To find where the time goes, put `tf.profiler.experimental.start(folder)` and "
    "`stop()` around a few steps: they leave a file that names every operation, for "
    "the Profile tab of TensorBoard.",
    false_with={"between": False},
)
def test_the_profiler_names_operations(between=True):
    model = small_model(jit_compile=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        if between:
            model.fit(small_batches(4), verbose=0)
        tf.profiler.experimental.stop()
        files = glob.glob(f"{folder}/plugins/profile/**/*.xplane.pb", recursive=True)
        assert len(files) == 1
        assert b"MatMul" in Path(files[0]).read_bytes()


# TensorFlow Lite


@functools.cache
def lite_network():
    """A network that has learned digits, on the Keras of this environment."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32")
    keras.utils.set_random_seed(0)
    wide = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *wide, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.fit(images[:1024], labels[:1024], batch_size=64, epochs=10, verbose=0)
    return model, images


@functools.cache
def lite_files():
    from snippets.performance import LITE_KINDS, lite_file

    model, images = lite_network()
    return {kind: lite_file(model, kind, images[:100]) for kind in LITE_KINDS}


def lite_answers(file, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        interpreter = tf.lite.Interpreter(model_content=file)
    [source], [target] = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@proves(
    "Such a file holds a trained model alone. It can store the weights in fewer bytes, "
    "and an interpreter runs it without Keras.",
    false_with={"hidden": "numpy"},
    needs="keras>=3.6",
)
def test_the_interpreter_runs_without_keras(hidden="keras"):
    from snippets.processes import run_python

    model, _ = lite_network()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "file").write_bytes(lite_files()["float32"])
        program = f"""
import json, sys
sys.modules[{hidden!r}] = None  # not to be found
import numpy as np
import tensorflow as tf
interpreter = tf.lite.Interpreter({folder + "/file"!r})
interpreter.allocate_tensors()
[source], [target] = interpreter.get_input_details(), interpreter.get_output_details()
interpreter.set_tensor(source["index"], np.ones((1, 64), "float32"))
interpreter.invoke()
print(json.dumps(interpreter.get_tensor(target["index"]).tolist()))
"""
        try:
            printed = run_python(program, timeout=LIMIT)
        except RuntimeError as error:
            printed = json.dumps(str(error))
    scores = json.loads(printed.splitlines()[-1])
    expected = model(np.ones((1, 64), "float32"))
    assert "import of" not in scores
    assert np.allclose(scores, expected, atol=1e-4)
    assert len(lite_files()["int8"]) < len(lite_files()["float32"])


@proves(
    "float16 weights take half the bytes of the file, int8 a bit more than a quarter:",
    false_with={"half": "float32"},
    needs="keras>=3.6",
)
def test_weights_take_half_and_a_quarter(half="float16 weights"):
    sizes = {kind: len(file) for kind, file in lite_files().items()}
    whole = sizes["float32"]
    assert 0.5 <= sizes[half] / whole < 0.52
    for kind in ("int8", "int8 weights"):
        assert 0.25 < sizes[kind] / whole < 0.3


@proves(
    "It was at least 98 % for each kind.",
    false_with={"brightness": 0.01},
    needs="keras>=3.6",
)
def test_the_classes_stay_the_same(brightness=1.0):
    """Under the falsifier int8 is set up with images that are far too dark."""
    from snippets.performance import lite_file

    model, images = lite_network()
    classes = np.argmax(model(images[1024:]), axis=1)
    files = dict(lite_files())
    assert len(files) == 4
    if brightness != 1.0:
        files["int8"] = lite_file(model, "int8", brightness * images[:100])
    for file in files.values():
        found = np.argmax(lite_answers(file, images[1024:]), axis=1)
        assert np.mean(found == classes) >= 0.98


@proves(
    "The warning of `tf.lite.Interpreter`, left out here, says that `ai_edge_litert` "
    "takes its place, and that TensorFlow 2.20 would delete it; TensorFlow 2.21 still "
    "has it.",
    tensorflow=">=2.21",
)
def test_the_interpreter_names_its_successor():
    file = tf.lite.TFLiteConverter.from_concrete_functions(
        [tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([1]))]
    ).convert()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tf.lite.Interpreter(model_content=file)
    text = " ".join(" ".join(str(warning.message).split()) for warning in caught)
    assert "tf.lite.Interpreter is deprecated" in text
    assert "scheduled for deletion in TF 2.20." in text
    assert "use the LiteRT interpreter from the ai_edge_litert package" in text
    assert [int(part) for part in tf.__version__.split(".")[:2]] >= [2, 21]


def lite_file_by(way, model):
    """A file of a network, by one of the ways to make a converter."""
    converter = tf.lite.TFLiteConverter
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        if way == "from_saved_model":
            model.export(folder)
            converter = converter.from_saved_model(folder)
        elif way == "from_keras_model":
            converter = converter.from_keras_model(model)
        else:
            function = tf.function(lambda x: model(x, training=False))
            concrete = function.get_concrete_function(tf.TensorSpec((None, 64)))
            converter = converter.from_concrete_functions([concrete], model)
        return converter.convert()


@proves(
    "No error, wrong result: from TensorFlow 2.20 on, `from_concrete_functions("
    "[function], model)` of `tf.lite.TFLiteConverter` writes a file without the "
    "weights of a Keras 3 model.",
    false_with={"way": "from_saved_model"},
    needs="tensorflow>=2.20",
    keras=">=3",
    tensorflow=">=2.20",
)
def test_a_concrete_function_loses_the_weights(way="from_concrete_functions"):
    """Less than a byte for each weight."""
    model, images = lite_network()
    file = lite_file_by(way, model)
    assert len(file) < model.count_params()
    scores = lite_answers(file, images[:5])
    assert not np.allclose(scores, model(images[:5]), atol=0.1)


@proves(
    "`from_saved_model`, after `model.export`, and `from_keras_model` keep them.",
    false_with={"trained": False},
    needs="keras!=3.4.*",
)
def test_two_converters_keep_the_weights(trained=True):
    model, images = lite_network()
    converted = model if trained else keras.models.clone_model(model)
    for way in ("from_saved_model", "from_keras_model"):
        scores = lite_answers(lite_file_by(way, converted), images[:5])
        assert np.allclose(scores, model(images[:5]), atol=1e-3)


# Many devices

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


# What trains by the loop of the guide, which is written for Keras 3.
LOOP = """
from tensorflow import keras
is_keras_3 = hasattr(keras, "ops")
if is_keras_3:
    from snippets.performance.replicas import largest_difference, train_on_replicas
    images = np.random.default_rng(0).random((96, 8, 8, 1), "float32")
    labels = np.arange(96) % 10
"""


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
def reduced(operation):
    def gradient():
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(operation, tf.constant([1.5, 2.5])[
            replica.replica_id_in_sync_group])
    return [float(n) for n in two.experimental_local_results(two.run(gradient))]
found = {
    "settled": settled,
    "even": gap(),
    "uneven": gap(count=81),
    "cut": gap(count=81, cut=True),
    "first": error_of(lambda: fit(two, batches(54, 27))),
    "at once": error_of(lambda: fit(two, batches(), steps_per_execution=3)),
    "xla": error_of(lambda: fit(two, batches(), jit_compile=True)),
    "SUM": reduced("SUM"),
    "MEAN": reduced("MEAN"),
}
"""
        + LOOP
        + """
if is_keras_3:  # 81 images in batches of 32: the last one has 17
    by_two = train_on_replicas(two, images[:81], labels[:81], 1, 32)
    by_one = train_on_replicas(one, images[:81], labels[:81], 1, 32)
    found["loop, uneven"] = largest_difference(by_one, by_two)
print(json.dumps(found))
"""
    )


@proves(
    "Each replica computes its part of the batch, and their gradients are summed "
    "before the step.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"operation": "MEAN"},
)
def test_replicas_sum_their_gradients(operation="SUM"):
    assert on_two_devices()[operation] == [4.0, 4.0]
    assert on_two_devices()["even"] < 1e-5


@proves(
    "A CPU can be split into logical devices, so you can try this without a GPU. It "
    "must be done before the first computation:",
    false_with={"moment": "before"},
)
def test_devices_are_settled_by_the_first_computation(moment="after"):
    found = on_two_devices()
    assert found["settled"]["before"] == "no error"
    assert found["settled"][moment] == (
        "RuntimeError: Virtual devices cannot be modified after being initialized"
    )
    assert len(found["SUM"]) == 2


@proves(
    "The loop and `fit` both reach the weights of one device, to 0.00001.",
    false_with={"batches": "uneven"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_two_devices_reach_the_weights_of_one(batches="even"):
    assert on_two_devices()[batches] < 1e-5  # by `fit`
    assert on_two_devices()["loop, uneven"] < 1e-5


@proves(
    "`fit` of Keras 3.4 and 3.6 ended with others, without a word.",
    keras=">=3,<3.9",
)
def test_two_devices_went_wrong():
    assert on_two_devices()["even"] > 1e-5


@proves(
    "No error, wrong result: if the last batch cannot be shared evenly, `fit` counts "
    "the means of the two parts alike, on Keras 2 and Keras 3, and ends with other "
    "weights.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"name": "cut"},
)
def test_uneven_parts_count_alike(name="uneven"):
    assert on_two_devices()["even"] < 1e-5
    assert on_two_devices()[name] > 1e-4


@proves(
    "The loop above divides by the number of all examples, and does not.",
    false_with={"name": "uneven"},
    needs="keras>=3",
    keras=">=3.6",
)
def test_the_loop_counts_every_example(name="loop, uneven"):
    """Under the falsifier `fit` takes the place of the loop."""
    assert on_two_devices()[name] < 1e-5


@proves(
    "With `fit`, let `drop_remainder=True` cut the last batch off.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"name": "uneven"},
)
def test_drop_remainder_leaves_even_parts(name="cut"):
    assert on_two_devices()[name] < 1e-5


@proves(
    "An uneven first batch does raise an error, on Keras 3:",
    keras=">=3.6",
)
def test_an_uneven_first_batch_raises():
    error = on_two_devices()["first"]
    assert error.startswith("InvalidArgumentError")
    assert "Inputs to operation AddN of type AddN must have the same size" in error


@proves(
    "Nor do `steps_per_execution` and `jit_compile=True` work on two logical devices, "
    "though Keras before 3.9 took the first one.",
    keras=">=3.9",
)
def test_many_steps_at_once_fail_on_two_devices():
    assert on_two_devices()["at once"].startswith("InvalidArgumentError")


@proves(
    "Nor do `steps_per_execution` and `jit_compile=True` work on two logical devices, "
    "though Keras before 3.9 took the first one.",
    keras="<3.9",
)
def test_many_steps_at_once_worked_before():
    assert on_two_devices()["at once"] == "no error"


@proves(
    "Nor do `steps_per_execution` and `jit_compile=True` work on two logical devices, "
    "though Keras before 3.9 took the first one.",
    false_with={"name": "even"},
)
def test_xla_fails_on_two_devices(name="xla"):
    assert str(on_two_devices()[name]).startswith("InvalidArgumentError")


# Two workers


def run_workers(program, count=2):
    """What each worker of a cluster prints last, as JSON."""
    from snippets.processes import free_ports, run_together

    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    variables = [
        {
            "TF_CONFIG": json.dumps(
                {
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": index},
                }
            )
        }
        for index in range(count)
    ]
    start = "\nstrategy = tf.distribute.MultiWorkerMirroredStrategy()\n"
    start += "rank = strategy.cluster_resolver.task_id\n"
    texts = run_together(count * [NETWORK + start + program], variables, LIMIT)
    return [json.loads(text.splitlines()[-1]) for text in texts]


WORKERS = (
    LOOP
    + """
found = {}
def train(name, backup=None, last=0):
    # Three epochs of three steps; the second worker is killed after the last step.
    steps = []
    def on_step(step):
        steps.append(step)
        if rank and step == last:
            os.kill(os.getpid(), signal.SIGKILL)
    if is_keras_3:
        weights = train_on_replicas(strategy, images, labels, 3, 32, backup, on_step)
    else:
        callbacks = [keras.callbacks.BackupAndRestore(backup)] if backup else []
        callbacks.append(keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: on_step(len(steps) + 1)))
        weights = [fit(strategy, batches(), 3, callbacks)]
    found[name] = {"steps": steps, "weights": [array.tolist() for array in weights]}
def shares(size, policy):
    dataset, options = tf.data.Dataset.range(8).batch(size), tf.data.Options()
    options.experimental_distribute.auto_shard_policy = getattr(
        tf.data.experimental.AutoShardPolicy, policy)
    parts = strategy.experimental_distribute_dataset(dataset.with_options(options))
    return [
        np.ravel(strategy.experimental_local_results(part)[0]).tolist()
        for part in parts
    ]
train("resumed", BACKUP, LAST)
train("never killed")
weights = []
found["error"] = error_of(lambda: weights.extend(fit(strategy, batches()).tolist()))
found["fit"] = weights
found["shares"] = {
    f"{size}, {policy}": shares(size, policy)
    for size, policy in [(4, "AUTO"), (8, "AUTO"), (4, "OFF")]
}
print(json.dumps(found))
"""
)


@functools.cache
def on_two_workers():
    """One script twice: the second worker is killed in step 5, then both start again.

    Returns:
        How the first run ended, the folders that it left, the path of a copy of the
        first worker's, and what each worker of the second run printed. In between the
        folder of the second worker is removed.
    """
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    backup = f"{folder.name}/run/backup"
    program = WORKERS.replace("BACKUP", repr(backup))
    try:
        run_workers(program.replace("LAST", "5"))
        killed = "nobody was killed"
    except RuntimeError as error:
        killed = str(error)
    folders = sorted(os.listdir(f"{folder.name}/run"))
    shutil.copytree(backup, f"{folder.name}/copy")
    shutil.rmtree(f"{backup}-of-worker-1", ignore_errors=True)
    workers = run_workers(program.replace("LAST", "0"))
    return killed, folders, f"{folder.name}/copy", workers


def on_one_device(epochs=3, **options):
    """The weights that the loop of the workers reaches on one device."""
    from snippets.performance.replicas import train_on_replicas

    images = np.random.default_rng(0).random((96, 8, 8, 1), "float32")
    one = tf.distribute.get_strategy()
    return train_on_replicas(one, images, np.arange(96) % 10, epochs, 32, **options)


@proves(
    "For training on several machines it is worth it, since `fit` of Keras 3 cannot do "
    "that.",
    keras=">=3.6",
)
def test_keras_3_cannot_fit_on_two_workers():
    *_, workers = on_two_workers()
    for worker in workers:
        assert worker["error"].startswith(
            "ValueError: Attempt to convert a value (PerR"
        )
        assert worker["error"].endswith("values.PerReplica'>) to a Tensor.")


@proves(
    "Keras 2 can `fit` there, with the same result.",
    keras="<3",
)
def test_keras_2_fits_on_two_workers():
    *_, workers = on_two_workers()
    assert [worker["error"] for worker in workers] == ["no error", "no error"]
    one = in_fresh_process("print(json.dumps(fit(one, batches()).tolist()))")
    for worker in workers:
        assert np.abs(np.subtract(worker["fit"], one)).max() < 1e-5


@proves(
    "Where `fit` of Keras 3 raises an error, the loop of TensorFlow works, with the "
    "model and the optimizer of Keras 3, and both workers end with the weights of one "
    "process, to 0.00001:",
    false_with={"epochs": 2},
    needs="keras>=3",
    keras=">=3.6",
)
def test_keras_3_loops_on_two_workers(epochs=3):
    from snippets.performance.replicas import largest_difference

    *_, workers = on_two_workers()
    assert workers[0]["error"].startswith("ValueError")
    one = on_one_device(epochs)
    for worker in workers:
        assert largest_difference(one, worker["never killed"]["weights"]) < 1e-5


@proves(
    "The same script, started again, begins with the epoch of the kill and ends with "
    "the weights of the run that was not killed, bit for bit.",
    keras="!=3.4.*",
    false_with={"name": "never killed"},
)
def test_killed_on_keras_3_and_nothing_lost(name="resumed"):
    """Killed in the second of three epochs of three steps."""
    killed, _, _, workers = on_two_workers()
    assert killed == "Program 2 of 2 was ended by the signal SIGKILL."
    for worker in workers:
        assert worker[name]["steps"] == [1, 2, 3, 4, 5, 6]
        assert worker[name]["weights"] == worker["never killed"]["weights"]


@proves(
    "One process can go on with a backup of two workers, and reaches the weights of a "
    "run that was never interrupted, to 0.00001:",
    false_with={"backed_up": False},
    needs="keras>=3",
    keras=">=3.6",
)
def test_one_process_goes_on(backed_up=True):
    from snippets.performance.replicas import largest_difference

    _, _, copy, workers = on_two_workers()
    steps = []
    options = {"backup": copy} if backed_up else {}
    weights = on_one_device(**options, on_step=steps.append)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert largest_difference(weights, workers[0]["never killed"]["weights"]) < 1e-5


@proves(
    "On Keras 2 `keras.callbacks.BackupAndRestore` does the same for `fit`.",
    keras="<3",
)
def test_killed_on_keras_2_and_nothing_lost():
    killed, _, _, workers = on_two_workers()
    assert workers[0]["error"] == "no error"
    assert killed == "Program 2 of 2 was ended by the signal SIGKILL."
    for worker in workers:
        assert worker["resumed"]["steps"] == [1, 2, 3, 4, 5, 6]
        assert worker["resumed"]["weights"] == worker["never killed"]["weights"]


@contextlib.contextmanager
def noted_processes():
    """Note the processes that are started."""
    started, start = [], subprocess.Popen

    def noted(*arguments, **options):
        started.append(start(*arguments, **options))
        return started[-1]

    with mock.patch.object(subprocess, "Popen", noted):
        yield started


HANGS = "import threading; threading.Event().wait()"  # for what nobody sets


@proves(
    "If one worker hangs, all of them wait, so there is a time limit, and all are "
    "ended then:",
    false_with={"program": "pass", "timeout": 600},
)
def test_a_hung_worker_is_ended(program=HANGS, timeout=1):
    from snippets.processes import run_together

    with noted_processes() as started, pytest.raises(TimeoutError) as raised:
        run_together([program, program], [{}, {}], timeout=timeout)
    assert str(raised.value) == "Of 2 programs, number 1 and 2 ran longer than 1 s."
    assert [process.returncode for process in started] == 2 * [-signal.SIGKILL]


# A cluster


@proves(
    "`TF_CONFIG` tells it the addresses of all and its own place:",
    false_with={"index": 0},
)
def test_tf_config_tells_the_place(index=1):
    workers = ["127.0.0.1:12345", "127.0.0.1:12346"]
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": {"worker": workers}, "task": task})
    with mock.patch.dict(os.environ, {"TF_CONFIG": config}):
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        assert resolver.cluster_spec().as_dict() == {"worker": workers}
        assert resolver.task_id == 1


@proves(
    "`run_script` ends all when one has gone, and says which one.",
    false_with={"programs": ("pass", "pass")},
)
def test_a_killed_worker_ends_the_others(
    programs=(HANGS, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
):
    """By `run_together`, which starts the processes."""
    from snippets.processes import run_together

    with noted_processes() as started, pytest.raises(RuntimeError) as raised:
        run_together(programs, [{}, {}], timeout=600)
    assert str(raised.value) == "Program 2 of 2 was ended by the signal SIGKILL."
    assert [process.returncode for process in started] == 2 * [-signal.SIGKILL]


@proves(
    "After each epoch the loop saves the model, the optimizer and the number of "
    "epochs, in a folder that all workers see.",
    false_with={"epochs": 1},
    needs="keras>=3",
)
def test_the_loop_saves_after_each_epoch(epochs=2):
    from snippets.performance.replicas import train_on_replicas

    images, seen = np.zeros((5, 8, 8, 1), "float32"), []
    with tempfile.TemporaryDirectory() as folder:
        saved = functools.partial(tf.train.latest_checkpoint, folder)
        train_on_replicas(
            tf.distribute.get_strategy(),
            *(images, np.arange(5), epochs, 5, folder),
            lambda step: seen.append(saved() and Path(saved()).name),
        )
        shapes = [tuple(shape) for _, shape in tf.train.list_variables(saved())]
        done = tf.train.load_variable(saved(), "done/.ATTRIBUTES/VARIABLE_VALUE")
    assert seen == [None, "ckpt-1"]
    assert shapes.count((3, 3, 1, 32)) == 3  # a weight, and what Adam keeps about it
    assert done == 2


@proves(
    "`cluster_variables` writes `TF_CONFIG` | every machine sets it: the same list of "
    "addresses, its own index",
    false_with={"count": 2},
    needs="keras>=3",
)
def test_workers_share_addresses_not_places(count=3):
    from snippets.performance.replicas import cluster_variables

    configs = [json.loads(each["TF_CONFIG"]) for each in cluster_variables(count)]
    assert all(config["cluster"] == configs[0]["cluster"] for config in configs)
    assert len(set(configs[0]["cluster"]["worker"])) == 3
    assert [config["task"]["index"] for config in configs] == [0, 1, 2]


@proves(
    "`run_together` starts the processes | so does Slurm or Kubernetes; "
    "`tf.distribute.cluster_resolver` reads their variables in place of `TF_CONFIG`",
    false_with={"process": "0"},
)
def test_resolvers_for_slurm_and_kubernetes(process="1"):
    assert hasattr(tf.distribute.cluster_resolver, "KubernetesClusterResolver")
    slurm = {
        "SLURM_STEP_NODELIST": "host[1-2]",
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
        "SLURM_PROCID": process,
        "SLURM_LOCALID": "0",
        "CUDA_VISIBLE_DEVICES": "",  # or else it asks `nvidia-smi`
    }
    with mock.patch.dict(os.environ, slurm):
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            auto_set_gpu=False
        )
        hosts = resolver.cluster_spec().as_dict()["worker"]
        assert [host.partition(":")[0] for host in hosts] == ["host1", "host2"]
        assert resolver.get_task_info() == ("worker", 1)


@proves(
    "`batch_size` counts the examples of a step on all replicas | multiply it by the "
    "number of machines",
    false_with={"batch_size": 8},
)
def test_the_batch_is_shared(batch_size=4):
    """A batch of 4 gives each of two workers 2 examples."""
    *_, workers = on_two_workers()
    for worker in workers:
        shares = worker["shares"][f"{batch_size}, AUTO"]
        assert [len(share) for share in shares] == [2, 2]


@proves(
    "all workers read the same arrays | each takes its share of the batches; of files, "
    "with `AutoShardPolicy.FILE`",
    false_with={"policy": "OFF"},
)
def test_data_are_sharded(policy="AUTO"):
    """Of the batches 0 to 3 and 4 to 7."""
    *_, workers = on_two_workers()
    shares = [worker["shares"][f"4, {policy}"] for worker in workers]
    assert shares == [[[0, 1], [4, 5]], [[2, 3], [6, 7]]]
    assert hasattr(tf.data.experimental.AutoShardPolicy, "FILE")


@proves(
    "`backup` is a folder | a folder that all machines see; only the first worker's "
    "copy is restored",
    keras=">=3.6",
    false_with={"kept": "never killed"},
)
def test_one_backup_is_for_all(kept="resumed"):
    """The second worker's copy was removed, and it went on with the first one's."""
    _, folders, _, workers = on_two_workers()
    assert folders == ["backup", "backup-of-worker-1"]
    first, second = (worker[kept] for worker in workers)
    assert first["steps"] == second["steps"] == [1, 2, 3, 4, 5, 6]
    assert first["weights"] == second["weights"]

"""Measurements of the guide to performance: ratios of seconds, and peaks of memory."""

from functools import cache

import keras
import tensorflow as tf

from snippets.choosing import functional_cnn
from snippets.data import as_dataset, digit_images
from snippets.measuring import peak_memories, ratios_to_first, seconds_in_turns
from snippets.performance.memory import memory_preparation
from snippets.performance.reading import (
    fast_batches,
    pipelines,
    read_through,
    slow_batches,
)
from snippets.performance.steps import (
    calls_of_a_function,
    epoch_of_fit,
    seconds_per_step,
)
from tests.measurements.measures import Figures, measures


@measures(
    "Eager mode takes at least three times as long for a small step.",
    bound={"times_as_long": (3.0, 1000.0)},
    rounds=1,
)
def eager_takes_longer(seed: int) -> Figures:
    """Train for epochs of 16 small steps, five of each kind in turns."""
    images, labels = digit_images()
    batches = as_dataset(images[:512], labels[:512]).cache()
    ways = {}
    for name, eagerly in {"compiled": False, "eager": True}.items():
        keras.utils.set_random_seed(seed)
        model = functional_cnn((8, 8, 1), 10)
        ways[name] = epoch_of_fit(model, batches, run_eagerly=eagerly)
    ratios = ratios_to_first(seconds_in_turns(ways, rounds=5, warm_up=1))
    return {"times_as_long": ratios["eager"][1]}


@measures(
    "Leaving Python gains nearly everything: the last pipeline takes at most a quarter "
    "of the time of the first.",
    bound={"share_of_the_time": (0.0, 0.25)},
    rounds=1,
)
def the_last_pipeline_is_faster(seed: int) -> Figures:
    """Let a small network read 256 digits, five times by each pipeline in turns."""
    images, labels = digit_images()
    keras.utils.set_random_seed(seed)
    network = functional_cnn((32, 32, 1), 10)
    forward = tf.function(lambda x, y: tf.reduce_mean(network(x)), autograph=False)
    found = pipelines(images[:256], labels[:256])
    ways = {
        name: read_through(found[name], forward)
        for name in ("a Python generator", "prefetch")
    }
    ratios = ratios_to_first(seconds_in_turns(ways, rounds=5, warm_up=2))
    return {"share_of_the_time": ratios["prefetch"][1]}


@measures(
    "A call that traces takes at least ten times as long, so pass numbers as tensors:",
    bound={"times_as_long": (10.0, 1e5)},
    rounds=1,
)
def a_trace_at_every_call_takes_longer(seed: int) -> Figures:
    """Call a function 21 times with a tensor and with a new number, in turns."""
    x = tf.random.stateless_uniform([64, 64], seed=(seed, 0))
    ratios = ratios_to_first(seconds_in_turns(calls_of_a_function(x), rounds=21))
    return {"times_as_long": ratios["a new number"][1]}


@cache
def peaks(seed: int) -> dict[str, float]:
    """The peaks of four processes in MiB: 128 MiB of ones, and steps of training."""
    programs = {
        "block": f"block = np.full(2**24, {seed} + 1.0)",
        "whole": "deep_cnn_step(192)()",
        "parts": "deep_cnn_step(192, parts=4)()",
        "recomputed": "deep_cnn_step(192, wrapper=Recomputed)()",
    }
    found = peak_memories(memory_preparation(), programs, repeats=1, timeout=1200)
    return {name: megabytes for name, [megabytes] in found.items()}


@measures(
    "Memory is the peak of a new process, above what it held before the step.",
    bound={"megabytes_of_128": (120.0, 160.0)},
    rounds=1,
)
def memory_is_the_peak_of_a_process(seed: int) -> Figures:
    """Hold 128 MiB of numbers."""
    return {"megabytes_of_128": peaks(seed)["block"]}


@measures(
    "Four parts, accumulated by `gradient_accumulation_steps=4`, and recomputed blocks "
    "each take less memory than the whole batch.",
    bound={"share_of_parts": (0.0, 0.97), "share_of_recomputed": (0.0, 0.97)},
    rounds=1,
)
def parts_and_recomputing_save_memory(seed: int) -> Figures:
    """Compare the peaks of one training step each."""
    found = peaks(seed)
    return {
        f"share_of_{name}": found[name] / found["whole"]
        for name in ("parts", "recomputed")
    }


def seconds_of_digits(seed: int) -> dict[str, dict[str, float]]:
    """Time the steps of a small network on a slow and on a fast pipeline of digits."""
    images, labels = digit_images()
    keras.utils.set_random_seed(seed)
    layers = [
        keras.layers.Conv2D(8, 3, activation="relu"),
        keras.layers.GlobalMaxPooling2D(),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential([keras.Input((32, 32, 1)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    fast = fast_batches(images, labels)
    model.fit(fast, shuffle=False, verbose=0)  # fills the cache
    return {
        "slow": seconds_per_step(model, slow_batches(images, labels)),
        "fast": seconds_per_step(model, fast),
    }


@measures(
    "With this generator a step takes at least twice as long as on one batch: the "
    "training is input-bound.",
    bound={"times_as_long": (2.0, 1000.0)},
    rounds=3,
)
def a_generator_is_the_bottleneck(seed: int) -> Figures:
    """Enlarge digits in a generator."""
    slow = seconds_of_digits(seed)["slow"]
    return {"times_as_long": slow["pipeline"] / slow["one batch"]}


@measures(
    "A step now takes at most half as long as with the generator.",
    bound={"share_of_the_time": (0.0, 0.5)},
    rounds=3,
)
def a_better_pipeline_takes_less(seed: int) -> Figures:
    """Enlarge digits in a `map`, with a cache."""
    found = seconds_of_digits(seed)
    return {"share_of_the_time": found["fast"]["pipeline"] / found["slow"]["pipeline"]}


@measures(
    "`steps_per_execution=32` takes at most 0.7 of the time, for the same small steps.",
    bound={"share_of_the_time": (0.0, 0.7)},
    rounds=1,
)
def many_steps_at_once_take_less(seed: int) -> Figures:
    """Train for epochs of 32 small steps, five of each kind in turns."""
    images, labels = digit_images()
    batches = as_dataset(images[:1024], labels[:1024]).cache()
    ways = {}
    for name, steps in {"one": 1, "many": 32}.items():
        keras.utils.set_random_seed(seed)
        model = functional_cnn((8, 8, 1), 10)
        options = {"jit_compile": False, "steps_per_execution": steps}
        ways[name] = epoch_of_fit(model, batches, **options)
    ratios = ratios_to_first(seconds_in_turns(ways, rounds=5, warm_up=1))
    return {"share_of_the_time": ratios["many"][1]}


@measures(
    "`predict` takes at least ten times as long for one image.",
    bound={"times_as_long": (10.0, 1000.0)},
    rounds=1,
)
def predict_takes_longer_for_one_image(seed: int) -> Figures:
    """Compute the scores of one digit 20 times, by `predict` and compiled, in turns."""
    images, _ = digit_images()
    keras.utils.set_random_seed(seed)
    model = functional_cnn((8, 8, 1), 10)
    compiled = tf.function(model, reduce_retracing=True)
    image = images[:1]
    ways = {
        "compiled": lambda: float(tf.reduce_sum(compiled(image))),
        "predict": lambda: float(model.predict(image, verbose=0).sum()),
    }
    ratios = ratios_to_first(seconds_in_turns(ways, rounds=20, warm_up=2))
    return {"times_as_long": ratios["predict"][1]}

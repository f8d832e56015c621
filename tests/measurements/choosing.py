"""Measurements of the guide to choosing a level."""

from functools import cache

import keras
import numpy as np

from snippets.choosing import LEVELS, build_network
from snippets.choosing.comparing import peak_memory, step_seconds
from snippets.measuring import ratios_to_first
from tests.measurements.measures import Figures, measures


@cache
def median_ratios(seed: int, size: int, batch_size: int, rounds: int) -> Figures:
    """The median ratio of each level's step to that of Sequential."""
    keras.utils.set_random_seed(seed)
    networks = {level: build_network(level, (size, size, 1), 10) for level in LEVELS}
    generator = np.random.default_rng(seed)
    images = generator.random((batch_size, size, size, 1), "float32")
    seconds = step_seconds(networks, images, np.arange(batch_size) % 10, rounds)
    return {level: middle for level, (_, middle, _) in ratios_to_first(seconds).items()}


def small_steps(seed: int) -> Figures:
    """Ratios of the small step of the page: 32 images of 8 x 8 pixels."""
    return median_ratios(seed, size=8, batch_size=32, rounds=200)


def large_steps(seed: int) -> Figures:
    """Ratios of the large step of the page: 64 images of 32 x 32 pixels."""
    return median_ratios(seed, size=32, batch_size=64, rounds=30)


@measures(
    "Among the four levels of Keras, a subclass included, the level makes little "
    "difference: the slowest took less than 1.1 times as long as the fastest in a "
    "small step, and less than 1.3 times in a larger one.",
    bound={"small step": (1.0, 1.099), "large step": (1.0, 1.299)},
)
def four_levels_train_about_equally_fast(seed: int) -> Figures:
    """Divide the slowest of the four medians by the fastest, for both steps."""
    found = {"small step": small_steps(seed), "large step": large_steps(seed)}
    of_keras = {
        name: [ratios[level] for level in LEVELS[:4]] for name, ratios in found.items()
    }
    return {name: max(ratios) / min(ratios) for name, ratios in of_keras.items()}


@measures(
    "TensorFlow alone is faster if the step is small: for 32 images of 8 by 8 pixels "
    "`tf.Module` took 0.5 to 0.8 times as long as Sequential.",
    bound={"ratio": (0.5, 0.8)},
)
def a_small_step_is_faster_in_tensorflow(seed: int) -> Figures:
    """Divide the time of `tf.Module` by that of Sequential."""
    return {"ratio": small_steps(seed)["tf.Module"]}


@measures(
    "For a larger step the difference is gone: for 64 images of 32 by 32 pixels "
    "`tf.Module` took 0.8 to 1.2 times as long.",
    bound={"ratio": (0.8, 1.2)},
)
def a_large_step_is_as_fast_in_keras(seed: int) -> Figures:
    """Divide the time of `tf.Module` by that of Sequential."""
    return {"ratio": large_steps(seed)["tf.Module"]}


@measures(
    "The peak of memory, of a process that builds and trains one network, differs by "
    "less than a quarter between the levels.",
    bound={"highest to lowest": (1.0, 1.249)},
    rounds=1,
)
def memory_hardly_depends_on_the_level(seed: int) -> Figures:
    """Measure each level three times, and divide the highest median by the lowest."""
    peaks = peak_memory((32, 32, 1), batch_size=64, num_classes=10, repeats=3)
    medians = [float(np.median(megabytes)) for megabytes in peaks.values()]
    return {"highest to lowest": max(medians) / min(medians)}

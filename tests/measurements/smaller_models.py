"""Measurements of the guide to smaller models."""

import keras
import numpy as np
import tensorflow as tf

from snippets.data import digit_images
from snippets.measuring import ratios_to_first, seconds_in_turns
from snippets.smaller_models import LITE_KINDS, lite_file, lite_function
from snippets.smaller_models.lite import share_right
from snippets.smaller_models.speed import files_to_compare, seconds_of_answers
from tests.measurements.measures import Figures, measures


@measures(
    "The small network above gains more: each of its files answers in less than a "
    "tenth of the time of a `tf.function` of the model, which is mostly the overhead "
    "of a call.",
    bound={"longest_share": (0.0, 0.1)},
    rounds=1,
)
def lite_answers_faster(seed: int) -> Figures:
    """Classify 100 digits, one after the other, nine times by each in turns."""
    images, labels = digit_images()
    keras.utils.set_random_seed(seed)
    wide = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    flat = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    model = keras.Sequential([*flat, *wide, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    model.fit(images[:1024], labels[:1024], epochs=3, verbose=0)
    functions = {"tf.function": tf.function(model, autograph=False)}
    for kind in LITE_KINDS:
        functions[kind] = lite_function(lite_file(model, kind, images[:100]))
    ways = {
        name: share_right(function, images[1024:1124], labels[1024:1124])
        for name, function in functions.items()
    }
    ratios = ratios_to_first(seconds_in_turns(ways, rounds=9, tolerance=0.05))
    shares = [middle for _, middle, _ in list(ratios.values())[1:]]
    return {"longest_share": float(np.max(shares))}


@measures(
    "This is `keras.applications.MobileNetV2`, untrained, with images of 224 by 224 "
    "pixels, one at a time. In float32 the file answers in about a third of the time "
    "of a `tf.function` of the model. Fewer bits save bytes here, and no time. In "
    "all our recordings, float16 weights take half of the bytes and as long as "
    "float32, int8 weights less than a third of the bytes and 1.2 to 1.8 times as "
    "long, integers alone less than a third of the bytes and 0.8 to 1.2 times as "
    "long. With `num_threads=2` the float32 file takes 0.5 to 0.9 of its time.",
    bound={
        "float32_share_of_the_time_of_keras": (0.2, 0.5),
        "float16_share_of_the_bytes": (0.5, 0.52),
        "float16_times_as_long": (0.9, 1.1),
        "int8_weights_share_of_the_bytes": (0.25, 0.33),
        "int8_weights_times_as_long": (1.2, 1.8),
        "integers_share_of_the_bytes": (0.25, 0.33),
        "integers_times_as_long": (0.8, 1.2),
        "two_threads_share_of_the_time": (0.5, 0.9),
    },
    rounds=1,
)
def mobilenet_answers(seed: int) -> Figures:
    """Answer one image 50 times by each in turns; the times are their medians."""
    network = keras.applications.MobileNetV2(weights=None)
    images = np.random.default_rng(seed).random((10, 224, 224, 3), "float32")
    files = files_to_compare(network, images)
    seconds = seconds_of_answers(network, files, images[:1])
    middle = {name: float(np.median(times)) for name, times in seconds.items()}
    bytes_of = {name: len(file) / len(files["float32"]) for name, file in files.items()}
    time_of = {name: middle[name] / middle["float32"] for name in middle}
    return {
        "float32_share_of_the_time_of_keras": 1 / time_of["tf.function"],
        "float16_share_of_the_bytes": bytes_of["float16 weights"],
        "float16_times_as_long": time_of["float16 weights"],
        "int8_weights_share_of_the_bytes": bytes_of["int8 weights"],
        "int8_weights_times_as_long": time_of["int8 weights"],
        "integers_share_of_the_bytes": bytes_of["integers alone"],
        "integers_times_as_long": time_of["integers alone"],
        "two_threads_share_of_the_time": time_of["float32, two threads"],
    }

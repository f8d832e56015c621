"""Measurements of the guide to smaller models."""

import keras
import numpy as np
import tensorflow as tf

from snippets.data import digit_images
from snippets.measuring import ratios_to_first, seconds_in_turns
from snippets.smaller_models import LITE_KINDS, lite_file, lite_function
from snippets.smaller_models.lite import share_right
from tests.measurements.measures import Figures, measures


@measures(
    "Every kind of file answers in less than a tenth of the time of a compiled Keras "
    "model.",
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

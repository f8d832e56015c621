"""What the proofs of the guide gans and of its reference pages share."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras

X = np.linspace(0.0, 1.0, 8 * 16, dtype="float32").reshape(8, 4, 4, 1)
Y = np.arange(8) % 2
QUIET = {"batch_size": 8, "verbose": 0}
ALL_KINDS = ("GAN", "ConditionalGAN", "WassersteinGAN")
NETWORKS = ("generator", "discriminator")


def small(kind="GAN", dropout=0.0, compiled=None, **options):
    """A GAN of 4 x 4 images, three numbers of noise and two classes."""
    from snippets import gans

    told = 2 if kind == "ConditionalGAN" else 0
    if told:
        options["num_classes"] = told
    gan = getattr(gans, kind)(
        gans.build_generator(3 + told, (4, 4, 1), width=4),
        gans.build_discriminator((4, 4, 1 + told), width=4, dropout=dropout),
        **options,
    )
    gan.compile(**{"run_eagerly": True, **(compiled or {})})  # tracing takes longer
    return gan


def bits(model):
    """Every weight of a model, to the last bit."""
    return [np.array(weight).tobytes() for weight in model.weights]


def steps_of(optimizer):
    """How many steps an optimizer has taken; `int` knows no variable of Keras 3.4."""
    return int(np.array(optimizer.iterations))


def bare(kind="GAN", dropout=0.0, compiled=None, activation="sigmoid"):
    """The pattern of the guide, of the same size."""
    from snippets import gans
    from snippets.gans import bare as pattern

    told = 2 if kind == "ConditionalGAN" else 0
    gan = getattr(pattern, kind)(
        gans.build_generator(3 + told, (4, 4, 1), width=4, activation=activation),
        gans.build_discriminator((4, 4, 1 + told), width=4, dropout=dropout),
        num_classes=told,
    )
    adams = {f"{name}_optimizer": keras.optimizers.Adam() for name in NETWORKS}
    gan.compile(**{**adams, "run_eagerly": True, **(compiled or {})})
    return gan


def refusal_of_pixels(gan):
    """What a GAN says of pixels up to 255 in training: nothing, if it takes them."""
    try:
        gan.fit(X * 255, **QUIET)
    except tf.errors.InvalidArgumentError as problem:
        return str(problem)
    return ""


def photo_folder(folder, grays):
    """Write three PNG files in one gray each into a folder for each name."""
    for name, gray in grays.items():
        Path(folder, name).mkdir()
        for number in range(3):
            pixels = np.full((12, 10, 3), gray, "uint8")
            file = f"{folder}/{name}/{number}.png"
            tf.io.write_file(file, tf.io.encode_png(pixels))
    return str(folder)

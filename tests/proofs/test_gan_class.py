"""Proofs of the reference of the GAN class with its checks."""

import contextlib
import functools
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_gans import (
    ALL_KINDS,
    NETWORKS,
    QUIET,
    X,
    Y,
    bits,
    photo_folder,
    refusal_of_pixels,
    small,
)


def step_of(kind, policy="float32", epochs=1, **options):
    """The largest change of each network in some steps, and both optimizers."""
    keras.mixed_precision.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        sgd = {f"{n}_optimizer": keras.optimizers.SGD(0.1) for n in NETWORKS}
        gan = small(kind, compiled={**sgd, **options})
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    before = [getattr(gan, name).get_weights() for name in NETWORKS]
    gan.fit(X, Y, epochs=epochs, shuffle=False, **QUIET)
    after = [getattr(gan, name).get_weights() for name in NETWORKS]
    moved = [np.abs(a[-2] - b[-2]).max() for a, b in zip(before, after, strict=True)]
    return moved, (gan.optimizer, gan.discriminator_optimizer)


@proves(
    "The step works in `mixed_float16`, where both losses are scaled, with "
    "`jit_compile=True`, and under `MirroredStrategy`.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_both_losses_are_scaled(policy="mixed_float16"):
    for kind in ALL_KINDS:
        moved, optimizers = step_of(kind, policy, epochs=8)
        kinds = {type(optimizer).__name__ for optimizer in optimizers}
        assert kinds == {"LossScaleOptimizer"}
        # A step whose gradients are infinite is skipped, and halves the scale.
        assert all(float(o.scale_loss(1.0)) > 100 for o in optimizers)
        assert np.isfinite(moved).all()
        assert min(moved) > 1e-4


@proves(
    "The step works in `mixed_float16`, where both losses are scaled, with "
    "`jit_compile=True`, and under `MirroredStrategy`.",
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_the_step_of_xla(rate=0.1):
    xla = {"run_eagerly": False, "jit_compile": True}
    for kind in ALL_KINDS:
        slow = {"discriminator_optimizer": keras.optimizers.SGD(rate)}
        moved, _ = step_of(kind, **xla, **slow)
        assert np.isfinite(moved).all()
        assert min(moved) > 1e-5


@functools.cache
def on_two_devices():
    """What a process with two devices says of the difference to one device."""
    program = """
import contextlib
import numpy as np
import tensorflow as tf
from tensorflow import keras
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
from snippets.gans import GAN, WassersteinGAN, build_discriminator, build_generator
x = np.linspace(0.0, 1.0, 8 * 16, dtype="float32").reshape(8, 4, 4, 1)
for kind in GAN, WassersteinGAN:
    for parts in ([x], [x, x], [x, 0.5 * x]):
        keras.utils.set_random_seed(0)
        two = len(parts) == 2
        with strategy.scope() if two else contextlib.nullcontext():
            gan = kind(
                build_generator(3, (4, 4, 1), width=4),
                build_discriminator((4, 4, 1), width=4, dropout=0.0),
            )
            gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
        images = np.concatenate(parts)
        gan.fit(images, batch_size=len(images), shuffle=False, verbose=0)
        weights = np.concatenate([w.ravel() for w in gan.get_weights()])
        if two:
            print("difference", np.abs(weights - expected).max())
        else:
            expected = weights
"""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True
    )
    lines = [line for line in done.stdout.splitlines() if "difference" in line]
    assert len(lines) == 4, done.stderr[-2000:]
    return [float(line.split()[1]) for line in lines]


@proves(
    "The step works in `mixed_float16`, where both losses are scaled, with "
    "`jit_compile=True`, and under `MirroredStrategy`.",
    false_with={"halves": "different"},
    keras=">=3.6",
    needs="keras>=3",
)
def test_two_devices_take_the_step_of_one(halves="same"):
    gan_same, gan_different, wgan_same, wgan_different = on_two_devices()
    differences = {
        "same": (gan_same, wgan_same),
        "different": (gan_different, wgan_different),
    }
    assert max(differences[halves]) < 1e-5


@proves(
    "It refuses `sample_weight` and `class_weight`.",
    false_with={"options": {}},
    needs="keras>=3",
)
def test_weights_are_refused(options=None):
    weights = {"sample_weight": np.ones(8)}, {"class_weight": {0: 1.0, 1: 2.0}}
    for kind in ALL_KINDS:
        for given in weights if options is None else [options]:
            with pytest.raises(ValueError, match="no `sample_weight` and no `class"):
                small(kind).fit(X, Y, **given, **QUIET)


@proves(
    "`validation_data` adds both losses for the held-out images and as many made-up "
    "ones.",
    false_with={"held_out": None},
    needs="keras>=3",
)
def test_fit_shows_both_losses(held_out=X):
    gan = small()
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        history = gan.fit(X, validation_data=held_out, batch_size=4, verbose=1).history
    for name in ("generator_loss", "discriminator_loss"):
        assert name in printed.getvalue()
        assert f"val_{name}" in history


@proves(
    "Pass the range of the pixels as `image_range`, here [-1, 1], as in the DCGAN "
    "paper:",
    false_with={"image_range": (0, 1)},
    needs="keras>=3",
)
def test_images_from_minus_1_to_1(image_range=(-1, 1)):
    from snippets.gans import GAN, build_discriminator, build_generator

    tanh = build_generator(3, (4, 4, 1), width=4, activation="tanh")
    critic = build_discriminator((4, 4, 1), width=4)
    gan = GAN(tanh, critic, image_range=image_range)
    gan.compile(run_eagerly=True)
    error = ""
    try:
        gan.fit(2 * X - 1, **QUIET)
    except tf.errors.InvalidArgumentError as problem:
        error = str(problem)
    assert not error
    assert gan.sample(8).min() < 0


@proves(
    "For another loss, override `discriminator_loss` and `generator_loss` in a "
    "subclass.",
    false_with={"own": False},
    needs="keras>=3",
)
def test_how_to_take_another_loss(own=True):
    from snippets.gans import GAN, build_discriminator, build_generator

    class Other(GAN):
        def discriminator_loss(self, real, fake):
            return tf.reduce_mean(0 * real) + 2.0

        def generator_loss(self, fake):
            return tf.reduce_mean(0 * fake) + 3.0

    networks = build_generator(3, (4, 4, 1), 4), build_discriminator((4, 4, 1), 4)
    gan = (Other if own else GAN)(*networks)
    gan.compile(run_eagerly=True)
    history = gan.fit(X, **QUIET).history
    assert history["discriminator_loss"] == [2.0]
    assert history["generator_loss"] == [3.0]


def trained_on_folders(folder, kind, color, shape, asked):
    """The lines of the page: the GAN, the generator of the file, each row by name."""
    from snippets.gans import build_photo_discriminator, build_photo_generator

    files = keras.utils.image_dataset_from_directory(
        photo_folder(folder, {"dog": 255, "cat": 0}),
        color_mode=color,
        image_size=shape[:2],
        batch_size=64,
    )
    images = files.map(lambda pixels, labels: (pixels / 255, labels))
    names = files.class_names

    n = len(names)
    generator = build_photo_generator(64 + n, shape, 16)
    discriminator = build_photo_discriminator((*shape[:2], shape[-1] + n), 8)
    gan = kind(generator, discriminator, num_classes=n)
    adams = [keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2)]
    gan.compile(*adams)

    def write(path, labels):
        row = np.uint8(255 * np.hstack(gan.sample(labels)))
        tf.io.write_file(f"{folder}/{path}", tf.io.encode_png(row))

    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: write(f"{epoch}.png", np.arange(n))
    )
    gan.fit(images, epochs=2, shuffle=False, callbacks=[watch], verbose=0)
    gan.generator.save(f"{folder}/generator.keras")
    write("cats.png", [names.index(asked)] * 5)
    rows = {
        path.stem: tf.io.decode_png(tf.io.read_file(str(path))).numpy()
        for path in Path(folder).glob("*.png")
    }
    return gan, keras.models.load_model(f"{folder}/generator.keras"), rows


@proves(
    "These lines train this class, or that of the guide, on `photos`, which has a "
    "folder for each class. They write a sample of each class after each epoch, and "
    "five cats at the end:",
    false_with={"asked": "dog"},
    needs="keras>=3",
)
def test_a_folder_for_each_class_trains(asked="cat"):
    from snippets import gans
    from snippets.gans import bare

    for kind, color, shape in (
        (gans.ConditionalGAN, "rgb", (16, 16, 3)),
        (bare.ConditionalGAN, "grayscale", (16, 16, 1)),
    ):
        with tempfile.TemporaryDirectory() as folder:
            gan, loaded, rows = trained_on_folders(folder, kind, color, shape, asked)
        assert sorted(rows) == ["0", "1", "cats"]
        assert rows["0"].shape == (16, 32, shape[-1])
        noise = gan.noise(5, seed=0)
        told = np.hstack([noise, [[1.0, 0.0]] * 5])  # the cat is the first of two
        cats = np.array(loaded(told))
        for row, images in ((rows["cats"], cats), (rows["1"], gan.sample([0, 1]))):
            # Each pixel is cut off to a whole number.
            assert np.abs(row + 0.5 - 255 * np.hstack(images)).max() < 0.51


@proves(
    "The label of a folder is the place of its name among all names, sorted as text "
    "and counted from 0: folder `10` comes before folder `2`.",
    false_with={"class_names": ["2", "10", "cat"]},
)
def test_folders_are_sorted_as_text(class_names=None):
    with tempfile.TemporaryDirectory() as folder:
        files = keras.utils.image_dataset_from_directory(
            photo_folder(folder, {"cat": 200, "2": 100, "10": 0}),
            class_names=class_names,
            color_mode="grayscale",
            image_size=(4, 4),
        )
        ((pixels, labels),) = files
    assert files.class_names == ["10", "2", "cat"]
    assert np.array_equal(np.sort(labels), [0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert np.array_equal(pixels[:, 0, 0, 0], 100 * np.array(labels))


@proves(
    '`gan.save("gan.keras")` keeps both networks and both optimizers, so that the '
    "loaded GAN goes on training.",
    false_with={"loaded": False},
    needs="keras>=3",
)
def test_a_loaded_gan_goes_on_training(loaded=True):
    gan = small(
        "ConditionalGAN", compiled={"generator_optimizer": keras.optimizers.Adam()}
    )
    gan.fit(X, Y, epochs=2, **QUIET)
    again = small("ConditionalGAN")
    if loaded:
        again = reloaded(gan)
    for one in (gan, again):
        one.noise_source = keras.random.SeedGenerator(5)
    expected = gan.fit(X, Y, epochs=2, shuffle=False, **QUIET).history
    assert again.fit(X, Y, epochs=2, shuffle=False, **QUIET).history == expected
    assert bits(again) == bits(gan)


def reloaded(gan):
    """The GAN that comes out of the file."""
    with tempfile.TemporaryDirectory() as folder:
        gan.save(f"{folder}/gan.keras")
        again = keras.models.load_model(f"{folder}/gan.keras")
    again.run_eagerly = True
    return again


@proves(
    "Its noise begins again at `seed`.",
    false_with={"loaded": False},
    needs="keras>=3",
)
def test_the_noise_of_a_loaded_gan_begins_again(loaded=True):
    gan = small(seed=3)
    first = np.array(gan.noise(4, gan.noise_source))
    gan.fit(X, **QUIET)
    again = reloaded(gan) if loaded else gan
    assert np.array_equal(again.noise(4, again.noise_source), first)


@proves(
    "Divide by 255, pass `image_range=(-1, 1)`, or remove the NaN: the step stops "
    "before it changes a weight.",
    false_with={"factor": 1},
    needs="keras>=3",
)
def test_bad_values_change_nothing(factor=255):
    nan = np.where(np.arange(16).reshape(4, 4, 1) == 5, np.nan, X).astype("float32")
    for eager in (True, False):
        gan = small("ConditionalGAN", compiled={"run_eagerly": eager})
        before = bits(gan.generator), bits(gan.discriminator)
        for images, labels in ((X * factor, Y), (nan, Y), (X, Y + 1), (X - 1, Y)):
            with pytest.raises(tf.errors.InvalidArgumentError, match="Expected"):
                gan.fit(images, labels, **QUIET)
            assert (bits(gan.generator), bits(gan.discriminator)) == before


@proves(
    "Under `jit_compile=True` nothing stops, since XLA leaves assertions out.",
    false_with={"jit": False},
    needs="keras>=3",
)
def test_xla_checks_no_values(jit=True):
    gan = small(compiled={"run_eagerly": False, "jit_compile": jit})
    assert not refusal_of_pixels(gan)


@proves(
    "Images are refused as integers, without the axis of channels, and in another "
    "size: cast and divide, add `[..., None]`, or resize.",
    false_with={"pad": 0},
    needs="keras>=3",
)
def test_bad_shapes_and_integers_are_refused(pad=2):
    larger = np.pad(X, ((0, 0), (0, pad), (0, pad), (0, 0)))
    for images in (larger, (X * 255).astype("uint8"), X[..., 0]):
        with pytest.raises(ValueError, match=r"Expected images of shape .* of floats"):
            small().fit(images, **QUIET)


@proves(
    "A conditional GAN wants `fit(images, labels)`, with labels of shape `(batch,)`, "
    "integers from 0; take `argmax` of one-hot labels.",
    false_with={"add": 0},
    needs="keras>=3",
)
def test_labels_that_are_refused(add=1):
    one_hot = np.eye(2)[Y]
    for labels in (None, one_hot, Y.astype("float32"), Y + add):
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="label"):
            small("ConditionalGAN").fit(X, labels, **QUIET)
    history = small("ConditionalGAN").fit(X, np.argmax(one_hot, axis=-1), **QUIET)
    assert len(history.epoch) == 1


@proves(
    "Write `gan.compile(Adam(...), Adam(...))`: the same optimizer twice is refused.",
    false_with={"copies": 2},
    needs="keras>=3",
)
def test_the_same_optimizer_twice_is_refused(copies=1):
    adams = [keras.optimizers.Adam() for _ in range(copies)]
    with pytest.raises(ValueError, match="two optimizers"):
        small().compile(adams[0], adams[-1])

"""Recipes for GANs: two networks trained at once, each against the other.

The three models share one training step. What is their own is a method each: the
losses, and what the networks are told beside the image.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

Images = npt.NDArray[np.float32]


def check_network(image_shape: tuple[int, ...], width: int) -> None:
    """Refuse sizes of which no generator or discriminator can be built.

    Args:
        image_shape: Tuple `(height, width, channels)`, height and width even.
        width: Even integer of at least 2, the channels of the widest layer.

    Raises:
        ValueError: If an argument is something else.

    Example:
        >>> check_network((7, 8, 1), width=64)
        Traceback (most recent call last):
            ...
        ValueError: Expected `image_shape` as (height, width, channels), ... (7, 8, 1)
    """
    even = [size % 2 == 0 for size in image_shape[:2]]
    if len(image_shape) != 3 or min(image_shape) < 1 or not all(even):
        raise ValueError(
            "Expected `image_shape` as (height, width, channels), height and width "
            f"even, each at least 1. Received: {image_shape}"
        )
    if width < 2 or width % 2:
        raise ValueError(f"Expected an even `width` of at least 2. Received: {width}")


def build_generator(
    input_dim: int, image_shape: tuple[int, int, int] = (8, 8, 1), width: int = 32
) -> keras.Model:
    """Build a network that turns noise into images.

    It starts from half the size and doubles it once, as the DCGAN does several times.

    Args:
        input_dim: Integer of at least 1, the numbers it starts from: the noise, and the
            one-hot label if the GAN is conditional.
        image_shape: Tuple `(height, width, channels)`, height and width even.
        width: Even integer of at least 2, the channels of its widest layer.

    Returns:
        A `keras.Model` from vectors of shape `(batch, input_dim)` to images of shape
        `(batch, *image_shape)`, float32 in `[0, 1]`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> build_generator(16, image_shape=(8, 8, 1)).output_shape
        (None, 8, 8, 1)

    References:
        - [Unsupervised Representation Learning with Deep Convolutional Generative
          Adversarial Networks](https://arxiv.org/abs/1511.06434), A. Radford et al.,
          2015.
    """
    if input_dim < 1:
        raise ValueError(f"Expected `input_dim` of at least 1. Received: {input_dim}")
    check_network(image_shape, width)
    height, breadth, layers = image_shape[0] // 2, image_shape[1] // 2, keras.layers
    return keras.Sequential(
        [
            keras.Input((input_dim,), name="noise"),
            layers.Dense(height * breadth * width, use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Reshape((height, breadth, width)),
            layers.Conv2DTranspose(
                width // 2, 4, strides=2, padding="same", use_bias=False
            ),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2D(image_shape[2], 3, padding="same", activation="sigmoid"),
        ],
        name="generator",
    )


def build_discriminator(
    image_shape: tuple[int, int, int], width: int = 32, dropout: float = 0.3
) -> keras.Model:
    """Build a network that scores images: high for real, low for made up.

    It has no BatchNormalization: the statistics would mix the real with the made-up
    images, and a gradient penalty is defined for one image at a time.

    Args:
        image_shape: Tuple `(height, width, channels)`, height and width even; to the
            channels of the image come those of the label, if the GAN is conditional.
        width: Even integer of at least 2, the channels of its widest layer.
        dropout: Float in `[0, 1)`, the part of the features that is dropped.

    Returns:
        A `keras.Model` from images of shape `(batch, *image_shape)` to scores of shape
        `(batch, 1)`, float32 of any size: logits, no probabilities.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> build_discriminator((8, 8, 1)).output_shape
        (None, 1)
    """
    check_network(image_shape, width)
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"Expected `dropout` in [0, 1). Received: {dropout}")
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(image_shape, name="image"),
            layers.Conv2D(width // 2, 3, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Conv2D(width, 4, strides=2, padding="same"),
            layers.LeakyReLU(negative_slope=0.2),
            layers.Flatten(),
            layers.Dropout(dropout),
            layers.Dense(1),
        ],
        name="discriminator",
    )


def check_real_images(images: Any, image_shape: tuple[int, ...]) -> None:
    """Refuse training images that a generator could never make.

    Args:
        images: Array or tensor of shape `(batch, height, width, channels)`.
        image_shape: Tuple `(height, width, channels)` of the generator's images.

    Raises:
        ValueError: If there is no image, if the shape is another, or if a value is not
            a number in `[0, 1]`.

    Example:
        >>> check_real_images(np.full((2, 8, 8, 1), 255), (8, 8, 1))
        Traceback (most recent call last):
            ...
        ValueError: Expected images in [0, 1], ... Received: values from 255 to 255
    """
    shape = np.shape(images)
    if shape[1:] != tuple(image_shape) or not shape[0]:
        raise ValueError(
            f"Expected images of shape (batch, {', '.join(map(str, image_shape))}), as "
            f"the generator makes them, at least one. Received: shape {shape}"
        )
    low, high = np.min(images), np.max(images)
    if not (low >= 0 and high <= 1):
        raise ValueError(
            "Expected images in [0, 1], as the generator makes them. "
            f"Received: values from {low:g} to {high:g}"
        )


def check_labels(labels: Any, num_classes: int) -> None:
    """Refuse labels that are no class numbers.

    Args:
        labels: Array, tensor or list of class numbers, shape `(batch,)`.
        num_classes: Integer of at least 1.

    Raises:
        ValueError: If `labels` is empty, has another shape, or holds something else
            than whole numbers from 0 to `num_classes - 1`.

    Example:
        >>> check_labels([3, 10], num_classes=10)
        Traceback (most recent call last):
            ...
        ValueError: Expected labels of shape (batch,), whole ... Received: 3 to 10
    """
    numbers = np.asarray(labels)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu" or not numbers.size:
        received = f"shape {numbers.shape} and dtype {numbers.dtype}"
    elif not 0 <= numbers.min() <= numbers.max() < num_classes:
        received = f"{numbers.min()} to {numbers.max()}"
    else:
        return
    raise ValueError(
        "Expected labels of shape (batch,), whole numbers from 0 to "
        f"{num_classes - 1}, at least one. Received: {received}"
    )


@keras.saving.register_keras_serializable(package="snippets")
class GAN(keras.Model):
    """A generator and a discriminator that learn from each other, as one Keras model.

    One step makes one batch of images. The discriminator learns to score them lower
    than the real ones, then the generator learns to have them scored higher. Each
    network has an optimizer of its own, and neither half touches the weights of the
    other network.

    Args:
        generator: A `keras.Model` from noise of shape `(batch, latent_dim)` to images
            in `[0, 1]`.
        discriminator: A `keras.Model` from such images to scores of shape `(batch, 1)`.
        label_smoothing: Float in `[0, 0.5)`, how far below 1 the target of real images
            is, so that the discriminator is never quite sure.
        seed: Integer of at least 0 that decides the noise of the training.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> gan = GAN(build_generator(16), build_discriminator((8, 8, 1)))
        >>> gan.compile()
        >>> history = gan.fit(np.zeros((64, 8, 8, 1), "float32"), verbose=0)
        >>> sorted(history.history)
        ['discriminator_loss', 'generator_loss']
        >>> gan.sample(5).shape
        (5, 8, 8, 1)

    References:
        - [Generative Adversarial Networks](https://arxiv.org/abs/1406.2661),
          I. Goodfellow et al., 2014: the loss that its section 3 recommends for the
          generator.
    """

    num_classes = 0  # of labels that the networks are told

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        label_smoothing: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        """Keep the two networks and make what counts their losses."""
        super().__init__(**kwargs)
        if not 0.0 <= label_smoothing < 0.5:
            raise ValueError(
                f"Expected `label_smoothing` in [0, 0.5). Received: {label_smoothing}"
            )
        self.generator, self.discriminator = generator, discriminator
        self.label_smoothing, self.seed = label_smoothing, seed
        *size, channels = self.image_shape = tuple(generator.output_shape[1:])
        self.latent_dim = generator.input_shape[-1] - self.num_classes
        scored = (*size, channels + self.num_classes)
        if self.latent_dim < 1 or tuple(discriminator.input_shape[1:]) != scored:
            raise ValueError(
                f"Expected a generator of more than {self.num_classes} inputs, and a "
                f"discriminator of images of shape {scored}. Received: "
                f"{generator.input_shape[-1]} inputs and "
                f"{discriminator.input_shape[1:]}"
            )
        self.noise_source = keras.random.SeedGenerator(seed)
        self.discriminator_tracker = keras.metrics.Mean(name="discriminator_loss")
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.built = True  # its networks are

    def compile(
        self,
        generator_optimizer: keras.Optimizer | None = None,
        discriminator_optimizer: keras.Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Give each network its optimizer, by default Adam as the DCGAN has it."""
        first = generator_optimizer or keras.optimizers.Adam(1e-3, beta_1=0.5)
        second = discriminator_optimizer or keras.optimizers.Adam(1e-3, beta_1=0.5)
        if first is second:
            raise ValueError(
                "Expected an optimizer for each network, since one knows the variables "
                "of one network only. Received: the same object twice"
            )
        # Keras would scale the loss of one of the two, in mixed precision.
        super().compile(optimizer=first, **{"auto_scale_loss": False, **kwargs})
        self.discriminator_optimizer = second
        first.build(self.generator.trainable_variables)
        second.build(self.discriminator.trainable_variables)

    def fit(self, x: Any = None, y: Any = None, **kwargs: Any) -> Any:
        """Check the data, then train as `keras.Model.fit` does.

        A dataset is read once for the check; of one without an end, the first batch.
        """
        batches: Any = [(x, y)]
        if isinstance(x, tf.data.Dataset):
            batches = x.take(1 if x.cardinality() < 0 else -1)
        elif isinstance(x, keras.utils.PyDataset):
            batches = [x[0]]
        batch = None
        for batch in batches:
            self.check_data(*self.unpack(batch))
        if batch is None:
            raise ValueError("Expected at least one batch. Received: an empty dataset")
        return super().fit(x, y, **kwargs)

    def unpack(self, data: Any) -> tuple[Any, Any]:
        """Return images and labels of a batch, and refuse weights."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ValueError(
                "Expected images without `sample_weight` or `class_weight`"
            )
        return images, labels

    def check_data(self, images: Any, labels: Any) -> None:
        """Raise a `ValueError` for what this GAN cannot be trained on."""
        check_real_images(images, self.image_shape)

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        """Make images of noise of shape `(batch, latent_dim)`."""
        return self.generator(noise, training=training)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        """Score images; the result has shape `(batch, 1)`."""
        return self.discriminator(images, training=training)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Score what the discriminator should score low: made-up images."""
        return self.score(fakes, labels, training=True)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Be sure of the made-up images, and almost sure of the real ones."""
        target = (1.0 - self.label_smoothing) * ops.ones_like(real)
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        return loss(target, real) + loss(ops.zeros_like(fake), fake)

    def generator_loss(self, fake: Any) -> Any:
        """Have the made-up images taken for real."""
        loss = keras.losses.BinaryCrossentropy(from_logits=True)
        return loss(ops.ones_like(fake), fake)

    def penalty(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Add nothing to the discriminator's loss."""
        return 0.0

    def train_step(self, data: Any) -> dict[str, Any]:
        """Train both networks on one batch."""
        images, labels = self.unpack(data)
        noise = self.noise(ops.shape(images)[0], self.noise_source)
        with tf.GradientTape() as tape:
            fakes = self.generate(noise, labels, training=True)
            with tape.stop_recording():  # the discriminator learns on a tape of its own
                self.train_discriminator(images, fakes, labels)
            loss = self.generator_loss(self.score(fakes, labels, training=False))
            scaled = self.optimizer.scale_loss(loss)
        variables = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, variables), variables)
        self.generator_tracker.update_state(loss)
        return self.mean_losses()

    def train_discriminator(self, images: Any, fakes: Any, labels: Any) -> None:
        """Train the discriminator on real and made-up images, and nothing else."""
        with tf.GradientTape() as tape:
            real = self.score(images, labels, training=True)
            fake = self.score_unreal(images, fakes, labels)
            loss = self.discriminator_loss(real, fake)
            loss += self.penalty(images, fakes, labels)
            scaled = self.discriminator_optimizer.scale_loss(loss)
        variables = self.discriminator.trainable_variables
        gradients = tape.gradient(scaled, variables)
        self.discriminator_optimizer.apply(gradients, variables)
        self.discriminator_tracker.update_state(loss)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Measure both losses, each batch with the same noise, and train nothing."""
        images, labels = self.unpack(data)
        noise = self.noise(ops.shape(images)[0], self.seed)
        fakes = self.generate(noise, labels, training=False)
        real = self.score(images, labels, training=False)
        fake = self.score(fakes, labels, training=False)
        loss = self.discriminator_loss(real, fake) + self.penalty(images, fakes, labels)
        self.discriminator_tracker.update_state(loss)
        self.generator_tracker.update_state(self.generator_loss(fake))
        return self.mean_losses()

    def mean_losses(self) -> dict[str, Any]:
        """Return both losses, without the one that Keras has for a single network."""
        trackers = self.discriminator_tracker, self.generator_tracker
        return {tracker.name: tracker.result() for tracker in trackers}

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Make images, so that `predict` works: the generator is what is kept."""
        return self.generator(inputs, training=training)

    def noise(self, count: Any, seed: Any) -> Any:
        """Draw normal noise of shape `(count, latent_dim)`."""
        return keras.random.normal((count, self.latent_dim), seed=seed)

    def sample(self, wanted: Any, seed: int = 0) -> Images:
        """Make `wanted` images, the same ones for the same `seed`."""
        if wanted < 1:
            raise ValueError(f"Expected at least one image. Received: {wanted}")
        noise = self.noise(wanted, seed)
        return cast(Images, np.array(self.generate(noise, None, training=False)))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return {
            **super().get_config(),
            **{n: keras.saving.serialize_keras_object(m) for n, m in networks.items()},
            "label_smoothing": self.label_smoothing,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GAN":
        """Make the networks again, then the model."""
        networks = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    def save_own_variables(self, store: Any) -> None:
        """Save how far the noise has come, which no layer keeps."""
        store["noise"] = np.array(self.noise_source.state)

    def load_own_variables(self, store: Any) -> None:
        """Go on with the noise where the saved model was."""
        self.noise_source.state.assign(store["noise"])

    def get_compile_config(self) -> dict[str, Any]:
        """Return both optimizers, so that a loaded model goes on training."""
        optimizers = (self.optimizer, self.discriminator_optimizer)
        names = ("generator_optimizer", "discriminator_optimizer")
        serialize = keras.saving.serialize_keras_object
        return dict(zip(names, map(serialize, optimizers), strict=True))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile with the optimizers of a saved model."""
        deserialize = keras.saving.deserialize_keras_object
        self.compile(**{name: deserialize(config[name]) for name in config})


def two_adams(
    num_steps: int, learning_rate: float = 3e-3
) -> tuple[keras.Optimizer, keras.Optimizer]:
    """Make an optimizer for each network, whose rate falls to 0 along a cosine.

    With a rate that stays, the quality of the images swings from epoch to epoch. The
    rival of each network changes all the time, so both forget old gradients soon: the
    decay of the second moment is 0.9, where Keras has 0.999.

    Args:
        num_steps: Integer of at least 1, the steps of the whole training.
        learning_rate: Float greater than 0, the rate of the first step.

    Returns:
        A tuple of two `keras.optimizers.Adam`, for `compile` of a `GAN`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> generator_optimizer, discriminator_optimizer = two_adams(num_steps=100)
        >>> float(generator_optimizer.learning_rate)
        0.003

    References:
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028),
          I. Gulrajani et al., 2017: `beta_2`, in algorithm 1.
    """
    if num_steps < 1 or not learning_rate > 0:
        raise ValueError(
            "Expected `num_steps` of at least 1 and `learning_rate` greater than 0. "
            f"Received: {num_steps} and {learning_rate}"
        )
    falling = keras.optimizers.schedules.CosineDecay(learning_rate, num_steps)
    first, second = (
        keras.optimizers.Adam(falling, beta_1=0.5, beta_2=0.9) for _ in range(2)
    )
    return first, second


def label_maps(labels: Any, num_classes: int, height: int, width: int) -> Any:
    """Paint each label as images: one channel a class, 1 everywhere in its own.

    Args:
        labels: Integer tensor of shape `(batch,)`, from 0 to `num_classes - 1`.
        num_classes: Integer of at least 1.
        height: Integer of at least 1, in pixels.
        width: Integer of at least 1, in pixels.

    Returns:
        A float32 tensor of shape `(batch, height, width, num_classes)`.

    Example:
        >>> maps = label_maps(np.array([1, 0]), num_classes=2, height=8, width=8)
        >>> maps.shape, float(ops.min(maps[0, :, :, 1]))
        (TensorShape([2, 8, 8, 2]), 1.0)
    """
    one_hot = ops.one_hot(labels, num_classes)[:, None, None, :]
    return ops.tile(one_hot, (1, height, width, 1))


def scrambled_label_maps(labels: Any, num_classes: int, height: int, width: int) -> Any:
    """Show the mistake: repeat each entry of the one-hot label, then reshape.

    A pixel gets neighbors of one entry in place of the whole one-hot label.

    Args:
        labels: Integer tensor of shape `(batch,)`, from 0 to `num_classes - 1`.
        num_classes: Integer of at least 1.
        height: Integer of at least 1, in pixels.
        width: Integer of at least 1, in pixels.

    Returns:
        A float32 tensor of shape `(batch, height, width, num_classes)`: the right shape
        with the wrong values.

    Example:
        >>> maps = scrambled_label_maps(np.array([1, 0]), 2, height=8, width=8)
        >>> np.array(maps[0, 0, 0])
        array([0., 0.], dtype=float32)
    """
    repeated = ops.repeat(ops.one_hot(labels, num_classes), height * width)
    return ops.reshape(repeated, (-1, height, width, num_classes))


def correct_pixels(maps: Any, labels: npt.NDArray[Any]) -> float:
    """Measure how many pixels of label maps are the one-hot label, all channels right.

    Args:
        maps: Tensor of shape `(batch, height, width, num_classes)`.
        labels: Integer array of shape `(batch,)`.

    Returns:
        A float from 0 to 1.

    Example:
        >>> labels = np.array([3, 1, 4])
        >>> correct_pixels(label_maps(labels, 10, 8, 8), labels)
        1.0
    """
    values = np.array(maps)
    wanted = np.eye(values.shape[-1])[labels][:, None, None, :]
    return float(np.mean(np.all(values == wanted, axis=-1)))


@keras.saving.register_keras_serializable(package="snippets")
class ConditionalGAN(GAN):
    """A GAN that makes the class it is asked for.

    The generator gets the one-hot label after the noise; the discriminator gets it as
    further channels of the image, and also learns that a real image under a wrong label
    is not real.

    Args:
        generator: A `keras.Model` from vectors of shape
            `(batch, latent_dim + num_classes)` to images in `[0, 1]`.
        discriminator: A `keras.Model` from images with `num_classes` further channels
            to scores of shape `(batch, 1)`.
        num_classes: Integer of at least 2.
        **kwargs: As for `GAN`.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> discriminator = build_discriminator((8, 8, 1 + 10))
        >>> gan = ConditionalGAN(build_generator(16 + 10), discriminator)
        >>> gan.latent_dim, gan.sample([3, 1, 4]).shape
        (16, (3, 8, 8, 1))

    References:
        - [Conditional Generative Adversarial Nets](https://arxiv.org/abs/1411.1784),
          M. Mirza and S. Osindero, 2014.
        - [Generative Adversarial Text to Image Synthesis](
          https://arxiv.org/abs/1605.05396), S. Reed et al., 2016: the wrong labels.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int = 10,
        **kwargs: Any,
    ) -> None:
        """Keep the number of classes beside the two networks."""
        if num_classes < 2:
            raise ValueError(
                f"Expected `num_classes` of at least 2. Received: {num_classes}"
            )
        self.num_classes = num_classes
        super().__init__(generator, discriminator, **kwargs)

    def check_data(self, images: Any, labels: Any) -> None:
        """Raise a `ValueError` for what this GAN cannot be trained on."""
        super().check_data(images, labels)
        if labels is None:
            raise ValueError("Expected labels beside the images: `fit(images, labels)`")
        check_labels(labels, self.num_classes)
        if len(labels) != len(images):
            raise ValueError(
                "Expected as many labels as images. "
                f"Received: {len(labels)} labels and {len(images)} images"
            )

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        """Make images of the classes `labels` of noise `(batch, latent_dim)`."""
        one_hot = ops.one_hot(labels, self.num_classes)
        return self.generator(ops.concatenate([noise, one_hot], -1), training=training)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        """Score images together with the classes that they are meant to be."""
        maps = label_maps(labels, self.num_classes, *self.image_shape[:2])
        told = ops.concatenate([images, maps], axis=-1)
        return self.discriminator(told, training=training)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Score made-up images, and as many real ones, each under a wrong label."""
        labels, count = ops.cast(labels, "int32"), self.num_classes
        shift = keras.random.randint(
            ops.shape(labels), 1, count, seed=self.noise_source
        )
        both = ops.concatenate([labels, (labels + shift) % count])
        return self.score(ops.concatenate([fakes, images]), both, training=True)

    def sample(self, wanted: Any, seed: int = 0) -> Images:
        """Make an image of each label in `wanted`, the same for the same `seed`."""
        check_labels(wanted, self.num_classes)
        noise, labels = self.noise(len(wanted), seed), np.asarray(wanted)
        return cast(Images, np.array(self.generate(noise, labels, training=False)))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "num_classes": self.num_classes}


def gradient_penalty(
    critic: Callable[[Any], Any], images: Any, fakes: Any, mix: Any
) -> Any:
    """Measure how far the slope of a critic is from 1, between real and made-up images.

    Args:
        critic: A model or function from images to scores of shape `(batch, 1)` that
            does not mix the images of a batch.
        images: Tensor of shape `(batch, height, width, channels)`.
        fakes: Tensor of the same shape.
        mix: Tensor of shape `(batch, 1, 1, 1)` in `[0, 1]`: how much of the real image
            each point between the two has.

    Returns:
        A scalar tensor, the mean of `(norm of the gradient - 1) ** 2`.

    Example:
        >>> image = np.ones((1, 1, 1, 1), "float32")
        >>> slope_3 = lambda images: 3 * images[:, 0, 0]
        >>> float(gradient_penalty(slope_3, image, 0 * image, mix=image))
        4.0

    References:
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028),
          I. Gulrajani et al., 2017, equation 3.
    """
    between = ops.convert_to_tensor(mix * images + (1.0 - mix) * fakes)
    with tf.GradientTape() as tape:
        tape.watch(between)
        scores = critic(between)
    squares = ops.square(tape.gradient(scores, between))
    # The root of 0 has no gradient.
    norms = ops.sqrt(ops.sum(squares, axis=(1, 2, 3)) + 1e-12)
    return ops.mean(ops.square(norms - 1.0))


@keras.saving.register_keras_serializable(package="snippets")
class WassersteinGAN(GAN):
    """A GAN whose scores are a distance: WGAN-GP.

    The discriminator, here called the critic, learns to score real images as much
    higher than made-up ones as a slope of 1 permits.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`, without dropout and BatchNormalization.
        penalty_weight: Float of at least 0, the weight of the gradient penalty.
        **kwargs: As for `GAN`.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> critic = build_discriminator((8, 8, 1), dropout=0.0)
        >>> WassersteinGAN(build_generator(16), critic).penalty_weight
        10.0

    References:
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028),
          I. Gulrajani et al., 2017. The paper trains the critic five times as often.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        penalty_weight: float = 10.0,
        **kwargs: Any,
    ) -> None:
        """Keep the weight of the penalty beside the two networks."""
        super().__init__(generator, discriminator, **kwargs)
        if not penalty_weight >= 0:
            raise ValueError(
                f"Expected `penalty_weight` of at least 0. Received: {penalty_weight}"
            )
        self.penalty_weight = penalty_weight

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        """Score real images higher than made-up ones."""
        return ops.mean(fake) - ops.mean(real)

    def generator_loss(self, fake: Any) -> Any:
        """Have the made-up images scored higher."""
        return -ops.mean(fake)

    def penalty(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Keep the slope of the scores near 1."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        mix = keras.random.uniform(shape, seed=self.noise_source)
        return self.penalty_weight * gradient_penalty(
            lambda x: self.score(x, labels, training=True), images, fakes, mix
        )

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "penalty_weight": self.penalty_weight}


class SamplesByEpoch(keras.callbacks.Callback):
    """Keep samples of a GAN as it learns, always of the same noise.

    Args:
        epochs: Tuple of integers: after how many epochs; 0 is before the first.
        wanted: What `sample` takes: a number of images, or their labels.

    Example:
        >>> samples = SamplesByEpoch((0, 2), wanted=5)
        >>> gan = GAN(build_generator(16), build_discriminator((8, 8, 1)))
        >>> gan.compile()
        >>> images = np.zeros((8, 8, 8, 1), "float32")
        >>> _ = gan.fit(images, epochs=2, callbacks=[samples], verbose=0)
        >>> samples.images.shape  # 2 epochs of 5 images
        (10, 8, 8, 1)
    """

    def __init__(self, epochs: tuple[int, ...], wanted: Any) -> None:
        """Start with no images."""
        super().__init__()
        self.epochs, self.wanted = epochs, wanted
        self.kept: list[Images] = []

    @property
    def images(self) -> Images:
        """All images in one array, those of the first epoch first."""
        return np.concatenate(self.kept)

    def on_train_begin(self, logs: Any = None) -> None:
        """Keep what the untrained generator makes."""
        self.kept = []
        self.on_epoch_end(-1)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keep what the generator makes after this epoch, counted from 0."""
        if epoch + 1 in self.epochs:
            self.kept.append(self.model.sample(self.wanted))


def train_judge(
    images: Images, labels: npt.NDArray[np.int64], epochs: int = 15
) -> keras.Model:
    """Train a classifier that knows nothing of any GAN, to judge what one makes.

    Args:
        images: Array of shape `(num_images, height, width, channels)`, float32 in
            `[0, 1]`, at least 2 x 2 pixels.
        labels: Integer array of shape `(num_images,)`, from 0.
        epochs: Integer of at least 1. 15 take it past 98 % on digits it has not seen.

    Returns:
        A compiled `keras.Model` to logits of shape `(batch, num_classes)`. Its layer
        `features` gives vectors of shape `(batch, 64)`.

    Raises:
        ValueError: If `images` or `labels` have another shape or other values.

    Example:
        >>> images = np.zeros((9, 8, 8, 1), "float32")
        >>> judge = train_judge(images, np.arange(9), epochs=1)
        >>> judge.output_shape, judge.get_layer("features").output.shape
        ((None, 9), (None, 64))
    """
    check_real_images(images, np.shape(images)[1:])
    num_classes, layers = int(np.max(labels)) + 1, keras.layers
    check_labels(labels, num_classes)
    judge = keras.Sequential(
        [
            keras.Input(images.shape[1:]),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(64, activation="relu", name="features"),
            layers.Dense(num_classes),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    judge.compile("adam", loss, metrics=["accuracy"])
    judge.fit(images, labels, batch_size=32, epochs=epochs, verbose=0)
    return judge


def frechet_distance(features: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
    """Measure how far two clouds of points are apart, each taken as a Gaussian.

    It is `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))` of means and covariances. With
    features of the Inception network it is known as FID.

    Args:
        features: Array of shape `(num_points, num_features)`, at least two points.
        others: Array of the same number of features, at least two points.

    Returns:
        A float of at least 0, but for rounding, in squared units of the features.

    Raises:
        ValueError: If the shapes are others.

    Example:
        >>> points = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
        >>> round(frechet_distance(points, points + [3.0, 4.0]), 6)  # a shift by 5
        25.0

    References:
        - [GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
          Equilibrium](https://arxiv.org/abs/1706.08500), M. Heusel et al., 2017.
    """
    shapes = np.shape(features), np.shape(others)
    if [len(shape) for shape in shapes] != [2, 2] or shapes[0][1] != shapes[1][1]:
        raise ValueError(
            "Expected two arrays of shape (num_points, num_features) with as many "
            f"features. Received: shapes {shapes[0]} and {shapes[1]}"
        )
    if min(shapes[0][0], shapes[1][0]) < 2:
        raise ValueError(
            "Expected at least two points each. "
            f"Received: {shapes[0][0]} and {shapes[1][0]}"
        )
    first, second = (np.atleast_2d(np.cov(f, rowvar=False)) for f in (features, others))
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # root @ second @ root is symmetric and has the eigenvalues of first @ second.
    crossed = np.linalg.eigvalsh(root @ second @ root)
    shift = np.sum((np.mean(features, axis=0) - np.mean(others, axis=0)) ** 2)
    spread = np.trace(first) + np.trace(second)
    return float(shift + spread - 2.0 * np.sum(np.sqrt(np.maximum(crossed, 0.0))))


def judge_samples(
    judge: keras.Model, samples: Images, real: Images, asked: Any = None
) -> dict[str, float]:
    """Measure samples with a judge: how near to real, how many kinds, how clear.

    Args:
        judge: A classifier with a layer `features`, as `train_judge` makes it.
        samples: Array of shape `(num_samples, height, width, channels)`, at least two.
        real: Array of shape `(num_images, height, width, channels)`, at least two.
        asked: Integer array of shape `(num_samples,)`, the label that each sample was
            made for, or `None`.

    Returns:
        A dict with `distance`, the Fréchet distance of the features; `classes`, how
        many classes have at least a tenth of an equal share of the samples; `clear`
        from 0 to 1, the part whose class the judge gives more than 90 %; and, if
        `asked` is given, `agreement` from 0 to 1, the part that the judge takes for
        what was asked for.

    Example:
        >>> images = np.random.default_rng(0).random((20, 8, 8, 1), dtype="float32")
        >>> judge = train_judge(images, np.arange(20) % 2, epochs=1)
        >>> seen = judge_samples(judge, images[:1].repeat(9, axis=0), images)
        >>> seen["classes"], sorted(seen)
        (1, ['classes', 'clear', 'distance'])
    """
    see = keras.Model(
        judge.inputs, [judge.get_layer("features").output, *judge.outputs]
    )
    features, logits = see.predict(samples, verbose=0)
    found = np.argmax(logits, axis=-1)
    shares = np.bincount(found, minlength=logits.shape[-1]) / len(found)
    seen = {
        "distance": frechet_distance(features, see.predict(real, verbose=0)[0]),
        "classes": int(np.sum(shares >= 0.1 / len(shares))),
        "clear": float(np.mean(np.max(ops.softmax(logits), axis=-1) > 0.9)),
    }
    if asked is not None:
        seen["agreement"] = float(np.mean(found == asked))
    return seen


def between_labels(
    noise: npt.NDArray[Any], first: int, last: int, steps: int, num_classes: int = 10
) -> Images:
    """Make the inputs of a conditional generator on the way from one class to another.

    The noise is the same at every step, so that only the class changes.

    Args:
        noise: Array of shape `(latent_dim,)`.
        first: Integer from 0 to `num_classes - 1`, the class of the first step.
        last: Integer from 0 to `num_classes - 1`, the class of the last step.
        steps: Integer of at least 2.
        num_classes: Integer of at least 1.

    Returns:
        A float32 array of shape `(steps, latent_dim + num_classes)`.

    Raises:
        ValueError: If `noise` has another shape, or a number is out of range.

    Example:
        >>> between_labels(np.array([0.5]), 0, 1, steps=3, num_classes=2)
        array([[0.5, 1. , 0. ],
               [0.5, 0.5, 0.5],
               [0.5, 0. , 1. ]], dtype=float32)
    """
    if np.ndim(noise) != 1 or steps < 2:
        raise ValueError(
            "Expected `noise` of shape (latent_dim,) and `steps` of at least 2. "
            f"Received: shape {np.shape(noise)} and {steps}"
        )
    check_labels([first, last], num_classes)
    one_hot, share = np.eye(num_classes), np.linspace(0.0, 1.0, steps)[:, None]
    labels = (1.0 - share) * one_hot[first] + share * one_hot[last]
    return np.hstack([np.tile(noise, (steps, 1)), labels]).astype("float32")


def discriminator_moves_in_classic_gan(
    keras_module: ModuleType, images: Images, rounds: int = 50
) -> float:
    """Train a GAN the old way, and measure how far its discriminator moved.

    The old way compiles the discriminator, sets `trainable = False` on it, puts it into
    a second model with the generator and compiles that, then trains the two in turns.
    It relies on a flag that is read when a model is compiled.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        images: Array of shape `(num_images, height, width, channels)` in `[0, 1]`, at
            least 32 images.
        rounds: Integer of at least 1, the turns of both networks.

    Returns:
        A float, the largest change of any weight of the discriminator: 0.0 if it never
        trained.

    Example:
        >>> import tf_keras
        >>> images = np.zeros((32, 8, 8, 1), "float32")
        >>> discriminator_moves_in_classic_gan(tf_keras, images, rounds=2) > 0
        True
    """
    layers, pixels = keras_module.layers, int(np.prod(images.shape[1:]))
    start = [keras_module.Input(images.shape[1:]), layers.Flatten()]
    d = keras_module.Sequential([*start, layers.Dense(1, activation="sigmoid")])
    d.compile(loss="binary_crossentropy", optimizer="sgd")
    d.trainable = False
    end = [layers.Dense(pixels), layers.Reshape(images.shape[1:])]
    g = keras_module.Sequential([keras_module.Input((4,)), *end])
    gan = keras_module.Sequential([g, d])
    gan.compile(loss="binary_crossentropy", optimizer="sgd")
    before = [np.array(weight) for weight in d.get_weights()]
    noise = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    for _ in range(rounds):
        d.train_on_batch(images[:32], np.ones((32, 1)))
        d.train_on_batch(np.array(g(noise)), np.zeros((32, 1)))
        gan.train_on_batch(noise, np.ones((32, 1)))
    after = d.get_weights()
    return max(float(np.max(np.abs(b - a))) for a, b in zip(before, after, strict=True))

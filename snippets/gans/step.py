"""The training step of a GAN."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops


def checked(values: Any, are_valid: Any, expected: str) -> Any:
    """Return values, or stop the training step if one of them is not valid.

    XLA leaves assertions out: under `jit_compile=True` nothing is stopped.

    Args:
        values: Tensor of numbers.
        are_valid: Boolean tensor of the same shape; comparisons with NaN are false.
        expected: String, the beginning of the message.

    Returns:
        `values`, which whatever is computed of them has to wait for.

    Raises:
        tf.errors.InvalidArgumentError: If a value is not valid.

    Example:
        >>> pixels = tf.constant([0.0, 255.0])
        >>> checked(pixels, pixels <= 1, "Expected images in [0, 1].")
        Traceback (most recent call last):
            ...
        tensorflow.python.framework.errors_impl.InvalidArgumentError: ...
    """
    low, high = tf.reduce_min(values), tf.reduce_max(values)
    message = [f"{expected} Received: from", low, "to", high]
    with tf.control_dependencies(
        [tf.debugging.Assert(tf.reduce_all(are_valid), message)]
    ):
        return tf.identity(values)


@keras.saving.register_keras_serializable(package="snippets")
class GAN(keras.Model):
    """A generator and a discriminator that learn from each other, as one Keras model.

    One step makes one batch of images. The discriminator learns to score them lower
    than the real ones, then the generator learns to have them scored higher. Each
    network has an optimizer of its own, and neither half touches the weights of the
    other network.

    Each batch is checked before it is learned from: its shape, that its dtype is a
    float, and that every pixel is a number in `image_range`. XLA leaves out the last
    check, so `compile` has `jit_compile=False` as its default. Labels beside the images
    are left aside, unless a subclass uses them.

    With `validation_data`, both losses are computed for the held-out images and as many
    made-up ones, always of the same noise: how well the discriminator tells them
    apart, which is no measure of how good the images are.

    Args:
        generator: A `keras.Model` from noise of shape `(batch, latent_dim)` to images
            in `image_range`.
        discriminator: A `keras.Model` from such images to scores of shape `(batch, 1)`.
        image_range: Tuple of two floats, the lowest and the highest value of a pixel:
            `(0, 1)` for a generator that ends in a sigmoid, `(-1, 1)` for a tanh.
        label_smoothing: Float in `[0, 0.5)`, how far below 1 the target of real images
            is, so that the discriminator is never quite sure.
        seed: Integer of at least 0 that decides the noise of the training.

    Limits:

    - `sample_weight`: refused, since a GAN has no loss of its own for each image.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> from snippets.gans import build_discriminator, build_generator
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
        image_range: tuple[float, float] = (0.0, 1.0),
        label_smoothing: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.generator, self.discriminator = generator, discriminator
        self.image_range, self.label_smoothing = tuple(image_range), label_smoothing
        *size, channels = self.image_shape = tuple(generator.output_shape[1:])
        self.latent_dim = generator.input_shape[-1] - self.num_classes
        self.seed, self.noise_source = seed, keras.random.SeedGenerator(seed)
        self.discriminator_tracker = keras.metrics.Mean(name="discriminator_loss")
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.built = True  # its networks are
        scored = (*size, channels + self.num_classes)
        if self.latent_dim < 1 or tuple(discriminator.input_shape[1:]) != scored:
            raise ValueError(
                f"Expected a generator of more than {self.num_classes} inputs, and a "
                f"discriminator of images {scored}. Received: "
                f"{generator.input_shape[-1]} and {discriminator.input_shape[1:]}"
            )
        if not (image_range[0] < image_range[1] and 0 <= label_smoothing < 0.5):
            raise ValueError(
                "Expected `image_range` as (lowest, highest) and `label_smoothing` in "
                f"[0, 0.5). Received: {image_range} and {label_smoothing}"
            )

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        jit_compile: bool = False,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
    ) -> None:
        """Give each network its optimizer, by default Adam(1e-3, beta_1=0.5)."""
        first, second = (
            keras.optimizers.get(given or keras.optimizers.Adam(1e-3, beta_1=0.5))
            for given in (generator_optimizer, discriminator_optimizer)
        )
        if first is second:
            raise ValueError("Expected two optimizers. Received: the same one twice")
        super().compile(
            optimizer=first,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
        )
        if self.optimizer is not first:  # Keras has wrapped it: mixed_float16
            second = keras.mixed_precision.LossScaleOptimizer(second)
        self.discriminator_optimizer = second
        self.optimizer.build(self.generator.trainable_variables)
        second.build(self.discriminator.trainable_variables)

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        images = self.generator(noise, training=training)
        return ops.cast(images, self.variable_dtype)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        scores = self.discriminator(images, training=training)
        return ops.cast(scores, self.variable_dtype)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        return self.score(fakes, labels, training=True)

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        # softplus(-score) is -log(sigmoid(score)), the cross-entropy.
        part = self.label_smoothing
        loss = (1 - part) * ops.softplus(-real) + part * ops.softplus(real)
        return ops.mean(loss) + ops.mean(ops.softplus(fake))

    def generator_loss(self, fake: Any) -> Any:
        return ops.mean(ops.softplus(-fake))

    def penalty(self, images: Any, fakes: Any, labels: Any, training: bool) -> Any:
        return 0.0

    def train_step(self, data: Any) -> Any:
        """Train both networks on one batch."""
        images, labels, noise = self.batch(data, self.noise_source)
        with tf.GradientTape() as tape:
            fakes = self.generate(noise, labels, training=True)
            with tape.stop_recording():  # the discriminator has a tape of its own
                self.train_discriminator(images, fakes, labels)
            loss = self.generator_loss(self.score(fakes, labels, training=False))
            scaled = self.scaled(loss, self.generator, self.optimizer)
        weights = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(scaled, weights), weights)
        self.generator_tracker.update_state(loss)
        return self.get_metrics_result()

    def train_discriminator(self, images: Any, fakes: Any, labels: Any) -> None:
        """Train the discriminator on real and made-up images, and nothing else."""
        optimizer = self.discriminator_optimizer
        with tf.GradientTape() as tape:
            real = self.score(images, labels, training=True)
            fake = self.score_unreal(images, fakes, labels)
            loss = self.discriminator_loss(real, fake)
            loss += self.penalty(images, fakes, labels, training=True)
            scaled = self.scaled(loss, self.discriminator, optimizer)
        weights = self.discriminator.trainable_variables
        optimizer.apply(tape.gradient(scaled, weights), weights)
        self.discriminator_tracker.update_state(loss)

    def scaled(self, loss: Any, network: keras.Model, optimizer: Any) -> Any:
        """Add regularizers, share among the devices, scale for float16."""
        count = tf.distribute.get_strategy().num_replicas_in_sync
        return optimizer.scale_loss((loss + sum(network.losses)) / count)

    def test_step(self, data: Any) -> Any:
        """Measure both losses, each batch with the same noise, and train nothing."""
        images, labels, noise = self.batch(data, self.seed)
        fakes = self.generate(noise, labels, training=False)
        real = self.score(images, labels, training=False)
        fake = self.score(fakes, labels, training=False)
        loss = self.discriminator_loss(real, fake)
        loss += self.penalty(images, fakes, labels, training=False)
        self.discriminator_tracker.update_state(loss)
        self.generator_tracker.update_state(self.generator_loss(fake))
        return self.get_metrics_result()

    @property
    def metrics(self) -> list[keras.Metric]:
        return [self.discriminator_tracker, self.generator_tracker]

    def batch(self, data: Any, seed: Any) -> tuple[Any, Any, Any]:
        """Return images, labels and noise, or refuse what no generator could make."""
        images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
        if weights is not None:
            raise ValueError("Expected no `sample_weight` and no `class_weight`")
        images, shape = tf.convert_to_tensor(images), (None, *self.image_shape)
        if not (images.shape.is_compatible_with(shape) and images.dtype.is_floating):
            raise ValueError(
                f"Expected images of shape {shape} and of floats, as the generator "
                f"makes them. Received: shape {images.shape}, {images.dtype.name}"
            )
        low, high = self.image_range
        expected = f"Expected images in [{low:g}, {high:g}], without NaN."
        images = checked(images, (images >= low) & (images <= high), expected)
        with tf.control_dependencies([images]):
            noise = self.noise(ops.shape(images)[0], seed)
        return ops.cast(images, self.variable_dtype), labels, noise

    def noise(self, count: Any, seed: Any) -> Any:
        shape = (count, self.latent_dim)
        return keras.random.normal(shape, dtype=self.variable_dtype, seed=seed)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Make images, so that `predict` works: the generator is what is kept."""
        return self.generator(inputs, training=training)

    def sample(self, wanted: Any, seed: int = 0) -> npt.NDArray[Any]:
        """Make `wanted` images, the same ones for the same `seed`."""
        if wanted < 1:
            raise ValueError(f"Expected at least one image. Received: {wanted}")
        noise = self.noise(wanted, seed)
        return np.array(self.generate(noise, None, training=False))

    def get_config(self) -> dict[str, Any]:
        networks = {"generator": self.generator, "discriminator": self.discriminator}
        return {
            **super().get_config(),
            **{n: keras.saving.serialize_keras_object(m) for n, m in networks.items()},
            "image_range": self.image_range,
            "label_smoothing": self.label_smoothing,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GAN":
        networks = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "discriminator")
        }
        return cls(**{**config, **networks})

    def get_compile_config(self) -> dict[str, Any]:
        """Return both optimizers, so that a loaded model goes on training."""
        serialize = keras.saving.serialize_keras_object
        return {
            "generator_optimizer": serialize(self.optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        deserialize = keras.saving.deserialize_keras_object
        self.compile(**{name: deserialize(config[name]) for name in config})

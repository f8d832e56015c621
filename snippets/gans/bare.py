"""The pattern of a GAN in Keras, without a check: what the guide builds up."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from snippets.gans.conditional import label_maps


class GAN(keras.Model):
    """A generator and a discriminator, trained in turns by `fit`.

    It has the step of `snippets.gans.GAN` and nothing else: no check of the images, no
    scaled loss for float16, no share of several devices, no saving.

    Args:
        generator: A `keras.Model` from vectors of shape
            `(batch, latent_dim + num_classes)` to images.
        discriminator: A `keras.Model` from images to scores of shape `(batch, 1)`.
        num_classes: Integer of at least 0, the classes that both networks are told.

    Example:
        >>> from snippets.gans import build_discriminator, build_generator
        >>> gan = GAN(build_generator(16), build_discriminator((8, 8, 1)))
        >>> gan.compile(keras.optimizers.Adam(), keras.optimizers.Adam())
        >>> history = gan.fit(np.zeros((64, 8, 8, 1), "float32"), verbose=0)
        >>> sorted(history.history), gan.sample(5).shape
        (['discriminator_loss', 'generator_loss'], (5, 8, 8, 1))
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        num_classes: int = 0,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.num_classes = num_classes
        self.latent_dim = generator.input_shape[-1] - num_classes
        self.noise_source = keras.random.SeedGenerator(0)
        self.generator_tracker = keras.metrics.Mean(name="generator_loss")
        self.discriminator_tracker = keras.metrics.Mean(name="discriminator_loss")
        self.built = True  # its networks are

    def compile(
        self, generator_optimizer: Any, discriminator_optimizer: Any, **options: Any
    ) -> None:
        super().compile(optimizer=generator_optimizer, **options)
        self.discriminator_optimizer = discriminator_optimizer
        self.optimizer.build(self.generator.trainable_variables)
        discriminator_optimizer.build(self.discriminator.trainable_variables)

    def train_step(self, data: Any) -> Any:
        """Train both networks on one batch."""
        images, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        noise = self.noise(ops.shape(images)[0], self.noise_source)
        with tf.GradientTape() as tape:
            fakes = self.generate(noise, labels, training=True)
            with tape.stop_recording():  # the discriminator has a tape of its own
                self.train_discriminator(images, fakes, labels)
            loss = self.generator_loss(self.score(fakes, labels, training=False))
            loss += sum(self.generator.losses)  # regularizers
        weights = self.generator.trainable_variables
        self.optimizer.apply(tape.gradient(loss, weights), weights)
        self.generator_tracker.update_state(loss)
        return self.get_metrics_result()

    def train_discriminator(self, images: Any, fakes: Any, labels: Any) -> None:
        """Train the discriminator on real and made-up images, and nothing else."""
        with tf.GradientTape() as tape:
            real = self.score(images, labels, training=True)
            fake = self.score_unreal(images, fakes, labels)
            loss = self.discriminator_loss(real, fake)
            loss += sum(self.discriminator.losses)
        weights = self.discriminator.trainable_variables
        gradients = tape.gradient(loss, weights)
        self.discriminator_optimizer.apply(gradients, weights)
        self.discriminator_tracker.update_state(loss)

    def generator_loss(self, fake: Any) -> Any:
        return ops.mean(ops.softplus(-fake))

    def discriminator_loss(self, real: Any, fake: Any) -> Any:
        # Real images are asked to be 0.9, made-up ones 0: label smoothing.
        loss = 0.9 * ops.softplus(-real) + 0.1 * ops.softplus(real)
        return ops.mean(loss) + ops.mean(ops.softplus(fake))

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        return self.generator(noise, training=training)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        return self.discriminator(images, training=training)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        return self.score(fakes, labels, training=True)

    @property
    def metrics(self) -> list[keras.Metric]:
        return [self.generator_tracker, self.discriminator_tracker]

    def noise(self, count: Any, seed: Any) -> Any:
        return keras.random.normal((count, self.latent_dim), seed=seed)

    def sample(self, count: int, seed: int = 0) -> npt.NDArray[Any]:
        """Make images, the same ones for the same `seed`."""
        noise = self.noise(count, seed)
        return np.array(self.generate(noise, None, training=False))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Make images, so that `predict` works."""
        return self.generator(inputs, training=training)


class ConditionalGAN(GAN):
    """A GAN whose networks are told the class of each image.

    It has the step of `snippets.gans.ConditionalGAN`, and checks nothing.

    Example:
        >>> from snippets.gans import build_discriminator, build_generator
        >>> networks = build_generator(16 + 10), build_discriminator((8, 8, 1 + 10))
        >>> gan = ConditionalGAN(*networks, num_classes=10)
        >>> gan.sample(np.array([3, 1, 4])).shape
        (3, 8, 8, 1)
    """

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        one_hot = ops.one_hot(labels, self.num_classes)
        told = ops.concatenate([noise, one_hot], axis=-1)
        return self.generator(told, training=training)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        maps = label_maps(labels, self.num_classes, *images.shape[1:3])
        told = ops.concatenate([images, maps], axis=-1)
        return self.discriminator(told, training=training)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Score made-up images, and as many real ones, each under a wrong label."""
        labels, count = ops.cast(labels, "int32"), self.num_classes
        shape, source = ops.shape(labels), self.noise_source
        shift = keras.random.randint(shape, 1, count, seed=source)
        both = ops.concatenate([labels, (labels + shift) % count])
        return self.score(ops.concatenate([fakes, images]), both, training=True)

    def sample(self, labels: Any, seed: int = 0) -> npt.NDArray[Any]:
        """Make an image of each label, the same ones for the same `seed`."""
        noise = self.noise(len(labels), seed)
        return np.array(self.generate(noise, labels, training=False))

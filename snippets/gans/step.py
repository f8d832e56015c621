"""The training step of a GAN."""

from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from snippets.gans.networks import Images


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

    def fit(
        self, x: Any = None, y: Any = None, **kwargs: Any
    ) -> keras.callbacks.History:
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

"""A GAN that is told which class to make."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from keras import ops

from snippets.gans.step import GAN, checked


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

    Limits:

    - `sample_weight`: refused, since a GAN has no loss of its own for each image.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> from snippets.gans import build_discriminator, build_generator
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

    def batch(self, data: Any, seed: Any) -> tuple[Any, Any, Any]:
        """Return images, labels and noise, or refuse what cannot be learned."""
        images, labels, noise = super().batch(data, seed)
        if labels is None:
            raise ValueError("Expected labels beside the images: `fit(images, labels)`")
        labels = tf.convert_to_tensor(labels)
        if not (labels.shape.rank == 1 and labels.dtype.is_integer):
            raise ValueError(
                "Expected labels of shape (batch,) and of integers. "
                f"Received: shape {labels.shape}, {labels.dtype.name}"
            )
        are_classes = (labels >= 0) & (labels < self.num_classes)
        expected = f"Expected labels from 0 to {self.num_classes - 1}."
        return images, ops.cast(checked(labels, are_classes, expected), "int32"), noise

    def generate(self, noise: Any, labels: Any, training: bool) -> Any:
        """Make images of the classes `labels` of noise `(batch, latent_dim)`."""
        one_hot = ops.one_hot(labels, self.num_classes, dtype=noise.dtype)
        return super().generate(ops.concatenate([noise, one_hot], -1), None, training)

    def score(self, images: Any, labels: Any, training: bool) -> Any:
        """Score images together with the classes that they are meant to be."""
        maps = label_maps(labels, self.num_classes, *self.image_shape[:2])
        told = ops.concatenate([images, ops.cast(maps, images.dtype)], axis=-1)
        return super().score(told, None, training)

    def score_unreal(self, images: Any, fakes: Any, labels: Any) -> Any:
        """Score made-up images, and as many real ones, each under a wrong label."""
        labels, count = ops.cast(labels, "int32"), self.num_classes
        shift = keras.random.randint(
            ops.shape(labels), 1, count, seed=self.noise_source
        )
        both = ops.concatenate([labels, (labels + shift) % count])
        return self.score(ops.concatenate([fakes, images]), both, training=True)

    def sample(self, wanted: Any, seed: int = 0) -> npt.NDArray[Any]:
        """Make an image of each label in `wanted`, the same for the same `seed`."""
        labels = np.asarray(wanted)
        if labels.ndim != 1 or not set(labels) <= set(range(self.num_classes)):
            raise ValueError(
                f"Expected labels from 0 to {self.num_classes - 1}. Received: {wanted}"
            )
        noise = self.noise(len(labels), seed)
        labels = labels.astype("int32")
        return np.array(self.generate(noise, labels, training=False))

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "num_classes": self.num_classes}


def latent_walk(
    start: npt.NDArray[Any], end: npt.NDArray[Any], steps: int
) -> npt.NDArray[Any]:
    """Make the inputs of a generator on the way from one input to another.

    Args:
        start: Array of shape `(num_inputs,)`, the first input.
        end: Array of the same shape, the last input.
        steps: Integer of at least 2, the inputs with both ends.

    Returns:
        An array of shape `(steps, num_inputs)`.

    Raises:
        ValueError: If the shapes are others, or `steps` is less than 2.

    Example:
        >>> latent_walk(np.array([0.5, 1.0]), np.array([0.5, 0.0]), steps=3)
        array([[0.5, 1. ],
               [0.5, 0.5],
               [0.5, 0. ]])
    """
    if np.ndim(start) != 1 or np.shape(start) != np.shape(end) or steps < 2:
        raise ValueError(
            "Expected two inputs of shape (num_inputs,) and `steps` of at least 2. "
            f"Received: shapes {np.shape(start)} and {np.shape(end)}, {steps}"
        )
    share = np.linspace(0.0, 1.0, steps)[:, None]
    inputs: npt.NDArray[Any] = (1.0 - share) * start + share * end
    return inputs

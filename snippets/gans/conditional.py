"""A GAN that is told which class to make."""

from typing import Any, cast

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from snippets.checks import check_labels
from snippets.gans.networks import Images
from snippets.gans.step import GAN


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

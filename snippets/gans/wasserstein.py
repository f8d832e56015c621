"""A GAN whose scores differ by an estimate of a distance, with a gradient penalty."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from snippets.gans.step import GAN


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
        >>> image = ops.ones((1, 1, 1, 1))
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
    """A GAN whose critic compares real and made-up images by a distance: WGAN-GP.

    The discriminator, here called the critic, learns to score real images as much
    higher than made-up ones as a slope of 1 permits. A score measures nothing by
    itself; the difference of the mean scores estimates the distance.

    Args:
        generator: As for `GAN`.
        discriminator: As for `GAN`, without dropout and BatchNormalization.
        penalty_weight: Float of at least 0, the weight of the gradient penalty.
        **kwargs: As for `GAN`.

    Limits:

    - `sample_weight`: refused, since a GAN has no loss of its own for each image.

    Raises:
        ValueError: If the networks do not fit together, or a number is out of range.

    Example:
        >>> from snippets.gans import build_discriminator, build_generator
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

    def penalty(self, images: Any, fakes: Any, labels: Any, training: bool) -> Any:
        """Keep the slope of the scores near 1."""
        shape = (ops.shape(images)[0], 1, 1, 1)
        seed = self.noise_source if training else self.seed
        mix = keras.random.uniform(shape, dtype=self.variable_dtype, seed=seed)
        return self.penalty_weight * gradient_penalty(
            lambda x: self.score(x, labels, training=training), images, fakes, mix
        )

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "penalty_weight": self.penalty_weight}

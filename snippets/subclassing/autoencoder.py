"""A variational autoencoder, and a plane of codes to draw images from."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.checks import check_integer


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """Compute how far normal distributions are from the standard one, in nats.

    `KL(N(mean, variance) || N(0, 1))`, summed over the last axis.

    Args:
        mean: Tensor or array of shape `(..., latent_dim)`.
        log_variance: Tensor or array of the same shape, the logarithm of the variance.

    Returns:
        A tensor of shape `(...)`, of at least 0.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> float(kl_divergence(np.array([1.0, 0.0]), np.array([0.0, 0.0])))
        0.5

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114),
          D. P. Kingma and M. Welling, 2013, appendix B.
    """
    if tuple(mean.shape) != tuple(log_variance.shape):
        raise ValueError(
            "Expected `mean` and `log_variance` of one shape. "
            f"Received: {tuple(mean.shape)} and {tuple(log_variance.shape)}"
        )
    mean, log_variance = map(keras.ops.convert_to_tensor, (mean, log_variance))
    terms = keras.ops.square(mean) + keras.ops.exp(log_variance) - log_variance - 1.0
    return 0.5 * keras.ops.sum(terms, axis=-1)


@keras.saving.register_keras_serializable(package="snippets")
class MeanOverExamples(keras.losses.Loss):
    """Take the mean of losses that a model has computed, as Keras does with its own.

    Each loss is multiplied by its `sample_weight`, and the sum is divided by the number
    of examples. Under `tf.distribute` the result is the share of this device.

    Call arguments:
        y_true: Ignored. Keras asks for it: pass the losses again.
        y_pred: Tensor of shape `(batch,)`, a loss for each example.
        sample_weight: `None`, or a tensor of shape `(batch,)` or `(batch, 1)`.

    Returns:
        A scalar tensor.

    Example:
        >>> losses = np.array([1.0, 3.0])
        >>> float(MeanOverExamples()(losses, losses, sample_weight=np.array([1, 0])))
        0.5
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return y_pred


@keras.saving.register_keras_serializable(package="snippets")
class VariationalAutoencoder(keras.Model):
    """Squeeze images into a few numbers from which new images can be drawn.

    It is trained on the images alone: `fit(images)`. The loss of an image is the
    cross-entropy of its pixels plus the divergence of its code from a standard normal
    distribution, both in nats.

    To weight images, pass them as targets too: `fit(images, images,
    sample_weight=weights)`. Without targets Keras drops the weights, in silence.

    Args:
        image_shape: Tuple `(height, width, channels)` of integers.
        latent_dim: Integer of at least 1, the length of a code.
        num_units: Integer of at least 1, the width of the hidden layers.
        seed: Integer of at least 0, where the noise begins.

    Call arguments:
        images: Tensor of shape `(batch, *image_shape)`, in `[0, 1]`.
        training: Whether codes are drawn at random; otherwise each is its mean.

    Returns:
        A dict of `images`, shape `(batch, *image_shape)` in `[0, 1]`, and of `mean`
        and `log_variance`, shape `(batch, latent_dim)`; all float32, also in mixed
        precision.

    Raises:
        ValueError: If a size is less than 1, or `image_shape` has not three of them.

    Example:
        >>> model = VariationalAutoencoder((8, 8, 1), latent_dim=2)
        >>> model(np.zeros((3, 8, 8, 1)))["images"].shape
        TensorShape([3, 8, 8, 1])

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114),
          D. P. Kingma and M. Welling, 2013.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (8, 8, 1),
        latent_dim: int = 2,
        num_units: int = 128,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(image_shape) != 3:
            raise ValueError(
                f"Expected `image_shape` of 3 axes. Received: {image_shape}"
            )
        self.image_shape = [check_integer("image_shape", n) for n in image_shape]
        self.latent_dim = check_integer("latent_dim", latent_dim)
        self.num_units = check_integer("num_units", num_units)
        self.seed = seed
        self.noise = keras.random.SeedGenerator(seed)
        layers, policy = keras.layers, self.dtype_policy  # which layers do not inherit
        exact = keras.backend.result_type(self.compute_dtype, "float32")  # for the loss
        self.flatten = layers.Flatten(dtype=policy)
        self.read = layers.Dense(num_units, activation="relu", dtype=policy)
        self.mean = layers.Dense(latent_dim, dtype=exact)
        self.log_variance = layers.Dense(latent_dim, dtype=exact)
        self.write = layers.Dense(num_units, activation="relu", dtype=policy)
        num_pixels = math.prod(image_shape)
        self.pixels = layers.Dense(num_pixels, activation="sigmoid", dtype=exact)
        self.reshape = layers.Reshape(self.image_shape, dtype=exact)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    def encode(self, images: Any) -> tuple[Any, Any]:
        hidden = self.read(self.flatten(images))  # (batch, num_units)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, codes: Any) -> Any:
        return self.reshape(self.pixels(self.write(codes)))

    def call(self, images: Any, training: bool | None = None) -> dict[str, Any]:
        mean, log_variance = self.encode(images)
        codes = mean
        if training:
            shape, dtype = keras.ops.shape(mean), self.mean.compute_dtype
            noise = keras.random.normal(shape, dtype=dtype, seed=self.noise)
            codes = mean + keras.ops.exp(0.5 * log_variance) * noise
        decoded = self.decode(codes)
        return {"images": decoded, "mean": mean, "log_variance": log_variance}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        images = keras.ops.cast(x, y_pred["images"].dtype)
        losses = keras.ops.binary_crossentropy(images, y_pred["images"])
        reconstruction = keras.ops.sum(losses, axis=(1, 2, 3))  # (batch,)
        kl = kl_divergence(y_pred["mean"], y_pred["log_variance"])
        self.reconstruction_tracker.update_state(reconstruction, sample_weight)
        self.kl_tracker.update_state(kl, sample_weight)
        losses = reconstruction + kl
        return MeanOverExamples()(losses, losses, sample_weight) + sum(self.losses)

    def get_config(self) -> dict[str, Any]:
        names = ("image_shape", "latent_dim", "num_units", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def plane_of_codes(num_columns: int = 8, reach: float = 2.0) -> npt.NDArray[Any]:
    """Lay a square grid of codes over the middle of a latent plane.

    Args:
        num_columns: Integer of at least 1, the codes in a row.
        reach: Float greater than 0: the grid spans from `-reach` to `reach`.

    Returns:
        An array of shape `(num_columns ** 2, 2)`, float32, row by row as one reads:
        the second coordinate falls from row to row.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> plane_of_codes(2, reach=1.0).tolist()
        [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
    """
    check_integer("num_columns", num_columns)
    if not 0.0 < reach < math.inf:
        raise ValueError(f"Expected `reach` greater than 0. Received: {reach}")
    steps = np.linspace(-reach, reach, num_columns, dtype="float32")
    across, down = np.meshgrid(steps, steps[::-1])
    return np.stack([across.ravel(), down.ravel()], axis=-1)

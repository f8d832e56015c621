"""Recipes for GANs: two networks trained at once, each against the other.

The three models share one training step. What is their own is a method each: the
losses, and what the networks are told beside the image.
"""

from snippets.gans.conditional import ConditionalGAN, label_maps, latent_walk
from snippets.gans.judging import (
    frechet_distance,
    judge_samples,
    train_judge,
)
from snippets.gans.networks import (
    build_discriminator,
    build_generator,
    build_photo_discriminator,
    build_photo_generator,
    two_adams,
)
from snippets.gans.step import GAN
from snippets.gans.wasserstein import WassersteinGAN, gradient_penalty

__all__ = [
    "GAN",
    "ConditionalGAN",
    "WassersteinGAN",
    "build_discriminator",
    "build_generator",
    "build_photo_discriminator",
    "build_photo_generator",
    "frechet_distance",
    "gradient_penalty",
    "judge_samples",
    "label_maps",
    "latent_walk",
    "train_judge",
    "two_adams",
]

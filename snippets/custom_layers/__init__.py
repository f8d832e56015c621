"""Layers of your own, that save, mask and run in mixed precision.

Everything here is written in `keras.ops` and runs on every backend of Keras, except
`LocalResponseNormalization`, which calls a TensorFlow op. On JAX `SparsityPenalty` adds
its loss and reports no metric.
"""

from snippets.custom_layers.attention import (
    AttentionPooling,
    EncoderBlock,
    attention_classifier,
    scaled_dot_product_attention,
)
from snippets.custom_layers.contract import layer_problem, reload_problem
from snippets.custom_layers.layers import (
    Adapter,
    Gain,
    LocalResponseNormalization,
    PositionEmbedding,
    RunningCenter,
    SkipSteps,
    SparsityPenalty,
    StepDropout,
)
from snippets.custom_layers.masks import masked_mean, masked_softmax

__all__ = [
    "Adapter",
    "AttentionPooling",
    "EncoderBlock",
    "Gain",
    "LocalResponseNormalization",
    "PositionEmbedding",
    "RunningCenter",
    "SkipSteps",
    "SparsityPenalty",
    "StepDropout",
    "attention_classifier",
    "layer_problem",
    "masked_mean",
    "masked_softmax",
    "reload_problem",
    "scaled_dot_product_attention",
]

"""Deliberate mistakes: layers that cannot be reloaded, or compute what they should not.

`RoundedCenter` loses steps to rounding, `UnmaskedAttentionPooling` knows no mask.
"""

from typing import Any

import keras
from keras import ops

from snippets.custom_layers.attention import AttentionPooling
from snippets.custom_layers.layers import Center, Gain


@keras.saving.register_keras_serializable(package="snippets")
class ForgetfulGain(Gain):
    """Leave an argument out of `get_config`: the copy starts from the default.

    Args:
        initial: Float, the gain to start with, which is forgotten.
        **kwargs: What every layer takes.

    Example:
        >>> ForgetfulGain.from_config(ForgetfulGain(initial=3.0).get_config()).initial
        1.0
    """

    def get_config(self) -> dict[str, Any]:
        return {**keras.Layer.get_config(self)}


@keras.saving.register_keras_serializable(package="snippets")
class RoundedCenter(Center):
    """Keep the running mean wrongly: under mixed precision it may stand still.

    A weight that `call` reads under mixed precision arrives in float16, unless it was
    added with `autocast=False`. A small step is then rounded away.

    Args:
        momentum: As in `Center`.
        **kwargs: What every layer takes.

    Example:
        >>> layer = RoundedCenter(dtype="mixed_float16")
        >>> layer.build((None, 3))
        >>> layer.mean.dtype
        'float32'
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=input_shape[-1:],
            initializer="zeros",
            trainable=False,
        )


@keras.saving.register_keras_serializable(package="snippets")
class UnmaskedAttentionPooling(AttentionPooling):
    """Pool a sequence by attention as it is often published: padding gets weight too.

    Args:
        units: Integer of at least 1, the size of the hidden layer that scores a step.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `return_attention_scores`: whether to return the weights of the steps too.

    Returns:
        What `AttentionPooling` returns without a mask.

    Example:
        >>> import numpy as np
        >>> UnmaskedAttentionPooling(units=4)(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.supports_masking = False

    def call(  # type: ignore[override]  # it takes no mask: the mistake
        self, inputs: Any, return_attention_scores: bool = False
    ) -> Any:
        weights = ops.softmax(self.score(inputs), axis=-1)  # (batch, time)
        pooled = ops.sum(weights[..., None] * inputs, axis=1)  # (batch, features)
        return (pooled, weights) if return_attention_scores else pooled

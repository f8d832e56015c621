"""Deliberate mistakes: layers that cannot be reloaded, or compute what they should not.

`RoundedCenter` loses steps to rounding, `softmax_of_features` sums over a wrong axis,
`UnmaskedAttentionPooling` knows no mask.
"""

from typing import Any

import keras
from keras import ops

from snippets.custom_layers.attention import AttentionPooling
from snippets.custom_layers.layers import Center, Gain


@keras.saving.register_keras_serializable(package="snippets")
class BlockWithoutConfig(keras.Layer):
    """Build a Transformer block in the shape that is often published: it cannot reload.

    Its `__init__` takes neither `name` nor `dtype` nor `trainable`, and every saved
    layer is made again with them. `EncoderBlock` mends it.

    Args:
        features: Integer, the features of a step.
        num_heads: Integer, the heads of the attention.
        hidden_units: Integer, the units between the two last layers.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`.

    Returns:
        A tensor of the shape of `inputs`.

    Example:
        >>> import numpy as np
        >>> BlockWithoutConfig(4, 2, 8)(np.ones((1, 5, 4))).shape
        TensorShape([1, 5, 4])
    """

    def __init__(self, features: int, num_heads: int, hidden_units: int) -> None:
        super().__init__()
        self.attention = keras.layers.MultiHeadAttention(num_heads, features)
        self.expand = keras.layers.Dense(hidden_units, activation="relu")
        self.contract = keras.layers.Dense(features)

    def call(self, inputs: Any) -> Any:
        x = inputs + self.attention(inputs, inputs)
        return x + self.contract(self.expand(x))


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


def softmax_of_features(scores: Any, mask: Any) -> Any:
    """Mean to weigh the steps by a softmax, and sum over the features instead of them.

    Args:
        scores: Tensor of shape `(batch, time, 1)`.
        mask: Tensor of shape `(batch, time)`, false where there is padding.

    Returns:
        A tensor of the shape of `scores`: 1 for each step, NaN for padding.

    Example:
        >>> import numpy as np
        >>> scores = np.array([[[0.0], [2.0]]])
        >>> softmax_of_features(scores, np.array([[True, True]])).numpy().tolist()
        [[[1.0], [1.0]]]
    """
    valid = ops.cast(mask, scores.dtype)[..., None]  # (batch, time, 1)
    powers = ops.exp(scores) * valid
    return powers / ops.sum(powers, axis=-1, keepdims=True)  # not over the time


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

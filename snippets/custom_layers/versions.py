"""Attention as it was written for Keras 2, and as Keras 3 wants it."""

from typing import Any

import keras

from snippets.extras import extra

with extra("keras2"):
    import tf_keras


class OldPool(tf_keras.layers.Layer):
    """Pool steps by their scores.

    Call arguments:
        x: Tensor of shape `(batch, time, features)`.

    Returns:
        A tensor of shape `(batch, features)`.

    Example:
        >>> import numpy as np
        >>> OldPool()(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(
            "kernel",
            (shape[-1], 1),
        )

    def call(self, x: Any) -> Any:
        k = tf_keras.backend
        score = k.dot(x, self.kernel)
        score = k.tanh(score)
        a = k.softmax(score, axis=1)
        x = a * x
        return k.sum(x, axis=1)


@keras.saving.register_keras_serializable(package="snippets")
class NewPool(keras.Layer):
    """Pool steps by their scores, and leave out the padding.

    The steps of a row that is all padding get equal weights; `AttentionPooling` returns
    zeros for it.

    Call arguments:

    - `x`: tensor of shape `(batch, time, features)`. What stands in the padding has to
      be finite.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. It ends here: the output has no time.
    - `return_attention_scores`: whether to return the weights of the steps too.

    Returns:
        A tensor of shape `(batch, features)`; with `return_attention_scores` a tuple of
        that and of the weights, of shape `(batch, time)`, which sum to 1 over time.

    Example:
        >>> import numpy as np
        >>> NewPool()(np.ones((2, 5, 3))).shape
        TensorShape([2, 3])
    """

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(
            (shape[-1], 1),
            name="kernel",
        )

    def call(
        self,
        x: Any,
        mask: Any = None,
        return_attention_scores: bool = False,
    ) -> Any:
        ops = keras.ops
        score = ops.dot(x, self.kernel)
        score = ops.tanh(score)
        if mask is not None:
            score = ops.where(
                mask[..., None],
                score,
                -6e4,
            )
        a = ops.softmax(score, axis=1)
        x = a * x
        x = ops.sum(x, axis=1)
        if return_attention_scores:
            return x, a[..., 0]
        return x

    def compute_mask(
        self,
        x: Any,
        mask: Any = None,
    ) -> None:
        return None

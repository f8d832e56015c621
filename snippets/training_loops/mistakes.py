"""A deliberate mistake: a loss nobody scales."""

from typing import Any

import keras
import tensorflow as tf


class UnscaledStep(keras.Model):
    """A model whose step forgets the loss scaling of mixed precision.

    It is wrong under `mixed_float16`: the optimizer divides the gradients by a scale
    that they were never multiplied by.

    Args:
        *args: As for `keras.Model`.
        **kwargs: As for `keras.Model`.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> small_classifier(UnscaledStep).output_shape
        (None, 10)
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.metrics[0].update_state(loss)
        return {"loss": self.metrics[0].result()}

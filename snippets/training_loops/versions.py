"""One step as Keras 2 took it, and as Keras 3 wants it."""

from typing import Any

import keras
import tensorflow as tf

from snippets.extras import extra

with extra("keras2"):
    import tf_keras


class OldStep(tf_keras.Model):
    """A step in mixed precision with the methods of Keras 2.

    Example:
        >>> inputs = tf_keras.Input((2,))
        >>> OldStep(inputs, tf_keras.layers.Dense(1)(inputs)).output_shape
        (None, 1)
    """

    def train_step(self, data: Any) -> Any:
        x, y = data
        opt = self.optimizer
        weights = self.trainable_weights
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(
                y,
                y_pred,
                regularization_losses=self.losses,
            )
            scaled = opt.get_scaled_loss(loss)
        grads = tape.gradient(scaled, weights)
        grads = opt.get_unscaled_gradients(grads)
        opt.apply_gradients(zip(grads, weights, strict=True))
        self.compiled_metrics.update_state(
            y,
            y_pred,
        )
        return {m.name: m.result() for m in self.metrics}


class NewStep(keras.Model):
    """The same step with the methods of Keras 3.

    Example:
        >>> inputs = keras.Input((2,))
        >>> NewStep(inputs, keras.layers.Dense(1)(inputs)).output_shape
        (None, 1)
    """

    def train_step(self, data: Any) -> Any:
        x, y = data
        opt = self.optimizer
        weights = self.trainable_weights
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(
                x,
                y,
                y_pred,
            )
            scaled = opt.scale_loss(loss)
        grads = tape.gradient(scaled, weights)
        opt.apply(grads, weights)
        self.metrics[0].update_state(loss)
        return self.compute_metrics(
            x,
            y,
            y_pred,
        )

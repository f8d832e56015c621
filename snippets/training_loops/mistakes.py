"""Deliberate mistakes: a loss nobody tracks, a loss nobody scales."""

from types import ModuleType
from typing import Any

import keras
import tensorflow as tf


def loss_without_tracker(keras_module: ModuleType) -> Any:
    """Build a model whose step returns its loss and leaves the tracker of it alone.

    It is wrong on Keras 3, where `fit` then reports a loss of 0.0.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A compiled model from vectors of shape `(batch, 64)` to probabilities of 10
        classes.

    Example:
        >>> import numpy as np
        >>> model = loss_without_tracker(keras)
        >>> model.fit(np.ones((4, 64)), np.zeros(4), verbose=0).history["loss"]
        [0.0]
    """

    class Untracked(keras_module.Model):  # type: ignore[name-defined]  # a variable
        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            variables = self.trainable_variables
            gradients = tape.gradient(loss, variables)
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return {"loss": loss}

    features = keras_module.Input((64,))
    scores = keras_module.layers.Dense(10, activation="softmax")(features)
    model = Untracked(features, scores)
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


class SecondTracker(keras.Model):
    """A model that counts its loss in a metric of its own, named as that of Keras.

    It is wrong: the step of the validation updates the tracker of Keras, and Keras
    reports the one here.

    Args:
        *args: As for `keras.Model`.
        **kwargs: As for `keras.Model`.

    Example:
        >>> import numpy as np
        >>> from snippets.training_loops.steps import small_classifier
        >>> model = small_classifier(SecondTracker)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> model.evaluate(np.ones((4, 64)), np.zeros(4), verbose=0, return_dict=True)
        {'loss': 0.0}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}


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

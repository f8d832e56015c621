"""The network for digits, as a class at the three levels that need one."""

import math
from typing import Any

import keras
import tensorflow as tf


class DigitModel(keras.Model):
    """The network as a subclass of `keras.Model`.

    From images of shape `(batch, 8, 8, 1)` to scores of shape `(batch, 10)`, float32.

    Example:
        >>> import numpy as np
        >>> tuple(DigitModel()(np.zeros((5, 8, 8, 1))).shape)
        (5, 10)
    """

    def __init__(self) -> None:
        super().__init__()
        self.convolution = keras.layers.Conv2D(32, 3, activation="relu")
        self.pooling = keras.layers.MaxPooling2D()
        self.flatten = keras.layers.Flatten()
        self.scores = keras.layers.Dense(10)

    def call(self, images: Any) -> Any:
        x = self.pooling(self.convolution(images))
        return self.scores(self.flatten(x))


class DigitModelWithStep(DigitModel):
    """The network with a training step of its own, which `fit` calls.

    Example:
        >>> import numpy as np
        >>> model = DigitModelWithStep()
        >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        >>> history = model.fit(np.zeros((5, 8, 8, 1)), np.zeros(5), verbose=0)
        >>> list(history.history)
        ['loss']
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        images, labels = data
        with tf.GradientTape() as tape:
            scores = self(images, training=True)
            loss = self.compute_loss(images, labels, scores)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=tf.shape(images)[0])
            else:
                metric.update_state(labels, scores)
        return dict(self.get_metrics_result())


class ModelWithStep(keras.Model):
    """A Functional model with the step above: call it with `inputs` and `outputs`.

    Example:
        >>> x = keras.Input((8, 8, 1))
        >>> scores = keras.layers.Dense(10)(keras.layers.Flatten()(x))
        >>> ModelWithStep(inputs=x, outputs=scores).output_shape
        (None, 10)
    """

    train_step = DigitModelWithStep.train_step


class DigitModule(tf.Module):
    """The network in TensorFlow alone: variables, operations, a compiled step.

    From images of shape `(batch, 8, 8, 1)` to scores of shape `(batch, 10)`, float32.

    Example:
        >>> module = DigitModule()
        >>> module(tf.zeros([5, 8, 8, 1])).shape
        TensorShape([5, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        small = tf.random.truncated_normal
        self.kernel = tf.Variable(small([3, 3, 1, 32], stddev=0.1))
        self.bias = tf.Variable(tf.zeros([32]))
        size = math.prod(self.features(tf.zeros([1, 8, 8, 1])).shape)
        self.scores_kernel = tf.Variable(small([size, 10], stddev=0.1))
        self.scores_bias = tf.Variable(tf.zeros([10]))

    def features(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="VALID")
        x = tf.nn.relu(x + self.bias)
        return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")

    def __call__(self, images: Any) -> tf.Tensor:
        x = self.features(images)
        x = tf.reshape(x, [tf.shape(x)[0], -1])  # (batch, size)
        return x @ self.scores_kernel + self.scores_bias

    @property
    def weights(self) -> list[tf.Variable]:
        return [self.kernel, self.bias, self.scores_kernel, self.scores_bias]

    @tf.function
    def train_step(self, images: Any, labels: Any) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = self(images)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.weights)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.assign_sub(0.1 * gradient)
        return loss

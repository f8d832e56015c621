"""One network at five levels, from a list of layers to `tf.Module`."""

from typing import Any

import keras
import tensorflow as tf

from snippets.checks import check_sizes

LEVELS = ("Sequential", "Functional", "Subclassed", "Own train_step", "tf.Module")


def sequential_cnn(
    image_shape: tuple[int, int, int], num_classes: int
) -> keras.Sequential:
    """Build the network as a list of layers.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        An uncompiled `keras.Sequential` from images of shape `(batch, *image_shape)` to
        scores of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> sequential_cnn((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    return keras.Sequential(
        [
            keras.Input(shape=check_sizes(image_shape, num_classes), name="pixels"),
            keras.layers.Conv2D(32, 3, activation="relu", name="convolution"),
            keras.layers.MaxPooling2D(name="pooling"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(num_classes, name="scores"),
        ]
    )


def functional_cnn(image_shape: tuple[int, int, int], num_classes: int) -> keras.Model:
    """Build the network as a graph of layers.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        scores of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> functional_cnn((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    pixels = keras.Input(shape=check_sizes(image_shape, num_classes), name="pixels")
    x = keras.layers.Conv2D(32, 3, activation="relu", name="convolution")(pixels)
    x = keras.layers.MaxPooling2D(name="pooling")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    scores = keras.layers.Dense(num_classes, name="scores")(x)
    return keras.Model(pixels, scores)


@keras.saving.register_keras_serializable(package="snippets")
class SubclassedCNN(keras.Model):
    """The network as a class whose `call` is ordinary Python.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        **options: `name`, `dtype` and the like of `keras.Model`.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> import numpy as np
        >>> network = SubclassedCNN((8, 8, 1), num_classes=10)
        >>> tuple(network(np.zeros((5, 8, 8, 1))).shape)
        (5, 10)
    """

    def __init__(
        self, image_shape: tuple[int, int, int], num_classes: int, **options: Any
    ) -> None:
        super().__init__(**options)
        self.image_shape = check_sizes(image_shape, num_classes)
        self.num_classes = num_classes
        self.convolution = keras.layers.Conv2D(32, 3, activation="relu")
        self.pooling = keras.layers.MaxPooling2D()
        self.flatten = keras.layers.Flatten()
        self.scores = keras.layers.Dense(num_classes)

    def call(self, images: Any) -> Any:
        x = self.pooling(self.convolution(images))
        return self.scores(self.flatten(x))

    def get_config(self) -> dict[str, Any]:
        sizes = {"image_shape": self.image_shape, "num_classes": self.num_classes}
        return {**super().get_config(), **sizes}


@keras.saving.register_keras_serializable(package="snippets")
class OwnStepCNN(SubclassedCNN):
    """The network with a training step of its own, which `fit` calls.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        **options: `name`, `dtype` and the like of `keras.Model`.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> import numpy as np
        >>> network = OwnStepCNN((8, 8, 1), num_classes=10)
        >>> network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        >>> history = network.fit(np.zeros((5, 8, 8, 1)), np.zeros(5), verbose=0)
        >>> list(history.history)
        ['loss']
    """

    def train_step(self, data: Any) -> dict[str, Any]:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            scores = self(x, training=True)
            loss = self.compute_loss(x, y, scores, sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=tf.shape(x)[0])
            else:
                metric.update_state(y, scores, sample_weight)
        return dict(self.get_metrics_result())


class ModuleCNN(tf.Module):
    """The network in TensorFlow alone: variables, operations, a compiled step.

    Args:
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        learning_rate: Float greater than 0.

    Raises:
        ValueError: If `check_sizes` refuses a size.

    Example:
        >>> network = ModuleCNN((8, 8, 1), num_classes=10)
        >>> network(tf.zeros([5, 8, 8, 1])).shape
        TensorShape([5, 10])
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        num_classes: int,
        learning_rate: float = 0.1,
    ) -> None:
        super().__init__()
        height, width, channels = check_sizes(image_shape, num_classes)
        size = (height - 2) // 2 * ((width - 2) // 2) * 32  # what the pooling leaves
        self.learning_rate = learning_rate
        self.kernel = tf.Variable(
            tf.random.truncated_normal([3, 3, channels, 32], stddev=0.1)
        )
        self.bias = tf.Variable(tf.zeros([32]))
        self.scores_kernel = tf.Variable(
            tf.random.truncated_normal([size, num_classes], stddev=0.1)
        )
        self.scores_bias = tf.Variable(tf.zeros([num_classes]))

    @property
    def weights(self) -> list[tf.Variable]:
        return [self.kernel, self.bias, self.scores_kernel, self.scores_bias]

    def __call__(self, images: Any) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.kernel, strides=1, padding="VALID")
        x = tf.nn.relu(x + self.bias)
        x = tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")
        x = tf.reshape(x, [tf.shape(x)[0], -1])  # (batch, size)
        return x @ self.scores_kernel + self.scores_bias

    @tf.function
    def train_step(self, images: Any, labels: Any) -> tf.Tensor:
        with tf.GradientTape() as tape:
            scores = self(images)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.weights)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            weight.assign_sub(self.learning_rate * gradient)
        return loss

    def train_on_batch(self, images: Any, labels: Any) -> float:
        return float(self.train_step(images, labels))


def build_network(
    level: str,
    image_shape: tuple[int, int, int],
    num_classes: int,
    learning_rate: float = 0.1,
) -> keras.Model | ModuleCNN:
    """Build the network at one level, ready to train.

    The four of Keras are compiled with the rule that the fifth has built in: the mean
    cross-entropy, plain gradient steps, a compiled step without XLA.

    Args:
        level: String, one of `LEVELS`.
        image_shape: Tuple `(height, width, channels)`, as `check_sizes` takes it.
        num_classes: Integer of at least 2.
        learning_rate: Float greater than 0.

    Returns:
        A `keras.Model` or a `ModuleCNN`: both have `weights` in the same order, can be
        called on images and have `train_on_batch(images, labels)`.

    Raises:
        ValueError: If `level` is none of `LEVELS`, or if `check_sizes` refuses a size.

    Example:
        >>> network = build_network("tf.Module", (8, 8, 1), num_classes=10)
        >>> [tuple(weight.shape) for weight in network.weights]
        [(3, 3, 1, 32), (32,), (288, 10), (10,)]
    """
    if level not in LEVELS:
        raise ValueError(f"Expected `level` to be one of {LEVELS}. Received: {level!r}")
    if level == "tf.Module":
        return ModuleCNN(image_shape, num_classes, learning_rate)
    builders = (sequential_cnn, functional_cnn, SubclassedCNN, OwnStepCNN)
    network = builders[LEVELS.index(level)](image_shape, num_classes)
    network(keras.Input(shape=image_shape))  # makes the weights of a subclassed one
    network.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    return network

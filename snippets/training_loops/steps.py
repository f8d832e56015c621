"""Training steps, and their gradients."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def small_classifier(
    model_class: type[keras.Model] = keras.Model,
    num_features: int = 64,
    num_classes: int = 10,
) -> keras.Model:
    """Build the same small classifier as a model of any class.

    Args:
        model_class: `keras.Model` or a subclass that is made from inputs and outputs.
        num_features: Integer of at least 1, the values of one example.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled model from vectors of shape `(batch, num_features)` to
        probabilities of shape `(batch, num_classes)`, float32. It drops a tenth of its
        hidden values in training.

    Example:
        >>> small_classifier(OwnStep).output_shape
        (None, 10)
    """
    features = keras.Input(shape=(num_features,), name="features")
    x = keras.layers.Dense(32, activation="relu")(features)
    x = keras.layers.Dropout(0.1)(x)
    scores = keras.layers.Dense(num_classes, activation="softmax", dtype="float32")(x)
    return model_class(features, scores)


@keras.saving.register_keras_serializable(package="snippets")
class OwnStep(keras.Model):
    """A model whose training step is its own, and whose `fit` is that of Keras.

    The step does what the step of Keras does, with `sample_weight`, the loss scaling of
    mixed precision and several replicas. Copy it, and change what should be different.

    Args:
        *args: As for `keras.Model`: inputs and outputs, or nothing in a subclass.
        **kwargs: As for `keras.Model`.

    Example:
        >>> model = small_classifier(OwnStep)
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> history = model.fit(np.ones((8, 64)), np.zeros(8), epochs=2, verbose=0)
        >>> len(history.history["loss"])
        2
    """

    def train_step(self, data: Any) -> Any:
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, sample_weight)
            scaled_loss = self.optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        num_examples = keras.ops.shape(keras.tree.flatten(x)[0])[0]
        # Under `tf.distribute` each replica has its part of the loss.
        num_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.metrics[0].update_state(loss * num_replicas, sample_weight=num_examples)
        return self.compute_metrics(x, y, y_pred, sample_weight)


def training_step(
    model: keras.Model,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    mean_loss: keras.metrics.Mean,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> Any:
    """Compile the training step of a loop that is written by hand.

    Args:
        model: A built `keras.Model`, compiled or not. Only the weights that are
            trainable at the first step are trained, also later.
        loss_function: A `keras.losses.Loss`, called with labels, predictions and
            sample weights. Losses that layers add, such as regularizers, are added.
        optimizer: A `keras.optimizers.Optimizer`, for this model alone.
        mean_loss: A `keras.metrics.Mean`, updated with the loss of each batch and the
            number of its examples.
        metrics: Sequence of `keras.metrics.Metric`, updated with labels and
            predictions, and not weighted.

    Returns:
        A function of `(x, y, sample_weight=None)` that takes one step and returns the
        loss before it. `y` is an array or a tensor.

    Example:
        >>> model = small_classifier()
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> mean_loss = keras.metrics.Mean()
        >>> step = training_step(model, loss, keras.optimizers.SGD(0.1), mean_loss)
        >>> step(np.ones((4, 64)), np.zeros(4)).shape, int(mean_loss.count)
        (TensorShape([]), 4)
    """
    optimizer.build(model.trainable_variables)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(x: Any, y: Any, sample_weight: Any = None) -> Any:
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_function(y, y_pred, sample_weight) + sum(model.losses)
            scaled_loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        mean_loss.update_state(loss, sample_weight=keras.ops.shape(y)[0])
        for metric in metrics:
            metric.update_state(y, y_pred)
        return loss

    return step


def evaluation_step(
    model: keras.Model,
    loss_function: keras.losses.Loss,
    mean_loss: keras.metrics.Mean,
    metrics: Sequence[keras.metrics.Metric] = (),
) -> Any:
    """Compile the step of a validation.

    Args:
        model: A built `keras.Model`.
        loss_function: As for `training_step`.
        mean_loss: As for `training_step`.
        metrics: As for `training_step`.

    Returns:
        A function of `(x, y, sample_weight=None)` that counts one batch and returns its
        loss.

    Example:
        >>> mean_loss = keras.metrics.Mean()
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> step = evaluation_step(small_classifier(), loss, mean_loss)
        >>> step(np.ones((4, 64)), np.zeros(4)).shape, int(mean_loss.count)
        (TensorShape([]), 4)
    """

    @tf.function(reduce_retracing=True, autograph=False)
    def step(x: Any, y: Any, sample_weight: Any = None) -> Any:
        y_pred = model(x, training=False)
        loss = loss_function(y, y_pred, sample_weight) + sum(model.losses)
        mean_loss.update_state(loss, sample_weight=keras.ops.shape(y)[0])
        for metric in metrics:
            metric.update_state(y, y_pred)
        return loss

    return step


def replicated_step(
    strategy: tf.distribute.Strategy,
    model: keras.Model,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    mean_loss: keras.metrics.Mean,
) -> Any:
    """Compile the training step of all replicas of a strategy.

    The parts of a batch need not be equal. A gradient that is infinite on any replica
    is so on all of them, and `LossScaleOptimizer` skips the step.

    Args:
        strategy: A `tf.distribute.Strategy`; `tf.distribute.get_strategy()` is one
            device.
        model: A built `keras.Model`, from the scope of the strategy.
        loss_function: A `keras.losses.Loss` with `reduction="sum"`.
        optimizer: A `keras.optimizers.Optimizer`, from the scope of the strategy.
        mean_loss: A `keras.metrics.Mean`, from the scope of the strategy.

    Returns:
        A function of `(x, y)`, a batch of a distributed dataset, that takes one step.

    Example:
        >>> one = tf.distribute.get_strategy()
        >>> model, mean_loss = small_classifier(), keras.metrics.Mean()
        >>> loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
        >>> optimizer = keras.optimizers.SGD(0.1)
        >>> optimizer.build(model.trainable_variables)
        >>> step = replicated_step(one, model, loss, optimizer, mean_loss)
        >>> step(tf.ones((4, 64)), tf.zeros(4))
        >>> int(mean_loss.count)
        4
    """
    num_replicas = strategy.num_replicas_in_sync

    def step(x: Any, y: Any) -> None:
        replica = tf.distribute.get_replica_context()
        count = replica.all_reduce("SUM", keras.ops.shape(y)[0])  # the whole batch
        with tf.GradientTape() as tape:
            loss = loss_function(y, model(x, training=True))
            loss /= keras.ops.cast(count, loss.dtype)
            loss += sum(model.losses) / num_replicas
            scaled_loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, model.trainable_variables)
        # `apply` sums the gradients of the replicas, so this changes none of them.
        gradients = replica.all_reduce("MEAN", gradients)
        optimizer.apply(gradients, model.trainable_variables)
        mean_loss.update_state(loss * num_replicas, sample_weight=count)

    @tf.function(reduce_retracing=True, autograph=False)
    def step_of_all(x: Any, y: Any) -> None:
        strategy.run(step, args=(x, y))

    return step_of_all


def accumulated_gradients(
    model: keras.Model,
    loss_function: keras.losses.Loss,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    num_parts: int,
) -> list[Any]:
    """Compute the gradients of a large batch a part at a time, to use less memory.

    Each part counts by its size, so parts need not be equal. Losses that layers add,
    such as regularizers, count once. Dropout draws for each part, and
    BatchNormalization normalizes each part by itself.

    Args:
        model: A built `keras.Model`.
        loss_function: A `keras.losses.Loss` that takes the mean over the examples.
        x: Array of shape `(batch, ...)`.
        y: Array of shape `(batch, ...)`.
        num_parts: Integer from 1 to the size of the batch.

    Returns:
        A list of tensors, one for each of `model.trainable_variables`, in their shapes;
        0 where the loss does not depend on the variable.

    Raises:
        ValueError: If `num_parts` is less than 1 or more than there are examples, or if
            `x` and `y` differ in length.

    Example:
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> x, y = np.ones((8, 64), "float32"), np.zeros(8)
        >>> len(accumulated_gradients(small_classifier(), loss, x, y, num_parts=3))
        4
    """
    if len(x) != len(y) or not 1 <= num_parts <= len(x):
        raise ValueError(
            "Expected `num_parts` from 1 to the size of the batch, and as many labels. "
            f"Received: num_parts={num_parts}, {len(x)} examples and {len(y)} labels"
        )
    total = [keras.ops.zeros_like(v) for v in model.trainable_variables]
    parts = zip(np.array_split(x, num_parts), np.array_split(y, num_parts), strict=True)
    for x_part, y_part in parts:
        with tf.GradientTape() as tape:
            loss = loss_function(y_part, model(x_part, training=True))
            loss = (loss + sum(model.losses)) * (len(x_part) / len(x))
        gradients = tape.gradient(loss, model.trainable_variables)
        pairs = zip(total, gradients, strict=True)
        total = [a if b is None else a + b for a, b in pairs]
    return total


@keras.ops.custom_gradient
def round_straight_through(x: Any) -> Any:
    """Round, and let gradients pass as if nothing had been rounded.

    The gradient of rounding is 0 wherever there is one, so nothing before it would
    learn. Call it on values, inside the `call` of a layer, not on a `keras.Input`.

    Args:
        x: Float tensor of any shape.

    Returns:
        A tensor of the same shape and dtype, of whole numbers.

    Example:
        >>> x = tf.Variable([0.4, 1.7])
        >>> with tf.GradientTape() as tape:
        ...     y = round_straight_through(x) * 3.0
        >>> y.numpy().tolist(), tape.gradient(y, x).numpy().tolist()
        ([0.0, 6.0], [3.0, 3.0])

    References:
        - [Estimating or Propagating Gradients Through Stochastic Neurons for
          Conditional Computation](https://arxiv.org/abs/1308.3432), Y. Bengio,
          N. Leonard and A. Courville, 2013.
    """

    def gradient(*args: Any, upstream: Any = None) -> Any:
        return args[0] if upstream is None else upstream

    return keras.ops.round(x), gradient

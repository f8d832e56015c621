"""Training steps, their gradients and their learning rates."""

import math
from collections.abc import Callable, Sequence
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
    model: keras.Model, loss_function: keras.losses.Loss, optimizer: Any
) -> Any:
    """Compile the training step of a loop that is written by hand.

    Args:
        model: A built `keras.Model`, compiled or not.
        loss_function: A `keras.losses.Loss`, called with labels, predictions and
            sample weights. Losses that layers add, such as regularizers, are added.
        optimizer: A `keras.optimizers.Optimizer`, for this model alone.

    Returns:
        A function of `(x, y, sample_weight=None)` that takes one step and returns
        `(loss, predictions)`: the loss before the step, and the predictions that it is
        the loss of.

    Raises:
        ValueError: If the model has no weights to train.

    Example:
        >>> model = small_classifier()
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> step = training_step(model, loss, keras.optimizers.SGD(0.1))
        >>> step(np.ones((4, 64)), np.zeros(4))[0].shape
        TensorShape([])
    """
    if not model.trainable_variables:
        raise ValueError(
            "Expected a built model with trainable weights. "
            f"Received: {type(model).__name__} '{model.name}' without any"
        )
    optimizer.build(model.trainable_variables)

    def step(x: Any, y: Any, sample_weight: Any = None) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            y_pred = model(x, training=True)
            loss = loss_function(y, y_pred, sample_weight) + sum(model.losses)
            scaled_loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)
        return loss, y_pred

    return tf.function(step, reduce_retracing=True, autograph=False)


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


def warmup_then_cosine(
    peak_rate: float, warmup_steps: int, total_steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Raise the learning rate from 0 to its peak, then lower it to 0 along a cosine.

    Args:
        peak_rate: Float greater than 0.
        warmup_steps: Integer of at least 1.
        total_steps: Integer greater than `warmup_steps`. After it the rate stays 0.

    Returns:
        A `keras.optimizers.schedules.CosineDecay`, to pass as `learning_rate`.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> schedule = warmup_then_cosine(0.1, warmup_steps=10, total_steps=110)
        >>> [round(float(schedule(step)), 3) for step in (0, 5, 10, 60, 110)]
        [0.0, 0.05, 0.1, 0.05, 0.0]
    """
    if not 0 < peak_rate < math.inf:
        raise ValueError(f"Expected `peak_rate` greater than 0. Received: {peak_rate}")
    if not 1 <= warmup_steps < total_steps:
        raise ValueError(
            "Expected `warmup_steps` of at least 1 and `total_steps` greater than it. "
            f"Received: warmup_steps={warmup_steps}, total_steps={total_steps}"
        )
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        decay_steps=total_steps - warmup_steps,
        warmup_target=peak_rate,
        warmup_steps=warmup_steps,
    )


def trace_counts(
    function: Callable[..., Any], calls: Sequence[tuple[Any, ...]], **options: Any
) -> list[int]:
    """Count how often `tf.function` has traced a function after each of some calls.

    Args:
        function: A function that `tf.function` can trace.
        calls: Sequence of tuples, the arguments of each call.
        **options: As for `tf.function`, such as `input_signature`.

    Returns:
        A list of integers, the number of traces so far after each call.

    Raises:
        ValueError: If there is no call.

    Example:
        >>> trace_counts(lambda x: x + x, [(1,), (2,), (tf.constant(1),)])
        [1, 2, 3]
    """
    if not calls:
        raise ValueError("Expected at least one call. Received: none")
    compiled = tf.function(function, **options)
    counts = []
    for arguments in calls:
        compiled(*arguments)
        counts.append(int(compiled.experimental_get_tracing_count()))
    return counts


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

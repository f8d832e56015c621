"""Find a learning rate to begin with."""

import itertools
import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def learning_rate_range(
    model: keras.Model,
    batches: Iterable[Any],
    lowest: float = 1e-5,
    highest: float = 1.0,
    num_steps: int = 100,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Take steps at rising learning rates, note the losses, and undo all of it.

    A rate at which the loss falls fast, some way below the one at which it rises, is a
    good one to begin with. The test ends early when the loss is no longer finite.

    Args:
        model: A built and compiled `keras.Model`, whose optimizer was given its rate as
            a number. Its weights and the states of its optimizer and of its random
            layers are put back, but on PyTorch a `Dropout` without a seed draws from
            PyTorch's own generator. An optimizer that was not built is built.
        batches: Iterable of `(x, y)` or `(x, y, sample_weight)`, at least one: a list
            or, on TensorFlow, a `tf.data.Dataset`. It is repeated as needed.
        lowest: Float greater than 0, the first rate.
        highest: Float greater than `lowest`, the last rate. Each step multiplies the
            rate by the same factor.
        num_steps: Integer of at least 2.

    Returns:
        A tuple `(rates, losses)` of arrays of one length, at most `num_steps`, float64.
        Each loss is that of a batch before the step at this rate.

    Raises:
        ValueError: If the model is not built and compiled, if the rates are out of
            their range, or if there is no batch.
        TypeError: From Keras, if the learning rate is a schedule.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> model = small_classifier()
        >>> model.compile("sgd", "sparse_categorical_crossentropy")
        >>> batches = [(np.ones((8, 64)), np.zeros(8))]
        >>> rates, losses = learning_rate_range(model, batches, 0.001, 1.0, 4)
        >>> rates.round(3).tolist(), losses.shape
        ([0.001, 0.01, 0.1, 1.0], (4,))

    References:
        - [Cyclical Learning Rates for Training Neural Networks](
          https://arxiv.org/abs/1506.01186), L. N. Smith, 2017.
    """
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not model.built:
        raise ValueError(
            "Expected `model` to be built and compiled. "
            f"Received: built={model.built}, optimizer={optimizer}"
        )
    if not 0 < lowest < highest < math.inf:
        raise ValueError(
            "Expected `lowest` greater than 0 and `highest` greater than it. "
            f"Received: lowest={lowest}, highest={highest}"
        )
    if not optimizer.built:
        optimizer.build(model.trainable_variables)
    variables = [*model.variables, *optimizer.variables]
    values = [np.array(keras.ops.convert_to_numpy(v)) for v in variables]
    rates, losses = np.geomspace(lowest, highest, num_steps), []
    try:
        for rate, batch in zip(rates, itertools.cycle(batches), strict=False):
            optimizer.learning_rate = rate
            parts = keras.utils.unpack_x_y_sample_weight(batch)
            model.reset_metrics()  # before Keras 3.15, or it is a mean over all steps
            losses.append(float(model.train_on_batch(*parts, return_dict=True)["loss"]))
            if not math.isfinite(losses[-1]):
                break
    finally:
        model.reset_metrics()
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    if not losses:
        raise ValueError("Expected `batches` to hold at least one. Received: none")
    return rates[: len(losses)], np.array(losses)

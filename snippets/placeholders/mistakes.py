"""A deliberate mistake: a tensor that leaks out of its function."""

import tensorflow as tf


def leaking_double(value: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the result of a `tf.function`, and a tensor that leaked out: wrong code.

    Args:
        value: Number.

    Returns:
        A tuple `(returned, leaked)`: twice the value, and the tensor of the graph that
        stood for it, which cannot be used outside.

    Example:
        >>> returned, leaked = leaking_double(2.0)
        >>> float(returned)
        4.0
    """
    leaks = []

    @tf.function(autograph=False)
    def double(x: tf.Tensor) -> tf.Tensor:
        doubled = x * 2.0
        leaks.append(doubled)  # runs while the graph is built, with no number in sight
        return doubled

    return double(tf.constant(value)), leaks[0]

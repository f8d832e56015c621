"""What the proofs of the guide placeholders and of its reference pages share."""

import functools

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1


def run_in_session(build, feed=None, initialize=True):
    """Build a graph of its own, run what `build(x)` returns, with `x` fed."""
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        fetches = build(x)
        if initialize:
            session.run(tf1.global_variables_initializer())
        return session.run(fetches, {} if feed is None else {x: feed})


def message_of(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


@functools.lru_cache
def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.data / 16.0).astype("float32"), data.target.astype("int64")


def layers_of_v1():
    try:
        return tf1.layers.dense
    except AttributeError as error:
        return str(error)


BATCH = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "float32")

"""Carry the weights of an old checkpoint over."""

from collections.abc import Collection, Mapping
from pathlib import Path

import keras
import tensorflow as tf


def checkpoint_problems(
    model: keras.Model,
    path: str | Path,
    name_map: Mapping[str, str],
    ignored: Collection[str] = (),
) -> list[str]:
    """Say what keeps a TensorFlow 1 checkpoint from filling a Keras model.

    Args:
        model: A built `keras.Model`.
        path: Prefix of a checkpoint, as it was given to `Saver.save`.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint.
        ignored: Names of variables in the checkpoint to leave behind, such as
            the slots of its optimizer.

    Returns:
        A list of strings, one for each problem; empty if there is none.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from snippets.placeholders import (
        ...     classifier_with, start_weights, train_in_session)
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(), batches, checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     checkpoint_problems(model, f"{folder}/old", same)
        []
    """
    reader = tf.train.load_checkpoint(str(path))
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    weights = {weight.path: weight for weight in model.weights}
    problems = []
    for here, weight in weights.items():
        name = name_map.get(here)
        if name is None:
            problems.append(f"`name_map` lacks the weight {here!r}")
        elif name not in shapes:
            problems.append(f"missing: {name!r}, for the weight {here!r}")
        elif tuple(shapes[name]) != tuple(weight.shape):
            want, got = tuple(weight.shape), tuple(shapes[name])
            problems.append(f"wrong shape: {name!r} is {got}, {here!r} is {want}")
        elif dtypes[name].name != weight.dtype:
            problems.append(
                f"wrong dtype: {name!r} is {dtypes[name].name}, "
                f"{here!r} is {weight.dtype}"
            )
    problems += [
        f"`name_map` has {here!r}, which is no weight of the model"
        for here in name_map
        if here not in weights
    ]
    used = {*name_map.values(), *ignored}
    problems += [f"extra: {name!r}" for name in sorted(shapes) if name not in used]
    return problems


def load_checkpoint(
    model: keras.Model,
    path: str | Path,
    name_map: Mapping[str, str],
    ignored: Collection[str] = (),
) -> None:
    """Carry the variables of a TensorFlow 1 checkpoint into a Keras model.

    Either every weight of the model is replaced or, if anything is wrong, none.

    Args:
        model: A built `keras.Model`. Give its layers names: automatic ones change
            with the number of models built before.
        path: Prefix of a checkpoint, as it was given to `Saver.save`.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint, of the same shape and dtype.
            `tf.train.list_variables(path)` lists the names.
        ignored: Names of variables in the checkpoint to leave behind, such as
            the slots of its optimizer.

    Raises:
        ValueError: If anything is missing, extra, or of another shape or dtype; one
            message lists it all.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from snippets.placeholders import (
        ...     classifier_with, start_weights, train_in_session)
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights(seed=1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(seed=2), batches, checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     load_checkpoint(model, f"{folder}/old", same)
    """
    problems = checkpoint_problems(model, path, name_map, ignored)
    if problems:
        raise ValueError(
            "Expected a checkpoint with a variable of the same shape and dtype for "
            f"each weight of `model`, and no other. Received: {'; '.join(problems)}"
        )
    reader = tf.train.load_checkpoint(str(path))
    for weight in model.weights:
        weight.assign(reader.get_tensor(name_map[weight.path]))

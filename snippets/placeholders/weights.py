"""Carry the weights of an old checkpoint over."""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf


def assign_from_checkpoint(
    model: keras.Model, prefix: str, name_map: Mapping[str, str]
) -> None:
    """Read the weights of a Keras model from a TensorFlow 1 checkpoint.

    This is the bare pattern. `load_checkpoint` also looks for what is left over, and
    changes no weight if anything is wrong.

    Args:
        model: A built `keras.Model`.
        prefix: String, what `Saver.save` returned: `model.ckpt-1000` for the files
            `model.ckpt-1000.index` and `model.ckpt-1000.data-00000-of-00001`.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable of the same shape.

    Raises:
        KeyError: If `name_map` lacks a weight.

    Example:
        >>> import tempfile
        >>> from snippets.placeholders.training import classifier_with
        >>> from snippets.placeholders.training import start_weights, train_in_session
        >>> model = classifier_with(start_weights(seed=1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(seed=2), [], checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     assign_from_checkpoint(model, f"{folder}/old", same)
    """
    reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    for weight in model.weights:
        weight.assign(reader.get_tensor(name_map[weight.path]))


def prefixes_near(path: str) -> list[str]:
    """List the checkpoints that a wrong path may have meant.

    Args:
        path: Path at which there is no checkpoint: of one of its files, of a folder,
            or of nothing.

    Returns:
        A sorted list of prefixes in that folder: the one to which the file belongs, or
        else those that begin like `path`, or else all.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for step in (10, 20):
        ...         _ = Path(folder, f"model-{step}.index").touch()
        ...     near = prefixes_near(f"{folder}/model-10.data-00000-of-00001")
        ...     [os.path.basename(prefix) for prefix in near]
        ['model-10']
    """
    folder = path if tf.io.gfile.isdir(path) else os.path.dirname(path)
    if not tf.io.gfile.isdir(folder or "."):
        return []
    there = sorted(
        os.path.join(folder, name.removesuffix(".index"))
        for name in tf.io.gfile.listdir(folder or ".")
        if name.endswith(".index")
    )
    meant = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", path)
    alike = [prefix for prefix in there if prefix.startswith(meant)]
    return [prefix for prefix in there if prefix == meant] or alike or there


def checkpoint_prefix(path: str | Path) -> str:
    """Return the prefix by which TensorFlow opens a checkpoint.

    `tf.train.load_checkpoint` and `tf.train.list_variables` take a prefix that ends in
    `/` for a folder and follow the file `checkpoint` in it, which may name a path of
    another machine. The prefix leads to the files themselves.

    Args:
        path: Prefix of a checkpoint, as `Saver.save` returned it: what stands before
            `.index` and `.data-00000-of-00001` in the names of its files. A prefix may
            end in `/`, which may be left out.

    Returns:
        The prefix, as `tf.compat.v1.train.NewCheckpointReader` and `Saver.restore`
        take it.

    Raises:
        ValueError: If TensorFlow can open no checkpoint there. The message names the
            prefix that may have been meant.

    Example:
        >>> checkpoint_prefix("model.ckpt")
        Traceback (most recent call last):
            ...
        ValueError: Expected `path` to be the prefix of a checkpoint, what stands before
        `.index` and `.data-00000-of-00001` in the names of its files. Received:
        'model.ckpt'
    """
    prefix = str(path)
    exists = tf.io.gfile.exists
    if exists(f"{prefix}/.index") and not exists(f"{prefix}.index"):
        prefix += "/"  # a `Path` drops it
    try:
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    except tf.errors.OpError:
        reader = None
    # An `.index` file opens too, as a checkpoint without variables.
    if reader is None or not reader.get_variable_to_shape_map():
        near = " or ".join(map(repr, prefixes_near(prefix)[:5]))
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(
            "Expected `path` to be the prefix of a checkpoint, what stands before "
            "`.index` and `.data-00000-of-00001` in the names of its files. "
            f"Received: {prefix!r}{hint}"
        )
    return prefix


def weights_by_path(model: keras.Model) -> dict[str, Any]:
    """Return the weights of a model by their paths.

    Args:
        model: A built `keras.Model`.

    Returns:
        A dict from the `path` of each weight to the weight, in the order of
        `model.weights`.

    Raises:
        ValueError: If a layer of the model is not built yet, or if two weights have
            the same path.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> [tuple(weight.shape) for weight in weights_by_path(model).values()]
        [(3, 2), (2,)]
    """
    unbuilt = [layer.name for layer in model._flatten_layers() if not layer.built]
    if unbuilt:
        raise ValueError(
            "Expected a built `model`; to build it, call it on a batch. "
            f"Received: {model.name!r}, in which {unbuilt} are not built"
        )
    paths = [weight.path for weight in model.weights]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ValueError(
            "Expected a path of its own for each weight of `model`; give its layers "
            f"different names. Received: several weights of the paths {twice}"
        )
    return dict(zip(paths, model.weights, strict=True))


def leftover_problems(
    names: Iterable[str], used: Collection[str], ignored: Collection[str]
) -> list[str]:
    """Say which variables of a checkpoint are left over, or ignored in vain.

    Args:
        names: Names of the variables in the checkpoint.
        used: Names of the variables that fill a weight.
        ignored: Names or patterns, as `checkpoint_problems` takes them.

    Returns:
        A list of strings, one for each problem; empty if there is none.

    Raises:
        TypeError: If `ignored` is a string.

    Example:
        >>> names = ["w", "w/Adam", "w/Adam_1", "beta1_power"]
        >>> leftover_problems(names, used=["w"], ignored=["*/Adam*"])
        ["extra: 'beta1_power'"]
    """
    if isinstance(ignored, str):
        raise TypeError(
            "Expected `ignored` to be a collection of names and patterns, such as "
            f"[{ignored!r}]. Received: {ignored!r}"
        )
    names = sorted(names)
    return [
        *(
            f"`ignored` has {pattern!r}, which matches no variable of the checkpoint"
            for pattern in ignored
            if not any(fnmatchcase(name, pattern) for name in names)
        ),
        *(
            f"`ignored` has {name!r}, which `name_map` uses"
            for name in ignored
            if name in used
        ),
        *(
            f"extra: {name!r}"
            for name in names
            if name not in used and not any(fnmatchcase(name, p) for p in ignored)
        ),
    ]


def checkpoint_problems(
    model: keras.Model,
    path: str | Path,
    name_map: Mapping[str, str],
    ignored: Collection[str] = (),
) -> list[str]:
    """Say what keeps a TensorFlow 1 checkpoint from filling a Keras model.

    Args:
        model: A built `keras.Model`.
        path: Prefix of a checkpoint, as `checkpoint_prefix` takes it.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint. `proposed_name_map` proposes one.
        ignored: Names of variables in the checkpoint to leave behind, or patterns of
            `fnmatch`: `"*/Adam*"` for the slots of an optimizer, `"*"` for all that
            `name_map` does not name.

    Returns:
        A list of strings, one for each problem; empty if there is none.

    Raises:
        ValueError: If there is no checkpoint, if the model is not built, or if two of
            its weights have the same path.
        TypeError: If `ignored` is a string.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from snippets.placeholders.training import classifier_with
        >>> from snippets.placeholders.training import start_weights, train_in_session
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(), batches, checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     checkpoint_problems(model, f"{folder}/old", same)
        []
    """
    weights = weights_by_path(model)
    reader = tf.compat.v1.train.NewCheckpointReader(checkpoint_prefix(path))
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    problems, used = [], list(name_map.values())
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
    problems += [
        f"`name_map` has {name!r} for {used.count(name)} weights"
        for name in sorted({name for name in used if used.count(name) > 1})
    ]
    return problems + leftover_problems(shapes, used, ignored)


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
        path: Prefix of a checkpoint, as `checkpoint_prefix` takes it.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint, of the same shape and dtype.
            `proposed_name_map` proposes one.
        ignored: Names of variables in the checkpoint to leave behind, or patterns of
            `fnmatch`: `"*/Adam*"` for the slots of an optimizer, `"*"` for all that
            `name_map` does not name.

    Raises:
        ValueError: If there is no complete checkpoint, if the model is not built, if
            two of its weights have the same path, or if anything is missing, extra,
            used twice, or of another shape or dtype; one message lists it all.
        TypeError: If `ignored` is a string.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from snippets.placeholders.training import classifier_with
        >>> from snippets.placeholders.training import start_weights, train_in_session
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
        listed = "\n- ".join(["Received:", *problems])
        raise ValueError(
            "Expected a checkpoint with a variable of the same shape and dtype for "
            f"each weight of `model`, and no other. {listed}\n"
            "`proposed_name_map(model, path)` proposes a map; `ignored=['*']` leaves "
            "behind all that the map does not name."
        )
    reader = tf.compat.v1.train.NewCheckpointReader(checkpoint_prefix(path))
    try:  # All are read before one is assigned.
        arrays = [reader.get_tensor(name_map[weight.path]) for weight in model.weights]
    except (IndexError, tf.errors.OpError) as error:
        raise ValueError(
            "Expected a complete checkpoint. "
            f"Received: {str(path)!r}, whose `.data-...` files are cut short or missing"
        ) from error
    for weight, array in zip(model.weights, arrays, strict=True):
        weight.assign(array)

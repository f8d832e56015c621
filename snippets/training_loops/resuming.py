"""Checkpoints of a loop that goes on as if it had never stopped."""

import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from snippets.checks import check_integer
from snippets.training_loops.steps import training_step


def epoch_batches(
    num_examples: int, batch_size: int, epoch: int, seed: int = 0
) -> list[npt.NDArray[np.int64]]:
    """Shuffle an epoch so that its order depends on the seed and the epoch alone.

    A process that starts in the middle of a training knows the order without having
    seen the epochs before.

    Args:
        num_examples: Integer of at least 1.
        batch_size: Integer of at least 1. The last batch may be smaller.
        epoch: Integer of at least 0.
        seed: Integer of at least 0.

    Returns:
        A list of int64 arrays: the positions of the examples of each batch.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> [batch.tolist() for batch in epoch_batches(5, 2, epoch=0)]
        [[2, 4], [3, 0], [1]]
    """
    check_integer("num_examples", num_examples)
    check_integer("batch_size", batch_size)
    check_integer("epoch", epoch, least=0)
    check_integer("seed", seed, least=0)
    order = np.random.default_rng([seed, epoch]).permutation(num_examples)
    starts = range(0, num_examples, batch_size)
    return [order[start : start + batch_size] for start in starts]


def checkpoints(folder: str | Path) -> list[Path]:
    """List the checkpoints of a folder, oldest first, if it is a folder for them.

    Args:
        folder: Path of a folder that holds nothing else, or does not exist yet.

    Returns:
        A list of paths of `step-00000123.npz` files.

    Raises:
        ValueError: If there is a file in place of the folder, or another file in it.

    Example:
        >>> checkpoints("no such folder")
        []
    """
    folder = Path(folder)
    if not folder.exists():
        return []
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else ["."]
    foreign = set(names) - {path.name for path in folder.glob("step-????????.npz")}
    if foreign - {"unfinished"}:
        found = "a file" if names == ["."] else repr(min(foreign - {"unfinished"}))
        raise ValueError(
            f"Expected {folder.name!r} to be a folder of checkpoints alone. "
            f"Received: {found}"
        )
    return [folder / name for name in names if name != "unfinished"]


def save_checkpoint(
    folder: str | Path,
    model: keras.Model,
    optimizer: Any,
    step: int,
    order: Mapping[str, int] | None = None,
) -> Path:
    """Save all that the next step depends on, so that a kill cannot spoil it.

    That is the weights, the state of random layers, the state of the optimizer and the
    place in the data. The checkpoint is written under a temporary name and renamed when
    it is complete and on the disk. The last two are kept.

    Args:
        folder: Path of a folder for checkpoints alone; made if it does not exist.
        model: A built `keras.Model`.
        optimizer: Its built `keras.optimizers.Optimizer`.
        step: Integer of at least 0, the steps that have been taken.
        order: `None`, or a dict of integers by name: what the order of the examples
            depends on, such as the batch size and a seed.

    Returns:
        The path of the new file.

    Raises:
        ValueError: If `step` is no integer of at least 0, or if the folder holds
            something else.

    Example:
        >>> import tempfile
        >>> from snippets.training_loops.steps import small_classifier
        >>> model, optimizer = small_classifier(), keras.optimizers.SGD()
        >>> optimizer.build(model.trainable_variables)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_checkpoint(folder, model, optimizer, step=12).name
        'step-00000012.npz'
    """
    check_integer("step", step, least=0)
    checkpoints(folder)  # refuses a folder of something else before writing to it
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    variables = [*model.variables, *optimizer.variables]
    arrays = [keras.ops.convert_to_numpy(variable) for variable in variables]
    path = folder / f"step-{step:08d}.npz"
    with (folder / "unfinished").open("wb") as file:
        np.savez(file, *arrays, **dict[str, Any](order or {}))
        file.flush()
        os.fsync(file.fileno())
    (folder / "unfinished").replace(path)
    for old in checkpoints(folder)[:-2]:
        old.unlink()
    return path


def restore_checkpoint(
    folder: str | Path,
    model: keras.Model,
    optimizer: Any,
    order: Mapping[str, int] | None = None,
) -> int:
    """Put the newest checkpoint of a folder into a model and its optimizer.

    Args:
        folder: Path of a folder for checkpoints alone. Nothing is written to it.
        model: A built `keras.Model` of the layers that were saved.
        optimizer: A `keras.optimizers.Optimizer` of the same kind.
        order: What was passed to `save_checkpoint`.

    Returns:
        The number of steps that had been taken; 0 if there is no checkpoint yet.

    Raises:
        ValueError: If the folder holds something else, or if the checkpoint is cut
            short, is one of another model or of another order. Model and optimizer are
            then untouched.

    Example:
        >>> from snippets.training_loops.steps import small_classifier
        >>> model, optimizer = small_classifier(), keras.optimizers.SGD()
        >>> restore_checkpoint("no such folder", model, optimizer)
        0
    """
    optimizer.build(model.trainable_variables)
    saved = checkpoints(folder)
    if not saved:
        return 0
    newest = saved[-1]
    try:
        with newest.open("rb") as file, np.load(file) as archive:
            found = {name: archive[name] for name in archive.files}
    except (EOFError, OSError, ValueError, zipfile.BadZipFile):
        raise ValueError(
            f"Expected {newest.name!r} to be a whole checkpoint. Received: a file that "
            "is cut short or damaged. Delete it to go on from the one before it."
        ) from None
    arrays = [found[name] for name in found if name.startswith("arr_")]
    saved_order = {n: int(found[n]) for n in found if not n.startswith("arr_")}
    if saved_order != dict(order or {}):
        raise ValueError(
            f"Expected {newest.name!r} to go on with {saved_order}, since the place in "
            f"the data depends on it. Received: {dict(order or {})}"
        )
    variables = [*model.variables, *optimizer.variables]
    expected = [tuple(variable.shape) for variable in variables]
    shapes = [array.shape for array in arrays]
    if shapes != expected:
        raise ValueError(
            f"Expected {newest.name!r} to hold variables of shapes {expected}. "
            f"Received: {shapes}"
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return int(newest.stem.removeprefix("step-"))


def train_resumably(
    model: keras.Model,
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    folder: str | Path,
    loss_function: keras.losses.Loss,
    optimizer: Any,
    epochs: int,
    batch_size: int = 32,
    save_every: int = 50,
    seed: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> list[float]:
    """Train so that a killed process can be started again and ends the same.

    Args:
        model: A built `keras.Model` with one input and one output.
        features: Array of shape `(num_examples, ...)`.
        labels: Array of shape `(num_examples, ...)`.
        folder: Path of a folder for checkpoints alone. If it holds one, training goes
            on from there.
        loss_function: A `keras.losses.Loss`.
        optimizer: A `keras.optimizers.Optimizer`.
        epochs: Integer of at least 1, all epochs, also those before a kill.
        batch_size: Integer of at least 1, the same in each call.
        save_every: Integer of at least 1: save after that many steps.
        seed: Integer of at least 0, for the order of the examples, the same in each
            call.
        on_step: `None`, or a function that is called with the number of steps taken.

    Returns:
        A list of floats, the losses of the steps that this call took.

    Raises:
        ValueError: If an argument is out of its range, or if `restore_checkpoint`
            refuses the folder, for example since the batch size is another one.

    Example:
        >>> import tempfile
        >>> from snippets.training_loops.steps import small_classifier
        >>> x, y = np.ones((8, 64), "float32"), np.zeros(8)
        >>> loss = keras.losses.SparseCategoricalCrossentropy()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for epochs in (2, 3):  # The second call goes on where the first ended.
        ...         rest = (loss, keras.optimizers.SGD(), epochs, 4)
        ...         len(train_resumably(small_classifier(), x, y, folder, *rest))
        4
        2
    """
    check_integer("epochs", epochs)
    check_integer("save_every", save_every)
    order = {"num_examples": len(features), "batch_size": batch_size, "seed": seed}
    done = restore_checkpoint(folder, model, optimizer, order)
    step = training_step(model, loss_function, optimizer, keras.metrics.Mean())
    batches = [
        batch
        for epoch in range(epochs)
        for batch in epoch_batches(len(features), batch_size, epoch, seed)
    ]
    losses = []
    for number, batch in enumerate(batches[done:], start=done + 1):
        losses.append(step(features[batch], labels[batch]))
        if number % save_every == 0 or number == len(batches):
            save_checkpoint(folder, model, optimizer, number, order)
        if on_step is not None:
            on_step(number)
    return [float(loss) for loss in losses]

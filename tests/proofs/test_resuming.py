"""Proofs of the page on resuming."""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_training_loops import (
    X,
    Y,
    classifier,
    crossentropy,
    largest_difference,
)


@functools.cache
def losses_after_three_steps(left_out=""):
    """Move a training to another model after 3 steps, and take 2 steps more there."""
    from snippets.training_loops import training_step

    parts = []
    for _ in range(2):
        model = classifier(dropout=0.5)
        optimizer = keras.optimizers.Adam(0.1)
        mean = keras.metrics.Mean()
        step = training_step(model, crossentropy(), optimizer, mean)
        parts.append((model, optimizer, step))
    batches = [
        (X[start : start + 4], Y[start : start + 4]) for start in (0, 4, 8, 2, 6)
    ]
    (model, optimizer, step), (other, other_optimizer, other_step) = parts
    for batch in batches[:3]:
        step(*batch)
    weights = model.weights
    random_state = [v for v in model.variables if not any(v is w for w in weights)]
    other_weights = other.weights
    other_random = [
        v for v in other.variables if not any(v is w for w in other_weights)
    ]
    assert len(random_state) == len(other_random) == 1
    groups = {
        "weights": (weights, other_weights),
        "optimizer": (optimizer.variables, other_optimizer.variables),
        "random numbers": (random_state, other_random),
    }
    for name, (sources, targets) in groups.items():
        for source, target in zip(sources, targets, strict=True):
            if name != left_out:
                target.assign(source)
    rest = batches[:2] if left_out == "place" else batches[3:]
    return [float(other_step(*batch)) for batch in rest]


@proves(
    "In a loop you save what the next step depends on, and that is more than the "
    "weights: the state of the optimizer, the state of Dropout's random numbers, "
    "and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_optimizer_state_matters(left_out="optimizer"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "In a loop you save what the next step depends on, and that is more than the "
    "weights: the state of the optimizer, the state of Dropout's random numbers, "
    "and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_random_state_matters(left_out="random numbers"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "In a loop you save what the next step depends on, and that is more than the "
    "weights: the state of the optimizer, the state of Dropout's random numbers, "
    "and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_place_in_the_data_matters(left_out="place"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "Among the callbacks of `train_by_hand` it restores the weights and the "
    "optimizer, but without `initial_epoch` the loop begins with epoch 0: killed "
    "after 3 of 5 epochs, it takes 5 more.",
    false_with={"killed": False},
    needs="keras>=3",
)
def test_backup_in_a_loop_begins_with_epoch_0(killed=True):
    from snippets.training_loops import train_by_hand

    begun, counts = [], []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            begun.append(epoch)
            counts.append(np.array(self.model.optimizer.iterations).item())
            if killed and len(begun) == 4:
                raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):
            model, parts = classifier(), (crossentropy(), keras.optimizers.Adam(0.1))
            backup = keras.callbacks.BackupAndRestore(f"{folder}/backup")
            with contextlib.suppress(KeyboardInterrupt):
                callbacks = [backup, Watch()]
                train_by_hand(model, [(X, Y)], 5, *parts, callbacks=callbacks)
    assert begun == [0, 1, 2, 3, 0, 1, 2, 3, 4]
    assert counts == [0, 1, 2, 3, 3, 4, 5, 6, 7]


@proves(
    "The order of an epoch is a function of the seed and the epoch, so a new process "
    "knows it without having seen the epochs before.",
    false_with={"epoch": 2},
    needs="keras>=3",
)
def test_order_depends_on_seed_and_epoch(epoch=7):
    from snippets.training_loops.resuming import epoch_batches

    order = np.concatenate(epoch_batches(50, 8, 7, seed=1))
    again = np.concatenate(epoch_batches(50, 8, epoch, seed=1))
    other = np.concatenate(epoch_batches(50, 8, 7, seed=2))
    assert np.array_equal(order, again)
    assert not np.array_equal(order, other)
    assert sorted(order) == list(range(50))


def resumable(folder, on_step=None, seed=0, batch_size=4):
    """Train for 4 epochs of 3 steps, saving after every second step."""
    from snippets.training_loops import train_resumably

    model = classifier(dropout=0.5)
    optimizer = keras.optimizers.Adam(0.1)
    options = {"epochs": 4, "batch_size": batch_size, "save_every": 2, "seed": seed}
    losses = train_resumably(
        *(model, X, Y, folder, crossentropy(), optimizer), **options, on_step=on_step
    )
    return losses, model.get_weights()


def interrupt_at(last_step):
    def on_step(step):
        if step == last_step:
            raise KeyboardInterrupt

    return on_step


@functools.cache
def losses_on_the_digits(last_step=0):
    """The run of the page: 3 epochs of 25 batches of 32, saved every 20 steps."""
    from snippets.data import digit_vectors
    from snippets.training_loops import train_resumably
    from snippets.training_loops.steps import small_classifier

    x, y = (array[:800] for array in digit_vectors())
    with tempfile.TemporaryDirectory() as folder:
        for on_step in (interrupt_at(last_step), None) if last_step else (None,):
            keras.utils.set_random_seed(0)
            optimizer = keras.optimizers.Adam(0.01)
            rest = {"epochs": 3, "save_every": 20, "on_step": on_step}
            with contextlib.suppress(KeyboardInterrupt):
                losses = train_resumably(
                    *(small_classifier(), x, y, folder, crossentropy(), optimizer),
                    **rest,
                )
    return losses


@proves(
    "The last checkpoint before the stop was that of step 40, so 35 of the 75 "
    "steps were left, and each has the loss of the run that was not stopped.",
    false_with={"last_step": 30},
    needs="keras>=3",
)
def test_steps_after_the_last_checkpoint_are_repeated(last_step=50):
    whole, resumed = losses_on_the_digits(), losses_on_the_digits(last_step)
    assert (len(whole), len(resumed)) == (75, 35)
    assert resumed == whole[40:]


KILLED = """
import os, signal, sys
from tests.proofs.test_resuming import resumable
kill = lambda step: step == 5 and os.kill(os.getpid(), signal.SIGKILL)
resumable(sys.argv[1], kill)
"""


@functools.cache
def killed_process():
    """Kill a process in the second epoch of a training, and go on in this process.

    Returns its status, and the losses and weights of here.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", KILLED, folder]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        resumed = resumable(folder) if run.returncode < 0 else ([], [])
    return run.returncode, *resumed


@proves(
    "A process that is killed by `SIGKILL` in the middle of an epoch, and goes on "
    "in another process, ends with the same weights, to the last bit.",
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_killed_and_resumed_equals_uninterrupted(seed=0):
    status, losses, weights = killed_process()
    with tempfile.TemporaryDirectory() as folder:
        expected_losses, expected = resumable(folder, seed=seed)
    assert status == -signal.SIGKILL
    assert losses == expected_losses[4:]
    assert largest_difference(weights, expected) == 0.0


@proves(
    "A checkpoint is written under a temporary name and renamed when it is "
    "complete, and the one before it is kept.",
    false_with={"name": "save"},
    needs="keras>=3",
)
def test_a_checkpoint_has_its_name_when_it_is_whole(name="savez"):
    from snippets.training_loops import save_checkpoint

    def fail(file, *arrays):
        file.write(b"half of it")
        raise OSError("no space left on device")

    model, optimizer = classifier(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    original = getattr(np, name)
    with tempfile.TemporaryDirectory() as folder:
        setattr(np, name, fail)
        try:
            with contextlib.suppress(OSError):
                save_checkpoint(folder, model, optimizer, 3)
        finally:
            setattr(np, name, original)
        assert [path.name for path in Path(folder).iterdir()] == ["unfinished"]


@proves(
    "A checkpoint is written under a temporary name and renamed when it is "
    "complete, and the one before it is kept.",
    false_with={"steps": (3,)},
    needs="keras>=3",
)
def test_the_last_two_are_kept(steps=(1, 2, 3)):
    from snippets.training_loops import checkpoints, save_checkpoint

    model, optimizer = classifier(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        for step in steps:
            save_checkpoint(folder, model, optimizer, step)
        kept = [path.stem for path in checkpoints(folder)]
    assert kept == ["step-00000002", "step-00000003"]


@proves(
    "A folder of something else, or a checkpoint that is cut short, is refused, "
    "and nothing is overwritten.",
    false_with={"size": -1},
    needs="keras>=3",
)
def test_bad_folders_are_refused(size=500):
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(KeyboardInterrupt):
            resumable(f"{folder}/cut", interrupt_at(5))
        newest = max(Path(folder, "cut").iterdir())
        content = newest.read_bytes()
        newest.write_bytes(content[:size] if size > 0 else content)
        Path(folder, "photos").mkdir()
        Path(folder, "photos/holiday.jpg").write_bytes(b"no checkpoint")
        for name in ("cut", "photos"):
            before = {p: p.read_bytes() for p in Path(folder, name).iterdir()}
            with pytest.raises(ValueError, match=r"Expected .* Received: "):
                resumable(f"{folder}/{name}")
            assert before == {p: p.read_bytes() for p in Path(folder, name).iterdir()}


@proves(
    "Batch size, seed and number of examples are saved, and others are refused:",
    false_with={"other": {"seed": 0}},
    needs="keras>=3",
)
def test_another_order_is_refused(other=None):
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(KeyboardInterrupt):
            resumable(folder, interrupt_at(5))
        for options in [other] if other else [{"seed": 1}, {"batch_size": 6}]:
            with pytest.raises(ValueError, match="since the place in the data depends"):
                resumable(folder, **options)

"""Write every model in every format, or read what other versions wrote, and say it.

`python -m tests.files.run write FOLDER LANE/MODEL ...` writes, below FOLDER;
`python -m tests.files.run read FOLDER LANE/MODEL/FORMAT ...` reads. Every line of the
standard output is a JSON object: `environment` first, then `begins` and `seen` of each
thing, at the moment it is known.
"""

import gc
import json
import os
import re
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow import keras

from snippets.files import across, models
from tests.proofs.run import versions

# Outputs are the same if no number differs by more than this; they are of size 1.
TOLERANCE = 1e-5
# What can be seen of a file that is read.
SAME, NO_OPTIMIZER, OTHER = "same", "no optimizer", "other outputs"
FAILED, NOT_WRITTEN = "failed", "not written"
# Some versions look for a nested model for ever. Seconds of the processor.
LIMIT = 5
# A message is cut where it is longer.
LONGEST = 700

Model = Callable[[Any], Any]


def main() -> None:
    """Do what the command line says."""
    warnings.simplefilter("ignore")  # a warning is no verdict
    # What Keras prints itself goes to stderr: these lines are for the caller.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    signal.signal(signal.SIGPROF, give_up)
    gc.freeze()  # `clear_session` collects garbage: not through all of TensorFlow

    def say(**words: Any) -> None:
        print(json.dumps(words), file=channel, flush=True)

    say(environment=versions())
    what, folder, *things = sys.argv[1:]
    for thing in things:
        say(begins=thing)
        lane, name, *form = thing.split("/")
        place = Path(folder, lane, name)
        if what == "write":
            say(seen=thing, errors=write(place, name))
        else:
            say(seen=thing, **read(place, name, *form))


def example(model: Any) -> np.ndarray:
    """Four examples that a model takes."""
    shape = (4, *model.input_shape[1:])
    numbers = np.sin(np.arange(np.prod(shape)))
    return numbers.reshape(shape).astype("float32")


def outputs(model: Model, x: np.ndarray) -> np.ndarray:
    """What a model answers."""
    return np.asarray(model(x))


def after_training(model: Any, x: np.ndarray) -> np.ndarray:
    """What a model answers after two more steps of its training."""
    y = np.cos(np.arange(12)).reshape(4, 3).astype("float32")
    model.run_eagerly = True  # the same steps, with nothing to trace
    for _ in range(2):
        model.train_on_batch(x, y)
    return outputs(model, x)


def make(name: str, seed: int) -> Any:
    """Build a model by its code, as a new process would."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    return vars(models)[name]()


def served(folder: str) -> Model:
    """The function that `export` put into a SavedModel."""
    loaded = tf.saved_model.load(folder)

    def call(x: np.ndarray) -> Any:
        return loaded.serve(x)

    return call


def signature(folder: str) -> Model:
    """The function that Keras 2 put into a SavedModel."""
    loaded = tf.saved_model.load(folder)
    function = loaded.signatures["serving_default"]

    def call(x: np.ndarray) -> Any:
        keep = loaded  # its weights live as long as it does
        return keep and next(iter(function(tf.constant(x)).values()))

    return call


def as_layer(folder: str) -> Model:
    """A SavedModel of Keras 2 as a layer of Keras 3."""
    layer = keras.layers.TFSMLayer(folder, call_endpoint="serving_default")
    return lambda x: next(iter(layer(x).values()))


def with_weights(model: Any, path: str) -> Any:
    """The model, after it has loaded its weights."""
    model.load_weights(path)
    return model


def with_arrays(model: Any, path: str) -> Any:
    """The model, after it has loaded its weights from arrays."""
    across.load_arrays(model, path)
    return model


def restored(model: Any, path: str) -> Any:
    """The model, after it was restored from a checkpoint."""
    tf.train.Checkpoint(model=model).restore(path).expect_partial()
    return model


# By format: the end of its name, and how it is written.
WRITTEN: dict[str, tuple[str, Callable[[Any, str], object]]] = {
    "keras": (".keras", lambda model, path: model.save(path)),
    "h5": (".h5", lambda model, path: model.save(path)),
    "weights": (".weights.h5", lambda model, path: model.save_weights(path)),
    "arrays": (".npz", lambda model, path: across.save_arrays(model, path)),
    "export": ("_exported", lambda model, path: model.export(path)),
    "saved_model": ("_saved", lambda model, path: model.save(path)),
    "checkpoint": (
        ".ckpt",
        lambda model, path: tf.train.Checkpoint(model=model).write(path),
    ),
}


def ways(name: str, form: str, path: str) -> dict[str, Callable[[], Model]]:
    """The ways to read a file, the usual one first.

    Args:
        name: that of the model.
        form: the format.
        path: the file or the folder.
    """
    load = keras.models.load_model

    def code() -> Any:
        return make(name, seed=2)

    if form in ("keras", "h5"):
        old = across.keras_2_objects()
        return {
            "load_model": lambda: load(path),
            "compile=False": lambda: load(path, compile=False),
            "custom_objects": lambda: load(path, old, compile=False),
            "safe_mode=False": lambda: load(path, compile=False, safe_mode=False),
            "load_weights": lambda: with_weights(code(), path),
        }
    if form == "saved_model":
        return {
            "load_model": lambda: load(path),
            "compile=False": lambda: load(path, compile=False),
            "TFSMLayer": lambda: as_layer(path),
            "signatures": lambda: signature(path),
        }
    return {
        "weights": {"load_weights": lambda: with_weights(code(), path)},
        "arrays": {"set_weights": lambda: with_arrays(code(), path)},
        "export": {"serve": lambda: served(path)},
        "checkpoint": {"restore": lambda: restored(code(), path)},
    }[form]


def write(folder: Path, name: str) -> dict[str, str]:
    """Write one model in every format, with what it answers.

    Args:
        folder: it is made.
        name: that of the model.

    Returns:
        By format, why it could not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = make(name, seed=1)
    x = example(model)
    if name == "trained":
        after_training(model, x)
    answers = outputs(model, x)
    errors = {}
    for form, (end, save) in WRITTEN.items():
        try:
            save(model, f"{folder}/model{end}")
        except Exception as problem:
            errors[form] = message(problem)
    later = after_training(model, x) if name == "trained" else answers
    np.savez(folder / "answers.npz", x=x, answers=answers, later=later)
    return errors


def read(folder: Path, name: str, form: str) -> dict[str, str]:
    """Read one model from one file.

    Args:
        folder: where `write` put it.
        name: that of the model.
        form: the format.

    Returns:
        `what` was seen; the `error`, if it failed; `across`: the first other way that
        gives the same outputs, if the usual one did not.
    """
    path = f"{folder}/model{WRITTEN[form][0]}"
    with np.load(folder / "answers.npz") as kept:
        x, answers, later = kept["x"], kept["answers"], kept["later"]
    usual, *others = ways(name, form, path).items()
    seen = judged(usual[1], x, answers, later)
    for way, load in others if seen["what"] in (OTHER, FAILED) else []:
        if judged(load, x, answers, later)["what"] in (SAME, NO_OPTIMIZER):
            return {**seen, "across": way}
    return seen


def judged(
    load: Callable[[], Model], x: np.ndarray, answers: np.ndarray, later: np.ndarray
) -> dict[str, str]:
    """Load a model and compare it with the one that was saved."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(2)
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    try:
        model = load()
        found = outputs(model, x)
        if not np.allclose(found, answers, atol=TOLERANCE, rtol=0):
            return {"what": OTHER}
        if np.array_equal(answers, later) or trains_on(model, x, later):
            return {"what": SAME}
        return {"what": NO_OPTIMIZER}
    except Exception as problem:
        return {"what": FAILED, "error": message(problem)}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def give_up(*_: object) -> None:
    """End what would not end.

    Raises:
        TimeoutError: always.
    """
    raise TimeoutError(f"no end after {LIMIT} s of the processor")


def trains_on(model: Any, x: np.ndarray, later: np.ndarray) -> bool:
    """Whether a model goes on with its training as the saved one did."""
    if not getattr(model, "optimizer", None):
        return False
    return np.allclose(after_training(model, x), later, atol=TOLERANCE, rtol=0)


def message(problem: Exception) -> str:
    """The type and the message without what differs from place to place.

    Configurations are cut, and of a message in another one only the last is kept.
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(problem)).strip()
    text = without_configurations(text)
    first, *others = text.split("Exception encountered: ")
    if others and len(text) > LONGEST // 2:
        start = first.partition("\n")[0].partition(". ")[0]
        text = f"{start}. … Exception encountered: {others[-1]}"
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"(?<![\w.])(?:/[^\s/'\":()]+)+/(?=[^\s/'\":()])", "", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text)
    cut = text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return f"{type(problem).__name__}: {cut}"


def without_configurations(text: str) -> str:
    """Put `{…}` where a long dict stands."""
    kept, depth, start = [], 0, 0
    for place, sign in enumerate(text):
        if sign == "{":
            start = start if depth else place
            depth += 1
        elif sign == "}" and depth:
            depth -= 1
            if not depth:
                long = place - start > 80
                kept.append("{…}" if long else text[start : place + 1])
            continue
        if not depth:
            kept.append(sign)
    return "".join(kept) + ("{…" if depth else "")


if __name__ == "__main__":
    main()

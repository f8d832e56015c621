"""Measure, and say what came of it, one round at a time.

`python -m tests.measurements.run ID=ROUNDS ...`, where an ID is `stem.name`. Each line
of the standard output is a JSON object: `versions` first, then `measured`, `round` and
`figures`.
"""

import importlib
import json
import os
import sys
import warnings
from typing import Any

import keras

from tests.proofs.run import versions


def main() -> None:
    """Measure what the command line names."""
    warnings.simplefilter("ignore")  # a warning is no verdict
    # What measurements print themselves goes to stderr: these lines are for the caller.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**words: Any) -> None:
        print(json.dumps(words), file=channel, flush=True)

    say(versions=versions())
    for argument in sys.argv[1:]:
        identifier, _, rounds = argument.partition("=")
        stem, _, name = identifier.partition(".")
        measure = getattr(importlib.import_module(f"tests.measurements.{stem}"), name)
        for seed in range(int(rounds)):
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            figures = {figure: float(value) for figure, value in measure(seed).items()}
            say(measured=identifier, round=seed, figures=figures)


if __name__ == "__main__":
    main()

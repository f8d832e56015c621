"""Run entries of the error reference in this environment and say what was seen.

`python -m tests.errors.run NAME ...` runs the repro and the fix of each, one after the
other. Every line of the standard output is a JSON object: `environment` first, then an
entry with `said`, the message of its repro, and `fix`, that of its fix.
"""

import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import sys
import warnings

from tests.proofs.run import versions


def main() -> None:
    """Run what the command line names."""
    warnings.simplefilter("ignore")  # a warning is no verdict
    # What entries print themselves goes to stderr: these lines are for the caller.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps({"environment": versions()}), file=channel, flush=True)
    if importlib.util.find_spec("keras") is None:  # here Keras 2 has another name
        sys.modules["keras"] = importlib.import_module("tf_keras")
    package = importlib.import_module("snippets.errors")
    for module in pkgutil.iter_modules(package.__path__, "snippets.errors."):
        importlib.import_module(module.name)
    entries = importlib.import_module("snippets.errors.entry").ENTRIES
    observe = importlib.import_module("snippets.errors.observing").observe
    gc.freeze()  # `clear_session` collects garbage: not again through all of TensorFlow
    for name in sys.argv[1:] or entries:
        entry = entries[name]
        said = observe(entry, entry.repro)
        seen = {"entry": name, "said": said, "fix": observe(entry, entry.fixes[0])}
        print(json.dumps(seen, ensure_ascii=False), file=channel, flush=True)


if __name__ == "__main__":
    main()

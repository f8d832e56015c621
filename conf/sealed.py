"""The environment in which pages and proofs run: nothing of the person who builds.

A startup file of IPython, a `keras.json` or a `matplotlibrc` in a home folder would
change what a page prints, and nobody would see why.
"""

import os
from collections.abc import Mapping
from pathlib import Path

# What a build may set on purpose: part of every fingerprint. All other variables of
# these libraries are taken away.
PASSED = (
    "KERAS_BACKEND",
    "OMP_NUM_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_USE_LEGACY_KERAS",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
)
FOREIGN = (
    *("IPYTHON", "JUPYTER", "KERAS_", "MATPLOTLIB", "MPL", "PYTHON", "TF_", "XDG_"),
    "XLA_",
)
# Same hashes, no GPU, no chatter from C++: results must not depend on the machine.
FIXED = {
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONHASHSEED": "0",
    "PYTHONNOUSERSITE": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def passed() -> dict[str, str]:
    """What the person who builds has set, of the variables that are passed on."""
    return {name: os.environ[name] for name in PASSED if name in os.environ}


def environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """All variables of something that runs.

    Args:
        home: a folder of its own, for everything that looks for settings at home.
        variables: more of them.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and name != "VIRTUAL_ENV"
    }
    folders = {
        "HOME": home,
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_CONFIG_DIR": home / "jupyter",
        "KERAS_HOME": home / "keras",
        "MPLCONFIGDIR": home / "matplotlib",
        "XDG_CACHE_HOME": home / "cache",
        "XDG_CONFIG_HOME": home / "config",
    }
    places = {name: str(path) for name, path in folders.items()}
    return {**kept, **passed(), **places, **FIXED, **variables}

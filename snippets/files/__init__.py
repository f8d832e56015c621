"""Files of other versions: what they give away, and how to take it across."""

from snippets.files.across import (
    keras_2_objects,
    keras_version_of,
    load_arrays,
    save_arrays,
    without_arguments,
)

__all__ = [
    "keras_2_objects",
    "keras_version_of",
    "load_arrays",
    "save_arrays",
    "without_arguments",
]

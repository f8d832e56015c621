"""Recipes for people who build models with Keras 3 on TensorFlow.

Each module belongs to the guide of the same name. `import snippets` imports neither
Keras nor TensorFlow: a module loads when it is first used.

Example:
    >>> import snippets
    >>> "data" in dir(snippets)
    True
"""

import importlib
import pkgutil
from types import ModuleType

__version__ = "0.1.0"


def __getattr__(name: str) -> ModuleType:
    """Import the submodule `name` when it is first asked for."""
    existing = sorted(module.name for module in pkgutil.iter_modules(__path__))
    if name not in existing:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}. "
            f"Its submodules are: {', '.join(existing)}."
        )
    return importlib.import_module(f"{__name__}.{name}")


def __dir__() -> list[str]:
    """List the submodules, loaded or not, beside the names already there."""
    return sorted(
        {*globals(), *(module.name for module in pkgutil.iter_modules(__path__))}
    )

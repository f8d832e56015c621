"""What an entry of the error reference is: code that raises, and code that works.

An entry is a pair of functions. The first raises the message or warns, the second is
the fix; their docstrings say what the message means and what to do.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field

Code = Callable[[], None]
ENTRIES: dict[str, "Entry"] = {}


@dataclass(eq=False)
class Entry:
    """One message of Keras or TensorFlow, with its meaning, a repro and a fix.

    Attributes:
        heading: String, what one searches for: a part of the message that is the same
            for everybody.
        repro: The function that raises or warns.
        guide: String, the page and the section that say more.
        threads: Strings such as `"keras-team/keras#20124"`, public threads about it.
        needs: String, the versions in which the repro has a meaning, `"keras>=3"`.
        is_alone: Boolean, whether the repro runs in a process of its own.
        fixes: A list with the function that works.
    """

    heading: str
    repro: Code
    guide: str = ""
    threads: tuple[str, ...] = ()
    needs: str = ""
    is_alone: bool = False
    fixes: list[Code] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The anchor of the entry, `input-of-a-number`."""
        return self.repro.__name__.strip("_").replace("_", "-")

    @property
    def group(self) -> str:
        """The module of the entry, which is its page: `inputs`."""
        return self.repro.__module__.rpartition(".")[2]

    @property
    def meaning(self) -> str:
        """What the message means, in one sentence."""
        return " ".join((self.repro.__doc__ or "").split())

    @property
    def cure(self) -> str:
        """What to do."""
        return " ".join((self.fixes[0].__doc__ or "").split())

    def fix(self, code: Code) -> Code:
        """Decorate the function that works."""
        self.fixes.append(code)
        return code

    def __str__(self) -> str:
        parts = [self.heading, f"{self.meaning} {self.cure}", program(self.fixes[0])]
        return "\n\n".join(parts)


def error(
    heading: str,
    *threads: str,
    guide: str = "",
    needs: str = "",
    is_alone: bool = False,
) -> Callable[[Code], Entry]:
    """Make an entry of a function that raises or warns.

    Args:
        heading: String, a part of the message in which nothing changes.
        *threads: Strings such as `"keras-team/keras#20124"`.
        guide: String, `"guides/input_layers.md#errors"`.
        needs: String, `"keras>=3"` where the repro has a meaning on Keras 3 alone.
        is_alone: Boolean, whether the repro changes what later code does or is the
            first to import Keras: then it runs in a process of its own.

    Returns:
        A decorator. What it returns has a method `fix`, which decorates the function
        that works.

    Example:
        >>> @error("division by zero")
        ... def _division() -> None:
        ...     "Nothing can be divided by zero."
        ...     1 / 0
        >>> _division.name, _division.meaning
        ('division', 'Nothing can be divided by zero.')
        >>> del ENTRIES["division"]
    """

    def enter(code: Code) -> Entry:
        entry = Entry(heading, code, guide, threads, needs, is_alone)
        if entry.name in ENTRIES:
            raise ValueError(f"Expected a new name. Received: {code.__name__!r}")
        ENTRIES[entry.name] = entry
        return entry

    return enter


def program(code: Code) -> str:
    """Write the body of a function as a program, with the imports that it needs.

    Args:
        code: A function without arguments.

    Returns:
        A string of Python.

    Example:
        >>> from snippets.errors import inputs
        >>> print(program(inputs._input_of_a_tuple))
        import keras
        <BLANKLINE>
        keras.Input(shape=(32,))
    """
    source = textwrap.dedent(inspect.getsource(code))
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    first, *rest = function.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    start = (rest[0] if is_docstring else first).lineno
    lines = source.splitlines()
    # A comment or a decorator may stand above the first statement.
    start = (first.end_lineno or 0) + 1 if is_docstring else start
    body = textwrap.dedent("\n".join(lines[start - 1 :])).strip()
    body = "\n".join(line.partition("  # noqa")[0] for line in body.splitlines())
    tree = ast.parse(body)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    head = [
        line
        for name, line in {
            "os": "import os",
            "keras": "import keras",
            "np": "import numpy as np",
            "tf": "import tensorflow as tf",
        }.items()
        if name in used - bound
    ]
    return "\n".join([*head, "", body] if head else [body])

"""Tables of results, as pages show them."""

import ast
import inspect
import linecache
from collections.abc import Mapping, Sequence
from typing import Any

from snippets.measuring import (
    ratio_with_spread,
)


class Table:
    """A table that notebooks show, and that is its rows as data.

    Args:
        headings: Sequence of strings.
        rows: Sequence of sequences of as many strings, in Markdown.

    Example:
        >>> Table(["level", "lines"], [["Sequential", "9"]])
        level | lines
        Sequential | 9
    """

    def __init__(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Keep the cells as they are."""
        self.headings, self.rows = list(headings), [list(row) for row in rows]

    def _repr_markdown_(self) -> str:
        lines = [self.headings, ["---"] * len(self.headings), *self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def __repr__(self) -> str:
        """Write each row as a line of plain text."""
        return "\n".join(" | ".join(cells) for cells in [self.headings, *self.rows])


def source_of(recipe: Any) -> str:
    """Read the source of a function or class, in a module or in a notebook.

    Args:
        recipe: A function, or a class with at least one method of its own.

    Returns:
        A string, its source with its decorators.

    Example:
        >>> source_of(Table).splitlines()[0]
        'class Table:'
    """
    methods = filter(inspect.isfunction, map(inspect.unwrap, vars(recipe).values()))
    function = recipe if inspect.isfunction(recipe) else next(methods)
    # `inspect.getsource` finds no classes of a notebook before Python 3.13.
    lines = linecache.getlines(function.__code__.co_filename)
    for node in ast.parse("".join(lines)).body:
        if getattr(node, "name", None) == recipe.__name__:
            decorators = getattr(node, "decorator_list", [])
            first = min(part.lineno for part in [node, *decorators])
            return "".join(lines[first - 1 : node.end_lineno])
    raise ValueError(f"Expected a recipe at the top of a file. Received: {recipe}")


def measured_table(
    ratios: Mapping[str, Mapping[str, tuple[float, float, float]]],
) -> Table:
    """Put all ratios that were measured into one table.

    Args:
        ratios: Dict from what was measured to a dict as `ratios_to_first` returns it.

    Returns:
        A `Table` with a row for each ratio but those of the baselines themselves.

    Example:
        >>> measured_table({"step": {"a": (1.0, 1.0, 1.0), "b": (0.4, 0.5, 0.6)}})
        Measured | Change | Compared with | Ratio
        step | b | a | 0.5 (0.4 to 0.6)
    """
    rows = []
    for measured, found in ratios.items():
        baseline, *changes = found
        rows += [
            [measured, change, baseline, ratio_with_spread(found[change])]
            for change in changes
        ]
    return Table(["Measured", "Change", "Compared with", "Ratio"], rows)

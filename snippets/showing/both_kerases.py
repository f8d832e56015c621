"""Run one expression on Keras 3 and on Keras 2 and put the outcomes side by side.

Keras 3 is `import keras`. Keras 2 lives on as `import tf_keras`.
"""

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any, NamedTuple

import keras

from snippets.extras import extra
from snippets.processes import run_python

with extra("keras2"):
    import tf_keras


def describe(value: object) -> str:
    """Name a value in one short line that is the same in every run.

    Args:
        value: Any object: a tensor, layer or model of either Keras, a list, tuple or
            dict of these, or anything else.

    Returns:
        A string, shape and dtype for what has both, class and name for a layer or a
        model, else the `repr` without memory addresses.

    Example:
        >>> describe(keras.Input((3,)))
        '(None, 3) float32'
        >>> describe([keras.layers.Dense(2, name="scores"), None])
        "[Dense 'scores', None]"
    """
    if isinstance(value, (keras.Layer, tf_keras.layers.Layer)):
        return f"{type(value).__name__} {value.name!r}"
    if isinstance(value, dict):
        items = (f"{key!r}: {describe(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(describe(item) for item in value) + "]"
    if isinstance(value, tuple):
        comma = "," if len(value) == 1 else ""
        return "(" + ", ".join(describe(item) for item in value) + comma + ")"
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape is not None and dtype is not None:
        return f"{tuple(shape)} {getattr(dtype, 'name', dtype)}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def informative_line(message: str) -> str:
    r"""Pick the line of an error message of Keras that says what is wrong.

    Keras wraps an error inside `call()` in three paragraphs, of which the second is
    the cause. Keras 2 also puts the traceback of a compiled function before it.

    Args:
        message: String, the text of the exception.

    Returns:
        A string of one line, without ANSI codes, memory addresses and directories.

    Example:
        >>> informative_line(
        ...     "Exception encountered when calling Dense.call().\n\n"
        ...     "\x1b[1mIt is broken.\x1b[0m\n\nArguments received by Dense.call():"
        ... )
        'It is broken.'
    """
    text = re.sub(r"\x1b\[[0-9;]*m", "", message)
    if text.startswith("in user code:"):
        text = re.split(r"\n {4}\w+Error: ", text)[-1]
    if text.startswith("Exception encountered when calling"):
        _, cause, *more = re.split(r"\n\s*\n", text)
        if cause.startswith("in user code:"):  # Keras 2: a traceback, then the cause.
            cause = re.split(r"\w+Error: ", "\n".join(more))[-1]
        # Keras 3, on a declared type: what could not be inferred, then the cause.
        text = more[0] if cause.endswith("Error encountered:") else cause
    if text.startswith("Graph execution error:"):
        # The cause stands under the nodes and files that led to it, at the left margin.
        # A session of TensorFlow 1 writes one more list of files under it.
        beside = "Graph|Detected|Stack trace|Original stack trace"
        lines = re.findall(rf"^(?!{beside})\S.*", text, re.MULTILINE)
        text = lines[-1] if lines else text
    line = next((line for line in text.splitlines() if line.strip()), "")
    line = re.sub(r" at 0x[0-9a-f]+", "", line.strip())
    return re.sub(r"(?:/[\w.-]+)+/([\w.-]+\.py)", r"\1", line)


def outcome(expression: str, keras_module: ModuleType, **names: Any) -> str:
    """Evaluate an expression with `keras` bound to one Keras, and say what came of it.

    The name `layers` is bound to `keras.layers`.

    Automatic names start anew each time, so that `dense` does not become `dense_7`.
    To do so the global state of Keras is cleared: a global dtype policy or an active
    name scope is lost.

    Args:
        expression: String of Python. Statements may stand before the expression,
            separated by `;`.
        keras_module: The module `keras` or the module `tf_keras`.
        **names: Further names that the expression may use.

    Returns:
        A string of one line, the value as `describe` gives it, then
        ` with UserWarning: ...` if there was a warning; or `ErrorType: ...` with the
        first 160 characters of the message.

    Raises:
        ValueError: If `expression` does not end in an expression.

    Example:
        >>> outcome("layers.Dense(2)(keras.Input((3,)))", keras)
        '(None, 2) float32'
        >>> outcome("keras.Input(3)", keras)
        "ValueError: Cannot convert '3' to a shape."
    """
    *statements, last = ast.parse(expression.strip()).body or [ast.Pass()]
    if not isinstance(last, ast.Expr):
        raise ValueError(
            f"Expected `expression` to end in an expression. Received: {expression!r}"
        )
    scope = {"keras": keras_module, "layers": keras_module.layers, **names}
    # Names alone: `clear_session()` would also collect garbage, at 0.2 s a time.
    keras.utils.clear_session(free_memory=False)
    tf_keras.backend.reset_uids()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # Python does not show these to the reader of a page either.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            # The author of the page wrote the expression: it is code, not input.
            exec(compile(ast.Module(statements, []), "<page>", "exec"), scope)
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), scope)
        except Exception as error:
            line = textwrap.shorten(informative_line(str(error)), 160, placeholder=" …")
            return f"{type(error).__name__}: {line}" if line else type(error).__name__
    text = describe(value)
    for warning in caught:
        sentence = re.split(r"(?<=\.)\s+(?=[A-Z])|\n", str(warning.message).strip())[0]
        note = f"{warning.category.__name__}: {sentence}"
        text += "" if note in text else f" with {note}"
    return text


def code_span(text: str) -> str:
    r"""Write text as Markdown code that may stand in a cell of a table.

    Args:
        text: String of one line, which may hold backticks and `|`.

    Returns:
        A string of Markdown.

    Example:
        >>> code_span("a | b")
        '`a \\| b`'
        >>> code_span("use `x`")
        '`` use `x` ``'
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    escaped = text.replace("|", r"\|").replace("\n", " ")
    return f"{fence}{space}{escaped}{space}{fence}"


class ComparisonRow(NamedTuple):
    """What one expression gives on either Keras, each as one line of text."""

    expression: str
    keras_3: str
    keras_2: str


class ComparisonTable:
    """A table of what expressions give on Keras 3 and on Keras 2.

    Notebooks show it as a table. `rows` holds the same as data.

    Args:
        rows: Sequence of `ComparisonRow`.
    """

    def __init__(self, rows: Sequence[ComparisonRow]) -> None:
        """Keep the rows, under headings with the versions that are installed."""
        self.rows = list(rows)
        self.headings = (
            "You write",
            f"Keras 3 ({keras.__version__})",
            f"Keras 2 (tf_keras {tf_keras.__version__})",
        )

    def _repr_markdown_(self) -> str:
        lines = [self.headings, ("---",) * 3]
        lines += [(code_span(a), code_span(b), code_span(c)) for a, b, c in self.rows]
        return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)

    def __repr__(self) -> str:
        """Write each row as three lines of plain text."""
        _, keras_3, keras_2 = self.headings
        return "\n".join(
            f"{row.expression}\n  {keras_3}: {row.keras_3}\n  {keras_2}: {row.keras_2}"
            for row in self.rows
        )


def comparison_table(expressions: Sequence[str], **names: Any) -> ComparisonTable:
    """Evaluate each expression on Keras 3 and on Keras 2, as a table.

    Args:
        expressions: Sequence of strings of Python, as `outcome` takes them.
        **names: Further names that the expressions may use.

    Returns:
        A `ComparisonTable` with one row for each expression.

    Raises:
        ValueError: If `expressions` is one string, or if one of them does not end in
            an expression.

    Example:
        >>> comparison_table(["keras.Input((3,))"]).rows[0].keras_2
        '(None, 3) float32'
    """
    if isinstance(expressions, str):
        raise ValueError(
            "Expected `expressions` to be a list of strings. "
            f"Received: the string {expressions!r}"
        )
    return ComparisonTable(
        [
            ComparisonRow(
                expression,
                outcome(expression, keras, **names),
                outcome(expression, tf_keras, **names),
            )
            for expression in expressions
        ]
    )


def fresh_comparison_table(lines: Sequence[str]) -> ComparisonTable:
    """Run lines in order on Keras 3 and on Keras 2, each in a process of its own.

    There TensorFlow belongs to that Keras, as in a program that has no other, and what
    the lines switch off ends with the process.

    Args:
        lines: Sequence of strings of Python that end in an expression. They may use
            `keras`, `layers`, `np`, `tf`, and what the lines before them assigned.

    Returns:
        A `ComparisonTable` with one row for each line.

    Raises:
        ValueError: If `lines` is one string.
        RuntimeError: If a line is no Python, or ends the process.

    Example:
        >>> table = fresh_comparison_table(["tf.compat.v1.layers.dense.__name__"])
        >>> table.rows[0].keras_3, table.rows[0].keras_2
        ('AttributeError: `dense` is not available with Keras 3.', "'dense'")
    """
    if isinstance(lines, str):
        raise ValueError(
            f"Expected `lines` to be a list of strings. Received: the string {lines!r}"
        )
    program = """
import ast, json, warnings
import numpy as np
import tensorflow as tf
import {module} as keras
warnings.simplefilter("ignore")
scope, outcomes = {{"keras": keras, "layers": keras.layers, "np": np, "tf": tf}}, []
for line in {lines!r}:
    *statements, last = ast.parse(line).body
    run = compile(ast.Module(statements, []), "<line>", "exec")
    value_of = compile(ast.Expression(last.value), "<line>", "eval")
    try:
        exec(run, scope)
        value = eval(value_of, scope)
        text = repr(value)
        if hasattr(value, "shape") and hasattr(value, "dtype"):
            dtype = getattr(value.dtype, "name", value.dtype)
            text = f"{{tuple(value.shape)}} {{dtype}}"
        outcomes.append(("", text))
    except Exception as error:
        outcomes.append((type(error).__name__, str(error)))
print(json.dumps(outcomes))
"""
    sides = []
    for module, legacy in (("keras", "0"), ("tf_keras", "1")):
        printed = run_python(
            program.format(module=module, lines=list(lines)),
            {"TF_USE_LEGACY_KERAS": legacy},
        )
        sides.append(
            [
                f"{kind}: {informative_line(text)}" if kind else text
                for kind, text in json.loads(printed.splitlines()[-1])
            ]
        )
    return ComparisonTable(
        [ComparisonRow(*texts) for texts in zip(lines, *sides, strict=True)]
    )

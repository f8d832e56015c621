"""Run the code of an entry, and read the message that it raises, warns of or logs."""

import contextlib
import io
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator

import keras

from snippets.errors.entry import Code, Entry, program

LOGGERS = ("tensorflow", "absl")
LONGEST = 1500

# A process of its own prints what was raised, warned of or logged there.
_ALONE = """
import importlib.util, json, logging, sys

if importlib.util.find_spec("keras") is None:
    import tf_keras

    sys.modules["keras"] = tf_keras
raised, said = [], []


class Kept(logging.Handler):
    def emit(self, record):
        said.append(f"{record.levelname}:{record.name}: {record.getMessage()}")


for name in LOGGERS:
    logging.getLogger(name).addHandler(Kept(logging.WARNING))
try:
    exec(compile(PROGRAM, "<entry>", "exec"), {"__name__": "__main__"})
except Exception as error:
    raised.append(f"{type(error).__name__}: {error}")
print(json.dumps([raised, said]))
"""


def observe(entry: Entry, code: Code) -> str:
    """Run one of the two functions of an entry, and return what it said.

    Args:
        entry: The entry, which says whether the code has to run alone.
        code: Its repro or its fix.

    Returns:
        A string, `"ValueError: ..."`, `"UserWarning: ..."` or a line of a logger. It is
        empty if nothing was said; a warning counts if the heading is in it.

    Example:
        >>> from snippets.errors.inputs import _input_of_a_number as entry
        >>> observe(entry, entry.repro), observe(entry, entry.fixes[0])
        ("ValueError: Cannot convert '32' to a shape.", '')
    """
    is_alone = entry.is_alone and code is entry.repro
    raised, warned = _said_alone(code) if is_alone else _said_here(code)
    named = [said for said in raised + warned if entry.heading in said]
    kind, _, message = (named or raised or [""])[0].partition(": ")
    return f"{kind}: {inner_message(message)}" if message else ""


def _said_here(code: Code) -> tuple[list[str], list[str]]:
    """What was raised, and what was warned of or logged."""
    keras.backend.clear_session()  # automatic names start anew
    keras.utils.set_random_seed(0)
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(record=True) as caught,
        _logged() as lines,
    ):
        warnings.simplefilter("always")
        raised = []
        try:
            code()
        except Exception as error:
            raised.append(f"{type(error).__name__}: {error}")
    return raised, [f"{w.category.__name__}: {w.message}" for w in caught] + lines


def _said_alone(code: Code) -> tuple[list[str], list[str]]:
    given = f"LOGGERS = {LOGGERS!r}\nPROGRAM = {program(code)!r}\n"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", given + _ALONE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
    raised, warned = json.loads(done.stdout.splitlines()[-1])
    return raised, warned


class _Kept(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        name, words = record.name, record.getMessage()
        self.lines.append(f"{record.levelname}:{name}: {words}")


@contextlib.contextmanager
def _logged() -> Iterator[list[str]]:
    lines: list[str] = []
    handler = _Kept(lines)
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield lines
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


def without_colors(text: str) -> str:
    r"""Take out the codes for colors, also where the escape sign was lost or spelled.

    Args:
        text: String.

    Returns:
        A string.

    Example:
        >>> without_colors("\x1b[1mIt is broken.\x1b[0m, \\u001b[31mred[0m")
        'It is broken., red'
    """
    return re.sub(r"(?:\x1b|\\x1b|\\u001b|\\033|␛)?\[\d{1,3}(?:;\d{1,3})*m", "", text)


def inner_message(text: str) -> str:
    r"""Find the cause in a message of Keras that wraps another one.

    Args:
        text: String, the text of an exception.

    Returns:
        A string without codes for colors, memory addresses and folders.

    Example:
        >>> inner_message(
        ...     "Exception encountered when calling Dense.call().\n\n"
        ...     "\x1b[1mIt is broken.\x1b[0m\n\nArguments received by Dense.call():\n"
        ... )
        'It is broken.'
    """
    text = without_colors(text).strip()
    if text.startswith("in user code:"):
        text = re.split(r"\n {4}\w+(?:Error|Exception): ", text)[-1]
    if "\n\nException encountered: " in text:
        text = text.rpartition("\n\nException encountered: ")[2]
    if found := re.search(r"\bError encountered:\n\n(.*)", text, re.DOTALL):
        text = re.split(r"\n\n(?:Args|Arguments received)\b", found[1])[0]
    if text.startswith(("Exception encountered when calling", "Error when deser")):
        cause = re.split(r"\n\s*\n|Exception encountered: ", text, maxsplit=1)
        text = re.split(r"\n\s*\nArguments received by", cause[-1])[0]
        if text.startswith("in user code:"):
            text = re.split(r"\n {4}\w+Error: ", text)[-1]
    if text.startswith("Graph execution error:"):
        beside = "Graph|Detected|Stack trace|Original stack trace"
        lines = re.findall(rf"^(?!{beside})\S.*", text, re.MULTILINE)
        text = lines[-1] if lines else text
    ends = (
        r"\n\nOriginal stack trace|\s*\n?The op is created at:"
        r"|\n\nCall arguments received by|\n\n<tf\.Tensor[^\n]* was defined here:"
    )
    text = re.split(ends, text)[0]
    text = re.sub(r"\b_\w+\.<locals>\.", "", text)  # the function of the entry
    text = re.sub(r"\bsnippets\.errors\.\w+", "__main__", text)
    text = re.sub(r"(?<![\w.:/])(?:/[^\s/'\":()]+)+/(?=[^\s/'\":()])", "", text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x…", text).strip()
    lines = [line.rstrip() for line in text.splitlines()]
    return "\n".join(lines)[:LONGEST].rstrip()

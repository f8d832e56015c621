"""The error reference: entries raise their messages, fixes work, pastes are found."""

import gc
import itertools
import json
import logging
import re
import warnings
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from snippets.errors import UnknownMessageError, error_for
from snippets.errors.entry import ENTRIES, Code, Entry, error, program
from snippets.errors.finding import (
    CLOSE,
    PLACE,
    SEEN,
    address,
    entries,
    messages,
    words,
)
from snippets.errors.observing import (
    LOGGERS,
    LONGEST,
    inner_message,
    observe,
    without_colors,
)

EVERY = entries()
TEXTS = [(name, text) for name, found in messages().items() for text in found]
LOUD = messages()


@pytest.fixture(scope="module", autouse=True)
def _little_garbage() -> None:
    gc.collect()
    gc.freeze()  # `clear_session` collects garbage: not all of TensorFlow each time


def seen_here() -> dict[str, dict[str, str]]:
    """What was recorded with the versions of this environment."""
    for path in sorted(SEEN.iterdir(), key=lambda path: path.name):
        data = json.loads(path.read_text("utf-8"))
        environment = data["environment"]
        flow = environment.get("tensorflow-cpu") or environment.get("tensorflow")
        if (environment["tf.keras"], flow) == (keras.__version__, tf.__version__):
            rows: dict[str, dict[str, str]] = data["rows"]
            return rows
    return {}


# Every entry


@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY)
def test_the_repro_of_an_entry_says_what_was_recorded(entry: Entry) -> None:
    rows = seen_here()
    if not rows:
        pytest.skip("nothing is recorded for these versions")
    said = observe(entry, entry.repro)
    assert words(said) == words(rows[entry.name].get("said", ""))


@pytest.mark.tensorflow  # what readers of TensorFlow write
@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY)
def test_the_fix_of_an_entry_works(entry: Entry) -> None:
    (fix,) = entry.fixes
    assert observe(entry, fix) == ""


@pytest.mark.parametrize("entry", EVERY.values(), ids=EVERY)
def test_an_entry_is_whole(entry: Entry) -> None:
    if entry.name in LOUD:
        assert any(entry.heading in text for text in LOUD[entry.name])
    assert entry.meaning.endswith(".")
    assert entry.cure.endswith(".")
    assert str(entry).startswith(entry.heading)
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+#\d+", name) for name in entry.threads)


def test_there_are_many_entries_and_all_of_them_were_seen() -> None:
    assert len(entries()) >= 150
    silent = {name for name, entry in EVERY.items() if entry.group == "silent"}
    assert set(messages()) == set(EVERY) - silent
    assert len(list(SEEN.iterdir())) == 9


# Find a message


def changed(text: str) -> str:
    """The message as somebody else has it: other names, numbers and shapes."""
    counter = itertools.count(3)
    headings = "".join(entry.heading for entry in EVERY.values())

    def other_name(found: re.Match[str]) -> str:
        is_fixed = found[1] or f"'{found[2]}" in headings or " " in found[2]
        return found[0] if is_fixed else f"'my_part_{next(counter)}'"

    text = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])", "", text)
    about = r"(\b(?:attribute|named|argument) )?"
    text = re.sub(about + r"'([^'\n]*)'", other_name, text)
    return re.sub(r"(?<![\w.])\d+(?![\w.])", lambda _: str(next(counter)), text)


def as_traceback(text: str) -> str:
    """Two screens of a traceback, of which the message is the end."""
    frames = "\n".join(
        f'  File "/home/ada/venv/lib/python3.12/site-packages/keras/src/part_{n}.py", '
        f"line {n}, in error_handler\n    raise e.with_traceback(filtered_tb) from None"
        f"\n    ^^^^^^^^^^^^^^^^^^^^^^"
        for n in range(30)
    )
    return f"Traceback (most recent call last):\n{frames}\n{text}\n"


SAME: dict[tuple[str, ...], set[str]] = {}
for _name, _text in TEXTS:
    SAME.setdefault(tuple(words(_text)), set()).add(_name)


def with_the_text(text: str) -> set[str]:
    """The entries that have a text: on Keras 2 some share one."""
    return SAME[tuple(words(text))]


@pytest.mark.parametrize("texts", LOUD.values(), ids=LOUD)
def test_every_text_is_found_with_other_names_and_numbers(texts: list[str]) -> None:
    for text in texts:
        for pasted in (text, changed(text), as_traceback(changed(text))):
            assert error_for(pasted).name in with_the_text(text)


@pytest.mark.parametrize("texts", LOUD.values(), ids=LOUD)
def test_every_text_is_found_with_colors_and_other_quotation_marks(
    texts: list[str],
) -> None:
    for text in texts:
        assert error_for(f"\x1b[1m{text}\x1b[0m").name in with_the_text(text)
        for marks in ("« \\1 »", "\u2018\\1\u2019"):
            quoted = re.sub(r"(?<![A-Za-z])'([^'\n]*)'", marks, text)
            assert error_for(quoted).name in with_the_text(text)


@pytest.mark.parametrize("name", LOUD)
def test_the_heading_alone_is_found_or_is_ambiguous(name: str) -> None:
    entry = EVERY[name]
    try:
        found = [error_for(entry.heading)]
    except UnknownMessageError as unknown:
        found = unknown.nearest
    assert entry in found


@pytest.mark.parametrize("empty", ["", "  \n\t "])
def test_an_empty_message_is_refused(empty: str) -> None:
    with pytest.raises(ValueError, match="Expected an error message or a traceback"):
        error_for(empty)


@pytest.mark.parametrize(
    "unknown",
    [
        "No module named 'pandas'",
        "'Tensor' object has no attribute 'colour'",
        "disk quota exceeded",
        "Traceback (most recent call last):",
        "ValueError",
        "·",
        "The quick brown fox jumps over the lazy dog and the layer of ice.",
        "IndexError: list index out of range",
        "CUDA_ERROR_OUT_OF_MEMORY: out of memory",
    ],
)
def test_an_unknown_message_names_the_three_nearest(unknown: str) -> None:
    with pytest.raises(UnknownMessageError, match="The nearest are") as caught:
        error_for(unknown)

    assert len(caught.value.nearest) == 3
    assert isinstance(caught.value, LookupError)
    for entry in caught.value.nearest:
        assert address(entry) in str(caught.value)
    assert "reference/errors/index.html" in str(caught.value)


def test_words_have_one_sign_for_what_changes() -> None:
    shapes = "expected shape=(None, 8, 8, 3), found shape=(8, 8, 3)"
    assert words(shapes) == ["expected", "shape", PLACE, "found", "shape", PLACE]
    assert words("<KerasTensor shape=(None, 3)> is 'ours' \"too\"") == [
        PLACE,
        "is",
        PLACE,
    ]
    assert 0 < CLOSE < 1


# What an entry is


def test_a_name_stands_once() -> None:
    @error("division by zero")
    def _division_for_this_test() -> None:
        """Nothing can be divided by zero."""
        1 / 0  # noqa: B018  # it raises

    code: Code = _division_for_this_test.repro
    assert observe(_division_for_this_test, code).startswith("ZeroDivisionError")
    with pytest.raises(ValueError, match="Expected a new name"):
        error("division by zero")(code)
    del ENTRIES["division-for-this-test"]


def test_a_program_has_the_imports_that_it_needs() -> None:
    entry = EVERY["backend-mean"]
    assert program(entry.repro).splitlines() == [
        "import numpy as np",
        "",
        "from keras import backend as K",
        "",
        "K.mean(np.ones((2, 3)), axis=-1)",
    ]
    imports = program(EVERY["keras-engine"].repro)
    assert imports.startswith("from keras.engine.topology import Layer")


# What is observed


def warn_twice() -> None:
    """Warn of something else, then of a known thing."""
    warnings.warn("another thing", UserWarning, stacklevel=1)
    warnings.warn("the known thing", UserWarning, stacklevel=1)


def log() -> None:
    """Write to the log of TensorFlow."""
    logging.getLogger(LOGGERS[0]).warning("the known thing at 0x7f0011223344")


def fail() -> None:
    """Raise."""
    raise OSError("/home/ada/model.keras is gone")


def test_the_warning_of_the_heading_is_the_message() -> None:
    entry = Entry("the known thing", warn_twice)
    assert observe(entry, warn_twice) == "UserWarning: the known thing"


def test_another_warning_is_no_message() -> None:
    assert observe(Entry("nothing like it", warn_twice), warn_twice) == ""


def test_a_line_of_a_logger_is_a_message() -> None:
    assert LOGGERS == ("tensorflow", "absl")
    assert observe(Entry("the known thing", log), log) == (
        "WARNING:tensorflow: the known thing at 0x…"
    )


def test_a_fix_that_raises_says_so() -> None:
    assert observe(Entry("x", log), fail) == "OSError: model.keras is gone"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("in user code:\n\n    File a\n\n    ValueError: It is bad.", "It is bad."),
        ("long config\n\nException encountered: It is bad.", "It is bad."),
        (
            "Exception encountered when calling A.call().\n\n\x1b[1mCould not infer. "
            "Error encountered:\n\nIt is bad.\x1b[0m\n\nArguments received by A:",
            "It is bad.",
        ),
        (
            'Exception encountered when calling layer "a".\n\nin user code:\n\n'
            "    File b\n    ValueError: It is bad.\n\n\nArguments received by A:",
            "It is bad.",
        ),
        ("Graph execution error:\n\nDetected at node x\nIt is bad.", "It is bad."),
        ("Graph execution error:\n", "Graph execution error:"),
        ("It is bad.\nThe op is created at:\nFile a", "It is bad."),
        ("It is bad.\n\nCall arguments received by layer 'a':\n x", "It is bad."),
        ("It is bad.\n\n<tf.Tensor 'mul:0'> was defined here:\n x", "It is bad."),
        ("_f.<locals>.Scale of snippets.errors.saving", "Scale of __main__"),
        ("a" * 5000, "a" * LONGEST),
    ],
)
def test_the_cause_is_found_in_what_wraps_it(text: str, cause: str) -> None:
    assert inner_message(text) == cause


def test_colors_are_taken_out() -> None:
    assert without_colors("[1mbold[0m \\x1b[31;1mred") == "bold red"
    assert without_colors("a[1] and b[2:3]") == "a[1] and b[2:3]"


def test_the_data_is_in_the_package() -> None:
    assert Path(SEEN).parent.name == "errors"

"""Find the entry of a message that somebody pastes."""

import importlib
import itertools
import json
import math
import pkgutil
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from snippets.errors.entry import ENTRIES, Entry
from snippets.errors.observing import without_colors

SEEN = files("snippets.errors") / "seen"
CLOSE = 0.8
PLACE = "·"
_SILENT = "silent"  # the group of mistakes without a message
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛“”„‟«»‹›「」『』′`´", "'") | {"`": "`"})


class UnknownMessageError(LookupError):
    """No entry has the message; its text names the nearest.

    Attributes:
        nearest: A list of at most three entries, the nearest first.
    """

    def __init__(self, nearest: list[Entry]) -> None:
        self.nearest = nearest
        lines = [f"- {entry.heading} ({address(entry)})" for entry in nearest]
        super().__init__(
            "No entry has this message. The nearest are:\n"
            + "\n".join(lines)
            + "\nAll of them: reference/errors/index.html"
        )


def address(entry: Entry) -> str:
    """Say where an entry stands on the site.

    Args:
        entry: The entry.

    Returns:
        A string, the page and the anchor.

    Example:
        >>> address(error_for("Cannot convert '32' to a shape."))
        'reference/errors/inputs.html#input-of-a-number'
    """
    return f"reference/errors/{entry.group}.html#{entry.name}"


def error_for(message: str) -> Entry:
    """Find the entry of an error message, with its meaning and a fix that works.

    Names, numbers and shapes may be others than in the entry. Colors, quotation marks
    of other languages and the lines of a traceback do no harm.

    Args:
        message: String, an error message or a whole traceback.

    Returns:
        An `Entry`: `print` it, or ask for `meaning`, `cure`, `repro` and `fixes`.

    Raises:
        ValueError: If `message` is empty.
        UnknownMessageError: A `LookupError`, if no entry has this message; it names the
            three nearest, also in `nearest`.

    Example:
        >>> entry = error_for("ValueError: Cannot convert '64' to a shape.")
        >>> entry.cure
        'Write a tuple of one number; the comma makes it one.'
    """
    if not message.strip():
        raise ValueError(
            "Expected an error message or a traceback. Received: an empty text"
        )
    ranked = _ranked(_pairs(words(message)))
    if ranked[0][0][0] < CLOSE:
        nearest = dict.fromkeys(text.name for _, text in ranked)
        raise UnknownMessageError([ENTRIES[name] for name in nearest][:3])
    return ENTRIES[ranked[0][1].name]


def words(text: str) -> list[str]:
    """Cut a text into words, with one sign for each name, number or shape in it.

    Args:
        text: String.

    Returns:
        A list of strings. A quoted name stays a word if an entry is about it.

    Example:
        >>> words("Cannot convert '32' to a shape.")
        ['cannot', 'convert', '·', 'to', 'a', 'shape']
        >>> words("module 'tensorflow' has no attribute 'Session'")
        ['module', 'tensorflow', 'has', 'no', 'attribute', 'session']
    """
    text = without_colors(text).translate(_QUOTES)
    text = re.sub(r"(?<=[A-Za-z])'(?=[A-Za-z])", "", text)  # doesn't
    shape = r"[(\[](?:None|[\d\s,.?*+e-])*[)\]]"
    text = re.sub(shape, f" {PLACE} ", text)
    text = re.sub(r"<(?:[^<>\n]|<[^<>\n]*>)*>", f" {PLACE} ", text)
    text = re.sub(r"0x[0-9a-f…]+|(?<![A-Za-z_])-?\d[\d.e+-]*", f" {PLACE} ", text)
    about = r"(?P<about>\b(?:attribute|named|argument) )?"
    text = re.sub(about + r"(?:'([^'\n]*)'|\"([^\"\n]*)\")", _kept_or_place, text)
    found: list[str] = []
    for word in re.findall(rf"[A-Za-z_]+|{PLACE}", text):
        if word != PLACE or found[-1:] != [PLACE]:
            found.append(word.lower().strip("_") or PLACE)
    return found


def _kept_or_place(found: re.Match[str]) -> str:
    name = (found[2] or found[3] or "").strip()
    is_text = len(name.split()) > 2  # a sentence in quotation marks
    is_kept = name.startswith(_kept()) or found["about"]
    return f"{found['about'] or ''} {name if is_text or is_kept else PLACE} "


@cache
def _kept() -> tuple[str, ...]:
    """How quoted names begin that entries are about: those in their headings."""
    names = [re.findall(r"'([\w.]+)", entry.heading) for entry in entries().values()]
    return tuple(name for found in names for name in found if len(name) > 1)


def entries() -> dict[str, Entry]:
    """Import the modules of this package, and return its entries by name.

    Returns:
        A dict of `Entry`.

    Example:
        >>> entries()["input-of-a-number"].group
        'inputs'
    """
    package = importlib.import_module("snippets.errors")
    for module in pkgutil.iter_modules(package.__path__, "snippets.errors."):
        importlib.import_module(module.name)
    return ENTRIES


_Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class _Text:
    name: str
    heading: _Pairs
    pairs: _Pairs


@cache
def messages() -> dict[str, list[str]]:
    """Read what each entry with a message said on the versions that were run.

    Returns:
        A dict from the name of an entry to its different messages.

    Example:
        >>> messages()["input-of-a-number"]
        ["ValueError: Cannot convert '32' to a shape."]
    """
    found: dict[str, list[str]] = {
        name: [] for name, entry in entries().items() if entry.group != _SILENT
    }
    for path in sorted(SEEN.iterdir(), key=lambda path: path.name):
        for name, row in json.loads(path.read_text("utf-8"))["rows"].items():
            said = row.get("said", "")
            if said and said not in found.get(name, [said]):
                found[name].append(said)
    return found


@cache
def _texts() -> list[_Text]:
    """The different texts of all entries, and each heading by itself."""
    found = []
    for name, said in messages().items():
        heading = entries()[name].heading
        for text in [heading, *said]:
            kind, _, message = text.partition(": ")
            whole = message if re.fullmatch(r"\w+(?::\w+)?", kind) else text
            found.append(_Text(name, _pairs(words(heading)), _pairs(words(whole))))
    return found


def _pairs(found: list[str]) -> _Pairs:
    return frozenset(itertools.pairwise(found)) - {(PLACE, PLACE)}


@cache
def _weights() -> dict[tuple[str, str], float]:
    """A pair of words says more, the fewer entries have it."""
    pairs_of: dict[str, set[tuple[str, str]]] = {}
    for text in _texts():
        pairs_of.setdefault(text.name, set()).update(text.pairs)
    count = Counter(pair for pairs in pairs_of.values() for pair in pairs)
    return {pair: math.log(1 + len(pairs_of) / n) for pair, n in count.items()}


def _ranked(pasted: _Pairs) -> list[tuple[tuple[float, float, bool], _Text]]:
    """All texts, the nearest to what was pasted first, with what they are ranked by.

    That is how much of the shorter of both the other has, about, how much the common
    words say, and, since some entries share a text, whether the heading is in it.
    """
    weights = _weights()
    rarest = math.log(1 + len(messages()))
    whole = sum(weights.get(pair, rarest) for pair in pasted)
    found = []
    for text in _texts():
        common = sum(weights[pair] for pair in text.pairs & pasted)
        shorter = min(whole, sum(weights[pair] for pair in text.pairs))
        share = round(common / shorter, 1) if shorter else 0.0
        found.append(((share, round(common, 6), text.heading <= pasted), text))
    return sorted(found, key=lambda ranked: ranked[0], reverse=True)

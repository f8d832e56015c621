"""The tables of what a file is worth to another version, made from what was seen.

`{file-matrix}` without an argument shows all formats at a glance; `{file-matrix} h5`
shows one: which version reads what which version wrote, by model, and every message.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from packaging.version import Version
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from conf.reference import crossed
from conf.reference.crossed import (
    FAILED,
    FORMATS,
    MODELS,
    NO_OPTIMIZER,
    NOT_WRITTEN,
    OTHER,
    SAME,
    TOLERANCE,
    Pair,
    Seen,
)

logger = logging.getLogger(__name__)

DASH = "\N{EN DASH}"
BREAK = "\N{ZERO WIDTH SPACE}"
TF_KERAS = "tf_keras"
GUIDE = "https://www.tensorflow.org/guide/keras/"
SIGNS = {SAME: "✓", NO_OPTIMIZER: "◐", OTHER: "≠", FAILED: "✗", NOT_WRITTEN: DASH}
LOADS = (SAME, NO_OPTIMIZER)
NAMES = {
    "keras": "`.keras`",
    "h5": "`.h5`, the whole model",
    "weights": "`.weights.h5`",
    "arrays": "`.npz`",
    "export": "SavedModel by `export`",
    "saved_model": "SavedModel by `save`",
    "checkpoint": "`tf.train.Checkpoint`",
}
HOW = {
    "keras": "Written by `model.save(path)`, read by `load_model(path)`.",
    "h5": "Written by `model.save(path)`, read by `load_model(path)`.",
    "weights": "Written by `save_weights`, read by `load_weights` into a model of the "
    "same code.",
    "arrays": "Written by `save_arrays`, read by `load_arrays` into a model of the "
    "same code.",
    "export": "Written by `model.export(folder)`, read by "
    "`tf.saved_model.load(folder).serve(x)`.",
    "saved_model": "Written by `model.save(folder)`, read by `load_model(folder)`.",
    "checkpoint": "Written by `tf.train.Checkpoint(model=model).write(path)`, read by "
    "`restore(path)` into a model of the same code.",
}
SECTIONS = {
    "keras": "files-keras",
    "h5": "files-h5",
    "weights": "files-weights",
    "arrays": "files-arrays",
    "export": "files-export",
    "saved_model": "files-saved-model",
    "checkpoint": "files-checkpoint",
}
WAYS = {
    "compile=False": "[`compile=False`](#files-way-compile)",
    "custom_objects": "[`custom_objects`](#files-way-objects)",
    "safe_mode=False": "[`safe_mode=False`](#files-way-lambda)",
    "load_weights": "[`load_weights`](#files-way-weights)",
    "TFSMLayer": "[`TFSMLayer`](#files-way-saved-model)",
    "signatures": "[`tf.saved_model.load`](#files-way-saved-model)",
}
DIRECTIONS = ((2, 2), (2, 3), (3, 2), (3, 3))


class FileMatrix(SphinxDirective):
    """All formats at a glance, or one format by version, by model and by message."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        root = Path(self.config.recipes_package).parent
        for path in sorted((root / crossed.FOLDER).rglob("*")):
            if path.suffix in {".json", ".py"}:
                self.env.note_dependency(str(path))
        for line in crossed.stale(root):
            logger.warning(line, location=self.env.docname)
        try:
            tables = Tables.of(root)
        except ValueError as error:
            raise self.error(str(error)) from error
        form = self.arguments[0] if self.arguments else ""
        if form and form not in FORMATS:
            raise self.error(f"no format {form!r}; there are {', '.join(FORMATS)}")
        text = tables.of_format(form) if form else tables.summary()
        return self.parse_text_to_nodes(text)


class Tables:
    """Writes the tables as Markdown.

    Args:
        matrix: what was seen of each pair.
        keras: by lane, its Keras, such as `2.15.0`.
        dates: the days on which the lanes were run.
    """

    def __init__(
        self,
        matrix: Mapping[Pair, Seen],
        keras: Mapping[str, str],
        dates: Iterable[str],
    ) -> None:
        ordered = sorted(keras, key=lambda lane: Version(keras[lane]))
        self.keras = {lane: keras[lane] for lane in ordered}
        self.matrix, self.dates = matrix, sorted(set(dates))

    @classmethod
    def of(cls, root: Path) -> "Tables":
        """Read what was seen.

        Raises:
            ValueError: something is missing, or cannot be relied on.
        """
        matrix = crossed.matrix(root)
        results = [
            crossed.load(crossed.results_of(root, name))
            for name in crossed.gating(root)
        ]
        keras = {found.lane: found.environment["tf.keras"] for found in results}
        return cls(matrix, keras, [found.date for found in results])

    def generation(self, lane: str) -> int:
        """2 or 3; `tf_keras` counts its versions as TensorFlow does, and is Keras 2."""
        return 3 if self.keras[lane].startswith("3.") else 2

    def summary(self) -> str:
        """How many files cross each border, by format."""
        heads = [f"Keras {a} → {b}" for a, b in DIRECTIONS]
        lines = _head("Format", heads)
        for form in FORMATS:
            name = f"[{NAMES[form]}](#{SECTIONS[form]})"
            cells = [self._share(form, *border) for border in DIRECTIONS]
            lines.append(_row(name, cells))
        tried = sum(seen.what != NOT_WRITTEN for seen in self.matrix.values())
        states = Counter(seen.what for seen in self.matrix.values())
        days = " to ".join(dict.fromkeys((self.dates[0], self.dates[-1])))
        told = (
            "The share of attempts that gave the same outputs. ≠: the share that "
            "loaded without an error and gave other outputs. They are shares of these "
            f"{len(MODELS)} models, not of the files in the world. "
            f"Outputs are the same if no number differs by more than {TOLERANCE:.5f}. "
            f"Of {tried:,} attempts, {days}, {states[SAME]:,} gave the same "
            f"outputs, {states[NO_OPTIMIZER]:,} lost the optimizer alone, "
            f"{states[OTHER]:,} loaded with other outputs, {states[FAILED]:,} failed."
        )
        table = "\n".join(lines)
        shown = f":::::{{div}} files-table\n\n{table}\n\n:::::"
        return "\n\n".join([shown, told, self._tensorflow()])

    def _tensorflow(self) -> str:
        """Which TensorFlow each Keras ran on."""
        ran = [
            f"{self._label(lane)} on {lane.removeprefix('tensorflow-').split('-')[0]}"
            for lane in self.keras
        ]
        *most, last = ran
        return (
            "Versions below are those of Keras, each with the TensorFlow that it ran "
            f"on: Keras {', '.join(most)} and {last}. `tf_keras` is Keras 2 as a "
            "package of its own, and counts as TensorFlow does."
        )

    def _share(self, form: str, writer: int, reader: int) -> str:
        outcomes = [seen.what for seen in self._select(form, writer, reader).values()]
        good = sum(what in LOADS for what in outcomes)
        wrong = outcomes.count(OTHER)
        if set(outcomes) == {NOT_WRITTEN}:
            return DASH
        if wrong:
            is_all = wrong == len(outcomes)
            return "≠ all" if is_all else f"≠ {_percent(wrong, len(outcomes))}"
        every = {len(outcomes): "✓ all", 0: "✗ none"}
        return every.get(good, _percent(good, len(outcomes)))

    def _select(self, form: str, writer: int, reader: int) -> dict[Pair, Seen]:
        return {
            pair: seen
            for pair, seen in self.matrix.items()
            if pair.form == form
            and self.generation(pair.writer) == writer
            and self.generation(pair.reader) == reader
        }

    def of_format(self, form: str) -> str:
        """One format: a grid of versions, a table of models, and every message."""
        found = (seen for pair, seen in self.matrix.items() if pair.form == form)
        if {seen.what for seen in found} <= set(LOADS):
            told = (
                f"All {len(MODELS)} models gave the same outputs in all "
                f"{len(self.keras) ** 2} pairs of versions, without the state of the "
                "optimizer."
            )
            return f"{HOW[form]} {told}"
        kinds = self._messages(form)
        numbers = {kind: number for number, kind in enumerate(kinds, start=1)}
        parts = [HOW[form], self._grid(form), self._by_model(form, numbers)]
        parts += [self._entry(form, numbers[kind], kinds[kind]) for kind in kinds]
        return "\n\n".join(filter(None, parts))

    def _grid(self, form: str) -> str:
        """How many models each version reads of each version."""
        lines = _head("from \\ to", map(self._head, self.keras))
        for writer in self.keras:
            cells = []
            for reader in self.keras:
                outcomes = Counter(
                    self.matrix[Pair(model, form, writer, reader)].what
                    for model in MODELS
                )
                good = outcomes[SAME] + outcomes[NO_OPTIMIZER]
                if outcomes[NOT_WRITTEN] == len(MODELS):
                    cells.append(DASH)
                elif outcomes[OTHER]:
                    cells.append("≠")
                else:
                    every, none = good == len(MODELS), not good
                    cells.append("✓" if every else "✗" if none else str(good))
            if set(cells) != {DASH}:
                lines.append(_row(f"**{self._head(writer)}**", cells))
        return (
            ":::::{div} files-grid\n\n" + "\n".join(lines) + "\n\n:::::\n\n"
            f"From the version in the row to the version in the column: ✓ all "
            f"{len(MODELS)} models give the same outputs, a number: so many do, "
            "✗ none does, ≠ some load and give other outputs."
        )

    def _by_model(self, form: str, numbers: Mapping[str, int]) -> str:
        lines = _head("Model", [f"{a} → {b}" for a, b in DIRECTIONS])
        rows: dict[str, list[str]] = {}
        for model in MODELS:
            cells = []
            for border in DIRECTIONS:
                found = {
                    pair: seen
                    for pair, seen in self._select(form, *border).items()
                    if pair.model == model
                }
                cells.append(self._cell(form, found, numbers))
            rows[model] = cells
        if len(set(map(tuple, rows.values()))) == 1:
            return ""  # the grid has said it
        lines += [_row(f"`{model}`", cells) for model, cells in rows.items()]
        return ":::::{div} files-table\n\n" + "\n".join(lines) + "\n\n:::::"

    def _cell(
        self, form: str, found: Mapping[Pair, Seen], numbers: Mapping[str, int]
    ) -> str:
        counts = Counter(seen.what for seen in found.values())
        total = len(found)
        parts = [
            SIGNS[what] + (f" {count}/{total}" if count < total else "")
            for what, count in sorted(counts.items(), key=lambda item: -item[1])
        ]
        told = {numbers[_kind(seen.error)] for seen in found.values() if seen.error}
        links = [f"[{n}](#{SECTIONS[form]}-{n})" for n in sorted(told)]
        if links:
            parts.append(f"note{'s' * (len(links) > 1)} {', '.join(links)}")
        return " ".join(parts)

    def _messages(self, form: str) -> dict[str, list[str]]:
        """The messages of a format by their kind, the most frequent first."""
        counts = Counter(
            seen.error
            for pair, seen in self.matrix.items()
            if pair.form == form and seen.error
        )
        kinds: dict[str, list[str]] = {}
        for message in sorted(counts, key=lambda text: (-counts[text], text)):
            kinds.setdefault(_kind(message), []).append(message)

        def often(kind: str) -> int:
            return sum(counts[message] for message in kinds[kind])

        return {kind: kinds[kind] for kind in sorted(kinds, key=often, reverse=True)}

    def _entry(self, form: str, number: int, messages: list[str]) -> str:
        found = {
            pair: seen
            for pair, seen in self.matrix.items()
            if pair.form == form and seen.error in messages
        }
        is_written = any(seen.what != NOT_WRITTEN for seen in found.values())
        models = list(dict.fromkeys(pair.model for pair in found))
        which = (
            "all models"
            if len(models) == len(MODELS)
            else ", ".join(f"`{model}`" for model in MODELS if model in models)
        )
        writers = self._versions({pair.writer for pair in found})
        readers = self._versions({pair.reader for pair in found})
        if is_written:
            where = f"{which}; written by {writers}, read by {readers}"
            ways = Counter(seen.across for seen in found.values())
            others = ways.pop("", 0)
            told = [f"{WAYS[way]} ({count})" for way, count in ways.most_common()]
            if others:
                told.append(f"[another format](#files-way-out) ({others})")
            where += f". Works instead: {', '.join(told)}."
        else:
            where = f"{which}; when {writers} writes."
        return (
            f"({SECTIONS[form]}-{number})=\n"
            f"**{number}.** {where}\n\n"
            f":::::{{div}} files-message\n\n```text\n{_shown(messages[0])}\n```"
            "\n\n:::::"
        )

    def _versions(self, some: set[str]) -> str:
        """Lanes, the neighbors of the table as ranges."""
        runs: list[list[str]] = []
        last = -2
        for place, lane in enumerate(self.keras):
            if lane in some:
                is_next = place == last + 1 and self.generation(lane) == (
                    self.generation(runs[-1][-1])
                )
                if is_next:
                    runs[-1].append(lane)
                else:
                    runs.append([lane])
                last = place
        labels = [
            self._label(run[0])
            + (f" to {self._label(run[-1])}" if len(run) > 1 else "")
            for run in runs
        ]
        return ", ".join(labels)

    def _label(self, lane: str) -> str:
        """`3.15`, or `tf_keras 2.21` where Keras 2 is that package."""
        version = ".".join(self.keras[lane].split(".")[:2])
        is_package = lane.endswith("-keras-2")
        return f"`{TF_KERAS}` {version}" if is_package else version

    def _head(self, lane: str) -> str:
        """The same for a narrow column, where it may break."""
        broken = TF_KERAS.replace("_", f"\\_{BREAK}")
        return self._label(lane).replace(f"`{TF_KERAS}`", broken)


def _percent(some: int, every: int) -> str:
    """Rounded, and neither all nor none where it is not."""
    return f"{min(99, max(1, round(100 * some / every)))} %"


def _kind(message: str) -> str:
    """What messages that differ in the layer alone have in common."""
    text = message.partition(": ")[2].rpartition("Exception encountered: ")[2]
    text = re.sub(r"(?<=Layer )'\w+'|<[^<>]*>|\d+", "…", text)
    return text.partition(" Expected: [")[0].partition(", value=")[0]


def _shown(message: str) -> str:
    """A message without the numbers of a matrix and with its whole address."""
    if message.startswith("TimeoutError"):
        return "No message: load_model does not return."
    message = message.replace("https:/save_and", f"{GUIDE}save_and")
    return re.sub(r"value=\[\[.*?(?:\]\]|…|$)", "value=…", message)


def _head(first: str, others: Iterable[str]) -> list[str]:
    names = list(others)
    return [_row(first, names), "| --- |" + " :-: |" * len(names)]


def _row(first: str, others: Iterable[str]) -> str:
    return f"| {first} | " + " | ".join(others) + " |"


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("file-matrix", FileMatrix)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

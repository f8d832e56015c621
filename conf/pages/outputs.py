"""Make outputs fit to publish: the same on every machine, and never empty."""

import base64
import io
import re
from collections.abc import Iterator
from typing import Any

from PIL import Image

from conf.pages.kernel import EMPTY_FIGURE
from conf.pages.read import Cell

Output = dict[str, Any]

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SITE_PACKAGES = re.compile(r"(?:/[^\s'\"/]+)+/(?:site|dist)-packages/")
_CELL_FILE = re.compile(r"(?:/[^\s'\"/]+)*/ipykernel_\d+/\d+\.py")
_ADDRESS = re.compile(r".{,40}\b0x[0-9a-f]{6,}\b")
_WARNING = re.compile(r"^\S+:\d+: (\w*Warning: .*)\n  .*$", re.MULTILINE)


def clean(output: Output) -> Output:
    """Take out what belongs to this machine: paths, colors, the frames of a traceback.

    An error or a warning keeps its type and message: readers compare it with theirs.
    """
    if output["output_type"] == "error":
        output["evalue"] = plain(output["evalue"])
        output["traceback"] = [f"{output['ename']}: {output['evalue']}"]
    elif output["output_type"] == "stream":
        output["text"] = _WARNING.sub(r"\1", plain(output["text"]))
    else:
        data = output["data"]
        if "text/plain" in data:
            data["text/plain"] = plain(data["text/plain"])
        output.setdefault("metadata", {})
    return output


def faults(cell: Cell, outputs: list[Output]) -> Iterator[str]:
    """Say what is wrong with a cell's outputs, one message each."""
    raised = [output for output in outputs if output["output_type"] == "error"]
    if cell.raises and not raised:
        yield "the cell is marked `raises-exception` but raised nothing"
    for output in outputs:
        data = output.get("data", {})
        if EMPTY_FIGURE in data:
            yield f"an empty figure: {data[EMPTY_FIGURE]}"
        pictures = [key for key in data if key.startswith("image/")]
        if "image/png" in data and _one_color(data["image/png"]):
            yield "an empty figure: every pixel has the same color"
        if pictures and not (cell.alt and cell.caption):
            yield (
                "a figure needs words: give the cell `mystnb: {image: {alt: ...}, "
                "figure: {caption: ...}}`"
            )
        for text in (output.get("text", ""), data.get("text/plain", "")):
            if address := _ADDRESS.search(text):
                yield f"an address in the output, another one every run: `{address[0]}`"


def plain(text: str) -> str:
    """The text without colors and without the machine's paths."""
    text = _ANSI.sub("", text)
    return _CELL_FILE.sub("<cell>", _SITE_PACKAGES.sub("", text))


def _one_color(encoded: str) -> bool:
    image = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA")
    return len(image.getcolors(maxcolors=image.width * image.height) or []) == 1

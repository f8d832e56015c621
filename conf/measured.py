"""Say below a cell of timings that every run gives others.

Such a cell has the tag `measured`. All other outputs are the same in every build.
"""

from typing import Any

from docutils import nodes
from docutils.transforms import Transform
from sphinx.application import Sphinx

NOTE = "Measured while this page was built: another run gives other figures."


class MeasuredNotes(Transform):
    """Put the note below the output of each cell that is tagged."""

    default_priority = 800

    def apply(self, **_: Any) -> None:
        for cell in list(self.document.findall(nodes.container)):
            metadata: dict[str, Any] = cell.get("cell_metadata", {})
            if "measured" in metadata.get("tags", []):
                cell.append(nodes.paragraph("", NOTE, classes=["measured-note"]))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_transform(MeasuredNotes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""The look of the site: its style sheets by subject, sent to readers as one.

A page asks for one file instead of eight, and whoever changes the look of a thing finds
it in the file of its name, `docs/look/<subject>.css`.
"""

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

SHEET = "site.css"


def joined(folder: Path, subjects: list[str]) -> str:
    """The sheets of a folder, in this order; each has to be named.

    Raises:
        ValueError: if the folder holds others, which no reader would get.
    """
    found = {path.stem: path.read_text("utf-8") for path in folder.glob("*.css")}
    if set(found) != set(subjects):
        different = sorted(set(found) ^ set(subjects))
        raise ValueError(f"site_look and the files of {folder} differ in {different}")
    for subject, text in found.items():
        if text.count("{") != text.count("}"):
            raise ValueError(f"{folder / subject}.css leaves a brace open")
    return "\n".join(found[subject] for subject in subjects)


def _write(app: Sphinx, config: Config) -> None:
    if not config.site_look:
        return
    made = Path(app.outdir).parent / "look"
    made.mkdir(parents=True, exist_ok=True)
    text = joined(Path(app.srcdir, "look"), config.site_look)
    (made / SHEET).write_text(text, "utf-8")
    config.html_static_path.append(str(made))
    config.html_css_files.append(SHEET)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("site_look", [], "html", list)
    app.connect("config-inited", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

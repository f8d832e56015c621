"""What a page loads, and what it may load.

The theme brings Font Awesome three times: as a script of half a megabyte, as fonts,
and as two thousand rules. Its pages use some thirty icons; `docs/_static/icons` holds
these, and the rules of the others are taken out of the theme's style sheet when it is
written, and with them all rules of classes that no page has. Each page carries a
Content-Security-Policy: nothing comes from elsewhere.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from fontTools.ttLib import TTFont
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

from conf.web.code import LeanFormatter
from conf.web.unused import classes, without_unused

_FACE = re.compile(r"@font-face\{[^}]*Font Awesome[^}]*\}")
_ICON = re.compile(r"(?:\.fa-[\w-]+,?)+\{--fa:\"\\?([^\"]+)\"\}")
_FACES = (
    ("Font Awesome 7 Free", 900, "solid"),
    ("Font Awesome 7 Brands", 400, "brands"),
)
# The theme has this inline, so that a page has its colors before it is drawn.
MODE = (
    "const root = document.documentElement.dataset;"
    'for (const name of ["mode", "theme"])'
    ' try { root[name] = localStorage.getItem(name) || "auto"; }'
    " catch { root[name] = 'auto'; }"
)
# Files that are loaded on every page, and what a page that needs them holds.
_USED_WITH = {"sphinx-design": "sd-", "design-tabs": "sd-"}
_FOR_SEARCH = {"doctools.js", "sphinx_highlight.js"}  # Sphinx's own, on its page
SHEET = "_static/styles/pydata-sphinx-theme.css"


def policy(inline: list[str]) -> str:
    """What a page may load: what this site serves, and these scripts."""
    # From file:// a page has no origin, so `'self'` need not match its own files.
    ours = "'self' file:"
    hashes = " ".join(
        f"'sha256-{b64encode(sha256(code.encode()).digest()).decode()}'"
        for code in inline
    )
    rules = {
        "default-src": ours,
        "script-src": f"{ours} 'wasm-unsafe-eval' {hashes}",
        "style-src": f"{ours} 'unsafe-inline'",  # outputs of Keras have styles
        "img-src": f"{ours} data:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": ours,
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _lighten(
    app: Sphinx,
    docname: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the layout its policy, load what the page uses, and let scripts wait."""
    inline = [MODE]
    body = context.get("body", "")
    unused = {name for name, sign in _USED_WITH.items() if sign not in body}
    if docname != "search":
        unused |= _FOR_SEARCH
    for kind in ("css_files", "script_files"):
        context[kind] = [
            file
            for file in context.get(kind, ())
            if not any(name in str(getattr(file, "filename", "")) for name in unused)
        ]
    for script in context["script_files"]:
        attributes = getattr(script, "attributes", {})
        if code := attributes.get("body"):
            inline.append(code)
        elif "documentation_options" not in str(script.filename):
            attributes.setdefault("defer", "")
    context.update(content_policy=policy(inline), mode_script=MODE)


def strip(sheet: str, known: frozenset[int]) -> str:
    """The theme's style sheet with the icons that the fonts have, and these fonts."""
    faces = "".join(
        f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:block;'
        f"src:url(../icons/{name}.woff)}}"
        for family, weight, name in _FACES
    )
    sheet = _FACE.sub("", sheet)

    def kept(rule: re.Match[str]) -> str:
        code = rule[1]
        point = int(code, 16) if len(code) > 1 else ord(code)
        return rule[0] if point in known else ""

    return _ICON.sub(kept, sheet) + faces


@cache
def glyphs(folder: Path) -> frozenset[int]:
    """The characters that the icon fonts have."""
    fonts = (TTFont(folder / f"{name}.woff") for *_, name in _FACES)
    return frozenset(point for font in fonts for point in font.getBestCmap())


def _write_sheet(app: Sphinx, error: Exception | None) -> None:
    sheet = Path(app.outdir, SHEET)
    if error is not None or not sheet.exists():
        return
    known = glyphs(Path(app.outdir, "_static/icons"))
    text = sheet.read_text("utf-8")
    lean = strip(text, known) if "fa-zhihu" in text else text
    if lean != text:
        sheet.write_text(lean, "utf-8")
    static = sheet.parents[1]
    pages = [
        page for page in static.parent.rglob("*.html") if static not in page.parents
    ]
    on_pages = classes(pages, static.rglob("*.js"))
    # MyST-NB's own sheet stays: Sphinx would warn, when it copies it once more.
    for path in sheet.parent.glob("*.css"):
        text = path.read_text("utf-8")
        path.write_text(without_unused(text, on_pages), "utf-8")
    unused = ("scripts/fontawesome*", "**/*.map", "vendor/fontawesome/webfonts/*")
    for path in {path for pattern in unused for path in static.glob(pattern)}:
        path.unlink()


def _open_fold(translator: Any, node: HideCodeCellNode) -> None:
    """A fold as MyST-NB has it, with words that may stand in a summary."""
    classes = " ".join(node["classes"])
    shown, hidden = (
        f'<span class="{state} admonition-title">'
        f"{translator.encode(node[prompt])}</span>"
        for state, prompt in (("collapsed", "prompt_show"), ("expanded", "prompt_hide"))
    )
    translator.body.append(
        f'<details class="admonition hide {classes}"><summary>{shown}{hidden}</summary>'
    )


def _close_fold(translator: Any, node: HideCodeCellNode) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    PygmentsBridge.html_formatter = LeanFormatter
    app.add_node(HideCodeCellNode, override=True, html=(_open_fold, _close_fold))
    app.connect("html-page-context", _lighten, priority=900)
    app.connect("build-finished", _write_sheet)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What Sphinx and the theme write that a reader of HTML stumbles over, mended.

The arguments of a long signature are a list of definitions without terms; the arrows of
the menu have no name, and the logo stands in no landmark; a page that is made by code
has no heading on paper; a table of three columns is too wide for a phone, where its
cells can stand below one another if each knows its column; a figure has no size before
it is loaded, and is loaded before it is looked at; the theme tells the console what it
does. And a page whose source is gone stays in the folder.
"""

import html
import itertools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.images import get_image_size

from conf import state
from conf.proofs import opened
from conf.reference import listings

_PARENTHESIS = '<span class="sig-paren">'
_ARGUMENTS = re.compile(
    rf"({_PARENTHESIS}\(</span>)\s*<dl>(.*?)</dl>(?=\s*{_PARENTHESIS})", re.DOTALL
)
_TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.DOTALL)
_FIGURE = re.compile(r'<img (?=[^>]*\bsrc="[^"]*_images/([^"/]+)")')
_TAG = re.compile(r"<[^>]+>")
_TOGGLE = re.compile(r"(<a [^>]*>([^<]+)</a>\s*<details[^>]*>\s*)<summary>")
_SAID = re.compile(r"\bconsole\.(?:log|info|debug)\(")
SHEET = "markup.css"
_STYLED = ("sig-argument", "listing-way")


def with_plain_arguments(body: str) -> str:
    """Each argument of a signature on a line of its own, in a `span`."""

    def spans(found: re.Match[str]) -> str:
        lines = found[2].strip().replace("<dd>", '<span class="sig-argument">')
        return found[1] + lines.replace("</dd>", "</span>")

    return _ARGUMENTS.sub(spans, body)


def with_labeled_cells(body: str) -> str:
    """Each cell of a table of three to six columns that holds code, with its head."""

    def labeled(found: re.Match[str]) -> str:
        heads = [_TAG.sub("", head).strip() for head in _HEAD.findall(found[0])]
        if not 3 <= len(heads) <= 6 or "<code" not in found[0]:
            return found[0]
        names = (html.escape(html.unescape(head)) for head in itertools.cycle(heads))
        return re.sub(r"<td\b", lambda _: f'<td data-label="{next(names)}"', found[0])

    return _TABLE.sub(labeled, body)


def with_sizes(body: str, files: Mapping[str, Path]) -> str:
    """Each figure with its size, by the name of its file, loaded as it comes near."""

    def sized(found: re.Match[str]) -> str:
        size = get_image_size(files[found[1]]) if found[1] in files else None
        if size is None:
            return found[0]
        return f'<img width="{size[0]}" height="{size[1]}" loading="lazy" '

    return _FIGURE.sub(sized, body)


def with_named_toggles(menu: str) -> str:
    """The arrows of a menu, named after the page whose pages they show."""

    def named(found: re.Match[str]) -> str:
        title = found[2].strip().replace('"', "&quot;")
        return f'{found[1]}<summary aria-label="Pages of {title}">'

    return _TOGGLE.sub(named, menu)


def silent(script: str) -> str:
    """A script that reports nothing but errors and warnings."""
    return _SAID.sub("void(", script)


def _named(menu: Callable[..., Any]) -> Callable[..., str]:
    return lambda *kinds, **options: with_named_toggles(str(menu(*kinds, **options)))


def _mend(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    if "body" in context:
        body = with_plain_arguments(context["body"])
        images = app.builder.images.items()
        files = {name: Path(app.srcdir, path) for path, name in images}
        context["body"] = with_sizes(with_labeled_cells(body), files)
    if "generate_toctree_html" in context:
        context["generate_toctree_html"] = _named(context["generate_toctree_html"])
    title = _TAG.sub("", context.get("title") or "")
    context["pagetitle"] = context.get("pagetitle") or title or "Search"
    is_index = pagename in {"genindex", "py-modindex", "search"}
    if is_index or any(sign in context.get("body", "") for sign in _STYLED):
        app.add_css_file(SHEET)


def _finish(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for path in out.glob("_static/scripts/*.js"):
        text = path.read_text("utf-8")
        if silent(text) != text:
            path.write_text(silent(text), "utf-8")
    written = {f"{opened.place(name)}" for name in state.of(app.env).opened}
    written |= {*listings.names(app), *app.env.found_docs}
    written |= set(getattr(app.config, "redirects", ()))
    for path in out.rglob("*.html"):
        name = path.relative_to(out).with_suffix("").as_posix()
        is_of_a_source = "/" in name and not name.startswith(("_", "pagefind/"))
        if is_of_a_source and name not in written:
            path.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_js_file("folds.js", defer="")
    # The theme makes its menus at 500; what the body holds is settled before 900.
    app.connect("html-page-context", _mend, priority=800)
    app.connect("build-finished", _finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

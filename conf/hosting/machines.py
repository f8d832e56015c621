"""What programs read: descriptions, previews, Markdown, lists of pages.

Descriptions are written by hand in `docs/descriptions.toml`. What needs the public
address, a canonical link, a preview's picture or a sitemap, is absent where it is not
set.
"""

import os
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from conf.addresses import Addresses
from conf.hosting import cards, markdown
from conf.hosting.publish import SWITCHER, switcher

DESCRIPTIONS = "descriptions.toml"
CARDS = "_static/cards"
NOT_FOUND = "404"
_GROUPS = {
    "guides": "Guides",
    "reference": "Reference",
    "reference/recipes": "Recipes",
    "about": "About",
}


def descriptions(folder: Path) -> dict[str, str]:
    """By document name; empty where there is no such file."""
    path = folder / DESCRIPTIONS
    if not path.exists():
        return {}
    return dict(_flat(tomllib.loads(path.read_text("utf-8")), ""))


def _flat(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}/")
        else:
            yield prefix + name, value


def in_order(env: BuildEnvironment) -> list[str]:
    """Every page once, as the menus have them; what no menu has comes last."""
    found: dict[str, None] = {}

    def walk(docname: str) -> None:
        if docname not in found:
            found[docname] = None
            for inside in env.toctree_includes.get(docname, []):
                walk(inside)

    walk(env.config.root_doc)
    return [*found, *sorted(env.found_docs - set(found))]


def _tags(
    app: Sphinx,
    pagename: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Describe each page in its head, and write the page as Markdown beside it."""
    if pagename in {NOT_FOUND, "search"}:
        context["pageurl"] = None
        context["metatags"] = '<meta name="robots" content="noindex" />'
        return
    if doctree is None:
        return
    addresses: Addresses = app.config.site_addresses
    title = _title(app.env, pagename)
    words = app.config.site_descriptions.get(pagename) or _question(doctree)
    home = pagename == app.config.root_doc
    properties = {
        "og:title": title,
        "og:type": "website" if home else "article",
        "og:site_name": app.config.html_title,
        "og:description": words,
    }
    if addresses.site:
        properties["og:url"] = f"{addresses.site}/{pagename}.html"
        properties["og:image"] = f"{addresses.root}/{CARDS}/{pagename}.png"
        properties["og:image:width"], properties["og:image:height"] = map(
            str, cards.SIZE
        )
        properties["og:image:alt"] = title
    tags = [f'<meta name="description" content="{escape(words)}" />'] if words else []
    tags += [
        f'<meta property="{name}" content="{escape(value)}" />'
        for name, value in properties.items()
        if value
    ]
    if addresses.site:
        tags.append('<meta name="twitter:card" content="summary_large_image" />')
    markdown_name = f"{PurePosixPath(pagename).name}.md"
    tags.append(f'<link rel="alternate" type="text/markdown" href="{markdown_name}" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])
    _write_markdown(app, pagename, doctree)


def _title(env: BuildEnvironment, docname: str) -> str:
    return env.titles[docname].astext()


def _question(doctree: nodes.document) -> str:
    """The question that a page opens with, or its first paragraph."""
    texts = (
        " ".join(paragraph.astext().split())
        for paragraph in doctree.findall(nodes.paragraph)
        if "recipe-links" not in paragraph["classes"]
    )
    return next(texts, "")[:160]


def _write_markdown(app: Sphinx, docname: str, doctree: nodes.document) -> None:
    addresses: Addresses = app.config.site_addresses
    folder = PurePosixPath("/", docname).parent

    def link(target: str) -> str:
        if "://" in target or target.startswith(("#", "mailto:")):
            return target
        path, mark, anchor = target.partition("#")
        whole = os.path.normpath(folder / path).lstrip("/")
        if addresses.site:
            return f"{addresses.root}/{whole}{mark}{anchor}"
        if whole.removesuffix(".html") in app.env.found_docs:
            return f"{path.removesuffix('.html')}.md{mark}{anchor}"
        return target

    path = Path(app.outdir, f"{docname}.md")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown.of_page(doctree, link), "utf-8")


def _lists(app: Sphinx, exception: Exception | None) -> None:
    """Write what names all pages, once they are written."""
    if exception or app.builder.format != "html":
        return
    out, env = Path(app.outdir), app.env
    addresses: Addresses = app.config.site_addresses
    docnames = in_order(env)
    for path in out.rglob("*.md"):
        if path.relative_to(out).with_suffix("").as_posix() not in env.found_docs:
            path.unlink()
    files = {
        "llms.txt": _llms(app, docnames),
        "llms-full.txt": _llms_full(app, docnames),
        "robots.txt": "User-agent: *\nAllow: /\n",
        "sitemap.xml": "",
        SWITCHER: "",
    }
    if addresses.site and not addresses.version:  # of the newest site alone
        files["robots.txt"] += f"\nSitemap: {addresses.site}/sitemap.xml\n"
        files["sitemap.xml"] = _sitemap(addresses, docnames)
        files[SWITCHER] = switcher([], addresses.site)  # until releases lie beside it
    for name, text in files.items():
        if text:
            (out / name).write_text(text, "utf-8")
        else:
            (out / name).unlink(missing_ok=True)
    if addresses.site:
        for docname in docnames:
            words = app.config.site_descriptions.get(docname, "")
            path = out / CARDS / f"{docname}.png"
            cards.draw(path, _title(env, docname), words, app.config.html_title)


def _llms(app: Sphinx, docnames: list[str]) -> str:
    """The table of contents that llmstxt.org describes."""
    known: dict[str, str] = app.config.site_descriptions
    addresses: Addresses = app.config.site_addresses
    start = f"{addresses.root}/" if addresses.site else ""
    lines = [f"# {app.config.html_title}"]
    if about := known.get(app.config.root_doc):
        lines += ["", f"> {about}"]
    lines += [
        "",
        "✓ after a sentence: a test asserts what it says, and was run. ≈: it was "
        f"measured. All guides in one file: [llms-full.txt]({start}llms-full.txt).",
    ]
    for folder, name in _GROUPS.items():
        pages = [n for n in docnames if str(PurePosixPath(n).parent) == folder]
        if pages:
            lines += ["", f"## {name}", ""]
        for page in pages:
            words = f": {known[page]}" if page in known else ""
            lines.append(f"- [{_title(app.env, page)}]({start}{page}.md){words}")
    return "\n".join(lines) + "\n"


def _llms_full(app: Sphinx, docnames: list[str]) -> str:
    addresses: Addresses = app.config.site_addresses
    start = f"{addresses.root}/" if addresses.site else ""
    pages = []
    left_out: list[str] = app.config.site_not_in_full
    for docname in docnames:
        if any(fnmatch(docname, pattern) for pattern in left_out):
            continue
        text = Path(app.outdir, f"{docname}.md").read_text("utf-8")
        pages.append(f"<!-- {start}{docname}.html -->\n\n{text}")
    return "\n".join(pages)


def _sitemap(addresses: Addresses, docnames: list[str]) -> str:
    rows = [
        f"  <url><loc>{escape(f'{addresses.site}/{name}.html')}</loc></url>"
        for name in sorted(docnames)
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">',
            *rows,
            "</urlset>\n",
        ]
    )


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("site_descriptions", {}, "html", dict)
    app.add_config_value("site_not_in_full", [], "", list)
    app.connect("html-page-context", _tags)
    app.connect("build-finished", _lists)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

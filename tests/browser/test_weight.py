"""What a page weighs, how large it is, and that nothing comes from elsewhere."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests.browser.served import BUILT
from tests.browser.weigh import weigh

PAGES = sorted(
    path.relative_to(BUILT).as_posix().removesuffix(".html")
    for path in BUILT.rglob("*.html")
    if path.relative_to(BUILT).parts[0] not in ("_static", "pagefind")
)
GUIDES = [name for name in PAGES if name.startswith("guides/")]
KIB = 150  # of a guide with all that it loads but pictures, as a server sends it
OF_A_GUIDE = 6_000  # elements
OF_ANY_PAGE = 8_000

pytestmark = pytest.mark.skipif(
    not PAGES, reason="there is no site in build/html: run `nox -s docs` first"
)


def test_a_guide_weighs_little() -> None:
    heavy = {name: round(weigh(name)[0]) for name in GUIDES if weigh(name)[0] > KIB}
    assert heavy == {}


def test_no_page_has_more_elements_than_a_phone_can_lay_out() -> None:
    found = {name: weigh(name)[2] for name in PAGES}
    large = {
        name: elements
        for name, elements in found.items()
        if elements > (OF_A_GUIDE if name in GUIDES else OF_ANY_PAGE)
    }
    assert large == {}


def test_every_page_has_a_policy_and_loads_from_this_site_alone() -> None:
    for name in PAGES:
        text = (BUILT / f"{name}.html").read_text("utf-8")
        assert 'http-equiv="Content-Security-Policy"' in text, name
        loaded = re.findall(r'<(?:script|img|iframe)[^>]* src="([^"]+)"', text)
        loaded += re.findall(r'<link[^>]*rel="stylesheet"[^>]*href="([^"]+)"', text)
        assert not [address for address in loaded if "//" in address], name


def test_the_index_of_sphinx_is_loaded_where_it_searches_alone() -> None:
    found = [
        name
        for name in PAGES
        if "searchindex.js" in (BUILT / f"{name}.html").read_text("utf-8")
    ]
    assert found == ["search"]


def test_every_link_of_this_site_leads_somewhere() -> None:
    """Pages, files and anchors, on every page."""
    texts = {name: (BUILT / f"{name}.html").read_text("utf-8") for name in PAGES}
    anchors = {name: set(re.findall(r'\bid="([^"]+)"', texts[name])) for name in PAGES}
    broken = set()
    for name, text in texts.items():
        for address in re.findall(r'<a\b[^>]*\bhref="([^"]+)"', text):
            if re.match(r"[a-z]+:", address):
                continue
            whole = urljoin(f"/{name}.html", address)
            path, _, anchor = whole.partition("#")
            path = path.partition("?")[0].lstrip("/") or "index.html"
            page = path.removesuffix(".html")
            is_there = (BUILT / path).is_file()
            if not is_there or anchor not in {"", *anchors.get(page, {anchor})}:
                broken.add(f"{name}: {address}")
    assert sorted(broken) == []


def test_identifiers_of_a_page_are_its_own() -> None:
    for name in PAGES:
        text = (BUILT / f"{name}.html").read_text("utf-8")
        found = re.findall(r'<[a-z0-9]+\b[^>]*?\sid="([^"]+)"', text)
        assert len(found) == len(set(found)), name


def test_every_icon_of_a_page_is_in_the_fonts() -> None:
    """Those that a page names; those that the style sheet names are in its list."""
    sheet = Path(BUILT, "_static/styles/pydata-sphinx-theme.css").read_text("utf-8")
    drawn = set(re.findall(r"\.fa-([\w-]+)(?=[,{])", sheet))
    shape = re.compile(
        r'class="(?:[\w-]+ )*fa[sbr]?(?:-solid|-brands|-regular)? ([^"]*)"'
    )
    for name in PAGES:
        text = (BUILT / f"{name}.html").read_text("utf-8")
        for words in shape.findall(text):
            icons = {word.removeprefix("fa-") for word in words.split()}
            assert icons & drawn, f"{name}: {words}"

"""What can be read off the files: their HTML, titles, menus and notebooks."""

import re
from html import unescape
from pathlib import Path

import nbformat
import pytest

from tests.browser.served import BUILT, has_moved
from tests.browser.test_weight import GUIDES, PAGES
from tests.browser.valid import faults

PAGE = '<!DOCTYPE html><html lang="en"><head><title>t</title></head><body>{}</body>'


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<details><summary><p>x</p></summary></details>", "<p> in summary"),
        ("<dl><dd>x</dd></dl>", "a dl of dd: <dl>"),
        ("<dl><dt>x</dt></dl>", "a dl of dt: <dl>"),
        ("<ul><p>x</p></ul>", "p in ul"),
        ("<p>x</div></p>", "end-tag-too-early"),
        ("<b><span><div>x</div></span></b>", "in span"),
        ('<a href="x"><button>x</button></a>', "<button> in a"),
        ('<p id="x"></p><p id="x"></p>', "id twice: x"),
        ('<img src="x">', "no alt"),
        ("<h2> </h2>", "an empty h2"),
        ("<center>x</center>", "center is obsolete"),
        ('<table><tr><td align="left">x</td></tr></table>', "align"),
        ('<button aria-controls="y">x</button>', "there is no y"),
    ],
)
def test_a_fault_is_found(body: str, fault: str) -> None:
    assert any(fault in found for found in faults(PAGE.format(body)))


@pytest.mark.parametrize(
    "body",
    [
        "<details><summary><h2>x</h2></summary><p>y</p></details>",
        "<dl><dt>x</dt><dd><p>y</p></dd></dl>",
        '<a href="x"><div>x</div></a>',
        "<svg><title>x</title><path d='M0 0'/></svg>",
        "<template><p>x</p></template>",
    ],
)
def test_what_may_stand_there_is_no_fault(body: str) -> None:
    assert faults(PAGE.format(body)) == []
    assert faults(PAGE.replace('"en"', '"fr"').format(body)) == ["the language is fr"]


def read(name: str) -> str:
    return (BUILT / f"{name}.html").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_html(name: str) -> None:
    assert faults(read(name)) == []


def test_every_page_has_a_title_of_its_own() -> None:
    titles = {
        name: unescape(found[1])
        for name in PAGES
        if not has_moved(name)
        and (found := re.search(r"<title>(.*?)</title>", read(name), re.DOTALL))
    }
    assert len(titles) == sum(not has_moved(name) for name in PAGES)
    twice = {title for title in titles.values() if [*titles.values()].count(title) > 1}
    assert {name: title for name, title in titles.items() if title in twice} == {}


def test_the_menu_has_every_page_once() -> None:
    menu = read("index").partition('class="bd-links')[2].partition("</nav>")[0]
    found = re.findall(r'<a [^>]*href="([^"#]+)"', menu)
    assert len(found) == len(set(found))
    written = {path.relative_to(BUILT).as_posix() for path in BUILT.rglob("*.md")}
    made = {name.removesuffix(".md") for name in written if "_static" not in name}
    linked = {address.removesuffix(".html") for address in found} | {"index"}
    assert made - linked == set()


def test_a_listing_leads_back_to_the_pages_that_it_belongs_to() -> None:
    for name in PAGES:
        stem = Path(name).stem.removeprefix("test_")
        if not name.startswith("listings/") or f"guides/{stem}" not in PAGES:
            continue
        if has_moved(name):
            continue
        text = read(name)
        way = text.partition('<p class="listing-way">')[2].partition("</p>")[0]
        targets = re.findall(r'href="(?:\.\./)+([\w/]+)\.html"', way)
        assert targets[:1] == [f"guides/{stem}"], name
        assert r"\1" not in text.partition("<article")[2].partition("</h1>")[0], name


def test_every_guide_has_a_notebook_that_opens() -> None:
    for name in GUIDES:
        if f"notebooks/{name}.ipynb" in read(name):
            notebook = nbformat.read(BUILT / f"notebooks/{name}.ipynb", as_version=4)
            nbformat.validate(notebook)
            assert any(cell.cell_type == "code" for cell in notebook.cells), name
        else:
            assert name == "guides/index", name


def test_the_icon_that_browsers_ask_for_unasked_is_there() -> None:
    icon = (BUILT / "favicon.ico").read_bytes()
    assert icon[:4] == b"\0\0\1\0"

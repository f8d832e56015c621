"""Every page in a browser: on a wide screen and on a phone, in light and in the dark.

`nox -s site -- -k guides` reads the guides alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.browser.served import Served, has_moved
from tests.browser.test_weight import GUIDES, PAGES

# The theme makes wide code focusable, sooner or later. If it never does, axe says so.
SETTLED = """async () => {
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const reached = (e) => e.scrollWidth <= e.clientWidth || e.tabIndex === 0;
  await wait(400);
  for (let k = 0; k < 50; k++) {
    if ([...document.querySelectorAll("pre")].every(reached)) break;
    await wait(100);
  }
}"""
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
COLORS = ("light", "dark")
# Folds are opened: what they hold is read too.
SEEN = """() => {
  for (const fold of document.querySelectorAll("main details")) fold.open = true;
  const shown = (element) => element.checkVisibility();
  const all = (selector) => [...document.querySelectorAll(selector)];
  const line = (element) => element.outerHTML.slice(0, 160);
  const width = document.documentElement.clientWidth;
  const wide = document.documentElement.scrollWidth > width;
  const scrolls = (element) => {
    for (let at = element; at; at = at.parentElement) {
      if (getComputedStyle(at).overflowX !== "visible") return true;
    }
    return false;
  };
  const right = (element) => element.getBoundingClientRect().right;
  const isCut = (table) => {
    for (let at = table.parentElement; at.tagName !== "MAIN"; at = at.parentElement) {
      const hides = getComputedStyle(at).overflowX !== "visible";
      if (hides && at.scrollWidth > at.clientWidth + 1) return true;
    }
    return false;
  };
  return {
    cut: all("main table:not(.highlighttable)").filter(isCut).map(line),
    wide: wide
      ? all("main *").filter((e) => right(e) > width + 1 && !scrolls(e)).map(line)
        .concat("the page")
      : [],
    levels: all("main :is(h1, h2, h3, h4, h5, h6)").filter(shown)
      .map((heading) => Number(heading.tagName[1])),
    paths: [...document.images].filter((image) =>
      image.alt === null || /[/]|[.](png|svg|jpe?g)$/.test(image.alt)).map(line),
  };
}"""
# The contrast of each text with what is painted behind it, by WCAG 2; axe asks where
# each text lies too, and takes minutes for a long page, so it looks at some pages.
FAINT = """() => {
  const parse = (color) => {
    const [red, green, blue, alpha = 1] = color.match(/[\\d.]+/g).map(Number);
    return { channels: [red, green, blue], alpha };
  };
  const over = (top, below) =>
    top.channels.map((value, at) => value * top.alpha + below[at] * (1 - top.alpha));
  const light = (channels) => {
    const [red, green, blue] = channels.map((value) =>
      value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const known = new Map();
  const ground = (element) => { // null: a picture, which is not judged
    if (!element) return [255, 255, 255];
    if (!known.has(element)) {
      const style = getComputedStyle(element);
      const own = parse(style.backgroundColor);
      const below = own.alpha < 1 ? ground(element.parentElement) : [0, 0, 0];
      const isPicture = style.backgroundImage !== "none" || !below;
      known.set(element, isPicture ? null : over(own, below));
    }
    return known.get(element);
  };
  const faint = new Map();
  const inSight = { visibilityProperty: true, opacityProperty: true };
  for (const element of document.body.querySelectorAll("*")) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3);
    if (!texts.some((text) => text.data.trim())) continue;
    if (!element.checkVisibility(inSight)) continue;
    if (element.closest("svg, [disabled]")) continue;
    const style = getComputedStyle(element);
    const below = ground(element);
    if (!below) continue;
    const lights = [light(over(parse(style.color), below)), light(below)];
    const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio >= (isLarge ? 3 : 4.5)) continue;
    const look = `${style.color} on ${below.map(Math.round)}, ${ratio.toFixed(2)}`;
    if (!faint.has(look)) faint.set(look, element.outerHTML.slice(0, 160));
  }
  return [...faint].map((both) => both.join(": "));
}"""
ONLY = {
    "resultTypes": ["violations"],
    "preload": False,
}  # it would ask for style sheets
CONTRAST = {**ONLY, "runOnly": ["color-contrast"]}
ALL_ELSE = {**ONLY, "rules": {"color-contrast": {"enabled": False}}}


def axe(page: Any, within: str | None, options: dict[str, Any]) -> list[str]:
    """What axe finds, in the whole page or in parts of it."""
    if not page.evaluate("typeof axe === 'object'"):
        script = pytest.importorskip(  # `nox -s site` installs it
            "axe_playwright_python.base"
        ).AXE_SCRIPT
        page.evaluate(script)
    found = page.evaluate(
        "([within, options]) => axe.run(within ?? document, options)",
        [within, options],
    )["violations"]
    return [
        f"{problem['id']}, {len(problem['nodes'])} times: "
        f"{problem['nodes'][0]['html'][:200]} {problem['nodes'][0]['failureSummary']}"
        for problem in found
    ]


def settle(page: Any) -> None:
    """Wait until the theme has seen the size of the page, 300 ms after it changed."""
    page.evaluate(SETTLED)


def switch(page: Any, colors: str) -> None:
    """Day or night, as the system of a reader says."""
    page.emulate_media(color_scheme=colors)
    page.wait_for_function(
        "colors => document.documentElement.dataset.theme === colors", arg=colors
    )


def without_motion(page: Any) -> None:
    """Let colors change at once, or one is read on its way to another."""
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; }")


@dataclass
class Tab:
    """A page of a browser, what it said and what it asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("requestfailed", lambda lost: self.said.append(lost.url))
        self.page.on("response", self._answered)

    def _answered(self, answer: Any) -> None:
        if answer.status >= 400:
            self.said.append(f"{answer.status} {answer.url}")


@pytest.fixture(scope="module")
def reader(chromium: Any) -> Iterator[Any]:
    """One who reads all pages: what they share is loaded once."""
    context = chromium.new_context()
    yield context
    context.close()


@pytest.fixture
def tab(reader: Any) -> Iterator[Tab]:
    """A page of the one who reads all."""
    page = reader.new_page()
    # No motion, or a color would be read while it changes into another.
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    yield Tab(page)
    page.close()


@pytest.mark.parametrize("name", [name for name in PAGES if not has_moved(name)])
def test_a_page(name: str, tab: Tab, site: Served) -> None:
    """It is loaded once and seen four times: wide and narrow, by day and by night.

    Nothing is too wide, cut, too faint, mute, said to the console, or from elsewhere.
    """
    page, found = tab.page, []
    page.goto(site.url(name))
    without_motion(page)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        seen = page.evaluate(SEEN)
        levels = seen.pop("levels")
        settle(page)
        steps = pairwise(levels)
        if levels[:1] != [1] or any(after > before + 1 for before, after in steps):
            found.append(f"{size}: headings {levels}")
        found += [f"{size}: {what}, {e}" for what in seen for e in seen[what]]
        found += [f"{size}: {fault}" for fault in axe(page, None, ALL_ELSE)]
        for colors in COLORS:
            switch(page, colors)
            found += [f"{size}, {colors}: {faint}" for faint in page.evaluate(FAINT)]
    elsewhere = [
        url for url in tab.asked if not url.startswith((site.address, "data:"))
    ]
    assert [*found, *tab.said, *elsewhere] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("colors", COLORS)
@pytest.mark.parametrize("name", ["index", "reference/recipes/data", "search"])
def test_axe_finds_every_text_dark_enough(
    name: str, colors: str, size: str, tab: Tab, site: Served
) -> None:
    page, (width, height) = tab.page, SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(site.url(name))
    without_motion(page)
    switch(page, colors)
    assert axe(page, None, CONTRAST) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", GUIDES[:3])
def test_an_open_proof_can_be_read_by_all(
    name: str, size: str, tab: Tab, site: Served
) -> None:
    page, (width, height) = tab.page, SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(site.url(name))
    mark = page.locator("a.proof-mark").first
    if not mark.count():
        return
    mark.click()
    page.locator(".proof[popover]").wait_for()
    found = axe(page, None, ALL_ELSE)
    for colors in COLORS:
        switch(page, colors)
        found += axe(page, ".proof[popover]", CONTRAST)
    assert found == []
    sizes = page.locator(".proof[popover]").evaluate(
        "dialog => [dialog.scrollWidth, dialog.clientWidth, innerWidth]"
    )
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("size", SIZES)
def test_what_the_buttons_of_a_page_open_can_be_read_by_all(
    size: str, tab: Tab, site: Served
) -> None:
    """The search with what it found, the menu and the contents of a phone."""
    page, (width, height) = tab.page, SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.goto(site.url("guides/sequential"))
    without_motion(page)
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("placeholder")
    page.locator(".found a").first.wait_for()
    found = axe(page, None, ALL_ELSE)
    for colors in COLORS:
        switch(page, colors)
        found += axe(page, "#pst-search-dialog", CONTRAST)
    page.keyboard.press("Escape")
    if size == "phone":
        for kind in ("primary", "secondary"):
            page.locator(f"button.{kind}-toggle:visible").first.click()
            page.locator(f"dialog#pst-{kind}-sidebar-modal[open]").wait_for()
            found += axe(page, None, ALL_ELSE)
            for colors in COLORS:
                switch(page, colors)
                found += axe(page, f"#pst-{kind}-sidebar-modal", CONTRAST)
            page.keyboard.press("Escape")
    assert [*found, *tab.said] == []


def test_a_faint_text_a_wide_table_and_a_nameless_button_are_found(
    tab: Tab, site: Served
) -> None:
    page = tab.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(site.url("guides/sequential"))
    page.evaluate(
        """() => document.querySelector("article").insertAdjacentHTML("afterbegin",
          "<p style='color: #999; background: #fff'>faint</p>" +
          "<table style='width: 900px; display: table'><tr><td>wide</td></tr></table>" +
          "<div style='overflow: auto'><table style='width: 900px; display: table'>" +
          "<tr><td>cut</td></tr></table></div>" +
          "<button></button><img src='' alt='a/plot.png'><h5>too deep</h5>")"""
    )
    seen = page.evaluate(SEEN)
    assert seen["wide"]
    assert len(seen["cut"]) == 1
    assert "plot.png" in seen["paths"][0]
    assert seen["levels"][0] == 5
    assert any("faint" in fault for fault in page.evaluate(FAINT))
    assert any("button-name" in fault for fault in axe(page, None, ALL_ELSE))


# What the keyboard is on: whether it shows, and whether it is where it is seen.
FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return null;
  element.dataset.reached = "";
  const around = element.parentElement; // the frame of a field may show it, too
  const looks = () => [around, element, ...element.children].map((part) => {
    const style = getComputedStyle(part);
    return [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow,
      style.backgroundColor, style.textDecorationLine, style.borderColor].join();
  }).join();
  const focused = looks();
  element.blur();
  const plain = looks();
  element.focus();
  return { shows: focused !== plain, line: element.outerHTML.slice(0, 160) };
}"""


@pytest.mark.parametrize(
    "name",
    [
        *("index", "guides/sequential", "reference/recipes/data", "genindex"),
        "proofs/guides/smaller_models",
    ],
)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    name: str, tab: Tab, site: Served
) -> None:
    page = tab.page
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(site.url(name))
    without_motion(page)
    hidden = []
    for _ in range(1500):
        page.keyboard.press("Tab")
        at = page.evaluate(FOCUS)
        if at is None:
            break
        if not at["shows"]:
            hidden.append(at["line"])
    missed = page.evaluate(
        """() => [...document.querySelectorAll(
            "a[href], button, input, select, summary, textarea, [tabindex='0']")]
          .filter((element) => element.checkVisibility({ visibilityProperty: true }))
          .filter((element) => !("reached" in element.dataset))
          .filter((element) => element.getAttribute("tabindex") !== "-1")
          .map((element) => element.outerHTML.slice(0, 160))"""
    )
    assert (missed, hidden) == ([], [])


@pytest.mark.parametrize("name", GUIDES)
def test_a_mark_opens_its_proof_and_gives_the_focus_back(
    name: str, tab: Tab, site: Served
) -> None:
    page = tab.page
    page.goto(site.url(name))
    marks = page.locator("a.proof-mark")
    if not marks.count():
        return
    for mark in (marks.first, marks.last):
        mark.focus()
        page.keyboard.press("Enter")
        dialog = page.locator(".proof[popover]")
        dialog.wait_for()
        assert dialog.locator("blockquote").inner_text()
        assert dialog.locator("pre").count()
        page.keyboard.press("Escape")
        dialog.wait_for(state="detached")
        assert mark.evaluate("mark => mark === document.activeElement")
    assert tab.said == []


@pytest.mark.parametrize("kind", ["a server", "a file"])
def test_the_search_of_sphinx_answers_too(kind: str, tab: Tab, site: Served) -> None:
    """It is what a reader of files has, and one whose browser cannot load the index."""
    here = (site.folder / "search.html").as_uri()
    address = here if kind == "a file" else site.url("search")
    tab.page.goto(f"{address}?q=placeholder")
    found = tab.page.locator("#search-results li a")
    found.first.wait_for()
    assert any("placeholders" in link.get_attribute("href") for link in found.all())
    if kind == "a server":  # Sphinx asks files for excerpts too, which no browser gives
        assert tab.said == []


def test_without_javascript_a_mark_leads_to_its_proof(
    chromium: Any, site: Served
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url("guides/sequential"))
    page.locator("a.proof-mark").first.click()
    page.wait_for_url("**/proofs/guides/sequential.html#proof-*")
    anchor = page.url.partition("#")[2]
    assert page.locator(f"#{anchor} pre").inner_text().startswith("@proves")
    assert page.locator(f"#{anchor} h2").inner_text()
    context.close()


def test_from_a_file_a_mark_leads_to_its_proof(page: Any, site: Served) -> None:
    page.goto((site.folder / "guides/sequential.html").as_uri())
    page.locator("a.proof-mark").first.click()
    page.wait_for_url("**/proofs/guides/sequential.html#proof-*")


@pytest.mark.parametrize(
    ("name", "kind"), [("guides/training_loops", 1), ("guides/sequential", 0)]
)
def test_a_copy_button_takes_the_code_and_what_it_needs(
    name: str, kind: int, chromium: Any, site: Served
) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(site.url(name))
    page.evaluate("document.querySelectorAll('details').forEach((d) => d.open = true)")
    cells = page.locator(".cell_input:has(.copybtn)").all()
    assert len(cells) > 10
    kinds = set()
    for cell in cells:
        whole = cell.locator("script.whole")
        kinds.add(whole.count())
        wanted = whole if whole.count() else cell.locator("pre").first
        page.evaluate("navigator.clipboard.writeText('')")
        cell.hover()
        cell.locator(".copybtn").first.click()
        page.wait_for_function("navigator.clipboard.readText().then((t) => t.length)")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == wanted.text_content().strip()
    assert kind in kinds  # with what a recipe needs, and without
    context.close()


def test_the_notebook_of_a_guide_is_downloaded_and_opens(
    page: Any, site: Served, tmp_path: Path
) -> None:
    page.goto(site.url("guides/sequential"))
    with page.expect_download() as waiting:
        page.locator("a.btn-download-notebook").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.name == "sequential.ipynb"
    nbformat.validate(nbformat.read(path, as_version=4))


def test_every_icon_of_the_header_is_drawn(page: Any, site: Served) -> None:
    """A glyph that the font lacks is drawn by another font, or is a box."""
    page.goto(site.url("guides/sequential"))
    page.evaluate("document.fonts.ready")
    lacking = page.evaluate(
        """async () => {
          const icons = [...document.querySelectorAll("i[class*='fa-']")];
          const shown = icons.filter((icon) => icon.checkVisibility());
          return shown.filter((icon) => {
            const style = getComputedStyle(icon, "::before");
            return !/["']./.test(style.content) || !document.fonts.check(
              `${style.fontWeight} 16px ${style.fontFamily}`, style.content[1]);
          }).map((icon) => icon.className);
        }"""
    )
    assert lacking == []


def test_the_colors_of_the_page_can_be_switched(page: Any, site: Served) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.url("guides/sequential"))
    for mode in ("dark", "light", "auto"):
        page.locator("button.theme-switch-button:visible").first.click()
        page.locator(f"button.theme-change-button[data-mode={mode}]:visible").click()
        assert page.evaluate("document.documentElement.dataset.mode") == mode

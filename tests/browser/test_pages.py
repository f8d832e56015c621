"""Every page in a browser: on a wide screen and on a phone, in light and in the dark.

`nox -s site -- -k guides` reads the guides alone.
"""

import re
from typing import Any

import pytest

from tests.browser.served import Served
from tests.browser.test_weight import GUIDES, PAGES

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
COLORS = ("light", "dark")
SEEN = """() => {
  const wide = document.documentElement.scrollWidth - window.innerWidth;
  const levels = [...document.querySelectorAll("main :is(h1, h2, h3, h4, h5, h6)")]
    .filter((heading) => heading.checkVisibility())
    .map((heading) => Number(heading.tagName[1]));
  const name = (element) =>
    element.getAttribute("aria-label") || element.title || element.innerText.trim();
  return {
    wide,
    levels,
    unnamed: [...document.querySelectorAll("button, summary, a[href]")]
      .filter((element) => element.checkVisibility() && !name(element))
      .filter((element) => !element.querySelector("img[alt]:not([alt=''])"))
      .map((element) => element.outerHTML.slice(0, 120)),
    alts: [...document.images].map((image) => image.getAttribute("alt")),
  };
}"""


@pytest.fixture
def said(page: Any) -> list[str]:
    """What the console says, and every request that goes elsewhere."""
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


def without_theme_news(lines: list[str]) -> list[str]:
    """Without what the theme reports of itself at every page."""
    return [line for line in lines if not line.startswith("[PST]")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page(name: str, size: str, page: Any, site: Served, said: list[str]) -> None:
    """Nothing is too wide, is said to the console, comes from elsewhere, or is mute."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for colors in COLORS:
        page.emulate_media(color_scheme=colors)
        page.goto(site.url(name))
        found = page.evaluate(SEEN)
        assert found["wide"] <= 0
        steps = zip(found["levels"], found["levels"][1:], strict=False)
        assert all(after <= before + 1 for before, after in steps), found["levels"]
        assert found["levels"][:1] == [1]
        assert found["unnamed"] == []
        paths = [
            alt for alt in found["alts"] if alt is None or re.search(r"\.\w+$", alt)
        ]
        assert not [alt for alt in paths if alt is None or "/" in alt]
    assert without_theme_news(said) == []
    elsewhere = [url for url in asked if not url.startswith((site.address, "data:"))]
    assert elsewhere == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("colors", COLORS)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    name: str, colors: str, size: str, page: Any, site: Served
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=colors)
    page.goto(site.url(name))
    mark = page.locator("a.proof-mark").first
    if mark.count():  # with what it opens
        mark.click()
        page.locator(".proof[popover]").wait_for()
    found = axe.Axe().run(page).response["violations"]
    assert [
        f"{problem['id']}: {problem['nodes'][0]['html'][:200]}" for problem in found
    ] == []


@pytest.mark.parametrize("name", GUIDES)
def test_a_mark_opens_its_proof_and_gives_the_focus_back(
    name: str, page: Any, site: Served, said: list[str]
) -> None:
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
    assert without_theme_news(said) == []


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


def test_the_copy_button_of_a_recipe_takes_what_it_needs(
    chromium: Any, site: Served
) -> None:
    context = chromium.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(site.url("guides/training_loops"))
    cell = page.locator(".cell_input:has(script.whole)").first
    whole = cell.locator("script.whole").text_content()
    cell.hover()
    cell.locator(".copybtn").first.click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.length)")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == whole.strip()
    context.close()


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
    modes = []
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        modes.append(page.evaluate("document.documentElement.dataset.mode"))
    assert len(set(modes)) == 3

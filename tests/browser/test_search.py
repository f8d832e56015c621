"""The search leads to the section that answers."""

import re
import tomllib
from html import unescape
from pathlib import Path
from typing import Any

from tests.browser.served import Served

ASKED = tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8"))
WANTED = 28  # of the thirty in `questions.toml`


def ask(page: Any, words: str) -> list[tuple[str, str, str]]:
    """Fill the open field; the address, heading and excerpt of each result."""
    page.locator("#pst-search-dialog input").fill(words)
    page.wait_for_function(
        "words => document.querySelector('.found')?.dataset.for === words", arg=words
    )
    return [
        (
            link.get_attribute("href"),
            link.locator(".found-title").inner_text(),
            link.locator(".found-text").inner_text(),
        )
        for link in page.locator(".found a").all()
    ]


def open_search(page: Any, site: Served, name: str = "index") -> None:
    page.goto(site.url(name))
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog[open]").wait_for()


def is_right(asked: dict[str, Any], address: str, title: str) -> bool:
    """Whether a section is one of those that answer."""
    name = address.lstrip("/").replace(".html", "", 1)
    page = name.partition("#")[0]
    if page.startswith("reference/errors") and "entry" in asked:
        return asked["entry"].lower() in f"{title} {name}".lower()
    section = name if "#" in name else f"{name}#"
    return section in asked["right"] or page in asked["right"]


def test_questions_and_messages_find_their_section_first(
    page: Any, site: Served
) -> None:
    open_search(page, site)
    wrong = []
    for asked in ASKED["asked"]:
        found = ask(page, asked["words"])
        address, title, _ = found[0] if found else ("nothing", "", "")
        if not is_right(asked, address, title):
            wrong.append(f"{asked['words'][:60]} -> {address}")
    assert len(ASKED["asked"]) == 30
    assert 30 - len(wrong) >= WANTED, "\n".join(wrong)


def test_names_that_keras_makes_up_hide_no_result(page: Any, site: Served) -> None:
    open_search(page, site)
    message = 'Missing data for input "input_layer_{}". You passed a data dictionary'
    found = [ask(page, message.format(number))[0][0] for number in (3, 4711)]
    assert found == ["/reference/errors/data.html#a-key-is-missing"] * 2


def messages(site: Served) -> dict[str, str]:
    """The text of each entry of the error reference, by its address."""
    found = {}
    for file in sorted((site.folder / "reference/errors").glob("*.html")):
        for section in file.read_text("utf-8").split('<section class="error" ')[1:]:
            anchor = re.search('id="([^"]+)"', section)
            text = re.search(
                '<pre class="[^"]*message[^"]*"[^>]*>(.*?)</pre>', section, re.S
            )
            if anchor and text:
                words = unescape(re.sub("<[^>]+>", "", text[1]))
                found[f"/reference/errors/{file.name}#{anchor[1]}"] = words
    return found


def test_a_message_finds_its_entry_first(page: Any, site: Served) -> None:
    """Whatever the numbers of its shapes and the automatic names in it are."""
    open_search(page, site)
    known = messages(site)
    assert len(known) >= 90
    wrong = []
    for address, text in known.items():
        changed = re.sub(r"\d+", lambda number: str(int(number[0]) + 7), text)
        found = ask(page, " ".join(changed.split()))
        if not found or found[0][0] != address:
            wrong.append(f"{changed[:70]} -> {found[:1]}")
    assert not wrong, "\n".join(wrong)


def test_every_result_leads_to_an_anchor_and_shows_the_text_alone(
    page: Any, site: Served
) -> None:
    open_search(page, site)
    for words in ("placeholder", "freeze a layer", "Recipe source tests", "Contents"):
        for address, _, excerpt in ask(page, words):
            name, _, anchor = address.lstrip("/").partition("#")
            text = (site.folder / name).read_text("utf-8")
            assert not anchor or f'id="{anchor}"' in text, address
            assert not re.search("[¶✓≈]|copied with|Back to top", excerpt), excerpt
            assert not address.startswith("/listings"), address


def test_a_traceback_of_many_lines_is_pasted_whole(page: Any, site: Served) -> None:
    open_search(page, site)
    pasted = (
        "Traceback (most recent call last):\n"
        '  File "train.py", line 12, in <module>\n'
        "    x = tf.placeholder(tf.float32)\n"
        "AttributeError: module 'tensorflow' has no attribute 'placeholder'"
    )
    page.evaluate(
        """text => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text", text);
          document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, cancelable: true }));
        }""",
        pasted,
    )
    page.locator(".found a").first.wait_for()
    assert page.locator("#pst-search-dialog input").input_value().endswith("holder'")
    assert "has no attribute" in page.locator(".found-title").first.inner_text()


def test_the_keyboard_is_enough(page: Any, site: Served) -> None:
    open_search(page, site, "guides/sequential")
    ask(page, "gradient accumulation")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.closest('li')?.previousElementSibling !== null"
    assert page.evaluate(focused)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url(site.url("guides/training_loops#gradient-accumulation"))


def test_escape_closes_it(page: Any, site: Served) -> None:
    open_search(page, site)
    page.keyboard.press("Escape")
    assert page.locator("#pst-search-dialog[open]").count() == 0


def test_from_a_file_the_search_of_sphinx_answers(page: Any, site: Served) -> None:
    page.goto((site.folder / "index.html").as_uri())
    page.keyboard.press("Control+k")
    page.locator("#pst-search-dialog input").fill("placeholder")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=placeholder")
    page.locator("ul.search li a").first.wait_for()


def test_the_field_of_the_home_page_hands_over_what_is_pasted(
    page: Any, site: Served
) -> None:
    page.goto(site.url("index"))
    page.locator("form.ask input").focus()
    page.keyboard.insert_text("module 'tensorflow' has no attribute 'placeholder'")
    page.locator(".found a").first.wait_for()
    field = page.locator("#pst-search-dialog input")
    assert field.input_value().endswith("'placeholder'")
    assert field.evaluate("field => field === document.activeElement")
    assert "has no attribute" in page.locator(".found-title").first.inner_text()


def test_without_javascript_the_field_leads_to_the_page_of_the_search(
    chromium: Any, site: Served
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.url("index"))
    page.locator("form.ask input").fill("placeholder")
    page.locator("form.ask button").click()
    page.wait_for_url("**/search.html?q=placeholder")
    context.close()

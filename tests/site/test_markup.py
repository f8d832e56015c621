"""What Sphinx and the theme write is mended, and says what it said."""

import re
import struct
from pathlib import Path

import pytest

from conf.web.markup import (
    silent,
    with_labeled_cells,
    with_named_toggles,
    with_plain_arguments,
    with_sizes,
)

SIGNATURE = (
    '<dt class="sig"><span class="sig-paren">(</span>\n\n<dl>\n'
    '<dd><em class="sig-param">units: <span class="pre">int</span></em>,</dd>\n'
    '<dd><em class="sig-param">rate: float = 0.1</em>,</dd>\n'
    '</dl>\n\n<span class="sig-paren">)</span></dt>'
)


def test_arguments_of_a_signature_are_no_list_of_definitions() -> None:
    plain = with_plain_arguments(SIGNATURE)
    assert plain.count('<span class="sig-argument">') == 2
    assert "<dl>" not in plain
    assert "</dd>" not in plain
    words = [re.sub(r"<[^>]+>|\s", "", text) for text in (SIGNATURE, plain)]
    assert words[0] == words[1]


@pytest.mark.parametrize(
    "body",
    [
        "<dl><dt>x</dt><dd>y</dd></dl>",
        '<span class="sig-paren">(</span>x<span class="sig-paren">)</span>'
        "<dl><dt>x</dt><dd>y</dd></dl>",
    ],
)
def test_other_lists_stay(body: str) -> None:
    assert with_plain_arguments(body) == body


def table(*heads: str, cell: str = "<code>x</code>") -> str:
    columns = "".join(f'<th class="head"><p>{head}</p></th>' for head in heads)
    row = "<tr>" + len(heads) * f'<td class="a"><p>{cell}</p></td>' + "</tr>"
    return f"<table><thead><tr>{columns}</tr></thead><tbody>{2 * row}</tbody></table>"


def test_cells_of_a_wide_table_know_the_head_of_their_column() -> None:
    wide = table("Level", "<code>a</code> &amp; b", "C")
    labeled = with_labeled_cells(f"<p>{wide}</p>{wide}")
    labels = re.findall(r'<td data-label="([^"]*)" class="a">', labeled)
    assert labels == 4 * ["Level", "a &amp; b", "C"]
    assert re.sub(r' data-label="[^"]*"', "", labeled) == f"<p>{wide}</p>{wide}"


@pytest.mark.parametrize(
    "other", [table("A", "B"), table("A", "B", "C", cell="x"), table(*"ABCDEFG")]
)
def test_a_table_that_has_room_on_a_phone_and_a_grid_stay(other: str) -> None:
    assert with_labeled_cells(other) == other


def test_a_figure_has_its_size_before_it_is_loaded(tmp_path: Path) -> None:
    files = {name: tmp_path / name for name in ("a.png", "b.txt")}
    files["a.png"].write_bytes(
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 40, 30) + bytes(99)
    )
    files["b.txt"].write_text("no image")
    figure = '<img alt="a" src="../_images/a.png" />'
    sized = figure.replace("<img", '<img width="40" height="30" loading="lazy"')
    assert with_sizes(f"<p>{figure}</p>", files) == f"<p>{sized}</p>"
    for other in ("_images/b.txt", "_images/c.png", "_static/a.png"):
        untouched = figure.replace("_images/a.png", other)
        assert with_sizes(untouched, files) == untouched


def test_each_arrow_of_a_menu_says_which_pages_it_shows() -> None:
    menu = (
        '<a class="reference" href="g.html">Input &amp; output</a>{}<i></i></summary>'
    )
    for fold in ("<details>", '<details open="open">'):
        named = with_named_toggles(menu.format(f"{fold}<summary>"))
        label = 'aria-label="Pages of Input &amp; output"'
        assert named == menu.format(f"{fold}<summary {label}>")


def test_a_script_keeps_its_errors_and_its_meaning() -> None:
    script = 'e&&console.log(`[PST]: ${f(e)}`),console.error("x"),console.info(1)'
    assert silent(script) == 'e&&void(`[PST]: ${f(e)}`),console.error("x"),void(1)'

"""Rules of the theme that no page uses, and those that look so and are used."""

from pathlib import Path

import pytest

from conf.web.unused import classes, without_unused

KNOWN = {"here", "too"}


@pytest.mark.parametrize(
    ("sheet", "left"),
    [
        (".here{a:b}.gone{c:d}", ".here{a:b}"),
        (".gone,.here .too,p{a:b}", ".here .too,p{a:b}"),
        (".here.gone{a:b}", ""),
        (".here:not(.gone){a:b}", ".here:not(.gone){a:b}"),
        ("p:is(.gone,.here){a:b}", "p:is(.gone,.here){a:b}"),
        (".here:not(:has(.gone)){a:b}", ".here:not(:has(.gone)){a:b}"),
        ('[href=".gone"]{a:b}', '[href=".gone"]{a:b}'),
        ("@media print{.gone{a:b}}", ""),
        ("@media print{.gone{a:b}.here{c:d}}", "@media print{.here{c:d}}"),
        ("@keyframes x{0%{a:b}to{a:c}}", "@keyframes x{0%{a:b}to{a:c}}"),
        ("@font-face{src:url(a.woff)}", "@font-face{src:url(a.woff)}"),
        ('@charset "UTF-8";.gone{a:b}.here{c:d}', '@charset "UTF-8";.here{c:d}'),
        ("/* of a.css */.here{a:b}", ".here{a:b}"),
        ("/*! MIT, v1.gone */.here{a:b}", "/*! MIT, v1.gone */.here{a:b}"),
        ("/*! MIT */.gone{a:b}", "/*! MIT */"),
        (".bs-tooltip-auto{a:b}", ".bs-tooltip-auto{a:b}"),
        (".w-1\\.5{a:b}", ".w-1\\.5{a:b}"),
    ],
)
def test_a_rule_stays_if_its_selector_can_match(sheet: str, left: str) -> None:
    assert without_unused(sheet, KNOWN) == left


def test_pages_and_scripts_say_what_can_be_a_class(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<p class="one two"><b class="three">')
    (tmp_path / "a.js").write_text('x.classList.add("four-five")')
    found = classes(tmp_path.glob("*.html"), tmp_path.glob("*.js"))
    assert {"one", "two", "three", "four-five"} <= found

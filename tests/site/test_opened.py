"""What a mark opens: its sentence, the lanes, and the test without the sentence."""

import re
from html import unescape
from pathlib import Path

import pytest

from conf.proofs.opened import without_quote
from tests.site.proved_site import ProvedSite


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ('@proves("One is 1.")\ndef test_a(): ...', "@proves(...)"),
        (
            '@proves(\n    "One "\n    "is 1.",\n    keras=">=3",\n)',
            "@proves(\n    ...,",
        ),
        ('@proves("≈ is •.", x="≈")\ndef test_a(): ...', '@proves(..., x="≈")'),
        ('@other\n@measures("It is.", bound={})', "@other\n@measures(..., bound={})"),
        ("def test_a(): ...", "def test_a(): ..."),
        ("@proves()\ndef test_a(): ...", "@proves()"),
    ],
)
def test_the_code_does_not_repeat_the_sentence(source: str, left: str) -> None:
    if "def " not in source:
        source += "\ndef test_a():\n    assert True"
    assert without_quote(source).startswith(left)
    assert without_quote(source).endswith(source.rpartition("\n")[2])


def test_an_entry_has_its_sentence_and_a_sign_for_each_lane(
    tmp_path: Path,
) -> None:
    site = ProvedSite(tmp_path, [])
    assert site.build().code == 0
    entries = dict(
        re.findall(
            r'<section class="proof" id="proof-since-(\w+)"(.+?)</section>',
            site.html("proofs/pages/since"),
            re.DOTALL,
        )
    )
    assert sorted(entries) == ["new", "one"]
    lanes = re.findall(r'<li class="([\w-]+)">(\w+) <b>(.)</b>', entries["new"])
    assert lanes == [("is-false", "old", "✗"), ("holds", "new", "✓")]
    words = " ".join(unescape(re.sub(r"<[^>]+>", "", entries["new"])).split())
    assert (
        words.startswith('data-label="Proof">Since 3, two is 1') or "Since 3" in words
    )
    assert "✓ holds, ✗ is false" in words
    assert "@proves(..." in words
    assert (
        'href="../../listings/tests/proofs/test_since.html#test_new"' in entries["new"]
    )

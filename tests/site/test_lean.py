"""The icons, the policy and the code of a page, light and whole."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
import sphinx_book_theme
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from conf.web.code import LeanFormatter
from conf.web.lean import glyphs, policy, strip

ROOT = Path(__file__).parents[2]
ICONS = glyphs(ROOT / "docs/_static/icons")
THEME = Path(sphinx_book_theme.__file__).parent


def sheet() -> str:
    """The style sheet that the theme inherits."""
    name = "theme/pydata_sphinx_theme/static/styles/pydata-sphinx-theme.css"
    return (THEME.parent / "pydata_sphinx_theme" / name).read_text("utf-8")


def test_every_icon_that_the_theme_can_show_is_in_the_fonts() -> None:
    """Those of its style sheet, of its templates and of its buttons."""
    whole = sheet()
    points = {
        name: int(code, 16)
        for names, code in re.findall(r'((?:\.fa-[\w-]+,?)+)\{--fa:"\\(\w+)"\}', whole)
        for name in re.findall(r"\.fa-([\w-]+)", names)
    }
    signs = re.findall(r'--pst-icon-[\w-]+:"(.)"', whole)
    assert {ord(sign) for sign in signs} <= ICONS
    used = set()
    for folder in (THEME, THEME.parent / "pydata_sphinx_theme/theme"):
        for path in (*folder.rglob("*.html"), *folder.rglob("header_buttons/*.py")):
            used |= set(re.findall(r"\bfa-([a-z-]+[a-z])\b", path.read_text("utf-8")))
    drawn = used & points.keys()
    assert len(drawn) > 15
    assert {name for name in drawn if points[name] not in ICONS} <= {"outdent"}


def test_the_sheet_keeps_all_but_the_icons_that_are_not_there() -> None:
    lean = strip(sheet(), ICONS)
    assert len(lean) < 0.85 * len(sheet())
    assert ".fa-magnifying-glass" in lean
    assert ".fa-zhihu" not in lean
    assert lean.count("@font-face") == 2
    assert lean.count("{") == lean.count("}")


def test_the_policy_allows_the_scripts_of_a_page_and_no_others() -> None:
    digest = b64encode(sha256(b"go()").digest()).decode()
    found = policy(["go()"])
    assert f"'sha256-{digest}'" in found
    script = found.partition("script-src")[2].partition(";")[0]
    assert "unsafe-inline" not in script
    assert "http" not in found


@pytest.mark.parametrize("code", ["def f(x):\n    return x + 1\n", "a.b = {'c': 2}\n"])
def test_lean_code_reads_as_before(code: str) -> None:
    lean, full = (
        highlight(code, PythonLexer(), kind(nowrap=True))
        for kind in (LeanFormatter, HtmlFormatter)
    )
    assert re.sub("<[^>]+>", "", lean) == re.sub("<[^>]+>", "", full)
    assert lean.count("<span") <= 0.5 * full.count("<span")

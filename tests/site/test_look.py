"""The style sheets of the site, one for each subject, as one."""

from pathlib import Path

import pytest

from conf.web.look import joined


def test_sheets_are_joined_in_their_order(tmp_path: Path) -> None:
    (tmp_path / "cells.css").write_text("a { color: red }\n")
    (tmp_path / "print.css").write_text("b { color: blue }\n")
    text = joined(tmp_path, ["print", "cells"])
    assert text == "b { color: blue }\n\na { color: red }\n"


def test_a_sheet_that_no_reader_would_get_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "cells.css").write_text("")
    with pytest.raises(ValueError, match="cells"):
        joined(tmp_path, [])


def test_a_brace_that_is_left_open_is_a_fault(tmp_path: Path) -> None:
    """What follows would be a part of that rule: all of it only for print, once."""
    (tmp_path / "print.css").write_text("@media print { p { color: black }\n")
    with pytest.raises(ValueError, match="brace"):
        joined(tmp_path, ["print"])

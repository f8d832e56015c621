"""A cell of timings says that another run gives others; no other cell does."""

import pytest

from conf.reference.measured import NOTE
from tests.site.small_site import Site, page


@pytest.mark.parametrize("tags", ["[measured]", "[measured, hide-input]"])
def test_a_measured_cell_carries_the_note_below_its_output(
    site: Site, tags: str
) -> None:
    site.write("docs/pages/times.md", page(f":tags: {tags}\nprint('1.3 x')", "2 + 2"))

    build = site.build()

    assert (build.code, build.errors) == (0, "")
    html = site.html("pages/times")
    assert html.count(NOTE) == 1
    the_other_cell = html.rindex('class="cell ')
    assert html.rindex("1.3 x") < html.index(NOTE) < the_other_cell


def test_a_page_without_measured_cells_has_no_note(built: Site) -> None:
    assert NOTE not in built.html("guides/alpha")

"""What the index of the search knows of a page: its sections, and what can be read."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sphinx.errors import ExtensionError

from conf.web.search import written
from tests.site.small_site import SETTINGS, Site

PAGE = """# Alpha

First words. {proof}`one`

## Part `b()`

- in a list

| a | b |
| --- | --- |
| c | d |

```{code-cell} python
:tags: [hide-input]

hidden = 1
print("shown", hidden)
```

```{code-cell} python
:snippet: mini.gamma.greeting
```

## Errors

### `went wrong`

It did.

## Empty
"""
WITH_SEARCH = SETTINGS.replace('"myst_nb",', '"myst_nb", "conf.web.search",')


class Searched(Site):
    """A small site with an index."""

    def __init__(self, folder: Path, page: str = PAGE) -> None:
        super().__init__(folder)
        self.write("settings/conf.py", WITH_SEARCH)
        self.write("docs/guides/gamma.md", page.replace(" {proof}`one`", ""))

    def sections(self) -> list[dict[str, Any]]:
        text = self.read("build/doctrees/sections/guides/gamma.json")
        found: list[dict[str, Any]] = json.loads(text)
        return found


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    site = Searched(tmp_path_factory.mktemp("searched"))
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    return site


def test_a_result_leads_to_a_section(searched: Searched) -> None:
    found = [(s["address"], s["title"], s["kind"]) for s in searched.sections()]
    assert found == [
        ("guides/gamma.html", "Alpha", "guide"),
        ("guides/gamma.html#part-b", "Part b()", "guide"),
        ("guides/gamma.html#went-wrong", "went wrong", "error"),
        ("guides/gamma.html#empty", "Empty", "guide"),
    ]


def test_what_can_be_read_is_found_and_nothing_else(searched: Searched) -> None:
    parts = [part for _, part in searched.sections()[1]["parts"]]
    assert parts[:2] == ["in a list", "a b c d"]
    assert parts[2] == "shown 1"
    assert parts[3].startswith("def greeting(name: str)")
    assert len(parts) == 4  # neither the folded code nor the links of the recipe


def test_an_index_is_made_again_when_a_section_changes(tmp_path: Path) -> None:
    site = Searched(tmp_path)
    assert site.build().code == 0
    before = site.snapshot("build/html/pagefind")
    stamp = site.folder / "build/html/pagefind/pagefind.js"
    made = stamp.stat().st_mtime_ns
    assert site.build().code == 0
    assert stamp.stat().st_mtime_ns == made
    site.edit("docs/guides/gamma.md", "It did.", "It did not.")
    assert site.build().code == 0
    assert site.snapshot("build/html/pagefind").keys() != before.keys()


def test_two_indexes_of_the_same_pages_are_equal_byte_by_byte(tmp_path: Path) -> None:
    sites = [Searched(tmp_path / name) for name in ("one", "other")]
    assert [process.wait() for process in [site.start() for site in sites]] == [0, 0]
    one, other = (site.snapshot("build/html/pagefind") for site in sites)
    assert "pagefind.js" in one
    assert one == other


def test_a_file_that_pagefind_fills_late_is_waited_for(tmp_path: Path) -> None:
    late = tmp_path / "pagefind-entry.json"
    late.touch()

    async def fill() -> None:
        waiting = asyncio.create_task(written(tmp_path))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        late.write_text("{}")
        await waiting

    asyncio.run(fill())


@pytest.mark.parametrize("name", ["pagefind-entry.json", None], ids=["empty", "none"])
def test_an_index_that_is_never_written_is_an_error(
    tmp_path: Path, name: str | None
) -> None:
    if name:
        (tmp_path / name).touch()
    with pytest.raises(ExtensionError, match=f"{name or 'any file'} in .*build again"):
        asyncio.run(written(tmp_path, looks=2))

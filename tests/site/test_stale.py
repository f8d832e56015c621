"""No stale output, ever; and nothing runs that did not change."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.pages import fingerprint as fingerprints
from conf.store import Run, Store
from tests.site.small_site import PAGES, ROOT, Site, page

ALPHA, BETA, GAMMA = "guides/alpha", "guides/beta", "guides/gamma"

DEEP = """
from pathlib import Path

LIMIT = 9


def load() -> str:
    from mini.deeper import depth

    return Path(__file__).with_name("table.csv").read_text() * depth()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Data reaches deep, and deep reaches deeper and a file, inside a function."""
    shared = ["data", "deep", "deeper", "lonely"]
    site = Site(tmp_path_factory.mktemp("site"), recipes_shared=shared)
    site.write("mini/__init__.py", "VERSION = 1\n")
    site.write("mini/data.py", "from mini.deep import LIMIT\n\nFACTOR = 3\n")
    site.write("mini/deep.py", DEEP)
    site.write("mini/deeper.py", "def depth() -> int:\n    return 1\n")
    site.write("mini/lonely.py", "ALONE = 1\n")
    site.write("mini/table.csv", "1,2\n")
    site.write("mini/other.csv", "3,4\n")
    site.write("tests/unit/test_deep.py", "def test_it():\n    LIMIT, load\n")
    site.write("tests/unit/test_deeper.py", "def test_it():\n    depth\n")
    site.write("tests/unit/test_lonely.py", "def test_it():\n    ALONE\n")
    site.write("packages/something-1.0.dist-info/METADATA", "Name: something\n")
    packages = site.folder / "packages"
    site.environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{packages}"
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    assert build.ran == {ALPHA, BETA, GAMMA}
    return site


@pytest.mark.parametrize(
    ("path", "old", "new", "reached"),
    [
        ("mini/gamma.py", "hello", "hallo", {GAMMA}),
        ("mini/data.py", "FACTOR = 3", "FACTOR = 4", {ALPHA, BETA}),
        ("mini/deeper.py", "return 1", "return 2", {ALPHA, BETA}),
        ("mini/table.csv", "1,2", "1,3", {ALPHA, BETA}),
        ("mini/__init__.py", "VERSION = 1", "VERSION = 2", {ALPHA, BETA, GAMMA}),
        ("mini/other.csv", "3,4", "3,5", set()),
        ("mini/lonely.py", "ALONE = 1", "ALONE = 2", set()),
        ("docs/guides/gamma.md", "'gamma'", "'you'", {GAMMA}),
    ],
)
def test_a_change_runs_exactly_the_pages_that_reach_it(
    built: Site, path: str, old: str, new: str, reached: set[str]
) -> None:
    with built.changed(path, old, new):
        build = built.build()
    assert (build.code, build.ran) == (0, reached)


def test_an_upgraded_distribution_runs_every_page(built: Site) -> None:
    old, new = (
        built.folder / f"packages/something-{n}.dist-info" for n in ("1.0", "1.1")
    )
    old.rename(new)
    try:
        assert built.build().ran == {ALPHA, BETA, GAMMA}
    finally:
        new.rename(old)


def test_a_variable_that_steers_keras_runs_every_page(built: Site) -> None:
    assert built.build(KERAS_BACKEND="numpy").ran == {ALPHA, BETA, GAMMA}


@pytest.mark.parametrize("name", ["KERAS_HOME", "TF_USE_LEGACY_KERAS", "XLA_FLAGS"])
def test_variables_of_keras_and_tensorflow_are_part_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    fingerprints.environment.cache_clear()
    before = fingerprints.environment()
    monkeypatch.setenv(name, "1")
    fingerprints.environment.cache_clear()
    assert fingerprints.environment() != before


@pytest.mark.parametrize(
    ("path", "old", "new", "shown"),
    [
        ("mini/data.py", "FACTOR = 3", "FACTOR = 7", "area 14"),
        ("docs/guides/alpha.md", "area(2)", "area(1)", "area 3"),
        ("docs/guides/alpha.md", "# Title", "# Other words", "Other words"),
    ],
)
def test_a_file_restored_with_an_older_time_is_seen(
    built: Site, path: str, old: str, new: str, shown: str
) -> None:
    with built.changed(path, old, new):
        built.build()
        assert shown in built.html(ALPHA)
    os.utime(built.folder / path, (1, 1))
    build = built.build()
    assert "area 6" in built.html(ALPHA)
    assert shown not in built.html(ALPHA)
    assert build.ran == set()  # a revert finds its earlier run in the store


def test_an_edit_of_prose_runs_nothing_and_is_shown(built: Site) -> None:
    with built.changed("docs/guides/gamma.md", "# Title", "# Title\n\nFresh words."):
        build = built.build()
    assert build.ran == set()
    assert "Fresh words." in built.html(GAMMA)
    assert "hello gamma" in built.html(GAMMA)


def test_where_nothing_but_times_changed_nothing_is_run_or_read(built: Site) -> None:
    built.build()
    os.utime(built.folder / "mini/data.py")
    build = built.build()
    assert build.ran == set()
    assert "0 added, 0 changed, 0 removed" in build.output


def test_a_new_page_runs_alone(built: Site) -> None:
    path = built.folder / "docs/pages/new.md"
    built.write("docs/pages/new.md", page("print('new')"))
    try:
        assert built.build().ran == {"pages/new"}
    finally:
        path.unlink()


def test_a_site_made_anew_from_the_store_runs_nothing(built: Site) -> None:
    built.build()
    for folder in ("html", "doctrees"):
        shutil.rmtree(built.folder / "build" / folder)
    assert built.build().ran == set()
    assert "hello gamma" in built.html(GAMMA)


def test_a_page_whose_result_is_spoiled_runs_again(built: Site) -> None:
    built.build()
    shutil.rmtree(built.folder / "build/doctrees")
    for path in (built.folder / "build/store").glob("*.json"):
        path.write_text(path.read_text().replace("hello gamma", "hello delta"))
    assert built.build().ran == {GAMMA}
    assert "hello gamma" in built.html(GAMMA)


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda text: text[:-9],
        lambda text: text.replace("hello", "hallo"),
        lambda text: text.partition("\n")[2],
        lambda text: "",
    ],
    ids=["cut short", "edited", "without its checksum", "empty"],
)
def test_a_spoiled_file_of_the_store_counts_as_absent(
    tmp_path: Path, spoiled: Callable[[str], str]
) -> None:
    store = Store(tmp_path)
    store.put("mark", Run([[{"output_type": "stream", "text": "hello"}]], 0.5))
    path = tmp_path / "mark.json"
    path.write_text(spoiled(path.read_text()))
    assert store.get("mark") is None


def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    run = Run([[{"output_type": "stream", "text": "hello"}], []], 0.5)
    Store(tmp_path).put("mark", run)
    assert Store(tmp_path).get("mark") == run


def test_a_file_of_the_store_under_another_name_counts_as_absent(
    tmp_path: Path,
) -> None:
    Store(tmp_path).put("mark", Run([], 0.5))
    (tmp_path / "mark.json").rename(tmp_path / "other.json")
    assert Store(tmp_path).get("other") is None


@pytest.mark.parametrize("attempt", range(10))
def test_a_cold_parallel_build_is_clean(tmp_path: Path, attempt: int) -> None:
    site = Site(tmp_path, page_jobs=4)
    site.write("docs/pages/delta.md", PAGES["docs/guides/gamma.md"])
    build = site.build("-j", "4")
    assert (build.code, build.errors) == (0, "")
    assert build.ran == {ALPHA, BETA, GAMMA, "pages/delta"}

"""No stale output, ever; and nothing runs that did not change."""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from conf import sealed
from conf.pages import fingerprint as fingerprints
from conf.pages.reach import Reach
from conf.pages.read import read
from conf.pages.recipes import Package
from conf.store import Run, Store
from tests.site.small_site import PAGES, ROOT, Site, page

ALPHA, BETA, GAMMA = "guides/alpha", "guides/beta", "guides/gamma"

ALL = {ALPHA, BETA, GAMMA}

AREA = """
from mini.data import FACTOR


def area(side: int) -> int:
    \"\"\"Return the area.

    More about it.
    \"\"\"
    if side > 99:
        from mini.deep import load

        return load()
    return FACTOR * side


def volume() -> int:
    return 1
"""

DEEP = """
from pathlib import Path

LIMIT = 9


def load() -> str:
    \"\"\"Load it.\"\"\"
    from mini.deeper import depth

    # From beside this file.
    return Path(__file__).with_name("table.csv").read_text() * depth()
"""

DEEPER = """
def depth() -> int:
    return 1


def height() -> int:
    return 2
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Alpha reaches deep, and deep reaches deeper and a file, inside functions."""
    shared = ["data", "deep", "deeper", "lonely"]
    site = Site(tmp_path_factory.mktemp("site"), recipes_shared=shared)
    site.write("mini/__init__.py", "VERSION = 1\n")
    site.write("mini/alpha.py", AREA)
    site.write("mini/deep.py", DEEP)
    site.write("mini/deeper.py", DEEPER)
    site.write("mini/lonely.py", "ALONE = 1\n")
    site.write("mini/table.csv", "1,2\n")
    site.write("mini/other.csv", "3,4\n")
    site.write("tests/unit/test_alpha.py", "def test_it():\n    area, volume\n")
    site.write("tests/unit/test_deep.py", "def test_it():\n    LIMIT, load\n")
    site.write("tests/unit/test_deeper.py", "def test_it():\n    depth, height\n")
    site.write("tests/unit/test_lonely.py", "def test_it():\n    ALONE\n")
    site.write("packages/something-1.0.dist-info/METADATA", "Name: something\n")
    packages = site.folder / "packages"
    site.environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{packages}"
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    assert build.ran == ALL
    return site


def taken(site: Site) -> dict[str, str]:
    """The fingerprint of each page, as a build takes it."""
    package = Package(site.folder / "mini")
    reach = Reach(package)
    found = {}
    for docname in ALL:
        page = read(site.read(f"docs/{docname}.md"), docname, package, [])
        assert page.problems == []
        found[docname] = fingerprints.of_page(page, reach)
    return found


HELLO = ("mini/gamma.py", "hello", "hallo")
TABLE = ("mini/table.csv", "1,2", "1,3")
DEPTH = ("mini/deeper.py", "return 1", "return 3")
ACTS = ("mini/__init__.py", "VERSION = 1", "VERSION = 1\nprint(VERSION)")
NOTHING = [
    ("mini/__init__.py", "VERSION = 1", "VERSION = 2"),
    ("mini/other.csv", "3,4", "3,5"),
    ("mini/lonely.py", "ALONE = 1", "ALONE = 2"),
    # A docstring and a comment that no page shows, and neighbors out of reach
    ("mini/alpha.py", "More about it.", "Other words."),
    ("mini/deep.py", "Load it.", "Other words."),
    ("mini/deep.py", "# From beside", "# Other words: from beside"),
    ("mini/deep.py", "LIMIT = 9", "LIMIT = 8"),
    ("mini/deeper.py", "return 2", "return 4"),
    ("mini/alpha.py", "def volume() -> int:\n    return 1", "def volume(): return 2"),
    ("mini/data.py", "FACTOR = 3\n", "FACTOR = 3\n'How much more.'\n"),
    ("mini/beta.py", "def total", "# Words.\n\n\ndef total"),
]


@pytest.mark.parametrize(
    ("path", "old", "new", "reached"),
    [
        (*HELLO, {GAMMA}),
        (*DEPTH, {ALPHA}),
        (*TABLE, {ALPHA}),
        (*ACTS, ALL),
        ("mini/data.py", "FACTOR = 3", "FACTOR = 4", {ALPHA, BETA}),
        ("mini/deep.py", "* depth()", "* depth() * 2", {ALPHA}),
        (
            "mini/deeper.py",
            "def height",
            "import os\nos.umask(18)\n\ndef height",
            {ALPHA},
        ),
        ("mini/alpha.py", "Return the area.", "Return more.", {ALPHA}),
        ("mini/gamma.py", "name: str", "name: object", {GAMMA}),
        ("docs/guides/gamma.md", "'gamma'", "'you'", {GAMMA}),
        ("docs/guides/gamma.md", "print(", ":tags: [hide-input]\nprint(", {GAMMA}),
        ("docs/guides/gamma.md", "print(", ":timeout: 9\nprint(", {GAMMA}),
        *((*edit, set()) for edit in NOTHING),
    ],
)
def test_a_change_reaches_exactly_the_pages_that_can_show_it(
    built: Site, path: str, old: str, new: str, reached: set[str]
) -> None:
    before = taken(built)
    with built.changed(path, old, new):
        after = taken(built)
    assert {name for name in ALL if before[name] != after[name]} == reached


@pytest.mark.parametrize(
    ("edits", "reached"),
    [
        ([HELLO, *NOTHING], {GAMMA}),
        ([TABLE], {ALPHA}),
        ([DEPTH, ("docs/guides/beta.md", "total(4)", "total(5)")], {ALPHA, BETA}),
        ([ACTS], ALL),
    ],
    ids=["recipe", "data", "depth and page", "package"],
)
def test_a_change_runs_exactly_the_pages_that_it_reaches(
    built: Site, edits: list[tuple[str, str, str]], reached: set[str]
) -> None:
    with ExitStack() as stack:
        for edit in edits:
            stack.enter_context(built.changed(*edit))
        build = built.build()
    assert (build.code, build.errors, build.ran) == (0, "", reached)


def test_an_upgraded_distribution_runs_every_page(built: Site) -> None:
    old, new = (
        built.folder / f"packages/something-{n}.dist-info" for n in ("1.0", "1.1")
    )
    old.rename(new)
    try:
        assert built.build().ran == ALL
    finally:
        new.rename(old)


PASSED = ["KERAS_BACKEND", "TF_USE_LEGACY_KERAS", "XLA_FLAGS", "OMP_NUM_THREADS"]
TAKEN_AWAY = {
    "TF_VAR_x": "1",
    "TF_CPP_MIN_LOG_LEVEL": "0",
    "KERAS_HOME": "/nowhere",
    "PYTHONHASHSEED": "7",
    "MPLBACKEND": "agg",
    "IPYTHONDIR": "/nowhere",
    "XDG_CONFIG_HOME": "/nowhere",
    "JUPYTER_CONFIG_DIR": "/nowhere",
}


def test_a_variable_that_steers_keras_runs_every_page(built: Site) -> None:
    assert built.build(KERAS_BACKEND="numpy").ran == ALL


def test_variables_that_do_not_count_run_nothing(built: Site) -> None:
    build = built.build(**TAKEN_AWAY)
    assert (build.code, build.ran) == (0, set())


@pytest.mark.parametrize("name", [*PASSED, *TAKEN_AWAY])
def test_variables_that_are_passed_on_are_part_of_the_environment_and_no_other(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.delenv(name, raising=False)
    before = fingerprints.environment.__wrapped__()
    monkeypatch.setenv(name, "1")
    after = fingerprints.environment.__wrapped__()
    assert (before != after) is (name in PASSED)
    environment = sealed.environment(Path("/home"), {})
    assert (environment.get(name) == "1") is (name in PASSED)


EDITS = [
    ("mini/data.py", "FACTOR = 3", "FACTOR = 7", ALPHA, "area 14"),
    ("docs/guides/gamma.md", "'gamma'", "'delta'", GAMMA, "hello delta"),
    ("docs/guides/beta.md", "# Title", "# Other words", BETA, "Other words"),
]


def test_a_file_restored_with_an_older_time_is_seen(built: Site) -> None:
    with ExitStack() as stack:
        for path, old, new, *_ in EDITS:
            stack.enter_context(built.changed(path, old, new))
        built.build()
        assert [shown in built.html(page) for *_, page, shown in EDITS] == [True] * 3
    for path, *_ in EDITS:
        os.utime(built.folder / path, (1, 1))
    build = built.build()
    assert [shown in built.html(page) for *_, page, shown in EDITS] == [False] * 3
    assert "area 6" in built.html(ALPHA)
    assert "hello gamma" in built.html(GAMMA)
    assert build.ran == set()  # a revert finds its earlier run in the store


def test_where_nothing_but_times_changed_nothing_is_run_or_read(built: Site) -> None:
    built.build()
    os.utime(built.folder / "mini/data.py")
    build = built.build()
    assert build.ran == set()
    assert "0 added, 0 changed, 0 removed" in build.output


def test_an_edit_of_prose_runs_nothing_and_is_shown_and_a_new_page_runs_alone(
    built: Site,
) -> None:
    path = built.folder / "docs/pages/new.md"
    built.write("docs/pages/new.md", page("print('new')"))
    try:
        with built.changed(
            "docs/guides/gamma.md", "# Title", "# Title\n\nFresh words."
        ):
            build = built.build()
    finally:
        path.unlink()
    assert build.ran == {"pages/new"}
    assert "Fresh words." in built.html(GAMMA)
    assert "hello gamma" in built.html(GAMMA)


def test_a_site_made_anew_from_the_store_runs_nothing_but_what_is_spoiled(
    built: Site,
) -> None:
    for folder in ("html", "doctrees"):
        shutil.rmtree(built.folder / "build" / folder)
    assert built.build().ran == set()
    assert "hello gamma" in built.html(GAMMA)
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
    store.put("mark", Run([[{"output_type": "stream", "text": "hello"}]], [0.5]))
    path = tmp_path / "mark.json"
    path.write_text(spoiled(path.read_text()))
    assert store.get("mark") is None


def test_the_store_gives_back_what_was_put(tmp_path: Path) -> None:
    run = Run([[{"output_type": "stream", "text": "hello"}], []], [0.5])
    Store(tmp_path).put("mark", run)
    assert Store(tmp_path).get("mark") == run


def test_a_file_of_the_store_under_another_name_counts_as_absent(
    tmp_path: Path,
) -> None:
    Store(tmp_path).put("mark", Run([], []))
    (tmp_path / "mark.json").rename(tmp_path / "other.json")
    assert Store(tmp_path).get("other") is None


@pytest.mark.parametrize("attempt", range(3))
def test_a_cold_parallel_build_is_clean(tmp_path: Path, attempt: int) -> None:
    site = Site(tmp_path, page_jobs=4)
    site.write("docs/pages/delta.md", PAGES["docs/guides/gamma.md"])
    build = site.build("-j", "4")
    assert (build.code, build.errors) == (0, "")
    assert build.ran == {*ALL, "pages/delta"}

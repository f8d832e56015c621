"""Bad input: one clear line for each cause, all at once, and nothing good is lost."""

import sys
import uuid
from dataclasses import dataclass

import pytest

from tests.site.processes import left_after
from tests.site.small_site import FILES, Build, Site, page

CHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '300'])"
WORDS = "---\nmystnb: {image: {alt: A line}, figure: {caption: A line}}\n---\n"
PLOT = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots()\n"

BROKEN = {
    "docs/pages/unknown.md": page("mini.nothing.like_it"),
    "docs/pages/renamed.md": page("mini.gamma.greting"),
    "docs/pages/needs.md": page("mini.alpha.area"),
    "docs/pages/syntax.md": page("x = 1\ny = = 2"),
    "docs/pages/module.md": page("mini.broken.thing"),
    "docs/pages/raising.md": page(CHILD, "x = 1\n\nfor y in (1, 0):\n    1 / y"),
    "docs/pages/recipe.md": page("mini.gamma.greeting", "x = 1\ngreeting()"),
    "docs/pages/silent.md": page(":tags: [raises-exception]\nprint('no')"),
    "docs/pages/slow.md": page(CHILD, ":timeout: 1\nimport time\ntime.sleep(60)"),
    "docs/pages/dead.md": page(CHILD, "import os\nos.kill(os.getpid(), 9)"),
    "docs/pages/figures.md": page(
        f"{WORDS}{PLOT}",
        f"{WORDS}{PLOT}axes.plot([float('nan')] * 3);",
        f"{WORDS}from PIL import Image\nImage.new('RGB', (8, 8), 'red')",
        f"{WORDS}{PLOT}axes.imshow([[float('nan')]]);",
        f"{WORDS}{PLOT}axes.plot([1, 2]);",
        f"{WORDS}{PLOT}axes.text(0.5, 0.5, 'words');",
        f"{WORDS}{PLOT}axes.imshow([[0, 1]]);",
        f"{PLOT}axes.plot([1, 2]);",
        f"---\nmystnb: {{image: {{alt: A line}}}}\n---\n{PLOT}axes.plot([1, 2]);",
    ),
    "docs/pages/address.md": page("object()", "print(object())", "'0x12 is short'"),
    "docs/guides/delta.md": "# Delta\n",
    "mini/lonely.py": "ALONE = 1\n",
    "mini/gamma.py": FILES["mini/gamma.py"] + "\n\ndef untested() -> None: ...\n",
    "mini/broken.py": "X = 1\ndef thing(:\n",
    "tests/unit/test_data.py": FILES["tests/unit/test_data.py"] + "\n1 +\n",
}

EXPECTED = [
    "docs/pages/unknown.md:3: there is no recipe `mini.nothing.like_it`",
    "docs/pages/renamed.md:3: there is no recipe `mini.gamma.greting`; renamed? "
    "the nearest is `mini.gamma.greeting`",
    "docs/pages/needs.md:3: `mini.alpha.area` needs `mini.data.FACTOR`, which",
    "docs/pages/syntax.md:5: syntax error in the cell: invalid syntax",
    "docs/pages/module.md:3: mini/broken.py:2: syntax error",
    "docs/pages/raising.md:12: the cell raised ZeroDivisionError in `1 / y`: division",
    "docs/pages/recipe.md:9: the cell raised TypeError in `greeting()`: greeting() ",
    "docs/pages/silent.md:3: the cell is marked `raises-exception` but raised nothing",
    "docs/pages/slow.md:8: the cell ran longer than its limit of 1 s",
    "docs/pages/dead.md:8: the kernel died",
    "docs/pages/figures.md:3: an empty figure: ",
    "docs/pages/figures.md:12: an empty figure: ",
    "docs/pages/figures.md:21: an empty figure: every pixel has the same color",
    "docs/pages/figures.md:29: an empty figure: ",
    "docs/pages/figures.md:65: a figure needs words",
    "docs/pages/figures.md:71: a figure needs words",
    "docs/pages/address.md:3: an address in the output",
    "docs/pages/address.md:7: an address in the output",
    "docs/guides/delta.md:1: its module, `mini/delta/__init__.py`, does not exist",
    "docs/guides/delta.md:1: its tests, `tests/unit/test_delta.py`, does not exist",
    "mini/lonely.py:1: its page, `docs/guides/lonely.md`, does not exist",
    "mini/lonely.py:1: its tests, `tests/unit/test_lonely.py`, does not exist",
    "mini/lonely.py:1: no test in `tests/unit/test_lonely.py` names `ALONE`",
    "mini/broken.py:1: its page, `docs/guides/broken.md`, does not exist",
    "mini/broken.py:1: its tests, `tests/unit/test_broken.py`, does not exist",
    "mini/broken.py:2: syntax error",
    "mini/gamma.py:7: no test in `tests/unit/test_gamma.py` names `untested`",
    "tests/unit/test_data.py:4: syntax error",
]


@dataclass
class Failure:
    """A good build, then a bad one, with what lay on the disk after each."""

    site: Site
    build: Build
    html: tuple[dict[str, bytes], dict[str, bytes]]
    store: tuple[dict[str, bytes], dict[str, bytes]]
    left: list[str]


@pytest.fixture(scope="module")
def failure(tmp_path_factory: pytest.TempPathFactory) -> Failure:
    """A good site to which everything in `BROKEN` is added at once."""
    site = Site(tmp_path_factory.mktemp("site"), page_jobs=4)
    assert site.build().code == 0
    html, store = site.snapshot("build/html"), site.snapshot("build/store")
    for path, text in BROKEN.items():
        site.write(path, text)
    site.write("docs/pages/good.md", page("print('good')"))
    mark = str(uuid.uuid4())
    build = site.build(MARK=mark)
    after = site.snapshot("build/html"), site.snapshot("build/store")
    return Failure(site, build, (html, after[0]), (store, after[1]), left_after(mark))


def test_the_build_fails(failure: Failure) -> None:
    assert failure.build.code != 0


@pytest.mark.parametrize("line", EXPECTED)
def test_each_cause_has_its_line(failure: Failure, line: str) -> None:
    assert [found for found in failure.build.problems if found.startswith(line)] != []


def test_no_line_is_without_a_cause(failure: Failure) -> None:
    """A missing partner of the modules that do not parse may be named once more."""
    surprises = [
        found
        for found in failure.build.problems
        if not found.startswith(tuple(EXPECTED))
    ]
    assert surprises == []


def test_each_cause_is_named_once(failure: Failure) -> None:
    assert len(failure.build.problems) == len(EXPECTED)


def test_no_screen_of_python_is_shown(failure: Failure) -> None:
    assert "Traceback" not in failure.build.output + failure.build.errors


def test_the_last_good_site_stays(failure: Failure) -> None:
    before, after = failure.html
    assert after == before


def test_runs_of_good_pages_are_kept(failure: Failure) -> None:
    before, after = failure.store
    assert set(before) < set(after)
    assert any(b"good" in new for name, new in after.items() if name not in before)
    assert "pages/good" in failure.build.ran


def test_results_of_failed_pages_are_not_kept(failure: Failure) -> None:
    assert len(failure.store[1]) == len(failure.store[0]) + len(failure.build.ran)


def test_failed_pages_leave_no_process_behind(failure: Failure) -> None:
    assert failure.left == []


def test_a_failure_is_said_again_and_a_mended_page_runs_alone(built: Site) -> None:
    """And a reverted page is whole without a run."""
    path = built.folder / "docs/pages/mended.md"
    built.write("docs/pages/mended.md", page("1 / 0"))
    try:
        with built.changed("docs/guides/gamma.md", "print(", "print(1 / 0, "):
            first, second = built.build(), built.build()
        built.write("docs/pages/mended.md", page("1 / 1"))
        build = built.build()
    finally:
        path.unlink()
    places = ["docs/guides/gamma.md:8", "docs/pages/mended.md:4"]
    for failed in (first, second):
        assert failed.code == 1
        assert [line.partition(": ")[0] for line in failed.problems] == places
    assert (build.code, build.errors, build.ran) == (0, "", {"pages/mended"})
    assert "hello gamma" in built.html("guides/gamma")


def test_what_is_lost_though_no_page_changed_is_named_with_all_that_need_it(
    built: Site,
) -> None:
    """A file of tests, a recipe that two pages show, and words in another encoding."""
    path = built.folder / "docs/pages/latin.md"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes("# Good\n\n# Größe\n".encode("latin-1"))
    tests = "tests/unit/test_gamma.py"
    text = built.read(tests)
    (built.folder / tests).unlink()
    try:
        with built.changed("mini/data.py", "FACTOR", "MULTIPLE"):
            build = built.build()
    finally:
        path.unlink()
        built.write(tests, text)
    assert build.code == 1
    said = "\n".join(build.problems)
    for line in (
        f"docs/guides/gamma.md:1: its tests, `{tests}`, does not exist",
        "docs/guides/alpha.md:3: there is no recipe `mini.data.FACTOR`",
        "docs/guides/beta.md:3: there is no recipe `mini.data.FACTOR`",
        "docs/pages/latin.md:3: it is not UTF-8",
    ):
        assert line in said
    assert "Traceback" not in build.errors


KILLER = """
from ipykernel.kernelapp import IPKernelApp


def initialize(self, arguments):
    raise RuntimeError("there is no kernel today")


IPKernelApp.initialize = initialize
"""


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux")
def test_a_kernel_that_dies_at_its_start_says_why(site: Site) -> None:
    site.write("killer.py", KILLER)
    site.edit("settings/conf.py", '["json"]', '["killer"]')
    site.python = [sys.executable]  # as nox starts it: the folder can be imported
    build = site.end(site.start())
    assert build.code == 1
    cause = "the kernel died at its start: RuntimeError: there is no kernel today"
    assert build.problems == [
        f"docs/guides/{stem}.md:3: {cause}" for stem in ("alpha", "beta", "gamma")
    ]
    assert "Traceback" not in build.output + build.errors


def test_a_home_that_cannot_be_made_is_one_line(site: Site) -> None:
    """Root may write everywhere, but not below a file."""
    site.write("build/home", "A file.")
    build = site.build()
    assert build.code == 1
    assert build.problems == ["build/home:1: it cannot be made: File exists"]
    assert "Traceback" not in build.output + build.errors

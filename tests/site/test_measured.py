"""Measurements: builds show what was recorded, say where, and hold it to its bounds."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from conf.pages.fingerprint import of_measured
from conf.pages.reach import Reach
from conf.pages.read import Page, read
from conf.pages.recipes import Package, RecipeError
from conf.reference import measured
from conf.reference.measured import Record, Records, cell_name, load, save
from tests.site.small_site import Build, Site, page

MACHINE = "A machine, 2 cores"
FILE = "tests/measurements/records/a-machine.json"
VERSIONS = {"python": "3.11.7", "tensorflow": "2.21.0", "keras": "3.15.1"}
TIMES = "It takes `2` seconds. {measured}`speed`"

FUNCTION = """from tests.measurements.measures import measures


@measures("It takes `2` seconds.", bound={"seconds": (1, 3)})
def speed(seed):
    return {"seconds": 2.0}
"""


def times(sentence: str, *cells: str) -> str:
    return page(*cells).replace("# Title", f"# Title\n\n{sentence}")


MEASURED = ":tags: [measured]\n"
CELLS = ("x = 3", f"{MEASURED}open('/nowhere/at/all')", "print('after', x)")
HONEST = times(TIMES, *CELLS)


@dataclass(frozen=True)
class Lie:
    """What is wrong on a page of its own, or with what stands behind it.

    Attributes:
        says: the warnings, `place: text`, with `PAGE`, `CODE` and `STEM`.
        page: the page.
        code: its measurement.
        figures: what was recorded; None for no record.
        is_stale: whether the record belongs to other code.
        marks: how many marks the page shows.
    """

    says: tuple[str, ...]
    page: str = HONEST
    code: str = FUNCTION
    figures: tuple[dict[str, float], ...] | None = ({"seconds": 2.0},) * 3
    is_stale: bool = False
    marks: int = 0


AGAIN = "run `nox -s measure -- STEM`"
OUTSIDE = f"PAGE:3: `STEM.speed` on {MACHINE}: `seconds` is "
ORPHAN = "CODE:4: the measurement `STEM.speed` is cited on no page"
LIES = {
    "unrecorded": Lie(
        (f"PAGE:3: no record of `STEM.speed` as it is now: {AGAIN}",), figures=None
    ),
    "stale": Lie(
        (f"PAGE:3: no record of `STEM.speed` as it is now: {AGAIN}",), is_stale=True
    ),
    "too_high": Lie(
        (f"{OUTSIDE}3.5, outside of 1 to 3",),
        figures=({"seconds": 2.0}, {"seconds": 3.5}),
    ),
    "too_low": Lie(
        (f"{OUTSIDE}0.5, 0.9, outside of 1 to 3",),
        figures=({"seconds": 0.5}, {"seconds": 0.9}),
    ),
    "without_figure": Lie((f"{OUTSIDE}None, outside of 1",), figures=({"other": 2.0},)),
    "without_round": Lie((f"{OUTSIDE}missing, outside of 1 to 3",), figures=()),
    "orphan": Lie((ORPHAN,), times("It takes `2` seconds.", *CELLS)),
    "cited_twice": Lie(
        ("PAGE:4: the measurement `STEM.speed` is already cited at PAGE:3",),
        times(f"{TIMES}\n{TIMES}", *CELLS),
    ),
    "other_words": Lie(
        (
            "PAGE:3: the page says 'It takes 3 seconds.', but the measurement `speed` "
            "quotes 'It takes 2 seconds.'",
        ),
        times(TIMES.replace("2", "3"), *CELLS),
    ),
    "no_such": Lie(
        ("PAGE:3: there is no measurement `STEM.sped`", ORPHAN),
        times(TIMES.replace("`speed`", "`sped`"), *CELLS),
    ),
    "as_a_proof": Lie(
        ("PAGE:3: there is no proof `STEM.speed`",),
        times(TIMES.replace("{measured}", "{proof}"), *CELLS),
    ),
    "other_cell": Lie(
        (f"PAGE:9: no record of this cell as it is now: {AGAIN}",),
        HONEST.replace("x = 3", "x = 3").replace("at/all", "at/last"),
        marks=1,
    ),
}


class MeasuredSite(Site):
    """A small site with an honest page of measurements, and perhaps with lies."""

    def __init__(self, folder: Path, lies: dict[str, Lie]) -> None:
        super().__init__(folder)
        self.lies = lies
        for name, lie in {"honest": Lie((), marks=1), **lies}.items():
            self.write(f"docs/pages/{name}.md", lie.page)
            self.write(f"tests/measurements/{name}.py", lie.code)
        self.record()

    @property
    def package(self) -> Package:
        return Package(self.folder / "mini")

    def page(self, docname: str) -> Page:
        text = self.read(f"docs/{docname}.md")
        return read(text, f"docs/{docname}.md", self.package, ["colon_fence"])

    def record(self) -> None:
        """Write down what would have been measured."""
        records = {}
        for name, measurement in measured.read(self.folder, self.package).items():
            stem = name.partition(".")[0]
            lie = self.lies.get(stem, Lie(()))
            known = Record(measurement.hash, "2026-11-29", VERSIONS)
            if lie.is_stale:
                known = replace(known, hash="0" * 20)
            if lie.figures is not None:
                records[name] = replace(known, figures=lie.figures)
            if stem != "other_cell":
                found = self.page(f"pages/{stem}")
                cell = found.cells[1]
                digest = of_measured(found, cell, Reach(self.package))
                output = {"output_type": "stream", "name": "stdout", "text": "1.3 x\n"}
                shown = replace(known, hash=digest, outputs=(output,))
                records[cell_name(f"pages/{stem}", digest)] = shown
        save(self.folder / FILE, MACHINE, records)

    def marks(self, docname: str) -> list[str]:
        """The signs of the marks that a page shows."""
        return re.findall(r"<a[^>]*proof-mark[^>]*>([^<]*)<", self.html(docname))


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[MeasuredSite, Build]:
    """A site in order, as it was built first."""
    site = MeasuredSite(tmp_path_factory.mktemp("site"), {})
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    return site, build


Honest = tuple[MeasuredSite, Build]


def test_a_measured_cell_is_not_run_and_shows_what_was_recorded(honest: Honest) -> None:
    site, build = honest
    assert "pages/honest" in build.ran
    html = site.html("pages/honest")
    assert html.count("1.3 x") == 1
    assert "after 3" in html


def test_the_note_below_its_output_says_where_and_when(honest: Honest) -> None:
    html = honest[0].html("pages/honest")
    versions = "Keras 3.15.1, Python 3.11.7, TensorFlow 2.21.0"
    note = f"≈ Measured on {MACHINE}, 2026-11-29, {versions}."
    assert html.count("measured-note") == 1
    assert html.index("1.3 x") < html.index(note) < html.index("after 3")


def test_a_page_without_measured_cells_has_no_note(honest: Honest) -> None:
    assert "measured-note" not in honest[0].html("guides/alpha")


def test_a_measured_sentence_has_a_mark_that_opens_its_figures(honest: Honest) -> None:
    site, _ = honest
    html = site.html("pages/honest")
    assert site.marks("pages/honest") == ["≈"]
    assert 'aria-label="Measurement"' in html
    opened = site.html("proofs/pages/honest")
    assert f"Measured on {MACHINE}, 2026-11-29" in opened
    assert "seconds 2 to 2 in 3 runs (bound: 1 to 3)" in opened
    assert 'href="../../listings/tests/measurements/honest.html#speed"' in opened


def test_the_notebook_holds_the_cell_for_who_wants_to_measure(honest: Honest) -> None:
    cells = honest[0].notebook("pages/honest")["cells"]
    (cell,) = [cell for cell in cells if "/nowhere/at/all" in "".join(cell["source"])]
    assert (cell["outputs"], cell["metadata"]["tags"]) == ([], ["skip-execution"])


def test_an_edited_record_is_told_and_a_mended_one_is_shown(honest: Honest) -> None:
    """Nothing of a file of records that cannot be trusted is shown, and no mark."""
    site, _ = honest
    again = "run `nox -s measure -- honest`"
    site.edit(FILE, "1.3 x", "1.1 x")
    build = site.build()
    site.record()
    assert build.code == 1
    assert sorted(line.removeprefix(f"{site.folder}/") for line in build.problems) == [
        "docs/pages/honest.md:3: WARNING: no record of `honest.speed` as it is now: "
        f"{again}",
        "docs/pages/honest.md:9: WARNING: no record of this cell as it is now: "
        f"{again}",
        f"{FILE}:1: WARNING: a-machine.json was edited by hand (its checksum differs)",
    ]
    assert site.marks("pages/honest") == []
    assert "1.1 x" not in site.html("pages/honest")
    build = site.build()
    assert (build.code, build.errors, build.ran) == (0, "", set())
    assert site.marks("pages/honest") == ["≈"]
    assert "1.3 x" in site.html("pages/honest")


def test_lies_about_measurements(tmp_path: Path) -> None:
    """Each is told with its place, on a page of its own, and its mark is not shown."""
    site = MeasuredSite(tmp_path, LIES)
    build = site.build()
    assert build.code == 1
    said = sorted(line.removeprefix(f"{site.folder}/") for line in build.problems)
    expected = []
    for name, lie in LIES.items():
        for line in lie.says:
            line = line.replace("PAGE", f"docs/pages/{name}.md").replace("STEM", name)
            line = line.replace("CODE", f"tests/measurements/{name}.py")
            place, _, text = line.partition(": ")
            expected.append(f"{place}: WARNING: {text}")
    expected.sort()
    assert len(said) == len(expected), said
    wrong = [
        (one, other)
        for one, other in zip(said, expected, strict=True)
        if not one.startswith(other)
    ]
    assert wrong == []
    shown = {name: len(site.marks(f"pages/{name}")) for name in LIES}
    assert shown == {name: lie.marks for name, lie in LIES.items()}
    assert site.marks("pages/honest") == ["≈"]


def test_records_come_back_as_they_were_saved(tmp_path: Path) -> None:
    records = {
        "a.b": Record("1" * 20, "2026-11-29", VERSIONS, figures=({"x": 1.5}, {"x": 2})),
        "p#1": Record("2" * 20, "2026-11-29", VERSIONS, outputs=({"text": "Ω"},)),
    }
    path = tmp_path / "records/m.json"
    save(path, "M", records)
    assert load(path) == ("M", records)
    assert len(path.read_text("utf-8").splitlines()) == len(records) + 5


SHAPE = "m.json was cut short or has the wrong shape"


@pytest.mark.parametrize(
    ("spoiled", "says"),
    [
        pytest.param(lambda text: text[:-9], SHAPE, id="cut short"),
        pytest.param(lambda text: "[]", SHAPE, id="a list"),
        pytest.param(lambda text: "", SHAPE, id="empty"),
        pytest.param(
            lambda text: text.replace("hash", "hush"), SHAPE, id="other words"
        ),
        pytest.param(
            lambda text: text.replace("1.5", "1.4"), "m.json was edited", id="figure"
        ),
        pytest.param(
            lambda text: text.replace('"M"', '"N"'), "m.json was edited", id="machine"
        ),
    ],
)
def test_a_file_of_records_that_was_cut_or_edited_is_no_record(
    tmp_path: Path, spoiled: Callable[[str], str], says: str
) -> None:
    path = tmp_path / measured.FOLDER / "records/m.json"
    record = Record("1" * 20, "2026-11-29", VERSIONS, figures=({"x": 1.5},))
    save(path, "M", {"a.b": record})
    path.write_text(spoiled(path.read_text("utf-8")), "utf-8")
    records = Records(tmp_path)
    (problem,) = records.problems
    assert (problem.page, problem.line) == (f"{measured.FOLDER}/records/m.json", 1)
    assert problem.message.startswith(says)
    assert records.of("a.b", "1" * 20) == {}


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ('"It takes `2` seconds."', '"Other words."', True),
        ("(1, 3)", "(0, 9)", True),
        ("bound=", "rounds=7, bound=", True),
        ("    return", "    # A comment.\n    return", True),
        ("2.0}", "2.5}", False),
        ("def speed(seed)", "def speed(seed, more=1)", False),
        ("\n\n\n", "\n\nprint(1)\n\n\n", False),
    ],
)
def test_a_record_belongs_to_code_and_not_to_words(
    site: Site, old: str, new: str, is_same: bool
) -> None:
    def digest(text: str) -> str:
        site.write("tests/measurements/x.py", text)
        found = measured.read(site.folder, Package(site.folder / "mini"))
        return found["x.speed"].hash

    assert old in FUNCTION
    assert (digest(FUNCTION) == digest(FUNCTION.replace(old, new))) is is_same


def test_a_recipe_that_is_measured_is_part_of_the_hash(site: Site) -> None:
    text = FUNCTION.replace("2.0", "area(2)").replace(
        "def speed(seed):", "def speed(seed):\n    from mini.alpha import area\n"
    )
    site.write("tests/measurements/x.py", text)

    def digest() -> str:
        found = measured.read(site.folder, Package(site.folder / "mini"))
        return found["x.speed"].hash

    before = digest()
    with site.changed("mini/data.py", "FACTOR = 3", "FACTOR = 4"):
        assert digest() != before
    with site.changed("mini/alpha.py", "More about it", "Less about it"):
        assert digest() == before


@pytest.mark.parametrize(
    "mark",
    [
        "@measures('A.')",
        "@measures(bound={'x': (1, 2)})",
        "@measures('A.', bound=BOUND)",
        "@measures('A.', bound={'x': 1})",
        "@measures('A.', bound={'x': ('a', 'b')})",
        "@measures(f'A {1}.', bound={'x': (1, 2)})",
    ],
)
def test_a_mark_that_is_not_written_out_is_refused_with_its_place(
    site: Site, mark: str
) -> None:
    site.write("tests/measurements/x.py", f"\n{mark}\ndef it(seed): ...\n")
    with pytest.raises(
        RecipeError, match=r"^tests/measurements/x\.py:2: the mark of `it` must be"
    ):
        measured.read(site.folder, Package(site.folder / "mini"))


@pytest.mark.parametrize(
    ("cells", "lines"),
    [
        ((f"{MEASURED}t = 1", "print(t)"), [8]),
        ((f"{MEASURED}t = 1", f"{MEASURED}print(t)"), []),
        (("t = 1", f"{MEASURED}t = 2", "print(t)"), [12]),
        ((f"{MEASURED}t = 1", "t = 2\nprint(t)", "print(t)"), []),
        ((f"{MEASURED}t = 1", "s = 1", "[t for _ in (s,)]"), [12]),
        ((f"{MEASURED}t = 1", "[t for t in (1, 2)]"), []),
        ((f"{MEASURED}print(1)", "print(1)"), []),
    ],
)
def test_what_runs_does_not_use_what_is_measured(
    package: Package, cells: tuple[str, ...], lines: list[int]
) -> None:
    found = read(page(*cells), "page.md", package, []).problems
    assert [problem.line for problem in found] == lines
    for problem in found:
        assert problem.message.startswith("`t` is bound by the measured cell at line ")


@pytest.mark.parametrize(
    ("at", "cell", "is_same"),
    [
        (0, "a, max = [4], len", False),
        (0, "a, max = [3], sum", False),
        (1, "b = 4", True),
        (2, "a.sort()", False),
        (3, "print(b)", True),
        (4, f"{MEASURED}print(max(a), 2)", False),
        (4, f"{MEASURED}print( max(a) )  # words", True),
        (5, "print(5)", True),
    ],
)
def test_a_record_of_a_cell_belongs_to_what_leads_to_it(
    package: Package, at: int, cell: str, is_same: bool
) -> None:
    cells = ["a, max = [3], len", "b = 3", "a.append(1)", "print(b + 1)"]
    cells += [f"{MEASURED}print(max(a))", "print(6)"]

    def digest(some: list[str]) -> str:
        found = read(page(*some), "page.md", package, [])
        return of_measured(found, found.cells[4], Reach(package))

    changed = [*cells[:at], cell, *cells[at + 1 :]]
    assert (digest(cells) == digest(changed)) is is_same

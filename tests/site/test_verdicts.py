"""Which verdicts are recalled, from where, and which proofs are run again."""

import json
import signal
import uuid
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from conf.proofs import lanes, show
from conf.proofs.run import here
from conf.proofs.verdict import DOES_NOT_RUN, HOLDS, IS_FALSE, Row, fault, judge
from tests.site.processes import left_after, until
from tests.site.proved_site import ProvedSite, is_in_order, proofs_of, warned
from tests.site.small_site import Build

SINCE, ZOO = proofs_of("since"), proofs_of("zoo")
BODY = "    assert number(value) == 10\n"

# Every proof leaves a line when it runs; one waits for a file to go.
TRACED = """

def number(value):
    with open(os.environ["TRACE"], "a") as trace:
        trace.write(f"{value}\\\\n")
    while value == 10 and os.path.exists(os.environ["HOLD"]):
        time.sleep(0.05)
    return value
""".replace("\\\\", "\\")


class TracedSite(ProvedSite):
    """A site that knows which proofs were run: 1, 2 and 10, and 0 for falsifiers."""

    def __init__(self, folder: Path) -> None:
        self.trace, self.hold = folder / "trace.txt", folder / "hold"
        super().__init__(folder, [])
        text = self.honest[SINCE]
        text = text.replace("\n\ndef number(value):\n    return value\n", TRACED)
        self.honest[SINCE] = f"import os\nimport time\n\n{text}"
        self.environment = {"TRACE": str(self.trace), "HOLD": str(self.hold)}
        self.mend()

    @property
    def ran_proofs(self) -> set[str]:
        """The values of the proofs that were run since this was asked last."""
        if not self.trace.exists():
            return set()
        found = set(self.trace.read_text().split())
        self.trace.unlink()
        return found - {"0"}

    @property
    def kept(self) -> int:
        """How many verdicts the store holds."""
        store = (self.folder / "build/store").glob("*.json")
        return sum(f'"seen": "{HOLDS}"' in path.read_text("utf-8") for path in store)


@pytest.fixture
def new(tmp_path: Path) -> TracedSite:
    """A site whose lane `new` has the versions of this environment."""
    site = TracedSite(tmp_path)
    site.installed = {**site.installed, "new": here()}
    site.see({})
    return site


def in_order(build: Build, site: ProvedSite) -> bool:
    is_in_order(site, build)
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_what_was_seen_before_an_interruption_is_recalled(
    tmp_path: Path, number: int
) -> None:
    site = TracedSite(tmp_path)
    site.hold.touch()
    mark = str(uuid.uuid4())
    process = site.start(MARK=mark)
    until(
        lambda: site.kept == 2 and "10" in site.trace.read_text(),
        "two verdicts to be kept and the third proof to begin",
    )
    process.send_signal(number)
    assert site.end(process).code != 0
    site.hold.unlink()  # nobody ends what SIGKILL left behind, but that it is done
    assert left_after(mark) == []
    assert site.ran_proofs == {"1", "2", "10"}
    is_in_order(site, site.build())
    assert site.ran_proofs == {"10"}


def test_a_verdict_that_contradicts_is_seen_again_in_every_build(
    tmp_path: Path,
) -> None:
    site = TracedSite(tmp_path)
    with site.changed(SINCE, BODY, "    assert number(value) == 11\n"):
        site.see({})
        first = site.build()
        assert site.ran_proofs == {"1", "2", "10"}
        second = site.build()
    assert site.ran_proofs == {"10"}
    says = "the proof `ten` failed: AssertionError: assert number(value) == 11"
    for build in (first, second):
        assert build.code == 1
        assert warned(build, site) == [f"docs/pages/zoo.md:3: WARNING: {says}"]
    assert site.marks("pages/zoo") == []
    assert site.marks("pages/since") == ["new", "one"]


def test_a_sentence_that_contrasts_versions_shows_what_each_of_its_proofs_saw() -> None:
    old = SimpleNamespace(name="names_were_free")
    new = SimpleNamespace(name="names_are_keywords")
    spans = [["✓ Keras 2", "✗ Keras 3"], ["✓ Keras 3"]]
    assert show._cell([old], spans[:1]) == "✓ Keras 2 <br>✗ Keras 3"
    assert show._cell([old, new], spans) == (
        "*names were free* <br>✓ Keras 2 <br>✗ Keras 3 <br>"
        "*names are keywords* <br>✓ Keras 3"
    )


def test_a_cold_build_of_what_a_lane_has_seen_runs_no_proof(new: TracedSite) -> None:
    """And what has no meaning in this environment is not run at all."""
    mark = '@proves("Ten is `10`.", false_with={"value": 0}'
    new.honest[SINCE] = new.honest[SINCE].replace(mark, f'{mark}, needs="keras<3"')
    new.mend()
    build = new.build()
    is_in_order(new, build)
    assert new.ran_proofs == set()
    assert "proofs: " not in build.output
    assert "1 about Keras\xa02 alone" in new.html("pages/sentences")
    # Where the lane saw another thing, they are run.
    new.installed = {**new.installed, "new": {**here(), "numpy": "1.0"}}
    new.mend()
    build = new.build()
    is_in_order(new, build)
    assert new.ran_proofs == {"1", "2"}


def test_a_line_more_reads_its_page_alone_and_a_proof_more_reads_the_tables(
    new: TracedSite,
) -> None:
    new.build()
    with new.changed("docs/pages/zoo.md", "# ", "\n\n# "):
        build = new.build()
        is_in_order(new, build)
        assert "0 added, 1 changed, 0 removed" in build.output
        # What was read before is what a proof that changed is compared with.
        with new.changed(SINCE, "Ten is `10`.", "Ten is `11`."):
            build = new.build()
    assert len(warned(build, new)) == 1
    assert "quotes 'Ten is 11.'" in warned(build, new)[0]
    is_in_order(new, new.build())


def test_a_store_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Root may write everywhere, but not below a file."""
    site = ProvedSite(tmp_path, [])
    site.write("build/store", "A file.")
    build = site.build()
    assert build.code == 1
    assert build.problems == [
        f"build/store:1: {what} cannot be kept: File exists"
        for what in ("outputs", "verdicts")
    ]
    assert "Traceback" not in build.output + build.errors


RECALLED = {"one", "new", "ten"}


@pytest.mark.parametrize(
    ("old", "to", "recalled"),
    [
        ("assert number(value) == 10", "assert number(value) == 10  # words", RECALLED),
        ('"Ten is `10`."', '"Ten is `ten`."', RECALLED),
        ("assert number(value) == 10", "assert number(value) == 11", {"one", "new"}),
        ("return value", "return +value", set()),
        ("import os\n", "import os\n\nWORDS = 1\n", set()),
        ("import os\n", "import os\nimport math\n", set()),
        ("import os\n", "import os\n\nprint(1)\n", set()),
    ],
)
def test_a_row_of_a_lane_is_a_verdict_here_if_hash_and_frame_are_the_same(
    new: TracedSite, old: str, to: str, recalled: set[str]
) -> None:
    new.edit(SINCE, old, to)
    assert recalled_by(new) == recalled


@pytest.mark.parametrize(
    ("changes", "recalled"),
    [
        ({"python": "3.14.1"}, RECALLED),
        ({"keras": "1.0"}, RECALLED),
        ({"tf.keras": "3.15.0"}, set()),
        ({"tensorflow": "2.21.1"}, set()),
        ({"numpy": "1.0"}, set()),
        ({"numpy": None}, set()),
    ],
)
def test_a_row_of_a_lane_is_a_verdict_here_if_the_versions_are_the_same(
    new: TracedSite, changes: dict[str, str | None], recalled: set[str]
) -> None:
    versions: dict[str, str | None] = {**here(), **changes}
    found = {name: version for name, version in versions.items() if version}
    new.installed = {**new.installed, "new": found}
    new.see({})
    assert recalled_by(new) == recalled


def recalled_by(site: ProvedSite) -> set[str]:
    """The proofs that have a verdict before anything is run."""
    proving = site.proving()
    return {
        proof.name
        for proof in proving.proofs.values()
        if proving.verdicts.get(proof) is not None
    }


def test_a_verdict_is_kept_for_this_very_proof_unless_it_contradicts(
    tmp_path: Path,
) -> None:
    site = ProvedSite(tmp_path, [])
    proving = site.proving()
    ten, one = proving.proofs["since.ten"], proving.proofs["since.one"]
    good = Row(ten.hash, HOLDS, falsified=True, seconds=0.1)
    proving.verdicts.put(ten, good)
    proving.verdicts.put(one, Row(one.hash, IS_FALSE, "AssertionError"))
    assert proving.verdicts.get(one) is not None  # for this build
    assert recalled_by(site) == {"ten"}
    assert site.proving().verdicts.get(ten) == good
    assert site.proving().verdicts.get(replace(ten, hash="0" * 20)) is None
    assert site.proving().verdicts.get(replace(ten, frame="0" * 20)) is None
    site.edit("tests/proofs/run.py", "gc.freeze()", "gc.collect()")
    assert recalled_by(site) == set()


# What a row says of a proof that is declared in some way

DECLARED = {
    "everywhere": "",
    "inside": ', keras=">=3"',
    "outside": ', keras="<3"',
    "no meaning": ', needs="keras<3"',
}


@pytest.mark.parametrize(
    ("declared", "row", "says"),
    [
        ("everywhere", Row("", HOLDS, falsified=True), ""),
        ("everywhere", Row("", HOLDS, falsified=False), "holds under its falsifier"),
        (
            "everywhere",
            Row("", HOLDS, falsifier_error="E"),
            "does not fail under its falsifier: E",
        ),
        ("everywhere", Row("", IS_FALSE, "E"), "failed: E"),
        ("everywhere", Row("", DOES_NOT_RUN, "E"), "does not run: E"),
        ("inside", Row("", HOLDS, falsified=True), ""),
        ("inside", Row("", IS_FALSE, "E"), "failed: E"),
        ("outside", Row("", IS_FALSE, "E"), ""),
        ("outside", Row("", DOES_NOT_RUN, "E"), "does not run: E"),
        (
            "outside",
            Row("", HOLDS, falsified=True),
            "holds outside its range, keras <3",
        ),
        ("no meaning", Row("", DOES_NOT_RUN, "E"), ""),
        ("no meaning", Row("", IS_FALSE, "E"), ""),
    ],
)
def test_a_verdict_is_a_fault_unless_it_is_what_the_proof_declares(
    tmp_path: Path, declared: str, row: Row, says: str
) -> None:
    site = ProvedSite(tmp_path, [])
    mark = '@proves("Ten is `10`.", false_with={"value": 0}'
    site.edit(SINCE, mark, mark + DECLARED[declared])
    proof = site.proving().proofs["since.ten"]
    new, old = ({"tensorflow": "2.21.0", "tf.keras": v} for v in ("3.15.1", "2.13.1"))
    assert fault(proof, row, new) == says
    place = {"": (row, new), "on old": (row, old)}
    if says and declared == "everywhere":
        expected = [f"the proof `ten` {says}", f"the proof `ten` {says} (on old)"]
        assert list(judge(proof, place)) == expected


@pytest.mark.parametrize(
    ("rows", "is_seen"),
    [
        ([Row("", HOLDS, falsified=True)], True),
        ([Row("", IS_FALSE, "E")], True),
        ([Row("", HOLDS), Row("", IS_FALSE, "E")], True),
        ([Row("", HOLDS)], False),
        ([], False),
    ],
)
def test_only_an_assertion_shows_that_a_proof_can_fail(
    tmp_path: Path, rows: list[Row], is_seen: bool
) -> None:
    site = ProvedSite(tmp_path, [])
    proof = site.proving().proofs["since.new"]
    environments = [
        {"tensorflow": "2.21.0", "tf.keras": "2.13.1" if r.seen == IS_FALSE else "3.1"}
        for r in rows
    ]
    seen = {
        f"on {n}": pair for n, pair in enumerate(zip(rows, environments, strict=True))
    }
    says = [] if is_seen else ["nobody has seen the proof `new` fail"]
    assert list(judge(proof, seen)) == says


def test_the_proofs_of_the_last_lane_are_shared_out_by_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {}

    def timed(lane, proofs, wanted, parts):
        asked[lane.name] = parts
        return lanes.Outcome(lane, None), 0.0

    monkeypatch.setattr(lanes, "timed", timed)
    chosen = [SimpleNamespace(name=name) for name in ("old", "middle", "new")]
    lanes.run_lanes(chosen, {}, lanes.Wanted(False, ()))
    assert asked == {"old": 1, "middle": 1, "new": 2}

    due = [SimpleNamespace(stem=stem) for stem in "aabbbc"]
    parts = lanes.in_parts(due, 2)
    assert ["".join(p.stem for p in part) for part in parts] == ["bbbc", "aa"]
    assert lanes.in_parts(due[:2], 2) == [due[:2]]


def test_results_have_a_line_for_each_proof_and_no_word_too_many(
    tmp_path: Path,
) -> None:
    site = ProvedSite(tmp_path, [])
    text = site.read("tests/proofs/results/old.json")
    lines = [line for line in text.splitlines() if line.startswith('"since.')]
    assert [line.split('"')[1] for line in lines] == [
        "since.new",
        "since.one",
        "since.ten",
    ]
    data = json.loads(text)
    assert set(data["rows"]["since.new"]) == {"proof", "seen"}
    assert set(data) == {
        *("checksum", "environment", "frames", "lane", "made", "rows"),
    }

"""The error reference is made of its entries and of what they said, and of no text."""

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conf.pages.recipes import Package, RecipeError
from conf.proofs.verdict import Lane, lanes
from conf.reference import error_links, errors, errors_page, errors_seen
from conf.reference.errors import Entry, Row, Seen
from tests.site.small_site import Site

ROOT = Path(__file__).parents[2]
LANE = Lane("tensorflow-9", "3.11", ("tensorflow==9",), gates=True)
VERSIONS = {"tensorflow": "9.0", "tf.keras": "9.1.2", "numpy": "2.0"}

ENTRIES = '''
"""Numbers."""

import math

from mini.errors.entry import error

_PAGE = "guides/alpha.md"


@error("must be", "ada/sums#12", guide=_PAGE + "", needs="keras>=3")
def _root_of_minus_one() -> None:
    """No number has this square."""
    # The root of a negative number.
    math.sqrt(-1)  # noqa: B018  # it raises


@_root_of_minus_one.fix
def _root_of_one() -> None:
    """Take another number."""
    math.sqrt(1)
'''

# What a lane runs: it says what a file tells it to say.
RUNNER = """
import json, pathlib, sys
versions = json.loads(pathlib.Path("versions.json").read_text())
print(json.dumps({"environment": versions}))
for name in sys.argv[1:]:
    if pathlib.Path("broken").exists():
        sys.exit("it is broken")
    said = pathlib.Path("said.txt").read_text()
    print(json.dumps({"entry": name, "said": said, "fix": ""}))
"""


@pytest.fixture
def house(tmp_path: Path) -> Site:
    """A small site with one entry, and an environment that runs it."""
    site = Site(tmp_path)
    site.write("mini/errors/__init__.py", "from mini.errors.entry import error\n")
    site.write("mini/errors/entry.py", "def error(*a, **b): ...\n")
    site.write("mini/errors/observing.py", "")
    site.write("mini/errors/numbers.py", ENTRIES)
    site.write("tests/errors/run.py", RUNNER)
    site.write("versions.json", json.dumps(VERSIONS))
    site.write("said.txt", "ValueError: it must be 4")
    return site


def package_of(site: Site) -> Package:
    return Package(site.folder / "mini")


def entry_of(site: Site) -> Entry:
    return errors.read(package_of(site))["numbers"]["root-of-minus-one"]


def update(site: Site, lane: Lane = LANE, **options: Any) -> Seen:
    package = package_of(site)
    seen = errors_seen.update(package, lane, lambda _: Path(sys.executable), **options)
    assert seen is not None
    return seen


# Entries are read, not imported


def test_an_entry_is_read_from_its_source(house: Site) -> None:
    entry = entry_of(house)
    assert (entry.group, entry.heading) == ("numbers", "must be")
    assert entry.guide == "guides/alpha.md"
    assert (entry.threads, entry.needs) == (("ada/sums#12",), "keras>=3")
    assert entry.repro.about == "No number has this square."
    assert entry.repro.text == (
        "import math\n\n# The root of a negative number.\nmath.sqrt(-1)"
    )
    assert entry.fix.text == "import math\n\nmath.sqrt(1)"


def test_words_change_no_hash_and_code_does(house: Site) -> None:
    first = entry_of(house).hash
    house.edit("mini/errors/numbers.py", "another number", "a larger number")
    assert entry_of(house).hash == first
    house.edit("mini/errors/numbers.py", "math.sqrt(1)", "math.sqrt(2)")
    assert entry_of(house).hash != first


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("@_root_of_minus_one.fix\n", "", "`_root_of_minus_one` has no fix"),
        ('    """Take another number."""\n', "", "`_root_of_one` has no docstring"),
        (
            "guide=_PAGE +",
            "guide=str(_PAGE) +",
            "the decorator of `_root_of_minus_one`",
        ),
    ],
)
def test_an_entry_that_is_not_whole_is_named_with_its_place(
    house: Site, old: str, new: str, problem: str
) -> None:
    house.edit("mini/errors/numbers.py", old, new)
    with pytest.raises(RecipeError, match=rf"mini/errors/numbers.py:\d+: {problem}"):
        entry_of(house)


# What is seen on a lane


def test_what_was_seen_is_kept_and_not_run_again(house: Site) -> None:
    seen = update(house)
    assert seen.rows["root-of-minus-one"].said == "ValueError: it must be 4"
    house.write("said.txt", "ValueError: other words")
    assert update(house) == seen
    again = update(house, everything=True)
    assert again.rows["root-of-minus-one"].said == "ValueError: other words"


def test_changed_code_is_run_again(house: Site) -> None:
    update(house)
    house.write("said.txt", "ValueError: other words")
    house.edit("mini/errors/numbers.py", "math.sqrt(-1)", "math.sqrt(-2)")
    assert update(house).rows["root-of-minus-one"].said == "ValueError: other words"


def test_a_damaged_file_counts_as_nothing(house: Site) -> None:
    update(house)
    path = errors.place_of(package_of(house), LANE.name)
    path.write_text(path.read_text().replace("must be", "must not be"))
    with pytest.raises(ValueError, match="was edited by hand"):
        errors.load(path)
    assert "must be" in update(house).rows["root-of-minus-one"].said
    path.write_text("{")
    with pytest.raises(ValueError, match="was cut short"):
        errors.load(path)


def test_an_entry_that_has_no_meaning_there_has_no_row(house: Site) -> None:
    house.write("versions.json", json.dumps({**VERSIONS, "tf.keras": "2.15.0"}))
    assert update(house).rows == {}


def test_a_lane_that_does_not_gate_leaves_nothing(house: Site) -> None:
    lane = Lane("nightly", "3.11", ("tf-nightly",), gates=False)
    assert update(house, lane).rows
    assert not errors.place_of(package_of(house), "nightly").exists()


def test_a_run_that_stops_says_where(house: Site) -> None:
    house.write("broken", "")
    with pytest.raises(errors_seen.EntriesNotRunError, match="it is broken") as caught:
        update(house)
    assert "stopped at `root-of-minus-one`" in str(caught.value)


def faults_of(entry: Entry, row: Row | None) -> list[str]:
    rows = {entry.name: row} if row else {}
    seen = {"tensorflow-9": Seen("tensorflow-9", "", VERSIONS, rows)}
    return list(errors.faults({entry.name: entry}, seen))


def test_what_is_wrong_with_what_was_seen_is_said(house: Site) -> None:
    entry = entry_of(house)
    assert faults_of(entry, Row(entry.hash, "ValueError: it must be 4")) == []
    (stale,) = faults_of(entry, Row("other code", "ValueError: it must be 4"))
    assert stale.startswith("`root-of-minus-one` was not seen on tensorflow-9")
    (unheard,) = faults_of(entry, Row(entry.hash, "ValueError: it is 4"))
    assert unheard == "nobody has seen the message of `root-of-minus-one`"
    (unfixed,) = faults_of(entry, Row(entry.hash, "it must be 4", "OSError: no"))
    assert unfixed == "the fix of `root-of-minus-one` works nowhere"


# The pages


def test_the_changing_parts_of_a_message_are_marked() -> None:
    heading = "has no attribute 'numpy'"
    text = "In (None, 8) of <class 'A'>, 'dense' has no attribute 'numpy' in 3 of 4.5"
    block = errors_page.message(text, heading)
    marked = [
        node.astext() for node in block.findall() if "changes" in node_classes(node)
    ]
    assert marked == ["(None, 8)", "<class 'A'>", "'dense'", "3", "4.5"]
    assert block.astext() == text


def node_classes(node: Any) -> list[str]:
    return list(node["classes"]) if hasattr(node, "attributes") else []


@pytest.fixture
def built(house: Site) -> str:
    """The page of the entry, built after it was seen on two lanes."""
    toml = 'name = "{}"\npython = "3.11"\nrequirements = []\ngates = true\n'
    names = ["tensorflow-8", "tensorflow-9"]
    table = "\n".join("[[lane]]\n" + toml.format(name) for name in names)
    house.write("tests/proofs/environments.toml", table)
    texts = {
        "tensorflow-8": "TypeError: give 4",
        "tensorflow-9": "ValueError: it must be 4",
    }
    package, entry = package_of(house), entry_of(house)
    for version, (name, said) in enumerate(texts.items(), start=8):
        versions = {**VERSIONS, "tf.keras": f"{version}.1.0"}
        rows = {entry.name: Row(entry.hash, said)}
        errors.save(Seen(name, "", versions, rows), errors.place_of(package, name))
    house.write(
        "docs/reference/errors/numbers.md", "# Numbers\n\n```{errors} numbers\n```\n"
    )
    house.write("docs/reference/errors/index.md", "# All\n\n```{error-index}\n```\n")
    alpha = Path(house.folder, "docs/guides/alpha.md")
    alpha.write_text(alpha.read_text() + "\n## `ValueError: it must be 4`\n")
    house.write("docs/index.md", "# Home\n\n```{toctree}\n:glob:\n*/*\n*/*/*\n```\n")
    house.edit(
        "settings/conf.py",
        '"conf.proofs.show"',
        '"conf.reference.errors_page", "conf.reference.error_links", '
        '"conf.proofs.show"',
    )
    house.edit("settings/conf.py", '["data"]', '["data", "errors"]')
    house.write("tests/unit/test_errors.py", "def test_it():\n    error\n")
    build = house.build()
    assert (build.code, build.errors) == (0, "")
    return house.html("reference/errors/numbers")


def test_a_page_shows_an_entry_whole(built: str) -> None:
    assert 'id="root-of-minus-one"' in built
    text = re.sub(r"<[^>]*>", "", built)
    for words in ("it must be 4", "No number has this square.", "Take another number."):
        assert words in text
    assert "This message: Keras 9. Other words (below): Keras 8." in text
    assert "On Keras 8:" in text
    assert "TypeError: give 4" in text
    assert 'href="https://github.com/ada/sums/issues/12"' in built
    assert 'href="../../guides/alpha.html"' in built


def known_of(*texts: str) -> error_links.Known:
    """Entries of these names with their messages."""
    found = {}
    for name, *said in (text.split(": ") for text in texts):
        entry = SimpleNamespace(name=name, guide=f"guides/{name}.md#errors")
        found[name] = [(error_links._plain(text), entry) for text in said]
    return found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("You must take root 4", "root"),
        ("take root", ""),  # too short to be sure
        ("must.take(root, of_2)", ""),  # code
        ("(16, 2, 2)", ""),
        ("`sum` of `float` and text", "sums"),
        ("must take root", "root"),
        ("the same for both", ""),
        ("exception encountered when calling", ""),
    ],
)
def test_a_part_of_a_message_that_only_one_entry_has_is_its_message(
    text: str, name: str
) -> None:
    known = known_of(
        "root: must take root: You must take root 16 of 2, the same for both",
        "sums: sum of float and text: the same for both",
        "calls: it calls: Exception encountered when calling it",
    )
    found = error_links.entry_of(text, "guides/alpha", known)
    assert (found.name if found else "") == name


def test_of_entries_with_the_same_text_the_one_that_names_the_page_counts() -> None:
    known = known_of("a: x: the same for both", "b: y: the same for both")
    assert error_links.entry_of("the same for both", "guides/c", known) is None
    found = error_links.entry_of("the same for both", "guides/b", known)
    assert found is not None
    assert found.name == "b"


def test_a_heading_that_is_a_message_leads_to_its_entry(
    built: str, house: Site
) -> None:
    place = 'href="../reference/errors/numbers.html#root-of-minus-one"'
    assert f'class="error-entry reference internal" {place}' in house.html(
        "guides/alpha"
    )


def test_the_index_names_messages_in_other_words(built: str, house: Site) -> None:
    text = re.sub(r"<[^>]*>", "", house.html("reference/errors/index"))
    assert "Keras 8: give 4" in text


def test_the_index_follows_the_table_of_contents(built: str, house: Site) -> None:
    more = ENTRIES.replace("root_of", "first_root_of").replace(
        '"must be"', '"is no sum"'
    )
    house.write("mini/errors/algebra.py", more)
    house.write(
        "docs/reference/errors/algebra.md", "# Algebra\n\n```{errors} algebra\n```\n"
    )
    house.write(
        "docs/reference/errors/index.md",
        "# All\n\n```{toctree}\nnumbers\nalgebra\n```\n\n```{error-index}\n```\n",
    )
    house.build()
    text = re.sub(r"<[^>]*>", "", house.html("reference/errors/index"))
    assert text.index("it must be 4") < text.rindex("is no sum")


def test_texts_that_differ_in_a_made_up_number_are_one(house: Site) -> None:
    entry = entry_of(house)
    seen = {}
    for version, end in ((8, "of_17\n"), (9, "of_4")):
        lane = f"tensorflow-{version}"
        row = Row(entry.hash, f"ValueError: it must be root_{end}")
        versions = {**VERSIONS, "tf.keras": f"{version}.0"}
        seen[lane] = Seen(lane, "", versions, {entry.name: row})
    site = errors_page._Site.__new__(errors_page._Site)
    site.seen = seen
    assert [len(found) for found in site.said(entry).values()] == [2]


def test_the_index_quotes_the_line_of_a_message_that_holds_its_heading() -> None:
    short = errors_page._short
    shapes = "expected ndim=3, found ndim=2"
    said = f"ValueError: Input 0 of layer 'lstm' is wrong: {shapes}.\nArguments: none"
    assert short(said, shapes) == f"Input 0 of layer 'lstm' is wrong: {shapes}."
    assert short(f"KeyError: 'a'\nTry this: {shapes}", shapes) == f"Try this: {shapes}"
    long = f"ValueError: {'word ' * 30}{shapes} and more"
    assert short(long, shapes) == f"{'word ' * 30}{shapes} …"
    long = f"ValueError: {shapes} {'word ' * 30}"
    assert short(long, shapes) == f"{shapes}{' word' * 14} …"
    node = "{{function_node __Gather_device_/job:a}} indices[0] = 9 is not in [0, 9)"
    said = f"InvalidArgumentError: {node}"
    assert short(said, "is not in") == "indices[0] = 9 is not in [0, 9)"


def test_the_lines_that_a_fix_changes_are_shown_with_dots_between() -> None:
    text = "a = 1\nb = 2\nif a:\n    c = 3\n    d = 4"
    assert errors_page._lines(text, [2, 4, 5]) == "b = 2\n...\n    c = 3\n    d = 4"
    assert errors_page._lines(text, [4, 5]) == "c = 3\nd = 4"
    assert errors_page._lines(text, []) == text


# This site


def test_every_entry_of_this_site_was_seen_on_every_lane() -> None:
    package = Package(ROOT / "snippets")
    entries = {
        n: e for group in errors.read(package).values() for n, e in group.items()
    }
    table = lanes(ROOT)
    seen = errors.everything_seen(package, table)
    assert set(seen) == {name for name, lane in table.items() if lane.gates}
    assert list(errors.faults(entries, seen)) == []
    for name, lane in seen.items():
        assert lane.made == errors.made(package, table[name])


def test_every_mistake_without_a_message_is_in_the_list_of_what_one_sees() -> None:
    package = Package(ROOT / "snippets")
    text = (ROOT / "docs/reference/silent.md").read_text("utf-8")
    entries = errors.read(package)["silent"]
    assert set(re.findall(r"\]\(#([\w-]+)\)", text)) == set(entries)
    for entry in entries.values():
        assert errors_page.GUARD in entry.repro.text


def test_every_group_has_a_page_and_every_page_a_group() -> None:
    pages = {p.stem for p in (ROOT / "docs/reference/errors").glob("*.md")} - {"index"}
    assert {*pages, "silent"} == set(errors.groups(Package(ROOT / "snippets")))

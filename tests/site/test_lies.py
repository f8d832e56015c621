"""Every way a ✓ could lie that we could think of, each tried and caught.

`LIES` is the table. Each lie is told on a page of its own, whose first sentence is
honest and keeps its ✓. All are told at once to a site that was never built, and again
to one that was in order. Lies that spoil more than a page, or that could hide behind
another's change, are told one by one, in `QUIET`, `DAMAGE` and `UNREADABLE`.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from conf.proofs.verdict import DOES_NOT_RUN, HOLDS, IS_FALSE, Row
from tests.site.proved_site import (
    BODY,
    MARK,
    PROOFS,
    SENTENCE,
    TEST,
    Lie,
    ProvedSite,
    is_in_order,
    proofs_of,
    warned,
)
from tests.site.small_site import Build

DIFFERS = "the page says {!r}, but the proof `{}` quotes {!r}"
UNREFUTED = "the proof `two` holds under its falsifier"
ORPHAN = "PROOFS:13: the proof `STEM.two` is cited on no page"


def on_page(name: str, new: str, *says: str, old: str = SENTENCE) -> Lie:
    return Lie(name, "PAGE", old, new, says)


def in_proof(name: str, old: str, new: str, *says: str) -> Lie:
    return Lie(name, "PROOFS", old, new, tuple(f"PAGE:4: {text}" for text in says))


def in_rows(name: str, lane: str, row: Mapping[str, object] | None, says: str) -> Lie:
    """The files tell no lie, but what was seen on a lane is another thing."""
    return Lie(name, "PROOFS", "", "", (f"PAGE:4: {says}",), rows={lane: row})


EXPECTATION = "`two` is falsified by another expectation: change the world instead"


def in_weakness(name: str, body: str, says: str) -> Lie:
    """A proof that is too easy to refute; it is told where the proof stands."""
    return Lie(name, "PROOFS", BODY, body, (f"PROOFS:13: {says}",))


CITED_ELSEWHERE = Lie(
    "cited_elsewhere",
    "docs/pages/zebra.md",
    "# Zebra\n",
    "# Zebra\n\nTwo is `2`. {proof}`cited_elsewhere.two`\n",
    (
        "docs/pages/zebra.md:3: the proof `cited_elsewhere.two` is already cited "
        "at PAGE:4",
    ),
)

RECIPE = Lie(
    "recipe",
    "mini/data.py",
    "TWO = 2",
    "TWO = 4",
    ("PAGE:4: the proof `two` failed: AssertionError: assert number(value) == TWO",),
    proofs="from mini.data import TWO\n" + PROOFS.replace("== 2", "== TWO"),
)

LIES = [
    # The words
    in_proof("no_such_proof", TEST, "", "there is no proof `no_such_proof.two`"),
    in_proof(
        "typo_in_quote",
        "Two is `2`",
        "Two is `22`",
        DIFFERS.format("Two is 2.", "two", "Two is 22."),
    ),
    on_page(
        "typo_on_page",
        "Two is `3`. {proof}`two`",
        "PAGE:4: " + DIFFERS.format("Two is 3.", "two", "Two is 2."),
    ),
    on_page(
        "word_in_front",
        "It is wrong that Two is `2`. {proof}`two`",
        "PAGE:4: " + DIFFERS.format("It is wrong that Two is 2.", "two", "Two is 2."),
    ),
    on_page(
        "word_behind",
        "Two is `2`, or not. {proof}`two`",
        "PAGE:4: " + DIFFERS.format("Two is 2, or not.", "two", "Two is 2."),
    ),
    on_page(
        "next_paragraph",
        "Two is `2`.\n\n{proof}`two`",
        "PAGE:6: " + DIFFERS.format("", "two", "Two is 2."),
    ),
    on_page(
        "mark_in_front",
        "{proof}`two` Two is `2`.",
        "PAGE:4: " + DIFFERS.format("", "two", "Two is 2."),
    ),
    Lie(
        "swapped",
        "PAGE",
        "{proof}`one`\nTwo is `2`. {proof}`two`",
        "{proof}`two`\nTwo is `2`. {proof}`one`",
        (
            "PAGE:3: " + DIFFERS.format("One is 1.", "two", "Two is 2."),
            "PAGE:4: " + DIFFERS.format("Two is 2.", "one", "One is 1."),
        ),
        frozenset({"one", "two"}),
    ),
    on_page(
        "one_line",
        "One is `1`. {proof}`one` Two is `3`. {proof}`two`",
        "PAGE:3: " + DIFFERS.format("Two is 3.", "two", "Two is 2."),
        old="One is `1`. {proof}`one`\n" + SENTENCE,
    ),
    on_page(
        "one_of_two_names",
        "Two is `2`. {proof}`two three`",
        "PAGE:4: there is no proof `one_of_two_names.three`",
    ),
    on_page("of_nothing", "Two is `2`. {proof}` `", "PAGE:4: ", ORPHAN),
    on_page(
        "of_another_page",
        "Two is `2`. {proof}`since.two`",
        "PAGE:4: there is no proof `since.two`",
        ORPHAN,
    ),
    on_page(
        "cited_twice",
        f"{SENTENCE}\n{SENTENCE}",
        "PAGE:5: the proof `cited_twice.two` is already cited at PAGE:4",
    ),
    CITED_ELSEWHERE,
    on_page("orphan", "Two is `2`.", ORPHAN),
    # Marks that only look like marks, and marks that do not look like marks
    on_page("code_span", "Two is `2`. `` {proof}`two` ``", ORPHAN),
    on_page("escaped", "Two is `2`. \\{proof}`two`", ORPHAN),
    on_page("comment", "Two is `2`. <!-- {proof}`two` -->", ORPHAN),
    on_page(
        "code_block",
        "\n```{code-block} text\nTwo is `2`. {proof}`two`\n```",
        ORPHAN,
    ),
    on_page("code_fence", "\n```text\nTwo is `2`. {proof}`two`\n```", ORPHAN),
    on_page(
        "title_of_a_note",
        "\n:::{admonition} Two is `3`. {proof}`two`\nWords.\n:::",
        "PAGE:",
    ),
    on_page("two_ticks", "Two is `3`. {proof}``two``", "PAGE:4: "),
    on_page("capital", "Two is `3`. {Proof}`two`", "PAGE:4: "),
    on_page(
        "restructured",
        "\n```{eval-rst}\nTwo is 3. :proof:`two`\n```",
        "PAGE:",
    ),
    # The proof
    in_proof(
        "fails",
        BODY,
        "    assert number(value) == 3\n",
        "the proof `two` failed: AssertionError: assert number(value) == 3",
    ),
    in_proof(
        "raises",
        BODY,
        "    assert 1 / 0 == number(value)\n",
        "the proof `two` does not run: ZeroDivisionError: division by zero",
    ),
    in_proof(
        "skips",
        BODY,
        "    import pytest\n\n    pytest.skip('no')\n" + BODY,
        "the proof `two` does not run: Skipped: no",
    ),
    in_proof(
        "exits",
        BODY,
        "    raise SystemExit(0)\n" + BODY,
        "the proof `two` does not run: SystemExit: 0",
    ),
    Lie(
        "not_imported",
        "PROOFS",
        "from tests",
        "import no_such_module\nfrom tests",
        tuple(
            f"PAGE:{line}: the proof `{name}` does not run: ModuleNotFoundError: "
            f"No module named 'no_such_module'"
            for line, name in ((3, "one"), (4, "two"))
        ),
        frozenset({"one", "two"}),
    ),
    in_proof(
        "takes_python_down",
        BODY,
        "    import os\n\n    os.kill(os.getpid(), 11)\n" + BODY,
        "the proof `two` does not run: Python died of it: SIGSEGV",
    ),
    in_proof(
        "no_assertion",
        BODY,
        "    number(value) == 2\n",
        "the proof `two` asserts nothing",
    ),
    in_proof(
        "assert_true",
        BODY,
        "    number(value)\n    assert True\n",
        "the proof `two` asserts nothing",
    ),
    in_proof(
        "assert_a_pair", BODY, "    assert (number(value) == 3, 'no')\n", UNREFUTED
    ),
    in_proof(
        "swallowed",
        BODY,
        "    try:\n        assert number(value) == 2\n    except Exception:\n"
        "        ...\n",
        UNREFUTED,
    ),
    in_proof(
        "never_called",
        BODY,
        "    def inner():\n        assert number(value) == 2\n",
        UNREFUTED,
    ),
    in_proof(
        "never_begun", BODY, "    yield\n    assert number(value) == 2\n", UNREFUTED
    ),
    in_proof(
        "async_", "def test_two", "async def test_two", "there is no proof `async_.two"
    ),
    in_proof(
        "conditional",
        TEST,
        "if True:\n\n    " + TEST.replace("\n", "\n    ").rstrip() + "\n",
        "there is no proof `conditional.two`",
    ),
    in_proof(
        "other_decorator",
        MARK,
        MARK.replace("proves", "claims").replace("@", "claims = proves\n\n\n@"),
        "there is no proof `other_decorator.two`",
    ),
    in_proof("weak_falsifier", BODY, "    assert number(value) < 3\n", UNREFUTED),
    in_weakness("expectation", "    assert number(2) == value\n", EXPECTATION),
    in_weakness(
        "expectation_by_another_name",
        "    wanted = [value]\n    assert [number(2)] == wanted\n",
        EXPECTATION,
    ),
    in_weakness(
        "less_in_one_case",
        "    assert (number(value) == 2 if value else number(1))\n",
        "`two` asserts less in one case than in another",
    ),
    Lie(
        "owes_nothing",
        "tests/proofs/owed.txt",
        "",
        "owes_nothing.two\n",
        ("tests/proofs/owed.txt:1: `owes_nothing.two` owes nothing any more: take it",),
    ),
    in_proof(
        "crashing_falsifier",
        TEST,
        TEST.replace("number(value)", "4 / number(value)"),
        "the proof `two` does not fail under its falsifier: ZeroDivisionError: ",
    ),
    in_proof(
        "falsifier_of_nothing",
        MARK,
        MARK.replace("value", "valeu"),
        "the proof `two` does not fail under its falsifier: TypeError: ",
    ),
    in_proof(
        "empty_falsifier",
        MARK,
        '@proves("Two is `2`.", false_with={}, keras=">=3")',
        "the proof `two` does not fail under its falsifier",
    ),
    Lie(
        "no_falsifier",
        "PROOFS",
        MARK,
        '@proves("Two is `2`.")',
        (
            "PAGE:3: the proof `one` does not run: ValueError: nobody can see this ",
            "PAGE:4: nobody can see the proof `two` fail: give it a falsifier or a ",
        ),
        frozenset({"one", "two"}),
    ),
    # The versions
    in_proof(
        "true_everywhere",
        MARK,
        '@proves("Two is `2`.", keras=">=2")',
        "nobody has seen the proof `two` fail",
    ),
    in_proof(
        "true_here_too",
        MARK,
        '@proves("Two is `2`.", keras="<3")',
        "the proof `two` holds outside its range, keras <3",
    ),
    in_proof(
        "not_true_here",
        TEST,
        TEST.replace("== 2", "== 3").replace('false_with={"value": 0}', 'keras=">=3"'),
        "the proof `two` failed: AssertionError: assert number(value) == 3",
    ),
    in_proof(
        "crashes_outside",
        TEST,
        TEST.replace(MARK, '@proves("Two is `2`.", keras="<3")').replace(
            BODY, "    assert number(value) == 1 / 0\n"
        ),
        "the proof `two` does not run: ZeroDivisionError: division by zero",
    ),
    Lie(
        "true_there_too",
        "PROOFS",
        MARK,
        '@proves("Two is `2`.", keras=">=3")',
        ("PAGE:4: the proof `two` holds outside its range, keras >=3 (on old)",),
        rows={"old": {"seen": HOLDS}},
    ),
    Lie(
        "crashed_there",
        "PROOFS",
        MARK,
        '@proves("Two is `2`.", keras=">=3")',
        ("PAGE:4: the proof `two` does not run: KeyError: 2 (on old)",),
        rows={"old": {"seen": DOES_NOT_RUN, "error": "KeyError: 2"}},
    ),
    in_rows(
        "not_true_there",
        "old",
        {"seen": IS_FALSE, "error": "AssertionError: no", "falsified": None},
        "the proof `two` failed: AssertionError: no (on old)",
    ),
    in_rows(
        "not_run_there",
        "old",
        {"seen": DOES_NOT_RUN, "error": "KeyError: 2", "falsified": None},
        "the proof `two` does not run: KeyError: 2 (on old)",
    ),
    in_rows(
        "not_falsified_there",
        "old",
        {"falsified": False},
        "the proof `two` holds under its falsifier (on old)",
    ),
    in_rows(
        "crashed_falsifier_there",
        "old",
        {"falsified": None, "falsifier_error": "KeyError: 2"},
        "the proof `two` does not fail under its falsifier: KeyError: 2 (on old)",
    ),
    Lie(
        "only_seen_to_crash",
        "PROOFS",
        MARK,
        '@proves("Two is `2`.", keras=">=3", needs="keras>=3")',
        ("PAGE:4: nobody has seen the proof `two` fail",),
    ),
    in_rows("no_row", "old", None, "no fresh row of `no_row.two` on old: "),
    in_rows(
        "stale_row",
        "new",
        {"proof": "0" * 64},
        "no fresh row of `stale_row.two` on new: run `nox -s versions`",
    ),
    # The recipe
    RECIPE,
]


def uncaught(build: Build, site: ProvedSite, lies: list[Lie]) -> dict[str, object]:
    """What is wrong, by lie: warnings that were not said, and marks that are shown."""
    said = warned(build, site)
    found: dict[str, object] = {}
    for lie in lies:
        marks = site.marks(f"pages/{lie.name}")
        silent = [
            warning
            for warning in lie.warnings
            if not any(line.startswith(warning) for line in said)
        ]
        if silent or marks != lie.shown:
            near = [line for line in said if lie.name in line]
            found[lie.name] = {"not said": silent, "said": near, "marks": marks}
    return found


def surprises(build: Build, site: ProvedSite) -> list[str]:
    """Lines that are about no lie, or are said twice."""
    files = {path for lie in site.lies for path in (lie.path, *lie.files.values())}
    said = warned(build, site)
    strange = [line for line in said if line.partition(":")[0] not in files]
    return strange + [line for line in set(said) if said.count(line) > 1]


def test_lies_told_to_a_new_site(tmp_path: Path) -> None:
    """What contradicts is not kept; what is kept is edited, and nobody is fooled."""
    site = ProvedSite(tmp_path, LIES)
    site.plant()
    first = site.build()
    assert (first.code, uncaught(first, site, LIES), surprises(first, site)) == (
        1,
        {},
        [],
    )
    kept = 0
    for path in (tmp_path / "build/store").glob("*.json"):
        text = path.read_text("utf-8")
        assert "AssertionError: assert number(value) == 3" not in text
        kept += f'"seen": "{HOLDS}"' in text
        path.write_text(text.replace(f'"seen": "{HOLDS}"', f'"seen": "{IS_FALSE}"'))
    assert kept
    second = site.build()
    assert (second.code, uncaught(second, site, LIES)) == (1, {})
    assert warned(second, site) == warned(first, site)


def test_lies_told_to_a_site_in_order(tmp_path: Path) -> None:
    """The next build says everything again."""
    site = ProvedSite(tmp_path, LIES)
    is_in_order(site, site.build())
    site.plant()
    first = site.build()
    assert (first.code, uncaught(first, site, LIES), surprises(first, site)) == (
        1,
        {},
        [],
    )
    second = site.build()
    assert (second.code, uncaught(second, site, LIES)) == (1, {})
    assert warned(second, site) == warned(first, site)
    site.mend()
    is_in_order(site, site.build())


# Told in turns, each to a site in order: nothing else changes then that would have
# every proof looked at again.
QUIET = [
    [
        on_page("orphan", "Two is `2`.", ORPHAN),
        on_page(
            "cited_twice",
            f"{SENTENCE}\n{SENTENCE}",
            "PAGE:5: the proof `cited_twice.two` is already cited at PAGE:4",
        ),
        CITED_ELSEWHERE,
    ],
    [RECIPE],
    [
        Lie(
            "title_elsewhere",
            "docs/pages/zebra.md",
            "# Zebra\n",
            "# Zebra\n\n:::{tip} Two. {proof}`title_elsewhere.two`\nWords.\n:::\n",
            ("docs/pages/zebra.md:",),
            frozenset(),
        ),
    ],
    [
        Lie(
            "owed_no_more",
            "tests/proofs/owed.txt",
            "owed_no_more.two\n",
            "",
            (f"PROOFS:13: {EXPECTATION}",),
            proofs=PROOFS.replace(BODY, "    assert number(2) == value\n"),
        ),
    ],
]


def test_quiet_lies(tmp_path: Path) -> None:
    """Pages or recipes alone change; results, proofs and settings are as they were."""
    site = ProvedSite(tmp_path, [lie for lies in QUIET for lie in lies])
    site.honest["tests/proofs/owed.txt"] = "owed_no_more.two\n"
    site.mend()
    is_in_order(site, site.build())
    for lies in QUIET:
        for lie in lies:
            site.tell(lie)
        first, second = site.build(), site.build()
        assert (first.code, uncaught(first, site, lies)) == (1, {})
        assert (second.code, uncaught(second, site, lies)) == (1, {})
        assert warned(second, site) == warned(first, site)
        site.mend()
        is_in_order(site, site.build())


def test_another_environment_earns_its_own_marks(tmp_path: Path) -> None:
    """What was seen with one backend, or with one Keras, says nothing of another."""
    backend = Lie(
        "backend",
        "PROOFS",
        "",
        "",
        ("PAGE:4: the proof `two` failed: AssertionError: assert number(value) == 2",),
        proofs="import os\n"
        + PROOFS.replace("== 2", "== 2 + len(os.environ.get('KERAS_BACKEND', ''))"),
    )
    legacy = Lie(
        "legacy",
        "PROOFS",
        "",
        "",
        ("PAGE:4: the proof `two` holds outside its range, keras >=3",),
        proofs=PROOFS.replace(MARK, MARK.replace(")", ', keras=">=3")')),
        rows={},
    )
    site = ProvedSite(tmp_path, [backend, legacy])
    site.see({"legacy.two": {"old": {"seen": IS_FALSE, "falsified": None}}})
    is_in_order(site, site.build())
    build = site.build(KERAS_BACKEND="numpy")
    assert (build.code, uncaught(build, site, [backend])) == (1, {})
    build = site.build(TF_USE_LEGACY_KERAS="1")
    assert (build.code, uncaught(build, site, [legacy])) == (1, {})
    is_in_order(site, site.build())


def cut_short(site: ProvedSite) -> None:
    site.write(RESULTS, site.read(RESULTS)[:-40])


def edited(site: ProvedSite) -> None:
    site.edit(RESULTS, f'"seen": "{HOLDS}"', f'"seen": "{IS_FALSE}"')


def missing(site: ProvedSite) -> None:
    (site.folder / RESULTS).unlink()


def of_another_lane(site: ProvedSite) -> None:
    site.write(RESULTS, site.read(RESULTS.replace("old", "new")))


def of_no_shape(site: ProvedSite) -> None:
    site.write(RESULTS, "[]")


def of_another_checkout(site: ProvedSite) -> None:
    """Every row bears the hash of a proof that is not the one that stands here."""
    stale: Mapping[str, object] = {"proof": "0" * 64}
    site.see({f"since.{name}": {"old": stale} for name in ("one", "new", "ten")})


def of_another_environment(site: ProvedSite) -> None:
    path = "tests/proofs/environments.toml"
    site.write(path, site.read(path).replace("==2.13.1", "==2.13.0"))


RESULTS = "tests/proofs/results/old.json"
AGAIN = "run `nox -s versions`"
DAMAGE: list[tuple[Callable[[ProvedSite], None], str]] = [
    (cut_short, f"{RESULTS}:1: WARNING: old.json was cut short"),
    (edited, f"{RESULTS}:1: WARNING: old.json was edited by hand (its checksum "),
    (missing, f"{RESULTS}:1: WARNING: there are no results of old: {AGAIN}"),
    (of_another_lane, f"{RESULTS}:1: WARNING: old.json holds results of 'new': "),
    (of_no_shape, f"{RESULTS}:1: WARNING: old.json has the wrong shape"),
    (
        of_another_checkout,
        f"docs/pages/since.md:3: WARNING: no fresh row of `since.one` on old: {AGAIN}",
    ),
    (
        of_another_environment,
        f"{RESULTS}:1: WARNING: it was made in another environment: {AGAIN}",
    ),
]


def test_results_that_were_not_seen_here(tmp_path: Path) -> None:
    """Each damage is told; a build shows no mark that needs the results, and again."""
    site = ProvedSite(tmp_path, [])
    wrong: dict[str, object] = {}
    for damage, says in DAMAGE:
        damage(site)
        proving = site.proving()
        for proof in proving.proofs.values():
            proving.verdicts.put(proof, Row(proof.hash, HOLDS, falsified=True))
        cited = {name: [("docs/pages/since.md", 3)] for name in proving.proofs}
        faults = {fault.problem for fault in proving.judged(cited)}
        said = [
            f"{problem.page}:{problem.line}: WARNING: {problem.message}"
            for problem in {*faults, *proving.problems}
        ]
        if sum(line.startswith(says) for line in said) != 1:
            wrong[damage.__name__] = said
        site.mend()
    assert wrong == {}
    is_in_order(site, site.build())
    for damage, says in (DAMAGE[0], DAMAGE[0], DAMAGE[-2]):
        damage(site)
        build = site.build()
        said = warned(build, site)
        marks = site.marks("pages/since") + site.marks("pages/zoo")
        told_once = sum(line.startswith(says) for line in said) == 1
        assert (build.code, told_once, marks) == (1, True, []), (damage, said)
        site.mend()


TEN = proofs_of("since")
UNREADABLE = {
    "same_name_twice": (
        "def test_ten(value=10):",
        "def test_one(value=10):",
        f"{TEN}:19: `test_one` is bound twice at the top level",
    ),
    "computed_quote": (
        '"Ten is `10`."',
        'f"Ten is `{10}`."',
        f"{TEN}:18: the quote of `test_ten` must be a plain string",
    ),
    "no_range": (
        '"Ten is `10`."',
        '"Ten is `10`.", keras="3.15"',
        f"{TEN}:18: keras='3.15' is no range; write it like `>=3,<3.13`",
    ),
    "does_not_parse": (
        "assert number(value) == 10",
        "assert number(value) = = 10",
        f"{TEN}:20: syntax error: invalid syntax",
    ),
}


def test_proofs_that_cannot_be_read_or_run(tmp_path: Path) -> None:
    """No mark is shown that depends on them; a build that cannot go on says why."""
    site = ProvedSite(tmp_path, [])
    for old, new, says in UNREADABLE.values():
        with site.changed(TEN, old, new):
            proving = site.proving()
            assert proving.proofs == {}
        (problem,) = proving.problems
        assert str(problem).startswith(says)
    is_in_order(site, site.build())
    old, new, says = UNREADABLE["does_not_parse"]
    with site.changed(TEN, old, new):
        build = site.build()
    assert build.code == 1
    place, _, message = says.partition(": ")
    assert len([w for w in warned(build, site) if w.startswith(f"{place}: WARN")]) == 1
    assert message in build.errors
    assert "Traceback" not in build.errors
    assert site.marks("pages/zoo") == []
    with site.changed(
        TEN, "    assert number(value) == 10", "    import os\n\n    os._exit(0)"
    ):
        build = site.build()
    assert build.code == 1
    assert warned(build, site) == [
        "tests/proofs:1: the proofs could not be run: no message "
        "(exit status 0 at since.ten)"
    ]
    assert "Traceback" not in build.errors


def test_a_table_of_lanes_that_is_broken(tmp_path: Path) -> None:
    site = ProvedSite(tmp_path, [])
    path = "tests/proofs/environments.toml"
    for old, new in [("python =", "pyhton ="), ('name = "new"', 'name = "old"')]:
        with site.changed(path, old, new):
            proving = site.proving()
            assert proving.results == {}
        (problem,) = proving.problems
        assert (problem.page, problem.line) == (path, 1)
        assert problem.message.startswith("environments.toml: lane ")


def test_marks_stand_after_the_sentence_wherever_it_is(tmp_path: Path) -> None:
    """And nothing of them is in the notebook, in the menu or in the page's title."""
    site = ProvedSite(tmp_path, [])
    names = re.findall(r"\{proof\}`(\w+)`", EVERYWHERE)
    head, at, rest = PROOFS.partition("@")
    proof = (at + rest).partition("\n\n\n")[0]
    texts = [proof.replace("_one", f"_{n}").replace("One is", f"{n} is") for n in names]
    site.honest[proofs_of("everywhere")] = head + "\n\n\n".join(texts)
    site.honest["docs/pages/everywhere.md"] = EVERYWHERE
    site.mend()
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    assert site.marks("pages/everywhere") == sorted(names)
    html = site.html("pages/everywhere")
    assert '<section class="proof"' not in html
    links = re.findall(r'<a class="proof-mark" href="([^"]+)"', html)
    assert len(links) == len(names)
    for path, _, name in (link.partition("#") for link in links):
        opened = site.read(f"build/html/pages/{path}")
        assert opened.count(f'<section class="proof" id="{name}"') == 1
    assert "✓" not in html[html.index("<title>") : html.index("</title>")]
    assert "proof" not in str(site.notebook("pages/everywhere")["cells"]).replace(
        "proof of it", ""
    )
    assert "proof-mark" not in site.html("index")


EVERYWHERE = """# heading is `1`. {proof}`heading`

paragraph is `1`. {proof}`paragraph`
behind is *`1`*. {proof}`behind`

- item is `1`. {proof}`item`
  - nested is
    `1`. {proof}`nested`

1. numbered is `1`. {proof}`numbered`

| cell | of a table |
| --- | --- |
| words | row is `1`. {proof}`row` |

:::{note}
note is `1`. {proof}`note`
:::

```{warning}
:class: wide

warning is `1`. {proof}`warning`
```

```{code-cell} python
print("there is a cell")
```
"""

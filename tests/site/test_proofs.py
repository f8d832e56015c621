"""Reading proofs without importing them, what their hash covers, and running them."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from conf.pages.recipes import Package, RecipeError
from conf.proofs.process import Process, ProofsNotRunError
from conf.proofs.source import ProofSource, read
from conf.proofs.verdict import DOES_NOT_RUN, HOLDS, IS_FALSE, Row
from tests.proofs.proves import proves
from tests.site.processes import until
from tests.site.small_site import ROOT, Site

FILE = "tests/proofs/test_gamma.py"
HEAD = "from tests.proofs.proves import proves\n"
MARK = '@proves("A sentence.", false_with={"x": 2})'


def proof(
    site: Site, top: str, body: str, mark: str = MARK, x: str = "1"
) -> ProofSource:
    """The proof `it` of a file that has something on top."""
    lines = body.replace("\n", "\n    ")
    text = f"{HEAD}{top}\n\n\n{mark}\ndef test_it(x={x}):\n    {lines}\n"
    site.write(FILE, text)
    return read(site.folder, Package(site.folder / "mini"))["gamma.it"]


def test_a_proof_is_read_as_its_file_has_it(site: Site) -> None:
    mark = (
        '@proves(\n    "A sentence "\n    "of `two` lines.",\n'
        '    keras=">=3,<4",\n    tensorflow=">=2.16",\n)'
    )
    found = proof(site, "import math", "assert x == 1", mark)
    assert found.id == "gamma.it"
    assert found.quote == "A sentence of `two` lines."
    assert (found.keras, found.tensorflow) == (">=3,<4", ">=2.16")
    assert not found.has_falsifier
    assert (found.path, found.line) == (FILE, 5)
    assert found.source == f"{mark}\ndef test_it(x=1):\n    assert x == 1"


def test_proofs_of_all_files_are_found_and_nothing_else(site: Site) -> None:
    proof(site, "def test_plain():\n    assert True", "assert x")
    site.write(
        "tests/proofs/test_beta.py", HEAD + f"\n{MARK}\ndef test_a(x=1):\n    x\n"
    )
    site.write("tests/proofs/other.py", HEAD + f"\n{MARK}\ndef test_b(x=1):\n    x\n")
    found = read(site.folder, Package(site.folder / "mini"))
    assert sorted(found) == ["beta.a", "gamma.it"]


@pytest.mark.parametrize(
    ("mark", "has"),
    [
        (MARK, True),
        ('@proves("A sentence.", keras=">=3")', False),
        ('@proves("A sentence.", keras=">=3", false_with={"x": 2})', True),
    ],
)
def test_a_falsifier_is_seen(site: Site, mark: str, has: bool) -> None:
    assert proof(site, "", "assert x", mark).has_falsifier is has


@pytest.mark.parametrize(
    ("body", "has"),
    [
        ("assert x == 1", True),
        ("for y in (1, 2):\n    assert x == y", True),
        ("with pytest.raises(ValueError):\n    int(x)", True),
        ("with pytest.warns(UserWarning):\n    int(x)", True),
        ("assert True", False),
        ("assert 1, 'words'", False),
        ("x == 1", False),
        ("print(x)", False),
        ("'''assert x'''", False),
    ],
)
def test_an_assertion_is_seen(site: Site, body: str, has: bool) -> None:
    assert proof(site, "import pytest", body).has_assertion is has


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ('@proves(f"A {1}.", keras=">=3")', "the quote of `test_it` must be a plain "),
        ('@proves("A " + "b.", keras=">=3")', "the quote of `test_it` must be a plain"),
        ('@proves(QUOTE, keras=">=3")', "the quote of `test_it` must be a plain str"),
        ("@proves(3)", "the quote of `test_it` must be a plain string"),
        ('@proves(keras=">=3")', "the quote of `test_it` must be a plain string"),
        ('@proves("A.", keras=RANGE)', "the keras of `test_it` must be a plain string"),
        ('@proves("A.", tensorflow=3)', "the tensorflow of `test_it` must be a plain "),
        ('@proves("A.", keras="3.1")', "keras='3.1' is no range; write it like `>=3,"),
        (
            '@proves("A.", keras=">=3", needs=RANGE)',
            "the needs of `test_it` must be a ",
        ),
        (
            '@proves("A.", keras=">=3", needs=">=3")',
            "needs='>=3' is no range; write it",
        ),
        (
            '@proves("A.", keras=">=3", needs="numpy>=2")',
            "needs='numpy>=2' is no range",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    site: Site, mark: str, message: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        proof(site, "QUOTE = RANGE = '>=3'", "assert x", mark)
    assert str(caught.value).startswith(f"{FILE}:5: {message}")


def test_a_name_stands_once(site: Site) -> None:
    again = f"{MARK}\ndef test_it(x=1):\n    assert x"
    with pytest.raises(
        RecipeError, match=r"^tests/proofs/test_gamma.py:\d+: `test_it`"
    ):
        proof(site, again, "assert x")


def test_a_file_that_does_not_parse_is_named(site: Site) -> None:
    with pytest.raises(RecipeError, match=rf"^{FILE}:7: syntax error"):
        proof(site, "", "assert x = = 1")


# The same proof

BODY = "assert x == 1"
RANGED = MARK.replace(")", ', keras=">=3")')


@pytest.mark.parametrize(
    ("top", "body", "mark"),
    [
        ("", BODY, MARK.replace("A sentence", "Other words")),
        ("", BODY, MARK.replace('"A sentence."', '"A " "sentence."')),
        ("# A comment.\n\n\n# And lines.", BODY, MARK),
        ("", f"# A comment.\n{BODY}  # And another.", MARK),
        ("", "assert (x\n    == 1)", MARK),
        ("", f"'Words.'\n{BODY}", MARK),
        ("", BODY, RANGED),
        ("", BODY, RANGED.replace(">=3", "<3")),
        ("", BODY, RANGED.replace("keras", "tensorflow")),
        ("", BODY, MARK.replace(")", ', needs="keras>=3 and tensorflow>=2.16")')),
        ("def test_other():\n    assert 3", BODY, MARK),
        (MARK + "\ndef test_other(x=3):\n    assert x", BODY, MARK),
        ("def unused():\n    return 3", BODY, MARK),
        ("UNUSED = 3", BODY, MARK),
    ],
)
def test_what_cannot_change_a_verdict_leaves_the_hash(
    site: Site, top: str, body: str, mark: str
) -> None:
    assert proof(site, top, body, mark).hash == proof(site, "", BODY).hash


# Another proof


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("", "assert x == 1"), ("", "assert x == 1.0")),
        (("", BODY, MARK, "1"), ("", BODY, MARK, "True")),
        (("", BODY), ("", BODY, MARK.replace("2", "3"))),
        (("", BODY, RANGED), ("", BODY, '@proves("A sentence.", keras=">=3")')),
        (("", BODY), ("", BODY, f"@staticmethod\n{MARK}")),
        (("Y = 1", "assert x == Y"), ("Y = 2", "assert x == Y")),
        (("Y, Z = 1, 1", "assert x == Y"), ("Y, Z = 2, 1", "assert x == Y")),
        (("Y = {}\nY[1] = 1", "assert Y"), ("Y = {}\nY[1] = 2", "assert Y")),
        (("if 1:\n    Y = 1", "assert Y"), ("if 1:\n    Y = 2", "assert Y")),
        (("for Y in (1,): ...", "assert Y"), ("for Y in (2,): ...", "assert Y")),
        (
            ("try:\n    Y = 1\nfinally: ...", "assert Y"),
            ("try:\n    Y = 2\nfinally: ...", "assert Y"),
        ),
        (("import os\nos.umask(1)", BODY), ("import os\nos.umask(2)", BODY)),
        (
            ("Y = 2", BODY, MARK.replace("2", "Y")),
            ("Y = 3", BODY, MARK.replace("2", "Y")),
        ),
        (("Y = 1", BODY, MARK, "Y"), ("Y = 2", BODY, MARK, "Y")),
        (
            ("def f(y): return y", "assert f(x)"),
            ("def f(y): return -y", "assert f(x)"),
        ),
        (
            ("def g(): return 1\ndef f(): return g()", "assert f()"),
            ("def g(): return 2\ndef f(): return g()", "assert f()"),
        ),
        (
            ("class A:\n    y = 1\nclass B(A): ...", "assert B.y"),
            ("class A:\n    y = 2\nclass B(A): ...", "assert B.y"),
        ),
        (
            ("from math import sin as f", "assert f(x)"),
            ("from math import cos as f", "assert f(x)"),
        ),
        (("import math as m", "assert m.e"), ("import cmath as m", "assert m.e")),
        (("", "import math as m\nassert m.e"), ("", "import cmath as m\nassert m.e")),
    ],
)
def test_what_can_change_a_verdict_changes_the_hash(
    site: Site, one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert proof(site, *one).hash != proof(site, *other).hash


@pytest.mark.parametrize("path", ["mini/alpha.py", "mini/data.py"])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(
    ("statement", "use"),
    [
        ("from mini.alpha import area", "area(x)"),
        ("from mini.alpha import area as a", "a(x)"),
        ("from mini import alpha", "alpha.area(x)"),
        ("from mini import alpha as a", "a.area(x)"),
        ("import mini.alpha", "mini.alpha.area(x)"),
        ("import mini.alpha as a", "a.area(x)"),
        ("import mini", "mini.alpha.area(x)"),
    ],
)
def test_a_recipe_changes_the_hash_of_the_proofs_that_reach_it(
    site: Site, statement: str, use: str, nested: bool, path: str
) -> None:
    """Directly, and through the modules it imports, however it is imported."""
    top, body = ("", f"{statement}\n") if nested else (statement, "")
    before = proof(site, top, f"{body}assert {use}").hash
    with site.changed(path, "FACTOR", "MULTIPLE"):
        assert proof(site, top, f"{body}assert {use}").hash != before
    assert proof(site, top, f"{body}assert {use}").hash == before


def test_a_recipe_that_a_helper_or_another_function_imports(site: Site) -> None:
    """Two functions bind one name to two recipes; both count."""
    helpers = (
        "def f():\n    from mini.alpha import area as it\n\n    return it(1)\n\n\n"
        "def g():\n    from mini.gamma import greeting as it\n\n    return it('x')"
    )
    for path, old, uses in [
        ("mini/alpha.py", "FACTOR * side", ["f()", "f() + g()"]),
        ("mini/gamma.py", "hello", ["g()", "f() + g()"]),
    ]:
        for use in uses:
            before = proof(site, helpers, f"assert {use}").hash
            with site.changed(path, old, "1"):
                assert proof(site, helpers, f"assert {use}").hash != before, (path, use)


def test_a_recipe_out_of_reach_leaves_the_hash(site: Site) -> None:
    top, body = "from mini.alpha import area", "assert area(x)"
    before = proof(site, top, body).hash
    with site.changed("mini/gamma.py", "hello", "hallo"):
        assert proof(site, top, body).hash == before


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("from tests.proofs.helper import f", "assert f(x) == 1"),
        ("from tests.proofs import helper", "assert helper.f(x) == 1"),
        ("", "from tests.proofs.test_other import g\nassert g(x) == 1"),
    ],
)
def test_a_helper_beside_the_proofs_is_not_forgotten(
    site: Site, top: str, body: str
) -> None:
    site.write("tests/proofs/helper.py", "def f(x):\n    return x\n")
    site.write(
        "tests/proofs/test_other.py",
        f"{HEAD}from tests.proofs.helper import f\n\n\ndef g(x):\n    return f(x)\n",
    )
    before = proof(site, top, body).hash
    with site.changed("tests/proofs/helper.py", "return x", "return 2"):
        assert proof(site, top, body).hash != before


def test_a_recipe_that_only_a_program_uses_changes_the_hash(site: Site) -> None:
    body = "program = 'from mini.alpha import area; area(1)'\nassert program"
    before = proof(site, "", body).hash
    with site.changed("mini/data.py", "FACTOR = 3", "FACTOR = 4"):
        assert proof(site, "", body).hash != before
    with site.changed("mini/alpha.py", "Return the area", "Return something"):
        assert proof(site, "", body).hash == before


# The frame of a file: what has to go well before any of its proofs can run

TOP = "import math\n\nONE = 1"


@pytest.mark.parametrize(
    ("top", "body", "mark", "is_same"),
    [
        (TOP, "assert x == 3", MARK, True),
        (TOP, BODY, RANGED.replace("A sentence", "Other words"), True),
        (f"'Words.'\n# A comment.\n{TOP}", BODY, MARK, True),
        (TOP, BODY, MARK.replace("2", "3"), False),
        (TOP, BODY, f"@staticmethod\n{MARK}", False),
        (TOP.replace("math", "cmath"), BODY, MARK, False),
        (TOP.replace("= 1", "= 2"), BODY, MARK, False),
        (f"{TOP}\nprint(ONE)", BODY, MARK, False),
        (f"{TOP}\n\n\ndef helper(): ...", BODY, MARK, False),
    ],
)
def test_a_frame_is_what_importing_the_file_does(
    site: Site, top: str, body: str, mark: str, is_same: bool
) -> None:
    before = proof(site, TOP, BODY).frame
    assert (proof(site, top, body, mark).frame == before) is is_same


# Running

RUN = """
import os
import pathlib
import time

import pytest

from tests.proofs.proves import proves


@proves("Holds.", false_with={"x": 2})
def test_holds(x=1):
    assert x == 1


@proves("Fails.", false_with={"x": 2})
def test_fails(x=0):
    assert x == 1, f"it is {x}"


@proves("Crashes.", false_with={"x": 2})
def test_crashes(x=0):
    assert 1 / x


@proves("Raises.", false_with={"kind": KeyError})
def test_raises(kind=ValueError):
    with pytest.raises(kind):
        int("words")


@proves("Does not raise.", false_with={"text": "2"})
def test_does_not_raise(text="words"):
    with pytest.raises(ValueError):
        int(text)


@proves("Holds anyway.", false_with={"x": 2})
def test_holds_anyway(x=1):
    assert x


@proves("Its falsifier crashes.", false_with={"x": "words"})
def test_falsifier_crashes(x=1):
    assert x + 1 == 2


@proves("Its falsifier names nothing.", false_with={"y": 2})
def test_falsifier_of_nothing(x=1):
    assert x == 1


@proves("Its falsifier skips.", false_with={"x": 2})
def test_falsifier_skips(x=1):
    if x == 2:
        pytest.skip("no")
    assert x == 1


@proves("Exits.", false_with={"x": 2})
def test_exits(x=1):
    raise SystemExit(0)


@proves("Has a range.", keras=">=3")
def test_has_a_range(x=1):
    assert x == 1


@proves("Prints.", false_with={"x": 2})
def test_prints(x=1):
    print('{"verdict": "run.holds"}')
    os.write(1, b"words")
    assert x == 1


@proves("Dies.", false_with={"x": 2})
def test_dies(x=1):
    os.kill(os.getpid(), 11)
    assert x == 1


@proves("Leaves.", false_with={"x": 2})
def test_leaves(x=1):
    os._exit(3)
    assert x == 1


@proves("Hangs.", false_with={"x": 2})
def test_hangs(x=1):
    pathlib.Path("hangs").touch()
    time.sleep(600)
    assert x == 1


def test_is_no_proof():
    assert True


@proves("Comes last.", false_with={"x": 2})
def test_comes_last(x=1):
    assert x == 1
"""

REFUSED = """
from tests.proofs.proves import proves


@proves("Fine.", false_with={"x": 2})
def test_fine(x=1):
    assert x == 1


@proves("Nobody can see it fail.")
def test_never_fails(x=1):
    assert x == 1
"""

# seen, error, falsified, falsifier_error
SEEN = {
    "run.holds": (HOLDS, "", True, "AssertionError: assert x == 1"),
    "run.fails": (IS_FALSE, "AssertionError: it is 0", None, ""),
    "run.crashes": (DOES_NOT_RUN, "ZeroDivisionError: division by zero", None, ""),
    "run.raises": (
        HOLDS,
        "",
        None,
        "ValueError: invalid literal for int() with base 10",
    ),
    "run.does_not_raise": (HOLDS, "", True, "Failed: DID NOT RAISE"),
    "run.holds_anyway": (HOLDS, "", False, "it holds under its falsifier"),
    "run.falsifier_crashes": (HOLDS, "", None, "TypeError: can only concatenate str"),
    "run.falsifier_of_nothing": (
        HOLDS,
        "",
        None,
        "TypeError: test_falsifier_of_nothing",
    ),
    "run.falsifier_skips": (HOLDS, "", None, "Skipped: no"),
    "run.exits": (DOES_NOT_RUN, "SystemExit: 0", None, ""),
    "run.has_a_range": (HOLDS, "", None, ""),
    "run.is_no_proof": (DOES_NOT_RUN, "AttributeError: ", None, ""),
    "run.is_not_there": (DOES_NOT_RUN, "KeyError: 'test_is_not_there'", None, ""),
    "refused.fine": (
        DOES_NOT_RUN,
        "ValueError: nobody can see this proof fail",
        None,
        "",
    ),
    "refused.never_fails": (
        DOES_NOT_RUN,
        "ValueError: nobody can see this proof",
        None,
        "",
    ),
    "parse.it": (DOES_NOT_RUN, "SyntaxError: invalid syntax", None, ""),
    "imports.it": (
        DOES_NOT_RUN,
        "ModuleNotFoundError: No module named 'nothing'",
        None,
        "",
    ),
    "absent.it": (
        DOES_NOT_RUN,
        "ModuleNotFoundError: No module named 'tests.proofs",
        None,
        "",
    ),
    "run.prints": (HOLDS, "", True, "AssertionError: assert x == 1"),
    "run.comes_last": (HOLDS, "", True, "AssertionError: assert x == 1"),
}

STUB = """
from types import SimpleNamespace

__version__ = "2.21.0"
keras = SimpleNamespace(
    __version__="3.15.1",
    layers=SimpleNamespace(Layer=type("Layer", (), {"__module__": "tensorflow.keras"})),
    backend=SimpleNamespace(clear_session=lambda: None),
    utils=SimpleNamespace(set_random_seed=lambda seed: None),
)
"""


def run(site: Site, *names: str) -> tuple[int, list[dict[str, Any]]]:
    """Run proofs as the build does: the exit status, and what was said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.proofs.run", *names],
        cwd=site.folder,
        env={**os.environ, "PYTHONPATH": str(site.folder)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with proofs of every kind, and a TensorFlow without content."""
    site = Site(tmp_path_factory.mktemp("site"))
    for name in ("proves", "run"):
        path = f"tests/proofs/{name}.py"
        site.write(path, (ROOT / path).read_text("utf-8"))
    site.write("tensorflow/__init__.py", STUB)
    site.write("tests/proofs/test_run.py", RUN)
    site.write("alone/tests/proofs/test_run.py", RUN)  # without what does not parse
    site.write("tests/proofs/test_refused.py", REFUSED)
    site.write("tests/proofs/test_parse.py", "x = = 1\n")
    site.write("tests/proofs/test_imports.py", "import nothing\n")
    return site


@pytest.fixture(scope="module")
def said(runner: Site) -> list[dict[str, Any]]:
    """What is said while everything in `SEEN` runs."""
    code, said = run(runner, *SEEN)
    assert code == 0
    return said


@pytest.mark.parametrize("name", SEEN)
def test_a_proof_is_judged(said: list[dict[str, Any]], name: str) -> None:
    """One that cannot be run stops no other."""
    expected, error, falsified, falsifier_error = SEEN[name]
    (seen,) = [line for line in said if line.get("verdict") == name]
    assert (seen["seen"], seen["falsified"]) == (expected, falsified)
    assert seen["error"].startswith(error)
    assert bool(seen["error"]) == bool(error)
    assert seen["falsifier_error"].startswith(falsifier_error)
    assert 0 <= seen["seconds"] < 60


def test_the_environment_is_said_first_and_the_beginning_of_each_proof(
    said: list[dict[str, Any]],
) -> None:
    environment = said[0]["environment"]
    assert environment["tf.keras"] == "2.21.0"
    assert {"python", "numpy", "tensorflow"} <= set(environment)
    kinds = [next(iter(line)) for line in said[1:]]
    assert kinds == ["begins", "verdict"] * len(SEEN)
    assert [line["begins"] for line in said[1::2]] == list(SEEN)


def test_what_takes_python_down_leaves_the_verdicts_before_it(runner: Site) -> None:
    code, said = run(runner, "run.holds", "run.leaves", "run.comes_last")
    assert code == 3
    assert [next(iter(line.items())) for line in said[1:]] == [
        ("begins", "run.holds"),
        ("verdict", "run.holds"),
        ("begins", "run.leaves"),
    ]


class Rows(dict[str, Row]):
    """Rows by name, as a process hands them over."""

    def put(self, proof: ProofSource, row: Row) -> None:
        assert row.proof == proof.hash
        self[proof.name] = row


def process(runner: Site, rows: Rows, *names: str) -> Process:
    """The proofs of these names in a process of their own, not yet begun."""
    parsed = read(runner.folder / "alone", Package(runner.folder / "alone/mini"))
    wanted = [parsed[f"run.{name}"] for name in names]
    return Process(sys.executable, runner.folder, wanted, {}, rows.put)


def test_a_process_that_dies_is_replaced_and_says_where_it_died(
    runner: Site,
) -> None:
    rows = Rows()
    process(runner, rows, "holds", "dies", "fails", "comes_last").start().finish()
    assert [(name, row.seen) for name, row in rows.items()] == [
        ("holds", HOLDS),
        ("dies", DOES_NOT_RUN),
        ("fails", IS_FALSE),
        ("comes_last", HOLDS),
    ]
    assert rows["dies"].error == "Python died of it: SIGSEGV"
    assert rows["holds"].falsified
    assert rows["holds"].was_seen_failing
    assert rows["fails"].was_seen_failing
    assert not rows["dies"].was_seen_failing


def test_a_process_that_leaves_is_no_verdict(runner: Site) -> None:
    rows = Rows()
    begun = process(runner, rows, "holds", "leaves", "comes_last").start()
    with pytest.raises(ProofsNotRunError, match=r"\(exit status 3 at run\.leaves\)$"):
        begun.finish()
    assert list(rows) == ["holds"]


def test_a_proof_over_its_limit_is_ended_and_no_other(runner: Site) -> None:
    """The limit is set once the proof hangs, so that nothing else can exceed it."""
    hangs = runner.folder / "hangs"

    class Limited(Rows):
        def put(self, proof: ProofSource, row: Row) -> None:
            super().put(proof, row)
            if proof.name == "holds":
                until(hangs.exists, "the proof `hangs` to begin")
                begun.seconds = 1
            else:
                begun.seconds = 300

    rows = Limited()
    begun = process(runner, rows, "holds", "hangs", "comes_last")
    begun.start().finish()
    assert [(name, row.seen) for name, row in rows.items()] == [
        ("holds", HOLDS),
        ("hangs", DOES_NOT_RUN),
        ("comes_last", HOLDS),
    ]
    assert rows["hangs"].error == "took longer than 1 s"


def test_a_process_that_is_stopped_hands_nothing_more_over(runner: Site) -> None:
    (runner.folder / "hangs").unlink(missing_ok=True)
    rows = Rows()
    begun = process(runner, rows, "holds", "hangs", "comes_last").start()
    until((runner.folder / "hangs").exists, "the proof `hangs` to begin")
    begun.stop()
    begun.finish()
    assert list(rows) == ["holds"]


def test_a_python_that_cannot_begin_says_why(runner: Site) -> None:
    begun = process(runner, Rows(), "holds")
    begun.root = runner.folder / "alone"
    with pytest.raises(
        ProofsNotRunError, match=r"No module named tests\.proofs\.run \(exit status 1\)"
    ):
        begun.start().finish()


def test_a_proof_that_nobody_can_see_fail_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"nobody can see this proof fail: .* 'A fact.'"
    ):
        proves("A fact.")
    with pytest.raises(ValueError, match="nobody can see this proof fail"):
        proves("A fact.", false_with={})


def test_a_proof_is_noted_on_its_test() -> None:
    @proves("A fact.", false_with={"x": 2}, keras=">=3", tensorflow=">=2.16")
    def test_it(x: int = 1) -> None:
        assert x == 1

    noted = vars(test_it)["proof"]
    assert (noted.quote, noted.false_with) == ("A fact.", {"x": 2})
    assert (noted.keras, noted.tensorflow) == (">=3", ">=2.16")
    assert noted.test is test_it

"""What code reaches, and what leaves its hash as it is."""

import ast
import hashlib
from pathlib import Path

import pytest

from conf.pages.reach import Reach, acts_on_import, canonical
from conf.pages.recipes import Package

ONE = '''\
"""A module."""

from mini.two import TWO, double


def it(x):
    """Return more.

    Much more.
    """
    # A comment.
    return double(x) + TWO


def neighbor():
    return 1
'''

TWO = """\
import math

from .three import half

TWO = 2
UNUSED = 3


def double(x):
    return 2 * half(x) + math.pi
"""

FILES = {
    "__init__.py": "VERSION = 1\n",
    "one.py": ONE,
    "two.py": TWO,
    "three.py": "def half(x):\n    return x / 2\n\ndef quarter(x):\n    return x / 4\n",
    "four.py": "def table():\n    return 'a.csv'\n\ndef other():\n    return 'b.csv'\n",
    "a.csv": "1,2\n",
    "b.csv": "3,4\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package whose recipes reach each other, and two files of data."""
    folder = tmp_path / "mini"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def digest(folder: Path, dotted: str = "mini.one.it") -> str:
    """The hash of a recipe and of all that it reaches."""
    package = Package(folder)
    module, name = package.place(dotted)
    return Reach(package).digest(module, [module.objects[name]])


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text("utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), "utf-8")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("one.py", "Much more.", "Other words."),
        ("one.py", '    """Return more.\n\n    Much more.\n    """\n', ""),
        ("one.py", "# A comment.", "# Other words."),
        ("one.py", '"""A module."""\n\n', ""),
        ("one.py", "double(x) + TWO", "(\n        double(x)\n        + TWO\n    )"),
        ("one.py", "return 1", "return 2"),
        ("one.py", "def neighbor():", "def renamed():"),
        ("two.py", "UNUSED = 3", "UNUSED = 4"),
        ("two.py", "UNUSED = 3", "UNUSED: int = 4"),
        ("two.py", "import math\n", "import math\nimport os\n"),
        ("three.py", "x / 4", "x / 5"),
        ("four.py", "'a.csv'", "'b.csv'"),
        ("__init__.py", "VERSION = 1", "VERSION = 2"),
        ("__init__.py", "VERSION = 1", "from mini.four import table"),
        ("a.csv", "1,2", "1,3"),
    ],
)
def test_what_cannot_change_what_runs_leaves_the_hash(
    folder: Path, path: str, old: str, new: str
) -> None:
    before = digest(folder)
    edit(folder, path, old, new)
    assert digest(folder) == before


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("one.py", "+ TWO", "- TWO"),
        ("one.py", "def it(x)", "def it(x, y=1)"),
        ("one.py", "def it(x)", "@print\ndef it(x)"),
        (
            "one.py",
            '    """Return more.',
            '    print("""Return more.""")\n    """More.',
        ),
        ("two.py", "TWO = 2", "TWO = 2.0"),
        ("two.py", "import math", "import cmath as math"),
        ("two.py", "UNUSED = 3", "print(3)"),
        ("two.py", "UNUSED = 3", "UNUSED = {}\nUNUSED[1] = 2"),
        ("three.py", "x / 2", "x / 3"),
        ("three.py", "def quarter", "import os\n\nos.umask(1)\n\n\ndef quarter"),
        ("__init__.py", "VERSION = 1", "print('imported')"),
        ("__init__.py", "VERSION = 1", "if True:\n    VERSION = 1"),
        ("__init__.py", "VERSION = 1", "for VERSION in (1, 2): ..."),
    ],
)
def test_what_can_change_what_runs_changes_the_hash(
    folder: Path, path: str, old: str, new: str
) -> None:
    """An acting statement of every module that is imported counts, used or not."""
    before = digest(folder)
    edit(folder, path, old, new)
    assert digest(folder) != before


def test_a_module_that_is_renamed_behind_its_face_is_the_same(folder: Path) -> None:
    (folder / "guide").mkdir()
    (folder / "guide/__init__.py").write_text("from mini.guide.first import it\n")
    (folder / "guide/first.py").write_text(ONE)
    before = digest(folder, "mini.guide.it")
    (folder / "guide/first.py").rename(folder / "guide/second.py")
    edit(folder, "guide/__init__.py", "first", "second")
    assert digest(folder, "mini.guide.it") == before
    edit(folder, "guide/second.py", "+ TWO", "- TWO")
    assert digest(folder, "mini.guide.it") != before


@pytest.mark.parametrize("name", ["two", "three"])
@pytest.mark.parametrize(
    "body",
    [
        "from mini.two import double\nreturn double(x)",
        "from mini.two import double as d\nreturn d(x)",
        "from mini import two\nreturn two.double(x)",
        "from . import two\nreturn two.double(x)",
        "import mini.two\nreturn mini.two.double(x)",
        "import mini.two as two\nreturn two.double(x)",
        "import mini\nreturn mini.two.double(x)",
        "from mini.face import double\nreturn double(x)",
        "import mini.face\nreturn mini.face.double(x)",
        "if x:\n    from mini.two import double\nelse:\n    from mini.four import "
        "table as double\nreturn double(x)",
        "if x:\n    from mini.four import table as f\nelse:\n    from mini.two import "
        "double as f\nreturn f(x)",
        "program = 'from mini.two import double; double(1)'",
        "program = 'from mini.two import (double, TWO)'",
        "program = 'import mini.two; mini.two.double(1)'",
        "program = '''\nfrom mini.two import double\n\ndouble(1)\n'''",
        "program = 'mini.two.double'",
        "program = f'from mini.two import double; double({x})'",
        "program = f'import mini.two; mini.two.double({x})'",
        "return lambda: [__import__('mini.two.double') for _ in x]",
    ],
)
def test_a_definition_is_reached_however_it_is_named(
    folder: Path, body: str, name: str
) -> None:
    """Inside a function, through a re-export, and in a program that is a string."""
    lines = body.replace("\n", "\n    ")
    (folder / "face.py").write_text("from mini.two import double\n")
    (folder / "new.py").write_text(f"def it(x):\n    {lines}\n")
    before = digest(folder, "mini.new.it")
    old, new = {"two": ("2 * half", "3 * half"), "three": ("x / 2", "x / 3")}[name]
    edit(folder, f"{name}.py", old, new)
    assert digest(folder, "mini.new.it") != before


def test_a_program_in_a_string_reaches_what_it_imports_alone(folder: Path) -> None:
    (folder / "new.py").write_text("it = 'from mini.three import half; half(1)'\n")
    before = digest(folder, "mini.new.it")
    edit(folder, "three.py", "x / 4", "x / 5")
    assert digest(folder, "mini.new.it") == before


def test_a_file_of_data_is_reached_by_the_recipe_that_names_it(folder: Path) -> None:
    before = digest(folder, "mini.four.table")
    edit(folder, "b.csv", "3", "4")
    assert digest(folder, "mini.four.table") == before
    edit(folder, "a.csv", "1", "4")
    assert digest(folder, "mini.four.table") != before


def test_a_folder_of_data_is_reached_by_the_code_that_names_it(folder: Path) -> None:
    seen = folder.parent / "seen"
    seen.mkdir()
    (seen / "one.json").write_text("1")
    (folder / "five.py").write_text("IT = 'a/seen'\n\n\ndef it():\n    return IT\n")

    def digests() -> list[str]:
        package = Package(folder)
        reach = Reach(package, folders={"a/seen": seen})
        places = map(package.place, ("mini.five.it", "mini.four.table"))
        return [reach.digest(m, [m.objects[name]]) for m, name in places]

    before = digests()
    assert digests() == before
    (seen / "two.json").write_text("2")
    after = digests()
    assert after[0] != before[0]
    assert after[1] == before[1]


@pytest.mark.parametrize(
    "body",
    [
        "import inspect\n    return inspect.getsource(it)",
        "from inspect import getsource\n    return getsource(it)",
        "import inspect\n    return inspect.getdoc(it)",
        "return it.__doc__",
        "import linecache\n    return linecache.getline(it)",
    ],
)
@pytest.mark.parametrize("old", ["Much more.", "# A comment."])
def test_who_reads_texts_gets_the_texts(folder: Path, body: str, old: str) -> None:
    text = f"from mini.one import it\n\n\ndef shown():\n    {body}\n"
    (folder / "new.py").write_text(text)
    before, plain = digest(folder, "mini.new.shown"), digest(folder)
    edit(folder, "one.py", old, old.replace("m", "M"))
    assert digest(folder, "mini.new.shown") != before
    assert digest(folder) == plain


def test_recipes_that_reach_each_other_have_a_hash(folder: Path) -> None:
    (folder / "new.py").write_text(
        "def even(n):\n    return odd(n - 1)\n\n\ndef odd(n):\n    return even(n - 1)\n"
    )
    before = digest(folder, "mini.new.even")
    edit(folder, "new.py", "even(n - 1)", "even(n - 3)")
    assert digest(folder, "mini.new.even") != before


# Written down with one Python, and the same on every other.
SYNTAX = '''\
import os.path as p
from mini.two import TWO as T


@decorated(1, key="value")
class Thing(Base):
    """Words."""

    x: int = -1


async def f(a, /, b: "int" = 2, *c, d=b"\\x00", **e) -> None:
    """Words."""
    x = f"{a!r:>{b}} and {{c}} {d=}" f"{e}"
    y = 1_000 + 0x10 + 1.5e3 + 2j
    match a:
        case {"k": [1, *rest], **more} if rest:
            pass
        case Thing(x=1) | None:
            pass
    async with a as (b, c), d:
        await x
    try:
        yield {*a, 1}, {**b}, [i async for i in c if (n := i)]
    except (ValueError, TypeError) as error:
        raise error from None
    finally:
        del x
    return lambda *, k=...: k[1:2, ::3]
'''


def test_the_text_of_code_is_the_same_on_every_python() -> None:
    text = canonical(ast.parse(SYNTAX))
    assert hashlib.sha256(text.encode()).hexdigest()[:20] == "062d0fc6128c50c0eb10"


@pytest.mark.parametrize(
    ("statement", "acts"),
    [
        ("import os", False),
        ("from os import path", False),
        ("def f(): ...", False),
        ("class C: ...", False),
        ("'words'", False),
        ("X = 1", False),
        ("X = Y = f()", False),
        ("X: int = 1", False),
        ("X: int", False),
        ("X.y = 1", True),
        ("X[0] = 1", True),
        ("X += 1", True),
        ("X, Y = 1, 2", True),
        ("f()", True),
        ("if X: ...", True),
        ("del X", True),
        ("with X: ...", True),
        ("with X:\n import os\n f()", True),
        ("with X:\n import os\n from os import path", False),
        ("async def f(): ...", False),
    ],
)
def test_a_statement_acts_if_it_does_more_than_to_bind_a_name(
    statement: str, acts: bool
) -> None:
    assert acts_on_import(ast.parse(statement).body[0]) is acts

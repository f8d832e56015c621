"""A small site with proofs, seen on two lanes, in which lies can be told."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from conf.pages.recipes import Package
from conf.proofs.proving import Proving
from conf.proofs.source import read
from conf.proofs.verdict import (
    HOLDS,
    Results,
    Row,
    expected,
    is_meant_for,
    lanes,
    made,
    results_of,
    save,
)
from conf.store import Store
from tests.site.small_site import ROOT, Build, Site, page

TENSORFLOW = """
import importlib
import os

_is_old = os.environ.get("TF_USE_LEGACY_KERAS") == "1"
keras = importlib.import_module("tf_keras" if _is_old else "keras")
__version__ = "2.21.0"
"""

KERAS = """
from types import SimpleNamespace

__version__ = "{version}"
layers = SimpleNamespace(Layer=type("Layer", (), {{"__module__": "{name}.layers"}}))
backend = SimpleNamespace(clear_session=lambda: None)
utils = SimpleNamespace(set_random_seed=lambda seed: None)
"""

LANES = """
requirements = []

[[lane]]
name = "old"
python = "3.11"
requirements = ["tensorflow-cpu==2.13.1"]
gates = true

[[lane]]
name = "new"
python = "3.11"
requirements = ["tensorflow-cpu==2.21.0"]
gates = true

[[lane]]
name = "nightly"
python = "3.11"
requirements = ["tf-nightly"]
gates = false
"""

INSTALLED = {
    "old": {"python": "3.11", "tensorflow-cpu": "2.13.1", "tf.keras": "2.13.1"},
    "new": {"python": "3.11", "tensorflow-cpu": "2.21.0", "tf.keras": "3.15.1"},
}

# An honest page, and its proofs. The lines are 3 and 4 there, 8 and 13 here.
PAGE = """# Title

One is `1`. {proof}`one`
Two is `2`. {proof}`two`
"""

PROOFS = """from tests.proofs.proves import proves


def number(value):
    return value


@proves("One is `1`.", false_with={"value": 0})
def test_one(value=1):
    assert number(value) == 1


@proves("Two is `2`.", false_with={"value": 0})
def test_two(value=2):
    assert number(value) == 2
"""

SENTENCE = "Two is `2`. {proof}`two`"
MARK = '@proves("Two is `2`.", false_with={"value": 0})'
BODY = "    assert number(value) == 2\n"
TEST = f"{MARK}\ndef test_two(value=2):\n{BODY}"


@dataclass(frozen=True)
class Lie:
    """One lie.

    Attributes:
        name: what it is; the stem of its page and proofs.
        where: the file in which it is told, `PAGE`, `PROOFS` or a path.
        old: what stands there in the honest site.
        new: what stands there now.
        says: the warnings, `place: text`, with `PAGE` and `PROOFS` for the files; MyST
            knows the line of some places only roughly.
        hidden: the marks that must not be shown.
        rows: what is different in the rows of a lane for `two`; None for no row.
        proofs: the honest proofs.
    """

    name: str
    where: str
    old: str
    new: str
    says: tuple[str, ...]
    hidden: frozenset[str] = frozenset({"two"})
    rows: Mapping[str, Mapping[str, object] | None] = field(default_factory=dict)
    proofs: str = PROOFS

    @property
    def files(self) -> dict[str, str]:
        return {"PAGE": f"docs/pages/{self.name}.md", "PROOFS": proofs_of(self.name)}

    @property
    def path(self) -> str:
        return self.files.get(self.where, self.where)

    @property
    def warnings(self) -> list[str]:
        found = []
        for line in self.says:
            for word, path in self.files.items():
                line = line.replace(word, path)
            place, colon, text = line.replace("STEM", self.name).partition(": ")
            found.append(f"{place}: WARNING: {text}" if colon else place)
        return found

    @property
    def shown(self) -> list[str]:
        return sorted({"one", "two"} - self.hidden)


def proofs_of(stem: str) -> str:
    return f"tests/proofs/test_{stem}.py"


BASE = {
    "mini/data.py": "FACTOR = 3\nTWO = 2\nFOUR = 4\n",
    "tests/unit/test_data.py": "def test_it():\n    FACTOR, TWO, FOUR\n",
    "docs/reference/recipes.md": "# Recipes\n\n```{recipes} mini.data\n```\n",
    "docs/pages/zebra.md": "# Zebra\n",
    "docs/pages/zoo.md": "# Zoo\n\nTen is `10`. {proof}`since.ten`\n",
    "docs/pages/since.md": PAGE.replace("Two", "Since 3, two").replace("two`", "new`")
    + page("print('It runs.')").partition("\n")[2],
    proofs_of("since"): PROOFS.replace(
        MARK, '@proves("Since 3, two is `2`.", keras=">=3")'
    ).replace("test_two", "test_new")
    + '\n\n@proves("Ten is `10`.", false_with={"value": 0})\n'
    "def test_ten(value=10):\n    assert number(value) == 10\n",
    "tensorflow/__init__.py": TENSORFLOW,
    "keras/__init__.py": KERAS.format(name="keras", version="3.15.1"),
    "tf_keras/__init__.py": KERAS.format(name="tf_keras", version="2.21.0"),
    "tests/proofs/environments.toml": LANES,
    "tests/proofs/owed.txt": "",
    "docs/pages/sentences.md": "# All\n\n```{proved-sentences}\n```\n",
}


class ProvedSite(Site):
    """A small site with proofs, seen on two lanes, and without the usual guides."""

    def __init__(self, folder: Path, lies: list[Lie]) -> None:
        super().__init__(folder)
        for stem in ("alpha", "beta", "gamma"):
            for path in ("docs/guides/{}.md", "mini/{}.py", "tests/unit/test_{}.py"):
                (folder / path.format(stem)).unlink()
        self.lies = lies
        self.installed = INSTALLED
        self.honest = dict(BASE)
        for name in ("proves", "run"):
            path = f"tests/proofs/{name}.py"
            self.honest[path] = (ROOT / path).read_text("utf-8")
        for lie in lies:
            self.honest[lie.files["PAGE"]] = PAGE
            self.honest[lie.files["PROOFS"]] = lie.proofs
        self.mend()

    def mend(self) -> None:
        """Put everything in order."""
        for path, text in self.honest.items():
            self.write(path, text)
        self.see({})

    def plant(self) -> None:
        """Tell all lies."""
        for lie in self.lies:
            self.tell(lie)
        self.see({f"{lie.name}.two": lie.rows for lie in self.lies})

    def tell(self, lie: Lie) -> None:
        """Tell one lie."""
        before = self.read(lie.path)
        assert lie.old in before
        self.write(lie.path, before.replace(lie.old, lie.new, 1))

    def see(
        self, changes: Mapping[str, Mapping[str, Mapping[str, object] | None]]
    ) -> None:
        """Write down what the lanes would have seen, and what lies make of it."""
        proofs = read(self.folder, Package(self.folder / "mini"))
        frames = {proof.stem: proof.frame for proof in proofs.values()}
        for lane in lanes(self.folder).values():
            if not lane.gates:
                continue
            environment = self.installed[lane.name]
            rows = {}
            for name, proof in proofs.items():
                if not is_meant_for(proof, environment):
                    continue
                seen = expected(proof, environment)
                falsified = True if seen == HOLDS and proof.has_falsifier else None
                honest = Row(proof.hash, seen, "", falsified)
                change = changes.get(name, {}).get(lane.name, {})
                if change is not None:
                    rows[name] = Row(**{**asdict(honest), **change})
            made_of = made(self.folder, lane)
            results = Results(lane.name, made_of, environment, frames, rows)
            save(results, results_of(self.folder, lane.name))

    def proving(self) -> Proving:
        """What a build would know of the proofs."""
        package = Package(self.folder / "mini")
        return Proving(self.folder, package, Store(self.folder / "build/store"))

    def marks(self, docname: str) -> list[str]:
        """The names of the marks that a page shows, sorted."""
        links = re.findall(r"<a[^>]*proof-mark[^>]*>", self.html(docname))
        names = [re.findall(r'data-opens="proof-([^"]*)"', link) for link in links]
        assert all(len(name) == 1 for name in names), links
        return sorted(name[0].rpartition("-")[2] for name in names)


def is_in_order(site: ProvedSite, build: Build) -> None:
    """The build says nothing, and every page has its marks."""
    assert (build.code, build.errors) == (0, "")
    assert site.marks("pages/since") == ["new", "one"]
    assert site.marks("pages/zoo") == ["ten"]
    wrong = [
        lie.name
        for lie in site.lies
        if site.marks(f"pages/{lie.name}") != ["one", "two"]
    ]
    assert wrong == []


def warned(build: Build, site: Site) -> list[str]:
    """The lines that name a file, from the root, and a cause; sorted."""
    return sorted(line.removeprefix(f"{site.folder}/") for line in build.problems)

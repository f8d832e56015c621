"""A small site in a folder of its own, built by `python -m sphinx` as the real one."""

import atexit
import json
import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

ROOT = Path(__file__).parents[2]

SETTINGS = """
from pathlib import Path

from conf.addresses import from_environment

ROOT = Path(__file__).parent.parent
project = "small"
extensions = [
    "myst_nb", "conf.build", "conf.pages.notebook", "conf.pages.columns",
    "conf.reference.listings", "conf.reference.entries", "conf.proofs.show",
]
myst_enable_extensions = ["colon_fence"]
recipes_package = str(ROOT / "mini")
recipes_shared = ["data"]
page_store = str(ROOT / "build/store")
page_preload = ["json"]
page_jobs = 2
site_addresses = from_environment(ROOT)
html_theme = "basic"
nitpick_ignore_regex = [("py:.*", r"(?!mini\\.).*")]
"""

# Alpha and beta share a module; gamma stands alone.
FILES = {
    "mini/__init__.py": "",
    "mini/data.py": "FACTOR = 3\n",
    "mini/alpha.py": """
from mini.data import FACTOR


def area(side: int) -> int:
    \"\"\"Return the area.

    More about it.
    \"\"\"
    return FACTOR * side
""",
    "mini/beta.py": """
from mini.data import FACTOR


def total(count: int) -> int:
    \"\"\"Return the total.\"\"\"
    return FACTOR + count
""",
    "mini/gamma.py": """
def greeting(name: str) -> str:
    \"\"\"Return a greeting.\"\"\"
    return f"hello {name}"
""",
    "tests/unit/test_data.py": "def test_three():\n    FACTOR\n",
    "tests/unit/test_alpha.py": "def test_grows():\n    area(2)\n",
    "tests/unit/test_beta.py": "def test_adds():\n    total(2)\n",
    "tests/unit/test_gamma.py": "def test_hi():\n    mini.gamma.greeting\n",
}


def page(*cells: str) -> str:
    """A page of cells: a dotted name shows a recipe, anything else is typed."""
    bodies = [
        f":snippet: {cell}" if cell.startswith("mini.") else cell for cell in cells
    ]
    return "# Title\n" + "".join(
        f"\n```{{code-cell}} python\n{body}\n```\n" for body in bodies
    )


RECIPES = "# Recipes\n" + "".join(
    f"\n## {stem}\n\n```{{recipes}} mini.{stem}\n```\n"
    for stem in ("data", "alpha", "beta", "gamma")
)

PAGES = {
    "docs/index.md": "# Home\n\n```{toctree}\n:glob:\n*/*\n```\n",
    "docs/reference/recipes.md": RECIPES,
    "docs/guides/alpha.md": page(
        "mini.data.FACTOR", "mini.alpha.area", "print('area', area(2))"
    ),
    "docs/guides/beta.md": page(
        "mini.data.FACTOR", "mini.beta.total", "print('total', total(4))"
    ),
    "docs/guides/gamma.md": page("mini.gamma.greeting", "print(greeting('gamma'))"),
}


@dataclass(frozen=True)
class Build:
    """What one build did and said."""

    code: int
    output: str
    errors: str

    @property
    def ran(self) -> set[str]:
        """The pages that were executed."""
        return set(re.findall(r"^  ran docs/(\S+)\.md in ", self.output, re.MULTILINE))

    @property
    def problems(self) -> list[str]:
        """The lines that name a file, a line and a cause."""
        return re.findall(r"^\S+:\d+: .+$", self.errors, re.MULTILINE)


SECONDS = 300  # no build takes as long, unless something is broken
OPTIONS = ("-W", "--keep-going", "-n", "-c", "settings", "-d", "build/doctrees")
OPTIONS += ("--no-color",)  # nox asks for colors, and tests read the lines
FOLDERS = ("docs", "build/html")


@cache
def warm_sphinx() -> "subprocess.Popen[str]":
    """The process that has imported Sphinx; it ends with this one."""
    process = subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("warm_sphinx.py"))],
        env={n: v for n, v in os.environ.items() if not n.startswith("PYTHON")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


class Site:
    """A folder with a package, its tests, pages and settings."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        # -P: only what is installed, and conf, can be imported
        self.python = [sys.executable, "-P"]
        for path, text in {**FILES, **PAGES}.items():
            self.write(path, text)
        changed = "".join(f"{name} = {value!r}\n" for name, value in settings.items())
        self.write("settings/conf.py", SETTINGS + changed)

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")

    @contextmanager
    def changed(self, path: str, old: str, new: str) -> Iterator[None]:
        """Hold another text in a file, then put the first one back."""
        before = self.read(path)
        assert old in before
        self.write(path, before.replace(old, new))
        try:
            yield
        finally:
            self.write(path, before)

    def start(self, *arguments: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Begin a build, which writes `output.txt` and `errors.txt`."""
        with self.open("output.txt") as output, self.open("errors.txt") as errors:
            return subprocess.Popen(
                [*self.python, "-m", "sphinx", *OPTIONS, *arguments, *FOLDERS],
                cwd=self.folder,
                env=self.variables(environment),
                stdout=output,
                stderr=errors,
            )

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        """The variables of a build: nothing that steers one, but what is asked for."""
        steered = ("KERAS_", "TF_", "XLA_", "SITE_", "COV_", "PYTHON")
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(steered)}
        ours = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        return {**inherited, **ours, **self.environment, **more}

    def build(self, *arguments: str, **environment: str) -> Build:
        """Build as `start` and `end` do, in less time."""
        if sys.platform != "linux":
            return self.end(self.start(*arguments, **environment))
        request = {
            "folder": str(self.folder),
            "variables": self.variables(environment),
            "arguments": [*OPTIONS, *arguments, *FOLDERS],
            "output": str(self.folder / "output.txt"),
            "errors": str(self.folder / "errors.txt"),
        }
        warm = warm_sphinx()
        assert warm.stdin is not None  # both are pipes
        assert warm.stdout is not None
        print(json.dumps(request), file=warm.stdin, flush=True)
        ready = select.select([warm.stdout], [], [], SECONDS)[0]
        assert ready, f"waited {SECONDS} s for a build in {self.folder}"
        code = int(warm.stdout.readline())
        return Build(code, self.read("output.txt"), self.read("errors.txt"))

    def end(self, process: "subprocess.Popen[bytes]") -> Build:
        """Wait for a build; the limit is there for one that hangs."""
        code = process.wait(timeout=SECONDS)
        return Build(code, self.read("output.txt"), self.read("errors.txt"))

    def edit(self, path: str, old: str, new: str) -> None:
        """Write another text in a file, for good."""
        before = self.read(path)
        assert old in before
        self.write(path, before.replace(old, new))

    def open(self, path: str) -> BinaryIO:
        return (self.folder / path).open("wb")

    def read(self, path: str) -> str:
        return (self.folder / path).read_text("utf-8")

    def html(self, docname: str) -> str:
        return self.read(f"build/html/{docname}.html")

    def notebook(self, docname: str) -> Any:
        return json.loads(self.read(f"build/html/notebooks/{docname}.ipynb"))

    def snapshot(self, folder: str) -> dict[str, bytes]:
        """Every file below a folder with its bytes."""
        top = self.folder / folder
        files = (path for path in sorted(top.rglob("*")) if path.is_file())
        return {path.relative_to(top).as_posix(): path.read_bytes() for path in files}

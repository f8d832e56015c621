"""Kernels: what a page sees, and that nothing outlives its build."""

import json
import math
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.site.processes import left_after, marked, until
from tests.site.small_site import ROOT, Site, page

KINDS = {"forked": ["json"], "plain": []}

FACTS = """\
import json, math, multiprocessing, os, subprocess, sys
import matplotlib
from importlib.util import find_spec
from ipykernel.connect import get_connection_info
from pathlib import Path
HOMES = [Path.home() / ".keras", Path(os.environ["KERAS_HOME"])]
STEERING = ["KERAS_BACKEND", "PYTHONSTARTUP", "TF_VAR_x", "PYTHONBREAKPOINT"]
facts = {
    "folder": os.getcwd(),
    "files": os.listdir(),
    "packages": [n for n in ("conf", "snippets", "mini", "tests") if find_spec(n)],
    "path": sys.path,
    "hash": hash("recipe"),
    "forked": multiprocessing.parent_process() is not None,
    "bytecode": not sys.dont_write_bytecode,
    "transport": get_connection_info(unpack=True)["transport"],
    "gpu": os.environ["CUDA_VISIBLE_DEVICES"],
    "pi": math.pi,
    "keras": [str(p) for p in HOMES if (p / "keras.json").exists()],
    "width": matplotlib.rcParams["lines.linewidth"],
    "seen": sorted(n for n in os.environ if n in STEERING),
}
Path(os.environ["FACTS"]).write_text(json.dumps(facts))
left = open("left.txt", "w")"""

CHILD = "import subprocess\nchild = subprocess.Popen(['sleep', '300'])"


# Raises where another page ran before in the same kernel.
MEMORY = "import json\nassert not hasattr(json, 'seen')\njson.seen = True"


def a_home(site: Site) -> dict[str, str]:
    """Variables that lead to a folder in which everything is set to be different."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    different = "import math; math.pi = 3"
    files = {
        ".ipython/profile_default/startup/00.py": different,
        f".local/lib/{version}/site-packages/usercustomize.py": different,
        "startup.py": different,
        ".keras/keras.json": '{"backend": "numpy", "floatx": "float64"}',
        ".config/matplotlib/matplotlibrc": "lines.linewidth: 42",
        ".jupyter/jupyter_config.json": "{",
    }
    for path, text in files.items():
        site.write(f"person/{path}", text)
    home = site.folder / "person"
    return {
        "HOME": str(home),
        "IPYTHONDIR": str(home / ".ipython"),
        "KERAS_HOME": str(home / ".keras"),
        "KERAS_BACKEND": "numpy",
        "MPLCONFIGDIR": str(home / ".config/matplotlib"),
        "MATPLOTLIBRC": str(home / ".config/matplotlib"),
        "PYTHONSTARTUP": str(home / "startup.py"),
        "PYTHONBREAKPOINT": "none.such",
        "TF_VAR_x": "1",
        "XDG_CONFIG_HOME": str(home / ".config"),
    }


@pytest.fixture(scope="module", params=KINDS)
def facts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What a page found out about its kernel, and what its build left behind."""
    site = Site(tmp_path_factory.mktemp("site"), page_preload=KINDS[request.param])
    site.write("docs/pages/facts.md", page(FACTS))
    site.write("docs/pages/child.md", page(CHILD))
    for name in ("first", "second"):
        site.write(f"docs/pages/{name}.md", page(MEMORY))
    mark, path = str(uuid.uuid4()), site.folder / "facts.json"
    build = site.build(
        FACTS=str(path), MARK=mark, PYTHONDONTWRITEBYTECODE="1", **a_home(site)
    )
    found: dict[str, Any] = json.loads(path.read_text())
    return {
        **found,
        "kind": request.param,
        "left": left_after(mark),
        "problems": build.errors,
    }


def test_a_kernel_is_forked_where_there_is_something_to_preload(
    facts: dict[str, Any],
) -> None:
    assert facts["forked"] == (facts["kind"] == "forked")


def test_a_page_sees_neither_the_package_nor_the_machinery(
    facts: dict[str, Any],
) -> None:
    assert facts["packages"] == []


def test_the_checkout_is_not_on_the_path_of_a_page(facts: dict[str, Any]) -> None:
    inside = [
        path for path in facts["path"] if path in ("", str(ROOT), str(ROOT / "conf"))
    ]
    assert inside == []


def test_a_page_runs_in_an_empty_folder_that_is_gone_afterwards(
    facts: dict[str, Any],
) -> None:
    assert facts["files"] == []
    assert not Path(facts["folder"]).exists()


def test_hashes_are_the_same_in_every_kernel(facts: dict[str, Any]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "print(hash('recipe'))"],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        check=True,
    )
    assert facts["hash"] == int(done.stdout)


def test_kernels_write_bytecode_whatever_the_environment_says(
    facts: dict[str, Any],
) -> None:
    assert facts["bytecode"]


def test_every_page_has_a_kernel_of_its_own(facts: dict[str, Any]) -> None:
    assert facts["problems"] == ""


def test_kernels_share_no_ports(facts: dict[str, Any]) -> None:
    assert facts["transport"] == "ipc"


def test_a_page_sees_no_gpu(facts: dict[str, Any]) -> None:
    assert facts["gpu"] == "-1"


def test_what_lies_in_the_home_of_a_person_changes_nothing(
    facts: dict[str, Any],
) -> None:
    assert facts["pi"] == math.pi
    assert facts["keras"] == []
    assert facts["width"] != 42


def test_only_variables_that_count_reach_a_page(facts: dict[str, Any]) -> None:
    assert facts["seen"] == ["KERAS_BACKEND"]


def test_what_a_page_started_ends_with_the_page(facts: dict[str, Any]) -> None:
    assert facts["left"] == []


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("forked", signal.SIGKILL),
        ("forked", signal.SIGTERM),
        ("forked", signal.SIGINT),
        ("plain", signal.SIGKILL),
    ],
)
def test_a_killed_build_keeps_finished_pages_and_leaves_no_process(
    tmp_path: Path, kind: str, number: int
) -> None:
    site = Site(tmp_path, page_preload=KINDS[kind])
    hold = tmp_path / "hold"
    hold.touch()
    wait = f"import os, time\nwhile os.path.exists({str(hold)!r}): time.sleep(0.05)"
    site.write("docs/pages/slow.md", page(CHILD, wait))
    mark = str(uuid.uuid4())
    process = site.start(MARK=mark)
    until(
        lambda: "(1 left)" in site.read("output.txt") and any_sleeps(mark),
        "the last page to run",
    )
    process.send_signal(number)
    assert site.end(process).code != 0
    assert left_after(mark) == []
    hold.unlink()
    build = site.build()
    assert (build.code, build.errors, build.ran) == (0, "", {"pages/slow"})


def any_sleeps(mark: str) -> bool:
    return any(line.startswith("sleep") for line in marked(mark).values())


def test_a_limit_of_the_site_holds_for_every_cell(tmp_path: Path) -> None:
    site = Site(tmp_path, page_timeout=1)
    sleep = "import time\ntime.sleep(1.5)"
    site.write("docs/pages/over.md", page(sleep))
    site.write("docs/pages/allowed.md", page(f":timeout: 9\n{sleep}"))
    build = site.build()
    assert [line.partition(" s;")[0] for line in build.problems] == [
        "docs/pages/over.md:3: the cell ran longer than its limit of 1"
    ]


WORKS = """\
import time
begun = time.process_time()
while time.process_time() < begun + 0.5: pass"""
CHILD_WORKS = f"""\
import subprocess, sys
done = subprocess.run([sys.executable, '-c', {WORKS!r}], check=True)"""


@pytest.mark.parametrize("kind", KINDS)
def test_seconds_of_a_cell_are_those_of_the_processor(
    tmp_path: Path, kind: str
) -> None:
    site = Site(tmp_path, page_preload=KINDS[kind], page_budgets={"pages/work": 0.9})
    cells = ("import time", "time.sleep(1.5)", WORKS, CHILD_WORKS)
    site.write("docs/pages/work.md", page(*cells))
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    runs = [path.read_text() for path in (site.folder / "build/store").glob("*.json")]
    kept = [json.loads(run.partition("\n")[2])["seconds"] for run in runs]
    _, asleep, works, child = next(run for run in kept if len(run) == len(cells))
    # Ticks of the system's clock are 0.01 s.
    assert asleep < 0.5
    assert works >= 0.48
    assert child >= 0.48
    assert "  docs/pages/work.md is over its budget of 0.9 s\n" in build.output

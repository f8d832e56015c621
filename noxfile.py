"""Everything this project does, one session each: `nox -l` is the table of contents."""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nox

nox.needs_version = ">=2025.5"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "tests", "docs"]

ROOT = Path(__file__).parent
HTML = ROOT / "build/html"
WEIGHT = "tests/browser/test_weight.py"  # which needs no browser
GROUPS = (
    *("actions", "backends", "docs", "lint", "live", "notebooks", "package"),
    *("site", "test", "versions"),
)

HOSTED = {  # files of hosts, by the schema that they have to keep
    "vendor.github-workflows": ".github/workflows/*.yml",
    "vendor.github-issue-forms": ".github/ISSUE_TEMPLATE/[!c]*.yml",
    "vendor.github-issue-config": ".github/ISSUE_TEMPLATE/config.yml",
    "vendor.dependabot": ".github/dependabot.yml",
    "vendor.readthedocs": ".readthedocs.yaml",
    "vendor.citation-file-format": "CITATION.cff",
}


def install(session: nox.Session, group: str) -> None:
    """Install one locked group, with bytecode: TensorFlow imports in half the time."""
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    session.env["UV_COMPILE_BYTECODE"] = "1"
    session.install(
        "--quiet", "--require-hashes", "-r", f"requirements/{group}.txt", silent=False
    )


def install_torch(session: nox.Session) -> None:
    """Install PyTorch, or skip the session.

    It is not locked: its wheel for the CPU has another version and other hashes than
    that of PyPI. pip takes what it is set up to find.
    """
    try:
        session.run("python", "-m", "pip", "install", "--quiet", "torch")
    except nox.command.CommandFailed:
        session.skip("pip could not install PyTorch here: nothing is tested on it")


def sphinx(session: nox.Session, *arguments: str) -> None:
    """Run Sphinx the way the site is published: every warning is an error."""
    session.run(
        *("python", "-m", "sphinx", "-c", "conf", "-W", "--keep-going", "-n"),
        *("-j", "auto"),
        *("-d", "build/doctrees", "docs", str(HTML), *arguments),
        env={"PYTHONPATH": str(ROOT)},
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into build/html; `-- --cold` forgets earlier runs."""
    install(session, "docs")
    if "--cold" in session.posargs:
        for folder in ("doctrees", "html", "store"):
            shutil.rmtree(ROOT / "build" / folder, ignore_errors=True)
    sphinx(session, *(word for word in session.posargs if word != "--cold"))
    session.log(f"The site is at {HTML.as_uri()}/index.html")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test and example, and hold the coverage of snippets at 100 %."""
    install(session, "test")
    # A file of proofs stays together: its proofs share what they train.
    command = ("python", "-m", "pytest", "--dist=loadfile", "--no-loadscope-reorder")
    spread = ("--numprocesses=3", "--durations=5")
    # Only unit tests are traced: they reach every line, and tracing makes proofs slow.
    parts = [
        (*spread, "--cov=snippets", "snippets", "tests/unit"),
        (*spread, *("README.md", "docs", "tests/proofs", "tests/site", WEIGHT)),
    ]
    failed = 0
    for arguments in [session.posargs] if session.posargs else parts:
        try:
            session.run(
                *(*command, *arguments),
                env={"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        except nox.command.CommandFailed:  # the other part is worth seeing too
            failed += 1
    if failed:
        session.error("see the tests that failed above")


@nox.session
def site(session: nox.Session) -> None:
    """Read the built site in a browser, every page of it; needs `docs` first."""
    install(session, "site")
    if not (HTML / "index.html").exists():
        session.error("there is no site in build/html: run `nox -s docs` first")
    # The other tests' settings import what only they need. A browser a core.
    folder = "tests/browser"
    session.run(
        *("python", "-m", "pytest", f"--confcutdir={folder}", "--numprocesses=auto"),
        *(folder, *session.posargs),
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and spelling."""
    install(session, "lint")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("mypy")
    session.run("codespell")
    # How it is hosted: neither asks anyone, and what they know of is in their wheels.
    session.run("zizmor", "--offline", "--quiet", "--pedantic", ".github")
    for schema, paths in HOSTED.items():
        found = sorted(str(path) for path in ROOT.glob(paths))
        session.run("check-jsonschema", "--builtin-schema", schema, *found)


@nox.session
def live(session: nox.Session) -> None:
    """Serve the site, rebuilding and reloading it on every save."""
    install(session, "live")
    session.run(
        *(
            "sphinx-autobuild",
            "-c",
            "conf",
            "-n",
            "-d",
            "build/doctrees",
            "docs",
            str(HTML),
        ),
        *(
            "--watch",
            "snippets",
            "--watch",
            "tests",
            "--watch",
            "conf",
            *session.posargs,
        ),
        env={"PYTHONPATH": str(ROOT)},
    )


@nox.session
def proofs(session: nox.Session) -> None:
    """Run the proofs that are stale, and list what each page leaves unproved."""
    install(session, "docs")
    session.run("python", "-m", "conf.proofs.report", env={"PYTHONPATH": str(ROOT)})


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run every built notebook where snippets is not installed; needs `docs` first."""
    install(session, "notebooks")
    found = sorted((HTML / "notebooks").rglob("*.ipynb"))
    if not found:
        session.error("there are no notebooks in build/html: run `nox -s docs` first")
    folder = Path(session.create_tmp())
    absent = "from importlib.util import find_spec; assert not find_spec('snippets')"
    with session.chdir(folder):
        session.run("python", "-c", absent)

    def execute(path: Path) -> None:
        """Run one in a folder of its own, where the files of no other page lie."""
        place = folder / path.stem
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        copy = shutil.copy(path, place)
        session.run("jupyter", "execute", copy, "--timeout=300")

    with ThreadPoolExecutor(max_workers=2) as workers:
        list(workers.map(execute, found))


@nox.session
def links(session: nox.Session) -> None:
    """Ask every link to elsewhere whether it still works; needs a network."""
    install(session, "docs")
    session.run(
        *("python", "-m", "sphinx", "-c", "conf", "-b", "linkcheck", "--keep-going"),
        *("-d", "build/doctrees", "docs", "build/links", *session.posargs),
        env={"PYTHONPATH": str(ROOT)},
    )


@nox.session
def package(session: nox.Session) -> None:
    """Build what the package index gets; `-- 0.1.0` has to be its version."""
    install(session, "package")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("hatchling", "build")
    for version in session.posargs:
        name = f"keras_snippets-{version}"
        wanted = {f"{name}.tar.gz", f"{name}-py3-none-any.whl"}
        built = {path.name for path in (ROOT / "dist").iterdir()}
        if built != wanted:
            session.error(f"the tag wants {sorted(wanted)}, built: {sorted(built)}")


@nox.session
def actions(session: nox.Session) -> None:
    """Check the workflows with actionlint.

    Its package fetches the program from where it is made, so it is no part of `lint`,
    which needs the package index alone.
    """
    try:
        install(session, "actions")
    except nox.command.CommandFailed:
        session.skip("actionlint could not be fetched here")
    session.run("actionlint", *session.posargs)


@nox.session
def versions(session: nox.Session) -> None:
    """Run proofs and error messages on every version that readers meet, if stale.

    First each version writes files and reads those of all others, unless a lane or a
    guide is named: proofs ask what was seen of them.
    """
    install(session, "versions")
    if not session.posargs:
        session.run("python", "-m", "conf.reference.crossing")
    session.run("python", "-m", "conf.proofs.lanes", *session.posargs)


@nox.session
def measure(session: nox.Session) -> None:
    """Measure what has no record on this machine as it is now; `-- gans` one guide.

    Timings need a machine that has nothing else to do. `-- --all` measures again.
    """
    install(session, "docs")
    session.run(
        *("python", "-m", "conf.reference.measure", *session.posargs),
        env={"PYTHONPATH": str(ROOT)},
    )


@nox.session
@nox.parametrize("backend", ["jax", "torch"])
def backends(session: nox.Session, backend: str) -> None:
    """Test on JAX and on PyTorch what needs no TensorFlow, and keep what was seen."""
    install(session, "backends")
    if backend == "torch":
        install_torch(session)
    session.run(
        *("python", "-m", "conf.reference.on_backend", *session.posargs),
        env={
            "PYTHONPATH": str(ROOT),
            "KERAS_BACKEND": backend,
            "CUDA_VISIBLE_DEVICES": "-1",
            "TF_CPP_MIN_LOG_LEVEL": "3",
        },
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the two commands and the builds, and keep the tables in docs.

    `-- builds` or `-- gans` measures one of the two.
    """
    install(session, "docs")
    modules = {"builds": "tests.bench", "gans": "tests.bench_gans"}
    for name in session.posargs or modules:
        session.run(
            *("python", "-m", modules[name], sys.executable),
            env={"PYTHONPATH": str(ROOT)},
        )


@nox.session
def lock(session: nox.Session) -> None:
    """Lock each dependency group with hashes; `-- --upgrade` takes newer versions."""
    session.install("uv")
    for group in GROUPS:
        # Tools that do not run the package need none of its dependencies.
        package = () if group in {"actions", "package"} else ("pyproject.toml",)
        session.run(
            *("uv", "pip", "compile", "--quiet", *package),
            f"--group=pyproject.toml:{group}",
            *("--universal", "--python-version=3.11", "--fork-strategy=fewest"),
            *("--generate-hashes", "--no-emit-package=keras-snippets"),
            *(
                "--no-emit-index-url",
                "--no-emit-find-links",
                "--custom-compile-command=nox -s lock",
            ),
            *("--output-file", f"requirements/{group}.txt", *session.posargs),
        )

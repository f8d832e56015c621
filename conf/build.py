"""A build, as an ordered list of stages.

A page is read, its cells are expanded into recipes, its fingerprint is taken; what has
no run in the store is run, beside the proofs that have no verdict; marks are checked;
its notebook goes to Sphinx with its outputs, and to readers without. All of that is
done before Sphinx reads the first page: it then only recalls. What is wrong is said in
one go, and the last good site stays where it is.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from conf import house, state
from conf.addresses import Addresses
from conf.pages import fingerprint, notebook, read
from conf.pages.reach import Reach
from conf.pages.read import Page, Problem
from conf.pages.recipes import Package, RecipeError
from conf.proofs import prose
from conf.proofs.proving import Fault, Proving, digest, full_name
from conf.proofs.run import Running
from conf.reference import listings, measured
from conf.state import PageState
from conf.store import Run, Store

logger = logging.getLogger(__name__)


class NotBuilt(SystemExit):
    """The site cannot be built; its lines say why, each with its place.

    Not one of Sphinx's errors: these print screens of context, and make Sphinx forget
    the last good build.
    """

    def __init__(self, problems: set[Problem]) -> None:
        lines = [str(problem) for problem in sorted(problems)]
        count = f"{len(lines)} problem" + "s" * (len(lines) != 1)
        super().__init__("\n".join([f"\nThe site was not built: {count}", *lines]))


class Build:
    """One build: what is known of it, and its stages."""

    def __init__(self, app: Sphinx, env: BuildEnvironment) -> None:
        self.app, self.env, self.config = app, env, app.config
        self.package = Package(Path(app.config.recipes_package))
        self.root = self.package.folder.parent
        self.reach = Reach(self.package)
        self.store = Store(Path(app.config.page_store))
        self.known = state.of(env)
        self.proving = self._proving()
        self.known.proving = self.proving
        self.addresses: Addresses = app.config.site_addresses
        self.before = self.known.pages
        # All that a page can depend on: while it is the same, pages need no parsing.
        self.inputs = self.package.digest + self.proving.digest + self.addresses.root
        self.pages: dict[str, Page] = {}
        self.problems: set[Problem] = set()
        self.faults: list[Fault] = []
        self.unearned = set(self.known.unearned)
        self.proofs: Running | None = None

    def _proving(self) -> Proving:
        """The proofs, read again only if they or anything that they reach changed."""
        readers = sorted(Path(__file__).parent.rglob("*.py"))
        code = [path.read_text("utf-8") for path in readers]
        made_of = _hash([*code, self.package.digest, digest(self.root)])
        sources = self.known.sources if self.known.read == made_of else None
        proving = Proving(self.root, self.package, self.store, sources)
        if sources is None:
            self.known.sources = proving.sources
            self.known.read = "" if proving.problems else made_of
        return proving

    @property
    def is_proved(self) -> bool:
        """Whether the last build found these very proofs and pages in order."""
        return self.known.proved == self._judged_on() and not self.faults

    def stages(self) -> list[Callable[[], None]]:
        """What a build does, in this order."""
        return [
            self.check_the_house,
            self.read_pages,
            self.start_proofs,
            self.run_pages,
            self.finish_proofs,
            self.stop_if_anything_is_wrong,
            self.check_marks,
            self.hand_over_notebooks,
        ]

    def check_the_house(self) -> None:
        """A guide, its recipes and its tests belong together."""
        shared = self.config.recipes_shared
        self.problems.update(house.problems(self.package, shared))
        tested = listings.digest(self.package)
        if self.known.tested != tested:
            self.problems.update(listings.untested(self.package))
            self.known.tested = tested

    def read_pages(self) -> None:
        """Read and expand what has changed, and take its fingerprint."""
        pages: dict[str, PageState] = {}
        docnames = sorted(self.env.found_docs)
        for docname in docnames:
            source = Path(self.env.doc2path(docname)).read_bytes()
            digest, then = hashlib.sha256(source).hexdigest(), self.before.get(docname)
            if then and (then.text, then.inputs) == (digest, self.inputs):
                pages[docname] = then
            else:
                pages[docname] = self._read(docname, source)
        self.known.pages = pages
        self.known.notebooks = {
            name: text for name, text in self.known.notebooks.items() if name in pages
        }

    def _read(self, docname: str, source: bytes) -> PageState:
        digest = hashlib.sha256(source).hexdigest()
        try:
            text = source.decode()
        except UnicodeDecodeError as error:
            line = source[: error.start].count(b"\n") + 1
            self.problems.add(Problem(self.path(docname), line, "it is not UTF-8"))
            return PageState(digest, "")
        page = self._page(docname, text)
        run = ""
        self.known.notebooks.pop(docname, None)
        if page.cells and not page.problems:
            try:
                run = fingerprint.of_page(page, self.reach)
            except RecipeError as error:  # a module that only other modules reach
                line = page.cells[0].fence
                page.problems.append(Problem(page.path, line, str(error)))
            made, problems = notebook.write_out(
                page,
                docname,
                self.addresses,
                self.config.myst_enable_extensions,
                self.config.notebook_needs,
            )
            page.problems.extend(problems)
            self.known.notebooks[docname] = made
        self.problems.update(page.problems)
        extensions = self.config.myst_enable_extensions
        found = self.proving.marked(text, docname, page.cells, extensions)
        faults = list(self.proving.check(page.path, docname, found))
        if not page.problems:
            records = self.proving.records
            missing = measured.unrecorded(page, docname, self.reach, records)
            faults += [Fault("", problem) for problem in missing]
        self.faults.extend(faults)
        cites = tuple(
            (full_name(docname, name), mark.line)
            for mark in found.marks
            for name in mark.names
        )
        return PageState(
            text=digest,
            inputs="" if faults else self.inputs,  # to be looked at again next time
            run="" if page.problems else run,
            cites=cites,
            shown=self.proving.shown(proof for proof, _ in cites)
            + self._recorded(docname, page),
            literals=prose.literals(found.unproved),
        )

    def _recorded(self, docname: str, page: Page) -> str:
        """A hash of what measured cells show."""
        if page.problems:
            return ""
        shown = [
            self._outputs_of(docname, page, c) for c in page.cells if c.is_measured
        ]
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest() if shown else ""

    def _outputs_of(self, docname: str, page: Page, cell: read.Cell) -> Any:
        return measured.outputs(page, docname, cell, self.reach, self.proving.records)

    def start_proofs(self) -> None:
        """Run the proofs without a verdict, beside the pages."""
        if not self.is_proved:
            self.proofs = self.proving.start()
        if self.proofs:
            logger.info("proofs: %d to run", len(self.proofs.proofs))

    def run_pages(self) -> None:
        """Run what has no run in the store."""
        wanted = {name: page.run for name, page in self.known.pages.items() if page.run}
        missing = {n: key for n, key in wanted.items() if self.store.get(key) is None}
        if missing:
            logger.info(
                "pages: %d to run, %d recalled",
                len(missing),
                len(wanted) - len(missing),
            )
            try:
                self._run(missing)
            except BaseException:
                if self.proofs:
                    self.proofs.stop()
                raise
        elif wanted:
            logger.info("pages: nothing to run, %d recalled", len(wanted))

    def _run(self, missing: dict[str, str]) -> None:
        # Heavy, and needed by builds that run something only.
        from conf.pages import run

        settings = run.Settings(
            jobs=self.config.page_jobs or os.cpu_count() or 1,
            timeout=self.config.page_timeout,
            preload=tuple(self.config.page_preload),
            home=self.store.folder.parent / "home",
        )
        try:
            settings.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            place = os.path.relpath(settings.home, self.root)
            message = f"it cannot be made: {error.strerror}"
            self.problems.add(Problem(place, 1, message))
            return
        names = {self.path(name): name for name in missing}
        left = len(missing)

        def finished(page: Page, result: Run | list[Problem], seconds: float) -> None:
            nonlocal left
            left -= 1
            rest = f"{left} left" if left else "all done"
            if isinstance(result, Run):
                self._keep(missing[names[page.path]], result)
                cells = sum(result.seconds)
                logger.info(
                    "  ran %s in %.1f s, its cells in %.1f s of one core (%s)",
                    *(page.path, seconds, cells, rest),
                )
                budgets = self.config.page_budgets
                budget = budgets.get(names[page.path], self.config.page_budget)
                if cells > budget:
                    logger.info("  %s is over its budget of %g s", page.path, budget)
            else:
                self.problems.update(result)
                logger.info("  FAILED %s after %.1f s (%s)", page.path, seconds, rest)

        pages = [self._page(name) for name in missing]
        # The longest first, or it alone would run in the end.
        pages.sort(key=lambda page: -self.config.page_seconds.get(names[page.path], 0))
        run.run_all(
            pages,
            settings,
            lambda page: logger.info("  running %s", page.path),
            finished,
        )

    def _keep(self, key: str, result: Run) -> None:
        try:
            self.store.put(key, result)
        except OSError as error:
            place = os.path.relpath(self.store.folder, self.root)
            message = f"outputs cannot be kept: {error.strerror}"
            self.problems.add(Problem(place, 1, message))

    def finish_proofs(self) -> None:
        """Wait for the proofs."""
        if self.proofs:
            try:
                self.problems.update(self.proofs.finish())
            except BaseException:
                self.proofs.stop()
                raise

    def stop_if_anything_is_wrong(self) -> None:
        """End here, after everything that could be run has run."""
        if self.problems:
            raise NotBuilt(self.problems)

    def check_marks(self) -> None:
        """Warn of every mark that is not earned, of names and numbers in prose."""
        if self.is_proved:
            return
        cited: dict[str, list[tuple[str, int]]] = {}
        for docname, page in self.known.pages.items():
            path = self.path(docname)
            for proof, line in page.cites:
                cited.setdefault(proof, []).append((path, line))
        faults = [*self.faults, *self.proving.judged(cited)]
        problems = {fault.problem for fault in faults}
        problems |= {*self.proving.problems, *self._prose()}
        for problem in sorted(problems):
            logger.warning(problem.message, location=f"{problem.page}:{problem.line}")
        self.known.unearned = {fault.proof for fault in faults}
        if self.proving.problems:  # a file of results that cannot be trusted
            self.known.unearned |= set(cited)
        self.known.proved = "" if problems else self._judged_on()

    def _judged_on(self) -> str:
        """Equal where the judgement must be the same: the proofs and every page."""
        texts = [page.text for _, page in sorted(self.known.pages.items())]
        return _hash([self.inputs, *texts])

    def _prose(self) -> Iterator[Problem]:
        """What pages mention that does not exist, and numbers typed by hand."""
        texts = {
            docname: Path(self.env.doc2path(docname)).read_text("utf-8")
            for docname in self.known.pages
        }
        found = {docname: prose.mentioned(text) for docname, text in texts.items()}
        wanted = sorted({name for mentions in found.values() for name in mentions})
        key = _hash([fingerprint.environment(), self.package.digest, *wanted])
        known = prose.existing(wanted, self.root, self.store, key)
        for docname, mentions in found.items():
            gone = read.front_matter(texts[docname]).get("gone", {})
            yield from prose.check(self.path(docname), mentions, gone, known)
        for docname, page in self.known.pages.items():
            if page.run and (run := self.store.get(page.run)):
                yield from prose.typed(self.path(docname), page.literals, run)

    def hand_over_notebooks(self) -> None:
        """Write each page with its outputs where Sphinx's reader finds it."""
        folder = ready(self.app)
        for docname, page in self.known.pages.items():
            path = folder / f"{page.text}.json"
            if path.exists() and _same(page, self.before.get(docname)):
                continue
            filled = self._filled(docname, page.run)
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(filled), "utf-8")

    def _filled(self, docname: str, key: str) -> NotebookNode:
        page = self._page(docname)
        run = self.store.get(key) if key else None
        if key and run is None:
            raise ExtensionError("a run of a page was removed during the build")
        outputs = iter(run.outputs if run else ())
        for count, cell in enumerate(page.cells, start=1):
            shown = (
                self._outputs_of(docname, page, cell)
                if cell.is_measured
                else next(outputs, [])
            )
            node = page.notebook.cells[cell.index]
            node.execution_count = count
            node.outputs = [NotebookNode(output) for output in shown]
            _say_what_is_folded(node)
        return page.notebook

    def outdated(self) -> list[str]:
        """The pages that Sphinx has to read: those that now show something else."""
        marked = self.known.unearned | self.unearned
        return [
            name
            for name, now in self.known.pages.items()
            if not _same(now, self.before.get(name))
            or name in self.known.unchecked
            or marked.intersection(proof for proof, _ in now.cites)
        ]

    def path(self, docname: str) -> str:
        """How messages name a page."""
        path = Path(self.env.doc2path(docname))
        return Path(os.path.relpath(path, self.root)).as_posix()

    def _page(self, docname: str, text: str | None = None) -> Page:
        """A page's text, parsed once."""
        if docname not in self.pages:
            if text is None:
                text = Path(self.env.doc2path(docname)).read_text("utf-8")
            extensions = self.config.myst_enable_extensions
            path = self.path(docname)
            self.pages[docname] = read.read(text, path, self.package, extensions)
        return self.pages[docname]


def recall(text: str, folder: str) -> NotebookNode:
    """Reader for MyST-NB: the page's notebook, with its outputs."""
    path = Path(folder, f"{hashlib.sha256(text.encode()).hexdigest()}.json")
    if not path.exists():
        raise ExtensionError(
            "a page changed while the site was being built; build again"
        )
    found: NotebookNode = nbformat.from_dict(json.loads(path.read_text("utf-8")))
    return found


def _say_what_is_folded(cell: NotebookNode) -> None:
    """Let a fold's prompt say what is in it: the page's words, or its recipes."""
    recipes = cell.metadata.get("snippet", "").split()
    names = ", ".join(dotted.rpartition(".")[2] for dotted in recipes[:3])
    rest = f" and {len(recipes) - 3} more" if len(recipes) > 3 else ""
    if words := cell.metadata.get("fold", names + rest):
        prompt = cell.metadata.setdefault("mystnb", {})
        prompt["code_prompt_show"] = f"Show {words}"


def ready(app: Sphinx) -> Path:
    """Where pages wait for Sphinx's reader."""
    return Path(app.doctreedir, "ready")


def _hash(parts: list[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _same(now: PageState, before: PageState | None) -> bool:
    """Whether text, outputs and proofs are those of the last build."""
    return before is not None and (now.text, now.run, now.shown) == (
        before.text,
        before.run,
        before.shown,
    )


def _configure(app: Sphinx, config: Config) -> None:
    config.nb_execution_mode = "off"  # the reader brings outputs along
    arguments = {"folder": str(ready(app))}
    config.nb_custom_formats = {".md": ["conf.build.recall", arguments, False]}


def _outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
    build = Build(app, env)
    for stage in build.stages():
        stage()
    return build.outdated()


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("recipes_package", None, "env", str)
    app.add_config_value("recipes_shared", [], "", list)
    app.add_config_value("page_store", None, "", str)
    app.add_config_value("page_jobs", 0, "", int)
    app.add_config_value("page_timeout", 120, "", int)
    app.add_config_value("page_preload", [], "", list)
    app.add_config_value("page_budget", 40, "", int)
    app.add_config_value("page_budgets", {}, "", dict)
    app.add_config_value("page_seconds", {}, "", dict)
    app.connect("config-inited", _configure, priority=100)
    app.connect("env-get-outdated", _outdated)
    return {
        "env_version": state.VERSION,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }

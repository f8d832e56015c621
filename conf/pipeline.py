"""Run pages before Sphinx reads them, and let the reader only recall.

The fingerprint of every page decides what is outdated, by content and never by time.
What has no run in the store is executed, all together, before anything is read; if a
page fails, all problems are reported in one go, the build ends there, and the last
good site stays where it is.
"""

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from conf import fingerprints, house, listings, names, notebooks, pages, state
from conf.addresses import Addresses
from conf.pages import Page, Problem
from conf.proving import Fault, Proving, full_name
from conf.recipes import Package, RecipeError
from conf.state import PageState
from conf.store import Run, Store

logger = logging.getLogger(__name__)


@lru_cache(maxsize=8)
def package_at(folder: str, version: int = 0) -> Package:
    """The package as it is now; `version` tells the builds of a process apart."""
    return Package(Path(folder))


def recall(text: str, package: str, store: str, extensions: list[str]) -> NotebookNode:
    """Reader for MyST-NB: the page's notebook, with the outputs of its run."""
    source = package_at(package, _build)
    page = pages.read(text, "", source, extensions)
    if page.cells:
        run = Store(Path(store)).get(fingerprints.fingerprint(page, source))
        if run is None:
            raise ExtensionError(
                "a page changed while the site was being built; build again"
            )
        for count, (cell, outputs) in enumerate(
            zip(page.cells, run.outputs, strict=True), start=1
        ):
            node = page.notebook.cells[cell.index]
            node.execution_count = count
            node.outputs = [NotebookNode(output) for output in outputs]
    return page.notebook


# How many builds this process has done: a live server builds many times, and reads the
# package afresh each time.
_build = 0


class Pipeline:
    """One build: which pages are outdated, which must run, what went wrong."""

    def __init__(self, app: Sphinx) -> None:
        global _build
        _build += 1
        self.app = app
        self.package = package_at(app.config.recipes_package, _build)
        self.store = Store(Path(app.config.page_store))
        self.root = Path(app.config.recipes_package).parent
        self.problems: list[Problem] = []
        self.read: dict[str, Page] = {}
        self.addresses: Addresses = app.config.site_addresses
        # All that a page can depend on: while it is the same, pages need no parsing.
        self.proving = Proving(self.root, self.package, self.store)
        self.unproved: list[Fault] = []
        self.inputs = self.package.digest + self.proving.digest + self.addresses.site

    def path(self, docname: str) -> str:
        """How messages name a page."""
        path = Path(self.app.env.doc2path(docname))
        return Path(os.path.relpath(path, self.root)).as_posix()

    def outdated(self, env: BuildEnvironment) -> list[str]:
        """Pages whose text or outcome differs from what the environment holds."""
        self._check_house()
        known = state.of(env)
        before, known.pages = known.pages, {}
        known.notebooks = {
            n: t for n, t in known.notebooks.items() if n in env.found_docs
        }
        for docname in sorted(env.found_docs):
            text = Path(env.doc2path(docname)).read_bytes()
            digest, then = hashlib.sha256(text).hexdigest(), before.get(docname)
            if then and (then.text, then.inputs) == (digest, self.inputs):
                known.pages[docname] = then
            else:
                known.pages[docname] = self._prepare(env, docname, text)
        return [
            name
            for name, now in known.pages.items()
            if not _same(now, before.get(name))
            or name in known.unchecked
            or known.unearned.intersection(proof for proof, _ in now.cites)
        ]

    def _check_house(self) -> None:
        shared = self.app.config.recipes_shared
        self.problems.extend(house.problems(self.root, self.package.name, shared))
        tested = listings.digest(self.package)
        if state.of(self.app.env).tested != tested:
            self.problems.extend(listings.untested(self.package))
            state.of(self.app.env).tested = tested

    def _prepare(self, env: BuildEnvironment, docname: str, source: bytes) -> PageState:
        """Read a page and write its notebook."""
        digest = hashlib.sha256(source).hexdigest()
        try:
            text = source.decode()
        except UnicodeDecodeError as error:
            line = source[: error.start].count(b"\n") + 1
            self.problems.append(Problem(self.path(docname), line, "it is not UTF-8"))
            return PageState(digest, "", "", (), "", ())
        extensions = self.app.config.myst_enable_extensions
        page = pages.read(text, self.path(docname), self.package, extensions)
        self.read[docname] = page
        state.of(env).notebooks.pop(docname, None)
        run = ""
        if page.cells and not page.problems:
            try:
                run = fingerprints.fingerprint(page, self.package)
            except RecipeError as error:  # a module that only other modules reach
                page.problems.append(
                    Problem(page.path, page.cells[0].fence, str(error))
                )
            notebook, problems = notebooks.write_out(
                page,
                docname,
                self.addresses,
                extensions,
                self.app.config.notebook_needs,
            )
            page.problems.extend(problems)
            state.of(env).notebooks[docname] = notebook
        self.problems.extend(page.problems)
        found = self.proving.marked(text, docname, page.cells, extensions)
        faults = list(self.proving.check(page.path, docname, found))
        self.unproved.extend(faults)
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
            shown=self.proving.shown(proof for proof, _ in cites),
            literals=names.literals(found.unproved),
        )

    def execute(self, env: BuildEnvironment, docnames: list[str]) -> None:
        """Run what has no run in the store; end the build if anything is wrong.

        It ends after every page that can run has run, with a line for each problem. It
        does not raise one of Sphinx's errors: these print screens of context, and make
        Sphinx forget the last good build.
        """
        known = state.of(env)
        runs = {name: known.pages[name].run for name in docnames}
        fingerprint = {name: run for name, run in runs.items() if run}
        missing = [
            name for name, key in fingerprint.items() if self.store.get(key) is None
        ]
        is_proved = known.proved == self._judged_on(known) and not self.unproved
        running = None if is_proved else self.proving.start()
        if missing:
            self._run(env, missing, fingerprint)
        elif fingerprint:
            logger.info("pages: nothing to run, %d recalled", len(fingerprint))
        if running:
            logger.info("proofs: %d to run", len(running.proofs))
            self.problems.extend(running.finish())
        if self.problems:
            lines = [str(problem) for problem in sorted(set(self.problems))]
            count = f"{len(lines)} problem" + "s" * (len(lines) > 1)
            print(
                "\nThe site was not built: " + count, *lines, sep="\n", file=sys.stderr
            )
            raise SystemExit(1)
        if not is_proved:
            self._judge(env, docnames)

    def _judge(self, env: BuildEnvironment, docnames: list[str]) -> None:
        """Warn of every mark that is not earned, and have its page read again."""
        known = state.of(env)
        cited: dict[str, list[tuple[str, int]]] = {}
        for docname, page in known.pages.items():
            for proof, line in page.cites:
                cited.setdefault(proof, []).append((self.path(docname), line))
        faults = [*self.unproved, *self.proving.judged(cited)]
        problems = {fault.problem for fault in faults}
        problems |= {*self.proving.problems, *self._prose(env)}
        for problem in sorted(problems):
            logger.warning(problem.message, location=f"{problem.page}:{problem.line}")
        known.unearned = {fault.proof for fault in faults}
        if self.proving.problems:  # a file of results that cannot be trusted
            known.unearned |= set(cited)
        known.proved = "" if problems else self._judged_on(known)
        again = {
            docname
            for docname, page in known.pages.items()
            if known.unearned.intersection(proof for proof, _ in page.cites)
        }
        docnames[:] = sorted(again.union(docnames))

    def _judged_on(self, known: state.State) -> str:
        """Equal where the judgement must be the same: the proofs and every page."""
        texts = [page.text for _, page in sorted(known.pages.items())]
        return _hash([self.inputs, *texts])

    def _prose(self, env: BuildEnvironment) -> Iterator[Problem]:
        """What pages mention that does not exist, and numbers typed by hand."""
        texts = {
            docname: Path(env.doc2path(docname)).read_text("utf-8", errors="replace")
            for docname in env.found_docs
        }
        found = {docname: names.mentioned(text) for docname, text in texts.items()}
        wanted = sorted({name for mentions in found.values() for name in mentions})
        key = _hash([self.inputs, *wanted])
        known = names.existing(wanted, self.root, self.store, key)
        for docname, mentions in found.items():
            gone = pages.front_matter(texts[docname]).get("gone", {})
            yield from names.check(self.path(docname), mentions, gone, known)
        for docname, page in state.of(env).pages.items():
            if page.run and (run := self.store.get(page.run)):
                yield from names.typed(self.path(docname), page.literals, run)

    def _run(
        self, env: BuildEnvironment, missing: list[str], fingerprint: dict[str, str]
    ) -> None:
        from conf import (
            execution,
        )  # heavy, and needed by builds that run something only

        config = self.app.config
        settings = execution.Settings(
            jobs=config.page_jobs or os.cpu_count() or 1,
            timeout=config.page_timeout,
            preload=tuple(config.page_preload),
        )
        unfinished = {self.path(name): name for name in missing}
        queue = []
        for name in missing:
            if name not in self.read:
                self._prepare(env, name, Path(env.doc2path(name)).read_bytes())
            queue.append(self.read[name])
        recalled = len(fingerprint) - len(missing)
        logger.info("pages: %d to run, %d recalled", len(missing), recalled)

        def finished(page: Page, result: Run | list[Problem], seconds: float) -> None:
            name = unfinished.pop(page.path)
            left = f"{len(unfinished)} left" if unfinished else "all done"
            if isinstance(result, Run):
                self.store.put(fingerprint[name], result)
                logger.info("  ran %s in %.1f s (%s)", page.path, seconds, left)
            else:
                self.problems.extend(result)
                logger.info("  FAILED %s after %.1f s (%s)", page.path, seconds, left)

        start = time.perf_counter()
        execution.run_all(
            queue,
            settings,
            lambda page: logger.info("  running %s", page.path),
            finished,
        )
        logger.info("pages: ran in %.1f s", time.perf_counter() - start)


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
    config.nb_custom_formats = {
        ".md": [
            "conf.pipeline.recall",
            {
                "package": str(config.recipes_package),
                "store": str(config.page_store),
                "extensions": sorted(config.myst_enable_extensions),
            },
            False,
        ]
    }


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("recipes_package", None, "env", str)
    app.add_config_value("recipes_shared", [], "", list)
    app.add_config_value("page_store", None, "", str)
    app.add_config_value("page_jobs", 0, "", int)
    app.add_config_value("page_timeout", 120, "", int)
    app.add_config_value("page_preload", [], "", list)
    app.connect("config-inited", _configure, priority=100)
    pipeline: list[Pipeline] = []

    def get_outdated(app: Sphinx, env: BuildEnvironment, *_: object) -> list[str]:
        pipeline[:] = [Pipeline(app)]
        return pipeline[0].outdated(env)

    def before_read(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
        pipeline[0].execute(env, docnames)

    app.connect("env-get-outdated", get_outdated)
    app.connect("env-before-read-docs", before_read)
    return {
        "env_version": state.VERSION,
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }

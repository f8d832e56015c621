"""Runs the unit tests on another backend than TensorFlow, and keeps what was seen."""

import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from conf.pages.recipes import Package
from conf.reference import listings
from conf.reference.backends import Row, Seen, Tests, write

# JAX warns of each array of 64 bits, unless it is told to keep them.
_FEWER_BITS = "Explicitly requested dtype"


class Run:
    """A plugin for pytest that leaves out what needs TensorFlow, and notes the rest."""

    def __init__(self, tests: Tests) -> None:
        self.tests = tests
        self.about: dict[str, tuple[Path, str, str]] = {}  # by the identifier of a test
        self.outcomes: dict[str, set[str]] = {}

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        needs: dict[bool, list[pytest.Item]] = {True: [], False: []}
        for item in items:
            needs[self._needs_tensorflow(item)].append(item)
        items[:] = needs[False]
        config.hook.pytest_deselected(items=needs[True])

    def _needs_tensorflow(self, item: pytest.Item) -> bool:
        assert isinstance(item, pytest.Function)
        name = item.originalname
        recipe = self._recipe(item)
        self.about[item.nodeid] = (item.path, name, recipe)
        if item.get_closest_marker("tensorflow"):
            return True
        if recipe:
            return self.tests.recipe_needs_tensorflow(recipe)
        return self.tests.needs_tensorflow(item.path, [name, *item.fixturenames])

    def _recipe(self, item: pytest.Function) -> str:
        """The recipe for which a test of many is repeated."""
        values = item.callspec.params.values() if hasattr(item, "callspec") else ()
        names = (f"{self.tests.package.name}.{value}" for value in values)
        return next((name for name in names if name in self.tests.of_recipes), "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        is_known_fault = hasattr(report, "wasxfail")
        if (report.when == "call" and not is_known_fault) or report.failed:
            self.outcomes.setdefault(report.nodeid, set()).add(report.outcome)

    def rows(self) -> dict[str, Row]:
        """A row for each recipe that needs no TensorFlow."""
        seen: dict[tuple[Path, str], set[str]] = {}
        failed = set()  # the recipes for which a test of many failed
        for identifier, outcomes in self.outcomes.items():
            path, test, recipe = self.about[identifier]
            seen.setdefault((path, test), set()).update(outcomes)
            if recipe and "failed" in outcomes:
                failed.add(recipe)
        rows = {}
        for recipe, (_, _, tests) in self.tests.of_recipes.items():
            if not self.tests.recipe_needs_tensorflow(recipe):
                found = [seen.get(test, set()) for test in tests]
                rows[recipe] = Row(
                    self.tests.hash(recipe),
                    passed=found.count({"passed"}),
                    failed=sum("failed" in outcomes for outcomes in found)
                    + (recipe in failed),
                    left_out=found.count(set()),
                )
        return rows


def main(backend: str, arguments: list[str]) -> int:
    """Run the tests on one backend; keep what was seen if all of them ran."""
    root = Path.cwd()
    run = Run(Tests(Package(root / "snippets")))
    options = ["-q", "-W", f"ignore:{_FEWER_BITS}"]
    code = int(pytest.main([listings.UNIT, *options, *arguments], plugins=[run]))
    if not arguments and code in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        versions = {
            name: importlib.metadata.version(name) for name in (backend, "keras")
        }
        write(root, Seen(backend, versions, run.rows()))
    return code


if __name__ == "__main__":
    raise SystemExit(main(os.environ["KERAS_BACKEND"], sys.argv[1:]))

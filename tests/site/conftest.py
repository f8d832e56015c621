"""Small sites to build, break and build again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.pages.recipes import Package
from tests.site.small_site import Site


@pytest.fixture(scope="session", autouse=True)
def interrupted() -> Iterator[None]:
    """Builds can be interrupted, though a shell ignores it for what runs behind it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A small site that was never built."""
    return Site(tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A small site that was built once; who changes a file puts it back."""
    site = Site(tmp_path_factory.mktemp("site"))
    build = site.build()
    assert (build.code, build.errors) == (0, "")
    return site


@pytest.fixture
def package(tmp_path: Path) -> Package:
    """The small site's package, read as text; parsed where it is asked for."""
    return Package(Site(tmp_path).folder / "mini")

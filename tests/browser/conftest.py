"""The built site on loopback, and a browser that reads it."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.served import BUILT, Served, serve

NEEDED = "playwright is not installed: `nox -s site` runs what needs a browser"


@pytest.fixture(scope="session")
def site() -> Iterator[Served]:
    """The site that `nox -s docs` built."""
    if not (BUILT / "index.html").exists():
        pytest.skip("there is no site in build/html: run `nox -s docs` first")
    with serve(BUILT) as served:
        yield served


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Chromium, as the system has it."""
    playwright = pytest.importorskip("playwright.sync_api", reason=NEEDED)
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium: install it (Debian: `apt install chromium`)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """An empty tab that knows nothing of other tests."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()

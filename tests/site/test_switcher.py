"""The list of versions works with two, and a page leads to an issue about it."""

import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from conf.addresses import Addresses
from conf.hosting.links import TEMPLATE, wrong
from conf.hosting.publish import publish
from tests.site.small_site import ROOT, Site

SITE = "https://site.test/x"
SETTING = {"SITE_URL": SITE, "SITE_REPOSITORY": "https://github.com/owner/name"}
ALL = Addresses(SETTING["SITE_REPOSITORY"], SITE, "abc")
CHROMIUM = shutil.which("chromium")

# The look of the site, taken from its settings; only the pages are others.
LOOK = f"""
_text = Path({str(ROOT / "conf/conf.py")!r}).read_text("utf-8")
from urllib.parse import urlsplit
from conf.hosting.publish import NEWEST, SWITCHER
exec(_text[_text.index("# Look"):])
html_static_path, html_css_files, html_js_files = [], [], []
html_extra_path = []
html_logo = html_favicon = ""
templates_path = [{str(ROOT / "docs/_templates")!r}]
extensions += ["conf.hosting.machines", "conf.hosting.links"]
"""


def dressed(folder: Path, **environment: str) -> Path:
    site = Site(folder)
    settings = site.read("settings/conf.py").replace('html_theme = "basic"\n', "")
    site.write("settings/conf.py", settings + LOOK)
    site.write("docs/index.md", "# Home\n\n```{toctree}\nguides/alpha\n```\n")
    for path in ("guides/beta", "guides/gamma", "reference/recipes"):
        (folder / f"docs/{path}.md").unlink()
    site.write("docs/guides/alpha.md", "# Alpha\n\nText.\n")
    for stem in ("alpha", "beta", "gamma"):
        (folder / f"mini/{stem}.py").unlink()
        (folder / f"tests/unit/test_{stem}.py").unlink()
    site.write("mini/alpha.py", "")
    site.write("tests/unit/test_alpha.py", "")
    build = site.build(**environment)
    assert (build.code, build.errors) == (0, "")
    return folder / "build/html"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is served: the newest site, and one release."""
    top = tmp_path_factory.mktemp("served")
    branch = top / "x"
    branch.mkdir()
    newest = dressed(tmp_path_factory.mktemp("newest"), **SETTING)
    publish(newest, branch, "", SITE)
    release = dressed(tmp_path_factory.mktemp("release"), **SETTING, SITE_VERSION="0.1")
    publish(release, branch, "0.1", SITE)
    return top


def test_each_page_says_which_version_it_is(served: Path) -> None:
    for folder, version in {"x": "newest", "x/0.1": "0.1"}.items():
        page = (served / folder / "guides/alpha.html").read_text("utf-8")
        assert f"theme_switcher_version_match = '{version}'" in page
        assert "theme_switcher_json_url = '/x/switcher.json'" in page


def test_an_old_page_leads_machines_to_the_newest(served: Path) -> None:
    page = (served / "x/0.1/guides/alpha.html").read_text("utf-8")
    assert f'<link rel="canonical" href="{SITE}/guides/alpha.html"' in page
    assert not (served / "x/0.1/sitemap.xml").exists()
    assert (served / "x/sitemap.xml").exists()


def test_without_an_address_there_is_no_list_and_no_link(tmp_path: Path) -> None:
    page = (dressed(tmp_path) / "guides/alpha.html").read_text("utf-8")
    assert "switcher_json_url" not in page
    assert "version-switcher__button" not in page
    assert "issues/new" not in page
    assert "/edit/" not in page


@pytest.fixture
def address(served: Path) -> Iterator[str]:
    """Where the branch is served, below the path that it has in public."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/x"
        server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")
def test_the_list_leads_to_the_same_page_of_each_version(
    address: str, tmp_path: Path
) -> None:
    assert CHROMIUM
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
    options += ("--disable-background-networking", "--virtual-time-budget=8000")
    done = subprocess.run(
        [
            *(CHROMIUM, *options, f"--user-data-dir={tmp_path}", "--dump-dom"),
            f"{address}/0.1/guides/alpha.html",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = re.search(r'role="listbox"[^>]*>(.*?)</div>', done.stdout, re.DOTALL)
    assert found
    rows = re.findall(r'<a class="([^"]*)" href="([^"]*)" role="option"', found[1])
    assert [(href, "active" in look) for look, href in rows] == [
        (f"{SITE}/guides/alpha.html", False),
        (f"{SITE}/0.1/guides/alpha.html", True),
    ]
    label = re.search(r'aria-labelledby="(\S+) (\S+)"', done.stdout)
    assert label
    names = [
        re.search(rf'id="{name}"[^>]*>([^<]+)<', done.stdout) for name in label.groups()
    ]
    assert [name and name[1].strip() for name in names] == ["Version", "0.1"]


def test_a_page_leads_to_an_issue_about_it(served: Path) -> None:
    page = (served / "x/guides/alpha.html").read_text("utf-8")
    found = re.search(r'<a href="([^"]+)">Was this wrong', page)
    assert found
    fields = parse_qs(urlsplit(unescape(found[1])).query)
    assert fields["page"] == [f"{SITE}/guides/alpha.html"]
    assert re.search(r"github\.com/owner/name/edit/\w+/docs/guides/alpha\.md", page)


def test_the_issue_has_the_fields_that_are_filled_in() -> None:
    fields = parse_qs(urlsplit(wrong(ALL, "guides/a")).query)
    path = ROOT / ".github/ISSUE_TEMPLATE" / TEMPLATE
    form = yaml.safe_load(path.read_text("utf-8"))
    known = {part["id"] for part in form["body"]} | {"template", "title"}
    assert set(fields) <= known
    assert fields["commit"] == ["abc"]


@pytest.mark.parametrize("repository", ["", "https://gitlab.com/owner/name"])
def test_other_hosts_get_no_link(repository: str) -> None:
    assert wrong(Addresses(repository, SITE, "abc"), "guides/a") == ""


def test_pages_that_nobody_wrote_cannot_be_edited(served: Path) -> None:
    for name in ("genindex", "search", "listings/mini/data"):
        page = (served / f"x/{name}.html").read_text("utf-8")
        assert "/edit/" not in page
        assert "issues/new" not in page

"""Addresses are settings: what needs one is there only where it is set."""

from pathlib import Path

import pytest

from conf.addresses import Addresses, from_environment

NONE = Addresses("", "", "")
ALL = Addresses("https://github.com/owner/name", "https://site.test/x", "abc")


def test_an_unknown_address_gives_empty_links() -> None:
    assert [NONE.file("a.py"), NONE.page("a"), NONE.colab("a")] == ["", "", ""]


def test_a_known_address_gives_full_links() -> None:
    assert ALL.file("mini/a.py") == "https://github.com/owner/name/blob/abc/mini/a.py"
    assert ALL.page("guides/a", "#b") == "https://site.test/x/guides/a.html#b"


def test_colab_reads_the_published_notebook_from_github() -> None:
    place = (
        "https://colab.research.google.com/github/owner/name/blob/gh-pages/notebooks/"
    )
    assert ALL.colab("guides/a") == f"{place}guides/a.ipynb"


def test_a_release_is_in_a_folder_of_its_name() -> None:
    release = Addresses(ALL.repository, ALL.site, "abc", "0.1")
    assert release.page("guides/a") == "https://site.test/x/0.1/guides/a.html"
    assert release.colab("a").endswith("/name/blob/gh-pages/0.1/notebooks/a.ipynb")


def test_a_version_must_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_VERSION", "../x")
    with pytest.raises(ValueError, match=r"SITE_VERSION must look like 0\.1\."):
        from_environment(tmp_path)


@pytest.mark.parametrize(
    "repository", ["https://gitlab.com/owner/name", "https://github.com/"]
)
def test_colab_has_no_address_for_other_hosts(repository: str) -> None:
    assert Addresses(repository, "", "abc").colab("a") == ""


@pytest.mark.parametrize("name", ["SITE_REPOSITORY", "SITE_URL"])
def test_an_address_must_be_https(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "git@host:name")
    with pytest.raises(ValueError, match=rf"{name} must start with https://.*git@host"):
        from_environment(tmp_path)


def test_addresses_are_read_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE_REPOSITORY", "https://github.com/owner/name/")
    monkeypatch.delenv("SITE_URL", raising=False)
    found = from_environment(tmp_path)
    assert (found.repository, found.site) == ("https://github.com/owner/name", "")


def test_outside_a_repository_links_lead_to_the_main_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert from_environment(tmp_path).commit == "main"


def test_without_git_links_lead_to_the_main_branch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert from_environment(tmp_path).commit == "main"

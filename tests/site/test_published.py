"""How the site is published, and what the weekly runs tell."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from conf.hosting.publish import publish
from conf.hosting.weekly import LONGEST, MOST, report
from tests.site.small_site import ROOT

SITE = "https://site.test/x"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def written(folder: Path, **files: str) -> Path:
    for name, text in {"index.html": "home", **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_newest_site_replaces_all_but_releases(tmp_path: Path) -> None:
    files = {"old.html": "", "guides/old.html": "", ".git": "", "0.1/index.html": "1"}
    branch = written(tmp_path / "branch", **files)
    publish(
        written(tmp_path / "built", **{"notebooks/a.ipynb": "{}"}), branch, "", SITE
    )
    found = tree(branch)
    rows = json.loads(found.pop("switcher.json"))
    assert found == {
        ".git": "",
        ".nojekyll": "",
        "0.1/index.html": "1",
        "index.html": "home",
        "notebooks/a.ipynb": "{}",
    }
    assert [row["url"] for row in rows] == [f"{SITE}/", f"{SITE}/0.1/"]


def test_a_release_replaces_its_own_folder_alone(tmp_path: Path) -> None:
    files = {"a.html": "newest", "0.2/old.html": "", "0.10/index.html": "10"}
    branch = written(tmp_path / "branch", **files)
    publish(written(tmp_path / "built"), branch, "0.2", SITE)
    found = tree(branch)
    rows = json.loads(found.pop("switcher.json"))
    assert set(found) == {
        *(".nojekyll", "0.10/index.html", "0.2/index.html", "a.html", "index.html")
    }
    assert [row["version"] for row in rows] == ["newest", "0.10", "0.2"]


@pytest.mark.parametrize("version", ["../x", "v1", ".git", "0.1/"])
def test_a_release_has_the_name_of_a_version(tmp_path: Path, version: str) -> None:
    with pytest.raises(ValueError, match="named like"):
        publish(written(tmp_path / "built"), tmp_path, version, SITE)


def test_what_was_not_built_replaces_nothing(tmp_path: Path) -> None:
    branch = written(tmp_path / "branch")
    with pytest.raises(ValueError, match="no site"):
        publish(tmp_path / "empty", branch, "", SITE)
    assert tree(branch) == {"index.html": "home"}


QUIET = {
    "newest": "nox > x\ndocs/guides/a.md: 3 sentences\n  docs/a.md:3: open\n"
    "2 proofs, 2 run now in 1.0 s\n",
    "nightly": "2 proofs, 1 lane\n1 lane in 12 s\n",
    "links": "(guides/a: line 3) ok        https://a.test/\nbuild succeeded.\n",
}


def seen(folder: Path, **logs: str) -> Path:
    for name, text in {**QUIET, **logs}.items():
        (folder / f"{name}.log").write_text(text)
    return folder


def test_a_week_without_news_opens_no_issue(tmp_path: Path) -> None:
    assert report(seen(tmp_path)) == ""


def test_the_issue_names_what_changed_and_the_versions(tmp_path: Path) -> None:
    proof = "docs/guides/a.md:12: `a.b` is false: AssertionError: assert 1 == 2"
    night = "nightly: a.b does not run: TypeError: no"
    broken = "(guides/a: line 3) broken    https://b.test/ - 404"
    seen(
        tmp_path,
        newest=f"{proof}\n{proof}\n{QUIET['newest']}",
        nightly=f"\x1b[31m{night}\x1b[0m\n{QUIET['nightly']}",
        links=f"{broken}\n{QUIET['links']}",
    )
    (tmp_path / "before.txt").write_text(
        "keras==3.15.1 \\\n    --hash=x\nnumpy==2.4.6\n"
    )
    (tmp_path / "after.txt").write_text(
        "keras==3.16.0 \\\n    --hash=y\nnumpy==2.4.6\n"
    )
    text = report(tmp_path)
    assert text.count(proof) == 1
    assert f"\n{night}\n" in text
    assert f"\n{broken}\n" in text
    assert "-keras==3.15.1\n+keras==3.16.0\n```" in text
    assert "numpy" not in text


@pytest.mark.parametrize("name", QUIET)
def test_a_run_that_did_not_finish_is_news(tmp_path: Path, name: str) -> None:
    seen(tmp_path, **{name: "uv could not resolve\n"})
    assert "the run did not finish\n\n```text\nuv could not" in report(tmp_path)
    (tmp_path / f"{name}.log").unlink()
    assert "there is no log" in report(tmp_path)


def test_an_issue_is_not_longer_than_an_issue_can_be(tmp_path: Path) -> None:
    line = "nightly: a.b is false: ```" + "x" * 500
    lines = [line + str(number) for number in range(MOST + 7)]
    text = report(seen(tmp_path, nightly="\n".join([*lines, QUIET["nightly"]])))
    assert "... and 7 more" in text
    assert len(text) < 65_536
    assert max(map(len, text.splitlines())) == LONGEST
    assert text.count("```") == 2


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.stem)
def workflow(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text("utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job["steps"]]


def test_actions_are_pinned_by_their_commit(workflow: Path) -> None:
    used = re.findall(r"uses: (.+)", workflow.read_text("utf-8"))
    pinned = re.compile(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in used if not pinned.fullmatch(line)] == []


def test_a_job_may_do_what_it_says_and_nothing_else(workflow: Path) -> None:
    found = yaml.safe_load(workflow.read_text("utf-8"))
    assert found["permissions"] == {}
    assert all(job["permissions"] for job in found["jobs"].values())
    for step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_workflows_call_sessions_that_exist(workflow: Path) -> None:
    sessions = re.findall(
        r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text("utf-8"), re.M
    )
    for step in steps(workflow):
        for names in re.findall(r"nox -s ((?:\w+ ?)+)", step.get("run", "")):
            assert set(names.split()) <= set(sessions)

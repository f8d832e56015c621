"""Lay a built site into the branch that is served.

`python -m conf.hosting.publish BUILT PUBLISHED [VERSION]`: the newest site lies at the
top and replaces all but the folders of releases, such as `0.1`; a release replaces its
own folder. `switcher.json` names what is there. Nothing but Python is needed.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

SWITCHER = "switcher.json"
NEWEST = "newest"
_KEPT = ".git"
_VERSION = re.compile(r"\d+(\.\d+)*")


def publish(built: Path, published: Path, version: str, site: str) -> None:
    """Put the new files in the place of the old ones.

    Args:
        built: the built site.
        published: what is served, a checkout of its branch.
        version: the folder of a release, or nothing for the newest site.
        site: the address of the newest site.

    Raises:
        ValueError: the version is not the name of a release, or nothing was built.
    """
    if version and not _VERSION.fullmatch(version):
        raise ValueError(f"a release is named like 0.1. Received: {version!r}")
    if not (built / "index.html").exists():
        raise ValueError(f"there is no site in {built}")
    place = published / version
    if version:
        shutil.rmtree(place, ignore_errors=True)
    else:
        for path in published.iterdir():
            if path.name == _KEPT or _VERSION.fullmatch(path.name):
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
    shutil.copytree(built, place, dirs_exist_ok=True)
    (published / ".nojekyll").touch()
    found = [path.name for path in published.iterdir() if path.is_dir()]
    text = switcher([name for name in found if _VERSION.fullmatch(name)], site)
    (published / SWITCHER).write_text(text, "utf-8")


def switcher(versions: list[str], site: str) -> str:
    """What the theme's version switcher reads: the newest site, then the releases."""
    rows: list[dict[str, str | bool]] = [
        {"name": NEWEST, "version": NEWEST, "url": f"{site}/", "preferred": True}
    ]
    for version in sorted(versions, key=_numbers, reverse=True):
        rows.append({"version": version, "url": f"{site}/{version}/"})
    return json.dumps(rows, indent=1) + "\n"


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


if __name__ == "__main__":
    site_built, branch, *release = sys.argv[1:]
    publish(
        Path(site_built),
        Path(branch),
        "".join(release),
        os.environ["SITE_URL"].rstrip("/"),
    )

"""The public addresses of the repository and of the site, each one setting.

`SITE_REPOSITORY` (https://github.com/owner/name) and `SITE_URL` (where the site is
served) are set by hosting. Neither has a default: whatever needs an address, a button
or a link, is absent from a build that does not know it. `SITE_VERSION` (0.1) is set for
a release, which is served from a folder of that name below the newest site.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Addresses:
    """Where this build will be found; an empty string means unknown.

    Attributes:
        repository: the repository.
        site: the newest site.
        commit: what is built.
        version: the folder of a release; empty for the newest site.
    """

    repository: str
    site: str
    commit: str
    version: str = ""

    @property
    def root(self) -> str:
        """Where this very build is served."""
        return f"{self.site}/{self.version}".rstrip("/") if self.site else ""

    def file(self, path: str) -> str:
        """A file of the repository at the commit that was built."""
        return f"{self.repository}/blob/{self.commit}/{path}" if self.repository else ""

    def page(self, docname: str, anchor: str = "") -> str:
        """A page of the site."""
        return f"{self.root}/{docname}.html{anchor}" if self.site else ""

    def colab(self, docname: str) -> str:
        """Colab's address for a page's notebook; it reads from GitHub alone."""
        host, _, name = self.repository.partition("://github.com/")
        if not host or not name:
            return ""
        place = f"https://colab.research.google.com/github/{name}/blob/gh-pages"
        folder = f"{self.version}/notebooks" if self.version else "notebooks"
        return f"{place}/{folder}/{docname}.ipynb"


def from_environment(root: Path) -> Addresses:
    """Read the settings.

    Raises:
        ValueError: a setting is not an https address, or a version no folder's name.
    """
    found = {}
    for name in ("SITE_REPOSITORY", "SITE_URL"):
        value = os.environ.get(name, "").rstrip("/")
        if value and not value.startswith("https://"):
            raise ValueError(f"{name} must start with https://. Received: {value!r}")
        found[name] = value
    version = os.environ.get("SITE_VERSION", "")
    if not re.fullmatch(r"(\d+(\.\d+)*)?", version):
        raise ValueError(f"SITE_VERSION must look like 0.1. Received: {version!r}")
    repository, site = found.values()
    return Addresses(repository, site, _commit(root), version)


def _commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # there is no git
        return "main"
    return done.stdout.strip() or "main"

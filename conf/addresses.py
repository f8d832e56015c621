"""The public addresses of the repository and of the site, each one setting.

`SITE_REPOSITORY` (https://github.com/owner/name) and `SITE_URL` (where the site is
served) are set by hosting. Neither has a default: whatever needs an address, a button
or a link, is absent from a build that does not know it.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Addresses:
    """Where this build will be found; an empty string means unknown."""

    repository: str
    site: str
    commit: str

    def file(self, path: str) -> str:
        """A file of the repository at the commit that was built."""
        return f"{self.repository}/blob/{self.commit}/{path}" if self.repository else ""

    def page(self, docname: str, anchor: str = "") -> str:
        """A page of the site."""
        return f"{self.site}/{docname}.html{anchor}" if self.site else ""

    def colab(self, docname: str) -> str:
        """Colab's address for a page's notebook; it reads from GitHub alone."""
        host, _, name = self.repository.partition("://github.com/")
        if not host or not name:
            return ""
        place = "https://colab.research.google.com/github"
        return f"{place}/{name}/blob/gh-pages/notebooks/{docname}.ipynb"


def from_environment(root: Path) -> Addresses:
    """Read the settings.

    Raises:
        ValueError: a setting is not an https address.
    """
    found = {}
    for name in ("SITE_REPOSITORY", "SITE_URL"):
        value = os.environ.get(name, "").rstrip("/")
        if value and not value.startswith("https://"):
            raise ValueError(f"{name} must start with https://. Received: {value!r}")
        found[name] = value
    return Addresses(found["SITE_REPOSITORY"], found["SITE_URL"], _commit(root))


def _commit(root: Path) -> str:
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # there is no git
        return "main"
    return done.stdout.strip() or "main"

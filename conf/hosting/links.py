"""The way back from a page: an issue about it, with page and commit filled in."""

from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from sphinx.application import Sphinx

from conf.addresses import Addresses

TEMPLATE = "wrong.yml"


def wrong(addresses: Addresses, docname: str) -> str:
    """The address of a new issue; only GitHub fills in forms."""
    if not addresses.repository.startswith("https://github.com/"):
        return ""
    fields = {
        "template": TEMPLATE,
        "title": f"Wrong: {docname}",
        "page": addresses.page(docname) or docname,
        "commit": addresses.commit,
    }
    return f"{addresses.repository}/issues/new?{urlencode(fields)}"


def _tell(
    app: Sphinx,
    pagename: str,
    template: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """Give the template `wrong.html` its address, on pages that somebody wrote."""
    if doctree is not None:
        context["wrong_url"] = wrong(app.config.site_addresses, pagename)


def setup(app: Sphinx) -> dict[str, Any]:
    # The theme drops templates that are empty at 500.
    app.connect("html-page-context", _tell, priority=499)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""What the home page has that no other page has: a field for a question.

With JavaScript it opens the site's search with what is typed or pasted there; without,
it leads to Sphinx's page of the search, as the theme's form does.
"""

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_FORM = """<form class="ask" role="search" action="{root}search.html" method="get">
<label for="ask">Paste an error message, or ask a question</label>
<span><input id="ask" type="search" name="q" autocomplete="off" autocapitalize="off"
  spellcheck="false" placeholder="{example}">
<button type="submit">Search</button></span>
</form>"""


class Ask(SphinxDirective):
    """A form that asks the search, with an example in its field."""

    optional_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        root = "../" * self.env.docname.count("/")
        example = escape("".join(self.arguments))
        form = _FORM.format(root=root, example=example)
        return [nodes.raw("", form, format="html")]


def _name(
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    """In the menu the page is called by what it is, and not by its long title."""
    context["root_title"] = "Home"


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("ask", Ask)
    app.connect("html-page-context", _name, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

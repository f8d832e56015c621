"""The settings of the site."""

import csv
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

# The line above makes these importable.
from conf.addresses import from_environment  # noqa: E402
from conf.hosting.machines import descriptions  # noqa: E402
from conf.hosting.publish import NEWEST, SWITCHER  # noqa: E402

project = "Keras snippets"
author = "the keras-snippets authors"
copyright = "2026, the keras-snippets authors"
language = "en"

extensions = [
    "myst_nb",
    "notfound.extension",
    "sphinx.ext.githubpages",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_reredirects",
    "conf.build",
    "conf.pages.notebook",
    "conf.pages.columns",
    "conf.reference.listings",
    "conf.reference.entries",
    "conf.reference.file_tables",
    "conf.reference.errors_page",
    "conf.reference.error_links",
    "conf.proofs.show",
    "conf.web.markup",
    "conf.hosting.machines",
    "conf.hosting.links",
    "conf.web.home",
    "conf.web.lean",
    "conf.web.look",
    "conf.web.search",
]

# Pages
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_output_folder = "outputs"
nb_code_prompt_show = "Show the calls of this table"  # for folds without recipes
nb_code_prompt_hide = "Hide the code"
nb_merge_streams = True
nb_render_error_lexer = "text"  # lines of a message are no Python
nb_render_markdown_format = "gfm"

# Recipes, and how the pages that show them run
recipes_package = str(ROOT / "snippets")
recipes_shared = [
    *("both_kerases", "checks", "data", "drawings", "errors", "extras", "figures"),
    "files",  # its page is in the reference
    *("measuring", "processes", "tables"),
]
page_store = str(ROOT / "build/store")
page_budget = 40  # seconds of one core for the cells of a page
page_budgets = {"guides/gans": 60}
with (ROOT / "docs/about/speed_pages.csv").open(encoding="utf-8") as _file:
    page_seconds = {name: float(took) for name, took in list(csv.reader(_file))[1:]}
page_preload = [
    "tensorflow",
    "keras",
    "tf_keras",
    "sklearn.datasets",
    "matplotlib.pyplot",
]
notebook_needs = [
    *("tensorflow", "keras", "tf_keras"),
    *("scikit-learn", "matplotlib", "pandas"),
]
site_addresses = from_environment(ROOT)

# Where it is hosted, and what programs read
site_descriptions = descriptions(ROOT / "docs")
# Long, and of use one at a time: they are linked from llms.txt alone.
site_not_in_full = ["reference/recipes/*", "reference/versions", "about/changelog"]
with (ROOT / "docs/redirects.toml").open("rb") as _moved:
    redirects = {old: f"/{new}.html" for old, new in tomllib.load(_moved).items()}
redirect_html_template_file = str(ROOT / "docs/_templates/moved.html")
notfound_urls_prefix = urlsplit(site_addresses.root).path.rstrip("/") + "/"
notfound_context = {
    "title": "Page not found",
    "body": "<h1>Page not found</h1><p>Nothing stands at this address. The menu and "
    "the search have every page. If a link of this site led here, it is wrong.</p>",
}

# References: other projects' names cannot be looked up without a network.
nitpick_ignore_regex = [("py:.*", r"(?!snippets\.).*")]
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False

# Look
html_theme = "sphinx_book_theme"
html_title = "Keras snippets"
html_baseurl = site_addresses.site
html_logo = "../docs/_static/logo.svg"
html_favicon = "../docs/_static/logo.svg"
html_extra_path = ["../docs/_extra"]  # what is asked for at the root, unnamed by pages
html_static_path = ["../docs/_static"]
templates_path = ["../docs/_templates"]
site_look = [
    *("color", "type", "frame", "home", "cells"),
    *("marks", "reference", "search", "print"),
]
html_js_files = [
    (name, {"defer": ""}) for name in ("copy.js", "proofs.js", "search.js")
]
html_copy_source = False
html_context = {"default_mode": "auto"}
html_theme_options = {
    "article_footer_items": ["ran-on.html", "wrong.html"],
    "home_page_in_toc": True,
    "logo": {"text": "Keras snippets", "alt_text": "Keras snippets, home"},
    "navbar_persistent": [],  # the sidebar has the search field
    "path_to_docs": "docs",
    "repository_url": site_addresses.repository,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_edit_page_button": bool(site_addresses.repository),
    "use_fullscreen_button": False,
    "use_issues_button": False,  # wrong.html asks for page and sentence
    "use_source_button": bool(site_addresses.repository),
}
if site_addresses.site:
    # An address without a host: it is asked of the server that the page is from.
    html_theme_options |= {
        "check_switcher": False,  # it is written when the site is published
        "switcher": {
            "json_url": urlsplit(site_addresses.site).path.rstrip("/") + f"/{SWITCHER}",
            "version_match": site_addresses.version or NEWEST,
        },
    }
    html_sidebars = {
        "**": [
            *("navbar-logo.html", "version-switcher.html", "icon-links.html"),
            *("search-button-field.html", "sbt-sidebar-nav.html"),
        ]
    }
exclude_patterns = ["_extra", "_templates"]
search_leaves_out = ["about/changelog", "index", "reference/versions"]
copybutton_selector = "div.highlight pre:not(.linenos)"
copybutton_exclude = ".linenos, .gp"

"""What programs read of the site, with an address and without."""

import re
import tomllib
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from conf.hosting.machines import descriptions
from tests.site.small_site import ROOT, SETTINGS, Build, Site

SITE = "https://site.test/x"
SETTING = {"SITE_URL": SITE, "SITE_REPOSITORY": "https://github.com/owner/name"}
GUIDE = """# Alpha & more

*What is `alpha`?*

Alpha is **one**, see [beta](beta.md) and [there](https://example.org/a).

```{code-cell} python
:snippet: mini.alpha.FACTOR
:tags: [hide-input]
:fold: the factor
```

```{code-cell} python
:snippet: mini.alpha.area
```

```{code-cell} python
print('area', area(2))
```

- a list
- of two

  with a | in it

| a | b |
| --- | --- |
| `x\\|y` | 2 |

:::{note}
Mind.
:::
"""


def hosted(folder: Path) -> Site:
    extensions = re.search(r"extensions = (\[.*?\])", SETTINGS, re.DOTALL)
    assert extensions
    site = Site(
        folder,
        extensions=[
            *("notfound.extension", "sphinx.ext.githubpages", "sphinx_reredirects"),
            *re.findall(r'"([^"]+)"', extensions[1]),
            "conf.hosting.machines",
        ],
        html_title="Small",
        html_copy_source=False,
        site_descriptions={"index": "All.", "guides/alpha": 'What "alpha" & co are.'},
        site_not_in_full=["reference/*"],
        redirects={"guides/old": "/guides/alpha.html"},
        redirect_html_template_file=str(ROOT / "docs/_templates/moved.html"),
        notfound_urls_prefix="/x/",
    )
    settings = site.read("settings/conf.py")
    site.write("settings/conf.py", settings + "html_baseurl = site_addresses.site\n")
    site.write("docs/guides/alpha.md", GUIDE.replace("alpha.FACTOR", "data.FACTOR"))
    gamma = site.read("docs/guides/gamma.md")
    site.write("docs/guides/gamma.md", f"{gamma}\n*Who is\ngamma?*\n")
    return site


def built(site: Site, **environment: str) -> Build:
    build = site.build(**environment)
    assert (build.code, build.errors) == (0, "")
    return build


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site that does not know where it will be found."""
    site = hosted(tmp_path_factory.mktemp("plain"))
    built(site)
    return site


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A site with an address."""
    site = hosted(tmp_path_factory.mktemp("public"))
    built(site, **SETTING)
    return site


def head(site: Site, docname: str) -> dict[str, str]:
    """The values of meta and link tags by their name."""
    found = {}
    for tag in re.findall(r"<(?:meta|link) [^>]+>", site.html(docname)):
        values = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        name = values.get("name") or values.get("property") or values.get("rel")
        value = values.get("content", values.get("href", ""))
        found[str(name)] = unescape(value)
    return found


def test_every_page_is_described(plain: Site) -> None:
    about = 'What "alpha" & co are.'
    found = head(plain, "guides/alpha")
    assert (found["description"], found["og:description"]) == (about, about)
    assert (found["og:title"], found["og:site_name"]) == ("Alpha & more", "Small")


def test_a_page_without_a_description_shows_its_question(plain: Site) -> None:
    assert head(plain, "guides/gamma")["description"] == "Who is gamma?"


def test_without_an_address_nothing_names_one(plain: Site) -> None:
    found = head(plain, "guides/alpha")
    assert not {"canonical", "og:url", "og:image", "twitter:card"} & set(found)
    files = plain.snapshot("build/html")
    assert not {"sitemap.xml", "CNAME"} & set(files)
    assert b"Sitemap" not in files["robots.txt"]
    assert not [name for name in files if "cards" in name]
    assert not [name for name, data in files.items() if b"site.test" in data]


def test_with_an_address_a_page_names_its_own(public: Site) -> None:
    found = head(public, "guides/alpha")
    assert found["canonical"] == found["og:url"] == f"{SITE}/guides/alpha.html"
    assert found["og:image"] == f"{SITE}/_static/cards/guides/alpha.png"
    with Image.open(
        public.folder / "build/html/_static/cards/guides/alpha.png"
    ) as card:
        assert card.size == (1200, 630)


def test_the_sitemap_has_every_page_and_nothing_else(public: Site) -> None:
    tree = ElementTree.fromstring(public.read("build/html/sitemap.xml"))
    found = [str(node.text) for node in tree.iter() if node.tag.endswith("loc")]
    pages = public.folder.glob("docs/**/*.md")
    names = [p.relative_to(public.folder / "docs").with_suffix("") for p in pages]
    assert found == sorted(f"{SITE}/{name.as_posix()}.html" for name in names)
    assert f"Sitemap: {SITE}/sitemap.xml" in public.read("build/html/robots.txt")


def test_a_page_is_markdown_too(plain: Site) -> None:
    assert head(plain, "guides/alpha")["alternate"] == "alpha.md"
    text = plain.read("build/html/guides/alpha.md")
    assert text.startswith("# Alpha & more\n\n*What is `alpha`?*\n\nAlpha is **one**")
    assert "[beta](beta.md) and [there](https://example.org/a)." in text
    assert "```python\nprint('area', area(2))\n```\n\n```text\narea 6\n```" in text
    assert "*Folded here, and whole in the notebook: the factor.*" in text
    assert "- a list\n- of two\n\n  with a | in it" in text
    assert "| `x\\|y` | 2 |" in text
    assert "> **Note**\n>\n> Mind." in text


def test_a_recipe_is_markdown_too(plain: Site) -> None:
    text = plain.read("build/html/reference/recipes.md")
    assert "**`mini.alpha.area(side: int) -> int`**\n\nReturn the area." in text


def test_markdown_has_whole_addresses_where_they_are_known(public: Site) -> None:
    text = public.read("build/html/guides/alpha.md")
    assert f"[beta]({SITE}/guides/beta.html)" in text


def test_the_lists_for_language_models_lead_to_every_page(plain: Site) -> None:
    text = plain.read("build/html/llms.txt")
    assert text.startswith("# Small\n\n> All.\n")
    line = '- [Alpha & more](guides/alpha.md): What "alpha" & co are.'
    assert f"## Guides\n\n{line}\n" in text
    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (plain.folder / "build/html" / target).exists()
    whole = plain.read("build/html/llms-full.txt")
    assert plain.read("build/html/guides/alpha.md") in whole
    assert plain.read("build/html/reference/recipes.md") not in whole


def test_the_page_for_wrong_addresses_works_at_any_depth(public: Site) -> None:
    page = public.html("404")
    assert 'content="noindex"' in page
    assert "canonical" not in page
    for target in re.findall(r'(?:href|src)="([^"#]+)"', page):
        assert target.startswith(("/x/", "https://"))


def test_a_page_that_moved_leads_on(plain: Site) -> None:
    assert 'href="../guides/alpha.html"' in plain.html("guides/old")


def test_hosts_take_files_as_they_are(public: Site) -> None:
    files = public.snapshot("build/html")
    assert files[".nojekyll"] == b""
    assert b"zlib" in files["objects.inv"][:200]


def test_what_is_gone_has_no_markdown(plain: Site) -> None:
    plain.write("build/html/guides/gone.md", "# Of a page that is gone\n")
    built(plain)
    assert not (plain.folder / "build/html/guides/gone.md").exists()


def test_two_cold_builds_are_the_same_bytes(tmp_path: Path, public: Site) -> None:
    again = hosted(tmp_path)
    built(again, **SETTING)
    assert again.snapshot("build/html") == public.snapshot("build/html")


DOCS = ROOT / "docs"
PAGES = {p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md")}


def test_every_page_has_a_description_of_its_own() -> None:
    found = descriptions(DOCS)
    assert set(found) == PAGES
    assert len(set(found.values())) == len(found)
    wrong = [name for name, words in found.items() if not 60 <= len(words) <= 160]
    assert wrong == []


def test_no_two_pages_have_the_same_title() -> None:
    titles = {}
    for name in PAGES:
        text = (DOCS / f"{name}.md").read_text("utf-8")
        if found := re.search(r"^# (.+)$", text, re.MULTILINE):
            titles.setdefault(found[1], []).append(name)
    assert [names for names in titles.values() if len(names) > 1] == []


def test_what_moved_leads_to_a_page() -> None:
    moved = tomllib.loads((DOCS / "redirects.toml").read_text("utf-8"))
    assert set(moved.values()) <= PAGES
    assert not set(moved) & PAGES
    for old in moved:  # nor may a listing of today stand there
        assert not (ROOT / f"{old.removeprefix('listings/')}.py").exists()

"""What a page weighs and how large it is, read from its file.

`python -m tests.browser.weigh` prints every page: KiB as served with everything that
it loads but pictures, requests, and elements.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from tests.browser.served import BUILT, compressed

_ONCE = ("stylesheet", "preload", "modulepreload")
_FONT = "url("


@dataclass
class Weighed(HTMLParser):
    """A page's parts.

    Attributes:
        elements: how many a browser would count; what a template holds it does not.
        loads: the files that it loads, but pictures.
        inside: how deep in templates the parser is.
    """

    elements: int = 0
    loads: dict[str, None] = field(default_factory=dict)
    inside: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.inside:
            self.elements += 1
        if tag == "template":
            self.inside += 1
        found = {name: value or "" for name, value in attrs}
        if tag == "script" and "src" in found:
            self.loads[found["src"]] = None
        elif tag == "link" and found.get("rel") in _ONCE:
            self.loads[found["href"]] = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "template":
            self.inside -= 1


def weigh(name: str, built: Path = BUILT) -> tuple[float, int, int]:
    """KiB, requests and elements of a page."""
    page = built / f"{name}.html"
    parsed = Weighed()
    parsed.feed(page.read_text("utf-8"))
    files = {page}
    for address in parsed.loads:
        if "://" not in address:
            clean = urljoin(f"/{name}.html", address).partition("?")[0]
            files.add(built / clean.lstrip("/"))
    for sheet in [file for file in files if file.suffix == ".css"]:
        files.update(_fonts(sheet, page))
    kib = sum(compressed(file) for file in files) / 1024
    return kib, len(files), parsed.elements


def _fonts(sheet: Path, page: Path) -> set[Path]:
    """The fonts that a style sheet may load: all of them, to be on the safe side."""
    found = set()
    for part in sheet.read_text("utf-8").split(_FONT)[1:]:
        address = part.partition(")")[0].strip("\"'").partition("?")[0]
        file = (sheet.parent / address).resolve() if len(address) < 200 else page
        if file.suffix in (".woff", ".woff2") and file.is_file():
            found.add(file)
    return found


if __name__ == "__main__":
    for path in sorted(BUILT.rglob("*.html")):
        name = path.relative_to(BUILT).as_posix().removesuffix(".html")
        if not name.startswith(("_static", "pagefind")):
            print(
                "{:>8.1f} KiB {:>4} requests {:>7} elements".format(*weigh(name)), name
            )

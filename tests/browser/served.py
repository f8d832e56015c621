"""The built site behind a server, and what there is to know of its files."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BUILT = Path(__file__).parents[2] / "build/html"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        try:
            super().copyfile(source, outputfile)
        except OSError:  # the tab was closed
            self.close_connection = True


@dataclass(frozen=True)
class Served:
    """A folder and the address at which it is served."""

    folder: Path
    address: str

    def url(self, name: str) -> str:
        """The address of a page, `guides/gans` or `guides/gans#part`."""
        page, hash_, anchor = name.partition("#")
        return f"{self.address}/{page}.html{hash_}{anchor}"

    def name(self, url: str) -> str:
        """The page and the anchor of an address."""
        return url.removeprefix(f"{self.address}/").replace(".html", "", 1)

    def pages(self) -> list[str]:
        """Every page, in order."""
        found = self.folder.rglob("*.html")
        names = [path.relative_to(self.folder).as_posix() for path in found]
        return sorted(
            name.removesuffix(".html")
            for name in names
            if not name.startswith(("_static", "pagefind"))
        )

    def weight(self, url: str) -> int:
        """The bytes of a file as a server sends it: compressed, where that helps."""
        path = url.removeprefix(self.address).partition("?")[0].partition("#")[0]
        return compressed(self.folder / path.lstrip("/"))


def has_moved(name: str) -> bool:
    """Whether a page leads on to another, and is nothing else."""
    text = (BUILT / f"{name}.html").read_text("utf-8")
    return "<title>This page has moved</title>" in text


@cache
def compressed(path: Path) -> int:
    """The bytes that a server sends of a file."""
    if not path.is_file():
        return 0
    data = path.read_bytes()
    return min(len(data), len(gzip.compress(data, 6, mtime=0)))


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve a folder on a free port of this machine."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Served(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()

"""What a build remembers for the next one, kept in Sphinx's environment."""

import zlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from sphinx.environment import BuildEnvironment

if TYPE_CHECKING:
    from conf.proofs.proving import Proving, Sources


@dataclass(frozen=True)
class PageState:
    """What a page was made of: hashes of its text, of all it could reach, of its run.

    `run` is the fingerprint, or an empty string for a page that runs nothing. `cites`
    holds each proof or measurement that it cites with the line of the mark, `shown` a
    hash of what readers see of them and of its recorded cells, `literals` numbers that
    nothing vouches for, with their lines.
    """

    text: str
    inputs: str
    run: str = ""
    cites: tuple[tuple[str, int], ...] = ()
    shown: str = ""
    literals: tuple[tuple[str, int], ...] = ()


@dataclass
class State:
    """By document name: pages, notebooks, and digests of what other pages show.

    `opened` holds what the marks of a page open.
    `tested` is the digest of recipes and tests that were last found to belong together,
    `proved` that of the proofs if all of them were in order. `unearned` names the
    proofs whose marks must not be shown, `unchecked` the pages that show other marks
    than the judged ones. `sources` are the proofs and measurements that were read last,
    `read` is the digest of all that they were read from, and `proving` is what this
    build knows of them.
    """

    pages: dict[str, PageState] = field(default_factory=dict)
    notebooks: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    tables: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    opened: dict[str, str] = field(default_factory=dict)
    tested: str = ""
    proved: str = ""
    unearned: set[str] = field(default_factory=set)
    unchecked: set[str] = field(default_factory=set)
    read: str = ""
    sources: "Sources | None" = None
    proving: "Proving | None" = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "proving": None}  # each build reads it afresh


# Sphinx forgets what an older build kept when its fields were others.
_FIELDS = [field.name for kind in (PageState, State) for field in fields(kind)]
VERSION = zlib.crc32(" ".join(_FIELDS).encode())


def of(env: BuildEnvironment) -> State:
    """The environment's state; empty in a new environment."""
    found: State = vars(env).setdefault("snippets_state", State())
    return found

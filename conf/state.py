"""What a build remembers for the next one, kept in Sphinx's environment."""

from dataclasses import dataclass, field

from sphinx.environment import BuildEnvironment

VERSION = 1  # raise it when a field changes: Sphinx then forgets what older builds kept


@dataclass(frozen=True)
class PageState:
    """What a page was made of: hashes of its text, of all it could reach, of its run.

    `run` is the fingerprint, or an empty string for a page that runs nothing.
    """

    text: str
    inputs: str
    run: str


@dataclass
class State:
    """By document name: states of pages, texts of notebooks, digests of references.

    `tested` is the digest of recipes and tests that were last found to belong together.
    """

    pages: dict[str, PageState] = field(default_factory=dict)
    notebooks: dict[str, str] = field(default_factory=dict)
    references: dict[str, str] = field(default_factory=dict)
    tested: str = ""


def of(env: BuildEnvironment) -> State:
    """The environment's state; empty in a new environment."""
    found: State = vars(env).setdefault("snippets_state", State())
    return found

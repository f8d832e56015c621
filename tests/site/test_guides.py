"""Each guide of this site has its proofs, and leaves no sentence open."""

from pathlib import Path

import pytest

from conf.conf import myst_enable_extensions, page_store
from conf.pages.read import read
from conf.pages.recipes import Package
from conf.proofs.proving import Proving
from conf.store import Store

ROOT = Path(__file__).parents[2]
GUIDES = sorted(
    path for path in (ROOT / "docs/guides").glob("*.md") if path.stem != "index"
)


@pytest.fixture(scope="module")
def proving() -> Proving:
    """The proofs of this site, read once for all guides."""
    return Proving(ROOT, Package(ROOT / "snippets"), Store(Path(page_store)))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_a_guide_has_a_file_of_proofs(guide: Path) -> None:
    assert (ROOT / f"tests/proofs/test_{guide.stem}.py").exists()


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_no_sentence_of_a_guide_that_names_code_or_a_number_is_open(
    guide: Path, proving: Proving
) -> None:
    text = guide.read_text("utf-8")
    page = read(text, guide.name, Package(ROOT / "snippets"), myst_enable_extensions)
    docname = f"guides/{guide.stem}"
    found = proving.marked(text, docname, page.cells, myst_enable_extensions)
    assert [s for s in found.unproved if s.needs_proof] == []

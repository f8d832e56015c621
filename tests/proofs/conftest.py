"""Under pytest a proof is judged as the site judges it: by its range and falsifier."""

import warnings
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from conf.proofs.run import here
from conf.proofs.source import ProofSource, read
from conf.proofs.verdict import Row, fault, is_meant_for, load, results_of
from tests.proofs.run import judge

ROOT = Path(__file__).parents[2]
sources = cache(read)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Deal proofs out by file, since those of a file share what they train.

    The files that took longest come first, so that small tests fill the end.
    """
    proofs = [i for i in items if isinstance(i, pytest.Function) and is_proof(i)]
    seconds: Counter[str] = Counter()
    for path in results_of(ROOT, "any").parent.glob("*.json"):
        for name, row in load(path).rows.items():
            seconds[name.partition(".")[0]] += row.seconds
    dealt = set(proofs)
    others = [item for item in items if item not in dealt]
    items[:] = sorted(proofs, key=lambda item: -seconds[stem_of(item)]) + others


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a proof, expect what it declares for these versions, and try to refute it."""
    if not is_proof(pyfuncitem):
        return None
    proof = source_of(pyfuncitem)
    if not is_meant_for(proof, here()):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as everywhere that proofs are run
        row = Row(proof.hash, **judge(proof.id))
    assert not (wrong := fault(proof, row, here())), wrong
    return True


def is_proof(item: pytest.Function) -> bool:
    """Whether a test is marked as the proof of a sentence."""
    return hasattr(item.function, "proof")


def stem_of(item: pytest.Function) -> str:
    """The guide of a proof."""
    return item.path.stem.removeprefix("test_")


def source_of(item: pytest.Function) -> ProofSource:
    """The proof of a test."""
    name = item.originalname.removeprefix("test_")
    return sources(ROOT)[f"{stem_of(item)}.{name}"]

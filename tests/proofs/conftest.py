"""Under pytest a proof is judged as the site judges it: by its range and falsifier."""

import warnings
from functools import cache
from pathlib import Path

import pytest

from conf.proofs.run import here
from conf.proofs.source import ProofSource, read
from conf.proofs.verdict import Row, fault, is_meant_for
from tests.proofs.run import judge

sources = cache(read)


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a proof, expect what it declares for these versions, and try to refute it."""
    if not hasattr(pyfuncitem.function, "proof"):
        return None
    proof = source_of(pyfuncitem)
    if not is_meant_for(proof, here()):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as everywhere that proofs are run
        row = Row(proof.hash, **judge(proof.id))
    assert not (wrong := fault(proof, row, here())), wrong
    return True


def source_of(item: pytest.Function) -> ProofSource:
    """The proof of a test."""
    stem = item.path.stem.removeprefix("test_")
    name = item.originalname.removeprefix("test_")
    return sources(Path(__file__).parents[2])[f"{stem}.{name}"]

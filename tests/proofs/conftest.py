"""Under pytest a proof is judged as the site judges it: by its range and falsifier."""

import warnings

import pytest

from conf.verdicts import here
from tests.proofs.results import expected
from tests.proofs.run import judge


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a proof, expect what it declares for these versions, and try to refute it."""
    proof = getattr(pyfuncitem.function, "proof", None)
    if proof is None:
        return None
    stem = pyfuncitem.path.stem.removeprefix("test_")
    name = pyfuncitem.originalname.removeprefix("test_")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as everywhere that proofs are run
        verdict = judge(f"{stem}.{name}")
    declared = expected(proof, here())
    assert verdict["holds"] == declared, verdict["error"] or "holds outside its range"
    if verdict["holds"] and proof.false_with:
        assert verdict["falsified"], verdict["falsifier_error"]
    return True

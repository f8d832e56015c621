"""Proofs of the page that says how this site is proved."""

import pytest

from tests.proofs.proves import proves
from tests.proofs.run import refute


def holds(value=1):
    """A proof that fails if its value is another."""
    assert value == 1


def crashes(value=1):
    """A proof that crashes on text instead of failing."""
    assert value + 1 == 2


@proves(
    "A proof that names neither is refused where it is written.",
    false_with={"ranges": {"keras": ">=3"}},
)
def test_a_proof_must_be_able_to_fail(ranges=()):
    with pytest.raises(ValueError, match="nobody can see this proof fail"):
        proves("A sentence.", **dict(ranges))


@proves(
    "A falsifier counts only if the proof fails by what it asserts: a crash refutes "
    "nothing.",
    false_with={"other": 2},
)
def test_a_crash_is_no_refutation(other="text"):
    assert refute(crashes, {"value": other})[0] is None


@proves(
    "A proof that still holds under its falsifier is reported as one that cannot fail.",
    false_with={"other": 2},
)
def test_a_useless_falsifier_is_noticed(other=1):
    assert refute(holds, {"value": other})[0] is False

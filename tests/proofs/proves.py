"""Mark a test as the proof of a sentence of the site.

A proof is a short test that quotes its sentence. The build compares both, and a
sentence carries a mark only if its proof holds. A proof must be able to fail, so it
either names versions on which its sentence is false, or a falsifier: other values for
its own default arguments, under which it is run and has to fail.

    @proves("`keras.Input(shape=(784,))` has the shape `(None, 784)`.",
            false_with={"shape": (785,)})
    def test_shape_excludes_batch(shape=(784,)):
        assert keras.Input(shape=shape).shape == (None, 784)

This module needs nothing but Python: proofs run on versions of TensorFlow that are
years old. They all write `from tensorflow import keras`, which is Keras 2 up to
TensorFlow 2.15 and Keras 3 after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Test = TypeVar("Test", bound=Callable[..., object])


@dataclass(frozen=True)
class Proof:
    """What `proves` noted about a test.

    Attributes:
        quote: the sentence, with or without its markup.
        test: the function; it fails by an assertion.
        false_with: other values for its default arguments; it must fail with them.
        keras: the versions of Keras on which the sentence is true, such as `>=3`.
        tensorflow: likewise for TensorFlow.
        needs: where the sentence has a meaning, such as `keras>=3`.
    """

    quote: str
    test: Callable[..., object]
    false_with: Mapping[str, Any] = field(default_factory=dict)
    keras: str = ""
    tensorflow: str = ""
    needs: str = ""


def proves(
    quote: str,
    *,
    false_with: Mapping[str, Any] | None = None,
    keras: str = "",
    tensorflow: str = "",
    needs: str = "",
) -> Callable[[Test], Test]:
    """Say which sentence a test proves, where it is true and how it can fail.

    Args:
        quote: the sentence as the page has it; markup and white space do not count.
        false_with: values for the test's default arguments that make it fail.
        keras: a range of versions, `>=3` or `>=3,<3.13`; empty means all.
        tensorflow: a range of versions; empty means all.
        needs: where the sentence has a meaning, `keras>=3` or `keras>=3 and
            tensorflow>=2.16`; elsewhere the proof is not run. Outside of `keras` and
            `tensorflow` it must fail by its own assertion; a crash is a fault of the
            proof, and what `needs` is for.

    Raises:
        ValueError: the proof names neither a falsifier nor a range.
    """
    if not (false_with or keras or tensorflow):
        raise ValueError(
            f"nobody can see this proof fail: give it `false_with`, `keras` or "
            f"`tensorflow`. Received: {quote!r}"
        )

    def mark(test: Test) -> Test:
        proof = Proof(quote, test, false_with or {}, keras, tensorflow, needs)
        vars(test)["proof"] = proof
        return test

    return mark

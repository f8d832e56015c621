"""Mark a function as the measurement behind a sentence of the site.

A timing, a peak of memory or the score of a training is true on a machine, on a day. It
is recorded, not repeated in every build:

    @measures(
        "The conditional GAN makes the digit that was asked for in 97 of 100 samples.",
        bound={"agreement": (0.97, 1.0)},
    )
    def agreement(seed):
        ...
        return {"agreement": 0.99}

`nox -s measure` calls the function once for each round, with the number of the round as
its seed, and keeps what it returned with the machine and the date. The site shows the
sentence with the mark ≈ as long as every recorded figure lies within its bound.

This module needs nothing but Python.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Figures = dict[str, float]
Function = TypeVar("Function", bound=Callable[[int], Figures])


@dataclass(frozen=True)
class Measurement:
    """What `measures` noted about a function.

    Attributes:
        quote: the sentence, with or without its markup.
        bound: the lowest and the highest value of each figure for which the sentence
            is true; wide enough for another seed and another machine.
        rounds: how often it is measured.
    """

    quote: str
    bound: Mapping[str, tuple[float, float]]
    rounds: int


def measures(
    quote: str, *, bound: Mapping[str, tuple[float, float]], rounds: int = 3
) -> Callable[[Function], Function]:
    """Say which sentence a measurement stands behind, and within which bounds.

    Args:
        quote: the sentence as the page has it; markup and white space do not count.
        bound: by the name of a figure, the lowest and the highest value.
        rounds: how often it is measured, with the seeds 0, 1, 2 and so on.

    Raises:
        ValueError: there is no bound, a bound is upside down, or there is no round.
    """
    if not bound or any(low > high for low, high in bound.values()) or rounds < 1:
        raise ValueError(
            "Expected `bound` with a lowest and a highest value of each figure, and at "
            f"least one round. Received: {bound=}, {rounds=} for {quote!r}"
        )

    def mark(function: Function) -> Function:
        vars(function)["measurement"] = Measurement(quote, bound, rounds)
        return function

    return mark

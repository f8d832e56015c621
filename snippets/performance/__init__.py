"""What speed, memory and many devices cost, and what each change brings.

Some recipes make actions for `snippets.measuring.seconds_in_turns`: functions without
arguments that do the same work in another way, and return what they computed.
"""

from snippets.performance.devices import fit_in_parallel, fit_on_mirrors
from snippets.performance.memory import Recomputed
from snippets.performance.reading import fast_batches
from snippets.performance.replicas import replica_step
from snippets.performance.steps import reverse_gradient, seconds_per_step

__all__ = [
    "Recomputed",
    "fast_batches",
    "fit_in_parallel",
    "fit_on_mirrors",
    "replica_step",
    "reverse_gradient",
    "seconds_per_step",
]

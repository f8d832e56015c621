"""What speed, memory and many devices cost, and what each change brings.

Most recipes make actions for `snippets.measuring.seconds_in_turns`: functions without
arguments that do the same work in another way, and return what they computed.
"""

from snippets.performance.lite import LITE_KINDS, lite_file, lite_function
from snippets.performance.memory import Recomputed
from snippets.performance.replicas import replica_step
from snippets.performance.steps import log1p_exp

__all__ = [
    "LITE_KINDS",
    "Recomputed",
    "lite_file",
    "lite_function",
    "log1p_exp",
    "replica_step",
]

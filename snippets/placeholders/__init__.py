"""The way from `tf.placeholder` to `keras.Input`: old programs, and what they became.

Recipes that show TensorFlow 1 say so in their first line. They keep to a graph of their
own, or to a process of its own, and leave eager mode and the default graph untouched.
"""

from snippets.placeholders.feeding import unfed_placeholders
from snippets.placeholders.graphs import FeedRunner, GraphLayer, count_traces
from snippets.placeholders.name_maps import NameMapProposal, proposed_name_map
from snippets.placeholders.weights import (
    checkpoint_prefix,
    checkpoint_problems,
    load_checkpoint,
)

__all__ = [
    "FeedRunner",
    "GraphLayer",
    "NameMapProposal",
    "checkpoint_prefix",
    "checkpoint_problems",
    "count_traces",
    "load_checkpoint",
    "proposed_name_map",
    "unfed_placeholders",
]

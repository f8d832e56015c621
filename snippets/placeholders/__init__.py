"""The way from `tf.placeholder` to `keras.Input`: old programs, and what they became.

Recipes that show TensorFlow 1 say so in their first line. They keep to a graph of their
own, or to a process of its own, and leave eager mode and the default graph untouched.
"""

from snippets.placeholders.feeding import (
    begin_at_placeholder,
    call_on_placeholder,
    graph_of_2017,
    network_of_2017,
    row_sums_of_2017,
    unfed_placeholders,
)
from snippets.placeholders.graphs import FeedRunner, GraphLayer, count_traces
from snippets.placeholders.name_maps import NameMapProposal, proposed_name_map
from snippets.placeholders.training import (
    check_start,
    classifier_with,
    start_weights,
    train_in_function,
    train_in_keras,
    train_in_session,
)
from snippets.placeholders.weights import (
    checkpoint_prefix,
    checkpoint_problems,
    load_checkpoint,
)

__all__ = [
    "FeedRunner",
    "GraphLayer",
    "NameMapProposal",
    "begin_at_placeholder",
    "call_on_placeholder",
    "check_start",
    "checkpoint_prefix",
    "checkpoint_problems",
    "classifier_with",
    "count_traces",
    "graph_of_2017",
    "load_checkpoint",
    "network_of_2017",
    "proposed_name_map",
    "row_sums_of_2017",
    "start_weights",
    "train_in_function",
    "train_in_keras",
    "train_in_session",
    "unfed_placeholders",
]

"""One small network written at five levels, and what each level costs and allows.

The network is the same everywhere: a convolution of 32 filters of 3 x 3, ReLU, max
pooling, one dense layer. It returns scores (logits) and learns by plain gradient steps.
"""

from snippets.choosing.branching import branching_model, inverted_where_bright
from snippets.choosing.comparing import (
    abilities,
    agreement,
    attempt,
    count_lines,
    level_table,
    network_behind,
    peak_memory,
    save_and_reload,
    scores_and_gradients,
    step_seconds,
)
from snippets.choosing.installed import which_keras, which_keras_table
from snippets.choosing.levels import (
    LEVELS,
    DerivedSizeCNN,
    ModuleCNN,
    OwnStepCNN,
    SubclassedCNN,
    build_network,
    functional_cnn,
    sequential_cnn,
)

__all__ = [
    "LEVELS",
    "DerivedSizeCNN",
    "ModuleCNN",
    "OwnStepCNN",
    "SubclassedCNN",
    "abilities",
    "agreement",
    "attempt",
    "branching_model",
    "build_network",
    "count_lines",
    "functional_cnn",
    "inverted_where_bright",
    "level_table",
    "network_behind",
    "peak_memory",
    "save_and_reload",
    "scores_and_gradients",
    "sequential_cnn",
    "step_seconds",
    "which_keras",
    "which_keras_table",
]

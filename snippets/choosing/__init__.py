"""One small network written at five levels, and what each level costs and allows.

The network is the same everywhere: a convolution of 32 filters of 3 x 3, ReLU, max
pooling, one dense layer. It returns scores (logits) and learns by plain gradient steps.
"""

from snippets.choosing.branching import inverted_where_bright
from snippets.choosing.installed import which_keras
from snippets.choosing.levels import (
    LEVELS,
    ModuleCNN,
    OwnStepCNN,
    SubclassedCNN,
    build_network,
    functional_cnn,
    sequential_cnn,
)

__all__ = [
    "LEVELS",
    "ModuleCNN",
    "OwnStepCNN",
    "SubclassedCNN",
    "build_network",
    "functional_cnn",
    "inverted_where_bright",
    "sequential_cnn",
    "which_keras",
]

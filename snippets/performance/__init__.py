"""What speed, memory and many devices cost, and what each change brings.

Most recipes make actions for `snippets.measuring.seconds_in_turns`: functions without
arguments that do the same work in another way, and return what they computed.
"""

from snippets.performance.lite import LITE_KINDS, lite_file, lite_function, share_right
from snippets.performance.memory import (
    Recomputed,
    deep_cnn,
    deep_cnn_step,
    memory_preparation,
)
from snippets.performance.reading import (
    pipelines,
    prepare_image,
    prepare_pair,
    prepared_one_by_one,
    python_in_a_map,
    read_through,
)
from snippets.performance.replicas import (
    STRATEGIES,
    cluster_variables,
    error_of,
    fit_on_replicas,
    largest_difference,
    replica_step,
    run_script,
    train_on_replicas,
)
from snippets.performance.steps import (
    calls_of_a_function,
    epoch_of_fit,
    gradient_of_sum,
    log1p_exp,
    scaled_gradient,
)

__all__ = [
    "LITE_KINDS",
    "STRATEGIES",
    "Recomputed",
    "calls_of_a_function",
    "cluster_variables",
    "deep_cnn",
    "deep_cnn_step",
    "epoch_of_fit",
    "error_of",
    "fit_on_replicas",
    "gradient_of_sum",
    "largest_difference",
    "lite_file",
    "lite_function",
    "log1p_exp",
    "memory_preparation",
    "pipelines",
    "prepare_image",
    "prepare_pair",
    "prepared_one_by_one",
    "python_in_a_map",
    "read_through",
    "replica_step",
    "run_script",
    "scaled_gradient",
    "share_right",
    "train_on_replicas",
]

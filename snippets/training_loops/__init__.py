"""Recipes around the training step: inside `fit`, beside it, and without it."""

from snippets.training_loops.loops import (
    check_batch,
    check_targets,
    count_batches,
    evaluate_by_hand,
    metric_values,
    train_by_hand,
    train_epoch,
    weights_by_class,
)
from snippets.training_loops.resuming import (
    checkpoints,
    epoch_batches,
    restore_checkpoint,
    save_checkpoint,
    train_resumably,
)
from snippets.training_loops.steps import (
    OwnStep,
    accumulated_gradients,
    round_straight_through,
    small_classifier,
    trace_counts,
    training_step,
    warmup_then_cosine,
)

__all__ = [
    "OwnStep",
    "accumulated_gradients",
    "check_batch",
    "check_targets",
    "checkpoints",
    "count_batches",
    "epoch_batches",
    "evaluate_by_hand",
    "metric_values",
    "restore_checkpoint",
    "round_straight_through",
    "save_checkpoint",
    "small_classifier",
    "trace_counts",
    "train_by_hand",
    "train_epoch",
    "train_resumably",
    "training_step",
    "warmup_then_cosine",
    "weights_by_class",
]

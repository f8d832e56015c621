"""Recipes around the training step: inside `fit`, beside it, and without it."""

from snippets.training_loops.loops import (
    evaluate_by_hand,
    metric_values,
    train_by_hand,
    weights_by_class,
)
from snippets.training_loops.rates import learning_rate_range
from snippets.training_loops.resuming import (
    checkpoints,
    restore_checkpoint,
    save_checkpoint,
    train_resumably,
)
from snippets.training_loops.steps import (
    OwnStep,
    accumulated_gradients,
    round_straight_through,
    training_step,
    warmup_then_cosine,
)

__all__ = [
    "OwnStep",
    "accumulated_gradients",
    "checkpoints",
    "evaluate_by_hand",
    "learning_rate_range",
    "metric_values",
    "restore_checkpoint",
    "round_straight_through",
    "save_checkpoint",
    "train_by_hand",
    "train_resumably",
    "training_step",
    "warmup_then_cosine",
    "weights_by_class",
]

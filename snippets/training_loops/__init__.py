"""Recipes around the training step: inside `fit`, beside it, and without it."""

from snippets.training_loops.loops import run_epoch, train_by_hand
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
    evaluation_step,
    replicated_step,
    round_straight_through,
    training_step,
)

__all__ = [
    "OwnStep",
    "accumulated_gradients",
    "checkpoints",
    "evaluation_step",
    "learning_rate_range",
    "replicated_step",
    "restore_checkpoint",
    "round_straight_through",
    "run_epoch",
    "save_checkpoint",
    "train_by_hand",
    "train_resumably",
    "training_step",
]

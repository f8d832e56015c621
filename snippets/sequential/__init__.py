"""Recipes around `keras.Sequential`: models in which each layer feeds the next."""

from snippets.sequential.folds import evaluate_folds, label_folds
from snippets.sequential.models import (
    image_classifier,
    recurrent_classifier,
    text_classifier,
    vector_classifier,
    with_new_head,
)
from snippets.sequential.shapes import shapes_by_layer
from snippets.sequential.training import build_for, copy_weights, train_classifier

__all__ = [
    "build_for",
    "copy_weights",
    "evaluate_folds",
    "image_classifier",
    "label_folds",
    "recurrent_classifier",
    "shapes_by_layer",
    "text_classifier",
    "train_classifier",
    "vector_classifier",
    "with_new_head",
]

"""Reuse a trained network: freeze it, put a new head on it, fine-tune it, check it."""

from snippets.transfer_learning.examples import (
    few_per_class,
    random_shifts,
    select_classes,
)
from snippets.transfer_learning.freezing import (
    changed_weights,
    every_layer,
    freeze_batch_normalization,
    set_trainable,
    unfreeze_from,
    weight_values,
)
from snippets.transfer_learning.networks import (
    InferenceMode,
    classifier_on,
    feature_network,
    resnet50_classifier,
)
from snippets.transfer_learning.rates import LayerwiseAdam
from snippets.transfer_learning.training import (
    train_classifier,
    train_head_then_fine_tune,
)

__all__ = [
    "InferenceMode",
    "LayerwiseAdam",
    "changed_weights",
    "classifier_on",
    "every_layer",
    "feature_network",
    "few_per_class",
    "freeze_batch_normalization",
    "random_shifts",
    "resnet50_classifier",
    "select_classes",
    "set_trainable",
    "train_classifier",
    "train_head_then_fine_tune",
    "unfreeze_from",
    "weight_values",
]

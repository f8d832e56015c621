"""Recipes around `class MyModel(keras.Model)`: writing, training and saving it."""

from snippets.subclassing.autoencoder import (
    MeanOverExamples,
    VariationalAutoencoder,
    kl_divergence,
)
from snippets.subclassing.layers import (
    ActivityPenalty,
    PrependToken,
    RunningMean,
    UnitScale,
)
from snippets.subclassing.models import (
    DeepClassifier,
    Residual,
    TiedAutoencoder,
    as_graph_of_layers,
    as_one_layer,
)
from snippets.subclassing.modules import LinearModule, ModuleClassifier
from snippets.subclassing.saving import unbuilt_layers, weights_outside_checkpoint

__all__ = [
    "ActivityPenalty",
    "DeepClassifier",
    "LinearModule",
    "MeanOverExamples",
    "ModuleClassifier",
    "PrependToken",
    "Residual",
    "RunningMean",
    "TiedAutoencoder",
    "UnitScale",
    "VariationalAutoencoder",
    "as_graph_of_layers",
    "as_one_layer",
    "kl_divergence",
    "unbuilt_layers",
    "weights_outside_checkpoint",
]

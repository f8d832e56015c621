"""Models as graphs: branches, several inputs and outputs, shared and nested layers."""

from snippets.functional.graphs import (
    InputPath,
    SobelEdges,
    connected_model,
    input_paths,
    masked_classifier,
    missing_inputs,
    padding_effect,
    unused_inputs,
    with_activation,
)
from snippets.functional.heat_maps import grad_cam
from snippets.functional.models import (
    autoencoder,
    ensemble,
    image_encoder,
    residual_block,
    residual_classifier,
    sample_pairs,
    siamese_network,
    table_model,
    two_branch_classifier,
)

__all__ = [
    "InputPath",
    "SobelEdges",
    "autoencoder",
    "connected_model",
    "ensemble",
    "grad_cam",
    "image_encoder",
    "input_paths",
    "masked_classifier",
    "missing_inputs",
    "padding_effect",
    "residual_block",
    "residual_classifier",
    "sample_pairs",
    "siamese_network",
    "table_model",
    "two_branch_classifier",
    "unused_inputs",
    "with_activation",
]

"""Models as graphs: branches, several inputs and outputs, shared and nested layers."""

from snippets.functional.graphs import (
    DoubledIfPositive,
    InputPath,
    SobelEdges,
    connected_model,
    input_paths,
    missing_inputs,
    unused_inputs,
    with_activation,
)
from snippets.functional.heat_maps import grad_cam
from snippets.functional.models import (
    autoencoder,
    image_encoder,
    residual_block,
    residual_classifier,
    sample_pairs,
    siamese_network,
)

__all__ = [
    "DoubledIfPositive",
    "InputPath",
    "SobelEdges",
    "autoencoder",
    "connected_model",
    "grad_cam",
    "image_encoder",
    "input_paths",
    "missing_inputs",
    "residual_block",
    "residual_classifier",
    "sample_pairs",
    "siamese_network",
    "unused_inputs",
    "with_activation",
]

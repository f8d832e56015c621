"""Recipes around `keras.Input`: where models begin, and what they are fed."""

from snippets.input_layers.checking import check_array, check_arrays
from snippets.input_layers.from_data import (
    input_from_column,
    input_from_spec,
    inputs_from_arrays,
    inputs_from_element_spec,
    preprocess,
)
from snippets.input_layers.models import (
    classifier_from,
    digit_classifier,
    feature_extractor,
    fully_convolutional,
    linear_classifier,
    on_raw_pixels,
    sequence_classifier,
    two_branch_features,
)

__all__ = [
    "check_array",
    "check_arrays",
    "classifier_from",
    "digit_classifier",
    "feature_extractor",
    "fully_convolutional",
    "input_from_column",
    "input_from_spec",
    "inputs_from_arrays",
    "inputs_from_element_spec",
    "linear_classifier",
    "on_raw_pixels",
    "preprocess",
    "sequence_classifier",
    "two_branch_features",
]

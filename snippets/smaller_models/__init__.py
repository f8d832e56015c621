"""Smaller files of a trained model, and what runs them."""

from snippets.smaller_models.lite import LITE_KINDS, lite_file, lite_function

__all__ = ["LITE_KINDS", "lite_file", "lite_function"]

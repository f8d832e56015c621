"""Measurements of the Custom layers guide."""

import warnings

import keras
import numpy as np

from snippets.custom_layers import (
    AttentionPooling,
    UnmaskedAttentionPooling,
    attention_by_step,
    attention_classifier,
)
from snippets.data import digit_sequences, split_train_test
from tests.measurements.measures import Figures, measures


@measures(
    "Padded to 12 steps, the same digits cost the layer without a mask attention and "
    "accuracy, and cost the other one neither:",
    bound={
        "on_padding": (0.05, 1.0),
        "lost": (0.005, 1.0),
        "on_padding_with_mask": (0.0, 0.0),
        "lost_with_mask": (-0.004, 0.004),
    },
)
def padding_costs_attention_and_accuracy(seed: int) -> Figures:
    """Train with the mask, and pad the test set for both layers."""
    x_train, y_train, x_test, y_test = split_train_test(*digit_sequences())
    keras.utils.set_random_seed(seed)
    masked = attention_classifier(AttentionPooling(units=16))
    masked.fit(x_train, y_train, epochs=30, batch_size=64, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the layer without a mask loses it
        unmasked = attention_classifier(UnmaskedAttentionPooling(units=16))
        unmasked.set_weights(masked.get_weights())
        padded = np.pad(x_test, ((0, 0), (0, 4), (0, 0)), constant_values=-1.0)
        figures = {}
        for model, name in ((unmasked, ""), (masked, "_with_mask")):
            whole, cut = (
                float(model.evaluate(x, y_test, verbose=0)[1]) for x in (x_test, padded)
            )
            on_padding = attention_by_step(model, padded)[:, 8:].sum(axis=1)
            figures[f"lost{name}"] = whole - cut
            figures[f"on_padding{name}"] = float(on_padding.mean())
    return figures

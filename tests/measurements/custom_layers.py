"""Measurements of the Custom layers guide."""

import warnings

import keras
import numpy as np

from snippets.custom_layers import AttentionPooling, attention_classifier
from snippets.custom_layers.mistakes import UnmaskedAttentionPooling
from snippets.data import digit_sequences, split_train_test
from tests.measurements.measures import Figures, measures


@measures(
    "Averaged over three trainings, the padding costs the layer without a mask more "
    "than 10 percentage points of accuracy, and the layer with a mask less than 1.",
    bound={"lost": (0.101, 1.0), "lost_with_mask": (-0.0099, 0.0099)},
    rounds=2,
)
def padding_costs_accuracy(seed: int) -> Figures:
    """Train with the mask, and pad the test set for both layers, three times."""
    lost = np.array([losses(3 * seed + number) for number in range(3)]).mean(axis=0)
    return {"lost": float(lost[0]), "lost_with_mask": float(lost[1])}


def losses(seed: int) -> tuple[float, float]:
    """The accuracy that padding costs one training, without the mask and with it."""
    x_train, y_train, x_test, y_test = split_train_test(*digit_sequences())
    keras.utils.set_random_seed(seed)
    masked = attention_classifier(AttentionPooling(units=16))
    masked.fit(x_train, y_train, epochs=30, batch_size=64, verbose=0)
    padded = np.pad(x_test, ((0, 0), (0, 4), (0, 0)), constant_values=-1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the layer without a mask loses it
        unmasked = attention_classifier(UnmaskedAttentionPooling(units=16))
        unmasked.set_weights(masked.get_weights())
        whole, *cut = (
            float(model.evaluate(x, y_test, verbose=0)[1])
            for model, x in ((masked, x_test), (unmasked, padded), (masked, padded))
        )
    return whole - cut[0], whole - cut[1]

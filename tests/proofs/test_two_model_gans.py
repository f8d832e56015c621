"""Proofs of the reference of the two-model recipe of 2017."""

import functools
import warnings

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves


@functools.cache
def by_turns(turns):
    """The largest change of both networks in the rounds of 2017, in three ways."""
    from snippets.gans import versions

    def never_frozen_again(models, real, noise):
        models[0].trainable = True
        versions.old_round(models, real, noise)

    library = keras
    models = versions.models_of_2017(library)
    rng = np.random.default_rng(0)
    real = rng.random((16, 8, 8, 1), dtype="float32")
    noise = rng.normal(size=(16, 4)).astype("float32")
    one_round = {"never frozen again": never_frozen_again}
    one_round |= {"old": versions.old_round, "new": versions.new_round}
    before = [network.get_weights()[0] for network in models[:2]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing is trainable
        for _ in range(5):
            one_round[turns](models, real, noise)
    after = [network.get_weights()[0] for network in models[:2]]
    d = models[0].get_weights()[0]
    models[2].train_on_batch(noise, np.ones((16, 1)))
    together = np.abs(models[0].get_weights()[0] - d).max()
    return *(np.abs(a - b).max() for a, b in zip(before, after, strict=True)), together


@proves(
    "On Keras 3, set the flag before each step:",
    false_with={"turns": "old"},
    needs="keras>=3,!=3.6.*",
)
def test_the_flag_before_each_step(turns="new"):
    discriminator, generator, together = by_turns(turns)
    assert discriminator > 0.001
    assert generator > 0
    assert together == 0


@proves(
    "With `d.trainable = True` and no `False` after it, the second model trains both "
    "networks on Keras 3, the discriminator towards taking made-up images for real.",
    false_with={"turns": "new"},
    needs="keras>=3,!=3.6.*",
)
def test_never_frozen_again_it_trains_both(turns="never frozen again"):
    assert by_turns(turns)[2] > 0

"""Proofs of the page on judging generated images."""

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves


def see(logits, asked=None):
    """What is said of images whose pixels are both the features and the logits."""
    from snippets.gans import judge_samples

    logits = np.array(logits, "float32")
    layers = keras.layers.Flatten(name="features"), keras.layers.Activation("linear")
    judge = keras.Sequential([keras.Input((1, logits.shape[1], 1)), *layers])
    images = logits[:, None, :, None]
    return judge_samples(judge, images, images, asked)


@proves(
    "Beside it, count how many classes there are: a generator that makes one good "
    "image again and again gets `classes` of 1.",
    false_with={"kinds": 2},
    needs="keras>=3",
)
def test_one_image_again_is_one_class(kinds=1):
    assert see(9 * np.eye(10)[np.arange(100) % kinds])["classes"] == 1


@proves(
    "`distance` is the Fréchet distance of two clouds of features, each taken as a "
    "Gaussian: 0 for the same cloud, and 25 for a cloud that was moved by 5.",
    false_with={"by": [3.0, 3.0]},
    needs="keras>=3",
)
def test_the_distance_of_a_moved_cloud(by=(3.0, 4.0)):
    from snippets.gans import frechet_distance

    cloud = np.random.default_rng(0).normal(size=(200, 2)) ** 3
    assert abs(frechet_distance(cloud, cloud[::-1])) < 1e-6
    assert np.isclose(frechet_distance(cloud, cloud + np.array(by)), 25.0)


@proves(
    "`classes` counts the classes that have at least a tenth of an equal share.",
    false_with={"rare": 2},
    needs="keras>=3",
)
def test_a_rare_class_does_not_count(rare=1):
    found = np.zeros(200, int)
    found[:rare] = 3  # a tenth of an equal share of ten classes are 2 of 200
    found[100:102] = 5
    assert see(9 * np.eye(10)[found])["classes"] == 2


@proves(
    "`clear` is the part of the images whose class the judge gives more than 90 %.",
    false_with={"logit": 4.0},
    needs="keras>=3",
)
def test_a_clear_image_has_a_sure_class(logit=2.0):
    logits = [[logit, 0.0], [0.0, logit], [9.0, 0.0], [0.0, 9.0]]
    shares = np.exp(logits).max(axis=1) / np.exp(logits).sum(axis=1)
    assert (shares[2:] > 0.9).all()
    assert see(logits)["clear"] == 0.5


@proves(
    "`agreement` is the part that the judge takes for what was asked for; pass the "
    "labels as `asked`.",
    false_with={"asked": [0, 1, 1, 1]},
    needs="keras>=3",
)
def test_agreement_is_with_what_was_asked(asked=(0, 0, 0, 1)):
    assert see(9 * np.eye(2)[[0, 1, 1, 1]], np.array(asked))["agreement"] == 0.5

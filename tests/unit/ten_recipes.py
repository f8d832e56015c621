"""A user's script: a recipe of each of ten guides, and the types that come of it.

A test of the package checks it with `mypy --strict`, and runs it.
"""

from typing import Any, assert_type

import numpy as np
import numpy.typing as npt

from snippets.choosing import ModuleCNN, functional_cnn
from snippets.custom_layers import Gain, reload_problem
from snippets.data import as_dataset, digit_images, split_train_test
from snippets.functional import InputPath, missing_inputs, sample_pairs
from snippets.gans import (
    GAN,
    build_discriminator,
    build_generator,
    frechet_distance,
    judge_samples,
    train_judge,
)
from snippets.input_layers import feature_extractor
from snippets.placeholders import count_traces
from snippets.sequential import image_classifier, shapes_by_layer, train_classifier
from snippets.smaller_models import lite_file, lite_function
from snippets.subclassing import VariationalAutoencoder
from snippets.transfer_learning import feature_network, unfreeze_from, weight_values

Images = npt.NDArray[np.float32]


def main() -> None:
    """Use a recipe of each guide."""
    images, labels = digit_images()
    assert_type(images, Images)
    assert_type(labels, npt.NDArray[np.int64])
    x, y, x_test, y_test = split_train_test(images, labels, test_fraction=0.9)
    assert_type(x, npt.NDArray[Any])

    # Choosing a level
    network = ModuleCNN((8, 8, 1), num_classes=10)
    assert_type(network.train_on_batch(x, y), float)

    # Placeholders
    assert_type(count_traces(np.sum, [1.0, 2.0]), int)

    # Sequential
    classifier = image_classifier((8, 8, 1), num_classes=10)
    shapes = shapes_by_layer(classifier, (8, 8, 1))
    assert_type(shapes, dict[str, tuple[int | None, ...]])
    history = train_classifier(classifier, x, y, epochs=1)
    assert_type(history, dict[str, list[float]])

    # Input layers
    encoder = feature_extractor(classifier, layer_name="features")
    assert encoder.output_shape == (None, 32)

    # Functional
    pairs, same = sample_pairs(images, labels, num_pairs=4)
    assert_type(pairs, dict[str, npt.NDArray[Any]])
    assert_type(same, Images)
    missing = missing_inputs(classifier.inputs, classifier.outputs)
    assert_type(missing, list[InputPath])

    # Subclassing
    vae = VariationalAutoencoder((8, 8, 1), latent_dim=2)
    assert_type(vae, VariationalAutoencoder)

    # Custom layers
    assert_type(reload_problem(Gain(), np.ones((1, 2))), str | None)

    # Transfer learning
    base = feature_network()
    assert_type(unfreeze_from(base, "conv_2"), list[str])
    assert_type(weight_values(base), dict[str, npt.NDArray[Any]])

    # GANs
    gan = GAN(build_generator(16), build_discriminator((8, 8, 1)))
    assert_type(gan.sample(5), npt.NDArray[Any])
    judge = train_judge(x, y, epochs=1)
    assert_type(judge_samples(judge, gan.sample(5), x), dict[str, float])
    assert_type(frechet_distance(np.eye(3), np.eye(3)), float)

    # Performance
    file = lite_file(functional_cnn((8, 8, 1), 10), "float32", x)
    assert_type(file, bytes)
    assert_type(lite_function(file)(x_test[:5]), npt.NDArray[Any])
    assert len(as_dataset(x, y)) == -(-len(x) // 32)
    assert len(x_test) == len(y_test)


if __name__ == "__main__":
    main()

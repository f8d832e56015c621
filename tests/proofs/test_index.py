"""Proofs of the home page."""

from tensorflow import keras

from tests.proofs.proves import proves


def base_after_the_outer_flag(*flags):
    """The flag of a frozen base in a model, after that of the model was set."""
    base = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    base.trainable = False
    model = keras.Sequential([base])
    for flag in flags:
        model.trainable = flag
    return base.trainable


@proves(
    "Keras 3 with TensorFlow leaves the base frozen, and says nothing.",
    keras=">=3",
    false_with={"flags": (False, True)},
)
def test_the_base_stays_frozen_on_keras_3(flags=(True,)):
    assert base_after_the_outer_flag(*flags) is False


@proves("Keras 2 trains it.", keras="<3", false_with={"flags": ()})
def test_the_base_is_trained_on_keras_2(flags=(True,)):
    assert base_after_the_outer_flag(*flags) is True

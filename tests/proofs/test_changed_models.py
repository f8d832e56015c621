"""Proofs of the page of swapped layers and copied models."""

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import ONES, adapted, inputs_named, rises, swapped

layers = keras.layers


@proves(
    "You can make a model from any tensor to a later one, if the later one "
    "depends on nothing else; it shares the layers.",
    false_with={"begin": "first"},
)
def test_models_of_one_graph_share_layers(begin="second"):
    (x,) = inputs_named("x")
    tensors = {"first": layers.Dense(3)(x)}
    last = layers.Dense(3)
    tensors["second"] = layers.Dense(3)(tensors["first"])
    end = last(tensors["second"])
    whole, part = keras.Model(x, end), keras.Model(tensors[begin], end)
    assert part.layers[-1] is whole.layers[-1] is last
    assert part.count_params() == 12


@proves(
    (
        "So to give a trained network another first layer, make a model of all that "
        "follows the old one, and call it on the new layer:"
    ),
    false_with={"behind": "x"},
)
def test_the_first_layer_is_swapped(behind="first"):
    (x,) = inputs_named("x", shape=(5,))
    hidden = layers.Dense(4, name="first")(x)
    model = keras.Model(x, layers.Dense(2, name="last")(hidden))
    body = keras.Model({"x": x, "first": hidden}[behind], model.output)
    other = keras.Input(shape=(7,))
    new = layers.Dense(4, name="other_first")(other)
    assert rises(body, new) == ""
    swapped = keras.Model(other, body(new))
    weights = model.get_layer("last").get_weights()
    expected = swapped.get_layer("other_first")(np.eye(7)) @ weights[0] + weights[1]
    assert np.allclose(swapped(np.eye(7)), expected, atol=1e-6)


@proves("The rest keeps its weights.", false_with={"share": False})
def test_the_rest_keeps_its_weights(share=True):
    model, rest = swapped(share=share)
    assert np.array_equal(model.get_weights()[2], rest[0])


@proves(
    (
        "The new layer is untrained, and must give the shape that the old one "
        "gave, here `(6, 6, 16)`."
    ),
    false_with={"size": 4},
)
def test_the_new_first_layer_gives_the_old_shape(size=3):
    assert rises(swapped) == ""
    assert "shape" in rises(swapped, size)


@proves(
    (
        "`keras.models.clone_model` copies a graph, with new weights, and its "
        "`clone_function` can change each layer."
    ),
    false_with={"cloned": False},
)
def test_clone_has_weights_of_its_own(cloned=True):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(2)(x))
    clone = keras.models.clone_model(model)
    if not cloned:
        clone = model
    assert clone.count_params() == model.count_params()
    assert not np.allclose(clone.get_weights()[0], model.get_weights()[0])


@proves(
    (
        "`keras.models.clone_model` copies a graph, with new weights, and its "
        "`clone_function` can change each layer."
    ),
    false_with={"units": 2},
)
def test_clone_can_change_layers(units=5):
    (x,) = inputs_named("x")
    model = keras.Model(x, layers.Dense(2)(x))

    def change(layer):
        config = layer.get_config()
        return type(layer).from_config({**config, "units": units})

    def change_dense(layer):
        return change(layer) if isinstance(layer, layers.Dense) else layer

    clone = keras.models.clone_model(model, clone_function=change_dense)
    assert clone.output.shape[-1] == 5


@proves(
    (
        "`snippets.functional.with_activation` uses it to replace one "
        "activation by another."
    ),
    false_with={"new": "relu"},
    needs="keras>=3",
)
def test_one_activation_by_another(new="gelu"):
    from snippets.functional import with_activation

    (x,) = inputs_named("x")
    hidden = layers.Dense(2, activation="relu", name="hidden")(x)
    model = keras.Model(x, layers.Dense(1, name="end")(hidden))
    copy = with_activation(model, old="relu", new=new)
    assert copy.get_layer("hidden").activation.__name__ == "gelu"
    assert copy.get_layer("end").activation.__name__ == "linear"
    for old, copied in zip(model.get_weights(), copy.get_weights(), strict=True):
        assert np.array_equal(old, copied)


@proves(
    (
        "On Keras 3 a Normalization layer in `clone = "
        "keras.models.clone_model(model)` still uses a mean of 0 and a variance of 1 "
        "after `clone.set_weights(model.get_weights())`."
    ),
    keras=">=3",
    false_with={"as_adapted": True},
)
def test_a_clone_forgets_its_normalization(as_adapted=False):
    model = adapted()
    assert np.allclose(model(ONES), -1.0)  # (1 - 2) / 1
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    if as_adapted:
        clone = model
    assert np.allclose(clone(5 * ONES), 5.0)


@proves(
    (
        "Copy the weights through a file: "
        '`model.save_weights("copy.weights.h5")` and '
        '`clone.load_weights("copy.weights.h5")`.'
    ),
    false_with={"by_file": False},
    needs="keras>=3",
)
def test_a_file_restores_the_normalization(by_file=True):
    from snippets.functional import with_activation

    model = adapted()
    relu = keras.Model(model.input, layers.Activation("relu")(model.output))
    copy = keras.models.clone_model(relu)
    copy.set_weights(relu.get_weights())
    if by_file:
        copy = with_activation(relu, "relu", "linear")
    assert np.allclose(copy(5 * ONES), 3.0)

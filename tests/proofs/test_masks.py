"""Proofs of the page of padding and masks."""

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import inputs_named, warnings_of

layers = keras.layers


@proves(
    (
        "A mask says which steps of a sequence count, and travels along the "
        "graph beside its tensor."
    ),
    false_with={"layer": layers.Conv1D},
)
def test_a_mask_travels_beside_its_tensor(layer=layers.Dense):
    x = keras.Input(shape=(None, 4))
    masked = layers.Masking()(x)
    sizes = (4, 1) if layer is layers.Conv1D else (4,)
    for tensor in (masked, layer(*sizes)(masked)):
        assert getattr(tensor, "_keras_mask", None) is not None
    padded = np.array([[[1.0], [0.0]]])  # the second step is padding
    assert np.array(layers.Masking().compute_mask(padded)).tolist() == [[True, False]]


@proves(
    (
        "With `Masking(-1.0)`, or `Embedding(..., mask_zero=True)` for text, a "
        "recurrent layer skips the padding:"
    ),
    false_with={"padding": 0.5},
)
def test_a_recurrent_layer_skips_the_padding(padding=-1.0):
    keras.utils.set_random_seed(0)
    steps = np.random.default_rng(0).random((2, 3, 8)).astype("float32")
    longer = np.pad(steps, [(0, 0), (0, 2), (0, 0)], constant_values=padding)
    tokens = np.array([[1, 2, 3], [3, 1, 1]])
    more = np.pad(tokens, [(0, 0), (0, 2)])
    for kind in (layers.GRU, layers.LSTM, layers.SimpleRNN):
        x = keras.Input(shape=(None, 8))
        model = keras.Model(x, kind(4)(layers.Masking(-1.0)(x)))
        assert np.allclose(model(steps), model(longer), atol=1e-6)
        x = keras.Input(shape=(None,), dtype="int32")
        model = keras.Model(x, kind(4)(layers.Embedding(4, 5, mask_zero=True)(x)))
        assert np.allclose(model(tokens), model(more), atol=1e-6)


def has_mask(call):
    """Whether a mask is left after a call, and what was warned about."""
    x = keras.Input(shape=(8, 4))
    result, said = warnings_of(call, layers.Masking()(x), x)
    return getattr(result, "_keras_mask", None) is not None, said


@proves(
    (
        "The mask is easily lost: operators such as `masked * 0.5` and "
        "functions of `keras.ops` drop it without a warning, and then the "
        "padding counts."
    ),
    false_with={"call": lambda masked: masked},
    needs="keras>=3",
)
def test_operators_drop_the_mask(call=lambda masked: masked * 0.5):
    assert has_mask(lambda masked, _: call(masked)) == (False, "")
    assert has_mask(lambda masked, _: keras.ops.relu(masked)) == (False, "")


@proves(
    (
        "The mask is easily lost: operators such as `masked * 0.5` and "
        "functions of `keras.ops` drop it without a warning, and then the "
        "padding counts."
    ),
    false_with={"halve": layers.Rescaling(0.5)},
    needs="keras>=3",
)
def test_a_lost_mask_lets_the_padding_count(halve=lambda masked: masked * 0.5):
    keras.utils.set_random_seed(0)
    steps = np.random.default_rng(0).random((2, 3, 8)).astype("float32")
    longer = np.pad(steps, [(0, 0), (0, 2), (0, 0)], constant_values=-1.0)
    for kind in (layers.GRU, layers.LSTM, layers.SimpleRNN):
        x = keras.Input(shape=(None, 8))
        model = keras.Model(x, kind(4)(halve(layers.Masking(-1.0)(x))))
        assert np.abs(np.array(model(steps)) - np.array(model(longer))).max() > 1e-3


@proves(
    "On Keras 3 write `Rescaling(0.5)(masked)`, which keeps it.",
    keras=">=3",
    false_with={"make": lambda factor: lambda x: x * factor},
)
def test_rescaling_keeps_the_mask_on_keras_3(make=layers.Rescaling):
    halve = make(0.5)
    assert has_mask(lambda masked, _: halve(masked)) == (True, "")
    (x,) = inputs_named("x")
    models = [keras.Model(x, y) for y in (halve(x), x * 0.5)]
    assert np.array_equal(*[model(np.eye(3)) for model in models])


@proves(
    ("`Dense`, `Dropout`, `LayerNormalization`, `Add` of masked tensors | is kept"),
    false_with={"also": [lambda: layers.Conv1D(4, 1)]},
    needs="keras>=3",
)
def test_layers_that_keep_the_mask(also=()):
    made = [lambda: layers.Dense(4), lambda: layers.Dropout(0.5)]
    for make in (*made, layers.LayerNormalization, *also):
        assert has_mask(lambda masked, _, make=make: make()(masked)) == (True, "")
    assert has_mask(lambda masked, _: layers.Add()([masked, masked])) == (True, "")


@proves(
    "`Conv1D`, `Flatten` | is dropped, with a warning",
    keras=">=3",
    false_with={"also": [lambda: layers.ReLU()]},
)
def test_layers_that_drop_the_mask_and_warn(also=()):
    for make in (lambda: layers.Conv1D(4, 3), layers.Flatten, *also):
        kept, said = has_mask(lambda masked, _, make=make: make()(masked))
        assert not kept
        assert "does not support masking" in said


@proves(
    (
        "`Add` with a tensor that has none | is dropped without a warning; "
        "Keras 2 keeps it"
    ),
    keras=">=3",
    false_with={"other": 0},
)
def test_add_drops_the_mask_on_keras_3(other=1):
    assert has_mask(lambda *pair: layers.Add()([pair[0], pair[other]])) == (False, "")


@proves(
    (
        "`Add` with a tensor that has none | is dropped without a warning; "
        "Keras 2 keeps it"
    ),
    keras="<3",
)
def test_add_keeps_the_mask_on_keras_2():
    assert has_mask(lambda masked, x: layers.Add()([masked, x])) == (True, "")

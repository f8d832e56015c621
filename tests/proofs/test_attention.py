"""Proofs of the page on attention."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_custom_layers import formula, mine, registered, reloaded, steps


def last_words(error):
    """The end of an error, behind the last config."""
    return str(error.value).rpartition("Exception encountered: ")[2]


@proves(
    "The `TemporalSoftmax` of Keras's guide should weigh the steps, but sums over "
    "`axis=-1`, the features. With one score a step, each step gets 1:",
    false_with={"axis": 1},
    needs="keras>=3",
)
def test_a_softmax_of_features(axis=-1):
    scores = np.array([[[1.0], [2.0], [3.0], [0.0]]], "float32")
    valid = np.array([[[1.0], [1.0], [1.0], [0.0]]], "float32")

    def call(self, x):  # as in the guide, in the order of its lines
        powers = keras.ops.exp(x) * valid
        return powers / keras.ops.sum(powers * valid, axis=axis, keepdims=True)

    found = np.array(mine(call=call)(scores))[0, :, 0]
    assert found[:3].tolist() == [1.0, 1.0, 1.0]
    assert np.isnan(found[3])


@proves(
    "It gives padding a weight of exactly 0, in a row that is all padding too.",
    false_with={"is_masked": False},
    needs="keras>=3",
)
def test_masked_softmax_gives_padding_zero(is_masked=True):
    from snippets.custom_layers import masked_softmax

    mask = np.array([[True, True, False], [False, False, False]])
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        for scale in (1.0, 1000.0):
            scores = tf.constant(scale * np.array([[1.0, 2.0, 3.0]] * 2), dtype)
            found = masked_softmax(scores, mask if is_masked else None)
            weights = np.array(tf.cast(found, "float32"))
            assert np.isclose(weights[0, :2].sum(), 1.0, atol=1e-2)
            assert weights[0, 2] == 0.0
            assert weights[1].tolist() == [0.0, 0.0, 0.0]


@proves(
    "With `return_attention_scores=True` it returns its weights too, of shape `(batch, "
    "heads, time, time)`.",
    false_with={"asks": False},
)
def test_multi_head_attention_returns_its_weights(asks=True):
    layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
    found = layer(steps(), steps(), return_attention_scores=asks)
    assert len(found) == 2
    assert tuple(found[1].shape) == (2, 2, 5, 5)


@proves(
    "The block of many tutorials has no `**kwargs`, and does not come back from its "
    "file: Keras makes each layer again with `name`, `trainable` and `dtype`.",
    false_with={"is_mended": True},
    needs="keras>=3",
)
def test_a_block_without_kwargs_cannot_be_loaded(is_mended=False):
    from snippets.custom_layers import EncoderBlock

    @registered
    class Block(keras.layers.Layer):
        def __init__(self, num_heads, hidden_units):
            super().__init__()
            self.attention = keras.layers.MultiHeadAttention(num_heads, 4)
            self.expand = keras.layers.Dense(hidden_units, activation="relu")
            self.contract = keras.layers.Dense(4)

        def call(self, inputs):
            x = inputs + self.attention(inputs, inputs)
            return x + self.contract(self.expand(x))

    block = (EncoderBlock if is_mended else Block)(2, 8)
    with pytest.raises(TypeError) as raised:
        reloaded(keras.Sequential([keras.Input(shape=(5, 4)), block]))
    assert "got an unexpected keyword argument 'trainable'" in last_words(raised)
    assert {"name", "trainable", "dtype"} <= set(keras.layers.Layer().get_config())


# Attention, from the formula


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@proves(
    "A small network gives each step a score, a softmax turns the scores into "
    "weights, and the weights average the steps.",
    false_with={"last": False},
    needs="keras>=3",
)
def test_additive_attention_is_the_formula(last=True):
    x, _, scores, weights, pooled = formula(last=last)
    assert np.allclose(weights, softmax(scores), atol=1e-5)
    assert np.allclose(pooled, (softmax(scores)[..., None] * x).sum(axis=1), atol=1e-5)


@proves("`x` | `(batch, time, features)`", false_with={"features": 3}, needs="keras>=3")
def test_shape_of_the_inputs(features=4):
    assert formula(features=features)[0].shape == (2, 5, 4)


@proves(
    "`hidden = tanh(x · kernel + bias)` | `(batch, time, units)`",
    false_with={"units": 4},
    needs="keras>=3",
)
def test_shape_of_the_hidden_layer(units=3):
    assert formula(units=units)[1].shape == (2, 5, 3)


@proves(
    "`scores = hidden · query` | `(batch, time)`",
    false_with={"time": 6},
    needs="keras>=3",
)
def test_shape_of_the_scores(time=5):
    assert formula(time=time)[2].shape == (2, 5)


@proves(
    "`weights = softmax(scores)` over the time | `(batch, time)`, each row sums to 1",
    false_with={"time": 6},
    needs="keras>=3",
)
def test_shape_of_the_weights(time=5):
    weights = formula(time=time)[3]
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert weights.shape == (2, 5)


@proves(
    "`weights · x`, summed over the time | `(batch, features)`",
    false_with={"features": 3},
    needs="keras>=3",
)
def test_shape_of_the_pooled_vector(features=4):
    assert formula(features=features)[4].shape == (2, 4)


@proves(
    "In three trainings, the deciding words get more than 0.9 of the weight on "
    "average, and padding gets none.",
    false_with={"labels_are_random": True},
    needs="keras>=3",
)
def test_the_deciding_word_gets_the_weight(labels_are_random=False):
    from snippets.custom_layers import AttentionPooling

    for seed in range(3):
        generator = np.random.default_rng(seed)
        lengths = generator.integers(3, 7, size=(300, 1))
        tokens = generator.integers(6, 14, size=(300, 6))  # 2 to 5 decide
        decides = np.arange(6) == generator.integers(lengths)
        decisive = generator.integers(2, 6, size=(300, 6))
        tokens = np.where(decides, decisive, tokens) * (np.arange(6) < lengths)
        labels = (tokens * decides).sum(axis=1, keepdims=True) < 4
        if labels_are_random:
            labels = generator.permutation(labels)
        keras.utils.set_random_seed(seed)
        inputs = keras.Input(shape=(None,), dtype="int64")
        x = keras.layers.Embedding(14, 16, mask_zero=True)(inputs)
        pooled, weights = AttentionPooling(8)(x, return_attention_scores=True)
        outputs = keras.layers.Dense(1, activation="sigmoid")(pooled)
        model = keras.Model(inputs, outputs)
        model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
        model.fit(tokens, labels.astype("float32"), epochs=10, verbose=0)
        found = keras.Model(inputs, weights).predict(tokens, verbose=0)
        assert found[tokens == 0].max() == 0.0
        assert found[decides].mean() > 0.9


@proves(
    "After a recurrent layer, write `AttentionPooling(8)(keras.layers.LSTM(32, "
    "return_sequences=True)(x))`: the LSTM passes the mask on.",
    false_with={"layer": "Conv1D"},
    needs="keras>=3",
)
def test_an_lstm_passes_the_mask_on(layer="LSTM"):
    from snippets.custom_layers import AttentionPooling

    between = {
        "LSTM": keras.layers.LSTM(32, return_sequences=True),
        "Conv1D": keras.layers.Conv1D(32, 1),
    }[layer]
    x = np.pad(steps(), ((0, 0), (0, 2), (0, 0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the convolution drops the mask
        encoded = between(keras.layers.Masking()(x))
        _, weights = AttentionPooling(8)(encoded, return_attention_scores=True)
    assert not np.array(weights)[:, 5:].any()


@proves(
    "The usual `softmax(scores - 1e9 * (1 - mask))` is NaN in float16, even where "
    "nothing is padding.",
    false_with={"dtype": "float32"},
)
def test_a_billion_is_nan_in_float16(dtype="float16"):
    scores, mask = tf.ones((1, 3), dtype), tf.ones((1, 3), dtype)
    assert np.isnan(tf.nn.softmax(scores - 1e9 * (1 - mask))).all()
    assert np.isinf(tf.constant(1e9, dtype))


@proves(
    "Without the mask each step of padding gets a weight above 0.",
    false_with={"mask_zero": True},
    needs="keras>=3",
)
def test_padding_gets_weight(mask_zero=False):
    from snippets.custom_layers import AttentionPooling

    tokens = np.array([[3, 1, 2, 0, 0], [0, 0, 0, 0, 0]])
    embedded = keras.layers.Embedding(5, 4, mask_zero=mask_zero)(tokens)
    _, weights = AttentionPooling(3)(embedded, return_attention_scores=True)
    assert (np.array(weights)[tokens == 0] > 0.01).all()


# Dot-product and multi-head attention


@proves(
    "In `keras.layers.MultiHeadAttention` the score of a step is how well its key "
    "fits a query, as in `snippets.custom_layers.scaled_dot_product_attention`, "
    "on learned projections.",
    false_with={"is_causal": True},
    needs="keras>=3",
)
def test_one_head_is_the_function_on_projections(is_causal=False):
    from snippets.custom_layers import scaled_dot_product_attention

    layer, x = keras.layers.MultiHeadAttention(num_heads=1, key_dim=4), steps()
    expected = layer(x, x, use_causal_mask=is_causal)
    w = [weight.squeeze() for weight in layer.get_weights()]
    query, key, value = (x @ w[k] + w[k + 1] for k in (0, 2, 4))
    outputs, _ = scaled_dot_product_attention(query, key, value)
    assert np.allclose(outputs @ w[6] + w[7], expected, atol=1e-5)


@proves(
    "It comes back, and padding changes no output of the real steps.",
    false_with={"padding": -2.0},
    needs="keras>=3",
)
def test_the_mended_block_reloads_and_masks(padding=-1.0):
    from snippets.custom_layers import EncoderBlock

    block = EncoderBlock(num_heads=2, hidden_units=3)
    layers = [keras.Input(shape=(None, 4)), keras.layers.Masking(-1.0), block]
    model = keras.Sequential(layers)
    padded = np.pad(steps(), ((0, 0), (0, 2), (0, 0)), constant_values=padding)
    outputs = model(padded)
    assert np.allclose(reloaded(model)(padded), outputs, atol=1e-5)
    assert np.allclose(outputs[:, :5], model(steps()), atol=1e-5)

"""Proofs of the page of texts."""

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_sequential import user_warnings


@proves(
    "`TextVectorization` turns each word into a token, a whole number: 0 is the "
    "padding after a shorter text, 1 is any word that was not in the texts given to "
    "`adapt`, and the known words follow.",
    false_with={"unknown": "film"},
)
def test_tokens_of_padding_and_of_unknown_words(unknown="splendid"):
    words = keras.layers.TextVectorization()
    words.adapt(["a good film", "not good"])
    tokens = np.asarray(words(["a good film", f"{unknown} good"]))
    assert np.issubdtype(tokens.dtype, np.integer)
    assert tokens[1].tolist() == [1, words.get_vocabulary().index("good"), 0]
    assert sorted(tokens[0])[0] > 1
    assert words.vocabulary_size() == 2 + len({"a", "good", "film", "not"})


@proves(
    "Lists of tokens of your own become one array by "
    '`keras.utils.pad_sequences(lists, padding="post")`.',
    false_with={"value": 7},
)
def test_pad_sequences_fills_with_zeros(value=0.0):
    tokens = [[3, 8, 2], [5], [7, 4]]
    padded = keras.utils.pad_sequences(tokens, padding="post", value=value)
    assert padded.tolist() == [[3, 8, 2], [5, 0, 0], [7, 4, 0]]


def text_model(*layers, mask_zero=True):
    embedding = keras.layers.Embedding(9, 16, mask_zero=mask_zero)
    start = keras.Input(shape=(None,), dtype="int32")
    return keras.Sequential([start, embedding, *layers])


@proves(
    "The `Embedding` turns each token into a vector, so `(None,)` becomes "
    "`(None, 16)`.",
    false_with={"tokens": [[3, 8], [5, 9]]},
)
def test_embedding_adds_an_axis(tokens=((3, 8), (5, 3))):
    embedding = keras.layers.Embedding(9, 16)
    assert tuple(embedding(keras.Input(shape=(None,))).shape) == (None, None, 16)
    tokens = np.array(tokens)
    table = embedding.get_weights()[0]
    assert tokens.max() < len(table)
    assert np.allclose(embedding(tokens), table[tokens])


def change_by_padding(model):
    """How much more zeros at the end change the answers."""
    tokens = np.array([[3, 8, 2], [5, 1, 0], [7, 0, 0]], "int32")
    padded = np.pad(tokens, [(0, 0), (0, 4)])
    answers = [model.predict(x, verbose=0) for x in (tokens, padded)]
    return np.abs(answers[0] - answers[1]).max()


@proves(
    "With `mask_zero=True` the GRU skips the padding: more zeros at the end change no "
    "answer.",
    false_with={"mask_zero": False},
)
def test_padding_changes_no_answer(mask_zero=True):
    for seed in (0, 1, 2):
        keras.utils.set_random_seed(seed)
        model = text_model(
            keras.layers.GRU(8), keras.layers.Dense(2), mask_zero=mask_zero
        )
        assert change_by_padding(model) < 1e-6


@proves(
    "`GlobalAveragePooling1D` skips padding as well; `Conv1D` does not, and Keras 3 "
    "warns that it destroys the mask.",
    false_with={"name": "SpatialDropout1D"},
    needs="keras>=3",
)
def test_convolutions_destroy_the_mask(name="Conv1D"):
    arguments = (4, 3) if name == "Conv1D" else (0.0,)
    pooling = keras.layers.GlobalAveragePooling1D
    assert change_by_padding(text_model(pooling())) < 1e-6
    made = []
    caught = user_warnings(
        lambda: made.append(
            text_model(getattr(keras.layers, name)(*arguments, name="c"), pooling())
        )
    )
    tokens = np.array([[3, 8, 2, 4, 1]], "int32")
    answers = [made[0](x) for x in (tokens, np.pad(tokens, [(0, 0), (0, 4)]))]
    assert not np.allclose(*answers, atol=1e-4)
    assert "destroy the mask information" in " ".join(caught)


@proves(
    "To predict from the strings themselves, put `words` first in the model, and pass "
    "a tensor of strings:",
    false_with={"text": "a poor film"},
)
def test_strings_become_tokens_in_the_model(text="not a good film"):
    import tensorflow as tf

    texts = [text, "good"]
    words = keras.layers.TextVectorization()
    words.adapt(["a good film", "not good"])
    size = words.vocabulary_size()
    reader = keras.Sequential(
        [
            keras.Input(shape=(None,), dtype="int32"),
            keras.layers.Embedding(size, 16, mask_zero=True),
            keras.layers.GRU(32),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model = keras.Sequential([keras.Input((), dtype="string"), words, *reader.layers])
    known = words.get_vocabulary()
    tokens = [
        [known.index(word) for word in text.split() if word in known] for text in texts
    ]
    expected = reader.predict(
        keras.utils.pad_sequences(tokens, padding="post"), verbose=0
    )
    found = model.predict(tf.constant(texts), verbose=0)
    assert np.allclose(found, expected, atol=1e-5)

"""Attention, from the formula to a classifier that uses it."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from snippets.checks import check_integer
from snippets.custom_layers.layers import PositionEmbedding
from snippets.custom_layers.masks import check_mask, masked_softmax


@keras.saving.register_keras_serializable(package="snippets")
class AttentionPooling(keras.Layer):
    """Pool a sequence by additive attention over the steps that are no padding.

    Args:
        units: Integer of at least 1, the size of the hidden layer that scores a step.
        **kwargs: What every layer takes.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `return_attention_scores`: whether to return the weights of the steps too.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. It ends here: the output has no time.

    Returns:
        A tensor of shape `(batch, features)`, in the compute dtype of the layer; with
        `return_attention_scores` a tuple of that and of the weights, of shape
        `(batch, time)`, which sum to 1 over time. A row that is all padding gives
        zeros.

    Raises:
        ValueError: If `units` is less than 1, or if `inputs` has another rank.

    Example:
        >>> layer, steps = AttentionPooling(units=4), np.ones((1, 3, 2))
        >>> layer(steps, mask=np.array([[True, False, False]])).numpy().tolist()
        [[1.0, 1.0]]

    References:
        - [Neural Machine Translation by Jointly Learning to Align and Translate](
          https://arxiv.org/abs/1409.0473), D. Bahdanau and others, 2014.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if units < 1:
            raise ValueError(f"Expected units > 0. Received: units={units}")
        self.units = units
        self.input_spec = keras.InputSpec(ndim=3)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], self.units)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.units,), initializer="zeros"
        )
        self.query = self.add_weight(name="query", shape=(self.units, 1))

    def score(self, inputs: Any) -> Any:
        hidden = ops.tanh(ops.matmul(inputs, self.kernel) + self.bias)
        # hidden: (batch, time, units)
        scores = ops.squeeze(ops.matmul(hidden, self.query), axis=-1)  # (batch, time)
        return ops.cast(scores, self.compute_dtype)

    def call(
        self, inputs: Any, return_attention_scores: bool = False, mask: Any = None
    ) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        if mask is not None:  # NaN times a weight of 0 would be NaN
            inputs = ops.where(ops.cast(mask, "bool")[..., None], inputs, 0.0)
        weights = masked_softmax(self.score(inputs), mask)  # (batch, time)
        pooled = ops.sum(weights[..., None] * inputs, axis=1)  # (batch, features)
        return (pooled, weights) if return_attention_scores else pooled

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        return None

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def scaled_dot_product_attention(
    query: Any, key: Any, value: Any, mask: Any = None
) -> tuple[Any, Any]:
    """Average the values of a sequence, weighted by how well their keys fit the query.

    Args:
        query: Tensor of shape `(batch, targets, features)`, any dtype.
        key: Tensor of shape `(batch, sources, features)`.
        value: Tensor of shape `(batch, sources, value_features)`.
        mask: `None`, or a tensor of shape `(batch, sources)`, false where there is
            padding.

    Returns:
        A tuple of the outputs, of shape `(batch, targets, value_features)`, and the
        weights, of shape `(batch, targets, sources)`.

    Raises:
        ValueError: If a tensor has another rank, if `query` and `key` differ in
            features or `key` and `value` in sources, or if the mask has a wrong shape.

    Example:
        >>> outputs, weights = scaled_dot_product_attention(
        ...     np.ones((1, 2, 4)), np.ones((1, 5, 4)), np.ones((1, 5, 3)))
        >>> outputs.shape, weights.shape
        (TensorShape([1, 2, 3]), TensorShape([1, 2, 5]))

    References:
        - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), A. Vaswani and
          others, 2017.
    """
    shapes = [tuple(tensor.shape) for tensor in (query, key, value)]
    if (
        [len(shape) for shape in shapes] != [3, 3, 3]
        or shapes[0][2] != shapes[1][2]
        or shapes[1][1] != shapes[2][1]
    ):
        raise ValueError(
            "Expected `query` of shape (batch, targets, features), `key` of (batch, "
            "sources, features) and `value` of (batch, sources, value_features). "
            f"Received: shapes {shapes}"
        )
    check_mask(mask, shapes[1][:2])
    query = ops.divide(query, shapes[0][2] ** 0.5)
    scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
    # scores: (batch, targets, sources)
    weights = masked_softmax(scores, None if mask is None else mask[:, None, :])
    return ops.matmul(weights, value), weights


@keras.saving.register_keras_serializable(package="snippets")
class EncoderBlock(keras.Layer):
    """Let the steps of a sequence look at each other, then transform each.

    Args:
        num_heads: Integer of at least 1, and at most the number of features: the heads
            of the attention.
        hidden_units: Integer of at least 1, the units between the two last layers.
        rate: Float from 0 up to, and without, 1: the dropout.
        **kwargs: What every layer takes. The layers inside get the same `dtype`.

    Call arguments:

    - `inputs`: tensor of shape `(batch, time, features)`, any float dtype.
    - `mask`: `None`, or a tensor of shape `(batch, time)`, false where there is
      padding. It is passed on.
    - `training`: whether to drop anything.

    Returns:
        A tensor of the shape of `inputs`, in the compute dtype of the layer.

    Raises:
        ValueError: If an argument is out of range, or if `inputs` has another rank.

    Example:
        >>> EncoderBlock(num_heads=2, hidden_units=8)(np.ones((1, 5, 4))).shape
        TensorShape([1, 5, 4])

    References:
        - [Attention Is All You Need](https://arxiv.org/abs/1706.03762), A. Vaswani and
          others, 2017.
    """

    def __init__(
        self, num_heads: int, hidden_units: int, rate: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if num_heads < 1:
            raise ValueError(f"Expected heads > 0. Received: {num_heads=}")
        self.num_heads, self.hidden_units, self.rate = num_heads, hidden_units, rate
        layers, policy = keras.layers, self.dtype_policy
        self.expand = layers.Dense(hidden_units, activation="relu", dtype=policy)
        self.dropout = layers.Dropout(rate, dtype=policy)
        self.norms = [layers.LayerNormalization(dtype=policy) for _ in range(2)]
        self.input_spec = keras.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape: tuple[int, ...]) -> None:
        features = input_shape[-1]
        self.attention = keras.layers.MultiHeadAttention(
            self.num_heads, features // self.num_heads, dtype=self.dtype_policy
        )
        self.contract = keras.layers.Dense(features, dtype=self.dtype_policy)
        self.attention.build(input_shape, input_shape)
        for layer in (self.expand, *self.norms):
            layer.build(input_shape)
        self.contract.build((*input_shape[:-1], self.hidden_units))

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)  # integers too
        over_time = None if mask is None else ops.cast(mask, "bool")[:, None, :]
        mixed = self.attention(inputs, inputs, attention_mask=over_time)
        x = self.norms[0](inputs + self.dropout(mixed, training=training))
        mixed = self.contract(self.expand(x))
        return self.norms[1](x + self.dropout(mixed, training=training))

    def get_config(self) -> dict[str, Any]:
        names = ("num_heads", "hidden_units", "rate")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def attention_classifier(
    pooling: keras.Layer,
    encoder: keras.Layer | None = None,
    max_length: int = 12,
    num_features: int = 8,
    num_classes: int = 10,
) -> keras.Model:
    """Build a classifier that pools the steps of a sequence by attention.

    Steps that hold -1 everywhere are padding.

    Args:
        pooling: An `AttentionPooling`.
        encoder: A layer that comes before it, which returns sequences; or `None` for
            one that transforms each step by itself and adds where it stands.
        max_length: Integer of at least 1, the longest sequence.
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.

    Returns:
        A compiled `keras.Model` from sequences of shape `(batch, time, num_features)`
        to probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If a number is no integer of at least 1.

    Example:
        >>> attention_classifier(AttentionPooling(units=4)).output_shape
        (None, 10)
    """
    shape = (None, check_integer("num_features", num_features))
    steps = keras.Input(shape=shape, name="steps")
    x = keras.layers.Masking(mask_value=-1.0)(steps)
    if encoder is None:
        x = keras.layers.Dense(32)(x)
        x = PositionEmbedding(max_length)(x)
        x = keras.layers.Activation("relu")(x)
    else:
        x = encoder(x)
    pooled, _ = pooling(x, return_attention_scores=True)
    scores = keras.layers.Dense(num_classes, activation="softmax")(pooled)
    model = keras.Model(steps, scores)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def attention_by_step(
    model: keras.Model, sequences: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """Return the weight that the attention of a model gives to each step.

    Args:
        model: A Functional `keras.Model` with an `AttentionPooling` that was called
            with `return_attention_scores=True`.
        sequences: Array of shape `(batch, time, features)`, what the model takes.

    Returns:
        An array of shape `(batch, time)`, float32. Each row sums to 1, unless it is
        all padding.

    Raises:
        ValueError: If the model has no such layer.

    Example:
        >>> model = attention_classifier(AttentionPooling(units=4))
        >>> attention_by_step(model, np.zeros((2, 5, 8))).shape
        (2, 5)
    """
    for layer in model.layers:
        if isinstance(layer, AttentionPooling):
            outputs = keras.tree.flatten(layer.output)
            if len(outputs) == 2:
                weights = keras.Model(model.inputs, outputs[1])
                return np.asarray(weights.predict(sequences, verbose=0), "float32")
    raise ValueError(
        "Expected `model` to have a layer of attention pooling that was called with "
        "`return_attention_scores=True`. Received: layers "
        f"{[type(layer).__name__ for layer in model.layers]}"
    )

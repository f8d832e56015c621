"""Models as classes, whole or as one layer of another."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers


class CustomModel(keras.Model):
    """Classify vectors by two dense layers.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`.

    Returns:
        A tensor of probabilities, shape `(batch, 10)`.

    Example:
        >>> import numpy as np
        >>> CustomModel()(np.ones((3, 64))).shape
        TensorShape([3, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        self.hidden = layers.Dense(32, "relu")
        self.scores = layers.Dense(10, "softmax")

    def call(self, x: Any) -> Any:
        x = self.hidden(x)
        return self.scores(x)


@keras.saving.register_keras_serializable(package="snippets")
class SaveableModel(keras.Model):
    """Classify vectors by two dense layers: all that a model needs to be saved.

    Args:
        num_units: Integer of at least 1, the width of the hidden layer.
        dropout: Float in `[0, 1]`, the part of the units to drop in training.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`.
        training: Whether to drop units.

    Returns:
        A tensor of probabilities, shape `(batch, 10)`.

    Example:
        >>> model = SaveableModel(num_units=8)
        >>> SaveableModel.from_config(model.get_config()).num_units
        8
    """

    def __init__(
        self, num_units: int = 32, dropout: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.num_units, self.dropout = num_units, dropout
        self.hidden = layers.Dense(num_units, "relu")
        self.drop = layers.Dropout(dropout)
        self.scores = layers.Dense(10, "softmax")

    def call(self, x: Any, training: bool | None = None) -> Any:
        x = self.drop(self.hidden(x), training=training)
        return self.scores(x)

    def get_config(self) -> dict[str, Any]:
        config = {"num_units": self.num_units, "dropout": self.dropout}
        return {**super().get_config(), **config}


class WithTraining(keras.Model):
    """Normalize vectors, by a `call` with `training`.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`.
        training: Whether to normalize by the batch, and to learn its mean.

    Returns:
        A tensor of the same shape.

    Example:
        >>> import numpy as np
        >>> model = WithTraining()
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)
        >>> model.normalize.moving_mean.numpy().tolist()
        [5.0]
    """

    def __init__(self) -> None:
        super().__init__()
        self.normalize = layers.BatchNormalization(momentum=0.0)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.normalize(x, training=training)


class FunctionalClassifier(keras.Model):
    """A Functional model of class scores, with a method of its own.

    Example:
        >>> import numpy as np
        >>> inputs = keras.Input((2,))
        >>> model = FunctionalClassifier(inputs, keras.layers.Softmax()(inputs))
        >>> model.classify(np.array([[0.0, 3.0]])).numpy().tolist()
        [1]
    """

    def classify(self, x: Any) -> Any:
        return keras.ops.argmax(self(x), axis=-1)


class SmallVAE(keras.Model):
    """Squeeze vectors of 64 numbers into two, by a loss of its own.

    It is trained on the vectors alone: `fit(vectors)`.

    Call arguments:

    - `x`: tensor of shape `(batch, 64)`, in `[0, 1]`.
    - `training`: whether codes are drawn at random; otherwise each is its mean.

    Returns:
        A tuple of the pixels, shape `(batch, 64)` in `[0, 1]`, and of the means and
        the logarithms of the variances of the codes, shape `(batch, 2)`.

    Example:
        >>> import numpy as np
        >>> outputs = SmallVAE()(np.zeros((3, 64), "float32"))
        >>> [tuple(output.shape) for output in outputs]
        [(3, 64), (3, 2), (3, 2)]

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114),
          D. P. Kingma and M. Welling, 2013.
    """

    def __init__(self) -> None:
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(4)])
        self.decoder = keras.Sequential(
            [layers.Dense(64, "relu"), layers.Dense(64, "sigmoid")]
        )
        self.seed = keras.random.SeedGenerator(0)

    def call(self, x: Any, training: bool | None = None) -> tuple[Any, Any, Any]:
        mean, log_variance = keras.ops.split(self.encoder(x), 2, axis=-1)
        codes = mean
        if training:
            noise = keras.random.normal(keras.ops.shape(mean), seed=self.seed)
            codes = mean + keras.ops.exp(0.5 * log_variance) * noise
        return self.decoder(codes), mean, log_variance

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        pixels, mean, log_variance = y_pred
        errors = keras.ops.binary_crossentropy(x, pixels)
        terms = keras.ops.square(mean) + keras.ops.exp(log_variance)
        kl = 0.5 * keras.ops.sum(terms - log_variance - 1.0, axis=-1)
        loss = keras.ops.mean(keras.ops.sum(errors, axis=-1) + kl)
        return loss + sum(self.losses)  # of regularizers and `add_loss`


@keras.saving.register_keras_serializable(package="snippets")
class TiedAutoencoder(keras.Model):
    """Squeeze vectors into 8 numbers and back, with one matrix for both ways.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, any dtype.

    Returns:
        A tensor of the same shape, the vectors as 8 numbers can tell them, in the
        compute dtype of the model.

    Example:
        >>> import numpy as np
        >>> TiedAutoencoder()(np.ones((3, 64), "float32")).shape
        TensorShape([3, 64])

    References:
        - [Neural networks and principal component analysis](
          https://doi.org/10.1016/0893-6080%2889%2990014-2),
          P. Baldi and K. Hornik, 1989.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], 8), name="kernel")

    def call(self, vectors: Any) -> Any:
        codes = keras.ops.matmul(vectors, self.kernel)  # (batch, 8)
        return keras.ops.matmul(codes, keras.ops.transpose(self.kernel))


@keras.saving.register_keras_serializable(package="snippets")
class Residual(keras.Layer):
    """Add the output of another layer to its input: `x + inner(x)`.

    Args:
        inner: A `keras.Layer` whose output has the shape of its input. It computes in
            its own dtype; the sum is in that of this layer.

    Call arguments:
        x: Tensor of shape `(batch, ...)`, any dtype.

    Returns:
        A tensor of the shape of `x`, in the compute dtype of the layer.

    Raises:
        ValueError: If `inner` is no layer, or changes the shape when it is called.

    Example:
        >>> import numpy as np
        >>> Residual(keras.layers.Dense(4))(np.ones((3, 4))).shape
        TensorShape([3, 4])

    References:
        - [Deep residual learning for image recognition](
          https://arxiv.org/abs/1512.03385), K. He et al., 2015.
    """

    def __init__(self, inner: keras.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(inner, keras.Layer):
            raise ValueError(f"Expected `inner` to be a layer. Received: {inner!r}")
        self.inner = inner

    def build(self, input_shape: Sequence[int | None]) -> None:
        if not self.inner.built:
            self.inner.build(input_shape)

    def call(self, x: Any) -> Any:
        change = self.inner(x)
        if tuple(change.shape) != tuple(x.shape):
            raise ValueError(
                f"Expected `inner` to keep the shape {tuple(x.shape)}. "
                f"Received: {tuple(change.shape)}"
            )
        dtype = self.compute_dtype
        return keras.ops.cast(x, dtype) + keras.ops.cast(change, dtype)

    def get_config(self) -> dict[str, Any]:
        inner = keras.saving.serialize_keras_object(self.inner)
        return {**super().get_config(), "inner": inner}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "Residual":
        inner = keras.saving.deserialize_keras_object(config["inner"])
        return cls(**{**config, "inner": inner})


@keras.saving.register_keras_serializable(package="snippets")
class DeepClassifier(keras.Model):
    """Classify vectors by a stack of residual blocks, as many as asked for.

    Args:
        num_classes: Integer of at least 1.
        num_blocks: Integer of at least 0.
        num_units: Integer of at least 1, the width of every block.
        dropout: Float in `[0, 1]`, the part of the units to drop in training.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, any dtype.
        training: Whether to drop units.

    Returns:
        A tensor of probabilities, shape `(batch, num_classes)`, float32, also in mixed
        precision.

    Raises:
        ValueError: If `num_blocks` is less than 0.

    Example:
        >>> import numpy as np
        >>> DeepClassifier(num_classes=10)(np.ones((3, 64))).shape
        TensorShape([3, 10])
    """

    def __init__(
        self,
        num_classes: int,
        num_blocks: int = 3,
        num_units: int = 32,
        dropout: float = 0.1,
        **kwargs: Any,
    ) -> None:
        if num_blocks < 0:
            raise ValueError(
                f"Expected `num_blocks` of at least 0. Received: {num_blocks}"
            )
        super().__init__(**kwargs)
        self.num_classes, self.num_blocks = num_classes, num_blocks
        self.num_units, self.dropout = num_units, dropout
        policy = self.dtype_policy  # which layers do not inherit
        self.widen = layers.Dense(num_units, dtype=policy)
        self.blocks = tuple(  # `tf.train.Checkpoint` does not look into a list
            Residual(
                layers.Dense(num_units, activation="relu", dtype=policy), dtype=policy
            )
            for _ in range(num_blocks)
        )
        self.drop = layers.Dropout(dropout, dtype=policy)
        exact = keras.backend.result_type(self.compute_dtype, "float32")
        self.score = layers.Dense(num_classes, activation="softmax", dtype=exact)

    def call(self, vectors: Any, training: bool | None = None) -> Any:
        x = self.widen(vectors)
        for block in self.blocks:
            x = self.drop(block(x), training=training)  # (batch, num_units)
        return self.score(x)

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "num_blocks", "num_units", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def as_one_layer(
    model: keras.Model, input_shape: Sequence[int | None], dtype: str = "float32"
) -> keras.Model:
    """Put a subclassed model into a Functional one, as one layer on an Input.

    Args:
        model: A `keras.Model` whose `call` takes one tensor.
        input_shape: Sequence of integers or `None`, without the batch axis.
        dtype: String, the dtype of the Input.

    Returns:
        A Functional `keras.Model` that shares its weights with `model`.

    Example:
        >>> as_one_layer(TiedAutoencoder(), (64,)).output_shape
        (None, 64)
    """
    inputs = keras.Input(shape=tuple(input_shape), dtype=dtype, name="inputs")
    return keras.Model(inputs, model(inputs))


def as_graph_of_layers(
    model: keras.Model, input_shape: Sequence[int | None], dtype: str = "float32"
) -> keras.Model:
    """Open a subclassed model: record the layers that its `call` runs through.

    Args:
        model: A `keras.Model` whose `call` takes one tensor and holds all its weights
            in layers.
        input_shape: Sequence of integers or `None`, without the batch axis.
        dtype: String, the dtype of the Input.

    Returns:
        A Functional `keras.Model` of the inner layers, which `model` shares.

    Raises:
        ValueError: If weights of `model` would be left behind, since they belong to
            the model itself or to a layer that `call` does not reach.

    Example:
        >>> classifier = DeepClassifier(num_classes=10, num_blocks=1, num_units=8)
        >>> graph = as_graph_of_layers(classifier, (64,))
        >>> [type(layer).__name__ for layer in graph.layers]
        ['InputLayer', 'Dense', 'Residual', 'Dropout', 'Dense']
    """
    inputs = keras.Input(shape=tuple(input_shape), dtype=dtype, name="inputs")
    model(inputs)  # builds it
    graph = keras.Model(inputs, model.call(inputs))
    kept = {id(weight) for weight in graph.weights}
    lost = [weight.path for weight in model.weights if id(weight) not in kept]
    if lost:
        raise ValueError(
            "Expected `model` to hold all its weights in layers: use `as_one_layer`. "
            f"Received: a model that also holds {lost}"
        )
    return graph

"""Recipes around `class MyModel(keras.Model)`: writing, training and saving it.

Those whose name begins with `layer_` or `model_` are mistakes, kept whole to show what
each Keras makes of them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def check_positive(name: str, value: Any) -> int:
    """Return a size if it is one, an integer of at least 1.

    Args:
        name: String, what the argument is called.
        value: Integer of at least 1, of Python or NumPy.

    Returns:
        An integer, `value`.

    Raises:
        ValueError: If it is anything else.

    Example:
        >>> check_positive("num_units", 16)
        16
    """
    is_integer = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_integer or value < 1:
        raise ValueError(f"Expected `{name}` of at least 1. Received: {value!r}")
    return int(value)


@keras.saving.register_keras_serializable(package="snippets")
class TiedAutoencoder(keras.Model):
    """Squeeze vectors into 8 numbers and back, with one matrix for both ways.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, float32.

    Returns:
        A tensor of the same shape, the vectors as 8 numbers can tell them.

    Example:
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
    """Add what another layer says to what it was told: `x + inner(x)`.

    Args:
        inner: A `keras.Layer` whose output has the shape of its input.

    Call arguments:
        x: Tensor of shape `(batch, ...)`, any float dtype.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ValueError: If `inner` is no layer, or changes the shape when it is called.

    Example:
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

    def call(self, x: Any) -> Any:
        change = self.inner(x)
        if tuple(change.shape) != tuple(x.shape):
            raise ValueError(
                f"Expected `inner` to keep the shape {tuple(x.shape)}. "
                f"Received: {tuple(change.shape)}"
            )
        return x + change

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
        num_blocks: Integer of at least 1.
        num_units: Integer of at least 1, the width of every block.
        dropout: Float in `[0, 1)`, the part of the units to drop in training.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, float32.
        training: Whether to drop units.

    Returns:
        A tensor of probabilities, shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
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
        super().__init__(**kwargs)
        if not 0.0 <= dropout < 1.0:
            raise ValueError(f"Expected `dropout` in [0, 1). Received: {dropout}")
        self.num_classes = check_positive("num_classes", num_classes)
        self.num_blocks = check_positive("num_blocks", num_blocks)
        self.num_units = check_positive("num_units", num_units)
        self.dropout = dropout
        self.widen = keras.layers.Dense(num_units)
        self.blocks = tuple(  # `tf.train.Checkpoint` does not look into a list
            Residual(keras.layers.Dense(num_units, activation="relu"))
            for _ in range(num_blocks)
        )
        self.drop = keras.layers.Dropout(dropout)
        self.score = keras.layers.Dense(num_classes, activation="softmax")

    def call(self, vectors: Any, training: bool | None = None) -> Any:
        x = self.widen(vectors)
        for block in self.blocks:
            x = self.drop(block(x), training=training)  # (batch, num_units)
        return self.score(x)

    def get_config(self) -> dict[str, Any]:
        names = ("num_classes", "num_blocks", "num_units", "dropout")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable(package="snippets")
class RunningMean(keras.Layer):
    """Subtract the mean of every example seen in training, and remember it.

    Call arguments:
        x: Tensor of shape `(batch, num_features)`, float32.
        training: Whether to learn from `x` first.

    Returns:
        A tensor of the shape of `x`.

    Example:
        >>> layer = RunningMean()
        >>> layer(np.array([[1.0], [3.0]]), training=True).numpy().tolist()
        [[-1.0], [1.0]]
        >>> layer(np.array([[5.0]])).numpy().tolist()
        [[3.0]]
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.count = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="count"
        )
        self.mean = self.add_weight(
            shape=input_shape[-1:], initializer="zeros", trainable=False, name="mean"
        )

    def call(self, x: Any, training: bool | None = None) -> Any:
        if training:
            seen = keras.ops.cast(keras.ops.shape(x)[0], self.count.dtype)
            self.count.assign_add(seen)
            surprise = keras.ops.sum(x - self.mean, axis=0)
            self.mean.assign_add(surprise / keras.ops.maximum(self.count, 1.0))
        return x - self.mean


@keras.saving.register_keras_serializable(package="snippets")
class ActivityPenalty(keras.Layer):
    """Hand activations through, and ask for small ones in the loss.

    It adds `weight` times the mean of the absolute activations.

    Args:
        weight: Float of at least 0.

    Call arguments:
        x: Tensor of any shape and float dtype.

    Returns:
        The tensor `x`.

    Raises:
        ValueError: If `weight` is negative or not finite.

    Example:
        >>> layer = ActivityPenalty(weight=0.5)
        >>> outputs = layer(np.array([[1.0, -3.0]]))
        >>> [float(loss) for loss in layer.losses]
        [1.0]
    """

    def __init__(self, weight: float = 0.01, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0.0 <= weight < math.inf:
            raise ValueError(f"Expected `weight` of at least 0. Received: {weight}")
        self.weight = weight

    def call(self, x: Any) -> Any:
        self.add_loss(self.weight * keras.ops.mean(keras.ops.abs(x)))
        return x

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="snippets")
class PrependToken(keras.Layer):
    """Put one learned step in front of every sequence of a batch of any size.

    Call arguments:
        steps: Tensor of shape `(batch, time, num_features)`, float32.

    Returns:
        A tensor of shape `(batch, time + 1, num_features)`, float32.

    Raises:
        ValueError: If `steps` has another number of axes.

    Example:
        >>> PrependToken()(keras.Input((None, 8))).shape
        (None, None, 8)

    References:
        - [BERT](https://arxiv.org/abs/1810.04805), J. Devlin et al., 2018: its `[CLS]`.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        if len(input_shape) != 3:
            raise ValueError(
                "Expected `steps` of shape (batch, time, num_features). "
                f"Received: {tuple(input_shape)}"
            )
        self.token = self.add_weight(shape=(1, 1, input_shape[-1]), name="token")

    def call(self, steps: Any) -> Any:
        batch_size = keras.ops.shape(steps)[0]
        tokens = keras.ops.tile(self.token, (batch_size, 1, 1))
        return keras.ops.concatenate([tokens, steps], axis=1)

    def compute_output_shape(
        self, input_shape: Sequence[int | None]
    ) -> tuple[int | None, ...]:
        batch, time, num_features = input_shape
        return batch, None if time is None else time + 1, num_features


@keras.saving.register_keras_serializable(package="snippets")
class UnitScale(keras.Layer):
    """Divide a batch by its largest absolute value, unless all of it is zero.

    Call arguments:
        x: Tensor of any shape and float dtype.

    Returns:
        A tensor of the shape of `x`, within `[-1, 1]`.

    Example:
        >>> UnitScale()(np.array([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    def call(self, x: Any) -> Any:
        largest = keras.ops.max(keras.ops.abs(x))
        return x / keras.ops.where(largest > 0, largest, 1.0)


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


class LinearModule(tf.Module):
    """Multiply by a matrix and add a vector, with nothing but TensorFlow.

    Args:
        num_inputs: Integer of at least 1.
        num_outputs: Integer of at least 1.
        name: String or `None`, the name of the module.

    Call arguments:
        x: Tensor of shape `(batch, num_inputs)`, float32.

    Returns:
        A tensor of shape `(batch, num_outputs)`, float32.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> len(LinearModule(64, 10).trainable_variables)
        2
    """

    def __init__(
        self, num_inputs: int, num_outputs: int, name: str | None = None
    ) -> None:
        super().__init__(name)
        check_positive("num_inputs", num_inputs)
        check_positive("num_outputs", num_outputs)
        limit = math.sqrt(6.0 / (num_inputs + num_outputs))
        start = tf.random.uniform((num_inputs, num_outputs), -limit, limit)
        self.kernel = tf.Variable(start, name="kernel")
        self.bias = tf.Variable(tf.zeros(num_outputs), name="bias")

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return x @ self.kernel + self.bias


class ModuleClassifier(tf.Module):
    """Classify vectors by two linear modules, with nothing but TensorFlow.

    Args:
        num_features: Integer of at least 1.
        num_classes: Integer of at least 1.

    Call arguments:
        vectors: Tensor of shape `(batch, num_features)`, float32.

    Returns:
        A tensor of probabilities, shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> len(ModuleClassifier(64, 10).submodules)
        2
    """

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.layers = [LinearModule(num_features, 32), LinearModule(32, num_classes)]
        vectors = tf.TensorSpec((None, num_features), tf.float32)
        self.serve = tf.function(self.__call__, input_signature=[vectors])

    def __call__(self, vectors: tf.Tensor) -> tf.Tensor:
        first, second = self.layers
        return tf.nn.softmax(second(tf.nn.relu(first(vectors))))


def weights_outside_checkpoint(model: keras.Model) -> list[str]:
    """List the weights of a model that `tf.train.Checkpoint` would leave out.

    On Keras 3 these are the weights of layers that are kept in a list or a dict.

    Args:
        model: A `keras.Model` that has been called or built.

    Returns:
        A list of the paths of the weights, empty if a checkpoint holds all.

    Example:
        >>> model = model_with_list_of_layers(keras)
        >>> outputs = model(np.ones((1, 2)))
        >>> weights_outside_checkpoint(model)
        ['stack/dense/kernel', 'stack/dense/bias']
    """
    reached = {id(node) for node in tf.train.TrackableView(model).descendants()}
    return [weight.path for weight in model.weights if id(weight) not in reached]


def save_four_ways(model: keras.Model, folder: str | Path) -> dict[str, str]:
    """Write a model that has its weights in each of the four forms.

    Args:
        model: A `keras.Model` that has been called or built.
        folder: Path of a folder that exists.

    Returns:
        A dict from `keras`, `weights`, `saved_model` and `checkpoint` to the path that
        reads it.

    Raises:
        ValueError: If `model` has not been built, or if a checkpoint would not hold all
            of its weights.

    Example:
        >>> import tempfile
        >>> model = TiedAutoencoder()
        >>> outputs = model(np.ones((1, 64)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(save_four_ways(model, folder))
        ['keras', 'weights', 'saved_model', 'checkpoint']
    """
    if not model.built:
        raise ValueError(
            "Expected `model` to have its weights: call it on data first. "
            f"Received: {type(model).__name__} '{model.name}', not built"
        )
    if left_out := weights_outside_checkpoint(model):
        raise ValueError(
            "Expected `model` to keep its layers in attributes or tuples, where "
            f"`tf.train.Checkpoint` finds them. Received: {left_out} elsewhere"
        )
    start = f"{folder}/{model.name}"
    model.save(f"{start}.keras")
    model.save_weights(f"{start}.weights.h5")
    model.export(start, verbose=False)
    checkpoint = tf.train.Checkpoint(model=model).write(f"{start}.checkpoint")
    return {
        "keras": f"{start}.keras",
        "weights": f"{start}.weights.h5",
        "saved_model": start,
        "checkpoint": checkpoint,
    }


def outputs_of_four_ways(
    paths: Mapping[str, str],
    make_model: Callable[[], keras.Model],
    inputs: npt.NDArray[Any],
) -> dict[str, Any]:
    """Read each of the four forms, and compute the outputs of what comes back.

    Args:
        paths: Dict of paths, of `save_four_ways`.
        make_model: Function without arguments that makes the model anew. The weights
            and the checkpoint need it: they hold numbers, and no class.
        inputs: Array of shape `(batch, ...)`, any batch size.

    Returns:
        A dict from the keys of `paths` to outputs.

    Example:
        >>> import tempfile
        >>> model, inputs = TiedAutoencoder(), np.ones((1, 64), "float32")
        >>> expected = model(inputs)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = save_four_ways(model, folder)
        ...     outputs = outputs_of_four_ways(paths, TiedAutoencoder, inputs)
        >>> all(np.allclose(output, expected) for output in outputs.values())
        True
    """
    from_weights, from_checkpoint = make_model(), make_model()
    for model in (from_weights, from_checkpoint):
        model(inputs)  # makes the variables that are to be filled
    from_weights.load_weights(paths["weights"])
    status = tf.train.Checkpoint(model=from_checkpoint).read(paths["checkpoint"])
    status.assert_existing_objects_matched()
    saved_model = tf.saved_model.load(paths["saved_model"])  # holds the variables
    return {
        "keras": keras.saving.load_model(paths["keras"])(inputs),
        "weights": from_weights(inputs),
        "saved_model": saved_model.serve(inputs),
        "checkpoint": from_checkpoint(inputs),
    }


def kl_divergence(mean: Any, log_variance: Any) -> Any:
    """Compute how far normal distributions are from the standard one, in nats.

    `KL(N(mean, variance) || N(0, 1))`, summed over the last axis.

    Args:
        mean: Tensor or array of shape `(..., latent_dim)`, float.
        log_variance: Tensor or array of the same shape, the logarithm of the variance.

    Returns:
        A tensor of shape `(...)`, of at least 0.

    Raises:
        ValueError: If the shapes differ.

    Example:
        >>> float(kl_divergence(np.array([1.0, 0.0]), np.array([0.0, 0.0])))
        0.5

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114),
          D. P. Kingma and M. Welling, 2013, appendix B.
    """
    if tuple(mean.shape) != tuple(log_variance.shape):
        raise ValueError(
            "Expected `mean` and `log_variance` of one shape. "
            f"Received: {tuple(mean.shape)} and {tuple(log_variance.shape)}"
        )
    terms = keras.ops.square(mean) + keras.ops.exp(log_variance) - log_variance - 1.0
    return 0.5 * keras.ops.sum(terms, axis=-1)


@keras.saving.register_keras_serializable(package="snippets")
class VariationalAutoencoder(keras.Model):
    """Squeeze images into a few numbers from which new images can be drawn.

    It is trained on the images alone: `fit(images)`. The loss of an image is the
    cross-entropy of its pixels plus the divergence of its code from a standard normal
    distribution, both in nats.

    Args:
        image_shape: Tuple `(height, width, channels)` of integers.
        latent_dim: Integer of at least 1, the length of a code.
        num_units: Integer of at least 1, the width of the hidden layers.
        seed: Integer of at least 0, where the noise begins.

    Call arguments:
        images: Tensor of shape `(batch, *image_shape)`, float32 in `[0, 1]`.
        training: Whether codes are drawn at random; otherwise each is its mean.

    Returns:
        A dict of `images`, shape `(batch, *image_shape)` in `[0, 1]`, and of `mean`
        and `log_variance`, shape `(batch, latent_dim)`; all float32.

    Raises:
        ValueError: If a size is less than 1, or `image_shape` has not three of them.

    Example:
        >>> model = VariationalAutoencoder((8, 8, 1), latent_dim=2)
        >>> model(np.zeros((3, 8, 8, 1)))["images"].shape
        TensorShape([3, 8, 8, 1])

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114),
          D. P. Kingma and M. Welling, 2013.
    """

    def __init__(
        self,
        image_shape: Sequence[int] = (8, 8, 1),
        latent_dim: int = 2,
        num_units: int = 128,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if len(image_shape) != 3:
            raise ValueError(
                f"Expected `image_shape` of 3 axes. Received: {image_shape}"
            )
        self.image_shape = [check_positive("image_shape", n) for n in image_shape]
        self.latent_dim = check_positive("latent_dim", latent_dim)
        self.num_units = check_positive("num_units", num_units)
        self.seed = seed
        self.noise = keras.random.SeedGenerator(seed)
        self.flatten = keras.layers.Flatten()
        self.read = keras.layers.Dense(num_units, activation="relu")
        self.mean = keras.layers.Dense(latent_dim)
        self.log_variance = keras.layers.Dense(latent_dim)
        self.write = keras.layers.Dense(num_units, activation="relu")
        self.pixels = keras.layers.Dense(math.prod(image_shape), activation="sigmoid")
        self.reshape = keras.layers.Reshape(self.image_shape)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")

    def encode(self, images: Any) -> tuple[Any, Any]:
        hidden = self.read(self.flatten(images))  # (batch, num_units)
        return self.mean(hidden), self.log_variance(hidden)

    def decode(self, codes: Any) -> Any:
        return self.reshape(self.pixels(self.write(codes)))

    def call(self, images: Any, training: bool | None = None) -> dict[str, Any]:
        mean, log_variance = self.encode(images)
        codes = mean
        if training:
            noise = keras.random.normal(keras.ops.shape(mean), seed=self.noise)
            codes = mean + keras.ops.exp(0.5 * log_variance) * noise
        decoded = self.decode(codes)
        return {"images": decoded, "mean": mean, "log_variance": log_variance}

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        losses = keras.ops.binary_crossentropy(x, y_pred["images"])
        reconstruction = keras.ops.sum(losses, axis=(1, 2, 3))  # (batch,)
        kl = kl_divergence(y_pred["mean"], y_pred["log_variance"])
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(kl)
        return keras.ops.mean(reconstruction + kl)

    def get_config(self) -> dict[str, Any]:
        names = ("image_shape", "latent_dim", "num_units", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def plane_of_codes(num_columns: int = 8, reach: float = 2.0) -> npt.NDArray[Any]:
    """Lay a square grid of codes over the middle of a latent plane.

    Args:
        num_columns: Integer of at least 1, the codes in a row.
        reach: Float greater than 0: the grid spans from `-reach` to `reach`.

    Returns:
        An array of shape `(num_columns ** 2, 2)`, float32, row by row as one reads:
        the second coordinate falls from row to row.

    Raises:
        ValueError: If an argument is out of its range.

    Example:
        >>> plane_of_codes(2, reach=1.0).tolist()
        [[-1.0, 1.0], [1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]]
    """
    check_positive("num_columns", num_columns)
    if not 0.0 < reach < math.inf:
        raise ValueError(f"Expected `reach` greater than 0. Received: {reach}")
    steps = np.linspace(-reach, reach, num_columns, dtype="float32")
    across, down = np.meshgrid(steps, steps[::-1])
    return np.stack([across.ravel(), down.ravel()], axis=-1)


def nearest_neighbor_accuracy(
    train_codes: npt.NDArray[Any],
    train_labels: npt.NDArray[Any],
    test_codes: npt.NDArray[Any],
    test_labels: npt.NDArray[Any],
) -> float:
    """Give each test code the label of the nearest training code; how many are right?

    Args:
        train_codes: Array of shape `(num_train, latent_dim)`, float.
        train_labels: Array of shape `(num_train,)`.
        test_codes: Array of shape `(num_test, latent_dim)`, float.
        test_labels: Array of shape `(num_test,)`.

    Returns:
        A float from 0 to 1.

    Raises:
        ValueError: If codes and labels differ in length, if there are none, or if the
            codes differ in theirs.

    Example:
        >>> codes, labels = np.array([[0.0], [1.0]]), np.array([3, 7])
        >>> nearest_neighbor_accuracy(codes, labels, np.array([[0.9]]), np.array([7]))
        1.0
    """
    lengths = (len(train_codes), len(train_labels), len(test_codes), len(test_labels))
    if lengths[0] != lengths[1] or lengths[2] != lengths[3] or not all(lengths):
        raise ValueError(
            "Expected a label for each code, and at least one code. Received: lengths "
            f"{lengths}"
        )
    if train_codes.ndim != 2 or train_codes.shape[1:] != test_codes.shape[1:]:
        raise ValueError(
            "Expected codes of shape (num_codes, latent_dim). "
            f"Received: {train_codes.shape} and {test_codes.shape}"
        )
    differences = test_codes[:, np.newaxis] - train_codes  # (test, train, latent_dim)
    nearest = np.argmin(np.sum(differences**2, axis=-1), axis=-1)
    return float(np.mean(train_labels[nearest] == test_labels))


def layer_with_tf_variable(keras_module: Any) -> Any:
    """Make a layer that keeps its weights in a `tf.Variable`.

    Keras 2 finds it there; Keras 3 does not, and so never trains it.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from shape `(batch, 2)` to `(batch, 1)`.

    Example:
        >>> len(layer_with_tf_variable(keras).trainable_variables)
        0
    """

    class Product(keras_module.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.zeros((2, 1)))

        def call(self, x: Any) -> Any:
            return tf.matmul(x, self.kernel)

    return Product()


def layer_without_super(keras_module: Any) -> Any:
    """Make a layer whose `__init__` forgets `super().__init__()`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, which raises a RuntimeError when it is called.

    Example:
        >>> layer_without_super(keras)(np.ones((3, 2)))
        Traceback (most recent call last):
            ...
        RuntimeError: In layer 'Forgetful', you forgot to call `super().__init__()` ...
    """

    class Forgetful(keras_module.layers.Layer):
        def __init__(self) -> None:
            self.score = keras_module.layers.Dense(1)

    return Forgetful()


def model_without_super(keras_module: Any) -> Any:
    """Make a model whose `__init__` forgets `super().__init__()`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of Keras 3, which raises a RuntimeError when it is called.

    Raises:
        RuntimeError: On Keras 2, at the first layer.

    Example:
        >>> model_without_super(keras)(np.ones((3, 2)))
        Traceback (most recent call last):
            ...
        RuntimeError: In layer 'Forgetful', you forgot to call `super().__init__()` ...
    """

    class Forgetful(keras_module.Model):
        def __init__(self) -> None:
            self.score = keras_module.layers.Dense(1)

    return Forgetful()


def model_with_layers_in_call(keras_module: Any) -> Any:
    """Make a model that makes a new layer, with new weights, whenever it is called.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, from shape `(batch, features)` to `(batch, 1)`.

    Example:
        >>> model, x = model_with_layers_in_call(keras), np.ones((1, 2))
        >>> bool(model(x) == model(x)), len(model.weights)
        (False, 0)
    """

    class Amnesiac(keras_module.Model):
        def call(self, x: Any) -> Any:
            return keras_module.layers.Dense(1)(x)

    return Amnesiac()


def model_with_list_of_layers(keras_module: Any) -> Any:
    """Make a model with one layer in a list, which a checkpoint of Keras 3 leaves out.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, from shape `(batch, features)` to `(batch, 2)`.

    Example:
        >>> model = model_with_list_of_layers(keras)
        >>> model(np.ones((1, 2))).shape, len(model.weights)
        (TensorShape([1, 2]), 2)
    """

    class Stack(keras_module.Model):
        def __init__(self) -> None:
            super().__init__(name="stack")
            self.steps = [keras_module.layers.Dense(2, name="dense")]

        def call(self, x: Any) -> Any:
            for step in self.steps:
                x = step(x)
            return x

    return Stack()


def layer_with_python_if(keras_module: Any) -> Any:
    """Make a layer whose `call` asks a tensor a question in Python.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from any shape to the same.

    Example:
        >>> layer_with_python_if(keras)(np.array([[1.0, -4.0]])).numpy().tolist()
        [[0.25, -1.0]]
    """

    class Scale(keras_module.layers.Layer):
        def call(self, x: Any) -> Any:
            largest = tf.reduce_max(tf.abs(x))
            if largest > 0:
                x = x / largest
            return x

    return Scale()


def layer_with_static_batch_size(keras_module: Any) -> Any:
    """Make a layer that reads the batch size off `x.shape`, where it may be `None`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, from shape `(batch, 2)` to `(batch, 3)`.

    Example:
        >>> layer_with_static_batch_size(keras)(np.ones((5, 2))).shape
        TensorShape([5, 3])
    """

    class AddOnes(keras_module.layers.Layer):
        def call(self, x: Any) -> Any:
            ones = tf.ones((x.shape[0], 1))
            return tf.concat([x, ones], axis=-1)

    return AddOnes()


def layer_without_kwargs(keras_module: Any) -> Any:
    """Make a layer whose `__init__` takes neither `name` nor `**kwargs`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, registered, whose config it cannot read itself.

    Example:
        >>> layer = layer_without_kwargs(keras)
        >>> type(layer)(**layer.get_config())
        Traceback (most recent call last):
            ...
        TypeError: ...__init__() got an unexpected keyword argument 'name'
    """

    @keras_module.utils.register_keras_serializable(package="snippets")
    class Rigid(keras_module.layers.Layer):
        def __init__(self, factor: float = 2.0) -> None:
            super().__init__()
            self.factor = factor

        def call(self, x: Any) -> Any:
            return x * self.factor

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "factor": self.factor}

    return Rigid()


def layer_without_config(keras_module: Any) -> Any:
    """Make a layer that is given an array, and leaves its config to Keras.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A layer of that Keras, whose `get_config` raises a NotImplementedError.

    Example:
        >>> layer_without_config(keras).get_config()
        Traceback (most recent call last):
            ...
        NotImplementedError: ...
    """

    class Weighted(keras_module.layers.Layer):
        def __init__(self, factors: Any) -> None:
            super().__init__()
            self.factors = factors

    return Weighted(np.array([1.0, 2.0]))


def model_without_config(keras_module: Any, factor: float) -> Any:
    """Make a model that trusts Keras to remember the arguments of `__init__`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        factor: Float to multiply with; 1.0 by default of the class.

    Returns:
        A model of that Keras, registered, from shape `(batch, features)` to
        `(batch, 1)`.

    Example:
        >>> model_without_config(keras, factor=3.0).get_config()["factor"]
        1.0
    """

    @keras_module.utils.register_keras_serializable(package="snippets")
    class Scaled(keras_module.Model):
        def __init__(self, factor: float = 1.0, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.factor = factor
            self.score = keras_module.layers.Dense(1, kernel_initializer="ones")

        def call(self, x: Any) -> Any:
            return self.factor * self.score(x)

    return Scaled(factor=factor)


def model_without_training(keras_module: Any) -> Any:
    """Make a model with batch normalization whose `call` takes no `training`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A model of that Keras, compiled, from shape `(batch, features)` to
        `(batch, 1)`.

    Example:
        >>> model = model_without_training(keras)
        >>> history = model.fit(np.full((8, 1), 5.0), np.zeros((8, 1)), verbose=0)
        >>> model.normalize.moving_mean.numpy().tolist()
        [0.0]
    """

    class Normalized(keras_module.Model):
        def __init__(self) -> None:
            super().__init__()
            self.normalize = keras_module.layers.BatchNormalization(momentum=0.0)
            self.score = keras_module.layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.score(self.normalize(x))

    model = Normalized()
    model.compile(optimizer="sgd", loss="mse")
    return model

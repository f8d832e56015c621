"""Look into a graph of layers, change it, and say what is missing."""

import tempfile
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf


def with_activation(model: keras.Model, old: str, new: str) -> keras.Model:
    """Copy a model with one activation function in place of another.

    The copy has weights of its own, equal to those of `model`. Layers of nested models
    are changed too.

    Args:
        model: A Functional or built Sequential `keras.Model`.
        old: String, the activation to look for.
        new: String, the name of a Keras activation.

    Returns:
        An uncompiled `keras.Model` of the same layers and shapes.

    Raises:
        ValueError: If no layer of `model` has the activation `old`.

    Example:
        >>> from snippets.functional import residual_classifier
        >>> model = residual_classifier((8, 8, 1), num_classes=10)
        >>> smooth = with_activation(model, old="relu", new="gelu")
        >>> smooth.get_layer("stem").activation.__name__
        'gelu'
    """
    seen = []

    def change(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        seen.append(config.get("activation"))
        if config.get("activation") == old:
            config["activation"] = new
        return type(layer).from_config(config)

    copy = keras.models.clone_model(model, clone_function=change, recursive=True)
    if old not in seen:
        raise ValueError(
            f"Expected `old` to be the activation of a layer. Received: {old!r}, "
            f"and the activations are {sorted({name for name in seen if name})}"
        )
    with tempfile.TemporaryDirectory() as folder:
        # Not `set_weights`, after which an adapted `Normalization` still uses its old
        # mean and variance.
        model.save_weights(f"{folder}/copied.weights.h5")
        copy.load_weights(f"{folder}/copied.weights.h5")
    return copy


@keras.saving.register_keras_serializable(package="snippets")
class SobelEdges(keras.Layer):
    """Find edges in images with `tf.image.sobel_edges`, as a layer of a model.

    Call arguments:
        images: Float tensor of shape `(batch, height, width, channels)`.

    Output shape:
        `(batch, height, width, 2 * channels)`: for each channel how fast it changes
        downwards, and how fast to the right.

    Example:
        >>> SobelEdges()(keras.Input((8, 8, 1))).shape
        (None, 8, 8, 2)
    """

    def call(self, images: tf.Tensor) -> tf.Tensor:
        edges = tf.image.sobel_edges(images)  # (batch, height, width, channels, 2)
        channels = 2 * images.shape[-1]
        return tf.reshape(edges, tf.concat([tf.shape(images)[:-1], [channels]], 0))

    def compute_output_shape(
        self, input_shape: Sequence[int | None]
    ) -> tuple[int | None, ...]:
        """Double the channels; leave batch, height and width as they are."""
        *places, channels = input_shape
        return (*places, None if channels is None else 2 * channels)


@keras.saving.register_keras_serializable(package="snippets")
class DoubledIfPositive(keras.Layer):
    """Double a batch if its sum is positive, or return it as it is.

    Call arguments:
        x: Float tensor of any shape.

    Output shape:
        The shape of `x`.

    Example:
        >>> DoubledIfPositive()(keras.ops.ones((1, 2))).numpy().tolist()
        [[2.0, 2.0]]
    """

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        positive = keras.ops.sum(x) > 0
        return keras.ops.cond(positive, lambda: 2 * x, lambda: x)


class InputPath(NamedTuple):
    """A tensor where a graph begins, and the layers from there to an output.

    `tensor` is a `keras.KerasTensor`. `path` holds the names of the layers, first the
    one that made the tensor.
    """

    tensor: Any
    path: tuple[str, ...]


def input_paths(inputs: Any, outputs: Any) -> list[InputPath]:
    """Walk from outputs back to every tensor where their graph begins.

    The walk stops at `inputs`, even where they are in the middle of a graph.

    Args:
        inputs: A `keras.KerasTensor`, or nested lists and dicts of them.
        outputs: Likewise.

    Returns:
        A list of `InputPath`, one for each tensor, with a shortest path.

    Raises:
        ValueError: If something in `inputs` or `outputs` is no `KerasTensor`.

    Example:
        >>> x = keras.Input((3,), name="x")
        >>> scores = keras.layers.Dense(2, name="scores")(x)
        >>> [start.path for start in input_paths(x, scores)]
        [('x', 'scores')]
    """
    declared, ends = keras.tree.flatten(inputs), keras.tree.flatten(outputs)
    for tensor in declared + ends:
        if not isinstance(tensor, keras.KerasTensor):
            raise ValueError(
                "Expected `inputs` and `outputs` to hold what `keras.Input` and layers "
                f"return. Received: an object of type {type(tensor).__name__}"
            )
    stops = {id(tensor) for tensor in declared}
    queue: deque[tuple[Any, tuple[str, ...]]] = deque((tensor, ()) for tensor in ends)
    seen, starts = set(), []
    while queue:
        tensor, path = queue.popleft()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        history: Any = getattr(tensor, "_keras_history", None) or (None, 0, 0)
        layer, call, _ = history
        path = (layer.name if layer else tensor.name, *path)
        is_start = layer is None or id(tensor) in stops
        parents = [] if is_start else layer._inbound_nodes[call].input_tensors
        queue.extend((parent, path) for parent in parents)
        if not parents:
            starts.append(InputPath(tensor, path))
    return starts


def missing_inputs(inputs: Any, outputs: Any) -> list[InputPath]:
    """Find the Inputs that outputs depend on and that `inputs` leaves out.

    These are what `keras.Model(inputs, outputs)` complains about without a name:
    "Output with path ... is not connected to `inputs`".

    Args:
        inputs: A `keras.KerasTensor`, or nested lists and dicts of them.
        outputs: Likewise.

    Returns:
        A list of `InputPath`, empty if nothing is missing.

    Raises:
        ValueError: If something in `inputs` or `outputs` is no `KerasTensor`.

    Example:
        >>> a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        >>> total = keras.layers.Add(name="total")([a, b])
        >>> [start.path for start in missing_inputs(a, total)]
        [('b', 'total')]
    """
    declared = {id(tensor) for tensor in keras.tree.flatten(inputs)}
    starts = input_paths(inputs, outputs)
    return [start for start in starts if id(start.tensor) not in declared]


def unused_inputs(inputs: Any, outputs: Any) -> list[keras.KerasTensor]:
    """Find the inputs that no output depends on. Keras accepts them silently.

    Args:
        inputs: A `keras.KerasTensor`, or nested lists and dicts of them.
        outputs: Likewise.

    Returns:
        A list of `keras.KerasTensor`.

    Raises:
        ValueError: If something in `inputs` or `outputs` is no `KerasTensor`.

    Example:
        >>> a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
        >>> [tensor.name for tensor in unused_inputs([a, b], a + 1.0)]
        ['b']
    """
    reached = {id(start.tensor) for start in input_paths(inputs, outputs)}
    return [
        tensor for tensor in keras.tree.flatten(inputs) if id(tensor) not in reached
    ]


def connected_model(inputs: Any, outputs: Any, name: str | None = None) -> keras.Model:
    """Build `keras.Model(inputs, outputs)`, or say which input is missing or unused.

    Args:
        inputs: A `keras.KerasTensor`, or nested lists and dicts of them.
        outputs: Likewise.
        name: String or `None`, the name of the model.

    Returns:
        A `keras.Model` in which every output can be computed, and every input counts.

    Raises:
        ValueError: If an Input is missing or unused, or if something in `inputs` or
            `outputs` is no `KerasTensor`.

    Example:
        >>> x = keras.Input((3,), name="x")
        >>> connected_model(x, keras.layers.Dense(2)(x)).output_shape
        (None, 2)
    """
    missing = missing_inputs(inputs, outputs)
    if missing:
        found = "; ".join(
            f"{start.tensor.name!r} of shape {start.tensor.shape}, on the way "
            f"{' → '.join(start.path)}"
            for start in missing
        )
        raise ValueError(
            "Expected `inputs` to hold every Input that `outputs` depend on. "
            f"Missing: {found}"
        )
    unused = [tensor.name for tensor in unused_inputs(inputs, outputs)]
    if unused:
        raise ValueError(
            f"Expected `outputs` to depend on all inputs. Unused: {unused}"
        )
    return keras.Model(inputs, outputs, name=name)

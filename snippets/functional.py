"""Models as graphs: branches, several inputs and outputs, shared and nested layers."""

import tempfile
from collections import deque
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def two_branch_classifier(
    image_shape: tuple[int | None, ...], num_classes: int
) -> keras.Model:
    """Build a classifier in which two convolutions read the same image.

    One branch looks at 3 x 3 pixels at a time, the other at 5 x 5.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.
        num_classes: Integer of at least 1.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes.

    Example:
        >>> two_branch_classifier((28, 28, 1), num_classes=5).output_shape
        (None, 5)
    """
    if len(image_shape) != 3:
        raise ValueError(f"Expected `image_shape` of 3 axes. Received: {image_shape}")
    pixels = keras.Input(shape=image_shape, name="pixels")
    small = keras.layers.Conv2D(16, 3, activation="relu", name="small")(pixels)
    large = keras.layers.Conv2D(16, 5, activation="relu", name="large")(pixels)
    small = keras.layers.GlobalMaxPooling2D(name="small_pooled")(small)
    large = keras.layers.GlobalMaxPooling2D(name="large_pooled")(large)
    joined = keras.layers.Concatenate(name="joined")([small, large])
    digit = keras.layers.Dense(num_classes, activation="softmax", name="digit")(joined)
    return keras.Model(inputs=pixels, outputs=digit)


def table_model(
    groups: Mapping[str, npt.NDArray[Any]],
    class_counts: Mapping[str, int],
    numbers: Sequence[str] = (),
) -> keras.Model:
    """Build a model with an input for each group of columns and several outputs.

    Each group is normalized and gets a layer of its own; the outputs read all of them.

    Args:
        groups: Dict from the name of an input to its training array, of shape
            `(num_rows, num_columns)`, real and finite. Mean and variance are learned
            from it.
        class_counts: Dict from the name of an output to its number of classes, of at
            least 2.
        numbers: Sequence with the names of outputs that are one number.

    Returns:
        An uncompiled `keras.Model` from a dict of arrays by input name to a dict of
        arrays by output name: probabilities of shape `(batch, num_classes)`, and
        numbers of shape `(batch, 1)`, float32.

    Raises:
        ValueError: If there is no group or no output, if a name is used twice, or if
            an array or a number of classes is none of the above.

    Example:
        >>> size = {"size": np.array([[1.0, 2.0], [3.0, 5.0]])}
        >>> model = table_model(size, {"kind": 3}, numbers=["price"])
        >>> model.output["kind"].shape, model.output["price"].shape
        ((None, 3), (None, 1))
    """
    names = [*groups, *class_counts, *numbers]
    if not groups or len(names) == len(groups) or len(set(names)) < len(names):
        raise ValueError(
            "Expected at least one group and one output, all of different names. "
            f"Received: {names}"
        )
    for name, array in groups.items():
        usable = array.dtype.kind in "fiu" and array.ndim == 2 and array.size
        if not usable or not np.isfinite(array).all():
            raise ValueError(
                f'Expected `groups["{name}"]` of shape (num_rows, num_columns) with '
                f"finite numbers. Received: {array.dtype} of shape {array.shape}"
            )
    if any(count < 2 for count in class_counts.values()):
        raise ValueError(f"Expected 2 or more classes. Received: {dict(class_counts)}")
    inputs, branches = {}, []
    for name, array in groups.items():
        inputs[name] = keras.Input(shape=array.shape[1:], name=name)
        normalization = keras.layers.Normalization(name=f"{name}_normalized")
        normalization.adapt(array)
        hidden = keras.layers.Dense(16, activation="relu", name=f"{name}_features")
        branches.append(hidden(normalization(inputs[name])))
    joined = keras.layers.Concatenate(name="joined")(branches)
    outputs = {
        name: keras.layers.Dense(count, activation="softmax", name=name)(joined)
        for name, count in class_counts.items()
    }
    outputs |= {name: keras.layers.Dense(1, name=name)(joined) for name in numbers}
    return keras.Model(inputs, outputs)


def results_of_two_outputs(keras_module: ModuleType, **options: Any) -> list[str]:
    """Evaluate a model with the outputs `mean` and `top`, compiled as you say.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        **options: Arguments of `compile`: `loss`, `loss_weights`, `metrics`.

    Returns:
        A list of strings, the names of what `evaluate` reports, sorted.

    Raises:
        KeyError, TypeError, ValueError: As Keras does for what it does not accept.

    Example:
        >>> results_of_two_outputs(keras, loss={"mean": "mse", "top": "mae"})
        ['loss', 'mean_loss', 'top_loss']
    """
    x = keras_module.Input(shape=(3,), name="x")
    outputs = {
        name: keras_module.layers.Dense(1, name=name)(x) for name in ("mean", "top")
    }
    model = keras_module.Model(x, outputs)
    model.compile("sgd", run_eagerly=True, **options)  # one step: tracing costs more
    rows = np.array([[1.0, 2.0, 3.0], [3.0, 5.0, 7.0]], "float32")
    targets = {"mean": rows.mean(axis=1), "top": rows.max(axis=1)}
    return sorted(model.evaluate(rows, targets, verbose=0, return_dict=True))


def profit_model(keras_module: ModuleType) -> Any:
    """Build a model on a dict: the input `price` minus the input `cost`.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A `Model` of that Keras from `{"price": ..., "cost": ...}`, each of shape
        `(batch,)`, to the difference, of shape `(batch,)`, float32.

    Example:
        >>> model = profit_model(keras)
        >>> model({"price": np.array([5.0]), "cost": np.array([3.0])}).numpy().item()
        2.0
    """
    inputs = {name: keras_module.Input((), name=name) for name in ("price", "cost")}
    profit = keras_module.layers.Subtract(name="profit")
    return keras_module.Model(inputs, profit([inputs["price"], inputs["cost"]]))


def image_encoder(image_shape: tuple[int, ...], size: int = 16) -> keras.Model:
    """Build a network that turns an image into a short vector.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
        size: Integer of at least 1, the length of the vector.

    Returns:
        An uncompiled `keras.Model` named `encoder`, from images of shape
        `(batch, *image_shape)` to vectors of shape `(batch, size)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes.

    Example:
        >>> image_encoder((8, 8, 1), size=5).output_shape
        (None, 5)
    """
    if len(image_shape) != 3:
        raise ValueError(f"Expected `image_shape` of 3 axes. Received: {image_shape}")
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu", name="features")(pixels)
    x = keras.layers.Flatten(name="flat")(x)
    vector = keras.layers.Dense(size, name="vector")(x)
    return keras.Model(pixels, vector, name="encoder")


def siamese_network(encoder: keras.Model) -> keras.Model:
    """Build a network that tells whether two inputs are of the same kind.

    The encoder is called twice. Both calls use the same weights.

    Args:
        encoder: A `keras.Model` with one input and one output of shape
            `(batch, size)`.

    Returns:
        An uncompiled `keras.Model` from `{"left": ..., "right": ...}`, each like the
        input of `encoder`, to probabilities of shape `(batch, 1)`, float32.

    Raises:
        ValueError: If `encoder` has not one input and one output of two axes.

    Example:
        >>> siamese_network(image_encoder((8, 8, 1))).output_shape
        (None, 1)
    """
    inputs, outputs = (getattr(encoder, k, None) or [] for k in ("inputs", "outputs"))
    if len(inputs) != 1 or [len(tensor.shape) for tensor in outputs] != [2]:
        raise ValueError(
            "Expected `encoder` with one input and one output of shape (batch, size). "
            f"Received: {len(inputs)} inputs and {[t.shape for t in outputs]}"
        )
    left = keras.Input(batch_shape=inputs[0].shape, name="left")
    right = keras.Input(batch_shape=inputs[0].shape, name="right")
    difference = keras.ops.abs(encoder(left) - encoder(right))  # (batch, size)
    same = keras.layers.Dense(1, activation="sigmoid", name="same")(difference)
    return keras.Model({"left": left, "right": right}, same)


def sample_pairs(
    examples: npt.NDArray[Any], labels: npt.NDArray[Any], num_pairs: int, seed: int = 0
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.float32]]:
    """Draw pairs of examples, every second one of the same class.

    Args:
        examples: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of shape `(num_examples,)`, of at least two classes.
        num_pairs: Integer of at least 1.
        seed: Integer of at least 0. The same seed draws the same pairs.

    Returns:
        A tuple `(pairs, same)`: a dict with `left` and `right`, each of shape
        `(num_pairs, ...)`, and an array of shape `(num_pairs, 1)`, float32, 1.0 for
        two examples of one class, else 0.0.

    Raises:
        ValueError: If the arrays differ in length, if there are fewer than two
            classes, or if `num_pairs` is less than 1.

    Example:
        >>> pairs, same = sample_pairs(np.arange(6), np.array([0, 0, 0, 1, 1, 1]), 4)
        >>> pairs["left"].shape, same.ravel().tolist()
        ((4,), [1.0, 0.0, 1.0, 0.0])
    """
    if len(examples) != len(labels) or len(np.unique(labels)) < 2 or num_pairs < 1:
        raise ValueError(
            "Expected as many `examples` as `labels`, of at least two classes, and "
            f"`num_pairs` of at least 1. Received: {len(examples)} examples, "
            f"{len(labels)} labels of {len(np.unique(labels))} classes, "
            f"num_pairs={num_pairs}"
        )
    generator = np.random.default_rng(seed)
    left = generator.integers(len(labels), size=num_pairs)
    same = np.arange(num_pairs) % 2 == 0
    right = np.array(
        [
            generator.choice(np.flatnonzero((labels == labels[k]) == alike))
            for k, alike in zip(left, same, strict=True)
        ]
    )
    pairs = {"left": examples[left], "right": examples[right]}
    return pairs, same[:, None].astype("float32")


def residual_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Add two convolutions of `x` to `x` itself.

    Args:
        x: Tensor of shape `(batch, height, width, channels)`.
        name: String, what the names of the layers begin with.

    Returns:
        A tensor of the shape of `x`.

    Raises:
        ValueError: If `x` does not have four axes.

    Example:
        >>> residual_block(keras.Input((8, 8, 16)), name="first").shape
        (None, 8, 8, 16)

    References:
        - [Deep Residual Learning for Image Recognition](
          https://arxiv.org/abs/1512.03385), K. He et al., 2015.
    """
    if len(x.shape) != 4:
        raise ValueError(f"Expected `x` of 4 axes. Received: shape {x.shape}")
    channels, options = x.shape[-1], {"padding": "same", "activation": "relu"}
    y = keras.layers.Conv2D(channels, 3, name=f"{name}_conv1", **options)(x)
    y = keras.layers.Conv2D(channels, 3, padding="same", name=f"{name}_conv2")(y)
    return keras.layers.Add(name=f"{name}_sum")([x, y])


def residual_classifier(
    image_shape: tuple[int | None, ...], num_classes: int, num_blocks: int = 2
) -> keras.Model:
    """Build a classifier of residual blocks.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis.
            Height and width may be `None`.
        num_classes: Integer of at least 1.
        num_blocks: Integer of at least 0.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)` to
        probabilities of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes, or if `num_blocks` is
            less than 0.

    Example:
        >>> residual_classifier((8, 8, 1), num_classes=10).output_shape
        (None, 10)
    """
    if len(image_shape) != 3 or num_blocks < 0:
        raise ValueError(
            "Expected `image_shape` of 3 axes and `num_blocks` of at least 0. "
            f"Received: {image_shape} and {num_blocks}"
        )
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = keras.layers.Conv2D(16, 3, activation="relu", name="stem")(pixels)
    for number in range(num_blocks):
        x = residual_block(x, name=f"block{number}")
    x = keras.layers.GlobalMaxPooling2D(name="pooled")(x)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax", name="scores")(x)
    return keras.Model(pixels, scores)


def autoencoder(
    num_features: int, code_size: int
) -> tuple[keras.Model, keras.Model, keras.Model]:
    """Build an encoder, a decoder and the chain of both, which share all layers.

    Args:
        num_features: Integer of at least 1, the values of one example.
        code_size: Integer of at least 1.

    Returns:
        A tuple of uncompiled models `(encoder, decoder, whole)`: from vectors of
        shape `(batch, num_features)` to codes of shape `(batch, code_size)`, from
        codes to vectors with values in `[0, 1]`, and from vectors to vectors.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> encoder, decoder, whole = autoencoder(num_features=64, code_size=6)
        >>> encoder.output_shape, decoder.input_shape, whole.output_shape
        ((None, 6), (None, 6), (None, 64))
    """
    if min(num_features, code_size) < 1:
        raise ValueError(f"Expected sizes >= 1. Received: {num_features}, {code_size}")
    features = keras.Input(shape=(num_features,), name="features")
    hidden = keras.layers.Dense(64, activation="relu", name="squeeze")(features)
    code = keras.layers.Dense(code_size, name="code")(hidden)
    encoder = keras.Model(features, code, name="encoder")

    any_code = keras.Input(shape=(code_size,), name="any_code")
    hidden = keras.layers.Dense(64, activation="relu", name="widen")(any_code)
    restored = keras.layers.Dense(num_features, activation="sigmoid", name="restored")
    decoder = keras.Model(any_code, restored(hidden), name="decoder")

    whole = keras.Model(features, decoder(code), name="autoencoder")
    return encoder, decoder, whole


def ensemble(models: Sequence[keras.Model]) -> keras.Model:
    """Build one model that averages the outputs of several.

    Args:
        models: Sequence of at least two models, each with one input and one output,
            all of the same shapes. They keep their weights.

    Returns:
        A `keras.Model` with the input and output shapes of the members. It shares its
        weights with them.

    Raises:
        ValueError: If there are fewer than two models, or if their shapes differ.

    Example:
        >>> members = [image_encoder((8, 8, 1)) for _ in range(3)]
        >>> ensemble(members).output_shape
        (None, 16)
    """
    ends = [
        (getattr(model, "inputs", None) or [], getattr(model, "outputs", None) or [])
        for model in models
    ]
    shapes = [[t.shape for t in (*inputs, *outputs)] for inputs, outputs in ends]
    single = all(len(inputs) == len(outputs) == 1 for inputs, outputs in ends)
    if len(models) < 2 or not single or any(pair != shapes[0] for pair in shapes):
        raise ValueError(
            "Expected two or more models with one input and one output each, of the "
            f"same shapes. Received: {shapes}"
        )
    shared = keras.Input(batch_shape=shapes[0][0], name="inputs")
    members = [
        keras.Model(*inputs, *outputs, name=f"member{number}")(shared)
        for number, (inputs, outputs) in enumerate(ends)
    ]
    return keras.Model(shared, keras.layers.Average(name="average")(members))


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
        >>> model = two_branch_classifier((8, 8, 1), num_classes=10)
        >>> smooth = with_activation(model, old="relu", new="gelu")
        >>> smooth.get_layer("small").activation.__name__
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

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> Any:
        """Double the channels; leave batch, height and width as they are."""
        *places, channels = input_shape
        return (*places, None if channels is None else 2 * channels)


def masked_classifier(
    num_features: int, num_classes: int, padding: float = -1.0
) -> keras.Model:
    """Build a classifier for sequences of different lengths, padded in one array.

    Args:
        num_features: Integer of at least 1, the values of one step.
        num_classes: Integer of at least 1.
        padding: Float that fills the steps to ignore. No real step may hold only it.

    Returns:
        An uncompiled `keras.Model` from sequences of shape
        `(batch, time, num_features)` to probabilities of shape
        `(batch, num_classes)`, float32.

    Example:
        >>> masked_classifier(num_features=8, num_classes=10).output_shape
        (None, 10)
    """
    steps = keras.Input(shape=(None, num_features), name="steps")
    masked = keras.layers.Masking(padding, name="masked")(steps)
    hidden = keras.layers.Dense(32, activation="relu", name="hidden")(masked)
    summary = keras.layers.GRU(32, name="summary")(hidden)  # (batch, channels)
    scores = keras.layers.Dense(num_classes, activation="softmax", name="scores")
    return keras.Model(steps, scores(summary))


def padding_effect(
    model: keras.Model, sequences: npt.NDArray[Any], padding: float, num_steps: int = 1
) -> float:
    """Measure how much the outputs of a model change when sequences are padded.

    Args:
        model: A `keras.Model` on sequences of any length, with one input and output.
        sequences: Array of shape `(batch, time, ...)` without padding.
        padding: Float that fills the steps to add at the end.
        num_steps: Integer of at least 1, how many steps to add.

    Returns:
        A float of at least 0, the largest absolute difference. It is 0, but for
        rounding, if the model ignores padding.

    Raises:
        ValueError: If `sequences` holds no step, or if `num_steps` is less than 1.

    Example:
        >>> padding_effect(masked_classifier(8, 10), np.ones((2, 5, 8)), -1.0) < 1e-6
        True
    """
    if sequences.ndim < 2 or not sequences.size or num_steps < 1:
        raise ValueError(
            "Expected `sequences` of shape (batch, time, ...) and `num_steps` of at "
            f"least 1. Received: shape {sequences.shape} and {num_steps}"
        )
    shape = (len(sequences), num_steps, *sequences.shape[2:])
    longer = np.concatenate([sequences, np.full(shape, padding)], axis=1)
    difference = keras.ops.abs(model(sequences) - model(longer))
    return float(keras.ops.max(difference))


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


def unused_inputs(inputs: Any, outputs: Any) -> list[Any]:
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

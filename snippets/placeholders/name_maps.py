"""Propose which variable of an old checkpoint fills which weight of a Keras model.

Layers and scopes are compared as wholes first: by the kinds, shapes and dtypes of what
they hold, then by name, then by order. What is left is compared one by one.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from snippets.placeholders.weights import checkpoint_prefix, weights_by_path

Part = tuple[str, tuple[int, ...], str]
"""What a weight is for the comparison: its kind, such as `kernel`, shape and dtype."""

Units = dict[str, dict[Part, str]]
"""The names of weights by what they are, for each layer or scope."""

KINDS = {
    "b": "bias",
    "biases": "bias",
    "variable": "bias",  # the name of a `tf.Variable` without one
    "scale": "gamma",
    "offset": "beta",
    "mean": "moving_mean",
    "variance": "moving_variance",
    "moving_var": "moving_variance",
}
"""What TensorFlow 1 calls weights of one axis, and what Keras calls them."""


@dataclass(frozen=True)
class NameMapProposal:
    """Which variable of a checkpoint may fill which weight, and what is left.

    Attributes:
        name_map: Dict from paths of weights to names of variables, for
            `load_checkpoint`.
        guessed: Paths of weights in `name_map` to look at: others are alike, and their
            order decided, or the rest of their layer does not fit.
        unmapped: Dict from the path of each weight that is not in `name_map` to the
            variables of its shape and dtype that are left: none, or more than one
            between which nothing decides.
        optimizer: Names of variables that an optimizer made, for `ignored`.
        unused: Names of all other variables that are not in `name_map`.
    """

    name_map: dict[str, str]
    guessed: tuple[str, ...]
    unmapped: dict[str, tuple[str, ...]]
    optimizer: tuple[str, ...]
    unused: tuple[str, ...]


def kind_of(name: str, shape: Sequence[int | None]) -> str:
    """Say what a weight is for its layer, in the words of Keras.

    Args:
        name: String, the path of a weight or the name of a variable.
        shape: Its shape. Anything of several axes is a kernel, unless it is recurrent.

    Returns:
        A string such as `kernel`, `bias` or `moving_mean`.

    Example:
        >>> kind_of("conv1/weights", (3, 3, 1, 8)), kind_of("bn/moving_mean", (8,))
        ('kernel', 'moving_mean')
        >>> kind_of("Variable_1", (10,)), kind_of("b2", (10,))
        ('bias', 'bias')
    """
    last = re.sub(r"_?\d+$", "", name.rpartition("/")[2]).lower()
    if len(shape) > 1 and last != "recurrent_kernel":
        return "kernel"
    return KINDS.get(last, last)


def whole_layers(parts: Mapping[str, Part]) -> Units:
    """Gather weights by their layers, or variables by their scopes.

    A number at the end of a name counts as a scope: `W1` and `b1` belong together.

    Args:
        parts: Dict from names to what they are.

    Returns:
        A dict of dicts, in the same order. A layer in which two weights are alike is
        left out, since nothing but their names could tell them apart.

    Example:
        >>> whole_layers({"W1": ("kernel", (4, 2), "float32"),
        ...               "b1": ("bias", (2,), "float32")})
        {'1': {('kernel', (4, 2), 'float32'): 'W1', ('bias', (2,), 'float32'): 'b1'}}
    """
    layers: dict[str, list[tuple[Part, str]]] = {}
    for name, part in parts.items():
        scope, _, last = name.rpartition("/")
        number = last[len(last.rstrip("0123456789")) :]
        layers.setdefault(f"{scope}/{number}".strip("/"), []).append((part, name))
    return {
        layer: dict(inside)
        for layer, inside in layers.items()
        if len(dict(inside)) == len(inside)
    }


def single_weights(parts: Mapping[str, Part]) -> Units:
    """Take each weight for itself.

    Args:
        parts: Dict from names to what they are.

    Returns:
        A dict of dicts of one item each, in the same order.

    Example:
        >>> single_weights({"W1": ("kernel", (4, 2), "float32")})
        {'W1': {('kernel', (4, 2), 'float32'): 'W1'}}
    """
    return {name: {part: name} for name, part in parts.items()}


def ends_alike(layer: str, scope: str) -> bool:
    """Say whether a layer and a scope have one name, up to what one of them lies in.

    Args:
        layer: String, the name of a layer of Keras, which holds no `/` of its own.
        scope: String, the name of a scope.

    Returns:
        Whether they do.

    Example:
        >>> ends_alike("block1_conv", "net/block1/conv"), ends_alike("conv", "conv_1")
        (True, False)
    """
    first, second = (f"_{name}".replace("/", "_") for name in (layer, scope))
    return first.endswith(second) or second.endswith(first)


def counterparts(
    layers: Sequence[str], scopes: Sequence[str], order_is_known: bool
) -> tuple[list[str], bool]:
    """Choose a scope for each of some layers that hold the same, by name or by order.

    Args:
        layers: Names of layers, in the order of the model.
        scopes: Names of scopes, in their order.
        order_is_known: Whether they were made in that order. Otherwise it counts only
            for scopes whose names differ by nothing but numbers.

    Returns:
        A list of scopes, one for each layer, or none if nothing decides; and whether
        they are guessed. They are not if there is but one of each, or if all names are
        equal and no scope is left.

    Example:
        >>> counterparts(["a", "b"], ["f1", "f2"], order_is_known=False)
        (['f1', 'f2'], True)
        >>> counterparts(["a", "b"], ["f1", "g1"], order_is_known=False)
        ([], False)
    """
    # A path may begin with the name of the model, which no scope knows.
    for names in (layers, [layer.partition("/")[2] for layer in layers]):
        named = [[s for s in scopes if ends_alike(name, s)] for name in names]
        chosen = [found[0] for found in named if len(found) == 1]
        if len(set(chosen)) == len(layers):
            return chosen, len(layers) != len(scopes)
    forms = {re.sub(r"_?\d+", "", scope) for scope in scopes}
    if len(layers) == len(scopes) and (order_is_known or len(forms) == 1):
        return list(scopes), len(layers) > 1
    return [], False


def pairs(
    here: Units, there: Units, order_is_known: bool
) -> Iterator[tuple[str, str, bool]]:
    """Pair the weights of layers with the variables of scopes that hold the same.

    Args:
        here: The layers of the model, in its order.
        there: The scopes of the checkpoint, in their order.
        order_is_known: As in `counterparts`.

    Yields:
        A weight, its variable, and whether that is a guess.

    Example:
        >>> kernel = ("kernel", (2, 2), "float32")
        >>> here = {"a": {kernel: "a/kernel"}, "b": {kernel: "b/kernel"}}
        >>> there = {"f1": {kernel: "f1/w"}, "f2": {kernel: "f2/w"}}
        >>> list(pairs(here, there, order_is_known=False))
        [('a/kernel', 'f1/w', True), ('b/kernel', 'f2/w', True)]
    """
    for parts in dict.fromkeys(frozenset(unit) for unit in here.values()):
        layers = [layer for layer, unit in here.items() if unit.keys() == parts]
        scopes = [scope for scope, unit in there.items() if unit.keys() == parts]
        chosen, is_guess = counterparts(layers, scopes, order_is_known)
        for layer, scope in zip(layers, chosen, strict=bool(chosen)):
            for part, weight in here[layer].items():
                yield weight, there[scope][part], is_guess


def optimizer_variables(shapes: Mapping[str, Sequence[int]]) -> list[str]:
    """Find the variables of a checkpoint that an optimizer of TensorFlow 1 made.

    These are its counters and its slots, whose names end in the name of a variable of
    their shape and one more: `hidden/kernel/Adam`. Moving averages of weights, such as
    `hidden/kernel/ExponentialMovingAverage`, have such names too and are among them.

    Args:
        shapes: Dict from the names of all variables to their shapes.

    Returns:
        A sorted list of names.

    Example:
        >>> optimizer_variables({"w": [3], "w/Adam": [3], "w/b": [2]})
        ['w/Adam']
    """
    found = []
    for name, shape in shapes.items():
        *above, last = name.split("/")
        owners = ["/".join(above[start:]) for start in range(len(above))]
        is_slot = any(shapes.get(owner) == shape for owner in owners)
        if is_slot or re.fullmatch(r"(beta[12]_power|global_step)(_\d+)?", last):
            found.append(name)
    return sorted(found)


def by_numbers(name: str) -> list[list[str | int]]:
    """Return a key that sorts `conv2` before `conv10`, and `conv` before both.

    Args:
        name: String.

    Returns:
        A list of lists of strings and integers in turn, one for each scope.

    Example:
        >>> sorted(["conv10/w", "conv/w", "conv2/w"], key=by_numbers)
        ['conv/w', 'conv2/w', 'conv10/w']
    """
    return [
        [int(text) if text.isdecimal() else text for text in re.split(r"(\d+)", scope)]
        for scope in name.split("/")
    ]


def creation_order(prefix: str, names: Collection[str]) -> list[str] | None:
    """Sort variables as the old program made them, if the checkpoint can say it.

    Args:
        prefix: Prefix of a checkpoint.
        names: Names of variables in it.

    Returns:
        A list of the names, or `None` if there is no `.meta` file, or one that does not
        know them all.

    Example:
        >>> creation_order("model.ckpt", ["w"]) is None
        True
    """
    if not tf.io.gfile.exists(f"{prefix}.meta"):
        return None
    with tf.io.gfile.GFile(f"{prefix}.meta", "rb") as file:
        graph = tf.compat.v1.MetaGraphDef.FromString(file.read()).graph_def
    places = {node.name: place for place, node in enumerate(graph.node)}
    return (
        sorted(names, key=places.__getitem__) if places.keys() >= set(names) else None
    )


def proposed_name_map(model: keras.Model, path: str | Path) -> NameMapProposal:
    """Propose which variable of a TensorFlow 1 checkpoint fills which weight.

    A weight gets a variable of its shape, its dtype and its kind, such as `kernel` or
    `moving_mean`, whatever TensorFlow 1 called it. If several layers are alike, equal
    names decide, such as `block1_conv` for the scope `net/block1/conv`. If the names
    are not equal, the order decides: of the `weights` of the model, and of the program
    that wrote the `.meta` file of the checkpoint or, without one, of the numbers in the
    names. What none of these decides is left out. A proposal is no proof: compare the
    outputs of both networks on one batch.

    Args:
        model: A built `keras.Model`.
        path: Prefix of a checkpoint, as `checkpoint_prefix` takes it.

    Returns:
        A `NameMapProposal`.

    Raises:
        ValueError: If there is no checkpoint, if the model is not built, or if two of
            its weights have the same path.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from snippets.placeholders import load_checkpoint
        >>> from snippets.placeholders.training import classifier_with
        >>> from snippets.placeholders.training import start_weights, train_in_session
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(), batches, checkpoint=f"{folder}/old")
        ...     proposal = proposed_name_map(model, f"{folder}/old")
        ...     load_checkpoint(
        ...         model, f"{folder}/old", proposal.name_map, proposal.optimizer)
        >>> proposal.name_map["hidden/kernel"], proposal.guessed, proposal.unmapped
        ('hidden/kernel', (), {})
    """
    prefix = checkpoint_prefix(path)
    reader = tf.compat.v1.train.NewCheckpointReader(prefix)
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    optimizer = optimizer_variables(shapes)
    names = sorted(shapes.keys() - set(optimizer), key=by_numbers)
    made = creation_order(prefix, names)

    def part(name: str, shape: Any, dtype: str) -> Part:
        return kind_of(name, shape), tuple(shape), dtype

    weights = weights_by_path(model).items()
    here = {name: part(name, weight.shape, weight.dtype) for name, weight in weights}
    there = {
        name: part(name, shapes[name], dtypes[name].name) for name in made or names
    }
    name_map: dict[str, str] = {}
    guessed = []
    for gather in (whole_layers, single_weights):
        ours, theirs = gather(here), gather(there)
        for weight, name, is_guess in pairs(ours, theirs, made is not None):
            name_map[weight] = name
            if is_guess or gather is single_weights:
                guessed.append(weight)
            del here[weight], there[name]
    return NameMapProposal(
        name_map=name_map,
        guessed=tuple(guessed),
        unmapped={
            weight: tuple(name for name in there if there[name][1:] == here[weight][1:])
            for weight in here
        },
        optimizer=tuple(optimizer),
        unused=tuple(there),
    )

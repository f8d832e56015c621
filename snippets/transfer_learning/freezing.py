"""Freeze, unfreeze, and see which weights moved."""

import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def every_layer(layer: keras.Layer) -> list[keras.Layer]:
    """List a layer and all layers in it, however deep, in custom layers too.

    `model.layers` lists the outermost only.

    Args:
        layer: A `keras.Layer` or `keras.Model`.

    Returns:
        A list that begins with `layer` and has each layer once.

    Raises:
        TypeError: If `layer` is no layer, a list of layers for example.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(2, name="head")], name="model")
        >>> [part.name for part in every_layer(model)]
        ['model', 'head']
    """
    if not isinstance(layer, keras.Layer):
        raise TypeError(
            f"Expected `layer` to be a layer or a model. Received: {layer!r}"
        )
    return list(layer._flatten_layers())  # Keras has no public name for it


def set_trainable(layer: keras.Layer, trainable: bool) -> None:
    """Freeze or unfreeze a layer or a model with everything in it.

    `model.trainable = True` does that too, unless the model itself already says `True`:
    then Keras 3 on TensorFlow skips the assignment, and frozen layers inside it stay
    frozen. Compile the model afterwards.

    Args:
        layer: A `keras.Layer` or `keras.Model`, changed in place.
        trainable: Whether its weights shall learn, `True` or `False`.

    Raises:
        TypeError: If `layer` is no layer, or `trainable` no boolean.

    Example:
        >>> from snippets.transfer_learning import classifier_on, feature_network
        >>> model = classifier_on(feature_network(), num_classes=5)
        >>> set_trainable(model, False)
        >>> len(model.trainable_weights)
        0
    """
    if not isinstance(trainable, bool):
        raise TypeError(
            f"Expected `trainable` to be True or False. Received: {trainable!r}"
        )
    for part in every_layer(layer):
        part.trainable = not trainable  # so that the next line is never skipped
        part.trainable = trainable


def freeze_batch_normalization(layer: keras.Layer) -> None:
    """Freeze each BatchNormalization in a model, and no other layer.

    A frozen one runs in inference mode: it uses its stored statistics and keeps them.
    Compile the model afterwards.

    Args:
        layer: A `keras.Layer` or `keras.Model`, changed in place.

    Raises:
        TypeError: If `layer` is no layer, a list of layers for example.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> base = feature_network()
        >>> freeze_batch_normalization(base)
        >>> base.get_layer("norm_1").trainable, base.get_layer("conv_1").trainable
        (False, True)
    """
    for part in every_layer(layer):
        if isinstance(part, keras.layers.BatchNormalization):
            part.trainable = False


def unfreeze_from(base: keras.Model, layer_name: str) -> list[str]:
    """Unfreeze a network from one layer to its end, but keep BatchNormalization frozen.

    Frozen, BatchNormalization runs in inference mode: a few new examples do not
    replace the statistics of many old ones. Compile the model afterwards.

    Args:
        base: A `keras.Model`, changed in place: the layers before are frozen.
        layer_name: String, the name of the first layer in `base.layers` to unfreeze.

    Returns:
        A list of the names of the layers that will learn.

    Raises:
        ValueError: If `base` has no layer of that name. Nothing is changed then.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> unfreeze_from(feature_network(), "conv_2")
        ['conv_2']
    """
    names = [layer.name for layer in base.layers]
    if layer_name not in names:
        raise ValueError(
            f"Expected `layer_name` to be one of {names}. Received: {layer_name!r}"
        )
    start = names.index(layer_name)
    set_trainable(base, True)
    for layer in base.layers[:start]:
        set_trainable(layer, False)
    freeze_batch_normalization(base)
    return [layer.name for layer in base.layers if layer.trainable_weights]


def weight_values(model: keras.Model) -> dict[str, npt.NDArray[Any]]:
    """Copy all weights of a model, to compare them later.

    Args:
        model: A `keras.Model` or `keras.Layer` that has its weights.

    Returns:
        A dict from the path of each weight, such as `"conv_1/kernel"`, to a copy of
        its value. Statistics of BatchNormalization are among them. If a path repeats,
        the second and later ones end in `" (2)"` and so on.

    Raises:
        ValueError: If there is no weight yet.

    Example:
        >>> from snippets.transfer_learning import feature_network
        >>> list(weight_values(feature_network()))[:3]
        ['conv_1/kernel', 'conv_1/bias', 'norm_1/gamma']
    """
    if not model.weights:
        raise ValueError(
            f"Expected a model with weights. Received: '{model.name}', which has none"
        )
    values: dict[str, npt.NDArray[Any]] = {}
    for weight in model.weights:
        name, count = weight.path, 1
        while name in values:
            count += 1
            name = f"{weight.path} ({count})"
        values[name] = weight.numpy()
    return values


def changed_weights(
    before: Mapping[str, npt.NDArray[Any]], after: Mapping[str, npt.NDArray[Any]]
) -> list[str]:
    """Name the weights that differ between two moments, be it in one bit.

    Args:
        before: Dict of `weight_values`.
        after: Dict of `weight_values`, of the same model, later.

    Returns:
        A list of the names of weights of which a bit differs, in the order of `after`.

    Raises:
        ValueError: If the names, shapes or dtypes are not the same.

    Example:
        >>> before = {"kernel": np.zeros(3), "bias": np.zeros(1)}
        >>> changed_weights(before, {"kernel": np.zeros(3), "bias": np.ones(1)})
        ['bias']
    """
    kinds = [
        {name: (value.shape, value.dtype) for name, value in moment.items()}
        for moment in (before, after)
    ]
    if kinds[0] != kinds[1]:
        raise ValueError(
            "Expected the weights of one model at two moments. Received: "
            f"{sorted(before)} and {sorted(after)}, of shapes that may differ too"
        )
    # Bytes, since NaN is not equal to itself, and -0.0 is equal to 0.0.
    return [name for name in after if before[name].tobytes() != after[name].tobytes()]


def changed_in_base(
    keras_module: ModuleType, steps: str, training: bool | None = None
) -> list[str]:
    """Say which weights of a base learn when flags, `compile` and `fit` come in turn.

    The base is a Dense and a BatchNormalization, inside a model with a Dense on top.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.
        steps: String of words. `freeze` and `unfreeze` set `trainable` of the base,
            `freeze:norm` or `unfreeze:dense` that of one of its layers. `compile`
            compiles the model, `fit` trains it on one batch of 8 examples, and
            `fit:5` on one of 5. The last is a `fit`.
        training: `None`, or what to pass as `training` where the base is called.

    Returns:
        A list of the names of the weights of the base that the last step changed.

    Raises:
        ValueError: If a word is none of these, or if the last is no `fit`.

    Example:
        >>> changed_in_base(keras, "freeze compile fit")
        []
    """
    words = re.findall(r"(?:un)?freeze(?::norm|:dense)?|compile|fit(?::5)?", steps)
    if words != steps.split() or not words or not words[-1].startswith("fit"):
        raise ValueError(
            "Expected `steps` of the words freeze, unfreeze, compile and fit, the last "
            f"a fit. Received: {steps!r}"
        )
    layers, inputs = keras_module.layers, keras_module.Input((3,))
    parts = [layers.Dense(4, name="dense"), layers.BatchNormalization(name="norm")]
    base = keras_module.Model(inputs, parts[1](parts[0](inputs)))
    outer = keras_module.Input((3,))
    features = base(outer) if training is None else base(outer, training=training)
    model = keras_module.Model(outer, layers.Dense(1)(features))
    before = base.get_weights()
    for word, _, part in (word.partition(":") for word in words):
        if word.endswith("freeze"):
            layer = base.get_layer(part) if part else base
            layer.trainable = word == "unfreeze"
        elif word == "compile":
            model.compile(optimizer="sgd", loss="mse")
        else:
            before, size = base.get_weights(), int(part or 8)
            x = np.linspace(0.0, 1.0, size * 3).reshape(size, 3)
            # As large as the data: a smaller last batch would make the axis `None`.
            model.fit(x, np.ones((size, 1)), batch_size=size, verbose=0)
    names = [re.split("[/:]", w.name.removesuffix(":0"))[-1] for w in base.weights]
    pairs = zip(names, before, base.get_weights(), strict=True)
    return [name for name, old, new in pairs if not np.array_equal(old, new)]

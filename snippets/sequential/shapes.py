"""Which shape each layer gives, and what it gave."""

from collections.abc import Sequence

import keras

from snippets.checks import is_size


def output_of_copy(layer: keras.Layer, tensor: keras.KerasTensor) -> keras.KerasTensor:
    """Try a copy of a layer on a declared tensor, and leave the layer as it is.

    Args:
        layer: A `keras.Layer` that can be made again from its config, built or not.
        tensor: A `keras.KerasTensor`, what the copy is called on.

    Returns:
        A `keras.KerasTensor`, the one output of the copy.

    Raises:
        NotImplementedError: If `layer` has no config that it can be made from.
        ValueError: If an argument is none of these, or if the copy does not accept
            `tensor`, or gives several tensors.

    Example:
        >>> output_of_copy(keras.layers.Flatten(), keras.Input((8, 8))).shape
        (None, 64)
    """
    if not isinstance(layer, keras.Layer) or not isinstance(tensor, keras.KerasTensor):
        raise ValueError(
            "Expected a `keras.Layer` and a `keras.KerasTensor`. "
            f"Received: {type(layer).__name__} and {type(tensor).__name__}"
        )
    label = f"{type(layer).__name__} '{layer.name}'"
    copy = type(layer).from_config(layer.get_config())
    try:
        result = copy(tensor)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected {label} to accept the shape {tensor.shape}. Received: {error}"
        ) from error
    if not isinstance(result, keras.KerasTensor):
        count = len(keras.tree.flatten(result))
        raise ValueError(f"Expected {label} to give one tensor. Received: {count}")
    return result


def shapes_by_layer(
    layers: Sequence[keras.Layer] | keras.Sequential,
    input_shape: Sequence[int | None],
) -> dict[str, tuple[int | None, ...]]:
    """Say which shape comes out of each layer, before anything is built or trained.

    The layers themselves are left as they are: copies of them are tried.

    Args:
        layers: Sequence of `keras.Layer` with different names, at least one, or a
            `keras.Sequential`, built or not. A list holds no Input: that is
            `input_shape`.
        input_shape: Tuple or list of integers of at least 1 or `None`, the shape of
            one example, without the batch axis.

    Returns:
        A dict from the name of each layer to the shape of its output, with `None` for
        the batch, in the order of the layers.

    Raises:
        NotImplementedError: If a layer has no config that it can be copied from.
        ValueError: If there is no layer, if something is not a layer of this Keras, if
            two have one name, if `input_shape` is none, or if a layer does not accept
            the shape that the one before it gives. The message names that layer and
            that shape.

    Example:
        >>> convolution = keras.layers.Conv2D(4, 3, name="convolution")
        >>> shapes_by_layer([convolution, keras.layers.Flatten(name="flat")], (8, 8, 1))
        {'convolution': (None, 6, 6, 4), 'flat': (None, 144)}
    """
    given = layers.layers if isinstance(layers, keras.Sequential) else layers
    if (
        not isinstance(given, (list, tuple))
        or not given
        or not all(isinstance(layer, keras.Layer) for layer in given)
    ):
        raise ValueError(
            "Expected `layers` to hold instances of `keras.Layer`, at least one. "
            f"Received: {given}"
        )
    names = [layer.name for layer in given]
    if len(set(names)) < len(names):
        raise ValueError(f"Expected layers of different names. Received: {names}")
    if not isinstance(input_shape, (tuple, list)) or not all(
        size is None or is_size(size, 1) for size in input_shape
    ):
        raise ValueError(
            "Expected `input_shape` to hold `None` or integers of at least 1, without "
            f"the batch axis. Received: {input_shape!r}"
        )
    tensor = keras.Input(shape=input_shape)
    shapes = {}
    for layer in given:
        tensor = output_of_copy(layer, tensor)
        shapes[layer.name] = tuple(tensor.shape)
    return shapes

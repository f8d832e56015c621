"""See which part of an image speaks for a class."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def grad_cam(
    model: keras.Model,
    images: npt.NDArray[Any],
    layer_name: str,
    classes: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.float32]:
    """Show where a convolution sees what speaks for a class (Grad-CAM).

    The channels of the convolution are added up, each with the mean of the gradient of
    the score of the class. What is negative, and speaks against it, is left out.

    Args:
        model: A Functional or Sequential `keras.Model` with one input and one output
            that ends in a `Dense` of a score or probability for each class.
        images: Array of shape `(batch, height, width, channels)`, as the model takes
            it.
        layer_name: String, the name of a layer of the model whose output has the shape
            `(batch, height, width, channels)`: the last such one sees the most.
        classes: Integer array of shape `(batch,)`, or `None` for the class that the
            model finds most likely.

    Returns:
        An array of shape `(batch, height, width)` in the size of the images, float32
        from 0 to 1. The largest value of each map before it is resized is 1; all are 0
        if nothing speaks for the class.

    Raises:
        ValueError: If the model ends otherwise, if it has no layer of that name, if the
            output of the layer is no image, or if `classes` holds no classes.

    Example:
        >>> from snippets.functional import residual_classifier
        >>> model = residual_classifier((8, 8, 1), num_classes=10, num_blocks=1)
        >>> grad_cam(model, np.ones((5, 8, 8, 1)), "block0_sum").shape
        (5, 8, 8)

    References:
        - [Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
          Localization](https://arxiv.org/abs/1610.02391), R. R. Selvaraju et al., 2017.
    """
    inputs, outputs = (getattr(model, e, None) or [] for e in ("inputs", "outputs"))
    head = model.layers[-1] if len(inputs) == len(outputs) == 1 else model
    if not isinstance(head, keras.layers.Dense):
        raise ValueError(
            "Expected `model` of one input and one output that ends in a Dense layer. "
            f"Received: {len(inputs)} inputs, {len(outputs)} outputs, and at the end "
            f"{type(head).__name__}"
        )
    seen = model.get_layer(layer_name).output
    if len(seen.shape) != 4:
        raise ValueError(
            "Expected a layer whose output is (batch, height, width, channels). "
            f"Received: '{layer_name}' with {seen.shape}"
        )
    parts = keras.Model(inputs[0], [seen, head.input, *outputs])
    pixels = tf.convert_to_tensor(images, "float32")
    with tf.GradientTape() as tape:
        tape.watch(pixels)  # or a layer without weights before it has no gradient
        seen, hidden, found = parts(pixels, training=False)
        chosen = np.argmax(found, axis=-1) if classes is None else np.array(classes)
        if len(chosen) != len(pixels) or not np.isin(chosen, range(head.units)).all():
            raise ValueError(
                f"Expected a class from 0 to {head.units - 1} for each image. "
                f"Received: {classes}"
            )
        # The score before a softmax, whose gradient vanishes where it is sure.
        kernel = keras.ops.take(head.kernel, chosen, axis=1)  # (hidden, batch)
        scores = keras.ops.einsum("bh,hb->b", hidden, kernel)
    gradients = tape.gradient(scores, seen)  # (batch, height, width, channels)
    gradients, seen = (keras.ops.cast(x, "float32") for x in (gradients, seen))
    weights = keras.ops.mean(gradients, axis=(1, 2), keepdims=True)
    maps = keras.ops.relu(keras.ops.sum(weights * seen, axis=-1, keepdims=True))
    largest = tf.reduce_max(maps, axis=(1, 2), keepdims=True)
    maps = maps / keras.ops.where(largest > 0, largest, 1.0)
    return np.array(keras.ops.image.resize(maps, pixels.shape[1:3])[..., 0])

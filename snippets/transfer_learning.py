"""Reuse a trained network: freeze it, put a new head on it, fine-tune it, check it."""

import math
import re
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

# Data


def select_classes(
    features: npt.NDArray[Any], labels: npt.NDArray[Any], classes: Sequence[int]
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Keep the examples of some classes, and number these classes from 0.

    Args:
        features: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of whole numbers, shape `(num_examples,)`.
        classes: Sequence of labels without repetition. Label `classes[k]` becomes `k`.

    Returns:
        A tuple `(features, labels)` of the examples kept, in their order. The labels
        are int64 from 0 to `len(classes) - 1`.

    Raises:
        ValueError: If `features` and `labels` differ in length, if `labels` is not a
            vector, or if `classes` is empty, repeats a label or names one that no
            example has.

    Example:
        >>> features, labels = np.array([[1.0], [2.0], [3.0]]), np.array([7, 5, 7])
        >>> select_classes(features, labels, classes=[7])[1]
        array([0, 0])
    """
    if np.ndim(labels) != 1 or len(features) != len(labels):
        raise ValueError(
            "Expected one label for each example. Received: shapes "
            f"{np.shape(features)} and {np.shape(labels)}"
        )
    wanted, known = list(classes), np.unique(labels).tolist()
    if not wanted or len(set(wanted)) < len(wanted) or not set(wanted) <= set(known):
        raise ValueError(
            f"Expected `classes` to name some of {known}, each once. Received: {wanted}"
        )
    kept = np.isin(labels, wanted)
    position = {label: number for number, label in enumerate(wanted)}
    numbers = [position[label] for label in labels[kept].tolist()]
    return features[kept], np.array(numbers, "int64")


def few_per_class(
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    per_class: int = 5,
    seed: int = 0,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Draw a few examples of each class to learn from, and leave the others to test.

    Args:
        features: Array of shape `(num_examples, ...)`, any dtype.
        labels: Array of classes, shape `(num_examples,)`.
        per_class: Integer of at least 1, less than the examples of any class.
        seed: Integer of at least 0 that decides the draw.

    Returns:
        A tuple `(x_few, y_few, x_rest, y_rest)`, dtypes as in the arguments. The few
        are sorted by class.

    Raises:
        ValueError: If there are no examples, if `features` and `labels` differ in
            length, or if `per_class` is less than 1 or leaves a class none to test.

    Example:
        >>> labels = np.array([0, 1, 0, 1, 1])
        >>> few_per_class(np.arange(5.0), labels, per_class=1)[1]
        array([0, 1])
    """
    if np.ndim(labels) != 1 or not 0 < len(features) == len(labels):
        raise ValueError(
            "Expected at least one example, and one label for each. Received: shapes "
            f"{np.shape(features)} and {np.shape(labels)}"
        )
    classes, counts = np.unique(labels, return_counts=True)
    if not 1 <= per_class < counts.min():
        raise ValueError(
            f"Expected `per_class` from 1 to {counts.min() - 1}, since the rarest "
            f"class has {counts.min()} examples. Received: {per_class}"
        )
    draw = np.random.default_rng(seed)
    few = np.concatenate(
        [draw.permutation(np.flatnonzero(labels == c))[:per_class] for c in classes]
    )
    rest = np.setdiff1d(np.arange(len(labels)), few)
    return features[few], labels[few], features[rest], labels[rest]


def random_shifts(pixels: int, size: int) -> keras.Sequential:
    """Build layers that augment: they move each image by a random part of its size.

    They act in `fit`, and hand images through in `predict` and `evaluate`. Called
    without `training=False` they act too, as all random layers of Keras do. They are
    layers of Keras and need no operation of TensorFlow.

    Args:
        pixels: Integer from 0 to `size`, the farthest move up, down, left or right.
        size: Integer of at least 1, the height and the width of the images.

    Returns:
        A `keras.Sequential` from images of shape `(batch, size, size, channels)` to
        images of the same shape, float32. What moves in from outside is 0.

    Raises:
        ValueError: If `size` is less than 1, or `pixels` not from 0 to `size`.

    Example:
        >>> random_shifts(1, size=8)(np.ones((2, 8, 8, 1)), training=False).shape
        TensorShape([2, 8, 8, 1])
    """
    if size < 1 or not 0 <= pixels <= size:
        raise ValueError(
            "Expected `size` of at least 1 and `pixels` from 0 to `size`. "
            f"Received: pixels={pixels} and size={size}"
        )
    part = pixels / size
    move = keras.layers.RandomTranslation(part, part, fill_mode="constant")
    return keras.Sequential([move], name="random_shifts")


# Networks


def feature_network(image_shape: tuple[int, ...] = (8, 8, 1)) -> keras.Model:
    """Build a small convolutional network without a head: images in, features out.

    Args:
        image_shape: Tuple `(height, width, channels)`, without the batch axis. Height
            and width are at least 4.

    Returns:
        An uncompiled `keras.Model` named `base`, from images of shape
        `(batch, *image_shape)` to features of shape `(batch, 32)`, float32.

    Raises:
        ValueError: If `image_shape` does not have three axes, or is too small.

    Example:
        >>> feature_network().output_shape
        (None, 32)
    """
    if len(image_shape) != 3 or min(image_shape[:2]) < 4:
        raise ValueError(
            "Expected `image_shape` (height, width, channels), at least 4 x 4 pixels. "
            f"Received: {image_shape}"
        )
    pixels = keras.Input(shape=image_shape, name="pixels")
    x = pixels
    for block, filters in enumerate((16, 32), start=1):
        convolve = keras.layers.Conv2D(filters, 3, padding="same", name=f"conv_{block}")
        # 0.9 in place of 0.99: the runs are of tens of steps, not of thousands.
        normalize = keras.layers.BatchNormalization(momentum=0.9, name=f"norm_{block}")
        x = keras.layers.ReLU(name=f"relu_{block}")(normalize(convolve(x)))
        x = keras.layers.MaxPooling2D(name=f"pool_{block}")(x)
    features = keras.layers.GlobalAveragePooling2D(name="features")(x)
    return keras.Model(pixels, features, name="base")


def classifier_on(
    base: keras.Model, num_classes: int, before: keras.Layer | None = None
) -> keras.Model:
    """Put a new head on a network: the layers that turn its features into scores.

    Args:
        base: A `keras.Model` with one input and one output, of shape
            `(batch, features)` or `(batch, height, width, channels)`. Maps of
            channels are averaged first.
        num_classes: Integer of at least 2.
        before: `None`, or a `keras.Layer` that the images pass first, such as
            augmentation. It keeps their shape.

    Returns:
        An uncompiled `keras.Model` to probabilities of shape `(batch, num_classes)`,
        float32. It shares its weights with `base`, which is one of its layers.

    Raises:
        ValueError: If `num_classes` is less than 2, or if `base` does not begin at
            one Input or has an output of another rank.

    Example:
        >>> classifier_on(feature_network(), num_classes=5).output_shape
        (None, 5)
    """
    if num_classes < 2:
        raise ValueError(
            f"Expected `num_classes` of at least 2. Received: {num_classes}"
        )
    inputs, outputs = (getattr(base, n, None) or [] for n in ("inputs", "outputs"))
    ranks = [len(tensor.shape) for tensor in outputs]
    if len(inputs) != 1 or ranks not in ([2], [4]):
        raise ValueError(
            "Expected `base` with one Input, and one output of rank 2 or 4. "
            f"Received: {len(inputs)} inputs and outputs of ranks {ranks}"
        )
    examples = keras.Input(batch_shape=inputs[0].shape, name="examples")
    x = base(before(examples) if before else examples)
    if len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    scores = keras.layers.Dense(num_classes, activation="softmax", name="head")(x)
    return keras.Model(examples, scores)


@keras.saving.register_keras_serializable(package="snippets")
class InferenceMode(keras.layers.Wrapper):
    """Run a layer or a model in inference mode, also while the model around it trains.

    Inside, Dropout drops nothing, and BatchNormalization uses its stored statistics
    and leaves them as they are. Weights still learn, unless they are frozen. On Keras
    3 this does what `base(x, training=False)` in a Functional model did on Keras 2.

    Args:
        layer: A `keras.Layer` or `keras.Model` with a `training` argument.

    Input shape:
        As `layer` takes it, with the batch axis first.

    Output shape:
        As `layer` gives it.

    Example:
        >>> quiet = InferenceMode(keras.layers.Dropout(0.5))
        >>> float(quiet(np.ones((1, 4)), training=True)[0, 0])
        1.0
    """

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Call the wrapped layer with `training=False`, whatever was asked for."""
        return self.layer(inputs, training=False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape that the wrapped layer gives."""
        return self.layer.compute_output_shape(input_shape)


def resnet50_classifier(
    num_classes: int,
    image_shape: tuple[int, int, int] = (224, 224, 3),
    weights: str | None = "imagenet",
) -> keras.Model:
    """Build the published ResNet50 recipe: a frozen base and a new head of two layers.

    Args:
        num_classes: Integer of at least 2.
        image_shape: Tuple `(height, width, 3)`, without the batch axis, at least
            32 x 32 pixels.
        weights: `"imagenet"` to start from weights that Keras downloads once,
            `None` to start untrained, or the path of a file of weights.

    Returns:
        An uncompiled `keras.Model` from images of shape `(batch, *image_shape)`, as
        `keras.applications.resnet50.preprocess_input` returns them, to probabilities
        of shape `(batch, num_classes)`, float32. All but its last two layers is frozen.

    Raises:
        ConnectionError: If the weights are neither on this machine nor to be had. The
            message says what to do.
        ValueError: If `num_classes` is less than 2, or if Keras refuses `image_shape`
            or `weights`.

    Example:
        >>> model = resnet50_classifier(5, image_shape=(32, 32, 3), weights=None)
        >>> model.output_shape, len(model.trainable_weights)
        ((None, 5), 4)

    References:
        - [Deep Residual Learning for Image Recognition](
          https://arxiv.org/abs/1512.03385), K. He et al., 2015.
    """
    if num_classes < 2:
        raise ValueError(
            f"Expected `num_classes` of at least 2. Received: {num_classes}"
        )
    try:
        base = keras.applications.ResNet50(
            include_top=False, weights=weights, input_shape=image_shape
        )
    except Exception as error:
        # Keras raises a bare `Exception` when a download fails.
        if not isinstance(error, OSError) and "URL fetch failure" not in str(error):
            raise
        raise ConnectionError(
            "Expected the ImageNet weights of ResNet50 on this machine, or a network "
            "to download them. Connect once, and Keras keeps the file; or pass its "
            "path, `weights='...notop.h5'`; or start untrained with `weights=None`. "
            f"Received: {error}"
        ) from error
    base.trainable = False
    x = keras.layers.GlobalAveragePooling2D()(base.output)  # (batch, 2048)
    x = keras.layers.Dense(1024, activation="relu")(x)
    scores = keras.layers.Dense(num_classes, activation="softmax")(x)
    return keras.Model(base.input, scores)


# Freezing


def every_layer(layer: keras.Layer) -> list[keras.Layer]:
    """List a layer and all layers in it: those of a model and what a wrapper holds.

    Args:
        layer: A `keras.Layer` or `keras.Model`.

    Returns:
        A list that begins with `layer`, each before what is in it.

    Example:
        >>> model = keras.Sequential([keras.layers.Dense(2, name="head")], name="model")
        >>> [part.name for part in every_layer(model)]
        ['model', 'head']
    """
    wrapped = [layer.layer] if isinstance(layer, keras.layers.Wrapper) else []
    inner = [*getattr(layer, "layers", ()), *wrapped]
    return [layer] + [part for each in inner for part in every_layer(each)]


def set_trainable(layer: keras.Layer, trainable: bool) -> None:
    """Freeze or unfreeze a layer or a model with everything in it.

    `model.trainable = True` does that too, unless the model itself already says `True`:
    then Keras 3 on TensorFlow skips the assignment, and frozen layers inside it stay
    frozen. Compile the model afterwards.

    Args:
        layer: A `keras.Layer` or `keras.Model`, changed in place.
        trainable: Whether its weights shall learn.

    Example:
        >>> model = classifier_on(feature_network(), num_classes=5)
        >>> set_trainable(model, False)
        >>> len(model.trainable_weights)
        0
    """
    for part in every_layer(layer):
        part.trainable = not trainable  # so that the next line is never skipped
        part.trainable = trainable


def freeze_batch_normalization(layer: keras.Layer) -> None:
    """Freeze each BatchNormalization in a model, and leave all other layers alone.

    A frozen one runs in inference mode: it uses its stored statistics and keeps them.
    Compile the model afterwards.

    Args:
        layer: A `keras.Layer` or `keras.Model`, changed in place.

    Example:
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


# Training, and what it changed


def train(
    model: keras.Model,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    learning_rate: float,
    epochs: int,
    test_set: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
) -> dict[str, list[float]]:
    """Compile a classifier anew and train it: the flags that stand now are the ones.

    The optimizer is a new Adam. An old one would not know unfrozen weights.

    Args:
        model: A `keras.Model` with one input, to probabilities of shape
            `(batch, num_classes)`.
        images: Array of shape `(num_examples, ...)`, as the model takes it.
        labels: Array of whole numbers from 0 to `num_classes - 1`, shape
            `(num_examples,)`.
        learning_rate: Float greater than 0.
        epochs: Integer of at least 1.
        test_set: `None`, or a tuple `(images, labels)` to measure after each epoch.

    Returns:
        The history: a dict from `"loss"`, `"accuracy"`, and with a test set
        `"val_loss"` and `"val_accuracy"`, to a list with a number for each epoch.

    Raises:
        ValueError: If an argument is none of these. The model is then as it was, its
            compilation included.

    Example:
        >>> model = classifier_on(feature_network(), num_classes=2)
        >>> history = train(model, np.ones((2, 8, 8, 1)), np.array([0, 1]), 1e-3, 3)
        >>> len(history["loss"])
        3
    """
    if not 0 < learning_rate < math.inf:
        raise ValueError(
            f"Expected `learning_rate` greater than 0. Received: {learning_rate}"
        )
    if epochs < 1:
        raise ValueError(f"Expected `epochs` of at least 1. Received: {epochs}")
    for some_images, some_labels in [
        (images, labels),
        *([test_set] if test_set else []),
    ]:
        check_examples(model, some_images, some_labels)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    history = model.fit(
        images,
        labels,
        epochs=epochs,
        validation_data=test_set,
        validation_batch_size=1024,
        verbose=0,
    )
    return dict(history.history)


def check_examples(
    model: keras.Model, images: npt.NDArray[Any], labels: npt.NDArray[Any]
) -> None:
    """Refuse examples that a classifier cannot learn from.

    Args:
        model: A `keras.Model` with one input, to scores of shape
            `(batch, num_classes)`.
        images: Array of shape `(num_examples, ...)`.
        labels: Array of shape `(num_examples,)`.

    Raises:
        ValueError: If there are no examples, if the shape of `images` is not what the
            model takes, or if `labels` is not one whole number from 0 to
            `num_classes - 1` for each.

    Example:
        >>> model = classifier_on(feature_network(), num_classes=5)
        >>> check_examples(model, np.ones((2, 8, 8, 1)), np.array([0, 4]))
    """
    expected, num_classes = model.input_shape, model.output_shape[-1]
    shape = np.shape(images)
    fits = len(shape) == len(expected) and all(
        want in (None, size) for want, size in zip(expected, shape, strict=True)
    )
    if not fits or not shape[0]:
        raise ValueError(
            f"Expected `images` of shape {expected}, at least one. "
            f"Received: shape {shape}"
        )
    if np.shape(labels) != shape[:1] or np.asarray(labels).dtype.kind not in "iu":
        raise ValueError(
            f"Expected `labels` of shape {shape[:1]}, whole numbers. Received: shape "
            f"{np.shape(labels)} and dtype {np.asarray(labels).dtype}"
        )
    if np.min(labels) < 0 or np.max(labels) >= num_classes:
        raise ValueError(
            f"Expected `labels` from 0 to {num_classes - 1}, as the model has "
            f"{num_classes} outputs. Received: {np.min(labels)} to {np.max(labels)}"
        )


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


def transfer(
    base: keras.Model,
    images: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    num_classes: int,
    test_set: tuple[npt.NDArray[Any], npt.NDArray[Any]] | None = None,
    epochs: tuple[int, int] = (5, 15),
    learning_rates: tuple[float, float] = (0.03, 0.003),
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Reuse a network: train a new head on it while it is frozen, then fine-tune all.

    BatchNormalization stays frozen throughout.

    Args:
        base: A trained `keras.Model` that returns features, as `classifier_on` takes
            it. A copy of it is trained; `base` is left as it is.
        images: Array of shape `(num_examples, ...)`, as `base` takes it.
        labels: Array of whole numbers from 0 to `num_classes - 1`.
        num_classes: Integer of at least 2.
        test_set: `None`, or a tuple `(images, labels)` to measure after each epoch.
        epochs: Tuple of two integers of at least 1: with the frozen base, and after.
        learning_rates: Tuple of two floats greater than 0, likewise.

    Returns:
        A tuple of the `keras.Model` and its history, as `train` returns it, of all
        epochs.

    Raises:
        ValueError: If `classifier_on` or `train` refuses an argument.

    Example:
        >>> images, labels = np.ones((2, 8, 8, 1)), np.array([0, 1])
        >>> model, history = transfer(feature_network(), images, labels, 2)
        >>> len(history["loss"])
        20
    """
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    model = classifier_on(copy, num_classes)
    set_trainable(copy, False)
    head = train(model, images, labels, learning_rates[0], epochs[0], test_set)
    unfreeze_from(copy, copy.layers[0].name)
    tuned = train(model, images, labels, learning_rates[1], epochs[1], test_set)
    return model, {name: values + tuned[name] for name, values in head.items()}


# Both Kerases


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

"""Data that does not fit the model, or not together."""

import os

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_FUNCTIONAL = "guides/functional.md"


@error(
    "expected axis -1 of input shape to have value",
    guide="guides/input_layers.md#expected-axis--1-of-input-shape-to-have-value-784",
)
def _examples_of_another_size() -> None:
    """The last axis has another length than the layer was built for. Where that layer
    stands behind a `Flatten`, the images have another size than before. `expected
    min_ndim=2, found ndim=1`: one example came without its batch axis.
    """
    model = keras.Sequential([keras.layers.Dense(10)])
    model.build((None, 784))
    model(np.ones((5, 64)))


@_examples_of_another_size.fix
def _examples_of_the_declared_size() -> None:
    """Declare the length that the data has, or pass what the model expects; put a batch
    axis in front of one example, `x[None]`.
    """
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
    model(np.ones((5, 64)))


@error(
    "expected shape=(None, 8, 8, 3), found shape=(8, 8, 3)",
    guide="guides/input_layers.md#expected-shapenone-8-8-3-found-shape8-8-3-or-negative-dimension-size",
)
def _one_image_without_a_batch() -> None:
    """One example came without its batch axis, or has another shape than the Input."""
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Flatten()(image))
    model(np.zeros((8, 8, 3)))


@_one_image_without_a_batch.fix
def _one_image_in_a_batch() -> None:
    """Put the batch axis in front."""
    image = keras.Input((8, 8, 3))
    model = keras.Model(image, keras.layers.Flatten()(image))
    model(np.zeros((8, 8, 3))[None, ...])


@error(
    "Negative dimension size caused by subtracting",
    guide="guides/input_layers.md#expected-shapenone-8-8-3-found-shape8-8-3-or-negative-dimension-size",
)
def _gray_image_read_as_rows() -> None:
    """The image became smaller than the window of a convolution or a pooling, or one
    gray image came without its batch axis, and was read as a batch of rows.
    """
    image = keras.Input((8, 8, 1))
    model = keras.Model(image, keras.layers.Conv2D(16, 3)(image))
    model.predict(np.zeros((8, 8, 1)), verbose=0)


@_gray_image_read_as_rows.fix
def _gray_image_in_a_batch() -> None:
    """Put the batch axis in front. For an image that became too small, leave a layer
    out, or pad: `padding="same"`.
    """
    image = keras.Input((8, 8, 1))
    model = keras.Model(image, keras.layers.Conv2D(16, 3)(image))
    model.predict(np.zeros((8, 8, 1))[None, ...], verbose=0)


@error(
    "Invalid input shape for input",
    guide="guides/sequential.md#invalid-input-shape-for-input-images-for-vectors-or-one-example-alone",
)
def _images_for_vectors() -> None:
    """The data has more or fewer axes than the Input declares."""
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])
    model.predict(np.ones((5, 28, 28)), verbose=0)


@_images_for_vectors.fix
def _vectors_for_vectors() -> None:
    """Reshape the data, or begin with an Input of its shape and `Flatten`."""
    model = keras.Sequential([keras.Input((784,)), keras.layers.Dense(10)])
    model.predict(np.ones((5, 28, 28)).reshape(5, -1), verbose=0)


@error(
    "named input(s) with keys",
    "keras-team/keras#22968",
    guide=_FUNCTIONAL + "#layer-functional-expects-3-named-inputs-with-keys",
)
def _one_array_for_several_inputs() -> None:
    """The model has several inputs, and got one array."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    model.predict(np.ones((2, 3)), verbose=0)


@_one_array_for_several_inputs.fix
def _an_array_for_each_input() -> None:
    """Pass a dict with these keys."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    model.predict({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, verbose=0)


@error("Missing data for input", guide=_FUNCTIONAL + "#missing-data-for-input")
def _a_key_is_missing() -> None:
    """The dict lacks the name of an Input, or misspells it."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    model.predict({"a": np.ones((2, 3)), "bb": np.ones((2, 3))}, verbose=0)


@_a_key_is_missing.fix
def _every_key_is_there() -> None:
    """Use the names of the Inputs as keys; give each Input a name."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Add()([a, b]))
    model.predict({"a": np.ones((2, 3)), "b": np.ones((2, 3))}, verbose=0)


@error(
    "The structure of `inputs` doesn't match the expected structure",
    *("keras-team/keras#20136", "keras-team/keras#20086", "keras-team/keras#23258"),
    *("tensorflow/tensorflow#82372", "NatLibFi/Annif#883"),
    guide=_FUNCTIONAL + "#the-structure-of-inputs-doesnt-match-the-expected-structure",
)
def _data_of_another_structure() -> None:
    """The data is not nested like the model's `inputs`: you passed a list and the model
    has one tensor, one array and the model has a list, or a dict with more keys.
    """
    x = keras.Input((3,))
    model = keras.Model([x], keras.layers.Dense(2)(x))
    model(np.ones((1, 3)))


@_data_of_another_structure.fix
def _data_of_the_same_structure() -> None:
    """Pass the form that the model was made with, or make it from a single tensor."""
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2)(x))
    model(np.ones((1, 3)))


@error("Unrecognized data type")
def _lists_of_numbers() -> None:
    """Keras 3 reads lists of numbers neither in `fit` nor in `predict`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [1.0, 2.0], verbose=0)


@_lists_of_numbers.fix
def _arrays_of_numbers() -> None:
    """Make arrays of them."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, 2.0])
    model.fit(x, y, verbose=0)


@error("Data cardinality is ambiguous")
def _more_labels_than_examples() -> None:
    """The arrays have different numbers of examples."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((5, 1)), verbose=0)


@_more_labels_than_examples.fix
def _as_many_labels_as_examples() -> None:
    """Pass a label for each example; several inputs go into one list or dict."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@error("Failed to convert a NumPy array to a Tensor")
def _array_of_objects() -> None:
    """The array holds objects, such as lists of different lengths or strings among
    numbers.
    """
    rows = np.array([[1, 2, 3], [4, 5]], dtype=object)
    tf.convert_to_tensor(rows)


@_array_of_objects.fix
def _array_of_equal_rows() -> None:
    """Pad the rows to one length, and convert them to numbers."""
    rows = keras.utils.pad_sequences([[1, 2, 3], [4, 5]], padding="post")
    tf.convert_to_tensor(rows)


@error("is not in [0, 10)")
def _token_outside_the_vocabulary() -> None:
    """A whole number is as large as `input_dim` of the embedding, or larger. This is
    the message on a CPU; on a GPU TensorFlow may return zeros without one.
    """
    keras.layers.Embedding(input_dim=10, output_dim=4)(np.array([[3, 10]]))


@_token_outside_the_vocabulary.fix
def _token_inside_the_vocabulary() -> None:
    """`input_dim` is the largest number and one more."""
    keras.layers.Embedding(input_dim=11, output_dim=4)(np.array([[3, 10]]))


@error("Received a label value of 3 which is outside the valid range of [0, 3)")
def _label_outside_the_classes() -> None:
    """A label is as large as the number of outputs, or larger. This is the message on a
    CPU; on a GPU the loss of that row may be NaN without one.
    """
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss(np.array([3]), model(np.ones((1, 4))))


@_label_outside_the_classes.fix
def _label_inside_the_classes() -> None:
    """Count the labels from 0, or give the last layer one more output."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    loss(np.array([3]), model(np.ones((1, 4))))


@error("but the requested shape", guide="guides/choosing.md#errors")
def _hand_typed_size() -> None:
    """A size was typed by hand, and the data has another."""
    maps = tf.ones((1, 14, 14, 32))
    tf.reshape(maps, [-1, 5408])


@_hand_typed_size.fix
def _size_of_the_data() -> None:
    """Let TensorFlow compute the size."""
    maps = tf.ones((1, 14, 14, 32))
    tf.reshape(maps, [tf.shape(maps)[0], -1])


@error("Dimension size must be evenly divisible by", guide="guides/choosing.md#errors")
def _hand_typed_size_in_a_function() -> None:
    """A size was typed by hand, in a `tf.function` or a model."""

    @tf.function
    def flatten(maps):
        return tf.reshape(maps, [-1, 5408])

    flatten(tf.ones((1, 14, 14, 32)))


@_hand_typed_size_in_a_function.fix
def _size_of_the_data_in_a_function() -> None:
    """Let TensorFlow compute the size, or use `Flatten`."""

    @tf.function
    def flatten(maps):
        return tf.reshape(maps, [tf.shape(maps)[0], -1])

    flatten(tf.ones((1, 14, 14, 32)))


@error(
    "No images found in directory",
    guide="guides/transfer_learning.md#other-messages",
)
def _folder_without_images() -> None:
    """No folder of a class holds a BMP, GIF, JPEG or PNG file."""
    os.makedirs("photos/cats")
    keras.utils.image_dataset_from_directory("photos")


@_folder_without_images.fix
def _folder_with_images() -> None:
    """Put the images of each class into a folder of its own inside."""
    for name in "cats", "dogs":
        os.makedirs(f"pictures/{name}")
        image = tf.io.encode_png(np.zeros((8, 8, 3), "uint8"))
        tf.io.write_file(f"pictures/{name}/1.png", image)
    keras.utils.image_dataset_from_directory("pictures")


@error(
    "Your input ran out of data; interrupting training",
    "keras-team/keras#19037",
    guide="guides/training_loops.md#your-input-ran-out-of-data",
)
def _dataset_with_too_few_batches() -> None:
    """The dataset has fewer batches than an epoch asks for."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1))))
    model.fit(data, steps_per_epoch=3, verbose=0)


@_dataset_with_too_few_batches.fix
def _dataset_that_is_repeated() -> None:
    """Leave `steps_per_epoch` out, or repeat the dataset."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1))))
    model.fit(data.repeat(), steps_per_epoch=3, verbose=0)


@error("`validation_split` is only supported for")
def _validation_split_of_a_dataset() -> None:
    """Keras cannot split a dataset."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1))))
    model.fit(data, validation_split=0.5, verbose=0)


@_validation_split_of_a_dataset.fix
def _validation_data_of_a_dataset() -> None:
    """Split it yourself, and pass `validation_data`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = tf.data.Dataset.from_tensors((tf.ones((4, 3)), tf.ones((4, 1)))).repeat(4)
    model.fit(data.skip(1), validation_data=data.take(1), verbose=0)

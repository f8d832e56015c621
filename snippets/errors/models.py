"""Building a model: Sequential, Functional, and what can be asked of them."""

import keras
import numpy as np

from snippets.errors.entry import error

_FUNCTIONAL = "guides/functional.md#other-messages"
_SEQUENTIAL = "guides/sequential.md#other-messages"


@error(
    "is not connected to `inputs`",
    *("keras-team/keras#8166", "keras-team/keras#10936", "keras-team/keras#11186"),
    *("keras-team/keras#14960", "ankitvgupta/densenet_1d#2", "conscienceli/IterNet#5"),
    guide="guides/functional.md#errors",
)
def _disconnected_graph() -> None:
    """The output depends on an Input that is missing in `inputs`."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    total = keras.layers.Add()([a, b])
    model = keras.Model(inputs=a, outputs=total)
    model(np.ones((1, 3)))


@_disconnected_graph.fix
def _connected_graph() -> None:
    """Add the forgotten Input to `inputs`."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    total = keras.layers.Add()([a, b])
    model = keras.Model(inputs=[a, b], outputs=total)
    model([np.ones((1, 3)), np.ones((1, 3))])


@error("All `inputs` values must be KerasTensors")
def _array_as_the_input_of_a_model() -> None:
    """An array was passed where an Input belongs."""
    x = np.ones((1, 3))
    keras.Model(inputs=x, outputs=keras.layers.Dense(2)(x))


@_array_as_the_input_of_a_model.fix
def _input_of_a_model() -> None:
    """Declare an Input, and call the finished model on the data."""
    x = keras.Input((3,))
    model = keras.Model(inputs=x, outputs=keras.layers.Dense(2)(x))
    model(np.ones((1, 3)))


@error("All `outputs` values must be KerasTensors")
def _layer_as_the_output_of_a_model() -> None:
    """A layer was passed where its output belongs."""
    x = keras.Input((3,))
    keras.Model(inputs=x, outputs=keras.layers.Dense(2))


@_layer_as_the_output_of_a_model.fix
def _output_of_a_model() -> None:
    """Call the layer."""
    x = keras.Input((3,))
    keras.Model(inputs=x, outputs=keras.layers.Dense(2)(x))


@error("Unrecognized keyword arguments passed to Model: {'input'")
def _input_and_output_of_a_model() -> None:
    """The arguments are called `inputs` and `outputs`."""
    x = keras.Input((3,))
    keras.Model(input=x, output=keras.layers.Dense(2)(x))


@_input_and_output_of_a_model.fix
def _inputs_and_outputs_of_a_model() -> None:
    """Add the letter."""
    x = keras.Input((3,))
    keras.Model(inputs=x, outputs=keras.layers.Dense(2)(x))


@error("All operation names should be unique")
def _two_layers_of_one_name() -> None:
    """Two layers of a model have the same name."""
    x = keras.Input((3,))
    y = keras.layers.Dense(3, name="scores")(x)
    keras.Model(x, keras.layers.Dense(3, name="scores")(y))


@_two_layers_of_one_name.fix
def _two_layers_of_two_names() -> None:
    """Give each layer its own name, or none."""
    x = keras.Input((3,))
    y = keras.layers.Dense(3, name="hidden")(x)
    keras.Model(x, keras.layers.Dense(3, name="scores")(y))


@error(
    "All layers added to a Sequential model should have unique names", guide=_SEQUENTIAL
)
def _two_layers_of_one_name_in_a_row() -> None:
    """Two layers of a Sequential model have the same name."""
    names = ["scores", "scores"]
    keras.Sequential([keras.layers.Dense(3, name=name) for name in names])


@_two_layers_of_one_name_in_a_row.fix
def _two_names_in_a_row() -> None:
    """Give each layer its own name, or none."""
    names = ["hidden", "scores"]
    keras.Sequential([keras.layers.Dense(3, name=name) for name in names])


@error(
    "can be added to a Sequential model",
    *("tensorflow/tensorflow#63085", "tensorflow/tensorflow#63849"),
    *("tensorflow/tensorflow#76042", "tensorflow/hub#920"),
    *("mrdbourke/tensorflow-deep-learning#668",),
    guide="guides/sequential.md#only-instances-of-keraslayer-can-be-added-to-a-sequential-model",
)
def _no_layer_in_a_row() -> None:
    """Something in the list is no layer of this Keras: a name, a class without
    parentheses, or a layer of `tf_keras` or of TensorFlow Hub, which is Keras 2.
    """
    keras.Sequential([keras.layers.Flatten(), "relu"])


@_no_layer_in_a_row.fix
def _layers_in_a_row() -> None:
    """Write the layer; take all layers from one Keras."""
    keras.Sequential([keras.layers.Flatten(), keras.layers.Activation("relu")])


@error(
    "has never been called and thus has no defined input",
    *("keras-team/keras#20339", "keras-team/keras#20116", "ob-f/OpenBot#514"),
    *("keras-team/keras#14238",),
    guide="guides/sequential.md#the-layer-sequential-has-never-been-called-and-thus-has-no-defined-input",
)
def _input_of_a_sequential_model() -> None:
    """On Keras 3 a model that was never called on an Input has no `.input` and no
    `.output`.
    """
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.input


@_input_of_a_sequential_model.fix
def _inputs_of_a_sequential_model() -> None:
    """Ask for `inputs[0]` and `outputs[0]`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    keras.Model(model.inputs, model.outputs[0])


@error("has no defined inputs yet")
def _inputs_of_a_model_without_a_shape() -> None:
    """The Sequential model has no Input and has seen no data, so it has no shapes."""
    model = keras.Sequential([keras.layers.Dense(2)])
    model.inputs[0]


@_inputs_of_a_model_without_a_shape.fix
def _inputs_of_a_model_with_a_shape() -> None:
    """Put an Input first."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.inputs[0]


@error("has no defined input shape yet")
def _input_shape_of_a_model_without_a_shape() -> None:
    """The Sequential model has no Input and has seen no data, so it has no shapes."""
    model = keras.Sequential([keras.layers.Dense(2)])
    model.input_shape[1]


@_input_shape_of_a_model_without_a_shape.fix
def _input_shape_of_a_model_with_a_shape() -> None:
    """Put an Input first."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.input_shape[1]


@error(
    "This model has not yet been built",
    guide="reference/sequential_messages.md#this-model-has-not-yet-been-built",
)
def _summary_of_an_unbuilt_model() -> None:
    """Keras 2 cannot summarize a model without shapes; Keras 3 prints `?`."""
    keras.Sequential([keras.layers.Dense(2)]).summary(print_fn=str)


@_summary_of_an_unbuilt_model.fix
def _summary_of_a_built_model() -> None:
    """Put an Input first, or call the model on one batch."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.summary(print_fn=str)


@error(
    "have not yet been created",
    guide="reference/sequential_messages.md#this-model-has-not-yet-been-built",
)
def _weights_of_an_unbuilt_model() -> None:
    """Keras 2 has no weights to give before the model knows its shapes; Keras 3 gives
    an empty list.
    """
    keras.Sequential([keras.layers.Dense(2)]).get_weights()


@_weights_of_an_unbuilt_model.fix
def _weights_of_a_built_model() -> None:
    """Put an Input first, or call the model on one batch."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.get_weights()


@error("has already been configured to use input shape", guide=_SEQUENTIAL)
def _another_shape_for_a_built_model() -> None:
    """A Sequential model is built for one shape."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.build((None, 5))


@_another_shape_for_a_built_model.fix
def _a_new_model_for_another_shape() -> None:
    """Make a new model for another shape."""
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)])
    model.build((None, 5))


@error("Layer InputLayer has", guide=_SEQUENTIAL, needs="keras>=3")
def _input_after_a_layer() -> None:
    """An Input stands after another layer."""
    keras.Sequential(
        [keras.layers.Flatten(), keras.Input((3,)), keras.layers.Dense(2)]
    )(np.ones((2, 3)))


@_input_after_a_layer.fix
def _input_first() -> None:
    """Put the Input first."""
    keras.Sequential(
        [keras.Input((3,)), keras.layers.Flatten(), keras.layers.Dense(2)]
    )(np.ones((2, 3)))


@error("`inputs` not connected to `outputs`", guide=_FUNCTIONAL)
def _input_that_nothing_reads() -> None:
    """No layer reads an Input; only Keras 3.11 to 3.13 refuse it."""
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    keras.Model([a, b], keras.layers.Dense(2)(a))


@_input_that_nothing_reads.fix
def _inputs_that_are_read() -> None:
    """Leave it out of `inputs`."""
    a = keras.Input((3,), name="a")
    keras.Model([a], keras.layers.Dense(2)(a))


@error("No such layer: hidden. Existing layers are")
def _layer_that_is_not_there() -> None:
    """The model has no layer of that name."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.get_layer("hidden")


@_layer_that_is_not_there.fix
def _layer_by_its_name() -> None:
    """Give the layer a name when you make it. Automatic names change with each layer
    that was made before: `dense`, `dense_1`, ...
    """
    hidden = keras.layers.Dense(2, name="hidden")
    model = keras.Sequential([keras.Input((3,)), hidden])
    model.get_layer("hidden")


@error("expects 1 input(s), but it received 2 input tensors")
def _two_tensors_for_one_input() -> None:
    """The layer takes one tensor, and got a list of two."""
    a, b = keras.Input((3,)), keras.Input((3,))
    keras.layers.Dense(2)([a, b])


@_two_tensors_for_one_input.fix
def _joined_for_one_input() -> None:
    """Join them first."""
    a, b = keras.Input((3,)), keras.Input((3,))
    keras.layers.Dense(2)(keras.layers.Concatenate()([a, b]))


@error(
    "The input must have 3 channels",
    guide="guides/transfer_learning.md#the-input-must-have-3-channels",
)
def _gray_images_for_imagenet() -> None:
    """The images are gray, and ImageNet's weights are for color."""
    keras.applications.ResNet50(
        weights="imagenet", include_top=False, input_shape=(64, 64, 1)
    )


@_gray_images_for_imagenet.fix
def _gray_images_as_color() -> None:
    """Repeat the gray channel three times. Keep your `weights="imagenet"`; this code
    writes `None` to download nothing.
    """
    gray = keras.Input((64, 64, 1))
    color = keras.layers.Concatenate()([gray, gray, gray])
    keras.applications.MobileNet(
        weights=None, include_top=False, input_shape=(64, 64, 3)
    )(color)


@error(
    "Input size must be at least 32x32",
    guide="guides/transfer_learning.md#input-size-must-be-at-least-32x32",
)
def _images_that_are_too_small() -> None:
    """The images are too small for the network."""
    keras.applications.MobileNet(
        weights=None, include_top=False, input_shape=(28, 28, 3)
    )


@_images_that_are_too_small.fix
def _images_that_are_large_enough() -> None:
    """Make them larger, with `image_size` or a `Resizing` layer."""
    keras.applications.MobileNet(
        weights=None, include_top=False, input_shape=(32, 32, 3)
    )


@error(
    "`classes` should be 1000",
    guide="guides/transfer_learning.md#other-messages",
)
def _classes_of_imagenet() -> None:
    """The last layer of ImageNet's weights has 1,000 classes."""
    keras.applications.MobileNet(weights="imagenet", classes=5)


@_classes_of_imagenet.fix
def _classes_of_your_own() -> None:
    """Leave the top out, and write a last layer of your own."""
    base = keras.applications.MobileNet(
        weights=None, include_top=False, input_shape=(32, 32, 3), pooling="avg"
    )
    keras.Sequential([base, keras.layers.Dense(5)])

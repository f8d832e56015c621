"""Saving and loading models and weights."""

import os

import keras
import numpy as np

from snippets.errors.entry import error

_GUIDE = "guides/subclassing.md"
_TRANSFER = "guides/transfer_learning.md"
_COMPILE = "reference/files.md#files-way-compile"
_OBJECTS = "reference/files.md#files-way-objects"
_WEIGHTS = "reference/files.md#files-way-weights"


@error(
    "must override `get_config()`",
    *("google-research/maxvit#6", "mvoelk/keras_layers#1", "keras-team/keras#21546"),
    *("tensorflow/tensorflow#39793", "tensorflow/hub#926"),
    guide=_GUIDE + "#must-override-get_config",
)
def _layer_without_get_config() -> None:
    """Keras cannot write an argument of `__init__` into a file, such as an array."""

    class Shift(keras.layers.Layer):
        def __init__(self, values, **kwargs):
            super().__init__(**kwargs)
            self.values = values

        def call(self, x):
            return x + self.values

    model = keras.Sequential([keras.Input((2,)), Shift(np.ones(2, "float32"))])
    model.save("shift.keras")


@_layer_without_get_config.fix
def _layer_with_get_config() -> None:
    """Take plain values, and return them from `get_config`."""

    class Shift(keras.layers.Layer):
        def __init__(self, values, **kwargs):
            super().__init__(**kwargs)
            self.values = values

        def call(self, x):
            return x + np.array(self.values, "float32")

        def get_config(self):
            return {**super().get_config(), "values": list(self.values)}

    model = keras.Sequential([keras.Input((2,)), Shift([1.0, 1.0])])
    model.save("shift.keras")


@error(
    "Could not locate class",
    *("keras-team/keras#19899", "keras-team/keras#21046", "keras-team/keras#17554"),
    *("tensorflow/tensorflow#61085", "googlecolab/colabtools#4753"),
    guide=_GUIDE + "#could-not-locate-class-and-unknown-layer-at-loading",
)
def _class_that_is_not_registered() -> None:
    """Keras does not know your class by the name in the file. If the class is
    `Functional`, another Keras wrote the file.
    """

    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    x = keras.Input((2,))
    keras.Model(x, Double()(x)).save("double.keras")
    keras.models.load_model("double.keras")


@_class_that_is_not_registered.fix
def _class_that_is_passed() -> None:
    """Pass the class, or register it with
    `@keras.saving.register_keras_serializable()` and import its module.
    """

    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    x = keras.Input((2,))
    keras.Model(x, Double()(x)).save("double.keras")
    keras.models.load_model("double.keras", custom_objects={"Double": Double})


@error(
    "Unknown layer:",
    *("keras-team/keras#11617", "tensorflow/tensorflow#43498"),
    guide=_GUIDE + "#could-not-locate-class-and-unknown-layer-at-loading",
)
def _unknown_layer_in_an_h5_file() -> None:
    """Keras does not know your class by the name in the `.h5` file. If it is
    `TFOpLambda`, Keras 2 wrote the file: `load_weights` reads it.
    """

    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    keras.Sequential([keras.Input((2,)), Double()]).save("double.h5")
    keras.models.load_model("double.h5")


@_unknown_layer_in_an_h5_file.fix
def _known_layer_in_an_h5_file() -> None:
    """Pass the class, or register it."""

    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    keras.Sequential([keras.Input((2,)), Double()]).save("double.h5")
    keras.models.load_model("double.h5", custom_objects={"Double": Double})


@error(
    "__init__() got an unexpected keyword argument",
    "keras-team/keras#8956",
    guide=_GUIDE + "#got-an-unexpected-keyword-argument-trainable",
)
def _layer_without_kwargs() -> None:
    """Loading passes `name`, `trainable` and `dtype`, and `__init__` does not take
    them. If the class is of Keras, such as `GlorotUniform`, a newer Keras wrote the
    file: upgrade, or load the weights.
    """

    class Scale(keras.layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, x):
            return self.factor * x

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    keras.Sequential([keras.Input((2,)), Scale(2.0)]).save("scale.keras")
    keras.models.load_model("scale.keras", custom_objects={"Scale": Scale})


@_layer_without_kwargs.fix
def _layer_with_kwargs() -> None:
    """Take `**kwargs`, and pass them on."""

    class Scale(keras.layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return self.factor * x

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    keras.Sequential([keras.Input((2,)), Scale(2.0)]).save("scale.keras")
    keras.models.load_model("scale.keras", custom_objects={"Scale": Scale})


@error("Could not locate function")
def _function_that_is_not_registered() -> None:
    """The model was compiled with a function of yours, which Keras does not know. If
    the function is `mse` or `mae`, see the next message.
    """

    def my_loss(labels, predictions):
        return keras.losses.mean_squared_error(labels, predictions)

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", my_loss)
    model.save("trained.keras")
    keras.models.load_model("trained.keras")


@_function_that_is_not_registered.fix
def _loaded_without_compile() -> None:
    """Pass it in `custom_objects`, or load without the loss and compile anew."""

    def my_loss(labels, predictions):
        return keras.losses.mean_squared_error(labels, predictions)

    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", my_loss)
    model.save("trained.keras")
    keras.models.load_model("trained.keras", compile=False)


@error(
    "because it is not a KerasSaveable subclass",
    *("keras-team/keras#19330", "tensorflow/tensorflow#70263"),
)
def _short_name_of_a_loss_in_an_h5_file() -> None:
    """Keras 3 cannot read the loss `"mse"` or `"mae"` from an `.h5` file, not even from
    one of its own.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save("trained.h5")
    keras.models.load_model("trained.h5")


@_short_name_of_a_loss_in_an_h5_file.fix
def _loaded_h5_file_without_compile() -> None:
    """Load with `compile=False` and compile anew; better, save as `.keras`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save("trained.h5")
    keras.models.load_model("trained.h5", compile=False)


@error("Unrecognized keyword arguments passed to LSTM: {'time_major'", guide=_OBJECTS)
def _lstm_of_keras_2_in_an_h5_file() -> None:
    """Keras 2 wrote the file, with an argument that Keras 3 does not have. Here a file
    is changed to look so; the page of the link reads files that Keras 2 wrote.
    """
    import h5py

    layers = [keras.Input((5, 4)), keras.layers.LSTM(3)]
    keras.Sequential(layers).save("old.h5")
    with h5py.File("old.h5", "r+") as file:
        text = file.attrs["model_config"]
        text = text.replace('"units"', '"time_major": false, "units"')
        file.attrs["model_config"] = text
    keras.models.load_model("old.h5")


@_lstm_of_keras_2_in_an_h5_file.fix
def _lstm_without_time_major() -> None:
    """Pass a class that drops the argument; in a `.keras` file that does not help. With
    the code of the model, `model.load_weights(file)` is enough for both.
    """
    import h5py

    layers = [keras.Input((5, 4)), keras.layers.LSTM(3)]
    keras.Sequential(layers).save("old.h5")
    with h5py.File("old.h5", "r+") as file:
        text = file.attrs["model_config"]
        text = text.replace('"units"', '"time_major": false, "units"')
        file.attrs["model_config"] = text

    class OldLSTM(keras.layers.LSTM):
        def __init__(self, *args, time_major=False, **kwargs):
            super().__init__(*args, **kwargs)

    known = {"LSTM": OldLSTM}
    keras.models.load_model("old.h5", custom_objects=known, compile=False)


@error(
    "Unrecognized keyword arguments passed to DepthwiseConv2D: {'groups'",
    guide=_OBJECTS,
)
def _depthwise_convolution_of_keras_2_in_an_h5_file() -> None:
    """Keras 2 wrote the file, such as a MobileNet, with an argument that Keras 3 does
    not have. Here a file is changed to look so.
    """
    import h5py

    layers = [keras.Input((8, 8, 1)), keras.layers.DepthwiseConv2D(3)]
    keras.Sequential(layers).save("old.h5")
    with h5py.File("old.h5", "r+") as file:
        text = file.attrs["model_config"]
        text = text.replace('"depth_multiplier"', '"groups": 1, "depth_multiplier"')
        file.attrs["model_config"] = text
    keras.models.load_model("old.h5")


@_depthwise_convolution_of_keras_2_in_an_h5_file.fix
def _depthwise_convolution_without_groups() -> None:
    """Pass a class that drops the argument. With the code of the model,
    `model.load_weights("old.h5")` is enough, and reads a `.keras` file too.
    """
    import h5py

    layers = [keras.Input((8, 8, 1)), keras.layers.DepthwiseConv2D(3)]
    keras.Sequential(layers).save("old.h5")
    with h5py.File("old.h5", "r+") as file:
        text = file.attrs["model_config"]
        text = text.replace('"depth_multiplier"', '"groups": 1, "depth_multiplier"')
        file.attrs["model_config"] = text

    class OldConvolution(keras.layers.DepthwiseConv2D):
        def __init__(self, *args, groups=1, **kwargs):
            super().__init__(*args, **kwargs)

    known = {"DepthwiseConv2D": OldConvolution}
    keras.models.load_model("old.h5", custom_objects=known, compile=False)


@error(
    "Unrecognized keyword arguments passed to Dense: {'quantization_config'",
    guide=_WEIGHTS,
)
def _file_of_a_newer_keras() -> None:
    """Keras 3.13 or a newer one wrote the file, and an older Keras 3 reads it. Here a
    file is changed to look so.
    """
    import h5py

    layers = [keras.Input((4,)), keras.layers.Dense(3)]
    keras.Sequential(layers).save("new.h5")
    with h5py.File("new.h5", "r+") as file:
        text = file.attrs["model_config"]
        text = text.replace('"units"', '"quantization_config": null, "units"')
        file.attrs["model_config"] = text
    keras.models.load_model("new.h5")


@_file_of_a_newer_keras.fix
def _weights_of_a_newer_keras() -> None:
    """Upgrade Keras, or build the model with your code and load the weights."""
    layers = [keras.Input((4,)), keras.layers.Dense(3)]
    keras.Sequential(layers).save("new.h5")

    layers = [keras.Input((4,)), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.load_weights("new.h5")


@error("'is_legacy_optimizer': False}", guide=_COMPILE)
def _optimizer_of_keras_2_in_a_keras_file() -> None:
    """Keras 2 wrote the `.keras` file, with an optimizer that has other arguments on
    Keras 3. Here a file is changed to look so.
    """
    import zipfile

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    model.save("new.keras")
    text, old = b'"beta_1"', b'"is_legacy_optimizer": false, "beta_1"'
    old = b'"jit_compile": false, ' + old
    with (
        zipfile.ZipFile("new.keras") as source,
        zipfile.ZipFile("old.keras", "w") as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(text, old))
    keras.models.load_model("old.keras")


@_optimizer_of_keras_2_in_a_keras_file.fix
def _loaded_without_the_optimizer_of_keras_2() -> None:
    """Load with `compile=False`, and compile the model yourself."""
    import zipfile

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    model.save("new.keras")
    text, old = b'"beta_1"', b'"is_legacy_optimizer": false, "beta_1"'
    old = b'"jit_compile": false, ' + old
    with (
        zipfile.ZipFile("new.keras") as source,
        zipfile.ZipFile("old.keras", "w") as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(text, old))
    model = keras.models.load_model("old.keras", compile=False)
    model.compile("adam", "mse")


@error(
    "because its parent module keras.src.engine.functional cannot be imported",
    guide=_OBJECTS,
)
def _functional_model_of_keras_2_in_a_keras_file() -> None:
    """Keras 2 wrote the `.keras` file of a Functional model, whose class has another
    place on Keras 3. Here a file is changed to look so.
    """
    import zipfile

    x = keras.Input((4,))
    keras.Model(x, keras.layers.Dense(3)(x)).save("new.keras")
    text, old = b"keras.src.models.functional", b"keras.src.engine.functional"
    with (
        zipfile.ZipFile("new.keras") as source,
        zipfile.ZipFile("old.keras", "w") as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(text, old))
    keras.models.load_model("old.keras")


@_functional_model_of_keras_2_in_a_keras_file.fix
def _functional_model_that_is_passed() -> None:
    """Name the class. If another argument is not recognized then, load the weights."""
    import zipfile

    x = keras.Input((4,))
    keras.Model(x, keras.layers.Dense(3)(x)).save("new.keras")
    text, old = b"keras.src.models.functional", b"keras.src.engine.functional"
    with (
        zipfile.ZipFile("new.keras") as source,
        zipfile.ZipFile("old.keras", "w") as target,
    ):
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(text, old))
    known = {"Functional": keras.Model}
    keras.models.load_model("old.keras", custom_objects=known, compile=False)


@error("Invalid filepath extension for saving")
def _folder_to_save_in() -> None:
    """Keras 3 saves into a file, and not into a folder."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("my_model")


@_folder_to_save_in.fix
def _file_to_save_in() -> None:
    """End the name in `.keras`; a folder for serving is made by `model.export`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("my_model.keras")


@error(
    "File format not supported",
    *("keras-team/keras#18709", "cbrnr/sleepecg#214", "CCSI-Toolset/FOQUS#1202"),
    *("unicode-org/lstm_word_segmentation#28",),
    guide="reference/files.md#files-way-saved-model",
    needs="keras>=3",
)
def _folder_to_load() -> None:
    """The path is a folder, which Keras 2 saved or any Keras exported. `load_model` of
    Keras 3 does not read it.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.export("exported")
    keras.models.load_model("exported")


@_folder_to_load.fix
def _folder_as_a_layer() -> None:
    """Load it as a layer that only predicts: `call_endpoint="serve"` for a folder that
    was exported, `"serving_default"` for one that Keras 2 saved.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.export("exported")
    keras.layers.TFSMLayer("exported", call_endpoint="serve")


@error("File not found: filepath=")
def _file_that_is_not_there() -> None:
    """There is no file of this name in the folder where the program runs."""
    keras.models.load_model("missing.keras")


@_file_that_is_not_there.fix
def _file_that_is_there() -> None:
    """Pass the path from the root, or from `os.getcwd()`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("found.keras")
    keras.models.load_model(os.path.abspath("found.keras"))


@error(
    "The filename must end in `.weights.h5`",
    *(
        "keras-team/keras-io#1568",
        "tensorflow/tensorflow#75196",
        "tensorflow/docs#2327",
    ),
)
def _name_of_a_file_of_weights() -> None:
    """Keras 3 requires a name which says that the file holds weights alone."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("checkpoint")


@_name_of_a_file_of_weights.fix
def _name_with_weights_h5() -> None:
    """End the name in `.weights.h5`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("checkpoint.weights.h5")


@error("The filepath provided must end in `.keras`")
def _name_of_a_checkpoint() -> None:
    """`ModelCheckpoint` saves whole models, which Keras 3 writes as `.keras`."""
    keras.callbacks.ModelCheckpoint("best_model")


@_name_of_a_checkpoint.fix
def _name_of_a_checkpoint_with_keras() -> None:
    """End the name in `.keras`."""
    keras.callbacks.ModelCheckpoint("best_model.keras")


@error("When using `save_weights_only=True` in `ModelCheckpoint`")
def _name_of_a_checkpoint_of_weights() -> None:
    """Weights alone go into a file whose name ends in `.weights.h5`."""
    keras.callbacks.ModelCheckpoint("best.h5", save_weights_only=True)


@_name_of_a_checkpoint_of_weights.fix
def _name_of_a_checkpoint_with_weights_h5() -> None:
    """End the name in `.weights.h5`."""
    keras.callbacks.ModelCheckpoint("best.weights.h5", save_weights_only=True)


@error("model that has not yet been built", guide=_GUIDE + "#has-not-yet-been-built")
def _weights_for_an_unbuilt_model() -> None:
    """The model has no weights yet that could be filled."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("dense.weights.h5")
    keras.Sequential([keras.layers.Dense(1)]).load_weights("dense.weights.h5")


@_weights_for_an_unbuilt_model.fix
def _weights_for_a_built_model() -> None:
    """Put an Input first, or call the model on one batch, and then load."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("dense.weights.h5")
    new = keras.Sequential([keras.layers.Dense(1)])
    new(np.ones((1, 2)))
    new.load_weights("dense.weights.h5")


@error(
    "You are saving a model that has not yet been built",
    guide=_GUIDE + "#has-not-yet-been-built",
)
def _saving_an_unbuilt_model() -> None:
    """The model has no weights yet, so the file holds none."""
    keras.Sequential([keras.layers.Dense(1)]).save("unbuilt.keras")


@_saving_an_unbuilt_model.fix
def _saving_a_built_model() -> None:
    """Put an Input first, or call the model on one batch, and then save."""
    model = keras.Sequential([keras.layers.Dense(1)])
    model(np.ones((1, 2)))
    model.save("built.keras")


@error(
    "`function` is a Python lambda",
    *("keras-team/keras#18284", "keras-team/tf-keras#44", "keras-team/keras#23048"),
    guide="guides/custom_layers.md#lambda-and-where-it-is-refused",
)
def _lambda_in_a_file() -> None:
    """The file holds Python code, which Keras runs only if you trust it."""
    double = keras.layers.Lambda(lambda x: 2 * x)
    keras.Sequential([keras.Input((2,)), double]).save("lambda.keras")
    keras.models.load_model("lambda.keras")


@_lambda_in_a_file.fix
def _trusted_lambda_in_a_file() -> None:
    """Load a file that you trust with `safe_mode=False`. In a new model, write a layer
    in place of the `Lambda`.
    """
    double = keras.layers.Lambda(lambda x: 2 * x)
    keras.Sequential([keras.Input((2,)), double]).save("lambda.keras")
    keras.models.load_model("lambda.keras", safe_mode=False)


@error(
    "objects could not be loaded",
    guide=_TRANSFER + "#a-total-of-1-objects-could-not-be-loaded",
)
def _weights_of_another_model() -> None:
    """The file of weights belongs to a model of other layers or sizes, or Keras 2.13
    wrote it.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("two.weights.h5")
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.load_weights("two.weights.h5")


@_weights_of_another_model.fix
def _weights_of_the_same_model() -> None:
    """Build the same model. `skip_mismatch=True` loads what fits, and the other layers
    keep their random weights. Of Keras 2.13, take an `.h5` file.
    """
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save_weights("two.weights.h5")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.load_weights("two.weights.h5")


@error(
    "Layer count mismatch when loading weights from file",
    guide=_TRANSFER + "#a-total-of-1-objects-could-not-be-loaded",
)
def _h5_file_of_another_model() -> None:
    """The old `.h5` file belongs to a model with more or fewer layers."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("one_layer.h5")
    layers = [keras.layers.Dense(2), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    model.load_weights("one_layer.h5")


@_h5_file_of_another_model.fix
def _h5_file_of_the_same_model() -> None:
    """Build the same model first."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("one_layer.h5")
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.load_weights("one_layer.h5")


@error("You are saving your model as an HDF5 file")
def _saved_as_h5() -> None:
    """A warning: `.h5` is the format of old models."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("old.h5")


@_saved_as_h5.fix
def _saved_as_keras() -> None:
    """Save as `.keras`."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.save("new.keras")

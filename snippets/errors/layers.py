"""Layers and models of your own."""

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_GUIDE = "guides/subclassing.md"
_CUSTOM = "guides/custom_layers.md"


@error(
    "you forgot to call `super().__init__()`",
    guide=_GUIDE + "#you-forgot-to-call-super__init__",
)
def _layer_without_super() -> None:
    """An attribute was set before the parent class was called."""

    class Double(keras.layers.Layer):
        def __init__(self):
            self.inner = keras.layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    Double()(np.ones((1, 3)))


@_layer_without_super.fix
def _layer_with_super() -> None:
    """Make `super().__init__()` the first line of `__init__`."""

    class Double(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = keras.layers.Dense(2)

        def call(self, x):
            return self.inner(x)

    Double()(np.ones((1, 3)))


@error(
    "`name` must be passed as a keyword argument",
    guide=_CUSTOM + "#name-must-be-passed-as-a-keyword-argument",
)
def _name_of_a_weight_first() -> None:
    """The name of a weight came first on Keras 2; on Keras 3 the shape does."""

    class Scale(keras.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", shape=input_shape[-1:])

    Scale().build((None, 3))


@_name_of_a_weight_first.fix
def _name_of_a_weight_as_a_keyword() -> None:
    """Write `name=`."""

    class Scale(keras.layers.Layer):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=input_shape[-1:], name="scale")

    Scale().build((None, 3))


@error(
    "You cannot add new elements of state",
    guide=_GUIDE
    + "#tffunction-only-supports-singleton-tfvariables-created-on-the-first-call",
    needs="keras>=3",
)
def _state_in_call() -> None:
    """`call` makes a weight or a layer, which belongs into `__init__` or `build`."""

    class Scores(keras.layers.Layer):
        def call(self, x):
            self.dense = keras.layers.Dense(2)
            return self.dense(x)

    layer = Scores()
    layer(np.ones((1, 3)))
    layer(np.ones((1, 3)))


@_state_in_call.fix
def _state_in_init() -> None:
    """Make it once, in `__init__`."""

    class Scores(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    layer = Scores()
    layer(np.ones((1, 3)))
    layer(np.ones((1, 3)))


@error(
    "tf.function only supports singleton tf.Variables created on the first call",
    guide=_GUIDE
    + "#tffunction-only-supports-singleton-tfvariables-created-on-the-first-call",
)
def _variable_made_in_a_function() -> None:
    """A compiled function makes a variable, or a layer, at each call."""

    @tf.function
    def step(x):
        return x * tf.Variable(2.0)

    step(tf.constant(1.0))


@_variable_made_in_a_function.fix
def _variable_made_outside() -> None:
    """Make it once, outside of the function."""
    factor = tf.Variable(2.0)

    @tf.function
    def step(x):
        return x * factor

    step(tf.constant(1.0))


@error(
    "looks like it has unbuilt state, but Keras is not able to trace the layer"
    " `call()`",
    *("keras-team/keras#18699", "keras-team/keras#18763"),
    guide=_CUSTOM
    + "#looks-like-it-has-unbuilt-state-but-keras-is-not-able-to-trace-the-layer-call",
)
def _call_that_fails_on_symbols() -> None:
    """`call` fails on a `keras.Input`, so Keras cannot build the layers in it."""

    class Scores(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(np.abs(x))

    Scores()(keras.Input((3,)))


@_call_that_fails_on_symbols.fix
def _call_that_runs_on_symbols() -> None:
    """Use `keras.ops` in `call`, or write `build`."""

    class Scores(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(keras.ops.abs(x))

    Scores()(keras.Input((3,)))


@error(
    "The model does not have any trainable weights",
    guide="guides/transfer_learning.md#the-model-does-not-have-any-trainable-weights",
)
def _nothing_to_train() -> None:
    """Every weight is frozen, or the weights are `tf.Variable`s, which Keras 3 does not
    see.
    """

    class Scale(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.scale = tf.Variable(2.0)

        def call(self, x):
            return self.scale * x

    model = keras.Sequential([keras.Input((1,)), Scale()])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)


@_nothing_to_train.fix
def _a_weight_to_train() -> None:
    """Make weights with `add_weight`."""

    class Scale(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            return self.scale * x

    model = keras.Sequential([keras.Input((1,)), Scale()])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.ones((4, 1)), verbose=0)


@error(
    "Using a symbolic `tf.Tensor` as a Python `bool` is not allowed",
    guide=_GUIDE + "#using-a-symbolic-tftensor-as-a-python-bool-is-not-allowed",
)
def _if_in_call() -> None:
    """`call` asks `if` of a tensor, whose value is not known yet."""

    class Positive(keras.layers.Layer):
        def call(self, x):
            return x if tf.reduce_sum(x) > 0 else -x

    Positive()(keras.Input((3,)))


@_if_in_call.fix
def _where_in_call() -> None:
    """Use `keras.ops.where` or `keras.ops.cond`."""

    class Positive(keras.layers.Layer):
        def call(self, x):
            return keras.ops.where(keras.ops.sum(x) > 0, x, -x)

    Positive()(keras.Input((3,)))


@error(
    "Expected int32, but got None of type 'NoneType'",
    guide=_GUIDE + "#expected-int32-but-got-none-of-type-nonetype",
)
def _unknown_batch_size_in_call() -> None:
    """`x.shape[0]` is `None` until the batch is there."""

    class Shifted(keras.layers.Layer):
        def call(self, x):
            return x + tf.ones((x.shape[0], 4))

    Shifted()(keras.Input((4,)))


@_unknown_batch_size_in_call.fix
def _batch_size_in_call() -> None:
    """Ask for the size when the data is there: `keras.ops.shape(x)[0]`."""

    class Shifted(keras.layers.Layer):
        def call(self, x):
            return x + keras.ops.ones((keras.ops.shape(x)[0], 4))

    Shifted()(keras.Input((4,)))


@error(
    "'SymbolicTensor' object has no attribute 'numpy'",
    guide="guides/training_loops.md#object-has-no-attribute-numpy",
)
def _numpy_in_a_compiled_function() -> None:
    """A compiled function sees tensors without numbers."""

    @tf.function
    def show(x):
        print(x.numpy())

    show(tf.constant(1.0))


@_numpy_in_a_compiled_function.fix
def _print_in_a_compiled_function() -> None:
    """Print with `tf.print`, or compile the model with `run_eagerly=True`."""

    @tf.function
    def show(x):
        tf.print(x)

    show(tf.constant(1.0))


@error(
    "the layer does not have a `build()` method implemented",
    guide=_CUSTOM + "#build-was-called-on-layer-however-the-layer-does-not-have-a-build"
    "-method-implemented",
)
def _build_without_a_build_method() -> None:
    """`build(shape)` made no weights, since the layers inside are built by a call."""

    class Scores(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    Scores().build((None, 3))


@_build_without_a_build_method.fix
def _built_by_a_call() -> None:
    """Call the layer on an Input or an array instead."""

    class Scores(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    Scores()(keras.Input((3,)))


@error(
    "does not support masking and will therefore destroy the mask information",
    guide=_CUSTOM
    + "#does-not-support-masking-and-will-therefore-destroy-the-mask-information",
)
def _lost_mask() -> None:
    """The layers after this one count the padding, since it drops the mask."""

    class Double(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    Double()(keras.layers.Masking()(np.zeros((1, 2, 3), "float32")))


@_lost_mask.fix
def _passed_mask() -> None:
    """If every step keeps its place, set `supports_masking`."""

    class Double(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, x):
            return 2 * x

    Double()(keras.layers.Masking()(np.zeros((1, 2, 3), "float32")))


@error(
    "missing a required argument: 'b'", guide=_GUIDE + "#missing-a-required-argument"
)
def _two_arguments_of_call() -> None:
    """`fit` and `predict` pass all inputs as one argument."""

    class Total(keras.Model):
        def call(self, a, b):
            return a + b

    Total().predict([np.ones((2, 3)), np.ones((2, 3))], verbose=0)


@_two_arguments_of_call.fix
def _one_argument_of_call() -> None:
    """Take one argument, and unpack it."""

    class Total(keras.Model):
        def call(self, inputs):
            a, b = inputs
            return a + b

    Total().predict([np.ones((2, 3)), np.ones((2, 3))], verbose=0)


@error("does not have a `call()` method implemented", guide="guides/gans.md#gans")
def _model_without_call() -> None:
    """`predict` and a call need `call`; `fit` with your own `train_step` does not."""

    class GAN(keras.Model):
        def __init__(self, generator):
            super().__init__()
            self.generator = generator

    model = GAN(keras.layers.Dense(2))
    model.predict(np.ones((2, 3)), verbose=0)


@_model_without_call.fix
def _model_with_call() -> None:
    """Write `call`, or predict with the network inside."""

    class GAN(keras.Model):
        def __init__(self, generator):
            super().__init__()
            self.generator = generator

        def call(self, noise):
            return self.generator(noise)

    model = GAN(keras.layers.Dense(2))
    model.predict(np.ones((2, 3)), verbose=0)


@error("object has no attribute 'uses_learning_phase'")
def _uses_learning_phase() -> None:
    """An attribute of layers before TensorFlow 2."""
    keras.layers.Dropout(0.5).uses_learning_phase


@_uses_learning_phase.fix
def _training_is_an_argument() -> None:
    """Pass `training` to the call."""
    keras.layers.Dropout(0.5)(np.ones((2, 3)), training=True)


@error("too many positional arguments")
def _call_without_inputs() -> None:
    """`call` lacks its first argument, the inputs. If you are loading an `.h5` file of
    Keras 3: the model has an operator such as `+`, and `load_weights` reads it.
    """

    class Double(keras.layers.Layer):
        def call(self):
            return np.ones((2, 3))

    Double()(np.ones((2, 3)))


@_call_without_inputs.fix
def _call_with_inputs() -> None:
    """Write `def call(self, inputs)`."""

    class Double(keras.layers.Layer):
        def call(self, inputs):
            return 2 * inputs

    Double()(np.ones((2, 3)))

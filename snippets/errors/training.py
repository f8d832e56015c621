"""Compiling and training a model, and loops of your own."""

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_LOOPS = "guides/training_loops.md"
_FUNCTIONAL = "guides/functional.md"
_MESSAGES = "reference/functional_messages.md"


@error(
    "You must call `compile()` before using the model",
    guide="guides/sequential.md#other-messages",
)
def _model_that_is_not_compiled() -> None:
    """`fit` and `evaluate` need an optimizer and a loss."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@_model_that_is_not_compiled.fix
def _compiled_model() -> None:
    """Call `compile` first."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@error(
    "in the `loss` argument, can't be found",
    guide=_MESSAGES + "#the-path-x-in-the-loss-argument-cant-be-found",
)
def _loss_of_no_output() -> None:
    """A key of `loss` is the name of no output."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", {"mean": "mse", "max": "mae"})
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@_loss_of_no_output.fix
def _loss_of_each_output() -> None:
    """Use the keys of `outputs`."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", {"mean": "mse", "top": "mae"})
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@error(
    "y_true and y_pred have different structures",
    guide=_MESSAGES + "#y_true-and-y_pred-have-different-structures",
)
def _labels_of_one_output() -> None:
    """There are not as many arrays of labels as outputs."""
    x = keras.Input((3,))
    outputs = [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)]
    model = keras.Model(x, outputs)
    model.compile("sgd", ["mse", "mae"])
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@_labels_of_one_output.fix
def _labels_of_each_output() -> None:
    """Pass an array for each output with a loss."""
    x = keras.Input((3,))
    outputs = [keras.layers.Dense(1)(x), keras.layers.Dense(1)(x)]
    model = keras.Model(x, outputs)
    model.compile("sgd", ["mse", "mae"])
    model.fit(np.ones((4, 3)), [np.ones((4, 1)), np.ones((4, 1))], verbose=0)


@error(
    "`loss_weights` must match the number of losses",
    guide=_FUNCTIONAL + "#other-messages",
)
def _weight_of_one_loss() -> None:
    """There are more losses than weights for them."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", {"mean": "mse", "top": "mae"}, loss_weights={"top": 0.1})
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@_weight_of_one_loss.fix
def _weight_of_each_loss() -> None:
    """Give a weight for each loss."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    weights = {"mean": 1.0, "top": 0.1}
    model.compile("sgd", {"mean": "mse", "top": "mae"}, loss_weights=weights)
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@error("Invalid `metrics`", guide=_FUNCTIONAL + "#other-messages", needs="keras>=3")
def _metrics_in_one_list() -> None:
    """The model has several outputs, and `metrics` does not say which are whose."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", "mse", metrics=["mae"])
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@_metrics_in_one_list.fix
def _metrics_of_each_output() -> None:
    """Write a list for each output."""
    x = keras.Input((3,))
    outputs = {"mean": keras.layers.Dense(1)(x), "top": keras.layers.Dense(1)(x)}
    model = keras.Model(x, outputs)
    model.compile("sgd", "mse", metrics={"mean": ["mae"], "top": ["mae"]})
    y = {"mean": np.ones((4, 1)), "top": np.ones((4, 1))}
    model.fit(np.ones((4, 3)), y, verbose=0)


@error(
    "must have the same rank (ndim)", guide="guides/transfer_learning.md#other-messages"
)
def _whole_numbers_for_one_hot_labels() -> None:
    """`categorical_crossentropy` wants one-hot vectors, and got whole numbers."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", "categorical_crossentropy")
    model.fit(np.ones((4, 3)), np.array([0, 1, 2, 3]), verbose=0)


@_whole_numbers_for_one_hot_labels.fix
def _sparse_loss_for_whole_numbers() -> None:
    """Use `sparse_categorical_crossentropy`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((4, 3)), np.array([0, 1, 2, 3]), verbose=0)


@error("Arguments `target` and `output` must have the same shape")
def _column_of_whole_numbers_for_one_hot_labels() -> None:
    """`binary_crossentropy` and `categorical_crossentropy` want a label for each
    output. Here each row has one class number and ten outputs.
    """
    layer = keras.layers.Dense(10, activation="sigmoid")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "binary_crossentropy")
    model.fit(np.ones((4, 3)), np.array([[0], [1], [2], [3]]), verbose=0)


@_column_of_whole_numbers_for_one_hot_labels.fix
def _sparse_loss_for_a_column_of_whole_numbers() -> None:
    """For class numbers, use `sparse_categorical_crossentropy` and a softmax. For
    one-hot labels, use `categorical_crossentropy` and an output for each number. For
    yes or no, use `binary_crossentropy` and `Dense(1, "sigmoid")`.
    """
    layer = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((4, 3)), np.array([[0], [1], [2], [3]]), verbose=0)


@error(
    "must have rank (ndim) `target.ndim - 1`",
    guide="guides/transfer_learning.md#argument-output-must-have-rank-ndim-targetndim---1-",
)
def _one_hot_labels_for_the_sparse_loss() -> None:
    """`sparse_categorical_crossentropy` wants one class number for each row of outputs,
    and got one-hot vectors; or the outputs are still images, since the network has
    neither `Flatten` nor pooling before its last layer.
    """
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((5, 3)), np.eye(5), verbose=0)


@_one_hot_labels_for_the_sparse_loss.fix
def _whole_numbers_for_the_sparse_loss() -> None:
    """Use `categorical_crossentropy`, or make whole numbers of the labels."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((5, 3)), np.eye(5).argmax(axis=-1), verbose=0)


@error(
    "argument was produced by a Softmax activation", guide="guides/choosing.md#errors"
)
def _softmax_with_from_logits() -> None:
    """A warning: the loss expects scores, and the model ends in a softmax."""
    layer = keras.layers.Dense(3, activation="softmax")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", loss)
    model.fit(np.ones((2, 4)), np.array([0, 1]), verbose=0)


@_softmax_with_from_logits.fix
def _scores_with_from_logits() -> None:
    """Take one of the two away, here the softmax."""
    layer = keras.layers.Dense(3)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile("sgd", loss)
    model.fit(np.ones((2, 4)), np.array([0, 1]), verbose=0)


@error("`keras.optimizers.legacy` is not supported in Keras 3")
def _legacy_optimizer() -> None:
    """Keras 3 has dropped the optimizers of before Keras 2.11."""
    keras.optimizers.legacy.Adam(1e-3)


@_legacy_optimizer.fix
def _optimizer_without_legacy() -> None:
    """Use the optimizer without `legacy`."""
    keras.optimizers.Adam(1e-3)


@error("Argument(s) not recognized: {'lr':")
def _learning_rate_as_lr() -> None:
    """The argument is called `learning_rate`."""
    keras.optimizers.Adam(lr=1e-3)


@_learning_rate_as_lr.fix
def _learning_rate_in_full() -> None:
    """Write it in full."""
    keras.optimizers.Adam(learning_rate=1e-3)


@error("`decay` is no longer supported")
def _decay_of_an_optimizer() -> None:
    """Optimizers have no `decay`; Keras 3 ignores it."""
    keras.optimizers.SGD(learning_rate=0.1, decay=1e-4)


@_decay_of_an_optimizer.fix
def _schedule_of_a_learning_rate() -> None:
    """Use a schedule, here the same rate as `decay=1e-4`."""
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.1, 1, 1e-4)
    keras.optimizers.SGD(learning_rate=schedule)


@error("object has no attribute 'minimize'", guide=_LOOPS + "#old-and-new")
def _minimize_of_an_optimizer() -> None:
    """Optimizers of Keras 3 have no `minimize`."""
    w = keras.Variable(2.0) if hasattr(keras, "Variable") else tf.Variable(2.0)
    keras.optimizers.SGD(0.1).minimize(lambda: w * w, [w])


@_minimize_of_an_optimizer.fix
def _gradient_and_apply() -> None:
    """Record the loss on a tape, and apply its gradient."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = w * w
    keras.optimizers.SGD(0.1).apply_gradients([(tape.gradient(loss, w), w)])


@error("has no attribute 'get_scaled_loss'", guide=_LOOPS + "#old-and-new")
def _get_scaled_loss() -> None:
    """The methods for mixed precision have other names on Keras 3."""
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    optimizer.get_scaled_loss(tf.constant(1.0))


@_get_scaled_loss.fix
def _scale_loss() -> None:
    """Scale the loss; `apply` and `apply_gradients` unscale the gradients."""
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    optimizer.build([keras.Variable(1.0)])
    optimizer.scale_loss(tf.constant(1.0))


@error("object has no attribute 'reset_states'", guide=_LOOPS + "#old-and-new")
def _reset_states_of_a_metric() -> None:
    """The method is called `reset_state`, without an `s`."""
    keras.metrics.Mean().reset_states()


@_reset_states_of_a_metric.fix
def _reset_state_of_a_metric() -> None:
    """Write `reset_state()`."""
    keras.metrics.Mean().reset_state()


@error(
    "`model.compiled_loss()` is deprecated",
    guide=_LOOPS + "#old-and-new",
    needs="keras>=3",
)
def _compiled_loss() -> None:
    """A method of Keras 2, which Keras 3 keeps for a while."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model.compiled_loss(y, model(x))


@_compiled_loss.fix
def _compute_loss() -> None:
    """Call `compute_loss`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model.compute_loss(x, y, model(x))


@error(
    "This optimizer can only be called for the variables it was originally built with",
    "adapt-python/adapt#132",
    guide=_LOOPS + "#unknown-variable",
)
def _one_optimizer_for_two_models() -> None:
    """The optimizer was built for other weights: another model, or weights that were
    frozen then. After `load_model` of an `.h5` file: compile the model again.
    """
    optimizer = keras.optimizers.Adam()
    for name in "one", "two":
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name=name)])
        gradients = [np.zeros(w.shape, "float32") for w in model.trainable_variables]
        gradients = [tf.constant(gradient) for gradient in gradients]
        optimizer.apply_gradients(
            zip(gradients, model.trainable_variables, strict=True)
        )


@_one_optimizer_for_two_models.fix
def _an_optimizer_for_each_model() -> None:
    """Make an optimizer for each model, and compile again after unfreezing."""
    for name in "one", "two":
        optimizer = keras.optimizers.Adam()
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name=name)])
        gradients = [np.zeros(w.shape, "float32") for w in model.trainable_variables]
        gradients = [tf.constant(gradient) for gradient in gradients]
        optimizer.apply_gradients(
            zip(gradients, model.trainable_variables, strict=True)
        )


@error(
    "No gradients provided for any variable",
    guide=_LOOPS + "#no-gradients-provided-for-any-variable",
)
def _loss_outside_of_the_tape() -> None:
    """No gradient reached a weight: the loss was computed outside of the tape, or
    through NumPy, or through a function without a gradient.
    """
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = 3 * w
    loss = y * y
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])


@_loss_outside_of_the_tape.fix
def _loss_on_the_tape() -> None:
    """Compute the loss inside the `with`."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = 3 * w
        loss = y * y
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])


@error(
    "Gradients do not exist for variables",
    guide=_LOOPS + "#no-gradients-provided-for-any-variable",
)
def _weights_without_a_gradient() -> None:
    """The loss does not depend on some weights, and they are not trained."""

    class Scores(keras.Model):
        def __init__(self):
            super().__init__()
            self.used = keras.layers.Dense(1)
            self.unused = keras.layers.Dense(1)

        def call(self, x):
            self.unused(x)
            return self.used(x)

    model = Scores()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@_weights_without_a_gradient.fix
def _weights_with_a_gradient() -> None:
    """Use the layer in the output, or leave it out."""

    class Scores(keras.Model):
        def __init__(self):
            super().__init__()
            self.used = keras.layers.Dense(1)

        def call(self, x):
            return self.used(x)

    model = Scores()
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@error(
    "A non-persistent GradientTape can only be used to compute one set of gradients",
    guide="reference/gradient_tape.md",
)
def _two_gradients_of_one_tape() -> None:
    """A tape forgets what it recorded after one gradient."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        square, cube = w**2, w**3
    tape.gradient(square, w)
    tape.gradient(cube, w)


@_two_gradients_of_one_tape.fix
def _two_gradients_of_a_persistent_tape() -> None:
    """Write `persistent=True`, and delete the tape afterwards."""
    w = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        square, cube = w**2, w**3
    tape.gradient(square, w)
    tape.gradient(cube, w)
    del tape


@error(
    "triggered tf.function retracing. Tracing is expensive",
    *("tensorflow/tensorflow#34025", "tensorflow/tensorflow#38561"),
    *("tensorflow/tensorflow#42441", "tensorflow/tensorflow#43555"),
    guide=_LOOPS + "#triggered-tffunction-retracing",
)
def _function_traced_anew() -> None:
    """A function is compiled again and again: it is made in a loop, or gets new Python
    numbers or shapes each time.
    """

    @tf.function
    def double(x):
        return 2 * x

    for size in range(1, 8):
        double(size)


@_function_traced_anew.fix
def _function_traced_once() -> None:
    """Make it once, and pass tensors."""

    @tf.function
    def double(x):
        return 2 * x

    for size in range(1, 8):
        double(tf.constant(size))


@error("which is not available. Available metrics are")
def _early_stopping_without_validation() -> None:
    """A callback watches `val_loss`, and nothing was validated."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = keras.callbacks.EarlyStopping(monitor="val_loss")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), callbacks=[stop], verbose=0)


@_early_stopping_without_validation.fix
def _early_stopping_with_validation() -> None:
    """Pass validation data, or watch `loss`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    stop = keras.callbacks.EarlyStopping(monitor="loss")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), callbacks=[stop], verbose=0)


@error("has no attribute 'fit_generator'")
def _fit_generator() -> None:
    """`fit` takes generators itself."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = ((np.ones((4, 3)), np.ones((4, 1))) for _ in range(2))
    model.fit_generator(batches, steps_per_epoch=2)


@_fit_generator.fix
def _fit_with_a_generator() -> None:
    """Call `fit`."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    batches = ((np.ones((4, 3)), np.ones((4, 1))) for _ in range(2))
    model.fit(batches, steps_per_epoch=2, verbose=0)


@error("has no attribute 'predict_classes'")
def _predict_classes() -> None:
    """TensorFlow 2.6 took the method out of `Sequential`; Functional models never had
    it.
    """
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.predict_classes(np.ones((2, 3)))


@_predict_classes.fix
def _largest_score() -> None:
    """Several outputs: take the index of the largest. One sigmoid output: compare it
    with 0.5.
    """
    x = np.ones((2, 3))
    several = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    several.predict(x, verbose=0).argmax(axis=-1)

    layer = keras.layers.Dense(1, activation="sigmoid")
    one = keras.Sequential([keras.Input((3,)), layer])
    (one.predict(x, verbose=0) > 0.5).astype("int32")


@error("Could not interpret optimizer identifier")
def _optimizer_that_is_unknown() -> None:
    """Neither a name that Keras knows nor an optimizer of this Keras."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile(tf.compat.v1.train.AdamOptimizer, "mse")


@_optimizer_that_is_unknown.fix
def _optimizer_that_is_known() -> None:
    """Use `keras.optimizers`, from the same Keras as the model."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile(keras.optimizers.Adam(), "mse")


@error(
    "expected to be a half tensor but is a float tensor",
    guide="guides/custom_layers.md#expected-to-be-a-half-tensor-but-is-a-float-tensor",
)
def _constant_under_mixed_precision() -> None:
    """A float32 tensor meets a float16 one, under `mixed_float16`."""

    class Shift(keras.layers.Layer):
        def call(self, x):
            return x + tf.constant([1.0, 2.0, 3.0])

    Shift(dtype="mixed_float16")(np.ones((2, 3)))


@_constant_under_mixed_precision.fix
def _constant_of_the_compute_dtype() -> None:
    """Make constants in `self.compute_dtype`."""

    class Shift(keras.layers.Layer):
        def call(self, x):
            return x + tf.constant([1.0, 2.0, 3.0], self.compute_dtype)

    Shift(dtype="mixed_float16")(np.ones((2, 3)))


@error("Detected unsupported operations when trying to compile graph")
def _operation_that_xla_lacks() -> None:
    """The step is compiled by XLA, which has no operations on strings."""

    @tf.function(jit_compile=True)
    def text_of(x):
        return tf.strings.as_string(x)

    text_of(tf.constant(1.0))


@_operation_that_xla_lacks.fix
def _function_without_xla() -> None:
    """Write `jit_compile=False`; for a model, pass it to `compile`."""

    @tf.function(jit_compile=False)
    def text_of(x):
        return tf.strings.as_string(x)

    text_of(tf.constant(1.0))


@error("TensorBoard is not installed")
def _tensorboard_callback() -> None:
    """TensorFlow no longer installs TensorBoard."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    board = keras.callbacks.TensorBoard("logs")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), callbacks=[board], verbose=0)


@_tensorboard_callback.fix
def _log_in_a_file() -> None:
    """Run `pip install tensorboard`, or log to a file."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    log = keras.callbacks.CSVLogger("log.csv")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), callbacks=[log], verbose=0)

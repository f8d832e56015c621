"""No error, wrong result: mistakes that say nothing, and a guard that catches each.

The last line of each mistake is the guard, an assertion to paste. It fails on the
mistake, and passes on the right code. The comment above it says what its names are.
"""

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_LOOPS = "guides/training_loops.md#no-error-wrong-result"
_FUNCTIONAL = "guides/functional.md#no-error-wrong-result"
_SEQUENTIAL = "guides/sequential.md#no-error-wrong-result"
_SUBCLASSING = "guides/subclassing.md"
_PLACEHOLDERS = "guides/placeholders.md#no-error-wrong-result"


@error("The loss is `nan` from the first epoch")
def _nan_in_the_data() -> None:
    """One NaN in the data makes the loss NaN, and then every weight. `argmax` of NaN is
    class 0.
    """
    x, y = np.array([[1.0], [np.nan], [3.0], [4.0]]), np.ones((4, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    # Guard: `x` is your data. Ask the same of your labels.
    assert np.isfinite(x).all(), "there is NaN or infinity in the data"


@_nan_in_the_data.fix
def _rows_without_nan() -> None:
    """Leave such rows out, or fill them in, before you train."""
    x, y = np.array([[1.0], [np.nan], [3.0], [4.0]]), np.ones((4, 1))
    known = np.isfinite(x).all(axis=1)
    x, y = x[known], y[known]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    assert np.isfinite(x).all(), "there is NaN or infinity in the data"


@error("The loss grows and becomes `nan`")
def _steps_that_are_too_large() -> None:
    """The inputs, such as pixels from 0 to 255, or the learning rate are too large, and
    each step overshoots.
    """
    x, y = np.linspace(0, 255, 32)[:, None], np.ones((32, 1))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=30, verbose=0).history
    # Guard: `history` is the attribute of what `fit` returns. The data has no NaN.
    assert np.isfinite(history["loss"]).all(), "the steps are too large"


@_steps_that_are_too_large.fix
def _inputs_that_are_scaled() -> None:
    """Scale the inputs. If that is not enough, take a smaller learning rate. The
    callback `keras.callbacks.TerminateOnNaN()` stops at the first NaN.
    """
    x, y = np.linspace(0, 255, 32)[:, None], np.ones((32, 1))
    x = x / 255
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=30, verbose=0).history
    assert np.isfinite(history["loss"]).all(), "the steps are too large"


@error("The loss is negative")
def _labels_other_than_0_and_1() -> None:
    """`binary_crossentropy` got labels below 0 or above 1, here 1 and 2."""
    y = np.array([[1], [2], [2], [2]])
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile("sgd", "binary_crossentropy")
    model.fit(np.ones((4, 1)), y, verbose=0)
    # Guard: `y` holds your labels.
    assert ((y >= 0) & (y <= 1)).all(), "there are labels below 0 or above 1"


@_labels_other_than_0_and_1.fix
def _labels_of_0_and_1() -> None:
    """Number the two classes 0 and 1; divide masks of 0 and 255 by 255."""
    y = np.array([[1], [2], [2], [2]])
    y = y - 1
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile("sgd", "binary_crossentropy")
    model.fit(np.ones((4, 1)), y, verbose=0)
    assert ((y >= 0) & (y <= 1)).all(), "there are labels below 0 or above 1"


@error(
    "The accuracy stays low: the loss takes scores for probabilities",
    guide=_PLACEHOLDERS,
)
def _scores_for_probabilities() -> None:
    """The model ends without a softmax, and the loss was not told."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(5)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((4, 3)), np.zeros(4), verbose=0)
    sums = model.predict(np.ones((4, 3)), verbose=0).sum(axis=-1)
    # Guard: `predict` runs on your examples. Their classes exclude one another.
    assert np.allclose(sums, 1, atol=1e-3), "the outputs are no probabilities"


@_scores_for_probabilities.fix
def _softmax_for_probabilities() -> None:
    """End in a softmax, or write `from_logits=True` in the loss."""
    layer = keras.layers.Dense(5, activation="softmax")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(np.ones((4, 3)), np.zeros(4), verbose=0)
    sums = model.predict(np.ones((4, 3)), verbose=0).sum(axis=-1)
    assert np.allclose(sums, 1, atol=1e-3), "the outputs are no probabilities"


@error(
    "The loss stays above 0.3 (2 classes) or 1.4 (10 classes): softmax twice",
    guide="reference/errors/training.md#softmax-with-from-logits",
)
def _softmax_twice() -> None:
    """The model ends in a softmax, and the loss applies one more. A loss of Keras with
    `from_logits=True` warns if it sees the first; functions of TensorFlow do not.
    """
    scores = tf.constant([[9.0, 0.0], [0.0, 9.0]])
    outputs = tf.nn.softmax(scores)
    tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], outputs)
    # Guard: `outputs` is what the loss gets.
    sums = np.sum(outputs, axis=-1)
    assert not np.allclose(sums, 1), "the outputs are probabilities, not scores"


@_softmax_twice.fix
def _softmax_once() -> None:
    """Take the softmax out of the model, or `from_logits=True` out of the loss."""
    scores = tf.constant([[9.0, 0.0], [0.0, 9.0]])
    outputs = scores
    tf.nn.sparse_softmax_cross_entropy_with_logits([0, 1], outputs)
    sums = np.sum(outputs, axis=-1)
    assert not np.allclose(sums, 1), "the outputs are probabilities, not scores"


@error("Nothing is learned: rows and labels were shuffled apart")
def _shuffled_apart() -> None:
    """Two calls of `shuffle` draw two orders, so each row gets the label of another."""
    x, y = np.arange(6.0)[:, None], np.arange(6)
    label_of = {row.tobytes(): label for row, label in zip(x, y, strict=True)}
    random = np.random.default_rng(0)
    random.shuffle(x)
    random.shuffle(y)
    # Guard: make `label_of` before you shuffle. Every row of `x` must be different.
    found = [label_of[row.tobytes()] for row in x]
    assert np.array_equal(found, y), "rows have the labels of others"


@_shuffled_apart.fix
def _shuffled_together() -> None:
    """Draw one order, and use it for both."""
    x, y = np.arange(6.0)[:, None], np.arange(6)
    label_of = {row.tobytes(): label for row, label in zip(x, y, strict=True)}
    random = np.random.default_rng(0)
    order = random.permutation(len(x))
    x, y = x[order], y[order]
    found = [label_of[row.tobytes()] for row in x]
    assert np.array_equal(found, y), "rows have the labels of others"


@error("Class numbers are trained as amounts")
def _class_numbers_for_mse() -> None:
    """`mse` compares a column of class numbers with each output, and does not complain
    of their different shapes.
    """
    y = np.array([[0], [1], [2], [3]])
    layer = keras.layers.Dense(5, activation="softmax")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), y, verbose=0)
    # Guard: `y` holds your labels. It is for losses that subtract, such as `mse`.
    assert y.shape[1:] == model.output_shape[1:], "labels and outputs differ in shape"


@_class_numbers_for_mse.fix
def _vectors_for_mse() -> None:
    """Use `sparse_categorical_crossentropy` for class numbers, or make one-hot vectors
    of them.
    """
    y = np.array([[0], [1], [2], [3]])
    y = keras.utils.to_categorical(y, num_classes=5)
    layer = keras.layers.Dense(5, activation="softmax")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), y, verbose=0)
    assert y.shape[1:] == model.output_shape[1:], "labels and outputs differ in shape"


@error("The accuracy is wrong, the predictions are right")
def _accuracy_of_another_kind() -> None:
    """`categorical_accuracy` expects one-hot labels, and got class numbers."""
    x, y = np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([0, 1])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", loss, metrics=["categorical_accuracy"])
    told = model.evaluate(x, y, verbose=0)[1]
    own = np.mean(model.predict(x, verbose=0).argmax(axis=-1) == y)
    # Guard: `told` is the accuracy of Keras, `own` that of the class numbers `y`.
    assert np.isclose(told, own), "this metric is not the accuracy"


@_accuracy_of_another_kind.fix
def _accuracy_of_this_kind() -> None:
    """Write `"accuracy"`, which looks at the labels, or name the one for class numbers,
    `"sparse_categorical_accuracy"`.
    """
    x, y = np.array([[9.0, 0.0], [0.0, 9.0]]), np.array([0, 1])
    model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    loss = "sparse_categorical_crossentropy"
    model.compile("sgd", loss, metrics=["accuracy"])
    told = model.evaluate(x, y, verbose=0)[1]
    own = np.mean(model.predict(x, verbose=0).argmax(axis=-1) == y)
    assert np.isclose(told, own), "this metric is not the accuracy"


@error("The accuracy is 100 % at once: one output")
def _categorical_accuracy_of_one_output() -> None:
    """`categorical_accuracy` compares where the largest number stands. In one output
    and one label that is always the first place.
    """
    x, y = np.array([[-9.0], [9.0]]), np.array([[1], [0]])
    layer = keras.layers.Activation("sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile("sgd", "binary_crossentropy", metrics=["categorical_accuracy"])
    told = model.evaluate(x, y, verbose=0)[1]
    own = np.mean((model.predict(x, verbose=0) > 0.5) == y)
    # Guard: `told` is the accuracy of Keras, `own` that of the column of labels `y`.
    assert np.isclose(told, own), "this metric is not the accuracy"


@_categorical_accuracy_of_one_output.fix
def _binary_accuracy_of_one_output() -> None:
    """Write `"binary_accuracy"` for one output."""
    x, y = np.array([[-9.0], [9.0]]), np.array([[1], [0]])
    layer = keras.layers.Activation("sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile("sgd", "binary_crossentropy", metrics=["binary_accuracy"])
    told = model.evaluate(x, y, verbose=0)[1]
    own = np.mean((model.predict(x, verbose=0) > 0.5) == y)
    assert np.isclose(told, own), "this metric is not the accuracy"


@error("The accuracy stays low though the loss falls: scores below 0.5")
def _threshold_of_scores() -> None:
    """With `from_logits=True` the model returns scores, and the threshold between both
    classes is 0. `"accuracy"` uses 0.5.
    """
    x, y = np.array([[-2.0], [-1.0], [0.3], [0.4]]), np.array([0, 0, 1, 1])
    model = keras.Sequential([keras.Input((1,)), keras.layers.Rescaling(1.0)])
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    told = model.evaluate(x, y[:, None], verbose=0)[1]
    own = np.mean((model.predict(x, verbose=0)[:, 0] > 0) == y)
    # Guard: `told` is the accuracy of Keras, `own` that of the scores (here above 0).
    assert np.isclose(told, own), "the accuracy has another border"


@_threshold_of_scores.fix
def _threshold_of_0() -> None:
    """End in a sigmoid, and leave `from_logits=True` out; or compare the scores with 0
    yourself.
    """
    x, y = np.array([[-2.0], [-1.0], [0.3], [0.4]]), np.array([0, 0, 1, 1])
    layer = keras.layers.Activation("sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    loss = keras.losses.BinaryCrossentropy()
    model.compile("sgd", loss, metrics=["accuracy"])
    told = model.evaluate(x, y[:, None], verbose=0)[1]
    own = np.mean((model.predict(x, verbose=0)[:, 0] > 0.5) == y)
    assert np.isclose(told, own), "the accuracy has another border"


@error("Every example gets class 0")
def _argmax_of_one_output() -> None:
    """The largest of one number is always the first."""
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    scores = model.predict(np.array([[-9.0], [9.0]]), verbose=0)
    classes = scores.argmax(axis=-1)
    # Guard: `scores` comes from `predict`, on examples of both classes.
    assert scores.shape[-1] > 1 or classes.any(), "compare one output with 0.5"


@_argmax_of_one_output.fix
def _threshold_of_one_output() -> None:
    """Compare one output with 0.5. `argmax` is for several."""
    layer = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((1,)), layer])
    scores = model.predict(np.array([[-9.0], [9.0]]), verbose=0)
    classes = (scores[:, 0] > 0.5).astype("int32")
    assert scores.shape[-1] > 1 or classes.any(), "compare one output with 0.5"


@error("A loss is large though the predictions are right")
def _labels_that_are_stretched() -> None:
    """Predictions of shape `(4, 1)` minus labels of shape `(4,)` are a table of
    `(4, 4)` differences.
    """
    labels = tf.constant([1.0, 2.0, 3.0, 4.0])
    predictions = labels[:, None]
    tf.reduce_mean((labels - predictions) ** 2)
    # Guard: these are what you subtract.
    assert labels.shape == predictions.shape, "one is stretched to the other"


@_labels_that_are_stretched.fix
def _labels_of_the_same_shape() -> None:
    """Give both the same shape, here with `[:, None]`."""
    labels = tf.constant([1.0, 2.0, 3.0, 4.0])[:, None]
    predictions = tf.identity(labels)
    tf.reduce_mean((labels - predictions) ** 2)
    assert labels.shape == predictions.shape, "one is stretched to the other"


@error("The validation data is of one class")
def _validation_split_of_sorted_data() -> None:
    """`validation_split` takes the last rows as they are, and shuffles the others."""
    x, labels = np.arange(10.0)[:, None], np.array([0] * 6 + [1] * 4)
    validation = labels[-int(0.4 * len(labels)) :]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, labels, validation_split=0.4, verbose=0)
    # Guard: `labels` are your class numbers, 0.4 is your `validation_split`.
    assert set(validation) == set(labels), "a class is missing in the validation data"


@_validation_split_of_sorted_data.fix
def _validation_split_of_shuffled_data() -> None:
    """Shuffle rows and labels together first."""
    x, labels = np.arange(10.0)[:, None], np.array([0] * 6 + [1] * 4)
    order = np.random.default_rng(0).permutation(len(x))
    x, labels = x[order], labels[order]
    validation = labels[-int(0.4 * len(labels)) :]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, labels, validation_split=0.4, verbose=0)
    assert set(validation) == set(labels), "a class is missing in the validation data"


@error("Predictions do not belong to the labels")
def _shuffled_at_each_pass() -> None:
    """`shuffle` draws a new order at each pass. `predict` reads one pass, and you
    collect the labels in another, so they do not match.
    """
    x, y = np.arange(99.0)[:, None], np.arange(99)
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(99, seed=0)
    first, second = [[int(label) for _, label in data] for _ in range(2)]
    # Guard: `data` is the dataset that you predict.
    assert first == second, "each pass has another order"


@_shuffled_at_each_pass.fix
def _one_order_for_all_passes() -> None:
    """Predict a dataset without `shuffle`."""
    x, y = np.arange(99.0)[:, None], np.arange(99)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    first, second = [[int(label) for _, label in data] for _ in range(2)]
    assert first == second, "each pass has another order"


@error("`predict` gives other numbers at each call")
def _noise_in_every_call() -> None:
    """A layer draws random numbers in every call, or its `call` passes `training=True`
    to `Dropout`.
    """

    class Noise(keras.layers.Layer):
        def call(self, x):
            return x + tf.random.normal(tf.shape(x))

    model = keras.Sequential([keras.Input((2,)), Noise()])
    rows = np.ones((4, 2))
    first, second = [model.predict(rows, verbose=0) for _ in range(2)]
    # Guard: `rows` is a batch. A GPU may change the last digits.
    assert np.allclose(first, second, atol=1e-3), "the model draws random numbers"


@_noise_in_every_call.fix
def _noise_in_training() -> None:
    """Draw in training alone."""

    class Noise(keras.layers.Layer):
        def call(self, x, training=False):
            return x + tf.random.normal(tf.shape(x)) if training else x

    model = keras.Sequential([keras.Input((2,)), Noise()])
    rows = np.ones((4, 2))
    first, second = [model.predict(rows, verbose=0) for _ in range(2)]
    assert np.allclose(first, second, atol=1e-3), "the model draws random numbers"


@error(
    "`load_weights` leaves a layer out", guide="reference/files.md#files-way-weights"
)
def _layer_of_another_name() -> None:
    """With `by_name=True`, a layer whose name is not in the file keeps its random
    weights. With `skip_mismatch=True`, so does a layer of another shape; Keras warns.
    """
    layer = keras.layers.Dense(1, name="score")
    keras.Sequential([keras.Input((2,)), layer]).save("old.h5")
    layer = keras.layers.Dense(1, name="new_score")
    model = keras.Sequential([keras.Input((2,)), layer])
    for weight in model.weights:
        weight.assign(np.full(weight.shape, np.nan))
    model.load_weights("old.h5", by_name=True)
    # Guard: first set all weights to NaN, as above. What stays NaN was not loaded.
    missing = [weight.name for weight in model.weights if np.isnan(weight).any()]
    assert not missing, missing


@_layer_of_another_name.fix
def _layer_of_the_same_name() -> None:
    """Give the layers the names that they have in the file."""
    layer = keras.layers.Dense(1, name="score")
    keras.Sequential([keras.Input((2,)), layer]).save("old.h5")
    layer = keras.layers.Dense(1, name="score")
    model = keras.Sequential([keras.Input((2,)), layer])
    for weight in model.weights:
        weight.assign(np.full(weight.shape, np.nan))
    model.load_weights("old.h5", by_name=True)
    missing = [weight.name for weight in model.weights if np.isnan(weight).any()]
    assert not missing, missing


@error("Copied weights are not there", guide=_SEQUENTIAL)
def _copy_of_no_weights() -> None:
    """A Sequential model without a shape has no weights, and none are copied."""
    model = keras.Sequential([keras.layers.Dense(3)])
    copy = keras.Sequential([keras.layers.Dense(3)])
    copy.set_weights(model.get_weights())
    # Guard: `model` is the one that you copy from.
    assert model.get_weights(), "there was nothing to copy"


@_copy_of_no_weights.fix
def _copy_of_built_weights() -> None:
    """Begin both models with an Input."""
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    copy = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    copy.set_weights(model.get_weights())
    assert model.get_weights(), "there was nothing to copy"


@error(
    "The loss is 0.0 in every epoch",
    *("keras-team/keras#19529", "tensorflow/tensorflow#43470"),
    guide=_LOOPS,
)
def _loss_without_a_tracker() -> None:
    """Keras 3 shows its own loss tracker, and this `train_step` never updates it."""

    class OwnStep(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((y - self(x, training=True)) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            pairs = zip(gradients, self.trainable_variables, strict=True)
            self.optimizer.apply_gradients(pairs)
            return {"loss": loss}

    x = keras.Input((2,))
    model = OwnStep(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 2)), np.full((4, 1), 9.0), verbose=0).history
    # Guard: `history` is the attribute of what `fit` returns.
    assert history["loss"][0] > 0, "the loss is not tracked"


@_loss_without_a_tracker.fix
def _loss_with_a_tracker() -> None:
    """Update that tracker in the `train_step`, and return its result."""

    class OwnStep(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean((y - self(x, training=True)) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            pairs = zip(gradients, self.trainable_variables, strict=True)
            self.optimizer.apply_gradients(pairs)
            self.metrics[0].update_state(loss)
            return {"loss": self.metrics[0].result()}

    x = keras.Input((2,))
    model = OwnStep(x, keras.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    history = model.fit(np.ones((4, 2)), np.full((4, 1), 9.0), verbose=0).history
    assert history["loss"][0] > 0, "the loss is not tracked"


@error("A frozen layer still learns", guide=_LOOPS)
def _frozen_after_the_first_fit() -> None:
    """The first `fit` makes the training step, which does not see a flag that is set
    later.
    """
    layer = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    layer.trainable = False
    before = model.get_weights()[0]
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    # Guard: read a weight of the frozen layer before and after `fit`.
    assert np.array_equal(before, model.get_weights()[0]), "a frozen layer moved"


@_frozen_after_the_first_fit.fix
def _frozen_and_compiled_again() -> None:
    """Compile again after you set `trainable`."""
    layer = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((2,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    layer.trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()[0]
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert np.array_equal(before, model.get_weights()[0]), "a frozen layer moved"


@error(
    "`model.trainable = True` leaves the base frozen",
    guide="guides/transfer_learning.md#a-flag-that-is-already-there-is-skipped",
)
def _trainable_set_to_what_it_was() -> None:
    """`model.trainable` was `True` already. On Keras 3 with TensorFlow, setting it
    again does nothing, and the base inside stays frozen.
    """
    base = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    base.trainable = False
    model = keras.Sequential([keras.Input((2,)), base])
    model.trainable = True
    model.compile("sgd", "mse")
    # Guard: `base` is the model inside, after you have set the flags.
    assert base.trainable_weights, "the base is still frozen"


@_trainable_set_to_what_it_was.fix
def _trainable_of_the_base() -> None:
    """Set the flag of the base itself."""
    base = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    base.trainable = False
    model = keras.Sequential([keras.Input((2,)), base])
    base.trainable = True
    model.compile("sgd", "mse")
    assert base.trainable_weights, "the base is still frozen"


@error(
    "Every `Lambda` of a loop does the same",
    "keras-team/keras#13574",
    guide=_FUNCTIONAL,
)
def _lambda_over_a_loop_variable() -> None:
    """A function looks its variables up when it runs, after the loop."""
    x = keras.Input((3,))
    parts = [keras.layers.Lambda(lambda x: x[:, k : k + 1])(x) for k in range(3)]
    model = keras.Model(x, keras.layers.Concatenate()(parts))
    row = np.array([[0.0, 1.0, 2.0]], "float32")
    # Guard: `row` is an example whose outputs you know.
    assert np.array_equal(model(row), row), "the columns are not what they should be"


@_lambda_over_a_loop_variable.fix
def _lambda_with_a_default() -> None:
    """Give the function the value as a default, `lambda x, k=k:`."""
    x = keras.Input((3,))
    parts = [keras.layers.Lambda(lambda x, k=k: x[:, k : k + 1])(x) for k in range(3)]
    model = keras.Model(x, keras.layers.Concatenate()(parts))
    row = np.array([[0.0, 1.0, 2.0]], "float32")
    assert np.array_equal(model(row), row), "the columns are not what they should be"


@error("Three layers share their weights", guide=_FUNCTIONAL)
def _list_of_layers_times_three() -> None:
    """`[layer] * 3` holds one layer three times."""
    x = keras.Input((8,))
    y = x
    for layer in [keras.layers.Dense(8)] * 3:
        y = layer(y)
    model = keras.Model(x, y)
    # Guard: 6 is what you expect, here two for each of three layers.
    assert len(model.weights) == 6, "there are fewer layers than you meant"


@_list_of_layers_times_three.fix
def _list_of_three_layers() -> None:
    """Make each layer, `[Dense(8) for _ in range(3)]`."""
    x = keras.Input((8,))
    y = x
    for layer in [keras.layers.Dense(8) for _ in range(3)]:
        y = layer(y)
    model = keras.Model(x, y)
    assert len(model.weights) == 6, "there are fewer layers than you meant"


@error("`Add` accepts tensors of different shapes", guide=_FUNCTIONAL)
def _add_that_stretches() -> None:
    """An axis of size 1, and one that is missing, is stretched to the other size."""
    image, vector = keras.Input((8, 8, 3)), keras.Input((1, 1, 3))
    keras.layers.Add()([image, vector])
    # Guard: `image` and `vector` are what you add.
    assert image.shape == vector.shape, "one tensor is stretched to the other"


@_add_that_stretches.fix
def _add_of_equal_shapes() -> None:
    """Give both one shape. If you want one stretched, leave the guard out."""
    image, other = keras.Input((8, 8, 3)), keras.Input((8, 8, 3))
    keras.layers.Add()([image, other])
    assert image.shape == other.shape, "one tensor is stretched to the other"


@error("A list of labels goes to the wrong outputs", guide=_FUNCTIONAL)
def _list_of_labels_for_a_dict() -> None:
    """Keras 3 matches a list with the names of the outputs in alphabetical order."""
    x = keras.Input((1,))
    same, double = keras.layers.Rescaling(1.0)(x), keras.layers.Rescaling(2.0)(x)
    model = keras.Model(x, {"same": same, "double": double})
    model.compile("sgd", {"same": "mse", "double": "mse"})
    ones = np.ones((4, 1))
    loss = model.evaluate(ones, [ones, 2 * ones], verbose=0, return_dict=True)["loss"]
    # Guard: this model predicts its labels exactly. Test yours with such labels.
    assert loss == 0, "a perfect model looks wrong"


@_list_of_labels_for_a_dict.fix
def _dict_of_labels_for_a_dict() -> None:
    """Pass the labels as a dict, too."""
    x = keras.Input((1,))
    same, double = keras.layers.Rescaling(1.0)(x), keras.layers.Rescaling(2.0)(x)
    model = keras.Model(x, {"same": same, "double": double})
    model.compile("sgd", {"same": "mse", "double": "mse"})
    ones = np.ones((4, 1))
    labels = {"same": ones, "double": 2 * ones}
    loss = model.evaluate(ones, labels, verbose=0, return_dict=True)["loss"]
    assert loss == 0, "a perfect model looks wrong"


@error("An extra key shifts the inputs", "keras-team/keras#23258", guide=_FUNCTIONAL)
def _dict_with_an_extra_key() -> None:
    """Keras 3 pairs the sorted keys with the sorted Inputs."""
    price, cost = keras.Input((), name="price"), keras.Input((), name="cost")
    profit = keras.Model({"price": price, "cost": cost}, price - cost)
    sale = {
        "price": np.array([5.0]),
        "cost": np.array([3.0]),
        "article": np.array([9.0]),
    }
    profit(sale)
    # Guard: `sale` is what you pass, the list holds the Inputs.
    assert set(sale) == {x.name for x in [price, cost]}, "the keys are not the Inputs"


@_dict_with_an_extra_key.fix
def _dict_with_the_keys_of_the_inputs() -> None:
    """Pass the names of the Inputs, and no others."""
    price, cost = keras.Input((), name="price"), keras.Input((), name="cost")
    profit = keras.Model({"price": price, "cost": cost}, price - cost)
    sale = {"price": np.array([5.0]), "cost": np.array([3.0])}
    profit(sale)
    assert set(sale) == {x.name for x in [price, cost]}, "the keys are not the Inputs"


@error("A copied model forgets what `Normalization` learned", guide=_FUNCTIONAL)
def _clone_of_an_adapted_model() -> None:
    """On Keras 3, `set_weights` copies the mean and the variance, but the clone does
    not use them.
    """
    layer = keras.layers.Normalization()
    layer.adapt(np.array([[0.0], [10.0]]))
    model = keras.Sequential([keras.Input((1,)), layer])
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    x = np.array([[10.0]], "float32")
    # Guard: `x` is a batch, `clone` the copy.
    assert np.allclose(model(x), clone(x)), "the copy computes something else"


@_clone_of_an_adapted_model.fix
def _state_that_is_finalized() -> None:
    """Call `finalize_state()` of the layer, or copy the weights through a file."""
    layer = keras.layers.Normalization()
    layer.adapt(np.array([[0.0], [10.0]]))
    model = keras.Sequential([keras.Input((1,)), layer])
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    clone.layers[-1].finalize_state()
    x = np.array([[10.0]], "float32")
    assert np.allclose(model(x), clone(x)), "the copy computes something else"


@error("A Sequential model ignores its second input", guide=_SEQUENTIAL)
def _two_arrays_for_a_row_of_layers() -> None:
    """On Keras 3 it reads the first array alone."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    data = [np.ones((2, 3)), np.ones((2, 1))]
    model(data)
    # Guard: `data` is the list that you pass.
    assert len(data) == len(model.inputs), "there are more arrays than Inputs"


@_two_arrays_for_a_row_of_layers.fix
def _two_arrays_for_two_inputs() -> None:
    """Use a Functional model for several inputs."""
    a, b = keras.Input((3,)), keras.Input((1,))
    joined = keras.layers.Concatenate()([a, b])
    model = keras.Model([a, b], keras.layers.Dense(1)(joined))
    data = [np.ones((2, 3)), np.ones((2, 1))]
    model(data)
    assert len(data) == len(model.inputs), "there are more arrays than Inputs"


@error(
    "Images of another size are accepted",
    guide="guides/input_layers.md#a-sequential-model-checks-how-many-axes-there-are-not-how-long",
)
def _image_of_another_size() -> None:
    """A Sequential model of Keras 3 counts the axes, and does not look at their
    lengths.
    """
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    images = np.zeros((2, 4, 16, 1))
    model(images)
    # Guard: `images` is a batch.
    assert images.shape[1:] == model.input_shape[1:], "the images have another size"


@_image_of_another_size.fix
def _image_of_the_declared_size() -> None:
    """Resize the images, or build a Functional model, which refuses them."""
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten()])
    images = np.zeros((2, 8, 8, 1))
    model(images)
    assert images.shape[1:] == model.input_shape[1:], "the images have another size"


@error(
    "One image gets many predictions",
    guide="guides/input_layers.md#one-gray-image-without-its-batch-axis-is-read-as-a-batch-of-rows",
)
def _one_image_read_as_rows() -> None:
    """`predict` takes the first axis for the batch, and the rows of a gray image for
    images.
    """
    image = keras.Input((None, None, 1))
    maps = keras.layers.Conv2D(4, 3, padding="same")(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps))
    predicted = model.predict(np.ones((8, 8, 1)), verbose=0)
    # Guard: for one image there is one prediction.
    assert len(predicted) == 1, "the rows were read as images"


@_one_image_read_as_rows.fix
def _one_image_as_a_batch() -> None:
    """Put the batch axis in front, `image[None, ...]`."""
    image = keras.Input((None, None, 1))
    maps = keras.layers.Conv2D(4, 3, padding="same")(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(maps))
    predicted = model.predict(np.ones((8, 8, 1))[None, ...], verbose=0)
    assert len(predicted) == 1, "the rows were read as images"


@error(
    "`x == 0` is always `False`",
    guide="guides/input_layers.md#x--0-is-false",
    needs="keras>=3",
)
def _equal_signs_on_a_keras_tensor() -> None:
    """On Keras 3 `==` asks whether both sides are the same object."""
    x = keras.Input((3,))
    is_zero = x == 0
    # Guard: `is_zero` is the result of the comparison.
    assert keras.backend.is_keras_tensor(is_zero), "this compares no values"


@_equal_signs_on_a_keras_tensor.fix
def _equal_of_keras_ops() -> None:
    """Use `keras.ops.equal`."""
    x = keras.Input((3,))
    is_zero = keras.ops.equal(x, 0)
    assert keras.backend.is_keras_tensor(is_zero), "this compares no values"


@error("Dropout drops what it should keep", guide=_PLACEHOLDERS)
def _keep_prob_as_rate() -> None:
    """`keep_prob` of TensorFlow 1 says what is kept, and `rate` what is dropped."""
    kept = keras.layers.Dropout(0.8)(np.ones((1, 1000)), training=True)
    # Guard: 0.8 is the share that you want to keep.
    assert 0.7 < np.mean(np.array(kept) != 0) < 0.9, "not 80 % are kept"


@_keep_prob_as_rate.fix
def _rate_of_dropout() -> None:
    """Pass `1 - keep_prob`."""
    kept = keras.layers.Dropout(0.2)(np.ones((1, 1000)), training=True)
    assert 0.7 < np.mean(np.array(kept) != 0) < 0.9, "not 80 % are kept"


@error("Fractions are cut off", guide=_PLACEHOLDERS)
def _fractions_for_an_integer_input() -> None:
    """An Input of whole numbers cuts fractions off."""
    x = keras.Input((1,), dtype="int32")
    model = keras.Model(x, keras.layers.Rescaling(1.0)(x))
    rows = np.array([[2.7]])
    # Guard: this model returns its inputs. For yours, compare the dtypes.
    assert np.allclose(model.predict(rows, verbose=0), rows), "fractions were cut off"


@_fractions_for_an_integer_input.fix
def _fractions_for_a_float_input() -> None:
    """Declare `dtype="float32"`."""
    x = keras.Input((1,), dtype="float32")
    model = keras.Model(x, keras.layers.Rescaling(1.0)(x))
    rows = np.array([[2.7]])
    assert np.allclose(model.predict(rows, verbose=0), rows), "fractions were cut off"


@error("A random number is the same at each call", guide=_PLACEHOLDERS)
def _numpy_drawn_once() -> None:
    """NumPy and Python run once, when the `tf.function` is traced."""

    @tf.function
    def noise():
        return tf.constant(np.random.default_rng().random())

    # Guard: `noise` is your function that draws.
    assert float(noise()) != float(noise()), "it is drawn once"


@_numpy_drawn_once.fix
def _tensorflow_draws() -> None:
    """Draw with `tf.random`, or with `keras.random` and a `SeedGenerator` as `seed`; a
    whole number as `seed` draws the same at each call.
    """

    @tf.function
    def noise():
        return tf.random.uniform(())

    assert float(noise()) != float(noise()), "it is drawn once"


@error("A `tf.Variable` of a layer is not trained", guide=_SUBCLASSING)
def _tensorflow_variable_in_a_layer() -> None:
    """Keras 3 does not see it: it is neither trained nor counted nor saved."""

    class Scale(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = tf.Variable(1.0)

    # Guard: 1 is the number of weights that you expect.
    assert len(Scale().trainable_weights) == 1, "Keras does not see the weight"


@_tensorflow_variable_in_a_layer.fix
def _weight_in_a_layer() -> None:
    """Make weights with `add_weight`."""

    class Scale(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

    assert len(Scale().trainable_weights) == 1, "Keras does not see the weight"


@error("A reloaded layer has its default arguments", guide=_SUBCLASSING)
def _argument_that_get_config_forgets() -> None:
    """`get_config` leaves an argument out, and loading takes its default."""

    @keras.utils.register_keras_serializable("guard")
    class Times(keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return self.factor * x

        def get_config(self):
            return {**super().get_config()}

    model = keras.Sequential([keras.Input((1,)), Times(3.0)])
    model.save("times.keras")
    loaded = keras.models.load_model("times.keras")
    x = np.ones((1, 1))
    # Guard: `x` is a batch.
    assert np.allclose(model(x), loaded(x)), "the loaded model computes something else"


@_argument_that_get_config_forgets.fix
def _argument_in_get_config() -> None:
    """Return every argument from `get_config`."""

    @keras.utils.register_keras_serializable("guard")
    class Times(keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return self.factor * x

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    model = keras.Sequential([keras.Input((1,)), Times(3.0)])
    model.save("times.keras")
    loaded = keras.models.load_model("times.keras")
    x = np.ones((1, 1))
    assert np.allclose(model(x), loaded(x)), "the loaded model computes something else"


@error(
    "Images change when a model is called",
    guide="guides/transfer_learning.md#modelx-augments-the-images",
)
def _augmentation_in_a_call() -> None:
    """Layers for augmentation run as in training if you do not say otherwise. `Dropout`
    does not.
    """
    model = keras.Sequential([keras.layers.RandomTranslation(0.5, 0.5)])
    images = np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")
    # Guard: this model only augments. Call any other twice, and compare.
    assert np.allclose(model(images), images), "the images were changed"


@_augmentation_in_a_call.fix
def _no_augmentation_in_a_call() -> None:
    """Write `training=False`, or call `predict`."""
    model = keras.Sequential([keras.layers.RandomTranslation(0.5, 0.5)])
    images = np.random.default_rng(0).random((4, 8, 8, 1)).astype("float32")
    called = model(images, training=False)
    assert np.allclose(called, images), "the images were changed"


@error("A gradient is `None`", guide="reference/gradient_tape.md")
def _numpy_on_the_tape() -> None:
    """`.numpy()` leaves the tape, and what follows has no gradient."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = tf.constant((w * w).numpy())
    # Guard: `w` is a weight.
    assert tape.gradient(loss, w) is not None, "the loss does not depend on the weight"


@_numpy_on_the_tape.fix
def _tensors_on_the_tape() -> None:
    """Stay with tensors until the tape is closed."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = w * w
    assert tape.gradient(loss, w) is not None, "the loss does not depend on the weight"


@error("Augmentation is the same in every epoch", guide="guides/performance.md")
def _random_before_cache() -> None:
    """What is random before `cache()` is drawn once."""
    draw = tf.random.Generator.from_seed(0)
    data = tf.data.Dataset.range(3).map(lambda n: draw.uniform(())).cache()
    first, second = [[float(x) for x in data] for _ in range(2)]
    # Guard: `data` is your dataset; both passes read it.
    assert first != second, "each epoch has the same random numbers"


@_random_before_cache.fix
def _random_after_cache() -> None:
    """Put `cache()` before what is random."""
    draw = tf.random.Generator.from_seed(0)
    data = tf.data.Dataset.range(3).cache().map(lambda n: draw.uniform(()))
    first, second = [[float(x) for x in data] for _ in range(2)]
    assert first != second, "each epoch has the same random numbers"


@error("Regularization does nothing in a loop of your own", guide=_LOOPS)
def _loop_without_the_losses_of_layers() -> None:
    """The losses of regularizers are in `model.losses`, which a loop has to add."""
    layer = keras.layers.Dense(1, kernel_regularizer="l2")
    model = keras.Sequential([keras.Input((2,)), layer])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    predicted = model(x, training=True)
    loss = tf.reduce_mean((y - predicted) ** 2)
    whole = tf.reduce_mean((y - predicted) ** 2) + sum(model.losses)
    # Guard: `loss` is what you minimize.
    assert np.allclose(loss, whole), "the losses of layers are missing"


@_loop_without_the_losses_of_layers.fix
def _loop_with_the_losses_of_layers() -> None:
    """Add `sum(model.losses)`."""
    layer = keras.layers.Dense(1, kernel_regularizer="l2")
    model = keras.Sequential([keras.Input((2,)), layer])
    x, y = np.ones((4, 2), "float32"), np.ones((4, 1), "float32")
    predicted = model(x, training=True)
    loss = tf.reduce_mean((y - predicted) ** 2) + sum(model.losses)
    whole = tf.reduce_mean((y - predicted) ** 2) + sum(model.losses)
    assert np.allclose(loss, whole), "the losses of layers are missing"


@error("`BatchNormalization` learns nothing in a loop of your own", guide=_LOOPS)
def _loop_without_training() -> None:
    """A call without `training=True` uses the stored statistics, and keeps them."""
    layer = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((2,)), layer])
    model(np.full((4, 2), 5.0))
    # Guard: `layer` is a BatchNormalization, after a step of training.
    assert np.any(np.array(layer.moving_mean) != 0), "the statistics did not move"


@_loop_without_training.fix
def _loop_with_training() -> None:
    """Call the model with `training=True` in the step."""
    layer = keras.layers.BatchNormalization()
    model = keras.Sequential([keras.Input((2,)), layer])
    model(np.full((4, 2), 5.0), training=True)
    assert np.any(np.array(layer.moving_mean) != 0), "the statistics did not move"


@error("Pixels become other numbers")
def _pixels_outside_of_uint8() -> None:
    """NumPy wraps what does not fit into `uint8`: -1 becomes 255."""
    images = np.array([-1.0, 300.0])
    pixels = images.astype("int64").astype("uint8")
    # Guard: `images` before, `pixels` after the conversion. It lets fractions go.
    assert np.abs(pixels - images).max() < 1, "values do not fit into the dtype"


@_pixels_outside_of_uint8.fix
def _pixels_inside_of_uint8() -> None:
    """Clip before you convert."""
    images = np.clip(np.array([-1.0, 300.0]), 0, 255)
    pixels = images.astype("int64").astype("uint8")
    assert np.abs(pixels - images).max() < 1, "values do not fit into the dtype"


@error(
    "The discriminator of a GAN does not learn",
    *("keras-team/keras#8585", "keras-team/keras#9550", "eriklindernoren/Keras-GAN#91"),
    guide="guides/gans.md",
)
def _discriminator_frozen_for_the_gan() -> None:
    """On Keras 3, a discriminator that is frozen for the GAN before its own first step
    is frozen in its own training too.
    """
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    critic.compile("sgd", "mse")
    critic.trainable = False
    gan = keras.Sequential([generator, critic])
    gan.compile("sgd", "mse")
    before = critic.get_weights()[0]
    critic.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    # Guard: read a weight before and after one step of its training.
    assert not np.array_equal(before, critic.get_weights()[0]), "it does not learn"


@_discriminator_frozen_for_the_gan.fix
def _discriminator_traced_before() -> None:
    """Let it take its first step before you freeze it; better, write a `train_step` for
    both networks.
    """
    generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    critic.compile("sgd", "mse")
    before = critic.get_weights()[0]
    critic.train_on_batch(np.ones((4, 2)), np.ones((4, 1)))
    critic.trainable = False
    gan = keras.Sequential([generator, critic])
    gan.compile("sgd", "mse")
    assert not np.array_equal(before, critic.get_weights()[0]), "it does not learn"

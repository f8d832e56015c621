"""Proofs of the Training loops guide."""

import contextlib
import functools
import io
import logging
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

X = np.sin(np.arange(48, dtype="float32")).reshape(12, 4)
Y = np.arange(12) % 3
EAGER = {"loss": "sparse_categorical_crossentropy", "run_eagerly": True}
QUIET = {"batch_size": 4, "shuffle": False, "verbose": 0}


def classifier(model_class=keras.Model, dropout=0.0, seed=0):
    """A model from 4 numbers to 3 classes, with the same weights each time."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(shape=(4,))
    x = keras.layers.Dropout(dropout)(inputs) if dropout else inputs
    scores = keras.layers.Dense(3, activation="softmax")(x)
    return model_class(inputs, scores)


def crossentropy():
    return keras.losses.SparseCategoricalCrossentropy()


def take_step(model, loss, tape):
    """The second half of a step, as Keras 2 and Keras 3 take it."""
    variables = model.trainable_variables
    gradients = tape.gradient(loss, variables)
    model.optimizer.apply_gradients(zip(gradients, variables, strict=True))


class Untracked(keras.Model):
    """Its step returns the loss and updates no tracker."""

    key = "loss"

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        take_step(self, loss, tape)
        return {self.key: loss}


class Interrupt(keras.callbacks.Callback):
    """Raise in the middle of a training, after a number of steps."""

    def __init__(self, last_step):
        super().__init__()
        self.steps_left = last_step

    def on_train_batch_end(self, batch, logs=None):
        self.steps_left -= 1
        if not self.steps_left:
            raise KeyboardInterrupt


@contextlib.contextmanager
def mixed_float16():
    """Make new layers compute in float16, and only these."""
    keras.mixed_precision.set_global_policy("mixed_float16")
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy("float32")


def number(variable):
    """The value of a variable, which on Keras 3.4 `float` cannot read."""
    return np.array(variable).item()


def largest_difference(some, others):
    pairs = zip(some, others, strict=True)
    return max(float(np.max(np.abs(np.subtract(a, b)))) for a, b in pairs)


# The answer


@proves(
    "Override `train_step`: `fit` calls it once for each batch, and still does the "
    "rest: epochs, validation, callbacks, the progress bar.",
    false_with={"batch_size": 6},
)
def test_fit_calls_train_step_for_each_batch(batch_size=4):
    calls = []

    class Counted(keras.Model):
        def train_step(self, data):
            calls.append(len(data[0]))
            return super().train_step(data)

    model = classifier(Counted)
    model.compile("sgd", **EAGER)
    model.fit(X, Y, batch_size=batch_size, epochs=2, verbose=0)
    assert calls == [4] * 6


@functools.cache
def logs_of_a_step_that_does_nothing(default_step=False, epochs=2):
    """Fit a model that never learns; return history, epochs, what was printed, it."""
    seen = []

    class Idle(keras.Model):
        def train_step(self, data):
            if default_step:
                return super().train_step(data)
            return {"mine": tf.constant(1.0)}

    model = classifier(Idle)
    model.compile("sgd", **EAGER)
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(epoch)
    )
    options = {"epochs": epochs, "verbose": 1, "callbacks": [watch]}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        history = model.fit(X, Y, validation_data=(X, Y), **options)
    return history.history, seen, printed.getvalue(), model


@proves(
    "Override `train_step`: `fit` calls it once for each batch, and still does the "
    "rest: epochs, validation, callbacks, the progress bar.",
    false_with={"epochs": 3},
)
def test_fit_does_the_rest(epochs=2):
    history, seen, printed, _ = logs_of_a_step_that_does_nothing(epochs=epochs)
    assert seen == [0, 1]
    assert history["mine"] == [1.0, 1.0]
    assert len(history["val_loss"]) == 2
    assert "Epoch 2/2" in printed


@functools.cache
def weights_and_losses_of(way, dropout=0.2):
    """Train with the same start and the same batches; only the step differs."""
    from snippets.training_loops import OwnStep, training_step

    model = classifier(OwnStep if way == "train_step" else keras.Model, dropout)
    optimizer = keras.optimizers.Adam(0.1)
    data = tf.data.Dataset.from_tensor_slices((X, Y, X[:, 0] ** 2)).batch(4)
    if way == "loop":
        step = training_step(model, crossentropy(), optimizer)
        losses = [float(step(*batch)[0]) for batch in data.repeat(2)]
    else:
        model.compile(optimizer, crossentropy())
        steps = {"steps_per_epoch": 1, "epochs": 6, "verbose": 0, "shuffle": False}
        losses = model.fit(data.repeat(2), **steps).history["loss"]
    return losses, model.get_weights()


@proves(
    "This step trains as the one of Keras 3 does; change what should be different:",
    false_with={"dropout": 0.3},
    needs="keras>=3",
)
def test_own_step_is_the_step_of_keras(dropout=0.2):
    losses, weights = weights_and_losses_of("train_step", dropout)
    expected, expected_weights = weights_and_losses_of("fit")
    assert losses == expected
    assert largest_difference(weights, expected_weights) == 0.0


@proves(
    "loss | a function, as `loss` in `compile()` | nothing",
    false_with={"factor": 1.0},
)
def test_a_loss_is_a_function(factor=2.0):
    def double(y_true, y_pred):
        return factor * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    results = []
    for loss in (double, "sparse_categorical_crossentropy"):
        model = classifier()
        model.compile("sgd", loss, run_eagerly=True)
        history = model.fit(
            X, Y, batch_size=12, epochs=1, validation_split=0, verbose=0
        )
        results.append(history.history["loss"][0])
    assert np.isclose(results[0], 2 * results[1])


@proves(
    "loss that needs more than labels and predictions | `compute_loss` in a subclass | "
    "nothing",
    keras=">=3",
    false_with={"penalty": 0.0},
)
def test_compute_loss_sees_the_inputs(penalty=5.0):
    class Penalized(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
            loss = super().compute_loss(x, y, y_pred, *args, **kwargs)
            return loss + penalty * tf.reduce_mean(tf.square(x))

    losses = []
    for kind in (Penalized, keras.Model):
        model = classifier(kind)
        model.compile("sgd", **EAGER)
        history = model.fit(X, Y, batch_size=12, verbose=0).history
        losses.append(history["loss"][0])
    assert np.isclose(losses[0], losses[1] + 5.0 * np.mean(X**2))


@proves(
    "step: two optimizers, a penalty on gradients | `train_step` in a subclass | the "
    "default step alone",
    false_with={"default_step": True},
)
def test_a_step_gives_up_the_default_step(default_step=False):
    history, model = logs_of_a_step_that_does_nothing(default_step)[::3]
    assert set(history) == {"mine", "val_loss"}
    assert largest_difference(model.get_weights(), classifier().get_weights()) == 0.0


@proves(
    "order of steps | a loop | `fit`, and what it does between the steps",
    false_with={"use_ema": False},
    needs="keras>=3",
)
def test_a_loop_gives_up_fit(use_ema=True):
    from snippets.training_loops import training_step

    model = classifier()
    average = {"use_ema": True, "ema_momentum": 0.5} if use_ema else {}
    optimizer = keras.optimizers.SGD(0.5, **average)
    step = training_step(model, crossentropy(), optimizer)
    for _ in range(3):
        step(X, Y)
    last = model.get_weights()
    optimizer.finalize_variable_values(model.trainable_variables)
    assert largest_difference(last, model.get_weights()) > 0.0
    assert getattr(model, "history", None) is None


# Three ways


@proves(
    "An epoch of one step has the loss of that step, so `steps_per_epoch=1` makes "
    "`fit` "
    "report every step.",
    false_with={"steps": 3},
)
def test_an_epoch_of_one_step(steps=1):
    model = classifier()
    model.compile(keras.optimizers.SGD(0.5), **EAGER)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).repeat(3)
    options = {"steps_per_epoch": steps, "epochs": 3, "verbose": 0}
    losses = model.fit(data, **options).history["loss"]

    model, expected = classifier(), []
    for start in (0, 4, 8):
        batch = slice(start, start + 4)
        with tf.GradientTape() as tape:
            loss = crossentropy()(Y[batch], model(X[batch]))
        expected.append(float(loss))
        slopes = tape.gradient(loss, model.trainable_variables)
        for variable, slope in zip(model.trainable_variables, slopes, strict=True):
            variable.assign(variable - 0.5 * slope)
    assert np.allclose(losses, expected, atol=1e-6)


@proves(
    "Three curves that look like one: the losses of `fit`, of `train_step` and of the "
    "loop are equal in every step, dropout included.",
    false_with={"dropout": 0.3},
    needs="keras>=3",
)
def test_three_ways_take_the_same_steps(dropout=0.2):
    expected, _ = weights_and_losses_of("fit")
    for way in ("train_step", "loop"):
        assert weights_and_losses_of(way, dropout)[0] == expected


@proves(
    "Equal means equal: the largest difference of all steps, on one processor, is 0.",
    false_with={"dropout": 0.3},
    needs="keras>=3",
)
def test_the_largest_difference_is_zero(dropout=0.2):
    expected, expected_weights = weights_and_losses_of("fit")
    for way in ("train_step", "loop"):
        losses, weights = weights_and_losses_of(way, dropout)
        assert largest_difference([losses], [expected]) == 0.0
        assert largest_difference(weights, expected_weights) == 0.0


# What a step owes to `fit`


@proves(
    "`keras.utils.unpack_x_y_sample_weight(data)` | `sample_weight` and `class_weight` "
    "of `fit` are lost: both arrive in the third place",
    false_with={"weight": 3.0},
)
def test_weights_arrive_in_third_place(weight=2.0):
    seen = []

    class Seen(keras.Model):
        def train_step(self, data):
            _, _, weights = keras.utils.unpack_x_y_sample_weight(data)
            seen.append(np.asarray(weights).tolist())
            return super().train_step(data)

    model = classifier(Seen)
    model.compile("sgd", **EAGER)
    model.fit(X[:3], Y[:3], sample_weight=np.array([1.0, 2.0, 4.0]), **QUIET)
    model.fit(X[:3], Y[:3], class_weight={0: 1.0, 1: 1.0, 2: weight}, **QUIET)
    assert seen == [[1.0, 2.0, 4.0], [1.0, 1.0, 2.0]]


@proves(
    "`self(x, training=True)` | dropout does nothing",
    false_with={"training": True},
)
def test_training_true_turns_dropout_on(training=False):
    model = classifier(dropout=0.5)
    assert np.array_equal(model(X, training=training), model(X))
    assert not np.array_equal(model(X, training=True), model(X))


@proves(
    "`self.compute_loss(...)` | the losses that layers add, such as regularizers, are "
    "lost",
    false_with={"rate": 0.0},
)
def test_compute_loss_adds_the_losses_of_layers(rate=0.1):
    inputs = keras.Input(shape=(4,))
    regularizer = keras.regularizers.L2(rate)
    dense = keras.layers.Dense(3, "softmax", kernel_regularizer=regularizer)
    model = keras.Model(inputs, dense(inputs))
    model.compile("sgd", **EAGER)
    y_pred, labels = model(X), tf.constant(Y)
    added = float(model.compute_loss(X, labels, y_pred)) - float(
        crossentropy()(Y, y_pred)
    )
    assert np.isclose(
        added, rate * np.sum(np.square(model.get_weights()[0])), atol=1e-6
    )
    assert added > 0


@functools.cache
def step_under(policy, scaled):
    """How far one step of SGD moves the weights, with and without `scale_loss`."""
    from snippets.training_loops import OwnStep
    from snippets.training_loops.mistakes import UnscaledStep

    with mixed_float16() if policy == "mixed_float16" else contextlib.nullcontext():
        model = classifier(OwnStep if scaled else UnscaledStep)
        model.compile(keras.optimizers.SGD(0.5), **EAGER)
        before = model.get_weights()
        model.fit(X, Y, batch_size=12, verbose=0)
    return largest_difference(before, model.get_weights())


@proves(
    "`self.optimizer.scale_loss(loss)` | in `mixed_float16` the gradients are divided "
    "by a scale that they never had",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_scale_loss_is_missed(policy="mixed_float16"):
    ratio = step_under(policy, scaled=True) / step_under(policy, scaled=False)
    assert 0.9 * 32768 < ratio < 1.1 * 32768


@functools.cache
def untracked_history(epochs=2, patience=None):
    """Fit a model whose tracker hears nothing; return the losses and the model."""
    model = classifier(Untracked)
    model.compile(keras.optimizers.SGD(0.5), **EAGER)
    stop = keras.callbacks.EarlyStopping("loss", patience=patience or 100)
    fitted = model.fit(X, Y, epochs=epochs, callbacks=[stop], **QUIET)
    return fitted.history["loss"], model


@proves(
    "`self.metrics[0].update_state(...)` | on Keras 3, `fit` reports a loss of 0.0",
    keras=">=3",
)
def test_fit_reports_a_loss_of_zero():
    losses, model = untracked_history()
    assert losses == [0.0, 0.0]
    assert float(crossentropy()(Y, model(X))) > 0.5


@proves(
    "`self.compute_metrics(...)` | the metrics of `compile()` stay empty",
    false_with={"updated": True},
    needs="keras>=3",
)
def test_compute_metrics_updates_the_metrics_of_compile(updated=False):
    class Checked(keras.Model):
        def train_step(self, data):
            x, y = data
            y_pred = self(x)
            self.metrics[0].update_state(self.compute_loss(x, y, y_pred))
            return self.compute_metrics(x, y, y_pred) if updated else {"mine": 1.0}

    model = classifier(Checked)
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    model.compile("sgd", metrics=[accuracy], **EAGER)
    with contextlib.suppress(ValueError):  # `fit` may refuse to report an empty metric
        model.fit(X, Y, **QUIET)
    assert number(accuracy.count) == 0.0


@proves(
    "The first of `self.metrics` is the tracker of the loss.",
    false_with={"position": 1},
)
def test_first_metric_tracks_the_loss(position=0):
    model = classifier()
    model.compile("sgd", metrics=["accuracy"], **EAGER)
    history = model.fit(X, Y, **QUIET).history
    assert model.metrics[position].name == "loss"
    assert np.isclose(float(model.metrics[position].result()), history["loss"][0])


@proves(
    "Validation goes through `test_step`, which is untouched.",
    false_with={"name": "train_step"},
)
def test_validation_goes_through_test_step(name="test_step"):
    calls = []

    def counted(self, data):
        calls.append(name)
        return getattr(super(kind, self), name)(data)

    kind = type("Counted", (keras.Model,), {name: counted})
    model = classifier(kind)
    model.compile("sgd", **EAGER)
    model.evaluate(X, Y, batch_size=4, verbose=0)
    assert calls == ["test_step"] * 3


# Code that was written for Keras 2


def update_methods():
    """The ways to update weights that an optimizer has, of three."""
    names = ("minimize", "apply", "apply_gradients")
    return [name for name in names if hasattr(keras.optimizers.SGD(), name)]


@proves(
    "So `optimizer.minimize` is gone in Keras 3, and `apply` is new; `apply_gradients` "
    "is in both.",
    keras=">=3",
)
def test_minimize_is_gone():
    assert update_methods() == ["apply", "apply_gradients"]
    variable = keras.Variable(3.0)
    keras.optimizers.SGD(0.5).apply([tf.constant(2.0)], [variable])
    assert number(variable) == 2.0


@proves(
    "So `optimizer.minimize` is gone in Keras 3, and `apply` is new; `apply_gradients` "
    "is in both.",
    keras="<3",
)
def test_minimize_was_in_keras_2():
    assert update_methods() == ["minimize", "apply_gradients"]
    variable = tf.Variable(3.0)
    keras.optimizers.SGD(0.5).minimize(lambda: variable**2, [variable])
    assert float(variable) == 0.0


@proves(
    "So `optimizer.minimize` is gone in Keras 3, and `apply` is new; `apply_gradients` "
    "is in both.",
    false_with={"gradient": 0.0},
)
def test_apply_gradients_is_in_both(gradient=-2.0):
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    layer.build((None, 1))
    (variable,) = layer.trainable_variables
    gradients = [(gradient * tf.ones((1, 1)), variable)]
    keras.optimizers.SGD(0.5).apply_gradients(gradients)
    assert layer.get_weights()[0].item() == 2.0


@proves(
    "`reset_states()`, which older code calls, is gone too: write `reset_state()`.",
    keras=">=3",
)
def test_reset_states_is_gone():
    assert not hasattr(keras.metrics.Mean(), "reset_states")


@proves(
    "`reset_states()`, which older code calls, is gone too: write `reset_state()`.",
    keras="<3",
)
def test_reset_states_was_in_keras_2():
    metric = keras.metrics.Mean()
    metric.update_state(3.0)
    assert hasattr(metric, "reset_states")
    metric.reset_states()
    assert float(metric.result()) == 0.0


@proves(
    "`reset_states()`, which older code calls, is gone too: write `reset_state()`.",
    false_with={"reset": keras.metrics.Mean.result},
)
def test_reset_state_is_in_both(reset=keras.metrics.Mean.reset_state):
    metric = keras.metrics.Mean()
    metric.update_state(3.0)
    reset(metric)
    assert float(metric.result()) == 0.0


@proves(
    "`compiled_loss` warns; `compute_loss` is in both.",
    keras=">=3",
    false_with={"name": "compute_loss"},
)
def test_compiled_loss_warns(name="compiled_loss"):
    model = classifier()
    model.compile("sgd", **EAGER)
    arguments = (tf.constant(Y), model(X))
    if name == "compute_loss":
        arguments = (X, *arguments)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loss = getattr(model, name)(*arguments)
    messages = " ".join(str(warning.message) for warning in caught)
    assert "`model.compiled_loss()` is deprecated" in messages
    assert np.isclose(float(loss), float(crossentropy()(Y, model(X))))


@proves(
    "`compiled_loss` warns; `compute_loss` is in both.",
    false_with={"loss": "mse"},
)
def test_compute_loss_is_in_both(loss="sparse_categorical_crossentropy"):
    model = classifier()
    model.compile("sgd", loss)
    labels = tf.constant(Y) if loss == EAGER["loss"] else tf.one_hot(Y, 3)
    found = model.compute_loss(X, labels, model(X))
    assert np.isclose(float(found), float(crossentropy()(Y, model(X))))


# A whole loop by hand


@proves(
    "Between its steps `fit` resets metrics, validates, calls callbacks, draws a bar, "
    "stops early, and at the end puts averaged weights in place.",
    false_with={"epochs": 1},
)
def test_what_fit_does_between_the_steps(epochs=3):
    model = classifier()
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5)
    model.compile(optimizer, **EAGER)
    last, counts = [], []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            last[:] = [np.array(variable) for variable in model.trainable_variables]

        def on_epoch_end(self, epoch, logs=None):
            counts.append(number(model.metrics[0].count))
            model.stop_training = epoch == 1

    with contextlib.redirect_stdout(io.StringIO()) as printed:
        history = model.fit(
            *(X, Y),
            batch_size=4,
            epochs=epochs,
            validation_data=(X, Y),
            callbacks=[Watch()],
            verbose=1,
        )
    assert len(history.history["val_loss"]) == 2
    assert "3/3" in printed.getvalue()
    assert len(set(counts)) == 1
    assert largest_difference(last, model.get_weights()) > 0.0


@functools.cache
def history_of(way, weight=2.0):
    """Train with everything that `fit` does between the steps; return the history."""
    from snippets.training_loops import train_by_hand, weights_by_class

    model = classifier(dropout=0.2)
    optimizer = keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    class_weight = {1: weight}
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=0.04)
    test = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    if way == "loop":
        arrays = (X, Y, weights_by_class(Y, class_weight))
        data = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
        parts = (crossentropy(), optimizer, [accuracy], test, [stop])
        return train_by_hand(model, data, 20, *parts), model.get_weights()
    model.compile(optimizer, crossentropy(), metrics=[accuracy])
    options = {"epochs": 20, "validation_data": test, "callbacks": [stop], **QUIET}
    history = model.fit(X, Y, class_weight=class_weight, **options)
    return history.history, model.get_weights()


@proves(
    "`class_weight` is an argument of `fit` and no idea of Keras beyond it: a loop "
    "turns it into sample weights.",
    false_with={"weight": 3.0},
    needs="keras>=3",
)
def test_class_weight_becomes_sample_weights(weight=2.0):
    assert history_of("loop", weight)[0]["loss"] == history_of("fit")[0]["loss"]


@proves(
    "Nothing in this needs TensorFlow, so it is written in `keras.ops`:",
    false_with={"name": "training_step"},
    needs="keras>=3",
)
def test_weights_need_no_tensorflow(name="weights_by_class"):
    from snippets import training_loops

    assert "tf" not in getattr(training_loops, name).__code__.co_names


@proves(
    "The callback stopped it before the 20 epochs were over.",
    false_with={"patience": 20},
    needs="keras>=3",
)
def test_early_stopping_stops_the_loop(patience=2):
    from snippets.training_loops import train_by_hand

    stop = keras.callbacks.EarlyStopping("val_loss", patience=patience)
    data = [(X, Y)]
    parts = (crossentropy(), keras.optimizers.SGD(0.0), [], data, [stop])
    assert len(train_by_hand(classifier(), data, 20, *parts)["loss"]) == 3


@proves(
    "With the same seed, `fit` stops at the same epoch and writes the same history:",
    false_with={"weight": 3.0},
    needs="keras>=3",
)
def test_the_loop_writes_the_history_of_fit(weight=2.0):
    (by_fit, weights), (by_hand, same) = history_of("fit"), history_of("loop", weight)
    assert by_fit == by_hand
    assert largest_difference(weights, same) == 0.0


@proves(
    "The bar is `keras.utils.Progbar`, the one that `fit` uses:",
    false_with={"logger": keras.callbacks.History},
)
def test_the_bar_is_that_of_fit(logger=keras.callbacks.ProgbarLogger):
    model, logger = classifier(), logger()
    model.compile("sgd", **EAGER)
    with contextlib.redirect_stdout(io.StringIO()):
        model.fit(X, Y, callbacks=[logger], **{**QUIET, "verbose": 1})
    assert isinstance(getattr(logger, "progbar", None), keras.utils.Progbar)


@proves(
    "An empty dataset, a rank or a length that does not fit, and a label that is no "
    "class stop the loop before the step:",
    false_with={"label": 2},
    needs="keras>=3",
)
def test_the_loop_refuses_bad_data(label=3):
    from snippets.training_loops import train_by_hand

    model = classifier()
    before = model.get_weights()
    bad = [[], [(X[:, None], Y)], [(X, Y[:5])], [(X, np.where(Y == 1, label, Y))]]
    for batches in bad:
        with pytest.raises(ValueError, match=r"Expected .* Received: "):
            train_by_hand(model, batches, 1, crossentropy(), keras.optimizers.SGD())
    assert largest_difference(before, model.get_weights()) == 0.0


def fit_nothing(batches=0):
    """Fit an empty dataset; say what came of it, and which warnings there were."""
    model = classifier()
    model.compile("sgd", **EAGER)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4).take(batches)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            outcome = model.fit(data, verbose=0).history.get("loss", [])
        except (TypeError, ValueError) as error:
            outcome = f"{type(error).__name__}: {error}"
    return outcome, [str(warning.message) for warning in caught]


@proves(
    "`fit` itself differs here: given an empty dataset, Keras 2 raises a `ValueError`, "
    "Keras 3.4 stumbles over a `TypeError`, and Keras 3.6 and later warn and return a "
    "history of nothing.",
    keras="<3",
    false_with={"batches": 1},
)
def test_empty_dataset_on_keras_2(batches=0):
    outcome, _ = fit_nothing(batches)
    assert str(outcome).startswith("ValueError")
    assert "empty" in outcome


@proves(
    "`fit` itself differs here: given an empty dataset, Keras 2 raises a `ValueError`, "
    "Keras 3.4 stumbles over a `TypeError`, and Keras 3.6 and later warn and return a "
    "history of nothing.",
    keras=">=3.6",
    false_with={"batches": 1},
)
def test_empty_dataset_on_keras_3(batches=0):
    outcome, messages = fit_nothing(batches)
    assert outcome == []
    assert any("ran out of data" in message for message in messages)


@proves(
    "`fit` itself differs here: given an empty dataset, Keras 2 raises a `ValueError`, "
    "Keras 3.4 stumbles over a `TypeError`, and Keras 3.6 and later warn and return a "
    "history of nothing.",
    keras=">=3.4,<3.5",
    false_with={"batches": 1},
)
def test_empty_dataset_on_keras_3_4(batches=0):
    outcome, _ = fit_nothing(batches)
    assert outcome == "TypeError: 'NoneType' object is not iterable"


# Killed, and resumed


@functools.cache
def losses_after_three_steps(left_out=""):
    """Move a training to another model after 3 steps, and take 2 steps more there."""
    from snippets.training_loops import training_step

    parts = []
    for _ in range(2):
        model = classifier(dropout=0.5)
        optimizer = keras.optimizers.Adam(0.1)
        step = training_step(model, crossentropy(), optimizer)
        parts.append((model, optimizer, step))
    batches = [
        (X[start : start + 4], Y[start : start + 4]) for start in (0, 4, 8, 2, 6)
    ]
    (model, optimizer, step), (other, other_optimizer, other_step) = parts
    for batch in batches[:3]:
        step(*batch)
    weights = model.weights
    random_state = [v for v in model.variables if not any(v is w for w in weights)]
    other_weights = other.weights
    other_random = [
        v for v in other.variables if not any(v is w for w in other_weights)
    ]
    assert len(random_state) == len(other_random) == 1
    groups = {
        "weights": (weights, other_weights),
        "optimizer": (optimizer.variables, other_optimizer.variables),
        "random numbers": (random_state, other_random),
    }
    for name, (sources, targets) in groups.items():
        for source, target in zip(sources, targets, strict=True):
            if name != left_out:
                target.assign(source)
    rest = batches[:2] if left_out == "place" else batches[3:]
    return [float(other_step(*batch)[0]) for batch in rest]


@proves(
    "What the next step depends on is more than the weights: the state of the "
    "optimizer, the state of dropout's random numbers, and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_optimizer_state_matters(left_out="optimizer"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "What the next step depends on is more than the weights: the state of the "
    "optimizer, the state of dropout's random numbers, and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_random_state_matters(left_out="random numbers"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "What the next step depends on is more than the weights: the state of the "
    "optimizer, the state of dropout's random numbers, and the place in the data.",
    false_with={"left_out": "nothing"},
    needs="keras>=3",
)
def test_place_in_the_data_matters(left_out="place"):
    assert losses_after_three_steps(left_out) != losses_after_three_steps()


@proves(
    "The order of an epoch is a function of the seed and the epoch, so a new process "
    "knows it without having seen the epochs before.",
    false_with={"epoch": 2},
    needs="keras>=3",
)
def test_order_depends_on_seed_and_epoch(epoch=7):
    from snippets.training_loops.resuming import epoch_batches

    order = np.concatenate(epoch_batches(50, 8, 7, seed=1))
    again = np.concatenate(epoch_batches(50, 8, epoch, seed=1))
    other = np.concatenate(epoch_batches(50, 8, 7, seed=2))
    assert np.array_equal(order, again)
    assert not np.array_equal(order, other)
    assert sorted(order) == list(range(50))


def resumable(folder, on_step=None, seed=0):
    """Train for 4 epochs of 3 steps, saving after every second step."""
    from snippets.training_loops import train_resumably

    model = classifier(dropout=0.5)
    optimizer = keras.optimizers.Adam(0.1)
    options = {"epochs": 4, "batch_size": 4, "save_every": 2, "seed": seed}
    losses = train_resumably(
        *(model, X, Y, folder, crossentropy(), optimizer), **options, on_step=on_step
    )
    return losses, model.get_weights()


def interrupt_at(last_step):
    def on_step(step):
        if step == last_step:
            raise KeyboardInterrupt

    return on_step


@functools.cache
def losses_on_the_digits(last_step=0):
    """The run of the page: 3 epochs of 25 batches of 32, saved every 20 steps."""
    from snippets.data import digit_vectors
    from snippets.training_loops import train_resumably
    from snippets.training_loops.steps import small_classifier

    x, y = (array[:800] for array in digit_vectors())
    with tempfile.TemporaryDirectory() as folder:
        for on_step in (interrupt_at(last_step), None) if last_step else (None,):
            keras.utils.set_random_seed(0)
            optimizer = keras.optimizers.Adam(0.01)
            rest = {"epochs": 3, "save_every": 20, "on_step": on_step}
            with contextlib.suppress(KeyboardInterrupt):
                losses = train_resumably(
                    *(small_classifier(), x, y, folder, crossentropy(), optimizer),
                    **rest,
                )
    return losses


@proves(
    "The last checkpoint before the kill was that of step 40, so 35 of the 75 steps "
    "were left, and each has the loss of the run that was not killed.",
    false_with={"last_step": 30},
    needs="keras>=3",
)
def test_steps_after_the_last_checkpoint_are_repeated(last_step=50):
    whole, resumed = losses_on_the_digits(), losses_on_the_digits(last_step)
    assert (len(whole), len(resumed)) == (75, 35)
    assert resumed == whole[40:]


@proves(
    "The resumed run begins at step 41 and lies on the run that was never killed.",
    false_with={"last_step": 30},
    needs="keras>=3",
)
def test_the_resumed_run_begins_at_step_41(last_step=50):
    whole, resumed = losses_on_the_digits(), losses_on_the_digits(last_step)
    assert len(whole) - len(resumed) + 1 == 41
    assert resumed == whole[-len(resumed) :]


# TensorFlow warns of retracing twice in the life of a process, so this one, which
# serves two proofs, does first what makes it warn.
KILLED = """
import io, logging, os, signal, sys
import tensorflow as tf
from tensorflow import keras
log = io.StringIO()
tf.get_logger().addHandler(logging.StreamHandler(log))
for fresh in (False, True):
    for turn in range(7):
        if fresh or not turn:
            model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        model.predict(tf.ones((2, 4)), verbose=0)
    warnings = log.getvalue().count("triggered tf.function retracing")
    print(fresh, warnings, flush=True)
if keras.layers.Layer.__module__.startswith("keras.src"):
    from tests.proofs.test_training_loops import resumable
    kill = lambda step: step == 5 and os.kill(os.getpid(), signal.SIGKILL)
    resumable(sys.argv[1], kill)
"""


@functools.cache
def killed_process():
    """Kill a process in the second epoch of a training, and go on in this process.

    Returns its status, what it had printed before, and the losses and weights of here.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", KILLED, folder]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run(command, env=environment, capture_output=True, text=True)
        resumed = resumable(folder) if run.returncode < 0 else ([], [])
    return run.returncode, run.stdout, *resumed


@proves(
    "The proof of this sentence ends a process with `SIGKILL` in the middle of an "
    "epoch, goes on in another process, and finds every weight equal to the last bit.",
    false_with={"seed": 1},
    needs="keras>=3",
)
def test_killed_and_resumed_equals_uninterrupted(seed=0):
    status, _, losses, weights = killed_process()
    with tempfile.TemporaryDirectory() as folder:
        expected_losses, expected = resumable(folder, seed=seed)
    assert status == -signal.SIGKILL
    assert losses == expected_losses[4:]
    assert largest_difference(weights, expected) == 0.0


@proves(
    "A file gets its name when it is whole, and the one before it is kept.",
    false_with={"name": "save"},
    needs="keras>=3",
)
def test_a_checkpoint_has_its_name_when_it_is_whole(name="savez"):
    from snippets.training_loops import save_checkpoint

    def fail(file, *arrays):
        file.write(b"half of it")
        raise OSError("no space left on device")

    model, optimizer = classifier(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    original = getattr(np, name)
    with tempfile.TemporaryDirectory() as folder:
        setattr(np, name, fail)
        try:
            with contextlib.suppress(OSError):
                save_checkpoint(folder, model, optimizer, 3)
        finally:
            setattr(np, name, original)
        assert [path.name for path in Path(folder).iterdir()] == ["unfinished"]


@proves(
    "A file gets its name when it is whole, and the one before it is kept.",
    false_with={"steps": (3,)},
    needs="keras>=3",
)
def test_the_last_two_are_kept(steps=(1, 2, 3)):
    from snippets.training_loops import checkpoints, save_checkpoint

    model, optimizer = classifier(), keras.optimizers.SGD()
    optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        for step in steps:
            save_checkpoint(folder, model, optimizer, step)
        kept = [path.stem for path in checkpoints(folder)]
    assert kept == ["step-00000002", "step-00000003"]


@proves(
    "A folder of something else, or a checkpoint that is cut short, is refused, and "
    "nothing is overwritten:",
    false_with={"size": -1},
    needs="keras>=3",
)
def test_bad_folders_are_refused(size=500):
    with tempfile.TemporaryDirectory() as folder:
        with contextlib.suppress(KeyboardInterrupt):
            resumable(f"{folder}/cut", interrupt_at(5))
        newest = max(Path(folder, "cut").iterdir())
        content = newest.read_bytes()
        newest.write_bytes(content[:size] if size > 0 else content)
        Path(folder, "photos").mkdir()
        Path(folder, "photos/holiday.jpg").write_bytes(b"no checkpoint")
        for name in ("cut", "photos"):
            before = {p: p.read_bytes() for p in Path(folder, name).iterdir()}
            with pytest.raises(ValueError, match=r"Expected .* Received: "):
                resumable(f"{folder}/{name}")
            assert before == {p: p.read_bytes() for p in Path(folder, name).iterdir()}


@functools.cache
def resumed_by_backup(dropout=0.0, save_freq="epoch", interrupted=True, saved=True):
    """Fit for 3 epochs of 3 steps, interrupted after step 5 and resumed, or not.

    Returns the weights, the number of steps and the epochs that came to an end.
    """
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for last_step in (5, 0) if interrupted else (0,):
            model = classifier(dropout=dropout)
            optimizer = keras.optimizers.Adam(0.1)
            model.compile(optimizer, **EAGER)
            backup = keras.callbacks.BackupAndRestore(
                f"{folder}/backup", save_freq=save_freq
            )
            watch = keras.callbacks.LambdaCallback(
                on_epoch_end=lambda epoch, logs: seen.append(epoch)
            )
            callbacks = [*([backup] if saved else []), watch, Interrupt(last_step)]
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, epochs=3, callbacks=callbacks, **QUIET)
    return model.get_weights(), number(model.optimizer.iterations), seen


@proves(
    "Inside `fit`, `keras.callbacks.BackupAndRestore` goes on from the last epoch that "
    "it saved, with two limits.",
    false_with={"saved": False},
)
def test_backup_goes_on_from_the_last_epoch(saved=True):
    *_, epochs = resumed_by_backup(saved=saved)
    assert epochs == [0, 1, 2]


@proves(
    "A model without dropout resumes at the start of the epoch and ends the same; one "
    "with dropout does not, since the state of its random numbers is not saved.",
    false_with={"dropout": 0.5},
)
def test_backup_resumes_without_dropout(dropout=0.0):
    resumed, steps, _ = resumed_by_backup(dropout)
    expected, expected_steps, _ = resumed_by_backup(dropout, interrupted=False)
    assert steps == expected_steps == 9
    assert largest_difference(resumed, expected) < 1e-6


@proves(
    "A model without dropout resumes at the start of the epoch and ends the same; one "
    "with dropout does not, since the state of its random numbers is not saved.",
    false_with={"dropout": 0.0},
)
def test_backup_loses_the_state_of_dropout(dropout=0.5):
    resumed, *_ = resumed_by_backup(dropout)
    expected, *_ = resumed_by_backup(dropout, interrupted=False)
    assert largest_difference(resumed, expected) > 1e-4


@proves(
    "And with `save_freq=25` Keras 3 restores the weights of the middle of an epoch "
    "and "
    "then runs that epoch from its first batch: steps are taken twice.",
    keras=">=3",
    false_with={"save_freq": "epoch"},
)
def test_backup_repeats_steps_on_keras_3(save_freq=4):
    _, steps, _ = resumed_by_backup(save_freq=save_freq)
    assert steps == 4 + 6  # the fourth step is in the second epoch, which starts again


# Batches larger than the memory


def plain_gradients(model, x, y):
    with tf.GradientTape() as tape:
        loss = crossentropy()(y, model(x, training=True))
    return tape.gradient(loss, model.trainable_variables)


@proves(
    "The gradient of a large batch is the mean of the gradients of its parts, each "
    "counted by its size.",
    false_with={"examples": 11},
    needs="keras>=3",
)
def test_accumulated_gradients_are_those_of_the_batch(examples=12):
    from snippets.training_loops import accumulated_gradients

    model = classifier()
    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts=5)
    whole = plain_gradients(model, X[:examples], Y[:examples])
    assert largest_difference(parts, whole) < 1e-6


def accumulate(batch_size, parts, optimizer="SGD", examples=12, rate=0.5, epochs=1):
    """Fit for an epoch with Keras's own accumulation; return weights and optimizer."""
    steps = {"gradient_accumulation_steps": parts} if parts > 1 else {}
    model = classifier()
    built = getattr(keras.optimizers, optimizer)(rate, **steps)
    model.compile(built, **EAGER)
    options = {**QUIET, "batch_size": batch_size, "epochs": epochs}
    model.fit(X[:examples], Y[:examples], **options)
    return model.get_weights(), built


@proves(
    "Keras 3 has it built in: `gradient_accumulation_steps=4` with batches of 8 takes "
    "the steps of batches of 32.",
    false_with={"parts": 2},
    needs="keras>=3",
    keras=">=3.6",
)
def test_built_in_accumulation_is_the_large_batch(parts=4):
    x = np.sin(np.arange(256, dtype="float32")).reshape(64, 4)
    results = []
    for batch_size, count in ((8, parts), (32, None)):
        model = classifier()
        optimizer = keras.optimizers.Adam(0.1, gradient_accumulation_steps=count)
        model.compile(optimizer, **EAGER)
        options = {**QUIET, "batch_size": batch_size}
        model.fit(x, np.arange(64) % 3, **options)
        results.append(model.get_weights())
    assert largest_difference(*results) < 1e-5


@proves("Keras 2 has no such argument.", keras="<3")
def test_keras_2_does_not_accumulate():
    with pytest.raises(TypeError, match="gradient_accumulation_steps"):
        keras.optimizers.SGD(gradient_accumulation_steps=4)


@proves(
    "The parts count alike, whatever their size: a smaller last batch weighs too much.",
    false_with={"first": 5},
    needs="keras>=3",
)
def test_parts_count_alike(first=8):
    # 10 examples in two parts: SGD steps by the mean of the two means.
    model, rate = classifier(), 0.5
    halves = [slice(0, first), slice(first, 10)]
    means = [plain_gradients(model, X[part], Y[part]) for part in halves]
    expected = [
        w - rate * (np.array(a) + np.array(b)) / 2
        for w, a, b in zip(model.get_weights(), *means, strict=True)
    ]
    weights, _ = accumulate(first, parts=2, examples=10)
    assert largest_difference(weights, expected) < 1e-6
    whole, _ = accumulate(10, parts=1, examples=10)
    assert largest_difference(weights, whole) > 1e-2


@proves(
    "An epoch of 3 parts with `gradient_accumulation_steps=4` changes nothing until "
    "the "
    "next epoch.",
    false_with={"epochs": 2},
    needs="keras>=3",
)
def test_left_over_parts_wait(epochs=1):
    weights, _ = accumulate(4, parts=4, epochs=epochs)
    assert largest_difference(weights, classifier().get_weights()) == 0.0
    moved, _ = accumulate(4, parts=4, epochs=2)
    assert largest_difference(moved, weights) > 0.0


@proves(
    "`optimizer.iterations` counts updates, but a learning-rate schedule is asked with "
    "the number of parts, so it runs 4 times as fast.",
    false_with={"boundary": 4},
    needs="keras>=3",
    keras=">=3.6",
)
def test_schedules_count_parts(boundary=2):
    # The rate is 0 beyond the boundary. The only update is the first, of 4 parts, and
    # the schedule is asked with 3.
    piecewise = keras.optimizers.schedules.PiecewiseConstantDecay
    schedule = piecewise([boundary], [1.0, 0.0])
    weights, optimizer = accumulate(3, parts=4, rate=schedule)
    assert number(optimizer.iterations) == 1
    assert largest_difference(weights, classifier().get_weights()) == 0.0


@proves(
    "BatchNormalization sees the parts, not the batch, and so differs.",
    false_with={"layer": "Dense"},
    needs="keras>=3",
)
def test_batch_normalization_sees_parts(layer="BatchNormalization"):
    from snippets.training_loops import accumulated_gradients

    inputs = keras.Input(shape=(4,))
    options = {"units": 4} if layer == "Dense" else {}
    x = getattr(keras.layers, layer)(**options)(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))
    parts = accumulated_gradients(model, crossentropy(), X, Y, num_parts=3)
    assert largest_difference(parts, plain_gradients(model, X, Y)) > 1e-3


# Clipping, schedules, averages


def moved_by(optimizer, *gradients, times=1):
    """The change of variables that start at 0."""
    layer = keras.layers.Layer()
    variables = [
        layer.add_weight(shape=(len(gradient),), initializer="zeros", name=f"v{k}")
        for k, gradient in enumerate(gradients)
    ]
    for _ in range(times):
        tensors = [tf.constant(gradient, tf.float32) for gradient in gradients]
        optimizer.apply_gradients(zip(tensors, variables, strict=True))
    return [np.array(variable) for variable in variables], variables


@proves(
    "These live in the optimizer, so `fit`, `train_step` and a loop get them alike "
    "from "
    "`optimizer.apply`.",
    false_with={"clipnorm": None},
    needs="keras>=3",
)
def test_the_optimizer_brings_them_along(clipnorm=1.0):
    variable = keras.Variable([0.0, 0.0])
    optimizer = keras.optimizers.SGD(1.0, clipnorm=clipnorm)
    optimizer.apply([tf.constant([3.0, 4.0])], [variable])
    assert np.allclose(variable, [-0.6, -0.8])


@proves(
    "`clipvalue=1.0` | cuts each number of a gradient to `[-1, 1]`",
    false_with={"limit": 2.0},
)
def test_clipvalue_cuts_numbers(limit=1.0):
    optimizer = keras.optimizers.SGD(1.0, clipvalue=limit)
    assert np.allclose(moved_by(optimizer, [3.0, 0.5])[0], [[-1.0, -0.5]])


@proves(
    "`clipnorm=1.0` | shortens the gradient of each variable to length 1",
    false_with={"limit": 2.0},
)
def test_clipnorm_shortens_each(limit=1.0):
    moved, _ = moved_by(keras.optimizers.SGD(1.0, clipnorm=limit), [3.0, 4.0], [5.0])
    assert [round(float(np.linalg.norm(part)), 5) for part in moved] == [1.0, 1.0]


@proves(
    "`global_clipnorm=1.0` | shortens all gradients together, and keeps their "
    "direction",
    false_with={"limit": 2.0},
)
def test_global_clipnorm_shortens_all(limit=1.0):
    gradients = [3.0, 4.0], [12.0]
    optimizer = keras.optimizers.SGD(1.0, global_clipnorm=limit)
    moved = -np.concatenate(moved_by(optimizer, *gradients)[0])
    assert np.allclose(moved, np.array([3.0, 4.0, 12.0]) / 13, atol=1e-5)


@proves(
    "`learning_rate=schedule` | asks the schedule at every step",
    false_with={"times": 2},
)
def test_a_schedule_is_asked_at_every_step(times=3):
    piecewise = keras.optimizers.schedules.PiecewiseConstantDecay
    schedule = piecewise([0, 1], [1.0, 10.0, 100.0])
    moved, _ = moved_by(keras.optimizers.SGD(schedule), [1.0], times=times)
    assert np.allclose(moved, [[-111.0]])


@proves(
    "`use_ema=True` | keeps a moving average of the weights, and `fit` ends with it in "
    "place",
    keras=">=3",
    false_with={"momentum": 0.6},
)
def test_fit_ends_with_the_average(momentum=0.5):
    averages, model = [], classifier()

    class Average(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            now = [np.array(variable) for variable in self.model.trainable_variables]
            averages.append(
                [0.5 * (a + b) for a, b in zip(averages[-1], now, strict=True)]
                if averages
                else now
            )

    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=momentum)
    model.compile(optimizer, **EAGER)
    model.fit(X, Y, callbacks=[Average()], **QUIET)
    assert largest_difference(model.get_weights(), averages[-1]) < 1e-5


@proves(
    "The average is put in place by `optimizer.finalize_variable_values`, and a loop "
    "that does not call it keeps the last weights.",
    false_with={"use_ema": False},
)
def test_a_loop_must_finalize_the_average(use_ema=True):
    options = {"use_ema": True, "ema_momentum": 0.5} if use_ema else {}
    optimizer = keras.optimizers.SGD(1.0, **options)
    last, variables = moved_by(optimizer, [1.0], times=3)
    assert np.allclose(last, [[-3.0]])
    if use_ema:
        optimizer.finalize_variable_values(variables)
    assert -3.0 < number(variables[0]) < 0.0


@proves(
    "20 steps of warming up, then a cosine down to 0.",
    false_with={"peak": 0.2},
    needs="keras>=3",
)
def test_warmup_then_a_cosine(peak=0.1):
    from snippets.training_loops import warmup_then_cosine

    schedule = warmup_then_cosine(peak, warmup_steps=20, total_steps=200)
    rates = [float(schedule(step)) for step in (0, 10, 20, 65, 110, 200)]
    cosine = [0.05 * (1 + np.cos(np.pi * part)) for part in (0, 0.25, 0.5, 1)]
    assert np.allclose(rates, [0.0, 0.05, *cosine], atol=1e-6)


@proves(
    "Keras takes a negative learning rate without a word; this recipe does not.",
    false_with={"rate": 1.0},
)
def test_keras_takes_a_negative_rate(rate=-1.0):
    moved, _ = moved_by(keras.optimizers.SGD(rate), [1.0])
    assert np.allclose(moved, [[1.0]])


@proves(
    "Keras takes a negative learning rate without a word; this recipe does not.",
    false_with={"rate": 0.1},
    needs="keras>=3",
)
def test_the_schedule_refuses_bad_arguments(rate=-0.1):
    from snippets.training_loops import warmup_then_cosine

    with pytest.raises(ValueError, match="Expected `peak_rate` greater than 0"):
        warmup_then_cosine(rate, warmup_steps=20, total_steps=200)


# Mixed precision


@proves(
    "A float16 cannot hold 0.00000001: a gradient of that size becomes 0.",
    false_with={"dtype": "float32"},
)
def test_small_gradients_vanish_in_float16(dtype="float16"):
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(tf.cast(x, dtype) * 1.0, "float32") * 1e-8
    assert float(tape.gradient(y, x)) == 0.0


@proves(
    "So the loss is multiplied by a scale before the tape computes gradients, and the "
    "optimizer divides them by it.",
    false_with={"scaled": False},
    needs="keras>=3",
)
def test_scaled_gradients_survive(scaled=True):
    variable = keras.Variable(1.0)
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    optimizer.build([variable])
    with tf.GradientTape() as tape:
        loss = tf.cast(tf.cast(variable, "float16") * 1.0, "float32") * 1e-6
        loss = optimizer.scale_loss(loss) if scaled else loss
    optimizer.apply(tape.gradient(loss, [variable]), [variable])
    assert np.isclose(1.0 - number(variable), 1e-6, rtol=0.1)


@proves(
    "Keras 3 wraps the optimizer for this in `compile()`, if the policy is "
    "`mixed_float16`:",
    keras=">=3",
    false_with={"policy": contextlib.nullcontext},
)
def test_compile_wraps_the_optimizer(policy=mixed_float16):
    with policy():
        model = classifier()
        model.compile("sgd", "mse")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"


@proves(
    "In a loop, wrap it yourself, in `keras.mixed_precision.LossScaleOptimizer`, which "
    "skips a step whose gradients are not finite and halves the scale.",
    false_with={"gradient": 1.0},
    needs="keras>=3",
)
def test_a_step_of_infinite_gradients_is_skipped(gradient=np.inf):
    variable = keras.Variable(1.0)
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD(1.0))
    optimizer.build([variable])
    before = number(optimizer.dynamic_scale)
    optimizer.apply([tf.constant(gradient)], [variable])
    assert number(variable) == 1.0
    assert number(optimizer.dynamic_scale) == before / 2


@proves(
    "Keras 2 called the method `get_scaled_loss`.",
    keras="<3",
)
def test_get_scaled_loss_was_keras_2():
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    assert hasattr(optimizer, "get_scaled_loss")
    assert float(optimizer.get_scaled_loss(tf.constant(1.0))) == 2.0**15
    assert not hasattr(optimizer, "scale_loss")


@proves(
    "Keras 2 called the method `get_scaled_loss`.",
    keras=">=3",
)
def test_scale_loss_is_keras_3():
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    assert hasattr(optimizer, "scale_loss")
    optimizer.build([keras.Variable(1.0)])
    assert float(optimizer.scale_loss(tf.constant(1.0))) == 2.0**15
    assert not hasattr(optimizer, "get_scaled_loss")


# When `tf.function` traces again


def traces(calls, **options):
    """How often a compiled function has been traced after each call."""
    compiled = tf.function(lambda x: x * 2, **options)
    counts = []
    for argument in calls:
        compiled(argument)
        counts.append(int(compiled.experimental_get_tracing_count()))
    return counts


SIZES = [tf.ones(size) for size in (32, 32, 5, 7)]


@proves(
    "A compiled step is traced once, and then only its graph runs.",
    false_with={"last": 3},
)
def test_a_compiled_step_is_traced_once(last=2.0):
    python_runs = []
    compiled = tf.function(lambda x: python_runs.append(x) or x * 2)
    for number in (1.0, last):
        compiled(tf.constant(number))
    assert len(python_runs) == 1


@proves(
    "It is traced again whenever the call looks new.",
    false_with={"argument": tf.ones(32)},
)
def test_a_new_kind_of_call_is_traced(argument=SIZES[-1]):
    assert traces([SIZES[0], argument]) == [1, 2]
    assert traces([SIZES[0], tf.ones(32, "int32")]) == [1, 2]


@proves("another Python number | every time", false_with={"kind": tf.constant})
def test_python_numbers_are_traced(kind=int):
    assert traces([kind(number) for number in (1, 2, 3)]) == [1, 2, 3]


@proves(
    "another value in a tensor of the same shape and dtype | no more",
    false_with={"kind": int},
)
def test_tensor_values_are_not_traced(kind=tf.constant):
    assert traces([kind(number) for number in (1, 2, 3)]) == [1, 1, 1]


@proves(
    "another shape, as the smaller last batch has | once for each",
    false_with={"options": {"reduce_retracing": True}},
)
def test_shapes_are_traced(options=()):
    assert traces(SIZES, **dict(options)) == [1, 1, 2, 3]


@proves(
    "another shape, with `reduce_retracing=True` | once more, for any size",
    false_with={"reduce": False},
)
def test_reduced_retracing(reduce=True):
    assert traces(SIZES, reduce_retracing=reduce) == [1, 1, 2, 2]


@proves(
    "another shape, with `None` in `input_signature` | no more; another rank raises an "
    "error",
    false_with={"declared": False},
)
def test_a_signature_is_traced_once(declared=True):
    signature = {"input_signature": [tf.TensorSpec((None,), tf.float32)]}
    counts = traces(SIZES, **(signature if declared else {}))
    assert counts == [1] * 4


@proves(
    "another shape, with `None` in `input_signature` | no more; another rank raises an "
    "error",
    false_with={"shape": (2,)},
)
def test_another_rank_is_refused(shape=(2, 2)):
    signature = [tf.TensorSpec((None,), tf.float32)]
    with pytest.raises((TypeError, ValueError)):
        traces([tf.ones(shape)], input_signature=signature)


@proves(
    "`fit` compiles its step once for a model, and its smaller last batch brings no "
    "second trace, since a `tf.data.Dataset` declares its batch axis as `None`.",
    false_with={"drop_remainder": True},
)
def test_fit_traces_once(drop_remainder=False):
    python_runs = []

    class Traced(keras.Model):
        def train_step(self, data):
            python_runs.append(data[0].shape[0])
            return super().train_step(data)

    model = classifier(Traced)
    model.compile("sgd", "sparse_categorical_crossentropy")
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    model.fit(data.batch(5, drop_remainder=drop_remainder), epochs=2, verbose=0)
    # Variables that are created in the first trace make TensorFlow trace once more.
    assert set(python_runs) == {None}
    count = len(python_runs)
    model.fit(data.batch(7), epochs=1, verbose=0)
    assert len(python_runs) == count


@proves(
    "The well-known warning *5 out of the last 5 calls to ... triggered tf.function "
    "retracing* comes from a model made anew in each turn of a loop:",
    false_with={"fresh": False},
)
def test_a_model_in_a_loop_warns(fresh=True):
    printed = killed_process()[1]
    assert dict(line.split() for line in printed.splitlines())[str(fresh)] == "2"


# What the tape records


@proves(
    "`tf.GradientTape` records what is computed with trainable variables inside its "
    "block.",
    false_with={"trainable": False},
)
def test_a_tape_records_trainable_variables(trainable=True):
    w = tf.Variable(3.0, trainable=trainable)
    with tf.GradientTape() as tape:
        y = w * w
    gradient = tape.gradient(y, w)
    assert gradient is not None
    assert float(gradient) == 6.0


def ask_twice(persistent):
    w = tf.Variable(3.0)
    with tf.GradientTape(persistent=persistent) as tape:
        y = w * w
    return [float(tape.gradient(y, w)) for _ in range(2)]


@proves(
    "It can be asked once; with `persistent=True` as often as you like.",
    false_with={"persistent": True},
)
def test_a_tape_is_asked_once(persistent=False):
    with pytest.raises(RuntimeError, match="A non-persistent GradientTape can only"):
        ask_twice(persistent)


@proves(
    "It can be asked once; with `persistent=True` as often as you like.",
    false_with={"persistent": False},
)
def test_a_persistent_tape_is_asked_often(persistent=True):
    try:
        gradients = ask_twice(persistent)
    except RuntimeError:
        gradients = None
    assert gradients == [6.0, 6.0]


@proves(
    "A tape inside a tape gives second derivatives:",
    false_with={"nested": False},
)
def test_a_tape_in_a_tape(nested=True):
    w = tf.Variable(3.0)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            y = w**3
        if nested:
            slope = inner.gradient(y, w)
    if not nested:
        slope = inner.gradient(y, w)
    second = outer.gradient(slope, w)
    assert float(slope) == 27.0
    assert second is not None
    assert np.isclose(float(second), 18.0)


def gradient_through(function, value=3.0):
    w = tf.Variable(value)
    with tf.GradientTape() as tape:
        y = function(w)
    return tape.gradient(y, w)


@proves(
    "it was computed before the tape began | compute it in the block",
    false_with={"inside": True},
)
def test_computed_outside_the_tape(inside=False):
    w = tf.Variable(3.0)
    before = w * w
    with tf.GradientTape() as tape:
        y = (w * w if inside else before) * 2
    assert tape.gradient(y, w) is None
    assert float(gradient_through(lambda w: w * w * 2)) == 12.0


@proves(
    "`.numpy()` took it to NumPy | use `keras.ops`",
    false_with={"convert": tf.identity},
    needs="keras>=3",
)
def test_numpy_breaks_the_tape(convert=lambda w: tf.constant(w.numpy())):
    assert gradient_through(lambda w: convert(w) ** 2) is None
    assert float(gradient_through(keras.ops.square)) == 6.0


@proves(
    "it went through an integer or a comparison | a smooth function, or a custom "
    "gradient",
    false_with={"dtype": "float32"},
)
def test_integers_have_no_gradient(dtype="int32"):
    assert gradient_through(lambda w: tf.cast(tf.cast(w, dtype), "float32")) is None
    assert gradient_through(lambda w: tf.cast(w > 1, "float32")) is None
    assert float(gradient_through(tf.sigmoid)) > 0


@proves(
    "`tf.round`, `tf.floor` or `tf.argmax` has no gradient | a custom gradient",
    false_with={"functions": (tf.abs,)},
)
def test_rounding_has_no_gradient(functions=(tf.round, tf.floor)):
    for function in functions:
        assert gradient_through(function) is None
    assert gradient_through(lambda w: tf.cast(tf.argmax([w, -w]), "float32")) is None

    @tf.custom_gradient
    def rounded(x):
        return tf.round(x), lambda upstream: upstream

    assert float(gradient_through(rounded)) == 1.0


@proves(
    "it was kept in a variable with `assign` | keep the tensor",
    false_with={"keep": True},
)
def test_assign_breaks_the_tape(keep=False):
    def through_memory(w):
        memory, tensor = tf.Variable(0.0), w * w
        memory.assign(tensor)
        return (tensor if keep else memory) * 2

    assert gradient_through(through_memory) is None


@proves(
    "the source is a constant, or not trainable | `tape.watch(...)`",
    false_with={"trainable": True},
)
def test_a_constant_must_be_watched(trainable=False):
    for source in (tf.constant(3.0), tf.Variable(3.0, trainable=trainable)):
        with tf.GradientTape() as unwatched:
            y = source * source
        assert unwatched.gradient(y, source) is None
        with tf.GradientTape() as tape:
            tape.watch(source)
            y = source * source
        assert float(tape.gradient(y, source)) == 6.0


@proves(
    'the two have nothing to do with each other | `unconnected_gradients="zero"` gives '
    "0",
    false_with={"unconnected": "none"},
)
def test_unconnected_gradients_can_be_zero(unconnected="zero"):
    w, other = tf.Variable(3.0), tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as tape:
        y = w * w
    assert tape.gradient(y, other) is None
    gradient = tape.gradient(y, other, unconnected_gradients=unconnected)
    assert gradient is not None
    assert float(gradient) == 0.0


@proves(
    "An optimizer skips a variable whose gradient is `None`, with a warning; if all "
    "are "
    "`None` it raises *No gradients provided for any variable*.",
    false_with={"gradient": tf.ones(1)},
)
def test_some_gradients_are_missing(gradient=None):
    layer, log = keras.layers.Layer(), io.StringIO()
    variables = [layer.add_weight(shape=(1,), initializer="zeros") for _ in range(2)]
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(variables)
    handler = logging.StreamHandler(log)  # Keras 2 logs; Keras 3 warns
    tf.get_logger().addHandler(handler)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gradients = [tf.ones(1), gradient]
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
    finally:
        tf.get_logger().removeHandler(handler)
    said = log.getvalue() + "".join(str(warning.message) for warning in caught)
    assert "Gradients do not exist for variables" in said
    assert [np.array(v).item() for v in variables] == [-1.0, 0.0]


@proves(
    "An optimizer skips a variable whose gradient is `None`, with a warning; if all "
    "are "
    "`None` it raises *No gradients provided for any variable*.",
    false_with={"gradient": tf.ones(1)},
)
def test_no_gradients_at_all(gradient=None):
    variable = keras.layers.Layer().add_weight(shape=(1,), initializer="zeros")
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        keras.optimizers.SGD().apply_gradients([(gradient, variable)])


@proves(
    "A custom gradient says what to pass back.",
    false_with={"factor": 2.0},
)
def test_a_custom_gradient_says_what_to_pass_back(factor=7.0):
    @tf.custom_gradient
    def mine(x):
        return x * 1.0, lambda upstream: factor * upstream

    assert float(gradient_through(mine)) == 7.0


@proves(
    "This one rounds, and passes gradients on as if nothing had happened; it is "
    "written with `keras.ops.custom_gradient` and needs no TensorFlow operation:",
    false_with={"name": "round"},
    needs="keras>=3",
)
def test_rounding_passes_gradients(name="round_straight_through"):
    from snippets import training_loops

    module = keras.ops if name == "round" else training_loops
    function = getattr(module, name)
    w = tf.Variable([0.4, 1.7])
    with tf.GradientTape() as tape:
        y = function(w) * 3.0
    assert y.numpy().tolist() == [0.0, 6.0]
    gradient = tape.gradient(y, w)
    assert gradient is not None
    assert gradient.numpy().tolist() == [3.0, 3.0]


# No error, wrong result


@proves(
    "The tracker of the loss has not heard of it, and in each epoch Keras 3 reports "
    "what the tracker says: 0.0.",
    keras=">=3",
)
def test_untracked_loss_is_zero_on_keras_3():
    losses, model = untracked_history()
    assert losses == [0.0] * 2
    assert number(model.metrics[0].count) == 0.0
    assert largest_difference(model.get_weights(), classifier().get_weights()) > 1e-3


@proves(
    "Keras 2 reports the mean of the epoch, for its `compute_loss` updates the "
    "tracker.",
    keras="<3",
)
def test_untracked_loss_is_the_mean_on_keras_2():
    losses, _ = untracked_history(epochs=1)
    model = classifier()
    model.compile(keras.optimizers.SGD(0.5), **EAGER)
    seen = []
    for start in (0, 4, 8):
        batch = slice(start, start + 4)
        seen.append(float(crossentropy()(Y[batch], model(X[batch]))))
        model.train_on_batch(X[batch], Y[batch])
    assert np.isclose(losses[0], np.mean(seen))
    assert not np.isclose(losses[0], seen[-1])


@proves(
    "`EarlyStopping` on that loss ends the training after 2 of 20 epochs on Keras 3, "
    "since 0.0 never improves.",
    keras=">=3",
    false_with={"patience": 4},
)
def test_early_stopping_on_zero_stops_after_two(patience=1):
    losses, _ = untracked_history(epochs=20, patience=patience)
    assert losses == [0.0, 0.0]


@proves(
    "Update `self.metrics[0]`, as `OwnStep` does, or return the loss under another "
    "name.",
    keras=">=3",
    false_with={"key": "loss"},
)
def test_another_name_is_passed_on(key="my_loss"):
    model = classifier(type("Named", (Untracked,), {"key": key}))
    model.compile("sgd", **EAGER)
    assert model.fit(X, Y, **QUIET).history[key][0] > 0.5
    assert untracked_history()[0] == [0.0, 0.0]


class SecondTracker(keras.Model):
    """A tracker of its own, named as that of Keras, in `train_step` or in both."""

    tests_too = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loss_tracker = keras.metrics.Mean(name="loss")

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        take_step(self, loss, tape)
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    def test_step(self, data):
        if not self.tests_too:
            return super().test_step(data)
        x, y = data
        self.loss_tracker.update_state(self.compute_loss(x, y, self(x)))
        return {"loss": self.loss_tracker.result()}


def losses_of_second_tracker(tests_too):
    kind = type("Tracker", (SecondTracker,), {"tests_too": tests_too})
    model = classifier(kind)
    model.compile("sgd", **EAGER)
    history = model.fit(X, Y, validation_data=(X, Y), **QUIET).history
    return history["loss"][0], history["val_loss"][0]


@proves(
    'Named `"loss"`, it hides that of Keras, which the default `test_step` updates, '
    "and "
    "so `evaluate` and `val_loss` are 0.0, on Keras 2 and Keras 3.",
    false_with={"tests_too": True},
)
def test_own_tracker_hides_the_validation(tests_too=False):
    loss, val_loss = losses_of_second_tracker(tests_too)
    assert loss > 0.5
    assert val_loss == 0.0


@proves(
    "Update the tracker that is there, or write `test_step` too.",
    false_with={"tests_too": False},
)
def test_a_test_step_of_its_own_cures_it(tests_too=True):
    loss, val_loss = losses_of_second_tracker(tests_too)
    assert loss > 0.5
    assert val_loss > 0.5


@proves(
    "`fit` resets metrics at the start of each epoch; a loop must.",
    false_with={"reset": lambda self: None},
)
def test_fit_resets_metrics(reset=keras.Model.reset_metrics):
    kind = type("Kept", (keras.Model,), {"reset_metrics": reset})
    model, counts = classifier(kind), []
    model.compile("sgd", **EAGER)
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: counts.append(number(model.metrics[0].count))
    )
    model.fit(X, Y, epochs=2, callbacks=[watch], **QUIET)
    assert counts[0] == counts[1] > 0


@proves(
    "One that forgets reports the mean of all epochs so far: after an epoch of 0 % and "
    "one of 100 % it says 50 %.",
    false_with={"reset": True},
)
def test_metrics_run_on(reset=False):
    metric = keras.metrics.SparseCategoricalAccuracy()
    for predicted in (1, 0):
        if reset:
            metric.reset_state()
        metric.update_state([0, 0], tf.one_hot([predicted, predicted], 2))
    assert float(metric.result()) == 0.5


@proves(
    "Without `scale_loss`, under `mixed_float16`, the optimizer divides gradients by a "
    "scale that they never had.",
    false_with={"scaled": True},
    needs="keras>=3",
)
def test_unscaled_step_hardly_learns(scaled=False):
    policy = "mixed_float16"
    assert 0 < step_under(policy, scaled) < 1e-4 < step_under(policy, True)


@proves(
    "The step learns 32,768 times too slowly",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_times_too_slowly(policy="mixed_float16"):
    ratio = step_under(policy, scaled=True) / step_under(policy, scaled=False)
    assert 0.9 * 32768 < ratio < 1.1 * 32768


def with_numpy_on_the_tape(run_eagerly, other_term=False, lost=True):
    class Numpy(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
                loss = tf.constant(loss.numpy()) if lost else loss
                if other_term:
                    loss += tf.reduce_sum(tf.square(self.layers[-1].bias))
            take_step(self, loss, tape)
            return {"mine": loss}

    model = classifier(Numpy)
    model.layers[-1].set_weights([model.get_weights()[0], np.ones(3)])
    model.compile(keras.optimizers.SGD(0.1), EAGER["loss"], run_eagerly=run_eagerly)
    before = model.get_weights()
    model.fit(X, Y, **QUIET)
    return before, model.get_weights()


@proves(
    "Inside `fit` this stops with *object has no attribute 'numpy'*.",
    false_with={"run_eagerly": True},
)
def test_numpy_in_a_compiled_step(run_eagerly=False):
    with pytest.raises(AttributeError, match="object has no attribute 'numpy'"):
        with_numpy_on_the_tape(run_eagerly, other_term=True)


@proves(
    "With `run_eagerly=True`, or in an eager loop, there is no such error, and the "
    "gradient is `None`.",
    false_with={"run_eagerly": False},
)
def test_numpy_in_an_eager_step(run_eagerly=True):
    with pytest.raises((AttributeError, ValueError)) as raised:
        with_numpy_on_the_tape(run_eagerly)
    assert "No gradients provided for any variable" in str(raised.value)


@proves(
    "If another term of the loss still has a gradient, training goes on without the "
    "one that is lost.",
    false_with={"lost": False},
)
def test_a_lost_term_is_not_missed(lost=True):
    before, after = with_numpy_on_the_tape(True, other_term=True, lost=lost)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])

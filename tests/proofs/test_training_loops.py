"""Proofs of the Training loops guide."""

import contextlib
import functools
import io
import logging
import os
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_training_loops import (
    EAGER,
    QUIET,
    TWO_DEVICES,
    X,
    Y,
    classifier,
    crossentropy,
    in_fresh_process,
    largest_difference,
    plain_gradients,
)


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


# The answer


@proves(
    "It runs a `tf.GradientTape` inside a `tf.function`, adds all losses and updates "
    "the metrics.",
    false_with={"rate": 0.0},
    needs="keras>=3",
)
def test_the_loop_takes_the_steps_of_fit(rate=0.1):
    from snippets.training_loops import training_step

    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(4,))
    options = {"kernel_regularizer": keras.regularizers.L2(rate)}
    scores = keras.layers.Dense(3, activation="softmax", **options)(inputs)
    model = keras.Model(inputs, scores)
    kernel, expected = model.get_weights()[0], float(crossentropy()(Y, model(X)))
    mean, accuracy = keras.metrics.Mean(), keras.metrics.SparseCategoricalAccuracy()
    rest = keras.optimizers.SGD(0.5), mean, [accuracy]
    step = training_step(model, crossentropy(), *rest)
    loss = float(step(X, Y))
    assert step.experimental_get_tracing_count() == 1
    assert np.isclose(loss, expected + 0.1 * np.sum(kernel**2))
    assert number(mean.result()) == loss
    assert number(mean.count) == number(accuracy.count) == 12


@functools.cache
def weights_by(way, dropout=0.2):
    """Train for 2 epochs, with a smaller last batch, by `fit` or in a loop."""
    from snippets.training_loops import training_step

    model, optimizer = classifier(dropout=dropout), keras.optimizers.Adam(0.1)
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(5)
    if way == "fit":
        model.compile(optimizer, crossentropy())
        model.fit(data, epochs=2, shuffle=False, verbose=0)
    else:
        step = training_step(model, crossentropy(), optimizer, keras.metrics.Mean())
        for batch in [*data, *data]:
            step(*batch)
    return model.get_weights()


@proves(
    "On a CPU, from the same seed and on the same batches, `fit` ends with the "
    "weights of this loop, to the last bit.",
    false_with={"dropout": 0.3},
    needs="keras>=3",
)
def test_the_loop_ends_with_the_weights_of_fit(dropout=0.2):
    assert largest_difference(weights_by("loop", dropout), weights_by("fit")) == 0.0


@proves(
    "If your step has a Python `if` on a tensor, delete `autograph=False`, so that "
    "TensorFlow translates the `if`.",
    false_with={"autograph": True},
)
def test_an_if_on_a_tensor_needs_autograph(autograph=False):
    def absolute(x):
        if tf.reduce_sum(x) < 0:
            return -x
        return x

    x = tf.constant([-1.0])
    assert float(tf.function(absolute)(x)[0]) == 1.0
    with pytest.raises(TypeError, match="as a Python `bool` is not allowed"):
        tf.function(absolute, autograph=autograph)(x)


@proves(
    "the step: two optimizers, a penalty on gradients | a custom `train_step`, "
    "which `fit` compiles with `tf.function` | nothing of `fit`; keeping the step "
    "right is up to you",
    false_with={"run_eagerly": True},
)
def test_fit_compiles_the_step(run_eagerly=False):
    eager = []

    class Watched(keras.Model):
        def train_step(self, data):
            eager.append(tf.executing_eagerly())
            return super().train_step(data)

    model = classifier(Watched)
    model.compile("sgd", EAGER["loss"], run_eagerly=run_eagerly)
    model.fit(X, Y, **QUIET)
    assert set(eager) == {False}


@proves(
    "If each step stays that of Keras, your loop can call `model.train_on_batch(x, y)` "
    "after `compile()`: it takes one step of `fit`.",
    false_with={"examples": 11},
)
def test_train_on_batch_is_a_step_of_fit(examples=12):
    weights = []
    for by_hand in (True, False):
        model = classifier()
        model.compile(keras.optimizers.SGD(0.5), **EAGER)
        if by_hand:
            model.train_on_batch(X[:examples], Y[:examples])
        else:
            model.fit(X, Y, batch_size=12, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert largest_difference(*weights) < 1e-6


@proves(
    "On Keras 3.4 to 3.13 it returns means over all batches so far: call "
    "`model.reset_metrics()` first to get the values of one batch.",
    false_with={"resets": True},
    keras=">=3,<3.15",
)
def test_train_on_batch_returns_means(resets=False):
    model = classifier()
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    alone = []
    for part in (slice(0, 6), slice(6, 12)):
        model.reset_metrics()
        alone.append(float(np.ravel(model.train_on_batch(X[part], Y[part]))[0]))
    model.reset_metrics()
    model.train_on_batch(X[:6], Y[:6])
    if resets:
        model.reset_metrics()
    second = float(np.ravel(model.train_on_batch(X[6:], Y[6:]))[0])
    assert abs(alone[0] - alone[1]) > 1e-3
    assert np.isclose(second, np.mean(alone), atol=1e-5)


@proves(
    "`fit` calls `train_step` for each batch, and still does the rest: epochs, "
    "validation, callbacks, the progress bar.",
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
    "`fit` calls `train_step` for each batch, and still does the rest: epochs, "
    "validation, callbacks, the progress bar.",
    false_with={"epochs": 3},
)
def test_fit_does_the_rest(epochs=2):
    history, seen, printed, _ = logs_of_a_step_that_does_nothing(epochs=epochs)
    assert seen == [0, 1]
    assert history["mine"] == [1.0, 1.0]
    assert len(history["val_loss"]) == 2
    assert "Epoch 2/2" in printed


@proves(
    "It returns a dict from names to values, which `fit` shows and puts into the "
    "history.",
    false_with={"default_step": True},
)
def test_a_step_returns_a_dict(default_step=False):
    history, _, printed, _ = logs_of_a_step_that_does_nothing(default_step)
    assert history.get("mine") == [1.0, 1.0]
    assert "mine: 1.0" in printed


@proves(
    "the loss or a metric | a function, for `compile()` | nothing",
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
    "`fit` reports `loss`, `penalty`, `val_loss` and `val_penalty`, and both losses "
    "contain the term. If you add the term in `train_step` instead, `val_loss` lacks "
    "it.",
    false_with={"factor": 0.0},
    needs="keras>=3",
)
def test_a_second_term_is_in_both_losses(factor=5.0):
    from snippets.training_loops import OwnStep

    def term(x):
        return factor * keras.ops.mean(keras.ops.square(x))

    class Penalized(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.penalty = keras.metrics.Mean(name="penalty")

        def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
            loss = super().compute_loss(x, y, y_pred, *args, **kwargs)
            num_examples = keras.ops.shape(y_pred)[0]
            self.penalty.update_state(term(x), sample_weight=num_examples)
            return loss + term(x)

    class InStep(OwnStep):
        def train_step(self, data):
            scale_loss = self.optimizer.scale_loss
            self.optimizer.scale_loss = lambda loss: scale_loss(loss + term(data[0]))
            return super().train_step(data)

    seen = {}
    for kind in (keras.Model, Penalized, InStep):
        model = classifier(kind)
        model.compile(keras.optimizers.SGD(0.0), EAGER["loss"])
        # The last batch is smaller.
        options = {"batch_size": 8, "validation_data": (X, Y), "verbose": 0}
        seen[kind] = model.fit(X, Y, **options).history
    plain, expected = seen[keras.Model], 5.0 * np.mean(X**2)
    for name in ("", "val_"):
        found = seen[Penalized]
        assert np.isclose(found[f"{name}penalty"][0], expected)
        assert np.isclose(found[f"{name}loss"][0], plain[f"{name}loss"][0] + expected)
    assert np.isclose(seen[InStep]["val_loss"][0], plain["val_loss"][0])


@proves(
    "On several devices, from Keras 3.9 on, add `penalty / "
    "tf.distribute.get_strategy().num_replicas_in_sync` to the loss: otherwise the "
    "term counts twice on two devices.",
    false_with={"name": "whole term"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_a_second_term_on_two_devices(name="divided term"):
    found = on_two_devices()
    assert found[name] < 1e-5
    assert found["whole term"] > 1e-3
    assert found["whole term, halved"] < 1e-5


@proves(
    "the step: two optimizers, a penalty on gradients | a custom `train_step`, "
    "which `fit` compiles with `tf.function` | nothing of `fit`; keeping the step "
    "right is up to you",
    false_with={"default_step": True},
)
def test_a_step_gives_up_the_default_step(default_step=False):
    history, model = logs_of_a_step_that_does_nothing(default_step)[::3]
    assert set(history) == {"mine", "val_loss"}
    assert largest_difference(model.get_weights(), classifier().get_weights()) == 0.0


@proves(
    "which batch comes next, or what happens between two | a loop with a step in "
    "`tf.function` | `fit`: you call callbacks and validation yourself",
    false_with={"by_fit": True},
    needs="keras>=3",
)
def test_a_loop_gives_up_fit(by_fit=False):
    from snippets.training_loops import training_step

    model, optimizer = classifier(), keras.optimizers.SGD(0.5)
    model.compile(optimizer, **EAGER)
    step = training_step(model, crossentropy(), optimizer, keras.metrics.Mean())
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        if by_fit:
            model.fit(X, Y, verbose=1)
        else:
            step(X, Y)
    assert printed.getvalue() == ""
    assert getattr(model, "history", None) is None


@proves(
    "`train_step` is the colored part of the picture.",
    false_with={"validation": False},
)
def test_a_step_between_the_rest(validation=True):
    """The order of the picture."""
    seen = []

    class Noted(keras.Model):
        def reset_metrics(self):
            seen.append("reset")
            super().reset_metrics()

        def train_step(self, data):
            seen.append("train_step")
            return super().train_step(data)

        def test_step(self, data):
            seen.append("test_step")
            return super().test_step(data)

    end = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append("callback")
    )
    model = classifier(Noted)
    model.compile("sgd", **EAGER)
    options = {"validation_data": (X[:4], Y[:4])} if validation else {}
    model.fit(X, Y, callbacks=[end], **options, **QUIET)
    order = [name for name in dict.fromkeys(seen) if name != "build"]
    assert order == ["reset", "train_step", "test_step", "callback"]


# What a step owes to `fit`


@functools.cache
def trained_by(kind, weight=2.0, rate=0.0, policy="float32"):
    """Train with sample weights and then with class weights; return all that is seen.

    `kind` is "own" for `OwnStep`. With a rate there are a regularizer of weights, and
    one of activities, which adds its loss by `add_loss`.
    """
    from snippets.training_loops import OwnStep

    keras.utils.set_random_seed(0)
    with mixed_float16() if policy == "mixed_float16" else contextlib.nullcontext():
        inputs = keras.Input(shape=(4,))
        x = keras.layers.Dropout(0.2)(inputs)
        l2 = keras.regularizers.L2(rate)
        options = {"kernel_regularizer": l2, "activity_regularizer": l2} if rate else {}
        x = keras.layers.Dense(4, activation="relu", **options)(x)
        scores = keras.layers.Dense(3, activation="softmax", dtype="float32")(x)
        model = (OwnStep if kind == "own" else keras.Model)(inputs, scores)
        metrics = {"metrics": ["accuracy"], "weighted_metrics": ["accuracy"]}
        model.compile(keras.optimizers.SGD(0.5), **EAGER, **metrics)
    options = {**QUIET, "batch_size": 5}
    history = model.fit(X, Y, sample_weight=weight * X[:, 0] ** 2, **options).history
    more = model.fit(X, Y, class_weight={1: weight}, **options).history
    return {**history, **{f"{name} again": v for name, v in more.items()}}, (
        model.get_weights()
    )


def same_training(some, others):
    (history, weights), (expected, expected_weights) = some, others
    return history == expected and largest_difference(weights, expected_weights) == 0


@proves(
    "As it stands, this step does what the step of Keras does: with `sample_weight` "
    "and `class_weight`, with regularizers and `add_loss`, in mixed precision, and, "
    "from Keras 3.9 on, under `MirroredStrategy` (tried on two parts of one CPU).",
    false_with={"weight": 3.0},
    needs="keras>=3",
)
def test_own_step_with_weights(weight=2.0):
    assert same_training(trained_by("own", weight), trained_by("keras"))


@proves(
    "As it stands, this step does what the step of Keras does: with `sample_weight` "
    "and `class_weight`, with regularizers and `add_loss`, in mixed precision, and, "
    "from Keras 3.9 on, under `MirroredStrategy` (tried on two parts of one CPU).",
    false_with={"rate": 0.2},
    needs="keras>=3",
)
def test_own_step_with_regularizers(rate=0.1):
    assert not same_training(trained_by("keras", rate=0.1), trained_by("keras"))
    assert same_training(trained_by("own", rate=rate), trained_by("keras", rate=0.1))


@proves(
    "As it stands, this step does what the step of Keras does: with `sample_weight` "
    "and `class_weight`, with regularizers and `add_loss`, in mixed precision, and, "
    "from Keras 3.9 on, under `MirroredStrategy` (tried on two parts of one CPU).",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_own_step_in_mixed_precision(policy="mixed_float16"):
    expected = trained_by("keras", policy="mixed_float16")
    assert same_training(trained_by("own", policy=policy), expected)


@proves(
    "As it stands, this step does what the step of Keras does: with `sample_weight` "
    "and `class_weight`, with regularizers and `add_loss`, in mixed precision, and, "
    "from Keras 3.9 on, under `MirroredStrategy` (tried on two parts of one CPU).",
    false_with={"name": "another policy"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_own_step_on_two_devices(name="own"):
    found = on_two_devices()
    assert found["half"] < 0.6  # there are two
    assert found[name] < 1e-5


@proves(
    "Leave the line with `update_state` as it is. Before Keras 3.9, the steps of "
    "`fit` itself are wrong on two devices.",
    false_with={"devices": "one"},
    needs="keras>=3",
    keras="<3.9",
)
def test_two_devices_took_wrong_steps(devices="two"):
    assert on_two_devices()[devices] > 0.01


ON_TWO_DEVICES = """
found = {}
if is_keras_3:
    from snippets.training_loops import OwnStep

    class HalfStep(keras.Model):
        def train_step(self, data):
            x, y = data
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                value = self.compute_loss(x, y, y_pred)
            gradients = tape.gradient(value, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            self.metrics[0].update_state(value)
            return self.compute_metrics(x, y, y_pred)

    def with_term(divided, factor=1.0):
        class WithTerm(keras.Model):
            def compute_loss(self, x=None, y=None, y_pred=None, *args, **kwargs):
                loss = super().compute_loss(x, y, y_pred, *args, **kwargs)
                count = tf.distribute.get_strategy().num_replicas_in_sync
                here = factor if count == 2 else 1.0
                term = here * keras.ops.mean(keras.ops.square(y_pred))
                return loss + (term / count if divided else term)
        wanted = fit(WithTerm, strategy=one)[2:]
        return largest_difference(wanted, fit(WithTerm)[2:])

    half = "mixed_float16"
    own = [largest_difference(fit(OwnStep), fit()),
           largest_difference(fit(OwnStep, half), fit(keras.Model, half))]
    found = {
        "own": max(own),
        "another policy": largest_difference(fit(OwnStep), fit(OwnStep, half)),
        "two": largest_difference(fit()[2:], fit(strategy=one)[2:]),
        "one": largest_difference(fit(OwnStep, strategy=one), fit(strategy=one)),
        "half": fit(HalfStep)[0] / fit()[0],
        "whole": fit(OwnStep)[0] / fit()[0],
        "divided term": with_term(True),
        "whole term": with_term(False),
        "whole term, halved": with_term(False, 0.5),
    }
print(json.dumps(found))
"""


@functools.cache
def on_two_devices():
    return in_fresh_process(TWO_DEVICES + ON_TWO_DEVICES)


@proves(
    "`loss * num_replicas` | with two devices, `fit` of Keras 3.9 and later reports "
    "half the loss",
    false_with={"name": "whole"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_two_devices_report_half(name="half"):
    assert 0.4 < on_two_devices()[name] < 0.6


def reported_loss(first=8, weighted=False):
    """The loss of an epoch in two batches, and what it should be."""

    class Counted(keras.Model):
        def train_step(self, data):
            x, y = data
            loss = self.compute_loss(x, y, self(x, training=True))
            options = {"sample_weight": len(x)} if weighted else {}
            tracker.update_state(loss, **options)
            return {"mine": tracker.result()}

    model, tracker = classifier(Counted), keras.metrics.Mean()
    model.compile("sgd", **EAGER)
    options = {**QUIET, "batch_size": first}
    found = model.fit(X, Y, **options).history["mine"][0]
    return found, float(crossentropy()(Y, model(X)))


@proves(
    "`sample_weight=num_examples` | a smaller last batch counts as much as the others",
    false_with={"first": 6},
)
def test_a_smaller_batch_counts_as_much(first=8):
    found, expected = reported_loss(first)
    assert abs(found - expected) > 1e-3
    weighted, expected = reported_loss(first, weighted=True)
    assert np.isclose(weighted, expected)


@proves(
    "`unpack_x_y_sample_weight(data)` | `sample_weight` and `class_weight`, both "
    "in the third place of `data`, are lost",
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
    "`self(x, training=True)` | Dropout does nothing",
    false_with={"training": True},
)
def test_training_true_turns_dropout_on(training=False):
    model = classifier(dropout=0.5)
    assert np.array_equal(model(X, training=training), model(X))
    assert not np.array_equal(model(X, training=True), model(X))


@proves(
    "`self.compute_loss(...)` | the losses that layers add are lost",
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
    "`self.optimizer.scale_loss(loss)` | under `mixed_float16`, SGD takes steps "
    "32,768 times too small",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_scale_loss_is_missed(policy="mixed_float16"):
    ratio = step_under(policy, scaled=True) / step_under(policy, scaled=False)
    assert 0.9 * 32768 < ratio < 1.1 * 32768


@functools.cache
def untracked_history(metrics=()):
    """Fit a model whose tracker hears nothing; return the losses and the model."""
    model = classifier(Untracked)
    model.compile(keras.optimizers.SGD(0.5), **EAGER, metrics=list(metrics) or None)
    return model.fit(X, Y, epochs=2, **QUIET).history["loss"], model


@proves(
    "`self.metrics[0].update_state(...)`, the mean that `fit` shows as `loss` | on "
    "Keras 3, `fit` reports a loss of 0.0",
    keras=">=3",
)
def test_fit_reports_a_loss_of_zero():
    losses, model = untracked_history()
    assert losses == [0.0, 0.0]
    assert float(crossentropy()(Y, model(X))) > 0.5


@proves(
    "`self.compute_metrics(...)` | the metrics of `compile()` stay empty, which "
    "can stop `fit` with an error",
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


# Code that was written for Keras 2


def update_methods():
    """The ways to update weights that an optimizer has, of three."""
    names = ("minimize", "apply", "apply_gradients")
    return [name for name in names if hasattr(keras.optimizers.SGD(), name)]


@proves(
    "`optimizer.minimize` and `metric.reset_states()` are gone too; "
    "`apply_gradients` and `reset_state()` are in both.",
    keras=">=3",
)
def test_minimize_is_gone():
    assert update_methods() == ["apply", "apply_gradients"]
    variable = keras.Variable(3.0)
    keras.optimizers.SGD(0.5).apply([tf.constant(2.0)], [variable])
    assert number(variable) == 2.0


@proves(
    "`optimizer.minimize` and `metric.reset_states()` are gone too; "
    "`apply_gradients` and `reset_state()` are in both.",
    keras="<3",
)
def test_minimize_was_in_keras_2():
    assert update_methods() == ["minimize", "apply_gradients"]
    variable = tf.Variable(3.0)
    keras.optimizers.SGD(0.5).minimize(lambda: variable**2, [variable])
    assert float(variable) == 0.0


@proves(
    "`optimizer.minimize` and `metric.reset_states()` are gone too; "
    "`apply_gradients` and `reset_state()` are in both.",
    keras=">=3",
)
def test_reset_states_is_gone():
    assert not hasattr(keras.metrics.Mean(), "reset_states")
    assert hasattr(keras.metrics.Mean(), "reset_state")


@proves(
    "`optimizer.minimize` and `metric.reset_states()` are gone too; "
    "`apply_gradients` and `reset_state()` are in both.",
    keras="<3",
)
def test_reset_states_was_in_keras_2():
    metric = keras.metrics.Mean()
    metric.update_state(3.0)
    assert hasattr(metric, "reset_states")
    metric.reset_states()
    assert float(metric.result()) == 0.0
    assert hasattr(metric, "reset_state")


@proves(
    "Do not copy them, but `OwnStep` above. On Keras 2, `compute_loss` reports the "
    "loss, too, and `self.optimizer.minimize(loss, self.trainable_variables, "
    "tape=tape)` after the `with` block scales it, computes the gradients and "
    "applies them.",
    keras="<3",
)
def test_minimize_takes_the_step_on_keras_2():
    class Minimized(keras.Model):
        def train_step(self, data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            with tf.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x, y, y_pred, sample_weight)
            self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
            return self.compute_metrics(x, y, y_pred, sample_weight)

    assert "minimize" in update_methods()
    for policy in (contextlib.nullcontext, mixed_float16):
        seen = []
        for kind in (keras.Model, Minimized):
            keras.utils.set_random_seed(0)
            with policy():
                inputs = keras.Input((4,))
                x = keras.layers.Dropout(0.2)(inputs)
                options = {"kernel_regularizer": keras.regularizers.L2(0.1)}
                x = keras.layers.Dense(4, **options)(x)
                scores = keras.layers.Dense(3, activation="softmax", dtype="float32")
                model = kind(inputs, scores(x))
                model.compile(keras.optimizers.SGD(0.5), **EAGER, metrics=["accuracy"])
            options = {**QUIET, "batch_size": 5, "sample_weight": X[:, 0] ** 2}
            seen.append((model.fit(X, Y, **options).history, model.get_weights()))
        assert same_training(*seen)


# A whole loop by hand


@functools.cache
def history_of(way, weight=2.0):
    """Train with everything that `fit` does between the steps; return the history."""
    from snippets.training_loops import train_by_hand

    model = classifier(dropout=0.2)
    optimizer = keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5)
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    class_weight = {1: weight}
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, min_delta=0.04)
    test = tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)
    if way == "loop":
        arrays = (X, Y, np.where(Y == 1, weight, 1.0))
        data = tf.data.Dataset.from_tensor_slices(arrays).batch(4)
        parts = (crossentropy(), optimizer, [accuracy], test, [stop])
        return train_by_hand(model, data, 20, *parts), model.get_weights()
    model.compile(optimizer, crossentropy(), metrics=[accuracy])
    options = {"epochs": 20, "validation_data": test, "callbacks": [stop], **QUIET}
    history = model.fit(X, Y, class_weight=class_weight, **options)
    return history.history, model.get_weights()


@proves(
    "This loop has no `class_weight`. Give it batches of `(x, y, sample_weight)` "
    "instead.",
    false_with={"weight": 3.0},
    needs="keras>=3",
)
def test_class_weight_becomes_sample_weights(weight=2.0):
    assert history_of("loop", weight)[0]["loss"] == history_of("fit")[0]["loss"]


@proves(
    "It does not call them for batches:",
    false_with={"by_fit": True},
    needs="keras>=3",
)
def test_callbacks_hear_of_epochs(by_fit=False):
    from snippets.training_loops import train_by_hand

    heard = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: heard.append("epoch"),
        on_train_batch_end=lambda batch, logs: heard.append("batch"),
    )
    model, parts = classifier(), (crossentropy(), keras.optimizers.SGD())
    if by_fit:
        model.compile("sgd", **EAGER)
        model.fit(X, Y, callbacks=[callback], **QUIET)
    else:
        train_by_hand(model, [(X, Y)] * 3, 2, *parts, callbacks=[callback])
    assert heard == ["epoch", "epoch"]


@proves(
    'To watch `val_accuracy` here, pass `mode="max"` to `EarlyStopping`: without it '
    "you get a `ValueError`.",
    false_with={"monitor": "val_loss"},
    needs="keras>=3",
)
def test_early_stopping_is_told_the_mode(monitor="val_accuracy"):
    from snippets.training_loops import train_by_hand

    lengths = []
    for options in ({"mode": "max"}, {}):
        accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
        stop = keras.callbacks.EarlyStopping(monitor, patience=2, **options)
        data = [(X, Y)]
        parts = (crossentropy(), keras.optimizers.SGD(0.0), [accuracy], data, [stop])
        with contextlib.suppress(ValueError):
            lengths.append(len(train_by_hand(classifier(), data, 5, *parts)["loss"]))
    assert lengths == [3]


@proves(
    "The model ends with the weights of its last epoch. To keep the best ones in the "
    "model, pass `restore_best_weights=True` to `EarlyStopping`; to keep them in a "
    'file, add the callback `ModelCheckpoint("best.keras", "val_loss", '
    "save_best_only=True)`.",
    false_with={"best": False},
    needs="keras>=3",
)
def test_the_best_weights_are_kept(best=True):
    from snippets.training_loops import train_by_hand

    ends = []
    for keep in (False, best):
        model = classifier()
        start = model.get_weights()
        stop = {"patience": 2, "restore_best_weights": keep}
        with tempfile.TemporaryDirectory() as folder:
            file = f"{folder}/best.keras"
            callbacks = [
                keras.callbacks.EarlyStopping("val_loss", **stop),
                keras.callbacks.ModelCheckpoint(file, "val_loss", save_best_only=best),
            ]
            # The labels of the validation are others, so it gets worse and worse.
            rest = keras.optimizers.SGD(0.5), [], [(X, (Y + 1) % 3)], callbacks
            history = train_by_hand(model, [(X, Y)], 20, crossentropy(), *rest)
            saved = keras.models.load_model(file, compile=False).get_weights()
        assert history["val_loss"] == sorted(history["val_loss"])
        assert len(history["val_loss"]) == 3
        ends.append(model.get_weights())
        assert keep or largest_difference(ends[-1], start) > 0.0
    assert largest_difference(ends[1], saved) == 0.0
    assert largest_difference(ends[0], ends[1]) > 1e-3


@proves(
    "`fit` with `class_weight={8: 2.0}` stops at the same epoch and writes the "
    "same history.",
    false_with={"weight": 3.0},
    needs="keras>=3",
)
def test_the_loop_writes_the_history_of_fit(weight=2.0):
    (by_fit, weights), (by_hand, same) = history_of("fit"), history_of("loop", weight)
    assert by_fit == by_hand
    assert largest_difference(weights, same) == 0.0


# The loss is not that of `fit`


@proves(
    "is lower than that of `fit`, with a regularizer | `model.losses` is not in "
    "your loss | add `sum(model.losses)`",
    false_with={"rate": 0.0},
)
def test_losses_of_layers_are_missed(rate=0.1):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(4,))
    options = {"kernel_regularizer": keras.regularizers.L2(rate)}
    scores = keras.layers.Dense(3, activation="softmax", **options)(inputs)
    model = keras.Model(inputs, scores)
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    loss = float(crossentropy()(Y, model(X)))
    by_fit = model.fit(X, Y, batch_size=12, verbose=0).history["loss"][0]
    assert loss < by_fit - 1e-3
    assert np.isclose(loss + float(sum(model.losses)), by_fit)


@proves(
    "is half that of `fit`, with all sample weights 2 | you divide by the sum of "
    "the weights, Keras by the number of examples | `tf.reduce_mean(losses * "
    "weights)`, with one loss for each example",
    false_with={"weight": 1.0},
)
def test_weights_are_not_divided_by(weight=2.0):
    model, weights = classifier(), np.full(12, weight, "float32")
    by_keras = float(crossentropy()(Y, model(X), weights))
    losses = keras.losses.sparse_categorical_crossentropy(tf.constant(Y), model(X))
    summed = float(tf.reduce_sum(losses * weights)) / float(np.sum(weights))
    assert np.isclose(summed, by_keras / 2)
    assert np.isclose(float(tf.reduce_mean(losses * weights)), by_keras)


@proves(
    "is a little off, with a smaller last batch | a mean of the batches, not of the "
    "examples | weight `update_state` by the size of the batch",
    false_with={"size": 4},
    needs="keras>=3",
)
def test_a_smaller_batch_is_a_little_off(size=5):
    model, mean, weighted = classifier(), keras.metrics.Mean(), keras.metrics.Mean()
    model.compile(keras.optimizers.SGD(0.0), **EAGER)
    options = {**QUIET, "batch_size": size}
    by_fit = model.fit(X, Y, **options).history["loss"][0]
    for start in range(0, 12, size):
        part = slice(start, start + size)
        loss = crossentropy()(Y[part], model(X[part]))
        mean.update_state(loss)
        weighted.update_state(loss, sample_weight=len(X[part]))
    assert 1e-3 < abs(float(mean.result()) - by_fit) < 0.2
    assert np.isclose(float(weighted.result()), by_fit)


# Why a loop is slow


def operations(action):
    """How many operations Python starts, one by one."""
    from tensorflow.python.framework import op_callbacks

    started = []

    def note(op_type, inputs, attrs, outputs, op_name=None, graph=None):
        if graph is None:
            started.append(op_type)

    op_callbacks.add_op_callback(note)
    try:
        action()
    finally:
        op_callbacks.remove_op_callback(note)
    return len(started)


@functools.cache
def operations_of_a_step(compiled=True):
    from snippets.training_loops import training_step

    model, mean = classifier(), keras.metrics.Mean()
    accuracy = keras.metrics.SparseCategoricalAccuracy()
    x, y = tf.constant(X), tf.constant(Y)
    rest = keras.optimizers.Adam(), mean, [accuracy]
    step = training_step(model, crossentropy(), *rest)
    step(x, y)
    predicted, loss = model(x), tf.constant(1.0)

    def outside():
        mean.update_state(loss)
        accuracy.update_state(y, predicted)

    chosen = step if compiled else step.python_function
    return operations(lambda: chosen(x, y)), operations(outside)


@proves(
    "**The step is not in a `tf.function`**: Python starts more than 100 operations "
    "for each batch, in place of one.",
    false_with={"compiled": False},
    needs="keras>=3",
)
def test_a_compiled_step_is_one_operation(compiled=True):
    assert operations_of_a_step(compiled=False)[0] > 100
    assert operations_of_a_step(compiled)[0] == 1


@proves(
    "**Metrics are updated outside of the step**: at least 10 more operations for each "
    "batch.",
    false_with={"what": 0},
    needs="keras>=3",
)
def test_metrics_outside_cost_operations(what=1):
    assert operations_of_a_step()[what] >= 10


@proves(
    "In `fit`, for most models on a GPU, `compile()` of Keras 3 chooses "
    "`jit_compile=True`.",
    keras=">=3",
    false_with={"device": "CPU"},
)
def test_a_gpu_chooses_xla(device="GPU"):
    """Keras only asks TensorFlow for its devices, so another one may be named."""
    original = tf.config.list_physical_devices
    named = [tf.config.PhysicalDevice("/physical_device:0", device)]
    tf.config.list_physical_devices = lambda kind=None: named
    try:
        model = classifier()
        model.compile("sgd", "mse")
        assert model.jit_compile is True
    finally:
        tf.config.list_physical_devices = original


# XLA writes a file for each program that it compiles.
COMPILED = """
import json, os, pathlib, tempfile
folder = tempfile.TemporaryDirectory()
os.environ["XLA_FLAGS"] = f"--xla_dump_to={folder.name}"
import tensorflow as tf
from snippets.training_loops import training_step
from tests.proofs.test_training_loops import X, Y, classifier, crossentropy, keras

def count(options, drop_remainder):
    before = len(list(pathlib.Path(folder.name).glob("*before_optimizations*")))
    model, rest = classifier(), (keras.optimizers.Adam(0.1), keras.metrics.Mean())
    step = training_step(model, crossentropy(), *rest).python_function
    step = tf.function(step, reduce_retracing=True, autograph=False, **options)
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    for batch in data.batch(5, drop_remainder=drop_remainder).repeat(2):
        step(*batch)
    weights = [weight.tolist() for weight in model.get_weights()]
    after = len(list(pathlib.Path(folder.name).glob("*before_optimizations*")))
    return after - before, weights

found = {"not compiled": count({}, False)}
found["all sizes"] = count({"jit_compile": True}, False)
found["one size"] = count({"jit_compile": True}, True)
print(json.dumps(found))
"""


@proves(
    "In a loop on a GPU, write `@tf.function(jit_compile=True, "
    "reduce_retracing=True, autograph=False)`. XLA compiles once for each size of "
    "a batch, so leave out a smaller last batch, `batch(32, drop_remainder=True)`, "
    "if you can spare its examples.",
    false_with={"batches": "one size"},
    needs="keras>=3",
)
def test_xla_compiles_for_each_size(batches="all sizes"):
    """On a CPU, where XLA can be asked for too: batches of 5, 5 and 2, twice."""
    found = in_fresh_process(COMPILED)
    compiled, weights = found[batches]
    none, expected = found["not compiled"]
    assert (none, compiled, found["one size"][0]) == (0, 2, 1)
    assert largest_difference(weights, expected) < 1e-5


def epoch_of_steps(at_once):
    """Take 3 steps; return the weights and the operations that Python starts."""
    from snippets.training_loops import training_step

    model, optimizer = classifier(dropout=0.2), keras.optimizers.Adam(0.1)
    step = training_step(model, crossentropy(), optimizer, keras.metrics.Mean())

    def epoch(dataset):
        for batch in dataset:
            step(*batch)

    epoch = tf.function(epoch) if at_once else epoch
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(5)
    ahead = data.prefetch(tf.data.AUTOTUNE)
    epoch(ahead)
    return model.get_weights(), operations(lambda: epoch(ahead))


@proves(
    "For `fit`, pass `steps_per_execution=32` to `compile()`. Around a step of "
    "your own, write a second `tf.function` that contains `for batch in dataset: "
    "step(*batch)`, and takes all steps of an epoch in one call; it needs "
    "AutoGraph, which is on by default.",
    false_with={"steps": 1},
    needs="keras>=3",
)
def test_many_steps_in_one_call(steps=32):
    heard = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append(batch)
    )
    model = classifier()
    model.compile("sgd", EAGER["loss"], steps_per_execution=steps)
    x, y = np.resize(X, (128, 4)), np.resize(Y, 128)  # 32 batches of 4
    model.fit(x, y, callbacks=[callback], **QUIET)
    assert len(heard) == 1

    (weights, started), (expected, many) = epoch_of_steps(True), epoch_of_steps(False)
    assert largest_difference(weights, expected) == 0.0
    assert started == 1
    assert many >= 3


# After a crash


KILLED = """
import os, signal, sys
from tests.proofs.shared_training_loops import *

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if int(np.array(self.model.optimizer.iterations)) == 5:
            os.kill(os.getpid(), signal.SIGKILL)

model = classifier(dropout=float(sys.argv[2]))
model.compile(keras.optimizers.Adam(0.1), **EAGER)
backup = keras.callbacks.BackupAndRestore(sys.argv[1] + "/backup")
model.fit(X, Y, epochs=3, callbacks=[backup, Kill()], **QUIET)
"""


@functools.cache
def resumed_by_backup(dropout=0.0, save_freq="epoch", stopped=True, saved=True):
    """Fit for 3 epochs of 3 steps, stopped after step 5 and resumed, or not.

    `stopped` may be "killed", for a process of its own. Returns the weights, the number
    of steps and the epochs that came to an end in this process.
    """
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        if stopped == "killed":
            command = [sys.executable, "-c", KILLED, folder, str(dropout)]
            environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
            assert subprocess.run(command, env=environment).returncode == -9
        for last_step in (5, 0) if stopped is True else (0,):
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
    "After a crash, run the same script again: it goes on with the epoch that was not "
    "finished.",
    false_with={"saved": False},
)
def test_backup_goes_on_from_the_last_epoch(saved=True):
    """A process is killed by `SIGKILL` in the second epoch."""
    how = {"stopped": "killed"} if saved else {"stopped": False, "saved": False}
    *_, epochs = resumed_by_backup(0.0, **how)
    assert epochs == [1, 2]


@proves(
    "Give `fit` a `BackupAndRestore` from the start: after each epoch it saves the "
    "weights, the optimizer's state and the number of the epoch.",
    false_with={"saved": False},
)
def test_backup_saves_the_optimizer(saved=True):
    """Adam takes another first step after a start than in the second epoch."""
    seen, moved = [], []

    class Watch(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch, self.before = epoch, self.model.get_weights()

        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                seen.append((self.epoch, self.before))
                moved.append(self.model.get_weights())

    with tempfile.TemporaryDirectory() as folder:
        for last_step in (5, 0):  # in the second epoch
            model = classifier()
            model.compile(keras.optimizers.Adam(0.1), **EAGER)
            backup = keras.callbacks.BackupAndRestore(f"{folder}/backup")
            callbacks = [*([backup] if saved else []), Watch(), Interrupt(last_step)]
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, epochs=3, callbacks=callbacks, **QUIET)
    (_, (epoch, weights), (next_epoch, restored), *_) = seen
    assert epoch == next_epoch == 1
    assert largest_difference(weights, restored) == 0.0
    assert largest_difference(moved[1], moved[2]) < 1e-6
    fresh = classifier()
    fresh.set_weights(weights)
    fresh.compile(keras.optimizers.Adam(0.1), **EAGER)
    fresh.train_on_batch(X[:4], Y[:4])
    assert largest_difference(moved[1], fresh.get_weights()) > 1e-3


@proves(
    "For arrays, pass `shuffle=False`; for a dataset, as here, `fit` ignores this "
    "argument: the dataset itself must keep its order.",
    false_with={"shuffled": False},
)
def test_fit_ignores_shuffle_for_a_dataset(shuffled=True):
    def orders(*data, **options):
        """The examples of two epochs, in the order of the steps."""
        seen = []

        class Seen(keras.Model):
            def train_step(self, batch):
                seen.extend(np.array(batch[0]).tolist())
                return super().train_step(batch)

        model = classifier(Seen)
        model.compile("sgd", **EAGER)
        model.fit(*data, epochs=2, verbose=0, **options)
        return seen[-24:-12], seen[-12:]

    first, second = orders(X, Y, batch_size=4, shuffle=False)
    assert first == second == X.tolist()
    assert orders(X, Y, batch_size=4, shuffle=True)[0] != first
    data = tf.data.Dataset.from_tensor_slices((X, Y))
    data = data.shuffle(12, seed=0) if shuffled else data
    first, second = orders(data.batch(4), shuffle=False)
    assert first != second


@proves(
    "If each epoch has the same batches in the same order, a model without Dropout "
    "ends as if it had never been killed.",
    false_with={"dropout": 0.5},
)
def test_backup_resumes_without_dropout(dropout=0.0):
    resumed, steps, _ = resumed_by_backup(dropout, stopped="killed")
    expected, expected_steps, _ = resumed_by_backup(dropout, stopped=False)
    assert steps == expected_steps == 9
    assert largest_difference(resumed, expected) < 1e-6


@proves(
    "With Dropout, as here, the model ends with other weights: the state of its random "
    "numbers is not saved.",
    false_with={"dropout": 0.0},
)
def test_backup_loses_the_state_of_dropout(dropout=0.5):
    resumed, *_ = resumed_by_backup(dropout, stopped="killed")
    expected, *_ = resumed_by_backup(dropout, stopped=False)
    assert largest_difference(resumed, expected) > 1e-4


@proves(
    "`EarlyStopping` begins anew too, and the history has the new epochs only.",
    false_with={"last_step": 0},
)
def test_backup_forgets_other_callbacks(last_step=8):
    """The loss stays as it is; the first training is stopped in its third epoch."""
    with tempfile.TemporaryDirectory() as folder:
        for stops_after in (last_step, 0):
            model = classifier()
            model.compile(keras.optimizers.SGD(0.0), **EAGER)
            callbacks = [
                keras.callbacks.BackupAndRestore(f"{folder}/backup"),
                keras.callbacks.EarlyStopping("loss", patience=2),
                Interrupt(stops_after),
            ]
            history = keras.callbacks.History()
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, epochs=9, callbacks=[*callbacks, history], **QUIET)
    assert history.epoch == [2, 3, 4]


@proves(
    "With `save_freq=25` Keras 3 restores the middle of an epoch, but begins that "
    "epoch again: steps are taken twice. Leave the argument out.",
    keras=">=3",
    false_with={"save_freq": "epoch"},
)
def test_backup_repeats_steps_on_keras_3(save_freq=4):
    _, steps, _ = resumed_by_backup(save_freq=save_freq)
    assert steps == 4 + 6  # the fourth step is in the second epoch, which starts again


@proves(
    "Other callbacks start anew: `EarlyStopping` forgets how long it has waited.",
    false_with={"stopped": False},
)
def test_other_callbacks_start_anew(stopped=True):
    seen = []
    with tempfile.TemporaryDirectory() as folder:
        for last_step in (8, 0) if stopped else (0,):  # in the third epoch
            model = classifier()
            model.compile(keras.optimizers.SGD(0.0), **EAGER)
            callbacks = [
                keras.callbacks.BackupAndRestore(f"{folder}/backup"),
                keras.callbacks.EarlyStopping("loss", patience=2),
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, logs: seen.append(epoch)
                ),
                Interrupt(last_step),
            ]
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, epochs=20, callbacks=callbacks, **QUIET)
    assert seen == [0, 1, 2, 3, 4]


@proves(
    "Without a backup, let a `ModelCheckpoint` save the whole model after every "
    "epoch, load the last file, and give its number to `fit` as `initial_epoch`. "
    "Do not compile again: the file holds the optimizer and its state. With the "
    "same batches and without Dropout, the model ends as if it had never been "
    "killed.",
    false_with={"initial_epoch": 1},
)
def test_a_checkpoint_goes_on_by_initial_epoch(initial_epoch=2):
    with tempfile.TemporaryDirectory() as folder:
        for last_step in (8, 0):  # in the third epoch
            model = classifier()
            model.compile(keras.optimizers.Adam(0.1), EAGER["loss"])
            keep = keras.callbacks.ModelCheckpoint(f"{folder}/epoch-{{epoch}}.keras")
            callbacks = [keep, Interrupt(last_step)] if last_step else []
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, epochs=3, callbacks=callbacks, **QUIET)
        loaded = keras.models.load_model(f"{folder}/epoch-2.keras")
        loaded.fit(X, Y, epochs=3, initial_epoch=initial_epoch, **QUIET)
    assert largest_difference(loaded.get_weights(), model.get_weights()) < 1e-5


@proves(
    "If the model is still in memory, after Ctrl-C for example, call `fit` again with "
    "`initial_epoch`: it goes on with the same optimizer.",
    false_with={"compiled_again": True},
)
def test_a_model_in_memory_goes_on(compiled_again=False):
    """Interrupted between two epochs, with Adam, it ends as if it had not been."""
    weights = []
    for parts in ((3,), (2, 3)):
        model, done = classifier(), 0
        model.compile(keras.optimizers.Adam(0.1), **EAGER)
        for epochs in parts:
            if done and compiled_again:
                model.compile(keras.optimizers.Adam(0.1), **EAGER)
            found = model.fit(X, Y, epochs=epochs, initial_epoch=done, **QUIET)
            assert found.epoch == list(range(done, epochs))
            done = epochs
        weights.append(model.get_weights())
    assert largest_difference(*weights) < 1e-6


@proves(
    "In a loop of your own, call the recipe "
    "{recipe}`snippets.training_loops.save_checkpoint` after each epoch; `done = "
    "restore_checkpoint(folder, model, optimizer)` at the start puts the newest "
    "checkpoint back, and says how many steps are done:",
    false_with={"saved": 1},
    needs="keras>=3",
)
def test_a_loop_goes_on_from_its_checkpoint(saved=2):
    from snippets.training_loops import restore_checkpoint, save_checkpoint

    def take_steps(model, optimizer, count):
        for _ in range(count):
            gradients, variables = (
                plain_gradients(model, X, Y),
                model.trainable_variables,
            )
            optimizer.apply_gradients(zip(gradients, variables, strict=True))

    model, optimizer = classifier(), keras.optimizers.Adam(0.1)
    new, new_optimizer = classifier(seed=1), keras.optimizers.Adam(0.1)
    optimizer.build(model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        for step in range(1, 3):
            take_steps(model, optimizer, 1)
            if step <= saved:
                save_checkpoint(folder, model, optimizer, step)
        assert restore_checkpoint(folder, new, new_optimizer) == 2
    take_steps(model, optimizer, 1)
    take_steps(new, new_optimizer, 1)
    assert largest_difference(new.get_weights(), model.get_weights()) < 1e-6


@proves(
    "To go on in `train_by_hand`, pass it `initial_epoch=done // len(train)`, and save "
    "in a callback for the end of an epoch.",
    false_with={"goes_on": False},
    needs="keras>=3",
)
def test_the_loop_by_hand_goes_on(goes_on=True):
    from snippets.training_loops import (
        restore_checkpoint,
        save_checkpoint,
        train_by_hand,
    )

    class Save(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            steps = (epoch + 1) * len(train)
            save_checkpoint(folder, self.model, self.model.optimizer, steps)

    train, weights, epochs = [(X[:6], Y[:6]), (X[6:], Y[6:])], [], []
    for parts in ((3,), (1, 3)):
        with tempfile.TemporaryDirectory() as folder:
            for last in parts:
                model, optimizer = classifier(), keras.optimizers.Adam(0.1)
                done = restore_checkpoint(folder, model, optimizer)
                begin = done // len(train) if goes_on else 0
                history = train_by_hand(
                    model,
                    train,
                    last,
                    crossentropy(),
                    optimizer,
                    callbacks=[Save()],
                    initial_epoch=begin,
                )
                epochs.append(len(history["loss"]))
            weights.append(model.get_weights())
    assert epochs == [3, 1, 2]
    assert largest_difference(*weights) < 1e-6


@proves(
    "When no epoch is left, it raises a `ValueError`.",
    false_with={"done": 2},
    needs="keras>=3",
)
def test_the_loop_by_hand_wants_an_epoch(done=3):
    from snippets.training_loops import train_by_hand

    parts = classifier(), [(X, Y)], 3, crossentropy(), keras.optimizers.SGD()
    with pytest.raises(ValueError, match="`initial_epoch` < `epochs`"):
        train_by_hand(*parts, initial_epoch=done)


@proves(
    "When the training is complete, Keras 3 deletes the backup.",
    keras=">=3",
    false_with={"last_step": 2},
)
def test_the_backup_is_deleted(last_step=0):
    with tempfile.TemporaryDirectory() as folder:
        model = classifier()
        model.compile("sgd", **EAGER)
        backup = keras.callbacks.BackupAndRestore(f"{folder}/backup", save_freq=1)
        with contextlib.suppress(KeyboardInterrupt):
            model.fit(X, Y, callbacks=[backup, Interrupt(last_step)], **QUIET)
        assert not os.path.exists(f"{folder}/backup")


@proves(
    "Shuffled data: a dataset that is shuffled with a seed starts over, and the "
    "epoch after the restart has the order of the first epoch.",
    false_with={"restarted": False},
)
def test_a_shuffled_dataset_starts_over(restarted=True):
    seen = []

    class Seen(keras.Model):
        def train_step(self, data):
            seen.append(np.array(data[0]).tolist())
            return super().train_step(data)

    with tempfile.TemporaryDirectory() as folder:
        for last_step in (5, 0) if restarted else (0,):
            data = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(12, seed=0)
            model = classifier(Seen)
            model.compile("sgd", **EAGER)
            backup = keras.callbacks.BackupAndRestore(f"{folder}/backup")
            callbacks = [backup, Interrupt(last_step)]
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(data.batch(4), epochs=3, callbacks=callbacks, verbose=0)
    first, second, restarted_one = seen[:2], seen[3:5], seen[-6:-4]
    assert first != second
    assert first == restarted_one  # after the restart two epochs were left


# Gradient accumulation


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
    "From Keras 3.6 on, give the optimizer `gradient_accumulation_steps=4`: four "
    "batches of 8 then make one update, as one batch of 32 would.",
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


@proves(
    "The small batches, or parts, count alike: a smaller last one weighs too much.",
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
    "In a loop, give such an optimizer to `training_step`.",
    false_with={"parts": None},
    needs="keras>=3.6",
)
def test_a_loop_accumulates_too(parts=2):
    from snippets.training_loops import training_step

    weights = []
    for steps, size in ((parts, 6), (None, 12)):
        keras.utils.set_random_seed(0)
        model = classifier()
        optimizer = keras.optimizers.SGD(0.5, gradient_accumulation_steps=steps)
        step = training_step(model, crossentropy(), optimizer, keras.metrics.Mean())
        for start in range(0, 12, size):
            step(X[start : start + size], Y[start : start + size])
        weights.append(model.get_weights())
    assert largest_difference(*weights) < 1e-6


@proves(
    "Parts that are left over at the end of an epoch wait for the next one: with 3 "
    "parts and `gradient_accumulation_steps=4`, the first epoch changes nothing.",
    false_with={"epochs": 2},
    needs="keras>=3",
)
def test_left_over_parts_wait(epochs=1):
    weights, _ = accumulate(4, parts=4, epochs=epochs)
    assert largest_difference(weights, classifier().get_weights()) == 0.0
    moved, _ = accumulate(4, parts=4, epochs=2)
    assert largest_difference(moved, weights) > 0.0


@proves(
    "`optimizer.iterations` counts updates, but a learning-rate schedule counts "
    "the small batches, so it runs 4 times as fast: make the schedule 4 times as "
    "long.",
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
    "BatchNormalization sees the parts, not the batch.",
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


def tells_nothing(self, data):
    return {"loss": tf.constant(0.0)}


@proves(
    "Validation is left to the `test_step` of Keras.",
    false_with={"test_step": tells_nothing},
    needs="keras>=3",
)
def test_validation_is_left_to_keras(test_step=keras.Model.test_step):
    from snippets.training_loops import OwnStep

    own = type("Own", (OwnStep,), {"test_step": test_step})
    found = []
    for kind in (keras.Model, OwnStep, own):
        model = classifier(kind)
        model.compile("sgd", **EAGER)
        found.append(model.evaluate(X, Y, verbose=0, return_dict=True)["loss"])
    assert found == pytest.approx([found[0]] * 3)


@proves(
    "These live in the optimizer, so `fit`, `train_step` and a loop get them from "
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
    "Without a schedule, set another rate between two epochs, "
    "`optimizer.learning_rate = 1e-4`, or let the callback `LearningRateScheduler` "
    "do it in `fit`: the compiled step uses it.",
    false_with={"rate": 0.1},
)
def test_another_rate_is_used(rate=1e-4):
    model = classifier()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    for by_callback in (False, True):
        moved = []
        for another in (0.1, rate):
            callbacks = []
            if by_callback:
                schedule = [another]
                scheduler = keras.callbacks.LearningRateScheduler(schedule.__getitem__)
                callbacks.append(scheduler)
            else:
                model.optimizer.learning_rate = another
            before = model.get_weights()
            model.fit(X, Y, callbacks=callbacks, verbose=0)
            moved.append(largest_difference(model.get_weights(), before))
        assert 900 < moved[0] / moved[1] < 1100


@proves(
    "`clipnorm=1.0` | shortens the gradient of each variable to length 1, if it is "
    "longer",
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
    "`use_ema=True` | averages the weights; `fit` puts the average in place at its end",
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
    "At its end, a loop has to put the average in place itself, as `train_by_hand` "
    "does: call `optimizer.finalize_variable_values(model.trainable_variables)`.",
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
    "`CosineDecay(0.0, 180, warmup_target=0.1, warmup_steps=20)` as "
    "`learning_rate` | rises to 0.1 in 20 steps, and falls to 0 in the 180 after them",
    false_with={"peak": 0.2},
    needs="keras>=3",
)
def test_warmup_then_a_cosine(peak=0.1):
    decay = keras.optimizers.schedules.CosineDecay
    schedule = decay(0.0, 180, warmup_target=peak, warmup_steps=20)
    rates = [float(schedule(step)) for step in (0, 10, 20, 65, 110, 200)]
    cosine = [0.05 * (1 + np.cos(np.pi * part)) for part in (0, 0.25, 0.5, 1)]
    assert np.allclose(rates, [0.0, 0.05, *cosine], atol=1e-6)


# Mixed precision


@proves(
    "Float16 cannot hold `1e-8`: a gradient of that size becomes 0.",
    false_with={"dtype": "float32"},
)
def test_small_gradients_vanish_in_float16(dtype="float16"):
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(tf.cast(x, dtype) * 1.0, "float32") * 1e-8
    assert float(tape.gradient(y, x)) == 0.0


@proves(
    "So multiply the loss by a scale, `optimizer.scale_loss(loss)`, and let "
    "`optimizer.apply` divide the gradients by it.",
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
    "Under `mixed_float16`, `compile()` of Keras 3 puts the optimizer into a "
    "`LossScaleOptimizer`; in a loop, do it yourself:",
    keras=">=3",
    false_with={"policy": contextlib.nullcontext},
)
def test_compile_wraps_the_optimizer(policy=mixed_float16):
    with policy():
        model = classifier()
        model.compile("sgd", "mse")
    assert type(model.optimizer).__name__ == "LossScaleOptimizer"


@proves(
    "Keras 3 has no `get_scaled_loss`, and no `get_unscaled_gradients`, since "
    "`apply` divides by the scale.",
    keras="<3",
)
def test_get_scaled_loss_was_keras_2():
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    assert hasattr(optimizer, "get_scaled_loss")
    assert hasattr(optimizer, "get_unscaled_gradients")
    assert float(optimizer.get_scaled_loss(tf.constant(1.0))) == 2.0**15
    assert not hasattr(optimizer, "scale_loss")


@proves(
    "Keras 3 has no `get_scaled_loss`, and no `get_unscaled_gradients`, since "
    "`apply` divides by the scale.",
    keras=">=3",
)
def test_scale_loss_is_keras_3():
    optimizer = keras.mixed_precision.LossScaleOptimizer(keras.optimizers.SGD())
    assert hasattr(optimizer, "scale_loss")
    optimizer.build([keras.Variable(1.0)])
    assert float(optimizer.scale_loss(tf.constant(1.0))) == 2.0**15
    assert not hasattr(optimizer, "get_scaled_loss")
    assert not hasattr(optimizer, "get_unscaled_gradients")


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
    "A step in `tf.function` is traced once, and then only its graph runs.",
    false_with={"last": 3},
)
def test_a_compiled_step_is_traced_once(last=2.0):
    python_runs = []
    compiled = tf.function(lambda x: python_runs.append(x) or x * 2)
    for number in (1.0, last):
        compiled(tf.constant(number))
    assert len(python_runs) == 1


@proves(
    "another Python number | each time: pass a tensor",
    false_with={"kind": tf.constant},
)
def test_python_numbers_are_traced(kind=int):
    assert traces([kind(number) for number in (1, 2, 3)]) == [1, 2, 3]


@proves(
    "another shape, as the smaller last batch has | once for each shape",
    false_with={"options": {"reduce_retracing": True}},
)
def test_shapes_are_traced(options=()):
    assert traces(SIZES, **dict(options)) == [1, 1, 2, 3]


@proves(
    "another shape, with `reduce_retracing=True` | once more; after that any batch "
    "size fits",
    false_with={"reduce": False},
)
def test_reduced_retracing(reduce=True):
    assert traces(SIZES, reduce_retracing=reduce) == [1, 1, 2, 2]


# TensorFlow warns of the retracing of a function twice in the life of a process.
RETRACING = """
import io, json, logging
import tensorflow as tf
from tensorflow import keras
log, warnings = io.StringIO(), {}
tf.get_logger().addHandler(logging.StreamHandler(log))
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

def anew():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

calls = {
    "once": lambda turn: model.predict(tf.ones((2, 4)), verbose=0),
    "a model": lambda turn: anew().predict(tf.ones((2, 4)), verbose=0),
    "a function": lambda turn: tf.function(lambda x: x * 2)(tf.ones(2)),
    "numbers": lambda turn, function=tf.function(lambda x: x * 3): function(turn),
    "shapes": lambda turn, function=tf.function(lambda x: x * 4): function(
        tf.ones(turn + 1)
    ),
}
for name, call in calls.items():
    before = log.getvalue().count("triggered tf.function retracing")
    for turn in range(turns):
        call(turn)
    after = log.getvalue().count("triggered tf.function retracing")
    warnings[name] = after - before
print(json.dumps(warnings))
"""


@proves(
    "*5 out of the last 5 calls to ... triggered tf.function retracing*: a model, "
    "or a `tf.function`, is made anew in each turn of a loop, or gets another Python "
    "number or shape at each call.",
    false_with={"turns": 4},
)
def test_a_model_in_a_loop_warns(turns=7):
    printed = in_fresh_process(f"turns = {turns}\n{RETRACING}")
    names = ("a model", "a function", "numbers", "shapes")
    assert printed == {"once": 0} | dict.fromkeys(names, 2)


# What the tape records


@proves(
    "If only some are, the optimizer warns `Gradients do not exist for variables` "
    "and skips these.",
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
    "All gradients are `None`.",
    false_with={"gradient": tf.ones(1)},
)
def test_no_gradients_at_all(gradient=None):
    variable = keras.layers.Layer().add_weight(shape=(1,), initializer="zeros")
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        keras.optimizers.SGD().apply_gradients([(gradient, variable)])


# No error, wrong result


@proves(
    'A `train_step` that returns `{"loss": loss}` and updates no tracker reports '
    "0.0 on Keras 3, since Keras reads its own tracker. With metrics in "
    "`compile()` it raises `Cannot get result() since the metric has not yet been "
    "built`.",
    keras=">=3",
)
def test_untracked_loss_is_zero_on_keras_3():
    losses, model = untracked_history()
    assert losses == [0.0] * 2
    assert number(model.metrics[0].count) == 0.0
    assert largest_difference(model.get_weights(), classifier().get_weights()) > 1e-3
    with pytest.raises(ValueError, match="the metric has not yet been built"):
        untracked_history(metrics=("accuracy",))


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
    'You made a tracker of your own with the name `"loss"`: it hides the one that '
    "the default `test_step` updates.",
    false_with={"tests_too": True},
)
def test_own_tracker_hides_the_validation(tests_too=False):
    loss, val_loss = losses_of_second_tracker(tests_too)
    assert loss > 0.5
    assert val_loss == 0.0


@proves(
    "Update `self.metrics[0]`, or write `test_step` too.",
    false_with={"tests_too": False},
)
def test_a_test_step_of_its_own_cures_it(tests_too=True):
    loss, val_loss = losses_of_second_tracker(tests_too)
    assert loss > 0.5
    assert val_loss > 0.5


@proves(
    "changes less and less from epoch to epoch | the metric was not reset: it shows "
    "the mean of all epochs | `reset_state()` in each epoch",
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
    "is above that of `evaluate`, on the same data | the loss of an epoch is a mean "
    "over its steps, and the weights change in between | compare what `evaluate` gives",
    false_with={"rate": 0.0},
)
def test_the_loss_of_an_epoch_is_a_mean(rate=0.5):
    model, losses = classifier(), []

    class Before(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            part = slice(4 * batch, 4 * batch + 4)
            outputs = self.model(X[part])
            losses.append(float(np.mean(crossentropy()(Y[part], outputs))))

    model.compile(keras.optimizers.SGD(rate), **EAGER)
    options = {**QUIET, "batch_size": 4, "callbacks": [Before()]}
    history = model.fit(X, Y, **options).history
    assert len(losses) == 3
    assert np.isclose(history["loss"][-1], np.mean(losses), atol=1e-5)
    assert history["loss"][-1] > model.evaluate(X, Y, verbose=0) + 1e-3


@proves(
    "Keras's own guide does not scale the loss: under `mixed_float16` SGD hardly "
    "trains such a model, and no error says so.",
    false_with={"scaled": True},
    needs="keras>=3",
)
def test_unscaled_step_hardly_learns(scaled=False):
    policy = "mixed_float16"
    assert 0 < step_under(policy, scaled) < 1e-4 < step_under(policy, True)


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
    "Your step is compiled, and its tensors have no values yet: print with "
    "`tf.print`, or debug with `compile(run_eagerly=True)`.",
    false_with={"run_eagerly": True},
)
def test_numpy_in_a_compiled_step(run_eagerly=False):
    with pytest.raises(AttributeError, match="object has no attribute 'numpy'"):
        with_numpy_on_the_tape(run_eagerly, other_term=True)


@proves(
    "XLA compiles the step, and has no `tf.print`, and no operations on strings: "
    "remove them, or pass `jit_compile=False`.",
    false_with={"jit_compile": False},
)
def test_xla_has_no_print_and_no_strings(jit_compile=True):
    actions = {
        "print": lambda x: tf.print(x),
        "string": lambda x: tf.strings.length(tf.strings.as_string(x)),
    }
    for action in actions.values():

        class Unsupported(keras.Model):
            def train_step(self, data, action=action):
                action(data[0])
                return super().train_step(data)

        model = classifier(Unsupported)
        model.compile("sgd", EAGER["loss"], jit_compile=jit_compile)
        message = "Detected unsupported operations when trying to compile graph"
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            model.fit(X, Y, **QUIET)


@proves(
    "Inside the tape, with `run_eagerly=True`, `.numpy()` raises nothing, but cuts the "
    "gradient: that term of the loss is not learned.",
    false_with={"lost": False},
)
def test_a_lost_term_is_not_missed(lost=True):
    before, after = with_numpy_on_the_tape(True, other_term=True, lost=lost)
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[1], after[1])


# A flag that is changed later


def frozen_later(again=True):
    """Freeze the only layer after a first `fit`, train on, and say how far it moved."""
    model = classifier()
    model.compile(keras.optimizers.SGD(0.5), EAGER["loss"])
    model.fit(X, Y, **QUIET)
    model.layers[1].trainable = False
    if again:
        model.compile(keras.optimizers.SGD(0.5), EAGER["loss"])
    before = model.get_weights()
    model.fit(X, Y, **QUIET)
    return largest_difference(before, model.get_weights())


@proves(
    "`trainable` is read when the step is traced, so a layer that is frozen later goes "
    "on learning.",
    false_with={"again": True},
)
def test_a_layer_frozen_later_learns(again=False):
    assert frozen_later(again) > 1e-3


@proves(
    "Call `compile()` again: Transfer learning shows when the flag counts.",
    false_with={"again": False},
)
def test_compiled_again_it_is_frozen(again=True):
    assert frozen_later(again) == 0.0


@proves(
    "In a loop, call `training_step` again.",
    false_with={"again": False},
    needs="keras>=3",
)
def test_a_step_made_again_is_frozen(again=True):
    from snippets.training_loops import training_step

    model, optimizer = classifier(), keras.optimizers.SGD(0.5)
    rest = crossentropy(), optimizer, keras.metrics.Mean()
    inputs, scores = model.input, keras.layers.Dense(3, "softmax")(model.output)
    model = keras.Model(inputs, scores)
    step = training_step(model, *rest)
    step(X, Y)
    model.layers[1].trainable = False
    kernel, bias, *others = model.get_weights()
    if again:
        step = training_step(model, *rest)
    step(X, Y)
    found = model.get_weights()
    assert largest_difference(found[:2], [kernel, bias]) == 0.0
    assert largest_difference(found[2:], others) > 1e-3


# Errors


def short_epochs(repeated=False, epochs=4):
    """Fit 2 batches with 3 steps an epoch: epochs, steps, warnings."""
    model = classifier()
    model.compile("sgd", EAGER["loss"])
    data = tf.data.Dataset.from_tensor_slices((X[:8], Y[:8])).batch(4)
    data = data.repeat() if repeated else data
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = model.fit(data, steps_per_epoch=3, epochs=epochs, verbose=0).history
    messages = [str(warning.message) for warning in caught]
    short = sum("Your input ran out of data" in message for message in messages)
    return len(history["loss"]), number(model.optimizer.iterations), short


@proves(
    "From Keras 3.9 on this does not stop `fit`: with 2 batches and "
    "`steps_per_epoch=3`, each of 4 epochs ends after 2 steps.",
    false_with={"repeated": True},
    keras=">=3.9",
)
def test_each_epoch_is_short(repeated=False):
    epochs, steps, short = short_epochs(repeated)
    assert (epochs, steps, short) == (4, 8, 4)


@proves("Keras 2 ends the training.", keras="<3")
def test_keras_2_ends_the_training():
    assert short_epochs()[0] == 1


@proves(
    "Leave `steps_per_epoch` out, or repeat the dataset, `fit(dataset.repeat(), "
    "steps_per_epoch=3)`.",
    false_with={"repeated": False},
)
def test_repeated_it_is_whole(repeated=True):
    epochs, steps, short = short_epochs(repeated)
    assert (epochs, steps, short) == (4, 12, 0)


@proves(
    "A generator is empty after one pass: write `while True:` around its loop, "
    "and pass `steps_per_epoch`.",
    false_with={"for_ever": False},
)
def test_a_generator_that_never_ends(for_ever=True):
    def batches(turns):
        while turns:
            turns -= 1
            for start in (0, 4, 8):
                yield X[start : start + 4], Y[start : start + 4]

    once = batches(1)
    assert [len(list(once)), len(list(once))] == [3, 0]
    model = classifier()
    model.compile("sgd", EAGER["loss"])
    with contextlib.suppress(ValueError):
        turns = -1 if for_ever else 1
        model.fit(batches(turns), steps_per_epoch=3, epochs=4, verbose=0)
    assert number(model.optimizer.iterations) == 12


@proves(
    "Look for a loss that was computed outside of the tape, for `.numpy()`, and for "
    "functions without a gradient, such as rounding and `argmax`; "
    "[GradientTape](../reference/gradient_tape.md) has the whole list.",
    false_with={"lost": "nothing"},
)
def test_gradients_are_lost(lost="all"):
    w = tf.Variable([3.0, 1.0])
    outside = w * w
    with tf.GradientTape(persistent=True) as tape:
        inside = w * w
        results = {
            "outside": outside * 2,
            "numpy": tf.constant(inside.numpy()) * 2,
            "round": tf.round(inside),
            "argmax": tf.cast(tf.argmax(inside), "float32") * 2,
        }
        results = results if lost == "all" else {"inside": inside * 2}
    assert all(tape.gradient(result, w) is None for result in results.values())


@proves(
    "Make one optimizer for each model. If you will unfreeze layers later, build it "
    "with all weights before you freeze any: "
    "`optimizer.build(model.trainable_variables)`.",
    false_with={"same": False},
    needs="keras>=3",
)
def test_an_optimizer_knows_its_variables(same=True):
    first, second = classifier(), classifier()
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(first.trainable_variables)
    if not same:
        optimizer = keras.optimizers.SGD(0.5)
    gradients = [tf.ones(weight.shape) for weight in second.trainable_variables]
    message = "can only be called for the variables it was originally built with"
    with pytest.raises(ValueError, match=message):
        optimizer.apply(gradients, second.trainable_variables)

    # Built with all, it takes some, and all again.
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(second.trainable_variables)
    optimizer.apply(gradients[:1], second.trainable_variables[:1])
    optimizer.apply(gradients, second.trainable_variables)
    assert number(optimizer.iterations) == 2

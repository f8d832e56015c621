"""Proofs of the page of what is in Keras, and what it lacks."""

import tempfile

import numpy as np
import pytest
from tensorflow import keras

from tests.proofs.proves import proves

X = np.sin(np.arange(48, dtype="float32")).reshape(12, 4)
Y = np.arange(12) % 3
CROSSENTROPY = "sparse_categorical_crossentropy"
IMAGES = np.ones((4, 2, 2, 1), "float32") * np.arange(4.0)[:, None, None, None]
CLASS_NUMBERS = Y[:4].astype("float32")


def classifier():
    """From 4 numbers to 3 classes, with the same weights each time."""
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(5, activation="tanh", name="base"),
        keras.layers.Dense(3, activation="softmax", name="head"),
    ]
    return keras.Sequential([keras.Input((4,)), *layers])


def trained(optimizer, callbacks=()):
    """One step on all examples, and how far each weight went."""
    model = classifier()
    before = model.get_weights()
    model.compile(optimizer, CROSSENTROPY)
    model.fit(X, Y, batch_size=12, callbacks=list(callbacks), verbose=0)
    after = model.get_weights()
    return [np.abs(new - old).max() for old, new in zip(before, after, strict=True)]


def loaded(model):
    """The same model out of a file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras")


# Already in Keras


@proves(
    "`val_loss` is that of the weights before averaging, unless `SwapEMAWeights()` is "
    "among the callbacks.",
    false_with={"is_swapped": True},
    needs="keras>=3",
)
def test_validation_does_not_see_the_average(is_swapped=False):
    model = classifier()
    optimizer = keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer, CROSSENTROPY)
    callbacks = [keras.callbacks.SwapEMAWeights()] if is_swapped else []
    data = {"validation_data": (X, Y), "epochs": 2, "shuffle": False, "verbose": 0}
    history = model.fit(X, Y, callbacks=callbacks, **data).history
    average = model.evaluate(X, Y, verbose=0)  # `fit` has put it in place
    assert abs(history["val_loss"][-1] - average) > 0.001


@proves(
    "They mix images and not labels, and they mix in `model(x)` too.",
    false_with={"call": {"training": False}},
    needs="keras>=3.9",
)
def test_mixing_layers_mix_in_every_call(call=()):
    for layer in (keras.layers.MixUp(0.9, seed=1), keras.layers.CutMix(seed=1)):
        model = keras.Sequential([keras.Input((2, 2, 1)), layer])
        assert not np.allclose(model(IMAGES, **dict(call)), IMAGES)


@proves(
    "`y` has to be one-hot: from class numbers, given as floats, come labels of shape "
    "`(batch, batch)`.",
    false_with={"labels": np.eye(4, 3, dtype="float32")},
    needs="keras>=3.9",
)
def test_class_numbers_become_a_square(labels=CLASS_NUMBERS):
    for layer in (keras.layers.MixUp(seed=1), keras.layers.CutMix(seed=1)):
        mixed = layer({"images": IMAGES, "labels": labels})
        assert mixed["labels"].shape == (4, 4)


@proves(
    "Its `alpha` counts only with `apply_class_balancing=True`.",
    false_with={"is_balanced": True},
)
def test_alpha_needs_class_balancing(is_balanced=False):
    labels, predictions = np.array([[1.0], [0.0]]), np.array([[0.7], [0.4]])
    losses = [
        keras.losses.BinaryFocalCrossentropy(
            alpha=alpha, apply_class_balancing=is_balanced
        )(labels, predictions)
        for alpha in (0.1, 0.9)
    ]
    assert float(losses[0]) == float(losses[1])


@proves(
    "Its `alpha=0.25` divides the loss of every class by 4.",
    false_with={"options": {"alpha": 1.0}},
)
def test_alpha_is_a_quarter_for_every_class(options=()):
    labels, predictions = np.eye(3), np.eye(3) * 0.5 + 0.5 / 3
    focal = keras.losses.CategoricalFocalCrossentropy(gamma=0.0, **dict(options))
    plain = keras.losses.CategoricalCrossentropy()
    assert np.isclose(focal(labels, predictions), plain(labels, predictions) / 4)


@proves(
    "`SparseCategoricalCrossentropy` has no such argument: pass one-hot labels.",
    false_with={"name": "CategoricalCrossentropy"},
)
def test_sparse_labels_are_not_smoothed(name="SparseCategoricalCrossentropy"):
    with pytest.raises(TypeError):
        getattr(keras.losses, name)(label_smoothing=0.1)


@proves(
    "A loaded model predicts as the saved one did, but `fit` then changes neither the "
    "LoRA matrices nor the kernel.",
    false_with={"is_saved": False},
    needs="keras>=3",
)
def test_a_loaded_adapter_does_not_learn(is_saved=True):
    model = classifier()
    model.get_layer("base").enable_lora(rank=4)
    model.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    model.fit(X, Y, verbose=0)
    predictions = model.predict(X, verbose=0)
    model = loaded(model) if is_saved else model
    assert np.allclose(model.predict(X, verbose=0), predictions, atol=1e-6)
    model.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    layer = model.get_layer("base")
    parts = layer.lora_kernel_a, layer.lora_kernel_b
    before = [np.array(part) for part in (*parts, layer.kernel)]
    model.fit(X, Y, epochs=3, verbose=0)
    after = [np.array(part) for part in (*parts, layer.kernel)]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))


@proves(
    "Saving adds the matrices to the kernel, and loading sets both to 0.",
    false_with={"is_saved": False},
    needs="keras>=3",
)
def test_saving_merges_the_adapter(is_saved=True):
    model = classifier()
    layer = model.get_layer("base")
    layer.enable_lora(rank=4)
    model.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    model.fit(X, Y, verbose=0)
    frozen, _, *parts = map(np.array, layer.weights)
    merged = frozen + parts[0] @ parts[1]
    assert np.abs(merged - frozen).max() > 0.01
    model = loaded(model) if is_saved else model
    kernel, _, *parts = map(np.array, model.get_layer("base").weights)
    assert np.allclose(kernel, merged, atol=1e-6)
    assert not np.any(parts[0])
    assert not np.any(parts[1])


@proves(
    "To go on, build the model without LoRA, call `load_weights` on the file, and then "
    "`enable_lora` again.",
    false_with={"is_enabled_first": True},
    needs="keras>=3",
)
def test_lora_goes_on_after_load_weights(is_enabled_first=False):
    trained = classifier()
    trained.get_layer("base").enable_lora(rank=4)
    trained.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    trained.fit(X, Y, verbose=0)
    model = classifier()
    layer = model.get_layer("base")
    with tempfile.TemporaryDirectory() as folder:
        trained.save(f"{folder}/model.keras")
        if is_enabled_first:
            layer.enable_lora(rank=4)
        model.load_weights(f"{folder}/model.keras")
    if not is_enabled_first:
        layer.enable_lora(rank=4)
    predictions = [each.predict(X, verbose=0) for each in (trained, model)]
    assert np.allclose(*predictions, atol=1e-6)
    model.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    before = [np.array(weight) for weight in layer.weights]
    model.fit(X, Y, epochs=3, verbose=0)
    after = [np.array(weight) for weight in layer.weights]
    moved = [not np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert moved == [False, True, True, True]  # kernel, bias, and the two matrices


@proves(
    "`load_model` refuses the folder: call `tf.saved_model.load(folder).serve(x)`.",
    false_with={"suffix": ".keras"},
    needs="keras>=3",
)
def test_an_exported_folder_is_no_keras_file(suffix=""):
    model = classifier()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/model{suffix}"
        model.save(path) if suffix else model.export(path)
        with pytest.raises(ValueError):
            keras.models.load_model(path)


@proves(
    'A pattern has to match the whole `path` of a weight: with `"base"` all weights '
    "get `fast`, without a warning.",
    false_with={"pattern": ".*base/.*"},
    needs="keras>=3.15",
)
def test_a_pattern_has_to_match_the_whole_path(pattern="base"):
    rates = keras.optimizers.OptimizerMap(
        keras.optimizers.SGD(0.1), {pattern: keras.optimizers.SGD(0.0)}
    )
    assert min(trained(keras.optimizers.MultiOptimizer(rates))) > 0


@proves(
    "On TensorFlow, `fit` of a model that was made in a `keras.RematScope()` stops "
    "with an error.",
    false_with={"mode": None},
    needs="keras>=3.11",
)
def test_a_remat_scope_stops_fit(mode="full"):
    with keras.RematScope(mode=mode):
        model = classifier()
    model.compile("sgd", CROSSENTROPY)
    with pytest.raises(ValueError):
        model.fit(X, Y, verbose=0)


# What Keras lacks


@proves(
    "To multiply the gradients of a layer by a factor is no substitute: Adam divides "
    "by their size.",
    false_with={"name": "SGD"},
    needs="keras>=3",
)
def test_adam_takes_no_notice_of_a_factor(name="Adam"):
    moves = []
    for factor in (1.0, 0.1):
        variable = keras.Variable([1.0, 2.0])
        optimizer = getattr(keras.optimizers, name)(0.1)
        for _ in range(3):
            optimizer.apply([factor * np.array([0.5, -3.0], "float32")], [variable])
        moves.append(np.array(variable))
    assert np.allclose(*moves, atol=1e-4)


@proves(
    "From Keras 3.15 on, `MultiOptimizer` gives layers their own learning rates, but a "
    "`LearningRateScheduler` stops with an error there under `mixed_float16`.",
    false_with={"policy": "float32"},
    needs="keras>=3.15",
)
def test_a_scheduler_finds_no_rate_in_mixed_precision(policy="mixed_float16"):
    rates = keras.optimizers.OptimizerMap(keras.optimizers.SGD(0.1))
    halved = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    keras.mixed_precision.set_global_policy(policy)
    try:
        with pytest.raises(ValueError):
            trained(keras.optimizers.MultiOptimizer(rates), [halved])
    finally:
        keras.mixed_precision.set_global_policy("float32")


@proves(
    "This recipe multiplies the learning rate instead, and works on older versions of "
    "Keras 3 too:",
    false_with={"factors": ()},
    needs="keras>=3",
)
def test_one_optimizer_steps_less_in_a_layer(factors=(("base", 0.1),)):
    from snippets.transfer_learning import LayerwiseAdam

    optimizer = LayerwiseAdam(0.01, dict(factors))
    moves = trained(optimizer)
    assert np.allclose(moves, [0.001, 0.001, 0.01, 0.01], rtol=0.01)
    assert np.isclose(np.array(optimizer.learning_rate).item(), 0.01)


@proves(
    "It trains at rising learning rates, and puts the model back as it was.",
    false_with={"is_undone": False},
    needs="keras>=3",
)
def test_a_range_test_is_undone(is_undone=True):
    from snippets.training_loops import learning_rate_range

    model = classifier()
    model.compile(keras.optimizers.Adam(0.1), CROSSENTROPY)
    model.fit(X, Y, verbose=0)
    variables = [*model.variables, *model.optimizer.variables]
    before = [np.array(variable) for variable in variables]
    losses = [2.0, 1.0]
    if is_undone:
        losses = learning_rate_range(model, [(X, Y)], 0.001, 0.1, num_steps=9)[1]
    else:
        model.fit(X, Y, verbose=0)
    after = [np.array(variable) for variable in variables]
    assert losses[-1] < losses[0]
    assert all(np.array_equal(*pair) for pair in zip(before, after, strict=True))

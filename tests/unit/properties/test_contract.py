"""What every public layer and model promises, whichever guide it belongs to.

They are found in the `__all__` of the guides: the classes, and the functions that say
that they return a model. One that cannot do something says so in the section "Limits"
of its docstring, and then has to refuse it with a clear error.
"""

import builtins
import importlib
import inspect
import json
import re
import typing
import warnings
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
import tensorflow as tf

import snippets
from snippets import custom_layers as custom
from snippets import (
    functional,
    gans,
    input_layers,
    placeholders,
    sequential,
    subclassing,
    training_loops,
    transfer_learning,
)
from snippets.choosing import OwnStepCNN, SubclassedCNN, functional_cnn, sequential_cnn
from snippets.custom_layers.contract import last_cause
from snippets.performance import Recomputed
from snippets.placeholders.feeding import network_of_2017
from snippets.processes import run_python
from snippets.training_loops.steps import small_classifier

GUIDES = [
    path.parent.name
    for path in sorted(Path(snippets.__path__[0]).glob("*/__init__.py"))
    if path.parent.name != "showing"
]


def returns_a_model(value: Any) -> bool:
    """Whether an object is a function that is annotated to return a model."""
    if not inspect.isfunction(value):
        return False
    kind = typing.get_type_hints(value).get("return")
    return any(
        isinstance(part, type) and issubclass(part, keras.Model)
        for part in (kind, *typing.get_args(kind))
    )


def is_layer(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, keras.Layer)


PUBLIC = {
    f"{guide}.{name}": getattr(module, name)
    for guide in GUIDES
    for module in [importlib.import_module(f"snippets.{guide}")]
    for name in module.__all__
}
FOUND = {
    name: value
    for name, value in PUBLIC.items()
    if is_layer(value) or returns_a_model(value)
}


class Case(NamedTuple):
    """How to make one that is found, and what it is called and trained on."""

    make: Callable[[], Any]
    inputs: Any
    examples: Any = None  # for `fit`, if not those of `call`
    targets: Any = None  # zeros, if none are named
    settings: Any = None  # for `compile`, or a function that makes them
    is_random: bool = False  # what it draws cannot be compared
    is_of_the_batch: bool = False  # an output depends on the whole batch


def values(*shape: int) -> np.ndarray:
    """Make four examples of numbers from 0 to 1, no two alike."""
    return np.random.default_rng(0).random((4, *shape)).astype("float32")


VECTORS, STEPS, IMAGES = values(6), values(5, 4), values(8, 8, 1)
LABELS = np.array([0, 1, 2, 1])
SCORES = {
    "loss": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    "optimizer": "sgd",
}
PROBABILITIES = {"loss": "sparse_categorical_crossentropy", "optimizer": "sgd"}


def two_optimizers() -> dict[str, Any]:
    names = ("generator_optimizer", "discriminator_optimizer")
    return {name: keras.optimizers.SGD() for name in names}


def gan(kind: type[gans.GAN], classes: int = 0, dropout: float = 0.3) -> Case:
    def make(**options: Any) -> gans.GAN:
        told = {"num_classes": classes} if classes else {}
        image, flat = (8, 8, 1), keras.layers.Flatten()
        generator = keras.Sequential(
            [
                keras.Input((3 + classes,)),
                keras.layers.Dense(64, activation="sigmoid"),
                keras.layers.Reshape(image),
            ]
        )
        critic = keras.Sequential(
            [keras.Input((8, 8, 1 + classes)), flat, keras.layers.Dense(1)]
        )
        return kind(generator, critic, **told, **options)

    targets = LABELS if classes else None
    return Case(
        make, values(3 + classes), IMAGES, targets, two_optimizers, is_random=True
    )


CASES = {
    "choosing.OwnStepCNN": Case(
        partial(OwnStepCNN, (8, 8, 1), 3), IMAGES, IMAGES, LABELS, SCORES
    ),
    "choosing.SubclassedCNN": Case(
        partial(SubclassedCNN, (8, 8, 1), 3), IMAGES, IMAGES, LABELS, SCORES
    ),
    "choosing.functional_cnn": Case(lambda: functional_cnn((8, 8, 1), 3), IMAGES),
    "choosing.sequential_cnn": Case(lambda: sequential_cnn((8, 8, 1), 3), IMAGES),
    "custom_layers.Adapter": Case(partial(custom.Adapter, 3), STEPS),
    "custom_layers.AttentionPooling": Case(partial(custom.AttentionPooling, 3), STEPS),
    "custom_layers.EncoderBlock": Case(partial(custom.EncoderBlock, 2, 3, 0.0), STEPS),
    "custom_layers.Gain": Case(partial(custom.Gain, 3.0), STEPS),
    "custom_layers.LocalResponseNormalization": Case(
        partial(custom.LocalResponseNormalization, 2), values(3, 3, 4)
    ),
    "custom_layers.PositionEmbedding": Case(
        partial(custom.PositionEmbedding, 7), STEPS
    ),
    "custom_layers.RunningCenter": Case(partial(custom.RunningCenter, 0.5), STEPS),
    "custom_layers.SkipSteps": Case(partial(custom.SkipSteps, 2), STEPS),
    "custom_layers.SparsityPenalty": Case(partial(custom.SparsityPenalty, 0.5), STEPS),
    "custom_layers.StepDropout": Case(
        partial(custom.StepDropout, 0.5, 1), STEPS, is_random=True
    ),
    "custom_layers.attention_classifier": Case(
        lambda: custom.attention_classifier(custom.AttentionPooling(3)), values(5, 8)
    ),
    "functional.DoubledIfPositive": Case(functional.DoubledIfPositive, VECTORS),
    "functional.SobelEdges": Case(functional.SobelEdges, IMAGES),
    "functional.autoencoder": Case(lambda: functional.autoencoder(6, 2)[2], VECTORS),
    "functional.connected_model": Case(
        lambda: functional.connected_model(x := keras.Input((6,)), x * 2.0), VECTORS
    ),
    "functional.image_encoder": Case(
        lambda: functional.image_encoder((8, 8, 1), 2), IMAGES
    ),
    "functional.residual_classifier": Case(
        lambda: functional.residual_classifier((8, 8, 1), 3, 1), IMAGES
    ),
    "functional.siamese_network": Case(
        lambda: functional.siamese_network(functional.image_encoder((8, 8, 1), 2)),
        {"left": IMAGES, "right": IMAGES[::-1]},
    ),
    "functional.with_activation": Case(
        lambda: functional.with_activation(
            functional.residual_classifier((8, 8, 1), 3, 1), "relu", "gelu"
        ),
        IMAGES,
    ),
    "gans.ConditionalGAN": gan(gans.ConditionalGAN, classes=3),
    "gans.GAN": gan(gans.GAN),
    "gans.WassersteinGAN": gan(gans.WassersteinGAN, dropout=0.0),
    "gans.build_discriminator": Case(
        lambda: gans.build_discriminator((8, 8, 1), 4), IMAGES, is_random=True
    ),
    "gans.build_generator": Case(lambda: gans.build_generator(3, width=4), values(3)),
    "gans.build_photo_discriminator": Case(
        lambda: gans.build_photo_discriminator((16, 16, 1), 8),
        values(16, 16, 1),
        is_random=True,
    ),
    "gans.build_photo_generator": Case(
        lambda: gans.build_photo_generator(3, (16, 16, 1), 16), values(3)
    ),
    "input_layers.classifier_from": Case(
        lambda: input_layers.classifier_from(keras.layers.Dense(4), (6,), 3), VECTORS
    ),
    "input_layers.digit_classifier": Case(
        lambda: input_layers.digit_classifier(num_classes=3), IMAGES
    ),
    "input_layers.feature_extractor": Case(
        lambda: input_layers.feature_extractor(
            input_layers.linear_classifier(6), "features"
        ),
        VECTORS,
    ),
    "input_layers.fully_convolutional": Case(
        lambda: input_layers.fully_convolutional(1, 3), IMAGES
    ),
    "input_layers.linear_classifier": Case(
        lambda: input_layers.linear_classifier(6), VECTORS
    ),
    "input_layers.on_raw_pixels": Case(
        lambda: input_layers.on_raw_pixels(input_layers.digit_classifier()), IMAGES
    ),
    "input_layers.sequence_classifier": Case(
        lambda: input_layers.sequence_classifier(4, 3), STEPS
    ),
    "input_layers.two_branch_features": Case(input_layers.two_branch_features, IMAGES),
    "performance.Recomputed": Case(
        lambda **o: Recomputed(keras.layers.Dense(3, **o), **o), VECTORS
    ),
    "placeholders.GraphLayer": Case(
        partial(placeholders.GraphLayer, network_of_2017), values(64)
    ),
    "sequential.build_for": Case(
        lambda: sequential.build_for(
            keras.Sequential([keras.layers.Dense(2)]), VECTORS
        ),
        VECTORS,
    ),
    "sequential.image_classifier": Case(
        lambda: sequential.image_classifier((8, 8, 1), 3), IMAGES
    ),
    "sequential.recurrent_classifier": Case(
        lambda: sequential.recurrent_classifier(4, 3), STEPS
    ),
    "sequential.text_classifier": Case(
        lambda: sequential.text_classifier(9, 3), (values(5) * 9).astype("int32")
    ),
    "sequential.vector_classifier": Case(
        lambda: sequential.vector_classifier(6, 3), VECTORS
    ),
    "sequential.with_new_head": Case(
        lambda: sequential.with_new_head(sequential.vector_classifier(6, 3), 2), VECTORS
    ),
    "subclassing.ActivityPenalty": Case(
        partial(subclassing.ActivityPenalty, 0.5), VECTORS
    ),
    "subclassing.DeepClassifier": Case(
        partial(subclassing.DeepClassifier, 3, num_units=5, dropout=0.0),
        *(VECTORS, VECTORS, LABELS, PROBABILITIES),
    ),
    "subclassing.PrependToken": Case(subclassing.PrependToken, STEPS),
    "subclassing.Residual": Case(
        lambda **o: subclassing.Residual(keras.layers.Dense(6), **o), VECTORS
    ),
    "subclassing.RunningMean": Case(subclassing.RunningMean, VECTORS),
    "subclassing.TiedAutoencoder": Case(subclassing.TiedAutoencoder, VECTORS),
    "subclassing.UnitScale": Case(subclassing.UnitScale, VECTORS, is_of_the_batch=True),
    "subclassing.VariationalAutoencoder": Case(
        partial(subclassing.VariationalAutoencoder, (2, 3, 1), num_units=5),
        values(2, 3, 1),
        values(2, 3, 1),
        values(2, 3, 1),
        {"optimizer": "sgd"},
        is_random=True,
    ),
    "subclassing.as_graph_of_layers": Case(
        lambda: subclassing.as_graph_of_layers(
            subclassing.DeepClassifier(3, num_units=5, dropout=0.0), (6,)
        ),
        VECTORS,
    ),
    "subclassing.as_one_layer": Case(
        lambda: subclassing.as_one_layer(subclassing.TiedAutoencoder(), (6,)), VECTORS
    ),
    "training_loops.OwnStep": Case(
        lambda: small_classifier(training_loops.OwnStep, 6, 3),
        *(VECTORS, VECTORS, LABELS, PROBABILITIES),
        is_random=True,
    ),
    "transfer_learning.InferenceMode": Case(
        lambda **o: transfer_learning.InferenceMode(keras.layers.Dense(3, **o), **o),
        VECTORS,
    ),
    "transfer_learning.classifier_on": Case(
        lambda: transfer_learning.classifier_on(
            transfer_learning.feature_network(), num_classes=3
        ),
        IMAGES,
    ),
    "transfer_learning.feature_network": Case(
        transfer_learning.feature_network, IMAGES
    ),
    "transfer_learning.random_shifts": Case(
        lambda: transfer_learning.random_shifts(1, 8), IMAGES, is_random=True
    ),
}


LEFT_OUT = {
    "choosing.build_network": "it returns one of those that stand here by name",
    "gans.train_judge": "it trains the model that it returns",
    "performance.fit_in_parallel": "it trains the model that it returns",
    "performance.fit_on_mirrors": "it trains the model that it returns",
    "transfer_learning.resnet50_classifier": "Keras's ResNet50, 24 million weights",
    "transfer_learning.train_head_then_fine_tune": "it trains what it returns",
}
CLASSES = {name: FOUND[name] for name in CASES if isinstance(FOUND[name], type)}
MODELS = {n: kind for n, kind in CLASSES.items() if issubclass(kind, keras.Model)}
LAYERS = {name: kind for name, kind in CLASSES.items() if name not in MODELS}
ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
NO_DTYPE = {"training_loops.OwnStep"}  # made of inputs and outputs
# What does not hold yet, by the name and the item.
EAGER_POOLING = "Keras's GlobalMaxPooling2D refuses an empty batch outside of a graph"
GRAPH_DTYPE = "the graph computes in float32 whatever the dtype: raw error of MatMul"
KNOWN_FAULTS = {
    ("functional.SobelEdges", "empty batch"): "raw error of MirrorPad",
    ("functional.residual_classifier", "empty batch"): EAGER_POOLING,
    ("functional.with_activation", "empty batch"): EAGER_POOLING,
    ("input_layers.two_branch_features", "empty batch"): EAGER_POOLING,
    ("placeholders.GraphLayer", "dtypes"): GRAPH_DTYPE,
    ("placeholders.GraphLayer", "suite"): GRAPH_DTYPE,
    ("placeholders.GraphLayer", "tf.distribute"): "its variables live on one device",
    ("transfer_learning.random_shifts", "training=None"): (
        "Keras's random layers shift unless they are told `training=False`"
    ),
}


def limits(value: Any) -> set[str]:
    """Read in a docstring what a layer or model cannot do."""
    _, _, section = (inspect.getdoc(value) or "").partition("\nLimits:\n\n")
    return set(re.findall(r"^- `(.+?)`: ", section.partition("\n\n")[0], re.MULTILINE))


def held(value: Any, item: str, check: Callable[[], None]) -> None:
    """Run a check, or see that what is said to be impossible is refused clearly."""
    if item not in limits(value):
        return check()
    with pytest.raises((NotImplementedError, TypeError, ValueError), match="Expected"):
        check()
    return None


def fault(reason: str) -> pytest.MarkDecorator:
    """Expect a failure on TensorFlow, and allow it on other backends."""
    return pytest.mark.xfail(reason=reason, strict=ON_TENSORFLOW)


def over(item: str, found: dict[str, Any]) -> Any:
    """Run a test for each of them, those with a known fault as expected failures."""
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(
                name,
                marks=[fault(reason)] if reason else [],
            )
            for name in found
            for reason in [KNOWN_FAULTS.get((name, item))]
        ],
    )


def rows(data: Any, count: int) -> Any:
    """Take the first examples of each array in a structure."""
    return keras.tree.map_structure(
        lambda array: None if array is None else array[:count], data
    )


def arrays(outputs: Any) -> list[np.ndarray]:
    found = map(keras.ops.convert_to_numpy, keras.tree.flatten(outputs))
    return [array.astype("float64") for array in found]


def batch(x: Any, y: Any, weights: Any = None) -> Any:
    """Pack a batch as `fit` passes it to `train_step`."""
    if weights is not None and y is None:
        return tuple(map(tf.constant, (x, x, weights)))
    packed = keras.utils.pack_x_y_sample_weight(x, y, weights)
    return keras.tree.map_structure(tf.constant, packed)


def compiled(case: Case) -> tuple[keras.Model, Any, Any]:
    """Make the model, or one around the layer, with the examples to train it on."""
    keras.utils.set_random_seed(0)
    model = case.make()
    if not isinstance(model, keras.Model):
        inputs = keras.Input(case.inputs.shape[1:])
        head = [keras.layers.Flatten(), keras.layers.Dense(2)]
        model = keras.Sequential([inputs, model, *head])
    outputs = model(case.inputs)
    x, y = case.inputs if case.examples is None else case.examples, case.targets
    settings = case.settings
    if settings is None:
        y = keras.tree.map_structure(lambda tensor: np.zeros(tensor.shape), outputs)
        losses = keras.tree.map_structure(lambda _: "mse", outputs)
        settings = {"optimizer": "sgd", "loss": losses}
    model.compile(**(settings() if callable(settings) else settings))
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return model, x, y


class Trained(NamedTuple):
    """A model after one step, and its weights before that and after."""

    model: keras.Model
    before: list[np.ndarray]
    after: list[np.ndarray]


@cache
def trained(name: str) -> Trained:
    model, x, y = compiled(CASES[name])
    before = model.get_weights()
    if name in CLASSES and ON_TENSORFLOW:
        model.train_step(batch(x, y))  # `train_on_batch` would compile it
    elif name in CLASSES:
        model.train_on_batch(x, y)
    return Trained(model, before, model.get_weights())


def test_every_public_layer_and_model_is_held_to_the_contract() -> None:
    assert set(FOUND) - set(CASES) == set(LEFT_OUT)
    assert set(CASES) <= set(FOUND)


@over("suite", LAYERS)
def test_a_layer_passes_the_suite_of_keras_and_reloads(name: str) -> None:
    def check() -> None:
        make, shape = CASES[name].make, CASES[name].inputs.shape
        problem = custom.layer_problem(make, {}, shape)
        assert problem is None

    held(FOUND[name], "mixed_float16", check)


@pytest.mark.parametrize(
    "dtype",
    [
        # JAX has float64 only where it is switched on for the whole process.
        pytest.param("float64", marks=pytest.mark.tensorflow),
        "float16",
        "bfloat16",
    ],
)
@over("dtypes", {name: FOUND[name] for name in CLASSES if name not in NO_DTYPE})
def test_whatever_the_dtype_the_outputs_are_finite(name: str, dtype: str) -> None:
    def check() -> None:
        layer = CASES[name].make(dtype=dtype)
        for training in (False, True):
            outputs = layer(CASES[name].inputs, training=training)
            assert all(np.isfinite(array).all() for array in arrays(outputs))
        if name in LAYERS:
            found = keras.backend.standardize_dtype(outputs.dtype)
            assert found == dtype

    held(FOUND[name], dtype, check)


@over("empty batch", CASES)
def test_an_empty_batch_gives_nothing_and_teaches_nothing(name: str) -> None:
    def check() -> None:
        model, _, weights = trained(name)
        outputs = model(rows(CASES[name].inputs, 0), training=name in CLASSES)
        assert {len(array) for array in arrays(outputs)} == {0}
        assert np.isfinite(arrays(model.losses)).all()
        for weight, expected in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(weight, expected)

    held(FOUND[name], "empty batch", check)


@pytest.mark.tensorflow  # it calls `train_step`
@over("empty batch in training", MODELS)
def test_a_training_step_on_an_empty_batch_leaves_the_weights_finite(name: str) -> None:
    def check() -> None:
        model, x, y = compiled(CASES[name])
        model.train_step(batch(*rows((x, y), 0)))
        assert all(np.isfinite(weight).all() for weight in model.get_weights())

    held(FOUND[name], "empty batch in training", check)


@over("batch of one", CASES)
def test_a_batch_of_one_gives_what_the_whole_batch_gives(name: str) -> None:
    def check() -> None:
        model, inputs = trained(name).model, CASES[name].inputs
        one, all_of_them = (
            arrays(model(data, training=False)) for data in (rows(inputs, 1), inputs)
        )
        for found, expected in zip(one, all_of_them, strict=True):
            assert found.shape == (1, *expected.shape[1:])
            if not CASES[name].is_of_the_batch:
                np.testing.assert_allclose(found, expected[:1], atol=1e-5)

    held(FOUND[name], "batch of one", check)


@over("training=None", CASES)
def test_training_none_is_inference(name: str) -> None:
    def check() -> None:
        model, inputs = trained(name).model, CASES[name].inputs
        none, inference = (
            arrays(model(inputs, training=training)) for training in (None, False)
        )
        for found, expected in zip(none, inference, strict=True):
            np.testing.assert_array_equal(found, expected)

    held(FOUND[name], "training=None", check)


@pytest.mark.tensorflow  # it compiles by `tf.function`
@over("jit_compile", LAYERS)
def test_xla_compiles_a_layer_and_computes_the_same(name: str) -> None:
    def check() -> None:
        outputs = []
        for jit_compile in (False, True):
            keras.utils.set_random_seed(0)
            layer, inputs = CASES[name].make(), tf.constant(CASES[name].inputs)
            layer(inputs)
            call = tf.function(layer, jit_compile=True) if jit_compile else layer
            outputs.append(np.array(call(inputs, training=True)))
        assert np.isfinite(outputs).all()
        if not CASES[name].is_random:
            np.testing.assert_allclose(*outputs, atol=1e-5)

    held(FOUND[name], "jit_compile", check)


@pytest.mark.tensorflow  # it compiles by `tf.function`
@over("jit_compile", MODELS)
def test_xla_compiles_the_training_step_of_a_model(name: str) -> None:
    def check() -> None:
        model, x, y = compiled(CASES[name])
        tf.function(model.train_step, jit_compile=True, autograph=False)(batch(x, y))
        for weight, expected in zip(
            model.get_weights(), trained(name).after, strict=True
        ):
            assert np.isfinite(weight).all()
            if not CASES[name].is_random:
                np.testing.assert_allclose(weight, expected, atol=1e-5)

    held(FOUND[name], "jit_compile", check)


@pytest.mark.tensorflow  # it calls `test_step`
@over("sample_weight", MODELS)
def test_weights_of_examples_count_in_the_loss_and_in_the_step(name: str) -> None:
    def check() -> None:
        model, x, y = compiled(CASES[name])
        weights = np.array([2.0, 0.0, 0.0, 0.0], "float32")
        loss = float(model.test_step(batch(x, y, weights))["loss"])
        model.reset_metrics()
        alone = float(model.test_step(batch(*rows((x, y), 1)))["loss"])
        before = model.get_weights()
        model.train_step(batch(x, y, 0 * weights))
        assert loss == pytest.approx(alone * 2 / 4, rel=1e-4)
        for weight, expected in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(weight, expected)

    held(FOUND[name], "sample_weight", check)


# In a process of its own, which has two devices and has made none of the models


def problem_of(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:
        return f"{type(error).__name__}: {last_cause(error)}"
    return ""


def check_reloaded(folder: Path, name: str) -> None:
    model = keras.saving.load_model(folder / f"{name}.keras")
    expected = np.load(folder / f"{name}.npz")
    for position, output in enumerate(
        arrays(model(CASES[name].inputs, training=False))
    ):
        np.testing.assert_allclose(output, expected[f"output {position}"], atol=1e-5)


def check_on_two_devices(strategy: Any, folder: Path, name: str) -> None:
    """Take the step with half of the batch on each device."""
    known = np.load(folder / f"{name}.npz")
    with strategy.scope():
        model, x, y = compiled(CASES[name])
        count = len(model.get_weights())
        model.set_weights([known[f"before {n}"] for n in range(count)])

        def half(context: Any) -> Any:
            place = slice(2 * context.replica_id_in_sync_group, None)
            part = keras.tree.map_structure(
                lambda a: a if a is None else a[place], (x, y)
            )
            return batch(*rows(part, 2))

        halves = strategy.experimental_distribute_values_from_function(half)
        strategy.run(model.train_step, args=(halves,))
    for number, weight in enumerate(model.get_weights()):
        assert np.isfinite(weight).all()
        if not CASES[name].is_random and not CASES[name].is_of_the_batch:
            wanted = known[f"after {number}"]
            np.testing.assert_allclose(weight, wanted, atol=1e-5)


def report_problems(folder: Path) -> None:
    """Print what went wrong, by the item and the name."""
    warnings.simplefilter("ignore")  # problems alone are printed
    names = [path.stem for path in folder.glob("*.keras")]
    problems = {}
    if ON_TENSORFLOW:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
        problems["tf.distribute"] = {
            n: problem_of(partial(check_on_two_devices, strategy, folder, n))
            for n in CLASSES
            if n in names
        }
    problems["reload"] = {
        n: problem_of(partial(check_reloaded, folder, n)) for n in names
    }
    print(json.dumps(problems))


@pytest.fixture(scope="module")
def problems(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, str]]:
    folder = tmp_path_factory.mktemp("models")
    asked = [
        item for item in request.session.items if isinstance(item, pytest.Function)
    ]
    names = [i.callspec.params["name"] for i in asked if "problems" in i.fixturenames]
    for name in dict.fromkeys(names):
        case = CASES[name]
        model, before, after = trained(name)
        model.save(folder / f"{name}.keras")
        outputs = arrays(model(case.inputs, training=False))
        known = {"output": outputs, "before": before, "after": after}
        np.savez(
            folder / f"{name}.npz",
            **{
                f"{kind} {number}": array
                for kind, found in known.items()
                for number, array in enumerate(found)
            },
        )
    program = "import pathlib, runpy; runpy.run_path({!r})['report_problems']"
    text = run_python(
        f"{program.format(__file__)}(pathlib.Path({str(folder)!r}))", timeout=900
    )
    found: dict[str, dict[str, str]] = json.loads(text.splitlines()[-1])
    return found


def say(problem: str) -> None:
    """Raise what the other process has met."""
    name, _, message = problem.partition(": ")
    if problem:
        raise getattr(builtins, name, AssertionError)(message)


@over("reload", CASES)
def test_a_file_gives_the_model_back_in_a_fresh_process(
    problems: dict[str, dict[str, str]], name: str
) -> None:
    held(FOUND[name], "reload", partial(say, problems["reload"][name]))


@pytest.mark.tensorflow  # `tf.distribute`
@over("tf.distribute", CLASSES)
def test_two_devices_take_the_step_of_one(
    problems: dict[str, dict[str, str]], name: str
) -> None:
    held(FOUND[name], "tf.distribute", partial(say, problems["tf.distribute"][name]))


# The contract itself


def test_a_limit_is_held_to_its_word() -> None:
    class Limited(keras.Layer):
        """Do little.

        Limits:

        - `float64`: the operation does not know it.
        - `jit_compile`: nor XLA.

        Args:
            **kwargs: What every layer takes.
        """

    def refuse() -> None:
        raise ValueError("Expected float32. Received: float64")

    assert limits(Limited) == {"float64", "jit_compile"}
    held(Limited, "float64", refuse)
    with pytest.raises(ValueError, match="Expected float32"):
        held(Limited, "sample_weight", refuse)
    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        held(Limited, "float64", lambda: None)
    with pytest.raises(AssertionError, match="Regex pattern"):
        held(Limited, "float64", partial(say, "ValueError: no"))

"""One network at five levels, against NumPy and each other, and what is refused."""

import inspect
import linecache
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.checks import is_size
from snippets.choosing import (
    LEVELS,
    ModuleCNN,
    OwnStepCNN,
    SubclassedCNN,
    build_network,
    comparing,
    functional_cnn,
    installed,
    inverted_where_bright,
    sequential_cnn,
    which_keras,
)
from snippets.choosing.comparing import (
    abilities,
    agreement,
    attempt,
    level_table,
    peak_memory,
    save_and_reload,
    scores_and_gradients,
    step_seconds,
)
from snippets.choosing.decision import QUESTIONS, draw_decision
from snippets.choosing.installed import which_keras_table
from snippets.choosing.mistakes import Branching
from snippets.choosing.plain import (
    DigitModel,
    DigitModelWithStep,
    DigitModule,
    ModelWithStep,
)
from snippets.sequential import copy_weights
from snippets.showing.drawings import arrow
from snippets.showing.tables import Table, source_of
from tests.unit.comparing import assert_allclose

KERAS_LEVELS = LEVELS[:4]


def five_networks(
    image_shape: tuple[int, int, int] = (8, 8, 1), num_classes: int = 10
) -> dict[str, Any]:
    """All five, with the same weights."""
    networks = {
        level: build_network(level, image_shape, num_classes) for level in LEVELS
    }
    copy_weights(*networks.values())
    return networks


def random_batch(
    image_shape: tuple[int, int, int], size: int, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    images = generator.random((size, *image_shape), "float32")
    return images, generator.integers(0, num_classes, size)


def pooled_by_numpy(
    images: np.ndarray, kernel: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """Convolution, ReLU and pooling in loops, flattened."""
    batch, height, width, _ = images.shape
    convolved = np.zeros((batch, height - 2, width - 2, 32))
    for row in range(height - 2):
        for column in range(width - 2):
            window = images[:, row : row + 3, column : column + 3]
            convolved[:, row, column] = np.tensordot(window, kernel, axes=3) + bias
    rows, columns = (height - 2) // 2, (width - 2) // 2
    active = np.maximum(convolved, 0)[:, : 2 * rows, : 2 * columns]
    blocks = active.reshape(batch, rows, 2, columns, 2, 32)
    return blocks.max(axis=(2, 4)).reshape(batch, -1)


# The sizes


@pytest.mark.parametrize(
    "image_shape",
    [
        *((), (8, 8), (8, 8, 1, 1), (32, 8, 8, 1)),
        *((None, 8, 1), (8, None, 1), (8, 8, None), (8.0, 8, 1)),
        *((3, 8, 1), (8, 3, 1), (8, 8, 0), (-8, 8, 1), (8, 8, True)),
        *(64, None, "881", {8: 8}),
    ],
)
@pytest.mark.parametrize(
    "recipe",
    [sequential_cnn, functional_cnn, SubclassedCNN, OwnStepCNN, ModuleCNN],
)
def test_nonsense_for_an_image_shape_is_refused_at_every_level(
    recipe: Any, image_shape: Any
) -> None:
    with pytest.raises(ValueError, match="`image_shape` to be three integers") as error:
        recipe(image_shape, 10)

    assert str(error.value).endswith(f"Received: {image_shape}")


@pytest.mark.parametrize("num_classes", [1, 0, -3, 10.0, "10", None, True])
@pytest.mark.parametrize(
    "recipe",
    [sequential_cnn, functional_cnn, SubclassedCNN, OwnStepCNN, ModuleCNN],
)
def test_nonsense_for_a_number_of_classes_is_refused_at_every_level(
    recipe: Any, num_classes: Any
) -> None:
    with pytest.raises(ValueError, match=r"of at least 2\. Received: ") as error:
        recipe((8, 8, 1), num_classes)

    assert str(error.value).endswith(f"Received: {num_classes}")


@pytest.mark.parametrize("level", ["sequential", "Lambda", ""])
def test_a_level_that_does_not_exist_is_refused(level: str) -> None:
    with pytest.raises(ValueError, match=f"one of .*Received: '{level}'"):
        build_network(level, (8, 8, 1), 10)


# The networks


@pytest.mark.parametrize(
    ("image_shape", "num_classes", "batch"),
    [((8, 8, 1), 10, 5), ((7, 10, 3), 2, 1), ((4, 4, 1), 3, 2)],
)
def test_every_level_computes_what_numpy_computes(
    image_shape: tuple[int, int, int], num_classes: int, batch: int
) -> None:
    images, labels = random_batch(image_shape, batch, num_classes)
    networks = five_networks(image_shape, num_classes)
    first = [np.array(weight) for weight in networks["Sequential"].weights]
    first[1] = np.linspace(-0.2, 0.2, 32, dtype="float32")
    first[3] = np.linspace(-1, 1, num_classes, dtype="float32")
    features = pooled_by_numpy(images, first[0], first[1])
    scores = features @ first[2] + first[3]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    errors = powers / powers.sum(axis=1, keepdims=True) - np.eye(num_classes)[labels]

    for network in networks.values():
        for weight, value in zip(network.weights, first, strict=True):
            weight.assign(value)
        found = scores_and_gradients(network, images, labels)
        assert_allclose(found[0], scores, rtol=1e-5, atol=1e-5)
        assert_allclose(found[3], features.T @ errors / batch, rtol=1e-4, atol=1e-5)
        assert_allclose(found[4], errors.mean(axis=0), rtol=1e-4, atol=1e-5)
        assert np.abs(found[1]).max() > 0


@pytest.mark.parametrize("level", LEVELS)
def test_the_learning_rate_is_the_size_of_the_step(level: str) -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    network = build_network(level, (8, 8, 1), 10, learning_rate=0.5)
    before = [np.array(weight) for weight in network.weights]
    _, *gradients = scores_and_gradients(network, images, labels)

    network.train_on_batch(images, labels)

    for weight, value, gradient in zip(network.weights, before, gradients, strict=True):
        assert_allclose(np.array(weight), value - 0.5 * gradient, atol=1e-6)


def test_the_four_of_keras_are_compiled_without_xla() -> None:
    assert not any(
        build_network(level, (8, 8, 1), 10).jit_compile for level in KERAS_LEVELS
    )


def test_a_step_of_its_own_fits_like_the_step_of_keras() -> None:
    images, labels = random_batch((8, 8, 1), 21, 10)  # the last batch is smaller
    sample_weight = np.linspace(0.1, 2.0, 21)
    networks = [
        network_class((8, 8, 1), 10) for network_class in (SubclassedCNN, OwnStepCNN)
    ]
    histories = []
    for network in networks:
        network(images[:1])
        copy_weights(networks[0], network)
    for network in networks:
        network.compile(
            keras.optimizers.SGD(0.1),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="weighted")],
        )
        history = network.fit(
            *(images, labels, 16, 1, 0), sample_weight=sample_weight, shuffle=False
        )
        histories.append(history.history)

    assert list(histories[0]) == list(histories[1]) == ["accuracy", "loss", "weighted"]
    for name, values in histories[0].items():
        assert_allclose(histories[1][name], values, rtol=1e-5)


def test_the_step_of_a_module_is_the_same_when_it_is_not_compiled() -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    networks = [ModuleCNN((8, 8, 1), 10, learning_rate=0.3) for _ in range(2)]
    copy_weights(*networks)

    eager = ModuleCNN.train_step.python_function(
        networks[0], tf.constant(images), tf.constant(labels)
    )

    assert networks[1].train_on_batch(images, labels) == pytest.approx(float(eager))
    for weight, other in zip(networks[0].weights, networks[1].weights, strict=True):
        assert_allclose(np.array(weight), np.array(other), atol=1e-6)


def test_a_module_starts_from_small_weights_and_no_bias() -> None:
    network = ModuleCNN((8, 8, 2), 5)
    kernel, bias, scores_kernel, scores_bias = map(np.array, network.weights)

    assert kernel.shape == (3, 3, 2, 32)
    assert scores_kernel.shape == (288, 5)
    assert not bias.any()
    assert not scores_bias.any()
    for weights in (kernel, scores_kernel):
        assert abs(weights).max() <= 0.2
        assert weights.std() == pytest.approx(0.088, abs=0.01)  # truncated at two sigma


def test_a_module_that_meets_another_size_names_both() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"\[1,512\].*\[288,10\]"):
        ModuleCNN((8, 8, 1), 10)(tf.zeros([1, 10, 10, 1]))


@pytest.mark.parametrize("network_class", [SubclassedCNN, OwnStepCNN])
def test_the_classes_of_networks_are_registered(network_class: Any) -> None:
    name = keras.saving.get_registered_name(network_class)

    assert name == f"snippets>{network_class.__name__}"


# The plain classes


def test_a_plain_model_is_the_sequential_network() -> None:
    images, _ = random_batch((8, 8, 1), 5, 10)
    model, network = DigitModel(), sequential_cnn((8, 8, 1), 10)
    model(images)
    model.set_weights(network.get_weights())

    found, expected = map(keras.ops.convert_to_numpy, (model(images), network(images)))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_plain_model_learns_like_the_functional_network() -> None:
    images, labels = random_batch((8, 8, 1), 32, 10)
    losses = []
    start = functional_cnn((8, 8, 1), 10).get_weights()
    for network in (DigitModel(), functional_cnn((8, 8, 1), 10)):
        network(images)
        network.set_weights(start)
        network.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
        history = network.fit(images, labels, epochs=2, shuffle=False, verbose=0)
        losses.append(history.history["loss"])

    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_a_plain_step_fits_like_the_step_of_keras() -> None:
    images, labels = random_batch((8, 8, 1), 21, 10)  # the last batch is smaller
    models = [DigitModel(), DigitModelWithStep()]
    pixels = keras.Input((8, 8, 1))
    models.append(ModelWithStep(inputs=pixels, outputs=DigitModel()(pixels)))
    histories = []
    for model in models:
        model(images[:1])
        model.set_weights(models[0].get_weights())
    for model in models:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
        history = model.fit(images, labels, 16, shuffle=False, verbose=0)
        histories.append(history.history)

    for history in histories:
        assert list(history) == ["accuracy", "loss"]
        for name, values in histories[0].items():
            np.testing.assert_allclose(history[name], values, rtol=1e-5)


def test_a_plain_module_steps_against_its_gradients() -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    module = DigitModule()
    before = [np.array(weight) for weight in module.weights]
    _, *gradients = scores_and_gradients(module, images, labels)

    loss = module.train_step(images, labels)

    assert float(loss) == pytest.approx(np.log(10), abs=0.5)
    for weight, value, gradient in zip(module.weights, before, gradients, strict=True):
        np.testing.assert_allclose(np.array(weight), value - 0.1 * gradient, atol=1e-6)


def test_a_plain_module_steps_the_same_when_it_is_not_compiled() -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    modules = [DigitModule() for _ in range(2)]
    copy_weights(*modules)

    eager = DigitModule.train_step.python_function(modules[0], images, labels)

    assert float(modules[1].train_step(images, labels)) == pytest.approx(float(eager))


# Copying and comparing


@pytest.mark.parametrize("changed", range(4))
def test_one_changed_weight_is_noticed(changed: int) -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    networks = five_networks()
    weight = networks["tf.Module"].weights[changed]
    weight.assign_add(tf.fill(weight.shape, 0.01))

    same = agreement(networks, images, labels)

    # The same number added to every score changes no gradient, but the scores.
    assert same == {**dict.fromkeys(LEVELS, True), "tf.Module": False}


def test_other_gradients_are_noticed_behind_equal_scores() -> None:
    class Doubled(ModuleCNN):
        def __call__(self, images: Any) -> Any:
            scores = super().__call__(images)
            return 2 * scores - tf.stop_gradient(scores)

    images, labels = random_batch((8, 8, 1), 4, 10)
    networks = {"plain": ModuleCNN((8, 8, 1), 10), "doubled": Doubled((8, 8, 1), 10)}
    copy_weights(*networks.values())

    assert agreement(networks, images, labels) == {"plain": True, "doubled": False}


def test_the_tolerance_decides_what_is_rounding() -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    networks = five_networks()
    weight = networks["Functional"].weights[3]
    weight.assign(weight + 1e-3)

    assert not agreement(networks, images, labels)["Functional"]
    assert agreement(networks, images, labels, tolerance=1e-2)["Functional"]


# What is counted, timed and drawn


def test_a_table_is_markdown_for_notebooks_and_text_elsewhere() -> None:
    table = Table(("a", "b"), [("1", "2"), ("3", "4")])

    assert table._repr_markdown_() == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 |"
    assert repr(table) == "a | b\n1 | 2\n3 | 4"
    assert table.rows == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize("recipe", [is_size, sequential_cnn, Table, ModuleCNN])
def test_the_source_is_what_python_finds(recipe: Any) -> None:
    assert source_of(recipe) == inspect.getsource(recipe)


def test_the_source_of_a_class_holds_its_decorator() -> None:
    assert source_of(OwnStepCNN).startswith("@keras.saving.register_keras_serializable")


def test_the_source_of_a_notebook_cell_is_found() -> None:
    source = "x = 1\n\n\nclass Cell:\n    a = 1\n\n    def call(self):\n        pass\n"
    scope: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<cell 1>", "exec"), scope)
    linecache.cache["<cell 1>"] = (len(source), None, source.splitlines(True), "cell")

    assert source_of(scope["Cell"]) == source.partition("\n\n\n")[2]


def test_a_function_inside_another_is_no_recipe() -> None:
    def inner() -> None: ...

    with pytest.raises(ValueError, match="at the top of a file"):
        source_of(inner)


class Recorder:
    """A network that notes when it is trained, and on what."""

    def __init__(self, name: str, calls: list[str]) -> None:
        self.name, self.calls = name, calls

    def train_on_batch(self, images: Any, labels: Any) -> float:
        assert images.shape == (2, 3)
        assert labels.shape == (2,)
        self.calls.append(self.name)
        return 0.0


def test_steps_are_timed_turn_by_turn_after_a_warm_up() -> None:
    calls: list[str] = []
    networks = {name: Recorder(name, calls) for name in "abc"}

    seconds = step_seconds(networks, np.zeros((2, 3)), np.zeros(2), rounds=4)

    assert "".join(calls) == "abcabcabc" + "abc" + "bca" + "cab" + "abc"
    assert [len(seconds[name]) for name in "abc"] == [4, 4, 4]
    assert all(time > 0 for times in seconds.values() for time in times)
    assert (
        len(step_seconds(networks, np.zeros((2, 3)), np.zeros(2), rounds=1)["a"]) == 1
    )


def test_seconds_are_those_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    networks = {name: Recorder(name, []) for name in "ab"}

    seconds = step_seconds(networks, np.zeros((2, 3)), np.zeros(2), rounds=2)

    assert seconds == {"a": [1.0, 1.0], "b": [1.0, 1.0]}


@pytest.mark.parametrize(("names", "rounds"), [("", 3), ("ab", 0)])
def test_nothing_to_time_is_refused(names: str, rounds: int) -> None:
    networks = {name: Recorder(name, []) for name in names}
    with pytest.raises(ValueError, match=f"{len(names)} networks and rounds={rounds}"):
        step_seconds(networks, np.zeros((2, 3)), np.zeros(2), rounds)


def test_memory_is_measured_above_that_of_the_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    levels = ("Functional", "tf.Module")  # each takes a process
    monkeypatch.setattr(comparing, "LEVELS", levels)
    peaks = peak_memory((16, 16, 1), batch_size=512, num_classes=10, repeats=1)

    assert list(peaks) == list(levels)
    activations = 512 * 14 * 14 * 32 * 4 / 2**20  # of the convolution alone
    # The libraries by themselves hold more than 200 MiB.
    assert all(activations < megabytes < 200 for [megabytes] in peaks.values())


@pytest.mark.parametrize(("batch_size", "repeats"), [(0, 1), (1, 0), (1.5, 1)])
def test_nothing_to_measure_is_refused(batch_size: Any, repeats: int) -> None:
    with pytest.raises(ValueError, match=f"batch_size={batch_size} and repeats"):
        peak_memory((8, 8, 1), batch_size, 10, repeats)


def test_memory_of_a_nonsensical_network_is_refused() -> None:
    with pytest.raises(ValueError, match="`image_shape`"):
        peak_memory((8, 8), 1, 10, 1)


# What can be done


def test_an_attempt_says_yes_or_names_the_error() -> None:
    assert attempt(lambda: None) == "yes"
    assert attempt(lambda: {}["key"]) == "no: KeyError"


@pytest.mark.parametrize("level", KERAS_LEVELS)
def test_a_saved_network_is_loaded_as_what_it_was(level: str) -> None:
    images, _ = random_batch((8, 8, 1), 2, 10)
    network = build_network(level, (8, 8, 1), 10)

    loaded = save_and_reload(network, images)

    assert type(loaded) is type(network)
    assert loaded is not network


def test_a_module_cannot_be_saved_as_a_keras_file() -> None:
    with pytest.raises(AttributeError, match="save"):
        save_and_reload(ModuleCNN((8, 8, 1), 10), np.zeros((1, 8, 8, 1), "float32"))


def test_a_network_that_comes_back_different_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = sequential_cnn((8, 8, 1), 10)
    monkeypatch.setattr(keras.saving, "load_model", lambda path: other)
    with pytest.raises(ValueError, match="answer as the saved one"):
        save_and_reload(sequential_cnn((8, 8, 1), 10), np.ones((1, 8, 8, 1)))


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.25, 0.5], [0.25, 0.5]), ([0.75, 0.5], [0.25, 0.5]), ([0.5], [0.5])],
)
def test_bright_images_and_they_alone_are_inverted(
    values: list[float], expected: list[float]
) -> None:
    found = inverted_where_bright(np.array(values, "float32"))

    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), expected)


def test_nothing_is_tried_on_nonsense() -> None:
    with pytest.raises(ValueError, match="`image_shape`"):
        abilities((8, 8), 10, np.zeros((1, 8, 8)), np.zeros(1))


def test_what_was_tried_stands_in_one_row_for_each_level() -> None:
    images, labels = random_batch((8, 8, 1), 4, 10)
    tried = abilities((8, 8, 1), 10, images, labels)

    table = level_table(tried)

    assert table.headings == [
        "Level",
        *("`fit` trains it", "one `.keras` file", "features of a layer"),
    ]
    no = "no: `AttributeError`"
    assert table.rows == [
        ["Sequential", "yes", "yes", "yes"],
        ["Functional", "yes", "yes", "yes"],
        ["Subclassed", "yes", "yes", no],
        ["Own train_step", "yes", "yes", no],
        ["tf.Module", no, no, no],
    ]


def test_every_question_is_drawn_with_its_answer() -> None:
    drawing = draw_decision()

    assert drawing.svg.count("<rect") == 2 * len(QUESTIONS)
    assert drawing.svg.count(">yes<") == len(QUESTIONS)
    for question, answer, _ in QUESTIONS:
        assert f"{question[0]} {' '.join(answer)}" in drawing.alt
        for line in [*question, *answer]:
            assert f">{line}</text>" in drawing.svg


@pytest.mark.parametrize("make", [DigitModule, lambda: ModuleCNN((8, 8, 1), 10)])
def test_a_step_of_a_module_is_traced_once(make: Callable[[], Any]) -> None:
    network = make()
    for _ in range(3):
        network.train_step(tf.zeros([5, 8, 8, 1]), tf.zeros([5], tf.int64))

    assert network.train_step.experimental_get_tracing_count() == 1


def test_the_questions_stand_in_a_column_with_the_answers_beside_them() -> None:
    svg, tops = draw_decision().svg, [8, 90, 172, 254, 336]
    boxes = re.findall(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="48"', svg)
    words = re.findall(r'<text x="136" y="(\d+)"[^>]*>(\w+)</text>', svg)

    assert boxes == [
        (left, str(top), width)
        for top in tops
        for left, width in (("8", "206"), ("264", "116"))
    ]
    assert re.findall(r'<text x="237" y="(\d+)"', svg) == [str(y + 18) for y in tops]
    for top in tops:
        assert f"M214 {top + 24}H258" in svg
        assert f"M264 {top + 24}l-8" in svg
    downs = [arrow((111, top + 48), (111, top + 82)) in svg for top in tops]
    assert downs == [True, True, True, False, False]
    assert words == [("76", "no"), ("158", "no"), ("240", "no"), ("333", "then")]
    assert 'viewBox="0 0 404 392"' in svg


def test_each_answer_of_keras_leads_on_to_the_question_of_a_new_step() -> None:
    svg = draw_decision().svg

    assert [f"M380 {y}H396" in svg for y in (32, 114, 196, 278)] == [
        *(False, True, True, True)
    ]
    assert "M396 114V319H111" in svg
    assert arrow((111, 319), (111, 336)) in svg


def test_a_branch_in_call_works_until_it_is_compiled() -> None:
    bright, model = np.full((4, 3), 0.75), Branching()

    assert_allclose(model(bright), model(1.0 - bright), atol=1e-6)
    with pytest.raises(Exception, match="as a Python `bool` is not allowed"):
        model.predict(bright, verbose=0)


# Which Keras


def test_an_unset_variable_is_named_so_and_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def run(program: str, variables: dict[str, str]) -> str:
        seen.append((program, variables))
        return 'a notice of TensorFlow\n{"import keras": "Keras 3"}'

    monkeypatch.setattr(installed, "run_python", run)

    setups = [(["tf_keras"], ""), (["keras", "tf_keras"], "True")]
    assert which_keras_table(setups).rows == [
        ["`tf_keras`", "unset", "`Keras 3`"],
        ["`keras` `tf_keras`", "`True`", "`Keras 3`"],
    ]
    (program, variables), (other, more) = seen
    assert more["TF_USE_LEGACY_KERAS"] == "True"
    assert "hidden = PathFinder.find_spec, []" in other
    assert variables == {"TF_USE_LEGACY_KERAS": "", "KERAS_BACKEND": "tensorflow"}
    assert "hidden = PathFinder.find_spec, ['keras']" in program


@pytest.mark.parametrize("installed", [["theano"], "keras"])
def test_other_packages_are_refused(installed: Any) -> None:
    with pytest.raises(ValueError, match=r"some of \['keras', 'tf_keras'\]"):
        which_keras(installed)


def test_no_setup_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one setup"):
        which_keras_table([])


STEPS = Path(__file__).parents[2] / "docs/reference/backends.md"


@pytest.mark.parametrize(("backend", "title"), [("jax", "JAX"), ("torch", "PyTorch")])
def test_a_step_of_another_backend_trains_as_the_one_of_keras(
    backend: str, title: str
) -> None:
    if keras.backend.backend() != backend:
        pytest.skip(f"it runs on {title}: `nox -s backends`")
    sections = STEPS.read_text("utf-8").split("\n## ")
    shown: dict[str, Any] = {}
    for heading in (f"On {title}", "Train with it"):
        (section,) = (text for text in sections if text.startswith(f"{heading}\n"))
        (code,) = re.findall(r"```py\n(.*?)```", section, re.DOTALL)
        exec(compile(code, f"<{heading}>", "exec"), shown)
    assert len(shown["history"].history["loss"]) == 2

    def trained(kind: Any) -> list[Any]:
        keras.utils.set_random_seed(0)
        layers = keras.layers
        x = pixels = keras.Input((8, 8, 1))
        for layer in (
            *(layers.Conv2D(4, 3, kernel_regularizer="l2"), layers.Flatten()),
            *(layers.BatchNormalization(), layers.Dropout(0.3, seed=1)),
            layers.Dense(10, activity_regularizer="l2"),
        ):
            x = layer(x)
        model = kind(inputs=pixels, outputs=x)
        model.compile("adam", shown["loss"], metrics=["accuracy"])
        generator = np.random.default_rng(0)
        images = generator.random((100, 8, 8, 1), "float32")
        labels = generator.integers(10, size=100)
        fitted = model.fit(images, labels, epochs=2, shuffle=False, verbose=0)
        return [*map(np.array, fitted.history.values()), *model.get_weights()]

    own, wanted = trained(shown["ModelWithStep"]), trained(keras.Model)
    for found, expected in zip(own, wanted, strict=True):
        assert_allclose(found, expected, atol=1e-5)

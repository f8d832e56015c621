"""The way from placeholders: three programs that agree, and the recipes out."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from snippets.data import digit_images, digit_vectors
from snippets.placeholders import (
    FeedRunner,
    GraphLayer,
    NameMapProposal,
    checkpoint_prefix,
    checkpoint_problems,
    count_traces,
    load_checkpoint,
    proposed_name_map,
    unfed_placeholders,
)
from snippets.placeholders.feeding import Scaled, network_of_2017
from snippets.placeholders.name_maps import (
    KINDS,
    Part,
    Units,
    by_numbers,
    counterparts,
    creation_order,
    ends_alike,
    kind_of,
    optimizer_variables,
    pairs,
    single_weights,
    whole_layers,
)
from snippets.placeholders.pictures import draw_feeding
from snippets.placeholders.training import (
    classifier_with,
    start_weights,
    train_in_function,
    train_in_keras,
    train_in_session,
)
from snippets.placeholders.weights import (
    assign_from_checkpoint,
    leftover_problems,
    prefixes_near,
    weights_by_path,
)
from snippets.processes import outputs_in_fresh_process

tf1 = tf.compat.v1
SAME = {name: name for name in start_weights()}


@pytest.fixture(autouse=True)
def eager_mode_and_the_default_graph_are_untouched() -> Any:
    graph = tf1.get_default_graph()
    names = [operation.name for operation in graph.get_operations()]
    yield
    assert tf.executing_eagerly()
    assert tf1.get_default_graph() is graph
    assert [operation.name for operation in graph.get_operations()] == names
    assert tf1.get_default_session() is None
    assert not tf1.get_collection(tf1.GraphKeys.GLOBAL_VARIABLES)


def digit_batches(number: int = 20, size: int = 32) -> list[Any]:
    vectors, labels = digit_vectors()
    starts = range(0, number * size, size)
    return [(vectors[k : k + size], labels[k : k + size]) for k in starts]


# A picture


def test_the_picture_has_a_session_and_a_model() -> None:
    drawing = draw_feeding()

    for text in ("session.run(y, {x: rows})", "x: placeholder", "model.predict(rows)"):
        assert f">{text}</text>" in drawing.svg
        assert text in drawing.alt
    assert drawing.svg.count("<rect") == 6


# Three programs, one walk


def numpy_losses(
    weights: dict[str, Any], batches: list[Any], learning_rate: float
) -> list[float]:
    """Gradient descent written out by hand, in float64."""
    w, b, v, c = (array.astype("float64") for array in weights.values())
    losses = []
    for x, y in batches:
        hidden = np.maximum(x @ w + b, 0.0)
        scores = hidden @ v + c
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        scores /= scores.sum(axis=1, keepdims=True)
        rows = np.arange(len(y))
        losses.append(float(-np.log(scores[rows, y]).mean()))
        scores[rows, y] -= 1.0
        d_scores = scores / len(y)
        d_hidden = (d_scores @ v.T) * (hidden > 0)
        v, c = (
            v - learning_rate * hidden.T @ d_scores,
            c - learning_rate * d_scores.sum(0),
        )
        w, b = w - learning_rate * x.T @ d_hidden, b - learning_rate * d_hidden.sum(0)
    return losses


@pytest.mark.parametrize("train", [train_in_session, train_in_function, train_in_keras])
@pytest.mark.parametrize("learning_rate", [0.5])
def test_each_program_walks_through_the_losses_of_numpy(
    train: Callable[..., list[float]], learning_rate: float
) -> None:
    weights, batches = start_weights(seed=3), digit_batches()

    losses = train(weights, batches, learning_rate)

    np.testing.assert_allclose(
        losses, numpy_losses(weights, batches, learning_rate), rtol=1e-5
    )
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("train", [train_in_session, train_in_function, train_in_keras])
def test_each_program_takes_batches_of_different_sizes_and_leaves_the_weights(
    train: Callable[..., list[float]],
) -> None:
    weights = start_weights(num_features=4, num_hidden=2, num_classes=3)
    weights["hidden/bias"] += np.float32([0.5, 1.0])
    weights["scores/bias"] += np.float32([0.5, 0.0, -1.0])
    kept = {name: array.copy() for name, array in weights.items()}
    batches = [(np.ones((size, 4), "float32"), np.arange(size)) for size in (1, 3, 2)]

    losses = train(weights, batches)

    np.testing.assert_allclose(losses, numpy_losses(kept, batches, 0.1), rtol=1e-5)
    for name, array in weights.items():
        np.testing.assert_array_equal(array, kept[name])


@pytest.mark.parametrize("train", [train_in_session, train_in_function, train_in_keras])
def test_no_batches_give_no_losses(train: Callable[..., list[float]]) -> None:
    assert train(start_weights(), []) == []


def test_equal_seeds_draw_equal_weights_within_glorots_limit() -> None:
    first, again, other = (start_weights(seed=seed) for seed in (1, 1, 2))
    limit = np.sqrt(6.0 / (64 + 32))

    np.testing.assert_array_equal(first["hidden/kernel"], again["hidden/kernel"])
    assert not np.array_equal(first["hidden/kernel"], other["hidden/kernel"])
    assert 0.95 * limit < np.abs(first["hidden/kernel"]).max() <= np.float32(limit)
    assert np.abs(first["scores/kernel"]).max() > limit
    assert not first["hidden/bias"].any()
    assert not first["scores/bias"].any()
    assert {array.dtype.name for array in first.values()} == {"float32"}


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, 0, 1), (1, 1, -1)])
def test_sizes_below_one_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"at least 1. Received: {sizes}")):
        start_weights(*sizes)


def test_the_smallest_sizes_are_accepted() -> None:
    assert start_weights(1, 1, 1)["scores/kernel"].shape == (1, 1)


def test_the_keras_classifier_computes_what_numpy_computes() -> None:
    weights = start_weights(5, 4, 3, seed=9)
    weights["hidden/bias"] += 0.1
    weights["scores/bias"] -= 0.2
    x = np.random.default_rng(0).normal(size=(7, 5)).astype("float32")
    w, b, v, c = weights.values()

    model = classifier_with(weights)

    assert model.input_shape == (None, 5)
    np.testing.assert_allclose(
        model(x), np.maximum(x @ w + b, 0.0) @ v + c, rtol=1e-5, atol=1e-6
    )


# Checkpoints


def saved(folder: Path, seed: int = 1) -> str:
    path = str(folder / "old")
    train_in_session(start_weights(seed=seed), digit_batches(), checkpoint=path)
    return path


def test_a_checkpoint_fills_a_model_that_then_computes_the_same(tmp_path: Path) -> None:
    path, (vectors, _) = saved(tmp_path), digit_vectors()
    model = classifier_with(start_weights(seed=2))

    load_checkpoint(model, path, SAME)

    read = tf.train.load_checkpoint(path).get_tensor
    with tf.Graph().as_default(), tf1.Session() as session:  # the old network, restored
        x = tf1.placeholder(tf.float32, [None, 64])
        v = {n: tf1.get_variable(n, w.shape) for n, w in start_weights().items()}
        hidden = tf.nn.relu(tf.matmul(x, v["hidden/kernel"]) + v["hidden/bias"])
        scores = tf.matmul(hidden, v["scores/kernel"]) + v["scores/bias"]
        tf1.train.Saver().restore(session, path)
        old = session.run(scores, {x: vectors})
    np.testing.assert_allclose(model(vectors), old, atol=1e-5)
    for weight in model.weights:
        np.testing.assert_array_equal(weight, read(weight.path))
    assert not np.allclose(
        read("hidden/kernel"), start_weights(seed=1)["hidden/kernel"]
    )


def test_the_bare_pattern_fills_a_model_and_leaves_the_rest_behind(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, {**start_weights(seed=1), "step": np.zeros((), "int64")})
    model = classifier_with(start_weights(seed=2))

    assign_from_checkpoint(model, path, SAME)

    for weight in model.weights:
        np.testing.assert_array_equal(weight, start_weights(seed=1)[weight.path])
    with pytest.raises(KeyError, match="hidden/kernel"):
        assign_from_checkpoint(model, path, {})


def test_the_name_map_decides_which_variable_goes_where(tmp_path: Path) -> None:
    with tf.Graph().as_default(), tf1.Session() as session:
        for name, value in {"a": 1.0, "b": 2.0, "b/Momentum": 9.0}.items():
            tf1.get_variable(name, initializer=np.full((3,), value, "float32"))
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, str(tmp_path / "old"))
    model = keras.Sequential([keras.Input((3,)), keras.layers.LayerNormalization()])
    gamma, beta = model.weights

    load_checkpoint(
        model, tmp_path / "old", {gamma.path: "b", beta.path: "a"}, ["b/Momentum"]
    )

    assert keras.ops.convert_to_numpy(gamma).tolist() == [2.0, 2.0, 2.0]
    assert keras.ops.convert_to_numpy(beta).tolist() == [1.0, 1.0, 1.0]


def write(
    folder: Path,
    arrays: dict[str, Any],
    name: str = "old",
    write_meta_graph: bool = True,
    write_version: int = 2,
) -> str:
    with tf.Graph().as_default(), tf1.Session() as session:
        for variable, value in arrays.items():
            tf1.get_variable(variable, initializer=value)
        session.run(tf1.global_variables_initializer())
        saver, path = tf1.train.Saver(write_version=write_version), f"{folder}/{name}"
        return str(saver.save(session, path, write_meta_graph=write_meta_graph))


def test_every_problem_stands_in_one_message_and_nothing_is_loaded(
    tmp_path: Path,
) -> None:
    arrays: dict[str, Any] = start_weights(seed=1)
    del arrays["hidden/bias"]
    arrays["hidden/kernel"] = arrays["hidden/kernel"].T
    arrays["scores/bias"] = arrays["scores/bias"].astype("float64")
    arrays["global_step"] = np.zeros((), "int64")
    path = write(tmp_path, arrays)
    model = classifier_with(start_weights(seed=2))
    name_map = {**SAME, "hidden/gamma": "gamma"}
    del name_map["scores/kernel"]

    with pytest.raises(ValueError, match="for each weight of `model`") as caught:
        load_checkpoint(model, path, name_map)

    first, *problems, last = str(caught.value).splitlines()
    assert first.endswith("and no other. Received:")
    assert "`proposed_name_map(model, path)` proposes a map" in last
    assert problems == [
        "- wrong shape: 'hidden/kernel' is (32, 64), 'hidden/kernel' is (64, 32)",
        "- missing: 'hidden/bias', for the weight 'hidden/bias'",
        "- `name_map` lacks the weight 'scores/kernel'",
        "- wrong dtype: 'scores/bias' is float64, 'scores/bias' is float32",
        "- `name_map` has 'hidden/gamma', which is no weight of the model",
        "- extra: 'global_step'",
        "- extra: 'scores/kernel'",
    ]
    assert [f"- {line}" for line in checkpoint_problems(model, path, name_map)] == (
        problems
    )
    for weight in model.weights:
        np.testing.assert_array_equal(weight, start_weights(seed=2)[weight.path])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"hidden/bias": None}, "missing: 'hidden/bias', for the weight 'hidden/bias'"),
        ({"step": np.zeros((), "int64")}, "extra: 'step'"),
        ({"hidden/bias": np.zeros(31, "float32")}, "'hidden/bias' is (31,)"),
        ({"hidden/bias": np.zeros(32, "int32")}, "'hidden/bias' is int32"),
        ({"hidden/bias": np.zeros(33, "float32")}, "'hidden/bias' is (33,)"),
        ({"hidden/bias": np.zeros(32, "float16")}, "'hidden/bias' is float16"),
    ],
)
def test_each_problem_alone_refuses_the_checkpoint(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    arrays = {**start_weights(), **change}
    path = write(tmp_path, {k: v for k, v in arrays.items() if v is not None})
    with pytest.raises(ValueError, match=re.escape(problem)):
        load_checkpoint(classifier_with(start_weights()), path, SAME)


def test_ignored_variables_are_no_problem(tmp_path: Path) -> None:
    path = write(tmp_path, {**start_weights(), "step": np.zeros((), "int64")})
    model = classifier_with(start_weights())

    assert checkpoint_problems(model, path, SAME, ["step"]) == []
    assert checkpoint_problems(model, path, SAME) == ["extra: 'step'"]


# Checkpoints as one finds them


@pytest.mark.parametrize("make", [str, Path])
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_prefix_may_end_in_a_slash_whatever_the_checkpoint_file_names(
    tmp_path: Path, make: Callable[[str], Any], slash: str
) -> None:
    write(tmp_path, start_weights(seed=1), name="")
    elsewhere = 'model_checkpoint_path: "/another/machine/model"\n'
    (tmp_path / "checkpoint").write_text(elsewhere)
    with pytest.raises((ValueError, tf.errors.OpError)):
        tf.train.load_checkpoint(f"{tmp_path}/")
    model = classifier_with(start_weights(seed=2))

    load_checkpoint(model, make(f"{tmp_path}{slash}"), SAME)

    assert checkpoint_prefix(make(f"{tmp_path}{slash}")) == f"{tmp_path}/"
    for weight in model.weights:
        np.testing.assert_array_equal(weight, start_weights(seed=1)[weight.path])


def test_a_checkpoint_file_that_names_another_folder_does_not_matter(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, start_weights(seed=1))
    elsewhere = 'model_checkpoint_path: "/another/machine/model"\n'
    (tmp_path / "checkpoint").write_text(elsewhere)

    assert checkpoint_problems(classifier_with(start_weights()), path, SAME) == []


def test_a_checkpoint_of_the_first_format_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, start_weights(), write_version=1)

    assert not Path(f"{path}.index").exists()
    assert checkpoint_problems(classifier_with(start_weights()), path, SAME) == []


@pytest.mark.parametrize(
    ("wrong", "near"),
    [
        ("old-20.index", ["old-20"]),
        ("old-20.data-00000-of-00001", ["old-20"]),
        ("old-20.meta", ["old-20"]),
        ("old", ["old-20", "old-30"]),
        ("", ["new", "old-20", "old-30"]),
        ("checkpoint", ["new", "old-20", "old-30"]),
        ("none/old", []),
    ],
)
def test_a_path_that_is_no_prefix_is_refused_with_the_prefixes_near_it(
    tmp_path: Path, wrong: str, near: list[str]
) -> None:
    for name in ("old-30", "old-20", "new"):
        write(tmp_path, {"w": np.zeros(2, "float32")}, name=name)
    path = str(tmp_path / wrong)
    paths = [f"{tmp_path}/{name}" for name in near]
    hint = f"; did you mean {' or '.join(map(repr, paths))}?" if near else ""

    with pytest.raises(ValueError, match=r"^Expected `path` to be the pre") as caught:
        load_checkpoint(classifier_with(start_weights()), path, SAME)

    message = str(caught.value)
    assert prefixes_near(path) == paths
    assert "\n" not in message
    assert message.endswith(f"Received: {path!r}{hint}")


def test_prefixes_are_found_in_the_working_directory_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"w": np.zeros(2, "float32")}, name="old-20")
    monkeypatch.chdir(tmp_path)

    assert prefixes_near("old") == ["old-20"]


def test_at_most_five_prefixes_are_named(tmp_path: Path) -> None:
    for step in range(10, 19):
        (tmp_path / f"old-{step}.index").touch()
    with pytest.raises(ValueError, match=r"old-14'\?$"):
        checkpoint_prefix(tmp_path / "old")


def test_a_damaged_checkpoint_changes_no_weight(tmp_path: Path) -> None:
    path = write(tmp_path, start_weights(seed=1))
    data = Path(f"{path}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-1000])
    model = classifier_with(start_weights(seed=2))

    with pytest.raises(ValueError, match="Expected a complete checkpoint"):
        load_checkpoint(model, path, SAME)

    for weight in model.weights:
        np.testing.assert_array_equal(weight, start_weights(seed=2)[weight.path])


# What stands in the way


def test_one_variable_does_not_fill_two_weights(tmp_path: Path) -> None:
    path = write(tmp_path, {"a": np.ones(3, "float32")})
    model = keras.Sequential([keras.Input((3,)), keras.layers.LayerNormalization()])
    both = {weight.path: "a" for weight in model.weights}

    assert checkpoint_problems(model, path, both) == [
        "`name_map` has 'a' for 2 weights"
    ]


def test_patterns_leave_variables_behind() -> None:
    names = ["w", "w/Adam", "w/Adam_1", "beta1_power"]

    assert leftover_problems(names, ["w"], ["*/Adam*", "beta?_power"]) == []
    assert leftover_problems(names, ["w"], ["*"]) == []
    assert leftover_problems(names, ["w"], ["*/adam*", "beta1_power"]) == [
        "`ignored` has '*/adam*', which matches no variable of the checkpoint",
        "extra: 'w/Adam'",
        "extra: 'w/Adam_1'",
    ]


def test_what_fills_a_weight_is_not_ignored() -> None:
    assert leftover_problems(["w"], ["w"], ["w"]) == [
        "`ignored` has 'w', which `name_map` uses"
    ]
    assert leftover_problems(["w"], ["w"], ["w*"]) == []


def test_ignored_is_no_string() -> None:
    with pytest.raises(TypeError, match=r"such as \['step'\]. Received: 'step'"):
        leftover_problems(["step"], [], "step")


class TwoLayers(keras.Model):
    def __init__(self, second: str) -> None:
        super().__init__(name="two")
        self.first = keras.layers.Dense(2, name="first")
        self.second = keras.layers.Dense(2, name=second)

    def call(self, x: Any, use_both: bool = True) -> Any:
        return self.second(self.first(x)) if use_both else self.first(x)


def test_a_model_that_is_not_built_is_refused(tmp_path: Path) -> None:
    path, model = write(tmp_path, start_weights()), TwoLayers("second")
    for refuse in (load_checkpoint, checkpoint_problems):
        with pytest.raises(ValueError, match="Expected a built `model`"):
            refuse(model, path, SAME, ["*"])

    with pytest.warns(UserWarning, match="unbuilt state"):
        model(np.ones((1, 2), "float32"), use_both=False)
    with pytest.raises(ValueError, match=r"'two', in which \['second'\] are not built"):
        weights_by_path(model)

    model(np.ones((1, 2), "float32"))
    assert list(weights_by_path(model).values()) == model.weights


def test_two_weights_of_one_path_are_refused(tmp_path: Path) -> None:
    path, model = write(tmp_path, start_weights()), TwoLayers("first")
    model(np.ones((1, 2), "float32"))

    with pytest.raises(ValueError, match=r"two/first/bias', 'two/first/kernel'\]$"):
        load_checkpoint(model, path, SAME)


# A map of names is proposed


def network_of_2019(images: Any, training: Any) -> Any:
    """Six convolutions with batch normalization and three dense layers."""
    x, ones, zeros = images, tf1.ones_initializer(), tf1.zeros_initializer()
    for block, size in zip(range(7, 13), [8, 8, 8, 8, 16, 16], strict=True):
        with tf1.variable_scope(f"net/block{block}"):
            kernel = tf1.get_variable("conv/weights", [3, 3, x.shape[-1], size])
            x = tf.nn.conv2d(x, kernel, strides=1, padding="SAME")
            gamma = tf1.get_variable("norm/gamma", [size], initializer=ones)
            beta = tf1.get_variable("norm/beta", [size], initializer=zeros)
            moving = [
                tf1.get_variable(f"norm/{name}", [size], None, start, trainable=False)
                for name, start in [("moving_mean", zeros), ("moving_variance", ones)]
            ]
            batch = tf.nn.moments(x, [0, 1, 2])
            for old, new in zip(moving, batch, strict=True):
                update = old.assign(0.9 * old + 0.1 * new)
                tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
            mean, variance = (
                training * new + (1.0 - training) * old
                for old, new in zip(moving, batch, strict=True)
            )
            x = tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)
            x = tf.nn.relu(x)
    x = tf.reduce_mean(x, [1, 2])
    for name, size in {"hidden": 32, "hidden_1": 32, "scores": 10}.items():
        with tf1.variable_scope(f"net/{name}"):
            weights = tf1.get_variable("weights", [x.shape[-1], size])
            biases = tf1.get_variable("biases", [size], initializer=ones)
            x = tf.matmul(x, weights) + biases
        x = x if name == "scores" else tf.nn.relu(x)
    return x


def network_of_today() -> keras.Model:
    layers = keras.layers
    x = inputs = keras.Input((8, 8, 1))
    for size in (8, 8, 8, 8, 16, 16):
        x = layers.Conv2D(size, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    for size in (32, 32):
        x = layers.Dense(size, activation="relu")(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def trained_in_2019(prefix: str, write_meta_graph: bool) -> Any:
    """Train the old network, save it under a prefix and return its scores."""
    images, labels = digit_images()
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(0)
        x = tf1.placeholder(tf.float32, [None, 8, 8, 1])
        y = tf1.placeholder(tf.int64, [None])
        training = tf1.placeholder(tf.float32, [])
        scores = network_of_2019(x, training)
        loss = tf1.losses.sparse_softmax_cross_entropy(y, scores)
        step = tf1.train.get_or_create_global_step()
        with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
            train = tf1.train.AdamOptimizer(0.01).minimize(loss, step)
        session.run(tf1.global_variables_initializer())
        for start in range(0, 640, 64):
            part = slice(start, start + 64)
            session.run(train, {x: images[part], y: labels[part], training: 1.0})
        tf1.train.Saver().save(session, prefix, write_meta_graph=write_meta_graph)
        return session.run(scores, {x: images[:200], training: 0.0})


@pytest.mark.parametrize("write_meta_graph", [True, False])
def test_a_network_of_2019_is_carried_over_by_the_map_that_is_proposed(
    tmp_path: Path, write_meta_graph: bool
) -> None:
    old = trained_in_2019(f"{tmp_path}/", write_meta_graph)
    elsewhere = 'model_checkpoint_path: "/another/machine/model"\n'
    (tmp_path / "checkpoint").write_text(elsewhere)
    model = network_of_today()

    proposal = proposed_name_map(model, f"{tmp_path}/")
    load_checkpoint(model, f"{tmp_path}/", proposal.name_map, proposal.optimizer)

    assert (len(proposal.name_map), len(proposal.optimizer)) == (36, 51)
    assert (proposal.unmapped, proposal.unused) == ({}, ())
    # Three kernels of one shape and all norms are alike.
    assert len(proposal.guessed) == 3 + 6 * 4
    np.testing.assert_allclose(model(digit_images()[0][:200]), old, atol=1e-5)


def two_layers() -> keras.Model:
    x = inputs = keras.Input((3,))
    for name in "ab":
        x = keras.layers.Dense(3, use_bias=False, name=name)(x)
    return keras.Model(inputs, x)


def proposal_for(folder: Path, model: keras.Model, *names: str) -> NameMapProposal:
    arrays = {name: np.zeros((3, 3), "float32") for name in names}
    path = write(folder, arrays, write_meta_graph=False)
    return proposed_name_map(model, path)


def test_equal_names_are_no_guess(tmp_path: Path) -> None:
    proposal = proposal_for(tmp_path, two_layers(), "net/b/w", "net/a/w")

    assert proposal.name_map == {"a/kernel": "net/a/w", "b/kernel": "net/b/w"}
    assert (proposal.guessed, proposal.unmapped, proposal.unused) == ((), {}, ())


def test_equal_names_are_a_guess_if_more_variables_are_alike(tmp_path: Path) -> None:
    proposal = proposal_for(tmp_path, two_layers(), "a/w", "b/w", "c/w")

    assert proposal.name_map == {"a/kernel": "a/w", "b/kernel": "b/w"}
    assert proposal.guessed == ("a/kernel", "b/kernel")
    assert proposal.unused == ("c/w",)


def test_numbers_in_names_are_an_order(tmp_path: Path) -> None:
    proposal = proposal_for(tmp_path, two_layers(), "fc10/w", "fc9/w")

    assert proposal.name_map == {"a/kernel": "fc9/w", "b/kernel": "fc10/w"}
    assert proposal.guessed == ("a/kernel", "b/kernel")


def test_words_in_names_are_no_order_and_the_weights_are_left_out(
    tmp_path: Path,
) -> None:
    proposal = proposal_for(tmp_path, two_layers(), "head/w", "stem/w")

    both = ("head/w", "stem/w")
    assert proposal == NameMapProposal(
        name_map={},
        guessed=(),
        unmapped={"a/kernel": both, "b/kernel": both},
        optimizer=(),
        unused=both,
    )


def test_the_program_of_a_meta_file_is_an_order(tmp_path: Path) -> None:
    arrays = {name: np.zeros((3, 3), "float32") for name in ("stem/w", "head/w")}
    path = write(tmp_path, arrays)

    assert proposed_name_map(two_layers(), path).name_map == {
        "a/kernel": "stem/w",
        "b/kernel": "head/w",
    }
    assert creation_order(path, ["head/w", "stem/w"]) == ["stem/w", "head/w"]
    assert creation_order(path, ["head/w", "elsewhere"]) is None
    with tf.Graph().as_default() as graph:
        names = [tf1.placeholder(tf.float32, name=name).op.name for name in "ba"]
        Path(f"{path}-2.meta").write_bytes(
            tf1.MetaGraphDef(graph_def=graph.as_graph_def()).SerializeToString()
        )
    assert creation_order(f"{path}-2", sorted(names)) == names  # all that it knows
    assert creation_order(f"{path}-1", ["head/w"]) is None


def test_one_layer_too_many_is_left_out(tmp_path: Path) -> None:
    proposal = proposal_for(tmp_path, two_layers(), "fc1/w", "fc2/w", "fc3/w")

    assert proposal.name_map == {}
    assert proposal.unmapped["a/kernel"] == ("fc1/w", "fc2/w", "fc3/w")


def test_a_weight_without_a_variable_has_none_to_choose_from(tmp_path: Path) -> None:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(3, name="a")(inputs))

    proposal = proposal_for(tmp_path, model, "fc/w")

    assert proposal.name_map == {"a/kernel": "fc/w"}
    assert proposal.guessed == ("a/kernel",)  # the rest of the layer is not there
    assert proposal.unmapped == {"a/bias": ()}


def test_variables_without_names_are_told_apart_by_shape(tmp_path: Path) -> None:
    weights = list(start_weights(seed=1).values())
    names = ["Variable", "Variable_1", "Variable_2", "Variable_3"]
    path = write(tmp_path, dict(zip(names, weights, strict=True)))

    proposal = proposed_name_map(classifier_with(start_weights()), path)

    assert list(proposal.name_map.values()) == names
    assert set(proposal.guessed) == {*SAME}


def test_another_dtype_is_another_variable(tmp_path: Path) -> None:
    path = write(tmp_path, {"a/w": np.zeros((3, 3)), "b/w": np.zeros((3, 3))})

    proposal = proposed_name_map(two_layers(), path)

    assert proposal.unmapped == {"a/kernel": (), "b/kernel": ()}


def test_a_map_is_proposed_for_a_built_model_alone(tmp_path: Path) -> None:
    path = write(tmp_path, start_weights())
    with pytest.raises(ValueError, match="Expected a built `model`"):
        proposed_name_map(TwoLayers("second"), path)


@pytest.mark.parametrize(
    ("name", "shape", "kind"),
    [
        ("conv1/weights", (3, 3, 1, 8), "kernel"),
        ("separable/depthwise_weights", (3, 3, 8, 1), "kernel"),
        ("words/embeddings", (100, 8), "kernel"),
        ("lstm/recurrent_kernel", (8, 32), "recurrent_kernel"),
        ("fc1/biases", (8,), "bias"),
        ("b_2", (8,), "bias"),
        ("BatchNorm/gamma", (8,), "gamma"),
        ("norm/scale", (8,), "gamma"),
        ("norm/offset", (8,), "beta"),
        ("norm/moving_variance", (8,), "moving_variance"),
        ("prelu/alpha", (8,), "alpha"),
    ],
)
def test_kinds_go_by_many_names(name: str, shape: tuple[int, ...], kind: str) -> None:
    assert kind_of(name, shape) == kind
    assert set(KINDS.values()) == {
        *("bias", "gamma", "beta", "moving_mean", "moving_variance")
    }


def test_a_layer_with_two_equal_parts_is_taken_apart() -> None:
    part: Part = ("kernel", (3, 3), "float32")
    parts = {"a/v": part, "a/w": part, "b/w": part}
    alone: Units = {"b": {part: "b/w"}}

    assert whole_layers(parts) == alone
    assert single_weights(parts) == {name: {part: name} for name in parts}
    assert list(pairs(alone, alone, order_is_known=False)) == [("b/w", "b/w", False)]


NAMED = ["b1/conv", "b2/conv"]


@pytest.mark.parametrize(
    ("layers", "scopes", "order_is_known", "chosen", "is_guess"),
    [
        (["a"], ["x"], False, ["x"], False),
        (["a"], [], True, [], False),
        (["a", "b"], ["stem", "head"], False, [], False),
        (["a", "b"], ["stem", "head"], True, ["stem", "head"], True),
        (["a", "b"], ["fc1", "fc2"], False, ["fc1", "fc2"], True),
        (["a", "b"], ["fc1", "fc2", "fc3"], True, [], False),
        (["b1_conv", "b2_conv"], ["b2/conv", "b1/conv"], False, NAMED, False),
        (["b1_conv", "b2_conv"], ["b2/conv", "b1/conv", "c"], False, NAMED, True),
        # Automatic names, in a process in which a layer was made before.
        (["conv_1", "conv_2"], ["conv", "conv_1"], False, ["conv", "conv_1"], True),
        # The model's own name stands before those of its layers.
        (["top/b1_conv", "top/b2_conv"], ["b2/conv", "b1/conv"], False, NAMED, False),
        # One layer has two names to choose from, the other none.
        (["conv", "a"], ["y/conv", "x/conv"], False, [], False),
    ],
)
def test_scopes_are_chosen_by_name_or_by_order(
    layers: list[str],
    scopes: list[str],
    order_is_known: bool,
    chosen: list[str],
    is_guess: bool,
) -> None:
    assert counterparts(layers, scopes, order_is_known) == (chosen, is_guess)


def test_names_are_alike_up_to_where_they_lie() -> None:
    assert ends_alike("block1_conv", "net/block1/conv")
    assert ends_alike("net/conv", "conv")
    assert not ends_alike("conv", "deconv")
    assert not ends_alike("conv", "conv_1")


def test_an_optimizer_makes_counters_and_slots() -> None:
    with tf.Graph().as_default():
        w = tf1.get_variable("a/w", [3])
        with tf1.variable_scope("training"):
            for optimizer in (
                tf1.train.AdamOptimizer(),
                tf1.train.RMSPropOptimizer(0.1, momentum=0.9),
            ):
                step = tf1.train.get_or_create_global_step()
                optimizer.minimize(tf.reduce_sum(w), step)
        shapes = {v.op.name: v.shape.as_list() for v in tf1.global_variables()}
    shapes |= {"a/w/inner": [2], "b/beta1_power": [], "step": []}

    found = optimizer_variables(shapes)

    assert set(shapes) - set(found) == {"a/w", "a/w/inner", "step"}
    assert len(found) == 4 + 4  # slots and counters


def test_names_are_sorted_by_their_numbers() -> None:
    names = ["b", "a/conv_10/w", "a/conv_2/w", "a/conv/w", "a/conv_1/w"]

    assert sorted(names, key=by_numbers) == [
        *("a/conv/w", "a/conv_1/w", "a/conv_2/w", "a/conv_10/w", "b")
    ]


# Graph functions as layers


def graph_model(num_features: int = 64) -> keras.Model:
    x = keras.Input((num_features,))
    return keras.Model(x, GraphLayer(network_of_2017, name="old")(x))


def test_a_graph_layer_computes_what_its_function_computes() -> None:
    model, x = graph_model(5), np.random.default_rng(0).normal(size=(3, 5))
    kernel, bias, scale = (
        keras.ops.convert_to_numpy(weight) for weight in model.weights
    )

    assert scale == 1.0
    np.testing.assert_allclose(model(x), scale * x @ kernel + bias, atol=1e-5)


def test_variables_of_the_function_are_weights_by_their_names_and_kinds() -> None:
    layer = graph_model().get_layer("old")

    assert [weight.name for weight in layer.trainable_weights] == [
        "scores_kernel",
        "scores_bias",
    ]
    assert [weight.name for weight in layer.non_trainable_weights] == ["scale"]


def test_the_old_function_multiplies_by_its_scale_and_adds_its_bias() -> None:
    layer = GraphLayer(network_of_2017)
    x = np.ones((2, 4), "float32")
    layer.build((None, 4))

    layer.set_weights([np.ones((4, 10)), np.full(10, 0.5), np.array(3.0)])

    np.testing.assert_array_equal(layer(x), np.full((2, 10), 12.5))


def test_a_frozen_graph_layer_trains_nothing() -> None:
    model = graph_model()
    model.get_layer("old").trainable = False

    assert model.trainable_weights == []
    assert len(model.weights) == 3


def test_a_graph_layer_reloads_with_its_weights_in_a_fresh_process(
    tmp_path: Path,
) -> None:
    model, x = graph_model(4), np.random.default_rng(0).normal(size=(3, 4))
    model.layers[-1].set_weights([np.eye(4, 10), np.arange(10.0), np.array(2.0)])
    model.save(tmp_path / "old.keras")

    (outputs,) = outputs_in_fresh_process(
        tmp_path / "old.keras", x.astype("float32"), ["snippets.placeholders"]
    )

    np.testing.assert_allclose(
        outputs, 2.0 * x @ np.eye(4, 10) + np.arange(10.0), atol=1e-5
    )


def test_a_graph_layer_is_made_again_from_its_config() -> None:
    layer = GraphLayer(network_of_2017, name="old", trainable=False)

    again = GraphLayer.from_config(layer.get_config())

    assert again.function is network_of_2017
    assert (again.name, again.trainable) == ("old", False)


def test_a_variable_used_twice_is_one_weight() -> None:
    def tied(x: tf.Tensor) -> tf.Tensor:
        for _ in range(2):
            with tf1.variable_scope("tied", reuse=tf1.AUTO_REUSE):
                x = tf.matmul(x, tf1.get_variable("w", [3, 3]))
        return x

    layer = GraphLayer(tied)
    x = np.ones((2, 3), "float32")
    layer(x)

    (w,) = layer.get_weights()
    np.testing.assert_allclose(layer(x), x @ w @ w, rtol=1e-5)


def test_a_graph_layer_may_multiply_by_one_matrix_after_the_other() -> None:
    def twice(x: tf.Tensor) -> tf.Tensor:
        x = tf.matmul(x, tf1.get_variable("first", [3, 5]))
        return tf.matmul(x, tf1.get_variable("second", [5, 2]))

    layer = GraphLayer(twice)
    x = np.ones((2, 3), "float32")
    outputs = layer(x)

    first, second = layer.get_weights()
    np.testing.assert_allclose(outputs, x @ first @ second, rtol=1e-5)


def test_a_function_with_a_placeholder_of_its_own_is_refused() -> None:
    def asks(x: tf.Tensor) -> tf.Tensor:
        return x * tf1.placeholder(tf.float32, [], name="rate")

    with pytest.raises(ValueError, match=r"asks, which also reads \['rate'\]"):
        GraphLayer(asks)(np.ones((1, 3), "float32"))


def test_unfed_placeholders_are_those_that_the_result_waits_for() -> None:
    def several(x: tf.Tensor) -> tf.Tensor:
        tf1.placeholder(tf.float32, [], name="unused")
        late = tf1.placeholder(tf.float32, [], name="late")
        early = tf1.placeholder(tf.float32, [], name="early")
        return tf.sqrt(x * late + early)

    wrapped = tf1.wrap_function(several, [tf.TensorSpec([], tf.float32)])

    assert unfed_placeholders(wrapped.graph) == ["early", "late"]


def test_variables_without_names_stay_apart() -> None:
    def two(x: tf.Tensor) -> tf.Tensor:
        return x * tf.Variable(lambda: 2.0) + tf.Variable(lambda: 5.0)

    layer = GraphLayer(two)

    assert float(layer(np.ones((1, 1), "float32"))[0, 0]) == 7.0
    assert sorted(map(float, layer.get_weights())) == [2.0, 5.0]


def test_a_placeholder_with_a_default_is_no_obstacle() -> None:
    def halve(x: tf.Tensor) -> tf.Tensor:
        return x * tf1.placeholder_with_default(0.5, [])

    assert float(GraphLayer(halve)(np.ones((1, 1), "float32"))[0, 0]) == 0.5


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`function` to be callable\. Received: 3"):
        GraphLayer(3)


def test_a_function_that_is_not_registered_cannot_be_reloaded(tmp_path: Path) -> None:
    x = keras.Input((3,))
    model = keras.Model(x, GraphLayer(tf.identity.__wrapped__)(x))
    model.save(tmp_path / "old.keras")

    with pytest.raises((TypeError, ValueError), match="Could not"):
        keras.saving.load_model(tmp_path / "old.keras")


# Feeding a model by names


def branching_model() -> keras.Model:
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    total = keras.layers.Add(name="total")([a, b])
    doubled = keras.layers.Rescaling(2.0, name="doubled")(total)
    tripled = keras.layers.Rescaling(3.0, name="tripled")(a)
    return keras.Model([a, b], [doubled, tripled])


ONES = np.ones((2, 3))


def test_one_name_gives_an_array_and_several_a_list() -> None:
    runner = FeedRunner(branching_model())
    feed_dict = {"b": 4.0 * ONES, "a": ONES}

    np.testing.assert_array_equal(runner.run("doubled", feed_dict), 10.0 * ONES)
    tripled, total = runner.run(["tripled", "total"], feed_dict)
    np.testing.assert_array_equal(tripled, 3.0 * ONES)
    np.testing.assert_array_equal(total, 5.0 * ONES)


def test_only_what_the_fetch_needs_must_be_fed() -> None:
    runner = FeedRunner(branching_model())

    np.testing.assert_array_equal(runner.run("tripled", {"a": ONES}), 3.0 * ONES)
    with pytest.raises(ValueError, match=r"all that \['doubled'\] needs.*\['a'\]"):
        runner.run("doubled", {"a": ONES})
    with pytest.raises(ValueError, match=r"all that \['total'\] needs.*nothing"):
        runner.run(["total"], {})


def test_a_tensor_between_layers_can_be_fed_in_place_of_the_inputs() -> None:
    runner = FeedRunner(branching_model())

    np.testing.assert_array_equal(
        runner.run("doubled", {"total": 7.0 * ONES}), 14.0 * ONES
    )


def test_fed_values_are_cast_as_a_placeholder_casts_them() -> None:
    fetched = FeedRunner(branching_model()).run("a", {"a": ONES.astype("int64")})

    assert isinstance(fetched, np.ndarray)
    assert fetched.dtype == "float32"


def test_the_runner_equals_the_model_and_a_session_on_the_digits() -> None:
    vectors, _ = digit_vectors()
    weights = start_weights(seed=4)
    model = classifier_with(weights)
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 64])
        hidden = tf.nn.relu(tf.matmul(x, weights["hidden/kernel"]))
        scores = tf.matmul(hidden, weights["scores/kernel"])
        fetched = session.run([hidden, scores], {x: vectors})

    ours = FeedRunner(model).run(["hidden", "scores"], {"x": vectors})

    for mine, theirs in zip(ours, fetched, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
    np.testing.assert_allclose(ours[1], model(vectors), atol=1e-5)


def test_one_function_serves_all_runs_with_the_same_names() -> None:
    runner = FeedRunner(branching_model())
    for size in (1, 2, 3):
        runner.run("tripled", {"a": np.ones((size, 3))})
    runner.run("total", {"a": ONES, "b": ONES})

    assert len(runner._functions) == 2


def test_a_sequential_model_is_fed_by_the_name_of_its_input() -> None:
    model = keras.Sequential(
        [keras.Input((3,), name="x"), keras.layers.Rescaling(2.0, name="y")]
    )

    np.testing.assert_array_equal(FeedRunner(model).run("y", {"x": ONES}), 2.0 * ONES)


def test_a_layer_with_several_outputs_has_no_name_to_fetch() -> None:
    x = keras.Input((4, 3), name="x")
    sequences, state = keras.layers.GRU(
        2, return_sequences=True, return_state=True, name="steps"
    )(x)

    assert list(FeedRunner(keras.Model(x, [sequences, state])).tensors) == ["x"]


def test_a_layer_called_twice_stands_for_its_first_call() -> None:
    x = keras.Input((3,), name="x")
    shared = keras.layers.Rescaling(2.0, name="shared")
    once = keras.layers.Rescaling(3.0, name="once")

    runner = FeedRunner(keras.Model(x, once(shared(shared(x)))))

    np.testing.assert_array_equal(runner.run("shared", {"x": ONES}), 2.0 * ONES)
    np.testing.assert_array_equal(runner.run("once", {"x": ONES}), 12.0 * ONES)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 3, 1)])
def test_a_value_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    expected = f"Cannot feed value of shape {shape} for 'a', which has shape (None, 3)"
    with pytest.raises(ValueError, match=re.escape(expected)):
        FeedRunner(branching_model()).run("tripled", {"a": np.ones(shape)})


@pytest.mark.parametrize(("fetch", "feed"), [("q", "a"), ("tripled", "q")])
def test_unknown_names_are_refused_with_those_that_exist(fetch: str, feed: str) -> None:
    known = "['a', 'b', 'total', 'doubled', 'tripled']. Received: 'q'"
    with pytest.raises(ValueError, match=re.escape(known)):
        FeedRunner(branching_model()).run(fetch, {feed: ONES})


def test_a_model_without_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match=r"begins at an Input\. Received: Sequential"):
        FeedRunner(keras.Sequential([keras.layers.Dense(2)]))


# Traces


def test_every_shape_is_a_graph_unless_a_signature_says_otherwise() -> None:
    batches = [tf.zeros((size, 64)) for size in (1, 2, 3)]
    spec = tf.TensorSpec([None, 64], tf.float32)

    assert count_traces(tf.reduce_sum, batches) == 3
    assert count_traces(tf.reduce_sum, batches, reduce_retracing=True) == 2
    assert count_traces(tf.reduce_sum, batches, input_signature=[spec]) == 1


def test_every_python_number_is_a_graph() -> None:
    assert count_traces(tf.square, [1.0, 2.0, 3.0, 1.0]) == 3
    assert count_traces(tf.square, [tf.constant(k) for k in (1.0, 2.0, 3.0)]) == 1
    assert count_traces(tf.square, []) == 0


def test_counting_is_quiet_and_leaves_the_logger_as_it_was(
    caplog: pytest.LogCaptureFixture,
) -> None:
    level = tf.get_logger().level

    count_traces(tf.square, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    with pytest.raises(TypeError):
        count_traces(tf.square, [object()])

    assert not caplog.messages
    assert tf.get_logger().level == level


def test_a_tf_function_is_refused_for_it_may_have_graphs_already() -> None:
    with pytest.raises(ValueError, match=r"plain Python function\. Received: Function"):
        count_traces(tf.function(tf.square), [1.0])


def test_a_factor_has_a_default_that_each_call_may_replace():
    two = np.float32([2.0])
    assert Scaled()(two).numpy().tolist() == [1.0]
    assert Scaled()(two, factor=3.0).numpy().tolist() == [6.0]

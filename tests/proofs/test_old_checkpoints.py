"""Proofs of the page of TensorFlow 1 checkpoints."""

import tempfile

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_placeholders import digits, message_of, tf1

ADAM = ("Adam", "Adam_1")


def carry(missing=(), extra=None, ignored=(), load=True):
    """A model with the variables of a checkpoint, and the scores of the old network."""
    from snippets.placeholders import load_checkpoint
    from snippets.placeholders.training import classifier_with, start_weights

    weights = start_weights(seed=1)
    model = classifier_with(start_weights(seed=2))
    arrays = {name: w for name, w in weights.items() if name not in missing}
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            v = {
                name: tf1.get_variable(name, initializer=value)
                for name, value in {**arrays, **(extra or {})}.items()
            }
            x = tf1.placeholder(tf.float32, [None, 64])
            scores = x
            if not missing:
                hidden = tf.matmul(x, v["hidden/kernel"]) + v["hidden/bias"]
                scores = tf.matmul(tf.nn.relu(hidden), v["scores/kernel"])
            session.run(tf1.global_variables_initializer())
            old = session.run(scores, {x: digits()[0]})
            tf1.train.Saver().save(session, f"{folder}/old")
        before = model.get_weights()
        name_map = {weight.path: weight.path for weight in model.weights}
        try:
            if load:
                load_checkpoint(model, f"{folder}/old", name_map, ignored)
            error = ""
        except ValueError as problem:
            error = str(problem)
    after = model.get_weights()
    same = all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    return model, old, error, same


@proves(
    "If a variable is missing, left over or of another shape, one message lists it "
    "all:",
    false_with={"missing": ("scores/bias",)},
    needs="keras>=3",
)
def test_problems_of_a_checkpoint_are_listed(missing=("hidden/bias", "scores/bias")):
    extra = {"step": np.zeros((), "int64"), "scores/bias": np.zeros(9, "float32")}
    _, _, error, same = carry(missing, extra)
    for problem in (
        "missing: 'hidden/bias'",
        "extra: 'step'",
        "wrong shape: 'scores/bias' is (9,)",
    ):
        assert problem in error
    assert same


@proves(
    "`ignored` names what stays behind, one by one or by a pattern such as "
    "`*/Momentum`; `*` leaves behind all that the map does not name.",
    false_with={"name": "hidden/kernel/Adam"},
    needs="keras>=3",
)
def test_slots_are_left_behind(name="hidden/kernel/Momentum"):
    slot = {name: np.zeros((64, 32), "float32")}
    assert f"extra: {name!r}" in carry(extra=slot)[2]
    for pattern in ("hidden/kernel/Momentum", "*/Momentum", "*"):
        assert carry(extra=slot, ignored=[pattern])[2:] == ("", False)


@proves(
    "Adam has two slots for each weight, `Adam` and `Adam_1`, and two counters, "
    "`beta1_power` and `beta2_power`; `global_step` is the counter of the program.",
    false_with={"make": lambda: tf1.train.MomentumOptimizer(0.1, 0.9)},
)
def test_adam_has_slots_and_counters(make=tf1.train.AdamOptimizer):
    weights = {"net/w", "net/b"}
    with tf.Graph().as_default():
        made = [tf1.get_variable(name, [3]) for name in weights]
        loss = tf.add_n([tf.reduce_sum(w) for w in made])
        before = {v.op.name for v in tf1.global_variables()}
        make().minimize(loss)
        slots = {v.op.name for v in tf1.global_variables()} - before
        tf1.train.get_or_create_global_step()
        last = {v.op.name for v in tf1.global_variables()} - before - slots
    expected = {f"{name}/{slot}" for name in weights for slot in ADAM}
    assert slots == expected | {"beta1_power", "beta2_power"}
    assert last == {"global_step"}


def saved_in_2017(folder, prefix):
    """A checkpoint with slots; the file `checkpoint` names another folder."""
    from snippets.placeholders.training import start_weights

    with tf.Graph().as_default(), tf1.Session() as session:
        v = [
            tf1.get_variable(f"net/{n}", initializer=w)
            for n, w in start_weights(seed=1).items()
        ]
        tf1.train.AdamOptimizer().minimize(tf.add_n([tf.reduce_sum(w) for w in v]))
        session.run(tf1.global_variables_initializer())
        tf1.train.Saver().save(session, f"{folder}/{prefix}")
    with open(f"{folder}/checkpoint", "w") as file:
        file.write('model_checkpoint_path: "/another/machine/model"')
    return f"{folder}/{prefix}"


@proves(
    "The layers of `tf.layers` gave their variables the same last names, so that "
    "often only what stands before them differs:",
    keras="<3",
    false_with={"kind": "separable_conv2d"},
)
def test_last_names_of_tf_layers(kind="conv2d"):
    assert hasattr(tf1.layers, kind)
    with tf.Graph().as_default():
        x = tf1.placeholder(tf.float32, [None, 8, 8, 1])
        x = getattr(tf1.layers, kind)(x, 4, 3, name="conv1")
        x = tf1.layers.batch_normalization(x, name="norm1")
        tf1.layers.dense(x, 10, name="scores")
        old = [weight.op.name for weight in tf1.global_variables()]
    model = keras.Sequential(
        [
            keras.Input(shape=(8, 8, 1)),
            keras.layers.Conv2D(4, 3, name="conv1"),
            keras.layers.BatchNormalization(name="norm1"),
            keras.layers.Dense(10, name="scores"),
        ]
    )
    new = [weight.name.removesuffix(":0") for weight in model.weights]
    assert old == new


@proves(
    "For a large network `snippets.placeholders.proposed_name_map` proposes the "
    "map, by kinds, shapes, names and order, and says what it guessed, what it "
    "left out, and which variables are the optimizer's.",
    false_with={"width": 16},
    needs="keras>=3",
)
def test_a_map_is_proposed(width=32):
    from snippets.placeholders import load_checkpoint, proposed_name_map
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights(num_hidden=width))
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, "old")
        proposal = proposed_name_map(model, path)
        expected = {name: f"net/{name}" for name in start_weights()}
        assert (proposal.name_map, proposal.guessed) == (expected, ())
        assert (proposal.unmapped, proposal.unused) == ({}, ())
        assert len(proposal.optimizer) == 2 * 4 + 2
        load_checkpoint(model, path, proposal.name_map, proposal.optimizer)
        smaller = proposed_name_map(classifier_with(start_weights(num_hidden=16)), path)
        assert smaller.unmapped["hidden/kernel"] == ()
        assert "net/hidden/kernel" in smaller.unused
    assert all(np.array_equal(w, start_weights(seed=1)[w.path]) for w in model.weights)


@proves(
    "The `optimizer` of a proposal lists the slots and counters of Adam and "
    "`global_step`, for `ignored`.",
    false_with={"counter": "number_of_steps"},
    needs="keras>=3",
)
def test_the_proposal_lists_what_to_ignore(counter="global_step"):
    from snippets.placeholders import checkpoint_problems, proposed_name_map
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights())
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            steps = tf1.get_variable(counter, [], tf.int64, trainable=False)
            v = [
                tf1.get_variable(f"net/{n}", initializer=w)
                for n, w in start_weights(seed=1).items()
            ]
            loss = tf.add_n([tf.reduce_sum(w) for w in v])
            tf1.train.AdamOptimizer().minimize(loss, steps)
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, f"{folder}/old")
        proposal = proposed_name_map(model, f"{folder}/old")
        wanted = {f"net/{n}/{slot}" for n in start_weights() for slot in ADAM}
        wanted |= {"beta1_power", "beta2_power", "global_step"}
        assert set(proposal.optimizer) == wanted
        left = proposal.name_map, proposal.optimizer
        assert not checkpoint_problems(model, f"{folder}/old", *left)


@proves(
    "`load_checkpoint` reads the files themselves.",
    false_with={"name": "hidden/weights"},
    needs="keras>=3",
)
def test_a_prefix_may_end_in_a_slash(name="hidden/kernel"):
    from snippets.placeholders import checkpoint_problems
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights())
    name_map = {name: f"net/{name}" for name in start_weights()}
    name_map["hidden/kernel"] = f"net/{name}"
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, "")
        assert checkpoint_problems(model, path, name_map, ["*"]) == []


@proves(
    "`tf.train.list_variables` takes a prefix that ends in `/` for a folder, and "
    "looks where the file `checkpoint` in it points, often on another machine.",
    false_with={"prefix": "old"},
    needs="keras>=3",
)
def test_list_variables_follows_the_checkpoint_file(prefix=""):
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, prefix)
        said = message_of(lambda: tf.train.list_variables(path))
    text = "Couldn't find 'checkpoint' file or checkpoints in given directory"
    assert said.startswith(f"ValueError: {text} {folder}/")


@proves(
    "Build the same network in Keras, map each of its weights to a name in the "
    "checkpoint, and call `load_checkpoint`: either all weights are replaced or none "
    "is.",
    false_with={"extra": None},
    needs="keras>=3",
)
def test_all_weights_or_none(extra=(("step", 0),)):
    model, old, error, same = carry()
    assert (error, same) == ("", False)
    assert np.allclose(model(digits()[0]), old, atol=1e-5)
    left = {name: np.int64(value) for name, value in extra or ()}
    _, _, error, same = carry(extra=left)
    assert "extra: 'step'" in error
    assert same


@proves(
    "`tf.train.list_variables` shows what it holds, the slots of the optimizer "
    "included:",
    false_with={"optimizer": tf1.train.GradientDescentOptimizer(0.1)},
)
def test_slots_are_listed_too(optimizer=None):
    with tempfile.TemporaryDirectory() as folder:
        with tf.Graph().as_default(), tf1.Session() as session:
            w = tf1.get_variable("w", [3])
            momentum = optimizer or tf1.train.MomentumOptimizer(0.1, 0.9)
            momentum.minimize(tf.reduce_sum(w))
            session.run(tf1.global_variables_initializer())
            tf1.train.Saver().save(session, f"{folder}/old")
        names = [name for name, _ in tf.train.list_variables(f"{folder}/old")]
    assert names == ["w", "w/Momentum"]


@proves(
    "Give the layers of the model names: automatic ones such as `dense_3` change with "
    "the number of models built before.",
    false_with={"name": "scores"},
    needs="keras>=3",
)
def test_automatic_names_change(name=None):
    paths = set()
    for _ in range(2):
        layer = keras.layers.Dense(2, name=name)
        layer.build((None, 3))
        paths.add(layer.kernel.path)
    assert len(paths) == 2


@proves(
    "`NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to find any "
    "matching files for nope` comes from `tf.train.load_checkpoint` and "
    "`tf.train.list_variables`: there are no files with this prefix.",
    false_with={"name": "old"},
    needs="keras>=3",
)
def test_error_no_matching_files(name="nope"):
    with tempfile.TemporaryDirectory() as folder:
        saved_in_2017(folder, "old")
        for read in (tf.train.load_checkpoint, tf.train.list_variables):
            said = message_of(lambda r=read: r(f"{folder}/{name}"))
            assert said.startswith(
                "NotFoundError: Unsuccessful TensorSliceReader constructor: Failed to "
                f"find any matching files for {folder}/{name}"
            )


@proves(
    "The path is that of one file, such as `model.ckpt-1000.data-00000-of-00001`.",
    false_with={"suffix": ""},
    needs="keras>=3",
)
def test_error_path_of_a_data_file(suffix=".data-00000-of-00001"):
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, "old")
        said = message_of(lambda: tf.train.load_checkpoint(f"{path}{suffix}"))
    assert said.startswith("DataLossError: Unable to open table file")
    assert "not an sstable" in said


@proves(
    "Leave out what follows `model.ckpt-1000`; `load_checkpoint` says which checkpoint "
    "may have been meant.",
    false_with={"suffix": ""},
    needs="keras>=3",
)
def test_the_prefix_that_was_meant(suffix=".data-00000-of-00001"):
    from snippets.placeholders import load_checkpoint
    from snippets.placeholders.training import classifier_with, start_weights

    model = classifier_with(start_weights())
    with tempfile.TemporaryDirectory() as folder:
        path = saved_in_2017(folder, "old")
        said = message_of(lambda: load_checkpoint(model, f"{path}{suffix}", {}))
    assert said.endswith(f"did you mean {path!r}?")

"""Proofs of the Custom layers guide."""

import json
import tempfile
import warnings
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves


def mine(dtype="float32", **methods):
    """A layer of the Keras of this environment, from functions."""
    body = {"call": lambda self, x: x * 1, **methods}
    return type("Mine", (keras.layers.Layer,), body)(dtype=dtype)


def registered(layer_class):
    """Register a class under its own name, in place of an earlier one."""
    keras.utils.get_custom_objects().pop(f"proofs>{layer_class.__name__}", None)
    return keras.utils.register_keras_serializable(package="proofs")(layer_class)


def reloaded(model, **options):
    """What comes back from a `.keras` file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        return keras.models.load_model(f"{folder}/model.keras", **options)


def last_words(error):
    """The end of an error, behind the last config."""
    return str(error.value).rpartition("Exception encountered: ")[2]


def padded_steps():
    """Two sequences of three steps, of which the first has one step of padding."""
    return np.array([[[1.0], [3.0], [0.0]], [[2.0], [4.0], [6.0]]], "float32")


def steps(batch=2, time=5, features=4):
    generator = np.random.default_rng(0)
    return generator.normal(size=(batch, time, features)).astype("float32")


# The first screen


@proves(
    "Register the class, hand `**kwargs` on, make the weights in `build`, "
    "compute in `call`, and return every argument of `__init__` from "
    "`get_config`.",
    false_with={"forgets": True},
    needs="keras>=3",
)
def test_a_layer_of_five_methods_saves_masks_and_mixes(forgets=False):
    from snippets.custom_layers import Gain
    from snippets.custom_layers.mistakes import ForgetfulGain

    kind = ForgetfulGain if forgets else Gain
    x = keras.Input(shape=(None, 1))
    gained = kind(initial=3.0)(keras.layers.Masking()(x))
    model = keras.Model(x, keras.layers.GlobalAveragePooling1D()(gained))
    copy = reloaded(model)
    assert [layer.initial for layer in copy.layers if isinstance(layer, Gain)] == [3.0]
    assert np.array(copy(padded_steps())).tolist() == [[6.0], [12.0]]
    assert kind(dtype="mixed_float16")(padded_steps()).dtype == "float16"


@proves(
    "It computed in float16 with weights of float32; the padded step is not "
    "in the average, which would have been 2; and the file gave the 3 back.",
    needs="keras>=3",
    keras=">=3.14",  # earlier ones lose the mask at the cast, or keep no float32
    false_with={"policy": "float32"},
)
def test_what_the_first_layer_shows(policy="mixed_float16"):
    from snippets.custom_layers import Gain

    x = np.array([[[1.0], [1.0], [0.0]]])
    averages = []
    for before in (keras.layers.Masking(), keras.layers.Identity()):
        inputs = keras.Input(shape=(None, 1))
        layer = Gain(initial=3.0, dtype=policy)
        outputs = layer(before(inputs))
        pooled = keras.layers.GlobalAveragePooling1D()(outputs)
        averages.append(float(reloaded(keras.Model(inputs, pooled))(x)[0, 0]))
    assert averages == [3.0, 2.0]
    assert (outputs.dtype, layer.gain.dtype) == ("float16", "float32")


# Which method is for what


@proves(
    "`__init__` | when you make the layer, and again when a file is loaded "
    "| keep the arguments, make the layers inside",
    false_with={"calls": 1},
)
def test_init_is_called_again_by_a_file(calls=2):
    made = []

    @registered
    class Counted(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            made.append(self)

        def call(self, x):
            return x

    reloaded(keras.Sequential([keras.Input(shape=(3,)), Counted()]))
    assert len(made) == calls


@proves(
    "`build` | once, with the shape of the first input | weights",
    false_with={"times": 2},
)
def test_build_is_called_once(times=1):
    shapes = []
    layer = mine(build=lambda self, shape: shapes.append(tuple(shape)))
    for batch in (5, 2):
        layer(np.ones((batch, 3), "float32"))
    assert len(shapes) == times
    assert shapes[0] == (5, 3)


@proves("`call` | for every batch | the computation", false_with={"batches": 1})
def test_call_is_called_for_every_batch(batches=4):
    seen = []
    layer = mine(call=lambda self, x: seen.append(x) or x)
    for _ in range(4):
        layer(np.ones((2, 3), "float32"))
    assert len(seen) == batches


@proves(
    "`compute_output_shape` | in place of `call`, on a `keras.Input` | the "
    "shape that `call` will return",
    keras=">=3",
)
def test_compute_output_shape_takes_the_place_of_call():
    seen = []
    layer = mine(
        call=lambda self, x: seen.append(x) or x,
        compute_output_shape=lambda self, input_shape: input_shape,
    )
    assert tuple(layer(keras.Input(shape=(3,))).shape) == (None, 3)
    assert seen == []


@proves(
    "`compute_mask` | after `call`, if the layer supports masking | the "
    "mask of the output",
    false_with={"supports": False},
)
def test_compute_mask_is_called_after_call(supports=True):
    order = []

    def compute_mask(self, inputs, mask=None):
        order.append("compute_mask")

    layer = mine(
        call=lambda self, x: order.append("call") or x * 1, compute_mask=compute_mask
    )
    layer.supports_masking = supports
    layer(keras.layers.Masking()(padded_steps()))
    assert order == ["call", "compute_mask"]


@proves(
    "`get_config` | when the model is saved | the arguments of `__init__`",
    false_with={"act": "predict"},
)
def test_get_config_is_called_by_save(act="save"):
    asked = []

    class Asked(keras.layers.Layer):
        def call(self, x):
            return x

        def get_config(self):
            asked.append(self)
            return super().get_config()

    model = keras.Sequential([keras.Input(shape=(3,)), Asked()])
    asked.clear()
    with tempfile.TemporaryDirectory() as folder:
        if act == "save":
            model.save(f"{folder}/model.keras")
        else:
            model.predict(np.ones((2, 3)), verbose=0)
    assert asked


@proves(
    "Without `compute_output_shape` Keras traces `call` on the Input to "
    "find the shape, so most layers can leave it out.",
    false_with={"axis": ()},
)
def test_keras_traces_call_to_find_the_shape(axis=-1):
    seen = []
    layer = mine(call=lambda self, x: seen.append(x) or tf.reduce_sum(x, axis=axis))
    assert tuple(layer(keras.Input(shape=(3,))).shape) == (None,)
    assert seen


@proves(
    "With it nobody compares the two, and a wrong shape stands in every summary:",
    keras=">=3",
)
def test_a_wrong_shape_is_believed():
    layer = mine(
        call=lambda self, x: tf.reduce_sum(x, axis=-1),
        compute_output_shape=lambda self, input_shape: input_shape,
    )
    x, lines = keras.Input(shape=(3,)), []
    model = keras.Model(x, layer(x))
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert model(np.ones((2, 3))).shape == (2,)
    assert "\n".join(lines).count("(None, 3)") == 2


# Weights


@proves(
    "On Keras 2 the name came first; Keras 3 takes the shape first and refuses:",
    keras=">=3",
)
def test_a_positional_name_is_refused_on_keras_3():
    layer = mine(build=lambda self, shape: self.add_weight("w", shape[1:]))
    with pytest.raises((ValueError, TypeError, AttributeError)):
        layer(np.ones((1, 2)))
    by_shape = mine(build=lambda self, shape: self.add_weight(shape[1:]))
    by_shape(np.ones((1, 2)))
    assert by_shape.weights[0].shape == (2,)


@proves(
    "On Keras 2 the name came first; Keras 3 takes the shape first and refuses:",
    keras="<3",
)
def test_a_positional_name_works_on_keras_2():
    layer = mine(build=lambda self, shape: self.add_weight("w", shape[1:]))
    try:
        layer(np.ones((1, 2), "float32"))
    except (ValueError, TypeError, AttributeError):
        assert layer.weights != []
    assert layer.weights[0].name.split("/")[-1].startswith("w")


class Nested(keras.layers.Layer):
    """A layer around another, without a `build`."""

    def __init__(self, to_array=None, **kwargs):
        super().__init__(**kwargs)
        self.inner = keras.layers.Dense(2)
        self.to_array = to_array

    def call(self, x):
        return self.inner(x if self.to_array is None else self.to_array(x))


class Built(Nested):
    """The same with a `build`."""

    def build(self, input_shape):
        self.inner.build(input_shape)
        self.built = True


def refuse(x):
    """Fail when a layer is called, with words of its own."""
    raise ValueError("not this one")


@proves(
    "A layer that holds other layers needs a `build` which builds them. "
    "Without one Keras traces `call`, and where that fails you meet its "
    "longest warning:",
    false_with={"use_bias": False},
)
def test_unbuilt_state_is_traced(use_bias=True):
    layer = Nested()
    layer.inner.use_bias = use_bias
    layer(keras.Input(shape=(3,)))
    assert len(layer.weights) == 2


def warnings_of(layer):
    """What Keras says while a layer is called on an Input, and fails."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(Exception):  # noqa: B017 - its type differs by version
            layer(keras.Input(shape=(3,)))
    return [str(w.message) for w in caught if "unbuilt state" in str(w.message)]


@proves(
    "A layer that holds other layers needs a `build` which builds them. "
    "Without one Keras traces `call`, and where that fails you meet its "
    "longest warning:",
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_unbuilt_state_warns(kind=Nested):
    said = "".join(warnings_of(kind(to_array=np.array)))
    assert "looks like it has unbuilt state, but Keras is not able to trace" in said
    assert len(said) > 500


@proves(
    'Read it from its end: after "Exception encountered" stands why `call` failed.',
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_the_warning_ends_with_the_cause(kind=Nested):
    said = "".join(warnings_of(kind(to_array=refuse)))
    assert "not this one" in said.rpartition("Exception encountered: ")[2]
    assert "not this one" not in said.rpartition("Exception encountered: ")[0]


@proves(
    "Calling `build` by hand on such a layer marks it as built, with no weight made:",
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_build_by_hand_makes_no_weights(kind=Nested):
    layer = kind()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that there is no `build`
        layer.build((None, 3))
    assert layer.built
    assert layer.weights == []


# State, and the argument `training`


@proves(
    "State that no gradient moves is a weight with `trainable=False`.",
    false_with={"trainable": True},
)
def test_state_is_a_weight_without_gradient(trainable=False):
    layer = mine(
        build=lambda self, shape: self.add_weight(
            name="w", shape=(1,), initializer="ones", trainable=trainable
        ),
        call=lambda self, x: x * self.weights[0],
    )
    model = keras.Sequential([keras.Input(shape=(1,)), layer])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), verbose=0)
    assert layer.get_weights()[0].tolist() == [1.0]
    assert len(layer.non_trainable_weights) == 1


@proves(
    "`fit` calls the layer with `training=True`, `evaluate` and `predict` "
    "with `False`, and so does a plain call.",
    false_with={"expected": [True, True, True, True]},
)
def test_training_is_true_in_fit_alone(expected=(True, False, False, False)):
    seen = []

    class Seeing(keras.layers.Layer):
        def call(self, x, training=False):
            seen.append(bool(training))
            return x

    layer = Seeing()
    model = keras.Sequential([keras.Input(shape=(1,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    x, last = np.ones((2, 1), "float32"), []
    for act in (
        lambda: model.fit(x, x, verbose=0),
        lambda: model.evaluate(x, x, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: layer(x),
    ):
        act()
        last.append(seen[-1])
    assert last == list(expected)


@proves(
    "Under mixed precision `call` reads every float weight in float16, "
    "unless it was made with `autocast=False`.",
    false_with={"policy": "float32"},
    needs="keras>=2.16",
)
def test_weights_are_read_in_float16(policy="mixed_float16"):
    seen = []

    class Reading(keras.layers.Layer):
        def build(self, input_shape):
            self.cast = self.add_weight(name="a", shape=(1,))
            self.state = self.add_weight(name="b", shape=(1,), trainable=False)
            self.kept = self.add_weight(name="c", shape=(1,), autocast=False)

        def call(self, x):
            seen.extend((w + 0).dtype for w in (self.cast, self.state, self.kept))
            return x

    Reading(dtype=policy)(np.ones((1, 1)))
    assert seen == ["float16", "float16", "float32"]


@proves(
    "`RoundedCenter` is the same layer without that argument. Its mean is "
    "1, the data has moved on to 1.2, and after 200 batches it has not come "
    "further than one of its steps:",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_a_rounded_mean_stands_still(policy="mixed_float16"):
    from snippets.custom_layers import RunningCenter
    from snippets.custom_layers.mistakes import RoundedCenter

    means = []
    for layer_class in (RunningCenter, RoundedCenter):
        layer = layer_class(momentum=0.999, dtype=policy)
        layer.build((None, 1))
        layer.mean.assign([1.0])
        x = tf.fill((2, 1), 1.2)
        step = tf.function(lambda layer=layer, x=x: layer(x, training=True))
        for _ in range(200):
            step()
        means.append(float(layer.mean[0]))
    assert 1.03 < means[0] < 1.04
    assert abs(means[1] - 1.0) < 0.00025


@proves(
    "Next to 1, neighbors in float16 are 0.001 apart, and each step was 0.0002.",
    false_with={"dtype": "float32"},
)
def test_float16_has_no_number_that_near(dtype="float16"):
    one = np.ones((), dtype)
    assert round(float(np.spacing(one)), 3) == 0.001
    assert round((1.0 - 0.999) * (1.2 - 1.0), 6) == 0.0002
    assert one + np.asarray(0.0002, dtype) == one


# Random numbers


@proves(
    "Draw from a `SeedGenerator` that `__init__` makes: it is state, and "
    "moves on with each draw.",
    false_with={"training": False},
    needs="keras>=3",
)
def test_a_seed_generator_is_state_and_moves_on(training=True):
    from snippets.custom_layers import StepDropout

    layer = StepDropout(rate=0.5, seed=0)
    before = np.array(layer.seed_generator.state)
    first, second = (
        np.array(layer(np.ones((1, 50, 1)), training=training)) for _ in range(2)
    )
    assert not np.array_equal(first, second)
    assert not np.array_equal(layer.seed_generator.state, before)


@proves(
    "With a number for a seed, Keras 3 draws the same numbers at every "
    "call: such a dropout drops the same steps of every batch.",
    false_with={"is_number": False},
    needs="keras>=3",
)
def test_an_integer_seed_draws_the_same(is_number=True):
    seed = 7 if is_number else keras.random.SeedGenerator(7)
    layer = mine(call=lambda self, x: keras.random.dropout(x, 0.5, seed=seed))
    batches = [np.full((1, 50), value, "float32") for value in (1.0, 2.0)]
    first, second = (np.array(layer(batch)) == 0.0 for batch in batches)
    assert first.any()
    assert np.array_equal(first, second)


# Masks


class Masked(keras.layers.Layer):
    """A layer that keeps the mask that it was given."""

    def call(self, x, mask=None):
        self.seen = None if mask is None else np.array(mask)
        return x


def mask_after(layer):
    """What a layer that follows is given as its mask."""
    last = Masked()
    last(layer(keras.layers.Masking()(padded_steps())))
    return None if last.seen is None else last.seen.tolist()


MASK = [[True, True, False], [True, True, True]]


@proves(
    "treats each step by itself | `self.supports_masking = True` | the mask "
    "is passed on",
    false_with={"supports": False},
)
def test_supports_masking_passes_the_mask_on(supports=True):
    layer = mine()
    layer.supports_masking = supports
    assert mask_after(layer) == MASK


@proves(
    "mixes the steps | `mask=None` among the arguments of `call` | Keras "
    "passes the mask",
    false_with={"make": mine},
)
def test_call_receives_the_mask(make=Masked):
    layer = make()
    layer(keras.layers.Masking()(padded_steps()))
    assert getattr(layer, "seen", None) is not None
    assert layer.seen.tolist() == MASK


@proves(
    "changes the steps | `compute_mask` | the next layers get what it returns",
    false_with={"first": 0},
)
def test_compute_mask_changes_the_mask(first=1):
    layer = mine(
        call=lambda self, x: x[:, first:],
        compute_mask=lambda self, inputs, mask=None: mask[:, first:],
    )
    layer.supports_masking = True
    assert mask_after(layer) == [row[1:] for row in MASK]


@proves(
    "ends the time axis | `compute_mask` that returns `None` | the mask ends",
    false_with={"returned": lambda mask: mask},
)
def test_compute_mask_may_end_the_mask(returned=lambda mask: None):
    layer = mine(compute_mask=lambda self, inputs, mask=None: returned(mask))
    layer.supports_masking = True
    assert mask_after(layer) is None


@proves(
    "The average is that of 2 and 3.", false_with={"is_masked": False}, needs="keras>=3"
)
def test_the_average_is_that_of_two_and_three(is_masked=True):
    from snippets.custom_layers import SkipSteps

    late = np.array([[[1.0], [2.0], [3.0], [0.0]]])
    late = keras.layers.Masking()(late) if is_masked else late
    pooled = keras.layers.GlobalAveragePooling1D()(SkipSteps(1)(late))
    assert np.array(pooled).tolist() == [[(2.0 + 3.0) / 2]]


def warnings_about_masks():
    """The warnings of a layer that says nothing about masks, which it loses."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert mask_after(mine()) is None
    return [w for w in caught if "does not support masking" in str(w.message)]


@proves(
    "A layer that says nothing about masks loses them: Keras 3 warns, Keras "
    "2 does not.",
    keras=">=3",
)
def test_a_lost_mask_warns_on_keras_3():
    assert len(warnings_about_masks()) == 1


@proves(
    "A layer that says nothing about masks loses them: Keras 3 warns, Keras "
    "2 does not.",
    keras="<3",
)
def test_a_lost_mask_is_silent_on_keras_2():
    assert warnings_about_masks() == []


@proves(
    "The layers of Keras disagree about it: the average is NaN, the LSTM "
    "says 0, and `Attention` looks at the padding as if nothing were "
    "masked.",
    false_with={"last": True},
)
def test_keras_layers_on_a_row_that_is_all_padding(last=False):
    x, mask = np.ones((1, 2, 1), "float32"), np.array([[False, last]])
    mean = keras.layers.GlobalAveragePooling1D()(x, mask=tf.constant(mask))
    state = keras.layers.LSTM(2)(x, mask=tf.constant(mask))
    _, weights = keras.layers.Attention()(
        [x, x], [tf.constant(mask)] * 2, return_attention_scores=True
    )
    assert np.isnan(mean).all()
    assert np.array(state).tolist() == [[0.0, 0.0]]
    assert np.array(weights)[0, 0].tolist() == [0.5, 0.5]


# Mixed precision


def dtypes_of(policy):
    """Dtypes that `call` and its caller see, and that of the weight."""
    layer = mine(
        dtype=policy,
        build=lambda self, shape: self.add_weight(name="w", shape=(1,)),
        call=lambda self, x: x * self.weights[0],
    )
    outputs = layer(np.ones((1, 1), "float32"))
    weight = layer.weights[0].dtype
    return tf.as_dtype(outputs.dtype).name, tf.as_dtype(weight).name


@proves('`"float32"` | float32 | float32', false_with={"policy": "float16"})
def test_policy_float32(policy="float32"):
    assert dtypes_of(policy) == ("float32", "float32")


@proves('`"mixed_float16"` | float16 | float32', false_with={"policy": "float32"})
def test_policy_mixed_float16(policy="mixed_float16"):
    assert dtypes_of(policy) == ("float16", "float32")


@proves('`"float16"` | float16 | float16', false_with={"policy": "mixed_float16"})
def test_policy_float16(policy="float16"):
    assert dtypes_of(policy) == ("float16", "float16")


@proves(
    "`self.compute_dtype` and `self.variable_dtype` hold the two.",
    false_with={"policy": "float32"},
)
def test_compute_dtype_and_variable_dtype(policy="mixed_float16"):
    layer = mine(dtype=policy)
    assert (layer.compute_dtype, layer.variable_dtype) == ("float16", "float32")


@proves("Keras casts the input and the weights.", false_with={"policy": "float32"})
def test_keras_casts_inputs_and_weights(policy="mixed_float16"):
    seen = []

    class Seeing(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(1,))

        def call(self, x):
            seen.extend([x.dtype, (self.w * x).dtype])
            return x

    Seeing(dtype=policy)(np.ones((1, 1), "float32"))
    assert [tf.as_dtype(dtype).name for dtype in seen] == ["float16", "float16"]


@proves(
    "It does not cast your constants: a tensor of float32 stops the layer, "
    "a Python number does not.",
    false_with={"policy": "float32"},
)
def test_a_constant_tensor_stops_mixed_precision(policy="mixed_float16"):
    layer = mine(policy, call=lambda self, x: x + tf.constant(0.5))
    with pytest.raises(tf.errors.InvalidArgumentError, match="to be a half tensor"):
        layer(np.ones((1, 2), "float32"))


@proves(
    "It does not cast your constants: a tensor of float32 stops the layer, "
    "a Python number does not.",
    false_with={"policy": "float32"},
)
def test_a_python_number_does_not(policy="mixed_float16"):
    layer = mine(policy, call=lambda self, x: x + 0.5)
    assert layer(np.ones((1, 2), "float32")).dtype == "float16"


@proves(
    "A NumPy array of float32 in an operation of `keras.ops` does not stop "
    "the layer. It turns the result into float32, and what is computed from "
    "it:",
    false_with={"dtype": "float16"},
    needs="keras>=3",
)
def test_an_array_turns_the_result_into_float32(dtype="float32"):
    halves = np.array([0.5, 0.5], dtype)
    layer = mine("mixed_float16", call=lambda self, x: keras.ops.add(x, halves) * 2)
    assert layer(np.ones((1, 2))).dtype == "float32"


@proves(
    "The layers inside a layer do not inherit its policy either. Pass "
    "`dtype=self.dtype_policy` to each.",
    false_with={"inner": "mixed_float16"},
)
def test_inner_layers_do_not_inherit_the_policy(inner=None):
    class Outer(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(2, **({"dtype": inner} if inner else {}))

        def call(self, x):
            return self.dense(x)

    layer = Outer(dtype="mixed_float16")
    assert layer.compute_dtype == "float16"
    assert layer(np.ones((1, 2), "float32")).dtype == "float32"


@proves(
    "The layers inside a layer do not inherit its policy either. Pass "
    "`dtype=self.dtype_policy` to each.",
    false_with={"passes_it": False},
    needs="keras>=3",
)
def test_inner_layers_take_the_policy(passes_it=True):
    class Outer(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            options = {"dtype": self.dtype_policy} if passes_it else {}
            self.expand = keras.layers.Dense(3, **options)
            self.norm = keras.layers.LayerNormalization(**options)

        def call(self, x):
            return self.norm(self.expand(x))

    layer = Outer(dtype="mixed_float16")
    assert layer(steps()).dtype == "float16"
    assert {layer.expand.compute_dtype, layer.norm.compute_dtype} == {"float16"}


def mean_behind(policy):
    """The mean of 1, 3 and one step of padding, behind a layer in that precision."""
    layer, x = mine(policy), keras.Input(shape=(None, 1))
    layer.supports_masking = True
    pooled = keras.layers.GlobalAveragePooling1D()(layer(keras.layers.Masking()(x)))
    return float(keras.Model(x, pooled)(padded_steps())[0, 0])


@proves(
    "Keras 3.6 to 3.13 lose the mask where a layer casts its input: behind "
    "a layer in mixed precision the padding counts again.",
    keras=">=3.6,<3.14",
)
def test_a_cast_lost_the_mask():
    assert mean_behind("float32") == (1 + 3) / 2
    assert np.isclose(mean_behind("mixed_float16"), (1 + 3 + 0) / 3, atol=1e-3)


@proves(
    "Keras 2, 3.4 and 3.15 keep it.",
    keras="!=3.6.*,!=3.9.*,!=3.11.*,!=3.13.*",
    false_with={"expected": (1 + 3 + 0) / 3},
)
def test_a_cast_keeps_the_mask(expected=(1 + 3) / 2):
    assert abs(mean_behind("mixed_float16") - expected) < 0.01


# Losses and metrics


@proves(
    "`self.add_loss` adds to the loss of the model, and a metric that is an "
    "attribute of the layer is reported by `fit` under its name:",
    false_with={"weight": 0.0},
)
def test_a_layer_adds_a_loss(weight=0.5):
    class Adding(keras.layers.Layer):
        def call(self, x):
            self.add_loss(weight * tf.reduce_mean(x))
            return x

    model = keras.Sequential([keras.Input(shape=(1,)), Adding()])
    model.compile("sgd", "mse")
    loss = model.evaluate(np.ones((2, 1)), np.ones((2, 1)), verbose=0)
    assert np.isclose(loss, 0.5)


@proves(
    "`self.add_loss` adds to the loss of the model, and a metric that is an "
    "attribute of the layer is reported by `fit` under its name:",
    false_with={"has_metric": False},
    needs="keras>=3",
)
def test_a_layer_reports_a_metric(has_metric=True):
    from snippets.custom_layers import SparsityPenalty

    penalty = SparsityPenalty if has_metric else keras.layers.ActivityRegularization
    layers = [keras.Input(shape=(2,)), penalty(0.5), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(np.full((4, 2), -3.0), np.ones((4, 1)), verbose=0).history
    assert history.get("activity") == [3.0]


@proves(
    "The `add_metric` of Keras 2 is gone: on Keras 3 it raises `NotImplementedError`.",
    false_with={"method": "get_config"},
    needs="keras>=3",
)
def test_add_metric_raises_on_keras_3(method="add_metric"):
    with pytest.raises(NotImplementedError):
        getattr(keras.layers.Layer(), method)()


class OnTensorFlow(keras.layers.Layer):
    """A layer that names its backend."""

    def call(self, x):
        return tf.identity(x)


def names_tensorflow(kind):
    """Whether a method of the class imports TensorFlow or uses its name."""
    codes = [getattr(method, "__code__", None) for method in vars(kind).values()]
    names = {name for code in codes if code for name in code.co_names}
    return bool(names & {"tf", "tensorflow"})


# `keras.ops`, or TensorFlow


@proves(
    "Write `call` in `keras.ops`, which names no backend. All layers of "
    "this page are written so, except one.",
    false_with={"more": (OnTensorFlow,)},
    needs="keras>=3",
)
def test_only_one_layer_imports_tensorflow(more=()):
    from snippets.custom_layers import attention, layers, masks, mistakes

    modules = [vars(module) for module in (attention, layers, masks, mistakes)]
    things = [thing for module in modules for thing in module.values()]
    kinds = {thing for thing in things if isinstance(thing, type)}
    found = {kind for kind in kinds if issubclass(kind, keras.layers.Layer)}
    assert len(found) > 10
    naming = {kind.__name__ for kind in (*found, *more) if names_tensorflow(kind)}
    assert naming == {"LocalResponseNormalization"}
    assert not any({"tf", "tensorflow"} & set(module) for module in modules)


@proves(
    "Call TensorFlow directly when `keras.ops` lacks the operation, as it "
    "lacks AlexNet's normalization:",
    false_with={"words": ("normalize",)},
    needs="keras>=3",
)
def test_keras_ops_lacks_local_response_normalization(words=("local_resp", "lrn")):
    from snippets.custom_layers import LocalResponseNormalization

    names = [*dir(keras.ops), *dir(keras.ops.nn), *dir(keras.ops.image)]
    assert not [name for name in names if any(word in name for word in words)]
    x = np.ones((1, 1, 1, 1), "float32")
    assert np.allclose(LocalResponseNormalization(bias=3.0)(x), 0.5)


@proves(
    "A `tf` function inside `call` works on an Input too: Keras traces it.",
    false_with={"inside": False},
)
def test_a_tensorflow_function_inside_call_is_traced(inside=True):
    layer = mine(call=lambda self, x: tf.nn.softplus(x) if inside else x)
    x = keras.Input(shape=(3,))
    outputs = keras.Model(x, layer(x))(np.zeros((1, 3)))
    assert np.allclose(outputs, np.log(2.0))


# Saving


@proves(
    "A file holds the name of the class and what `get_config` returned.",
    false_with={"name": "Other"},
)
def test_a_file_holds_the_name_and_the_config(name="Held"):
    class Held(keras.layers.Layer):
        def call(self, x):
            return x

        def get_config(self):
            return {**super().get_config(), "initial": 0.125}

    model = keras.Sequential([keras.Input(shape=(3,)), Held()])
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras")
        with zipfile.ZipFile(f"{folder}/model.keras") as archive:
            config = json.loads(archive.read("config.json"))
    found = [
        layer["config"].get("initial")
        for layer in config["config"]["layers"]
        if layer["class_name"] == name
    ]
    assert found == [0.125]


@proves(
    "Here are three layers that `save` takes without a word, and that do "
    "not come back as they were.",
    needs="keras>=3",
    keras=">=3.9",
)
def test_save_takes_all_three():
    from snippets.custom_layers.mistakes import (
        BlockWithoutConfig,
        ForgetfulGain,
        UnregisteredGain,
    )

    gains = UnregisteredGain(), ForgetfulGain(initial=3.0)
    for layer in (*gains, BlockWithoutConfig(4, 2, 8)):
        model = keras.Sequential([keras.Input(shape=(5, 4)), layer])
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            model.save(f"{folder}/model.keras")
            try:
                found = keras.models.load_model(f"{folder}/model.keras").layers[0]
            except TypeError:
                continue
            assert found.initial != layer.initial


def plain_model():
    """A model with a layer that is not registered, and its class."""

    class Plain(keras.layers.Layer):
        def call(self, x):
            return x

    return keras.Sequential([keras.Input(shape=(3,)), Plain()]), Plain


@proves(
    "Keras wraps the cause in the config of the whole model, so read the "
    "end of the message:",
    keras=">=3",
)
def test_the_cause_is_at_the_end():
    with pytest.raises(TypeError) as raised:
        reloaded(plain_model()[0])
    before, _, cause = str(raised.value).rpartition("Exception encountered: ")
    assert "batch_shape" in before
    assert cause.startswith("Could not locate class 'Plain'.")


@proves(
    "Decorate it with "
    "`@keras.saving.register_keras_serializable(package=...)`, and import "
    "its module before you load.",
    false_with={"named": True},
)
def test_a_class_that_is_not_registered(named=False):
    model, plain = plain_model()
    with pytest.raises((TypeError, ValueError)):
        reloaded(model, custom_objects={"Plain": plain} if named else None)


@proves(
    "Decorate it with "
    "`@keras.saving.register_keras_serializable(package=...)`, and import "
    "its module before you load.",
    false_with={"register": lambda layer_class: layer_class},
)
def test_a_registered_class_is_found(register=registered):
    class Found(keras.layers.Layer):
        def call(self, x):
            return x

    model = keras.Sequential([keras.Input(shape=(3,)), register(Found)()])
    try:
        layers = reloaded(model).layers
    except (TypeError, ValueError):
        layers = [None]
    assert type(layers[-1]) is Found


@proves(
    "`__init__` takes no `**kwargs`. This is the Transformer block as it is "
    "often published, and registering it does not help: every layer is made "
    "again with `name`, `trainable` and `dtype`.",
    false_with={"is_mended": True},
    needs="keras>=3",
)
def test_a_block_without_kwargs_cannot_be_loaded(is_mended=False):
    from snippets.custom_layers import EncoderBlock
    from snippets.custom_layers.mistakes import BlockWithoutConfig

    block = EncoderBlock(2, 8) if is_mended else BlockWithoutConfig(4, 2, 8)
    with pytest.raises(TypeError) as raised:
        reloaded(keras.Sequential([keras.Input(shape=(5, 4)), block]))
    assert last_words(raised) == (
        "BlockWithoutConfig.__init__() got an unexpected keyword argument 'trainable'"
    )
    assert {"name", "trainable", "dtype"} <= set(keras.Layer().get_config())


@proves(
    "With `**kwargs` handed to `super().__init__` it loads, on Keras 2 and Keras 3 "
    "even without a `get_config`, as long as every argument is a plain "
    "number or string.",
    false_with={"hand_on": False},
)
def test_kwargs_alone_will_do_for_plain_arguments(hand_on=True):
    @registered
    class Handing(keras.layers.Layer):
        def __init__(self, units, kind="a", **kwargs):
            super().__init__(**(kwargs if hand_on else {}))
            self.units, self.kind = units, kind

        def call(self, x):
            return x

    layer = Handing(3, kind="b", name="given")
    found = reloaded(keras.Sequential([keras.Input(shape=(3,)), layer])).layers[-1]
    assert (found.units, found.kind, found.name) == (3, "b", "given")


def gain_of_three(remembered):
    """A layer whose config holds its argument, or not, and what comes back."""

    @registered
    class Gain(keras.layers.Layer):
        def __init__(self, initial=1.0, **kwargs):
            super().__init__(**kwargs)
            self.initial = initial

        def build(self, input_shape):
            start = keras.initializers.Constant(self.initial)
            self.gain = self.add_weight(name="g", shape=(1,), initializer=start)

        def call(self, x):
            return x * self.gain

        def get_config(self):
            config = {"initial": self.initial} if remembered else {}
            return {**super().get_config(), **config}

    return reloaded(keras.Sequential([keras.Input(shape=(1,)), Gain(initial=3.0)]))


@proves(
    "No error, wrong result: an argument is missing in `get_config`. The "
    "copy starts from the default, and here the gain of 3 came back as 1.",
    false_with={"remembered": True},
)
def test_a_forgotten_argument_comes_back_as_its_default(remembered=False):
    assert gain_of_three(remembered).layers[-1].initial == 1.0


@proves("The trained weights do come back.", false_with={"value": 1.0})
def test_the_weights_come_back_all_the_same(value=3.0):
    assert gain_of_three(remembered=False)(np.ones((1, 1)))[0, 0] == value


def with_lambda():
    return keras.Sequential([keras.Input(shape=(2,)), keras.layers.Lambda(lambda x: x)])


@proves(
    "A `Lambda` around a Python `lambda` saves code rather than a name. "
    "Neither Keras loads it, unless you say `safe_mode=False`:",
    false_with={"options": {"safe_mode": False}},
)
def test_a_lambda_is_not_loaded(options=None):
    with pytest.raises(ValueError, match="lambda"):
        reloaded(with_lambda(), **(options or {}))


@proves(
    "A `Lambda` around a Python `lambda` saves code rather than a name. "
    "Neither Keras loads it, unless you say `safe_mode=False`:",
    false_with={"safe_mode": True},
)
def test_a_lambda_is_loaded_without_safe_mode(safe_mode=False):
    try:
        model = reloaded(with_lambda(), safe_mode=safe_mode)
    except ValueError:
        model = None
    assert model is not None
    assert model(np.ones((1, 2))).shape == (1, 2)


# Attention, from the formula


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def formula(units=3, time=5, features=4, last=True):
    """A layer of additive attention, its inputs and each line of its formula.

    With `last=False` a mask leaves the last step out.
    """
    from snippets.custom_layers import AttentionPooling

    layer = AttentionPooling(units)
    x = steps(2, time, features)
    mask = {} if last else {"mask": np.ones((2, 1)) * (np.arange(time) < time - 1)}
    pooled, weights = layer(x, return_attention_scores=True, **mask)
    w, b, v = layer.get_weights()
    hidden = np.tanh(x @ w + b)
    scores = (hidden @ v)[..., 0]
    return x, hidden, scores, np.array(weights), np.array(pooled)


@proves(
    "Additive attention pools a sequence into one vector: a small network "
    "gives each step a score, `softmax` turns the scores into weights, and "
    "the weights average the steps.",
    false_with={"last": False},
    needs="keras>=3",
)
def test_additive_attention_is_the_formula(last=True):
    x, _, scores, weights, pooled = formula(last=last)
    assert np.allclose(weights, softmax(scores), atol=1e-5)
    assert np.allclose(pooled, (softmax(scores)[..., None] * x).sum(axis=1), atol=1e-5)


@proves(
    "The network has the weights `W` of shape `(features, units)`, `b` of "
    "`(units,)` and `V` of `(units, 1)`:",
    false_with={"units": 4},
    needs="keras>=3",
)
def test_the_weights_of_additive_attention(units=3):
    from snippets.custom_layers import AttentionPooling

    layer = AttentionPooling(units)
    layer.build((2, 5, 4))
    assert [w.shape for w in layer.get_weights()] == [(4, 3), (3,), (3, 1)]


@proves("`x` | `(batch, time, features)`", false_with={"features": 3}, needs="keras>=3")
def test_shape_of_the_inputs(features=4):
    assert formula(features=features)[0].shape == (2, 5, 4)


@proves(
    "`tanh(x W + b)` | `(batch, time, units)`",
    false_with={"units": 4},
    needs="keras>=3",
)
def test_shape_of_the_hidden_layer(units=3):
    assert formula(units=units)[1].shape == (2, 5, 3)


@proves(
    "`tanh(x W + b) V`, last axis squeezed | `(batch, time)`",
    false_with={"time": 6},
    needs="keras>=3",
)
def test_shape_of_the_scores(time=5):
    assert formula(time=time)[2].shape == (2, 5)


@proves(
    "`weights = softmax(...)` over time | `(batch, time)`, each row sums to 1",
    false_with={"time": 6},
    needs="keras>=3",
)
def test_shape_of_the_weights(time=5):
    weights = formula(time=time)[3]
    assert np.allclose(weights.sum(axis=1), 1.0)
    assert weights.shape == (2, 5)


@proves(
    "sum over time of `weights * x` | `(batch, features)`",
    false_with={"features": 3},
    needs="keras>=3",
)
def test_shape_of_the_pooled_vector(features=4):
    assert formula(features=features)[4].shape == (2, 4)


def weights_with_padding(is_masked):
    """The weights of two rows: one with two steps of padding, one that is padding."""
    from snippets.custom_layers import AttentionPooling
    from snippets.custom_layers.mistakes import UnmaskedAttentionPooling

    x = steps()
    x[0, 3:] = 0.0
    x[1] = 0.0
    layer = (AttentionPooling if is_masked else UnmaskedAttentionPooling)(units=3)
    masked = keras.layers.Masking()(x)
    pooled, weights = layer(masked, return_attention_scores=True)
    return np.array(pooled), np.array(weights)


@proves(
    "The usual `softmax(scores - 1e9 * (1 - mask))` ends in NaN in float16, even where "
    "nothing is padding: `1e9` is infinite there, and infinity times 0 is no number.",
    false_with={"dtype": "float32"},
)
def test_a_billion_is_nan_in_float16(dtype="float16"):
    scores, mask = tf.ones((1, 3), dtype), tf.ones((1, 3), dtype)
    assert np.isnan(tf.nn.softmax(scores - 1e9 * (1 - mask))).all()
    assert np.isinf(tf.constant(1e9, dtype))


@proves(
    "The layer weighs padding with exactly 0, and returns zeros for a row that is all "
    "padding:",
    false_with={"is_masked": False},
    needs="keras>=3",
)
def test_attention_gives_padding_no_weight(is_masked=True):
    pooled, weights = weights_with_padding(is_masked)
    assert weights[0, 3:].tolist() == [0.0, 0.0]
    assert np.isclose(weights[0, :3].sum(), 1.0)
    assert not weights[1].any()
    assert not pooled[1].any()


@proves(
    "Often the layer is published without a mask, and padding gets a score like any "
    "other step, and a weight above 0:",
    false_with={"is_masked": True},
    needs="keras>=3",
)
def test_padding_gets_weight(is_masked=False):
    _, weights = weights_with_padding(is_masked)
    assert (weights[0, 3:] > 0.01).all()


@proves(
    "Read as a sequence, a digit is 8 rows of 8 pixels.", false_with={"shape": (28, 28)}
)
def test_a_digit_is_eight_rows(shape=(8, 8)):
    from snippets.data import digit_sequences

    assert digit_sequences()[0].shape[1:] == shape


@proves(
    "The model below transforms each row by itself, adds where it stands, "
    "and pools by attention.",
    false_with={"is_recurrent": True},
    needs="keras>=3",
)
def test_each_row_is_transformed_by_itself(is_recurrent=False):
    from snippets.custom_layers import AttentionPooling, attention_classifier

    encoder = keras.layers.GRU(4, return_sequences=True) if is_recurrent else None
    model = attention_classifier(AttentionPooling(units=4), encoder)
    (at,) = (n for n, x in enumerate(model.layers) if isinstance(x, AttentionPooling))
    encode = keras.Model(model.inputs, model.layers[at - 1].output)
    x = np.random.default_rng(0).random((1, 8, 8))
    changed = x.copy()
    changed[:, 2] = 0.0
    moved = (np.array(encode(x)) != np.array(encode(changed))).any(axis=-1)
    assert np.flatnonzero(moved[0]).tolist() == [2]
    same = np.array(encode(np.repeat(x[:, :1], 8, axis=1)))[0]  # eight equal rows
    assert len(np.unique(same, axis=0)) == 8
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds[2:5] == ["Dense", "PositionEmbedding", "Activation"]


# Dot-product and multi-head attention


@proves(
    "The scores are divided by the root of the number of features:",
    false_with={"features": 9},
    needs="keras>=3",
)
def test_scores_are_divided_by_the_root(features=4):
    from snippets.custom_layers import scaled_dot_product_attention

    x = steps(features=features)
    _, weights = scaled_dot_product_attention(x, x, x)
    assert np.allclose(weights, softmax(x @ x.transpose(0, 2, 1) / 2.0), atol=1e-5)


@proves(
    "One head of `keras.layers.MultiHeadAttention` is this function on "
    "three learned projections, with a fourth after it.",
    false_with={"is_causal": True},
    needs="keras>=3",
)
def test_one_head_is_the_function_on_projections(is_causal=False):
    from snippets.custom_layers import scaled_dot_product_attention

    layer, x = keras.layers.MultiHeadAttention(num_heads=1, key_dim=4), steps()
    expected = layer(x, x, use_causal_mask=is_causal)
    w = [weight.squeeze() for weight in layer.get_weights()]
    query, key, value = (x @ w[k] + w[k + 1] for k in (0, 2, 4))
    outputs, _ = scaled_dot_product_attention(query, key, value)
    assert np.allclose(outputs @ w[6] + w[7], expected, atol=1e-5)


@proves(
    "It reloads, and padding changes none of the rows before it.",
    false_with={"padding": -2.0},
    needs="keras>=3",
)
def test_the_mended_block_reloads_and_masks(padding=-1.0):
    from snippets.custom_layers import EncoderBlock

    block = EncoderBlock(num_heads=2, hidden_units=3)
    layers = [keras.Input(shape=(None, 4)), keras.layers.Masking(-1.0), block]
    model = keras.Sequential(layers)
    padded = np.pad(steps(), ((0, 0), (0, 2), (0, 0)), constant_values=padding)
    outputs = model(padded)
    assert np.allclose(reloaded(model)(padded), outputs, atol=1e-5)
    assert np.allclose(outputs[:, :5], model(steps()), atol=1e-5)


# Test it as Keras tests its own


@proves(
    "Keras keeps a suite for its own layers, and you can run it on yours.",
    false_with={"takes_kwargs": False},
    needs="keras>=3",
)
def test_the_suite_runs_on_your_layer(takes_kwargs=True):
    from keras.src.testing import TestCase

    @registered
    class Yours(keras.layers.Layer):
        def __init__(self, factor, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    @registered
    class Bare(Yours):
        def __init__(self, factor):
            super().__init__(factor)

    layer_class = Yours if takes_kwargs else Bare
    try:
        TestCase().run_layer_test(layer_class, {"factor": 2.0}, input_shape=(2, 3))
        passes = True
    except TypeError:  # it is made again with `trainable` and `dtype`
        passes = False
    assert passes


@proves(
    "It makes the layer from its config, builds it, calls it on an Input "
    "and on arrays, trains it for one step and runs it in mixed precision.",
    false_with={"options": {"run_training_check": False}},
    needs="keras>=3",
)
def test_what_the_suite_does(options=None):
    from keras.src.testing import TestCase

    seen = []

    @registered
    class Recording(keras.layers.Layer):
        def build(self, input_shape):
            seen.append("build")
            self.w = self.add_weight(name="w", shape=(1,), initializer="ones")

        def call(self, x, training=False):
            kind = "symbol" if isinstance(x, keras.KerasTensor) else "array"
            seen.append("training" if training else f"{self.compute_dtype} {kind}")
            return x * keras.ops.cast(self.w, x.dtype)

        def compute_output_shape(self, input_shape):
            seen.append("shape")
            return input_shape

        @classmethod
        def from_config(cls, config):
            seen.append("config")
            return cls(**config)

    TestCase().run_layer_test(Recording, {}, input_shape=(2, 3), **(options or {}))
    expected = {"config", "build", "shape", "float32 array", "training"}
    assert {*expected, "float16 array"} <= set(seen)


@proves(
    "It is not public, so it may move.",
    false_with={"place": "layers"},
    needs="keras>=3",
)
def test_the_suite_is_not_public(place="testing"):
    from keras.src.testing import TestCase

    assert TestCase.__module__.startswith("keras.src.testing")
    assert not hasattr(keras, place)


def verdicts(layer_class, arguments):
    """Whether the suite passes a layer, and what the recipe says of it."""
    from keras.src.testing import TestCase

    from snippets.custom_layers import layer_problem

    TestCase().run_layer_test(layer_class, arguments, input_shape=(2, 3))
    return layer_problem(layer_class, arguments, (2, 3))


@proves(
    "The suite alone passes the last one: a forgotten argument gives the "
    "same config twice.",
    false_with={"forgets": False},
    needs="keras>=3",
)
def test_the_suite_does_not_see_a_forgotten_argument(forgets=True):
    from snippets.custom_layers import Gain
    from snippets.custom_layers.mistakes import ForgetfulGain

    problem = verdicts(ForgetfulGain if forgets else Gain, {"initial": 3.0})
    assert problem == "`initial` was 3.0 and came back as 1.0"


@proves(
    "It also passes a wrong `compute_output_shape` and an output that mixed "
    "precision should have made float16; the recipe looks for all three.",
    false_with={"is_wrong": False},
    needs="keras>=3",
)
def test_the_suite_does_not_see_a_wrong_shape(is_wrong=True):
    @registered
    class Shapeless(keras.layers.Layer):
        def call(self, x):
            return keras.ops.sum(x, axis=-1)

        def compute_output_shape(self, input_shape):
            return input_shape if is_wrong else input_shape[:-1]

    assert verdicts(Shapeless, {}) == "the shape (2, 3) is declared, not (2,)"


@proves(
    "It also passes a wrong `compute_output_shape` and an output that mixed "
    "precision should have made float16; the recipe looks for all three.",
    false_with={"addend": "a number"},
    needs="keras>=3",
)
def test_the_suite_does_not_see_a_widened_output(addend="an array"):
    added = np.ones(3, "float32") if addend == "an array" else 1.0

    @registered
    class Widening(keras.layers.Layer):
        def call(self, x):
            return keras.ops.add(x, added)

    assert verdicts(Widening, {}) == "mixed precision returns float32"


@proves(
    "What it does ask for is a `compute_output_shape` in a layer that "
    "multiplies by a weight: traced outside of a call, such a layer "
    "declares float32 where it returns float16.",
    false_with={"declares": True},
    needs="keras>=3",
)
def test_outside_a_call_weights_are_not_cast(declares=False):
    class Traced(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(1,))

        def call(self, x):
            return x * self.w

    class Declared(Traced):
        def compute_output_shape(self, input_shape):
            return input_shape

    layer = (Declared if declares else Traced)(dtype="mixed_float16")
    assert layer(np.ones((2, 3))).dtype == "float16"
    declared = layer.compute_output_spec(keras.KerasTensor((2, 3), dtype="float16"))
    assert declared.dtype == "float32"


# Say what is wrong


@proves("`self.input_spec` checks the rank, the rest is yours.", false_with={"ndim": 2})
def test_input_spec_checks_the_rank(ndim=3):
    layer = mine()
    layer.input_spec = keras.layers.InputSpec(ndim=ndim)
    with pytest.raises(ValueError, match="expected ndim=3, found ndim=2"):
        layer(np.ones((1, 2), "float32"))


class Peculiar(Exception):
    """An error that is not made from a message alone."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


@proves(
    "Keras wraps an error that `call` raises, and keeps its type if the type can be "
    "made from a message alone; else it is a `RuntimeError`.",
    false_with={"is_direct": True},
    needs="keras>=3",
)
def test_an_error_in_call_keeps_its_type(is_direct=False):
    cases = {ValueError("a"): ValueError, KeyError("a"): KeyError}
    for error, kind in {**cases, Peculiar("a", "b"): RuntimeError}.items():

        def call(self, x, error=error):
            raise error

        layer, x = mine(call=call), np.ones((1, 2), "float32")
        try:
            layer.call(x) if is_direct else layer(x)
        except Exception as problem:
            found = problem
        assert type(found) is kind
        assert "Exception encountered when calling" in str(found)

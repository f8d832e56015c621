"""Proofs of the Custom layers guide."""

import contextlib
import tempfile
import warnings

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_custom_layers import mine, registered, reloaded, steps


def padded_steps():
    """Two sequences of three steps, of which the first has one step of padding."""
    return np.array([[[1.0], [3.0], [0.0]], [[2.0], [4.0], [6.0]]], "float32")


# The first screen


def gain_class(returned=True):
    """The layer of the first screen; its config may leave the argument out."""

    @registered
    class Gain(keras.layers.Layer):
        def __init__(self, initial=1.0, **kwargs):
            super().__init__(**kwargs)
            self.initial = initial

        def build(self, input_shape):
            start = keras.initializers.Constant(self.initial)
            self.gain = self.add_weight(
                name="gain", shape=(input_shape[-1],), initializer=start
            )

        def call(self, x):
            return x * self.gain

        def get_config(self):
            config = {"initial": self.initial} if returned else {}
            return {**super().get_config(), **config}

    return Gain


@proves(
    "Subclass `keras.Layer`. `__init__` keeps the arguments, `build` makes the "
    "weights as soon as the size of the input is known, `call` computes, and "
    "`get_config` returns the arguments for saving.",
    false_with={"returned": False},
)
def test_four_methods_and_the_layer_comes_back(returned=True):
    layer = gain_class(returned)(initial=3.0)
    assert layer.weights == []
    model = keras.Sequential([keras.Input(shape=(2,)), layer])
    assert np.array(model(np.ones((1, 2)))).tolist() == [[3.0, 3.0]]
    assert reloaded(model).layers[-1].initial == 3.0


@proves(
    "It has one weight for each feature, which `fit` trains.",
    false_with={"trainable": False},
    needs="keras>=3",
)
def test_fit_trains_the_gain(trainable=True):
    from snippets.custom_layers import Gain

    layer = Gain(initial=3.0, trainable=trainable)
    model = keras.Sequential([keras.Input(shape=(2,)), layer, keras.layers.Dense(1)])
    assert layer.gain.shape == (2,)
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.zeros((4, 1)), verbose=0)
    assert (np.array(layer.gain) != 3.0).all()


@proves(
    "Loading restores the weights. It also restores the argument, because "
    "`get_config` returns it.",
    false_with={"returned": False},
)
def test_the_file_brings_back_weights_and_argument(returned=True):
    layer = gain_class(returned)(initial=3.0)
    model = keras.Sequential([keras.Input(shape=(1,)), layer])
    layer.set_weights([np.array([5.0])])
    copy = reloaded(model)
    assert np.array(copy(np.ones((1, 1)))).tolist() == [[5.0]]
    assert copy.layers[-1].initial == 3.0


@proves(
    "Without `get_config`, a direct subclass of `keras.Layer` saves its arguments "
    "by itself as long as they are made of numbers, strings, booleans and `None`; "
    "with any other argument, saving raises an error. A subclass of `Dense` loses "
    "its own arguments that have defaults, and no error says so.",
    false_with={"parent": keras.layers.Dense},
)
def test_numbers_and_strings_need_no_get_config(parent=keras.layers.Layer):
    def arguments_after_loading(parent, kind):
        @registered
        class Plain(parent):  # it has no `get_config`
            def __init__(self, units, initial=1.0, kind="a", **kwargs):
                sized = (
                    {"units": units} if issubclass(parent, keras.layers.Dense) else {}
                )
                super().__init__(**sized, **kwargs)
                self.units, self.initial, self.kind = units, initial, kind

            def call(self, x):
                return x * self.initial

        layer = Plain(3, initial=3.0, kind=kind)
        found = reloaded(keras.Sequential([keras.Input(shape=(3,)), layer])).layers[-1]
        return found.units, found.initial, found.kind

    for kind in ("b", True, None, ["b", {"c": 2}]):
        assert arguments_after_loading(parent, kind) == (3, 3.0, kind)
        assert arguments_after_loading(keras.layers.Dense, kind) == (3, 1.0, "a")
    # Keras 3.11 fails while it writes the message.
    with pytest.raises((NotImplementedError, ValueError)):
        arguments_after_loading(keras.layers.Layer, np.ones(2))


@proves(
    "the decorator, by which Keras finds the class, or else `custom_objects` in "
    "`load_model`;",
    false_with={"decorates": True},
)
def test_loading_needs_the_decorator_or_custom_objects(decorates=False):
    class Bare(keras.layers.Layer):
        def call(self, x):
            return x

    layer_class = registered(Bare) if decorates else Bare
    model = keras.Sequential([keras.Input(shape=(3,)), layer_class()])
    found = reloaded(model, custom_objects={"Bare": Bare})
    assert isinstance(found.layers[-1], Bare)
    with pytest.raises((TypeError, ValueError)):
        reloaded(model)


@proves(
    "`**kwargs`, since loading also passes `name`, `trainable` and `dtype`;",
    false_with={"takes_kwargs": True},
    needs="keras>=3",
)
def test_loading_needs_kwargs(takes_kwargs=False):
    passed = []

    @registered
    class Bare(keras.layers.Layer):
        def __init__(self):
            super().__init__()

        def call(self, x):
            return x

    @registered
    class Open(Bare):
        def __init__(self, **kwargs):
            passed.append(set(kwargs))
            super(Bare, self).__init__(**kwargs)

    reloaded(keras.Sequential([keras.Input(shape=(3,)), Open()]))
    assert passed[-1] >= {"name", "trainable", "dtype"}
    layer = (Open if takes_kwargs else Bare)()
    model = keras.Sequential([keras.Input(shape=(3,)), layer])
    with pytest.raises((TypeError, ValueError)):
        reloaded(model)


@proves(
    "the import: in another program, first import the module of the class, `from "
    "my_layers import Gain`, so that the decorator runs.",
    false_with={"imports": False},
)
def test_the_module_is_imported_first(imports=True):
    layer_class = gain_class()
    model = keras.Sequential([keras.Input(shape=(1,)), layer_class(initial=3.0)])
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/gain.keras")
        keras.utils.get_custom_objects().pop("proofs>Gain")  # as in a new process
        if imports:
            registered(layer_class)
        try:
            copy = keras.models.load_model(f"{folder}/gain.keras")
        except (TypeError, ValueError):
            copy = None
    assert copy is not None
    assert copy.layers[-1].initial == 3.0


@proves(
    "the same `package` as at saving, since the file calls the class "
    "`snippets>Gain`: choose a name of your own once, and keep it;",
    false_with={"package": "other"},
    needs="keras>=3",
)
def test_the_package_is_a_prefix(package="proofs"):
    from snippets.custom_layers import Gain

    model = keras.Sequential([keras.Input(shape=(1,)), Gain()])
    assert "'registered_name': 'snippets>Gain'" in str(model.get_config())
    layer_class = gain_class()  # of the package `proofs`, a name of our own
    model = keras.Sequential([keras.Input(shape=(1,)), layer_class(initial=3.0)])
    names = keras.utils.get_custom_objects()
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/gain.keras")
        names.pop("proofs>Gain")  # as in a new process
        keras.utils.register_keras_serializable(package=package)(layer_class)
        try:
            copy = keras.models.load_model(f"{folder}/gain.keras")
        except TypeError:
            copy = None
        finally:
            names.pop(f"{package}>Gain")
    assert copy is not None
    assert copy.layers[-1].initial == 3.0


# When to write a layer, and when not


def unregistered_root():
    """A layer without the decorator, for the same formula."""

    class Root(keras.layers.Layer):
        def call(self, x):
            return keras.ops.sqrt(x) + 1.0

    return Root()


@proves(
    "a formula without weights, in a Functional model | the functions of `keras.ops`, "
    "called on the tensors",
    false_with={"formula": lambda x: unregistered_root()(x)},
    needs="keras>=3",
)
def test_a_formula_needs_no_layer(formula=lambda x: keras.ops.sqrt(x) + 1.0):
    x = keras.Input(shape=(2,))
    model = keras.Model(x, formula(x))
    try:
        copy = reloaded(model)
    except TypeError:  # the class cannot be located
        copy = None
    assert copy is not None
    assert np.array(copy(np.array([[4.0, 9.0]]))).tolist() == [[3.0, 4.0]]


def lambda_model(function):
    layers = [keras.Input(shape=(2,)), keras.layers.Lambda(function)]
    return keras.Sequential(layers)


def plus_one(x):
    """A function without a name in the registry."""
    return x + 1.0


def registered_function(function=plus_one):
    keras.utils.get_custom_objects().pop(f"proofs>{function.__name__}", None)
    return keras.utils.register_keras_serializable(package="proofs")(function)


@proves(
    "a formula without weights, in a Sequential model | `keras.layers.Lambda` with a "
    "registered function",
    false_with={"function": lambda: lambda x: x + 1.0},
    needs="keras>=3",
)
def test_a_registered_function_in_a_lambda(function=registered_function):
    try:
        copy = reloaded(lambda_model(function()))
    except ValueError:
        copy = None
    assert copy is not None
    assert np.array(copy(np.ones((1, 2)))).tolist() == [[2.0, 2.0]]


@proves(
    "layers in a row that belong together | `keras.Sequential([...])`, which is a "
    "layer too",
    false_with={"kind": list},
)
def test_a_sequential_model_is_a_layer(kind=keras.Sequential):
    block = kind([keras.layers.Dense(4), keras.layers.Dense(3)])
    assert isinstance(block, keras.layers.Layer)
    x = keras.Input(shape=(2,))
    model = keras.Model(x, keras.layers.Dense(1)(block(x)))
    assert len(model.trainable_weights) == 6


# Which method Keras calls when


@proves(
    "`__init__` | when you make the layer, and again when a file is loaded | the "
    "arguments, and the layers inside",
    false_with={"act": "predict"},
)
def test_init_is_called_again_by_a_file(act="load"):
    made = []

    @registered
    class Counted(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            made.append(self)

        def call(self, x):
            return x

    model = keras.Sequential([keras.Input(shape=(3,)), Counted()])
    assert len(made) == 1
    if act == "load":
        reloaded(model)
    else:
        model.predict(np.ones((2, 3)), verbose=0)
    assert len(made) == 2


@proves(
    "`build` | once, before the first call, with the shape of the input | weights, and "
    "layers whose size depends on the input",
    false_with={"again": True},
)
def test_build_is_called_once(again=False):
    events = []

    def make():
        return mine(
            build=lambda self, shape: events.append(tuple(shape)),
            call=lambda self, x: events.append("call") or x,
        )

    layer = make()
    layer(np.ones((5, 3), "float32"))
    (make() if again else layer)(np.ones((2, 3), "float32"))
    shapes = [event for event in events if event != "call"]
    assert shapes == [(5, 3)]
    assert events[0] == (5, 3)


@proves(
    "`call` | at each call; on TensorFlow `fit` traces it into a graph, which then "
    "runs for each batch | the computation",
    false_with={"run_eagerly": True},
)
def test_call_is_recorded_by_fit(run_eagerly=False):
    seen = []
    layer = mine(call=lambda self, x: seen.append(x) or x)
    for _ in range(3):
        layer(np.ones((2, 3), "float32"))
    assert len(seen) == 3
    model = keras.Sequential([keras.Input(shape=(3,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=run_eagerly)
    x, y = np.ones((8, 3)), np.ones((8, 1))
    model.fit(x, y, batch_size=2, verbose=0)
    recorded = len(seen)
    model.fit(x, y, batch_size=2, epochs=3, verbose=0)
    assert len(seen) == recorded


@proves(
    "`compute_output_shape` | when the layer is called on a `keras.Input`, in "
    "place of `call`, if you wrote it | the shape that `call` returns",
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
    "`compute_mask` | after `call` | the mask of the output",
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
    "`get_config` | when the model is saved or cloned | the arguments of `__init__`",
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
    with tempfile.TemporaryDirectory() as folder:
        acts = {
            "save": lambda: model.save(f"{folder}/model.keras"),
            "clone": lambda: keras.models.clone_model(model),
            "predict": lambda: model.predict(np.ones((2, 3)), verbose=0),
        }
        for name in ("clone", act):
            asked.clear()
            acts[name]()
            assert asked


@proves(
    "For a layer, put `keras.saving.serialize_keras_object(self.layer)` into that "
    "dict, and turn it back in `from_config` by "
    "`keras.saving.deserialize_keras_object`.",
    false_with={"serializes": False},
    needs="keras>=3",
)
def test_a_layer_that_is_an_argument_comes_back(serializes=True):
    from keras import saving  # which `tensorflow.keras` does not have

    @registered
    class Around(keras.layers.Layer):
        def __init__(self, layer, **kwargs):
            super().__init__(**kwargs)
            self.layer = layer

        def call(self, x):
            return self.layer(x)

        def get_config(self):
            layer = self.layer
            layer = saving.serialize_keras_object(layer) if serializes else str(layer)
            return {**super().get_config(), "layer": layer}

        @classmethod
        def from_config(cls, config):
            layer = config.pop("layer")
            if serializes:
                layer = saving.deserialize_keras_object(layer)
            return cls(layer, **config)

    layer = Around(keras.layers.Dense(2, "relu"))
    model = keras.Sequential([keras.Input(shape=(3,)), layer])
    x = np.ones((1, 3), "float32")
    try:
        outputs = np.array(reloaded(model)(x)).tolist()
    except Exception:  # its type differs by version
        outputs = None
    assert outputs == np.array(model(x)).tolist()


@proves(
    "For an initializer, write `self.initializer = "
    "keras.initializers.get(initializer)` in `__init__`, which takes a name or an "
    "object, and put `keras.initializers.serialize(self.initializer)` into the "
    "dict of `get_config`.",
    false_with={"returned": False},
)
def test_an_initializer_that_is_an_argument_comes_back(returned=True):
    @registered
    class Filled(keras.layers.Layer):
        def __init__(self, initializer="ones", **kwargs):
            super().__init__(**kwargs)
            self.initializer = keras.initializers.get(initializer)

        def build(self, input_shape):
            self.w = self.add_weight(
                name="w", shape=(input_shape[-1],), initializer=self.initializer
            )

        def call(self, x):
            return x * self.w

        def get_config(self):
            initializer = keras.initializers.serialize(self.initializer)
            config = {"initializer": initializer} if returned else {}
            return {**super().get_config(), **config}

    for given, value in (("zeros", 0.0), (keras.initializers.Constant(3.0), 3.0)):
        model = keras.Sequential([keras.Input(shape=(2,)), Filled(given)])
        assert np.array(model(np.ones((1, 2)))).tolist() == [[value, value]]
        anew = keras.models.clone_model(reloaded(model))  # with weights made anew
        assert np.array(anew(np.ones((1, 2)))).tolist() == [[value, value]]


@proves(
    "Without `compute_output_shape` Keras runs `call` on the `keras.Input` to "
    "find the shape, so most layers can leave it out.",
    false_with={"axis": ()},
)
def test_keras_traces_call_to_find_the_shape(axis=-1):
    seen = []
    layer = mine(call=lambda self, x: seen.append(x) or tf.reduce_sum(x, axis=axis))
    assert tuple(layer(keras.Input(shape=(3,))).shape) == (None,)
    assert seen


@proves(
    "Keras believes `compute_output_shape`: a wrong shape appears in the summary, "
    "and a `Dense` that follows makes weights of the wrong size. The error comes "
    "with the first data, and names the `Dense`, not your layer.",
    keras=">=3",
)
def test_a_wrong_shape_is_believed():
    layer = mine(
        call=lambda self, x: x[:, :2],
        compute_output_shape=lambda self, input_shape: input_shape,
    )
    x, dense, lines = keras.Input(shape=(3,)), keras.layers.Dense(1), []
    model = keras.Model(x, dense(layer(x)))
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert tuple(dense.kernel.shape) == (3, 1)
    assert "\n".join(lines).count("(None, 3)") == 2
    with pytest.raises(ValueError, match=dense.name) as caught:
        model(np.ones((4, 3)))
    assert layer.name not in str(caught.value)


# Weights, and where `build` is needed


@proves(
    "**Needed** for a weight whose size depends on the input, as in `Gain`: "
    "`__init__` does not know it yet.",
    false_with={"method": "__init__"},
    needs="keras>=3",
)
def test_the_size_is_known_in_build(method="build"):
    from snippets.custom_layers import Gain

    sizes = []
    for features in (2, 7):
        layer = Gain()
        if method == "build":
            layer(np.ones((1, features)))
        sizes.append([weight.shape[0] for weight in layer.weights])
    assert sizes == [[2], [7]]


@proves(
    "**Not needed** for a weight of a fixed size: `add_weight` works in "
    "`__init__` too.",
    false_with={"in_init": False},
)
def test_a_weight_of_fixed_size_is_made_in_init(in_init=True):
    class Fixed(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            if in_init:
                self.make()

        def make(self):
            self.w = self.add_weight(name="w", shape=(), initializer="ones")

        def build(self, input_shape):
            if not in_init:
                self.make()

        def call(self, x):
            return x * self.w

    layer = Fixed()
    assert len(layer.weights) == 1
    assert np.array(layer(np.full((1, 2), 4.0))).tolist() == [[4.0, 4.0]]


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


def warnings_of(layer):
    """What Keras says while a layer is called on an Input, and fails."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(Exception):  # noqa: B017 - its type differs by version
            layer(keras.Input(shape=(3,)))
    return [str(w.message) for w in caught if "unbuilt state" in str(w.message)]


@proves(
    "**Not needed** for layers made in `__init__`: at the first call Keras runs "
    "`call` once on a symbolic tensor, which builds them.",
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_inner_layers_are_built_by_a_trace(kind=Nested):
    seen = []

    class Seeing(kind):
        def call(self, x):
            seen.append((len(self.weights), isinstance(x, keras.KerasTensor)))
            return super().call(x)

    layer = Seeing()
    layer(np.ones((1, 3), "float32"))
    layer(np.ones((1, 3), "float32"))
    assert [built for built, _ in seen] == [0, 2, 2]
    assert len(layer.weights) == 2


@proves(
    "The size of the second depends on the input, so `build` makes the second layer, "
    "and then builds both without a call:",
    false_with={"features": 4},
    needs="keras>=3",
)
def test_an_adapter_is_built_without_a_call(features=8):
    from snippets.custom_layers import Adapter

    layer = Adapter(units=2)
    layer.build((None, 5, features))
    shapes = [tuple(weight.shape) for weight in layer.weights]
    assert shapes == [(8, 2), (2,), (2, 8), (8,)]


@proves(
    "If `call` takes two tensors, `call(self, query, value)`, write `build(self, "
    "query_shape, value_shape)`. A list of tensors gives `build` a list of shapes.",
    false_with={"renamed": True},
    needs="keras>=3",
)
def test_build_gets_a_shape_for_each_tensor(renamed=False):
    shapes = []

    class Two(keras.layers.Layer):
        if renamed:

            def build(self, input_shape):
                shapes.append([input_shape])
        else:

            def build(self, query_shape, value_shape):
                shapes.append([query_shape, value_shape])

        def call(self, query, value):
            return query

    query, value = np.ones((2, 3)), np.ones((2, 5))
    Two()(query, value)
    listed = mine(
        build=lambda self, shape: shapes.append(list(shape)), call=lambda self, x: x[0]
    )
    listed([query, value])
    assert shapes == [[(2, 3), (2, 5)]] * 2


@proves(
    "Mend `call`: NumPy functions become `keras.ops`, an `if` on a tensor becomes "
    "`keras.ops.where`. If `call` cannot run on a `keras.Input`, write `build` and "
    "`compute_output_shape`.",
    false_with={"declares": False},
    needs="keras>=3",
)
def test_build_and_a_shape_silence_the_warning(declares=True):
    class Declared(Built):
        if declares:

            def compute_output_shape(self, input_shape):
                return (*input_shape[:-1], 2)

    mended = {
        "an array": (np.tanh, keras.ops.tanh),
        "an if": (
            lambda x: x if keras.ops.max(x) > 0 else -x,
            lambda x: keras.ops.where(keras.ops.max(x) > 0, x, -x),
        ),
    }
    for wrong, right in mended.values():
        assert warnings_of(Nested(to_array=wrong))
        assert Nested(to_array=right)(keras.Input(shape=(3,))).shape == (None, 2)
        layer = Declared(to_array=wrong)
        try:
            shape = layer(keras.Input(shape=(3,))).shape
        except Exception:  # its type differs by version
            shape = None
        assert shape == (None, 2)


@proves(
    "`layer.build(shape)` made no weights, because the inner layers are built by a "
    "call. Call the layer on an array or a `keras.Input` instead, or write `build`.",
    false_with={"act": lambda layer: layer.build((None, 3))},
    needs="keras>=3",
)
def test_a_call_builds_what_build_does_not(act=lambda layer: layer(np.ones((1, 3)))):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Nested().build((None, 3))
    assert "does not have a `build()` method" in str(caught[0].message)
    for again in (act, lambda layer: layer(keras.Input(shape=(3,)))):
        layer = Nested()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has no `build()`
            again(layer)
        assert len(layer.weights) == 2
    written = Built()
    written.build((None, 3))
    assert len(written.weights) == 2


@proves(
    "`call` fails on a `keras.Input`, and the end of the warning says why.",
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_unbuilt_state_warns(kind=Nested):
    said = "".join(warnings_of(kind(to_array=np.array)))
    assert "looks like it has unbuilt state, but Keras is not able to trace" in said
    assert len(said) > 500


@proves(
    "`call` fails on a `keras.Input`, and the end of the warning says why.",
    false_with={"kind": Built},
    needs="keras>=3",
)
def test_the_warning_ends_with_the_cause(kind=Nested):
    said = "".join(warnings_of(kind(to_array=refuse)))
    assert "not this one" in said.rpartition("Exception encountered: ")[2]
    assert "not this one" not in said.rpartition("Exception encountered: ")[0]


@proves(
    "**Needed** if you want the weights of inner layers before the first call. "
    "Without it, `layer.build(shape)` makes none, and the first call does.",
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
    layer(np.ones((1, 3), "float32"))
    assert len(layer.weights) == 2


@proves(
    "**No error, wrong result:** on Keras 3 a `tf.Variable` in a layer is neither "
    "trained nor saved. Make weights by `add_weight`, or by `keras.Variable`.",
    false_with={"kind": "keras.Variable"},
    needs="keras>=3",
)
def test_a_tf_variable_is_neither_trained_nor_saved(kind="tf.Variable"):
    @registered
    class Times(keras.layers.Layer):
        kind = "tf.Variable"

        def build(self, input_shape):
            if self.kind == "add_weight":
                self.w = self.add_weight(name="w", shape=(), initializer="ones")
            else:
                self.w = {"tf": tf, "keras": keras}[self.kind.split(".")[0]].Variable(
                    1.0
                )

        def call(self, x):
            return x * self.w

    def result(of):
        """Whether a weight moves in `fit`, and whether a file keeps its value."""
        Times.kind = of
        model = keras.Sequential([keras.Input(shape=(1,)), Times()])
        model.compile("sgd", "mse")
        model.fit(np.ones((4, 1)), np.zeros((4, 1)), verbose=0)
        moved = float(np.array(model.layers[-1].w)) != 1.0
        model.layers[-1].w.assign(5.0)
        return moved, float(np.array(reloaded(model).layers[-1].w)) == 5.0

    assert result(kind) == (False, False)
    assert result("add_weight") == result("keras.Variable") == (True, True)


# The `training` argument, and state


class Told(keras.layers.Layer):
    """A layer that notes the value of `training`."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.told = []

    def call(self, x, training=None):
        self.told.append(training)
        return x


class ToldFalse(Told):
    """The same with another default."""

    def call(self, x, training=False):
        return super().call(x, training=training)


@proves(
    "`fit` passes `training=True`; `evaluate` and `predict` pass `False`. A plain "
    "call, `model(x)` or `layer(x)`, passes nothing, so the default in the "
    "signature of `call` counts.",
    false_with={"kind": ToldFalse},
    needs="keras>=3",
)
def test_training_is_none_in_a_plain_call(kind=Told):
    layer = kind()
    model = keras.Sequential([keras.Input(shape=(1,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    x, last = np.ones((2, 1), "float32"), []
    for act in (
        lambda: model.fit(x, x, verbose=0),
        lambda: model.evaluate(x, x, verbose=0),
        lambda: model.predict(x, verbose=0),
        lambda: model(x),
        lambda: layer(x),
    ):
        act()
        last.append(layer.told[-1])
    assert last == [True, False, False, None, None]


@proves(
    "Write `call(self, inputs, training=None)` and `if training:`, so that a plain "
    "call predicts. For training mode in a plain call, write `model(x, "
    "training=True)`.",
    false_with={"options": {}},
)
def test_training_true_reaches_the_layer(options=None):
    options = {"training": True} if options is None else options
    layer = mine(call=lambda self, x, training=None: x * 2 if training else x)
    model = keras.Sequential([keras.Input(shape=(1,)), layer])
    x = np.ones((1, 1), "float32")
    assert float(model(x)[0, 0]) == 1.0
    assert float(model(x, **options)[0, 0]) == 2.0


@proves(
    "A layer that you call in `call` gets the same value by itself.",
    false_with={"given": None},
    needs="keras>=3",
)
def test_an_inner_layer_is_told_too(given=True):
    inner = Told()
    layer = mine(call=lambda self, x, training=None: inner(x))
    layer(np.ones((2, 1), "float32"), training=given)
    assert inner.told == [True]


@proves(
    "Keep state in a weight with `trainable=False`: no gradient moves it.",
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
    "**No error, wrong result:** under `mixed_float16` a weight is stored as "
    "float32, but `call` reads it as float16, so a new value that `call` computes "
    "for `assign` is rounded to float16. `Center` prevents this by "
    "`add_weight(..., autocast=False)`.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_weights_are_read_in_float16(policy="mixed_float16"):
    from snippets.custom_layers.layers import Center

    seen = []

    class Reading(keras.layers.Layer):
        def build(self, input_shape):
            options = {"shape": (1,), "initializer": "ones", "trainable": False}
            self.state = self.add_weight(name="a", **options)
            self.kept = self.add_weight(name="b", autocast=False, **options)

        def call(self, x):
            seen.extend((w + 0).dtype for w in (self.state, self.kept))
            for weight in (self.state, self.kept):
                weight.assign(weight + 0.0002)
            return x

    layer = Reading(dtype=policy)
    layer(np.ones((1, 1)))
    assert layer.state.dtype == layer.kept.dtype == "float32"
    assert seen == ["float16", "float32"]
    assert float(layer.state[0]) == 1.0
    center = Center(momentum=0.999, dtype=policy)
    center.build((None, 1))
    center.mean.assign([1.0])
    center(np.full((2, 1), 1.2), training=True)
    for weight in (layer.kept, center.mean):
        assert 1.00015 < float(weight[0]) < 1.00025


@proves(
    "Float16 ends at 65,504, so a sum of large numbers is `inf`.",
    false_with={"dtype": "float32"},
)
def test_a_sum_overflows_in_float16(dtype="float16"):
    assert np.finfo("float16").max == 65504
    assert np.isinf(tf.reduce_sum(tf.fill((100,), tf.constant(1000.0, dtype))))


@proves(
    "Around 1 the numbers of float16 are 0.001 apart, so a running mean of 1 does "
    "not move by steps of 0.0002.",
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
    "Around 1 the numbers of float16 are 0.001 apart, so a running mean of 1 does "
    "not move by steps of 0.0002.",
    false_with={"dtype": "float32"},
)
def test_float16_has_no_number_that_near(dtype="float16"):
    one = np.ones((), dtype)
    assert round(float(np.spacing(one)), 3) == 0.001
    assert round((1.0 - 0.999) * (1.2 - 1.0), 6) == 0.0002
    assert one + np.asarray(0.0002, dtype) == one


@proves(
    'For a counter, write `self.steps = self.add_weight(shape=(), dtype="int", '
    "trainable=False)` in `__init__`, and `self.steps.assign_add(1)` in `call`, "
    "under `if training:` to count steps of training alone.",
    false_with={"kind": "attribute"},
    needs="keras>=3",
)
def test_a_counter_is_a_weight_of_integers(kind="weight"):
    class Counter(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.steps = 0
            if kind == "weight":
                self.steps = self.add_weight(shape=(), dtype="int", trainable=False)

        def call(self, x, training=None):
            if kind == "weight" and training:
                self.steps.assign_add(1)
            elif training:
                self.steps += 1
            return x

    for policy in ("float32", "mixed_float16"):
        layer = Counter(dtype=policy)
        model = keras.Sequential([layer, keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        x = np.ones((8, 2), "float32")
        model.fit(x, x[:, :1], batch_size=2, verbose=0)  # 4 calls, and one to build
        before = int(np.array(layer.steps))
        model.fit(x, x[:, :1], batch_size=2, epochs=3, verbose=0)
        assert int(np.array(layer.steps)) - before == 12


# Random numbers


@proves(
    "Draw from a `SeedGenerator` that `__init__` makes: its state moves on with "
    "each draw.",
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
    "**No error, wrong result:** give `keras.random.uniform` a number, `seed=1`, "
    "and Keras 3 draws the same numbers in each call, and drops the same steps of "
    "every batch.",
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


@proves(
    "A mask is a tensor of booleans, `(batch, time)`, which is true where a step "
    "counts, and false for padding. `Embedding(..., mask_zero=True)` and `Masking` "
    "make one.",
    false_with={"mask_zero": False},
)
def test_two_layers_make_a_mask(mask_zero=True):
    tokens, x = np.array([[4, 2, 0]]), np.array([[[4.0], [2.0], [0.0]]], "float32")
    embedding = keras.layers.Embedding(5, 2, mask_zero=mask_zero)
    for outputs in (embedding(tokens), keras.layers.Masking()(x)):
        mask = getattr(outputs, "_keras_mask", None)
        assert mask is not None
        assert np.array(mask).tolist() == [[True, True, False]]


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
    "mixes the steps | `call(self, inputs, mask=None)` | `call` gets the mask",
    false_with={"make": mine},
)
def test_call_receives_the_mask(make=Masked):
    layer = make()
    layer(keras.layers.Masking()(padded_steps()))
    assert getattr(layer, "seen", None) is not None
    assert layer.seen.tolist() == MASK


@proves(
    "A layer that averages the steps mixes them and ends the time axis, so it "
    "needs `mask=None` in `call`, and a `compute_mask` that returns `None`:",
    false_with={"ends": False},
    needs="keras>=3",
)
def test_a_mean_needs_call_and_compute_mask(ends=True):
    from snippets.custom_layers.layers import MeanOfSteps

    class Passing(MeanOfSteps):
        def compute_mask(self, inputs, mask=None):
            return mask

    pooled = (MeanOfSteps if ends else Passing)()(
        keras.layers.Masking()(padded_steps())
    )
    assert np.array(pooled).tolist() == [[(1 + 3) / 2], [(2 + 4 + 6) / 3]]
    assert getattr(pooled, "_keras_mask", None) is None


@proves(
    "A layer that mixes the steps and passes them on needs the first two rows: "
    "`self.supports_masking = True` in `__init__`, and "
    "`call(self, inputs, mask=None)`. `snippets.custom_layers.RunningCenter` has both.",
    false_with={"supports": False},
    needs="keras>=3",
)
def test_mixed_steps_need_both(supports=True):
    from snippets.custom_layers import RunningCenter

    layer = RunningCenter(momentum=0.0)
    layer.supports_masking = supports
    layer(keras.layers.Masking()(padded_steps()), training=True)
    assert np.allclose(layer.mean, 3.2)  # of 1, 3, 2, 4 and 6
    assert mask_after(layer) == MASK


@proves(
    "removes, adds or moves steps | `compute_mask` | the next layers get what it "
    "returns",
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
    "`snippets.custom_layers.SkipSteps` leaves steps out of the sequence and of its "
    "mask.",
    false_with={"is_masked": False},
    needs="keras>=3",
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


def two_masked():
    """Two sequences of three steps, of which two and one count."""
    rows = [[[1.0], [2.0], [0.0]]], [[[5.0], [0.0], [0.0]]]
    return [keras.layers.Masking()(np.array(row, "float32")) for row in rows]


def read(mask):
    """A mask as a list, or `None`."""
    return None if mask is None else np.array(mask)[0].tolist()


@proves(
    "For a list of inputs, `mask` is a list too, in `call` and in `compute_mask`, with "
    "`None` for an input that has no mask.",
    false_with={"listed": False},
)
def test_two_inputs_bring_a_list_of_masks(listed=True):
    seen = []

    def compute_mask(self, inputs, mask=None):
        seen.append(mask)

    def call(self, inputs, mask=None):
        seen.append(mask)
        return inputs[0] * 1

    layer = mine(call=call, compute_mask=compute_mask)
    left, _ = two_masked()
    plain = tf.ones((1, 3, 1))
    layer([left, plain] if listed else left)
    for masks in seen:
        assert isinstance(masks, (list, tuple))
        assert [read(mask) for mask in masks] == [[True, True, False], None]
    assert len(seen) == 2


@proves(
    "This layer adds two sequences, and a step of the sum counts if it counts in both:",
    false_with={"kind": keras.layers.Add},
    needs="keras>=3",
)
def test_a_step_counts_if_it_counts_in_both(kind=None):
    from snippets.custom_layers.layers import AddBoth

    both = (kind or AddBoth)()(two_masked())
    average = keras.layers.GlobalAveragePooling1D()(both)
    assert np.array(average).tolist() == [[1.0 + 5.0]]


@proves(
    "**No error, wrong result:** with `supports_masking = True` instead of "
    "`compute_mask`, the mask of the first input goes on, and the second is "
    "forgotten.",
    false_with={"computes": True},
    needs="keras>=3",
)
def test_the_first_mask_goes_on(computes=False):
    from snippets.custom_layers.layers import AddBoth

    layer = AddBoth() if computes else mine(call=lambda self, x: x[0] + x[1])
    layer.supports_masking = True
    left, right = two_masked()
    assert read(layer([left, right])._keras_mask) == [True, True, False]
    assert read(layer([right, left])._keras_mask) == [True, False, False]


@proves(
    "With two arguments, `compute_mask` gets only the first and its mask: return that "
    "mask to pass it on.",
    false_with={"masked": (False, True)},
    needs="keras>=3",
)
def test_compute_mask_gets_the_first_argument(masked=(True, True)):
    class Two(keras.layers.Layer):
        def call(self, query, value, query_mask=None, value_mask=None):
            return query + value

        def compute_mask(self, query, mask):
            return mask

    rows = np.array([[[1.0], [0.0]]]), np.array([[[0.0], [2.0]]])
    query, value = (
        keras.layers.Masking()(row) if has_mask else keras.ops.convert_to_tensor(row)
        for row, has_mask in zip(rows, masked, strict=True)
    )
    mask = getattr(Two()(query, value), "_keras_mask", None)
    assert np.array(mask).tolist() == [[True, False]]


@proves(
    "**No error, wrong result:** in `call(self, query, value, mask=None)` the "
    "mask is `None` on Keras 3. For two arguments, write `query_mask=None` and "
    "`value_mask=None`: the name of the argument and `_mask`.",
    false_with={"arguments": 1},
    needs="keras>=3",
)
def test_a_mask_beside_two_arguments_is_none(arguments=2):
    seen = []

    class Two(keras.layers.Layer):
        def call(self, query, value=None, mask=None):
            seen.append(mask)
            return query * 1

    layer = Two()
    layer.supports_masking = True
    layer(*two_masked()[:arguments])
    assert seen == [None]


@proves(
    "**No error, wrong result:** in `call(self, query, value, mask=None)` the "
    "mask is `None` on Keras 3. For two arguments, write `query_mask=None` and "
    "`value_mask=None`: the name of the argument and `_mask`.",
    false_with={"named": False},
    needs="keras>=3",
)
def test_each_argument_has_its_mask(named=True):
    seen = []

    class Two(keras.layers.Layer):
        if named:

            def call(self, query, value, query_mask=None, value_mask=None):
                seen.extend([read(query_mask), read(value_mask)])
                return query * 1
        else:

            def call(self, query, value, left_mask=None, right_mask=None):
                seen.extend([read(left_mask), read(right_mask)])
                return query * 1

    layer = Two()
    layer.supports_masking = True
    layer(*two_masked())
    assert seen == [[True, True, False], [True, False, False]]


@proves(
    "Keras 2 drops the mask without a warning.",
    keras=">=3",
)
def test_a_lost_mask_warns_on_keras_3():
    assert len(warnings_about_masks()) == 1


@proves(
    "Keras 2 drops the mask without a warning.",
    keras="<3",
)
def test_a_lost_mask_is_silent_on_keras_2():
    assert warnings_about_masks() == []


# An attention layer, and what it attends to


class Pool(keras.layers.Layer):
    """The attention layer of the page, in operations of both versions."""

    lowest = -6e4

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1], 1))

    def call(self, x, mask=None, return_attention_scores=False):
        score = tf.tanh(tf.matmul(x, tf.cast(self.kernel, x.dtype)))
        if mask is not None:
            low = tf.constant(self.lowest, score.dtype)
            score = tf.where(mask[..., None], score, low)
        weights = tf.nn.softmax(score, axis=1)
        pooled = tf.reduce_sum(weights * x, axis=1)
        return (pooled, weights[..., 0]) if return_attention_scores else pooled

    def compute_mask(self, x, mask=None):
        return None


@proves(
    "The new one takes the mask, and gives the padding the score `-6e4`, which "
    "float16 still holds: beside a real step, the softmax turns it into an "
    "attention weight of 0.",
    false_with={"lowest": 0.0},
)
def test_a_low_score_leaves_padding_out(lowest=-6e4):
    kept = tf.constant([[True, True, False], [True, True, True]])
    for policy in ("float32", "mixed_float16"):
        layer = Pool(dtype=policy)
        layer.lowest = lowest
        x = padded_steps()
        pooled, weights = layer(x, mask=kept, return_attention_scores=True)
        weights = np.array(weights)
        assert weights[0, 2] == 0.0
        assert np.isfinite(np.array(pooled)).all()
        assert np.allclose(weights.sum(axis=1), 1.0, atol=1e-2)
        assert np.allclose(pooled, (weights[..., None] * x).sum(axis=1), atol=1e-2)
        alone = layer(x[:1, :2])
        assert np.allclose(pooled[0], alone[0], atol=1e-2)


@proves(
    "With `return_attention_scores=True`, as Keras calls it, the new layer also "
    "returns the attention weights, of shape `(batch, time)`. A second model on "
    "the same layers shows them, and needs no training of its own:",
    false_with={"asks": False},
)
def test_a_second_model_shows_the_weights(asks=True):
    inputs = keras.Input(shape=(None, 1))
    x = keras.layers.Masking()(inputs)
    returned = Pool()(x, return_attention_scores=asks)
    pooled, shown = returned if isinstance(returned, (list, tuple)) else [returned] * 2
    model = keras.Model(inputs, keras.layers.Dense(1)(pooled))
    model.set_weights([np.array([[0.5]]), np.array([[1.0]]), np.array([0.0])])
    attention = keras.Model(inputs, shown)

    steps, seen = padded_steps(), []
    for _ in range(2):
        seen.append(np.array(attention(steps)))
        model.compile(keras.optimizers.Adam(0.1), "mse")
        model.fit(steps, np.array([[9.0], [-9.0]]), epochs=3, verbose=0)
    for weights in seen:
        assert weights.shape == (2, 3)
        assert weights[0, 2] == 0.0
        assert np.allclose(weights.sum(axis=1), 1.0)
    assert not np.allclose(*seen, atol=1e-3)


@proves(
    "On Keras 3 `keras.ops` takes the place of `keras.backend`, which older code calls "
    "`K`.",
    false_with={"package": "tensorflow.keras"},  # it keeps the old functions
    needs="keras>=3",
)
def test_ops_take_the_place_of_the_backend(package="keras"):
    import keras as keras_3

    backend = {"keras": keras_3, "tensorflow.keras": keras}[package].backend
    names = ("dot", "tanh", "softmax", "sum")
    assert not [name for name in names if name in dir(backend)]
    assert not [name for name in names if name not in dir(keras_3.ops)]


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
    "Keras casts floating-point inputs and weights to `self.compute_dtype`.",
    false_with={"policy": "float32"},
)
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
    "**Your constants.** On TensorFlow, adding a float32 tensor by `+` raises an "
    "error; adding a Python number does not.",
    false_with={"policy": "float32"},
)
def test_a_constant_tensor_stops_mixed_precision(policy="mixed_float16"):
    layer = mine(policy, call=lambda self, x: x + tf.constant(0.5))
    with pytest.raises(tf.errors.InvalidArgumentError, match="to be a half tensor"):
        layer(np.ones((1, 2), "float32"))


@proves(
    "**Your constants.** On TensorFlow, adding a float32 tensor by `+` raises an "
    "error; adding a Python number does not.",
    false_with={"policy": "float32"},
)
def test_a_python_number_does_not(policy="mixed_float16"):
    layer = mine(policy, call=lambda self, x: x + 0.5)
    assert layer(np.ones((1, 2), "float32")).dtype == "float16"


@proves(
    "**NumPy arrays.** In `keras.ops.add(x, array)` a float32 array turns the "
    "result into float32, without an error.",
    false_with={"dtype": "float16"},
    needs="keras>=3",
)
def test_an_array_turns_the_result_into_float32(dtype="float32"):
    halves = np.array([0.5, 0.5], dtype)
    layer = mine("mixed_float16", call=lambda self, x: keras.ops.add(x, halves) * 2)
    assert layer(np.ones((1, 2))).dtype == "float32"


@proves(
    "**The layers inside.** They take the global policy, not the `dtype` of the "
    "layer around them: pass `dtype=self.dtype_policy`, as `Adapter` does.",
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


def sum_with_inner(policy, inner=None, function=None):
    """What a layer returns that adds a Dense layer to its input, or the error."""

    class Outer(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            options = {} if inner is None else {"dtype": inner}
            self.dense = keras.layers.Dense(2, **options)

        def call(self, x):
            y = self.dense(x)
            return x + (y if function is None else function(y, x.dtype))

    return Outer(dtype=policy)(np.ones((1, 2), "float32"))


@proves(
    "Without it, on TensorFlow, adding their output to the input stops with an error.",
    false_with={"passes_it": True},
    needs="keras>=2.16",
)
def test_a_sum_with_an_inner_layer_stops(passes_it=False):
    for policy in ("mixed_float16", "mixed_bfloat16", "bfloat16", "float64"):
        with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a"):
            sum_with_inner(policy, inner=policy if passes_it else None)


@proves(
    "On TensorFlow, under `mixed_float16`, a float32 tensor meets a float16 one: a "
    "constant, or what a float32 inner layer returns, made without "
    "`dtype=self.dtype_policy`.",
    false_with={"policy": "float32"},
)
def test_a_half_tensor_meets_a_float_tensor(policy="mixed_float16"):
    constant = mine(policy, call=lambda self, x: x + tf.constant(0.5))
    for act in (
        lambda: sum_with_inner(policy, inner="float32"),
        lambda: constant(np.ones((1, 2), "float32")),
    ):
        words = "was expected to be a half tensor but is a float tensor"
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            act()


@proves(
    "A layer that comes as an argument has a dtype of its own: cast what it "
    "returns, `keras.ops.cast(self.layer(x), x.dtype)`.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_cast_what_a_given_layer_returns(policy="mixed_float16"):
    for inner in ("float32", "float64", "mixed_float16"):
        found = sum_with_inner(policy, inner=inner, function=keras.ops.cast)
        assert found.dtype == "float16"


@proves(
    '`keras.config.set_dtype_policy("mixed_float16")` sets the global policy, for '
    "all layers that are made after it, inner layers too.",
    false_with={"policy": "float32"},
    needs="keras>=3",
)
def test_the_global_policy_reaches_inner_layers(policy="mixed_float16"):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        found = sum_with_inner(None)
    finally:
        keras.config.set_dtype_policy(before)
    assert found.dtype == "float16"


def mean_behind(policy):
    """The mean of 1, 3 and one step of padding, behind a layer in that precision."""
    layer, x = mine(policy), keras.Input(shape=(None, 1))
    layer.supports_masking = True
    pooled = keras.layers.GlobalAveragePooling1D()(layer(keras.layers.Masking()(x)))
    return float(keras.Model(x, pooled)(padded_steps())[0, 0])


@proves(
    "On Keras 3.6 to 3.13 the mask is lost when Keras casts the input of a layer, and "
    "the padding counts: update Keras.",
    keras=">=3.6,<3.14",
)
def test_a_cast_lost_the_mask():
    assert mean_behind("float32") == (1 + 3) / 2
    assert np.isclose(mean_behind("mixed_float16"), (1 + 3 + 0) / 3, atol=1e-3)


@proves(
    "Write `keras.ops.convert_to_tensor([0.5, 1.0], self.compute_dtype)`.",
    false_with={"dtype": "float32"},
    needs="keras>=3",
)
def test_a_constant_of_the_compute_dtype_works(dtype=None):
    def call(self, x):
        return x + keras.ops.convert_to_tensor([0.5, 1.0], dtype or self.compute_dtype)

    layer = mine("mixed_float16", call=call)
    try:
        outputs = np.array(layer(np.ones((1, 2), "float32"))).tolist()
    except tf.errors.InvalidArgumentError:
        outputs = None
    assert outputs == [[1.5, 2.0]]


@proves(
    "Cast to float32 before a sum or a square, as `MeanOfSteps` does.",
    false_with={"dtype": "float16"},
)
def test_a_sum_in_float32_does_not_overflow(dtype="float32"):
    def call(self, x):
        x = tf.cast(x, dtype)
        size = tf.sqrt(tf.reduce_sum(tf.square(x), axis=-1, keepdims=True))
        return tf.cast(x / size, self.compute_dtype)

    outputs = np.array(
        mine("mixed_float16", call=call)(np.full((1, 100), 1000.0, "float32"))
    )
    assert outputs.dtype == "float16"
    assert np.allclose(outputs, 0.1, atol=1e-3)


@proves(
    "In float16, `1e-8` is 0 and `-1e9` is `-inf`: write `1e-4` and `-6e4`.",
    false_with={"policy": "float32"},
)
def test_constants_that_float16_does_not_hold(policy="mixed_float16"):
    x = np.ones((1, 1), "float32")
    small = [mine(policy, call=lambda self, x, e=e: x / e)(x) for e in (1e-8, 1e-4)]
    large = [mine(policy, call=lambda self, x, e=e: x + e)(x) for e in (-1e9, -6e4)]
    assert [bool(np.isinf(np.array(found)[0, 0])) for found in small] == [True, False]
    assert [bool(np.isinf(np.array(found)[0, 0])) for found in large] == [True, False]


# Losses and metrics


def penalized(weight):
    """A model whose first layer adds its mean absolute input to the loss."""

    class Penalty(keras.layers.Layer):
        def call(self, inputs):
            values = keras.ops.cast(inputs, "float32")
            self.add_loss(weight * keras.ops.mean(keras.ops.abs(values)))
            return inputs

    return keras.Sequential([keras.Input(shape=(2,)), Penalty(), keras.layers.Dense(1)])


@proves(
    "For a loss, pass one number for the whole batch to `self.add_loss` in `call`:",
    false_with={"weight": 0.0},
    needs="keras>=3",
)
def test_a_layer_adds_a_loss(weight=0.01):
    before = keras.config.dtype_policy()
    try:
        for policy in ("float32", "mixed_float16"):
            keras.config.set_dtype_policy(policy)
            model = penalized(weight)
            model.compile("sgd", "mse")
            x = np.full((4, 2), -3.0)
            y = np.array(model(x), "float32")
            loss = model.fit(x, y, verbose=0).history["loss"][0]
            assert np.isclose(loss, 0.01 * 3.0, atol=1e-3)
    finally:
        keras.config.set_dtype_policy(before)


@proves(
    "`fit` and `evaluate` add it to the loss of `compile`; in a loop of your own, add "
    "`sum(model.losses)`.",
    false_with={"terms": lambda model: 0.0},
    needs="keras>=3",
)
def test_a_loop_adds_the_losses_of_layers(terms=lambda model: sum(model.losses)):
    model, x, y = penalized(0.5), np.full((4, 2), -3.0), np.ones((4, 1))
    model.compile("sgd", "mse")
    loss = np.square(np.array(model(x)) - y).mean()
    total = float(loss + terms(model))
    assert np.isclose(model.evaluate(x, y, verbose=0), total)
    assert np.isclose(model.fit(x, y, verbose=0).history["loss"][0], total)


@proves(
    "For a metric, make a `keras.metrics.Mean` in `__init__` and update it in `call`: "
    "`fit` reports it. `snippets.custom_layers.SparsityPenalty` does both.",
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
    model(np.full((4, 2), -3.0))
    assert np.isclose(float(sum(model.losses)), 0.5 * 3.0)


@proves(
    "The `add_metric` of Keras 2 raises `NotImplementedError`.",
    false_with={"method": "get_config"},
    needs="keras>=3",
)
def test_add_metric_raises_on_keras_3(method="add_metric"):
    with pytest.raises(NotImplementedError):
        getattr(keras.layers.Layer(), method)()


# `keras.ops`, or TensorFlow


def imported_names(module):
    """The names of the global scope that the functions of a module use."""
    import types

    used = set()
    kinds = [thing for thing in vars(module).values() if isinstance(thing, type)]
    for kind in kinds:
        if kind.__module__ == module.__name__:
            methods = vars(kind).values()
            functions = [f for f in methods if isinstance(f, types.FunctionType)]
            used |= {name for f in functions for name in f.__code__.co_names}
    return used


@proves(
    "Write `call` in `keras.ops`, which names no backend.",
    false_with={"module": "layers"},  # one layer there calls TensorFlow
    needs="keras>=3",
)
def test_keras_ops_names_no_backend(module="attention"):
    import importlib

    names = imported_names(importlib.import_module(f"snippets.custom_layers.{module}"))
    assert "ops" in names
    assert not names & {"tf", "tensorflow", "jax", "torch"}


@proves(
    "Where an operation is missing, call TensorFlow in `call`, as "
    "`snippets.custom_layers.LocalResponseNormalization` does: it works on a "
    "`keras.Input` too, but on no other backend.",
    false_with={"inside": False},
)
def test_a_tensorflow_function_inside_call_is_traced(inside=True):
    layer = mine(call=lambda self, x: tf.nn.softplus(x) if inside else x)
    x = keras.Input(shape=(3,))
    outputs = keras.Model(x, layer(x))(np.zeros((1, 3)))
    assert np.allclose(outputs, np.log(2.0))


# Saving


def plain_model():
    """A model with a layer that is not registered, and its class."""

    class Plain(keras.layers.Layer):
        def call(self, x):
            return x

    return keras.Sequential([keras.Input(shape=(3,)), Plain()]), Plain


@proves(
    "A message from `call` begins with `Exception encountered when calling`, one "
    "from loading ends with `Exception encountered:` and the cause.",
    keras=">=3",
)
def test_the_cause_is_at_the_end():
    with pytest.raises(TypeError) as raised:
        reloaded(plain_model()[0])
    before, _, cause = str(raised.value).rpartition("Exception encountered: ")
    assert "batch_shape" in before
    assert cause.startswith("Could not locate class 'Plain'.")


@proves(
    "Or `'name'` or `'dtype'`: take `**kwargs` in `__init__`, and pass them to "
    "`super().__init__(**kwargs)`.",
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


@proves(
    "Import the module of the class, so that its decorator runs. If the class had no "
    'decorator when the file was saved, pass `custom_objects={"Gain": Gain}` to '
    "`load_model`.",
    false_with={"passes": False},
)
def test_custom_objects_load_an_older_file(passes=True):
    class Gain(keras.layers.Layer):
        def call(self, x):
            return 2.0 * x

    model = keras.Sequential([keras.Input(shape=(2,)), Gain()])
    paths = "model.keras", "model.h5"
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            model.save(f"{folder}/{path}")
        registered(Gain)  # too late for both files
        for path in paths:
            with pytest.raises((TypeError, ValueError), match="Gain"):
                keras.models.load_model(f"{folder}/{path}")
            known = {"Gain": Gain} if passes else {}
            try:
                copy = keras.models.load_model(f"{folder}/{path}", known)
            except (TypeError, ValueError):
                copy = None
            assert copy is not None
            assert np.array(copy(np.ones((1, 2)))).tolist() == [[2.0, 2.0]]


# `Lambda`, and where it is refused


def ways_back(model):
    """Each way from a model with a `Lambda` to another model like it."""
    from keras import saving  # which `tensorflow.keras` does not have

    layer = model.layers[-1]
    graph = keras.Model(model.inputs, model.outputs)
    return {
        "keras": lambda: reloaded(model),
        "h5": lambda: reloaded_h5(model),
        "json": lambda: keras.models.model_from_json(model.to_json()),
        "Sequential": lambda: keras.Sequential.from_config(model.get_config()),
        "Model": lambda: keras.Model.from_config(graph.get_config()),
        "Lambda": lambda: keras.layers.Lambda.from_config(layer.get_config()),
        "clone": lambda: keras.models.clone_model(model),
        "object": lambda: saving.deserialize_keras_object(
            saving.serialize_keras_object(model)
        ),
        "layer": lambda: keras.layers.deserialize(keras.layers.serialize(layer)),
    }


def reloaded_h5(model, **options):
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.h5")
        return keras.models.load_model(f"{folder}/model.h5", **options)


def refusals(function):
    """Which of the ways back raise the error about a Python lambda."""
    refused, said = [], {True}
    for name, way in ways_back(lambda_model(function)).items():
        try:
            copy = way()
        except ValueError as error:
            refused.append(name)
            said.add("deserialization of a `Lambda` layer" in str(error))
        else:
            assert np.array(copy(np.ones((1, 2)))).tolist() == [[2.0, 2.0]]
    assert said == {True}
    return refused


@proves(
    "On Keras 3.15 `model_from_json`, `clone_model`, `from_config` and `deserialize` "
    "refuse a Python `lambda` too.",
    keras=">=3.15",
    needs="keras>=3.13",
    false_with={"function": registered_function},
)
def test_a_lambda_is_refused_in_many_places(function=lambda: lambda x: x + 1.0):
    assert len(refusals(function())) == 9


@proves(
    "With one, weights files, `export`, `pickle` and `copy.deepcopy` work.",
    needs="keras>=3",
    false_with={"ways": ("weights", "export", "pickle", "deepcopy", "load_model")},
    keras=">=3.4",
)
def test_a_lambda_is_taken_in_some_places(
    ways=("weights", "export", "pickle", "deepcopy"),
):
    import copy
    import pickle

    model, x = lambda_model(lambda x: x + 1.0), np.ones((1, 2), "float32")

    def by_weights():
        with tempfile.TemporaryDirectory() as folder:
            model.save_weights(f"{folder}/model.weights.h5")
            again = lambda_model(lambda x: x + 1.0)
            again.load_weights(f"{folder}/model.weights.h5")
        return again

    def by_export():
        with tempfile.TemporaryDirectory() as folder:
            model.export(f"{folder}/model")
            return tf.saved_model.load(f"{folder}/model").serve

    found = {
        "weights": by_weights,
        "export": by_export,
        "pickle": lambda: pickle.loads(pickle.dumps(model)),
        "deepcopy": lambda: copy.deepcopy(model),
        "load_model": lambda: reloaded(model),
    }
    for way in ways:
        try:
            outputs = np.array(found[way]()(x)).tolist()
        except ValueError:
            outputs = None
        assert outputs == [[2.0, 2.0]]


@proves(
    "**If the file is your own:** pass `safe_mode=False` to `load_model`. For "
    "`model_from_json`, `from_config` or `clone_model`, call "
    "`keras.config.enable_unsafe_deserialization()` once; it holds until the process "
    "ends.",
    false_with={"trusts": False},
    needs="keras>=3",
)
def test_two_ways_to_trust_a_lambda(trusts=True):
    from keras.src.backend.common import global_state

    model = lambda_model(lambda x: x + 1.0)
    try:
        copies = [reloaded(model, safe_mode=not trusts)]
        if trusts:
            keras.config.enable_unsafe_deserialization()
        copies += [way() for name, way in ways_back(model).items() if name != "h5"]
    except ValueError:
        copies = []
    finally:
        global_state.set_global_attribute("safe_mode_saving", None)
    assert len(copies) == 9


@proves(
    "In a Sequential model a registered function will do, which every way of "
    "loading accepts:",
    false_with={"function": lambda: lambda x: x + 1.0},
    needs="keras>=3",
)
def test_a_registered_function_is_loaded_everywhere(function=registered_function):
    assert refusals(function()) == []


@proves(
    "**No error, wrong result:** in `Lambda(lambda x: x * factor)` a variable `factor` "
    "is not trained.",
    false_with={"as_layer": True},
    needs="keras>=3",
)
def test_a_weight_in_a_lambda_is_not_trained(as_layer=False):
    factor = keras.Variable(3.0)

    class Times(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, x):
            return x * self.factor

    layer = Times() if as_layer else keras.layers.Lambda(lambda x: x * factor)
    model = keras.Sequential([keras.Input(shape=(1,)), layer, keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 1)), np.zeros((4, 1)), verbose=0)
    assert np.array(factor) == 3.0
    assert len(model.trainable_weights) == 2


@proves(
    "A `Lambda` also drops the mask, with a warning, unless its argument `mask` is "
    "a function that returns it.",
    false_with={"options": {"mask": lambda inputs, mask: mask}},
    needs="keras>=3",
)
def test_a_lambda_drops_the_mask(options=None):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = mask_after(keras.layers.Lambda(lambda x: x * 1, **(options or {})))
    assert found is None
    assert [w for w in caught if "does not support masking" in str(w.message)]


# Test it as Keras tests its own


@proves(
    "Keras has a test for its own layers, and it runs on yours.",
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
    "It makes the layer from its config, builds it, calls it on an Input and on "
    "arrays, trains it for a step and runs it in mixed precision; it is silent if "
    "all is well.",
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


def verdicts(layer_class, arguments):
    """Whether the suite passes a layer, and what the recipe says of it."""
    from keras.src.testing import TestCase

    from snippets.custom_layers import layer_problem

    TestCase().run_layer_test(layer_class, arguments, input_shape=(2, 3))
    return layer_problem(layer_class, arguments, (2, 3))


@proves(
    "The test does not notice an argument that `get_config` forgets, an output "
    "that should have been float16, and, if `expected_output_shape` is not passed, "
    "a wrong `compute_output_shape`. The recipe "
    "`snippets.custom_layers.layer_problem` sees all three: if `Gain` forgot its "
    'argument, `layer_problem(Gain, {"initial": 3.0}, (2, 3))` would say that 3.0 '
    "came back as 1.0.",
    false_with={"forgets": False},
    needs="keras>=3",
)
def test_the_suite_does_not_see_a_forgotten_argument(forgets=True):
    from snippets.custom_layers import Gain
    from snippets.custom_layers.mistakes import ForgetfulGain

    problem = verdicts(ForgetfulGain if forgets else Gain, {"initial": 3.0})
    assert problem == "`initial` was 3.0 and came back as 1.0"


@proves(
    "The test does not notice an argument that `get_config` forgets, an output "
    "that should have been float16, and, if `expected_output_shape` is not passed, "
    "a wrong `compute_output_shape`. The recipe "
    "`snippets.custom_layers.layer_problem` sees all three: if `Gain` forgot its "
    'argument, `layer_problem(Gain, {"initial": 3.0}, (2, 3))` would say that 3.0 '
    "came back as 1.0.",
    false_with={"is_wrong": False},
    needs="keras>=3",
)
def test_the_suite_does_not_see_a_wrong_shape(is_wrong=True):
    from keras.src.testing import TestCase

    @registered
    class Shapeless(keras.layers.Layer):
        def call(self, x):
            return keras.ops.sum(x, axis=-1)

        def compute_output_shape(self, input_shape):
            return input_shape if is_wrong else input_shape[:-1]

    assert verdicts(Shapeless, {}) == "the shape (2, 3) is declared, not (2,)"
    with pytest.raises(AssertionError, match="output shape"):
        TestCase().run_layer_test(
            Shapeless, {}, input_shape=(2, 3), expected_output_shape=(2,)
        )


@proves(
    "The test does not notice an argument that `get_config` forgets, an output "
    "that should have been float16, and, if `expected_output_shape` is not passed, "
    "a wrong `compute_output_shape`. The recipe "
    "`snippets.custom_layers.layer_problem` sees all three: if `Gain` forgot its "
    'argument, `layer_problem(Gain, {"initial": 3.0}, (2, 3))` would say that 3.0 '
    "came back as 1.0.",
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
    "One failure of this test is no fault of yours: under `mixed_float16` it "
    "expects float32 from a layer that multiplies by its own weight, and says that "
    "it got float16. It works out the dtype of the output without casting weights. "
    "A `compute_output_shape`, as in `Gain`, avoids this.",
    false_with={"declares": True},
    needs="keras>=3",
)
def test_outside_a_call_weights_are_not_cast(declares=False):
    from keras.src.testing import TestCase

    @registered
    class Traced(keras.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(1,))

        def call(self, x):
            return x * self.w

    @registered
    class Declared(Traced):
        def compute_output_shape(self, input_shape):
            return input_shape

    layer = (Declared if declares else Traced)(dtype="mixed_float16")
    assert layer(np.ones((2, 3))).dtype == "float16"
    declared = layer.compute_output_spec(keras.KerasTensor((2, 3), dtype="float16"))
    assert declared.dtype == "float32"
    with pytest.raises(AssertionError, match="float16"):
        TestCase().run_layer_test(type(layer), {}, input_shape=(2, 3))


# Say what is wrong


@proves(
    "A message from `call` begins with `Exception encountered when calling`, one from "
    "loading ends with `Exception encountered:` and the cause.",
    false_with={"is_direct": True},
    needs="keras>=3",
)
def test_an_error_in_call_says_so(is_direct=False):
    for error in (ValueError("a"), KeyError("a"), TypeError("a"), RuntimeError("a")):

        def call(self, x, error=error):
            raise error

        layer, x = mine(call=call), np.ones((1, 2), "float32")
        try:
            layer.call(x) if is_direct else layer(x)
        except Exception as problem:
            found = str(problem)
        assert "Exception encountered when calling" in found[:40]


@proves(
    'On Keras 2 the name came first: `add_weight("w", shape)`. On Keras 3 write '
    '`add_weight(shape, name="w")`.',
    false_with={"arguments": ("w", (2,))},
    needs="keras>=3",
)
def test_the_name_must_be_a_keyword(arguments=((2,),)):
    layer = mine(build=lambda self, shape: self.add_weight(*arguments, name="w"))
    with contextlib.suppress(TypeError, ValueError, AttributeError):
        layer(np.ones((1, 2)))
    assert [weight.name for weight in layer.weights] == ["w"]


@proves(
    "Pass what is no tensor by its name: `layer(x, training=True)`, not `layer(x, "
    "True)`.",
    false_with={"by_name": False},
    needs="keras>=3",
)
def test_arguments_that_are_no_tensors_have_names(by_name=True):
    layer, x = Told(), np.ones((1, 1), "float32")
    words = ""
    try:
        layer(x, training=True) if by_name else layer(x, True)
    except ValueError as error:
        words = str(error)
    with pytest.raises(ValueError, match="Only input tensors may be passed"):
        layer(x, True)
    assert words == ""

"""Proofs of the guide to smaller models."""

import contextlib
import functools
import gzip
import io
import json
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves

# Seconds after which a program of another process has hung; none decides a verdict.
LIMIT = 900


@functools.cache
def lite_network():
    """A network that has learned digits, on the Keras of this environment."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 16.0).astype("float32")
    keras.utils.set_random_seed(0)
    wide = [keras.layers.Dense(512, activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((64,)), *wide, keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.fit(images[:1024], labels[:1024], batch_size=64, epochs=10, verbose=0)
    return model, images


@functools.cache
def lite_files():
    from snippets.smaller_models import LITE_KINDS, lite_file

    model, images = lite_network()
    return {kind: lite_file(model, kind, images[:100]) for kind in LITE_KINDS}


def lite_answers(file, inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names a successor
        interpreter = tf.lite.Interpreter(model_content=file)
    [source], [target] = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    interpreter.resize_tensor_input(source["index"], inputs.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], inputs)
    interpreter.invoke()
    return interpreter.get_tensor(target["index"])


@proves(
    "Convert it to a LiteRT file, formerly TensorFlow Lite, with weights of 8 "
    "bits. The file takes a bit more than a quarter of the bytes of the weights, "
    "and an interpreter runs it without Keras.",
    false_with={"hidden": "numpy"},
    needs="keras>=3.6",
)
def test_the_interpreter_runs_without_keras(hidden="keras"):
    from snippets.processes import run_python

    model, _ = lite_network()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "file").write_bytes(lite_files()["int8 weights"])
        program = f"""
import json, sys
sys.modules[{hidden!r}] = None  # not to be found
import numpy as np
import tensorflow as tf
interpreter = tf.lite.Interpreter({folder + "/file"!r})
interpreter.allocate_tensors()
[source], [target] = interpreter.get_input_details(), interpreter.get_output_details()
interpreter.set_tensor(source["index"], np.ones((1, 64), "float32"))
interpreter.invoke()
print(json.dumps(interpreter.get_tensor(target["index"]).tolist()))
"""
        try:
            printed = run_python(program, timeout=LIMIT)
        except RuntimeError as error:
            printed = json.dumps(str(error))
    scores = json.loads(printed.splitlines()[-1])
    expected = model(np.ones((1, 64), "float32"))
    assert "import of" not in scores
    assert np.allclose(scores, expected, atol=0.2)
    sizes = {kind: len(file) for kind, file in lite_files().items()}
    assert 0.25 < sizes["int8 weights"] / sizes["float32"] < 0.3


@proves(
    "float16 weights take half the bytes of the file, int8 a bit more than a quarter.",
    false_with={"half": "float32"},
    needs="keras>=3.6",
)
def test_weights_take_half_and_a_quarter(half="float16 weights"):
    sizes = {kind: len(file) for kind, file in lite_files().items()}
    whole = sizes["float32"]
    assert 0.5 <= sizes[half] / whole < 0.52
    for kind in ("int8", "int8 weights"):
        assert 0.25 < sizes[kind] / whole < 0.3


@proves(
    "Each file agrees with Keras on at least 98 % of the test digits.",
    false_with={"brightness": 0.01},
    needs="keras>=3.6",
)
def test_the_classes_stay_the_same(brightness=1.0):
    """Under the falsifier int8 is set up with images that are far too dark."""
    from snippets.smaller_models import lite_file

    model, images = lite_network()
    classes = np.argmax(model(images[1024:]), axis=1)
    files = dict(lite_files())
    assert len(files) == 4
    if brightness != 1.0:
        files["int8"] = lite_file(model, "int8", brightness * images[:100])
    for file in files.values():
        found = np.argmax(lite_answers(file, images[1024:]), axis=1)
        assert np.mean(found == classes) >= 0.98


@proves(
    "Install the package `ai-edge-litert`: its `Interpreter` replaces "
    "`tf.lite.Interpreter`, which is deprecated.",
    tensorflow=">=2.19",
)
def test_the_interpreter_names_its_successor():
    file = tf.lite.TFLiteConverter.from_concrete_functions(
        [tf.function(lambda x: x + 1.0).get_concrete_function(tf.TensorSpec([1]))]
    ).convert()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tf.lite.Interpreter(model_content=file)
    text = " ".join(" ".join(str(warning.message).split()) for warning in caught)
    assert "tf.lite.Interpreter is deprecated" in text
    assert "use the LiteRT interpreter from the ai_edge_litert package" in text


def lite_file_by(way, model):
    """A file of a network, by one of the ways to make a converter."""
    converter = tf.lite.TFLiteConverter
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        if way == "from_saved_model":
            model.export(folder)
            converter = converter.from_saved_model(folder)
        elif way == "from_keras_model":
            converter = converter.from_keras_model(model)
        else:
            function = tf.function(lambda x: model(x, training=False))
            concrete = function.get_concrete_function(tf.TensorSpec((None, 64)))
            converter = converter.from_concrete_functions([concrete], model)
        return converter.convert()


@proves(
    "From TensorFlow 2.20 on, `from_concrete_functions([function], model)` of "
    "`tf.lite.TFLiteConverter` writes a file without the weights of a Keras 3 model.",
    false_with={"way": "from_saved_model"},
    needs="tensorflow>=2.20",
    keras=">=3",
    tensorflow=">=2.20",
)
def test_a_concrete_function_loses_the_weights(way="from_concrete_functions"):
    """Less than a byte for each weight."""
    model, images = lite_network()
    file = lite_file_by(way, model)
    assert len(file) < model.count_params()
    scores = lite_answers(file, images[:5])
    assert not np.allclose(scores, model(images[:5]), atol=0.1)


@proves(
    "`from_saved_model`, after `model.export`, and `from_keras_model` keep them: take "
    "either.",
    false_with={"trained": False},
    needs="keras!=3.4.*",
)
def test_two_converters_keep_the_weights(trained=True):
    model, images = lite_network()
    converted = model if trained else keras.models.clone_model(model)
    for way in ("from_saved_model", "from_keras_model"):
        scores = lite_answers(lite_file_by(way, converted), images[:5])
        assert np.allclose(scores, model(images[:5]), atol=1e-3)


@proves(
    "Without the line with `optimizations` every weight takes four bytes:",
    false_with={"optimizations": [tf.lite.Optimize.DEFAULT]},
    needs="keras!=3.4.*",
)
def test_int8_is_an_option(optimizations=()):
    """Four bytes for each weight, in place of one."""
    model, _ = lite_network()
    with contextlib.redirect_stdout(io.StringIO()):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = list(optimizations)
        assert len(converter.convert()) > 4 * model.count_params()


def tensors_of_products(file):
    """The types of what each matrix product of a file takes and gives, and of all."""
    interpreter = prepared(file)
    types = {
        tensor["index"]: np.dtype(tensor["dtype"]).name
        for tensor in interpreter.get_tensor_details()
    }
    products = [
        ([types[n] for n in op["inputs"] if n in types], types[op["outputs"][0]])
        for op in interpreter._get_ops_details()
        if op["op_name"] == "FULLY_CONNECTED"
    ]
    return products, types


@proves(
    "**float16 weights** become float32 again before our CPU computes with them.",
    false_with={"kind": "int8 weights"},
    needs="keras>=3.6",
)
def test_float16_weights_become_float32(kind="float16 weights"):
    products, types = tensors_of_products(lite_files()[kind])
    assert len(products) == 3
    assert {name for inputs, _ in products for name in inputs} == {"float32"}
    assert "float16" in types.values()


@proves(
    "At each call a `Dense` or `Conv2D` layer rounds its input to int8 too, in 255 "
    "equal steps from the smallest number of that input to the largest, or to zero "
    "if all are on one side of it. What the layer gives is float32.",
    false_with={"kind": "float16 weights"},
    needs="keras>=3.6",
)
def test_int8_weights_round_their_inputs(kind="int8 weights"):
    """Beside 1000 small numbers get lost; alone they do not."""
    from snippets.smaller_models import lite_file

    dense = keras.layers.Dense(64, use_bias=False)
    convolution = keras.layers.Conv2D(64, 3, use_bias=False)
    for layer, shape in [(dense, (64,)), (convolution, (8, 8, 64))]:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input(shape), layer])
        small = np.random.default_rng(0).uniform(-1, 1, (1, *shape)).astype("float32")
        small[..., 0] = 0.0
        large = np.zeros_like(small)
        large[..., 0] = 1000.0
        file, expected = lite_file(model, kind, small), np.array(model(small))
        assert "int8" in tensors_of_products(file)[1].values()
        found = lite_answers(file, small)
        assert found.dtype == "float32"
        assert np.abs(found - expected).max() < 0.02 * np.abs(expected).max()
        beside = lite_answers(file, small + large) - lite_answers(file, large)
        assert np.abs(beside - expected).max() > 0.5 * np.abs(expected).max()
    same = [np.eye(64, dtype="float32"), np.eye(64, dtype="float32")[None, None]]
    dense = keras.layers.Dense(64, use_bias=False)
    convolution = keras.layers.Conv2D(64, 1, use_bias=False)
    for layer, shape, kernel in zip(
        (dense, convolution), ((64,), (1, 1, 64)), same, strict=True
    ):
        model = keras.Sequential([keras.Input(shape), layer])
        layer.set_weights([kernel])
        file = lite_file(model, kind, small)
        for low, high in [(0, 1000), (-1000, 0), (-1000, 1000), (500, 1000)]:
            x = np.linspace(low, high, 64, dtype="float32").reshape(1, *shape)
            step = (max(high, 0) - min(low, 0)) / 255
            error = np.abs(lite_answers(file, x) - x).max()
            assert 0.4 * step < error < 0.6 * step


@proves(
    "**int8 weights** are stored as integers. Biases, and kernels of fewer than 1,024 "
    "numbers, stay float32.",
    false_with={"units": 32},
    needs="keras>=3.6",
)
def test_small_kernels_stay_float32(units=31):
    """33 by 31 numbers are one less than 1,024, 32 by 32 are as many."""
    from snippets.smaller_models import lite_file

    types = {}
    for shape in ((33, units), (32, 32)):
        layer = keras.layers.Dense(shape[1], bias_initializer="ones")
        model = keras.Sequential([keras.Input(shape[:1]), layer])
        file = lite_file(model, "int8 weights", np.ones((1, shape[0])))
        for tensor in prepared(file).get_tensor_details():
            types[tuple(map(int, tensor["shape"]))] = np.dtype(tensor["dtype"]).name
    assert types[32, 32] == "int8"
    assert types[32,] == "float32"
    assert types[units, 33] == "float32"


class Summed(keras.layers.Layer):
    """Sums up to each number: an operation that LiteRT has in floats alone."""

    def call(self, x):
        return tf.math.cumsum(x, axis=-1)


class Doubled(keras.layers.Layer):
    """An operation that LiteRT has in integers, too."""

    def call(self, x):
        return x + x


@proves(
    "**int8** keeps integers between the layers, too; an operation without an integer "
    "kernel stays in floats. Such a file still takes and gives float32.",
    false_with={"kind": "int8 weights"},
    needs="keras>=3.6",
)
def test_int8_keeps_integers_between_layers(kind="int8"):
    from snippets.smaller_models import lite_file

    products, _ = tensors_of_products(lite_files()[kind])
    assert [output for _, output in products] == ["int8"] * 3
    interpreter = prepared(lite_files()[kind])
    for ends in (interpreter.get_input_details(), interpreter.get_output_details()):
        assert [end["dtype"] for end in ends] == [np.float32]
    floats = {}
    for between in (Doubled(), Summed()):
        dense = [keras.layers.Dense(8), between, keras.layers.Dense(2)]
        model = keras.Sequential([keras.Input((8,)), *dense])
        rows = np.random.default_rng(0).random((100, 8), "float32")
        types = tensors_of_products(lite_file(model, kind, rows))[1].values()
        floats[type(between)] = list(types).count("float32")
    assert (floats[Doubled], floats[Summed]) == (2, 4)  # input and output, and two


def file_of_integers(model, examples, ends=tf.int8, **exporting):
    """A file by the lines of the page; None leaves out that of input and output."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        model.export(folder, **exporting)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        batches = examples[:, np.newaxis]
        converter.representative_dataset = lambda: ([batch] for batch in batches)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        if ends is not None:
            converter.inference_input_type = converter.inference_output_type = ends
        return converter.convert()


def floats_in(file):
    details = prepared(file).get_tensor_details()
    return [tensor["name"] for tensor in details if tensor["dtype"] == np.float32]


@proves(
    "With these `supported_ops` and inference types, all tensors of the file are "
    "integers, if every operation has an integer kernel:",
    false_with={"ends": tf.float32},
    needs="keras!=3.4.*",
)
def test_a_file_of_integers_alone(ends=tf.int8):
    """It gives the classes that Keras gives."""
    model, images = lite_network()
    file = file_of_integers(model, images[:100], ends)
    assert floats_in(file) == []
    interpreter = prepared(file)
    for tensor in interpreter.get_tensor_details():
        assert np.issubdtype(tensor["dtype"], np.integer)
    [source], [target] = (
        interpreter.get_input_details(),
        interpreter.get_output_details(),
    )
    assert (source["dtype"], target["dtype"]) == (np.int8, np.int8)
    scale, zero = source["quantization"]
    integers = np.int8(np.clip(np.round(images[1024:] / scale) + zero, -128, 127))
    found = np.argmax(lite_answers(file, integers), axis=1)
    assert np.mean(found == np.argmax(model(images[1024:]), axis=1)) >= 0.98


@proves(
    "The file leaves the size of the batch open. If the device wants a fixed one, "
    "as an Edge TPU may, pass `input_signature=[tf.TensorSpec((1, 8, 8, 1), "
    "tf.float32)]` to `export`, from Keras 3.9 on: then no tensor of the file has "
    "an open size.",
    false_with={"size": None},
    needs="keras>=3.9",
)
def test_a_batch_of_one_is_fixed(size=1):
    layers = keras.layers.Flatten(), keras.layers.Dense(3)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers])
    images = np.zeros((100, 8, 8, 1), "float32")

    def is_open(**options):
        file = file_of_integers(model, images, **options)
        details = prepared(file).get_tensor_details()
        return any(-1 in tensor["shape_signature"] for tensor in details)

    assert is_open()
    signature = [tf.TensorSpec((size, 8, 8, 1), tf.float32)]
    assert not is_open(input_signature=signature)


@proves(
    "To write such a file without `lite_file`, convert as for integers alone, but "
    "leave out the line that begins with `converter.inference_input_type`.",
    false_with={"ends": tf.int8},
    needs="keras!=3.4.*",
)
def test_int8_between_float_ends(ends=None):
    model, images = lite_network()
    file = file_of_integers(model, images[:100], ends)
    interpreter = prepared(file)
    for found in (interpreter.get_input_details(), interpreter.get_output_details()):
        assert [end["dtype"] for end in found] == [np.float32]
    assert len(floats_in(file)) == 2
    products, _ = tensors_of_products(file)
    assert [output for _, output in products] == ["int8"] * 3


def written(action):
    """What an action writes to the standard outputs, libraries in C++ included."""
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as file:
        try:
            for number in (1, 2):
                os.dup2(file.fileno(), number)
            action()
        finally:
            for number, old in enumerate(kept, 1):
                os.dup2(old, number)
                os.close(old)
        file.seek(0)
        return file.read().decode()


@proves(
    "While it writes a file of integers, the converter prints `fully_quantize: 0`, "
    "whatever comes of it; that is no error.",
    false_with={"kinds": ("float32", "int8 weights")},
    needs="keras>=3.6",
)
def test_the_converter_prints_zero_in_any_case(kinds=("int8", "integers alone")):
    """Of the kind int8, and of integers alone, in which no float is left."""
    from snippets.smaller_models import lite_file

    model, images = lite_network()
    for kind in kinds:
        said = written(
            lambda kind=kind: (
                file_of_integers(model, images[:10])
                if kind == "integers alone"
                else lite_file(model, kind, images[:10])
            )
        )
        assert "fully_quantize: 0" in said
    assert floats_in(file_of_integers(model, images[:10])) == []


@proves(
    "The scale and the zero point of the output make floats of its integers. Convert "
    "to float32 before you subtract: int8 overflows.",
    false_with={"dtype": "int8"},
    needs="keras!=3.4.*",
)
def test_integers_become_floats_again(dtype="float32"):
    model, images = lite_network()
    layers = [*model.layers, keras.layers.Softmax()]
    classifier = keras.Sequential([keras.Input((64,)), *layers])
    interpreter = prepared(file_of_integers(classifier, images[:100]))
    predict = interpreter.get_signature_runner()
    [(name, pixels)] = predict.get_input_details().items()
    scale, zero = pixels["quantization"]
    integers = np.int8(np.clip(np.round(images / scale) + zero, -128, 127))
    [scores] = predict(**{name: integers}).values()
    [output] = predict.get_output_details().values()
    scale, zero = output["quantization"]
    floats = (scores.astype(dtype) - zero) * scale
    assert scores.dtype == "int8"
    assert np.mean(np.abs(floats - np.array(classifier(images)))) < 0.02


def signature_of(model, examples=None):
    """The inputs of a file by name; with examples they are integers."""
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if examples is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (examples for _ in range(9))
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.int8
        file = converter.convert()
    return prepared(file).get_signature_runner().get_input_details()


@proves(
    "For several inputs let it yield a dict from their names to batches of one: a "
    "list would have to follow the order of the inputs in the file, which may "
    "differ from that in the model.",
    false_with={"order": reversed},
    needs="keras>=3.6",
)
def test_examples_of_several_inputs(order=list):
    """The numbers of a are small, those of b are large, and the scales show it."""
    batches = {"a": np.float32([[0, 10]]), "b": np.float32([[0, 1000]])}
    wanted = pytest.approx({"a": 10 / 255, "b": 1000 / 255}, rel=1e-3)
    for names in ("ab", "ba"):
        inputs = [keras.Input((2,), name=name) for name in names]
        joined = [keras.layers.Dense(8)(one) for one in inputs]
        outputs = keras.layers.Concatenate()(joined)
        model = keras.Model(inputs, outputs)
        plain = signature_of(model)
        in_file = sorted(plain, key=lambda name: plain[name]["index"])
        for examples in (batches, [batches[name] for name in order(in_file)]):
            found = signature_of(model, examples)
            assert {n: found[n]["quantization"][0] for n in found} == wanted


@proves(
    "Keep 16 bits between the layers, and 8 for the weights: take the code for "
    "integers alone, replace `tf.lite.OpsSet.TFLITE_BUILTINS_INT8` by "
    "`tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8`, and "
    "delete the line of the inference types.",
    false_with={"kernels": "TFLITE_BUILTINS_INT8"},
    needs="keras>=3.6",
)
def test_sixteen_bits_between_the_layers(
    kernels="EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8",
):
    """And its scores are close to those of Keras."""
    model, images = lite_network()
    with contextlib.redirect_stdout(io.StringIO()):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        batches = images[:100, np.newaxis]
        converter.representative_dataset = lambda: ([batch] for batch in batches)
        converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, kernels)]
        file = converter.convert()
    products, types = tensors_of_products(file)
    assert [output for _, output in products] == ["int16"] * 3
    assert "int8" in types.values()
    assert len(file) < 1.2 * model.count_params()
    assert np.allclose(
        lite_answers(file, images[1024:]), model(images[1024:]), atol=0.5
    )


@proves(
    "`supported_ops` does not refuse an operation without an integer kernel, such as "
    "`tf.math.cumsum`: it stays in floats, without an error.",
    false_with={"between": Doubled},
    needs="keras!=3.4.*",
)
def test_a_float_is_not_refused(between=Summed):
    dense = [keras.layers.Dense(8), between(), keras.layers.Dense(2)]
    model = keras.Sequential([keras.Input((8,)), *dense])
    rows = np.random.default_rng(0).random((100, 8), "float32")
    assert len(floats_in(file_of_integers(model, rows))) == 2


@proves(
    "Keras cannot load a LiteRT file, so keep the `.keras` file too.",
    false_with={"suffix": "keras"},
    needs="keras>=3.6",
)
def test_keras_loads_no_lite_file(suffix="tflite"):
    model, _ = lite_network()
    for file in lite_files().values():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"model.{suffix}")
            if suffix == "tflite":
                path.write_bytes(file)
            else:
                model.save(path)
            try:
                loaded = keras.models.load_model(path).count_params()
            except ValueError as error:
                loaded = str(error)
        assert "File format not supported" in str(loaded)


@proves(
    "It takes several inputs by their names, while `lite_function` is for models of "
    "one input and one output.",
    false_with={"names": ("left",)},
    needs="keras>=3.6",
)
def test_a_signature_takes_several_inputs(names=("left", "right")):
    from snippets.smaller_models import lite_file, lite_function

    inputs = [keras.Input((2,), name=name) for name in names]
    outputs = keras.layers.Concatenate()([*inputs, *inputs])
    file = lite_file(keras.Model(inputs, outputs), "float32", np.ones((1, 2)))
    batches = {name: np.ones((5, 2), "float32") for name in names}
    [found] = prepared(file).get_signature_runner()(**batches).values()
    assert found.shape == (5, 4 * len(names))
    try:
        answer = lite_function(file)(batches["left"])
    except ValueError as error:
        answer = str(error)
    assert "too many values to unpack" in str(answer)


@proves(
    "A model of several outputs gives a dict with an array for each.",
    false_with={"sizes": (2,)},
    needs="keras>=3.6",
)
def test_a_signature_gives_several_outputs(sizes=(2, 3)):
    from snippets.smaller_models import lite_file

    inputs = keras.Input((4,))
    outputs = [keras.layers.Dense(size)(inputs) for size in sizes]
    file = lite_file(keras.Model(inputs, outputs), "float32", np.ones((1, 4)))
    predict = prepared(file).get_signature_runner()
    [name] = predict.get_input_details()
    found = predict(**{name: np.ones((5, 4), "float32")})
    assert sorted(array.shape for array in found.values()) == [(5, 2), (5, 3)]


@proves(
    "The converter needs a representative dataset for int8: examples of inputs, from "
    "which it learns how large the numbers between the layers become. When the file "
    "runs, larger numbers are cut off, so give the converter a hundred examples or "
    "more, like the real inputs.",
    false_with={"brightness": 1.0},
    needs="keras>=3.6",
)
def test_int8_cuts_off_what_is_larger(brightness=0.1):
    """Set up with dark digits, it gives small scores for bright ones."""
    from snippets.smaller_models import lite_file

    model, images = lite_network()
    file = lite_file(model, "int8", brightness * images[:100])
    assert lite_answers(file, images).max() < 0.7 * np.max(model(images))


@proves(
    "Inputs a thousand times smaller than the examples all become zero.",
    false_with={"brightness": 1.0},
    needs="keras>=3.6",
)
def test_int8_loses_what_is_much_smaller(brightness=0.001):
    """It gives the scores of a black image for all of them."""
    from snippets.smaller_models import lite_file

    model, images = lite_network()
    file = lite_file(model, "int8", images[:100])
    dark = (brightness * images).astype("float32")
    black = lite_answers(file, np.zeros_like(images))
    assert np.array_equal(lite_answers(file, dark), black)
    assert not np.array_equal(np.array(model(dark)), np.array(model(0 * dark)))


@proves(
    "What `get_signature_runner` returns takes batches of any size.",
    false_with={"size": None},
    needs="keras!=3.4.*",
)
def test_a_signature_takes_any_batch(size=0):
    """None stands for two images without a batch."""
    interpreter = prepared(lite_file_by("from_keras_model", lite_network()[0]))
    predict = interpreter.get_signature_runner()
    [name] = predict.get_input_details()
    images = lite_network()[1]
    for batch in (images[:3], images[:1], images[:50], images[size or 0 : 4]):
        if size is None:
            batch = batch[0]
        try:
            [scores] = predict(**{name: batch}).values()
        except (RuntimeError, ValueError):
            scores = np.zeros(0)
        assert scores.shape == (len(batch), 10)


def prepared(file, allocate=True):
    """An interpreter of a file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names a successor
        interpreter = tf.lite.Interpreter(model_content=file)
    if allocate:
        interpreter.allocate_tensors()
    return interpreter


def refusal(batch, allocate=True, resize=False):
    """What an interpreter says to a batch of images."""
    file = lite_file_by("from_keras_model", lite_network()[0])
    interpreter = prepared(file, allocate)
    [source] = interpreter.get_input_details()
    if resize:
        interpreter.resize_tensor_input(source["index"], batch.shape)
        interpreter.allocate_tensors()
    try:
        interpreter.set_tensor(source["index"], batch)
    except ValueError as error:
        return str(error)
    return "no error"


@proves(
    "`interpreter.set_tensor` wants the size of batch that was allocated, 1 at first.",
    false_with={"size": 1},
    needs="keras!=3.4.*",
)
def test_set_tensor_wants_the_size(size=3):
    message = "Dimension mismatch. Got 3 but expected 1 for dimension 0 of input 0."
    assert message in refusal(np.ones((size, 64), "float32"))


@proves(
    "Use `get_signature_runner`, as above, or call `resize_tensor_input` and then "
    "`allocate_tensors`.",
    false_with={"resize": False},
    needs="keras!=3.4.*",
)
def test_a_resized_input(resize=True):
    assert refusal(np.ones((3, 64), "float32"), resize=resize) == "no error"


@proves(
    "NumPy computes in float64; convert the input with `np.float32(array)`.",
    false_with={"dtype": "float32"},
    needs="keras!=3.4.*",
)
def test_a_file_wants_float32(dtype="float64"):
    assert refusal(np.float32(np.ones((1, 64)))) == "no error"
    message = refusal(np.ones((1, 64), dtype))
    assert "Got value of type FLOAT64 but expected type FLOAT32" in message


@proves(
    "Call `interpreter.allocate_tensors()` before `set_tensor`.",
    false_with={"allocate": True},
    needs="keras!=3.4.*",
)
def test_tensors_have_to_be_allocated(allocate=False):
    message = refusal(np.ones((1, 64), "float32"), allocate=allocate)
    assert "Tensor is unallocated. Try calling allocate_tensors() first" in message


def converted_cholesky(*kinds):
    """A file of a function with an operation that LiteRT lacks, or what is said."""
    function = tf.function(tf.linalg.cholesky)
    concrete = function.get_concrete_function(tf.TensorSpec((4, 4)))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, k) for k in kinds]
    try:
        return converter.convert()
    except Exception as error:
        return str(error)


@proves(
    "The message names the operations after the words *TF Select ops*.",
    false_with={"kinds": ("TFLITE_BUILTINS", "SELECT_TF_OPS")},
)
def test_the_converter_names_the_operations(kinds=("TFLITE_BUILTINS",)):
    said = str(converted_cholesky(*kinds))
    assert "Some ops are not supported by the native TFLite runtime" in said
    assert "TF Select ops: Cholesky" in said


@proves(
    "Replace them by simpler ones, or allow the operations of TensorFlow, which need a "
    "larger interpreter on the device:",
    false_with={"kinds": ("TFLITE_BUILTINS",)},
)
def test_select_ops_convert(kinds=("TFLITE_BUILTINS", "SELECT_TF_OPS")):
    file = converted_cholesky(*kinds)
    assert isinstance(file, bytes)
    assert file[4:8] == b"TFL3"


# In Keras


def quantized(*layers, shape=(4,)):
    """A model after `quantize`, without its warnings."""
    model = keras.Sequential([keras.Input(shape), *layers])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names what it leaves
        model.quantize("int8")
    return model


@proves(
    "It changes the model in place, and is for `Dense`, `EinsumDense` and `Embedding` "
    "layers; others, such as `Conv2D`, stay float32.",
    false_with={"other": lambda: keras.layers.Dense(2)},
    needs="keras>=3.9",
)
def test_quantize_leaves_convolutions(other=lambda: keras.layers.Conv2D(2, 2)):
    for layer in (
        keras.layers.Dense(2),
        keras.layers.EinsumDense("bijc,cd->bijd", (None, None, 2)),
    ):
        model = quantized(layer, shape=(4, 4, 3))
        assert "int8" in {str(weight.dtype) for weight in model.weights}
    model = quantized(keras.layers.Embedding(5, 2))
    assert "int8" in {str(weight.dtype) for weight in model.weights}
    model = quantized(other(), shape=(4, 4, 3))
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}


@proves("`quantize` is a method of Keras 3.", keras=">=3")
def test_quantize_is_of_keras_3():
    assert hasattr(keras.Sequential([]), "quantize")


def bytes_of(model, **options):
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/model.keras", **options)
        return Path(folder, "model.keras").stat().st_size


@proves(
    "The file takes about a quarter,",
    false_with={"is_quantized": False},
    needs="keras>=3.6",
)
def test_a_quantized_file_is_a_quarter(is_quantized=True):
    """And the model gives the same classes, also after it was loaded."""
    model, images = lite_network()
    small = keras.models.clone_model(model)
    small.set_weights(model.get_weights())
    whole = bytes_of(small)
    if is_quantized:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it names what it leaves
            small.quantize("int8")
    assert 0.2 < bytes_of(small) / whole < 0.35
    with tempfile.TemporaryDirectory() as folder:
        small.save(f"{folder}/small.keras")
        loaded = keras.models.load_model(f"{folder}/small.keras")
    classes = np.argmax(model(images[1024:]), axis=1)
    assert np.mean(np.argmax(loaded(images[1024:]), axis=1) == classes) >= 0.98


@proves(
    '`quantize("int8")` writes no LiteRT file: it keeps the kernel of a `Dense` '
    "layer as int8, with a float32 scale for each of its units.",
    false_with={"layer": keras.layers.Conv1D},
    needs="keras>=3.6",
)
def test_a_kernel_becomes_integers(layer=None):
    layer = layer(512, 1) if layer else keras.layers.Dense(512)
    model = quantized(layer, shape=(4, 64))
    found = {
        weight.path.rpartition("/")[2]: (str(weight.dtype), tuple(weight.shape))
        for weight in model.weights
    }
    assert found == {
        "kernel": ("int8", (64, 512)),
        "kernel_scale": ("float32", (512,)),
        "bias": ("float32", (512,)),
    }


@proves(
    "In memory, too, the weights take about a quarter.",
    false_with={"layer": keras.layers.Conv1D},
    needs="keras>=3.6",
)
def test_quantized_weights_take_a_quarter_of_the_memory(layer=None):
    layer = layer(512, 1) if layer else keras.layers.Dense(512)
    model = keras.Sequential([keras.Input((4, 64)), layer])
    whole = sum(np.array(weight).nbytes for weight in model.weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names what it leaves
        model.quantize("int8")
    held = sum(np.array(weight).nbytes for weight in model.weights)
    assert 0.2 < held / whole < 0.35


@proves(
    "At each call the layer rounds its input to int8 too, and gives float32.",
    false_with={"is_quantized": False},
    needs="keras>=3.6",
)
def test_a_quantized_layer_rounds_its_input(is_quantized=True):
    """Beside 1000 small numbers get lost; alone they do not."""
    layer = keras.layers.Dense(512, use_bias=False)
    model = keras.Sequential([keras.Input((64,)), layer])
    small = np.random.default_rng(0).uniform(-1, 1, (1, 64)).astype("float32")
    small[..., 0] = 0.0
    large = np.zeros_like(small)
    large[..., 0] = 1000.0
    expected = np.array(model(small))
    if is_quantized:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it names what it leaves
            model.quantize("int8")
    assert np.abs(np.array(model(small)) - expected).max() < 0.05
    beside = np.array(model(small + large)) - np.array(model(large))
    assert np.abs(beside - expected).max() > 0.5 * np.abs(expected).max()
    assert model(small).dtype == "float32"


def share_of_bytes(mode):
    """Of the file of a network after `quantize`, and of its classes that stayed."""
    model, images = lite_network()
    small = keras.models.clone_model(model)
    small.set_weights(model.get_weights())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it names what it leaves
        try:
            small.quantize(mode)
        except ValueError:  # an unknown mode
            return 1.0, 1.0
    plain = keras.models.clone_model(model)
    classes = [np.argmax(each(images[1024:]), axis=1) for each in (model, small)]
    return bytes_of(small) / bytes_of(plain), np.mean(classes[0] == classes[1])


@proves(
    'From Keras 3.11 on, `quantize("int4")` packs a kernel into an eighth of its '
    "bytes; with the scales and the rest, the file of this small model keeps about a "
    "sixth.",
    keras=">=3.11",
    false_with={"mode": "int8"},
    needs="keras>=3.6",
)
def test_int4_is_smaller_still(mode="int4"):
    """And most classes stay."""
    share, same = share_of_bytes(mode)
    assert 0.14 < share < 0.19
    assert same > 0.95
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(512)])
    whole = np.array(model.layers[0].kernel).nbytes
    model.quantize(mode)
    [kernel] = [w for w in model.weights if w.path.endswith("/kernel")]
    assert np.array(kernel).nbytes == whole / 8


@proves(
    "Keras 3.15 also has the modes `float8`, which rounds in training and leaves "
    "the kernels float32, and `gptq` and `awq`, which are for language models and "
    "want a config with examples.",
    keras=">=3.15",
    needs="keras>=3.6",
)
def test_other_modes_of_quantize():
    found = {}
    for mode in ("float8", "gptq", "awq"):
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        try:
            model.quantize(mode)
        except Exception as error:
            found[mode] = str(error)
        else:
            found[mode] = str(model.layers[0].kernel.dtype)
    assert found["float8"] == "float32"
    assert "you must pass a `GPTQConfig` object" in found["gptq"]
    assert "you must pass an `AWQConfig` object" in found["awq"]


@proves(
    "Quantize last: the kernels that became integers no longer train. Their biases do, "
    "and so do the layers that stay float32, such as `Conv2D` and "
    "`BatchNormalization`.",
    false_with={"quantize": keras.Sequential},
    needs="keras>=3.6",
)
def test_quantized_kernels_do_not_train(quantize=None):
    shape = (6, 6, 1)
    floats = [keras.layers.Conv2D(2, 3), keras.layers.BatchNormalization()]
    layers = [*floats, keras.layers.Flatten(), keras.layers.Dense(1)]
    whole = [keras.Input(shape), *layers]
    model = quantize(whole) if quantize else quantized(*layers, shape=shape)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [np.array(weight) for weight in model.weights]
    x = np.random.default_rng(0).normal(size=(8, *shape)).astype("float32")
    model.fit(x, x[:, 0, 0], verbose=0)
    stayed = {
        weight.path.rpartition("/")[2]
        for weight, old in zip(model.weights, before, strict=True)
        if np.array_equal(np.array(weight), old)
    }
    assert stayed == {"kernel", "kernel_scale"}
    kernel = floats[0].kernel
    assert any(kernel is weight for weight in model.trainable_weights)
    assert model.layers[-1].bias.trainable


@proves(
    "The file of a trained model also holds the optimizer: with Adam, two more "
    "numbers for each weight. To leave it out, load the model with `compile=False` "
    "and save it again, as above; `save` with `include_optimizer=False` saves the "
    "optimizer all the same.",
    false_with={"optimizer": "sgd"},
    needs="keras>=3",
)
def test_an_optimizer_is_most_of_the_file(optimizer="adam"):
    """Of Adam, the most common one."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1024)])
    model.compile(optimizer, "mse")
    model.fit(np.ones((2, 64)), np.ones((2, 1024)), verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.save(f"{folder}/trained.keras")
        loaded = keras.models.load_model(f"{folder}/trained.keras", compile=False)
    assert np.array_equal(loaded.get_weights()[0], model.get_weights()[0])
    alone, whole = bytes_of(loaded), bytes_of(model)
    assert 2.8 < whole / alone < 3.2
    assert bytes_of(model, include_optimizer=False) == whole


@proves(
    "Convert the model as it was before `quantize`: the converter of TensorFlow 2.21 "
    "refuses a quantized one.",
    false_with={"quantize": False},
    needs="keras>=3 and tensorflow>=2.21",
    tensorflow=">=2.21",
)
def test_a_quantized_model_is_not_converted(quantize=True):
    layer = keras.layers.Dense(8)
    model = (
        quantized(layer) if quantize else keras.Sequential([keras.Input((4,)), layer])
    )
    try:
        file = lite_file_by("from_saved_model", model)
    except Exception as error:
        file = type(error).__name__
    assert file == "ConverterError"


@proves(
    '`model.export("short.tflite", format="litert")` converts the model too, and '
    "passes options on, such as `optimizations=[tf.lite.Optimize.DEFAULT]`.",
    keras=">=3.13",
    false_with={"options": {}},
    needs="keras>=3.6",
)
def test_export_writes_litert(options=None):
    if options is None:
        options = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    model, images = lite_network()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digits.tflite")
        try:
            model.export(str(path), format="litert", verbose=False, **options)
        except (TypeError, ValueError):
            path.write_bytes(b"")
        file = path.read_bytes()
    assert 0 < len(file) < 1.2 * model.count_params()
    classes = np.argmax(model(images), axis=1)
    assert np.mean(np.argmax(lite_answers(file, images), axis=1) == classes) > 0.98


@proves(
    "Zeros save bytes only if the file is compressed afterwards or leaves them out, as "
    "with `tf.lite.Optimize.EXPERIMENTAL_SPARSITY` in place of "
    "`tf.lite.Optimize.DEFAULT`.",
    false_with={"kept": 1.0},
    needs="keras>=3.6",
)
def test_a_sparse_file_leaves_zeros_out(kept=0.1):
    """Of ten numbers nine are zero, and the file answers as the model does."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(512)])
    kernel, bias = model.get_weights()
    least = np.quantile(np.abs(kernel), 1.0 - kept)
    model.set_weights([np.where(np.abs(kernel) < least, 0.0, kernel), bias])
    sizes, x = {}, np.random.default_rng(0).random((3, 64), "float32")
    for name in ("EXPERIMENTAL_SPARSITY", "DEFAULT", None):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        converter.optimizations = [getattr(tf.lite.Optimize, name)] if name else []
        with contextlib.redirect_stdout(io.StringIO()):
            file = converter.convert()
        assert np.allclose(lite_answers(file, x), model(x), atol=0.1)
        sizes[name] = len(file)
    assert len(gzip.compress(file)) < 0.5 * sizes[None]
    assert sizes["EXPERIMENTAL_SPARSITY"] < 0.5 * sizes[None]
    assert sizes[None] > 4 * kernel.size
    assert sizes["DEFAULT"] > kernel.size


@proves(
    "Give the model an `Input`, or call it once, before `quantize`.",
    false_with={"built": True},
    needs="keras>=3.6",
)
def test_quantize_wants_a_built_model(built=False):
    model = keras.Sequential([keras.layers.Dense(3)])
    if built:
        model(np.ones((1, 4)))
    with pytest.raises(
        ValueError, match="Cannot quantize a layer that isn't yet built"
    ):
        model.quantize("int8")

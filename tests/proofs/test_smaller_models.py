"""Proofs of the guide to smaller models."""

import contextlib
import functools
import io
import json
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
        warnings.simplefilter("ignore")
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
    "Convert it to a LiteRT file, the format that was called TensorFlow Lite, and "
    "store its weights as 8-bit integers: the file takes a bit more than a quarter of "
    "the bytes, and an interpreter runs it without Keras.",
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
    "float16 weights take half the bytes of the file, int8 a bit more than a quarter:",
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
    "It was at least 98 % for each kind.",
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
    "On a device, install the package `ai-edge-litert` in place of TensorFlow and "
    "write `from ai_edge_litert.interpreter import Interpreter`; the warning of "
    "`tf.lite.Interpreter`, left out here, says that it takes its place.",
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
    "`from_saved_model`, after `model.export`, and `from_keras_model` keep them.",
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
    "Leave the line with `optimizations` out, and it is this:",
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


@proves(
    "It takes from the examples how large the numbers between the layers become, and "
    "cuts off larger ones: give it a hundred or more that are like the real inputs.",
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
    "Such a function takes batches of any size.",
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
        warnings.simplefilter("ignore")
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
    "The message names the operations behind *TF Select ops*.",
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
        warnings.simplefilter("ignore")
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
            warnings.simplefilter("ignore")
            small.quantize("int8")
    assert 0.2 < bytes_of(small) / whole < 0.35
    with tempfile.TemporaryDirectory() as folder:
        small.save(f"{folder}/small.keras")
        loaded = keras.models.load_model(f"{folder}/small.keras")
    classes = np.argmax(model(images[1024:]), axis=1)
    assert np.mean(np.argmax(loaded(images[1024:]), axis=1) == classes) >= 0.98


@proves(
    "Quantize last: afterwards the kernels no longer train, only the biases do.",
    false_with={"quantize": keras.Sequential},
    needs="keras>=3.6",
)
def test_quantized_kernels_do_not_train(quantize=None):
    layers = [keras.layers.Dense(3), keras.layers.Dense(1)]
    whole = [keras.Input((4,)), *layers]
    model = quantize(whole) if quantize else quantized(*layers)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = [np.array(weight) for weight in model.weights]
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    model.fit(x, x[:, :1], verbose=0)
    moved = {
        weight.path.rpartition("/")[2]
        for weight, old in zip(model.weights, before, strict=True)
        if not np.array_equal(np.array(weight), old)
    }
    assert moved == {"bias"}


@proves(
    "An optimizer is saved with a compiled model, as two numbers for each weight. "
    "`include_optimizer=False` changes nothing for a `.keras` file: save a model from "
    "its configuration, as above, which has none.",
    false_with={"optimizer": "sgd"},
    needs="keras>=3",
)
def test_an_optimizer_is_most_of_the_file(optimizer="adam"):
    """Of Adam, the most common one."""
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1024)])
    model.compile(optimizer, "mse")
    model.fit(np.ones((2, 64)), np.ones((2, 1024)), verbose=0)
    alone = bytes_of(keras.Sequential.from_config(model.get_config()))
    whole = bytes_of(model)
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
    '`model.export("digits.tflite", format="litert")` writes the same file, and passes '
    "options on: `optimizations=[tf.lite.Optimize.DEFAULT]`.",
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

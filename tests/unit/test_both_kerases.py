"""What one expression gives on either Keras, as one line of text."""

import functools
import re
import warnings
from types import ModuleType

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from snippets.showing.both_kerases import (
    ComparisonRow,
    ComparisonTable,
    code_span,
    comparison_table,
    describe,
    fresh_comparison_table,
    informative_line,
    outcome,
)

BOTH = pytest.mark.parametrize("module", [keras, tf_keras])


@BOTH
def test_a_tensor_is_described_by_shape_and_dtype(module: ModuleType) -> None:
    assert describe(module.Input((3,))) == "(None, 3) float32"


def test_values_are_described_by_shape_and_dtype_too() -> None:
    values = [np.zeros((2, 0)), tf.zeros((1,), "int64"), keras.Variable([1.0])]

    assert describe(values) == "[(2, 0) float64, (1,) int64, (1,) float32]"


@BOTH
def test_layers_and_models_are_described_by_class_and_name(module: ModuleType) -> None:
    model = module.Sequential([module.layers.Dense(2, name="scores")], name="tiny")

    assert describe({"model": model, "layers": tuple(model.layers)}) == (
        "{'model': Sequential 'tiny', 'layers': (Dense 'scores',)}"
    )


def test_other_values_are_their_repr_without_memory_addresses() -> None:
    assert describe((None, 3)) == "(None, 3)"
    assert describe("text") == "'text'"
    assert describe(object()) == "<object object>"


def test_ansi_codes_and_directories_are_left_out() -> None:
    message = "\n\x1b[31mBroken\x1b[0m at /home/someone/site-packages/keras/a.py line 3"

    assert informative_line(message) == "Broken at a.py line 3"


def test_an_empty_message_gives_an_empty_line() -> None:
    assert informative_line(" \n") == ""
    assert informative_line("Graph execution error:\n") == "Graph execution error:"


def test_the_cause_stands_between_the_two_traces_of_a_session() -> None:
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder("float32", [None, 3], name="x")
        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            session.run(x + 1.0)

    assert "Original stack trace" in str(caught.value)
    assert informative_line(str(caught.value)) == (
        "You must feed a value for placeholder tensor 'x' with dtype float and shape "
        "[?,3]"
    )


@BOTH
def test_an_error_inside_call_is_its_cause(module: ModuleType) -> None:
    expression = (
        "keras.Sequential([keras.Input((4,)), keras.layers.Reshape((2, 2)), "
        "keras.layers.Lambda(fail)])(np.zeros((1, 4)))"
    )

    def fail(x: object) -> object:
        raise ValueError("the cause")

    text = outcome(expression, module, np=np, fail=fail)

    assert re.fullmatch(r"ValueError: .*the cause.*", text)


@BOTH
def test_an_error_on_a_declared_type_is_its_cause(module: ModuleType) -> None:
    class Layer(module.layers.Layer):  # type: ignore[name-defined]  # of either Keras
        def call(self, x: object) -> object:
            raise ValueError("the cause")

    text = outcome("layer(keras.Input((2,)))", module, layer=Layer())

    assert text == "ValueError: the cause"


@BOTH
def test_an_error_inside_a_compiled_step_is_its_cause(module: ModuleType) -> None:
    text = outcome(
        "m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]); "
        "m.predict(np.zeros((2, 5)), verbose=0)",
        module,
        np=np,
    )

    assert text.startswith("ValueError: Input 0 ")
    assert " is incompatible with the layer: expected " in text


@BOTH
def test_an_error_while_a_graph_runs_is_its_cause(module: ModuleType) -> None:
    text = outcome(
        "m = keras.Sequential([keras.Input((), dtype='int32'), "
        "keras.layers.Embedding(3, 2)]); m.predict(np.array([7]), verbose=0)",
        module,
        np=np,
    )

    assert text == "InvalidArgumentError: indices[0] = 7 is not in [0, 3)"


@BOTH
def test_an_error_without_a_message_is_its_type(module: ModuleType) -> None:
    assert outcome("next(iter([]))", module) == "StopIteration"


def test_a_long_message_is_cut_at_a_word_before_160_characters() -> None:
    def fail() -> None:
        raise ValueError("word " * 100)

    text = outcome("fail()", keras, fail=fail)

    assert text == "ValueError: " + "word " * 31 + "…"


@BOTH
def test_automatic_names_start_anew_each_time(module: ModuleType) -> None:
    first = outcome("keras.layers.Dense(2)", module)

    assert first == outcome("keras.layers.Dense(2)", module) == "Dense 'dense'"


def test_a_warning_is_told_by_its_first_sentence() -> None:
    text = outcome("keras.layers.Dense(3, input_shape=(4,))", keras)

    assert text == (
        "Dense 'dense' with UserWarning: Do not pass an `input_shape`/`input_dim` "
        "argument to a layer."
    )


def test_the_same_warning_twice_is_told_once() -> None:
    def twice() -> int:
        for _ in range(2):
            warnings.warn("Take care, e.g. here. Else not", stacklevel=1)
        return 5

    text = outcome("twice()", keras, twice=twice)

    assert text == "5 with UserWarning: Take care, e.g. here."


def test_a_deprecation_inside_a_library_is_left_out_as_python_does() -> None:
    def deprecated() -> int:
        warnings.warn("Old", DeprecationWarning, stacklevel=1)
        return 5

    assert outcome("deprecated()", keras, deprecated=deprecated) == "5"


@BOTH
def test_warning_filters_are_left_as_they_were(module: ModuleType) -> None:
    before = list(warnings.filters)

    outcome("1 / 0", module)

    assert list(warnings.filters) == before


def test_names_of_the_expression_do_not_leak_into_the_caller() -> None:
    names = {"x": 1}

    assert outcome("y = x + 1; y", keras, **names) == "2"
    assert names == {"x": 1}


@pytest.mark.parametrize("expression", ["", "x = 1"])
def test_an_expression_must_end_in_a_value(expression: str) -> None:
    with pytest.raises(ValueError, match=r"to end in an expression\. Received: "):
        outcome(expression, keras)


def test_a_syntax_error_is_the_fault_of_the_page_and_raised() -> None:
    with pytest.raises(SyntaxError):
        outcome("keras.Input(", keras)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Input(3)", "`Input(3)`"),
        ("a | b", r"`a \| b`"),
        ("use `x`", "`` use `x` ``"),
        ("``", "``` `` ```"),
        ("a\nb", "`a b`"),
    ],
)
def test_code_spans_keep_bars_and_backticks(text: str, expected: str) -> None:
    assert code_span(text) == expected


def test_a_table_has_one_row_for_each_expression() -> None:
    table = comparison_table(["keras.Input(32)", "keras.Input((n,))"], n=3)

    assert table.rows == [
        ComparisonRow(
            "keras.Input(32)",
            "ValueError: Cannot convert '32' to a shape.",
            "(None, 32) float32",
        ),
        ComparisonRow("keras.Input((n,))", "(None, 3) float32", "(None, 3) float32"),
    ]


def test_a_table_is_shown_as_markdown_with_the_installed_versions() -> None:
    table = ComparisonTable([ComparisonRow("a | b", "1", "2")])

    assert table._repr_markdown_().splitlines() == [
        f"| You write | Keras 3 ({keras.__version__}) "
        f"| Keras 2 (tf_keras {tf_keras.__version__}) |",
        "| --- | --- | --- |",
        r"| `a \| b` | `1` | `2` |",
    ]


def test_a_table_is_readable_as_plain_text() -> None:
    table = ComparisonTable([ComparisonRow("f()", "one", "two")])

    assert repr(table).splitlines() == [
        "f()",
        f"  Keras 3 ({keras.__version__}): one",
        f"  Keras 2 (tf_keras {tf_keras.__version__}): two",
    ]


def test_a_table_refuses_a_lone_string() -> None:
    with pytest.raises(ValueError, match="Expected `expressions` to be a list"):
        comparison_table("keras.Input(3)")


# Both Kerases, each in its own process


@functools.cache
def fresh_rows() -> dict[str, ComparisonRow]:
    lines = [
        "keras.__version__.split('.')[0]",
        "tf.compat.v1.layers.dense.__name__",
        "keras.backend.placeholder((None, 3))",
        "np.ones((2, 3))",
        "x = keras.Input((3,)); layers.Dense(2)(x)",
        "x.shape[1]",
        "tf.compat.v1.disable_eager_execution(); tf.executing_eagerly()",
        "model = keras.Sequential([layers.Dense(1)]); model.compile('sgd', 'mse'); "
        "len(model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0).history['loss'])",
    ]
    return {row.expression: row for row in fresh_comparison_table(lines).rows}


def test_each_process_has_its_own_keras_and_tensorflow_belongs_to_it() -> None:
    rows = list(fresh_rows().values())

    assert rows[0][1:] == ("'3'", "'2'")
    assert rows[1][1:] == (
        "AttributeError: `dense` is not available with Keras 3.",
        "'dense'",
    )
    assert rows[2][1:] == (
        "AttributeError: module 'keras.backend' has no attribute 'placeholder'",
        "(None, 3) float32",
    )


def test_lines_run_in_order_and_values_are_described_in_short() -> None:
    rows = list(fresh_rows().values())

    assert rows[3][1:] == ("(2, 3) float64",) * 2
    assert rows[4][1:] == ("(None, 2) float32",) * 2
    assert rows[5][1:] == ("3", "3")


def test_without_eager_mode_keras_2_fits_and_keras_3_cannot() -> None:
    rows = list(fresh_rows().values())

    assert rows[6][1:] == ("False", "False")
    assert rows[7][1:] == (
        "RuntimeError: `tf.data.Dataset` only supports Python-style iteration in eager "
        "mode or within tf.function.",
        "1",
    )
    assert tf.executing_eagerly()


def test_one_string_is_refused() -> None:
    with pytest.raises(ValueError, match="list of strings\\. Received: the string '1'"):
        fresh_comparison_table("1")

"""Proofs of the page of named inputs and outputs."""

import warnings

import numpy as np
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_functional import (
    BOTH,
    ONES,
    amounts,
    inputs_named,
    perfect_model,
    profit,
    rises,
    two_outputs,
    warnings_of,
)

layers = keras.layers


@proves(
    (
        "Pass dicts, with all names and no others: they mean the same on Keras "
        "2 and on Keras 3."
    ),
    false_with={"names": ("a", "b")},
)
def test_all_names_mean_the_same(names=("b", "a")):
    inputs = {n: keras.Input(shape=(1,), name=n) for n in ("b", "a")}
    outputs = {
        f"half_{n}": layers.Rescaling(0.5, name=f"half_{n}")(inputs[n])
        for n in ("b", "a")
    }
    model = keras.Model(inputs, outputs)
    data = {n: np.full((2, 1), 2.0 * k) for k, n in enumerate(names)}
    model.compile(loss={"half_b": "mse", "half_a": "mse"}, run_eagerly=True)
    labels = {f"half_{n}": np.full((2, 1), float(k)) for k, n in enumerate("ba")}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model.evaluate(data, labels, verbose=0, return_dict=True)
    assert found["loss"] == 0.0
    assert "structure" not in " ".join(str(warning.message) for warning in caught)


@proves(
    (
        "Each line compiles a model with the outputs `mean` and `top`, and says"
        " what `evaluate` reports:"
    ),
    false_with={"metrics": {"mean": ["mae"]}},
    needs="keras>=3",
    keras=">=3.6",
)
def test_what_evaluate_reports(metrics=None):
    from snippets.functional.on_each_keras import results_of_two_outputs

    options = {"loss": "mse", "metrics": metrics or {"top": ["mae"]}}
    seen = results_of_two_outputs(keras, **options)
    assert seen == ["loss", "mean_loss", "top_loss", "top_mae"]


@proves(
    "On Keras 2 one list of metrics serves all outputs; Keras 3 refuses it.",
    false_with={"metrics": {"mean": ["mae"]}},
    needs="keras<3",
)
def test_metrics_in_one_list_on_keras_2(metrics=("mae",)):
    metrics = metrics if isinstance(metrics, dict) else list(metrics)
    _, train = two_outputs(loss="mse", metrics=metrics)
    assert rises(train) == ""
    assert {"mean_mae", "top_mae"} < set(train())


@proves(
    "On Keras 2 one list of metrics serves all outputs; Keras 3 refuses it.",
    keras=">=3",
    false_with={"metrics": ["mae", "mae"]},
)
def test_metrics_in_one_list_on_keras_3(metrics=("mae",)):
    _, train = two_outputs(loss="mse", metrics=list(metrics))
    assert "metrics" in rises(train)


@proves(
    (
        "Loss weights for some of the losses are accepted up to Keras 3.4, and "
        "refused since Keras 3.6."
    ),
    keras="<3.5",
)
def test_weights_for_a_part_up_to_keras_3_4():
    _, train = two_outputs(loss=BOTH, loss_weights={"top": 0.1})
    assert rises(train) == ""


@proves(
    (
        "Loss weights for some of the losses are accepted up to Keras 3.4, and "
        "refused since Keras 3.6."
    ),
    keras=">=3.6",
    false_with={"weights": {"mean": 1.0, "top": 0.1}},
)
def test_weights_for_a_part_on_keras_3(weights=None):
    _, train = two_outputs(loss=BOTH, loss_weights=weights or {"top": 0.1})
    assert "`loss_weights`" in rises(train)


@proves(
    "A loss for an output that does not exist is an error on Keras 3.",
    keras=">=3",
    false_with={"name": "top"},
)
def test_loss_of_no_output_on_keras_3(name="max"):
    _, train = two_outputs(loss={"mean": "mse", name: "mae"})
    assert "max" in rises(train)


@proves(
    (
        "Keras 2 accepts it without a warning: with `max` written for `top`, it"
        " uses the loss of `max` for `mean` and the loss of `mean` for `top`."
    ),
    false_with={"name": "top"},
    needs="keras<3",
)
def test_loss_of_no_output_on_keras_2(name="max"):
    model, train = two_outputs(loss={"mean": "mse", name: "mae"})
    assert rises(train) == ""
    rows, targets = np.eye(3), {name: 5 * np.ones((3, 1)) for name in ("mean", "top")}
    seen = model.evaluate(rows, targets, verbose=0, return_dict=True)
    outputs = model.predict(rows, verbose=0)
    assert np.isclose(seen["mean_loss"], np.abs(5 - outputs["mean"]).mean())
    assert np.isclose(seen["top_loss"], ((5 - outputs["top"]) ** 2).mean())


@proves(
    "Keras 2 and Keras 3.4 accept it without a warning.",
    needs="keras<3.5",
    false_with={"names": ("cost", "price")},
)
def test_a_list_for_a_dict_up_to_keras_3_4(names=("price", "cost")):
    values = [np.array([5.0]), np.array([3.0])]
    result, said = warnings_of(profit(names), values)
    first = sorted(["price", "cost"])[0]
    assert first == "cost"
    expected = 3.0 - 5.0 if names[0] == "price" else 5.0
    assert (np.array(result).item(), said) == (expected, "")


@proves(
    (
        "Since Keras 3.9 it is an error, unless the Inputs were declared in "
        "alphabetical order."
    ),
    keras=">=3.9",
    false_with={"names": ("cost", "price")},
)
def test_a_list_for_a_dict_is_an_error(names=("price", "cost")):
    error = rises(profit(names), [np.array([5.0]), np.array([3.0])])
    assert "The structure of `inputs` doesn't match the expected structure" in error


@proves(
    (
        "A dict with an extra key is sorted by key on Keras 3, and its first "
        "values are used."
    ),
    keras=">=3",
    false_with={"extra": "year"},
)
def test_an_extra_key_is_sorted_in(extra="article"):
    data = amounts(price=5.0, cost=3.0, **{extra: 9.0})
    assert np.array(profit()(data)).item() == 3.0 - 9.0


@proves(
    "Keras 2 ignores extra keys, with a warning.",
    keras="<3",
)
def test_keras_2_ignores_extra_keys():
    result, said = warnings_of(profit(), amounts(price=5.0, cost=3.0, article=9.0))
    assert result.numpy().item() == 2.0
    assert "They will be ignored" in said


@proves(
    ("Keras 3 matches the list with the names of the outputs in alphabetical order."),
    needs="keras>=3",
    false_with={"labels": (3 * ONES, 2 * ONES)},
)
def test_a_list_of_labels_on_keras_3(labels=(2 * ONES, 3 * ONES)):
    seen = perfect_model().evaluate(ONES, list(labels), verbose=0, return_dict=True)
    assert seen["loss"] == 2.0  # (2 - 3) ** 2 + (3 - 2) ** 2


@proves(
    (
        "Keras 2 refuses the list until it has seen a dict of labels, and then "
        "matches in alphabetical order too."
    ),
    keras="<3",
)
def test_a_list_of_labels_on_keras_2():
    listed, named = [2 * ONES, 3 * ONES], {"width": 2 * ONES, "height": 3 * ONES}
    model = perfect_model()
    assert rises(model.evaluate, ONES, listed, verbose=0).startswith("TypeError")
    model = perfect_model()
    assert model.evaluate(ONES, named, verbose=0)[0] == 0.0
    assert model.evaluate(ONES, listed, verbose=0)[0] == 2.0


@proves(
    "Such an Input is accepted and has to be fed.",
    false_with={"given": ("a", "b")},
)
def test_an_unused_input_is_accepted(given=("a",)):
    a, b = inputs_named("a", "b")
    layers.Dense(2)(b)
    model = keras.Model([a, b], layers.Dense(2)(a))
    assert len(model.inputs) == 2
    error = rises(model, {name: np.ones((1, 3)) for name in given})
    assert 'Missing data for input "b"' in error


@proves(
    "Keras 3.11 to 3.13 refuse it if nothing else reads it either.",
    keras=">=3.11,<3.14",
)
def test_an_input_that_nothing_reads_was_refused():
    a, b = inputs_named("a", "b")
    error = rises(keras.Model, [a, b], layers.Dense(2)(a))
    assert "`inputs` not connected to `outputs`" in error


@proves(
    "`snippets.functional.connected_model` refuses it.",
    false_with={"count": 1},
    needs="keras>=3",
)
def test_connected_model_refuses_unused_inputs(count=2):
    from snippets.functional import connected_model

    tensors = inputs_named("a", "b")
    error = rises(connected_model, tensors[:count], layers.Dense(2)(tensors[0]))
    assert "Unused: ['b']" in error


@proves(
    ("Keras 3.6 and later warn that the structure of the inputs does not match."),
    keras=">=3.6",
)
def test_the_extra_key_is_warned_about():
    _, said = warnings_of(profit(), amounts(price=5.0, cost=3.0, article=9.0))
    assert "The structure of `inputs` doesn't match the expected structure" in said


@proves(
    (
        "To turn this warning into an error, write `import warnings` and "
        '`warnings.filterwarnings("error", "The structure of")` before the call.'
    ),
    false_with={"text": "The form of"},
    keras=">=3.6",
)
def test_the_warning_stops_the_call(text="The structure of"):
    data = amounts(price=5.0, cost=3.0, article=9.0)
    targets = np.zeros((1,))
    for use in (
        lambda model: model(data),
        lambda model: model.predict(data, verbose=0),
        lambda model: model.fit(data, targets, verbose=0),
    ):
        model = profit()
        model.compile("sgd", "mse")
        with warnings.catch_warnings():
            warnings.filterwarnings("error", text)
            assert "The structure of `inputs`" in rises(use, model)

"""The drawings: their words, their parts, and that they are valid XML."""

import re
from xml.etree import ElementTree

import keras
import pytest

from snippets.showing.drawings import (
    Drawing,
    LayerCall,
    arrow,
    box,
    draw_layers,
    draw_shape,
    layer_calls,
    tensor_sources,
)


def residual_model() -> keras.Model:
    """One Dense called twice, and an Add that also takes the Input."""
    features = keras.Input((4,), name="features")
    shared = keras.layers.Dense(4, name="shared")
    total = keras.layers.Add(name="total")([shared(shared(features)), features])
    return keras.Model(features, total)


def texts(drawing: Drawing) -> list[str]:
    root = ElementTree.fromstring(drawing.svg)
    return [element.text or "" for element in root.iter("text")]


def test_a_drawing_is_valid_xml_with_its_words_as_title_and_label() -> None:
    drawing = Drawing([box(0, 0, 10, 10, ["<&>"])], 10, 10, 'a "b" <c>')

    root = ElementTree.fromstring(drawing._repr_html_())

    assert root.get("role") == "img"
    assert root.get("aria-label") == root.findtext("title") == 'a "b" <c>'
    assert repr(drawing) == "Drawing('a \"b\" <c>')"


def test_a_drawing_takes_the_colors_of_the_page_and_loads_nothing() -> None:
    svg = draw_layers(residual_model()).svg

    assert 'stroke="currentColor"' in svg
    assert not re.search(r"http|url\(|href|\bid=|black|white", svg)
    assert all(len(color) == 9 for color in re.findall(r"#\w+", svg))


def test_a_drawing_is_the_same_each_time() -> None:
    model = residual_model()

    assert draw_layers(model).svg == draw_layers(model).svg


def test_a_box_is_dashed_only_when_asked() -> None:
    assert "stroke-dasharray" in box(0, 0, 1, 1, [], dashed=True)
    assert "stroke-dasharray" not in box(0, 0, 1, 1, [])


def test_an_arrow_ends_at_its_tip() -> None:
    straight, bent = arrow((0, 0), (5, 20)), arrow((0, 0), (5, 20), bend=30)

    assert straight.startswith('<path d="M0 0L5 14"/><path d="M5 20l')
    assert bent.startswith('<path d="M0 0C35 0 35 20 11 20"/><path d="M5 20l')


def test_a_shape_is_one_box_for_each_axis_with_its_name_below() -> None:
    drawing = draw_shape((None, 8, 1), ["batch", "steps", "channels"])

    assert texts(drawing) == ["None", "any", "batch", "8", "steps", "1", "channels"]
    assert drawing.svg.count("<rect") == 3
    assert drawing.svg.count("stroke-dasharray") == 1


def test_axes_without_names_are_numbered() -> None:
    assert draw_shape([0, None]).alt == "Shape (0, None): axis 0 0, axis 1 any"


@pytest.mark.parametrize("shape", [(), (-1,), (2.0,), ("8",), (True,)])
def test_a_shape_of_no_axes_or_odd_sizes_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Expected `shape` to hold at least one axis"):
        draw_shape(shape)


def test_axis_names_must_match_the_shape() -> None:
    with pytest.raises(ValueError, match="one of `axis_names` for each of 2 axes"):
        draw_shape((None, 8), ["batch"])


def test_tensor_sources_are_found_at_any_depth() -> None:
    def tensor(name: str, call: int) -> dict[str, object]:
        return {
            "class_name": "__keras_tensor__",
            "config": {"keras_history": [name, call, 0]},
        }

    node = {"args": ([tensor("a", 0)], 3.0), "kwargs": {"mask": tensor("b", 1)}}

    assert tensor_sources(node) == [("a", 0), ("b", 1)]


def test_a_shared_layer_is_listed_once_for_each_call() -> None:
    assert layer_calls(residual_model()) == [
        LayerCall("features", "InputLayer", "(None, 4)", (), True),
        LayerCall("shared", "Dense", "(None, 4)", (0,), True),
        LayerCall("shared", "Dense", "(None, 4)", (1,), True),
        LayerCall("total", "Add", "(None, 4)", (2, 0), True),
    ]


def test_the_input_of_a_sequential_is_drawn_though_not_in_its_layers() -> None:
    model = keras.Sequential(
        [keras.Input((4,), name="x"), keras.layers.Dense(2, name="y")]
    )

    drawing = draw_layers(model)

    assert [layer.name for layer in model.layers] == ["y"]
    assert drawing.alt == "Graph of 2 calls: x (None, 4) → y (None, 2)"
    assert "not in model.layers" in texts(drawing)
    assert drawing.svg.count("stroke-dasharray") == 1


def test_two_branches_stand_side_by_side() -> None:
    inputs = keras.Input((4,), name="x")
    branches = [keras.layers.Dense(2, name=name)(inputs) for name in ("left", "right")]
    outputs = keras.layers.Concatenate(name="both")(branches)

    drawing = draw_layers(keras.Model(inputs, outputs))

    boxes = ElementTree.fromstring(drawing.svg).iter("rect")
    levels = [element.get("y") for element in boxes]
    assert len(levels) == 4
    assert sorted(levels.count(level) for level in set(levels)) == [1, 1, 2]
    assert drawing.alt == (
        "Graph of 4 calls: x (None, 4) → left (None, 2) and right (None, 2) → "
        "both (None, 4)"
    )


def test_an_arrow_past_other_layers_is_bent_inside_the_canvas() -> None:
    svg = draw_layers(residual_model()).svg

    bent = re.search(r"M([\d.]+) [\d.]+C([\d.]+) ", svg)
    width = re.search(r'viewBox="0 0 ([\d.]+) ', svg)

    assert bent
    assert width
    assert 0.25 * float(bent[1]) + 0.75 * float(bent[2]) < float(width[1])


def test_a_layer_with_two_outputs_shows_both_shapes() -> None:
    steps = keras.Input((5, 3), name="steps")
    outputs = keras.layers.GRU(2, return_state=True, name="gru")(steps)

    assert layer_calls(keras.Model(steps, outputs))[1].shape == "(None, 2), (None, 2)"


def test_operations_are_drawn_as_layers() -> None:
    inputs = keras.Input((4,), name="x")

    kinds = [c.kind for c in layer_calls(keras.Model(inputs, keras.ops.relu(inputs)))]

    assert kinds == ["InputLayer", "Relu"]


class Subclassed(keras.Model):
    """A model without a graph."""


class OwnConfig(keras.Model):
    """A Functional model by subclassing, whose config holds no layers."""

    def __init__(self, units: int) -> None:
        inputs = keras.Input((3,))
        super().__init__(inputs, keras.layers.Dense(units)(inputs))


@pytest.mark.parametrize(
    "model", [keras.Sequential([keras.layers.Dense(2)]), Subclassed(), OwnConfig(2)]
)
def test_a_model_without_a_graph_is_refused(model: keras.Model) -> None:
    with pytest.raises(ValueError, match=r"keras\.Input`.*has no graph of layers"):
        draw_layers(model)

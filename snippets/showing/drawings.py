"""Drawings of tensor shapes and of models, as inline SVG without any dependency.

Lines and text take the color of the page, so a drawing reads on light and on dark.
Each drawing carries its content in words for those who cannot see it.
"""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import keras


class Drawing:
    """An inline SVG picture that notebooks show, with its content in words.

    Args:
        parts: Sequence of strings of SVG, drawn in their order.
        width: Number of at least 0, the width of the canvas in pixels.
        height: Number of at least 0, the height of the canvas in pixels.
        alt: String, what the picture shows, in words.

    Example:
        >>> Drawing([box(10, 10, 80, 40, ["Dense"])], 100, 60, "One layer")
        Drawing('One layer')
    """

    def __init__(
        self, parts: Sequence[str], width: float, height: float, alt: str
    ) -> None:
        """Write the SVG text, which is complete from then on."""
        self.alt = alt
        label = escape(alt)
        self.svg = (
            f'<svg role="img" aria-label="{label}" '
            f'viewBox="0 0 {width:g} {height:g}" width="100%" '
            f'style="max-width: {width:g}px; height: auto" fill="none" '
            'stroke="currentColor" font-family="system-ui, sans-serif" '
            f'font-size="13" text-anchor="middle"><title>{label}</title>'
            f"{''.join(parts)}</svg>"
        )

    def _repr_html_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        """Say in words what the picture shows."""
        return f"Drawing({self.alt!r})"


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    lines: Sequence[str],
    dashed: bool = False,
    fill: str = "#3b82f633",
) -> str:
    """Draw a rounded box with centered lines of text, the first of them in bold.

    Args:
        x: Number, the left edge in pixels.
        y: Number, the upper edge in pixels.
        width: Number of at least 0, in pixels.
        height: Number of at least 0, in pixels.
        lines: Sequence of strings.
        dashed: Whether the outline is dashed.
        fill: String, a CSS color, half transparent to suit any background.

    Returns:
        A string of SVG.

    Example:
        >>> box(0, 0, 40, 30, ["8"]).count("<text")
        1
    """
    dashes = ' stroke-dasharray="5 4"' if dashed else ""
    middle, top = x + width / 2, y + height / 2 - 8 * len(lines) + 12
    texts = (
        f'<text x="{middle:g}" y="{top + 16 * row:g}" fill="currentColor" '
        f'stroke="none" font-weight="{400 if row else 600}">{escape(line)}</text>'
        for row, line in enumerate(lines)
    )
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
        f'fill="{fill}"{dashes}/>{"".join(texts)}'
    )


def arrow(start: tuple[float, float], end: tuple[float, float], bend: float = 0) -> str:
    """Draw an arrow straight down, or bent to the right around what lies between.

    Args:
        start: Tuple `(x, y)` in pixels.
        end: Tuple `(x, y)` in pixels, where the tip is.
        bend: Number of at least 0: how far a bent arrow reaches to the right, in
            pixels. 0 is straight.

    Returns:
        A string of SVG.

    Example:
        >>> arrow((0, 0), (0, 20)).startswith('<path d="M0 0')
        True
    """
    (x, y), (to_x, to_y) = start, end
    if bend:
        reach = max(x, to_x) + bend
        line = f"M{x:g} {y:g}C{reach:g} {y:g} {reach:g} {to_y:g} {to_x + 6:g} {to_y:g}"
        tip = f"M{to_x:g} {to_y:g}l8 -4v8z"
    else:
        line, tip = (
            f"M{x:g} {y:g}L{to_x:g} {to_y - 6:g}",
            f"M{to_x:g} {to_y:g}l-4 -8h8z",
        )
    return f'<path d="{line}"/><path d="{tip}" fill="currentColor" stroke="none"/>'


def draw_shape(
    shape: Sequence[int | None], axis_names: Sequence[str] | None = None
) -> Drawing:
    """Draw the shape of a tensor as a row of boxes, one for each axis.

    An axis of size `None` is dashed and labeled "any".

    Args:
        shape: Sequence of integers of at least 0 or `None`, at least one.
        axis_names: `None`, or as many strings as `shape` has axes.

    Returns:
        A `Drawing`.

    Raises:
        ValueError: If `shape` is empty or holds something else, or if `axis_names`
            differs from it in length.

    Example:
        >>> draw_shape((None, 8, 8), ["batch", "height", "width"])
        Drawing('Shape (None, 8, 8): batch any, height 8, width 8')
    """
    sizes = tuple(shape)
    names = (
        [f"axis {k}" for k in range(len(sizes))] if axis_names is None else axis_names
    )
    if not sizes or any(
        s is not None and not (type(s) is int and s >= 0) for s in sizes
    ):
        raise ValueError(
            "Expected `shape` to hold at least one axis, each `None` or an integer of "
            f"at least 0. Received: shape={shape}"
        )
    if len(names) != len(sizes):
        raise ValueError(
            f"Expected one of `axis_names` for each of {len(sizes)} axes. "
            f"Received: axis_names={axis_names}"
        )
    parts, words, width = [], [], 20 + 8 * max(9, *(len(name) for name in names))
    for position, (size, name) in enumerate(zip(sizes, names, strict=True)):
        left = 8 + position * (width + 8)
        lines = ["None", "any"] if size is None else [str(size)]
        parts.append(box(left, 8, width, 52, lines, dashed=size is None))
        parts.append(
            f'<text x="{left + width / 2:g}" y="80" fill="currentColor" '
            f'stroke="none">{escape(name)}</text>'
        )
        words.append(f"{name} {'any' if size is None else size}")
    alt = f"Shape {sizes}: {', '.join(words)}"
    return Drawing(parts, 8 + len(sizes) * (width + 8), 92, alt)


class LayerCall(NamedTuple):
    """One call of a layer in a model: its labels, and which calls feed it.

    `sources` holds positions in the list of calls. `listed` says whether
    `model.layers` holds the layer.
    """

    name: str
    kind: str
    shape: str
    sources: tuple[int, ...]
    listed: bool


def tensor_sources(structure: Any) -> list[tuple[str, int]]:
    """Find which layer calls a call in the config of a model takes its tensors from.

    Args:
        structure: An entry of `inbound_nodes` in `model.get_config()`: nested dicts,
            lists and tuples.

    Returns:
        A list of tuples `(layer name, number of the call)`.

    Example:
        >>> history = {"keras_history": ["pixels", 0, 0]}
        >>> tensor_sources([{"class_name": "__keras_tensor__", "config": history}])
        [('pixels', 0)]
    """
    if isinstance(structure, dict):
        if structure.get("class_name") == "__keras_tensor__":
            name, call, _ = structure["config"]["keras_history"]
            return [(name, call)]
        structure = list(structure.values())
    if not isinstance(structure, (list, tuple)):
        return []
    return [source for part in structure for source in tensor_sources(part)]


def layer_calls(model: Any) -> list[LayerCall]:
    """List the layer calls of a Functional or built Sequential model.

    A layer that is called twice is listed twice, with the shape of its first output.

    Args:
        model: A `keras.Model`.

    Returns:
        A list of `LayerCall`. That of a Sequential model starts with its input, which
        `model.layers` leaves out.

    Raises:
        ValueError: If the model has no graph of layers.

    Example:
        >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        >>> [call.kind for call in layer_calls(model)]
        ['InputLayer', 'Dense']
    """
    if not getattr(model, "inputs", None) or "layers" not in model.get_config():
        raise ValueError(
            "Expected `model` to be a Functional or a built Sequential model: start "
            "it with `keras.Input`, or call `model.build(...)`. Received: "
            f"{type(model).__name__} '{model.name}', which has no graph of layers"
        )

    def shape(output: Any) -> str:
        return ", ".join(str(tuple(t.shape)) for t in keras.tree.flatten(output))

    if isinstance(model, keras.Sequential):
        start = model.inputs[0]
        return [LayerCall(start.name, "InputLayer", shape(start), (), False)] + [
            LayerCall(layer.name, type(layer).__name__, shape(layer.output), (k,), True)
            for k, layer in enumerate(model.layers)
        ]
    nodes = {
        (entry["name"], call): tensor_sources(node)
        for entry in model.get_config()["layers"]
        for call, node in enumerate(entry["inbound_nodes"] or [[]])
    }
    positions = {key: position for position, key in enumerate(nodes)}
    operations = {operation.name: operation for operation in model.operations}
    return [
        LayerCall(
            name,
            type(operations[name]).__name__,
            shape(operations[name].output),
            tuple(positions[source] for source in sources),
            True,
        )
        for (name, _), sources in nodes.items()
    ]


def draw_layers(model: Any) -> Drawing:
    """Draw a model as a graph of its layers, from the inputs at the top downwards.

    Each box gives the name, the class and the output shape of a layer. Branches
    stand side by side. Inputs are tinted in another color.

    Args:
        model: A Functional or a built Sequential `keras.Model`.

    Returns:
        A `Drawing`.

    Raises:
        ValueError: If the model has no graph of layers.

    Example:
        >>> inputs = keras.Input((4,), name="features")
        >>> outputs = keras.layers.Dense(2, name="scores")(inputs)
        >>> draw_layers(keras.Model(inputs, outputs)).alt
        'Graph of 2 calls: features (None, 4) → scores (None, 2)'
    """
    calls = layer_calls(model)
    levels = [0] * len(calls)
    for _ in calls:  # Shared layers may be listed before what feeds them.
        levels = [max((levels[s] + 1 for s in c.sources), default=0) for c in calls]
    rows: list[list[int]] = [[] for _ in range(max(levels) + 1)]
    for position, level in enumerate(levels):
        rows[level].append(position)
    labels = [
        [c.name, c.kind, c.shape, *([] if c.listed else ["not in model.layers"])]
        for c in calls
    ]
    width = 24 + 7.8 * max(len(line) for lines in labels for line in lines)
    canvas = 16 + max(len(row) for row in rows) * (width + 16)
    centers = {
        position: canvas / 2 + (column - (len(row) - 1) / 2) * (width + 16)
        for row in rows
        for column, position in enumerate(row)
    }
    height = 16 * max(len(lines) for lines in labels) + 14
    step = height + 36
    parts, bent = [], False
    for position, call in enumerate(calls):
        x, y = centers[position], 8 + step * levels[position]
        for source in call.sources:
            from_x, from_y = centers[source], 8 + step * levels[source]
            if levels[position] == levels[source] + 1:
                parts.append(arrow((from_x, from_y + height), (x, y)))
            else:
                start = (from_x + width / 2, from_y + height / 2)
                end, bend = (x + width / 2, y + height / 2), canvas / 2 - 8
                parts.append(arrow(start, end, bend))
                bent = True
        fill = "#f59e0b33" if call.kind == "InputLayer" else "#3b82f633"
        corner = (x - width / 2, y)
        parts.append(
            box(*corner, width, height, labels[position], not call.listed, fill)
        )
    levels_in_words = (
        " and ".join(f"{calls[p].name} {calls[p].shape}" for p in row) for row in rows
    )
    alt = f"Graph of {len(calls)} calls: {' → '.join(levels_in_words)}"
    canvas += canvas / 2 if bent else 0
    return Drawing(parts, canvas, step * len(rows) - 20, alt)

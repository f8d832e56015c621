"""What a shape means, as a picture."""

from collections.abc import Sequence

from snippets.showing.drawings import Drawing, box


def grid(left: float, top: float, shape: Sequence[int | None]) -> str:
    """Draw one example: a row of numbers, a table of them, or a stack of tables.

    Args:
        left: Number, the left edge in pixels.
        top: Number, the upper edge in pixels.
        shape: Sequence of one to three integers or `None`, the shape of one example.

    Returns:
        A string of SVG, 74 pixels wide and 60 high.

    Example:
        >>> [grid(0, 0, shape).count("<rect") for shape in [(784,), (50, 8), (8, 8, 3)]]
        [1, 1, 3]
    """
    rows = 1 if len(shape) == 1 else 4
    depth = (shape[2] or 1) if len(shape) == 3 else 1
    parts = []
    for behind in reversed(range(min(depth, 3))):
        x, y = left + 5 * behind, top + 10 - 5 * behind
        height = 11 * rows
        lines = [f"M{x + 8 * k:g} {y:g}v{height:g}" for k in range(1, 8)]
        lines += [f"M{x:g} {y + 11 * k:g}h64" for k in range(1, rows)]
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="64" height="{height:g}" '
            f'fill="#3b82f633"/><path d="{"".join(lines)}" stroke-width="0.5"/>'
        )
    return "".join(parts)


def draw_examples(kinds: Sequence[tuple[str, Sequence[int | None]]]) -> Drawing:
    """Draw batches of examples, and set `shape` beside what the model sees.

    A frame is around one example, which `shape` describes. The others and the dots
    are the batch, which it leaves out.

    Args:
        kinds: Sequence of tuples `(what one example is, its shape)`, with shapes of one
            to three integers or `None`.

    Returns:
        A `Drawing`, with a row for each kind.

    Example:
        >>> draw_examples([("a row", (13,))])
        Drawing('a row: shape=(13,) becomes (None, 13)')
    """
    parts, words = [], []
    for row, (kind, shape) in enumerate(kinds):
        top, declared = 116 * row, f"shape={tuple(shape)}"
        seen = str((None, *shape))
        parts.append(
            f'<text x="8" y="{top + 18}" fill="currentColor" stroke="none" '
            f'text-anchor="start" font-weight="600">{kind}</text>'
        )
        parts.append(box(8, top + 28, 98, 74, [], dashed=True, fill="#f59e0b33"))
        parts += [grid(16 + 98 * k, top + 34, shape) for k in range(3)]
        parts.append(
            f'<text x="306" y="{top + 70}" fill="currentColor" stroke="none">…</text>'
        )
        for below, text in ((58, declared), (82, f"→ {seen}")):
            parts.append(
                f'<text x="322" y="{top + below}" fill="currentColor" stroke="none" '
                f'text-anchor="start" font-family="monospace">{text}</text>'
            )
        words.append(f"{kind}: {declared} becomes {seen}")
    return Drawing(parts, 500, 116 * len(kinds), "; ".join(words))

"""How numbers reach a placeholder, and how they reach a model, as a picture."""

from snippets.showing.drawings import Drawing, arrow, box


def draw_feeding() -> Drawing:
    """Draw a session that feeds a graph beside a call of a Keras model.

    Returns:
        A `Drawing` of two columns.

    Example:
        >>> draw_feeding().alt.startswith("TensorFlow 1: session.run(y, {x: rows})")
        True
    """
    columns = [
        ("TensorFlow 1", "session.run(y, {x: rows})", "graph", ["x: placeholder", "y"]),
        ("Keras", "model.predict(rows)", "model", ["Input", "Dense"]),
    ]
    parts, words = [], []
    for column, (title, call, frame, (first, last)) in enumerate(columns):
        left = 8 + 236 * column
        middle = left + 110
        for x, y, text, style in (
            (middle, 18, title, 'font-weight="600"'),
            (middle, 46, call, 'font-family="monospace"'),
            (left + 30, 100, frame, ""),
            (middle, 274, "numbers", ""),
        ):
            parts.append(
                f'<text x="{x}" y="{y}" fill="currentColor" stroke="none" {style}>'
                f"{text}</text>"
            )
        parts += [
            box(left, 82, 220, 148, [], dashed=True, fill="#f59e0b33"),
            arrow((middle, 54), (middle, 108)),
            box(left + 50, 110, 120, 40, [first]),
            arrow((middle, 150), (middle, 176)),
            box(left + 50, 178, 120, 40, [last]),
            arrow((middle, 218), (middle, 256)),
        ]
        words.append(f"{title}: {call} reaches {first} of the {frame}, then {last}")
    return Drawing(parts, 472, 284, "; ".join(words))

"""A picture of the questions that lead to a level."""

from snippets.showing.drawings import Drawing, arrow, box

# A question, what to take if the answer is yes, and the word on the way to the next.
# From each answer but the first a line leads on to the last question.
QUESTIONS = (
    (["All in plain TensorFlow?", "no Keras around it"], ["tf.Module"], "no"),
    (["One layer after another?"], ["Sequential"], "no"),
    (["A fixed graph of layers?", "branches, several inputs"], ["Functional"], "no"),
    (
        ["Anything else?", "such as own arguments"],
        ["subclass of", "keras.Model"],
        "",
    ),
    (["A new training step?", "in any Keras model"], ["own", "train_step"], ""),
)


def draw_decision() -> Drawing:
    """Draw which level to take: questions on the left, answers on the right.

    Returns:
        A `Drawing`.

    Example:
        >>> draw_decision().alt.partition(";")[0]
        'All in plain TensorFlow? tf.Module'
    """
    parts, words = [], []
    for row, (question, answer, down) in enumerate(QUESTIONS):
        y, middle = 8 + 82 * row, 32 + 82 * row
        parts += [
            box(8, y, 206, 48, question),
            box(264, y, 116, 48, answer, fill="#f59e0b33"),
            f'<path d="M214 {middle}H258"/><path d="M264 {middle}l-8 -4v8z" '
            'fill="currentColor" stroke="none"/>'
            f'<text x="237" y="{middle - 6}" fill="currentColor" stroke="none">yes'
            "</text>",
        ]
        if down:
            parts += [
                arrow((111, y + 48), (111, y + 82)),
                f'<text x="136" y="{y + 68}" fill="currentColor" stroke="none">{down}'
                "</text>",
            ]
        words.append(f"{question[0]} {' '.join(answer)}")
    first, last = 32 + 82, 8 + 82 * (len(QUESTIONS) - 1)
    parts += [f'<path d="M380 {32 + 82 * row}H396"/>' for row in (1, 2, 3)]
    parts += [
        f'<path d="M396 {first}V{last - 17}H111"/>',
        arrow((111, last - 17), (111, last)),
        f'<text x="136" y="{last - 3}" fill="currentColor" stroke="none">then</text>',
    ]
    return Drawing(parts, 404, 82 * len(QUESTIONS) - 18, "; ".join(words))

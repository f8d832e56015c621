"""Where marks may stand, which sentence each proves, and what is left unproved."""

import pytest

from conf.pages.read import read
from conf.pages.recipes import Package
from conf.proofs.marks import Mark, Marked, find, plain

EXTENSIONS = ["colon_fence", "deflist"]
QUOTES = {"one": "One is `1`.", "two": "Two is `2`."}


def marked(text: str) -> Marked:
    return find(text, [], EXTENSIONS, QUOTES)


def seen(text: str) -> list[tuple[int, tuple[str, ...], str]]:
    """The line, the names and the sentence of each mark."""
    return [(mark.line, mark.names, mark.sentence) for mark in marked(text).marks]


def unproved(text: str) -> list[tuple[int, str]]:
    return [(sentence.line, sentence.text) for sentence in marked(text).unproved]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# Title\n\nOne is `1`. {proof}`one`\n", 3),
        ("Words.\nOne is\n`1`. {proof}`one`\n", 3),
        ("Words. One is `1`.\n{proof}`one` Words.\n", 2),
        ("# One is `1`. {proof}`one`\n", 1),
        ("Words\n\n### One is `1`. {proof}`one`\n", 3),
        ("- Words.\n- One is `1`. {proof}`one`\n", 2),
        ("- Words.\n  - One is\n    `1`. {proof}`one`\n", 3),
        ("1. Words.\n\n   One is `1`. {proof}`one`\n", 3),
        ("> One is `1`. {proof}`one`\n", 1),
        ("Term\n: One is `1`. {proof}`one`\n", 2),
        ("Words[^a].\n\n[^a]: One is `1`. {proof}`one`\n", 3),
        (":::{note}\nOne is `1`. {proof}`one`\n:::\n", 2),
        (":::{note} Title\n:class: wide\n\nOne is `1`. {proof}`one`\n:::\n", 4),
        ("```{warning}\n:class: wide\n\nWords.\n\nOne is `1`. {proof}`one`\n```\n", 6),
        ("::::{note}\n:::{tip}\nOne is `1`. {proof}`one`\n:::\n::::\n", 3),
        (
            "````{tab-set}\n```{tab-item} Keras 3\nWords.\n\n- One is `1`. "
            "{proof}`one`\n```\n````\n",
            5,
        ),
        ("```{figure} a.png\n:alt: words\n\nOne is `1`. {proof}`one`\n```\n", 4),
    ],
)
def test_a_mark_stands_after_a_sentence(text: str, line: int) -> None:
    (mark,) = marked(text).marks
    assert (mark.line, mark.names) == (line, ("one",))
    assert mark.start_of(QUOTES["one"]) is not None
    assert mark.start_of(QUOTES["two"]) is None
    assert plain(mark.sentence) == "One is 1."


def test_a_row_of_a_table_is_one_sentence() -> None:
    text = "| a | b |\n| - | - |\n| x | 1 |\n| `x \\| y` | 2 {proof}`two` |\n"
    (mark,) = marked(text).marks
    assert mark.line == 4
    assert mark.start_of("`x | y` | 2") == 0
    assert mark.start_of("`x \\| y` | 2") == 0
    assert mark.start_of("`x | z` | 2") is None
    assert (3, "x | 1") in unproved(text)


def test_a_caption_of_a_cell_is_marked_at_its_fence(package: Package) -> None:
    cell = (
        "# Title\n\n```{code-cell} python\n---\n"
        "mystnb: {image: {alt: a}, figure: {caption: 'One is `1`. {proof}`one`'}}\n"
        "---\nprint(1)\n```\n"
    )
    page = read(cell, "page.md", package, EXTENSIONS)
    found = find(cell, page.cells, EXTENSIONS, QUOTES)
    assert [(mark.line, mark.names) for mark in found.marks] == [(3, ("one",))]
    assert found.marks[0].start_of(QUOTES["one"]) == 0


def test_several_marks_share_a_paragraph() -> None:
    text = "One is `1`. {proof}`one` Two\nis `2`. {proof}`two` Three is `3`.\n"
    assert seen(text) == [
        (1, ("one",), "One is `1`."),
        (2, ("two",), "Two\nis `2`."),
    ]
    assert unproved(text) == [(2, "Three is `3`.")]


def test_one_mark_may_name_several_proofs() -> None:
    (mark,) = marked("One is `1`. {proof}`one\nother`\n").marks
    assert mark.names == ("one", "other")


@pytest.mark.parametrize(
    "text",
    [
        "`` {proof}`one` ``",
        "One is `1`. `{proof}`",
        "\\{proof}`one`",
        "Words <!-- {proof}`one` --> words.",
        "<!-- {proof}`one` -->",
        "% {proof}`one`",
        "```\nOne is `1`. {proof}`one`\n```",
        "```python\n# One is `1`. {proof}`one`\n```",
        "```{code-block} python\n# One is `1`. {proof}`one`\n```",
        "```{code-cell} python\n# One is `1`. {proof}`one`\n```",
        "    One is `1`. {proof}`one`",
        "- Words\n\n  ```text\n  {proof}`one`\n  ```",
        "{prooof}`one`",
        "{proof} `one`",
        "proof`one`",
    ],
)
def test_what_is_shown_as_code_is_no_mark(text: str) -> None:
    assert marked(f"Words.\n\n{text}\n").marks == []


@pytest.mark.parametrize(
    "page",
    [
        "One is `1`.",
        "One   is\n`1`.",
        "**One** is `1`.",
        "*One is `1`.*",
        "One *is* **`1`**.",
        "One is 1.",
        "[One](one.md) is `1`.",
        "[One is `1`](https://example.org/one).",
        "One is [`1`](#one).",
        "One is {recipe}`1`.",
        "Words: one. One is `1`.",
        "Really? One is `1`.",
        "(Words.) One is `1`.",
    ],
)
def test_markup_and_white_space_do_not_count(page: str) -> None:
    (mark,) = marked(f"{page} {{proof}}`one`\n").marks
    assert mark.start_of("One is `1`.") is not None
    assert mark.start_of("One\nis **1**.") is not None


@pytest.mark.parametrize(
    ("page", "quote"),
    [
        ("One is `1`.", "One is `2`."),
        ("One is `1`.", "One is `1`"),
        ("One is `1`.", "one is `1`."),
        ("One is `1`, mostly.", "One is `1`."),
        ("One is `1`. And more.", "One is `1`."),
        ("One is `1`.", ""),
        ("", "One is `1`."),
        ("`f(*args)` is `1`.", "`f(args)` is `1`."),
        ("`layers[0](x)` is `1`.", "`layers[0](y)` is `1`."),
        ("`a[0](x)` is `1`.", "`a0` is `1`."),
        ("`2 * 3` is `6`.", "`2 3` is `6`."),
        ("`**kwargs` is `1`.", "`kwargs` is `1`."),
        ("`x` is `-1`.", "`x` is `1`."),
    ],
)
def test_other_words_differ(page: str, quote: str) -> None:
    assert Mark(1, ("one",), f"{page} ").start_of(quote) is None


@pytest.mark.parametrize(
    "before",
    [
        "It is wrong that the shape is 3.",
        "It is wrong, i.e. the shape is 3.",
        "It is wrong (or not) the shape is 3.",
        "In `x.` the shape is 3.",
        'Not "so" the shape is 3.',
    ],
)
def test_the_tail_of_a_sentence_is_not_the_sentence(before: str) -> None:
    mark = Mark(1, ("one",), f"Words come first. {before} ")
    assert mark.start_of("the shape is 3.") is None
    assert mark.start_of(before) == len("Words come first. ")


def test_a_quote_may_hold_several_sentences() -> None:
    mark = Mark(1, ("one",), "Words. One is `1`. Two is `2`. ")
    assert mark.start_of("One is `1`. Two is `2`.") == len("Words. ")


def test_what_no_mark_proves_is_listed_with_its_line() -> None:
    text = (
        "# A title of 3 words\n\nFirst words. One is `1`. {proof}`one` More `x`.\n\n"
        "- Item `a`.\n  - Nested\n    item `b`. Its second.\n\n"
        "| head `1` |\n| --- |\n| cell `2` |\n\n"
        ":::{note}\nA note of 3.\n:::\n\n```python\nx = 1\n```\n"
    )
    assert unproved(text) == [
        (1, "A title of 3 words"),
        (3, "First words."),
        (3, "More `x`."),
        (5, "Item `a`."),
        (6, "Nested item `b`."),
        (6, "Its second."),
        (9, "head `1`"),
        (11, "cell `2`"),
        (14, "A note of 3."),
    ]


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("`Input` makes a tensor.", True),
        ("A vector of 64 numbers.", True),
        ("Models are made of layers.", False),
        ("What is `Input`?", False),
        ("# What `Input` is", False),
        ("| `Input` |\n| --- |", False),
        ("- `Input`", True),
    ],
)
def test_titles_questions_and_plain_words_need_no_proof(text: str, needs: bool) -> None:
    assert [sentence.needs_proof for sentence in marked(text).unproved] == [needs]


def test_a_mark_of_another_sentence_leaves_this_one_unproved() -> None:
    """A proof that quotes something else proves nothing of what stands before it."""
    text = "First is `0`. One is `1`. {proof}`one`\n"
    assert unproved(text) == [(1, "First is `0`.")]

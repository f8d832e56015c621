"""Code in colors, with few elements."""

from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.token import Name, Operator, Punctuation, Text, Whitespace

# What the styles of both themes color as the text around it.
_PLAIN = frozenset(
    {Name, Name.Namespace, Name.Other, Punctuation, Punctuation.Marker, Whitespace}
)


class LeanFormatter(HtmlFormatter[str]):
    """Pygments' formatter, without elements that no reader would miss.

    Most tokens of Python are names, punctuation and spaces, which look like the text
    around them: two thirds of the elements of a page were theirs. The dot of an
    attribute, an operator to Pygments, reads as part of the name.
    """

    def format_unencoded(self, tokensource: Any, outfile: Any) -> None:
        plain = (
            (Text if kind in _PLAIN or (kind, text) == (Operator, ".") else kind, text)
            for kind, text in tokensource
        )
        super().format_unencoded(plain, outfile)

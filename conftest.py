"""Run the examples of the README and of the pages; floats agree to the digits shown."""

from doctest import ELLIPSIS, NORMALIZE_WHITESPACE

from sybil import Sybil
from sybil.evaluators.doctest import NUMBER
from sybil.parsers.markdown import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[
        PythonCodeBlockParser(
            doctest_optionflags=NUMBER | ELLIPSIS | NORMALIZE_WHITESPACE
        )
    ],
    patterns=["*.md"],
).pytest()

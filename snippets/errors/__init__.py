"""The error reference: what a message means, code that raises it, and code that works.

`error_for` finds the entry of a message.
"""

from snippets.errors.finding import UnknownMessageError, error_for

__all__ = ["UnknownMessageError", "error_for"]

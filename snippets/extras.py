"""What is not installed with the package, and what to say when it is missing.

TensorFlow, Keras and NumPy come with the package. A module that needs more imports it
under `with extra(...)`.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Guard the imports of an extra: a missing one is an error that names the extra.

    Args:
        name: String, an extra of this package: `"data"`, `"figures"` or `"keras2"`.

    Yields:
        Nothing. The imports stand in the body of the `with`.

    Raises:
        ModuleNotFoundError: If what the body imports is not installed. It is an
            `ImportError` of one line, which says what to install.

    Example:
        >>> with extra("figures"):
        ...     import a_library_that_is_missing
        Traceback (most recent call last):
            ...
        ModuleNotFoundError: No module named 'a_library_that_is_missing'. It comes ...
    """
    try:
        yield
    except ModuleNotFoundError as error:
        message = f'{error}. It comes with: pip install "keras-snippets[{name}]"'
        raise ModuleNotFoundError(message, name=error.name) from None

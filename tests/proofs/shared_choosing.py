"""What the proofs of the guide choosing and of its reference pages share."""

import functools


def printed(line, backend):
    """What a program prints that has this backend, or its error."""
    from snippets.processes import run_python

    try:
        return run_python(line, {"KERAS_BACKEND": backend}).splitlines()[-1]
    except RuntimeError as error:
        return str(error)


@functools.cache
def refusal(backend):
    return printed("import keras; print('imported')", backend)

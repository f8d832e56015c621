"""What the proofs of the guide choosing and of its reference pages share."""

import ast
import functools
import importlib
from pathlib import Path


def printed(line, backend):
    """What a program prints that has this backend, or its error."""
    from snippets.processes import run_python

    try:
        return run_python(line, {"KERAS_BACKEND": backend}).splitlines()[-1]
    except RuntimeError as error:
        return str(error)


def step_of(backend):
    """The training step that Keras brings for a backend, as syntax."""
    file = Path(importlib.import_module("keras").__file__).parent
    text = (file / f"src/backend/{backend}/trainer.py").read_text()
    return next(
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name == "train_step"
    )


@functools.cache
def refusal(backend):
    return printed("import keras; print('imported')", backend)

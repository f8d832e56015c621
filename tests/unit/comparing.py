"""NumPy's comparisons, of the tensors of any backend.

NumPy alone reads no tensor of PyTorch that has a gradient.
"""

from typing import Any

import numpy as np
from keras.ops import convert_to_numpy


def assert_allclose(found: Any, expected: Any, *args: Any, **options: Any) -> None:
    found, expected = map(convert_to_numpy, (found, expected))
    np.testing.assert_allclose(found, expected, *args, **options)


def assert_array_equal(found: Any, expected: Any, **options: Any) -> None:
    found, expected = map(convert_to_numpy, (found, expected))
    np.testing.assert_array_equal(found, expected, **options)

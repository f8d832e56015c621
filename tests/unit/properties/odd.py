"""What the property-based tests share: few examples, odd values, and clear refusals."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# The same examples in each run, however slow the machine is.
FEW = settings(
    database=None,
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
FLOATS = ["float16", "float32", "float64", ">f4", "longdouble"]
REAL = st.sampled_from(["bool", *INTEGERS, ">i4", *FLOATS])
OTHER = st.sampled_from(["complex64", "datetime64[s]", "timedelta64[s]", "U2", "S2"])


class Frame:
    """As much of a DataFrame as a careless check meets."""

    columns, shape, ndim, size = ["x"], (2, 1), 2, 2

    def items(self) -> Any:
        return {"x": np.array([1.0, 2.0])}.items()

    def __len__(self) -> int:
        return 2

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return np.array([[1.0], [2.0]])


THINGS = st.sampled_from(
    [
        *(None, True, 0, -1, 3, 2.5, float("nan"), "8", "", b"x"),
        *([], [1.0], [[1.0], [2.0, 3.0]], (1,), {}, {"x": 1}, {1}, object()),
        *(np.float32(1.0), np.array(1.0), np.array([None])),
        *(tf.constant([1.0]), tf.constant("a"), keras.KerasTensor((None, 3)), Frame()),
    ]
)


MASKED = np.ma.array([[1.0, 2.0, 3.0]], mask=True)


def arrays(shape: Any, dtypes: st.SearchStrategy[Any] = REAL) -> Any:
    """Arrays of a shape, or of shapes, and of any of some dtypes."""
    return dtypes.flatmap(lambda dtype: hnp.arrays(dtype, shape))


def result_of(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns, or `None` if it refuses in one clear line."""
    try:
        return call(*arguments)
    except (TypeError, ValueError) as error:
        text = str(error)
        assert text.startswith("Expected ")
        assert "Received: " in text
        assert "\n" not in text
        return None

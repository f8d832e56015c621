"""A learning rate of its own for each layer."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras


@keras.saving.register_keras_serializable(package="snippets")
class LayerwiseAdam(keras.optimizers.Adam):
    """Adam with a learning rate that is multiplied by a factor in some layers.

    Schedules, callbacks that set the rate, saving and mixed precision work as with
    Adam, since it is one optimizer with one rate. To multiply a gradient by the factor
    would do nothing: Adam divides by the size of the gradients.

    Args:
        learning_rate: Float or schedule, as for Adam: the rate where no factor counts.
        factors: Dict from a layer to a finite float of at least 0. A layer is named as
            in the `path` of its weights: by its name, or by several that are joined by
            `/`. A layer that holds layers stands for those that were built in it. If
            several names match, the first counts.
        **kwargs: As for Adam, without `weight_decay`, which Keras would take with the
            full learning rate.

    Raises:
        ValueError: If a factor is out of its range, if there is a `weight_decay`, or,
            when the optimizer is built, if a name matches no weight.

    Example:
        >>> import numpy as np
        >>> layers = [keras.layers.Dense(1, name=name) for name in ("base", "head")]
        >>> model = keras.Sequential([keras.Input((3,)), *layers])
        >>> model.compile(LayerwiseAdam(0.01, {"base": 0.1}), "mse")
        >>> before = model.get_weights()
        >>> history = model.fit(np.ones((4, 3)), np.full((4, 1), 9.0), verbose=0)
        >>> pairs = zip(before, model.get_weights())
        >>> [round(float(abs(new - old).max()), 4) for old, new in pairs]
        [0.001, 0.001, 0.01, 0.01]

    References:
        - [Universal Language Model Fine-tuning for Text Classification](
          https://arxiv.org/abs/1801.06146), J. Howard and S. Ruder, 2018.
    """

    def __init__(
        self, learning_rate: Any, factors: Mapping[str, float], **kwargs: Any
    ) -> None:
        if not all(0 <= factor < math.inf for factor in factors.values()):
            raise ValueError(
                f"Expected finite factors of at least 0. Received: {dict(factors)}"
            )
        if kwargs.get("weight_decay") is not None:
            raise ValueError(
                "Expected no `weight_decay`, which would not be multiplied by the "
                f"factors. Received: {kwargs['weight_decay']}"
            )
        super().__init__(learning_rate, **kwargs)
        self.factors = dict(factors)

    def build(self, variables: Sequence[Any]) -> None:
        super().build(variables)
        names = [
            [name for name in self.factors if f"/{name}/" in f"/{variable.path}/"]
            for variable in variables
        ]
        if missing := set(self.factors) - {name for found in names for name in found}:
            paths = [variable.path for variable in variables]
            raise ValueError(
                f"Expected each name in one of the paths {paths}. "
                f"Received: {sorted(missing)}"
            )
        self.factor_of = [self.factors[n[0]] if n else 1.0 for n in names]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        factor = self.factor_of[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factors": dict(self.factors)}

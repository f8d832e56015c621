"""Old graph code inside Keras, and behind a `feed_dict`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from snippets.placeholders.feeding import unfed_placeholders


@keras.saving.register_keras_serializable(package="snippets")
class GraphLayer(keras.layers.Layer):
    """Call a graph function of TensorFlow 1 as a Keras layer, and train its variables.

    The variables that the function makes become weights of the layer, so `fit` trains
    those that the function made trainable, and `model.save` keeps them. Numbers that
    are constants of the graph, such as those of a frozen `GraphDef`, are no weights:
    they can neither be trained nor set, though gradients flow through to what is below.
    A function that reads a placeholder of its own cannot be fed.

    The backend must be TensorFlow. To be saved, the function must be registered by
    `keras.saving.register_keras_serializable`.

    Args:
        function: Function of one tensor that returns tensors, as
            `tf.compat.v1.wrap_function` takes it. Variables come from
            `tf.compat.v1.get_variable`, or from `tf.Variable` with an initial value
            that is a function.
        **kwargs: Further arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, ...)` and the dtype of the layer.

    Raises:
        ValueError: If `function` is no function, or reads a placeholder of its own.

    Example:
        >>> from snippets.placeholders.feeding import network_of_2017
        >>> layer = GraphLayer(network_of_2017)
        >>> layer(np.ones((2, 64), "float32")).shape
        TensorShape([2, 10])
        >>> len(layer.trainable_weights), len(layer.non_trainable_weights)
        (2, 1)
    """

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        """Keep the function; its graph is made when the shape of the input is known."""
        if not callable(function):
            raise ValueError(
                f"Expected `function` to be callable. Received: {function}"
            )
        super().__init__(**kwargs)
        self.function = function

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Trace the function twice: to see its variables, and to run on weights."""
        spec = tf.TensorSpec([None, *input_shape[1:]], self.compute_dtype)
        made: list[tf.Variable] = []

        def record(make: Callable[..., tf.Variable], **kwargs: Any) -> tf.Variable:
            made.append(make(**kwargs))
            return made[-1]

        unfed = unfed_placeholders(self._trace(record, spec).graph)
        if unfed:
            raise ValueError(
                "Expected a `function` whose argument is its only placeholder. "
                f"Received: {self.function.__name__}, which also reads {unfed}"
            )
        weights = [
            self.add_weight(
                # A `/` is not allowed in the name of a weight.
                name=variable.name.partition(":")[0].strip("/").replace("/", "_"),
                shape=variable.shape,
                dtype=variable.dtype.name,
                trainable=variable.trainable,
                initializer=lambda *_, value=variable, **__: value.read_value(),
            )
            for variable in made
        ]
        in_order = iter(weights)
        self._graph = self._trace(lambda *_, **__: next(in_order).value, spec)

    def _trace(self, creator: Callable[..., Any], spec: tf.TensorSpec) -> Any:
        """Wrap the function, with each of its variables made by `creator`."""

        def traced(inputs: tf.Tensor) -> Any:
            with tf.variable_creator_scope(creator):
                return self.function(inputs)

        return tf.compat.v1.wrap_function(traced, [spec])

    def call(self, inputs: tf.Tensor) -> Any:
        """Run the graph on the weights of the layer."""
        return self._graph(inputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make the layer again."""
        function = keras.saving.serialize_keras_object(self.function)
        return {**super().get_config(), "function": function}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "GraphLayer":
        """Make the layer again from its arguments."""
        function = keras.saving.deserialize_keras_object(config.pop("function"))
        return cls(function, **config)


class FeedRunner:
    """Answer `session.run(fetches, feed_dict)` from a Keras model, by names.

    Any tensor between two layers may be fed as well as fetched, and of the inputs only
    those that the fetches need have to be fed. The model runs as in `predict`.

    Args:
        model: A Functional or a built Sequential `keras.Model`. Its tensors go by the
            names of its inputs, and of its layers that return one tensor; a layer
            that is called twice stands for its first call.

    Raises:
        ValueError: If `model` does not know its inputs.

    Example:
        >>> from snippets.placeholders.training import classifier_with
        >>> from snippets.placeholders.training import start_weights
        >>> runner = FeedRunner(classifier_with(start_weights()))
        >>> runner.run("scores", {"x": np.zeros((2, 64))}).shape
        (2, 10)
    """

    def __init__(self, model: keras.Model) -> None:
        """Collect the tensors of the model by their names."""
        if not getattr(model, "inputs", None):
            raise ValueError(
                "Expected a model that begins at an Input. "
                f"Received: {type(model).__name__} '{model.name}'"
            )
        self.tensors = {tensor.name: tensor for tensor in model.inputs}
        for layer in model.layers:
            if isinstance(layer.output, keras.KerasTensor):
                self.tensors.setdefault(layer.name, layer.output)
        self._functions: dict[Any, keras.Function] = {}

    def run(
        self,
        fetches: str | Sequence[str],
        feed_dict: Mapping[str, npt.NDArray[Any]],
    ) -> npt.NDArray[Any] | list[npt.NDArray[Any]]:
        """Feed some tensors of the model and fetch others.

        Args:
            fetches: The name of an input or layer, or a sequence of names.
            feed_dict: Dict from names to arrays of the shapes of their tensors.

        Returns:
            An array for one name, a list of arrays for a sequence of names.

        Raises:
            ValueError: If a name is unknown, if an array has another shape, or if the
                fetches need an input that is not fed.

        Example:
            >>> from snippets.placeholders.training import classifier_with
            >>> from snippets.placeholders.training import start_weights
            >>> runner = FeedRunner(classifier_with(start_weights()))
            >>> runner.run("scores", {"hidden": np.zeros((1, 32))}).tolist()[0][:3]
            [0.0, 0.0, 0.0]
        """
        wanted = [fetches] if isinstance(fetches, str) else list(fetches)
        for name in [*wanted, *feed_dict]:
            if name not in self.tensors:
                raise ValueError(
                    f"Expected names of {list(self.tensors)}. Received: {name!r}"
                )
        arrays = []
        for name, value in feed_dict.items():
            tensor, shape = self.tensors[name], np.shape(value)
            if len(shape) != len(tensor.shape) or any(
                want not in (None, size)
                for want, size in zip(tensor.shape, shape, strict=True)
            ):
                raise ValueError(
                    f"Cannot feed value of shape {shape} for {name!r}, "
                    f"which has shape {tensor.shape}"
                )
            arrays.append(keras.ops.convert_to_tensor(value, dtype=tensor.dtype))
        key = (tuple(wanted), tuple(feed_dict))
        if key not in self._functions:
            self._functions[key] = self._function(wanted, list(feed_dict))
        outputs = self._functions[key](arrays)
        results = [keras.ops.convert_to_numpy(output) for output in outputs]
        return results[0] if isinstance(fetches, str) else results

    def _function(self, wanted: list[str], fed: list[str]) -> keras.Function:
        try:
            return keras.Function(
                [self.tensors[name] for name in fed],
                [self.tensors[name] for name in wanted],
            )
        except ValueError as error:
            raise ValueError(
                f"Expected `feed_dict` to feed all that {wanted} needs. "
                f"Received: {fed or 'nothing'}"
            ) from error


def count_traces(
    function: Callable[..., Any], arguments: Sequence[Any], **options: Any
) -> int:
    """Count how often `tf.function` builds a graph for a series of calls.

    Args:
        function: Function of one argument.
        arguments: Sequence of arguments, one for each call.
        **options: Arguments of `tf.function`, such as `input_signature`.

    Returns:
        An integer, the number of graphs.

    Raises:
        ValueError: If `function` is a `tf.function` already: it may have graphs.

    Example:
        >>> batches = [tf.zeros((size, 64)) for size in (1, 2, 3)]
        >>> spec = tf.TensorSpec([None, 64], tf.float32)
        >>> count_traces(tf.reduce_sum, batches, input_signature=[spec])
        1
    """
    if hasattr(function, "get_concrete_function"):
        raise ValueError(
            "Expected `function` to be a plain Python function. "
            f"Received: {type(function).__name__}"
        )

    compiled = tf.function(function, **options)
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")  # TensorFlow would warn of what is counted here.
    try:
        for argument in arguments:
            compiled(argument)
    finally:
        logger.setLevel(level)
    return int(compiled.experimental_get_tracing_count())

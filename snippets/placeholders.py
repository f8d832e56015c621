"""The way from `tf.placeholder` to `keras.Input`: old programs, and what they became.

Recipes that show TensorFlow 1 say so in their first line. They keep to a graph of their
own, or to a process of its own, and leave eager mode and the default graph untouched.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf


def row_sums_of_2017(batch: Any) -> Any:
    """Sum rows by placeholder, session and feed_dict: old code, to be compared.

    Args:
        batch: Array of real numbers, shape `(batch, 3)`.

    Returns:
        An array of shape `(batch,)`, float32.

    Raises:
        ValueError: If TensorFlow cannot feed `batch` to a placeholder of shape
            `(None, 3)`.

    Example:
        >>> row_sums_of_2017([[1.0, 2.0, 3.0]]).tolist()
        [6.0]
    """
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        return session.run(tf.reduce_sum(x, axis=1), feed_dict={x: batch})


def start_weights(
    num_features: int = 64, num_hidden: int = 32, num_classes: int = 10, seed: int = 0
) -> dict[str, npt.NDArray[np.float32]]:
    """Draw the weights from which three programs start alike.

    Args:
        num_features: Integer of at least 1, the values of one example.
        num_hidden: Integer of at least 1, the units of the hidden layer.
        num_classes: Integer of at least 1.
        seed: Integer of at least 0; the same seed gives the same weights.

    Returns:
        A dict of float32 arrays: `hidden/kernel`, `hidden/bias`, `scores/kernel`,
        `scores/bias`, the names a `keras.Model` with these two layers uses too.

    Raises:
        ValueError: If a size is less than 1.

    Example:
        >>> {name: array.shape for name, array in start_weights().items()}
        {'hidden/kernel': (64, 32), 'hidden/bias': (32,), 'scores/kernel': (32, 10),
         'scores/bias': (10,)}
    """
    sizes = (num_features, num_hidden, num_classes)
    if min(sizes) < 1:
        raise ValueError(f"Expected sizes of at least 1. Received: {sizes}")
    generator = np.random.default_rng(seed)
    weights = {}
    for name, (rows, columns) in {"hidden": sizes[:2], "scores": sizes[1:]}.items():
        limit = np.sqrt(6.0 / (rows + columns))  # Glorot and Bengio, 2010
        kernel = generator.uniform(-limit, limit, (rows, columns))
        weights[f"{name}/kernel"] = kernel.astype("float32")
        weights[f"{name}/bias"] = np.zeros(columns, "float32")
    return weights


def check_start(
    weights: Mapping[str, npt.NDArray[Any]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]] = (),
) -> None:
    """Say what is wrong with the weights or batches of the three programs.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`, at least one example in each, labels from 0.

    Raises:
        ValueError: If a name is missing or extra, or if shapes or labels do not fit.

    Example:
        >>> check_start(start_weights(), [(np.zeros((2, 63)), np.zeros(2))])
        Traceback (most recent call last):
            ...
        ValueError: Expected batch 0 of shapes (batch, 64) and (batch,), with labels
        from 0 to 9. Received: shapes (2, 63) and (2,)
    """
    shapes = {name: np.shape(array) for name, array in weights.items()}
    (rows, hidden), (_, classes) = (
        (*shapes.get(f"{layer}/kernel", ()), 0, 0)[:2] for layer in ("hidden", "scores")
    )
    expected = {
        "hidden/kernel": (rows, hidden),
        "hidden/bias": (hidden,),
        "scores/kernel": (hidden, classes),
        "scores/bias": (classes,),
    }
    if shapes != expected:
        raise ValueError(
            f"Expected `weights` of shapes {expected}. Received: shapes {shapes}"
        )
    for position, (vectors, labels) in enumerate(batches):
        sizes, count = np.shape(vectors), np.shape(labels)
        fits = sizes == (*count, rows) and len(count) == 1 and count[0] > 0
        if not fits or np.min(labels) < 0 or np.max(labels) >= classes:
            raise ValueError(
                f"Expected batch {position} of shapes (batch, {rows}) and (batch,), "
                f"with labels from 0 to {classes - 1}. "
                f"Received: shapes {sizes} and {count}"
            )


def train_in_session(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
    checkpoint: str | Path | None = None,
) -> list[float]:
    """Train a classifier by placeholders and a session: a whole program of 2017.

    This is old code, to be compared with `train_in_function` and `train_in_keras`.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.
        checkpoint: Path at which a `Saver` writes the trained variables, or `None`.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Raises:
        ValueError: If `check_start` refuses the weights or the batches.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_session(start_weights(), batches)
        >>> first > second
        True
    """
    check_start(weights, batches)
    tf1 = tf.compat.v1  # in 2017, these names stood in `tf`
    with tf.Graph().as_default():
        num_features = weights["hidden/kernel"].shape[0]
        x = tf1.placeholder(tf.float32, [None, num_features], name="x")
        y = tf1.placeholder(tf.int64, [None], name="y")
        variable = {
            name: tf1.get_variable(name, initializer=value)
            for name, value in weights.items()
        }
        hidden = tf.matmul(x, variable["hidden/kernel"]) + variable["hidden/bias"]
        scores = tf.matmul(tf.nn.relu(hidden), variable["scores/kernel"])
        scores = scores + variable["scores/bias"]
        loss = tf1.losses.sparse_softmax_cross_entropy(y, scores)
        train = tf1.train.GradientDescentOptimizer(learning_rate).minimize(loss)
        saver = tf1.train.Saver()
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            losses = []
            for vectors, labels in batches:
                feed_dict = {x: vectors, y: labels}
                value, _ = session.run([loss, train], feed_dict=feed_dict)
                losses.append(float(value))
            if checkpoint is not None:
                saver.save(session, str(checkpoint), write_meta_graph=False)
    return losses


def train_in_function(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
) -> list[float]:
    """Train the same classifier by one `tf.function`, without Keras.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Raises:
        ValueError: If `check_start` refuses the weights or the batches.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_function(start_weights(), batches)
        >>> first > second
        True
    """
    check_start(weights, batches)
    variable = {name: tf.Variable(value) for name, value in weights.items()}
    num_features = weights["hidden/kernel"].shape[0]

    @tf.function(
        autograph=False,  # there is no Python `if` or loop to translate
        input_signature=[
            tf.TensorSpec([None, num_features], tf.float32),
            tf.TensorSpec([None], tf.int64),
        ],
    )
    def step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            hidden = tf.matmul(x, variable["hidden/kernel"]) + variable["hidden/bias"]
            scores = tf.matmul(tf.nn.relu(hidden), variable["scores/kernel"])
            scores = scores + variable["scores/bias"]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
            loss = tf.reduce_mean(losses)
        for name, gradient in tape.gradient(loss, variable).items():
            variable[name].assign_sub(learning_rate * gradient)
        return loss

    return [float(step(vectors, labels)) for vectors, labels in batches]


def classifier_with(weights: Mapping[str, npt.NDArray[np.float32]]) -> keras.Model:
    """Build the same classifier in Keras and give it weights by name.

    Args:
        weights: Dict of arrays as `start_weights` gives it.

    Returns:
        An uncompiled `keras.Model` from vectors of shape `(batch, num_features)` to
        scores before softmax of shape `(batch, num_classes)`, float32.

    Raises:
        ValueError: If `check_start` refuses the weights.

    Example:
        >>> [weight.path for weight in classifier_with(start_weights()).weights]
        ['hidden/kernel', 'hidden/bias', 'scores/kernel', 'scores/bias']
    """
    check_start(weights)
    num_features, num_hidden = weights["hidden/kernel"].shape
    num_classes = len(weights["scores/bias"])
    x = keras.Input(shape=(num_features,), name="x")
    hidden = keras.layers.Dense(num_hidden, activation="relu", name="hidden")(x)
    model = keras.Model(x, keras.layers.Dense(num_classes, name="scores")(hidden))
    for weight in model.weights:
        weight.assign(weights[weight.path])
    return model


def train_in_keras(
    weights: Mapping[str, npt.NDArray[np.float32]],
    batches: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]],
    learning_rate: float = 0.1,
) -> list[float]:
    """Train the same classifier as a `keras.Model`, batch by batch.

    Args:
        weights: Dict of arrays as `start_weights` gives it.
        batches: Sequence of `(vectors, labels)`, of shapes `(batch, num_features)`
            and `(batch,)`.
        learning_rate: Float, of gradient descent.

    Returns:
        A list of floats, the loss of each batch before the step on it.

    Raises:
        ValueError: If `check_start` refuses the weights or the batches.

    Example:
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))] * 2
        >>> first, second = train_in_keras(start_weights(), batches)
        >>> first > second
        True
    """
    check_start(weights, batches)
    model = classifier_with(weights)
    model.compile(
        optimizer=keras.optimizers.SGD(learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    losses = []
    for vectors, labels in batches:
        model.reset_metrics()  # else some versions return the mean of all batches
        losses.append(float(model.train_on_batch(vectors, labels)))
    return losses


def call_on_placeholder(model: Any) -> tf.Tensor:
    """Call a model on a placeholder in a graph of its own: old code, to be compared.

    Args:
        model: A model of Keras 3 or Keras 2 for vectors of 784 values, or a function
            that makes one, which is then called inside the graph.

    Returns:
        A symbolic tensor, what the model returns.

    Raises:
        RuntimeError: If the weights of the model were made outside.
        ValueError: Likewise, for a Sequential model of Keras 2.

    Example:
        >>> dense = lambda: keras.Sequential([keras.layers.Dense(10)])
        >>> call_on_placeholder(dense).shape
        TensorShape([None, 10])
    """
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, [None, 784])
        if not hasattr(model, "weights"):
            model = model()
        return model(placeholder)


def begin_at_placeholder(keras_module: ModuleType) -> tf.Tensor:
    """Begin a model at an InputLayer on a placeholder: old code, to be compared.

    Args:
        keras_module: The module `keras` or the module `tf_keras`.

    Returns:
        A symbolic tensor, the output of the model.

    Raises:
        ValueError: On Keras 3, where `input_tensor` must be a `KerasTensor`.

    Example:
        >>> import tf_keras
        >>> begin_at_placeholder(tf_keras).shape
        TensorShape([None, 10])
    """
    layers = keras_module.layers
    with tf.Graph().as_default():
        placeholder = tf.compat.v1.placeholder(tf.float32, [None, 784])
        start = layers.InputLayer(input_tensor=placeholder)
        return keras_module.Sequential([start, layers.Dense(10)]).output


def checkpoint_problems(
    model: keras.Model,
    path: str | Path,
    name_map: Mapping[str, str],
    ignored: Collection[str] = (),
) -> list[str]:
    """Say what keeps a TensorFlow 1 checkpoint from filling a Keras model.

    Args:
        model: A built `keras.Model`.
        path: Prefix of a checkpoint, as it was given to `Saver.save`.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint.
        ignored: Names of variables in the checkpoint to leave behind, such as
            the slots of its optimizer.

    Returns:
        A list of strings, one for each problem; empty if there is none.

    Example:
        >>> import tempfile
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(), batches, checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     checkpoint_problems(model, f"{folder}/old", same)
        []
    """
    reader = tf.train.load_checkpoint(str(path))
    shapes = reader.get_variable_to_shape_map()
    dtypes = reader.get_variable_to_dtype_map()
    weights = {weight.path: weight for weight in model.weights}
    problems = []
    for here, weight in weights.items():
        name = name_map.get(here)
        if name is None:
            problems.append(f"`name_map` lacks the weight {here!r}")
        elif name not in shapes:
            problems.append(f"missing: {name!r}, for the weight {here!r}")
        elif tuple(shapes[name]) != tuple(weight.shape):
            want, got = tuple(weight.shape), tuple(shapes[name])
            problems.append(f"wrong shape: {name!r} is {got}, {here!r} is {want}")
        elif dtypes[name].name != weight.dtype:
            problems.append(
                f"wrong dtype: {name!r} is {dtypes[name].name}, "
                f"{here!r} is {weight.dtype}"
            )
    problems += [
        f"`name_map` has {here!r}, which is no weight of the model"
        for here in name_map
        if here not in weights
    ]
    used = {*name_map.values(), *ignored}
    problems += [f"extra: {name!r}" for name in sorted(shapes) if name not in used]
    return problems


def load_checkpoint(
    model: keras.Model,
    path: str | Path,
    name_map: Mapping[str, str],
    ignored: Collection[str] = (),
) -> None:
    """Carry the variables of a TensorFlow 1 checkpoint into a Keras model.

    Either every weight of the model is replaced or, if anything is wrong, none.

    Args:
        model: A built `keras.Model`. Give its layers names: automatic ones change
            with the number of models built before.
        path: Prefix of a checkpoint, as it was given to `Saver.save`.
        name_map: Dict from the `path` of each weight of the model to the name of a
            variable in the checkpoint, of the same shape and dtype.
            `tf.train.list_variables(path)` lists the names.
        ignored: Names of variables in the checkpoint to leave behind, such as
            the slots of its optimizer.

    Raises:
        ValueError: If anything is missing, extra, or of another shape or dtype; one
            message lists it all.

    Example:
        >>> import tempfile
        >>> batches = [(np.eye(4, 64, dtype="float32"), np.arange(4))]
        >>> model = classifier_with(start_weights(seed=1))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     losses = train_in_session(
        ...         start_weights(seed=2), batches, checkpoint=f"{folder}/old")
        ...     same = {weight.path: weight.path for weight in model.weights}
        ...     load_checkpoint(model, f"{folder}/old", same)
    """
    problems = checkpoint_problems(model, path, name_map, ignored)
    if problems:
        raise ValueError(
            "Expected a checkpoint with a variable of the same shape and dtype for "
            f"each weight of `model`, and no other. Received: {'; '.join(problems)}"
        )
    reader = tf.train.load_checkpoint(str(path))
    for weight in model.weights:
        weight.assign(reader.get_tensor(name_map[weight.path]))


@keras.saving.register_keras_serializable(package="snippets")
def network_of_2017(x: tf.Tensor) -> tf.Tensor:
    """Compute scores with variables from `get_variable`: old code, to be wrapped.

    Args:
        x: Tensor of shape `(batch, num_features)`, float32.

    Returns:
        A tensor of shape `(batch, 10)`, float32.

    Example:
        >>> spec = tf.TensorSpec([None, 64], tf.float32)
        >>> function = tf.compat.v1.wrap_function(network_of_2017, [spec])
        >>> len(function.variables)
        3
    """
    tf1 = tf.compat.v1
    kernel = tf1.get_variable("scores/kernel", [x.shape[1], 10])
    bias = tf1.get_variable("scores/bias", [10], initializer=tf1.zeros_initializer())
    scale = tf1.get_variable(
        "scale", [], initializer=tf1.ones_initializer(), trainable=False
    )
    return scale * tf.matmul(x, kernel) + bias


def unfed_placeholders(graph: Any) -> list[str]:
    """List the placeholders that the outputs of a traced function still wait for.

    Args:
        graph: The `graph` of a function of `tf.compat.v1.wrap_function`.

    Returns:
        A sorted list of the names of placeholders that are no arguments.

    Example:
        >>> spec = tf.TensorSpec([], tf.float32)
        >>> unfed_placeholders(tf.compat.v1.wrap_function(tf.square, [spec]).graph)
        []
    """
    fed = {tensor.op for tensor in graph.inputs}
    behind, ahead = set(), [tensor.op for tensor in graph.outputs]
    while ahead:
        operation = ahead.pop()
        if operation not in behind:
            behind.add(operation)
            ahead += [tensor.op for tensor in operation.inputs]
    return sorted(op.name for op in behind - fed if op.type == "Placeholder")


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


def leaking_double(value: float) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the result of a `tf.function`, and a tensor that leaked out: wrong code.

    Args:
        value: Number.

    Returns:
        A tuple `(returned, leaked)`: twice the value, and the tensor of the graph that
        stood for it, which cannot be used outside.

    Example:
        >>> returned, leaked = leaking_double(2.0)
        >>> float(returned)
        4.0
    """
    leaks = []

    @tf.function(autograph=False)
    def double(x: tf.Tensor) -> tf.Tensor:
        doubled = x * 2.0
        leaks.append(doubled)  # runs while the graph is built, with no number in sight
        return doubled

    return double(tf.constant(value)), leaks[0]


@contextmanager
def graph_of_2017() -> Iterator[dict[str, Any]]:
    """Lend a graph and a session with some tensors, to show how old code fails.

    Yields:
        A dict of names: `tf`, `np`, `tf1` for `tf.compat.v1`, `session`, a placeholder
        `x` of shape `(None, 3)`, float32, its sum `total`, an uninitialized variable
        `w`, and `elsewhere`, a tensor of another graph.

    Example:
        >>> with graph_of_2017() as names:
        ...     names["session"].run(names["total"], {names["x"]: [[1.0, 2.0, 3.0]]})
        np.float32(6.0)
    """
    tf1 = tf.compat.v1
    with tf.Graph().as_default():
        elsewhere = tf.constant(1.0)
    with tf.Graph().as_default() as graph:
        x = tf1.placeholder(tf.float32, [None, 3], name="x")
        names = {"x": x, "total": tf.reduce_sum(x), "w": tf1.get_variable("w", [3])}
        # Not `with tf1.Session()`: that would make it the default session.
        session = tf1.Session(graph=graph)
        try:
            shared = {"tf": tf, "np": np, "tf1": tf1, "session": session}
            yield {**shared, **names, "elsewhere": elsewhere}
        finally:
            session.close()

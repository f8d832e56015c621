"""Code of TensorFlow 1, with placeholders, sessions and graphs."""

import keras
import numpy as np
import tensorflow as tf

from snippets.errors.entry import error

_GUIDE = "guides/placeholders.md#other-messages"


@error(
    "tf.placeholder() is not compatible with eager execution",
    *("tensorflow/tensorflow#18165", "tensorflow/tensorflow#25102"),
    *("tensorflow/tensorflow#27516", "tensorflow/models#10031"),
    *("JiahuiYu/generative_inpainting#494", "tensorflow/tpu#820"),
    guide="guides/placeholders.md#tfplaceholder-is-not-compatible-with-eager-execution",
)
def _placeholder_in_eager_mode() -> None:
    """A placeholder needs a graph, and TensorFlow 2 computes at once."""
    tf.compat.v1.placeholder(tf.float32, [None, 3])


@_placeholder_in_eager_mode.fix
def _placeholder_in_a_graph() -> None:
    """Put the old lines inside a graph, or write a function with an argument."""
    with tf.Graph().as_default():
        tf.compat.v1.placeholder(tf.float32, [None, 3])


@error(
    "module 'tensorflow' has no attribute 'placeholder'",
    guide="guides/placeholders.md#module-tensorflow-has-no-attribute-placeholder",
)
def _tensorflow_placeholder() -> None:
    """TensorFlow 2 has no placeholders: what you fed is now an argument."""
    x = tf.placeholder(tf.float32, [None, 3])
    print(2 * x)


@_tensorflow_placeholder.fix
def _argument_for_a_placeholder() -> None:
    """Write a function, and pass it what you used to feed."""

    @tf.function
    def double(x):
        return 2 * x

    double(tf.constant([[1.0, 2.0, 3.0]]))


@error(
    "module 'tensorflow' has no attribute 'Session'",
    guide="guides/placeholders.md#module-tensorflow-has-no-attribute-placeholder",
)
def _tensorflow_session() -> None:
    """TensorFlow 2 computes at once and needs no session."""
    with tf.Session() as session:
        session.run(tf.constant(2) + 3)


@_tensorflow_session.fix
def _no_session() -> None:
    """Leave the session out."""
    print((tf.constant(2) + 3).numpy())


@error("module 'tensorflow' has no attribute 'get_variable'")
def _tensorflow_get_variable() -> None:
    """`tf.get_variable` looked a variable up by its name in a graph."""
    tf.get_variable("w", [3, 2])


@_tensorflow_get_variable.fix
def _a_variable_object() -> None:
    """Keep the variable as an object, or let a layer make it."""
    w = tf.Variable(tf.random.normal([3, 2]), name="w")
    print(w.shape)


@error("No module named 'tensorflow.contrib'")
def _tensorflow_contrib() -> None:
    """`tf.contrib` ended with TensorFlow 1, and parts of it became packages."""
    from tensorflow.contrib.layers import flatten

    flatten(np.ones((2, 3, 4)))


@_tensorflow_contrib.fix
def _layer_for_contrib() -> None:
    """Use the layer of Keras."""
    keras.layers.Flatten()(np.ones((2, 3, 4)))


@error("No module named 'tensorflow.examples")
def _tutorials_of_mnist() -> None:
    """The package of tutorials that read MNIST is gone."""
    from tensorflow.examples.tutorials.mnist import input_data

    input_data.read_data_sets("MNIST_data", one_hot=True)


@_tutorials_of_mnist.fix
def _mnist_of_keras() -> None:
    """Load it with `keras.datasets.mnist.load_data()`; this line downloads nothing."""
    print(keras.datasets.mnist.load_data)


@error("has no attribute 'placeholder'", guide=_GUIDE)
def _backend_placeholder() -> None:
    """Most of `keras.backend` went away with Keras 3."""
    keras.backend.placeholder(shape=(None, 3))


@_backend_placeholder.fix
def _input_for_a_backend_placeholder() -> None:
    """Declare an Input."""
    keras.Input(shape=(3,))


@error("module 'keras.backend' has no attribute 'mean'", needs="keras>=3")
def _backend_mean() -> None:
    """The functions of `keras.backend`, which old code calls `K`, are in
    `keras.ops` on Keras 3.
    """
    from keras import backend as K  # noqa: N812  # as old code writes it

    K.mean(np.ones((2, 3)), axis=-1)


@_backend_mean.fix
def _mean_of_keras_ops() -> None:
    """Use `keras.ops`."""
    keras.ops.mean(np.ones((2, 3)), axis=-1)


@error("has no attribute 'set_learning_phase'", needs="keras>=3")
def _learning_phase() -> None:
    """There is no global switch between training and inference."""
    keras.backend.set_learning_phase(0)


@_learning_phase.fix
def _training_argument() -> None:
    """Pass `training` to the call."""
    model = keras.Sequential([keras.layers.Dropout(0.5)])
    model(np.ones((2, 3)), training=False)


@error("has no attribute 'get_session'", needs="keras>=3")
def _backend_session() -> None:
    """Keras 3 has no session, and its models need none."""
    keras.backend.get_session()


@_backend_session.fix
def _call_for_a_session() -> None:
    """Call the model on the data that you used to feed."""
    model = keras.Sequential([keras.layers.Dense(2)])
    model(np.ones((1, 3)))


@error(
    "is not available with Keras 3.",
    guide="guides/placeholders.md#dense-is-not-available-with-keras-3",
)
def _layers_of_tensorflow_1() -> None:
    """`tf.compat.v1.layers` needs Keras 2, and `tf.keras` is Keras 3 here."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        tf.compat.v1.layers.dense(x, 10)


@_layers_of_tensorflow_1.fix
def _layer_of_keras() -> None:
    """Write the layer of Keras."""
    keras.layers.Dense(10)(keras.Input(shape=(3,)))


@error(
    "You must feed a value for placeholder tensor",
    guide="guides/placeholders.md#you-must-feed-a-value-for-placeholder-tensor",
)
def _placeholder_that_is_not_fed() -> None:
    """What you ran depends on a placeholder that `feed_dict` lacks."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        session.run(2 * x)


@_placeholder_that_is_not_fed.fix
def _fed_placeholder() -> None:
    """Add it to `feed_dict`."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        session.run(2 * x, feed_dict={x: np.ones((2, 3))})


@error(
    "Cannot feed value of shape",
    guide="guides/placeholders.md#cannot-feed-value-of-shape",
)
def _feed_of_another_shape() -> None:
    """The array has another shape than the placeholder."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        session.run(2 * x, feed_dict={x: np.ones(3)})


@_feed_of_another_shape.fix
def _feed_of_the_shape() -> None:
    """Give the array the shape of the placeholder: `row[None, :]` for one row."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [None, 3], name="x")
        session.run(2 * x, feed_dict={x: np.ones(3)[None, :]})


@error(
    "The value of a feed cannot be a tf.Tensor object",
    guide="guides/placeholders.md#the-value-of-a-feed-cannot-be-a-tftensor-object",
)
def _feed_of_a_tensor() -> None:
    """A session takes arrays, and no tensors."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [3], name="x")
        session.run(2 * x, feed_dict={x: tf.constant([1.0, 2.0, 3.0])})


@_feed_of_a_tensor.fix
def _feed_of_an_array() -> None:
    """Take the array of the tensor, made outside the graph."""
    rows = tf.constant([1.0, 2.0, 3.0]).numpy()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        x = tf.compat.v1.placeholder(tf.float32, [3], name="x")
        session.run(2 * x, feed_dict={x: rows})


@error(
    "Could not find variable", guide="guides/placeholders.md#could-not-find-variable-w"
)
def _uninitialized_variable() -> None:
    """The session has not run the initializer of the variable."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", [3, 2])
        session.run(w)


@_uninitialized_variable.fix
def _initialized_variable() -> None:
    """Run the initializer first, or restore a checkpoint."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        w = tf.compat.v1.get_variable("w", [3, 2])
        session.run(tf.compat.v1.global_variables_initializer())
        session.run(w)


@error("No default session is registered", guide=_GUIDE)
def _eval_without_a_session() -> None:
    """`eval()` looks for a session that was entered by `with`."""
    with tf.Graph().as_default():
        tf.constant(2.0).eval()


@_eval_without_a_session.fix
def _eval_in_a_session() -> None:
    """Pass the session; in eager mode use `.numpy()`."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.constant(2.0).eval(session=session)


@error("The Session graph is empty", guide=_GUIDE)
def _empty_graph() -> None:
    """What eager mode computes stands in no graph, so a session has nothing to run."""
    session = tf.compat.v1.Session()
    session.run(tf.constant(2.0) * 3)


@_empty_graph.fix
def _graph_with_operations() -> None:
    """Put the lines and the session under one graph, or use `.numpy()`."""
    print((tf.constant(2.0) * 3).numpy())


@error(
    "passed to Optimizer.compute_gradients should be a function when eager execution"
    " is enabled",
    guide=_GUIDE,
)
def _optimizer_of_tensorflow_1() -> None:
    """An optimizer of TensorFlow 1 wants a graph, or a function that gives the loss."""
    w = tf.Variable(2.0)
    tf.compat.v1.train.GradientDescentOptimizer(0.1).minimize(w * w)


@_optimizer_of_tensorflow_1.fix
def _optimizer_of_keras() -> None:
    """Record the loss, and let an optimizer of Keras apply the gradient."""
    w = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        loss = w * w
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.apply_gradients([(tape.gradient(loss, w), w)])


@error(
    "only supports Python-style iteration in eager mode", guide=_GUIDE, is_alone=True
)
def _eager_mode_switched_off() -> None:
    """Eager mode is switched off for the whole program, and Keras 3 needs it."""
    tf.compat.v1.disable_eager_execution()
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@_eager_mode_switched_off.fix
def _eager_mode_left_on() -> None:
    """Take `disable_eager_execution()` or `disable_v2_behavior()` out."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)


@error(
    "is not an element of this graph",
    guide="guides/placeholders.md#is-not-an-element-of-this-graph-or-must-be-from-the-same-graph",
)
def _tensor_of_another_graph() -> None:
    """The tensor was made in one graph, and the session runs another."""
    with tf.Graph().as_default():
        y = tf.constant(2.0)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.constant(3.0)
        session.run(y)


@_tensor_of_another_graph.fix
def _tensor_of_the_same_graph() -> None:
    """Open the session with the graph of the tensor."""
    graph = tf.Graph()
    with graph.as_default():
        y = tf.constant(2.0)
    with tf.compat.v1.Session(graph=graph) as session:
        session.run(y)


@error(
    "must be from the same graph",
    guide="guides/placeholders.md#is-not-an-element-of-this-graph-or-must-be-from-the-same-graph",
)
def _tensors_of_two_graphs() -> None:
    """Tensors of two graphs were put into one operation."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [3])
    with tf.Graph().as_default():
        y = tf.compat.v1.placeholder(tf.float32, [3])
        tf.add(x, y)


@_tensors_of_two_graphs.fix
def _tensors_of_one_graph() -> None:
    """Make all of them in one graph."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [3])
        y = tf.compat.v1.placeholder(tf.float32, [3])
        tf.add(x, y)


@error(
    "is out of scope and cannot be used here",
    guide="guides/placeholders.md#is-out-of-scope-and-cannot-be-used-here",
)
def _tensor_that_left_its_function() -> None:
    """A tensor left its `tf.function` by another way than `return`."""
    kept = []

    @tf.function
    def double(x):
        kept.append(2 * x)

    double(tf.constant(1.0))
    kept[0] + 1


@_tensor_that_left_its_function.fix
def _tensor_that_is_returned() -> None:
    """Return every tensor that you need outside."""

    @tf.function
    def double(x):
        return 2 * x

    double(tf.constant(1.0)) + 1


@error("Argument `input_tensor` must be a KerasTensor", guide=_GUIDE, needs="keras>=3")
def _keras_input_on_a_placeholder() -> None:
    """An Input cannot be made of a placeholder on Keras 3."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        keras.Input(tensor=x)


@_keras_input_on_a_placeholder.fix
def _model_on_a_placeholder() -> None:
    """Call the layer or the model on the placeholder."""
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 3])
        keras.layers.Dense(2)(x)


@error(
    "Failed to find any matching files for",
    guide="reference/old_checkpoints.md#errors",
)
def _checkpoint_that_is_not_there() -> None:
    """No files begin with this path."""
    tf.train.load_checkpoint("model.ckpt-1000")


@_checkpoint_that_is_not_there.fix
def _prefix_of_a_checkpoint() -> None:
    """Pass what the names of its files share, here `model.ckpt-1`."""
    path = tf.train.Checkpoint(w=tf.Variable(1.0)).save("model.ckpt")
    tf.train.load_checkpoint(path)


@error("Unable to open table file", guide="reference/old_checkpoints.md#errors")
def _path_of_one_file_of_a_checkpoint() -> None:
    """The path is that of one file of the checkpoint."""
    path = tf.train.Checkpoint(w=tf.Variable(1.0)).save("model.ckpt")
    tf.train.load_checkpoint(path + ".data-00000-of-00001")


@_path_of_one_file_of_a_checkpoint.fix
def _path_of_a_checkpoint() -> None:
    """Leave out `.index`, `.data-00000-of-00001` and `.meta`."""
    path = tf.train.Checkpoint(w=tf.Variable(1.0)).save("model.ckpt")
    tf.train.load_checkpoint(path)


@error(
    "Couldn't find 'checkpoint' file or checkpoints in given directory",
    guide="reference/old_checkpoints.md#errors",
)
def _folder_without_a_checkpoint() -> None:
    """The folder has no file named `checkpoint`, which says which one is the newest."""
    tf.train.list_variables("./")


@_folder_without_a_checkpoint.fix
def _checkpoint_in_a_folder() -> None:
    """Pass the path of the checkpoint itself."""
    path = tf.train.Checkpoint(w=tf.Variable(1.0)).save("./model.ckpt")
    tf.train.list_variables(path)

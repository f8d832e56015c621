"""One script: mixed precision, a loop of one's own and two devices."""

import keras
import numpy as np
import tensorflow as tf

from snippets.training_loops.steps import replicated_step, small_classifier


def train_on_two_devices(path: str, epochs: int) -> None:
    """Train in float16 on two devices in a loop, and print the loss of each epoch.

    Call it before any other computation, since it splits the processor in two.

    Args:
        path: Path of an `.npz` file with `x`, vectors of 64 numbers, and `y`, classes
            from 0 to 9.
        epochs: Integer of at least 1.

    Raises:
        RuntimeError: From TensorFlow, if there was a computation before.
    """
    # With GPUs, leave out these three lines and the list in the fourth.
    processor = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, two)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    keras.mixed_precision.set_dtype_policy("mixed_float16")
    keras.utils.set_random_seed(0)

    with strategy.scope():  # all that has variables
        model = small_classifier()
        adam = keras.optimizers.Adam(0.01)
        optimizer = keras.mixed_precision.LossScaleOptimizer(adam)
        optimizer.build(model.trainable_variables)
        mean_loss = keras.metrics.Mean()
    loss_function = keras.losses.SparseCategoricalCrossentropy(reduction="sum")
    step = replicated_step(strategy, model, loss_function, optimizer, mean_loss)

    data = np.load(path)
    dataset = tf.data.Dataset.from_tensor_slices((data["x"], data["y"])).batch(64)
    batches = strategy.experimental_distribute_dataset(dataset)
    for epoch in range(epochs):
        mean_loss.reset_state()
        for batch in batches:
            step(*batch)
        print(epoch, f"{float(mean_loss.result()):.2f}")

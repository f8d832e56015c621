"""Proofs of the page on several devices."""

import functools

from tests.proofs.proves import proves
from tests.proofs.shared_training_loops import TWO_DEVICES, in_fresh_process

ON_TWO_DEVICES = """
def is_finite(arrays):
    return all(bool(np.isfinite(array).all()) for array in arrays)

found = {"fit": [is_finite(fit(keras.Model, "mixed_float16", k)[2:]) for k in (0, 1)]}
if is_keras_3:
    from snippets.training_loops import replicated_step

    @functools.cache
    def loop(strategy, size=5, policy="float32", place=None, careless=False, count=2):
        keras.mixed_precision.set_global_policy(policy)
        with strategy.scope():
            model, optimizer = network(), keras.optimizers.SGD(0.5)
            if policy != "float32":
                optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
            optimizer.build(model.trainable_variables)
            mean = keras.metrics.Mean()
        keras.mixed_precision.set_global_policy("float32")
        reduction = "sum_over_batch_size" if careless else "sum"
        loss = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
        def careless_step(x, y):
            with tf.GradientTape() as tape:
                value = loss(y, model(x, training=True)) + sum(model.losses) / count
                scaled = optimizer.scale_loss(value)
            gradients = tape.gradient(scaled, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
        @tf.function(autograph=False)
        def careless_step_of_all(*batch):
            strategy.run(careless_step, args=batch)
        step = replicated_step(strategy, model, loss, optimizer, mean)
        step = careless_step_of_all if careless else step
        data = tf.data.Dataset.from_tensor_slices((overflow(place), Y)).batch(size)
        for batch in strategy.experimental_distribute_dataset(data):
            step(*batch)
        return float(mean.result()), model.get_weights()

    def gap(*arguments):
        expected = loop(one, *arguments[:1])[1]
        return largest_difference(expected, loop(two, *arguments)[1])

    half = "mixed_float16"
    found |= {
        "divided": gap(4, "float32", None, True),
        "undivided": gap(4, "float32", None, True, 1),
        "uneven": gap(5),
        "uneven, careless": gap(5, "float32", None, True),
        "uneven, float16": gap(5, half),
        "careless": [is_finite(loop(two, 4, half, k, True)[1]) for k in (0, 1)],
        "reduced": [is_finite(loop(two, 4, half, k)[1]) for k in (0, 1)],
    }
print(json.dumps(found))
"""


@functools.cache
def on_two_devices():
    return in_fresh_process(TWO_DEVICES + ON_TWO_DEVICES)


@proves(
    "A batch has to be divided by the number of all its examples, and regularizers by "
    "the number of replicas, or they count twice on two devices.",
    false_with={"name": "divided"},
    needs="keras>=3",
    keras=">=3.9",
)
def test_regularizers_count_twice(name="undivided"):
    assert on_two_devices()["divided"] < 1e-5
    assert on_two_devices()[name] > 1e-3
    assert on_two_devices()["uneven, careless"] > 1e-4


@proves(
    "Without the second `all_reduce`, `LossScaleOptimizer` looks for infinite "
    "gradients on the first replica alone. One on the second replica makes the "
    "weights NaN; from Keras 3.6 on, in `fit` too.",
    false_with={"replica": 0},
    needs="keras>=3",
    keras=">=3.6",
)
def test_an_overflow_on_the_second_replica(replica=1):
    assert on_two_devices()["reduced"] == [True, True]
    assert not on_two_devices()["careless"][replica]


@proves(
    "Without the second `all_reduce`, `LossScaleOptimizer` looks for infinite "
    "gradients on the first replica alone. One on the second replica makes the "
    "weights NaN; from Keras 3.6 on, in `fit` too.",
    false_with={"replica": 0},
    keras=">=3.6",
)
def test_an_overflow_in_fit(replica=1):
    assert not on_two_devices()["fit"][replica]


@proves(
    "It ends with the weights of one device, though the last batch of 29 is shared "
    "unevenly.",
    false_with={"name": "uneven, careless"},
    needs="keras>=3",
    keras=">=3.6",
)
def test_two_devices_end_as_one(name="uneven"):
    assert on_two_devices()[name] < 1e-5
    assert on_two_devices()["uneven, float16"] < 1e-2

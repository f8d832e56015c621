"""Proofs of the page on several machines.

The programs of a cluster are started once, for all proofs about them.
"""

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf

from tests.proofs.proves import proves

LIMIT = 900

NETWORK = """
import json, os, signal, sys
for name in ("IPython", "matplotlib", "pandas", "scipy", "sklearn"):
    sys.modules[name] = None  # Keras imports them where it finds them, for seconds
import numpy as np
import tensorflow as tf
def error_of(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no error"
generator = np.random.default_rng(0)
x = generator.normal(size=(96, 8)).astype("float32")
y = generator.integers(0, 3, 96)
def batches(count=96, size=32):
    dataset = tf.data.Dataset.from_tensor_slices((x[:count], y[:count]))
    return dataset.batch(size)
def build(strategy, **options):
    from tensorflow import keras
    with strategy.scope():
        keras.utils.set_random_seed(0)
        scores = keras.layers.Dense(3, kernel_initializer="zeros")
        model = keras.Sequential([keras.Input((8,)), scores])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.1), loss, **options)
    return model
def fit(strategy, data, epochs=1, callbacks=(), **options):
    model = build(strategy, **options)
    model.fit(data, epochs=epochs, callbacks=list(callbacks), shuffle=False, verbose=0)
    return np.concatenate([np.ravel(weight) for weight in model.get_weights()])
one = tf.distribute.get_strategy()
"""


def in_fresh_process(program):
    """What a program of `NETWORK` prints last, as JSON."""
    from snippets.processes import run_python

    printed = run_python(NETWORK + program, timeout=LIMIT)
    return json.loads(printed.splitlines()[-1])


LOOP = """
from tensorflow import keras
is_keras_3 = hasattr(keras, "ops")
if is_keras_3:
    from snippets.performance.replicas import largest_difference, train_on_replicas
    images = np.random.default_rng(0).random((96, 8, 8, 1), "float32")
    labels = np.arange(96) % 10
"""


@functools.cache
def on_two_devices():
    return in_fresh_process(
        """
[processor] = tf.config.list_physical_devices("CPU")
two = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(processor, two)
two = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
def gap(**data):
    wanted = fit(one, batches(**data), run_eagerly=True)
    return float(np.abs(wanted - fit(two, batches(**data))).max())
def reduced(operation):
    def gradient():
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce(operation, tf.constant([1.5, 2.5])[
            replica.replica_id_in_sync_group])
    return [float(n) for n in two.experimental_local_results(two.run(gradient))]
found = {
    "even": gap(),
    "uneven": gap(count=81),
    "SUM": reduced("SUM"),
    "MEAN": reduced("MEAN"),
}
"""
        + LOOP
        + """
if is_keras_3:  # 81 images in batches of 32: the last one has 17
    by_two = train_on_replicas(two, images[:81], labels[:81], 1, 32)
    by_one = train_on_replicas(one, images[:81], labels[:81], 1, 32)
    found["loop, uneven"] = largest_difference(by_one, by_two)
print(json.dumps(found))
"""
    )


@proves(
    "Each replica computes its part of the batch, and their gradients are summed "
    "before the step.",
    keras="!=3.4.*,!=3.6.*",
    false_with={"operation": "MEAN"},
)
def test_replicas_sum_their_gradients(operation="SUM"):
    assert on_two_devices()[operation] == [4.0, 4.0]
    assert on_two_devices()["even"] < 1e-5


@proves(
    "The loss is divided by the number of all examples of the batch, so the parts need "
    "not be equal.",
    false_with={"name": "uneven"},
    needs="keras>=3",
    keras=">=3.6",
)
def test_the_loop_counts_every_example(name="loop, uneven"):
    """Under the falsifier `fit` takes the place of the loop."""
    assert on_two_devices()[name] < 1e-5


def run_workers(program, count=2):
    """What each worker of a cluster prints last, as JSON."""
    from snippets.processes import free_ports, run_together

    addresses = [f"127.0.0.1:{port}" for port in free_ports(count)]
    variables = [
        {
            "TF_CONFIG": json.dumps(
                {
                    "cluster": {"worker": addresses},
                    "task": {"type": "worker", "index": index},
                }
            )
        }
        for index in range(count)
    ]
    start = "\nstrategy = tf.distribute.MultiWorkerMirroredStrategy()\n"
    start += "rank = strategy.cluster_resolver.task_id\n"
    texts = run_together(count * [NETWORK + start + program], variables, LIMIT)
    return [json.loads(text.splitlines()[-1]) for text in texts]


WORKERS = (
    LOOP
    + """
found = {}
def train(name, backup=None, last=0):
    # Three epochs of three steps; the second worker is killed after the last step.
    steps = []
    def on_step(step):
        steps.append(step)
        if rank and step == last:
            os.kill(os.getpid(), signal.SIGKILL)
    if is_keras_3:
        weights = train_on_replicas(strategy, images, labels, 3, 32, backup, on_step)
    else:
        callbacks = [keras.callbacks.BackupAndRestore(backup)] if backup else []
        callbacks.append(keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: on_step(len(steps) + 1)))
        weights = [fit(strategy, batches(), 3, callbacks)]
    found[name] = {"steps": steps, "weights": [array.tolist() for array in weights]}
def shares(size, policy):
    dataset, options = tf.data.Dataset.range(8).batch(size), tf.data.Options()
    options.experimental_distribute.auto_shard_policy = getattr(
        tf.data.experimental.AutoShardPolicy, policy)
    parts = strategy.experimental_distribute_dataset(dataset.with_options(options))
    return [
        np.ravel(strategy.experimental_local_results(part)[0]).tolist()
        for part in parts
    ]
train("resumed", BACKUP, LAST)
train("never killed")
weights = []
found["error"] = error_of(lambda: weights.extend(fit(strategy, batches()).tolist()))
found["fit"] = weights
found["shares"] = {
    f"{size}, {policy}": shares(size, policy)
    for size, policy in [(4, "AUTO"), (8, "AUTO"), (4, "OFF")]
}
print(json.dumps(found))
"""
)


@functools.cache
def on_two_workers():
    """One script twice: the second worker is killed in step 5, then both start again.

    Returns:
        How the first run ended, the folders that it left, the path of a copy of the
        first worker's, and what each worker of the second run printed. In between the
        folder of the second worker is removed.
    """
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    backup = f"{folder.name}/run/backup"
    program = WORKERS.replace("BACKUP", repr(backup))
    try:
        run_workers(program.replace("LAST", "5"))
        killed = "nobody was killed"
    except RuntimeError as error:
        killed = str(error)
    folders = sorted(os.listdir(f"{folder.name}/run"))
    shutil.copytree(backup, f"{folder.name}/copy")
    shutil.rmtree(f"{backup}-of-worker-1", ignore_errors=True)
    workers = run_workers(program.replace("LAST", "0"))
    return killed, folders, f"{folder.name}/copy", workers


def on_one_device(epochs=3, **options):
    """The weights that the loop of the workers reaches on one device."""
    from snippets.performance.replicas import train_on_replicas

    images = np.random.default_rng(0).random((96, 8, 8, 1), "float32")
    one = tf.distribute.get_strategy()
    return train_on_replicas(one, images, np.arange(96) % 10, epochs, 32, **options)


@proves(
    "With a loop in the scope of a `tf.distribute.MultiWorkerMirroredStrategy`: `fit` "
    "of Keras 3 does not train there, and its models and optimizers do.",
    keras=">=3.6",
)
def test_keras_3_cannot_fit_on_two_workers():
    *_, workers = on_two_workers()
    for worker in workers:
        assert worker["error"].startswith(
            "ValueError: Attempt to convert a value (PerR"
        )
        assert worker["error"].endswith("values.PerReplica'>) to a Tensor.")


@proves(
    "Keras 2 can `fit` there, with the same result.",
    keras="<3",
)
def test_keras_2_fits_on_two_workers():
    *_, workers = on_two_workers()
    assert [worker["error"] for worker in workers] == ["no error", "no error"]
    one = in_fresh_process("print(json.dumps(fit(one, batches()).tolist()))")
    for worker in workers:
        assert np.abs(np.subtract(worker["fit"], one)).max() < 1e-5


@proves(
    "Both workers end with the weights of one process, to 0.00001.",
    false_with={"epochs": 2},
    needs="keras>=3",
    keras=">=3.6",
)
def test_keras_3_loops_on_two_workers(epochs=3):
    from snippets.performance.replicas import largest_difference

    *_, workers = on_two_workers()
    assert workers[0]["error"].startswith("ValueError")
    one = on_one_device(epochs)
    for worker in workers:
        assert largest_difference(one, worker["never killed"]["weights"]) < 1e-5


@proves(
    "The same script then begins with the epoch of the kill and ends with the weights "
    "of the run that was not killed, bit for bit.",
    keras="!=3.4.*",
    false_with={"name": "never killed"},
)
def test_killed_on_keras_3_and_nothing_lost(name="resumed"):
    """Killed in the second of three epochs of three steps."""
    killed, _, _, workers = on_two_workers()
    assert killed == "Program 2 of 2 was ended by the signal SIGKILL."
    for worker in workers:
        assert worker[name]["steps"] == [1, 2, 3, 4, 5, 6]
        assert worker[name]["weights"] == worker["never killed"]["weights"]


@proves(
    "One process can go on with a backup of two workers, and reaches the weights of a "
    "run that was never interrupted, to 0.00001:",
    false_with={"backed_up": False},
    needs="keras>=3",
    keras=">=3.6",
)
def test_one_process_goes_on(backed_up=True):
    from snippets.performance.replicas import largest_difference

    _, _, copy, workers = on_two_workers()
    steps = []
    options = {"backup": copy} if backed_up else {}
    weights = on_one_device(**options, on_step=steps.append)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert largest_difference(weights, workers[0]["never killed"]["weights"]) < 1e-5


@proves(
    "On Keras 2 `keras.callbacks.BackupAndRestore` does the same for `fit`.",
    keras="<3",
)
def test_killed_on_keras_2_and_nothing_lost():
    killed, _, _, workers = on_two_workers()
    assert workers[0]["error"] == "no error"
    assert killed == "Program 2 of 2 was ended by the signal SIGKILL."
    for worker in workers:
        assert worker["resumed"]["steps"] == [1, 2, 3, 4, 5, 6]
        assert worker["resumed"]["weights"] == worker["never killed"]["weights"]


@contextlib.contextmanager
def noted_processes():
    """Note the processes that are started."""
    started, start = [], subprocess.Popen

    def noted(*arguments, **options):
        started.append(start(*arguments, **options))
        return started[-1]

    with mock.patch.object(subprocess, "Popen", noted):
        yield started


HANGS = "import threading; threading.Event().wait()"  # for what nobody sets


@proves(
    "If one worker hangs, all of them wait: set a time limit, and end all of them "
    "then.",
    false_with={"program": "pass", "timeout": 600},
)
def test_a_hung_worker_is_ended(program=HANGS, timeout=1):
    from snippets.processes import run_together

    with noted_processes() as started, pytest.raises(TimeoutError) as raised:
        run_together([program, program], [{}, {}], timeout=timeout)
    assert str(raised.value) == "Of 2 programs, number 1 and 2 ran longer than 1 s."
    assert [process.returncode for process in started] == 2 * [-signal.SIGKILL]


@proves(
    "Every machine runs the same script and finds the others by the variable "
    "`TF_CONFIG`:",
    false_with={"index": 0},
)
def test_tf_config_tells_the_place(index=1):
    workers = ["127.0.0.1:12345", "127.0.0.1:12346"]
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": {"worker": workers}, "task": task})
    with mock.patch.dict(os.environ, {"TF_CONFIG": config}):
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        assert resolver.cluster_spec().as_dict() == {"worker": workers}
        assert resolver.task_id == 1


@proves(
    "Here `run_together` ends all programs when one has gone, and says which one.",
    false_with={"programs": ("pass", "pass")},
)
def test_a_killed_worker_ends_the_others(
    programs=(HANGS, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"),
):
    from snippets.processes import run_together

    with noted_processes() as started, pytest.raises(RuntimeError) as raised:
        run_together(programs, [{}, {}], timeout=600)
    assert str(raised.value) == "Program 2 of 2 was ended by the signal SIGKILL."
    assert [process.returncode for process in started] == 2 * [-signal.SIGKILL]


@proves(
    "After each epoch it saves the model, the optimizer and the number of epochs.",
    false_with={"epochs": 1},
    needs="keras>=3",
)
def test_the_loop_saves_after_each_epoch(epochs=2):
    from snippets.performance.replicas import train_on_replicas

    images, seen = np.zeros((5, 8, 8, 1), "float32"), []
    with tempfile.TemporaryDirectory() as folder:
        saved = functools.partial(tf.train.latest_checkpoint, folder)
        train_on_replicas(
            tf.distribute.get_strategy(),
            *(images, np.arange(5), epochs, 5, folder),
            lambda step: seen.append(saved() and Path(saved()).name),
        )
        shapes = [tuple(shape) for _, shape in tf.train.list_variables(saved())]
        done = tf.train.load_variable(saved(), "done/.ATTRIBUTES/VARIABLE_VALUE")
    assert seen == [None, "ckpt-1"]
    assert shapes.count((3, 3, 1, 32)) == 3  # a weight, and what Adam keeps about it
    assert done == 2


@proves(
    "`cluster_variables` writes `TF_CONFIG` | every machine sets it: the same list of "
    "addresses, its own index",
    false_with={"count": 2},
    needs="keras>=3",
)
def test_workers_share_addresses_not_places(count=3):
    from snippets.performance.replicas import cluster_variables

    configs = [json.loads(each["TF_CONFIG"]) for each in cluster_variables(count)]
    assert all(config["cluster"] == configs[0]["cluster"] for config in configs)
    assert len(set(configs[0]["cluster"]["worker"])) == 3
    assert [config["task"]["index"] for config in configs] == [0, 1, 2]


@proves(
    "`run_together` starts the processes | so does Slurm or Kubernetes; "
    "`tf.distribute.cluster_resolver` reads their variables in place of `TF_CONFIG`",
    false_with={"process": "0"},
)
def test_resolvers_for_slurm_and_kubernetes(process="1"):
    assert hasattr(tf.distribute.cluster_resolver, "KubernetesClusterResolver")
    slurm = {
        "SLURM_STEP_NODELIST": "host[1-2]",
        "SLURM_STEP_NUM_TASKS": "2",
        "SLURM_STEP_TASKS_PER_NODE": "1(x2)",
        "SLURM_PROCID": process,
        "SLURM_LOCALID": "0",
        "CUDA_VISIBLE_DEVICES": "",  # or else it asks `nvidia-smi`
    }
    with mock.patch.dict(os.environ, slurm):
        resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(
            auto_set_gpu=False
        )
        hosts = resolver.cluster_spec().as_dict()["worker"]
        assert [host.partition(":")[0] for host in hosts] == ["host1", "host2"]
        assert resolver.get_task_info() == ("worker", 1)


@proves(
    "`batch_size` counts the examples of a step on all replicas | multiply it by the "
    "number of machines",
    false_with={"batch_size": 8},
)
def test_the_batch_is_shared(batch_size=4):
    """A batch of 4 gives each of two workers 2 examples."""
    *_, workers = on_two_workers()
    for worker in workers:
        shares = worker["shares"][f"{batch_size}, AUTO"]
        assert [len(share) for share in shares] == [2, 2]


@proves(
    "all workers read the same arrays | each takes its share of the batches; of files, "
    "with `AutoShardPolicy.FILE`",
    false_with={"policy": "OFF"},
)
def test_data_are_sharded(policy="AUTO"):
    """Of the batches 0 to 3 and 4 to 7."""
    *_, workers = on_two_workers()
    shares = [worker["shares"][f"4, {policy}"] for worker in workers]
    assert shares == [[[0, 1], [4, 5]], [[2, 3], [6, 7]]]
    assert hasattr(tf.data.experimental.AutoShardPolicy, "FILE")


@proves(
    "`backup` is a folder | a folder that all machines see; only the first worker's "
    "copy is restored",
    keras=">=3.6",
    false_with={"kept": "never killed"},
)
def test_one_backup_is_for_all(kept="resumed"):
    """The second worker's copy was removed, and it went on with the first one's."""
    _, folders, _, workers = on_two_workers()
    assert folders == ["backup", "backup-of-worker-1"]
    first, second = (worker[kept] for worker in workers)
    assert first["steps"] == second["steps"] == [1, 2, 3, 4, 5, 6]
    assert first["weights"] == second["weights"]


@proves(
    "You called `fit` of Keras 3 under `MultiWorkerMirroredStrategy`.",
    keras=">=3.6",
)
def test_the_message_of_per_replica():
    *_, workers = on_two_workers()
    start, _, rest = workers[0]["error"].partition("PerReplica:")
    assert start == "ValueError: Attempt to convert a value ("
    assert ") with an unsupported type (<class " in rest
    assert rest.endswith("to a Tensor.")

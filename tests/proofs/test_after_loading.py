"""Proofs of the page on predictions that differ after loading."""

import tempfile

import numpy as np
import tensorflow as tf
from tensorflow import keras

from tests.proofs.proves import proves
from tests.proofs.shared_subclassing import X, register, reloaded, steps_after_loading

# What is not restored


@register
class Switched(keras.Model):
    """Two heads, of which the second is behind a switch: an argument or less."""

    def __init__(self, use_extra=False, keep="attribute", **kwargs):
        super().__init__(**kwargs)
        self.keep, self.use_extra = keep, use_extra
        self.scores = keras.layers.Dense(2, name="scores")
        self.extra = keras.layers.Dense(2, name="extra")

    def call(self, x):
        return self.scores(x) + self.extra(x) if self.use_extra else self.scores(x)

    def get_config(self):
        config = {**super().get_config(), "keep": self.keep}
        return (
            {**config, "use_extra": self.use_extra}
            if self.keep == "argument"
            else config
        )


def reloads_alike(keep):
    """Whether a file of the model with its switch on gives the same outputs."""
    model = Switched(use_extra=True, keep=keep)
    outputs = np.array(model(X))
    return np.allclose(reloaded(model)(X), outputs, atol=1e-6)


@proves(
    "**A plain Python attribute** is in no file, so `use_extra` is `False` again.",
    false_with={"keep": "argument"},
    needs="keras>=3",
)
def test_a_plain_attribute_is_in_no_file(keep="attribute"):
    model = Switched(use_extra=True, keep=keep)
    outputs, copy = np.array(model(X)), reloaded(model)
    assert not copy.use_extra
    assert not np.allclose(copy(X), outputs)


@proves(
    "Make it an argument that `get_config` returns.",
    false_with={"way": "attribute"},
    needs="keras>=3",
)
def test_an_argument_is_in_the_file(way="argument"):
    assert reloads_alike(way)


class OneOf(keras.Model):
    """Uses the layer that it is given, or goes around it."""

    def __init__(self, make, use=True):
        super().__init__()
        self.late, self.score, self.use = make(), keras.layers.Dense(1), use

    def call(self, x):
        if self.use:
            x = x + 0.0 * tf.reduce_sum(self.late(x))
        return self.score(x)

    def get_config(self):
        return {}


class Scaled(keras.layers.Layer):
    """Multiplies by a random weight."""

    def build(self, input_shape):
        self.by = self.add_weight(shape=(2,), initializer="random_normal", name="by")

    def call(self, x):
        return x * self.by


LATE = (
    lambda: keras.layers.Dense(2),
    lambda: keras.layers.BatchNormalization(beta_initializer="random_normal"),
    lambda: keras.layers.LayerNormalization(beta_initializer="random_normal"),
    lambda: keras.layers.EinsumDense("ab,bc->ac", output_shape=2),
    Scaled,
)


def late_layer_is_restored(make, call_first, save="save_weights"):
    """Whether `load_weights` fills a layer that the model has called, or has not."""
    model, copy = OneOf(make), OneOf(make, use=call_first)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/m." + ("keras" if save == "save" else "weights.h5")
        for each in (model, copy):
            each(X)
        getattr(model, save)(path)
        copy.load_weights(path)
    copy.use = True
    assert np.allclose(copy.score(X), model.score(X), atol=1e-6)
    copy(X)
    pairs = zip(copy.late.get_weights(), model.late.get_weights(), strict=True)
    return all(np.allclose(*pair) for pair in pairs)


@proves(
    "**A layer that was never built**, a `Dense` for example, is left out when "
    "weights are loaded, although the file has its values; used later, it starts "
    "from random numbers.",
    false_with={"call_first": True},
    keras=">=3",
)
def test_a_layer_never_built_is_left_out(call_first=False):
    seen = []
    for make in LATE:
        try:
            seen.append(late_layer_is_restored(make, call_first))
        except ValueError:  # it is said
            seen.append(None)
    assert seen == [False] * len(LATE)


@proves(
    "So call every layer, see that `unbuilt_layers(model)` is empty, and load the "
    "weights again; `load_weights` reads `.keras` files too:",
    false_with={"call_first": False},
    needs="keras>=3",
)
def test_built_first_it_is_restored(call_first=True):
    from snippets.subclassing import unbuilt_layers

    for make in LATE:
        model = OneOf(make, use=call_first)
        model(X)
        assert unbuilt_layers(model) == []
        for save in ("save_weights", "save"):
            assert late_layer_is_restored(make, call_first, save)


@proves(
    "The outputs are the same, and training starts anew: **an optimizer that was never "
    "built** stays at step 0 when weights are loaded; Keras warns `Skipping variable "
    "loading for optimizer`.",
    false_with={"builds": True},
    needs="keras>=3",
)
def test_an_optimizer_never_built_starts_anew(builds=False):
    assert steps_after_loading(builds) == (0, True)


@proves(
    "Build it between `compile` and `load_weights`, and look at the count:",
    false_with={"builds": False},
    needs="keras>=3",
)
def test_an_optimizer_built_first_goes_on(builds=True):
    assert steps_after_loading(builds) == (3, False)

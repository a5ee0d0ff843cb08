"""A small model on the digits, with an objective of its own: what the tests of training train."""

import jax
import jax.numpy as jnp

from score_sde.data import Batches, Digits
from score_sde.networks.conditions import part
from score_sde.objectives.base import Objective
from score_sde.training import ClassLabels, NoAugmentation, WarmupEMA, adam, init_state, make_step

BATCH = 16


class Denoise(Objective):
    """Mean squared error of denoising, on noise of standard deviation one half."""

    def __call__(self, key, model, x0, cond=None):
        noise_key, model_key = jax.random.split(key)
        noisy = x0 + 0.5 * jax.random.normal(noise_key, x0.shape)
        return jnp.mean(jnp.square(model(noisy, cond, key=model_key) - x0), axis=(1, 2, 3))


def rebuild(params):
    """A two-layer network with class offsets and dropout."""

    def model(x, cond, *, key):
        labels = part(cond, "label")
        hidden = jnp.tanh(x.reshape(x.shape[0], -1) @ params["first"]["kernel"] + params["classes"][labels])
        kept = jax.random.bernoulli(key, 0.9, hidden.shape)
        return jnp.where(kept, hidden, 0.0).dot(params["last"]).reshape(x.shape)

    return model


def parameters():
    first, classes, last = jax.random.split(jax.random.key(0), 3)
    return {
        "first": {"kernel": 0.1 * jax.random.normal(first, (64, 32))},
        "classes": 0.1 * jax.random.normal(classes, (10, 32)),
        "last": 0.1 * jax.random.normal(last, (32, 64)),
    }


def problem(objective=None, learning_rate=3e-3, augmentation=NoAugmentation()):  # noqa: B008
    """The step, a fresh state and the batches."""
    data, ema = Digits(), WarmupEMA(decay=0.99)
    optimizer = adam(learning_rate=learning_rate, warmup_steps=5, clip_norm=1.0)
    step = make_step(
        objective=objective or Denoise(),
        optimizer=optimizer,
        rebuild=rebuild,
        units=data.units,
        ema=ema,
        condition=ClassLabels(),
        augmentation=augmentation,
    )
    return step, init_state(parameters(), optimizer, ema), Batches(data.split("train"), BATCH, seed=7)

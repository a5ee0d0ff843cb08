"""Estimating the statistics that DPM-Solver-v3 wants of a model."""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.samplers.checks import require_denoiser, require_whole
from score_sde.samplers.model_statistics import ModelStatistics
from score_sde.typing import Array, Batch, Condition, Key


def estimate_statistics(
    key: Key,
    model: ScoreModel,
    x0: Batch,
    places: Array,
    *,
    kept: tuple[int, ...] = (),
    probes: int = 1,
    cond: Condition = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ModelStatistics:
    """Expectations over x_t of data ``x0`` at each lambda (Zheng et al. 2023, section 3.2).

    l is the mean of the diagonal of sigma dE[z | x_t]/dx_t, by ``probes`` random signs for each example; s
    and b are the regression of df / dlambda along the flow on f, in a second pass, since it asks for
    dl / dlambda.

    Attributes:
        x0: data or draws of it, (batch, *event), in model space.
        places: lambdas, rising, (knots,); those of the times at which samplers will be.
        kept: axes of an example that have statistics of their own: () one for all values, (2,) for each
            channel of images, (0, 1, 2) for each value as in the paper.
        cond: of the examples.
        progress: told how many of the passes over the data are done, and of how many.
    """
    denoiser = require_denoiser("estimate_statistics", model)
    require_whole("probes", probes, 1)
    times = denoiser.sde.time_at_log_snr(2 * jnp.asarray(places))
    x0, total = jnp.asarray(x0), 2 * len(times)
    linear = []
    for i, t in enumerate(times):  # with one noise for all times, so that curves are smooth
        linear.append(_linear(denoiser, key, x0, t, cond, kept, probes))
        progress(i + 1, total)
    known = ModelStatistics(
        places=places, linear=np.stack(linear), rate=np.zeros_like(linear), offset=np.zeros_like(linear)
    )
    pairs = []
    for i, t in enumerate(times):
        pairs.append(_regression(denoiser, known, key, x0, t, cond, kept))
        progress(len(times) + i + 1, total)
    rate, offset = (np.stack(each) for each in zip(*pairs, strict=True))
    return known.replace(rate=rate, offset=offset)


def _noisy(denoiser: Denoiser, key: Key, x0: Batch, t: Array) -> Batch:
    mean, std = denoiser.sde.marginal(x0, t)
    return mean + std * arrays.normal_like(key, x0)


def _shared(values: Batch, kept: tuple[int, ...]) -> Array:
    """The mean over examples and over axes that are not kept, which stay as axes of one; () if none is."""
    axes = tuple(axis for axis in range(values.ndim) if axis == 0 or axis - 1 not in kept)
    return jnp.mean(values, axis=axes, keepdims=True)[0] if kept else jnp.mean(values)


@functools.partial(jax.jit, static_argnames=("kept", "probes"))
def _linear(
    denoiser: Denoiser, key: Key, x0: Batch, t: Array, cond: Condition, kept: tuple[int, ...], probes: int
) -> Array:
    """l at one time."""
    noise_key, probe_key = jax.random.split(key)
    x = _noisy(denoiser, noise_key, x0, t)
    total = jnp.zeros_like(x)
    for each in jax.random.split(probe_key, probes):
        signs = jax.random.rademacher(each, x.shape, x.dtype)
        total += signs * jax.jvp(lambda x: denoiser.noise(x, t, cond), (x,), (signs,))[1]
    return denoiser.sde.sigma(t) * _shared(total / probes, kept)


@functools.partial(jax.jit, static_argnames="kept")
def _regression(
    denoiser: Denoiser,
    known: ModelStatistics,
    key: Key,
    x0: Batch,
    t: Array,
    cond: Condition,
    kept: tuple[int, ...],
) -> tuple[Array, Array]:
    """s and b at one time; s = 0 where f is the same for all."""
    x = _noisy(denoiser, jax.random.split(key)[0], x0, t)
    sde = denoiser.sde

    def parametrised(x: Batch, t: Array) -> tuple[Batch, Array]:
        half = 0.5 * sde.log_snr(t)
        return (sde.sigma(t) * denoiser.noise(x, t, cond) - known.at(half).linear * x) / sde.alpha(t), half

    velocity = denoiser.velocity(x, t, cond)
    (f, _), (rise, speed) = jax.jvp(parametrised, (x, t), (velocity, jnp.ones_like(t)))
    change = rise / speed
    mean, mean_change = _shared(f, kept), _shared(change, kept)
    spread = _shared(jnp.square(f - mean), kept)
    common = _shared((f - mean) * (change - mean_change), kept)
    least = 1e-6 * jnp.square(mean) + jnp.finfo(x.dtype).tiny
    rate = jnp.where(spread > least, common / jnp.where(spread > least, spread, 1), 0)
    return rate, mean_change - rate * mean

"""Estimating the statistics that DPM-Solver-v3 wants of a model."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.errors import InputError
from score_sde.samplers.checks import require_denoiser, require_whole
from score_sde.samplers.model_statistics import ModelStatistics
from score_sde.typing import Array, Batch, Condition, Key


def estimate_statistics(
    key: Key,
    model: ScoreModel,
    x0: Batch,
    places: Any,
    *,
    kept: tuple[int, ...] = (),
    batch: int = 256,
    cond: Condition = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ModelStatistics:
    """Expectations over x_t of data ``x0`` at each lambda (Zheng et al. 2023, section 3.2).

    l is the mean of the diagonal of sigma dE[z | x_t]/dx_t, by random signs for each example; s and b are the
    regression of df / dlambda along the flow on f, in a second pass, since it asks for dl / dlambda. All
    lambdas have the same noise, so that the curves are smooth; with few examples, take few places.

    Attributes:
        x0: data or draws of it, (examples, *event), in model space.
        places: lambdas = log(alpha / sigma), rising, (knots,): those of the times at which samplers will be.
        kept: axes of an example that have statistics of their own: () one for all values, (2,) for each
            channel of images, (0, 1, 2) for each value as in the paper.
        batch: examples at a time.
        cond: of the examples.
        progress: told how many of the passes over the data are done, and of how many.
    """
    denoiser = require_denoiser("estimate_statistics", model)
    require_whole("estimate_statistics.batch", batch, 1)
    if any(not 0 <= axis < x0.ndim - 1 for axis in kept):
        raise InputError("estimate_statistics.kept", kept, f"axes of an example, below {x0.ndim - 1}")
    times = denoiser.sde.time_at_log_snr(2 * jnp.asarray(places))

    def passed(first: int, function: Callable[..., Array]) -> np.ndarray:
        found = []
        for i, t in enumerate(times):
            found.append(_averaged(lambda *given, t=t: function(*given, t), key, x0, cond, batch))
            progress(first + i + 1, 2 * len(times))
        return np.stack(found)

    linear = passed(0, functools.partial(_linear, denoiser, kept))
    zeros = np.zeros_like(linear)
    known = ModelStatistics(places=places, linear=linear, rate=zeros, offset=zeros)
    moments = passed(len(times), functools.partial(_moments, denoiser, kept, known))
    rate, offset = _regression(*np.moveaxis(moments, 1, 0))
    return known.replace(rate=rate, offset=offset)


def _averaged(function: Callable[..., Array], key: Key, x0: Batch, cond: Condition, batch: int) -> np.ndarray:
    """The mean over examples of what the function finds on ``batch`` of them at a time."""
    total: Any = 0.0
    for number, begin in enumerate(range(0, len(x0), batch)):
        part = slice(begin, begin + batch)
        some = jax.tree.map(lambda values, part=part: values[part], (x0, cond))
        found = function(jax.random.fold_in(key, number), *some)
        total = total + np.asarray(found, np.float64) * len(some[0])
    return total / len(x0)


def _shared(values: Batch, kept: tuple[int, ...]) -> Array:
    """The mean over examples and over axes that are not kept, which stay as axes of one; () if none is."""
    axes = tuple(axis for axis in range(values.ndim) if axis == 0 or axis - 1 not in kept)
    return jnp.mean(values, axis=axes, keepdims=True)[0] if kept else jnp.mean(values)


def _noisy(denoiser: Denoiser, key: Key, x0: Batch, t: Array) -> Batch:
    mean, std = denoiser.sde.marginal(x0, t)
    return mean + std * arrays.normal_like(key, x0)


@functools.partial(jax.jit, static_argnames="kept")
def _linear(
    denoiser: Denoiser, kept: tuple[int, ...], key: Key, x0: Batch, cond: Condition, t: Array
) -> Array:
    """l at one time."""
    noise_key, sign_key = jax.random.split(key)
    x = _noisy(denoiser, noise_key, x0, t)
    signs = jax.random.rademacher(sign_key, x.shape, x.dtype)
    turned = jax.jvp(lambda x: denoiser.noise(x, t, cond), (x,), (signs,))[1]
    return denoiser.sde.sigma(t) * _shared(signs * turned, kept)


@functools.partial(jax.jit, static_argnames="kept")
def _moments(
    denoiser: Denoiser,
    kept: tuple[int, ...],
    known: ModelStatistics,
    key: Key,
    x0: Batch,
    cond: Condition,
    t: Array,
) -> Array:
    """Means of f, of df / dlambda along the flow, of f^2 and of their product, at one time: (4, *kept)."""
    x, sde = _noisy(denoiser, jax.random.split(key)[0], x0, t), denoiser.sde

    def parametrised(x: Batch, t: Array) -> tuple[Batch, Array]:
        half = 0.5 * sde.log_snr(t)
        return (sde.sigma(t) * denoiser.noise(x, t, cond) - known.at(half).linear * x) / sde.alpha(t), half

    velocity = denoiser.velocity(x, t, cond)
    (f, _), (rise, speed) = jax.jvp(parametrised, (x, t), (velocity, jnp.ones_like(t)))
    change = rise / speed
    return jnp.stack([_shared(each, kept) for each in (f, change, jnp.square(f), f * change)])


def _regression(
    mean: np.ndarray, mean_change: np.ndarray, square: np.ndarray, product: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """s and b; s = 0 where f is the same for all."""
    spread, common = square - mean**2, product - mean * mean_change
    varies = spread > 1e-4 * square
    rate = np.where(varies, common / np.where(varies, spread, 1), 0)
    return rate, mean_change - rate * mean

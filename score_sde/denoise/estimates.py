"""Clean data from noisy: the estimate of least squared error, and draws from the posterior."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import expand, per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, Method, Noise
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.mmps import MMPS
from score_sde.inverse.operators.identity import Identity
from score_sde.samplers.base import Sampling
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key

METHOD = MMPS()


def matched_time(sde: GaussianSDE, std: Array | float) -> Array:
    """The time t with sigma(t) / alpha(t) = std, at which alpha y has the law of x_t for y = x_0 + std z.

    Args:
        sde: any Gaussian SDE.
        std: of the noise in model space; a number, or one for each example.

    Raises:
        InputError: noise that is weaker or stronger than the SDE has at any time; inside ``jax.jit`` only of
            numbers that are known there.
    """
    with jax.ensure_compile_time_eval():  # so that a number is checked inside jax.jit as well
        ends = [jnp.exp(-0.5 * sde.log_snr(jnp.asarray(end))) for end in (0.0, sde.T)]
    if not any(isinstance(value, jax.core.Tracer) for value in (std, *ends)):
        _require_within(np.asarray(std, float).ravel(), *map(float, ends))
    std = jnp.asarray(std, dtype=jnp.result_type(std, float))
    return sde.time_at_log_snr(-2 * jnp.log(std))


def mmse(model: Denoiser, y: Batch, std: Array | float, cond: Condition = None) -> Batch:
    """E[x_0 | y] for y = x_0 + std z, by one evaluation: D(alpha y, t) at the matched time.

    No other estimate of x_0 has a smaller mean squared error. Exact for an exact D, for every Gaussian SDE.

    Args:
        model: a denoiser of data as x_0.
        y: noisy (batch, *event), in model space.
        std: of the noise in model space; a number, or one for each example.
        cond: what the model is told.
    """
    t = per_example(matched_time(model.sde, std), y)
    return _denoised(model, y, t, cond)


def posterior_draws(
    key: Key,
    model: Denoiser,
    y: Batch,
    std: float,
    *,
    sampler: Sampling = SAMPLER,
    cond: Condition = None,
) -> Batch:
    """A draw of x_0 given y = x_0 + std z for each row of ``y``: the reverse process from the matched time.

    Exact up to the model and the sampler's steps (of its 200 the variances are 5 % too small); no likelihood
    is approximated. For several draws of the same data repeat its row.

    Args:
        key: of the draws.
        model: a denoiser of data as x_0.
        y: noisy (batch, *event), in model space.
        std: of the noise in model space, the same for all.
        sampler: one that follows the reverse SDE; of the probability-flow ODE there would be a single draw.
        cond: what the model is told.
    """
    t = matched_time(model.sde, std)
    x = (model.sde.alpha(t) * jnp.asarray(y)).astype(jnp.result_type(y, float))
    return sampler(key, model, y.shape, cond, x=x, t=t)


def posterior_draws_given(
    key: Key,
    model: Denoiser,
    y: Batch,
    noise: Noise,
    *,
    method: Method = METHOD,
    cond: Condition = None,
) -> Batch:
    """As ``posterior_draws`` for noise that is not normal or not the same everywhere, as that of counts.

    By a method for inverse problems that takes a variance for each value; of which law it draws, its
    documentation says.

    Args:
        key: of the draws.
        model: a denoiser of data as x_0.
        y: noisy (batch, *event), in model space.
        noise: its law, as ``score_sde.inverse.PoissonNoise``.
        method: what draws; ``MMPS`` if none is given.
        cond: what the model is told.
    """
    y = jnp.asarray(y, jnp.result_type(y, float))
    measurement = Measurement(y=y, operator=Identity(shape=y.shape[1:]), noise=noise)
    return method(key, model, measurement, y.shape, cond)


@functools.partial(jax.jit)
def _denoised(model: Denoiser, y: Batch, t: Array, cond: Condition) -> Batch:
    return model(expand(model.sde.alpha(t), y) * y, t, cond)


def _require_within(stds: np.ndarray, low: float, high: float) -> None:
    outside = ~((stds >= low) & (stds <= high) & (stds > 0))
    if outside.any():
        expected, remedy = (
            f"from {low:.4g} to {high:.4g}, model units",
            "take a model of an SDE with this noise",
        )
        raise InputError("std of the noise", float(stds[outside][0]), expected, remedy)

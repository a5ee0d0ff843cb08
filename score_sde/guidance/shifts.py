"""What a change of one convention means for the others, finite at both ends of the process."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Estimate
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Time


def shift_score(sde: GaussianSDE, t: Time, estimate: Estimate, change: Batch) -> Estimate:
    """``estimate`` with ``change`` added to its score.

    D gains sigma^2 / alpha, noise loses sigma, velocity loses g^2 / 2 times it. Where alpha = 0 nothing
    changes: x_t then carries nothing of x_0, the gradient of any p(y | x_t) is zero there, and its limit over
    alpha, which D would need, is not to be had from it.
    """
    x = estimate.denoised
    alpha, sigma, gain = (expand(f(t), x) for f in (sde.alpha, sde.sigma, sde.covariance_scale))
    change = jnp.where(alpha > 0, change, 0)
    half_diffusion = 0.5 * expand(sde.variance_rate(t), x) - expand(sde.alpha_rate(t), x) * gain
    return Estimate(
        estimate.denoised + gain * change,
        estimate.noise - sigma * change,
        estimate.score + change,
        estimate.velocity - half_diffusion * change,
    )


def shift_denoised(sde: GaussianSDE, t: Time, estimate: Estimate, change: Batch) -> Estimate:
    """``estimate`` with ``change`` added to its denoised part.

    Noise loses alpha / sigma, the score gains alpha / sigma^2 times it. Where sigma = 0 neither exists, and
    they stay as they are.
    """
    alpha, variance, sigma = (expand(f(t), change) for f in (sde.alpha, sde.variance, sde.sigma))
    ratio = _over(alpha, sigma)
    score = _over(alpha, variance) * change
    rate = expand(sde.alpha_rate(t), change) * change
    return Estimate(
        estimate.denoised + change,
        estimate.noise - ratio * change,
        estimate.score + score,
        estimate.velocity + rate - 0.5 * expand(sde.variance_rate(t), change) * score,
    )


def interpolate(start: Estimate, end: Estimate, scale: Array | float) -> Estimate:
    """start + scale (end - start) in all conventions; beyond ``end`` where scale > 1."""
    weight = expand(scale, start.denoised)
    return Estimate(*(a + weight * (b - a) for a, b in zip(start, end, strict=True)))


def _over(numerator: Array, denominator: Array) -> Array:
    """A quotient that is 0 where it does not exist."""
    there = denominator > 0
    return jnp.where(there, numerator / jnp.where(there, denominator, 1), 0)

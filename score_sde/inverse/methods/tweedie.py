"""The covariance of p(x_0 | x_t) that a denoiser's Jacobian is."""

from __future__ import annotations

from collections.abc import Callable

from score_sde.arrays import expand
from score_sde.inverse.base import Measurement
from score_sde.inverse.methods.gradient import Local
from score_sde.inverse.methods.residuals import linearised
from score_sde.typing import Array, Batch


def covariance_pull(
    solver: Callable[[Callable[[Batch], Batch], Array, Batch], Batch], measurement: Measurement, local: Local
) -> Batch:
    """A^T (A C A^T + noise)^-1 (y - A D) with C = sigma^2 / alpha J^T, J^T = J for a true denoiser.

    Where alpha = 0, C is taken as 0 and nothing of the result is used.
    """
    value, push, adjoint = linearised(measurement.operator, local.mean)
    scale = expand(local.sde.covariance_scale(local.t), local.mean)

    def product(v: Batch) -> Batch:
        return push(scale * local.pullback(adjoint(v)))

    noise = measurement.noise.variance(measurement.y)
    return adjoint(solver(product, noise, measurement.y - value))

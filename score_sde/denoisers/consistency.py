"""The parametrisation of consistency models."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.denoisers.base import Affine, Coefficients, Labels, Preconditioning
from score_sde.denoisers.labels import LogSigmaLabels
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Time


class ConsistencyPrecondition(Preconditioning):
    """The identity where the noise is smallest, as a consistency function is: there c_out = 0.

    With what noise is more than that, e = sigma - alpha sigma_min (else 0), and w^2 = sigma^2 + alpha^2 sd^2:

        c_skip = alpha sd^2 / (e^2 + alpha^2 sd^2), c_out = e sd / w, c_in = 1 / w

    (Song et al. 2023, appendix C, in sigma / alpha so that it fits every Gaussian SDE). What is read as D is
    then f(x_t, t), the beginning of the flow's path through x_t, as a value of x_0.

    Attributes:
        sigma_data: standard deviation of the data.
        sigma_min: the smallest sigma / alpha; raised to that at t = 0 where that is larger.
    """

    sigma_data: float = 0.5
    sigma_min: float = 0.002
    labels: Labels = LogSigmaLabels()

    def __post_init__(self) -> None:
        require_positive("ConsistencyPrecondition.sigma_data", self.sigma_data)
        require_positive("ConsistencyPrecondition.sigma_min", self.sigma_min)

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """The coefficients of f."""
        alpha, width, scale = sde.alpha(t), self._width(sde, t), self._scale(sde, t)
        excess = sde.sigma(t) * self._share(sde, t)
        return Coefficients(
            alpha * jnp.square(self.sigma_data) / scale,
            excess * self.sigma_data / width,
            1 / width,
            self.labels(sde, t),
        )

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """(x - alpha f) / sigma: e^2 / (sigma (e^2 + alpha^2 sd^2)) x - alpha e sd / (sigma w) F."""
        share = self._share(sde, t)
        excess = sde.sigma(t) * share
        return Affine(
            share * excess / self._scale(sde, t),
            -sde.alpha(t) * share * self.sigma_data / self._width(sde, t),
        )

    def _share(self, sde: GaussianSDE, t: Time) -> Array:
        """e / sigma, 0 where sigma is."""
        at_zero = jnp.exp(-0.5 * sde.log_snr(jnp.zeros_like(sde.sigma(t))))
        least = jnp.maximum(self.sigma_min, at_zero) * sde.alpha(t)
        sigma = sde.sigma(t)
        beyond = sigma > least
        return jnp.where(beyond, 1 - least / jnp.where(beyond, sigma, 1), 0)

    def _scale(self, sde: GaussianSDE, t: Time) -> Array:
        """e^2 + alpha^2 sd^2."""
        excess = sde.sigma(t) * self._share(sde, t)
        return jnp.square(excess) + jnp.square(sde.alpha(t) * self.sigma_data)

    def _width(self, sde: GaussianSDE, t: Time) -> Array:
        return jnp.sqrt(sde.variance(t) + jnp.square(sde.alpha(t) * self.sigma_data))

"""Any Gaussian SDE as a Chebyshev series: one structure, so that a program compiled once serves all."""

import jax.numpy as jnp
import numpy as np

from score_sde.sdes import GaussianSDE

DEGREE = 90
FROM, TO = 0.05, 0.95  # of T


class FittedSDE(GaussianSDE):
    """log alpha and log sigma of another process, to rounding between 0.05 T and 0.95 T; T is 1."""

    log_alpha: np.ndarray
    log_sigma: np.ndarray

    def _sum(self, coefficients, t):
        place = (2 * jnp.asarray(t) - FROM - TO) / (TO - FROM)
        angles = jnp.arccos(jnp.clip(place, -1 + 1e-12, 1 - 1e-12))[..., None] * jnp.arange(DEGREE + 1)
        return jnp.sum(jnp.cos(angles) * coefficients, axis=-1)

    def alpha(self, t):
        return jnp.exp(self._sum(self.log_alpha, t))

    def sigma(self, t):
        return jnp.exp(self._sum(self.log_sigma, t))


def fitted(sde):
    """The series of ``sde``, in the share of its T."""

    def series(function):
        def at(share):
            return np.log(np.asarray(function(jnp.asarray(share * sde.T)), float))

        return np.polynomial.Chebyshev.interpolate(at, DEGREE, [FROM, TO]).coef

    return FittedSDE(log_alpha=series(sde.alpha), log_sigma=series(sde.sigma))

"""The other columns of Karras et al. 2022, table 1: networks trained as VP, VE and iDDPM models were.

Written in the noise-to-signal ratio r = sigma / alpha, so that they fit every Gaussian SDE: the networks
see the process x / alpha = x_0 + r z, which is that of ``sdes.EDM``.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.base import Affine, Coefficients, Labels, Preconditioning
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Time

LIMIT = 20.0  # of |log r|, so that labels are finite where sigma or alpha is zero


class VPTimeLabels(Labels):
    """scale * t, where t is the time at which a VP SDE has this r (Karras et al. 2022, eq. 156 and table 1).

    t = (sqrt(beta_min^2 + 2 beta_d log(1 + r^2)) - beta_min) / beta_d, beta_d = beta_max - beta_min.
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    scale: float = 999.0

    def __post_init__(self) -> None:
        require_positive("VPTimeLabels.beta_min", self.beta_min)

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t, in a form that does not cancel at small r."""
        twice = 2 * jnp.logaddexp(0.0, -_log_snr(sde, t))
        root = jnp.sqrt(self.beta_min**2 + (self.beta_max - self.beta_min) * twice)
        return self.scale * twice / (root + self.beta_min)


class HalfSigmaLabels(Labels):
    """log(r / 2) (Karras et al. 2022, table 1, VE)."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        return -0.5 * _log_snr(sde, t) - jnp.log(2.0)


class IDDPMLabels(Labels):
    """M - 1 - j, where u_j is the nearest to r of iDDPM's M + 1 ratios (Karras et al. 2022, table 1).

    -1 at r = 0, 0 at the smallest ratio and M - 1 at the largest.
    """

    steps: int = static(1000)
    c1: float = static(0.001)
    c2: float = static(0.008)

    def __call__(self, sde: Any, t: Time) -> Array:
        """Label of time t."""
        ratio = jnp.exp(-0.5 * _log_snr(sde, t))
        table = jnp.asarray(iddpm_ratios(self.steps, self.c1, self.c2), ratio.dtype)
        return self.steps - 1 - nearest(table, ratio).astype(ratio.dtype)


class VPPrecondition(Preconditioning):
    """F = E[z | x_t] from an input of unit variance: D = (x - sigma F) / alpha, c_in = 1 / |(alpha, sigma)|.

    Karras et al. 2022, table 1, VP. D and velocity have no meaning where alpha = 0.
    """

    labels: Labels = VPTimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = 1 / alpha, c_out = -sigma / alpha, c_in = 1 / sqrt(alpha^2 + sigma^2)."""
        alpha = sde.alpha(t)
        c_in = 1 / jnp.sqrt(jnp.square(alpha) + sde.variance(t))
        return Coefficients(1 / alpha, -sde.sigma(t) / alpha, c_in, self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero + 1)


class IDDPMPrecondition(VPPrecondition):
    """As ``VPPrecondition``, with the nearest of iDDPM's labels (Karras et al. 2022, table 1, iDDPM).

    The published networks have twice the channels (``LearnedRange``), of which EDM uses the first half.
    """

    labels: Labels = IDDPMLabels()


class VEPrecondition(Preconditioning):
    """F = -E[z | x_t] from x / alpha: D = (x + sigma F) / alpha (Karras et al. 2022, table 1, VE).

    D and velocity have no meaning where alpha = 0, and the network sees no finite input there.
    """

    labels: Labels = HalfSigmaLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = c_in = 1 / alpha, c_out = sigma / alpha."""
        alpha = sde.alpha(t)
        return Coefficients(1 / alpha, sde.sigma(t) / alpha, 1 / alpha, self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """-F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero - 1)


def iddpm_ratios(steps: int = 1000, c1: float = 0.001, c2: float = 0.008) -> np.ndarray:
    """u_0 > ... > u_M = 0, u_{j-1}^2 = (u_j^2 + 1) / max(a_{j-1} / a_j, c1) - 1, in float64.

    a_j = sin(pi / 2 j / (M (1 + c2)))^2 (Karras et al. 2022, appendix C.3.3, after Nichol and Dhariwal 2021).
    """
    alpha_bar = np.sin(0.5 * np.pi * np.arange(steps + 1) / (steps * (1 + c2))) ** 2
    ratios = np.zeros(steps + 1)
    for j in range(steps, 0, -1):
        kept = max(alpha_bar[j - 1] / alpha_bar[j], c1)
        ratios[j - 1] = np.sqrt((ratios[j] ** 2 + 1) / kept - 1)
    return ratios


def nearest(table: Array, values: Array) -> Array:
    """The index of the entry of ``table`` that is nearest to each value; the first of two."""
    return jnp.argmin(jnp.abs(values[..., None] - table), axis=-1)


def _log_snr(sde: Any, t: Time) -> Array:
    return jnp.clip(sde.log_snr(t), -2 * LIMIT, 2 * LIMIT)

"""A discrete variance-preserving chain, read as a process in time."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE, NormalPrior, Prior
from score_sde.sdes.betas import Betas, LinearBetas
from score_sde.typing import Array, Time


class DiscreteVP(GaussianSDE):
    """x after i of N steps of the chain at t = i / N, and beta(t) constant in between; sigma^2 = 1 - alpha^2.

    alpha(i / N)^2 = prod_{j <= i} (1 - beta_j) as in the tables of DDPM, iDDPM and ADM (Ho et al. 2020,
    eq. 4), so that a transition or bridge between times that are multiples of 1 / N is the chain's own,
    over however many of its steps. The label of DDPM's code, which counts from 0, is N t - 1.

    Attributes:
        betas: LinearBetas() or CosineBetas().
        steps: N.
    """

    betas: Betas = LinearBetas()
    steps: int = static(1000)

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise InputError("DiscreteVP.steps", self.steps, "a positive count")
        self.betas(self.steps)  # says now what is wrong with them

    def alpha(self, t: Time) -> Array:
        """exp(log alpha)."""
        return jnp.exp(self._log_alpha(t))

    def sigma(self, t: Time) -> Array:
        """sqrt(1 - alpha^2)."""
        return jnp.sqrt(self.variance(t))

    def variance(self, t: Time) -> Array:
        """1 - alpha^2, without cancellation at small t."""
        return -jnp.expm1(2 * self._log_alpha(t))

    def drift_rate(self, t: Time) -> Array:
        """-beta(t) / 2 with beta(t) = -N log(1 - beta_i) for t in ((i - 1) / N, i / N]."""
        table = self._table()
        cell, _ = self._place(t)
        return (table[cell + 1] - table[cell]) * (self.steps / self.T)

    def squared_diffusion(self, t: Time) -> Array:
        """beta(t)."""
        return -2 * self.drift_rate(t)

    def time_at_log_snr(self, log_snr: Array) -> Array:
        """The t at which log alpha = -log(1 + exp(-log_snr)) / 2."""
        table = self._table()
        wanted = -0.5 * jnp.logaddexp(0.0, -jnp.asarray(log_snr))
        # The table falls strictly; the cell is the one whose end lies at or below the wanted value.
        cell = jnp.clip(jnp.searchsorted(-table, -wanted, side="left") - 1, 0, self.steps - 1)
        share = (wanted - table[cell]) / (table[cell + 1] - table[cell])
        return (cell + share) * (self.T / self.steps)

    def prior(self, shape: tuple[int, ...]) -> Prior:
        """N(0, I)."""
        return NormalPrior(shape=shape)

    def _log_alpha(self, t: Time) -> Array:
        table = self._table()
        cell, share = self._place(t)
        return table[cell] + share * (table[cell + 1] - table[cell])

    def _place(self, t: Time) -> tuple[Array, Array]:
        """Which step t falls into (a multiple of 1 / N ends its step), and how far, from 0 to 1."""
        position = jnp.asarray(t) * (self.steps / self.T)
        cell = jnp.clip(jnp.ceil(position).astype(jnp.int32) - 1, 0, self.steps - 1)
        return cell, position - cell

    def _table(self) -> Array:
        """log alpha after 0 .. N steps, summed in float64."""
        logs = 0.5 * np.cumsum(np.log1p(-self.betas(self.steps)))
        # The negative zero makes 1 - alpha^2 a positive one, so that sigma rises from it at +infinite rate.
        return jnp.asarray(np.concatenate([[-0.0], logs]), dtype=jnp.result_type(float))

"""Diffusion exponential integrator samplers."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_between, require_denoiser, require_terms
from score_sde.samplers.exponential import NODES, WEIGHTS, Past, combined, lagrange
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key


class DEIS(Predictor):
    """tAB-DEIS: the noise is the polynomial in t through its last values (Zhang and Chen 2023).

    x_s = (alpha_s / alpha_t) x_t + alpha_s sum_j eps_j int L_j(t) dr, L_j Lagrange's polynomials of the last
    times, by Gauss quadrature in r = sigma / alpha on 16 nodes. The first steps have fewer
    terms; from alpha = 0 it is of first order.

    Attributes:
        terms: values of the noise, 1 to 4; 1 is ``DDIM``.
    """

    terms: int = static(3)

    def __post_init__(self) -> None:
        require_between("DEIS.terms", self.terms, 1, 4)

    @property
    def order(self) -> int:
        """``terms``."""
        return self.terms

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("DEIS.terms", self.terms, n_steps)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Past:
        """No value is known."""
        del model
        return Past.empty(x, t, self.terms - 1)

    def step(
        self,
        key: Key,
        model: ScoreModel,
        x: Batch,
        t: Array,
        s: Array,
        memory: Any = (),
        cond: Condition = None,
    ) -> Step:
        """One step."""
        del key
        denoiser = require_denoiser("DEIS", model)
        sde, estimate = denoiser.sde, denoiser.estimate(x, t, cond)
        there = sde.alpha(t) > 0
        mean = sde.alpha(s) * estimate.denoised + sde.sigma(s) * estimate.noise
        begins = jnp.where(there, t, 0.5 * sde.T)
        for terms in range(2, self.terms + 1):
            chosen = _weights(sde, (begins, *memory.at[: terms - 1]), s)
            total = combined(chosen, (estimate.noise, *memory.values[: terms - 1]))
            found = sde.alpha(s) * (x / sde.alpha(begins) + total)
            mean = jnp.where(there & (memory.known >= terms - 1), found, mean)
        return Step(mean, mean, memory.push(estimate.noise, t, there))


def _weights(sde: GaussianSDE, places: tuple[Array, ...], s: Array) -> list[Array]:
    """int L_j(t) dr, r = sigma / alpha, from the first place to s."""
    high, low = (sde.sigma(t) / sde.alpha(t) for t in (places[0], s))
    half = 0.5 * (low - high)
    ratios = high + half * (jnp.asarray(NODES, half.dtype) + 1)
    times = sde.time_at_log_snr(-2 * jnp.log(ratios))
    measure = half * jnp.asarray(WEIGHTS, half.dtype)
    return [jnp.sum(measure * basis) for basis in lagrange(places, times)]

"""Probabilities of integers from a density, by putting each integer into its cell."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.dequantization import Units
from score_sde.divergence import ExactDivergence
from score_sde.errors import InputError
from score_sde.likelihood.base import Density, Dequantizer, LogProb, Method, standard_error
from score_sde.likelihood.dequantizers import UniformNoise
from score_sde.likelihood.draws import stacked
from score_sde.likelihood.probability_flow import ProbabilityFlow
from score_sde.pytree import static
from score_sde.typing import Array, Condition, Key, PerExample


class _Dequantized(Method):
    """Ratios log p(x_i) - log q(x_i | raw) of ``draws`` points in each cell, which a subclass combines.

    Attributes:
        density: log p(x) in model space.
        dequantizer: the law q of the points.
        draws: of points; a standard error over them takes two.
    """

    density: Density = ProbabilityFlow()
    dequantizer: Dequantizer = UniformNoise()
    draws: int = static(1)

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise InputError(f"{type(self).__name__}.draws", self.draws, "at least 1", "raise it")

    @abstractmethod
    def combined(self, ratios: Array) -> tuple[PerExample, PerExample]:
        """Nats and their standard error from (draws, batch) ratios."""

    def __call__(
        self,
        key: Key,
        model: Any,
        raw: Array,
        units: Units,
        cond: Condition = None,
        *,
        model_key: Key | None = None,
    ) -> LogProb:
        """Nats in raw units; ``stderr`` is over the points, or with one point that of the density there."""
        keys = jax.random.split(key, self.draws)

        def one(i: Array) -> tuple[LogProb, PerExample]:
            place_key, density_key = jax.random.split(keys[i])
            x, log_prob = self.dequantizer(place_key, model, raw, units)
            return self.density(density_key, model, x, cond, model_key=model_key), log_prob

        found, log_probs = stacked(one, self.draws)
        nats, stderr = self.combined(found.nats - log_probs)
        parts = {name: jnp.mean(part, axis=0) for name, part in found.parts.items()}
        parts["dequantization"] = jnp.mean(log_probs, axis=0)  # a cost, as the others
        stderr = found.stderr[0] if self.draws == 1 else stderr
        return LogProb(nats, stderr, jnp.sum(found.evaluations, axis=0), parts)


class DequantizedBound(_Dequantized):
    """log P(raw) >= E_q [log p(x) - log q(x | raw)], the mean over draws.

    Uniform q: Theis et al. 2016, section 3.1; learnt: Ho et al. 2019. For real-valued data (with
    ``UniformNoise``) the log density in their own units.
    """

    @property
    def statement(self) -> str:
        """What the number is."""
        return f"{self.density.statement}; of integers, its mean over their cells: a lower bound"

    def combined(self, ratios: Array) -> tuple[PerExample, PerExample]:
        """The mean."""
        return jnp.mean(ratios, axis=0), standard_error(ratios)


class ImportanceWeightedBound(_Dequantized):
    """log P(raw) >= E log (1/k) sum_i p(x_i) / q(x_i | raw), with k = ``draws``.

    Rises with k and tends to log P(raw) (Burda et al. 2016, theorem 1; for dequantisation Hoogeboom et al.
    2020). The density must be exact at each point: random probes in it, as Hutchinson's, make the mean
    of exp(log p) too large, by half the variance of their noise at k large, and the number no bound. The
    default takes the exact divergence for that reason, at a cost of one derivative a dimension.
    """

    density: Density = ProbabilityFlow(divergence=ExactDivergence())
    draws: int = static(16)

    @property
    def statement(self) -> str:
        """What the number is."""
        return (
            f"{self.density.statement}; of integers, importance-weighted over {self.draws} points of a cell"
        )

    def combined(self, ratios: Array) -> tuple[PerExample, PerExample]:
        """log mean exp; its error to first order in that of the mean."""
        weights = jnp.exp(ratios - jnp.max(ratios, axis=0))
        nats = jax.nn.logsumexp(ratios, axis=0) - math.log(self.draws)
        return nats, standard_error(weights) / jnp.mean(weights, axis=0)

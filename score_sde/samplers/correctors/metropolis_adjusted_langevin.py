"""Langevin steps that are accepted or refused, so that p_t is left as it is."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Corrector
from score_sde.samplers.checks import require_gaussian, require_positive, require_whole
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class MetropolisAdjustedLangevin(Corrector):
    """y = x + h score + sqrt(2 h) z with h = 2 (snr sigma(t))^2, kept with the Metropolis probability.

    That is min(1, p(y) q(x | y) / (p(x) q(y | x))) with q the proposal's density (Roberts and Tweedie
    1996, section 1.4). A model gives only the score, so log p(y) - log p(x) is the line integral of the
    score from x to y by Gauss-Lobatto quadrature: exact where the score is a polynomial of degree
    2 nodes - 3 along the segment (with two nodes for Gaussians). A network's score need not be a
    gradient; the straight segment is then one choice of path.

    Attributes:
        snr: step size in units of sigma(t).
        nodes: quadrature nodes, of which the two ends are evaluated anyway; evaluations of a step.
    """

    snr: float = 0.16
    nodes: int = static(4)

    def __post_init__(self) -> None:
        require_positive("MetropolisAdjustedLangevin.snr", self.snr)
        require_whole("MetropolisAdjustedLangevin.nodes", self.nodes, 2)

    @property
    def evaluations(self) -> int:
        """One a node."""
        return self.nodes

    def step(self, key: Key, model: ScoreModel, x: Batch, t: Array, cond: Condition = None) -> Batch:
        """One step; x stays where sigma(t) = 0."""
        sde = require_gaussian("MetropolisAdjustedLangevin", model.sde, "Langevin")
        exists = sde.has_score(t)
        at = jnp.where(exists, t, sde.T)
        h = 2 * jnp.square(self.snr * sde.sigma(at))
        propose_key, accept_key = jax.random.split(key)
        here = model.score(x, at, cond)
        y = x + h * here + jnp.sqrt(2 * h) * arrays.normal_like(propose_key, x)
        there = model.score(y, at, cond)
        gain = self._log_density_gain(model, x, y, here, there, at, cond)
        log_ratio = gain + _log_proposal(y, there, x, h) - _log_proposal(x, here, y, h)
        level = jax.random.uniform(accept_key, log_ratio.shape, log_ratio.dtype)
        return jnp.where(arrays.expand(exists & (jnp.log(level) < log_ratio), x), y, x)

    def _log_density_gain(
        self,
        model: ScoreModel,
        x: Batch,
        y: Batch,
        here: Batch,
        there: Batch,
        t: Array,
        cond: Condition,
    ) -> PerExample:
        """log p(y) - log p(x)."""
        positions, weights = gauss_lobatto(self.nodes)

        def add(total: Batch, node: tuple[Array, Array]) -> tuple[Batch, None]:
            position, weight = node
            return total + weight * model.score(x + position * (y - x), t, cond), None

        total = weights[0] * here + weights[-1] * there
        if self.nodes > 2:
            inner = jnp.asarray(positions[1:-1], x.dtype), jnp.asarray(weights[1:-1], x.dtype)
            total, _ = jax.lax.scan(add, total, inner)
        return arrays.sum_per_example(total * (y - x))


@functools.cache
def gauss_lobatto(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights on [0, 1], both ends included (Abramowitz and Stegun 1964, eq. 25.4.32)."""
    last = np.polynomial.Legendre.basis(n - 1)
    nodes = np.concatenate([[-1.0], np.sort(last.deriv().roots().real), [1.0]])
    return 0.5 * (nodes + 1), 1 / (n * (n - 1) * last(nodes) ** 2)


def _log_proposal(x: Batch, score: Batch, y: Batch, h: Array) -> PerExample:
    """log q(y | x), up to a constant."""
    return -arrays.sum_per_example(jnp.square(y - x - h * score)) / (4 * h)

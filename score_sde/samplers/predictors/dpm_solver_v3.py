"""DPM-Solver-v3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_between, require_denoiser, require_terms
from score_sde.samplers.exponential import NODES, WEIGHTS, Interval, Past, Predicted, lagrange, place
from score_sde.samplers.model_statistics import ModelStatistics
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key

INNER_NODES, INNER_WEIGHTS = np.polynomial.legendre.leggauss(8)


class DPMSolverV3(Predictor):
    """The parametrisation of the flow in which a model changes least (Zheng et al. 2023).

    With l, s and b of ``statistics``, L and S the integrals of l and s, and v = x / alpha,
    v_s = e^{-(L_s - L_t)} (v_t - int e^{(L - L_t) + (S - S_t)} (g + B) dlambda), where
    B = int_t e^{-(S - S_t)} b and g = e^{-(S - S_t)} f - B is constant where df / dlambda = s f + b. g is the
    polynomial in lambda through its last values; a step is corrected as in ``SASolver`` once f is known at
    its end. With the statistics of a normal law, its steps are exact. Those of the model itself are the best,
    but any converge; with the default it is ``SASolver`` without churn. From alpha = 0 and to sigma = 0 it
    is ``DDIM``.

    Attributes:
        terms: values of g that predict, 1 to 4; 3 in most of the paper.
        corrector_terms: values, besides the newest, that correct, 0 (nothing is corrected) to 4.
        statistics: of the model; ``call(ModelStatistics.load, path=...)`` in a configuration.
    """

    terms: int = static(2)
    corrector_terms: int = static(2)
    statistics: ModelStatistics = ModelStatistics()

    def __post_init__(self) -> None:
        require_between("DPMSolverV3.terms", self.terms, 1, 4)
        require_between("DPMSolverV3.corrector_terms", self.corrector_terms, 0, 4)

    @property
    def order(self) -> int:
        """One more than ``terms``, as far as the corrector reaches."""
        return max(self.terms, min(self.terms, self.corrector_terms) + 1)

    def check(self, n_steps: int) -> None:
        """Raise where there are more terms than steps."""
        require_terms("DPMSolverV3.terms", max(self.terms, self.corrector_terms), n_steps)

    def init(self, model: ScoreModel, x: Batch, t: Array) -> Predicted:
        """Nothing is predicted."""
        del model
        length = max(self.terms - 1, self.corrector_terms)
        return Predicted(Past.empty(x, t, length), jnp.zeros_like(x), t)

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
        denoiser = require_denoiser("DPMSolverV3", model)
        sde, estimate = denoiser.sde, denoiser.estimate(x, t, cond)
        at, there = place(sde, t)
        alpha, sigma = sde.alpha(jnp.where(there, t, 0.5 * sde.T)), sde.sigma(t)
        value = (sigma * estimate.noise - self.statistics.at(at).linear * x) / alpha
        moved = self._correction(sde, value, memory, t)
        interval = Interval.of(sde, t, s)
        past = memory.past.latest(self.terms - 1)
        drift = -sde.alpha(s) * self._through(value, jnp.zeros_like(at), past, interval)
        first = sde.alpha(s) * estimate.denoised + sde.sigma(s) * estimate.noise
        mean = jnp.where(interval.finite, self._decay(sde, t, s) * (x + moved) + drift, first)
        return Step(mean, mean, Predicted(memory.past.push(value, at, there), drift, t))

    def _correction(self, sde: GaussianSDE, value: Batch, memory: Predicted, t: Array) -> Batch:
        """What the integral with ``value`` at t, the end of the last step, is more than the one taken."""
        if self.corrector_terms == 0:
            return jnp.zeros_like(value)
        past = memory.past.latest(self.corrector_terms)
        known = past.known > 0
        began = jnp.where(known, memory.t, sde.T).astype(t.dtype)  # the first step has no time before it
        interval = Interval.of(sde, began, t)
        again = -sde.alpha(t) * self._through(value, interval.width, past, interval)
        return jnp.where(known & interval.finite, again - memory.drift, 0)

    def _decay(self, sde: GaussianSDE, t: Array, s: Array) -> Array:
        """alpha_s / alpha_t e^{-(L_s - L_t)}, of x_t in x_s."""
        interval = Interval.of(sde, t, s)
        here, end = (self.statistics.at(interval.at + width) for width in (0.0, interval.width))
        ratio = sde.alpha(s) / jnp.where(interval.finite, sde.alpha(t), 1)
        return ratio * jnp.exp(here.linear_integral - end.linear_integral)

    def _through(self, value: Batch, at: Array, past: Past, interval: Interval) -> Batch:
        """e^{-(L_s - L_t)} times the integral, g through ``value`` at u = ``at`` and what is known."""
        found = jnp.zeros_like(value)
        for count in range(len(past.values) + 1):
            places = (at, *(there - interval.at for there in past.at[:count]))
            total = _integral(self.statistics, interval, places, (value, *past.values[:count]))
            found = jnp.where(past.known >= count, total, found)
        return found


def _integral(
    statistics: ModelStatistics, interval: Interval, places: Sequence[Array], values: Sequence[Batch]
) -> Batch:
    """With g through these values of f, at lambdas ``places`` from the beginning."""
    here, end = (statistics.at(interval.at + width) for width in (0.0, interval.width))
    nodes = 0.5 * interval.width * (jnp.asarray(NODES, interval.width.dtype) + 1)
    between = statistics.at(interval.at + nodes)
    grown = between.linear_integral - end.linear_integral + between.rate_integral - here.rate_integral
    kept = (slice(None), *(None,) * (grown.ndim - 1))
    measure = 0.5 * interval.width * jnp.asarray(WEIGHTS, grown.dtype)[kept] * jnp.exp(grown)
    total = jnp.sum(measure * _source(statistics, interval.at, nodes), axis=0)
    for at, value, basis in zip(places, values, lagrange(places, nodes), strict=True):
        there = statistics.at(interval.at + at)
        g = jnp.exp(here.rate_integral - there.rate_integral) * value
        g = g - _source(statistics, interval.at, at[None])[0]
        total = total + jnp.sum(measure * basis[kept], axis=0) * g
    return total


def _source(statistics: ModelStatistics, begin: Array, widths: Array) -> Array:
    """B = int e^{-(S - S_0)} b over each of the widths (n,), by Gauss quadrature: (n, *kept)."""
    here = statistics.at(begin)
    shares = 0.5 * (jnp.asarray(INNER_NODES, widths.dtype) + 1)
    inside = statistics.at((begin + widths[:, None] * shares).ravel())
    kept = inside.offset.shape[1:]
    values = inside.offset * jnp.exp(here.rate_integral - inside.rate_integral)
    weights = 0.5 * widths[:, None] * jnp.asarray(INNER_WEIGHTS, widths.dtype)
    values = values.reshape(len(widths), len(INNER_NODES), *kept)
    return jnp.sum(weights.reshape(weights.shape + (1,) * len(kept)) * values, axis=1)

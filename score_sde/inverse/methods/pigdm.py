"""Pseudo-inverse guidance."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser
from score_sde.inverse.base import Measurement, SteppedMethod, require_linear
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.gradient import GradientMethod, Local, look_around
from score_sde.inverse.methods.moved import Moved
from score_sde.inverse.methods.prior_variances import DataVariance, PriorVariance
from score_sde.inverse.methods.residuals import weighted_adjoint
from score_sde.pytree import static
from score_sde.samplers.base import Predictor
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition


class PiGDM(GradientMethod):
    """grad log p(y | x_t) = J^T A^T (r_t^2 A A^T + noise)^-1 (y - A D), taking p(x_0 | x_t) as N(D, r_t^2 I).

    Song et al. 2023, "Pseudoinverse-guided diffusion models for inverse problems", eq. 7 and 8. Exact for
    data N(m, s^2 I) with ``DataVariance(std=s)``. Elsewhere it draws from none of the posteriors: the same
    r_t in every direction is too small between modes and too large across a manifold.

    Without noise this is J^T (A^+ y - A^+ A D) / r_t^2. The paper's algorithm 1 then drops 1 / r_t^2 and adds
    alpha_t times what is left to a step of DDIM; ``AdaptivePiGDM`` does that. The weight here is Bayes'
    rule's, D gaining sigma^2 / alpha times the gradient, which any sampler can follow.

    Attributes:
        variance: r_t^2.
        pseudo_inverse: h^+ with h(h^+(h(x))) = h(x), for an operator that is not linear: the
            gradient is J^T (h^+(y) - h^+(h(D))) / (r_t^2 + noise). None asks for a linear operator.
    """

    variance: PriorVariance = DataVariance()
    pseudo_inverse: Callable[[Batch], Batch] | None = static(None)

    def check(self, measurement: Measurement) -> None:
        """The operator is linear, or a pseudo-inverse is given."""
        if self.pseudo_inverse is None:
            require_linear("PiGDM without a pseudo_inverse", measurement.operator)

    def pull(self, measurement: Measurement, local: Local) -> Batch:
        """A^T (r_t^2 A A^T + noise)^-1 (y - A D)."""
        spread, noise = self.variance(local.sde, local.t), measurement.noise.variance(measurement.y)
        if self.pseudo_inverse is None:
            residual = measurement.residual(local.mean)
            return weighted_adjoint(measurement.operator, residual, spread, noise)
        inverse, operator = self.pseudo_inverse, measurement.operator
        change = inverse(measurement.y) - inverse(operator(local.mean))
        total = expand(spread, change) + jnp.mean(noise)
        return jnp.where(total > 0, change / jnp.where(total > 0, total, 1), 0)


class AdaptivePiGDM(SteppedMethod):
    """x_s = step of the sampler + alpha_t r_t^2 J^T A^T (r_t^2 A A^T + noise)^-1 (y - A D).

    Algorithm 1 of Song et al. 2023, whose weights were found to work with few steps of DDIM on images. They
    are not Bayes' rule's: the gain of a step does not shrink with its length, so that the law depends on the
    number of steps and is that of no posterior.

    Attributes:
        variance: r_t^2.
    """

    sampler: Sampler = SAMPLER
    variance: PriorVariance = DataVariance()

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The predictor, and then the paper's step towards the measurement."""
        require_linear("AdaptivePiGDM", measurement.operator)
        return Moved(inner=predictor, measurement=measurement, method=self)

    def move(self, measurement: Measurement, model: Denoiser, x: Batch, t: Array, cond: Condition) -> Batch:
        """alpha_t r_t^2 times the gradient."""
        local, _ = look_around(lambda x: (model(x, t, cond), None), model.sde, t, x)
        spread, noise = self.variance(model.sde, t), measurement.noise.variance(measurement.y)
        residual = measurement.residual(local.mean)
        pull = weighted_adjoint(measurement.operator, residual, spread, noise)
        return expand(model.sde.alpha(t) * spread, x) * local.pullback(pull)

"""Manifold constrained gradients."""

from __future__ import annotations

from typing import Any, ClassVar

import jax

from score_sde import arrays
from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod, require_linear
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.moved import Moved
from score_sde.inverse.methods.residuals import square_and_gradient
from score_sde.inverse.methods.step_scalings import OverNorm, StepScaling
from score_sde.samplers.around import Around
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key


class MCG(SteppedMethod):
    """A step of DPS, and then x_s + A^+ (y_s - A x_s) with y_s = alpha_s y + sigma_s A z.

    Chung et al. 2022, "Improving diffusion models for inverse problems using manifold constraints",
    with their W = I. Linear operators. The last state agrees with y exactly, noise included, so that it is
    meant for measurements without noise; y_s is drawn without regard to x_t, which the gradient is to mend.
    It draws from no posterior: what y does not tell is as biased as DPS's.

    Attributes:
        step_size: of the gradient, as DPS's.
        scaling: as DPS's.
    """

    weighs_noise: ClassVar[bool] = False

    sampler: Sampler = SAMPLER
    step_size: float = 0.3
    scaling: StepScaling = OverNorm()

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The predictor, a step down the squared residual, and the projection."""
        require_linear("MCG", measurement.operator)
        moved = Moved(inner=predictor, measurement=measurement, method=self)
        return Projected(inner=moved, measurement=measurement)

    def move(self, measurement: Measurement, model: Denoiser, x: Batch, t: Array, cond: Condition) -> Batch:
        """-step_size * scaling * gradient."""
        square, gradient = square_and_gradient(model, measurement, x, t, cond)
        return -expand(self.step_size * self.scaling(square), x) * gradient


class Projected(Around):
    """A predictor's step, with what is measured of it replaced by the measurement, noised alike."""

    measurement: Measurement

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
        """One step; its mean is projected to alpha_s y."""
        sde = require_denoiser("MCG", model).sde
        step_key, noise_key = jax.random.split(key)
        drawn = self.inner.step(step_key, model, x, t, s, memory, cond)
        operator, clean = self.measurement.operator, sde.alpha(s) * self.measurement.y
        noise = sde.sigma(s) * arrays.normal_like(noise_key, x)
        sample = drawn.x + operator.pseudo_inverse(clean + operator(noise - drawn.x))
        mean = drawn.mean + operator.pseudo_inverse(clean - operator(drawn.mean))
        return Step(sample, mean, drawn.memory)

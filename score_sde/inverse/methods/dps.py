"""Diffusion posterior sampling."""

from __future__ import annotations

from typing import ClassVar

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser
from score_sde.inverse.base import Measurement, SteppedMethod
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.moved import Moved
from score_sde.inverse.methods.residuals import square_and_gradient
from score_sde.inverse.methods.step_scalings import OverNorm, StepScaling
from score_sde.samplers.base import Predictor
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition


class DPS(SteppedMethod):
    """x_s = step of the sampler - step_size / |y - A(D)| grad_x_t |y - A(D)|^2.

    Chung et al. 2023, "Diffusion posterior sampling for general noisy inverse problems", algorithm 1; with
    noise whose variance differs among the values of y, as Poisson's, squares are weighed by its inverse
    (algorithm 2). Any differentiable operator, any sampler with a predictor.

    It draws from no posterior: the strength of the noise does not enter, so that draws do not widen with it,
    and what y tells is followed by a length that depends on the number of steps and on the scale of x_t
    (made for VP and 1000 steps). Draws tend to be too narrow, and to fall between modes.

    Attributes:
        step_size: zeta' of the paper, 1 there for super-resolution and inpainting of faces.
        scaling: ``OverNorm()``, or ``Unscaled()`` for zeta itself.
    """

    weighs_noise: ClassVar[bool] = False

    sampler: Sampler = SAMPLER
    step_size: float = 0.3
    scaling: StepScaling = OverNorm()

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The predictor, and then a step down the squared residual."""
        return Moved(inner=predictor, measurement=measurement, method=self)

    def move(self, measurement: Measurement, model: Denoiser, x: Batch, t: Array, cond: Condition) -> Batch:
        """-step_size * scaling * gradient."""
        square, gradient = square_and_gradient(model, measurement, x, t, cond)
        return -expand(self.step_size * self.scaling(square), x) * gradient

"""Denoising diffusion null-space models: the estimate of the data agrees with y exactly."""

from __future__ import annotations

from typing import ClassVar

from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.guidance.shifts import shift_denoised
from score_sde.inverse.base import GuidedMethod, Measurement, require_linear
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.spectral.base import require_noiseless
from score_sde.samplers.base import Sampling
from score_sde.typing import Batch, Condition, Key, Time


class DDNM(GuidedMethod):
    """D' = D + A^+ (y - A D), whose range-space part is y's (Wang et al. 2023, eq. 13, algorithm 1).

    With ``Ancestral`` it is the paper's algorithm. In DDIM and ODE samplers the noise goes with D', as
    (x - alpha D') / sigma (the authors' code with eta = 0.85 keeps the network's noise there). For exact y;
    ``DDNMPlus`` takes noise. With ``TimeTravel`` as the sampler it travels.

    Not a sample of p(x_0 | y): what A does not see is moved by D alone.

    Attributes:
        sampler: any. One that ends at t = 0 or denoises at the end gives A x = y to rounding.
    """

    weighs_noise: ClassVar[bool] = False  # it takes y as exact

    sampler: Sampling = SAMPLER

    def guided(self, model: Denoiser, measurement: Measurement) -> Denoiser:
        """D'."""
        require_linear("DDNM", measurement.operator)
        require_noiseless("DDNM", measurement, "use DDNMPlus, DDRM or DiffPIR")
        return Projected(sde=model.sde, model=model, measurement=measurement)


class Projected(Denoiser):
    """Another denoiser, moved to the nearest that agrees with y.

    Attributes:
        model: the other.
        measurement: y and A.
    """

    model: Denoiser
    measurement: Measurement

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """D + A^+ (y - A D)."""
        denoised = self.model(x, t, cond, key=key)
        return denoised + self._change(denoised)

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation."""
        estimate = self.model.estimate(x, t, cond, key=key)
        return shift_denoised(self.sde, t, estimate, self._change(estimate.denoised))

    def _change(self, denoised: Batch) -> Batch:
        return self.measurement.operator.pseudo_inverse(self.measurement.residual(denoised))

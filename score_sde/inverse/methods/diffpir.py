"""DiffPIR: a denoiser as the prior of a splitting scheme."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod, require_linear
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.spectral.base import require_fraction, require_no_corrector, white_variance
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser, require_not_negative
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key


class DiffPIR(SteppedMethod):
    """x' = argmin |y - A x|^2 + rho |x - D|^2, rho = lam std_y^2 alpha_t^2 / sigma_t^2, and noise put back.

    x_s = alpha_s x' + sigma_s (sqrt(1 - zeta) e + sqrt(zeta) n) with e = (x_t - alpha_t x') / sigma_t (Zhu et
    al. 2023, algorithm 1, eq. 12b, for any alpha and sigma). x' = D + A^T (A A^T + rho)^-1 (y - A D): at
    lam = 0 or with exact y the projection onto y, as lam grows the denoiser alone.

    Not a sample of p(x_0 | y): x' is a most probable value, about which nothing is spread but the noise; nor
    of p(x_0) where y says nothing, since the steps lose variance as zeta grows.

    Attributes:
        sampler: its grid, steps, moves and final step; its predictor is not used. NoCorrector().
        lam: weight of the prior (the authors' code takes 1, and names 7 to 35).
        zeta: share of new noise.
    """

    weighs_noise: ClassVar[bool] = False  # the steps keep no law, also without y

    sampler: Sampler = SAMPLER
    lam: float = 7.0
    zeta: float = 0.3

    def __post_init__(self) -> None:
        require_not_negative("DiffPIR.lam", self.lam)
        require_fraction("DiffPIR.zeta", self.zeta)

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The steps above."""
        del predictor
        require_linear("DiffPIR", measurement.operator)
        variance = white_variance("DiffPIR", measurement)
        return DiffPIRPredictor(measurement=measurement, variance=variance, lam=self.lam, zeta=self.zeta)

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event)."""
        require_no_corrector("DiffPIR", self.sampler)
        return super().__call__(key, model, measurement, shape, cond)


class DiffPIRPredictor(Predictor):
    """A step of DiffPIR.

    Attributes:
        measurement: y and A.
        variance: of the noise of y.
        lam: weight of the prior.
        zeta: share of new noise.
    """

    measurement: Measurement
    variance: Array
    lam: float
    zeta: float

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
        denoiser = require_denoiser("DiffPIR", model)
        sde, denoised = denoiser.sde, denoiser(x, t, cond)
        signal, noise = sde.variance(t), self.lam * self.variance * jnp.square(sde.alpha(t))
        scale = signal + noise  # (signal A A^T + noise) is divided by it, so that neither end is lost
        residual = self.measurement.residual(denoised)
        pull = self.measurement.operator.weighted_adjoint(residual, signal / scale, noise / scale)
        nearest = denoised + signal / scale * pull
        e = (x - sde.alpha(t) * nearest) / sde.sigma(t)
        mean = sde.alpha(s) * nearest + sde.sigma(s) * jnp.sqrt(1 - self.zeta) * e
        return Step(mean + sde.sigma(s) * jnp.sqrt(self.zeta) * arrays.normal_like(key, x), mean, memory)

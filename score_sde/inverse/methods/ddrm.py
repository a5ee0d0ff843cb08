"""Denoising diffusion restoration models: each singular value by its noise."""

from __future__ import annotations

from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod, require_fit
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.spectral.base import Seen, require_fraction, require_no_corrector
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key


class DDRM(SteppedMethod):
    """Steps in the spectrum of A = U S V^T (Kawar et al. 2022, eq. 4-8, for any alpha and sigma).

    With d = V^T D(x_t), n = V^T E[noise | x_t] and what y says, ``value`` ~ N(V^T x_0, (std_y / S)^2):

    - not seen:                 z_s ~ N(alpha d + sqrt(1 - eta^2) sigma n, eta^2 sigma^2)
    - sigma < alpha std:        z_s ~ N(alpha d + sqrt(1 - eta^2) sigma (value - d) / std, eta^2 sigma^2)
    - sigma >= alpha std:       z_s ~ N(alpha ((1 - eta_b) d + eta_b value), sigma^2 - (alpha eta_b std)^2)

    with alpha and sigma at s. The marginals, not the paths, are those of the diffusion of x_0; with a trained
    or exact D the draws are not those of p(x_0 | y): what is not seen hears of y only through D.

    Attributes:
        sampler: its grid, steps and final step; its predictor is not used. NoCorrector().
        eta: noise of what is not seen.
        eta_b: weight of y where it is less noisy than x_s.
    """

    weighs_noise: ClassVar[bool] = False  # what is noisier than x_s gets no new noise from it

    sampler: Sampler = SAMPLER
    eta: float = 0.85
    eta_b: float = 1.0

    def __post_init__(self) -> None:
        require_fraction("DDRM.eta", self.eta)
        require_fraction("DDRM.eta_b", self.eta_b)

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The steps above."""
        del predictor
        return DDRMPredictor(seen=Seen.of("DDRM", measurement), eta=self.eta, eta_b=self.eta_b)

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event), begun as eq. 7."""
        require_fit("DDRM", measurement, shape)
        require_no_corrector("DDRM", self.sampler)
        sde = require_denoiser("DDRM", model).sde
        start_key, key = jax.random.split(key)
        predictor = self.stepped(self.sampler.predictor, measurement)
        x = Seen.of("DDRM", measurement).start(start_key, sde, shape)
        return self.sampler.replace(predictor=predictor)(key, model, shape, cond, x=x)


class DDRMPredictor(Predictor):
    """A step of DDRM.

    Attributes:
        seen: what is known.
        eta: noise of what is not.
        eta_b: weight of y.
    """

    seen: Seen
    eta: float
    eta_b: float

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
        denoiser, operator = require_denoiser("DDRM", model), self.seen.operator
        estimate = denoiser.estimate(x, t, cond)
        d, n = operator.to_spectrum(estimate.denoised), operator.to_spectrum(estimate.noise)
        alpha, variance = denoiser.sde.alpha(s), denoiser.sde.variance(s)
        value, std, kept = self.seen.value, self.seen.std, self.seen.kept
        loud = kept & (jnp.square(alpha * std) > variance)  # y is noisier than x_s
        towards = jnp.where(loud, (value - d) / jnp.where(loud, std, 1), n)
        free = alpha * d + jnp.sqrt((1 - jnp.square(self.eta)) * variance) * towards
        tied = alpha * ((1 - self.eta_b) * d + self.eta_b * value)
        mean = jnp.where(kept & ~loud, tied, free)
        left = variance - jnp.square(alpha * self.eta_b * std)
        spread = jnp.where(kept & ~loud, jnp.maximum(left, 0), jnp.square(self.eta) * variance)
        z = mean + jnp.sqrt(spread) * arrays.normal_like(key, mean)
        return Step(operator.from_spectrum(z), operator.from_spectrum(mean), memory)

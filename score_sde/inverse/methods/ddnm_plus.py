"""DDNM for noisy measurements."""

from __future__ import annotations

from typing import Any, ClassVar

import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.inverse.base import Measurement, SteppedMethod
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.spectral.base import Seen, require_no_corrector
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key


class DDNMPlus(SteppedMethod):
    """Ancestral steps on a D that goes towards y as far as the noise of a step has room for that of y.

    In the spectrum, with x_s = c_x x_t + c_0 x_0 + std n and what y says ``value`` of noise std_y / S:
    d' = d + lambda (value - d), lambda = min(1, std / (c_0 std_y / S)), and new noise of variance
    std^2 - (c_0 lambda std_y / S)^2, so that the noise of y and the new noise make up that of the step
    (Wang et al. 2023, eq. 17-19 and appendix I). Exact y: DDNM with ``Ancestral``. With ``TimeTravel`` as
    the sampler it travels.

    Not a sample of p(x_0 | y): what A does not see is moved by D alone, and the last steps forget y.

    Attributes:
        sampler: its grid, steps, moves and final step; its predictor is not used. NoCorrector().
    """

    weighs_noise: ClassVar[bool] = False  # it lets y's noise stand for its own

    sampler: Sampler = SAMPLER

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The steps above."""
        del predictor
        return DDNMPlusPredictor(seen=Seen.of("DDNMPlus", measurement))

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event)."""
        require_no_corrector("DDNMPlus", self.sampler)
        return super().__call__(key, model, measurement, shape, cond)


class DDNMPlusPredictor(Predictor):
    """A step of DDNM+.

    Attributes:
        seen: what is known.
    """

    seen: Seen

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
        denoiser, operator = require_denoiser("DDNMPlus", model), self.seen.operator
        c_x, c_0, std = denoiser.sde.bridge(t, s)
        d = operator.to_spectrum(denoiser(x, t, cond))
        brought = c_0 * self.seen.std  # noise that y brings into x_s at lambda = 1
        room = std >= brought
        share = jnp.where(room, 1, std / jnp.where(room, 1, brought)) * self.seen.kept
        mean = c_x * operator.to_spectrum(x) + c_0 * (d + share * (self.seen.value - d))
        left = jnp.maximum(jnp.square(std) - jnp.square(share * brought), 0)
        z = mean + jnp.sqrt(left) * arrays.normal_like(key, mean)
        return Step(operator.from_spectrum(z), operator.from_spectrum(mean), memory)

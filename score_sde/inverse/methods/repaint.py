"""RePaint: replacement, walked again and again."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.inverse.base import Measurement, SteppedMethod, require_fit
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.replacement import ReplacedPredictor
from score_sde.inverse.methods.time_travel import TimeTravel
from score_sde.inverse.spectral.base import Seen, require_no_corrector
from score_sde.pytree import static
from score_sde.samplers.base import Predictor
from score_sde.samplers.checks import require_gaussian, require_whole
from score_sde.samplers.driver import Sampler
from score_sde.typing import Batch, Condition, Key


class RePaint(SteppedMethod):
    """``Replacement`` that goes back up ``jump_length`` steps by the forward process and down again.

    Each stretch is walked ``resamplings`` times, so that what is not seen has time to agree with what is
    (Lugmayr et al. 2022, algorithm 1; its defaults: 250 steps, jumps of 10, 10 resamplings, masks). Here for
    any operator with a decomposition, y with noise as in ``Replacement``, any predictor and grid. With one
    resampling it is ``Replacement`` without a corrector.

    As resamplings grow, a stretch draws from a law that agrees with p(x_t) and with what is seen of x_t; that
    the noise of what is seen was drawn apart from the rest leaves a bias.

    Attributes:
        sampler: its predictor, grid, steps and final step; NoCorrector().
        jump_length: steps.
        resamplings: walks of each stretch.
    """

    sampler: Sampler = SAMPLER
    jump_length: int = static(10)
    resamplings: int = static(10)

    def __post_init__(self) -> None:
        require_whole("RePaint.jump_length", self.jump_length, 1)
        require_whole("RePaint.resamplings", self.resamplings, 1)

    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """``predictor``, and then what is seen."""
        return ReplacedPredictor(inner=predictor, seen=Seen.of("RePaint", measurement))

    def __call__(
        self,
        key: Key,
        model: Any,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event)."""
        require_fit("RePaint", measurement, shape)
        require_no_corrector("RePaint", self.sampler)
        sde = require_gaussian("RePaint", model.sde)
        start_key, key = jax.random.split(key)
        seen = Seen.of("RePaint", measurement)
        travel = TimeTravel(
            predictor=ReplacedPredictor(inner=self.sampler.predictor, seen=seen),
            grid=self.sampler.grid,
            n_steps=self.sampler.n_steps,
            jump_length=self.jump_length,
            resamplings=self.resamplings,
            final=self.sampler.final,
        )
        return travel(key, model, shape, cond, x=seen.start(start_key, sde, shape))

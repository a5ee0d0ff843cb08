"""A grid at the noise levels that a model knows."""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.samplers.base import Grid
from score_sde.samplers.checks import require_gaussian
from score_sde.samplers.grids import ToZero
from score_sde.samplers.rounding import IDDPMRounding, Rounding
from score_sde.sdes.base import SDE
from score_sde.typing import Array


class Rounded(Grid):
    """Another grid with every time moved to where the ratio is one that the model knows; 0 stays.

    The grid should end at the smallest that is known: ``iddpm_ratios()[-2]``, as EDM's sampler sees to.
    """

    grid: Grid = ToZero()
    rounding: Rounding = IDDPMRounding()

    def __call__(self, sde: SDE, n_steps: int, start: Array | float | None = None) -> Array:
        """The times."""
        gaussian, times = require_gaussian("Rounded", sde, "Uniform"), self.grid(sde, n_steps, start)
        ratios = self.rounding(jnp.exp(-0.5 * gaussian.log_snr(times)))
        return jnp.where(times > 0, gaussian.time_at_log_snr(-2 * jnp.log(ratios)), 0)

"""Ancestral sampling, for every Gaussian SDE."""

from __future__ import annotations

from typing import Any

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.checks import require_denoiser
from score_sde.typing import Array, Batch, Condition, Key


class Ancestral(Predictor):
    """Draws x_s from p(x_s | x_t, x_0 = D(x_t, t)) (Ho et al. 2020, eq. 6-7, for any alpha and sigma).

    Also from alpha(t) = 0, where x_s is drawn afresh, and to sigma(s) = 0, where x_s = D.
    """

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
        denoiser = require_denoiser("Ancestral", model)
        bridge = denoiser.sde.bridge(t, s)
        mean = bridge.c_x * x + bridge.c_0 * denoiser(x, t, cond)
        return Step(mean + bridge.std * arrays.normal_like(key, x), mean, memory)

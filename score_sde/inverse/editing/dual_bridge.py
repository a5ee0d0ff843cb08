"""From the pictures of one model to those of another, by way of the noise that they share."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import Pytree
from score_sde.samplers.adaptive import ProbabilityFlowODE
from score_sde.samplers.checks import floating, require_gaussian
from score_sde.typing import Array, Batch, Condition


class DualBridge(Pytree):
    """x -> latent of the source -> x of the target: dual diffusion implicit bridges (Su et al. 2023).

    Each half is a probability flow, so that the bridge the other way undoes it; the two models need not know
    one another, and one network under two conditions is two models. The latent is taken in units of
    sigma(T), which may differ between the two processes. It is normal noise but for what alpha(T) leaves.

    Attributes:
        ode: solves both halves.
    """

    ode: ProbabilityFlowODE = ProbabilityFlowODE()

    def __call__(
        self,
        source: ScoreModel,
        target: ScoreModel,
        x: Batch,
        source_cond: Condition = None,
        target_cond: Condition = None,
    ) -> Batch:
        """Pictures of ``target`` for those of ``source``, ``x`` (batch, *event); NaN where a solve failed."""
        return self.decode(target, self.encode(source, x, source_cond), target_cond)

    def encode(self, model: ScoreModel, x: Batch, cond: Condition = None) -> Batch:
        """The noise of pictures, which is near N(0, I)."""
        return self.ode.encode(model, x, cond).y / self._scale(model)

    def decode(self, model: ScoreModel, noise: Batch, cond: Condition = None) -> Batch:
        """The pictures of noise."""
        latent = noise * self._scale(model)
        return self.ode(jax.random.key(0), model, noise.shape, cond, x=latent)  # nothing is random

    def _scale(self, model: Any) -> Array:
        sde = require_gaussian("DualBridge", model.sde)
        return sde.sigma(floating(sde.T if self.ode.t_max is None else self.ode.t_max))

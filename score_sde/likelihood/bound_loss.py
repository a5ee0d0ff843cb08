"""Training a model, and the law of its dequantisation, on the bound itself."""

from __future__ import annotations

from typing import Any

import jax

from score_sde.dequantization import Units
from score_sde.likelihood.base import Method, bits_per_dim
from score_sde.objectives.base import Objective
from score_sde.typing import Batch, Condition, Key, PerExample


class BoundLoss(Objective):
    """Bits per dimension of a bound, of integer data: what its minimiser codes them in.

    ``DequantizedBound(density=DiffusionBound(times=1, draws=1))`` is maximum likelihood training (Song et
    al. 2021), with ``dequantizer=LearntNoise()`` of the denoiser and the dequantisation flow of a
    ``denoisers.Dequantizing`` together; ``LevelBound(bound=DiffusionBound(times=1, draws=1))`` is the loss of
    variational diffusion models (Kingma et al. 2021). One time for each example is enough: those of a batch
    are spread evenly.

    Attributes:
        units: those of the data; they give the integers back.
        method: the bound.
    """

    units: Units
    method: Method

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example."""
        bound_key, model_key = jax.random.split(key)
        raw = self.units.decode(x0)
        found = self.method(bound_key, model, raw, self.units, cond, model_key=model_key)
        return bits_per_dim(found.nats, x0[0].size)

"""Laws on the cells of integers."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.dequantization import Units
from score_sde.errors import InputError
from score_sde.likelihood.base import Dequantizer, Placed
from score_sde.typing import Array, Key


class UniformNoise(Dequantizer):
    """Uniform on the cell (Theis et al. 2016, section 3.1); real-valued data stay where they are."""

    def __call__(self, key: Key, model: Any, raw: Array, units: Units) -> Placed:
        """log q = -d log |dx / d raw|, which for real-valued data is the change of units."""
        del model
        x = units.dequantized.encode(key, raw)
        return Placed(x, jnp.full(x.shape[:1], -x[0].size * units.dequantized.log_scale, x.dtype))


class LearntNoise(Dequantizer):
    """The model's own law on the cell: variational dequantisation (Ho et al. 2019, "Flow++", section 3.1).

    For a ``denoisers.Dequantizing`` whose flow was trained, by ``BoundLoss``.
    """

    def __call__(self, key: Key, model: Any, raw: Array, units: Units) -> Placed:
        """Shares of the cell's width from the flow; log q is theirs less d log width."""
        if not hasattr(model, "dequantize"):
            expected = "a model with a dequantisation flow (denoisers.Dequantizing)"
            raise InputError("LearntNoise: model", type(model).__name__, expected, "or take UniformNoise")
        spread = units.dequantized
        centers = spread.place(raw, 0.5)
        shares, log_prob = model.dequantize(centers, jax.random.normal(key, centers.shape, centers.dtype))
        return Placed(spread.place(raw, shares), log_prob - centers[0].size * spread.log_scale)

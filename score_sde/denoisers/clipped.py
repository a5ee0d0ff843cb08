"""A denoiser whose estimate of the data stays in the data's range."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.typing import Batch, Condition, Key, Time


class Clipped(Denoiser):
    """D cut to [low, high], and the other conventions from that D. ``Clipped.of(model)`` makes it.

    What DDPM's and ADM's samplers do at every step (Ho et al. 2020, its code; ADM's ``clip_denoised``).
    """

    model: Any
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise InputError("Clipped.high", self.high, f"more than low = {self.low!r}")

    @classmethod
    def of(cls, model: Denoiser, low: float = -1.0, high: float = 1.0) -> Clipped:
        """``model`` with its estimates of the data cut, over the same SDE."""
        return cls(sde=model.sde, model=model, low=low, high=high)

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x], cut."""
        return jnp.clip(self.model(x, t, cond, key=key), self.low, self.high)

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation."""
        return self._cut(self.model.estimate(x, t, cond, key=key), t)

    def estimate_with_range(
        self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None
    ) -> tuple[Estimate, Batch]:
        """As ``LearnedRange``'s, of a model that has one."""
        estimate, share = self.model.estimate_with_range(x, t, cond, key=key)
        return self._cut(estimate, t), share

    def _cut(self, estimate: Estimate, t: Time) -> Estimate:
        """Adds what the cut takes from D, so that nothing is divided by sigma = 0 where it takes nothing."""
        x = estimate.denoised
        change = jnp.clip(x, self.low, self.high) - x
        alpha, sigma = expand(self.sde.alpha(t), x), expand(self.sde.sigma(t), x)
        cut = change != 0
        ratio = jnp.where(cut, alpha / jnp.where(sigma > 0, sigma, 1), 0)
        alpha_rate, sigma_rate = expand(self.sde.alpha_rate(t), x), expand(self.sde.sigma_rate(t), x)
        rate = jnp.where(cut, alpha_rate - sigma_rate * ratio, 0)
        return Estimate(
            x + change,
            estimate.noise - ratio * change,
            estimate.score + jnp.where(cut, ratio / jnp.where(sigma > 0, sigma, 1), 0) * change,
            estimate.velocity + rate * change,
        )

"""A model that was trained on noisy data as if they were clean, as a denoiser of the clean data."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand, per_example
from score_sde.denoisers.base import Denoiser
from score_sde.sdes.checks import require_positive
from score_sde.typing import Batch, Condition, Key, Time


class FromNoisy(Denoiser):
    """E[x_0 | x_t] from a score of y = x_0 + std z alone, where sigma / alpha >= std; ``FromNoisy.of``.

    u = x_t / alpha has noise r = sigma / alpha, which is y with noise s = sqrt(r^2 - std^2) added. A model of
    the noisy data knows the score of u at its own time of ratio s, and E[x_0 | u] = u + r^2 grad log p(u)
    (Tweedie; Kim and Ye 2021, "Noise2Score", here at every noise level). Its training is any that there is,
    on y.

    Attributes:
        model: of the noisy data, trained as if they were clean.
        std: of their noise, in model space.
        least: s is raised to this where the score of a network would be 0 / 0: at r = std itself, and below,
            where nothing is known. The score then is that of u with so little noise more.
    """

    model: Any
    std: float
    least: float

    def __post_init__(self) -> None:
        require_positive("FromNoisy.std", self.std)
        require_positive("FromNoisy.least", self.least)

    @classmethod
    def of(cls, model: Denoiser, std: float, least: float | None = None) -> FromNoisy:
        """The denoiser of clean data; ``least`` is a tenth of ``std`` if it is not given."""
        return cls(sde=model.sde, model=model, std=std, least=0.1 * std if least is None else least)

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """u + r^2 grad log p(u)."""
        t = per_example(t, x)
        alpha, variance = self.sde.alpha(t), self.sde.variance(t)
        total = variance / jnp.square(alpha)
        added = jnp.maximum(total - self.std**2, self.least**2)
        own = self.sde.time_at_log_snr(-jnp.log(added))
        scale = self.sde.alpha(own)
        u = x / expand(alpha, x)
        score = self.model.score(expand(scale, x) * u, own, cond, key=key)  # of the model's state, alpha u
        return u + expand(total * scale, x) * score

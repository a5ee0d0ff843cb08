"""Guidance at some noise levels only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.checks import require_same_process
from score_sde.typing import Array, Batch, Condition, Key, Time


class LimitedInterval(Guided):
    """``guided`` where low < sigma / alpha <= high, ``plain`` elsewhere. ``LimitedInterval.of`` makes it.

    Kynkaanniemi et al. 2024, whose sigma is the ratio sigma / alpha for every process. At high noise
    guidance costs diversity, at low noise it changes nothing. At a time that all examples share, as in
    samplers, only the one that counts is evaluated.

    Attributes:
        guided: any guided model.
        plain: what stands in its place outside, as a rule the conditional model that it was made of.
        low: bound of sigma / alpha, itself outside.
        high: bound of sigma / alpha, itself inside; infinity for none.
    """

    guided: Any
    plain: Any
    low: Array | float
    high: Array | float

    def __post_init__(self) -> None:
        known = not any(isinstance(bound, jax.core.Tracer) for bound in (self.low, self.high))
        if known and not (0 <= self.low < self.high):
            expected = f"more than low = {self.low!r}, which is at least 0"
            raise InputError("LimitedInterval.high", self.high, expected, "both are values of sigma / alpha")
        require_same_process("LimitedInterval.guided", self.guided, self.plain)

    @classmethod
    def of(
        cls, guided: Denoiser, plain: Denoiser, low: Array | float, high: Array | float
    ) -> LimitedInterval:
        """``guided`` in the interval and ``plain`` outside, over the same SDE."""
        return cls(sde=plain.sde, guided=guided, plain=plain, low=low, high=high)

    @classmethod
    def around(
        cls,
        model: Denoiser,
        guidance: Callable[..., Denoiser],
        low: Array | float,
        high: Array | float,
    ) -> LimitedInterval:
        """guidance(model) in the interval and ``model`` outside: as a configuration needs it.

        ``change=bind(LimitedInterval.around, guidance=bind(ClassifierFree.of, scale=3.0), low=0.3,
        high=5.0)``
        """
        return cls.of(guidance(model), model, low, high)

    def inside(self, t: Time) -> Array:
        """Whether guidance is on, with the shape of ``t``; at alpha = 0 where there is no upper bound."""
        alpha, sigma = self.sde.alpha(t), self.sde.sigma(t)
        # Products, since alpha may be 0; infinity times 0 is to be no bound.
        above = jnp.where(jnp.isinf(self.high), True, sigma <= self.high * alpha)
        return (sigma > self.low * alpha) & above

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """The estimate of the one or the other."""
        inside = self.inside(t)

        def ask(model: Denoiser) -> tuple[Estimate, Any]:
            found = look(model, x, t, cond, key)
            return jax.tree.map(lambda values: values.astype(x.dtype), found)

        if jnp.ndim(inside) == 0:
            return jax.lax.cond(inside, lambda: ask(self.guided), lambda: ask(self.plain))
        return jax.tree.map(
            lambda a, b: jnp.where(expand(inside, a), a, b), ask(self.guided), ask(self.plain)
        )

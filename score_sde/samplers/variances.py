"""How much noise an ancestral step adds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, cast

import jax.numpy as jnp

from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch, Condition


class StepVariance(Pytree, ABC):
    """The variance of p(x_s | x_t), found together with the estimate of the data."""

    @abstractmethod
    def __call__(
        self, denoiser: Denoiser, x: Batch, t: Array, s: Array, least: Array, cond: Condition
    ) -> tuple[Batch, Array]:
        """D(x, t), and the variance, one for all or of the shape of x.

        ``least`` is the bridge's variance, or in a step to sigma(s) = 0 that of the step before: chains
        are said to end so, and guidance that scales with the variance asks for it.
        """


class BridgeVariance(StepVariance):
    """That of x_s given x_t and x_0: the least it can be (Ho et al. 2020, eq. 7, beta-tilde)."""

    def __call__(
        self, denoiser: Denoiser, x: Batch, t: Array, s: Array, least: Array, cond: Condition
    ) -> tuple[Batch, Array]:
        """D, and the variance of the bridge."""
        del least
        return denoiser(x, t, cond), jnp.square(denoiser.sde.bridge(t, s).std)


class TransitionVariance(StepVariance):
    """That of x_t given x_s: the most it can be for data of variance one (Ho et al. 2020, section 3.2)."""

    def __call__(
        self, denoiser: Denoiser, x: Batch, t: Array, s: Array, least: Array, cond: Condition
    ) -> tuple[Batch, Array]:
        """D, and the variance of the transition; ``least`` in the step to sigma(s) = 0."""
        most = jnp.square(denoiser.sde.transition(t, s).std)
        return denoiser(x, t, cond), jnp.where(denoiser.sde.has_score(s), most, least)


class LearnedVariance(StepVariance):
    """exp(v log most + (1 - v) log least) with v from the network (Nichol and Dhariwal 2021, eq. 15).

    ``most`` is the transition's variance, ``least`` the bridge's; the model is a ``LearnedRange``.
    """

    def __call__(
        self, denoiser: Denoiser, x: Batch, t: Array, s: Array, least: Array, cond: Condition
    ) -> tuple[Batch, Array]:
        """D, and the variance of each value of x."""
        if not hasattr(denoiser, "estimate_with_range"):
            expected = "a LearnedRange, or a model made of one"
            raise InputError("LearnedVariance for model", type(denoiser).__name__, expected)
        estimate, share = cast(Any, denoiser).estimate_with_range(x, t, cond)
        most = jnp.square(denoiser.sde.transition(t, s).std)
        least = jnp.where(least > 0, least, most)  # a single step to sigma(s) = 0 has no step before
        return estimate.denoised, jnp.exp(share * jnp.log(most) + (1 - share) * jnp.log(least))

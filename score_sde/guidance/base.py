"""What guidance is: a denoiser made of denoisers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

from score_sde.denoisers.base import Denoiser, Estimate
from score_sde.errors import InputError
from score_sde.typing import Batch, Condition, Key, Time

Look = Callable[..., tuple[Estimate, Any]]  # (model, x, t, cond, key): its estimate, and what comes with it


class Guided(Denoiser):
    """A denoiser that changes the estimates of one or several others; guidance nests.

    A subclass writes ``guide`` and a constructor ``of(model, ...)``. What it is given as ``look`` evaluates
    a model, together with the variances of a ``LearnedRange`` where a sampler asks for them.
    """

    @abstractmethod
    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
        """The guided estimate, and what came with the one that is guided."""

    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """The guided E[x_0 | x_t = x]."""
        return self.estimate(x, t, cond, key=key).denoised

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions."""
        return self.guide(_alone, x, t, cond, key)[0]

    def estimate_with_range(
        self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None
    ) -> tuple[Estimate, Batch]:
        """As ``LearnedRange``'s: the guided estimate, and the share that the guided model learnt."""
        return self.guide(_with_range, x, t, cond, key)


def _alone(model: Denoiser, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
    return model.estimate(x, t, cond, key=key), ()


def _with_range(model: Any, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Estimate, Any]:
    if not hasattr(model, "estimate_with_range"):
        expected = "a LearnedRange, or a model made of one"
        raise InputError("LearnedVariance for model", type(model).__name__, expected)
    return model.estimate_with_range(x, t, cond, key=key)

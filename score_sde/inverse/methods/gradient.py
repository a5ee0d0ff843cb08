"""Methods that know how log p(y | x_t) changes with x_t, nearly, and add it to the score."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from score_sde.denoisers.base import Denoiser
from score_sde.guidance.base import Guided, Look
from score_sde.guidance.shifts import shift_score
from score_sde.inverse.base import GuidedMethod, Measurement
from score_sde.inverse.default_sampler import GUIDED_SAMPLER
from score_sde.samplers.base import Sampling
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Batch, Condition, Key, Time


class Local(NamedTuple):
    """What a denoiser tells of p(x_0 | x_t) at one x_t."""

    sde: GaussianSDE
    t: Time
    mean: Batch  # D
    pullback: Callable[[Batch], Batch]  # J^T times an image, J = d D / d x_t


def look_around(
    denoise: Callable[[Batch], tuple[Batch, Any]], sde: GaussianSDE, t: Time, x: Batch
) -> tuple[Local, Any]:
    """What is known at x_t = x, and what ``denoise`` gives beside D, from one evaluation."""
    mean, transpose, rest = jax.vjp(denoise, x, has_aux=True)
    return Local(sde, t, mean, lambda v: transpose(v)[0]), rest


class GradientMethod(GuidedMethod):
    """p(y | x_t) as a normal law about A(D): a subclass writes ``pull``.

    grad log p_t(x | y) = grad log p_t(x) + J^T u with u = ``pull`` and J the Jacobian of D; that the normal
    law's covariance also changes with x_t is left out, as in all papers here. One evaluation and its
    transpose a step. Guidance may be inside, as in ``guided(ClassifierFree.of(...), ...)``, or outside.
    Where alpha = 0 nothing is added: x_t then carries nothing of x_0.
    """

    sampler: Sampling = GUIDED_SAMPLER

    @abstractmethod
    def pull(self, measurement: Measurement, local: Local) -> Batch:
        """The gradient of log p(y | x_t) by D, of the shape of x."""

    def check(self, measurement: Measurement) -> None:
        """Raise InputError where the method cannot serve this operator or noise."""
        del measurement

    def guided(self, model: Denoiser, measurement: Measurement) -> Denoiser:
        """E[x_0 | x_t, y], as the method approximates it."""
        self.check(measurement)
        return Conditioned(sde=model.sde, model=model, measurement=measurement, method=self)


class Conditioned(Guided):
    """A model whose score has J^T ``method.pull`` added to it."""

    model: Any
    measurement: Measurement
    method: Any

    def guide(self, look: Look, x: Batch, t: Time, cond: Condition, key: Key | None) -> tuple[Any, Any]:
        """The estimate given y, from one evaluation and its transpose."""

        def denoise(x: Batch) -> tuple[Batch, Any]:
            found = look(self.model, x, t, cond, key)
            return found[0].denoised, found

        local, (estimate, rest) = look_around(denoise, self.model.sde, t, x)
        change = local.pullback(self.method.pull(self.measurement, local))
        return shift_score(self.model.sde, t, estimate, change), rest

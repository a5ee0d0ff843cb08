"""What a training objective is, and its parts: times, weights, and ways to reach time t."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

from score_sde.pytree import Pytree
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time

Loss = Callable[[Key, Any, Batch, Condition], PerExample]  # (key, model, x0, cond): as an objective is called


class Objective(Pytree, ABC):
    """A loss per example whose minimiser over models is the score, or a map that the score determines."""

    @abstractmethod
    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example of the clean batch ``x0``; random times and noise come from ``key``."""

    def at_update(self, count: Array, average: Any) -> Loss:
        """The loss of the update after ``count`` others, where ``average`` is the averaged model.

        The same loss throughout, unless a subclass has a schedule or learns from the average.
        """
        del count, average
        return self


class Weighting(Pytree, ABC):
    """A convention for the residual and its factor, chosen together so that 0 * inf cannot occur."""

    @abstractmethod
    def residual(
        self,
        model: Any,
        x: Batch,
        t: PerExample,
        x0: Batch,
        z: Batch,
        cond: Condition = None,
        key: Key | None = None,
    ) -> Batch:
        """Prediction minus target at x = alpha x_0 + sigma z, in this weighting's convention."""

    @abstractmethod
    def __call__(self, sde: Any, t: Time) -> Array:
        """Factor of the squared residual where times are uniform, with the shape of ``t``."""

    def per_log_snr(self, sde: GaussianSDE, t: Time) -> Array:
        """The factor where log-SNRs are uniform: this one's over -d log SNR / dt = g^2 / sigma^2."""
        return self(sde, t) * sde.variance(t) / sde.squared_diffusion(t)


class Times(Pytree, ABC):
    """The law of the times that an objective is evaluated at."""

    @abstractmethod
    def __call__(self, key: Key, sde: Any, n: int) -> PerExample:
        """``n`` times, each with this law."""

    def factor(self, weight: Weighting, sde: Any, t: Time) -> Array:
        """Factor of the squared residual at times that this law drew.

        ``weight(sde, t)`` where the law is part of the objective, as in EDM. An importance law
        instead divides by its density, so that the objective is that of uniform times.
        """
        return weight(sde, t)


class Uniforms(Pytree, ABC):
    """How a batch of numbers in (0, 1) is drawn, each uniform by itself."""

    @abstractmethod
    def __call__(self, key: Key, n: int) -> Array:
        """``n`` numbers strictly between 0 and 1."""


class Perturbation(Pytree, ABC):
    """A way to draw x_t given x_0."""

    @abstractmethod
    def __call__(self, key: Key, sde: Any, x0: Batch, t: PerExample) -> Batch:
        """x_t of each example at its own time."""


class Distance(Pytree, ABC):
    """How far two batches are apart, for each example."""

    @abstractmethod
    def __call__(self, x: Batch, y: Batch) -> PerExample:
        """0 where they are equal, else positive."""


class Pair(NamedTuple):
    """Neighbouring times s < t of each example, and by how much sigma / alpha grows in between."""

    t: PerExample
    s: PerExample
    gap: PerExample


class AdjacentTimes(Pytree, ABC):
    """A law of neighbours in a grid of times, which may grow finer as training goes on."""

    @abstractmethod
    def __call__(self, key: Key, sde: Any, n: int, count: Array | None = None) -> Pair:
        """``n`` pairs at the update after ``count`` others; None for the grid at the end of training."""

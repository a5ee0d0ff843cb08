"""The discrete-time losses of DDPM and SMLD as they were published, for configs that were trained so."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.arrays import expand
from score_sde.denoisers.discrete import ddpm_tables, require_steps, smld_sigma
from score_sde.objectives.base import Objective
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Level(NamedTuple):
    """One of N noise levels: x = scale x_0 + std z, met by the model at time t."""

    t: Array
    scale: Array
    std: Array


class DiscreteLoss(Objective):
    """E |std score(x, t) + z|^2 at labels drawn uniformly from 0..N-1."""

    steps: int = static(1000)
    reduction: Callable[[Batch], PerExample] = static(arrays.mean_per_example)

    def __post_init__(self) -> None:
        require_steps(f"{type(self).__name__}.steps", self.steps)

    @abstractmethod
    def level(self, sde: GaussianSDE, label: Array) -> Level:
        """The noise level of each label."""

    def __call__(self, key: Key, model: Any, x0: Batch, cond: Condition = None) -> PerExample:
        """Loss of each example at one random label with one draw of noise."""
        label_key, noise_key, model_key = jax.random.split(key, 3)
        label = jax.random.randint(label_key, x0.shape[:1], 0, self.steps)
        return self.at(model, x0, label, arrays.normal_like(noise_key, x0), cond, key=model_key)

    def at(
        self,
        model: Any,
        x0: Batch,
        label: Array,
        z: Batch,
        cond: Condition = None,
        *,
        key: Key | None = None,
    ) -> PerExample:
        """Loss of each example at given labels and noise."""
        t, scale, std = (part.astype(x0.dtype) for part in self.level(model.sde, label))
        x = expand(scale, x0) * x0 + expand(std, x0) * z
        return self.reduction(jnp.square(expand(std, x0) * model.score(x, t, cond, key=key) + z))


class DDPMLoss(DiscreteLoss):
    """|noise - z|^2 at t = T label / (N - 1), x = sqrt(prod(1 - beta)) x_0 + sqrt(1 - prod(1 - beta)) z.

    For the VP SDE with ``denoisers.DDPMPrecondition`` of as many steps (Ho et al. 2020, eq. 14).
    """

    def level(self, sde: GaussianSDE, label: Array) -> Level:
        """Read off DDPM's tables; label 0 is the smallest noise."""
        scales, stds = ddpm_tables(sde, self.steps)
        return Level(sde.T * (label / (self.steps - 1)), scales[label], stds[label])


class SMLDLoss(DiscreteLoss):
    """sigma^2 |score + z / sigma|^2 at one of N noise levels, x = x_0 + sigma z; label 0 is the largest.

    For the VE SDE with ``denoisers.SMLDPrecondition`` of as many steps (Song and Ermon 2019, eq. 6;
    half the sum over dimensions, as published).
    """

    reduction: Callable[[Batch], PerExample] = static(arrays.half_sum_per_example)

    def level(self, sde: GaussianSDE, label: Array) -> Level:
        """sigma(T (1 - label / (N - 1)))."""
        sigma = smld_sigma(sde, self.steps, label)
        return Level(sde.T * (1 - label / (self.steps - 1)), jnp.ones_like(sigma), sigma)

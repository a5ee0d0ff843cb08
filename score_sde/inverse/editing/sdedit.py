"""Editing by noise: a rough picture becomes a likely one."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde import arrays
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.inverse.methods.replacement import replaced
from score_sde.inverse.spectral.base import Seen
from score_sde.pytree import Pytree
from score_sde.samplers.base import Sampling
from score_sde.samplers.checks import floating, require_gaussian
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key


class SDEdit(Pytree):
    """x_t0 = alpha x_guide + sigma z, and then the sampler from t0 (Meng et al. 2022, algorithms 1 and 4).

    The later t0, the likelier the result and the less is left of the guide (the paper takes 0.3 to 0.6 T).
    Not a sample of p(x_0): with data N(m, C) and an exact sampler x_0 ~ N(m + alpha K (x_guide - m),
    C - alpha K C + sigma^2 K K^T), K = alpha C (alpha^2 C + sigma^2)^-1.

    Attributes:
        sampler: what draws; a ``Sampler`` where there is a measurement.
        t0: the time to begin at, in (0, T].
    """

    sampler: Sampling = SAMPLER
    t0: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.t0, jax.core.Tracer) and not self.t0 > 0:
            raise InputError("SDEdit.t0", self.t0, "a time above 0", "at 0 nothing is edited")

    def __call__(
        self,
        key: Key,
        model: ScoreModel,
        guide: Batch,
        cond: Condition = None,
        keep: Measurement | None = None,
    ) -> Batch:
        """Edited ``guide`` (batch, *event).

        ``keep`` says what is to stay: Measurement(y=mask(guide), operator=mask, noise=GaussianNoise(std=0))
        with a ``Mask`` of the pixels not to be edited (the paper's algorithms 3 and 5), or any measurement
        that ``Replacement`` can serve.
        """
        sde = require_gaussian("SDEdit", model.sde)
        if not isinstance(self.t0, jax.core.Tracer) and self.t0 > sde.T:
            raise InputError("SDEdit.t0", self.t0, f"a time of at most T = {sde.T}")
        t0 = floating(self.t0)
        noise_key, key = jax.random.split(key)
        if keep is None:
            x, sampler = _noised(noise_key, sde, guide, t0, None), self.sampler
        else:
            seen = Seen.of("SDEdit", keep)
            x, sampler = _noised(noise_key, sde, guide, t0, seen), replaced(self._stepping(), seen)
        return sampler(key, model, guide.shape, cond, x=x, t=t0)

    def _stepping(self) -> Any:
        if not hasattr(self.sampler, "predictor"):
            found = type(self.sampler).__name__
            raise InputError("SDEdit.sampler", found, "a Sampler, where something is kept")
        return self.sampler


@jax.jit
def _noised(key: Key, sde: GaussianSDE, guide: Batch, t: Array, seen: Seen | None) -> Batch:
    noise_key, put_key = jax.random.split(key)
    alpha, sigma = (jnp.asarray(value, guide.dtype) for value in (sde.alpha(t), sde.sigma(t)))
    x = alpha * guide + sigma * arrays.normal_like(noise_key, guide)
    return x if seen is None else seen.put(put_key, x, x, sde, t)[0]

"""Norms of the score at several noise levels, and how unusual they are together."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.anomaly.base import AnomalyScore, time_of
from score_sde.anomaly.batches import in_batches
from score_sde.anomaly.norm_densities import MixtureOfNormals, NormDensity
from score_sde.arrays import norm_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array, Batch, Key, PerExample


class ScoreNorms(Pytree):
    """sigma |grad log p_sigma(x)| at several sigmas, with p_sigma the law of x_0 + sigma z.

    Noise is in units of the data. This is |E[z | x_t = alpha x]|, the norm of the noise that the model sees
    in a clean example. For N(m, C) it is sigma |(C + sigma^2 I)^-1 (x - m)|.

    Attributes:
        sigmas: noise levels, ascending.
    """

    sigmas: tuple[float, ...] = static((0.1, 0.2, 0.4, 0.8, 1.6, 3.2))

    def __post_init__(self) -> None:
        if not self.sigmas or min(self.sigmas) <= 0 or np.any(np.diff(self.sigmas) <= 0):
            raise InputError("ScoreNorms.sigmas", self.sigmas, "ascending positive numbers", "sort them")

    def __call__(self, model: Denoiser, x: Batch, key: Key) -> Array:
        """(batch, levels)."""
        del key

        def norm(sigma: Array) -> PerExample:
            t = time_of(model.sde, sigma)
            return norm_per_example(model.noise(model.sde.alpha(t) * x, t))

        return jax.lax.map(norm, jnp.asarray(self.sigmas, x.dtype)).T


class MultiscaleScoreNorms(AnomalyScore):
    """How unusual the score norms of an example are, by a density fitted to those of training data (MSMA).

    Mahmood et al. 2021. Norms at neighbouring levels say nearly the same, so that the density is mostly that
    of how they differ, and small norms are as unusual as large ones: where one norm alone tells anomalies
    well, the density of several may tell them worse.

    Attributes:
        norms: at which noise levels.
        density: ``MixtureOfNormals`` or ``NearestRows``.
    """

    norms: ScoreNorms = ScoreNorms()
    density: NormDensity = MixtureOfNormals()

    def __call__(self, model: Any, x: Batch, key: Key) -> PerExample:
        """What the density says."""
        return self.density(self.norms(model, x, key))

    def fitted(self, model: Any, x: Batch, key: Key) -> Any:
        """With the density fitted to the norms of ``x``."""
        return self.replace(density=self.density.fitted(in_batches(self.norms, model, x, key)))

"""The mixture benchmark of MCGDiff (Cardoso et al. 2024, section 4) as its authors' code draws it.

25 components N(m_ij, I) with m_ij = (8 i, 8 j, 8 i, 8 j, ...), i and j in -2 .. 2; weights squares of
standard normal numbers; A = U S V^T with U and V of a matrix of standard normal numbers, S uniform on [0, 1];
noise of standard deviation uniform on [0, max S]; y of a draw of the prior.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from score_sde.denoisers import IsotropicMixture
from score_sde.inverse import Measurement
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Dense
from score_sde.sdes import VP

# beta_max = 20 would leave alpha(T) |m| = 3 of the farthest mode's mean in x_T at d = 800.
SDE = VP(beta_max=40.0)


class Problem(NamedTuple):
    """A prior, a measurement of one of its draws, and that draw."""

    prior: IsotropicMixture
    measurement: Measurement
    truth: np.ndarray


def mixture(rng: np.random.Generator, dim: int) -> IsotropicMixture:
    """The prior; ``dim`` even."""
    means = [[8.0 * i, 8.0 * j] * (dim // 2) for i in range(-2, 3) for j in range(-2, 3)]
    return IsotropicMixture(sde=SDE, weights=rng.standard_normal(25) ** 2, means=np.array(means))


def make_problem(dim: int, measured: int, index: int) -> Problem:
    """Number ``index`` of the cell (dim, measured): the same on every machine."""
    rng = np.random.default_rng((dim, measured, index))
    prior = mixture(rng, dim)
    u, _, vh = np.linalg.svd(rng.standard_normal((measured, dim)), full_matrices=False)
    singular = np.sort(rng.uniform(size=measured))[::-1]
    std = rng.uniform() * singular[0]
    matrix = (u * singular) @ vh
    weights = np.asarray(prior.weights, np.float64)
    k = rng.choice(25, p=weights / weights.sum())
    truth = np.asarray(prior.means[k], np.float64) + rng.standard_normal(dim)
    y = matrix @ truth + std * rng.standard_normal(measured)
    operator, noise = Dense(matrix=matrix), GaussianNoise(std=jnp.float32(std))
    measurement = Measurement(y=jnp.asarray(y, jnp.float32)[None], operator=operator, noise=noise)
    return Problem(prior, measurement, truth)

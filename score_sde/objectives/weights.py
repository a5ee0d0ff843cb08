"""Weightings of denoising score matching, each in the convention where it is finite."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.objectives.base import Weighting
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class NoiseWeighting(Weighting):
    """Weights of the residual E[z | x_t] - z."""

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
        """model.noise - z."""
        del x0
        return model.noise(x, t, cond, key=key) - z


class DataWeighting(Weighting):
    """Weights of the residual E[x_0 | x_t] - x_0."""

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
        """Model - x_0."""
        del z
        return model(x, t, cond, key=key) - x0


class ScoreWeighting(Weighting):
    """Weights of the residual score + z / sigma; also those of sliced and implicit score matching."""

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
        """model.score + z / sigma."""
        del x0
        return model.score(x, t, cond, key=key) + z / expand(model.sde.sigma(t), z)


class SigmaSquared(NoiseWeighting):
    """sigma^2 on the score, 1 on the noise (Song et al. 2021, section 3.3; Ho et al. 2020, eq. 14)."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """1."""
        return jnp.ones_like(sde.sigma(t))


class LikelihoodWeighting(NoiseWeighting):
    """g^2 on the score, g^2 / sigma^2 = -d log SNR / dt on the noise: a bound on the likelihood.

    Song et al. 2021, "Maximum likelihood training of score-based diffusion models", theorem 1. Its
    variance is bounded with ``LikelihoodImportance`` times, where the factor is constant.
    """

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """g^2 / sigma^2."""
        return sde.squared_diffusion(t) / sde.variance(t)

    def per_log_snr(self, sde: GaussianSDE, t: Time) -> Array:
        """1."""
        return jnp.ones_like(sde.sigma(t))


class MinSNR(NoiseWeighting):
    """min(SNR, gamma) on the data, min(1, gamma / SNR) on the noise (Hang et al. 2023)."""

    gamma: float = 5.0

    def __post_init__(self) -> None:
        require_positive("MinSNR.gamma", self.gamma)

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """min(1, gamma / SNR)."""
        return jnp.minimum(1.0, self.gamma * jnp.exp(-sde.log_snr(t)))


class DataSquared(DataWeighting):
    """1 on the data residual."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """1."""
        return jnp.ones_like(sde.sigma(t))


class TruncatedSNR(DataWeighting):
    """max(SNR, 1) on the data: the larger of the squares of data and noise (Salimans and Ho 2022, section 4).

    Infinite where sigma = 0.
    """

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """max(alpha^2 / sigma^2, 1)."""
        return jnp.maximum(jnp.square(sde.alpha(t)) / sde.variance(t), 1.0)


class EDMWeighting(DataWeighting):
    """1 / c_out^2 of the EDM preconditioning on the data residual (Karras et al. 2022, table 1).

    (sigma^2 + alpha^2 sd^2) / (sigma sd)^2 with the standard deviation sd of the data.
    """

    sigma_data: float = 0.5

    def __post_init__(self) -> None:
        require_positive("EDMWeighting.sigma_data", self.sigma_data)

    def __call__(self, sde: GaussianSDE, t: Time) -> Array:
        """1 / sd^2 + alpha^2 / sigma^2."""
        return 1 / jnp.square(self.sigma_data) + jnp.square(sde.alpha(t)) / sde.variance(t)


class FlowMatching(Weighting):
    """1 on the residual of the velocity (Lipman et al. 2023, eq. 9; Liu et al. 2023, eq. 1)."""

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
        """model.velocity - (alpha' x_0 + sigma' z)."""
        target = expand(model.sde.alpha_rate(t), z) * x0 + expand(model.sde.sigma_rate(t), z) * z
        return model.velocity(x, t, cond, key=key) - target

    def __call__(self, sde: Any, t: Time) -> Array:
        """1."""
        return jnp.ones_like(sde.sigma(t))


class SquaredDiffusion(ScoreWeighting):
    """g^2 on the score: the likelihood's weight, also for processes without a closed kernel."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """g^2."""
        return jnp.square(sde.diffusion(t))

    def per_log_snr(self, sde: GaussianSDE, t: Time) -> Array:
        """sigma^2."""
        return sde.variance(t)


class Unweighted(ScoreWeighting):
    """1 on the score: as in score matching of a single law (Hyvarinen 2005)."""

    def __call__(self, sde: Any, t: Time) -> Array:
        """1."""
        return jnp.ones_like(t)

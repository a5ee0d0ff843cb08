"""What samplers, likelihoods and guidance are given: a score, usually from a denoiser."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.pytree import Pytree
from score_sde.sdes.base import SDE, GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, Time


class ScoreModel(Pytree, ABC):
    """A score for a forward SDE: all that a process without a closed kernel can have."""

    sde: SDE

    @abstractmethod
    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """grad_x log p_t(x). ``key=None`` means deterministic (no dropout)."""

    def velocity(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """Drift of the probability-flow ODE, f - g^2 score / 2 (Song et al. 2021, eq. 13)."""
        return self.reverse_drift(x, t, cond, churn=0.0, key=key)

    def reverse_drift(
        self,
        x: Batch,
        t: Time,
        cond: Condition = None,
        *,
        churn: Array | float = 1.0,
        key: Key | None = None,
    ) -> Batch:
        """Drift of the reverse family, f - (1 + churn^2) g^2 score / 2, whose noise is churn * g.

        churn 0 is the probability-flow ODE, 1 the reverse SDE (Song et al. 2021, eq. 6); time runs
        backwards, so a step from t to s < t adds (s - t) times this.
        """
        score = self.score(x, t, cond, key=key)
        weight = 0.5 * (1 + jnp.square(churn)) * jnp.square(self.sde.diffusion(t))
        return self.sde.drift(x, t) - expand(weight, x) * score


class Estimate(NamedTuple):
    """One evaluation of a denoiser, seen in every convention of the field."""

    denoised: Batch  # E[x_0 | x_t]
    noise: Batch  # E[z | x_t] where x_t = alpha x_0 + sigma z
    score: Batch  # grad_x log p_t = -noise / sigma
    velocity: Batch  # E[d x_t / dt | x_t] = alpha' denoised + sigma' noise: the probability-flow drift


class Denoiser(ScoreModel):
    """D(x, t) = E[x_0 | x_t = x] for a Gaussian SDE: the hub through which all conventions convert.

    A subclass writes ``__call__``. It may override ``estimate`` where it knows noise, score or
    velocity directly, which stays finite at end points where the conversion from D is 0/0.
    """

    sde: GaussianSDE

    @abstractmethod
    def __call__(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[x_0 | x_t = x]."""

    def estimate(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Estimate:
        """All conventions from one evaluation."""
        denoised = self(x, t, cond, key=key)
        noise = (x - expand(self.sde.alpha(t), x) * denoised) / expand(self.sde.sigma(t), x)
        return self.from_noise(t, denoised, noise)

    def from_noise(self, t: Time, denoised: Batch, noise: Batch) -> Estimate:
        """Complete an estimate from its denoised and noise parts."""
        score = -noise / expand(self.sde.sigma(t), noise)
        velocity = (
            expand(self.sde.alpha_rate(t), noise) * denoised + expand(self.sde.sigma_rate(t), noise) * noise
        )
        return Estimate(denoised, noise, score, velocity)

    def from_score(self, t: Time, denoised: Batch, score: Batch) -> Estimate:
        """Complete an estimate from its denoised and score parts; finite where sigma = 0."""
        noise = -expand(self.sde.sigma(t), score) * score
        velocity = (
            expand(self.sde.alpha_rate(t), score) * denoised
            - expand(0.5 * self.sde.variance_rate(t), score) * score
        )
        return Estimate(denoised, noise, score, velocity)

    def score(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """grad_x log p_t(x) = (alpha D - x) / sigma^2 (Tweedie)."""
        return self.estimate(x, t, cond, key=key).score

    def noise(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """E[z | x_t = x] = (x - alpha D) / sigma (Ho et al. 2020, eq. 11)."""
        return self.estimate(x, t, cond, key=key).noise

    def v(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """alpha E[z | x_t] - sigma E[x_0 | x_t] (Salimans and Ho 2022, section 4)."""
        denoised, noise, _, _ = self.estimate(x, t, cond, key=key)
        return expand(self.sde.alpha(t), x) * noise - expand(self.sde.sigma(t), x) * denoised

    def velocity(self, x: Batch, t: Time, cond: Condition = None, *, key: Key | None = None) -> Batch:
        """Probability-flow drift alpha' D + sigma' noise, finite also where f(t) is not."""
        return self.estimate(x, t, cond, key=key).velocity


class Labels(Pytree, ABC):
    """What a network is told about the time."""

    @abstractmethod
    def __call__(self, sde: Any, t: Time) -> Array:
        """Noise label c_noise, with the shape of ``t``."""


class Coefficients(NamedTuple):
    """D(x, t) = c_skip x + c_out F(c_in x, c_noise) (Karras et al. 2022, eq. 7)."""

    c_skip: Array
    c_out: Array
    c_in: Array
    c_noise: Array


class Affine(NamedTuple):
    """A quantity written as skip * x + out * F in the state and the network's output."""

    skip: Array
    out: Array


class Preconditioning(Pytree, ABC):
    """What a network's output F stands for, and how its input and time label are scaled.

    A subclass writes ``__call__``. The other conventions follow, but ``noise``, ``score`` and
    ``velocity`` should be overridden wherever a closed form avoids 0/0 or a cancellation.
    """

    @abstractmethod
    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """The coefficients of D at time t, each with the shape of ``t``."""

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """E[z | x_t] = (1 - alpha c_skip) / sigma x - alpha c_out / sigma F."""
        c_skip, c_out, _, _ = self(sde, t)
        alpha, sigma = sde.alpha(t), sde.sigma(t)
        return Affine((1 - alpha * c_skip) / sigma, -alpha * c_out / sigma)

    def score(self, sde: GaussianSDE, t: Time) -> Affine:
        """grad_x log p_t = -E[z | x_t] / sigma."""
        skip, out = self.noise(sde, t)
        return Affine(-skip / sde.sigma(t), -out / sde.sigma(t))

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """E[d x_t / dt | x_t] = alpha' D + sigma' E[z | x_t]."""
        c_skip, c_out, _, _ = self(sde, t)
        n_skip, n_out = self.noise(sde, t)
        alpha_rate, sigma_rate = sde.alpha_rate(t), sde.sigma_rate(t)
        return Affine(
            alpha_rate * c_skip + sigma_rate * n_skip,
            alpha_rate * c_out + sigma_rate * n_out,
        )

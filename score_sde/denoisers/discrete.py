"""Discrete-time networks as they were published: DDPM's and SMLD's labels and scales.

They reproduce checkpoints and configs that were trained at N integer times. New work trains in
continuous time.
"""

from __future__ import annotations

from abc import abstractmethod

import jax.numpy as jnp

from score_sde.denoisers.base import Affine, Coefficients, Preconditioning
from score_sde.errors import InputError
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Time


def ddpm_tables(sde: GaussianSDE, steps: int) -> tuple[Array, Array]:
    """Scale sqrt(prod(1 - beta)) and standard deviation sqrt(1 - prod(1 - beta)) at each of N steps.

    beta_i = g(t_i)^2 T / N at t_i = T i / (N - 1): for the VP SDE the linear schedule of Ho et al.
    2020. Needs g^2 T < N.
    """
    betas = sde.squared_diffusion(sde.T * jnp.linspace(0.0, 1.0, steps)) * (sde.T / steps)
    log_product = jnp.cumsum(jnp.log1p(-betas))
    return jnp.exp(0.5 * log_product), jnp.sqrt(-jnp.expm1(log_product))


def smld_sigma(sde: GaussianSDE, steps: int, label: Array) -> Array:
    """sigma at label 0 (the largest) to N - 1 (the smallest): sigma(T (1 - label / (N - 1)))."""
    return sde.sigma(sde.T * (1 - label / (steps - 1)))


def require_steps(where: str, steps: int) -> None:
    """Raise unless there are at least two noise levels."""
    if steps < 2:
        raise InputError(
            where, steps, "at least 2 noise levels", "give the number that the model was trained at"
        )


class DiscretePreconditioning(Preconditioning):
    """score = F / scale, where the scale is read off a table of N steps at the label."""

    steps: int = static(1000)

    def __post_init__(self) -> None:
        require_steps(f"{type(self).__name__}.steps", self.steps)

    @abstractmethod
    def label(self, sde: GaussianSDE, t: Time) -> Array:
        """What the network is told."""

    @abstractmethod
    def scale(self, sde: GaussianSDE, t: Time) -> Array:
        """F / score."""

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """D = (x + sigma^2 F / scale) / alpha, c_in = 1."""
        alpha = sde.alpha(t)
        out = sde.variance(t) / (self.scale(sde, t) * alpha)
        return Coefficients(1 / alpha, out, jnp.ones_like(alpha), self.label(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """-sigma F / scale."""
        sigma = sde.sigma(t)
        return Affine(jnp.zeros_like(sigma), -sigma / self.scale(sde, t))

    def score(self, sde: GaussianSDE, t: Time) -> Affine:
        """F / scale."""
        scale = self.scale(sde, t)
        return Affine(jnp.zeros_like(scale), 1 / scale)

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """f x - g^2 F / (2 scale)."""
        return Affine(sde.drift_rate(t), -0.5 * sde.squared_diffusion(t) / self.scale(sde, t))


class DDPMPrecondition(DiscretePreconditioning):
    """Noise prediction of a DDPM with N steps: label t (N - 1) / T, score = -F / std[floor(label)].

    For the VP SDE (Song et al. 2021, appendix C; its code's models without ``continuous``).
    """

    def label(self, sde: GaussianSDE, t: Time) -> Array:
        """(N - 1) t / T, not rounded."""
        return (jnp.asarray(t) / sde.T) * (self.steps - 1)

    def scale(self, sde: GaussianSDE, t: Time) -> Array:
        """-std[floor(label)]."""
        label = self.label(sde, t)
        # t = i / (N - 1) times N - 1 may round to just below i: forgive that much before the floor.
        slack = 2 * self.steps * jnp.finfo(label.dtype).eps
        _, stds = ddpm_tables(sde, self.steps)
        return -stds[jnp.floor(label + slack).astype(jnp.int32)].astype(label.dtype)


class SMLDPrecondition(DiscretePreconditioning):
    """Score times std of an NCSN with N noise levels, score = F / sigma_label.

    label = round((T - t) (N - 1) / T), for the VE SDE; label 0 is the largest noise (Song et al. 2021,
    its code's models without ``continuous``). The published networks divide by sigma themselves; here
    this class does.
    """

    def label(self, sde: GaussianSDE, t: Time) -> Array:
        """The nearest of N labels, as a float."""
        return jnp.round((sde.T - jnp.asarray(t)) / sde.T * (self.steps - 1))

    def scale(self, sde: GaussianSDE, t: Time) -> Array:
        """sigma at the label."""
        return smld_sigma(sde, self.steps, self.label(sde, t))


class SMLDScorePrecondition(SMLDPrecondition):
    """The score itself from an NCSN with N noise levels, score = F: the first NCSN (Song and Ermon 2019).

    Labels as ``SMLDPrecondition``'s; nothing is divided by sigma, which the network learns from the label.
    """

    def scale(self, sde: GaussianSDE, t: Time) -> Array:
        """1."""
        return jnp.ones_like(sde.sigma(t))

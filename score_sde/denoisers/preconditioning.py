"""What a network predicts, for every Gaussian SDE: score, noise, data, v, velocity, or EDM's mixture.

With x_t = alpha x_0 + sigma z, each class says what the network's output F estimates and gives the
coefficients of all conventions in forms that are finite wherever the parametrisation determines them.
"""

from __future__ import annotations

import jax.numpy as jnp

from score_sde.denoisers.base import Affine, Coefficients, Labels, Preconditioning
from score_sde.denoisers.labels import DataTimeLabels, LogSigmaLabels, SigmaLabels, TimeLabels
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_positive
from score_sde.typing import Array, Time


class ScoreTimesStd(Preconditioning):
    """F = sigma * score, so that the score is F / sigma (Song et al. 2021, VE models).

    The published networks divide by sigma themselves; here that division belongs to this class.
    D = (x + sigma F) / alpha has no meaning where alpha = 0.
    """

    labels: Labels = SigmaLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = 1 / alpha, c_out = sigma / alpha, c_in = 1."""
        alpha = sde.alpha(t)
        return Coefficients(1 / alpha, sde.sigma(t) / alpha, jnp.ones_like(alpha), self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """-F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero - 1)


class ScorePrediction(Preconditioning):
    """F = grad_x log p_t ("score" of SiT, Ma et al. 2024). D has no meaning where alpha = 0."""

    labels: Labels = TimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = 1 / alpha, c_out = sigma^2 / alpha, c_in = 1."""
        alpha = sde.alpha(t)
        return Coefficients(1 / alpha, sde.variance(t) / alpha, jnp.ones_like(alpha), self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """-sigma F."""
        sigma = sde.sigma(t)
        return Affine(0 * sigma, -sigma)

    def score(self, sde: GaussianSDE, t: Time) -> Affine:
        """F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero + 1)

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """f x - g^2 F / 2, with g^2 / 2 = (d sigma^2 / dt) / 2 - f sigma^2."""
        rate = sde.drift_rate(t)
        return Affine(rate, rate * sde.variance(t) - 0.5 * sde.variance_rate(t))


class NoisePrediction(Preconditioning):
    """F = E[z | x_t] (Ho et al. 2020, eq. 14; Song et al. 2021, VP and sub-VP models).

    D = (x - sigma F) / alpha has no meaning where alpha = 0, nor has the velocity.
    """

    labels: Labels = TimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = 1 / alpha, c_out = -sigma / alpha, c_in = 1."""
        alpha = sde.alpha(t)
        return Coefficients(1 / alpha, -sde.sigma(t) / alpha, jnp.ones_like(alpha), self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero + 1)


class DataPrediction(Preconditioning):
    """F = E[x_0 | x_t]. Noise, score and velocity have no meaning where sigma = 0."""

    labels: Labels = TimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = 0, c_out = 1, c_in = 1."""
        one = jnp.ones_like(sde.alpha(t))
        return Coefficients(0 * one, one, one, self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """(x - alpha F) / sigma."""
        sigma = sde.sigma(t)
        return Affine(1 / sigma, -sde.alpha(t) / sigma)


class VPrediction(Preconditioning):
    """F = E[v | x_t] with v = alpha z - sigma x_0 (Salimans and Ho 2022, section 4, for any scale).

    D and noise are finite on all of [0, T]; the score has no meaning where sigma = 0.
    """

    labels: Labels = TimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """D = (alpha x - sigma F) / (alpha^2 + sigma^2), c_in = 1."""
        alpha, sigma, power = sde.alpha(t), sde.sigma(t), _power(sde, t)
        return Coefficients(alpha / power, -sigma / power, jnp.ones_like(alpha), self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """(sigma x + alpha F) / (alpha^2 + sigma^2)."""
        power = _power(sde, t)
        return Affine(sde.sigma(t) / power, sde.alpha(t) / power)

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """((alpha alpha' + sigma sigma') x + (alpha sigma' - sigma alpha') F) / (alpha^2 + sigma^2)."""
        alpha, alpha_rate, power = sde.alpha(t), sde.alpha_rate(t), _power(sde, t)
        skip = alpha * alpha_rate + 0.5 * sde.variance_rate(t)
        return Affine(skip / power, (alpha * sde.sigma_rate(t) - sde.sigma(t) * alpha_rate) / power)


class VelocityPrediction(Preconditioning):
    """F = E[alpha' x_0 + sigma' z | x_t] (Liu et al. 2023, eq. 1; Lipman et al. 2023, eq. 9).

    D = (sigma' x - sigma F) / (alpha sigma' - sigma alpha'), where numerator and denominator are
    multiplied by 1 / (1 + |sigma'|), so that sigma' may be zero or infinite. The score has no
    meaning where both sigma and g are 0, as in rectified flow at t = 0.
    """

    labels: Labels = TimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """D = (sigma' x - sigma F) / (alpha sigma' - sigma alpha'), c_in = 1."""
        rate, unit, determinant = self._solve(sde, t)
        one = jnp.ones_like(rate)
        return Coefficients(rate / determinant, -sde.sigma(t) * unit / determinant, one, self.labels(sde, t))

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """(alpha F - alpha' x) / (alpha sigma' - sigma alpha')."""
        _, unit, determinant = self._solve(sde, t)
        return Affine(-sde.alpha_rate(t) * unit / determinant, sde.alpha(t) * unit / determinant)

    def score(self, sde: GaussianSDE, t: Time) -> Affine:
        """-noise / sigma with unit / sigma = 1 / (sigma + |d sigma^2/dt| / 2): finite where g is not 0."""
        _, _, determinant = self._solve(sde, t)
        divisor = (sde.sigma(t) + 0.5 * jnp.abs(sde.variance_rate(t))) * determinant
        return Affine(sde.alpha_rate(t) / divisor, -sde.alpha(t) / divisor)

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """F."""
        zero = jnp.zeros_like(sde.alpha(t))
        return Affine(zero, zero + 1)

    def _solve(self, sde: GaussianSDE, t: Time) -> tuple[Array, Array, Array]:
        """sigma', 1 and the determinant, all times 1 / (1 + |sigma'|)."""
        sigma_rate = sde.sigma_rate(t)
        unit = 1 / (1 + jnp.abs(sigma_rate))
        rate = jnp.where(jnp.isinf(sigma_rate), jnp.sign(sigma_rate), sigma_rate * unit)
        return rate, unit, sde.alpha(t) * rate - sde.sigma(t) * unit * sde.alpha_rate(t)


class DatawardVelocity(VelocityPrediction):
    """F = -E[alpha' x_0 + sigma' z | x_t]: the velocity by a clock that runs from noise to data, as SiT's."""

    labels: Labels = DataTimeLabels()

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """As ``VelocityPrediction`` with -F."""
        c_skip, c_out, c_in, c_noise = super().__call__(sde, t)
        return Coefficients(c_skip, -c_out, c_in, c_noise)

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """(-alpha F - alpha' x) / (alpha sigma' - sigma alpha')."""
        return _of_minus(super().noise(sde, t))

    def score(self, sde: GaussianSDE, t: Time) -> Affine:
        """-noise / sigma."""
        return _of_minus(super().score(sde, t))

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """-F."""
        return _of_minus(super().velocity(sde, t))


class EDMPrecondition(Preconditioning):
    """Input, output and target of unit variance for data of standard deviation ``sigma_data``.

    Karras et al. 2022, table 1 and appendix B.6, in sigma / alpha so that it fits every Gaussian SDE.
    D, noise and (where sigma' is finite) velocity are finite on all of [0, T].
    """

    sigma_data: float = 0.5
    labels: Labels = LogSigmaLabels()

    def __post_init__(self) -> None:
        require_positive("EDMPrecondition.sigma_data", self.sigma_data)

    def __call__(self, sde: GaussianSDE, t: Time) -> Coefficients:
        """c_skip = sd^2 alpha / w^2, c_out = sigma sd / w, c_in = 1 / w, w^2 = sigma^2 + alpha^2 sd^2."""
        alpha, width = sde.alpha(t), self._width(sde, t)
        return Coefficients(
            jnp.square(self.sigma_data / width) * alpha,
            sde.sigma(t) * self.sigma_data / width,
            1 / width,
            self.labels(sde, t),
        )

    def noise(self, sde: GaussianSDE, t: Time) -> Affine:
        """sigma / w^2 x - alpha sd / w F."""
        width = self._width(sde, t)
        return Affine(sde.sigma(t) / jnp.square(width), -sde.alpha(t) * self.sigma_data / width)

    def velocity(self, sde: GaussianSDE, t: Time) -> Affine:
        """(alpha alpha' sd^2 + sigma sigma') / w^2 x + (sigma alpha' - alpha sigma') sd / w F."""
        alpha, alpha_rate, width = sde.alpha(t), sde.alpha_rate(t), self._width(sde, t)
        skip = alpha * alpha_rate * jnp.square(self.sigma_data) + 0.5 * sde.variance_rate(t)
        out = sde.sigma(t) * alpha_rate - alpha * sde.sigma_rate(t)
        return Affine(skip / jnp.square(width), out * self.sigma_data / width)

    def _width(self, sde: GaussianSDE, t: Time) -> Array:
        return jnp.sqrt(sde.variance(t) + jnp.square(sde.alpha(t) * self.sigma_data))


def _of_minus(pair: Affine) -> Affine:
    return Affine(pair.skip, -pair.out)


def _power(sde: GaussianSDE, t: Time) -> Array:
    return jnp.square(sde.alpha(t)) + sde.variance(t)

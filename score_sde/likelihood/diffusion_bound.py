"""The evidence lower bound of a diffusion model in continuous time, and where its times are placed."""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.arrays import expand, flatten, normal_like, per_example, sum_per_example
from score_sde.errors import InputError
from score_sde.likelihood.base import Decoder, Density, LogProb, Spacing, standard_error
from score_sde.likelihood.draws import stacked
from score_sde.objectives.base import Uniforms
from score_sde.objectives.times import Stratified
from score_sde.pytree import static
from score_sde.sdes.base import GaussianSDE
from score_sde.sdes.checks import require_inside
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time


class EvenLogSNR(Spacing):
    """Even in log-SNR, over which the integrand of a bound is bounded: importance sampling of times.

    Attributes:
        low: smallest log-SNR. Where alpha(T) = 0 the range would be infinite; what lies beyond is
            at most |x - D|^2 exp(low) / 2, in nats.
    """

    low: float = -20.0

    def __call__(self, sde: GaussianSDE, start: Array, end: Array, u: Array) -> tuple[Array, Array]:
        """The time where log-SNR has fallen by a share u of its range."""
        high = sde.log_snr(start)
        low = jnp.maximum(sde.log_snr(end), self.low)
        times = jnp.clip(sde.time_at_log_snr(high + u * (low - high)), start, end)
        return times, jnp.broadcast_to(high - low, u.shape)


class EvenTime(Spacing):
    """Even in time, weighted by g^2 / sigma^2 = -d log SNR / dt."""

    def __call__(self, sde: GaussianSDE, start: Array, end: Array, u: Array) -> tuple[Array, Array]:
        """start + u (end - start)."""
        times = start + u * (end - start)
        return times, (end - start) * sde.squared_diffusion(times) / sde.variance(times)


class NormalDecoder(Decoder):
    """N(x; D(z, t), (sigma / alpha)^2 I): one step of denoising, for real-valued data.

    Song et al. 2021, "Maximum likelihood training of score-based diffusion models".
    """

    def log_prob(self, sde: GaussianSDE, x: Batch, z: Batch, noise: Batch, t: Time) -> PerExample:
        """-|x - D|^2 / (2 r^2) - d log(2 pi r^2) / 2, r = sigma / alpha, D = (z - sigma noise) / alpha."""
        alpha, sigma = expand(sde.alpha(t), x), expand(sde.sigma(t), x)
        residual = (alpha * x - z) / sigma + noise  # (x - D) / r as noises, which loses no digits
        log_norm = jnp.log(sigma / alpha) + 0.5 * math.log(2 * math.pi)
        return sum_per_example(-0.5 * jnp.square(residual) - log_norm)


class DiffusionBound(Density):
    """log p(x) >= E log p(x | z_start) - KL(q(z_T | x) | prior) - E (1/2) int |noise - z|^2 (-d log SNR).

    For the reverse SDE with this model's score, from the prior down to ``t_min``, then a decoder. With
    -d log SNR / dt = g^2 / sigma^2 this is the likelihood weighting g^2 on the score, and the bound of Song
    et al. 2021, "Maximum likelihood training of score-based diffusion models" with its prior and
    reconstruction terms, for every Gaussian SDE; and the continuous-time bound of Kingma et al. 2021,
    "Variational diffusion models", which depends on the SDE through the log-SNRs of its ends
    alone. It is an equality, at every x, where the score is that of the process that ends in the prior.

    Attributes:
        times: noise levels in one estimate, one from each of as many equal strata.
        draws: independent estimates of each example; a standard error takes two.
        t_min: time of the decoder, no less than the model was trained at; sigma must be positive there.
        spacing: how the times are spread.
        offsets: where in its stratum each example's times lie.
        decoder: of x given z at ``t_min``.
    """

    statement: ClassVar[str] = "lower bound on the log density of the reverse SDE"

    times: int = static(32)
    draws: int = static(2)
    t_min: float = 1e-5
    spacing: Spacing = EvenLogSNR()
    offsets: Uniforms = Stratified()
    decoder: Decoder = NormalDecoder()

    def __post_init__(self) -> None:
        for name in ("times", "draws"):
            if getattr(self, name) < 1:
                raise InputError(f"DiffusionBound.{name}", getattr(self, name), "at least 1", "raise it")

    def __call__(
        self, key: Key, model: Any, x: Batch, cond: Condition = None, *, model_key: Key | None = None
    ) -> LogProb:
        """The mean over ``draws`` estimates; parts: costs ``prior``, ``diffusion``, ``reconstruction``."""
        require_kernel("DiffusionBound", model)
        keys = jax.random.split(key, self.draws)
        costs = stacked(lambda i: self._costs(keys[i], model, x, cond, model_key), self.draws)
        nats = -sum(costs.values())
        parts = {name: jnp.mean(cost, axis=0) for name, cost in costs.items()}
        evaluations = jnp.full(x.shape[:1], self.draws * (self.times + 1))
        return LogProb(jnp.mean(nats, axis=0), standard_error(nats), evaluations, parts)

    def _costs(
        self, key: Key, model: Any, x: Batch, cond: Condition, model_key: Key | None
    ) -> dict[str, PerExample]:
        offset_key, noise_key, start_key = jax.random.split(key, 3)
        start, end = self.ends(model.sde, x)
        offsets = self.offsets(offset_key, len(x)).astype(x.dtype)

        def term(i: Array) -> PerExample:
            t, weight = self.spacing(model.sde, start, end, (i + offsets) / self.times)
            z = normal_like(jax.random.fold_in(noise_key, i), x)
            return 0.5 * weight * self.error(model, x, t, z, cond, model_key)

        return {
            "prior": prior_divergence(model.sde, x),
            "diffusion": jnp.mean(stacked(term, self.times), axis=0),
            "reconstruction": -self.decoded(model, x, start, normal_like(start_key, x), cond, model_key),
        }

    def ends(self, sde: GaussianSDE, x: Batch) -> tuple[Array, Array]:
        """``t_min`` and T, in the type of ``x``."""
        require_inside("DiffusionBound.t_min", self.t_min, sde)
        return jnp.asarray(self.t_min, x.dtype), jnp.asarray(sde.T, x.dtype)

    def error(
        self, model: Any, x: Batch, t: Time, z: Batch, cond: Condition = None, key: Key | None = None
    ) -> PerExample:
        """|noise - z|^2 of each example, noised to time t with z."""
        return sum_per_example(jnp.square(_noised(model, x, t, z, cond, key).noise - z))

    def decoded(
        self, model: Any, x: Batch, t: Time, z: Batch, cond: Condition = None, key: Key | None = None
    ) -> PerExample:
        """log p(x | x_t) of each example at x_t = alpha x + sigma z."""
        seen = _noised(model, x, t, z, cond, key)
        return self.decoder.log_prob(model.sde, x, seen.state, seen.noise, per_example(t, x))


class _Noised(NamedTuple):
    state: Batch
    noise: Batch  # as the model estimates it


def _noised(model: Any, x: Batch, t: Time, z: Batch, cond: Condition, key: Key | None) -> _Noised:
    t = per_example(t, x)
    state = expand(model.sde.alpha(t), x) * x + expand(model.sde.sigma(t), x) * z
    return _Noised(state, model.noise(state, t, cond, key=key))


def prior_divergence(sde: GaussianSDE, x: Batch) -> PerExample:
    """KL(N(alpha_T x, sigma_T^2 I) | N(0, s^2 I)) in nats, with s the standard deviation of the prior."""
    prior: Any = sde.prior(x.shape)
    end, scale = jnp.asarray(sde.T, x.dtype), jnp.square(jnp.asarray(prior.scale, x.dtype))
    ratio, rows = sde.variance(end) / scale, flatten(x)
    shift = jnp.square(sde.alpha(end)) * jnp.sum(jnp.square(rows), axis=1) / scale
    return 0.5 * (shift + rows.shape[1] * (ratio - 1 - jnp.log(ratio)))


def require_kernel(where: str, model: Any) -> None:
    """InputError for a model of a process without a closed kernel."""
    if not hasattr(model.sde, "log_snr"):
        expected = "a model of a Gaussian SDE (sdes.VP, VE, ...)"
        remedy = "a process without a closed kernel has ProbabilityFlow"
        raise InputError(f"{where}: sde of the model", type(model.sde).__name__, expected, remedy)

"""Monte Carlo guided diffusion: a particle filter in the basis where the operator sees single coordinates."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.arrays import flatten, normal_like, sum_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, require_spectral
from score_sde.inverse.particles.base import Cloud, ParticleFilter
from score_sde.typing import Array, Batch, Condition, Key, PerExample

ROUNDING = 1e-3  # a time that is tau_i but for rounding counts as tau_i


class Track(NamedTuple):
    """What is remembered of a particle."""

    log_value: PerExample  # log of its potential


class Sight(NamedTuple):
    """The measurement in the spectrum: x_0 = target + std * noise where it is seen."""

    target: Array
    std: Array
    seen: Array


class MCGDiff(ParticleFilter):
    """MCGDiff (Cardoso et al. 2024, section 2), for any Gaussian SDE, exact or noisy measurements.

    Their algorithm 1 is that of exact masks, section 2.1 takes it to other operators. In the basis V of
    A = U S V^T a measurement is x_0,i = (U^T y)_i / s_i + (noise / s_i) z: a coordinate of x_t at the time
    tau_i when sigma / alpha = noise / s_i. The coordinate follows the forward process of its
    target down to tau_i, by N(x_t,i; alpha target_i, |sigma^2 - alpha^2 noise^2 / s_i^2|), and is free from
    the first time of the grid not above tau_i on, where this is the likelihood of the target given x_t,i; the
    grid's nearest time is moved to tau_i. Steps are the best for these potentials. As particles grow the law
    is the posterior of this chain, and the evidence is right on average at any number of them; its tails are
    heavy where steps are few, since potentials are divided out again.
    """

    def check(self, model: Denoiser, measurement: Measurement) -> None:
        """Raise for an operator without a decomposition, or noise that is not of one strength.

        Also for an exact measurement with ``data_std`` = 0, whose last step has no noise to condition.
        """
        del model
        require_spectral("MCGDiff", measurement.operator)
        if not hasattr(measurement.noise, "std"):
            name = type(measurement.noise).__name__
            raise InputError("MCGDiff for noise", name, "GaussianNoise", "use TwistedSMC for others")
        std, spread = measurement.noise.std, self.data_std
        known = not isinstance(std, jax.core.Tracer) and not isinstance(spread, jax.core.Tracer)
        if known and np.asarray(std) == 0 and np.asarray(spread) == 0:
            raise InputError("MCGDiff.data_std", 0, "more than zero for exact measurements")

    def times(self, model: Denoiser, measurement: Measurement) -> Array:
        """The grid, with the time nearest to each tau_i moved there; of two taus nearest to one, one."""
        times, sde, sight = super().times(model, measurement), model.sde, _sight(measurement)
        wanted = jnp.where(sight.seen & (sight.std > 0), sight.std, 1).ravel()
        levels = -2 * jnp.log(wanted)
        gaps = jnp.abs(sde.log_snr(times[1:])[None] - levels[:, None])
        inside = (sight.seen & (sight.std > 0)).ravel() & (jnp.min(gaps, axis=1) < _reach(sde.log_snr(times)))
        place = jnp.where(inside, 1 + jnp.argmin(gaps, axis=1), times.shape[0])
        return times.at[place].set(sde.time_at_log_snr(levels).astype(times.dtype), mode="drop")

    def begin(
        self, model: Denoiser, measurement: Measurement, x: Batch, t: Array, cond: Condition
    ) -> tuple[Any, PerExample]:
        """The evidence's constants; potentials begin below T, but for what is noisier than x_T itself."""
        del cond
        sight = _sight(measurement)
        place, width = _potential(model, sight, t)
        passed = sight.seen & ~_ahead(model, sight, t)
        known = _log_density(measurement.operator.to_spectrum(x), place, width, passed)
        gain = known + _scale(model, t, passed) + _constant(measurement)
        return Track(jnp.zeros(x.shape[:1], x.dtype)), gain

    def move(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        cloud: Cloud,
        t: Array,
        s: Array,
        cond: Condition,
    ) -> tuple[Batch, Any, PerExample]:
        """A step that is drawn towards the targets of the coordinates not yet passed."""
        denoised = self.evaluated(lambda x, cond: model(x, t, cond), cloud.x, cond)
        kernel, operator, sight = self.kernel(model.sde, t, s), measurement.operator, _sight(measurement)
        mean = operator.to_spectrum(kernel.c_x * cloud.x + kernel.c_0 * denoised)
        active = _ahead(model, sight, t)
        passed = active & ~_ahead(model, sight, s)
        place, width = _potential(model, sight, s)
        # A potential narrower than the step would be divided out again with a variance without bound.
        width = width + jnp.where(passed, 0, kernel.variance)
        weight = jnp.where(active, kernel.variance / (kernel.variance + width), 0)
        noise = jnp.sqrt(kernel.variance * (1 - weight)) * normal_like(key, mean)
        z = mean + weight * (place - mean) + noise
        expected = _log_density(mean, place, kernel.variance + width, active)
        going = _log_density(z, place, width, active & ~passed)
        gain = expected - cloud.memory.log_value
        return operator.from_spectrum(z), Track(going), gain + _scale(model, s, passed)

    def finish(
        self, key: Key, model: Denoiser, measurement: Measurement, cloud: Cloud, t: Array, cond: Condition
    ) -> tuple[Batch, PerExample]:
        """The last step, which meets what has not been passed."""
        zero = jnp.zeros_like(t)
        x, _, gain = self.move(key, model, measurement, cloud, t, zero, cond)
        return x, gain


def _sight(measurement: Measurement) -> Sight:
    operator = measurement.operator
    values, seen = operator.singular_values, operator.kept
    safe = jnp.where(seen, values, 1)
    target = operator.measured_spectrum(measurement.y)[0] / safe
    return Sight(jnp.where(seen, target, 0), _std(measurement) / safe, seen)


def _std(measurement: Measurement) -> Array:
    """Of Gaussian noise, which is all that ``check`` admits."""
    return jnp.sqrt(jnp.mean(measurement.noise.variance(measurement.y)))


def _ahead(model: Denoiser, sight: Sight, t: Array) -> Array:
    """Coordinates whose tau_i is still to come."""
    own = jnp.square(model.sde.alpha(t) * sight.std)
    return sight.seen & (model.sde.variance(t) > own * (1 + ROUNDING))


def _reach(log_snr: Array) -> Array:
    """Half the largest step in log SNR below the first: what is farther from all times is beyond the grid."""
    return 0.5 * jnp.max(jnp.diff(log_snr[1:]), initial=0.0)


def _potential(model: Denoiser, sight: Sight, t: Array) -> tuple[Array, Array]:
    """Mean and variance of x_t,i given its target."""
    alpha = model.sde.alpha(t)
    return alpha * sight.target, jnp.abs(model.sde.variance(t) - jnp.square(alpha * sight.std))


def _log_density(z: Array, place: Array, variance: Array, where: Array) -> PerExample:
    """Sum of log N(z_i; place_i, variance_i) over the coordinates asked for."""
    safe = jnp.where(where, variance, 1)
    each = jnp.square(z - place) / safe + jnp.log(2 * jnp.pi * safe)
    return -0.5 * sum_per_example(jnp.where(where, each, 0))


def _scale(model: Denoiser, t: Array, passed: Array) -> Array:
    """A density of alpha target_i as one of target_i."""
    alpha = model.sde.alpha(t)
    return jnp.sum(passed) * jnp.log(jnp.where(alpha > 0, alpha, 1))


def _constant(measurement: Measurement) -> Array:
    """log p(y) less log p(targets): the scales 1 / s_i, and what of y no x_0 explains."""
    operator, y = measurement.operator, measurement.y
    seen, variance = operator.kept, jnp.square(_std(measurement))
    scales = jnp.sum(jnp.where(seen, jnp.log(jnp.where(seen, operator.singular_values, 1)), 0))
    beyond = math.prod(y.shape[1:]) - jnp.sum(seen)
    square = jnp.sum(jnp.square(flatten(y - operator(operator.pseudo_inverse(y)))))
    noisy = (beyond > 0) & (variance > 0)
    safe = jnp.where(noisy, variance, 1)
    return jnp.where(noisy, -0.5 * (square / safe + beyond * jnp.log(2 * jnp.pi * safe)), 0) - scales

"""What all particle filters share: a chain from T to 0, weights, and resampling."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.arrays import normal_like, sum_per_example
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, ParticleMethod, Particles, require_fit
from score_sde.inverse.particles.memory import require_memory
from score_sde.inverse.particles.weights import effective_sample_size, normalized, systematic
from score_sde.pytree import Pytree, static
from score_sde.samplers.base import Grid
from score_sde.samplers.checks import require_decreasing, require_not_negative, require_whole
from score_sde.samplers.grids import LogSNR
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Condition, Key, PerExample


class Kernel(NamedTuple):
    """p(x_s | x_t) = N(c_x x_t + c_0 D, variance I), if x_0 | x_t ~ N(D, spread I)."""

    c_x: Array
    c_0: Array
    std: Array  # of the bridge, x_s given x_t and x_0
    spread: Array  # variance of x_0 given x_t
    variance: Array  # std^2 + c_0^2 spread


class Cloud(NamedTuple):
    """Particles on their way."""

    x: Batch
    memory: Any  # what the filter knows of each, leading axis particles
    log_weights: Array  # their exponentials sum to one
    log_evidence: Array


class ParticleFilter(ParticleMethod):
    """Sequential Monte Carlo along the reverse chain (Doucet and Johansen 2011), resampled as needed.

    The chain's prior p(x_s | x_t) = N(c_x x_t + c_0 D, (std^2 + c_0^2 r_t^2) I) is the bridge averaged over
    x_0 | x_t ~ N(D, r_t^2 I) with r_t^2 = sigma^2 v / (alpha^2 v + sigma^2), v = ``data_std``^2: exact at any
    number of steps for data N(m, v I), in the limit of many steps for all. 0 gives the least noise, as
    ``BridgeVariance`` does. What is exact as particles grow is the posterior under this chain.

    Attributes:
        grid: times from T to a small noise; a step from there to 0 is added.
        n_steps: steps of the grid.
        data_std: standard deviation of the data about the nearest mode.
        threshold: of the particles' number; resampled where the effective number is less.
        per_draw: particles for each draw that a call returns.
        chunk: particles whose model evaluations are in memory at a time; None: all.
    """

    grid: Grid = LogSNR()
    n_steps: int = static(200)
    data_std: float = 1.0
    threshold: float = 0.5
    per_draw: int = static(1)
    chunk: int | None = static(None)

    def __post_init__(self) -> None:
        where = type(self).__name__
        require_whole(f"{where}.n_steps", self.n_steps, 1)
        require_whole(f"{where}.per_draw", self.per_draw, 1)
        require_not_negative(f"{where}.data_std", self.data_std)
        if self.chunk is not None:
            require_whole(f"{where}.chunk", self.chunk, 1)

    @abstractmethod
    def begin(
        self, model: Denoiser, measurement: Measurement, x: Batch, t: Array, cond: Condition
    ) -> tuple[Any, PerExample]:
        """Memory and first log weights of x_T."""

    @abstractmethod
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
        """x_s, memory and what the log weights gain."""

    @abstractmethod
    def finish(
        self, key: Key, model: Denoiser, measurement: Measurement, cloud: Cloud, t: Array, cond: Condition
    ) -> tuple[Batch, PerExample]:
        """x_0 and what the log weights gain."""

    def check(self, model: Denoiser, measurement: Measurement) -> None:
        """Raise InputError for an operator, noise or model that the filter cannot serve."""

    def times(self, model: Denoiser, measurement: Measurement) -> Array:
        """Times of the chain but for 0, (n_steps + 1,)."""
        del measurement
        return self.grid(model.sde, self.n_steps)

    @property
    def evaluations(self) -> int:
        """Model evaluations of one particle."""
        return self.n_steps + 1

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """shape[0] draws by weight from shape[0] * per_draw particles, in random order."""
        require_fit(type(self).__name__, measurement, shape)
        keys = jax.random.split(key, 3)
        many = (shape[0] * self.per_draw, *shape[1:])
        drawn = self.particles(keys[0], model, measurement, many, _repeated(cond, self.per_draw))
        return drawn.x[jax.random.permutation(keys[1], systematic(keys[2], drawn.log_weights, shape[0]))]

    def particles(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Particles:
        """``shape[0]`` weighted particles of one measurement, whose batch is 1."""
        where = type(self).__name__
        require_fit(where, measurement, shape)
        if measurement.y.shape[0] != 1:
            expected = "one measurement, of batch 1"
            raise InputError(f"{where} for measurement.y", measurement.y.shape, expected, "call it for each")
        if self.chunk is not None and shape[0] % self.chunk:
            raise InputError(f"{where}.chunk", self.chunk, f"a divisor of {shape[0]} particles")
        self.check(model, measurement)
        times = self.times(model, measurement)
        require_decreasing(f"times of {where}.grid", times)
        given = (self, key, model, measurement, times, tuple(shape), cond)
        if not isinstance(key, jax.core.Tracer):  # else the caller's own function is what must fit
            require_memory(where, tuple(shape), self.chunk, lambda: _run.lower(*given))
        return _run(*given)

    def kernel(self, sde: GaussianSDE, t: Array, s: Array) -> Kernel:
        """The chain's step from t to s < t."""
        c_x, c_0, std = sde.bridge(t, s)
        spread = self.spread(sde, t)
        return Kernel(c_x, c_0, std, spread, jnp.square(std) + jnp.square(c_0) * spread)

    def spread(self, sde: GaussianSDE, t: Array) -> Array:
        """r_t^2, the variance of x_0 given x_t."""
        prior, variance = jnp.square(self.data_std), sde.variance(t)
        total = jnp.square(sde.alpha(t)) * prior + variance
        return jnp.where(total > 0, variance * prior / jnp.where(total > 0, total, 1), 0)

    def evaluated(self, function: Callable[..., Any], x: Batch, cond: Condition) -> Any:
        """``function(x, cond)``, a chunk of particles at a time."""
        if self.chunk is None or self.chunk == x.shape[0]:
            return function(x, cond)

        def split(a: Array) -> Array:
            return a.reshape(-1, self.chunk, *a.shape[1:])

        parts = jax.lax.map(lambda pair: function(*pair), jax.tree.map(split, (x, cond)))
        return jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), parts)


class Twisted(NamedTuple):
    """What a twist finds at x_t."""

    denoised: Batch  # E[x_0 | x_t]
    guided: Batch  # E[x_0 | x_t, y], as the twist sees it
    log_value: PerExample  # log of about p(y | x_t), in nats


class Twist(Pytree):
    """About p(y | x_t): which particles have a future, and where to move them."""

    @abstractmethod
    def __call__(
        self,
        model: Denoiser,
        measurement: Measurement,
        x: Batch,
        t: Array,
        spread: Array,
        cond: Condition = None,
    ) -> Twisted:
        """The twist at x_t, if x_0 | x_t has the variance ``spread`` about its mean."""

    def check(self, measurement: Measurement) -> None:
        """Raise InputError for an operator or noise that the twist cannot serve."""

    def draw(
        self, key: Key, measurement: Measurement, kernel: Kernel, like: Batch
    ) -> tuple[Batch, PerExample]:
        """Noise of a step, and its log density under the prior's kernel less that under its own."""
        del measurement
        noise = jnp.sqrt(kernel.variance) * normal_like(key, like)
        return noise, jnp.zeros(like.shape[:1], like.dtype)

    def evaluations(self, measurement: Measurement) -> int:
        """Model evaluations at one x_t, a derivative in one direction counted as one."""
        del measurement
        return 1


def resampled(key: Key, cloud: Cloud, threshold: Array | float) -> Cloud:
    """Particles by their weights where the effective number is below ``threshold`` of all."""
    count = cloud.log_weights.shape[0]

    def again(cloud: Cloud) -> Cloud:
        picked = systematic(key, cloud.log_weights, count)
        x, memory = jax.tree.map(lambda a: a[picked], (cloud.x, cloud.memory))
        equal = jnp.full_like(cloud.log_weights, -jnp.log(count))
        return Cloud(x, memory, equal, cloud.log_evidence)

    few = effective_sample_size(cloud.log_weights) < threshold * count
    return jax.lax.cond(few, again, lambda cloud: cloud, cloud)


def weighed(cloud: Cloud, x: Batch, memory: Any, gain: PerExample) -> Cloud:
    """The cloud at its new place, with what its weights gained; lost particles stay, without weight."""
    whole = jnp.all(jnp.isfinite(x.reshape(x.shape[0], -1)), axis=1)
    x = jnp.where(whole.reshape(-1, *[1] * (x.ndim - 1)), x, 0)
    log_weights, total = normalized(jnp.where(whole, cloud.log_weights + gain, -jnp.inf))
    return Cloud(x, memory, log_weights, cloud.log_evidence + total)


def log_shift_ratio(noise: Batch, shift: Batch, variance: Array) -> PerExample:
    """log N(noise + shift; 0, variance I) - log N(noise; 0, variance I)."""
    return -sum_per_example((noise + 0.5 * shift) * shift) / variance


@functools.partial(jax.jit, static_argnames="shape")
def _run(
    method: ParticleFilter,
    key: Key,
    model: Denoiser,
    measurement: Measurement,
    times: Array,
    shape: tuple[int, ...],
    cond: Condition,
) -> Particles:
    prior_key, steps_key, last_key = jax.random.split(key, 3)
    x = model.sde.prior(shape).sample(prior_key)
    memory, gain = method.begin(model, measurement, x, times[0], cond)
    equal = jnp.full(shape[0], -jnp.log(shape[0]), x.dtype)
    cloud = weighed(Cloud(x, memory, equal, jnp.zeros((), x.dtype)), x, memory, gain)

    def advance(cloud: Cloud, interval: tuple[Key, Array, Array]) -> tuple[Cloud, None]:
        key, t, s = interval
        pick_key, move_key = jax.random.split(key)
        cloud = resampled(pick_key, cloud, method.threshold)
        moved = method.move(move_key, model, measurement, cloud, t, s, cond)
        return weighed(cloud, *moved), None

    keys = jax.random.split(steps_key, times.shape[0] - 1)
    cloud = jax.lax.scan(advance, cloud, (keys, times[:-1], times[1:]))[0]
    x, gain = method.finish(last_key, model, measurement, cloud, times[-1], cond)
    cloud = weighed(cloud, x, (), gain)
    return Particles(cloud.x, cloud.log_weights, cloud.log_evidence)


def _repeated(cond: Condition, times: int) -> Condition:
    return jax.tree.map(lambda a: jnp.repeat(a, times, axis=0), cond) if times > 1 else cond

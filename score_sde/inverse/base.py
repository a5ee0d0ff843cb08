"""What is measured of an image, how noisy the measurement is, and what draws images that agree with it."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.arrays import expand
from score_sde.denoisers.base import Denoiser
from score_sde.errors import InputError
from score_sde.inverse.conjugate_gradients import attainable, conjugate_gradients
from score_sde.pytree import Pytree, static
from score_sde.samplers.base import Predictor, Sampling
from score_sde.samplers.driver import Sampler
from score_sde.typing import Array, Batch, Condition, Key, PerExample, Time

ITERATIONS = 1000  # of conjugate gradients, at most: few are needed unless singular values spread widely


class Operator(Pytree, ABC):
    """A: what an instrument sees of x_0, before its noise.

    Attributes:
        shape: of one example, (H, W, C) or (L, C) or (d,).
    """

    shape: tuple[int, ...] = static()

    @abstractmethod
    def __call__(self, x: Batch) -> Batch:
        """A(x_0): (batch, *shape) -> (batch, *measured_shape)."""

    @property
    def measured_shape(self) -> tuple[int, ...]:
        """Shape of what is measured of one example."""
        return jax.eval_shape(self.__call__, jax.ShapeDtypeStruct((1, *self.shape), jnp.float32)).shape[1:]


class LinearOperator(Operator):
    """A matrix, known by what it does: a subclass writes ``__call__``. Conjugate gradients solve with it."""

    def adjoint(self, y: Batch) -> Batch:
        """A^T y: (batch, *measured_shape) -> (batch, *shape)."""
        x = jax.ShapeDtypeStruct((y.shape[0], *self.shape), y.dtype)
        return jax.linear_transpose(self.__call__, x)(y)[0]

    def weighted_adjoint(self, y: Batch, signal: Time, noise: Time) -> Batch:
        """A^T (signal A A^T + noise I)^-1 y, with variances that are scalars or one per example.

        The gradient by x of log N(y; A x, signal A A^T + noise I) at residual ``y``. Where noise = 0 and A
        has not full row rank, the inverse is the pseudo-inverse.
        """
        b = self.adjoint(y)  # (signal A^T A + noise I) x = A^T y: solvable whatever y is
        signal, noise = expand(jnp.asarray(signal), b), expand(jnp.asarray(noise), b)

        def precision(u: Batch) -> Batch:
            return signal * self.adjoint(self(u)) + noise * u

        return conjugate_gradients(precision, b, ITERATIONS, attainable(self, y, b))

    def pseudo_inverse(self, y: Batch) -> Batch:
        """A^+ y: of the x that agree best with y, the shortest."""
        return self.weighted_adjoint(y, 1.0, 0.0)


class SpectralOperator(LinearOperator):
    """A linear operator whose singular value decomposition A = U S V^H is known.

    V has as many columns as x has values; singular values may be zero.
    """

    @property
    @abstractmethod
    def singular_values(self) -> Array:
        """S, of the shape of one example's spectrum; not negative."""

    @abstractmethod
    def to_spectrum(self, x: Batch) -> Batch:
        """V^H x."""

    @abstractmethod
    def from_spectrum(self, z: Batch) -> Batch:
        """V z, real."""

    def weighted_adjoint(self, y: Batch, signal: Time, noise: Time) -> Batch:
        """A^T (signal A A^T + noise I)^-1 y = V S (signal S^2 + noise)^-1 U^H y."""
        values = self.singular_values
        z = values * self.measured_spectrum(y)
        signal, noise = expand(jnp.asarray(signal), z), expand(jnp.asarray(noise), z)
        total = signal * jnp.square(values) + noise
        solvable = (total > 0) & (self.kept | (noise > 0))
        return self.from_spectrum(jnp.where(solvable, z / jnp.where(solvable, total, 1), 0))

    def replaced(self, x: Batch, z: Batch, there: Array) -> Batch:
        """``x`` with the spectrum ``z`` in the places ``there``, none of which has a singular value of 0."""
        return self.from_spectrum(jnp.where(there, z, self.to_spectrum(x)))

    def measured_spectrum(self, y: Batch) -> Batch:
        """U^H y, in the places of V^H x; of no meaning where S is zero."""
        # A subclass that knows U replaces this: V^H A^T y / S loses digits where S is small.
        z, kept = self.to_spectrum(self.adjoint(y)), self.kept
        return jnp.where(kept, z / jnp.where(kept, self.singular_values, 1), 0)

    @property
    def kept(self) -> Array:
        """Which singular values are not zero, but for rounding."""
        values = self.singular_values
        return values > jnp.max(values) * 4 * math.prod(self.shape) ** 0.5 * jnp.finfo(values.dtype).eps


class Noise(Pytree, ABC):
    """The law of y given A(x_0)."""

    @abstractmethod
    def sample(self, key: Key, clean: Batch) -> Batch:
        """A draw of y given the noiseless ``clean``."""

    @abstractmethod
    def log_prob(self, y: Batch, clean: Batch) -> PerExample:
        """log p(y | clean) of each example, in nats."""

    @abstractmethod
    def variance(self, y: Batch) -> Array:
        """Variance of y about its clean value as far as y tells, broadcastable over y."""


class Measurement(Pytree):
    """y = A(x_0) + noise, of one x_0 or of one x_0 per example.

    Attributes:
        y: (1, *measured_shape), which every draw is to agree with, or (batch, *measured_shape). Whole numbers
            become floating-point ones, since variances take their type from y.
        operator: A.
        noise: its law.
    """

    y: Batch
    operator: Any
    noise: Noise

    def __post_init__(self) -> None:
        expected = self.operator.measured_shape
        if jnp.shape(self.y)[1:] != expected:
            remedy = f"{type(self.operator).__name__} measures this of {self.operator.shape}"
            raise InputError("Measurement.y", jnp.shape(self.y), f"the shape (batch, *{expected})", remedy)
        if not jnp.issubdtype(jnp.result_type(self.y), jnp.inexact):
            object.__setattr__(self, "y", jnp.asarray(self.y, jnp.result_type(float)))

    @classmethod
    def of(cls, key: Key, x: Batch, *, operator: Operator, noise: Noise) -> Measurement:
        """A simulated measurement of ``x`` (batch, *shape)."""
        if x.shape[1:] != operator.shape:
            where = f"{type(operator).__name__}.shape"
            raise InputError(
                where, operator.shape, f"the shape {x.shape[1:]} of the data", "make it for them"
            )
        return cls(y=noise.sample(key, operator(x)), operator=operator, noise=noise)

    def residual(self, x: Batch) -> Batch:
        """y - A(x)."""
        return self.y - self.operator(x)

    def log_likelihood(self, x: Batch) -> PerExample:
        """log p(y | x_0 = x) of each example, in nats."""
        return self.noise.log_prob(self.y, self.operator(x))


class Method(Pytree, ABC):
    """Draws from p(x_0 | y), nearly or in a limit, with a denoiser that knows only p(x_0)."""

    weighs_noise: ClassVar[bool] = True  # False: y pulls as hard however noisy it is

    @abstractmethod
    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws of shape ``shape`` = (batch, *event), in model space.

        Raises:
            InputError: an operator or noise that the method cannot serve, shapes that do not fit.
        """


class GuidedMethod(Method):
    """Puts the score of p(x_t | y) in the place of that of p(x_t), for any sampler.

    Attributes:
        sampler: what draws; any sampling of the package.
    """

    sampler: Sampling

    @abstractmethod
    def guided(self, model: Denoiser, measurement: Measurement) -> Denoiser:
        """E[x_0 | x_t, y], as the method approximates it."""

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws by ``sampler`` from the guided model."""
        require_fit(type(self).__name__, measurement, shape)
        return self.sampler(key, self.guided(model, measurement), shape, cond)


class SteppedMethod(Method):
    """Changes what a step of the sampler does.

    Attributes:
        sampler: whose predictor is changed.
    """

    sampler: Sampler

    @abstractmethod
    def stepped(self, predictor: Predictor, measurement: Measurement) -> Predictor:
        """The predictor that knows the measurement."""

    def __call__(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Batch:
        """Draws by ``sampler`` with the changed predictor."""
        require_fit(type(self).__name__, measurement, shape)
        sampler = self.sampler.replace(predictor=self.stepped(self.sampler.predictor, measurement))
        return sampler(key, model, shape, cond)


class Particles(NamedTuple):
    """Weighted draws, and an unbiased estimate of p(y)."""

    x: Batch  # (particles, *event)
    log_weights: Array  # (particles,), their exponentials sum to one
    log_evidence: Array  # log of an estimate of p(y) that is right on average, in nats


class ParticleMethod(Method):
    """Weighs many draws at once: exact as their number grows."""

    @abstractmethod
    def particles(
        self,
        key: Key,
        model: Denoiser,
        measurement: Measurement,
        shape: tuple[int, ...],
        cond: Condition = None,
    ) -> Particles:
        """``shape[0]`` weighted particles of one measurement, whose batch is 1."""


def require_fit(where: str, measurement: Measurement, shape: tuple[int, ...]) -> None:
    """Raise unless draws of this shape can agree with the measurement."""
    if tuple(shape[1:]) != measurement.operator.shape:
        expected = f"the operator's {measurement.operator.shape} after the batch axis"
        raise InputError(f"{where} for shape", shape, expected, "make the operator for the data")
    if measurement.y.shape[0] not in (1, shape[0]):
        expected = f"one measurement, or one per example of {shape[0]}"
        raise InputError(f"{where} for measurement.y", measurement.y.shape, expected)


def require_linear(where: str, operator: Any) -> LinearOperator:
    """The operator as a linear one; raise where it is not."""
    if not hasattr(operator, "weighted_adjoint"):
        remedy = "use MMPS, TMPD or DPS, or TwistedSMC with twist=PointTwist, which need only A(x)"
        raise InputError(f"{where} for operator", type(operator).__name__, "a linear operator", remedy)
    return operator


def require_spectral(where: str, operator: Any) -> SpectralOperator:
    """The operator as one with a known decomposition; raise where it has none."""
    if not hasattr(operator, "singular_values"):
        remedy = "Dense.of(operator) has one, if the image is small"
        raise InputError(f"{where} for operator", type(operator).__name__, "a known SVD", remedy)
    return operator

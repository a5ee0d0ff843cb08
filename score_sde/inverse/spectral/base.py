"""What methods that work on the operator's spectrum share: what is known of it, and checks."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.errors import InputError
from score_sde.inverse.base import Measurement, SpectralOperator, require_spectral
from score_sde.pytree import Pytree
from score_sde.samplers.driver import Sampler
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch, Key


class Seen(Pytree):
    """What y says of the spectrum z = V^T x_0: ``value`` ~ N(z, std^2) where ``kept``, nothing elsewhere.

    With A = U S V^T that is S^-1 U^T y, whose noise is that of y over S.
    """

    operator: Any
    value: Batch  # (1 or batch, *spectrum)
    std: Array  # (*spectrum); 0 where nothing is kept
    kept: Array  # (*spectrum), booleans

    @classmethod
    def of(cls, where: str, measurement: Measurement) -> Seen:
        """What a measurement with a known decomposition and white noise says.

        Raises:
            InputError: an operator without a decomposition, noise that is not of one variance.
        """
        operator = require_spectral(where, measurement.operator)
        std = jnp.sqrt(white_variance(where, measurement))
        return cls(operator=operator, **_divided(operator, measurement.y, std))

    def put(self, key: Key, x: Batch, mean: Batch, sde: GaussianSDE, t: Array) -> tuple[Batch, Batch]:
        """x_t and its mean with what is known of x_t put in.

        Of y with noise, z_t = alpha value + sqrt(sigma^2 - alpha^2 std^2) n has the law of alpha z + sigma n;
        this needs sigma >= alpha std. Where less noise is left, x knows more of z than y does and stays.
        """
        alpha, noise = sde.alpha(t), sde.variance(t) - jnp.square(sde.alpha(t) * self.std)
        there = self.kept & (noise >= 0)
        z = jnp.broadcast_to(alpha * self.value, (x.shape[0], *self.value.shape[1:]))
        noisy = z + jnp.sqrt(jnp.where(there, noise, 0)) * arrays.normal_like(key, z)
        return self.operator.replaced(x, noisy, there), self.operator.replaced(mean, z, there)

    def start(self, key: Key, sde: GaussianSDE, shape: tuple[int, ...]) -> Batch:
        """x_T: the prior with what is known put in, as a noisy image and not a clean one."""
        return _start(self, key, sde, tuple(shape))


@jax.jit
def _divided(operator: SpectralOperator, y: Batch, std: Array) -> dict[str, Array]:
    kept = operator.kept
    values = jnp.where(kept, operator.singular_values, 1)
    value = jnp.where(kept, operator.measured_spectrum(y) / values, 0)
    return {"value": value, "std": jnp.where(kept, std / values, 0), "kept": kept}


def _begin(seen: Seen, key: Key, sde: GaussianSDE, shape: tuple[int, ...]) -> Batch:
    prior_key, put_key = jax.random.split(key)
    x = sde.prior(shape).sample(prior_key)
    return seen.put(put_key, x, x, sde, jnp.asarray(sde.T, x.dtype))[0]


_start = jax.jit(_begin, static_argnums=3)


def white_variance(where: str, measurement: Measurement) -> Array:
    """The one variance of the noise of y, a scalar.

    Raises:
        InputError: a noise whose variance differs between values.
    """
    with jax.ensure_compile_time_eval():  # known also inside a caller's jit, if the measurement is
        variance = measurement.noise.variance(measurement.y)
    if jnp.size(variance) != 1:
        expected = "noise of one variance, as GaussianNoise"
        remedy = "use DPS or a particle method, which need only log p(y | x)"
        raise InputError(f"{where} for noise", type(measurement.noise).__name__, expected, remedy)
    with jax.ensure_compile_time_eval():
        return jnp.reshape(variance, ())


def require_noiseless(where: str, measurement: Measurement, remedy: str) -> None:
    """Raise unless y is exact, where its noise is known."""
    variance = white_variance(where, measurement)
    if isinstance(variance, jax.core.Tracer):
        return
    std = float(np.sqrt(np.asarray(variance)))
    if std > 0:
        raise InputError(
            f"{where} for the noise's std", float(f"{std:.6g}"), "0, since it takes y as exact", remedy
        )


def require_no_corrector(where: str, sampler: Sampler) -> None:
    """Raise where a corrector would draw from p(x_t), which knows nothing of y."""
    corrector = getattr(sampler, "corrector", None)
    if corrector is not None and corrector.evaluations:
        expected = "NoCorrector()"
        remedy = "correctors forget the measurement; Replacement puts it back after each"
        raise InputError(f"{where} for sampler.corrector", type(corrector).__name__, expected, remedy)


def require_fraction(where: str, value: Any) -> None:
    """Raise unless 0 <= value <= 1, where it is known."""
    if not isinstance(value, jax.core.Tracer) and not 0 <= value <= 1:
        raise InputError(where, value, "a number from 0 to 1")

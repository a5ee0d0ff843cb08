"""Laws of every predictor: of the reverse family, of its nominal order, finite at the ends.

The data law is normal, so that each step is affine in the state and the noise: its moments are found by
probing it with unit noise, and nothing here is a Monte Carlo estimate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.exact import Gaussian
from score_sde.samplers.base import Predictor, Step
from score_sde.samplers.noise import GivenNoise
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array, Batch
from score_sde.verification.base import Finding, Law, error_of, is_same_tree, within

MEAN, VARIANCE = 0.7, 1.8  # of the data
COUNTS = ((128, 256), (512, 1024), (1024, 2048))  # numbers of steps; later ones where the first are too few
MOST = COUNTS[-1][-1]
SHARES = (0.6, 0.05, 0.3, 0.9)  # of T, where short steps are taken


def model_of(sde: GaussianSDE) -> Gaussian:
    """The exact denoiser of one normal law."""
    return Gaussian(sde=sde, mean=jnp.array([MEAN]), covariance=jnp.array([[VARIANCE]]))


def moments(sde: GaussianSDE, t: Array) -> tuple[Array, Array]:
    """Mean and variance of x_t."""
    return sde.alpha(t) * MEAN, sde.alpha(t) ** 2 * VARIANCE + sde.variance(t)


def local_variance(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """Var / (t - s) -> c^2 g^2 as s -> t, with one c for all x."""
    steps = [short_step(predictor, sde, share) for share in SHARES]
    churn2 = steps[0].churn2 if steps[0].churn2 > 1e-6 else 0.0
    variances = np.concatenate([short.variance for short in steps])
    error = error_of(variances, np.full(variances.shape, churn2)) if churn2 else float(np.max(variances))
    told = f"variance of short steps, c^2 g^2 (t - s) with c = {churn2**0.5:.4f}, relative error"
    return within("local_variance", error, 1e-5, told)


def local_drift(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """(E[x_s] - x_t) / (s - t) -> f - (1 + c^2) g^2 score / 2, c that of the noise."""
    steps = [short_step(predictor, sde, share) for share in SHARES]
    errors = [np.max(np.abs(each.drift - each.expected)) / np.max(np.abs(each.expected)) for each in steps]
    told = f"drift of short steps, the reverse SDE's of c = {steps[0].churn2 ** 0.5:.4f}, relative error"
    return within("local_drift", max(errors), 2e-4, told)


def order(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """Mean and variance after many steps near the exact ones with the nominal order.

    Or with a higher one at all numbers of steps: the leading error of a single normal law may vanish, as
    that of four-value exponential steps does on VP, which are of fifth order there.
    """
    model, nominal, seen = model_of(sde), predictor.order, []
    known = [_grid(sde, n, nominal - 1) for pair in COUNTS for n in pair]
    for few, many in zip(known[::2], known[1::2], strict=True):
        errors = [float(moment_error(predictor, model, each)) for each in (few, many)]
        found = float(np.log2(errors[0] / errors[1])) if min(errors) > 0 else float("nan")
        seen.append(found)
        if abs(found - nominal) <= 0.15:
            break
    told = f"order {found:.3f} between {few.n_steps} and {many.n_steps} steps, nominal {nominal}, apart"
    apart = 0.0 if all(each > nominal for each in seen) else abs(found - nominal)
    return within("order", apart, 0.15, told)


def ends(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """Steps from T, where alpha may be 0, and to 0, where sigma may be, are finite, as are gradients."""
    model, x = model_of(sde), jnp.array([[0.5], [-1.0]])
    T, middle, zero = (jnp.asarray(share * sde.T, float) for share in (1.0, 0.7, 0.0))
    bad = []
    for name, t, s in (("from T", T, middle), ("to 0", middle, zero)):
        step, gradient = _step(predictor, model, x, t, s), _gradient(predictor, model, x, t, s)
        values = {"x": step.x, "mean": step.mean, "gradient": gradient}
        bad += [f"{what} {name}" for what, value in values.items() if not np.all(np.isfinite(value))]
    return within("ends", len(bad), 0, f"not finite: {', '.join(bad)}" if bad else "finite from T and to 0")


def fresh_start(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """Where alpha(T) = 0, x_T carries nothing: a random step is N(alpha_s E[x_0], sigma_s^2)."""
    T, s = (jnp.asarray(share * sde.T, float) for share in (1.0, 0.7))
    step = _step(predictor, model_of(sde), jnp.array([[0.5], [-1.0]]), T, s)
    noise = np.asarray(step.x - step.mean)
    if float(sde.alpha(T)) > 0 or np.allclose(noise, 0):
        return within("fresh_start", 0.0, 1e-8, "nothing to say: x_T carries data, or nothing is random")
    apart = np.asarray(step.mean) - float(sde.alpha(s) * MEAN), noise - float(sde.sigma(s))
    told = "x_s given x_T where alpha(T) = 0, absolute error"
    return within("fresh_start", max(float(np.max(np.abs(each))) for each in apart), 1e-8, told)


def tree(predictor: Predictor, sde: GaussianSDE) -> Finding:
    """Survives flattening, putting together and jit."""
    del sde
    return is_same_tree("tree", predictor)


PREDICTOR_LAWS: tuple[Law, ...] = (local_variance, local_drift, order, ends, fresh_start, tree)


class Known(NamedTuple):
    """A number of steps and its times, the last repeated, so that one program serves all numbers.

    The first ``forced`` steps, which in a multi-step predictor are of lower order, are on the exact flow.
    """

    n_steps: Any
    times: Array
    forced: Any


def _grid(sde: GaussianSDE, n_steps: int, forced: int) -> Known:
    times = np.linspace(0.8, 0.1, n_steps + 1) * np.asarray(sde.T)
    return Known(n_steps, jnp.asarray(np.pad(times, (0, MOST - n_steps), mode="edge")), forced)


@jax.jit
def moment_error(predictor: Predictor, model: Gaussian, known: Known) -> Array:
    """Of mean and variance at the last time, from exact moments at the first, by unit impulses.

    Row 0 starts from 0 and row 1 from 1, without noise; row 2 + i starts from 0 and has one unit of noise at
    step i. Memory is carried along, so this holds for multi-step predictors too.
    """
    first, last = known.times[0], known.times[-1]

    def advance(number: Array, carry: tuple[Batch, Any]) -> tuple[Batch, Any]:
        x, memory = carry
        t, s = known.times[number], known.times[number + 1]
        impulse = (jnp.arange(MOST + 2) == number + 2).astype(x.dtype)[:, None]
        step = predictor.step(GivenNoise(values=impulse), model, x, t, s, memory)  # type: ignore[arg-type]
        (mean, variance), (mean_s, variance_s) = moments(model.sde, t), moments(model.sde, s)
        flow = mean_s + jnp.sqrt(variance_s / variance) * (x - mean)
        return jnp.where(number < known.forced, flow, step.x), step.memory

    x = jnp.zeros((MOST + 2, 1)).at[1].set(1.0)
    begun = x, predictor.init(model, x, first)
    x, _ = jax.lax.fori_loop(0, known.n_steps, advance, begun)
    offset, slope, noise = x[0, 0], x[1, 0] - x[0, 0], x[2:, 0] - x[0, 0]
    (mean, variance), (wanted, spread) = moments(model.sde, first), moments(model.sde, last)
    mean_error = (slope * mean + offset - wanted) / jnp.sqrt(spread)
    variance_error = (slope**2 * variance + jnp.sum(noise**2)) / spread - 1
    return jnp.hypot(mean_error, variance_error)


class ShortStep(NamedTuple):
    """A step of 1e-7 T or, from below 0.6 T, of that share of its time.

    Attributes:
        variance: over g^2 (t - s), at each x.
        churn2: c^2 that it stands for.
        drift: (E[x_s] - x_t) / (s - t).
        expected: the reverse drift of this c.
    """

    variance: np.ndarray
    churn2: float
    drift: np.ndarray
    expected: np.ndarray


def short_step(predictor: Predictor, sde: GaussianSDE, share: float = SHARES[0]) -> ShortStep:
    """The step, and what the reverse family has in its place."""
    model, t, h = model_of(sde), jnp.asarray(share * sde.T), 1e-7 * sde.T * min(1.0, share / SHARES[0])
    x = jnp.array([[0.3], [-2.0]])
    step = _step(predictor, model, x, t, t - h)
    variance = np.square(step.x - step.mean) / float(h * sde.squared_diffusion(t))
    churn2 = float(np.mean(variance))
    expected = model.reverse_drift(x, t, churn=churn2**0.5)
    return ShortStep(variance, churn2, np.asarray((step.mean - x) / -h), np.asarray(expected))


def _step(predictor: Predictor, model: Gaussian, x: Batch, t: Array, s: Array) -> Step:
    """A first step, with one unit of noise."""
    unit: Any = GivenNoise(values=jnp.ones(()))
    return predictor.step(unit, model, x, t, s, predictor.init(model, x, t))


def _gradient(predictor: Predictor, model: Gaussian, x: Batch, t: Array, s: Array) -> Batch:
    return jax.grad(lambda x: jnp.sum(_step(predictor, model, x, t, s).x))(x)

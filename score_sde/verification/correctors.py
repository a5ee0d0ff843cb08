"""Laws of every corrector: what it leaves of p_t, and that it stays where there is no score."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.exact import Gaussian
from score_sde.samplers.base import Corrector
from score_sde.sdes.base import GaussianSDE
from score_sde.typing import Array
from score_sde.verification.base import Finding, Law, error_of, is_same_tree, within

EXAMPLES, DIMENSIONS, STEPS = (
    500,
    256,
    100,
)  # in fewer dimensions, per-example Langevin steps widen p_t by more
MEAN, VARIANCE = 0.7, 1.8  # of every coordinate of the data


def keeps_the_law(corrector: Corrector, sde: GaussianSDE) -> Finding:
    """Mean and variance of p_t after 100 steps that begin in it; biases of 5 % are allowed and told."""
    mean, std = _moments(sde, jnp.asarray(0.5 * sde.T))
    found = np.asarray(_moved(corrector, _model(sde), jax.random.key(0)))
    z = (found - float(mean)) / float(std)
    shift, ratio = float(z.mean()), float(z.var())
    told = f"after {STEPS} steps: variance {ratio:.4f} of p_t's, mean moved by {shift:+.4f} of its deviation"
    return within("keeps_the_law", max(abs(shift), abs(ratio - 1)), 0.05, told)


def stays_without_noise(corrector: Corrector, sde: GaussianSDE) -> Finding:
    """Where sigma = 0, at 0 of some processes, p_t has no score and x stays."""
    x = jnp.linspace(-1.0, 1.0, 2 * DIMENSIONS).reshape(2, DIMENSIONS)
    if bool(sde.has_score(jnp.asarray(0.0))):
        return within("stays_without_noise", 0.0, 0.0, "nothing to say: sigma(0) > 0")
    moved = corrector.step(jax.random.key(0), _model(sde), x, jnp.asarray(0.0))
    return within("stays_without_noise", error_of(moved, x), 0.0, "change of x where sigma = 0")


def gradients(corrector: Corrector, sde: GaussianSDE) -> Finding:
    """Finite at 0, T and between."""
    model, x = _model(sde), jnp.linspace(-1.0, 1.0, DIMENSIONS)[None]

    def total(x: Array, t: Array) -> Array:
        return jnp.sum(corrector.step(jax.random.key(0), model, x, t))

    times = jnp.asarray([0.0, 0.5, 1.0]) * sde.T
    found = np.asarray(jax.jit(jax.vmap(jax.grad(total), in_axes=(None, 0)))(x, times))
    return within("gradients", int(np.sum(~np.isfinite(found))), 0, "gradients that are not finite")


def tree(corrector: Corrector, sde: GaussianSDE) -> Finding:
    """Survives flattening, putting together and jit."""
    del sde
    return is_same_tree("tree", corrector)


CORRECTOR_LAWS: tuple[Law, ...] = (keeps_the_law, stays_without_noise, gradients, tree)


def _model(sde: GaussianSDE) -> Gaussian:
    covariance = VARIANCE * jnp.eye(DIMENSIONS)
    return Gaussian(sde=sde, mean=jnp.full(DIMENSIONS, MEAN), covariance=covariance)


def _moments(sde: GaussianSDE, t: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of every coordinate of x_t."""
    return sde.alpha(t) * MEAN, jnp.sqrt(sde.alpha(t) ** 2 * VARIANCE + sde.variance(t))


@jax.jit
def _moved(corrector: Corrector, model: Gaussian, key: Array) -> Array:
    t = jnp.asarray(0.5 * model.sde.T)
    mean, std = _moments(model.sde, t)
    x = mean + std * jax.random.normal(key, (EXAMPLES, DIMENSIONS))
    keys = jax.random.split(jax.random.fold_in(key, 1), STEPS)
    return jax.lax.scan(lambda x, key: (corrector.step(key, model, x, t), None), x, keys)[0]

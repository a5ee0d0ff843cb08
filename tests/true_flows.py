"""Models that know the flow itself: what consistency models and mean velocities are when they are right.

Of a normal law the flow is known: x keeps its number of standard deviations from the mean. Of a mixture it is
solved from the exact denoiser, by 60 steps of the classical Runge-Kutta method.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np

from score_sde import denoisers
from score_sde.arrays import expand, per_example
from score_sde.integrators import FixedStep, RungeKutta4
from score_sde.pytree import static

MEANS, STD = np.array([[-1.0, -0.5], [0.8, 0.3], [0.0, 1.0]]), 0.4
MEAN, SPREAD = 0.7, 0.6  # of the normal law on the line


def mixture(sde):
    """Three round normal laws in the plane."""
    return denoisers.GaussianMixture.isotropic(sde=sde, weights=[0.5, 0.3, 0.2], means=MEANS, stds=STD)


def normal(sde):
    """One normal law on the line."""
    return denoisers.Gaussian(sde=sde, mean=jnp.array([MEAN]), covariance=jnp.array([[SPREAD**2]]))


def flowed(model, x, t, s):
    """x at t taken to s by the model's probability flow, each example with its own times."""
    t, s = per_example(t, x), per_example(s, x)

    def field(share, x):
        return expand(s - t, x) * model.velocity(x, t + share * (s - t))

    return FixedStep(n_steps=60, method=RungeKutta4())(field, x, 0.0, 1.0).y


def flowed_normal(model, x, t, s):
    """The same of the normal law, in closed form."""
    sde = model.sde
    t, s = per_example(t, x), per_example(s, x)
    widths = [jnp.sqrt(sde.alpha(time) ** 2 * SPREAD**2 + sde.variance(time)) for time in (t, s)]
    return expand(sde.alpha(s) * MEAN, x) + expand(widths[1] / widths[0], x) * (
        x - expand(sde.alpha(t) * MEAN, x)
    )


class FlowToData(denoisers.Denoiser):
    """f(x, t) = x_(t_min) / alpha(t_min): the consistency function; ``speed`` 1.05 follows a wrong flow."""

    law: Any
    t_min: float = 0.01
    speed: float = 1.0

    def __call__(self, x, t, cond=None, *, key=None):
        law = Hurried(sde=self.law.sde, law=self.law, speed=self.speed)
        return flowed(law, x, t, self.t_min) / self.law.sde.alpha(jnp.asarray(self.t_min))


class Hurried(denoisers.Denoiser):
    """Another model whose velocity is too large."""

    law: Any
    speed: float

    def __call__(self, x, t, cond=None, *, key=None):
        return self.law(x, t)

    def velocity(self, x, t, cond=None, *, key=None):
        return self.speed * self.law.velocity(x, t)


class MeanVelocity(denoisers.Denoiser):
    """u(x, t, s) = (x_t - x_s) / (t - s), times ``speed``, for the s of the condition; v where s = t."""

    law: Any
    flow: Any = static(flowed)
    speed: float = 1.0

    def __call__(self, x, t, cond=None, *, key=None):
        return self.law(x, t)

    def velocity(self, x, t, cond=None, *, key=None):
        t, s = per_example(t, x), per_example(cond["end"], x)
        apart = t > s
        gap = jnp.where(apart, t - s, 1.0)
        mean = (x - self.flow(self.law, x, t, s)) / expand(gap, x)
        return self.speed * jnp.where(expand(apart, x), mean, self.law.velocity(x, t))

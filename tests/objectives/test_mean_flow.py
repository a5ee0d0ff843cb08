"""MeanFlow's identity at the true mean velocities of a normal law and of a mixture, for curved paths too."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from true_flows import MEAN, SPREAD, MeanVelocity, flowed, flowed_normal, mixture, normal

from score_sde import objectives, sdes

pytestmark = pytest.mark.usefixtures("x64")
SDES = [sdes.RectifiedFlow(), sdes.VP(), sdes.EDM()]
X0 = np.array([MEAN - SPREAD, MEAN - SPREAD, MEAN + SPREAD, MEAN + SPREAD])[:, None]
Z = np.array([-1.0, 1.0, -1.0, 1.0])[:, None]
STEPS = [(0.9, 0.2), (0.6, 0.5), (0.4, 0.4), (1.0, 0.0)]  # of T


@functools.partial(jax.jit, static_argnames="speed")
def residuals(law, x0, z, t, s, speed, velocity):
    model = MeanVelocity(sde=law.sde, law=law, flow=FLOWS[type(law).__name__], speed=speed)
    return objectives.MeanFlow(velocity=velocity).residual(model, x0, t, s, z)


FLOWS = {"Gaussian": flowed_normal, "GaussianMixture": flowed}


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
def test_the_identity_holds_at_the_true_mean_velocity(sde):
    law = normal(sde)
    for t, s in STEPS:
        if sde.T * s == 0 and not np.isfinite(sde.sigma_rate(0.0)):
            s = 0.01
        found = [
            residuals(law, X0, Z, sde.T * t, sde.T * s, speed, objectives.TeacherVelocity(teacher=law))
            for speed in (1.0, 1.05)
        ]
        scale = float(np.abs(law.velocity(jnp.asarray(X0), sde.T * t)).max())
        assert np.abs(found[0]).max() < 1e-9 * scale
        assert np.abs(found[1]).max() > 1e-3 * scale


def test_the_identity_holds_for_a_mixture():
    law = mixture(sdes.RectifiedFlow())
    x0, z = law.sample(jax.random.key(0), 32), jax.random.normal(jax.random.key(1), (32, 2))
    t, s = jnp.linspace(0.3, 0.95, 32), jnp.linspace(0.05, 0.6, 32) * jnp.linspace(0.3, 0.95, 32)
    teacher = objectives.TeacherVelocity(teacher=law)
    true, fast = (jnp.abs(residuals(law, x0, z, t, s, speed, teacher)) for speed in (1.0, 1.05))
    assert jnp.max(true) < 1e-6
    assert jnp.mean(fast) > 1e-2


@pytest.mark.parametrize("sde", SDES, ids=lambda sde: type(sde).__name__)
def test_one_example_s_velocity_does_not_move_the_true_mean_velocity(sde):
    """E residual (1, x_t) = 0, exact by four points; so squares are stationary among affine functions."""
    law, t, s = normal(sde), 0.7 * sde.T, 0.2 * sde.T
    x = sde.alpha(jnp.asarray(t)) * X0 + sde.sigma(jnp.asarray(t)) * Z
    true, fast = (
        residuals(law, X0, Z, t, s, speed, objectives.ConditionalVelocity()) for speed in (1.0, 1.05)
    )
    assert abs(float(jnp.mean(true))) < 1e-9
    assert abs(float(jnp.mean(true * x))) < 1e-9 * sde.T
    assert abs(float(jnp.mean(fast * x))) > 1e-4


def test_where_no_step_is_left_it_is_flow_matching():
    law, key = normal(sdes.RectifiedFlow()), jax.random.key(0)
    model = MeanVelocity(sde=law.sde, law=law, flow=flowed_normal)
    mean_flow = objectives.MeanFlow(power=0.0, apart=0.0)
    matching = objectives.DenoisingScoreMatching(weight=objectives.FlowMatching())
    t, z = jnp.array([0.2, 0.4, 0.6, 0.8]), jax.random.normal(key, (4, 1))
    found, wanted = jax.jit(lambda x0: (mean_flow.at(model, x0, t, t, z), matching.at(law, x0, t, z)))(
        jnp.asarray(X0)
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def test_the_adaptive_weight_is_the_published_one():
    """Geng et al. 2025, eq. 22: |d|^2 / (|d|^2 + c)^p, whose gradient is that of d over the denominator."""
    law = normal(sdes.RectifiedFlow())
    x0, z, t, s = jnp.asarray(X0), jnp.asarray(Z), 0.7, 0.3

    def loss(speed, **options):
        model = MeanVelocity(sde=law.sde, law=law, flow=flowed_normal, speed=speed)
        return objectives.MeanFlow(**options).at(model, x0, t, s, z)

    squares = loss(1.05, power=0.0)
    np.testing.assert_allclose(loss(1.05, power=0.5), squares / np.sqrt(squares + 1e-3), rtol=1e-9)
    plain, weighed = (jax.jacobian(lambda v, p=p: loss(v, power=p))(1.05) for p in (0.0, 1.0))
    np.testing.assert_allclose(weighed, plain / (squares + 1e-3), rtol=1e-9)


def test_pairs_are_ordered_and_as_often_apart_as_asked():
    seen = []

    class Recorded(objectives.MeanFlow):
        def at(self, model, x0, t, s, z, cond=None, *, key=None):
            seen.append((t, s))
            return t

    def drawn(key):
        Recorded(apart=0.25)(key, normal(sdes.VP()), jnp.zeros((20_000, 1)))
        return seen.pop()

    t, s = (np.asarray(part) for part in jax.jit(drawn)(jax.random.key(0)))
    assert np.all(s <= t)
    assert abs(np.mean(s < t) - 0.25) < 0.01

"""Bridges between exact normal laws have a closed form; mixtures come back."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoisers import Gaussian, GaussianMixture
from score_sde.integrators import Adaptive
from score_sde.inverse import DualBridge
from score_sde.samplers import ProbabilityFlowODE
from score_sde.sdes import EDM, VE, VP

T_MIN = 1e-4
BRIDGE = DualBridge(ode=ProbabilityFlowODE(integrator=Adaptive(rtol=1e-9, atol=1e-9), t_min=T_MIN))


def normal(sde, mean, variances):
    return Gaussian(sde=sde, mean=np.asarray(mean), covariance=np.diag(variances))


def spread(sde, t, variances):
    return np.sqrt(float(sde.alpha(t)) ** 2 * np.asarray(variances) + float(sde.sigma(t)) ** 2)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("other", [VP(), VE(sigma_max=30.0), EDM()], ids=lambda sde: type(sde).__name__)
def test_a_bridge_between_normal_laws(other):
    """(x - alpha m) / std is kept along each flow (Song et al. 2021, eq. 13, with a linear score)."""
    first, second = ([1.0, -2.0], [0.5, 2.0]), ([-3.0, 0.5], [0.1, 0.3])
    sde, x = VP(), np.random.default_rng(0).normal(size=(5, 2))
    found = BRIDGE(normal(sde, *first), normal(other, *second), x)
    near, far = ([process.alpha(t) for t in (T_MIN, process.T)] for process in (sde, other))
    standard = (x - near[0] * np.array(first[0])) / spread(sde, T_MIN, first[1])
    latent = near[1] * np.array(first[0]) + spread(sde, sde.T, first[1]) * standard
    given = latent / float(sde.sigma(sde.T)) * float(other.sigma(other.T))
    standard = (given - far[1] * np.array(second[0])) / spread(other, other.T, second[1])
    expected = far[0] * np.array(second[0]) + spread(other, T_MIN, second[1]) * standard
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(np.asarray(found) - x).min() > 0.05  # it did go somewhere


@pytest.mark.usefixtures("x64")
def test_the_way_back_undoes_the_bridge():
    def ring(turn):
        angles = 2 * np.pi * (np.arange(3) + turn) / 3
        means = 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        return GaussianMixture.isotropic(sde=VP(), weights=[1.0, 2.0, 1.0], means=means, stds=0.3)

    source, target = ring(0.0), ring(0.5)
    x = source.sample(jax.random.key(0), 6)
    there = BRIDGE(source, target, x)
    np.testing.assert_allclose(BRIDGE(target, source, there), x, atol=1e-5)
    assert float(target.log_prob(there, T_MIN).mean()) > float(target.log_prob(x, T_MIN).mean()) + 1
    assert jnp.isfinite(there).all()

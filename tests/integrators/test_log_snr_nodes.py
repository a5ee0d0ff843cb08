"""Nodes that are evenly spaced in log-SNR, and what they buy on a probability flow."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.denoisers import Gaussian
from score_sde.integrators import FixedStep, LogSNRNodes, RungeKutta4

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.SubVP(), sdes.VE(), sdes.EDM(T=10.0)])
def test_even_in_log_snr_and_exact_at_the_ends(sde):
    ends = jnp.array(0.01 * sde.T), jnp.array(1.0 * sde.T)
    times = LogSNRNodes(sde=sde)(*ends, 20)
    gaps = np.diff(sde.log_snr(times))
    np.testing.assert_allclose(gaps, gaps[0], rtol=1e-6)
    assert (float(times[0]), float(times[-1])) == tuple(map(float, ends))
    backwards = LogSNRNodes(sde=sde)(*ends[::-1], 20)
    np.testing.assert_allclose(backwards, times[::-1], rtol=1e-9)


def test_the_flow_of_a_gaussian_is_its_scaling():
    """x_T = x_0 s(T) / s(0) with s^2 = alpha^2 c + sigma^2, the exact flow of N(0, c)."""
    sde, begin, c = sdes.VP(), 1e-6, 1e-4
    model = Gaussian(sde=sde, mean=jnp.zeros(1), covariance=jnp.array([[c]]))

    def scale(t):
        return jnp.sqrt(c * sde.alpha(t) ** 2 + sde.variance(t))

    x = jnp.array([[0.003], [-0.01]])
    solver = FixedStep(n_steps=40, method=RungeKutta4(), times=LogSNRNodes(sde=sde))
    y = solver(lambda t, x: model.velocity(x, t), x, begin, 1.0).y
    exact = x * scale(1.0) / scale(begin)
    np.testing.assert_allclose(y, exact, rtol=1e-3)
    uniform = FixedStep(n_steps=40, method=RungeKutta4())
    coarse = uniform(lambda t, x: model.velocity(x, t), x, begin, 1.0).y
    assert np.max(np.abs(coarse - exact)) > 10 * np.max(np.abs(y - exact))

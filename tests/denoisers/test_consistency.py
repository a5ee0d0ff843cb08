"""The parametrisation of consistency models: the published coefficients, the identity at the least noise."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, sdes

pytestmark = pytest.mark.usefixtures("x64")


def test_the_coefficients_are_the_published_ones():
    """Song et al. 2023, appendix C: sd^2 / ((t - e)^2 + sd^2) and sd (t - e) / sqrt(sd^2 + t^2)."""
    t, sd, least = np.array([0.002, 0.1, 1.0, 80.0]), 0.5, 0.002
    found = denoisers.ConsistencyPrecondition(sigma_data=sd, sigma_min=least)(sdes.EDM(), jnp.asarray(t))
    np.testing.assert_allclose(found.c_skip, sd**2 / ((t - least) ** 2 + sd**2), rtol=1e-12)
    np.testing.assert_allclose(found.c_out, sd * (t - least) / np.sqrt(sd**2 + t**2), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found.c_in, 1 / np.sqrt(t**2 + sd**2), rtol=1e-12)


@pytest.mark.parametrize("family", [sdes.VP, sdes.SubVP, sdes.VE, sdes.Cosine, sdes.RectifiedFlow])
def test_where_the_noise_is_smallest_x_is_only_scaled(family):
    """For whatever network, of which nothing is left there; a network's output counts elsewhere."""
    sde = family()
    t = jnp.maximum(sde.time_at_log_snr(-2 * jnp.log(jnp.array(0.02))), 0.0)

    def network(x, labels, cond=None, *, key=None):
        return jnp.full_like(x, 1e3)

    model = denoisers.Preconditioned(
        sde=sde, network=network, precondition=denoisers.ConsistencyPrecondition(sigma_min=0.02)
    )
    x = jnp.array([[0.3], [-2.0]])
    np.testing.assert_allclose(model(x, t), x / sde.alpha(t), rtol=1e-8)
    assert np.all(model(x, 1.5 * t + 0.01 * sde.T) > 1)

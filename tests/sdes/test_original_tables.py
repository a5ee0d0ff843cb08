"""The SDEs against tables that the original implementation printed (tests/data/README.md)."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")


@pytest.fixture
def tables(reference_data):
    return np.load(reference_data / "sde_tables.npz")


@pytest.mark.parametrize(("name", "sde"), [("vp", sdes.VP()), ("subvp", sdes.SubVP()), ("ve", sdes.VE())])
def test_tables(tables, name, sde):
    """Means, standard deviations, drifts, diffusions and prior densities, to 1e-10 relative."""
    x, t = jnp.array(tables["x"]), jnp.array(tables["t"])
    mean, std = sde.marginal(x, t)
    np.testing.assert_allclose(mean, tables[f"{name}_mean"], rtol=1e-10)
    np.testing.assert_allclose(std, tables[f"{name}_std"], rtol=1e-10)
    np.testing.assert_allclose(sde.drift(x, t), tables[f"{name}_drift"], rtol=1e-10)
    np.testing.assert_allclose(sde.diffusion(t), tables[f"{name}_diffusion"], rtol=1e-10)
    latent = {"ve": 50.0}.get(name, 1.0) * x
    np.testing.assert_allclose(sde.prior(x.shape).log_prob(latent), tables[f"{name}_prior_logp"], rtol=1e-10)


def test_published_end_points():
    """EDM: sigma_max 80 (Karras et al. 2022, table 1); cosine and straight paths end in pure noise."""
    assert sdes.EDM().sigma(sdes.EDM().T) == 80.0
    assert sdes.Cosine().alpha(1.0) == 0.0
    assert sdes.RectifiedFlow().alpha(1.0) == 0.0
    assert np.isclose(sdes.VE().sigma(1.0), 50.0)


def test_cosine_schedule_is_nichol_and_dhariwals():
    """alpha-bar(t) = cos^2((t + s)/(1 + s) pi/2) / cos^2(s/(1 + s) pi/2), their eq. 17."""
    t, s = np.linspace(0, 0.99, 12), 0.008
    alpha_bar = (np.cos((t + s) / (1 + s) * np.pi / 2) / np.cos(s / (1 + s) * np.pi / 2)) ** 2
    np.testing.assert_allclose(sdes.Cosine().alpha(t) ** 2, alpha_bar, rtol=1e-12)
    np.testing.assert_allclose(sdes.Cosine().sigma(t) ** 2, 1 - alpha_bar, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sdes.VP(beta_min=3.0, beta_max=2.0),
        lambda: sdes.VE(sigma_min=-1.0),
        lambda: sdes.VE(sigma_min=2.0, sigma_max=1.0),
        lambda: sdes.Cosine(offset=-0.1),
    ],
)
def test_impossible_constants_are_refused_in_one_line(make):
    with pytest.raises(InputError, match="expected") as caught:
        make()
    assert "\n" not in str(caught.value)

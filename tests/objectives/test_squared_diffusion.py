"""The weight g^2 against the diffusions that the original implementation printed."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.objectives import SquaredDiffusion

pytestmark = pytest.mark.usefixtures("x64")


@pytest.mark.parametrize(("name", "sde"), [("vp", sdes.VP()), ("subvp", sdes.SubVP()), ("ve", sdes.VE())])
def test_it_is_the_square_of_the_original_diffusion(reference_data, name, sde):
    tables = np.load(reference_data / "sde_tables.npz")
    t = jnp.array(tables["t"])
    np.testing.assert_allclose(SquaredDiffusion()(sde, t), tables[f"{name}_diffusion"] ** 2, rtol=1e-9)
    per_log_snr = SquaredDiffusion().per_log_snr(sde, t)
    np.testing.assert_allclose(per_log_snr, tables[f"{name}_std"] ** 2, rtol=1e-9)

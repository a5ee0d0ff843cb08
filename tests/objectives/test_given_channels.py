"""The loss of the first channels, told of the others."""

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.base import Denoiser
from score_sde.objectives import DenoisingScoreMatching, GivenChannels
from score_sde.sdes import VP


class FromBeside(Denoiser):
    """Says of x_0 what is beside it."""

    def __call__(self, x, t, cond=None, *, key=None):
        return cond["beside"][..., : x.shape[-1]] + (cond["label"][:, None] if "label" in cond else 0)


def test_what_is_beside_is_clean_and_told():
    """A model that repeats what is beside errs by nothing where that is x_0, and by its offset elsewhere."""
    x = jax.random.normal(jax.random.key(0), (5, 2))
    rows = jnp.concatenate([x, x, jnp.full((5, 1), 7.0)], axis=-1)
    objective, model = GivenChannels(objective=DenoisingScoreMatching(), channels=2), FromBeside(sde=VP())
    np.testing.assert_allclose(objective(jax.random.key(1), model, rows), 0, atol=1e-6)
    offset = jnp.ones(5)
    found = objective(jax.random.key(1), model, rows, {"label": offset})
    inner = DenoisingScoreMatching()(jax.random.key(1), model, x, {"beside": x, "label": offset})
    np.testing.assert_allclose(found, inner, rtol=1e-6)
    assert np.min(found) > 1e-3

"""Adaptive steps of the reverse SDE: the law that is known, work that follows the tolerance, and refusals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError

MEAN, VARIANCE = np.tile([0.7, -0.3], 32), np.tile([1.8, 0.3], 32)
COUNT = 400


def drawn(sde, **options):
    model = denoisers.Gaussian(sde=sde, mean=jnp.asarray(MEAN), covariance=jnp.diag(jnp.asarray(VARIANCE)))
    return samplers.AdaptiveSDE(**options).draw(jax.random.key(0), model, (COUNT, 64))


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.SubVP()], ids=lambda sde: type(sde).__name__)
def test_a_normal_law_comes_out(sde):
    """Mean and standard deviation within four standard errors and the tolerance, of 64 values."""
    x = np.asarray(drawn(sde, rtol=0.02, atol=0.01).x)
    assert np.isfinite(x).all()
    z = ((x - MEAN) / np.sqrt(VARIANCE)).reshape(COUNT, 32, 2)
    many = COUNT * 32  # of each kind of value
    assert np.all(np.abs(z.mean((0, 1))) < 4 / np.sqrt(many) + 0.01)
    np.testing.assert_allclose(z.std((0, 1)), 1, atol=4 / np.sqrt(2 * many) + 0.02)


def test_work_follows_the_tolerance():
    """The two steps differ by h^1.5 at least, so that a sixteenth of the tolerance takes more than twice."""
    loose, tight = (np.asarray(drawn(sdes.VP(), rtol=tol, atol=tol).evaluations) for tol in (0.16, 0.01))
    assert 10 < np.median(loose) < np.median(tight) / 2
    assert np.median(tight) < 4000
    assert loose.std() > 0  # each example has steps of its own


def test_who_does_not_arrive_is_nan():
    x = np.asarray(drawn(sdes.VP(), rtol=0.01, atol=0.01, max_steps=5).x)
    assert np.isnan(x).all()


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"AdaptiveSDE\.rtol"):
        samplers.AdaptiveSDE(rtol=0.0)
    with pytest.raises(InputError, match=r"RectifiedFlow.*use SASolver"):
        drawn(sdes.RectifiedFlow())

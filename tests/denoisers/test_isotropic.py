"""The cheap mixture is the general one: GaussianMixture, which tests/denoisers/test_exact.py judges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoisers import GaussianMixture, IsotropicMixture
from score_sde.errors import InputError
from score_sde.sdes import VE, VP, RectifiedFlow


def pair(sde, stds, shape=(6,), components=5, seed=0):
    rng = np.random.default_rng(seed)
    parts = {
        "sde": sde,
        "weights": rng.uniform(0.1, 1, components),
        "means": rng.normal(0, 3, (components, *shape)),
        "stds": stds,
    }
    return IsotropicMixture(**parts), GaussianMixture.isotropic(**parts)


@pytest.mark.parametrize("sde", [VP(), VE(), RectifiedFlow()])
@pytest.mark.parametrize("stds", [0.7, np.linspace(0.3, 2, 5)])
def test_equals_the_general_mixture(x64, sde, stds):
    cheap, general = pair(sde, stds, (2, 3))
    x = 3 * jax.random.normal(jax.random.key(1), (7, 2, 3))
    for t in (0.0, 0.01, 0.4, 1.0):
        for found, expected in zip(cheap.estimate(x, t), general.estimate(x, t), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(cheap.log_prob(x, t), general.log_prob(x, t), rtol=1e-9)
        np.testing.assert_allclose(cheap.posterior(x, t), general.posterior(x, t), atol=1e-9)


def test_times_may_differ_between_examples(x64):
    cheap, general = pair(VP(), 1.0)
    x, t = jax.random.normal(jax.random.key(1), (4, 6)), jnp.linspace(0.1, 0.9, 4)
    np.testing.assert_allclose(cheap(x, t), general(x, t), rtol=1e-9)


def test_the_span_of_means_on_a_plane_is_a_plane():
    means = np.array([(i, j) * 400 for i in range(-2, 3) for j in range(-2, 3)]) * 8.0
    model = IsotropicMixture(sde=VP(), weights=np.ones(25), means=means)
    assert model.basis.shape == (800, 2)


def test_single_precision_keeps_the_posterior_in_800_dimensions(x64):
    """Squares of 2e5 leave float32 no digit of a log ratio of 1; distances in the span keep three."""
    means = np.array([(i, j) * 400 for i in range(-2, 3) for j in range(-2, 3)]) * 8.0
    exact = IsotropicMixture(sde=VE(), weights=np.ones(25), means=means)
    halfway = jnp.asarray(means[None, 0] + 0.5 * (means[1] - means[0]) + 0.01)
    with jax.enable_x64(False):
        single = IsotropicMixture(sde=VE(), weights=np.ones(25), means=means)
        found = single.posterior(jnp.asarray(np.asarray(halfway), jnp.float32), jnp.float32(0.3))
    np.testing.assert_allclose(found, exact.posterior(halfway, 0.3), atol=2e-3)


def test_draws_have_the_law():
    model, _ = pair(VP(), np.linspace(0.3, 2, 5))
    x = np.asarray(model.sample(jax.random.key(0), 20000))
    mean = np.asarray(model.weights @ model.means)
    second = np.asarray(model.weights @ (model.means**2 + model.stds[:, None] ** 2)) - mean**2
    np.testing.assert_allclose(x.mean(0), mean, atol=5 * np.sqrt(second.max() / 20000))
    np.testing.assert_allclose(x.var(0), second, rtol=0.05)


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"IsotropicMixture\.weights"):
        IsotropicMixture(sde=VP(), weights=[1.0, 0.0], means=np.zeros((2, 3)))
    with pytest.raises(InputError, match=r"IsotropicMixture\.stds"):
        IsotropicMixture(sde=VP(), weights=[1.0, 1.0], means=np.zeros((2, 3)), stds=-1.0)

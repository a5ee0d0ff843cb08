"""Encoding and decoding: affine for normal data with a known limit, and each other's inverse."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.inverse.editing import Inversion

pytestmark = pytest.mark.usefixtures("x64")

SDES = {"vp": sdes.VP(), "ve": sdes.VE(), "edm": sdes.EDM(), "flow": sdes.RectifiedFlow()}
MEAN, STDS = np.array([0.4, -0.7]), np.array([0.3, 0.8])
X = np.random.default_rng(0).standard_normal((6, 2))


def gaussian(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.asarray(MEAN), covariance=jnp.diag(jnp.asarray(STDS**2)))


def mixture(sde):
    means = jnp.array([[-1.0, 0.5], [1.0, -0.3]])
    return denoisers.GaussianMixture.isotropic(sde=sde, weights=[0.4, 0.6], means=means, stds=0.4)


def inversion(predictor, n_steps, corrections=0):
    grid = samplers.LogSNR(sigma_min=0.02, sigma_max=1000.0)  # no jump from T
    sampler = samplers.Sampler(predictor=predictor, grid=grid, n_steps=n_steps, final=samplers.KeepSample())
    return Inversion(sampler=sampler, corrections=corrections)


def exact_latent(sde, grid_times, x):
    """The flow of N(m, s^2): x_t = alpha m + sqrt(alpha^2 s^2 + sigma^2) u with one u at all times."""
    end, start = float(grid_times[-1]), float(grid_times[0])

    def spread(t):
        return np.sqrt(float(sde.alpha(t)) ** 2 * STDS**2 + float(sde.variance(t)))

    u = (x - float(sde.alpha(end)) * MEAN) / spread(end)
    return float(sde.alpha(start)) * MEAN + spread(start) * u


@pytest.mark.parametrize("name", SDES)
def test_the_latent_of_normal_data_converges_to_that_of_the_flow(name):
    model = gaussian(SDES[name])
    errors = []
    for n_steps in (50, 100, 200):
        ours = inversion(samplers.DDIM(), n_steps)
        times = ours.sampler.times(model.sde, X.shape)
        exact = exact_latent(model.sde, times, X)
        errors.append(np.max(np.abs(ours.encode(model, jnp.asarray(X)) - exact)) / np.max(np.abs(exact)))
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all((orders > 0.9) & (orders < 1.15)), orders
    assert errors[-1] < 0.02


@pytest.mark.parametrize("name", SDES)
def test_encoding_normal_data_is_affine(name):
    """By the published recursion for each axis, in NumPy (Song, Meng and Ermon 2021, eq. 13)."""
    sde = SDES[name]
    ours = inversion(samplers.DDIM(), 20)
    times = np.asarray(ours.sampler.times(sde, X.shape))[::-1]
    x = X
    for s, t in itertools.pairwise(times):
        alpha, sigma = float(sde.alpha(s)), float(sde.sigma(s))
        gain = alpha * STDS**2 / (alpha**2 * STDS**2 + sigma**2)
        denoised = MEAN + gain * (x - alpha * MEAN)
        noise = (x - alpha * denoised) / sigma
        x = float(sde.alpha(t)) * denoised + float(sde.sigma(t)) * noise
    np.testing.assert_allclose(ours.encode(gaussian(sde), jnp.asarray(X)), x, rtol=1e-8)


@pytest.mark.parametrize(
    ("predictor", "order"), [(samplers.DDIM(), 1), (samplers.ProbabilityFlowHeun(), 2)], ids=["ddim", "heun"]
)
def test_round_trips_converge_with_the_order_of_the_predictor(predictor, order):
    for model in (mixture(SDES["vp"]), gaussian(SDES["ve"])):
        errors = []
        for n_steps in (80, 160, 320):
            ours = inversion(predictor, n_steps)
            again = ours.decode(model, ours.encode(model, jnp.asarray(X)))
            errors.append(np.max(np.abs(again - X)))
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert np.all(orders > order - 0.2), (orders, errors)


@pytest.mark.parametrize("name", SDES)
def test_fixed_points_are_undone_exactly(name):
    model = mixture(SDES[name])
    plain, corrected = (inversion(samplers.DDIM(), 60, corrections=n) for n in (0, 40))
    errors = [
        np.max(np.abs(ours.decode(model, ours.encode(model, jnp.asarray(X))) - X))
        for ours in (plain, corrected)
    ]
    assert errors[1] < 1e-6 < 1e-3 < errors[0], errors


def test_mistakes_are_named():
    model, x = gaussian(SDES["vp"]), jnp.asarray(X)
    with pytest.raises(InputError, match=r"predictor = 'DDIM': expected a deterministic one"):
        inversion(samplers.DDIM(eta=0.5), 5).encode(model, x)
    to_zero = samplers.Sampler(
        predictor=samplers.DDIM(), grid=samplers.ToZero(grid=samplers.Karras()), n_steps=5
    )
    with pytest.raises(InputError, match="expected times above 0"):
        Inversion(sampler=to_zero).encode(model, x)
    with pytest.raises(InputError, match=r"Inversion\.sampler\.corrector = 'Langevin'"):
        Inversion(sampler=to_zero.replace(corrector=samplers.Langevin()))
    with pytest.raises(InputError, match=r"Inversion\.corrections = -1"):
        Inversion(corrections=-1)


def test_another_picture_does_not_compile_again():
    traced = []

    class Counted(denoisers.Gaussian):
        def estimate(self, x, t, cond=None, *, key=None):
            traced.append(1)
            return super().estimate(x, t, cond, key=key)

    model = Counted(sde=SDES["vp"], mean=jnp.asarray(MEAN), covariance=jnp.diag(jnp.asarray(STDS**2)))
    ours = inversion(samplers.DDIM(), 10)
    ours.encode(model, jnp.asarray(X))
    before = len(traced)
    ours.encode(model, jnp.asarray(2 * X))
    assert len(traced) == before
    assert jax.tree.all(jax.tree.map(lambda a: bool(jnp.all(jnp.isfinite(a))), model))

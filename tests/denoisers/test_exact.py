"""Closed-form denoisers against scipy, conditional Gaussian algebra and the continuity equation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats
from walk import concrete_subclasses

from score_sde import denoisers, sdes
from score_sde.errors import InputError

SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
EVENT = (2, 2)
RNG = np.random.default_rng(7)
ROOTS = RNG.normal(size=(3, 4, 4))
COVARIANCES = ROOTS @ ROOTS.transpose(0, 2, 1) / 4 + 0.05 * np.eye(4)
MEANS = RNG.normal(size=(3, *EVENT))
WEIGHTS = np.array([0.2, 0.5, 0.3])
X = RNG.normal(size=(5, *EVENT))


@pytest.fixture(params=SDES, ids=lambda cls: cls.__name__)
def sde(request, x64):
    return request.param()


def gaussian(sde):
    return denoisers.Gaussian(sde=sde, mean=MEANS[0], covariance=COVARIANCES[0])


def mixture(sde):
    return denoisers.GaussianMixture(sde=sde, weights=WEIGHTS, means=MEANS, covariances=COVARIANCES)


def empirical(sde):
    return denoisers.Empirical(sde=sde, data=MEANS)


LAWS = pytest.mark.parametrize("law", [gaussian, mixture, empirical])


def diffused_log_prob(sde, t, k):
    alpha, variance = float(sde.alpha(t)), float(sde.variance(t))
    covariance = alpha**2 * COVARIANCES[k] + variance * np.eye(4)
    return scipy.stats.multivariate_normal(alpha * MEANS[k].ravel(), covariance).logpdf(X.reshape(5, 4))


@pytest.mark.parametrize("fraction", [0.0, 0.4, 1.0])
def test_log_prob_is_scipys(sde, fraction):
    t = sde.T * jnp.asarray(fraction)
    logs = np.stack([diffused_log_prob(sde, t, k) for k in range(3)])
    np.testing.assert_allclose(gaussian(sde).log_prob(X, t), logs[0], rtol=1e-10)
    expected = scipy.special.logsumexp(logs + np.log(WEIGHTS)[:, None], axis=0)
    np.testing.assert_allclose(mixture(sde).log_prob(X, t), expected, rtol=1e-10)


def test_empirical_log_prob_is_scipys(sde):
    t = sde.T * jnp.asarray(0.4)
    alpha, sigma = float(sde.alpha(t)), float(sde.sigma(t))
    logs = [scipy.stats.norm(alpha * m.ravel(), sigma).logpdf(X.reshape(5, 4)).sum(1) for m in MEANS]
    expected = scipy.special.logsumexp(logs, axis=0) - np.log(3)
    np.testing.assert_allclose(empirical(sde).log_prob(X, t), expected, rtol=1e-10)


@LAWS
def test_score_and_velocity_belong_to_the_density(sde, law):
    """score = grad log p, and d log p / dt = -div v - v . score: the continuity equation."""
    model = law(sde)
    times = sde.T * jnp.array([0.2, 0.35, 0.5, 0.7, 0.9])  # one per example
    x = jnp.asarray(X)
    estimate = model.estimate(x, times)
    score = jax.grad(lambda x: model.log_prob(x, times).sum())(x)
    np.testing.assert_allclose(estimate.score, score, rtol=1e-8, atol=1e-10)
    rate = jax.grad(lambda t: model.log_prob(x, t).sum())(times)
    jacobian = jax.vmap(jax.jacfwd(lambda x, t: model.velocity(x[None], t)[0].ravel()))(x, times)
    divergence = jnp.trace(jacobian.reshape(5, 4, 4), axis1=1, axis2=2)
    flux = jnp.sum(estimate.velocity * score, axis=(1, 2))
    np.testing.assert_allclose(rate, -divergence - flux, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(model(x, times), estimate.denoised, rtol=1e-12)


@LAWS
def test_conventions_agree(sde, law):
    """x = alpha D + sigma noise, score = -noise / sigma, v = alpha noise - sigma D."""
    model, t, x = law(sde), 0.6 * sde.T, jnp.asarray(X)
    alpha, sigma = sde.alpha(t), sde.sigma(t)
    denoised, noise, score, velocity = model.estimate(x, t)
    np.testing.assert_allclose(alpha * denoised + sigma * noise, X, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(score, -noise / sigma, rtol=1e-9)
    np.testing.assert_allclose(model.v(x, t), alpha * noise - sigma * denoised, rtol=1e-9)
    flow = model.reverse_drift(x, t, churn=0.0)
    np.testing.assert_allclose(velocity, flow, rtol=1e-9, atol=1e-12)


def test_gaussian_posterior_mean_is_linear_algebra(sde):
    """m + a C (a^2 C + s^2 I)^-1 (x - a m), by numpy's solver (Bishop 2006, eq. 2.116)."""
    t = jnp.asarray(0.3 * sde.T)
    alpha, variance = float(sde.alpha(t)), float(sde.variance(t))
    offset = X.reshape(5, 4) - alpha * MEANS[0].ravel()
    total = alpha**2 * COVARIANCES[0] + variance * np.eye(4)
    expected = MEANS[0].ravel() + alpha * np.linalg.solve(total, offset.T).T @ COVARIANCES[0]
    np.testing.assert_allclose(gaussian(sde)(X, t).reshape(5, 4), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("law", [gaussian, mixture])
def test_end_points_are_finite_limits(sde, law):
    model, x = law(sde), jnp.asarray(X)
    for fraction, near in ((0.0, 1e-9), (1.0, 1 - 1e-9)):
        at, close = model.estimate(x, fraction * sde.T), model.estimate(x, near * sde.T)
        for name, value, limit in zip(at._fields, at, close, strict=True):
            tolerance = 3e-4 if name == "noise" and fraction == 0 else 1e-4  # sigma ~ sqrt(t) in VP
            np.testing.assert_allclose(value, limit, rtol=1e-3, atol=tolerance, err_msg=name)
    if float(sde.sigma(0.0)) == 0:
        np.testing.assert_allclose(model(x, 0.0), X, rtol=1e-9)
    if float(sde.alpha(sde.T)) == 0:
        mean = MEANS[0] if law is gaussian else np.tensordot(WEIGHTS, MEANS, 1)
        np.testing.assert_allclose(model(x, sde.T), np.broadcast_to(mean, X.shape), rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_empirical_picks_the_nearest_at_time_zero_and_the_mean_at_the_end():
    model = empirical(sdes.RectifiedFlow())
    near = jnp.asarray(MEANS + 0.05)
    np.testing.assert_array_equal(model(near, 0.0), MEANS)
    np.testing.assert_allclose(model(near, 1.0), np.broadcast_to(MEANS.mean(0), MEANS.shape), rtol=1e-12)
    narrow = denoisers.GaussianMixture.isotropic(sde=model.sde, weights=np.ones(3), means=MEANS, stds=0.0)
    np.testing.assert_allclose(model(X, 0.5), narrow(X, 0.5), rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_isotropic_and_posterior_probabilities():
    model = denoisers.GaussianMixture.isotropic(
        sde=sdes.VP(), weights=[1, 3], means=np.array([[-1.0], [1.0]]), stds=[0.5, 0.25]
    )
    x, t = np.array([[0.3], [-2.0]]), jnp.asarray(0.2)
    alpha, variance = float(model.sde.alpha(t)), float(model.sde.variance(t))
    stds = np.sqrt(alpha**2 * np.array([0.5, 0.25]) ** 2 + variance)
    joint = np.array([0.25, 0.75]) * scipy.stats.norm(alpha * np.array([-1.0, 1.0]), stds).pdf(x)
    np.testing.assert_allclose(model.posterior(x, t), joint / joint.sum(1, keepdims=True), rtol=1e-10)


def test_far_from_every_component_float32_stays_finite():
    model = mixture(sdes.VP())
    x = 1e4 * jnp.ones((2, *EVENT), jnp.float32)
    for t in (0.0, 0.01, 1.0):
        assert all(bool(jnp.all(jnp.isfinite(part))) for part in model.estimate(x, t))
        assert bool(jnp.all(jnp.isfinite(model.log_prob(x, t))))


def scores(draws, mean, covariance):
    """Largest standardised error of the mean and of the second moments."""
    n, rows = len(draws), np.asarray(draws).reshape(len(draws), -1)
    products = np.einsum("ni,nj->nij", rows, rows)
    second = covariance + np.outer(mean, mean)
    first = np.abs(rows.mean(0) - mean) / (rows.std(0) / np.sqrt(n))
    return max(first.max(), (np.abs(products.mean(0) - second) / (products.std(0) / np.sqrt(n))).max())


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("law", [gaussian, mixture, empirical])
def test_samples_have_the_moments_of_the_law(law):
    """z-scores of first and second moments below 4.5; a planted 5 % in the scale exceeds it."""
    draws = law(sdes.VP()).sample(jax.random.key(3), 40_000)
    weights = {"gaussian": np.array([1.0, 0, 0]), "mixture": WEIGHTS, "empirical": np.ones(3) / 3}
    weights = weights[law.__name__]
    rows = MEANS.reshape(3, 4)
    within = 0 if law is empirical else np.tensordot(weights, COVARIANCES, 1)
    mean = weights @ rows
    covariance = within + (rows.T * weights) @ rows - np.outer(mean, mean)
    assert scores(draws, mean, covariance) < 4.5
    assert scores(1.05 * draws, mean, covariance) > 4.5


def test_models_pass_through_jit_as_arguments():
    run = jax.jit(lambda model, x: model(x, 0.5))
    for law in (gaussian, mixture, empirical):
        model = law(sdes.VP())
        np.testing.assert_allclose(
            run(model, jnp.asarray(X)), model(jnp.asarray(X), 0.5), rtol=2e-5, atol=1e-6
        )


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: denoisers.Gaussian(sde=sdes.VP(), mean=np.zeros(3), covariance=np.eye(2)), "covariance"),
        (lambda: denoisers.Gaussian(sde=sdes.VP(), mean=np.zeros(2), covariance=-np.eye(2)), "covariance"),
        (
            lambda: denoisers.Gaussian(sde=sdes.VP(), mean=np.zeros(2), covariance=[[1.0, 0.5], [0.0, 1.0]]),
            "covariance",
        ),
        (
            lambda: denoisers.GaussianMixture.isotropic(
                sde=sdes.VP(), weights=[1.0, 0.0], means=np.zeros((2, 1)), stds=1.0
            ),
            "weights",
        ),
        (
            lambda: denoisers.GaussianMixture.isotropic(
                sde=sdes.VP(), weights=[1.0], means=np.zeros((2, 1)), stds=1.0
            ),
            "weights",
        ),
    ],
)
def test_mistakes_are_named(build, where):
    with pytest.raises(InputError, match=where):
        build()

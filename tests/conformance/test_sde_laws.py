"""Laws that every Gaussian SDE of the package obeys, found by walking it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from walk import concrete_subclasses

from score_sde import sdes

pytestmark = pytest.mark.usefixtures("x64")
GAUSSIAN = concrete_subclasses(sdes.GaussianSDE)


@pytest.fixture(params=GAUSSIAN, ids=lambda cls: cls.__name__)
def sde(request):
    return request.param()


def interior(sde, n=9):
    return sde.T * jnp.linspace(0.03, 0.97, n)


def test_the_walk_finds_the_six_of_the_library():
    names = {cls.__name__ for cls in GAUSSIAN}
    assert names >= {"VP", "SubVP", "VE", "EDM", "Cosine", "RectifiedFlow"}


def test_coefficients_are_those_of_the_kernel(sde):
    """f = d log alpha/dt and g^2 = d sigma^2/dt - 2 f sigma^2, by differentiating in float64."""
    times = interior(sde)
    log_rate = jax.vmap(jax.grad(lambda t: jnp.log(sde.alpha(t))))(times)
    variance_rate = jax.vmap(jax.grad(lambda t: sde.sigma(t) ** 2))(times)
    squared = variance_rate - 2 * log_rate * sde.sigma(times) ** 2
    np.testing.assert_allclose(sde.drift_rate(times), log_rate, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sde.diffusion(times) ** 2, squared, rtol=1e-8)
    np.testing.assert_allclose(sde.variance_rate(times), variance_rate, rtol=1e-8)
    np.testing.assert_allclose(sde.alpha_rate(times), log_rate * sde.alpha(times), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(sde.sigma_rate(times), variance_rate / (2 * sde.sigma(times)), rtol=1e-8)
    x = jnp.linspace(-2, 2, len(times))[:, None]
    np.testing.assert_allclose(sde.drift(x, times), log_rate[:, None] * x, rtol=1e-9, atol=1e-12)


def test_euler_maruyama_moments_converge_to_the_kernel(sde):
    """Exact Euler-Maruyama moments end at alpha and sigma^2, with order 1 (Kloeden and Platen)."""
    start, end = 0.2 * sde.T, 0.8 * sde.T

    def moments(n):
        times = jnp.linspace(start, end, n + 1)
        rates, squared = sde.drift_rate(times[:-1]), sde.diffusion(times[:-1]) ** 2
        step = (end - start) / n

        def recurse(state, coefficient):
            mean, variance = state
            rate, noise = coefficient
            return ((1 + step * rate) * mean, (1 + step * rate) ** 2 * variance + noise * step), None

        first = (sde.alpha(start), sde.variance(start))
        return jnp.stack(jax.lax.scan(recurse, first, (rates, squared))[0])

    exact = jnp.stack([sde.alpha(end), sde.variance(end)])
    coarse, fine = moments(2000) - exact, moments(4000) - exact
    np.testing.assert_allclose(2 * fine, coarse, rtol=0.02, atol=1e-9)  # the error halves
    np.testing.assert_allclose(moments(4000), exact, rtol=0.02)


def simulate(sde, key, n_paths=4000, n_steps=300, bias=1.0):
    """Forward Euler-Maruyama paths from x_0 = 1 where the coefficients are finite, to 0.8 T."""
    times = jnp.linspace(0.0, 0.8 * sde.T, n_steps + 1)

    def step(x, pair):
        t, s, key = pair
        noise = jax.random.normal(key, x.shape)
        return x + sde.drift(x, t) * (s - t) + bias * sde.diffusion(t) * jnp.sqrt(s - t) * noise, None

    start = jnp.ones((n_paths, 1)) + sde.sigma(0.0) * jax.random.normal(key, (n_paths, 1))
    keys = jax.random.split(jax.random.fold_in(key, 1), n_steps)
    return jax.lax.scan(step, start, (times[:-1], times[1:], keys))[0][:, 0]


def test_monte_carlo_paths_have_the_marginal_law(sde):
    """Standardised end points are N(0, 1) by the variance; a 5 % larger diffusion is told apart."""
    mean, std = sde.marginal(jnp.ones((1, 1)), 0.8 * sde.T)

    def deviation(bias):  # of the standard deviation, in units of its standard error 1 / sqrt(2 n)
        paths = (simulate(sde, jax.random.key(7), bias=bias) - mean[0, 0]) / std
        return (jnp.std(paths) - 1) * np.sqrt(2 * len(paths)), jnp.mean(paths) * np.sqrt(len(paths))

    spread, shift = deviation(1.0)
    assert abs(shift) < 4
    assert abs(spread) < 3
    assert abs(deviation(1.05)[0]) > 3


def test_transitions_compose(sde):
    """q(t|r) = q(t|s) q(s|r): scales multiply and variances add (Chapman-Kolmogorov)."""
    r, s, t = 0.1 * sde.T, 0.5 * sde.T, 0.9 * sde.T
    first, second, whole = sde.transition(s, r), sde.transition(t, s), sde.transition(t, r)
    np.testing.assert_allclose(whole.scale, first.scale * second.scale, rtol=1e-12)
    variance = second.scale**2 * first.std**2 + second.std**2
    np.testing.assert_allclose(whole.std**2, variance, rtol=1e-10)


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.7), (1.0, 0.0), (0.6, 0.2), (0.3, 0.0)])
def test_bridge_is_bayes_rule(sde, t, s):
    """Drawing x_t, then x_s given x_t and x_0, gives back the marginal at s; finite at both ends."""
    t, s = t * sde.T, s * sde.T
    c_x, c_0, std = sde.bridge(t, s)
    assert np.isfinite([c_x, c_0, std]).all()
    np.testing.assert_allclose(c_0 + c_x * sde.alpha(t), sde.alpha(s), rtol=1e-10)
    np.testing.assert_allclose(std**2 + c_x**2 * sde.variance(t), sde.variance(s), rtol=1e-9, atol=1e-20)
    covariance = c_x * sde.variance(t)  # of x_s and x_t given x_0 = (alpha_t/alpha_s) sigma_s^2
    np.testing.assert_allclose(covariance, sde.alpha(t) / sde.alpha(s) * sde.variance(s), rtol=1e-9)


def test_snr_decreases_and_inverts(sde):
    """log SNR falls strictly and time_at_log_snr is its inverse, end points included."""
    times = sde.T * jnp.linspace(0, 1, 101)
    log_snr = sde.log_snr(times)
    assert (np.diff(log_snr) < 0).all()
    np.testing.assert_allclose(sde.time_at_log_snr(log_snr), times, rtol=1e-8, atol=1e-10)


def test_base_class_bisection_agrees_with_closed_form_inverse(sde):
    log_snr = sde.log_snr(interior(sde))
    bisected = sdes.GaussianSDE.time_at_log_snr(sde, log_snr)
    np.testing.assert_allclose(sde.time_at_log_snr(log_snr), bisected, rtol=1e-9)


def test_kernel_is_finite_at_both_ends(sde):
    for t in (0.0, sde.T):
        values = [sde.alpha(t), sde.sigma(t), sde.alpha_rate(t), sde.variance_rate(t)]
        assert np.isfinite(values).all()


def test_prior_log_density_is_scipys(sde):
    """scipy.stats.norm with the prior's scale; and its samples have that scale."""
    prior = sde.prior((5, 2, 3))
    x = prior.sample(jax.random.key(0))
    scale = float(sde.sigma(sde.T))
    expected = scipy.stats.norm(scale=scale).logpdf(np.asarray(x)).sum(axis=(1, 2))
    np.testing.assert_allclose(prior.log_prob(x), expected, rtol=1e-4)  # VP takes scale 1 for 0.99998
    many = sde.prior((20000,)).sample(jax.random.key(1))
    assert abs(np.std(many) / scale - 1) < 4 / np.sqrt(2 * 20000)


def test_survives_jit_vmap_grad_and_flattening(sde):
    leaves, structure = jax.tree.flatten(sde)
    rebuilt = jax.tree.unflatten(structure, leaves)
    t = 0.4 * sde.T
    np.testing.assert_allclose(jax.jit(lambda sde, t: sde.sigma(t))(rebuilt, t), sde.sigma(t), rtol=1e-12)
    times = interior(sde)
    np.testing.assert_allclose(jax.vmap(sde.diffusion)(times), sde.diffusion(times), rtol=1e-12)
    gradient = jax.grad(lambda sde: jnp.sum(sde.marginal(jnp.ones((2, 3)), t).mean))(
        jax.tree.map(jnp.asarray, sde)
    )
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))

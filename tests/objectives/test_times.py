"""Laws of times: quantiles against scipy, importance sampling against uniform times, bounded variance."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from walk import concrete_subclasses

from score_sde import denoisers, objectives, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
LAWS = concrete_subclasses(objectives.QuantileTimes, "score_sde.objectives")
U = (np.arange(200_000) + 0.5) / 200_000


@pytest.fixture(params=SDES, ids=lambda cls: cls.__name__)
def sde(request):
    return request.param()


def test_quantiles_are_scipys(sde):
    u = jnp.asarray(U[5000:-5000:5000])
    np.testing.assert_allclose(
        objectives.UniformTimes(t_min=0.01).quantile(sde, u), scipy.stats.uniform(0.01, sde.T - 0.01).ppf(u)
    )
    logit = scipy.special.logit(
        np.asarray(objectives.LogitNormal(mean=0.3, std=2.0).quantile(sde, u)) / sde.T
    )
    np.testing.assert_allclose(logit, scipy.stats.norm(0.3, 2.0).ppf(u), rtol=1e-7, atol=1e-7)
    sigma = np.exp(-0.5 * np.asarray(sde.log_snr(objectives.LogNormalSigma().quantile(sde, u))))
    np.testing.assert_allclose(sigma, scipy.stats.lognorm(1.2, scale=np.exp(-1.2)).ppf(u), rtol=1e-6)
    law = objectives.UniformLogSNR(low=-4.0, high=7.0)
    np.testing.assert_allclose(sde.log_snr(law.quantile(sde, u)), 7 - 11 * u, rtol=1e-6, atol=1e-6)


def mean_square(sde, t):
    """E |E[z | x_t] - z|^2 for data N(0, 0.6^2): the posterior variance of z, in closed form."""
    signal = 0.36 * np.asarray(sde.alpha(t)) ** 2
    return signal / (signal + np.asarray(sde.variance(t)))


@pytest.mark.parametrize("weight", [objectives.LikelihoodWeighting(), objectives.SigmaSquared()])
def test_importance_sampling_keeps_the_expectation(sde, weight):
    """E over each law by its quantiles at 200,000 midpoints: equal to 0.1 %, so 5 % would be seen."""
    uniform, importance = objectives.UniformTimes(t_min=0.01), objectives.LikelihoodImportance(t_min=0.01)

    def expectation(times):
        t = times.quantile(sde, jnp.asarray(U))
        return float(np.mean(times.factor(weight, sde, t) * mean_square(sde, t)))

    np.testing.assert_allclose(expectation(importance), expectation(uniform), rtol=1e-3)


def test_density_of_importance_times_is_the_likelihood_weight(sde):
    """du / dt proportional to g^2 / sigma^2 (Song et al. 2021, ScoreFlow)."""
    law = objectives.LikelihoodImportance(t_min=0.01)
    u = jnp.linspace(0.1, 0.9, 9)
    t, speed = jax.jvp(lambda u: law.quantile(sde, u), (u,), (jnp.ones_like(u),))
    if float(jnp.max(jnp.abs(speed))) == 0:  # bisection has no derivative: difference it
        speed = (law.quantile(sde, u + 1e-5) - law.quantile(sde, u - 1e-5)) / 2e-5
    product = speed * sde.squared_diffusion(t) / sde.variance(t)
    np.testing.assert_allclose(product, np.full(9, product[0]), rtol=1e-4)


def test_likelihood_factor_under_importance_is_one_constant(sde):
    """No ratio of huge numbers, also at T where g may be infinite and at t_min."""
    law = objectives.LikelihoodImportance()
    t = jnp.array([law.t_min, 0.3 * sde.T, sde.T])
    factor = law.factor(objectives.LikelihoodWeighting(), sde, t)
    assert float(jnp.ptp(factor)) == 0
    assert bool(jnp.isfinite(factor[0]))


def test_importance_bounds_the_variance_of_the_likelihood_loss():
    """Second moment of factor * r^2 over u: the constant factor is within twice the squared mean here.

    With uniform times it grows like 1 / t_min: over 200 times larger at 1e-5 on the VP SDE.
    """
    sde, weight = sdes.VP(), objectives.LikelihoodWeighting()

    def relative_second_moment(times):
        t = times.quantile(sde, jnp.asarray((np.arange(500_000) + 0.5) / 500_000))
        loss = np.asarray(times.factor(weight, sde, t) * mean_square(sde, t))
        return np.mean(loss**2) / np.mean(loss) ** 2

    bounded = relative_second_moment(objectives.LikelihoodImportance())
    assert bounded < 2
    assert relative_second_moment(objectives.UniformTimes()) > 200 * bounded


def test_no_law_meets_the_end_of_the_random_generator(sde, monkeypatch):
    """A drawn 0 or the largest number below 1 gives finite times inside [0, T]."""
    for value in (0.0, 1 - 2.0**-53):
        monkeypatch.setattr(jax.random, "uniform", lambda key, shape=(), value=value: jnp.full(shape, value))
        for law in LAWS:
            for batch in (objectives.Independent(), objectives.Stratified()):
                t = law(batch=batch)(jax.random.key(0), sde, 3)
                assert bool(jnp.all((t >= 0) & (t <= sde.T))), law


def test_stratified_draws_are_evenly_spread_and_each_uniform():
    n, batch = 16, objectives.Stratified()
    draws = jax.vmap(lambda key: batch(key, n))(jax.random.split(jax.random.key(0), 4000))
    np.testing.assert_allclose(np.diff(np.sort(draws, axis=1), axis=1), 1 / n, atol=1e-9)
    for column in (0, 7, 15):
        assert scipy.stats.kstest(np.asarray(draws[:, column]), "uniform").pvalue > 1e-3
        assert scipy.stats.kstest(0.95 * np.asarray(draws[:, column]), "uniform").pvalue < 1e-3
    independent = jax.vmap(lambda key: objectives.Independent()(key, n))(
        jax.random.split(jax.random.key(1), 4000)
    )
    # The mean of u^2 over the batch: variance 1 / (12 n^2) to first order, against (1/5 - 1/9) / n.
    square = [float(jnp.var(jnp.mean(u**2, axis=1))) for u in (draws, independent)]
    np.testing.assert_allclose(square, [1 / (12 * n**2), (1 / 5 - 1 / 9) / n], rtol=0.1)


def test_stratified_lowers_the_variance_of_a_batch_loss():
    sde = sdes.VP()
    model = denoisers.Gaussian(sde=sde, mean=np.zeros(2), covariance=np.eye(2))
    x0 = model.sample(jax.random.key(9), 64)

    def spread(batch):
        objective = objectives.DenoisingScoreMatching(times=objectives.UniformTimes(batch=batch))
        keys = jax.random.split(jax.random.key(2), 400)
        return float(jnp.std(jax.vmap(lambda key: jnp.mean(objective(key, model, x0)))(keys)))

    assert spread(objectives.Stratified()) < 0.8 * spread(objectives.Independent())


def test_mixture_is_the_mixture_of_its_laws():
    """Its distribution function is the mixture of scipy's, to 1e-4: 5 % more of one share would be seen."""
    sde = sdes.EDM()
    law = objectives.MixtureTimes(
        first=objectives.LogNormalSigma(mean=0.0, std=1.0),
        second=objectives.UniformLogSNR(low=-4.0, high=6.0),
        share=0.3,
    )
    log_snr = np.sort(np.asarray(sde.log_snr(law.quantile(sde, jnp.asarray(U)))))
    at = np.linspace(-3.5, 5.5, 19)
    expected = 0.3 * scipy.stats.norm(0, 2).cdf(at) + 0.7 * scipy.stats.uniform(-4, 10).cdf(at)
    measured = np.searchsorted(log_snr, at) / len(log_snr)
    np.testing.assert_allclose(measured, expected, atol=1e-4)


def test_a_mixture_needs_both_of_its_laws():
    with pytest.raises(InputError, match=r"MixtureTimes\.share"):
        objectives.MixtureTimes(share=1.0)

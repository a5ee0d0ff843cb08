"""Particle filters against evidence and posteriors in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoisers import Gaussian, IsotropicMixture
from score_sde.errors import InputError
from score_sde.inverse import (
    CovarianceTwist,
    Dense,
    Function,
    GaussianNoise,
    IsotropicTwist,
    MCGDiff,
    Measurement,
    NoTwist,
    PointTwist,
    PoissonNoise,
    TwistedSMC,
    log_evidence,
    posterior,
)
from score_sde.samplers import LogSNR
from score_sde.sdes import VP

SDE = VP(beta_max=100.0)  # alpha(T) = e^-25: the prior is exact
MATRIX = np.array([[1.0, 0.5, 0.2], [0.3, -1.0, 0.4]])


def measured(y=(1.0, -0.5), std=0.3):
    noise = GaussianNoise(std=std)
    return Measurement(y=jnp.array([y]), operator=Dense(matrix=MATRIX), noise=noise)


def mixture():
    means = np.array([[-2.0, -1.0, 0.0], [2.0, 0.5, 1.0], [0.0, 2.0, -1.0]])
    return IsotropicMixture(sde=SDE, weights=[0.5, 0.3, 0.2], means=means)


def repeated(method, particles, runs, measurement=None, prior=None, seed=0):
    """Errors of log evidence (runs,), and weighted means (runs, 3)."""
    measurement = measured() if measurement is None else measurement
    prior = mixture() if prior is None else prior

    @jax.jit
    def many(keys):
        def one(key):
            found = method.particles(key, prior, measurement, (particles, 3))
            return found.log_evidence, jnp.exp(found.log_weights) @ found.x

        return jax.lax.map(one, keys, batch_size=min(runs, 4096 // particles))

    evidence, means = many(jax.random.split(jax.random.key(seed), runs))
    return np.asarray(evidence) - float(log_evidence(prior, measurement)), np.asarray(means)


@pytest.mark.parametrize("twist", [IsotropicTwist(), CovarianceTwist()])
def test_weights_do_not_vary_where_the_twist_is_right(x64, twist):
    """Gaussian data of variance one: the twist is p(y | x_t), the step p(x_s | x_t, y), in few steps too."""
    prior = Gaussian(sde=SDE, mean=jnp.array([0.5, -1.0, 2.0]), covariance=jnp.eye(3))
    method = TwistedSMC(twist=twist, n_steps=4)
    found = method.particles(jax.random.key(0), prior, measured(), (16, 3))
    assert float(jnp.ptp(found.log_weights)) < 1e-6
    np.testing.assert_allclose(found.log_evidence, log_evidence(prior, measured()), atol=1e-6)
    off = method.replace(data_std=1.05).particles(jax.random.key(0), prior, measured(), (16, 3))
    assert float(jnp.ptp(off.log_weights)) > 1e-3  # the law can fail


def gaussian():
    return Gaussian(sde=SDE, mean=jnp.array([0.5, -1.0, 2.0]), covariance=jnp.eye(3))


CASES = {  # filters on Gaussian data are exact chains in few steps; on the mixture in the limit of many
    "none": (gaussian, TwistedSMC(twist=NoTwist(), n_steps=4), 256),
    "point": (gaussian, TwistedSMC(twist=PointTwist(inflation=3.0), n_steps=10), 256),
    "mcgdiff": (gaussian, MCGDiff(n_steps=20), 1024),
    "mixture": (mixture, TwistedSMC(n_steps=100, grid=LogSNR(sigma_min=0.3, sigma_max=20.0)), 128),
}


@pytest.mark.parametrize("case", CASES)
def test_evidence_is_right_on_average(case):
    """Mean of estimates over p(y) is one within 4 standard errors, so small that 1.05 would fail."""
    make, method, particles = CASES[case]
    errors, _ = repeated(method, particles, 512, measured(std=1.0), prior=make())
    ratios = np.exp(errors)
    standard = ratios.std() / np.sqrt(len(ratios))
    slack = 0.02 if case == "mixture" else 0.0
    assert 4 * standard + slack < 0.05
    assert abs(ratios.mean() - 1) < 4 * standard + slack, (ratios.mean(), standard)


def test_errors_shrink_as_particles_grow():
    """Sixteen times the particles: a quarter of the evidence's error and of the posterior mean's."""
    expected = np.asarray(posterior(mixture(), measured()).mean)
    size = {}
    for particles in (32, 512):
        errors, means = repeated(TwistedSMC(n_steps=60), particles, 200, seed=particles)
        size[particles] = errors.std(), np.sqrt(np.mean((means - expected) ** 2))
    for few, many in zip(size[32], size[512], strict=True):
        assert 2 < few / many < 8
    assert size[512][1] < 0.1


def test_mcgdiff_meets_an_exact_measurement():
    """x agrees with y, and the density of y is that of the mixture without noise."""
    measurement = measured(std=0.0)
    method = MCGDiff(grid=LogSNR(sigma_min=0.1, sigma_max=30.0), n_steps=120)
    found = method.particles(jax.random.key(0), mixture(), measurement, (4096, 3))
    np.testing.assert_allclose(measurement.residual(found.x), 0, atol=1e-4)
    np.testing.assert_allclose(found.log_evidence, log_evidence(mixture(), measurement), atol=0.15)
    mean = jnp.exp(found.log_weights) @ found.x
    np.testing.assert_allclose(mean, posterior(mixture(), measurement).mean, atol=0.15)


def test_chunks_change_nothing():
    method = TwistedSMC(n_steps=2)
    whole = method.particles(jax.random.key(0), mixture(), measured(), (12, 3))
    parts = method.replace(chunk=4).particles(jax.random.key(0), mixture(), measured(), (12, 3))
    np.testing.assert_allclose(whole.x, parts.x, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(whole.log_evidence, parts.log_evidence, rtol=1e-5)


def test_what_the_model_holds_counts_as_memory(monkeypatch):
    """A mixture holds a number a component and particle: 5,000 times 500 take 10 MB; in parts it fits."""
    monkeypatch.setattr("score_sde.inverse.particles.memory.memory", lambda: 9e6)
    means = np.random.default_rng(0).standard_normal((5000, 3))
    prior = IsotropicMixture(sde=SDE, weights=np.full(5000, 1 / 5000), means=means)
    method, key = TwistedSMC(n_steps=2), jax.random.key(0)
    with pytest.raises(InputError, match=r"or more of memory.*chunk") as told:
        method.particles(key, prior, measured(), (500, 3))
    assert float(told.value.expected.split()[0]) * 1e9 > 10e6
    fitting = int(told.value.remedy.split()[3].rstrip(","))
    assert 50 <= fitting < 450
    assert np.isfinite(method.replace(chunk=20).particles(key, prior, measured(), (500, 3)).log_evidence)


def test_draws_of_more_particles():
    method = TwistedSMC(n_steps=2, per_draw=6)
    x = method(jax.random.key(0), mixture(), measured(), (2, 3))
    assert x.shape == (2, 3)


def test_mistakes_are_named():
    key, prior = jax.random.key(0), mixture()
    with pytest.raises(InputError, match="fewer than"):
        TwistedSMC().particles(key, prior, measured(), (10**12, 3))
    with pytest.raises(InputError, match="chunk"):
        TwistedSMC(chunk=5).particles(key, prior, measured(), (12, 3))
    with pytest.raises(InputError, match="MCGDiff"):
        TwistedSMC().particles(key, prior, measured(std=0.0), (12, 3))
    with pytest.raises(InputError, match=r"MCGDiff\.data_std"):
        MCGDiff(data_std=0.0).particles(key, prior, measured(std=0.0), (12, 3))
    two = measured().replace(y=jnp.ones((2, 2)))
    with pytest.raises(InputError, match="one measurement"):
        TwistedSMC().particles(key, prior, two, (2, 3))
    bent = measured().replace(operator=Function(shape=(3,), function=lambda x: x[:, :2] ** 2))
    with pytest.raises(InputError, match="linear"):
        TwistedSMC().particles(key, prior, bent, (12, 3))
    with pytest.raises(InputError, match="GaussianNoise"):
        MCGDiff().particles(key, prior, measured().replace(noise=PoissonNoise(peak=10.0)), (12, 3))

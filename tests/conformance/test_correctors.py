"""Laws of every corrector: what it leaves of p_t, and that it stays where there is no score."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.verification import held, verify_corrector
from score_sde.verification.correctors import gradients, stays_without_noise

CORRECTORS = [cls() for cls in concrete_subclasses(samplers.Corrector, under="score_sde.samplers")]


def name(part):
    return type(part).__name__


def gaussian(sde, variance=1.0, dimensions=1):
    covariance = variance * jnp.eye(dimensions)
    return denoisers.Gaussian(sde=sde, mean=jnp.zeros(dimensions), covariance=covariance)


def stationary_variance(corrector, model, x, t, steps, kept):
    """Mean of the sample variances over the last ``kept`` of ``steps`` steps."""

    @jax.jit
    def run(key, x):
        def advance(x, key):
            x = corrector.step(key, model, x, t)
            return x, jnp.mean(jnp.square(x))

        return jnp.mean(jax.lax.scan(advance, x, jax.random.split(key, steps))[1][-kept:])

    return float(run(jax.random.key(0), x))


@pytest.mark.parametrize("corrector", CORRECTORS, ids=name)
def test_what_every_corrector_obeys(corrector, x64):
    """It keeps p_t within 5 %, stays where there is no noise, and has finite gradients."""
    found = list(verify_corrector(corrector, sdes.VP()))
    for sde in (sdes.EDM(), sdes.RectifiedFlow(), sdes.Cosine()):
        found += held((stays_without_noise, gradients), corrector, sde)
    assert not [finding for finding in found if not finding.holds]


class Louder(samplers.AnnealedLangevin):
    """Noise that is 5 % too large, which moves x where there is no noise too."""

    def step(self, key, model, x, t, cond=None):
        moved = super().step(key, model, x, t, cond)
        return moved + 0.05 * 2 * self.snr * model.sde.sigma(t) * arrays.normal_like(key, x)


class Restless(samplers.Corrector):
    """Keeps no law, wherever it is."""

    def step(self, key, model, x, t, cond=None):
        return x + 0.1 * jax.random.normal(key, x.shape)


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        (Louder(snr=0.1), {"keeps_the_law"}),
        (Restless(), {"keeps_the_law", "stays_without_noise"}),
    ],
)
def test_what_is_wrong_is_told_by_its_laws(wrong, failing):
    found = {finding.law for finding in verify_corrector(wrong, sdes.EDM(T=2.0)) if not finding.holds}
    assert found == failing


@pytest.mark.parametrize("cls", [samplers.AnnealedLangevin, samplers.OriginalAnnealedLangevin])
def test_a_fixed_langevin_step_h_settles_at_variance_v_over_1_minus_h_over_2v(cls, monkeypatch, x64):
    """x' = (1 - h / v) x + sqrt(2 h) z on N(0, v), found by probing with unit noise."""
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.broadcast_to(key, x.shape))
    sde, t, v, snr = sdes.EDM(), jnp.array(0.9), 1.7, 0.4
    corrector, model = cls(snr=snr), gaussian(sde, v - 0.9**2)  # x_t ~ N(0, v)
    slope = corrector.step(jnp.array(0.0), model, jnp.ones((1, 1)), t)[0, 0]
    noise = corrector.step(jnp.array(1.0), model, jnp.zeros((1, 1)), t)[0, 0]
    h = 2 * (snr * 0.9) ** 2
    np.testing.assert_allclose(noise**2 / (1 - slope**2), v / (1 - h / (2 * v)), rtol=1e-9)


@pytest.mark.parametrize(
    "corrector",
    [
        samplers.Langevin(snr=0.4),
        samplers.Langevin(snr=0.4, norm=samplers.BatchMeanNorm()),
        samplers.OriginalLangevin(snr=0.4),
    ],
    ids=["per-example", "batch-mean", "original"],
)
def test_the_snr_langevin_step_settles_at_variance_1_plus_r_squared(corrector):
    """With h = 2 r^2 / v in many dimensions, v (1 - h / v)^2 + 2 h = v gives v = 1 + r^2."""
    x = jax.random.normal(jax.random.key(1), (16, 4096))
    model, t = Standard(sde=sdes.VP()), jnp.array(0.5)
    assert abs(stationary_variance(corrector, model, x, t, steps=40, kept=20) - 1.16) < 0.01


class Standard(denoisers.Denoiser):
    """N(0, I) in any number of dimensions without its matrix: D = alpha x where alpha^2 + sigma^2 = 1."""

    def __call__(self, x, t, cond=None, *, key=None):
        return self.sde.alpha(t) * x


class TestMetropolis:
    def test_the_variance_is_that_of_p_t_where_the_same_step_unadjusted_is_far_off(self):
        """h = 2 (0.5)^2 at sigma = 1: unadjusted, the variance is 1 / (1 - h / 2) = 1.33."""
        model, t = gaussian(sdes.VP()), jnp.array(1.0)
        x = jax.random.normal(jax.random.key(1), (400_000, 1))
        adjusted = samplers.MetropolisAdjustedLangevin(snr=0.5, nodes=2)
        assert abs(stationary_variance(adjusted, model, x, t, steps=40, kept=30) - 1) < 0.003
        unadjusted = samplers.AnnealedLangevin(snr=0.5)
        assert abs(stationary_variance(unadjusted, model, x, t, steps=40, kept=30) - 4 / 3) < 0.01

    def test_a_mixture_is_left_as_it_is(self):
        """Its score is not linear, so the quadrature has to do its work."""
        sde, t = sdes.VP(), jnp.array(0.15)
        model = denoisers.GaussianMixture.isotropic(
            sde=sde, weights=[0.3, 0.7], means=[[-1.0], [1.0]], stds=[0.2, 0.3]
        )
        x0 = model.sample(jax.random.key(0), 100_000)
        z = jax.random.normal(jax.random.key(1), x0.shape)
        x = sde.alpha(t) * x0 + sde.sigma(t) * z
        second_moment = 0.3 * (1 + 0.2**2) + 0.7 * (1 + 0.3**2)
        expected = sde.alpha(t) ** 2 * second_moment + sde.variance(t)
        adjusted = samplers.MetropolisAdjustedLangevin(snr=0.8)
        variance = stationary_variance(adjusted, model, x, t, steps=20, kept=10)
        np.testing.assert_allclose(variance, expected, rtol=0.01)
        unadjusted = samplers.AnnealedLangevin(snr=0.8)
        assert stationary_variance(unadjusted, model, x, t, steps=20, kept=10) > 1.05 * expected

    @pytest.mark.parametrize("nodes", [2, 3, 4, 7])
    def test_the_quadrature_is_exact_to_its_degree(self, nodes):
        from score_sde.samplers.correctors.metropolis_adjusted_langevin import gauss_lobatto

        positions, weights = gauss_lobatto(nodes)
        for degree in range(2 * nodes - 2):
            np.testing.assert_allclose(np.sum(weights * positions**degree), 1 / (degree + 1), rtol=1e-12)

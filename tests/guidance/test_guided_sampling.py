"""What samplers make of guided models: laws at scale 1, and what a guided density is not at another."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from labelled_mixture import NULL, Bayes, Exact, mixture
from walk import concrete_subclasses

from score_sde import arrays, denoisers, guidance, samplers, sdes

KEY = jax.random.key(0)
SIZE = 4000


def sampled(sde, model, **parts):
    sampler = samplers.Sampler(grid=samplers.LogSNR(sigma_min=0.01), **({"n_steps": 300} | parts))
    return np.asarray(sampler(KEY, model, (SIZE, 2), jnp.ones(SIZE, int)))


def guided(sde):
    return guidance.ClassifierGuided.of(guidance.Unlabelled.of(Exact.of(sde)), Bayes.of(sde))


@pytest.mark.parametrize(
    ("sde", "predictor"), [(sdes.VP(), samplers.Ancestral()), (sdes.SubVP(), samplers.DDIM())]
)
def test_at_scale_one_samples_have_the_law_of_the_class(sde, predictor):
    """Class 1 is one Gaussian: mean and deviation within 4 sampling errors, and 2 % for the steps."""
    x, law = sampled(sde, guided(sde), predictor=predictor), mixture(sde, 1)
    spread = np.sqrt(np.diag(law.covariances[0]))
    assert 4 * spread.max() / np.sqrt(SIZE) < 0.05 * np.abs(law.means).max()  # 5 % would be seen
    np.testing.assert_allclose(np.mean(x, axis=0), law.means[0], atol=4 * spread.max() / np.sqrt(SIZE))
    np.testing.assert_allclose(np.std(x, axis=0) / spread, 1, atol=0.02 + 4 / np.sqrt(2 * SIZE))


def test_a_predictor_and_corrector_draw_what_they_draw_from_the_class():
    """Step for step, from the same noise: the corrector's own error is in both."""
    sde = sdes.VE(sigma_max=20.0)
    parts = {"predictor": samplers.ReverseDiffusion(), "corrector": samplers.Langevin(snr=0.1), "n_steps": 60}
    expected = sampled(sde, mixture(sde, 1), **parts)
    found = sampled(sde, guided(sde), **parts)
    assert np.median(np.abs(found - expected)) < 1e-4  # float32
    other = sampled(sde, guided(sde).replace(scale=1.05), **parts)
    assert np.median(np.abs(other - expected)) > 1e-3


V, S = 0.25, 2.0  # x_0 ~ N(0, 1), x_0 | y ~ N(0, V); the scale


def squeezed(sde, scale=S):
    """Classifier-free guidance whose conditional law is N(0, V) and unconditional one N(0, 1)."""
    laws = tuple(denoisers.Gaussian(sde=sde, mean=jnp.zeros(1), covariance=v * jnp.eye(1)) for v in (V, 1.0))
    return guidance.ClassifierFree.of(Exact(sde=sde, laws=laws), scale)


def guided_variance(sde, t, scale=S):
    """Of q_t, proportional to p_t(x)^(1 - s) p_t(x | y)^s: its precision is the sum of theirs."""
    wide, narrow = (sde.alpha(t) ** 2 * v + sde.variance(t) for v in (1.0, V))
    return 1 / ((1 - scale) / wide + scale / narrow)


@pytest.mark.parametrize("family", concrete_subclasses(sdes.GaussianSDE), ids=lambda cls: cls.__name__)
def test_guided_densities_solve_no_fokker_planck_equation(family, x64):
    """N(0, C_t) does where dC / dt = 2 f C + g^2: q_t at scale 0 and 1, and at no other."""
    sde, zeros = family(), jnp.zeros(5, int)
    t = sde.time_at_log_snr(jnp.linspace(3.0, -2.0, 5))
    x = jnp.linspace(-2, 2, 5)[:, None]
    score = squeezed(sde).score(x, t, zeros)
    np.testing.assert_allclose(score[:, 0], -x[:, 0] / guided_variance(sde, t), rtol=1e-9)

    def mismatch(scale):
        value, rate = jax.jvp(lambda t: guided_variance(sde, t, scale), (t,), (jnp.ones_like(t),))
        squared = sde.squared_diffusion(t)
        return jnp.max(jnp.abs(rate - 2 * sde.drift_rate(t) * value - squared) / squared)

    assert mismatch(0.0) < 1e-8
    assert mismatch(1.0) < 1e-8
    assert mismatch(S) > 0.01
    assert mismatch(1.05) > 1e-4


WIDE = sdes.VE(sigma_min=1e-3, sigma_max=500.0)
GRID = samplers.LogSNR(sigma_min=1e-3, sigma_max=500.0)


def test_the_flow_ends_with_the_geometric_mean(x64):
    """d log x^2 / d sigma^2 = (1 - s) / (1 + sigma^2) + s / (v + sigma^2): from infinity to 0 it leaves v^s.

    q_0 itself has v / (s + (1 - s) v).
    """
    model = squeezed(WIDE)
    sampler = samplers.Sampler(predictor=samplers.ProbabilityFlowHeun(), grid=GRID, n_steps=400)
    start = jnp.full((1, 1), 1.0)
    slope = sampler(KEY, model, (1, 1), jnp.zeros(1, int), start)[0, 0]
    variance = float(slope**2 * guided_variance(WIDE, 1.0))  # it is linear: q_T goes to N(0, slope^2 C_T)
    np.testing.assert_allclose(variance, V**S, rtol=5e-3)
    q_0 = V / (S + (1 - S) * V)
    assert abs(variance / q_0 - 1) > 0.5
    np.testing.assert_allclose(guided_variance(WIDE, 0.0), q_0, rtol=1e-4)


def test_the_reverse_process_ends_with_a_third_law(x64, monkeypatch):
    """dV / d(-lambda) = 1 - 2 V / C, lambda = sigma^2: V = v^2 + (1 - v)^2 v / 3 at s = 2, by parts.

    Of q_0 it is v / (2 - v), of the flow v^2: three laws of one model (Bradley and Nakkiran 2024).
    """
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.ones_like(x))
    model, predictor = squeezed(WIDE), samplers.Ancestral()
    times = GRID(WIDE, 800)

    def advance(variance, interval):
        """The step is linear: x -> slope x + std z."""
        step = predictor.step(KEY, model, jnp.ones((1, 1)), *interval, jnp.zeros(()), jnp.zeros(1, int))
        slope, std = step.mean[0, 0], (step.x - step.mean)[0, 0]
        return slope**2 * variance + std**2, None

    run = jax.jit(lambda start: jax.lax.scan(advance, start, (times[:-1], times[1:]))[0])
    variance = float(run(guided_variance(WIDE, 1.0)))
    expected = V**2 + (1 - V) ** 2 * V / 3
    np.testing.assert_allclose(variance, expected, rtol=0.02)
    others = np.array([V**S, V / (2 - V)])
    assert np.all(np.abs(others / expected - 1) > 0.2)


def test_a_configuration_guides_its_sampler():
    """Through Transformed and bind, a change in a change, with an interval; a new scale compiles nothing."""
    from score_sde.config import bind, build, call

    limited = bind(
        guidance.LimitedInterval.around,
        guidance=bind(guidance.ClassifierFree.of, scale=3.0, null=NULL),
        low=0.2,
        high=4.0,
    )
    inner = call(
        samplers.Transformed,
        change=bind(guidance.DynamicThreshold.of, percentile=90.0),
        sampler=call(samplers.Sampler, predictor=call(samplers.DDIM), n_steps=4),
    )
    sampler = build(call(samplers.Transformed, change=limited, sampler=inner))
    exact, labels = Exact.of(sdes.VP()), jnp.array([0, 1, 2])
    drawn = sampler(KEY, exact, (3, 2), labels)
    by_hand = guidance.DynamicThreshold.of(
        guidance.LimitedInterval.around(exact, lambda m: guidance.ClassifierFree.of(m, 3.0, NULL), 0.2, 4.0),
        90.0,
    )
    plain = samplers.Sampler(predictor=samplers.DDIM(), n_steps=4)
    np.testing.assert_array_equal(drawn, plain(KEY, by_hand, (3, 2), labels))

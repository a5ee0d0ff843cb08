"""Guidance of exact models has closed forms: Bayes' rule, for every Gaussian SDE, to rounding."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from labelled_mixture import CLASSES, NULL, Bayes, Exact, mixture
from user_sde import LogisticDiffusion
from walk import concrete_subclasses

from score_sde import denoisers, guidance, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
LABELS = np.array([0, 1, 2, 0, 1, 2])
SHARES = np.array([0.01, 0.1, 0.3, 0.5, 0.8, 0.97])
Z = np.random.default_rng(3).normal(size=(6, 2))


def problem(family):
    sde = family()
    t = sde.T * jnp.asarray(SHARES)
    x = (0.7 * sde.alpha(t) + sde.sigma(t))[:, None] * jnp.asarray(Z)
    return sde, x, t, jnp.asarray(LABELS)


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_guided_by_the_exact_classifier_it_is_the_model_of_the_class(family):
    """grad log p(x_t) + grad log p(y | x_t) = grad log p(x_t | y), and so in every convention, to 1e-10."""
    sde, x, t, labels = problem(family)
    exact = Exact.of(sde)
    guided = guidance.ClassifierGuided.of(guidance.Unlabelled.of(exact), Bayes.of(sde))
    ask = jax.jit(lambda model: model.estimate(x, t, labels))
    alone, expected = ask(guided), ask(exact)
    for ours, theirs in zip(alone, expected, strict=True):
        size = np.max(np.abs(theirs), axis=1, keepdims=True)
        np.testing.assert_allclose(ours / size, theirs / size, rtol=0, atol=1e-10)
    off = ask(guided.replace(scale=1.05)).score - expected.score
    assert np.max(np.abs(off) / np.max(np.abs(expected.score), axis=1, keepdims=True)) > 1e-3


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_classifier_free_is_a_sum_of_two_scores(family):
    """(1 - w) s(x_t) + w s(x_t | y); 0 is p(x), 1 is p(x | y), a scale for each example as well."""
    sde, x, t, labels = problem(family)
    scales = jnp.array([0.0, 1.0, 2.0, 3.5, -1.0, 7.5])
    exact = Exact.of(sde)

    @jax.jit
    def run(x):
        told = jnp.stack([law.score(x, t) for law in exact.laws])
        found = [guidance.ClassifierFree.of(exact, scales, null).score(x, t, labels) for null in (NULL, None)]
        return told[labels, jnp.arange(len(x))], told[NULL], *found

    told, untold, *found = run(x)
    expected = (1 - scales)[:, None] * untold + scales[:, None] * told
    for score in found:
        np.testing.assert_allclose(score, expected, rtol=1e-10, atol=1e-12)


def test_the_classifier_is_the_mixtures_posterior():
    sde, x, t, _ = problem(sdes.VP)
    posterior = mixture(sde).posterior(x, t)
    for label in range(NULL):
        found = jnp.exp(Bayes.of(sde).log_prob(x, t, jnp.full(6, label)))
        np.testing.assert_allclose(found, posterior[:, label == CLASSES].sum(axis=1), rtol=1e-10)


def test_temperature_divides_the_logits():
    """grad log p_tau(y | x) = (g_y - sum_k p_tau(k) g_k) / tau, g_k = s(x | k) - s(x), p_tau ~ p^(1/tau)."""
    sde, x, t, labels = problem(sdes.VP)
    scale, judge, law = 1.7, Bayes.of(sde), mixture(sde)
    guided = guidance.ClassifierGuided.of(law, judge, scale)
    run = jax.jit(lambda tau: guided.replace(temperature=tau).score(x, t, labels))
    scores, plain, logits = jax.jit(
        lambda x: (jnp.stack([own.score(x, t) for own in judge.laws]), law.score(x, t), judge.logits(x, t))
    )(x)
    gains = np.asarray(scores - plain)
    for temperature in (0.5, 1.0, 4.0):
        chances = np.exp(np.asarray(logits)) ** (1 / temperature)
        chances /= chances.sum(axis=1, keepdims=True)
        mean = np.einsum("bk,kbd->bd", chances, gains)
        gradient = (gains[LABELS, np.arange(6)] - mean) / temperature
        np.testing.assert_allclose(run(temperature), plain + scale * gradient, rtol=1e-9, atol=1e-11)
        assert np.max(np.abs(run(1.05 * temperature) - run(temperature))) > 1e-3


def test_a_classifier_may_be_any_score():
    """What has no logits is asked for its score: here that of the class less that of all."""

    class Ratio(denoisers.ScoreModel):
        def score(self, x, t, cond=None, *, key=None):
            return mixture(self.sde, 1).score(x, t) - mixture(self.sde).score(x, t)

    sde, x, t, _ = problem(sdes.VE)
    guided = guidance.ClassifierGuided.of(mixture(sde), Ratio(sde=sde))
    np.testing.assert_allclose(guided.score(x, t), mixture(sde, 1).score(x, t), rtol=1e-9)


def test_processes_without_a_closed_kernel():
    """Only scores are added there; a classifier of a Gaussian process is refused."""

    class Score(denoisers.ScoreModel):
        def score(self, x, t, cond=None, *, key=None):
            return -x

    process = LogisticDiffusion()
    judge = denoisers.NoisyClassifier(
        sde=process, network=lambda x, labels, key=None: x * jnp.array([1.0, 3.0])
    )
    x, labels = jnp.asarray(Z), jnp.asarray(LABELS % 2)
    found = guidance.GuidedScore.of(Score(sde=process), judge, 2.0, 0.5).score(x, 0.5, labels)
    chances = np.exp(2 * Z * [1.0, 3.0])
    chances /= chances.sum(axis=1, keepdims=True)
    slopes = np.array([1.0, 3.0])
    gradient = 2 * (np.eye(2)[LABELS % 2] - chances) * slopes
    np.testing.assert_allclose(found, -Z + 2 * gradient, rtol=1e-9)
    with pytest.raises(InputError, match=r"GuidedScore\.classifier\.sde"):
        guidance.GuidedScore.of(Score(sde=process), Bayes.of(sdes.VP()))


def test_the_interval_has_the_papers_bounds():
    """Guided where low < sigma / alpha <= high (Kynkaanniemi et al. 2024): (1, 4] under EDM's sigma = t."""
    exact = Exact.of(sdes.EDM())
    guided = guidance.ClassifierFree.of(exact, 3.0)
    model = guidance.LimitedInterval.of(guided, exact, 1.0, 4.0)
    np.testing.assert_array_equal(
        model.inside(jnp.array([0.0, 1.0, 1.01, 4.0, 4.01])), [False, False, True, True, False]
    )
    assert bool(guidance.LimitedInterval.of(guided, exact, 1.0, jnp.inf).inside(80.0))
    cosine = Exact.of(sdes.Cosine())  # alpha(T) = 0: the ratio is infinite
    free = guidance.ClassifierFree.of(cosine, 3.0)
    ends = [guidance.LimitedInterval.of(free, cosine, 1.0, high).inside(1.0) for high in (1e9, jnp.inf)]
    assert [bool(end) for end in ends] == [False, True]
    around = guidance.LimitedInterval.around(exact, lambda m: guidance.ClassifierFree.of(m, 3.0), 1.0, 4.0)
    x, labels = jnp.asarray(Z), jnp.asarray(LABELS)
    for t, expected in ((0.9, exact), (2.0, guided)):
        np.testing.assert_allclose(around.score(x, t, labels), expected.score(x, t, labels), rtol=1e-12)


def test_outside_the_interval_nothing_is_paid():
    """At a shared time guidance's two evaluations are made inside only."""
    asked = []

    def network(x, labels, cond=None, *, key=None):
        jax.debug.callback(lambda: asked.append(1))
        return x

    plain = denoisers.Preconditioned(
        network=network, sde=sdes.EDM(), precondition=denoisers.NoisePrediction()
    )
    model = guidance.LimitedInterval.of(guidance.ClassifierFree.of(plain, 3.0), plain, 1.0, 4.0)
    run = jax.jit(lambda t: model(jnp.asarray(Z), t, jnp.asarray(LABELS)))
    for t, evaluations in ((0.5, 1), (2.0, 2), (5.0, 1)):
        asked.clear()
        run(t).block_until_ready()
        jax.effects_barrier()
        assert len(asked) == evaluations


def test_dynamic_threshold_is_imagens():
    """s = max(percentile of |x_0|, 1); clip(x_0, -s, s) / s (Saharia et al. 2022, section 2.3)."""

    class Wide(denoisers.Denoiser):
        def __call__(self, x, t, cond=None, *, key=None):
            return 3 * x

    x = jnp.asarray(
        np.random.default_rng(1).normal(size=(4, 5, 5, 1)) * [[[[0.1]]], [[[0.3]]], [[[0.6]]], [[[2]]]]
    )
    model = guidance.DynamicThreshold.of(Wide(sde=sdes.VP()), 90.0)
    s = np.maximum(np.percentile(np.abs(3 * x).reshape(4, -1), 90, axis=1), 1)[:, None, None, None]
    assert (s > 1).sum() == 3  # one example stays as it is
    np.testing.assert_allclose(model(x, 0.5), np.clip(3 * x, -s, s) / s, atol=1e-12)
    # Of data in [0, 4]: the same about its middle.
    shifted = guidance.DynamicThreshold.of(Wide(sde=sdes.VP()), 90.0, 0.0, 4.0)
    unit = (3 * np.asarray(x) - 2) / 2
    s = np.maximum(np.percentile(np.abs(unit).reshape(4, -1), 90, axis=1), 1)[:, None, None, None]
    np.testing.assert_allclose(shifted(x, 0.5), 2 + 2 * np.clip(unit, -s, s) / s, atol=1e-12)


def test_rescaling_mixes_the_spreads():
    """std of D is share * std(D_cond) + (1 - share) * std(D_guided) (Lin et al. 2024, section 3.4)."""
    sde, x, t, labels = problem(sdes.VP)
    exact = Exact.of(sde)
    model = guidance.RescaledClassifierFree.of(exact, 4.0, 0.6)
    told = np.std(exact(x, t, labels), axis=1)
    free = np.std(guidance.ClassifierFree.of(exact, 4.0)(x, t, labels), axis=1)
    np.testing.assert_allclose(np.std(model(x, t, labels), axis=1), 0.6 * told + 0.4 * free, rtol=1e-9)
    whole = guidance.ClassifierFree.of(exact, 4.0).estimate(x, t, labels)
    for a, b in zip(model.replace(share=0.0).estimate(x, t, labels), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_autoguidance_extrapolates():
    """D_weak + w (D - D_weak); nothing where the two agree (Karras et al. 2024)."""
    sde, x, t, labels = problem(sdes.SubVP)
    exact, weaker = Exact.of(sde), denoisers.Gaussian(sde=sde, mean=jnp.zeros(2), covariance=jnp.eye(2))
    found = guidance.Autoguided.of(exact, weaker, 2.5)(x, t, labels)
    np.testing.assert_allclose(found, 2.5 * exact(x, t, labels) - 1.5 * weaker(x, t), rtol=1e-9, atol=1e-12)
    same = guidance.Autoguided.of(exact, exact, 7.0).score(x, t, labels)
    np.testing.assert_allclose(same, exact.score(x, t, labels), rtol=1e-12)

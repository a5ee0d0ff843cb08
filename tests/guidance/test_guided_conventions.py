"""Laws of every guided denoiser, found by walking the package: conventions, ends, times, jit, nesting."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from labelled_mixture import NULL, Bayes, Exact, mixture
from walk import concrete_subclasses

from score_sde import denoisers, guidance, sdes
from score_sde.arrays import expand
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
KINDS = concrete_subclasses(guidance.Guided, "score_sde.guidance")
LABELS = np.array([0, 1, 2, 0, 1, 2, 1])
SHARES = np.array([0.03, 0.2, 0.45, 0.7, 0.95, 0.0, 1.0])  # of T; both ends at the end
INSIDE = slice(0, 5)
Z = np.random.default_rng(0).normal(size=(7, 2))

MAKE = {  # a new kind of guidance is added here
    "Autoguided": lambda model: guidance.Autoguided.of(model, mixture(model.sde), 1.8),
    "ClassifierFree": lambda model: guidance.ClassifierFree.of(model, 2.5, NULL),
    "ClassifierGuided": lambda model: guidance.ClassifierGuided.of(model, Bayes.of(model.sde), 1.5, 0.7),
    "DynamicThreshold": lambda model: guidance.DynamicThreshold.of(model, 60.0, -0.4, 0.5),
    "FirstChannelsClassifierFree": lambda model: guidance.FirstChannelsClassifierFree.of(
        model, 2.5, channels=1, null=NULL
    ),
    "LimitedInterval": lambda model: guidance.LimitedInterval.of(
        guidance.ClassifierFree.of(model, 3.0), model, 0.2, 1.5
    ),
    "RescaledClassifierFree": lambda model: guidance.RescaledClassifierFree.of(model, 2.5, 0.7, NULL),
    "Unlabelled": lambda model: guidance.Unlabelled.of(model, NULL),
}


def state(sde, t):
    """Points where p_t lives, one for each time."""
    t = jnp.broadcast_to(jnp.asarray(t), (len(Z),))
    return (sde.alpha(t) * 0.5 + sde.sigma(t))[:, None] * jnp.asarray(Z)


def require_conventions(sde, x, t, found):
    """x = alpha D + sigma noise, score = -noise / sigma, velocity = f x - g^2 score / 2."""
    alpha, sigma = expand(sde.alpha(t), x), expand(sde.sigma(t), x)
    exact = {"rtol": 1e-8, "atol": 1e-8}
    np.testing.assert_allclose((alpha * found.denoised + sigma * found.noise) / sigma, x / sigma, **exact)
    np.testing.assert_allclose(sigma * found.score, -found.noise, **exact)
    expected = sde.drift(x, t) - 0.5 * expand(sde.squared_diffusion(t), x) * found.score
    size = 1 + jnp.abs(expected)
    np.testing.assert_allclose(found.velocity / size, expected / size, **exact)


def test_every_kind_is_here():
    assert {kind.__name__ for kind in KINDS} == set(MAKE)


@pytest.mark.parametrize("shift", [guidance.shift_score, guidance.shift_denoised])
@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_a_change_in_one_convention_is_one_in_all(family, shift):
    """For every process; at its ends everything stays finite that was."""
    sde = family()
    exact = denoisers.Gaussian(sde=sde, mean=jnp.array([0.3, -0.2]), covariance=0.2 * jnp.eye(2))
    t = sde.T * jnp.asarray(SHARES)
    x, change = state(sde, t), jnp.asarray(Z[::-1])
    plain = exact.estimate(x, t)
    found = shift(sde, t, plain, change)
    inside = jax.tree.map(lambda values: values[INSIDE], found)
    require_conventions(sde, x[INSIDE], t[INSIDE], inside)
    for ours, theirs in zip(found, plain, strict=True):
        assert np.all(np.isfinite(ours) | ~np.isfinite(theirs))
    own = "score" if shift is guidance.shift_score else "denoised"
    np.testing.assert_allclose(getattr(inside, own), (getattr(plain, own) + change)[INSIDE], rtol=1e-12)
    moved = jnp.max(jnp.abs(inside.velocity - plain.velocity[INSIDE]))
    assert moved > 0.01  # the laws above are not about nothing


@pytest.mark.parametrize("name", MAKE)
def test_one_estimate_in_all_conventions_compiled_once(name):
    """Times of each example or of all, a dictionary of labels, other numbers, gradients: one program."""
    sde = (
        sdes.RectifiedFlow()
    )  # both of its ends are singular; of the process guidance knows the shifts above
    model = MAKE[name](Exact.of(sde))
    t = sde.T * jnp.asarray(SHARES)
    x = state(sde, t)
    traced = []

    @jax.jit
    def run(model, cond):
        traced.append(1)
        gradient = jax.grad(lambda x: jnp.sum(model(x, t, cond) ** 2))(x)
        return model.estimate(x, t, cond), model.estimate(x, t[3], cond), gradient

    found, shared, gradient = run(model, {"label": jnp.asarray(LABELS)})
    require_conventions(sde, x[INSIDE], t[INSIDE], jax.tree.map(lambda values: values[INSIDE], found))
    for a, b in zip(shared, found, strict=True):
        np.testing.assert_allclose(a[3], b[3], rtol=1e-9)
    for values in (found.denoised, found.score, found.velocity, gradient):
        assert np.all(np.isfinite(values))  # at both ends as well, where the exact model is finite
    numbers = [n for n in ("scale", "share", "temperature", "high") if hasattr(model, n)]
    changed = model.replace(**{n: getattr(model, n) * 1.05 for n in numbers})
    other, _, _ = run(changed, {"label": jnp.asarray(LABELS)})
    assert len(traced) == 1
    if name in ("Autoguided", "ClassifierFree", "ClassifierGuided"):
        assert np.max(np.abs(other.denoised - found.denoised)) > 1e-3  # 5 % would be seen


def test_guidance_nests():
    """A threshold of an interval of classifier-free and classifier guidance together."""
    exact, labels = Exact.of(sdes.RectifiedFlow()), jnp.asarray(LABELS)
    both = guidance.ClassifierGuided.of(
        guidance.ClassifierFree.of(exact, 2.0, NULL), Bayes.of(exact.sde), 0.5
    )
    limited = guidance.LimitedInterval.of(both, exact, 0.1, 10.0)
    whole = guidance.DynamicThreshold.of(limited, 50.0)
    t, late = jnp.asarray(0.4), jnp.asarray(0.95)
    x = state(exact.sde, t)

    @jax.jit
    def run(x):
        ends = [limited.score(x, late, labels), exact.score(x, late, labels)]
        inside = [model.score(x, t, labels) for model in (both, limited, exact)]
        return [*inside, exact.score(x, t), whole(x, t, labels), *ends]

    guided, of_interval, told, untold, threshold, outside, plain = run(x)
    # (1 - 2) s + 2 s_y + (s_y - s) / 2, by Bayes' rule
    np.testing.assert_allclose(guided, 2.5 * told - 1.5 * untold, rtol=1e-9)
    np.testing.assert_allclose(of_interval, guided, rtol=1e-9)
    np.testing.assert_allclose(outside, plain, rtol=1e-12)
    assert np.max(np.abs(threshold)) <= 1


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (
            lambda m: guidance.ClassifierGuided.of(m, Bayes.of(sdes.VE())),
            r"ClassifierGuided\.classifier\.sde",
        ),
        (
            lambda m: guidance.Autoguided.of(m, mixture(sdes.VP(beta_max=10.0)), 2.0),
            r"Autoguided\.weaker\.sde",
        ),
        (lambda m: guidance.ClassifierGuided.of(m, Bayes.of(m.sde), 1.0, 0.0), r"temperature = 0\.0"),
        (lambda m: guidance.ClassifierGuided.of(m, mixture(m.sde), 1.0, 2.0), "has no logits"),
        (lambda m: guidance.ClassifierFree.of(m, float("nan")), r"ClassifierFree\.scale"),
        (lambda m: guidance.ClassifierFree.of(m, 2.0, "none"), r"ClassifierFree\.null"),
        (lambda m: guidance.ClassifierFree.of(m, 2.0, -1), r"ClassifierFree\.null"),
        (lambda m: guidance.LimitedInterval.of(m, m, 2.0, 1.0), r"LimitedInterval\.high"),
        (lambda m: guidance.DynamicThreshold.of(m, 0.0), r"DynamicThreshold\.percentile"),
        (lambda m: guidance.DynamicThreshold.of(m, 99.0, 1.0, 0.0), r"DynamicThreshold\.high"),
        (lambda m: guidance.ClassifierFree.of(m, 2.0)(jnp.ones((2, 2)), 0.5), "classes to guide to"),
        (
            lambda m: guidance.RescaledClassifierFree.of(
                denoisers.Gaussian(sde=m.sde, mean=jnp.zeros(1), covariance=jnp.eye(1)), 2.0
            )(jnp.ones((2, 1)), 0.5, jnp.zeros(2, int)),
            "at least two values",
        ),
        (
            lambda m: guidance.ClassifierFree.of(m, 2.0, NULL).estimate_with_range(
                jnp.ones((2, 2)), 0.5, jnp.asarray(LABELS[:2])
            ),
            "LearnedRange",
        ),
    ],
)
def test_mistakes(make, named):
    with pytest.raises(InputError, match=named):
        make(Exact.of(sdes.VP()))


def test_a_learned_range_passes_through():
    """The share is the conditional model's (GLIDE's code does so); the estimate is the guided one."""

    def network(x, labels, cond=None, *, key=None):
        told = jnp.zeros(len(x)) if cond is None else 1.0 * cond
        return jnp.concatenate([jnp.tanh(x + told[:, None]), 0.1 * x + 0.2 * told[:, None]], axis=-1)

    learned = denoisers.LearnedRange(
        network=network, sde=sdes.DiscreteVP(), precondition=denoisers.NoisePrediction()
    )
    x, labels = jnp.asarray(Z), jnp.asarray(LABELS)
    share = learned.estimate_with_range(x, 0.3, labels)[1]
    for name in ("ClassifierFree", "ClassifierGuided", "DynamicThreshold", "LimitedInterval"):
        model = MAKE[name](denoisers.Clipped.of(learned))
        estimate, own = model.estimate_with_range(x, 0.3, labels)
        np.testing.assert_array_equal(own, share)
        np.testing.assert_allclose(estimate.denoised, model(x, 0.3, labels), rtol=1e-12)
    untold = guidance.Unlabelled.of(learned).estimate_with_range(x, 0.3, labels)
    np.testing.assert_array_equal(untold[1], learned.estimate_with_range(x, 0.3)[1])

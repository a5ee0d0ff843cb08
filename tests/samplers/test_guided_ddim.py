"""Classifier-guided DDIM of guided-diffusion (``condition_score`` of gaussian_diffusion.py).

It is DDIM on a denoiser whose score has the classifier's added (Dhariwal and Nichol 2021, algorithm 2), so
that it is a denoiser that guides and no option of the sampler.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, guidance, samplers, sdes
from score_sde.denoisers.base import ScoreModel
from score_sde.pytree import static

pytestmark = pytest.mark.usefixtures("x64")

SDE = sdes.DiscreteVP()
KEY = jax.random.key(0)


class Judge(ScoreModel):
    """grad log p(y | x_t) by a formula."""

    formula: object = static()

    def score(self, x, t, cond=None, *, key=None):
        return self.formula(x, t)


def told(model, formula, scale=1.0):
    return guidance.ClassifierGuided.of(model, Judge(sde=SDE, formula=formula), scale)


def network(x, labels, cond=None, *, key=None):
    return 0.7 * x + 0.3 * jnp.sin(2 * x + 0.01 * labels[:, None])


def judged(x, t):
    return 0.5 - x / (1 + 0.001 * (1000 * t - 1))


def originals(x, scale, count):
    """``ddim_sample_loop`` with eta = 0, a ``cond_fn``, estimates cut to [-1, 1] and ``ddim{count}``."""
    bars = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    taken = list(range(0, 1000, 1000 // count))
    for index in reversed(range(count)):
        step = taken[index]
        bar, before = bars[step], bars[taken[index - 1]] if index else 1.0
        eps = 0.7 * x + 0.3 * np.sin(2 * x + 0.01 * step)
        start = np.clip(np.sqrt(1 / bar) * x - np.sqrt(1 / bar - 1) * eps, -1, 1)
        eps = (np.sqrt(1 / bar) * x - start) / np.sqrt(1 / bar - 1)
        eps = eps - np.sqrt(1 - bar) * scale * (0.5 - x / (1 + 0.001 * step))
        start = np.sqrt(1 / bar) * x - np.sqrt(1 / bar - 1) * eps
        x = np.sqrt(before) * start + np.sqrt(1 - before) * eps
    return x


def sampled(model, x, count):
    def advance(x, interval):
        return samplers.DDIM().step(KEY, model, x, *interval).x, None

    times = samplers.Strided()(SDE, count)
    return jax.lax.scan(advance, x, (times[:-1], times[1:]))[0]


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_ddim_on_a_guided_denoiser_is_the_originals(scale):
    plain = denoisers.Preconditioned(
        sde=SDE, network=network, precondition=denoisers.NoisePrediction(labels=denoisers.StepLabels())
    )
    x = np.random.default_rng(0).standard_normal((3, 4))
    # The original cuts before it guides, and not again.
    model = told(denoisers.Clipped.of(plain), judged, scale)
    expected = originals(x, scale, 25)
    np.testing.assert_allclose(sampled(model, jnp.asarray(x), 25), expected, rtol=1e-8, atol=1e-9)
    wrong = originals(x, 1.05 * scale, 25)  # a planted mistake
    assert np.max(np.abs(wrong - expected)) > 1e-4


def test_guided_by_the_posterior_of_a_mixture_it_samples_the_component():
    """Bayes' rule: grad log p(x_t) + grad log p(y | x_t) = grad log p(x_t | y), all in closed form."""
    means, spread = jnp.array([[-1.0, 0.5], [1.0, -0.3]]), jnp.diag(jnp.array([0.04, 0.09]))
    mixture = denoisers.GaussianMixture(
        sde=SDE, weights=jnp.array([0.7, 0.3]), means=means, covariances=jnp.stack([spread, spread])
    )
    component = denoisers.Gaussian(sde=SDE, mean=means[1], covariance=spread)

    def judge(x, t):
        """Of p(second | x_t) = w N(x_t; alpha m, C_t) / p(x_t)."""

        def log_posterior(x):
            variance = SDE.alpha(t) ** 2 * jnp.diag(spread) + SDE.sigma(t) ** 2
            squares = jnp.square(x[:, None] - SDE.alpha(t) * means) / variance
            joint = jnp.log(jnp.array([0.7, 0.3])) - 0.5 * jnp.sum(squares, axis=-1)
            return jnp.sum(jax.nn.log_softmax(joint, axis=-1)[:, 1])

        return jax.grad(log_posterior)(x)

    x = jax.random.normal(KEY, (64, 2))
    guided = told(mixture, judge)
    for t, _ in itertools.pairwise(samplers.Strided()(SDE, 4)):
        np.testing.assert_allclose(guided.score(x, t), component.score(x, t), rtol=1e-8, atol=1e-9)
    expected = sampled(component, x, 25)
    np.testing.assert_allclose(sampled(guided, x, 25), expected, rtol=1e-8, atol=1e-9)
    assert np.max(np.abs(sampled(told(mixture, judge, 1.05), x, 25) - expected)) > 1e-2  # a planted mistake

"""ADM's two ways to guide, transcribed: ``condition_score`` and ``condition_mean`` of guided-diffusion.

From gaussian_diffusion.py there (Dhariwal and Nichol 2021, algorithms 1 and 2), for its linear schedule.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, guidance, samplers, sdes

pytestmark = pytest.mark.usefixtures("x64")
SDE = sdes.DiscreteVP()
BETAS = np.linspace(1e-4, 0.02, 1000)
BARS = np.cumprod(1 - BETAS)
X = np.random.default_rng(0).normal(size=(6, 4))
LABELS = np.array([0, 1, 2, 2, 1, 0])
ROWS = np.array([[1.0, -0.5, 0.2, 0.0], [0.1, 0.8, -0.3, 0.4], [-0.6, 0.2, 0.9, -1.0]])


def network(x, labels, cond=None, *, key=None):
    return 0.7 * x + 0.3 * jnp.sin(2 * x + 0.01 * labels[:, None])


def logits(x, labels, key=None):
    return jnp.tanh(x) @ ROWS.T / (1 + 0.001 * labels[:, None])


def model():
    precondition = denoisers.NoisePrediction(labels=denoisers.StepLabels())
    return denoisers.Preconditioned(sde=SDE, network=network, precondition=precondition)


def classifier():
    return denoisers.NoisyClassifier(sde=SDE, network=logits, labels=denoisers.StepLabels())


def cond_fn(x, step):
    """grad log softmax(logits)[y], by hand: J^T (e_y - p)."""
    values = np.tanh(x) @ ROWS.T / (1 + 0.001 * step)
    chances = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
    return ((np.eye(3)[LABELS] - chances) @ ROWS) * (1 - np.tanh(x) ** 2) / (1 + 0.001 * step)


def noise(x, step):
    return 0.7 * x + 0.3 * np.sin(2 * x + 0.01 * step)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_the_estimate_is_condition_score(scale):
    """eps - sqrt(1 - bar) * scale * grad, and x_0 from that eps; at the ends and inside of the chain."""
    guided = guidance.ClassifierGuided.of(model(), classifier(), scale)
    for step in (0, 1, 200, 700, 999):
        eps = noise(X, step) - np.sqrt(1 - BARS[step]) * scale * cond_fn(X, step)
        start = np.sqrt(1 / BARS[step]) * X - np.sqrt(1 / BARS[step] - 1) * eps
        found = guided.estimate(jnp.asarray(X), (step + 1) / 1000, jnp.asarray(LABELS))
        np.testing.assert_allclose(found.noise, eps, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(found.denoised, start, rtol=1e-8, atol=1e-9)
    off = guided.replace(scale=1.05 * scale).estimate(jnp.asarray(X), 0.7, jnp.asarray(LABELS))
    assert np.max(np.abs(off.noise - guided.noise(jnp.asarray(X), 0.7, jnp.asarray(LABELS)))) > 1e-3


def test_the_guide_of_ancestral_is_condition_mean():
    """mean + scale * variance * grad, the gradient taken at x_t (algorithm 1)."""
    scale, step = 3.0, 500
    predictor = samplers.Ancestral(guide=classifier(), guide_scale=scale)
    found = predictor.step(
        jax.random.key(0),
        model(),
        jnp.asarray(X),
        *jnp.array([501.0, 500.0]) / 1000,
        0.0,
        jnp.asarray(LABELS),
    )
    bar, before, beta = BARS[step], BARS[step - 1], BETAS[step]
    start = np.sqrt(1 / bar) * X - np.sqrt(1 / bar - 1) * noise(X, step)
    variance = beta * (1 - before) / (1 - bar)
    mean = beta * np.sqrt(before) / (1 - bar) * start + (1 - before) * np.sqrt(1 - beta) / (1 - bar) * X
    np.testing.assert_allclose(found.mean, mean + scale * variance * cond_fn(X, step), rtol=1e-8, atol=1e-10)

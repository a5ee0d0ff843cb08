"""The classification loss against the exact classifier of a mixture."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, objectives, sdes
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
SDE, MEANS, STD = sdes.DiscreteVP(), np.array([-0.6, 0.6]), 0.3


def classifier(slope=1.0):
    def logits(x, labels, key=None):
        """Equal weights: the log odds of x are 2 alpha 0.6 x / variance; told N t - 1."""
        t = (labels[:, None] + 1) / 1000
        variance = SDE.alpha(t) ** 2 * STD**2 + SDE.variance(t)
        half = slope * SDE.alpha(t) * 0.6 * x / variance
        return jnp.concatenate([-half, half], axis=-1)

    return denoisers.NoisyClassifier(sde=SDE, network=logits, labels=denoisers.StepLabels())


def expected_loss(slope, t):
    """Over the labels and x_t by quadrature: E -log p(y | x_t)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    alpha, sigma = float(SDE.alpha(t)), float(SDE.sigma(t))
    spread = np.sqrt(alpha**2 * STD**2 + sigma**2)
    total = 0.0
    for label, mean in enumerate(MEANS):
        x0 = jnp.full((60, 1), mean)
        z = (spread / sigma) * jnp.asarray(nodes)[:, None]  # x_0 at its mean, all the spread in the noise
        losses = objectives.NoisyClassification().at(classifier(slope), x0, t, z, jnp.full(60, label))
        total += float(weights @ losses) / weights.sum() / 2
    return total


@pytest.mark.parametrize("t", [0.05, 0.3, 0.6])
def test_the_exact_classifier_is_the_minimiser(t):
    exact = expected_loss(1.0, t)
    assert exact < expected_loss(0.95, t)
    assert exact < expected_loss(1.05, t)


def test_it_is_the_mean_of_minus_log_softmax():
    x0, z, labels = jnp.ones((3, 1)), jnp.zeros((3, 1)), jnp.array([0, 1, 1])
    ours = objectives.NoisyClassification().at(classifier(), x0, 0.3, z, labels)
    logits = np.asarray(classifier().logits(x0 * SDE.alpha(0.3), 0.3))
    theirs = np.log(np.exp(logits).sum(1)) - logits[np.arange(3), labels]
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_times_are_those_of_the_chain():
    times = objectives.UniformSteps(steps=8)(jax.random.key(0), SDE, 4000)
    values, counts = np.unique(np.asarray(times) * 8, return_counts=True)
    np.testing.assert_allclose(values, np.arange(1, 9))
    assert np.abs(counts - 500).max() < 4 * np.sqrt(500)
    with pytest.raises(InputError, match=r"UniformSteps\.steps"):
        objectives.UniformSteps(steps=0)


def test_labels_are_needed():
    objective = objectives.NoisyClassification(times=objectives.UniformSteps())
    losses = objective(jax.random.key(0), classifier(), jnp.ones((3, 1)), jnp.array([0, 1, 0]))
    assert losses.shape == (3,)
    with pytest.raises(InputError, match="class labels"):
        objective(jax.random.key(0), classifier(), jnp.ones((3, 1)))

"""Bayes' rule on a mixture of two Gaussians, whose exact classifier is a sigmoid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, sdes

pytestmark = pytest.mark.usefixtures("x64")
SDE, MEANS, STD = sdes.VE(), np.array([[-1.0, 0.5], [1.0, 0.0]]), 0.4


def mixture():
    return denoisers.GaussianMixture.isotropic(sde=SDE, weights=[0.3, 0.7], means=MEANS, stds=[STD, STD])


def alone(label):
    return denoisers.Gaussian(sde=SDE, mean=MEANS[label], covariance=STD**2 * np.eye(2))


def classifier():
    def logits(x, labels, key=None):
        """log weight + log N(x; mean, std^2 + sigma^2), told sigma."""
        variance = STD**2 + labels[:, None] ** 2
        square = jnp.sum((x[:, None] - MEANS) ** 2, axis=-1)
        return jnp.log(jnp.array([0.3, 0.7])) - 0.5 * square / variance

    return denoisers.NoisyClassifier(sde=SDE, network=logits, labels=denoisers.SigmaLabels())


def test_its_score_and_that_of_all_data_make_that_of_a_class():
    x = jnp.asarray(np.random.default_rng(1).normal(size=(6, 2)))
    for t in (0.1, 0.5, 0.8):
        for label in (0, 1):
            labels = jnp.full(6, label)
            guided = mixture().score(x, t) + classifier().score(x, t, labels)
            np.testing.assert_allclose(guided, alone(label).score(x, t), rtol=1e-8)


def test_probabilities_sum_to_one():
    x = jnp.asarray(np.random.default_rng(2).normal(size=(5, 2)))
    total = sum(jnp.exp(classifier().log_prob(x, 0.3, jnp.full(5, label))) for label in (0, 1))
    np.testing.assert_allclose(total, 1, rtol=1e-12)


def test_it_passes_through_jit():
    run = jax.jit(lambda model, x: model.score(x, 0.3, jnp.zeros(2, int)))
    assert run(classifier(), jnp.ones((2, 2))).shape == (2, 2)

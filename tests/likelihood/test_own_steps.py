"""Adaptive likelihoods: each example takes its own steps, whatever it is batched with."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, sdes
from score_sde.divergence import ExactDivergence
from score_sde.integrators import Adaptive
from score_sde.likelihood import evaluate_likelihood

pytestmark = pytest.mark.usefixtures("x64")
MODEL = denoisers.GaussianMixture.isotropic(
    sde=sdes.VP(), weights=[0.5, 0.5], means=[[-0.6, 0.3], [0.5, 0.1]], stds=[0.3, 0.01]
)
EASY, HARD = [-0.6, 0.3], [0.45, 0.12]  # in the wide component, and at the foot of the narrow one


@jax.jit
def run(x):
    solver = Adaptive(rtol=1e-6, atol=1e-6)
    return evaluate_likelihood(
        MODEL, x, jax.random.key(0), solver=solver, divergence=ExactDivergence(), t_min=1e-4
    )


def test_a_hard_example_changes_no_other():
    """Beside one that takes many more steps, an example has the same count, and the same answer to rounding.

    With one step size for the whole batch (scipy's RK45 on its concatenation) neither would hold.
    """
    together, alone = run(jnp.array([EASY, HARD, EASY])), run(jnp.array([EASY, EASY, EASY]))
    counts = np.asarray(together.evaluations)
    assert counts[1] > 2 * counts[0]
    assert counts[0] == counts[2] == int(alone.evaluations[0])
    np.testing.assert_allclose(together.nats[::2], alone.nats[::2], rtol=1e-12)
    expected = MODEL.log_prob(jnp.array([EASY]), 1e-4)
    np.testing.assert_allclose(alone.nats[:1], expected, atol=2e-3)  # the prior is not quite the law of x_T

"""Exact traces and Hutchinson's estimate: unbiased over all signs, with the variance of theory."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import divergence
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")
RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(6, 6))
X = RNG.normal(size=(3, 2, 3))


def field(x):
    """Example i: sin(M x), with Jacobian diag(cos(M x)) M."""
    return jnp.sin(x.reshape(len(x), 6) @ MATRIX.T).reshape(x.shape)


def jacobians():
    return np.cos(X.reshape(3, 6) @ MATRIX.T)[:, :, None] * MATRIX


TRACES = np.trace(jacobians(), axis1=1, axis2=2)


@pytest.mark.parametrize("chunk", [None, 1, 4, 100])
def test_exact_divergence_is_the_trace(chunk):
    value, estimates = divergence.ExactDivergence(chunk=chunk)(jax.random.key(0), field, jnp.asarray(X))
    np.testing.assert_allclose(value, field(X), rtol=1e-12)
    np.testing.assert_allclose(estimates, TRACES[:, None], rtol=1e-12)
    assert not np.any(divergence.ExactDivergence().stderr(estimates))


def test_hutchinson_over_all_signs_is_the_trace():
    """E e.Je over the 2^6 sign vectors: unbiased to rounding, not statistically."""
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=6))).reshape(64, 2, 3)
    probes = jnp.broadcast_to(signs, (3, 64, 2, 3))
    value, estimates = divergence.Hutchinson(probes=64).estimate(probes, field, jnp.asarray(X))
    np.testing.assert_allclose(value, field(X), rtol=1e-12)
    np.testing.assert_allclose(estimates.mean(1), TRACES, rtol=1e-12)


@pytest.mark.parametrize("noise", [divergence.Rademacher(), divergence.GaussianProbe()])
def test_variance_is_that_of_theory_and_stderr_measures_it(noise):
    """Var = |S|^2 without (signs) or with (Gauss) its diagonal, times 2; S = (J + J^T) / 2 (Avron 2011)."""
    n = 20_000
    hutchinson = divergence.Hutchinson(probes=n, noise=noise)
    _, estimates = hutchinson(jax.random.key(1), field, jnp.asarray(X))
    symmetric = 0.5 * (jacobians() + jacobians().transpose(0, 2, 1))
    square = symmetric**2
    if isinstance(noise, divergence.Rademacher):
        square = square * (1 - np.eye(6))
    variance = 2 * square.sum((1, 2))
    np.testing.assert_allclose(estimates.var(1), variance, rtol=0.08)
    z = np.abs(estimates.mean(1) - TRACES) / hutchinson.stderr(estimates)
    assert z.max() < 4.5
    biased = np.abs(1.05 * estimates.mean(1) - TRACES) / hutchinson.stderr(estimates)
    assert biased.max() > 4.5  # power: 5 % would be seen
    np.testing.assert_allclose(hutchinson.stderr(estimates), np.sqrt(variance / n), rtol=0.05)


@pytest.mark.parametrize("noise", [divergence.Rademacher(), divergence.GaussianProbe()])
def test_probes_of_an_example_do_not_depend_on_the_batch(noise):
    hutchinson = divergence.Hutchinson(probes=2, noise=noise)
    whole = hutchinson.draw(jax.random.key(0), jnp.zeros((5, 4)))
    part = hutchinson.draw(jax.random.key(0), jnp.zeros((3, 4)))
    np.testing.assert_array_equal(whole[:3], part)
    assert not np.array_equal(whole[0], whole[1])


def test_the_field_is_evaluated_once():
    calls = []

    def counted(x):
        jax.debug.callback(lambda _: calls.append(1), x[0, 0])
        return jnp.sin(x)

    divergence.Hutchinson(probes=3)(jax.random.key(0), counted, jnp.zeros((2, 4)))
    jax.effects_barrier()
    assert len(calls) == 1


def test_a_single_probe_has_no_standard_error_and_none_is_a_mistake():
    _, estimates = divergence.Hutchinson()(jax.random.key(0), field, jnp.asarray(X))
    assert np.all(np.isnan(divergence.Hutchinson().stderr(estimates)))
    with pytest.raises(InputError, match=r"Hutchinson\.probes"):
        divergence.Hutchinson(probes=0)

"""The chain's times are those of the published tables, written here in numpy."""

import math

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.errors import InputError


def products(betas):
    """prod (1 - beta) after each step: alphas_cumprod."""
    return np.cumprod(1 - betas)


LINEAR = np.linspace(1e-4, 0.02, 1000)  # Ho et al. 2020, section 4


def cosine(steps):
    """Nichol and Dhariwal 2021, eq. 17, step by step."""

    def f(t):
        return math.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2

    return np.array([min(1 - f((i + 1) / steps) / f(i / steps), 0.999) for i in range(steps)])


CASES = [
    (sdes.DiscreteVP(), LINEAR),
    (sdes.DiscreteVP(betas=sdes.CosineBetas()), cosine(1000)),
    (sdes.DiscreteVP(steps=250), np.linspace(4e-4, 0.08, 250)),
]


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("sde", "betas"), CASES)
def test_alpha_at_multiples_of_a_step_is_the_published_product(sde, betas):
    times = jnp.arange(len(betas) + 1) / len(betas)
    expected = np.concatenate([[1.0], products(betas)])
    np.testing.assert_allclose(sde.alpha(times) ** 2, expected, rtol=1e-10)
    np.testing.assert_allclose(sde.variance(times)[1:], 1 - expected[1:], rtol=1e-10)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(("sde", "betas"), CASES)
def test_one_step_up_and_down_is_the_chains(sde, betas):
    """Forward variance beta_i, posterior mean and variance of Ho et al. 2020, eq. 6-7."""
    after = products(betas)
    i = np.array([1, 7, len(betas) // 2, len(betas) - 1])
    t, s = jnp.asarray((i + 1) / len(betas)), jnp.asarray(i / len(betas))
    scale, std = sde.transition(t, s)
    np.testing.assert_allclose(scale**2, 1 - betas[i], rtol=1e-9)
    np.testing.assert_allclose(std**2, betas[i], rtol=1e-7)
    bridge = sde.bridge(t, s)
    rest = (1 - after[i - 1]) / (1 - after[i])
    np.testing.assert_allclose(bridge.c_0, np.sqrt(after[i - 1]) * betas[i] / (1 - after[i]), rtol=1e-7)
    np.testing.assert_allclose(bridge.c_x, np.sqrt(1 - betas[i]) * rest, rtol=1e-9)
    np.testing.assert_allclose(bridge.std**2, betas[i] * rest, rtol=1e-7)


def test_float32_keeps_the_smallest_noise():
    """1 - 0.9999 in float32 would have lost four digits."""
    np.testing.assert_allclose(sdes.DiscreteVP().variance(1 / 1000), 1e-4, rtol=1e-5)


def test_chains_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="every beta is below 1"):
        sdes.DiscreteVP(steps=10)
    with pytest.raises(InputError, match=r"LinearBetas\.last"):
        sdes.LinearBetas(first=0.1, last=0.05)
    for wrong in ({"offset": 0.0}, {"most": 1.0}):
        with pytest.raises(InputError, match="CosineBetas"):
            sdes.CosineBetas(**wrong)

"""The transform of photon noise: its moments by sums over counts, its inverse, and denoising through it."""

import numpy as np
import pytest
import scipy.stats

from score_sde.denoise import Anscombe, stabilised
from score_sde.errors import InputError

CASES = [(1.0, 0.0), (1.0, 2.0), (0.02, 0.05)]


def moments(transform, counts):
    """Mean and variance of f(y) by sums over counts and Gauss-Hermite nodes of the normal part."""
    k = np.arange(0, int(counts + 12 * np.sqrt(counts) + 30))
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    probabilities = scipy.stats.poisson(counts).pmf(k)[:, None] * (weights / weights.sum())
    values = transform.forward(transform.low + transform.gain * k[:, None] + transform.std * nodes)
    mean = (probabilities * values).sum()
    return mean, (probabilities * (values - mean) ** 2).sum()


@pytest.mark.parametrize(("gain", "std"), CASES)
def test_variance_is_one_and_the_inverse_has_no_bias(gain, std):
    """From 4 counts on, variance to 6 % and the inverse to 1 %; the algebraic inverse fails there."""
    transform = Anscombe(gain=gain, std=std, low=-1.0)
    for counts in (4.0, 10.0, 50.0, 300.0):
        mean, variance = moments(transform, counts)
        assert variance == pytest.approx(1, abs=0.06)
        found = (transform.inverse(mean) + 1) / gain
        assert found == pytest.approx(counts, rel=0.01)
    mean, _ = moments(transform, 4.0)
    algebraic = (mean * gain / 2) ** 2 / gain**2 - 0.375 - (std / gain) ** 2
    assert algebraic != pytest.approx(4.0, rel=0.05)


def test_denoising_counts():
    """A flat scene: the mean over all values after the transform is the clean value."""
    rng = np.random.default_rng(0)
    y = -1 + 0.1 * rng.poisson(7.0, 200000)

    def mean(values, std):
        assert values.std() == pytest.approx(std, rel=0.05)  # is what it is told
        return np.full_like(values, values.mean())

    found = stabilised(mean, y, Anscombe(gain=0.1, low=-1.0), high=1.0)
    np.testing.assert_allclose(found, -0.3, atol=0.003)


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"Anscombe.gain"):
        Anscombe(gain=0.0)
    with pytest.raises(InputError, match=r"Anscombe.std"):
        Anscombe(gain=1.0, std=-1.0)

"""Long chains from models of windows: exact as the noise goes to 0, better with longer windows, no gaps."""

import itertools

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoisers import Gaussian, Middle, Tiled, Wrapping
from score_sde.dynamics import LinearGaussian
from score_sde.errors import InputError
from score_sde.sdes import VP

pytestmark = pytest.mark.usefixtures("x64")
LENGTH = 15


def rotation(turn, shrink):
    return shrink * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def chain(length, shrink=0.9, noise=0.4):
    """A stationary chain of the plane: any window has the same law."""
    law = noise**2 / (1 - shrink**2) * np.eye(2)
    system = LinearGaussian(matrix=rotation(0.4, shrink), mean=np.zeros(2), covariance=law, noise=noise)
    mean, covariance = system.joint(length)
    return Gaussian(sde=VP(), mean=mean, covariance=covariance)


def composed(side):
    return Tiled(sde=VP(), model=chain(side), tile=(side, 2), stride=(1,), chunk=64, weights=Middle())


def relative_error(side, t):
    """Of the composed score of a noised chain, over draws of it."""
    exact, sde = chain(LENGTH), VP()
    rng = np.random.default_rng(0)
    root = np.linalg.cholesky(np.asarray(exact.covariance))
    x0 = (rng.normal(size=(64, 2 * LENGTH)) @ root.T).reshape(64, LENGTH, 2)
    x = jnp.asarray(float(sde.alpha(t)) * x0 + float(sde.sigma(t)) * rng.normal(size=x0.shape))
    want, found = exact.score(x, t), composed(side).score(x, t)
    return float(jnp.linalg.norm(found - want) / jnp.linalg.norm(want))


def test_scores_become_exact_as_the_noise_goes_to_zero():
    """Of a chain of order one, with windows of three: Rozet and Louppe 2023, section 3.1.

    The error falls with the variance of the noise; windows of one state never see the neighbours.
    """
    errors = [relative_error(3, t) for t in (0.05, 0.01, 0.002)]
    variances = [float(VP().variance(t)) for t in (0.05, 0.01, 0.002)]
    for error, variance in zip(errors[1:], variances[1:], strict=True):
        assert error / errors[0] < 1.5 * variance / variances[0]
    assert errors[-1] < 2e-3
    assert relative_error(1, 0.002) > 0.2


def test_longer_windows_err_less():
    errors = [relative_error(side, 0.2) for side in (1, 3, 5, 9, 13)]
    assert all(late < 0.75 * early for early, late in itertools.pairwise(errors))
    assert errors[0] > 0.1
    assert relative_error(LENGTH, 0.2) < 1e-6  # the whole chain


@pytest.mark.parametrize("side", [1, 2, 3, 4, 5])
def test_every_place_is_asked_of_one_tile_and_seen_from_the_middle(side):
    starts = np.arange(8 - side + 1)[:, None]
    asked = Middle()(starts, (side,), (1,), (8,))
    count = np.zeros(8)
    for (start,), own in zip(starts, asked, strict=True):
        count[start : start + side] += own
    np.testing.assert_array_equal(count, 1)
    inner = asked[1:-1]
    np.testing.assert_array_equal(inner, np.tile(np.arange(side) == side // 2, (len(inner), 1)))


def test_a_ring_has_only_middles():
    """Windows that go around: the score of a place is that of the window about it, everywhere alike."""
    model = Tiled(sde=VP(), model=chain(3), tile=(3, 2), stride=(1,), layout=Wrapping(), weights=Middle())
    x = jnp.asarray(np.random.default_rng(1).normal(size=(2, 6, 2)))
    turned = model(jnp.roll(x, 2, axis=1), 0.3)
    np.testing.assert_allclose(turned, jnp.roll(model(x, 0.3), 2, axis=1), atol=1e-10)


def test_fields_are_tiled_in_time_alone():
    """Independent places: a window of (3, 4, 1) as tile is the chain of each place."""
    one = LinearGaussian(matrix=np.array([[0.8]]), mean=np.zeros(1), covariance=np.eye(1), noise=0.6)
    mean, covariance = one.joint(3)
    window = Gaussian(sde=VP(), mean=mean, covariance=covariance)
    fields = Gaussian(sde=VP(), mean=np.zeros((3, 4, 1)), covariance=np.kron(covariance, np.eye(4)))
    x = np.random.default_rng(2).normal(size=(2, 7, 4, 1))
    found = Tiled(sde=VP(), model=fields, tile=(3, 4, 1), stride=(1, 4), weights=Middle())(x, 0.3)
    alone = Tiled(sde=VP(), model=window, tile=(3, 1), stride=(1,), weights=Middle())
    for place in range(4):
        np.testing.assert_allclose(found[:, :, place], alone(x[:, :, place], 0.3), atol=1e-6)


def test_strides_that_leave_gaps_are_told():
    model = Tiled(sde=VP(), model=chain(3), tile=(3, 2), stride=(2,), weights=Middle())
    with pytest.raises(InputError, match=r"Tiled.stride = \(2,\): expected 1 along axes"):
        model(jnp.zeros((1, 9, 2)), 0.3)

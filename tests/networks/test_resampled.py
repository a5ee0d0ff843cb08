"""What convolutions that halve or double see, against the filters themselves."""

import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.networks.layers import FIR, NAIVE, Plain

FILTERS = [Plain(), NAIVE, FIR(), FIR((1.0, 1.0)), FIR((1.0, 2.0, 1.0)), FIR((1.0, 2.0, 5.0, 3.0))]
X = jnp.asarray(np.random.default_rng(0).standard_normal((2, 6, 4, 3)), jnp.float32)


@pytest.mark.parametrize("resampling", FILTERS, ids=str)
def test_spread_is_up_and_one_pixel_more(resampling):
    wide = resampling.spread(X)
    assert wide.shape == (2, 14, 10, 3)
    np.testing.assert_allclose(wide[:, 1:-1, 1:-1], resampling.up(X), atol=1e-6)


@pytest.mark.parametrize("resampling", FILTERS[2:], ids=str)
def test_spread_does_not_cut_the_filter(resampling):
    """With zeros around, the filter itself reaches the pixel more."""
    padded = jnp.pad(X, [(0, 0), (1, 1), (1, 1), (0, 0)])
    np.testing.assert_allclose(resampling.spread(X), resampling.up(padded)[:, 1:-1, 1:-1], atol=1e-6)


@pytest.mark.parametrize("resampling", [f for f in FILTERS if f != NAIVE], ids=str)
def test_every_second_smoothed_pixel_is_down(resampling):
    smooth = resampling.smoothed(X)
    assert smooth.shape == (2, 7, 5, 3)
    np.testing.assert_allclose(smooth[:, 1::2, 1::2], resampling.down(X), atol=1e-6)


def test_without_a_filter_convolutions_see_x_itself():
    """PyTorch's F.pad(x, (0, 1, 0, 1)) of the published DDPM."""
    np.testing.assert_array_equal(NAIVE.smoothed(X), jnp.pad(X, [(0, 0), (0, 1), (0, 1), (0, 0)]))
    np.testing.assert_array_equal(NAIVE.down(X), Plain().down(X))

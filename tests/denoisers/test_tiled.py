"""Large examples by overlapping tiles: exact where tiles are enough, seamless, for images and signals."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.denoise import mmse, posterior_draws
from score_sde.denoisers import Covering, Gaussian, Tiled, Wrapping
from score_sde.denoisers.base import Denoiser
from score_sde.denoisers.tiles import tile_starts, tile_window
from score_sde.errors import InputError
from score_sde.inverse.default_sampler import SAMPLER
from score_sde.sdes import VP


def white(tile, mean=0.2, variance=0.3):
    """Independent values: a tile knows all there is to know."""
    size = int(np.prod(tile))
    return Gaussian(sde=VP(), mean=np.full(tile, mean), covariance=variance * np.eye(size))


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize(
    ("tile", "shape"),
    [
        ((4, 4, 2), (11, 9, 2)),
        ((4, 4, 2), (4, 4, 2)),
        ((4, 6, 1), (3, 5, 1)),
        ((8, 1), (29, 1)),
        ((8, 1), (5, 1)),
    ],
)
def test_independent_values_are_denoised_as_a_whole(tile, shape):
    y = np.random.default_rng(0).normal(size=(3, *shape))
    found = mmse(Tiled.of(white(tile), tile, chunk=5), y, np.array([0.3, 0.5, 0.7]))
    gain = 0.3 / (0.3 + np.array([0.3, 0.5, 0.7]) ** 2).reshape(3, *[1] * len(shape))
    np.testing.assert_allclose(found, 0.2 + gain * (y - 0.2), atol=1e-8)


@pytest.mark.parametrize("stride", [1, 3, 4, 7])
def test_tiles_cover_and_weights_blend(stride):
    """Every place is covered; a constant stays one; weights of two neighbours add up to one between them."""
    starts = tile_starts((23, 9), (7, 7), (stride, stride))
    covered = np.zeros((23, 9))
    for top, left in starts:
        covered[top : top + 7, left : left + 7] += 1
    assert covered.min() >= 1
    assert starts.max(axis=0).tolist() == [16, 2]
    assert tile_window((7,), (stride,)).min() > 0
    window = tile_window((8,), (4,))
    np.testing.assert_allclose(window[4:] + window[:4], 1, atol=1e-12)


class Told(Denoiser):
    """Says what it is told."""

    def __call__(self, x, t, cond=None, *, key=None):
        return jnp.broadcast_to(cond["label"].reshape(-1, *[1] * (x.ndim - 1)).astype(x.dtype), x.shape)


def test_every_tile_is_told_of_its_example():
    cond = {"label": jnp.array([3, 5])}
    found = mmse(Tiled.of(Told(sde=VP()), (4, 1)), jnp.zeros((2, 10, 1)), 0.5, cond)
    np.testing.assert_allclose(found, np.broadcast_to([[[3.0]], [[5.0]]], (2, 10, 1)), atol=1e-5)


def test_a_smooth_field_has_no_seams():
    """A normal field with correlations of 3 places: near the estimate from all 40; overlaps help."""
    place = np.arange(40.0)
    covariance = np.exp(-0.5 * ((place[:, None] - place) / 3) ** 2) + 1e-4 * np.eye(40)
    rng = np.random.default_rng(1)
    clean = rng.multivariate_normal(np.zeros(40), covariance, 400)[..., None]
    y = jnp.asarray(clean + 0.5 * rng.normal(size=clean.shape), jnp.float32)
    whole = Gaussian(sde=VP(), mean=np.zeros((40, 1)), covariance=covariance)
    part = Gaussian(sde=VP(), mean=np.zeros((16, 1)), covariance=covariance[:16, :16])
    best = np.mean((np.asarray(mmse(whole, y, 0.5)) - clean) ** 2)
    errors = {
        stride: np.mean((np.asarray(mmse(Tiled.of(part, (16, 1), stride), y, 0.5)) - clean) ** 2)
        for stride in (4, 16)
    }
    assert best < errors[4] < 1.15 * best
    assert errors[4] < errors[16]


def test_draws_of_large_examples():
    tiled = Tiled.of(white((4, 1)), (4, 1))
    y = jnp.full((2000, 10, 1), 0.8)
    draws = np.asarray(posterior_draws(jax.random.key(0), tiled, y, 0.5, sampler=SAMPLER.replace(n_steps=60)))
    gain = 0.3 / 0.55
    np.testing.assert_allclose(draws.mean(axis=0), 0.2 + gain * 0.6, atol=0.05)
    assert draws.std() == pytest.approx(np.sqrt(0.3 * (1 - gain)), rel=0.12)  # few steps are too narrow


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"Tiled.stride"):
        Tiled.of(white((4, 1)), (4, 1), 5)
    with pytest.raises(InputError, match=r"Tiled for x.shape"):
        mmse(Tiled.of(white((4, 1)), (4, 1)), jnp.zeros((1, 8, 2)), 0.5)


def on_a_ring(length, part=None):
    """Covariance of a smooth stationary field on a ring, or of a part of it."""
    place = np.arange(length if part is None else part)
    apart = np.abs(place[:, None] - place)
    return np.exp(-0.5 * (np.minimum(apart, length - apart) / 2) ** 2) + 1e-3 * np.eye(len(place))


def test_wrapped_tiles_know_no_beginning():
    """Turning a ring by a stride turns the estimate; tiles from end to end do not do that."""
    part = Gaussian(sde=VP(), mean=np.zeros((8, 1)), covariance=on_a_ring(24, 8))
    y = jnp.asarray(np.random.default_rng(0).normal(size=(3, 24, 1)), jnp.float32)
    turned = {}
    for layout in (Wrapping(), Covering()):
        tiled = Tiled.of(part, (8, 1), 4, layout=layout)
        apart = jnp.roll(mmse(tiled, y, 0.5), 4, axis=1) - mmse(tiled, jnp.roll(y, 4, axis=1), 0.5)
        turned[type(layout).__name__] = float(jnp.abs(apart).max())
    assert turned["Wrapping"] < 1e-5 < 0.01 < turned["Covering"]


def test_copies_of_a_wrapped_draw_join():
    """Two neighbours across the ends are as alike as elsewhere; from end to end they are strangers."""
    part = Gaussian(sde=VP(), mean=np.zeros((8, 1)), covariance=on_a_ring(16, 8))
    jump = {}
    for layout in (Wrapping(), Covering()):
        tiled = Tiled.of(part, (8, 1), 4, layout=layout)
        x = np.asarray(SAMPLER.replace(n_steps=50)(jax.random.key(0), tiled, (1000, 16, 1)))[..., 0]
        inside = np.mean(np.square(np.diff(x, axis=1)))
        jump[type(layout).__name__] = np.mean(np.square(x[:, 0] - x[:, -1])) / inside
    assert jump["Wrapping"] == pytest.approx(1, abs=0.15)
    assert jump["Covering"] > 3


def test_mistakes_of_wrapped_tiles_are_told():
    tiled = Tiled.of(white((4, 1)), (4, 1), 2, layout=Wrapping())
    with pytest.raises(InputError, match=r"sides that Tiled.stride"):
        mmse(tiled, jnp.zeros((1, 7, 1)), 0.5)
    with pytest.raises(InputError, match=r"sides of at least"):
        mmse(tiled, jnp.zeros((1, 2, 1)), 0.5)

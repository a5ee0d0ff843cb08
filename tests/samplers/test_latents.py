"""Paths of latents: lengths and angles of arcs, and the exact law of closed walks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.errors import InputError
from score_sde.samplers import closed_walk, great_circle

FRACTIONS = np.linspace(0, 1, 7)


@pytest.mark.usefixtures("x64")
def test_an_arc_keeps_its_length_and_turns_evenly():
    """Vectors of one length: so are all between them, each as far from the last as the one before."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=(4, 3, 2)) for _ in range(2))
    b *= np.linalg.norm(a, axis=(1, 2), keepdims=True) / np.linalg.norm(b, axis=(1, 2), keepdims=True)
    path = np.asarray(great_circle(a, b, FRACTIONS))
    np.testing.assert_allclose(path[0], a, atol=1e-12)
    np.testing.assert_allclose(path[-1], b, atol=1e-12)
    lengths = np.linalg.norm(path, axis=(2, 3))
    np.testing.assert_allclose(lengths, np.broadcast_to(lengths[0], lengths.shape), rtol=1e-12)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=(2, 3))
    np.testing.assert_allclose(steps, np.broadcast_to(steps[0], steps.shape), rtol=1e-9)
    straight = np.linalg.norm(0.5 * (a + b), axis=(1, 2))
    assert (straight < 0.95 * lengths[0]).all()  # a line leaves the shell


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("apart", [0.0, 1e-9, 1e-4, 1e-3])
def test_nearly_equal_latents_are_joined_by_a_line(apart):
    a = np.ones((1, 5))
    b = a + apart * np.arange(5.0)
    path = np.asarray(great_circle(a, b, FRACTIONS))
    expected = (1 - FRACTIONS)[:, None, None] * a + FRACTIONS[:, None, None] * b
    np.testing.assert_allclose(path, expected, atol=max(apart, 1e-9) ** 2 * 4 + 1e-12)


def test_a_closed_walk_is_noise_at_every_frame_and_comes_back():
    """Mean 0, variance 1, correlation mean_k cos(2 pi k lag), over 40,000 walks; last is next to first."""
    frames, count = 8, 40_000
    walk = np.asarray(closed_walk(jax.random.key(0), (count,), frames))
    assert walk.shape == (frames, count)
    bound = 4.5 / np.sqrt(count)
    assert np.abs(walk.mean(axis=1)).max() < bound
    turns = 2 * np.pi * np.arange(frames) / frames
    expected = 0.5 * (np.cos(turns) + np.cos(2 * turns))
    for start in range(frames):
        found = (walk[start] * np.roll(walk, -start, axis=0)).mean(axis=1)
        assert np.abs(found - expected).max() < np.sqrt(2) * bound
    assert bound < 0.05  # a planted 5 % of the variance would be seen
    steps = np.square(np.diff(np.concatenate([walk, walk[:1]]), axis=0)).mean(axis=1)
    np.testing.assert_allclose(steps, 2 - 2 * expected[1], rtol=0.03)


def test_more_harmonics_wander_farther():
    steps = []
    for harmonics in (1, 2, 4):
        walk = closed_walk(jax.random.key(1), (5000,), 32, harmonics)
        steps.append(float(jnp.mean(jnp.square(walk[1] - walk[0]))))
    assert steps[0] < steps[1] < steps[2]


def test_mistakes_are_told():
    with pytest.raises(InputError, match=r"great_circle b.shape"):
        great_circle(jnp.zeros((2, 3)), jnp.zeros((2, 4)), FRACTIONS)
    with pytest.raises(InputError, match=r"closed_walk frames"):
        closed_walk(jax.random.key(0), (2,), 0)
    with pytest.raises(InputError, match=r"closed_walk harmonics"):
        closed_walk(jax.random.key(0), (2,), 4, 0)

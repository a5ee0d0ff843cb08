"""Paths through the noise that a deterministic sampler starts from: between pictures, and in circles."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from score_sde import arrays
from score_sde.arrays import expand, flatten
from score_sde.errors import InputError
from score_sde.products import full_einsum
from score_sde.samplers.checks import require_whole
from score_sde.typing import Array, Batch, Key

PARALLEL = 1e-4  # radians, below which an arc is a line


def great_circle(a: Batch, b: Batch, fractions: Array | np.ndarray) -> Batch:
    """Spherical interpolation of latents: (frames, batch, *event) from ``a`` (fraction 0) to ``b`` (1).

    x(f) = (sin((1 - f) w) a + sin(f w) b) / sin(w), w the angle between the two (Shoemake 1985). Where a and
    b are as long, so is x(f): it stays on the shell where Gaussian noise lies, which a straight line leaves.
    Opposite latents have no such arc: what is given for them means nothing.
    """
    if a.shape != b.shape:
        raise InputError("great_circle b.shape", b.shape, f"{a.shape}, the shape of a", "give pairs")
    rows = [flatten(each) / jnp.linalg.norm(flatten(each), axis=1, keepdims=True) for each in (a, b)]
    # half the angle by its tangent, which keeps its digits where the cosine is flat
    half = jnp.arctan2(*(jnp.linalg.norm(each, axis=1) for each in (rows[0] - rows[1], rows[0] + rows[1])))
    angle = 2 * half

    def at(fraction: Array) -> Batch:
        near = angle < PARALLEL
        sine = jnp.sin(jnp.where(near, 1.0, angle))
        first = jnp.where(near, 1 - fraction, jnp.sin((1 - fraction) * angle) / sine)
        second = jnp.where(near, fraction, jnp.sin(fraction * angle) / sine)
        return expand(first, a) * a + expand(second, b) * b

    return jax.vmap(at)(jnp.asarray(fractions, a.dtype))


def closed_walk(key: Key, shape: tuple[int, ...], frames: int, harmonics: int = 2) -> Batch:
    """Standard normal noise (frames, *shape) that wanders and comes back to where it began.

    z(f) = sum_k (a_k cos(2 pi k f) + b_k sin(2 pi k f)) / sqrt(K), k = 1 .. K = ``harmonics``, with a_k and
    b_k standard normal: each z(f) is N(0, I), and its correlation with z(f') is mean_k cos(2 pi k (f - f')).
    More harmonics wander farther between two frames.
    """
    require_whole("closed_walk frames", frames, 1)
    require_whole("closed_walk harmonics", harmonics, 1)
    turns = 2 * np.pi * np.arange(frames) / frames
    waves = np.stack([wave(k * turns) for k in range(1, harmonics + 1) for wave in (np.cos, np.sin)])
    drawn = arrays.normal_like(key, jnp.zeros((len(waves), *shape)))
    weights = jnp.asarray(waves / np.sqrt(harmonics), drawn.dtype)
    return full_einsum("kf,k...->f...", weights, drawn)

"""Where the noise of a predictor comes from."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from score_sde.pytree import Pytree
from score_sde.samplers.base import Noise, Predictor
from score_sde.sdes.base import SDE
from score_sde.typing import Array, Batch, Key

BOUND = 1024.0  # of |log q| / 2, beyond which there is no path
LEVELS = 25  # of the tree, whose leaves are 2 BOUND / 2^LEVELS = 6e-5 long


class FreshNoise(Noise):
    """Independent noise in every step, from the step's key."""

    def __call__(
        self, step_key: Key, path_key: Key, predictor: Predictor, sde: SDE, t: Array, s: Array
    ) -> Any:
        """The step's key."""
        del path_key, predictor, sde, t, s
        return step_key


class BrownianPath(Noise):
    """One Brownian path B for each key, whatever the number of steps.

    A step from t to s has (B(q_t) - B(q_s)) / sqrt(|q_t - q_s|), in the clock q of its predictor. With more
    steps a sampler then nears one solution of the reverse SDE, at its strong order, and samples of few steps
    are rough forms of those of many.

    B(e^{2u}) e^{-u} is stationary in u, of covariance e^{-|u - u'|}, and is drawn there by halving (a virtual
    Brownian tree, Li et al. 2020; its midpoints as of an Ornstein-Uhlenbeck bridge), so that q may span any
    range in float32 too. A step takes some fifty draws in place of one, and its width in log q should be
    above 1e-3. A predictor that splits its key, as some methods for inverse problems do, has no path.
    """

    def __call__(
        self, step_key: Key, path_key: Key, predictor: Predictor, sde: SDE, t: Array, s: Array
    ) -> Any:
        """The increment of the path."""
        del step_key
        return Increment(key=path_key, begin=predictor.log_clock(sde, t), end=predictor.log_clock(sde, s))


class Increment(Pytree):
    """(B(q) - B(q')) / sqrt(q - q'), q > q', of the path of a key, drawn when it is asked for.

    Attributes:
        key: of the path.
        begin: log q or log q', which may be infinite.
        end: the other.
    """

    key: Key
    begin: Array
    end: Array

    def normal_like(self, x: Batch) -> Batch:
        """The increment, standard normal, of the shape of ``x``."""
        wide = jnp.zeros(x.shape, jnp.promote_types(x.dtype, jnp.float32))
        places = 0.5 * jax.lax.stop_gradient(jnp.sort(jnp.stack([self.begin, self.end])))
        places = jnp.clip(places.astype(wide.dtype), -BOUND, BOUND)
        low, high = jax.vmap(lambda place: _stationary(self.key, place, wide))(places)
        width = places[1] - places[0]
        std = jnp.sqrt(-jnp.expm1(-2 * width))  # 0 where a predictor stands still
        return ((high - jnp.exp(-width) * low) / jnp.where(std > 0, std, 1)).astype(x.dtype)


class GivenNoise(Pytree):
    """Noise that is known: put in the place of a key, it is what a step draws.

    Attributes:
        values: broadcast to the state.
    """

    values: Array

    def normal_like(self, x: Batch) -> Batch:
        """The values."""
        return jnp.broadcast_to(jnp.asarray(self.values, x.dtype), x.shape)


class _Branch(NamedTuple):
    """A piece of the path, from ``begin`` on, and the values at its ends; ``number`` is its place."""

    number: Array
    begin: Array
    left: Array
    right: Array


def _stationary(key: Key, place: Array, like: Array) -> Array:
    """The path's value at ``place``."""

    def drawn(number: Array) -> Array:
        return jax.random.normal(jax.random.fold_in(key, number), like.shape, like.dtype)

    def halve(level: Array, branch: _Branch) -> _Branch:
        half = BOUND / 2.0 ** level.astype(like.dtype)
        middle = branch.begin + half
        share = jnp.exp(-half) / (1 + jnp.exp(-2 * half))  # 1 / (2 cosh(half))
        value = share * (branch.left + branch.right) + jnp.sqrt(jnp.tanh(half)) * drawn(branch.number)
        later = place >= middle
        return _Branch(
            2 * branch.number + later,
            jnp.where(later, middle, branch.begin),
            jnp.where(later, value, branch.left),
            jnp.where(later, branch.right, value),
        )

    ends = drawn(jnp.uint32(0)), drawn(jnp.uint32(2 ** (LEVELS + 1)))  # independent: e^-2048 apart
    whole = _Branch(jnp.uint32(1), jnp.asarray(-BOUND, like.dtype), *ends)
    leaf = jax.lax.fori_loop(0, LEVELS, halve, whole)
    length = 2 * BOUND / 2.0**LEVELS
    before = jnp.clip(place - leaf.begin, 0, length)
    parts = jnp.sinh(length - before) / jnp.sinh(length), jnp.sinh(before) / jnp.sinh(length)
    spread = jnp.sqrt(2 * parts[0] * jnp.sinh(before))
    return parts[0] * leaf.left + parts[1] * leaf.right + spread * drawn(leaf.number)

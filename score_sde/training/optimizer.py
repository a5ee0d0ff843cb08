"""Optimizers as configs name them: optax transformations with warm-up, schedule and clipping."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import optax

from score_sde.errors import InputError
from score_sde.training.schedules import Constant, Schedule
from score_sde.typing import Array


def adam(
    *,
    learning_rate: float = 2e-4,
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    warmup_steps: float = 0.0,
    clip_norm: float | None = 1.0,
    schedule: Schedule | None = None,
    infinite: float | None = None,
) -> optax.GradientTransformation:
    """Adam (Kingma and Ba 2015) with decoupled weight decay, on gradients clipped by their global norm.

    The defaults are those of Song et al. 2021 (appendix G) without its warm-up of 5000 updates. The rate of
    the update after ``count`` others is learning_rate * min(count / warmup_steps, 1) * schedule(count).

    Args:
        learning_rate: peak rate.
        b1: decay of the first moment.
        b2: decay of the second moment.
        eps: added to the root of the second moment.
        weight_decay: decoupled decay (Loshchilov and Hutter 2019), times the rate.
        warmup_steps: updates over which the rate rises linearly from 0; 0 for none. Need not be whole:
            Karras et al. 2022 ramp over 10 million images.
        clip_norm: largest global norm of the gradient; None for no clipping.
        schedule: factor of the rate; None for a constant one.
        infinite: what +-inf in a gradient becomes (with this sign), NaN then becoming 0, as in the code of
            Karras et al. 2022 (1e5); None leaves both as they are, and training stops there.

    Raises:
        InputError: a value out of its range.
    """
    _check("learning_rate", learning_rate, learning_rate > 0, "a positive number")
    _check("b1", b1, 0 <= b1 < 1, "a number in [0, 1)")
    _check("b2", b2, 0 <= b2 < 1, "a number in [0, 1)")
    _check("eps", eps, eps > 0, "a positive number")
    _check("weight_decay", weight_decay, weight_decay >= 0, "a number >= 0")
    return optax.chain(
        optax.chain(finite_gradients(infinite), clipping(clip_norm)),
        optax.scale_by_adam(b1, b2, eps),
        optax.add_decayed_weights(weight_decay) if weight_decay else optax.identity(),
        optax.scale_by_learning_rate(rate(learning_rate, warmup_steps, schedule)),
    )


def sgd(
    *,
    learning_rate: float = 1e-2,
    momentum: float = 0.0,
    warmup_steps: float = 0.0,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
) -> optax.GradientTransformation:
    """Stochastic gradient descent with heavy-ball momentum, clipping, warm-up and schedule as in ``adam``."""
    _check("learning_rate", learning_rate, learning_rate > 0, "a positive number")
    _check("momentum", momentum, 0 <= momentum < 1, "a number in [0, 1)")
    return optax.chain(
        clipping(clip_norm),
        optax.trace(momentum) if momentum else optax.identity(),
        optax.scale_by_learning_rate(rate(learning_rate, warmup_steps, schedule)),
    )


def clipping(clip_norm: float | None) -> optax.GradientTransformation:
    """Scale the gradient by min(1, clip_norm / norm) with its global norm; None leaves it alone."""
    if clip_norm is None:
        return optax.identity()
    _check("clip_norm", clip_norm, clip_norm > 0, "a positive number", "None for no clipping")
    return optax.clip_by_global_norm(clip_norm)


def finite_gradients(infinite: float | None) -> optax.GradientTransformation:
    """NaN becomes 0 and +-inf becomes +-``infinite``; None leaves the gradient alone."""
    if infinite is None:
        return optax.identity()
    _check("infinite", infinite, infinite > 0, "a positive number", "None to leave gradients alone")
    return optax.stateless_with_tree_map(
        lambda gradient, _: jnp.nan_to_num(gradient, nan=0.0, posinf=infinite, neginf=-infinite)
    )


def rate(learning_rate: float, warmup_steps: float, schedule: Schedule | None) -> optax.Schedule:
    """The rate as a function of the number of earlier updates."""
    _check("warmup_steps", warmup_steps, warmup_steps >= 0, "a number of updates >= 0")
    factor = Constant() if schedule is None else schedule

    def at(count: Any) -> Array:
        warm = jnp.minimum(jnp.asarray(count) / warmup_steps, 1.0) if warmup_steps else 1.0
        return learning_rate * warm * factor(jnp.asarray(count))

    return at


def _check(field: str, value: float, holds: bool, expected: str, remedy: str = "") -> None:
    if not holds:
        raise InputError(f"optimizer.{field}", value, expected, remedy)

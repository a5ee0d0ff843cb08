"""Checks that samplers and their parts share, made where a person's values are still concrete."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.denoisers.base import Denoiser, ScoreModel
from score_sde.errors import InputError
from score_sde.sdes.base import SDE, GaussianSDE
from score_sde.typing import Array, Batch


def require_whole(where: str, value: Any, least: int, remedy: str = "raise it") -> None:
    """Raise unless ``value`` is a whole number of at least ``least``."""
    if not _is_whole(value) or value < least:
        raise InputError(where, value, f"a whole number of at least {least}", remedy)


def require_between(where: str, value: Any, least: int, most: int) -> None:
    """Raise unless ``value`` is a whole number from ``least`` to ``most``."""
    if not _is_whole(value) or not least <= value <= most:
        raise InputError(where, value, f"a whole number from {least} to {most}", "choose one of these")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def require_terms(where: str, terms: int, n_steps: int) -> None:
    """Raise where a multi-step solver would never have the values that its order needs."""
    if terms > n_steps:
        raise InputError(where, terms, f"at most n_steps = {n_steps}", "lower the order or take more steps")


def require_positive(where: str, value: Any) -> None:
    """Raise unless ``value`` > 0, where it is known."""
    if not isinstance(value, jax.core.Tracer) and not value > 0:
        raise InputError(where, value, "a positive number")


def require_not_negative(where: str, value: Any) -> None:
    """Raise unless ``value`` >= 0, where it is known."""
    if not isinstance(value, jax.core.Tracer) and not value >= 0:
        raise InputError(where, value, "a number of at least 0")


def require_decreasing(where: str, times: Any) -> None:
    """Raise unless the times are finite, not negative and strictly decreasing, where they are known."""
    if isinstance(times, jax.core.Tracer):
        return
    values = np.asarray(times)
    if values.ndim != 1 or values.size < 2 or not np.all(np.isfinite(values)):
        raise InputError(where, values.tolist(), "two or more finite times")
    if np.any(np.diff(values) >= 0) or values[-1] < 0:
        expected = "strictly decreasing times of at least 0"
        raise InputError(where, values.tolist(), expected, "start later, end earlier or take fewer steps")


def require_start(where: str, shape: tuple[int, ...], x: Batch | None, t: Any) -> None:
    """Raise unless a given state has the shape asked for, and a given time has a state."""
    if x is None and t is not None:
        raise InputError(f"{where}.t", t, "no time where no state x is given", "give the state at this time")
    if x is not None and x.shape != tuple(shape):
        raise InputError(f"{where}.x", x.shape, f"the shape {tuple(shape)}", "change one of the two")


def require_denoiser(where: str, model: ScoreModel) -> Denoiser:
    """The model as a denoiser; raise where it is only a score."""
    if not hasattr(model, "estimate"):
        expected = "a denoiser of a Gaussian SDE"
        raise InputError(f"{where} for model", type(model).__name__, expected, "use EulerMaruyama")
    return cast(Denoiser, model)


def require_gaussian(where: str, sde: SDE, instead: str = "") -> GaussianSDE:
    """The SDE as one with a closed kernel; raise where it has none, naming what serves ``instead``."""
    if not hasattr(sde, "log_snr"):
        remedy = f"it needs alpha and sigma; use {instead}" if instead else "it needs alpha and sigma"
        raise InputError(f"{where} for sde", type(sde).__name__, "a Gaussian SDE", remedy)
    return cast(GaussianSDE, sde)


def floating(value: Any) -> Array:
    """A time as an array of the default floating type."""
    return jnp.asarray(value, dtype=jnp.result_type(float))

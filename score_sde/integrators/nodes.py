"""Where a fixed-step solver places its steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from score_sde.errors import InputError
from score_sde.pytree import Pytree, static
from score_sde.typing import Array


class Nodes(Pytree, ABC):
    """The n_steps + 1 times of a fixed-step solver."""

    @abstractmethod
    def __call__(self, t0: Array, t1: Array, n_steps: int) -> Array:
        """Monotone times, the first ``t0`` and the last ``t1``."""


class UniformNodes(Nodes):
    """Equal steps."""

    def __call__(self, t0: Array, t1: Array, n_steps: int) -> Array:
        """t0 + (t1 - t0) i / n."""
        return jnp.linspace(t0, t1, n_steps + 1)


class WarpedNodes(Nodes):
    """Times spread by a function of the fraction travelled.

    Attributes:
        warp: increasing, from warp(0) = 0 to warp(1) = 1, on arrays.
    """

    warp: Callable[[Array], Array] = static(jnp.square)

    def __call__(self, t0: Array, t1: Array, n_steps: int) -> Array:
        """t0 + (t1 - t0) warp(i / n)."""
        return t0 + (t1 - t0) * self.warp(jnp.linspace(0.0, 1.0, n_steps + 1, dtype=jnp.result_type(t0)))


class LogSNRNodes(Nodes):
    """Equal steps in the log-SNR of a Gaussian SDE, where its probability flow changes evenly.

    Attributes:
        sde: the SDE whose flow is solved, which gives ``log_snr`` and ``time_at_log_snr``; both ends of the
            solve need a finite log-SNR.
    """

    sde: Any

    def __call__(self, t0: Array, t1: Array, n_steps: int) -> Array:
        """The times whose log-SNRs are evenly spaced from that of t0 to that of t1."""
        log_snr = jnp.linspace(self.sde.log_snr(t0), self.sde.log_snr(t1), n_steps + 1)
        inner = self.sde.time_at_log_snr(log_snr[1:-1]).astype(jnp.result_type(t0))
        return jnp.concatenate([t0[None], inner, t1[None]])


class GivenNodes(Nodes):
    """A user's own times, which must begin at t0 and end at t1.

    Attributes:
        times: strictly monotone, (n_steps + 1,).
    """

    times: Array

    def __post_init__(self) -> None:
        times = self.times
        if not isinstance(times, jax.core.Tracer):
            steps = np.diff(np.asarray(times))
            if steps.ndim != 1 or not steps.size or not (np.all(steps > 0) or np.all(steps < 0)):
                raise InputError("GivenNodes.times", times, "two or more strictly monotone times")

    def __call__(self, t0: Array, t1: Array, n_steps: int) -> Array:
        """The times as given."""
        if len(self.times) != n_steps + 1:
            expected = f"{n_steps + 1} times for n_steps = {n_steps}"
            raise InputError("GivenNodes.times", len(self.times), expected, "change n_steps or the times")
        _require_end("first", self.times[0], t0)
        _require_end("last", self.times[-1], t1)
        return jnp.asarray(self.times, dtype=jnp.result_type(t0))


def _require_end(name: str, given: Array, wanted: Array) -> None:
    if isinstance(given, jax.core.Tracer) or isinstance(wanted, jax.core.Tracer):
        return
    if not np.isclose(given, wanted, rtol=1e-6, atol=0):
        expected = f"the end {float(wanted)!r} of the solve"
        raise InputError(f"GivenNodes.times ({name})", float(given), expected)

"""What a system that evolves in time is: states, and the law of the next one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import jax
import jax.numpy as jnp

from score_sde.arrays import normal_like
from score_sde.errors import InputError
from score_sde.pytree import Pytree
from score_sde.typing import Array, Batch, Key


class MarkovProcess(Pytree, ABC):
    """States that are drawn one after the other, each from a law that knows only the one before.

    A subclass writes ``shape``, ``start`` and ``step``: what simulations and particle filters need.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one state."""

    @abstractmethod
    def start(self, key: Key, n: int) -> Batch:
        """``n`` states to begin at, near where trajectories stay."""

    @abstractmethod
    def step(self, key: Key, x: Batch) -> Batch:
        """A draw of the next state of each of ``x`` (batch, *shape)."""

    def simulate(self, key: Key, x: Batch, length: int) -> Batch:
        """Trajectories (batch, length, *shape) that begin at ``x``, which is their first state."""
        if length < 1:
            raise InputError("simulate length", length, "at least 1", "raise it")
        return _simulate(self, key, x, length)

    def trajectories(self, key: Key, n: int, length: int, *, burn_in: int = 0) -> Batch:
        """``n`` of ``length`` states, after ``burn_in`` steps from ``start``."""
        for name, value, least in (("n", n, 1), ("length", length, 1), ("burn_in", burn_in, 0)):
            if value < least:
                raise InputError(f"trajectories {name}", value, f"at least {least}", "raise it")
        start_key, run_key = jax.random.split(key)
        found = self.simulate(run_key, self.start(start_key, n), burn_in + length)
        return found[:, burn_in:]


class System(MarkovProcess):
    """x_{k+1} ~ N(advance(x_k), noise^2 I), a state every ``dt`` units of time.

    A subclass writes ``shape``, ``advance`` and ``start``. With noise 0 it is deterministic.

    Attributes:
        noise: standard deviation of what is unknown of the next state.
    """

    noise: float = 0.0

    @abstractmethod
    def advance(self, x: Batch) -> Batch:
        """Mean of the next state of each of ``x`` (batch, *shape)."""

    def step(self, key: Key, x: Batch) -> Batch:
        """A draw of the next state of each of ``x``."""
        return self.advance(x) + self.noise * normal_like(key, x)


def require_steps(system: Any) -> None:
    """Raise unless ``dt`` is positive (where it is known) and there are ``substeps``."""
    name = type(system).__name__
    if isinstance(system.dt, int | float) and not system.dt > 0:
        raise InputError(f"{name}.dt", system.dt, "a positive time", "raise it")
    if isinstance(system.substeps, int) and system.substeps < 1:
        raise InputError(f"{name}.substeps", system.substeps, "at least 1", "raise it")


@jax.jit(static_argnames="length")
def _simulate(process: MarkovProcess, key: Key, x: Batch, length: int) -> Batch:
    def step(x: Batch, key: Key) -> tuple[Batch, Batch]:
        following = process.step(key, x)
        return following, following

    _, states = jax.lax.scan(step, x, jax.random.split(key, length - 1))
    return jnp.moveaxis(jnp.concatenate([x[None], states]), 0, 1)


class Flow(System):
    """dx/dt = rate(x), solved over ``dt`` with diffrax in ``substeps`` equal steps of fifth order (Tsit5).

    Attributes:
        dt: time from state to state.
        substeps: of the solver.
    """

    dt: float
    substeps: int

    def __post_init__(self) -> None:
        require_steps(self)

    @abstractmethod
    def rate(self, x: Batch) -> Array:
        """dx/dt of each of ``x`` (batch, *shape)."""

    def advance(self, x: Batch) -> Batch:
        """The state a time ``dt`` later."""
        import diffrax  # slow to import: only where a flow is solved

        solved = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, x, args: self.rate(x)),
            diffrax.Tsit5(),
            t0=0.0,
            t1=self.dt,
            dt0=self.dt / self.substeps,
            y0=x,
            adjoint=diffrax.DirectAdjoint(),  # forward- and reverse-mode derivatives, over few steps
            max_steps=self.substeps + 2,
        )
        assert solved.ys is not None
        return solved.ys[-1]

"""Fixed-step solver: one scan."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.checks import batch_size, require_count, shared_slope, time_dtype
from score_sde.integrators.methods import Heun, Method
from score_sde.integrators.nodes import Nodes, UniformNodes
from score_sde.pytree import static
from score_sde.typing import Array


class FixedStep(Integrator):
    """``n_steps`` steps of an explicit method between given nodes, the same for all examples.

    Attributes:
        n_steps: at least 1.
        method: Euler(), Heun() or RungeKutta4(), or one's own.
        times: where the steps end; equal steps by default.
    """

    n_steps: int = static(50)
    method: Method = Heun()
    times: Nodes = UniformNodes()

    def __post_init__(self) -> None:
        require_count("FixedStep.n_steps", self.n_steps)

    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve from t0 to t1, in either direction."""
        n, dtype = batch_size(y0), time_dtype(y0)
        times = self.times(jnp.asarray(t0, dtype), jnp.asarray(t1, dtype), self.n_steps)

        slope = shared_slope(field, y0, args)

        def step(y: Any, interval: tuple[Array, Array]) -> tuple[Any, None]:
            t, next_t = interval
            return self.method.step(slope, t, next_t - t, y), None

        y, _ = jax.lax.scan(step, y0, (times[:-1], times[1:]))
        return Solution(y, jnp.full((n,), self.n_steps * self.method.evaluations))

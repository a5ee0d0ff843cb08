"""Adaptive solver: diffrax, with every example choosing its own steps."""

from __future__ import annotations

from typing import Any

import diffrax
import jax
import jax.numpy as jnp

from score_sde.integrators.base import Integrator, Solution, VectorField
from score_sde.integrators.checks import require_count, require_positive, time_dtype
from score_sde.pytree import static
from score_sde.typing import Array

FIRST_STEP = 0.01  # of the whole interval; the controller corrects it within a step or two


class Adaptive(Integrator):
    """An embedded explicit Runge-Kutta pair under a PI step-size controller, on the device.

    The error of each example is held to atol + rtol |y| in the root mean square over its own state, so
    an example's result does not depend on what it is batched with. An example that has not arrived
    after ``max_steps`` steps is NaN, never a value from the middle of the way.

    Attributes:
        solver: diffrax.Dopri5() (the original's RK45), diffrax.Tsit5() or another explicit pair.
        rtol: relative tolerance.
        atol: absolute tolerance, in units of y.
        max_steps: accepted and rejected steps allowed to each example.
    """

    solver: Any = static(diffrax.Dopri5())
    rtol: float = 1e-5
    atol: float = 1e-5
    max_steps: int = static(4096)

    def __post_init__(self) -> None:
        require_positive("Adaptive.rtol", self.rtol)
        require_positive("Adaptive.atol", self.atol)
        require_count("Adaptive.max_steps", self.max_steps)

    def __call__(
        self,
        field: VectorField,
        y0: Any,
        t0: Array | float,
        t1: Array | float,
        args: tuple[Any, ...] = (),
    ) -> Solution:
        """Solve from t0 to t1, in either direction; the count includes rejected steps."""
        dtype = time_dtype(y0)
        begin, end = jnp.asarray(t0, dtype), jnp.asarray(t1, dtype)

        def one(y0: Any, args: tuple[Any, ...]) -> Solution:
            def slope(t: Any, y: Any, args: tuple[Any, ...]) -> Any:
                rows, row_args = jax.tree.map(lambda leaf: leaf[None], (y, args))
                return jax.tree.map(lambda leaf: leaf[0], field(jnp.asarray(t, dtype)[None], rows, *row_args))

            return self._solve(diffrax.ODETerm(slope), y0, begin, end, args)

        return jax.vmap(one)(y0, args)

    def _solve(self, term: Any, y0: Any, t0: Array, t1: Array, args: Any) -> Solution:
        begun, extra = _begin(self.solver, term, y0, t0, args)
        solution = diffrax.diffeqsolve(
            term,
            self.solver,
            t0,
            t1,
            dt0=FIRST_STEP * (t1 - t0),
            y0=y0,
            args=args,
            stepsize_controller=diffrax.PIDController(rtol=self.rtol, atol=self.atol),
            max_steps=self.max_steps,
            throw=False,
            solver_state=begun,
        )
        arrived = solution.result == diffrax.RESULTS.successful
        y = jax.tree.map(lambda leaf: jnp.where(arrived, leaf[-1], jnp.nan), solution.ys)
        stages = self.solver.tableau.num_stages - extra
        return Solution(y, jnp.asarray(extra + stages * solution.stats["num_steps"]))


def _begin(solver: Any, term: Any, y0: Any, t0: Array, args: Any) -> tuple[Any, int]:
    """The solver's first state, and how many evaluations that took.

    A first-same-as-last pair carries the slope at the start of the step. diffrax would compute it again
    for every step rejected before the first accepted one, so it is given here, once.
    """
    if not solver.tableau.fsal:
        return None, 0
    return (jnp.asarray(False), term.vf(t0, y0, args)), 1

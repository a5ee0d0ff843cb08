"""Adams-Bashforth steps: exact for cubic slopes, of order four, one evaluation each."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import integrators
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")


def field(t, y):
    """dy/dt = y cos(t), whose solution is y(t1) = y(t0) exp(sin t1 - sin t0)."""
    return y * jnp.cos(t)[:, None]


@pytest.mark.parametrize("n", [1, 2, 3, 4, 9])
def test_slopes_that_are_cubic_in_time_are_integrated_exactly(n):
    """Four weights are fixed by 1, t, t^2 and t^3; with t^4 the result is off."""
    solver = integrators.AdamsBashforth(n_steps=n)
    for power in range(5):
        y = solver(lambda t, y, k=power: (t**k)[:, None], jnp.zeros((2, 1)), 0.3, 2.0).y
        exact = (2.0 ** (power + 1) - 0.3 ** (power + 1)) / (power + 1)
        assert (np.abs(y / exact - 1).max() < 1e-12) == (power < 4)


@pytest.mark.parametrize(("t0", "t1"), [(0.2, 2.0), (2.0, 0.2)])
def test_the_measured_order_is_four(t0, t1):
    y0 = jnp.array([[1.0, -0.5], [2.0, 0.3]])
    exact = y0 * np.exp(np.sin(t1) - np.sin(t0))
    errors = [
        np.abs(integrators.AdamsBashforth(n_steps=n)(field, y0, t0, t1).y - exact).max() for n in (80, 160)
    ]
    assert abs(np.log2(errors[0] / errors[1]) - 4) < 0.2


@pytest.mark.parametrize("first", [integrators.Euler(), integrators.Heun(), integrators.RungeKutta4()])
@pytest.mark.parametrize("n", [2, 3, 20])
def test_as_many_evaluations_as_it_says(first, n):
    seen = []

    def counted(t, y):
        seen.append(float(t[0]))
        return -y

    with jax.disable_jit():
        solved = integrators.AdamsBashforth(n_steps=n, first=first)(counted, jnp.ones((2, 1)), 0.0, 1.0)
    assert len(seen) == solved.evaluations[0] == n + min(n, 3) * (first.evaluations - 1)


def test_trees_and_arguments_are_solved_leaf_by_leaf():
    rates = jnp.array([1.0, 2.0, 3.0])
    y0 = {"a": jnp.ones((3, 2)), "b": jnp.arange(3.0)}

    def decay(t, y, rate):
        return {"a": -rate[:, None] * y["a"], "b": -rate * y["b"]}

    y = integrators.AdamsBashforth(n_steps=100)(decay, y0, 0.0, 1.0, args=(rates,)).y
    np.testing.assert_allclose(y["a"], np.exp(-rates)[:, None] * np.ones(2), rtol=1e-5)
    np.testing.assert_allclose(y["b"], np.exp(-rates) * y0["b"], rtol=1e-5)


def test_gradients_pass_through():
    def end(rate):
        solved = integrators.AdamsBashforth(n_steps=64)(
            lambda t, y, rate: -rate * y, jnp.ones(1), 0.0, 1.0, args=(rate[None],)
        )
        return solved.y[0]

    np.testing.assert_allclose(jax.grad(end)(jnp.array(1.5)), -np.exp(-1.5), rtol=1e-5)


def test_no_steps_are_refused():
    with pytest.raises(InputError, match=r"AdamsBashforth\.n_steps"):
        integrators.AdamsBashforth(n_steps=0)

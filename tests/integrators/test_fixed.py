import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import integrators
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")

METHODS = [integrators.Euler(), integrators.Heun(), integrators.RungeKutta4()]


def field(t, y):
    """dy/dt = y cos(t), whose solution is y(t1) = y(t0) exp(sin t1 - sin t0)."""
    return jax.tree.map(lambda leaf: leaf * jnp.cos(t).reshape(-1, *[1] * (leaf.ndim - 1)), y)


def solution(y0, t0, t1):
    return y0 * np.exp(np.sin(t1) - np.sin(t0))


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(("t0", "t1"), [(0.2, 2.0), (2.0, 0.2)])
def test_the_measured_order_is_the_nominal_one(method, t0, t1):
    y0 = jnp.array([[1.0, -0.5], [2.0, 0.3]])
    errors = []
    for n in (40, 80):
        solved = integrators.FixedStep(n_steps=n, method=method)(field, y0, t0, t1)
        errors.append(np.abs(solved.y - solution(y0, t0, t1)).max())
        np.testing.assert_array_equal(solved.evaluations, [n * method.evaluations] * 2)
    assert abs(np.log2(errors[0] / errors[1]) - method.order) < 0.15


def test_trees_are_solved_leaf_by_leaf():
    y0 = {"a": jnp.ones((3, 2)), "b": jnp.arange(3.0)}
    solved = integrators.FixedStep(n_steps=50, method=integrators.RungeKutta4())(field, y0, 0.0, 1.0)
    for name, leaf in y0.items():
        np.testing.assert_allclose(solved.y[name], solution(leaf, 0.0, 1.0), rtol=1e-7)


def test_arguments_travel_with_their_example():
    rates = jnp.array([1.0, 2.0, 3.0])
    solved = integrators.FixedStep(n_steps=50, method=integrators.RungeKutta4())(
        lambda t, y, rate: -rate * y, jnp.ones(3), 0.0, 1.0, args=(rates,)
    )
    np.testing.assert_allclose(solved.y, np.exp(-rates), rtol=1e-6)


def test_nodes_are_where_they_are_said_to_be():
    warped = integrators.WarpedNodes(warp=jnp.sqrt)(jnp.array(2.0), jnp.array(1.0), 4)
    np.testing.assert_allclose(warped, 2 - np.sqrt([0, 0.25, 0.5, 0.75, 1]))
    times = np.array([0.0, 0.1, 0.5, 1.0])
    for nodes in (integrators.GivenNodes(times=times), integrators.UniformNodes()):
        solver = integrators.FixedStep(n_steps=3, method=integrators.RungeKutta4(), times=nodes)
        y = solver(field, jnp.ones((1, 1)), 0.0, 1.0).y
        np.testing.assert_allclose(y, solution(1.0, 0.0, 1.0), rtol=1e-3)
    euler = integrators.FixedStep(
        n_steps=3, method=integrators.Euler(), times=integrators.GivenNodes(times=times)
    )
    by_hand = np.prod([1 + np.cos(t) * h for t, h in zip(times, np.diff(times), strict=False)])
    np.testing.assert_allclose(euler(field, jnp.ones((1, 1)), 0.0, 1.0).y, [[by_hand]], rtol=1e-12)


def test_one_trace_for_all_times_and_states():
    traces = []

    def traced(t, y):
        traces.append(None)
        return -y

    solve = jax.jit(lambda y, t1: integrators.FixedStep(n_steps=1000)(traced, y, 0.0, t1).y)
    solve(jnp.ones((2, 1)), 1.0)
    first = len(traces)
    solve(jnp.zeros((2, 1)), 2.0)
    assert len(traces) == first <= 4  # two evaluations a step, and never once for each step


@pytest.mark.parametrize(
    "build",
    [
        lambda: integrators.FixedStep(n_steps=0),
        lambda: integrators.FixedStep(n_steps=2.5),
        lambda: integrators.GivenNodes(times=np.array([0.0, 1.0, 0.5])),
        lambda: integrators.FixedStep(
            n_steps=5, times=integrators.GivenNodes(times=np.array([0.0, 0.5, 1.0]))
        )(field, jnp.ones((1, 1)), 0.0, 1.0),
        lambda: integrators.FixedStep(
            n_steps=2, times=integrators.GivenNodes(times=np.array([0.0, 0.5, 0.9]))
        )(field, jnp.ones((1, 1)), 0.0, 1.0),
    ],
)
def test_mistakes_are_named(build):
    with pytest.raises(InputError, match="expected"):
        build()

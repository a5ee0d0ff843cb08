import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from score_sde import integrators
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")


def stiffening(t, y, rate):
    return -rate[:, None] * y * (1 + jnp.sin(10 * t)[:, None])


def solution(y0, t0, t1, rate):
    grown = (t1 - t0) - (np.cos(10 * t1) - np.cos(10 * t0)) / 10
    return y0 * np.exp(-rate * grown)[:, None]


RATES = jnp.array([0.1, 5.0, 60.0])


@pytest.mark.parametrize("solver", [integrators.Dopri5(), integrators.Tsit5()], ids=["dopri5", "tsit5"])
def test_every_example_keeps_its_own_tolerance_and_count(solver):
    method = integrators.Adaptive(solver=solver, rtol=1e-8, atol=1e-10)
    run = jax.jit(lambda y, t0, t1, rates: method(stiffening, y, t0, t1, args=(rates,)))
    y0 = jnp.array([[1.0, 2.0], [1.0, -1.0], [3.0, 1.0]])
    forward = run(y0, 0.0, 1.0, RATES)
    np.testing.assert_allclose(forward.y, solution(y0, 0.0, 1.0, RATES), rtol=1e-6, atol=1e-9)
    assert np.all(np.diff(forward.evaluations) > 0)  # the stiffer, the more
    backward = run(forward.y, 1.0, 0.0, jnp.minimum(RATES, 5.0))
    np.testing.assert_allclose(backward.y[:2], y0[:2], rtol=1e-5)
    elsewhere = run(y0[::-1], 0.0, 1.0, jnp.array([0.3, RATES[1], 0.2]))  # in other company
    np.testing.assert_array_equal(elsewhere.evaluations[1], forward.evaluations[1])
    np.testing.assert_allclose(elsewhere.y[1], forward.y[1], rtol=1e-12)


def test_dopri5_takes_about_as_many_evaluations_as_scipy():
    """scipy's RK45 is the same pair with another controller; the original code samples with it."""
    method = integrators.Adaptive(rtol=1e-6, atol=1e-8)
    mine = method(stiffening, jnp.ones((1, 1)), 0.0, 1.0, args=(RATES[1:2],))
    theirs = integrate.solve_ivp(
        lambda t, y: -5.0 * y * (1 + np.sin(10 * t)), (0.0, 1.0), [1.0], rtol=1e-6, atol=1e-8
    )
    assert 0.6 < int(mine.evaluations[0]) / theirs.nfev < 1.6


@pytest.mark.parametrize("solver", [integrators.Dopri5(), integrators.Tsit5()], ids=["dopri5", "tsit5"])
def test_the_reported_count_is_the_number_of_calls(solver):
    calls = []

    def call(t):
        calls.append(t)
        return np.zeros_like(t)

    def counted(t, y):
        shape = jax.ShapeDtypeStruct(t.shape, t.dtype)
        zero = jax.pure_callback(call, shape, t, vmap_method="sequential")
        return -y * (1 + 9 * jnp.sin(30 * t) * y) + zero

    method = integrators.Adaptive(solver=solver, rtol=1e-7, atol=1e-7)
    solved = jax.block_until_ready(jax.jit(lambda y: method(counted, y, 1.0, 0.0))(jnp.ones(1)))
    assert int(solved.evaluations[0]) == len(calls)


def test_an_example_that_does_not_arrive_is_nan_and_the_others_are_not():
    method = integrators.Adaptive(max_steps=20)
    solved = method(stiffening, jnp.ones((3, 1)), 0.0, 1.0, args=(jnp.array([0.1, 0.2, 1e4]),))
    np.testing.assert_array_equal(np.isnan(solved.y[:, 0]), [False, False, True])


@pytest.mark.parametrize("field", [{"rtol": 0.0}, {"atol": -1.0}, {"max_steps": 0}])
def test_mistakes_are_named(field):
    with pytest.raises(InputError, match=f"Adaptive.{next(iter(field))} = "):
        integrators.Adaptive(**field)

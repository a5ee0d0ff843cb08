"""The path of the black-box ODE sampler against the exact flow of a Gaussian."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import sdes
from score_sde.denoisers import Gaussian
from score_sde.errors import InputError
from score_sde.integrators import Adaptive
from score_sde.samplers import ProbabilityFlowODE

pytestmark = pytest.mark.usefixtures("x64")


def test_every_state_is_on_the_exact_flow():
    """x_t / s(t) is constant along the flow, with s^2 = alpha^2 c + sigma^2."""
    sde = sdes.VP()
    model = Gaussian(sde=sde, mean=jnp.zeros(1), covariance=jnp.array([[0.25]]))
    ode = ProbabilityFlowODE(integrator=Adaptive(rtol=1e-8, atol=1e-8), frames=5)
    times, states = ode.trajectory(jax.random.key(0), model, (3, 1))
    assert states.shape == (5, 3, 1)
    assert (np.diff(times) < 0).all()
    scale = jnp.sqrt(0.25 * sde.alpha(times) ** 2 + sde.variance(times))
    constant = states[..., 0] / scale[:, None]
    np.testing.assert_allclose(constant, np.broadcast_to(constant[:1], constant.shape), rtol=1e-5)
    whole = ode(jax.random.key(0), model, (3, 1))
    np.testing.assert_allclose(states[-1], whole, rtol=1e-5)


def test_one_frame_is_no_trajectory():
    with pytest.raises(InputError, match="frames"):
        ProbabilityFlowODE(frames=1)

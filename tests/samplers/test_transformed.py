import jax
import jax.numpy as jnp
import numpy as np

from score_sde.config import bind, build, call
from score_sde.denoisers import Clipped, Gaussian
from score_sde.samplers import Ancestral, Sampler, Sections, Transformed
from score_sde.sdes import DiscreteVP

MODEL = Gaussian(sde=DiscreteVP(), mean=jnp.zeros(2), covariance=4 * jnp.eye(2))
PLAIN = Sampler(predictor=Ancestral(), grid=Sections(), n_steps=20)


def test_it_samples_the_changed_model():
    config = call(
        Transformed,
        change=bind(Clipped.of, low=-0.5),
        sampler=call(Sampler, predictor=call(Ancestral), grid=call(Sections), n_steps=20),
    )
    ours, key = build(config), jax.random.key(0)
    drawn = ours(key, MODEL, (64, 2))
    np.testing.assert_array_equal(drawn, PLAIN(key, Clipped.of(MODEL, low=-0.5), (64, 2)))
    assert drawn.min() >= -0.5
    assert PLAIN(key, MODEL, (64, 2)).min() < -1
    times, states = ours.trajectory(key, MODEL, (64, 2))
    assert len(times) == len(states) == 21
    np.testing.assert_array_equal(states[-1], drawn)


def test_it_begins_from_a_state_that_it_is_given():
    x = jnp.ones((3, 2))
    ours = Transformed(change=Clipped.of, sampler=PLAIN)
    np.testing.assert_array_equal(
        ours(jax.random.key(1), MODEL, (3, 2), None, x),
        PLAIN(jax.random.key(1), Clipped.of(MODEL), (3, 2), None, x),
    )

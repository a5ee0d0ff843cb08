"""Exponential integrators: their weights, what they are the same as, and what they refuse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate

from score_sde import samplers, sdes
from score_sde.denoisers import IsotropicMixture
from score_sde.errors import InputError
from score_sde.samplers import exponential

pytestmark = pytest.mark.usefixtures("x64")
SDES = [sdes.VP(), sdes.SubVP(), sdes.VE(), sdes.EDM(), sdes.Cosine(), sdes.RectifiedFlow()]


def name(part):
    return type(part).__name__


@pytest.mark.parametrize("rate", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("width", [1e-3, 0.5, 4.0])
def test_weights_integrate_polynomials(width, rate):
    """int_0^h e^{-rate (h - u)} u^k du by scipy, for every power that the places can hold."""
    places = [jnp.asarray(place * width) for place in (0.0, -1.3, -2.1, 1.0)]
    found = np.asarray(exponential.weights(places, jnp.asarray(width), rate))
    for power in range(4):
        expected = integrate.quad(lambda u, k=power: np.exp(-rate * (width - u)) * u**k, 0, width)[0]
        np.testing.assert_allclose(found @ np.array(places) ** power, expected, rtol=1e-10)


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_the_linear_part_is_that_of_the_kernels(sde):
    """Churn 1 is the bridge given x_0 = D, and churn 0 keeps x_t = alpha D + sigma z on its line."""
    t, s = jnp.array(0.7 * sde.T), jnp.array(0.2 * sde.T)
    bridge = sde.bridge(t, s)
    found = [f(sde, t, s, 1.0) for f in (exponential.decay, exponential.gain, exponential.added)]
    np.testing.assert_allclose(found, [bridge.c_x, bridge.c_0, bridge.std], rtol=1e-10)
    for churn2 in (0.0, 0.3, 1.0):
        decay, gain = (f(sde, t, s, churn2) for f in (exponential.decay, exponential.gain))
        np.testing.assert_allclose(decay * sde.alpha(t) + gain, sde.alpha(s), rtol=1e-10)
        added = exponential.added(sde, t, s, churn2)
        np.testing.assert_allclose(decay**2 * sde.variance(t) + added**2, sde.variance(s), rtol=1e-10)


def mixture(sde):
    means = np.array([[-2.0, -1.0], [1.5, 0.5], [0.0, 2.0]])
    return IsotropicMixture(sde=sde, weights=[0.5, 0.3, 0.2], means=means, stds=0.2)


def drawn(predictor, sde, n_steps=8):
    sampler = samplers.Sampler(predictor=predictor, grid=samplers.LogSNR(), n_steps=n_steps)
    return np.asarray(sampler(jax.random.key(3), mixture(sde), (5, 2)))


SAME = [
    (samplers.ExponentialEulerMaruyama(churn=0.0), samplers.DDIM()),
    (samplers.ExponentialEulerMaruyama(churn=1.0), samplers.Ancestral()),
    (samplers.ExponentialMultistep(terms=1), samplers.DDIM()),
    (samplers.DEIS(terms=1), samplers.DDIM()),
    (
        samplers.SASolver(terms=3, corrector_terms=0, churn=0.7),
        samplers.ExponentialMultistep(terms=3, churn=0.7),
    ),
    (samplers.DPMSolverPP3M(curvature=1.0, churn=0.4), samplers.ExponentialMultistep(terms=3, churn=0.4)),
    (samplers.UniPC(terms=3), samplers.UniPC(terms=3, size=samplers.B1())),
]


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.VE()], ids=name)
def test_what_is_the_same(sde):
    """By the papers' own remarks; the last but for the first steps, whose B(h) differ."""
    for one, other in SAME[:-1]:
        np.testing.assert_allclose(
            drawn(one, sde), drawn(other, sde), rtol=1e-7, atol=1e-9, err_msg=repr(one)
        )
    one, other = (drawn(each, sde, n_steps=40) for each in SAME[-1])
    assert 0 < np.abs(one - other).max() < 1e-2


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: samplers.UniPC(terms=4), "UniPC.terms = 4: expected a whole number from 1 to 3"),
        (lambda: samplers.DEIS(terms=0), "DEIS.terms"),
        (lambda: samplers.SASolver(churn=-1.0), "SASolver.churn"),
        (lambda: samplers.DPMSolverPP2S(r=0.0), "DPMSolverPP2S.r"),
        (
            lambda: samplers.Sampler(predictor=samplers.ExponentialMultistep(terms=3), n_steps=2),
            "ExponentialMultistep.terms = 3: expected at most n_steps = 2; lower the order",
        ),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError) as told:
        build()
    assert words in str(told.value)

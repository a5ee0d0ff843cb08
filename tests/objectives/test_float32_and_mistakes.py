"""In float32 no weight meets an infinity that its time law can draw; mistakes are named."""

import jax.numpy as jnp
import pytest
from walk import concrete_subclasses

from score_sde import denoisers, objectives, sdes
from score_sde.errors import InputError
from score_sde.sdes import DiscreteVP

SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
LAWS = concrete_subclasses(objectives.QuantileTimes, "score_sde.objectives")
# The steps of a chain end at T itself, where continuous processes may have an infinite diffusion.
CONTINUOUS_LAWS = [law for law in LAWS if law is not objectives.UniformSteps]
WEIGHTS = concrete_subclasses(objectives.Weighting, "score_sde.objectives")
U = jnp.array([2.0**-24, 0.5, 1 - 2.0**-24], jnp.float32)  # the ends of what a law can draw


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_factors_are_finite_at_the_ends_of_every_law(family):
    sde = family()
    for law in LAWS if family is DiscreteVP else CONTINUOUS_LAWS:
        t = law().quantile(sde, U)
        for weight in WEIGHTS:
            factor = law().factor(weight(), sde, t)
            assert factor.dtype == jnp.float32
            assert bool(jnp.all(jnp.isfinite(factor) & (factor >= 0))), (law, weight, factor)


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: objectives.UniformTimes(t_min=-0.1), "t_min"),
        (lambda: objectives.LikelihoodImportance(t_min=0.0), "t_min"),
        (lambda: objectives.LogNormalSigma(std=0.0), "std"),
        (lambda: objectives.LogitNormal(std=-1.0), "std"),
        (lambda: objectives.UniformLogSNR(low=1.0, high=1.0), "high"),
        (lambda: objectives.MinSNR(gamma=0.0), "gamma"),
        (lambda: objectives.EDMWeighting(sigma_data=0.0), "sigma_data"),
        (lambda: objectives.DDPMLoss(steps=1), "steps"),
        (lambda: denoisers.SMLDPrecondition(steps=1), "steps"),
        (lambda: objectives.SimulatedPath(n_steps=0), "n_steps"),
        (lambda: denoisers.ScoreNetwork(network=3, sde=sdes.VP()), "network"),
    ],
)
def test_mistakes_are_named(build, where):
    with pytest.raises(InputError, match=where):
        build()

"""Laws of every predictor: consistent with the reverse family, of its nominal order, finite at the ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from fitted_sde import fitted
from walk import concrete_subclasses

from score_sde import samplers, sdes
from score_sde.verification import predictors as laws
from score_sde.verification import verify_predictor

pytestmark = pytest.mark.usefixtures("x64")

PREDICTORS = [
    cls()
    for cls in concrete_subclasses(samplers.Predictor, under="score_sde.samplers")
    if ".samplers.original." not in cls.__module__  # their steps have the length 1 / N, whatever s is
]
CHURNED = samplers.EulerMaruyama(churn=0.5)
VARIANTS = [
    *[samplers.ExponentialMultistep(terms=terms) for terms in (1, 2, 4)],
    *[samplers.DEIS(terms=terms) for terms in (1, 2, 4)],
    *[samplers.AdamsBashforth(terms=terms) for terms in (1, 2, 4)],
    *[
        samplers.UniPC(terms=terms, size=size)
        for terms in (1, 2, 3)
        for size in (samplers.B1(), samplers.B2())
    ],
    *[samplers.SASolver(terms=2, corrector_terms=count, churn=0.0) for count in (0, 1, 3)],
    samplers.DPMSolverPP2S(r=0.8),
    samplers.DPMSolverPP2M(churn=1.0),
]
MOVING = [predictor for predictor in [*PREDICTORS, CHURNED] if predictor.order > 0]
SDES = [cls() for cls in concrete_subclasses(sdes.GaussianSDE, under="score_sde.sdes")]


def name(part):
    return type(part).__name__


def require(law, predictor, sde):
    finding = law(predictor, sde)
    assert finding.holds, (name(predictor), name(sde), finding)


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_short_steps_follow_the_reverse_family(sde):
    """(E[x_s] - x_t) / (s - t) -> f - (1 + c^2) g^2 score / 2, Var / (t - s) -> c^2 g^2, one c for both."""
    for predictor in MOVING:
        require(laws.local_variance, predictor, sde)
        require(laws.local_drift, predictor, sde)
        churn2 = laws.short_step(predictor, sde).churn2
        nominal = 0.25 if predictor is CHURNED else round(churn2)
        assert nominal in (0, 0.25, 1)
        assert abs(churn2 - nominal) < 1e-4


@pytest.fixture(scope="module")
def fits():
    """SDEs that share the compiled programs of each predictor."""
    with jax.enable_x64(True):
        return [fitted(sde) for sde in (sdes.VP(), sdes.RectifiedFlow(), sdes.Cosine(), sdes.SubVP())]


def test_the_fits_are_the_processes(fits):
    for sde, fit in zip((sdes.VP(), sdes.RectifiedFlow(), sdes.Cosine()), fits, strict=False):
        times = jnp.linspace(0.1, 0.8, 50)
        np.testing.assert_allclose(fit.alpha(times), sde.alpha(times), rtol=1e-12)
        np.testing.assert_allclose(fit.squared_diffusion(times), sde.squared_diffusion(times), rtol=1e-9)


@pytest.mark.parametrize("predictor", [*MOVING, *VARIANTS], ids=name)
def test_the_measured_order_is_the_nominal_one(predictor, fits):
    for sde in fits:
        require(laws.order, predictor, sde)


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_steps_from_pure_noise_and_to_pure_data(sde):
    """Where alpha(T) = 0, x_s is independent of x_T if any noise is added; where sigma(0) = 0, x_0 exists."""
    for predictor in [*PREDICTORS, CHURNED]:
        require(laws.ends, predictor, sde)
        require(laws.fresh_start, predictor, sde)


class Louder(samplers.EulerMaruyama):
    """Noise that is 5 % too large."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        step = super().step(key, model, x, t, s, memory, cond)
        return step._replace(x=step.mean + 1.05 * (step.x - step.mean))


class LouderLate(samplers.EulerMaruyama):
    """Noise that is 5 % too large in the last tenth of the way."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        step = super().step(key, model, x, t, s, memory, cond)
        return step._replace(x=step.mean + jnp.where(t > 0.1, 1.0, 1.05) * (step.x - step.mean))


class Further(samplers.DDIM):
    """Steps that are 5 % too long."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        step = super().step(key, model, x, t, s, memory, cond)
        return step._replace(x=x + 1.05 * (step.x - x), mean=x + 1.05 * (step.mean - x))


class Boastful(samplers.DDIM):
    """Says that it is of second order."""

    @property
    def order(self):
        return 2


class Unguarded(samplers.Predictor):
    """Euler's step of the flow, written with the score: 0/0 and infinities at the ends."""

    def step(self, key, model, x, t, s, memory=(), cond=None):
        drift = model.reverse_drift(x, t, cond, churn=0.0)
        return samplers.Step(x + (s - t) * drift, x + (s - t) * drift, memory)


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        (Louder, {"local_drift", "order", "fresh_start"}),
        (LouderLate, {"local_variance", "local_drift"}),
        (Further, {"local_drift", "order"}),
        (Boastful, {"order"}),
        (Unguarded, {"ends", "fresh_start"}),
    ],
)
def test_what_is_wrong_is_told_by_its_laws(wrong, failing):
    found = {finding.law for finding in verify_predictor(wrong(), sdes.RectifiedFlow()) if not finding.holds}
    assert found == failing

"""What samplers refuse, in one line that says what to use instead."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from user_sde import LogisticDiffusion
from walk import concrete_subclasses

from score_sde import denoisers, samplers, sdes
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError

KEY, SHAPE = jax.random.key(0), (2, 2)
PREDICTORS = [cls() for cls in concrete_subclasses(samplers.Predictor, under="score_sde.samplers")]
CORRECTORS = [cls() for cls in concrete_subclasses(samplers.Corrector, under="score_sde.samplers")]


class LogisticScore(ScoreModel):
    """The score of the process's stationary law: of a model that is no denoiser."""

    def score(self, x, t, cond=None, *, key=None):
        return -jnp.tanh(x / 2)


def exact(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.zeros(2), covariance=jnp.eye(2))


def name(part):
    return type(part).__name__


def general(parts):
    return [part for part in parts if ".samplers.original." not in type(part).__module__]


@pytest.mark.parametrize(
    ("predictor", "corrector"),
    [
        *[(predictor, samplers.NoCorrector()) for predictor in general(PREDICTORS)],
        *[(samplers.EulerMaruyama(), corrector) for corrector in general(CORRECTORS)],
    ],
    ids=name,
)
def test_without_a_closed_kernel_a_part_serves_or_names_one_that_does(predictor, corrector):
    model = LogisticScore(sde=LogisticDiffusion())
    n_steps = getattr(predictor, "N", 4)
    sampler = samplers.Sampler(predictor=predictor, corrector=corrector, n_steps=n_steps)
    told = "use it"
    try:
        assert np.isfinite(sampler(KEY, model, SHAPE)).all()
    except InputError as error:
        told = error.remedy
    assert "use " in told


@pytest.mark.parametrize(
    "sampler",
    [
        samplers.Sampler(predictor=samplers.EulerMaruyama(), grid=samplers.LogSNR(), n_steps=3),
        samplers.Sampler(predictor=samplers.EulerMaruyama(), grid=samplers.ToZero(), n_steps=3),
        samplers.Sampler(predictor=samplers.EulerMaruyama(), grid=samplers.Rounded(), n_steps=3),
        samplers.Restart(predictor=samplers.DDIM()),
    ],
    ids=lambda sampler: name(getattr(sampler, "grid", sampler)),
)
def test_so_do_grids_and_samplers(sampler):
    with pytest.raises(InputError, match=r"LogisticDiffusion.*use (Uniform|Sampler)"):
        sampler(KEY, LogisticScore(sde=LogisticDiffusion()), SHAPE)


@pytest.mark.parametrize("predictor", general(PREDICTORS), ids=name)
def test_an_order_above_the_number_of_steps(predictor):
    """A predictor that looks back says that it never will; others take their one step."""
    looks_back = len(jax.tree.leaves(predictor.init(exact(sdes.VP()), jnp.zeros(SHAPE), jnp.ones(())))) > 1
    if hasattr(predictor, "N"):
        predictor = predictor.replace(N=1)
    if looks_back:
        with pytest.raises(InputError, match=r"at most n_steps = 1; lower the order or take more steps"):
            samplers.Sampler(predictor=predictor, n_steps=1)
    else:
        sampler = samplers.Sampler(predictor=predictor, n_steps=1)
        assert np.isfinite(sampler(KEY, exact(sdes.VP()), SHAPE)).all()


def starting(sampler, t):
    return lambda: sampler(KEY, exact(sdes.VP()), SHAPE, x=jnp.zeros(SHAPE), t=t)


DDIM = samplers.Sampler(predictor=samplers.DDIM(), n_steps=3)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: samplers.Sampler(predictor=samplers.DDIM(), n_steps=0), r"n_steps = 0: expected a whole"),
        (
            lambda: samplers.Sampler(predictor=samplers.DDIM(), grid=samplers.ToZero(), n_steps=1)(
                KEY, exact(sdes.VP()), SHAPE
            ),
            r"n_steps of ToZero = 1: .*without ToZero",
        ),
        (lambda: samplers.UserGrid(times=[0.2, 0.5, 0.1]), r"UserGrid.times.*strictly decreasing"),
        (lambda: samplers.UserGrid(times=[0.5, 0.5]), r"strictly decreasing"),
        (lambda: samplers.UserGrid(times=[0.5, -0.1]), r"at least 0"),
        (starting(DDIM, 1.5), r"Sampler\.t = 1\.5: expected in \[0, 1\], the time of VP"),
        (starting(DDIM, -0.5), r"Sampler\.t = -0\.5"),
        (
            lambda: DDIM.replace(grid=samplers.UserGrid(times=[2.0, 0.5, 0.2, 0.1]))(
                KEY, exact(sdes.VP()), SHAPE
            ),
            r"first of times of Sampler\.grid, UserGrid, = 2\.0",
        ),
        (starting(samplers.Restart(predictor=samplers.DDIM()), 3.0), r"Restart\.t = 3\.0"),
        (starting(samplers.AdaptiveSDE(), 3.0), r"AdaptiveSDE\.t = 3\.0"),
        (starting(samplers.ProbabilityFlowODE(), 3.0), r"ProbabilityFlowODE\.t = 3\.0"),
        (starting(samplers.ProbabilityFlowODE(t_max=2.0), None), r"ProbabilityFlowODE\.t_max = 2\.0"),
    ],
)
def test_mistakes_are_told(build, words):
    with pytest.raises(InputError, match=words):
        build()

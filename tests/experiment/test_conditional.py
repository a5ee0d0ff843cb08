"""A model of p(x | label) is told the labels wherever it is used: exact Gaussians, one for each class."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from score_sde.arrays import expand
from score_sde.data import Digits
from score_sde.data.base import ArraySource, Dataset
from score_sde.denoisers import Gaussian
from score_sde.denoisers.base import ScoreModel
from score_sde.dequantization import Continuous
from score_sde.divergence import ExactDivergence
from score_sde.experiment.generation import Drawn, conditions, draw
from score_sde.experiment.measures import Legible, Likelihood, Loss, Subject
from score_sde.integrators import FixedStep, RungeKutta4
from score_sde.objectives.base import Objective
from score_sde.samplers import ProbabilityFlowHeun, Sampler
from score_sde.sdes import VP
from score_sde.training import ClassLabels, Unconditional

KEY = jax.random.key(0)
CENTRES, STD = np.array([-3.0, 0.0, 4.0]), 0.25


class OneGaussianAClass(ScoreModel):
    """x | label ~ N(centre[label], STD^2) in one dimension."""

    centred: Gaussian
    centres: jax.Array

    def score(self, x, t, cond=None, *, key=None):
        return self.centred.score(x - expand(self.sde.alpha(t), x) * self.centres[cond][:, None], t)


class ThreeClasses(Dataset):
    def __init__(self):
        label = np.arange(30) % 3
        noise = np.random.default_rng(0).standard_normal((30, 1))
        source = ArraySource(x=CENTRES[label][:, None] + STD * noise, label=label)
        units = Continuous(low=-1.0, high=1.0)  # model space is data space
        splits = dict.fromkeys(("train", "validation", "test"), source)
        super().__init__(shape=(1,), units=units, splits=splits, n_classes=3)


@pytest.fixture
def model():
    sde = VP(beta_max=40.0)  # nothing of the centres is left at T
    centred = Gaussian(sde=sde, mean=jnp.zeros(1), covariance=STD**2 * jnp.eye(1))
    return OneGaussianAClass(sde=sde, centred=centred, centres=jnp.asarray(CENTRES))


def subject(model, tmp_path, **options):
    parts = {"objective": None, "draw": None, "folder": tmp_path, "seed": 0, "condition": ClassLabels()}
    return Subject(model=model, data=ThreeClasses(), report=lambda line: None, **(parts | options))


def test_samples_belong_to_their_labels(model):
    """600 draws: mean and standard deviation of each class are its own."""
    sampler = Sampler(predictor=ProbabilityFlowHeun(), n_steps=60)
    options = {"sampler": sampler, "model": model, "data": ThreeClasses(), "condition": ClassLabels()}
    options["batch"] = 200
    drawn = draw(KEY, n=600, **options)
    assert drawn.cond.shape == (600,)
    np.testing.assert_array_equal(
        drawn.cond[190:210], conditions(KEY, ClassLabels(), ThreeClasses(), np.arange(190, 210))
    )
    for label, centre in enumerate(CENTRES):
        own = drawn.samples[drawn.cond == label, 0]
        assert len(own) > 150
        assert abs(own.mean() - centre) < 4 * STD / np.sqrt(len(own))
        assert abs(own.std() / STD - 1) < 4 / np.sqrt(2 * len(own))
    again = draw(KEY, n=450, **options)
    np.testing.assert_array_equal(again.samples, drawn.samples[:450])
    np.testing.assert_array_equal(again.cond, drawn.cond[:450])


def test_the_likelihood_is_that_of_the_label(model, tmp_path, x64):
    """log N(x; centre of its label, STD^2), from scipy."""
    solver = FixedStep(n_steps=400, method=RungeKutta4())
    measure = Likelihood(solver=solver, refined=solver, divergence=ExactDivergence(), batch_size=20)
    nats = measure(subject(model, tmp_path)).values["nats"]
    data = ThreeClasses().split("test").arrays()
    expected = norm(CENTRES[data["label"]], STD).logpdf(data["x"][:, 0]).mean()
    assert nats == pytest.approx(expected, rel=2e-3)
    assert 1.05 * expected != pytest.approx(expected, rel=2e-3)


class WhatItIsTold(Objective):
    """The label itself, or -1 without."""

    def __call__(self, key, model, x0, cond=None):
        return jnp.full(len(x0), -1.0) if cond is None else jnp.asarray(cond, float)


def test_the_loss_is_told_the_labels(model, tmp_path):
    told = {"objective": WhatItIsTold(), "condition": ClassLabels(drop=0.5)}
    assert (
        Loss()(subject(model.centred, tmp_path, **told)).values["loss"] == 1.0
    )  # mean of 0, 1, 2, none left out
    told["condition"] = Unconditional()
    assert Loss()(subject(model.centred, tmp_path, **told)).values["loss"] == -1.0


def test_the_judge_says_whether_samples_are_of_their_class(tmp_path):
    """Real test digits in place of samples, told their labels and told others."""
    data = Digits()
    test = data.split("test").arrays()
    options = {"model": None, "data": data, "objective": None, "folder": tmp_path, "seed": 0}
    agreed = []
    for labels in (test["label"], (test["label"] + 1) % 10):
        subject = Subject(
            draw=lambda key, n, labels=labels: Drawn(test["x"][:n], labels[:n]),
            condition=ClassLabels(),
            **options,
        )
        agreed.append(Legible(n_samples=200)(subject).values)
    right, wrong = (values["legible_as_told"] for values in agreed)
    assert right > 0.95
    assert wrong < 0.03
    assert agreed[0]["legible"] == agreed[1]["legible"]

"""The minimiser of every objective over affine models is the exact Gaussian one, for every SDE.

For data N(m, s^2) in one dimension and an affine prediction, each squared residual is a polynomial of
degree two in (x_0, z), so the four points x_0 = m +- s, z = +-1 integrate it exactly, and six parameter
values determine the quadratic in the two coefficients: no Monte Carlo, no optimiser.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import denoisers, objectives, sdes

pytestmark = pytest.mark.usefixtures("x64")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
WEIGHTS = concrete_subclasses(objectives.Weighting, "score_sde.objectives")
OBJECTIVES = concrete_subclasses(objectives.Objective, "score_sde.objectives")
OWN_MODELS = {
    "Autoencoding",
    "GivenChannels",
    "HybridLoss",
    "NoisyClassification",
}  # of models that say more than a score, or are told more than x: tests of their own
TAUGHT = {"ConsistencyDistillation", "ProgressiveDistillation"}  # by another model
# What is learnt is the flow, which tests/objectives/ hold to true ones.
OF_FLOWS = {"ConsistencyTraining", "ImprovedConsistencyTraining", "MeanFlow"} | TAUGHT
MEAN, STD = 0.7, 0.6
POINTS = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1]], float)
FRACTIONS = np.array([0.1, 0.5, 0.9])
# One row per (time, parameter point, node): the batch that all laws are evaluated on.
TIME, POINT, X0, Z = (
    grid.ravel()
    for grid in np.meshgrid(range(3), range(6), [MEAN - STD, MEAN + STD], [-1.0, 1.0], indexing="ij")
)


class AffineDenoiser(denoisers.Denoiser):
    """D = slope x + offset, with the coefficients of each example."""

    slope: jax.Array
    offset: jax.Array

    def __call__(self, x, t, cond=None, *, key=None):
        return self.slope[:, None] * x + self.offset[:, None]


class AffineScore(denoisers.ScoreModel):
    """score = slope x + offset, with the coefficients of each example."""

    slope: jax.Array
    offset: jax.Array

    def score(self, x, t, cond=None, *, key=None):
        return self.slope[:, None] * x + self.offset[:, None]


def minimiser(losses, scale=1.0):
    """Argmin of the quadratic through the six points (scaled) and whether it is a minimum, per time."""
    values = np.asarray(losses).reshape(3, 6, -1).mean(-1)
    zero, right, left, up, down, corner = values.T
    gradient = np.stack([right - left, up - down], -1) / 2
    a, c = right + left - 2 * zero, up + down - 2 * zero
    b = corner - zero - gradient.sum(-1) - (a + c) / 2
    hessian = np.stack([np.stack([a, b], -1), np.stack([b, c], -1)], -1)
    assert np.all(np.linalg.eigvalsh(hessian) > 0)
    return scale * -np.linalg.solve(hessian, gradient[..., None])[..., 0]


def affine_score(mean, variance):
    return np.stack([-1 / variance, mean / variance], -1)


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("times", [objectives.UniformTimes(), objectives.LikelihoodImportance()])
def test_denoising_score_matching(weight, family, times):
    sde = family()
    model = AffineDenoiser(sde=sde, slope=POINTS[POINT, 0], offset=POINTS[POINT, 1])
    objective = objectives.DenoisingScoreMatching(times=times, weight=weight())
    t = sde.T * FRACTIONS
    losses = objective.at(model, jnp.asarray(X0)[:, None], t[TIME], jnp.asarray(Z)[:, None])
    alpha, variance = np.asarray(sde.alpha(t)), np.asarray(sde.variance(t))
    slope = alpha * STD**2 / (alpha**2 * STD**2 + variance)
    np.testing.assert_allclose(
        minimiser(losses), np.stack([slope, MEAN * (1 - slope * alpha)], -1), rtol=1e-6, atol=1e-8
    )


@pytest.mark.parametrize("kind", [objectives.ImplicitScoreMatching, objectives.SlicedScoreMatching])
@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_implicit_and_sliced_score_matching(kind, family):
    """At x_t = mean +- std, exact for degree two; the slices +-1 stand for the second node."""
    sde = family()
    t = sde.T * FRACTIONS
    alpha, variance = np.asarray(sde.alpha(t)), np.asarray(sde.variance(t))
    mean, total = alpha * MEAN, alpha**2 * STD**2 + variance
    x = (mean[TIME] + np.sqrt(total)[TIME] * np.sign(X0 - MEAN))[:, None]
    scale = 1 / total[1]  # keep the six points near the answer where scores are small
    model = AffineScore(sde=sde, slope=scale * POINTS[POINT, 0], offset=scale * POINTS[POINT, 1])
    losses = kind().at(model, jnp.asarray(x), t[TIME], jnp.asarray(Z)[:, None, None])
    np.testing.assert_allclose(minimiser(losses, scale), affine_score(mean, total), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_unbiased_risk(family):
    """Noisy data of variance STD^2 + std^2, at times with twice the noise, and at those with as much."""
    sde = family()
    t = sde.T * FRACTIONS
    ratios = np.exp(-0.5 * np.asarray(sde.log_snr(t)))
    for share in (0.5, 1 - 1e-9):
        for number, ratio in enumerate(ratios):
            std, own = share * float(ratio), number == TIME
            objective = objectives.UnbiasedRisk(std=std)
            y = MEAN + np.sqrt(1 + (std / STD) ** 2) * (X0 - MEAN)
            model = AffineDenoiser(sde=sde, slope=POINTS[POINT, 0][own], offset=POINTS[POINT, 1][own])
            losses = objective.at(
                model, jnp.asarray(y)[own, None], t[number], jnp.asarray(Z)[own, None], jnp.ones((24, 1, 1))
            )
            alpha, variance = float(sde.alpha(t[number])), float(sde.variance(t[number]))
            slope = alpha * STD**2 / (alpha**2 * STD**2 + variance)
            found = minimiser(np.tile(losses, 3))[0]
            np.testing.assert_allclose(found, [slope, MEAN * (1 - slope * alpha)], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("objective", "sde"),
    [(objectives.DDPMLoss(steps=50), sdes.VP()), (objectives.SMLDLoss(steps=50), sdes.VE())],
    ids=["DDPM", "SMLD"],
)
def test_discrete_losses(objective, sde):
    """The score of the discrete marginal, whose scale and std are the table's."""
    labels = np.array([3, 25, 47])
    _, scales, stds = (np.asarray(part) for part in objective.level(sde, jnp.asarray(labels)))
    total = scales**2 * STD**2 + stds**2
    unit = 1 / np.sqrt(total[1])
    model = AffineScore(sde=sde, slope=unit * POINTS[POINT, 0], offset=unit * POINTS[POINT, 1])
    losses = objective.at(model, jnp.asarray(X0)[:, None], jnp.asarray(labels[TIME]), jnp.asarray(Z)[:, None])
    np.testing.assert_allclose(
        minimiser(losses, unit), affine_score(scales * MEAN, total), rtol=1e-6, atol=1e-8
    )


def test_every_objective_of_the_package_is_held_to_a_law():
    names = {cls.__name__ for cls in OBJECTIVES}
    covered = {
        "DenoisingScoreMatching",
        "ImplicitScoreMatching",
        "SlicedScoreMatching",
        "DDPMLoss",
        "SMLDLoss",
        "UnbiasedRisk",
    }
    assert names == covered | OWN_MODELS | OF_FLOWS


@pytest.mark.parametrize(
    "kind", [cls for cls in OBJECTIVES if cls.__name__ not in OWN_MODELS], ids=lambda cls: cls.__name__
)
def test_one_finite_loss_per_example(kind):
    """Defaults work on images, under jit, and depend on the key only."""
    sde = sdes.VE() if kind is objectives.SMLDLoss else sdes.VP()
    model = denoisers.Gaussian(sde=sde, mean=np.zeros((2, 2, 1)), covariance=np.eye(4))
    needs = {"UnbiasedRisk": {"std": 0.3}} | {name: {"teacher": model} for name in TAUGHT}
    objective = kind(**needs.get(kind.__name__, {}))
    run = jax.jit(lambda key, x0: objective(key, model, x0))
    x0 = jnp.ones((5, 2, 2, 1))
    first, again = run(jax.random.key(0), x0), run(jax.random.key(0), x0)
    assert first.shape == (5,)
    assert bool(jnp.all(jnp.isfinite(first)))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, run(jax.random.key(1), x0))

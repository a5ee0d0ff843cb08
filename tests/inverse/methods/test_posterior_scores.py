"""The score given y against the one of the exact posterior, which for Gaussian data is closed."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import denoisers, guidance, sdes
from score_sde.errors import InputError
from score_sde.inverse import MMPS, TMPD, GaussianScore, Measurement, PiGDM
from score_sde.inverse.methods import (
    ConjugateGradients,
    CovarianceSolver,
    DataVariance,
    Direct,
    Exact,
    GradientMethod,
    RowSums,
    WhiteSpread,
)
from score_sde.inverse.noises import GaussianNoise, PoissonNoise
from score_sde.inverse.operators import (
    AveragePooling,
    Colorization,
    Dense,
    Function,
    GaussianBlur,
    Identity,
    Mask,
)

pytestmark = pytest.mark.usefixtures("x64")

SHAPE = (2, 2, 3)
SIZE = 12
STD = 0.3
RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=SIZE)
ROOT = RNG.normal(size=(SIZE, SIZE))
COVARIANCE = ROOT @ ROOT.T / SIZE + 0.1 * np.eye(SIZE)
MATRIX = RNG.normal(size=(5, SIZE))
ROUND = 1.7**2 * np.eye(SIZE)
SDES = [cls() for cls in concrete_subclasses(sdes.GaussianSDE, under="score_sde.sdes")]


def operators():
    seen = RNG.uniform(size=SHAPE) < 0.5
    return [
        Identity(shape=SHAPE),
        Mask(mask=seen),
        Dense(matrix=MATRIX, shape=SHAPE),
        AveragePooling(shape=SHAPE, factor=2),
        Colorization(shape=SHAPE),
        GaussianBlur(shape=SHAPE, std=1.0),
    ]


def dense():
    return Dense(matrix=MATRIX, shape=SHAPE)


def name(part):
    return type(part).__name__


def matrix_of(operator):
    columns = operator(jnp.eye(SIZE).reshape(SIZE, *SHAPE))
    return np.asarray(columns).reshape(SIZE, -1).T


def gaussian(sde, covariance=COVARIANCE, mean=MEAN):
    return denoisers.Gaussian(sde=sde, mean=jnp.asarray(mean).reshape(SHAPE), covariance=covariance)


def measured(operator, std=STD):
    y = np.random.default_rng(1).normal(size=(1, *operator.measured_shape))
    return Measurement(y=jnp.asarray(y), operator=operator, noise=GaussianNoise(std=std))


def points(sde):
    """States at times of their own, both ends among them, (4, *SHAPE) and (4,)."""
    t = jnp.array([0.0, 0.2, 0.7, 1.0]) * sde.T
    noise = np.random.default_rng(2).normal(size=(4, SIZE))
    return (sde.sigma(t)[:, None] * noise + sde.alpha(t)[:, None]).reshape(4, *SHAPE), t


def exact_score(sde, measurement, covariance=COVARIANCE, mean=MEAN):
    """Of p_t(x | y) at the points: Kalman's update of the data's law, and then noise."""
    a, y = matrix_of(measurement.operator), np.asarray(measurement.y).ravel()
    total = a @ covariance @ a.T + float(measurement.noise.std) ** 2 * np.eye(len(y))
    gain = np.linalg.solve(total, a @ covariance).T
    after, left = mean + gain @ (y - a @ mean), covariance - gain @ a @ covariance
    x, t = points(sde)
    found = []
    for row, alpha, variance in zip(np.asarray(x).reshape(4, -1), sde.alpha(t), sde.variance(t), strict=True):
        noisy = float(alpha) ** 2 * left + float(variance) * np.eye(SIZE)
        found.append(-np.linalg.solve(noisy, row - float(alpha) * after))
    return np.stack(found).reshape(4, *SHAPE)


def scores(method, measurement, model):
    x, t = points(model.sde)
    return np.asarray(method.guided(model, measurement).score(x, t))


def near(found, expected, tolerance=1e-6):
    """Relative to the largest value at each point: scores grow as 1 / sigma."""
    found, expected = (np.asarray(values).reshape(len(values), -1) for values in (found, expected))
    errors = np.abs(found - expected).max(axis=1)
    return np.all(errors <= tolerance * np.abs(expected).max(axis=1))


METHODS = [TMPD(solver=Exact()), TMPD(solver=Direct()), MMPS(iterations=60)]


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_tweedie_methods_are_exact_for_gaussian_data(sde):
    measurement = measured(dense())
    expected = exact_score(sde, measurement)
    for method in METHODS:
        assert near(scores(method, measurement, gaussian(sde)), expected), method


@pytest.mark.parametrize("operator", [0, 1, 2, 3, 4, 5])
def test_tweedie_methods_are_exact_for_every_operator(operator):
    sde, measurement = sdes.VP(), measured(operators()[operator])
    expected = exact_score(sde, measurement)
    for method in METHODS[1:]:
        assert near(scores(method, measurement, gaussian(sde)), expected), method


@pytest.mark.parametrize("sde", SDES, ids=name)
def test_pigdm_is_exact_for_round_data_of_the_variance_it_is_told(sde):
    measurement = measured(dense())
    expected = exact_score(sde, measurement, ROUND)
    method = PiGDM(variance=DataVariance(std=1.7))
    assert near(scores(method, measurement, gaussian(sde, ROUND)), expected)
    wrong = PiGDM(variance=DataVariance(std=1.7 * 1.05))
    assert not near(scores(wrong, measurement, gaussian(sde, ROUND)), expected, 1e-4)


class Inflated(CovarianceSolver):
    """The covariance A C A^T 5 % too large."""

    def __call__(self, product, noise, residual):
        return Exact()(lambda v: 1.05 * product(v), noise, residual)


def test_five_percent_of_the_covariance_are_found():
    sde, measurement = sdes.VP(), measured(dense())
    found = scores(TMPD(solver=Inflated()), measurement, gaussian(sde))
    assert not near(found, exact_score(sde, measurement), 1e-4)


def closed(sde, covariance_of, std=STD, covariance=COVARIANCE):
    """Score + J^T A^T (covariance_of(A, C, sigma^2 / alpha^2) + noise)^-1 (y - A D) at the inner points."""
    measurement, (x, t) = measured(dense(), std), points(sde)
    y, found = np.asarray(measurement.y).ravel(), []
    for row, time in zip(np.asarray(x).reshape(4, -1)[1:3], t[1:3], strict=True):
        alpha, variance = float(sde.alpha(time)), float(sde.variance(time))
        total = alpha**2 * covariance + variance * np.eye(SIZE)
        gain = alpha * np.linalg.solve(total, covariance).T
        residual = y - MATRIX @ (MEAN + gain @ (row - alpha * MEAN))
        inner = covariance_of(MATRIX, variance / alpha * gain, variance / alpha**2) + std**2 * np.eye(5)
        score = -np.linalg.solve(total, row - alpha * MEAN)
        found.append(score + gain.T @ MATRIX.T @ np.linalg.solve(inner, residual))
    return np.stack(found).reshape(2, *SHAPE)


@pytest.mark.parametrize(
    ("method", "covariance_of"),
    [
        (GaussianScore(gamma=0.4), lambda a, c, r: 0.4 * r * a @ a.T),
        (GaussianScore(gamma=0.4, spread=WhiteSpread()), lambda a, c, r: 0.4 * r * np.eye(len(a))),
        (TMPD(solver=RowSums()), lambda a, c, r: np.diag(np.maximum((a @ c @ a.T).sum(axis=1), 0))),
    ],
    ids=["projected", "white", "row sums"],
)
def test_approximations_are_the_published_ones(method, covariance_of):
    for sde in (sdes.SubVP(), sdes.VE()):
        found = scores(method, measured(dense()), gaussian(sde))[1:3]
        assert near(found, closed(sde, covariance_of)), sde
        assert not near(found, closed(sde, lambda *args: 1.05 * covariance_of(*args)), 1e-4)


def test_one_conjugate_gradient_step_is_steepest_descent():
    matrix, residual = np.diag([1.0, 2.0, 5.0]), np.array([[1.0, -1.0, 0.5]])
    solver = ConjugateGradients(iterations=1)
    found = solver(lambda v: v @ matrix, jnp.asarray(0.5), jnp.asarray(residual))
    total = matrix + 0.5 * np.eye(3)
    length = (residual @ residual.T) / (residual @ total @ residual.T)
    np.testing.assert_allclose(found, length * residual, rtol=1e-12)


def test_noise_may_differ_from_value_to_value():
    """PiGDM with Poisson noise, whose variance is a matrix with y on its diagonal."""
    sde, operator, noise = sdes.VP(), dense(), PoissonNoise(peak=20.0, low=-30.0, high=30.0)
    y = 3 * np.random.default_rng(3).normal(size=(1, 5))
    measurement = Measurement(y=jnp.asarray(y), operator=operator, noise=noise)
    model, (x, t) = gaussian(sde), points(sde)
    local = model(x, t)
    spread = np.asarray(sde.variance(t) / (sde.alpha(t) ** 2 + sde.variance(t)))
    for method in (PiGDM(), TMPD(solver=Direct()), TMPD(solver=ConjugateGradients(iterations=50))):
        found = scores(method, measurement, model) - np.asarray(model.score(x, t))
        for i in (1, 2):
            jacobian = np.asarray(jax.jacobian(lambda x, i=i: model(x[None], t[i])[0].ravel())(x[i]))
            jacobian = jacobian.reshape(SIZE, SIZE)
            ratio = float(sde.variance(t[i]) / sde.alpha(t[i]))
            c = spread[i] * np.eye(SIZE) if name(method) == "PiGDM" else ratio * jacobian
            inner = MATRIX @ c @ MATRIX.T + np.diag(np.asarray(noise.variance(y)).ravel())
            pull = np.linalg.solve(inner, y.ravel() - MATRIX @ np.asarray(local[i]).ravel())
            assert near(found[i : i + 1], [jacobian.T @ MATRIX.T @ pull]), name(method)


@pytest.mark.parametrize("cls", concrete_subclasses(GradientMethod, under="score_sde.inverse.methods"))
def test_everything_is_finite_at_both_ends(cls):
    """Without noise, with alpha(T) = 0, with sigma(0) = 0, and in all conventions."""
    for sde in SDES:
        x, t = points(sde)
        for std in (0.0, STD):
            estimate = cls().guided(gaussian(sde), measured(dense(), std)).estimate(x, t)
            assert all(np.all(np.isfinite(part)) for part in estimate), (sde, std)


def test_an_exact_measurement_is_met_as_the_noise_ends():
    sde, measurement = sdes.RectifiedFlow(), measured(dense(), 0.0)
    x, t = points(sde)
    for method in (TMPD(solver=Direct()), PiGDM(), GaussianScore()):
        denoised = method.guided(gaussian(sde), measurement)(0.01 * x, 0.0 * t + 1e-4)
        np.testing.assert_allclose(measurement.residual(denoised), 0, atol=2e-3, err_msg=name(method))


def test_a_pseudo_inverse_stands_for_the_operator():
    """h^+ of a matrix with orthonormal rows is the linear method's; what is not linear needs one."""
    rows = np.linalg.qr(MATRIX.T)[0].T
    sde, linear = sdes.VP(), Dense(matrix=rows, shape=SHAPE)
    plain = measured(linear)
    same = plain.replace(operator=Function(shape=SHAPE, function=linear.__call__))
    method = PiGDM(pseudo_inverse=linear.adjoint)
    assert near(scores(method, same, gaussian(sde)), scores(PiGDM(), plain, gaussian(sde)))
    with pytest.raises(InputError, match=r"PiGDM without a pseudo_inverse .* a linear operator"):
        PiGDM().guided(gaussian(sde), same)


def test_operators_that_are_not_linear_are_taken_by_their_derivative():
    """A linear map in disguise is the linear map; a squaring one has its closed derivative."""
    sde, plain = sdes.VP(), measured(dense())
    disguised = plain.replace(operator=Function(shape=SHAPE, function=dense().__call__))
    for method in (TMPD(solver=Direct()), MMPS(iterations=3), GaussianScore(spread=WhiteSpread())):
        assert near(scores(method, disguised, gaussian(sde)), scores(method, plain, gaussian(sde))), method
    squares = Function(shape=SHAPE, function=lambda x: jnp.square(x[..., 0]))
    x, t = points(sde)
    y = jnp.ones((1, 2, 2))
    measurement = Measurement(y=y, operator=squares, noise=GaussianNoise(std=STD))
    pulled = np.zeros(SHAPE)
    model = gaussian(sde)
    mean = np.asarray(model(x, t))[1]
    variance = float(sde.variance(t[1]) / sde.alpha(t[1]) ** 2)
    pulled[..., 0] = 2 * mean[..., 0] * (1 - mean[..., 0] ** 2) / (STD**2 + variance)
    jacobian = np.asarray(jax.jacobian(lambda x: model(x[None], t[1])[0].ravel())(x[1])).reshape(SIZE, SIZE)
    found = scores(GaussianScore(spread=WhiteSpread()), measurement, model)[1] - model.score(x, t)[1]
    np.testing.assert_allclose(found.ravel(), jacobian.T @ pulled.ravel(), rtol=1e-9)


class Labelled(denoisers.Gaussian):
    """Data N(mean + label, covariance), N(mean, covariance) without a label."""

    def estimate(self, x, t, cond=None, *, key=None):
        label = 0.0 if cond is None else cond.astype(x.dtype)[:, None, None, None]
        alpha = self.sde.alpha(t)[:, None, None, None]
        estimate = super().estimate(x - alpha * label, t)
        return self.from_score(t, estimate.denoised + label, estimate.score)


def test_guidance_nests_inside_a_method():
    """Classifier-free guidance of Gaussians of one covariance is a Gaussian with its mean extrapolated."""
    sde, measurement = sdes.VP(), measured(dense())
    model = Labelled(sde=sde, mean=jnp.asarray(MEAN).reshape(SHAPE), covariance=COVARIANCE)
    x, t = points(sde)
    guided = guidance.ClassifierFree.of(model, scale=2.5)
    found = TMPD(solver=Direct()).guided(guided, measurement).score(x, t, jnp.full(4, 1))
    assert near(np.asarray(found), exact_score(sde, measurement, mean=MEAN + 2.5))
    outside = guidance.ClassifierFree.of(TMPD(solver=Direct()).guided(model, measurement), scale=2.5)
    assert np.all(np.isfinite(outside.score(x, t, jnp.full(4, 1))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MMPS(iterations=0), r"MMPS.iterations = 0: expected a count"),
        (lambda: ConjugateGradients(iterations=0), r"ConjugateGradients.iterations = 0"),
        (lambda: GaussianScore(gamma=0.0), r"GaussianScore.gamma = 0.0: expected a positive number"),
        (lambda: DataVariance(std=-1.0), r"DataVariance.std = -1.0: expected a positive number"),
    ],
)
def test_mistakes_are_told(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_spread_of_the_operator_needs_a_linear_one():
    squares = Function(shape=SHAPE, function=jnp.square)
    y = jnp.ones((1, *SHAPE))
    measurement = Measurement(y=y, operator=squares, noise=GaussianNoise(std=STD))
    with pytest.raises(InputError, match=r"WhiteSpread takes any"):
        GaussianScore().guided(gaussian(sdes.VP()), measurement)

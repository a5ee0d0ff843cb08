"""Methods that change a step, against the published algorithms written in numpy.

With Gaussian data and steps of a fixed weight every step is affine in x_t and the noise: the law of the
output is a mean and a covariance, found here by unit impulses and there by a recursion of matrices.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.errors import InputError
from score_sde.inverse import DPS, MCG, AdaptivePiGDM, Measurement
from score_sde.inverse.methods import OverNorm, Unscaled
from score_sde.inverse.noises import GaussianNoise, PoissonNoise
from score_sde.inverse.operators import Dense, Function

pytestmark = pytest.mark.usefixtures("x64")

D, STEPS, STD, ZETA = 3, 7, 0.3, 0.15
RNG = np.random.default_rng(0)
MEAN = RNG.normal(size=D)
ROOT = RNG.normal(size=(D, D))
COVARIANCE = ROOT @ ROOT.T + 0.1 * np.eye(D)
MATRIX = RNG.normal(size=(2, D))
Y = RNG.normal(size=2)
TIMES = np.linspace(1.0, 0.05, STEPS + 1)
PINV = np.linalg.pinv(MATRIX)


def model():
    return denoisers.Gaussian(sde=sdes.VP(), mean=jnp.asarray(MEAN), covariance=jnp.asarray(COVARIANCE))


def measured(noise=None):
    noise = noise or GaussianNoise(std=STD)
    return Measurement(y=jnp.asarray(Y[None]), operator=Dense(matrix=MATRIX), noise=noise)


def run(method, x, noises, monkeypatch):
    """Steps with recorded noise: as many draws a step as the method takes, in their order."""
    tape = iter(noises)
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.broadcast_to(next(tape), x.shape))
    predictor = method.stepped(samplers.Ancestral(), measured())
    exact, memory = model(), jnp.zeros(())
    for t, s in itertools.pairwise(TIMES):
        step = predictor.step(jax.random.key(0), exact, x, jnp.asarray(t), jnp.asarray(s), memory)
        x, memory = step.x, step.memory
    return np.asarray(x), np.asarray(step.mean)


def law(method, draws, monkeypatch):
    """Mean and covariance of the last state from x_T ~ N(0, I), by impulses; ``draws`` of noise a step."""
    rows = 1 + D * (1 + draws * STEPS)
    impulses = np.concatenate([np.zeros((1, rows - 1)), np.eye(rows - 1)]).reshape(rows, -1, D)
    x, _ = run(method, jnp.asarray(impulses[:, 0]), list(np.moveaxis(impulses[:, 1:], 1, 0)), monkeypatch)
    slopes = x[1:] - x[0]
    return x[0], slopes.T @ slopes


def alpha_bar(t):
    """exp(-int beta) with beta from 0.1 to 20 (Song et al. 2021, eq. 33)."""
    return np.exp(-0.1 * t - 0.5 * t**2 * 19.9)


def denoising(t):
    """D = b + K x."""
    alpha = np.sqrt(alpha_bar(t))
    gain = alpha * COVARIANCE @ np.linalg.inv(alpha**2 * COVARIANCE + (1 - alpha**2) * np.eye(D))
    return MEAN - alpha * gain @ MEAN, gain


def ancestral(t, s):
    """Weights of x_t and x_0 and the standard deviation (Ho et al. 2020, eq. 6 and 7)."""
    a_t, a_s = alpha_bar(t), alpha_bar(s)
    beta = 1 - a_t / a_s
    c_x, c_0 = np.sqrt(1 - beta) * (1 - a_s) / (1 - a_t), np.sqrt(a_s) * beta / (1 - a_t)
    return c_x, c_0, np.sqrt((1 - a_s) / (1 - a_t) * beta)


def recursion(advance):
    """Mean and covariance after ``advance(t, s)`` = (M, b, noise covariance) at every step."""
    mean, covariance = np.zeros(D), np.eye(D)
    for t, s in itertools.pairwise(TIMES):
        matrix, offset, noise = advance(t, s)
        mean, covariance = matrix @ mean + offset, matrix @ covariance @ matrix.T + noise
    return mean, covariance


def guided(weight):
    """Steps of x' + weight(t, K) K^T A^T (y - A D), weight a matrix for the residual."""

    def advance(t, s):
        (b, gain), (c_x, c_0, std) = denoising(t), ancestral(t, s)
        push = gain.T @ MATRIX.T @ weight(t)
        matrix = c_x * np.eye(D) + c_0 * gain - push @ MATRIX @ gain
        return matrix, c_0 * b + push @ (Y - MATRIX @ b), std**2 * np.eye(D)

    return advance


def dps(step_size):
    return guided(lambda t: 2 * step_size * np.eye(2))


def mcg(step_size):
    left, seen = np.eye(D) - PINV @ MATRIX, PINV @ MATRIX

    def advance(t, s):
        matrix, offset, noise = dps(step_size)(t, s)
        added = (1 - alpha_bar(s)) * seen @ seen.T
        return left @ matrix, left @ offset + np.sqrt(alpha_bar(s)) * PINV @ Y, left @ noise @ left.T + added

    return advance


def adaptive(std):
    def weight(t):
        a = alpha_bar(t)
        spread = std**2 * (1 - a) / (a * std**2 + 1 - a)
        inner = spread * MATRIX @ MATRIX.T + STD**2 * np.eye(2)
        return np.sqrt(a) * spread * np.linalg.inv(inner)

    return guided(weight)


@pytest.mark.parametrize(
    ("method", "draws", "advance", "wrong"),
    [
        (DPS(step_size=ZETA, scaling=Unscaled()), 1, dps(ZETA), dps(1.05 * ZETA)),
        (MCG(step_size=ZETA, scaling=Unscaled()), 2, mcg(ZETA), mcg(1.05 * ZETA)),
        (AdaptivePiGDM(), 1, adaptive(1.0), adaptive(1.05)),
    ],
    ids=["DPS", "MCG", "PiGDM"],
)
def test_the_law_of_the_output_is_that_of_the_published_algorithm(method, draws, advance, wrong, monkeypatch):
    mean, covariance = law(method, draws, monkeypatch)
    expected = recursion(advance)
    np.testing.assert_allclose(mean, expected[0], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(covariance, expected[1], rtol=1e-6, atol=1e-9)
    assert not np.allclose(mean, recursion(wrong)[0], rtol=1e-4)
    assert not np.allclose(covariance, recursion(wrong)[1], rtol=1e-4)


@pytest.mark.parametrize("least", [0.0, 2.0])
def test_steps_over_the_norm(least, monkeypatch):
    """Draw by draw with recorded noise, since the scaling is not affine."""
    x = RNG.normal(size=(4, D))
    noises = RNG.normal(size=(STEPS, 4, D))
    found, mean = run(DPS(step_size=ZETA, scaling=OverNorm(least=least)), jnp.asarray(x), noises, monkeypatch)
    for noise, t, s in zip(noises, TIMES[:-1], TIMES[1:], strict=True):
        (b, gain), (c_x, c_0, std) = denoising(t), ancestral(t, s)
        denoised = b + x @ gain.T
        residual = Y - denoised @ MATRIX.T
        length = ZETA / np.maximum(np.linalg.norm(residual, axis=1, keepdims=True), least)
        without = c_x * x + c_0 * denoised + length * 2 * residual @ MATRIX @ gain
        x = without + std * noise
    np.testing.assert_allclose(found, x, rtol=1e-9)
    np.testing.assert_allclose(mean, without, rtol=1e-9)


def test_the_last_state_of_mcg_agrees_with_y():
    sampler = samplers.Sampler(predictor=samplers.Ancestral(), grid=samplers.Uniform(t_min=0.0), n_steps=5)
    measurement = measured()
    x = MCG(sampler=sampler)(jax.random.key(0), model(), measurement, (6, D))
    np.testing.assert_allclose(measurement.residual(x), 0, atol=1e-12)


def test_poisson_noise_weighs_the_squares(monkeypatch):
    """|y - A D|^2 with each square over its variance relative to the mean variance."""
    noise = PoissonNoise(peak=10.0, low=-5.0, high=5.0)
    weights = np.asarray(noise.variance(Y)).mean() / np.asarray(noise.variance(Y))
    method, exact, t = DPS(step_size=ZETA, scaling=Unscaled()), model(), 0.4
    x = jnp.asarray(RNG.normal(size=(2, D)))
    (b, gain) = denoising(t)
    residual = Y - (b + np.asarray(x) @ gain.T) @ MATRIX.T
    found = method.move(measured(noise), exact, x, jnp.asarray(t), None)
    np.testing.assert_allclose(found, 2 * ZETA * (weights * residual) @ MATRIX @ gain, rtol=1e-9)
    assert abs(weights[0] / weights[1] - 1) > 0.05


def test_operators_that_are_not_linear():
    """Clipping at 0, whose derivative is 0 or 1; MCG says that it needs a linear operator."""
    operator = Function(shape=(D,), function=lambda x: jnp.maximum(x, 0))
    y = jnp.asarray(RNG.normal(size=(1, D)))
    measurement = Measurement(y=y, operator=operator, noise=GaussianNoise(std=STD))
    x, t = jnp.asarray(RNG.normal(size=(3, D))), 0.3
    b, gain = denoising(t)
    denoised = b + np.asarray(x) @ gain.T
    residual = np.where(denoised > 0, np.asarray(y) - denoised, 0)
    found = DPS(step_size=ZETA, scaling=Unscaled()).move(measurement, model(), x, jnp.asarray(t), None)
    np.testing.assert_allclose(found, 2 * ZETA * residual @ gain, rtol=1e-9)
    with pytest.raises(InputError, match=r"MCG for operator .* a linear operator; use MMPS, TMPD or DPS"):
        MCG().stepped(samplers.Ancestral(), measurement)


def test_an_agreement_reached_is_left_in_peace():
    """No residual, no step, also over the norm."""
    scaling = OverNorm(least=0.0)
    np.testing.assert_array_equal(scaling(jnp.array([0.0, 4.0])), [0.0, 0.5])


def test_moved_predictors_are_the_predictor_for_the_sampler():
    """Counts and checks of what is inside."""
    inner = samplers.ChurnedHeun(N=5)
    for method in (DPS(), MCG(), AdaptivePiGDM()):
        predictor = method.stepped(inner, measured())
        assert predictor.evaluations == 2
        with pytest.raises(InputError):
            predictor.check(6)

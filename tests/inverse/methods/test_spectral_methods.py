"""Replacement, RePaint, DDRM, DDNM, DDNM+ and DiffPIR on normal data: the law of the draws to rounding.

Expected are mean and covariance by a recursion in NumPy of each published algorithm, for any alpha and sigma.
"""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from affine_laws import Prior, affine_law

from score_sde import denoisers, samplers, sdes
from score_sde.inverse import Measurement
from score_sde.inverse.methods import DDNM, DDRM, DDNMPlus, DiffPIR, RePaint, Replacement
from score_sde.inverse.noises import GaussianNoise
from score_sde.inverse.operators import Dense

pytestmark = pytest.mark.usefixtures("x64")

SDES = {"vp": sdes.VP(), "ve": sdes.VE(), "flow": sdes.RectifiedFlow()}
RNG = np.random.default_rng(3)
D = 4
MEAN = RNG.standard_normal(D)
ROOT = RNG.standard_normal((D, D))
COVARIANCE = 0.3 * ROOT @ ROOT.T + 0.1 * np.eye(D)
LEFT, RIGHT = (np.linalg.qr(RNG.standard_normal((n, n)))[0] for n in (3, D))
S = np.array([1.5, 0.4, 0.0, 0.0])  # more measured than seen, and not all seen
A = LEFT @ np.eye(3, D) @ np.diag(S) @ RIGHT.T
Y = A @ RNG.standard_normal(D)  # without noise a y that some x has
STEPS = 6
SAMPLER = samplers.Sampler(
    predictor=samplers.Ancestral(),
    grid=samplers.LogSNR(sigma_min=0.05, sigma_max=60.0),
    n_steps=STEPS,
    final=samplers.KeepSample(),
)
CASES = [("vp", 0.35), ("ve", 0.0), ("flow", 0.35)]


def model(sde):
    return denoisers.Gaussian(sde=sde, mean=jnp.asarray(MEAN), covariance=jnp.asarray(COVARIANCE))


def law_of(monkeypatch, method, sde, std, matrix=A, y=Y):
    measurement = Measurement(
        y=jnp.asarray(y)[None], operator=Dense(matrix=matrix), noise=GaussianNoise(std=std)
    )

    def draw(batch):
        return method(jax.random.key(0), model(sde), measurement, (batch, D))

    return affine_law(monkeypatch, draw)


def assert_law(found, expected):
    scale = np.max(np.abs(expected.covariance)) + np.max(np.abs(expected.mean))
    np.testing.assert_allclose(found[0], expected.mean, rtol=1e-6, atol=1e-6 * scale)
    np.testing.assert_allclose(found[1], expected.covariance, rtol=1e-6, atol=1e-6 * scale)


def assert_not_law(found, expected):
    error = np.max(np.abs(found[0] - expected.mean)) + np.max(np.abs(found[1] - expected.covariance))
    assert error > 1e-3


def times_of(sde):
    return [float(t) for t in SAMPLER.times(sde, (1, D))]


# ---------------------------------------------------------------- what y says, and the published steps


def spectrum(matrix, y, std):
    """V, and for each column of it whether it is seen, what y says of it and with which noise."""
    U, values, Vt = np.linalg.svd(matrix)
    values = np.append(values, np.zeros(D - len(values)))
    seen = values > 1e-9
    said = np.append(U.T @ y, np.zeros(D))[:D]
    divided = np.where(seen, values, 1)
    return Vt.T, seen, np.where(seen, said / divided, 0), np.where(seen, std / divided, 0)


def put(prior, law, t, V, seen, said, std):
    alpha, sigma = prior.level(t)
    there = seen & (sigma >= alpha * std * (1 - 1e-12))
    keep, place = V @ np.diag(~there) @ V.T, V @ np.diag(there)
    room = np.maximum(sigma**2 - (alpha * std) ** 2, 0)
    return law.moved(keep, place @ (alpha * said), place @ np.diag(room) @ place.T)


def bridge(prior, t, s):
    """q(x_s | x_t, x_0) by the product of two normal densities (Ho et al. 2020, eq. 6-7)."""
    (alpha_t, sigma_t), (alpha_s, sigma_s) = prior.level(t), prior.level(s)
    ratio = alpha_t / alpha_s
    added = sigma_t**2 - ratio**2 * sigma_s**2
    c_x, c_0 = ratio * sigma_s**2 / sigma_t**2, alpha_s * added / sigma_t**2
    return c_x, c_0, np.sqrt(added * sigma_s**2 / sigma_t**2)


def ancestral(prior, law, t, s):
    G, g = prior.denoiser(t)
    c_x, c_0, std = bridge(prior, t, s)
    return law.moved(c_x * prior.eye + c_0 * G, c_0 * g, std**2 * prior.eye)


def replacement(prior, y, std, matrix=A):
    known = spectrum(matrix, y, std)
    times = times_of(prior.sde)
    law = put(prior, prior.start(), times[0], *known)
    for t, s in itertools.pairwise(times):
        law = put(prior, ancestral(prior, law, t, s), s, *known)
    return law


def repaint(prior, y, std, jump, resamplings):
    """Lugmayr et al. 2022, algorithm 1, with jumps of ``jump`` steps up, one step at a time."""
    known, times = spectrum(A, y, std), times_of(prior.sde)
    law = put(prior, prior.start(), times[0], *known)

    def down(law, i):
        return put(prior, ancestral(prior, law, times[i], times[i + 1]), times[i + 1], *known)

    def up(law, i):
        (alpha_s, sigma_s), (alpha_t, sigma_t) = prior.level(times[i]), prior.level(times[i - 1])
        ratio = alpha_t / alpha_s
        return law.moved(ratio * prior.eye, 0, (sigma_t**2 - ratio**2 * sigma_s**2) * prior.eye)

    # Stretches of ``jump`` steps are counted from the last but one time upwards; those above are walked once.
    stretches = (STEPS - 1) // jump
    begin = STEPS - 1 - stretches * jump
    for i in range(begin):
        law = down(law, i)
    for k in range(stretches):
        first, last = begin + k * jump, begin + (k + 1) * jump
        for walk in range(resamplings):
            for i in range(first, last):
                law = down(law, i)
            if walk < resamplings - 1:
                for i in range(last, first, -1):
                    law = up(law, i)
    return down(law, STEPS - 1)


def ddrm(prior, y, std, eta, eta_b):
    """Kawar et al. 2022, eq. 7-8, times alpha."""
    V, seen, said, noise = spectrum(A, y, std)
    times = times_of(prior.sde)
    law = put(prior, prior.start(), times[0], V, seen, said, noise)
    for t, s in itertools.pairwise(times):
        (alpha_t, sigma_t), (alpha, sigma) = prior.level(t), prior.level(s)
        G, g = prior.denoiser(t)
        F, b, spread = np.zeros((D, D)), np.zeros(D), np.zeros(D)
        for i in range(D):
            estimate, offset = V[:, i] @ G, V[:, i] @ g
            if not seen[i]:
                rest = np.sqrt(1 - eta**2) * sigma / sigma_t
                F[i] = alpha * estimate + rest * (V[:, i] - alpha_t * estimate)
                b[i], spread[i] = alpha * offset - rest * alpha_t * offset, eta**2 * sigma**2
            elif sigma < alpha * noise[i]:
                rest = np.sqrt(1 - eta**2) * sigma / noise[i]
                F[i] = (alpha - rest) * estimate
                b[i], spread[i] = (alpha - rest) * offset + rest * said[i], eta**2 * sigma**2
            else:
                F[i] = alpha * (1 - eta_b) * estimate
                b[i] = alpha * ((1 - eta_b) * offset + eta_b * said[i])
                spread[i] = sigma**2 - (alpha * eta_b * noise[i]) ** 2
        law = law.moved(V @ F, V @ b, V @ np.diag(spread) @ V.T)
    return law


def ddnm(prior, y):
    """Wang et al. 2023, algorithm 1."""
    law, times, inverse = prior.start(), times_of(prior.sde), np.linalg.pinv(A)
    away = np.eye(D) - inverse @ A
    for t, s in itertools.pairwise(times):
        G, g = prior.denoiser(t)
        c_x, c_0, std = bridge(prior, t, s)
        F, b = c_x * prior.eye + c_0 * away @ G, c_0 * (inverse @ y + away @ g)
        law = law.moved(F, b, std**2 * prior.eye)
    return law


def ddnm_plus(prior, y, std_y):
    """Wang et al. 2023, eq. 17-19 and appendix I: Sigma_t and Phi_t by the singular values."""
    V, seen, said, noise = spectrum(A, y, std_y)
    law, times = prior.start(), times_of(prior.sde)
    for t, s in itertools.pairwise(times):
        G, g = prior.denoiser(t)
        c_x, a, std = bridge(prior, t, s)
        share, left = np.zeros(D), np.full(D, std**2)
        for i in np.flatnonzero(seen):
            enough = std >= a * noise[i]
            share[i] = 1 if enough else std / (a * noise[i])
            left[i] = std**2 - (a * noise[i]) ** 2 if enough else 0
        pull = V @ np.diag(share) @ V.T
        F = c_x * prior.eye + a * (prior.eye - pull) @ G
        b = a * (g + pull @ (V @ said - g))
        law = law.moved(F, b, V @ np.diag(left) @ V.T)
    return law


def diffpir(prior, y, std_y, lam, zeta):
    """Zhu et al. 2023, algorithm 1: the minimiser by its normal equations."""
    law, times = prior.start(), times_of(prior.sde)
    for t, s in itertools.pairwise(times):
        (alpha_t, sigma_t), (alpha, sigma) = prior.level(t), prior.level(s)
        rho = lam * std_y**2 * alpha_t**2 / sigma_t**2
        if rho > 0:
            solve = np.linalg.inv(A.T @ A + rho * np.eye(D))
            K, k = solve * rho, solve @ A.T @ y
        else:
            K, k = np.eye(D) - np.linalg.pinv(A) @ A, np.linalg.pinv(A) @ y
        G, g = prior.denoiser(t)
        X, x = K @ G, K @ g + k
        rest = sigma * np.sqrt(1 - zeta) / sigma_t
        F = alpha * X + rest * (prior.eye - alpha_t * X)
        b = (alpha - rest * alpha_t) * x
        law = law.moved(F, b, zeta * sigma**2 * prior.eye)
    return law


# ---------------------------------------------------------------- tests


@pytest.mark.parametrize(("name", "std"), CASES)
class TestLaws:
    def prior(self, name):
        return Prior(SDES[name], MEAN, COVARIANCE)

    def test_replacement(self, monkeypatch, name, std):
        prior = self.prior(name)
        found = law_of(monkeypatch, Replacement(sampler=SAMPLER), prior.sde, std)
        assert_law(found, replacement(prior, Y, std))
        assert_not_law(found, replacement(prior, 1.05 * Y, std))

    def test_repaint(self, monkeypatch, name, std):
        prior = self.prior(name)
        method = RePaint(sampler=SAMPLER, jump_length=2, resamplings=3)
        found = law_of(monkeypatch, method, prior.sde, std)
        assert_law(found, repaint(prior, Y, std, 2, 3))
        assert_not_law(found, repaint(prior, Y, std, 2, 2))

    def test_ddrm(self, monkeypatch, name, std):
        prior = self.prior(name)
        found = law_of(monkeypatch, DDRM(sampler=SAMPLER, eta=0.7, eta_b=0.9), prior.sde, std)
        assert_law(found, ddrm(prior, Y, std, 0.7, 0.9))
        assert_not_law(found, ddrm(prior, Y, std, 0.735, 0.9))

    def test_ddnm_plus(self, monkeypatch, name, std):
        prior = self.prior(name)
        found = law_of(monkeypatch, DDNMPlus(sampler=SAMPLER), prior.sde, std)
        assert_law(found, ddnm_plus(prior, Y, std))
        if std == 0:
            assert_law(found, ddnm(prior, Y))
            assert_law(law_of(monkeypatch, DDNM(sampler=SAMPLER), prior.sde, 0.0), ddnm(prior, Y))
        else:
            assert_not_law(found, ddnm_plus(prior, Y, 1.05 * std))

    def test_diffpir(self, monkeypatch, name, std):
        prior = self.prior(name)
        found = law_of(monkeypatch, DiffPIR(sampler=SAMPLER, lam=2.0, zeta=0.4), prior.sde, std)
        assert_law(found, diffpir(prior, Y, std, 2.0, 0.4))
        assert_not_law(found, diffpir(prior, Y, std, 2.0, 0.42))

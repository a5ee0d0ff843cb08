"""Parity with the published losses, written here in numpy from their formulas, on recorded noise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, objectives, sdes

pytestmark = pytest.mark.usefixtures("x64")
RNG = np.random.default_rng(4)
DATA, NOISE = RNG.normal(size=(2, 5, 2, 3))
TIMES = np.array([0.01, 0.2, 0.4, 0.7, 0.999])
LABELS = np.array([0, 13, 500, 998, 999])
KEY = jax.random.key(0)


class Recorded(objectives.Times):
    """The times above."""

    def __call__(self, key, sde, n):
        return jnp.asarray(TIMES)


def network(x, labels, cond=None, key=None, np=jnp):
    return np.tanh(x) * np.sin(labels)[:, None, None] + 0.1 * x


def output(x, labels):
    return network(x, labels, np=np)


def model(sde, precondition):
    return denoisers.Preconditioned(network=network, sde=sde, precondition=precondition)


def column(values):
    return np.asarray(values)[:, None, None]


@pytest.fixture(autouse=True)
def recorded_noise(monkeypatch):
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.asarray(NOISE))


REDUCE = [
    (arrays.mean_per_example, lambda squares: squares.mean((1, 2))),
    (arrays.half_sum_per_example, lambda squares: 0.5 * squares.sum((1, 2))),
]


def original_marginal(sde):
    """sde_lib.py marginal_prob and the squared diffusion at the recorded times."""
    log_mean = -0.25 * TIMES**2 * 19.9 - 0.5 * TIMES * 0.1
    beta = 0.1 + TIMES * 19.9
    if isinstance(sde, sdes.VE):
        std = 0.01 * 5000**TIMES
        return np.ones(5), std, std**2 * 2 * np.log(5000)
    if isinstance(sde, sdes.VP):
        return np.exp(log_mean), np.sqrt(1 - np.exp(2 * log_mean)), beta
    return np.exp(log_mean), 1 - np.exp(2 * log_mean), beta * (1 - np.exp(4 * log_mean))


@pytest.mark.parametrize("sde", [sdes.VP(), sdes.SubVP(), sdes.VE()], ids=lambda sde: type(sde).__name__)
@pytest.mark.parametrize(("ours", "theirs"), REDUCE)
@pytest.mark.parametrize("likelihood", [False, True])
def test_continuous_loss(sde, ours, theirs, likelihood):
    """losses.py get_sde_loss_fn, with and without likelihood weighting."""
    scale, std, squared_diffusion = original_marginal(sde)
    x = column(scale) * DATA + column(std) * NOISE
    ve = isinstance(sde, sdes.VE)
    score = output(x, std) / column(std) if ve else -output(x, 999 * TIMES) / column(std)
    if likelihood:
        expected = theirs((score + NOISE / column(std)) ** 2) * squared_diffusion
    else:
        expected = theirs((score * column(std) + NOISE) ** 2)
    objective = objectives.DenoisingScoreMatching(
        times=Recorded(),
        weight=objectives.LikelihoodWeighting() if likelihood else objectives.SigmaSquared(),
        reduction=ours,
    )
    precondition = denoisers.ScoreTimesStd() if ve else denoisers.NoisePrediction()
    loss = objective(KEY, model(sde, precondition), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-9)


@pytest.fixture
def recorded_labels(monkeypatch):
    monkeypatch.setattr(jax.random, "randint", lambda key, shape, low, high: jnp.asarray(LABELS))


@pytest.mark.usefixtures("recorded_labels")
def test_ddpm_loss():
    """losses.py get_ddpm_loss_fn with N = 1000 linear betas."""
    product = np.cumprod(1 - np.linspace(0.1 / 1000, 20 / 1000, 1000))[LABELS]
    x = column(np.sqrt(product)) * DATA + column(np.sqrt(1 - product)) * NOISE
    expected = ((output(x, LABELS.astype(float)) - NOISE) ** 2).mean((1, 2))
    loss = objectives.DDPMLoss()(KEY, model(sdes.VP(), denoisers.DDPMPrecondition()), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-8)


@pytest.mark.usefixtures("recorded_labels")
def test_smld_loss():
    """losses.py get_smld_loss_fn: sigma^2 |score + noise / sigma^2|^2 / 2 with descending sigmas."""
    sigma = column(np.exp(np.linspace(np.log(50), np.log(0.01), 1000))[LABELS])
    x = DATA + sigma * NOISE
    score = output(x, LABELS.astype(float)) / sigma  # the published network divides by sigma itself
    squares = (score + sigma * NOISE / sigma**2) ** 2
    expected = 0.5 * squares.sum((1, 2)) * sigma[:, 0, 0] ** 2
    loss = objectives.SMLDLoss()(KEY, model(sdes.VE(), denoisers.SMLDPrecondition()), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-8)


def test_edm_loss():
    """lambda(sigma) |D(y + n; sigma) - y|^2 with table 1's D (Karras et al. 2022, eq. 2, 7, 8)."""
    sigma, sd = column(TIMES), 0.5
    y = DATA + sigma * NOISE
    total = sigma**2 + sd**2
    inner = output(y / np.sqrt(total), np.log(TIMES) / 4)
    denoised = sd**2 / total * y + sigma * sd / np.sqrt(total) * inner
    expected = ((total / (sigma * sd) ** 2) * (denoised - DATA) ** 2).mean((1, 2))
    objective = objectives.DenoisingScoreMatching(times=Recorded(), weight=objectives.EDMWeighting())
    loss = objective(KEY, model(sdes.EDM(), denoisers.EDMPrecondition()), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-8)


def test_flow_matching_loss():
    """|v(x_t, t) - (z - x_0)|^2 on the straight path (Liu et al. 2023, eq. 1, with time from the data)."""
    x = (1 - column(TIMES)) * DATA + column(TIMES) * NOISE
    expected = ((output(x, 999 * TIMES) - (NOISE - DATA)) ** 2).mean((1, 2))
    objective = objectives.DenoisingScoreMatching(times=Recorded(), weight=objectives.FlowMatching())
    loss = objective(KEY, model(sdes.RectifiedFlow(), denoisers.VelocityPrediction()), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-8)


def test_min_snr_is_the_clipped_weight_on_the_data():
    """min(SNR, 5) |x_0 prediction - x_0|^2 (Hang et al. 2023)."""
    sde = sdes.VP()
    scale, std, _ = original_marginal(sde)
    x = column(scale) * DATA + column(std) * NOISE
    clipped = np.minimum((scale / std) ** 2, 5)
    expected = clipped * ((output(x, 999 * TIMES) - DATA) ** 2).mean((1, 2))
    objective = objectives.DenoisingScoreMatching(times=Recorded(), weight=objectives.MinSNR())
    loss = objective(KEY, model(sde, denoisers.DataPrediction()), jnp.asarray(DATA))
    np.testing.assert_allclose(loss, expected, rtol=1e-8)

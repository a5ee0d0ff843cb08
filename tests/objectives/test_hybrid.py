"""The hybrid loss against numerical integrals, and against the published formulas written in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from score_sde import arrays, denoisers, objectives, sdes
from score_sde.errors import InputError
from score_sde.objectives.discretized import discretized_log_prob, normal_cdf
from score_sde.objectives.hybrid import _normal_divergence

pytestmark = pytest.mark.usefixtures("x64")
KEY = jax.random.key(0)
RNG = np.random.default_rng(3)
DATA = RNG.integers(0, 256, size=(6, 2, 3)) * 2 / 255 - 1
NOISE = RNG.normal(size=(6, 2, 3))
LABELS = np.array([0, 1, 13, 500, 998, 999], np.int32)
LEARNED = 0.3 * RNG.normal(size=(6, 2, 3))


def network(x, labels, cond=None, key=None):
    first = jnp.tanh(x) + labels[:, None, None] / 1000
    return jnp.concatenate([first, jnp.broadcast_to(LEARNED, x.shape)], axis=-1)


def model(sde, net=network):
    precondition = denoisers.NoisePrediction(labels=denoisers.StepLabels())
    return denoisers.LearnedRange(network=net, sde=sde, precondition=precondition)


def published(betas):
    """gaussian_diffusion.py training_losses with LEARNED_RANGE and MSE, step by step in numpy."""
    after = np.cumprod(1 - betas)
    before = np.append(1.0, after[:-1])
    posterior = betas * (1 - before) / (1 - after)
    low = np.log(np.append(posterior[1], posterior[1:]))[LABELS][:, None, None]
    high = np.log(betas)[LABELS][:, None, None]
    a, b = after[LABELS][:, None, None], before[LABELS][:, None, None]
    beta = betas[LABELS][:, None, None]
    x = np.sqrt(a) * DATA + np.sqrt(1 - a) * NOISE
    eps = np.tanh(x) + LABELS[:, None, None] / 1000
    mse = np.mean((NOISE - eps) ** 2, axis=(1, 2))
    frac = (LEARNED + 1) / 2
    log_variance = frac * high + (1 - frac) * low
    start = x / np.sqrt(a) - np.sqrt(1 / a - 1) * eps
    c_0, c_x = beta * np.sqrt(b) / (1 - a), (1 - b) * np.sqrt(1 - beta) / (1 - a)
    mean, true_mean = c_0 * start + c_x * x, c_0 * DATA + c_x * x
    kl = 0.5 * (
        -1 + log_variance - low + np.exp(low - log_variance) + (true_mean - mean) ** 2 * np.exp(-log_variance)
    )

    def cdf(v):
        return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (v + 0.044715 * v**3)))

    inverse = np.exp(-0.5 * log_variance)
    plus, minus = cdf(inverse * (DATA - mean + 1 / 255)), cdf(inverse * (DATA - mean - 1 / 255))
    edge = np.where(DATA > 0.999, 1 - minus, plus - minus)
    nll = -np.log(np.maximum(np.where(DATA < -0.999, plus, edge), 1e-12))
    vb = np.where(LABELS == 0, nll.mean(axis=(1, 2)), kl.mean(axis=(1, 2))) / np.log(2)
    return mse, vb


def cosine_betas():
    f = np.cos((np.arange(1001) / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2
    return np.minimum(1 - f[1:] / f[:-1], 0.999)


@pytest.mark.parametrize(
    ("sde", "betas"),
    [
        (sdes.DiscreteVP(), np.linspace(1e-4, 0.02, 1000)),
        (sdes.DiscreteVP(betas=sdes.CosineBetas()), cosine_betas()),
    ],
    ids=["linear", "cosine"],
)
def test_the_loss_is_the_published_one(sde, betas):
    mse, vb = published(betas)
    loss = objectives.HybridLoss()
    ours = loss.parts(model(sde), jnp.asarray(DATA), jnp.asarray(LABELS), jnp.asarray(NOISE))
    np.testing.assert_allclose(ours[0], mse, rtol=1e-7)
    np.testing.assert_allclose(ours[1], vb, rtol=1e-5, atol=1e-9)
    whole = loss.at(model(sde), jnp.asarray(DATA), jnp.asarray(LABELS), jnp.asarray(NOISE))
    np.testing.assert_allclose(whole, mse + vb, rtol=1e-5)


def test_float32_agrees():
    loss = objectives.HybridLoss()
    arguments = jnp.asarray(DATA), jnp.asarray(LABELS), jnp.asarray(NOISE)
    exact = loss.parts(model(sdes.DiscreteVP()), *arguments)[1]
    single = [jnp.asarray(a, jnp.float32) if a.dtype == float else a for a in arguments]
    with jax.enable_x64(False):
        rough = loss.parts(model(sdes.DiscreteVP()), *single)[1]
    assert rough.dtype == jnp.float32
    np.testing.assert_allclose(rough, exact, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(("shift", "v", "w"), [(0.3, 0.2, 0.5), (0.0, 0.9, 0.4), (1.1, 0.3, 0.3)])
def test_the_divergence_is_the_integral(shift, v, w):
    """KL(N(0, v) | N(shift, w)) by quadrature (scipy); 5 % more variance is told apart."""
    p, q = scipy.stats.norm(0, np.sqrt(v)), scipy.stats.norm(shift, np.sqrt(w))
    integral, _ = scipy.integrate.quad(lambda x: p.pdf(x) * (p.logpdf(x) - q.logpdf(x)), -8, 8)
    ours = float(_normal_divergence(shift**2, np.log(v), np.log(w)))
    np.testing.assert_allclose(ours, integral, rtol=1e-7)
    assert abs(float(_normal_divergence(shift**2, np.log(v), np.log(1.05 * w))) - integral) > 1e-4


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_the_probabilities_of_all_levels_sum_to_one(levels):
    x = jnp.linspace(-1, 1, levels)
    for mean, std in [(0.2, 0.3), (-0.97, 0.02), (1.4, 0.2)]:
        total = jnp.sum(jnp.exp(discretized_log_prob(x, mean, jnp.log(std), levels)))
        np.testing.assert_allclose(total, 1, atol=1e-9)


def test_the_published_distribution_function_is_normal_to_4e_4():
    x = np.linspace(-6, 6, 1001)
    assert np.abs(normal_cdf(jnp.asarray(x)) - scipy.stats.norm.cdf(x)).max() < 4e-4


def test_the_bound_teaches_the_variance_and_not_the_mean():
    """For data N(0, 0.6^2) the best variance is the posterior's plus c_0^2 Var(x_0 | x_t)."""
    sde, label, std = sdes.DiscreteVP(), 2, 0.6
    t, s = (label + 1) / 1000, label / 1000
    alpha, variance = float(sde.alpha(t)), float(sde.variance(t))
    exact = denoisers.Gaussian(sde=sde, mean=jnp.zeros(1), covariance=std**2 * jnp.eye(1))
    bridge, high = sde.bridge(t, s), float(sde.transition(t, s).std) ** 2
    left = std**2 * variance / (alpha**2 * std**2 + variance)  # Var(x_0 | x_t)
    best = float(bridge.std) ** 2 + float(bridge.c_0) ** 2 * left
    low = float(bridge.std) ** 2
    share = np.log(best / low) / np.log(high / low)

    def loss(scale, share):
        """Averaged over x_0 given x_t = 0.8 by the two nodes that are exact for a square."""
        x0 = float(exact(jnp.array([[0.8]]), t)[0, 0]) + np.sqrt(left) * np.array([[-1.0], [1.0]])
        z = (0.8 - alpha * x0) / np.sqrt(variance)

        def net(x, labels, cond=None, key=None):
            noise = scale * exact.noise(x, t)
            return jnp.concatenate([noise, jnp.full_like(x, 2 * share - 1)], axis=-1)

        bound = objectives.HybridLoss().parts(model(sde, net), jnp.asarray(x0), jnp.full(2, label), z)[1]
        return jnp.mean(bound)

    to_mean, to_share = jax.grad(loss, argnums=(0, 1))(1.0, share)
    assert to_mean == 0
    assert abs(to_share) < 1e-6
    assert abs(jax.grad(loss, argnums=1)(1.0, share + 0.05)) > 1e-3


def test_one_finite_loss_per_example_that_depends_on_the_key_only():
    run = jax.jit(lambda key: objectives.HybridLoss()(key, model(sdes.DiscreteVP()), jnp.asarray(DATA)))
    first = run(KEY)
    assert first.shape == (6,)
    assert bool(jnp.all(jnp.isfinite(first)))
    np.testing.assert_array_equal(first, run(KEY))
    assert not np.array_equal(first, run(jax.random.key(1)))
    assert arrays.normal_like(KEY, jnp.asarray(DATA)).shape == DATA.shape


@pytest.mark.parametrize("wrong", [{"steps": 1}, {"levels": 1}])
def test_impossible_counts_are_refused(wrong):
    with pytest.raises(InputError, match=f"HybridLoss.{next(iter(wrong))}"):
        objectives.HybridLoss(**wrong)

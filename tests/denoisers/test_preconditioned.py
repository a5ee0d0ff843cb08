"""Networks behind preconditionings: what they are told, and parity with the original's score functions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import denoisers, sdes
from score_sde.errors import InputError

X = np.random.default_rng(2).normal(size=(6, 3))
OUTPUT = np.random.default_rng(3).normal(size=(6, 3))


def model(sde, precondition, seen=None):
    def network(x, labels, cond, key):
        if seen is not None:
            seen.append((x, labels, cond, key))
        return jnp.asarray(OUTPUT)

    return denoisers.Preconditioned(network=network, sde=sde, precondition=precondition)


TIMES = np.array([1e-3, 0.1, 0.25, 0.5, 0.777, 1.0])


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("sde", [sdes.VP(), sdes.SubVP()])
def test_noise_prediction_is_the_originals_continuous_vp_score(sde):
    """models/utils.py get_score_fn: labels = 999 t, score = -F / std(t), written in numpy."""
    log_mean = -0.25 * TIMES**2 * 19.9 - 0.5 * TIMES * 0.1
    std = np.sqrt(1 - np.exp(2 * log_mean)) if isinstance(sde, sdes.VP) else 1 - np.exp(2 * log_mean)
    seen = []
    score = model(sde, denoisers.NoisePrediction(), seen).score(jnp.asarray(X), jnp.asarray(TIMES))
    np.testing.assert_allclose(score, -OUTPUT / std[:, None], rtol=1e-9)
    np.testing.assert_allclose(seen[0][1], 999 * TIMES, rtol=1e-12)
    np.testing.assert_array_equal(seen[0][0], X)


@pytest.mark.usefixtures("x64")
def test_score_times_std_is_the_originals_continuous_ve_score():
    """Labels = sigma(t); the published network returns F / sigma as the score."""
    sigma, seen = 0.01 * 5000**TIMES, []
    score = model(sdes.VE(), denoisers.ScoreTimesStd(), seen).score(jnp.asarray(X), jnp.asarray(TIMES))
    np.testing.assert_allclose(score, OUTPUT / sigma[:, None], rtol=1e-9)
    np.testing.assert_allclose(seen[0][1], sigma, rtol=1e-9)


@pytest.mark.usefixtures("x64")
def test_ddpm_precondition_is_the_originals_discrete_vp_score():
    """Labels = t (N - 1), std = sqrt(1 - cumprod(1 - beta))[int(label)], beta = linspace(.1, 20, N) / N."""
    std = np.sqrt(1 - np.cumprod(1 - np.linspace(0.1 / 1000, 20 / 1000, 1000)))
    labels, seen = TIMES * 999, []
    score = model(sdes.VP(), denoisers.DDPMPrecondition(), seen).score(jnp.asarray(X), jnp.asarray(TIMES))
    np.testing.assert_allclose(score, -OUTPUT / std[labels.astype(int)][:, None], rtol=1e-9)
    np.testing.assert_allclose(seen[0][1], labels, rtol=1e-12)


@pytest.mark.usefixtures("x64")
def test_smld_precondition_is_the_originals_discrete_ve_score():
    """Labels = round((T - t) (N - 1)), descending sigmas = exp(linspace(log 50, log .01, N))."""
    sigmas = np.exp(np.linspace(np.log(50), np.log(0.01), 1000))
    labels, seen = np.round((1 - TIMES) * 999).astype(int), []
    score = model(sdes.VE(), denoisers.SMLDPrecondition(), seen).score(jnp.asarray(X), jnp.asarray(TIMES))
    np.testing.assert_allclose(score, OUTPUT / sigmas[labels][:, None], rtol=1e-9)
    np.testing.assert_array_equal(seen[0][1], labels)


def test_integer_times_read_their_own_entry_of_the_table_in_float32():
    n = 1000
    t = jnp.arange(n, dtype=jnp.float32) / (n - 1)
    _, stds = denoisers.ddpm_tables(sdes.VP(), n)
    scale = denoisers.DDPMPrecondition(steps=n).scale(sdes.VP(), t)
    np.testing.assert_array_equal(scale, -stds)


def test_network_gets_condition_key_and_one_label_per_example():
    seen, key = [], jax.random.key(0)
    net = model(sdes.EDM(), denoisers.EDMPrecondition(), seen)
    net(jnp.asarray(X), 2.0, "cond", key=key)
    scaled, labels, cond, given = seen[0]
    assert labels.shape == (6,)
    assert (cond, given) == ("cond", key)
    np.testing.assert_allclose(labels, 0.25 * np.log(2.0), rtol=1e-6)  # Karras et al. 2022, table 1
    np.testing.assert_allclose(scaled, X / np.sqrt(4.25), rtol=1e-6)


def test_scalar_and_per_example_times_agree():
    net = model(sdes.VP(), denoisers.VPrediction())
    x = jnp.asarray(X)
    for one, many in zip(net.estimate(x, 0.3), net.estimate(x, jnp.full(6, 0.3)), strict=True):
        np.testing.assert_array_equal(one, many)


def test_a_lambda_is_a_network_and_passes_through_jit():
    net = denoisers.Preconditioned(
        network=lambda x, t, cond, key: -x, sde=sdes.VP(), precondition=denoisers.DataPrediction()
    )
    np.testing.assert_allclose(jax.jit(lambda m, x: m(x, 0.5))(net, jnp.ones((2, 1))), -np.ones((2, 1)))


def test_an_output_of_another_shape_is_refused():
    """With one channel of data it would spread over all channels of the output without a word."""
    twice = denoisers.Preconditioned(
        network=lambda x, t, cond, key: jnp.concatenate([x, x], axis=-1),
        sde=sdes.VP(),
        precondition=denoisers.NoisePrediction(),
    )
    with pytest.raises(InputError, match=r"shape of the network's output = \(2, 2\): expected \(2, 1\)"):
        twice.score(jnp.ones((2, 1)), 0.5)


def test_deterministic_drops_the_key():
    seen = []
    quiet = denoisers.Deterministic.of(model(sdes.VP(), denoisers.NoisePrediction(), seen))
    for method in (quiet, quiet.noise, quiet.score, quiet.velocity, quiet.v):
        method(jnp.asarray(X), 0.5, key=jax.random.key(0))
    assert [entry[3] for entry in seen] == [None] * 5


def test_score_network_is_its_own_score():
    net = denoisers.ScoreNetwork(network=lambda x, t, cond, key: t[:, None] * x, sde=sdes.VP())
    np.testing.assert_allclose(net.score(jnp.ones((2, 1)), 0.5), 999 * 0.5 * np.ones((2, 1)))
    flow = -0.5 * 10.05 * (1 + 999 * 0.5)  # f - g^2 score / 2 with beta(1/2) = 10.05
    np.testing.assert_allclose(net.velocity(jnp.ones((2, 1)), 0.5), flow * np.ones((2, 1)), rtol=1e-6)


@pytest.mark.parametrize(
    "labels",
    [denoisers.TimeLabels(), denoisers.SigmaLabels(), denoisers.LogSigmaLabels(), denoisers.LogSNRLabels()],
)
def test_labels_are_finite_at_both_ends(labels):
    for sde in (sdes.VP(), sdes.RectifiedFlow(), sdes.Cosine(), sdes.EDM()):
        assert bool(jnp.all(jnp.isfinite(labels(sde, jnp.array([0.0, sde.T])))))


def test_sigma_data_must_be_positive():
    with pytest.raises(InputError, match="sigma_data"):
        denoisers.EDMPrecondition(sigma_data=0.0)

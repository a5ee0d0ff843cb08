"""ADM's samplers on recorded noise: ``gaussian_diffusion.py`` and ``respace.py`` of guided-diffusion.

The model is a formula of x and the label, so that the numbers are those of the samplers alone.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")

LEARNED = samplers.Ancestral(variance=samplers.LearnedVariance())
LARGE = samplers.Ancestral(variance=samplers.TransitionVariance())


class Guide(ScoreModel):
    """What stands for grad log p(y | x_t): a formula of x and the label."""

    def score(self, x, t, cond=None, *, key=None):
        return 0.5 - x / (1 + 0.001 * (1000 * t - 1))


LINEAR, COSINE = sdes.DiscreteVP(), sdes.DiscreteVP(betas=sdes.CosineBetas())
RUNS = {  # process, predictor, grid, steps, clipped
    "learned_10": (LINEAR, LEARNED, samplers.Sections(), 10, True),
    "learned_cosine_4_6": (COSINE, LEARNED, samplers.Sections(sections=(4, 6)), 10, False),
    "ddim25": (LINEAR, samplers.DDIM(), samplers.Strided(), 25, True),
    "ddim8_eta": (COSINE, samplers.DDIM(eta=0.6), samplers.Sections(), 8, False),
    "large_50": (sdes.DiscreteVP(steps=50), LARGE, samplers.Sections(chain=50), 50, True),
    "small_50": (sdes.DiscreteVP(steps=50), samplers.Ancestral(), samplers.Sections(chain=50), 50, True),
    "xstart_12": (LINEAR, LEARNED, samplers.Sections(), 12, True),
    "guided_10": (LINEAR, LEARNED.replace(guide=Guide(sde=LINEAR)), samplers.Sections(), 10, True),
    "guided_large_9": (LINEAR, LARGE.replace(guide=Guide(sde=LINEAR)), samplers.Sections(), 9, True),
    "sections_7_5_6": (LINEAR, LEARNED, samplers.Sections(sections=(7, 5, 6)), 18, True),
}


@pytest.fixture(scope="module")
def recorded(reference_data):
    return np.load(reference_data / "adm_sampler.npz")


@pytest.fixture
def recorded_noise(monkeypatch, recorded):
    """Step i is given the i-th recorded noise: the key of a step holds its number."""
    z = jnp.asarray(np.moveaxis(recorded["z"], 2, -1))
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: z[key])


def network(x, labels, cond=None, *, key=None):
    labels = labels[:, None, None, None]
    share = jnp.tanh(x + jnp.cos(0.02 * labels))
    return jnp.concatenate([0.7 * x + 0.3 * jnp.sin(2 * x + 0.01 * labels), share], axis=-1)


def model(name, sde, clipped):
    kind = denoisers.DataPrediction if name.startswith("xstart") else denoisers.NoisePrediction
    precondition = kind(labels=denoisers.StepLabels(steps=sde.steps))
    learned = denoisers.LearnedRange(sde=sde, network=network, precondition=precondition)
    return denoisers.Clipped.of(learned) if clipped else learned


def run(recorded, name, predictor=None):
    sde, mine, grid, n, clipped = RUNS[name]
    predictor = predictor or mine
    denoiser, times = model(name, sde, clipped), grid(sde, n)
    x = jnp.asarray(np.moveaxis(recorded["latents"], 1, -1))

    def advance(carry, interval):
        i, t, s = interval
        step = predictor.step(i, denoiser, carry[0], t, s, carry[1])
        return (step.x, step.memory), None

    @jax.jit
    def all_steps(x):
        first = x, predictor.init(denoiser, x, times[0])
        return jax.lax.scan(advance, first, (jnp.arange(n), times[:-1], times[1:]))[0][0]

    return all_steps(x)


@pytest.mark.parametrize("name", RUNS)
def test_the_samples_are_adms(recorded, recorded_noise, name):
    expected = np.moveaxis(recorded[name], 1, -1)
    scale = np.max(np.abs(expected))  # some runs are not clipped, and the model is no model of anything
    np.testing.assert_allclose(run(recorded, name) / scale, expected / scale, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", RUNS)
def test_the_steps_are_adms(recorded, name):
    sde, _, grid, n, _ = RUNS[name]
    labels = denoisers.StepLabels(steps=sde.steps)(sde, grid(sde, n)[:-1])
    np.testing.assert_allclose(labels[::-1], recorded[f"{name}_steps"], atol=1e-9)


def test_a_small_mistake_would_be_seen(recorded, recorded_noise):
    expected = np.moveaxis(recorded["guided_10"], 1, -1)
    stronger = RUNS["guided_10"][1].replace(guide_scale=1.05)
    assert np.max(np.abs(run(recorded, "guided_10", stronger) - expected)) > 1e-4
    expected = np.moveaxis(recorded["learned_10"], 1, -1)
    assert np.max(np.abs(run(recorded, "learned_10", samplers.Ancestral()) - expected)) > 1e-3


def test_the_sampler_composes():
    """In the driver's scan, from float32 noise, with the variance of the step before carried along."""
    sampler = samplers.Sampler(predictor=LEARNED, grid=samplers.Sections(), n_steps=5)
    sample = sampler(jax.random.key(0), model("learned_10", LINEAR, True), (2, 3, 2, 2))
    assert sample.shape == (2, 3, 2, 2)
    assert np.all(np.abs(sample) <= 1)  # the last step is the clipped mean


def test_ddim_with_noise_of_the_bridge_is_ancestral(recorded, recorded_noise):
    ancestral = run(recorded, "sections_7_5_6", samplers.Ancestral())
    np.testing.assert_allclose(run(recorded, "sections_7_5_6", samplers.DDIM(eta=1.0)), ancestral, rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: samplers.Sections(sections=(10, 10))(LINEAR, 25), r"Sections\.sections"),
        (lambda: samplers.Sections(chain=10)(LINEAR, 20), "steps in a section"),
        (lambda: samplers.Strided()(LINEAR, 26 * 20), "n_steps of Strided"),
        (lambda: denoisers.Clipped.of(model("learned_10", LINEAR, False), 1.0, -1.0), r"Clipped\.high"),
        (lambda: samplers.DDIM(eta=-1.0), r"DDIM\.eta"),
    ],
)
def test_mistakes(make, named):
    with pytest.raises(InputError, match=named):
        make()


def test_a_model_without_a_learned_range_is_refused():
    plain = denoisers.Gaussian(sde=LINEAR, mean=jnp.zeros(1), covariance=jnp.eye(1))
    x, times = jnp.zeros((1, 1)), jnp.asarray([0.5, 0.4])
    with pytest.raises(InputError, match="LearnedRange"):
        LEARNED.step(jax.random.key(0), plain, x, *times, jnp.zeros(()))

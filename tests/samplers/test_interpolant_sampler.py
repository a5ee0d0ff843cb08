"""SiT's SDE sampler beside its loop, written out by its own clock, and its named last steps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, denoisers, samplers, sdes

pytestmark = pytest.mark.usefixtures("x64")
MEAN, VARIANCE, SIZE, STEPS = 0.7, 0.3, 0.04, 12
NOISE = np.random.default_rng(0).standard_normal((STEPS, 3, 1))


def flow(x, u):
    """Velocity and score of N(MEAN, VARIANCE) at tau = u on x = u data + (1 - u) noise (Ma et al. 2024)."""
    spread = u**2 * VARIANCE + (1 - u) ** 2
    score = -(x - u * MEAN) / spread
    data = MEAN + u * VARIANCE / spread * (x - u * MEAN)
    return data + (1 - u) * score, score  # data - noise, noise = -(1 - u) score


def theirs(x, last, amount):
    """The loop of transport/integrators.py: Euler steps from 0 to 1 - SIZE, then the last step."""
    grid = np.linspace(0, 1 - SIZE, STEPS)
    for u, after, z in zip(grid[:-1], grid[1:], NOISE[:-1], strict=True):
        velocity, score = flow(x, u)
        w = amount(1 - u)
        x = x + (after - u) * (velocity + w * score) + np.sqrt(2 * w * (after - u)) * z
    u = 1 - SIZE
    velocity, score = flow(x, u)
    return {
        "Mean": x + SIZE * (velocity + amount(SIZE) * score),
        "Tweedie": x / u + SIZE**2 / u * score,
        "Euler": x + SIZE * velocity,
        "none": x,
    }[last]


GRID = samplers.Uniform(t_min=SIZE)
FINALS = {"Tweedie": samplers.Denoise(), "Euler": samplers.FlowStep(), "none": samplers.KeepSample()}
DIFFUSIONS = {
    "sigma": (samplers.SigmaDiffusion(norm=0.8), lambda t: 0.8 * t),
    "constant": (samplers.ConstantDiffusion(norm=0.5), lambda t: 0.5),
}


@pytest.fixture
def recorded(monkeypatch):
    """The noise of a step is read at its time."""
    monkeypatch.setattr(samplers.InterpolantEuler, "step", numbered(samplers.InterpolantEuler.step))


def numbered(step):
    grid = np.linspace(1, SIZE, STEPS)

    def with_noise(self, key, model, x, t, s, memory=(), cond=None):
        number = jnp.argmin(jnp.abs(grid - t))

        class Given:
            def normal_like(self, x):
                return jnp.asarray(NOISE)[number]

        return step(self, Given(), model, x, t, s, memory, cond)

    return with_noise


@pytest.mark.parametrize("diffusion", DIFFUSIONS)
@pytest.mark.parametrize("last", ["Mean", *FINALS])
def test_the_loop_and_its_last_steps(recorded, diffusion, last):
    ours, amount = DIFFUSIONS[diffusion]
    model = denoisers.Gaussian(
        sde=sdes.RectifiedFlow(), mean=jnp.array([MEAN]), covariance=jnp.array([[VARIANCE]])
    )
    predictor = samplers.InterpolantEuler(diffusion=ours)
    if last == "Mean":
        sampler = samplers.Sampler(
            predictor=predictor, grid=samplers.ToZero(grid=GRID), n_steps=STEPS, final=samplers.KeepMean()
        )
    else:
        sampler = samplers.Sampler(predictor=predictor, grid=GRID, n_steps=STEPS - 1, final=FINALS[last])
    x = np.array([[0.3], [-1.2], [2.0]])
    drawn = sampler(jax.random.key(0), model, (3, 1), x=jnp.asarray(x))
    np.testing.assert_allclose(drawn, theirs(x, last, amount), rtol=1e-9)
    assert np.max(np.abs(drawn - theirs(x, last, lambda t: 1.05 * amount(t)))) > 1e-3


def test_noise_of_steps_is_the_librarys_otherwise():
    x = jnp.zeros((2, 3))
    assert arrays.normal_like(jax.random.key(0), x).shape == x.shape

"""A user's own SDE without a closed kernel is sampled, and is told what it cannot have."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import samplers, sdes
from score_sde.arrays import expand
from score_sde.denoisers import ScoreModel
from score_sde.errors import InputError

SHAPE = (20_000, 1)


class Relaxation(sdes.SDE):
    """dx = -x dt + sqrt(2) dw up to T = 3, as a user would write it."""

    T: float = 3.0

    def drift(self, x, t):
        return -x

    def diffusion(self, t):
        return jnp.sqrt(2.0) * jnp.ones_like(t)

    def prior(self, shape):
        return sdes.NormalPrior(shape=shape)


class OfWideData(ScoreModel):
    """The score where x_0 ~ N(0, 4): x_t ~ N(0, 1 + 3 exp(-2 t))."""

    def score(self, x, t, cond=None, *, key=None):
        return -x / expand(1 + 3 * jnp.exp(-2 * jnp.asarray(t)), x)


MODEL = OfWideData(sde=Relaxation())


@pytest.mark.parametrize(
    ("predictor", "corrector"),
    [
        (samplers.EulerMaruyama(), samplers.Langevin(snr=0.05, norm=samplers.BatchMeanNorm())),
        (samplers.ProbabilityFlowHeun(), samplers.NoCorrector()),
    ],
    ids=["sde", "flow"],
)
def test_it_is_sampled_down_to_zero(predictor, corrector):
    sampler = samplers.Sampler(
        predictor=predictor, corrector=corrector, grid=samplers.Uniform(t_min=0.0), n_steps=200,
        final=samplers.KeepSample(),
    )  # fmt: skip
    x = sampler(jax.random.key(0), MODEL, SHAPE)
    np.testing.assert_allclose(np.var(x), 4.0, rtol=0.04)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"predictor": samplers.Ancestral()}, "Ancestral for model = 'OfWideData'"),
        ({"predictor": samplers.ReverseDiffusion()}, "use EulerMaruyama"),
        ({"corrector": samplers.AnnealedLangevin()}, "AnnealedLangevin for sde = 'Relaxation'"),
        ({"corrector": samplers.MetropolisAdjustedLangevin()}, "MetropolisAdjustedLangevin for sde"),
        ({"grid": samplers.Karras()}, "Karras for sde"),
        ({"grid": samplers.LogSNR()}, "LogSNR for sde"),
        ({"final": samplers.Denoise()}, "Denoise for model"),
    ],
)
def test_what_needs_a_kernel_says_so(parts, message):
    sampler = samplers.Sampler(**{"predictor": samplers.EulerMaruyama(), "n_steps": 2, **parts})
    with pytest.raises(InputError, match=message):
        sampler(jax.random.key(0), MODEL, (2, 1))

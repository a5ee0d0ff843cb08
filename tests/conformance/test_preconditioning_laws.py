"""Every preconditioning round the exact network gives back the exact denoiser, for every Gaussian SDE."""

import jax.numpy as jnp
import numpy as np
import pytest
from walk import concrete_subclasses

from score_sde import denoisers, sdes

pytestmark = pytest.mark.usefixtures("x64")
KINDS = concrete_subclasses(denoisers.Preconditioning, "score_sde.denoisers")
SDES = concrete_subclasses(sdes.GaussianSDE, "score_sde.sdes")
X = np.random.default_rng(5).normal(size=(4, 3))
MEAN = np.array([0.4, -0.2, 0.1])
COVARIANCE = np.array([[0.5, 0.1, 0.0], [0.1, 0.3, -0.1], [0.0, -0.1, 0.4]])


def exact(sde):
    return denoisers.Gaussian(sde=sde, mean=MEAN, covariance=COVARIANCE)


def pairs(kind, sde, t):
    c_skip, c_out, _, _ = kind(sde, t)
    data = denoisers.Affine(c_skip, c_out)
    return [data, kind.noise(sde, t), kind.score(sde, t), kind.velocity(sde, t)]


def exact_output(kind, sde, x, t):
    """The F that an exact network returns, from whichever convention determines it best."""
    usable = [
        (abs(float(pair.out)), pair, value)
        for pair, value in zip(pairs(kind, sde, t), exact(sde).estimate(x, t), strict=True)
        if np.isfinite(float(pair.out)) and np.isfinite(float(pair.skip))
    ]
    _, pair, value = max(usable, key=lambda entry: entry[0])
    return (value - pair.skip * x) / pair.out


def wrapped(kind, sde, t):
    x = jnp.asarray(X)

    def network(scaled, labels, cond, key):
        c_in, c_noise = kind(sde, t)[2:]
        np.testing.assert_allclose(scaled, c_in * x, rtol=1e-12)
        np.testing.assert_allclose(labels, np.full(4, c_noise), rtol=1e-12)
        return exact_output(kind, sde, x, t)

    return denoisers.Preconditioned(network=network, sde=sde, precondition=kind).estimate(x, t)


def discretises(kind, sde):
    """The DDPM table exists where every beta = g^2 T / N is below 1."""
    if kind is not denoisers.DDPMPrecondition:
        return True
    return bool(jnp.all(jnp.isfinite(jnp.stack(denoisers.ddpm_tables(sde, 1000)))))


@pytest.mark.parametrize("kind", KINDS, ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_interior(kind, family):
    sde = family()
    if not discretises(kind, sde):
        pytest.skip("this SDE has no DDPM table of 1000 steps")
    for fraction in (0.05, 0.5, 0.95):
        t = jnp.asarray(fraction * sde.T)
        expected = exact(sde).estimate(jnp.asarray(X), t)
        for name, value, reference in zip(expected._fields, wrapped(kind(), sde, t), expected, strict=True):
            np.testing.assert_allclose(value, reference, rtol=1e-8, atol=1e-9, err_msg=name)


ROOT = {"VP", "DiscreteVP", "Cosine"}  # sigma(0) = 0 like a square root: sigma' is infinite there
PURE = {"Cosine", "RectifiedFlow", "GVP"}  # alpha(T) = 0
FLAT = {"SubVP", "EDM", "RectifiedFlow", "GVP"}  # sigma(0) = 0 with finite sigma': g(0) = 0
PREDICT_NOISE = {
    *("ScoreTimesStd", "ScorePrediction", "NoisePrediction"),
    *("VPPrecondition", "VEPrecondition", "IDDPMPrecondition"),
}
ALL = {"denoised", "noise", "score", "velocity"}


def well_posed(kind, sde, end):
    """What a parametrisation determines at an end point: the statement of its docstring."""
    if end == 0 and kind == "ConsistencyPrecondition":  # nothing of F is left
        return set()
    sharp = end == 0 and sde in ROOT | FLAT  # sigma = 0
    pure = end == 1 and sde in PURE  # alpha = 0
    if not sharp and not pure:
        return ALL
    if pure:
        return ALL - {"denoised", "velocity"} if kind in PREDICT_NOISE else ALL
    if kind == "VelocityPrediction":
        return ALL if sde in ROOT else ALL - {"score"}
    if kind == "DataPrediction":
        return {"denoised"}
    return {"denoised", "noise"} if sde in ROOT else ALL - {"score"}


@pytest.mark.parametrize(
    "kind",
    [k for k in KINDS if not issubclass(k, denoisers.DiscretePreconditioning)],
    ids=lambda cls: cls.__name__,
)
@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_end_points(kind, family):
    sde = family()
    for end in (0, 1):
        t = jnp.asarray(end * sde.T)
        expected = exact(sde).estimate(jnp.asarray(X), t)._asdict()
        values = wrapped(kind(), sde, t)._asdict()
        for name in well_posed(kind.__name__, family.__name__, end):
            np.testing.assert_allclose(values[name], expected[name], rtol=1e-8, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("family", SDES, ids=lambda cls: cls.__name__)
def test_outputs_mean_what_their_names_say(family):
    """The published targets: noise, data, v = alpha z - sigma x_0, velocity, sigma * score."""
    sde, x = family(), jnp.asarray(X)
    t = jnp.asarray(0.4 * sde.T)
    model = exact(sde)
    targets = {
        denoisers.NoisePrediction: model.noise(x, t),
        denoisers.DataPrediction: model(x, t),
        denoisers.VPrediction: model.v(x, t),
        denoisers.VelocityPrediction: model.velocity(x, t),
        denoisers.ScoreTimesStd: sde.sigma(t) * model.score(x, t),
        denoisers.ScorePrediction: model.score(x, t),
        denoisers.DatawardVelocity: -model.velocity(x, t),
    }
    for kind, target in targets.items():
        np.testing.assert_allclose(exact_output(kind(), sde, x, t), target, rtol=1e-8, atol=1e-10)

"""Agreement with the original code on recorded noise.

The expected numbers are its formulas, written again in NumPy from the source: sampling.py and
sde_lib.py of https://github.com/yang-song/score_sde_pytorch at commit cb1f359 (and the JAX version of
the same), without its classes. ``sde_tables.npz`` was made by that code itself.
"""

import types

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde import arrays, samplers, sdes
from score_sde.denoisers.base import ScoreModel
from score_sde.errors import InputError

pytestmark = pytest.mark.usefixtures("x64")

N, SNR, EPS = 25, 0.17, 1e-3
SHAPE = (3, 2, 2, 1)
SDES = {
    "vp": sdes.VP(beta_min=0.1, beta_max=12.0),
    "subvp": sdes.SubVP(beta_min=0.1, beta_max=12.0),
    "ve": sdes.VE(sigma_min=0.02, sigma_max=30.0),
}


class Bent(ScoreModel):
    """A score that is neither linear nor the score of anything."""

    def score(self, x, t, cond=None, *, key=None):
        return score(x, jnp.asarray(t), jnp)


def score(x, t, np):
    return -x / (0.3 + t) + 0.2 * np.sin(3 * x) + 0.1 * np.cos(5 * t)


# ---------------------------------------------------------------- the original's formulas


def forward_sde(name, x, t):
    sde = SDES[name]
    if name == "ve":
        sigma = sde.sigma_min * (sde.sigma_max / sde.sigma_min) ** t
        return np.zeros_like(x), sigma * np.sqrt(2 * np.log(sde.sigma_max / sde.sigma_min))
    beta = sde.beta_min + t * (sde.beta_max - sde.beta_min)
    discount = 1.0
    if name == "subvp":
        discount = 1 - np.exp(-2 * sde.beta_min * t - (sde.beta_max - sde.beta_min) * t**2)
    return -0.5 * beta * x, np.sqrt(beta * discount)


def tables(name, t):
    """Index, beta_i (of VP and sub-VP), sigma_i and sigma_{i-1} (of VE)."""
    sde, i = SDES[name], int(t * (N - 1))
    if name == "ve":
        sigmas = np.exp(np.linspace(np.log(sde.sigma_min), np.log(sde.sigma_max), N))
        return None, sigmas[i], 0.0 if i == 0 else sigmas[i - 1]
    return np.linspace(sde.beta_min / N, sde.beta_max / N, N)[i], None, None


def discretize(name, x, t):
    beta, sigma, before = tables(name, t)
    if name == "vp":
        return np.sqrt(1 - beta) * x - x, np.sqrt(beta)
    if name == "ve":
        return np.zeros_like(x), np.sqrt(sigma**2 - before**2)
    drift, diffusion = forward_sde(name, x, t)
    return drift / N, diffusion * np.sqrt(1 / N)


def euler_maruyama(name, x, t, z, flow):
    drift, diffusion = forward_sde(name, x, t)
    drift = drift - diffusion**2 * score(x, t, np) * (0.5 if flow else 1.0)
    mean = x - drift / N
    return mean + (0.0 if flow else diffusion) * np.sqrt(1 / N) * z, mean


def reverse_diffusion(name, x, t, z, flow):
    f, G = discretize(name, x, t)
    mean = x - (f - G**2 * score(x, t, np) * (0.5 if flow else 1.0))
    return mean + (0.0 if flow else G) * z, mean


def ancestral(name, x, t, z, flow):
    beta, sigma, before = tables(name, t)
    if name == "ve":
        mean = x + score(x, t, np) * (sigma**2 - before**2)
        return mean + np.sqrt(before**2 * (sigma**2 - before**2) / sigma**2) * z, mean
    mean = (x + beta * score(x, t, np)) / np.sqrt(1 - beta)
    return mean + np.sqrt(beta) * z, mean


def alpha(name, t):
    return 1.0 if name == "ve" else 1 - tables(name, t)[0]


def langevin(name, x, t, z):
    grad = score(x, t, np)
    grad_norm = np.linalg.norm(grad.reshape(len(grad), -1), axis=-1).mean()
    noise_norm = np.linalg.norm(z.reshape(len(z), -1), axis=-1).mean()
    step = (SNR * noise_norm / grad_norm) ** 2 * 2 * alpha(name, t)
    return x + step * grad + np.sqrt(step * 2) * z


def annealed(name, x, t, z):
    sde = SDES[name]
    if name == "ve":
        std = sde.sigma_min * (sde.sigma_max / sde.sigma_min) ** t
    else:
        log_mean = -0.25 * t**2 * (sde.beta_max - sde.beta_min) - 0.5 * t * sde.beta_min
        std = np.sqrt(1 - np.exp(2 * log_mean)) if name == "vp" else 1 - np.exp(2 * log_mean)
    step = (SNR * std) ** 2 * 2 * alpha(name, t)
    return x + step * score(x, t, np) + z * np.sqrt(step * 2)


def pc_sampler(name, x, noise, predict, correct, n_correct, flow, denoise):
    for t in np.linspace(1.0, EPS, N):
        for _ in range(n_correct):
            x = correct(name, x, t, next(noise))
        x, mean = predict(name, x, t, next(noise), flow)
    return mean if denoise else x


# ---------------------------------------------------------------- ours, by the same names


def discretization(name):
    classes = {"vp": samplers.DDPMDiscretization, "ve": samplers.SMLDDiscretization}
    return classes.get(name, samplers.EulerDiscretization)(N=N)


def predictor(kind, name, flow):
    reverse = samplers.ReverseODE() if flow else samplers.ReverseSDE()
    if kind is euler_maruyama:
        return samplers.OriginalEulerMaruyama(N=N, reverse=reverse)
    if kind is reverse_diffusion:
        return samplers.OriginalReverseDiffusion(discretization=discretization(name), reverse=reverse)
    return samplers.OriginalAncestralVE(N=N) if name == "ve" else samplers.OriginalAncestralVP(N=N)


def corrector(kind, name):
    scale = samplers.UnitAlpha() if name == "ve" else samplers.DDPMAlpha(N=N)
    cls = samplers.OriginalLangevin if kind is langevin else samplers.OriginalAnnealedLangevin
    return cls(snr=SNR, alpha=scale)


@pytest.fixture
def noise(monkeypatch):
    """Recorded noise that our samplers are handed in the order in which they ask."""
    recorded = np.random.default_rng(0).standard_normal((400, *SHAPE))
    handed = iter(recorded)
    monkeypatch.setattr(arrays, "normal_like", lambda key, x: jnp.asarray(next(handed)))
    return types.SimpleNamespace(recorded=recorded, handed=handed)


CASES = [
    (name, predict, correct, n_correct, flow, denoise)
    for name in SDES
    for predict, correct, n_correct, flow, denoise in [
        (euler_maruyama, langevin, 1, False, True),
        (euler_maruyama, annealed, 2, True, False),
        (reverse_diffusion, langevin, 2, False, False),
        (reverse_diffusion, annealed, 1, True, True),
        (ancestral, langevin, 1, False, True),
    ]
    if not (name == "subvp" and predict is ancestral)  # which the original refuses
]


@pytest.mark.parametrize(("name", "predict", "correct", "n_correct", "flow", "denoise"), CASES)
def test_whole_runs_agree(noise, name, predict, correct, n_correct, flow, denoise):
    x = 2 * np.random.default_rng(1).standard_normal(SHAPE)
    expected = pc_sampler(name, x, iter(noise.recorded), predict, correct, n_correct, flow, denoise)
    sampler = samplers.Sampler(
        predictor=predictor(predict, name, flow),
        corrector=corrector(correct, name),
        grid=samplers.OriginalGrid(eps=EPS),
        n_steps=N,
        corrector_steps=n_correct,
        final=samplers.KeepMean() if denoise else samplers.KeepSample(),
    )
    with jax.disable_jit():
        ours = sampler(jax.random.key(0), Bent(sde=SDES[name]), SHAPE, x=jnp.asarray(x))
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    left = sum(1 for _ in noise.handed)
    assert left == len(noise.recorded) - N * (1 + n_correct)
    assert sampler.evaluations == N * (1 + n_correct)


@pytest.mark.parametrize("N", [25, 100, 1000])
def test_discretizations_are_those_of_the_original(reference_data, N):
    """Every entry, beside t = 1; tables of VP(0.1, 20), subVP and VE(0.01, 50)."""
    table = np.load(reference_data / "sde_tables.npz")
    cases = {
        "vp": (sdes.VP(), samplers.DDPMDiscretization(N=N)),
        "subvp": (sdes.SubVP(), samplers.EulerDiscretization(N=N)),
        "ve": (sdes.VE(), samplers.SMLDDiscretization(N=N)),
    }
    x, times = jnp.asarray(table[f"disc_N{N}_x"]), table[f"disc_N{N}_t"]
    for name, (sde, discretize) in cases.items():
        f, G = jax.vmap(lambda x, t, sde=sde, discretize=discretize: discretize(sde, x, t))(
            x, jnp.asarray(times)
        )
        np.testing.assert_allclose(f, table[f"disc_N{N}_{name}_f"], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(G, table[f"disc_N{N}_{name}_G"], rtol=1e-6)
        f, G = discretize(sde, x[:1], jnp.array(1.0))
        np.testing.assert_allclose(f, table[f"disc_N{N}_{name}_f_at1"], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(G, table[f"disc_N{N}_{name}_G_at1"][0], rtol=1e-6)


def test_tables_of_the_original(reference_data):
    from score_sde.samplers.original.base import ddpm_betas, smld_sigmas

    table = np.load(reference_data / "sde_tables.npz")
    np.testing.assert_allclose(ddpm_betas(sdes.VP(), 1000), table["vp_discrete_betas"], rtol=1e-6)
    np.testing.assert_allclose(smld_sigmas(sdes.VE(), 1000), table["ve_discrete_sigmas"], rtol=1e-6)


def test_noise_removal_is_a_reverse_diffusion_step_without_noise():
    x, t = np.random.default_rng(2).standard_normal(SHAPE), 1e-3
    for name in SDES:
        removal = samplers.OriginalNoiseRemoval(discretization=discretization(name))
        ours = removal(None, Bent(sde=SDES[name]), jnp.asarray(x), None, jnp.array(t))
        np.testing.assert_allclose(ours, reverse_diffusion(name, x, t, 0.0, False)[1], rtol=1e-9)


def test_mistakes_are_named():
    with pytest.raises(InputError, match=r"OriginalEulerMaruyama\.N = 1000: expected the sampler's n_steps"):
        samplers.Sampler(predictor=samplers.OriginalEulerMaruyama(N=1000), n_steps=500)
    with pytest.raises(InputError, match=r"DDPMAlpha\.N"):
        samplers.Sampler(
            predictor=samplers.OriginalEulerMaruyama(N=N),
            corrector=samplers.OriginalLangevin(alpha=samplers.DDPMAlpha(N=N + 1)),
            n_steps=N,
        )
    with pytest.raises(InputError, match="an SDE with sigma_min"):
        samplers.SMLDDiscretization(N=N)(SDES["vp"], jnp.ones(SHAPE), jnp.array(0.5))

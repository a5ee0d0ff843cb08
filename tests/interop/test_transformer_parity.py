"""DiT on the original's weights; SiT's interpolants; guidance as theirs; autoencoders; mistakes.

Expected numbers of the network were made by facebookresearch/DiT itself (tests/data/README.md).
"""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import quickly_compiled

from score_sde import denoisers, sdes
from score_sde.errors import InputError
from score_sde.interop import LAYOUTS, dit_denoiser, dit_network, load_tensors, sit_denoiser, sit_network
from score_sde.interop.base import choose
from score_sde.networks import DiT
from score_sde.networks.base import count, initialise, partition
from score_sde.networks.layers import SCANNED


class Case:
    """The file of reference numbers, channels last."""

    def __init__(self, folder):
        with np.load(folder / "net_dit_p2_sigma.npz") as file:
            self.file = dict(file)
        self.options = json.loads(str(self.file["config"]))
        self.tensors = {key[2:]: w for key, w in self.file.items() if key.startswith("w:")}
        self.layout = choose(LAYOUTS, self.tensors, "dit")

    def last(self, key, dtype):
        return jnp.asarray(np.moveaxis(self.file[key], 1, -1), dtype)

    def networks(self):
        """Its blocks in a list, and stacked for a loop."""
        build = functools.partial(DiT, patch=2, width=64, depth=2, heads=4, n_classes=5, layers=SCANNED)
        scanned = jax.eval_shape(lambda: initialise(build, seed=0, shape=(16, 16, 4)))
        shapes = (dit_network(self.options), scanned)
        return [load_tensors(network, self.tensors, self.layout) for network in shapes]


@pytest.fixture(scope="module")
def case(reference_data):
    return Case(reference_data)


def relative(value, expected):
    """The largest error, in units of the largest expected number."""
    return float(jnp.max(jnp.abs(value - expected)) / jnp.max(jnp.abs(expected)))


@quickly_compiled
def output_and_pull(networks, x, t, y, cotangent):
    results = []
    for network in networks:
        out, pull = jax.vjp(lambda x, network=network: network(x, t, y), x)
        results.append((out, pull(cotangent)[0]))
    return results


@pytest.mark.usefixtures("x64")
def test_outputs_and_gradients_in_float64(case):
    networks = []
    for network in case.networks():
        params, rebuild = partition(network)
        networks.append(rebuild(jax.tree.map(lambda a: jnp.asarray(a, float), params)))
    told = jnp.asarray(case.file["in:t"], float), jnp.asarray(case.file["in:y"])
    found = output_and_pull(networks, case.last("in:x", float), *told, case.last("cot", float))
    for out, gradient in found:
        assert relative(out, case.last("y64", float)) < 1e-12
        assert relative(gradient, case.last("gx64", float)) < 1e-12


def test_outputs_in_float32_and_a_planted_error(case):
    x, cotangent = case.last("in:x", jnp.float32), case.last("cot", jnp.float32)
    told = jnp.asarray(case.file["in:t"]), jnp.asarray(case.file["in:y"])
    (out, _), _ = output_and_pull(case.networks(), x, *told, cotangent)
    error = relative(case.last("y32", float), case.last("y64", float))
    assert out.dtype == jnp.float32
    assert relative(out, case.last("y64", float)) < 10 * error
    name = "blocks.1.adaLN_modulation.1.bias"
    weight = case.tensors[name]
    case.tensors[name] = 1.05 * weight
    (wrong, _), _ = output_and_pull(case.networks(), x, *told, cotangent)
    case.tensors[name] = weight
    assert relative(wrong, case.last("y64", float)) > 1e-3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 3}, r"expected the 42 of DiT: missing tensor blocks\.2\..* set depth or width"),
        ({"depth": 1}, r"left over tensor blocks\.1\..* set depth or width"),
        ({"hidden_size": 32}, r"misshapen tensor pos_embed \(1, 64, 64\).* set patch, width, or the shape"),
        ({"input_size": 32}, r"misshapen tensor pos_embed .* the positions are of other tokens"),
        ({"num_classes": 10}, r"misshapen tensor y_embedder.* one row more, for no class"),
        ({"learn_sigma": False}, r"misshapen tensor final_layer.* set outputs"),
    ],
)
def test_weights_of_another_size_are_told_in_one_line(case, change, message):
    network = dit_network({**case.options, **change})
    with pytest.raises(InputError, match=message) as caught:
        load_tensors(network, case.tensors, case.layout)
    assert "\n" not in str(caught.value)


def test_options_of_the_scripts(reference_data):
    published = json.loads((reference_data / "param_counts.json").read_text())["DiT"]
    entry = published["DiT-B/4 256px (32x32x4 latent), 1000 classes, learn_sigma"]
    for make, name in ((dit_network, "DiT-B/4"), (sit_network, "SiT-B/4")):
        network = make({"model": name, "image_size": 256, "num_classes": 1000})
        assert count(network) == (entry["trainable"], entry["total"])
    with pytest.raises(InputError, match=r"option model = 'DiT-H/2': expected DiT- or SiT- with S, B"):
        dit_network({"model": "DiT-H/2"})
    with pytest.raises(InputError, match="shapes without weights"):
        dit_denoiser({}, dit_network({"model": "DiT-S/8"}))


def constant(value):
    return lambda x, labels, cond, key=None: jnp.concatenate([value + 0 * x, 0.5 + 0 * x], axis=-1)


def test_a_dit_is_a_noise_prediction_with_learnt_variance_told_the_step():
    """The chain of 1000 linear betas from 1e-4 to 0.02 (Ho et al. 2020), labels 0 .. 999."""
    seen = []

    def network(x, labels, cond, key=None):
        seen.append(labels)
        return constant(0.3)(x, labels, cond)

    model = dit_denoiser({"model": "DiT-S/8"}, network)
    x, t = jnp.ones((2, 4)), jnp.array([1.0, 0.25])
    estimate, share = model.estimate_with_range(x, t)
    np.testing.assert_allclose(seen[0], [999, 249], atol=1e-3)
    kept = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[[999, 249], None]
    np.testing.assert_allclose(estimate.noise, 0.3, rtol=1e-6)
    denoised = (1 - np.sqrt(1 - kept) * 0.3) / np.sqrt(kept)
    np.testing.assert_allclose(estimate.denoised, denoised + 0 * x, rtol=1e-4)
    np.testing.assert_allclose(share, 0.75)


# SiT's clock tau = 1 - t runs from noise to data: x = a(tau) data + s(tau) noise (Ma et al. 2024, and the
# code's path.py). Here their derivatives with respect to tau are written out.
HALF = 0.5 * np.pi
PATHS = {
    "Linear": (lambda u: u, lambda u: 1 - u, lambda u: 1.0, lambda u: -1.0),
    "GVP": (
        lambda u: np.sin(HALF * u),
        lambda u: np.cos(HALF * u),
        lambda u: HALF * np.cos(HALF * u),
        lambda u: -HALF * np.sin(HALF * u),
    ),
}


def log_mean(u):
    return -0.25 * (1 - u) ** 2 * 19.9 - 0.5 * (1 - u) * 0.1


def log_mean_rate(u):
    return 0.5 * (1 - u) * 19.9 + 0.05


PATHS["VP"] = (
    lambda u: np.exp(log_mean(u)),
    lambda u: np.sqrt(1 - np.exp(2 * log_mean(u))),
    lambda u: np.exp(log_mean(u)) * log_mean_rate(u),
    lambda u: -np.exp(2 * log_mean(u)) * log_mean_rate(u) / np.sqrt(1 - np.exp(2 * log_mean(u))),
)


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("prediction", ["velocity", "score", "noise"])
@pytest.mark.parametrize("path", PATHS)
def test_interpolants_of_sit(path, prediction):
    """Whatever the network predicts of known data and noise, all conventions say these, by tau's clock."""
    a, s, da, ds = (f(0.3) for f in PATHS[path])
    data, noise = np.array([[0.4, -1.0]]), np.array([[1.2, 0.7]])
    said = {"velocity": da * data + ds * noise, "score": -noise / s, "noise": noise}[prediction]
    seen = []

    def network(x, labels, cond, key=None):
        seen.append(labels)
        return jnp.asarray(said)

    model = sit_denoiser({"path_type": path, "prediction": prediction}, network)
    estimate = model.estimate(jnp.asarray(a * data + s * noise), jnp.array(0.7))
    np.testing.assert_allclose(seen[0], [0.3], rtol=1e-12)
    np.testing.assert_allclose(estimate.denoised, data, rtol=1e-9)
    np.testing.assert_allclose(estimate.noise, noise, rtol=1e-9)
    np.testing.assert_allclose(estimate.velocity, -(da * data + ds * noise), rtol=1e-9)
    np.testing.assert_allclose(estimate.score, -noise / s, rtol=1e-9)


def test_only_known_paths():
    with pytest.raises(InputError, match=r"option path_type = 'quadratic': expected one of linear, gvp, vp"):
        sit_denoiser({"path_type": "quadratic"}, constant(0.0))


def test_gvp_is_the_limit_of_the_cosine_schedule():
    t = jnp.linspace(0.05, 0.95, 7)
    limit, gvp = sdes.Cosine(offset=1e-6), sdes.GVP()
    np.testing.assert_allclose(gvp.alpha(t), limit.alpha(t), rtol=1e-4)
    np.testing.assert_allclose(gvp.sigma(t), limit.sigma(t), rtol=1e-3)
    assert isinstance(denoisers.DatawardVelocity(), denoisers.Preconditioning)

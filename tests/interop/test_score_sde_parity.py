"""DDPM, DDPM++ and NCSN++ made of the originals' options, with their weights, equal the originals.

Expected: tests/data/net_score_*.npz (PyTorch) and jaxnet_*.npz (JAX), recorded from the original code.
"""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import Recorded, quickly_compiled, relative
from flax import nnx

from score_sde.errors import InputError
from score_sde.interop import LAYOUTS, load_tensors, options
from score_sde.interop.base import choose, flatten
from score_sde.networks import NCSNpp, partition

TORCH = ["net_score_ddpm_vp", "net_score_ddpmpp_vp", "net_score_ncsnpp_ve",
         "net_score_ncsnpp_ve_outskip_inskip_sum"]  # fmt: skip
JAX = ["jaxnet_ddpmpp_vp", "jaxnet_ncsnpp_ve"]


def shaped(config):
    """The network without its initial weights, which are not needed."""
    return jax.eval_shape(lambda: options.score_sde_network(config))


def channels_last(name, a):
    return np.moveaxis(a, 1, -1) if name in TORCH else a


class Case:
    """A recorded case, and the denoiser that its options and weights make."""

    def __init__(self, folder, name):
        with np.load(folder / f"{name}.npz") as z:
            arrays = {key: z[key] for key in z.files}
        self.config = json.loads(str(arrays.pop("config")))
        self.sde = "vesde" if self.config["scale_by_sigma"] else "vpsde"
        given = {**self.config, "sde": self.sde}
        tensors = {
            key.removeprefix("w:").removeprefix("params/").replace("/", "."): arrays.pop(key)
            for key in list(arrays) if key.startswith("w:")
        }  # fmt: skip
        self.tensors, self.layout = tensors, choose(LAYOUTS, tensors, name)
        self.network = load_tensors(shaped(given), tensors, self.layout)
        self.denoiser = options.score_sde_denoiser(given, self.network)
        self.labels, self.arrays = arrays.pop("in:labels"), arrays
        for key in ("in:x", "y32", "y64", "cot", "gx64"):
            if key in arrays:
                arrays[key] = channels_last(name, arrays[key])

    def times(self):
        """Where the process has these labels: sigma for VE, 999 t for VP."""
        if self.sde == "vpsde":
            return self.labels.astype(float) / 999
        least, most = self.config["sigma_min"], self.config["sigma_max"]
        return np.log(self.labels.astype(float) / least) / np.log(most / least)

    def divided(self, y):
        return y / self.labels[:, None, None, None] if self.sde == "vesde" else y


@pytest.fixture(scope="module")
def case(reference_data):
    return functools.cache(functools.partial(Case, reference_data))


@pytest.mark.parametrize("name", TORCH)
def test_outputs_and_gradients_in_float64(name, case, x64):
    this = case(name)
    params, rebuild = partition(this.denoiser)
    params = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), params)
    times, cot = jnp.asarray(this.times()), jnp.asarray(this.arrays["cot"], jnp.float64)

    @quickly_compiled
    @functools.partial(jax.value_and_grad, argnums=(0, 1), has_aux=True)
    def product(params, x):
        estimate = rebuild(params).estimate(x, times)
        y = estimate.score if this.sde == "vesde" else estimate.noise
        return jnp.sum(y * cot), y

    (_, y), (weights, x_gradient) = product(params, jnp.asarray(this.arrays["in:x"], jnp.float64))
    assert relative(y, this.arrays["y64"]) < 1e-11
    assert relative(x_gradient, this.arrays["gx64"]) < 1e-11
    found = dict(flatten(weights["network"]))
    sources = this.layout.sources(this.network)
    recorded = {key.removeprefix("gw:"): this.arrays[key] for key in this.arrays if key.startswith("gw:")}
    checked = 0
    for path, source in sources.items():
        if source.names[0] in recorded:
            expected = source.transform(recorded[source.names[0]])
            # the first layer of DDPM's embedding adds the same to each group of one channel: no gradient
            scale = max(np.abs(expected).max(), 1.0)
            np.testing.assert_allclose(found[path], expected, rtol=0, atol=1e-11 * scale)
            checked += 1
    assert checked == len(recorded) == 2


@pytest.mark.parametrize("name", TORCH + JAX)
def test_outputs_in_float32(name, case):
    this = case(name)
    params, rebuild = partition(this.network)
    run = quickly_compiled(lambda params, x, labels: rebuild(params)(x, labels))
    arguments = jnp.asarray(this.arrays["in:x"]), jnp.asarray(this.labels)
    y = run(params, *arguments)
    assert y.dtype == jnp.float32
    assert relative(this.divided(y), this.arrays["y64"]) < 1e-5
    assert relative(this.divided(y), this.arrays["y32"]) < 4e-6  # as much as the originals' two differ
    params["encoder"]["first"]["kernel"] *= 1.05  # a planted mistake
    assert relative(this.divided(run(params, *arguments)), this.arrays["y64"]) > 1e-3


@pytest.mark.parametrize(
    "name", ["ncsnpp_residual", "ncsnpp_ddpm_blocks", "ncsnpp_filters", "ddpm_unconditional"]
)
def test_other_options(name, reference_data):
    this = Recorded(reference_data, name)
    network = load_tensors(shaped(this.config), this.tensors, choose(LAYOUTS, this.tensors, name))
    labels = jnp.asarray(this.labels, jnp.float32)
    y = quickly_compiled(lambda x: network(x, labels))(jnp.asarray(this.x))
    sigma = this.labels[:, None, None, None] if this.config["scale_by_sigma"] else 1
    assert relative(y / sigma, this.y64) < 1e-5


@pytest.mark.parametrize(
    ("name", "change", "remedy"),
    [
        ("jaxnet_ncsnpp_ve", {"embedding_type": "positional"}, "embedding"),
        ("jaxnet_ncsnpp_ve", {"attn_resolutions": [16]}, "attention_resolutions"),
        ("jaxnet_ncsnpp_ve", {"ch_mult": [1, 2, 2]}, "multipliers"),
        ("jaxnet_ncsnpp_ve", {"progressive_input": "input_skip"}, "InputSkip"),
        ("jaxnet_ncsnpp_ve", {"fir": False}, "resampling"),
        ("net_score_ncsnpp_ve", {"embedding_type": "positional"}, "PositionalEmbedding"),
        ("net_score_ncsnpp_ve", {"progressive": "output_skip"}, "progressive"),
        ("net_score_ddpm_vp", {"resamp_with_conv": False}, "residual"),
    ],
)
def test_a_wrong_option_is_told(name, change, remedy, case):
    this = case(name)
    with pytest.raises(InputError, match=rf"tensor.*; set .*{remedy}"):
        load_tensors(shaped({**this.config, **change}), this.tensors, this.layout)


def test_published_networks_have_no_classes(case):
    this = case("net_score_ddpmpp_vp")
    network = jax.eval_shape(lambda: NCSNpp((16, 16, 3), channels=16, n_classes=3, rngs=nnx.Rngs(0)))
    with pytest.raises(InputError, match=r"n_classes = 3"):
        load_tensors(network, this.tensors, this.layout)

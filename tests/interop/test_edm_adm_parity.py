"""Networks of EDM and ADM on the originals' weights: outputs, and gradients to the input and to weights.

Expected numbers were made by NVlabs/edm and guided-diffusion themselves (tests/data/README.md).
"""

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.interop import (
    LAYOUTS,
    edm_denoiser,
    edm_network,
    guided_diffusion_network,
    load_tensors,
)
from score_sde.interop.base import choose, flatten
from score_sde.networks import DhariwalUNet, SongUNet
from score_sde.networks.base import partition

CASES = (
    "edm_adm",
    "edm_edmprecond_song_ddpmpp",
    "edm_song_ddpmpp",
    "edm_song_ncsnpp_label_aug",
    "guided_classifier_attention",
    "guided_unet_cond_ssn",
)
# Small networks that run once: compiling takes most of the time, and half of that is optimising.
QUICKLY = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})
TOLERANCE = 1e-7  # 5e-15 measured, but 3e-8 with EDM's class labels, whose rows hold sqrt(classes) in float32
LABELS = ("in:noise", "in:sigma", "in:t")


class Case:
    """One file of reference numbers, channels last."""

    def __init__(self, folder, name):
        self.file, self.name = np.load(folder / f"net_{name}.npz"), name
        self.options = json.loads(str(self.file["config"]))
        tensors = {key[2:]: self.file[key] for key in self.file.files if key.startswith("w:")}
        self.tensors = {key.removeprefix("net."): w for key, w in tensors.items()}
        self.layout = choose(LAYOUTS, self.tensors, name)

    def network(self):
        make = edm_network if self.name.startswith("edm") else guided_diffusion_network
        shapes = jax.eval_shape(lambda: make(self.options))  # nothing is drawn: all weights are loaded
        return load_tensors(shapes, self.tensors, self.layout)

    def array(self, key, dtype):
        values = self.file[key]
        last = np.moveaxis(values, 1, -1) if values.ndim == 4 else values
        return jnp.asarray(last, dtype)

    def cond(self, dtype):
        told = {}
        if "in:labels" in self.file.files:
            told["label"] = jnp.argmax(self.file["in:labels"], axis=1)
        if "in:y" in self.file.files:
            told["label"] = jnp.asarray(self.file["in:y"])
        if "in:augment" in self.file.files:
            told["augment"] = self.array("in:augment", dtype)
        return told

    def call(self, network, x, dtype):
        label = next(self.array(key, dtype) for key in LABELS if key in self.file.files)
        if self.options.get("precond"):
            return edm_denoiser(self.options, network)(x, label, self.cond(dtype))
        return network(x, label, self.cond(dtype))


@pytest.fixture(params=CASES)
def case(request, reference_data):
    return Case(reference_data, request.param)


def relative(value, expected):
    """The largest error, in units of the largest expected number."""
    return float(jnp.max(jnp.abs(value - expected)) / jnp.max(jnp.abs(expected)))


def expected_gradients(case, recorded):
    """By our path, from the recorded gradients of the original's weights of a layer alone."""
    names = [key.split("/", 1) for key in recorded.files]
    given = {key: recorded[f"{case.name}/{key}"] for name, key in names if name == case.name}
    for path, source in case.layout.sources(case.network()).items():
        if source.names[0] in given:
            gradient = source.transform(given[source.names[0]])
            if path == "mapping.first.rows":  # held times sqrt(classes), so the gradient is that much smaller
                gradient = gradient / case.options["label_dim"]
            yield path, gradient


@pytest.mark.usefixtures("x64")
@pytest.mark.parametrize("case", [name for name in CASES if name != "edm_song_ddpmpp"], indirect=True)
def test_float64_outputs_and_gradients(case, reference_data):
    """Of each architecture: the network of edm_song_ddpmpp is that inside the preconditioner."""
    params, rebuild = partition(case.network())
    params = jax.tree.map(lambda a: jnp.asarray(a, float), params)

    @QUICKLY
    def both(params, x, cotangent):
        y, pull = jax.vjp(lambda params, x: case.call(rebuild(params), x, float), params, x)
        return y, *pull(cotangent)

    y, gradients, gx = both(params, case.array("in:x", float), case.array("cot", float))
    assert relative(y, case.array("y64", float)) < TOLERANCE
    assert relative(gx, case.array("gx64", float)) < TOLERANCE
    ours, recorded = dict(flatten(gradients)), np.load(reference_data / "edm_adm_weight_gradients.npz")
    expected = dict(expected_gradients(case, recorded))
    assert len(expected) >= 6
    for path, gradient in expected.items():
        assert relative(ours[path], gradient) < TOLERANCE, path


def test_float32_outputs(case):
    network = case.network()
    y = QUICKLY(lambda network, x: case.call(network, x, jnp.float32))(
        network, case.array("in:x", jnp.float32)
    )
    assert y.dtype == jnp.float32
    assert relative(y, case.array("y32", jnp.float32)) < 1e-5


def test_a_small_mistake_would_be_seen(reference_data):
    """One weight tensor of each kind off by five percent; two channels of q exchanged."""
    case = Case(reference_data, "edm_song_ncsnpp_label_aug")
    run = QUICKLY(lambda network, x: case.call(network, x, jnp.float32))
    x, y32 = case.array("in:x", jnp.float32), case.array("y32", jnp.float32)
    for name in ("enc.8x8_aux_residual.weight", "dec.8x8_in0.proj.bias", "map_augment.weight"):
        weight = case.tensors[name]
        case.tensors[name] = 1.05 * weight
        assert relative(run(case.network(), x), y32) > 1e-3, name
        case.tensors[name] = weight
    qkv = "dec.8x8_in0.qkv.weight"
    case.tensors[qkv] = case.tensors[qkv][[1, 0, *range(2, len(case.tensors[qkv]))]]
    assert relative(run(case.network(), x), y32) > 1e-4


@pytest.mark.parametrize(
    ("precond", "kind", "outputs"),
    [("iDDPMPrecond", DhariwalUNet, 6), ("EDMPrecond", DhariwalUNet, 3), ("VPPrecond", SongUNet, 3)],
)
def test_networks_where_edm_says_the_preconditioning_only(precond, kind, outputs):
    """The defaults of the original's classes: the network, and twice the channels for iDDPM."""
    tiny = {"img_resolution": 8, "model_channels": 8, "channel_mult": (1,), "num_blocks": 1}
    network = jax.eval_shape(lambda: edm_network({**tiny, "precond": precond}))
    assert type(network) is kind
    assert network.decoder.levels[-1].image.conv.kernel.shape[-1] == outputs

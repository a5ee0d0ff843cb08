"""AutoencoderKL on the weights of diffusers' own, and from a file as it is released.

Expected numbers were made by diffusers itself (tests/data/README.md).
"""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import quickly_compiled, relative
from safetensors.numpy import save_file

from score_sde.errors import InputError
from score_sde.interop import LAYOUTS, autoencoder_kl, autoencoder_kl_network, load, load_tensors
from score_sde.interop.base import choose
from score_sde.networks.base import count, partition

OLD = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


class Case:
    """The file of reference numbers, channels last."""

    def __init__(self, folder):
        with np.load(folder / "diffusers_autoencoder_kl.npz") as file:
            self.file = dict(file)
        self.options = json.loads(str(self.file["config"]))
        self.tensors = {key[2:]: w for key, w in self.file.items() if key.startswith("w:")}

    def last(self, key):
        return np.moveaxis(self.file[key], 1, -1)

    def network(self, tensors):
        layout = choose(LAYOUTS, tensors, "autoencoder")
        return load_tensors(autoencoder_kl_network(self.options), tensors, layout)


@pytest.fixture(scope="module")
def case(reference_data):
    return Case(reference_data)


def test_stable_diffusions_has_its_number_of_parameters():
    """83,653,863: diffusers 0.42.1's AutoencoderKL with the config.json of stabilityai/sd-vae-ft-ema."""
    assert count(autoencoder_kl_network({})) == (83_653_863,) * 2


@pytest.mark.usefixtures("x64")
def test_encoder_and_decoder(case):
    params, rebuild = partition(case.network(case.tensors))
    network = rebuild(jax.tree.map(lambda a: jnp.asarray(a, float), params))
    both = quickly_compiled(lambda network, x, z: (network.encode(x), network.decode(z)))
    posterior, image = both(network, jnp.asarray(case.last("in:x")), jnp.asarray(case.last("in:z")))
    assert relative(posterior.mean, case.last("mean")) < 1e-12
    assert relative(posterior.log_variance, case.last("logvar")) < 1e-12
    assert relative(image, case.last("decoded")) < 1e-12
    assert relative(1.05 * image, case.last("decoded")) > 1e-3


def test_files_with_old_and_new_names_are_the_same_network(case, tmp_path):
    def renamed(name):
        for new, old in OLD.items():
            name = name.replace(f".{new}.", f".{old}.")
        return name

    old = {renamed(name): np.ascontiguousarray(w) for name, w in case.tensors.items()}
    assert old.keys() != case.tensors.keys()
    save_file(old, tmp_path / "diffusion_pytorch_model.safetensors")
    read = load(tmp_path / "diffusion_pytorch_model.safetensors", autoencoder_kl_network(case.options))
    for ours, theirs in zip(jax.tree.leaves(read), jax.tree.leaves(case.network(case.tensors)), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_of_another_autoencoder_are_told(case, tmp_path):
    save_file({k: np.ascontiguousarray(w) for k, w in case.tensors.items()}, tmp_path / "small.safetensors")
    with pytest.raises(InputError, match=r"of AutoencoderKL: .*misshapen tensor .* set") as caught:
        autoencoder_kl(path=tmp_path / "small.safetensors")
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="a file that exists"):
        autoencoder_kl(path=tmp_path / "none.safetensors")

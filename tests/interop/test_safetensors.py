"""Our networks as .safetensors: written, read by the safetensors library itself, and read back."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from flax import nnx

from score_sde.denoisers import NoisePrediction, Preconditioned
from score_sde.errors import InputError
from score_sde.interop import load, load_network, save_network
from score_sde.interop.base import flatten
from score_sde.interop.safetensors import read_safetensors
from score_sde.networks import MLP
from score_sde.networks.base import partition
from score_sde.sdes import VP


def network(seed=0, **options):
    return MLP(dim=2, width=8, depth=2, rngs=nnx.Rngs(seed), **options)


def flat(model):
    return {name: np.asarray(value) for name, value in flatten(partition(model)[0])}


def test_a_network_comes_back_exactly(tmp_path):
    path = save_network(tmp_path / "deep" / "net.safetensors", network(1), config='{"seed": 1}')
    for read in (load_network, load):
        found, expected = flat(read(path, network(2))), flat(network(1))
        assert all(np.array_equal(found[name], expected[name]) for name in expected)
    x, labels = jnp.ones((3, 2)), jnp.ones(3)
    assert np.array_equal(load(path, network(2))(x, labels), network(1)(x, labels))
    assert [file.name for file in path.parent.iterdir()] == ["net.safetensors"]


def test_the_library_reads_what_we_write(tmp_path):
    path = save_network(tmp_path / "net.safetensors", network(1), config='{"seed": 1}')
    found, expected = safetensors.numpy.load_file(path), flat(network(1))
    assert set(found) == set(expected)
    assert all(np.array_equal(found[name], expected[name]) for name in expected)
    with safetensors.safe_open(path, "np") as file:
        assert file.metadata()["format"] == "score_sde"
        assert json.loads(file.metadata()["config"]) == {"seed": 1}


def test_a_whole_model_is_written_and_read_too(tmp_path):
    def model(seed):
        return Preconditioned(network=network(seed), sde=VP(), precondition=NoisePrediction())

    path = save_network(tmp_path / "model.safetensors", model(1))
    found = load_network(path, model(2))
    assert np.array_equal(flat(found)["network.first.kernel"], flat(network(1))["first.kernel"])


def test_bfloat16_is_written_and_becomes_float32(tmp_path):
    params, rebuild = partition(network(1))
    halved = rebuild(jax.tree.map(lambda a: a.astype(jnp.bfloat16), params))
    path = save_network(tmp_path / "net.safetensors", halved)
    tensors, _ = read_safetensors(path.read_bytes())
    assert {a.dtype.name for a in tensors.values()} == {"bfloat16"}
    found = flat(load_network(path, network(2)))
    assert {a.dtype.name for a in found.values()} == {"float32"}
    kernel = np.asarray(params["first"]["kernel"])
    np.testing.assert_allclose(found["first.kernel"], kernel, rtol=2**-8)
    assert not np.array_equal(found["first.kernel"], kernel)


def test_a_flipped_bit_is_found(tmp_path):
    path = save_network(tmp_path / "net.safetensors", network(1))
    content = bytearray(path.read_bytes())
    content[-3] ^= 4
    path.write_bytes(content)
    for read in (load_network, load):
        with pytest.raises(InputError, match="checksum"):
            read(path, network(2))


def test_another_network_is_told_which_tensors_do_not_fit(tmp_path):
    path = save_network(tmp_path / "net.safetensors", network(1))
    with pytest.raises(InputError, match=r"missing tensor embeds\.2\.bias, .*hidden\.2\.kernel"):
        load_network(path, MLP(dim=2, width=8, depth=3, rngs=nnx.Rngs(0)))
    with pytest.raises(InputError, match=r"left over tensor .*hidden\.1\.kernel \(8, 8\)"):
        load_network(path, MLP(dim=2, width=8, depth=1, rngs=nnx.Rngs(0)))
    with pytest.raises(InputError, match=r"misshapen tensor .*first\.kernel \(2, 8\).*\(3, 8\)"):
        load_network(path, MLP(dim=3, width=8, depth=2, rngs=nnx.Rngs(0)))

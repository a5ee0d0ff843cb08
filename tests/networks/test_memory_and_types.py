"""bfloat16 and rematerialisation, the options that every network has."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from score_sde.experiment.accounting import gradient_cost
from score_sde.networks import (
    ADM,
    DDPM,
    NCSN,
    ADMClassifier,
    DhariwalUNet,
    NCSNpp,
    NCSNv2,
    SongUNet,
    WideResNet,
)
from score_sde.networks import layers as parts
from score_sde.networks.base import partition

SHAPE = (8, 8, 2)
QUICKLY = functools.partial(
    jax.jit, compiler_options={"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
)
UNET = {"multipliers": (1, 2), "blocks": 1, "attention_resolutions": (4,), "dropout": 0.5}
ADM_UNET = {**UNET, "channels": 32, "heads": parts.HeadsOf(32)}
NETS = {
    "NCSNpp": functools.partial(
        NCSNpp, channels=8, resampling=parts.FIR(), progressive=parts.OutputSkip(),
        progressive_input=parts.InputSkip(), **UNET,
    ),
    "DDPM": functools.partial(DDPM, channels=8, groups=4, **UNET),
    "NCSN": functools.partial(NCSN, channels=4, multipliers=(1, 2, 2), dilations=(1, 1, 2)),
    "NCSNv2": functools.partial(NCSNv2, channels=4, multipliers=(1, 2, 2), dilations=(1, 1, 2)),
    "WideResNet": functools.partial(WideResNet, n_classes=3, blocks=1, width=1),
    "SongUNet": functools.partial(SongUNet, channels=8, **UNET),
    "DhariwalUNet": functools.partial(DhariwalUNet, channels=16, **UNET),
    "ADM": functools.partial(ADM, **ADM_UNET),
    "ADMClassifier": functools.partial(ADMClassifier, n_classes=3, **ADM_UNET),
}  # fmt: skip


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), jnp.float32)


def made(name, **options):
    """A network with every parameter drawn at random, so that no zero hides a mistake."""
    network = jax.eval_shape(lambda: NETS[name](SHAPE, rngs=nnx.Rngs(0), **options))
    params, rebuild = partition(network)
    leaves, structure = jax.tree.flatten(params)
    drawn = [normal(i, *a.shape) / np.sqrt(1 + a.size / a.shape[-1]) for i, a in enumerate(leaves)]
    return rebuild(jax.tree.unflatten(structure, drawn))


def loss(network, x, labels, key):
    """A number that depends on every output."""
    out = network(x, labels, key=key)
    return jnp.sum(out * jnp.linspace(-1, 1, out.size).reshape(out.shape))


@pytest.fixture(params=NETS)
def name(request):
    return request.param


def test_remat_changes_memory_and_no_number(name, x64):
    x, labels, key = normal(100, 2, *SHAPE), jnp.asarray([1.0, 3.0]), jax.random.key(0)
    x = x.astype(jnp.float64)
    wide = functools.partial(jax.tree.map, lambda a: a.astype(jnp.float64))
    plain, remat = wide(made(name)), wide(made(name, remat=True))
    gradient = QUICKLY(jax.value_and_grad(loss))
    (value, found), (again, found_again) = (gradient(net, x, labels, key) for net in (plain, remat))
    np.testing.assert_allclose(again, value, rtol=1e-10)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(found_again), strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-8)
    kept = [_kept(net, x, labels, key) for net in (plain, remat)]
    assert kept[1] < 0.7 * kept[0]


def test_bfloat16_is_near_float32_and_keeps_parameters(name):
    x, labels = normal(100, 2, *SHAPE), jnp.asarray([1.0, 3.0])
    exact, near = made(name), made(name, dtype=jnp.bfloat16)
    run = QUICKLY(lambda network: network(x, labels))
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(partition(near)[0]))
    assert run(near).dtype == jnp.float32
    error = np.max(np.abs(run(near) - run(exact))) / np.max(np.abs(run(exact)))
    assert 1e-4 < error < 0.1  # bfloat16 has 8 bits: 0.004 for each operation
    gradient = jax.eval_shape(jax.grad(loss), near, x, labels, None)
    assert all(leaf.dtype == jnp.float32 for leaf in jax.tree.leaves(gradient))


def _kept(network, x, labels, key):
    """Bytes that the backward pass keeps."""
    params, rebuild = partition(network)
    return gradient_cost(lambda p: loss(rebuild(p), x, labels, key), params).saved_bytes

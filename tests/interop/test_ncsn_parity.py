"""NCSN, NCSNv2 and the noise-conditional WideResNet, on the originals' weights by name, equal the originals.

Expected outputs: tests/data/score_sde_outputs.npz (JAX) and score_sde_torch_outputs.npz. Expected counts: the
same originals' modules at the published sizes, counted with ``jax.eval_shape`` (JAX, score_sde 0acb9e0) and
``Module.parameters`` (PyTorch, score_sde_pytorch cb1f359).
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import Recorded, quickly_compiled, relative
from flax import nnx

from score_sde.errors import InputError
from score_sde.interop import LAYOUTS, load_tensors, options
from score_sde.interop.base import choose
from score_sde.networks import NCSN, NCSNv2, WideResNet, partition
from score_sde.networks.base import count, initialise

AS_IN_JAX = {"refined": (2, 2, 2, 1)}
KINDS = {  # name of the case: what the original calls the network, and whose it is
    "ncsnv2": ("ncsnv2_64", "jax"),
    "ncsn": ("ncsn", "jax"),
    "torch_ncsnv2": ("ncsnv2_64", "pytorch"),
    "torch_ncsnv2_variance": ("ncsnv2_64", "pytorch"),
    "torch_ncsn": ("ncsn", "pytorch"),
}


def shaped(factory, shape):
    return jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape))


def made(case, name, framework=None):
    """The network of the case's own options, as shapes."""
    if name == "wideresnet":
        return shaped(functools.partial(WideResNet, blocks=2, width=2), case.x.shape[1:])
    kind, own = KINDS[name]
    given = {**case.config, "name": kind, "framework": framework or own, "image_size": case.x.shape[1]}
    return options.score_sde_network(given)


@pytest.mark.parametrize("name", [*KINDS, "wideresnet"])
def test_outputs(name, reference_data):
    this = Recorded(reference_data, name)
    network = load_tensors(made(this, name), this.tensors, choose(LAYOUTS, this.tensors, name))
    params, rebuild = partition(network)
    run = quickly_compiled(lambda params: rebuild(params)(jnp.asarray(this.x), jnp.asarray(this.labels)))
    sigma = np.ones(())
    if this.config["scale_by_sigma"]:
        powers = (this.labels / (this.config["num_scales"] - 1))[:, None, None, None]
        sigma = this.config["sigma_max"] * (this.config["sigma_min"] / this.config["sigma_max"]) ** powers
    y = run(params)
    assert y.dtype == jnp.float32
    assert relative(y / sigma, this.y64) < 1e-5
    (params if name == "wideresnet" else params["net"])["last"]["kernel"] *= 1.05  # a planted mistake
    assert relative(run(params) / sigma, this.y64) > 1e-2


@pytest.mark.parametrize("name", KINDS)
def test_weights_of_the_other_code_name_the_option(name, reference_data):
    this = Recorded(reference_data, name)
    other = {"jax": "pytorch", "pytorch": "jax"}[KINDS[name][1]]
    with pytest.raises(InputError, match=r"refined.*\(2, 2, 2, 1\).*framework"):
        load_tensors(made(this, name, other), this.tensors, choose(LAYOUTS, this.tensors, ""))


SIZES = {
    128: {"multipliers": (1, 2, 2, 4, 4), "dilations": (1, 1, 1, 2, 4)},
    256: {"multipliers": (1, 2, 2, 2, 4, 4), "dilations": (1, 1, 1, 1, 2, 4)},
}


@pytest.mark.parametrize(
    ("factory", "size", "expected"),
    [
        (functools.partial(NCSNv2, **AS_IN_JAX), 64, 33_970_563),  # score_sde
        (NCSNv2, 64, 29_694_083),  # score_sde_pytorch
        (functools.partial(NCSNv2, **SIZES[128]), 128, 83_445_379),  # both
        (functools.partial(NCSNv2, **SIZES[256]), 256, 94_132_611),  # both
        (functools.partial(NCSN, **AS_IN_JAX), 32, 34_428_675),  # score_sde, its brackets mended
        (NCSN, 32, 30_117_635),  # score_sde_pytorch, made to take its conditional norm
        (WideResNet, 32, 38_913_242),  # score_sde
    ],
)
def test_counts_are_those_of_the_originals(factory, size, expected):
    assert count(shaped(factory, (size, size, 3)))[1] == expected


@pytest.mark.parametrize(
    ("factory", "shape"),
    [(NCSN, (8, 2)), (NCSNv2, (8, 12, 1)), (WideResNet, (8, 2)), (WideResNet, (4, 8, 1))],
)
def test_signals_and_images_that_are_not_square(factory, shape):
    x, labels = jnp.zeros((3, *shape)), jnp.ones(3)
    y = jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape)(x, labels))
    assert y.shape == ((3, 10) if factory is WideResNet else x.shape)


def test_bfloat16_and_remat_compute_the_same():
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((2, 8, 3)), jnp.float32)
    small = functools.partial(NCSN, channels=4, multipliers=(1,), dilations=(1,))
    params = partition(shaped(small, (8, 3)))[0]
    params = jax.tree.map(lambda a: jnp.asarray(0.3 * rng.standard_normal(a.shape), jnp.float32), params)

    def output(x, **options):
        network = shaped(functools.partial(small, **options), (8, 3))
        return partition(network)[1](params)(x, jnp.array([0, 3]))

    def output_and_slope(**options):
        y, pull = jax.vjp(functools.partial(output, **options), x)
        return y, pull(jnp.ones_like(y))[0]

    plain, again = (quickly_compiled(functools.partial(output_and_slope, remat=on))() for on in (False, True))
    for found, expected in zip(again, plain, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    half = quickly_compiled(functools.partial(output, dtype=jnp.bfloat16))(x)
    assert half.dtype == jnp.float32
    assert 1e-5 < relative(half, np.asarray(plain[0])) < 0.1


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(InputError, match=r"NCSNv2\.dilations"):
        NCSNv2((8, 8, 1), channels=4, dilations=(1, 1), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match="refined"):
        NCSN((8, 8, 1), channels=4, refined=(2, 1), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"NCSN\.multipliers"):
        NCSN((8, 8, 1), channels=4, multipliers=(), dilations=(), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"NCSNv2\.dilations = \(1, 1, 2, 4\): expected 2"):
        NCSNv2((8, 8, 1), channels=4, multipliers=(1, 2), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"NCSN\.dilations"):
        NCSN((8, 8, 1), channels=4, multipliers=(1, 2), dilations=(1, 0), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"NCSN\.n_levels"):
        NCSN((8, 8, 1), channels=4, n_levels=0, rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match="the first 2"):
        NCSN((8, 8, 1), channels=4, refined=(1, 2, 2, 1), rngs=nnx.Rngs(0))
    with pytest.raises(InputError, match=r"NCSN\.shape"):
        NCSN((7, 8, 1), channels=4, rngs=nnx.Rngs(0))
    network = shaped(functools.partial(NCSNv2, channels=4), (8, 1))
    with pytest.raises(InputError, match="cond of NCSNv2"):
        network(jnp.zeros((1, 8, 1)), jnp.ones(1), jnp.zeros(1, int))

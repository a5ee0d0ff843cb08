"""DDPM and NCSN++ where the originals cannot be asked: signals, classes, dropout, precision, beginnings."""

import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from drawn_weights import quickly_compiled, relative
from flax import nnx

from score_sde.errors import InputError
from score_sde.networks import DDPM, NCSNpp, partition
from score_sde.networks.base import initialise
from score_sde.networks.layers import (
    FIR,
    NAIVE,
    Concatenation,
    InputResidual,
    InputSkip,
    NoInput,
    OutputResidual,
    OutputSkip,
    RescalingFilters,
    SigmaEmbedding,
    TopOutput,
)
from score_sde.networks.ncsnpp import BigGAN, DDPMConvolutions, DDPMFilters

SMALL = functools.partial(NCSNpp, channels=4, multipliers=(1, 2), blocks=1, attention_resolutions=(4,))
SMALL_DDPM = functools.partial(
    DDPM, channels=4, multipliers=(1, 2), blocks=1, attention_resolutions=(4,), groups=2
)
ALL = functools.partial(
    SMALL, n_classes=3, dropout=0.5, resampling=FIR(), progressive_input=InputResidual(),
    progressive=OutputSkip(), embedding=SigmaEmbedding,
)  # fmt: skip


def shaped(factory, shape):
    return jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape))


def weights(factory, shape):
    """Random weights of a size at which every part of the network matters."""
    rng = np.random.default_rng(0)
    shapes, rebuild = partition(shaped(factory, shape))

    def draw(a):
        return jnp.asarray(rng.standard_normal(a.shape) / np.sqrt(1 + a.size / a.shape[-1]), jnp.float32)

    return jax.tree.map(draw, shapes), rebuild


def caller(factory, shape):
    rebuild = partition(shaped(factory, shape))[1]
    return quickly_compiled(
        lambda params, x, labels, cond=None, key=None: rebuild(params)(x, labels, cond, key=key)
    )


OPTIONS = list(
    itertools.product(
        [BigGAN(), DDPMFilters(), DDPMConvolutions()],
        [NAIVE, FIR()],
        [NoInput(), InputSkip(), InputSkip(combine=Concatenation()), InputResidual()],
        [TopOutput(), OutputSkip(), OutputResidual()],
    )
)


@pytest.mark.parametrize("shape", [(8, 2), (4, 8, 1)], ids=["signal", "wide image"])
def test_combinations_of_options_give_an_array_like_x(shape):
    x, labels = jnp.zeros((2, *shape)), jnp.ones(2)
    for residual, resampling, told, given in OPTIONS[::5]:  # in which every pair of options occurs
        factory = functools.partial(
            SMALL, multipliers=(1, 2, 2), residual=residual, resampling=resampling,
            progressive_input=told, progressive=given,
        )  # fmt: skip
        y = jax.eval_shape(lambda factory=factory: initialise(factory, seed=0, shape=shape)(x, labels))
        assert (y.shape, y.dtype) == (x.shape, x.dtype)


@pytest.mark.parametrize("rescaling", [RescalingFilters(), None])
@pytest.mark.parametrize("shape", [(8, 2), (4, 8, 1)], ids=["signal", "wide image"])
def test_ddpm_takes_signals_and_wide_images(shape, rescaling):
    options = {} if rescaling is None else {"rescaling": rescaling}
    factory, x = functools.partial(SMALL_DDPM, **options), jnp.zeros((2, *shape))
    assert jax.eval_shape(lambda: initialise(factory, seed=0, shape=shape)(x, jnp.ones(2))).shape == x.shape


@pytest.fixture(scope="module")
def ours():
    """A network with every kind of condition, its weights and three examples."""
    x = jnp.asarray(np.random.default_rng(1).standard_normal((3, 8, 2)), jnp.float32)
    return caller(ALL, (8, 2)), weights(ALL, (8, 2))[0], x, jnp.array([0.02, 1.0, 40.0])


def test_the_noise_the_classes_and_the_key_matter(ours):
    run, params, x, labels = ours
    cond, key = jnp.array([0, 1, 2]), jax.random.key(0)
    y = run(params, x, labels, cond, key)
    np.testing.assert_array_equal(y, run(params, x, labels, cond, key))
    for other in (
        (2 * x, labels, cond, key),
        (x, 1.3 * labels, cond, key),
        (x, labels, (cond + 1) % 3, key),
        (x, labels, cond, jax.random.key(1)),
    ):
        assert jnp.min(jnp.max(jnp.abs(run(params, *other) - y), axis=(1, 2))) > 1e-3


def test_no_class_is_the_last_label(ours):
    run, params, x, labels = ours
    none = run(params, x, labels)
    np.testing.assert_allclose(run(params, x, labels, jnp.full(3, 3)), none, atol=1e-6)
    np.testing.assert_allclose(run(params, x, labels, {"label": jnp.full(3, 3)}), none, atol=1e-6)


def test_the_image_is_scaled_and_shifted_before_all_else(ours):
    run, params, x, labels = ours
    scaled = caller(functools.partial(ALL, input_scale=2.0, input_shift=-1.0), (8, 2))
    np.testing.assert_allclose(scaled(params, x, labels), run(params, 2 * x - 1, labels), atol=1e-5)


def test_bfloat16_and_remat_compute_the_same(ours):
    run, params, x, labels = ours
    exact = run(params, x, labels)
    low = caller(functools.partial(ALL, dtype=jnp.bfloat16), (8, 2))(params, x, labels)
    assert low.dtype == jnp.float32
    assert 1e-4 < relative(low, np.asarray(exact)) < 0.1
    rebuild = partition(shaped(functools.partial(ALL, remat=True), (8, 2)))[1]
    y, slope = quickly_compiled(jax.jvp, static_argnums=0)(
        lambda x: rebuild(params)(x, labels), (x,), (jnp.ones_like(x),)
    )
    np.testing.assert_allclose(y, exact, atol=1e-5)
    assert jnp.all(jnp.isfinite(slope))


def test_a_network_that_is_not_told_the_noise_has_no_layer_for_it():
    for factory in (SMALL, SMALL_DDPM):
        network = shaped(functools.partial(factory, embedding=None), (8, 2))
        assert network.mapping is None
        assert network.encoder.first.kernel.shape == (3, 2, 4)
        assert all(stage.block.embed is None for stage in network.encoder.middle)
        with pytest.raises(InputError, match="cond of"):
            network(jnp.zeros((1, 8, 2)), jnp.ones(1), jnp.zeros(1, int))
    with pytest.raises(InputError, match="n_classes"):
        shaped(functools.partial(SMALL, embedding=None, n_classes=2), (8, 2))


def test_axes_that_cannot_be_halved_are_named():
    for factory, name in ((NCSNpp, "NCSNpp"), (DDPM, "DDPM")):
        with pytest.raises(InputError, match=rf"{name}\.shape"):
            factory((12, 8, 1), multipliers=(1, 1, 1, 1), rngs=nnx.Rngs(0))
        with pytest.raises(InputError, match=rf"{name}: shape of x"):
            shaped(functools.partial(factory, channels=32), (8, 8, 1))(jnp.zeros((1, 8, 4, 1)), jnp.ones(1))


def variance(kernel):
    return float(jnp.mean(jnp.square(kernel[...])))


@pytest.mark.parametrize(
    ("residual", "skip"), [(BigGAN(), 1.0), (DDPMConvolutions(), 0.1)], ids=["BigGAN", "DDPM"]
)
def test_first_weights_have_the_published_variances(residual, skip):
    """score_sde, models/layers.py: uniform, scale / fan_avg; products of attention 0.1, last layers 1e-10."""
    network = initialise(
        functools.partial(NCSNpp, channels=16, multipliers=(1,), blocks=1, residual=residual),
        seed=0, shape=(4, 2),
    )  # fmt: skip
    block, attention = network.decoder.levels[0].blocks[0].block, network.encoder.middle[0].attention
    expected = [
        (block.conv1.kernel, 1 / (3 * (32 + 16) / 2)),
        (block.skip.kernel, skip / ((32 + 16) / 2)),
        (block.conv2.kernel, 1e-10 / (3 * 16)),
        (attention.qkv.kernel, 0.1 / 16),
        (attention.out.kernel, 1e-10 / 16),
        (network.mapping.linear2.kernel, 1 / 64),
        (network.decoder.levels[0].image.conv.kernel, 1e-10 / (3 * (16 + 2) / 2)),
    ]
    for kernel, value in expected:
        # the variance of n squares of uniform numbers is 4/5 of their mean's square: six of its deviations
        assert abs(variance(kernel) / value - 1) < 6 * np.sqrt(0.8 / kernel.size)

"""Multiply-adds of whole networks against those that a paper counted."""

import jax
import jax.numpy as jnp
import pytest
from flax import nnx

from score_sde.experiment.accounting import count_flops
from score_sde.networks import ADM, ADMSuperResolution, DiT

LARGE = {"channels": 256, "blocks": 2, "n_classes": 1000}
AT_256, AT_512 = (1, 1, 2, 2, 4, 4), (0.5, 1, 1, 2, 2, 4, 4)


def gmacs(network, size, *, low_res=None, **options):
    """Giga multiply-adds of one evaluation on one example, which papers write as Gflops."""
    shape = (size, size, 3)
    model = jax.eval_shape(lambda: network(shape=shape, rngs=nnx.Rngs(0), **options))
    x, one = jax.ShapeDtypeStruct((1, *shape), jnp.float32), jax.ShapeDtypeStruct((1,), jnp.float32)
    cond = {"label": jax.ShapeDtypeStruct((1,), jnp.int32)}
    if low_res is not None:
        cond["low_res"] = jax.ShapeDtypeStruct((1, low_res, low_res, 3), jnp.float32)
    return count_flops(lambda net, *args: net(*args), model, x, one, cond).matmul / 2e9


@pytest.mark.parametrize(
    ("size", "multipliers", "published"),
    [(256, AT_256, 1120), (512, AT_512, 1983)],
)
def test_adm(size, multipliers, published):
    """ADM has 1120 Gflops at 256 x 256 and 1983 at 512 x 512 (Peebles and Xie 2023, section 5.1)."""
    counted = gmacs(ADM, size, multipliers=multipliers, **LARGE)
    assert counted == pytest.approx(published, rel=1e-3)
    assert 1.05 * counted != pytest.approx(published, rel=1e-3)


def test_adm_upsampled():
    """ADM-U has 742 Gflops at 256 x 256: ADM at 64 x 64, then its upsampler (the same place)."""
    base = gmacs(ADM, 64, channels=192, multipliers=(1, 2, 3, 4), blocks=3, n_classes=1000)
    upsampler = gmacs(
        ADMSuperResolution, 256, low_res=64, channels=192, multipliers=AT_256, blocks=2, n_classes=1000
    )
    assert base + upsampler == pytest.approx(742, rel=1e-3)


@pytest.mark.parametrize(
    ("width", "depth", "heads", "patch", "published"),
    [(384, 12, 6, 8, 0.36), (768, 12, 12, 4, 5.56), (1024, 24, 16, 2, 80.71), (1152, 28, 16, 2, 118.64)],
)
def test_dit(width, depth, heads, patch, published):
    """Gflops of DiT-S/8, B/4, L/2 and XL/2 (Peebles and Xie 2023, table 4), as many digits as are told.

    Blocks are equal, so that one and two of them say what all cost.
    """
    shape, one = (32, 32, 4), jax.ShapeDtypeStruct((1,), jnp.float32)
    options = {"width": width, "heads": heads, "patch": patch, "n_classes": 1000}

    def counted(depth):
        model = jax.eval_shape(lambda: DiT(shape, depth=depth, rngs=nnx.Rngs(0), **options))
        label, x = jax.ShapeDtypeStruct((1,), jnp.int32), jax.ShapeDtypeStruct((1, *shape), jnp.float32)
        return count_flops(lambda net, *args: net(*args), model, x, one, label).matmul / 2e9

    first, second = counted(1), counted(2)
    whole = first + (depth - 1) * (second - first)
    assert whole == pytest.approx(published, abs=0.006, rel=2e-4)
    assert 1.05 * whole != pytest.approx(published, abs=0.006, rel=2e-4)

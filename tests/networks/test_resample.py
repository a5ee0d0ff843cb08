"""Filters before and after a change of resolution, against scipy's convolution."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from score_sde.errors import InputError
from score_sde.networks.layers import FIR, Plain

KERNELS = [(1.0, 3.0, 3.0, 1.0), (1.0, 1.0), (1.0, 2.0, 5.0, 3.0), (1.0, 2.0, 1.0)]


def image(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def upfirdn(x, kernel, up, down, before, after):
    """Upfirdn of StyleGAN2 along the first axis: zeros between, padding, convolution, every n-th."""
    stuffed = np.zeros((len(x) * up, *x.shape[1:]))
    stuffed[::up] = x
    padded = np.pad(stuffed, [(before, after)] + [(0, 0)] * (x.ndim - 1))
    taps = np.asarray(kernel) / np.sum(kernel) * up
    full = scipy.signal.convolve(padded, taps.reshape(-1, *(1,) * (x.ndim - 1)), mode="valid")
    return full[::down]


@pytest.mark.parametrize("kernel", KERNELS)
def test_fir_down_is_upfirdn(kernel):
    x, p = image(8, 3), len(kernel) - 2
    expected = upfirdn(x, kernel, 1, 2, (p + 1) // 2, p // 2)
    np.testing.assert_allclose(FIR(kernel).down(jnp.asarray(x[None]))[0], expected, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_fir_up_is_upfirdn(kernel):
    x, p = image(8, 3), len(kernel) - 2
    expected = upfirdn(x, kernel, 2, 1, (p + 1) // 2 + 1, p // 2)
    np.testing.assert_allclose(FIR(kernel).up(jnp.asarray(x[None]))[0], expected, atol=1e-6)


def test_axes_are_filtered_one_after_the_other():
    x = image(2, 4, 6, 3)
    rows = [FIR().down(jnp.asarray(x[:, i])) for i in range(4)]
    both = FIR().down(jnp.stack(rows, axis=2).reshape(-1, 4, 3))  # columns as batch, rows as space
    expected = np.asarray(both).reshape(2, 3, 2, 3).transpose(0, 2, 1, 3)
    np.testing.assert_allclose(FIR().down(jnp.asarray(x)), expected, atol=1e-6)


def test_the_box_filter_is_plain_resampling():
    x = jnp.asarray(image(2, 4, 6, 3))
    np.testing.assert_allclose(FIR((1, 1)).down(x), Plain().down(x), atol=1e-6)
    np.testing.assert_allclose(FIR((1, 1)).up(x), Plain().up(x), atol=1e-6)
    assert FIR().up(x).shape == (2, 8, 12, 3)
    assert Plain().down(x[:, :, 0]).shape == (2, 2, 3)


def test_a_kernel_that_cannot_be_normalised():
    with pytest.raises(InputError, match=r"FIR\.kernel"):
        FIR((1.0, -1.0))

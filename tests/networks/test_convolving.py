"""Every derivative of a convolution against XLA's own convolution, whose rules are its library's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.networks.layers import convolving
from score_sde.networks.layers.convolving import Window, along_rows, library

SAME = Window(1, 1, ((1, 1), (1, 1)))


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def lax(x, kernel):
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def rows(x, kernel):
    return convolving._convolved(x, kernel, SAME)


def loss(convolution, x, kernel):
    return jnp.sum(jnp.sin(convolution(x, kernel)))


def gradients(convolution, x, kernel):
    return jax.grad(functools.partial(loss, convolution), argnums=(0, 1))(x, kernel)


def forward_gradients(convolution, x, kernel):
    return jax.jvp(functools.partial(convolution), (x, kernel), (kernel_like(x), kernel_like(kernel)))


def curvature(convolution, x, kernel):
    """Forward over reverse: how the gradients change along a direction of both arguments."""
    derivative = functools.partial(gradients, convolution)
    return jax.jvp(derivative, (x, kernel), (kernel_like(x), kernel_like(kernel)))


def twice_reverse(convolution, x, kernel):
    return jax.grad(lambda k: jnp.sum(gradients(convolution, x, k)[0] ** 2))(kernel)


def one_gradient_a_kernel(convolution, x, kernel):
    kernels = jnp.stack([kernel, 2 * kernel, kernel[::-1]])
    return jax.vmap(functools.partial(gradients, convolution), in_axes=(None, 0))(x, kernels)


def one_gradient_an_example(convolution, x, kernel):
    return jax.vmap(lambda a: gradients(convolution, a[None], kernel))(x)


def kernel_like(a):
    return jnp.asarray(normal(a.size, *a.shape), a.dtype)


MODES = [
    gradients, forward_gradients, curvature, twice_reverse, one_gradient_a_kernel, one_gradient_an_example
]  # fmt: skip


def largest_error(ours, theirs):
    pairs = zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True)
    return max(float(np.max(np.abs(a - b)) / np.max(np.abs(b))) for a, b in pairs)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
def test_derivatives_are_those_of_xlas_convolution(mode, x64):
    x, kernel = jnp.asarray(normal(0, 2, 6, 5, 4)), jnp.asarray(normal(1, 3, 3, 4, 3))
    assert largest_error(mode(rows, x, kernel), mode(lax, x, kernel)) < 1e-12
    # Power: a kernel that is 5 % off is seen.
    assert largest_error(mode(rows, x, 1.05 * kernel), mode(lax, x, kernel)) > 1e-3


@pytest.mark.parametrize("mode", [gradients, curvature], ids=lambda mode: mode.__name__)
def test_float32_is_as_near_to_float64_as_xlas(mode, x64):
    x, kernel = normal(2, 4, 16, 16, 16), normal(3, 3, 3, 16, 16) / 12
    exact = mode(lax, jnp.asarray(x), jnp.asarray(kernel))
    single = jnp.asarray(x, jnp.float32), jnp.asarray(kernel, jnp.float32)
    assert largest_error(mode(rows, *single), exact) < 1e-6


@pytest.mark.parametrize("padding", [((1, 1), (1, 1)), ((0, 0), (0, 0)), ((2, 2), (3, 0)), ((0, 1), (2, 1))])
@pytest.mark.parametrize("field", [(3, 3), (2, 3), (5, 1), (1, 4)])
def test_sums_of_rows_are_the_convolution(field, padding, x64):
    x, kernel, window = normal(4, 2, 7, 6, 3), normal(5, *field, 3, 2), Window(1, 1, padding)
    expected = library(x, kernel, window)
    assert largest_error(along_rows(x, kernel, window), expected) < 1e-14


def test_the_derivative_to_x_alone_needs_no_derivative_to_the_kernel():
    x, kernel = jnp.asarray(normal(6, 1, 4, 4, 2)), jnp.asarray(normal(7, 3, 3, 2, 2))
    jaxpr = str(jax.make_jaxpr(lambda x: jax.jvp(lambda a: rows(a, kernel), (x,), (x,)))(x))
    assert "platform_index" not in jaxpr
    assert "platform_index" in str(jax.make_jaxpr(functools.partial(gradients, rows))(x, kernel))


@pytest.mark.parametrize(("platform", "one_axis"), [("cpu", True), ("tpu", False), ("cuda", False)])
def test_accelerators_get_the_librarys_convolution(platform, one_axis):
    """The convolution of rows has one axis of space: it is compiled for CPU only."""
    x, kernel = jnp.zeros((2, 16, 16, 16)), jnp.zeros((3, 3, 16, 16))
    gradient = jax.jit(functools.partial(gradients, convolving.convolve))
    module = jax.export.export(gradient, platforms=[platform])(x, kernel).mlir_module()
    convolutions = [line for line in module.splitlines() if "stablehlo.convolution" in line]
    assert any("[b, 0, f]" in line or "[f, 0, b]" in line for line in convolutions) == one_axis


@pytest.mark.parametrize("shape", [(2, 4, 4, 8), (2, 32, 3), (2, 64, 64, 3)])
def test_small_and_one_dimensional_convolutions_are_the_librarys(shape):
    x, kernel = jnp.ones(shape), jnp.ones((*(3,) * (len(shape) - 2), shape[-1], 4))
    jaxpr = str(jax.make_jaxpr(jax.grad(lambda k: jnp.sum(convolving.convolve(x, k))))(kernel))
    assert "platform_index" not in jaxpr

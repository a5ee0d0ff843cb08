"""Products over channels, whose derivatives say how they are computed, against the formula's own."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from score_sde.networks.layers.linear import product


def normal(seed, *shape):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape))


def formula(x, kernel):
    return jnp.einsum("...i,io->...o", x, kernel)


def loss(multiply, x, kernel):
    return jnp.sum(jnp.sin(multiply(x, kernel)))


def gradients(multiply, x, kernel):
    return jax.grad(functools.partial(loss, multiply), argnums=(0, 1))(x, kernel)


def tangents(multiply, x, kernel):
    return jax.jvp(multiply, (x, kernel), (jnp.cos(x), jnp.sin(kernel)))


def curvature(multiply, x, kernel):
    return jax.jvp(functools.partial(gradients, multiply), (x, kernel), (jnp.cos(x), jnp.sin(kernel)))


def twice_reverse(multiply, x, kernel):
    return jax.grad(lambda k: jnp.sum(gradients(multiply, x, k)[0] ** 2))(kernel)


def one_an_example(multiply, x, kernel):
    return jax.vmap(lambda one: gradients(multiply, one, kernel))(x)


MODES = [gradients, tangents, curvature, twice_reverse, one_an_example]


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
@pytest.mark.parametrize("leading", [(3,), (2, 3), (2, 3, 2)], ids=len)
def test_derivatives_are_those_of_the_formula(mode, leading, x64):
    x, kernel = normal(0, 2, *leading, 4), normal(1, 4, 5)
    found, expected, wrong = (
        jax.tree.leaves(jax.jit(functools.partial(mode, way))(x, k))
        for way, k in ((product, kernel), (formula, kernel), (product, 1.05 * kernel))
    )
    for ours, right in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, right, rtol=1e-12, atol=1e-12)
    assert not np.allclose(wrong[0], expected[0], rtol=1e-3, atol=1e-3)  # power: 5 % is seen


def test_the_gradient_to_the_kernel_transposes_nothing():
    """XLA's own turns the gradient to the product into (16, 8 * 256) numbers first."""
    x, kernel = jax.ShapeDtypeStruct((8, 256, 64), jnp.float32), jax.ShapeDtypeStruct((64, 16), jnp.float32)

    def program(multiply):
        gradient = jax.grad(lambda kernel, x: loss(multiply, jnp.tanh(x) * x + 1, kernel))
        return jax.jit(gradient).lower(kernel, x).compile().as_text()

    assert "f32[16,2048]" in program(formula)
    assert "f32[16,2048]" not in program(product)


@pytest.mark.parametrize(("platform", "in_rows"), [("cpu", True), ("tpu", False), ("cuda", False)])
def test_accelerators_get_the_librarys_product(platform, in_rows):
    x, kernel = jnp.zeros((2, 3, 4)), jnp.zeros((4, 5))
    exported = jax.export.export(jax.jit(functools.partial(gradients, product)), platforms=[platform])(
        x, kernel
    )
    assert ("tensor<6x4xf32>" in exported.mlir_module()) == in_rows


def test_two_axes_need_no_choice():
    x, kernel = jnp.zeros((3, 4)), jnp.zeros((4, 5))
    assert "platform_index" not in str(jax.make_jaxpr(functools.partial(gradients, product))(x, kernel))
    assert "platform_index" in str(jax.make_jaxpr(functools.partial(gradients, product))(x[None], kernel))

"""Matrix products over the channels."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax.custom_derivatives import SymbolicZero

from score_sde.networks.layers.initializers import BiasInit, Init, uniform_init, zero_bias_init
from score_sde.typing import Array

DType = jax.typing.DTypeLike


class Linear(nnx.Module):
    """x W + b over the last axis, W (n_in, n_out). A 1x1 convolution is this."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        init_scale: float = 1.0,
        init: Init = uniform_init,
        bias_init: BiasInit | None = zero_bias_init,
        dtype: DType = jnp.float32,
        rngs: nnx.Rngs,
    ) -> None:
        self.kernel = nnx.Param(init(rngs.params(), (n_in, n_out), init_scale))
        self.bias = None if bias_init is None else nnx.Param(bias_init(rngs.params(), (n_in, n_out)))
        self.dtype = dtype

    def __call__(self, x: Array, gain: float = 1.0) -> Array:
        """(..., n_in) -> (..., n_out); gain x and ``gain`` give gain times the same."""
        y = product(computed(x, self.dtype), computed(self.kernel[...], self.dtype))
        return y if self.bias is None else y + computed(gain * self.bias[...], self.dtype)


def computed(x: Array, dtype: DType) -> Array:
    """``x`` in the type that a layer computes in; float32 means "as it comes", so that float64 stays."""
    return x if jnp.dtype(dtype) == jnp.float32 else x.astype(dtype)


@jax.custom_jvp
def product(x: Array, kernel: Array) -> Array:
    """x @ kernel, (..., n_in) and (n_in, n_out) -> (..., n_out).

    On a CPU the gradient to the kernel is one product of matrices whose rows are all leading axes. With
    several leading axes XLA's CPU backend first transposes the gradient to y, and computes what that is
    made of column by column, which took a fifth of the training step of DiT-S/2. Every mode of
    differentiation, and of any order, works.
    """
    return x @ kernel


@functools.partial(product.defjvp, symbolic_zeros=True)
def _derivative(primals: Any, tangents: Any) -> tuple[Array, Array]:
    (x, kernel), (dx, dkernel) = primals, tangents
    y, terms = product(x, kernel), []
    if not isinstance(dx, SymbolicZero):
        terms.append(product(dx, kernel))
    if not isinstance(dkernel, SymbolicZero):
        terms.append(_linear_in_kernel(x, dkernel))
    return y, functools.reduce(jnp.add, terms) if terms else jnp.zeros_like(y)


def _linear_in_kernel(x: Array, kernel: Array) -> Array:
    """Chosen when it is compiled, so that a program compiled here for an accelerator is the accelerator's."""
    if x.ndim < 3:
        return x @ kernel
    kept_as_it_is = jax.checkpoint(in_rows, prevent_cse=False)  # x, not also its rows
    return jax.lax.platform_dependent(x, kernel, cpu=kept_as_it_is, default=jnp.matmul)


def in_rows(x: Array, kernel: Array) -> Array:
    """x @ kernel with the leading axes of x as one."""
    return (x.reshape(-1, x.shape[-1]) @ kernel).reshape(*x.shape[:-1], kernel.shape[-1])
